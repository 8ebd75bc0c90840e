"""The check of the medical content sees what it is for, and the content book shows every row to whoever signs it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tjapi import content
from tjapi.catalog import service as catalog
from tjapi.catalog.schemas import Starter
from tjapi.content.checking import valid_icd10
from tjapi.kernel.documents import render
from tjapi.kernel.settings import PACKAGE, project_file
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.schemas import ContentIn

pytestmark = pytest.mark.requirement("X15", "E5.1", "E4.4")
STARTER, CONTENT = catalog.read_starter(), knowledge.read_starter()


def _broken(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> set[tuple[str, str]]:
    """Return the faults that a change brings into the shipped content: by check and place."""
    items, rows = STARTER.model_dump(mode="json"), CONTENT.model_dump(mode="json")
    change(items, rows)
    before = {(fault.check, fault.at) for fault in content.check(STARTER, CONTENT)}
    faults = content.check(Starter.model_validate(items), ContentIn.model_validate(rows))
    return {(fault.check, fault.at) for fault in faults} - before


def _of(rows: list[dict[str, Any]], code: str) -> dict[str, Any]:
    return next(row for row in rows if row["code"] == code)


def _critical(code: str, condition: dict[str, Any], values: dict[str, str], near: dict[str, str]) -> dict[str, Any]:
    return {
        "code": code, "name": "试", "important_class": "B", "condition": condition, "action": "复核", "source": "试",
        "fires": [{"values": values}], "misses": [{"values": near}],
    }  # fmt: skip


def _finding(code: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code, "name": name, "pinyin": "s", "kind": "finding", "importance": 1, "advice": "复查", "source": "试", **more,
    }  # fmt: skip


def _rule(code: str, finding: str, at: str) -> dict[str, Any]:
    condition = {"value": {"item": "K", "ge": at, "unit": "mmol/L"}}
    return {
        "code": code, "finding": finding, "condition": condition, "source": "试",
        "fires": [{"values": {"K": at}}], "misses": [{"values": {"K": "1"}}],
    }  # fmt: skip


CASES: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Any], tuple[str, str]]] = {
    "an example that does not fire": (
        lambda _, rows: _of(rows["critical"], "CRIT-K-HIGH")["fires"][0]["values"].update(K="4"),
        ("examples", f"critical/{[rule.code for rule in CONTENT.critical].index('CRIT-K-HIGH')}/fires/0"),
    ),
    "a finding that no rule makes": (
        lambda _, rows: rows["findings"].append(_finding("NOBODY", "无人得出")),
        ("idle", "findings/NOBODY"),
    ),
    "two findings of one name": (
        lambda _, rows: (
            rows["findings"].append(_finding("TWIN", "脂肪肝")),
            rows["rules"].append(_rule("TWIN", "TWIN", "14.5")),
        ),
        ("doubles", "findings/TWIN"),
    ),
    "one condition of two findings": (
        lambda _, rows: (
            rows["findings"].extend([_finding("ONE", "其一"), _finding("OTHER", "其二")]),
            rows["rules"].extend([_rule("ONE", "ONE", "14.5"), _rule("OTHER", "OTHER", "14.5")]),
        ),
        ("doubles", "rules/OTHER"),
    ),
    "an age without a range": (
        lambda items, _: _of(items["items"], "K").update(ranges=[]),
        ("ranges", "items/K/ranges"),
    ),
    "a circle": (
        lambda _, rows: (
            rows["findings"].extend(
                [_finding("ONE", "其一", outranks=["OTHER"]), _finding("OTHER", "其二", outranks=["ONE"])]
            ),
            rows["rules"].extend([_rule("ONE", "ONE", "14.5"), _rule("OTHER", "OTHER", "14.6")]),
        ),
        ("idle", "findings/ONE"),
    ),
    "a flag that no range gives": (
        lambda items, _: _of(items["items"], "ALB").update(ranges=[]),
        ("unreachable", "rules/ALBUMIN-LOW"),
    ),
    "an alarm of the healthy": (
        lambda _, rows: rows["critical"].append(
            _critical("CRIT-X", {"value": {"item": "K", "ge": "4.0", "unit": "mmol/L"}}, {"K": "4.0"}, {"K": "3.9"})
        ),
        ("healthy", "critical/CRIT-X"),
    ),
    "a LOINC mistyped": (
        lambda items, _: _of(items["items"], "K").update(loinc="2823-4"),
        ("terms", "items/K/loinc"),
    ),
    "an ICD-10 that is none": (
        lambda _, rows: _of(rows["findings"], "FATTY-LIVER").update(icd10="K99.9"),
        ("terms", "findings/FATTY-LIVER"),
    ),
    "a group that nobody can order": (
        lambda items, _: [package.update(groups=["GENERAL"]) for package in items["packages"]],
        ("orphans", "item_groups/CBC"),
    ),
}


@pytest.mark.parametrize(("change", "fault"), CASES.values(), ids=[name.replace(" ", "-") for name in CASES])
def test_each_kind_of_fault_is_seen(
    change: Callable[[dict[str, Any], dict[str, Any]], None], fault: tuple[str, str]
) -> None:
    assert fault in _broken(change)


@pytest.mark.parametrize(
    ("code", "valid"),
    [("K76.0", True), ("Z94.0", True), ("K99.9", False), ("D95", False), ("K7", False), ("T98.3", True)],
    ids=["liver", "transplant", "beyond-k", "beyond-d", "short", "last"],
)
def test_a_code_of_icd10_lies_in_a_chapter(code: str, valid: bool) -> None:
    assert valid_icd10(code) is valid


@pytest.mark.requirement("X6")
def test_what_ships_hangs_together() -> None:
    assert content.check(STARTER, CONTENT) == []


def test_the_readme_says_how_many_rows_are_verified() -> None:
    said = " ".join((PACKAGE.parents[1] / "README.md").read_text("utf-8").split())
    for kind, (unread, total) in content.unverified(STARTER, CONTENT).items():
        assert f"{total - unread} of {total} {_SAID[kind]}" in said, kind


_SAID = {
    "ranges": "reference ranges", "limits": "limits", "units": "conversions", "findings": "findings", "rules": "rules", "critical": "critical rules",
}  # fmt: skip


def test_the_book_shows_every_row_with_its_condition_in_words() -> None:
    data = content.book(
        STARTER, CONTENT, hospital="试医院", edition="第 1 版", note="起始", sha256=knowledge.sha256_of(CONTENT), printed=date(2026, 11, 30),
        signed={"主检医师": ("甲医师", date(2026, 11, 29))},
    )  # fmt: skip
    assert len(data["findings"]) == len(CONTENT.findings)
    assert len(data["criticals"]) == len(CONTENT.critical)
    assert sum(len(item["rows"]) for item in data["ranges"]) == sum(len(item.ranges) for item in STARTER.items)
    potassium = next(rule for rule in data["criticals"] if rule["code"] == "CRIT-K-HIGH")
    assert potassium["condition"] == "钾 ≥ 6.2 mmol/L"
    assert [one["name"] for one in data["signatures"]] == ["", "", "甲医师"]
    book = render(
        "content_book", data, now=datetime(2026, 11, 30, tzinfo=UTC), templates=project_file("report_templates")
    )
    assert book.missing_glyphs == ()
    assert book.pages > 10
