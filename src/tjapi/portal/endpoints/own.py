"""HTTP of the portal: /me."""

import json
from uuid import UUID

from fastapi import Request, Response

from tjapi.appointment import service as appointments
from tjapi.appointment.endpoints import CampusAsked, First, Last
from tjapi.appointment.errors import (
    AppointmentDayOutOfReach,
    AppointmentNotFound,
    AppointmentStateConflict,
    OnlineBookingClosed,
)
from tjapi.appointment.schemas import AvailabilityOut, CancelAppointmentIn, PlaceIn
from tjapi.employer.errors import MemberOutgrown
from tjapi.exam.errors import ExamStateConflict, LineStateConflict
from tjapi.frontdesk.endpoints import BOOKING, PLACE
from tjapi.frontdesk.schemas import BookingOut, OwnBookingIn
from tjapi.identity.errors import CampusNotHeld
from tjapi.identity.schemas import AccessTokenOut
from tjapi.kernel.routing import PDF, ReadUnit, Unit, operation, pdf, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.security.tokens import LinkMint
from tjapi.portal import service
from tjapi.portal.errors import AccessRefused
from tjapi.portal.schemas import ExamineeTokenIn, MeOut, MyAppointmentsOut
from tjapi.report import service as reports
from tjapi.report.errors import ReportNotFound, ReportNotReady, ReportRecalledProblem, ReportSuperseded
from tjapi.report.schemas import LinkOut, ReportContentOut, ReportsOut

portal = router("me")


@portal.post(
    "/auth/examinee-token",
    **operation("issueExamineeToken", "为受检者换取令牌", "A token for an examinee", permission="portal.grant", requirement=["I5"], body=True,
                audience="integration", problems=[AccessRefused]),
)  # fmt: skip
async def issue_examinee_token(request: Request, uow: Unit, body: ExamineeTokenIn) -> AccessTokenOut:
    return await service.issue_token(uow, runtime(request).mint, body)


@portal.get(
    "/me", **operation("getMe", "本人资料", "The examinee", permission="me.read", requirement=["I5"], audience="me")
)
async def get_me(uow: ReadUnit) -> MeOut:
    return await service.me(uow)


@portal.get(
    "/me/reports",
    **operation(
        "listMyReports",
        "本人报告",
        "The examinee's published reports",
        permission="me.read",
        requirement=["E6.1", "I5"],
        audience="me",
    ),
)
async def list_my_reports(uow: ReadUnit) -> ReportsOut:
    return ReportsOut(items=list(await reports.of_examinee(uow, uow.principal.id)))


@portal.post(
    "/me/reports/{report_id:uuid}:link",
    **operation("linkMyReport", "获取报告短链接", "A short-lived link to the examinee's report, for a phone", permission="me.read",
                requirement=["E6.1", "I5"], audience="me", problems=[ReportNotFound, ReportSuperseded, ReportRecalledProblem]),
)  # fmt: skip
async def link_my_report(request: Request, uow: Unit, report_id: UUID) -> LinkOut:
    held = runtime(request)
    return await reports.link(uow, LinkMint(held.keys), held.settings.base_url, report_id)


@portal.get(
    "/me/reports/{report_id:uuid}/content",
    **operation("getMyReportContent", "本人报告内容", "What the examinee's report says, as data", permission="me.read",
                requirement=["E6.1", "E3.3", "I5"], audience="me",
                problems=[ReportNotFound, ReportNotReady, ReportSuperseded, ReportRecalledProblem]),
)  # fmt: skip
async def get_my_report_content(request: Request, uow: ReadUnit, report_id: UUID) -> ReportContentOut:
    report = await reports.file_for_examinee(uow, report_id, uow.principal.id)
    if report.snapshot is None:
        raise ReportNotReady
    data = json.loads(await runtime(request).storage.get(report.snapshot))
    return reports.content(report, data)


@portal.get(
    "/me/reports/{report_id:uuid}/pdf",
    response_class=PDF,
    **operation("downloadMyReport", "下载本人报告", "The PDF of the examinee's report", permission="me.read", requirement=["E6.1", "I5"],
                audience="me", problems=[ReportNotFound, ReportSuperseded, ReportRecalledProblem]),
)  # fmt: skip
async def download_my_report(request: Request, uow: ReadUnit, report_id: UUID) -> Response:
    report = await reports.file_for_examinee(uow, report_id, uow.principal.id)
    return pdf(await runtime(request).storage.get(str(report.file)), f"report-{report.version}.pdf")


@portal.get(
    "/me/appointment-availability",
    **operation("getMyAppointmentAvailability", "可自助预约的名额", "What an examinee may book", permission="me.read", requirement=["E1.3", "I5"],
                audience="me", problems=[CampusNotHeld, OnlineBookingClosed, AppointmentDayOutOfReach]),
)  # fmt: skip
async def get_my_availability(uow: ReadUnit, campus_id: CampusAsked, day_from: First, day_to: Last) -> AvailabilityOut:
    return await appointments.availability(uow, campus_id, day_from, day_to, online=True)


@portal.get(
    "/me/appointments",
    **operation("listMyAppointments", "本人预约", "The examinee's appointments", permission="me.read", requirement=["E1.2", "I5"], audience="me"),
)  # fmt: skip
async def list_my_appointments(uow: ReadUnit) -> MyAppointmentsOut:
    return await service.my_appointments(uow)


@portal.post(
    "/me/appointments",
    **operation("createMyAppointment", "自助预约", "Book for oneself", permission="me.write", requirement=["E1.3", "I5"], audience="me", body=True,
                status=201, idempotent="required", problems=[*BOOKING, OnlineBookingClosed, CampusNotHeld]),
)  # fmt: skip
async def create_my_appointment(request: Request, uow: Unit, body: OwnBookingIn) -> BookingOut:
    return await service.book(uow, body, payment_required=runtime(request).settings.payment_required)


@portal.post(
    "/me/appointments/{appointment_id:uuid}:reschedule",
    **operation("rescheduleMyAppointment", "自助改期", "Move an own appointment", permission="me.write", requirement=["E1.3", "I5"], audience="me",
                body=True, problems=[*PLACE, AppointmentNotFound, AppointmentStateConflict, ExamStateConflict, MemberOutgrown, OnlineBookingClosed]),
)  # fmt: skip
async def reschedule_my_appointment(uow: Unit, appointment_id: UUID, body: PlaceIn) -> BookingOut:
    return await service.reschedule(uow, appointment_id, body)


@portal.post(
    "/me/appointments/{appointment_id:uuid}:cancel",
    **operation("cancelMyAppointment", "自助取消预约", "Cancel an own appointment", permission="me.write", requirement=["E1.3", "I5"], audience="me",
                body=True, problems=[AppointmentNotFound, AppointmentStateConflict, ExamStateConflict, LineStateConflict, OnlineBookingClosed]),
)  # fmt: skip
async def cancel_my_appointment(uow: Unit, appointment_id: UUID, body: CancelAppointmentIn) -> BookingOut:
    return await service.cancel(uow, appointment_id, body.reason)
