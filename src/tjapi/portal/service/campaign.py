"""团检成员自助: a member of a campaign chooses, sees who pays what, and books; of the list nothing but the own row is ever told.

Whoever is in by a link sees no row by itself: each verb serves the caller at the campus of the own session, and takes the member from the
session, never from the request. Locks as at the group desk: campaign, exam, member.
"""

import hmac
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.appointment.schemas import AvailabilityOut, PlaceIn
from tjapi.catalog import service as catalog
from tjapi.catalog.models import ItemGroup
from tjapi.employer import service as employers
from tjapi.employer.errors import MemberNotPlaced, MemberStateConflict
from tjapi.employer.rules.campaigns import BOOKABLE
from tjapi.employer.service import Campaign, CampaignGroup, Member
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.frontdesk import service as frontdesk
from tjapi.groupdesk import service as groupdesk
from tjapi.groupdesk.errors import CampaignNotOpen
from tjapi.groupdesk.schemas import DayIn
from tjapi.identity.schemas import AccessTokenOut
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, Problem, Unauthenticated
from tjapi.kernel.security.tokens import LinkClaims, LinkMint, TokenInvalidError, TokenMint
from tjapi.kernel.uow import UnitOfWork
from tjapi.portal import repository
from tjapi.portal.errors import (
    BookedAlready,
    ChoiceNeedsOtherPlace,
    ChoiceTooLate,
    DayOutsideCampaign,
    MemberLinkRefused,
    NotBookedYet,
)
from tjapi.portal.models import MemberLink, MemberSession
from tjapi.portal.schemas import (
    MemberBooking,
    MemberLeftOut,
    MemberLinkOut,
    MemberLinksIn,
    MemberLinksOut,
    MemberLinkState,
    MemberOfferOut,
    MemberTokenIn,
    OfferedChoice,
    OfferedGroup,
    OfferedPackage,
    SelectionIn,
    SelectionOut,
    WhyNot,
)
from tjapi.pricing import service as pricing
from tjapi.pricing.errors import ChoiceInvalid
from tjapi.pricing.schemas import QuoteOut

_LIFE = timedelta(hours=2)
_MOST_FAILURES = 5
_LINK = 1
_MOST_A_DAY = 10_000
_CHOSEN = "本人改选"
_LEFT: dict[str, tuple[str, str]] = {
    "not_listed": ("不在该团检名单上", "Not on the campaign's list"),
    "no_identity": ("名单上没有证件号和电话,无法核对本人", "The list says neither an ID number nor a phone"),
    "ended": ("已终结", "Has come to an end"),
}


async def make_links(uow: UnitOfWork, mint: LinkMint, campaign_id: UUID, new: MemberLinksIn) -> MemberLinksOut:
    """Make links for members of an open campaign; an older one of theirs ends. Raises CampaignNotFound, CampaignNotOpen."""
    campaign = await employers.lock_campaign(uow, campaign_id, active=False)
    if campaign.state not in BOOKABLE:
        raise CampaignNotOpen
    listed = {m.id: m for m in await employers.members(uow, campaign_id, new.member_ids)}
    made, left = [], []
    expires_at = uow.now + timedelta(days=new.days)
    for member_id in dict.fromkeys(new.member_ids):
        member = listed.get(member_id)
        why = _left_out(member)
        if member is None or why is not None:
            zh, en = _LEFT[why or "not_listed"]
            left.append(MemberLeftOut(member_id=member_id, code=why or "not_listed", zh=zh, en=en))
            continue
        await repository.end_links(uow, [member.id])
        link = MemberLink(
            id=uuid7(), campus_id=campaign.campus_id, campaign_id=campaign.id, member_id=member.id, created_by=uow.principal.id,
            created_at=uow.now, expires_at=expires_at, failures=0,
        )  # fmt: skip
        uow.session.add(link)
        token = mint.issue(LinkClaims(member.id, link.id, _LINK), expires_at=expires_at)
        made.append(
            MemberLinkOut(
                member_id=member.id, list_no=member.list_no, name=member.name, phone_masked=member.phone_masked, link_token=token,
                expires_at=expires_at,
            )
        )  # fmt: skip
    detail = {"made": len(made), "left_out": len(left)}
    await uow.audit("member.links_made", "campaign", campaign.id, campus_id=campaign.campus_id, detail=detail)
    return MemberLinksOut(items=made, left_out=left)


def _left_out(member: Member | None) -> str | None:
    if member is None:
        return "not_listed"
    if member.state not in ("listed", "booked"):
        return "ended"
    return None if member.id_number_sealed is not None or member.phone_sealed is not None else "no_identity"


