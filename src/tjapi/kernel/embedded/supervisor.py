import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

from .errors import EmbeddedError
from .places import StateLock, bound_log, log_path, make_state, open_log, tail
from .spawn import has_ended, kill_group, reap_adopted, spawn

logger = logging.getLogger(__name__)

_WATCH_SECONDS: Final = 0.25
_LOOK_SECONDS: Final = 0.05
_LOG_CHECK_SECONDS: Final = 5.0
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 5.0
_HEALTHY_AFTER: Final = 30.0
_READY_ANSWER_SECONDS: Final = 5.0


@runtime_checkable
class Service(Protocol):
    """What the supervisor runs inside its own process's care: `EmbeddedPostgres` and `EmbeddedValkey`. Its methods may block; they run in threads."""

    @property
    def name(self) -> str:
        """Its name in `processes.json`."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        ...

    def ensure_running(self) -> bool:
        """Start it unless it runs, and tell whether that was needed."""
        ...

    def stop(self) -> None:
        """Stop it in an orderly way."""
        ...

    def kill(self) -> None:
        """Make it end now, without waiting."""
        ...


@dataclass(frozen=True)
class ProcessSpec:
    """A program to keep running.

    `env` is its whole environment. `ready` is asked until it says yes; an exception from it means "not yet". With `restart=False` an
    exit is left alone. After `stop_after` seconds of SIGTERM its whole process group is killed.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]] | None = None
    restart: bool = True
    stop_after: float = 10


class _Backoff:
    """0.1 s doubling to 5 s, and from the start again after 30 s of health."""

    def __init__(self) -> None:
        self._delay = _FIRST_DELAY

    def after(self, healthy_seconds: float) -> float:
        if healthy_seconds >= _HEALTHY_AFTER:
            self._delay = _FIRST_DELAY
        delay, self._delay = self._delay, min(self._delay * 2, _LONGEST_DELAY)
        return delay


