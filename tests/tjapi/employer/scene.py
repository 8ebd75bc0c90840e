"""A unit's campaign to begin with, through the services."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.catalog.rules import starter_id
from tjapi.employer import service as employers
from tjapi.employer.schemas import CampaignIn, EmployerIn, GroupIn, MemberIn
from tjapi.visit import invented_person

Unit = Callable[..., Any]
BASIC_M, CBC, GLU, GENERAL = (
    starter_id("exam_package", "BASIC-M"), starter_id("item_group", "CBC"), starter_id("item_group", "GLU"), starter_id("item_group", "GENERAL"),
)  # fmt: skip
DAYS = date(2026, 3, 1), date(2027, 12, 31)
ALL: dict[str, Any] = {"name": "全员", "criteria": [{}], "item_group_ids": [CBC, GLU]}


@dataclass(frozen=True)
class Plan:
    """A campaign and its unit."""

    employer_id: UUID
    campaign_id: UUID
    groups: dict[str, UUID]


async def plan(
    unit: Unit,
    *,
    opened: bool = True,
    quota: int | None = None,
    days: tuple[date, date] = DAYS,
    **groups: dict[str, Any],
) -> Plan:
    """Plan a campaign with groups by code, one of everybody unless told otherwise."""
    async with unit() as uow:
        employer = await employers.create_employer(
            uow, EmployerIn(code=f"E{secrets.token_hex(4)}", name="某某有限公司")
        )
        made = await employers.create_campaign(
            uow,
            CampaignIn(
                campus_id=1, employer_id=employer.id, name="年度体检", year=2026, starts_on=days[0], ends_on=days[1], daily_quota=quota,
            ),
        )  # fmt: skip
        ids = {}
        for code, group in (groups or {"ALL": ALL}).items():
            ids[code] = (await employers.put_group(uow, made.id, code, GroupIn.model_validate(group))).id
        if opened:
            await employers.open_campaign(uow, made.id)
        return Plan(employer.id, made.id, ids)


def person(**changes: Any) -> MemberIn:
    """Somebody invented, as a list says it."""
    card = invented_person()
    given = {k: card[k] for k in ("name", "sex", "birth_date", "id_kind", "id_number", "phone")}
    return MemberIn.model_validate(given | changes)


async def listed(unit: Unit, campaign_id: UUID, count: int = 1, **changes: Any) -> list[UUID]:
    """Put people on the list; return their ids."""
    made = []
    for _ in range(count):
        async with unit() as uow:
            made.append((await employers.add_member(uow, campaign_id, person(**changes))).id)
    return made
