"""HTTP of people: met, found, amended, with their photos and cards."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response

from tjapi.examinee import flows, service
from tjapi.examinee.errors import (
    NOT_MET,
    ExamineeDetailsInvalid,
    ExamineeNotFound,
    IdentifierNotFound,
    IdentifierNumberInvalid,
    IdentifierTaken,
    PhotoInvalid,
    PhotoNotFound,
    SearchNotOneCriterion,
)
from tjapi.examinee.rules import PhotoSource
from tjapi.examinee.schemas import (
    ExamineeIn,
    ExamineeMet,
    ExamineeOut,
    ExamineePatch,
    ExamineeSearch,
    IdentifierIn,
    IdentifierOut,
    IdentifiersOut,
    PhotoOut,
    PhotosOut,
    UnmaskedOut,
    UnmaskIn,
)
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageTokenInvalid
from tjapi.kernel.problem import BodyTooLarge
from tjapi.kernel.routing import Caller, ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import asked, runtime

examinees = router("examinees")
# Judged by its content, whatever it calls itself.
_PHOTO_BODY: dict[str, Any] = {
    "description": "JPEG 或 PNG,不超过 8 MB · JPEG or PNG, at most 8 MB",
    "required": True,
    "content": {
        media_type: {"schema": {"type": "string", "format": "binary", "minLength": 1}, "example": "\u00ff\u00d8\u00ff…"}
        for media_type in ("image/jpeg", "image/png")
    },
}
_PUT_PHOTO = operation(
    "putExamineePhoto", "上传照片", "Attach a photo, or replace it", permission="examinee.write", requirement=["E1.4"],
    problems=[ExamineeNotFound, PhotoInvalid, BodyTooLarge],
)  # fmt: skip
_PUT_PHOTO["openapi_extra"]["requestBody"] = _PHOTO_BODY
_GET_PHOTO = operation(
    "getExamineePhoto", "当前照片", "The current photo", permission="examinee.read", requirement=["E1.4"],
    problems=[ExamineeNotFound, PhotoNotFound],
)  # fmt: skip


class JPEG(Response):
    """A picture that no cache keeps."""

    media_type = "image/jpeg"


def _photo(content: bytes) -> JPEG:
    """Answer with a photo; personal, so never stored on the way."""
    return JPEG(content, headers={"Cache-Control": "no-store", "Content-Disposition": "inline"})


@examinees.post(
    "/examinees",
    **operation("meetExaminee", "读取证件登记受检者", "Find or enter the holder of a document", permission="examinee.write",
                requirement=["E1.3"], body=True, status=201, idempotent="required",
                problems=[CampusNotHeld, *NOT_MET]),
)  # fmt: skip
async def meet_examinee(request: Request, response: Response, uow: Unit, body: ExamineeIn) -> ExamineeMet:
    held = runtime(request)
    photo = await flows.card_photo(held, body, "/photo")
    person, created = await service.meet(uow, body, body.campus_id, photo=photo)
    set_etag(response, person.version)
    made = service.met(uow, person, created=created)
    return made.model_copy(update={"unprintable": held.services.printing.unprintable(made.name)})


@examinees.post(
    "/examinees:search",
    **operation("searchExaminees", "查询受检者", "Search by name, pinyin, ID number, phone or card", permission="examinee.read",
                requirement=["E1.2", "E9.1"], body=True, problems=[PageTokenInvalid, SearchNotOneCriterion]),
)  # fmt: skip
async def search_examinees(request: Request, uow: ReadUnit, body: ExamineeSearch) -> Page[ExamineeOut]:
    pager = Pager(runtime(request).keys, f"examinees|{body.q}|{body.id_number}|{body.phone}|{body.card_no}")
    after = pager.read(body.page_token)
    rows = await service.search(uow, body, UUID(after[0]) if after else None)
    return pager.page(rows, body.page_size, lambda row: [row.id], service.shape)


@examinees.get(
    "/examinees/{examinee_id:uuid}",
    **operation("getExaminee", "受检者详情", "One examinee, masked", permission="examinee.read", requirement=["E9.1"],
                description="已合并的编号返回保留的档案 · An id that was merged answers as whom it was merged into.",
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


@examinees.put("/examinees/{examinee_id:uuid}/photo", **_PUT_PHOTO)
async def put_photo(
    request: Request,
    caller: Caller,
    examinee_id: UUID,
    source: Annotated[PhotoSource, Query(description="来源:读卡器或拍照 · Card reader or camera")] = "camera",
) -> PhotoOut:
    return await flows.put_photo(runtime(request), caller, asked(request), examinee_id, await request.body(), source)


@examinees.get("/examinees/{examinee_id:uuid}/photo", response_class=JPEG, **_GET_PHOTO)
async def get_photo(request: Request, uow: ReadUnit, examinee_id: UUID) -> Response:
    photo = await service.photo_for_reading(uow, examinee_id)
    response = _photo(await runtime(request).storage.get(photo.file))
    set_etag(response, photo.version)
    return response


@examinees.get(
    "/examinees/{examinee_id:uuid}/photos",
    **operation("listExamineePhotos", "照片版本", "Versions of a photo", permission="examinee.read", requirement=["E1.4"],
                problems=[ExamineeNotFound]),
)  # fmt: skip
async def list_photos(uow: ReadUnit, examinee_id: UUID) -> PhotosOut:
    return await service.photos(uow, examinee_id)


@examinees.get(
    "/examinees/{examinee_id:uuid}/photos/{photo_version}",
    response_class=JPEG,
    **operation("getExamineePhotoVersion", "某一版照片", "One version of a photo", permission="examinee.read", requirement=["E1.4"],
                problems=[ExamineeNotFound, PhotoNotFound]),
)  # fmt: skip
async def get_photo_version(
    request: Request,
    uow: ReadUnit,
    examinee_id: UUID,
    photo_version: Annotated[int, Path(ge=1, le=32_000, description="版本 · Version", examples=[1])],
) -> Response:
    photo = await service.photo_for_reading(uow, examinee_id, photo_version)
    response = _photo(await runtime(request).storage.get(photo.file))
    set_etag(response, photo.version)
    return response


@examinees.post(
    "/examinees/{examinee_id:uuid}/identifiers",
    **operation("addExamineeIdentifier", "登记卡号", "Add a card or a number of another system", permission="examinee.write",
                requirement=["E1.2"], body=True, status=201, idempotent="optional",
                problems=[ExamineeNotFound, IdentifierNumberInvalid, IdentifierTaken]),
)  # fmt: skip
async def add_identifier(uow: Unit, examinee_id: UUID, body: IdentifierIn) -> IdentifierOut:
    return await service.add_identifier(uow, examinee_id, body)


@examinees.get(
    "/examinees/{examinee_id:uuid}/identifiers",
    **operation("listExamineeIdentifiers", "卡号列表", "The cards and numbers of a person", permission="examinee.read",
                requirement=["E1.2"], problems=[ExamineeNotFound]),
)  # fmt: skip
async def list_identifiers(uow: ReadUnit, examinee_id: UUID) -> IdentifiersOut:
    return await service.identifiers(uow, examinee_id)


@examinees.post(
    "/examinees/{examinee_id:uuid}/identifiers/{identifier_id:uuid}:remove",
    **operation("removeExamineeIdentifier", "注销卡号", "Take a card or number away from a person", permission="examinee.write",
                requirement=["E1.2"], problems=[ExamineeNotFound, IdentifierNotFound]),
)  # fmt: skip
async def remove_identifier(uow: Unit, examinee_id: UUID, identifier_id: UUID) -> IdentifiersOut:
    return await service.remove_identifier(uow, examinee_id, identifier_id)
