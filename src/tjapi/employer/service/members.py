"""Members: who is on the list, the group that follows from it, and how each comes to an end."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.errors import MemberInvalid, MemberListedAlready, MemberNotFound, MemberStateConflict
from tjapi.employer.models import Campaign, Member
from tjapi.employer.rules.campaigns import MEMBER_MOVES, may_move
from tjapi.employer.schemas import MemberIn, MemberPatch
from tjapi.employer.service.campaigns import campaign, lock_campaign
from tjapi.employer.service.placing import placed, rules_of
from tjapi.examinee import service as examinees
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.examinee.rules import (
    FAULTS,
    Fault,
    IdNumber,
    IdNumberFault,
    birth_date_fault,
    clean_name,
    folded,
    normalise_phone,
    parse_id_number,
)
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.security.fields import mask_id_number, mask_phone
from tjapi.kernel.uow import UnitOfWork

_PLACED_BY = frozenset({"post", "marital_status", "hazards"})


async def add_member(uow: UnitOfWork, campaign_id: UUID, new: MemberIn) -> Member:
    """Put one person on the list. Raises CampaignNotFound, CampaignStateConflict, MemberInvalid, MemberListedAlready."""
    listed_in = await lock_campaign(uow, campaign_id)
    document, phone = _read(uow, new)
    index = None if document is None else uow.cipher.blind_index(document.number, "id_number")
    if await repository.listed_already(uow, campaign_id, index, new.employee_no) is not None:
        raise MemberListedAlready
    member_id = uuid7()
    values = new.model_dump(exclude={"id_number", "phone", "name", "sex", "birth_date"})
    made = Member(
        id=member_id, campus_id=listed_in.campus_id, campaign_id=campaign_id, list_no=await repository.last_list_no(uow, campaign_id) + 1,
        name=clean_name(new.name), sex=(document.sex if document else None) or new.sex, birth_date=(document.birth_date if document else None) or new.birth_date,
        choice_ids=[], self_paid_ids=[], state="listed", version=1, created_at=uow.now, updated_at=uow.now, **values,
    )  # fmt: skip
    if document is not None:
        made.id_number_sealed = uow.cipher.seal(document.number, _place(member_id, "id_number"))
        made.id_number_index, made.id_number_masked = index, mask_id_number(document.number)
    _set_phone(uow, made, phone)
    await _settle(uow, listed_in, made)
    uow.session.add(made)
    await uow.audit("member.added", "member", made.id, campus_id=made.campus_id)
    return made


def _read(uow: UnitOfWork, new: MemberIn) -> tuple[IdNumber | None, str | None]:
    """Return the document and the phone in their one spelling. Raises MemberInvalid, naming every field that is wrong."""
    errors, today = [], business_day(uow.now)
    document, phone = None, None
    if not folded(clean_name(new.name)):
        errors.append(FieldError("/name", "invalid", "请填写姓名", "give a name"))
    if (new.id_kind == "none") != (new.id_number is None):
        missing: Fault = "number_missing" if new.id_number is None else "number_not_expected"
        errors.append(FieldError("/id_number", missing, *FAULTS[missing]))
    elif new.id_number is not None:
        try:
            document = parse_id_number(new.id_kind, new.id_number, today)
        except IdNumberFault as fault:
            errors.append(FieldError("/id_number", fault.fault, *FAULTS[fault.fault]))
    if document is not None and document.sex is not None and new.sex not in ("unknown", document.sex):
        errors.append(
            FieldError("/sex", "contradicts_id_number", "性别与证件号码不一致", "the sex contradicts the ID number")
        )
    if document is not None and document.birth_date is not None and new.birth_date not in (None, document.birth_date):
        errors.append(
            FieldError(
                "/birth_date",
                "contradicts_id_number",
                "出生日期与证件号码不一致",
                "the birth date contradicts the ID number",
            )
        )
    elif new.birth_date is not None and (wrong := birth_date_fault(new.birth_date, today)):
        errors.append(FieldError("/birth_date", wrong, *FAULTS[wrong]))
    if new.id_number is None and new.employee_no is None:
        errors.append(
            FieldError(
                "/id_number", "no-identity", "证件号码和工号至少填一项", "give an ID number or an employee number"
            )
        )
    if new.phone is not None and (phone := normalise_phone(new.phone)) is None:
        errors.append(FieldError("/phone", "invalid", "电话号码无效", "not a phone number"))
    if errors:
        raise MemberInvalid(errors=errors)
    return document, phone


async def amend_member(uow: UnitOfWork, member_id: UUID, patch: MemberPatch, version: int) -> Member:
    """Change what is known of a member, or what the member chose. Raises MemberNotFound, PreconditionFailed, MemberInvalid, MemberStateConflict.

    What decides the group and the price may change only before the member is booked; afterwards there is the exam for that.
    """
    seen = await member(uow, member_id)
    listed_in = await lock_campaign(uow, seen.campaign_id)
    found = await lock_member(uow, member_id)
    if found.version != version:
        raise PreconditionFailed
    given = patch.model_fields_set
    deciding = given & (_PLACED_BY | {"package_id", "choice_ids", "self_paid_ids"})
    if deciding and found.state != "listed":
        raise MemberStateConflict("成员当前为「{current}」", "The member's state is: {current}", current=found.state)
    if "phone" in given:
        phone = None if patch.phone is None else normalise_phone(patch.phone)
        if patch.phone is not None and phone is None:
            raise MemberInvalid(errors=[FieldError("/phone", "invalid", "电话号码无效", "not a phone number")])
        _set_phone(uow, found, phone)
    for field in given - {"phone"}:
        setattr(found, field, getattr(patch, field))
    if given & _PLACED_BY and found.placement != "assigned":
        before = found.group_id
        await _settle(uow, listed_in, found)
        if found.group_id != before and not given & {"package_id", "choice_ids"}:
            found.package_id, found.choice_ids = None, []  # they were another group's
    _touch(uow, found)
    await uow.audit("member.amended", "member", found.id, campus_id=found.campus_id, detail={"fields": sorted(given)})
    return found


async def _settle(uow: UnitOfWork, listed_in: Campaign, found: Member) -> None:
    rules = rules_of(await repository.groups(uow, listed_in.id))
    now = placed(rules, found, listed_in.starts_on)
    found.group_id, found.placement, found.placement_reason = now.group_id, now.placement, now.reason


async def assign(uow: UnitOfWork, found: Member, group_id: UUID) -> None:
    """Put a member into a group by hand; rules move the member no more. The caller holds the member's lock."""
    found.group_id, found.placement, found.placement_reason = group_id, "assigned", {}
    found.package_id, found.choice_ids, found.refusal = None, [], None
    _touch(uow, found)
    await uow.audit(
        "member.assigned", "member", found.id, campus_id=found.campus_id, detail={"group_id": str(group_id)}
    )


