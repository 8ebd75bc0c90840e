"""Campaigns: opened, completed, opened again, and followed by the next year's."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.errors import (
    CampaignFollowed,
    CampaignInvalid,
    CampaignNotComplete,
    CampaignNotFound,
    CampaignStateConflict,
)
from tjapi.employer.events import CampaignCompleted, CampaignOpened, CampaignReopened
from tjapi.employer.models import Campaign, CampaignGroup, Contract, Member
from tjapi.employer.rules.campaigns import ACTIVE, CAMPAIGN_MOVES, TERMINAL, may_move
from tjapi.employer.schemas import CampaignDetail, CampaignIn, CampaignOut, CampaignPatch, GroupOut, NextCampaignIn
from tjapi.employer.service.contracts import contract
from tjapi.employer.service.employers import employer
from tjapi.employer.service.placing import place_all
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed, naming
from tjapi.kernel.uow import UnitOfWork

_MOST_NAMED = 100
_COPIED = (
    "code",
    "name",
    "sort",
    "criteria",
    "package_ids",
    "item_group_ids",
    "choices",
    "cap_fen",
    "beyond_cap",
    "add_ons",
    "discounts",
)
_KEPT = (
    "list_no", "employee_no", "name", "sex", "birth_date", "id_kind", "department", "post", "marital_status", "hazards", "note", "examinee_id",
)  # fmt: skip


async def create_campaign(uow: UnitOfWork, new: CampaignIn) -> Campaign:
    """Plan a campaign. Raises CampusNotHeld, EmployerNotFound, ContractNotFound, CampaignInvalid."""
    identity.refuse_foreign_campus(uow, new.campus_id)
    with naming("/employer_id"):
        await employer(uow, new.employer_id)
    with naming("/contract_id"):
        agreed = await contract(uow, new.contract_id) if new.contract_id else None
    _refuse_contradictions(new.campus_id, new.employer_id, new.starts_on, new.ends_on, agreed)
    made = Campaign(id=uuid7(), **new.model_dump(), state="draft", version=1, created_at=uow.now)
    uow.session.add(made)
    await uow.audit("campaign.created", "campaign", made.id, campus_id=made.campus_id)
    return made


def _refuse_contradictions(
    campus_id: int, employer_id: UUID, starts: date, ends: date, agreed: Contract | None
) -> None:
    errors = []
    if ends < starts:
        errors.append(FieldError("/ends_on", "before-starts-on", "早于开始日期", "before the first day"))
    if agreed is not None and agreed.campus_id != campus_id:
        errors.append(
            FieldError("/contract_id", "other-campus", "合同属于另一院区", "the contract is another campus's")
        )
    if agreed is not None and starts < agreed.valid_from:
        errors.append(
            FieldError("/starts_on", "before-contract", f"早于合同有效期起 {agreed.valid_from}", f"the contract begins on {agreed.valid_from}")
        )  # fmt: skip
    if agreed is not None and ends > agreed.valid_to:
        errors.append(
            FieldError("/ends_on", "beyond-contract", f"晚于合同有效期止 {agreed.valid_to}", f"the contract ends on {agreed.valid_to}")
        )  # fmt: skip
    if agreed is not None and agreed.employer_id != employer_id:
        errors.append(
            FieldError("/contract_id", "other-employer", "合同属于另一单位", "the contract is another unit's")
        )
    if errors:
        raise CampaignInvalid(errors=errors)


async def update_campaign(uow: UnitOfWork, campaign_id: UUID, patch: CampaignPatch, version: int) -> Campaign:
    """Change a campaign that is not completed. Raises CampaignNotFound, PreconditionFailed, CampaignStateConflict, CampaignInvalid."""
    found = await lock_campaign(uow, campaign_id)
    if found.version != version:
        raise PreconditionFailed
    given = patch.model_fields_set
    moved = "starts_on" in given and patch.starts_on != found.starts_on
    for field in given:
        setattr(found, field, getattr(patch, field))
    with naming("/contract_id"):
        agreed = await contract(uow, found.contract_id) if found.contract_id else None
    _refuse_contradictions(found.campus_id, found.employer_id, found.starts_on, found.ends_on, agreed)
    found.version += 1
    await uow.audit(
        "campaign.updated", "campaign", found.id, campus_id=found.campus_id, detail={"fields": sorted(given)}
    )
    if moved:  # ages are those of the first day
        await place_all(uow, found)
    return found


async def open_campaign(uow: UnitOfWork, campaign_id: UUID) -> Campaign:
    """Let members be booked. Raises CampaignNotFound, CampaignStateConflict, CampaignInvalid of a campaign without groups."""
    found = await lock_campaign(uow, campaign_id)
    _move(found, "open")
    if not await repository.groups(uow, campaign_id):
        raise CampaignInvalid(errors=[FieldError("", "no-group", "请先设置分组", "make a group first")])
    found.opened_at = uow.now
    await uow.audit("campaign.opened", "campaign", found.id, campus_id=found.campus_id)
    await uow.publish(CampaignOpened(campus_id=found.campus_id, campaign_id=found.id))
    return found


async def complete(uow: UnitOfWork, campaign_id: UUID) -> Campaign:
    """Lock a campaign all of whose members have come to an end. Raises CampaignNotFound, CampaignStateConflict, CampaignNotComplete."""
    found = await lock_campaign(uow, campaign_id)
    still_open = [m for m in await repository.members(uow, campaign_id) if m.state not in TERMINAL]
    if still_open:
        raise CampaignNotComplete(
            errors=[
                FieldError(
                    f"member:{m.id}",
                    m.state,
                    f"名单第 {m.list_no} 号未处理完毕",
                    f"number {m.list_no} of the list is open",
                )
                for m in still_open[:_MOST_NAMED]
            ]
        )
    _move(found, "completed")
    found.completed_at = uow.now
    await uow.audit("campaign.completed", "campaign", found.id, campus_id=found.campus_id)
    await uow.publish(CampaignCompleted(campus_id=found.campus_id, campaign_id=found.id))
    return found


async def reopen(uow: UnitOfWork, campaign_id: UUID, reason: str) -> Campaign:
    """Open a completed campaign again; the reason is kept in the audit trail. Raises CampaignNotFound, CampaignStateConflict."""
    found = await lock_campaign(uow, campaign_id, active=False)
    _move(found, "reopened")
    found.completed_at = None
    await uow.audit("campaign.reopened", "campaign", found.id, campus_id=found.campus_id, detail={"reason": reason})
    await uow.publish(CampaignReopened(campus_id=found.campus_id, campaign_id=found.id))
    return found


async def next_campaign(uow: UnitOfWork, campaign_id: UUID, new: NextCampaignIn) -> Campaign:
    """Plan what follows a completed campaign: the same groups and, if asked, the same people but for those cancelled.

    Raises CampaignNotFound, CampaignStateConflict, CampaignFollowed, CampaignInvalid.
    """
    before = await lock_campaign(uow, campaign_id, active=False)
    if before.state != "completed":
        raise CampaignStateConflict("团检任务当前为「{current}」", "The campaign is {current}", current=before.state)
    if await repository.following(uow, campaign_id) is not None:
        raise CampaignFollowed
    _refuse_contradictions(before.campus_id, before.employer_id, new.starts_on, new.ends_on, None)
    made = Campaign(
        id=uuid7(), campus_id=before.campus_id, employer_id=before.employer_id, contract_id=None, previous_id=before.id, name=new.name,
        year=new.year, state="draft", starts_on=new.starts_on, ends_on=new.ends_on, daily_quota=before.daily_quota, version=1, created_at=uow.now,
    )  # fmt: skip
    uow.session.add(made)
    await uow.session.flush()
    renewed: dict[UUID, UUID] = {}
    for group in await repository.groups(uow, campaign_id):
        renewed[group.id] = uuid7()
        copied = {name: getattr(group, name) for name in _COPIED}
        uow.session.add(CampaignGroup(id=renewed[group.id], campus_id=made.campus_id, campaign_id=made.id, **copied))
    await uow.session.flush()
    if new.with_members:
        people = [m for m in await repository.members(uow, campaign_id) if m.state != "cancelled"]
        uow.session.add_all(_again(uow, made, person, renewed) for person in people)
        await uow.session.flush()
        await place_all(uow, made)
    await uow.audit(
        "campaign.created", "campaign", made.id, campus_id=made.campus_id, detail={"previous_id": str(before.id)}
    )
    return made


def _again(uow: UnitOfWork, campaign: Campaign, person: Member, renewed: dict[UUID, UUID]) -> Member:
    """Put somebody on the next list: what is sealed is sealed anew, because a sealed field opens in its own row alone."""
    member_id = uuid7()
    again = Member(
        id=member_id, campus_id=campaign.campus_id, campaign_id=campaign.id, **{name: getattr(person, name) for name in _KEPT},
        group_id=renewed.get(person.group_id) if person.group_id else None, placement=person.placement,
        placement_reason=person.placement_reason, choice_ids=[], self_paid_ids=[], state="listed", version=1, created_at=uow.now, updated_at=uow.now,
    )  # fmt: skip
    for field in ("id_number", "phone"):
        sealed = getattr(person, f"{field}_sealed")
        plain = None if sealed is None else uow.cipher.open(sealed, f"member|{field}|{person.id}")
        setattr(
            again, f"{field}_sealed", None if plain is None else uow.cipher.seal(plain, f"member|{field}|{member_id}")
        )
        setattr(again, f"{field}_index", getattr(person, f"{field}_index"))
        setattr(again, f"{field}_masked", getattr(person, f"{field}_masked"))
    return again


async def campaign(uow: UnitOfWork, campaign_id: UUID) -> Campaign:
    """Return a campaign. Raises CampaignNotFound."""
    found = await repository.campaign(uow, campaign_id)
    if found is None:
        raise CampaignNotFound
    return found


async def lock_campaign(uow: UnitOfWork, campaign_id: UUID, *, active: bool = True) -> Campaign:
    """Return a campaign under its row lock, the first lock of whatever changes its members. Raises CampaignNotFound, CampaignStateConflict."""
    found = await repository.campaign(uow, campaign_id, lock=True)
    if found is None:
        raise CampaignNotFound
    if active and found.state not in ACTIVE:
        raise CampaignStateConflict("团检任务当前为「{current}」", "The campaign is {current}", current=found.state)
    return found


async def describe_campaign(uow: UnitOfWork, campaign_id: UUID) -> CampaignDetail:
    """Return a campaign with its groups and the number of its members. Raises CampaignNotFound."""
    found = await campaign(uow, campaign_id)
    return CampaignDetail(
        **CampaignOut.model_validate(found).model_dump(),
        groups=[GroupOut.model_validate(row) for row in await repository.groups(uow, campaign_id)],
        members=await repository.member_counts(uow, campaign_id),
    )


async def campaigns_page(
    uow: UnitOfWork,
    *,
    employer_id: UUID | None,
    state: str | None,
    year: int | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[Campaign]:
    """Return a page of campaigns, the latest first, one too many."""
    return await repository.campaigns_page(uow, employer_id=employer_id, state=state, year=year, after=after, size=size)


def _move(found: Campaign, to: str) -> None:
    if not may_move(CAMPAIGN_MOVES, found.state, to):
        raise CampaignStateConflict("团检任务当前为「{current}」", "The campaign is {current}", current=found.state)
    found.state = to
    found.version += 1
