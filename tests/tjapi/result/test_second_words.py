"""A later correction replaces an earlier one; what a laboratory flags nobody calls normal; refusals and tasks name what they are about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.tjapi.result.scene import NOON, OpenUnit, file, observation, report, state_of, visit
from tests.tjapi.result.test_questions import _answer, _open
from tests.tjapi.world import API, SignIn, World
from tjapi.kernel.runtime import Runtime
from tjapi.result.errors import AnswerInvalid


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.requirement("E3.5", "X4")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_corrections_of_one_moment_the_one_that_was_sent_later_holds(
    unit: OpenUnit, order: tuple[int, int]
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    said = [
        replace(
            report(scene, "ELECTROLYTE", observation("K", value, status="C")), message_id=f"M{n}", sent_at=NOON + timedelta(hours=2 + n)
        )
        for n, value in enumerate(("4.1", "5.0"))
    ]  # fmt: skip
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "4.4")))
    for n in order:
        await file(unit, said[n])
    assert (await state_of(unit, scene))["K"][0] == "5.0"  # type: ignore[index]
    assert await _open(unit, scene) == []


@pytest.mark.requirement("E3.5", "X4")
async def test_two_finals_of_one_moment_in_two_messages_are_still_contested(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for n, value in enumerate(("4.1", "5.0")):
        said = report(scene, "ELECTROLYTE", observation("K", value))
        await file(unit, replace(said, message_id=f"F{n}", sent_at=NOON + timedelta(hours=2 + n)))
    assert [q.kind for q in await _open(unit, scene)] == ["contested"]


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(("flag", "refused"), [("A", True), ("AA", True), ("", False), ("N", False)])
async def test_nobody_calls_normal_what_its_laboratory_flags(unit: OpenUnit, flag: str, refused: bool) -> None:
    scene = await visit(unit, "HBV")
    one = replace(observation("HBSAG", "混合型"), unit="", range_text="", abnormal_flags=(flag,) if flag else ())
    await file(unit, report(scene, "HBV", one))
    asked = [q for q in await _open(unit, scene) if q.item_code == "HBSAG"]
    (question,) = asked
    if refused:
        with pytest.raises(AnswerInvalid):
            await _answer(unit, question, "normal")
        await _answer(unit, question, "not_judged")
    else:
        await _answer(unit, question, "normal")


@pytest.mark.requirement("E12.1")
async def test_a_task_says_whose_and_what_was_changed(world: World) -> None:
    done = await world.finalized("GLU")
    chief, front = await world.sign_in("chief"), await world.sign_in("front")
    exam = (await front.get(done.place)).json()
    await world.file(done, status="C", GLU="8.74")
    found = (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200, "state": "open"})).json()["items"]
    (task,) = [one for one in found if one["exam_id"] == str(done.exam_id)]
    told: dict[str, Any] = {key: task[key] for key in ("exam_no", "name_masked", "item_name", "was", "now")}
    assert told["exam_no"] == exam["exam_no"]
    assert told["name_masked"] == exam["name"][0] + "*" * (len(exam["name"]) - 1)
    assert told["item_name"] == "葡萄糖"
    assert (told["was"].split(" ")[0], told["now"]) == ("5", "8.74 mmol/L")


@pytest.mark.requirement("E8.1")
async def test_a_refusal_names_the_permission_that_is_missing(world: World) -> None:
    front = await world.sign_in("front")
    answer = await front.get(f"{API}/critical-values")
    assert answer.status_code == 403
    assert "critical.read" in answer.json()["detail"]
    assert "「" in answer.json()["detail"]


@pytest.mark.requirement("I2")
async def test_an_order_shows_the_number_of_each_line_and_what_was_taken_back(world: World) -> None:
    there = await world.checked_in("GLU", "CBC")
    front = await world.sign_in("front")
    body = {"line_ids": [str(there.lines["CBC"])], "reason": "不做了"}
    assert (await front.post(f"{there.place}/lines:withdraw", json=body)).status_code == 200
    orders = (await front.get(f"{there.place}/requisitions")).json()["items"]
    lines = {line["line_id"]: line for order in orders for line in order["lines"]}
    assert {key: bool(one["cancelled_at"]) for key, one in lines.items()} == {
        str(there.lines["GLU"]): False, str(there.lines["CBC"]): True,
    }  # fmt: skip
    assert all(one["placer_no"] and one["name"] for one in lines.values())


@pytest.mark.requirement("E3.2")
@pytest.mark.parametrize(
    ("value", "place"), [("窦性心律,窦性心动过缓", "第 1 项"), ("窦性心动过缓;没有的词", "第 2 项")]
)
async def test_a_choice_that_is_none_is_told_by_its_place_and_how_parts_are_parted(
    world: World, value: str, place: str
) -> None:
    there = await world.checked_in("ECG")
    doctor = await world.sign_in("doctor")
    sheet_place = f"{there.place}/departments/{there.departments['ECG']}"
    sheet = (await doctor.get(f"{sheet_place}/sheet")).json()
    item = next(one for one in sheet["items"] if one["kind"] == "multi_select")
    body = {"results": [{"item_id": item["item_id"], "value": value}]}
    answer = await doctor.put(f"{sheet_place}/results", json=body, headers={"If-Match": f'"{sheet["version"]}"'})
    assert answer.status_code == 422
    message = answer.json()["errors"][0]["message"]
    assert place in message
    assert "「;」" in message
