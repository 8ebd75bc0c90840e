"""Ages by the calendar; choosing a reference range; overlaps; the fixed ids of starter rows. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol, TypeVar
from uuid import UUID, uuid5

ItemKind = Literal["numeric", "qualitative", "enumerated", "multi_select", "text", "computed"]
DepartmentKind = Literal["lab", "clinical", "imaging"]
ApplicableSex = Literal["any", "male", "female"]
PerformedBy = Literal["lis", "department"]

ITEM_KINDS = ("numeric", "qualitative", "enumerated", "multi_select", "text", "computed")
DEPARTMENT_KINDS = ("lab", "clinical", "imaging")
SEXES = ("any", "male", "female")
PERFORMERS = ("lis", "department")

_STARTER = UUID("6f0c1f0e-7f0b-5d53-9a41-2b8f6f6d7461")
_DAYS_OF = {"d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}


@dataclass(frozen=True, slots=True)
class Age:
    """How old somebody is on a day, by the calendar: completed years, completed months in all, and days.

    A month or a year is completed on the same date as the birth; where that month has no such date (the 31st, the 29th of February), on
    the first of the next one.
    """

    years: int
    months: int
    days: int

    @classmethod
    def on(cls, birth: date, day: date) -> "Age":
        """Return the age on a day of whoever was born on another."""
        months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
        return cls(months // 12, months, (day - birth).days)

    @classmethod
    def reached(cls, age: str) -> "Age":
        """Return the age of whoever reaches an age such as `28d`, `6m` or `18y` today; of other units about as much."""
        count, unit = int(age[:-1]), age[-1]
        days = first_day_of_age(age)
        months = {"y": count * 12, "m": count}.get(unit, int(days / _DAYS_OF["m"]))
        return cls(months // 12, months, days)

    def units(self, unit: str) -> int:
        """Return how many of a unit (`d`, `w`, `m`, `y`) are completed."""
        return {"d": self.days, "w": self.days // 7, "m": self.months, "y": self.years}[unit]

    def has_reached(self, age: str) -> bool:
        """Say whether an age such as `28d`, `6m` or `18y` is reached."""
        return self.units(age[-1]) >= int(age[:-1])

    def is_within(self, age: str) -> bool:
        """Say whether an age still holds: `59y` until the day before the sixtieth birthday."""
        return self.units(age[-1]) <= int(age[:-1])


class Held(Protocol):
    """What the chooser looks at: for whom a range holds. Both ends of an age belong to it; None is open."""

    @property
    def sex(self) -> str: ...  # noqa: D102 - plain data
    @property
    def age_from(self) -> str | None: ...  # noqa: D102
    @property
    def age_to(self) -> str | None: ...  # noqa: D102
    @property
    def pregnant(self) -> bool: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def valid_from(self) -> date: ...  # noqa: D102
    @property
    def valid_to(self) -> date | None: ...  # noqa: D102


class RangeLike(Held, Protocol):
    """A range of an item."""

    @property
    def item_id(self) -> UUID: ...  # noqa: D102 - plain data


H = TypeVar("H", bound=Held)
C = TypeVar("C", bound=Held, covariant=True)
R = TypeVar("R", bound=RangeLike)


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom a range is wanted: sex `unknown` takes only ranges for any sex; method `""` only those for any method.

    `pregnant`: None where nobody has said so, which is judged as not pregnant.
    """

    sex: str
    birth_date: date
    method: str
    on: date
    pregnant: bool | None = None

    @property
    def age(self) -> Age:
        """How old they are then."""
        return Age.on(self.birth_date, self.on)


def choose(ranges: Iterable[H], subject: Subject) -> H | None:
    """Return the most specific range of one item for somebody on a day. None: no range, therefore no flag."""
    return range_of(
        ranges, subject.sex, subject.age, pregnant=subject.pregnant, method=subject.method, on=subject.on
    )  # fmt: skip


def range_of(
    ranges: Iterable[H], sex: str, age: Age, *, pregnant: bool | None = None, method: str = "", on: date
) -> H | None:
    """Return the most specific range: of pregnancy first, then by method, then by sex. None: no range, therefore no flag.

    Who is pregnant gets a range of pregnancy where there is one, else that of everybody. Ranges of equal specificity never overlap
    (`overlaps`), so there is at most one best; only where one ends in days and the next begins in months may both hold for a day of a
    short month: the later one counts.
    """
    fitting = [r for r in ranges if _fits(r, sex, age, pregnant=bool(pregnant), method=method, on=on)]
    return max(fitting, key=_how_specific, default=None)


def _how_specific(r: Held) -> tuple[bool, bool, bool, int]:
    return r.pregnant, r.method != "", r.sex != "any", 0 if r.age_from is None else first_day_of_age(r.age_from)


