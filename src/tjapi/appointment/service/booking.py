"""An appointment: held, booked, moved, cancelled, kept or missed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tjapi.appointment import repository, views
from tjapi.appointment.errors import (
    AppointmentHoldEnded,
    AppointmentNotFound,
    AppointmentStateConflict,
    AppointmentTwice,
    WalkInNotTaken,
)
from tjapi.appointment.events import (
    AppointmentArrived,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentRescheduled,
)
from tjapi.appointment.models import Appointment
from tjapi.appointment.rules import MOVES, AppointmentSource, AppointmentState, WaitState
from tjapi.appointment.schemas import AppointmentListed, AppointmentOut, HoldIn
from tjapi.appointment.service import places
from tjapi.appointment.service.calendar import policy, refuse_foreign_campus
from tjapi.examinee import service as examinees
from tjapi.kernel.clock import business_day
from tjapi.kernel.events import Event
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

_LET_GO = "let_go"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is booked for whom. `resources` are codes; `hold_id` is the place that was kept meanwhile."""

    campus_id: int
    day: date
    session_id: UUID
    examinee_id: UUID
    exam_id: UUID | None = None
    resources: Collection[str] = ()
    source: AppointmentSource = "desk"
    hold_id: UUID | None = None
    over_waiting_list: bool = False
    """Book although others wait for the session."""


async def hold(uow: UnitOfWork, new: HoldIn) -> Appointment:
    """Keep a place for some minutes, for whoever asks.

    Raises CampusNotHeld, AppointmentDayOutOfReach, AppointmentSessionNotOffered, AppointmentFull, AppointmentAwaited.
    """
    refuse_foreign_campus(uow, new.campus_id)
    rules = await policy(uow, new.campus_id)
    wish = await places.wish(uow, rules, new.day, new.session_id, new.resources, None)
    held = place_of(uow, wish, "desk", minutes=rules.hold_minutes)
    uow.session.add(held)
    await uow.session.flush()
    await places.move(uow, new.campus_id, held.id, wish)
    if not new.over_waiting_list:
        await places.refuse_awaited(uow, wish, None)
    await uow.audit("appointment.held", "appointment", held.id, campus_id=held.campus_id)
    return held


async def let_go(uow: UnitOfWork, hold_id: UUID, *, offer_ends: WaitState = "lapsed") -> None:
    """Give a hold back before its time. Raises AppointmentNotFound, AppointmentStateConflict."""
    held = await lock(uow, hold_id)
    if held.state != "held":
        raise _conflict(held)
    await end(uow, held, "cancelled", _LET_GO)
    await repository.end_offers(uow, [held.id], offer_ends)
    await places.move(uow, held.campus_id, held.id, None)
    await uow.audit("appointment.let_go", "appointment", held.id, campus_id=held.campus_id)


async def look(uow: UnitOfWork, order: Order) -> None:
    """Refuse at once what `book` would refuse at this moment, before an exam is registered for nothing. It takes nothing.

    Raises CampusNotHeld, ExamineeNotFound, AppointmentDayOutOfReach, AppointmentSessionNotOffered,
    AppointmentSessionNotForSex, AppointmentFull.
    """
    refuse_foreign_campus(uow, order.campus_id)
    person = await examinees.get(uow, order.examinee_id)
    rules = await policy(uow, order.campus_id)
    wish = await places.wish(
        uow, rules, order.day, order.session_id, order.resources, person.sex, far=order.source == "batch"
    )
    if order.hold_id is None:
        await places.refuse_full(uow, wish, person.sex)


