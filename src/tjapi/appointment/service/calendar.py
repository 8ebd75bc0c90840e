"""What there is: a campus's sessions, resources and exceptions, and what of them is free."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from tjapi.appointment import repository, views
from tjapi.appointment.errors import (
    AppointmentCalendarInvalid,
    AppointmentDayBooked,
    AppointmentDayOutOfReach,
    OnlineBookingClosed,
)
from tjapi.appointment.models import AppointmentPolicy, AppointmentResource, AppointmentSession
from tjapi.appointment.rules import DayOffer, clock_time
from tjapi.appointment.schemas import (
    AvailabilityOut,
    CalendarIn,
    CalendarOut,
    DayFree,
    DayIn,
    DayOut,
    PolicyOut,
    ResourceCapacity,
    ResourceFree,
    ResourceOut,
    SessionCapacity,
    SessionFree,
    SessionIn,
    SessionOut,
)
from tjapi.appointment.service import places
from tjapi.identity import service as identity
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.uow import UnitOfWork

_MOST_NAMED = 100
_EVER, _MOST_DAYS = timedelta(days=800), timedelta(days=62)
# What a campus opens with: four half hours of a morning, Monday to Saturday. The hospital changes it as it likes.
_USUAL = ((time(7, 30), time(8)), (time(8), time(8, 30)), (time(8, 30), time(9)), (time(9), time(9, 30)))
_USUAL_WEEKDAYS, _USUAL_CAPACITY = range(1, 7), 30


def refuse_foreign_campus(uow: UnitOfWork, campus_id: int, pointer: str = "/campus_id") -> None:
    """Refuse a campus that the caller does not hold, as if it did not exist. Raises CampusNotHeld."""
    if not uow.principal.everywhere:
        identity.refuse_foreign_campus(uow, campus_id, pointer)


async def policy(uow: UnitOfWork, campus_id: int) -> AppointmentPolicy:
    """Return how a campus books. Raises CampusNotHeld for a campus without a calendar."""
    found = await repository.policy(uow, campus_id)
    if found is None:
        raise CampusNotHeld
    return found


async def refuse_offline(uow: UnitOfWork, campus_id: int) -> None:
    """Refuse a campus where nobody books for themselves. Raises CampusNotHeld, OnlineBookingClosed."""
    if not (await policy(uow, campus_id)).online:
        raise OnlineBookingClosed


async def load_defaults(uow: UnitOfWork, campus_ids: Iterable[int]) -> None:
    """Give each campus a policy and, where it has no session at all, the usual morning. Twice is once."""
    for campus_id in campus_ids:
        await repository.add_policy(uow, campus_id)
        if await repository.has_calendar(uow, campus_id):
            continue
        uow.session.add_all(
            AppointmentSession(
                id=uuid7(), campus_id=campus_id, weekday=weekday, name=f"上午 {clock_time(begin)}–{clock_time(end)}", starts_at=begin,
                ends_at=end, sex="any", capacity=_USUAL_CAPACITY, active=True,
            )
            for weekday in _USUAL_WEEKDAYS
            for begin, end in _USUAL
        )  # fmt: skip
        await uow.session.flush()


async def calendar(uow: UnitOfWork, campus_id: int) -> CalendarOut:
    """Return a campus's calendar as it is in use. Raises CampusNotHeld."""
    refuse_foreign_campus(uow, campus_id, "path:campus_id")
    found = await policy(uow, campus_id)
    sessions = [s for s in await repository.sessions(uow, campus_id) if s.active]
    resources = [r for r in await repository.resources(uow, campus_id) if r.active]
    return CalendarOut(
        campus_id=campus_id, version=found.version, policy=PolicyOut.model_validate(found),
        sessions=[SessionOut.model_validate(s) for s in sessions], resources=[ResourceOut.model_validate(r) for r in resources],
    )  # fmt: skip


async def put_calendar(uow: UnitOfWork, campus_id: int, new: CalendarIn, expected: int) -> CalendarOut:
    """Make a campus's calendar exactly this; counters of days to come follow at once, bookings stay.

    Raises CampusNotHeld, AppointmentCalendarInvalid, PreconditionFailed.
    """
    refuse_foreign_campus(uow, campus_id, "path:campus_id")
    _refuse_contradictions(new)
    held = await repository.lock_policy(uow, campus_id)
    if held is None:
        raise CampusNotHeld
    if held.version != expected:
        raise PreconditionFailed
    for name, value in new.policy.model_dump().items():
        setattr(held, name, value)
    held.version += 1
    await _put_sessions(uow, campus_id, new.sessions)
    await _put_resources(uow, campus_id, new)
    await uow.session.flush()
    today = business_day(uow.now)
    await repository.recount(uow, campus_id, today, today + _EVER)
    waited = await repository.waited_days(uow, campus_id, today, today + timedelta(days=held.horizon_days))
    await places.tell_who_waits(uow, campus_id, waited)  # there may be room for them now
    detail = {"version": held.version, "sessions": len(new.sessions), "resources": len(new.resources)}
    await uow.audit("appointment_calendar.changed", "campus", campus_id, campus_id=campus_id, detail=detail)
    return await calendar(uow, campus_id)


