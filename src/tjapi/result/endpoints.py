"""HTTP of results and department sheets."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from tjapi.catalog.errors import ItemNotFound, PrivateContent
from tjapi.exam.errors import ExamNotFound, LineUnsuitable
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.inbox import InboundMessageNotFound
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadLook, ReadUnit, Unit, operation, passed, router
from tjapi.kernel.runtime import runtime
from tjapi.knowledge.errors import KnowledgeVersionNotFound
from tjapi.result import flows, service
from tjapi.result.errors import (
    AnswerInvalid,
    DepartmentNotOwn,
    GivingUpNotPossible,
    ItemNotOfLine,
    MessageNotReleasable,
    MessageUnreadable,
    NothingToRevoke,
    QuestionClosed,
    QuestionNotFound,
    ReleaseDecided,
    ReleaseIncomplete,
    ReleaseInVain,
    ReleaseNotFound,
    ReleaseProposed,
    ResultNotFound,
    ResultsClosed,
    ResultsInvalid,
    SamePerson,
    SheetNotComplete,
    SheetNotFound,
    SheetNotSigned,
    SheetSigned,
    SignerNotStaff,
    SummaryContradictsFindings,
    SummaryFigureOutdated,
    SummaryLineUnknown,
    SummaryNamesPrivate,
    SummaryStale,
    WordsUnconfirmed,
)
from tjapi.result.rules import ReleaseState
from tjapi.result.rules.questions import QuestionKind
from tjapi.result.schemas import (
    AnswerIn,
    ClickablesOut,
    CodedText,
    ComposedOut,
    DepartmentHistoryOut,
    ExamResultsOut,
    GiveUpIn,
    HistoryOut,
    QuestionOut,
    ReadingsOut,
    ReleaseIn,
    ReleaseOut,
    ReopenIn,
    ResultsIn,
    RevokeIn,
    SheetOut,
    SignIn,
    SummaryIn,
    TrendsOut,
    TrialOut,
    UnmappedCodeOut,
)

DepartmentId = Annotated[int, Path(ge=1, le=32_000, description="科室编号 · Department id", examples=[1])]
results = router("results")


@results.get(
    "/exams/{exam_id:uuid}/departments/{department_id}/sheet",
    **operation("getDepartmentSheet", "科室录入单", "A department's sheet", permission="result.read", requirement=["E3.1", "E3.3"],
                problems=[ExamNotFound, SheetNotFound, DepartmentNotOwn]),
)  # fmt: skip
async def get_sheet(response: Response, uow: ReadUnit, exam_id: UUID, department_id: DepartmentId) -> SheetOut:
    sheet = await service.get_sheet(uow, exam_id, department_id)
    set_etag(response, sheet.version)
    return sheet


@results.get(
    "/items/{item_id:uuid}/findings",
    **operation("listClickableFindings", "可点选的所见", "What may be clicked for a descriptive item", permission="result.read",
                requirement=["E3.2", "E3.4"], problems=[ItemNotFound]),
)  # fmt: skip
async def list_clickables(uow: ReadUnit, item_id: UUID) -> ClickablesOut:
    return await service.clickables(uow, item_id)


@results.post(
    "/items/{item_id:uuid}/findings:compose",
    **operation("composeFindings", "预览点选生成的文字", "The text that clicks make, before anything is stored", permission="result.write",
                requirement=["E3.2"], body=True, problems=[ItemNotFound, ResultsInvalid]),
)  # fmt: skip
async def compose_findings(uow: ReadUnit, item_id: UUID, body: CodedText) -> ComposedOut:
    return await service.preview(uow, item_id, body)


@results.put(
    "/exams/{exam_id:uuid}/departments/{department_id}/results",
    **operation("putDepartmentResults", "录入科室结果", "Enter a department's results", permission="result.write",
                requirement=["E3.1", "E3.2", "E3.3"], body=True, if_match=True,
                problems=[ExamNotFound, SheetNotFound, DepartmentNotOwn, ResultsClosed, SheetSigned, ResultsInvalid, LineUnsuitable]),
)  # fmt: skip
async def put_results(
    response: Response, uow: Unit, exam_id: UUID, department_id: DepartmentId, body: ResultsIn, version: IfMatch
) -> SheetOut:
    sheet = await service.put_results(uow, exam_id, department_id, body, version)
    set_etag(response, sheet.version)
    return sheet


@results.put(
    "/exams/{exam_id:uuid}/departments/{department_id}/summary",
    **operation("putDepartmentSummary", "编辑科室小结", "Edit the lines of a department's summary", permission="result.write",
                requirement=["E3.4"], body=True, if_match=True,
                problems=[ExamNotFound, SheetNotFound, DepartmentNotOwn, ResultsClosed, SheetSigned, SummaryLineUnknown, SummaryFigureOutdated,
                          SummaryContradictsFindings, SummaryNamesPrivate]),
)  # fmt: skip
async def put_summary(
    response: Response, uow: Unit, exam_id: UUID, department_id: DepartmentId, body: SummaryIn, version: IfMatch
) -> SheetOut:
    sheet = await service.put_summary(uow, exam_id, department_id, body, version)
    set_etag(response, sheet.version)
    return sheet


@results.post(
    "/exams/{exam_id:uuid}/departments/{department_id}/sheet:sign",
    **operation("signDepartmentSheet", "科室小结签名", "Sign a department's sheet", permission="result.write", requirement=["E3.2", "E3.4"],
                body=True, if_match=True,
                problems=[ExamNotFound, SheetNotFound, DepartmentNotOwn, SignerNotStaff, ResultsClosed, SheetSigned, SheetNotComplete, LineUnsuitable,
                          SummaryContradictsFindings, SummaryStale, SummaryFigureOutdated, SummaryNamesPrivate, WordsUnconfirmed]),
)  # fmt: skip
async def sign_sheet(
    response: Response, uow: Unit, exam_id: UUID, department_id: DepartmentId, body: SignIn, version: IfMatch
) -> SheetOut:
    sheet = await service.sign_sheet(uow, exam_id, department_id, body, version)
    set_etag(response, sheet.version)
    return sheet


@results.post(
    "/exams/{exam_id:uuid}/departments/{department_id}/sheet:reopen",
    **operation("reopenDepartmentSheet", "撤销科室签名", "Take a department's signature back", permission="result.write",
                requirement=["E3.1", "X5"], body=True, if_match=True,
                problems=[ExamNotFound, SheetNotFound, DepartmentNotOwn, ResultsClosed, SheetNotSigned]),
)  # fmt: skip
async def reopen_sheet(
    response: Response, uow: Unit, exam_id: UUID, department_id: DepartmentId, body: ReopenIn, version: IfMatch
) -> SheetOut:
    sheet = await service.reopen_sheet(uow, exam_id, department_id, body.reason, version)
    set_etag(response, sheet.version)
    return sheet


@results.post(
    "/exams/{exam_id:uuid}/departments/{department_id}/results:revoke",
    **operation("revokeDepartmentResults", "撤销个人结果", "Strike what a department entered, to be entered anew", permission="result.revoke",
                requirement=["E12.1", "X5"], body=True, if_match=True,
                problems=[ExamNotFound, SheetNotFound, DepartmentNotOwn, SignerNotStaff, ResultsClosed, NothingToRevoke]),
)  # fmt: skip
async def revoke_results(
    response: Response, uow: Unit, exam_id: UUID, department_id: DepartmentId, body: RevokeIn, version: IfMatch
) -> SheetOut:
    """旧版本保留,科室签名随之撤销,待重新录入。已终审的体检须有取消终审的权限:终审和已发布的报告由同一操作撤回。"""
    sheet = await service.revoke_results(uow, exam_id, department_id, body, version)
    set_etag(response, sheet.version)
    return sheet


@results.get(
    "/exams/{exam_id:uuid}/departments/{department_id}/history",
    **operation("getDepartmentHistory", "科室历次结果", "A department's results over the person's exams", permission="result.read",
                requirement=["E3.6", "E4.5"], problems=[ExamNotFound]),
)  # fmt: skip
async def get_history(
    uow: ReadUnit,
    exam_id: UUID,
    department_id: DepartmentId,
    exams: Annotated[int, Query(ge=1, le=20, description="含本次在内的次数 · How many exams, this one included")] = 5,
) -> DepartmentHistoryOut:
    return await service.department_history(uow, exam_id, department_id, exams_shown=exams)


@results.get(
    "/message-releases",
    **operation("listMessageReleases", "消息放行列表", "Releases of messages", permission="message.release",
                requirement=["E3.5", "X13"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_releases(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    state: Annotated[ReleaseState | None, Query(description="状态 · State")] = None,
) -> Page[ReleaseOut]:
    pager = Pager(runtime(request).keys, f"message-releases|{state}")
    rows = await service.releases(uow, state=state, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.id], service.release_out)


@results.get(
    "/result-questions",
    **operation("listResultQuestions", "待核实结果列表", "Questions about results that no machine may decide", permission="result.read",
                requirement=["E3.3", "E3.5", "X4"], problems=[PageTokenInvalid],
                description="未能读取、相互矛盾、未判定或超出合理范围的结果;未答复前阻止终审 · Values that could not be read, that contradict each"
                " other, that are neither normal nor abnormal, or hardly possible; each blocks the final review until it is answered."),
)  # fmt: skip
async def list_questions(
    request: Request, uow: ReadUnit,
    exam_id: Annotated[UUID | None, Query(description="体检 · Exam")] = None,
    kind: Annotated[QuestionKind | None, Query(description="问题类型 · Kind of question")] = None,
    department_id: Annotated[int | None, Query(ge=1, le=32_000, description="科室 · Department", examples=[1])] = None,
    still_open: Annotated[bool | None, Query(description="只看未答复或已了结 · Open ones only, or closed ones only")] = None,
    page_size: PageSize = 50, page_token: PageToken = None,
) -> Page[QuestionOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"result-questions|{exam_id}|{kind}|{department_id}|{still_open}")
    rows = await service.questions_page(
        uow, exam_id=exam_id, kind=kind, department_id=department_id, still_open=still_open, after=pager.read(page_token), size=page_size
    )  # fmt: skip
    shown = {row.id: one for row, one in zip(rows, await service.shown(uow, rows), strict=True)}
    return pager.page(rows, page_size, lambda row: [row.asked_at.isoformat(), row.id], lambda row: shown[row.id])


@results.get(
    "/result-questions/{question_id:uuid}",
    **operation("getResultQuestion", "待核实结果详情", "One question about a result", permission="result.read", requirement=["E3.3", "X4"],
                problems=[QuestionNotFound]),
)  # fmt: skip
async def get_question(uow: ReadUnit, question_id: UUID) -> QuestionOut:
    return await service.get_question(uow, question_id)


@results.post(
    "/result-questions/{question_id:uuid}:answer",
    **operation("answerResultQuestion", "答复待核实结果", "Answer a question about a result", permission="result.judge",
                requirement=["E3.3", "E3.5", "X4"], body=True,
                problems=[QuestionNotFound, QuestionClosed, AnswerInvalid, DepartmentNotOwn, SignerNotStaff, ResultsClosed]),
)  # fmt: skip
async def answer_question(uow: Unit, question_id: UUID, body: AnswerIn) -> QuestionOut:
    return await service.answer(uow, question_id, body)


@results.post(
    "/exams/{exam_id:uuid}/lines/{line_id:uuid}/items/{item_id:uuid}:give-up",
    **operation("giveUpItem", "注明明细项目无结果", "Say that no value of an item will come", permission="result.judge",
                requirement=["E3.3", "E3.5", "X4"], body=True,
                description="检验项目中个别明细不会再有结果(未检出结果、标本不合格等)时注明原因:该明细不再等待,报告列明未报告及原因;之后如收到结果,以结果为准"
                " · For a single item of a laboratory's line: it is waited for no more and stands on the report with the reason; a value that"
                " comes later takes its place.",
                problems=[ExamNotFound, ItemNotOfLine, DepartmentNotOwn, SignerNotStaff, ResultsClosed, GivingUpNotPossible]),
)  # fmt: skip
async def give_up_item(uow: Unit, exam_id: UUID, line_id: UUID, item_id: UUID, body: GiveUpIn) -> QuestionOut:
    return await service.give_up(uow, exam_id, line_id, item_id, body)


@results.get(
    "/inbound-messages/{message_id:uuid}/readings",
    **operation("getMessageReadings", "消息的各种读法", "How each charset would read a message", permission="message.release",
                requirement=["E3.5", "X13"], problems=[InboundMessageNotFound, PrivateContent],
                description="放行字符集存疑的消息前对照:同一字节按 UTF-8、GB18030、ISO 8859-1 各读作什么;姓名只对有权者全显,留审计 · Before a message of"
                " doubtful charset is released: what the same bytes say in each. Leaves an audit row."),
)  # fmt: skip
async def get_readings(request: Request, response: Response, uow: ReadUnit, message_id: UUID) -> ReadingsOut:
    source, raw = await service.raw_for_readings(uow, message_id)
    whose = uow.principal.may("message.raw") or uow.principal.may("examinee.read")
    response.headers["Cache-Control"] = "no-store"
    return await flows.readings(runtime(request).services.lis, source, raw, whose=whose)


@results.get(
    "/unmapped-codes",
    **operation("listUnmappedCodes", "未对照代码队列", "Codes that nobody has mapped, with the messages that wait for them",
                permission="message.read", audience="admin", requirement=["E3.5", "X4", "X13"],
                description="对照后(`PUT /external-codes/{system}/{code}`),等待该代码的全部消息自动重新归档 · Mapping a code files all that"
                " wait for it again.",
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_unmapped_codes(
    request: Request, uow: ReadUnit,
    system: Annotated[str | None, Query(max_length=40, description="外部系统 · The other system", examples=["lis"])] = None,
    page_size: PageSize = 50, page_token: PageToken = None,
) -> Page[UnmappedCodeOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"unmapped-codes|{system}")
    rows = await service.unmapped_codes(uow, system=system, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.system, row.code], lambda row: row)


@results.post(
    "/inbound-messages/{message_id:uuid}:propose-release",
    **operation("proposeMessageRelease", "申请放行消息", "Propose to which exam a message belongs, or how it is read", permission="message.release",
                requirement=["E3.5", "X13"], body=True,
                description="身份不符、条码未知:指明体检;字符集存疑:指明字符集;编号重复而内容不同等已答 AE 者:写明依据即可。另一人同意后按普通消息归档 ·"
                " An exam where the identity or the number is in doubt, a charset where that is; what was refused at the door for another"
                " reason needs grounds only. Filed like any other once a second person agrees.",
                problems=[InboundMessageNotFound, ExamNotFound, MessageNotReleasable, MessageUnreadable, ReleaseInVain, ReleaseIncomplete,
                          ReleaseProposed,
                          SignerNotStaff]),
)  # fmt: skip
async def propose_release(request: Request, uow: Unit, message_id: UUID, body: ReleaseIn) -> ReleaseOut:
    await flows.refuse_in_vain(runtime(request).services.lis, uow, message_id, body.charset, body.exam_id)
    return await service.propose_release(uow, message_id, body)


@results.post(
    "/message-releases/{release_id:uuid}:agree",
    **operation("agreeMessageRelease", "同意放行", "Agree: the message is filed as was said", permission="message.release",
                requirement=["E3.5", "X13"],
                problems=[ReleaseNotFound, ReleaseDecided, SamePerson, MessageNotReleasable, MessageUnreadable, ReleaseInVain, ReleaseIncomplete,
                          SignerNotStaff]),
)  # fmt: skip
async def agree_release(request: Request, uow: Unit, release_id: UUID) -> ReleaseOut:
    await flows.refuse_agreeing(runtime(request).services.lis, uow, release_id)
    return await service.decide_release(uow, release_id, agree=True)


@results.post(
    "/message-releases/{release_id:uuid}:refuse",
    **operation("refuseMessageRelease", "拒绝放行", "Refuse: the message stays where it is", permission="message.release",
                requirement=["E3.5", "X13"], problems=[ReleaseNotFound, ReleaseDecided, SamePerson, SignerNotStaff]),
)  # fmt: skip
async def refuse_release(uow: Unit, release_id: UUID) -> ReleaseOut:
    return await service.decide_release(uow, release_id, agree=False)


@results.get(
    "/exams/{exam_id:uuid}/results",
    response_model=ExamResultsOut,
    **operation("listExamResults", "全部结果", "Every result of an exam, by department", permission="result.read",
                requirement=["E3.3", "E3.6", "E4.2"], problems=[ExamNotFound]),
)  # fmt: skip
async def list_results(
    look: ReadLook,
    exam_id: UUID,
    abnormal: Annotated[bool, Query(description="只看异常 · Flagged results only")] = False,
) -> Response:
    return passed(await service.passed(look, exam_id, "abnormal" if abnormal else "all"))


@results.get(
    "/exams/{exam_id:uuid}/trends",
    **operation("listTrends", "历次趋势", "Numbers through the last three years", permission="result.read",
                requirement=["E4.5", "E6.3"], problems=[ExamNotFound]),
)  # fmt: skip
async def list_trends(uow: ReadUnit, exam_id: UUID) -> TrendsOut:
    return await service.trends(uow, exam_id)


@results.get(
    "/results/{result_id:uuid}/revisions",
    **operation("listResultRevisions", "结果修订历史", "Every revision of a result", permission="result.read", requirement=["X5"],
                problems=[ResultNotFound]),
)  # fmt: skip
async def list_revisions(uow: ReadUnit, result_id: UUID) -> HistoryOut:
    return await service.history(uow, result_id)


@results.get(
    "/knowledge-versions/{version_id:uuid}/trial",
    **operation("tryKnowledgeVersion", "用既往体检试算知识库版本", "Try a version on exams that were, beside the one in use", permission="conclusion.review",
                requirement=["E5.1", "E4.4"], problems=[KnowledgeVersionNotFound]),
)  # fmt: skip
async def try_version(
    uow: ReadUnit,
    version_id: UUID,
    exams: Annotated[
        int, Query(ge=1, le=500, description="最近的体检数 · How many of the newest exams", examples=[100])
    ] = 100,
) -> TrialOut:
    return await service.try_edition(uow, version_id, exams)
