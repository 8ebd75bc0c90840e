"""What an uploaded list is and what its cells say: XLSX, XLS or text, judged by content and counted while it inflates. Pure.

A spreadsheet may be made to harm: an archive that inflates without end, a cell so far out that the table between fills the memory,
macros, formulas. And it may say less than it seems: tables and rows that are hidden, cells that are merged. What is merged downwards
is said for all its rows; what is hidden is never read, and never left out, in silence.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from python_calamine import CalamineError, CalamineSheet, SheetTypeEnum, SheetVisibleEnum, load_workbook

from adapters.wire.unseen import sieved
from tjapi.employer.rules.cells import ERROR_VALUE, Cell
from tjapi.employer.rules.headers import HEADER_WITHIN, Header, Span, TableSeen, choose_table, find_header, line_kind
from tjapi.employer.sheets.archive import Part, SheetRefusedError, look_into
from tjapi.employer.sheets.template import template
from tjapi.employer.sheets.texts import MOST_COLUMNS, MOST_ROWS, read_text, utf16

__all__ = [
    "Note", "Sheet", "SheetRefusedError", "TableSeen", "TablesRefusedError", "judge_xls", "pieces", "read", "sniff", "template",
]  # fmt: skip

Kind = Literal["xlsx", "xls", "csv"]
_MOST_TABLES = 30
_MOST_MERGED = 500_000
_PIECE = 2_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_WHOLE_FILE = 0
_LOOKED_AT = HEADER_WITHIN + 40
"""So many rows of each table say whether it is a list: its header, and somebody below it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What there is to say about a file before its rows are read: of a row, or of the whole (0); `about` is a table or a column."""

    row_no: int
    about: str
    code: str


@dataclass(slots=True)
class Sheet:
    """The table of a file that is the list; `formulas` are the cells whose value a formula made, by row (from 1) and column (from 0)."""

    kind: Kind
    rows: Sequence[Sequence[Cell]]
    header: Header
    name: str = ""
    formulas: dict[int, set[int]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    tables: list[TableSeen] = field(default_factory=list)


class TablesRefusedError(SheetRefusedError):
    """None of the tables of a file is the list by itself; they are named, so that a person can say which is."""

    def __init__(self, code: str, tables: Sequence[TableSeen]) -> None:
        super().__init__(code)
        self.tables = tables


def sniff(content: bytes) -> Kind:
    """Say by its content what a file is. Raises SheetRefusedError."""
    if not content:
        raise SheetRefusedError("empty")
    if content.startswith(_ZIP):
        return "xlsx"
    if content.startswith(_OLE):
        return "xls"
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"<?xml", b"<html", b"{")):
        raise SheetRefusedError("not_a_list")
    if b"\0" in content[:4096] and utf16(content) is None:
        raise SheetRefusedError("not_a_list")
    return "csv"


def read(content: bytes, remembered: Mapping[str, str] | None = None, wanted: str | None = None) -> Sheet:
    """Read the list of a file; `remembered` says of columns which field they hold, `wanted` which table is meant. Raises SheetRefusedError."""
    kind, known = sniff(content), remembered or {}
    if kind == "csv":
        rows = read_text(content, known)
        table = _Table(TableSeen("", hidden=False, has_columns=True, listing=True), rows, [], Part())
        return _sheet(kind, table, [table.seen], known)
    parts = look_into(content) if kind == "xlsx" else {}
    try:
        with load_workbook(io.BytesIO(content)) as book:
            tables, chosen = _choose(book, parts, known, wanted)
    except CalamineError:
        raise SheetRefusedError("unreadable") from None
    found = _sheet(kind, chosen, tables, known)
    if kind == "xls":
        found.notes.append(Note(_WHOLE_FILE, "", "hidden_unknown"))
    return found


@dataclass(slots=True)
class _Table:
    """A table as its reader gives it, with what its XML says beside."""

    seen: TableSeen
    rows: list[list[Cell]]
    spans: list[Span]
    part: Part


def _choose(
    book: Any, parts: Mapping[str, Part], remembered: Mapping[str, str], wanted: str | None
) -> tuple[list[TableSeen], _Table]:
    """Look at every table's beginning, and read the one that is the list. Raises SheetRefusedError."""
    there = [(i, one) for i, one in enumerate(book.sheets_metadata) if one.typ == SheetTypeEnum.WorkSheet]
    if len(there) > _MOST_TABLES:
        raise SheetRefusedError("too_many_tables")
    seen: list[TableSeen] = []
    # A table is held until another one is: most files have one, and it is not to be read twice.
    held: tuple[str, CalamineSheet] | None = None
    for i, one in there:
        table = book.get_sheet_by_index(i)
        seen.append(_look(one.name, one.visible != SheetVisibleEnum.Visible, table, remembered))
        if seen[-1].listing and held is None:
            held = one.name, table
    place, refusal = choose_table(seen, wanted)
    if place is None:
        raise TablesRefusedError(refusal or "unreadable", seen)
    name = seen[place].name
    table = held[1] if held is not None and held[0] == name else book.get_sheet_by_index(there[place][0])
    if table.total_height > MOST_ROWS + HEADER_WITHIN or table.total_width > MOST_COLUMNS:
        raise SheetRefusedError("too_wide")
    part = parts.get(name, Part())
    return seen, _Table(seen[place], _with_errors(_cells(table, None), part), _spans(table), part)


