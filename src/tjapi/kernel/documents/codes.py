"""Bar and QR codes, drawn as rectangles: sharp on any printer. Code 128 by ISO/IEC 15417, QR by ISO/IEC 18004."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel

from tjapi.kernel.documents.blocks import Solid, aligned, draw_lines
from tjapi.kernel.documents.surface import Surface
from tjapi.kernel.documents.textflow import Typesetter
from tjapi.kernel.documents.theme import TextStyle

_Bars: TypeAlias = tuple[tuple[int, int], ...]
_QUIET_MODULES = 10  # the light margin a Code 128 reader needs on either side


@lru_cache(maxsize=256)
def code128(value: str) -> tuple[int, _Bars]:
    """Encode printable ASCII. Returns the width in modules and the dark bars as (start, width) in modules."""
    code = Code128(value, quiet=0)
    code.validate()
    code.encode()
    code.decompose()
    at, bars = 0, []
    for symbol in code.decomposed:  # "A".."H": a bar of 1..8 modules; "a".."h": a gap
        modules = ord(symbol.upper()) - ord("A") + 1
        if symbol.isupper():
            bars.append((at, modules))
        at += modules
    return at, tuple(bars)


@lru_cache(maxsize=64)
def qr_code(value: str, level: str) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """Encode text as UTF-8. Returns the modules per side and dark runs as (column, row from top, length)."""
    code = QRCode(None, getattr(QRErrorCorrectLevel, level))
    code.addData(QR8bitByte(value.encode("utf-8").decode("latin-1")))
    code.make()
    side: int = code.getModuleCount()
    runs: list[tuple[int, int, int]] = []
    for row in range(side):
        column = 0
        while column < side:
            start = column
            while column < side and code.isDark(row, column):
                column += 1
            if column > start:
                runs.append((start, row, column - start))
            column += 1
    return side, tuple(runs)


@dataclass(slots=True)
class Barcode(Solid):
    """Code 128 with the text under it. The module shrinks only when the room is too narrow. Points."""

    setter: Typesetter | None = None
    value: str = ""
    height: float = 28.0
    module: float = 0.71
    align: str = "left"
    style: TextStyle | None = None
    """None: no text under the bars."""

    def measure(self, width: float) -> float:  # noqa: ARG002
        """Bars and text."""
        return self.height + (self.style.leading if self.style else 0.0)

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw the bars within their quiet zones."""
        modules, bars = code128(self.value)
        module = min(self.module, width / (modules + 2 * _QUIET_MODULES))
        wide = modules * module
        quiet = 0.0 if self.align in {"left", "right"} else _QUIET_MODULES * module
        left = aligned(x + quiet, width - 2 * quiet, wide, self.align)
        boxes = [(left + at * module, top - self.height, n * module, self.height) for at, n in bars]
        page.bars(self.value, boxes, module)
        if self.style and self.setter:
            lines = self.setter.set(self.value, self.style, 1e6)
            draw_lines(page, lines, self.style, left, top - self.height, wide)


@dataclass(slots=True)
class QrSquare(Solid):
    """A QR code `size` points wide, quiet zone of four modules included."""

    value: str = ""
    size: float = 60.0
    level: str = "M"
    align: str = "left"

    def measure(self, width: float) -> float:
        """Its side."""
        return min(self.size, width)

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw the modules."""
        side, runs = qr_code(self.value, self.level)
        size = min(self.size, width)
        module = size / (side + 8)
        left = aligned(x, width, size, self.align) + 4 * module
        up = top - 4 * module
        page.rounded(left - 4 * module, top - size, size, size, 2.0, "white")  # the quiet zone, also on a tinted card
        page.rects([(left + c * module, up - (r + 1) * module, n * module, module) for c, r, n in runs], "black")
