"""What happens to a conclusion when something is found that the first reviewer did not see.

Each reaction looks at the conclusion and not at the exam: a department that reopens its sheet takes the exam out of review, and the
exam comes back with another result under the old signature.
"""

from typing import Any

from tjapi.conclusion import service
from tjapi.critical_value.events import CriticalDismissed, CriticalUnplaced
from tjapi.exam.events import ExamPersonCompared, ExamReopened
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork
from tjapi.result.events import DerivedFollowed, ResultArrivedLate, ResultsRecorded, SheetSigned


async def result_changed(uow: UnitOfWork, event: ResultsRecorded) -> None:
    """Take the first signature back: current values are others now."""
    await service.invalidate(uow, event.exam_id)


async def summary_changed(uow: UnitOfWork, event: SheetSigned) -> None:
    """Take the first signature back: a department has signed anew."""
    await service.invalidate(uow, event.exam_id)


async def follow(uow: UnitOfWork, event: DerivedFollowed | CriticalDismissed | CriticalUnplaced) -> None:
    """A draft follows what departments, rules and alerts say; what a reviewer touched is stale, and says so."""
    await service.follow(uow, event.exam_id)


async def opened_again(uow: UnitOfWork, event: ExamReopened) -> None:
    """The conclusion of an exam that is opened again is a draft again."""
    await service.reopened(uow, event.exam_id, event.reason)


async def came_late(uow: UnitOfWork, event: ResultArrivedLate) -> None:
    """Raise a task: the exam is finalized, and this was not in what was signed."""
    await service.raise_task(uow, event)


async def person_compared(uow: UnitOfWork, event: ExamPersonCompared) -> None:
    """It is in doubt whose what was signed is: a task, until it is not, or the exam is signed anew."""
    await service.person_compared(uow, event)


REACTIONS: list[tuple[type[Event], Reaction | Any]] = [
    (ResultsRecorded, result_changed),
    (SheetSigned, summary_changed),
    (DerivedFollowed, follow),
    (CriticalDismissed, follow),
    (CriticalUnplaced, follow),
    (ExamReopened, opened_again),
    (ResultArrivedLate, came_late),
    (ExamPersonCompared, person_compared),
]
