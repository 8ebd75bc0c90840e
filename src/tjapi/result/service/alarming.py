"""What asks for somebody at once, of an exam's values; and what is critical though it is filed nowhere, judged as it would be on a line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemRange, ItemUnit
from tjapi.catalog.rules import Subject
from tjapi.exam.models import Exam
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import CALLED_CRITICAL, Case, Clause, Verdict, evaluate
from tjapi.knowledge.service import Fired, Knowledge, Rule
from tjapi.result.rules.alarms import LAB_ALARM, LAB_ALARM_ACTION, LAB_ALARM_NAME, NOT_EXCLUDED
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.numbers import may_be_critical, numbers_in
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.raw import MadeOut
from tjapi.result.rules.reading import NUMBERS, Said, put_together
from tjapi.result.rules.values import Value
from tjapi.result.service import case
from tjapi.result.service.book import range_rules
from tjapi.result.service.measuring import in_any_unit, in_our_unit, unit_doubted

_MOST_JUDGED = 300
"""Of one message that nobody could file: so many values are looked at before it is set aside, on the worker's own time."""
_ADULT = 40
"""How old somebody is taken to be of whom nobody says it: the bounds of grown people apply."""


@dataclass(frozen=True, slots=True)
class Judge:
    """By what the values of one person are judged; `ranges` are several of an item where nobody knows which one applies."""

    sex: str
    age_years: int
    ranges: Mapping[UUID, Sequence[ItemRange]]
    units: Mapping[UUID, Sequence[ItemUnit]]
    edition: Knowledge | None
    pregnant: bool = False
    age_days: int | None = None

    def is_critical(self, item: Item, said: Sequence[Said]) -> bool:
        """Say whether anything that was said of an item is critical by a range that may apply, or by a rule that asks for action at once.

        What cannot be read, or may as well be in another unit, is critical where that is not excluded.
        """
        return any(self._by(one, item, said) for one in self._of(item))

    def may_be_critical(self, item: Item, texts: Iterable[tuple[str, str]]) -> bool:
        """Say whether any number in texts of an item, each beside its unit, is critical in a unit that it may be in."""
        return any(self._may_be(one, item, text, unit) for text, unit in texts for one in self._of(item))

    def _of(self, item: Item) -> Sequence[ItemRange | None]:
        return self.ranges.get(item.id) or (None,)

    def _by(self, found: ItemRange | None, item: Item, said: Sequence[Said]) -> bool:
        normal, others = range_rules(found) if found is not None else None, self.units.get(item.id, ())
        units = [unit for unit in (item.unit, *(u.unit for u in others)) if unit]
        known = [*(item.choices or ()), *(normal.normal_texts if normal is not None else ())]
        measured, unread = put_together(item.kind, said, units, known)
        for one in measured:
            first = said[one.orders[0]]
            turned = in_our_unit(one.reading, first.unit, item, others)
            if turned is not None and self._grave(item, turned[0], turned[1], normal):
                return True
            doubted = turned is None or unit_doubted(one.reading, (first.unit, ""), item, others, found)
            if doubted and self._may_be(found, item, one.reading.value.text, first.unit):
                return True
        texts = [(text, one.unit) for one in said for text in (one.raw, *one.others)]
        return unread is not None and any(self._may_be(found, item, text, unit) for text, unit in texts)

    def _may_be(self, found: ItemRange | None, item: Item, text: str, unit: str) -> bool:
        normal, others = range_rules(found) if found is not None else None, self.units.get(item.id, ())
        return any(
            self._grave(item, value, item.unit, normal) or may_be_critical(value, normal)
            for number in numbers_in(text)
            for value in in_any_unit(number, unit, item, others)
        )

    def _grave(self, item: Item, value: Value, unit: str | None, normal: Range | None) -> bool:
        flag = flag_of(item.kind, value, normal, item.choices or ())
        if flag in ("HH", "LL"):
            return True
        if self.edition is None:
            return False
        known = case.known(item.code, item.name, value, kind=item.kind, item_unit=item.unit, unit=unit, flag=flag)
        alone = Case(self.sex, self.age_years, {item.code: known}, {}, {}, self.pregnant, self.age_days)
        fired = alarms_of(self.edition, alone, frozenset({item.code}))
        # Of what somebody else wrote, and nobody can file, a grave word is enough.
        return any(one.rule.important_class == "A" or one.rule.of_every for one in fired)


async def judge_for(uow: UnitOfWork, exam: Exam, items: Iterable[Item]) -> Judge:
    """Return by what an exam's values are judged, of items that may be none of its own."""
    ids = {item.id for item in items}
    chosen = await catalog.choose_ranges(uow, ids, case.subject_of(exam))
    # Only looked at: whose message it is may not be known, and nothing of the exam is judged by it.
    version = exam.knowledge_version_id
    edition = await knowledge.edition(uow, version) if version is not None else await knowledge.active(uow)
    return Judge(
        exam.sex,
        exam.age_years,
        _alone(chosen),
        await catalog.units(uow, ids),
        edition,
        bool(exam.pregnant),
        exam.age_days,
    )


