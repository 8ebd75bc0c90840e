"""A printer made of Python, for whoever tests labels: reads ZPL and TSPL, refuses what it does not know, and shows the paper.

It is written from the printers' manuals as we know them, not from the writer in `kernel.documents.labels`: a second opinion.
"""

import re
from dataclasses import dataclass, field

import zxingcpp
from PIL import Image

from tjapi.kernel.documents.codes import code128

_COUNTS = {**{chr(ord("G") + i): i + 1 for i in range(19)}, **{chr(ord("g") + i): 20 * (i + 1) for i in range(20)}}


@dataclass
class Paper:
    """One label as it comes out: its size in dots, what was drawn, the values of its bar codes."""

    width: int = 0
    height: int = 0
    sheet: Image.Image = field(default_factory=lambda: Image.new("L", (1, 1), 255))
    values: list[str] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    """Light room beside each bar code, in modules."""

    def size(self, width: int, height: int) -> None:
        self.width, self.height, self.sheet = width, height, Image.new("L", (width, height), 255)

    def graphic(self, x: int, y: int, wide: int, rows: list[bytes]) -> None:
        assert x + wide * 8 <= self.width + 7, "wider than the label"
        assert y + len(rows) <= self.height, "below the label"
        black = Image.frombytes("1", (wide * 8, len(rows)), b"".join(rows))
        self.sheet.paste(0, (x, y), black)

    def bars(self, x: int, y: int, height: int, module: int, value: str) -> None:
        modules, bars = code128(value)
        assert y + height <= self.height, "below the label"
        for at, wide in bars:
            self.sheet.paste(0, (x + at * module, y, x + (at + wide) * module, y + height))
        self.values.append(value)
        self.quiet += [x / module, (self.width - x - modules * module) / module]

    def scanned(self) -> list[str]:
        """What a scanner reads: the label is enlarged, with no room around it that it has not itself."""
        shown = self.sheet.resize((self.width * 2, self.height * 2), Image.Resampling.NEAREST)
        return sorted(code.text for code in zxingcpp.read_barcodes(shown))


@dataclass
class _Field:
    """Where the next field stands, and how its bars are to be drawn."""

    x: int = 0
    y: int = 0
    module: int = 0
    tall: int = 0
    escaped: bool = False


def read_zpl(script: bytes) -> list[Paper]:
    """Print ZPL."""
    text = script.decode("ascii")  # and nothing else
    papers: list[Paper] = []
    label, place = None, _Field()
    for command, body in re.findall(r"([\^~][A-Z@][A-Z0-9@]?)([^\^~]*)", text.replace("\n", "")):
        if command == "^XA":
            assert label is None, "a label within a label"
            label, place = Paper(), _Field()
            continue
        assert label is not None, f"{command} outside of a label"
        if command == "^XZ":
            papers.append(label)
            label = None
        elif command in ("^CI", "^PW", "^LL", "^LH", "^PQ"):
            _set_up(label, command, body)
        else:
            _draw(label, place, command, body)
    assert label is None, "a label without an end"
    return papers


def _set_up(label: Paper, command: str, body: str) -> None:
    if command == "^PW":
        label.width = int(body)
    elif command == "^LL":
        label.size(label.width, int(body))
    else:
        assert body == {"^CI": "28", "^LH": "0,0", "^PQ": "1"}[command]


def _draw(label: Paper, place: _Field, command: str, body: str) -> None:
    match command:
        case "^FO":
            place.x, place.y = map(int, body.split(","))
            place.escaped = False
        case "^GF":
            kind, total, count, step, data = body.split(",", 4)
            assert (kind, total) == ("A", count)
            rows = _rows(data, int(step))
            assert len(rows) * int(step) == int(count)
            label.graphic(place.x, place.y, int(step), rows)
        case "^BY":
            place.module = int(body)
        case "^BC":
            turned, tall, *rest = body.split(",")
            assert (turned, rest) == ("N", ["N", "N", "N", "A"])
            place.tall = int(tall)
        case "^FH":
            place.escaped = body == "_"
        case "^FD":
            said = re.sub(r"_([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), body) if place.escaped else body
            label.bars(place.x, place.y, place.tall, place.module, said.replace(">0", ">"))
        case _:
            assert (command, body) == ("^FS", ""), f"unknown command {command}"


def _rows(data: str, step: int) -> list[bytes]:
    """Read ^GFA's data: hex digits, counted runs, `,` for a rest of zeros, `:` for the row above."""
    rows: list[str] = []
    line, count = "", 0
    for sign in data:
        if sign in _COUNTS:
            count += _COUNTS[sign]
            continue
        if sign == ":":
            assert not line, "a repetition within a row"
            rows.append(rows[-1])
        elif sign == ",":
            line = line.ljust(step * 2, "0")
        else:
            line += sign * (count or 1)
        count = 0
        assert len(line) <= step * 2, "a row too long"
        if len(line) == step * 2:
            rows.append(line)
            line = ""
    assert not line, "half a row"
    return [bytes.fromhex(row) for row in rows]


def read_tspl(script: bytes) -> list[Paper]:
    """Print TSPL."""
    papers: list[Paper] = []
    label = Paper()
    while script:
        if bitmap := re.match(rb"BITMAP (\d+),(\d+),(\d+),(\d+),0,", script):
            x, y, wide, tall = map(int, bitmap.groups())
            data = script[bitmap.end() : bitmap.end() + wide * tall]
            assert len(data) == wide * tall, "a bitmap cut short"
            dark = bytes(255 - byte for byte in data)
            label.graphic(x, y, wide, [dark[i * wide : (i + 1) * wide] for i in range(tall)])
            script = script[bitmap.end() + wide * tall :].removeprefix(b"\r\n")
            continue
        line, _, script = script.partition(b"\r\n")
        said = line.decode("ascii")
        if found := re.fullmatch(r"SIZE (\d+) mm,(\d+) mm", said):
            label = Paper()
            label.size(int(found[1]) * 8, int(found[2]) * 8)
        elif found := re.fullmatch(r'BARCODE (\d+),(\d+),"128",(\d+),0,0,(\d+),(\d+),"((?:[^"\\]|\\\["\]|\\)*)"', said):
            assert found[4] == found[5]
            value = found[6].replace('\\["]', '"')
            label.bars(int(found[1]), int(found[2]), int(found[3]), int(found[4]), value)
        elif said == "PRINT 1,1":
            papers.append(label)
        else:
            assert said in ("GAP 2 mm,0 mm", "DIRECTION 1", "CLS"), f"unknown command {said}"
    return papers
