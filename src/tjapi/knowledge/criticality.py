"""One source of what is critical: the critical rules. What else says so, a range's bounds or a finding's class, is held against them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tjapi.knowledge.rules import Case, Known

_OLDEST = 120
_FERTILE = (14, 55)
Alarms = Callable[[Case], Iterable[tuple[str, str]]]
"""What says of a case which critical rules hold: the code and the class of each."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """By when somebody must have seen to an alert, and how it is told again. The hospital's policy, kept with its rules; times in minutes.

    `again`: it is told one level higher; `highest_again`: the highest level, above which there is nobody, is told once more.
    As it ships: the 2019 consensus knows 2 h and 24 h, a laboratory's own rules 10 to 30 minutes; not read in a source.
    """

    a: int = 10
    b: int = 24 * 60
    again: int = 10
    highest_again: int = 60
    levels: int = 5

    def due(self, important_class: str) -> timedelta:
        """Return how soon somebody must have seen an alert of a class, and again how soon somebody must have been told."""
        return timedelta(minutes=self.a if important_class == "A" else self.b)


AS_SHIPPED = Clocks()
_MOST_MINUTES, _MOST_LEVELS = 30 * 24 * 60, 9


def clocks_of(said: Mapping[str, int]) -> Clocks:
    """Return the clocks that a policy says: A, B, again, highest_again, levels; what it leaves out is as it ships. Raises ValueError."""
    known = {"A": "a", "B": "b", "again": "again", "highest_again": "highest_again", "levels": "levels"}
    for name, value in said.items():
        if name not in known or not 1 <= value <= (_MOST_LEVELS if name == "levels" else _MOST_MINUTES):
            raise ValueError(f"no such clock, or out of bounds: {name}={value}")
    return Clocks(**{known[name]: value for name, value in said.items()})


@dataclass(frozen=True, slots=True)
class CriticalBounds:
    """The critical bounds of a range that ships, and for whom it holds; `step` is the last digit that its item is measured to.

    Ages are completed years, both ends belong; `pregnant` None: it makes no difference.
    """

    item: str
    unit: str | None
    step: Decimal
    sex: str
    age_from: int | None
    age_to: int | None
    pregnant: bool | None
    low: Decimal | None
    high: Decimal | None

    def people(self) -> list[tuple[str, int, bool]]:
        """Return the sex, age and pregnancy of those at the edges of it."""
        youngest, oldest = _FERTILE if self.pregnant else (0, _OLDEST)
        sexes = ("female",) if self.pregnant else ("male", "female") if self.sex == "any" else (self.sex,)
        ages = {max(self.age_from or 0, youngest), oldest if self.age_to is None else min(self.age_to, oldest)}
        return [(sex, age, bool(self.pregnant)) for sex in sexes for age in sorted(ages)]


def bounds_without_alarm(alarms: Alarms, ranges: Iterable[CriticalBounds]) -> list[str]:
    """Return the critical bounds at which no rule of class A begins to hold: what is flagged HH or LL there would alarm nobody, or others.

    On the bound one holds that does not hold one last digit inside, for everybody for whom the range is.
    """
    wrong = []
    for one in ranges:
        for person in one.people():
            for bound, inward in ((one.low, one.step), (one.high, -one.step)):
                if bound is None:
                    continue
                on, inside = (_grave(alarms, one, person, value) for value in (bound, bound + inward))
                if not on - inside:
                    wrong.append(f"{one.item} {bound:f} {person}")
    return wrong


def alarms_without_bound(
    alarms: Alarms, ranges: Iterable[CriticalBounds], limits: Iterable[tuple[str, Decimal]]
) -> list[str]:
    """Return the limits of rules of class A of one value alone that no range has for a bound: it alarms, and is not flagged critical.

    `limits` are items with the values at which such a rule begins to hold.
    """
    held: dict[str, list[CriticalBounds]] = {}
    for one in ranges:
        held.setdefault(one.item, []).append(one)
    return [
        f"{item} {limit:f} {one.sex} {one.age_from}-{one.age_to}"
        for item, limit in limits
        for one in held.get(item, ())
        if any(_grave(alarms, one, person, limit) for person in one.people()) and not _reaches(one, limit)
    ]


def _reaches(one: CriticalBounds, limit: Decimal) -> bool:
    return (one.low is not None and limit <= one.low) or (one.high is not None and limit >= one.high)


def _grave(alarms: Alarms, one: CriticalBounds, person: tuple[str, int, bool], value: Decimal) -> frozenset[str]:
    sex, age, pregnant = person
    known = Known(one.item, one.item, f"{value:f}", value, unit=one.unit)
    case = Case(sex, age, {one.item: known}, pregnant=pregnant)
    return frozenset(code for code, important in alarms(case) if important == "A")


def classes_without_alarm(cases: Iterable[tuple[str, str, Sequence[Case]]], alarms: Alarms) -> list[str]:
    """Return the findings of class A or B that are found where no alert of that class, or a graver one, is raised.

    `cases` are findings: code, class, and cases in which they are found.
    """
    wrong = []
    for code, important, found_in in cases:
        enough = {"A"} if important == "A" else {"A", "B"}
        if any(enough.isdisjoint({one for _, one in alarms(case)}) for case in found_in):
            wrong.append(code)
    return wrong


def rests_on_words(condition: Any) -> bool:
    """Say whether a description alone makes a condition hold, whoever it is of: no number and no coded choice has a say."""
    ((name, given),) = condition.items()
    match name:
        case "concept":
            return True
        case "any":
            return any(map(rests_on_words, given))
        case "all":
            asked = [one for one in given if "person" not in one]
            return bool(asked) and all(map(rests_on_words, asked))
        case "at_least":
            return bool(sum(map(rests_on_words, given["of"])) >= given["times"])
        case _:
            return False


def limits_of(condition: Any) -> list[tuple[str, Decimal]]:
    """Return the limits of a condition of single values alone, as far as no other value has a say: of `any` and of `all` with the person."""
    ((name, given),) = condition.items()
    if name == "value":
        begins = "ge" if "ge" in given and "le" not in given else "le" if "le" in given and "ge" not in given else ""
        return [(given["item"], Decimal(given[begins]))] if begins else []
    if name == "any":
        return [limit for one in given for limit in limits_of(one)]
    if name == "all":
        others = [one for one in given if "person" not in one]
        return limits_of(others[0]) if len(others) == 1 else []
    return []
