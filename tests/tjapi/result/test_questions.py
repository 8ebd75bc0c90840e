"""What no machine may decide of a result is asked of a person, blocks the final review, and is answered by name."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.lis.contract import LabObservation, LabRefusal
from tests.tjapi.result.scene import NOON, OpenUnit, Scene, file, line_state, observation, report, state_of, visit
from tjapi import demo
from tjapi.critical_value import repository as criticals
from tjapi.exam import service as exams
from tjapi.kernel import inbox
from tjapi.requisition import service as requisitions
from tjapi.result import repository, service
from tjapi.result.errors import AnswerInvalid, QuestionClosed
from tjapi.result.models import ResultQuestion
from tjapi.result.rules.revisions import meaning
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


@pytest.mark.requirement("E3.5", "E5.2")
@pytest.mark.parametrize("status", ["C", "F"])
@pytest.mark.parametrize("ahead", [10, 365 * 24 * 60 * 70], ids=["minutes", "years"])
@pytest.mark.parametrize("where", ["observed", "reported", "both"])
async def test_a_moment_that_cannot_be_hides_no_critical_value(
    unit: OpenUnit, status: str, ahead: int, where: str
) -> None:
    """4.2 bears a clock ahead of ours; 7.9 was observed before, and said afterwards, by an honest one."""
    scene = await visit(unit, "ELECTROLYTE")
    future, now = NOON + timedelta(minutes=90 + ahead), NOON + timedelta(minutes=90)

    async def say(n: int, value: Any, reported_at: datetime, arrived_at: datetime) -> None:
        async with unit() as uow:
            said = report(scene, "ELECTROLYTE", value, reported_at=reported_at)
            await service.file_report(uow, UUID(int=n), "lis", said, arrived_at)

    await say(1, _k("4.1"), NOON, NOON + timedelta(minutes=1))
    observed = 0 if where == "reported" else 90 + ahead
    await say(2, _k("4.2", status="C", minute=observed), now if where == "observed" else future, now)
    await say(3, _k("7.9", status=status), now + timedelta(minutes=9), now + timedelta(minutes=10))
    assert (await state_of(unit, scene))["K"] == ("7.9", "HH", "corrected" if status == "C" else "final")
    assert ("CRIT-K-HIGH", "detected") in await _alarms(unit, scene)


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
    assert all(c.supersedes and alarms[c.supersedes].result_ids == c.result_ids for c in later)


def _at(
    minute: int, value: str, *flags: str, status: str = "F", issued: int | None = None, timeless: bool = False
) -> Any:
    """Return an observation of K and when the laboratory says it released it."""
    said = _k(value, *flags, minute=minute, status=status)
    said = replace(said, observed_at=None) if timeless else said
    return said, NOON + timedelta(minutes=minute if issued is None else issued)


async def _say(unit: OpenUnit, scene: Scene, *said: Any, **changes: Any) -> list[Any]:
    return [
        await file(unit, report(scene, "ELECTROLYTE", one, reported_at=at, sent_at=at, **changes)) for one, at in said
    ]


@pytest.mark.requirement("E3.5", "E5.2")
async def test_the_laboratorys_last_word_holds_though_it_said_the_same_before(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    words = [_at(0, "5.0", issued=1), _at(0, "7.9", "HH", status="C", issued=2), _at(0, "5.0", status="C", issued=3), _at(0, "7.9", "HH", status="C", issued=4)]  # fmt: skip
    filings = await _say(unit, scene, *words)
    assert [f.outcome for f in filings] == ["filed", "revision", "revision", "revision"]
    assert (await state_of(unit, scene))["K"] == ("7.9", "HH", "corrected")
    assert ("CRIT-K-HIGH", "detected") in await _alarms(unit, scene)
    (again,) = await _say(unit, scene, words[-1])
    assert again.outcome == "duplicate"


@pytest.mark.requirement("E3.5")
async def test_a_value_that_is_reinstated_after_it_was_withdrawn_stands(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(0, "4.9", issued=1), _at(0, "4.9", status="W", issued=2))
    assert (await state_of(unit, scene))["K"] is None
    await _say(unit, scene, _at(0, "4.9", issued=3))
    assert (await state_of(unit, scene))["K"] == ("4.9", "", "final")
    # Reinstated by the clock of the withdrawal: nobody knows which was said last.
    other = await visit(unit, "ELECTROLYTE")
    await _say(unit, other, _at(0, "4.9", issued=1), _at(0, "4.9", status="W", issued=1))
    (filing,) = await _say(unit, other, _at(0, "4.9", issued=1))
    assert (filing.outcome, filing.reason) == ("unmatched", "withdrawn-before")


@pytest.mark.requirement("E3.5", "E5.2")
@pytest.mark.parametrize(
    "said",
    [
        pytest.param((_at(0, "5.0"), _at(600_000, "4.4", status="C", issued=1), _at(0, "7.9", "HH", status="C", issued=2)), id="2099"),
        pytest.param((_at(0, "5.0"), _at(0, "4.4", status="C", issued=1), _at(-30, "7.9", "HH", status="C", issued=2)), id="draw time"),
        pytest.param((_at(0, "4.2", status="C"), _at(9, "7.9", "HH")), id="final after corrected"),
        pytest.param((_at(0, "4.2"), _at(9, "7.9", "HH", status="P")), id="preliminary after final"),
        pytest.param((_at(-60, "7.9", "HH", issued=5), _at(-600, "4.2", issued=6)), id="earlier observed, said later"),
    ],
)  # fmt: skip
async def test_what_is_said_last_is_current_or_contested_and_its_alarm_stands(unit: OpenUnit, said: Any) -> None:
    for order in (said, said[::-1]):
        scene = await visit(unit, "ELECTROLYTE")
        await _say(unit, scene, *order)
        shown = (await state_of(unit, scene))["K"]
        assert shown is not None
        assert shown[0] == "7.9"
        assert "contested" in [q.kind for q in await _open(unit, scene)]
        assert ("CRIT-K-HIGH", "detected") in await _alarms(unit, scene)
        assert await line_state(unit, scene, "ELECTROLYTE") != "verified"


@pytest.mark.requirement("E3.5")
async def test_a_withdrawal_without_a_moment_strikes_the_value_it_repeats_and_one_that_strikes_nothing_is_asked(
    unit: OpenUnit,
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(30, "5.0", issued=40), _at(0, "5.0", status="W", issued=50, timeless=True))
    assert (await state_of(unit, scene))["K"] is None
    other = await visit(unit, "ELECTROLYTE")
    await _say(unit, other, _at(30, "5.0", issued=40))
    (filing,) = await _say(unit, other, _at(0, "6.1", status="W", issued=20))
    assert (filing.outcome, filing.reason) == ("unmatched", "nothing-withdrawn")
    assert [q.kind for q in await _open(unit, other)] == ["unread"]
    assert await line_state(unit, other, "ELECTROLYTE") != "verified"


@pytest.mark.requirement("E3.5", "E5.2")
async def test_a_flag_or_a_remark_that_comes_with_the_same_value_later_counts(unit: OpenUnit) -> None:
    flagged, plain_k = _k("4.1", "HH", remarks=("轻度溶血,请结合临床",)), _k("4.1")
    for first, second in ((plain_k, flagged), (flagged, plain_k)):
        scene = await visit(unit, "ELECTROLYTE")
        filings = [await file(unit, report(scene, "ELECTROLYTE", one)) for one in (first, second)]
        assert filings[1].outcome == ("revision" if second is flagged else "duplicate")
        assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
        async with unit() as uow:
            (result,) = await repository.results(uow, scene.exam_id)
            shown = next(r for r in (await service.history(uow, result.id)).revisions if r.revision_id == result.current_revision_id)  # fmt: skip
        assert (shown.value, shown.flag, shown.remarks) == ("4.1", "", ["轻度溶血,请结合临床"])


@pytest.mark.requirement("E3.5")
async def test_each_remark_stands_beside_its_own_value(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    first, second = _k("7.2", remarks=("第一次",)), _k("4.1", remarks=("第二次复查",))
    await file(unit, report(scene, "ELECTROLYTE", first, replace(second, sub_id="2")))
    async with unit() as uow:
        (result,) = await repository.results(uow, scene.exam_id)
        said = {r.value: r.remarks for r in (await service.history(uow, result.id)).revisions}
    assert said == {"7.2": ["第一次"], "4.1": ["第二次复查"]}


@pytest.mark.requirement("E3.5", "E5.2")
@pytest.mark.parametrize("status", ["X", "A", "B", "V", "N", "O", "U", "I", "", "审核", "已更正"])
async def test_a_status_that_files_nothing_keeps_what_stands_from_being_verified_and_its_alarm_is_heard(
    unit: OpenUnit, status: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("4.9")))
    said = report(scene, "ELECTROLYTE", replace(_k("7.9", "HH"), status=status))
    said = replace(said, results=(replace(said.results[0], status=""),))
    assert (await file(unit, said)).reason == "status-not-filed"
    assert [q.kind for q in await _open(unit, scene)] == ["unread"]
    assert "result_unread" in await _blocks(unit, scene)
    assert await line_state(unit, scene, "ELECTROLYTE") != "verified"
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]


@pytest.mark.requirement("E3.5", "E5.2")
@pytest.mark.parametrize("code", ["XYZ-8", "GLU"])
async def test_what_the_laboratory_calls_critical_alarms_though_it_belongs_to_no_line(
    unit: OpenUnit, code: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    stray = replace(observation(code, "26"), abnormal_flags=("HH",))
    for _ in range(2):
        await file(unit, report(scene, "ELECTROLYTE", _k("4.1"), stray))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]


@pytest.mark.requirement("E3.5", "E5.2")
@pytest.mark.parametrize(("code", "status"), [("GLU", "F"), ("K", "X")])
async def test_an_alarm_of_another_specimen_is_another_alarm_though_no_value_names_its_moment(
    unit: OpenUnit, code: str, status: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    said = replace(observation(code, "7.6"), abnormal_flags=("HH",), observed_at=None, status=status)
    for drawn in (NOON, NOON, NOON + timedelta(hours=3)):
        sent = report(scene, "ELECTROLYTE", said)
        await file(unit, replace(sent, results=(replace(sent.results[0], specimen_at=drawn, status=""),)))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")] * 2


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    "flag",
    ["危", "高危急", "偏高危", "HP", "LP", "HC", "HHH", "HH↑", "↑↑↑", "危急值高", "H;HH", "HH,H", "critical high"],
)
async def test_whatever_is_meant_as_critical_alarms(unit: OpenUnit, flag: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("4.2", flag)))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    assert (await state_of(unit, scene))["K"] == ("4.2", "", "final")


@pytest.mark.requirement("E3.5", "X4")
@pytest.mark.parametrize(("group", "said"), [
    ("ELECTROLYTE", replace(observation("K", "4.2"), abnormal_flags=("C",))),
    ("ELECTROLYTE", replace(observation("K", "4.2"), abnormal_flags=("***",))),
    ("ELECTROLYTE", replace(observation("K", "4.2"), abnormal_flags=(">",))),
    ("ELECTROLYTE", replace(observation("NA", "165"), abnormal_flags=("LL",))),
    ("HBV", replace(observation("HBSAG", "阴性"), abnormal_flags=("A",))),
    ("HBV", replace(observation("HBSAG", "阴性 0.9"), abnormal_flags=("H",))),
])  # fmt: skip
async def test_a_flag_that_nobody_understands_or_that_contradicts_its_value_is_asked_about(
    unit: OpenUnit, group: str, said: LabObservation
) -> None:
    scene = await visit(unit, group)
    assert (await file(unit, report(scene, group, said))).reason == "value-implausible"
    assert [q.kind for q in await _open(unit, scene)] == ["implausible"]


@pytest.mark.requirement("E3.3", "E3.4", "X4")
@pytest.mark.parametrize("value", ["标本溶血", "见备注", "0.01"])
@pytest.mark.parametrize("flag", ["A", "AA", "H", "N"])
async def test_a_laboratorys_flag_does_not_make_words_understood(unit: OpenUnit, value: str, flag: str) -> None:
    scene = await visit(unit, "HBV")
    await file(unit, report(scene, "HBV", replace(observation("HBSAG", value), abnormal_flags=(flag,))))
    assert (await state_of(unit, scene))["HBSAG"] == (value, None, "final")
    assert [q.kind for q in await _open(unit, scene)] == ["undetermined"]
    async with unit() as uow:
        assert await service.summary_lines(uow, scene.exam_id) == []


@pytest.mark.requirement("X4")
async def test_a_word_that_none_of_the_choices_is_is_asked_about_though_nobody_judges_the_item(unit: OpenUnit) -> None:
    scene = await visit(unit, "HBV")
    await file(unit, report(scene, "HBV", replace(observation("HBCAB", "待复查"), abnormal_flags=())))
    assert [q.kind for q in await _open(unit, scene)] == ["undetermined"]


@pytest.mark.requirement("E3.5")
async def test_a_correction_that_nobody_could_read_is_answered_by_a_correction_or_a_person_only(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(0, "4.2"), _at(0, "标本溶血,结果作废", status="C", issued=5))
    await _say(unit, scene, _at(-120, "4.3", issued=9))
    assert "unread" in [q.kind for q in await _open(unit, scene)]
    await _say(unit, scene, _at(0, "4.4", status="C", issued=12))
    assert "unread" not in [q.kind for q in await _open(unit, scene)]


@pytest.mark.requirement("E3.5")
async def test_what_a_person_read_gives_way_to_what_the_laboratory_said_after_it(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(0, "5.0"), _at(0, "见备注", status="C", issued=10))
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "value", value="4.4")
    await _say(unit, scene, _at(0, "7.9", "HH", status="C", issued=20))
    assert (await state_of(unit, scene))["K"] == ("7.9", "HH", "corrected")
    assert ("CRIT-K-HIGH", "detected") in await _alarms(unit, scene)


@pytest.mark.requirement("E3.5", "E2.6")
async def test_a_specimen_that_is_refused_after_its_results_were_reported_is_asked_about(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("4.1")))
    said = report(scene, "ELECTROLYTE")
    refused = replace(said.results[0], refused=LabRefusal("mislabeled", "标签错误"))
    assert (await file(unit, replace(said, results=(refused,)))).reason == "refusal-not-possible"
    (question,) = await _open(unit, scene)
    assert (question.kind, "标签错误" in question.raw_value) == ("unread", True)
    assert "result_unread" in await _blocks(unit, scene)


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("answered", [True, False])
async def test_a_refusal_that_was_asked_about_under_an_older_key_is_not_asked_again(
    unit: OpenUnit, admin: asyncpg.Connection, answered: bool
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("4.1")))
    said = report(scene, "ELECTROLYTE")
    refused = replace(said, results=(replace(said.results[0], refused=LabRefusal("mislabeled", "标签错误")),))
    await file(unit, refused)
    (question,) = await _open(unit, scene)
    # As it was kept before reason and text became one: the message is replayed after the release that changed that.
    moment = question.said_at.timestamp()
    older = meaning((scene.barcodes["ELECTROLYTE"], "mislabeled", "标签错误", scene.items["K"], moment))
    await admin.execute("update result_question set key = $1 where id = $2", older, question.id)
    if answered:
        await _answer(unit, question, "keep")
    await file(unit, refused)
    assert [q.id for q in await _open(unit, scene)] == ([] if answered else [question.id])
    # Another refusal of it is another question.
    other = replace(said.results[0], refused=LabRefusal("haemolysed", "溶血"))
    await file(unit, replace(said, results=(other,)))
    assert len(await _open(unit, scene)) == (1 if answered else 2)


@pytest.mark.requirement("E3.5", "E5.2")
async def test_an_alarm_on_a_contested_value_that_is_not_the_shown_one_costs_no_message(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(0, "4.1"))
    at = NOON + timedelta(minutes=9)
    both = (_k("7.4", "HH", minute=9, status="C"), replace(observation("MG", "0.95", minute=9), abnormal_flags=("HH",)))
    await file(unit, report(scene, "ELECTROLYTE", replace(observation("MG", "0.9"), abnormal_flags=())))
    await file(unit, report(scene, "ELECTROLYTE", *both, reported_at=at, sent_at=at))
    assert (await state_of(unit, scene))["K"] == ("7.4", "HH", "corrected")
    assert {rule for rule, _ in await _alarms(unit, scene)} == {"CRIT-K-HIGH", "LAB-CRITICAL"}


@pytest.mark.requirement("E3.5")
async def test_a_withdrawal_that_comes_before_what_it_takes_back_is_asked_until_that_came(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(5, "5.0", issued=6), _at(3, "6.1", status="W", issued=9))
    (asked,) = await _open(unit, scene)
    assert (asked.kind, asked.raw_value) == ("unread", "撤回:6.1")
    await _say(unit, scene, _at(3, "6.1", issued=8))
    assert await _open(unit, scene) == []
    assert (await state_of(unit, scene))["K"] == ("5.0", "", "final")


@pytest.mark.requirement("E3.5", "E5.2")
async def test_a_doubtful_value_is_asked_about_again_when_it_is_current_again(unit: OpenUnit) -> None:
    """What made it doubtful is known of the value itself, not only while its message is being read."""
    scene = await visit(unit, "ELECTROLYTE")
    await _say(unit, scene, _at(0, "59", status="C", issued=1))
    assert [q.kind for q in await _open(unit, scene)] == ["implausible"]
    await _say(unit, scene, _at(2, "4.1", status="C", issued=3))
    assert await _open(unit, scene) == []
    await _say(unit, scene, _at(2, "4.1", status="W", issued=5))
    shown = (await state_of(unit, scene))["K"]
    assert shown is not None
    assert shown[0] == "59"
    assert [q.kind for q in await _open(unit, scene)] == ["implausible"]


@pytest.mark.requirement("E3.3", "E3.4")
@pytest.mark.parametrize("word", ["复检中", "标本溶血", "12.5"], ids=["measured again", "haemolysed", "number"])
async def test_who_calls_a_word_abnormal_has_not_said_that_it_is_positive(unit: OpenUnit, word: str) -> None:
    scene = await visit(unit, "HBV")
    await file(unit, report(scene, "HBV", replace(observation("HBSAG", word), abnormal_flags=())))
    await _answer(unit, (await _open(unit, scene))[0], "abnormal")
    async with unit() as uow:
        ground = await service.ground_of(uow, await exams.get(uow, scene.exam_id))
    assert ground.edition is not None
    assert ground.case.values["HBSAG"].flag == "A"
    assert [fired.rule.code for fired in ground.edition.fired("finding", ground.case)] == []


def _glu(value: str, *flags: str, status: str = "F") -> LabObservation:
    return replace(observation("GLU", value, status=status), abnormal_flags=flags)


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("where", ["line-not-live", "item-not-ordered", "specimen-rejected", "status-not-filed"])
@pytest.mark.parametrize(("said", "alarms"), [("29.0", 1), ("500 mg/dL", 1), ("5.0", 0), ("7.5", 0)])
async def test_what_is_critical_by_our_range_alarms_though_no_line_takes_it(
    unit: OpenUnit, where: str, said: str, alarms: int
) -> None:
    groups = ("ELECTROLYTE",) if where == "item-not-ordered" else ("ELECTROLYTE", "GLU")
    scene = await visit(unit, *groups)
    group = "ELECTROLYTE" if where == "item-not-ordered" else "GLU"
    value, _, other = said.partition(" ")
    one = _glu(value, "H", status="X" if where == "status-not-filed" else "F")
    one = replace(one, unit=other or one.unit)
    told = report(scene, group, one)
    async with unit(DOCTOR) as uow:
        if where == "line-not-live":
            await exams.set_aside(uow, scene.exam_id, [scene.lines["GLU"]], "waived", reason="离院")
        if where == "specimen-rejected":
            tube = await requisitions.tube_by_barcode(uow, scene.barcodes["GLU"])
            assert tube is not None
            await requisitions.reject_reported(uow, tube.tube_id, "haemolysed", None)
    for _ in range(2):
        assert (await file(unit, told)).reason == where
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")] * alarms


@pytest.mark.requirement("E5.2")
async def test_a_withdrawal_of_what_was_critical_raises_nothing_where_no_line_takes_it(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _glu("29.0", "H", status="W")))
    assert await _alarms(unit, scene) == []


@pytest.mark.requirement("E5.2", "E3.5")
@pytest.mark.parametrize("whose", ["another", "two", "nobody", "nobody of a sex"])
@pytest.mark.parametrize(("value", "named"), [("29.0", ["GLU"]), ("7.5", None)])
async def test_what_is_critical_by_our_range_of_nobody_known_makes_its_message_alarming(
    unit: OpenUnit, whose: str, value: str, named: list[str] | None
) -> None:
    scene = await visit(unit, "GLU")
    said = report(scene, "GLU", _glu(value, "H"))
    if whose == "another":
        said = replace(said, patient_name="另一人", exam_no=None)
    elif whose == "two":
        other = await visit(unit, "GLU")
        said = report(scene, "GLU", _glu(value, "H"), barcode=other.barcodes["GLU"])
    else:
        said = report(scene, "GLU", _glu(value, "H"), barcode="T0", placer_no=None)
        said = replace(said, patient_sex="unknown", patient_birth_date=None) if whose == "nobody" else said
    filing = await file(unit, said)
    assert filing.outcome in ("quarantined", "unmatched")
    assert filing.detail.get(inbox.ALARMING) == named


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("flag", ["H H", "↑ ↑", "C H", "L L", "H\u3000H", "危 急"])
async def test_a_flag_of_several_words_is_stored_as_it_was_understood(unit: OpenUnit, flag: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filings = [await file(unit, report(scene, "ELECTROLYTE", _k("4.2", flag))) for _ in range(2)]
    assert [f.outcome for f in filings] == ["filed", "duplicate"]
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    assert await _open(unit, scene) == []
    async with unit() as uow:
        (stored,) = [r.lis_flags for r in await repository.revisions_of_exam(uow, scene.exam_id)]
    assert stored == "".join(flag.split())


@pytest.mark.requirement("E5.2")
async def test_a_flag_of_several_words_beside_what_nobody_could_read_alarms(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("见备注", "H H")))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    assert [q.lis_flags for q in await _open(unit, scene)] == ["HH"]


@pytest.mark.requirement("E3.5", "E2.6")
async def test_a_specimen_that_is_refused_together_with_its_values_is_asked_about(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU", "ELECTROLYTE")
    said = report(scene, "GLU", _glu("5.0"))
    refused = replace(said, results=(replace(said.results[0], refused=LabRefusal("haemolysed", "重度溶血")),))
    for _ in range(2):
        await file(unit, refused)
        (question,) = await _open(unit, scene)
        assert (question.kind, question.item_code, "重度溶血" in question.raw_value) == ("unread", "GLU", True)
    assert "result_unread" in await _blocks(unit, scene)
    assert await line_state(unit, scene, "GLU") != "verified"
    # What was measured of another specimen since is a correction: it answers.
    at = NOON + timedelta(days=400)
    await file(unit, report(scene, "GLU", _glu("5.1", status="C"), reported_at=at))
    assert await _open(unit, scene) == []
