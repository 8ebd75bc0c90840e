"""What happens to reports in the same transaction when an earlier step says something happened."""

from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork
from tjapi.report import service


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Who may see a report follows the person; what it prints stays as it was sealed."""
    await service.follow_person(uow, event)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    (ExamineesMerged, follow_person),
    (ExamineesUnmerged, follow_person),
)
