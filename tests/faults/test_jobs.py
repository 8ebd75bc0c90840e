"""What a job promises: it exists with its transaction, runs under one holder, ends as it should, and needs Valkey for nothing."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import psutil
import pytest
from sqlalchemy import text

from tests.faults.conftest import Working
from tests.faults.system import eventually
from tests.tjapi.result.scene import Scene, visit
from tjapi import demo, wiring
from tjapi.kernel import inbox
from tjapi.kernel.db import Role, is_interruption, is_refused
from tjapi.kernel.jobs.spec import GiveUp, JobRun, JobSpec
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings

pytestmark = pytest.mark.xdist_group("faults")
Enqueue = Callable[..., Any]
_numbers = itertools.count(1)


def fresh() -> str:
    """A kind of job that no other test runs."""
    return f"faults.kind_{next(_numbers)}"


async def state_of(behind: asyncpg.Connection, job: UUID) -> str:
    return str(await behind.fetchval("select state from job where id = $1", job))


async def until(behind: asyncpg.Connection, job: UUID, state: str, seconds: float = 10) -> asyncpg.Record:
    async def reached() -> asyncpg.Record | None:
        return await behind.fetchrow("select * from job where id = $1 and state = $2", job, state)

    return await eventually(seconds, reached, every=0.02)


async def told(behind: asyncpg.Connection, topic: str) -> list[int]:
    """What handlers announced: their effects."""
    rows = await behind.fetch("select data from live_event where topic = $1 order by id", topic)
    return [int(row["data"].partition(":")[2].strip(" }")) for row in rows]


async def effect(run: JobRun, topic: str, number: int) -> None:
    async with run.unit() as uow:
        await uow.announce(topic, {"number": number}, campus_id=None, permission="job.read_all")


async def test_a_worker_that_lost_its_lease_cannot_commit_and_the_next_one_can(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    name, stalled, go_on, refused = fresh(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(run: JobRun) -> None:
        if run.fence == 1:
            stalled.set()
            await go_on.wait()
            try:
                await effect(run, name, run.fence)
            except Exception:
                refused.set()
                raise
        else:
            await effect(run, name, run.fence)

    async with working(JobSpec(name, handler), lease=60, slots=1):
        job = await enqueue(name)
        await asyncio.wait_for(stalled.wait(), 5)
        async with working(JobSpec(name, handler), lease=60):
            await behind.execute("update job set lease_until = clock_timestamp() - interval '1 s' where id = $1", job)
            done = await until(behind, job, "succeeded")
            go_on.set()
            await asyncio.wait_for(refused.wait(), 5)
    assert await told(behind, name) == [2]
    now = await behind.fetchrow("select state, fence, attempts from job where id = $1", job)
    assert (now["state"], now["fence"], now["attempts"]) == ("succeeded", 2, 1)
    assert done["finished_at"] == await behind.fetchval("select finished_at from job where id = $1", job)


async def test_a_lease_that_is_kept_is_not_taken_however_long_the_work_lasts(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    name, lease = fresh(), 6  # long enough to be renewed on a machine that is busy with other things

    async def until_when(run: JobRun) -> datetime:
        async with run.unit() as uow:
            found = await uow.session.scalar(text("select lease_until from job where name = :name"), {"name": name})
            assert isinstance(found, datetime)
            return found

    async def handler(run: JobRun) -> None:
        first = await until_when(run)

        async def is_renewed() -> bool:
            return (await until_when(run) - first).total_seconds() >= lease

        await eventually(60, is_renewed)
        await effect(run, name, run.fence)

    async with working(JobSpec(name, handler), lease=lease), working(JobSpec(name, handler), lease=lease):
        await until(behind, await enqueue(name), "succeeded", 60)
    assert await told(behind, name) == [1]


async def test_a_job_that_fails_is_tried_later_and_later_then_dead_and_by_hand_again(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient
) -> None:
    name, tried = fresh(), []
    mended = False

    async def handler(run: JobRun) -> None:
        tried.append(time.monotonic())
        if not mended:
            raise ValueError("secret text that must not be shown")

    async with working(JobSpec(name, handler, max_attempts=3)):
        job = await enqueue(name, max_attempts=3)
        dead = await until(behind, job, "dead")
        assert (dead["attempts"], dead["error"]) == (3, "ValueError")
        first, second = tried[1] - tried[0], tried[2] - tried[1]
        assert first >= 0.5
        assert second >= 1.0
        assert (await interface.post(f"/api/v1/jobs/{job}:retry")).json()["state"] == "queued"
        assert (await interface.post(f"/api/v1/jobs/{job}:retry")).status_code == 409
        await until(behind, job, "dead")
        mended = True
        assert (await interface.post(f"/api/v1/jobs/{job}:retry")).status_code == 200
        await until(behind, job, "succeeded")
    assert len(tried) == 7


@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
async def test_a_database_that_goes_away_under_a_job_is_no_attempt_of_the_job(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, group: bool
) -> None:
    name, tried = fresh(), []

    async def handler(run: JobRun) -> None:
        if group:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(part(run))
        else:
            await part(run)

    async def part(run: JobRun) -> None:
        async with run.unit() as uow:
            backend = (await uow.session.execute(text("select pg_backend_pid()"))).scalar_one()
            tried.append(backend)
            if len(tried) < 4:
                await behind.execute("select pg_terminate_backend($1)", backend)
                await uow.session.execute(text("select 1"))

    async with working(JobSpec(name, handler)):
        done = await until(behind, await enqueue(name, max_attempts=2), "succeeded")
    assert (len(tried), done["attempts"], done["claims"]) == (4, 1, 4)


def test_a_group_of_errors_is_an_interruption_if_each_is_and_a_refusal_if_any_is() -> None:
    away, wrong, refused = ConnectionResetError(), ValueError(), asyncpg.DataError("a NUL")
    refused.sqlstate = "22021"
    assert is_interruption(ExceptionGroup("tasks", [away, ExceptionGroup("more", [away])]))
    assert not is_interruption(ExceptionGroup("tasks", [away, wrong]))
    assert is_refused(ExceptionGroup("tasks", [away, refused]))
    assert not is_refused(ExceptionGroup("tasks", [away, wrong]))


async def test_a_job_that_gives_up_is_dead_at_once(working: Working, enqueue: Enqueue, behind: asyncpg.Connection) -> None:  # fmt: skip
    name, tried = fresh(), []

    async def handler(run: JobRun) -> None:
        tried.append(run.fence)
        raise GiveUp("no-such-thing")

    async with working(JobSpec(name, handler)):
        dead = await until(behind, await enqueue(name), "dead")
    assert (tried, dead["error"], dead["attempts"]) == ([1], "no-such-thing", 1)


async def test_a_queued_job_that_is_cancelled_never_runs(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient
) -> None:
    name, ran = fresh(), []

    async def handler(run: JobRun) -> None:
        ran.append(run.id)

    cancelled, other = await enqueue(name), await enqueue(name)
    assert (await interface.post(f"/api/v1/jobs/{cancelled}:cancel")).json()["state"] == "cancelled"
    assert (await interface.post(f"/api/v1/jobs/{cancelled}:cancel")).status_code == 409
    async with working(JobSpec(name, handler)):
        await until(behind, other, "succeeded")
    assert ran == [other]
    assert await state_of(behind, cancelled) == "cancelled"


async def test_a_running_job_that_is_cancelled_stops_and_stays_so(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient
) -> None:
    name, stopped = fresh(), asyncio.Event()

    async def handler(run: JobRun) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    async with working(JobSpec(name, handler), lease=0.9):
        job = await enqueue(name)
        await until(behind, job, "running")
        assert (await interface.post(f"/api/v1/jobs/{job}:cancel")).status_code == 200
        await asyncio.wait_for(stopped.wait(), 2)
        await until(behind, job, "cancelled", 2)
    assert (await interface.get(f"/api/v1/jobs/{job}")).json()["state"] == "cancelled"


async def test_a_key_is_enqueued_once_even_by_two_transactions_at_once(
    own_runtime: Runtime, working: Working, behind: asyncpg.Connection
) -> None:
    name, ran = fresh(), []

    async def handler(run: JobRun) -> None:
        ran.append(run.payload["n"])

    async def put(n: int) -> UUID:
        async with own_runtime.units.open(demo.LOADER) as uow:
            job = await uow.enqueue(name, {"n": n}, campus_id=None, key="the-same")
            await asyncio.sleep(0.2)
            return job

    ids = await asyncio.gather(*(put(n) for n in range(4)))
    assert len(set(ids)) == 1
    async with working(JobSpec(name, handler)):
        await until(behind, ids[0], "succeeded")
        assert await put(9) == ids[0]
        await asyncio.sleep(0.3)
    assert len(ran) == 1


async def test_a_lane_runs_one_after_another_in_order_also_past_a_failure_while_others_pass(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    name, began, failed, running = fresh(), [], set(), set()
    others_passed = asyncio.Event()

    async def handler(run: JobRun) -> None:
        lane, number = run.payload["lane"], run.payload["number"]
        assert lane not in running
        running.add(lane)
        try:
            await asyncio.sleep(0.03)
            if (lane, number) == ("a", 1) and (lane, number) not in failed:
                failed.add((lane, number))
                raise ConnectionError
            if (lane, number) == ("a", 1):
                # However soon it is tried again: had b to wait for it, b would never come to its end.
                await asyncio.wait_for(others_passed.wait(), 30)
            began.append((lane, number))
            if (lane, number) == ("b", 4):
                others_passed.set()
        finally:
            running.discard(lane)

    jobs = [await enqueue(name, {"lane": x, "number": n}, lane=f"{name}:{x}") for n in range(5) for x in "ab"]
    async with working(JobSpec(name, handler), slots=8), working(JobSpec(name, handler), slots=8):
        for job in jobs:
            await until(behind, job, "succeeded")
    assert [n for lane, n in began if lane == "a"] == [0, 1, 2, 3, 4]
    assert [n for lane, n in began if lane == "b"] == [0, 1, 2, 3, 4]
    assert began.index(("b", 4)) < began.index(("a", 1)), "b did not wait for a's failure"


async def test_a_job_of_a_rolled_back_transaction_does_not_exist(
    own_runtime: Runtime, working: Working, enqueue: Enqueue, behind: asyncpg.Connection
) -> None:
    name, ran = fresh(), []

    async def handler(run: JobRun) -> None:
        ran.append(run.payload["n"])

    async with working(JobSpec(name, handler)):
        with contextlib.suppress(ZeroDivisionError):
            async with own_runtime.units.open(demo.LOADER) as uow:
                await uow.enqueue(name, {"n": 1}, campus_id=None)
                raise ZeroDivisionError
        await until(behind, await enqueue(name, {"n": 2}), "succeeded")
    assert ran == [2]
    assert await behind.fetchval("select count(*) from job where name = $1", name) == 1


@contextlib.asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    yield "unix:///nonexistent/valkey.sock"


@contextlib.asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """A peer that takes a connection and never says anything."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@contextlib.asynccontextmanager
async def nonsense() -> AsyncIterator[str]:
    """A peer that speaks another protocol."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("valkey", [nobody, silence, nonsense])
async def test_without_valkey_a_poke_neither_raises_nor_delays_and_the_job_is_done(
    own_settings: Settings, working: Working, behind: asyncpg.Connection, valkey: Callable[[], Any]
) -> None:
    name = fresh()

    async def handler(run: JobRun) -> None:
        await asyncio.sleep(0)

    async with valkey() as url:
        held = wiring.build(own_settings.model_copy(update={"redis_url": url}))
        async with held.units.open(demo.LOADER):
            pass  # the connection to PostgreSQL is made: what is timed is the poke
        try:
            for _ in range(2):
                began = time.monotonic()
                async with held.units.open(demo.LOADER) as uow:
                    jobs = [await uow.enqueue(name, {}, campus_id=None) for _ in range(20)]
                assert time.monotonic() - began < 0.5
            async with working(JobSpec(name, handler)):
                for job in jobs:
                    await until(behind, job, "succeeded", 5)
        finally:
            await wiring.close(held)


class Screen:
    """A reader of the live events."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.seen: list[tuple[int, str, dict[str, Any]]] = []
        self.opened = asyncio.Event()

    async def follow(self, last: int | None = None) -> None:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        async with self._client.stream("GET", "/api/v1/live-events", headers=headers, timeout=30) as answer:
            assert answer.status_code == 200
            number = 0
            async for line in answer.aiter_lines():
                self.opened.set()
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("data: "):
                    event = json.loads(line[6:])
                    self.seen.append((number, event["topic"], event["data"]))

    async def has(self, **wanted: Any) -> bool:
        return any(wanted.items() <= data.items() for _, _, data in self.seen)


