"""One job harms nobody else: what overruns, brings down, or is killed; a worker that stands still; what the database refuses."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psutil
import pytest
from sqlalchemy import text

from tests.faults.conftest import Working
from tests.faults.system import eventually
from tests.faults.test_jobs import fresh, until
from tests.tjapi.result.scene import Scene, visit
from tjapi import demo
from tjapi.kernel import inbox
from tjapi.kernel.child.errors import Overrun
from tjapi.kernel.db import Role
from tjapi.kernel.jobs.pulse import STALLED
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.jobs.spec import JobRun, JobSpec
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings
from tjapi.kernel.uow import UnitOfWork

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(400)]
Enqueue = Callable[..., Any]
PATIENCE = 120


async def _endless(_run: JobRun) -> None:
    await asyncio.sleep(600)


async def _too_much(_run: JobRun) -> None:
    raise Overrun("too-long")


async def _exits(_run: JobRun) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("handler", "said"), [(_endless, "no-end-in-time"), (_too_much, "too-long"), (_exits, "SystemExit")]
)
async def test_a_job_that_overruns_twice_is_set_aside_and_whoever_waits_for_it_is_told(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, handler: Any, said: str
) -> None:
    name, told = fresh(), []

    async def aside(_uow: UnitOfWork, payload: Any, error: str) -> None:
        told.append((payload["n"], error))

    async with working(JobSpec(name, handler, timeout=0.2 if handler is _endless else 60, aside=aside)):
        dead = await until(behind, await enqueue(name, {"n": 7}), "dead", PATIENCE)
    assert (dead["overran"], dead["attempts"], dead["error"]) == (2, 2, f"beyond-limits: {said}")
    assert told == [(7, f"beyond-limits: {said}")]


@pytest.mark.parametrize(
    "statement",
    [
        "select cast('a' || chr(0) as text)",
        """select cast('{"a": "\\u0000"}' as jsonb)""",
        "select cast(1e200 as real)",
        "insert into worker_beat values (repeat(md5(random()::text), 1), now(), now(), now(), null, 99999999999)",
    ],
)
async def test_what_the_database_refuses_is_not_tried_again(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, statement: str
) -> None:
    name, tried = fresh(), []

    async def handler(run: JobRun) -> None:
        tried.append(run.fence)
        async with run.unit() as uow:
            await uow.session.execute(text(statement))

    async with working(JobSpec(name, handler)):
        dead = await until(behind, await enqueue(name), "dead", PATIENCE)
    assert (tried, dead["error"]) == ([1], "refused-by-the-database")


async def _die(behind: asyncpg.Connection, job: UUID) -> None:
    """What is left of a worker that was killed: a lease that runs out."""
    sql = "update job set state = 'running', fence = fence + 1, claims = claims + 1, worker = 'killed:1', lease_until = clock_timestamp() - interval '1 s' where id = $1"
    await behind.execute(sql, job)


async def test_a_killed_worker_is_no_attempt_and_five_of_them_set_a_job_aside(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient
) -> None:
    name, told = fresh(), []

    async def handler(run: JobRun) -> None:
        await run.progress(0)

    async def aside(_uow: UnitOfWork, _payload: Any, error: str) -> None:
        told.append(error)

    other = JobSpec(fresh(), handler)  # a worker that knows the kind would take the job in between
    job = await enqueue(name)
    async with working(other, JobSpec(name, handler, at_once=0, aside=aside)):
        for times in range(1, 6):
            await _die(behind, job)
            row = await until(behind, job, "queued" if times < 5 else "dead", PATIENCE)
            assert (row["lost"], row["attempts"]) == (times, 0)
    assert (row["error"], told) == ("worker-died-too-often", ["worker-died-too-often"])
    shown = (await interface.get("/api/v1/jobs", params={"state": "dead", "name": name})).json()["items"]
    assert [(one["id"], one["error"]) for one in shown] == [(str(job), "worker-died-too-often")]
    assert (await interface.post(f"/api/v1/jobs/{job}:retry")).json()["state"] == "queued"
    async with working(JobSpec(name, handler)):
        assert (await until(behind, job, "succeeded", PATIENCE))["lost"] == 0


async def test_jobs_that_workers_died_under_run_one_at_a_time_so_that_the_harmless_ones_are_not_blamed(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    name, running, most = fresh(), set(), []

    async def handler(run: JobRun) -> None:
        running.add(run.id)
        most.append(len(running))
        await asyncio.sleep(0.05)
        running.discard(run.id)

    jobs = [await enqueue(name) for _ in range(4)]
    await behind.execute("update job set lost = 2 where id = any($1)", jobs)
    async with working(JobSpec(name, handler), slots=4):
        for job in jobs:
            await until(behind, job, "succeeded", PATIENCE)
    assert max(most) == 1


async def test_a_job_that_does_not_let_itself_be_cancelled_is_over_all_the_same(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient
) -> None:
    name, go_on = fresh(), asyncio.Event()

    async def handler(_run: JobRun) -> None:
        while not go_on.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    async with working(JobSpec(name, handler)):
        job = await enqueue(name)
        await until(behind, job, "running", PATIENCE)
        assert (await interface.post(f"/api/v1/jobs/{job}:cancel")).status_code == 200
        await until(behind, job, "cancelled", 30)
        go_on.set()


# --- a worker of its own: what is done to it must not be done to the tests ------------------------------------------------


@contextlib.asynccontextmanager
async def harmed(settings: Settings, **environment: str) -> AsyncIterator[Callable[[], psutil.Process]]:
    """Keep a worker with harmful jobs running, as a supervisor does; yields what tells the living one."""
    told = {
        "TJ_STATE": str(settings.state), "TJ_DATABASE_URL": str(settings.database_url), "TJ_REDIS_URL": str(settings.redis_url),
        "TJ_MASTER_KEY": settings.master_key.get_secret_value() if settings.master_key else "", "TJ_STALL_SECONDS": "3", "TJ_LOG_LEVEL": "ERROR",
        "TJ_ENVIRONMENT": "demo", "TJ_SWEEP_SECONDS": "1", "TJ_JOB_LEASE_SECONDS": "4", **environment,
    }  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    argv = [sys.executable, "-m", "tests.faults.work"]
    living: list[subprocess.Popen[bytes]] = []

    async def keep() -> None:
        while True:
            child = await asyncio.to_thread(subprocess.Popen, argv, env={**kept, **told}, stderr=subprocess.DEVNULL)
            living.append(child)
            while child.poll() is None:  # noqa: ASYNC110 - a process sets no event
                await asyncio.sleep(0.05)

    keeper = asyncio.create_task(keep())
    try:
        while not living:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        yield lambda: psutil.Process(living[-1].pid)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        for child in living:
            if child.poll() is None:
                child.kill()
            child.wait()


async def _ready(url: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        answer = await client.get(f"{url}/readyz")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def _worker_is(url: str, state: str) -> bool:
    return bool((await _ready(url))["worker"] == state)


async def test_a_worker_that_stands_still_is_seen_and_restarted_and_the_job_that_held_it_is_set_aside(
    own_settings: Settings, own_url: str, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    await behind.execute("delete from worker_beat")
    assert ((await _ready(own_url))["worker"], (await _ready(own_url))["degraded"]) == ("absent", ["worker"])
    async with harmed(own_settings):
        await until(behind, await enqueue("harm.harmless"), "succeeded", PATIENCE)
        await eventually(PATIENCE, lambda: _worker_is(own_url, "ok"))
        assert (await _ready(own_url))["degraded"] == []
        job = await enqueue("harm.computes")
        dead = await until(behind, job, "dead", PATIENCE)
        assert (dead["overran"], dead["lost"], dead["error"]) == (2, 0, STALLED)
        after = await until(behind, await enqueue("harm.harmless"), "succeeded", PATIENCE)
        assert after["lost"] == 0


@pytest.mark.torture
async def test_a_worker_whose_interpreter_is_held_by_one_call_ends_as_well_and_its_job_counts_as_lost(
    own_settings: Settings, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    async with harmed(own_settings, TJ_STALL_SECONDS="1"):
        job = await enqueue("harm.holds")

        async def lost() -> bool:
            return bool(await behind.fetchval("select lost from job where id = $1", job))

        await eventually(PATIENCE, lost)
        await behind.execute("update job set state = 'cancelled' where id = $1", job)


async def test_cancelling_ends_a_running_job_whatever_it_blocks(
    own_settings: Settings, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient
) -> None:
    async with harmed(own_settings, TJ_STALL_SECONDS="60") as worker:
        for kind in ("child", "thread", "deaf", "computes"):
            job = await enqueue(f"harm.{kind}")
            await until(behind, job, "running", PATIENCE)
            if kind == "child":
                await eventually(PATIENCE, lambda: _computing(worker()), every=0.05)
            assert (await interface.post(f"/api/v1/jobs/{job}:cancel")).status_code == 200
            await until(behind, job, "cancelled", 40)
            if kind == "child":
                await eventually(20, lambda: _idle(worker()), every=0.05)
        await until(behind, await enqueue("harm.harmless"), "succeeded", PATIENCE)


async def _computing(worker: psutil.Process) -> bool:
    return any(child.cpu_times().user > 2 for child in worker.children())


async def _idle(worker: psutil.Process) -> bool:
    return not await _computing(worker)


# --- messages -----------------------------------------------------------------------------------------------------------------

HEADER = "MSH|^~\\&|LIS|LAB|TJAPI||20261129100000+0800||ORU^R01^ORU_R01|{id}|P|2.5.1|||||CHN|UNICODE UTF-8"


@pytest.fixture
def unit(own_runtime: Runtime) -> Callable[..., Any]:
    def open_unit(principal: Principal = demo.LOADER, role: Role = "app") -> Any:
        return own_runtime.units.open(principal, role)

    return open_unit


def laboratory_report(scene: Scene, group: str, name: str, obx: str, pid3: str = "") -> bytes:
    lines = [
        HEADER.format(id=name),
        f"PID|1||{scene.exam_no}^^^TJ^VN{pid3}||{scene.name}||19860301|M",
        f"OBR|1|||{group}^组合^L|||20261129090000+0800|||||||||||||||20261129095500+0800|||F",
        obx,
        f"SPM|1|{scene.barcodes[group]}||serum",
    ]
    return ("\r".join(lines) + "\r").encode()


async def _receive(unit: Callable[..., Any], name: str, body: bytes) -> UUID:
    async with unit() as uow:
        message, _ = await inbox.receive(
            uow, source="lis", message_id=name, body=body, media_type="application/hl7-v2", gateway_received_at=None
        )  # fmt: skip
        found: UUID = message.id
    return found


async def _ended(behind: asyncpg.Connection, message: UUID) -> asyncpg.Record:
    async def ended() -> asyncpg.Record | None:
        return await behind.fetchrow("select * from inbox_message where id = $1 and state <> 'received'", message)

    found: asyncpg.Record = await eventually(PATIENCE, ended)
    return found


GLU = "OBX|1|NM|GLU^葡萄糖^L||5.1|mmol/L||||||F|||20261129093000+0800"


@pytest.mark.requirement("E3.5", "I2")
async def test_a_message_of_a_million_repetitions_ends_quarantined_and_keeps_nobody_waiting_also_through_a_restart(
    own_settings: Settings, enqueue: Enqueue, behind: asyncpg.Connection, unit: Callable[..., Any]
) -> None:
    scene = await visit(unit, "GLU")
    bad = await _receive(unit, "MILLION", laboratory_report(scene, "GLU", "MILLION", GLU, "~1" * 1_000_000))
    other = await enqueue("harm.harmless")
    async with harmed(own_settings) as worker:
        await until(behind, other, "succeeded", PATIENCE)
        worker().kill()  # whether it was reading just now or not
        ended = await _ended(behind, bad)
        good = await _receive(unit, "GOOD", laboratory_report(scene, "GLU", "GOOD", GLU))
        assert (await _ended(behind, good))["state"] == "filed"
    assert (ended["state"], ended["reason"]) == ("quarantined", "unreadable-in-limits")
    assert ended["detail"] == '{"fault": "PID-3: more than 1000 repetitions"}'


@pytest.mark.requirement("E3.5", "I2")
async def test_a_message_with_what_nobody_sends_ends_at_once_and_is_tried_once(
    own_runtime: Runtime, behind: asyncpg.Connection, unit: Callable[..., Any]
) -> None:
    scene = await visit(unit, "GLU")
    long = f"B{'1' * 30_000}"
    bodies = {
        "NUL": laboratory_report(scene, "GLU", "NUL", GLU).replace(b"||serum", b"||serum").replace(b"GLU^", b"GL\\X00\\U^"),
        "LONG": laboratory_report(scene, "GLU", "LONG", GLU).replace(b"OBR|1||", f"OBR|1||{''.join(map(chr, range(0x4E00, 0x4E00 + 9000)))}".encode()),
        "BARCODE": laboratory_report(scene, "GLU", "BARCODE", GLU).replace(scene.barcodes["GLU"].encode(), f"{long}\\X00\\".encode()),
    }  # fmt: skip
    messages = {name: await _receive(unit, name, body) for name, body in bodies.items()}
    async with filing(own_runtime):
        ends = {name: await _ended(behind, message) for name, message in messages.items()}
    for name, message in messages.items():
        assert ends[name]["state"] in ("quarantined", "unmatched", "filed"), name
        job = await behind.fetchrow("select * from job where payload ->> 'message_id' = $1", str(message))
        assert (job["attempts"], job["claims"]) == (1, 1), name


@contextlib.asynccontextmanager
async def filing(runtime: Runtime) -> AsyncIterator[None]:
    """A worker in this process that files messages."""
    jobs = {name: spec for name, spec in runtime.jobs.items() if name.startswith("result.")}
    stop = asyncio.Event()
    runner = Runner(runtime.units, jobs, runtime.services, slots=4, lease=30, sweep=5)
    task = asyncio.create_task(runner.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
