"""One source of criticality: a number that a critical rule of class A holds of is flagged critical, whatever the bounds of its range say."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from tjapi.catalog.models import Item
from tjapi.exam.models import Exam
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case, Condition, Known, evaluate, items_of, leaves
from tjapi.knowledge.service import Knowledge, Rule
from tjapi.result.rules.flags import Flag
from tjapi.result.rules.values import Value
from tjapi.result.service import case

_GRAVER: dict[str, Flag] = {"H": "HH", "L": "LL"}


class Criticality:
    """The critical rules of class A by which the numbers of one exam are flagged; earlier values are read only where a rule compares them."""

    def __init__(self, exam: Exam, edition: Knowledge | None) -> None:
        self._exam = exam
        self._rules = grave_rules(edition)
        self._before: dict[str, Sequence[Known]] = {}

    @classmethod
    async def of(cls, uow: UnitOfWork, exam: Exam) -> "Criticality":
        """Return by what the numbers of an exam are critical: by the edition it is judged by, or that would judge it."""
        version = exam.knowledge_version_id
        held = await knowledge.edition(uow, version) if version is not None else await knowledge.active(uow)
        return cls(exam, held)

    def asks_of(self, code: str) -> bool:
        """Say whether any rule of class A looks at an item."""
        return code in self._rules

    async def flag(self, uow: UnitOfWork, item: Item, value: Value, unit: str | None, flag: str | None) -> Flag | None:
        """Return the flag of a number as it is told: critical where a rule of class A holds of it."""
        code = item.code
        known = case.known(code, item.name, value, kind=item.kind, item_unit=item.unit, unit=unit, flag=flag)
        past = frozenset().union(*(rule.past for rule in self._rules.get(code, ()))) & {code}
        if past and known.flag not in (None, "") and code not in self._before:
            self._before[code] = (await case.before_of(uow, self._exam, [code])).get(code, [])
        exam, before = self._exam, {code: list(self._before.get(code, ()))}
        alone = Case(exam.sex, exam.age_years, {code: known}, before, {}, bool(exam.pregnant), exam.age_days)
        return as_told(self._rules.get(code, ()), alone, known)


def grave_rules(edition: Knowledge | None) -> dict[str, list[Rule]]:
    """Return the critical rules of class A by the items that they look at."""
    found: dict[str, list[Rule]] = {}
    for rule in edition.about("critical") if edition is not None else ():
        if rule.important_class == "A":
            for code in rule.items:
                found.setdefault(code, []).append(rule)
    return found


def as_told(rules: Sequence[Rule], alone: Case, known: Known) -> Flag | None:
    """Return the flag of a number: HH or LL where one of these rules holds of it alone, whatever its range says; else its own.

    Pure. `alone` is the case of this one value, with what it was before. On which side it is critical its flag says, and without one the
    limit that it passes. A rule that needs another value as well says nothing of this one by itself.
    """
    own = cast("Flag | None", known.flag)
    if known.numeric is None or own in ("HH", "LL"):
        return own
    for rule in rules:
        if _holds(rule.condition, known.item_code, alone):
            return _GRAVER.get(own or "") or _side(rule.condition, known.item_code, known.numeric, rules) or own
    return own


def _holds(condition: Condition, code: str, alone: Case) -> bool:
    """Say whether a condition holds by one value alone: of `any` one that asks for nothing else, of `all` every one."""
    ((name, given),) = condition.items()
    if name == "any":
        return any(_holds(one, code, alone) for one in given)
    if name == "all":
        return all(_holds(one, code, alone) for one in given)
    return items_of(condition) <= {code} and evaluate(condition, alone).holds is True


def _side(condition: Condition, code: str, number: Decimal, rules: Sequence[Rule]) -> Flag | None:
    """Return on which side a number is critical by the limits of a condition; None where they say both, or neither.

    Of a band (160 to below 200) the rule that goes on where it ends says the side.
    """
    begins = {_bound(given, _LOW) for rule in rules for _, given in leaves(rule.condition) if given.get("item") == code}
    ends = {_bound(given, _HIGH) for rule in rules for _, given in leaves(rule.condition) if given.get("item") == code}
    sides: set[Flag] = set()
    for _, given in leaves(condition):
        low, high = _bound(given, _LOW), _bound(given, _HIGH)
        if given.get("item") != code or (low is not None and number < low) or (high is not None and number > high):
            continue
        if low is not None and (high is None or high in begins):
            sides.add("HH")
        elif high is not None and (low is None or low in ends):
            sides.add("LL")
    return sides.pop() if len(sides) == 1 else None


_LOW, _HIGH = ("ge", "gt"), ("le", "lt")


def _bound(given: Mapping[str, Any], names: Sequence[str]) -> Decimal | None:
    return next((Decimal(str(given[name])) for name in names if name in given), None)
