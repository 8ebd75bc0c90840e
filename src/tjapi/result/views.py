"""What is read of results together with the lines they belong to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, text

from tjapi.catalog.models import Item
from tjapi.exam.models import Exam, ExamLine
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.models import Result, ResultRevision
from tjapi.result.rules import ABNORMAL, Comparator

_UNMAPPED = text("""
select m.source as system, c.code, count(*) as messages, min(m.received_at) as first_seen_at, max(m.received_at) as last_seen_at
from inbox_message m cross join lateral jsonb_array_elements_text(m.detail->'codes') c(code)
where m.state = 'unmatched' and m.detail ? 'codes' and (cast(:system as text) is null or m.source = :system)
  and (cast(:after_system as text) is null or (m.source, c.code) > (:after_system, :after_code))
group by m.source, c.code order by m.source, c.code limit :size
""")


async def unmapped_codes(
    uow: UnitOfWork, *, system: str | None, after: Sequence[str] | None, size: int
) -> Sequence[Row[Any]]:
    """Return the codes that messages wait for, by system and code, one too many; how many wait, since when, until when."""
    last = after or (None, None)
    asked = {"system": system, "after_system": last[0], "after_code": last[1], "size": size + 1}
    return (await uow.session.execute(_UNMAPPED, asked)).all()


async def past_exams(uow: UnitOfWork, exam: Exam, size: int) -> Sequence[Exam]:
    """Return an exam and the same person's exams before it, newest first."""
    before = or_(Exam.exam_date < exam.exam_date, and_(Exam.exam_date == exam.exam_date, Exam.id <= exam.id))
    query = (
        select(Exam)
        .where(Exam.examinee_id == exam.examinee_id, Exam.state != "cancelled", before)
        .order_by(Exam.exam_date.desc(), Exam.id.desc())
        .limit(size)
    )
    return (await uow.session.execute(query)).scalars().all()


async def past_results(
    uow: UnitOfWork, exam_ids: Sequence[UUID], department_id: int
) -> Sequence[tuple[Result, ResultRevision]]:
    """Return a department's current results of several exams, in printing order."""
    query = (
        select(Result, ResultRevision)
        .join(ResultRevision, ResultRevision.id == Result.current_revision_id)
        .join(ExamLine, ExamLine.id == Result.line_id)
        .join(Item, Item.id == Result.item_id)
        .where(Result.exam_id.in_(exam_ids), Result.department_id == department_id)
        .order_by(ExamLine.sort, ExamLine.code, Item.sort, Result.id)
    )
    return [(row[0], row[1]) for row in (await uow.session.execute(query)).all()]


async def numbers(uow: UnitOfWork, exam_ids: Sequence[UUID]) -> Sequence[tuple[Result, ResultRevision]]:
    """Return the current plain numbers of exams (none with a comparator), in printing order."""
    query = (
        select(Result, ResultRevision)
        .join(ResultRevision, ResultRevision.id == Result.current_revision_id)
        .join(ExamLine, ExamLine.id == Result.line_id)
        .join(Item, Item.id == Result.item_id)
        .where(Result.exam_id.in_(exam_ids), ResultRevision.numeric.is_not(None), ResultRevision.comparator == "")
        .order_by(ExamLine.sort, ExamLine.code, Item.sort, Result.id)
    )
    return [(row[0], row[1]) for row in (await uow.session.execute(query)).all()]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A current value with what its item says of it."""

    exam_id: UUID
    result_id: UUID
    revision_id: UUID
    department_id: int
    item_code: str
    item_name: str
    kind: str
    item_unit: str | None
    raw_value: str
    text: str
    comparator: Comparator
    numeric: Decimal | None
    unit: str | None
    flag: str | None


async def case_values(
    uow: UnitOfWork, exam_ids: Sequence[UUID], codes: Collection[str] | None = None
) -> Sequence[CaseRow]:
    """Return the current values of exams, or those of some items, in printing order."""
    query = _case_rows(ResultRevision.id == Result.current_revision_id).where(Result.exam_id.in_(exam_ids))
    if codes is not None:
        query = query.where(Result.item_code.in_(codes))
    return [CaseRow(*tuple(row)) for row in (await uow.session.execute(query)).all()]


async def case_values_of(uow: UnitOfWork, revision_ids: Collection[UUID]) -> Sequence[CaseRow]:
    """Return revisions as the values that they are or were, in printing order."""
    query = _case_rows(ResultRevision.result_id == Result.id).where(ResultRevision.id.in_(revision_ids))
    return [CaseRow(*tuple(row)) for row in (await uow.session.execute(query)).all()]


def _case_rows(joined: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Result.exam_id, Result.id, ResultRevision.id, Result.department_id, Result.item_code, Result.item_name, Item.kind, Item.unit,
            ResultRevision.raw_value, ResultRevision.text, ResultRevision.comparator, ResultRevision.numeric, ResultRevision.unit,
            ResultRevision.flag,
        )
        .join(ResultRevision, joined)
        .join(ExamLine, ExamLine.id == Result.line_id)
        .join(Item, Item.id == Result.item_id)
        .order_by(ExamLine.sort, ExamLine.code, Item.sort, Result.id)
    )  # fmt: skip


async def results(
    uow: UnitOfWork, exam_id: UUID, *, abnormal: bool
) -> Sequence[tuple[Result, ResultRevision | None, str]]:
    """Return the results of an exam with their current revision and the name of their line, in printing order."""
    query = (
        select(Result, ResultRevision, ExamLine.name)
        .join(ExamLine, ExamLine.id == Result.line_id)
        .join(ResultRevision, ResultRevision.id == Result.current_revision_id, isouter=True)
        .where(Result.exam_id == exam_id)
        .order_by(ExamLine.sort, ExamLine.code, Result.id)
    )
    if abnormal:
        query = query.where(ResultRevision.flag.in_(ABNORMAL))
    return [(row[0], row[1], row[2]) for row in (await uow.session.execute(query)).all()]
