"""What happens to members in the same transaction when an earlier step says something happened."""

from tjapi.employer import service
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Members who were met as somebody who is merged are those of the survivor."""
    await service.follow_person(uow, event)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    (ExamineesMerged, follow_person),
    (ExamineesUnmerged, follow_person),
)
