"""HTTP of conclusions."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, Request, Response

from tjapi.conclusion import service
from tjapi.conclusion.errors import (
    AmendmentNeeded,
    AmendmentOpen,
    AmendmentTaskClosed,
    AmendmentTaskNotFound,
    ConclusionEmpty,
    ConclusionStale,
    ConclusionStateConflict,
    CriticalNotConcluded,
    EntryFigureOutdated,
    EntryKeyUnknown,
    EntryResultUnknown,
    OverviewContradictsResults,
    ResultsChangedUnderReview,
    ReviewClaimed,
    ReviewNotClaimed,
    SameReviewer,
)
from tjapi.conclusion.rules import ReviewView, TaskState
from tjapi.conclusion.schemas import (
    AmendmentTaskOut,
    ClaimOut,
    ConclusionIn,
    ConclusionOut,
    ConfirmIn,
    QueueItem,
    ReopenIn,
    ReturnIn,
    ReviewOut,
    TaskCloseIn,
)
from tjapi.exam.errors import ExamNotComplete, ExamNotFound, ExamStateConflict
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadLook, ReadUnit, Unit, operation, passed, router
from tjapi.kernel.runtime import runtime
from tjapi.result.errors import SignerNotStaff, WordsUnconfirmed

conclusions = router("conclusions")
Confirmed = Annotated[ConfirmIn, Body(default_factory=ConfirmIn)]
"""What a signature confirms: mostly nothing, and then no body is sent."""


@conclusions.get(
    "/review-queue",
    **operation("listReviewQueue", "待主检队列", "Exams that wait for a reviewer: those reviewed again, then first ready first", permission="conclusion.review",
                requirement=["E4.1", "E12.3"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_queue(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    campus_id: Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])] = None,
    unclaimed: Annotated[bool, Query(description="只看无人认领的 · Only those that nobody reviews")] = False,
) -> Page[QueueItem]:
    pager = Pager(runtime(request).keys, f"review-queue|{campus_id}|{unclaimed}")
    rows = await service.queue(
        uow, campus_id=campus_id, unclaimed=unclaimed, after=pager.read(page_token), size=page_size
    )
    return pager.page(
        rows,
        page_size,
        lambda row: ["again" if row.reopened_at else "first", row.ready_at.isoformat(), row.exam_id],
        service.queue_item,
    )


@conclusions.get(
    "/exams/{exam_id:uuid}/conclusion",
    **operation("getConclusion", "主检结论", "The conclusion of an exam", permission="conclusion.read", requirement=["E4.3"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def get_conclusion(response: Response, uow: ReadUnit, exam_id: UUID) -> ConclusionOut:
    conclusion = await service.get(uow, exam_id)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.put(
    "/exams/{exam_id:uuid}/conclusion",
    **operation("putConclusion", "撰写主检结论", "Write the conclusion", permission="conclusion.review", requirement=["E4.3", "X1"],
                body=True, if_match=True,
                problems=[ExamNotFound, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ReviewClaimed, EntryResultUnknown,
                          EntryKeyUnknown, EntryFigureOutdated]),
)  # fmt: skip
async def put_conclusion(
    response: Response, uow: Unit, exam_id: UUID, body: ConclusionIn, version: IfMatch
) -> ConclusionOut:
    conclusion = await service.write(uow, exam_id, body, version)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:generate",
    **operation("generateConclusion", "自动汇总结论", "Make the draft of what was found", permission="conclusion.review",
                requirement=["E4.3", "E4.4"], if_match=True,
                problems=[ExamNotFound, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ReviewClaimed]),
)  # fmt: skip
async def generate_conclusion(response: Response, uow: Unit, exam_id: UUID, version: IfMatch) -> ConclusionOut:
    conclusion = await service.generate(uow, exam_id, version)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.get(
    "/exams/{exam_id:uuid}/review",
    response_model=ReviewOut,
    **operation("getReview", "主检一览", "Everything that a reviewer needs of an exam, in one answer", permission="conclusion.read",
                requirement=["E4.2", "X1"], problems=[ExamNotFound]),
)  # fmt: skip
async def get_review(
    look: ReadLook,
    exam_id: UUID,
    view: Annotated[
        ReviewView, Query(description="全部结果、只看异常、只看小结 · All results, flagged ones, or summaries alone")
    ] = "all",
    department_id: Annotated[int | None, Query(ge=1, le=32_000, description="科室 · Department", examples=[4])] = None,
) -> Response:
    shown = await service.review(look, exam_id, view, department_id)
    return passed(shown.content, version=shown.version)


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:claim",
    **operation("claimReview", "认领主检", "Claim an exam for review, or renew the claim", permission="conclusion.review",
                requirement=["E4.1"], problems=[ExamNotFound, SignerNotStaff, ReviewClaimed]),
)  # fmt: skip
async def claim_review(uow: Unit, exam_id: UUID) -> ClaimOut:
    return await service.claim(uow, exam_id)


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:release",
    **operation("releaseReview", "放弃认领", "Give a claim back", permission="conclusion.review", requirement=["E4.1"],
                status=204, problems=[ExamNotFound, ReviewNotClaimed]),
)  # fmt: skip
async def release_review(uow: Unit, exam_id: UUID) -> None:
    await service.release(uow, exam_id)


@conclusions.get(
    "/amendment-tasks",
    **operation("listAmendmentTasks", "终审后变更任务", "Results that came or changed after the final sign-off",
                permission="conclusion.read", requirement=["E3.5", "E4.3"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_tasks(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    state: Annotated[TaskState | None, Query(description="状态 · State")] = None,
) -> Page[AmendmentTaskOut]:
    pager = Pager(runtime(request).keys, f"amendment-tasks|{state}")
    rows = await service.tasks(uow, state=state, after=pager.read(page_token), size=page_size)
    shown = {row.id: await service.task_out(uow, row) for row in rows}
    return pager.page(rows, page_size, lambda row: [row.raised_at.isoformat(), row.id], lambda row: shown[row.id])


@conclusions.post(
    "/amendment-tasks/{task_id:uuid}:close",
    **operation("closeAmendmentTask", "处理终审后变更", "Say what became of a late result", permission="conclusion.finalize",
                requirement=["E3.5", "E4.3"], body=True, problems=[AmendmentTaskNotFound, AmendmentTaskClosed, AmendmentNeeded, AmendmentOpen]),
)  # fmt: skip
async def close_task(uow: Unit, task_id: UUID, body: TaskCloseIn) -> AmendmentTaskOut:
    return await service.close_task(uow, task_id, body.outcome)


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:sign",
    **operation("signConclusion", "初审签名", "Sign as the first reviewer", permission="conclusion.review", requirement=["E4.8"],
                if_match=True, body=True,
                problems=[ExamNotFound, SignerNotStaff, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ConclusionEmpty,
                          ConclusionStale, CriticalNotConcluded, OverviewContradictsResults, WordsUnconfirmed, ReviewClaimed]),
)  # fmt: skip
async def sign_conclusion(
    response: Response, uow: Unit, exam_id: UUID, version: IfMatch, body: Confirmed
) -> ConclusionOut:
    conclusion = await service.sign(uow, exam_id, version, body.confirmed)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:finalize",
    **operation("finalizeConclusion", "终审签发", "Give the final sign-off", permission="conclusion.finalize", requirement=["E4.8"],
                if_match=True, body=True,
                problems=[ExamNotFound, SignerNotStaff, ConclusionStateConflict, SameReviewer, ReviewClaimed, ResultsChangedUnderReview, ConclusionStale,
                          CriticalNotConcluded, WordsUnconfirmed,
                          ExamStateConflict, ExamNotComplete]),
)  # fmt: skip
async def finalize_conclusion(
    response: Response, uow: Unit, exam_id: UUID, version: IfMatch, body: Confirmed
) -> ConclusionOut:
    conclusion = await service.finalize(uow, exam_id, version, body.confirmed)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:return",
    **operation("returnConclusion", "退回初审", "Return it to the first reviewer", permission="conclusion.finalize", requirement=["E4.8"],
                body=True, if_match=True, problems=[ExamNotFound, ConclusionStateConflict]),
)  # fmt: skip
async def return_conclusion(
    response: Response, uow: Unit, exam_id: UUID, body: ReturnIn, version: IfMatch
) -> ConclusionOut:
    conclusion = await service.give_back(uow, exam_id, body.reason, version)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:reopen",
    **operation("reopenConclusion", "取消终审", "Take the final sign-off back, to review again", permission="conclusion.reopen",
                requirement=["E12.2", "E12.3"], body=True, if_match=True, problems=[ExamNotFound, SignerNotStaff, ExamStateConflict]),
)  # fmt: skip
async def reopen_conclusion(
    response: Response, uow: Unit, exam_id: UUID, body: ReopenIn, version: IfMatch
) -> ConclusionOut:
    """取消终审后结论回到草稿,已发布的报告由同一操作撤回;重新主检排在队列最前,再次终审后报告立即重新生成。"""
    conclusion = await service.reopen(uow, exam_id, body.reason, version)
    set_etag(response, conclusion.version)
    return conclusion
