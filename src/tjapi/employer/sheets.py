"""What an uploaded list is and what its cells say: XLSX, XLS or CSV, judged by content and counted while it inflates. Pure.

A spreadsheet may be made to harm: an archive that inflates without end, a cell so far out that the table between fills the memory,
macros, formulas. Sizes are counted on the bytes themselves, never on what the archive says of them.
"""

import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import xlsxwriter
from lxml import etree
from python_calamine import CalamineError, load_workbook

from tjapi.employer.rules.cells import SYNONYMS, Cell

Kind = Literal["xlsx", "xls", "csv"]
MOST_ROWS, MOST_COLUMNS = 50_000, 100
_MOST_INFLATED = 96 * 1024 * 1024
_MOST_ENTRIES = 1_000
_CHUNK = 1 << 16
_PIECE = 2_000
_OVERLAP = 512
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DEFLATED, _STORED = 8, 0
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
# A cell in a column of three letters or beyond CV (100), or in a row of six digits or more; one pattern per kind of quote, because a
# literal beginning is what makes a search fast.
_FAR = rb"(?:[A-Z]{3,}\d|[D-Z][A-Z]\d|C[W-Z]\d|[A-Z]+\d{6,})"
_FAR_CELLS = (re.compile(rb' r="' + _FAR), re.compile(rb" r='" + _FAR))
# The same with space around the sign, which hardly anybody writes: these have no literal beginning, so it is asked first whether there is any.
_SPACES = (b" ", b"\t", b"\r", b"\n")
_FAR_SPACED = (
    re.compile(rb"\sr\s*=\s+[\"']" + _FAR),
    re.compile(rb"\sr\s+=\s*[\"']" + _FAR),
)
_FORMULA = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']([A-Z]{1,3}\d+)["'][^>]*>\s*<(?:\w+:)?f[\s>/]""")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_BOOK, _LINKS, _TYPES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"
_SMALL = frozenset({_BOOK, _LINKS, _TYPES})
_MACROS = ("vbaproject.bin", "vbadata.xml")
_SAFE_XML = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
_HEADED = (
    "姓名*",
    "性别",
    "出生日期",
    "证件类型",
    "证件号码*",
    "手机号码",
    "工号",
    "部门",
    "岗位",
    "婚姻状况",
    "危害因素",
    "分组",
    "备注",
)
_EXAMPLE = ("张三", "男", "1990-03-07", "身份证", "", "", "0017", "一车间", "焊工", "已婚", "噪声、粉尘", "", "")


class SheetRefusedError(Exception):
    """The file is not a list that can be read; `code` is one of SHEET_REFUSALS. It holds nothing of the file."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Sheet:
    """The first table of a file; `formulas` are the cells whose value a formula made, by row (from 1) and column (from 0)."""

    kind: Kind
    rows: Sequence[Sequence[Cell]]
    formulas: dict[int, set[int]] = field(default_factory=dict)


def sniff(content: bytes) -> Kind:
    """Say by its content what a file is. Raises SheetRefusedError."""
    if not content:
        raise SheetRefusedError("empty")
    if content.startswith(_ZIP):
        return "xlsx"
    if content.startswith(_OLE):
        return "xls"
    if b"\0" in content[:4096] or content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"<?xml", b"<html", b"{")):
        raise SheetRefusedError("not_a_list")
    return "csv"


def read(content: bytes) -> Sheet:
    """Read the first table of a file. Raises SheetRefusedError."""
    kind = sniff(content)
    if kind == "csv":
        return Sheet(kind, _read_csv(content))
    formulas = _look_into_archive(content) if kind == "xlsx" else {}
    try:
        rows = _first_rows(content)
    except CalamineError:
        raise SheetRefusedError("unreadable") from None
    if rows is None:
        raise SheetRefusedError("too_wide")
    return Sheet(kind, rows, formulas)


def _first_rows(content: bytes) -> Sequence[Sequence[Cell]] | None:
    """Return the first table from its cell A1; None when it is too large."""
    with load_workbook(io.BytesIO(content)) as book:
        table = book.get_sheet_by_index(0)
        if table.total_height > MOST_ROWS + 20 or table.total_width > MOST_COLUMNS:
            return None
        return cast("Sequence[Sequence[Cell]]", table.to_python(skip_empty_area=False))


