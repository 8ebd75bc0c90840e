"""A row is verified by what somebody read of its source, and by nothing else: a figure that is changed later takes the reading away."""

import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from importlib import resources
from typing import Any

import pytest

from tjapi import content
from tjapi.catalog import service as catalog
from tjapi.catalog.readings import Reading, grade_of, of_range, readings
from tjapi.catalog.schemas import RangeIn, Starter
from tjapi.content.checking import misread
from tjapi.kernel.settings import PACKAGE
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.schemas import ContentIn

pytestmark = pytest.mark.requirement("X15", "E5.1")
STARTER, CONTENT = catalog.read_starter(), knowledge.read_starter()


def _range(items: dict[str, Any], code: str, age_from: str) -> dict[str, Any]:
    item = next(one for one in items["items"] if one["code"] == code)
    return next(one for one in item["ranges"] if one["age_from"] == age_from)


def _row(rows: list[dict[str, Any]], code: str) -> dict[str, Any]:
    return next(row for row in rows if row["code"] == code)


def _unit(items: dict[str, Any], item: str) -> dict[str, Any]:
    return next(row for row in items["units"] if row["item"] == item)


CHANGES: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Any], str]] = {
    "the bound of a range": (lambda items, _: _range(items, "K", "18y").update(high="5.4"), "ranges/K|any|18y|||"),
    "a critical bound": (lambda items, _: _range(items, "K", "18y").update(critical_high="6.3"), "bounds/K|any|18y|||"),
    "the people of a range": (lambda items, _: _range(items, "K", "18y").update(age_from="19y"), "ranges/K|any|18y|||"),
    "a factor": (lambda items, _: _unit(items, "UA").update(factor="59.5"), "units/UA|mg/dL"),
    "a code of LOINC": (lambda items, _: _row(items["items"], "K").update(loinc="6298-4"), "loinc/K"),
    "the unit of a code": (lambda items, _: _row(items["items"], "K").update(ucum="mg/dL"), "loinc/K"),
    "a condition": (
        lambda _, rows: _row(rows["rules"], "TC-HIGH").update(condition={"value": {"item": "TC", "ge": "6.3", "unit": "mmol/L"}}),
        "rules/TC-HIGH",
    ),
    "what a rule finds": (lambda _, rows: _row(rows["rules"], "TC-HIGH").update(finding="TC-BORDERLINE"), "rules/TC-HIGH"),
    "the class of an alarm": (lambda _, rows: _row(rows["critical"], "CRIT-K-LOW").update(important_class="B"), "critical/CRIT-K-LOW"),
    "a code of ICD-10": (lambda _, rows: _row(rows["findings"], "FATTY-LIVER").update(icd10="K76.1"), "icd10/FATTY-LIVER"),
    "a row that goes": (lambda _, rows: rows.update(critical=[r for r in rows["critical"] if r["code"] != "CRIT-K-LOW"]), "critical/CRIT-K-LOW"),
    "verified by its own word": (lambda _, rows: _row(rows["findings"], "FATTY-LIVER").update(verified=True), "findings/FATTY-LIVER"),
    "read, and called unread": (lambda items, _: _range(items, "K", "18y").update(source="WS/T 404.3-2012;未核原文"), "ranges/K|any|18y|||"),
    "critical bounds read, and called unread": (
        lambda items, _: _range(items, "K", "18y").update(critical_source="缺省;未核原文"), "ranges/K|any|18y|||",
    ),
}  # fmt: skip


def _faults(change: Callable[[dict[str, Any], dict[str, Any]], Any], read: Sequence[Reading]) -> set[str]:
    items, rows = STARTER.model_dump(mode="json"), CONTENT.model_dump(mode="json")
    change(items, rows)
    return {fault.at for fault in misread(Starter.model_validate(items), ContentIn.model_validate(rows), read)}


@pytest.mark.parametrize(("change", "at"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_since_it_was_read_is_a_fault_until_somebody_reads_it_again(
    change: Callable[[dict[str, Any], dict[str, Any]], Any], at: str
) -> None:
    assert at in _faults(change, readings())


def test_another_figure_is_not_what_was_read() -> None:
    assert grade_of("ranges/K|any|18y|||", "3.5..5.3") == "secondary"
    assert grade_of("ranges/K|any|18y|||", "3.5..5.4") is None


def test_of_a_hospitals_own_content_nothing_was_read_by_us() -> None:
    change, _ = CHANGES["a condition"]
    assert _faults(change, read=()) == set()


def test_a_reading_of_no_row_is_a_fault() -> None:
    reading = Reading(
        code="X", title="x", edition="1", grade="primary", at="x", read_on=date(2026, 11, 30), passage="x",
        rows={"rules/NO-SUCH-RULE": "0"},
    )  # fmt: skip
    assert [fault.at for fault in content.check(STARTER, CONTENT, read=[reading]) if fault.check == "readings"] == [
        "rules/NO-SUCH-RULE"
    ]


def test_a_range_is_verified_when_its_interval_and_its_critical_bounds_were_read() -> None:
    items = {item.code: item for item in STARTER.items}
    potassium = next(one for one in items["K"].ranges if one.age_from == "18y")
    assert potassium.verified
    alt = next(one for one in items["ALT"].ranges if one.age_from == "18y" and one.sex == "male" and not one.method)
    said = of_range(RangeIn.key_of("ALT", alt), alt)
    assert {key.split("/")[0]: grade_of(key, figures) for key, figures in said.items()} == {
        "ranges": "secondary",
        "bounds": None,
    }
    assert not alt.verified


def test_a_row_of_which_nothing_can_be_read_is_never_verified() -> None:
    empty = [one for item in STARTER.items for one in item.ranges if not of_range(item.code, one)]
    assert len(empty) > 100
    assert not any(one.verified for one in empty)


def test_no_shipped_file_says_itself_that_a_row_is_verified() -> None:
    for package in ("tjapi.catalog", "tjapi.knowledge"):
        for file in (resources.files(package) / "starter").iterdir():
            if file.name.endswith(".toml"):
                for kind, rows in tomllib.loads(file.read_text(encoding="utf-8")).items():
                    assert kind == "clocks" or not [
                        row for row in rows if isinstance(row, dict) and row.get("verified")
                    ]


def test_each_reading_says_what_was_read_where_and_when() -> None:
    assert len({one.code for one in readings()}) == len(readings()) > 15
    for one in readings():
        assert one.read_on <= date(2026, 11, 30)
        assert one.at.startswith(("http", "public repository file")), one.code
        assert set(one.corrected) <= set(one.rows), one.code


def test_the_readme_says_how_much_was_read_and_how_well() -> None:
    said = " ".join((PACKAGE.parents[1] / "README.md").read_text("utf-8").split())
    graded = content.graded(STARTER, CONTENT)
    for kind, name in _SAID.items():
        primary, secondary, total = graded[kind]
        assert f"{primary} + {secondary} of {total} {name}" in said, (kind, graded[kind])


_SAID = {
    "ranges": "intervals",
    "bounds": "pairs of critical bounds",
    "icd10": "codes of ICD-10",
    "loinc": "codes of LOINC",
}
