"""The verbs of the group desk. Whatever changes a campaign's members locks the campaign first, then the member's exam, then the member."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.appointment.errors import AppointmentFull, AppointmentSessionNotForSex
from tjapi.appointment.rules import AppointmentSource
from tjapi.catalog import service as catalog
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignGroupNotFound, MemberNotFound, MemberNotPlaced
from tjapi.employer.rules.campaigns import BOOKABLE, TERMINAL
from tjapi.employer.service import Campaign, Member
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service as examinees
from tjapi.groupdesk import views
from tjapi.groupdesk.errors import CampaignNotOpen, DaysFull, MemberBeingExamined
from tjapi.groupdesk.rules import NOTHING_TO_LOSE
from tjapi.groupdesk.schemas import (
    BatchOut,
    BookMembersIn,
    DayIn,
    DecisionIn,
    LeftAlone,
    Moved,
    ProgressListOut,
    ProgressOut,
    StandingOut,
    TransferOut,
)
from tjapi.kernel.problem import FieldError, Problem, naming
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing

BOOK = "groupdesk.book_members"
_LEFT: dict[str, tuple[str, str]] = {
    "same_group": ("已在该分组", "Belongs to this group already"),
    "arrived": ("已报到,不再换组", "Has arrived: not moved any more"),
    "ended": ("已终结", "Has come to an end"),
}
_REGROUPED = "换组重新计价"


async def plan_booking(uow: UnitOfWork, campaign_id: UUID, plan: BookMembersIn) -> BatchOut:
    """Have members booked by a job: whoever of them is listed still. Raises CampaignNotFound, CampaignNotOpen, CampaignGroupNotFound, MemberNotFound."""
    found = await employers.lock_campaign(uow, campaign_id, active=False)
    if found.state not in BOOKABLE:
        raise CampaignNotOpen
    if plan.group_id is not None:
        with naming("/group_id"):
            await _group_of(uow, campaign_id, plan.group_id)
    await _refuse_strangers(uow, campaign_id, plan.member_ids)
    waiting = await to_book(uow, campaign_id, plan)
    payload = {"campaign_id": str(campaign_id), "plan": plan.model_dump(mode="json")}
    job_id = await uow.enqueue(BOOK, payload, campus_id=found.campus_id, lane=f"campaign:{campaign_id}")
    await uow.audit(
        "campaign.booking_asked", "campaign", campaign_id, campus_id=found.campus_id, detail={"members": len(waiting)}
    )
    return BatchOut(job_id=job_id, campaign_id=campaign_id, members=len(waiting))


async def _group_of(uow: UnitOfWork, campaign_id: UUID, group_id: UUID) -> None:
    """Refuse a group that is none of the campaign's. Raises CampaignGroupNotFound."""
    if (await employers.group(uow, group_id)).campaign_id != campaign_id:
        raise CampaignGroupNotFound


async def _refuse_strangers(uow: UnitOfWork, campaign_id: UUID, member_ids: Sequence[UUID]) -> None:
    """Refuse ids that are on no line of the campaign's list. Raises MemberNotFound, naming each."""
    there = {member.id for member in await employers.members(uow, campaign_id, member_ids)} if member_ids else set()
    strange = [
        FieldError(f"/member_ids/{i}", "not-found", "名单上没有这个人", "no such member")
        for i, member_id in enumerate(member_ids)
        if member_id not in there
    ]
    if strange:
        raise MemberNotFound(errors=strange)


async def to_book(uow: UnitOfWork, campaign_id: UUID, plan: BookMembersIn) -> Sequence[UUID]:
    """Return whom a plan would book now, in the order of the list."""
    return await employers.listed(uow, campaign_id, plan.member_ids or None, plan.group_id)


async def book_member(
    uow: UnitOfWork,
    member_id: UUID,
    days: Sequence[DayIn],
    *,
    source: AppointmentSource = "batch",
    payment_required: bool = False,
) -> bool:
    """Book a member on the first day of a plan that has a place; False when there is nothing to do any more, so that doing it twice is once.

    The campaign's lock makes quotas exact: two batches never count the same place. Raises DaysFull, CampaignNotOpen, MemberNotPlaced, and
    what meeting the person, pricing and registering raise.
    """
    seen = await employers.member(uow, member_id)
    campaign = await employers.lock_campaign(uow, seen.campaign_id, active=False)
    if campaign.state not in BOOKABLE:
        raise CampaignNotOpen
    member = await employers.lock_member(uow, member_id)
    if member.state != "listed":
        return False
    if member.group_id is None:
        raise MemberNotPlaced
    examinee_id = await _meet(uow, campaign, member)
    await _take_place(
        uow,
        campaign,
        member,
        examinee_id,
        await _first_free(uow, campaign, examinee_id, days),
        source=source,
        payment_required=payment_required,
    )
    return True


