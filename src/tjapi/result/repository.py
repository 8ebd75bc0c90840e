"""Questions that result asks of its own tables."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, text, tuple_, update

from tjapi.exam import service as exams
from tjapi.kernel.db import fetch_rows, insert_rows
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.models import (
    DepartmentSheet,
    DepartmentSheetLine,
    DepartmentSheetStep,
    HeldResult,
    HeldRevision,
    MessageRelease,
    Result,
    ResultQuestion,
    ResultRevision,
)
from tjapi.result.rules.revisions import Seen

Rows = Sequence[Mapping[str, Any]]


# What every entry and every message asks is put together once: that takes as long as asking it.
_SHEETS = (
    select(DepartmentSheet)
    .where(DepartmentSheet.exam_id == bindparam("exam_id"))
    .order_by(DepartmentSheet.department_id)
)
_SHEET = _SHEETS.where(DepartmentSheet.department_id == bindparam("department_id")).execution_options(
    populate_existing=True
)
_SHEET_LINES = (
    select(DepartmentSheetLine)
    .where(DepartmentSheetLine.exam_id == bindparam("exam_id"))
    .order_by(DepartmentSheetLine.department_id, DepartmentSheetLine.sort, DepartmentSheetLine.id)
    .execution_options(populate_existing=True)
)
_SHEET_LINES_OF_ONE = _SHEET_LINES.where(DepartmentSheetLine.department_id == bindparam("department_id"))
_QUESTIONS = (
    select(ResultQuestion)
    .where(
        ResultQuestion.exam_id == bindparam("exam_id"),
        or_(ResultQuestion.closed_at.is_(None), ResultQuestion.how == "person", ResultQuestion.gives_up),
    )
    .order_by(ResultQuestion.asked_at, ResultQuestion.id)
    .execution_options(populate_existing=True)
)
_RELEASES_OF = select(MessageRelease).where(MessageRelease.message_id == bindparam("message_id"))
_PROPOSED_OF = _RELEASES_OF.where(MessageRelease.state == "proposed")
_RELEASED_OF = _RELEASES_OF.where(MessageRelease.state == "released").order_by(
    MessageRelease.decided_at, MessageRelease.id
)


async def sheet(uow: UnitOfWork, exam_id: UUID, department_id: int) -> DepartmentSheet | None:
    """Return a department's sheet as it is now; whoever changes it holds the exam's lock."""
    asked = {"exam_id": exam_id, "department_id": department_id}
    return (await uow.session.execute(_SHEET, asked)).scalar_one_or_none()


async def sheet_lines(
    uow: UnitOfWork, exam_id: UUID, department_id: int | None = None
) -> Sequence[DepartmentSheetLine]:
    """Return the lines of a department's summary, or of every department's, in order; those taken out as well."""
    if department_id is None:
        return (await uow.session.execute(_SHEET_LINES, {"exam_id": exam_id})).scalars().all()
    asked = {"exam_id": exam_id, "department_id": department_id}
    return (await uow.session.execute(_SHEET_LINES_OF_ONE, asked)).scalars().all()


async def sheets(uow: UnitOfWork, exam_id: UUID) -> Sequence[DepartmentSheet]:
    """Return the sheets of an exam."""
    return (await uow.session.execute(_SHEETS, {"exam_id": exam_id})).scalars().all()


_RESULT_COLUMNS = tuple(f.name for f in fields(HeldResult))
_REVISION_COLUMNS = tuple(f.name for f in fields(HeldRevision))
_OF_EXAM = f"select {', '.join(_RESULT_COLUMNS)} from result where exam_id = $1 order by id"
_SAID_OF_EXAM = f"""
select {", ".join(f'"{name}"' for name in _REVISION_COLUMNS)} from result_revision where exam_id = $1 order by result_id, seq
"""
_NOW_CURRENT = """
update result r set current_revision_id = now.revision_id, judged_flag = null from unnest($1::uuid[], $2::uuid[]) now (result_id, revision_id) where r.id = now.result_id
"""


_JUDGE = text("select tj.judge_anew(:id, :flag, cast(:normal as jsonb))")


async def results(uow: UnitOfWork, exam_id: UUID) -> list[HeldResult]:
    """Return the results of an exam as they are now."""
    return [HeldResult(*row) for row in await fetch_rows(uow.session, _OF_EXAM, exam_id)]


async def private_ids(uow: UnitOfWork, exam_id: UUID) -> Sequence[UUID]:
    """Return the ids of an exam's results of private items."""
    return (await uow.session.scalars(select(Result.id).where(Result.exam_id == exam_id, Result.private))).all()


