"""`tjapi up`: everything on one machine under one supervisor, for a first look, for tests, and for a small hospital."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from tjapi import demo, installation, starting, visit, wiring
from tjapi.kernel.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedValkey, ProcessSpec, Supervisor, free_port
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect, migrate
from tjapi.kernel.security.keys import KeyRing, load_master_key, make_master_key
from tjapi.kernel.settings import Settings
from tjapi.operations import service as operations

_DATABASE = "tjapi"
_PATIENCE_SECONDS = 32
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")


async def run(state: Path, port: int) -> int:
    """Start everything, say `ready`, and stay until SIGINT or SIGTERM. Returns the exit code."""
    began = time.monotonic()
    try:
        async with Supervisor(state) as supervisor:
            make_master_key(state)
            settings = await _databases(supervisor, state, port)
            if refused := starting.of_settings(settings):
                print("\n".join(f"tjapi up: {refusal}" for refusal in refused), file=sys.stderr)
                return starting.EX_CONFIG
            runtime = await _prepare(settings)
            ports = await _processes(supervisor, runtime, port)
            _write_demo(runtime, ports)
            await _first_visit(state)  # first: it waits for the worker, which is busy with everybody else after this
            populating = await _order_people(runtime)
            people = await _people(runtime, populating, began + _PATIENCE_SECONDS)
            await wiring.close(runtime)
            _say(runtime, time.monotonic() - began, people)
            await supervisor.run_forever()
    except EmbeddedError as error:
        print(f"tjapi up: {error}", file=sys.stderr)
        return 1
    return 0


async def _databases(supervisor: Supervisor, state: Path, port: int) -> Settings:
    """Start the embedded PostgreSQL and Valkey unless external ones are named; return settings that name what is used."""
    given = settings_of(state)
    database_url, redis_url = given.database_url, given.redis_url
    if not database_url:
        server = EmbeddedPostgres(state)
        await supervisor.add(server)
        await _create_database(server.url(server.superuser, server.superuser_password, "postgres"))
        database_url = server.url(server.superuser, server.superuser_password, _DATABASE)
    if not redis_url:
        valkey = EmbeddedValkey(state)
        await supervisor.add(valkey)
        redis_url = valkey.url
    return given.model_copy(update={"database_url": database_url, "redis_url": redis_url, "port": port})


def settings_of(state: Path) -> Settings:
    """Return the settings of an installation that `tjapi up` starts: the demo unless told, or unless the folder is a production's."""
    given = Settings(state=state)
    is_told = "environment" in given.model_fields_set or (state / installation.GATEWAY_SECRET).exists()
    return given if is_told else given.model_copy(update={"environment": "demo"})


async def _create_database(url: str) -> None:
    connection = await connect(Settings(database_url=url))
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", _DATABASE):
            await connection.execute(f"create database {_DATABASE}")
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()


async def _prepare(settings: Settings) -> Runtime:
    keys = KeyRing(
        load_master_key(settings.master_key.get_secret_value() if settings.master_key else None, settings.state)
    )
    await migrate(settings, keys)
    runtime = wiring.build(settings)
    await installation.load(runtime)
    if settings.environment == "demo":
        await demo.load(runtime)
        await demo.open_rooms(runtime)
        await demo.write_laboratory_dictionary(runtime, settings.state / "lis-dictionary.json")
    return runtime


async def _order_people(runtime: Runtime) -> UUID | None:
    """Order the demo's people of the worker."""
    return await demo.order(runtime, runtime.settings.demo_people) if runtime.settings.environment == "demo" else None


async def _people(runtime: Runtime, job_id: UUID | None, until: float) -> str:
    """Wait a while for the demo's people; say how far they have come."""
    if job_id is None:
        return ""
    while True:
        async with runtime.units.read(demo.LOADER) as uow:
            job = await operations.job(uow, job_id)
        if job.state not in ("queued", "running"):
            return f"{runtime.settings.demo_people} people, {job.state}"
        if time.monotonic() > until:
            return f"still coming in ({job.message or job.state} {job.done or 0}/{job.total or '?'}): /api/v1/jobs/{job_id}"
        await asyncio.sleep(0.2)