async def _meet(uow: UnitOfWork, campaign: Campaign, member: Member) -> UUID:
    if member.examinee_id is not None:
        return member.examinee_id
    person, _ = await examinees.meet(uow, employers.card(uow, member), campaign.campus_id)
    return person.id


async def _first_free(uow: UnitOfWork, campaign: Campaign, examinee_id: UUID, days: Sequence[DayIn]) -> DayIn:
    taken = await views.taken(uow, campaign.id)
    for place in days:
        if _is_spent(place, taken):
            continue
        if place.session_id is not None:
            try:
                await appointments.look(uow, _order(campaign, examinee_id, place))
            except (AppointmentFull, AppointmentSessionNotForSex):
                continue
        return place
    raise DaysFull


def _is_spent(place: DayIn, taken: Mapping[tuple[date, UUID | None], int]) -> bool:
    """Say whether a day of the plan has all whom its quota allows."""
    return taken.get((place.day, place.session_id), 0) >= place.quota


def _order(campaign: Campaign, examinee_id: UUID, place: DayIn) -> appointments.Order:
    assert place.session_id is not None
    return appointments.Order(
        campus_id=campaign.campus_id,
        day=place.day,
        session_id=place.session_id,
        examinee_id=examinee_id,
        source="batch",
    )


async def _take_place(
    uow: UnitOfWork,
    campaign: Campaign,
    member: Member,
    examinee_id: UUID,
    place: DayIn,
    *,
    source: AppointmentSource,
    payment_required: bool,
) -> None:
    order = ExamIn(campus_id=campaign.campus_id, examinee_id=examinee_id, exam_date=place.day)
    exam = await exams.register(uow, order, payment_required=payment_required, member=member)
    if place.session_id is not None:
        groups = await catalog.item_groups(uow, [line.item_group_id for line in await exams.lines(uow, exam.id)])
        needed = {group.resource for group in groups if group.resource}
        wish = _order(campaign, examinee_id, place)
        await appointments.book(
            uow,
            appointments.Order(
                campus_id=wish.campus_id, day=wish.day, session_id=wish.session_id, examinee_id=wish.examinee_id, exam_id=exam.id, resources=needed,
                source=source,
            ),
        )  # fmt: skip
    await employers.bind(uow, member, examinee_id, exam.id)


class Apart(Exception):  # noqa: N818 - an instruction, not an error
    """Some of those who were to be booked together cannot be: nothing of the unit may be kept, and the others are asked for again.

    `full`: no day of the plan has a place for them. `alone`: booked one by one they are, or are told why not.
    """

    def __init__(self, *, full: Sequence[UUID] = (), alone: Sequence[UUID] = ()) -> None:
        super().__init__(f"{len(full)} find no place, {len(alone)} go alone")
        self.full, self.alone = full, alone


async def prepare(uow: UnitOfWork, campaign_id: UUID, days: Sequence[DayIn]) -> None:
    """Make ready what members take places of: in a unit of its own, before some are booked together. Raises CampaignNotFound."""
    booked_on = {place.day for place in days if place.session_id is not None}
    if booked_on:
        await appointments.prepare(uow, (await employers.campaign(uow, campaign_id)).campus_id, booked_on)


async def book_together(
    uow: UnitOfWork,
    campaign_id: UUID,
    member_ids: Sequence[UUID],
    days: Sequence[DayIn],
    *,
    payment_required: bool = False,
) -> int:
    """Do for many members what `book_member` does for each, in a few statements; return how many were booked.

    Who is listed no more is left out, so that doing it twice is once. Raises CampaignNotOpen; Apart, and AppointmentFull or
    AppointmentTwice when somebody else took a place meanwhile: then nothing may be kept.
    """
    campaign = await employers.lock_campaign(uow, campaign_id, active=False)
    if campaign.state not in BOOKABLE:
        raise CampaignNotOpen
    members = [m for m in await employers.lock_members(uow, campaign_id, member_ids) if m.state == "listed"]
    if not members:
        return 0
    if unplaced := [m.id for m in members if m.group_id is None]:
        raise Apart(alone=unplaced)
    taken = Counter(await views.taken(uow, campaign.id))
    desk = await _desk(uow, campaign, days)
    places = [place for place in days if _is_open(place, taken, desk)]
    if not places:
        raise Apart(full=[m.id for m in members])
    people = await _meet_all(uow, campaign, members)
    if desk is not None:
        await desk.expect([person.id for person in people.values()])
    orders, with_place = await _spread(uow, campaign, [(m, people[m.id]) for m in members], places, taken, desk)
    exam_ids = await exams.register_members(uow, campaign, orders, payment_required=payment_required)
    if desk is not None:
        await desk.book([exam_ids[i] for i in with_place])
    bound = {order.member.id: (order.person.id, exam_id) for order, exam_id in zip(orders, exam_ids, strict=True)}
    await employers.bind_many(uow, campaign.campus_id, bound)
    return len(orders)


