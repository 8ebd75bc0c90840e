"""What is critical though it is filed nowhere: a value that no line takes, or of nobody known, judged as it would be on a line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemRange, ItemUnit
from tjapi.exam.models import Exam
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case
from tjapi.knowledge.service import Knowledge
from tjapi.result.rules.flags import Range, flag_of
from tjapi.result.rules.reading import Said, put_together
from tjapi.result.rules.values import Value
from tjapi.result.service import case
from tjapi.result.service.book import range_rules
from tjapi.result.service.measuring import in_our_unit

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

    def is_critical(self, item: Item, said: Sequence[Said]) -> bool:
        """Say whether anything that was said of an item is critical by a range that may apply, or by a rule that asks for action at once."""
        return any(self._by(range_rules(one) if one is not None else None, item, said) for one in self._of(item))

    def _of(self, item: Item) -> Sequence[ItemRange | None]:
        return self.ranges.get(item.id) or (None,)

    def _by(self, normal: Range | None, item: Item, said: Sequence[Said]) -> bool:
        others = self.units.get(item.id, ())
        units = [unit for unit in (item.unit, *(u.unit for u in others)) if unit]
        known = [*(item.choices or ()), *(normal.normal_texts if normal is not None else ())]
        for one in put_together(item.kind, said, units, known)[0]:
            turned = in_our_unit(one.reading, said[one.orders[0]].unit, item, others)
            if turned is not None and self._grave(item, turned[0], turned[1], normal):
                return True
        return False

    def _grave(self, item: Item, value: Value, unit: str | None, normal: Range | None) -> bool:
        flag = flag_of(item.kind, value, normal, item.choices or ())
        if flag in ("HH", "LL"):
            return True
        if self.edition is None:
            return False
        known = case.known(item.code, item.name, value, kind=item.kind, item_unit=item.unit, unit=unit, flag=flag)
        alone = Case(self.sex, self.age_years, {item.code: known}, {}, {})
        fired = self.edition.fired("critical", alone, frozenset({item.code}))
        return any(one.rule.important_class == "A" for one in fired)


async def judge_for(uow: UnitOfWork, exam: Exam, items: Iterable[Item]) -> Judge:
    """Return by what an exam's values are judged, of items that may be none of its own."""
    ids = {item.id for item in items}
    chosen = await catalog.choose_ranges(uow, ids, exam.sex, exam.birth_date, exam.exam_date)
    # Only looked at: whose message it is may not be known, and nothing of the exam is judged by it.
    version = exam.knowledge_version_id
    edition = await knowledge.edition(uow, version) if version is not None else await knowledge.active(uow)
    return Judge(exam.sex, exam.age_years, _alone(chosen), await catalog.units(uow, ids), edition)


async def judge_for_anyone(uow: UnitOfWork, sex: str, items: Iterable[Item]) -> Judge:
    """Return by what values of nobody known are judged: an adult of the sex that was named, else whatever range may apply."""
    ids, today = {item.id for item in items}, business_day(uow.now)
    held = await catalog.hold_ranges(uow, ids)
    named = _alone(held.of(sex, date(today.year - _ADULT, 1, 1), today)) if sex in ("male", "female") else {}
    active = await knowledge.active(uow)
    return Judge(sex, _ADULT, held.on(today) | named, await catalog.units(uow, ids), active)


def _alone(chosen: Mapping[UUID, ItemRange]) -> dict[UUID, Sequence[ItemRange]]:
    return {item_id: (one,) for item_id, one in chosen.items()}
