"""What is read of results together with the lines they belong to."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from tjapi.exam.models import ExamLine
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.models import Result, ResultRevision
from tjapi.result.rules import ABNORMAL


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
