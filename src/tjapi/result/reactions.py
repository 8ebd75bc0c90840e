"""What happens to results when an exam moves."""

from collections.abc import Sequence
from typing import Any

from tjapi.exam.events import ExamFactsCorrected, ExamReopened, LinesReleased, LinesSetAside
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, ReactionToMany, UnitOfWork
from tjapi.requisition.events import TubeRejected
from tjapi.result import service
from tjapi.result.events import RevisionsAdded


async def expect_signatures(uow: UnitOfWork, event: LinesReleased) -> None:
    """Departments with released lines must sign before the exam is complete. Result rows come with the first value."""
    await service.plan_sheets(uow, event.exam_id, event.line_ids)


async def expect_signatures_of_many(uow: UnitOfWork, events: Sequence[LinesReleased]) -> None:
    """Departments with released lines must sign, of many exams at once."""
    await service.plan_sheets_of_many(uow, [(event.exam_id, event.line_ids) for event in events])


async def expect_no_more(uow: UnitOfWork, event: LinesSetAside) -> None:
    """A department is not waited for when nothing is left for it to do; nothing is asked about lines that are gone."""
    await service.drop_sheets(uow, event.exam_id, event.line_ids)
    async with uow.for_every_department():
        await service.drop_questions(uow, event.exam_id, event.line_ids)
        await service.lines_gone(uow, event.exam_id, event.line_ids)


async def await_again(uow: UnitOfWork, event: TubeRejected) -> None:
    """What was given up of a specimen is awaited of the next one."""
    async with uow.for_every_department():
        await service.specimens_refused(uow, event.exam_id)


async def judge_anew(uow: UnitOfWork, event: ExamFactsCorrected) -> None:
    """Ranges, flags, computed items and findings are those of the person as the exam has them now."""
    async with uow.for_every_department():
        await service.judge_anew(uow, event.exam_id)


async def opened_again(uow: UnitOfWork, event: ExamReopened) -> None:
    """What came while the exam was finalized is looked at now."""
    async with uow.for_every_department():
        await service.opened_again(uow, event.exam_id)
        await service.hint(uow, event.exam_id)


async def hint(uow: UnitOfWork, event: RevisionsAdded) -> None:
    """What results say of their person decides what else may be done: a person is asked, and nothing is done meanwhile that may harm."""
    if not event.of_past:
        async with uow.for_every_department():
            await service.hint(uow, event.exam_id)


REACTIONS: list[tuple[type[Event], Reaction | Any]] = [
    (LinesReleased, expect_signatures),
    (LinesSetAside, expect_no_more),
    (TubeRejected, await_again),
    (ExamFactsCorrected, judge_anew),
    (ExamReopened, opened_again),
    (RevisionsAdded, hint),
]
IN_BULK: dict[Reaction, ReactionToMany | Any] = {expect_signatures: expect_signatures_of_many}
