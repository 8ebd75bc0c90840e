"""The vocabulary: each tag of `document.xsd` becomes a block. Millimetres become points here and nowhere else."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from PIL import Image, UnidentifiedImageError
from reportlab.lib.utils import ImageReader

from tjapi.kernel.documents.blocks import (
    Block,
    Box,
    BoxStyle,
    Columns,
    Filler,
    PageBreak,
    Paragraph,
    Picture,
    Rule,
    SealPlace,
    Spacer,
    Stack,
)
from tjapi.kernel.documents.charts import Point, Series, TrendChart
from tjapi.kernel.documents.codes import Barcode, QrSquare
from tjapi.kernel.documents.errors import TemplateInvalid
from tjapi.kernel.documents.tables import Cell, Column, Field, Grid, Row, Table, TableStyle
from tjapi.kernel.documents.textflow import Run, Typesetter
from tjapi.kernel.documents.theme import Align, TextStyle, Theme

MM = 72 / 25.4
_MAX_PIXELS = 40_000_000
_SHARP = 300 / 72
"""Pixels per point that paper shows; what a camera gives beyond twice that is left out of the file."""
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60"
_FOLD = re.compile(f"(?<=[{_WIDE}])[ \t]*[\r\n][ \t\r\n]*(?=[{_WIDE}])")
_SPACE = re.compile(r"[ \t\r\n]+")
_RAISED = re.compile("([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+|[₀₁₂₃₄₅₆₇₈₉₊₋]+)")
_LEVEL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+−0123456789+−")
_SUPERSCRIPTS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")

CLASSES: Mapping[str, tuple[str | None, bool]] = {
    "": (None, False),
    "high": ("danger", True),
    "low": ("danger", True),
    "abnormal": ("danger", True),
    "critical": ("danger", True),
    "muted": ("muted", False),
    "accent": ("accent", False),
    "strong": (None, True),
    "notice": ("notice", False),
    "white": ("white", False),
}
"""Class → colour and weight of its text."""
_ROW_TINTS = {"abnormal": "danger_tint", "high": "danger_tint", "low": "danger_tint", "critical": "danger_tint"}
_BOXES = {
    "card": BoxStyle(fill="tint", pad=9.0, radius=4.0),
    "outline": BoxStyle(frame="hairline", pad=9.0, radius=4.0),
    "notice": BoxStyle(fill="notice_tint", bar="notice", pad=7.0),
    "alert": BoxStyle(fill="danger_tint", bar="danger", pad=7.0),
}


class Pictures:
    """The pictures of one document by asset key, opened once, with their size checked before decoding."""

    def __init__(self, template: str, assets: Mapping[str, bytes]) -> None:
        self._template = template
        self._assets = assets
        self.readers: dict[str, Any] = {}

    def size(self, key: str, line: int) -> tuple[int, int]:
        """Pixels of a picture. Raises TemplateInvalid if it is not given, not PNG or JPEG, or too large."""
        if key not in self.readers:
            if key not in self._assets:
                raise TemplateInvalid(self._template, "an image's key is not among the assets", line)
            try:
                picture = Image.open(io.BytesIO(self._assets[key]), formats=("PNG", "JPEG"))
                wide, tall = picture.size
                if wide * tall > _MAX_PIXELS:
                    raise TemplateInvalid(self._template, f"an image of more than {_MAX_PIXELS} pixels", line)
                picture.load()
            except (UnidentifiedImageError, OSError, Image.DecompressionBombError, SyntaxError, ValueError):
                raise TemplateInvalid(self._template, "an asset is not a sound PNG or JPEG picture", line) from None
            self.readers[key] = ImageReader(io.BytesIO(self._assets[key]))
        size: tuple[int, int] = self.readers[key].getSize()
        return size

    def shrink(self, key: str, wide: float, tall: float) -> None:
        """Leave out the pixels that a picture of this many points cannot show."""
        width, height = self.readers[key].getSize()
        factor = min(wide * _SHARP / width, tall * _SHARP / height)
        picture = Image.open(io.BytesIO(self._assets[key]), formats=("PNG", "JPEG"))
        if factor > 1 / 2 or picture.mode not in ("RGB", "L"):
            return
        smaller, out = (
            picture.resize((round(width * factor), round(height * factor)), Image.Resampling.LANCZOS),
            io.BytesIO(),
        )
        smaller.save(out, "JPEG", quality=85)
        out.seek(0)
        self.readers[key] = ImageReader(out)


class Builder:
    """Turns validated elements into blocks with one theme and one document's fonts."""

    def __init__(self, template: str, theme: Theme, setter: Typesetter, pictures: Pictures) -> None:
        self._template = template
        self._theme = theme
        self._setter = setter
        self._pictures = pictures
        self.page = self.pages = "0"
        self._makers: dict[str, Callable[[Any], list[Block]]] = {
            "h1": lambda e: self._heading(e, 1),
            "h2": lambda e: self._heading(e, 2),
            "h3": lambda e: self._heading(e, 3),
            "p": self._paragraph,
            "table": self._table,
            "grid": self._grid,
            "image": self._image,
            "barcode": self._barcode,
            "qrcode": self._qrcode,
            "chart": self._chart,
            "seal": self._seal,
            "spacer": lambda e: [Spacer(height=_mm(e, "height", 0))],
            "rule": self._rule,
            "pagebreak": lambda _: [PageBreak()],
            "filler": lambda _: [Filler()],
            "keep": lambda e: [Stack(self.blocks(e), keep=True, follows=e.get("with") == "previous")],
            "section": self._section,
            "columns": self._columns,
        }

    def blocks(self, element: Any) -> list[Block]:
        """Make the blocks an element holds, in order; other tags (header, col …) are the caller's business."""
        out: list[Block] = []
        for child in element:
            maker = self._makers.get(child.tag)
            if maker is not None:
                out += maker(child)
        return out

    def inline(self, element: Any) -> str | list[Run]:
        """Read text with inline tags. White space counts once; a line break between Chinese characters not at all."""
        if not len(element):
            text = _clean(element.text or "").strip(" ")
            if not _RAISED.search(text):
                return text
        runs: list[Run] = []
        self._collect(element, Run(""), runs)
        return _tidy(runs)

    def _collect(self, element: Any, look: Run, runs: list[Run]) -> None:
        _add(runs, element.text, look)
        for child in element:
            if child.tag == "br":
                runs.append(replace(look, text="\n"))
            elif child.tag == "page":
                runs.append(replace(look, text=self.page))
            elif child.tag == "pages":
                runs.append(replace(look, text=self.pages))
            else:
                self._collect(child, self._look(child, look), runs)
            _add(runs, child.tail, look)

    def _look(self, child: Any, look: Run) -> Run:
        if child.tag == "b":
            return replace(look, bold=True)
        if child.tag in {"sup", "sub"}:
            return _raised(look, up=child.tag == "sup")
        colour, bold = CLASSES[child.get("class", "")]
        scale = self._theme.scale[child.get("size", "normal")]
        return replace(look, colour=colour or look.colour, bold=bold or look.bold, scale=look.scale * scale)

    def _heading(self, element: Any, level: int) -> list[Block]:
        style = replace(self._theme.heading(level), align=_align(element, "left"))
        return [Paragraph(self._setter, self.inline(element), style, title=True)]

    def _paragraph(self, element: Any) -> list[Block]:
        colour, bold = CLASSES[element.get("class", "")]
        style = self._theme.text(element.get("size", "normal"), align=_align(element, "left"), bold=bold)
        style = replace(style, colour=colour or style.colour, shrink=element.get("fit") == "yes")
        if element.get("after") is not None:
            style = replace(style, after=_mm(element, "after", 0))
        return [Paragraph(self._setter, self.inline(element), style, title=element.get("with") == "next")]

    def _table(self, element: Any) -> list[Block]:
        columns = [_column(col) for col in element.iterchildren("col")]
        rows: list[Row] = []
        for child in element.iterchildren("head", "row"):
            kind = "head" if child.tag == "head" else child.get("kind", "")
            tint = "tint" if kind else _ROW_TINTS.get(child.get("class", ""), "")
            row = Row([self._cell(cell) for cell in child], kind, tint)
            if sum(cell.span for cell in row.cells) > len(columns):
                raise TemplateInvalid(
                    self._template, "a row has more cells than the table has columns", child.sourceline
                )
            rows.append(row)
        text = self._theme.text(element.get("size", "small"))
        style = TableStyle(
            replace(text, leading=text.size * 1.4),
            pad_y=_mm(element, "pad", 0.95),
            zebra=element.get("zebra") == "yes",
            rules=element.get("rules") != "no",
        )
        return [Table(self._setter, columns, rows, style, after=self._theme.base * 0.8)]

    def _cell(self, element: Any) -> Cell:
        name = element.get("class")
        colour, bold = CLASSES[name] if name else (None, False)
        align = cast("Align | None", element.get("align"))
        return Cell(self.inline(element), int(element.get("span", 1)), colour or "", bold, align)

    def _grid(self, element: Any) -> list[Block]:
        value = self._theme.text(element.get("size", "normal"))
        label = replace(value, colour="muted")
        fields = [Field(f.get("label"), self.inline(f), int(f.get("span", 1))) for f in element.iterchildren("field")]
        columns = int(element.get("columns", 2))
        wide = _mm(element, "label", 18)
        return [Grid(self._setter, fields, columns, wide, label, value, after=value.after)]

    def _image(self, element: Any) -> list[Block]:
        key = element.get("key")
        wide_px, tall_px = self._pictures.size(key, element.sourceline)
        wide, tall = _mm(element, "width", 0), _mm(element, "height", 0)
        if not wide and not tall:
            wide = wide_px * 72 / 150
        wide = wide or tall * wide_px / tall_px
        tall = tall or wide * tall_px / wide_px
        self._pictures.shrink(key, wide, tall)
        return [Picture(key=key, width=wide, height=tall, align=_align(element, "left"))]

    def _barcode(self, element: Any) -> list[Block]:
        style: TextStyle | None = self._theme.text("small", align="center")
        if element.get("text") == "no":
            style = None
        return [
            Barcode(
                setter=self._setter,
                value=element.get("value"),
                height=_mm(element, "height", 10),
                module=_mm(element, "module", 0.25),
                align=_align(element, "left"),
                style=style and replace(style, leading=style.size * 1.35),
            )
        ]

    def _qrcode(self, element: Any) -> list[Block]:
        size, level = _mm(element, "size", 22), element.get("level", "M")
        return [QrSquare(value=element.get("value"), size=size, level=level, align=_align(element, "left"))]

    def _chart(self, element: Any) -> list[Block]:
        series = []
        for line in element.iterchildren("series"):
            points = [
                Point(p.get("label"), float(p.get("value")), p.get("value"), CLASSES[p.get("class", "")][0] or "")
                for p in line
            ]
            series.append(Series(tuple(points), line.get("name", ""), CLASSES[line.get("class", "")][0] or "accent"))
        low, high = (float(v) if (v := element.get(side)) is not None else None for side in ("low", "high"))
        style = self._theme.text("tiny")
        tall = _mm(element, "height", 42)
        after = self._theme.base * 0.6
        return [
            TrendChart(setter=self._setter, series=series, low=low, high=high, height=tall, style=style, after=after)
        ]

    def _seal(self, element: Any) -> list[Block]:
        return [SealPlace(size=_mm(element, "size", 38), align=_align(element, "right"))]

    def _rule(self, element: Any) -> list[Block]:
        colour = CLASSES[element.get("class", "")][0] or "hairline"
        gap = self._theme.base * 0.5
        return [Rule(colour=colour, thickness=_mm(element, "thickness", 0.2), before=gap, after=gap)]

    def _section(self, element: Any) -> list[Block]:
        kind = element.get("kind", "plain")
        inner = self.blocks(element)
        if kind == "plain" or not inner:
            return inner
        style = _BOXES[kind]
        if element.get("pad") is not None:
            style = replace(style, pad=_mm(element, "pad", 0))
        gap = self._theme.base * 0.8
        return [Box(Stack(inner), style, before=gap, after=gap)]

    def _columns(self, element: Any) -> list[Block]:
        stacks = [Stack(self.blocks(column)) for column in element]
        weights = [float(w) for w in element.get("widths", "").split()] or [1.0] * len(stacks)
        if len(weights) != len(stacks):
            raise TemplateInvalid(self._template, "columns: as many widths as columns", element.sourceline)
        return [Columns(stacks, weights, _mm(element, "gap", 6), element.get("valign", "top"))]


