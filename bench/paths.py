"""The paths: each a whole request beside its floor.

The floor of a path is what its database work costs at least: the fewest statements that read or leave the same rows, in the same
transaction, under the same signed context and role, with the audit row, the live event and the idempotency row where the path has
them, through bare asyncpg in a loop. For reads it is the product's own single statement.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from bench.fixture import Copies, day_of
from bench.house import House
from bench.load import Call, Connection, expect, request
from tjapi.conclusion.views import REVIEW
from tjapi.exam.views import page_statement
from tjapi.kernel.clock import business_day

CLIENTS = 16
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Path:
    """A path that is measured: its call, its floor's call, and the least ratio that is wanted."""

    name: str
    whole: Call
    floor: Call
    goal: float
    calm: bool = False
    """Whether p99 is to stay within three times p50."""


async def exam_read(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """Everything of one exam: exam, lines, results, summaries, conclusion, what is outstanding."""
    past, bare = made["past"], await house.bare("reader", await house.principal("reviewer"))
    token = await house.token("reviewer")
    requests = [
        request("GET", f"{API}/exams/{past.exam(_scattered(n))}/review", token) for n in range(min(past.count, 5_000))
    ]

    async def whole(who: int, n: int) -> None:
        await expect(sockets[who], 200, requests[n % len(requests)])

    async def floor(who: int, n: int) -> None:
        await bare[who].fetchrow(REVIEW, past.exam(_scattered(n)), "all", None, datetime.now(UTC))

    return Path("read one exam with everything", whole, floor, 0.7, calm=True), bare


def _scattered(n: int) -> int:
    """Walk the exams out of their order, so that no page of the table is asked twice in a row."""
    return n * 7919


async def day_list(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """The first 50 exams of a day with the counts of their lines."""
    past, bare = made["past"], await house.bare("reader", await house.principal("front"))
    token, today = await house.token("front"), business_day(house.runtime.clock.now())
    days = [day_of(past.first + n, today) for n in range(200, past.count, 200)]
    requests = [request("GET", f"{API}/exams?campus_id=1&exam_date={day}", token) for day in days]
    sql = page_statement(("e.campus_id = ", "e.exam_date = "))

    async def whole(who: int, n: int) -> None:
        await expect(sockets[who], 200, requests[n % len(requests)])

    async def floor(who: int, n: int) -> None:
        await bare[who].fetch(sql, 1, days[n % len(days)], 51)

    return Path("the day's list: 50 exams with counts", whole, floor, 0.75), bare


PATHS = {"exam": exam_read, "list": day_list}
