"""What happens to results when an exam moves."""

from collections.abc import Sequence
from typing import Any

from tjapi.exam.events import LinesReleased, LinesSetAside
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, ReactionToMany, UnitOfWork
from tjapi.result import service


async def expect_signatures(uow: UnitOfWork, event: LinesReleased) -> None:
    """Departments with released lines must sign before the exam is complete. Result rows come with the first value."""
    await service.plan_sheets(uow, event.exam_id, event.line_ids)


async def expect_signatures_of_many(uow: UnitOfWork, events: Sequence[LinesReleased]) -> None:
    """Departments with released lines must sign, of many exams at once."""
    await service.plan_sheets_of_many(uow, [(event.exam_id, event.line_ids) for event in events])


async def expect_no_more(uow: UnitOfWork, event: LinesSetAside) -> None:
    """A department is not waited for when nothing is left for it to do; nothing is asked about lines that are gone."""
    await service.drop_sheets(uow, event.exam_id, event.line_ids)
    await service.drop_questions(uow, event.exam_id, event.line_ids)


REACTIONS: list[tuple[type[Event], Reaction | Any]] = [
    (LinesReleased, expect_signatures),
    (LinesSetAside, expect_no_more),
]
IN_BULK: dict[Reaction, ReactionToMany | Any] = {expect_signatures: expect_signatures_of_many}
