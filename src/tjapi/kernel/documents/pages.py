"""Breaking blocks into pages, drawing header, footer and watermark, and writing the file."""

import hashlib
import io
import itertools
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reportlab import rl_config
from reportlab.lib.utils import TimeStamp
from reportlab.pdfgen.canvas import Canvas

from tjapi.kernel.documents.blocks import Block, Filler, PageBreak, Stack, chain_head
from tjapi.kernel.documents.errors import RenderTooLarge
from tjapi.kernel.documents.surface import Ink, Surface

rl_config.useA85 = 0  # binary streams: a quarter smaller

_SLACK = 0.01
_PALE = 0.075
"""Opacity of a watermark: seen at arm's length, and no obstacle to the smallest grey print above it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the body of a page goes. Points, origin at the bottom left."""

    x: float
    top: float
    bottom: float
    width: float


@dataclass(frozen=True, slots=True)
class Laid:
    """A document laid out on pages of one size, in points, and what is written of it into the file."""

    pages: Sequence[Surface]
    size: tuple[float, float]
    pictures: Mapping[str, Any]
    watermark: str
    title: str
    subject: str
    lang: str


def break_pages(
    template: str, blocks: Sequence[Block], first: Frame, others: Frame, ink: Ink, limit: int, size: tuple[float, float]
) -> list[Surface]:
    """Draw the blocks on as many pages as they need. Raises RenderTooLarge beyond `limit` pages."""
    pages = [ink.sheet(*size)]
    queue = deque(blocks)
    frame, top, gap, empty = first, first.top, 0.0, True
    while queue:
        block = queue[0]
        space = 0.0 if empty else max(gap, block.before)
        room = top - space - frame.bottom
        if isinstance(block, Filler):
            queue.popleft()
            below = Stack([*itertools.takewhile(lambda item: not isinstance(item, PageBreak), queue)])
            top, gap, empty = top - max(0.0, room - below.before - below.measure(frame.width)), 0.0, False
            continue
        place, rest = _next(queue, frame.width, room, empty=empty)
        if place is not None:
            place.draw(pages[-1], frame.x, top - space, frame.width)
            top -= space + place.measure(frame.width)
            gap, empty = place.after, False
            queue.popleft()
            if rest is None:
                continue
            queue.appendleft(rest)
        elif isinstance(block, PageBreak):
            queue.popleft()
            if empty:
                continue
        if len(pages) == limit:
            raise RenderTooLarge(template, f"more than {limit} pages")
        pages.append(ink.sheet(*size))
        frame, top, gap, empty = others, others.top, 0.0, True
    return pages


def _next(queue: deque[Block], width: float, room: float, *, empty: bool) -> tuple[Block | None, Block | None]:
    """Tell what of the first block goes here and what stays for the next page; (None, None): all of it goes there."""
    block = queue[0]
    if isinstance(block, PageBreak):
        return None, None
    if block.keep_with_next and not empty:
        chain: list[Block] = []
        for item in queue:
            chain.append(item)
            if not item.keep_with_next:
                break
        if chain_head(chain, width) > room + _SLACK or _strands(chain, queue, width, room):
            return None, None
    if block.measure(width) <= room + _SLACK:
        return _leaving(block, queue, width, room)
    if not empty and block.head(width) > room + _SLACK:
        return None, None
    parts = block.split(width, room, force=False)
    if parts is None and empty:
        parts = block.split(width, room, force=True)
    if parts is not None:
        return parts
    # taller than a page and not to be cut: better drawn over the edge than missing from somebody's report
    return (block, None) if empty else (None, None)


def _strands(chain: Sequence[Block], queue: deque[Block], width: float, room: float) -> bool:
    """Tell whether a heading and its uncuttable block would fill this page and leave alone what must not stand alone."""
    after = queue[len(chain)] if len(queue) > len(chain) else None
    if not (isinstance(after, Stack) and after.follows) or _without_end(chain[-1], width):
        return False
    whole = Stack(chain).measure(width)
    return whole <= room + _SLACK < whole + max(chain[-1].after, after.before) + after.measure(width)


