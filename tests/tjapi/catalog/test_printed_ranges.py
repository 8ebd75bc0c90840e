"""One body prints a range: what stands on paper is the bounds by which a value is judged."""

import tomllib
from decimal import Decimal
from importlib import resources

import pytest

from tjapi.catalog.rules import printed_range
from tjapi.catalog.schemas import RangeIn

pytestmark = pytest.mark.requirement("E3.3", "X15")


@pytest.mark.parametrize(
    ("low", "high", "text", "printed"),
    [
        ("3.9", "6.09", "3.9–6.0", "3.9–6.09"),
        ("3.3", "5.09", "3.3–5.0(孕期)", "3.3–5.09(孕期)"),
        (None, "29.9", "<30", "≤29.9"),
        ("70.1", None, ">70", "≥70.1"),
        ("3.5", "5.3", "", "3.5–5.3"),
        (None, None, "孕期不适用", "孕期不适用"),
    ],
)
def test_a_range_is_printed_as_its_bounds(low: str | None, high: str | None, text: str, printed: str) -> None:
    bounds = [None if bound is None else Decimal(bound) for bound in (low, high)]
    assert printed_range(bounds[0], bounds[1], text) == printed
    drafted = RangeIn(item="X", low=bounds[0], high=bounds[1], text=text, source="院内")
    assert drafted.text == printed, "a drafted range says the same, with a text of its own or without"


def test_what_ships_says_what_it_judges_by() -> None:
    """The files themselves, before anything is derived: whoever reads the content sees the bounds."""
    wrong, seen = [], 0
    for file in sorted((resources.files("tjapi.catalog") / "starter").iterdir(), key=lambda f: f.name):
        held = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        rows = [*held.get("ranges", []), *(row for item in held.get("items", []) for row in item.get("ranges", []))]
        for row in rows:
            low, high = (Decimal(row[name]) if name in row else None for name in ("low", "high"))
            if low is None and high is None:
                continue
            seen += 1
            if row.get("text") != printed_range(low, high, row.get("text", "")):
                wrong.append((row.get("item"), row.get("text")))
    assert wrong == []
    assert seen >= 600
