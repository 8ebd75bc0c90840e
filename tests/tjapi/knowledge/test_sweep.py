"""Every numeric item from far below to far above, for twelve people: nothing fires inside the range, nothing grave is called normal.

Criticals alarm exactly at their bounds. Pure: the shipped ranges judge, the shipped rules are asked; nothing here is a flag that somebody made up.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.tjapi import starter
from tests.tjapi.shipped import (
    CONTENT,
    HELD,
    ITEMS,
    STARTER,
    Person,
    case_of,
    known,
    person_of,
    range_of,
)
from tjapi.knowledge.criticality import (
    CriticalBounds,
    alarms_without_bound,
    bounds_without_alarm,
    classes_without_alarm,
    limits_of,
)
from tjapi.knowledge.rules import Case, leaves, needs_past
from tjapi.result.service.alarming import alarms_of
from tjapi.result.service.criticality import as_told, grave_rules
from tjapi.result.service.findings import found_in

pytestmark = pytest.mark.requirement("X15", "E3.4", "E5.1")

PEOPLE = {
    "infant": Person("male", "6m"),
    "toddler": Person("female", "2y"),
    "child": Person("male", "5y"),
    "schoolboy": Person("male", "10y"),
    "girl": Person("female", "14y"),
    "youth": Person("male", "17y"),
    "woman": Person("female", "25y"),
    "pregnant": Person("female", "30y", pregnant=True),
    "man": Person("male", "45y"),
    "known": Person("male", "52y"),
    "old": Person("female", "72y"),
    "oldest": Person("male", "90y"),
}
KNOWN_HISTORY = {"HISTORY": "高血压;糖尿病;痛风"}
NUMERIC = [item for item in STARTER.items if item.kind in ("numeric", "computed")]
INSIDE = {
    "BP-HIGH-NORMAL": "正常高值 is the upper part of what is normal, and says so",
    "LDL-ABOVE-TARGET": "of whose heart is at risk the target lies below the range, and the finding says so",
    "METABOLIC-SYNDROME": "counts HDL below 1.04, which by itself is not low; never of one value alone",
}
"""What may be found of a value inside its range, and why."""
EARLIER = {"GLU": Decimal("16.7"), "OGTT-0": Decimal("16.7")}
"""Where an alert of class A begins before the critical bound: the consensus' own class for fasting glucose, below the laboratory's 22.2."""


LIMITS: dict[str, set[Decimal]] = {}
for _condition in (*(rule.condition for rule in CONTENT.rules), *(rule.condition for rule in CONTENT.critical)):
    for _name, _given in leaves(_condition):
        for _bound in ("ge", "gt", "le", "lt"):
            if _bound in _given and "item" in _given:
                LIMITS.setdefault(str(_given["item"]), set()).add(Decimal(str(_given[_bound])))


def _grid(code: str, person: Person) -> list[str]:
    """From far below to far above: every bound of the range and of every rule, one last digit to either side, and the plausible ends."""
    item, own = ITEMS[code], range_of(code, person)
    step = Decimal(1).scaleb(-(item.decimals or 0))
    bounds = set(LIMITS.get(code, ()))
    if own is not None:
        bounds |= {b for b in (own.low, own.high, own.critical_low, own.critical_high) if b is not None}
    limit = starter.LIMITS.get(code, {})
    ends = [Decimal(str(limit[end])) for end in ("plausible_low", "plausible_high") if limit.get(end) is not None]
    far = [max(bounds) * 10, min(bounds) / 10] if bounds and min(bounds) > 0 else []
    near = {b + n * step for b in bounds for n in (-1, 0, 1)}
    return [f"{value.quantize(step):f}" for value in sorted({*near, *ends, *far})]


def _case(code: str, raw: str, name: str) -> Case:
    person = PEOPLE[name]
    history = KNOWN_HISTORY if name == "known" else {}
    before = {code: [raw]} if name == "known" else None
    return case_of(person, {code: raw, **history}, before)


@pytest.mark.parametrize("name", PEOPLE)
def test_nothing_is_found_and_nothing_alarms_inside_the_range(name: str) -> None:
    wrong = []
    for item in NUMERIC:
        for raw in _grid(item.code, PEOPLE[name]):
            case = _case(item.code, raw, name)
            if case.values[item.code].flag != "":
                continue
            about = frozenset({item.code})
            found = [
                one.rule.finding.code
                for one in HELD.fired("finding", case, about)
                if one.rule.finding is not None and one.rule.finding.code not in INSIDE
            ]
            alarming = [one.rule.code for one in alarms_of(HELD, case, about)]
            if found or alarming:
                wrong.append((item.code, raw, found, alarming))
    assert wrong == []


@pytest.mark.parametrize("name", PEOPLE)
def test_what_is_flagged_critical_alarms_at_once_and_what_alarms_at_once_is_flagged_so(name: str) -> None:
    """On the bound and beyond, and not one last digit before; but for what has an earlier class A of its own."""
    wrong = []
    for item in NUMERIC:
        if range_of(item.code, PEOPLE[name]) is None:
            continue
        for raw in _grid(item.code, PEOPLE[name]):
            case = _case(item.code, raw, name)
            flag = case.values[item.code].flag
            grave = {
                one.rule.code
                for one in alarms_of(HELD, case, frozenset({item.code}))
                if one.rule.important_class == "A"
            }
            if flag in ("HH", "LL") and not grave:
                wrong.append((item.code, raw, "flagged, and nobody is called"))
            if grave and flag == "":
                wrong.append((item.code, raw, f"{grave} beside a normal flag"))
    assert wrong == []


GRAVE = grave_rules(HELD)


def _told(case: Case, code: str) -> str | None:
    """Return the flag of a value as the system tells it: by its range, and by what is critical whatever the range says."""
    known = case.values[code]
    alone = replace(case, values={code: known}, before={code: list(case.before.get(code, ()))})
    return as_told(GRAVE.get(code, ()), alone, known)


@pytest.mark.parametrize("name", PEOPLE)
def test_no_alarm_of_class_a_stands_beside_a_number_that_is_not_flagged_critical(name: str) -> None:
    """One source of criticality: troponin, an infant's white cells, a first haemoglobin; and nothing is flagged so that alarms nobody."""
    wrong = []
    for item in NUMERIC:
        for raw in _grid(item.code, PEOPLE[name]):
            case = _case(item.code, raw, name)
            about = frozenset({item.code})
            grave = {one.rule.code for one in alarms_of(HELD, case, about) if one.rule.important_class == "A"}
            told = _told(case, item.code)
            if bool(grave) != (told in ("HH", "LL")):
                wrong.append((item.code, raw, sorted(grave), told))
    assert wrong == []


