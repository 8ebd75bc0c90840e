"""A critical value is raised on the very result that makes it, once, with its reason; nothing makes it vanish before it was seen to."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World, until
from tjapi.critical_value import service as critical_values
from tjapi.critical_value.rules import MOVES, STATES, event_key, event_of, may_be_lost, nth
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import SYSTEM

pytestmark = pytest.mark.requirement("E5.2")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _of(client: httpx.AsyncClient, visit: Visit, **query: Any) -> list[dict[str, Any]]:
    asked = {"exam_id": str(visit.exam_id), **query}
    found: list[dict[str, Any]] = (await client.get(f"{API}/critical-values", params=asked)).json()["items"]
    return found


async def _do(
    client: httpx.AsyncClient, value: dict[str, Any], verb: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    return await client.post(
        f"{API}/critical-values/{value['id']}:{verb}", json=body, headers={"If-Match": f'"{value["version"]}"'}
    )


async def _raised(
    world: World, *, groups: Sequence[str] = ("GLU", "CBC"), **values: str
) -> tuple[Visit, httpx.AsyncClient, dict[str, Any]]:
    visit = await world.checked_in(*groups)
    await world.file(visit, **({"GLU": "25.0", "HGB": "140", "WBC": "6", "PLT": "200"} | values))
    reviewer = await world.sign_in("reviewer")
    (value,) = await _of(reviewer, visit)
    return visit, reviewer, value


async def test_it_is_raised_with_its_reason_by_that_result_and_once_for_it(world: World) -> None:
    visit, reviewer, value = await _raised(world)
    assert (value["rule_code"], value["important_class"], value["state"]) == ("CRIT-GLU-HIGH", "A", "detected")
    assert value["explanation"] == "葡萄糖 25.0 mmol/L,≥ 22.2"
    assert value["action"]
    results = (await reviewer.get(f"{visit.place}/results")).json()["departments"][0]["results"]
    assert value["result_ids"] == [r["id"] for r in results if r["item_code"] == "GLU"]
    # The same said again, and another item of the exam: no new alert.
    await world.file(visit, status="C", GLU="25.00", HGB="120", WBC="6", PLT="200")
    assert [c["id"] for c in await _of(reviewer, visit)] == [value["id"]]


async def test_a_correction_supersedes_what_nobody_saw_and_marks_what_somebody_acted_on(world: World) -> None:
    visit, reviewer, value = await _raised(world)
    await world.file(visit, status="C", GLU="5.2", HGB="140", WBC="6", PLT="200")
    (gone,) = await _of(reviewer, visit)
    assert (gone["id"], gone["state"], bool(gone["corrected_at"])) == (value["id"], "superseded", True)
    visit, reviewer, value = await _raised(world)
    confirmed = (await _do(reviewer, value, "confirm")).json()
    await world.file(visit, status="C", GLU="5.2", HGB="140", WBC="6", PLT="200")
    (kept,) = await _of(reviewer, visit)
    assert (kept["state"], bool(kept["corrected_at"])) == ("confirmed", True)
    assert kept["version"] == confirmed["version"] + 1


async def test_a_corrected_value_that_is_still_critical_is_a_new_event_that_names_the_one_before(world: World) -> None:
    visit, reviewer, value = await _raised(world)
    await world.file(visit, status="C", GLU="31.5", HGB="140", WBC="6", PLT="200")
    found = {c["state"]: c for c in await _of(reviewer, visit)}
    assert found["superseded"]["id"] == value["id"]
    assert (found["detected"]["supersedes"], "31.5" in found["detected"]["explanation"]) == (value["id"], True)
    await world.file(visit, status="W", GLU="31.5", HGB="140", WBC="6", PLT="200")
    assert {c["state"] for c in await _of(reviewer, visit)} == {"superseded"}


@pytest.mark.requirement("E5.3")
async def test_it_is_confirmed_told_with_read_back_followed_up_and_closed(world: World) -> None:
    _, reviewer, value = await _raised(world)
    early = await _do(
        reviewer, value, "notify", {"channel": "phone", "told": "本人", "reached": True, "read_back": "好"}
    )
    assert early.json()["code"] == "critical-state-conflict"
    value = (await _do(reviewer, value, "confirm")).json()
    silent = await _do(reviewer, value, "notify", {"channel": "phone", "told": "本人", "reached": True})
    assert (silent.status_code, silent.json()["errors"][0]["pointer"]) == (422, "/read_back")
    value = (await _do(reviewer, value, "notify", {"channel": "phone", "told": "本人", "reached": False})).json()
    assert value["state"] == "notifying"
    told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "血糖 25.0,马上去急诊"}
    value = (await _do(reviewer, value, "notify", told)).json()
    assert value["state"] == "notified"
    assert (await _do(reviewer, value, "close", {})).json()["code"] == "outcome-missing"
    value = (await _do(reviewer, value, "follow-up", {"note": "已到急诊"})).json()
    value = (await _do(reviewer, value, "close", {"outcome": "收住院"})).json()
    assert (value["state"], value["outcome"]) == ("closed", "收住院")
    assert [s["action"] for s in value["steps"]] == [
        "detected", "confirmed", "attempt_failed", "notified", "followed_up", "closed",
    ]  # fmt: skip
    assert value["steps"][3]["read_back"] == told["read_back"]
    stale = await reviewer.post(f"{API}/critical-values/{value['id']}:confirm", headers={"If-Match": '"1"'})
    assert stale.status_code == 412


@pytest.mark.requirement("E5.3")
async def test_who_cannot_be_reached_is_given_up_after_two_channels_and_no_sooner(world: World) -> None:
    _, reviewer, value = await _raised(world)
    value = (await _do(reviewer, value, "confirm")).json()
    for channel, closes in (("phone", False), ("phone", False), ("in_person", True)):
        failed = {"channel": channel, "told": "本人", "reached": False}
        value = (await _do(reviewer, value, "notify", failed)).json()
        closed = await _do(reviewer, value, "close", {})
        assert (closed.status_code == 200) is closes
    assert closed.json()["outcome"] == "失访"


@pytest.mark.requirement("E5.3")
async def test_an_outcome_of_what_nobody_was_told_is_refused_by_what_is_missing(world: World) -> None:
    _, reviewer, value = await _raised(world)
    value = (await _do(reviewer, value, "confirm")).json()
    value = (await _do(reviewer, value, "notify", {"channel": "phone", "told": "本人", "reached": False})).json()
    refused = await _do(reviewer, value, "close", {"outcome": "自行处理"})
    assert (refused.status_code, refused.json()["code"]) == (409, "outcome-missing")
    assert "尚未联系到" in refused.json()["detail"]


@pytest.mark.requirement("E5.3", "E8.1")
async def test_only_its_own_department_or_a_reviewer_says_that_it_is_none(world: World) -> None:
    visit, reviewer, value = await _raised(world, groups=("GLU", "CBC", "US-ABD"))
    imaging = await world.sign_in("doctor.imaging")
    refused = await _do(imaging, value, "dismiss", {"reason": "标本溶血"})
    assert (refused.status_code, refused.json()["code"]) == (403, "critical-of-others")
    assert [c["state"] for c in await _of(reviewer, visit)] == ["detected"]
    # Whoever sees it may tell somebody.
    assert (await _do(imaging, value, "confirm")).status_code == 200
    visit, reviewer, value = await _raised(world)
    assert (await _do(reviewer, value, "dismiss", {"reason": "标本溶血"})).status_code == 200
    visit, _, value = await _raised(world)
    own = await world.sign_in("doctor")
    assert (await _do(own, value, "dismiss", {"reason": "标本溶血"})).status_code == 200


@pytest.mark.requirement("E5.3", "E3.1")
async def test_values_of_an_exam_without_a_line_of_ones_own_department_are_seen_by_nobody_of_another(
    world: World,
) -> None:
    visit, _, value = await _raised(world)
    imaging = await world.sign_in("doctor.imaging")
    assert await _of(imaging, visit) == []
    assert (await imaging.get(f"{API}/critical-values/{value['id']}")).status_code == 404
    for verb, body in (("confirm", None), ("dismiss", {"reason": "标本溶血"}), ("phone", None)):
        assert (await _do(imaging, value, verb, body)).status_code == 404, verb
    visit, _, value = await _raised(world, groups=("GLU", "CBC", "US-ABD"))
    assert [c["id"] for c in await _of(imaging, visit)] == [value["id"]]


@pytest.mark.requirement("E5.3")
@pytest.mark.parametrize("reason", ["x", "  x ", "。。", "——", "111", "无", "xx"])
async def test_dismissing_needs_a_reason_that_says_something(world: World, reason: str) -> None:
    _, reviewer, value = await _raised(world)
    assert (await _do(reviewer, value, "dismiss", {"reason": reason})).status_code == 422
    assert (await _do(reviewer, value, "dismiss", {"reason": "溶血"})).status_code == 200


@pytest.mark.requirement("E5.3")
@pytest.mark.parametrize("reached", ["confirmed", "notifying", "notified", "in_follow_up"])
async def test_what_turns_out_to_be_none_is_dismissed_however_far_it_came_and_keeps_its_history(
    world: World, reached: str
) -> None:
    visit, reviewer, value = await _raised(world)
    value = (await _do(reviewer, value, "confirm")).json()
    told = {"channel": "phone", "told": "本人", "reached": reached != "notifying", "read_back": "马上去急诊"}
    if reached != "confirmed":
        value = (await _do(reviewer, value, "notify", told)).json()
    if reached == "in_follow_up":
        value = (await _do(reviewer, value, "follow-up", {"note": "复查正常"})).json()
    assert value["state"] == reached
    gone = (await _do(reviewer, value, "dismiss", {"reason": "标本溶血"})).json()
    assert (gone["state"], gone["steps"][-1]["note"], gone["steps"][1]["action"]) == (
        "dismissed",
        "标本溶血",
        "confirmed",
    )
    assert (await reviewer.get(f"{visit.place}/completeness")).json()["complete"]
    assert (await _do(reviewer, gone, "confirm")).json()["code"] == "critical-state-conflict"
    async with world.runtime.units.open(await world.staff("reviewer")) as uow:
        (one,) = await critical_values.exclusions(uow, visit.exam_id)
    assert (one.reason, [str(r) for r in one.result_ids], bool(one.by_name)) == ("标本溶血", gone["result_ids"], True)


@pytest.mark.requirement("E5.3")
async def test_who_handles_it_sees_whom_to_call_and_the_phone_while_it_is_open(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, reviewer, value = await _raised(world)
    person = (await reviewer.get(visit.place)).json()
    for shown in (value, *(await _of(reviewer, visit))):
        assert (shown["name"], shown["sex"], shown["age_years"]) == (person["name"], person["sex"], person["age_years"])
    answer = await _do(reviewer, value, "phone")
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == person["name"]
    kept = "select count(*) from audit_event where action = 'examinee.unmasked' and detail->>'purpose' like '%' || $1 || '%'"
    assert await admin.fetchval(kept, value["id"]) == 1
    await _do(reviewer, value, "dismiss", {"reason": "标本溶血"})
    assert (await _do(reviewer, value, "phone")).json()["code"] == "critical-state-conflict"


async def test_while_nobody_has_seen_to_it_the_exam_is_not_finalized_and_says_why(world: World) -> None:
    visit, reviewer, value = await _raised(world)
    completeness = (await reviewer.get(f"{visit.place}/completeness")).json()
    assert [o["code"] for o in completeness["outstanding"]] == ["critical_open"]
    refused = await reviewer.post(f"{visit.place}/conclusion:generate", headers={"If-Match": '"0"'})
    assert refused.json()["code"] == "exam-not-complete"
    await _do(reviewer, value, "dismiss", {"reason": "标本溶血,重抽 5.1"})
    assert (await reviewer.get(f"{visit.place}/completeness")).json()["complete"]


@pytest.mark.requirement("E5.4")
async def test_it_is_escalated_by_the_clock_once_however_many_look_and_overdue_is_derived(
    world: World, admin: asyncpg.Connection, runtime: Runtime
) -> None:
    visit, reviewer, value = await _raised(world)

    async def sweep() -> int:
        async with runtime.units.open(SYSTEM, "worker") as uow:
            return await critical_values.escalate(uow)

    while await sweep():
        pass
    assert not value["overdue"]
    await admin.execute(
        "update critical_value set due_at = due_at - $1::interval where id = $2", timedelta(minutes=11), value["id"]
    )
    assert sum(await asyncio.gather(*(sweep() for _ in range(3)))) == 1
    (late,) = await _of(reviewer, visit, overdue=True)
    assert (late["escalation_level"], late["overdue"], late["state"]) == (1, True, "detected")
    # Seen is not told: the clock of telling somebody begins, and then it is told of again, and again, also after an attempt in vain.
    value = (await _do(reviewer, late, "confirm")).json()
    assert (value["escalation_level"], value["overdue"], await sweep()) == (0, False, 0)

    async def later() -> None:
        await admin.execute(
            "update critical_value set due_at = due_at - $1::interval, escalated_at = escalated_at - $1::interval where id = $2",
            timedelta(hours=1), value["id"],
        )  # fmt: skip

    await later()
    assert (await sweep(), await sweep()) == (1, 0)
    value = (await reviewer.get(f"{API}/critical-values/{value['id']}")).json()
    failed = {"channel": "phone", "told": "本人", "reached": False}
    value = (await _do(reviewer, value, "notify", failed)).json()
    for level in (2, 3, 4, 5, 5, 5):
        await later()
        assert (await sweep(), await sweep()) == (1, 0)
        value = (await reviewer.get(f"{API}/critical-values/{value['id']}")).json()
        assert value["escalation_level"] == level, "nobody is above the highest; they are told all the same"
    told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "马上去急诊"}
    assert (await _do(reviewer, value, "notify", told)).json()["state"] == "notified"
    await later()
    assert await sweep() == 0


@pytest.mark.requirement("E5.3")
@pytest.mark.parametrize("end", ["notify", "close", "correct"])
async def test_until_somebody_was_told_the_exam_is_not_finalized_whoever_has_seen_it(world: World, end: str) -> None:
    visit, reviewer, value = await _raised(world)

    async def outstanding() -> list[str]:
        return [o["code"] for o in (await reviewer.get(f"{visit.place}/completeness")).json()["outstanding"]]

    value = (await _do(reviewer, value, "confirm")).json()
    assert await outstanding() == ["critical_open"]
    for channel in ("phone", "sms"):
        failed = {"channel": channel, "told": "本人", "reached": False}
        value = (await _do(reviewer, value, "notify", failed)).json()
        assert await outstanding() == ["critical_open"]
    if end == "notify":
        told = {"channel": "phone", "told": "家属", "reached": True, "read_back": "马上去急诊"}
        assert (await _do(reviewer, value, "notify", told)).status_code == 200
    elif end == "close":
        assert (await _do(reviewer, value, "close", {})).json()["outcome"] == "失访"
    else:
        await world.file(visit, status="C", GLU="5.2", HGB="140", WBC="6", PLT="200")
    assert await outstanding() == []


async def test_another_campus_sees_none_of_it(world: World) -> None:
    visit, _, value = await _raised(world)
    stranger = await world.sign_in("doctor.b")
    assert await _of(stranger, visit) == []
    assert (await stranger.get(f"{API}/critical-values/{value['id']}")).status_code == 404
    assert (await _do(stranger, value, "confirm")).status_code == 404


@contextlib.asynccontextmanager
async def _listening(client: httpx.AsyncClient) -> AsyncIterator[Callable[[], list[tuple[float, dict[str, Any]]]]]:
    seen: list[tuple[float, dict[str, Any]]] = []
    opened = asyncio.Event()

    async def follow() -> None:
        async with client.stream("GET", f"{API}/live-events", timeout=None) as stream:
            async for line in stream.aiter_lines():
                opened.set()
                if line.startswith("data: "):
                    seen.append((time.monotonic(), json.loads(line[6:])))

    task = asyncio.create_task(follow())
    await asyncio.wait_for(opened.wait(), 5)
    yield lambda: seen
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_it_is_seen_live_within_a_second_and_says_nothing_personal(world: World) -> None:
    visit = await world.checked_in("GLU")
    reviewer = await world.sign_in("reviewer")
    async with _listening(reviewer) as heard:
        await world.file(visit, GLU="25.0")
        stored = time.monotonic()

        async def alerts() -> list[tuple[float, dict[str, Any]]]:
            mine = [(at, e) for at, e in heard() if e["data"].get("exam_id") == str(visit.exam_id)]
            return [(at, e) for at, e in mine if e["topic"] == "critical_value"]

        at, event = (await until(alerts, seconds=5))[0]
    assert at - stored <= 1
    assert set(event["data"]) == {
        "critical_value_id", "exam_id", "important_class", "state", "action", "escalation_level",
    }  # fmt: skip


def test_the_states_are_those_of_the_table_and_an_event_does_not_depend_on_the_order_of_its_values() -> None:
    assert set(MOVES) == set(STATES)
    assert {to for tos in MOVES.values() for to in tos} <= set(STATES)
    one, other = (uuid7(), "6.8"), (uuid7(), "25")
    assert event_key([one, other]) == event_key([other, one]) != event_key([one])
    assert event_of(nth(event_key([one]), 0)) == event_of(nth(event_key([one]), 2)) == event_key([one])
    assert may_be_lost(["phone", "sms"])
    assert not may_be_lost(["phone", "phone"])
