"""What cannot be read, or in which unit nobody knows, alarms where nothing excludes that it is critical; and nobody answers it calmly unasked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import NOON, OpenUnit, Scene, alerts_of, file, observation, report, state_of, visit
from tjapi import demo
from tjapi.result import repository, service
from tjapi.result.errors import AnswerInvalid
from tjapi.result.models import ResultQuestion
from tjapi.result.rules.numbers import numbers_in
from tjapi.result.schemas import AnswerIn

DOCTOR = replace(demo.LOADER, kind="staff", name="核实医生")
ALARM = "CRITICAL-NOT-EXCLUDED"


def _k(value: str, *flags: str, minute: int = 0, code: str = "K", **changes: Any) -> LabObservation:
    unit = changes.pop("unit", None)
    said = observation(code, value, minute=minute, unit=unit)
    return replace(said, abnormal_flags=flags, range_text="", **changes)


async def _alarms(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    return sorted((c.rule_code, c.state) for c in await alerts_of(unit, scene.exam_id))


async def _open(unit: OpenUnit, scene: Scene) -> list[ResultQuestion]:
    async with unit() as uow:
        return [q for q in await repository.questions_of(uow, scene.exam_id) if q.closed_at is None]


async def _answer(unit: OpenUnit, question: ResultQuestion, answer: str, **more: Any) -> None:
    async with unit(DOCTOR) as uow:
        await service.answer(uow, question.id, AnswerIn(answer=answer, reason="已核实", **more))


_NUMBERS = {
    "7.9 mmol/L(危急)": "7.9", ">10(危急)": ">10", "6.8 溶血": "6.8", "7.2,标本轻度溶血": "7.2", "6.8(已复测2次)": "6.8", "约6.8": "6.8", "K=7.9": "7.9",
    "7.9;7.8": "7.9 7.8", "6.8-7.0": "6.8 7.0", '"7.9"': "7.9", "7·9": "7.9", "6,2": "6.2", "6,200": "6.200 6200", "7900 μmol/L": "7900",
    "-7.9": "7.9 -7.9", "７。９": "7.9", "七点九": "7.9", "7.9,7.8,7.7": "7.9 7.8 7.7", "大于10": ">10", "7.2^HH": "7.2", "1.2E1溶血": "1.2 12",
    "2026-11-23 10:30 采血": "", "10:30 采血,4.1": "4.1", "复测3次": "", "电话13800138000": "", "4.1×10^9/L": "4.1", "溶血2+,4.2": "4.2",
    "标本量不足2ml": "", "危急": "", "见备注": "", ".5 g": "0.5",
}  # fmt: skip


@pytest.mark.requirement("E3.3", "E5.2")
@pytest.mark.parametrize(("raw", "found"), _NUMBERS.items())
def test_every_number_that_words_may_mean_is_found(raw: str, found: str) -> None:
    assert [value.text for value in numbers_in(raw)] == found.split()


@pytest.mark.requirement("E3.3", "E5.2")
@pytest.mark.parametrize(
    ("value", "more"),
    [
        ("6.8 溶血", {}), ("7.2,标本轻度溶血", {}), ("6.8(已复测)", {}), ("约6.8", {}), ("K=7.9", {}), ("7.9;7.8", {}), ("6.8-7.0", {}),
        ('"7.9"', {}), ("7·9", {}), ("6,9", {}), ("4.1 / 7.9", {}), (">6 溶血", {}), ("7900", {"unit": "μmol/L"}), ("30.8", {"unit": "mg/dL"}),
        ("见备注", {"remarks": ("钾 7.9 mmol/L,标本轻度溶血",)}),
    ],
)  # fmt: skip
async def test_a_value_that_cannot_be_read_alarms_where_nothing_excludes_that_it_is_critical(
    unit: OpenUnit, value: str, more: dict[str, Any]
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for _ in range(2):
        await file(unit, report(scene, "ELECTROLYTE", _k(value, **more)))
    assert "K" not in await state_of(unit, scene)
    assert await _alarms(unit, scene) == [(ALARM, "detected")]
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert value in alert.explanation
    assert "不能排除危急值" in alert.explanation


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("value", ["4.1 溶血", "2026-11-23 复查", "4.1(复测2次)", "标本溶血", "4,1"])
async def test_a_value_that_cannot_be_read_and_cannot_be_critical_is_asked_about_only(
    unit: OpenUnit, value: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k(value)))
    assert [q.kind for q in await _open(unit, scene)] == ["unread"]
    assert await _alarms(unit, scene) == []


@pytest.mark.requirement("E5.2")
async def test_a_number_whose_unit_is_in_doubt_alarms_where_another_unit_makes_it_critical(unit: OpenUnit) -> None:
    scene = await visit(unit, "RENAL")
    await file(unit, report(scene, "RENAL", _k("8.0", code="CREA", unit="")))
    (question,) = await _open(unit, scene)
    assert question.kind == "implausible"
    assert await _alarms(unit, scene) == [(ALARM, "detected")]
    await _answer(unit, question, "confirmed")
    assert await _alarms(unit, scene) == [(ALARM, "superseded")]


@pytest.mark.requirement("E5.2", "E5.4")
async def test_the_alert_of_an_unread_value_lives_as_long_as_nobody_knows_the_value(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("6.8 溶血")))
    await file(unit, report(scene, "ELECTROLYTE", _k("6.9 溶血", minute=1)))
    # Nobody was told yet: one alert speaks of both.
    assert await _alarms(unit, scene) == [(ALARM, "detected")]
    first, second = await _open(unit, scene)
    await _answer(unit, first, "value", value="4.1", kept_because="电话核实为4.1")
    assert await _alarms(unit, scene) == [(ALARM, "detected")]
    await _answer(unit, second, "value", value="4.1", kept_because="电话核实为4.1")
    assert await _alarms(unit, scene) == [(ALARM, "superseded")]
    # Another one is another event.
    await file(unit, report(scene, "ELECTROLYTE", _k("7.0 溶血", minute=2), reported_at=NOON + timedelta(hours=5)))
    assert await _alarms(unit, scene) == [(ALARM, "detected"), (ALARM, "superseded")]


@pytest.mark.requirement("E5.2")
async def test_a_critical_value_that_answers_takes_the_alerts_place_and_a_calm_one_ends_it(unit: OpenUnit) -> None:
    for value, then in (
        ("7.1", [("CRIT-K-HIGH", "detected"), (ALARM, "superseded")]),
        ("4.1", [(ALARM, "superseded")]),
    ):
        scene = await visit(unit, "ELECTROLYTE")
        await file(unit, report(scene, "ELECTROLYTE", _k("6.8 溶血")))
        later = {"reported_at": NOON + timedelta(hours=2)}
        await file(unit, report(scene, "ELECTROLYTE", _k(value, minute=5), **later))
        assert await _alarms(unit, scene) == then


@pytest.mark.requirement("E3.4", "E5.2")
async def test_a_message_that_belongs_to_nobody_names_what_nobody_could_read_in_it_and_may_be_critical(
    unit: OpenUnit,
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for value, named in (("7.9 复检", ["K"]), ("4.1 复检", None)):
        filing = await file(unit, report(scene, "ELECTROLYTE", _k(value), patient_name="某他人"))
        assert filing.reason == "identity-mismatch"
        assert filing.detail.get("alarming") == named


@pytest.mark.requirement("E3.3", "E3.5", "X4")
async def test_what_is_typed_against_a_number_that_was_said_is_asked_back(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("7.9 mmol/L(危急)")))
    (question,) = await _open(unit, scene)
    for answer, more, code in (
        ("value", {"value": "4.1"}, "differs-from-original"),
        ("no_value", {}, "may-be-critical"),
    ):
        with pytest.raises(AnswerInvalid) as refused:
            await _answer(unit, question, answer, **more)
        (wrong,) = refused.value.errors
        assert (wrong.pointer, wrong.code) == ("/kept_because", code)
        # What the laboratory wrote may name a person: a refusal names the item, and quotes nothing.
        assert "钾" in wrong.zh
        assert not any("7.9" in words or "危急)" in words for words in (wrong.zh, wrong.en))
    assert "K" not in await state_of(unit, scene)
    await _answer(unit, question, "value", value="4.1", kept_because="电话核实,原报告笔误")
    assert ((await state_of(unit, scene))["K"] or ("",))[0] == "4.1"
    async with unit() as uow:
        (kept,) = await repository.questions_of(uow, scene.exam_id)
        assert (kept.kept_because, kept.raw_value) == ("电话核实,原报告笔误", "7.9 mmol/L(危急)")
        (result,) = [r for r in await repository.results(uow, scene.exam_id) if r.item_code == "K"]
        reason = (await service.history(uow, result.id)).revisions[-1].reason
    # Whoever reviews sees beside the value what had been said.
    assert reason is not None
    assert "7.9 mmol/L(危急)" in reason
    assert "电话核实" in reason


@pytest.mark.requirement("E3.3", "E3.5")
@pytest.mark.parametrize(
    ("said", "unit_of_it", "typed"), [("7.9 复检", None, "7.9"), ("标本溶血", None, "4.1"), ("4.1 溶血", None, "4.10")]
)
async def test_what_is_typed_as_it_was_said_is_taken_at_once(
    unit: OpenUnit, said: str, unit_of_it: str | None, typed: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k(said, unit=unit_of_it)))
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "value", value=typed)
    assert ((await state_of(unit, scene))["K"] or ("",))[0] == typed


@pytest.mark.requirement("E3.5", "E5.2")
async def test_values_that_contradict_each_other_are_not_replaced_by_a_third_unasked(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("7.9", sub_id="1"), _k("8.1", sub_id="2")))
    question = next(q for q in await _open(unit, scene) if q.kind == "contested")
    for answer, more in (("value", {"value": "4.1"}), ("wrong", {})):
        with pytest.raises(AnswerInvalid):
            await _answer(unit, question, answer, **more)
    await _answer(unit, question, "value", value="4.1", kept_because="两次均为溶血标本,复采为4.1")
    assert ((await state_of(unit, scene))["K"] or ("",))[0] == "4.1"


@pytest.mark.requirement("E5.2")
async def test_an_alert_of_what_nobody_knows_outlives_the_answer_that_there_is_no_value(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", _k("6.8 溶血")))
    (question,) = await _open(unit, scene)
    await _answer(unit, question, "no_value", kept_because="溶血标本,已安排重采")
    assert await _alarms(unit, scene) == [(ALARM, "detected")]
