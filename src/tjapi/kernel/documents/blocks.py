"""What stands on a page: blocks that can be measured, split and drawn. Lengths in points, `top` is a block's upper edge.

These are flowables in platypus' sense (wrap, split, draw) without its frames and deep copies: the page breaker in
`pages` needs a third of the time, and a block that fits nowhere is drawn instead of raising on somebody's report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tjapi.kernel.documents.surface import Surface
from tjapi.kernel.documents.textflow import Line, Run, Typesetter
from tjapi.kernel.documents.theme import TextStyle

BASELINE = 0.35
"""The baseline lies this many em below the middle of a line: it centres Chinese glyphs in their leading."""


class Block(Protocol):
    """A piece of the page."""

    before: float
    after: float
    keep_with_next: bool

    def measure(self, width: float) -> float:
        """Height at this width, without `before` and `after`."""
        ...

    def head(self, width: float) -> float:
        """Height of the smallest part that may stand alone at the foot of a page."""
        ...

    def split(self, width: float, height: float, *, force: bool) -> "tuple[Block, Block] | None":
        """Cut so that the first part fits `height`; None if it must not be cut (`force`: it is taller than a page)."""
        ...

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw at `x`, below `top`."""
        ...


@dataclass(slots=True)
class Solid:
    """Base of blocks that are never cut."""

    before: float = 0.0
    after: float = 0.0
    keep_with_next: bool = False

    def measure(self, width: float) -> float:  # noqa: ARG002
        """Nothing."""
        return 0.0

    def head(self, width: float) -> float:
        """All of it."""
        return self.measure(width)

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:  # noqa: ARG002
        """Never."""
        return None

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw nothing."""


class Paragraph:
    """Text in one style, cut only so that two lines stay together at either side."""

    def __init__(self, setter: Typesetter, text: str | Sequence[Run], style: TextStyle, *, title: bool = False) -> None:
        self._setter = setter
        self._text = text
        self._style = style
        self.before = style.before
        self.after = style.after
        self.keep_with_next = title
        self._lines: list[Line] | None = None
        self._width = -1.0

    def lines(self, width: float) -> list[Line]:
        """Set the text (once per width)."""
        if self._lines is None or (self._width != width and self._width >= 0):
            self._lines, self._width = self._setter.set(self._text, self._style, width), width
        return self._lines

    def measure(self, width: float) -> float:
        """Lines times leading."""
        return len(self.lines(width)) * self._style.leading

    def head(self, width: float) -> float:
        """Two lines, or three where two would leave one alone."""
        count = len(self.lines(width))
        return (count if count <= 3 or self.keep_with_next else 2) * self._style.leading  # noqa: PLR2004

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:
        """Cut between lines."""
        lines = self.lines(width)
        fit = int((height + 0.01) / self._style.leading)
        fit = min(fit, len(lines) - 2) if not force else min(fit, len(lines) - 1)
        if fit < (1 if force else 2):
            return None
        return self._part(lines[:fit], after=0.0), self._part(lines[fit:], before=0.0)

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw the lines."""
        draw_lines(page, self.lines(width), self._style, x, top, width)

    def _part(self, lines: list[Line], before: float | None = None, after: float | None = None) -> "Paragraph":
        part = Paragraph(self._setter, "", self._style)
        part._lines = lines  # the width stays unknown (-1): these lines are final
        part.before = self.before if before is None else before
        part.after = self.after if after is None else after
        return part


def draw_lines(page: Surface, lines: Sequence[Line], style: TextStyle, x: float, top: float, width: float) -> None:
    """Draw set lines below `top`, aligned within `width`."""
    y = top - style.leading / 2 - style.size * BASELINE
    for line in lines:
        start = x
        if style.align == "right":
            start += width - line.width
        elif style.align == "center":
            start += (width - line.width) / 2
        for piece in line.fragments:
            page.text(
                start + piece.x, y + piece.rise, piece.text, piece.face, piece.size, piece.colour, spacing=line.spacing
            )
        y -= style.leading


