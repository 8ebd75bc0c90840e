"""Questions that critical values ask of their own tables."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, not_, or_, select, tuple_

from tjapi.critical_value.models import CriticalStep, CriticalValue
from tjapi.critical_value.rules import ENDED, UNTOLD
from tjapi.exam import service as exams
from tjapi.kernel.db import repoint_rows, rows_since
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.criticality import Clocks

_SHOWN = select(CriticalValue).where(CriticalValue.exam_id == bindparam("exam_id")).order_by(CriticalValue.id)
_OF_EXAM = _SHOWN.with_for_update().execution_options(populate_existing=True)


async def of_exam(uow: UnitOfWork, exam_id: UUID) -> Sequence[CriticalValue]:
    """Return every critical value of an exam, oldest first, locked: escalation does not ask for the exam's lock."""
    return (await uow.session.execute(_OF_EXAM, {"exam_id": exam_id})).scalars().all()


async def shown_of(uow: UnitOfWork, exam_id: UUID) -> Sequence[CriticalValue]:
    """Return every critical value of an exam, oldest first, for whoever only looks: their states move under the exam's lock."""
    query = _SHOWN.execution_options(populate_existing=True)
    return (await uow.session.execute(query, {"exam_id": exam_id})).scalars().all()


async def locked(uow: UnitOfWork, critical_id: UUID) -> CriticalValue | None:
    """Return a critical value that nobody else moves or escalates meanwhile."""
    query = select(CriticalValue).where(CriticalValue.id == critical_id).with_for_update()
    return (await uow.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def get(uow: UnitOfWork, critical_id: UUID) -> CriticalValue | None:
    """Return a critical value as it is now."""
    query = select(CriticalValue).where(CriticalValue.id == critical_id)
    return (await uow.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def steps(uow: UnitOfWork, critical_id: UUID) -> Sequence[CriticalStep]:
    """Return what was done, in order."""
    query = select(CriticalStep).where(CriticalStep.critical_value_id == critical_id).order_by(CriticalStep.version)
    return (await uow.session.execute(query)).scalars().all()


async def page(
    uow: UnitOfWork, *, seen_by: Collection[int] | None, state: str | None, important_class: str | None, department_id: int | None, exam_id: UUID | None,
    still_open: bool | None, overdue: bool | None, after: Sequence[str] | None, size: int,
) -> Sequence[CriticalValue]:  # fmt: skip
    """Return a page, what is due first first, one too many; `seen_by`: of these departments alone, or of exams that have a line of theirs."""
    wanted: list[ColumnElement[bool]] = []
    if seen_by is not None:
        line = exams.having_line_of(CriticalValue.exam_id, seen_by)
        wanted.append(or_(CriticalValue.department_id.in_(seen_by), line))
    if state is not None:
        wanted.append(CriticalValue.state == state)
    if important_class is not None:
        wanted.append(CriticalValue.important_class == important_class)
    if department_id is not None:
        wanted.append(CriticalValue.department_id == department_id)
    if exam_id is not None:
        wanted.append(CriticalValue.exam_id == exam_id)
    if still_open is not None:
        is_open = CriticalValue.state.not_in(ENDED)
        wanted.append(is_open if still_open else not_(is_open))
    if overdue is not None:
        late = and_(CriticalValue.state.not_in(ENDED), CriticalValue.due_at < uow.now)
        wanted.append(late if overdue else not_(late))
    if after is not None:
        wanted.append(
            tuple_(CriticalValue.due_at, CriticalValue.id) > (datetime.fromisoformat(after[0]), UUID(after[1]))
        )
    query = select(CriticalValue).where(*wanted).order_by(CriticalValue.due_at, CriticalValue.id).limit(size + 1)
    return (await uow.session.execute(query)).scalars().all()


async def to_escalate(uow: UnitOfWork, clocks: Clocks, size: int) -> Sequence[CriticalValue]:
    """Return values past due of which nobody was told, and which were not escalated within the pause; locked, others' left alone.

    Whether somebody has seen one, or tried in vain, does not matter: it is no end. What was corrected since is no longer urgent.
    """
    # There is nobody above the highest level: they are told again, less often, until somebody was told.
    again, highest = (timedelta(minutes=n) for n in (clocks.again, clocks.highest_again))
    rested = or_(
        CriticalValue.escalated_at.is_(None),
        CriticalValue.escalated_at <= uow.now - highest,
        and_(CriticalValue.escalated_at <= uow.now - again, CriticalValue.escalation_level < clocks.levels),
    )
    query = (
        select(CriticalValue)
        .where(
            CriticalValue.state.in_(UNTOLD), CriticalValue.corrected_at.is_(None), CriticalValue.due_at < uow.now, rested,
        )
        .order_by(CriticalValue.due_at)
        .limit(size)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    return (await uow.session.execute(query)).scalars().all()


async def repoint(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID]:
    """Give the critical values of one person to another, all or these; return which."""
    return await repoint_rows(uow.session, CriticalValue, "examinee_id", was, now, ids)


async def of_exams(uow: UnitOfWork, exam_ids: Collection[UUID]) -> list[UUID]:
    """Return the critical values of these exams, whoever's they are."""
    return list((await uow.session.scalars(select(CriticalValue.id).where(CriticalValue.exam_id.in_(exam_ids)))).all())


async def given_since(uow: UnitOfWork, examinee_id: UUID, since: UUID) -> list[UUID]:
    """Return somebody's critical values that were made after a merge."""
    return await rows_since(uow.session, CriticalValue, "examinee_id", examinee_id, since)