async def _spread(
    uow: UnitOfWork,
    campaign: Campaign,
    people: Sequence[tuple[Member, examinees.Examinee]],
    places: Sequence[DayIn],
    taken: Counter[tuple[date, UUID | None]],
    desk: appointments.Batch | None,
) -> tuple[list[exams.MemberOrder], list[int]]:
    """Give each the first place of the plan that takes them; return their exams, and which of them have a place in a session.

    Raises Apart with those whom no place takes, and those who are refused.
    """
    quotes = pricing.MemberQuotes(uow)
    orders: list[exams.MemberOrder] = []
    with_place, full, alone = [], [], []
    for member, person in people:
        try:
            place = await _first_open(places, taken, desk, person.sex)
            order = await exams.member_order(quotes, member, person, place.day)
            if place.session_id is not None and desk is not None:
                needed = {line.item_group.resource for line in order.quote.lines if line.item_group.resource}
                await desk.add(replace(_order(campaign, person.id, place), resources=needed), person)
                with_place.append(len(orders))
        except DaysFull:
            full.append(member.id)
        except Problem:
            alone.append(member.id)
        else:
            orders.append(order)
            taken[place.day, place.session_id] += 1
    if full or alone:
        raise Apart(full=full, alone=alone)
    return orders, with_place


async def _desk(uow: UnitOfWork, campaign: Campaign, days: Sequence[DayIn]) -> appointments.Batch | None:
    """Return where places are taken; None: the plan takes none, its quotas alone count."""
    booked_on = {place.day for place in days if place.session_id is not None}
    return await appointments.Batch.open(uow, campaign.campus_id, booked_on) if booked_on else None


def _is_open(place: DayIn, taken: Counter[tuple[date, UUID | None]], desk: appointments.Batch | None) -> bool:
    if _is_spent(place, taken):
        return False
    return place.session_id is None or desk is None or not desk.is_full(place.day, place.session_id)


async def _first_open(
    places: Sequence[DayIn], taken: Counter[tuple[date, UUID | None]], desk: appointments.Batch | None, sex: str
) -> DayIn:
    for place in places:
        if _is_spent(place, taken):
            continue
        if place.session_id is None or desk is None or await desk.has_room(place.day, place.session_id, sex):
            return place
    raise DaysFull


async def _meet_all(uow: UnitOfWork, campaign: Campaign, members: Sequence[Member]) -> dict[UUID, examinees.Examinee]:
    """Return who each member is, found or entered. Raises Apart with those who are not met together."""
    met_before = await examinees.many(uow, [m.examinee_id for m in members if m.examinee_id is not None])
    to_meet = [m for m in members if m.examinee_id is None]
    met = await examinees.meet_many(uow, [employers.card(uow, m) for m in to_meet], campaign.campus_id)
    people = {m.id: met_before[m.examinee_id] for m in members if m.examinee_id in met_before}
    people |= {m.id: one for m, one in zip(to_meet, met, strict=True) if not isinstance(one, Problem)}
    if alone := [m.id for m in members if m.id not in people]:
        raise Apart(alone=alone)
    return people


async def refuse_full(uow: UnitOfWork, campaign_id: UUID, member_ids: Sequence[UUID]) -> None:
    """Keep that no day of the plan had a place for some members."""
    await employers.refuse_many(uow, campaign_id, member_ids, DaysFull.slug(), DaysFull.zh, DaysFull.en)


async def booked_on(uow: UnitOfWork, campaign_id: UUID, day: date) -> int:
    """Return how many of a campaign's members are booked on a day: exact under the campaign's lock."""
    return sum(count for (on, _), count in (await views.taken(uow, campaign_id)).items() if on == day)


async def refuse(uow: UnitOfWork, member_id: UUID, code: str, zh: str, en: str) -> None:
    """Keep why a member could not be booked."""
    member = await employers.lock_member(uow, member_id)
    if member.state == "listed":
        await employers.refuse(uow, member, code, zh, en)


