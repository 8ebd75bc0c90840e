"""What counts as normal: as we hold it, and as a laboratory writes it beside its value. Pure."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from tjapi.result.rules.values import DASHES, ENTITIES, SAYINGS, Value, converted, plain, same_unit


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


@dataclass(frozen=True, slots=True)
class Told:
    """A laboratory's range as it wrote it: its bounds, whether they are normal themselves, and a unit that stands beside them."""

    low: Decimal | None = None
    high: Decimal | None = None
    inclusive: bool = True
    unit: str = ""

    @property
    def normal(self) -> Range:
        """What it says is normal. What cannot be said with an inclusive bound is a bound just inside: 5.0 itself is not below 5.0."""
        low, high = self.low, self.high
        if self.inclusive:
            return Range(low, high)
        return Range(None if low is None else low.next_plus(), None if high is None else high.next_minus())

    def turned(self, factor: Decimal, addend: Decimal, decimals: int) -> "Told":
        """Return it in our unit, rounded as the value beside it is: a value on a bound stays on it."""

        def ours(bound: Decimal | None) -> Decimal | None:
            return None if bound is None else converted(Value("", "", "", bound), factor, addend, decimals).numeric

        return replace(self, low=ours(self.low), high=ours(self.high), unit="")


_LONGEST_RANGE = 64
_LEAD = re.compile(
    r"(?:(?:生物)?(?:参考|正常)(?:参考|值|区间|范围)*|ref(?:erence)?\.?(?: ?(?:range|interval|values?))?|normal(?: range)?|range) ?:? ?"
)
_BRACKETS = re.compile(r"[(\[{【<]([^()\[\]{}【】]*)[)\]}】](.*)")
_UNSIGNED = r"(?:\d{1,12}(?:\.\d{1,30})?|\.\d{1,30})"
_NUMBER = rf"-?{_UNSIGNED}"
_BEHIND = r"( ?[^\d\s.].*| \S.*)?"
# The second bound below zero first: -3--1 is −3…−1. Then two dashes are one.
_BETWEEN = (
    re.compile(rf"({_NUMBER}) ?- ?(-{_UNSIGNED}){_BEHIND}", re.ASCII),
    re.compile(rf"({_NUMBER}) ?--? ?({_UNSIGNED}){_BEHIND}", re.ASCII),
    re.compile(rf"({_NUMBER}) ?(?:~~?|〜|至|到|to) ?({_NUMBER}){_BEHIND}", re.ASCII),
)
_UNIT_TWICE = re.compile(rf"({_NUMBER}) ?([^\d\s.~-][^~]{{0,20}}) ?(?:--?|~|至|到) ?({_NUMBER}) ?\2", re.ASCII)
_BOUND = re.compile(rf"([<>]=?|[≤≥]) ?({_NUMBER}){_BEHIND}", re.ASCII)
_WORD_BEHIND = re.compile(rf"({_NUMBER})( ?[^\d\s.].*?)? ?及?(以下|以内|以上)", re.ASCII)
_NOT_OVER = (
    ("不超过", "<="),
    ("不高于", "<="),
    ("不大于", "<="),
    ("不低于", ">="),
    ("不小于", ">="),
    ("低于", "<"),
    ("高于", ">"),
)
_UNIT_LETTER = re.compile(r"[a-zµμ%‰]")


def told_range(text: str) -> Told | None:
    """Read a laboratory's range: "3.5-5.3", "(3.5～5.3 mmol/L)", "参考范围:<5.0", "4.2以下"; None for words and for anything else."""
    said = plain(text)
    if len(said) > _LONGEST_RANGE:
        return None
    for entity, sign in ENTITIES.items():
        said = said.replace(entity, sign)
    said = _bare(said.translate(DASHES).lower())
    for saying, sign in (*SAYINGS, *_NOT_OVER):
        if said.startswith(saying):
            said = sign + said[len(saying) :].strip()
            break
    return _between(said) or _one_bound(said)


def written(told: Told | None) -> str:
    """Return a range as it is written, in the unit in which it stands."""
    if told is None or (told.low is None and told.high is None):
        return ""
    if told.low is not None and told.high is not None:
        return f"{told.low:f}–{told.high:f}"
    sign = ("≥" if told.high is None else "≤") if told.inclusive else (">" if told.high is None else "<")
    return f"{sign}{told.high if told.low is None else told.low:f}"


def lab_range(text: str, unit: str = "") -> Range | None:
    """Return what a laboratory's range says is normal of a value in this unit; None where it says nothing that compares, or another unit."""
    told = told_range(text)
    return told.normal if told is not None and speaks_of(told, unit) else None


def speaks_of(told: Told, unit: str) -> bool:
    """Say whether a range is in a unit: it names none, or that one."""
    return not told.unit or (bool(plain(unit)) and same_unit(told.unit, unit))


def apart(one: Range, other: Range) -> Decimal | None:
    """Return by how much two ranges differ: the largest ratio of their bounds; None where no two can be compared."""
    ratios = _ratios(one, other)
    return max(ratios) if ratios else None


def least_apart(one: Range, other: Range) -> Decimal | None:
    """Return the smallest ratio of the bounds of two ranges; None where no two can be compared."""
    ratios = _ratios(one, other)
    return min(ratios) if ratios else None


_LEAST = Decimal("1E-12")


def _ratios(one: Range, other: Range) -> list[Decimal]:
    pairs = [(one.low, other.low), (one.high, other.high)]
    # ">0" is a bound just above nothing: there is no ratio to it.
    return [max(a, b) / min(a, b) for a, b in pairs if a is not None and b is not None and a > _LEAST and b > _LEAST]


def _bare(said: str) -> str:
    """Return a range without what announces it and the brackets around it."""
    for _ in range(2):
        lead = _LEAD.match(said)
        said = said[lead.end() :] if lead is not None else said
        inside = _BRACKETS.fullmatch(said)
        said = f"{inside[1].strip()} {inside[2].strip()}".strip() if inside is not None else said
    return said


def _between(said: str) -> Told | None:
    for pattern in _BETWEEN:
        found = pattern.fullmatch(said)
        if found is not None:
            low, high, unit = Decimal(found[1]), Decimal(found[2]), _unit(found[3])
            if unit is not None and (low < high or (low == high and pattern is not _BETWEEN[0])):
                return Told(low, high, unit=unit)
    twice = _UNIT_TWICE.fullmatch(said)
    unit = _unit(twice[2]) if twice is not None else None
    if twice is None or not unit or Decimal(twice[1]) > Decimal(twice[3]):
        return None
    return Told(Decimal(twice[1]), Decimal(twice[3]), unit=unit)


def _one_bound(said: str) -> Told | None:
    found, behind = _BOUND.fullmatch(said), _WORD_BEHIND.fullmatch(said)
    if found is not None:
        number, unit, sign = Decimal(found[2]), _unit(found[3]), found[1]
    elif behind is not None:
        number, unit, sign = (
            Decimal(behind[1]),
            _unit((behind[2] or "").removesuffix("及")),
            ">=" if behind[3] == "以上" else "<=",
        )
    else:
        return None
    if unit is None:
        return None
    inclusive = sign not in ("<", ">")
    below = sign in ("<", "<=", "≤")
    return Told(None if below else number, number if below else None, inclusive, unit)


def _unit(behind: str | None) -> str | None:
    """Return the unit behind a range, "" where there is nothing; None for what is no unit."""
    rest = re.split(r"(?<=\S) (?=[(\[])", (behind or "").strip(), maxsplit=1)[0].strip("()[]").strip()
    return rest if not rest or _UNIT_LETTER.search(rest) else None
