"""Fonts: which face draws which character, how wide it is, and how it is embedded.

Faces are parsed once per process. A document embeds one subset per face as a composite (Type0, Identity-H) font:
reportlab's own TrueType embedding splits a Chinese text over many 256-character fonts and writes a wrong ToUnicode map
for characters outside the BMP, so that a name such as 𠮷 could not be copied out of the file.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from struct import pack, unpack_from
from typing import Any

from reportlab.pdfbase import pdfdoc
from reportlab.pdfbase.ttfonts import TTFontFile, TTFontMaker

MISSING = "〓"
"""Drawn where no face has the character (the printers' geta mark)."""

# Variation selectors, joiners, direction marks, BOM: they draw nothing and no face lists them.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")

_SHORT_OFFSETS = 2 * 0xFFFF
"""Up to here `loca` counts words in two bytes."""
_EM = 1000
_BLOCK = 100
"""Entries of a block of a ToUnicode map, at most (Adobe note 5014)."""
_GLYPH_HEAD = 10
_MORE_COMPONENTS = 0x20
_WORDS = 0x01
_SCALE, _XY_SCALE, _TWO_BY_TWO = 0x08, 0x40, 0x80


class Face:
    """One TrueType file, parsed: character → glyph, and advance widths in em."""

    def __init__(self, path: Path) -> None:
        font: Any = TTFontFile(str(path), validate=0)
        self.path = path
        self.font = font
        self.name: str = font.name.decode("ascii")
        self.glyphs: dict[str, int] = {chr(code): glyph for code, glyph in font.charToGlyph.items()}
        self.characters = frozenset(self.glyphs)
        scale = 1 / font.unitsPerEm
        self.widths: dict[str, float] = {c: font.hmetrics[g][0] * scale for c, g in self.glyphs.items()}
        self._glyf_start: int = font.get_table_pos("glyf")[0]

    def subset(self, glyphs: list[int]) -> bytes:
        """Build a font program holding these glyphs at indexes 0, 1, 2 … (parts of composite glyphs follow them)."""
        font = self.font
        order = list(glyphs)
        place: dict[int, int] = {}
        for index, glyph in enumerate(order):
            place.setdefault(glyph, index)
        outlines: list[bytes] = []
        for glyph in order:  # grows while we walk: components are appended
            start, end = font.glyphPos[glyph], font.glyphPos[glyph + 1]
            data = bytearray(font._ttf_data[self._glyf_start + start : self._glyf_start + end])  # noqa: SLF001
            if len(data) > _GLYPH_HEAD and data[0] & 0x80:  # fewer than 0 contours: composite
                _renumber_components(data, order, place)
            outlines.append(bytes(data) + b"\0" * (-len(data) % 2))
        offsets = [0]
        for outline in outlines:
            offsets.append(offsets[-1] + len(outline))
        metrics = [int(value) & 0xFFFF for glyph in order for value in font.hmetrics[glyph]]
        out: Any = TTFontMaker()
        head, hhea, maxp = (bytearray(font.get_table(tag)) for tag in ("head", "hhea", "maxp"))
        short = offsets[-1] <= _SHORT_OFFSETS
        head[50:52] = pack(">H", not short)
        hhea[34:36] = pack(">H", len(order))
        maxp[4:6] = pack(">H", len(order))
        out.add("head", bytes(head))
        out.add("hhea", bytes(hhea))
        out.add("maxp", bytes(maxp))
        out.add("hmtx", pack(f">{len(metrics)}H", *metrics))
        out.add(
            "loca",
            pack(f">{len(offsets)}H", *(offset // 2 for offset in offsets))
            if short
            else pack(f">{len(offsets)}L", *offsets),
        )
        out.add("glyf", b"".join(outlines))
        program: bytes = out.makeStream()
        return program


def _renumber_components(data: bytearray, order: list[int], place: dict[int, int]) -> None:
    position, flags = _GLYPH_HEAD, _MORE_COMPONENTS
    while flags & _MORE_COMPONENTS:
        flags, glyph = unpack_from(">HH", data, position)
        if glyph not in place:
            place[glyph] = len(order)
            order.append(glyph)
        data[position + 2 : position + 4] = pack(">H", place[glyph])
        position += 8 if flags & _WORDS else 6
        if flags & _SCALE:
            position += 2
        elif flags & _XY_SCALE:
            position += 4
        elif flags & _TWO_BY_TWO:
            position += 8


class EmbeddedFace(dict[str, str]):
    """A face as one document uses it: character → its code there, as four hex digits, given out on first use."""

    def __init__(self, face: Face, resource: str) -> None:
        super().__init__()
        self.face = face
        self.resource = resource
        self._order: list[str] = []

    def __missing__(self, character: str) -> str:
        self._order.append(character)
        code = self[character] = f"{len(self._order):04x}"
        return code

    def addObjects(self, doc: Any) -> None:  # noqa: N802
        """Write the subset into `doc`. The name is reportlab's: it calls this for every `delayedFonts` entry."""
        face, font = self.face, self.face.font
        name = f"TJ{self.resource}AA+{face.name}"
        program = self._stream(face.subset([0, *(face.glyphs[c] for c in self._order)]))
        program.dictionary["Length1"] = len(program.content)
        descriptor = pdfdoc.PDFDictionary(
            {
                "Type": "/FontDescriptor",
                "FontName": pdfdoc.PDFName(name),
                "Flags": 4,
                "FontBBox": pdfdoc.PDFArray(font.bbox),
                "ItalicAngle": 0,
                "Ascent": font.ascent,
                "Descent": font.descent,
                "CapHeight": font.capHeight,
                "StemV": font.stemV,
                "FontFile2": doc.Reference(program, f"{self.resource}.program"),
            }
        )
        system = {"Registry": pdfdoc.PDFString("Adobe"), "Ordering": pdfdoc.PDFString("Identity"), "Supplement": 0}
        descendant = pdfdoc.PDFDictionary(
            {
                "Type": "/Font",
                "Subtype": "/CIDFontType2",
                "BaseFont": pdfdoc.PDFName(name),
                "CIDSystemInfo": pdfdoc.PDFDictionary(system),
                "FontDescriptor": doc.Reference(descriptor, f"{self.resource}.descriptor"),
                "DW": _EM,
                "W": self._widths(),
                "CIDToGIDMap": "/Identity",
            }
        )
        composite = pdfdoc.PDFDictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": pdfdoc.PDFName(name),
                "Encoding": "/Identity-H",
                "DescendantFonts": pdfdoc.PDFArray([doc.Reference(descendant, f"{self.resource}.descendant")]),
                "ToUnicode": doc.Reference(self._stream(self._to_unicode()), f"{self.resource}.unicode"),
            }
        )
        doc.idToObject["BasicFonts"].dict[self.resource] = doc.Reference(composite, f"{self.resource}.font")

    @staticmethod
    def _stream(content: bytes) -> Any:
        stream = pdfdoc.PDFStream(content=content, filters=[pdfdoc.PDFZCompress])
        stream.content = content
        return stream

    def _widths(self) -> str:
        """List the widths that are not one em: runs of them behind their first code."""
        out: list[str] = []
        for full, run in groupby(enumerate(self._order, 1), lambda pair: round(self.face.widths[pair[1]] * _EM) == _EM):
            if not full:
                pairs = list(run)
                out.append(f"{pairs[0][0]} [{' '.join(str(round(self.face.widths[c] * _EM)) for _, c in pairs)}]")
        return f"[{' '.join(out)}]"

    def _runs(self, start: int) -> Iterator[str]:
        """Say which characters the codes from `start` stand for: runs must not cross a first byte, nor hold more than a block."""
        for first in range(start or 1, min(start + 256, len(self._order) + 1), _BLOCK):
            last = min(first + _BLOCK, start + 256, len(self._order) + 1) - 1
            texts = " ".join(f"<{c.encode('utf-16-be').hex()}>" for c in self._order[first - 1 : last])
            yield f"<{first:04x}> <{last:04x}> [{texts}]"

    def _to_unicode(self) -> bytes:
        lines = ["/CIDInit /ProcSet findresource begin 12 dict begin begincmap"]
        lines.append("/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def")
        lines.append("/CMapName /Adobe-Identity-UCS def /CMapType 2 def")
        lines.append("1 begincodespacerange <0000> <ffff> endcodespacerange")
        runs = [run for start in range(0, len(self._order) + 1, 256) for run in self._runs(start)]
        for start in range(0, len(runs), _BLOCK):
            block = runs[start : start + _BLOCK]
            lines += [f"{len(block)} beginbfrange", *block, "endbfrange"]
        lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
        return "\n".join(lines).encode("ascii")


class FontSet:
    """The regular and bold chains of faces: the first face that has a character draws it."""

    def __init__(self, folder: Path) -> None:
        spec = tomllib.loads((folder / "fonts.toml").read_text("utf-8"))
        self._folder = folder
        self._chains: dict[bool, list[str]] = {False: spec["regular"], True: spec["bold"]}
        self.regular = load_face(folder / spec["regular"][0])
        self.bold = load_face(folder / spec["bold"][0])

    def chain(self, *, bold: bool) -> Iterable[Face]:
        """Yield the faces in order of preference; rare ones are parsed only when somebody's name asks for them."""
        yield self.bold if bold else self.regular
        for name in self._chains[bold][1:]:
            yield load_face(self._folder / name)

    def segments(self, text: str, *, bold: bool, missing: set[str]) -> list[tuple[Face, str]]:
        """Cut `text` where the face changes. Characters no face has become 〓 and are added to `missing`."""
        first = self.bold if bold else self.regular
        if first.characters.issuperset(text):
            return [(first, text)]
        out: list[tuple[Face, str]] = []
        for character in INVISIBLE.sub("", text):
            shown = character
            face = self._face_of(character, bold=bold)
            if face is None:
                missing.add(character)
                shown, face = MISSING, first
            if out and out[-1][0] is face:
                out[-1] = (face, out[-1][1] + shown)
            else:
                out.append((face, shown))
        return out

    def missing(self, text: str) -> set[str]:
        """Tell the characters of `text` that no face has."""
        rest = set(INVISIBLE.sub("", text)) - self.regular.characters
        return {c for c in rest if self._face_of(c, bold=False) is None}

    def _face_of(self, character: str, *, bold: bool) -> Face | None:
        for face in self.chain(bold=bold):
            if character in face.characters:
                return face
        return None


@lru_cache(maxsize=16)
def load_face(path: Path) -> Face:
    """Parse a TrueType file, once per process."""
    return Face(path)


@lru_cache(maxsize=4)
def load_fonts(templates: Path) -> FontSet:
    """Parse the faces of `templates/_shared/fonts`, once per process (about 0.2 s)."""
    return FontSet((templates / "_shared" / "fonts").resolve())


def missing_glyphs(text: str, *, templates: Path) -> set[str]:
    """Tell the characters of `text` that would be drawn as 〓. Line breaks and invisible marks do not count."""
    return load_fonts(templates).missing("".join(text.split()))
