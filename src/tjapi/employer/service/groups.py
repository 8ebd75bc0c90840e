"""Groups of a campaign."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound
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
    held = {package_id: await catalog.package_groups(uow, package_id) for package_id in wanted.package_ids}
    asked = [*wanted.item_group_ids, *(one for choice in wanted.choices for one in choice.item_group_ids)]
    known = {one.id: one for one in await catalog.item_groups(uow, list(dict.fromkeys(asked)))}
    known |= {one.id: one for groups in held.values() for one in groups}
    items = await catalog.group_items(uow, list(known))
    offered = {
        key: Offered(
            one.id, one.name, one.sex, one.age_from_years, one.age_to_years, one.active, frozenset(item.id for item in items[key])
        )
        for key, one in known.items()
    }  # fmt: skip
    packages = []
    for package_id in wanted.package_ids:
        one = await catalog.package(uow, package_id)
        inside = tuple(offered[group.id] for group in held[package_id])
        packages.append(OfferedPackage(one.id, one.name, one.sex, one.active, one.valid_from, one.valid_to, inside))
    choices = [
        OfferedChoice(choice.name, choice.choose, tuple(offered[one] for one in choice.item_group_ids)) for choice in wanted.choices
    ]  # fmt: skip
    exclusions = await catalog.exclusions(uow, set(offered)) if offered else {}
    faults = offer_faults(
        [criterion(row.model_dump()) for row in wanted.criteria], packages, [offered[one] for one in wanted.item_group_ids], choices,
        exclusions, period, [row.target_id if row.target == "package" else None for row in wanted.discounts],
    )  # fmt: skip
    return [FieldError(fault.pointer, fault.code, fault.zh, fault.en) for fault in faults]


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
