"""The pool: a few children kept warm, one piece of work in each at a time."""

import asyncio
import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.child.frames import ANSWER, HEAD, MEMORY, MOST, PIECE, VERDICT, WORK, packed, unpacked
from tjapi.kernel.child.process import OUT_OF_MEMORY

log = structlog.get_logger("child")
_START_SECONDS = 60.0
_RECYCLE_AFTER = 2_000
# Whoever sends these means the process, not what it was reading.
_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Work:
    """What a child can do: a function of plain values by its name, and what it may cost.

    `seconds` are of the processor: a machine that is busy with other things makes no verdict; `patience` are seconds of the clock, for
    what waits instead of computing. `memory` are bytes beyond what an idle child holds. `classes` are those of which an answer is made,
    beside plain values; `verdicts` are the exceptions that are an answer too. A function may yield its answer in pieces.
    """

    function: str
    seconds: int
    memory: int
    classes: tuple[type, ...] = ()
    verdicts: tuple[type[Exception], ...] = ()
    patience: float = 60


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.done = 0
        self._in, self._out = process.stdin, process.stdout

    @classmethod
    async def start(cls, functions: Sequence[str]) -> "_Child":
        environment = {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),  # it imports what we import
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            "PATH": os.environ.get("PATH", ""),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "tjapi.kernel.child.process", str(os.getpid()), *functions,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        child = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await child.receive()  # it says READY once it has imported what it is for
        except BaseException:
            await child.kill()
            raise
        return child

    async def give(self, frame: bytes) -> None:
        self.done += 1
        self._in.write(frame)
        # A child that dies while it is given its work says so by its end, which is read next.
        with contextlib.suppress(ConnectionError):
            await self._in.drain()

    async def receive(self) -> tuple[bytes, bytes]:
        kind, length = HEAD.unpack(await self._out.readexactly(HEAD.size))
        if length > MOST:
            raise Overrun("too-large")
        return kind, await self._out.readexactly(length)

    async def kill(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self._in.close()
        return await self.process.wait()


class Children:
    """Up to `most` children, started when they are needed and kept; belongs to the event loop that uses it first.

    `warm` are the functions that a child imports at its start.
    """

    def __init__(self, warm: Sequence[str] = (), *, most: int = 2) -> None:
        self._warm = warm
        self._gate = asyncio.Semaphore(most)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the living children."""
        return [child.process.pid for child in (*self._idle, *self._busy)]

    async def warm(self) -> None:
        """Start one child, so that the first message need not wait for its imports."""
        async with self._gate:
            if not self._idle:
                self._idle.append(await _Child.start(self._warm))

    async def ask(self, work: Work, *arguments: Any) -> Any:
        """Let a child do it; a list of pieces where the function yields. Who cancels the call kills the child.

        A child that somebody killed from outside is no fault of its work, which is tried once more. Raises Overrun, Broken, and the
        verdicts that `work` declares.
        """
        verdicts = tuple(f"{kind.__module__}:{kind.__qualname__}" for kind in work.verdicts)
        frame = packed(WORK, (work.function, arguments, work.seconds, work.memory, verdicts))
        async with self._gate:
            for _ in range(2):
                code = None
                try:
                    return await self._once(work, frame)
                except _Died as died:
                    code = died.code
                if self._closed or code not in _FROM_OUTSIDE:
                    break
        log.warning("child.died", name=work.function, code=code)
        if code == -signal.SIGXCPU:
            raise Overrun("too-long")
        raise Overrun("too-large" if code == OUT_OF_MEMORY else "died")

    async def close(self) -> None:
        """End all children; what they were doing fails with Overrun."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(child.kill() for child in (*idle, *self._busy)))

    async def _once(self, work: Work, frame: bytes) -> Any:
        child = self._idle.pop() if self._idle else await _Child.start(self._warm)
        self._busy.add(child)
        healthy = False
        try:
            async with asyncio.timeout(work.patience):
                await child.give(frame)
                kind, pieces = PIECE, []
                while kind == PIECE:
                    kind, content = await child.receive()
                    pieces.append(_read(kind, content, work))
                    await asyncio.sleep(0)  # a large answer is read in turns with everybody else's work
            healthy = kind != MEMORY and child.done < _RECYCLE_AFTER
        except TimeoutError:
            raise Overrun("too-long") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            # Its pipe is closed, so it has ended or is about to.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await child.process.wait()
            raise _Died(child.process.returncode) from None
        finally:
            self._busy.discard(child)
            if healthy:
                self._idle.append(child)
            else:  # also after a cancelled await: nobody knows what it is doing
                await asyncio.shield(child.kill())
        return _told(kind, pieces)


class _Died(Exception):  # noqa: N818 - named for the finding
    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


def _read(kind: bytes, content: bytes, work: Work) -> Any:
    try:
        return unpacked(content, work.verdicts if kind == VERDICT else work.classes)
    except (pickle.UnpicklingError, AttributeError, EOFError, IndexError, TypeError, ValueError) as error:
        log.warning("child.answer_refused", name=work.function, error=type(error).__name__)
        raise Overrun("died") from None


def _told(kind: bytes, pieces: list[Any]) -> Any:
    """Return an answer, or raise what was said instead of one."""
    if kind == ANSWER:
        return pieces[-1] if len(pieces) == 1 else pieces[:-1]
    if kind == VERDICT:
        raise pieces[-1]
    if kind == MEMORY:
        raise Overrun("too-large")
    raise Broken(str(pieces[-1]))
