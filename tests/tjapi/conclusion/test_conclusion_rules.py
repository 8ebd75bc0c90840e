"""The order of what a conclusion says."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from tjapi.conclusion.rules import MOVES, STATES, EntryKind, in_order, left_unsaid, made_by_machine, overview_of
from tjapi.knowledge.words import says_all_normal


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


@pytest.mark.requirement("E5.2")
def test_what_several_alerts_name_is_told_by_the_widest() -> None:
    one, two, three, four = (UUID(int=n) for n in range(1, 5))
    assert left_unsaid([[one], [one, two], [three], [four]], {four}) == [1, 2]
    assert left_unsaid([[one], [two, one]], {two}) == [0], "what speaks of some of it speaks of it, and of nothing else"
