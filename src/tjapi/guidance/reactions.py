"""What happens to a queue when an exam or a line will not take place, or not now, and to a guide sheet's return when a line is decided upon anew."""

from typing import Any

from tjapi.exam.events import ExamCancelled, ExamFactsCorrected, ExamHeld, LinesReinstated, LinesSetAside
from tjapi.guidance import service
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def give_place_up(uow: UnitOfWork, event: ExamCancelled | ExamHeld) -> None:
    """Call nobody whose exam was cancelled or is on hold; whoever goes on is guided anew."""
    await service.leave(uow, event.exam_id)


async def give_errand_up(uow: UnitOfWork, event: LinesSetAside | ExamFactsCorrected) -> None:
    """Call nobody to a room where nothing of theirs is left to do, or where what is left does not suit them any more."""
    await service.follow_lines(uow, event.exam_id)


async def forget_decision(uow: UnitOfWork, event: LinesReinstated | LinesSetAside) -> None:
    """What was decided when the sheet came back, and then otherwise, is not to be undone with the return."""
    await service.forget(uow, event.exam_id, event.line_ids)


REACTIONS: list[tuple[type[Event], Reaction | Any]] = [
    (ExamCancelled, give_place_up), (ExamHeld, give_place_up), (LinesReinstated, forget_decision), (LinesSetAside, forget_decision),
    (LinesSetAside, give_errand_up), (ExamFactsCorrected, give_errand_up),
]  # fmt: skip
