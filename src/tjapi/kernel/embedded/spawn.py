import os
import pwd
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from .errors import EmbeddedError

_LAUNCH: Final = Path(__file__).with_name("_launch.py")
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Account:
    """A user of this machine that a server may run as."""

    name: str
    uid: int
    gid: int


class _Spawner:
    """One thread that lives as long as the process and forks every child.

    The kernel ties PR_SET_PDEATHSIG to the *thread* that forked: a child started from a pool's worker would be killed when that worker retires.
    """

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._requests = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="tjapi-spawner", daemon=True).start()

    def _serve(self) -> None:
        while True:
            start, answer = self._requests.get()
            try:
                answer.set_result(start())
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked
                answer.set_exception(error)
            del start, answer  # an idle thread must not keep the last child alive

    def start(self, popen: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._requests.put((popen, answer))
        return answer.result()


_spawner: _Spawner | None = None
_spawner_guard = threading.Lock()
_children: dict[int, subprocess.Popen[bytes]] = {}


def _forget_after_fork() -> None:
    global _spawner, _spawner_guard  # noqa: PLW0603 - a forked copy of us has no spawner thread and owns no children
    _spawner = None
    _spawner_guard = threading.Lock()
    _children.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


def _the_spawner() -> _Spawner:
    global _spawner  # noqa: PLW0603 - one per process is the point
    with _spawner_guard:
        if _spawner is None:
            _spawner = _Spawner()
        return _spawner


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.STDOUT,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a direct child in a session of its own; it gets `death_signal` should this process end without stopping it.

    May be called from any thread. A program that can't be executed shows as exit code 126 and a line on stderr.
    """
    who = (account.uid, account.gid) if account else (-1, -1)
    prefix = [
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCH),
        str(os.getpid()),
        str(int(death_signal)),
        str(who[0]),
        str(who[1]),
    ]
    command = [*prefix, env.get("LC_CTYPE", ""), *argv]

    def popen() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            close_fds=True,
        )

    child = _the_spawner().start(popen)
    for pid in [pid for pid, old in _children.items() if old.returncode is not None]:
        _children.pop(pid, None)
    _children[child.pid] = child
    return child


def run(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, account: Account | None = None, seconds: float = 120
) -> tuple[int, str]:
    """Run a tool to its end and return its exit code and everything it said."""
    child = spawn(argv, env=env, cwd=cwd, stdout=subprocess.PIPE, account=account)
    try:
        said, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(child)
        said, _ = child.communicate()
        return -signal.SIGKILL, f"{argv[0]} took more than {seconds:.0f} s\n{said.decode(errors='replace')}"
    return child.returncode, said.decode(errors="replace")


def kill_group(child: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> None:
    """Signal the child and everything that stayed in its process group; call it before the child is reaped, while its id can't be reused."""
    if child.returncode is None:
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            child.send_signal(number)


def has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Tell whether the child is dead *without* reaping it, so that its group can still be signalled safely."""
    if child.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def reap_adopted() -> None:
    """As process 1 of a container, bury orphans that the kernel handed to us; anywhere else, do nothing."""
    if os.getpid() != 1:
        return
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in _children:  # our own are reaped by whoever watches them
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def processes_in(folder: Path, executable: str) -> list[int]:
    """Process ids whose working directory is `folder` and whose program is called `executable`: a server's orphans, however they were lost."""
    if not _PROC.is_dir():
        return []
    wanted, found = str(folder), []
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit():
            continue
        try:
            # Zombies have no cwd; other people's processes refuse: neither is ours to end.
            if str(Path(entry.path, "cwd").readlink()) != wanted:
                continue
            program = str(Path(entry.path, "exe").readlink()).removesuffix(" (deleted)")
        except OSError:
            continue
        if program.rpartition("/")[2] == executable:
            found.append(int(entry.name))
    return found


def account_for(owner: int | None) -> Account | None:
    """Choose who a server that refuses root runs as: nobody else (`None`) unless we are root.

    As root: the account that owns the data already, else `postgres`, else `nobody`.

    Raises:
        EmbeddedError: our own user id, or as root every candidate, is missing in the user database.
    """
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise EmbeddedError(
                f"PostgreSQL can't run as user id {os.geteuid()} because it has no entry in /etc/passwd: add one, run as a named user or as root, "
                "or use a server of your own with TJ_DATABASE_URL."
            ) from None
        return None
    candidates: list[Callable[[], pwd.struct_passwd]] = [
        lambda: pwd.getpwnam("postgres"),
        lambda: pwd.getpwnam("nobody"),
    ]
    if owner:
        candidates.insert(0, lambda: pwd.getpwuid(owner))
    for candidate in candidates:
        try:
            entry = candidate()
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root and this machine has neither a `postgres` nor a `nobody` account: add one, start as an ordinary "
        "user, or use a server of your own with TJ_DATABASE_URL."
    )
