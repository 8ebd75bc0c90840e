"""Lists as units really send them: merged, hidden, split over tables and header rows, in every encoding of Excel; what is read, and what is said."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.tjapi.employer.lists import lines, repacked, xlsx
from tjapi.employer import sheets
from tjapi.employer.rules.cells import SENTENCES, read_row
from tjapi.employer.rules.headers import TableSeen, choose_table, line_kind
from tjapi.employer.sheets import SheetRefusedError
from tjapi.examinee.rules import ID_KINDS

pytestmark = pytest.mark.requirement("E2.3")
CASES = Path(__file__).parents[2] / "cases"
TODAY = date(2026, 11, 29)
A, B, C = "690101199003071017", "690101199003071033", "69010119900307105X"
HEAD = ["姓名", "证件号码", "部门"]
ONE, TWO, THREE = ["甲试一", A, "一车间"], ["乙试二", B, "二车间"], ["丙试三", C, "三车间"]
Row = Sequence[Any]


@dataclass
class Read:
    """What a file says: rows by number with their faults, what was left out and warned of, or why nothing was read."""

    refused: str | None = None
    rows: dict[int, Any] = field(default_factory=dict)
    said: list[tuple[int, str]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.rows.values()]

    @property
    def departments(self) -> list[str | None]:
        return [row.department for row in self.rows.values()]


def opened(content: bytes, wanted: str | None = None, **remembered: str) -> Read:
    """Read a file as the worker does, without its campaign."""
    try:
        sheet = sheets.read(content, remembered, wanted)
    except SheetRefusedError as refusal:
        return Read(refusal.code)
    found = Read(said=[(note.row_no, note.code) for note in sheet.notes])
    for number, cells in enumerate(sheet.rows[sheet.header.last + 1 :], sheet.header.last + 2):
        kind = line_kind(cells, sheet.header)
        if kind == "person":
            found.rows[number] = read_row(number, cells, sheet.header.fields, TODAY)
        elif kind != "blank":
            found.said.append((number, kind))
    return found


def book(*tables: tuple[str, Sequence[Row]], work: Callable[..., object] | None = None) -> bytes:
    """A workbook of some tables; `work` does to it what is particular."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_numbers": False}) as made:
        held = []
        for name, rows in tables:
            table = made.add_worksheet(name)
            held.append(table)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if cell not in ("", None):
                        table.write(r, c, cell)
        if work is not None:
            work(*held)
    return out.getvalue()


def one(*rows: Row, work: Callable[..., object] | None = None) -> bytes:
    """A workbook of one table."""
    return book(("名单", rows), work=work)


