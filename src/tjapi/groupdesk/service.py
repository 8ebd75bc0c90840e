"""The verbs of the group desk. Whatever changes a campaign's members locks the campaign first, then the member's exam, then the member."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.appointment.errors import AppointmentDayOutOfReach, AppointmentFull, AppointmentSessionNotForSex
from tjapi.appointment.rules import AppointmentSource
from tjapi.catalog import service as catalog
from tjapi.employer import service as employers
from tjapi.employer.errors import (
    CampaignGroupNotFound,
    CampaignNotComplete,
    MemberNotFound,
    MemberNotPlaced,
    MemberOutgrown,
)
from tjapi.employer.rules.campaigns import BOOKABLE
from tjapi.employer.schemas import MemberPatch
from tjapi.employer.service import Campaign, Member
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.exam.rules import LINE_MOVES, may_move
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service as examinees
from tjapi.groupdesk import views
from tjapi.groupdesk.errors import (
    BookingDaysInvalid,
    CampaignNotOpen,
    DaysFull,
    DaysNotOffered,
    MemberBeingExamined,
    MemberEndUntrue,
)
from tjapi.groupdesk.rules import (
    END_FAULTS,
    LEFT_ALONE,
    EndFault,
    Place,
    Taken,
    day_fault,
    end_fault,
    is_day_full,
    is_spent,
    left_alone,
    places,
    say_day,
)
from tjapi.groupdesk.schemas import (
    BatchOut,
    BookMembersIn,
    DayIn,
    DecisionIn,
    LeftAlone,
    Moved,
    ProgressListOut,
    ProgressOut,
    RepricingOut,
    StandingOut,
    TransferOut,
)
from tjapi.kernel.clock import business_day
from tjapi.kernel.problem import FieldError, Problem, naming
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing
from tjapi.pricing.errors import PackageChoiceInvalid, SexNotKnown

BOOK = "groupdesk.book_members"
REPRICE = "groupdesk.reprice_members"
CHOSEN = frozenset({"package_id", "choice_ids", "self_paid_ids"})
_REGROUPED, _REPRICED = "换组重新计价", "方案变更重新计价"
_MOST_NAMED = 100
_OPEN: dict[str, tuple[str, str]] = {
    "listed": ("未预约", "not booked"),
    "booked": ("已预约 {day},尚未报到", "booked for {day}, not here yet"),
    "unfinished": ("已报到,体检未完成", "has arrived, not finished"),
}


async def plan_booking(uow: UnitOfWork, campaign_id: UUID, plan: BookMembersIn) -> BatchOut:
    """Have members booked by a job: whoever of them is listed still.

    A day that is past, outside the campaign, closed or without sessions is refused by name. Raises CampaignNotFound, CampaignNotOpen, CampaignGroupNotFound,
    MemberNotFound, BookingDaysInvalid.
    """
    found = await employers.lock_campaign(uow, campaign_id, active=False)
    if found.state not in BOOKABLE:
        raise CampaignNotOpen
    if plan.group_id is not None:
        with naming("/group_id"):
            await _group_of(uow, campaign_id, plan.group_id)
    await _refuse_strangers(uow, campaign_id, plan.member_ids)
    _, faults = await usable_days(uow, found, plan.days)
    if faults:
        raise BookingDaysInvalid(errors=faults)
    waiting = await to_book(uow, campaign_id, plan)
    payload = {"campaign_id": str(campaign_id), "plan": plan.model_dump(mode="json")}
    job_id = await uow.enqueue(BOOK, payload, campus_id=found.campus_id, lane=f"campaign:{campaign_id}")
    await uow.audit(
        "campaign.booking_asked", "campaign", campaign_id, campus_id=found.campus_id, detail={"members": len(waiting)}
    )
    return BatchOut(job_id=job_id, campaign_id=campaign_id, members=len(waiting))


async def usable_days(
    uow: UnitOfWork, campaign: Campaign, days: Sequence[DayIn]
) -> tuple[list[Place], list[FieldError]]:
    """Return where a plan books, in its order, and of each day that may not be booked why not."""
    offers = await appointments.offers(uow, campaign.campus_id, {one.day for one in days})
    usable: list[Place] = []
    faults, today, period = [], business_day(uow.now), (campaign.starts_on, campaign.ends_on)
    for i, one in enumerate(days):
        offer = offers[one.day]
        fault = day_fault(one.day, one.session_id, offer, today, period)
        if fault is None:
            usable += places(one.day, one.session_id, one.quota, offer)
        else:
            faults.append(FieldError(f"/days/{i}/day", fault, *say_day(fault, one.day, offer)))
    return usable, faults


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

    The campaign's lock makes quotas exact: two batches never count the same place. Raises DaysFull, DaysNotOffered, CampaignNotOpen, MemberNotPlaced, and
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
    usable, faults = await usable_days(uow, campaign, days)
    if not usable:
        raise DaysNotOffered(errors=faults)
    examinee_id = await _meet(uow, campaign, member)
    try:
        place = await _first_free(uow, campaign, member, examinee_id, usable, source)
    except DaysFull:
        if faults:
            raise DaysNotOffered(errors=faults) from None
        raise
    await _take_place(
        uow,
        campaign,
        member,
        examinee_id,
        place,
        source=source,
        payment_required=payment_required,
    )
    return True


async def _meet(uow: UnitOfWork, campaign: Campaign, member: Member) -> UUID:
    if member.examinee_id is not None:
        return member.examinee_id
    person, _ = await examinees.meet(uow, employers.card(uow, member), campaign.campus_id)
    return person.id


async def _first_free(
    uow: UnitOfWork, campaign: Campaign, member: Member, examinee_id: UUID, usable: Sequence[Place], source: AppointmentSource
) -> Place:  # fmt: skip
    """Return the first place that takes a member. Raises DaysFull, MemberOutgrown, and what pricing the member on its day raises."""
    taken = await views.taken(uow, campaign.id)
    growing = await employers.Growing.of(uow, campaign)
    quotes, person = pricing.MemberQuotes(uow), await examinees.get(uow, examinee_id)
    outgrown: MemberOutgrown | None = None
    for place in usable:
        if is_spent(place, taken, campaign.daily_quota):
            continue
        try:
            growing.refuse(member, place.day)
        except MemberOutgrown as found:
            outgrown = outgrown or found
            continue
        if place.session_id is not None:
            needed = _resources(await exams.member_order(quotes, member, person, place.day))
            try:
                await appointments.look(uow, replace(_order(campaign, examinee_id, place, source), resources=needed))
            except (AppointmentFull, AppointmentSessionNotForSex):
                continue
            except AppointmentDayOutOfReach:
                if place.anywhen:  # over for today: the next one is not
                    continue
                raise
        return place
    raise outgrown or DaysFull


def _resources(order: exams.MemberOrder) -> set[str]:
    return {line.item_group.resource for line in order.quote.lines if line.item_group.resource}


def _order(
    campaign: Campaign, examinee_id: UUID, place: Place, source: AppointmentSource = "batch"
) -> appointments.Order:
    assert place.session_id is not None
    return appointments.Order(
        campus_id=campaign.campus_id,
        day=place.day,
        session_id=place.session_id,
        examinee_id=examinee_id,
        source=source,
    )


async def _take_place(
    uow: UnitOfWork,
    campaign: Campaign,
    member: Member,
    examinee_id: UUID,
    place: Place,
    *,
    source: AppointmentSource,
    payment_required: bool,
) -> None:
    order = ExamIn(campus_id=campaign.campus_id, examinee_id=examinee_id, exam_date=place.day)
    exam = await exams.register(uow, order, payment_required=payment_required, member=member)
    if place.session_id is not None:
        groups = await catalog.item_groups(uow, [line.item_group_id for line in await exams.lines(uow, exam.id)])
        needed = {group.resource for group in groups if group.resource}
        wish = _order(campaign, examinee_id, place, source)
        await appointments.book(uow, replace(wish, exam_id=exam.id, resources=needed))
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
    campaign = await employers.campaign(uow, campaign_id)
    usable, _ = await usable_days(uow, campaign, days)
    with_places = {place.day for place in usable if place.session_id is not None}
    if with_places:
        await appointments.prepare(uow, campaign.campus_id, with_places)


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
    usable, faults = await usable_days(uow, campaign, days)
    desk = await _desk(uow, campaign, usable)
    free = [place for place in usable if _is_open(place, taken, desk, campaign.daily_quota)]
    if not free:  # whom a day that is no longer offered leaves out is told so, one by one
        raise Apart(alone=[m.id for m in members]) if faults else Apart(full=[m.id for m in members])
    people = await _meet_all(uow, campaign, members)
    if desk is not None:
        await desk.expect([person.id for person in people.values()])
    try:
        orders, with_place = await _spread(uow, campaign, [(m, people[m.id]) for m in members], free, taken, desk)
    except Apart as some:
        raise Apart(alone=[*some.full, *some.alone]) if faults else some from None
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
    free: Sequence[Place],
    taken: Counter[tuple[date, UUID | None]],
    desk: appointments.Batch | None,
) -> tuple[list[exams.MemberOrder], list[int]]:
    """Give each the first place of the plan that takes them; return their exams, and which of them have a place in a session.

    Raises Apart with those whom no place takes, and those who are refused.
    """
    quotes, growing = pricing.MemberQuotes(uow), await employers.Growing.of(uow, campaign)
    orders: list[exams.MemberOrder] = []
    with_place, full, alone = [], [], []
    for member, person in people:
        try:
            place = await _first_open(free, taken, desk, person.sex, campaign.daily_quota)
            growing.refuse(member, place.day)
            order = await exams.member_order(quotes, member, person, place.day)
            if place.session_id is not None and desk is not None:
                await desk.add(replace(_order(campaign, person.id, place), resources=_resources(order)), person)
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


async def _desk(uow: UnitOfWork, campaign: Campaign, usable: Sequence[Place]) -> appointments.Batch | None:
    """Return where places are taken; None: the campus keeps no calendar, and the plan's quotas alone count."""
    with_places = {place.day for place in usable if place.session_id is not None}
    return await appointments.Batch.open(uow, campaign.campus_id, with_places) if with_places else None


