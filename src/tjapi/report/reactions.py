"""What happens to reports in the same transaction when an earlier step says something happened."""

from typing import Any

from tjapi.conclusion.events import AmendmentTaskClosed
from tjapi.exam.events import (
    ExamCancelled,
    ExamFactsCorrected,
    ExamFinalized,
    ExamPersonCompared,
    ExamReopened,
    LinesReinstated,
    LinesSetAside,
)
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork
from tjapi.report import service
from tjapi.result.events import DerivedFollowed, ResultArrivedLate, RevisionsAdded


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Who may see a report follows the person; what prints somebody else is outdated, recalled or made anew."""
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


async def person_compared(uow: UnitOfWork, event: ExamPersonCompared) -> None:
    """A report of which it is in doubt whose it is is outdated."""
    if event.why is not None:
        await service.came_late(uow, event.exam_id)


async def dealt_with(uow: UnitOfWork, event: AmendmentTaskClosed) -> None:
    """A report is outdated no more once nothing waits, and what was signed is what is stored."""
    await service.dealt_with(uow, event.exam_id)


async def past_changed(uow: UnitOfWork, event: service.ExamEvent) -> None:
    """What an exam says, or whether it may be told of, is another now: the person's later exams are looked at."""
    await service.past_changed(uow, event)


async def past_is_anothers(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Exams have another past now."""
    await service.past_is_anothers(uow, event)


_SAYS_ELSE: tuple[type[Event], ...] = (
    RevisionsAdded, ResultArrivedLate, DerivedFollowed, LinesSetAside, LinesReinstated, ExamFactsCorrected, ExamCancelled, ExamFinalized, ExamReopened,
)  # fmt: skip
"""After what a past value may be another, or none."""

REACTIONS: tuple[tuple[type[Event], Reaction | Any], ...] = (
    (ExamReopened, opened_again),
    (ExamPersonCompared, person_compared),
    (ExamFinalized, signed_anew),
    (ResultArrivedLate, came_late),
    (AmendmentTaskClosed, dealt_with),
    (ExamineesMerged, follow_person),
    (ExamineesUnmerged, follow_person),
    (ExamineesMerged, past_is_anothers),
    (ExamineesUnmerged, past_is_anothers),
    *((event, past_changed) for event in _SAYS_ELSE),
)
