"""The child: `python -m tjapi.kernel.child.process <parent pid> <module:function>…` imports the functions and waits for work.

It ends with its parent: by the kernel's hand where there is Linux, and when its pipe closes.
"""

import contextlib
import ctypes
import importlib
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tjapi.kernel.child.frames import ANSWER, BROKEN, HEAD, MEMORY, MOST, PIECE, READY, VERDICT, packed

OUT_OF_MEMORY = 77
"""The exit code of a child that had no memory left to say so."""
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve frames from standard input until it closes."""
    parent, functions = int(sys.argv[1]), sys.argv[2:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends us when it is done
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would be a patient's data on disk
    _die_with(parent)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not corrupt the frames
    for function in functions:
        _found(function)
    _send(out, packed(READY))
    pipe = sys.stdin.buffer
    while len(head := pipe.read(HEAD.size)) == HEAD.size:
        _, length = HEAD.unpack(head)
        name, arguments, seconds, memory, verdicts = pickle.loads(pipe.read(length))  # noqa: S301 - our own parent's word
        try:
            with _limited(seconds, memory):
                _work(out, _found(name), arguments, verdicts)
        except MemoryError:
            # The heap may be in pieces: this process ends.
            with contextlib.suppress(MemoryError):
                _send(out, packed(MEMORY))
            os._exit(OUT_OF_MEMORY)


def _work(out: BinaryIO, function: Callable[..., Any], arguments: tuple[Any, ...], verdicts: tuple[str, ...]) -> None:
    """Answer with what the function returns, or piece by piece with what it yields."""
    try:
        made = function(*arguments)
        if isinstance(made, Iterator):
            for piece in made:
                _send(out, packed(PIECE, piece))
            made = None
        answer = packed(ANSWER, made)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - told to the parent; the message may quote data, the frames do not
        kind = type(error)
        if f"{kind.__module__}:{kind.__qualname__}" in verdicts:
            answer = packed(VERDICT, error)
        else:
            sys.stderr.writelines(traceback.format_tb(error.__traceback__))
            answer = packed(BROKEN, kind.__name__)
    _send(out, answer)


@contextlib.contextmanager
def _limited(seconds: int, memory: int) -> Iterator[None]:
    """Give this work so much of the processor and so much memory beyond what the idle child holds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _soft(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + 1)
    held = _address_space()
    if held is not None:
        _soft(resource.RLIMIT_AS, held + memory)
    yield
    _soft(resource.RLIMIT_AS, None)
    _soft(resource.RLIMIT_CPU, None)


def _soft(limit: int, value: int | None) -> None:
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (hard if value is None else value, hard))


def _address_space() -> int | None:
    """Return how much address space this process has; None where nobody says."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None
    return pages * resource.getpagesize()


def _found(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _die_with(parent: int) -> None:
    """Let the kernel kill us when our parent ends, also while we compute."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _send(pipe: BinaryIO, frame: bytes) -> None:
    if len(frame) > MOST:
        raise MemoryError
    pipe.write(frame)
    pipe.flush()


if __name__ == "__main__":
    main()
