"""Cells as people write them: one day in ten spellings, a sex in twenty, and numbers that Excel has spoilt."""

import contextlib
import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.unseen import sieved
from tjapi.employer import sheets
from tjapi.employer.rules.cells import SENTENCES, Cell, CellFault, as_date, as_text, read_row
from tjapi.employer.rules.headers import field_of, find_header
from tjapi.employer.sheets import SheetRefusedError
from tjapi.examinee.rules import check_digit

pytestmark = pytest.mark.requirement("E2.3")
CASES = Path(__file__).parents[2] / "cases"
TODAY = date(2026, 11, 25)
SEVENTH = date(1990, 3, 7)


@pytest.mark.parametrize(
    "cell",
    [
        SEVENTH, datetime(1990, 3, 7, 0, 0), 32939.0, "32939", "1990-03-07", "1990/3/7", "1990.3.7", "19900307", 19900307.0, "1990年3月7日",
        "1990年03月07日", "1990 - 3 - 7", "1990-03-07 00:00:00", "1990-03-07T00:00:00", "１９９０－０３－０７", "7-Mar-1990", "7 March 1990", "'1990-03-07",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_spelling(cell: Cell) -> None:
    assert as_date(cell) == SEVENTH


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1990-02-30", "date_invalid"), ("1990年3月", "date_incomplete"), ("1990", "date_incomplete"), ("03/07/1990", "date_ambiguous"),
        ("90-3-7", "date_ambiguous"), ("三月七日", "date_invalid"), (True, "not_text"), ("=A1", "formula"),
    ],
)  # fmt: skip
def test_what_is_no_day_or_may_be_two_is_said_so(cell: Cell, code: str) -> None:
    with pytest.raises(CellFault) as told:
        as_date(cell)
    assert told.value.code == code


def test_a_day_that_can_be_read_in_one_way_only_is_read_so() -> None:
    assert as_date("25/12/1990") == as_date("12/25/1990") == date(1990, 12, 25)


@pytest.mark.parametrize("cell", ["男", "男性", "M", "male", "1", 1.0, "男 ", "先生", "Ｍ"])
def test_a_man_is_a_man_in_every_spelling(cell: Cell) -> None:
    assert _row(sex=cell).sex == "male"


@pytest.mark.parametrize("cell", ["女", "女性", "F", "Female", "2", 2.0, " 女", "女士"])
def test_a_woman_is_a_woman_in_every_spelling(cell: Cell) -> None:
    assert _row(sex=cell).sex == "female"


def _row(**given: Any) -> Any:
    cells = {"name": "张三", "employee_no": "1"} | given
    return read_row(2, list(cells.values()), list(cells), TODAY)


@pytest.mark.parametrize(
    "number",
    ["69010119900307001x", " 69010119900307001X", "６９０１０１１９９００３０７００１Ｘ", "'69010119900307001X"],
)
def test_a_number_is_read_with_small_x_full_width_digits_and_apostrophe(number: str) -> None:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    order = next(
        o
        for o in range(1, 999, 2)
        if sum(int(d) * w for d, w in zip(f"69010119900307{o:03d}", weights, strict=True)) % 11 == 2
    )
    valid = f"69010119900307{order:03d}X"
    spelled = number.replace("001", f"{order:03d}").replace(
        "００１", "".join(chr(ord(c) + 0xFEE0) for c in f"{order:03d}")
    )
    row = _row(id_number=spelled)
    assert (row.faults, row.id_number, row.sex, row.birth_date, row.id_kind) == ([], valid, "male", SEVENTH, "resident")


@pytest.mark.parametrize("cell", [4.50122199001011e17, 450122199001011234, "4.4E+17", "4.50122E+17", "4.50122e17"])
def test_a_number_that_excel_has_spoilt_is_told_and_never_guessed(cell: Cell) -> None:
    row = _row(id_number=cell)
    assert (row.faults, row.id_number) == ([("id_number", "digits_lost")], None)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "@SUM(1)", "+cmd|1", "-2+3+cmd|' /C calc'!A0"])
def test_a_formula_in_a_text_is_refused_by_name(cell: str) -> None:
    assert _row(department=cell).faults == [("department", "formula")]


def test_a_phone_may_come_as_a_number_or_with_the_countrys_code() -> None:
    assert [_row(phone=p).phone for p in (13800001234.0, "+86 138 0000 1234", "138-0000-1234")] == ["13800001234"] * 3


def test_what_contradicts_the_number_is_named() -> None:
    row = _row(id_number="11010519491231002X", sex="男", birth_date="1990-03-07")
    assert row.faults == [("sex", "contradicts_id_number"), ("birth_date", "contradicts_id_number")]


