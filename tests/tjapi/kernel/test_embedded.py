"""The embedded runtime with real processes: nothing is faked, and nothing may be left behind."""

import asyncio
import contextlib
import json
import logging
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
import redis.asyncio
import sqlalchemy as sa
from arq.connections import RedisSettings
from sqlalchemy.ext.asyncio import create_async_engine

from tjapi.kernel.embedded import (
    EmbeddedError,
    EmbeddedPostgres,
    EmbeddedValkey,
    ProcessSpec,
    Service,
    Supervisor,
    free_port,
    places,
    postgres,
    spawn,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it's about giving root up")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user: it's about what root may not see")


@pytest.fixture
def state() -> Iterator[Path]:
    # Not tmp_path: pytest keeps that under a 0700 folder, which is a case of its own below.
    folder = Path(tempfile.mkdtemp(prefix="tj-"))
    folder.chmod(0o711)
    yield folder
    left = using(folder)
    for link in folder.glob("*"):
        if link.is_symlink():
            shutil.rmtree(link.resolve())
    shutil.rmtree(folder)
    assert not left, f"left running: {left}"


def using(folder: Path) -> list[str]:
    """Everything alive that works in, was started from or writes a log in `folder`."""
    found = []
    homes = [str(folder), *(str(link.resolve()) for link in folder.glob("*") if link.is_symlink())]
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [process.cwd(), *process.cmdline()] if process.pid != os.getpid() else []
            if any(home in word for home in homes for word in words):
                found.append(f"{process.pid} {process.cmdline()[:6]}")
    return found


def sockets(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_socket()]


def eventually(question: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.02)
    return question()


async def becomes(question: Callable[[], bool], seconds: float = 10) -> bool:
    return await asyncio.to_thread(eventually, question, seconds)


async def ask(server: EmbeddedPostgres, *sentences: str) -> object:
    connection = await asyncpg.connect(
        host=str(server.socket_dir),
        port=server.port,
        user=server.superuser,
        password=server.superuser_password,
        database="postgres",
    )
    try:
        answer: object = None
        for sentence in sentences:
            answer = await connection.fetchval(sentence)
        return answer
    finally:
        await connection.close()


def a_postgres(state: Path, **settings: str) -> EmbeddedPostgres:
    return EmbeddedPostgres(state, fsync=False, settings={"shared_buffers": "16MB", **settings})


async def test_postgres_lives_through_start_stop_and_kill(state: Path) -> None:
    server = a_postgres(state, synchronous_commit="on")
    server.start()
    try:
        assert (server.home.stat().st_mode & 0o777, server.socket_dir.stat().st_mode & 0o777) == (0o700, 0o700)
        assert (server.home / "superuser.password").stat().st_mode & 0o777 == 0o600
        assert await ask(server, "show listen_addresses") == ""
        assert await ask(server, "show data_checksums") == "on"
        assert await ask(server, "show summarize_wal") == "on"
        assert await ask(server, "select 'ÄÖ' ~ '^\\w+$' and lower('ÄÖ') = 'äö'") is True
        trigrams = await ask(
            server, "create extension pg_trgm", "create extension pg_stat_statements", "select show_trgm('张三丰')"
        )
        assert trigrams, "pg_trgm must see letters in Chinese names"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host=str(server.socket_dir), port=server.port, user="postgres", password="guess", database="postgres"
            )

        engine = create_async_engine(server.url(server.superuser, server.superuser_password, "postgres"))
        async with engine.begin() as connection:
            await connection.execute(sa.text("create table kept (n int primary key)"))
            await connection.execute(sa.text("insert into kept values (42)"))
        await engine.dispose()
    finally:
        server.stop()
    assert not using(state)
    assert not sockets(state)
    assert [server.pid] == [None]  # in a list: mypy would take it for settled

    begun = time.monotonic()
    server.start()
    assert time.monotonic() - begun < 2
    try:
        assert await ask(server, "select n from kept") == 42
        assert server.ensure_running() is False

        # A backend that is busy in a query doesn't notice its postmaster's death at once: it must not block the next one.
        busy = asyncio.create_task(ask(server, "select sum(i) from generate_series(1, 100000000) i"))
        await asyncio.sleep(0.2)
        await ask(server, "insert into kept values (43)")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(server.ensure_running)
        with contextlib.suppress(Exception):
            await busy
        assert await ask(server, "select max(n) from kept") == 43
    finally:
        server.stop()