def _mm(element: Any, name: str, default: float) -> float:
    return float(element.get(name, default)) * MM


def _align(element: Any, default: Align) -> Align:
    return cast("Align", element.get("align", default))


def _column(element: Any) -> Column:
    width = element.get("width", "*")
    align, shrink = _align(element, "left"), element.get("fit") == "yes"
    if width.endswith("*"):
        return Column(share=float(width[:-1] or 1), align=align, shrink=shrink)
    return Column(fixed=float(width) * MM, align=align, shrink=shrink)


def _clean(text: str) -> str:
    return _SPACE.sub(" ", _FOLD.sub("", text))


def _raised(look: Run, *, up: bool) -> Run:
    return replace(look, scale=look.scale * 0.66, rise=look.rise + (0.36 if up else -0.14) * look.scale)


def _add(runs: list[Run], text: str | None, look: Run) -> None:
    if not text:
        return
    for part in _RAISED.split(_clean(text)):
        if not part:
            continue
        if _RAISED.fullmatch(part):
            runs.append(replace(_raised(look, up=part[0] in _SUPERSCRIPTS), text=part.translate(_LEVEL)))
        else:
            runs.append(replace(look, text=part))


def _tidy(runs: Sequence[Run]) -> list[Run]:
    """Drop spaces at the ends, around line breaks, and after another space."""
    out: list[Run] = []
    fresh = True
    for run in runs:
        if run.text == "\n":
            if out and out[-1].text.endswith(" "):
                out[-1] = replace(out[-1], text=out[-1].text.rstrip(" "))
            out.append(run)
            fresh = True
            continue
        text = run.text.lstrip(" ") if fresh else run.text
        if text:
            out.append(replace(run, text=text))
            fresh = text.endswith(" ")
    if out and out[-1].text != "\n":
        out[-1] = replace(out[-1], text=out[-1].text.rstrip(" "))
    return out
