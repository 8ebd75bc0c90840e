"""The unit of work: one transaction, the facts it published, and the only commit of tjapi.

Publishing runs every reaction at once, in the order of `wiring.py`, and writes one job row per listener: facts and announcements
are one transaction. After the commit the worker is poked, best effort. What is done to many at once is said by the same verbs in
their plural: a few statements for all of them.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tjapi.kernel.clock import Clock
from tjapi.kernel.db import Database, Look, Role, fetch_rows, fetch_value
from tjapi.kernel.events import Event
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import Problem
from tjapi.kernel.security.fields import FieldCipher
from tjapi.kernel.security.principal import Principal

Reaction = Callable[["UnitOfWork", Any], Awaitable[None]]
ReactionToMany = Callable[["UnitOfWork", Sequence[Any]], Awaitable[None]]

# Every unit runs these: past SQLAlchemy, whose execute costs three times theirs (speed.md, 1).
_ENQUEUE = """
insert into job (id, name, dedupe_key, lane, payload, campus_id, max_attempts, run_at, created_by, created_at)
values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, clock_timestamp() + $8::interval, $9, $10)
on conflict (name, dedupe_key) do nothing
returning id
"""
_EXISTING = "select id from job where name = $1 and dedupe_key = $2"
_FENCE = "select 1 from job where id = $1 and fence = $2 and state = 'running' for update"
_LIVE = """
insert into live_event (campus_id, topic, permission, principal_id, data, at) values ($1, $2, $3, $4, $5::text::jsonb, $6)
"""
_AUDIT = "select tj.audit($1, $2, $3, $4, $5::text::jsonb, $6, $7)"
_LIVE_MANY = """
insert into live_event (campus_id, topic, permission, data, at)
select $1, $2, $3, given.data::jsonb, $4 from unnest($5::text[]) as given (data)
"""
_AUDIT_MANY = """
select tj.audit($1, $2, given.object_id, $3, given.detail::jsonb, $4, $5)
from unnest($6::text[], $7::text[]) as given (object_id, detail)
"""


class LeaseLostError(Exception):
    """Another worker holds this job now: what was done here must not be committed."""


class Poke(Protocol):
    """Whatever wakes a worker. It may fail; it must not raise."""

    async def __call__(self, job_id: UUID) -> None:
        """Wake a worker for a job."""
        ...


@dataclass(frozen=True, slots=True)
class Listener:
    """A job that an event starts: its name, its ordering lane and its deduplication key, both drawn from the event."""

    job: str
    max_attempts: int
    lane: Callable[[Any], str | None]
    key: Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Announcements:
    """Who hears what: the part of the wiring that a unit of work needs."""

    reactions: Mapping[type[Event], Sequence[Reaction]] = field(default_factory=dict)
    in_bulk: Mapping[Reaction, ReactionToMany] = field(default_factory=dict)
    listeners: Mapping[type[Event], Sequence[Listener]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fence:
    """The claim under which a job's unit may commit."""

    job_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Which request something is done for, and from which address it came; both empty for what nobody asked."""

    request_id: str = ""
    source: str = ""


NO_REQUEST = Asked()


class UnitOfWork:
    """One transaction on behalf of a principal."""

    def __init__(
        self,
        session: AsyncSession,
        principal: Principal,
        clock: Clock,
        cipher: FieldCipher,
        announcements: Announcements,
        *,
        fence: Fence | None = None,
        asked: Asked = NO_REQUEST,
        database: Database | None = None,
    ) -> None:
        self.session = session
        self._database = database
        self.principal = principal
        self.cipher = cipher
        self.request_id = asked.request_id
        self.source = asked.source
        self._clock = clock
        self._announcements = announcements
        self._fence = fence
        self._everywhere = False
        self.pokes: list[UUID] = []

    @property
    def now(self) -> datetime:
        """The moment, by the injected clock."""
        return self._clock.now()

    @asynccontextmanager
    async def for_every_department(self) -> AsyncIterator[None]:
        """Act for every department: what follows from a command by itself is written where it belongs, whoever commanded it.

        Who it was stays; rights and campuses stay. Whatever a person decides is no business of this.
        """
        if self.principal.departments is None or self._database is None or self._everywhere:
            yield
            return
        own, self._everywhere = self.principal, True
        await self.session.flush()
        await self._database.show_for_now(self.session, replace(own, departments=None))
        yield
        await self.session.flush()
        await self._database.show_for_now(self.session, own)
        self._everywhere = False

    async def serve(self, campus_id: int) -> None:
        """Act for an examinee at a campus until this transaction ends: their booking takes places, and an exam, of that campus.

        Row security then shows the campus and not the own rows alone: whoever calls this has made sure whose things are touched.
        """
        if self.principal.kind != "examinee" or self._database is None:
            raise ValueError("only an examinee is served")
        self.principal = replace(self.principal, campuses=(campus_id,))
        await self._database.show_for_now(self.session, self.principal)

    async def publish(self, event: Event) -> None:
        """State a fact: its reactions run now, its jobs are written with it."""
        await self.session.flush()
        for reaction in self._announcements.reactions.get(type(event), ()):
            await reaction(self, event)
        await self._write_jobs(event)

    async def publish_many(self, events: Sequence[Event]) -> None:
        """State facts of one kind: a reaction that has a way for many is given all of them, any other one after the other."""
        if not events:
            return
        await self.session.flush()
        for reaction in self._announcements.reactions.get(type(events[0]), ()):
            to_many = self._announcements.in_bulk.get(reaction)
            if to_many is not None:
                await to_many(self, events)
                continue
            for event in events:
                await reaction(self, event)
        for event in events:
            await self._write_jobs(event)

    async def _write_jobs(self, event: Event) -> None:
        for listener in self._announcements.listeners.get(type(event), ()):
            await self.enqueue(
                listener.job,
                event.payload(),
                campus_id=event.campus_id,
                key=listener.key(event),
                lane=listener.lane(event),
                max_attempts=listener.max_attempts,
            )

    async def enqueue(
        self,
        job: str,
        payload: Mapping[str, Any],
        *,
        campus_id: int | None,
        key: str | None = None,
        lane: str | None = None,
        max_attempts: int = 20,
        delay: timedelta = timedelta(0),
    ) -> UUID:
        """Write a job row with this transaction and return its id; the same key returns the job that is there."""
        job_id = uuid7()
        created = await fetch_value(
            self.session, _ENQUEUE, job_id, job, key or str(job_id), lane, _json(payload), campus_id, max_attempts, delay,
            self.principal.id, self.now,
        )  # fmt: skip
        if created is None:
            existing: UUID = await fetch_value(self.session, _EXISTING, job, key)
            return existing
        self.pokes.append(job_id)
        return job_id

    async def announce(
        self,
        topic: str,
        data: Mapping[str, Any],
        *,
        campus_id: int | None,
        permission: str | None,
        principal_id: UUID | None = None,
    ) -> None:
        """Send a live event to those of a campus who hold a permission, or to one principal. Ids only, no personal data."""
        await fetch_value(self.session, _LIVE, campus_id, topic, permission, principal_id, _json(data), self.now)

    async def announce_many(
        self, topic: str, told: Sequence[Mapping[str, Any]], *, campus_id: int, permission: str
    ) -> None:
        """Send many live events of one topic to those of a campus who hold a permission."""
        if told:
            rows = [_json(data) for data in told]
            await fetch_rows(self.session, _LIVE_MANY, campus_id, topic, permission, self.now, rows)

    async def audit(
        self,
        action: str,
        object_type: str,
        object_id: object,
        *,
        campus_id: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Leave an audit row in this transaction. The actor is read by the database from the signed context."""
        await self.session.flush()
        told = _json(detail or {})
        await fetch_value(
            self.session, _AUDIT, action, object_type, str(object_id), campus_id, told, self.request_id, self.source
        )

    async def audit_many(
        self, action: str, object_type: str, objects: Mapping[UUID, Mapping[str, Any]], *, campus_id: int
    ) -> None:
        """Leave an audit row for each of many objects, with its detail: the rows that `audit` would leave one by one."""
        if objects:
            await self.session.flush()
            ids, details = [str(one) for one in objects], [_json(detail) for detail in objects.values()]
            await fetch_rows(
                self.session, _AUDIT_MANY, action, object_type, campus_id, self.request_id, self.source, ids, details
            )

    async def commit(self) -> None:
        """Commit. Raises LeaseLostError when the job that this unit works for was taken over meanwhile."""
        await self.session.flush()
        fence = self._fence
        if fence is not None and await fetch_value(self.session, _FENCE, fence.job_id, fence.number) is None:
            raise LeaseLostError
        await self.session.commit()


