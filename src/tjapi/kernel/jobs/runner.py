"""The worker's heart: claim, run under a heartbeat, finish; sweep what the dead left behind."""

import asyncio
import contextlib
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from tjapi.kernel.db import DATABASE_TROUBLE, is_passing
from tjapi.kernel.jobs.spec import GiveUp, JobRun, JobSpec
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.uow import LeaseLostError, UnitOfWork, Units

log = structlog.get_logger("jobs")
_POLL_SECONDS = 1.0
_CRASH_LOOP = 25
_LONGEST_PAUSE_SECONDS = 300
_GRACE_SECONDS = 5
_LIMITED_SECONDS = 0.25
_INTERRUPTED_SECONDS = 0.5

_CLAIM = text("""
with picked as (
  select id from job j
  where state = 'queued' and run_at <= clock_timestamp() and name = any(:names)
    and (lane is null or not exists (
      select 1 from job e where e.lane = j.lane and e.seq < j.seq and e.state in ('queued', 'running')))
  order by run_at, seq limit :slots for update skip locked)
update job set state = 'running', lease_until = clock_timestamp() + make_interval(secs => cast(:lease as double precision)), fence = fence + 1,
  claims = claims + 1, worker = :worker, started_at = coalesce(started_at, clock_timestamp())
from picked where job.id = picked.id
returning job.id, name, payload, campus_id, attempts, max_attempts, fence, created_by
""")
_BEAT = text("""
update job set lease_until = clock_timestamp() + make_interval(secs => cast(:lease as double precision))
where id = :id and fence = :fence and state = 'running' returning cancel_requested
""")
_PROGRESS = text("""
update job set done = :done, total = coalesce(:total, total), message = coalesce(:message, message)
where id = :id and fence = :fence and state = 'running' returning created_by, campus_id, done, total
""")
_FINISH = text("""
update job set state = cast(:state as text), result = cast(:result as jsonb), error = :error, lease_until = null,
  finished_at = case when cast(:state as text) = 'queued' then null else clock_timestamp() end,
  attempts = attempts + :attempt, run_at = clock_timestamp() + make_interval(secs => cast(:pause as double precision)),
  done = case when cast(:state as text) = 'succeeded' then coalesce(total, done) else done end
where id = :id and fence = :fence and state = 'running'
returning created_by, campus_id, state
""")
_SWEEP = text("""
update job set state = case when claims - attempts > :crash_loop then 'dead' else 'queued' end, lease_until = null,
  error = case when claims - attempts > :crash_loop then 'worker-died-too-often' else error end, run_at = clock_timestamp()
where state = 'running' and lease_until < clock_timestamp() returning id
""")


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
    ) -> None:
        self._units = units
        self._jobs = jobs
        self._services = services
        self._slots = slots
        self._lease = lease
        self._sweep = sweep
        self._awake = asyncio.Event()
        self._running: dict[asyncio.Task[None], str] = {}
        self._unlimited = [spec.name for spec in jobs.values() if spec.at_once is None]
        self._limited_due = 0.0
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def wake(self) -> None:
        """Look for work now."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let what runs finish for a few seconds."""
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
        finally:
            sweeper.cancel()
            stopper.cancel()
            if self._running:
                await asyncio.wait(self._running, timeout=_GRACE_SECONDS)
            for task in self._running:
                task.cancel()
            if self._running:  # each puts its job back, so that another worker takes it at once
                await asyncio.wait(self._running, timeout=_GRACE_SECONDS)

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
        for spec in self._jobs.values():
            if spec.at_once is not None:
                free = min(spec.at_once - running[spec.name], self._slots - len(self._running))
                if free > 0:
                    await self._claim([spec.name], free)

    async def _claim(self, names: list[str], free: int) -> int:
        try:
            async with self._units.open(SYSTEM, "worker") as uow:
                values = {"names": names, "slots": free, "lease": self._lease, "worker": self._name}
                rows = (await uow.session.execute(_CLAIM, values)).all()
        except DATABASE_TROUBLE as error:
            log.warning("jobs.claim_failed", exc_info=error)
            await asyncio.sleep(_POLL_SECONDS)
            return 0
        for row in rows:
            task = asyncio.create_task(self._work(row))
            self._running[task] = row.name
            task.add_done_callback(self._running.pop)
        return len(rows)

    async def _work(self, row: Any) -> None:
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
        work = asyncio.create_task(self._guarded(spec, run, row.max_attempts))
        asked_to_stop = asyncio.Event()
        heart = asyncio.create_task(self._beat(row.id, row.fence, work, asked_to_stop))
        started = time.monotonic()
        try:
            outcome = await work
        except asyncio.CancelledError:
            # Cancelled by its owner, or by this worker's own stop: then another worker takes it at once.
            outcome = {"state": "cancelled" if asked_to_stop.is_set() else "queued", "error": None, "attempt": 0}
        finally:
            heart.cancel()
        if outcome is not None:
            await self._finish(row, outcome)
            log.info(
                "job.done",
                job=row.name,
                id=str(row.id),
                state=outcome["state"],
                seconds=round(time.monotonic() - started, 3),
            )

    async def _guarded(self, spec: JobSpec, run: JobRun, most: int) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(spec.timeout):
                result = await spec.handler(run)
        except LeaseLostError:
            log.warning("job.lease_lost", job=spec.name, id=str(run.id))
            return None
        except GiveUp as reason:
            return {"state": "dead", "error": str(reason), "attempt": 1}
        except Exception as error:
            if isinstance(error, DATABASE_TROUBLE) and is_passing(error):
                # The database went away under it, as under everybody: no attempt of its own (reliability.md 15).
                log.warning("job.interrupted", job=spec.name, id=str(run.id), error=type(error).__name__)
                return {"state": "queued", "error": type(error).__name__, "attempt": 0, "pause": _INTERRUPTED_SECONDS}
            log.warning("job.failed", job=spec.name, id=str(run.id), exc_info=error)
            last = run.attempts + 1 >= most
            text_ = str(error) if type(error).__name__ == "TryLater" else type(error).__name__
            return {"state": "dead" if last else "queued", "error": text_, "attempt": 1}
        return {"state": "succeeded", "result": result, "error": None, "attempt": 1}

    async def _beat(self, job_id: UUID, fence: int, work: "asyncio.Task[Any]", asked_to_stop: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            with contextlib.suppress(*DATABASE_TROUBLE):
                async with self._units.open(SYSTEM, "worker") as uow:
                    held = (
                        await uow.session.execute(_BEAT, {"id": job_id, "fence": fence, "lease": self._lease})
                    ).first()
                if held is None or held.cancel_requested:
                    if held is not None:
                        asked_to_stop.set()
                    work.cancel()
                    return

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
                    finished = (
                        await uow.session.execute(_FINISH, {**values, "attempt": outcome["attempt"], "pause": pause})
                    ).first()
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
                    orphans = (await uow.session.execute(_SWEEP, {"crash_loop": _CRASH_LOOP})).all()
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
