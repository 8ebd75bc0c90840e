"""One document, start to end, in this process."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tjapi.kernel.documents.blocks import Stack
from tjapi.kernel.documents.fonts import load_fonts
from tjapi.kernel.documents.pages import Frame, break_pages, draw_watermark, write_pdf
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


def log_missing(template: str, document: RenderedDocument) -> None:
    """Log code points without a glyph: not the text around them, which is somebody's name."""
    if document.missing_glyphs:
        _log.warning("document %s: no glyph for %s", template, " ".join(document.missing_glyphs))


def render_json(
    template: str, data: str, assets: Mapping[str, bytes], *, now: datetime, templates: Path
) -> RenderedDocument:
    """Render data given as JSON text; else like `render`, without its logging."""
    settings = manifest(templates, template)
    xml = yield_xml(templates, template, json.loads(data))
    root = parse(templates, template, xml)
    fonts = load_fonts(templates)
    ink = Ink(fonts, {**settings.theme.colours, "black": (0.0, 0.0, 0.0)}, assets)
    pictures = Pictures(template, assets)
    builder = Builder(template, settings.theme, Typesetter(fonts, ink.missing), pictures)

    width, height = _sheet(root.get("size", "A4"))
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
    pages = break_pages(template, builder.blocks(root), first, others, ink, settings.pages)

    builder.pages = str(len(pages))
    for number, page in enumerate(pages, 1):
        builder.page = str(number)
        if header is not None and number >= header_from:
            Stack(builder.blocks(header)).draw(page, left, height - _EDGE, inner)
        if footer is not None:
            Stack(builder.blocks(footer)).draw(page, left, _EDGE + tall_footer, inner)
    mark = root.find("watermark")
    text = (mark.text or "").strip() if mark is not None else ""
    pdf = write_pdf(
        pages,
        ink,
        pictures.readers,
        size=(width, height),
        title=root.get("title"),
        subject=settings.title,
        lang=root.get("lang", "zh-CN"),
        now=now,
        seed=hashlib.sha256(f"{template}\0{now.isoformat()}\0{xml}".encode()).digest(),
        watermark=draw_watermark(pages[0], text, (width, height)) if text else "",
    )
    missing = tuple(sorted(f"U+{ord(c):04X}" for c in ink.missing))
    places = [(number, *page.seal_place) for number, page in enumerate(pages, 1) if page.seal_place is not None]
    return RenderedDocument(pdf, len(pages), hashlib.sha256(pdf).hexdigest(), missing, places[-1] if places else None)


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
