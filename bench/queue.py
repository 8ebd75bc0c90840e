"""The job queue: how many empty jobs a worker does in a second, and how soon an idle one begins."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

from bench.house import House, Process
from tjapi import wiring, worker
from tjapi.kernel import logs
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun, JobSpec
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.settings import Settings

NAME = "bench.nothing"
_ENQUEUE = """
insert into job (id, name, dedupe_key, payload, run_at, created_by, created_at)
select i, $2, i::text, '{}', clock_timestamp(), '00000000-0000-0000-0000-000000000000', clock_timestamp() from unnest($1::uuid[]) i
"""
_JOBS, _STARTS = 3_000, 150


async def _nothing(_run: JobRun) -> Mapping[str, Any]:
    return {}


async def throughput(house: House) -> float:
    """Return empty jobs per second of one worker, from the first start to the last end."""
    await house.admin.execute(_ENQUEUE, [uuid7() for _ in range(_JOBS)], NAME)
    process = await _worker(house)
    try:
        async with asyncio.timeout(300):
            while await house.admin.fetchval("select count(*) from job where name = $1 and state <> 'succeeded'", NAME):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.2)
        # The first and the last tenth belong to the worker's start and to its end.
        spent = await house.admin.fetchval(
            "select extract(epoch from percentile_disc(0.9) within group (order by finished_at) - percentile_disc(0.1) within group"
            " (order by finished_at)) from job where name = $1", NAME,
        )  # fmt: skip
    finally:
        process.stop()
        await house.admin.execute("delete from job where name = $1", NAME)
    return 0.8 * _JOBS / float(spent)


async def idle_start(house: House) -> list[float]:
    """Return how long jobs wait for an idle worker, ms, in ascending order: from the enqueuing unit to their start."""
    process = await _worker(house)
    try:
        for _ in range(_STARTS):
            async with house.runtime.units.open(SYSTEM) as uow:
                await uow.enqueue(NAME, {}, campus_id=None)
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        rows = await house.admin.fetch(
            "select extract(epoch from started_at - created_at) * 1000 ms from job where name = $1", NAME
        )
    finally:
        process.stop()
    return sorted(float(row["ms"]) for row in rows if row["ms"] is not None)


async def _worker(house: House) -> Process:
    """Start a worker and wait until it works."""
    process = house.start("bench.queue")
    first = uuid7()
    await house.admin.execute(
        _ENQUEUE.replace("clock_timestamp(), '0", "clock_timestamp() - interval '1 h', '0"), [first], NAME
    )
    async with asyncio.timeout(120):
        while await house.admin.fetchval("select state from job where id = $1", first) != "succeeded":  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)
    await house.admin.execute("delete from job where id = $1", first)
    return process


def main() -> None:
    """Run a worker that knows the empty job as well."""
    settings = Settings()
    logs.configure("ERROR")
    held = wiring.build(settings, pool=settings.worker_slots + 2)
    jobs = {**held.jobs, NAME: JobSpec(NAME, _nothing)}
    asyncio.run(worker.serve(settings, dataclasses.replace(held, jobs=jobs)))


if __name__ == "__main__":
    main()
