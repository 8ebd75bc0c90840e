"""What happens to exams in the same transaction when an earlier step says something happened."""

from tjapi.exam import service
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Whose exams they are follows the person; what an exam copied of them stays as it was on its day."""
    await service.follow_person(uow, event)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    (ExamineesMerged, follow_person),
    (ExamineesUnmerged, follow_person),
)
