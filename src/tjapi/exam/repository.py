"""Questions that exam asks of its own tables."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, exists, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, aliased

from tjapi.exam.models import Exam, ExamBlock, ExamLine, ExamLineStep, ExamNumber
from tjapi.exam.rules import ENDED
from tjapi.kernel.db import fetch_rows, insert_rows, repoint_rows, rows_since
from tjapi.kernel.uow import UnitOfWork

# What every unit asks that touches an exam is put together once: that takes as long as asking it.
_EXAM = select(Exam).where(Exam.id == bindparam("exam_id"))
_EXAM_LOCKED = _EXAM.with_for_update().execution_options(populate_existing=True)
_LINES = select(ExamLine).where(ExamLine.exam_id == bindparam("exam_id")).order_by(ExamLine.sort, ExamLine.code)
_LINES_FRESH = _LINES.execution_options(populate_existing=True)
_BLOCKS = select(ExamBlock).where(ExamBlock.exam_id == bindparam("exam_id")).order_by(ExamBlock.code, ExamBlock.source)


async def exam(uow: UnitOfWork, exam_id: UUID, *, lock: bool = False) -> Exam | None:
    """Return an exam; locked, it is the first lock of a transaction that touches it."""
    asked = {"exam_id": exam_id}
    return (await uow.session.execute(_EXAM_LOCKED if lock else _EXAM, asked)).scalar_one_or_none()


async def exam_by_no(uow: UnitOfWork, exam_no: str) -> Exam | None:
    """Return an exam by its number."""
    return (await uow.session.execute(select(Exam).where(Exam.exam_no == exam_no))).scalars().first()


async def lines(uow: UnitOfWork, exam_id: UUID, *, fresh: bool = False) -> Sequence[ExamLine]:
    """Return the lines of an exam in printing order; `fresh`: as they are now, whatever this unit has read before."""
    if fresh:
        await uow.session.flush()
    return (await uow.session.execute(_LINES_FRESH if fresh else _LINES, {"exam_id": exam_id})).scalars().all()


async def line_steps(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamLineStep]:
    """Return what was commanded on the lines of an exam, in order."""
    query = select(ExamLineStep).where(ExamLineStep.exam_id == exam_id).order_by(ExamLineStep.id)
    return (await uow.session.execute(query)).scalars().all()


async def blocks(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamBlock]:
    """Return why an exam cannot be finalized."""
    return (await uow.session.execute(_BLOCKS, {"exam_id": exam_id})).scalars().all()


async def add_block(uow: UnitOfWork, *, exam_id: UUID, campus_id: int, code: str, source: str) -> None:
    """Add a reason; adding it twice is adding it once."""
    values = {"exam_id": exam_id, "campus_id": campus_id, "code": code, "source": source, "added_at": uow.now}
    await uow.session.execute(insert(ExamBlock).values(**values).on_conflict_do_nothing())


async def add_blocks(uow: UnitOfWork, blocks: Sequence[tuple[UUID, int, str, str]]) -> None:
    """Add reasons, each its exam, campus, code and source; adding one twice is adding it once."""
    if blocks:
        exams_, campuses, codes, sources = (list(column) for column in zip(*blocks, strict=True))
        await fetch_rows(uow.session, _BLOCK_MANY, exams_, campuses, codes, sources, uow.now)


async def ordered(uow: UnitOfWork, line_ids: Collection[UUID]) -> Sequence[Any]:
    """Return lines with what is asked of their exams, in printing order."""
    await uow.session.flush()
    return await fetch_rows(uow.session, _ORDERED, list(line_ids))


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


async def page(
    uow: UnitOfWork, *, campus_id: int | None, day: date | None, state: str | None, exam_no: str | None,
    examinee_id: UUID | None, after: list[str] | None, size: int,
) -> Sequence[Exam]:  # fmt: skip
    """Return a page of exams, newest first, one row too many."""
    query = select(Exam).order_by(Exam.id.desc()).limit(size + 1)
    filters = (
        (Exam.campus_id, campus_id), (Exam.exam_date, day), (Exam.state, state), (Exam.exam_no, exam_no), (Exam.examinee_id, examinee_id),
    )  # fmt: skip
    for column, value in filters:
        if value is not None:
            query = query.where(column == value)
    if after:
        query = query.where(Exam.id < UUID(after[0]))
    return (await uow.session.execute(query)).scalars().all()


_ON_DAYS = """
select distinct e.examinee_id, e.exam_date from unnest($1::uuid[], $2::date[]) as asked (examinee_id, day)
join exam e on e.examinee_id = asked.examinee_id and e.exam_date = asked.day
where e.state <> 'cancelled' order by e.examinee_id, e.exam_date
"""
_LOCK_DAYS = """
select pg_advisory_xact_lock(hashtextextended(key, 29))
from (select 'exam|' || asked.examinee_id || '|' || asked.day as key from unnest($1::uuid[], $2::date[]) as asked (examinee_id, day) order by 1) a
"""


async def having_exams(uow: UnitOfWork, asked: Sequence[tuple[UUID, date]]) -> set[tuple[UUID, date]]:
    """Return which of these people have an exam on the day asked for, that is not cancelled. Two who ask of one person and day go one by one."""
    people, days = [person for person, _ in asked], [day for _, day in asked]
    await fetch_rows(uow.session, _LOCK_DAYS, people, days)
    return {(row["examinee_id"], row["exam_date"]) for row in await fetch_rows(uow.session, _ON_DAYS, people, days)}


_ORDERED = """
select l.id, l.exam_id, l.item_group_id, l.department_id, l.performed_by, l.specimen, l.container, l.fasting, e.campus_id, e.exam_no, e.state
from exam_line l join exam e on e.id = l.exam_id where l.id = any($1) order by e.id, l.sort, l.code
"""
_BLOCK_MANY = """
insert into exam_block (exam_id, campus_id, code, source, added_at)
select given.*, $5 from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[]) as given (exam_id, campus_id, code, source)
on conflict do nothing
"""
_NEXT_NUMBERS = """
insert into exam_number (campus_id, day, last)
select $1, given.day, given.wanted from unnest($2::date[], $3::int[]) as given (day, wanted) order by given.day
on conflict (campus_id, day) do update set last = exam_number.last + excluded.last
returning day, last
"""


async def next_numbers(uow: UnitOfWork, campus_id: int, wanted: Mapping[date, int]) -> dict[date, int]:
    """Take as many running numbers of each day as are wanted; return the first of each day's."""
    days = sorted(wanted)
    rows = await fetch_rows(uow.session, _NEXT_NUMBERS, campus_id, days, [wanted[day] for day in days])
    return {row["day"]: row["last"] - wanted[row["day"]] + 1 for row in rows}


