"""How a context declares a job, and what a running one is given."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tjapi.kernel.events import Event
from tjapi.kernel.security.principal import Principal, job_principal
from tjapi.kernel.uow import Fence, UnitOfWork, Units

Progress = Callable[[int, int | None, str | None], Awaitable[None]]


class GiveUp(Exception):  # noqa: N818 - an instruction, not an error
    """Trying again cannot help: a person must look. The text must hold no personal data."""


class TryLater(Exception):  # noqa: N818 - an instruction, not an error
    """The neighbour is down; try again. The text must hold no personal data."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """A claimed job on its way: its data, units that commit only under its fence, and the neighbours it may call."""

    id: UUID
    name: str
    payload: Mapping[str, Any]
    campus_id: int | None
    attempts: int
    fence: int
    units: Units
    services: Any
    report: Progress
    created_by: UUID

    @property
    def principal(self) -> Principal:
        """Who the job acts as: itself, on its campus; a job of no campus sees all of them."""
        return job_principal(self.id, self.campus_id)

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of work that commits only while this claim holds."""
        return self.units.open(self.principal, "worker", fence=Fence(self.id, self.fence))

    async def progress(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """Show progress, and extend nothing: the heartbeat does that."""
        await self.report(done, total, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled(Event):
    """A job that waited was cancelled, and never runs; `given` is its payload."""

    job_id: UUID
    job: str
    given: Mapping[str, Any]


Handler = Callable[[JobRun], Awaitable[Mapping[str, Any] | None]]
Aside = Callable[[UnitOfWork, Mapping[str, Any], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A kind of job. `on` lists the events that start it; `lane` names the payload field whose equal values run in order.

    `at_once` is how many a worker runs at a time: what waits for a neighbour must not hold every slot. `aside` is told, in the transaction that
    sets such a job aside or cancels it, its payload and the error: whatever waits for the job must not wait for ever.
    """

    name: str
    handler: Handler
    on: tuple[type[Event], ...] = ()
    lane: str | None = None
    key: str | None = None
    max_attempts: int = 20
    at_once: int | None = None
    timeout: float = 120
    aside: Aside | None = None
