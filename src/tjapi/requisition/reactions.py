"""What happens to requisitions when an exam moves."""

from collections.abc import Sequence
from typing import Any

from tjapi.exam.events import ExamCancelled, ExamCheckedIn, LinesReleased, LinesSetAside
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, ReactionToMany, UnitOfWork
from tjapi.requisition import service


async def plan_tubes(uow: UnitOfWork, event: LinesReleased) -> None:
    """Plan the tubes of released lines; the order itself goes out at check-in, or now when the examinee is already here."""
    await service.plan(uow, event.exam_id, event.line_ids)


async def plan_tubes_of_many(uow: UnitOfWork, events: Sequence[LinesReleased]) -> None:
    """Plan the tubes of many exams at once."""
    await service.plan_many(uow, [(event.exam_id, event.line_ids) for event in events])


async def send_orders(uow: UnitOfWork, event: ExamCheckedIn) -> None:
    """Order what is planned."""
    await service.order(uow, event.exam_id)


async def drop_orders(uow: UnitOfWork, event: ExamCancelled) -> None:
    """Order nothing more."""
    await service.cancel_all(uow, event.exam_id)


async def take_back(uow: UnitOfWork, event: LinesSetAside) -> None:
    """Ask no more for lines that will not be carried out, or not now."""
    await service.withdraw(uow, event.exam_id, event.line_ids)


REACTIONS: list[tuple[type[Event], Reaction | Any]] = [
    (LinesReleased, plan_tubes),
    (ExamCheckedIn, send_orders),
    (ExamCancelled, drop_orders),
    (LinesSetAside, take_back),
]
IN_BULK: dict[Reaction, ReactionToMany | Any] = {plan_tubes: plan_tubes_of_many}