def _leaving(block: Block, queue: deque[Block], width: float, room: float) -> tuple[Block | None, Block | None]:
    """Place a block that fits; but its end goes along with what must not stand alone on the next page and does not fit on this one."""
    after = queue[1] if len(queue) > 1 else None
    if not (isinstance(after, Stack) and after.follows):
        return block, None
    tall = block.measure(width)
    if tall + max(block.after, after.before) + after.measure(width) <= room + _SLACK:
        return block, None
    return _without_end(block, width) or (block, None)


def _without_end(block: Block, width: float) -> tuple[Block, Block] | None:
    """Cut off the end of a block, unless too little would be left of it to stand where it stands."""
    parts = block.split(width, block.measure(width) - 1.0, force=False)
    return parts if parts is not None and parts[0].measure(width) >= block.head(width) - _SLACK else None


def draw_watermark(page: Surface, text: str, size: tuple[float, float]) -> str:
    """Make the operators of a pale diagonal text repeated over a page of `size`, below what is read."""
    wide, tall = size
    points = max(7.0, min(wide, tall) / 13)
    angle = math.radians(28)
    cos, sin = math.cos(angle), math.sin(angle)
    ink = page.ink
    segments = ink.fonts.segments(text, bold=True, missing=ink.missing)
    length = points * sum(sum(map(face.widths.__getitem__, part)) for face, part in segments)
    out = ["BT", ink.fill("accent")]
    step_x, step_y = length + points * 3.4, points * 5.2
    for row in range(math.ceil(tall / step_y) + 1):
        for column in range(-1, math.ceil(wide / step_x) + 1):
            x = column * step_x + (row % 2) * step_x / 2
            y = (row + 0.4) * step_y
            for face, part in segments:
                embedded = ink.embedded(face)
                codes = "".join(map(embedded.__getitem__, part))
                out.append(f"/{embedded.resource} {points:.5g} Tf")
                out.append(f"{cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f} {x:.2f} {y:.2f} Tm <{codes}> Tj")
                advance = points * sum(map(face.widths.__getitem__, part))
                x, y = x + advance * cos, y + advance * sin
    out.append("ET")
    return "\n".join(out)


def write_pdf(documents: Sequence[Laid], ink: Ink, *, now: datetime, seed: bytes) -> bytes:
    """Write documents into one file, which bears the name of the first. Same pages, `now` and `seed` → same bytes.

    Dates come from `now`, the file id from `seed`. `ink` is that of any of the documents: they share their fonts.
    """
    buffer = io.BytesIO()
    first = documents[0]
    canvas: Any = Canvas(buffer, pagesize=first.size, pageCompression=1, invariant=1, lang=first.lang)
    doc = canvas._doc  # noqa: SLF001
    # reportlab announces Helvetica on every page; nothing of ours uses it and it is not embedded
    canvas._preamble = "1 0 0 1 0 0 cm"  # noqa: SLF001
    doc.idToObject["BasicFonts"].dict.clear()
    doc.fontMapping.clear()
    doc._timeStamp = _stamp(now)  # noqa: SLF001
    doc.signature = hashlib.md5(seed, usedforsecurity=False)
    canvas.setTitle(first.title)
    canvas.setSubject(first.subject)
    canvas.setAuthor("")
    canvas.setCreator("tjapi")
    for document in documents:
        canvas._pagesize = document.size  # noqa: SLF001  # setPageSize() would bring Helvetica back
        for page in document.pages:
            if document.watermark:
                canvas.saveState()
                canvas.setFillAlpha(_PALE)
                canvas.addLiteral(document.watermark)
                canvas.restoreState()
            page.emit(canvas, document.pictures)
            canvas.showPage()
    doc.delayedFonts.extend(ink.used)
    canvas.save()
    return buffer.getvalue()


def _stamp(now: datetime) -> Any:
    stamp = TimeStamp(1)
    stamp.YMDhms = now.timetuple()[:6]
    offset = now.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    stamp.dhh, stamp.dmm = int(minutes / 60), abs(minutes) % 60
    return stamp
