"""The case of an exam: its values as the rules of the knowledge base see them."""

from collections.abc import Collection
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case, Known
from tjapi.result import views
from tjapi.result.rules.flags import lab_critical, undetermined
from tjapi.result.rules.reading import chosen
from tjapi.result.rules.values import Value, finding, same_unit

_EXAMS_BACK = 10


def changed(uow: UnitOfWork, exam_id: UUID) -> None:
    """Note that the values of a locked exam are others now: its case is put together at the next question, and kept for those after it."""
    _kept(uow)[exam_id] = None


def _kept(uow: UnitOfWork) -> dict[UUID, Case | None]:
    kept: dict[UUID, Case | None] = uow.session.info.setdefault("cases", {})
    return kept


async def case_of(uow: UnitOfWork, exam_id: UUID) -> Case:
    """Return what the rules may be asked about an exam, as far as the caller may see it. Raises ExamNotFound."""
    kept = _kept(uow)
    case = kept.get(exam_id) or await _put_together(uow, exam_id)
    if exam_id in kept:
        kept[exam_id] = case
    return case


async def _put_together(uow: UnitOfWork, exam_id: UUID) -> Case:
    """Return the case of an exam, read of its tables.

    Of an item that stands on several lines the first is its value and the others are repeated measurements. Earlier values are read
    only of items that a rule of the active version compares with the past, newest exam first.
    """
    exam = await exams.get(uow, exam_id)
    values: dict[str, Known] = {}
    repeats: dict[str, list[Known]] = {}
    for row in await views.case_values(uow, [exam_id]):
        one = _known(row)
        if one.item_code in values:
            repeats.setdefault(one.item_code, []).append(one)
        else:
            values[one.item_code] = one
    active = await knowledge.active(uow)
    compared = {code for rule in active.rules for code in rule.past} & values.keys() if active is not None else set()
    return Case(exam.sex, exam.age_years, values, await _before(uow, exam, compared), repeats)


async def values_of(uow: UnitOfWork, revision_ids: Collection[UUID]) -> dict[UUID, Known]:
    """Return revisions as rules would see them, by id: those that are no current values as well."""
    if not revision_ids:
        return {}
    return {row.revision_id: _known(row) for row in await views.case_values_of(uow, revision_ids)}


async def _before(uow: UnitOfWork, exam: Exam, codes: Collection[str]) -> dict[str, list[Known]]:
    if not codes:
        return {}
    past = [e.id for e in await views.past_exams(uow, exam, _EXAMS_BACK) if e.id != exam.id]
    found: dict[str, list[Known]] = {}
    if past:
        order = {exam_id: i for i, exam_id in enumerate(past)}
        for row in sorted(await views.case_values(uow, past, codes), key=lambda row: order[row.exam_id]):
            found.setdefault(row.item_code, []).append(_known(row))
    return found


def known(
    code: str, name: str, value: Value, *, kind: str, item_unit: str | None, unit: str | None, flag: str | None,
    result_id: UUID | None = None, department_id: int | None = None, revision_id: UUID | None = None, alarm: bool = False,
    bounds: tuple[str | None, str | None] = (None, None), usual: str = "", laboratory: bool = False, ranged: bool = False,
) -> Known:  # fmt: skip
    """Return a value as a rule sees it: a qualitative grade in its one spelling, a unit that means the item's own as the item's own."""
    return Known(
        code, name, finding(value.text), value.numeric, value.comparator,
        item_unit if same_unit(unit or "", item_unit) else unit, flag,
        chosen(value.text) if kind == "multi_select" else (), result_id, department_id, revision_id, alarm,
        bounds, usual, undetermined(kind, flag, laboratory=laboratory, ranged=ranged),
    )  # fmt: skip


def _known(row: views.CaseRow) -> Known:
    value = Value(row.raw_value, row.text, row.comparator, row.numeric)
    return known(
        row.item_code, row.item_name, value, kind=row.kind, item_unit=row.item_unit, unit=row.unit, flag=row.flag, result_id=row.result_id,
        department_id=row.department_id, revision_id=row.revision_id, alarm=lab_critical((row.lis_flags or "").split(" ")),
        bounds=(row.low, row.high), usual=row.usual or "", laboratory=row.laboratory, ranged=row.ranged,
    )  # fmt: skip