async def links_page(
    uow: UnitOfWork, campaign_id: UUID, *, after: Sequence[str] | None, size: int
) -> Sequence[MemberLinkState]:
    """Return a page of a campaign's links, newest first, one too many. Raises CampaignNotFound."""
    await employers.campaign(uow, campaign_id)
    rows = await repository.links_page(uow, campaign_id, after, size)
    return [
        MemberLinkState(
            link_id=row.id, member_id=row.member_id, created_at=row.created_at, expires_at=row.expires_at, used_at=row.used_at,
            failures=row.failures, ended_at=row.ended_at, live=row.ended_at is None and row.expires_at > uow.now,
        )
        for row in rows
    ]  # fmt: skip


async def end_link(uow: UnitOfWork, member_id: UUID) -> None:
    """End a member's link and whatever session was opened by it; there need be none. Raises MemberNotFound."""
    member = await employers.member(uow, member_id)
    if await repository.end_links(uow, [member.id]):
        await uow.audit("member.link_ended", "member", member.id, campus_id=member.campus_id)


async def issue_member_token(uow: UnitOfWork, mint: TokenMint, links: LinkMint, given: MemberTokenIn) -> AccessTokenOut:
    """Exchange a link and the last four characters for a token. Raises MemberLinkRefused; wrong tries are counted, five end the link."""
    try:
        claims = links.read(given.link_token, uow.now)
    except TokenInvalidError as error:
        raise MemberLinkRefused from error
    link = await repository.link(uow, claims.object_id)
    if link is None or link.member_id != claims.subject or link.ended_at is not None or link.expires_at <= uow.now:
        raise MemberLinkRefused
    member = await employers.member(uow, link.member_id)
    if not _ends_with(uow, member, given.last4):
        link.failures += 1
        if link.failures >= _MOST_FAILURES:
            link.ended_at = uow.now
        detail = {"failures": link.failures}
        await uow.audit("member.link_refused", "member", member.id, campus_id=link.campus_id, detail=detail)
        raise MemberLinkRefused().kept()
    link.failures, link.used_at = 0, uow.now
    session = MemberSession(
        id=uuid7(), campus_id=link.campus_id, member_id=member.id, link_id=link.id, client_id=uow.principal.id, created_at=uow.now,
        expires_at=min(uow.now + _LIFE, link.expires_at),
    )  # fmt: skip
    uow.session.add(session)
    await uow.audit("member.token_issued", "member", member.id, campus_id=link.campus_id)
    seconds = int((session.expires_at - uow.now).total_seconds())
    token = mint.issue(kind="examinee", subject=member.id, version=1, session=str(session.id), now=uow.now, seconds=seconds)  # fmt: skip
    return AccessTokenOut(access_token=token, expires_in=seconds)


def _ends_with(uow: UnitOfWork, member: Member, last4: str) -> bool:
    card = employers.card(uow, member)
    ends = [number[-4:].upper().encode() for number in (card.id_number, card.phone) if number]
    agrees = [hmac.compare_digest(end, last4.upper().encode()) for end in ends]
    return any(agrees)


async def offer(uow: UnitOfWork) -> MemberOfferOut:
    """Return what the caller's group offers, what is chosen and booked, and who pays what."""
    member, campaign = await _own(uow)
    group = await employers.group(uow, member.group_id) if member.group_id is not None else None
    employer = await employers.employer(uow, campaign.employer_id)
    exam = await exams.get(uow, member.exam_id) if member.exam_id is not None else None
    quote, refused = await _priced(uow, member)
    return MemberOfferOut(
        campaign_name=campaign.name, employer_name=employer.name, campus_id=campaign.campus_id, starts_on=campaign.starts_on,
        ends_on=campaign.ends_on, name=member.name, id_number_masked=member.id_number_masked, group_name=group.name if group else None,
        packages=[await _package(uow, package_id) for package_id in (group.package_ids if group else [])],
        included=await _groups(uow, group.item_group_ids if group else []), choices=await _choices(uow, group),
        add_ons=[_offered(row) for row in await pricing.add_ons(uow, member)], add_ons_paid=group.add_ons if group else None,
        selection=SelectionOut(package_id=member.package_id, choice_ids=member.choice_ids, self_paid_ids=member.self_paid_ids), quote=quote, quote_refused=refused,
        state=member.state, booking=await _booking(uow, exam), changeable=_why_not(uow, campaign, member, exam) is None,
    )  # fmt: skip


async def price(uow: UnitOfWork, wish: SelectionIn) -> QuoteOut:
    """Price a choice without making it. Raises MemberNotPlaced, and what pricing a member raises."""
    member, _ = await _own(uow)
    return pricing.shape(await pricing.quote_member(uow, await _as_wished(uow, member, wish)))