async def book(uow: UnitOfWork, order: Order) -> Appointment:
    """Give somebody a place: the one kept for them, or a free one.

    Raises CampusNotHeld, ExamineeNotFound, AppointmentDayOutOfReach, AppointmentSessionNotOffered,
    AppointmentSessionNotForSex, AppointmentHoldEnded, AppointmentTwice, AppointmentFull, AppointmentAwaited.
    """
    refuse_foreign_campus(uow, order.campus_id)
    person = await examinees.kept(uow, order.examinee_id)
    rules = await policy(uow, order.campus_id)
    wish = await places.wish(
        uow, rules, order.day, order.session_id, order.resources, person.sex, far=order.source == "batch"
    )
    if order.hold_id is not None:
        booked = await _held(uow, order, person.id)
        _become(booked, "booked")
        _put(booked, wish)
    else:
        booked = place_of(uow, wish, order.source)
        uow.session.add(booked)
    booked.examinee_id, booked.exam_id, booked.expires_at = person.id, order.exam_id, None
    await _one_a_day(uow, booked)
    await places.move(uow, order.campus_id, booked.id, wish, sex=person.sex)
    if order.hold_id is not None:
        await repository.end_offers(uow, [booked.id], "booked")
    elif not order.over_waiting_list:
        await places.refuse_awaited(uow, wish, person.id)
    await _say(
        uow, booked, "appointment.booked", AppointmentBooked, said=_said(over_waiting_list=order.over_waiting_list)
    )
    return booked


async def attach(uow: UnitOfWork, appointment_id: UUID, exam_id: UUID) -> None:
    """Say for which exam an appointment is. Raises AppointmentNotFound, AppointmentStateConflict."""
    found = await lock(uow, appointment_id)
    if found.state != "booked" or found.exam_id not in (None, exam_id):
        raise _conflict(found)
    found.exam_id = exam_id
    await uow.session.flush()


async def reschedule(
    uow: UnitOfWork, appointment_id: UUID, day: date, session_id: UUID, *, over_waiting_list: bool = False
) -> Appointment:
    """Give somebody another place; the old one is kept unless there is the new one.

    Raises AppointmentNotFound, AppointmentStateConflict, AppointmentDayOutOfReach, AppointmentSessionNotOffered,
    AppointmentSessionNotForSex, AppointmentTwice, AppointmentFull, AppointmentAwaited.
    """
    found = await lock(uow, appointment_id)
    if found.state not in ("booked", "no_show") or found.examinee_id is None:
        raise _conflict(found)
    person = await examinees.get(uow, found.examinee_id)
    rules = await policy(uow, found.campus_id)
    wish = await places.wish(uow, rules, day, session_id, found.resources, person.sex)
    was = {"day": found.day.isoformat(), "session_id": str(found.session_id)}
    if found.state == "no_show":
        _become(found, "booked")
        found.ended_at = None
    _put(found, wish)
    await _one_a_day(uow, found)
    await places.move(uow, found.campus_id, found.id, wish, sex=person.sex)
    if not over_waiting_list:
        await places.refuse_awaited(uow, wish, person.id)
    said = {"was": was} | _said(over_waiting_list=over_waiting_list)
    await _say(uow, found, "appointment.rescheduled", AppointmentRescheduled, said=said)
    return found


async def cancel(uow: UnitOfWork, appointment_id: UUID, reason: str) -> Appointment:
    """Give a place back. Raises AppointmentNotFound, AppointmentStateConflict."""
    found = await lock(uow, appointment_id)
    if found.state != "booked":
        raise _conflict(found)
    await end(uow, found, "cancelled", reason)
    await places.move(uow, found.campus_id, found.id, None)
    await _say(uow, found, "appointment.cancelled", AppointmentCancelled)
    return found


