"""The worker's heart: claim, run under the pulse, finish; set aside what cannot succeed; sweep what the dead left behind."""

import asyncio
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from tjapi.kernel.child.errors import Excessive
from tjapi.kernel.db import DATABASE_TROUBLE, is_interruption, is_refused
from tjapi.kernel.jobs.pulse import MOST_OVERRUNS, Held, Pulse, set_aside
from tjapi.kernel.jobs.spec import GiveUp, JobRun, JobSpec, TryLater
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.uow import LeaseLostError, UnitOfWork, Units

log = structlog.get_logger("jobs")
_POLL_SECONDS = 1.0
_MOST_LOST = 5
_SUSPECT = 2
"""A job that so many workers died under runs beside no other such job: so the one that kills them is found, and those beside it are not."""
_CANCEL_GRACE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 300
_GRACE_SECONDS = 5
_LIMITED_SECONDS = 0.25
_INTERRUPTED_SECONDS = 0.5

_CLAIM = text("""
with picked as (
  select id from job j
  where state = 'queued' and run_at <= clock_timestamp() and name = any(:names) and (lost >= :suspect) = :suspects
    and (lane is null or not exists (
      select 1 from job e where e.lane = j.lane and e.seq < j.seq and e.state in ('queued', 'running')))
  order by run_at, seq limit :slots for update skip locked)
update job set state = 'running', lease_until = clock_timestamp() + make_interval(secs => cast(:lease as double precision)), fence = fence + 1,
  claims = claims + 1, worker = :worker, started_at = coalesce(started_at, clock_timestamp())
from picked where job.id = picked.id
returning job.id, name, payload, campus_id, attempts, max_attempts, overran, fence, created_by
""")
_PROGRESS = text("""
update job set done = :done, total = coalesce(:total, total), message = coalesce(:message, message)
where id = :id and fence = :fence and state = 'running' returning created_by, campus_id, done, total
""")
_FINISH = text("""
update job set state = cast(:state as text), result = cast(:result as jsonb), error = :error, lease_until = null,
  finished_at = case when cast(:state as text) = 'queued' then null else clock_timestamp() end,
  attempts = attempts + :attempt, overran = overran + :overran, run_at = clock_timestamp() + make_interval(secs => cast(:pause as double precision)),
  done = case when cast(:state as text) = 'succeeded' then coalesce(total, done) else done end
where id = :id and fence = :fence and state = 'running'
returning created_by, campus_id, state, payload
""")
_SWEEP = text("""
update job set lost = lost + 1, lease_until = null, run_at = clock_timestamp(),
  state = case when cancel_requested then 'cancelled' when lost + 1 >= :most then 'dead' else 'queued' end,
  finished_at = case when cancel_requested or lost + 1 >= :most then clock_timestamp() end,
  error = case when lost + 1 >= :most then :error else error end
where state = 'running' and lease_until < clock_timestamp() returning id, name, state, payload
""")
_LOST_TOO_OFTEN = "worker-died-too-often"


