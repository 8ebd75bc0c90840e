"""HTTP of a campaign's members: their links, and what they do by them. No path names a member: the session says who it is."""

from uuid import UUID

from fastapi import Request

from tjapi.appointment.endpoints import First, Last
from tjapi.appointment.errors import AppointmentDayOutOfReach, AppointmentStateConflict, OnlineBookingClosed
from tjapi.appointment.schemas import AvailabilityOut, CancelAppointmentIn, PlaceIn
from tjapi.employer.errors import CampaignNotFound, MemberNotFound, MemberNotPlaced, MemberOutgrown, MemberStateConflict
from tjapi.exam.errors import DecisionInTheWay, ExamStateConflict, LineStateConflict
from tjapi.examinee.errors import (
    ExamineeDetailsDiffer,
    ExamineeDetailsInvalid,
    ExamineeNameDiffers,
    IdCardContradiction,
    IdNumberInvalid,
)
from tjapi.frontdesk.endpoints import BOOKING, PLACE
from tjapi.groupdesk.errors import CampaignNotOpen, DaysFull, DaysNotOffered
from tjapi.identity.errors import CampusNotHeld
from tjapi.identity.schemas import AccessTokenOut
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.problem import Problem
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.security.tokens import LinkMint
from tjapi.portal import service
from tjapi.portal.errors import (
    BookedAlready,
    ChoiceNeedsOtherPlace,
    ChoiceTooLate,
    DayOutsideCampaign,
    MemberLinkRefused,
    NotBookedYet,
)
from tjapi.portal.schemas import (
    MemberLinksIn,
    MemberLinksOut,
    MemberLinkState,
    MemberOfferOut,
    MemberTokenIn,
    SelectionIn,
)
from tjapi.pricing.endpoints import QUOTE
from tjapi.pricing.errors import CapExceeded, ChoiceInvalid, PackageForOtherSex, SexNotKnown
from tjapi.pricing.schemas import QuoteOut

member_links = router("campaigns")
own_campaign = router("me")
_PRICE: list[type[Problem]] = [*QUOTE, MemberNotPlaced, ChoiceInvalid, PackageForOtherSex, SexNotKnown, CapExceeded]
_MEET: list[type[Problem]] = [
    IdNumberInvalid, IdCardContradiction, ExamineeDetailsInvalid, ExamineeNameDiffers, ExamineeDetailsDiffer,
]  # fmt: skip
"""Why what the list says of a person does not do to meet them by."""
_CHANGE: list[type[Problem]] = [CampaignNotOpen, MemberStateConflict, ChoiceTooLate, ExamStateConflict]


@member_links.post(
    "/campaigns/{campaign_id:uuid}/member-links",
    **operation("makeMemberLinks", "生成成员自助链接", "Links by which members choose and book for themselves", permission="employer.write",
                requirement=["E2.4", "E2.5", "I5"], body=True, problems=[CampaignNotFound, CampaignNotOpen]),
)  # fmt: skip
async def make_member_links(request: Request, uow: Unit, campaign_id: UUID, body: MemberLinksIn) -> MemberLinksOut:
    return await service.make_links(uow, LinkMint(runtime(request).keys), campaign_id, body)


@member_links.get(
    "/campaigns/{campaign_id:uuid}/member-links",
    **operation("listMemberLinks", "成员自助链接状态", "Whether links live, were used, or were tried wrongly", permission="employer.read",
                requirement=["E2.4", "I5"], problems=[CampaignNotFound, PageTokenInvalid]),
)  # fmt: skip
async def list_member_links(
    request: Request, uow: ReadUnit, campaign_id: UUID, page_size: PageSize = 50, page_token: PageToken = None
) -> Page[MemberLinkState]:
    pager = Pager(runtime(request).keys, f"member-links|{campaign_id}")
    rows = await service.links_page(uow, campaign_id, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.link_id], lambda row: row)


@member_links.post(
    "/members/{member_id:uuid}:end-link",
    **operation("endMemberLink", "作废成员自助链接", "End a member's link and its sessions", permission="employer.write", requirement=["E2.4", "I5"],
                status=204, problems=[MemberNotFound]),
)  # fmt: skip
async def end_member_link(uow: Unit, member_id: UUID) -> None:
    await service.end_link(uow, member_id)


