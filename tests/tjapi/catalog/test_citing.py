"""What a row of the content cites is fields: read in its source where it does not say them itself, and never invented."""

from datetime import date

import pytest

from tests.tjapi.world import API, SignIn
from tjapi.catalog import service as catalog
from tjapi.catalog.citing import Citation, cited
from tjapi.content.checking import check, cited_rows
from tjapi.knowledge import service as knowledge

pytestmark = pytest.mark.requirement("X6", "E4.4")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("WS/T 404.5-2015(20–79岁;其余沿用);未核原文",
         {"standard": "WS/T 404", "part": "5", "edition": "2015", "in_force_from": "2015-10-01", "population": "20–79岁"}),
        ("WS/T 404.1-2012(20–79岁);未核原文;不含5'-磷酸吡哆醛", {"standard": "WS/T 404", "part": "1", "method": "不含5'-磷酸吡哆醛"}),
        ("WS/T 404.4-2018 表1 不分性别", {"part": "4", "clause": "表1", "population": None}),
        ("中国血脂管理指南(2023);未核原文", {"standard": "中国血脂管理指南", "edition": "2023", "part": None, "in_force_from": None}),
        ("WS/T 586-2018 学龄儿童青少年超重与肥胖筛查(仅判超重,消瘦另按 WS/T 456)", {"standard": "WS/T 586", "edition": "2018"}),
        ("WHO 1997 听力分级 ≤25 dB", {"standard": "WHO", "edition": "1997"}),
    ],
)  # fmt: skip
def test_a_source_is_read_as_fields(source: str, said: dict[str, str | None]) -> None:
    found = cited(source)
    assert found is not None
    assert {field: getattr(found, field) for field in said} == said


@pytest.mark.parametrize(
    "source",
    [
        "通用健康宣教,待院方审定",
        "非职业接触人群常用上限;职业接触按 GBZ 37 另判",
        "通用做法;新生儿另有标准",
        "儿童血脂界值(WS/T 或专家共识)",
    ],
)
def test_what_names_no_standard_cites_none(source: str) -> None:
    assert cited(source) is None


def test_every_shipped_row_that_names_a_numbered_standard_cites_it_with_its_edition() -> None:
    shipped, content = catalog.read_starter(), knowledge.read_starter()
    rows = [
        *(one for item in shipped.items for one in item.ranges),
        *content.findings,
        *content.rules,
        *content.critical,
    ]
    named = [row for row in rows if row.source.startswith(("WS", "GB"))]
    assert len(named) > 200
    assert not [row.source for row in named if row.cite is None or not row.cite.edition]
    assert sum(1 for _ in cited_rows(shipped, content)) > 500


def test_a_row_in_force_whose_standard_is_withdrawn_is_a_fault_from_that_day_on() -> None:
    shipped, content = catalog.read_starter(), knowledge.read_starter()
    rule = content.rules[0]
    rule.cite = Citation(standard="GBZ 188", edition="2014", withdrawn_on="2026-08-01")
    faults = [
        [f for f in check(shipped, content, day) if f.check == "withdrawn"]
        for day in (date(2026, 7, 31), date(2026, 8, 1))
    ]
    assert [[f.at for f in some] for some in faults] == [[], [f"rules/{rule.code}"]]
    assert "GBZ 188-2014" in faults[1][0].zh


def test_what_ships_cites_nothing_that_is_withdrawn() -> None:
    found = check(catalog.read_starter(), knowledge.read_starter(), date(2026, 11, 30))
    assert [f.at for f in found if f.check == "withdrawn"] == []


async def test_ranges_findings_and_rules_show_what_they_cite(sign_in: SignIn) -> None:
    chief = await sign_in("chief")
    item = (await chief.get(f"{API}/items", params={"q": "CREA"})).json()["items"][0]
    ranges = (await chief.get(f"{API}/items/{item['id']}")).json()["ranges"]
    assert any(r["cite"] and (r["cite"]["standard"], r["cite"]["part"]) == ("WS/T 404", "5") for r in ranges)
    for path in ("findings", "knowledge-rules"):
        rows = (await chief.get(f"{API}/{path}", params={"page_size": 200})).json()["items"]
        assert any(row["cite"] and row["cite"]["standard"] for row in rows), path