def test_each_rule_of_class_a_of_one_number_flags_its_own_examples_critical() -> None:
    wrong, seen = [], set()
    for rule in CONTENT.critical:
        if rule.important_class != "A" or rule.code == "LAB-CRITICAL":
            continue  # What the laboratory calls critical is its own word, told beside our flag.
        for example in rule.fires:
            if len(example.values) != 1 or example.repeats:
                continue
            case = case_of(person_of(example), example.values, example.before, called=example.called)
            for code, known_ in case.values.items():
                fired = any(one.rule.code == rule.code for one in alarms_of(HELD, case, frozenset({code})))
                if known_.numeric is None or not fired or ITEMS[code].kind not in ("numeric", "computed"):
                    continue
                seen.add(rule.code)
                if _told(case, code) not in ("HH", "LL"):
                    wrong.append((rule.code, code, known_.text, _told(case, code)))
    assert wrong == []
    assert len(seen) >= 40


@pytest.mark.parametrize("name", PEOPLE)
def test_what_is_far_outside_is_never_silent(name: str) -> None:
    """At the ends of what is plausible a value that has a range on that side is flagged: it stands in the summary, found or not."""
    silent = []
    for item in NUMERIC:
        own, limit = range_of(item.code, PEOPLE[name]), starter.LIMITS.get(item.code, {})
        if own is None:
            continue
        for end, bound, flags in (("plausible_low", own.low, ("L", "LL")), ("plausible_high", own.high, ("H", "HH"))):
            if bound is None or limit.get(end) is None:
                continue
            far = Decimal(str(limit[end]))
            beyond = far < bound if end == "plausible_low" else far > bound
            if beyond and known(item.code, f"{far:f}", PEOPLE[name]).flag not in flags:
                silent.append((item.code, end, far))
    assert silent == []


def _years(age: str | None) -> int | None:
    return None if age is None else Person(age=age).years


def _bounds() -> list[CriticalBounds]:
    return [
        CriticalBounds(
            item.code, item.unit, Decimal(1).scaleb(-(item.decimals or 0)), one.sex, _years(one.age_from),
            _years(one.age_to), True if one.pregnant else None, one.critical_low, one.critical_high,
        )
        for item in NUMERIC
        for one in item.ranges
    ]  # fmt: skip


