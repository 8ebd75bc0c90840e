"""What is wrong with the items and ranges of a catalog as it ships: gaps, overlaps, bounds that contradict each other, codes that are none.

Pure: the starter files are data, and no database is asked. `tjapi content check` prints what is found here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from tjapi.catalog.rules import Age, Held, first_day_of_age, meeting, range_of

REPEATS = {"SBP-2": "SBP", "DBP-2": "DBP"}
"""Items that are the same observation made once more, and of what: they alone share a LOINC code."""
_SEXES = (("male", "男性", "men"), ("female", "女性", "women"))
_FERTILE = ("12y", "56y")
"""Between which ages somebody may be pregnant: a range of pregnancy holds for nobody else, and none is missed."""
_UNITS = {"d": ("天", "days"), "w": ("周", "weeks"), "m": ("月", "months"), "y": ("岁", "years")}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with content: a code of the kind of fault, the row, and what it is in both languages."""

    code: str
    path: str
    zh: str
    en: str


class Ranged(Held, Protocol):
    """A range as the check looks at it."""

    @property
    def low(self) -> Decimal | None: ...  # noqa: D102 - plain data
    @property
    def high(self) -> Decimal | None: ...  # noqa: D102
    @property
    def critical_low(self) -> Decimal | None: ...  # noqa: D102
    @property
    def critical_high(self) -> Decimal | None: ...  # noqa: D102
    @property
    def normal_texts(self) -> list[str] | None: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102


class Checked(Protocol):
    """An item as the check looks at it."""

    @property
    def code(self) -> str: ...  # noqa: D102 - plain data
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def loinc(self) -> str | None: ...  # noqa: D102
    @property
    def ranges(self) -> Sequence[Ranged]: ...  # noqa: D102


def gaps(items: Iterable[Checked], unjudged: Iterable[str] = ()) -> list[Fault]:
    """Return what is wrong with the ranges of items: every one that is judged has a range, or a row that says why not, for everybody.

    By sex, by age from birth on, and for who is pregnant. A row without bounds and normal words says in its `text` for whom nothing is
    known to be normal: a value is then undetermined, and the report says why. `unjudged`: items whose values nobody judges (身高, 血型).
    """
    exempt = set(unjudged)
    faults: list[Fault] = []
    for item in items:
        if item.kind != "text" and item.code not in exempt:
            faults += _missing(item)
        faults += [*_overlapping(item), *_contradicting(item), *_losing(item), *_idle(item)]
    return faults


def _missing(item: Checked) -> list[Fault]:
    faults = []
    for sex, zh, en in _SEXES:
        for pregnant in (False, True) if sex == "female" else (False,):
            since: str | None = None
            for age in [*_ages(item.ranges, pregnant=pregnant), None]:
                found = None if age is None else _at(item.ranges, sex, age, pregnant=pregnant)
                silent = age is not None and (found is None or not (_judges(found) or found.text.strip()))
                if silent and since is None:
                    since = age
                elif not silent and since is not None:
                    span_zh, span_en = _span(since, age)
                    of_zh, of_en = (f"{zh}孕期", f"pregnant {en}") if pregnant else (zh, en)
                    faults.append(
                        Fault(
                            "range-gap", f"items/{item.code}/ranges", f"{of_zh}{span_zh}没有参考区间,也没有说明",
                            f"{of_en} {span_en}: no reference range, and no row that says why",
                        )
                    )  # fmt: skip
                    since = None
    return faults


def _ages(ranges: Sequence[Held], *, pregnant: bool) -> list[str]:
    """Return the ages at which another range may begin to hold, in order; of a woman who is pregnant those at which one may be."""
    known = {"0d", *(r.age_from for r in ranges if r.age_from), *(_after(r.age_to) for r in ranges if r.age_to)}
    if pregnant:
        low, high = (first_day_of_age(age) for age in _FERTILE)
        known = {_FERTILE[0], *(age for age in known if low <= first_day_of_age(age) < high)}
    return sorted(known, key=first_day_of_age)


def _after(age: str) -> str:
    return f"{int(age[:-1]) + 1}{age[-1]}"


def _at(ranges: Sequence[Ranged], sex: str, age: str, *, pregnant: bool) -> Ranged | None:
    still = [r for r in ranges if r.valid_to is None]
    return range_of(still, sex, Age.reached(age), pregnant=pregnant, on=date.max)


def _judges(r: Ranged) -> bool:
    return r.low is not None or r.high is not None or bool(r.normal_texts)


