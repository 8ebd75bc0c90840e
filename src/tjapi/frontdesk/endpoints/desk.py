"""HTTP of the desk itself: check-in, papers, the board."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from tjapi.appointment.errors import WalkInNotTaken
from tjapi.employer.errors import CampaignNotFound, MemberOutgrown
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamDoubtful, ExamNotFound, ExamStateConflict
from tjapi.exam.schemas import ExamSummary
from tjapi.examinee.errors import GuardianConsentMissing
from tjapi.frontdesk import flows, service, views
from tjapi.frontdesk.errors import (
    AccessCodeNotCurrent,
    IdentityNotConfirmed,
    NotALabel,
    PaperNotOfExam,
    PapersNotNamed,
    PrintNotFound,
    PrintNotReady,
    PrintOfOneCampus,
    TooManyPapers,
)
from tjapi.frontdesk.rules import BoardColumn
from tjapi.frontdesk.schemas import (
    AccessCodeOut,
    BoardOut,
    CheckInIn,
    CheckInOut,
    DocumentsOut,
    PrintIn,
    PrintOut,
    PrintsOut,
)
from tjapi.identity import service as identity
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.clock import business_day
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import PDF, Caller, ReadUnit, Unit, file, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.validation import Day
from tjapi.requisition.errors import HandoverNotFound

frontdesk = router("frontdesk")
_UNASKED = CheckInIn()


@frontdesk.post(
    "/exams/{exam_id:uuid}:check-in",
    **operation("checkIn", "报到", "Check in", permission="exam.check_in", requirement=["E1.5"], idempotent="optional", body=True,
                problems=[ExamNotFound, ExamStateConflict, ExamDoubtful, WalkInNotTaken, GuardianConsentMissing, IdentityNotConfirmed, MemberOutgrown]),
)  # fmt: skip
async def check_in(request: Request, uow: Unit, exam_id: UUID, body: CheckInIn = _UNASKED) -> CheckInOut:
    made = await service.check_in(uow, exam_id, body.despite)
    return made.model_copy(update={"unprintable": runtime(request).services.printing.unprintable(made.exam.name)})


@frontdesk.post(
    "/exams/{exam_id:uuid}:issue-access-code",
    **operation("issueAccessCode", "重新生成查询码", "A new one-time code for the examinee", permission="exam.check_in", requirement=["I5"],
                idempotent="optional", problems=[ExamNotFound]),
)  # fmt: skip
async def issue_access_code(uow: Unit, exam_id: UUID) -> AccessCodeOut:
    return await service.issue_access_code(uow, exam_id)


@frontdesk.get(
    "/exams/{exam_id:uuid}/documents",
    **operation("listExamDocuments", "可打印清单", "What can be printed of an exam", permission="document.print",
                requirement=["E1.5", "E1.7"], problems=[ExamNotFound]),
)  # fmt: skip
async def list_exam_documents(uow: ReadUnit, exam_id: UUID) -> DocumentsOut:
    return await service.documents(uow, exam_id)


@frontdesk.post(
    "/document-prints",
    **operation("createDocumentPrint", "打印所选(补打)", "Print what was chosen, again or for the first time", permission="document.print",
                requirement=["E1.5", "E1.7"], status=201, idempotent="optional", body=True,
                problems=[ExamNotFound, ExamStateConflict, PaperNotOfExam, NotALabel, PrintOfOneCampus, TooManyPapers, AccessCodeNotCurrent,
                PapersNotNamed, CampaignNotFound],
                description="份数较多时文件由后台任务生成(job_id),完成后取 · The file of many copies is made by a job (`job_id`): fetch it then"),
)  # fmt: skip
async def create_document_print(uow: Unit, body: PrintIn) -> PrintOut:
    return await service.print_documents(uow, body)


@frontdesk.get(
    "/document-prints/{print_id:uuid}/file",
    response_class=PDF,
    **operation("downloadDocumentPrint", "打印文件", "The file of a print: PDF, ZPL or TSPL", permission="document.print",
                requirement=["E1.5", "E1.7"], problems=[PrintNotFound, PrintNotReady], media_types=["application/x-zpl", "application/x-tspl"]),
)  # fmt: skip
async def download_document_print(request: Request, caller: Caller, print_id: UUID) -> Response:
    made = await flows.file(runtime(request), caller, print_id)
    return file(made.content, made.media_type, made.name)


@frontdesk.get(
    "/exams/{exam_id:uuid}/document-prints",
    **operation("listDocumentPrints", "打印记录", "Every print of an exam: who, when, which copy", permission="document.print",
                requirement=["E1.7"], problems=[ExamNotFound]),
)  # fmt: skip
async def list_document_prints(uow: ReadUnit, exam_id: UUID) -> PrintsOut:
    return await service.prints(uow, exam_id)


@frontdesk.get(
    "/specimen-handovers/{handover_id:uuid}/file",
    response_class=PDF,
    **operation("downloadHandover", "打印交接单或外送单", "The paper of a hand-over list, as PDF", permission="specimen.handle",
                requirement=["X3"], problems=[HandoverNotFound]),
)  # fmt: skip
async def download_handover(request: Request, caller: Caller, handover_id: UUID) -> Response:
    made = await flows.handover_file(runtime(request), caller, handover_id)
    return file(made.content, made.media_type, made.name)


OneCampus = Annotated[int, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])]
BoardDay = Annotated[Day | None, Query(description="日期,缺省为今天 · Day, today if absent", examples=["2026-11-23"])]


@frontdesk.get(
    "/board",
    **operation("getBoard", "今日看板", "The day's five counts", permission="exam.read", requirement=["E1.1"],
                problems=[CampusNotHeld], description="实时事件主题 `exam` 到来时重新读取 · Read it again when a live event of the topic `exam` comes."),
)  # fmt: skip
async def get_board(uow: ReadUnit, campus_id: OneCampus, day: BoardDay = None) -> BoardOut:
    identity.refuse_foreign_campus(uow, campus_id, "query:campus_id")
    return await views.board(uow, campus_id, day or business_day(uow.now))


@frontdesk.get(
    "/board/{column}/exams",
    **operation("listBoardExams", "看板清单", "The exams that a count of the board counts", permission="exam.read", requirement=["E1.1"],
                problems=[PageTokenInvalid, CampusNotHeld]),
)  # fmt: skip
async def list_board_exams(
    request: Request,
    uow: ReadUnit,
    column: Annotated[BoardColumn, Path(description="看板列 · Column of the board", examples=["checked_in"])],
    campus_id: OneCampus,
    day: BoardDay = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[ExamSummary]:
    identity.refuse_foreign_campus(uow, campus_id, "query:campus_id")
    asked = day or business_day(uow.now)
    pager = Pager(runtime(request).keys, f"board|{column}|{campus_id}|{asked}")
    rows = await views.board_list(uow, campus_id, asked, column, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.id], exams.summary)
