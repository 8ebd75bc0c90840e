"""Reading values, flagging them, and choosing the current one of many revisions. Nothing here guesses."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

ResultStatus = Literal["preliminary", "final", "corrected", "entered_in_error"]
Flag = Literal["", "L", "H", "LL", "HH", "A"]
SheetState = Literal["draft", "signed"]
ReleaseState = Literal["proposed", "released", "rejected"]
Comparator = Literal["", "<", "<=", ">", ">="]
STATUSES: tuple[ResultStatus, ...] = ("preliminary", "final", "corrected", "entered_in_error")
FLAGS: tuple[Flag, ...] = ("", "L", "H", "LL", "HH", "A")
ResultsView = Literal["all", "abnormal", "summaries"]
ABNORMAL: frozenset[str] = frozenset(FLAGS) - {""}
_RANK: Mapping[str, int] = {"preliminary": 0, "final": 1, "corrected": 2}
SETTLED: frozenset[str] = frozenset({"final", "corrected"})

# HL7 table 0085 (OBX-11). Absent ones (I pending, O, N, X "cannot be obtained", U) hold no value to file: a person looks at them.
LIS_STATUS: Mapping[str, ResultStatus] = {
    "P": "preliminary", "R": "preliminary", "S": "preliminary", "F": "final", "C": "corrected", "W": "entered_in_error",
    "D": "entered_in_error",
}  # fmt: skip

# Full-width ASCII and the ideographic blank become plain. Not NFKC: it makes 109 of 10⁹, which is guessing.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: 0x20, 0x00A0: 0x20, 0x2212: ord("-"), 0x2266: ord("≤"), 0x2267: ord("≥"),
}  # fmt: skip
# No plus sign: "+1" is a grade, as is "1+".
_NUMBER = re.compile(r"(<=|>=|<|>|≤|≥)?\s*(-?(?:\d{1,12}(?:\.\d{1,9})?|\.\d{1,9}))", re.ASCII)
_COMPARATORS: Mapping[str, Comparator] = {"": "", "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
# Spellings of one finding. Grades stay apart from "阳性", and 弱阳性 from ±: whether they are the same is the method's business.
_SPELLINGS: Mapping[str, str] = {
    spelling: meaning
    for meaning, spellings in {
        "阴性": ("阴性", "-", "(-)", "阴性(-)", "阴性-", "neg", "negative"),
        "±": ("±", "(±)", "+-", "+/-", "±(±)"),
        "弱阳性": ("弱阳性", "弱阳", "弱阳性(±)"),
        "阳性": ("阳性", "pos", "positive"),
        "1+": ("+", "(+)", "1+", "+1", "(1+)", "(+1)", "阳性(+)", "阳性(1+)", "阳性+", "阳性1+"),
        "2+": ("++", "(++)", "2+", "+2", "(2+)", "(+2)", "阳性(++)", "阳性(2+)", "阳性++", "阳性2+"),
        "3+": ("+++", "(+++)", "3+", "+3", "(3+)", "(+3)", "阳性(+++)", "阳性(3+)", "阳性+++", "阳性3+"),
        "4+": ("++++", "(++++)", "4+", "+4", "(4+)", "(+4)", "阳性(++++)", "阳性(4+)", "阳性++++", "阳性4+"),
    }.items()
    for spelling in spellings
}
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")
_UNIT_SPELLINGS = str.maketrans(
    {"µ": "u", "μ": "u", "*": "^", "×": "x", "·": "."} | {d: f"^{i}" for i, d in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was said (`raw`), as it compares (`text`: plain widths, single blanks), and as a number where it is one."""

    raw: str
    text: str
    comparator: Comparator = ""
    numeric: Decimal | None = None

    @property
    def same(self) -> str:
        """A text that is equal for equal values: "5.0" and "5.00", "(-)" and 阴性."""
        if self.numeric is None:
            return finding(self.text)
        return f"{self.comparator}{self.numeric.normalize():f}"