def _is_open(place: Place, taken: Taken, desk: appointments.Batch | None, daily_quota: int | None) -> bool:
    if is_spent(place, taken, daily_quota):
        return False
    return place.session_id is None or desk is None or not desk.is_full(place.day, place.session_id)


async def _first_open(
    free: Sequence[Place], taken: Taken, desk: appointments.Batch | None, sex: str, daily_quota: int | None
) -> Place:
    for place in free:
        if is_spent(place, taken, daily_quota):
            continue
        try:
            if place.session_id is None or desk is None or await desk.has_room(place.day, place.session_id, sex):
                return place
        except AppointmentDayOutOfReach:
            if not place.anywhen:
                raise
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


async def refuse_full_day(uow: UnitOfWork, campaign: Campaign, day: date) -> None:
    """Refuse a day on which the campaign has all whom it may have: exact under the campaign's lock. Raises DaysFull."""
    if is_day_full(await views.taken(uow, campaign.id), day, campaign.daily_quota):
        raise DaysFull


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

    Whom the group's package, prices or cap refuse is left alone, and the others move. Raises CampaignNotFound, CampaignStateConflict,
    CampaignGroupNotFound, MemberNotFound: then nobody moves.
    """
    await employers.lock_campaign(uow, campaign_id)
    with naming("/group_id"):
        await _group_of(uow, campaign_id, group_id)
    moved, left = [], []
    for member_id in dict.fromkeys(member_ids):
        with naming(f"/member_ids/{member_ids.index(member_id)}"):
            member, exam = await _member_and_exam(uow, campaign_id, member_id)
        why = left_alone(member.state, exam.state if exam is not None else None)
        if why is None and member.group_id == group_id:
            why = "same_group"
        refused = (
            (why, *LEFT_ALONE[why])
            if why is not None
            else (await _judge(uow, _in_group(member, group_id), exam)).refused
        )
        if refused is not None:
            left.append(LeftAlone(member_id=member_id, code=refused[0], zh=refused[1], en=refused[2]))
            continue
        await employers.assign(uow, member, group_id)
        before = after = None
        if exam is not None:
            before = exam.total_fen
            after = (await exams.reprice(uow, exam.id, member, reason=_REGROUPED)).total_fen
        moved.append(Moved(member_id=member_id, exam_id=member.exam_id, before_fen=before, after_fen=after))
    return TransferOut(moved=moved, left_alone=left)


def _in_group(member: Member, group_id: UUID) -> Member:
    """Return the member as one of another group, whose choices are open again: nothing is kept of it."""
    return Member(
        id=member.id, campaign_id=member.campaign_id, group_id=group_id, sex=member.sex, birth_date=member.birth_date, package_id=None,
        choice_ids=[], self_paid_ids=member.self_paid_ids,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    """What pricing an exam anew would come to: nothing new, or why it cannot be."""

    same: bool = False
    refused: tuple[str, str, str] | None = None


async def _judge(uow: UnitOfWork, member: Member, exam: Exam | None) -> _Judged:
    """Say what pricing a member anew would come to, and write nothing; of one without an exam, whether the group can be theirs at all."""
    if exam is None:
        try:
            await pricing.quote_member(uow, member)
        except (PackageChoiceInvalid, SexNotKnown):  # what is open is chosen, and asked, before the booking
            return _Judged()
        except Problem as refusal:
            return _Judged(refused=_why(refusal))
        return _Judged()
    try:
        new = await exams.repriced(uow, exam, member)
    except Problem as refusal:
        return _Judged(refused=_why(refusal))
    for line in new.going:
        if not may_move(LINE_MOVES, line.state, "withdrawn"):
            (zh, en), name = LEFT_ALONE["line_stuck"], exams.shown_name(uow, line)
            return _Judged(refused=("line_stuck", f"{name}:{zh}", f"{name}: {en}"))
    return _Judged(same=new.same)


def _why(refusal: Problem) -> tuple[str, str, str]:
    """Return why something was refused: the problem's sentence, or that of its first field, which says more."""
    first = refusal.errors[0] if refusal.errors else None
    return refusal.slug(), first.zh if first else refusal.zh, first.en if first else refusal.en


