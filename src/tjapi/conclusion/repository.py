"""Questions that conclusion asks of its own tables."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select

from tjapi.conclusion.models import Conclusion, ConclusionEntry
from tjapi.kernel.uow import UnitOfWork


async def conclusion(uow: UnitOfWork, exam_id: UUID) -> Conclusion | None:
    """Return the conclusion of an exam as it is now; whoever changes it holds the exam's lock."""
    query = select(Conclusion).where(Conclusion.exam_id == exam_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def entries(uow: UnitOfWork, exam_id: UUID) -> Sequence[ConclusionEntry]:
    """Return what was concluded, in order."""
    query = select(ConclusionEntry).where(ConclusionEntry.exam_id == exam_id).order_by(ConclusionEntry.sort)
    return (await uow.session.execute(query)).scalars().all()


async def clear_entries(uow: UnitOfWork, exam_id: UUID) -> None:
    """Drop the entries of a draft, whose steps keep what they were."""
    await uow.session.execute(delete(ConclusionEntry).where(ConclusionEntry.exam_id == exam_id))