async def choose(
    uow: UnitOfWork, found: Member, package_id: UUID | None, choice_ids: Sequence[UUID], self_paid_ids: Sequence[UUID]
) -> None:
    """Keep what a member chose and added on. The caller holds the member's lock, and prices it: what does not fit is refused there."""
    found.package_id, found.choice_ids = package_id, list(dict.fromkeys(choice_ids))
    found.self_paid_ids = list(dict.fromkeys(self_paid_ids))
    _touch(uow, found)
    await uow.audit("member.chose", "member", found.id, campus_id=found.campus_id)


async def bind(uow: UnitOfWork, found: Member, examinee_id: UUID, exam_id: UUID) -> None:
    """Say which exam a member was booked into. Raises MemberStateConflict."""
    _move(uow, found, "booked")
    found.examinee_id, found.exam_id, found.refusal = examinee_id, exam_id, None
    await uow.audit("member.booked", "member", found.id, campus_id=found.campus_id, detail={"exam_id": str(exam_id)})


async def bind_many(uow: UnitOfWork, campus_id: int, bound: Mapping[UUID, tuple[UUID, UUID]]) -> None:
    """Do what `bind` does for many members, each their examinee and exam, in one statement. Raises MemberStateConflict.

    The caller holds the members' locks, and has seen that they are listed.
    """
    rows = [(member_id, examinee_id, exam_id) for member_id, (examinee_id, exam_id) in bound.items()]
    if await repository.bind_many(uow, rows) != len(rows):
        raise MemberStateConflict
    details = {member_id: {"exam_id": str(exam_id)} for member_id, _, exam_id in rows}
    await uow.audit_many("member.booked", "member", details, campus_id=campus_id)


async def unbind(uow: UnitOfWork, found: Member) -> None:
    """The member's exam was cancelled: the member is on the list again. One who has come to an end stays there."""
    if found.state == "booked":
        _move(uow, found, "listed")
    found.exam_id = None
    _touch(uow, found)
    await uow.audit("member.unbooked", "member", found.id, campus_id=found.campus_id)


async def refuse(uow: UnitOfWork, found: Member, code: str, zh: str, en: str) -> None:
    """Keep why a member could not be booked."""
    found.refusal = {"code": code, "zh": zh, "en": en}
    _touch(uow, found)


async def refuse_many(uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID], code: str, zh: str, en: str) -> None:
    """Keep for many members why they could not be booked; who is listed no more is left alone."""
    await repository.refuse_many(uow, campaign_id, ids, {"code": code, "zh": zh, "en": en})


async def decide(uow: UnitOfWork, found: Member, decision: str, reason: str | None) -> None:
    """Let a member come to an end. Raises MemberStateConflict. The caller holds the member's lock."""
    _move(uow, found, decision)
    found.decided_reason = reason
    await uow.audit("member.decided", "member", found.id, campus_id=found.campus_id, detail={"decision": decision})