@contextlib.asynccontextmanager
async def watching(client: httpx.AsyncClient, last: int | None = None) -> AsyncIterator[Screen]:
    screen = Screen(client)
    task = asyncio.create_task(screen.follow(last))
    await asyncio.wait_for(screen.opened.wait(), 5)
    yield screen
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.requirement("P3")
async def test_progress_is_shown_live_and_what_was_missed_comes_with_last_event_id(
    working: Working, enqueue: Enqueue, behind: asyncpg.Connection, interface: httpx.AsyncClient, engineer: Principal
) -> None:
    name, half, go_on = fresh(), asyncio.Event(), asyncio.Event()

    async def handler(run: JobRun) -> None:
        await run.progress(1, 2, "half")
        half.set()
        await go_on.wait()
        await asyncio.sleep(0.3)
        await run.progress(2, 2, "whole")

    async with working(JobSpec(name, handler)):
        async with watching(interface) as screen:
            job = await enqueue(name, by=engineer)
            await asyncio.wait_for(half.wait(), 5)
            await eventually(3, lambda: screen.has(job_id=str(job), name=name, state="running", done=1, total=2))
        shown = (await interface.get(f"/api/v1/jobs/{job}")).json()
        assert (shown["state"], shown["done"], shown["total"], shown["message"]) == ("running", 1, 2, "half")
        last = screen.seen[-1][0]
        go_on.set()
        await until(behind, job, "succeeded")
    async with watching(interface, last) as later:
        await eventually(3, lambda: later.has(job_id=str(job), state="succeeded"))
        assert [data["done"] for number, _, data in later.seen if number > last and data["state"] == "running"] == [2]


