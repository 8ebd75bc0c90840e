"""The whole system as `tjapi up` starts it, with the means to hurt it and to look behind it."""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey, free_port
from tjapi.kernel.schema import connect
from tjapi.kernel.settings import Settings
from tjapi.visit import Actor, Demo

START_SECONDS = 240
TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
Check = Callable[[], Awaitable[Any]]


async def eventually(seconds: float, check: Check, *, every: float = 0.1) -> Any:
    """Return what a check gives as soon as it is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.HTTPError, RedisError, *TROUBLE):
            if found := await check():
                return found
        assert time.monotonic() < deadline, f"not so within {seconds} s: {check}"
        await asyncio.sleep(every)


@dataclass
class House:
    """A running system. Only processes that it started itself are ever signalled, by their id.

    `orphans` holds, for each job that a killed worker left, how long it took until it was taken back: since a worker was at work again after
    the last kill of one or of PostgreSQL (how long that takes to start is the machine's), and in all.
    """

    state: Path
    up: psutil.Process
    told: dict[str, Any]
    http: httpx.AsyncClient
    orphans: dict[str, tuple[float, float]] = field(default_factory=dict)
    last_blow: float = 0
    back_at_work: float = 0
    kills: list[tuple[str, int]] = field(default_factory=list)
    _database: asyncpg.Connection | None = None
    _watches: list[asyncio.Task[None]] = field(default_factory=list)

    async def sign_in(self, name: str) -> Actor:
        login = self.told["logins"][name]
        body = {"username": login["username"], "password": login["password"]}
        answer = await self.http.post("/api/v1/auth/token", json=body)
        assert answer.status_code == 200, answer.text
        return Actor(self.http, answer.json()["access_token"])

    async def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox LIS something."""
        url = f"http://127.0.0.1:{self.told['ports']['lis_control']}{path}"
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await (client.get(url) if body is None else client.post(url, json=body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def backlog(self) -> dict[str, Any]:
        """Return what the gateway's journal holds."""
        url = f"http://127.0.0.1:{self.told['ports']['gateway_health']}/health"
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            found: dict[str, Any] = (await client.get(url)).json()
        return found

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Look behind the product, as the superuser; patient while PostgreSQL comes back."""
        deadline = time.monotonic() + 60
        while True:
            try:
                if self._database is None or self._database.is_closed():
                    server = EmbeddedPostgres(self.state)
                    url = server.url(server.superuser, server.superuser_password, "tjapi")
                    self._database = await connect(Settings(state=self.state, database_url=url))
                return list(await self._database.fetch(sql, *values))
            except TROUBLE:
                self.hang_up()
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def flush(self) -> None:
        """Make Valkey forget everything."""
        valkey = Redis.from_url(EmbeddedValkey(self.state).url, socket_timeout=2, socket_connect_timeout=2)
        try:
            await eventually(20, lambda: _as_bool(valkey.flushall()))
        finally:
            await valkey.aclose()

    def process(self, name: str) -> psutil.Process | None:
        """Return the living process of a name, if it is a child of the system that we started."""
        with contextlib.suppress(KeyError, ValueError, OSError, psutil.Error):
            pid = json.loads((self.state / "processes.json").read_text(encoding="utf-8"))[name]["pid"]
            found = psutil.Process(pid)
            if found.ppid() == self.up.pid and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None

    async def alive(self, name: str) -> psutil.Process:
        """Wait until a process does its work again, not merely exists."""

        async def working() -> psutil.Process | None:
            process = self.process(name)
            if process is None or not await _PROBES[name](self):
                return None
            return process

        found: psutil.Process = await eventually(180, working)
        return found

    async def kill(self, name: str) -> None:
        """kill -9, and for a worker: watch what it held until somebody else holds it, or it is queued again."""
        process = await self.alive(name)
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        self.kills.append((name, process.pid))
        if name in {"worker", "postgres"}:
            self.last_blow = killed
            self._watches.append(asyncio.create_task(self._watch_for_a_worker(process)))
        if name == "worker":
            sql = "select id::text, fence from job where state = 'running' and worker like '%:' || $1::text"
            held = {row["id"]: row["fence"] for row in await self.rows(sql, str(process.pid))}
            if held:
                self._watches.append(asyncio.create_task(self._watch(held, killed)))
        await eventually(10, lambda: _gone(process), every=0.02)

    async def _watch_for_a_worker(self, killed: psutil.Process) -> None:
        """Note when a worker is at work again, after what was killed is gone: for a moment it still seems alive."""
        apart = House(self.state, self.up, self.told, self.http)  # a connection of its own: this runs beside the test
        await eventually(10, lambda: _gone(killed), every=0.02)
        await apart.alive("worker")
        self.back_at_work = time.monotonic()
        apart.hang_up()

    async def _watch(self, held: dict[str, int], killed: float) -> None:
        sql = "select id::text, fence, state from job where id = any($1::uuid[])"
        apart = House(self.state, self.up, self.told, self.http)  # a connection of its own: this runs beside the test
        while held:
            for row in await apart.rows(sql, list(held)):
                if row["fence"] != held[row["id"]] or row["state"] != "running":
                    now = time.monotonic()
                    # Until the successor is at work nobody can.
                    waited = now - self.back_at_work if self.back_at_work > self.last_blow else 0
                    taken_back = (waited, now - killed)
                    self.orphans[f"{row['id']}#{held.pop(row['id'])}"] = taken_back
            await asyncio.sleep(0.1)
        apart.hang_up()

    async def orphans_settled(self) -> None:
        """Wait until everything that a killed worker held was taken back."""
        await asyncio.gather(*self._watches)

    async def close(self) -> None:
        for watch in self._watches:
            watch.cancel()
        self.hang_up()
        await self.http.aclose()

    def hang_up(self) -> None:
        if self._database is not None:
            self._database.terminate()

    def processes(self) -> list[psutil.Process]:
        """Every process below the system, and any other that works in its state folder."""
        mark, found = str(self.state), {self.up, *self.up.children(recursive=True)}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.cwd().startswith(mark) or mark in " ".join(process.cmdline()):
                    found.add(process)
        return [p for p in found if p.pid != os.getpid()]


async def _as_bool(command: Any) -> bool:
    return bool(await command)


async def _gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _api(house: House) -> bool:
    return (await house.http.get("/healthz", timeout=2)).status_code == 200


async def _gateway(house: House) -> bool:
    return bool((await house.backlog())["status"] == "ok")


async def _worker(house: House) -> bool:
    sql = "select 1 from pg_stat_activity where application_name = 'tjapi worker'"
    return bool(await house.rows(sql))


async def _postgres(house: House) -> bool:
    return bool(await house.rows("select 1"))


async def _valkey(house: House) -> bool:
    client = Redis.from_url(EmbeddedValkey(house.state).url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return await _as_bool(client.ping())
    finally:
        await client.aclose()


_PROBES: dict[str, Callable[[House], Awaitable[bool]]] = {
    "api": _api, "gateway": _gateway, "worker": _worker, "postgres": _postgres, "valkey": _valkey,
}  # fmt: skip


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Start everything on a folder of its own; whatever the test did to it, nothing of it is left behind."""
    state = Path(tempfile.mkdtemp(prefix="tj-faults-"))
    state.chmod(0o711)
    (state / "first-visit.json").write_text('{"pdf": ""}', "utf-8")  # no visit of its own before the storm
    port = free_port()
    argv = [sys.executable, "-m", "tjapi.cli", "up", "--port", str(port), "--state", str(state)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    log = state / "up.log"
    with log.open("wb") as said:
        up = await asyncio.to_thread(
            subprocess.Popen, argv, stdout=said, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while f"ready http://127.0.0.1:{port}\n" not in log.read_text("utf-8"):
            assert up.poll() is None, f"it did not start: {log.read_text('utf-8')}"
            assert time.monotonic() < deadline, log.read_text("utf-8")
            await asyncio.sleep(0.1)
        told = json.loads((state / "demo.json").read_text("utf-8"))
        demo = Demo.read(state)
        client = httpx.AsyncClient(base_url=demo.base_url, timeout=30, trust_env=False)
        held = House(state, psutil.Process(up.pid), told, client)
        try:
            yield held
        finally:
            await held.close()
    finally:
        if up.poll() is None:
            up.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(up.wait, 60)
            except subprocess.TimeoutExpired:
                up.kill()  # the kernel ends its children with it
                up.wait()
        shutil.rmtree(state, ignore_errors=True)


@dataclass(frozen=True)
class Farewell:
    """How the system went when it was asked to: exit code, seconds, and whoever stayed."""

    code: int
    seconds: float
    left: list[str]


async def leave(held: House) -> Farewell:
    """SIGTERM, and look who is still there."""
    before = held.processes()
    assert {"postgres", "valkey-server"} <= {p.name() for p in before}
    began = time.monotonic()
    held.up.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(held.up.wait, 60)
    left = []
    for process in before:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running():
                left.append(f"{process.pid} {process.name()} {process.status()}")
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(held.state) in " ".join([*process.cmdline(), process.cwd()]):
                left.append(f"{process.pid} {process.name()} {process.status()}")
    return Farewell(int(code or 0), time.monotonic() - began, left)


def seeded() -> tuple[random.Random, int]:
    """Return a random source and its seed: TJ_FAULT_SEED, or a new one; whoever uses it prints it."""
    seed = int(os.environ.get("TJ_FAULT_SEED") or random.SystemRandom().randrange(10**6))
    return random.Random(seed), seed