def text(rows: Sequence[Row], encoding: str = "utf-8", separator: str = ",", before: str = "") -> bytes:
    """A list as text."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return (before + out.getvalue()).encode(encoding)


LIST = (HEAD, ONE, TWO)
TWO_ROWS = (["姓名", "证件", "", "部门"], ["", "类型", "号码", ""], ["甲试一", "身份证", A, "一车间"])
HEADERS: dict[str, tuple[bytes, list[str]]] = {
    "plain": (one(*LIST), ["甲试一", "乙试二"]),
    "a title above": (one(["某单位体检名单"], *LIST), ["甲试一", "乙试二"]),
    "a merged title above": (
        one([], *LIST, work=lambda t: t.merge_range("A1:C1", "某单位体检名单")), ["甲试一", "乙试二"],
    ),
    "twelve rows of instructions above": (one(*[[f"{i}、请按要求填写"] for i in range(1, 13)], *LIST), ["甲试一", "乙试二"]),
    "blank rows and columns before": (one([], [], ["", *HEAD], ["", *ONE], ["", *TWO]), ["甲试一", "乙试二"]),
    "two rows, one merged downwards": (
        one(["", "", "联系", ""], ["", "", "手机", "微信"], ["甲试一", A, "13800001234", "x"],
            work=lambda t: (t.merge_range("A1:A2", "姓名"), t.merge_range("B1:B2", "证件号码"), t.merge_range("C1:D1", "联系"))),
        ["甲试一"],
    ),
    "two rows, the upper one names the columns below": (
        one([], ["", "类型", "号码", ""], ["甲试一", "身份证", A, "一车间"],
            work=lambda t: (t.merge_range("A1:A2", "姓名"), t.merge_range("B1:C1", "证件"), t.merge_range("D1:D2", "部门"))),
        ["甲试一"],
    ),
    "two rows without a merge": (one(*TWO_ROWS), ["甲试一"]),
    "two rows as text": (text(TWO_ROWS), ["甲试一"]),
    "two rows, groups of columns above": (
        one(["个人信息", "", "单位信息"], HEAD, ONE, work=lambda t: t.merge_range("A1:B1", "个人信息")), ["甲试一"],
    ),
    "brackets, strokes and lines in a header": (
        one(["姓名/Name", "证件号码\n(18 位)", "所在部门（可不填）", "出生日期(yyyy-mm-dd)"], [*ONE, "1990-03-07"]), ["甲试一"],
    ),
    "full-width and spaces in a header": (one(["姓　名", "证 件 号 码：", "部门"], ONE), ["甲试一"]),
    "the header again in the middle": (one(HEAD, ONE, HEAD, TWO), ["甲试一", "乙试二"]),
    "unseen characters in a header": (one(["\u200b姓名\u200e", "\ufeff证件号码", "部门\u200d"], ONE), ["甲试一"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", HEADERS)
def test_the_header_is_found_wherever_and_however_it_stands(kind: str) -> None:
    content, names = HEADERS[kind]
    found = opened(content)
    assert (found.refused, found.names) == (None, names)
    assert all(not row.faults and row.id_number for row in found.rows.values())


def test_a_header_over_two_rows_gives_each_column_its_field() -> None:
    content, _ = HEADERS["two rows, one merged downwards"]
    assert sheets.read(content).header.fields == ("name", "id_number", "phone", "ignore")
    content, _ = HEADERS["two rows, the upper one names the columns below"]
    assert sheets.read(content).header.fields == ("name", "id_kind", "id_number", "department")


ENCODINGS: dict[str, bytes] = {
    "utf-8": text(LIST),
    "utf-8 with its mark": text(LIST, "utf-8-sig"),
    "gb18030": text(LIST, "gb18030"),
    "gb18030 with its mark": "\ufeff".encode("gb18030") + text(LIST, "gb18030"),
    "utf-16, little end first": b"\xff\xfe" + text(LIST, "utf-16-le", "\t"),
    "utf-16, big end first": b"\xfe\xff" + text(LIST, "utf-16-be", "\t"),
    "utf-16 without a mark": text(LIST, "utf-16-le", "\t"),
    "utf-16 big without a mark": text(LIST, "utf-16-be", "\t"),
    "semicolons": text(LIST, separator=";"),
    "tabs below a title with commas": text(LIST, separator="\t", before="某单位,体检名单\n"),
    "semicolons said by Excel": text(LIST, separator=";", before="sep=;\n"),
    "a bar said by Excel": text(LIST, separator="|", before="sep=|\r\n"),
    "a quoted line break in a cell": text((HEAD, ["甲试一", A, "一车间\n二班"], TWO)),
}


@pytest.mark.parametrize("kind", ENCODINGS)
def test_a_text_is_read_in_every_encoding_and_with_every_separator(kind: str) -> None:
    found = opened(ENCODINGS[kind])
    assert (found.refused, found.names, [row.id_number for row in found.rows.values()]) == (
        None,
        ["甲试一", "乙试二"],
        [A, B],
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe" + text(LIST, "utf-16-le", "\t")[:-1], "encoding"),
        (b"\xff\xfe\xff\xff\xfe\xff" * 20, "encoding"),
        (b"\x00\x01\x00\x02\x03\x00" * 20, "not_a_list"),
        (text(LIST)[:9] + b"\xff\xff" + text(LIST)[9:], "encoding"),
    ],
)
def test_a_text_that_no_encoding_reads_is_refused(content: bytes, code: str) -> None:
    assert opened(content).refused == code


def _hide(*, very: bool = False, first: bool = True) -> Callable[..., object]:
    def work(*tables: Any) -> None:
        hidden = tables[0] if first else tables[1]
        shown = tables[1] if first else tables[0]
        shown.activate()
        shown.set_first_sheet()
        hidden.very_hidden() if very else hidden.hide()

    return work


OLD = ("旧名单", (HEAD, THREE))
NEW = ("名单", LIST)
TABLES: dict[str, tuple[bytes, str | None, str | None, list[str], list[str]]] = {
    "a hidden old list first": (book(OLD, NEW, work=_hide()), None, None, ["甲试一", "乙试二"], ["hidden_table"]),
    "a very hidden old list first": (book(OLD, NEW, work=_hide(very=True)), None, None, ["甲试一", "乙试二"], ["hidden_table"]),
    "a hidden old list second": (book(NEW, OLD, work=_hide(first=False)), None, None, ["甲试一", "乙试二"], ["hidden_table"]),
    "a hidden dictionary first": (book(("字典", (["男"], ["女"])), NEW, work=_hide()), None, None, ["甲试一", "乙试二"], ["hidden_table"]),
    "instructions first": (book(("填写说明", (["请如实填写"],)), NEW), None, None, ["甲试一", "乙试二"], []),
    "an empty table first": (book(("Sheet1", ()), NEW), None, None, ["甲试一", "乙试二"], []),
    "a template without rows beside": (book(("模板", (HEAD,)), NEW), None, None, ["甲试一", "乙试二"], ["other_table"]),
    "two lists": (book(OLD, NEW), None, "several_tables", [], []),
    "two lists, and one was said": (book(OLD, NEW), "名单", None, ["甲试一", "乙试二"], ["other_table"]),
    "a list that is hidden alone": (book(OLD, ("Sheet2", (["x"],)), work=_hide()), None, "only_hidden", [], []),
    "a hidden list that was said": (book(OLD, NEW, work=_hide()), "旧名单", None, ["丙试三"], ["other_table", "hidden_table_read"]),
    "a table that is not there": (book(OLD, NEW), "花名册", "no_such_table", [], []),
    "no list at all": (book(("Sheet1", (["x", "y"], ["1", "2"]))), None, "no_header", [], []),
    "columns without rows": (book(("模板", (HEAD,))), None, "no_rows", [], []),
    "thirty-one tables": (book(*[(f"表{i}", ()) for i in range(31)]), None, "too_many_tables", [], []),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_the_visible_table_that_is_the_list_is_read_and_the_others_are_named(kind: str) -> None:
    content, wanted, refused, names, said = TABLES[kind]
    found = opened(content, wanted)
    assert (found.refused, found.names, [code for _, code in found.said]) == (refused, names, said)


def test_where_two_tables_could_be_the_list_both_are_named_to_choose_from() -> None:
    with pytest.raises(sheets.TablesRefusedError) as told:
        sheets.read(TABLES["two lists"][0])
    assert [(t.name, t.hidden, t.has_columns) for t in told.value.tables] == [
        ("旧名单", False, True),
        ("名单", False, True),
    ]


def test_no_choice_of_tables_takes_a_hidden_one_unasked() -> None:
    for hidden in (True, False):
        for listing in (True, False):
            place, _ = choose_table([TableSeen("a", hidden, listing, listing)], None)
            assert (place is not None) == (listing and not hidden)


MERGED: dict[str, tuple[bytes, list[str], list[str | None]]] = {
    "a department for two": (
        one(HEAD, [*ONE[:2]], [*TWO[:2]], THREE, work=lambda t: t.merge_range("C2:C3", "一车间")),
        ["甲试一", "乙试二", "丙试三"], ["一车间", "一车间", "三车间"],
    ),
    "two departments": (
        one(HEAD, [*ONE[:2]], [*TWO[:2]], [*THREE[:2]], ["丁试四", "690101199003071113"],
            work=lambda t: (t.merge_range("C2:C3", "一车间"), t.merge_range("C4:C5", "二车间"))),
        ["甲试一", "乙试二", "丙试三", "丁试四"], ["一车间", "一车间", "二车间", "二车间"],
    ),
    "merged beyond the last person": (
        one(HEAD, [*ONE[:2]], work=lambda t: t.merge_range("C2:C9", "一车间")), ["甲试一"], ["一车间"],
    ),
    "merged over two columns": (
        one([*HEAD, "班组2"], [*ONE[:2]], [*TWO[:2]], work=lambda t: t.merge_range("C2:D3", "一车间")), ["甲试一", "乙试二"], ["一车间", "一车间"],
    ),
    "an empty merge says nothing": (
        one(HEAD, [*ONE[:2]], [*TWO[:2]], work=lambda t: t.merge_range("C2:C3", "")), ["甲试一", "乙试二"], [None, None],
    ),
    "a merged total below": (
        one(HEAD, ONE, [], work=lambda t: t.merge_range("A3:C3", "合计:1人")), ["甲试一"], ["一车间"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", MERGED)
def test_what_is_merged_downwards_is_said_for_all_its_rows(kind: str) -> None:
    content, names, departments = MERGED[kind]
    found = opened(content)
    assert (found.names, found.departments) == (names, departments)
    assert all(not row.faults for row in found.rows.values())


def _without_numbers(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        table = held.read("xl/worksheets/sheet1.xml")
    return repacked(content, {"xl/worksheets/sheet1.xml": table.replace(b'<row r="3"', b"<row")})


def _by_default(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        table = held.read("xl/worksheets/sheet1.xml")
    return repacked(
        content, {"xl/worksheets/sheet1.xml": table.replace(b"<sheetFormatPr ", b'<sheetFormatPr zeroHeight="1" ')}
    )


HIDDEN: dict[str, tuple[bytes, list[tuple[int, str]]]] = {
    "a row": (one(*LIST, work=lambda t: t.set_row(2, None, None, {"hidden": True})), [(3, "hidden_row")]),
    "two rows": (
        one(*LIST, THREE, work=lambda t: [t.set_row(r, None, None, {"hidden": True}) for r in (1, 3)]), [(2, "hidden_row"), (4, "hidden_row")],
    ),
    "a row by a filter": (
        one(*LIST, work=lambda t: (t.autofilter("A1:C3"), t.filter_column("C", "x == 一车间"), t.set_row(2, None, None, {"hidden": True}))),
        [(3, "hidden_row")],
    ),
    "a row without height": (one(*LIST, work=lambda t: t.set_row(1, 0)), [(2, "hidden_row")]),
    "the header's row, and a blank one": (
        one(HEAD, [], ONE, TWO, work=lambda t: [t.set_row(r, None, None, {"hidden": True}) for r in (0, 1)]), [],
    ),
    "a column that is read": (one(*LIST, work=lambda t: t.set_column(2, 2, None, None, {"hidden": True})), [(1, "hidden_column")]),
    "a column that is not read": (
        one([*HEAD, "鞋码"], [*ONE, "41"], [*TWO, "42"], work=lambda t: t.set_column(3, 3, None, None, {"hidden": True})), [],
    ),
    "rows that do not say their number": (
        _without_numbers(one(*LIST, work=lambda t: t.set_row(2, None, None, {"hidden": True}))), [(0, "hidden_rows")],
    ),
    "all rows unless they say otherwise": (_by_default(one(*LIST)), [(0, "hidden_rows")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", HIDDEN)
def test_nothing_hidden_is_read_in_silence(kind: str) -> None:
    content, said = HIDDEN[kind]
    found = opened(content)
    assert (found.names[:2], found.said) == (["甲试一", "乙试二"], said)


BELOW: dict[str, tuple[Sequence[Row], list[tuple[int, str]]]] = {
    "a total": ((["合计", "", "2"],), [(4, "footer")]),
    "a total of people": ((["合计:2人"],), [(4, "footer")]),
    "a total in words": ((["", "", "共 2 人"],), [(4, "footer")]),
    "a total in the column of numbers": ((["总计", "2"],), [(4, "footer")]),
    "who filled it in": ((["填表人:韦某", "", "日期:2026-11-29"],), [(4, "footer")]),
    "notes": (
        (["备注:"], ["1. 体检前一日晚十点后禁食"], ["2、请携带身份证"]),
        [(4, "footer"), (5, "footer"), (6, "footer")],
    ),
    "a sentence": ((["以上人员均为我单位在职职工,请安排体检。"],), [(4, "footer")]),
    "a stamp": ((["单位盖章"],), [(4, "footer")]),
    "blank rows and then a note": (([], [], ["说明:本表一式两份"]), [(6, "footer")]),
}


@pytest.mark.parametrize("kind", BELOW)
def test_totals_and_notes_below_are_nobody_and_are_named(kind: str) -> None:
    rows, said = BELOW[kind]
    found = opened(one(*LIST, *rows))
    assert (found.names, found.said) == (["甲试一", "乙试二"], said)


@pytest.mark.parametrize(
    "row",
    [["丙试三", "", "三车间"], ["丙试三"], ["", C, "三车间"], ["合计", C, "三车间"], ["", "", "三车间"], ["备注", C], ["John Smith", ""], ["人数", "690101199003071018"]],
)  # fmt: skip
def test_whoever_may_be_somebody_is_never_taken_for_a_note(row: Row) -> None:
    found = opened(one(*LIST, row))
    assert list(found.rows) == [2, 3, 4]
    assert found.said == []


def test_rows_that_were_numbered_in_advance_are_nobody_and_are_named() -> None:
    found = opened(one(["序号", *HEAD], ["1", *ONE], ["2", *TWO], ["3"], ["4"]))
    assert (found.names, found.said) == (["甲试一", "乙试二"], [(4, "unnamed"), (5, "unnamed")])


def test_two_people_in_one_row_are_refused_and_two_columns_that_differ_are_an_error() -> None:
    assert opened(one([*HEAD, *HEAD], [*ONE, *TWO])).refused == "name_twice"
    found = opened(one(["姓名", "身份证号", "证件号码"], ["甲试一", A, A], ["乙试二", A, B]))
    assert [row.faults for row in found.rows.values()] == [[], [("id_number", "said_twice")]]
    found = opened(one(["姓名", "工号", "手机", "联系电话"], ["甲试一", "1", "13800001234", "13900001234"]))
    assert (found.rows[2].phone, found.said) == ("13800001234", [(1, "column_twice")])


def test_unseen_characters_are_read_past_in_every_cell() -> None:
    found = opened(one(HEAD, ["\u200b甲试\u200d一", "\u202a690101199003071017\u202c", "一\ufeff车间"]))
    [row] = found.rows.values()
    assert (row.name, row.id_number, row.department, row.faults) == ("甲试一", A, "一车间", [])


EXPECTED: dict[str, tuple[list[str], list[tuple[int, str]]]] = {
    "24-invisible-characters.csv": (["测试乙"], []),
    "25-invisible-in-cells.csv": (["测试丙", "测试丁", "测试戊", "测试己"], []),
    "26-very-hidden-old-list-first.xlsx": (["新试今年"], [(0, "hidden_table")]),
    "27-hidden-dictionary-first.xlsx": (["新试今年"], [(0, "hidden_table")]),
    "28-merged-department.xlsx": (["并试一", "并试二", "并试三"], []),
    "29-hidden-row.xlsx": (["行试见", "行试隐"], [(3, "hidden_row")]),
    "37-unicode-text.txt": (["测试辛"], []),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_small_inputs_that_failed_are_read_as_is_right(name: str) -> None:
    names, said = EXPECTED[name]
    found = opened((CASES / name).read_bytes())
    assert (found.refused, found.names, found.said) == (None, names, said)
    assert all(not row.faults and row.id_number for row in found.rows.values())
    if name.startswith("28"):
        assert found.departments == ["二车间"] * 3


@pytest.mark.skipif("tw_travel_permit" not in ID_KINDS, reason="the kinds of permits are not known yet")
def test_travel_permits_are_kinds_of_documents_in_a_list() -> None:
    found = opened((CASES / "31-travel-permits.csv").read_bytes())
    assert [(row.id_kind, row.id_number, row.faults) for row in found.rows.values()] == [
        ("hk_mo_travel_permit", "H00000001", []), ("tw_travel_permit", "00000002", []),
    ]  # fmt: skip


def test_whatever_is_said_of_a_file_has_its_sentences() -> None:
    said = {code for _, notes in HIDDEN.values() for _, code in notes} | {
        "hidden_unknown",
        "hidden_table_read",
        "several_tables",
        "only_hidden",
    }
    assert said <= SENTENCES.keys()


_SHEETJS_DEFAULTS = (
    b'<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
    b'<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
)


def _typed(content: bytes, *, defaults: bytes = b"", book: bytes | None = None, **parts: bytes) -> bytes:
    """A workbook whose content types say more."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        types = old.read("[Content_Types].xml")
    types = re.sub(rb"(<Types[^>]*>)", lambda found: found[1] + defaults, types, count=1)
    if book is not None:
        types = types.replace(b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", book)
    return repacked(content, {"[Content_Types].xml": types} | {f"xl/{k}.bin": v for k, v in parts.items()})


def test_a_list_written_by_sheetjs_holds_no_macro_whatever_its_types_could_mean() -> None:
    assert sheets.read(_typed(xlsx(lines(2)), defaults=_SHEETJS_DEFAULTS)).header.fields[0] == "name"


@pytest.mark.parametrize(
    "content",
    [
        _typed(xlsx(lines(1)), book=b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
        _typed(xlsx(lines(1)), defaults=b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>', other=b"macro"),
        _typed(xlsx(lines(1)), vbaProject=b"macro"),
    ],
    ids=["the book's type", "a part's type", "a part's name"],
)  # fmt: skip
def test_a_part_that_is_a_macro_is_refused_by_what_it_is(content: bytes) -> None:
    with pytest.raises(SheetRefusedError) as told:
        sheets.read(content)
    assert told.value.code == "macros"


def _lost(*values: str) -> bytes:
    """A list some of whose cells Excel has lost: pasted as values, so that no formula tells of it."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        table = book.add_worksheet()
        table.write_row(0, 0, ["姓名", "性别", "出生日期", "工号", "手机"])
        table.write_row(1, 0, ["表试甲", "男", "", "W1", ""])
        for column, value in zip((2, 4), values, strict=False):
            table.write_formula(1, column, "=NA()", None, value)
        table.write_row(2, 0, ["表试乙", "女", "1990-03-07", "W2"])
    content = out.getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        table_xml = re.sub(rb"<f>.*?</f>", b"", old.read("xl/worksheets/sheet1.xml"))
    assert b't="e"' in table_xml
    return repacked(content, {"xl/worksheets/sheet1.xml": table_xml})


def test_a_value_that_excel_lost_is_no_blank_cell() -> None:
    found = sheets.read(_lost("#N/A", "#REF!"))
    row = read_row(2, found.rows[1], found.header.fields, date(2026, 11, 25))
    assert set(row.faults) == {("birth_date", "error_value"), ("phone", "error_value")}
    assert not read_row(3, found.rows[2], found.header.fields, date(2026, 11, 25)).faults


def _far(cell: bytes, name: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A list below whose people another row stands, far out."""
    content = book(NEW)
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        part = old.read(name)
    return repacked(content, {name: part.replace(b"</sheetData>", cell + b"</sheetData>")})


FORMATTED = [
    b'<row r="1048576"><c r="A1048576" s="0"/></row>',
    b'<row r="1048576"><c r="A1048576" s="0"></c></row>',
    b'<row r="1048576"><c r="XFD1048576" s="0" /></row>',
    b"<row r='1048576'><c r='A1048576' s='0'/></row>",
    b'<row r = "1048576"><c s = "0" r = "A1048576" /></row>',
]


@pytest.mark.parametrize("cell", FORMATTED)
def test_a_cell_far_out_that_only_has_a_format_is_no_row(cell: bytes) -> None:
    found = opened(_far(cell))
    assert (found.refused, found.names) == (None, ["甲试一", "乙试二"])


@pytest.mark.parametrize("offset", [0, 1, 7, 25, 31, 40, 45])
def test_so_it_is_wherever_the_bytes_are_cut(offset: int) -> None:
    before = b"<!--" + b"x" * ((1 << 16) - offset) + b"-->"
    empty = before + FORMATTED[1]
    assert opened(_far(empty)).refused is None
    full = before + b'<row r="1048576"><c r="A1048576" s="0"><v>5</v></c></row>'
    assert opened(_far(full)).refused == "too_wide"


@pytest.mark.parametrize("holds", [b"<v>5</v>", b"<f>1</f>", b"<is><t>x</t></is>", b"<v/>"])
def test_a_cell_far_out_that_holds_something_is_too_wide(holds: bytes) -> None:
    assert opened(_far(b'<row r="1048576"><c r="A1048576">' + holds + b"</c></row>")).refused == "too_wide"


def test_blank_rows_and_cells_at_the_end_of_a_text_are_none() -> None:
    plain = text(LIST)
    assert opened(plain + b",,\n" * 60_000).names == ["甲试一", "乙试二"]
    wide = b"".join(row.rstrip(b"\r\n") + b"," * 200 + b"\n" for row in plain.splitlines(keepends=True))
    assert opened(wide).names == ["甲试一", "乙试二"]
    assert opened(plain + b"\n" * 60_000 + plain.splitlines(keepends=True)[-1]).refused == "too_wide"
