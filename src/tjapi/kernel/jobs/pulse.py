"""The worker's pulse: a thread that keeps leases, brings cancellations and watches the event loop.

It has a loop and a database connection of its own, because a job that computes without letting the worker's loop turn must neither lose
its lease nor keep it for ever. When that loop stands still for too long, the thread says in the database whose fault it was, gives
back what else ran, and ends the process: nothing else ends Python code that never waits. Should a job hold the interpreter itself (one
call of C), not even the thread has a turn: then a timer of C ends the process, and its jobs count as lost.
"""

import asyncio
import contextlib
import faulthandler
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from tjapi.kernel.db import DATABASE_TROUBLE
from tjapi.kernel.jobs.spec import JobSpec
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.uow import UnitOfWork, Units

log = structlog.get_logger("jobs")
TICK_SECONDS = 0.5
MOST_OVERRUNS = 2
STALLED = "stopped-the-worker"
_BEAT_EVERY = 2.0
_CANCEL_STALL_SECONDS = 3.0
_REARM_SECONDS = 5.0

_RENEW = text("""
with mine as (select * from unnest(cast(:ids as uuid[]), cast(:fences as bigint[])) as given (id, fence)),
kept as (
  update job set lease_until = clock_timestamp() + make_interval(secs => cast(:lease as double precision))
  from mine where job.id = mine.id and job.fence = mine.fence and job.state = 'running' returning job.id)
select id from kept
""")
_ASKED = text("select id, fence, state, cancel_requested from job where id = any(cast(:ids as uuid[]))")
_WORKER = text("""
insert into worker_beat (name, started_at, beat_at, loop_at, claimed_at, running)
values (:name, clock_timestamp(), clock_timestamp(), clock_timestamp() - make_interval(secs => cast(:still as double precision)),
  case when :claimed then clock_timestamp() end, :running)
on conflict (name) do update set beat_at = excluded.beat_at, loop_at = excluded.loop_at, running = excluded.running,
  started_at = case when :first then excluded.started_at else worker_beat.started_at end,
  claimed_at = coalesce(excluded.claimed_at, worker_beat.claimed_at)
""")
_GONE = text("delete from worker_beat where name = :name")
_GIVE_BACK = text("""
update job set state = case when cancel_requested then 'cancelled' else 'queued' end, lease_until = null, run_at = clock_timestamp(),
  finished_at = case when cancel_requested then clock_timestamp() end
where id = :id and fence = :fence and state = 'running'
""")
_BLAME = text("""
update job set overran = overran + 1, attempts = attempts + 1, lease_until = null, error = :error,
  state = case when cancel_requested then 'cancelled' when overran + 1 >= :most then 'dead' else 'queued' end,
  finished_at = case when cancel_requested or overran + 1 >= :most then clock_timestamp() end,
  run_at = clock_timestamp() + interval '1 second'
where id = :id and fence = :fence and state = 'running' returning state, payload
""")


@dataclass(eq=False)
class Held:
    """A job that this worker runs. What the thread asks of it is done in the worker's loop."""

    id: UUID
    fence: int
    spec: JobSpec
    suspect: bool
    loop: asyncio.AbstractEventLoop
    dropped: "asyncio.Future[None]"
    work: "asyncio.Task[Any] | None" = None
    asked_to_stop: bool = False
    lost: bool = False
    asked_at: float = field(default=0.0)

    def stop(self, grace: float) -> None:
        """Cancel it, because somebody asked: after the grace it is over, whatever its code does."""
        if not self.asked_to_stop:
            self.asked_to_stop, self.asked_at = True, time.monotonic()
            self.loop.call_later(grace, self._drop)
            if self.work is not None:
                self.work.cancel()

    def lose(self) -> None:
        """Somebody else holds it now, or it has ended: what is done here cannot be committed any more."""
        self.lost = True
        if self.work is not None:
            self.work.cancel()

    def _drop(self) -> None:
        if not self.dropped.done():
            self.dropped.set_result(None)


