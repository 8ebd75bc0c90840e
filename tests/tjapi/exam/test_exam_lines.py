"""Lines while the exam goes on: added, withdrawn, replaced, refused, waived, deferred, and brought back."""

import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World, key
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.exam.rules import GONE, LineAction
from tjapi.exam.schemas import ExamIn
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E1.6")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _add(world: World, visit: Visit, *groups: str) -> httpx.Response:
    ids, front = await world.groups(), await world.sign_in("front")
    body = {"item_group_ids": [str(ids[code]) for code in groups], "reason": "受检者要求"}
    return await front.post(f"{visit.place}/lines", json=body, headers=key())


async def _command(
    world: World, visit: Visit, verb: str, *codes: str, who: str = "front", **more: Any
) -> httpx.Response:
    client = await world.sign_in(who)
    body = {"line_ids": [str(visit.lines[code]) for code in codes], "reason": "受检者要求", **more}
    return await client.post(f"{visit.place}/lines:{verb}", json=body)


async def _exam(world: World, visit: Visit) -> dict[str, Any]:
    front = await world.sign_in("front")
    found: dict[str, Any] = (await front.get(visit.place)).json()
    return found


def _states(exam: dict[str, Any]) -> dict[str, str]:
    return {line["code"]: line["state"] for line in exam["lines"]}


def _sums_up(exam: dict[str, Any]) -> None:
    """The total is that of the lines which are part of the exam."""
    assert exam["total_fen"] == sum(line["price_fen"] for line in exam["lines"] if line["state"] not in GONE)


async def test_an_added_group_costs_its_list_price_is_asked_of_the_laboratory_and_reopens_what_was_complete(
    world: World,
) -> None:
    visit = await world.ready("GLU")
    assert (await _exam(world, visit))["state"] == "ready_for_review"
    answer = await _add(world, visit, "CBC", "GENERAL")
    exam = answer.json()
    assert (answer.status_code, exam["state"]) == (200, "in_progress")
    _sums_up(exam)
    states = _states(exam)
    assert (states["GLU"], states["CBC"], states["GENERAL"]) == ("verified", "released", "released")
    added = next(line for line in exam["lines"] if line["code"] == "CBC")
    assert added["price_fen"] == added["list_price_fen"]
    front = await world.sign_in("front")
    tubes = (await front.get(f"{visit.place}/tubes")).json()["items"]
    assert any("血常规" in tube["groups"] for tube in tubes)
    reasons = (await front.get(f"{visit.place}/completeness")).json()["outstanding"]
    assert {r["code"] for r in reasons} == {"line_released", "summary_unsigned"}


