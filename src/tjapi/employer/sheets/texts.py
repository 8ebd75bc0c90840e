"""The bytes of a list that is text: UTF-8, GB18030 or UTF-16 (Excel's “Unicode text”), its columns parted by comma, tab or semicolon. Pure."""

import csv
import io
import re
from collections.abc import Mapping
from itertools import islice

from tjapi.employer.rules.cells import Cell
from tjapi.employer.rules.headers import HEADER_WITHIN, find_header
from tjapi.employer.sheets.archive import SheetRefusedError

MOST_ROWS, MOST_COLUMNS = 50_000, 100
_SEPARATORS = (",", "\t", ";")
_SAID = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_LITTLE, _BIG = b"\xff\xfe", b"\xfe\xff"
_NO_CHARACTERS = ("\ufffe", "\uffff")
_LOOKED_AT = 4096


def utf16(content: bytes) -> str | None:
    """Return the UTF-16 that bytes are: by their mark, or because lines and plain characters come out in one order; None: they are none."""
    if content.startswith((_LITTLE, _BIG)):
        return "utf-16"
    if b"\0" not in content[:_LOOKED_AT]:
        return None
    plain = {
        encoding: sum(character.isascii() and (character.isprintable() or character in "\t\r\n") for character in text)
        for encoding in ("utf-16-le", "utf-16-be")
        if "\n" in (text := content[:_LOOKED_AT].decode(encoding, "replace"))
    }
    return max(plain, key=lambda encoding: plain[encoding], default=None)


def decoded(content: bytes) -> str:
    """Return a list as text, in whichever encoding it is. Raises SheetRefusedError."""
    wide = utf16(content)
    for encoding in (wide,) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(none in text for none in _NO_CHARACTERS):
            return text
    raise SheetRefusedError("encoding")


def read_text(content: bytes, remembered: Mapping[str, str]) -> list[list[Cell]]:
    """Return the rows of a list that is text. Raises SheetRefusedError."""
    text = decoded(content)
    said = _SAID.match(text)
    if said:
        return _parted(text[said.end() :], said[1])
    for separator in _SEPARATORS:  # a title or a note above the columns may hold any of them
        if find_header(_parted(text, separator, HEADER_WITHIN + 2), remembered) is not None:
            return _parted(text, separator)
    beginning = text[:_LOOKED_AT].partition("\n")[0]
    return _parted(text, max(_SEPARATORS, key=beginning.count))


def _parted(text: str, separator: str, most: int | None = None) -> list[list[Cell]]:
    """Return rows; blank ones at the end, and blank cells beyond every column, are none."""
    rows: list[list[Cell]] = []
    blank = 0
    try:
        for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), most):
            if not any(cell.strip() for cell in row):
                blank += 1
                continue
            while len(row) > MOST_COLUMNS and not row[-1].strip():
                row.pop()
            if most is None and (len(row) > MOST_COLUMNS or len(rows) + blank > MOST_ROWS + HEADER_WITHIN):
                raise SheetRefusedError("too_wide")
            rows += [[] for _ in range(blank)]
            blank = 0
            rows.append(list[Cell](row))
    except csv.Error:
        if most is None:
            raise SheetRefusedError("damaged") from None
    return rows
