"""Whether a process may start: production is the default, and nothing of the demo passes for it."""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import MASTER_KEY
from tjapi import app as application
from tjapi import demo, starting, up, wiring
from tjapi.kernel.db import role_url
from tjapi.kernel.embedded import free_port
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import make_demo_seal
from tjapi.kernel.security.keys import KeyRing, is_worthless, load_master_key
from tjapi.kernel.settings import Settings

POOLER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
NAME = "江州区人民医院"


def _production(settings: Settings, state: Path, **others: object) -> Settings:
    told = {
        "environment": "production",
        "state": state,
        "hospital_name": NAME,
        "master_key": secrets.token_hex(32),
        "seal": None,
    }
    return Settings(**({"database_url": settings.database_url, "redis_url": settings.redis_url} | told | others))  # type: ignore[arg-type]


def _codes(found: list[starting.Refusal]) -> list[str]:
    return [refusal.code for refusal in found]


@pytest.mark.requirement("P4")
def test_every_command_is_production_unless_told_and_up_is_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TJ_ENVIRONMENT", raising=False)
    assert Settings().environment == "production"
    assert up.settings_of(tmp_path).environment == "demo"
    monkeypatch.setenv("TJ_ENVIRONMENT", "production")
    assert up.settings_of(tmp_path).environment == "production"


def test_up_makes_no_demo_of_a_folder_that_a_production_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TJ_ENVIRONMENT", raising=False)
    (tmp_path / "gateway.secret").write_text("x", encoding="ascii")
    assert up.settings_of(tmp_path).environment == "production"


@pytest.mark.parametrize(
    ("key", "is_bad"),
    [
        (b"\0" * 32, True), (b"\x5e" * 32, True), (bytes(range(4)) * 8, True), (b"change-me-change-me-change-me-32", True),
        (b"abcdefghijklmnopqrstuvwxyz012345", True), (bytes(range(100, 240, 4))[:32], False),
    ],
)  # fmt: skip
def test_a_key_that_nobody_drew_is_worthless(key: bytes, is_bad: bool) -> None:
    assert is_worthless(key) is is_bad


def test_no_drawn_key_is_called_worthless() -> None:
    assert not any(is_worthless(secrets.token_bytes(32)) for _ in range(2_000))


def test_production_refuses_default_key_demo_name_and_demo_seal_and_says_each(
    settings: Settings, tmp_path: Path
) -> None:
    make_demo_seal(tmp_path / "seal", "随便什么名字")
    bad = _production(settings, tmp_path, master_key=MASTER_KEY, hospital_name="桂澄中医医院(演示)")
    assert _codes(starting.of_settings(bad)) == ["default-key", "demo-name", "demo-seal"]
    assert starting.of_settings(bad.model_copy(update={"environment": "demo"})) == []
    assert starting.of_settings(_production(settings, tmp_path / "other")) == []


def test_production_without_a_key_or_an_address_says_so(settings: Settings, tmp_path: Path) -> None:
    bare = _production(settings, tmp_path, master_key=None, database_url=None)
    assert _codes(starting.of_settings(bare)) == ["no-address", "no-key"]


def test_a_demo_account_is_one_that_may_sign_in_under_the_demos_name() -> None:
    staff = [("front", "韦前台", "active"), ("doctor", "陆医生", "disabled"), ("chief", "罗主任", "active")]
    assert starting.demo_accounts(staff, [("mini-program", "微信小程序", "active"), ("his", "HIS", "active")]) == [
        "front",
        "mini-program",
    ]


@pytest.mark.requirement("P2")
async def test_production_does_not_start_over_the_demos_accounts(settings: Settings, tmp_path: Path) -> None:
    found = await starting.examine(_production(settings, tmp_path, master_key=MASTER_KEY, database_pool=1))
    assert _codes(found) == ["default-key"]  # what the settings say comes first
    runtime = wiring.build(_production(settings, tmp_path, master_key=MASTER_KEY))
    try:
        found = await starting.of_database(runtime)
    finally:
        await wiring.close(runtime)
    assert _codes(found) == ["demo-accounts"]
    assert all(account[0] in found[0].en for account in demo.STAFF)


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_a_command_ends_with_its_reason_and_no_traceback(
    command: str, settings: Settings, tmp_path: Path
) -> None:
    told = {
        "TJ_STATE": str(tmp_path), "TJ_DATABASE_URL": str(settings.database_url), "TJ_REDIS_URL": str(settings.redis_url),
        "TJ_MASTER_KEY": MASTER_KEY, "TJ_PORT": "0",
    }  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tjapi.cli", command],
        env=kept | told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == starting.EX_CONFIG
    assert "default-key" in ended.stderr
    assert "demo-name" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_database_that_was_not_migrated_is_named_as_such(settings: Settings, tmp_path: Path) -> None:
    name = f"tj_bare_{os.getpid()}"
    postgres = await asyncpg.connect(str(settings.database_url).replace("+asyncpg", ""))
    await postgres.execute(f"create database {name}")
    try:
        url = make_url(str(settings.database_url)).set(database=name).render_as_string(hide_password=False)
        production = _production(settings, tmp_path, master_key=MASTER_KEY, database_url=url)
        runtime = wiring.build(production)
        with pytest.raises(Exception) as trouble:
            await starting.of_database(runtime)
        await wiring.close(runtime)
        assert starting.of_trouble(trouble.value) == starting.NOT_MIGRATED
        elsewhere = _production(settings, tmp_path, database_url=url)  # another key: the roles' passwords are others
        assert _codes(await starting.examine(elsewhere, patient=False)) == ["no-login"]
    finally:
        await postgres.execute(f"drop database {name} with (force)")
        await postgres.close()