async def test_what_is_ordered_already_is_not_ordered_twice_not_even_by_two_desks_at_once(world: World) -> None:
    visit = await world.checked_in("GLU")
    again = await _add(world, visit, "GLU")
    assert (again.status_code, again.json()["code"]) == (409, "item-group-ordered")
    assert again.json()["errors"][0]["pointer"] == "/item_group_ids/0"
    answers = await asyncio.gather(*(_add(world, visit, "CBC") for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409, 409]


async def test_what_is_withdrawn_costs_nothing_and_what_is_refused_waived_or_deferred_keeps_its_place(
    world: World,
) -> None:
    visit = await world.checked_in("GENERAL", "INTERNAL", "GLU", "CBC")
    before = (await _exam(world, visit))["total_fen"]
    exam = (await _command(world, visit, "withdraw", "INTERNAL")).json()
    _sums_up(exam)
    assert exam["total_fen"] == before - next(line["price_fen"] for line in exam["lines"] if line["code"] == "INTERNAL")
    tomorrow = business_day(world.runtime.clock.now()) + timedelta(days=1)
    await _command(world, visit, "refuse", "GENERAL", signature="张三")
    await _command(world, visit, "waive", "GLU")
    exam = (await _command(world, visit, "defer", "CBC", due_on=f"{tomorrow}")).json()
    _sums_up(exam)
    assert _states(exam) == {"GENERAL": "refused", "INTERNAL": "withdrawn", "GLU": "waived", "CBC": "deferred"}
    front = await world.sign_in("front")
    reasons = (await front.get(f"{visit.place}/completeness")).json()["outstanding"]
    assert [r["code"] for r in reasons] == ["line_deferred"]  # nobody waits for a department that has nothing to do
    steps = (await front.get(f"{visit.place}/line-steps")).json()["items"]
    assert [(s["action"], s["signature"]) for s in steps] == [
        ("withdrawn", None), ("refused", "张三"), ("waived", None), ("deferred", None),
    ]  # fmt: skip
    assert all(s["reason"] == "受检者要求" and s["by_name"] == "韦前台" for s in steps)


async def test_an_exam_whose_last_open_line_is_refused_is_ready_and_one_whose_line_comes_back_is_not(
    world: World,
) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    await world.file(visit)
    assert (await _command(world, visit, "refuse", "GENERAL")).json()["state"] == "ready_for_review"
    exam = (await _command(world, visit, "reinstate", "GENERAL")).json()
    assert (exam["state"], _states(exam)["GENERAL"]) == ("in_progress", "released")
    front = await world.sign_in("front")
    reasons = (await front.get(f"{visit.place}/completeness")).json()["outstanding"]
    assert {r["code"] for r in reasons} == {"line_released", "summary_unsigned"}


@pytest.mark.parametrize("verb", ["withdraw", "refuse", "waive", "defer"])
async def test_what_was_collected_or_has_results_stays_on_every_path_and_all_or_nothing_is_done(
    world: World, verb: str
) -> None:
    visit = await world.checked_in("GENERAL", "GLU", "CBC")
    front = await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tube('空腹血糖')['id']}:collect")
    more = {"due_on": "2098-12-31"} if verb == "defer" else {}
    answer = await _command(world, visit, verb, "GENERAL", "GLU", **more)
    assert (answer.status_code, answer.json()["code"]) == (409, "line-state-conflict")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/line_ids/1", "line-collected")]
    assert _states(await _exam(world, visit))["GENERAL"] == "released"
    substitute = {
        "line_id": str(visit.lines["GLU"]), "item_group_ids": [str((await world.groups())["LIPID"])], "reason": "换",
    }  # fmt: skip
    answer = await front.post(f"{visit.place}/lines:substitute", json=substitute, headers=key())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/line_id")


async def test_a_substitute_takes_the_place_gives_back_the_price_and_may_be_substituted_itself(world: World) -> None:
    visit, front, ids = await world.checked_in("GLU"), await world.sign_in("front"), await world.groups()
    body = {"line_id": str(visit.lines["GLU"]), "item_group_ids": [str(ids["LIPID"])], "reason": "换项"}
    exam = (await front.post(f"{visit.place}/lines:substitute", json=body, headers=key())).json()
    _sums_up(exam)
    assert _states(exam) == {"GLU": "substituted", "LIPID": "released"}
    new = next(line for line in exam["lines"] if line["code"] == "LIPID")
    assert new["replaces_id"] == str(visit.lines["GLU"])
    back = {"line_id": new["id"], "item_group_ids": [str(ids["GLU"])], "reason": "换回"}
    exam = (await front.post(f"{visit.place}/lines:substitute", json=back, headers=key())).json()
    assert sorted(line["state"] for line in exam["lines"] if line["code"] == "GLU") == ["released", "substituted"]


async def test_a_cancelled_exam_costs_nothing_owes_nothing_and_may_have_had_deferred_lines(world: World) -> None:
    visit, front = await world.checked_in("GENERAL", "GLU"), await world.sign_in("front")
    ahead = business_day(world.runtime.clock.now()) + timedelta(days=7)
    assert (await _command(world, visit, "defer", "GENERAL", due_on=f"{ahead}")).status_code == 200
    answer = await front.post(f"{visit.place}:cancel", json={"reason": "离开"})
    assert (answer.status_code, answer.json()["state"], answer.json()["total_fen"]) == (200, "cancelled", 0)
    assert {line["due_on"] for line in answer.json()["lines"]} == {None}
    found = (await front.get(f"{visit.place}/completeness")).json()
    assert (found["complete"], [o["code"] for o in found["outstanding"]]) == (False, ["cancelled"])


