"""What a value means to an item of its kind: the one reading for every door (HL7, REST, file, staff, archive). Pure.

A numeric item holds numbers only. Spellings that leave no doubt are read (2.90↑, 2.90 H, =2.90, 2.90 mmol/L, 2.90E0, ﹥2.90); the rest
is a question to a person. Several observations of one item are put together: equal ones are one, different numbers are separate
measurements, words beside a number are its remark.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from tjapi.result.rules.numbers import numbers_in
from tjapi.result.rules.ranges import told_range
from tjapi.result.rules.values import (
    ENTITIES,
    SAYINGS,
    Value,
    agree,
    disputes,
    finding,
    finding_words,
    measured_behind,
    parse,
    plain,
    same_unit,
    sense,
    takes_back,
    together,
    unit_said,
)

NUMBERS: frozenset[str] = frozenset({"numeric", "computed"})
WORDS: frozenset[str] = frozenset({"qualitative", "enumerated", "multi_select"})
Direction = Literal["", "H", "L", "HH", "LL"]

# What stands beside a number and says where it lies; the star only that somebody should look.
_MARKS: dict[str, Direction] = {
    "↑↑": "HH", "↓↓": "LL", "↑": "H", "↓": "L", "⬆": "H", "⬇": "L", "▲": "H", "▼": "L", "hh": "HH", "ll": "LL", "h": "H", "l": "L",
    "偏高": "H", "偏低": "L", "*": "",
}  # fmt: skip
_MARK = "|".join(sorted(map(re.escape, _MARKS), key=len, reverse=True))
_BEFORE = re.compile(rf"[(\[]?({_MARK})[)\]]?(?:\s+|(?<=[^a-z])(?=[-\d.<>≤≥=]))", re.IGNORECASE)
# A letter at the end belongs to a unit (mmol/L) unless a digit, a blank, a bracket or another mark stands before it.
_AFTER = re.compile(rf"(?:(?<=[\d.)\]*↑↓])|\s+)[(\[]?({_MARK})[)\]]?$", re.IGNORECASE)
_EXPONENT = re.compile(r"([<>]=?|[≤≥])?\s*(-?\d{1,12}(?:\.\d{1,30})?)e([+-]?\d{1,2})", re.IGNORECASE | re.ASCII)
_SIGNED = re.compile(r"\+(\d{1,12}\.\d{1,30})", re.ASCII)
_UNIT_BEHIND = re.compile(r"([<>≤≥=]*\s*[-+]?[\d.]+(?:e[+-]?\d+)?)\s*([^\d\s.].*)", re.IGNORECASE | re.ASCII)
_SIGN_BETWEEN = re.compile(r"[↑↓⬆⬇▲▼*]+\s*")
# What is longer is no number, whatever it begins with; more marks than these say nothing that a person would write.
LONGEST_NUMBER = 64
_MOST_MARKS = 3
_MOST_DECIMALS = 9
_MOST_MAGNITUDE = 12
_SIGNIFICANT = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as an item of its kind holds it. `unit` is one that stood inside the value; `mark` the direction that did."""

    value: Value
    unit: str = ""
    mark: Direction = ""


def read(kind: str, raw: str, units: Sequence[str] = ()) -> Reading | None:
    """Read a value for an item of a kind; None: a person looks. `units` are those that may stand behind a number.

    Words of any kind are kept as they are: whether they are *understood* is another question (`understood`), which decides the flag.
    """
    if kind in NUMBERS:
        return _number(raw, units)
    value = parse(raw)
    return Reading(value) if value.text else None


def understood(kind: str, value: Value, known: Iterable[str]) -> bool:
    """Say whether words mean something to an item: a finding of a qualitative one, else one of the texts that its item or range names."""
    return _understood(kind, value, _spellings(known))


def _spellings(known: Iterable[str]) -> frozenset[str]:
    return frozenset(finding(text) for text in known)


def _understood(kind: str, value: Value, texts: Collection[str]) -> bool:
    if kind == "multi_select":
        parts = chosen(value.text)
        return bool(parts) and all(finding(part) in texts for part in parts)
    if finding(value.text) in texts:
        return True
    return kind == "qualitative" and value.numeric is None and finding_words(value.text) is not None


_REACTIONS: Mapping[str, str] = {"positive": "阳性", "negative": "阴性"}


def _chosen_by_reaction(kind: str, reading: Reading | None, texts: Collection[str]) -> Reading | None:
    """Return a reading as the choice that its reaction is, where an item is chosen of 阴性 and 阳性: 阳性(+), 弱阳性 and POS are 阳性.

    What is doubtful stays what it is, and a person is asked.
    """
    if reading is None or kind != "enumerated" or not set(_REACTIONS.values()) <= set(texts):
        return reading
    if reading.value.numeric is not None or finding(reading.value.text) in texts:
        return reading
    choice = _REACTIONS.get(sense(reading.value.text) or "")
    return reading if choice is None else replace(reading, value=replace(reading.value, text=choice))


