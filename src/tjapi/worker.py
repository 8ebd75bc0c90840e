"""The worker process: runs jobs, sweeps, seals the audit trail. arq listens for pokes; without Valkey the worker polls."""

import asyncio
import contextlib
import os
import signal
from typing import Any, cast

import structlog
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from redis.exceptions import RedisError
from sqlalchemy import text

from tjapi import demo, starting, wiring
from tjapi.appointment import service as appointments
from tjapi.critical_value import service as critical_values
from tjapi.kernel import heap, logs
from tjapi.kernel.audit import AuditChain
from tjapi.kernel.broker import WAKE_QUEUE, redis_settings
from tjapi.kernel.db import DATABASE_TROUBLE
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.settings import Settings
from tjapi.kernel.storage import FILE
from tjapi.tables import METADATA

log = structlog.get_logger("worker")
_SEAL_SECONDS = 1.0
_STALLED = 70
_ANCHOR_EVERY = 3600
_KEEP_SECONDS = 3600
_ESCALATE_SECONDS = 10
_KEEP_APPOINTMENTS_SECONDS = 10
_ORPHAN_SECONDS = 24 * 3600
_BATCH = 500
_FILE_COLUMNS = [
    (table.name, column.name) for table in METADATA.sorted_tables for column in table.columns if column.info == FILE
]
_TIDY = (
    "delete from idempotency_key where created_at < clock_timestamp() - interval '72 hours'",
    "delete from live_event where at < clock_timestamp() - interval '1 day'",
    "delete from worker_beat where beat_at < clock_timestamp() - interval '1 day'",
    "delete from job where state in ('succeeded', 'cancelled') and finished_at < clock_timestamp() - interval '30 days'",
)


async def serve(settings: Settings, runtime: Runtime | None = None) -> None:
    """Work until SIGTERM."""
    held = runtime or wiring.build(settings, pool=settings.worker_slots + 2)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    jobs = dict(held.jobs)
    if settings.environment == "demo":
        jobs[demo.POPULATE] = demo.job(held)
    runner = Runner(
        held.units, jobs, held.services, slots=settings.worker_slots,
        lease=settings.job_lease_seconds, sweep=settings.sweep_seconds, stall=settings.stall_seconds, end_process=_end,
    )  # fmt: skip
    helpers = [
        asyncio.create_task(_listen(settings, runner)),
        asyncio.create_task(_seal(held)),
        asyncio.create_task(_tidy(held)),
        asyncio.create_task(_escalate(held)),
        asyncio.create_task(_keep_appointments(held)),
        asyncio.create_task(_warm(held)),
    ]
    heap.settle()
    log.info("worker.ready")
    try:
        await runner.run(stop)
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        await wiring.close(held)


async def _warm(held: Runtime) -> None:
    """Start a child, so that the first message need not wait for one; if that fails, the message starts its own."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        await held.services.children.warm()


def _end() -> None:
    """End a process whose event loop stands still: neither an exception nor a signal handler would be heard there."""
    os._exit(_STALLED)


async def _listen(settings: Settings, runner: Runner) -> None:
    """Let arq wake the runner; when Valkey is gone, try again: nothing depends on it."""
    if not settings.redis_url:
        return

    async def wake(_ctx: dict[Any, Any], _job_id: str) -> None:
        runner.wake()

    while True:
        worker = Worker(
            functions=[func(cast("WorkerCoroutine", wake), name="wake", keep_result=0, max_tries=1)], queue_name=WAKE_QUEUE,
            redis_settings=redis_settings(settings.redis_url), handle_signals=False, poll_delay=0.02, keep_result=0, max_tries=1,
            max_jobs=50, health_check_interval=3600,
        )  # fmt: skip
        try:
            await worker.main()
        except (RedisError, OSError) as error:
            log.warning("broker.lost", error=type(error).__name__)
        finally:
            with contextlib.suppress(RedisError, OSError, RuntimeError):
                await worker.close()
        await asyncio.sleep(1)


async def _seal(held: Runtime) -> None:
    """Chain the audit rows; anchor the head outside the database every hour and at every start."""
    chain = AuditChain(held.keys, held.settings.state / "audit-anchor.jsonl")
    anchored = -float(_ANCHOR_EVERY)
    while True:
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with held.units.open(SYSTEM, "worker") as uow:
                sealed = await chain.seal(uow.session)
            if asyncio.get_running_loop().time() - anchored >= _ANCHOR_EVERY and sealed:
                async with held.units.read(SYSTEM) as uow:
                    await chain.anchor(uow.session, uow.now)
                anchored = asyncio.get_running_loop().time()
            if sealed:
                continue
        await asyncio.sleep(_SEAL_SECONDS)


async def _escalate(held: Runtime) -> None:
    """Tell again of critical values past due of which nobody was told."""
    while True:
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with held.units.open(SYSTEM, "worker") as uow:
                await critical_values.escalate(uow)
        await asyncio.sleep(_ESCALATE_SECONDS)


async def _keep_appointments(held: Runtime) -> None:
    """End holds past their time and mark who did not come; without a pause while there is more."""
    while True:
        done = (0, 0)
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with held.units.open(SYSTEM, "worker") as uow:
                done = await appointments.sweep(uow)
        if not any(done):
            await asyncio.sleep(_KEEP_APPOINTMENTS_SECONDS)


async def _tidy(held: Runtime) -> None:
    """Remove what is kept for a time only, and files that no row names."""
    while True:
        with contextlib.suppress(*DATABASE_TROUBLE):
            for statement in _TIDY:
                async with held.units.open(SYSTEM, "worker") as uow:
                    await uow.session.execute(text(statement))
            await sweep_files(held)
        await asyncio.sleep(_KEEP_SECONDS)


async def sweep_files(held: Runtime) -> list[str]:
    """Remove files that are a day old and that no row names; return their addresses.

    A file is written before the row that names it: for a day it may wait for one. Whoever stores the same bytes meanwhile makes it
    young again, and a young file is not deleted.
    """
    moment = held.clock.now().timestamp() - _ORPHAN_SECONDS
    removed = []
    old = await held.storage.older_than(moment)
    for start in range(0, len(old), _BATCH):
        batch = old[start : start + _BATCH]
        async with held.units.read(SYSTEM) as uow:
            named = {
                address
                for table, column in _FILE_COLUMNS
                for address in (
                    await uow.session.execute(
                        text(f"select {column} from {table} where {column} = any(:batch)"), {"batch": batch}
                    )
                ).scalars()
            }
        for address in set(batch) - named:
            await held.storage.delete(address, older_than=moment)
            removed.append(address)
    if removed:
        log.info("files.orphans_removed", count=len(removed))
    return removed


def main() -> None:
    """Run the worker. Exits with what is wrong where an installation may not start."""
    settings = Settings()
    logs.configure(settings.log_level)
    starting.refuse_or_go_on(settings)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