def _span(since: str, until: str | None) -> tuple[str, str]:
    zh, en = _UNITS[since[-1]]
    start = f"{since[:-1]}{zh}起", f"from {since[:-1]} {en}"
    if until is None:
        return start
    zh, en = _UNITS[until[-1]]
    return f"{start[0]}至{until[:-1]}{zh}前", f"{start[1]} to {until[:-1]} {en}"


def _overlapping(item: Checked) -> list[Fault]:
    return [
        Fault(
            "range-overlap", f"items/{item.code}/ranges", f"参考区间重叠:{_who(a)} 与 {_who(b)}",
            f"ranges overlap: {_who(a)} and {_who(b)}",
        )
        for a, b in meeting(item.ranges)
    ]  # fmt: skip


def _who(r: Held) -> str:
    said = [r.sex, f"{r.age_from or ''}–{r.age_to or ''}", "pregnant" if r.pregnant else "", r.method]
    return " ".join(word for word in said if word)


def _contradicting(item: Checked) -> list[Fault]:
    """Name ranges whose bounds or words contradict each other, or the kind of their item."""
    faults = []
    for r in item.ranges:
        low, high = r.low, r.high
        crossed = (
            (low is not None and high is not None and low > high)
            or (r.critical_low is not None and any(b is not None and r.critical_low >= b for b in (low, high)))
            or (r.critical_high is not None and any(b is not None and r.critical_high <= b for b in (low, high)))
        )
        if crossed:
            faults.append(
                Fault("range-bounds", f"items/{item.code}/ranges", f"界限互相矛盾:{_who(r)}", f"bounds contradict each other: {_who(r)}")
            )  # fmt: skip
        if bool(r.normal_texts) == (item.kind in ("numeric", "computed")) and (_judges(r)):
            faults.append(
                Fault("range-kind", f"items/{item.code}/ranges", f"区间与结果类型不符:{_who(r)}", f"does not fit the kind of result: {_who(r)}")
            )  # fmt: skip
    return faults


def _losing(item: Checked) -> list[Fault]:
    """Name ranges of pregnancy that would let a critical bound go that holds for every other woman of the age."""
    faults = []
    for r in (r for r in item.ranges if r.pregnant and r.valid_to is None):
        for age in _ages(item.ranges, pregnant=True):
            usual = _at(item.ranges, "female", age, pregnant=False)
            if _at(item.ranges, "female", age, pregnant=True) is not r or usual is None:
                continue
            if (usual.critical_low, usual.critical_high) != (r.critical_low, r.critical_high):
                faults.append(
                    Fault(
                        "pregnancy-criticals", f"items/{item.code}/ranges", f"孕期区间的危急值与同龄女性不同({age})",
                        f"critical bounds differ from those of other women of {age}",
                    )
                )  # fmt: skip
                break
    return faults


def _idle(item: Checked) -> list[Fault]:
    """Name ranges by which nobody is ever judged: another one is always more specific."""
    faults = []
    for r in (r for r in item.ranges if not r.method and r.valid_to is None):
        sexes = ("unknown", "male", "female") if r.sex == "any" else (r.sex,)
        held = any(
            _at(item.ranges, sex, age, pregnant=r.pregnant) is r
            for sex in sexes
            for age in _ages(item.ranges, pregnant=False)
        )
        if not held:
            faults.append(
                Fault("range-idle", f"items/{item.code}/ranges", f"从不适用:{_who(r)}", f"never holds: {_who(r)}")
            )
    return faults


def is_loinc(code: str) -> bool:
    """Say whether a LOINC code is well formed: its last digit is the mod-10 (Luhn) check digit of those before the hyphen."""
    number, _, check = code.partition("-")
    if not (number.isdecimal() and len(check) == 1 and check.isdecimal()):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        total += sum(map(int, str(int(digit) * (2 if place % 2 == 0 else 1))))
    return (10 - total % 10) % 10 == int(check)


def miscoded(items: Iterable[Checked]) -> list[Fault]:
    """Return LOINC codes that are none, and those of two items: another item is another observation, but for a repeat (`REPEATS`)."""
    held = [(item.code, item.loinc) for item in items if item.loinc]
    times = Counter(loinc for code, loinc in held if code not in REPEATS)
    return [
        Fault("loinc-check-digit", f"items/{code}/loinc", f"{loinc} 校验位不符", f"{loinc} fails its check digit")
        for code, loinc in held
        if not is_loinc(loinc)
    ] + [
        Fault("loinc-twice", f"items/{code}/loinc", f"{loinc} 不止一个项目使用", f"{loinc} is another item's as well")
        for code, loinc in held
        if times[loinc] > 1
    ]  # fmt: skip
