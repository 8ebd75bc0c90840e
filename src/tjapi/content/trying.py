"""One person's values tried on a content: the range that is chosen, the flag that it gives, and what is found and alarms. Pure, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tjapi.catalog.rules import Age, range_for
from tjapi.catalog.schemas import Starter, StarterItem, StarterRange
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.service import Knowledge
from tjapi.result import service as results
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import parse
from tjapi.result.service.case import known


@dataclass(frozen=True, slots=True)
class Person:
    """Of whom values are tried: `age` as ranges say it, such as `28d`, `6m` or `45y`; `method` as a range names it, empty for any."""

    sex: str
    age: str
    pregnant: bool = False
    method: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A value with what judges it: the chosen range in words, for whom that range is, where it is from, and the flag.

    `flag`: H, L, HH, LL, A; empty: normal; None: undetermined, and a person is asked, unless `judged` says that nobody expects a verdict.
    `laboratory_first`: a range that the laboratory sends beside its value goes before this one.
    """

    item: str
    name: str
    value: str
    unit: str
    flag: str | None
    judged: bool
    range: str
    whom: str
    source: str
    laboratory_first: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What a content says of the values together: a finding or an alert, its code and name, why, and by when or what is to be done."""

    what: Literal["finding", "critical"]
    code: str
    name: str
    why: str
    advice: str
    days: int | None
    important_class: str | None


class NoSuchItemError(ValueError):
    """A value of an item that the catalog does not have."""


def try_values(
    catalog: Starter, content: Knowledge, person: Person, values: Mapping[str, str]
) -> tuple[list[Judged], list[Said]]:
    """Judge raw values of one person by a catalog's ranges, and ask a content's rules of them. Raises NoSuchItemError, ValueError for an age.

    What is undetermined finds nothing until a person says what it is, and alarms all the same, as on a line.
    """
    items = {item.code: item for item in catalog.items}
    unjudged = {limit.item for limit in catalog.limits if not limit.judged}
    first = {limit.item for limit in catalog.limits if limit.laboratory_first}
    age, grave = Age.reached(person.age), results.grave_rules(content)
    judged: list[Judged] = []
    held: dict[str, Known] = {}
    for code, raw in values.items():
        if code not in items:
            raise NoSuchItemError(code)
        item, value = items[code], parse(raw)
        chosen = range_for(item, person.sex, person.age, pregnant=person.pregnant, method=person.method)
        flag = flag_of(item.kind, value, _bounds(chosen), item.choices or ())
        held[code] = one = known(
            code, item.name, value, kind=item.kind, item_unit=item.unit, unit=item.unit, flag=flag, judged=code not in unjudged
        )  # fmt: skip
        alone = Case(person.sex, age.years, {code: one}, pregnant=person.pregnant, age_days=age.days)
        flag = results.as_told(grave.get(code, ()), alone, one)
        held[code] = replace(one, flag=flag)
        judged.append(_judged(item, raw, flag, chosen, judged=code not in unjudged, laboratory_first=code in first))
    case = Case(person.sex, age.years, held, pregnant=person.pregnant, age_days=age.days)
    findings = [
        Said(
            "finding",
            advice.code,
            advice.name,
            results.reasons(fired),
            advice.advice,
            advice.recheck_days,
            advice.important_class,
        )
        for advice, fired in results.found_in(content, case)
    ]
    alerts = [
        Said(
            "critical", one.rule.code, one.rule.name, one.verdict.words, one.rule.action, None, one.rule.important_class
        )
        for one in results.alarms_of(content, case)
    ]
    return judged, [*findings, *alerts]


def _bounds(chosen: StarterRange | None) -> Range | None:
    if chosen is None:
        return None
    return Range(chosen.low, chosen.high, chosen.critical_low, chosen.critical_high, tuple(chosen.normal_texts or ()))


def _judged(
    item: StarterItem, raw: str, flag: str | None, chosen: StarterRange | None, *, judged: bool, laboratory_first: bool
) -> Judged:
    return Judged(
        item.code, item.name, raw, item.unit or "", flag, judged, chosen.text if chosen is not None else "",
        _whom(chosen) if chosen is not None else "", chosen.source if chosen is not None else "", laboratory_first,
    )  # fmt: skip


def _whom(chosen: StarterRange) -> str:
    """Return for whom a range holds, in words: 女 18y 起 孕期."""
    sex = {"male": "男", "female": "女"}.get(chosen.sex, "不分性别")
    ages = (
        f"{chosen.age_from or '出生'} 至 {chosen.age_to}"
        if chosen.age_to
        else f"{chosen.age_from} 起"
        if chosen.age_from
        else "各年龄"
    )
    return " ".join(part for part in (sex, ages, "孕期" if chosen.pregnant else "", chosen.method) if part)
