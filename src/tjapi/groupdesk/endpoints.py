"""HTTP of the group desk."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.employer.errors import (
    CampaignGroupNotFound,
    CampaignNotComplete,
    CampaignNotFound,
    CampaignStateConflict,
    MemberNotFound,
    MemberStateConflict,
)
from tjapi.employer.schemas import CampaignOut
from tjapi.exam.errors import ExamStateConflict
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import CampaignNotOpen, MemberBeingExamined
from tjapi.groupdesk.rules import Standing
from tjapi.groupdesk.schemas import (
    BatchOut,
    BookMembersIn,
    DecisionsIn,
    ProgressListOut,
    StandingOut,
    TransferIn,
    TransferOut,
)
from tjapi.kernel.etag import set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.pricing.endpoints import QUOTE
from tjapi.pricing.errors import CapExceeded, ChoiceInvalid

groupdesk = router("campaigns")


@groupdesk.get(
    "/campaign-progress",
    **operation(
        "listCampaignProgress",
        "单位体检进度",
        "How far each unit has come",
        permission="employer.read",
        requirement=["E2.1"],
    ),
)
async def list_progress(
    uow: ReadUnit,
    still_open: Annotated[
        bool, Query(alias="open", description="只看未完成的 · Only campaigns not completed", examples=[True])
    ] = True,
) -> ProgressListOut:
    return await service.progress(uow, still_open=still_open)


@groupdesk.get(
    "/campaigns/{campaign_id:uuid}/standings",
    **operation("listStandings", "成员进度清单", "Members and how far each has come", permission="employer.read", requirement=["E2.1"],
                problems=[CampaignNotFound, PageTokenInvalid]),
)  # fmt: skip
async def list_standings(
    request: Request,
    uow: ReadUnit,
    campaign_id: UUID,
    standing: Annotated[Standing | None, Query(description="进度 · Standing", examples=["unfinished"])] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[StandingOut]:
    pager = Pager(runtime(request).keys, f"standings|{campaign_id}|{standing}")
    rows = await service.standings(uow, campaign_id, standing=standing, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.list_no, row.member_id], lambda row: row)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:book-members",
    **operation("bookMembers", "批量预约成员", "Book members over days", permission="employer.write", requirement=["E2.4"], body=True,
                status=202, idempotent="required", problems=[CampaignNotFound, CampaignNotOpen, CampaignGroupNotFound, MemberNotFound]),
)  # fmt: skip
async def book_members(uow: Unit, campaign_id: UUID, body: BookMembersIn) -> BatchOut:
    return await service.plan_booking(uow, campaign_id, body)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:transfer-members",
    **operation("transferMembers", "成员换组", "Move members to another group, priced anew", permission="employer.write", requirement=["E2.2"],
                body=True, problems=[CampaignNotFound, CampaignStateConflict, CampaignGroupNotFound, MemberNotFound, ExamStateConflict,
                ChoiceInvalid, CapExceeded, *QUOTE]),
)  # fmt: skip
async def transfer_members(uow: Unit, campaign_id: UUID, body: TransferIn) -> TransferOut:
    return await service.transfer(uow, campaign_id, body.group_id, body.member_ids)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:decide-members",
    **operation("decideMembers", "判定成员终结", "Bring members to an end: done, not come, cancelled", permission="employer.write",
                requirement=["E2.6"], body=True, status=204,
                problems=[CampaignNotFound, CampaignStateConflict, MemberNotFound, MemberStateConflict, MemberBeingExamined]),
)  # fmt: skip
async def decide_members(uow: Unit, campaign_id: UUID, body: DecisionsIn) -> None:
    await service.decide(uow, campaign_id, body.decisions)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:complete",
    **operation("completeCampaign", "完成团检任务", "Lock a campaign all of whose members have come to an end", permission="campaign.complete",
                requirement=["E2.6"], problems=[CampaignNotFound, CampaignStateConflict, CampaignNotComplete]),
)  # fmt: skip
async def complete_campaign(response: Response, uow: Unit, campaign_id: UUID) -> CampaignOut:
    found = await service.complete(uow, campaign_id)
    set_etag(response, found.version)
    return CampaignOut.model_validate(found)
