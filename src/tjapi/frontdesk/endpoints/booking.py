"""HTTP of bookings."""

from uuid import UUID

from fastapi import Request

from tjapi.appointment.errors import (
    AppointmentAwaited,
    AppointmentDayOutOfReach,
    AppointmentFull,
    AppointmentHoldEnded,
    AppointmentNotFound,
    AppointmentSessionNotForSex,
    AppointmentSessionNotOffered,
    AppointmentStateConflict,
    AppointmentTwice,
)
from tjapi.appointment.schemas import CancelAppointmentIn, DeskPlaceIn
from tjapi.employer.errors import MemberOutgrown
from tjapi.exam.errors import (
    ExamBeforeBirth,
    ExamDoubtful,
    ExamEmpty,
    ExamineeNotNamed,
    ExamStateConflict,
    LineStateConflict,
    PackageNotForSex,
)
from tjapi.examinee.errors import NOT_MET, ExamineeNotFound
from tjapi.examinee.flows import card_photo
from tjapi.frontdesk import service
from tjapi.frontdesk.schemas import BookingIn, BookingOut
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.problem import Problem
from tjapi.kernel.routing import Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.pricing.endpoints import QUOTE
from tjapi.pricing.errors import PregnancyContradictsSex

bookings = router("appointments")
PLACE: list[type[Problem]] = [
    AppointmentFull, AppointmentAwaited, AppointmentSessionNotOffered, AppointmentSessionNotForSex, AppointmentDayOutOfReach, AppointmentTwice,
]  # fmt: skip
"""Why a place cannot be had."""
BOOKING: list[type[Problem]] = [
    *PLACE, AppointmentHoldEnded, CampusNotHeld, ExamineeNotFound, ExamEmpty, ExamBeforeBirth, ExamDoubtful, PackageNotForSex, PregnancyContradictsSex,
    *QUOTE,
]  # fmt: skip
"""Why a booking cannot be made."""


@bookings.post(
    "/appointments",
    **operation("createAppointment", "预约体检", "Book: a place and the exam that it is for", permission="appointment.write",
                requirement=["E1.3", "E7.2"], body=True, status=201, idempotent="required", problems=[*BOOKING, ExamineeNotNamed, *NOT_MET],
                description="受检者可为已有档案,或读卡内容(一次完成建档与预约) · For somebody known, or from what a card reader read, in one call."),
)  # fmt: skip
async def create_appointment(request: Request, uow: Unit, body: BookingIn) -> BookingOut:
    held = runtime(request)
    photo = await card_photo(held, body.id_card, "/id_card/photo")
    made = await service.book_at_desk(uow, body, payment_required=held.settings.payment_required, photo=photo)
    name = made.exam.name if made.exam else ""
    return made.model_copy(update={"unprintable": held.services.printing.unprintable(name)})


@bookings.post(
    "/appointments/{appointment_id:uuid}:reschedule",
    **operation("rescheduleAppointment", "改期", "Move a booking to another place", permission="appointment.write", requirement=["E1.3"], body=True,
                idempotent="optional", problems=[*PLACE, AppointmentNotFound, AppointmentStateConflict, ExamStateConflict, MemberOutgrown]),
)  # fmt: skip
async def reschedule_appointment(uow: Unit, appointment_id: UUID, body: DeskPlaceIn) -> BookingOut:
    return await service.reschedule_booking(
        uow, appointment_id, body.day, body.session_id, over_waiting_list=body.over_waiting_list
    )


@bookings.post(
    "/appointments/{appointment_id:uuid}:cancel",
    **operation("cancelAppointment", "取消预约", "Cancel a booking and its exam", permission="appointment.write", requirement=["E1.3"], body=True,
                problems=[AppointmentNotFound, AppointmentStateConflict, ExamStateConflict, LineStateConflict]),
)  # fmt: skip
async def cancel_appointment(uow: Unit, appointment_id: UUID, body: CancelAppointmentIn) -> BookingOut:
    return await service.cancel_booking(uow, appointment_id, body.reason)


@bookings.post(
    "/appointments/{appointment_id:uuid}:no-show",
    **operation("missAppointment", "标记未到检", "Somebody did not come", permission="appointment.write", requirement=["E1.3", "E9.2"],
                problems=[AppointmentNotFound, AppointmentStateConflict]),
)  # fmt: skip
async def miss_appointment(uow: Unit, appointment_id: UUID) -> BookingOut:
    return await service.miss_booking(uow, appointment_id)


@bookings.post(
    "/appointments/{appointment_id:uuid}:reinstate",
    **operation("reinstateAppointment", "撤销未到检", "Somebody is expected after all", permission="appointment.write", requirement=["E1.3", "E9.2"],
                problems=[AppointmentNotFound, AppointmentStateConflict, AppointmentTwice]),
)  # fmt: skip
async def reinstate_appointment(uow: Unit, appointment_id: UUID) -> BookingOut:
    return await service.reinstate_booking(uow, appointment_id)
