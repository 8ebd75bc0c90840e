"""HTTP of lists that come as files."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.employer import flows, sheets
from tjapi.employer.errors import (
    CampaignNotFound,
    CampaignStateConflict,
    MemberImportHasErrors,
    MemberImportNotFound,
    MemberImportStateConflict,
    UploadRefused,
)
from tjapi.employer.schemas import CommitIn, ImportEntryOut, ImportOut, MappingIn
from tjapi.employer.service import importing
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.problem import BodyTooLarge
from tjapi.kernel.routing import Caller, ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import asked, runtime

imports = router("campaigns")
_STEP = [MemberImportNotFound, MemberImportStateConflict, CampaignStateConflict]
_CSV = "姓名,证件号码,手机号码\n张三,690101199003077937,13800001234\n"
_UPLOAD = operation(
    "uploadMembers", "上传名单", "Take in a list of members", permission="employer.write", requirement=["E2.3"], status=202,
    problems=[CampaignNotFound, CampaignStateConflict, UploadRefused, BodyTooLarge],
)  # fmt: skip
# Read as bytes, whatever the client calls them: what a file is, its content says.
_UPLOAD["openapi_extra"]["requestBody"] = {
    "description": "XLSX、XLS 或 CSV 文件的原始字节,按内容判断类型 · The bytes of an XLSX, XLS or CSV file; its content says which",
    "required": True,
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}, "example": _CSV}
    },
}


class XLSX(Response):
    """A workbook."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@imports.get(
    "/member-template",
    response_class=XLSX,
    **operation(
        "getMemberTemplate", "名单模板", "An empty list to fill in", permission="employer.read", requirement=["E2.3"]
    ),
)
async def get_template(uow: ReadUnit) -> Response:
    return XLSX(sheets.template(), headers={"Content-Disposition": 'attachment; filename="members.xlsx"'})


@imports.post("/campaigns/{campaign_id:uuid}/member-imports", **_UPLOAD)
async def upload_members(request: Request, caller: Caller, campaign_id: UUID) -> ImportOut:
    return await flows.upload(runtime(request), caller, asked(request), campaign_id, await request.body())


@imports.get(
    "/member-imports/{import_id:uuid}",
    **operation("getMemberImport", "导入预览与结果", "What a list would change, or has changed", permission="employer.read",
                requirement=["E2.3"], problems=[MemberImportNotFound]),
)  # fmt: skip
async def get_import(uow: ReadUnit, import_id: UUID) -> ImportOut:
    return ImportOut.model_validate(await importing.member_import(uow, import_id))


@imports.get(
    "/member-imports/{import_id:uuid}/entries",
    **operation("listMemberImportEntries", "导入的逐行说明", "Row by row: errors, warnings, changes", permission="employer.read",
                requirement=["E2.3"], problems=[MemberImportNotFound, PageTokenInvalid]),
)  # fmt: skip
async def list_entries(
    request: Request,
    uow: ReadUnit,
    import_id: UUID,
    kind: Annotated[Literal["error", "warning", "update"] | None, Query(description="类别 · Kind")] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[ImportEntryOut]:
    pager = Pager(runtime(request).keys, f"import-entries|{import_id}|{kind}")
    rows = await importing.entries(uow, import_id, kind=kind, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.n], importing.entry_out)


@imports.post(
    "/member-imports/{import_id:uuid}:map",
    **operation("mapMemberImport", "指定列对应", "Say how the columns are to be read; remembered for the unit", permission="employer.write",
                requirement=["E2.3"], body=True, status=202, problems=_STEP),
)  # fmt: skip
async def map_import(uow: Unit, import_id: UUID, body: MappingIn) -> ImportOut:
    return ImportOut.model_validate(await importing.map_columns(uow, import_id, body.mapping, body.table))


@imports.post(
    "/member-imports/{import_id:uuid}:commit",
    **operation("commitMemberImport", "确认导入", "Take a previewed list over", permission="employer.write", requirement=["E2.3"], body=True,
                status=202, problems=[*_STEP, MemberImportHasErrors]),
)  # fmt: skip
async def commit_import(uow: Unit, import_id: UUID, body: CommitIn) -> ImportOut:
    return ImportOut.model_validate(await importing.confirm(uow, import_id, body.mode))


@imports.post(
    "/member-imports/{import_id:uuid}:discard",
    **operation("discardMemberImport", "放弃导入", "Give a list up", permission="employer.write", requirement=["E2.3"], problems=_STEP),
)  # fmt: skip
async def discard_import(uow: Unit, import_id: UUID) -> ImportOut:
    return ImportOut.model_validate(await importing.discard(uow, import_id))