async def arrive(uow: UnitOfWork, campus_id: int, exam_id: UUID) -> Appointment | None:
    """Whoever this exam is of is here. None: they had no appointment, and the campus examines those too.

    Who comes on another day than the booked one comes as one without an appointment; a place of a day to come is given back. Raises
    WalkInNotTaken where the campus examines by appointment only.
    """
    seen = await repository.of_exam(uow, exam_id)
    found = await lock(uow, seen.id) if seen is not None else None
    expected = found is not None and found.day == business_day(uow.now)
    if not expected:
        rules = await repository.policy(uow, campus_id)
        if rules is not None and not rules.walk_ins:
            raise WalkInNotTaken(
                errors=[FieldError("path:exam_id", "no-appointment", "今天没有预约", "no appointment for today")]
            )
    if found is None or found.state == "arrived":
        return found
    if found.day > business_day(uow.now):
        await places.move(uow, found.campus_id, found.id, None)
    _become(found, "arrived")
    found.arrived_at, found.ended_at = uow.now, None
    await _say(uow, found, "appointment.arrived", AppointmentArrived)
    return found


async def miss(uow: UnitOfWork, appointment_id: UUID) -> Appointment:
    """Somebody did not come; their place stays taken. Raises AppointmentNotFound, AppointmentStateConflict."""
    found = await lock(uow, appointment_id)
    if found.state != "booked" or found.day > business_day(uow.now):
        raise _conflict(found)
    await end(uow, found, "no_show", None)
    await say_missed(uow, found.id, found.campus_id)
    await _announce(uow, found)
    return found


async def reinstate(uow: UnitOfWork, appointment_id: UUID) -> Appointment:
    """They may come yet: a no-show of today is expected again. Raises AppointmentNotFound, AppointmentStateConflict."""
    found = await lock(uow, appointment_id)
    if found.state != "no_show" or found.day < business_day(uow.now):
        raise _conflict(found)
    _become(found, "booked")
    found.ended_at = None
    await _one_a_day(uow, found)
    await _say(uow, found, "appointment.reinstated", AppointmentBooked)
    return found


async def get(uow: UnitOfWork, appointment_id: UUID) -> Appointment:
    """Return an appointment. Raises AppointmentNotFound."""
    found = await repository.appointment(uow, appointment_id)
    if found is None:
        raise AppointmentNotFound
    return found


async def lock(uow: UnitOfWork, appointment_id: UUID) -> Appointment:
    """Return an appointment under its row lock. Raises AppointmentNotFound."""
    found = await repository.appointment(uow, appointment_id, lock=True)
    if found is None:
        raise AppointmentNotFound
    return found


async def of_exam(uow: UnitOfWork, exam_id: UUID) -> Appointment | None:
    """Return the appointment of an exam that is not cancelled."""
    return await repository.of_exam(uow, exam_id)


async def of_examinee(uow: UnitOfWork, examinee_id: UUID, size: int) -> Sequence[Appointment]:
    """Return somebody's appointments, latest day first."""
    return await repository.of_examinee(uow, examinee_id, size)


async def page(
    uow: UnitOfWork, *, campus_id: int | None, first: date | None, last: date | None, state: str | None, session_id: UUID | None,
    resource: str | None, examinee_id: UUID | None, after: Sequence[str] | None, size: int, lost_place: bool | None = None,
) -> Sequence[AppointmentListed]:  # fmt: skip
    """Return a page of appointments with names, by day and session, one too many."""
    examinee_id = None if examinee_id is None else await examinees.survivor_id(uow, examinee_id)
    rows = await views.appointments(
        uow, campus_id=campus_id, first=first, last=last, state=state, session_id=session_id, resource=resource, examinee_id=examinee_id,
        now=uow.now, after=after, size=size, lost_place=lost_place,
    )  # fmt: skip
    return [AppointmentListed(**out(row).model_dump(), name=name) for row, name in rows]


def out(row: Appointment) -> AppointmentOut:
    """Return the public shape of an appointment."""
    return AppointmentOut.model_validate(row)


def place_of(
    uow: UnitOfWork, wish: places.Wish, source: AppointmentSource, *, minutes: int | None = None
) -> Appointment:
    """Return a new appointment: a hold of so many minutes, or a booking."""
    made = Appointment(
        id=uuid7(), campus_id=wish.campus_id, state="booked" if minutes is None else "held", source=source, made_by=uow.principal.id,
        made_at=uow.now, expires_at=None if minutes is None else uow.now + timedelta(minutes=minutes),
    )  # fmt: skip
    _put(made, wish)
    return made


