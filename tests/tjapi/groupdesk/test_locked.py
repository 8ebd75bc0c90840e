"""What an employer owes of a completed campaign does not change by what is commanded on an exam; what the person pays does."""

from typing import cast

import asyncpg
import pytest
from sqlalchemy import select

from tests.tjapi.employer.scene import Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.groupdesk.test_group_desk import _examined_by_hand, _plan
from tjapi.catalog.models import ItemGroup
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignStateConflict
from tjapi.exam import service as exams
from tjapi.exam.rules import LineAction
from tjapi.groupdesk import service


@pytest.mark.requirement("E2.6", "E1.6")
async def test_what_the_employer_owes_of_a_completed_campaign_does_not_change_until_it_is_opened_again(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    [member] = await listed(unit, made.campaign_id)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    async with unit() as uow:
        exam_id = (await employers.member(uow, member)).exam_id
        assert exam_id is not None
        await exams.check_in(uow, exam_id)
        line, other, *_ = [one for one in await exams.lines(uow, exam_id) if one.employer_share_fen > 0]
        await exams.set_aside(uow, exam_id, [line.id], "refused", reason="受检者拒绝")
    await _examined_by_hand(admin, member)
    async with unit() as uow:
        name = (await service.complete(uow, made.campaign_id)).name

    async def command(verb: str) -> None:
        async with unit() as uow:
            if verb == "reinstate":
                await exams.reinstate(uow, exam_id, [line.id], reason="同意检查")
            elif verb == "substitute":
                await exams.substitute_line(uow, exam_id, other.id, [other.item_group_id], reason="换项")
            else:
                await exams.set_aside(uow, exam_id, [other.id], cast("LineAction", verb), reason="退")

    for verb in ("reinstate", "withdrawn", "refused", "waived", "substitute"):
        with pytest.raises(CampaignStateConflict) as told:
            await command(verb)
        assert told.value.params["name"] == name
    async with unit() as uow:
        film = (await uow.session.scalars(select(ItemGroup.id).where(ItemGroup.code == "BMD"))).one()
        await exams.add_lines(uow, exam_id, [film])
        own = next(one for one in await exams.lines(uow, exam_id) if one.item_group_id == film)
        assert own.employer_share_fen == 0
        await exams.set_aside(uow, exam_id, [own.id], "withdrawn", reason="不做了")
    async with unit() as uow:
        await employers.reopen(uow, made.campaign_id, "补检")
        await exams.reinstate(uow, exam_id, [line.id], reason="同意检查")
