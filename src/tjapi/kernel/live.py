"""Live events over SSE: a table, one LISTEN connection per process, filtered by campus and permission as they are sent.

Delivery is at least once: after a reconnect with `Last-Event-ID` the last seconds may come again. Events hold ids only; what they
point at is read through the ordinary operations. Works without Valkey.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import BigInteger, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base, Database
from tjapi.kernel.security.principal import SYSTEM, Principal

log = structlog.get_logger("live")
_KEEP = 1_000
_OVERLAP_SECONDS = 30
_RETRY_SECONDS = 1.0
_SINCE = text("""
select id, campus_id, topic, permission, principal_id, data, at from live_event
where id > :after and (id > :last or at > clock_timestamp() - make_interval(secs => :overlap))
order by id limit 1000
""")
_FETCH = text(
    "select id, campus_id, topic, permission, principal_id, data, at from live_event where id = any(:ids) order by id"
)


Again = Callable[[], Awaitable[Principal | None]]
"""Says who follows a stream now; None: it may not go on."""


class LiveEventRow(Base):
    """An event on its way to screens; kept for a day."""

    __tablename__ = "live_event"
    __table_args__ = (Index("ix_live_event_at", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campus_id: Mapped[int | None] = mapped_column(SmallInteger)
    topic: Mapped[str]
    permission: Mapped[str | None]
    principal_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event as the hub holds it."""

    id: int
    campus_id: int | None
    topic: str
    permission: str | None
    principal_id: UUID | None
    data: dict[str, Any]
    at: datetime

    def is_for(self, principal: Principal) -> bool:
        """Say whether a principal may see it: addressed to it, or of its campus and under a permission it holds."""
        if self.principal_id is not None:
            return self.principal_id == principal.id
        in_scope = self.campus_id is None or self.campus_id in principal.campuses
        return in_scope and self.permission is not None and principal.may(self.permission)


class LiveHub:
    """Hands events to the streams of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: set[asyncio.Queue[LiveEvent | None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start listening."""
        self._task = asyncio.create_task(self._listen_forever())

    async def stop(self) -> None:
        """Stop listening and end every stream."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._end_streams()

    async def stream(
        self,
        principal: Principal,
        last_event_id: int | None,
        again: Again | None = None,
        every: float = 60,
        left: float = inf,
    ) -> AsyncIterator[LiveEvent]:
        """Yield the events for a principal: those since `last_event_id`, then live ones.

        Ends when the reader is too slow, after `left` seconds, and when `again`, asked so many seconds apart, says that the stream may not go on.
        """
        queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(_KEEP)
        self._queues.add(queue)
        seen: set[int] = set()
        try:
            if last_event_id is not None:
                after = last_event_id - _KEEP
                while page := await self._read(
                    _SINCE, {"after": after, "last": last_event_id, "overlap": _OVERLAP_SECONDS}
                ):
                    after = page[-1].id
                    for event in page:
                        seen.add(event.id)
                        if event.is_for(principal):
                            yield event
            loop = asyncio.get_running_loop()
            end = loop.time() + left
            due = min(loop.time() + every, end)
            while True:
                try:
                    async with asyncio.timeout_at(due):
                        next_one = await queue.get()
                    if next_one is None:
                        return
                except TimeoutError:
                    next_one = None
                if loop.time() >= due:
                    if loop.time() >= end:
                        return
                    due = min(loop.time() + every, end)
                    now = await again() if again is not None else principal
                    if now is None:
                        return
                    principal = now
                if next_one is not None and next_one.id not in seen and next_one.is_for(principal):
                    yield next_one
        finally:
            self._queues.discard(queue)

    async def _read(self, query: Any, values: dict[str, Any]) -> list[LiveEvent]:
        async with self._database.session("reader", SYSTEM) as session:
            return [LiveEvent(*row) for row in (await session.execute(query, values)).all()]

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as error:
                log.warning("live.lost", error=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        ids: asyncio.Queue[int | None] = asyncio.Queue()
        connection = await self._database.listener()
        try:
            connection.add_termination_listener(lambda _: ids.put_nowait(None))
            await connection.add_listener("tj_live", lambda _c, _p, _ch, payload: ids.put_nowait(int(payload)))
            self._end_streams()  # those opened while nobody listened
            while (first := await ids.get()) is not None:
                batch = [first]
                while not ids.empty() and (more := ids.get_nowait()) is not None:
                    batch.append(more)
                if self._queues:
                    for event in await self._read(_FETCH, {"ids": batch}):
                        self._hand_out(event)
        finally:
            # What is announced from now on is not heard: whoever watches comes back with Last-Event-ID and reads it.
            self._end_streams()
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await connection.close(timeout=1)

    def _end_streams(self) -> None:
        for queue in list(self._queues):
            self._end(queue)

    def _end(self, queue: "asyncio.Queue[LiveEvent | None]") -> None:
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _hand_out(self, event: LiveEvent) -> None:
        for queue in list(self._queues):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                # A reader that does not read: end its stream; it comes back with Last-Event-ID.
                self._end(queue)