async def let_go(uow: UnitOfWork, exam_id: UUID) -> None:
    """An exam was cancelled: its member, if it has one, is on the list again."""
    member = await employers.member_of_exam(uow, exam_id)
    if member is not None:
        await employers.unbind(uow, member)


async def transfer(uow: UnitOfWork, campaign_id: UUID, group_id: UUID, member_ids: Sequence[UUID]) -> TransferOut:
    """Put members into another group by hand, and price anew whoever is booked and has not arrived; say who was left alone, and why.

    Raises CampaignNotFound, CampaignStateConflict, CampaignGroupNotFound, MemberNotFound, and what pricing raises: then nobody moves.
    """
    await employers.lock_campaign(uow, campaign_id)
    with naming("/group_id"):
        await _group_of(uow, campaign_id, group_id)
    moved, left = [], []
    for member_id in dict.fromkeys(member_ids):
        with naming(f"/member_ids/{member_ids.index(member_id)}"):
            member, state = await _member_and_exam(uow, campaign_id, member_id)
        why = _left_alone(member, state, group_id)
        if why is not None:
            left.append(LeftAlone(member_id=member_id, code=why, zh=_LEFT[why][0], en=_LEFT[why][1]))
            continue
        await employers.assign(uow, member, group_id)
        before = after = None
        if member.exam_id is not None:
            before = (await exams.get(uow, member.exam_id)).total_fen
            after = (await exams.reprice(uow, member.exam_id, member, reason=_REGROUPED)).total_fen
        moved.append(Moved(member_id=member_id, exam_id=member.exam_id, before_fen=before, after_fen=after))
    return TransferOut(moved=moved, left_alone=left)


async def _member_and_exam(uow: UnitOfWork, campaign_id: UUID, member_id: UUID) -> tuple[Member, str | None]:
    seen = await employers.member(uow, member_id)
    if seen.campaign_id != campaign_id:
        raise MemberNotFound
    state = (await exams.lock(uow, seen.exam_id)).state if seen.exam_id is not None else None
    return await employers.lock_member(uow, member_id), state


def _left_alone(member: Member, exam_state: str | None, group_id: UUID) -> str | None:
    if member.state in TERMINAL:
        return "ended"
    if exam_state is not None and exam_state not in NOTHING_TO_LOSE:
        return "arrived"
    return "same_group" if member.group_id == group_id else None


async def decide(uow: UnitOfWork, campaign_id: UUID, decisions: Sequence[DecisionIn]) -> None:
    """Bring members to an end, all of them or none; the exam of whoever did not come or does not come is cancelled.

    Raises CampaignNotFound, CampaignStateConflict, MemberNotFound, MemberStateConflict, MemberBeingExamined.
    """
    await employers.lock_campaign(uow, campaign_id)
    for one in decisions:
        member, state = await _member_and_exam(uow, campaign_id, one.member_id)
        if one.decision == "listed":
            await employers.relist(uow, member)
            continue
        if one.decision != "done" and member.exam_id is not None and member.state == "booked":
            if state not in NOTHING_TO_LOSE:
                raise MemberBeingExamined
            await exams.cancel(uow, member.exam_id, one.reason or one.decision)
            member = await employers.lock_member(uow, one.member_id)
        await employers.decide(uow, member, one.decision, one.reason)


async def complete(uow: UnitOfWork, campaign_id: UUID) -> Campaign:
    """Let whoever is examined be done, and lock the campaign if nobody is left open; the open ones are named.

    Raises CampaignNotFound, CampaignStateConflict, CampaignNotComplete.
    """
    await employers.lock_campaign(uow, campaign_id)
    for member_id in await views.examined(uow, campaign_id):
        await employers.decide(uow, await employers.lock_member(uow, member_id), "done", None)
    await uow.session.flush()
    return await employers.complete(uow, campaign_id)


async def progress(uow: UnitOfWork, *, still_open: bool) -> ProgressListOut:
    """Return how far units have come: those not completed, or all."""
    rows = [ProgressOut.model_validate(dict(row)) for row in await views.progress(uow, still_open=still_open)]
    return ProgressListOut(count=len(rows), items=rows)


async def standings(
    uow: UnitOfWork, campaign_id: UUID, *, standing: str | None, after: Sequence[str] | None, size: int
) -> Sequence[StandingOut]:
    """Return a page of a campaign's members with their standing, one too many. Raises CampaignNotFound."""
    await employers.campaign(uow, campaign_id)
    rows = await views.standings(uow, campaign_id, standing=standing, after=after, size=size)
    return [StandingOut.model_validate(row, from_attributes=True) for row in rows]