class Stack:
    """Blocks one below the other. Between two blocks the larger of the two spaces counts."""

    def __init__(self, blocks: Sequence[Block], *, keep: bool = False, follows: bool = False) -> None:
        self.blocks = list(blocks)
        self.keep = keep
        self.follows = follows
        """It takes the end of what precedes it along rather than stand alone on a page."""
        self.before = self.blocks[0].before if self.blocks else 0.0
        self.after = self.blocks[-1].after if self.blocks else 0.0
        self.keep_with_next = False

    def measure(self, width: float) -> float:
        """Heights and the spaces between."""
        total = gap = 0.0
        for index, block in enumerate(self.blocks):
            total += (max(gap, block.before) if index else 0.0) + block.measure(width)
            gap = block.after
        return total

    def head(self, width: float) -> float:
        """The first block's head, with what its heading must keep."""
        if self.keep or not self.blocks:
            return self.measure(width)
        return chain_head(self.blocks, width)

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:
        """Cut between blocks, or inside the one that crosses the line."""
        if self.keep and not force:
            return None
        used = gap = 0.0
        for index, block in enumerate(self.blocks):
            start = used + (max(gap, block.before) if index else 0.0)
            tall = block.measure(width)
            if start + tall > height + 0.01:
                parts = block.split(width, height - start, force=force and index == 0)
                if parts is not None:
                    return self._cut([*self.blocks[:index], parts[0]], [parts[1], *self.blocks[index + 1 :]])
                while index and self.blocks[index - 1].keep_with_next:
                    index -= 1  # noqa: PLW2901
                return self._cut(self.blocks[:index], self.blocks[index:]) if index else None
            used, gap = start + tall, block.after
        return None

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw the blocks."""
        gap = 0.0
        for index, block in enumerate(self.blocks):
            if index:
                top -= max(gap, block.before)
            block.draw(page, x, top, width)
            top -= block.measure(width)
            gap = block.after

    def _cut(self, first: list[Block], rest: list[Block]) -> tuple["Stack", "Stack"]:
        return Stack(first), Stack(rest)


def chain_head(blocks: Sequence[Block], width: float) -> float:
    """Height that a run of headings and the head of what they introduce need together."""
    total = gap = 0.0
    for index, block in enumerate(blocks):
        total += max(gap, block.before) if index else 0.0
        if not block.keep_with_next:
            return total + block.head(width)
        total += block.measure(width)
        gap = block.after
    return total


@dataclass(frozen=True, slots=True)
class BoxStyle:
    """How a section is framed: colour names, or "" for none. Lengths in points."""

    fill: str = ""
    frame: str = ""
    bar: str = ""
    """Colour of a bar at the left edge."""
    pad: float = 0.0
    radius: float = 0.0


class Box:
    """A framed section; when it crosses a page both parts are framed."""

    def __init__(self, content: Stack, style: BoxStyle, *, before: float, after: float) -> None:
        self._content = content
        self._style = style
        self.before = before
        self.after = after
        self.keep_with_next = False

    def measure(self, width: float) -> float:
        """Content and padding."""
        return self._content.measure(self._inner(width)) + 2 * self._style.pad

    def head(self, width: float) -> float:
        """The content's head and padding."""
        return self._content.head(self._inner(width)) + 2 * self._style.pad

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:
        """Cut the content."""
        parts = self._content.split(self._inner(width), height - 2 * self._style.pad, force=force)
        if parts is None:
            return None
        first, rest = parts
        return (
            Box(Stack([first]), self._style, before=self.before, after=0.0),
            Box(Stack([rest]), self._style, before=0.0, after=self.after),
        )

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw the frame, then the content."""
        style = self._style
        height = self.measure(width)
        if style.fill:
            page.rounded(x, top - height, width, height, style.radius, style.fill)
        if style.frame:
            page.rounded_frame(x, top - height, width, height, style.radius, style.frame)
        if style.bar:
            page.rect(x, top - height, 2.4, height, style.bar)
        self._content.draw(page, x + self._left(), top - style.pad, self._inner(width))

    def _left(self) -> float:
        return self._style.pad + (4.0 if self._style.bar else 0.0)

    def _inner(self, width: float) -> float:
        return width - self._left() - self._style.pad


class Columns:
    """Stacks side by side; a cut goes through all of them."""

    def __init__(
        self, stacks: Sequence[Stack], weights: Sequence[float], gap: float, valign: str, after: float = 0.0
    ) -> None:
        self._stacks = list(stacks)
        self._weights = list(weights)
        self._gap = gap
        self._valign = valign
        self.before = max((s.before for s in self._stacks), default=0.0)
        self.after = max(after, *(s.after for s in self._stacks)) if self._stacks else after
        self.keep_with_next = any(s.blocks[-1].keep_with_next for s in self._stacks if s.blocks)  # a title in a column

    def measure(self, width: float) -> float:
        """The tallest stack."""
        return max((s.measure(w) for s, w in self._each(width)), default=0.0)

    def head(self, width: float) -> float:
        """The tallest head."""
        return max((s.head(w) for s, w in self._each(width)), default=0.0)

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:
        """Cut every stack that is too tall."""
        first: list[Stack] = []
        rest: list[Stack] = []
        for stack, own in self._each(width):
            if stack.measure(own) <= height:
                first.append(stack)
                rest.append(Stack([]))
                continue
            parts = stack.split(own, height, force=force)
            if parts is None:
                return None
            first.append(Stack([parts[0]]))
            rest.append(Stack([parts[1]]))
        return (
            Columns(first, self._weights, self._gap, self._valign),
            Columns(rest, self._weights, self._gap, self._valign, self.after),
        )

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw the stacks from left to right."""
        tall = self.measure(width)
        for stack, own in self._each(width):
            drop = tall - stack.measure(own)
            drop = {"top": 0.0, "middle": drop / 2, "bottom": drop}[self._valign]
            stack.draw(page, x, top - drop, own)
            x += own + self._gap

    def _each(self, width: float) -> list[tuple[Stack, float]]:
        free = width - self._gap * (len(self._stacks) - 1)
        unit = free / (sum(self._weights) or 1)
        return [(stack, weight * unit) for stack, weight in zip(self._stacks, self._weights, strict=True)]


