"""What comes from outside is read in a process that has limits, holds nothing of ours, and can be ended."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.child.pool import Children, Work

ENDLESS = ("operator:pow", 7, 10**9)
"""One call of C that gives nobody a turn for minutes."""


def _work(function: str, **changes: Any) -> Work:
    return Work(**{"function": function, "seconds": 1, "memory": 200 * 2**20, **changes})


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    held = Children(most=1)
    yield held
    await held.close()


async def _gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.02)
                continue
        return True
    return False


async def test_a_child_answers_and_is_kept_for_the_next(children: Children) -> None:
    assert await children.ask(_work("operator:add"), "五", "六") == "五六"
    pids = children.pids
    told = [datetime(2026, 11, 29, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=ZoneInfo("Asia/Shanghai")), Decimal("7.10")]  # fmt: skip
    assert await children.ask(_work("builtins:list"), tuple(told)) == told
    assert children.pids == pids
    assert len(pids) == 1


async def test_an_answer_in_pieces_comes_as_a_list(children: Children) -> None:
    assert await children.ask(_work("builtins:iter"), [[1], [2, 3], []]) == [[1], [2, 3], []]


@pytest.mark.parametrize(
    ("function", "arguments", "what"),
    [
        ("operator:pow", (7, 10**9), "too-long"),
        ("time:sleep", (60,), "too-long"),
        ("builtins:bytes", (2**30,), "too-large"),
        ("os:abort", (), "died"),
        ("os:_exit", (3,), "died"),
        ("pathlib:Path", ("a class that was not named",), "died"),
    ],
)
async def test_work_that_is_too_much_is_a_verdict_and_the_next_work_is_done(
    children: Children, function: str, arguments: tuple[Any, ...], what: str
) -> None:
    with pytest.raises(Overrun) as found:
        await children.ask(_work(function, patience=4), *arguments)
    assert found.value.what == what
    assert await children.ask(_work("operator:add"), 1, 2) == 3


async def test_a_declared_exception_is_an_answer_and_any_other_is_ours_to_mend(children: Children) -> None:
    with pytest.raises(ZeroDivisionError):
        await children.ask(_work("operator:truediv", verdicts=(ZeroDivisionError,)), 1, 0)
    with pytest.raises(Broken) as found:
        await children.ask(_work("operator:truediv"), 1, 0)
    assert found.value.kind == "ZeroDivisionError"


async def test_the_loop_goes_on_while_a_child_computes_and_cancelling_ends_the_child(children: Children) -> None:
    name, *arguments = ENDLESS
    asked = asyncio.create_task(children.ask(_work(str(name), seconds=60), *arguments))
    turns = 0
    while not children.pids:  # noqa: ASYNC110 - it has no event for it
        await asyncio.sleep(0.01)
    (pid,) = children.pids
    for _ in range(20):
        await asyncio.sleep(0.01)
        turns += 1
    assert not asked.done()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await _gone(pid)
    assert turns == 20
    assert await children.ask(_work("operator:add"), 1, 2) == 3


async def test_a_child_that_somebody_killed_is_no_fault_of_its_work(children: Children) -> None:
    asked = asyncio.create_task(children.ask(_work("time:sleep"), 1))
    while not children.pids:  # noqa: ASYNC110 - it has no event for it
        await asyncio.sleep(0.01)
    (pid,) = children.pids
    await asyncio.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    assert await asked is None
    assert children.pids != [pid]


async def test_a_child_knows_nothing_of_our_environment(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TJ_MASTER_KEY", "secret")
    assert await children.ask(_work("os:getenv"), "TJ_MASTER_KEY") is None


async def test_a_child_ends_with_a_parent_that_is_killed_while_it_computes(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = f"""
import asyncio, pathlib
from tjapi.kernel.child.pool import Children, Work
async def main():
    held = Children()
    asked = asyncio.create_task(held.ask(Work("operator:pow", 600, 2**30, patience=600), 7, 10**9))
    while not held.pids:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    pathlib.Path({str(told)!r}).write_text(str(held.pids[0]))
    await asked
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    while not (told.exists() and told.read_text()):
        assert parent.returncode is None
        await asyncio.sleep(0.05)
    parent.kill()
    await parent.wait()
    assert await _gone(int(told.read_text()))