async def of_archive(uow: UnitOfWork, campus_id: int, archive: str, numbers: Collection[str]) -> dict[str, UUID]:
    """Return the exams of a campus that were brought in under these numbers of an archive."""
    query = select(Exam.archive_no, Exam.id).where(
        Exam.campus_id == campus_id, Exam.archive == archive, Exam.archive_no.in_(numbers)
    )
    return {str(number): exam_id for number, exam_id in (await uow.session.execute(query)).all()}


async def archive_numbers(uow: UnitOfWork, archive: str) -> set[tuple[int, str]]:
    """Return the campus and number of every exam of an archive."""
    query = select(Exam.campus_id, Exam.archive_no).where(Exam.archive == archive)
    return {(campus_id, str(number)) for campus_id, number in (await uow.session.execute(query)).all()}


async def add_many(uow: UnitOfWork, exams: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> None:
    """Write many exams and their lines."""
    await insert_rows(uow.session, Exam, exams)
    await insert_rows(uow.session, ExamLine, lines)


async def exams(uow: UnitOfWork, ids: Collection[UUID], *, lock: bool = False) -> Sequence[Exam]:
    """Return exams, locked in the order of their ids if asked."""
    query = select(Exam).where(Exam.id.in_(ids)).order_by(Exam.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalars().all()


async def lines_of(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[ExamLine]:
    """Return the lines of exams in printing order."""
    query = select(ExamLine).where(ExamLine.exam_id.in_(ids)).order_by(ExamLine.exam_id, ExamLine.sort, ExamLine.code)
    return (await uow.session.execute(query)).scalars().all()


async def finalize_past(uow: UnitOfWork, ids: Collection[UUID]) -> None:
    """Finalize exams that are in review."""
    values = {"state": "finalized", "version": Exam.version + 1}
    await uow.session.execute(update(Exam).where(Exam.id.in_(ids), Exam.state == "in_review").values(**values))


async def repoint(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID]:
    """Give the exams of one person to another, all or these; return which."""
    return await repoint_rows(uow.session, Exam, "examinee_id", was, now, ids)


async def open_on_one_day(uow: UnitOfWork, one: UUID, two: UUID) -> Sequence[tuple[str, str]]:
    """Return the numbers of exams of two people, one of each, that are on the same day and have not come to an end."""
    other = aliased(Exam)
    query = (
        select(Exam.exam_no, other.exam_no)
        .join(other, other.exam_date == Exam.exam_date)
        .where(Exam.examinee_id == one, other.examinee_id == two, Exam.state.not_in(ENDED), other.state.not_in(ENDED))
        .order_by(Exam.exam_no, other.exam_no)
        .limit(10)
    )
    return [(mine, theirs) for mine, theirs in (await uow.session.execute(query)).all()]


async def open_of(uow: UnitOfWork, examinee_id: UUID) -> Sequence[UUID]:
    """Return the exams of a person that have not come to an end, in the order in which they are locked."""
    query = select(Exam.id).where(Exam.examinee_id == examinee_id, Exam.state.not_in(ENDED)).order_by(Exam.id)
    return (await uow.session.execute(query)).scalars().all()


async def given_since(uow: UnitOfWork, examinee_id: UUID, since: UUID) -> list[UUID]:
    """Return somebody's exams that were made after a merge."""
    return await rows_since(uow.session, Exam, "examinee_id", examinee_id, since)


def having_line_of(
    exam_id: ColumnElement[UUID] | InstrumentedAttribute[UUID], departments: Collection[int]
) -> ColumnElement[bool]:
    """Return the condition that an exam has a line of one of these departments: whoever works there sees what belongs to it."""
    return exists().where(ExamLine.exam_id == exam_id, ExamLine.department_id.in_(departments))


async def has_line_of(uow: UnitOfWork, exam_id: UUID, departments: Collection[int]) -> bool:
    """Say whether an exam has a line of one of these departments."""
    return bool(await uow.session.scalar(select(having_line_of(literal(exam_id), departments))))
