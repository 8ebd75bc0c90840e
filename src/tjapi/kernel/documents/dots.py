"""A page in dots: the same blocks that make a PDF, drawn for a printer that knows black and nothing else."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tjapi.kernel.documents.fonts import Face
from tjapi.kernel.documents.labels import DOTS_PER_MM, Bars, Label
from tjapi.kernel.documents.surface import Ink, Surface

_SCALE = DOTS_PER_MM * 25.4 / 72  # dots per point
_FINE = 4
"""Letters are drawn so many times finer, then each dot is black where enough of it is covered."""
_COVERED = 0.42
_PALE = 0.6
_ALMOST = 0.05


class DotInk(Ink):
    """What all labels of a print share."""

    def sheet(self, width: float, height: float) -> Surface:
        """Take a new label of this size in points."""
        return DotSurface(self, width, height)

    def is_dark(self, colour: str) -> bool:
        """Tell whether a colour is printed at all: pale tints are not."""
        red, green, blue = self.colours[colour]
        return 0.299 * red + 0.587 * green + 0.114 * blue < _PALE


class DotSurface(Surface):
    """Draws one label. Pictures, watermarks and seals have no place on it."""

    def __init__(self, ink: DotInk, width: float, height: float) -> None:
        super().__init__(ink)
        self._dots = ink
        self._size = round(width * _SCALE), round(height * _SCALE)
        self._tall = height
        self._sheet = Image.new("L", (self._size[0] * _FINE, self._size[1] * _FINE), 0)
        self._pen = ImageDraw.Draw(self._sheet)
        self._bars: list[Bars] = []

    def label(self) -> Label:
        """Return what was drawn."""
        wide, tall = self._size
        small = self._sheet.reduce(_FINE)
        bits = small.point([255 if level >= 255 * _COVERED else 0 for level in range(256)], "1").tobytes()
        step = (wide + 7) // 8
        rows = tuple(bits[y * step : (y + 1) * step] for y in range(tall))
        return Label(wide, tall, rows, tuple(self._bars))

    def text(
        self, x: float, y: float, text: str, face: Face, size: float, colour: str, *, spacing: float = 0.0
    ) -> None:
        """Write one run with its baseline at `y`."""
        if not self._dots.is_dark(colour):
            return
        for character in text:
            mask, left, top = _glyph(face.path, size * _SCALE * _FINE, character)
            if mask is not None:
                at = round(x * _SCALE * _FINE) + left, round(self._down(y)) + top
                self._sheet.paste(255, at, mask)
            x += face.widths[character] * size + spacing

    def rect(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self.rects([(x, y, width, height)], colour)

    def rects(self, boxes: Sequence[tuple[float, float, float, float]], colour: str) -> None:
        """Fill rectangles whose edges lie on dots, each at least a dot wide."""
        if not self._dots.is_dark(colour):
            return
        for x, y, width, height in boxes:
            left, top = round(x * _SCALE), round((self._tall - y - height) * _SCALE)
            right, foot = max(left + 1, round((x + width) * _SCALE)), max(top + 1, round((self._tall - y) * _SCALE))
            self._pen.rectangle((left * _FINE, top * _FINE, right * _FINE - 1, foot * _FINE - 1), fill=255)

    def bars(self, value: str, boxes: Sequence[tuple[float, float, float, float]], module: float) -> None:
        """Leave a Code 128 to the printer: centred where it would have been, its module a whole number of dots."""
        left, right = boxes[0][0], boxes[-1][0] + boxes[-1][2]
        dots = max(1, int(module * _SCALE + _ALMOST))  # never wider: the quiet zones would go
        wide = round((right - left) / module) * dots
        x = round((left + right) / 2 * _SCALE - wide / 2)
        top, tall = round((self._tall - boxes[0][1] - boxes[0][3]) * _SCALE), round(boxes[0][3] * _SCALE)
        self._bars.append(Bars(value, x, top, tall, dots))

    def rounded(self, x: float, y: float, width: float, height: float, radius: float, colour: str) -> None:
        """Fill a rectangle with round corners."""
        if self._dots.is_dark(colour):
            box = (x * _SCALE * _FINE, self._down(y + height), (x + width) * _SCALE * _FINE, self._down(y))
            self._pen.rounded_rectangle(box, radius * _SCALE * _FINE, fill=255)

    def rounded_frame(self, x: float, y: float, width: float, height: float, radius: float, colour: str) -> None:  # noqa: ARG002
        """Stroke a rectangle, a dot wide."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        self.line(corners, colour, 1 / _SCALE)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float, dash: str = "") -> None:  # noqa: ARG002
        """Stroke a line through `points`, at least a dot wide."""
        if not self._dots.is_dark(colour):
            return
        broad = max(_FINE, round(width * _SCALE * _FINE))
        for (x1, y1), (x2, y2) in pairwise(points):
            ends = (x1 * _SCALE * _FINE, self._down(y1), x2 * _SCALE * _FINE, self._down(y2))
            self._pen.line(ends, fill=255, width=broad)

    def image(self, key: str, x: float, y: float, width: float, height: float) -> None:
        """A photograph is no black and white: left away."""

    def literal(self, operators: str) -> None:
        """PDF operators mean nothing here."""

    def _down(self, y: float) -> float:
        return (self._tall - y) * _SCALE * _FINE


@lru_cache(maxsize=2048)
def _glyph(path: Path, size: float, character: str) -> tuple[Image.Image | None, int, int]:
    """Draw a character once: what covers it, and where that lies from the pen's place on the baseline. None: it shows nothing."""
    font = _font(path, size)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(character, anchor="ls"))
    if right <= left or bottom <= top:
        return None, 0, 0
    mask = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(mask).text((-left, -top), character, fill=255, font=font, anchor="ls")
    return mask, left, top


@lru_cache(maxsize=64)
def _font(path: Path, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
