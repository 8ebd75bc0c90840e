"""`make bench`: each path beside its floor, interleaved in one run; ratios, never absolute times (speed.md).

The floor of a path is the same rows in one statement, under the same signed context and role, through bare asyncpg in a loop. The path is
a whole request: socket, authentication, permission, row security, JSON. Load, API process and PostgreSQL share this machine's cores.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from tjapi import demo, installation, visit, wiring
from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel import logs
from tjapi.kernel.db import role_url
from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey, free_port
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect, migrate
from tjapi.kernel.security.keys import KeyRing, load_master_key, make_master_key
from tjapi.kernel.settings import Settings

EXAMS = int(os.environ.get("TJ_BENCH_EXAMS", "300"))
ROUNDS = int(os.environ.get("TJ_BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("TJ_BENCH_SECONDS", "2"))
CLIENTS = 16
_READ = """
select json_build_object('exam', row_to_json(e), 'lines',
  coalesce((select json_agg(row_to_json(l) order by l.sort) from exam_line l where l.exam_id = e.id), '[]'))::text
from exam e where e.id = $1
"""
_LIST = """
select coalesce(json_agg(row_to_json(x)), '[]')::text from (select id, campus_id, exam_no, examinee_id, name, sex, age_years, package_name,
  state, exam_date, total_fen, registered_at, checked_in_at, finalized_at from exam order by id desc limit 51) x
"""
Call = Callable[[int], Awaitable[None]]


async def _rate(call: Call) -> tuple[float, list[float]]:
    """Run a call from many clients for a while; return calls per second and each one's seconds."""
    until, took = time.perf_counter() + SECONDS, []

    async def client(number: int) -> None:
        while (began := time.perf_counter()) < until:
            await call(number + len(took))
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(client(n) for n in range(CLIENTS)))
    return len(took) / SECONDS, took


async def _prepare(runtime: Runtime) -> list[UUID]:
    """Register exams to be read."""
    made = []
    async with runtime.units.read(demo.LOADER) as uow:
        packages = await catalog.packages_page(uow, q=None, active=True, after=None, size=10)
    for _ in range(EXAMS):
        card = visit.invented_person()
        async with runtime.units.open(demo.LOADER) as uow:
            person, _ = await examinees.meet(uow, IdCardPayload.model_validate(card), 1)
            package = next(p for p in packages if p.sex in ("any", card["sex"]))
            made.append(
                (await exams.register(uow, ExamIn(campus_id=1, examinee_id=person.id, package_id=package.id))).id
            )
    return made


async def _floor(runtime: Runtime) -> asyncpg.Pool:
    """Return a pool of the reading role whose connections hold a signed context."""
    url = role_url(runtime.settings, runtime.keys, "reader")

    async def signed(connection: asyncpg.Connection) -> None:
        token = runtime.database.context(demo.LOADER, connection.get_server_pid(), int(time.time()) + 3600)
        await connection.fetchval("select set_config('tj.context', $1, false)", token)

    return await asyncpg.create_pool(
        host=str(url.query["host"]), port=int(str(url.query["port"])), user=url.username, password=url.password, database=url.database,
        min_size=6, max_size=6, setup=signed, reset=_keep,
    )  # fmt: skip


async def _keep(_connection: asyncpg.Connection) -> None:
    """Keep the context: that is what the product does as well."""


async def _measure(runtime: Runtime, base: str, ids: list[UUID]) -> None:
    pool = await _floor(runtime)
    async with httpx.AsyncClient(
        base_url=base, timeout=30, trust_env=False, limits=httpx.Limits(max_connections=CLIENTS)
    ) as http:
        login = {"username": "front", "password": demo.password(runtime.keys, "front")}
        token = (await http.post("/api/v1/auth/token", json=login)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"

        async def get(path: str) -> None:
            assert (await http.get(path)).status_code == httpx.codes.OK

        paths: dict[str, tuple[Call, Call]] = {
            "read one exam with its lines": (
                lambda n: get(f"/api/v1/exams/{ids[n % len(ids)]}"),
                lambda n: pool.fetchval(_READ, ids[n % len(ids)]),
            ),
            "list 50 exams": (lambda _n: get("/api/v1/exams"), lambda _n: pool.fetchval(_LIST)),
        }
        print("| path | requests/s | floor/s | ratio | p50 ms | p99 ms |\n|---|---|---|---|---|---|")
        for name, (whole, floor) in paths.items():
            rows, took = [], []
            for _ in range(ROUNDS):
                reached, seconds = await _rate(whole)
                took += seconds
                rows.append((reached, (await _rate(floor))[0]))
            took.sort()
            figures = [statistics.median(column) for column in zip(*rows, strict=True)]
            ratio = statistics.median(a / b for a, b in rows)
            print(
                f"| {name} | {figures[0]:.0f} | {figures[1]:.0f} | {ratio:.2f} | {took[len(took) // 2] * 1e3:.1f} | {took[len(took) * 99 // 100] * 1e3:.1f} |"
            )
    await pool.close()


async def main() -> None:
    """Start what is needed, fill it, measure."""
    logs.configure("ERROR")
    state = Path(tempfile.mkdtemp(prefix="tj-bench-"))
    state.chmod(0o711)
    postgres, valkey = EmbeddedPostgres(state), EmbeddedValkey(state)
    postgres.start()
    valkey.start()
    api = None
    try:
        make_master_key(state)
        url = postgres.url(postgres.superuser, postgres.superuser_password, "bench")
        admin = await connect(Settings(database_url=url.replace("/bench?", "/postgres?")))
        await admin.execute("create database bench")
        await admin.close()
        settings = Settings(state=state, database_url=url, redis_url=valkey.url, port=free_port(), environment="demo")
        keys = KeyRing(load_master_key(None, state))
        await migrate(settings, keys)
        runtime = wiring.build(settings)
        await installation.load(runtime)
        await demo.load(runtime)
        ids = await _prepare(runtime)
        environment = os.environ | {
            "TJ_STATE": str(state), "TJ_DATABASE_URL": url, "TJ_REDIS_URL": valkey.url, "TJ_PORT": str(settings.port), "TJ_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        api = subprocess.Popen([sys.executable, "-m", "tjapi.cli", "serve"], env=environment)  # noqa: ASYNC220 - it runs beside us
        await _until_ready(settings.base_url)
        print(
            json.dumps(
                {"exams": EXAMS, "clients": CLIENTS, "rounds": ROUNDS, "seconds": SECONDS, "cores": os.cpu_count()}
            )
        )
        await _measure(runtime, settings.base_url, ids)
        await wiring.close(runtime)
    finally:
        if api is not None:
            api.terminate()
            api.wait(timeout=10)
        valkey.stop()
        postgres.stop()


async def _until_ready(base: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(300):
            try:
                if (await http.get(f"{base}/readyz")).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError(base)


if __name__ == "__main__":
    asyncio.run(main())