async def test_the_log_says_nothing_personal(state: Path) -> None:
    server = a_postgres(state)
    server.start()
    try:
        await ask(
            server, "create table person (id_number text unique)", "insert into person values ('310101199001011234')"
        )
        with pytest.raises(asyncpg.UniqueViolationError):
            await ask(server, "insert into person values ('310101199001011234')")
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await ask(server, "select '310101x'::int")
        await ask(server, "create role somebody password 'hunter2'", "create extension pg_stat_statements")
        assert (
            await ask(
                server,
                "select count(*) from pg_stat_statements where query like '%hunter2%' and query not like 'select%'",
            )
            == 0
        )
    finally:
        server.stop()
    said = server.log.read_text()
    assert "ready to accept connections" in said
    assert "310101" not in said
    assert "hunter2" not in said


def test_an_interrupted_first_start_is_mended(state: Path) -> None:
    server = a_postgres(state)
    program = f"from pathlib import Path\nfrom tjapi.kernel.embedded import EmbeddedPostgres\nEmbeddedPostgres(Path({str(state)!r})).start()"
    with subprocess.Popen([sys.executable, "-c", program]) as first:
        assert eventually(lambda: any((state / "postgres").glob("data.init-*/base")))
        first.kill()
    assert not server.data_dir.exists()
    server.start()
    server.stop()
    assert not list(server.home.glob("data.init-*"))


def test_a_stale_pid_file_naming_a_living_process_does_not_block(state: Path) -> None:
    server = a_postgres(state)
    server.start()
    server.stop()
    (server.data_dir / "postmaster.pid").write_text(f"{os.getppid()}\n{server.data_dir}\n")
    server.start()
    server.stop()


def test_a_second_start_on_the_same_state_is_refused(state: Path) -> None:
    first, second = EmbeddedValkey(state), EmbeddedValkey(state)
    first.start()
    try:
        with pytest.raises(EmbeddedError, match="already run"):
            second.start()
        with pytest.raises(EmbeddedError, match="already run"):
            first.start()
        assert first.pid is not None, "the refused one must not harm the first"
        assert redis.Redis.from_url(first.url).ping()
    finally:
        first.stop()
    second.start()
    second.stop()


async def test_a_state_path_too_long_or_too_strange_for_a_socket(state: Path) -> None:
    for name in ("x" * 120, "体检, a 'b' \"c\" %d"):
        deep = state / name
        database, cache = a_postgres(deep), EmbeddedValkey(deep, password='p"w /张')
        try:
            database.start()
            cache.start()
            assert database.socket_dir != database.home / "run"
            assert database.socket_dir.stat().st_mode & 0o777 == 0o700
            assert await ask(database, "select 1") == 1
            assert redis.Redis.from_url(cache.url).ping()
        finally:
            cache.stop()
            database.stop()
        assert not database.socket_dir.exists()
        assert not cache.socket_dir.exists()


def test_somebody_elses_socket_folder_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_SOCKET_PATH_LIMIT", 80)
    server = EmbeddedValkey(state / ("x" * 60))
    server.socket_dir.symlink_to("/etc")
    try:
        with pytest.raises(EmbeddedError, match="remove it"):
            server.start()
    finally:
        server.socket_dir.unlink(missing_ok=True)
    server.start()
    server.stop()


async def test_valkey(state: Path) -> None:
    server = EmbeddedValkey(state)
    server.start()
    try:
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        client = redis.asyncio.Redis.from_url(server.url)
        assert await client.ping()
        assert (await client.config_get("maxmemory"))["maxmemory"] == str(128 * 1024 * 1024)
        assert (await client.config_get("save"))["save"] == ""
        await client.aclose()
        assert RedisSettings.from_dsn(server.url).unix_socket_path == str(server.socket_path)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(server.ensure_running)
        server.socket_path.unlink()
        assert server.ensure_running(), "a server that nobody can reach isn't up"
        assert redis.Redis.from_url(server.url).ping()
    finally:
        server.stop()
    assert not sockets(state)
    assert not using(state)


def test_a_server_started_from_a_short_lived_thread_stays(state: Path) -> None:
    server = EmbeddedValkey(state)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    try:
        time.sleep(0.3)
        assert server.ensure_running() is False, "the kernel killed it with the thread that forked it"
    finally:
        server.stop()


