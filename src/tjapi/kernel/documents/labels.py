"""What label printers are told: ZPL II (Zebra) and TSPL (TSC and its many relatives), at 8 dots per millimetre (203 dpi).

Texts arrive as dots, drawn with our own fonts, so that any printer prints any name; bar codes are the printer's own command, so that
their bars are exact. Pure: a label becomes bytes.

Source: Zebra, ZPL II Programming Guide (^GF with its alternative data compression scheme, ^BC, ^BY, ^FH); TSC, TSPL/TSPL2 Programming
Manual (SIZE, GAP, DIRECTION, CLS, BITMAP, BARCODE, PRINT). Neither was open when this was written: what the commands mean is from
general knowledge of the two languages, and is checked by the reader in the tests, not by a printer.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

DOTS_PER_MM = 8
_GAP_MM = 2
_RUN = re.compile(r"(.)\1*")
_NEAR = 8
"""Rows of dots further apart than this become two graphics: the room of a bar code is not sent."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A Code 128: its upper left corner, height and module in dots."""

    value: str
    x: int
    y: int
    height: int
    module: int


@dataclass(frozen=True, slots=True)
class Label:
    """One label in dots. `rows` are its lines from the top, eight dots a byte, 1 is black; the last byte is padded with 0."""

    width: int
    height: int
    rows: tuple[bytes, ...]
    bars: tuple[Bars, ...]


def zpl(label: Label) -> bytes:
    """Write a label in ZPL II: printable ASCII alone."""
    out = ["^XA", "^CI28", f"^PW{label.width}", f"^LL{label.height}", "^LH0,0"]
    for top, rows in _bands(label.rows):
        wide = len(rows[0])
        out.append(f"^FO0,{top}^GFA,{wide * len(rows)},{wide * len(rows)},{wide},{_compressed(rows)}^FS")
    # Mode A: the printer chooses the subsets, as digits in pairs need half the room.
    out += [
        f"^FO{code.x},{code.y}^BY{code.module}^BCN,{code.height},N,N,N,A^FH_^FD{_zpl_field(code.value)}^FS"
        for code in label.bars
    ]
    return ("\n".join([*out, "^PQ1", "^XZ"]) + "\n").encode("ascii")


def tspl(label: Label) -> bytes:
    """Write a label in TSPL: lines of ASCII, and bitmaps as raw bytes in which 0 is black."""
    size = f"SIZE {label.width // DOTS_PER_MM} mm,{label.height // DOTS_PER_MM} mm"
    out = [size.encode(), f"GAP {_GAP_MM} mm,0 mm".encode(), b"DIRECTION 1", b"CLS"]
    for top, rows in _bands(label.rows):
        white = bytes(255 - byte for row in rows for byte in row)
        out.append(f"BITMAP 0,{top},{len(rows[0])},{len(rows)},0,".encode() + white)
    for code in label.bars:
        value = _tspl_field(code.value)
        out.append(f'BARCODE {code.x},{code.y},"128",{code.height},0,0,{code.module},{code.module},"{value}"'.encode())
    return b"\r\n".join([*out, b"PRINT 1,1", b""])


LANGUAGES: Mapping[str, Callable[[Label], bytes]] = {"zpl": zpl, "tspl": tspl}


def _bands(rows: tuple[bytes, ...]) -> Iterator[tuple[int, tuple[bytes, ...]]]:
    """Yield runs of lines that hold dots, each with the number of its first line."""
    inked = [number for number, row in enumerate(rows) if any(row)]
    start = 0
    for at, number in enumerate(inked):
        last = at + 1 == len(inked)
        if last or inked[at + 1] - number > _NEAR:
            yield inked[start], rows[inked[start] : number + 1]
            start = at + 1


def _compressed(rows: tuple[bytes, ...]) -> str:
    """Return hex digits with counted runs (G–Y are 1–19, g–z are 20–400), `,` for zeros to the line's end, `:` for the line above."""
    out, above = [], ""
    for row in rows:
        line = row.hex().upper()
        out.append(":" if line == above else _counted(line))
        above = line
    return "".join(out)


def _counted(line: str) -> str:
    kept = line.rstrip("0")
    kept += "0" * (len(kept) % 2)  # zeros to the end are said for whole bytes
    out = "".join(_count(len(run[0])) + run[1] for run in _RUN.finditer(kept))
    return out + ("," if len(kept) < len(line) else "")


def _count(run: int) -> str:
    if run <= 2:  # noqa: PLR2004  # a digit twice is as short as its count
        return "" if run == 1 else "H"
    many, few = divmod(run, 20)
    letters = "z" * (many // 20)
    letters += chr(ord("f") + many % 20) if many % 20 else ""
    return letters + (chr(ord("F") + few) if few else "")


def _zpl_field(value: str) -> str:
    """Write what ^FD must not hold as ^FH's hex; `>` calls a command of Code 128, `>0` is the character."""
    return "".join(f"_{ord(c):02X}" if c in "^~_\\" else ">0" if c == ">" else c for c in value)


def _tspl_field(value: str) -> str:
    return value.replace('"', '\\["]')


__all__ = ["DOTS_PER_MM", "LANGUAGES", "Bars", "Label", "tspl", "zpl"]
