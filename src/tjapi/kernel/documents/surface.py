"""One page being drawn: PDF operators collected in order, origin at the bottom left, lengths in points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tjapi.kernel.documents.fonts import EmbeddedFace, Face, FontSet
from tjapi.kernel.documents.theme import Colour


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """A picture waiting for the canvas: reportlab writes images itself."""

    key: str
    x: float
    y: float
    width: float
    height: float


class Ink:
    """What all pages of one document share: fonts and their subsets, colours, pictures, characters without a glyph.

    Documents of one file share fonts and missing characters with the one `beside` them: each face is embedded once.
    """

    def __init__(
        self,
        fonts: FontSet,
        colours: Mapping[str, Colour],
        assets: Mapping[str, bytes],
        *,
        beside: "Ink | None" = None,
    ) -> None:
        self.fonts = fonts
        self.assets = assets
        self.colours = colours
        self.missing: set[str] = beside.missing if beside else set()
        self.used: list[EmbeddedFace] = beside.used if beside else []
        self._by_face: dict[str, EmbeddedFace] = beside._by_face if beside else {}  # noqa: SLF001  # our own kind
        self._fill = {name: "{:.3g} {:.3g} {:.3g} rg".format(*rgb) for name, rgb in colours.items()}
        self._stroke = {name: operator[:-2] + "RG" for name, operator in self._fill.items()}

    def embedded(self, face: Face) -> EmbeddedFace:
        """Tell the subset of `face` in this document."""
        try:
            return self._by_face[face.name]
        except KeyError:
            made = self._by_face[face.name] = EmbeddedFace(face, f"T{len(self.used) + 1}")
            self.used.append(made)
            return made

    def fill(self, colour: str) -> str:
        """Operator that sets the fill colour."""
        return self._fill[colour]

    def stroke(self, colour: str) -> str:
        """Operator that sets the stroke colour."""
        return self._stroke[colour]

    def sheet(self, width: float, height: float) -> "Surface":  # noqa: ARG002  # a page of PDF needs no size
        """Take a new page of this size in points."""
        return Surface(self)


class Surface:
    """Draws one page. Consecutive texts share one text object and change font or colour only when these differ."""

    def __init__(self, ink: Ink) -> None:
        self.ink = ink
        self.items: list[str | PlacedImage] = []
        self.seal_place: tuple[float, float, float, float] | None = None
        self._in_text = False
        self._at = (0, 0)
        """Where the last text began, in hundredths of a point: steps from there repeat from row to row, places do not."""
        self._font: tuple[str, float] | None = None
        self._colour: str | None = None
        self._spacing = 0.0

    def text(
        self, x: float, y: float, text: str, face: Face, size: float, colour: str, *, spacing: float = 0.0
    ) -> None:
        """Write one run with its baseline at `y`; `spacing` points are added after every character."""
        embedded = self.ink.embedded(face)
        put = self.items.append
        if not self._in_text:
            put("BT")
            self._in_text = True
            self._at = (0, 0)
        font = (embedded.resource, size)
        if font != self._font:
            put(f"/{embedded.resource} {size:.5g} Tf")
            self._font = font
        if colour != self._colour:
            put(self.ink.fill(colour))
            self._colour = colour
        if spacing != self._spacing:
            put(f"{spacing:.3f} Tc")
            self._spacing = spacing
        at = (round(x * 100), round(y * 100))
        right, up = at[0] - self._at[0], at[1] - self._at[1]
        self._at = at
        put(f"{right / 100:g} {up / 100:g} Td <{''.join(map(embedded.__getitem__, text))}> Tj")

    def rect(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self._shape(colour, f"{x:.2f} {y:.2f} {width:.2f} {height:.2f} re f")

    def rects(self, boxes: Sequence[tuple[float, float, float, float]], colour: str) -> None:
        """Fill many rectangles at once (bars of a code), with three decimals: scanners measure them."""
        path = " ".join(f"{x:.3f} {y:.3f} {w:.3f} {h:.3f} re" for x, y, w, h in boxes)
        self._shape(colour, f"{path} f")

    def bars(self, value: str, boxes: Sequence[tuple[float, float, float, float]], module: float) -> None:  # noqa: ARG002
        """Draw the bars of a Code 128 of `value`, whose module is so wide."""
        self.rects(boxes, "black")

    def rounded(self, x: float, y: float, width: float, height: float, radius: float, colour: str) -> None:
        """Fill a rectangle with round corners."""
        self._shape(colour, f"{_rounded_path(x, y, width, height, radius)} f")

    def rounded_frame(self, x: float, y: float, width: float, height: float, radius: float, colour: str) -> None:
        """Stroke a rectangle with round corners."""
        self._end_text()
        self.items.append(f"{self.ink.stroke(colour)} 0.6 w {_rounded_path(x, y, width, height, radius)} S")

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float, dash: str = "") -> None:
        """Stroke a line through `points`."""
        self._end_text()
        path = " ".join(f"{x:.2f} {y:.2f} {'l' if i else 'm'}" for i, (x, y) in enumerate(points))
        pattern = f"[{dash}] 0 d " if dash else "[] 0 d "
        self.items.append(f"{self.ink.stroke(colour)} {width:.2f} w {pattern}{path} S")

    def image(self, key: str, x: float, y: float, width: float, height: float) -> None:
        """Place the asset `key`."""
        self._end_text()
        self.items.append(PlacedImage(key, x, y, width, height))
        # reportlab saves and restores the graphics state around an image: ours is untouched.

    def literal(self, operators: str) -> None:
        """Append raw operators between shapes; they must restore the state they change."""
        self._end_text()
        self.items.append(operators)

    def finish(self) -> None:
        """Close an open text object."""
        self._end_text()

    def emit(self, canvas: Any, pictures: Mapping[str, Any]) -> None:
        """Hand the page to a reportlab canvas."""
        self.finish()
        pending: list[str] = []
        for item in self.items:
            if isinstance(item, str):
                pending.append(item)
                continue
            canvas.addLiteral("\n".join(pending))
            pending.clear()
            canvas.drawImage(pictures[item.key], item.x, item.y, item.width, item.height, mask="auto")
        canvas.addLiteral("\n".join(pending))

    def _shape(self, colour: str, path: str) -> None:
        self._end_text()
        if colour != self._colour:
            self.items.append(self.ink.fill(colour))
            self._colour = colour
        self.items.append(path)

    def _end_text(self) -> None:
        if self._in_text:
            self.items.append("ET")
            self._in_text = False


def _rounded_path(x: float, y: float, width: float, height: float, radius: float) -> str:
    r = min(radius, width / 2, height / 2)
    k = r * 0.4477  # distance of a Bézier handle from the corner for a quarter circle
    x2, y2 = x + width, y + height
    return (
        f"{x + r:.2f} {y:.2f} m {x2 - r:.2f} {y:.2f} l {x2 - k:.2f} {y:.2f} {x2:.2f} {y + k:.2f} {x2:.2f} {y + r:.2f} c "
        f"{x2:.2f} {y2 - r:.2f} l {x2:.2f} {y2 - k:.2f} {x2 - k:.2f} {y2:.2f} {x2 - r:.2f} {y2:.2f} c "
        f"{x + r:.2f} {y2:.2f} l {x + k:.2f} {y2:.2f} {x:.2f} {y2 - k:.2f} {x:.2f} {y2 - r:.2f} c "
        f"{x:.2f} {y + r:.2f} l {x:.2f} {y + k:.2f} {x + k:.2f} {y:.2f} {x + r:.2f} {y:.2f} c h"
    )
