"""One document, start to end, in this process."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tjapi.kernel.documents.blocks import Stack
from tjapi.kernel.documents.dots import DotInk, DotSurface
from tjapi.kernel.documents.fonts import load_fonts
from tjapi.kernel.documents.labels import LANGUAGES, Label
from tjapi.kernel.documents.pages import Frame, Laid, break_pages, draw_watermark, write_pdf
from tjapi.kernel.documents.surface import Ink
from tjapi.kernel.documents.templating import manifest, parse, plain, yield_xml
from tjapi.kernel.documents.textflow import Typesetter
from tjapi.kernel.documents.vocabulary import MM, Builder, Pictures

_log = logging.getLogger(__name__)
NO_ASSETS: Mapping[str, bytes] = MappingProxyType({})
_SHEETS = {"A3": (297.0, 420.0), "A4": (210.0, 297.0), "A5": (148.0, 210.0), "A6": (105.0, 148.0)}
_EDGE = 8.5 * MM
"""Header and footer keep this far from the paper's edge, and 3 mm from the body."""


@dataclass(frozen=True)
class RenderedDocument:
    """A finished file: its bytes, pages and SHA-256 (hex). `missing_glyphs` are the code points drawn as 〓.

    `seal_place` is where a seal may go: page from 1, lower left corner and size in points.
    """

    pdf: bytes = field(repr=False)
    pages: int
    sha256: str
    missing_glyphs: tuple[str, ...] = ()
    seal_place: tuple[int, float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a file: its template, its data as JSON text, its pictures."""

    template: str
    data: str
    assets: Mapping[str, bytes] = field(default_factory=lambda: NO_ASSETS)


@dataclass(frozen=True)
class RenderedLabels:
    """What a label printer is sent, and how many labels come out of it."""

    content: bytes = field(repr=False)
    labels: int
    missing_glyphs: tuple[str, ...] = ()


def render(
    template: str,
    data: Mapping[str, Any],
    assets: Mapping[str, bytes] = NO_ASSETS,
    *,
    now: datetime,
    templates: Path,
) -> RenderedDocument:
    """Render `data` with the template of that name under `templates`. Same input → same bytes.

    `assets` are pictures (PNG, JPEG) by the key the template names; `now` becomes the file's date. No limit on time:
    use `DocumentRenderer` for data from outside. Raises TemplateNotFound, TemplateInvalid, RenderTooLarge; TypeError
    or ValueError when `data` is not plain JSON.
    """
    document = render_json(template, plain(template, data), assets, now=now, templates=templates)
    log_missing(template, document)
    return document


def log_missing(template: str, document: RenderedDocument | RenderedLabels) -> None:
    """Log code points without a glyph: not the text around them, which is somebody's name."""
    if document.missing_glyphs:
        _log.warning("document %s: no glyph for %s", template, " ".join(document.missing_glyphs))


def render_json(
    template: str, data: str, assets: Mapping[str, bytes], *, now: datetime, templates: Path
) -> RenderedDocument:
    """Render data given as JSON text; else like `render`, without its logging."""
    return render_parts([Part(template, data, assets)], now=now, templates=templates)


def render_parts(parts: Sequence[Part], *, now: datetime, templates: Path) -> RenderedDocument:
    """Render several documents, at least one, into one file: each on its own paper, every font embedded once."""
    inks: list[Ink] = []
    laid: list[Laid] = []
    seed = hashlib.sha256()
    for number, part in enumerate(parts):
        xml = _yielded(part, templates)
        seed.update(("\0\0" * bool(number) + f"{part.template}\0{now.isoformat()}\0{xml}").encode())
        document, ink = _lay_out(part, xml, templates, Ink, inks[-1] if inks else None)
        inks.append(ink)
        laid.append(document)
    pdf = write_pdf(laid, inks[-1], now=now, seed=seed.digest())
    pages = [page for document in laid for page in document.pages]
    places = [(number, *page.seal_place) for number, page in enumerate(pages, 1) if page.seal_place is not None]
    return RenderedDocument(
        pdf, len(pages), hashlib.sha256(pdf).hexdigest(), _points(inks[-1].missing), places[-1] if places else None
    )


def render_labels(parts: Sequence[Part], language: str, *, templates: Path) -> RenderedLabels:
    """Lay documents out in dots and write every page as a label in the printer's language (`LANGUAGES`).

    A watermark is left away: a label has one colour. Raises like `render`; ValueError for a language that we do not write.
    """
    write = LANGUAGES.get(language)
    if write is None:
        raise ValueError(f"no such language: {language}")
    ink: Ink | None = None
    labels: list[Label] = []
    for part in parts:
        document, ink = _lay_out(part, _yielded(part, templates), templates, DotInk, ink)
        labels += [page.label() for page in document.pages if isinstance(page, DotSurface)]
    return RenderedLabels(b"".join(map(write, labels)), len(labels), _points(ink.missing if ink else ()))


def _yielded(part: Part, templates: Path) -> str:
    manifest(templates, part.template)  # says first that there is no such template
    return yield_xml(templates, part.template, json.loads(part.data))


def _lay_out(part: Part, xml: str, templates: Path, kind: type[Ink], beside: Ink | None) -> tuple[Laid, Ink]:
    template = part.template
    settings = manifest(templates, template)
    root = parse(templates, template, xml)
    fonts = load_fonts(templates)
    ink = kind(fonts, {**settings.theme.colours, "black": (0.0, 0.0, 0.0)}, part.assets, beside=beside)
    pictures = Pictures(template, part.assets)
    builder = Builder(template, settings.theme, Typesetter(fonts, ink.missing), pictures)

    width, height = size = _sheet(root.get("size", "A4"))
    top, right, bottom, left = _margins(root.get("margins", "16"))
    inner = width - left - right
    header, footer = root.find("header"), root.find("footer")
    header_from = int(header.get("from", 1)) if header is not None else 0
    builder.page = builder.pages = "99"  # only the height matters here
    tall_header = Stack(builder.blocks(header)).measure(inner) if header is not None else 0.0
    tall_footer = Stack(builder.blocks(footer)).measure(inner) if footer is not None else 0.0
    floor = max(bottom, _EDGE + tall_footer + 3 * MM) if footer is not None else bottom
    below_header = height - max(top, _EDGE + tall_header + 4.5 * MM) if header is not None else height - top
    first = Frame(left, below_header if header_from == 1 else height - top, floor, inner)
    others = Frame(left, below_header, floor, inner)
    pages = break_pages(template, builder.blocks(root), first, others, ink, settings.pages, size)

    builder.pages = str(len(pages))
    for number, page in enumerate(pages, 1):
        builder.page = str(number)
        if header is not None and number >= header_from:
            Stack(builder.blocks(header)).draw(page, left, height - _EDGE, inner)
        if footer is not None:
            Stack(builder.blocks(footer)).draw(page, left, _EDGE + tall_footer, inner)
    mark = root.find("watermark")
    text = (mark.text or "").strip() if mark is not None else ""
    laid = Laid(
        pages=pages,
        size=size,
        pictures=pictures.readers,
        watermark=draw_watermark(pages[0], text, size) if text else "",
        title=root.get("title"),
        subject=settings.title,
        lang=root.get("lang", "zh-CN"),
    )
    return laid, ink


def _points(characters: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(f"U+{ord(c):04X}" for c in characters))


def _sheet(size: str) -> tuple[float, float]:
    if size[0] == "A":
        wide, tall = _SHEETS[size[:2]]
        if size.endswith("L"):
            wide, tall = tall, wide
    else:
        wide, tall = (float(part) for part in size.split("x"))
    return wide * MM, tall * MM


def _margins(value: str) -> tuple[float, float, float, float]:
    given = [float(part) * MM for part in value.split()]
    if len(given) == 1:
        given *= 4
    elif len(given) == 2:  # noqa: PLR2004  # as in CSS: vertical, horizontal
        given *= 2
    elif len(given) == 3:  # noqa: PLR2004
        given.append(given[1])
    top, right, bottom, left = given
    return top, right, bottom, left
