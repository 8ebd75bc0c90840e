"""HTTP of calendars, availability, holds, the day's appointments and the waiting list. What also moves an exam is the front desk's."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from tjapi.appointment import service
from tjapi.appointment.errors import (
    AppointmentAwaited,
    AppointmentCalendarInvalid,
    AppointmentDayBooked,
    AppointmentDayOutOfReach,
    AppointmentFull,
    AppointmentNotFound,
    AppointmentSessionNotOffered,
    AppointmentStateConflict,
    AppointmentWaitNotFound,
    WaitStateConflict,
)
from tjapi.appointment.rules import AppointmentState, WaitState
from tjapi.appointment.schemas import (
    AppointmentListed,
    AppointmentOut,
    AvailabilityOut,
    CalendarIn,
    CalendarOut,
    DayIn,
    DayOut,
    DaysOut,
    HoldIn,
    WaitIn,
    WaitOut,
)
from tjapi.examinee.errors import ExamineeNotFound
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.validation import Day

appointments = router("appointments")

_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)
CampusPath = Annotated[int, Path(ge=1, le=32_000, description="院区 · Campus", examples=[1])]
CampusAsked = Annotated[int, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])]
Campus = Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])]
First = Annotated[Day, Query(ge=_EARLIEST, le=_LATEST, description="起始日期 · First day", examples=["2026-11-30"])]
Last = Annotated[Day, Query(ge=_EARLIEST, le=_LATEST, description="截止日期 · Last day", examples=["2026-12-06"])]
Resource = Annotated[
    str | None,
    Query(
        max_length=40,
        pattern=r"^[A-Z0-9][A-Z0-9_-]*$",
        description="占用的资源 · Resource taken",
        examples=["ENDOSCOPY"],
    ),
]


@appointments.get(
    "/appointment-calendars/{campus_id}",
    **operation("getAppointmentCalendar", "预约日历", "The calendar of a campus", permission="appointment.configure", requirement=["E1.3", "E8.5"],
                problems=[CampusNotHeld]),
)  # fmt: skip
async def get_calendar(response: Response, uow: ReadUnit, campus_id: CampusPath) -> CalendarOut:
    found = await service.calendar(uow, campus_id)
    set_etag(response, found.version)
    return found


@appointments.put(
    "/appointment-calendars/{campus_id}",
    **operation("putAppointmentCalendar", "维护预约日历", "Change the calendar of a campus", permission="appointment.configure",
                requirement=["E1.3", "E8.5"], body=True, if_match=True, problems=[CampusNotHeld, AppointmentCalendarInvalid]),
)  # fmt: skip
async def put_calendar(
    response: Response, uow: Unit, campus_id: CampusPath, body: CalendarIn, expected: IfMatch
) -> CalendarOut:
    found = await service.put_calendar(uow, campus_id, body, expected)
    set_etag(response, found.version)
    return found


@appointments.get(
    "/appointment-calendars/{campus_id}/days",
    **operation("listAppointmentDays", "特殊日期列表", "Days unlike their weekday", permission="appointment.configure", requirement=["E1.3", "E8.5"],
                problems=[CampusNotHeld]),
)  # fmt: skip
async def list_days(uow: ReadUnit, campus_id: CampusPath, day_from: First, day_to: Last) -> DaysOut:
    return DaysOut(items=await service.days(uow, campus_id, day_from, day_to))


@appointments.put(
    "/appointment-calendars/{campus_id}/days/{day}",
    **operation("putAppointmentDay", "设置停诊、调休或当天名额", "Close a day, work it like another, or change its places",
                permission="appointment.configure", requirement=["E1.3", "E8.5"], body=True,
                problems=[CampusNotHeld, AppointmentCalendarInvalid, AppointmentDayBooked]),
)  # fmt: skip
async def put_day(
    uow: Unit, campus_id: CampusPath,
    day: Annotated[Day, Path(ge=_EARLIEST, le=_LATEST, description="日期 · Day", examples=["2026-12-31"])], body: DayIn,
) -> DayOut:  # fmt: skip
    return await service.put_day(uow, campus_id, day, body)


@appointments.get(
    "/appointment-availability",
    **operation("getAppointmentAvailability", "剩余名额", "What is free, by day, session and resource", permission="appointment.read",
                requirement=["E1.3", "E2.4"], problems=[CampusNotHeld, AppointmentDayOutOfReach]),
)  # fmt: skip
async def get_availability(uow: ReadUnit, campus_id: CampusAsked, day_from: First, day_to: Last) -> AvailabilityOut:
    return await service.availability(uow, campus_id, day_from, day_to)


@appointments.post(
    "/appointment-holds",
    **operation("holdAppointment", "占位", "Keep a place for some minutes", permission="appointment.write", requirement=["E1.3"], body=True,
                status=201, idempotent="optional",
                problems=[CampusNotHeld, AppointmentDayOutOfReach, AppointmentSessionNotOffered, AppointmentFull, AppointmentAwaited]),
)  # fmt: skip
async def hold_appointment(uow: Unit, body: HoldIn) -> AppointmentOut:
    return service.out(await service.hold(uow, body))


@appointments.post(
    "/appointment-holds/{appointment_id:uuid}:release",
    **operation("releaseAppointmentHold", "释放占位", "Give a hold back", permission="appointment.write", requirement=["E1.3"],
                problems=[AppointmentNotFound, AppointmentStateConflict]),
)  # fmt: skip
async def release_hold(uow: Unit, appointment_id: UUID) -> AppointmentOut:
    await service.let_go(uow, appointment_id)
    return service.out(await service.get(uow, appointment_id))


@appointments.get(
    "/appointments",
    **operation("listAppointments", "预约列表", "Appointments by day", permission="appointment.read", requirement=["E1.2", "E9.2"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_appointments(
    request: Request, uow: ReadUnit, page_size: PageSize = 50, page_token: PageToken = None, campus_id: Campus = None,
    day_from: Annotated[Day | None, Query(description="起始日期 · First day", examples=["2026-11-30"])] = None,
    day_to: Annotated[Day | None, Query(description="截止日期 · Last day", examples=["2026-12-06"])] = None,
    state: Annotated[AppointmentState | None, Query(description="状态 · State")] = None,
    session_id: Annotated[UUID | None, Query(description="时段 · Session")] = None, resource: Resource = None,
    examinee_id: Annotated[UUID | None, Query(description="受检者 · Examinee")] = None,
    lost_place: Annotated[bool | None, Query(description="当天已停诊或时段已取消,待改期 · The day is closed or the session gone: to be moved")] = None,
) -> Page[AppointmentListed]:  # fmt: skip
    scope = f"appointments|{campus_id}|{day_from}|{day_to}|{state}|{session_id}|{resource}|{examinee_id}|{lost_place}"
    pager = Pager(runtime(request).keys, scope)
    rows = await service.page(
        uow, campus_id=campus_id, first=day_from, last=day_to, state=state, session_id=session_id, resource=resource,
        examinee_id=examinee_id, after=pager.read(page_token), size=page_size, lost_place=lost_place,
    )  # fmt: skip
    return pager.page(rows, page_size, lambda row: [row.day, row.starts_at, row.id], lambda row: row)


@appointments.get(
    "/appointments/{appointment_id:uuid}",
    **operation("getAppointment", "预约详情", "One appointment", permission="appointment.read", requirement=["E9.2"],
                problems=[AppointmentNotFound]),
)  # fmt: skip
async def get_appointment(uow: ReadUnit, appointment_id: UUID) -> AppointmentOut:
    return service.out(await service.get(uow, appointment_id))


@appointments.get(
    "/waiting-list",
    **operation("listWaitingList", "候补名单", "Who waits for a place, longest first", permission="appointment.read", requirement=["E1.3", "E9.2"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_waiting_list(
    request: Request, uow: ReadUnit, page_size: PageSize = 50, page_token: PageToken = None, campus_id: Campus = None,
    state: Annotated[WaitState | None, Query(description="状态 · State")] = None,
    examinee_id: Annotated[UUID | None, Query(description="受检者 · Examinee")] = None,
) -> Page[WaitOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"waiting-list|{campus_id}|{state}|{examinee_id}")
    rows = await service.waits(
        uow, campus_id=campus_id, state=state, examinee_id=examinee_id, after=pager.read(page_token), size=page_size
    )
    return pager.page(rows, page_size, lambda row: [row.id], lambda row: row)


@appointments.post(
    "/waiting-list",
    **operation("joinWaitingList", "加入候补", "Wait for a place", permission="appointment.write", requirement=["E1.3"], body=True, status=201,
                idempotent="required", problems=[CampusNotHeld, ExamineeNotFound, AppointmentDayOutOfReach]),
)  # fmt: skip
async def join_waiting_list(uow: Unit, body: WaitIn) -> WaitOut:
    return service.wait_out(await service.join(uow, body))


@appointments.post(
    "/waiting-list/{wait_id:uuid}:leave",
    **operation("leaveWaitingList", "退出候补", "Wait no longer", permission="appointment.write", requirement=["E1.3"],
                problems=[AppointmentWaitNotFound, WaitStateConflict]),
)  # fmt: skip
async def leave_waiting_list(uow: Unit, wait_id: UUID) -> WaitOut:
    return service.wait_out(await service.leave(uow, wait_id))
