"""Tubes are planned with the lines, collected from who is here, and the order goes out, sooner or later, once."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.lis.sandbox.dictionary import BUILT_IN
from tests.adapters.lis_peers import Sandbox, sandbox
from tests.tjapi.world import API, House, SignIn, Visit, World, house, key, until, working
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.kernel.embedded import free_port
from tjapi.kernel.runtime import Runtime
from tjapi.requisition import service as requisitions
from tjapi.requisition.rules import luhn


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.requirement("E1.5")
async def test_lines_share_a_tube_by_container_specimen_and_fasting(world: World) -> None:
    visit, front = (
        await world.registered("CBC", "LIVER", "GLU", "LIPID", "URINE", "GENERAL"),
        await world.sign_in("front"),
    )
    tubes = (await front.get(f"{visit.place}/tubes")).json()["items"]
    assert sorted((t["container"], t["specimen"], t["fasting"], len(t["groups"])) for t in tubes) == [
        ("EDTA-2", "whole_blood", False, 1), ("SST", "serum", True, 3), ("URINE", "urine", False, 1),
    ]  # fmt: skip
    assert {t["state"] for t in tubes} == {"planned"}
    assert all(luhn(t["barcode"][:-1]) == t["barcode"][-1] for t in tubes)


@pytest.mark.requirement("E1.5")
async def test_a_section_and_a_time_have_tubes_of_their_own(world: World) -> None:
    visit, front = await world.registered("GLU", "GLU-2H", "GA", "THYROID"), await world.sign_in("front")
    tubes = (await front.get(f"{visit.place}/tubes")).json()["items"]
    assert sorted((t["section"], t["fasting"], t["minutes_after"] or 0, len(t["groups"])) for t in tubes) == [
        ("chemistry", False, 0, 1), ("chemistry", False, 120, 1), ("chemistry", True, 0, 1), ("immunoassay", False, 0, 1),
    ]  # fmt: skip
    assert {(t["container"], t["send_out"]) for t in tubes} == {("SST", False)}


async def _added(world: World, visit: Visit, code: str) -> None:
    front, body = await world.sign_in("front"), {"item_group_ids": [str((await world.groups())[code])]}
    assert (await front.post(f"{visit.place}/lines", json=body, headers=key())).status_code in (200, 201)


@pytest.mark.requirement("E1.5", "E1.6")
async def test_an_add_on_is_measured_from_the_tube_that_is_there_until_the_laboratory_has_received_it(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    (first,) = visit.tubes
    await front.post(f"{API}/tubes/{first['id']}:collect")
    await _added(world, visit, "RENAL")
    (tube,) = (await front.get(f"{visit.place}/tubes")).json()["items"]
    assert (tube["barcode"], sorted(tube["groups"])) == (first["barcode"], ["空腹血糖", "肾功能"])
    lines = await admin.fetch("select state from exam_line where exam_id = $1", visit.exam_id)
    assert {row["state"] for row in lines} == {"collected"}  # its blood is drawn
    orders = (await front.get(f"{visit.place}/requisitions")).json()["items"]
    async with world.runtime.units.open(demo.LOADER) as uow:
        sent = [await requisitions.order_of(uow, UUID(order["id"])) for order in orders]
    asked = [[(t.barcode, [g.code for g in t.groups]) for t in order.tubes] for order in sent if order]
    assert asked == [
        [(first["barcode"], ["GLU"])],
        [(first["barcode"], ["RENAL"])],
    ]  # each order asks for its own lines
    await admin.execute("update tube set state = 'received' where id = $1", UUID(first["id"]))
    await _added(world, visit, "LIPID")
    tubes = (await front.get(f"{visit.place}/tubes")).json()["items"]
    assert [(t["state"], t["groups"]) for t in tubes][1:] == [("planned", ["血脂"])]


async def test_barcodes_are_never_given_twice(world: World, admin: asyncpg.Connection) -> None:
    people = [await world.person() for _ in range(8)]
    visits = await asyncio.gather(*(world.registered("CBC", "GLU", examinee_id=person) for person, _ in people))
    codes = await admin.fetch("select barcode from tube where exam_id = any($1)", [v.exam_id for v in visits])
    assert len({row["barcode"] for row in codes}) == 16


async def test_releasing_again_plans_nothing_twice(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.registered("CBC", "GLU")
    async with world.runtime.units.open(demo.LOADER) as uow:
        await requisitions.plan(uow, visit.exam_id, visit.lines.values())
    counted = await admin.fetchrow(
        "select (select count(*) from tube where exam_id = $1), (select count(*) from requisition where exam_id = $1)",
        visit.exam_id,
    )
    assert tuple(counted) == (2, 1)


@pytest.mark.requirement("E1.5")
async def test_nothing_is_taken_from_who_is_not_here(world: World, admin: asyncpg.Connection) -> None:
    visit, front = await world.registered("GLU"), await world.sign_in("front")
    tube = (await front.get(f"{visit.place}/tubes")).json()["items"][0]["id"]
    early = await front.post(f"{API}/tubes/{tube}:collect")
    assert (early.status_code, early.json()["code"]) == (409, "not-checked-in")
    assert await admin.fetchval("select state from tube where id::text = $1", tube) == "planned"


@pytest.mark.requirement("E1.5", "X3")
async def test_a_second_scan_of_a_collected_tube_changes_nothing(world: World, admin: asyncpg.Connection) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    place = f"{API}/tubes/{visit.tubes[0]['id']}:collect"
    answers = [await front.post(place), *await asyncio.gather(*(front.post(place) for _ in range(4)))]
    assert [a.status_code for a in answers] == [200] * 5
    assert {a.json()["collected_at"] for a in answers} == {answers[0].json()["collected_at"]}
    audited = await admin.fetchval(
        "select count(*) from audit_event where action = 'tube.collected' and object_id = $1", visit.tubes[0]["id"]
    )
    assert audited == 1


async def test_a_cancelled_exams_tubes_are_not_collected_and_its_order_is_dropped(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    await front.post(f"{visit.place}:cancel", json={"reason": "离开"})
    late = await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    assert (late.status_code, late.json()["code"]) == (409, "tube-state-conflict")
    orders = (await front.get(f"{visit.place}/requisitions")).json()["items"]
    assert [order["state"] for order in orders] == ["cancelled"]


async def test_only_a_failed_order_is_sent_again_by_hand(world: World) -> None:
    visit, engineer = await world.checked_in("GLU"), await world.sign_in("interface")
    order = (await engineer.get(f"{visit.place}/requisitions")).json()["items"][0]["id"]
    answer = await engineer.post(f"{API}/requisitions/{order}:resend")
    assert (answer.status_code, answer.json()["code"]) == (409, "requisition-not-failed")
    nowhere = await engineer.post(f"{API}/requisitions/{uuid4()}:resend")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "requisition-not-found")


async def test_saying_twice_that_an_order_was_sent_changes_nothing(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    order = (await front.get(f"{visit.place}/requisitions")).json()["items"][0]
    for _ in range(2):
        async with world.runtime.units.open(demo.LOADER) as uow:
            await requisitions.mark_sent(uow, order["id"], ())
    async with world.runtime.units.open(demo.LOADER) as uow:
        await requisitions.mark_failed(uow, order["id"], "too late")
        assert await requisitions.order_of(uow, order["id"]) is None
        assert [line.state for line in await exams.lines(uow, visit.exam_id)] == ["sent"]
    assert (await front.get(f"{visit.place}/requisitions")).json()["items"][0]["state"] == "sent"


@pytest.fixture
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"orders_{worker_name}", lis_port=free_port()) as built:
        yield built


@contextlib.asynccontextmanager
async def _laboratory(place: House, dictionary: Path) -> AsyncIterator[Sandbox]:
    """The sandbox laboratory where this house expects it; it only takes orders."""
    listen = f"--listen=127.0.0.1:{place.runtime.settings.lis_port}"
    async with sandbox(free_port(), listen, "--auto-delay=-1", f"--dictionary={dictionary}") as lab:
        yield lab


async def _order(place: House, visit: Visit) -> dict[str, Any]:
    front = await place.sign_in("front")
    found: dict[str, Any] = (await front.get(f"{visit.place}/requisitions")).json()["items"][0]
    return found


async def _ordered(lab: Sandbox) -> dict[str, list[str]]:
    tubes = (await lab.control.get("/orders")).json()["tubes"]
    return {tube["barcode"]: sorted(line["code"] for line in tube["lines"].values()) for tube in tubes}


@pytest.mark.requirement("I2")
async def test_while_the_lis_is_down_the_visit_goes_on_and_the_order_follows_once_it_is_back(place: House) -> None:
    visit = await place.world.registered("CBC", "GLU")
    sent = "select count(*) from job where name = 'requisition.send_order'"
    assert await place.admin.fetchval(sent) == 0  # nobody's tubes are ordered before they come
    front = await place.sign_in("front")
    visit.tubes = (await front.post(f"{visit.place}:check-in")).json()["tubes"]
    async with working(place.runtime.settings):
        tried = "select error from job where name = 'requisition.send_order' and attempts > 0"
        assert await until(lambda: place.admin.fetchval(tried)) == "lis-unavailable"
        assert (await _order(place, visit))["state"] == "planned"
        collected = await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
        assert collected.status_code == 200
        async with _laboratory(place, BUILT_IN) as lab:
            order = await until(lambda: _sent(place, visit))
            assert (order["attempt"], order["error"]) == (0, None)
            held = await _ordered(lab)
            assert sorted(held) == sorted(tube["barcode"] for tube in visit.tubes)
            assert sorted(code for codes in held.values() for code in codes) == ["CBC", "GLU"]
    states = await place.admin.fetch("select code, state from exam_line order by code")
    assert {row["state"] for row in states} == {"collected", "sent"}


async def _sent(place: House, visit: Visit) -> dict[str, Any] | None:
    order = await _order(place, visit)
    return order if order["state"] == "sent" else None


async def _cancelled(place: House) -> asyncpg.Record | None:
    return await place.admin.fetchrow(
        "select state, error, result from job where name = 'requisition.cancel_order' and state in ('succeeded', 'dead')"
    )


@pytest.mark.requirement("I2", "E1.6")
async def test_the_order_of_a_cancelled_exam_is_taken_back_at_the_lis(place: House) -> None:
    visit, front = await place.world.checked_in("GLU"), await place.sign_in("front")
    async with working(place.runtime.settings), _laboratory(place, BUILT_IN) as lab:
        await until(lambda: _sent(place, visit))
        assert list(await _ordered(lab)) == [visit.tubes[0]["barcode"]]
        assert (await front.post(f"{visit.place}:cancel", json={"reason": "离开"})).status_code == 200
        assert (await until(lambda: _cancelled(place)))["state"] == "succeeded"
        (tube,) = (await lab.control.get("/orders")).json()["tubes"]
        assert [line["cancelled"] for line in tube["lines"].values()] == [True]
        assert (await _order(place, visit))["state"] == "cancelled"


@pytest.mark.requirement("I2", "E1.6")
async def test_a_line_that_is_withdrawn_is_taken_back_at_the_lis_alone_and_asked_for_anew_when_it_comes_back(
    place: House,
) -> None:
    visit, front = await place.world.checked_in("CBC", "GLU", "LIVER"), await place.sign_in("front")

    async def command(verb: str, code: str) -> None:
        body = {"line_ids": [str(visit.lines[code])], "reason": "受检者要求"}
        assert (await front.post(f"{visit.place}/lines:{verb}", json=body)).status_code == 200

    async def at_the_lis(lab: Sandbox) -> dict[str, list[bool]]:
        found: dict[str, list[bool]] = {}
        for tube in (await lab.control.get("/orders")).json()["tubes"]:
            for line in tube["lines"].values():
                found.setdefault(line["code"], []).append(line["cancelled"])
        return found

    async with working(place.runtime.settings), _laboratory(place, BUILT_IN) as lab:
        await until(lambda: _sent(place, visit))
        await command("refuse", "GLU")
        await command("withdraw", "CBC")
        done = "select count(*) = 2 from job where name = 'requisition.cancel_lines' and state = 'succeeded'"
        await until(lambda: place.admin.fetchval(done))
        assert await at_the_lis(lab) == {"CBC": [True], "GLU": [True], "LIVER": [False]}
        held = {
            t["barcode"]: (t["state"], t["groups"]) for t in (await front.get(f"{visit.place}/tubes")).json()["items"]
        }
        assert held[visit.tube("血常规")["barcode"]] == ("cancelled", ["血常规"])
        assert held[visit.tube("肝功能")["barcode"]] == ("planned", ["肝功能"])
        refused = await front.post(f"{API}/tubes/{visit.tube('血常规')['id']}:collect")
        assert (refused.status_code, refused.json()["code"]) == (409, "tube-state-conflict")
        await command("reinstate", "GLU")
        sent = "select count(*) = 2 from requisition where exam_id = $1 and state = 'sent'"
        await until(lambda: place.admin.fetchval(sent, visit.exam_id))
        assert await at_the_lis(lab) == {"CBC": [True], "GLU": [True, False], "LIVER": [False]}
        tubes = {
            t["barcode"]: sorted(t["groups"])
            for t in (await front.get(f"{visit.place}/tubes")).json()["items"]
            if t["state"] == "planned"
        }
        assert tubes == {visit.tube("肝功能")["barcode"]: ["空腹血糖", "肝功能"]}  # its old tube


async def test_what_is_withdrawn_before_anybody_comes_is_asked_of_nobody(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.registered("CBC", "GLU"), await world.sign_in("front")
    body = {"line_ids": [str(line) for line in visit.lines.values()], "reason": "不做"}
    assert (await front.post(f"{visit.place}/lines:withdraw", json=body)).status_code == 200
    states = await admin.fetchrow(
        "select (select array_agg(distinct state) from tube where exam_id = $1), (select array_agg(state) from requisition where exam_id = $1),"
        " (select count(*) from job where name = 'requisition.cancel_lines' and payload ->> 'requisition_id' in (select id::text from requisition where exam_id = $1))",
        visit.exam_id,
    )  # fmt: skip
    assert tuple(states) == (["cancelled"], ["cancelled"], 0)


@pytest.mark.requirement("I2")
async def test_an_order_that_was_cancelled_on_its_way_is_taken_back_and_one_that_never_left_need_not_be(
    place: House,
) -> None:
    visit, front = await place.world.checked_in("GLU"), await place.sign_in("front")
    order = (await _order(place, visit))["id"]
    async with place.runtime.units.open(demo.LOADER) as uow:
        assert await requisitions.order_of(uow, order) is not None  # the worker has read it; then the exam is cancelled
    await front.post(f"{visit.place}:cancel", json={"reason": "离开"})
    async with place.runtime.units.open(demo.LOADER) as uow:
        before = await requisitions.cancellation_of(uow, order)
    async with place.runtime.units.open(demo.LOADER) as uow:
        await requisitions.mark_sent(uow, order, ())
    async with place.runtime.units.open(demo.LOADER) as uow:
        after = await requisitions.cancellation_of(uow, order)
    assert before is not None
    assert after is not None
    assert (before.acknowledged, after.acknowledged) == (False, True)
    assert (await _order(place, visit))["state"] == "cancelled"
    await place.admin.execute("update requisition set sent_at = null where id = $1", order)
    async with working(place.runtime.settings), _laboratory(place, BUILT_IN):
        done = await until(lambda: _cancelled(place))
    assert (done["state"], json.loads(done["result"])) == ("succeeded", {"cancelled": True, "known": False})
    never_here = await place.world.registered("GLU")
    await front.post(f"{never_here.place}:cancel", json={"reason": "不来"})
    assert await place.admin.fetchval("select count(*) from job where name = 'requisition.cancel_order'") == 1


@pytest.mark.requirement("I2")
async def test_an_order_that_the_lis_refuses_fails_visibly_and_a_person_sends_it_again(
    place: House, tmp_path: Path
) -> None:
    poor = tmp_path / "poor.json"
    known = json.loads(BUILT_IN.read_text(encoding="utf-8"))["groups"]
    poor.write_text(json.dumps({"groups": {"URINE": known["URINE"]}}), encoding="utf-8")
    visit, engineer = await place.world.checked_in("GLU"), await place.sign_in("interface")

    async def failed() -> dict[str, Any] | None:
        order = await _order(place, visit)
        return order if order["state"] == "failed" else None

    async with working(place.runtime.settings):
        async with _laboratory(place, poor):
            refused = await until(failed)
            job = "select state, error from job where name = 'requisition.send_order'"
            assert tuple(await until(lambda: place.admin.fetchrow(job + " and state = 'dead'"))) == (
                "dead",
                "lis-rejected",
            )
        assert (refused["error"], refused["attempt"]) == ("AE", 0)
        async with _laboratory(place, BUILT_IN) as lab:
            again = await engineer.post(f"{API}/requisitions/{refused['id']}:resend")
            assert (again.status_code, again.json()["state"], again.json()["attempt"]) == (200, "planned", 1)
            assert (await until(lambda: _sent(place, visit)))["error"] is None
            assert list(await _ordered(lab)) == [visit.tubes[0]["barcode"]]


@pytest.mark.requirement("X3", "E1.2")
async def test_what_is_scanned_is_read_alike_wherever_it_is_sent(world: World) -> None:
    visit, front = await world.checked_in("CBC"), await world.sign_in("front")
    code = visit.tubes[0]["barcode"]
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    for sent in (f" {code} ", f"{code}\r", f"{code[:4]} {code[4:]}", wide):
        found = await front.get(f"{API}/tubes", params={"barcode": sent})
        assert (found.status_code, found.json().get("barcode")) == (200, code), repr(sent)
    for sent in (f" {visit.exam_no}\r", visit.exam_no.lower(), f"{visit.exam_no[:3]} {visit.exam_no[3:]}"):
        listed = (await front.get(f"{API}/exams", params={"exam_no": sent})).json()["items"]
        assert [one["id"] for one in listed] == [str(visit.exam_id)], repr(sent)
