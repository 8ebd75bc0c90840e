"""The order of what a conclusion says."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import pytest

from tjapi.conclusion.rules import (
    MOVES,
    STATES,
    EntryKind,
    Telling,
    asks_to_act,
    calm_beside,
    in_order,
    made_by_machine,
    overview_of,
    tells,
)
from tjapi.knowledge.calm import says_all_normal
from tjapi.knowledge.rules import Known


@dataclass(frozen=True)
class Entry:
    kind: EntryKind
    title: str


def test_diseases_come_before_findings_before_risks_and_the_reviewers_order_is_kept_within() -> None:
    given = [Entry("risk", "吸烟"), Entry("finding", "乙"), Entry("disease", "高血压"), Entry("finding", "甲")]
    assert [e.title for e in in_order(given)] == ["高血压", "乙", "甲", "吸烟"]


def test_a_finalized_conclusion_is_opened_again_and_nothing_else() -> None:
    assert MOVES["finalized"] == {"draft"}
    assert set(MOVES) == set(STATES)


@pytest.mark.requirement("E5.1")
def test_an_exam_of_which_every_line_was_refused_says_that_nothing_was_examined() -> None:
    said = overview_of([], [])
    assert said == "本次体检未检查任何项目。"
    assert made_by_machine(said, [])
    assert not says_all_normal(said)


_ONE, _TWO, _THREE = (UUID(int=n) for n in range(1, 4))
_ALARM = Telling(frozenset({"critical:X"}), frozenset({_ONE, _TWO}), grave=True)
_WORDS = Telling(frozenset({"critical:T"}), frozenset({_ONE}), frozenset({"气胸"}), grave=True)


@pytest.mark.requirement("E5.2", "E4.3")
@pytest.mark.parametrize(
    ("alarm", "entry", "told"),
    [
        (_ALARM, Telling(frozenset({"critical:X", "finding:Y"}), frozenset()), True),
        (_ALARM, Telling(frozenset({"finding:Y"}), frozenset({_ONE, _TWO, _THREE}), grave=True), True),
        (_ALARM, Telling(frozenset({"finding:Y"}), frozenset({_ONE, _TWO})), False),
        (_ALARM, Telling(frozenset({"finding:Y"}), frozenset({_ONE}), grave=True), False),
        (_ALARM, Telling(frozenset(), frozenset({_ONE, _TWO}), own=True), True),
        (_ALARM, Telling(frozenset(), frozenset({_TWO}), own=True), False),
        (_WORDS, Telling(frozenset({"finding:N"}), frozenset({_ONE}), frozenset({"结节"}), grave=True), False),
        (_WORDS, Telling(frozenset({"finding:N"}), frozenset({_ONE}), frozenset({"结节", "气胸"}), grave=True), True),
        (_WORDS, Telling(frozenset({"finding:N"}), frozenset({_ONE}), frozenset({"气胸"})), False),
    ],
)  # fmt: skip
def test_an_entry_tells_of_a_critical_value_by_its_key_by_its_words_or_as_gravely(
    alarm: Telling, entry: Telling, told: bool
) -> None:
    assert tells(entry, alarm) is told


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    ("advice", "asks"),
    [
        ("请立即到急诊就诊", True), ("立即就医", True), ("请尽快到心内科就诊", True), ("当天到院复查", True), ("已转急诊,随访", True), ("无需急诊", False), ("不必立即就医", False), ("非急诊", False),
        ("若胸痛请立即就医", False), ("曾住院治疗", False), ("今日血压偏高,年度复查", False), ("三个月后复查即可,不必担心", False), ("", False),
    ],
)  # fmt: skip
def test_words_ask_to_act_where_they_ask_for_it_today(advice: str, asks: bool) -> None:
    assert asks_to_act(advice) == asks


@pytest.mark.requirement("E4.3", "E4.7")
def test_what_a_finding_stands_on_is_not_called_normal_though_nothing_flags_it() -> None:
    glucose = Known("GLU", "葡萄糖", "6.0", Decimal("6.0"), flag="", result_id=UUID(int=1))
    potassium = Known("K", "钾", "4.1", Decimal("4.1"), flag="", result_id=UUID(int=2))
    texts = [
        (text, text) for text in ("空腹血糖未见异常", "血糖6.0mmol/L（正常）", "一切正常", "血钾正常", "无明显不适")
    ]
    assert calm_beside(texts, [glucose, potassium]) == []
    assert calm_beside(texts, [glucose, potassium], {UUID(int=1)}) == [
        "空腹血糖未见异常",
        "血糖6.0mmol/L（正常）",
        "一切正常",
    ]