@own_campaign.post(
    "/auth/member-token",
    **operation("issueMemberToken", "为团检成员换取令牌", "A token for a member of a campaign", permission="portal.grant", requirement=["I5", "E2.4"],
                body=True, audience="integration", problems=[MemberLinkRefused]),
)  # fmt: skip
async def issue_member_token(request: Request, uow: Unit, body: MemberTokenIn) -> AccessTokenOut:
    held = runtime(request)
    return await service.issue_member_token(uow, held.mint, LinkMint(held.keys), body)


@own_campaign.get(
    "/me/campaign",
    **operation("getMyCampaign", "本人团检", "What the campaign offers, what is chosen and booked, who pays what", permission="member.self",
                requirement=["E2.2", "E2.4", "E2.5", "I5"], audience="me"),
)  # fmt: skip
async def get_my_campaign(uow: Unit) -> MemberOfferOut:
    return await service.offer(uow)


@own_campaign.post(
    "/me/campaign:quote",
    **operation("quoteMyCampaign", "试算选择", "What a choice would cost, and who pays what", permission="member.self",
                requirement=["E2.2", "E2.5", "I5"], audience="me", body=True, problems=_PRICE),
)  # fmt: skip
async def quote_my_campaign(uow: Unit, body: SelectionIn) -> QuoteOut:
    return await service.price(uow, body)


@own_campaign.put(
    "/me/campaign/selection",
    **operation("putMySelection", "选择套餐、自选项目和自费加项", "Choose a package, what is to be chosen, and what is added on", permission="member.self",
                requirement=["E2.2", "E2.5", "I5"], audience="me", body=True, problems=[*_PRICE, *_CHANGE, ChoiceNeedsOtherPlace, DecisionInTheWay]),
)  # fmt: skip
async def put_my_selection(request: Request, uow: Unit, body: SelectionIn) -> MemberOfferOut:
    return await service.choose(uow, body, payment_required=runtime(request).settings.payment_required)


@own_campaign.get(
    "/me/campaign/availability",
    **operation("getMyCampaignAvailability", "本人团检可约名额", "Where there are places", permission="member.self", requirement=["E1.3", "E2.4", "I5"],
                audience="me", problems=[CampusNotHeld, OnlineBookingClosed, AppointmentDayOutOfReach]),
)  # fmt: skip
async def get_my_campaign_availability(uow: Unit, day_from: First, day_to: Last) -> AvailabilityOut:
    return await service.free_places(uow, day_from, day_to)


@own_campaign.post(
    "/me/campaign:book",
    **operation("bookMyCampaign", "自助预约团检", "Book the own exam on a day with a place", permission="member.self", requirement=["E1.3", "E2.4", "I5"],
                audience="me", body=True, idempotent="required",
                problems=[*BOOKING, *_MEET, *_PRICE, *_CHANGE, BookedAlready, MemberOutgrown, DayOutsideCampaign, DaysFull, DaysNotOffered, OnlineBookingClosed]),
)  # fmt: skip
async def book_my_campaign(request: Request, uow: Unit, body: PlaceIn) -> MemberOfferOut:
    return await service.book_place(uow, body, payment_required=runtime(request).settings.payment_required)


@own_campaign.post(
    "/me/campaign:reschedule",
    **operation("rescheduleMyCampaign", "自助改期团检", "Move the own booking", permission="member.self", requirement=["E1.3", "E2.4", "I5"],
                audience="me", body=True,
                problems=[*PLACE, *_CHANGE, AppointmentStateConflict, NotBookedYet, MemberOutgrown, DayOutsideCampaign, DaysFull, OnlineBookingClosed]),
)  # fmt: skip
async def reschedule_my_campaign(uow: Unit, body: PlaceIn) -> MemberOfferOut:
    return await service.move_place(uow, body)


@own_campaign.post(
    "/me/campaign:cancel",
    **operation("cancelMyCampaign", "自助取消团检预约", "Cancel the own booking", permission="member.self", requirement=["E1.3", "E2.4", "I5"],
                audience="me", body=True, problems=[*_CHANGE, AppointmentStateConflict, LineStateConflict, NotBookedYet]),
)  # fmt: skip
async def cancel_my_campaign(uow: Unit, body: CancelAppointmentIn) -> MemberOfferOut:
    return await service.cancel_place(uow, body.reason)