def script(state: Path, body: str) -> list[str]:
    """A Python program for a supervised process; the state path marks it as ours in the process list."""
    return [sys.executable, "-c", textwrap.dedent(body), str(state)]


SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]])
    print("up", flush=True)
    time.sleep(600)
"""


async def test_the_supervisor_restarts_what_dies_and_stops_all(state: Path) -> None:
    def rows() -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = json.loads((state / "processes.json").read_text())
        return found

    def restarted(name: str) -> bool:
        return rows()[name]["restarts"] == 1

    cache = EmbeddedValkey(state)
    assert isinstance(cache, Service)
    async with Supervisor(state) as supervisor:
        await supervisor.add(cache)
        log = state / "logs" / "worker.log"

        async def up() -> bool:
            return log.exists() and "up" in log.read_text()

        await supervisor.start(
            ProcessSpec("worker", script(state, STUBBORN), dict(os.environ), ready=up, stop_after=0.3)
        )
        await supervisor.start(ProcessSpec("once", [sys.executable, "-c", "pass"], {}, restart=False))
        with pytest.raises(EmbeddedError, match="already"):
            await supervisor.start(ProcessSpec("worker", script(state, SLEEPER), {}))
        assert rows()["worker"] == {
            "pid": supervisor.pids()["worker"],
            "started_at": pytest.approx(time.time(), abs=5),
            "restarts": 0,
        }

        for name in ("worker", "valkey"):
            before = supervisor.pids()[name]
            assert before
            os.kill(before, signal.SIGKILL)
            assert await becomes(partial(restarted, name))
            assert supervisor.pids()[name] not in {None, before}
        assert len([line for line in using(state) if "time.sleep" in line]) <= 4, (
            "the first worker's child was killed with it"
        )
        assert await becomes(lambda: rows()["once"]["pid"] is None)
        assert redis.Redis.from_url(cache.url).ping()
    assert not using(state)
    assert not sockets(state)
    assert not (state / "processes.json").exists()


async def test_the_supervisor_says_why_a_process_did_not_start(state: Path) -> None:
    async def never() -> bool:
        raise ConnectionRefusedError("nobody there")

    async with Supervisor(state, ready_seconds=0.3) as supervisor:
        with pytest.raises(EmbeddedError, match=r"exit code 3 before it was ready[\s\S]*port is taken"):
            await supervisor.start(
                ProcessSpec("a", script(state, "import sys; print('port is taken'); sys.exit(3)"), {}, ready=never)
            )
        with pytest.raises(EmbeddedError, match=r"wasn't ready in 0 s.*nobody there"):
            await supervisor.start(ProcessSpec("a", script(state, SLEEPER), {}, ready=never))
        with pytest.raises(EmbeddedError, match="no program 'no-such-thing'"):
            await supervisor.start(ProcessSpec("a", ["no-such-thing"], {}))
        assert supervisor.pids() == {}
        with pytest.raises(EmbeddedError, match="supervisor is already run"):
            await Supervisor(state).__aenter__()
    assert not using(state)


WHOLE = """
    import asyncio, logging, os, sys
    from pathlib import Path
    from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey, ProcessSpec, Supervisor
    logging.basicConfig()
    state = Path(sys.argv[1])
    async def main():
        async with Supervisor(state) as supervisor:
            await supervisor.add(EmbeddedPostgres(state, fsync=False))
            await supervisor.add(EmbeddedValkey(state))
            await supervisor.start(ProcessSpec("sleeper", [sys.executable, "-c", "import time; time.sleep(600)", str(state)], dict(os.environ)))
            await supervisor.start(ProcessSpec("deaf", [
                sys.executable, "-c",
                "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(__import__('sys').argv[1] + '/deaf', 'w'); time.sleep(600)",
                str(state)], dict(os.environ), stop_after=30))
            (state / "all-up").touch()
            await supervisor.run_forever()
        print("orderly", flush=True)
    asyncio.run(main())
