"""What tests stand on: real PostgreSQL and Valkey, one template database migrated and loaded once, a clone per worker, real sockets.

The controller starts the servers; xdist's workers inherit their addresses. `make test` fails above its budget and then prints the
slowest 20 tests.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher

from tjapi import app as application
from tjapi import demo, installation, wiring
from tjapi.kernel import heap, logs
from tjapi.kernel.db import Role
from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect, migrate
from tjapi.kernel.seal import make_demo_seal
from tjapi.kernel.security.keys import KeyRing, load_master_key
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings

MASTER_KEY = "5e" * 32
TEMPLATE = "tj_template"
_ADDRESS = "TJ_TEST_SERVER"
_STATE = "TJ_TEST_STATE"
_VALKEY = "TJ_TEST_VALKEY"
_BUDGET = float(os.environ.get("TJ_TEST_BUDGET", "345"))  # on two quiet cores
_began = time.monotonic()
_durations: dict[str, float] = {}
_servers: list[Any] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers and make the template, in the controller alone; not for a mere collection."""
    if hasattr(config, "workerinput") or config.option.collectonly or _ADDRESS in os.environ:
        return
    state = Path(tempfile.mkdtemp(prefix="tj-"))
    state.chmod(0o711)
    postgres = EmbeddedPostgres(state, fsync=False, settings={"max_connections": "300"})
    valkey = EmbeddedValkey(state)
    for server in (postgres, valkey):
        server.start()
        _servers.append(server)
    os.environ[_STATE] = str(state)
    os.environ[_ADDRESS] = postgres.url(postgres.superuser, postgres.superuser_password, "DATABASE")
    os.environ[_VALKEY] = valkey.url
    asyncio.run(_make_template())


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays for the whole run, as what a server builds at its start."""
    heap.settle()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    while _servers:
        _servers.pop().stop()
        if not _servers:
            shutil.rmtree(os.environ.pop(_STATE), ignore_errors=True)


def settings_for(database: str, state: Path) -> Settings:
    """Return the settings of a process on a test database."""
    return Settings(
        state=state, database_url=os.environ[_ADDRESS].replace("/DATABASE?", f"/{database}?"), redis_url=os.environ[_VALKEY],
        master_key=MASTER_KEY, environment="demo", database_pool=5,
        rate_factor=1_000,  # everybody who signs in does so from one address
        step_up_minutes=0,
    )  # fmt: skip


async def _make_template() -> None:
    state = Path(os.environ[_STATE]) / "template"
    state.mkdir()
    admin = await connect(settings_for("postgres", state))
    await admin.execute(f"create database {TEMPLATE}")
    await admin.close()
    settings = settings_for(TEMPLATE, state)
    await migrate(settings, KeyRing(load_master_key(MASTER_KEY, state)))
    runtime = wiring.build(settings)
    await installation.load(runtime)
    await demo.load(runtime)
    await _cheapen(runtime)
    await wiring.close(runtime)


async def _cheapen(runtime: Runtime) -> None:
    """Keep the same passwords under hashes that cost a hundredth: hundreds of tests sign in, and none of them is about that."""
    cheap = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1)
    admin = await connect(runtime.settings)
    for row in await admin.fetch("select username from staff"):
        hashed = cheap.hash(demo.password(runtime.keys, row["username"]))
        await admin.execute("update staff set password_hash = $2 where username = $1", row["username"], hashed)
    for name, secret in demo.client_secrets(runtime.keys).items():
        await admin.execute("update api_client set secret_hash = $2 where client_id = $1", name, cheap.hash(secret))
    await admin.close()


async def clone(name: str) -> str:
    """Make a database like the template and return its name."""
    admin = await connect(settings_for("postgres", Path(os.environ[_STATE])))
    try:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        # A database's own grants are not part of the template.
        await admin.execute(f"revoke temporary on database {name} from public")
    finally:
        await admin.close()
    return name


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """The name of this xdist worker."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="session")
async def settings(worker_name: str) -> Settings:
    """Settings on this worker's clone."""
    logs.configure("ERROR")
    state = Path(os.environ[_STATE]) / worker_name
    state.mkdir(exist_ok=True)
    held = settings_for(await clone(f"tj_{worker_name}"), state)
    make_demo_seal(held.seal_folder, held.hospital_name)
    return held


@pytest.fixture(scope="session")
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """What a process holds, on this worker's clone."""
    held = wiring.build(settings)
    yield held
    await wiring.close(held)


@pytest.fixture
def unit(runtime: Runtime) -> Callable[[], Any]:
    """`async with unit() as uow:` a unit of work of a principal that sees both campuses; committed at the end."""

    def open_unit(principal: Principal = demo.LOADER, role: Role = "app") -> Any:
        return runtime.units.open(principal, role)

    return open_unit


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to this worker's clone, to look behind the product."""
    connection = await connect(settings)
    yield connection
    await connection.close()


@contextlib.asynccontextmanager
async def serving(runtime: Runtime) -> AsyncIterator[str]:
    """Serve the application on a real socket in this loop; yield its base URL."""
    # Bound here and held: a port that is only looked up may be somebody else's a moment later.
    listening = socket.create_server(("127.0.0.1", 0))
    # asyncio does so for sockets it makes; without it every answer waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(
        uvicorn.Config(
            application.create(runtime),
            log_config=None,
            access_log=False,
            loop="none",
            lifespan="on",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=application.KEEP_ALIVE_SECONDS,
        )
    )
    server.config.setup_event_loop = lambda: None  # type: ignore[method-assign]
    with _no_signals(server):
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        server.force_exit = True
        await task
        await server.lifespan.shutdown()  # which a forced exit skips


@contextlib.contextmanager
def _no_signals(server: uvicorn.Server) -> Iterator[None]:
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    yield


@pytest.fixture(scope="session")
async def base_url(settings: Settings) -> AsyncIterator[str]:
    """The address of a served application on this worker's clone."""
    async with serving(wiring.build(settings)) as url:
        yield url


@pytest.fixture(scope="session")
async def anonymous(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that has not signed in."""
    async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as client:
        yield client


SignIn = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="session")
async def sign_in(base_url: str, runtime: Runtime) -> AsyncIterator[SignIn]:
    """`await sign_in("front")` → a client signed in under a demo login or API client, kept for the session."""
    held: dict[str, httpx.AsyncClient] = {}

    async def enter(name: str) -> httpx.AsyncClient:
        if name not in held:
            client = httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False)
            if secret := demo.client_secrets(runtime.keys).get(name):
                body = {"client_id": name, "client_secret": secret}
                answer = await client.post("/api/v1/auth/client-token", json=body)
            else:
                body = {"username": name, "password": demo.password(runtime.keys, name)}
                answer = await client.post("/api/v1/auth/token", json=body)
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            held[name] = client
        return held[name]

    yield enter
    for client in held.values():
        await client.aclose()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember how long each test took."""
    _durations[report.nodeid] = _durations.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail above the budget."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    if time.monotonic() - _began > _BUDGET:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Above the budget, print the slowest 20."""
    took = time.monotonic() - _began
    if took > _BUDGET:
        terminalreporter.section(f"{took:.0f} s: over the budget of {_BUDGET:.0f} s; the slowest 20")
        for name, seconds in sorted(_durations.items(), key=lambda kv: -kv[1])[:20]:
            terminalreporter.write_line(f"{seconds:7.2f} s  {name}")
