"""HTTP of critical values."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.critical_value import service
from tjapi.critical_value.errors import (
    CriticalOfOthers,
    CriticalStateConflict,
    CriticalValueNotFound,
    OutcomeMissing,
    ReadBackMissing,
    ReasonMissing,
)
from tjapi.critical_value.rules import CriticalState
from tjapi.critical_value.schemas import (
    CloseIn,
    CriticalValueDetail,
    CriticalValueOut,
    DismissIn,
    FollowUpIn,
    NotifyIn,
    PhoneOut,
)
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.knowledge.rules import ImportantClass
from tjapi.result.errors import SignerNotStaff

critical_values = router("critical-values")
_STEP = [CriticalValueNotFound, CriticalStateConflict, SignerNotStaff]


@critical_values.get(
    "/critical-values",
    **operation("listCriticalValues", "危急值列表", "Critical values, what is due first first", permission="critical.read",
                requirement=["E5.4"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_values(
    request: Request,
    uow: ReadUnit,
    state: Annotated[CriticalState | None, Query(description="状态 · State")] = None,
    important_class: Annotated[ImportantClass | None, Query(description="分级 · Class")] = None,
    department_id: Annotated[int | None, Query(ge=1, le=32_000, description="科室 · Department", examples=[4])] = None,
    exam_id: Annotated[UUID | None, Query(description="体检 · Exam")] = None,
    still_open: Annotated[
        bool | None, Query(alias="open", description="未了结的 · Those not ended", examples=[True])
    ] = None,
    overdue: Annotated[bool | None, Query(description="已超时的 · Those past due")] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[CriticalValueOut]:
    asked = f"critical-values|{state}|{important_class}|{department_id}|{exam_id}|{still_open}|{overdue}"
    pager = Pager(runtime(request).keys, asked)
    rows = await service.page(
        uow, state=state, important_class=important_class, department_id=department_id, exam_id=exam_id, still_open=still_open,
        overdue=overdue, after=pager.read(page_token), size=page_size,
    )  # fmt: skip
    people = await service.people_of(uow, rows)
    return pager.page(
        rows,
        page_size,
        lambda row: [row.due_at.isoformat(), row.id],
        lambda row: service.out(row, uow.now, uow.principal, people),
    )


@critical_values.get(
    "/critical-values/{critical_value_id:uuid}",
    **operation("getCriticalValue", "危急值详情", "A critical value with everything done about it", permission="critical.read",
                requirement=["E5.3", "E5.4"], problems=[CriticalValueNotFound]),
)  # fmt: skip
async def get_value(response: Response, uow: ReadUnit, critical_value_id: UUID) -> CriticalValueDetail:
    value = await service.get(uow, critical_value_id)
    set_etag(response, value.version)
    return value


@critical_values.post(
    "/critical-values/{critical_value_id:uuid}:confirm",
    **operation("confirmCriticalValue", "确认危急值", "It was seen, and it is one", permission="critical.handle", requirement=["E5.3"],
                if_match=True, problems=_STEP),
)  # fmt: skip
async def confirm(response: Response, uow: Unit, critical_value_id: UUID, version: IfMatch) -> CriticalValueDetail:
    value = await service.confirm(uow, critical_value_id, version)
    set_etag(response, value.version)
    return value


@critical_values.post(
    "/critical-values/{critical_value_id:uuid}:dismiss",
    **operation("dismissCriticalValue", "排除危急值", "It is none, for a reason", permission="critical.handle", requirement=["E5.3"],
                body=True, if_match=True, problems=[*_STEP, CriticalOfOthers, ReasonMissing]),
)  # fmt: skip
async def dismiss(
    response: Response, uow: Unit, critical_value_id: UUID, body: DismissIn, version: IfMatch
) -> CriticalValueDetail:
    value = await service.dismiss(uow, critical_value_id, body.reason, version)
    set_etag(response, value.version)
    return value


@critical_values.post(
    "/critical-values/{critical_value_id:uuid}:phone",
    **operation("revealCriticalPhone", "查看危急值受检者电话", "The phone of whom an open critical value is of, kept in the audit trail",
                permission="critical.handle", requirement=["E5.3"], problems=[CriticalValueNotFound, CriticalStateConflict, SignerNotStaff]),
)  # fmt: skip
async def phone(uow: Unit, critical_value_id: UUID) -> PhoneOut:
    return await service.phone(uow, critical_value_id)


@critical_values.post(
    "/critical-values/{critical_value_id:uuid}:notify",
    **operation("notifyCriticalValue", "通知并复述", "Somebody was told and read it back, or was not reached", permission="critical.handle",
                requirement=["E5.3"], body=True, if_match=True, problems=[*_STEP, ReadBackMissing]),
)  # fmt: skip
async def notify(
    response: Response, uow: Unit, critical_value_id: UUID, body: NotifyIn, version: IfMatch
) -> CriticalValueDetail:
    value = await service.notify(uow, critical_value_id, body, version)
    set_etag(response, value.version)
    return value


@critical_values.post(
    "/critical-values/{critical_value_id:uuid}:follow-up",
    **operation("followUpCriticalValue", "随访危急值", "What was heard later", permission="critical.handle", requirement=["E5.3"],
                body=True, if_match=True, problems=_STEP),
)  # fmt: skip
async def follow_up(
    response: Response, uow: Unit, critical_value_id: UUID, body: FollowUpIn, version: IfMatch
) -> CriticalValueDetail:
    value = await service.follow_up(uow, critical_value_id, body.note, version)
    set_etag(response, value.version)
    return value


@critical_values.post(
    "/critical-values/{critical_value_id:uuid}:close",
    **operation("closeCriticalValue", "了结危急值", "It ended: with an outcome, or with nobody reached", permission="critical.handle",
                requirement=["E5.3"], body=True, if_match=True, problems=[*_STEP, OutcomeMissing]),
)  # fmt: skip
async def close(
    response: Response, uow: Unit, critical_value_id: UUID, body: CloseIn, version: IfMatch
) -> CriticalValueDetail:
    value = await service.close(uow, critical_value_id, body.outcome, version)
    set_etag(response, value.version)
    return value
