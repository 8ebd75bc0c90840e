"""Which characters the fonts have, without parsing an outline: for a desk that must know before anything is printed. Pure but for reading the files."""

import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from struct import iter_unpack, unpack_from

from tjapi.kernel.documents.fonts import INVISIBLE

_UNICODE_FULL, _UNICODE_BMP = 12, 4
_LAST = 0xFFFF


class Coverage:
    """The code points of all faces of a folder of fonts, as spans."""

    def __init__(self, folder: Path) -> None:
        spec = tomllib.loads((folder / "fonts.toml").read_text("utf-8"))
        self._faces = [_spans(folder / name) for name in spec["regular"]]

    def has(self, character: str) -> bool:
        """Say whether a face draws a character."""
        point = ord(character)
        for firsts, lasts in self._faces:
            at = bisect_right(firsts, point) - 1
            if at >= 0 and point <= lasts[at]:
                return True
        return False

    def missing(self, text: str) -> list[str]:
        """Return the characters of a text that no face has, in order, each once; blanks and invisible marks do not count."""
        seen = dict.fromkeys(INVISIBLE.sub("", "".join(text.split())))
        return [character for character in seen if not self.has(character)]


@lru_cache(maxsize=4)
def coverage(templates: Path) -> Coverage:
    """Return what the faces of `templates/_shared/fonts` have, read once per process (some milliseconds)."""
    return Coverage((templates / "_shared" / "fonts").resolve())


def _spans(path: Path) -> tuple[list[int], list[int]]:
    """Return the first and last code points of the spans of one TrueType file (its table `cmap`, formats 12 and 4)."""
    data = path.read_bytes()
    tables = dict(_tables(data))
    start = tables[b"cmap"]
    (count,) = unpack_from(">H", data, start + 2)
    found: dict[int, int] = {}
    for at in range(start + 4, start + 4 + 8 * count, 8):
        offset = start + unpack_from(">I", data, at + 4)[0]
        found[unpack_from(">H", data, offset)[0]] = offset
    spans = sorted(_full(data, found[_UNICODE_FULL]) if _UNICODE_FULL in found else _basic(data, found[_UNICODE_BMP]))
    return [first for first, _ in spans], [last for _, last in spans]


def _tables(data: bytes) -> Iterator[tuple[bytes, int]]:
    (count,) = unpack_from(">H", data, 4)
    for tag, _, start, _ in iter_unpack(">4sIII", data[12 : 12 + 16 * count]):
        yield tag, start


def _full(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    (groups,) = unpack_from(">I", data, at + 12)
    for first, last, glyph in iter_unpack(">III", data[at + 16 : at + 16 + 12 * groups]):
        # Glyph 0 is the mark of what is missing.
        yield first + (glyph == 0), last


def _basic(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    (twice,) = unpack_from(">H", data, at + 6)
    segments = twice // 2
    lasts = unpack_from(f">{segments}H", data, at + 14)
    firsts = unpack_from(f">{segments}H", data, at + 16 + twice)
    for first, last in zip(firsts, lasts, strict=True):
        if last != _LAST:
            yield first, last
