"""An item of which no value will come: said by name, settled for its line, shown on the report; a value that comes after all takes its place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import NOON, OpenUnit, Scene, file, line_state, observation, report, state_of, visit
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.report import views as report_views
from tjapi.report.layout import report_data
from tjapi.requisition import service as requisitions
from tjapi.requisition.errors import TubeHasResults
from tjapi.result import repository, service
from tjapi.result.errors import (
    AnswerInvalid,
    DepartmentNotOwn,
    GivingUpNotPossible,
    ItemNotOfLine,
    SheetNotComplete,
    SignerNotStaff,
)
from tjapi.result.models import ResultQuestion
from tjapi.result.schemas import AnswerIn, GiveUpIn, ResultsIn, SignIn

ALL = {"K": "4.1", "NA": "140", "CL": "103", "CA": "2.3", "P": "1.1", "MG": "0.9"}
DOCTOR = replace(demo.LOADER, kind="staff", name="核实医生")
LATER = NOON + timedelta(hours=2)


def _said(scene: Scene, *, but: str = "", **more: str) -> tuple[LabObservation, ...]:
    """All that the group holds, but one item; `more`: other values."""
    return tuple(observation(c, v) for c, v in (ALL | more).items() if c != but and c in scene.items)


async def _without_k(unit: OpenUnit, how: str) -> Scene:
    scene = await visit(unit, "ELECTROLYTE")
    if how == "withdrawn":
        await file(unit, report(scene, "ELECTROLYTE", *_said(scene)))
        wrong = observation("K", "4.1", status="W")
        await file(unit, report(scene, "ELECTROLYTE", wrong, reported_at=LATER))
    elif how == "never":
        await file(unit, report(scene, "ELECTROLYTE", *_said(scene, but="K")))
    elif how == "preliminary":
        said = [*_said(scene, but="K"), observation("K", "4.1", status="P")]
        await file(unit, report(scene, "ELECTROLYTE", *said))
    else:
        await file(unit, report(scene, "ELECTROLYTE", *_said(scene, K="溶血")))
    return scene


async def _give_up(
    unit: OpenUnit, scene: Scene, item: str = "K", *, who: Any = DOCTOR, reason: str = "标本溶血"
) -> Any:
    async with unit(who) as uow:
        line = scene.lines["ELECTROLYTE"]
        return await service.give_up(uow, scene.exam_id, line, scene.items[item], GiveUpIn(reason=reason))


async def _questions(unit: OpenUnit, scene: Scene) -> list[ResultQuestion]:
    async with unit() as uow:
        return [q for q in await repository.questions_of(uow, scene.exam_id) if q.closed_at is None]


async def _answer(unit: OpenUnit, question: ResultQuestion, answer: str, **more: Any) -> None:
    async with unit(DOCTOR) as uow:
        await service.answer(uow, question.id, AnswerIn(answer=answer, reason="标本溶血", **more))


async def _shown(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    """What the report names as not examined or not reported, and why."""
    async with unit() as uow:
        rows = await report_views.source(uow, scene.exam_id)
    printed = report_data(rows, [], hospital_name="试", version=1, watermark=None, printed_at=NOON)
    return [(line["name"], line["why"].removeprefix("未报告结果：")) for line in printed["unperformed"]]


@pytest.mark.requirement("E3.3", "E3.5", "E4.1")
@pytest.mark.parametrize("how", ["withdrawn", "never", "preliminary"])
async def test_an_item_of_which_no_value_will_come_is_given_up_by_name_and_the_line_is_settled(
    unit: OpenUnit, how: str
) -> None:
    scene = await _without_k(unit, how)
    assert await line_state(unit, scene, "ELECTROLYTE") == "resulted"
    given = await _give_up(unit, scene)
    assert (given.kind, given.answer, given.reason, given.gives_up) == ("missing", "no_value", "标本溶血", True)
    assert await line_state(unit, scene, "ELECTROLYTE") == "verified"
    assert (await state_of(unit, scene)).get("K") is None
    assert await _shown(unit, scene) == [("电解质六项：钾", "标本溶血")]
    assert (await _give_up(unit, scene)).id == given.id
    async with unit() as uow:
        assert all(
            o.source != f"line:{scene.lines['ELECTROLYTE']}"
            for o in (await exams.completeness(uow, scene.exam_id)).outstanding
        )


@pytest.mark.requirement("E3.3", "E3.5")
async def test_an_unread_item_that_is_said_to_have_no_value_is_settled_as_well(unit: OpenUnit) -> None:
    scene = await _without_k(unit, "unread")
    (question,) = await _questions(unit, scene)
    await _answer(unit, question, "no_value")
    assert await line_state(unit, scene, "ELECTROLYTE") == "verified"
    assert await _shown(unit, scene) == [("电解质六项：钾", "标本溶血")]


@pytest.mark.requirement("E3.3", "E3.5")
async def test_what_stands_is_not_given_up_by_an_answer_about_a_later_word(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", *_said(scene)))
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "见备注", status="C"), reported_at=LATER))
    (question,) = await _questions(unit, scene)
    await _answer(unit, question, "keep")
    assert await _shown(unit, scene) == []
    wrong = observation("K", "4.1", status="W")
    await file(unit, report(scene, "ELECTROLYTE", wrong, reported_at=LATER + timedelta(hours=1)))
    assert await line_state(unit, scene, "ELECTROLYTE") == "resulted"


@pytest.mark.requirement("E3.3", "E3.5")
@pytest.mark.parametrize("how", ["withdrawn", "never", "preliminary", "unread"])
async def test_a_value_that_comes_after_all_takes_its_place_and_the_mark_does_not_return(
    unit: OpenUnit, how: str
) -> None:
    scene = await _without_k(unit, how)
    if how == "unread":
        await _answer(unit, (await _questions(unit, scene))[0], "no_value")
    else:
        await _give_up(unit, scene)
    late = NOON + timedelta(days=400)
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "4.4", minute=9), reported_at=late))
    assert (await state_of(unit, scene))["K"] == ("4.4", "", "final")
    assert await line_state(unit, scene, "ELECTROLYTE") == "verified"
    assert await _shown(unit, scene) == []
    wrong = observation("K", "4.4", minute=9, status="W")
    await file(unit, report(scene, "ELECTROLYTE", wrong, reported_at=late + timedelta(hours=1)))
    assert await line_state(unit, scene, "ELECTROLYTE") == "resulted"
    assert await _shown(unit, scene) == []


@pytest.mark.requirement("E3.3", "E4.1")
async def test_what_would_be_computed_of_an_item_that_was_given_up_is_not_missing_in_silence(unit: OpenUnit) -> None:
    scene = await visit(unit, "LIPID-FULL")
    some = {"TC": "5.0", "TG": "1.2", "LDL": "2.9", "APOA1": "1.3", "APOB": "0.9", "LPA": "120"}
    await file(unit, report(scene, "LIPID-FULL", *(observation(c, v) for c, v in some.items())))
    async with unit(DOCTOR) as uow:
        line, hdl = scene.lines["LIPID-FULL"], scene.items["HDL"]
        await service.give_up(uow, scene.exam_id, line, hdl, GiveUpIn(reason="标本乳糜"))
    assert await line_state(unit, scene, "LIPID-FULL") == "verified"
    assert [reason.rpartition(":")[2] for _, reason in await _shown(unit, scene)] == ["标本乳糜", "标本乳糜"]
    await file(unit, report(scene, "LIPID-FULL", observation("HDL", "1.4"), reported_at=LATER))
    assert (await state_of(unit, scene))["NONHDL"] is not None
    assert await _shown(unit, scene) == []


@pytest.mark.requirement("E3.3", "X2")
async def test_only_a_person_of_the_department_gives_up_and_only_what_has_no_value(unit: OpenUnit) -> None:
    scene = await _without_k(unit, "never")
    with pytest.raises(SignerNotStaff):
        await _give_up(unit, scene, who=replace(demo.LOADER, kind="client"))
    with pytest.raises(DepartmentNotOwn):
        await _give_up(unit, scene, who=replace(DOCTOR, departments=(scene.departments["ELECTROLYTE"] + 1,)))
    with pytest.raises(GivingUpNotPossible):
        await _give_up(unit, scene, "NA")
    async with unit(DOCTOR) as uow:
        with pytest.raises(ItemNotOfLine):
            await service.give_up(uow, scene.exam_id, scene.lines["ELECTROLYTE"], UUID(int=1), GiveUpIn(reason="溶血"))
    assert await line_state(unit, scene, "ELECTROLYTE") == "resulted"


@pytest.mark.requirement("E3.1", "E3.3")
async def test_what_cannot_be_measured_of_an_examination_that_was_made_is_given_up_and_the_sheet_is_signed(
    unit: OpenUnit,
) -> None:
    scene = await visit(unit, "ECG")
    department, line = scene.departments["ECG"], scene.lines["ECG"]

    async def give_up() -> Any:
        async with unit(DOCTOR) as uow:
            reason = GiveUpIn(reason="房颤,无法测量")
            return await service.give_up(uow, scene.exam_id, line, scene.items["ECG-PR"], reason)

    with pytest.raises(GivingUpNotPossible):
        await give_up()
    said = {"ECG-HR": "88", "ECG-QRS": "90", "ECG-QTC": "420", "ECG": "心房颤动"}
    rows = [{"item_id": str(scene.items[code]), "value": value} for code, value in said.items()]
    async with unit(DOCTOR) as uow:
        version = (await service.get_sheet(uow, scene.exam_id, department)).version
        await service.put_results(uow, scene.exam_id, department, ResultsIn.model_validate({"results": rows}), version)
    async with unit(DOCTOR) as uow:
        version = (await service.get_sheet(uow, scene.exam_id, department)).version
        with pytest.raises(SheetNotComplete):
            await service.sign_sheet(uow, scene.exam_id, department, SignIn(), version)
    assert (await give_up()).gives_up
    async with unit(DOCTOR) as uow:
        version = (await service.get_sheet(uow, scene.exam_id, department)).version
        await service.sign_sheet(uow, scene.exam_id, department, SignIn(), version)
    assert await line_state(unit, scene, "ECG") == "verified"
    assert await _shown(unit, scene) == [("十二导联心电图：PR间期", "房颤,无法测量")]


@pytest.mark.requirement("E3.3", "E2.5")
async def test_a_line_that_has_no_value_at_all_is_not_settled_by_giving_up(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    with pytest.raises(GivingUpNotPossible):
        await _give_up(unit, scene)
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "4.1", status="P")))
    await _give_up(unit, scene)
    assert await line_state(unit, scene, "ELECTROLYTE") == "collected"


@pytest.mark.requirement("E3.3", "E2.5")
async def test_what_was_given_up_of_a_specimen_is_awaited_of_the_next(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "溶血"), observation("NA", "140", status="P")))
    await _answer(unit, (await _questions(unit, scene))[0], "no_value")
    await _give_up(unit, scene, "NA")
    assert await line_state(unit, scene, "ELECTROLYTE") == "collected"
    async with unit() as uow:
        tube = await requisitions.tube_by_barcode(uow, scene.barcodes["ELECTROLYTE"])
        assert tube is not None
        await requisitions.collect(uow, tube.tube_id)
        again = await requisitions.reject(uow, tube.tube_id, "haemolysed")
    async with unit() as uow:
        await requisitions.collect(uow, again.replacement.id)
    second = replace(scene, barcodes={"ELECTROLYTE": again.replacement.barcode}, placers={})
    await file(unit, report(second, "ELECTROLYTE", *_said(scene, but="K"), reported_at=LATER))
    assert await line_state(unit, scene, "ELECTROLYTE") == "resulted"
    assert await _shown(unit, scene) == []


@pytest.mark.requirement("E2.5")
async def test_a_tube_that_is_not_rejected_says_which_of_its_items_have_results(unit: OpenUnit) -> None:
    scene = await _without_k(unit, "never")
    async with unit() as uow:
        tube = await requisitions.tube_by_barcode(uow, scene.barcodes["ELECTROLYTE"])
        assert tube is not None
        await requisitions.collect(uow, tube.tube_id)
        with pytest.raises(TubeHasResults) as refused:
            await requisitions.reject(uow, tube.tube_id, "haemolysed")
    assert "电解质" in str(refused.value.params["names"])


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("status", ["F", "C"])
async def test_values_that_contradict_each_other_may_all_be_wrong(unit: OpenUnit, status: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    two = [observation("K", v, sub_id=str(i), status=status) for i, v in enumerate(("5.6", "3.3"))]
    await file(unit, report(scene, "ELECTROLYTE", *_said(scene, but="K"), *two))
    (question,) = await _questions(unit, scene)
    await _answer(unit, question, "wrong")
    assert (await state_of(unit, scene))["K"] is None
    assert await _questions(unit, scene) == []
    assert await line_state(unit, scene, "ELECTROLYTE") == "resulted"
    await _give_up(unit, scene)
    assert await line_state(unit, scene, "ELECTROLYTE") == "verified"


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("status", ["F", "C"])
async def test_a_person_enters_what_neither_of_two_contradicting_values_said(unit: OpenUnit, status: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    two = [
        replace(observation("K", v, sub_id=str(i), status=status), abnormal_flags=flags)
        for i, (v, flags) in enumerate((("6.9", ("HH",)), ("3.3", ())))
    ]
    await file(unit, report(scene, "ELECTROLYTE", *_said(scene, but="K"), *two))
    (question,) = await _questions(unit, scene)
    with pytest.raises(AnswerInvalid):
        await _answer(unit, question, "value", value="大约四")
    assert len(await _questions(unit, scene)) == 1
    with pytest.raises(AnswerInvalid):
        await _answer(unit, question, "value", value="4.2")  # neither of the two: nobody has said why
    await _answer(unit, question, "value", value="4.2", kept_because="电话核对仪器原始记录")
    assert (await state_of(unit, scene))["K"] == ("4.2", "", "corrected")
    assert await _questions(unit, scene) == []
    assert await line_state(unit, scene, "ELECTROLYTE") == "verified"
    late = datetime.now(UTC) + timedelta(minutes=1)
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "4.4", status="C", minute=9), reported_at=late))
    assert (await state_of(unit, scene))["K"] == ("4.4", "", "corrected")


@pytest.mark.requirement("E3.5", "E5.2")
@pytest.mark.parametrize(("answer", "left"), [("no_value", None), ("keep", ("4.4", "", "final"))])
async def test_a_correction_that_nobody_could_read_takes_the_value_with_it_unless_somebody_says_that_it_stands(
    unit: OpenUnit, answer: str, left: Any
) -> None:
    """The laboratory took 4.4 back: that there is no value is not that the old one is normal."""
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", *_said(scene, K="4.4")))
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "约7", status="C"), reported_at=LATER))
    (question,) = await _questions(unit, scene)
    assert question.kind == "unread"
    with pytest.raises(AnswerInvalid):
        await _answer(unit, question, answer)  # 约7 may be critical
    await _answer(unit, question, answer, kept_because="检验科电话确认")
    assert (await state_of(unit, scene))["K"] == left
    assert await _shown(unit, scene) == ([("电解质六项：钾", "标本溶血")] if left is None else [])


@pytest.mark.requirement("E3.5")
async def test_nothing_that_does_not_stand_is_kept(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "约7")))
    with pytest.raises(AnswerInvalid):
        await _answer(unit, (await _questions(unit, scene))[0], "keep")


@pytest.mark.requirement("E3.3", "E3.5")
async def test_of_several_preliminary_values_none_comes_back_once_the_item_is_given_up(unit: OpenUnit) -> None:
    scene = await _without_k(unit, "preliminary")
    await file(unit, report(scene, "ELECTROLYTE", observation("K", "4.6", status="P", minute=30), reported_at=LATER))
    await _give_up(unit, scene)
    assert (await state_of(unit, scene))["K"] is None
    assert await _shown(unit, scene) == [("电解质六项：钾", "标本溶血")]


@pytest.mark.requirement("E3.3", "E2.5")
async def test_a_line_without_any_value_is_not_given_up_after_an_answer_either(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    await file(unit, report(scene, "GLU", observation("GLU", "溶血")))
    await _answer(unit, (await _questions(unit, scene))[0], "no_value")
    assert await line_state(unit, scene, "GLU") == "collected"
    async with unit(DOCTOR) as uow:
        with pytest.raises(GivingUpNotPossible):
            await service.give_up(uow, scene.exam_id, scene.lines["GLU"], scene.items["GLU"], GiveUpIn(reason="溶血"))