async def plan_repricing(uow: UnitOfWork, campaign_id: UUID, group_id: UUID | None) -> BatchOut:
    """Have a campaign's prepared exams, or those of a group, priced anew by a job. Raises CampaignNotFound, CampaignStateConflict, CampaignGroupNotFound."""
    found = await employers.lock_campaign(uow, campaign_id)
    if group_id is not None:
        with naming("/group_id"):
            await _group_of(uow, campaign_id, group_id)
    members = await employers.with_exams(uow, campaign_id, group_id)
    payload = {"campaign_id": str(campaign_id), "group_id": None if group_id is None else str(group_id)}
    job_id = await uow.enqueue(REPRICE, payload, campus_id=found.campus_id, lane=f"campaign:{campaign_id}")
    await uow.audit(
        "campaign.repricing_asked", "campaign", campaign_id, campus_id=found.campus_id, detail={"members": len(members)}
    )
    return BatchOut(job_id=job_id, campaign_id=campaign_id, members=len(members))


async def to_reprice(uow: UnitOfWork, job_id: UUID, campaign_id: UUID, group_id: UUID | None) -> Sequence[UUID]:
    """Return whom a repricing has not come to yet, in the order of the list."""
    there = await employers.repriced_already(uow, job_id)
    return [one for one in await employers.with_exams(uow, campaign_id, group_id) if one not in there]