def _with_errors(rows: list[list[Cell]], part: Part) -> list[list[Cell]]:
    """Put what Excel shows into cells whose value it lost: they are not blank, and are refused by name."""
    for number, columns in part.errors.items():
        if number <= len(rows):
            row = rows[number - 1]
            row += [""] * (min(max(columns) + 1, MOST_COLUMNS) - len(row))
            for column in columns:
                if column < len(row):
                    row[column] = ERROR_VALUE
    return rows


def _look(name: str, hidden: bool, table: CalamineSheet, remembered: Mapping[str, str]) -> TableSeen:
    beginning = _cells(table, _LOOKED_AT)
    spans = _spans(table)
    _fill_down(beginning, spans)
    header = find_header(beginning, remembered, spans)
    listing = header is not None and (
        table.total_height > _LOOKED_AT
        or any(line_kind(row, header) == "person" for row in beginning[header.last + 1 :])
    )
    return TableSeen(name, hidden, header is not None, listing)


def _cells(table: CalamineSheet, most: int | None) -> list[list[Cell]]:
    """Return a table from its cell A1, its texts without anything unseen."""
    rows = cast("list[list[Cell]]", table.to_python(skip_empty_area=False, nrows=most))
    return [[sieved(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]


def _spans(table: CalamineSheet) -> list[Span]:
    return [(top, left, bottom, right) for (top, left), (bottom, right) in table.merged_cell_ranges or ()]


def _fill_down(rows: list[list[Cell]], spans: Sequence[Span]) -> None:
    """Let what is merged downwards be said in each of its rows that says something itself. Raises SheetRefusedError."""
    down = [
        (top, left, min(bottom, len(rows) - 1)) for top, left, bottom, _ in spans if top < bottom and top < len(rows)
    ]
    if sum(bottom - top for top, _, bottom in down) > _MOST_MERGED:
        raise SheetRefusedError("too_wide")
    own = [any(cell not in ("", None) for cell in row) for row in rows] if down else []
    for top, left, bottom in down:
        if left >= len(rows[top]) or rows[top][left] in ("", None):
            continue
        for row in range(top + 1, bottom + 1):
            if own[row] and left < len(rows[row]) and rows[row][left] in ("", None):
                rows[row][left] = rows[top][left]


def _sheet(kind: Kind, table: _Table, tables: Sequence[TableSeen], remembered: Mapping[str, str]) -> Sheet:
    rows = table.rows
    if kind == "csv":
        rows = [[sieved(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    _fill_down(rows, table.spans)
    header = find_header(rows, remembered, table.spans)
    if header is None:
        raise SheetRefusedError("no_header")
    if "name" in header.twice:
        raise SheetRefusedError("name_twice")
    if not any(line_kind(row, header) == "person" for row in rows[header.last + 1 :]):
        raise SheetRefusedError("no_rows")
    return Sheet(kind, rows, header, table.seen.name, table.part.formulas, _notes(table, tables, header), list(tables))


def _notes(table: _Table, tables: Sequence[TableSeen], header: Header) -> list[Note]:
    """Say what is hidden, what was not read, and what two columns say."""
    found = [
        Note(_WHOLE_FILE, other.name, "hidden_table" if other.hidden else "other_table")
        for other in tables
        if other is not table.seen and (other.hidden or other.has_columns)
    ]
    if table.seen.hidden:
        found.append(Note(_WHOLE_FILE, table.seen.name, "hidden_table_read"))
    part = table.part
    if part.some_hidden:
        found.append(Note(_WHOLE_FILE, table.seen.name, "hidden_rows"))
    found += [
        Note(header.last + 1, name, "hidden_column")
        for i, (name, holds) in enumerate(zip(header.names, header.fields, strict=True))
        if i in part.hidden_columns and holds != "ignore"
    ]
    found += [
        Note(
            header.last + 1,
            next(n for n, f in zip(header.names, header.fields, strict=True) if f == twice),
            "column_twice",
        )
        for twice in header.twice
    ]
    return found + [
        Note(row, "", "hidden_row")
        for row in sorted(part.hidden_rows)
        if header.last + 1 < row <= len(table.rows) and line_kind(table.rows[row - 1], header) == "person"
    ]


def judge_xls(content: bytes) -> None:
    """Refuse what an old XLS must not hold: macros, encryption. Its formulas cannot be told from values, whose cached results are read."""
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise SheetRefusedError("macros")
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise SheetRefusedError("encrypted")
    if "Workbook".encode("utf-16-le") not in content and "Book".encode("utf-16-le") not in content:
        raise SheetRefusedError("not_a_list")


def pieces(
    content: bytes, remembered: Mapping[str, str], wanted: str | None
) -> Iterator[Sheet | tuple[str, list[TableSeen]] | Sequence[Sequence[Cell]]]:
    """Read a file for another process: the list without its rows, then its rows, some at a time.

    Where a person must say which table is the list, why and the tables take the place of the list. Raises SheetRefusedError.
    """
    if sniff(content) == "xls":
        judge_xls(content)
    try:
        sheet = read(content, remembered, wanted)
    except TablesRefusedError as refusal:
        yield refusal.code, list(refusal.tables)
        return
    rows, sheet.rows = sheet.rows, ()
    yield sheet
    for first in range(0, len(rows), _PIECE):
        yield rows[first : first + _PIECE]
