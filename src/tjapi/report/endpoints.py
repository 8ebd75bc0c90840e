"""HTTP of reports, and the pages that people open."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Path, Query, Request, Response

from tjapi.exam.errors import (
    ExamNotComplete,
    ExamNotFound,
    ExamStateConflict,
    LineNotOwn,
    LineNotThere,
    LineStateConflict,
)
from tjapi.exam.schemas import ConsentIn
from tjapi.kernel.routing import PDF, PUBLIC, Caller, PublicUnit, ReadUnit, Unit, operation, pdf, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.security.principal import ANONYMOUS, Principal
from tjapi.kernel.security.tokens import LinkMint, TokenInvalidError
from tjapi.report import flows, pages, service
from tjapi.report.errors import (
    ExamNotFinalized,
    NothingPrivate,
    ReportNotFound,
    ReportNotReady,
    ReportRecalledProblem,
    ReportStateConflict,
    ReportSuperseded,
    ResultsChangedSinceSignOff,
    SealNotSet,
)
from tjapi.report.schemas import (
    ConsentWithdrawnOut,
    RecallIn,
    ReportChangesOut,
    ReportContentOut,
    ReportOut,
    ReportsOut,
    SealAuthorityOut,
    VerificationOut,
)

reports = router("reports")


@reports.post(
    "/exams/{exam_id:uuid}/reports",
    **operation("createReport", "生成报告", "Render a report", permission="report.write", requirement=["E6.1"], status=202,
                idempotent="optional", problems=[ExamNotFound, ExamNotFinalized, ExamNotComplete, ResultsChangedSinceSignOff]),
)  # fmt: skip
async def create_report(uow: Unit, exam_id: UUID) -> ReportOut:
    return await service.request(uow, exam_id)


@reports.post(
    "/exams/{exam_id:uuid}/private-reports",
    **operation("createPrivateReport", "生成私密项目报告", "Render the report of private items", permission="private.report", requirement=["X7"],
                status=202, idempotent="optional",
                problems=[ExamNotFound, ExamNotFinalized, ExamNotComplete, NothingPrivate, ResultsChangedSinceSignOff],
                description="单独盖章,只交本人;主报告不显示做过。发布即登记已当面交付,不进入手机报告。"
                " · Sealed by itself and handed to the person alone; the main report does not show that it was done. Publishing says that it was handed over."),
)  # fmt: skip
async def create_private_report(uow: Unit, exam_id: UUID) -> ReportOut:
    return await service.request(uow, exam_id, "private")


@reports.post(
    "/exams/{exam_id:uuid}/lines:withdraw-consent",
    **operation("withdrawExamConsent", "撤回私密项目知情同意", "The person takes consent to private items back", permission="private.consent",
                requirement=["X7"], body=True, idempotent="optional", problems=[ExamNotFound, ExamStateConflict, LineNotThere, LineNotOwn, LineStateConflict],
                description="未采集的按拒检登记;已出结果的不再写入任何报告,未交付的私密报告停止;已交付的无法收回,如实列出。再次同意用 consentExamLines。"
                " · What was not examined is refused; of what was no further report tells, and one not handed over is stopped. What was handed over is named: it cannot be taken back."),
)  # fmt: skip
async def withdraw_exam_consent(uow: Unit, exam_id: UUID, body: ConsentIn) -> ConsentWithdrawnOut:
    return await service.withdraw_consent(uow, exam_id, body.line_ids, signature=body.signature)


@reports.get(
    "/exams/{exam_id:uuid}/reports",
    **operation("listReports", "报告版本", "Versions of an exam's report", permission="report.read", requirement=["E6.1"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def list_reports(uow: ReadUnit, exam_id: UUID) -> ReportsOut:
    return ReportsOut(items=await service.versions(uow, exam_id))


@reports.get(
    "/reports/{report_id:uuid}",
    **operation(
        "getReport",
        "报告详情",
        "One version of a report",
        permission="report.read",
        requirement=["E6.1"],
        problems=[ReportNotFound],
    ),
)
async def get_report(uow: ReadUnit, report_id: UUID) -> ReportOut:
    return service.out(await service.get(uow, report_id))


@reports.get(
    "/reports/{report_id:uuid}/pdf",
    response_class=PDF,
    **operation("downloadReport", "下载报告", "The PDF of a report", permission="report.read", requirement=["E6.1"],
                problems=[ReportNotFound, ReportNotReady]),
)  # fmt: skip
async def download_report(request: Request, uow: ReadUnit, report_id: UUID) -> Response:
    report = await service.file_for_staff(uow, report_id)
    return pdf(await runtime(request).storage.get(str(report.file)), f"report-{report.version}.pdf")


@reports.get(
    "/reports/{report_id:uuid}/content",
    **operation("getReportContent", "报告内容", "What a report says, as data", permission="report.read", requirement=["E6.1", "E3.3"],
                problems=[ReportNotFound, ReportNotReady]),
)  # fmt: skip
async def get_report_content(request: Request, caller: Caller, report_id: UUID) -> ReportContentOut:
    return await flows.content(runtime(request), caller, report_id)


@reports.get(
    "/reports/{report_id:uuid}/changes",
    **operation("getReportChanges", "报告版本差异", "What changed between two versions of a report", permission="report.read",
                requirement=["X5", "E6.1"], problems=[ReportNotFound, ReportNotReady]),
)  # fmt: skip
async def get_report_changes(
    request: Request,
    caller: Caller,
    report_id: UUID,
    against: Annotated[
        int | None,
        Query(
            ge=1,
            le=10_000,
            description="与哪一版对比,缺省为上一次发布的版本 · The version to compare with; unset: the one published before",
            examples=[1],
        ),
    ] = None,
) -> ReportChangesOut:
    return await flows.changes(runtime(request), caller, report_id, against)


@reports.post(
    "/reports/{report_id:uuid}:publish",
    **operation("publishReport", "发布报告", "Publish a report to its owner", permission="report.write", requirement=["E6.1"],
                problems=[ReportNotFound, ReportNotReady, ReportStateConflict, ExamNotComplete, ResultsChangedSinceSignOff]),
)  # fmt: skip
async def publish_report(uow: Unit, report_id: UUID) -> ReportOut:
    return await service.publish(uow, report_id)


@reports.post(
    "/reports/{report_id:uuid}:recall",
    **operation("recallReport", "撤回报告", "Recall a report", permission="report.write", requirement=["E6.1"], body=True,
                problems=[ReportNotFound, ReportStateConflict]),
)  # fmt: skip
async def recall_report(uow: Unit, report_id: UUID, body: RecallIn) -> ReportOut:
    return await service.recall(uow, report_id, body.reason)


@reports.get(
    "/exams/{exam_id:uuid}/report-preview",
    response_class=PDF,
    **operation("previewReport", "预览报告", "The report as it would be now, marked as a preview", permission="conclusion.read",
                requirement=["E4.7", "E6.1"], problems=[ExamNotFound]),
)  # fmt: skip
async def preview_report(request: Request, caller: Caller, exam_id: UUID) -> Response:
    return pdf(await flows.preview(runtime(request), caller, exam_id), "preview.pdf")


@reports.get(
    "/report-verifications/{verify_code}",
    **operation("verifyReport", "验证报告", "What became of the report of a QR code", permission=PUBLIC, audience="public",
                requirement=["E6.1"]),
)  # fmt: skip
async def verify_report(
    uow: PublicUnit,
    verify_code: Annotated[
        str,
        Path(pattern=r"^[0-9a-f]{32}$", description="二维码中的编号 · The code of the QR code", examples=["0" * 32]),
    ],
) -> VerificationOut:
    return await service.verify(uow, verify_code)


@reports.get(
    "/seal-authority",
    **operation("getSealAuthority", "电子章根证书", "The certificate against which seals are checked", permission=PUBLIC,
                audience="public", requirement=["E6.1"], problems=[SealNotSet]),
)  # fmt: skip
async def get_seal_authority(request: Request) -> SealAuthorityOut:
    return service.seal_authority(runtime(request).settings.seal_folder)


def mount_pages(app: FastAPI) -> None:
    """Add the verification page and the owner's phone page. They are opened from paper and from a message: no token but the link's own."""

    async def verify(request: Request) -> Response:
        held = runtime(request)
        code = str(request.path_params["code"])
        async with held.units.read(ANONYMOUS) as uow:
            found = await service.verify(uow, code)
        return pages.verification(found, held.settings.hospital_name, _language(request))

    async def phone(request: Request) -> Response:
        try:
            report = await _linked(request)
        except (TokenInvalidError, ReportNotFound):
            return _notice(request, "expired", 404)
        except ReportSuperseded:
            return _notice(request, "replaced", 410)
        except ReportRecalledProblem:
            return _notice(request, "gone", 410)
        if report.snapshot is None:
            return _notice(request, "expired", 404)
        data = json.loads(await runtime(request).storage.get(report.snapshot))
        return pages.report(data, _language(request), f"{request.url.path}/pdf", outdated=report.outdated)

    async def phone_pdf(request: Request) -> Response:
        try:
            report = await _linked(request)
        except (TokenInvalidError, ReportNotFound):
            return _notice(request, "expired", 404)
        except ReportSuperseded:
            return _notice(request, "replaced", 410)
        except ReportRecalledProblem:
            return _notice(request, "gone", 410)
        return pdf(await runtime(request).storage.get(str(report.file)), f"report-{report.version}.pdf")

    app.add_route("/verify/{code}", verify, include_in_schema=False)
    app.add_route("/r/{token}", phone, include_in_schema=False)
    app.add_route("/r/{token}/pdf", phone_pdf, include_in_schema=False)


async def _linked(request: Request) -> service.OpenReport:
    """Follow a link as the person it was made for; whether the version is still published, and whether it is outdated, is asked now."""
    held = runtime(request)
    claims = LinkMint(held.keys).read(str(request.path_params["token"]), held.clock.now())
    owner = Principal(
        "examinee", claims.subject, frozenset({"me.read"}), departments=(), examinee_id=claims.subject, session=""
    )
    async with held.units.read(owner) as uow:
        return await service.file_for_examinee(uow, claims.object_id, claims.subject)


def _notice(request: Request, kind: str, status: int) -> Response:
    return pages.notice(kind, runtime(request).settings.hospital_name, _language(request), status)


def _language(request: Request) -> str:
    return pages.language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
