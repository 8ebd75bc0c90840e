"""Appointments and places on the waiting list go with the person whose they are."""

from collections.abc import Collection
from uuid import UUID

from tjapi.appointment import repository
from tjapi.appointment.errors import AppointmentsOnOneDay
from tjapi.examinee import service as examinees
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Let appointments follow a merge, and go back when it is undone. Raises AppointmentsOnOneDay: one of them is cancelled first."""
    await examinees.follow(uow, event, "appointment", _repoint)
    await examinees.follow(uow, event, "appointment_wait", repository.repoint_waits)


async def _repoint(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID]:
    rows = await repository.repoint(uow, was, now, ids)
    if rows is None:
        raise AppointmentsOnOneDay(
            errors=[
                FieldError(
                    "/survivor_id", "appointments-on-one-day", f"两人均预约了 {day}", f"both are expected on {day}"
                )
                for day in await repository.days_of_both(uow, was, now)
            ]
        )
    return rows
