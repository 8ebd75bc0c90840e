"""HTTP of exams."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import StringConstraints

from tjapi.catalog.errors import ItemGroupNotFound
from tjapi.employer.errors import CampaignStateConflict
from tjapi.exam import service, views
from tjapi.exam.errors import (
    DueDateNotAhead,
    ExamBeforeBirth,
    ExamDoubtful,
    ExamEmpty,
    ExamHeldForPerson,
    ExamHeldUntilDecided,
    ExamineeNotNamed,
    ExamNotFound,
    ExamStateConflict,
    ItemGroupOrdered,
    LineCovered,
    LineNotOwn,
    LineNotThere,
    LineStateConflict,
    PackageNotForSex,
    SignatureNotTheirs,
)
from tjapi.exam.rules import ExamState
from tjapi.exam.schemas import (
    CancelIn,
    CompletenessOut,
    ConsentIn,
    CoverIn,
    DeferIn,
    ExamIn,
    ExamListItem,
    ExamMade,
    ExamOrdered,
    ExamOut,
    ExamSummary,
    FactsIn,
    HoldIn,
    KeepIn,
    LinesIn,
    LineStepsOut,
    ReinstateIn,
    SetAsideIn,
    SubstituteIn,
)
from tjapi.examinee.errors import NOT_MET, ExamineeNotFound
from tjapi.examinee.flows import card_photo
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.etag import set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadLook, ReadUnit, Unit, operation, passed, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.validation import Day, Scanned
from tjapi.pricing.endpoints import QUOTE
from tjapi.pricing.errors import (
    ItemGroupContained,
    ItemGroupNotForSex,
    ItemGroupNotOffered,
    ItemGroupOverlaps,
    ItemGroupsExclude,
    ItemGroupTwice,
    ItemGroupUnsuitable,
    PregnancyContradictsSex,
)

exams = router("exams")


@exams.post(
    "/exams",
    **operation("createExam", "登记体检", "Register an exam", permission="exam.write", requirement=["E1.3"], body=True, status=201,
                idempotent="required", problems=[CampusNotHeld, ExamineeNotFound, ExamineeNotNamed, ExamEmpty, PackageNotForSex, ExamBeforeBirth, ExamDoubtful, PregnancyContradictsSex, *QUOTE,
                                             *NOT_MET]),
)  # fmt: skip
async def create_exam(request: Request, response: Response, uow: Unit, body: ExamIn) -> ExamMade:
    held = runtime(request)
    photo = await card_photo(held, body.id_card, "/id_card/photo")
    exam = await service.register(uow, body, payment_required=held.settings.payment_required, photo=photo)
    set_etag(response, exam.version)
    made = await service.describe(uow, exam.id)
    return ExamMade(**made.model_dump(), unprintable=held.services.printing.unprintable(made.name))


@exams.get(
    "/exams",
    response_model=Page[ExamListItem],
    **operation(
        "listExams",
        "体检列表",
        "List exams",
        permission="exam.read",
        requirement=["E1.2", "E1.7", "E9.2"],
        problems=[PageTokenInvalid],
    ),
)
async def list_exams(
    request: Request,
    look: ReadLook,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    campus_id: Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])] = None,
    exam_date: Annotated[Day | None, Query(description="体检日期 · Day", examples=["2026-11-23"])] = None,
    state: Annotated[ExamState | None, Query(description="状态 · State")] = None,
    exam_no: Annotated[
        Annotated[str, StringConstraints(max_length=20), Scanned] | None,
        Query(description="体检号 · Exam number", examples=["A26112200017"]),
    ] = None,
    examinee_id: Annotated[UUID | None, Query(description="受检者 · Examinee")] = None,
    employer_id: Annotated[UUID | None, Query(description="单位 · Employer")] = None,
    employer_code: Annotated[
        str | None, Query(max_length=40, description="单位编号 · Code of an employer", examples=["E0017"])
    ] = None,
    campaign_id: Annotated[UUID | None, Query(description="团检任务 · Campaign")] = None,
    package_id: Annotated[UUID | None, Query(description="套餐 · Package")] = None,
    day_from: Annotated[Day | None, Query(description="体检日期起 · From this day", examples=["2026-11-01"])] = None,
    day_to: Annotated[Day | None, Query(description="体检日期止 · To this day", examples=["2026-11-30"])] = None,
    registered_by: Annotated[UUID | None, Query(description="登记人 · Who registered it")] = None,
) -> Response:
    scope = "|".join(
        str(one)
        for one in (
            "exams", campus_id, exam_date, state, exam_no, examinee_id, employer_id, employer_code, campaign_id, package_id, day_from, day_to, registered_by,
        )
    )  # fmt: skip
    pager = Pager(runtime(request).keys, scope)
    rows = await views.page(
        look, campus_id=campus_id, day=exam_date, state=state, exam_no=exam_no, examinee_id=examinee_id, employer_id=employer_id,
        employer_code=employer_code, campaign_id=campaign_id, package_id=package_id, day_from=day_from, day_to=day_to, registered_by=registered_by, after=pager.read(page_token), size=page_size,
    )  # fmt: skip
    return passed(pager.passed(rows, page_size, lambda row: [row[0]], lambda row: row[1]))


@exams.get(
    "/examinees/{examinee_id:uuid}/exams",
    **operation("listExamineeExams", "历次体检", "A person's exams, newest first", permission="exam.read", requirement=["E1.2"],
                problems=[PageTokenInvalid, ExamineeNotFound]),
)  # fmt: skip
async def list_examinee_exams(
    request: Request, uow: ReadUnit, examinee_id: UUID, page_size: PageSize = 50, page_token: PageToken = None
) -> Page[ExamSummary]:
    pager = Pager(runtime(request).keys, f"examinee-exams|{examinee_id}")
    after = pager.read(page_token)
    cursor = (date.fromisoformat(after[0]), UUID(after[1])) if after else None
    rows = await service.past(uow, examinee_id, cursor, page_size)
    return pager.page(rows, page_size, lambda row: [row.exam_date, row.id], lambda row: row)


@exams.get(
    "/exams/{exam_id:uuid}",
    response_model=ExamOut,
    **operation(
        "getExam",
        "体检详情",
        "One exam with its lines",
        permission="exam.read",
        requirement=["E9.1"],
        problems=[ExamNotFound],
    ),
)
async def get_exam(look: ReadLook, exam_id: UUID) -> Response:
    exam = await service.passed(look, exam_id)
    return passed(exam.content, version=exam.version)


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


_LINES = [ExamNotFound, ExamStateConflict, LineNotThere, LineStateConflict]
_SHARES = [*_LINES, CampaignStateConflict]
"""Commands that change what the employer owes."""
_ORDERS = [
    ExamNotFound,
    ExamStateConflict,
    ItemGroupNotFound,
    ItemGroupNotOffered,
    ItemGroupTwice,
    ItemGroupOrdered,
    ItemGroupContained,
    ItemGroupOverlaps,
    ItemGroupsExclude,
    ItemGroupUnsuitable,
    ItemGroupNotForSex,
]


@exams.post(
    "/exams/{exam_id:uuid}/lines",
    **operation("addExamLines", "加项", "Add item groups to an exam", permission="exam.write", requirement=["E1.6", "E2.5"], body=True,
                idempotent="required", problems=_ORDERS),
)  # fmt: skip
async def add_exam_lines(request: Request, uow: Unit, exam_id: UUID, body: LinesIn) -> ExamOrdered:
    payment = runtime(request).settings.payment_required
    await service.add_lines(uow, exam_id, body.item_group_ids, reason=body.reason, payment_required=payment)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:substitute",
    **operation("substituteExamLine", "换项", "Put item groups in the place of a line", permission="exam.write", requirement=["E1.6"], body=True,
                idempotent="required", problems=[*_ORDERS, LineNotThere, LineStateConflict, CampaignStateConflict]),
)  # fmt: skip
async def substitute_exam_line(request: Request, uow: Unit, exam_id: UUID, body: SubstituteIn) -> ExamOrdered:
    payment = runtime(request).settings.payment_required
    await service.substitute_line(
        uow, exam_id, body.line_id, body.item_group_ids, reason=body.reason, payment_required=payment
    )
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:withdraw",
    **operation("withdrawExamLines", "退项", "Withdraw lines that nobody has begun", permission="exam.write", requirement=["E1.6"], body=True,
                idempotent="optional", problems=_SHARES),
)  # fmt: skip
async def withdraw_exam_lines(uow: Unit, exam_id: UUID, body: SetAsideIn) -> ExamOut:
    await service.set_aside(uow, exam_id, body.line_ids, "withdrawn", reason=body.reason, signature=body.signature)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:cover",
    **operation("coverExamLines", "登记交费或免收", "Lines were paid for, or are not asked for", permission="exam.cover", requirement=["E1.1", "E1.8"],
                body=True, idempotent="optional", problems=[*_LINES, LineCovered],
                description="个人应付部分已在收费处交清,或免收(须注明原因);等待交费的项目随即放行。终审后仍可登记。同样的登记重复一次不变;已交清或免收的,不能以另一凭证号或原因再登记。"
                " · What the person owes was paid at the cashier's, or is not asked for; what waited for it may be carried out. The same said again changes nothing;"
                " what is covered already is not covered under another number or for another reason."),
)  # fmt: skip
async def cover_exam_lines(uow: Unit, exam_id: UUID, body: CoverIn) -> ExamOut:
    await service.cover(uow, exam_id, body.line_ids, body.how, reference=body.reference, reason=body.reason)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:refuse",
    **operation("refuseExamLines", "拒检", "The examinee refuses lines, and signs for it", permission="exam.set_aside", requirement=["E1.6", "E1.8"],
                body=True, idempotent="optional", problems=[*_SHARES, LineNotOwn]),
)  # fmt: skip
async def refuse_exam_lines(uow: Unit, exam_id: UUID, body: SetAsideIn) -> ExamOut:
    await service.set_aside(uow, exam_id, body.line_ids, "refused", reason=body.reason, signature=body.signature)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:waive",
    **operation("waiveExamLines", "弃检", "The staff decides that lines are not carried out", permission="exam.set_aside", requirement=["E1.6", "E1.8"],
                body=True, idempotent="optional", problems=[*_SHARES, LineNotOwn]),
)  # fmt: skip
async def waive_exam_lines(uow: Unit, exam_id: UUID, body: SetAsideIn) -> ExamOut:
    await service.set_aside(uow, exam_id, body.line_ids, "waived", reason=body.reason, signature=body.signature)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:defer",
    **operation("deferExamLines", "延期", "Lines will be carried out later", permission="exam.set_aside", requirement=["E1.6", "E1.8"], body=True,
                idempotent="optional", problems=[*_LINES, LineNotOwn, DueDateNotAhead]),
)  # fmt: skip
async def defer_exam_lines(uow: Unit, exam_id: UUID, body: DeferIn) -> ExamOut:
    await service.set_aside(
        uow, exam_id, body.line_ids, "deferred", reason=body.reason, signature=body.signature, due_on=body.due_on
    )
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:reinstate",
    **operation("reinstateExamLines", "恢复检查或补检", "Carry lines out after all", permission="exam.set_aside", requirement=["E1.6", "E1.8"], body=True,
                idempotent="optional", problems=[*_SHARES, LineNotOwn, ItemGroupUnsuitable, ItemGroupNotForSex]),
)  # fmt: skip
async def reinstate_exam_lines(uow: Unit, exam_id: UUID, body: ReinstateIn) -> ExamOut:
    await service.reinstate(uow, exam_id, body.line_ids, reason=body.reason)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:keep",
    **operation("keepExamLines", "不适用或存疑项目仍作数", "Lines stand although they do not suit the person, or another was found", permission="result.judge",
                requirement=["E1.3", "E1.6"], body=True, idempotent="optional", problems=[*_LINES, LineNotOwn],
                description="性别、年龄或孕情更正后不再适用的项目,或认定为非本人之前已采集、检查的项目,注明原因后作数;操作人与原因留痕。情况再变时重新询问。"
                " · Lines that a correction of sex, age or pregnancy made unsuitable, or of which somebody else may have been examined, stand all the same:"
                " who said so and why is kept."),
)  # fmt: skip
async def keep_exam_lines(uow: Unit, exam_id: UUID, body: KeepIn) -> ExamOut:
    await service.keep(uow, exam_id, body.line_ids, reason=body.reason)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}/lines:consent",
    **operation("consentExamLines", "登记私密项目知情同意", "The person agrees to private items", permission="private.consent",
                requirement=["X7"], body=True, idempotent="optional", problems=[*_LINES, LineNotOwn, SignatureNotTheirs],
                description="私密项目(HIV、妊娠等)须本人签署同意后才放行、采集和检查;不同意的,按拒检登记。"
                " · What is private waits until the person has agreed; who does not agree refuses it."),
)  # fmt: skip
async def consent_exam_lines(request: Request, uow: Unit, exam_id: UUID, body: ConsentIn) -> ExamOut:
    payment = runtime(request).settings.payment_required
    await service.consent(uow, exam_id, body.line_ids, signature=body.signature, payment_required=payment)
    return await service.describe(uow, exam_id)


@exams.get(
    "/exams/{exam_id:uuid}/line-steps",
    **operation("listExamLineSteps", "项目变更记录", "What was commanded on an exam's lines", permission="exam.read", requirement=["E1.6", "X5"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def list_exam_line_steps(uow: ReadUnit, exam_id: UUID) -> LineStepsOut:
    return LineStepsOut(items=await service.steps(uow, exam_id))


@exams.post(
    "/exams/{exam_id:uuid}:hold",
    **operation("holdExam", "暂停体检", "Stop an exam for the time being", permission="exam.write", requirement=["E1.6", "X1"], body=True,
                problems=[ExamNotFound, ExamStateConflict]),
)  # fmt: skip
async def hold_exam(uow: Unit, exam_id: UUID, body: HoldIn) -> ExamOut:
    await service.hold(uow, exam_id, body.reason)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}:correct-facts",
    **operation("correctExamFacts", "更正体检登记的性别、出生日期、孕情", "Correct sex, birth date or pregnancy of an exam", permission="exam.write",
                requirement=["E3.4", "E1.3"], body=True,
                problems=[ExamNotFound, ExamStateConflict, ExamBeforeBirth, PregnancyContradictsSex]),
)  # fmt: skip
async def correct_exam_facts(uow: Unit, exam_id: UUID, body: FactsIn) -> ExamOut:
    """更正后,参考范围、标志、计算项目、体征、危急值随之重算;经人工修改或签名的内容标为过期,须重新确认。"""
    await service.correct_facts(uow, exam_id, body)
    return await service.describe(uow, exam_id)


@exams.post(
    "/exams/{exam_id:uuid}:resume",
    **operation("resumeExam", "恢复体检", "Go on with an exam on hold", permission="exam.write", requirement=["E1.6", "X1"],
                problems=[ExamHeldForPerson, ExamHeldUntilDecided, ExamNotFound, ExamStateConflict]),
)  # fmt: skip
async def resume_exam(uow: Unit, exam_id: UUID) -> ExamOut:
    await service.resume(uow, exam_id)
    return await service.describe(uow, exam_id)