def _look_into_archive(content: bytes) -> dict[int, set[int]]:
    """Inflate every part of an XLSX once, counting; return the formulas of the first table. Raises SheetRefusedError."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise SheetRefusedError("damaged") from None
    entries = archive.infolist()
    _judge_names(entries)
    formulas: dict[str, dict[int, set[int]]] = {}
    small: dict[str, bytes] = {}
    room = _MOST_INFLATED
    for entry in entries:
        kept, scan = bytearray(), _Scan() if _SHEET.fullmatch(entry.filename) else None
        for piece in _inflate(content, entry):
            room -= len(piece)
            if room < 0:
                raise SheetRefusedError("inflates")
            if scan is not None:
                scan.look(piece)
            elif entry.filename in _SMALL:
                kept += piece
        if scan is not None:
            formulas[entry.filename] = scan.formulas
        elif kept:
            small[entry.filename] = bytes(kept)
    if b"macroEnabled" in small.get(_TYPES, b""):
        raise SheetRefusedError("macros")
    return formulas.get(_first_table(small), {})


def _judge_names(entries: Sequence[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(entries) > _MOST_ENTRIES or len(names) != len(entries):
        raise SheetRefusedError("inflates")
    if any(entry.flag_bits & 1 for entry in entries):
        raise SheetRefusedError("encrypted")
    if any(name.lower().rsplit("/", 1)[-1] in _MACROS for name in names):
        raise SheetRefusedError("macros")
    if _BOOK not in names:
        raise SheetRefusedError("not_a_list")


def _inflate(content: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part of an archive really is, whatever its directory says of its size."""
    if content[entry.header_offset : entry.header_offset + 4] != _ZIP:
        raise SheetRefusedError("damaged")
    header = content[entry.header_offset : entry.header_offset + _LOCAL_HEADER.size]
    if len(header) < _LOCAL_HEADER.size:
        raise SheetRefusedError("damaged")
    _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    start = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    packed = memoryview(content)[start : start + entry.compress_size]
    if entry.compress_type == _STORED:
        yield bytes(packed)
        return
    if entry.compress_type != _DEFLATED:
        raise SheetRefusedError("damaged")
    machine = zlib.decompressobj(-15)
    try:
        piece = machine.decompress(packed, _CHUNK)
        while piece:
            yield piece
            piece = machine.decompress(machine.unconsumed_tail, _CHUNK)
    except zlib.error:
        raise SheetRefusedError("damaged") from None


class _Scan:
    """Looks for formulas and far cells in a table's XML as it inflates; a little of each piece is seen again with the next."""

    def __init__(self) -> None:
        self.formulas: dict[int, set[int]] = {}
        self._tail = b""

    def look(self, piece: bytes) -> None:
        seen = self._tail + piece
        spaced = any(space in seen and (space + b"=" in seen or b"=" + space in seen) for space in _SPACES)
        patterns = (*_FAR_CELLS, *_FAR_SPACED) if spaced else _FAR_CELLS
        if any(pattern.search(seen) for pattern in patterns):
            raise SheetRefusedError("too_wide")
        if b"<f" in seen or b":f" in seen:
            for found in _FORMULA.finditer(seen):
                column, row = _place(found[1].decode())
                self.formulas.setdefault(row, set()).add(column)
        self._tail = seen[-_OVERLAP:]


def _place(reference: str) -> tuple[int, int]:
    """Return column (from 0) and row (from 1) of B5."""
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1, int(reference[len(letters) :])


def _first_table(parts: dict[str, bytes]) -> str:
    """Return the part of an XLSX that is its first table."""
    parser = etree.XMLParser(**_SAFE_XML)
    try:
        book = etree.fromstring(parts[_BOOK], parser)
        links = etree.fromstring(parts[_LINKS], parser)
    except (etree.XMLSyntaxError, KeyError):
        raise SheetRefusedError("damaged") from None
    first = next((node for node in book.iter("{*}sheet")), None)
    wanted = "" if first is None else next((v for k, v in first.attrib.items() if k.endswith("}id")), "")
    for link in links.iter("{*}Relationship"):
        if link.get("Id") == wanted:
            target = str(link.get("Target", "")).lstrip("/")
            return target if target.startswith("xl/") else f"xl/{target}"
    raise SheetRefusedError("damaged")


def judge_xls(content: bytes) -> None:
    """Refuse what an old XLS must not hold: macros, encryption. Its formulas cannot be told from values, whose cached results are read."""
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise SheetRefusedError("macros")
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise SheetRefusedError("encrypted")
    if "Workbook".encode("utf-16-le") not in content and "Book".encode("utf-16-le") not in content:
        raise SheetRefusedError("not_a_list")


def _read_csv(content: bytes) -> Sequence[Sequence[Cell]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise SheetRefusedError("encoding") from None
    beginning = text[:2000].partition("\n")[0]
    separator = max((",", "\t", ";"), key=beginning.count)
    rows: list[list[Cell]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            if len(row) > MOST_COLUMNS or len(rows) > MOST_ROWS + 20:
                raise SheetRefusedError("too_wide")
            rows.append(list(row))
    except csv.Error:
        raise SheetRefusedError("damaged") from None
    return rows


def pieces(content: bytes) -> Iterator[Sheet | Sequence[Sequence[Cell]]]:
    """Read a file for another process: the sheet without its rows, then its rows, some at a time. Raises SheetRefusedError."""
    if sniff(content) == "xls":
        judge_xls(content)
    sheet = read(content)
    rows, sheet.rows = sheet.rows, ()
    yield sheet
    for first in range(0, len(rows), _PIECE):
        yield rows[first : first + _PIECE]


def template() -> bytes:
    """Return an empty list to be filled in: columns by name, text where Excel would spoil numbers, an example that is a comment."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        table = book.add_worksheet("名单")
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "num_format": "@"})
        table.set_column(0, len(_HEADED) - 1, 16, text)
        for column, header in enumerate(_HEADED):
            table.write_string(0, column, header, head)
            table.write_comment(0, column, f"例:{_EXAMPLE[column]}" if _EXAMPLE[column] else "文本格式")
        table.freeze_panes(1, 0)
        table.data_validation(1, 1, MOST_ROWS, 1, {"validate": "list", "source": ["男", "女"]})
        table.data_validation(1, 9, MOST_ROWS, 9, {"validate": "list", "source": ["未婚", "已婚", "离异", "丧偶"]})
    return out.getvalue()


assert {h.rstrip("*") for h in _HEADED} <= {word for words in SYNONYMS.values() for word in words}
