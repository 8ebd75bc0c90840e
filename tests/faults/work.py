"""A worker process that knows a few jobs more, each of which harms it in a way of its own; its pid is on its first line of output."""

import asyncio
import os
import re
import time
from typing import Any

from tjapi import wiring, worker
from tjapi.kernel import logs
from tjapi.kernel.child.pool import Work
from tjapi.kernel.jobs.spec import JobRun, JobSpec
from tjapi.kernel.settings import Settings


async def _computes(_run: JobRun) -> None:
    """Python that never waits."""
    while True:
        pass


async def _holds_the_interpreter(_run: JobRun) -> None:
    """One call of C, in which no other thread of Python has a turn."""
    re.match(r"(a+)+$", "a" * 40 + "b")


async def _asks_a_child(run: JobRun) -> None:
    await run.services.children.ask(Work("operator:pow", 600, 2**30, patience=600), 7, 10**9)


async def _blocks_a_thread(_run: JobRun) -> None:
    await asyncio.to_thread(time.sleep, 20)


async def _does_not_let_itself_be_cancelled(_run: JobRun) -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue


async def _exits(_run: JobRun) -> None:
    raise SystemExit(3)


async def _is_harmless(run: JobRun) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"pid": os.getpid(), "fence": run.fence}


KINDS = {
    "computes": _computes, "holds": _holds_the_interpreter, "child": _asks_a_child, "thread": _blocks_a_thread, "deaf": _does_not_let_itself_be_cancelled,
    "exits": _exits, "harmless": _is_harmless,
}  # fmt: skip


def main() -> None:
    """Run a worker as `tjapi.worker` does, with these kinds of jobs."""
    settings = Settings()
    logs.configure(settings.log_level)
    held = wiring.build(settings, pool=settings.worker_slots + 2)
    held.jobs.update({f"harm.{name}": JobSpec(f"harm.{name}", handler) for name, handler in KINDS.items()})  # type: ignore[attr-defined]
    asyncio.run(worker.serve(settings, held))


if __name__ == "__main__":
    main()