def chosen(text: str) -> tuple[str, ...]:
    """Return the parts of a multi-select, each once, in the order in which they were said."""
    return tuple(dict.fromkeys(part for part in (p.strip() for p in re.split("[;;]", plain(text))) if part))


def _number(raw: str, units: Sequence[str]) -> Reading | None:
    text = plain(raw)
    for entity, sign in ENTITIES.items():
        text = text.replace(entity, sign)
    if len(text) > LONGEST_NUMBER:
        return None
    marks: list[Direction] = []
    unit = ""
    # The unit first: of "4.2 L" of an item in litres, L is no mark.
    for _ in range(2):
        behind = _UNIT_BEHIND.fullmatch(text) if not unit else None
        if behind is not None:
            between = _SIGN_BETWEEN.match(behind[2])
            rest = behind[2][between.end() :] if between is not None else behind[2]
            # What only fills a column is no unit: a dash behind a number may be its sign (4.1-).
            if unit_said(rest) and any(same_unit(rest, one) for one in units if one):
                text, unit = behind[1] + (between[0].strip() if between is not None else ""), rest
        text = _without_marks(text, marks)
    if len(marks) > _MOST_MARKS:
        return None
    directions = {mark for mark in marks if mark}
    if len({mark[0] for mark in directions}) > 1:
        return None
    value = _plain_number(raw, text)
    if value is None:
        return None
    return Reading(value, unit, max(directions, key=len, default=""))


def _without_marks(text: str, marks: list[Direction]) -> str:
    while (found := _BEFORE.match(text)) is not None:
        marks.append(_MARKS[found[1].lower()])
        text = text[found.end() :].strip()
    while (found := _AFTER.search(text)) is not None and found.start() > 0:
        marks.append(_MARKS[found[1].lower()])
        text = text[: found.start()].strip()
    return text


def _plain_number(raw: str, text: str) -> Value | None:
    for saying, sign in SAYINGS:
        if text.startswith(saying):
            text = sign + text[len(saying) :].strip()
            break
    if text.startswith("=") and not text.startswith("=="):
        text = text[1:].strip()
        if not text[:1].isdigit() and text[:1] not in ("-", "."):
            return None
    if (signed := _SIGNED.fullmatch(text)) is not None:
        text = signed[1]
    if (exponent := _EXPONENT.fullmatch(text)) is not None:
        number = Decimal(f"{exponent[2]}E{exponent[3]}")
        if number and abs(number.adjusted()) > _MOST_MAGNITUDE:
            return None
        text = f"{exponent[1] or ''}{number:f}"
    value = parse(text)
    if value.numeric is None:
        return None
    tidy = _without_dust(value.numeric)
    said = text if tidy == value.numeric else f"{value.comparator}{tidy:f}"
    return replace(value, raw=raw, text=said, numeric=tidy)


