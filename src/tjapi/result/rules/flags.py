"""Flagging a value against the range of a person, a day and a method. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from tjapi.result.rules.values import Comparator, Value, finding, plain

Flag = Literal["", "L", "H", "LL", "HH", "A"]
FLAGS: tuple[Flag, ...] = ("", "L", "H", "LL", "HH", "A")
ABNORMAL: frozenset[str] = frozenset(FLAGS) - {""}
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")


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


def snapshot(normal: Range, *, text: str, method: str, source: str) -> dict[str, Any]:
    """Return a range as it is kept beside a value: numbers as strings, so that no digit is lost."""

    def said(bound: Decimal | None) -> str | None:
        return None if bound is None else f"{bound:f}"

    return {
        "low": said(normal.low), "high": said(normal.high), "critical_low": said(normal.critical_low),
        "critical_high": said(normal.critical_high), "normal_texts": list(normal.normal_texts), "text": text, "method": method,
        "source": source,
    }  # fmt: skip
