"""Setting Chinese text: runs of characters → lines, with kinsoku (避头尾).

reportlab's `wordWrap='CJK'` may start a line with ，。；：）》” or end one with （《“; here a closing mark is bound to what
precedes it and an opening mark to what follows, so no break can fall between them (GB/T 15834-2011, 5.1).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

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
_CLOSING = frozenset("，。、；：）》〉」』】〕〗］｝”’")
_OPENING = frozenset("（《〈「『【〔〖［｛“‘")
# Full-width marks are half blank: two in a row, or an opening one at the start of a line, give half an em back
# (标点挤压; "），" would leave a hole otherwise).
_SQUEEZE = re.compile(
    "[，。、；：）》〉」』】〕〗］｝”’][，。、；：）》〉」』】〕〗］｝”’（《〈「『【〔〖［｛“‘]|(?:^|[（《〈「『【〔〖［｛“‘])[（《〈「『【〔〖［｛“‘]"
)
_HALF = 0.5
_LEAST = 0.55  # no smaller than this when shrinking to one line
_FULL = 0.95
_MAX_STRETCH = 0.12
"""Justification adds at most this many em after a character; a line needing more stays ragged."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with one look. A newline as the whole text is a line break."""

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
    tight: bool = False
    """The next piece overlaps this one's blank half."""


_Box: TypeAlias = list[_Piece]


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
        if _BREAK in run.text or _SQUEEZE.search(run.text):
            return None
        bold = style.bold or run.bold
        segments = self._fonts.segments(run.text, bold=bold, missing=self._missing)
        size = style.size * run.scale
        fragments: list[Fragment] = []
        x = 0.0
        for face, part in segments:
            fragments.append(Fragment(x, part, face, size, run.colour or style.colour, run.rise * style.size))
            x += size * sum(map(face.widths.__getitem__, part))
        if x > width:
            return None
        return Line(tuple(fragments), x - _hang(fragments[-1].text, fragments[-1].face, size) if fragments else x)

    def _one_line(self, runs: Sequence[Run], style: TextStyle, width: float) -> Line:
        runs = [replace(run, text=run.text.replace(_BREAK, " ")) for run in runs]
        whole = self._fill(runs, style, float("inf"))[0]
        if whole.width <= width:
            return whole
        factor = max(_LEAST, width / whole.width * 0.995)
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
        current: _Box = []
        used = gap = 0.0
        space: _Box = []
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

    def _boxes(self, runs: Sequence[Run], style: TextStyle) -> list[_Box]:
        """Group characters that no line break may separate."""
        boxes: list[_Box] = []
        before = ""  # the character before the next token, "" where nothing binds
        for run in runs:
            bold = style.bold or run.bold
            size = style.size * run.scale
            for face, part in self._fonts.segments(run.text, bold=bold, missing=self._missing):
                widths = face.widths
                for token in _TOKEN.findall(part):
                    piece = _Piece(token, face, run, size * sum(map(widths.__getitem__, token)))
                    if token[0] in " \t":
                        piece.text, piece.width = " ", size * widths[" "]
                        boxes.append([piece])
                        before = ""
                        continue
                    if before and _squeezed(before, token[0]):
                        last = boxes[-1][-1]
                        if last.width >= _FULL * last.run.scale * style.size:  # not a proportional quotation mark
                            last.width -= _HALF * last.run.scale * style.size
                            last.tight = True
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


def _hang(text: str, face: Face, size: float) -> float:
    """Tell how much of a closing mark at the end of a line is blank and may hang over the edge."""
    return _HALF * size if text and text[-1] in _CLOSING and face.widths[text[-1]] >= _FULL else 0.0


def _squeezed(left: str, right: str) -> bool:
    if left in _CLOSING:
        return right in _CLOSING or right in _OPENING
    return left in _OPENING and right in _OPENING


def _paragraphs(runs: Sequence[Run]) -> list[list[Run]]:
    out: list[list[Run]] = [[]]
    for run in runs:
        first, *others = run.text.split(_BREAK)
        out[-1].append(replace(run, text=first) if others else run)
        out += [[replace(run, text=other)] for other in others]
    return out


def _chop(box: _Box, style: TextStyle, width: float) -> list[_Box]:
    """Cut what is longer than a line (a long code, a row of marks) between any two characters."""
    lines: list[_Box] = [[]]
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


def _line(pieces: _Box, style: TextStyle, width: float, *, last: bool) -> Line:
    merged: list[_Piece] = []
    for piece in pieces:
        last_one = merged[-1] if merged else None
        if last_one is not None and last_one.run is piece.run and last_one.face is piece.face and not last_one.tight:
            last_one.text += piece.text
            last_one.width += piece.width
            last_one.tight = piece.tight
        else:
            merged.append(piece)
    x = 0.0
    if merged and merged[0].text[0] in _OPENING:
        size = merged[0].run.scale * style.size
        x = -_HALF * size if merged[0].face.widths[merged[0].text[0]] >= _FULL else 0.0
    natural = x + sum(piece.width for piece in merged)
    if merged:
        end = merged[-1]
        natural -= _hang(end.text, end.face, end.run.scale * style.size)
    spacing = 0.0
    if style.align == "justify" and not last:
        gaps = sum(len(piece.text) for piece in merged) - 1
        if gaps > 0 and 0 < (width - natural) / gaps <= _MAX_STRETCH * style.size:
            spacing = (width - natural) / gaps
    fragments: list[Fragment] = []
    for piece in merged:
        run = piece.run
        size = style.size * run.scale
        fragments.append(Fragment(x, piece.text, piece.face, size, run.colour or style.colour, run.rise * style.size))
        x += piece.width + spacing * len(piece.text)
    return Line(tuple(fragments), natural if not spacing else width, spacing)
