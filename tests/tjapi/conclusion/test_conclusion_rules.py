"""The order of what a conclusion says."""

from dataclasses import dataclass

from tjapi.conclusion.rules import MOVES, STATES, EntryKind, in_order


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
