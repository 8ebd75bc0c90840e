"""Who belongs to which group: asked anew whenever a rule, a fact or the campaign's first day changes."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.models import Campaign, CampaignGroup
from tjapi.employer.rules.campaigns import Criterion, Facts, GroupRule, Placed, place, years_on
from tjapi.kernel.uow import UnitOfWork


def rules_of(groups: Sequence[CampaignGroup]) -> list[GroupRule]:
    """Return the rules of groups."""
    return [GroupRule(group.id, group.code, [criterion(row) for row in group.criteria]) for group in groups]


def criterion(row: Mapping[str, Any]) -> Criterion:
    """Return one row of a group's rule as it is kept."""
    return Criterion(
        row["sex"], row["age_from"], row["age_to"], row["marital_status"], frozenset(row["posts"]), frozenset(row["hazards"])
    )  # fmt: skip


def facts_of(
    sex: str, birth_date: date | None, marital_status: str, post: str | None, hazards: Sequence[str], day: date
) -> Facts:
    """Return what groups ask for; the age is that of a day."""
    age = None if birth_date is None else years_on(birth_date, day)
    return Facts(sex, age, marital_status, post, frozenset(hazards))


def placed(rules: Sequence[GroupRule], member: Any, day: date) -> Placed:
    """Say where a member belongs, or whoever has a member's facts."""
    facts = facts_of(member.sex, member.birth_date, member.marital_status, member.post, member.hazards, day)
    return place(rules, facts)


async def place_all(uow: UnitOfWork, campaign: Campaign) -> int:
    """Place anew whoever is listed and was not assigned by hand; return how many moved. Those booked keep their group and price."""
    await uow.session.flush()
    rules = rules_of(await repository.groups(uow, campaign.id))
    moved: list[tuple[UUID, UUID | None, str, str]] = []
    for member in await repository.placings(uow, campaign.id):
        now = placed(rules, member, campaign.starts_on)
        if (now.placement, now.group_id, now.reason) != (
            member.placement,
            member.group_id,
            member.placement_reason,
        ):
            moved.append((member.id, now.group_id, now.placement, json.dumps(now.reason)))
    if moved:
        await repository.replace(uow, moved)
    return len(moved)
