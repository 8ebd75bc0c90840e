"""What the group desk does in the same transaction when an earlier step says something happened."""

from tjapi.exam.events import ExamCancelled
from tjapi.groupdesk import service
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def let_go(uow: UnitOfWork, event: ExamCancelled) -> None:
    """Whoever cancels a member's exam, the member is on the list again."""
    await service.let_go(uow, event.exam_id)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = ((ExamCancelled, let_go),)