@pytest.mark.requirement("P3")
async def test_a_screen_that_comes_back_after_a_busy_minute_misses_nothing(
    own_runtime: Runtime, interface: httpx.AsyncClient, engineer: Principal
) -> None:
    async def announce(topic: str, first: int, beyond: int) -> None:
        async with own_runtime.units.open(demo.LOADER) as uow:
            for number in range(first, beyond):
                await uow.announce(
                    topic, {"number": number, "of": topic}, campus_id=None, permission=None, principal_id=engineer.id
                )

    async with watching(interface) as screen:
        for first in (0, 600):
            await announce("busy", first, first + 600)
            await eventually(10, lambda first=first: screen.has(number=first + 599))  # type: ignore[misc]
    last = screen.seen[-1][0]
    await announce("missed", 0, 1500)
    async with watching(interface, last) as later:
        await eventually(10, lambda: later.has(number=0, of="missed"))
        await eventually(10, lambda: later.has(number=1499, of="missed"))
    assert len({number for number, topic, _ in later.seen if topic == "missed"}) == 1500


@pytest.mark.requirement("P3")
async def test_what_happens_while_the_listener_is_cut_off_is_not_kept_from_open_screens(
    own_runtime: Runtime, behind: asyncpg.Connection, interface: httpx.AsyncClient, engineer: Principal
) -> None:
    """Either it comes late, or the stream ends so that the screen returns with its Last-Event-ID."""

    async def announce(number: int) -> None:
        async with own_runtime.units.open(demo.LOADER) as uow:
            await uow.announce("cut", {"number": number}, campus_id=None, permission=None, principal_id=engineer.id)

    screen = Screen(interface)
    task = asyncio.create_task(screen.follow())
    await asyncio.wait_for(screen.opened.wait(), 5)
    await announce(1)
    await eventually(3, lambda: screen.has(number=1))
    cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and query ilike 'listen %'"
    assert await behind.fetchval(cut) >= 1
    await announce(2)

    async def told_or_ended() -> bool:
        return task.done() or await screen.has(number=2)

    try:
        await eventually(6, told_or_ended)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def silent_laboratory() -> AsyncIterator[int]:
    """A LIS that takes orders and never answers."""
    async with silence() as url:
        yield int(url.rpartition(":")[2])