async def test_an_exam_of_which_nothing_is_left_waits_for_nobodys_review(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    await _command(world, visit, "refuse", "GENERAL")
    await _command(world, visit, "reinstate", "GENERAL")
    assert (await _command(world, visit, "withdraw", "GENERAL")).json()["state"] == "in_progress"


async def test_a_doctor_decides_on_own_lines_alone_and_the_attempt_on_others_is_named(world: World) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    assert (await _command(world, visit, "refuse", "GENERAL", who="doctor")).status_code == 200
    other = await _command(world, visit, "withdraw", "GLU", who="doctor")
    assert (other.status_code, other.json()["code"]) == (403, "permission-missing")


async def test_a_deferral_is_due_on_a_day_to_come_and_a_line_of_another_exam_is_not_found(world: World) -> None:
    visit, other = await world.checked_in("GLU"), await world.checked_in("GLU")
    today = business_day(world.runtime.clock.now())
    answer = await _command(world, visit, "defer", "GLU", due_on=f"{today}")
    assert (answer.status_code, answer.json()["code"]) == (422, "due-date-not-ahead")
    assert answer.json()["errors"][0]["pointer"] == "/due_on"
    visit.lines["GLU"] = other.lines["GLU"]
    answer = await _command(world, visit, "refuse", "GLU")
    assert (answer.status_code, answer.json()["code"]) == (404, "line-not-there")


async def test_what_waited_for_payment_waits_for_it_again_when_it_comes_back(world: World) -> None:
    person, _ = await world.person()
    ids = await world.groups()
    async with world.runtime.units.open(demo.LOADER) as uow:
        new = ExamIn(campus_id=1, examinee_id=person, item_group_ids=[ids["GLU"]])
        exam = await exams.register(uow, new, payment_required=True)
        line = (await exams.lines(uow, exam.id))[0]
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.set_aside(uow, exam.id, [line.id], "refused", reason="不想查")
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.reinstate(uow, exam.id, [line.id], reason="又想查")
    async with world.runtime.units.read(demo.LOADER) as uow:
        assert [row.state for row in await exams.lines(uow, exam.id)] == ["ordered"]


@pytest.mark.parametrize("then", ["refused", "waived"])
async def test_what_was_deferred_unpaid_and_then_refused_is_not_free_when_it_comes_back(
    world: World, then: LineAction
) -> None:
    person, _ = await world.person()
    new = ExamIn(campus_id=1, examinee_id=person, item_group_ids=[(await world.groups())["GLU"]])
    async with world.runtime.units.open(demo.LOADER) as uow:
        exam = await exams.register(uow, new, payment_required=True)
        line = (await exams.lines(uow, exam.id))[0]
    ahead = business_day(world.runtime.clock.now()) + timedelta(days=7)
    actions: tuple[tuple[LineAction, date | None], ...] = (("deferred", ahead), (then, None))
    for action, due_on in actions:
        async with world.runtime.units.open(demo.LOADER) as uow:
            await exams.set_aside(uow, exam.id, [line.id], action, reason="改日", due_on=due_on)
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.reinstate(uow, exam.id, [line.id], reason="又想查")
    async with world.runtime.units.read(demo.LOADER) as uow:
        assert [row.state for row in await exams.lines(uow, exam.id)] == ["ordered"]


async def test_an_exam_on_hold_takes_no_command_lets_results_in_and_goes_on_from_where_it_stood(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.checked_in("GENERAL", "GLU"), await world.sign_in("front")
    held = await front.post(f"{visit.place}:hold", json={"reason": "发热"})
    assert (held.json()["state"], held.json()["hold_reason"]) == ("on_hold", "发热")
    for verb, codes in (("refuse", ("GENERAL",)), ("withdraw", ("GLU",))):
        answer = await _command(world, visit, verb, *codes)
        assert (answer.status_code, answer.json()["code"]) == (409, "exam-state-conflict")
    assert (await _add(world, visit, "CBC")).json()["code"] == "exam-state-conflict"
    await world.file(visit)
    assert _states(await _exam(world, visit))["GLU"] == "verified"
    resumed = (await front.post(f"{visit.place}:resume")).json()
    assert (resumed["state"], resumed["hold_reason"]) == ("in_progress", None)
    assert (await front.post(f"{visit.place}:resume")).status_code == 409
    assert await admin.fetchval("select held_from from exam where id = $1", visit.exam_id) is None


async def test_nothing_of_a_finalized_exam_is_added_or_set_aside(world: World) -> None:
    visit = await world.finalized("GLU")
    answers = [
        await _add(world, visit, "CBC"),
        *[await _command(world, visit, v, "GLU") for v in ("withdraw", "refuse", "waive", "reinstate")],
    ]
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(409, "exam-state-conflict")}