async def _processes(supervisor: Supervisor, runtime: Runtime, port: int) -> dict[str, int]:
    settings, state = runtime.settings, runtime.settings.state
    port = port or free_port()
    is_demo = settings.environment == "demo"
    names = ["api", "gateway_mllp", "gateway_health", *(["lis_orders", "lis_control"] if is_demo else [])]
    ports = dict(zip(names, [port, *(free_port() for _ in names[1:])], strict=True))
    base = f"http://127.0.0.1:{port}"
    common = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ} | {"PYTHONUNBUFFERED": "1"}
    ours = common | {k: v for k, v in os.environ.items() if k.startswith("TJ_")} | {
        "TJ_STATE": str(state), "TJ_DATABASE_URL": _without_credentials(str(settings.database_url)), "TJ_REDIS_URL": str(settings.redis_url),
        "TJ_PORT": str(port), "TJ_HOST": settings.host, "TJ_ENVIRONMENT": settings.environment,
    }  # fmt: skip
    specs: list[ProcessSpec] = []
    if is_demo:
        ours |= {"TJ_LIS_HOST": "127.0.0.1", "TJ_LIS_PORT": str(ports["lis_orders"])}
        argv = [
            sys.executable, "-m", "adapters.lis.sandbox", "--listen", f"127.0.0.1:{ports['lis_orders']}", "--control",
            f"127.0.0.1:{ports['lis_control']}", "--send-to", f"127.0.0.1:{ports['gateway_mllp']}", "--dictionary",
            str(state / "lis-dictionary.json"), "--state", str(state / "lis-sandbox"),
        ]  # fmt: skip
        health = f"http://127.0.0.1:{ports['lis_control']}/health"
        specs.append(ProcessSpec("lis-sandbox", argv, common, ready=_answers(health)))
    specs.append(
        ProcessSpec("api", [sys.executable, "-m", "tjapi.cli", "serve"], ours, ready=_answers(f"{base}/readyz"))
    )
    specs.append(ProcessSpec("worker", [sys.executable, "-m", "tjapi.worker"], ours))
    gateway = common | {k: v for k, v in os.environ.items() if k.startswith("TJ_GATEWAY_")} | {
        "TJ_GATEWAY_LISTEN": os.environ.get("TJ_GATEWAY_LISTEN", f"lis=mllp://127.0.0.1:{ports['gateway_mllp']}"),
        "TJ_GATEWAY_API_URL": base, "TJ_GATEWAY_CLIENT_ID": installation.GATEWAY,
        "TJ_GATEWAY_CLIENT_SECRET": installation.client_secret(runtime.keys, installation.GATEWAY),
        "TJ_GATEWAY_JOURNAL": str(state / "gateway-journal.sqlite3"),
        "TJ_GATEWAY_JOURNAL_KEY": runtime.keys.text("gateway-journal/1"),
        "TJ_GATEWAY_HEALTH_PORT": str(ports["gateway_health"]),
    }  # fmt: skip
    health = f"http://127.0.0.1:{ports['gateway_health']}/health"
    specs.append(ProcessSpec("gateway", [sys.executable, "-m", "device_gateway"], gateway, ready=_answers(health)))
    # Each imports for two seconds: side by side, not one after the other.
    try:
        async with asyncio.TaskGroup() as starting:
            for spec in specs:
                starting.create_task(supervisor.start(spec))
    except* EmbeddedError as troubles:
        raise troubles.exceptions[0] from None
    return ports


def _without_credentials(url: str) -> str:
    """The processes log in under roles of their own: the administrator's password stays here."""
    head, _, tail = url.partition("://")
    return f"{head}://{tail.rpartition('@')[2]}"


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return (await client.get(url)).status_code == httpx.codes.OK

    return ready


def _write_demo(runtime: Runtime, ports: dict[str, int]) -> None:
    """Write where everything is, and the demo logins, for scripts: readable by the owner alone."""
    path = runtime.settings.state / "demo.json"
    told = {"base_url": f"http://127.0.0.1:{ports['api']}", "ports": ports, "logins": {}, "clients": {}}
    if runtime.settings.environment == "demo":
        told["logins"] = {
            account[0]: {
                "username": account[0],
                "password": demo.password(runtime.keys, account[0]),
                "roles": account[3],
                "campuses": account[4],
            }
            for account in demo.STAFF
        }
        told["clients"] = {
            name: {"client_id": name, "client_secret": secret}
            for name, secret in demo.client_secrets(runtime.keys).items()
        }
    installation.write_private(path, json.dumps(told, ensure_ascii=False, indent=1))


async def _first_visit(state: Path) -> None:
    """On the first start, play one whole visit, so that there is something to look at."""
    done = state / "first-visit.json"
    if done.exists() or not (state / "lis-dictionary.json").exists():
        return
    try:
        result = await visit.play(visit.Demo.read(state), quiet=True)
    except (TimeoutError, visit.VisitFailedError, httpx.HTTPError, OSError) as error:
        print(
            f"the first visit did not succeed ({error}); `make visit` plays it again and shows each step",
            file=sys.stderr,
        )
        return
    done.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")


def _say(runtime: Runtime, seconds: float, people: str) -> None:
    told = json.loads((runtime.settings.state / "demo.json").read_text(encoding="utf-8"))
    base, state = told["base_url"], runtime.settings.state
    print(f"started in {seconds:.1f} s")
    print(f"  API reference   {base}/docs   {base}/redoc")
    print(f"  start page      {base}/")
    if runtime.settings.environment == "demo":
        print(f"  demo logins     {state / 'demo.json'}")
        if people:
            print(f"  demo hospital   {people}")
    for _, file in installation.ADMINISTRATORS.values():
        if (state / file).exists():
            print(f"  administrator   {state / file}  (sign in, change the password, delete the file)")
    first = state / "first-visit.json"
    if first.exists():
        print(f"  a first report  {json.loads(first.read_text(encoding='utf-8'))['pdf']}")
    print(f"  logs            {state / 'logs'}")
    print(f"ready {base}", flush=True)
