"""Tables and key-value grids: horizontal hairlines, a header repeated on every page, rows that stay whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tjapi.kernel.documents.blocks import Block, draw_lines
from tjapi.kernel.documents.surface import Surface
from tjapi.kernel.documents.textflow import Line, Run, Typesetter
from tjapi.kernel.documents.theme import Align, TextStyle


@dataclass(frozen=True, slots=True)
class Column:
    """`fixed` points wide, or a share of what is left."""

    fixed: float = 0.0
    share: float = 0.0
    align: Align = "left"
    shrink: bool = False


@dataclass(slots=True)
class Cell:
    """Text over `span` columns; empty colour and align mean the column's."""

    text: str | Sequence[Run]
    span: int = 1
    colour: str = ""
    bold: bool = False
    align: Align | None = None


@dataclass(slots=True)
class Row:
    """`kind`: "" a plain row, "head" the repeated header, "group" a band introducing the rows below."""

    cells: list[Cell]
    kind: str = ""
    tint: str = ""


@dataclass(frozen=True, slots=True)
class TableStyle:
    """Look of a table. Lengths in points."""

    text: TextStyle
    pad_x: float = 5.0
    pad_y: float = 2.6
    zebra: bool = False
    rules: bool = True
    frame: bool = False


@dataclass(slots=True)
class _Placed:
    """A row after setting: its height and the cells' lines with their place."""

    row: Row
    height: float
    cells: list[tuple[float, float, TextStyle, list[Line]]] = field(default_factory=list)
    zebra: bool = False


