"""Setting Chinese text: runs of characters → lines, with kinsoku (避头尾).

reportlab's `wordWrap='CJK'` may start a line with ，。；：）》” or end one with （《“; here a closing mark is bound to what
precedes it and an opening mark to what follows, so no break can fall between them (GB/T 15834-2011, 5.1).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tjapi.kernel.documents.fonts import Face, FontSet
from tjapi.kernel.documents.theme import TextStyle

NO_START = frozenset("，。、；：！？）》〉」』】〕〗］｝”’…—～·％‰℃°,.;:!?)]}%ーゝゞ々〻")
"""Marks a line must not begin with."""
NO_END = frozenset("（《〈「『【〔〖［｛“‘([{￥¥$＄№")
"""Marks a line must not end with."""

_WIDE = "\u2014\u2018\u2019\u201c\u201d\u2026\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
_TOKEN = re.compile(f"[ \t]+|[{_WIDE}]|[^ \t{_WIDE}]+")
_IS_WIDE = re.compile(f"[{_WIDE}]")
_BREAK = "\n"
_MAX_STRETCH = 0.12
"""Justification adds at most this many em after a character; a line needing more stays ragged."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with one look. Text "\\n" alone is a line break."""

    text: str
    bold: bool = False
    colour: str | None = None
    scale: float = 1.0
    rise: float = 0.0
    """Baseline shift in em of the paragraph's size."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Text at `x` points from the line's left edge, in one face, size and colour."""

    x: float
    text: str
    face: Face
    size: float
    colour: str
    rise: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its fragments, its natural width and the extra space after each character."""

    fragments: tuple[Fragment, ...]
    width: float
    spacing: float = 0.0


@dataclass(slots=True)
class _Piece:
    text: str
    face: Face
    run: Run
    width: float


type_box = list[_Piece]


class Typesetter:
    """Breaks text into lines with the faces of one document."""

    def __init__(self, fonts: FontSet, missing: set[str]) -> None:
        self._fonts = fonts
        self._missing = missing

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Tell the width of `text` in points."""
        segments = self._fonts.segments(text, bold=bold, missing=self._missing)
        return size * sum(sum(map(face.widths.__getitem__, part)) for face, part in segments)

    def set(self, text: str | Sequence[Run], style: TextStyle, width: float) -> list[Line]:
        """Break `text` into lines no wider than `width` points (a single character may be wider)."""
        runs = [Run(text)] if isinstance(text, str) else text
        if style.shrink:
            return [self._one_line(runs, style, width)]
        if len(runs) == 1 and (line := self._short(runs[0], style, width)) is not None:
            return [line]
        lines: list[Line] = []
        for paragraph in _paragraphs(runs):
            lines += self._fill(paragraph, style, width)
        return lines

    def _short(self, run: Run, style: TextStyle, width: float) -> Line | None:
        if _BREAK in run.text:
            return None
        bold = style.bold or run.bold
        segments = self._fonts.segments(run.text, bold=bold, missing=self._missing)
        size = style.size * run.scale
        fragments: list[Fragment] = []
        x = 0.0
        for face, part in segments:
            fragments.append(Fragment(x, part, face, size, run.colour or style.colour, run.rise * style.size))
            x += size * sum(map(face.widths.__getitem__, part))
        return Line(tuple(fragments), x) if x <= width else None

    def _one_line(self, runs: Sequence[Run], style: TextStyle, width: float) -> Line:
        runs = [replace(run, text=run.text.replace(_BREAK, " ")) for run in runs]
        whole = self._fill(runs, style, float("inf"))[0]
        if whole.width <= width:
            return whole
        factor = max(0.6, width / whole.width * 0.995)
        smaller = replace(style, size=style.size * factor)
        line = self._fill(runs, smaller, float("inf"))[0]
        while line.width > width and any(run.text for run in runs):
            last = max(i for i, run in enumerate(runs) if run.text)
            cut = runs[last].text.removesuffix("…")[:-1]
            runs = [*runs[:last], replace(runs[last], text=cut + "…" if cut else "")]
            line = self._fill(runs, smaller, float("inf"))[0]
        return line

    def _fill(self, runs: Sequence[Run], style: TextStyle, width: float) -> list[Line]:
        lines: list[Line] = []
        current: type_box = []
        used = gap = 0.0
        space: type_box = []
        for box in self._boxes(runs, style):
            if box[0].text[0] == " ":
                gap, space = box[0].width, box
                continue
            need = sum(piece.width for piece in box)
            if current and used + gap + need > width + 0.01:
                lines.append(_line(current, style, width, last=False))
                current, used, gap, space = [], 0.0, 0.0, []
            if need > width + 0.01:
                *full, rest = _chop(box, style, width)
                lines += [_line(part, style, width, last=False) for part in full]
                box, need = rest, sum(piece.width for piece in rest)  # noqa: PLW2901
            if current and space:
                current += space
                used += gap
            current += box
            used += need
            gap, space = 0.0, []
        lines.append(_line(current, style, width, last=True))
        return lines

    def _boxes(self, runs: Sequence[Run], style: TextStyle) -> list[type_box]:
        """Group characters that no line break may separate."""
        boxes: list[type_box] = []
        before = ""  # the character before the next token, "" where nothing binds
        for run in runs:
            bold = style.bold or run.bold
            size = style.size * run.scale
            for face, part in self._fonts.segments(run.text, bold=bold, missing=self._missing):
                widths = face.widths
                for token in _TOKEN.findall(part):
                    piece = _Piece(token, face, run, size * sum(map(widths.__getitem__, token)))
                    if token[0] in " \t":
                        piece = replace(piece, text=" ", width=size * widths[" "])
                        boxes.append([piece])
                        before = ""
                        continue
                    if before and _bound(before, token[0]):
                        boxes[-1].append(piece)
                    else:
                        boxes.append([piece])
                    before = token[-1]
        return boxes


