"""What no machine may decide of a result is asked of a person, blocks the final review, and is answered by name."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import NOON, OpenUnit, Scene, file, line_state, observation, report, state_of, visit
from tjapi import demo
from tjapi.critical_value import repository as criticals
from tjapi.exam import service as exams
from tjapi.result import repository, service
from tjapi.result.errors import AnswerInvalid, QuestionClosed
from tjapi.result.models import ResultQuestion
from tjapi.result.schemas import AnswerIn


def _k(value: str, *flags: str, minute: int = 0, status: str = "F", **changes: Any) -> LabObservation:
    said = observation("K", value, minute=minute, status=status)
    return replace(said, abnormal_flags=flags, range_text="3.5-5.3", **changes)


async def _open(unit: OpenUnit, scene: Scene) -> list[ResultQuestion]:
    async with unit() as uow:
        return [q for q in await repository.questions_of(uow, scene.exam_id) if q.closed_at is None]


async def _blocks(unit: OpenUnit, scene: Scene) -> set[str]:
    async with unit() as uow:
        return {
            o.code for o in (await exams.completeness(uow, scene.exam_id)).outstanding if o.code.startswith("result_")
        }


async def _alarms(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    async with unit() as uow:
        return sorted((c.rule_code, c.state) for c in await criticals.of_exam(uow, scene.exam_id))


DOCTOR = replace(demo.LOADER, kind="staff", name="核实医生")


async def _answer(unit: OpenUnit, question: ResultQuestion, answer: str, **more: Any) -> None:
    async with unit(DOCTOR) as uow:
        await service.answer(uow, question.id, AnswerIn(answer=answer, reason="已核实", **more))


@pytest.mark.requirement("E3.3", "E3.5", "X4")
@pytest.mark.parametrize("value", ["见备注", "ERROR", "2,90", ">>2.90", "标本溶血", "----", "2.90."])
async def test_a_number_that_cannot_be_read_is_asked_about_and_the_line_waits(unit: OpenUnit, value: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filing = await file(unit, report(scene, "ELECTROLYTE", _k(value, remarks=("轻度溶血",))))
    assert (filing.outcome, filing.reason) == ("unmatched", "value-unread")
    assert "K" not in await state_of(unit, scene)
    (question,) = await _open(unit, scene)
    assert (question.kind, question.raw_value, question.remarks) == ("unread", value, ["轻度溶血"])
    assert "result_unread" in await _blocks(unit, scene)
    assert await line_state(unit, scene, "ELECTROLYTE") != "verified"


async def test_the_same_unreadable_message_asks_once(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for _ in range(2):
        await file(unit, report(scene, "ELECTROLYTE", _k("见备注")))
    assert len(await _open(unit, scene)) == 1


@pytest.mark.requirement("E5.2")
async def test_what_the_laboratory_calls_critical_alarms_though_nobody_could_read_it_and_stays_until_seen_to(
    unit: OpenUnit,
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for _ in range(2):
        await file(unit, report(scene, "ELECTROLYTE", _k("见备注", "HH")))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    await file(unit, report(scene, "ELECTROLYTE", observation("NA", "140")))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]


@pytest.mark.requirement("E5.2")
async def test_a_critical_of_ours_is_one_alarm_though_the_laboratory_calls_it_so_too(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("7.1", "HH"), _k("7.1", "HH", sub_id="2")))
    assert (await state_of(unit, scene))["K"] == ("7.1", "HH", "final")
    assert await _alarms(unit, scene) == [("CRIT-K-HIGH", "detected")]
    assert await _open(unit, scene) == []


@pytest.mark.requirement("E5.2")
async def test_a_value_that_only_the_laboratory_calls_critical_alarms(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("5.0", "panic")))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]


@pytest.mark.requirement("E3.5", "E5.2")
async def test_two_numbers_of_one_item_both_count_until_a_person_keeps_one(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    two = (
        replace(observation("NA", "165", sub_id="1"), abnormal_flags=()),
        replace(observation("NA", "140", sub_id="2"), abnormal_flags=()),
    )
    await file(unit, report(scene, "ELECTROLYTE", *two))
    assert (await state_of(unit, scene))["NA"] == ("165", "HH", "final")
    assert await _alarms(unit, scene) == [("CRIT-NA-HIGH", "detected")]
    (question,) = await _open(unit, scene)
    assert (question.kind, len(question.revision_ids)) == ("contested", 2)
    assert "result_contested" in await _blocks(unit, scene)
    async with unit() as uow:
        said = {r.raw_value: r.id for r in await repository.revisions_by_id(uow, question.revision_ids)}
    with pytest.raises(AnswerInvalid):
        await _answer(unit, question, "keep", revision_id=UUID(int=1))
    await _answer(unit, question, "keep", revision_id=said["140"])
    assert (await state_of(unit, scene))["NA"] == ("140", "", "final")
    assert await _open(unit, scene) == []
    assert await _alarms(unit, scene) == [("CRIT-NA-HIGH", "superseded")]
    with pytest.raises(QuestionClosed):
        await _answer(unit, question, "keep", revision_id=said["140"])
    # A correction that comes later is a correction of what was kept.
    await file(
        unit, report(scene, "ELECTROLYTE", observation("NA", "141", status="C"), reported_at=NOON + timedelta(days=400))
    )
    assert (await state_of(unit, scene))["NA"] == ("141", "", "corrected")


@pytest.mark.requirement("E3.5")
async def test_a_later_value_answers_what_could_not_be_read_and_an_older_one_does_not(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("见备注"), reported_at=NOON + timedelta(hours=2)))
    await file(unit, report(scene, "ELECTROLYTE", _k("4.0", minute=1), reported_at=NOON + timedelta(hours=1)))
    assert [q.kind for q in await _open(unit, scene)] == ["unread"]
    await file(
        unit, report(scene, "ELECTROLYTE", _k("4.2", status="C", minute=2), reported_at=NOON + timedelta(hours=3))
    )
    assert await _open(unit, scene) == []
    assert "result_unread" not in await _blocks(unit, scene)


@pytest.mark.requirement("E3.5")
async def test_a_person_enters_what_was_read_and_the_laboratorys_correction_still_counts(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("2,90")))
    (question,) = await _open(unit, scene)
    with pytest.raises(AnswerInvalid):
        await _answer(unit, question, "value", value="见备注")
    await _answer(unit, question, "value", value="2.90")
    assert (await state_of(unit, scene))["K"] == ("2.90", "L", "final")
    assert await _open(unit, scene) == []
    await file(unit, report(scene, "ELECTROLYTE", _k("4.1", status="C"), reported_at=NOON + timedelta(days=400)))
    assert (await state_of(unit, scene))["K"] == ("4.1", "", "corrected")


@pytest.mark.requirement("E3.3", "E3.4")
@pytest.mark.parametrize(("answer", "flag"), [("normal", ""), ("abnormal", "A"), ("not_judged", None)])
async def test_a_number_of_a_qualitative_item_is_judged_by_a_person(
    unit: OpenUnit, answer: str, flag: str | None
) -> None:
    scene = await visit(unit, "HBV")
    await file(unit, report(scene, "HBV", replace(observation("HBSAG", "0.01"), abnormal_flags=())))
    assert (await state_of(unit, scene))["HBSAG"] == ("0.01", None, "final")
    (question,) = await _open(unit, scene)
    assert question.kind == "undetermined"
    assert await _blocks(unit, scene) == {"result_undetermined"}
    async with unit() as uow:
        assert await service.summary_lines(uow, scene.exam_id) == []
    await _answer(unit, question, answer)
    assert await _blocks(unit, scene) == set()
    async with unit() as uow:
        (known,) = (await service.case_of(uow, scene.exam_id)).values.values()
        assert known.flag == flag
    # The same again is answered already; another value is asked about anew.
    await file(unit, report(scene, "HBV", replace(observation("HBSAG", "0.01"), abnormal_flags=())))
    assert await _open(unit, scene) == []
    await file(unit, report(scene, "HBV", replace(observation("HBSAG", "0.02", status="C"), abnormal_flags=())))
    assert [q.kind for q in await _open(unit, scene)] == ["undetermined"]


@pytest.mark.requirement("X4")
@pytest.mark.parametrize(("answer", "left"), [("confirmed", ("60", "HH", "final")), ("wrong", None)])
async def test_a_value_that_is_hardly_possible_alarms_and_waits_for_a_person(
    unit: OpenUnit, answer: str, left: object
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filing = await file(unit, report(scene, "ELECTROLYTE", _k("60")))
    assert (filing.outcome, filing.reason) == ("unmatched", "value-implausible")
    (question,) = await _open(unit, scene)
    assert question.kind == "implausible"
    assert [rule for rule, _ in await _alarms(unit, scene)] == ["CRIT-K-HIGH"]
    await file(unit, report(scene, "ELECTROLYTE", observation("NA", "140")))
    assert [q.kind for q in await _open(unit, scene)] == ["implausible"], "another item's value answers nothing"
    await _answer(unit, question, answer)
    assert (await state_of(unit, scene))["K"] == left
    assert await _open(unit, scene) == []


async def test_a_correction_of_the_future_is_bounded_by_its_arrival(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    far = 365 * 24 * 60 * 70
    async with unit() as uow:
        first = report(
            scene, "ELECTROLYTE", _k("4.9", status="C", minute=far), reported_at=NOON + timedelta(minutes=far)
        )
        await service.file_report(uow, UUID(int=1), "lis", first, NOON + timedelta(hours=1))
    async with unit() as uow:
        later = report(scene, "ELECTROLYTE", _k("4.1", status="C", minute=90), reported_at=NOON + timedelta(hours=2))
        await service.file_report(uow, UUID(int=2), "lis", later, NOON + timedelta(hours=3))
    assert (await state_of(unit, scene))["K"] == ("4.1", "", "corrected")


async def test_nothing_is_asked_about_a_line_that_is_gone(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE", "GLU")
    await file(unit, report(scene, "ELECTROLYTE", _k("见备注")))
    async with unit() as uow:
        await service.drop_questions(uow, scene.exam_id, [scene.lines["ELECTROLYTE"]])
    assert await _open(unit, scene) == []
    assert await _blocks(unit, scene) == set()


async def test_what_a_person_struck_may_be_said_again_by_the_laboratory_and_then_counts(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("60")))
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "wrong")
    assert (await state_of(unit, scene))["K"] is None
    await file(unit, report(scene, "ELECTROLYTE", _k("60", status="C")))
    assert (await state_of(unit, scene))["K"] == ("60", "HH", "corrected")


@pytest.mark.requirement("E5.2")
async def test_a_flag_beside_a_remark_and_a_mark_inside_a_value_alarm_as_well(unit: OpenUnit) -> None:
    beside = await visit(unit, "ELECTROLYTE")
    await file(unit, report(beside, "ELECTROLYTE", _k("5.0"), _k("危急值,已电话通知", "AA", sub_id="2")))
    assert [rule for rule, _ in await _alarms(unit, beside)] == ["LAB-CRITICAL"]
    inside = await visit(unit, "ELECTROLYTE")
    await file(unit, report(inside, "ELECTROLYTE", _k("5.0↑↑", "H")))
    assert [rule for rule, _ in await _alarms(unit, inside)] == ["LAB-CRITICAL"]


@pytest.mark.requirement("E3.3")
async def test_a_number_of_a_qualitative_item_is_not_normal_because_the_laboratory_says_so(unit: OpenUnit) -> None:
    scene = await visit(unit, "HBV")
    said = replace(observation("HBSAG", "0.01"), abnormal_flags=("N",), range_text="0-0.05")
    await file(unit, report(scene, "HBV", said))
    assert [q.kind for q in await _open(unit, scene)] == ["undetermined"]


async def test_what_was_answered_is_not_asked_again_by_the_same_message(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("见备注")))
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "no_value")
    await file(unit, report(scene, "ELECTROLYTE", _k("见备注"), observation("NA", "140")))
    assert await _open(unit, scene) == []


async def test_a_withdrawal_in_a_unit_that_nobody_knows_is_a_withdrawal(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("4.2")))
    await file(unit, report(scene, "ELECTROLYTE", _k("16.4", status="W", unit="mg/dL")))
    assert (await state_of(unit, scene))["K"] is None


async def test_a_remark_on_the_whole_report_stands_beside_the_first_value_that_is_filed(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    said = report(scene, "ELECTROLYTE", observation("NOBODY-KNOWS", "1"), _k("4.2"))
    await file(unit, replace(said, results=(replace(said.results[0], remarks=("标本轻度溶血",)),)))
    async with unit() as uow:
        assert [r.remarks for r in await repository.revisions_of_exam(uow, scene.exam_id)] == [["标本轻度溶血"]]


@pytest.mark.requirement("X4", "E3.5")
async def test_what_a_person_reads_that_can_hardly_be_is_asked_back_as_a_laboratorys_is(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("见备注")))
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "value", value="60")
    assert [q.kind for q in await _open(unit, scene)] == ["implausible"]
    assert "result_implausible" in await _blocks(unit, scene)
    assert await line_state(unit, scene, "ELECTROLYTE") != "verified"


@pytest.mark.requirement("E3.5")
async def test_a_person_enters_a_value_in_any_unit_that_the_item_is_said_in(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    await file(unit, report(scene, "GLU", replace(observation("GLU", "见备注"), unit="")))
    (question,) = await _open(unit, scene)
    with pytest.raises(AnswerInvalid):
        await _answer(unit, question, "value", value="100 furlong")
    await _answer(unit, question, "value", value="100 mg/dL")
    assert (await state_of(unit, scene))["GLU"] == ("5.551", "", "final")


@pytest.mark.requirement("E3.5")
async def test_a_message_whose_doubtful_value_was_answered_ends_well_when_it_is_replayed(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    said = report(scene, "ELECTROLYTE", _k("60"))
    assert (await file(unit, said)).reason == "value-implausible"
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "confirmed")
    again = await file(unit, said)
    assert (again.outcome, again.reason) == ("duplicate", None)
    assert await _open(unit, scene) == []


@pytest.mark.requirement("E5.2")
async def test_an_alarm_of_the_laboratory_takes_the_place_of_the_same_items_alone(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    sodium = replace(observation("NA", "141"), abnormal_flags=("HH",))
    await file(unit, report(scene, "ELECTROLYTE", _k("4.4", "HH"), sodium))
    await file(
        unit, report(scene, "ELECTROLYTE", _k("4.5", "HH", status="C"), replace(sodium, raw_value="142", status="C"))
    )
    async with unit() as uow:
        alarms = {c.id: c for c in await criticals.of_exam(uow, scene.exam_id)}
    later = [c for c in alarms.values() if c.supersedes is not None]
    assert len(later) == 2
    assert all(alarms[c.supersedes].result_ids == c.result_ids for c in later)