def _without_dust(number: Decimal) -> Decimal:
    """Return what was meant by a float that was written out: 2.9 for 2.9000000000000004. Any other number comes back as it is."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= _MOST_DECIMALS or not number:
        return number
    place = Decimal(1).scaleb(number.adjusted() - _SIGNIFICANT + 1)
    tidy = number.quantize(place).normalize()
    shorter = len(tidy.as_tuple().digits) <= _SIGNIFICANT - 3
    return Decimal(f"{tidy:f}") if shorter and abs(number - tidy) < place / 10 else number


_ANY_NUMBER = re.compile(r"(?<!\d)\d++\.\d++")
"""From the beginning of a run of digits, and never back into it: what has no point is passed over once."""


def without_dust(text: str) -> str:
    """Return a text whose numbers are what was meant by floats that were written out: 2.8–7.0 for 2.8000000000000003–7.0."""
    return _ANY_NUMBER.sub(lambda found: f"{_without_dust(Decimal(found[0])):f}", text)


# --- several observations of one item ---


@dataclass(frozen=True, slots=True)
class Said:
    """One observation of an item as it came. `order` is its place in the message, `others` what else a coded value says of itself.

    `range_text` and `notes` are the laboratory's range and remarks beside it.
    """

    raw: str
    unit: str
    order: int
    others: tuple[str, ...] = ()
    range_text: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement that was understood: which observations say it, and the words that stood beside it."""

    reading: Reading
    orders: tuple[int, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Observations of which no value could be read: a person looks at these words."""

    raw: str
    orders: tuple[int, ...]


def put_together(
    kind: str, said: Sequence[Said], units: Sequence[str], known: Sequence[str]
) -> tuple[list[Measured], Unread | None]:
    """Put together what was said of one item in one breath (one report, one status, one moment).

    Equal values are one; different ones are separate measurements, in the order in which they came; words beside a value that was
    understood are its remark; a text in several lines is one text. Where nothing was understood of a numeric item, all of it is unread.
    Words that take back a word, or a coded value whose parts disagree, are one text with it, which nobody understands.
    """
    filled = [one for one in said if one.raw.strip()]
    if not filled:
        return [], None
    if kind == "text":
        lines = [word for one in filled for word in (one.raw, *(w for w in one.others if takes_back(one.raw, w)))]
        whole = "\n".join(lines)
        return [Measured(Reading(Value(whole, plain(whole))), _orders(filled))], None
    texts = _spellings(known)
    if kind == "multi_select":
        others = [w for one in filled for w in one.others if takes_back(one.raw, w) or finding(w) in texts]
        parts = ";".join(dict.fromkeys(part for raw in (*(one.raw for one in filled), *others) for part in chosen(raw)))
        return [Measured(Reading(Value(parts, plain(parts))), _orders(filled))], None
    readings = [(one, _chosen_by_reaction(kind, read(kind, one.raw, [one.unit, *units]), texts)) for one in filled]
    # Beside words that mean something, a number (the measurement behind them) and other words are remarks of theirs.
    clear = [(o, r) for o, r in readings if r is not None and (kind in NUMBERS or _understood(kind, r.value, texts))]
    if kind in NUMBERS:
        another = [word for one, reading in clear for word in one.others if _is_another(word, reading.value)]
        if another or not clear:
            spelt = dict.fromkeys((*(one.raw for one in filled), *another))
            return [], Unread("\n".join(spelt), _orders(filled))
    valued = {id(o) for o, _ in clear}
    contrary = _contrary(readings, valued, texts) if kind in WORDS else []
    if contrary or not clear:
        raws = [one.raw for one in filled]
        whole = "\n".join([*raws, *(word for word in dict.fromkeys(contrary) if word not in raws)])
        return [Measured(Reading(Value(whole, plain(whole))), _orders(filled))], None
    remarks = tuple(o.raw for o, _ in readings if id(o) not in valued)
    groups: dict[tuple[str, str], list[tuple[Said, Reading]]] = {}
    for one, reading in clear:
        groups.setdefault((reading.value.same, plain(one.unit or reading.unit)), []).append((one, reading))
    measured = [Measured(same[0][1], _orders([o for o, _ in same])) for same in groups.values()]
    return [replace(measured[0], remarks=remarks), *measured[1:]], None


_IDENTIFIER = re.compile(r"(?:LN)?\d{1,7}-\d|[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*", re.IGNORECASE | re.ASCII)
"""A code (K, GLU-2, LOINC's 2823-3), whose figures are none of a value's."""


def _is_another(word: str, value: Value) -> bool:
    """Say whether what a coded number says of itself besides is another number: of 7.2^4.1 nobody knows which one is meant."""
    said = plain(word)
    if _IDENTIFIER.fullmatch(said):
        return False
    return any(other.same != value.same for other in numbers_in(word))


def _contrary(
    readings: Sequence[tuple[Said, Reading | None]], clear: Collection[int], texts: Collection[str]
) -> list[str]:
    """Return the words that contradict one that was understood: beside it in its own coded value, or as an observation of their own."""
    found = [w for o, _ in readings if id(o) in clear for w in o.others if _disagrees(o.raw, w, texts)]
    words = [o.raw for o, _ in readings if id(o) in clear][:_MOST_WORDS]
    beside = [w for o, _ in readings if id(o) not in clear for w in (o.raw, *o.others)]
    beside_it = [*found, *(w for w in beside if any(takes_back(word, w) for word in words))]
    noted = [w for o, _ in readings for note in together(o.notes) for w in disputes(words, note)]
    return [*beside_it, *noted, *(_above_range(readings) if any(sense(word) == "negative" for word in words) else ())]


def _above_range(readings: Sequence[tuple[Said, Reading | None]]) -> list[str]:
    """Return the numbers above their own range, which stand in the way of a negative word beside them."""
    found = []
    for one, _ in readings:
        number, told = measured_behind(one.raw), told_range(one.range_text)
        if number is None or told is None or number.numeric is None or number.comparator in ("<", "<="):
            continue
        if told.normal.high is not None and number.numeric > told.normal.high and told.normal.high > 0:
            # In words that are no finding, or the number would be read as the measurement behind the word.
            found.append(f"{number.text}(参考范围:{plain(one.range_text)})")
    return found


_MOST_WORDS = 2
"""Different ones are measurements that contradict each other anyway."""


def _disagrees(word: str, other: str, texts: Collection[str]) -> bool:
    if sense(word) is not None and sense(other) is not None:
        return not agree(word, other)
    known = finding(word) in texts and finding(other) in texts
    return (known and finding(word) != finding(other)) or takes_back(word, other)


def _orders(said: Sequence[Said]) -> tuple[int, ...]:
    return tuple(one.order for one in said)
