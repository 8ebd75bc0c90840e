"""The look: colours, type scale and spacing. Templates override it in `_shared/theme.toml` and in their `template.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Align = Literal["left", "center", "right", "justify"]
Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a paragraph is set. Lengths in points."""

    size: float
    leading: float
    colour: str = "ink"
    bold: bool = False
    align: Align = "left"
    before: float = 0.0
    after: float = 0.0
    shrink: bool = False
    """Keep to one line: get smaller down to 55 %, then end with …"""


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours (RGB, 0 to 1), and the base size in points that the type scale is built from."""

    base: float = 9.5
    leading: float = 1.62
    """Line height of body text in em: Chinese wants air; labels have none to give."""
    colours: Mapping[str, Colour] = field(
        default_factory=lambda: {
            name: parse_colour(value)
            for name, value in {
                "ink": "#1F2A2E",
                "muted": "#6B7A7F",
                "accent": "#0F5F57",
                "tint": "#EAF3F1",
                "zebra": "#F6F9F8",
                "hairline": "#D5DFDD",
                "danger": "#C0271D",
                "danger_tint": "#FDF2F0",
                "notice": "#8A5A00",
                "notice_tint": "#FCF6E8",
                "white": "#FFFFFF",
            }.items()
        }
    )
    scale: Mapping[str, float] = field(
        default_factory=lambda: {
            "tiny": 0.74,
            "small": 0.86,
            "normal": 1.0,
            "lead": 1.12,
            "large": 1.45,
            "huge": 2.1,
            "title": 3.3,
        }
    )

    def size(self, name: str) -> float:
        """Points of a step of the scale."""
        return self.base * self.scale[name]

    def text(self, size: str = "normal", **change: Any) -> TextStyle:
        """Make the paragraph style of a step of the scale."""
        points = self.size(size)
        ratio = self.leading if points < 1.2 * self.base else min(self.leading, 1.4)
        return replace(TextStyle(points, points * ratio, after=points * 0.45), **change)

    def heading(self, level: int) -> TextStyle:
        """Make the style of h1, h2 or h3."""
        if level == 1:
            return self.text("huge", bold=True, colour="accent", before=0, after=self.base * 0.8)
        if level == 2:  # noqa: PLR2004
            return self.text("large", bold=True, colour="accent", before=self.base * 1.9, after=self.base * 0.75)
        return self.text("lead", bold=True, before=self.base * 1.3, after=self.base * 0.5)

    def overridden(self, settings: Mapping[str, Any]) -> "Theme":
        """Lay a `[theme]` table over this theme: `base` in points, `leading` in em, other keys colours."""
        colours = {name: parse_colour(str(v)) for name, v in settings.items() if name not in {"base", "leading"}}
        base, leading = float(settings.get("base", self.base)), float(settings.get("leading", self.leading))
        return replace(self, colours={**self.colours, **colours}, base=base, leading=leading)


def parse_colour(value: str) -> Colour:
    """Read `#RRGGBB`."""
    digits = value.removeprefix("#")
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue
