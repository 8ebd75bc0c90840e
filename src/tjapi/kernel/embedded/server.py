import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from .errors import EmbeddedError
from .places import StateLock, bound_log, log_path, make_state, open_log, private_folder, socket_folder, tail
from .spawn import kill_group, processes_in, reap_adopted

logger = logging.getLogger(__name__)
_ATTEMPTS: Final = 5


class EmbeddedServer(ABC):
    """A database server that lives and dies with this process, reachable by a unix socket only.

    All methods may be called from any thread. Everything it keeps is under `state/<name>`, its log is `state/logs/<name>.log`.
    """

    executable: ClassVar[str]
    """What the program is called in the process list."""
    farewell: ClassVar[Sequence[tuple[signal.Signals, float]]]
    """How to stop it: a signal and how many seconds it gets, mildest first; SIGKILL comes after the last."""
    abrupt: ClassVar[signal.Signals]
    """Ends it at once, but lets it end its own children."""
    death_signal: ClassVar[signal.Signals]
    """What the kernel sends it when this process dies."""
    start_seconds: ClassVar[float]
    passing_troubles: ClassVar[Sequence[str]]
    """What its log says when a start that failed may succeed in a moment: a killed predecessor is dying but not dead."""

    def __init__(self, state: Path, name: str) -> None:
        self._state = state.absolute()
        self._name = name
        self._guard = threading.RLock()
        self._abandon = threading.Event()
        self._lock = StateLock(self._state / f"{name}.lock")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The name of its folder in the state, of its log, and of its row in `processes.json`."""
        return self._name

    @property
    def home(self) -> Path:
        """The real folder behind `state/<name>`."""
        return (self._state / self._name).resolve()

    @property
    def socket_dir(self) -> Path:
        """The folder (0700) with the socket: under the state, or a short one under the temporary folder where that path can't be a socket's."""
        return socket_folder(self.home, self.socket_path_name)

    @property
    def socket_path(self) -> Path:
        """The socket."""
        return self.socket_dir / self.socket_path_name

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def log(self) -> Path:
        """Its log file."""
        return log_path(self._state, self._name)

    def start(self) -> None:
        """Start and wait until it takes connections; on first use make its data, and mend what a kill or a power cut left.

        Raises:
            EmbeddedError: this state folder's server is running already (here or in another process), or it can't start;
                the message ends with the last lines of its log.
        """
        with self._guard:
            if self._is_up():
                raise EmbeddedError(f"{self._name} is already run from {self._state} by this process.")
            self._abandon.clear()
            self._start()

    def ensure_running(self) -> bool:
        """Start it unless it runs; restart it where it died. Cheap when all is well.

        Returns:
            Whether it had to be started.

        Raises:
            EmbeddedError: as for `start`.
        """
        with self._guard:
            if self._is_up():
                bound_log(self.log)
                return False
            self._start()
            return True

    def stop(self) -> None:
        """Stop it in an orderly way, by force if that takes too long; nothing of it is left running and no socket is left behind."""
        self._abandon.set()  # before the lock: a start that waits for a long recovery holds it
        with self._guard:
            process, self._process = self._process, None
            if process is not None:
                self._end(process)
            if self._lock.held:
                self._end_strays()
                self._sweep()
                self._lock.release()
            self._abandon.clear()

    def kill(self) -> None:
        """Make it end now, without waiting for it or for anybody who is starting or stopping it; call `stop` to clean up."""
        self._abandon.set()
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(self.abrupt)

    # What a server must say about itself.

    @property
    @abstractmethod
    def socket_path_name(self) -> str:
        """File name of the socket."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make or mend folders, binaries and data; we hold the lock and no server runs."""

    @abstractmethod
    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        """Start the program with its output to `log`."""

    @abstractmethod
    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether this very process takes connections."""

    @property
    @abstractmethod
    def _working_folder(self) -> Path:
        """Where the server's processes have their working directory: how its orphans are found."""

    def _owner(self) -> tuple[int, int] | None:
        """User and group id of the server, if not ours."""
        return None

    # Shared.

    def _is_up(self) -> bool:
        # Without its socket (someone swept the temporary folder) a server runs but nobody can reach it: that's not up.
        return self._process is not None and self._process.poll() is None and self.socket_path.exists()

    def _start(self) -> None:
        try:
            self._start_or_fail()
        except OSError as error:  # PermissionError above all: the state is another user's
            raise EmbeddedError(
                f"{self._name} can't start as user id {os.geteuid()}: {error}. Is {self._state} another user's, or the disk full?"
            ) from error

    def _start_or_fail(self) -> None:
        make_state(self._state)
        if self._process is not None:
            died, self._process = self._process, None
            logger.warning(
                "%s (process %s) is gone or out of reach, exit code %s: starting it again",
                self._name,
                died.pid,
                died.poll(),
            )
            self._end(died)
        if not self._lock.held:
            self._lock.acquire()
        try:
            self._end_strays()
            self._prepare()
            self._start_prepared()
        except BaseException:
            if self._process is None:
                self._sweep()
                self._lock.release()
            raise

    def _start_prepared(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        for attempt in range(1, _ATTEMPTS + 1):
            private_folder(self.socket_dir, self._owner())
            self._end_strays()
            self.socket_path.unlink(missing_ok=True)
            log = open_log(self._state, self._name)
            since = os.fstat(log).st_size
            try:
                process = self._spawn(log)
            finally:
                os.close(log)
            try:
                ready = self._await_ready(process, deadline)
            except BaseException:
                self._end(process)
                raise
            if ready:
                self._process = process
                return
            exit_code = process.poll()
            if exit_code is None:
                self._end(process)
            said = tail(self.log, since=since)
            if (
                exit_code is not None
                and attempt < _ATTEMPTS
                and any(trouble in said for trouble in self.passing_troubles)
            ):
                self._abandon.wait(0.3 * attempt)
                continue
            how = (
                f"ended with exit code {exit_code}"
                if exit_code is not None
                else f"wasn't ready in {self.start_seconds:.0f} s"
            )
            if self._abandon.is_set():
                how = "was stopped while it started"
            raise EmbeddedError(f"{self._name} {how}. Its log ({self.log}) ends with:\n{said}")

    def _await_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        while time.monotonic() < deadline and not self._abandon.is_set():
            if process.poll() is not None:
                return False
            if self._is_ready(process):
                return True
            time.sleep(0.02)
        return False

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for number, seconds in self.farewell:
            if process.poll() is not None:
                break
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        if process.poll() is None:
            kill_group(process)
            process.wait()

    def _end_strays(self) -> None:
        """End servers on our data that aren't our children: a killed predecessor's, or the backends of a killed PostgreSQL.

        We hold the lock, so nobody living is responsible for them. They have usually been told to stop and need a moment.
        """
        for number, seconds in ((None, self._patience()), (self.abrupt, 5.0), (signal.SIGKILL, 5.0)):
            strays = self._strays()
            for pid in strays if number is not None else ():
                logger.warning("%s: ending process %s, left by a run that was killed", self._name, pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number or signal.SIGKILL)
            deadline = time.monotonic() + seconds
            while strays and time.monotonic() < deadline:
                time.sleep(0.02)
                reap_adopted()
                strays = self._strays()
            if not strays:
                return
        raise EmbeddedError(
            f"{self._name}: processes {self._strays()} still use {self._working_folder} and can't be ended: end them by hand."
        )

    def _patience(self) -> float:
        """How many seconds orphans get to leave by themselves."""
        return 5.0

    def _strays(self) -> list[int]:
        return processes_in(self._working_folder, self.executable)

    def _sweep(self) -> None:
        """Remove what a killed server couldn't."""
        folder = self.socket_dir
        for leftover in (self.socket_path, folder / f"{self.socket_path_name}.lock"):
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)
        if folder.parent != self.home:
            with contextlib.suppress(OSError):
                folder.rmdir()