class _Kept:
    """A process or service in our care, and the task that watches it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.restarts = 0
        self.started_at = time.time()
        self.started = time.monotonic()
        self.backoff = _Backoff()
        self.watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        raise NotImplementedError

    def mark_started(self) -> None:
        self.started_at, self.started = time.time(), time.monotonic()

    async def stop(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError


class _KeptService(_Kept):
    def __init__(self, service: Service) -> None:
        super().__init__(service.name)
        self.service = service
        self._pending: asyncio.Future[bool] | None = None

    @property
    def pid(self) -> int | None:
        return self.service.pid

    async def ensure_running(self) -> bool:
        self._pending = asyncio.ensure_future(asyncio.to_thread(self.service.ensure_running))
        return await asyncio.shield(self._pending)  # a thread can't be cancelled: `stop` must be able to wait for it

    async def stop(self) -> None:
        await asyncio.to_thread(self.service.stop)
        if self._pending is not None:
            await asyncio.gather(self._pending, return_exceptions=True)
            if (
                self.service.pid is not None
            ):  # it looked after the service just while we stopped it, and started it again
                await asyncio.to_thread(self.service.stop)

    def kill(self) -> None:
        self.service.kill()


class _KeptProcess(_Kept):
    def __init__(self, spec: ProcessSpec, state: Path) -> None:
        super().__init__(spec.name)
        self.spec = spec
        self._state = state
        self.log = log_path(state, spec.name)
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child is not None and self.child.returncode is None else None

    def spawn(self) -> int:
        """Start the program and return where its part of the log begins."""
        log = open_log(self._state, self.name)
        try:
            since = os.fstat(log).st_size
            self.child = spawn(self.spec.argv, env=self.spec.env, stdout=log, death_signal=signal.SIGKILL)
        finally:
            os.close(log)
        self.mark_started()
        return since

    def bury(self) -> int | None:
        """If the child is dead, kill what it left in its group, reap it and return its exit code."""
        if self.child is None or not has_ended(self.child):
            return None
        kill_group(self.child)  # still a zombie, so its id can't be anybody else's group
        return self.child.wait()

    async def stop(self) -> None:
        if self.child is None:
            return
        if not has_ended(self.child):
            os.kill(
                self.child.pid, signal.SIGTERM
            )  # not terminate(): that may reap it, and then its group is out of reach
            deadline = time.monotonic() + self.spec.stop_after
            while not has_ended(self.child) and time.monotonic() < deadline:  # noqa: ASYNC110 - the kernel sets no Event
                await asyncio.sleep(_LOOK_SECONDS / 2)
        if not has_ended(self.child):
            logger.warning("%s did not stop within %.0f s of SIGTERM: killing it", self.name, self.spec.stop_after)
        kill_group(self.child)
        await asyncio.to_thread(self.child.wait)

    def kill(self) -> None:
        if self.child is not None:
            kill_group(self.child)


class Supervisor:
    """Starts services and processes in order, keeps them running, and stops them in reverse order.

    Use it as `async with Supervisor(state) as supervisor:`; leaving the block stops everything. SIGINT and SIGTERM end the block (while it's
    still starting, too); a second one kills at once. Should this process be killed, the kernel ends all children.
    Every process writes to `state/logs/<name>.log`; `state/processes.json` always tells who runs: `{name: {pid, started_at, restarts}}`.
    """

    def __init__(self, state: Path, *, ready_seconds: float = 300) -> None:
        """Describe the supervisor; nothing is started or written. `ready_seconds` is how long a process may take until it's ready."""
        self._state = state.absolute()
        self._ready_seconds = ready_seconds
        self._lock = StateLock(self._state / "supervisor.lock")
        self._kept: list[_Kept] = []
        self._signals = 0
        self._asked_to_stop = asyncio.Event()
        self._main: asyncio.Task[object] | None = None
        self._is_waiting = False
        self._housekeeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Claim the state folder and take over SIGINT and SIGTERM.

        Raises:
            EmbeddedError: another supervisor runs on this state folder.
        """
        make_state(self._state)
        self._lock.acquire()
        self._main = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread: the owner of that one decides
                loop.add_signal_handler(number, self._on_signal)
        self._housekeeping = asyncio.create_task(self._keep_house(), name="supervisor:housekeeping")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Stop everything. A cancellation that a signal caused ends here; everything else goes on its way."""
        loop = asyncio.get_running_loop()
        try:
            await self.stop()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(ValueError, RuntimeError):
                    loop.remove_signal_handler(number)
            self._lock.release()
        if kind is not None and issubclass(kind, asyncio.CancelledError) and self._signals and self._main is not None:
            self._main.uncancel()
            return True
        return False

    async def add(self, service: Service) -> None:
        """Start a service and keep it running.

        Raises:
            EmbeddedError: it can't start.
        """
        kept = _KeptService(service)
        self._register(kept)
        try:
            await kept.ensure_running()
        except Exception:
            self._kept.remove(kept)
            raise
        kept.mark_started()
        self._write()
        kept.watch = asyncio.create_task(self._watch_service(kept), name=f"supervisor:{kept.name}")

    async def start(self, spec: ProcessSpec) -> None:
        """Start a process, wait until it's ready, and keep it running.

        Raises:
            EmbeddedError: there is no such program, it ended before it was ready, or it wasn't ready in time. The message ends
                with the last lines of its log.
        """
        if shutil.which(spec.argv[0], path=spec.env.get("PATH", os.defpath)) is None:
            raise EmbeddedError(f"{spec.name}: there is no program {spec.argv[0]!r} that can be executed.")
        kept = _KeptProcess(spec, self._state)
        self._register(kept)
        try:
            since = kept.spawn()
            self._write()
            await self._await_ready(kept, since)
        except Exception:
            kept.kill()
            await kept.stop()
            self._kept.remove(kept)
            self._write()
            raise
        kept.watch = asyncio.create_task(self._watch_process(kept), name=f"supervisor:{kept.name}")

    async def run_forever(self) -> None:
        """Wait for SIGINT or SIGTERM (or `ask_to_stop`), then stop everything in reverse order."""
        self._is_waiting = True
        try:
            await self._asked_to_stop.wait()
        finally:
            self._is_waiting = False
        await self.stop()

    def ask_to_stop(self) -> None:
        """Make `run_forever` end, as the first SIGTERM does."""
        self._asked_to_stop.set()

    async def stop(self) -> None:
        """Stop everything in reverse order of starting; may be called again."""
        watches = [kept.watch for kept in self._kept if kept.watch is not None]
        if self._housekeeping is not None:
            watches.append(self._housekeeping)
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)  # nobody may restart what we're about to stop
        while self._kept:
            kept = self._kept[-1]
            try:
                await kept.stop()
            except EmbeddedError:
                logger.exception("%s could not be stopped", kept.name)
            self._kept.pop()
            self._write()
        with contextlib.suppress(FileNotFoundError):
            (self._state / "processes.json").unlink()

    def pids(self) -> dict[str, int | None]:
        """Who runs now, in order of starting."""
        return {kept.name: kept.pid for kept in self._kept}

    def _register(self, kept: _Kept) -> None:
        make_state(self._state)
        if any(other.name == kept.name for other in self._kept):
            raise EmbeddedError(f"There is a process named {kept.name!r} already.")
        self._kept.append(kept)

    def _on_signal(self) -> None:
        self._signals += 1
        if self._signals > 1:
            logger.warning("second signal: killing everything now")
            for kept in self._kept:
                kept.kill()
            return
        self._asked_to_stop.set()
        if not self._is_waiting and self._main is not None:
            self._main.cancel()  # still starting: __aexit__ stops what there is

    async def _await_ready(self, kept: _KeptProcess, since: int) -> None:
        spec, last_error = kept.spec, ""
        deadline = time.monotonic() + self._ready_seconds
        while True:
            exit_code = kept.bury()
            if exit_code is not None and (spec.restart or spec.ready is not None):
                raise EmbeddedError(
                    f"{spec.name} ended with exit code {exit_code} before it was ready. {self._log_end(kept, since)}"
                )
            if spec.ready is None:
                return
            try:
                if await asyncio.wait_for(spec.ready(), _READY_ANSWER_SECONDS):
                    return
            except Exception as error:  # noqa: BLE001 - refused, reset, not found, half an answer: all mean "not yet"
                last_error = f" (last: {type(error).__name__}: {error})"
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{spec.name} wasn't ready in {self._ready_seconds:.0f} s{last_error}. {self._log_end(kept, since)}"
                )
            await asyncio.sleep(_LOOK_SECONDS)

    def _log_end(self, kept: _KeptProcess, since: int) -> str:
        return f"Its log ({kept.log}) ends with:\n{tail(kept.log, since=since) or '(nothing)'}"

    async def _watch_process(self, kept: _KeptProcess) -> None:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if time.monotonic() - checked > _LOG_CHECK_SECONDS:
                checked = time.monotonic()
                bound_log(kept.log)
            exit_code = kept.bury()
            if exit_code is None:
                continue
            if not kept.spec.restart:
                logger.info("%s ended with exit code %s", kept.name, exit_code)
                self._write()
                return
            delay = kept.backoff.after(time.monotonic() - kept.started)
            logger.warning("%s ended with exit code %s; starting it again in %.1f s", kept.name, exit_code, delay)
            await asyncio.sleep(delay)
            try:
                kept.spawn()
            except OSError:
                logger.exception("%s could not be started", kept.name)
                continue
            kept.restarts += 1
            self._write()

    async def _watch_service(self, kept: _KeptService) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                restarted = await kept.ensure_running()
            except Exception:
                delay = kept.backoff.after(time.monotonic() - kept.started)
                logger.exception("%s could not be kept running; trying again in %.1f s", kept.name, delay)
                await asyncio.sleep(delay)
                continue
            if restarted:
                kept.restarts += 1
                kept.mark_started()
                logger.warning("%s was started again as process %s", kept.name, kept.pid)
                self._write()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_SECONDS / 5)
            reap_adopted()

    def _write(self) -> None:
        rows = {
            kept.name: {"pid": kept.pid, "started_at": round(kept.started_at, 3), "restarts": kept.restarts}
            for kept in self._kept
        }
        path = self._state / "processes.json"
        draft = path.with_suffix(".json.draft")
        draft.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