async def _put_sessions(uow: UnitOfWork, campus_id: int, wanted: Sequence[SessionIn]) -> None:
    there = {(s.weekday, s.starts_at, s.sex): s for s in await repository.sessions(uow, campus_id)}
    for one in there.values():
        one.active = False
    for new in wanted:
        one = there.get((new.weekday, new.starts_at, new.sex)) or AppointmentSession(id=uuid7(), campus_id=campus_id)
        for name, value in new.model_dump().items():
            setattr(one, name, value)
        one.active = True
        uow.session.add(one)


async def _put_resources(uow: UnitOfWork, campus_id: int, new: CalendarIn) -> None:
    there = {r.code: r for r in await repository.resources(uow, campus_id)}
    for one in there.values():
        one.active = False
    for wanted in new.resources:
        one = there.get(wanted.code) or AppointmentResource(id=uuid7(), campus_id=campus_id)
        for name, value in wanted.model_dump().items():
            setattr(one, name, value)
        one.active = True
        uow.session.add(one)


def _refuse_contradictions(new: CalendarIn) -> None:
    errors = [
        FieldError(f"/sessions/{i}/ends_at", "not-after", "结束须晚于开始", "must be after the start")
        for i, s in enumerate(new.sessions)
        if s.ends_at <= s.starts_at
    ]
    seen: set[object] = set()
    for i, s in enumerate(new.sessions):
        key = (s.weekday, s.starts_at, s.sex)
        if key in seen:
            errors.append(
                FieldError(
                    f"/sessions/{i}", "twice", "同一星期的时段重复", "a session of this weekday and start is there"
                )
            )
        seen.add(key)
    for i, r in enumerate(new.resources):
        if r.code in seen:
            errors.append(FieldError(f"/resources/{i}/code", "twice", "资源代码重复", "the code appears twice"))
        seen.add(r.code)
    if errors:
        raise AppointmentCalendarInvalid(errors=errors)


async def days(uow: UnitOfWork, campus_id: int, first: date, last: date) -> list[DayOut]:
    """Return the days unlike their weekday. Raises CampusNotHeld."""
    refuse_foreign_campus(uow, campus_id, "path:campus_id")
    marked = {d.day: d for d in await repository.days(uow, campus_id, first, last)}
    codes = {r.id: r.code for r in await repository.resources(uow, campus_id)}
    capacities = await repository.day_capacities(uow, campus_id, first, last)
    found = []
    for day in sorted({*marked, *(c.day for c in capacities)}):
        of_day = [c for c in capacities if c.day == day]
        one = marked.get(day)
        found.append(
            DayOut(
                day=day, closed=one.closed if one else False, as_weekday=one.as_weekday if one else None, note=one.note if one else "",
                sessions=[SessionCapacity(session_id=c.session_id, capacity=c.capacity) for c in of_day if c.session_id],
                resources=[ResourceCapacity(code=codes[c.resource_id], capacity=c.capacity) for c in of_day if c.resource_id],
            )
        )  # fmt: skip
    return found


async def offers(uow: UnitOfWork, campus_id: int, wanted: Collection[date]) -> dict[date, DayOffer]:
    """Return what a campus offers on some days. Raises CampusNotHeld."""
    refuse_foreign_campus(uow, campus_id)
    if not wanted:
        return {}
    unlike = {one.day: one for one in await repository.days(uow, campus_id, min(wanted), max(wanted))}
    by_weekday: dict[int, list[UUID]] = {}
    for session in await repository.sessions(uow, campus_id):
        if session.active:
            by_weekday.setdefault(session.weekday, []).append(session.id)
    found = {}
    for day in wanted:
        one = unlike.get(day)
        weekday = (one.as_weekday if one else None) or day.isoweekday()
        sessions = () if one and one.closed else tuple(by_weekday.get(weekday, ()))
        found[day] = DayOffer(bool(one and one.closed), one.note if one else "", sessions, bool(by_weekday))
    return found


async def put_day(uow: UnitOfWork, campus_id: int, day: date, new: DayIn) -> DayOut:
    """Make a day unlike its weekday, or like it again; its counters follow at once, bookings stay.

    Raises CampusNotHeld, AppointmentCalendarInvalid, AppointmentDayBooked.
    """
    refuse_foreign_campus(uow, campus_id, "path:campus_id")
    if await repository.lock_policy(uow, campus_id) is None:
        raise CampusNotHeld
    capacities = await _day_capacities(uow, campus_id, new)
    row = {"closed": new.closed, "as_weekday": new.as_weekday, "note": new.note}
    is_usual = not (new.closed or new.as_weekday or new.note)
    lost_before = {one.id for one in await views.stranded(uow, campus_id, day)}
    await repository.put_day(uow, campus_id, day, None if is_usual else row, capacities)
    await repository.recount(uow, campus_id, day, day)
    if "booked" not in new.despite:  # the counters are locked by now: nobody else books what is being taken away
        await _refuse_stranding(uow, campus_id, day, lost_before)
    await places.tell_who_waits(uow, campus_id, {day})
    await uow.audit(
        "appointment_day.changed", "campus", campus_id, campus_id=campus_id,
        detail={"day": day.isoformat(), **new.model_dump(mode="json")},
    )  # fmt: skip
    return DayOut(day=day, **new.model_dump(exclude={"despite"}))


