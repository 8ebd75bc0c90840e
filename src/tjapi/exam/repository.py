"""Questions that exam asks of its own tables."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from tjapi.exam.models import Exam, ExamBlock, ExamLine, ExamLineStep, ExamNumber
from tjapi.kernel.uow import UnitOfWork


async def exam(uow: UnitOfWork, exam_id: UUID, *, lock: bool = False) -> Exam | None:
    """Return an exam; locked, it is the first lock of a transaction that touches it."""
    query = select(Exam).where(Exam.id == exam_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def exam_by_no(uow: UnitOfWork, exam_no: str) -> Exam | None:
    """Return an exam by its number."""
    return (await uow.session.execute(select(Exam).where(Exam.exam_no == exam_no))).scalars().first()


async def lines(uow: UnitOfWork, exam_id: UUID, *, fresh: bool = False) -> Sequence[ExamLine]:
    """Return the lines of an exam in printing order; `fresh`: as they are now, whatever this unit has read before."""
    query = select(ExamLine).where(ExamLine.exam_id == exam_id).order_by(ExamLine.sort, ExamLine.code)
    if fresh:
        await uow.session.flush()
        query = query.execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalars().all()


async def line(uow: UnitOfWork, line_id: UUID) -> ExamLine | None:
    """Return a line as it is now."""
    query = select(ExamLine).where(ExamLine.id == line_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def line_steps(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamLineStep]:
    """Return what was commanded on the lines of an exam, in order."""
    query = select(ExamLineStep).where(ExamLineStep.exam_id == exam_id).order_by(ExamLineStep.id)
    return (await uow.session.execute(query)).scalars().all()


async def blocks(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamBlock]:
    """Return why an exam cannot be finalized."""
    query = select(ExamBlock).where(ExamBlock.exam_id == exam_id).order_by(ExamBlock.code, ExamBlock.source)
    return (await uow.session.execute(query)).scalars().all()


async def add_block(uow: UnitOfWork, *, exam_id: UUID, campus_id: int, code: str, source: str) -> None:
    """Add a reason; adding it twice is adding it once."""
    values = {"exam_id": exam_id, "campus_id": campus_id, "code": code, "source": source, "added_at": uow.now}
    await uow.session.execute(insert(ExamBlock).values(**values).on_conflict_do_nothing())


async def remove_block(uow: UnitOfWork, *, exam_id: UUID, code: str, source: str) -> None:
    """Clear a reason."""
    await uow.session.execute(
        delete(ExamBlock).where(ExamBlock.exam_id == exam_id, ExamBlock.code == code, ExamBlock.source == source)
    )


async def next_number(uow: UnitOfWork, campus_id: int, day: date) -> int:
    """Return the next running number of a campus's day; a rolled-back one leaves no gap."""
    statement = (
        insert(ExamNumber)
        .values(campus_id=campus_id, day=day, last=1)
        .on_conflict_do_update(index_elements=["campus_id", "day"], set_={"last": ExamNumber.last + 1})
        .returning(ExamNumber.last)
    )
    return (await uow.session.execute(statement)).scalar_one()
