"""What happens to an examinee's access when an earlier step says something happened."""

from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork
from tjapi.portal import service


async def ask_again(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """A token was given to the holder of one archive; when that becomes another, they are asked who they are once more."""
    await service.end_sessions(uow, [event.merged_id, event.survivor_id])


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    (ExamineesMerged, ask_again),
    (ExamineesUnmerged, ask_again),
)
