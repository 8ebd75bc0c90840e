"""A database of their own for the tests of the jobs: their runners must not take other tests' work, nor these theirs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.conftest import clone, serving, settings_for
from tjapi import demo, wiring
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.jobs.spec import JobSpec
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings


@pytest.fixture(scope="module")
async def own_settings(settings: Settings, worker_name: str) -> Settings:
    """Settings on a clone that nobody else uses."""
    return settings_for(await clone(f"tj_faults_{worker_name}"), settings.state)


@pytest.fixture(scope="module")
async def own_runtime(own_settings: Settings) -> AsyncIterator[Runtime]:
    held = wiring.build(own_settings)
    yield held
    await wiring.close(held)


@pytest.fixture(scope="module")
async def own_url(own_settings: Settings) -> AsyncIterator[str]:
    held = wiring.build(own_settings)
    async with serving(held) as url:
        yield url
        await held.live.stop()  # `serving` leaves in a hurry, without the application's own farewell
    await wiring.close(held)


@pytest.fixture
async def behind(own_settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await connect(own_settings)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def interface(own_url: str, own_runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The interface engineer, signed in."""
    async with httpx.AsyncClient(base_url=own_url, timeout=10, trust_env=False) as client:
        body = {"username": "interface", "password": demo.password(own_runtime.keys, "interface")}
        answer = await client.post("/api/v1/auth/token", json=body)
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.fixture
async def engineer(behind: asyncpg.Connection) -> Principal:
    """Who the interface engineer is, to enqueue in that name."""
    found: UUID = await behind.fetchval("select id from staff where username = 'interface'")
    return Principal("staff", found, campuses=(1, 2), departments=())


Working = Callable[..., contextlib.AbstractAsyncContextManager[Runner]]


@pytest.fixture
def working(own_runtime: Runtime) -> Working:
    """`async with working(spec, …):` a worker in this process that knows these jobs."""

    @contextlib.asynccontextmanager
    async def work(*specs: JobSpec, lease: float = 12, sweep: float = 0.1, slots: int = 4) -> AsyncIterator[Runner]:
        stop = asyncio.Event()
        jobs = {spec.name: spec for spec in specs}
        runner = Runner(own_runtime.units, jobs, None, slots=slots, lease=lease, sweep=sweep)
        task = asyncio.create_task(runner.run(stop))
        try:
            yield runner
        finally:
            stop.set()
            await task

    return work


@pytest.fixture
def enqueue(own_runtime: Runtime) -> Callable[..., Any]:
    """`await enqueue("faults.x", {…}, key=…)` in a unit of its own; returns the job's id."""

    async def put(
        name: str, payload: dict[str, Any] | None = None, *, by: Principal = demo.LOADER, **options: Any
    ) -> UUID:
        async with own_runtime.units.open(by) as uow:
            return await uow.enqueue(name, payload or {}, campus_id=None, **options)

    return put
