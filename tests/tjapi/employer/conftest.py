"""A worker for the jobs of campaigns alone: what other jobs wait for is not here."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tjapi import wiring
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.settings import Settings

OURS = ("employer.", "groupdesk.")


@pytest.fixture(scope="session")
async def worker(settings: Settings) -> AsyncIterator[Runner]:
    held = wiring.build(settings)
    jobs = {name: spec for name, spec in held.jobs.items() if name.startswith(OURS)}
    runner = Runner(held.units, jobs, held.services, slots=2, lease=30, sweep=60)
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    yield runner
    stop.set()
    runner.wake()
    await task
    await wiring.close(held)
