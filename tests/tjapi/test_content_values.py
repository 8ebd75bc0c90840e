"""Values tried on the shipped content: which range is chosen for whom, which flag it gives, and what is found of it; no database."""

import json

import pytest
from typer.testing import CliRunner

from tests.tjapi.shipped import CONTENT, HELD, STARTER
from tjapi import cli, content
from tjapi.content import Person

pytestmark = pytest.mark.requirement("X6", "X15", "E3.3")

MAN, WOMAN, EXPECTANT, CHILD, NEWBORN = (
    Person("male", "45y"), Person("female", "30y"), Person("female", "30y", pregnant=True), Person("male", "8y"), Person("male", "5d"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("person", "item", "raw", "text", "flag"),
    [
        (MAN, "HGB", "128", "130–175", "L"),
        (WOMAN, "HGB", "128", "115–150", ""),
        (EXPECTANT, "HGB", "112", "110–150(孕期)", ""),
        (MAN, "GLU", "2.8", "3.9–6.09", "LL"),
        (MAN, "HCT", "0.600", "0.40–0.50", "HH"),
        (EXPECTANT, "FT4", "13", "9.0–22.0(孕期,不分孕周)", ""),
        (EXPECTANT, "FT4", "8", "9.0–22.0(孕期,不分孕周)", "L"),
        (CHILD, "RDW-CV", "13.0", "11.5–15.0", ""),
        (CHILD, "FERR", "9", "15–150", "L"),
        (CHILD, "WAIST", "70", "≤66.8", "H"),
        (NEWBORN, "HGB", "150", "新生儿(28天内)变化快,无固定区间", None),
        (Person("male", "45y", method="P5P"), "ALT", "55", "9–60", ""),
        (MAN, "ALT", "55", "9–50", "H"),
        (MAN, "HEIGHT", "170", "", None),
    ],
)
def test_the_range_of_this_very_person_is_chosen(
    person: Person, item: str, raw: str, text: str, flag: str | None
) -> None:
    ((judged,), _) = content.try_values(STARTER, HELD, person, {item: raw})
    assert (judged.range, judged.flag) == (text, flag)
    assert judged.judged is (item != "HEIGHT")


def test_what_is_found_and_alarms_is_said_beside_it() -> None:
    _, said = content.try_values(STARTER, HELD, MAN, {"GLU": "2.5", "HBA1C": "5.4"})
    assert {(one.what, one.code) for one in said} == {("finding", "HYPOGLYCEMIA"), ("critical", "CRIT-GLU-LOW")}
    assert all(one.why and one.advice for one in said)


def test_an_item_that_is_none_is_refused() -> None:
    with pytest.raises(content.NoSuchItemError, match="GLUCOSE"):
        content.try_values(STARTER, HELD, MAN, {"GLUCOSE": "5"})


def test_the_command_line_tries_values_without_a_database() -> None:
    given = ["content", "try", "--value", "FT4=13", "--value", "TSH=2", "--sex", "female", "--age", "30y", "--pregnant"]
    ended = CliRunner().invoke(cli.app, [*given, "--json"])
    assert ended.exit_code == 0, ended.output
    assert [(one["item"], one["flag"]) for one in json.loads(ended.output)["values"]] == [("FT4", ""), ("TSH", "")]
    told = CliRunner().invoke(cli.app, given).output
    assert "9.0–22.0(孕期,不分孕周)" in told
    assert "→ 正常" in told
    for wrong in (
        ["--value", "FT4"],
        ["--value", "FT4=1", "--age", "old"],
        ["--value", "FT4=1", "--sex", "x"],
        ["--value", "NONE=1"],
    ):
        assert CliRunner().invoke(cli.app, ["content", "try", *wrong]).exit_code == 1, wrong


def test_the_shipped_content_is_what_is_tried() -> None:
    assert len(CONTENT.rules) == sum(rule.purpose == "finding" for rule in HELD.rules)
