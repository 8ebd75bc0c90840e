"""Repricing prices: what was withdrawn, substituted or added for the examinee stays so, through every door."""

from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.employer.scene import CBC, GENERAL, GLU, Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.groupdesk.test_group_desk import _plan
from tjapi.catalog.rules import starter_id
from tjapi.employer import service as employers
from tjapi.employer.schemas import GroupIn
from tjapi.exam import service as exams
from tjapi.exam.rules import Decided, decided, repricing
from tjapi.groupdesk import service

pytestmark = pytest.mark.requirement("E2.2")
ECG, CXR, ARTERY, TCD = (starter_id("item_group", code) for code in ("ECG", "CXR", "ARTERY", "TCD"))
WIDE: dict[str, Any] = {"name": "甲", "criteria": [{}], "item_group_ids": [CBC, CXR, ECG]}


def test_what_people_decided_is_the_last_of_a_group_and_no_offer() -> None:
    lines = [("1", "CXR", "withdrawn"), ("2", "GLU", "withdrawn"), ("3", "ART", "released"), ("4", "HCY", "released"), ("5", "ECG", "substituted"), ("6", "CBC", "withdrawn"), ("7", "CBC", "released")]  # fmt: skip
    steps = [("1", "withdrawn", False), ("2", "withdrawn", True), ("3", "added", False), ("4", "added", True), ("5", "substituted", False), ("6", "withdrawn", False), ("7", "added", False)]  # fmt: skip
    found = decided(lines, steps)
    assert found == Decided(frozenset({"ART", "CBC"}), frozenset({"CXR", "ECG"}))
    moves = repricing(["ART", "HCY", "CBC"], ["CXR", "ECG", "CBC", "GLU"], found)
    assert (moves.stays, moves.comes, moves.goes, moves.kept) == (("CBC",), ("GLU",), ("HCY",), ("ART",))


async def _decided(unit: Unit, batch: Batch, **groups: Any) -> tuple[Any, UUID, UUID]:
    """A booked member for whom the desk took one line away, added and was paid one, and put one in another's place."""
    made = await plan(unit, WIDE=WIDE, **groups)
    [member] = await listed(unit, made.campaign_id)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    async with unit() as uow:
        exam = (await employers.member(uow, member)).exam_id
        assert exam is not None
        lines = {line.code: line.id for line in await exams.lines(uow, exam)}
        await exams.set_aside(uow, exam, [lines["CXR"]], "withdrawn", reason="备孕,不做胸片")
        await exams.add_lines(uow, exam, [ARTERY], reason="本人要求", payment_required=True)
        lines = {line.code: line.id for line in await exams.lines(uow, exam)}
        await exams.cover(uow, exam, [lines["ARTERY"]], "paid", reference="R")
        await exams.substitute_line(uow, exam, lines["ECG"], [TCD], reason="换项")
    return made, member, exam


async def _lines(unit: Unit, exam: UUID) -> dict[str, tuple[str, int, int]]:
    async with unit() as uow:
        return {line.code: (line.state, line.price_fen, line.paid_fen) for line in await exams.lines(uow, exam)}


async def _money(unit: Unit, exam: UUID) -> tuple[int, int]:
    async with unit() as uow:
        found = await exams.get(uow, exam)
        return found.total_fen, found.refund_fen


async def test_nothing_changed_changes_nothing_of_what_was_decided(unit: Unit, batch: Batch) -> None:
    made, _member, exam = await _decided(unit, batch)
    before, money = await _lines(unit, exam), await _money(unit, exam)
    _job, counts = await batch.reprice(made.campaign_id)
    assert counts == {"repriced": 0, "same": 1, "left_alone": 0}
    assert (await _lines(unit, exam), await _money(unit, exam)) == (before, money)
    assert money[1] == 0


@pytest.mark.parametrize("door", ["reprice", "transfer"])
async def test_what_changed_is_priced_and_what_was_decided_stays(unit: Unit, batch: Batch, door: str) -> None:
    made, member, exam = await _decided(unit, batch, OTHER={"name": "乙", "item_group_ids": [CBC, CXR, ECG, GLU]})
    before, (total, _) = await _lines(unit, exam), await _money(unit, exam)
    if door == "transfer":
        async with unit() as uow:
            told = await service.transfer(uow, made.campaign_id, made.groups["OTHER"], [member])
        assert [m.member_id for m in told.moved] == [member]
    else:
        async with unit() as uow:
            await employers.put_group(
                uow, made.campaign_id, "WIDE", GroupIn.model_validate(WIDE | {"item_group_ids": [CBC, CXR, ECG, GLU]})
            )
        _, counts = await batch.reprice(made.campaign_id)
        assert counts == {"repriced": 1, "same": 0, "left_alone": 0}
    after = await _lines(unit, exam)
    assert {code: line for code, line in after.items() if code != "GLU"} == before
    assert after["GLU"][0] == "released"
    assert await _money(unit, exam) == (total + after["GLU"][1], 0)
    _, counts = await batch.reprice(made.campaign_id)  # twice is once
    assert counts is not None
    assert counts["same"] == 1


async def test_what_only_the_offer_brought_goes_with_the_offer(unit: Unit, batch: Batch) -> None:
    made, member, exam = await _decided(unit, batch, OTHER={"name": "乙", "item_group_ids": [GLU]})
    async with unit() as uow:
        await service.transfer(uow, made.campaign_id, made.groups["OTHER"], [member])
    states = {code: state for code, (state, *_) in (await _lines(unit, exam)).items()}
    assert (states["CBC"], states["GLU"], states["ARTERY"], states["TCD"]) == ("withdrawn", "released", "released", "released")  # fmt: skip
    async with unit() as uow:  # and comes again with it
        await service.transfer(uow, made.campaign_id, made.groups["WIDE"], [member])
        live = {line.code for line in await exams.live_lines(uow, exam)}
    assert live == {"CBC", "ARTERY", "TCD"}
    assert GENERAL


async def test_an_offer_that_examines_what_was_taken_away_leaves_the_member_alone_by_name(
    unit: Unit, batch: Batch
) -> None:
    cbc5 = starter_id("item_group", "CBC5")
    made = await plan(unit, WIDE=WIDE, OTHER={"name": "乙", "item_group_ids": [cbc5, CXR]})
    [member] = await listed(unit, made.campaign_id)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    async with unit() as uow:
        exam = (await employers.member(uow, member)).exam_id
        assert exam is not None
        [line] = [line for line in await exams.lines(uow, exam) if line.code == "CBC"]
        await exams.set_aside(uow, exam, [line.id], "withdrawn", reason="外院已做")
    before = await _lines(unit, exam)
    async with unit() as uow:
        told = await service.transfer(uow, made.campaign_id, made.groups["OTHER"], [member])
    assert [(m.member_id, m.code) for m in told.left_alone] == [(member, "decision-in-the-way")]
    assert "血常规" in told.left_alone[0].zh
    assert await _lines(unit, exam) == before
