"""States of an appointment and of a wait; the order in which slots are taken. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, time
from typing import Literal, NamedTuple
from uuid import UUID

AppointmentState = Literal["held", "booked", "arrived", "no_show", "cancelled"]
AppointmentSource = Literal["desk", "portal", "batch", "waiting_list"]
WaitState = Literal["waiting", "offered", "booked", "lapsed", "left"]
ResourceScope = Literal["day", "session"]

MOVES: dict[str, frozenset[str]] = {
    "held": frozenset({"booked", "cancelled"}),
    "booked": frozenset({"arrived", "no_show", "cancelled"}),
    "no_show": frozenset({"booked", "arrived"}),
    "arrived": frozenset(),
    "cancelled": frozenset(),
}
WAIT_MOVES: dict[str, frozenset[str]] = {
    "waiting": frozenset({"offered", "left", "lapsed"}),
    "offered": frozenset({"booked", "lapsed", "left"}),
    "booked": frozenset(),
    "lapsed": frozenset(),
    "left": frozenset(),
}
SOURCES = ("desk", "portal", "batch", "waiting_list")
SCOPES = ("day", "session")
SEXES = ("any", "male", "female")
EXPIRED = "hold_expired"


@dataclass(frozen=True, slots=True)
class DayOffer:
    """What a campus offers on a day: whether it is closed and why, and its sessions. `keeps_calendar`: the campus has sessions on some day."""

    closed: bool
    note: str
    sessions: Collection[UUID]
    """In the order of the day."""
    keeps_calendar: bool = True


class SlotKey(NamedTuple):
    """What is counted: a session of a day; a resource of a day; a resource of a session."""

    day: date
    session_id: UUID | None
    resource_id: UUID | None


def in_order(keys: Iterable[SlotKey]) -> list[SlotKey]:
    """Return slots in the one order in which every transaction takes them: then nobody waits in a circle."""
    return sorted(set(keys), key=lambda k: (k.day, str(k.session_id or ""), str(k.resource_id or "")))


def clock_time(moment: time) -> str:
    """Return a time of day as it is said: 07:30."""
    return f"{moment:%H:%M}"