@asynccontextmanager
async def _pooler(settings: Settings, folder: Path, mode: str, extra: str = "") -> AsyncIterator[str]:
    """Run a real PgBouncer before this worker's database; yield the address through it."""
    keys = KeyRing(load_master_key(MASTER_KEY, settings.state))
    url, port = make_url(str(settings.database_url)), free_port()
    users = "".join(
        f'"{role_url(settings, keys, r).username}" "{keys.text(f"database-role/{r}")}"\n'
        for r in ("app", "reader", "worker")
    )
    folder.mkdir(mode=0o755)
    (folder / "users.txt").write_text(users, encoding="ascii")
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={url.query['host']} port={url.query['port']}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users.txt\npool_mode = {mode}\nmax_client_conn = 50\n{extra}",
        encoding="ascii",
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    assert POOLER
    argv = [
        POOLER,
        *(["-u", Path(str(url.query["host"])).owner()] if os.geteuid() == 0 else []),
        str(folder / "pgbouncer.ini"),
    ]
    process = await asyncio.to_thread(subprocess.Popen, argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield f"postgresql+asyncpg://127.0.0.1:{port}/{url.database}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)


@pytest.mark.skipif(POOLER is None, reason="needs pgbouncer (`make operator` installs it)")
@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
async def test_behind_a_real_pooler_nothing_starts_and_it_is_said(mode: str, lenient: bool, settings: Settings) -> None:
    extra = "ignore_startup_parameters = extra_float_digits,statement_timeout,application_name,jit\n" if lenient else ""
    folder = settings.state.parent / f"pooler-{mode}-{lenient}"  # where another user may go
    async with _pooler(settings, folder, mode, extra) as url:
        through = settings.model_copy(update={"database_url": url})
        assert await starting.examine(through, patient=False) == [starting.POOLER]
    shutil.rmtree(folder)
    assert await starting.examine(settings) == []


# --- what an answer says about itself, and which pages there are -----------------------------------------------------------


@asynccontextmanager
async def _client(runtime: Runtime, source: str = "127.0.0.1", **changes: object) -> AsyncIterator[httpx.AsyncClient]:
    held = wiring.build(runtime.settings.model_copy(update=changes))
    transport = httpx.ASGITransport(application.create(held), client=(source, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://tjapi") as client:
        yield client
    await wiring.close(held)


@pytest.mark.requirement("P2")
async def test_no_answer_is_kept_by_a_browser_unless_it_says_so(runtime: Runtime) -> None:
    async with _client(runtime) as client:
        for path in ("/api/v1/exams", "/healthz", "/nowhere", "/openapi.json", "/"):
            assert (await client.get(path)).headers.get_list("cache-control") == ["no-store"], path
        assert (await client.get("/redoc.js")).headers["cache-control"] == "public, max-age=86400"
        assert "cache-control" not in (await client.get("/static/swagger-ui.css")).headers


@pytest.mark.parametrize(
    ("public", "seconds", "said"),
    [
        ("https://tj.example", 600, "max-age=600"),
        ("http://tj.example", 600, None),
        (None, 600, None),
        ("https://tj.example", 0, None),
    ],
)
async def test_browsers_are_told_to_keep_to_https_where_it_is_served(
    runtime: Runtime, public: str | None, seconds: int, said: str | None
) -> None:
    async with _client(runtime, public_url=public, hsts_seconds=seconds) as client:
        assert (await client.get("/healthz")).headers.get("strict-transport-security") == said


async def test_the_reference_is_served_where_it_is_set_and_in_the_demo_alone_by_default(runtime: Runtime) -> None:
    pages = ("/docs", "/redoc", "/openapi.json", "/openapi/portal.json", "/static/swagger-ui.css", "/redoc.js")
    for changes, code in (
        ({"environment": "production"}, 404),
        ({"docs": False}, 404),
        ({"environment": "production", "docs": True}, 200),
    ):
        async with _client(runtime, **changes) as client:
            for path in pages:
                if not (code == 200 and path.startswith("/openapi/")):
                    assert (await client.get(path)).status_code == code, (changes, path)
            assert (await client.get("/problems")).status_code == 200  # every refusal links there
            start = (await client.get("/")).text
            assert ("/docs" in start) is (code == 200)


async def test_metrics_are_read_by_named_addresses_alone(runtime: Runtime) -> None:
    through = {"x-forwarded-for": "127.0.0.1"}
    async with _client(runtime) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/metrics", headers=through)).status_code == 404  # a proxy that nobody named
    async with _client(runtime, "10.1.2.3") as client:
        assert (await client.get("/metrics")).status_code == 404
    async with _client(runtime, "10.1.2.3", metrics_peers="10.1.2.0/24") as client:
        assert (await client.get("/metrics")).status_code == 200
    async with _client(runtime, trusted_proxies="127.0.0.1") as client:
        assert (await client.get("/metrics", headers={"x-forwarded-for": "10.9.9.9"})).status_code == 404
        assert (await client.get("/metrics", headers=through)).status_code == 200
    async with _client(runtime, metrics_peers="") as client:
        assert (await client.get("/metrics")).status_code == 404