def _fits(r: Held, sex: str, age: Age, *, pregnant: bool, method: str, on: date) -> bool:
    return (
        r.sex in ("any", sex)
        and (pregnant or not r.pregnant)
        and r.method in ("", method)
        and (r.age_from is None or age.has_reached(r.age_from))
        and (r.age_to is None or age.is_within(r.age_to))
        and r.valid_from <= on
        and (r.valid_to is None or on <= r.valid_to)
    )


def printed_range(low: Decimal | None, high: Decimal | None, text: str) -> str:
    """Return a range as it is printed: of one with bounds the bounds themselves, by which a value is judged, and what stands behind in brackets.

    The one body of it: `3.9–6.09(孕期)` of 3.9, 6.09 and a text `3.3–5.0(孕期)`. Of one without bounds its own words.
    """
    if low is None and high is None:
        return text
    said = (
        f"{low:f}–{high:f}"
        if low is not None and high is not None
        else f"≤{high:f}"
        if high is not None
        else f"≥{low:f}"
    )
    opened = min((at for at in (text.find("("), text.find("（")) if at >= 0), default=len(text))
    return said + text[opened:]


def overlaps(ranges: Sequence[R]) -> list[tuple[R, R]]:
    """Return every pair that could both be the best answer: same item, sex, pregnancy and method, with ages and validity in common."""
    items: dict[UUID, list[R]] = {}
    for r in ranges:
        items.setdefault(r.item_id, []).append(r)
    return [pair for of_item in items.values() for pair in meeting(of_item)]


def meeting(ranges: Sequence[H]) -> list[tuple[H, H]]:
    """Return every pair of one item's ranges that could both be the best answer."""
    kinds: dict[tuple[str, bool, str], list[H]] = {}
    for r in ranges:
        kinds.setdefault((r.sex, bool(r.pregnant), r.method), []).append(r)
    return [
        (a, b)
        for same in kinds.values()
        for i, a in enumerate(same)
        for b in same[i + 1 :]
        if _meet(*_days(a), *_days(b)) and _valid_together(a, b)
    ]


def _days(r: Held) -> tuple[int | None, int | None]:
    """Return about the first and the last day of a range's ages."""
    return (
        None if r.age_from is None else first_day_of_age(r.age_from),
        None if r.age_to is None else last_day_of_age(r.age_to),
    )


def _meet(a_low: int | None, a_high: int | None, b_low: int | None, b_high: int | None) -> bool:
    return (a_low is None or b_high is None or a_low <= b_high) and (b_low is None or a_high is None or b_low <= a_high)


def _valid_together(a: Held, b: Held) -> bool:
    return (b.valid_to is None or a.valid_from <= b.valid_to) and (a.valid_to is None or b.valid_from <= a.valid_to)


class HasRanges(Protocol[C]):
    """An item with its ranges, as a starter file holds it."""

    @property
    def ranges(self) -> Sequence[C]: ...  # noqa: D102 - plain data


def range_for(
    item: HasRanges[C], sex: str, age: str, *, pregnant: bool = False, method: str = "", on: date | None = None
) -> C | None:
    """Return by which range of an item somebody is judged who has reached an age such as `28d`, `6m` or `40y`. None: by none.

    `on`: the day; None: now, by the ranges that have not ended.
    """
    if on is None:
        return range_of(
            [r for r in item.ranges if r.valid_to is None],
            sex,
            Age.reached(age),
            pregnant=pregnant,
            method=method,
            on=date.max,
        )
    return range_of(item.ranges, sex, Age.reached(age), pregnant=pregnant, method=method, on=on)


Sharing = Literal["contained", "contains", "shares"]
"""What an item group is to another one: part of it, more than it, or neither and with items in common."""


def sharing(items: Collection[object], others: Collection[object]) -> Sharing | None:
    """Say what an item group that examines some items is to one that examines others; None: they have nothing in common."""
    mine, theirs = set(items), set(others)
    if not mine & theirs:
        return None
    return "contained" if mine <= theirs else "contains" if mine > theirs else "shares"


def first_day_of_age(age: str) -> int:
    """Return about the day on which an age (`28d`, `6m`, `18y`) is reached: enough to tell whether ranges meet, not whom they are for."""
    return int(int(age[:-1]) * _DAYS_OF[age[-1]])


def last_day_of_age(age: str) -> int:
    """Return about the last day on which an age still holds, the day before the next one is reached."""
    return first_day_of_age(f"{int(age[:-1]) + 1}{age[-1]}") - 1


def starter_id(kind: str, code: str) -> UUID:
    """Return the same id for the same starter row on every installation: loading twice changes nothing."""
    return uuid5(_STARTER, f"{kind}|{code}")


def names_any(raw: bytes, words: Iterable[str]) -> bool:
    """Say whether bytes hold one of these words, in any charset; a word of what no charset holds is in no message."""
    needles = {word.encode(charset, "ignore") for word in words for charset in ("utf-8", "gb18030")}
    return any(needle in raw for needle in needles if needle)