class Table:
    """Rows under a header. `head()` keeps header, bands and the first two rows together."""

    def __init__(
        self,
        setter: Typesetter,
        columns: Sequence[Column],
        rows: Sequence[Row],
        style: TableStyle,
        *,
        before: float = 0.0,
        after: float = 0.0,
    ) -> None:
        self._setter = setter
        self._columns = list(columns)
        self._rows = list(rows)
        self._style = style
        self.before = before
        self.after = after
        self.keep_with_next = False
        self._placed: tuple[float, list[_Placed]] | None = None

    def measure(self, width: float) -> float:
        """Sum of the rows."""
        return sum(placed.height for placed in self._place(width))

    def head(self, width: float) -> float:
        """Header, bands and two rows."""
        total, bodies = 0.0, 0
        for placed in self._place(width):
            total += placed.height
            bodies += not placed.row.kind
            if bodies == 2:  # noqa: PLR2004
                break
        return total

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:
        """Cut between rows, never below a header or a band; a row taller than a page is cut between its lines."""
        placed = self._place(width)
        used, fit = 0.0, 0
        while fit < len(placed) and used + placed[fit].height <= height + 0.01:
            used += placed[fit].height
            fit += 1
        heads = self._head_count()
        while fit > heads and placed[fit - 1].row.kind:
            fit -= 1
        if fit <= heads:
            return self._cut_row(placed, heads, width, height) if force else None
        if len(placed) - fit == 1 and fit - heads > 2 and not placed[fit - 2].row.kind:  # noqa: PLR2004
            fit -= 1  # do not send one row alone to the next page
        return self._part(placed[:fit], width, after=0.0), self._part([*placed[:heads], *placed[fit:]], width)

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Backgrounds first, then all text (one text object), then hairlines."""
        style = self._style
        placed = self._place(width)
        y = top
        for item in placed:
            y -= item.height
            tint = item.row.tint or ("zebra" if item.zebra else "")
            if tint:
                page.rect(x, y, width, item.height, tint)
        y = top
        for item in placed:
            for left, own, text, lines in item.cells:
                drop = (item.height - len(lines) * text.leading) / 2
                draw_lines(page, lines, text, x + left, y - drop, own)
            y -= item.height
        if style.rules:
            y = top
            boxes = []
            for item in placed:
                y -= item.height
                boxes.append((x, y - 0.2, width, 0.4))
            page.rects(boxes, "hairline")
        if self._head_count():
            foot = top - sum(item.height for item in placed[: self._head_count()])
            page.rect(x, foot - 0.4, width, 0.8, "accent")
        if style.frame:
            page.rounded_frame(x, y, width, top - y, 0.0, "hairline")

    def _head_count(self) -> int:
        count = 0
        while count < len(self._rows) and self._rows[count].kind == "head":
            count += 1
        return count

    def _part(self, placed: list[_Placed], width: float, after: float | None = None) -> "Table":
        part = Table(self._setter, self._columns, [item.row for item in placed], self._style, before=self.before)
        part.after = self.after if after is None else after
        part._placed = (width, placed)
        return part

    def _cut_row(self, placed: list[_Placed], heads: int, width: float, height: float) -> tuple[Block, Block] | None:
        row = next((i for i in range(heads, len(placed)) if not placed[i].row.kind), None)
        if row is None:
            return None
        tall = placed[row]
        room = height - sum(item.height for item in placed[:row]) - 2 * self._style.pad_y
        fit = int(room / self._style.text.leading)
        if fit < 1 or all(len(lines) <= fit for *_, lines in tall.cells):
            return None
        first = replace(tall, cells=[(*rest, lines[:fit]) for *rest, lines in tall.cells])  # type: ignore[misc]
        second = replace(tall, cells=[(*rest, lines[fit:]) for *rest, lines in tall.cells])  # type: ignore[misc]
        for part in (first, second):
            part.height = self._height(part.cells)
        return (
            self._part([*placed[:row], first], width, after=0.0),
            self._part([*placed[:heads], second, *placed[row + 1 :]], width),
        )

    def _height(self, cells: Sequence[tuple[float, float, TextStyle, list[Line]]]) -> float:
        return max((len(lines) * text.leading for *_, text, lines in cells), default=0.0) + 2 * self._style.pad_y

    def _place(self, width: float) -> list[_Placed]:
        if self._placed is None or self._placed[0] != width:
            widths = column_widths(self._columns, width)
            placed = [self._place_row(row, widths) for row in self._rows]
            if self._style.zebra:
                bodies = 0
                for item in placed:
                    bodies = 0 if item.row.kind else bodies + 1
                    item.zebra = bodies > 0 and bodies % 2 == 0
            self._placed = (width, placed)
        return self._placed[1]

    def _place_row(self, row: Row, widths: Sequence[float]) -> _Placed:
        style = self._style
        placed = _Placed(row, 0.0)
        base = style.text
        if row.kind == "head":
            base = replace(base, bold=True, colour="accent")
        elif row.kind == "group":
            base = replace(base, bold=True)
        x, at = 0.0, 0
        for cell in row.cells:
            column = self._columns[at]
            own = sum(widths[at : at + cell.span])
            align = cell.align or column.align
            text = base
            if cell.colour or cell.bold or align != "left" or column.shrink:
                text = replace(
                    base,
                    colour=cell.colour or base.colour,
                    bold=cell.bold or base.bold,
                    align=align,
                    shrink=column.shrink and not row.kind,
                )
            inner = own - 2 * style.pad_x
            lines = self._setter.set(cell.text, text, inner) if cell.text else []
            placed.cells.append((x + style.pad_x, inner, text, lines))
            x += own
            at += cell.span
        placed.height = max(self._height(placed.cells), base.leading + 2 * style.pad_y)
        return placed


def column_widths(columns: Sequence[Column], width: float) -> list[float]:
    """Share out `width`: fixed columns first (shrunk together when they do not fit), the rest by share."""
    fixed = sum(c.fixed for c in columns)
    shares = sum(c.share for c in columns)
    limit = width if not shares else width * 0.95
    factor = min(1.0, limit / fixed) if fixed else 1.0
    left = max(0.0, width - fixed * factor)
    return [c.fixed * factor if c.fixed else left * c.share / (shares or 1.0) for c in columns]


@dataclass(slots=True)
class Field:
    """A label and its value in a grid, over `span` columns."""

    label: str
    value: str | Sequence[Run]
    span: int = 1


class Grid:
    """Labels and values in equal columns: who this is about. Never cut."""

    def __init__(
        self,
        setter: Typesetter,
        fields: Sequence[Field],
        columns: int,
        label_width: float,
        label: TextStyle,
        value: TextStyle,
        *,
        after: float = 0.0,
    ) -> None:
        self._setter = setter
        self._columns = columns
        self._label_width = label_width
        self._label = label
        self._value = value
        self._rows: list[list[Field]] = [[]]
        used = 0
        for item in fields:
            span = min(item.span, columns)
            if used + span > columns:
                self._rows.append([])
                used = 0
            self._rows[-1].append(replace(item, span=span))
            used += span
        self.before = 0.0
        self.after = after
        self.keep_with_next = False
        self._set: tuple[float, list[tuple[float, list[tuple[float, float, Field, list[Line]]]]]] | None = None

    def measure(self, width: float) -> float:
        """Sum of the rows."""
        return sum(height for height, _ in self._lay(width))

    def head(self, width: float) -> float:
        """All of it."""
        return self.measure(width)

    def split(self, width: float, height: float, *, force: bool) -> tuple[Block, Block] | None:  # noqa: ARG002
        """Never."""
        return None

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Labels muted at the left, values beside them on the same first baseline."""
        for height, cells in self._lay(width):
            for left, own, item, lines in cells:
                label = self._setter.set(item.label, replace(self._label, leading=self._value.leading), 1e6)
                same = replace(self._label, leading=self._value.leading)
                draw_lines(page, label, same, x + left, top, self._label_width)
                draw_lines(page, lines, self._value, x + left + self._label_width, top, own)
            top -= height

    def _lay(self, width: float) -> list[tuple[float, list[tuple[float, float, Field, list[Line]]]]]:
        if self._set is None or self._set[0] != width:
            unit = width / self._columns
            rows = []
            for fields in self._rows:
                at, cells = 0, []
                for item in fields:
                    own = unit * item.span - self._label_width - 4.0
                    cells.append((at * unit, own, item, self._setter.set(item.value, self._value, own)))
                    at += item.span
                rows.append((max((len(c[3]) for c in cells), default=1) * self._value.leading, cells))
            self._set = (width, rows)
        return self._set[1]
