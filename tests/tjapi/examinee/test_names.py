"""One rule for names: what is one name and what is two, however it is written, at every door."""

import re
from pathlib import Path

import pytest

from tjapi.examinee.rules import clean_name, folded, is_one_name, name_keys, readings

CASES = Path(__file__).parents[2] / "cases"


def _spelled(text: str) -> str:
    """Turn `\\uXXXX` of a table into the character that it stands for."""
    return re.sub(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})", lambda m: chr(int(m[1] or m[2], 16)), text)


def _rows(path: Path) -> list[list[str]]:
    lines = path.read_text("utf-8").splitlines()[1:]
    return [_spelled(line).split("\t") for line in lines if not line.startswith("#")]


PAIRS = [(one, two, same == "1") for one, two, same in _rows(Path(__file__).with_name("names.tsv"))]


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(PAIRS) >= 100


@pytest.mark.requirement("E1.2", "E1.3", "E3.5")
@pytest.mark.parametrize(("one", "two", "same"), PAIRS, ids=[f"{i}-{a}-{b}" for i, (a, b, _) in enumerate(PAIRS)])
def test_two_spellings_are_one_name_or_two(one: str, two: str, same: bool) -> None:
    assert is_one_name(one, two) is same
    assert is_one_name(two, one) is same


@pytest.mark.parametrize(("registered", "sent", "_"), _rows(CASES / "16-middle-dots.tsv"))
def test_every_kind_of_middle_dot_is_one(registered: str, sent: str, _: str) -> None:
    assert is_one_name(registered, sent)
    assert clean_name(sent) == clean_name(registered)


@pytest.mark.parametrize("name", sorted({name for pair in PAIRS for name in pair[:2]}))
def test_a_kept_name_is_one_with_what_was_given_and_holds_nothing_unseen(name: str) -> None:
    kept = clean_name(name)
    assert clean_name(kept) == kept
    assert folded(kept) == folded(name)
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ue815-\ue864]", kept)


@pytest.mark.requirement("E1.2")
@pytest.mark.parametrize(("name", "sought", "_"), _rows(CASES / "36-surnames.tsv"))
def test_a_rare_surname_is_found_by_what_it_is_called(name: str, sought: str, _: str) -> None:
    assert any(key.startswith(sought) for key in name_keys(name))
    assert any(reading.startswith(sought) for reading in readings(name))
