"""What the machine drafts of a value is never refused by the rule that holds words against values."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid5

import pytest

from tjapi.catalog.rules import range_for
from tjapi.catalog.service.content import read_starter as read_catalog
from tjapi.conclusion.rules import ALERT_ADVICE, DOUBT_ADVICE, alert_title, calm_beside, overview_of
from tjapi.knowledge.rules import Case, Known, evaluate
from tjapi.knowledge.schemas import ContentIn, CriticalRuleIn, ExampleIn, RuleIn
from tjapi.knowledge.service import example_case, read_starter
from tjapi.knowledge.words import finding_line, told
from tjapi.knowledge.yielding import SEE_ALERT
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import parse
from tjapi.result.service import Truth

pytestmark = pytest.mark.requirement("E3.3", "E4.3")
ITEMS = {item.code: item for item in read_catalog().items}
CONTENT: ContentIn = read_starter()


def known(code: str, text: str, flag: str | None, example: ExampleIn) -> Known:
    """Return a value of the catalogue's item as a laboratory says it: by its name, with its range and the flag that follows."""
    item = ITEMS[code]
    age = f"{example.age_years}y" if example.age_days is None else f"{example.age_days}d"
    of = range_for(item, example.sex, age, pregnant=example.pregnant)
    found = parse(text)
    if flag is None and of is not None:
        ours = Range(of.low, of.high, of.critical_low, of.critical_high, tuple(of.normal_texts or ()))
        flag = flag_of(item.kind, found, ours, item.choices or ())
    bounds = (None, None) if of is None else tuple(None if b is None else str(b) for b in (of.low, of.high))
    return Known(
        code, item.name, text, found.numeric, found.comparator, item.unit, flag,
        tuple(text.split(";")) if item.kind == "multi_select" else (), uuid5(UUID(int=0), code), bounds=bounds,  # type: ignore[arg-type]
        usual=of.text if of is not None and of.text else "", usual_texts=tuple(of.normal_texts or ()) if of is not None else (),
        choices=tuple(item.choices or ()) if item.kind in ("enumerated", "multi_select") else (),
    )  # fmt: skip


def case_of(example: ExampleIn) -> Case:
    case = example_case(example)
    values = {
        code: replace(known(code, text, example.flags.get(code), example), alarm=code in example.called)
        for code, text in example.values.items()
    }
    before = {code: [replace(one, unit=ITEMS[code].unit) for one in past] for code, past in case.before.items()}
    return replace(case, values=values, before=before)


def truth_of(case: Case, names: set[str], critical: set[str]) -> Truth:
    current: dict[UUID | None, Known] = {one.result_id: one for one in case.values.values()}
    past = [
        replace(one, item_name=case.values[code].item_name, numeric=Decimal(one.text) if one.text.isdigit() else one.numeric)
        for code, some in case.before.items() if code in case.values for one in some
    ]  # fmt: skip
    alarms = {one.item_name for one in current.values() if one.flag in ("HH", "LL") or one.alarm} | critical
    return Truth(current, list(current.values()), frozenset(), frozenset(names), frozenset(alarms), past, all_known=True)  # fmt: skip


def wrong_of(truth: Truth, texts: list[str]) -> list[str]:
    ids = [one.result_id for one in truth.current.values() if one.result_id is not None]
    told_wrong = [text for text in texts if truth.contradicts(text, rests_on=ids)]
    calm = calm_beside([(text, text) for text in texts], list(truth.current.values()))
    return told_wrong + calm


@pytest.mark.parametrize("rule", [rule for rule in CONTENT.rules if rule.fires], ids=lambda rule: rule.code)
def test_what_the_machine_says_of_a_finding_stands_beside_the_value_that_makes_it(rule: RuleIn) -> None:
    findings = {finding.code: finding for finding in CONTENT.findings}
    finding = findings[rule.finding]
    for example in rule.fires:
        case = case_of(example)
        verdict = evaluate(rule.condition, case)
        assert verdict.holds
        said = [
            finding.name, finding_line(finding.name, verdict.clauses), told(verdict.clauses), overview_of([finding.name]),
            *(words for words in (finding.advice, finding.lifestyle) if words),
        ]  # fmt: skip
        assert wrong_of(truth_of(case, {finding.name}, set()), said) == []


@pytest.mark.parametrize("rule", [rule for rule in CONTENT.critical if rule.fires], ids=lambda rule: rule.code)
def test_what_the_machine_says_of_a_critical_value_stands_beside_it(rule: CriticalRuleIn) -> None:
    for example in rule.fires:
        case = case_of(example)
        verdict = evaluate(rule.condition, case)
        names = [clause.known.item_name for clause in verdict.clauses if clause.known is not None]
        words = [word for clause in verdict.clauses for word in clause.found]
        said = [rule.name, rule.action, told(verdict.clauses)]
        if names and rule.important_class == "A":
            said += [alert_title(names, words), ALERT_ADVICE, SEE_ALERT, DOUBT_ADVICE]
        assert wrong_of(truth_of(case, set(), set(names)), said) == []
