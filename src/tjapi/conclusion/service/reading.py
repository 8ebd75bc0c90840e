"""What a reviewer reads: the queue, the conclusion, and everything of one exam in one answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tjapi.conclusion import repository, views
from tjapi.conclusion.rules import ReviewView
from tjapi.conclusion.schemas import ConclusionOut, QueueItem, ReviewOut
from tjapi.conclusion.service.claiming import claim_out, live
from tjapi.conclusion.service.writing import empty, out
from tjapi.exam import service as exams
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import service as results


async def get(uow: UnitOfWork, exam_id: UUID) -> ConclusionOut:
    """Return an exam's conclusion; nothing written yet is version 0. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    found = await repository.conclusion(uow, exam_id)
    return empty(exam_id) if found is None else out(found, await repository.entries(uow, exam_id))


async def review(uow: UnitOfWork, exam_id: UUID, view: ReviewView, department_id: int | None) -> ReviewOut:
    """Return everything of an exam: all results, the flagged ones, or the departments' summaries alone; one department, or all.

    Three views of the same rows. Raises ExamNotFound.
    """
    exam = await exams.describe(uow, exam_id)
    state = await exams.completeness(uow, exam_id)
    found = (await results.overview(uow, exam_id, abnormal=view == "abnormal")).departments
    if view == "summaries":
        found = [d.model_copy(update={"results": []}) for d in found]
    held = await live(uow, exam_id)
    return ReviewOut(
        exam=exam, complete=state.complete, outstanding=state.outstanding,
        departments=[d for d in found if department_id is None or d.department_id == department_id],
        conclusion=await get(uow, exam_id), claim=claim_out(held) if held is not None else None,
    )  # fmt: skip


async def queue(
    uow: UnitOfWork, *, campus_id: int | None, unclaimed: bool, after: list[str] | None, size: int
) -> Sequence[Any]:
    """Return a page of the exams that wait for a reviewer, first ready first, one row too many."""
    return await views.queue(uow, campus_id=campus_id, unclaimed=unclaimed, after=after, size=size)


def queue_item(row: Any) -> QueueItem:
    """Return the public shape of a row of the queue."""
    return QueueItem.model_validate({**row._mapping, "conclusion_state": row.conclusion_state or "draft"})  # noqa: SLF001 - SQLAlchemy's public name