@contextlib.asynccontextmanager
async def worker_process(settings: Settings, **environment: str) -> AsyncIterator[psutil.Process]:
    """A real worker; it is killed if it is still there."""
    told = {
        "TJ_STATE": str(settings.state), "TJ_DATABASE_URL": str(settings.database_url), "TJ_REDIS_URL": str(settings.redis_url),
        "TJ_MASTER_KEY": settings.master_key.get_secret_value() if settings.master_key else "", "TJ_ENVIRONMENT": "demo", **environment,
    }  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    argv = [sys.executable, "-m", "tjapi.worker"]
    child = await asyncio.to_thread(subprocess.Popen, argv, env={**kept, **told}, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(child.pid)
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 20) == 0
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


@pytest.fixture
async def orders(own_runtime: Runtime) -> Callable[[int], Any]:
    """`await orders(n)`: check n people in, each with an order for the laboratory; returns their scenes."""

    def unit(principal: Principal = demo.LOADER, role: Role = "app") -> Any:
        return own_runtime.units.open(principal, role)

    async def check_in(count: int) -> list[Scene]:
        return [await visit(unit, "GLU") for _ in range(count)]

    return check_in


async def test_a_worker_that_is_asked_to_stop_puts_back_what_it_runs_and_leaves(
    own_settings: Settings, silent_laboratory: int, orders: Callable[[int], Any], behind: asyncpg.Connection
) -> None:
    await orders(2)
    lis = {"TJ_LIS_PORT": str(silent_laboratory), "TJ_LIS_HOST": "127.0.0.1"}
    async with worker_process(own_settings, **lis) as worker:
        sql = "select id from job where state = 'running' and name = 'requisition.send_order'"
        await eventually(90, lambda: _many(behind, sql, 2))
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        await eventually(15, lambda: _ended(worker), every=0.02)
        assert time.monotonic() - began < 8
    left = await behind.fetch("select state, attempts from job where name = 'requisition.send_order'")
    assert [(row["state"], row["attempts"]) for row in left] == [("queued", 0)] * 2
    await behind.execute("update job set state = 'cancelled' where state = 'queued'")


