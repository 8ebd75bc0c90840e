"""What was acknowledged is on file exactly once, whoever is killed meanwhile.

The whole system runs as `tjapi up`; a laboratory sends over several connections and repeats what is not answered; processes are killed
with SIGKILL and Valkey is made to forget, by a seeded schedule (TJ_FAULT_SEED repeats it). `make torture` runs the full tier; where a
machine is busy with other things TJ_TORTURE_MESSAGES asks for fewer messages under the same kills.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from tests.faults.laboratory import (
    Line,
    Message,
    Patient,
    Said,
    admit,
    day,
    expected,
    fingerprint,
    lines,
    report,
)
from tests.faults.system import Farewell, House, eventually, house, leave, seeded

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.requirement("E3.5", "I2")]
ORPHAN_SECONDS = 30
CALM = 5


@dataclasses.dataclass(frozen=True)
class Tier:
    """How much is sent, and who is killed how often."""

    messages: int
    patients: int
    groups: tuple[str, ...]
    connections: int
    kills: dict[str, int]
    flushes: int
    drain_seconds: float


REDUCED = Tier(300, 8, ("GLU", "RENAL"), 6, {"api": 2, "worker": 2, "gateway": 2}, 1, 300)
MESSAGES = int(os.environ.get("TJ_TORTURE_MESSAGES", "20000"))
FULL = Tier(
    MESSAGES,
    max(50, MESSAGES // 50),
    ("GLU", "RENAL"),
    8,
    {"api": 10, "worker": 14, "gateway": 12, "postgres": 8, "valkey": 6},
    3,
    2400,
)
tiers = pytest.mark.parametrize(
    "storm",
    [
        pytest.param(REDUCED, id="reduced"),
        pytest.param(FULL, id="full", marks=[pytest.mark.torture, pytest.mark.timeout(5400)]),
    ],
    indirect=True,
    scope="module",
)


@dataclasses.dataclass
class Storm:
    """What was sent, what was answered, and everything that was found when it was calm again."""

    messages: list[Message]
    answers: dict[str, str]
    repeats: int
    patients: list[Patient]
    inbox: list[asyncpg.Record]
    listed: dict[str, list[dict[str, Any]]]
    revisions: list[asyncpg.Record]
    overviews: dict[str, dict[str, Any]]
    jobs: list[asyncpg.Record]
    effects: dict[str, list[str]]
    orders: dict[str, Any]
    journal: dict[str, Any]
    orphans: dict[str, tuple[float, float]]
    requeued: tuple[str, float]
    wakes: list[float]
    farewell: Farewell


@pytest.fixture(scope="module")
async def storm(request: pytest.FixtureRequest) -> AsyncIterator[Storm]:
    """A day of messages under kills, from the start of the system to its end."""
    tier: Tier = request.param
    dice, seed = seeded()
    print(f"\nTJ_FAULT_SEED={seed} {tier}", file=sys.stderr)
    began = time.monotonic()
    async with house() as held:
        print(f"{time.monotonic() - began:6.1f} s  started", file=sys.stderr)
        yield await _play(held, tier, dice, began)


async def _play(held: House, tier: Tier, dice: random.Random, began: float) -> Storm:
    await held.control("/auto", {"enabled": False})
    front = await held.sign_in("front")
    dictionary = {code: tests for code, tests in _dictionary(held).items() if code in tier.groups}
    groups = await _groups(front, dictionary)
    with _frozen(
        held, "lis-sandbox"
    ):  # so that a job surely runs when its worker is stopped, and when the next one is killed
        patients = [await admit(front, groups)]
        blow = asyncio.create_task(_stop_and_kill_the_worker(held))
        patients += await _admit(front, groups, tier.patients - 1)
        requeued = await blow
    messages = day(patients, dictionary, tier.messages, dice)
    print(f"{time.monotonic() - began:6.1f} s  {len(patients)} exams checked in", file=sys.stderr)
    answers, repeats = await _send_under_kills(held, tier, messages, dice, began)
    await _drain(held, tier.drain_seconds, began)
    await held.orphans_settled()
    print(f"{time.monotonic() - began:6.1f} s  drained", file=sys.stderr)
    calm = [report(patients[0], "GLU", dictionary["GLU"], 900 + n, charset="utf-8") for n in range(CALM)]
    wakes = await _wakes(held, calm)
    found = await _look(held, patients)
    farewell = await leave(held)
    longest, in_all = (max(x) for x in zip(*held.orphans.values(), strict=True))
    waves = Counter(name for name, _ in held.kills)
    print(
        f"{time.monotonic() - began:6.1f} s  {len(answers)} answered, {repeats} repeated; killed {dict(waves)}; {len(held.orphans)} orphaned jobs, "
        f"the longest taken back after {longest:.1f} s ({in_all:.1f} s in all); stopped in {farewell.seconds:.1f} s",
        file=sys.stderr,
    )
    return Storm(
        [*messages, *calm], answers | {m.control_id: "AA" for m in calm}, repeats, patients, orphans=held.orphans, requeued=requeued,
        wakes=wakes, farewell=farewell, **found,
    )  # fmt: skip


def _dictionary(held: House) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = json.loads((held.state / "lis-dictionary.json").read_text("utf-8"))[
        "groups"
    ]
    return told


async def _groups(front: Any, dictionary: dict[str, Any]) -> dict[str, dict[str, str]]:
    offered = (await front("GET", "/item-groups", params={"page_size": 200})).json()["items"]
    return {group["code"]: group for group in offered if group["code"] in dictionary}


async def _admit(front: Any, groups: dict[str, dict[str, str]], count: int) -> list[Patient]:
    patients: list[Patient] = []
    for _ in range(0, count, 4):
        patients += await asyncio.gather(*(admit(front, groups) for _ in range(min(4, count - len(patients)))))
    return patients


@contextlib.contextmanager
def _frozen(held: House, name: str) -> Iterator[None]:
    process = held.process(name)
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


async def _stop_and_kill_the_worker(held: House) -> tuple[str, float]:
    """SIGTERM the worker while an order waits for an answer, then kill -9 its successor.

    Returns the state of the job when the first worker had ended, and how many seconds that took.
    """
    running = "select id, worker from job where state = 'running' and name = 'requisition.send_order' and worker like '%:' || $1::text"
    first = await held.alive("worker")

    async def waiting() -> list[Any]:
        """Orders that have no answer yet: what ran a moment ago and runs still. One may have been answered just before."""
        before = {row["id"] for row in await held.rows(running, str(first.pid))}
        await asyncio.sleep(0.3)
        return [row for row in await held.rows(running, str(first.pid)) if row["id"] in before]

    (job, *_) = await eventually(20, waiting)
    began = time.monotonic()
    first.send_signal(signal.SIGTERM)
    await eventually(15, lambda: _ended(first), every=0.01)
    took = time.monotonic() - began
    (now,) = await held.rows("select state, worker from job where id = $1", job["id"])
    state = "taken by the next worker" if now["worker"] != job["worker"] else now["state"]
    await held.orphans_settled()
    second = await held.alive("worker")
    await eventually(30, lambda: held.rows(running, str(second.pid)))
    await held.kill("worker")
    return state, took


async def _ended(process: Any) -> bool:
    return not process.is_running() or process.status() == "zombie"


async def _no_open_jobs(held: House) -> bool:
    return not await held.rows("select 1 from job where state in ('queued', 'running') limit 1")


async def _send_under_kills(
    held: House, tier: Tier, messages: list[Message], dice: random.Random, began: float
) -> tuple[dict[str, str], int]:
    """Send the day in as many slices as there are blows: each falls somewhere within its slice, the next slice does not wait for it."""
    blows = [name for name, number in tier.kills.items() for _ in range(number)] + ["flush"] * tier.flushes
    blows.remove("worker")  # dealt already
    dice.shuffle(blows)
    queue: asyncio.Queue[Message | None] = asyncio.Queue()
    answers: dict[str, str] = {}

    async def send(line: Line) -> None:
        while (message := await queue.get()) is not None:
            answers[message.control_id] = await line.deliver(message)

    async with lines(held.told["ports"]["gateway_mllp"], tier.connections) as opened:
        senders = [asyncio.create_task(send(line)) for line in opened]
        size = len(messages) / (len(blows) + 1)
        for number, blow in enumerate(blows):
            sent, until = int(number * size), int((number + 1) * size)
            for message in messages[sent:until]:
                queue.put_nowait(message)
            goal = sent + dice.uniform(0.1, 0.7) * size
            await eventually(300, lambda goal=goal: _at_least(answers, goal), every=0.01)  # type: ignore[misc]
            await asyncio.sleep(dice.uniform(0, 0.6))
            await (held.flush() if blow == "flush" else held.kill(blow))
            print(f"{time.monotonic() - began:6.1f} s  {len(answers):5} answered  {blow}", file=sys.stderr, flush=True)
        for message in messages[int(len(blows) * size) :]:
            queue.put_nowait(message)
        for _ in senders:
            queue.put_nowait(None)
        await asyncio.wait_for(asyncio.gather(*senders), 120)
        lost = Line(held.told["ports"]["gateway_mllp"])
        for message in dice.sample(messages, 20):  # a laboratory that lost our answers repeats what we have long had
            assert await lost.deliver(message) == message.answer
        lost.close()
        return answers, sum(line.repeats for line in opened)


async def _at_least(answers: dict[str, str], goal: float) -> bool:
    return len(answers) >= goal


async def _drain(held: House, seconds: float, began: float) -> None:
    """Wait until all is filed: as long as it takes, while in so many seconds any more is.

    What waits is no measure: the gateway hands over what it kept while the API was down.
    """
    deadline, shown, most = time.monotonic() + seconds, time.monotonic(), -1
    while await eventually(30, lambda: _drained_or_not(held)) != "drained":
        assert time.monotonic() < deadline, f"nothing was filed for {seconds} s"
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            sql = "select count(*) filter (where state = 'received') as open, count(*) as every from inbox_message"
            (row,) = await held.rows(sql)
            if row["every"] - row["open"] > most:
                most, deadline = row["every"] - row["open"], shown + seconds
            print(f"{shown - began:6.1f} s  {row['open']:5} to be filed", file=sys.stderr, flush=True)
        await asyncio.sleep(0.5)


async def _drained_or_not(held: House) -> str:
    return "drained" if await _drained(held) else "not yet"


async def _drained(held: House) -> bool:
    if (await held.backlog())["pending"]:
        return False
    open_ = await held.rows("select 1 from inbox_message where state = 'received' limit 1")
    return not open_ and await _no_open_jobs(held)


async def _wakes(held: House, calm: list[Message]) -> list[float]:
    """Send a few messages to the idle system, at odd moments, and return how long their jobs waited for a worker."""
    async with lines(held.told["ports"]["gateway_mllp"], 1) as (line,):
        for message in calm:
            assert await line.deliver(message) == "AA"
            await asyncio.sleep(0.23)
    await eventually(30, lambda: _drained(held))
    sql = "select extract(epoch from started_at - created_at) as waited from job order by seq desc limit $1"
    return [float(row["waited"]) for row in await held.rows(sql, CALM)]


async def _look(held: House, patients: list[Patient]) -> dict[str, Any]:
    """Collect everything, over HTTP as the staff see it and behind the product as it is."""
    interface, doctor = await held.sign_in("interface"), await held.sign_in("doctor")
    listed: dict[str, list[dict[str, Any]]] = {}
    for state in ("received", "filed", "duplicate", "revision", "quarantined", "unmatched"):
        listed[state] = await _pages(interface, "/inbound-messages", {"state": state})
    overviews = {p.exam_no: (await doctor("GET", f"/exams/{p.exam_id}/results")).json() for p in patients}
    own = [p.exam_no for p in patients]
    revisions = await held.rows(
        """select e.exam_no, r.item_code, v.status, v.raw_value, v.observed_at, m.message_id, v.id = r.current_revision_id as is_current
        from result_revision v join result r on r.id = v.result_id join exam e on e.id = v.exam_id
        left join inbox_message m on m.id = v.message_id where e.exam_no = any($1)""",
        own,
    )
    inbox = await held.rows("select id::text, source, message_id, state, reason, detail from inbox_message")
    jobs = await held.rows("select name, state, attempts, claims, error, payload->>'message_id' as message from job")
    audited = await held.rows("select detail->>'message_id' as message from audit_event where action = 'result.filed'")
    return {
        "listed": listed, "overviews": overviews, "revisions": revisions, "inbox": inbox, "jobs": jobs,
        "effects": {"audit": [row["message"] for row in audited]}, "orders": (await held.control("/orders")),
        "journal": await held.backlog(),
    }  # fmt: skip


async def _pages(who: Any, path: str, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        page = (
            await who("GET", path, params={**wanted, "page_size": 200, **({"page_token": token} if token else {})})
        ).json()
        found += page["items"]
        token = page.get("next_page_token")
        if not token:
            return found


def _by_id(storm: Storm) -> dict[str, asyncpg.Record]:
    return {row["message_id"]: row for row in storm.inbox}


@tiers
def test_every_message_was_answered_and_every_answered_message_is_in_the_inbox_once(storm: Storm) -> None:
    assert storm.answers == {m.control_id: m.answer for m in storm.messages}
    times = Counter(row["message_id"] for row in storm.inbox)
    assert {m.control_id: times[m.inbox_id] for m in storm.messages if times[m.inbox_id] != 1} == {}
    assert storm.journal["pending"] == 0
    assert storm.journal["refused"] == 0


@tiers
def test_every_message_ended_in_exactly_one_state_and_in_the_right_one(storm: Storm) -> None:
    listed = Counter((m["message_id"], state) for state, page in storm.listed.items() for m in page)
    assert set(listed.values()) == {1}
    states: dict[str, list[str]] = defaultdict(list)
    for message_id, state in listed:
        states[message_id].append(state)
    wrong = {}
    for message in storm.messages:
        allowed = {
            "stranger": ["unmatched"], "garbage": ["quarantined"], "report": ["filed", "revision", "duplicate"], "copy": ["filed", "revision", "duplicate"],
        }[message.kind]  # fmt: skip
        found = states[message.inbox_id]
        if len(found) != 1 or found[0] not in allowed:
            wrong[message.control_id] = (message.kind, found)
    assert wrong == {}
    assert storm.listed["received"] == []


@tiers
def test_what_was_said_is_on_file_once_however_often_it_was_said(storm: Storm) -> None:
    """Of a report and its copies exactly one is applied, each of its observations by one revision, and one audit row tells it."""
    rows: dict[Said, list[str]] = defaultdict(list)
    for row in storm.revisions:
        said = Said(row["exam_no"], row["item_code"], row["status"], row["raw_value"], row["observed_at"])
        rows[said].append(row["message_id"])
    tellers: dict[tuple[Said, ...], list[Message]] = defaultdict(list)
    for message in storm.messages:
        if message.says:
            tellers[message.says].append(message)
    inbox = _by_id(storm)
    for says, told in tellers.items():
        by = {tuple(rows[said]) for said in says}
        assert len(by) == 1, (says[0], by)
        (applied,) = by.pop()
        assert applied in {m.control_id for m in told}
        states = Counter(inbox[m.control_id]["state"] for m in told)
        assert states["duplicate"] == len(told) - 1, (says[0], states)
        assert inbox[applied]["state"] in {"filed", "revision"}
    applied_ids = {row["id"] for row in storm.inbox if row["state"] in {"filed", "revision"}}
    assert Counter(storm.effects["audit"]) == Counter(applied_ids)


@tiers
def test_the_state_is_the_same_as_if_everything_had_come_once_and_in_order(storm: Storm) -> None:
    said = [
        (Said(r["exam_no"], r["item_code"], r["status"], r["raw_value"], r["observed_at"]), r["is_current"])
        for r in storm.revisions
    ]
    found, wanted = fingerprint([s for s, _ in said], [s for s, now in said if now]), expected(storm.messages)
    assert found["current"] == wanted["current"]
    assert found["sha256"] == wanted["sha256"]
    shown = {
        (exam_no, result["item_code"], result["current"]["value"])
        for exam_no, overview in storm.overviews.items()
        for department in overview["departments"]
        for result in department["results"]
    }
    assert shown == {(exam_no, item, value) for exam_no, item, _, value, _ in wanted["current"]}


@tiers
def test_no_job_is_left_or_lost_and_each_message_had_its_own(storm: Storm) -> None:
    states = Counter(job["state"] for job in storm.jobs)
    assert set(states) == {"succeeded"}, [dict(j) for j in storm.jobs if j["state"] != "succeeded"]
    filed = Counter(job["message"] for job in storm.jobs if job["name"] == "result.file_message")
    # What was kept for people at the door (half a frame, when its sender was cut off) has no job.
    awaited = [row["id"] for row in storm.inbox if row["id"] in filed or row["state"] != "quarantined"]
    assert filed == Counter(awaited)


@tiers
def test_orphaned_jobs_were_taken_back_in_time(storm: Storm) -> None:
    assert storm.orphans, "no kill met a running job: this shows nothing"
    assert max(since_at_work for since_at_work, _ in storm.orphans.values()) <= ORPHAN_SECONDS, storm.orphans


@tiers
def test_a_worker_that_is_stopped_puts_back_what_it_runs(storm: Storm) -> None:
    state, took = storm.requeued
    assert state in {"queued", "taken by the next worker"}
    assert took < ORPHAN_SECONDS


@tiers
def test_the_laboratory_has_every_order_once(storm: Storm) -> None:
    wanted = {(barcode, group) for patient in storm.patients for group, barcode in patient.barcodes.items()}
    barcodes = {barcode for barcode, _ in wanted}
    known = Counter(
        (tube["barcode"], line["code"])
        for tube in storm.orders["tubes"]
        for line in tube["lines"].values()
        if tube["barcode"] in barcodes
    )
    assert known == Counter(wanted)


@tiers
def test_pokes_wake_the_worker_again_after_the_storm(storm: Storm) -> None:
    assert sorted(storm.wakes)[len(storm.wakes) // 2] < 0.3, storm.wakes


@tiers
def test_sigterm_leaves_no_process_behind(storm: Storm) -> None:
    assert storm.farewell.code == 0
    assert storm.farewell.left == []
