"""`python -m bench.morning [--people 600] [--desks 20] [--rounds 4]`: a morning at the front desk, as fast as the desks can.

People are checked in at many desks at once (one in ten is clicked twice), nurses take their blood, the laboratory reports over HL7, and
somebody watches the board all the while. The board is exact at any moment: in one snapshot its marks are those of a recount over the lines,
and what it answers lies between a recount before and one after. At the end nothing is lost: each exam was checked in once, each tube was
taken once, each message was filed, each result has one revision.

Check-in and board are printed beside their floors, which run by turns in the same company: see `paths`.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import uvloop

from bench import fixture, messages, paths
from bench.house import House, running
from bench.load import Connection, connections, expect, for_a_while, request
from tjapi import demo, installation
from tjapi.catalog import service as catalog
from tjapi.kernel import logs
from tjapi.kernel.embedded import free_port

API = "/api/v1"
_TWICE = 10
_KEPT = 200
_PATIENCE = 900
COLUMNS = ("booked", "awaiting_payment", "checked_in", "blood_drawn", "examined")
_TODAY = "campus_id = 1 and exam_date = (now() at time zone 'Asia/Shanghai')::date and state <> 'cancelled'"
# What the hospital means, over the lines themselves: nothing of the product's marks is asked.
RECOUNT = f"""
select count(*) booked,
  count(*) filter (where exists (select from exam_line l where l.exam_id = e.id and l.state not in ('withdrawn', 'substituted', 'refused', 'waived')
    and l.person_share_fen > l.paid_fen + l.remitted_fen)) awaiting_payment,
  count(*) filter (where checked_in_at is not null) checked_in,
  count(*) filter (where exists (select from exam_line l where l.exam_id = e.id and l.specimen in ('whole_blood', 'serum', 'plasma')
    and l.state in ('collected', 'resulted', 'verified'))) blood_drawn,
  count(*) filter (where checked_in_at is not null
    and exists (select from exam_line l where l.exam_id = e.id and l.state not in ('withdrawn', 'substituted'))
    and not exists (select from exam_line l where l.exam_id = e.id
      and l.state in ('ordered', 'released', 'sent', 'started', 'specimen_rejected'))) examined
from exam e where {_TODAY}
"""
# The floor of the board, and what its marks say: one short scan of the day.
MARKS = f"""
select count(*) booked, count(*) filter (where awaits_payment) awaiting_payment, count(*) filter (where checked_in_at is not null) checked_in,
  count(*) filter (where blood_drawn) blood_drawn, count(*) filter (where checked_in_at is not null and examined) examined
from exam where {_TODAY}
"""
_LOST = {
    "checked in other than once": """
select count(*) from unnest($1::uuid[]) p (id) where (
  select count(*) from audit_event where action = 'exam.checked_in' and object_id = p.id::text) <> 1""",
    "without exactly one access code": """
select count(*) from unnest($1::uuid[]) p (id) where (select count(*) from access_code where exam_id = p.id) <> 1""",
    "tubes taken other than once": """
select count(*) from tube t where t.exam_id = any($1) and (t.state <> 'collected' or (
  select count(*) from audit_event where action = 'tube.collected' and object_id = t.id::text) <> 1)""",
    "bar codes given twice": """
select count(*) - count(distinct barcode) from tube""",
    "lines that are not verified": """
select count(*) from exam_line where exam_id = any($1) and state <> 'verified'""",
    "items without exactly one value": """
select count(*) from exam_line l join item_group_item g on g.item_group_id = l.item_group_id
where l.exam_id = any($1) and (select count(*) from result r join result_revision v on v.result_id = r.id
  where r.line_id = l.id and r.item_id = g.item_id) <> 1""",
    "exams that are not ready for review": """
