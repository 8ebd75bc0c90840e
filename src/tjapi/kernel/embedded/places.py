import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from .errors import EmbeddedError

_SOCKET_PATH_LIMIT: Final = 107  # sockaddr_un has 108 bytes, one of them the final NUL
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]+")
LOG_LIMIT: Final = 10 * 1024 * 1024
_LOGS_KEPT: Final = 3


class StateLock:
    """At most one living process runs a server on a state folder; the kernel lets go of the lock when that process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether we have it."""
        return self._fd is not None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            EmbeddedError: somebody has it.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 32).decode(errors="replace").strip()
            os.close(fd)
            raise EmbeddedError(
                f"{self._path.stem} is already run from {self._path.parent}"
                f"{f' by process {holder}' if holder else ''}: stop that one first, or choose another state folder."
            ) from None
        _belongs_to_owner_of(self._path.parent, fd)
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Let go; the file stays, because removing a locked file lets two processes hold "the" lock."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def _belongs_to_owner_of(folder: Path, fd: int) -> None:
    """As root in somebody's state folder, leave them the files: `sudo` once must not lock them out for good."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(fd, owner.st_uid, owner.st_gid)


def make_state(state: Path) -> None:
    """Make the state folder if it isn't there. As root it may be entered (not listed) by all: PostgreSQL runs as another account inside it."""
    if not state.is_dir():
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o711 if os.geteuid() == 0 else 0o700)


def socket_folder(home: Path, longest_name: str) -> Path:
    """Where a server under `home` puts its socket: `home/run`, or a short folder in the system's temporary one.

    The short one is for paths a socket can't have (over 107 bytes) and for characters that some client or configuration
    file would read as something else (blanks, commas, Chinese). It's the same for the same `home` every time.
    """
    usual = home / "run"
    if _PLAIN.fullmatch(str(usual)) and len(os.fsencode(usual / longest_name)) <= _SOCKET_PATH_LIMIT:
        return usual
    key = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    short = Path(tempfile.gettempdir(), f"tjapi-{os.geteuid()}-{key}")
    if not _PLAIN.fullmatch(str(short)) or len(os.fsencode(short / longest_name)) > _SOCKET_PATH_LIMIT:
        short = Path("/tmp", short.name)  # noqa: S108 - its owner and mode are checked before use
    return short


def private_folder(path: Path, owner: tuple[int, int] | None = None) -> None:
    """Make `path` a folder that only `owner` (user and group id; by default we) may enter.

    Raises:
        EmbeddedError: it's there but a link, a file, or somebody else's.
    """
    uid, gid = owner or (os.geteuid(), os.getegid())
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    # Opened without following links and changed through the descriptor: in a shared folder the name may be swapped under us.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise EmbeddedError(
            f"{path} should be a folder of ours but can't be used as one ({error.strerror}): remove it."
        ) from error
    try:
        found = os.fstat(fd)
        if found.st_uid not in {uid, os.geteuid()}:
            raise EmbeddedError(
                f"{path} belongs to user id {found.st_uid}, not to {uid}: run as its owner, or remove it."
            )
        if found.st_uid != uid:
            os.fchown(fd, uid, gid)
        if stat.S_IMODE(found.st_mode) != 0o700:  # noqa: PLR2004
            os.fchmod(fd, 0o700)
    finally:
        os.close(fd)


def write_private(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Write a 0600 file whole or not at all, durably."""
    fd, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if owner:
                os.fchown(file.fileno(), *owner)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames inside `path` survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def chown_tree(path: Path, uid: int, gid: int) -> None:
    """Give `path` and all below it to somebody, without following links."""
    os.lchown(path, uid, gid)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.lchown(Path(folder, name), uid, gid)


def log_path(state: Path, name: str) -> Path:
    """Where the output of `name` goes."""
    return state / "logs" / f"{name}.log"


def open_log(state: Path, name: str) -> int:
    """Open the log of `name` for appending and return the file descriptor; the caller closes it."""
    path = log_path(state, name)
    made = not path.parent.is_dir()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if made:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        _belongs_to_owner_of(state, folder)
        os.close(folder)
    bound_log(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    _belongs_to_owner_of(path.parent, fd)
    return fd


def bound_log(path: Path, limit: int = LOG_LIMIT) -> None:
    """Rotate a log over `limit` bytes: copied to `.1` and emptied in place.

    In place, because a running server keeps its descriptor. It appends, so it goes on at the new end; a line written in the
    instant between copy and cut is lost, which is the price of needing nobody's help.
    """
    try:
        if path.stat().st_size <= limit:
            return
    except FileNotFoundError:
        return
    for number in range(_LOGS_KEPT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    path.with_name(f"{path.name}.1").chmod(0o600)
    os.truncate(path, 0)


def tail(path: Path, *, since: int = 0, lines: int = 15) -> str:
    """Return the last lines of a log, none of them before byte `since`."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= size else 0, size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