async def result(uow: UnitOfWork, result_id: UUID) -> Result | None:
    """Return a result."""
    return (await uow.session.execute(select(Result).where(Result.id == result_id))).scalar_one_or_none()


async def revisions_of_exam(uow: UnitOfWork, exam_id: UUID) -> list[HeldRevision]:
    """Return every revision of an exam's results, in the order in which they came."""
    return [HeldRevision(*row) for row in await fetch_rows(uow.session, _SAID_OF_EXAM, exam_id)]


async def revisions(uow: UnitOfWork, result_id: UUID) -> Sequence[ResultRevision]:
    """Return the revisions of a result, in the order in which they came."""
    query = select(ResultRevision).where(ResultRevision.result_id == result_id).order_by(ResultRevision.seq)
    return (await uow.session.execute(query)).scalars().all()


async def questions_of(uow: UnitOfWork, exam_id: UUID) -> Sequence[ResultQuestion]:
    """Return the questions about an exam that are open, those that a person has answered, and why computed items have no value; oldest first."""
    return (await uow.session.execute(_QUESTIONS, {"exam_id": exam_id})).scalars().all()


async def question(uow: UnitOfWork, question_id: UUID) -> ResultQuestion | None:
    """Return a question as it is now; whoever answers it holds the exam's lock."""
    query = select(ResultQuestion).where(ResultQuestion.id == question_id)
    return (await uow.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def questions_page(
    uow: UnitOfWork, *, seen_by: Collection[int] | None, exam_id: UUID | None, kind: str | None, department_id: int | None, still_open: bool | None,
    after: Sequence[str] | None, size: int,
) -> Sequence[ResultQuestion]:  # fmt: skip
    """Return a page of questions, the oldest first, one too many; `seen_by`: of these departments alone, or of exams that have a line of theirs."""
    query = select(ResultQuestion).order_by(ResultQuestion.asked_at, ResultQuestion.id).limit(size + 1)
    if seen_by is not None:
        line = exams.having_line_of(ResultQuestion.exam_id, seen_by)
        query = query.where(or_(ResultQuestion.department_id.in_(seen_by), line))
    if exam_id is not None:
        query = query.where(ResultQuestion.exam_id == exam_id)
    if kind is not None:
        query = query.where(ResultQuestion.kind == kind)
    if department_id is not None:
        query = query.where(ResultQuestion.department_id == department_id)
    if still_open is not None:
        query = query.where(ResultQuestion.closed_at.is_(None) if still_open else ResultQuestion.closed_at.is_not(None))
    if after:
        last = (datetime.fromisoformat(after[0]), UUID(after[1]))
        query = query.where(tuple_(ResultQuestion.asked_at, ResultQuestion.id) > last)
    return (await uow.session.execute(query)).scalars().all()


async def revisions_by_id(uow: UnitOfWork, revision_ids: Collection[UUID]) -> Sequence[ResultRevision]:
    """Return revisions."""
    query = select(ResultRevision).where(ResultRevision.id.in_(revision_ids)).order_by(ResultRevision.seq)
    return (await uow.session.execute(query)).scalars().all()


async def judge(uow: UnitOfWork, result_id: UUID, flag: str | None) -> None:
    """Keep what a person said of a result's current value."""
    await uow.session.execute(update(Result).where(Result.id == result_id).values(judged_flag=flag))


async def proposed_release(uow: UnitOfWork, message_id: UUID) -> MessageRelease | None:
    """Return the release of a message that waits for a second person."""
    return (await uow.session.execute(_PROPOSED_OF, {"message_id": message_id})).scalar_one_or_none()


async def given_releases(uow: UnitOfWork, message_id: UUID) -> Sequence[MessageRelease]:
    """Return what two people have said of a message, the last one last."""
    return (await uow.session.execute(_RELEASED_OF, {"message_id": message_id})).scalars().all()


async def release(uow: UnitOfWork, release_id: UUID) -> MessageRelease | None:
    """Return a release, locked."""
    query = select(MessageRelease).where(MessageRelease.id == release_id).with_for_update()
    return (await uow.session.execute(query)).scalar_one_or_none()


async def releases(uow: UnitOfWork, *, state: str | None, after: UUID | None, size: int) -> Sequence[MessageRelease]:
    """Return a page of releases, newest first, one too many."""
    query = select(MessageRelease).order_by(MessageRelease.id.desc()).limit(size + 1)
    if state is not None:
        query = query.where(MessageRelease.state == state)
    if after is not None:
        query = query.where(MessageRelease.id < after)
    return (await uow.session.execute(query)).scalars().all()


async def of_filler(uow: UnitOfWork, source: str, filler_no: str) -> Sequence[Result]:
    """Return the results that a source has reported under its own number."""
    query = (
        select(Result)
        .where(
            Result.id.in_(
                select(ResultRevision.result_id).where(
                    ResultRevision.source == source, ResultRevision.filler_no == filler_no
                )
            )
        )
        .order_by(Result.id)
    )
    return (await uow.session.execute(query)).scalars().all()


_CURRENT_OF = "select exam_id, id from result where exam_id = any($1::uuid[]) and current_revision_id is not null"
# What a report prints of a value, and what a person said of it.
_SEEN_OF = """
select r.exam_id, r.id, v.id, array[
  r.item_name, case when v.numeric is null then v.raw_value else v.text end, v.comparator, coalesce(trim_scale(v.numeric)::text, ''),
  coalesce(nullif(v.unit, ''), r.unit, ''), coalesce(v.flag, r.judged_flag, '?'), coalesce(v.range_snapshot::text, ''),
  coalesce(v.lis_range_text, ''), coalesce(v.lis_flags, ''), to_jsonb(v.remarks)::text, coalesce(v.conversion::text, '')
]
from result r join result_revision v on v.id = r.current_revision_id
where r.exam_id = any($1::uuid[])
"""
_GIVEN_UP_OF = """
select distinct exam_id, line_id::text, item_id::text, coalesce(reason, '') from result_question where exam_id = any($1::uuid[]) and gives_up
"""
_SHEETS_OF = "select exam_id, department_id, version from department_sheet where exam_id = any($1::uuid[])"


async def current_of(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the results of each exam that have a value."""
    found: dict[UUID, list[UUID]] = {}
    for exam_id, result_id in await fetch_rows(uow.session, _CURRENT_OF, list(exam_ids)):
        found.setdefault(exam_id, []).append(result_id)
    return found


async def seen_of(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, list[Seen]]:
    """Return the results of each exam that have a value, as they read."""
    found: dict[UUID, list[Seen]] = {}
    for exam_id, result_id, revision_id, said in await fetch_rows(uow.session, _SEEN_OF, list(exam_ids)):
        found.setdefault(exam_id, []).append(Seen(result_id, revision_id, tuple(said)))
    return found


async def given_up_of(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, list[tuple[str, ...]]]:
    """Return the items of each exam of which a person said that no value will come."""
    found: dict[UUID, list[tuple[str, ...]]] = {}
    for exam_id, *place in await fetch_rows(uow.session, _GIVEN_UP_OF, list(exam_ids)):
        found.setdefault(exam_id, []).append(tuple(place))
    return found


async def sheet_versions(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, list[tuple[int, int]]]:
    """Return the departments of each exam with the version of their sheet."""
    found: dict[UUID, list[tuple[int, int]]] = {}
    for exam_id, department_id, version in await fetch_rows(uow.session, _SHEETS_OF, list(exam_ids)):
        found.setdefault(exam_id, []).append((department_id, version))
    return found


async def add(
    uow: UnitOfWork, results: Sequence[HeldResult], revisions: Sequence[HeldRevision], moved: Sequence[HeldResult]
) -> None:
    """Write new results and revisions, and what is the current value now of results that were there."""
    await insert_rows(uow.session, Result, [_row(one, _RESULT_COLUMNS) for one in results])
    await insert_rows(uow.session, ResultRevision, [_row(one, _REVISION_COLUMNS) for one in revisions])
    if moved:
        ids, current = [one.id for one in moved], [one.current_revision_id for one in moved]
        await fetch_rows(uow.session, _NOW_CURRENT, ids, current)


async def judge_anew(uow: UnitOfWork, judged: Sequence[tuple[UUID, str | None, Mapping[str, Any] | None]]) -> None:
    """Give revisions another flag and range; the database keeps what they were."""
    for revision_id, flag, normal in judged:
        said = None if normal is None else json.dumps(normal, ensure_ascii=False)
        await uow.session.execute(_JUDGE, {"id": revision_id, "flag": flag, "normal": said})


def _row(one: object, columns: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(one, name) for name in columns}


async def add_past(
    uow: UnitOfWork, results: Rows, revisions: Rows, sheets: Rows, steps: Rows, lines: Rows, absent: Rows
) -> None:  # fmt: skip
    """Write many results with their only revision, why items have none, and what departments signed."""
    await insert_rows(uow.session, Result, results)
    await insert_rows(uow.session, ResultRevision, revisions)
    await insert_rows(uow.session, DepartmentSheet, sheets)
    await insert_rows(uow.session, DepartmentSheetStep, steps)
    await insert_rows(uow.session, DepartmentSheetLine, lines)
    await insert_rows(uow.session, ResultQuestion, absent)
