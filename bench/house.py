"""What is measured: embedded PostgreSQL and Valkey, the product's own processes, and who signs in."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tjapi import demo, installation, wiring
from tjapi.kernel.db import Role, role_url
from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey, free_port
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect, migrate
from tjapi.kernel.security.keys import KeyRing, load_master_key, make_master_key
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings

_TICK = os.sysconf("SC_CLK_TCK")
_CONTEXT_SECONDS = 4 * 3600
_FLOOR_POOL = 6


@dataclass
class Process:
    """A process of the product that runs beside us."""

    popen: "subprocess.Popen[bytes]"

    @property
    def cpu_seconds(self) -> float:
        """CPU time that it and its children have taken, user and system."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / _TICK

    def stop(self) -> None:
        """End it."""
        self.popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=15)
        self.popen.kill()


@dataclass
class House:
    """A running installation."""

    runtime: Runtime
    admin: asyncpg.Connection
    environment: dict[str, str]
    api: Process

    @property
    def port(self) -> int:
        """Port of the API."""
        return self.runtime.settings.port

    @property
    def state(self) -> Path:
        """Folder of the installation."""
        return self.runtime.settings.state

    def start(self, *command: str, **more: str) -> Process:
        """Start a process of the product with the installation's settings."""
        argv = [sys.executable, "-m", *command]
        with (self.state / "processes.log").open("ab") as log:
            return Process(subprocess.Popen(argv, env=self.environment | more, stdout=log, stderr=log))

    async def token(self, username: str) -> str:
        """Sign a member of staff in, or an API client."""
        async with httpx.AsyncClient(base_url=self.runtime.settings.base_url, timeout=30, trust_env=False) as http:
            secret = demo.client_secrets(self.runtime.keys).get(username)
            if secret is not None:
                body, path = {"client_id": username, "client_secret": secret}, "/api/v1/auth/client-token"
            else:
                body = {"username": username, "password": demo.password(self.runtime.keys, username)}
                path = "/api/v1/auth/token"
            answer = await http.post(path, json=body)
            answer.raise_for_status()
            return str(answer.json()["access_token"])

    async def principal(self, username: str) -> Principal:
        """Return who a member of staff is to the database."""
        row = await self.admin.fetchrow("select id, campuses from staff where username = $1", username)
        return Principal("staff", row["id"], campuses=tuple(row["campuses"]), departments=None)

    async def bare(self, role: Role, principal: Principal, size: int = _FLOOR_POOL) -> list[asyncpg.Connection]:
        """Open bare connections of a role, each holding a signed context: what the floors run on."""
        url = role_url(self.runtime.settings, self.runtime.keys, role)
        host, port = str(url.query["host"]), int(str(url.query["port"]))
        opened = []
        for _ in range(size):
            connection = await asyncpg.connect(
                host=host, port=port, user=url.username, password=url.password, database=url.database
            )
            expires = int(self.runtime.clock.now().timestamp()) + _CONTEXT_SECONDS
            token = self.runtime.database.context(principal, connection.get_server_pid(), expires)
            await connection.execute("select set_config('tj.context', $1, false)", token)
            opened.append(connection)
        return opened


@contextlib.asynccontextmanager
async def installed(*, keep: bool = False, **settings: Any) -> AsyncIterator[tuple[Runtime, asyncpg.Connection]]:
    """Prepare an installation of its own without processes, for what is measured in this one; its folder goes at the end unless it is kept."""
    state = Path(tempfile.mkdtemp(prefix="tj-bench-"))
    state.chmod(0o711)
    postgres, valkey = EmbeddedPostgres(state), EmbeddedValkey(state)
    try:
        postgres.start()
        valkey.start()
        make_master_key(state)
        url = postgres.url(postgres.superuser, postgres.superuser_password, "postgres")
        given = Settings(state=state, database_url=url, redis_url=valkey.url, environment="demo", **settings)
        await migrate(given, KeyRing(load_master_key(None, state)))
        runtime = wiring.build(given)
        await installation.load(runtime)
        admin = await connect(given)
        yield runtime, admin
        await admin.close()
        await wiring.close(runtime)
    finally:
        valkey.stop()
        postgres.stop()
        if not keep:
            shutil.rmtree(state, ignore_errors=True)


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[House]:
    """Start an installation of its own in a new folder; stop it and remove the folder at the end."""
    state = Path(tempfile.mkdtemp(prefix="tj-bench-"))
    state.chmod(0o711)
    postgres, valkey = EmbeddedPostgres(state), EmbeddedValkey(state)
    house: House | None = None
    try:
        postgres.start()
        valkey.start()
        make_master_key(state)
        url = postgres.url(postgres.superuser, postgres.superuser_password, "bench")
        admin = await connect(Settings(database_url=url.replace("/bench?", "/postgres?")))
        await admin.execute("create database bench")
        await admin.close()
        # Tokens outlive the run: what is measured is requests, not signing in.
        settings = Settings(
            state=state, database_url=url, redis_url=valkey.url, port=free_port(), environment="demo", access_token_seconds=14_400, rate_factor=10_000
        )  # fmt: skip
        await migrate(settings, KeyRing(load_master_key(None, state)))
        runtime = wiring.build(settings)
        await installation.load(runtime)
        await demo.load(runtime)
        environment = os.environ | {
            "TJ_STATE": str(state), "TJ_DATABASE_URL": url, "TJ_REDIS_URL": valkey.url, "TJ_PORT": str(settings.port),
            "TJ_ACCESS_TOKEN_SECONDS": str(settings.access_token_seconds), "TJ_ENVIRONMENT": "demo", "TJ_RATE_FACTOR": "10000",
        }  # fmt: skip
        house = House(runtime, await connect(settings), environment, None)  # type: ignore[arg-type]
        house.api = house.start("tjapi.cli", "serve")
        await _until_ready(settings.base_url)
        yield house
        await house.admin.close()
        await wiring.close(runtime)
    finally:
        if house is not None and house.api is not None:
            house.api.stop()
        valkey.stop()
        postgres.stop()
        shutil.rmtree(state, ignore_errors=True)


async def _until_ready(base: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(1_200):
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(f"{base}/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError(base)
