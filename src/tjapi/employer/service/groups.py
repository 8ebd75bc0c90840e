"""Groups of a campaign."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound
from tjapi.catalog.service import ItemGroup
from tjapi.employer import repository
from tjapi.employer.errors import CampaignGroupInvalid, CampaignGroupNotFound
from tjapi.employer.models import CampaignGroup
from tjapi.employer.rules.offers import Offered, OfferedChoice, OfferedPackage, offer_faults
from tjapi.employer.schemas import DiscountIn, GroupIn
from tjapi.employer.service.campaigns import lock_campaign
from tjapi.employer.service.placing import criterion, place_all
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork


async def put_group(uow: UnitOfWork, campaign_id: UUID, code: str, wanted: GroupIn) -> CampaignGroup:
    """Make a group, or change it; whoever is listed and was not assigned by hand is placed anew.

    Raises CampaignNotFound, CampaignStateConflict, CampaignGroupInvalid.
    """
    campaign = await lock_campaign(uow, campaign_id)
    await _refuse_contradictions(uow, wanted, (campaign.starts_on, campaign.ends_on))
    values = wanted.model_dump(mode="json", include={"criteria", "choices", "discounts"})
    values |= wanted.model_dump(exclude={"criteria", "choices", "discounts"})
    found = next((g for g in await repository.groups(uow, campaign_id) if g.code == code), None)
    if found is None:
        found = CampaignGroup(id=uuid7(), campus_id=campaign.campus_id, campaign_id=campaign_id, code=code, **values)
        uow.session.add(found)
    else:
        for field, value in values.items():
            setattr(found, field, value)
    group_id = found.id
    campaign.version += 1
    await uow.audit("campaign.group_put", "campaign", campaign_id, campus_id=campaign.campus_id, detail={"code": code})
    await place_all(uow, campaign)
    return await group(uow, group_id)


async def _refuse_contradictions(uow: UnitOfWork, wanted: GroupIn, period: tuple[date, date]) -> None:
    errors = [
        FieldError(f"/criteria/{i}/age_to", "before-age-from", "小于年龄下限", "below the lower age")
        for i, row in enumerate(wanted.criteria)
        if row.age_from is not None and row.age_to is not None and row.age_to < row.age_from
    ]
    errors += [
        FieldError(f"/choices/{i}/choose", "too-many", "可选项数多于项目数", "more than there are to choose from")
        for i, choice in enumerate(wanted.choices)
        if choice.choose > len(set(choice.item_group_ids))
    ]
    for i, row in enumerate(wanted.discounts):
        errors += _discount_errors(i, row)
    unknown = await _unknown(uow, wanted)
    if not unknown:
        errors += await _offer_errors(uow, wanted, period)
    if errors or unknown:
        raise CampaignGroupInvalid(errors=[*errors, *unknown])


async def _offer_errors(uow: UnitOfWork, wanted: GroupIn, period: tuple[date, date]) -> list[FieldError]:
    """Name what of the offer can never be: see `rules.offers`."""
    packages = []
    for package_id in wanted.package_ids:
        one = await catalog.package(uow, package_id)
        held = tuple(_offered(group) for group in await catalog.package_groups(uow, package_id))
        packages.append(OfferedPackage(one.id, one.name, one.sex, one.active, one.valid_from, one.valid_to, held))
    further = [_offered(group) for group in await catalog.item_groups(uow, wanted.item_group_ids)]
    choices = [
        OfferedChoice(
            choice.name, choice.choose, tuple(_offered(one) for one in await catalog.item_groups(uow, choice.item_group_ids))
        )
        for choice in wanted.choices
    ]  # fmt: skip
    everything = {one.id for package in packages for one in package.groups} | {one.id for one in further}
    everything |= {one.id for choice in choices for one in choice.groups}
    exclusions = await catalog.exclusions(uow, everything) if everything else {}
    criteria = [criterion(row.model_dump()) for row in wanted.criteria]
    return [
        FieldError(fault.pointer, fault.code, fault.zh, fault.en)
        for fault in offer_faults(criteria, packages, further, choices, exclusions, period)
    ]


def _offered(group: ItemGroup) -> Offered:
    return Offered(group.id, group.name, group.sex, group.age_from_years, group.age_to_years, group.active)


def _discount_errors(i: int, row: DiscountIn) -> list[FieldError]:
    errors = []
    if (row.rate_bp is None) == (row.amount_fen is None):
        errors.append(
            FieldError(
                f"/discounts/{i}", "rate-or-amount", "折扣率与减额须且只能填一项", "give either a rate or an amount"
            )
        )
    if (row.target == "everything") != (row.target_id is None):
        errors.append(FieldError(f"/discounts/{i}/target_id", "target", "与适用范围不符", "does not suit the target"))
    return errors


async def _unknown(uow: UnitOfWork, wanted: GroupIn) -> list[FieldError]:
    """Name packages and item groups that do not exist."""
    packages = [(f"/package_ids/{i}", p) for i, p in enumerate(wanted.package_ids)]
    packages += [
        (f"/discounts/{i}/target_id", row.target_id)
        for i, row in enumerate(wanted.discounts)
        if row.target == "package" and row.target_id
    ]
    groups_ = [(f"/item_group_ids/{i}", g) for i, g in enumerate(wanted.item_group_ids)]
    groups_ += [
        (f"/choices/{i}/item_group_ids/{j}", g)
        for i, choice in enumerate(wanted.choices)
        for j, g in enumerate(choice.item_group_ids)
    ]
    groups_ += [
        (f"/discounts/{i}/target_id", row.target_id)
        for i, row in enumerate(wanted.discounts)
        if row.target == "item_group" and row.target_id
    ]
    errors = []
    for pointer, package_id in packages:
        try:
            await catalog.package(uow, package_id)
        except ExamPackageNotFound:
            errors.append(FieldError(pointer, "not-found", "没有这个套餐", "no such package"))
    for pointer, group_id in groups_:
        try:
            await catalog.item_groups(uow, [group_id])
        except ItemGroupNotFound:
            errors.append(FieldError(pointer, "not-found", "没有这个组合项目", "no such item group"))
    return errors


async def groups(uow: UnitOfWork, campaign_id: UUID) -> Sequence[CampaignGroup]:
    """Return the groups of a campaign in their order."""
    return await repository.groups(uow, campaign_id)


async def group(uow: UnitOfWork, group_id: UUID) -> CampaignGroup:
    """Return a group. Raises CampaignGroupNotFound."""
    found = await repository.group(uow, group_id)
    if found is None:
        raise CampaignGroupNotFound
    return found
