"""HTTP of the group desk."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.employer.endpoints import shown_member
from tjapi.employer.errors import (
    CampaignGroupNotFound,
    CampaignNotComplete,
    CampaignNotFound,
    CampaignStateConflict,
    MemberInvalid,
    MemberNotFound,
    MemberNotPlaced,
    MemberStateConflict,
)
from tjapi.employer.rules.campaigns import RepricingOutcome
from tjapi.employer.schemas import CampaignOut, MemberOut, MemberPatch
from tjapi.exam.errors import ExamStateConflict
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import BookingDaysInvalid, CampaignNotOpen, MemberBeingExamined, MemberEndUntrue
from tjapi.groupdesk.rules import Standing
from tjapi.groupdesk.schemas import (
    BatchOut,
    BookMembersIn,
    DecisionsIn,
    ProgressListOut,
    RepriceIn,
    RepricingOut,
    StandingOut,
    TransferIn,
    TransferOut,
)
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.pricing.endpoints import QUOTE
from tjapi.pricing.errors import CapExceeded, ChoiceInvalid, PackageForOtherSex, SexNotKnown

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
                status=202, idempotent="required", problems=[CampaignNotFound, CampaignNotOpen, CampaignGroupNotFound, MemberNotFound, BookingDaysInvalid]),
)  # fmt: skip
async def book_members(uow: Unit, campaign_id: UUID, body: BookMembersIn) -> BatchOut:
    return await service.plan_booking(uow, campaign_id, body)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:transfer-members",
    **operation("transferMembers", "成员换组", "Move members to another group, priced anew", permission="employer.write", requirement=["E2.2"],
                body=True, problems=[CampaignNotFound, CampaignStateConflict, CampaignGroupNotFound, MemberNotFound, ExamStateConflict]),
)  # fmt: skip
async def transfer_members(uow: Unit, campaign_id: UUID, body: TransferIn) -> TransferOut:
    return await service.transfer(uow, campaign_id, body.group_id, body.member_ids)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:reprice-members",
    **operation("repriceMembers", "重新计价", "Price prepared exams anew after a change of plan, package or cap", permission="employer.write",
                requirement=["E2.2", "E7.2"], body=True, status=202, idempotent="required",
                problems=[CampaignNotFound, CampaignStateConflict, CampaignGroupNotFound]),
)  # fmt: skip
async def reprice_members(uow: Unit, campaign_id: UUID, body: RepriceIn) -> BatchOut:
    return await service.plan_repricing(uow, campaign_id, body.group_id)


@groupdesk.get(
    "/campaigns/{campaign_id:uuid}/repricings/{job_id:uuid}",
    **operation("listRepricings", "重新计价结果", "Whose exam was priced anew, and who was left alone and why", permission="employer.read",
                requirement=["E2.2"], problems=[CampaignNotFound, PageTokenInvalid]),
)  # fmt: skip
async def list_repricings(
    request: Request,
    uow: ReadUnit,
    campaign_id: UUID,
    job_id: UUID,
    outcome: Annotated[RepricingOutcome | None, Query(description="结果 · Outcome", examples=["left_alone"])] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[RepricingOut]:
    pager = Pager(runtime(request).keys, f"repricings|{campaign_id}|{job_id}|{outcome}")
    rows = await service.repricings(
        uow, campaign_id, job_id, outcome=outcome, after=pager.read(page_token), size=page_size
    )
    return pager.page(rows, page_size, lambda row: [row.list_no, row.member_id], lambda row: row)


@groupdesk.patch(
    "/members/{member_id:uuid}",
    **operation("amendMember", "修改成员", "Change a member, or what the member chose", permission="employer.write",
                requirement=["E2.2", "E2.5"], body=True, if_match=True,
                problems=[MemberNotFound, CampaignStateConflict, MemberInvalid, MemberStateConflict, MemberNotPlaced, ChoiceInvalid,
                          PackageForOtherSex, SexNotKnown, CapExceeded, *QUOTE]),
)  # fmt: skip
async def amend_member(
    request: Request, response: Response, uow: Unit, member_id: UUID, version: IfMatch, body: MemberPatch
) -> MemberOut:
    found = await service.amend_member(uow, member_id, body, version)
    set_etag(response, found.version)
    return shown_member(request, found)


@groupdesk.post(
    "/campaigns/{campaign_id:uuid}:decide-members",
    **operation("decideMembers", "判定成员终结", "Bring members to an end: done, not come, cancelled", permission="employer.write",
                requirement=["E2.6"], body=True, status=204,
                problems=[CampaignNotFound, CampaignStateConflict, MemberNotFound, MemberStateConflict, MemberBeingExamined, MemberEndUntrue]),
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
