"""Ends that are true: nobody is done who was not examined, no day is missed that is not over, and what is taken back is open again."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.employer.scene import Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.groupdesk.test_group_desk import _examined_by_hand, _plan
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignNotComplete, MemberStateConflict
from tjapi.exam import service as exams
from tjapi.exam.rules import EXAM_MOVES
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import MemberBeingExamined, MemberEndUntrue
from tjapi.groupdesk.rules import END_FAULTS, EXAMINED, end_fault
from tjapi.groupdesk.schemas import DecisionIn

pytestmark = pytest.mark.requirement("E2.6")
TODAY = date(2026, 11, 29)
BEFORE, AFTER = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
UNDER_WAY = ("checked_in", "in_progress", "sheet_returned", "on_hold")


@pytest.mark.parametrize(
    ("decision", "state", "day", "begins", "fault"),
    [
        ("done", None, None, BEFORE, "not-examined"), ("done", "prepared", BEFORE, BEFORE, "not-examined"), ("done", "prepared", AFTER, BEFORE, "not-examined"),
        *[("done", state, TODAY, BEFORE, "being-examined") for state in UNDER_WAY],
        *[("done", state, TODAY, BEFORE, None) for state in EXAMINED],
        ("no_show", "prepared", AFTER, BEFORE, "not-due"), ("no_show", "prepared", TODAY, BEFORE, "not-due"), ("no_show", "prepared", BEFORE, BEFORE, None),
        ("no_show", None, None, BEFORE, None), ("no_show", None, None, TODAY, None), ("no_show", None, None, AFTER, "not-begun"),
        *[("no_show", state, BEFORE, BEFORE, "being-examined") for state in UNDER_WAY],
        *[("no_show", state, BEFORE, BEFORE, "examined") for state in EXAMINED],
        ("cancelled", "prepared", AFTER, BEFORE, None), ("cancelled", None, None, AFTER, None),
        *[("cancelled", state, TODAY, BEFORE, "being-examined") for state in UNDER_WAY],
        *[("cancelled", state, TODAY, BEFORE, "examined") for state in EXAMINED],
    ],
)  # fmt: skip
def test_an_end_is_true_or_says_why_not(
    decision: str, state: str | None, day: date | None, begins: date, fault: Any
) -> None:
    assert end_fault(decision, state, day, begins, TODAY) == fault
    assert fault is None or all(END_FAULTS[fault])


def test_no_state_of_an_exam_is_both_done_and_missed() -> None:
    for state in set(EXAM_MOVES) - {"cancelled"}:
        true = [d for d in ("done", "no_show", "cancelled") if end_fault(d, state, BEFORE, BEFORE, TODAY) is None]
        assert "done" not in true or true == ["done"]


async def _arrive(unit: Unit, member: UUID) -> None:
    async with unit() as uow:
        found = await employers.member(uow, member)
        assert found.exam_id is not None
        await exams.check_in(uow, found.exam_id)


def _is(member: UUID, decision: Any) -> DecisionIn:
    return DecisionIn(member_id=member, decision=decision)


async def test_what_is_not_true_is_refused_by_name_and_nobody_of_the_command_is_decided(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    waiting, booked, here, ready = await listed(unit, made.campaign_id, 4)
    await batch.run(await batch.ask(made.campaign_id, _plan(9, member_ids=[str(m) for m in (booked, here, ready)])))
    await _arrive(unit, here)
    await _arrive(unit, ready)
    await _examined_by_hand(admin, ready)
    wrong = [
        _is(waiting, "no_show"),
        _is(booked, "no_show"),
        _is(here, "done"),
        _is(ready, "cancelled"),
        _is(booked, "done"),
    ]
    with pytest.raises(MemberEndUntrue) as told:
        async with unit() as uow:
            await service.decide(uow, made.campaign_id, wrong)
    assert [(e.pointer, e.code) for e in told.value.errors] == [
        ("/decisions/1/decision", "not-due"), ("/decisions/2/decision", "being-examined"), ("/decisions/3/decision", "examined"),
        ("/decisions/4/decision", "not-examined"),
    ]  # fmt: skip
    with pytest.raises(MemberBeingExamined):
        async with unit() as uow:
            await service.decide(uow, made.campaign_id, [_is(here, "cancelled")])
    states = await admin.fetch("select state from member where campaign_id = $1 order by list_no", made.campaign_id)
    assert [row["state"] for row in states] == ["listed", "booked", "booked", "booked"]


async def test_a_booking_whose_day_is_over_may_be_a_no_show(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    [member] = await listed(unit, made.campaign_id)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    await admin.execute("update exam set exam_date = current_date - 2 where member_id = $1", member)
    async with unit() as uow:
        await service.decide(uow, made.campaign_id, [_is(member, "no_show")])
        await service.complete(uow, made.campaign_id)
    assert await admin.fetchval("select state from exam where member_id = $1", member) == "cancelled"


async def test_who_was_done_and_is_examined_again_is_open_again(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    [member] = await listed(unit, made.campaign_id)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    await _arrive(unit, member)
    await _examined_by_hand(admin, member)
    async with unit() as uow:
        await service.decide(uow, made.campaign_id, [_is(member, "done")])
    await admin.execute("update exam set state = 'in_progress' where member_id = $1", member)
    async with unit() as uow:
        rows = await service.standings(uow, made.campaign_id, standing="unfinished", after=None, size=9)
        assert [row.member_id for row in rows] == [member]
        with pytest.raises(CampaignNotComplete) as told:
            await service.complete(uow, made.campaign_id)
        assert [(e.pointer, e.code) for e in told.value.errors] == [(f"member:{member}", "unfinished")]
    await _examined_by_hand(admin, member)
    async with unit() as uow:
        assert (await service.complete(uow, made.campaign_id)).state == "completed"


async def test_an_end_is_not_decided_twice_and_reopening_is_audited_with_its_reason(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    [member] = await listed(unit, made.campaign_id)
    async with unit() as uow:
        await service.decide(uow, made.campaign_id, [_is(member, "cancelled")])
    with pytest.raises(MemberStateConflict):
        async with unit() as uow:
            await service.decide(uow, made.campaign_id, [_is(member, "no_show")])
    async with unit() as uow:
        await service.complete(uow, made.campaign_id)
        await employers.reopen(uow, made.campaign_id, "补检一人")
    said = await admin.fetchval(
        "select detail ->> 'reason' from audit_event where action = 'campaign.reopened' and object_id = $1", str(made.campaign_id)
    )  # fmt: skip
    assert said == "补检一人"
