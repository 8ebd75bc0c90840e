"""A trend over the years: lines through labelled points above a band that shows the reference range."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tjapi.kernel.documents.blocks import Solid, draw_lines
from tjapi.kernel.documents.surface import Surface
from tjapi.kernel.documents.textflow import Typesetter
from tjapi.kernel.documents.theme import Align, TextStyle


@dataclass(frozen=True, slots=True)
class Point:
    """A value on the chart, with its text as printed and its colour ("" the series')."""

    label: str
    value: float
    shown: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A line through points. Labels of the first series make the horizontal axis."""

    points: tuple[Point, ...]
    name: str = ""
    colour: str = "accent"


@dataclass(slots=True)
class TrendChart(Solid):
    """Line chart; `low` and `high` bound the tinted band. Points."""

    setter: Typesetter | None = None
    series: Sequence[Series] = field(default_factory=list)
    low: float | None = None
    high: float | None = None
    height: float = 120.0
    style: TextStyle | None = None

    def measure(self, width: float) -> float:  # noqa: ARG002
        """Its height."""
        return self.height

    def draw(self, page: Surface, x: float, top: float, width: float) -> None:
        """Draw band, grid, axis labels, lines and values."""
        setter, style = self.setter, self.style
        labels = [point.label for point in self.series[0].points] if self.series else []
        if setter is None or style is None or not labels:
            return
        bottom, least, most, step = top - self.height, *self._scale()
        left, foot = x + 28.0, bottom + style.leading + 2
        right, roof = x + width - 10.0, top - style.leading

        def up(value: float) -> float:
            return foot + (value - least) / (most - least) * (roof - foot)

        def across(index: int) -> float:
            return left + (index + 0.5) * (right - left) / len(labels)

        def write(text: str, centre: float, y: float, colour: str, align: Align = "center") -> None:
            look = replace(style, colour=colour, align=align)
            draw_lines(page, setter.set(text, look, 1e6), look, centre - 40, y, 80)

        if self.low is not None or self.high is not None:
            floor = up(least if self.low is None else self.low)
            ceiling = up(most if self.high is None else self.high)
            page.rect(left, floor, right - left, ceiling - floor, "tint")
        tick = least
        while tick <= most + step / 2:
            page.line([(left, up(tick)), (right, up(tick))], "hairline", 0.4)
            write(f"{tick:g}", left - 44.0, up(tick) + style.leading / 2, "muted", "right")
            tick = round(tick + step, 10)
        for index, label in enumerate(labels):
            write(label, across(index), foot - 1, "muted")
        for series in self.series:
            dots = [(across(i), up(p.value)) for i, p in enumerate(series.points[: len(labels)])]
            page.line(dots, series.colour, 1.4)
            for (px, py), point in zip(dots, series.points, strict=False):
                colour = point.colour or series.colour
                page.rounded(px - 2.4, py - 2.4, 4.8, 4.8, 2.4, colour)
                write(point.shown, px, py + style.leading + 3, colour)

    def _scale(self) -> tuple[float, float, float]:
        values = [point.value for series in self.series for point in series.points]
        values += [bound for bound in (self.low, self.high) if bound is not None]
        least, most = min(values), max(values)
        spread = (most - least) or abs(most) or 1.0
        rough = spread * 1.3 / 4
        power = 10 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
        floor = math.floor((least - spread * 0.1) / step) * step
        if least >= 0:
            floor = max(0.0, floor)
        return floor, math.ceil((most + spread * 0.1) / step) * step, step
