"""Exams as their papers show them, and the day's board: read-only over the exam, its lines, the catalog and the tubes.

The board counts marks that the exam row keeps: a day of a campus is one short index scan.
"""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, text

from tjapi.exam.models import Exam
from tjapi.frontdesk.rules import NOT_TODAY, BoardColumn, HandedOverTube, PaperExam, PaperLine, PaperTube
from tjapi.frontdesk.schemas import BoardOut
from tjapi.kernel.uow import UnitOfWork

_EXAMS = text("""
select e.id exam_id, e.campus_id, c.name campus, e.exam_no, e.exam_date, e.package_name package, e.examinee_id, e.name, e.sex,
  e.birth_date, e.state
from exam e join campus c on c.id = e.campus_id where e.id = any(:ids)
""")
# A paper goes through many hands: of what is private it says that it is.
_NAME = "case when l.private then '私密检验项目' else l.name end"
_LINES = text(f"""
select l.exam_id, l.id line_id, l.code, {_NAME} "name", l.department_id, d.code department_code, d.name department, d.kind department_kind,
  d.sort department_sort, d.place, l.performed_by, l.specimen, g.section, l.fasting, g.minutes_after, g.precaution, l.state
from exam_line l join department d on d.id = l.department_id join item_group g on g.id = l.item_group_id
where l.exam_id = any(:ids) order by l.exam_id, l.sort, l.code
""")
_TUBES = text(f"""
select t.exam_id, t.id tube_id, t.barcode, t.container, t.specimen, t.section, t.fasting, t.minutes_after, t.send_out,
  array_agg({_NAME} order by l.sort, l.code) groups, array_agg(l.id order by l.sort, l.code) line_ids
from tube t join requisition_line r on r.tube_id = t.id and r.cancelled_at is null join exam_line l on l.id = r.exam_line_id
where t.exam_id = any(:ids) and t.state not in ('rejected', 'cancelled') and l.state <> all(:not_today)
group by t.id order by t.exam_id, t.barcode
""")


_UNIT = text("""
select e.id from member m join exam e on e.id = m.exam_id
where m.campaign_id = :campaign and e.state <> 'cancelled' and (cast(:day as date) is null or e.exam_date = :day)
  and (cast(:group_id as uuid) is null or m.group_id = :group_id)
order by m.list_no, m.id
""")


async def unit_exams(uow: UnitOfWork, campaign_id: UUID, day: date | None, group_id: UUID | None) -> Sequence[UUID]:
    """Return the exams of a campaign's members in the order of the list."""
    values = {"campaign": campaign_id, "day": day, "group_id": group_id}
    return (await uow.session.scalars(_UNIT, values)).all()


async def paper_exams(uow: UnitOfWork, exam_ids: Sequence[UUID]) -> dict[UUID, PaperExam]:
    """Return the exams of these ids that may be seen. A tube that was rejected, or is not drawn any more, has no label."""
    ids = {"ids": list(exam_ids)}
    execute = uow.session.execute
    await uow.session.flush()
    lines = _by_exam((await execute(_LINES, ids)).mappings().all())
    tubes = _by_exam((await execute(_TUBES, {**ids, "not_today": list(NOT_TODAY)})).mappings().all())
    return {
        row["exam_id"]: PaperExam(
            **row,
            lines=[PaperLine(**line) for line in lines.get(row["exam_id"], [])],
            tubes=[PaperTube(**tube) for tube in tubes.get(row["exam_id"], [])],
        )
        for row in (await execute(_EXAMS, ids)).mappings()
    }


_HANDED_OVER = text(f"""
select t.barcode, t.container, t.specimen, h.outcome, e.name, e.exam_no,
  coalesce(array_agg({_NAME} order by l.sort, l.code) filter (where l.id is not null), '{{}}') groups
from handover_tube h join tube t on t.id = h.tube_id join exam e on e.id = h.exam_id
left join tube_line s on s.tube_id = t.id left join exam_line l on l.id = s.exam_line_id
where h.handover_id = :id and h.outcome is distinct from 'removed'
group by t.id, h.handover_id, h.tube_id, e.id order by h.added_at, t.barcode
""")


async def handed_over(uow: UnitOfWork, handover_id: UUID) -> list[HandedOverTube]:
    """Return the tubes of a hand-over list as its paper shows them."""
    rows = (await uow.session.execute(_HANDED_OVER, {"id": handover_id})).mappings()
    return [HandedOverTube(**row) for row in rows]


def _by_exam(rows: Sequence[Any]) -> dict[UUID, list[dict[str, Any]]]:
    return {
        exam_id: [{name: value for name, value in row.items() if name != "exam_id"} for row in held]
        for exam_id, held in groupby(rows, lambda row: row["exam_id"])
    }


# One meaning of each column, for the count and for the list. Whoever has only been registered is booked.
_COLUMNS: dict[BoardColumn, ColumnElement[bool]] = {
    "booked": Exam.state != "cancelled",
    "awaiting_payment": and_(Exam.state != "cancelled", Exam.awaits_payment),
    "checked_in": and_(Exam.state != "cancelled", Exam.checked_in_at.is_not(None)),
    "blood_drawn": and_(Exam.state != "cancelled", Exam.blood_drawn),
    "examined": and_(Exam.state != "cancelled", Exam.checked_in_at.is_not(None), Exam.examined),
}


async def board(uow: UnitOfWork, campus_id: int, day: date) -> BoardOut:
    """Return the five counts of a campus's day, of one moment."""
    columns = (func.count().filter(meaning).label(name) for name, meaning in _COLUMNS.items())
    query = select(*columns).where(Exam.campus_id == campus_id, Exam.exam_date == day)
    row = (await uow.session.execute(query)).one()
    return BoardOut(campus_id=campus_id, day=day, **row._mapping)  # noqa: SLF001 - SQLAlchemy's public name of it


async def board_list(
    uow: UnitOfWork, campus_id: int, day: date, column: BoardColumn, *, after: list[str] | None, size: int
) -> Sequence[Exam]:
    """Return a page of the exams that a count counts, newest first, one too many."""
    query = (
        select(Exam)
        .where(Exam.campus_id == campus_id, Exam.exam_date == day, _COLUMNS[column])
        .order_by(Exam.id.desc())
        .limit(size + 1)
    )
    if after:
        query = query.where(Exam.id < UUID(after[0]))
    return (await uow.session.execute(query)).scalars().all()