def parse(raw: str) -> Value:
    """Read a value: "<0.01" and "＞１０００" are numbers with a comparator; "1:320", "±", "+1", "Rh(+)", "3~5" and "1,234" are text."""
    text = plain(raw)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return Value(raw, text)
    return Value(raw, text, _COMPARATORS[found[1] or ""], Decimal(found[2]))


def plain(raw: str) -> str:
    """Return a text in plain widths with single blanks, so that equal texts are equal."""
    return " ".join(raw.translate(_PLAIN).split())


def finding(text: str) -> str:
    """Return the one spelling of a qualitative finding ("(-)" is 阴性); a text that is none comes back as it is, in plain widths."""
    said = plain(text)
    return _SPELLINGS.get(said.replace(" ", "").lower(), said)


def same_unit(theirs: str, ours: str | None) -> bool:
    """Say whether two spellings are one unit: `10^9/L`, `×10⁹/L`, `10*9/L`; `umol/L`, `μmol/L`. An unsaid unit contradicts nothing."""
    return not plain(theirs) or not ours or _unit(theirs) == _unit(ours)


@lru_cache(maxsize=1_024)
def _unit(text: str) -> str:
    said = plain(text).replace(" ", "").translate(_UNIT_SPELLINGS).lower()
    return re.sub(r"^x(?=10)", "", said)


def converted(value: Value, factor: Decimal, addend: Decimal, decimals: int) -> Value:
    """Return a number in our unit: theirs × factor + addend, under the same comparator.

    What comes out exactly stays exact; else it is kept one digit finer than the item is printed, so that no rounding moves it over a
    bound. Raises ValueError for a text.
    """
    if value.numeric is None:
        raise ValueError
    ours = value.numeric * factor + addend
    finest = Decimal(1).scaleb(-(decimals + 1))
    if ours != ours.quantize(finest):
        ours = ours.quantize(finest, ROUND_HALF_UP)
    # No finer than it was said where the factor is a mere shift, and never as 1E+2.
    said = f"{value.comparator}{ours.normalize():f}"
    return Value(said, said, value.comparator, Decimal(f"{ours.normalize():f}"))


@dataclass(frozen=True, slots=True)
class Range:
    """What counts as normal for this person, on this day, by this method. Bounds are inclusive: they are normal; critical ones are critical."""

    low: Decimal | None = None
    high: Decimal | None = None
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None
    normal_texts: tuple[str, ...] = ()

    @property
    def bounded(self) -> bool:
        """Whether there is anything to compare a number with."""
        return any(b is not None for b in (self.low, self.high, self.critical_low, self.critical_high))


def flag(value: Value, normal: Range | None) -> Flag | None:
    """Return the flag of a value: "" normal, L, H, LL, HH (critical), A (a finding that is not normal); None where it cannot be said.

    No range → None, never a false normal; a range with critical bounds alone says LL, HH or nothing. With a comparator a flag is given
    only where every value it allows bears it: "<5" against 3…10 is undetermined, "<2" is L, ">1000" is H and, beyond the critical
    bound, HH.
    """
    if normal is None:
        return None
    if value.numeric is not None and normal.bounded:
        return _number_flag(value.comparator, value.numeric, normal)
    if not normal.normal_texts or not value.text:
        return None
    return "" if finding(value.text) in _usual(normal.normal_texts) else "A"


def flag_chosen(chosen: Sequence[str], normal: Range | None) -> Flag | None:
    """Return the flag of a multi-select: normal where every part is; None where nothing says what is normal, or nothing was chosen."""
    if normal is None or not normal.normal_texts or not chosen:
        return None
    usual = _usual(normal.normal_texts)
    return "" if all(finding(c) in usual for c in chosen) else "A"