class Pulse:
    """Beats from `start` to `stop`. `end_process` ends a worker whose loop stands still for `stall` seconds; None: it is only shown."""

    def __init__(
        self,
        units: Units,
        name: str,
        held: Mapping[UUID, Held],
        *,
        lease: float,
        stall: float,
        grace: float,
        end_process: Callable[[], None] | None,
    ) -> None:
        self._units = units
        self._name = name
        self._held = held
        self._lease = lease
        self._stall = stall
        self._grace = grace
        self._end_process = end_process
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._turned = True
        self._still = 0
        self._armed = 0.0
        self._shown = 0.0
        self._first = True
        self.claimed = False

    def start(self) -> None:
        """Begin, for the running loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End in an orderly way: this worker is gone."""
        self._ended.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 10)
        if self._end_process is not None:
            faulthandler.cancel_dump_traceback_later()

    @property
    def beats(self) -> bool:
        """Whether the thread lives: a worker without it would lose its leases."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._beat())

    async def _beat(self) -> None:
        units = self._units.apart()
        renewed = 0.0
        try:
            while not self._ended.is_set():
                began = time.monotonic()
                self._look_at_the_loop()
                with contextlib.suppress(*DATABASE_TROUBLE):
                    due = began - renewed >= self._lease / 3
                    async with asyncio.timeout(self._lease):
                        await self._look_at_the_jobs(units, renew=due)
                        if began - self._shown >= _BEAT_EVERY:
                            await self._show(units)
                    renewed = began if due else renewed
                await self._judge(units)
                await asyncio.to_thread(self._ended.wait, max(0.0, TICK_SECONDS - (time.monotonic() - began)))
            with contextlib.suppress(*DATABASE_TROUBLE):
                async with asyncio.timeout(2), units.open(SYSTEM, "worker") as uow:
                    await uow.session.execute(_GONE, {"name": self._name})
        finally:
            await units.database.close()

    def _look_at_the_loop(self) -> None:
        """Count the ticks in which the loop did not turn: ticks, not seconds, so that a process that was stopped is not blamed."""
        self._still = 0 if self._turned else self._still + 1
        if self._turned:
            self._turned = False
            with contextlib.suppress(RuntimeError):  # the loop is closed: we are about to be stopped
                self._loop.call_soon_threadsafe(self._turn)

    def _turn(self) -> None:
        self._turned = True
        if self._end_process is not None and time.monotonic() - self._armed > _REARM_SECONDS:
            self._armed = time.monotonic()
            faulthandler.dump_traceback_later(2 * self._stall + 15, exit=True)

    async def _look_at_the_jobs(self, units: Units, *, renew: bool) -> None:
        """Renew the leases, and bring word of what was cancelled or lost."""
        mine = list(self._held.values())
        if not mine:
            return
        ids, fences = [one.id for one in mine], [one.fence for one in mine]
        async with units.open(SYSTEM, "worker") as uow:
            if renew:
                await uow.session.execute(_RENEW, {"ids": ids, "fences": fences, "lease": self._lease})
            known = {row.id: row for row in (await uow.session.execute(_ASKED, {"ids": ids})).all()}
        for one in mine:
            now = known.get(one.id)
            if now is None or now.fence != one.fence or now.state != "running":
                if renew:
                    self._loop.call_soon_threadsafe(one.lose)
            elif now.cancel_requested:
                one.asked_at = one.asked_at or time.monotonic()
                self._loop.call_soon_threadsafe(one.stop, self._grace)

    async def _show(self, units: Units) -> None:
        claimed, self.claimed = self.claimed, False
        async with units.open(SYSTEM, "worker") as uow:
            values = {
                "name": self._name, "still": self._still * TICK_SECONDS, "claimed": claimed, "running": len(self._held), "first": self._first,
            }  # fmt: skip
            await uow.session.execute(_WORKER, values)
        self._first, self._shown = False, time.monotonic()

    async def _judge(self, units: Units) -> None:
        """End a process whose loop stands still: sooner where the job that holds it was cancelled."""
        still = self._still * TICK_SECONDS
        if self._end_process is None or still < min(self._stall, _CANCEL_STALL_SECONDS):
            return
        current = asyncio.current_task(self._loop)
        guilty = next((one for one in list(self._held.values()) if one.work is not None and one.work is current), None)
        if still < self._stall and (guilty is None or not guilty.asked_at):
            return
        log.error(
            "worker.stalled",
            seconds=still,
            job=guilty.spec.name if guilty else None,
            id=str(guilty.id) if guilty else None,
        )
        faulthandler.dump_traceback(sys.__stderr__ or 2, all_threads=True)
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with asyncio.timeout(10):
                await self._give_back(units, guilty)
        self._end_process()

    async def _give_back(self, units: Units, guilty: Held | None) -> None:
        """Put everything back for another worker: the job that stood in the way counts, the others do not. Not known which: all were lost."""
        if guilty is None:
            return
        async with units.open(SYSTEM, "worker") as uow:
            for one in list(self._held.values()):
                if one is not guilty:
                    await uow.session.execute(_GIVE_BACK, {"id": one.id, "fence": one.fence})
            values = {"id": guilty.id, "fence": guilty.fence, "most": MOST_OVERRUNS, "error": STALLED}
            blamed = (await uow.session.execute(_BLAME, values)).first()
            if blamed is not None and blamed.state == "dead":
                await set_aside(uow, guilty.spec, blamed.payload, STALLED)


async def set_aside(uow: UnitOfWork, spec: JobSpec | None, payload: Mapping[str, Any], error: str) -> None:
    """Tell whoever waits for a job that it was set aside; a failure of theirs does not bring it back."""
    if spec is None or spec.aside is None:
        return
    try:
        async with uow.session.begin_nested():
            await spec.aside(uow, payload, error)
            await uow.session.flush()
    except DATABASE_TROUBLE:
        raise
    except Exception:
        log.exception("job.aside_failed", job=spec.name)