async def _as_wished(uow: UnitOfWork, member: Member, wish: SelectionIn) -> Member:
    """Return the member as somebody who chose this: nothing is kept of it. Raises ChoiceInvalid of what may not be added on."""
    asked = Member(
        id=member.id, campaign_id=member.campaign_id, group_id=member.group_id, sex=member.sex, birth_date=member.birth_date,
        package_id=wish.package_id, choice_ids=wish.choice_ids, self_paid_ids=member.self_paid_ids,
    )  # fmt: skip
    asked.self_paid_ids = await _added_on(uow, asked, wish)
    return asked


async def choose(uow: UnitOfWork, wish: SelectionIn, *, payment_required: bool) -> MemberOfferOut:
    """Keep a choice; whoever is booked has the exam priced anew, where what the member pays waits for payment if that is required.

    Raises CampaignNotOpen, ChoiceTooLate, MemberStateConflict, MemberNotPlaced, ChoiceNeedsOtherPlace, and what pricing raises.
    """
    member, _, exam = await _changing(uow)
    before = await _resources(uow, exam) if exam is not None else set()
    asked = await _as_wished(uow, member, wish)
    await employers.choose(uow, member, wish.package_id, wish.choice_ids, asked.self_paid_ids)
    if exam is None:
        await pricing.quote_member(uow, member)
    else:
        await exams.reprice(uow, exam.id, member, reason=_CHOSEN, payment_required=payment_required)
        if not await _resources(uow, exam) <= before and await appointments.of_exam(uow, exam.id) is not None:
            raise ChoiceNeedsOtherPlace
    return await offer(uow)


async def _added_on(uow: UnitOfWork, member: Member, wish: SelectionIn) -> list[UUID]:
    """Return what is added on: what was before, or what is wished now of what may be added on. Raises ChoiceInvalid naming each that may not."""
    there = list(member.self_paid_ids)
    if wish.self_paid_ids is None:
        return there
    offered = {row.id for row in await pricing.add_ons(uow, member)} | set(
        there
    )  # what the unit's desk added stays possible
    errors = [
        FieldError(f"/self_paid_ids/{i}", "not-offered", "不在可加项目中", "is not among what may be added on")
        for i, wished in enumerate(wish.self_paid_ids)
        if wished not in offered
    ]
    if errors:
        raise ChoiceInvalid(errors=errors)
    return list(dict.fromkeys(wish.self_paid_ids))


async def free_places(uow: UnitOfWork, first: date, last: date) -> AvailabilityOut:
    """Return where there are places for the caller. Raises what `appointments.availability` raises."""
    _, campaign = await _own(uow)
    return await appointments.availability(uow, campaign.campus_id, first, last, online=True)


async def book_place(uow: UnitOfWork, to: PlaceIn, *, payment_required: bool) -> MemberOfferOut:
    """Book the caller: the exam as chosen, and the place. Raises OnlineBookingClosed, DayOutsideCampaign, BookedAlready, DaysFull and what booking a member raises."""
    member, campaign, exam = await _changing(uow)
    if exam is not None:
        raise BookedAlready
    await _refuse_day(uow, campaign, to.day)
    if member.group_id is None:
        raise MemberNotPlaced
    place = DayIn(day=to.day, session_id=to.session_id, quota=_MOST_A_DAY)
    await groupdesk.book_member(uow, member.id, [place], source="portal", payment_required=payment_required)
    return await offer(uow)


async def move_place(uow: UnitOfWork, to: PlaceIn) -> MemberOfferOut:
    """Move the caller's booking, or take a place for one that has only a day. Raises NotBookedYet, DayOutsideCampaign, DaysFull, and what moving a booking raises."""
    _, campaign, exam = await _changing(uow)
    if exam is None:
        raise NotBookedYet
    if to.day != exam.exam_date:
        await _refuse_day(uow, campaign, to.day)
    await appointments.refuse_offline(uow, campaign.campus_id)
    found = await appointments.of_exam(uow, exam.id)
    if found is not None:
        await frontdesk.reschedule_booking(uow, found.id, to.day, to.session_id)
    else:  # the unit named a day without a session: from now on the member has a place
        await exams.reschedule(uow, exam.id, to.day)
        place = appointments.Order(
            campus_id=campaign.campus_id, day=to.day, session_id=to.session_id, examinee_id=exam.examinee_id, exam_id=exam.id,
            resources=await _resources(uow, exam), source="portal",
        )  # fmt: skip
        await appointments.book(uow, place)
    return await offer(uow)


