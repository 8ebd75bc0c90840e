"""What is put to a person about a result, and what may be answered. Pure.

open → closed by a person's answer, by a later value, or because the line is gone
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tjapi.result.rules.flags import Flag
from tjapi.result.rules.ranges import Range, apart, least_apart
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
ADULT_YEARS = 18
_ONE_SCALE = Decimal(3)
"""By how much ranges of one unit differ at most, between laboratories and methods."""
_ANOTHER_SCALE = Decimal("1.5")
"""From where on two ranges may as well be of two units, where the verdicts that they give differ."""


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


@dataclass(frozen=True, slots=True)
class Turned:
    """A number without a unit as it would be if it was said in another one: in our unit, with its flag, and the laboratory's range likewise."""

    value: Value
    flag: Flag | None
    said: Range | None = None


def unit_in_doubt(
    ours: tuple[Flag | None, Range | None],
    in_others: Iterable[Turned],
    said: Range | None,
    limits: Limits,
    verdicts: Iterable[Flag | None] = (),
) -> bool:
    """Say whether a number without a unit may as well be one in another unit: possible there too, and something else.

    `ours`: its flag in our unit, and our range; `in_others`: what it is if it was said in each other one. A range of the laboratory's beside
    it (`said`) tells the unit: the one in which it comes nearest to ours. One that comes near in none of those that we know, and by which
    the laboratory itself (`verdicts`: by its range, by its flag) finds something else than we do, is of one that we do not know.
    """
    flag, normal = ours
    distance = apart(said, normal) if said is not None and normal is not None else None
    if said is not None and normal is not None and _of_another_scale(said, normal) and _differs(flag, verdicts):
        return True
    meant = [one for one in in_others if implausible(one.value, limits) is None and one.flag != flag]
    if distance is None or normal is None or distance > _ONE_SCALE:
        return bool(meant)
    return any(_nearer(one.said, normal, distance) for one in meant)


def _nearer(said: Range | None, normal: Range, distance: Decimal) -> bool:
    theirs = apart(said, normal) if said is not None else None
    return theirs is not None and theirs < distance


def _of_another_scale(said: Range, normal: Range) -> bool:
    least = least_apart(said, normal)
    return least is not None and least >= _ANOTHER_SCALE


def _differs(ours: Flag | None, verdicts: Iterable[Flag | None]) -> bool:
    """Say whether one of two finds something and the other nothing."""
    return ours is not None and any(one is not None and bool(one) != bool(ours) for one in verdicts)


def jumped(value: Value, last: Decimal | None, limits: Limits, age_years: int) -> bool:
    """Say whether an adult's number differs from the last exam's by more than the item allows; children grow."""
    if (
        last is None
        or limits.delta_percent is None
        or value.numeric is None
        or value.comparator
        or age_years < ADULT_YEARS
    ):
        return False
    return abs(value.numeric - last) * 100 > abs(last) * limits.delta_percent
