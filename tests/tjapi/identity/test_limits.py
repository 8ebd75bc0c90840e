"""Counting: Valkey and a process by itself decide alike, a hundred at once are a hundred, and without Valkey the door stays open, and narrower."""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tjapi.identity.errors import AccountLocked, CredentialsWrong
from tjapi.identity.rules import RATES, pauses
from tjapi.kernel.broker import Broker
from tjapi.kernel.ids import uuid7
from tjapi.kernel.limits import Limits, LocalCounts, Rate
from tjapi.kernel.problem import Conflict, TooManyRequests
from tjapi.kernel.settings import PACKAGE

pytestmark = pytest.mark.requirement("P2")
TEN = Rate("ten", 10, 60)


@dataclass
class Clock:
    """Goes when it is told to."""

    at: datetime

    def now(self) -> datetime:
        return self.at


class Elsewhere(Conflict):
    """For the test."""

    abstract, zh, en = True, "别的", "Something else"


def counting(clock: Clock, url: str | None = None) -> Limits:
    """Limits of an installation of its own."""
    return Limits(Broker(os.environ["TJ_TEST_VALKEY"] if url is None else url), b"k" * 32, str(uuid7()), clock.now)


async def refused(limits: Limits, rate: Rate = TEN, who: str = "x") -> int | None:
    """Say after how many seconds to come back; None: it passed."""
    try:
        await limits.take(rate, who)
    except TooManyRequests as refusal:
        return int(refusal.extra_headers["Retry-After"])
    return None


async def test_so_many_pass_and_as_many_again_in_the_time_and_others_are_not_held_up() -> None:
    clock = Clock(datetime.now(UTC))
    limits = counting(clock)
    assert [await refused(limits) for _ in range(12)] == [None] * 10 + [6, 6]
    assert await refused(limits, who="y") is None
    clock.at += timedelta(seconds=6)
    assert [await refused(limits) for _ in range(2)] == [None, 6]
    clock.at += timedelta(seconds=60)
    assert [await refused(limits) for _ in range(11)] == [None] * 10 + [6]


async def test_a_clock_that_was_ahead_holds_nobody_up() -> None:
    clock = Clock(datetime.now(UTC) + timedelta(days=90))
    limits = counting(clock)
    assert await refused(limits) is None
    clock.at -= timedelta(days=90)
    assert [await refused(limits) for _ in range(2)] == [None, 6]


async def test_two_processes_count_together() -> None:
    clock = Clock(datetime.now(UTC))
    one = counting(clock)
    other = Limits(Broker(os.environ["TJ_TEST_VALKEY"]), b"k" * 32, one._scope, clock.now)
    found = await asyncio.gather(*(refused(limits) for limits in (one, other) for _ in range(20)))
    assert sum(wait is None for wait in found) == 10


async def test_guesses_at_once_are_counted_each_before_any_is_looked_at() -> None:
    limits, looked = counting(Clock(datetime.now(UTC))), 0
    steps = pauses(5)

    async def guess() -> str:
        nonlocal looked
        try:
            async with limits.guess("x", steps, wrong=CredentialsWrong, paused=AccountLocked):
                looked += 1
                await asyncio.sleep(0.01)
                raise CredentialsWrong  # noqa: TRY301 - what a guess ends in
        except (AccountLocked, CredentialsWrong) as refusal:
            return type(refusal).__name__

    found = await asyncio.gather(*(guess() for _ in range(60)))
    assert looked == 5
    assert sorted(found) == ["AccountLocked"] * 55 + ["CredentialsWrong"] * 5


async def test_right_ones_at_once_all_come_in() -> None:
    """A client of many processes asks for its token in all of them at its start."""
    limits, steps = counting(Clock(datetime.now(UTC))), pauses(2)

    async def guess() -> str:
        async with limits.guess("x", steps, wrong=CredentialsWrong, paused=AccountLocked):
            await asyncio.sleep(0.001)
        return "in"

    assert await asyncio.gather(*(guess() for _ in range(20))) == ["in"] * 20


