"""What happens to a queue when an exam will not take place."""

from tjapi.exam.events import ExamCancelled
from tjapi.guidance import service
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def give_place_up(uow: UnitOfWork, event: ExamCancelled) -> None:
    """Call nobody whose exam was cancelled."""
    await service.leave(uow, event.exam_id)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = ((ExamCancelled, give_place_up),)