select count(*) from exam where id = any($1) and state <> 'ready_for_review'""",
}
Deliver = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class Hospital:
    """Where a morning is played: who is signed in, what lies open, and how a message of the laboratory comes in."""

    front: str
    nurse: str
    sockets: list[Connection]
    watchers: tuple[asyncpg.Connection, asyncpg.Connection]
    deliver: Deliver
    chance: random.Random


@dataclass(slots=True)
class Seen:
    """What was seen of a morning. Times in seconds."""

    checked_in: int = 0
    replayed: int = 0
    boards: int = 0
    snapshots: int = 0
    board_seconds: list[float] = field(default_factory=list)
    bare_seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def check_in_all(
    place: Hospital, people: Sequence[UUID], desks: int, drawn: "asyncio.Queue[tuple[UUID, list[str]]]", seen: Seen
) -> float:
    """Check people in at so many desks at once; return people per second."""
    waiting = list(reversed(people))

    async def desk(who: int) -> None:
        mine, second = place.sockets[2 * who], place.sockets[2 * who + 1]
        while waiting:
            exam = waiting.pop()
            content = request(
                "POST", f"{API}/exams/{exam}:check-in", place.front, Idempotency_Key=secrets.token_hex(16)
            )
            if place.chance.randrange(_TWICE):
                said = await expect(mine, 200, content)
            else:
                said = await _twice(mine, second, content, seen)
            seen.checked_in += 1
            drawn.put_nowait((exam, [tube["id"] for tube in json.loads(said)["tubes"]]))

    began = time.perf_counter()
    await asyncio.gather(*(desk(who) for who in range(desks)))
    return len(people) / (time.perf_counter() - began)


async def _twice(mine: Connection, second: Connection, content: bytes, seen: Seen) -> bytes:
    """Click twice, at once and once more: one of them does it, the others hear the same, or that it is being done."""
    answers = [*await asyncio.gather(mine.send(content), second.send(content)), await mine.send(content)]
    done = [body for status, _, body in answers if status == 200]
    if not done or any(status not in (200, 409) for status, _, _ in answers) or len(set(done)) != 1:
        seen.wrong.append(f"a double click was answered {[status for status, _, _ in answers]}")
    seen.replayed += len(done) - 1
    return done[0]


async def draw_blood(
    place: Hospital, socket: Connection, drawn: "asyncio.Queue[tuple[UUID, list[str]]]", taken: "asyncio.Queue[UUID]"
) -> None:
    """Take whatever is to be taken of whoever comes; one scan in ten is made twice."""
    while True:
        exam, tubes = await drawn.get()
        for tube in tubes:
            for _ in range(1 if place.chance.randrange(_TWICE) else 2):
                await expect(socket, 200, request("POST", f"{API}/tubes/{tube}:collect", place.nurse))
        taken.put_nowait(exam)
        drawn.task_done()


async def report(place: Hospital, said: dict[UUID, bytes], taken: "asyncio.Queue[UUID]") -> None:
    """The laboratory measures and reports; now and then it says the same again."""
    while True:
        exam = await taken.get()
        for _ in range(1 if place.chance.randrange(_TWICE) else 2):
            await place.deliver(said[exam])
        taken.task_done()


async def watch(place: Hospital, socket: Connection, seen: Seen) -> None:
    """Look at the board again and again, beside recounts and beside its floor."""
    one, other = place.watchers
    ask = request("GET", f"{API}/board?campus_id=1", place.front)
    while True:
        before = await other.fetchrow(RECOUNT)
        began = time.perf_counter()
        body = await expect(socket, 200, ask)
        middle = time.perf_counter()
        await one.fetchrow(MARKS)
        seen.bare_seconds.append(time.perf_counter() - middle)
        seen.board_seconds.append(middle - began)
        board, after = json.loads(body), await other.fetchrow(RECOUNT)
        seen.boards += 1
        # Nobody goes backwards in this morning, so that what is right lies between the two.
        for column in COLUMNS:
            low, high = sorted((before[column], after[column]))
            if not low <= board[column] <= high:
                seen.wrong.append(f"{column}: {board[column]}, recounted {before[column]} and {after[column]}")
        async with one.transaction(isolation="repeatable_read", readonly=True):
            marks, recount = await one.fetchrow(MARKS), await one.fetchrow(RECOUNT)
        seen.snapshots += 1
        if dict(marks) != dict(recount):
            seen.wrong.append(f"in one snapshot {dict(marks)}, recounted {dict(recount)}")
        await asyncio.sleep(place.chance.random() * 0.05)


async def lost(admin: asyncpg.Connection, people: Sequence[UUID]) -> list[str]:
    """Say what of a morning is missing or there twice."""
    counts = {what: await admin.fetchval(sql, *([list(people)] if "$1" in sql else [])) for what, sql in _LOST.items()}
    return [f"{count} {what}" for what, count in counts.items() if count]


async def filed(admin: asyncpg.Connection, least: int) -> list[str]:
    """Wait until every message of the laboratory has come to its end; say which did not end well."""
    async with asyncio.timeout(_PATIENCE):
        while await admin.fetchval("select count(*) from inbox_message where state <> 'received'") < least:  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)
    rows = await admin.fetch("select state, reason, count(*) n from inbox_message where state <> 'filed' group by 1, 2")
    return [f"{row['n']} messages are {row['state']} ({row['reason']})" for row in rows]


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m bench.morning", description="a morning at the front desk")
    asked.add_argument("--people", type=int, default=600)
    asked.add_argument("--desks", type=int, default=20)
    asked.add_argument("--rounds", type=int, default=4)
    asked.add_argument("--seed", type=int, default=0)
    return asked.parse_args()


async def _people(house: House, number: int) -> fixture.Copies:
    async with house.runtime.units.read(demo.LOADER) as uow:
        page = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=500)
        groups = {group.code: group.id for group in page}
    originals = tuple(
        [await fixture.registered(house, [groups[code] for code in fixture.LABORATORY]) for _ in range(6)]
    )
    made = await fixture.copy(house, "prepared", originals, 0, number)
    await fixture.settle(house.admin)
    return made


async def main() -> int:
    """Start what is needed, play the morning, print what was reached and what is wrong."""
    given = _arguments()
    logs.configure("ERROR")
    async with running() as house:
        made = await _people(house, given.people + _KEPT)
        # The last ones are the floor's: `paths.check_in` keeps the same number of them for itself.
        people = [made.exam(n) for n in range(given.people)]
        said = dict(zip(people, await messages.of_exams(house.admin, people), strict=True))
        port, lis, control = free_port(), free_port(), free_port()
        processes = [
            house.start(
                "adapters.lis.sandbox", f"--listen=127.0.0.1:{lis}", f"--control=127.0.0.1:{control}", f"--send-to=127.0.0.1:{port}",
                "--auto-delay=-1",
            ),
            house.start("tjapi.worker", TJ_LIS_PORT=str(lis)),
            house.start(
                "device_gateway", TJ_GATEWAY_LISTEN=f"lis=mllp://127.0.0.1:{port}", TJ_GATEWAY_API_URL=house.runtime.settings.base_url,
                TJ_GATEWAY_CLIENT_ID=installation.GATEWAY, TJ_GATEWAY_JOURNAL=str(house.state / "journal.sqlite3"),
                TJ_GATEWAY_CLIENT_SECRET=installation.client_secret(house.runtime.keys, installation.GATEWAY),
            ),
        ]  # fmt: skip
        try:
            await messages.until_open(port)
            async with connections(house.port, 2 * given.desks + 5) as sockets:
                watchers = (await _beside(house), await _beside(house))
                place = Hospital(
                    await house.token("front"), await house.token("front"), sockets, watchers, lambda m: messages.send(port, [m]),
                    random.Random(given.seed),
                )  # fmt: skip
                return await _played(house, place, made, people, said, given)
        finally:
            for process in processes:
                process.stop()


async def _beside(house: House) -> asyncpg.Connection:
    url = house.environment["TJ_DATABASE_URL"]
    return await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))


async def _played(
    house: House,
    place: Hospital,
    made: fixture.Copies,
    people: Sequence[UUID],
    said: dict[UUID, bytes],
    given: argparse.Namespace,
) -> int:
    seen, drawn, taken = Seen(), asyncio.Queue[tuple[UUID, list[str]]](), asyncio.Queue[UUID]()
    floor, bare = await paths.check_in_floor(house, [made.exam(given.people + n) for n in range(_KEPT)])
    free = iter(place.sockets[2 * given.desks :])
    company = [
        *(asyncio.create_task(draw_blood(place, next(free), drawn, taken)) for _ in range(4)),
        *(asyncio.create_task(report(place, said, taken)) for _ in range(2)),
        asyncio.create_task(watch(place, next(free), seen)),
    ]
    rates, floors = [], []
    share = -(-len(people) // given.rounds)
    counter = iter(range(10**9))

    class Numbers:
        def next(self) -> int:
            return next(counter)

    for n in range(given.rounds):
        rates.append(await check_in_all(place, people[n * share : (n + 1) * share], given.desks, drawn, seen))
        floors.append((await for_a_while(floor, len(bare), 1.5, Numbers()))[0])  # type: ignore[arg-type]
    began = time.perf_counter()
    await drawn.join()
    await taken.join()
    wrong = await filed(house.admin, len(people))
    behind = time.perf_counter() - began
    await asyncio.sleep(0.2)
    for task in company:
        task.cancel()
    failed = [
        f"{e!r}"
        for e in await asyncio.gather(*company, return_exceptions=True)
        if not isinstance(e, asyncio.CancelledError)
    ]
    wrong += failed + seen.wrong + await lost(house.admin, people)
    ratio = statistics.median(a / b for a, b in zip(rates, floors, strict=True))
    board, least = statistics.median(seen.board_seconds), statistics.median(seen.bare_seconds)
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {len(people)} people, {given.desks} desks, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};"
        f" checked in {seen.checked_in}, {seen.replayed} double clicks answered alike, laboratory done {behind:.1f} s after the last\n"
    )
    print("| path | reached/s | floor/s | ratio | goal |\n|---|---|---|---|---|")
    print(
        f"| check-in in a morning's company | {statistics.median(rates):.0f} | {statistics.median(floors):.0f} | {ratio:.2f} | ≥ 0.6 |"
    )
    print(
        f"| the board in a morning's company, one after another | {1 / board:.0f} | {1 / least:.0f} | {least / board:.2f} | ≥ 0.5 |"
    )
    print(
        f"\n{seen.boards} boards and {seen.snapshots} snapshots recounted; wrong: {'; '.join(wrong[:20]) or 'nothing'}"
    )
    for connection in (*bare, *place.watchers):
        await connection.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