class Runner:
    """Runs up to `slots` jobs at a time. `wake()` makes it look at once; without it, it looks every second."""

    def __init__(
        self,
        units: Units,
        jobs: Mapping[str, JobSpec],
        services: Any,
        *,
        slots: int,
        lease: float,
        sweep: float,
        stall: float = 15,
        end_process: Callable[[], None] | None = None,
    ) -> None:
        self._units = units
        self._jobs = jobs
        self._services = services
        self._slots = slots
        self._lease = lease
        self._sweep = sweep
        self._awake = asyncio.Event()
        self._running: dict[asyncio.Task[None], str] = {}
        self._held: dict[UUID, Held] = {}
        self._left: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._unlimited = [spec.name for spec in jobs.values() if spec.at_once is None]
        self._limited_due = 0.0
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._pulse = Pulse(
            units, self._name, self._held, lease=lease, stall=stall, grace=_CANCEL_GRACE_SECONDS, end_process=end_process
        )  # fmt: skip

    def wake(self) -> None:
        """Look for work now."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let what runs finish for a few seconds."""
        self._pulse.start()
        sweeper = asyncio.create_task(self._sweep_forever())
        stopper = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._awake.clear()
                if await self._fill():
                    continue
                waiter = asyncio.create_task(self._awake.wait())
                await asyncio.wait(
                    {waiter, stopper, sweeper, *self._running},
                    timeout=_POLL_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiter.cancel()
                if sweeper.done():  # a bug: better a restart by the supervisor than a worker that takes nothing back
                    sweeper.result()
                if not self._pulse.beats:
                    raise RuntimeError("the pulse has stopped")
        finally:
            sweeper.cancel()
            stopper.cancel()
            self._stopping = True
            if self._running:
                await asyncio.wait(self._running, timeout=_GRACE_SECONDS)
            for task in self._running:
                task.cancel()
            if self._running:  # each puts its job back, so that another worker takes it at once
                await asyncio.wait(self._running, timeout=_GRACE_SECONDS)
            await self._pulse.stop()

    async def _fill(self) -> bool:
        """Claim for the free slots; say whether they are all taken and more may wait.

        Limited kinds are looked for beside the others; under load, when each look costs the others time, four times a second.
        """
        looked = time.monotonic() >= self._limited_due
        if looked:
            await self._claim_limited()
        free = self._slots - len(self._running)
        full = free > 0 and await self._claim(self._unlimited, free) == free
        if not looked and not full:
            await self._claim_limited()
        return full

    async def _claim_limited(self) -> None:
        self._limited_due = time.monotonic() + _LIMITED_SECONDS
        running = Counter(self._running.values())
        open_ = [*self._unlimited]
        for spec in self._jobs.values():
            if spec.at_once is not None:
                free = min(spec.at_once - running[spec.name], self._slots - len(self._running))
                if free > 0 and await self._claim([spec.name], free) < free:
                    open_.append(spec.name)
        if len(self._running) < self._slots and not any(one.suspect for one in self._held.values()):
            await self._claim(open_, 1, suspects=True)

    async def _claim(self, names: list[str], free: int, *, suspects: bool = False) -> int:
        try:
            async with self._units.open(SYSTEM, "worker") as uow:
                values = {
                    "names": names, "slots": free, "lease": self._lease, "worker": self._name, "suspect": _SUSPECT, "suspects": suspects,
                }  # fmt: skip
                rows = (await uow.session.execute(_CLAIM, values)).all()
        except DATABASE_TROUBLE as error:
            log.warning("jobs.claim_failed", exc_info=error)
            await asyncio.sleep(_POLL_SECONDS)
            return 0
        loop = asyncio.get_running_loop()
        for row in rows:
            self._pulse.claimed = True
            held = Held(row.id, row.fence, self._jobs[row.name], suspects, loop, loop.create_future())
            self._held[row.id] = held
            task = asyncio.create_task(self._work(row, held))
            self._running[task] = row.name
            task.add_done_callback(self._running.pop)
            task.add_done_callback(lambda _task, held=held: self._let_go(held))  # type: ignore[misc]
        return len(rows)

    def _let_go(self, held: Held) -> None:
        if self._held.get(held.id) is held:
            del self._held[held.id]

    async def _work(self, row: Any, held: Held) -> None:
        spec = self._jobs[row.name]
        last = 0.0

        async def report(done: int, total: int | None, message: str | None) -> None:
            nonlocal last
            if time.monotonic() - last < 0.2 and done != total:  # noqa: PLR2004 - five updates a second are plenty for a progress bar
                return
            last = time.monotonic()
            async with self._units.open(SYSTEM, "worker") as uow:
                values = {"id": row.id, "fence": row.fence, "done": done, "total": total, "message": message}
                shown = (await uow.session.execute(_PROGRESS, values)).first()
                if shown is None:
                    raise LeaseLostError
                await _announce(uow, row.id, row.name, "running", shown.created_by, shown.done, shown.total)

        run = JobRun(
            id=row.id, name=row.name, payload=row.payload, campus_id=row.campus_id, attempts=row.attempts, fence=row.fence,
            units=self._units, services=self._services, report=report, created_by=row.created_by,
        )  # fmt: skip
        held.work = work = asyncio.create_task(self._guarded(spec, run, row.max_attempts, row.overran))
        started = time.monotonic()
        try:
            waiting: set[asyncio.Future[Any]] = {work, held.dropped}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # this worker stops
            work.cancel()
            await asyncio.wait({work}, timeout=_GRACE_SECONDS / 2)
        outcome = self._outcome(work, held, row)
        if outcome is not None:
            await self._finish(row, outcome)
            log.info(
                "job.done",
                job=row.name,
                id=str(row.id),
                state=outcome["state"],
                seconds=round(time.monotonic() - started, 3),
            )

    def _outcome(self, work: "asyncio.Task[dict[str, Any] | None]", held: Held, row: Any) -> dict[str, Any] | None:
        """Say how a job ended that returned, failed, was cancelled by its owner or put back by this worker's stop; None: it is not ours."""
        if work.done() and not work.cancelled():
            return work.result()
        if not work.done():  # it does not let itself be cancelled: its fence keeps it from committing anything
            log.warning("job.would_not_stop", job=row.name, id=str(row.id))
            self._left.add(work)
            work.add_done_callback(self._left.discard)
        if held.asked_to_stop:
            return {"state": "cancelled", "error": None, "attempt": 0}
        if held.lost:
            return None
        if self._stopping:
            return {"state": "queued", "error": None, "attempt": 0}
        last = row.attempts + 1 >= row.max_attempts
        return {"state": "dead" if last else "queued", "error": "CancelledError", "attempt": 1}

    async def _guarded(self, spec: JobSpec, run: JobRun, most: int, overran: int) -> dict[str, Any] | None:
        limit = asyncio.timeout(spec.timeout)
        try:
            async with limit:
                result = await spec.handler(run)
        except LeaseLostError:
            log.warning("job.lease_lost", job=spec.name, id=str(run.id))
            return None
        except (SystemExit, KeyboardInterrupt) as error:  # meant for the whole process, and all that runs in it
            return self._overrun(spec, run, overran, type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job ends in a state; `_failure` logs it
            if isinstance(error, TimeoutError) and limit.expired():
                return self._overrun(spec, run, overran, "no-end-in-time")
            if isinstance(error, Excessive):
                return self._overrun(spec, run, overran, getattr(error, "what", type(error).__name__))
            return self._failure(spec, run, most, error)
        return {"state": "succeeded", "result": result, "error": None, "attempt": 1}

    def _overrun(self, spec: JobSpec, run: JobRun, before: int, what: str) -> dict[str, Any]:
        """Count work that went beyond its limits or brought a process down: the second time it is set aside."""
        log.warning("job.overran", job=spec.name, id=str(run.id), reason=what)
        state = "dead" if before + 1 >= MOST_OVERRUNS else "queued"
        return {"state": state, "error": f"beyond-limits: {what}", "attempt": 1, "overran": 1}

    def _failure(self, spec: JobSpec, run: JobRun, most: int, error: Exception) -> dict[str, Any]:
        if isinstance(error, GiveUp):
            return {"state": "dead", "error": str(error), "attempt": 1}
        if is_interruption(error):
            # No attempt of its own (reliability.md 15).
            log.warning("job.interrupted", job=spec.name, id=str(run.id), error=type(error).__name__)
            return {"state": "queued", "error": type(error).__name__, "attempt": 0, "pause": _INTERRUPTED_SECONDS}
        log.warning("job.failed", job=spec.name, id=str(run.id), exc_info=error)
        if is_refused(error):  # the same data is refused each time
            return {"state": "dead", "error": "refused-by-the-database", "attempt": 1}
        last = run.attempts + 1 >= most
        told = str(error) if isinstance(error, TryLater) else type(error).__name__
        return {"state": "dead" if last else "queued", "error": told, "attempt": 1}

    async def _finish(self, row: Any, outcome: dict[str, Any]) -> None:
        failed = outcome["state"] == "queued" and outcome["attempt"]
        pause = min(2 ** min(row.attempts, 10), _LONGEST_PAUSE_SECONDS) * 0.5 if failed else outcome.get("pause", 0)
        result = json.dumps(outcome["result"], default=str) if outcome.get("result") is not None else None
        values = {
            "id": row.id,
            "fence": row.fence,
            "state": outcome["state"],
            "error": outcome["error"],
            "result": result,
        }
        for _ in range(20):
            try:
                async with self._units.open(SYSTEM, "worker") as uow:
                    counted = {"attempt": outcome["attempt"], "overran": outcome.get("overran", 0), "pause": pause}
                    finished = (await uow.session.execute(_FINISH, {**values, **counted})).first()
                    if finished is not None and finished.state in ("dead", "cancelled"):
                        await set_aside(
                            uow, self._jobs[row.name], finished.payload, str(outcome["error"] or finished.state)
                        )
                    if finished is not None:
                        await _announce(uow, row.id, row.name, finished.state, finished.created_by, None, None)
            except DATABASE_TROUBLE as error:
                log.warning("job.finish_failed", job=row.name, id=str(row.id), exc_info=error)
                await asyncio.sleep(0.5)
            else:
                return

    async def _sweep_forever(self) -> None:
        while True:
            try:
                async with self._units.open(SYSTEM, "worker") as uow:
                    orphans = (await uow.session.execute(_SWEEP, {"most": _MOST_LOST, "error": _LOST_TOO_OFTEN})).all()
                    for one in orphans:
                        if one.state == "dead":
                            await set_aside(uow, self._jobs.get(one.name), one.payload, _LOST_TOO_OFTEN)
                if orphans:
                    log.warning("jobs.taken_back", count=len(orphans))
                    self.wake()
            except DATABASE_TROUBLE as error:
                log.warning("jobs.sweep_failed", exc_info=error)
                await asyncio.sleep(min(self._sweep, _POLL_SECONDS))
            else:
                await asyncio.sleep(self._sweep)


async def _announce(
    uow: UnitOfWork, job_id: UUID, name: str, state: str, owner: UUID, done: int | None, total: int | None
) -> None:
    data = {"job_id": str(job_id), "name": name, "state": state, "done": done, "total": total}
    await uow.announce("job", data, campus_id=None, permission=None, principal_id=owner)