async def test_what_was_no_guess_is_taken_back_and_a_right_one_forgets_all() -> None:
    limits, steps = counting(Clock(datetime.now(UTC))), pauses(2)

    async def guess(outcome: Exception | None) -> str:
        try:
            async with limits.guess("x", steps, wrong=CredentialsWrong, paused=AccountLocked):
                if outcome is not None:
                    raise outcome
        except (AccountLocked, CredentialsWrong, Elsewhere) as refusal:
            return type(refusal).__name__
        return "in"

    told = [CredentialsWrong(), *[Elsewhere() for _ in range(5)], None, CredentialsWrong(), CredentialsWrong(), None]
    assert [await guess(one) for one in told] == [
        "CredentialsWrong", *["Elsewhere"] * 5, "in", "CredentialsWrong", "CredentialsWrong", "AccountLocked",
    ]  # fmt: skip


async def test_without_valkey_each_process_counts_by_itself_half_as_much_and_says_so() -> None:
    clock = Clock(datetime.now(UTC))
    away = counting(clock, "redis://127.0.0.1:1")
    assert await away.shared() is False
    assert [await refused(away) for _ in range(6)] == [None] * 5 + [6]
    assert await counting(clock).shared() is True


@pytest.mark.parametrize("seed", range(3))
async def test_valkey_and_a_process_by_itself_decide_alike(seed: int) -> None:
    clock = Clock(datetime.now(UTC))
    limits, local = counting(clock), LocalCounts()
    moves = [((7 * i + seed * 3) % 11) * 0.9 for i in range(60)]
    steps = [0, 0, 2_000, 4_000, 8_000]
    for seconds in moves:
        clock.at += timedelta(seconds=seconds)
        now = int(clock.at.timestamp() * 1000)
        wait = await limits.wait(Rate("r", 3, 30), "x")
        assert round(wait * 1000) == local.let("r", now, 10_000, 3)
        try:
            async with limits.guess("x", [s / 1000 for s in steps], wrong=CredentialsWrong, paused=AccountLocked):
                raise CredentialsWrong  # noqa: TRY301 - what a guess ends in
        except AccountLocked as refusal:
            told = int(refusal.extra_headers["Retry-After"])
        except CredentialsWrong:
            told = 0
        wait = local.guess("g", now, 3)
        if not wait:
            local.settle("g", now, "wrong", steps)
        assert told == -(-wait // 1000)


@given(st.integers(1, 50), st.lists(st.floats(0, 90), max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_more_pass_in_any_time_than_twice_what_the_rate_says(most: int, gaps: list[float]) -> None:
    local, now, passed = LocalCounts(), 1e12, []
    for gap in gaps:
        now += gap * 1000
        if local.let("x", now, 60_000 / most, most) == 0:
            passed.append(now)
    assert all(sum(at <= other < at + 60_000 for other in passed) <= 2 * most for at in passed)


def test_a_process_by_itself_remembers_a_bounded_number_of_names() -> None:
    local = LocalCounts(most=100)
    for i in range(1_000):
        local.let(f"r{i}", 1e12, 1_000, 5)
        local.guess(f"g{i}", 1e12, 2)
        local.settle(f"g{i}", 1e12, "wrong", [0, 1_000])
    assert len(local._due) <= 100
    assert len(local._guesses) <= 100
    assert not local._open


def test_every_limited_operation_is_one_of_the_contract() -> None:
    document = json.loads((PACKAGE.parents[1] / "openapi" / "v1.json").read_text(encoding="utf-8"))
    names = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert RATES.keys() <= names
    # Whatever shows a person's number in full is counted, by whichever door.
    showing = {name for name in names if name.startswith(("unmask", "reveal"))}
    assert len(showing) > 3
    assert showing <= RATES.keys()