async def cancel_place(uow: UnitOfWork, reason: str) -> MemberOfferOut:
    """Cancel the caller's booking; the member is on the list again, with what was chosen. Raises NotBookedYet, and what cancelling raises."""
    _, _, exam = await _changing(uow)
    if exam is None:
        raise NotBookedYet
    found = await appointments.of_exam(uow, exam.id)
    if found is None:
        await exams.cancel(uow, exam.id, reason)
    else:
        await frontdesk.cancel_booking(uow, found.id, reason)
    return await offer(uow)


async def _own(uow: UnitOfWork) -> tuple[Member, Campaign]:
    """Serve the caller at the own campus and return the own member: of nobody else anything is asked or told."""
    if not uow.principal.campuses:
        campus = await repository.member_campus(uow, UUID(uow.principal.session))
        if campus is None:  # it ended in between
            raise Unauthenticated
        await uow.serve(campus)
    await uow.session.flush()
    member = await employers.member(uow, uow.principal.id)
    return member, await employers.campaign(uow, member.campaign_id)


async def _changing(uow: UnitOfWork) -> tuple[Member, Campaign, Exam | None]:
    """Return the caller under the locks of a change. Raises CampaignNotOpen, MemberStateConflict, ChoiceTooLate."""
    seen, _ = await _own(uow)
    campaign = await employers.lock_campaign(uow, seen.campaign_id, active=False)
    seen = await employers.member(uow, seen.id)
    exam = await exams.lock(uow, seen.exam_id) if seen.exam_id is not None else None
    member = await employers.lock_member(uow, seen.id)
    why = _why_not(uow, campaign, member, exam)
    if why is not None:
        raise why
    return member, campaign, exam


def _why_not(uow: UnitOfWork, campaign: Campaign, member: Member, exam: Exam | None) -> Problem | None:
    if campaign.state not in BOOKABLE:
        return CampaignNotOpen()
    if member.state not in ("listed", "booked"):
        return MemberStateConflict("成员当前为「{current}」", "The member's state is: {current}", current=member.state)
    if exam is not None and (exam.state != "prepared" or exam.exam_date <= business_day(uow.now)):
        return ChoiceTooLate()
    return None


async def _refuse_day(uow: UnitOfWork, campaign: Campaign, day: date) -> None:
    if not campaign.starts_on <= day <= campaign.ends_on:
        raise DayOutsideCampaign
    await appointments.refuse_offline(uow, campaign.campus_id)
    await groupdesk.refuse_full_day(uow, campaign, day)


async def _resources(uow: UnitOfWork, exam: Exam) -> set[str]:
    groups = await catalog.item_groups(uow, [line.item_group_id for line in await exams.live_lines(uow, exam.id)])
    return {group.resource for group in groups if group.resource}


async def _priced(uow: UnitOfWork, member: Member) -> tuple[QuoteOut | None, WhyNot | None]:
    try:
        return pricing.shape(await pricing.quote_member(uow, member)), None
    except Problem as problem:
        first = problem.errors[0] if problem.errors else None
        zh, en = (first.zh, first.en) if first else (problem.zh, problem.en)
        return None, WhyNot(code=type(problem).slug(), zh=zh, en=en)


async def _booking(uow: UnitOfWork, exam: Exam | None) -> MemberBooking | None:
    if exam is None:
        return None
    found = await appointments.of_exam(uow, exam.id)
    return MemberBooking(
        exam_no=exam.exam_no, exam_date=exam.exam_date, appointment=appointments.out(found) if found else None
    )


async def _package(uow: UnitOfWork, package_id: UUID) -> OfferedPackage:
    package = await catalog.package(uow, package_id)
    return OfferedPackage(
        package_id=package.id, name=package.name, groups=[_offered(g) for g in await catalog.package_groups(uow, package_id)],
        choices=[
            OfferedChoice(name=o.name, choose=o.choose, exactly=True, groups=[_offered(g) for g in o.groups])
            for o in await catalog.package_options(uow, package_id)
        ],
    )  # fmt: skip


async def _choices(uow: UnitOfWork, group: CampaignGroup | None) -> list[OfferedChoice]:
    return [
        OfferedChoice(
            name=row["name"], choose=row["choose"], exactly=False, groups=await _groups(uow, [UUID(g) for g in row["item_group_ids"]])
        )
        for row in (group.choices if group else [])
    ]  # fmt: skip


async def _groups(uow: UnitOfWork, ids: Sequence[UUID]) -> list[OfferedGroup]:
    return [_offered(group) for group in await catalog.item_groups(uow, ids)]


def _offered(group: ItemGroup) -> OfferedGroup:
    return OfferedGroup(item_group_id=group.id, name=group.name, price_fen=group.price_fen, precaution=group.precaution)
