"""What the front desk does in the same transaction when an earlier step says something happened."""

from typing import Any

from tjapi.exam.events import ExamCancelled
from tjapi.frontdesk import service
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork
from tjapi.result.events import RevisionsAdded


async def let_place_go(uow: UnitOfWork, event: ExamCancelled) -> None:
    """Whoever cancels an exam gives its place to others."""
    await service.let_place_go(uow, event.exam_id)


async def came_under_doubt(uow: UnitOfWork, event: RevisionsAdded) -> None:
    """What comes for an exam in which somebody else was found may be that one's."""
    await service.came_under_doubt(uow, event.exam_id)


REACTIONS: tuple[tuple[type[Event], Reaction | Any], ...] = (
    (ExamCancelled, let_place_go),
    (RevisionsAdded, came_under_doubt),
)
