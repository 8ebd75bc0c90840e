"""What was judged by an exam's facts or lines, judged anew when these change: flags and ranges, computed items, findings, critical values."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.exam.rules import ENDED
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.events import DerivedFollowed, ResultsRecorded
from tjapi.result.rules.hints import hints_of
from tjapi.result.service import case
from tjapi.result.service.book import Book, Theirs, judged, value_of
from tjapi.result.service.computing import compute
from tjapi.result.service.criticality import Criticality
from tjapi.result.service.questions import block_open, lapse
from tjapi.result.service.summarizing import summarize


async def judge_anew(uow: UnitOfWork, exam_id: UUID) -> None:
    """Judge everything by the facts of an exam as they are now. No value changes; flags, ranges and computed items do.

    What a person called normal or abnormal, or did not judge, is asked again.
    """
    exam = await exams.lock(uow, exam_id)
    results = await repository.results(uow, exam_id)
    if not results:
        await summarize(uow, exam, facts=True)
        return
    await _flag(uow, exam)
    await lapse(uow, exam_id)
    case.changed(uow, exam_id)
    book = await Book.read(uow, exam)
    compute(uow, book, (line for line in book.lines.values() if book.live(line)))
    book.look_again()
    await book.close(uow)
    await book.tell_all(uow)
    ids = tuple(result.id for result in results)
    await uow.publish(ResultsRecorded(campus_id=exam.campus_id, exam_id=exam_id, result_ids=ids))
    await follow(uow, exam, facts=True)


async def hint(uow: UnitOfWork, exam_id: UUID) -> None:
    """Tell the exam what its results hint at of its person: what may not be done meanwhile is asked of a person."""
    exam = await exams.lock(uow, exam_id)
    if exam.sex == "male" and not exam.hints:
        return
    known = await case.case_of(uow, exam_id)
    every = [*known.values.values(), *(one for many in known.repeats.values() for one in many)]
    await exams.hint(uow, exam_id, hints_of(exam.sex, every))


async def past_changed(uow: UnitOfWork, exam_id: UUID) -> None:
    """Look again at what was judged beside an earlier exam, which says something else now, or is another person's. No value changes."""
    exam = await exams.lock(uow, exam_id)
    case.changed(uow, exam_id)
    book = await Book.read(uow, exam)
    await book.tell_all(uow, of_past=True)
    if exam.state != "finalized":
        await follow(uow, exam)


async def follow_past(uow: UnitOfWork, exam_id: UUID) -> None:
    """Bring what is made of an open exam beside earlier ones in line with what these say now; of whom an alert tells is asked elsewhere."""
    exam = await exams.lock(uow, exam_id)
    if exam.state in ENDED:
        return
    case.changed(uow, exam_id)
    await follow(uow, exam)


async def find_signed(uow: UnitOfWork, exam_id: UUID, version_id: UUID) -> bool:
    """Find in an open exam what an unsigned edition left unfound, by the one that is signed; say whether it was open.

    Summaries and conclusions follow as they do when a result changes: what a person touched is kept, and stale where it rests on something else.
    """
    if not await exams.pin_signed(uow, exam_id, version_id):
        return False
    exam = await exams.get(uow, exam_id)
    case.changed(uow, exam_id)
    await follow(uow, exam, facts=True)
    await uow.audit("exam.found_signed", "exam", exam_id, campus_id=exam.campus_id, detail={"version": str(version_id)})
    return True


async def lines_gone(uow: UnitOfWork, exam_id: UUID, line_ids: Collection[UUID]) -> None:
    """What was found on lines that are set aside counts no more, for nothing that is made of it."""
    exam = await exams.lock(uow, exam_id)
    results = await repository.results(uow, exam_id)
    if not results:
        return
    ids = tuple(r.id for r in results if r.line_id in set(line_ids))
    case.changed(uow, exam_id)
    book = await Book.read(uow, exam)
    compute(uow, book, (line for line in book.lines.values() if book.live(line)))
    await book.close(uow)
    if not ids:
        return  # Only why something could not be computed may be another now.
    await book.tell_all(uow)
    await uow.publish(ResultsRecorded(campus_id=exam.campus_id, exam_id=exam_id, result_ids=ids))
    await follow(uow, exam)


async def opened_again(uow: UnitOfWork, exam_id: UUID) -> None:
    """Bring what stood still while an exam was finalized in line with what came meanwhile."""
    exam = await exams.lock(uow, exam_id)
    book = await Book.read(uow, exam)
    book.look_again()
    await book.close(uow)
    await block_open(uow, exam_id)
    await follow(uow, exam)


async def follow(
    uow: UnitOfWork, exam: Exam, department_ids: Collection[int] | None = None, *, facts: bool = False
) -> None:
    """Bring what departments say in line with what is known now, and say so to whoever makes something of it."""
    await summarize(uow, exam, department_ids, facts=facts)
    await uow.publish(DerivedFollowed(campus_id=exam.campus_id, exam_id=exam.id))


async def _flag(uow: UnitOfWork, exam: Exam) -> None:
    lines = await exams.lines(uow, exam.id)
    items = {
        i.id: i for held in (await catalog.group_items(uow, {x.item_group_id for x in lines})).values() for i in held
    }
    subject = case.subject_of(exam)
    ranges, first = (
        await catalog.ranges_near(uow, set(items), subject),
        await catalog.laboratory_goes_first(uow, exam.campus_id),
    )
    of_result = {result.id: result.item_id for result in await repository.results(uow, exam.id)}
    critical = await Criticality.of(uow, exam)
    changed: list[tuple[UUID, str | None, dict[str, Any] | None]] = []
    for revision in await repository.revisions_of_exam(uow, exam.id):
        item = items.get(of_result[revision.result_id])
        if item is None or revision.status == "entered_in_error":
            continue
        found = ranges.by_method(item.id, subject, revision.method)
        marks = (revision.lis_flags or "").split()
        theirs = Theirs(revision.lis_range_text or "", revision.unit, revision.conversion)
        flag, normal = judged(item, value_of(revision), found, marks, theirs, laboratory_first=first)
        if critical.asks_of(item.code):
            flag = await critical.flag(uow, item, value_of(revision), revision.unit, flag)
        if (flag, normal) != (revision.flag, revision.range_snapshot):
            changed.append((revision.id, flag, normal))
    await repository.judge_anew(uow, changed)
