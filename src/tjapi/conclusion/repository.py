"""Questions that conclusion asks of its own tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from tjapi.conclusion.models import AmendmentTask, Conclusion, ConclusionEntry, ConclusionStep, ReviewClaim, TaskKind
from tjapi.kernel.db import insert_rows
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.events import ResultArrivedLate

_CONCLUSION = (
    select(Conclusion).where(Conclusion.exam_id == bindparam("exam_id")).execution_options(populate_existing=True)
)


async def conclusion(uow: UnitOfWork, exam_id: UUID) -> Conclusion | None:
    """Return the conclusion of an exam as it is now; whoever changes it holds the exam's lock."""
    return (await uow.session.execute(_CONCLUSION, {"exam_id": exam_id})).scalar_one_or_none()


async def entries(uow: UnitOfWork, exam_id: UUID) -> Sequence[ConclusionEntry]:
    """Return what was concluded, in order."""
    query = select(ConclusionEntry).where(ConclusionEntry.exam_id == exam_id).order_by(ConclusionEntry.sort)
    return (await uow.session.execute(query)).scalars().all()


async def clear_entries(uow: UnitOfWork, exam_id: UUID) -> None:
    """Drop the entries of a draft, whose steps keep what they were."""
    await uow.session.execute(delete(ConclusionEntry).where(ConclusionEntry.exam_id == exam_id))


async def add_past(
    uow: UnitOfWork, conclusions: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]
) -> None:  # fmt: skip
    """Write many conclusions, what they say, and who signed them."""
    await insert_rows(uow.session, Conclusion, conclusions)
    await insert_rows(uow.session, ConclusionEntry, entries)
    await insert_rows(uow.session, ConclusionStep, steps)


async def claim(uow: UnitOfWork, exam_id: UUID) -> ReviewClaim | None:
    """Return the claim on an exam, run out or not."""
    query = select(ReviewClaim).where(ReviewClaim.exam_id == exam_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def drop_claim(uow: UnitOfWork, exam_id: UUID) -> None:
    """Drop the claim on an exam."""
    await uow.session.execute(delete(ReviewClaim).where(ReviewClaim.exam_id == exam_id))


async def add_task(uow: UnitOfWork, event: ResultArrivedLate) -> UUID | None:
    """Add a task for what came late; None where there is one already."""
    query = (
        insert(AmendmentTask)
        .values(
            id=uuid7(), campus_id=event.campus_id, exam_id=event.exam_id, result_id=event.result_id, revision_id=event.revision_id,
            question_id=event.question_id, raised_at=uow.now,
        )
        .on_conflict_do_nothing()
        .returning(AmendmentTask.id)
    )  # fmt: skip
    return (await uow.session.execute(query)).scalar_one_or_none()


async def add_named_task(
    uow: UnitOfWork, campus_id: int | None, exam_id: UUID, kind: TaskKind, words: str
) -> UUID | None:
    """Add a task that words name; None where one of its kind is open."""
    query = (
        insert(AmendmentTask)
        .values(id=uuid7(), campus_id=campus_id, exam_id=exam_id, raised_at=uow.now, **{kind: words})
        .on_conflict_do_nothing()
        .returning(AmendmentTask.id)
    )
    return (await uow.session.execute(query)).scalar_one_or_none()


async def task(uow: UnitOfWork, task_id: UUID) -> AmendmentTask | None:
    """Return a task, locked."""
    query = select(AmendmentTask).where(AmendmentTask.id == task_id).with_for_update()
    return (await uow.session.execute(query)).scalar_one_or_none()


async def exam_of_task(uow: UnitOfWork, task_id: UUID) -> UUID | None:
    """Return the exam that a task is about; None: no such task."""
    return (await uow.session.execute(select(AmendmentTask.exam_id).where(AmendmentTask.id == task_id))).scalar()


async def open_tasks(uow: UnitOfWork, exam_id: UUID) -> Sequence[AmendmentTask]:
    """Return the open tasks of an exam, whose lock is held."""
    query = select(AmendmentTask).where(AmendmentTask.exam_id == exam_id, AmendmentTask.state == "open")
    return (await uow.session.execute(query.order_by(AmendmentTask.id).with_for_update())).scalars().all()


async def tasks(
    uow: UnitOfWork, *, state: str | None, after: Sequence[str] | None, size: int
) -> Sequence[AmendmentTask]:
    """Return a page of tasks, oldest first, one too many."""
    query = select(AmendmentTask).order_by(AmendmentTask.raised_at, AmendmentTask.id).limit(size + 1)
    if state is not None:
        query = query.where(AmendmentTask.state == state)
    if after:
        query = query.where(
            tuple_(AmendmentTask.raised_at, AmendmentTask.id) > (datetime.fromisoformat(after[0]), UUID(after[1]))
        )
    return (await uow.session.execute(query)).scalars().all()


async def has_open_task(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether an exam has an open task."""
    query = select(exists().where(AmendmentTask.exam_id == exam_id, AmendmentTask.state == "open"))
    return bool((await uow.session.execute(query)).scalar())