def _bound(left: str, right: str) -> bool:
    if right in NO_START or left in NO_END:
        return True
    return not (_IS_WIDE.match(left) or _IS_WIDE.match(right))


def _paragraphs(runs: Sequence[Run]) -> list[list[Run]]:
    out: list[list[Run]] = [[]]
    for run in runs:
        first, *others = run.text.split(_BREAK)
        out[-1].append(replace(run, text=first) if others else run)
        out += [[replace(run, text=other)] for other in others]
    return out


def _chop(box: type_box, style: TextStyle, width: float) -> list[type_box]:
    """Cut what is longer than a line (a long code, a row of marks) between any two characters."""
    lines: list[type_box] = [[]]
    used = 0.0
    for piece in box:
        size = style.size * piece.run.scale
        for character in piece.text:
            advance = size * piece.face.widths[character]
            if lines[-1] and used + advance > width:
                lines.append([])
                used = 0.0
            lines[-1].append(_Piece(character, piece.face, piece.run, advance))
            used += advance
    return lines


def _line(pieces: type_box, style: TextStyle, width: float, *, last: bool) -> Line:
    merged: list[_Piece] = []
    for piece in pieces:
        if merged and merged[-1].run is piece.run and merged[-1].face is piece.face:
            merged[-1] = replace(merged[-1], text=merged[-1].text + piece.text, width=merged[-1].width + piece.width)
        else:
            merged.append(piece)
    natural = sum(piece.width for piece in merged)
    spacing = 0.0
    if style.align == "justify" and not last:
        gaps = sum(len(piece.text) for piece in merged) - 1
        if gaps > 0 and 0 < (width - natural) / gaps <= _MAX_STRETCH * style.size:
            spacing = (width - natural) / gaps
    fragments: list[Fragment] = []
    x = 0.0
    for piece in merged:
        run = piece.run
        size = style.size * run.scale
        fragments.append(Fragment(x, piece.text, piece.face, size, run.colour or style.colour, run.rise * style.size))
        x += piece.width + spacing * len(piece.text)
    return Line(tuple(fragments), natural if not spacing else width, spacing)
