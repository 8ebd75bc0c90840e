"""No calm deadline beside a graver one: what an alert of class B asks within three days, no finding of the same value leaves for a month."""

import re
from collections.abc import Iterator, Mapping

import pytest

from tests.tjapi.shipped import CONTENT, Person, case_of, findings_of, person_of
from tjapi.knowledge.rules import Case, evaluate
from tjapi.knowledge.service import Fired

pytestmark = pytest.mark.requirement("E4.4", "E5.1", "X15")

WITHIN: Mapping[str, int] = {
    "当日|当天|当即|即刻|立即|今天|离开前": 1,
    "两日内": 2,
    "三日内": 3,
    "一周内": 7,
    "一到两周内|两周内": 14,
    "一个月内": 30,
    "两个月内": 60,
    "三个月内": 90,
}
"""How a deadline is said, and how many days it is."""
OF_THE_READER = {"TEXT-GRAVE"}
"""Alerts whose action is for whoever reads the text, not for the person examined."""
OTHERS = (
    Person("female", "30y", pregnant=True),
    Person("female", "30y"),
    Person("male", "8y"),
    Person("male", "60d"),
    Person("male", "82y"),
)


def deadline_of(words: str) -> int | None:
    """Return how many days the first deadline in words is; None: they say none."""
    said = [(found.start(), days) for how, days in WITHIN.items() if (found := re.search(how, words))]
    return min(said)[1] if said else None


def test_every_alert_of_class_b_says_by_when() -> None:
    assert [
        rule.code for rule in CONTENT.critical if rule.important_class == "B" and deadline_of(rule.action) is None
    ] == []


def _cases() -> Iterator[tuple[str, int, set[str], Case]]:
    """Yield alerts of class B with their days and the items that raise them: in their examples, and of the same values of others."""
    for rule in CONTENT.critical:
        days = deadline_of(rule.action)
        if rule.important_class != "B" or days is None or rule.code in OF_THE_READER:
            continue
        for example in rule.fires:
            for person in (person_of(example), *OTHERS):
                case = case_of(person, example.values, example.before, example.repeats, example.called)
                if (verdict := evaluate(rule.condition, case)).holds:
                    yield (
                        rule.code,
                        days,
                        {one.known.item_code for one in verdict.clauses if one.known is not None},
                        case,
                    )


def _about(fired: list[Fired]) -> set[str]:
    return {clause.known.item_code for one in fired for clause in one.verdict.clauses if clause.known is not None}


def test_no_finding_waits_longer_than_the_alert_of_its_value() -> None:
    waiting = set()
    for code, days, items, case in _cases():
        for advice, fired in findings_of(case):
            if items & _about(fired) and (advice.recheck_days or 999) > days:
                who = f"{case.sex} {case.age_years}{' pregnant' if case.pregnant else ''}"
                waiting.add(
                    (
                        code,
                        days,
                        advice.code,
                        advice.recheck_days,
                        who,
                        str({k: v.text for k, v in case.values.items()}),
                    )
                )
    assert sorted(waiting) == []


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("三日内血液内科就诊,发热当日就诊。", 3),
        ("当日复查;三日内再查。", 1),
        ("请按时复查。", None),
        ("一到两周内妇科阴道镜。", 14),
    ],
)
def test_a_deadline_is_the_first_that_words_say(words: str, days: int | None) -> None:
    assert deadline_of(words) == days
