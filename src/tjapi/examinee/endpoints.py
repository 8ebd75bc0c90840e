"""HTTP of examinees."""

from uuid import UUID

from fastapi import Request, Response

from tjapi.examinee import service
from tjapi.examinee.errors import (
    CampusNotFound,
    ExamineeDetailsDiffer,
    ExamineeDetailsInvalid,
    ExamineeNameDiffers,
    ExamineeNotFound,
    IdCardContradiction,
    IdNumberInvalid,
    SearchNotOneCriterion,
)
from tjapi.examinee.schemas import (
    ExamineeIn,
    ExamineeMet,
    ExamineeOut,
    ExamineePatch,
    ExamineeSearch,
    UnmaskedOut,
    UnmaskIn,
)
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime

examinees = router("examinees")


@examinees.post(
    "/examinees",
    **operation("meetExaminee", "读取证件登记受检者", "Find or enter the holder of a document", permission="examinee.write",
                requirement=["E1.3"], body=True, status=201, idempotent="required",
                problems=[CampusNotFound, IdNumberInvalid, IdCardContradiction, ExamineeDetailsInvalid, ExamineeNameDiffers,
                          ExamineeDetailsDiffer]),
)  # fmt: skip
async def meet_examinee(response: Response, uow: Unit, body: ExamineeIn) -> ExamineeMet:
    person, created = await service.meet(uow, body, body.campus_id)
    set_etag(response, person.version)
    return ExamineeMet(**service.shape(person).model_dump(), created=created)


@examinees.post(
    "/examinees:search",
    **operation("searchExaminees", "查询受检者", "Search by name, pinyin, ID number or phone", permission="examinee.read",
                requirement=["E1.2", "E9.1"], body=True, problems=[PageTokenInvalid, SearchNotOneCriterion]),
)  # fmt: skip
async def search_examinees(request: Request, uow: ReadUnit, body: ExamineeSearch) -> Page[ExamineeOut]:
    pager = Pager(runtime(request).keys, f"examinees|{body.q}|{body.id_number}|{body.phone}")
    after = pager.read(body.page_token)
    rows = await service.search(uow, body, UUID(after[0]) if after else None)
    return pager.page(rows, body.page_size, lambda row: [row.id], service.shape)


@examinees.get(
    "/examinees/{examinee_id:uuid}",
    **operation("getExaminee", "受检者详情", "One examinee, masked", permission="examinee.read", requirement=["E9.1"],
                problems=[ExamineeNotFound]),
)  # fmt: skip
async def get_examinee(response: Response, uow: ReadUnit, examinee_id: UUID) -> ExamineeOut:
    person = await service.look_at(uow, examinee_id)
    set_etag(response, person.version)
    return person


@examinees.patch(
    "/examinees/{examinee_id:uuid}",
    **operation("amendExaminee", "修改受检者联系信息", "Change phone, address or nation", permission="examinee.write",
                requirement=["E1.3"], body=True, if_match=True, problems=[ExamineeNotFound, ExamineeDetailsInvalid]),
)  # fmt: skip
async def amend_examinee(
    response: Response, uow: Unit, examinee_id: UUID, version: IfMatch, body: ExamineePatch
) -> ExamineeOut:
    person = await service.amend(uow, examinee_id, body, version)
    set_etag(response, person.version)
    return service.shape(person)


@examinees.post(
    "/examinees/{examinee_id:uuid}:unmask",
    **operation("unmaskExaminee", "查看完整证件号、电话和住址", "See ID number, phone and address in full", permission="examinee.unmask",
                requirement=["E9.1"], body=True, problems=[ExamineeNotFound]),
)  # fmt: skip
async def unmask_examinee(uow: Unit, examinee_id: UUID, body: UnmaskIn) -> UnmaskedOut:
    return await service.unmask(uow, examinee_id, body.purpose)