@dataclass(slots=True)
class Spacer(Solid):
    """Empty height."""

    height: float = 0.0

    def measure(self, width: float) -> float:  # noqa: ARG002
        """Its height."""
        return self.height


@dataclass(slots=True)
class Filler(Solid):
    """What is left of a page, so that what follows stands at its foot; the page breaker knows how much that is."""


@dataclass(slots=True)
class SealPlace(Solid):
    """Room for a seal that is put on later: draws nothing, and says where it is."""

    size: float = 0.0
    align: str = "right"

    def measure(self, width: float) -> float:
        """Its side."""
        return min(self.size, width)

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Remember the place."""
        side = min(self.size, width)
        left = {"left": x, "center": x + (width - side) / 2}.get(self.align, x + width - side)
        page.seal_place = (left, top - side, side, side)


@dataclass(slots=True)
class PageBreak(Solid):
    """Ends the page."""


@dataclass(slots=True)
class Rule(Solid):
    """A horizontal line."""

    colour: str = "hairline"
    thickness: float = 0.6

    def measure(self, width: float) -> float:  # noqa: ARG002
        """Its thickness."""
        return self.thickness

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw it."""
        page.rect(x, top - self.thickness, width, self.thickness, self.colour)


@dataclass(slots=True)
class Picture(Solid):
    """An asset, scaled to its box."""

    key: str = ""
    width: float = 0.0
    height: float = 0.0
    align: str = "left"

    def measure(self, width: float) -> float:
        """Height after shrinking to the available width."""
        return self.height * min(1.0, width / self.width)

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Place it."""
        factor = min(1.0, width / self.width)
        wide, tall = self.width * factor, self.height * factor
        page.image(self.key, aligned(x, width, wide, self.align), top - tall, wide, tall)


def aligned(x: float, room: float, width: float, align: str) -> float:
    """Left edge of something `width` wide within `room`."""
    if align == "right":
        return x + room - width
    return x + (room - width) / 2 if align == "center" else x
