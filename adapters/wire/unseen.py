"""Characters that nobody sees: one table for every door through which a text comes in (messages, files, requests). Pure.

A zero-width space pasted into a name makes two people of one; a bidirectional control shows 12 as 21. What arrives in a message or a
file is read without them; a request that holds a bidirectional or other control is refused, since its sender can be told.
Sources: Unicode 16, categories Cc and Cf; UAX 9, 2 (bidirectional controls); UTS 39, 5.4.
"""

import re
from collections.abc import Iterable

_BIDI_POINTS: tuple[int, ...] = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
# Joiners mean something between Arabic or Indic letters and between pictures, and nothing between ours: they go like the others.
_ZERO_WIDTH_POINTS: tuple[int, ...] = (
    0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x180F), 0x200B, 0x200C, 0x200D, *range(0x2060, 0x2066), *range(0x206A, 0x2070),
    0x3164, 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
)  # fmt: skip
# Tab and line feed are blanks that a text may hold; a carriage return becomes a line feed below.
_CONTROL_POINTS: tuple[int, ...] = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))


_TAGS = re.compile("[\U000e0000-\U000e007f]+")


def _class(points: Iterable[int]) -> re.Pattern[str]:
    """Compile a class of characters of the basic plane: a bitmap, where one further character would make it a list tried one by one."""
    return re.compile("[" + "".join(re.escape(chr(point)) for point in points if point < 0x10000) + "]+")  # noqa: PLR2004


_BIDI = _class(_BIDI_POINTS)
_UNSEEN = _class((*_BIDI_POINTS, *_ZERO_WIDTH_POINTS, *_CONTROL_POINTS))
_ZERO_WIDTH = _class(_ZERO_WIDTH_POINTS)
_LINE_END = re.compile(r"\r\n?|[\u0085\u2028\u2029]")


def sieved(text: str) -> str:
    """Return a text without anything unseen: no zero-width character, no bidirectional or other control; every line end is a line feed."""
    if text.isascii() and text.isprintable():
        return text
    return _TAGS.sub("", _UNSEEN.sub("", _LINE_END.sub("\n", text)))


def without_zero_width(text: str) -> str:
    """Return a text without its zero-width characters, for a request: controls in it were refused before."""
    return text if text.isascii() else _TAGS.sub("", _ZERO_WIDTH.sub("", text))


def holds_unseen(text: str) -> bool:
    """Say whether a text holds anything that is not seen: a zero-width character, a bidirectional or other control."""
    if text.isascii() and text.isprintable():
        return False
    return _UNSEEN.search(text) is not None or _TAGS.search(text) is not None


def has_bidi_control(text: str) -> bool:
    """Say whether a text holds a bidirectional control, which makes it show otherwise than it reads."""
    return not text.isascii() and _BIDI.search(text) is not None
