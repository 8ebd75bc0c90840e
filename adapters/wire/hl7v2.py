r"""HL7 v2 in ER7 (vertical bar) encoding: decode, read lazily, build, acknowledge. HL7 v2.5.1 chapter 2.

Bytes become text *before* anything is split: GB18030 has some 440 characters whose second byte is one of ``| ^ ~ \``
(陈珅 among them), and splitting bytes cuts such a name in two. A message is split only as far as somebody looks, which
makes a 40-line report cost what its MSH costs when all that is wanted is an acknowledgement.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

AckCode = Literal["AA", "AE", "AR"]
Component = str | tuple[str, ...]
Field = str | tuple[Component, ...] | list[str | tuple[Component, ...]]
"""What a field is built from: text; a tuple of components (a tuple in it: subcomponents); a list of repetitions."""

_UTF8 = "utf-8"
_GB = "gb18030"
_LATIN = "iso-8859-1"
CHARSETS = (_UTF8, _GB, _LATIN)
"""Python's names of what a message may be read in."""
# HL7 table 0211 plus what senders in China really write; GB18030 contains GBK, which contains GB2312
_CHARSETS = {
    "UNICODEUTF8": _UTF8,
    "UTF8": _UTF8,
    "GB18030": _GB,
    "GB180302000": _GB,
    "GB180302005": _GB,
    "GB180302022": _GB,
    "GBK": _GB,
    "CP936": _GB,
    "GB2312": _GB,
    "GB231280": _GB,
    "UNICODE": _UTF8,  # what Mindray's instruments declare, and mean
    "88591": _LATIN,
    "ISO88591": _LATIN,
    "LATIN1": _LATIN,
}
# ASCII is what HL7 takes for granted where nothing is declared: who writes it has mostly not thought of Chinese at all.
_UNDECLARED = {"", "ASCII", "USASCII", "ISOIR6"}
# What laboratories write in two bytes of UTF-8. Any other such character is more likely a Chinese one of GB18030 (郑伟 is valid UTF-8, and Hebrew).
_TWO_BYTE_SIGNS = frozenset("°±²³µ¹·×÷ΔΩαβγδμω")
_BLANK = bytes(range(0x21))
_END = b"\r\n\0"  # not blanks: the last field may end in one
_BLANK_OR_BOM = _BLANK + b"\xef\xbb\xbf"
# Where a message or a part of a batch begins. CR and LF are never part of a longer character, neither in UTF-8 nor in GB18030.
_HEAD = re.compile(
    rb"(?:\A|[\r\n])[ \t\0]{0,8}(?:\xef\xbb\xbf)?((?:MSH|FHS|BHS)(?=[!-/:-@\[-`{-~])|(?:BTS|FTS)(?![A-Za-z0-9]))"
)
_JUNK = "".join(map(chr, range(0x21))) + "\x7f\ufeff"
_MAX_ACK_TEXT = 80  # MSA-3 is ST(80)
_MAX_CONTROL_ID = 199  # MSH-10 is ST(20) up to v2.6 and ST(199) from v2.7


class UndecodableMessage(ValueError):  # noqa: N818 - named for the finding
    """The bytes are not HL7 v2 text in a charset we can be sure of. The message names the reason, never the content."""


