"""What is put to a person about a result, and what may be answered. Pure.

open → closed by a person's answer, by a later value, or because the line is gone
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tjapi.result.rules.flags import Flag, Range
from tjapi.result.rules.values import Value

QuestionKind = Literal["unread", "contested", "undetermined", "implausible", "missing"]
QUESTIONS: tuple[QuestionKind, ...] = ("unread", "contested", "undetermined", "implausible", "missing")
Answer = Literal["normal", "abnormal", "not_judged", "value", "no_value", "keep", "confirmed", "wrong"]
QUESTION_LABELS: Mapping[QuestionKind, tuple[str, str]] = {
    "unread": ("结果未能读取", "a value could not be read"),
    "contested": ("结果相互矛盾", "values contradict each other"),
    "undetermined": ("结果未判定正常或异常", "a value is neither normal nor abnormal"),
    "implausible": ("结果超出合理范围,待核实", "a value is hardly possible"),
    "missing": ("项目不会再有结果", "no value will come of an item"),
}
ANSWERS: Mapping[QuestionKind, frozenset[Answer]] = {
    "unread": frozenset({"value", "no_value", "keep"}),
    "contested": frozenset({"keep", "wrong", "value"}),
    "undetermined": frozenset({"normal", "abnormal", "not_judged"}),
    "implausible": frozenset({"confirmed", "wrong"}),
    # Nobody is asked: a person says so of an item, and that is the answer.
    "missing": frozenset({"no_value"}),
}
ANSWER_LABELS: Mapping[Answer, tuple[str, str]] = {
    "normal": ("正常", "normal"),
    "abnormal": ("异常", "abnormal"),
    "not_judged": ("不作判断", "not judged"),
    "value": ("由人工录入数值", "the value is entered by hand"),
    "no_value": ("无有效结果", "there is no value"),
    "keep": ("以其中一个(或原结果)为准", "one of them, or what stands, holds"),
    "confirmed": ("核实无误", "confirmed"),
    "wrong": ("结果有误", "the value is wrong"),
}
JUDGED_FLAGS: Mapping[Answer, Flag | None] = {"normal": "", "abnormal": "A", "not_judged": None}
UNFLAGGED: frozenset[str] = frozenset(answer for answer, flag in JUDGED_FLAGS.items() if flag is None)
"""Answers of which nothing is kept at the value: they answer the question of that very value, until the person is another one."""
CALM: frozenset[Answer] = frozenset({"normal", "not_judged"})
"""Answers after which a value stands on the report without a mark."""
# An open one of these keeps a line from being verified: what the line says is not known yet.
HOLDING: frozenset[str] = frozenset({"unread", "contested", "implausible"})
UNKNOWN: frozenset[str] = frozenset({"unread", "implausible"})
"""While one of these is open nobody knows what the value is."""
_ADULT_YEARS = 18
_ONE_SCALE = 3


def makes_known(kind: str, how: str, answer: str | None) -> bool:
    """Say whether the end of a question leaves a value that is known; that there is none, or a wrong one, excludes nothing."""
    return kind in UNKNOWN and (how == "value" or (how == "person" and answer in ("value", "keep", "confirmed")))


@dataclass(frozen=True, slots=True)
class Limits:
    """What an item's value is expected to be: `judged`: normal or abnormal; within the plausible bounds; near the last exam's."""

    judged: bool = True
    plausible_low: Decimal | None = None
    plausible_high: Decimal | None = None
    delta_percent: int | None = None


def implausible(value: Value, limits: Limits) -> str | None:
    """Return which limit a number passes ("plausible_low", "plausible_high"); None: none, or it is no number."""
    if value.numeric is None:
        return None
    if (
        limits.plausible_low is not None
        and value.numeric < limits.plausible_low
        and value.comparator not in (">", ">=")
    ):
        return "plausible_low"
    if (
        limits.plausible_high is not None
        and value.numeric > limits.plausible_high
        and value.comparator not in ("<", "<=")
    ):
        return "plausible_high"
    return None


def unit_in_doubt(
    ours: tuple[Flag | None, Range | None],
    in_others: Iterable[tuple[Value, Flag | None]],
    said: Range | None,
    limits: Limits,
) -> bool:
    """Say whether a number without a unit may as well be one in another unit: possible there too, and something else.

    `ours`: its flag in our unit, and our range; `in_others`: what it is in our unit if it was said in each other one, and that one's flag. A
    range of the laboratory's beside it (`said`) that is of the order of ours says the unit.
    """
    flag, normal = ours
    if said is not None and normal is not None and _one_scale(said, normal):
        return False
    return any(implausible(value, limits) is None and other != flag for value, other in in_others)


def _one_scale(said: Range, ours: Range) -> bool:
    pairs = [(said.low, ours.low), (said.high, ours.high)]
    both = [(one, two) for one, two in pairs if one is not None and two is not None and one > 0 and two > 0]
    return bool(both) and all(max(one, two) <= _ONE_SCALE * min(one, two) for one, two in both)


def jumped(value: Value, last: Decimal | None, limits: Limits, age_years: int) -> bool:
    """Say whether an adult's number differs from the last exam's by more than the item allows; children grow."""
    if (
        last is None
        or limits.delta_percent is None
        or value.numeric is None
        or value.comparator
        or age_years < _ADULT_YEARS
    ):
        return False
    return abs(value.numeric - last) * 100 > abs(last) * limits.delta_percent