"""


@contextlib.contextmanager
def whole(state: Path, wait_for: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(script(state, WHOLE), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert eventually((state / wait_for).exists), "the supervisor did not come up"
            yield process
        finally:
            process.kill()


def test_a_killed_supervisor_leaves_nothing_and_the_next_one_starts(state: Path) -> None:
    with whole(state, "all-up") as process:
        process.kill()
        process.wait()
        assert eventually(lambda: not using(state), 5), using(state)
    (state / "all-up").unlink()
    (state / "deaf").unlink(missing_ok=True)
    with whole(state, "deaf") as process:
        assert eventually((state / "all-up").exists)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None, "it waits for the deaf one"
        process.send_signal(signal.SIGTERM)  # the second signal is the last word
        assert process.wait(5) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "orderly\n"
    assert not using(state)
    assert not sockets(state)


def test_a_signal_while_starting_stops_what_there_is(state: Path) -> None:
    with whole(state, "postgres/superuser.password") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "orderly\n"
    assert not (state / "all-up").exists()
    assert not using(state)


def test_children_start_with_clean_signals_and_their_own_environment(state: Path) -> None:
    body = "import os, signal; print(sorted(os.environ), signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL, os.getpid() == os.getsid(0))"
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        code, said = spawn.run(
            [sys.executable, "-I", "-X", "utf8", "-c", body], env={"A": "1", "LC_ALL": "C"}, cwd=state
        )
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (code, said.strip()) == (0, "['A', 'LC_ALL'] True True")
    code, said = spawn.run(["/no/such/program"], env={}, cwd=state)
    assert code == 126
    assert "could not start /no/such/program" in said


def test_logs_are_bounded(state: Path) -> None:
    path = state / "chatty.log"
    with path.open("ab", buffering=0) as writer:
        for number in range(6):
            writer.write(b"%d" % number * 1000)
            places.bound_log(path, limit=500)
        writer.write(b"end")
    assert path.read_bytes() == b"end", "an appending writer goes on at the start of the emptied file"
    assert sorted(file.name for file in state.iterdir()) == [
        "chatty.log",
        "chatty.log.1",
        "chatty.log.2",
        "chatty.log.3",
    ]
    assert places.tail(path.with_name("chatty.log.1")).startswith("5555")


def test_without_shared_memory_dynamic_segments_are_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_SHM_WANTED", 1 << 62)
    assert postgres._dynamic_shared_memory() == "mmap"


def test_free_port() -> None:
    assert 1024 <= free_port() <= 65535
    assert 1024 <= free_port("localhost") <= 65535


@pytest.mark.skipif(not Path("/proc/sys/net/ipv4/ip_local_port_range").exists(), reason="the system does not say")
def test_a_free_port_is_none_that_an_outgoing_connection_may_be_given_before_it_is_bound() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = [free_port() for _ in range(50)]
    assert all(port < first for port in found)
    with socket.create_server(("127.0.0.1", found[0])) as taken:
        assert taken.getsockname()[1] == found[0]


def test_an_unknown_user_is_told_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(EmbeddedError, match="no entry in /etc/passwd"):
        spawn.account_for(None)


@as_root
async def test_root_gives_root_up_and_finds_room_where_the_account_may_go(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = state / "home"
    home.mkdir(mode=0o700)
    link = home / "state" / "postgres"
    server = a_postgres(home / "state")
    wheel = postgres._wheel()
    hidden = home / "site-packages"
    shutil.copytree(wheel, hidden / wheel.parent.name / wheel.name, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(wheel.parent.parent / f"{wheel.parent.name}.libs", hidden / f"{wheel.parent.name}.libs")
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(postgres, "_wheel", lambda: hidden / wheel.parent.name / wheel.name)
        server.start()
        try:
            assert server.pid is not None
            account = pwd.getpwuid(psutil.Process(server.pid).uids().real)
            assert account.pw_name in {"postgres", "nobody"}
            assert psutil.Process(server.pid).exe().startswith(f"{link.resolve()}/binaries-")
            assert link.is_symlink()
            assert str(link.resolve()).startswith(("/var/lib/tjapi-", "/var/tmp/tjapi-"))
            assert any(str(link.resolve()) in message for message in caplog.messages)
            assert await ask(server, "select 1") == 1
            assert server.data_dir.stat().st_uid == account.pw_uid
            assert home.stat().st_mode & 0o777 == 0o700, "no folder above is opened"
        finally:
            server.stop()
            shutil.rmtree(link.resolve())
        with pytest.raises(EmbeddedError, match="is gone"):
            server.start()


@as_user
def test_data_of_another_user_are_refused(state: Path) -> None:
    state.chmod(0o700)
    (state / "postgres").symlink_to("/root" if Path("/root").exists() else "/")
    with pytest.raises(EmbeddedError):
        a_postgres(state).start()
    (state / "postgres").unlink()