class CharsetDoubtful(UndecodableMessage):
    """The bytes are HL7, but which text they are cannot be told for sure: a person says it, having seen the readings."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one frame holds: mostly one message. `faults` name what is wrong with the batch around them, never content."""

    messages: tuple[bytes, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Separators:
    """MSH-1 and MSH-2. An empty one is not in use in this message."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent


STANDARD = Separators()


class Segment:
    """One segment. Numbers are HL7's own: fields, repetitions, components and subcomponents count from 1."""

    __slots__ = ("_charset", "_fields", "_repetitions", "_separators", "name")

    def __init__(self, line: str, separators: Separators, charset: str) -> None:
        """`line` is the segment's text without its line end."""
        fields = line.split(separators.field)
        self.name = fields[0]
        if self.name == "MSH":
            fields.insert(1, separators.field)  # MSH-1 is the separator itself
        self._fields = fields
        self._separators = separators
        self._charset = charset
        self._repetitions: dict[int, list[str]] = {}

    def __len__(self) -> int:
        """Return the number of the last field present."""
        return len(self._fields) - 1

    def field(self, number: int) -> str:
        """Return the field exactly as sent, escapes and all; empty when absent."""
        return self._fields[number] if number < len(self._fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Return the field's repetitions exactly as sent; no repetition when it is absent or empty."""
        # kept: whoever walks a million repetitions must not split them a million times
        if number not in self._repetitions:
            field = self.field(number)
            separator = "" if self._is_msh2(number) else self._separators.repetition
            self._repetitions[number] = _split(field, separator) if field else []
        return self._repetitions[number]

    def components(self, number: int, repetition: int = 1) -> list[str]:
        """Return one repetition's components exactly as sent."""
        repetitions = self.repetitions(number)
        if repetition > len(repetitions):
            return []
        return _split(repetitions[repetition - 1], "" if self._is_msh2(number) else self._separators.component)

    def value(self, number: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> str:
        """Return one unescaped value, empty when absent: `value(3)` of ``PID|1||7^^^A&B~8`` is ``7``."""
        components = self.components(number, repetition)
        if component > len(components):
            return ""
        if self._is_msh2(number):
            return components[0]
        subcomponents = _split(components[component - 1], self._separators.subcomponent)
        return self._unescape(subcomponents[subcomponent - 1]) if subcomponent <= len(subcomponents) else ""

    def values(self, number: int, component: int = 1) -> list[str]:
        """Return that component's value of each repetition: the field is split once, however many there are."""
        found = []
        for repetition in self.repetitions(number):
            components = _split(repetition, self._separators.component)
            whole = components[component - 1] if component <= len(components) else ""
            found.append(self._unescape(_split(whole, self._separators.subcomponent)[0]))
        return found

    def text(self, number: int) -> str:
        """Return the whole field unescaped and *not* split: for free text whose sender forgot to escape (3.5~9.5)."""
        return self.field(number) if self._is_msh2(number) else self._unescape(self.field(number))

    def parts(self, number: int, repetition: int = 1) -> list[str]:
        """Return one repetition's components unescaped, each with all of its subcomponents: for texts, whose senders forget to escape `&`."""
        return [self._unescape(part) for part in self.components(number, repetition)]

    def blank(self) -> bool:
        """Say whether nothing is in it but its name and, where it has one, its number (field 1)."""
        return not any(field.strip(_JUNK) for field in self._fields[2:])

    def texts(self, number: int) -> list[str]:
        """Return each repetition unescaped and not split further: the lines of a TX or FT."""
        return [self._unescape(repetition) for repetition in self.repetitions(number)]

    def _is_msh2(self, number: int) -> bool:
        return self.name == "MSH" and number <= 2  # noqa: PLR2004 - MSH-1 and MSH-2 are the separators themselves

    def _unescape(self, text: str) -> str:
        return unescape(text, self._separators, self._charset)


class Message:
    """A decoded message. `charset` is Python's name of what it was decoded from; `text` is all of it."""

    def __init__(self, text: str, separators: Separators, charset: str) -> None:
        """Use `decode`; this constructor checks nothing."""
        self.text = text
        self.separators = separators
        self.charset = charset

    @functools.cached_property
    def header(self) -> Segment:
        """MSH, split without touching the rest of the message."""
        line = re.split(r"[\r\n]", self.text, maxsplit=1)[0]
        return Segment(line, self.separators, self.charset)

    @functools.cached_property
    def _lines(self) -> tuple[list[str], list[str]]:
        """Segments, and lines that are none.

        CR ends a segment; LF does so only before something that looks like one, because vendors put bare LF in text.
        """
        separator = re.escape(self.separators.field)
        looks_like_segment = re.compile(rf"[A-Z][A-Z0-9]{{2}}(?:{separator}|$)")
        segments: list[str] = []
        stray: list[str] = []
        for line in re.split(rf"\r\n?|\n(?=[A-Z][A-Z0-9]{{2}}{separator})", self.text):
            content = line.strip("\n")
            if looks_like_segment.match(content):
                segments.append(content)
            elif content.strip(_JUNK):
                stray.append(content)
        return segments, stray

    @functools.cached_property
    def segments(self) -> list[Segment]:
        """Every segment in order, MSH first."""
        return [Segment(line, self.separators, self.charset) for line in self._lines[0]]

    @property
    def stray_lines(self) -> list[str]:
        """Lines that are neither segments nor blanks: somebody's text broken by a CR. A careful reader refuses these."""
        return self._lines[1]

    def all(self, name: str) -> list[Segment]:
        """Return every segment of that name, in order."""
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of that name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def message_id(self) -> str:
        """MSH-10, the sender's control id; empty when the sender gave none."""
        return self.header.text(10).strip()

    def not_production(self) -> str:
        """Say why this is nobody's own result, by place; empty where it may be one.

        MSH-11 (table 0103) says P of what counts; T is training, D debugging, Q the quality control of an analyser. Analysers of several
        makers say in MSH-16, which holds a word elsewhere, that a result is a calibration's (1) or a control's (2).
        """
        processing = unicodedata.normalize("NFKC", self.header.value(11)).strip().upper()
        if processing not in ("", "P", '""'):
            return "MSH-11 is not P: no patient's result"
        kind = unicodedata.normalize("NFKC", self.header.value(16)).strip()
        return "MSH-16 names a calibration or a control" if re.fullmatch(r"0*[1-9]\d*", kind, re.ASCII) else ""

    def message_type(self) -> str:
        """MSH-9 as ``ORU^R01`` whatever the message's separators; ``ACK`` where there is no event."""
        kind, event = self.header.value(9, 1), self.header.value(9, 2)
        return f"{kind}^{event}" if event else kind


def split(raw: bytes) -> Batch:
    """Part what one frame holds into its messages: FHS, BHS, BTS and FTS are taken off, and the counts they give compared.

    A single message comes back byte for byte. Never raises.
    """
    heads = list(_HEAD.finditer(raw))
    if len(heads) <= 1:
        alone = not heads or heads[0][1] == b"MSH"
        return Batch((raw,)) if alone else Batch((), ("a batch without messages",))
    messages: list[bytes] = []
    faults = ["text before the first segment"] if raw[: heads[0].start()].strip(_BLANK_OR_BOM) else []
    batches = in_batch = 0
    ends = [head.start() for head in heads[1:]] + [len(raw)]
    for head, end in zip(heads, ends, strict=True):
        name, piece = head[1], raw[head.start(1) : end]
        if name == b"MSH":
            messages.append(piece.rstrip(_BLANK) + b"\r")
            in_batch += 1
            continue
        line, *rest = re.split(rb"[\r\n]", piece, maxsplit=1)
        if rest and rest[0].strip(_BLANK):
            faults.append(f"text after {name.decode()} that belongs to no message")
        if name == b"BHS":
            batches, in_batch = batches + 1, 0
        elif name == b"BTS":
            faults += _miscounted(line, in_batch, "messages")
            in_batch = 0
        elif name == b"FTS":
            faults += _miscounted(line, batches or 1, "batches")
    if not messages:
        faults.append("a batch without messages")
    return Batch(tuple(messages), tuple(faults))


def _miscounted(line: bytes, found: int, what: str) -> list[str]:
    said = re.match(rb"...[^A-Za-z0-9]\s*(\d{1,9})", line)
    if said is None or int(said[1]) == found:
        return []
    return [f"{line[:3].decode()}-1 says {int(said[1])} {what}, {found} are here"]


def decode(raw: bytes, charset: str | None = None) -> Message:
    """Turn bytes into a message.

    The charset is MSH-18's where we know it, and must then hold strictly; where nothing is declared UTF-8, then GB18030, both strictly.
    Bytes that are no ASCII are doubtful under a name that we do not know, and under GB18030 if they are UTF-8 as well: a byte order that
    eats separators makes `mmol/L` of a 28.1. `charset` is what a person chose, having seen the readings: what does not hold is replaced.
    Raises `UndecodableMessage`, which `CharsetDoubtful` is; nothing else, whatever the bytes.
    """
    body = raw.lstrip(_BLANK_OR_BOM).rstrip(_END)
    if not body.startswith(b"MSH"):
        raise UndecodableMessage("does not begin with MSH")
    if charset is not None:
        text = body.decode(charset, errors="replace")
        return Message(text, _separators(text), charset)
    declared, unknown = _declared_charset(body)
    if not body.isascii():
        if unknown:
            raise CharsetDoubtful("MSH-18 names a charset that we do not know")
        if declared == _GB and _reads_as_utf8(body):
            raise CharsetDoubtful("declared GB18030, but all of it is UTF-8")
        if declared == _LATIN and re.search(rb"[\x80-\x9f]", body):
            raise CharsetDoubtful("not valid ISO 8859-1 text")
    for name in (declared,) if declared else (_UTF8, _GB):
        try:
            text = body.decode(name)
        except UnicodeDecodeError:
            continue
        return Message(text, _separators(text), name)
    _separators(
        _header_bytes(body).decode(_LATIN)
    )  # what is no HL7 at all says so, rather than in which charset it is none
    raise CharsetDoubtful(f"not valid {declared or 'UTF-8 or GB18030'} text")


def _reads_as_utf8(body: bytes) -> bool:
    try:
        strange = {char for char in body.decode(_UTF8) if not char.isascii()}
    except UnicodeDecodeError:
        return False
    return any(char >= "\u0800" for char in strange) or strange <= _TWO_BYTE_SIGNS


def control_id(raw: bytes) -> str | None:
    """MSH-10 read from bytes that may not decode as a whole; None where it cannot be told or is not plain ASCII."""
    header = _header_bytes(raw.lstrip(_BLANK_OR_BOM))
    for charset in (_UTF8, _GB, "latin-1"):
        try:
            text = header.decode(charset)
            found = Segment(text, _separators(text), charset).field(10).strip()
        except ValueError:
            continue
        return found if found.isascii() and found.isprintable() and 0 < len(found) <= _MAX_CONTROL_ID else None
    return None


def ack(message: Message, code: AckCode, text: str, now: datetime, our_control_id: str) -> bytes:
    """Answer a message in its sender's charset and separators (original acknowledgement mode, chapter 2.9.2).

    MSA-2 repeats MSH-10 as it came. `text` is shortened to MSA-3's 80 characters.
    """
    header = message.header
    trigger = header.value(9, 2)
    msh = _header_line(
        message.separators,
        # who received it answers, so the two parties change places
        [header.field(5), header.field(6), header.field(3), header.field(4)],
        [_timestamp(now), "", _field(("ACK", trigger, "ACK") if trigger else ("ACK",), message.separators)],
        [our_control_id, header.field(11) or "P", header.field(12) or "2.4", "", "", "", "", "", header.field(18)],
    )
    msa = message.separators.field.join(
        ["MSA", code, header.field(10), escape(text[:_MAX_ACK_TEXT], message.separators)]
    )
    return f"{msh}\r{msa}\r".encode(message.charset, errors="replace")


def nack(raw: bytes, code: AckCode, text: str, now: datetime, our_control_id: str) -> bytes:
    """Answer bytes that could not be decoded, as well as can be: pure ASCII, with their control id where it shows."""
    msh = _header_line(STANDARD, ["", "", "", ""], [_timestamp(now), "", "ACK"], [our_control_id, "P", "2.4"])
    msa = f"MSA|{code}|{control_id(raw) or ''}|{escape(text[:_MAX_ACK_TEXT])}"
    return f"{msh}\r{msa}\r".encode("ascii", errors="replace")


def build(segments: Iterable[Sequence[Field]], *, charset: str = "UTF-8") -> bytes:
    """Build a message with standard separators; every value is escaped.

    Each segment is its name, then its fields from 1 on; MSH's fields begin with MSH-3. `charset` is Python's name.
    """
    lines = []
    for name, *fields in segments:
        start = ["MSH", STANDARD.encoding_characters] if name == "MSH" else [str(name)]
        lines.append("|".join([*start, *(_field(field, STANDARD) for field in fields)]).rstrip("|"))
    return ("\r".join(lines) + "\r").encode(charset)


def escape(text: str, separators: Separators = STANDARD) -> str:
    r"""Make text safe inside a field: separators, line ends (``\.br\``) and control characters (``\Xhh\``)."""
    mark = separators.escape
    names = {
        separators.field: "F",
        separators.component: "S",
        separators.repetition: "R",
        separators.escape: "E",
        separators.subcomponent: "T",
        "\r": ".br",
        "\n": ".br",
    }
    names.pop("", None)
    if not mark:  # a message without an escape character cannot carry its separators: a blank is the least lie
        return "".join(" " if char in names or char < " " else char for char in text)
    out = []
    for char in text.replace("\r\n", "\n"):
        if char in names:
            out.append(f"{mark}{names[char]}{mark}")
        elif char < " " or char == "\x7f":
            out.append(f"{mark}X{ord(char):02X}{mark}")
        else:
            out.append(char)
    return "".join(out)


def unescape(text: str, separators: Separators = STANDARD, charset: str = _UTF8) -> str:
    r"""Undo escapes (chapter 2.7): ``\F\ \S\ \T\ \R\ \E\ \.br\ \.sp\ \Xhh..\``.

    Highlighting and layout commands vanish; what we do not know stays as it was sent, because guessing loses text.
    """
    mark = separators.escape
    if not mark or mark not in text:
        return text
    quoted = re.escape(mark)
    known = _plain_escapes(separators)
    return re.sub(f"{quoted}([^{quoted}]*){quoted}", lambda found: _unescaped(found[1], found[0], known, charset), text)


@functools.lru_cache(maxsize=64)
def _plain_escapes(separators: Separators) -> dict[str, str]:
    return {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": separators.escape,
        "H": "",
        "N": "",
        ".br": "\n",
        ".ce": "\n",
        ".fi": "",
        ".nf": "",
    }


def _unescaped(name: str, whole: str, plain: dict[str, str], charset: str) -> str:
    if name in plain:
        return plain[name]
    if spaces := re.fullmatch(r"\.sp\+?(\d{0,2})", name):
        return "\n" * int(spaces[1] or 1)
    if re.fullmatch(r"\.(in|ti|sk)[+-]?\d*", name):
        return ""
    if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", name):
        try:
            return bytes.fromhex(name[1:]).decode(charset)
        except UnicodeDecodeError:
            return whole
    return whole


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else [text]


def _header_bytes(body: bytes) -> bytes:
    # CR and LF are never part of a longer character, neither in UTF-8 nor in GB18030: cutting here is safe
    return re.split(rb"[\r\n]", body, maxsplit=1)[0]


def _declared_charset(body: bytes) -> tuple[str | None, bool]:
    """MSH-18: the first charset that we know, and whether one is named that we do not. MSH itself may hold Chinese, so it is decoded to be read."""
    header = _header_bytes(body)
    unknown: bool | None = None
    for charset in CHARSETS:
        try:
            text = header.decode(charset)
        except UnicodeDecodeError:
            continue
        names = {
            re.sub(r"[\s_/-]", "", name).upper(): None
            for name in Segment(text, _separators(text), charset).repetitions(18)
        }
        known = next((_CHARSETS[name] for name in names if name in _CHARSETS), None)
        if known:
            return known, False
        # By the likeliest reading of the header alone: another may have eaten a separator, and see a neighbouring field.
        unknown = any(name not in _UNDECLARED for name in names) if unknown is None else unknown
    return None, bool(unknown)


def _separators(text: str) -> Separators:
    field = text[3:4]
    following = text[4:].split(field, 1)[0] if field else ""
    following = re.split(r"[\r\n]", following, maxsplit=1)[0][:4]
    used = field + following
    if not field or any(char.isalnum() or char.isspace() or not char.isprintable() for char in used):
        raise UndecodableMessage("MSH-1 or MSH-2 holds no separators")
    if not following or len(set(used)) != len(used):
        raise UndecodableMessage("separators are missing or the same")
    parts = [*following, "", "", ""]
    return Separators(field, *parts[:4])


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S%z")


def _header_line(separators: Separators, *groups: list[str]) -> str:
    fields = ["MSH", separators.encoding_characters, *(field for group in groups for field in group)]
    return separators.field.join(fields).rstrip(separators.field)


def _field(field: Field, separators: Separators) -> str:
    if isinstance(field, list):
        return separators.repetition.join(_repetition(each, separators) for each in field)
    return _repetition(field, separators)


def _repetition(repetition: str | tuple[Component, ...], separators: Separators) -> str:
    if isinstance(repetition, str):
        return escape(repetition, separators)
    components = [
        escape(each, separators)
        if isinstance(each, str)
        else separators.subcomponent.join(escape(part, separators) for part in each).rstrip(separators.subcomponent)
        for each in repetition
    ]
    text = separators.component.join(components)
    return text.rstrip(separators.component) if separators.component else text
