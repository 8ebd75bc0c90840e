"""HTTP of conclusions."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.conclusion import service
from tjapi.conclusion.errors import (
    ConclusionEmpty,
    ConclusionStateConflict,
    EntryResultUnknown,
    ResultsChangedUnderReview,
    SameReviewer,
)
from tjapi.conclusion.schemas import ConclusionIn, ConclusionOut, QueueItem, ReturnIn
from tjapi.exam.errors import ExamNotComplete, ExamNotFound, ExamStateConflict
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.result.errors import SignerNotStaff

conclusions = router("conclusions")


@conclusions.get(
    "/review-queue",
    **operation("listReviewQueue", "待主检队列", "Exams that wait for a reviewer, first ready first", permission="conclusion.review",
                requirement=["E4.1"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_queue(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    campus_id: Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])] = None,
) -> Page[QueueItem]:
    pager = Pager(runtime(request).keys, f"review-queue|{campus_id}")
    rows = await service.queue(uow, campus_id=campus_id, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.ready_at.isoformat(), row.exam_id], service.queue_item)


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
                problems=[ExamNotFound, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, EntryResultUnknown]),
)  # fmt: skip
async def put_conclusion(
    response: Response, uow: Unit, exam_id: UUID, body: ConclusionIn, version: IfMatch
) -> ConclusionOut:
    conclusion = await service.write(uow, exam_id, body, version)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:sign",
    **operation("signConclusion", "初审签名", "Sign as the first reviewer", permission="conclusion.review", requirement=["E4.8"],
                if_match=True,
                problems=[ExamNotFound, SignerNotStaff, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ConclusionEmpty]),
)  # fmt: skip
async def sign_conclusion(response: Response, uow: Unit, exam_id: UUID, version: IfMatch) -> ConclusionOut:
    conclusion = await service.sign(uow, exam_id, version)
    set_etag(response, conclusion.version)
    return conclusion


@conclusions.post(
    "/exams/{exam_id:uuid}/conclusion:finalize",
    **operation("finalizeConclusion", "终审签发", "Give the final sign-off", permission="conclusion.finalize", requirement=["E4.8"],
                if_match=True,
                problems=[ExamNotFound, SignerNotStaff, ConclusionStateConflict, SameReviewer, ResultsChangedUnderReview, ExamStateConflict,
                          ExamNotComplete]),
)  # fmt: skip
async def finalize_conclusion(response: Response, uow: Unit, exam_id: UUID, version: IfMatch) -> ConclusionOut:
    conclusion = await service.finalize(uow, exam_id, version)
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