def refuse_end(found: Member, decision: str) -> None:
    """Refuse an end that the member's state does not lead to. Raises MemberStateConflict."""
    if not may_move(MEMBER_MOVES, found.state, decision):
        raise MemberStateConflict("成员当前为「{current}」", "The member's state is: {current}", current=found.state)


async def resume(uow: UnitOfWork, found: Member) -> None:
    """Take back that a member is done: the exam is under way again. Raises MemberStateConflict. The caller holds the member's lock."""
    _move(uow, found, "booked")
    found.decided_reason = None
    await uow.audit("member.resumed", "member", found.id, campus_id=found.campus_id)


async def relist(uow: UnitOfWork, found: Member) -> None:
    """Take back that a member did not come or was cancelled. Raises MemberStateConflict; who is booked is unbooked by the exam alone."""
    if found.state not in ("no_show", "cancelled"):
        raise MemberStateConflict("成员当前为「{current}」", "The member's state is: {current}", current=found.state)
    _move(uow, found, "listed")
    found.decided_reason = None
    await uow.audit("member.relisted", "member", found.id, campus_id=found.campus_id)


def _move(uow: UnitOfWork, found: Member, to: str) -> None:
    if not may_move(MEMBER_MOVES, found.state, to):
        raise MemberStateConflict("成员当前为「{current}」", "The member's state is: {current}", current=found.state)
    found.state = to
    _touch(uow, found)


def _touch(uow: UnitOfWork, found: Member) -> None:
    found.version += 1
    found.updated_at = uow.now


def card(uow: UnitOfWork, found: Member) -> IdCardPayload:
    """Return what the list says of a member as a document says it, to meet the person by."""
    number = (
        None
        if found.id_number_sealed is None
        else uow.cipher.open(found.id_number_sealed, _place(found.id, "id_number"))
    )
    phone = None if found.phone_sealed is None else uow.cipher.open(found.phone_sealed, _place(found.id, "phone"))
    return IdCardPayload.model_validate(
        {
            "name": found.name,
            "sex": found.sex,
            "birth_date": found.birth_date,
            "id_kind": found.id_kind,
            "id_number": number,
            "phone": phone,
        }
    )


async def member(uow: UnitOfWork, member_id: UUID) -> Member:
    """Return a member. Raises MemberNotFound."""
    found = await repository.member(uow, member_id)
    if found is None:
        raise MemberNotFound
    return found


async def lock_member(uow: UnitOfWork, member_id: UUID) -> Member:
    """Return a member under the row lock. Raises MemberNotFound."""
    found = await repository.member(uow, member_id, lock=True)
    if found is None:
        raise MemberNotFound
    return found


async def listed(
    uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID] | None, group_id: UUID | None
) -> Sequence[UUID]:
    """Return who is listed still, of a campaign or of these ids, and of a group if one is said, in the order of the list."""
    return await repository.listed(uow, campaign_id, ids, group_id)


async def lock_members(uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID]) -> Sequence[Member]:
    """Return members of a campaign under their row locks, in the order of the list. The caller holds the campaign's lock."""
    return await repository.members(uow, campaign_id, ids, lock=True)


async def member_of_exam(uow: UnitOfWork, exam_id: UUID) -> Member | None:
    """Return the member whose exam it is, under the row lock; None of an exam of nobody's list."""
    return await repository.member_of_exam(uow, exam_id)


async def members(uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID] | None = None) -> Sequence[Member]:
    """Return members in the order of the list: all of a campaign's, or those of these ids."""
    return await repository.members(uow, campaign_id, ids)


async def members_page(
    uow: UnitOfWork, *, campaign_id: UUID, state: str | None, group_id: UUID | None, placement: str | None, refused: bool | None,
    after: Sequence[str] | None, size: int,
) -> Sequence[Member]:  # fmt: skip
    """Return a page of a campaign's members in the order of the list, one too many. Raises CampaignNotFound."""
    await campaign(uow, campaign_id)
    return await repository.members_page(
        uow,
        campaign_id=campaign_id,
        state=state,
        group_id=group_id,
        placement=placement,
        refused=refused,
        after=after,
        size=size,
    )


def _set_phone(uow: UnitOfWork, found: Member, phone: str | None) -> None:
    found.phone_sealed = None if phone is None else uow.cipher.seal(phone, _place(found.id, "phone"))
    found.phone_index = None if phone is None else uow.cipher.blind_index(phone, "phone")
    found.phone_masked = None if phone is None else mask_phone(phone)


def _place(member_id: UUID, column: str) -> str:
    return f"member|{column}|{member_id}"


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Let memberships follow a merge, and go back when it is undone; what the employer's list says of a member stays."""
    await examinees.follow(uow, event, "member", repository.repoint, repository.given_since)