@pytest.mark.requirement("E3.5", "I2")
async def test_a_laboratory_that_does_not_answer_orders_does_not_keep_its_results_from_being_filed(
    own_settings: Settings,
    silent_laboratory: int,
    orders: Callable[[int], Any],
    own_runtime: Runtime,
    behind: asyncpg.Connection,
) -> None:
    """More orders hang than a worker has slots; a message that comes meanwhile is filed all the same."""
    await orders(own_settings.worker_slots + 4)
    lis = {"TJ_LIS_PORT": str(silent_laboratory), "TJ_LIS_HOST": "127.0.0.1"}
    async with worker_process(own_settings, **lis):
        sql = "select id from job where state = 'running' and name = 'requisition.send_order'"
        await eventually(90, lambda: _many(behind, sql, 1))
        await asyncio.sleep(1)
        async with own_runtime.units.open(demo.LOADER) as uow:
            message, _ = await inbox.receive(
                uow, source="lis", message_id="BESIDE-A-DEAF-LIS", body=b"no HL7", media_type="application/hl7-v2", gateway_received_at=None
            )  # fmt: skip
        await eventually(60, lambda: _many(behind, f"select 1 from inbox_message where id = '{message.id}' and state <> 'received'", 1))  # fmt: skip
        assert await behind.fetchval("select count(*) from job where name = 'requisition.send_order' and state = 'succeeded'") == 0  # fmt: skip
    await behind.execute("update job set state = 'cancelled' where state = 'queued'")


async def _many(behind: asyncpg.Connection, sql: str, count: int) -> bool:
    return len(await behind.fetch(sql)) >= count


async def _ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
