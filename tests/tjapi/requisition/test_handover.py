"""Tubes go from hand to hand: counted and scanned by two people, and whatever is missing, too many or outside is named."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import httpx
import pypdfium2
import pytest

from tests.tjapi.requisition.laboratory import says
from tests.tjapi.world import API, SignIn, Visit, World, key
from tjapi.kernel.runtime import Runtime
from tjapi.requisition.rules import TUBE_MOVES, extra, handover_no

pytestmark = pytest.mark.requirement("X3")
LISTS = f"{API}/specimen-handovers"


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.fixture
async def front(world: World) -> httpx.AsyncClient:
    return await world.sign_in("front")


@pytest.fixture
async def doctor(world: World) -> httpx.AsyncClient:
    return await world.sign_in("doctor")


async def _drawn(world: World, *groups: str) -> Visit:
    visit, front = await world.checked_in(*groups), await world.sign_in("front")
    for tube in visit.tubes:
        await front.post(f"{API}/tubes/{tube['id']}:collect")
    return visit


async def _opened(client: httpx.AsyncClient, *barcodes: str, **more: Any) -> str:
    made = await client.post(LISTS, json={"campus_id": 1, "from_place": "采血处", **more}, headers=key())
    assert made.status_code == 201, made.text
    place = f"{LISTS}/{made.json()['id']}"
    if barcodes:
        added = await client.post(f"{place}:add", json={"barcodes": list(barcodes)})
        assert added.status_code == 200, added.text
    return place


async def _left(client: httpx.AsyncClient, *barcodes: str, **more: Any) -> str:
    place = await _opened(client, *barcodes, **more)
    answer = await client.post(f"{place}:hand-over", json={"counted": len(barcodes)})
    assert answer.status_code == 200, answer.text
    return place


async def _states(admin: asyncpg.Connection, *barcodes: str) -> list[str]:
    rows = await admin.fetch("select barcode, state from tube where barcode = any($1)", list(barcodes))
    return [next(row["state"] for row in rows if row["barcode"] == code) for code in barcodes]


def _outcomes(detail: dict[str, Any]) -> dict[str, str | None]:
    return {tube["barcode"]: tube["outcome"] for tube in detail["tubes"]}


async def _actions(client: httpx.AsyncClient, tube: dict[str, Any]) -> list[str]:
    return [step["action"] for step in (await client.get(f"{API}/tubes/{tube['id']}/custody")).json()["steps"]]


async def test_a_list_is_counted_handed_over_and_received_by_another_person_and_names_what_is_missing_or_too_many(
    world: World, front: httpx.AsyncClient, doctor: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    one, two, third = await asyncio.gather(_drawn(world, "GLU", "CBC"), _drawn(world, "CBC"), _drawn(world, "CBC"))
    planned = await world.checked_in("CBC")
    a, b, c, stray = (tube["barcode"] for tube in (*one.tubes, *two.tubes, *third.tubes))
    place = await _opened(front, a, b, c)
    again = await front.post(f"{place}:add", json={"barcodes": [a]})
    assert again.json()["counts"]["listed"] == 3  # scanned twice, listed once
    short = await front.post(f"{place}:hand-over", json={"counted": 2})
    assert (short.status_code, short.json()["code"]) == (409, "handover-count-differs")
    assert "清点 2 支,扫描 3 支" in short.json()["detail"]
    left = await front.post(f"{place}:hand-over", json={"counted": 3, "carrier": "王五"})
    assert (left.json()["state"], await _states(admin, a, b, c)) == ("handed_over", ["handed_over"] * 3)
    for verb, body in (("receive", {"barcodes": [a]}), ("sign", {"counted": 3, "whole": True})):
        own = await front.post(f"{place}:{verb}", json=body)
        assert (own.status_code, own.json()["code"]) == (409, "receiver-handed-over")
    scans = {"barcodes": [a, stray, "NICHTDA", planned.tubes[0]["barcode"], a]}
    seen = (await doctor.post(f"{place}:receive", json=scans)).json()
    assert (seen["counts"]["received"], seen["counts"]["waiting"], seen["counts"]["extra"]) == (1, 2, 3)
    assert {e["barcode"]: e["kind"] for e in seen["extras"]} == {
        stray: "received", "NICHTDA": "unknown", planned.tubes[0]["barcode"]: "not_collected",
    }  # fmt: skip
    await doctor.post(f"{place}:receive", json={"barcodes": [b]})
    wrong = await doctor.post(f"{place}:sign", json={"counted": 2})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "handover-count-differs")
    signed = (await doctor.post(f"{place}:sign", json={"counted": 3, "note": "缺一支"})).json()
    assert (signed["state"], _outcomes(signed)) == ("received", {a: "received", b: "received", c: "missing"})
    names = [(await world.staff(name)).name for name in ("front", "doctor")]
    assert [signed["handed_over_by_name"], signed["received_by_name"]] == names
    assert await _states(admin, a, b, c, stray) == ["received", "received", "collected", "received"]
    steps = (await front.get(f"{API}/tubes/{one.tubes[0]['id']}/custody")).json()["steps"]
    assert [(s["action"], s["place"], s["by_name"], s["list_no"]) for s in steps[1:]] == [
        ("listed", "采血处", names[0], signed["list_no"]), ("handed_over", "采血处", names[0], signed["list_no"]),
        ("received", "检验科", names[1], signed["list_no"]),
    ]  # fmt: skip
    assert await _actions(front, two.tubes[0]) == ["collected", "listed", "handed_over", "missing"]
    pdf = await front.get(f"{place}/file")
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    text = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf.content))
    for said in (
        signed["list_no"],
        a,
        c,
        stray,
        one.card["name"],
        "缺失",
        "不在单上",
        "未登记采集",
        "条码不存在",
        *names,
    ):
        assert said in text, said
    found = await _opened(front, c)  # the missing one turned up and goes with the next list
    assert (await front.get(found)).json()["counts"]["listed"] == 1


async def test_a_tube_waits_on_one_list_whoever_scans_it_at_once(
    world: World, front: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    visit = await _drawn(world, "CBC")
    (code,) = (tube["barcode"] for tube in visit.tubes)
    first, second = await _opened(front), await _opened(front)
    body = {"barcodes": [code]}
    answers = await asyncio.gather(*(front.post(f"{place}:add", json=body) for place in (first, second)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["code"], refused["errors"][0]["code"]) == ("handover-tubes-refused", "listed")
    taken = first if answers[0].status_code == 200 else second
    assert (await front.post(f"{taken}:remove", json=body)).json()["counts"]["listed"] == 0
    other = second if taken == first else first
    assert (await front.post(f"{other}:add", json=body)).status_code == 200
    dropped = await front.post(f"{other}:cancel", json={"reason": "改日"})
    assert (dropped.json()["state"], await _states(admin, code)) == ("cancelled", ["collected"])
    closed = await front.post(f"{other}:add", json=body)
    assert (closed.status_code, closed.json()["code"]) == (409, "handover-state-conflict")
    assert await _actions(front, visit.tubes[0]) == ["collected", "listed", "unlisted", "listed", "unlisted"]


async def test_tubes_are_scanned_all_or_none_and_each_that_is_refused_is_named(
    world: World, front: httpx.AsyncClient
) -> None:
    drawn, planned = await _drawn(world, "CBC"), await world.checked_in("CBC")
    place = await _opened(front)
    body = {"barcodes": [drawn.tubes[0]["barcode"], planned.tubes[0]["barcode"], "NICHTDA"]}
    answer = await front.post(f"{place}:add", json=body)
    assert (answer.status_code, [(e["pointer"], e["code"]) for e in answer.json()["errors"]]) == (
        409, [("/barcodes/1", "tube-planned"), ("/barcodes/2", "not-found")],
    )  # fmt: skip
    assert (await front.get(place)).json()["counts"]["listed"] == 0
    empty = await front.post(f"{place}:hand-over", json={"counted": 1})
    assert empty.json()["code"] == "handover-count-differs"


async def test_two_who_sign_at_once_sign_once_and_a_tube_of_another_list_is_taken_in_here(
    world: World, front: httpx.AsyncClient, doctor: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    one, two = await _drawn(world, "CBC"), await _drawn(world, "CBC")
    a, b = one.tubes[0]["barcode"], two.tubes[0]["barcode"]
    first, second = await _left(front, a), await _left(front, b)
    await doctor.post(f"{first}:receive", json={"barcodes": [b]})
    answers = await asyncio.gather(
        *(who.post(f"{first}:sign", json={"counted": 2, "whole": True}) for who in (doctor, doctor))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await _states(admin, a, b) == ["received", "received"]
    assert _outcomes((await front.get(second)).json()) == {b: "elsewhere"}
    rest = await doctor.post(f"{second}:sign", json={"counted": 0})
    assert (rest.status_code, rest.json()["counts"]["missing"]) == (200, 0)
    assert await _actions(front, two.tubes[0]) == ["collected", "listed", "handed_over", "received"]


async def test_a_specimen_that_is_refused_on_its_way_is_not_missing(
    world: World, front: httpx.AsyncClient, doctor: httpx.AsyncClient
) -> None:
    visit = await _drawn(world, "CBC", "GLU")
    a, b = (tube["barcode"] for tube in visit.tubes)
    place = await _left(front, a, b)
    new = (await doctor.post(f"{API}/tubes/{visit.tubes[0]['id']}:reject", json={"reason": "broken"})).json()[
        "replacement"
    ]
    signed = (await doctor.post(f"{place}:sign", json={"counted": 1, "whole": True})).json()
    assert _outcomes(signed) == {a: "rejected", b: "received"}
    assert signed["counts"]["missing"] == 0
    late = await doctor.post(f"{API}/tubes/{visit.tubes[1]['id']}:reject", json={"reason": "clotted"})
    assert late.status_code == 200  # received, and then found clotted
    await front.post(f"{API}/tubes/{new['id']}:collect")
    assert (await front.get(await _opened(front, new["barcode"]))).json()["counts"]["listed"] == 1


@pytest.mark.requirement("I2")
async def test_what_is_sent_out_is_known_with_its_laboratory_until_its_result_or_itself_is_back(
    world: World, front: httpx.AsyncClient, doctor: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    chief = await world.sign_in("admin")
    labs = f"{API}/outside-labs"
    lab = (await chief.put(f"{labs}/GHYJ", json={"name": "桂海医学检验所"})).json()["id"]
    closed = (await chief.put(f"{labs}/GHZZ", json={"name": "停用检验所", "active": False})).json()["id"]
    refused = await front.post(LISTS, json={"campus_id": 1, "from_place": "检验科", "outside_lab_id": closed})
    assert (refused.status_code, refused.json()["code"]) == (404, "outside-lab-not-found")
    visit = await _drawn(world, "CBC", "GLU")
    a, b = (tube["barcode"] for tube in visit.tubes)
    inside = await _left(front, a, b)
    await doctor.post(f"{inside}:sign", json={"counted": 2, "whole": True})
    place = await _left(doctor, a, b, outside_lab_id=lab, from_place="检验科")
    assert await _states(admin, a, b) == ["sent_out", "sent_out"]
    nameless = await doctor.post(f"{place}:sign", json={"counted": 2, "whole": True})
    assert (nameless.status_code, nameless.json()["code"]) == (422, "receiver-not-named")
    body = {"counted": 2, "whole": True, "receiver_name": "赵六"}
    signed = (await doctor.post(f"{place}:sign", json=body)).json()
    assert (signed["to_place"], signed["received_by_name"], signed["counts"]["out"]) == ("桂海医学检验所", "赵六", 2)

    async def awaited() -> list[str]:
        rows = await front.get(LISTS, params={"awaiting": True, "outside_lab_id": lab})
        return [f"{LISTS}/{row['id']}" for row in rows.json()["items"]]

    assert await awaited() == [place]
    group = "CBC" if visit.tube("血常规")["barcode"] == a else "GLU"
    assert (await says(world, visit, group, barcode=a)).outcome == "filed"
    back = {tube["barcode"]: tube["back_how"] for tube in (await front.get(place)).json()["tubes"]}
    assert (back, await awaited()) == ({a: "reported", b: None}, [place])
    for _ in range(2):
        assert (await front.post(f"{API}/tubes/{visit.tubes[1]['id']}:return", json={})).json()["state"] == "received"
    assert (await awaited(), (await front.get(place)).json()["counts"]["out"]) == ([], 0)
    assert await _actions(front, visit.tubes[0]) == [
        "collected", "listed", "handed_over", "received", "listed", "sent_out", "received", "reported",
    ]  # fmt: skip
    assert (await _actions(front, visit.tubes[1]))[-1] == "returned"
    never = await _drawn(world, "CBC")
    kept = await front.post(f"{API}/tubes/{never.tubes[0]['id']}:return", json={})
    assert (kept.status_code, kept.json()["code"]) == (409, "tube-not-sent-out")


def test_numbers_of_lists_and_moves_of_tubes() -> None:
    assert handover_no(1, date(2026, 11, 27), 3) == "J01261127003"
    assert {to for moves in TUBE_MOVES.values() for to in moves} <= set(TUBE_MOVES)
    assert all("planned" not in moves for moves in TUBE_MOVES.values())  # nothing is uncollected
    assert not TUBE_MOVES["rejected"]
    assert (extra(None), extra("planned"), extra("handed_over")) == ("unknown", "not_collected", "received")
