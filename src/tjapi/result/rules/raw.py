"""What a message says is critical, looked for in its bytes: of one that nobody could read, so that somebody is told at once. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tjapi.result.rules.flags import calls_critical, lab_critical
from tjapi.result.rules.notes import grave_sentence, is_grave
from tjapi.result.rules.revisions import LIS_STATUS

# Of whatever charset it says it is: the flag may be a word, and half of a character may look like a separator in the other one.
_CHARSETS = ("utf-8", "gb18030")
_LINE = re.compile(r"[^\r\n]+")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_CODE, _VALUE, _UNIT, _FLAGS, _STATUS = 3, 5, 6, 8, 11
_SEX, _NOTE = 8, 3
_LOOKED_AT = frozenset({"OBX", "NTE", "PID"})
_SEXES = {"M": "male", "F": "female"}
_MOST, _LONGEST_CODE, _LONGEST_VALUE, _LONGEST_UNIT = 100, 40, 400, 40
# A description is longer than a value; of all of them together so much is looked through.
_LONGEST_TEXT, _MOST_TEXT = 4_000, 100_000
MOST_JUDGED = 300


@dataclass(frozen=True, slots=True)
class Told:
    """An observation as far as it can be made out: its codes, the parts of its value, its unit. What takes a value back is none."""

    codes: tuple[str, ...]
    values: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class MadeOut:
    """What can be made out of bytes: codes that are called critical, or beside which something grave is written, the observations, and the sex that is named ("": none, or two)."""

    called: list[str]
    told: list[Told]
    sex: str


def called_critical(raw: bytes) -> list[str]:
    """Return the codes of observations that a laboratory calls critical (OBX-3; OBX-8, OBX-5, NTE), as far as they can be made out."""
    return made_out(raw).called


def made_out(raw: bytes) -> MadeOut:
    """Return what can be made out of the bytes of a message; one pass for each charset that they may be in."""
    called: set[str] = set()
    told: dict[Told, None] = {}
    sexes: set[str] = set()
    for charset in _CHARSETS:
        code, left = "?", _MOST_TEXT
        for name, fields in _segments(raw.decode(charset, errors="replace").replace("\0", "")):
            if name == "PID":
                sexes.add(_SEXES.get(_field(fields, _SEX).strip().upper()[:1], ""))
                continue
            if name == "NTE":
                note = _field(fields, _NOTE)
                if calls_critical(note) or is_grave(note[:_LONGEST_VALUE]):
                    called.add(code)
                continue
            codes = _codes(_field(fields, _CODE))
            code = codes[0]
            words = _field(fields, _VALUE)
            if lab_critical([_field(fields, _FLAGS)]) or calls_critical(words):
                called.add(code)
            taken_back = LIS_STATUS.get(_field(fields, _STATUS).strip()) == "entered_in_error"
            text = words[: min(left, _LONGEST_TEXT)]
            left -= len(text)
            if not taken_back and grave_sentence([text]):
                called.add(code)
            if words.strip() and not taken_back and len(told) < MOST_JUDGED:
                values = tuple(part for part in words[:_LONGEST_VALUE].split("~") if part.strip())
                told[Told(codes, values, _field(fields, _UNIT).split("^")[0][:_LONGEST_UNIT])] = None
    named = next(iter(sexes)) if len(sexes) == 1 else ""
    return MadeOut(sorted(called)[:_MOST], list(told), named)


def _field(fields: list[str], number: int) -> str:
    return fields[number] if len(fields) > number else ""


def _codes(said: str) -> tuple[str, ...]:
    """Return the code of an observation and its alternate."""
    parts = said.split("^", 4)
    first, other = (
        "".join(c for c in part.strip() if c.isprintable() and c != "\ufffd")[:_LONGEST_CODE]
        for part in (parts[0], "".join(parts[3:4]))
    )
    return (first or "?", *([other] if other else []))


def _segments(text: str) -> Iterator[tuple[str, list[str]]]:
    """Return each segment that is looked at, in its fields; lines that are no segment are the rest of the one before, which a line end broke."""
    head = text.find("MSH")
    between = text[head + 3 : head + 4] if head >= 0 else ""
    if not between.strip() or between.isalnum():
        return
    parts: list[str] = []
    for match in _LINE.finditer(text):
        line = match[0].lstrip(" \t\x0b\ufeff")
        if line.startswith("ADD" + between):
            # It goes on with the segment before it, in the middle of whatever that was saying.
            parts = [*parts[:-1], parts[-1] + line[4:]] if parts else parts
        elif _SEGMENT.match(line) and line[3:4] == between:
            if parts:
                yield parts[0][:3], " ".join(parts).split(between, _STATUS + 1)
            parts = [line] if line[:3] in _LOOKED_AT else []
        elif parts:
            parts.append(line)
    if parts:
        yield parts[0][:3], " ".join(parts).split(between, _STATUS + 1)
