"""HTTP of exams."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.exam import service
from tjapi.exam.errors import (
    CampusNotHeld,
    ExamBeforeBirth,
    ExamEmpty,
    ExamNotFound,
    ExamStateConflict,
    ItemGroupNotForSex,
    LineStateConflict,
    PackageNotForSex,
)
from tjapi.exam.rules import ExamState
from tjapi.exam.schemas import CancelIn, CompletenessOut, ExamIn, ExamOut, ExamSummary
from tjapi.examinee.errors import ExamineeNotFound
from tjapi.kernel.etag import set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.validation import Day

exams = router("exams")


@exams.post(
    "/exams",
    **operation("createExam", "登记体检", "Register an exam", permission="exam.write", requirement=["E1.3"], body=True, status=201,
                idempotent="required", problems=[CampusNotHeld, ExamineeNotFound, ExamEmpty, PackageNotForSex, ItemGroupNotForSex, ExamBeforeBirth]),
)  # fmt: skip
async def create_exam(request: Request, response: Response, uow: Unit, body: ExamIn) -> ExamOut:
    exam = await service.register(uow, body, payment_required=runtime(request).settings.payment_required)
    set_etag(response, exam.version)
    return await service.describe(uow, exam.id)


@exams.get(
    "/exams",
    **operation(
        "listExams",
        "体检列表",
        "List exams",
        permission="exam.read",
        requirement=["E1.2", "E9.2"],
        problems=[PageTokenInvalid],
    ),
)
async def list_exams(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    campus_id: Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])] = None,
    exam_date: Annotated[Day | None, Query(description="体检日期 · Day", examples=["2026-11-23"])] = None,
    state: Annotated[ExamState | None, Query(description="状态 · State")] = None,
    exam_no: Annotated[
        str | None, Query(max_length=20, description="体检号 · Exam number", examples=["A26112200017"])
    ] = None,
    examinee_id: Annotated[UUID | None, Query(description="受检者 · Examinee")] = None,
) -> Page[ExamSummary]:
    pager = Pager(runtime(request).keys, f"exams|{campus_id}|{exam_date}|{state}|{exam_no}|{examinee_id}")
    rows = await service.page(
        uow, campus_id=campus_id, day=exam_date, state=state, exam_no=exam_no, examinee_id=examinee_id,
        after=pager.read(page_token), size=page_size,
    )  # fmt: skip
    return pager.page(rows, page_size, lambda row: [row.id], service.summary)


@exams.get(
    "/exams/{exam_id:uuid}",
    **operation(
        "getExam",
        "体检详情",
        "One exam with its lines",
        permission="exam.read",
        requirement=["E9.1"],
        problems=[ExamNotFound],
    ),
)
async def get_exam(response: Response, uow: ReadUnit, exam_id: UUID) -> ExamOut:
    exam = await service.describe(uow, exam_id)
    set_etag(response, exam.version)
    return exam


@exams.get(
    "/exams/{exam_id:uuid}/completeness",
    **operation("getExamCompleteness", "未完成原因", "What is outstanding, and why", permission="exam.read", requirement=["X1"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def get_completeness(uow: ReadUnit, exam_id: UUID) -> CompletenessOut:
    return await service.completeness(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}:cancel",
    **operation("cancelExam", "取消体检", "Cancel an exam", permission="exam.write", requirement=["E1.6"], body=True,
                problems=[ExamNotFound, ExamStateConflict, LineStateConflict]),
)  # fmt: skip
async def cancel_exam(uow: Unit, exam_id: UUID, body: CancelIn) -> ExamOut:
    await service.cancel(uow, exam_id, body.reason)
    return await service.describe(uow, exam_id)
