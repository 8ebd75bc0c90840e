"""How descriptions are read is measured on sentences that somebody else wrote; of these corpora the half that the dictionary's author may see."""

from functools import cache
from pathlib import Path

import pytest

from tests.corpora.measure import Figures, measure, rows_of, starter

pytestmark = pytest.mark.requirement("E3.4", "E5.1")

HERE = Path(__file__).parent


@cache
def figures() -> Figures:
    return measure(rows_of(sorted(HERE.glob("*.jsonl"))), starter())


def test_nothing_is_found_in_what_is_normal() -> None:
    assert [fault for fault in figures().faults if fault[0] == "false"] == []


def test_what_is_grave_is_recognised_and_nothing_of_it_is_lost() -> None:
    assert figures().of["grave"] > 200
    assert figures().share("recognised", "grave") >= 95
    assert [fault for fault in figures().faults if fault[0] in ("lost", "missed_lost")] == []


def test_few_normal_sentences_need_a_reader() -> None:
    assert figures().share("listed", "normal") <= 10


def test_a_grave_thing_that_is_not_there_seldom_alarms() -> None:
    assert figures().share("alarmed", "assertion") <= 10


@cache
def measured() -> Figures:
    return measure(rows_of(sorted((HERE / "measured").glob("*.jsonl"))), starter())


def test_nothing_grave_is_lost_of_sentences_that_the_dictionary_was_only_measured_on() -> None:
    assert measured().of["grave"] > 450
    assert measured().share("recognised", "grave") >= 95
    assert [fault for fault in measured().faults if fault[0] in ("lost", "missed_lost")] == []
