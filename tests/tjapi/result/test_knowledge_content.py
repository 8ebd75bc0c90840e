"""The shipped findings and critical rules: each is fired by its cases and missed by its near misses, with the flags that our ranges give."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.tjapi.shipped import CONTENT, ITEMS, STARTER, case_of, known, person_of
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case, Condition, Known, evaluate, items_of, leaves
from tjapi.knowledge.schemas import CriticalRuleIn, ExampleIn, RuleIn
from tjapi.result.service.findings import standing

pytestmark = pytest.mark.requirement("X15", "E3.4", "E5.1")
RULES: list[RuleIn | CriticalRuleIn] = [*CONTENT.rules, *CONTENT.critical]


def _known(code: str, raw: str, example: ExampleIn) -> Known:
    return known(code, raw, person_of(example), alarm=code in example.called)


def _case(example: ExampleIn) -> Case:
    """The case as the system would see it: parsed, and flagged by the shipped ranges."""
    return case_of(person_of(example), example.values, example.before, example.repeats, example.called)


def _cases() -> Iterator[Any]:
    for rule in RULES:
        for name, examples in (("fires", rule.fires), ("misses", rule.misses)):
            for i, example in enumerate(examples):
                yield pytest.param(rule, example, name == "fires", id=f"{rule.code}-{name}-{i}")


def test_there_is_what_a_department_needs() -> None:
    assert len(CONTENT.findings) >= 150
    assert {r.finding for r in CONTENT.rules} == {f.code for f in CONTENT.findings}
    assert CONTENT.faults() == []
    assert knowledge.faults(CONTENT, frozenset(ITEMS)) == []


def test_every_rule_does_what_its_examples_say_under_the_shipped_ranges() -> None:
    wrong = [
        case.id
        for case in _cases()
        if bool(evaluate(case.values[0].condition, _case(case.values[1])).holds) is not case.values[2]
    ]
    assert wrong == []


def _parts(condition: Condition) -> Iterator[Condition]:
    return ({name: given} for name, given in leaves(condition))


def test_every_part_of_every_rule_is_what_decides_in_some_example_and_fails_in_another() -> None:
    """A rule of several branches is not covered by a case of one of them: a branch that can never hold is a rule that never fires."""
    never = []
    for rule in RULES:
        cases = [_case(example) for example in (*rule.fires, *rule.misses)]
        for leaf in _parts(rule.condition):
            said = [evaluate(leaf, case).holds for case in cases]
            if True not in said or all(said):
                never.append((rule.code, leaf, said))
    assert never == []


def _bounds() -> Iterator[Any]:
    for rule in RULES:
        for n, leaf in enumerate(_parts(rule.condition)):
            ((name, given),) = leaf.items()
            for bound in ("ge", "gt", "le", "lt"):
                if name in ("value", "first", "repeated") and bound in given:
                    yield pytest.param(leaf, given, bound, id=f"{rule.code}-{n}-{bound}")


@pytest.mark.parametrize(("leaf", "given", "bound"), list(_bounds()))
def test_every_bound_of_every_rule_holds_on_its_side_and_not_beyond(
    leaf: Condition, given: dict[str, Any], bound: str
) -> None:
    """Generated from the rules: on the bound, one last digit inside and one outside, told by the bound's own name alone."""
    item, limit = ITEMS[given["item"]], Decimal(given[bound])
    step = Decimal(1).scaleb(min(-(item.decimals or 0), int(limit.as_tuple().exponent)))
    inward = step if bound in ("ge", "gt") else -step
    for value, holds in ((limit + inward, True), (limit, bound in ("ge", "le")), (limit - inward, False)):
        others = [Decimal(given[b]) for b in ("ge", "gt", "le", "lt") if b in given and b != bound]
        if holds and any(abs(other - limit) <= step for other in others):
            continue  # between two bounds there is no room for a digit
        one = _known(given["item"], f"{value:f}", ExampleIn(values={given["item"]: f"{value:f}"}))
        again = [one] * (given.get("times", 1) - 1)
        case = Case("male", 45, {given["item"]: one}, repeats={given["item"]: again})
        assert bool(evaluate(leaf, case).holds) is holds, (f"{value:f}", evaluate(leaf, case))