async def end(uow: UnitOfWork, found: Appointment, state: AppointmentState, reason: str | None) -> None:
    """End an appointment."""
    _become(found, state)
    found.ended_at, found.end_reason = uow.now, reason
    await uow.session.flush()


async def say_missed(uow: UnitOfWork, appointment_id: UUID, campus_id: int) -> None:
    """State that somebody did not come."""
    await uow.audit("appointment.missed", "appointment", appointment_id, campus_id=campus_id)
    await uow.publish(AppointmentMissed(campus_id=campus_id, appointment_id=appointment_id))


async def _held(uow: UnitOfWork, order: Order, examinee_id: UUID) -> Appointment:
    found = await repository.appointment(uow, order.hold_id, lock=True) if order.hold_id else None
    if found is None or found.campus_id != order.campus_id:
        raise AppointmentHoldEnded(errors=[FieldError("/hold_id", "not-found", "没有这个占位", "no such hold")])
    is_theirs = found.examinee_id in (None, examinee_id)
    if found.state != "held" or found.expires_at is None or found.expires_at <= uow.now or not is_theirs:
        raise AppointmentHoldEnded(errors=[FieldError("/hold_id", "ended", "占位已失效", "the hold has ended")])
    return found


async def refuse_twice(uow: UnitOfWork, order: Order) -> None:
    """Refuse a place to whoever has one at this campus on that day already. Raises AppointmentTwice."""
    if await repository.has_day(uow, order.campus_id, order.examinee_id, order.day, uuid7()):
        raise _twice()


async def _one_a_day(uow: UnitOfWork, found: Appointment) -> None:
    """Refuse a second appointment of one person on one day: by a look, and by the database when two ask at once."""
    assert found.examinee_id is not None
    twice = await repository.has_day(uow, found.campus_id, found.examinee_id, found.day, found.id)
    if twice or not await repository.flushed(uow):
        raise _twice()


def _twice() -> AppointmentTwice:
    return AppointmentTwice(
        errors=[FieldError("/day", "twice", "受检者当天已有预约", "there is an appointment on that day")]
    )


def _put(found: Appointment, wish: places.Wish) -> None:
    found.day, found.session_id, found.session_name = wish.day, wish.session.id, wish.session.name
    found.starts_at, found.ends_at, found.resources = wish.session.starts_at, wish.session.ends_at, wish.codes


def _become(found: Appointment, state: AppointmentState) -> None:
    if state not in MOVES[found.state]:
        raise _conflict(found)
    found.state = state


def _conflict(found: Appointment) -> AppointmentStateConflict:
    return AppointmentStateConflict(
        "预约当前为「{current}」", "The appointment's state is: {current}", current=found.state
    )


def _said(*, over_waiting_list: bool) -> dict[str, Any]:
    return {"over_waiting_list": True} if over_waiting_list else {}


async def _say(
    uow: UnitOfWork, found: Appointment, action: str, event: type[Event], *, said: Mapping[str, Any] | None = None
) -> None:
    await uow.session.flush()
    detail = {"day": found.day.isoformat(), "session_id": str(found.session_id), **(said or {})}
    await uow.audit(action, "appointment", found.id, campus_id=found.campus_id, detail=detail)
    await _announce(uow, found)
    await uow.publish(event(campus_id=found.campus_id, appointment_id=found.id))  # type: ignore[call-arg]


def told(found: Appointment) -> dict[str, str]:
    """Return what screens are told of an appointment."""
    return {"appointment_id": str(found.id), "state": found.state, "day": found.day.isoformat()}


async def _announce(uow: UnitOfWork, found: Appointment) -> None:
    await uow.announce("appointment", told(found), campus_id=found.campus_id, permission="appointment.read")