async def reprice(
    uow: UnitOfWork, job_id: UUID, campaign_id: UUID, member_ids: Sequence[UUID], *, payment_required: bool = False
) -> Counter[str]:
    """Price the prepared exams of some members anew, and keep of each what became of it; count the outcomes. Raises CampaignStateConflict."""
    await employers.lock_campaign(uow, campaign_id)
    counts: Counter[str] = Counter()
    for member_id in member_ids:
        member, exam = await _member_and_exam(uow, campaign_id, member_id)
        if exam is None:  # cancelled meanwhile: priced when booked again
            continue
        before = exam.total_fen
        why = left_alone(member.state, exam.state)
        judged = _Judged(refused=(why, *LEFT_ALONE[why])) if why is not None else await _judge(uow, member, exam)
        if judged.refused is None and not judged.same:
            exam = await exams.reprice(uow, exam.id, member, reason=_REPRICED, payment_required=payment_required)
        outcome = "left_alone" if judged.refused else "same" if judged.same else "repriced"
        code, zh, en = judged.refused or (None, None, None)
        row = {
            "job_id": job_id, "member_id": member.id, "campus_id": member.campus_id, "campaign_id": campaign_id, "list_no": member.list_no,
            "exam_id": exam.id, "outcome": outcome, "before_fen": before, "after_fen": exam.total_fen, "code": code, "zh": zh, "en": en,
        }  # fmt: skip
        await employers.keep_repricing(uow, [row])
        counts[outcome] += 1
    return counts