def _alarms(case: Case) -> list[tuple[str, str]]:
    about = frozenset(case.values)
    return [(one.rule.code, str(one.rule.important_class)) for one in alarms_of(HELD, case, about)]


def test_every_critical_bound_of_a_range_is_where_a_rule_of_class_a_begins() -> None:
    assert bounds_without_alarm(_alarms, _bounds()) == []


def test_a_critical_bound_that_no_rule_has_is_named() -> None:
    """The check can fail: a bound beside the rule's, or for people of whom the rule does not speak."""
    step = Decimal("0.01")
    beside = CriticalBounds("K", "mmol/L", step, "any", 18, None, None, Decimal("2.9"), Decimal("6.2"))
    assert bounds_without_alarm(_alarms, [beside]) == [
        "K 2.9 ('male', 18, False)", "K 2.9 ('male', 120, False)", "K 2.9 ('female', 18, False)", "K 2.9 ('female', 120, False)",
    ]  # fmt: skip
    infants = CriticalBounds("CREA", "μmol/L", Decimal(1), "male", 0, 5, None, None, Decimal(654))
    assert bounds_without_alarm(_alarms, [infants]) != []


def test_every_limit_of_class_a_of_one_value_is_flagged_critical() -> None:
    limits = [
        limit
        for rule in CONTENT.critical
        if rule.important_class == "A" and not needs_past(rule.condition)
        for limit in limits_of(rule.condition)
    ]
    assert len(limits) >= 40
    adults = [
        one
        for one in _bounds()
        if (one.age_from or 0) <= ADULT and (one.age_to is None or one.age_to >= ADULT) and not one.pregnant
    ]
    without = {tuple(said.split(" ")[:2]) for said in alarms_without_bound(_alarms, adults, limits)}
    assert without == {(code, f"{limit:f}") for code, limit in EARLIER.items()} | UNFLAGGED


ADULT = 40
UNFLAGGED = {("IOP-R", "40"), ("IOP-L", "40")}
"""Whose ranges have no critical bound yet: they alarm, and are flagged high or low."""


def test_every_class_of_a_finding_has_an_alert_of_that_class() -> None:
    """In each case in which it is found: an important finding of which nobody is told is none."""
    cases: dict[str, list[Case]] = {}
    for rule in CONTENT.rules:
        for example in rule.fires:
            person = person_of(example)
            cases.setdefault(rule.finding, []).append(
                case_of(person, example.values, example.before, example.repeats, example.called)
            )
    classed = [(f.code, f.important_class, cases[f.code]) for f in CONTENT.findings if f.important_class]
    assert len(classed) >= 20
    assert classes_without_alarm(classed, _alarms) == []
    milk = case_of(Person(), {"K": "4.0"})
    assert classes_without_alarm([("X", "B", [milk])], _alarms) == ["X"]


@pytest.mark.parametrize("name", PEOPLE)
def test_no_two_findings_of_one_value_contradict_each_other(name: str) -> None:
    """One number is not high and low, nor two grades of one scale: of what stands of a single value one finding is left, or named pairs."""
    together = []
    for item in NUMERIC:
        for raw in _grid(item.code, PEOPLE[name]):
            found = found_in(HELD, _case(item.code, raw, name), frozenset({item.code}))
            own = sorted(
                advice.code
                for advice, fired in found
                if any(c.known and c.known.item_code == item.code for one in fired for c in one.verdict.clauses)
            )
            if len(own) > 1 and tuple(own) not in PAIRS:
                together.append((item.code, raw, own))
    assert together == []


PAIRS = {
    ("DIABETES-GLU", "GLU-VERY-HIGH"), ("GDM", "GLU-VERY-HIGH"), ("ALBUMINURIA-SEVERE", "CKD"), ("CKD", "EGFR-SEVERE"),
    ("METABOLIC-SYNDROME", "TG-BORDERLINE"), ("METABOLIC-SYNDROME", "TG-HIGH"), ("METABOLIC-SYNDROME", "TG-SEVERE"),
    ("HDL-LOW", "METABOLIC-SYNDROME"), ("CENTRAL-OBESITY", "METABOLIC-SYNDROME"),
}  # fmt: skip
"""A disease beside how urgent it is today, and a syndrome beside its parts."""
