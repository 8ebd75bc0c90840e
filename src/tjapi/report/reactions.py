"""What happens to reports in the same transaction when an earlier step says something happened."""

from tjapi.conclusion.events import AmendmentTaskClosed
from tjapi.exam.events import ExamFinalized, ExamReopened
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork
from tjapi.report import service
from tjapi.result.events import ResultArrivedLate


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Who may see a report follows the person; what it prints stays as it was sealed."""
    await service.follow_person(uow, event)


async def opened_again(uow: UnitOfWork, event: ExamReopened) -> None:
    """A report goes with the sign-off that it prints."""
    await service.exam_opened_again(uow, event.exam_id, event.reason)


async def signed_anew(uow: UnitOfWork, event: ExamFinalized) -> None:
    """A report that there was is made anew at once."""
    await service.signed_anew(uow, event.exam_id)


async def came_late(uow: UnitOfWork, event: ResultArrivedLate) -> None:
    """A published report is outdated by what came after it."""
    await service.came_late(uow, event.exam_id)


async def dealt_with(uow: UnitOfWork, event: AmendmentTaskClosed) -> None:
    """A report is outdated no more once nothing waits, and what was signed is what is stored."""
    await service.dealt_with(uow, event.exam_id)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    (ExamReopened, opened_again),
    (ExamFinalized, signed_anew),
    (ResultArrivedLate, came_late),
    (AmendmentTaskClosed, dealt_with),
    (ExamineesMerged, follow_person),
    (ExamineesUnmerged, follow_person),
)
