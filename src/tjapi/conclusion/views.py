"""What waits for a reviewer: read over exams and conclusions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, tuple_

from tjapi.conclusion.models import Conclusion, ReviewClaim
from tjapi.exam.models import Exam
from tjapi.kernel.uow import UnitOfWork

WAITING = ("ready_for_review", "in_review")


async def queue(
    uow: UnitOfWork, *, campus_id: int | None, unclaimed: bool, after: list[str] | None, size: int
) -> Sequence[Any]:
    """Return a page of the exams that wait for a reviewer, first ready first, one row too many."""
    query = (
        select(
            Exam.id.label("exam_id"), Exam.exam_no, Exam.name, Exam.sex, Exam.age_years, Exam.exam_date, Exam.state.label("exam_state"),
            Exam.ready_at, Conclusion.state.label("conclusion_state"), Conclusion.initial_by, Conclusion.initial_name,
            ReviewClaim.by_name.label("claimed_name"), ReviewClaim.until.label("claimed_until"),
        )
        .join(Conclusion, Conclusion.exam_id == Exam.id, isouter=True)
        .join(ReviewClaim, and_(ReviewClaim.exam_id == Exam.id, ReviewClaim.until > uow.now), isouter=True)
        .where(Exam.state.in_(WAITING), Exam.ready_at.is_not(None))
        .order_by(Exam.ready_at, Exam.id)
        .limit(size + 1)
    )  # fmt: skip
    if unclaimed:
        query = query.where(ReviewClaim.exam_id.is_(None))
    if campus_id is not None:
        query = query.where(Exam.campus_id == campus_id)
    if after:
        query = query.where(tuple_(Exam.ready_at, Exam.id) > (datetime.fromisoformat(after[0]), UUID(after[1])))
    return (await uow.session.execute(query)).all()
