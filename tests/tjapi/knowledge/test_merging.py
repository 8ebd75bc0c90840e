"""A newer shipped content keeps what the hospital wrote, changed or took out."""

import pytest

from tjapi.knowledge.merging import Rows, merged

pytestmark = pytest.mark.requirement("E4.4", "X6")
_OLD, _OWN, _NEW = {"advice": "旧"}, {"advice": "本院"}, {"advice": "新"}
_KEY = ("finding", "A")


@pytest.mark.parametrize(
    ("before", "ours", "now", "kept", "contested"),
    [
        (_OLD, _OLD, _NEW, _NEW, False),
        (_OLD, _OWN, _OLD, _OWN, False),
        (_OLD, _OWN, _NEW, _OWN, True),
        (_OLD, _NEW, _NEW, _NEW, False),
        (_OLD, None, _OLD, None, False),
        (_OLD, None, _NEW, None, True),
        (_OLD, _OLD, None, None, False),
        (_OLD, _OWN, None, _OWN, True),
        (None, _OWN, None, _OWN, False),
        (None, None, _NEW, _NEW, False),
        (None, _OWN, _NEW, _OWN, True),
    ],
    ids=[
        "untouched", "changed-by-us", "changed-by-both", "changed-alike", "taken-out-by-us", "taken-out-and-changed", "dropped", "changed-and-dropped",
        "ours-alone", "new", "both-new",
    ],
)  # fmt: skip
def test_whose_row_it_becomes(
    before: dict[str, str] | None,
    ours: dict[str, str] | None,
    now: dict[str, str] | None,
    kept: dict[str, str] | None,
    contested: bool,
) -> None:
    def held(row: dict[str, str] | None) -> Rows:
        return {} if row is None else {_KEY: row}

    rows, both = merged(held(before), held(ours), held(now))
    assert rows.get(_KEY) == kept
    assert both == ([_KEY] if contested else [])


def test_a_shipped_rule_of_a_finding_that_the_hospital_took_out_stays_out_with_it() -> None:
    before = {("finding", "A"): _OLD, ("rule", "A-1"): {"finding": "A"}}
    now = {**before, ("rule", "A-2"): {"finding": "A"}}
    rows, _ = merged(before, {}, now)
    assert rows == {}