async def _refuse_stranding(uow: UnitOfWork, campus_id: int, day: date, lost_before: Collection[UUID]) -> None:
    """Ask back a change of a day that leaves booked people without the session they were given. Raises AppointmentDayBooked.

    The calendar's lock is held and its counters are, and every booking makes or touches one.
    """
    await uow.session.flush()
    found = [one for one in await views.stranded(uow, campus_id, day) if one.id not in lost_before]
    if found:
        count = FieldError(
            "/despite",
            "booked",
            f"当天有 {len(found)} 个预约将失去时段",
            f"{len(found)} appointments would lose their session",
        )
        raise AppointmentDayBooked(
            errors=[
                count,
                *(
                    FieldError(f"appointment:{one.id}", "booked", f"{clock_time(one.starts_at)} {one.name or '占位'}", f"{clock_time(one.starts_at)} {one.name or 'a hold'}")
                    for one in found[:_MOST_NAMED]
                ),
            ]
        )  # fmt: skip


async def _day_capacities(uow: UnitOfWork, campus_id: int, new: DayIn) -> list[dict[str, Any]]:
    sessions = {s.id for s in await repository.sessions(uow, campus_id) if s.active}
    resources = {r.code: r.id for r in await repository.resources(uow, campus_id) if r.active}
    errors = [
        FieldError(f"/sessions/{i}/session_id", "not-found", "没有这个时段", "no such session")
        for i, s in enumerate(new.sessions)
        if s.session_id not in sessions
    ] + [
        FieldError(f"/resources/{i}/code", "not-found", "没有这个资源", "no such resource")
        for i, r in enumerate(new.resources)
        if r.code not in resources
    ]
    if len({s.session_id for s in new.sessions}) < len(new.sessions):
        errors.append(FieldError("/sessions", "twice", "时段重复", "a session appears twice"))
    if len({r.code for r in new.resources}) < len(new.resources):
        errors.append(FieldError("/resources", "twice", "资源重复", "a resource appears twice"))
    if errors:
        raise AppointmentCalendarInvalid(errors=errors)
    return [{"session_id": s.session_id, "resource_id": None, "capacity": s.capacity} for s in new.sessions] + [
        {"session_id": None, "resource_id": resources[r.code], "capacity": r.capacity} for r in new.resources
    ]


async def availability(
    uow: UnitOfWork, campus_id: int, first: date, last: date, *, online: bool = False
) -> AvailabilityOut:
    """Return what is free between two days: every session, and every resource it needs beside.

    `online`: as an examinee is shown it, of whichever campus lets people book for themselves. Raises CampusNotHeld,
    OnlineBookingClosed, AppointmentDayOutOfReach for more than two months at once.
    """
    if online:
        await refuse_offline(uow, campus_id)
    else:
        refuse_foreign_campus(uow, campus_id, "query:campus_id")
    if last < first or last - first > _MOST_DAYS:
        most = _MOST_DAYS.days
        raise AppointmentDayOutOfReach(
            errors=[
                FieldError(
                    "query:day_to",
                    "out-of-reach",
                    f"不早于起始日期,最多 {most} 天",
                    f"not before the first, at most {most} days",
                )
            ]
        )
    rows = await views.free(uow, campus_id, first, last)
    return AvailabilityOut(
        campus_id=campus_id, days=[_day(list(of_day)) for _day_of, of_day in groupby(rows, key=lambda r: r.day)]
    )


def _day(rows: list[views.FreeRow]) -> DayFree:
    beside: dict[UUID | None, list[ResourceFree]] = {}
    for row in rows:
        if row.resource_id is not None and row.code is not None and row.name is not None:
            left = _left(row)
            beside.setdefault(row.session_id, []).append(ResourceFree(code=row.code, name=row.name, **left))
    sessions = [
        SessionFree(
            session_id=row.session_id, name=row.name or "", starts_at=row.starts_at, ends_at=row.ends_at, sex=row.sex, **_left(row),
            resources=beside.get(row.session_id, []),
        )
        for row in rows
        if row.session_id is not None and row.resource_id is None
    ]  # fmt: skip
    first = rows[0]
    return DayFree(
        day=first.day, closed=first.closed, note=first.note, sessions=sessions, resources=beside.get(None, [])
    )


def _left(row: views.FreeRow) -> dict[str, int]:
    capacity = row.capacity or 0
    return {"capacity": capacity, "taken": row.taken, "free": max(0, capacity - row.taken)}
