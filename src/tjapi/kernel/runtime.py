"""What one process of tjapi holds: settings, clock, keys, database, files, neighbours. Built once, in `wiring.py`."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from tjapi.kernel.broker import Broker
from tjapi.kernel.clock import Clock
from tjapi.kernel.db import Database, Look
from tjapi.kernel.jobs.spec import JobSpec
from tjapi.kernel.limits import Limits, Rate
from tjapi.kernel.live import LiveHub
from tjapi.kernel.security.fields import FieldCipher
from tjapi.kernel.security.keys import KeyRing
from tjapi.kernel.security.passwords import Hasher
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.security.tokens import TokenClaims, TokenMint
from tjapi.kernel.settings import Settings
from tjapi.kernel.storage import Storage
from tjapi.kernel.uow import Asked, Units

Authenticator = Callable[[Look, TokenClaims], Awaitable[Principal | None]]


@dataclass(frozen=True, slots=True)
class Runtime:
    """The composition of a process. `services` are the neighbours that flows may call, by name.

    `rates` say how often a caller may use an operation, by its id, `in_bulk` how often once they proved anew who they are, `step_up` what asks
    for that each time.
    """

    settings: Settings
    clock: Clock
    keys: KeyRing
    cipher: FieldCipher
    mint: TokenMint
    database: Database
    broker: Broker
    storage: Storage
    units: Units
    live: LiveHub
    authenticate: Authenticator
    jobs: Mapping[str, JobSpec]
    services: Any
    hasher: Hasher
    limits: Limits
    rates: Mapping[str, Rate]
    in_bulk: Mapping[str, Rate]
    step_up: Collection[str]


def asked(connection: HTTPConnection) -> Asked:
    """Return what the outermost layer wrote down of a request."""
    return Asked(connection.scope.get("tj.request_id", ""), connection.scope.get("tj.source", ""))


def runtime(connection: HTTPConnection) -> Runtime:
    """Return the runtime of the application that serves this request."""
    held: Runtime = connection.app.state.runtime
    return held
