"""The content that ships, as the system would judge a value by it: parsed, flagged by the shipped ranges, and asked of the shipped rules.

No database, and no flag that somebody made up: what a rule sees is what the ranges say of the raw value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tjapi.catalog import service as catalog
from tjapi.catalog.rules import Age, range_for
from tjapi.catalog.schemas import StarterItem, StarterRange
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.schemas import ExampleIn
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import parse
from tjapi.result.service.alarming import every_alarm
from tjapi.result.service.case import known as as_known
from tjapi.result.service.findings import Found, found_in

STARTER = catalog.read_starter()
ITEMS: dict[str, StarterItem] = {item.code: item for item in STARTER.items}
UNJUDGED = {limit.item for limit in STARTER.limits if not limit.judged}
CONTENT = knowledge.read_starter()
HELD = knowledge.in_memory(CONTENT)


@dataclass(frozen=True)
class Person:
    """Of whom values are: `age` as ranges say it, such as `6m` or `45y`."""

    sex: str = "male"
    age: str = "45y"
    pregnant: bool = False

    @property
    def years(self) -> int:
        """The completed years, which rules know."""
        return Age.reached(self.age).years

    @property
    def days(self) -> int:
        """The days since birth, about."""
        return Age.reached(self.age).days


def person_of(example: ExampleIn) -> Person:
    """Return of whom an example speaks."""
    age = f"{example.age_years}y" if example.age_days is None else f"{example.age_days}d"
    return Person(example.sex, age, example.pregnant)


def range_of(code: str, person: Person) -> StarterRange | None:
    """Return the shipped range by which somebody's value is judged."""
    return range_for(ITEMS[code], person.sex, person.age, pregnant=person.pregnant)


def known(code: str, raw: str, person: Person, *, alarm: bool = False) -> Known:
    """Return a raw value as a rule sees it."""
    item, value, found = ITEMS[code], parse(raw), range_of(code, person)
    normal = (
        Range(found.low, found.high, found.critical_low, found.critical_high, tuple(found.normal_texts or ()))
        if found is not None
        else None
    )
    flag = flag_of(item.kind, value, normal, item.choices or ())
    return as_known(
        code, item.name, value, kind=item.kind, item_unit=item.unit, unit=item.unit, flag=flag, alarm=alarm,
        judged=code not in UNJUDGED,
    )  # fmt: skip


def case_of(
    person: Person,
    values: Mapping[str, str],
    before: Mapping[str, Sequence[str]] | None = None,
    repeats: Mapping[str, Sequence[str]] | None = None,
    called: Iterable[str] = (),
) -> Case:
    """Return the case of somebody's raw values; `called` are those that the laboratory calls critical itself."""
    alarming = set(called)
    return Case(
        person.sex,
        person.years,
        {code: known(code, raw, person, alarm=code in alarming) for code, raw in values.items()},
        {code: [known(code, raw, person) for raw in raws] for code, raws in (before or {}).items()},
        {code: [known(code, raw, person) for raw in raws] for code, raws in (repeats or {}).items()},
        person.pregnant,
        person.days,
    )


def findings_of(case: Case) -> list[Found]:
    """Return what stands of what the shipped rules find."""
    return found_in(HELD, case)


def alerts_of(case: Case) -> dict[str, str | None]:
    """Return the shipped alerts of a case, by the code of the rule, with their class."""
    return {one.rule.code: one.rule.important_class for one in every_alarm(HELD, case)}
