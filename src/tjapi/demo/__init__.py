"""The demo hospital: two campuses, departments, staff of each role, API clients; and people with years of exams behind them, and today's work.

Everything and everybody is invented. `load` brings staff and clients, `open_rooms` the rooms where people queue, `populate` brings people, their archive and the work of the day.
"""

from tjapi.demo.base import (
    CLIENTS,
    LOADER,
    STAFF,
    client_secrets,
    load,
    open_rooms,
    password,
    write_laboratory_dictionary,
)
from tjapi.demo.hospital import POPULATE, job, order, populate

__all__ = [
    "CLIENTS",
    "LOADER",
    "POPULATE",
    "STAFF",
    "client_secrets",
    "job",
    "load",
    "open_rooms",
    "order",
    "password",
    "populate",
    "write_laboratory_dictionary",
]
