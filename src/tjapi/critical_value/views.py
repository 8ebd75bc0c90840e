"""What critical values read of earlier contexts."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import and_, or_, select

from tjapi.exam.models import Exam
from tjapi.kernel.uow import UnitOfWork


async def judged_exams(uow: UnitOfWork, examinee_id: UUID, after: Exam | None) -> Sequence[UUID]:
    """Return a person's exams that were judged by an edition and stand, earliest first: all, or those after one."""
    query = select(Exam.id).where(
        Exam.examinee_id == examinee_id, Exam.state != "cancelled", Exam.knowledge_version_id.is_not(None)
    )
    if after is not None:
        same_day = and_(Exam.exam_date == after.exam_date, Exam.id > after.id)
        query = query.where(or_(Exam.exam_date > after.exam_date, same_day))
    return (await uow.session.scalars(query.order_by(Exam.exam_date, Exam.id))).all()


async def people_of(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, tuple[str, str, int]]:
    """Return name, sex and age of whom exams are of."""
    query = select(Exam.id, Exam.name, Exam.sex, Exam.age_years).where(Exam.id.in_(exam_ids))
    return {row[0]: (row[1], row[2], row[3]) for row in (await uow.session.execute(query)).all()}