@lru_cache(maxsize=1_024)
def _usual(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(finding(t) for t in texts)


def flag_of(kind: str, value: Value, normal: Range | None) -> Flag | None:
    """Return the flag of a value of an item of a kind: the one rule of every path that records a value."""
    return flag_chosen(chosen(value.text), normal) if kind == "multi_select" else flag(value, normal)


def chosen(text: str) -> tuple[str, ...]:
    """Return the parts of a multi-select, each once, in the order in which they were said."""
    return tuple(dict.fromkeys(part for part in (p.strip() for p in re.split("[;;]", plain(text))) if part))


def _number_flag(comparator: Comparator, number: Decimal, normal: Range) -> Flag | None:
    # What is possible lies between an open end and the number; "<3.5" allows all below 3.5, but not 3.5 itself.
    match comparator:
        case "":
            return _class(number, normal)
        case "<":
            ends = {_class(_LEAST, normal), _class(number.next_minus(), normal)}
        case "<=":
            ends = {_class(_LEAST, normal), _class(number, normal)}
        case ">":
            ends = {_class(number.next_plus(), normal), _class(_MOST, normal)}
        case ">=":
            ends = {_class(number, normal), _class(_MOST, normal)}
    if len(ends) == 1:
        return ends.pop()
    if ends == {"L", "LL"}:
        return "L"
    return "H" if ends == {"H", "HH"} else None


def _class(number: Decimal, normal: Range) -> Flag | None:
    if normal.critical_low is not None and number <= normal.critical_low:
        return "LL"
    if normal.critical_high is not None and number >= normal.critical_high:
        return "HH"
    if normal.low is not None and number < normal.low:
        return "L"
    if normal.high is not None and number > normal.high:
        return "H"
    return None if normal.low is None and normal.high is None else ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What choosing needs of one revision; `value` is a `Value.same`.

    `observed_at` is when it was observed, `issued_at` when it was said; `order` is the place among entries made by hand, which are made
    under a lock one after another, and 0 for messages, whose order of arrival means nothing. `meaning` tells any two apart.
    """

    id: UUID
    status: str
    value: str
    observed_at: datetime
    issued_at: datetime
    order: int
    meaning: str

    @property
    def moment(self) -> tuple[datetime, int]:
        """When it was observed."""
        return self.observed_at, self.order

    @property
    def sequence(self) -> tuple[datetime, int, datetime, str]:
        """A total order that does not depend on arrival."""
        return self.observed_at, self.order, self.issued_at, self.meaning


def standing(facts: Iterable[Fact]) -> list[Fact]:
    """Return the values that no entered_in_error has struck.

    It strikes, of what was observed up to its own moment, the values equal to the one it repeats; or all, when it repeats none that is
    known. With a value go those of a lower status that it had replaced: they do not come back.
    """
    held = list(facts)
    struck: set[UUID] = set()
    for wrong in held:
        if wrong.status != "entered_in_error":
            continue
        before = [f for f in held if f.status != "entered_in_error" and f.moment <= wrong.moment]
        hit = [f for f in before if wrong.value and f.value == wrong.value] or before
        highest = max((_RANK[f.status] for f in hit), default=0)
        struck |= {f.id for f in hit} | {f.id for f in before if _RANK[f.status] < highest}
    return [f for f in held if f.status != "entered_in_error" and f.id not in struck]


def current(facts: Iterable[Fact]) -> Fact | None:
    """Return the current value of a result: the same for every order in which the same facts arrive.

    Corrected before final before preliminary. Of several corrected, and of several preliminary, the one observed last (said last, at
    the same moment). Of several final ones the first: F is replaced by C only, see `contested` (reliability.md, 10).
    """
    held = list(facts)
    if len(held) == 1 and held[0].status != "entered_in_error":
        return held[0]
    valid = standing(held)
    corrected = [f for f in valid if f.status == "corrected"]
    if corrected:
        return max(corrected, key=lambda f: f.sequence)
    final = [f for f in valid if f.status == "final"]
    if final:
        return min(final, key=lambda f: f.sequence)
    return max(valid, key=lambda f: f.sequence, default=None)


def rivals(facts: Iterable[Fact]) -> list[Fact]:
    """Return the final values that contradict the current one, and that no correction decides: a person must ask the laboratory."""
    held = list(facts)
    chosen = current(held) if len(held) > 1 else None
    if chosen is None or chosen.status != "final":
        return []
    return [f for f in standing(held) if f.status == "final" and f.value != chosen.value]


def contested(facts: Iterable[Fact]) -> bool:
    """Say whether a second final value contradicts the first."""
    return bool(rivals(facts))


def line_target(state: str, statuses: Sequence[str | None], *, verify: bool) -> tuple[str, ...]:
    """Return the steps of a line whose items have current revisions of these statuses (None: no value).

    `verify` says that values speak for themselves once all are final or corrected (the laboratory has verified them); a department's
    line is verified by its signature. A line that loses a value steps back, so that the exam is complete no longer.
    """
    complete = bool(statuses) and all(s in SETTLED for s in statuses)
    if all(s is None for s in statuses):
        before = "collected" if verify else "started"
        # Whatever a laboratory says of a tube, also that a value was wrong, it says because it has the tube.
        arrived = (before,) if verify else ()
        steps = {"verified": ("resulted", before), "resulted": (before,), "released": arrived, "sent": arrived}
        return steps.get(state, ())
    if verify and complete:
        return () if state == "verified" else ("verified",) if state == "resulted" else ("resulted", "verified")
    if state == "verified" and not complete:
        return ("resulted",)
    return () if state in ("resulted", "verified") else ("resulted",)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is said to be; None: not said."""

    exam_no: str | None
    name: str | None
    sex: str | None
    birth_date: date | None


def disagreement(ours: Identity, theirs: Identity) -> list[str] | None:
    """Return None when a report may be filed, else the fields that do not agree (reliability.md, 14).

    The exam number, the name, and birth date with sex are compared as far as they are said. A different exam number refuses, always.
    With our exam number one of the other two may differ (names are mangled on their way); without it none may, and one must agree.
    """
    agrees: dict[str, bool] = {}
    if theirs.exam_no:
        agrees["exam_no"] = plain(theirs.exam_no).upper() == (ours.exam_no or "").upper()
    if theirs.name:
        agrees["name"] = _name(theirs.name) == _name(ours.name or "")
    if theirs.birth_date and theirs.sex in ("male", "female"):
        agrees["birth_date"] = (theirs.birth_date, theirs.sex) == (ours.birth_date, ours.sex)
    against = [field for field, equal in agrees.items() if not equal]
    tolerated = 1 if agrees.get("exam_no") else 0
    if any(agrees.values()) and "exam_no" not in against and len(against) <= tolerated:
        return None
    return against


def _name(text: str) -> str:
    return plain(text).replace(" ", "").replace("•", "·").casefold()


def meaning(parts: Iterable[object]) -> str:
    """Return the digest that is equal for messages that say the same: line, item, sub-id, status, time of observation, value."""
    said = json.dumps([p if p is None else str(p) for p in parts], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def digest(current: Iterable[tuple[UUID, UUID]], sheets: Iterable[tuple[int, int]]) -> str:
    """Return the digest of what a reviewer sees: results with their current revisions, departments with their sheet's version."""
    said = [f"{result_id}={revision_id}" for result_id, revision_id in current]
    said += [f"{department_id}={version}" for department_id, version in sheets]
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()


def snapshot(normal: Range, *, text: str, method: str, source: str) -> dict[str, Any]:
    """Return a range as it is kept beside a value: numbers as strings, so that no digit is lost."""

    def said(bound: Decimal | None) -> str | None:
        return None if bound is None else f"{bound:f}"

    return {
        "low": said(normal.low), "high": said(normal.high), "critical_low": said(normal.critical_low),
        "critical_high": said(normal.critical_high), "normal_texts": list(normal.normal_texts), "text": text, "method": method,
        "source": source,
    }  # fmt: skip
