"""What the front desk does in the same transaction when an earlier step says something happened."""

from tjapi.exam.events import ExamCancelled
from tjapi.frontdesk import service
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def let_place_go(uow: UnitOfWork, event: ExamCancelled) -> None:
    """Whoever cancels an exam gives its place to others."""
    await service.let_place_go(uow, event.exam_id)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = ((ExamCancelled, let_place_go),)