class Units:
    """The factory of units: what flows and dependencies are given."""

    def __init__(
        self, database: Database, clock: Clock, cipher: FieldCipher, announcements: Announcements, poke: Poke
    ) -> None:
        self.database = database
        self.clock = clock
        self.cipher = cipher
        self._announcements = announcements
        self._poke = poke

    @asynccontextmanager
    async def open(
        self, principal: Principal, role: Role = "app", *, fence: Fence | None = None, asked: Asked = NO_REQUEST
    ) -> AsyncIterator[UnitOfWork]:
        """Lend a unit; commit when the block ends well, roll back when it raises, unless the refusal itself must be kept."""
        async with self.database.session(role, principal) as session:
            uow = UnitOfWork(
                session, principal, self.clock, self.cipher, self._announcements, fence=fence, asked=asked,
                database=self.database,
            )  # fmt: skip
            try:
                yield uow
            except Problem as refusal:
                if refusal.keep:
                    await uow.commit()
                raise
            await uow.commit()
        for job_id in uow.pokes:
            await self._poke(job_id)

    @asynccontextmanager
    async def read(self, principal: Principal, *, asked: Asked = NO_REQUEST) -> AsyncIterator[UnitOfWork]:
        """Lend a unit of the reading role: it can only SELECT and leave audit rows; each statement stands alone."""
        async with self.database.session("reader", principal) as session:
            yield UnitOfWork(session, principal, self.clock, self.cipher, self._announcements, asked=asked)

    def apart(self) -> "Units":
        """Return units over a connection of their own, for the event loop of another thread; they write and tell nobody."""
        return Units(self.database.apart(), self.clock, self.cipher, Announcements(), _nobody)

    def look(self, principal: Principal) -> Look:
        """Return what reads single statements as a principal."""
        return Look(self.database, principal, self.clock.now)

    def identify(self) -> Look:
        """Return what may ask who somebody is, and nothing else."""
        return Look(self.database, None, self.clock.now)


async def _nobody(job_id: UUID) -> None:
    """Wake nobody."""
    del job_id


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
