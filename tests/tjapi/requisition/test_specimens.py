"""A specimen that is refused is taken again under another barcode; what comes of the first one is not mistaken for the second's."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from adapters.lis import hl7_mllp
from adapters.lis.contract import Refusal
from tests.adapters.lis_peers import sandbox
from tests.tjapi.requisition.laboratory import placers, says
from tests.tjapi.world import API, House, SignIn, Visit, World, house, key, until, working
from tjapi.kernel.embedded import free_port
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("X3")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _drawn(world: World, *groups: str) -> tuple[Visit, httpx.AsyncClient]:
    visit, front = await world.checked_in(*groups), await world.sign_in("front")
    for tube in visit.tubes:
        assert (await front.post(f"{API}/tubes/{tube['id']}:collect", params={"place": "采血处"})).status_code == 200
    return visit, front


async def _reject(
    client: httpx.AsyncClient, tube: dict[str, Any], reason: str = "haemolysed", **more: str
) -> httpx.Response:
    return await client.post(f"{API}/tubes/{tube['id']}:reject", json={"reason": reason, **more})


async def _tubes(client: httpx.AsyncClient, visit: Visit) -> dict[str, tuple[str, list[str]]]:
    items = (await client.get(f"{visit.place}/tubes")).json()["items"]
    return {tube["barcode"]: (tube["state"], sorted(tube["groups"])) for tube in items}


async def _waits(client: httpx.AsyncClient, visit: Visit) -> list[str]:
    return sorted(o["code"] for o in (await client.get(f"{visit.place}/completeness")).json()["outstanding"])


async def _lines(admin: asyncpg.Connection, visit: Visit) -> dict[str, str]:
    rows = await admin.fetch("select code, state from exam_line where exam_id = $1", visit.exam_id)
    return {row["code"]: row["state"] for row in rows}


@pytest.mark.requirement("E1.1", "E1.7")
async def test_a_refused_specimen_is_taken_again_under_another_barcode_and_everybody_is_told(world: World) -> None:
    visit, front = await _drawn(world, "GLU")
    board = f"{API}/board?campus_id=1"
    drawn = (await front.get(board)).json()["blood_drawn"]
    answer = await _reject(await world.sign_in("doctor"), visit.tubes[0])
    assert answer.status_code == 200, answer.text
    old, new = answer.json()["tube"], answer.json()["replacement"]
    assert (old["state"], old["reject_reason"], new["state"], new["replaces_id"]) == (
        "rejected",
        "haemolysed",
        "planned",
        old["id"],
    )
    assert new["barcode"] != old["barcode"]
    kind = ("container", "specimen", "fasting", "section", "minutes_after", "send_out", "groups")
    assert [old[name] for name in kind] == [new[name] for name in kind]
    assert await _waits(front, visit) == ["line_specimen_rejected"]
    assert (await front.get(board)).json()["blood_drawn"] == drawn - 1
    labels = [d for d in (await front.get(f"{visit.place}/documents")).json()["items"] if d["kind"] == "tube_label"]
    assert [label["barcode"] for label in labels] == [new["barcode"]]
    printed = await front.post(f"{API}/document-prints", json=labels[0]["links"][1]["body"], headers=key())
    label = await front.get(f"{API}/document-prints/{printed.json()['id']}/file")
    assert new["barcode"].encode() in label.content
    refused = await front.post(f"{API}/tubes/{old['id']}:collect")
    assert (refused.status_code, refused.json()["code"]) == (409, "tube-state-conflict")
    assert (await front.post(f"{API}/tubes/{new['id']}:collect")).json()["state"] == "collected"
    assert await _waits(front, visit) == ["line_collected"]
    assert (await front.get(board)).json()["blood_drawn"] == drawn
    first = (await front.get(f"{API}/tubes/{old['id']}/custody")).json()
    assert [(s["action"], s["state"], s["place"], s["reason"]) for s in first["steps"]] == [
        ("collected", "collected", "采血处", None), ("rejected", "rejected", None, "haemolysed"),
    ]  # fmt: skip
    names = {name: (await world.staff(name)).name for name in ("front", "doctor")}
    assert [step["by_name"] for step in first["steps"]] == [names["front"], names["doctor"]]
    assert first["replaced_by_id"] == new["id"]
    second = (await front.get(f"{API}/tubes/{new['id']}/custody")).json()
    assert [s["action"] for s in second["steps"]] == ["replaced", "label_printed", "collected"]
    assert (second["replaces_id"], second["steps"][0]["note"]) == (old["id"], old["barcode"])


async def test_two_who_refuse_one_tube_at_once_have_it_drawn_again_once(world: World) -> None:
    visit, front = await _drawn(world, "GLU")
    doctor = await world.sign_in("doctor")
    answers = await asyncio.gather(*(_reject(who, visit.tubes[0]) for who in (front, doctor, front, doctor)))
    assert [a.status_code for a in answers] == [200] * 4
    assert len({a.json()["replacement"]["id"] for a in answers}) == 1
    assert len(await _tubes(front, visit)) == 2
    other = await _reject(front, visit.tubes[0], "clotted")
    assert (other.status_code, other.json()["code"]) == (409, "tube-state-conflict")
    steps = (await front.get(f"{API}/tubes/{visit.tubes[0]['id']}/custody")).json()["steps"]
    assert [s["action"] for s in steps] == ["collected", "rejected"]
    scanned = await front.get(f"{API}/tubes", params={"barcode": visit.tubes[0]["barcode"]})
    assert (scanned.json()["state"], scanned.json()["reject_reason"]) == ("rejected", "haemolysed")


async def test_what_was_not_taken_cannot_be_refused_and_another_reason_needs_its_words(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    early = await _reject(front, visit.tubes[0])
    assert (early.status_code, early.json()["code"]) == (409, "tube-state-conflict")
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    wordless = await _reject(front, visit.tubes[0], "other")
    assert (wordless.status_code, wordless.json()["errors"][0]["pointer"]) == (422, "/note")
    assert (await _reject(front, visit.tubes[0], "other", note="离心管破")).status_code == 200


async def test_what_has_results_keeps_them_and_only_the_rest_is_taken_again(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await _drawn(world, "GLU", "RENAL")
    (tube,) = visit.tubes
    assert (await says(world, visit, "GLU", barcode=tube["barcode"])).outcome == "filed"
    new = (await _reject(front, tube, "insufficient")).json()["replacement"]
    assert new["groups"] == ["肾功能"]
    assert await _lines(admin, visit) == {"GLU": "verified", "RENAL": "specimen_rejected"}
    corrected = await says(world, visit, "GLU", barcode=tube["barcode"], status="C", value="5.5")
    assert (corrected.outcome, corrected.reason) == ("revision", None)  # glucose was measured from the first tube
    await front.post(f"{API}/tubes/{new['id']}:collect")
    assert (await says(world, visit, "RENAL", barcode=new["barcode"])).outcome == "filed"
    assert set((await _lines(admin, visit)).values()) == {"verified"}
    for one in (tube, new):
        if one is new:
            late = await _reject(front, one)
            assert (late.status_code, late.json()["code"]) == (409, "tube-has-results")


async def test_a_value_that_is_struck_after_its_specimen_was_refused_is_drawn_again_with_the_rest(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await _drawn(world, "GLU", "RENAL")
    (tube,) = visit.tubes
    await says(world, visit, "GLU", barcode=tube["barcode"])
    first = (await _reject(front, tube)).json()["replacement"]
    assert (await says(world, visit, "GLU", barcode=tube["barcode"], status="W")).outcome == "revision"
    assert await _lines(admin, visit) == {"GLU": "collected", "RENAL": "specimen_rejected"}
    again = await _reject(front, tube, "clotted")
    assert (again.status_code, again.json()["replacement"]["id"]) == (200, first["id"])
    assert sorted(again.json()["replacement"]["groups"]) == ["空腹血糖", "肾功能"]
    assert sorted(len(numbers) for numbers in (await placers(world, visit.exam_id)).values()) == [2]
    await front.post(f"{API}/tubes/{first['id']}:collect")
    assert set((await _lines(admin, visit)).values()) == {"collected"}


async def test_a_tube_that_nobody_scanned_is_refused_once_the_laboratory_took_back_all_that_it_reported_of_it(
    world: World, admin: asyncpg.Connection
) -> None:
    """Otherwise its line waits for a result for ever: it cannot be set aside, as the specimen was taken."""
    visit, front = await world.checked_in("GLU", "RENAL"), await world.sign_in("front")
    (tube,) = visit.tubes
    early = await _reject(front, tube)
    assert (early.status_code, early.json()["code"]) == (409, "tube-state-conflict"), "nobody said anything of it"
    for group in ("GLU", "RENAL"):
        await says(world, visit, group, barcode=tube["barcode"])
    full = await _reject(front, tube)
    assert (full.status_code, full.json()["code"]) == (409, "tube-state-conflict")
    assert (await says(world, visit, "GLU", barcode=tube["barcode"], status="W")).outcome == "revision"
    assert (await _lines(admin, visit))["GLU"] == "collected"
    body = {"line_ids": [str(visit.lines["GLU"])], "reason": "标本不足", "signature": "张三"}
    assert (await front.post(f"{visit.place}/lines:waive", json=body)).status_code == 409
    answers = await asyncio.gather(*(_reject(front, tube) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["replacement"]["groups"] == ["空腹血糖"]
    assert (await _lines(admin, visit))["GLU"] == "specimen_rejected"
    steps = (await front.get(f"{API}/tubes/{tube['id']}/custody")).json()["steps"]
    assert next((s["action"], s["by_name"]) for s in steps) == ("collected", "LIS")
    assert [s["action"] for s in steps] == ["collected", "rejected"]
    assert (await front.post(f"{visit.place}/lines:waive", json=body)).status_code == 200


async def test_a_line_that_waits_for_another_tube_is_not_drawn_again_for_the_first_ones_sake(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front, doctor = (
        await world.checked_in("GLU", "RENAL"),
        await world.sign_in("front"),
        await world.sign_in("doctor"),
    )
    (tube,) = visit.tubes
    body = {"line_ids": [str(visit.lines["GLU"])], "reason": "早餐已用", "due_on": "2099-01-01", "signature": "张三"}
    assert (await front.post(f"{visit.place}/lines:defer", json=body)).status_code == 200
    await front.post(f"{API}/tubes/{tube['id']}:collect")
    await admin.execute("update tube set state = 'received' where id::text = $1", tube["id"])
    made_up = await front.post(
        f"{visit.place}/lines:reinstate", json={"line_ids": [str(visit.lines["GLU"])], "reason": "补检"}
    )
    assert made_up.status_code == 200
    second = next(t for t in (await front.get(f"{visit.place}/tubes")).json()["items"] if t["state"] == "planned")
    await front.post(f"{API}/tubes/{second['id']}:collect")
    assert (await _reject(doctor, tube)).json()["replacement"]["groups"] == ["肾功能"]
    assert await _lines(admin, visit) == {"GLU": "collected", "RENAL": "specimen_rejected"}


async def test_a_late_result_of_a_refused_specimen_is_not_filed_by_barcode_nor_by_number(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await _drawn(world, "GLU")
    (old,) = visit.tubes
    ((old_placer,),) = (await placers(world, visit.exam_id)).values()
    new = (await _reject(front, old)).json()["replacement"]
    asked = await placers(world, visit.exam_id)
    assert list(asked) == [new["barcode"]]
    assert asked[new["barcode"]] != [old_placer]
    for numbers in (
        {"barcode": old["barcode"]},
        {"placer": old_placer},
        {"barcode": old["barcode"], "placer": old_placer},
    ):
        late = await says(world, visit, "GLU", **numbers)
        assert (late.outcome, late.reason) == ("unmatched", "specimen-rejected")
        assert late.detail["rejected"] == [numbers.get("barcode", old_placer)]
    assert await _lines(admin, visit) == {"GLU": "specimen_rejected"}
    assert await admin.fetchval("select count(*) from result where exam_id = $1", visit.exam_id) == 0
    # The second tube was not scanned when it was drawn; the laboratory has it all the same, whatever number it writes beside it.
    filed = await says(world, visit, "GLU", barcode=new["barcode"], placer=old_placer)
    assert (filed.outcome, await _lines(admin, visit)) == ("filed", {"GLU": "verified"})


async def test_a_result_and_a_refusal_at_once_leave_one_of_the_two_truths(
    world: World, admin: asyncpg.Connection
) -> None:
    for _ in range(3):
        visit, front = await _drawn(world, "GLU")
        filing, answer = await asyncio.gather(
            says(world, visit, "GLU", barcode=visit.tubes[0]["barcode"]), _reject(front, visit.tubes[0])
        )
        seen = (filing.reason, answer.status_code, (await _lines(admin, visit))["GLU"])
        assert seen in ((None, 409, "verified"), ("specimen-rejected", 200, "specimen_rejected")), seen


@pytest.mark.requirement("I2")
async def test_the_laboratory_refuses_a_specimen_in_its_own_message_once(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")  # nobody scanned the draw
    (tube,) = visit.tubes
    filing = await says(world, visit, "GLU", barcode=tube["barcode"], refused="RH^溶血^HL70490")
    assert (filing.outcome, filing.reason) == ("filed", None)
    assert (await says(world, visit, "GLU", barcode=tube["barcode"], refused="RC")).outcome == "duplicate"
    states = await _tubes(front, visit)
    assert states.pop(tube["barcode"]) == ("rejected", ["空腹血糖"])
    assert list(states.values()) == [("planned", ["空腹血糖"])]
    steps = (await front.get(f"{API}/tubes/{tube['id']}/custody")).json()["steps"]
    assert [(s["action"], s["by_name"], s["reason"], s["note"]) for s in steps] == [
        ("collected", "LIS", None, None), ("rejected", "LIS", "haemolysed", "溶血"),
    ]  # fmt: skip
    told = "select count(*) from job where name = 'requisition.cancel_lines' and payload ->> 'requisition_id' in (select id::text from requisition where exam_id = $1)"
    assert await admin.fetchval(told, visit.exam_id) == 0  # it said so itself
    done = await says(world, visit, "GLU", barcode=next(iter(states)))
    assert done.outcome == "filed"
    late = await says(world, visit, "GLU", barcode=next(iter(states)), refused="QS")
    assert (late.outcome, late.reason) == ("unmatched", "refusal-not-possible")


@pytest.mark.parametrize(
    ("written", "reason"),
    [("RH^Hemolysis", "haemolysed"), ("QS", "insufficient"), ("^标本凝块", "clotted"), ("脂血", "lipaemic"), ("RP", "other"), ("", None)],
)  # fmt: skip
def test_why_a_laboratory_refuses_is_read_from_codes_and_words(written: str, reason: Refusal | None) -> None:
    raw = (
        "MSH|^~\\&|LIS|LAB|TJAPI||20261127080000+0800||ORU^R01|M1|P|2.5.1\rPID|1||X1^^^TJ^VN||张三\rOBR|1|||GLU^血糖\rSPM|1|B1"
        + "|" * 19
        + written
        + "\r"
    )
    refused = hl7_mllp.parse(raw.encode()).results[0].refused
    assert (refused and refused.reason) == reason


@pytest.mark.requirement("E1.6")
async def test_who_does_not_want_to_be_drawn_again_has_the_line_withdrawn_and_nothing_is_asked_for(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await _drawn(world, "GLU", "CBC")
    tube = visit.tube("空腹血糖")
    new = (await _reject(front, tube)).json()["replacement"]
    body = {"line_ids": [str(visit.lines["GLU"])], "reason": "不愿再抽"}
    assert (await front.post(f"{visit.place}/lines:withdraw", json=body)).status_code == 200
    assert (await _tubes(front, visit))[new["barcode"]] == ("cancelled", ["空腹血糖"])
    assert new["barcode"] not in await placers(world, visit.exam_id)
    assert (await front.get(f"{API}/tubes/{new['id']}/custody")).json()["steps"][-1]["action"] == "cancelled"
    assert await _waits(front, visit) == ["line_collected"]
    assert (await front.get(f"{visit.place}")).json()["total_fen"] == await admin.fetchval(
        "select price_fen from exam_line where id = $1", visit.lines["CBC"]
    )


async def test_no_step_of_a_tube_is_changed_or_taken_away(world: World, admin: asyncpg.Connection) -> None:
    visit, _ = await _drawn(world, "GLU")
    for statement in (
        "update tube_step set by_name = 'x' where tube_id::text = $1",
        "delete from tube_step where tube_id::text = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.execute(statement, visit.tubes[0]["id"])
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("update tube set state = 'planned' where id::text = $1", visit.tubes[0]["id"])


@pytest.fixture
async def place(worker_name: str) -> Any:
    async with house(f"specimens_{worker_name}", lis_port=free_port()) as built:
        yield built


@pytest.mark.requirement("I2")
async def test_the_lis_hears_that_the_first_is_not_wanted_and_is_asked_again_under_the_new_barcode(
    place: House,
) -> None:
    visit, front = await place.world.checked_in("GLU", "CBC"), await place.sign_in("front")
    tube = visit.tube("空腹血糖")
    listen = f"--listen=127.0.0.1:{place.runtime.settings.lis_port}"

    async def orders(lab: Any) -> dict[str, list[tuple[str, bool]]]:
        tubes = (await lab.control.get("/orders")).json()["tubes"]
        return {t["barcode"]: [(line["code"], line["cancelled"]) for line in t["lines"].values()] for t in tubes}

    async with working(place.runtime.settings), sandbox(free_port(), listen, "--auto-delay=-1") as lab:
        sent = "select count(*) from requisition where exam_id = $1 and state = 'sent'"
        await until(lambda: place.admin.fetchval(f"select ({sent}) = 1", visit.exam_id))
        await front.post(f"{API}/tubes/{tube['id']}:collect")
        new = (await _reject(front, tube)).json()["replacement"]

        async def settled() -> bool:
            now = await orders(lab)
            return now.get(tube["barcode"]) == [("GLU", True)] and now.get(new["barcode"]) == [("GLU", False)]

        await until(settled)
        assert (await orders(lab))[visit.tube("血常规")["barcode"]] == [("CBC", False)]
    assert await place.admin.fetchval(sent, visit.exam_id) == 2
