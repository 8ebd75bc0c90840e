"""What became of each member when a campaign's prepared exams were priced anew: kept with the price itself, so that a killed command answers whole."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.models import MemberRepricing
from tjapi.employer.service.campaigns import campaign
from tjapi.kernel.uow import UnitOfWork


async def keep_repricing(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Keep outcomes, in the transaction that brings them about."""
    if rows:
        uow.session.add_all(MemberRepricing(at=uow.now, **row) for row in rows)
        await uow.session.flush()


async def with_exams(uow: UnitOfWork, campaign_id: UUID, group_id: UUID | None) -> Sequence[UUID]:
    """Return the members of a campaign, or of a group of it, who have an exam, in the order of the list."""
    return await repository.with_exams(uow, campaign_id, group_id)


async def repriced_already(uow: UnitOfWork, job_id: UUID) -> set[UUID]:
    """Return of whom a command has an outcome already."""
    return await repository.repriced(uow, job_id)


async def repricings_page(
    uow: UnitOfWork, campaign_id: UUID, job_id: UUID, *, outcome: str | None, after: Sequence[str] | None, size: int
) -> Sequence[MemberRepricing]:
    """Return a page of what a command did, in the order of the list, one too many. Raises CampaignNotFound."""
    await campaign(uow, campaign_id)
    return await repository.repricings_page(uow, campaign_id, job_id, outcome=outcome, after=after, size=size)
