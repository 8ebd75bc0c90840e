"""HTTP of reports."""

from uuid import UUID

from fastapi import Request, Response

from tjapi.exam.errors import ExamNotFound
from tjapi.kernel.routing import PDF, ReadUnit, Unit, operation, pdf, router
from tjapi.kernel.runtime import runtime
from tjapi.report import service
from tjapi.report.errors import (
    ExamNotFinalized,
    ReportNotFound,
    ReportNotReady,
    ReportStateConflict,
    ResultsChangedSinceSignOff,
)
from tjapi.report.schemas import RecallIn, ReportOut, ReportsOut

reports = router("reports")


@reports.post(
    "/exams/{exam_id:uuid}/reports",
    **operation("createReport", "生成报告", "Render a report", permission="report.write", requirement=["E6.1"], status=202,
                idempotent="optional", problems=[ExamNotFound, ExamNotFinalized, ResultsChangedSinceSignOff]),
)  # fmt: skip
async def create_report(uow: Unit, exam_id: UUID) -> ReportOut:
    return await service.request(uow, exam_id)


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


@reports.post(
    "/reports/{report_id:uuid}:publish",
    **operation("publishReport", "发布报告", "Publish a report to its owner", permission="report.write", requirement=["E6.1"],
                problems=[ReportNotFound, ReportNotReady, ReportStateConflict]),
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
