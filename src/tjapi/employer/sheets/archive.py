"""The bytes of an XLSX: inflated once, counted as they come, and looked through for what its reader does not say. Pure.

An archive may inflate without end, or hold a cell so far out that the table between would fill the memory. Sizes are counted on the
bytes themselves, never on what the archive says of them.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lxml import etree

_MOST_INFLATED = 96 * 1024 * 1024
_MOST_SMALL = 2 * 1024 * 1024
_MOST_ENTRIES = 1_000
_CHUNK = 1 << 16
_OVERLAP = 2048
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DEFLATED, _STORED = 8, 0
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
# An empty one that only has a format is no cell, as its reader sees it too: nothing of it is ever held.
_EMPTY = re.compile(rb"""["'][^<>]*(?:/>|>\s*</(?:\w+:)?c\s*>)""")
_DIGITS = re.compile(rb"\d*")
_BEGUN = re.compile(rb"""(?:["'][^<>]*(?:>\s*(?:</?\w*:?\w*\s*)?)?)?""")
_FORMULA = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']([A-Z]{1,3}\d+)["'][^>]*>\s*<(?:\w+:)?f[\s>/]""")
# A value that Excel lost: its reader gives an empty cell.
_ERROR = re.compile(rb"""<(?:\w+:)?c\s([^>]*\bt\s*=\s*["']e["'][^>]*)>""")
_REFERENCE = re.compile(rb"""(?:^|\s)r\s*=\s*["']([A-Z]{1,3}\d+)["']""")
# A row is hidden by a filter or by hand, or has no height; rows may be hidden unless they say otherwise.
_ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_HIDDEN = re.compile(rb"""(?:^|\s)(?:hidden\s*=\s*["'](?:1|true)["']|ht\s*=\s*["']0(?:\.0*)?["'])""")
_NO_WIDTH = re.compile(rb"""(?:^|\s)(?:hidden\s*=\s*["'](?:1|true)["']|width\s*=\s*["']0(?:\.0*)?["'])""")
_NUMBER = re.compile(rb"""(?:^|\s)r\s*=\s*["'](\d{1,7})["']""")
_FROM_TO = (
    re.compile(rb"""(?:^|\s)min\s*=\s*["'](\d{1,5})["']"""),
    re.compile(rb"""(?:^|\s)max\s*=\s*["'](\d{1,5})["']"""),
)
_ZERO_HEIGHT = re.compile(rb"""\szeroHeight\s*=\s*["'](?:1|true)["']""")
_MOST_COLUMN = 16_384
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_BOOK, _LINKS, _TYPES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"
_SMALL = (_BOOK, _LINKS, _TYPES)
_MACRO_KINDS = ("macroenabled", "vbaproject", "macrosheet")
_MACROS = ("vbaproject.bin", "vbadata.xml")
_SAFE_XML = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


class SheetRefusedError(Exception):
    """The file is not a list that can be read; `code` is one of SHEET_REFUSALS. It holds nothing of the file but the names of its tables."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Part:
    """What a table's XML says beside its values: cells that a formula made, by row (from 1) and column (from 0); what is hidden."""

    formulas: dict[int, set[int]] = field(default_factory=dict)
    errors: dict[int, set[int]] = field(default_factory=dict)
    """Cells whose value Excel lost, by row (from 1) and column (from 0)."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    some_hidden: bool = False
    """Rows are hidden, and it does not say which."""


def look_into(content: bytes) -> dict[str, Part]:
    """Inflate every part of an XLSX once, counting; return what its tables say, by name. Raises SheetRefusedError."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise SheetRefusedError("damaged") from None
    entries = archive.infolist()
    _judge_names(entries)
    room = _MOST_INFLATED
    small: dict[str, bytes] = {}
    for entry in [entry for entry in entries if entry.filename in _SMALL]:
        kept = bytearray()
        for piece in _inflate(content, entry):
            kept += piece
            if len(kept) > _MOST_SMALL:
                raise SheetRefusedError("inflates")
        small[entry.filename] = bytes(kept)
        room -= len(kept)
    _refuse_macros(small.get(_TYPES), [entry.filename for entry in entries])
    tables = _tables(small)
    scans = {place: _Scan() for place in tables.values()}
    for entry in [entry for entry in entries if entry.filename not in small]:
        scan = scans.get(entry.filename) or (_Scan() if _SHEET.fullmatch(entry.filename) else None)
        for piece in _inflate(content, entry):
            room -= len(piece)
            if room < 0:
                raise SheetRefusedError("inflates")
            if scan is not None:
                scan.look(piece)
    return {name: scans[place].part for name, place in tables.items()}


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


def _refuse_macros(types: bytes | None, names: Sequence[str]) -> None:
    """Refuse a workbook one of whose parts is a macro: judged by what the parts that are there are, not by what the file could hold."""
    if types is None:
        return
    try:
        said = etree.fromstring(types, etree.XMLParser(**_SAFE_XML))
    except etree.XMLSyntaxError:
        raise SheetRefusedError("damaged") from None
    by_name = {str(n.get("PartName", "")).lstrip("/").lower(): str(n.get("ContentType", "")).lower() for n in said.iter("{*}Override")}  # fmt: skip
    by_end = {str(n.get("Extension", "")).lower(): str(n.get("ContentType", "")).lower() for n in said.iter("{*}Default")}  # fmt: skip
    for name in (name.lower() for name in names):
        kind = by_name.get(name)
        if kind is None and name != _TYPES.lower():
            kind = by_end.get(name.rpartition(".")[2], "")
        if kind and any(word in kind for word in _MACRO_KINDS):
            raise SheetRefusedError("macros")


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
    """Looks through a table's XML as it inflates; a little of each piece is seen again with the next."""

    def __init__(self) -> None:
        self.part = Part()
        self._tail = b""

    def look(self, piece: bytes) -> None:
        seen = self._tail + piece
        spaced = any(space in seen and (space + b"=" in seen or b"=" + space in seen) for space in _SPACES)
        patterns = (*_FAR_CELLS, *_FAR_SPACED) if spaced else _FAR_CELLS
        if any(_is_far(seen, found.end()) for pattern in patterns for found in pattern.finditer(seen)):
            raise SheetRefusedError("too_wide")
        if b"<f" in seen or b":f" in seen:
            for found in _FORMULA.finditer(seen):
                column, row = _place(found[1].decode())
                self.part.formulas.setdefault(row, set()).add(column)
        if b'"e"' in seen or b"'e'" in seen:
            self._look_for_errors(seen)
        if b"hidden" in seen or b"ht=" in seen or b"ht =" in seen or b"width" in seen:
            self._look_for_hidden(seen)
        self.part.some_hidden |= b"zeroHeight" in seen and _ZERO_HEIGHT.search(seen) is not None
        self._tail = seen[-_OVERLAP:]

    def _look_for_errors(self, seen: bytes) -> None:
        for found in _ERROR.finditer(seen):
            reference = _REFERENCE.search(found[1])
            if reference is None:  # nobody could say where
                raise SheetRefusedError("error_values")
            column, row = _place(reference[1].decode())
            self.part.errors.setdefault(row, set()).add(column)

    def _look_for_hidden(self, seen: bytes) -> None:
        for found in _ROW.finditer(seen):
            if _HIDDEN.search(found[1]):
                number = _NUMBER.search(found[1])
                if number is None:
                    self.part.some_hidden = True
                else:
                    self.part.hidden_rows.add(int(number[1]))
        for found in _COLUMN.finditer(seen):
            first, last = (pattern.search(found[1]) for pattern in _FROM_TO)
            if first and last and _NO_WIDTH.search(found[1]):
                self.part.hidden_columns.update(range(int(first[1]) - 1, min(int(last[1]), _MOST_COLUMN)))


def _is_far(seen: bytes, end: int) -> bool:
    """Say whether a far cell, whose reference ends before `end`, holds anything; the rest of one that is cut off is seen with the next piece."""
    after = _DIGITS.match(seen, end - 1)
    at = after.end() if after is not None else end
    if _EMPTY.match(seen, at):
        return False
    return len(seen) - end > _OVERLAP // 2 or _BEGUN.fullmatch(seen, at) is None


def _place(reference: str) -> tuple[int, int]:
    """Return column (from 0) and row (from 1) of B5."""
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1, int(reference[len(letters) :])


def _tables(parts: dict[str, bytes]) -> dict[str, str]:
    """Return where each table of an XLSX is, by its name."""
    parser = etree.XMLParser(**_SAFE_XML)
    try:
        book = etree.fromstring(parts[_BOOK], parser)
        links = etree.fromstring(parts[_LINKS], parser)
    except (etree.XMLSyntaxError, KeyError):
        raise SheetRefusedError("damaged") from None
    places = {link.get("Id"): str(link.get("Target", "")).lstrip("/") for link in links.iter("{*}Relationship")}
    found = {}
    for node in book.iter("{*}sheet"):
        wanted = next((v for k, v in node.attrib.items() if k.endswith("}id")), "")
        if wanted not in places:
            raise SheetRefusedError("damaged")
        target = places[wanted]
        found[str(node.get("name", ""))] = target if target.startswith("xl/") else f"xl/{target}"
    if not found:
        raise SheetRefusedError("damaged")
    return found
