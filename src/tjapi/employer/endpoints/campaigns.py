"""HTTP of campaigns, their groups and members."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from tjapi.employer import service
from tjapi.employer.endpoints.employers import OfEmployer
from tjapi.employer.errors import (
    CampaignFollowed,
    CampaignGroupInvalid,
    CampaignInvalid,
    CampaignNotFound,
    CampaignStateConflict,
    ContractNotFound,
    EmployerNotFound,
    MemberInvalid,
    MemberListedAlready,
    MemberNotFound,
)
from tjapi.employer.rules.campaigns import CampaignState, MemberState, Placement
from tjapi.employer.schemas import (
    CampaignDetail,
    CampaignIn,
    CampaignOut,
    CampaignPatch,
    GroupIn,
    GroupOut,
    MemberIn,
    MemberOut,
    NextCampaignIn,
    ReopenIn,
)
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime

campaigns = router("campaigns")
GroupCode = Annotated[
    str,
    Path(
        min_length=1,
        max_length=32,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="分组编号 · Code of the group",
        examples=["F1"],
    ),
]


@campaigns.post(
    "/campaigns",
    **operation("createCampaign", "新建团检任务", "Plan a campaign", permission="employer.write", requirement=["E2.2"], body=True, status=201,
                idempotent="required", problems=[CampusNotHeld, EmployerNotFound, ContractNotFound, CampaignInvalid]),
)  # fmt: skip
async def create_campaign(response: Response, uow: Unit, body: CampaignIn) -> CampaignOut:
    made = await service.create_campaign(uow, body)
    set_etag(response, made.version)
    return CampaignOut.model_validate(made)


@campaigns.get(
    "/campaigns",
    **operation("listCampaigns", "团检任务列表", "Campaigns, the latest first", permission="employer.read", requirement=["E2.1"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_campaigns(
    request: Request,
    uow: ReadUnit,
    employer_id: OfEmployer = None,
    state: Annotated[CampaignState | None, Query(description="状态 · State")] = None,
    year: Annotated[int | None, Query(ge=2000, le=2099, description="年度 · Year", examples=[2026])] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[CampaignOut]:
    pager = Pager(runtime(request).keys, f"campaigns|{employer_id}|{state}|{year}")
    rows = await service.campaigns_page(
        uow, employer_id=employer_id, state=state, year=year, after=pager.read(page_token), size=page_size
    )
    return pager.page(rows, page_size, lambda row: [row.id], CampaignOut.model_validate)


@campaigns.get(
    "/campaigns/{campaign_id:uuid}",
    **operation("getCampaign", "团检任务详情", "One campaign with its groups", permission="employer.read", requirement=["E2.1", "E2.2"],
                problems=[CampaignNotFound]),
)  # fmt: skip
async def get_campaign(response: Response, uow: ReadUnit, campaign_id: UUID) -> CampaignDetail:
    found = await service.describe_campaign(uow, campaign_id)
    set_etag(response, found.version)
    return found


@campaigns.patch(
    "/campaigns/{campaign_id:uuid}",
    **operation("updateCampaign", "修改团检任务", "Change a campaign", permission="employer.write", requirement=["E2.2"], body=True, if_match=True,
                problems=[CampaignNotFound, CampaignStateConflict, CampaignInvalid, ContractNotFound]),
)  # fmt: skip
async def update_campaign(
    response: Response, uow: Unit, campaign_id: UUID, version: IfMatch, body: CampaignPatch
) -> CampaignOut:
    found = await service.update_campaign(uow, campaign_id, body, version)
    set_etag(response, found.version)
    return CampaignOut.model_validate(found)


@campaigns.post(
    "/campaigns/{campaign_id:uuid}:open",
    **operation("openCampaign", "启动团检任务", "Let members be booked", permission="employer.write", requirement=["E2.6"],
                problems=[CampaignNotFound, CampaignStateConflict, CampaignInvalid]),
)  # fmt: skip
async def open_campaign(response: Response, uow: Unit, campaign_id: UUID) -> CampaignOut:
    found = await service.open_campaign(uow, campaign_id)
    set_etag(response, found.version)
    return CampaignOut.model_validate(found)


@campaigns.post(
    "/campaigns/{campaign_id:uuid}:reopen",
    **operation("reopenCampaign", "重新启动团检任务", "Open a completed campaign again, for a reason", permission="campaign.complete",
                requirement=["E2.6"], body=True, problems=[CampaignNotFound, CampaignStateConflict]),
)  # fmt: skip
async def reopen_campaign(response: Response, uow: Unit, campaign_id: UUID, body: ReopenIn) -> CampaignOut:
    found = await service.reopen(uow, campaign_id, body.reason)
    set_etag(response, found.version)
    return CampaignOut.model_validate(found)


@campaigns.post(
    "/campaigns/{campaign_id:uuid}:start-next",
    **operation("startNextCampaign", "建立下一次团检任务", "Plan the next campaign, pre-filled", permission="campaign.complete",
                requirement=["E2.6"], body=True, status=201, idempotent="required",
                problems=[CampaignNotFound, CampaignStateConflict, CampaignFollowed, CampaignInvalid]),
)  # fmt: skip
async def start_next_campaign(response: Response, uow: Unit, campaign_id: UUID, body: NextCampaignIn) -> CampaignOut:
    made = await service.next_campaign(uow, campaign_id, body)
    set_etag(response, made.version)
    return CampaignOut.model_validate(made)


@campaigns.put(
    "/campaigns/{campaign_id:uuid}/groups/{group_code}",
    **operation("putCampaignGroup", "设置分组", "Make or change a group", permission="employer.write", requirement=["E2.2", "E7.2"], body=True,
                problems=[CampaignNotFound, CampaignStateConflict, CampaignGroupInvalid]),
)  # fmt: skip
async def put_group(uow: Unit, campaign_id: UUID, group_code: GroupCode, body: GroupIn) -> GroupOut:
    return GroupOut.model_validate(await service.put_group(uow, campaign_id, group_code, body))


@campaigns.post(
    "/campaigns/{campaign_id:uuid}/members",
    **operation("addMember", "新增成员", "Put one person on the list", permission="employer.write", requirement=["E2.3"], body=True, status=201,
                idempotent="required", problems=[CampaignNotFound, CampaignStateConflict, MemberInvalid, MemberListedAlready]),
)  # fmt: skip
async def add_member(request: Request, response: Response, uow: Unit, campaign_id: UUID, body: MemberIn) -> MemberOut:
    made = await service.add_member(uow, campaign_id, body)
    set_etag(response, made.version)
    return shown_member(request, made)


def shown_member(request: Request, found: service.Member) -> MemberOut:
    """Return the public shape of a member, with the characters of the name that paper will not show."""
    unprintable = runtime(request).services.printing.unprintable(found.name)
    return MemberOut.model_validate(found).model_copy(update={"unprintable": unprintable})


@campaigns.get(
    "/campaigns/{campaign_id:uuid}/members",
    **operation("listMembers", "成员名单", "Members, in the order of the list", permission="employer.read", requirement=["E2.1", "E2.2"],
                problems=[CampaignNotFound, PageTokenInvalid]),
)  # fmt: skip
async def list_members(
    request: Request,
    uow: ReadUnit,
    campaign_id: UUID,
    state: Annotated[MemberState | None, Query(description="状态 · State")] = None,
    group_id: Annotated[UUID | None, Query(description="分组 · Group")] = None,
    placement: Annotated[
        Placement | None, Query(description="归组方式;none 与 ambiguous 为未归组 · How placed", examples=["none"])
    ] = None,
    refused: Annotated[
        bool | None, Query(description="上次预约未成的 · Those whom the last try to book left out", examples=[True])
    ] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[MemberOut]:
    pager = Pager(runtime(request).keys, f"members|{campaign_id}|{state}|{group_id}|{placement}|{refused}")
    rows = await service.members_page(
        uow, campaign_id=campaign_id, state=state, group_id=group_id, placement=placement, refused=refused,
        after=pager.read(page_token), size=page_size,
    )  # fmt: skip
    return pager.page(rows, page_size, lambda row: [row.list_no, row.id], lambda row: shown_member(request, row))


@campaigns.get(
    "/members/{member_id:uuid}",
    **operation("getMember", "成员详情", "One member, masked", permission="employer.read", requirement=["E2.2"], problems=[MemberNotFound]),
)  # fmt: skip
async def get_member(request: Request, response: Response, uow: ReadUnit, member_id: UUID) -> MemberOut:
    found = await service.member(uow, member_id)
    set_etag(response, found.version)
    return shown_member(request, found)
