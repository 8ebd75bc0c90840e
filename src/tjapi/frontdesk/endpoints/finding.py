"""HTTP of finding people by anything that is scanned: here, because a tube's barcode leads to an exam, and tubes come after exams."""

from uuid import UUID

from fastapi import Request

from tjapi.exam.schemas import ExamLookup, FoundPerson
from tjapi.examinee.errors import LookupKeyInvalid
from tjapi.frontdesk import service
from tjapi.kernel.paging import Page, Pager, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, operation, router
from tjapi.kernel.runtime import runtime

finding = router("exams")


@finding.post(
    "/exams:search",
    **operation("searchExams", "查询受检者及其历次体检", "Find people and their past exams by anything that is scanned or typed",
                permission="exam.read", requirement=["E1.2", "E1.7"], body=True, problems=[PageTokenInvalid, LookupKeyInvalid]),
)  # fmt: skip
async def search_exams(request: Request, uow: ReadUnit, body: ExamLookup) -> Page[FoundPerson]:
    scope = f"exam-lookup|{body.by}|{body.key}|{body.employer_id}|{body.campaign_id}"
    pager = Pager(runtime(request).keys, scope)
    after = pager.read(body.page_token)
    rows = await service.look_up(uow, body, UUID(after[0]) if after else None)
    return pager.page(rows, body.page_size, lambda row: [row.examinee.id], lambda row: row)
