"""A line that is set aside and brought back, an exam on hold, one that is cancelled: which tube is drawn, and what the laboratory hears."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World, key
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.kernel.runtime import Runtime
from tjapi.requisition import service as requisitions

WHY = {"reason": "受检者要求"}


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _tubes(world: World, visit: Visit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await (await world.sign_in("front")).get(f"{visit.place}/tubes")).json()["items"]
    return found


async def _line(world: World, visit: Visit, verb: str, code: str) -> httpx.Response:
    body = {"line_ids": [str(visit.lines[code])], **WHY}
    return await (await world.sign_in("front")).post(f"{visit.place}/lines:{verb}", json=body)


async def _add(world: World, visit: Visit, code: str) -> None:
    front, body = await world.sign_in("front"), {"item_group_ids": [str((await world.groups())[code])]}
    assert (await front.post(f"{visit.place}/lines", json=body, headers=key())).status_code == 200


@pytest.mark.requirement("E1.6", "I2")
async def test_a_line_that_comes_back_is_asked_for_under_its_new_tube_and_taken_back_under_its_old_one(
    world: World,
) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    (old,) = visit.tubes
    await _line(world, visit, "refuse", "GLU")
    await _line(world, visit, "reinstate", "GLU")
    before, now = await _tubes(world, visit)
    assert (before["barcode"], before["state"], now["state"]) == (old["barcode"], "cancelled", "planned")
    first, second = (UUID(o["id"]) for o in (await front.get(f"{visit.place}/requisitions")).json()["items"])
    async with world.runtime.units.read(demo.LOADER) as uow:
        order = await requisitions.order_of(uow, second)
        taken = await requisitions.lines_cancellation_of(uow, first, [f"{visit.exam_no}-1-01"])
    assert order is not None
    assert [(t.barcode, [g.placer_no for g in t.groups]) for t in order.tubes] == [
        (now["barcode"], [f"{visit.exam_no}-2-01"]),
    ]  # fmt: skip
    assert taken is not None
    assert [(t.barcode, [g.placer_no for g in t.groups]) for t in taken.order.tubes] == [
        (old["barcode"], [f"{visit.exam_no}-1-01"]),
    ]  # fmt: skip


@pytest.mark.requirement("E1.6")
async def test_an_add_on_does_not_go_into_a_tube_of_which_the_laboratory_has_reported(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    (old,) = visit.tubes
    await front.post(f"{API}/tubes/{old['id']}:collect")
    await world.file(visit)
    await _add(world, visit, "RENAL")
    tubes = {t["barcode"]: t for t in await _tubes(world, visit)}
    assert tubes.pop(old["barcode"])["groups"] == ["空腹血糖"]
    (new,) = tubes.values()
    assert (new["state"], new["groups"]) == ("planned", ["肾功能"])
    labels = [d["barcode"] for d in (await front.get(f"{visit.place}/documents")).json()["items"] if d["tube_id"]]
    assert sorted(labels) == sorted([old["barcode"], new["barcode"]])
    line = next(x for x in (await front.get(visit.place)).json()["lines"] if x["code"] == "RENAL")
    assert line["state"] == "released", "its blood is yet to be drawn"


@pytest.mark.requirement("E1.6", "X3")
async def test_nothing_is_taken_from_whose_exam_is_on_hold_here_or_not_yet_here(world: World) -> None:
    front = await world.sign_in("front")
    for visit in (await world.checked_in("GLU"), await world.registered("GLU")):
        tube = (await _tubes(world, visit))[0]["id"]
        await front.post(f"{visit.place}:hold", json={"reason": "发热"})
        refused = await front.post(f"{API}/tubes/{tube}:collect")
        assert (refused.status_code, refused.json()["code"]) == (409, "exam-state-conflict")
        assert [t["state"] for t in await _tubes(world, visit)] == ["planned"]


@pytest.mark.requirement("E1.5")
async def test_what_is_paid_for_before_its_examinee_has_come_is_not_ordered_not_even_on_hold(
    world: World, admin: asyncpg.Connection
) -> None:
    person, _ = await world.person()
    new = ExamIn(campus_id=1, examinee_id=person, item_group_ids=[(await world.groups())["GLU"]])
    async with world.runtime.units.open(demo.LOADER) as uow:
        exam = await exams.register(uow, new, payment_required=True)
        await exams.hold(uow, exam.id, "等待单位确认")
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.release(uow, exam.id, [line.id for line in await exams.lines(uow, exam.id)])
    sent = "select count(*) from job j join requisition r on j.payload ->> 'requisition_id' = r.id::text where r.exam_id = $1"
    assert await admin.fetchval(sent, exam.id) == 0
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert [t.state for t in await requisitions.tubes(uow, exam.id)] == ["planned"]


@pytest.mark.requirement("E1.6")
async def test_no_tube_is_drawn_for_an_exam_that_was_cancelled(world: World) -> None:
    visit, front = await world.checked_in("GLU", "CBC"), await world.sign_in("front")
    await front.post(f"{visit.place}:cancel", json=WHY)
    assert {t["state"] for t in await _tubes(world, visit)} == {"cancelled"}