async def repricings(
    uow: UnitOfWork, campaign_id: UUID, job_id: UUID, *, outcome: str | None, after: Sequence[str] | None, size: int
) -> Sequence[RepricingOut]:
    """Return a page of whom a repricing priced anew, and whom it left alone and why, one too many. Raises CampaignNotFound."""
    rows = await employers.repricings_page(uow, campaign_id, job_id, outcome=outcome, after=after, size=size)
    return [RepricingOut.model_validate(row, from_attributes=True) for row in rows]


async def amend_member(uow: UnitOfWork, member_id: UUID, patch: MemberPatch, version: int) -> Member:
    """Change what is known of a member, or what the member chose: a choice that cannot be ordered is refused before it is kept.

    Raises MemberNotFound, PreconditionFailed, MemberInvalid, MemberStateConflict, CampaignStateConflict, MemberNotPlaced, and what pricing
    a member raises.
    """
    found = await employers.amend_member(uow, member_id, patch, version)
    if patch.model_fields_set & CHOSEN and (found.package_id or found.choice_ids or found.self_paid_ids):
        await pricing.quote_member(uow, found)
    return found


async def _member_and_exam(uow: UnitOfWork, campaign_id: UUID, member_id: UUID) -> tuple[Member, Exam | None]:
    seen = await employers.member(uow, member_id)
    if seen.campaign_id != campaign_id:
        raise MemberNotFound
    exam = await exams.lock(uow, seen.exam_id) if seen.exam_id is not None else None
    return await employers.lock_member(uow, member_id), exam


async def decide(uow: UnitOfWork, campaign_id: UUID, decisions: Sequence[DecisionIn]) -> None:
    """Bring members to an end, all of them or none; the exam of whoever did not come or does not come is cancelled.

    Raises CampaignNotFound, CampaignStateConflict, MemberNotFound, MemberStateConflict, MemberBeingExamined, MemberEndUntrue.
    """
    campaign = await employers.lock_campaign(uow, campaign_id)
    begins, today = campaign.starts_on, business_day(uow.now)
    untrue: list[tuple[EndFault, FieldError]] = []
    for i, one in enumerate(decisions):
        member, exam = await _member_and_exam(uow, campaign_id, one.member_id)
        if one.decision == "listed":
            await employers.relist(uow, member)
            continue
        employers.refuse_end(member, one.decision)
        state, day = (exam.state, exam.exam_date) if exam is not None else (None, None)
        fault = end_fault(one.decision, state, day, begins, today)
        if fault is not None:
            zh, en = (f"{prefix}{said}" for prefix, said in zip((f"名单第 {member.list_no} 号:", f"number {member.list_no} of the list: "), END_FAULTS[fault], strict=True))  # fmt: skip
            untrue.append((fault, FieldError(f"/decisions/{i}/decision", fault, zh, en)))
            continue
        if one.decision != "done" and member.exam_id is not None and member.state == "booked":
            await exams.cancel(uow, member.exam_id, one.reason or one.decision)
            member = await employers.lock_member(uow, one.member_id)
        await employers.decide(uow, member, one.decision, one.reason)
    if untrue:
        here = all(fault == "being-examined" for fault, _ in untrue)
        raise (MemberBeingExamined if here else MemberEndUntrue)(errors=[error for _, error in untrue])


async def complete(uow: UnitOfWork, campaign_id: UUID) -> Campaign:
    """Let whoever is examined be done, and lock the campaign if nobody is left open; the open ones are named, with how far each has come.

    Who was done and is examined again, because the exam was taken back, is open again.

    Raises CampaignNotFound, CampaignStateConflict, CampaignNotComplete.
    """
    await employers.lock_campaign(uow, campaign_id)
    for member_id in await views.examined(uow, campaign_id):
        await employers.decide(uow, await employers.lock_member(uow, member_id), "done", None)
    for member_id in await views.taken_back(uow, campaign_id):
        await employers.resume(uow, await employers.lock_member(uow, member_id))
    await uow.session.flush()
    still_open = await views.still_open(uow, campaign_id, _MOST_NAMED)
    if still_open:
        raise CampaignNotComplete(errors=[_say_open(row) for row in still_open])
    return await employers.complete(uow, campaign_id)


def _say_open(row: views.OpenMember) -> FieldError:
    zh, en = _OPEN[row.standing]
    day = row.exam_date.isoformat() if row.exam_date else ""
    return FieldError(
        f"member:{row.member_id}", row.standing, f"名单第 {row.list_no} 号:{zh.format(day=day)}",
        f"number {row.list_no} of the list: {en.format(day=day)}",
    )  # fmt: skip


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