def test_every_finding_stands_in_a_case_of_its_own_and_brings_its_advice() -> None:
    """Not only does its rule fire: nothing that outranks it is always found beside it."""
    held = knowledge.in_memory(CONTENT)
    found = {
        advice.code: advice
        for rule in CONTENT.rules
        for example in rule.fires
        for advice, _ in standing(held.fired("finding", _case(example)))
    }
    assert {f.code for f in CONTENT.findings} - found.keys() == set()
    assert all(advice.advice for advice in found.values())


def test_a_finding_that_asks_to_act_at_once_is_an_alert_that_does_so_too() -> None:
    """A page says 危急，请立即就医 of what somebody was called for at once, and of nothing else; what can wait a week is of class B."""
    held = knowledge.in_memory(CONTENT)
    grave = {finding.code for finding in CONTENT.findings if finding.important_class == "A"}
    assert grave
    milder = [
        rule.code
        for rule in CONTENT.rules
        if rule.finding in grave
        for example in rule.fires
        if all(one.rule.important_class != "A" for one in held.fired("critical", _case(example)))
    ]
    assert milder == []


def test_a_flag_that_an_example_states_is_the_one_that_the_range_gives() -> None:
    wrong = [
        (rule.code, code, said)
        for rule in RULES
        for example in (*rule.fires, *rule.misses)
        for code, said in example.flags.items()
        if _known(code, example.values[code], example).flag != said
    ]
    assert wrong == []


def test_every_choice_and_unit_that_a_rule_asks_for_is_one_that_its_item_has() -> None:
    for rule in RULES:
        for name, given in leaves(rule.condition):
            item = ITEMS.get(given.get("item", ""))
            if name == "is" and item is not None and item.choices:
                assert set(given["in"]) <= set(item.choices), rule.code
            if given.get("unit") and item is not None:
                assert given["unit"] == item.unit, rule.code
            if name in ("value", "repeated", "first", "change"):
                assert item is not None
                assert item.kind in ("numeric", "computed"), rule.code


def test_everything_names_its_source() -> None:
    rows = [*CONTENT.findings, *RULES]
    assert all(row.source for row in rows)
    assert all(f.advice and f.lifestyle for f in CONTENT.findings)


def test_no_normal_value_makes_a_finding() -> None:
    """A person of whom every item is as its default says has nothing to be told but what the defaults themselves are."""
    for sex in ("male", "female"):
        example = ExampleIn(sex=sex, values={"GLU": "5"})
        mine = {code for group in STARTER.item_groups if group.sex in ("any", sex) for code in group.items}
        own = [i for i in STARTER.items if i.normal_default and i.code in mine]
        values = {i.code: _known(i.code, i.normal_default or "", example) for i in own}
        for rule in RULES:
            assert evaluate(rule.condition, Case(sex, 45, values)).holds is not True, rule.code


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"SBP": "152", "DBP": "95"}, ["HYPERTENSION"]),
        ({"SBP": "128", "DBP": "84"}, ["BP-HIGH-NORMAL"]),
        ({"GLU": "17.2"}, ["GLU-VERY-HIGH"]),
        ({"GLU": "7.0", "HBA1C": "6.6"}, ["DIABETES-GLU"]),
        ({"US-THYROID": "右叶见低回声结节", "US-THYROID-TR": "TI-RADS 4b类"}, ["THYROID-SUSPICIOUS"]),
        ({"US-LIVER": "肝脏回声增强,提示脂肪肝", "FIBRO-CAP": "280"}, ["FATTY-LIVER"]),
        ({"US-LIVER": "未见脂肪肝"}, []),
        ({"CXR": "双肺纹理增多,主动脉迂曲"}, ["AORTIC-SCLEROSIS", "LUNG-MARKINGS"]),
    ],
)
def test_what_stands_beside_what(values: dict[str, str], found: list[str]) -> None:
    """The weightier finding stands in for the lighter one of the same thing; two ways of finding one thing are one."""
    example = ExampleIn(values=values)
    held = knowledge.in_memory(CONTENT)
    assert [advice.code for advice, _ in standing(held.fired("finding", _case(example)))] == found


def test_items_of_the_rules_are_items_of_the_catalog() -> None:
    assert {code for rule in RULES for code in items_of(rule.condition)} <= set(ITEMS)