async def judge_for_anyone(uow: UnitOfWork, sex: str, items: Iterable[Item]) -> Judge:
    """Return by what values of nobody known are judged: an adult of the sex that was named, else whatever range may apply."""
    ids, today = {item.id for item in items}, business_day(uow.now)
    held = await catalog.hold_ranges(uow, ids)
    adult = Subject(sex, date(today.year - _ADULT, 1, 1), "", today)
    named = _alone(held.of(adult)) if sex in ("male", "female") else {}
    active = await knowledge.active(uow)
    return Judge(sex, _ADULT, held.on(today) | named, await catalog.units(uow, ids), active)


async def critical_of_anyone(uow: UnitOfWork, source: str, said: MadeOut) -> set[str]:
    """Return the codes of what is critical by what applies to anybody, of observations that were made out of bytes."""
    items = await catalog.items_of_external_codes(uow, source, {code for one in said.told for code in one.codes})
    if not items:
        return set()
    judge = await judge_for_anyone(uow, said.sex, {item.id: item for item in items.values()}.values())
    found: set[str] = set()
    left = _MOST_JUDGED
    for one in said.told:
        # Of codes that lead to two items nobody knows which one is meant: either may be critical.
        for item in {items[code].id: items[code] for code in one.codes if code in items}.values():
            raws = one.values if item.kind in NUMBERS else [part for raw in one.values for part in raw.split("^")]
            judged = [raw for raw in raws if raw.strip()][:left]
            left -= len(judged)
            if any(judge.is_critical(item, [Said(raw, one.unit, 0)]) for raw in judged):
                found.add(one.codes[0])
    return found


def _alone(chosen: Mapping[UUID, ItemRange]) -> dict[UUID, Sequence[ItemRange]]:
    return {item_id: (one,) for item_id, one in chosen.items()}


def alarms_of(edition: Knowledge, case: Case, items: frozenset[str] | None = None) -> list[Fired]:
    """Return the critical rules that hold, and those that a value such as ">20" may well fulfil: a person decides, not silence.

    `items`: only what looks at any of these.
    """
    found = edition.fired("critical", case, items)
    # Only what asks for action at once about that very item is the same alarm; a rule that merely looks at it as well is another.
    same = [one for one in found if one.rule.important_class == "A" and len(one.rule.items) == 1]
    told = {c.known.result_id for one in same for c in one.verdict.clauses if c.known is not None}
    found = [one for one in found if not (one.rule.of_every and _is_told(one, found))]
    found += [one for one in _called_by_laboratory(edition, case, items) if told.isdisjoint(one.verdict.result_ids)]
    for rule in edition.about("critical", items):
        doubtful = [k for k in evaluate(rule.condition, case).unreadable if k.numeric is not None and k.comparator]
        if doubtful and len(rule.items) == 1:
            clauses = tuple(Clause(k, f"不能排除{rule.name}", note=NOT_EXCLUDED) for k in doubtful)
            found.append(Fired(rule, Verdict(True, clauses)))
    return found


def _is_told(one: Fired, found: Sequence[Fired]) -> bool:
    """Say whether another rule tells of the same words as urgently: of a chosen one its own rule, of a description one of class A that found the same.

    Of words beside a value no rule of the value tells.
    """
    if any(clause.beside for clause in one.verdict.clauses):
        return False
    known = next(clause.known for clause in one.verdict.clauses)
    words = {word for clause in one.verdict.clauses for word in clause.found}
    for other in found:
        if other.rule.of_every or len(other.rule.items) > 1:
            continue
        for clause in other.verdict.clauses:
            same = clause.known is not None and known is not None and clause.known.result_id == known.result_id
            if same and (not clause.said or (other.rule.important_class == "A" and words <= set(clause.found))):
                return True
    return False


def every_alarm(edition: Knowledge, case: Case) -> list[Fired]:
    """Return what is critical in a case, of repeated measurements as well."""
    fired = list(alarms_of(edition, case))
    for repeated in case.repeats.values():
        for known in repeated:
            fired += alarms_of(edition, case.led_by(known), frozenset({known.item_code}))
    return fired


def graves_of(edition: Knowledge, case: Case) -> list[Clause]:
    """Return why values of a case are critical: of each, every reason that asks for action at once."""
    grave = (one for one in every_alarm(edition, case) if one.rule.important_class == "A" or one.rule.of_every)
    return list(dict.fromkeys(clause for one in grave for clause in one.verdict.clauses))


def _called_by_laboratory(edition: Knowledge, case: Case, items: Iterable[str] | None) -> list[Fired]:
    """Return what the laboratory itself calls critical, each value an alarm of its own."""
    values = [k for code, k in case.values.items() if k.alarm and (items is None or code in items)]
    said = CALLED_CRITICAL
    return [Fired(_lab_rule(edition, k.item_code), Verdict(True, (Clause(k, said, note=said),))) for k in values]


def _lab_rule(edition: Knowledge, item_code: str) -> Rule:
    """Return the rule of what a laboratory calls critical, of one item. An edition without it alarms all the same: nobody forgets it away."""
    held = edition.of_any_item()
    return Rule(
        code=LAB_ALARM, purpose="critical", name=held.name if held else LAB_ALARM_NAME, condition={}, items=frozenset({item_code}),
        past=frozenset(), finding=None, important_class=held.important_class if held else "A",
        action=held.action if held else LAB_ALARM_ACTION, of_nothing=False,
    )  # fmt: skip
