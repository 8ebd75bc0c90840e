"""Bookings: a place and the exam that it is for, made, moved, cancelled and missed together.

Who changes a booking locks the exam first, then the appointment, then its places: whichever of the two was asked.
"""

from dataclasses import replace
from datetime import date
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.appointment.rules import AppointmentSource
from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamDoubtful
from tjapi.exam.schemas import ExamIn
from tjapi.examinee.rules import PhotoFile
from tjapi.frontdesk.schemas import BookingIn, BookingOut, OwnBookingIn
from tjapi.kernel.uow import UnitOfWork


async def book(
    uow: UnitOfWork,
    examinee_id: UUID,
    new: OwnBookingIn,
    source: AppointmentSource,
    *,
    payment_required: bool = False,
    over_waiting_list: bool = False,
) -> BookingOut:
    """Register an exam for a day and take its places there: the session, and whatever its item groups need. Both, or neither.

    Raises what `exams.register` and `appointments.book` raise.
    """
    place = appointments.Order(
        campus_id=new.campus_id,
        day=new.day,
        session_id=new.session_id,
        examinee_id=examinee_id,
        source=source,
        hold_id=new.hold_id,
        over_waiting_list=over_waiting_list,
    )
    await appointments.look(uow, place)
    order = ExamIn(
        campus_id=new.campus_id, examinee_id=examinee_id, package_id=new.package_id, item_group_ids=new.item_group_ids,
        choices=new.choices, pregnant=new.pregnant, exam_date=new.day, despite=new.despite,
    )  # fmt: skip
    try:
        exam = await exams.register(uow, order, payment_required=payment_required, day_pointer="/day")
    except ExamDoubtful:
        # What cannot be had is refused, and not asked back.
        await appointments.refuse_twice(uow, place)
        raise
    groups = await catalog.item_groups(uow, [line.item_group_id for line in await exams.lines(uow, exam.id)])
    needed = {group.resource for group in groups if group.resource}
    appointment = await appointments.book(uow, replace(place, exam_id=exam.id, resources=needed))
    return BookingOut(appointment=appointments.out(appointment), exam=await exams.describe(uow, exam.id))


async def book_at_desk(
    uow: UnitOfWork, new: BookingIn, *, payment_required: bool = False, photo: PhotoFile | None = None
) -> BookingOut:
    """Book for somebody known, or for the holder of a document, who is found or entered, all in one.

    Raises what `book` raises, ExamineeNotNamed, PermissionMissing, and with a document whatever meeting its holder raises.
    """
    asked = ExamIn(campus_id=new.campus_id, examinee_id=new.examinee_id, id_card=new.id_card)
    person = await exams.whom(uow, asked, photo)
    await uow.session.flush()
    return await book(
        uow, person.id, new, "desk", payment_required=payment_required, over_waiting_list=new.over_waiting_list
    )


async def reschedule_booking(
    uow: UnitOfWork, appointment_id: UUID, day: date, session_id: UUID, *, over_waiting_list: bool = False
) -> BookingOut:
    """Move an appointment and its exam to another place. Raises what `appointments.reschedule` and `exams.reschedule` raise."""
    exam_id = await _lock_exam_of(uow, appointment_id)
    await appointments.reschedule(uow, appointment_id, day, session_id, over_waiting_list=over_waiting_list)
    if exam_id is not None:
        await exams.reschedule(uow, exam_id, day)
    return await booking(uow, appointment_id)


async def cancel_booking(uow: UnitOfWork, appointment_id: UUID, reason: str) -> BookingOut:
    """Give a place back, and cancel its exam. Raises what `appointments.cancel` and `exams.cancel` raise."""
    exam_id = await _lock_exam_of(uow, appointment_id)
    await appointments.cancel(uow, appointment_id, reason)
    if exam_id is not None:
        await exams.cancel(uow, exam_id, reason)
    return await booking(uow, appointment_id)


async def miss_booking(uow: UnitOfWork, appointment_id: UUID) -> BookingOut:
    """Somebody did not come. Raises AppointmentNotFound, AppointmentStateConflict."""
    await _lock_exam_of(uow, appointment_id)
    await appointments.miss(uow, appointment_id)
    return await booking(uow, appointment_id)


async def reinstate_booking(uow: UnitOfWork, appointment_id: UUID) -> BookingOut:
    """They may come yet. Raises AppointmentNotFound, AppointmentStateConflict, AppointmentTwice."""
    await _lock_exam_of(uow, appointment_id)
    await appointments.reinstate(uow, appointment_id)
    return await booking(uow, appointment_id)


async def booking(uow: UnitOfWork, appointment_id: UUID) -> BookingOut:
    """Return an appointment with its exam. Raises AppointmentNotFound."""
    found = await appointments.get(uow, appointment_id)
    exam = await exams.describe(uow, found.exam_id) if found.exam_id is not None else None
    return BookingOut(appointment=appointments.out(found), exam=exam)


async def let_place_go(uow: UnitOfWork, exam_id: UUID) -> None:
    """An exam was cancelled: its place is given back, unless that is where it began."""
    found = await appointments.of_exam(uow, exam_id)
    if found is not None and found.state == "booked":
        exam = await exams.get(uow, exam_id)
        await appointments.cancel(uow, found.id, exam.cancel_reason or "")


async def _lock_exam_of(uow: UnitOfWork, appointment_id: UUID) -> UUID | None:
    exam_id = (await appointments.get(uow, appointment_id)).exam_id
    if exam_id is not None:
        await exams.lock(uow, exam_id)
    return exam_id