def test_headers_are_known_by_many_names_and_by_what_was_said_before() -> None:
    assert [field_of(h, {"代号": "employee_no"}) for h in ("姓 名*", "身份证号码（必填）", "手机号", "代号", "鞋码")] == [
        "name", "id_number", "phone", "employee_no", "ignore",
    ]  # fmt: skip
    found = find_header([["某单位名单"], ["", ""], ["姓名", "工号"]], {})
    assert found is not None
    assert (found.first, found.last, found.fields) == (2, 2, ("name", "employee_no"))
    assert find_header([["姓名"], ["张三"]], {}) is None


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=12), st.floats(), st.booleans(), st.dates(), st.datetimes()),
        min_size=13,
        max_size=13,
    )
)
def test_no_cell_whatever_breaks_the_reader(cells: list[Cell]) -> None:
    fields = (
        "name", "sex", "birth_date", "id_kind", "id_number", "phone", "employee_no", "department", "post", "marital_status", "hazards", "group", "note",
    )  # fmt: skip
    row = read_row(2, cells, fields, TODAY)
    assert row.number == 2
    assert len(row.name) <= 64


@given(st.binary(max_size=400))
def test_no_bytes_whatever_break_the_reader(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        with contextlib.suppress(SheetRefusedError):
            assert sheets.read(start + content).kind


def test_a_text_that_begins_with_a_dash_alone_is_text() -> None:
    assert as_text("-") == "-"


@pytest.mark.requirement("E1.3")
def test_permits_of_travellers_are_read_from_a_list() -> None:
    """31-travel-permits.csv, the columns as they are named there."""
    with (CASES / "31-travel-permits.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    fields = [field_of(name, {}) or "ignore" for name in header]
    read = [read_row(n, cells, fields, TODAY) for n, cells in enumerate(rows, 2)]
    assert [row.faults for row in read] == [[], []]
    assert [(row.id_kind, row.id_number) for row in read] == [
        ("hk_mo_travel_permit", "H00000001"),
        ("tw_travel_permit", "00000002"),
    ]


@pytest.mark.parametrize("name", ["王\ue863", "王\u4dae", "王\u200b\u4dae", "王 \ue863"])
def test_a_name_on_a_list_is_kept_as_the_desk_keeps_it(name: str) -> None:
    assert read_row(2, [name, "1"], ["name", "employee_no"], TODAY).name == "王\u4dae"


@pytest.mark.parametrize("cell", ["#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#n/a"])
@pytest.mark.parametrize("field", ["name", "sex", "birth_date", "id_kind", "id_number", "phone", "department", "marital_status", "hazards", "group"])  # fmt: skip
def test_a_value_that_excel_lost_is_named_and_never_blank(field: str, cell: str) -> None:
    assert (field, "error_value") in _row(**{field: cell}).faults


def _numbered(start: str) -> str:
    body = f"{start}19900307001"
    return body + check_digit(body)


@pytest.mark.parametrize(
    ("said", "number", "kind"),
    [
        ("港澳居民居住证", _numbered("810000"), "hk_mo_tw_resident"), ("台湾居民居住证", _numbered("830000"), "hk_mo_tw_resident"),
        ("中华人民共和国港澳居民居住证", _numbered("820000"), "hk_mo_tw_resident"), ("临时身份证", _numbered("690101"), "resident"),
        ("身份证号", _numbered("690101"), "resident"), ("户口簿", _numbered("690101"), "resident"), (None, _numbered("810000"), "hk_mo_tw_resident"),
        (None, _numbered("911110"), "foreign_permanent"), (None, _numbered("690101"), "resident"),
    ],
)  # fmt: skip
def test_a_kind_of_document_is_known_by_its_names_and_by_a_number_that_tells_it(
    said: str | None, number: str, kind: str
) -> None:
    given_ = {"id_number": number} | ({} if said is None else {"id_kind": said})
    row = _row(**given_)
    assert (row.faults, row.id_kind) == ([], kind)


@pytest.mark.parametrize(("start", "kind"), [("810000", "hk_mo_tw_resident"), ("911110", "foreign_permanent")])
def test_a_number_of_another_kind_than_is_said_names_its_kind(start: str, kind: str) -> None:
    row = _row(id_kind="身份证", id_number=_numbered(start))
    assert row.faults == [("id_kind", f"number_of_{kind}")]
    assert all(SENTENCES[f"number_of_{kind}"])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("三\n部", "三部"),
        ("三 \r\n 部", "三部"),
        ("A\n12", "A 12"),
        ("一车间\tB线", "一车间 B线"),
        ("一\n车\n间", "一车间"),
        ("平常", "平常"),
    ],
)
def test_a_line_break_in_a_cell_is_how_it_is_shown(said: str, kept: str) -> None:
    cell = sieved(said)
    row = read_row(
        2, ["甲试一", cell, cell, "首行\n次行"], ("name", "employee_no", "department", "note"), date(2026, 11, 30)
    )
    assert (row.employee_no, row.department, row.note, row.faults) == (kept, kept, "首行\n次行", [])


def test_the_day_that_only_excel_has_is_asked_back() -> None:
    for cell in (date(1900, 2, 28), datetime(1900, 2, 28)):
        with pytest.raises(CellFault, match="date_ambiguous"):
            as_date(cell)
    assert as_date(date(1900, 3, 1)) == date(1900, 3, 1)
    assert as_date("1900-02-28") == date(1900, 2, 28)
