"""Who belongs to which group: asked anew whenever a rule, a fact or the campaign's first day changes."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.errors import MemberOutgrown
from tjapi.employer.models import Campaign, CampaignGroup, Member
from tjapi.employer.rules.campaigns import Criterion, Facts, GroupRule, Placed, outgrown, place, years_on
from tjapi.kernel.problem import FieldError
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


class Growing:
    """Whether members belong to their groups on the day of the exam still: the groups of a campaign are read once."""

    def __init__(self, campaign: Campaign, groups: Sequence[CampaignGroup]) -> None:
        self._first, self._rules = campaign.starts_on, rules_of(groups)
        self._names = {group.id: group.name for group in groups}

    @classmethod
    async def of(cls, uow: UnitOfWork, campaign: Campaign) -> "Growing":
        """Read a campaign's groups."""
        return cls(campaign, await repository.groups(uow, campaign.id))

    def refuse(self, member: Member, day: date, was: date | None = None) -> None:
        """Refuse a day on which a member who was placed by rule belongs elsewhere; `was` is the day that held until now. Raises MemberOutgrown."""
        if member.placement != "matched" or member.group_id is None or member.birth_date is None:
            return
        then, now = (
            facts_of(member.sex, member.birth_date, member.marital_status, member.post, member.hazards, on)
            for on in (was or self._first, day)
        )
        found = outgrown(self._rules, member.group_id, then, now)
        if found is None:
            return
        group, other = self._names[member.group_id], self._names.get(found.group_id) if found.group_id else None
        zh, en = (
            f"名单第 {member.list_no} 号在 {day} 满 {now.age} 岁,不符合分组「{group}」",
            f"number {member.list_no} of the list is {now.age} on {day}, and not of the group {group}",
        )
        if other:
            zh, en = f"{zh},应属「{other}」", f"{en} but of {other}"
        raise MemberOutgrown(errors=[FieldError("/day", "age", zh, en)])


async def refuse_outgrown(uow: UnitOfWork, member_id: UUID, was: date, day: date) -> None:
    """Refuse to move a booked member to a day on which the group is not theirs any more. Raises MemberOutgrown."""
    member = await repository.member(uow, member_id)
    campaign = await repository.campaign(uow, member.campaign_id) if member is not None else None
    if member is not None and campaign is not None:
        (await Growing.of(uow, campaign)).refuse(member, day, was)


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
