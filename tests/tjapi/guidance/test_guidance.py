"""Rooms and queues; and the guide sheet, which comes back once."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.tjapi.world import API, House, SignIn, Visit, World, house, key
from tjapi.kernel.runtime import Runtime

GENERAL, INTERNAL = 1, 2


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    """A house of its own: whoever is guided goes to the shortest queue, so nobody else may stand in them."""
    async with house(f"guidance_{worker_name}") as built:
        yield built


async def _room(world: World, department: int, **changes: Any) -> dict[str, Any]:
    admin = await world.sign_in("admin")
    body = {
        "campus_id": 1,
        "code": f"R{secrets.randbelow(10**6)}",
        "name": "诊室",
        "department_id": department,
        **changes,
    }
    answer = await admin.post(f"{API}/rooms", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _guided(world: World, visit: Visit) -> dict[str, Any]:
    front = await world.sign_in("front")
    answer = await front.post(f"{visit.place}:guide")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _return(world: World, visit: Visit, *decisions: dict[str, Any]) -> httpx.Response:
    front = await world.sign_in("front")
    return await front.post(f"{visit.place}:return-guide-sheet", json={"decisions": list(decisions)})


def _decide(visit: Visit, code: str, decision: str = "refused", **more: Any) -> dict[str, Any]:
    return {"line_id": str(visit.lines[code]), "decision": decision, "reason": "受检者要求", **more}


@pytest.mark.requirement("X2")
async def test_people_are_sent_from_room_to_room_called_in_turn_and_told_when_nothing_is_left(place: House) -> None:
    world = place.world
    room = await _room(world, GENERAL, minutes=4)
    other = await _room(world, INTERNAL, minutes=9)
    visits = [await world.checked_in("GENERAL", "INTERNAL") for _ in range(3)]
    tickets = [(await _guided(world, v))["ticket"] for v in visits]
    assert [t["room_id"] for t in tickets] == [
        room["id"],
        other["id"],
        room["id"],
    ]  # 0 min, then 4 against 0, then 4 against 9
    assert tickets[2]["ahead"] == 1
    assert (await _guided(world, visits[0]))["ticket"]["id"] == tickets[0]["id"]  # who stands in a queue stays there
    doctor = await world.sign_in("doctor")
    called = (await doctor.post(f"{API}/rooms/{room['id']}:call-next")).json()
    assert (called["id"], called["state"], called["calls"]) == (tickets[0]["id"], "called", 1)
    one = f"{API}/tickets/{called['id']}"
    assert (await doctor.post(f"{one}:recall")).json()["calls"] == 2
    await doctor.post(f"{one}:pass")
    assert (await doctor.post(f"{one}:requeue")).json()["ahead"] == 1  # behind the one who waited
    second = (await doctor.post(f"{API}/rooms/{room['id']}:call-next")).json()
    assert second["id"] == tickets[2]["id"]
    for verb in ("enter", "finish"):
        assert (await doctor.post(f"{API}/tickets/{second['id']}:{verb}")).status_code == 200
    assert (await doctor.post(f"{API}/tickets/{second['id']}:enter")).json()["code"] == "ticket-state-conflict"
    await _return(world, visits[2], _decide(visits[2], "GENERAL"), _decide(visits[2], "INTERNAL"))
    front = await world.sign_in("front")
    assert (await front.post(f"{visits[2].place}:guide")).json()["code"] == "not-here"
    listed = (await front.get(f"{API}/rooms", params={"campus_id": 1})).json()["items"]
    assert {r["id"]: (r["queue"], r["wait_minutes"]) for r in listed} == {room["id"]: (1, 4), other["id"]: (1, 9)}


@pytest.mark.requirement("X2")
async def test_two_who_call_at_once_call_two_people_and_an_empty_queue_says_so(place: House) -> None:
    world = place.world
    room = await _room(world, 3)
    visits = [await world.checked_in("SURGERY") for _ in range(5)]
    tickets = {(await _guided(world, v))["ticket"]["id"] for v in visits}
    doctor = await world.sign_in("doctor")
    answers = await asyncio.gather(*(doctor.post(f"{API}/rooms/{room['id']}:call-next") for _ in range(8)))
    called = [a.json()["id"] for a in answers if a.status_code == 200]
    assert len(called) == len(set(called)) == 5
    assert set(called) == tickets
    assert {a.json()["code"] for a in answers if a.status_code != 200} == {"nobody-waits"}


@pytest.mark.requirement("X2", "E1.6")
async def test_whose_exam_is_cancelled_is_called_no_more_and_who_was_inside_waits_again(place: House) -> None:
    world, front, doctor = place.world, await place.sign_in("front"), await place.sign_in("doctor")
    room = await _room(world, 5)
    gone, inside = await world.checked_in("ECG"), await world.checked_in("ECG")
    await _guided(world, gone)
    ticket = (await _guided(world, inside))["ticket"]["id"]
    assert (await front.post(f"{gone.place}:cancel", json={"reason": "离开"})).status_code == 200
    assert [t["id"] for t in (await front.get(f"{API}/rooms/{room['id']}/tickets")).json()["items"]] == [ticket]
    assert (await doctor.post(f"{API}/rooms/{room['id']}:call-next")).json()["id"] == ticket
    for verb in ("recall", "recall", "enter"):
        assert (await doctor.post(f"{API}/tickets/{ticket}:{verb}")).status_code == 200
    assert (await doctor.post(f"{API}/tickets/{ticket}:requeue")).json()["state"] == "waiting"


@pytest.mark.requirement("X2", "X11")
async def test_whose_exam_is_on_hold_is_not_called_and_is_guided_anew_when_it_goes_on(place: House) -> None:
    world, front, doctor = place.world, await place.sign_in("front"), await place.sign_in("doctor")
    room = await _room(world, 5)
    stopped = await world.checked_in("ECG")
    before = (await _guided(world, stopped))["ticket"]["id"]
    assert (await front.post(f"{stopped.place}:hold", json={"reason": "低血糖"})).status_code == 200
    called = await doctor.post(f"{API}/rooms/{room['id']}:call-next")
    assert (called.status_code, called.json()["code"]) == (409, "nobody-waits")
    assert (await front.post(f"{stopped.place}:resume")).status_code == 200
    again = (await _guided(world, stopped))["ticket"]["id"]
    assert again != before
    assert (await doctor.post(f"{API}/rooms/{room['id']}:call-next")).json()["id"] == again


@pytest.mark.requirement("X2", "E1.6")
@pytest.mark.parametrize("verb", ["withdraw", "refuse", "waive", "defer", "substitute"])
async def test_whose_lines_are_set_aside_waits_for_nothing_and_is_not_called(place: House, verb: str) -> None:
    world, front, doctor = place.world, await place.sign_in("front"), await place.sign_in("doctor")
    visit = await world.checked_in("TCM", "GLU")
    made = await _room(world, visit.departments["TCM"])
    room = {"id": (await _guided(world, visit))["ticket"]["room_id"]}  # that of an earlier verb, perhaps
    assert made["queue"] == 0
    queue = f"{API}/rooms/{room['id']}/tickets"
    line = str(visit.lines["TCM"])
    body: dict[str, Any] = {"line_ids": [line], "reason": "要求"}
    if verb == "defer":
        body["due_on"] = "2098-01-05"
    if verb == "substitute":
        ids = await world.groups()
        body = {"line_id": line, "item_group_ids": [str(ids["GENERAL"])], "reason": "改做"}
    answer = await front.post(f"{visit.place}/lines:{verb}", json=body, headers=key())
    assert answer.status_code == 200, answer.text
    assert (await front.get(queue)).json()["items"] == []
    called = await doctor.post(f"{API}/rooms/{room['id']}:call-next")
    assert (called.status_code, called.json()["code"]) == (409, "nobody-waits")
    ticket = (await _guided(world, visit))["ticket"]
    assert ticket is None or ticket["room_id"] != room["id"]


@pytest.mark.requirement("X2", "E1.3")
async def test_who_is_pregnant_since_is_not_sent_to_the_film_and_is_told_why(place: House) -> None:
    world, front, doctor = place.world, await place.sign_in("front"), await place.sign_in("doctor")
    person, _ = await world.person(sex="female")
    visit = await world.checked_in("CXR", "GLU", examinee_id=person)
    room = await _room(world, visit.departments["CXR"])
    assert (await _guided(world, visit))["ticket"]["room_id"] == room["id"]
    answer = await front.post(f"{visit.place}:correct-facts", json={"pregnant": True, "reason": "受检者告知"})
    assert answer.status_code == 200, answer.text
    called = await doctor.post(f"{API}/rooms/{room['id']}:call-next")
    assert (called.status_code, called.json()["code"]) == (409, "nobody-waits")
    guided = await _guided(world, visit)
    assert guided["ticket"] is None or guided["ticket"]["room_id"] != room["id"]
    assert not guided["done"]
    assert "胸部正位片" in guided["zh"]
    assert "胸部正位片" in guided["en"]
    kept = {"line_ids": [str(visit.lines["CXR"])], "reason": "医生评估"}
    # That a film is taken in spite of it is a physician's word.
    assert (await front.post(f"{visit.place}/lines:keep", json=kept)).status_code == 403
    assert (await doctor.post(f"{visit.place}/lines:keep", json=kept)).status_code == 200
    again = await _guided(world, visit)
    assert again["ticket"]["room_id"] == room["id"]


@pytest.mark.requirement("E1.8", "E1.3")
async def test_undoing_a_return_brings_nothing_back_that_does_not_suit_any_more(world: World) -> None:
    person, _ = await world.person(sex="female")
    visit = await world.checked_in("CXR", "GENERAL", examinee_id=person)
    front = await world.sign_in("front")
    await _return(world, visit, _decide(visit, "CXR"), _decide(visit, "GENERAL"))
    facts = {"pregnant": True, "reason": "受检者告知"}
    assert (await front.post(f"{visit.place}:correct-facts", json=facts)).status_code == 200
    again = await front.post(f"{visit.place}:give-back-guide-sheet", json={"reason": "同意检查"})
    assert again.status_code == 200, again.text
    states = {line["code"]: line["state"] for line in (await front.get(visit.place)).json()["lines"]}
    assert states == {"CXR": "refused", "GENERAL": "released"}


@pytest.mark.requirement("E1.8", "X1")
async def test_a_returned_guide_sheet_needs_a_decision_on_each_open_line_and_twice_is_once(world: World) -> None:
    visit = await world.checked_in("GENERAL", "INTERNAL", "GLU")
    front = await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    seen = (await front.get(f"{visit.place}/guide-sheet-return")).json()
    assert [line["name"] for line in seen["open_lines"]] == [
        "一般检查",
        "内科检查",
    ]  # the blood is drawn: nobody must be here for it
    paid = {"line_ids": [str(visit.lines[c]) for c in ("GENERAL", "INTERNAL")], "how": "paid"}
    assert (await front.post(f"{visit.place}/lines:cover", json=paid)).status_code == 200
    refused = await _return(world, visit, _decide(visit, "GENERAL"))
    assert (refused.status_code, refused.json()["code"]) == (409, "guide-sheet-undecided")
    assert [e["pointer"] for e in refused.json()["errors"]] == [f"line:{visit.lines['INTERNAL']}"]
    assert (await front.get(visit.place)).json()["state"] == "in_progress"
    decisions = (
        _decide(visit, "GENERAL", signature="张三"),
        _decide(visit, "INTERNAL", "deferred", due_on="2098-01-05"),
    )
    back = (await _return(world, visit, *decisions)).json()
    assert (back["state"], back["open_lines"]) == ("sheet_returned", [])
    assert set(back["decided_line_ids"]) == {str(visit.lines[c]) for c in ("GENERAL", "INTERNAL")}
    lines = {line["code"]: line for line in (await front.get(visit.place)).json()["lines"]}
    assert back["refund_fen"] == lines["GENERAL"]["person_share_fen"]  # what is deferred is still owed
    assert {o["code"] for o in back["outstanding"]} == {"line_deferred", "line_collected"}
    assert (await _return(world, visit, *decisions)).json() == back
    again = (await front.post(f"{visit.place}:give-back-guide-sheet", json={"reason": "同意检查"})).json()
    assert (again["state"], again["returned_at"], again["refund_fen"]) == ("in_progress", None, 0)
    assert [line["name"] for line in again["open_lines"]] == ["一般检查", "内科检查"]
    twice = await front.post(f"{visit.place}:give-back-guide-sheet", json={"reason": "同意检查"})
    assert (twice.status_code, twice.json()["code"]) == (409, "guide-sheet-not-returned")


@pytest.mark.requirement("X2")
async def test_whoever_comes_out_of_a_room_goes_to_every_other_one_before_they_are_sent_back_and_are_told_so(
    place: House,
) -> None:
    """What was done in a room is often entered later: until then its lines look undone."""
    world, doctor = place.world, await place.sign_in("doctor")
    departments = {"EYE": 0, "ENT": 0, "DENTAL": 0}
    visit = await world.checked_in(*departments)
    rooms = {code: await _room(world, visit.departments[code]) for code in departments}
    seen: list[str] = []
    for n in range(5):
        guided = await _guided(world, visit)
        seen.append(guided["ticket"]["room_id"])
        assert guided["again"] == (n > 2)
        assert ("请回「诊室」" in guided["zh"]) == ("go back to 诊室" in guided["en"]) == (n > 2)
        ticket = f"{API}/tickets/{guided['ticket']['id']}"
        for verb in ("call-next", "enter", "finish"):
            at = f"{API}/rooms/{seen[-1]}:call-next" if verb == "call-next" else f"{ticket}:{verb}"
            assert (await doctor.post(at)).status_code == 200
    assert set(seen[:3]) == {room["id"] for room in rooms.values()}
    assert all(before != after for before, after in itertools.pairwise(seen))
    body = {"line_ids": [str(visit.lines[c]) for c in departments if rooms[c]["id"] != seen[-1]], "reason": "要求"}
    await (await world.sign_in("front")).post(f"{visit.place}/lines:refuse", json=body)
    guided = await _guided(world, visit)
    assert (guided["ticket"]["room_id"], guided["again"]) == (seen[-1], True), "it is the only one left"


@pytest.mark.requirement("E1.8")
async def test_where_the_policy_says_so_what_is_open_is_refused_and_its_package_may_say_otherwise(place: House) -> None:
    world = place.world
    admin, front = await world.sign_in("admin"), await world.sign_in("front")
    policy = {"campus_id": 1, "mode": "refuse", "reason": "离院未检"}
    assert (await admin.put(f"{API}/guide-sheet-policies", json=policy)).status_code == 200
    visit = await world.checked_in("GENERAL", "GLU")
    await world.file(visit)
    back = (await _return(world, visit)).json()
    assert (back["state"], back["outstanding"]) == ("ready_for_review", [])
    steps = (await front.get(f"{visit.place}/line-steps")).json()["items"]
    assert [(s["action"], s["reason"]) for s in steps] == [("refused", "离院未检")]
    await admin.put(f"{API}/guide-sheet-policies", json=policy | {"mode": "ask"})


@pytest.mark.requirement("X2", "X3", "E1.8")
async def test_whose_specimen_is_refused_after_the_sheet_came_back_needs_it_again_and_is_sent_to_a_room(
    place: House,
) -> None:
    world, front = place.world, await place.sign_in("front")
    visit = await world.checked_in("GLU")
    await _room(world, visit.departments["GLU"])
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    assert (await _return(world, visit)).json()["state"] == "sheet_returned"
    refused = await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:reject", json={"reason": "haemolysed"})
    assert refused.status_code == 200
    exam = (await front.get(visit.place)).json()
    assert (exam["state"], exam["sheet_returned_at"]) == ("in_progress", None)
    assert (await _guided(world, visit))["ticket"] is not None


@pytest.mark.requirement("E1.8")
async def test_who_comes_and_defers_everything_may_hand_the_sheet_in(world: World) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    later = [_decide(visit, code, "deferred", due_on="2098-01-05") for code in ("GENERAL", "GLU")]
    back = await _return(world, visit, *later)
    assert (back.status_code, back.json()["state"]) == (200, "sheet_returned")


@pytest.mark.requirement("E1.8")
async def test_a_decision_must_be_on_an_open_line_of_this_exam_and_a_deferral_needs_its_day(world: World) -> None:
    visit, other = await world.checked_in("GENERAL", "GLU"), await world.checked_in("GENERAL")
    await world.file(visit)
    for decision, status, code, pointer in (
        (_decide(visit, "GENERAL", "deferred"), 422, "due-date-missing", "/decisions/0/due_on"),
        (_decide(other, "GENERAL"), 404, "line-not-there", "/decisions/0/line_id"),
        (_decide(visit, "GLU"), 409, "line-state-conflict", "/decisions/0/line_id"),
    ):
        answer = await _return(world, visit, decision)
        assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (
            status,
            code,
            pointer,
        )
    prepared = await world.registered("GENERAL")
    assert (await _return(world, prepared, _decide(prepared, "GENERAL"))).json()["code"] == "exam-state-conflict"


@pytest.mark.requirement("E1.8", "E1.6")
async def test_a_line_that_is_added_brings_the_sheet_out_again(world: World) -> None:
    visit, front = await world.checked_in("GENERAL", "GLU"), await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    assert (await _return(world, visit, _decide(visit, "GENERAL"))).json()["state"] == "sheet_returned"
    body = {"item_group_ids": [str((await world.groups())["INTERNAL"])]}
    exam = (
        await front.post(f"{visit.place}/lines", json=body, headers={"Idempotency-Key": secrets.token_hex(16)})
    ).json()
    assert (exam["state"], exam["sheet_returned_at"]) == ("in_progress", None)
    visit.lines["INTERNAL"] = next(line["id"] for line in exam["lines"] if line["code"] == "INTERNAL")
    back = (await _return(world, visit, _decide(visit, "INTERNAL"))).json()
    assert back["state"] == "sheet_returned"
    assert len(back["decided_line_ids"]) == 2


@pytest.mark.requirement("E1.6", "E1.8", "X2")
async def test_a_line_added_to_an_exam_that_waits_for_review_brings_the_sheet_out_and_its_examinee_to_a_room(
    place: House,
) -> None:
    world, front = place.world, await place.sign_in("front")
    visit = await world.ready("GLU")
    await _room(world, visit.departments["GLU"])
    assert (await _return(world, visit)).json()["state"] == "ready_for_review"
    body = {"item_group_ids": [str((await world.groups())["CBC"])]}
    exam = (await front.post(f"{visit.place}/lines", json=body, headers=key())).json()
    assert (exam["state"], exam["sheet_returned_at"]) == ("in_progress", None)
    assert (await _guided(world, visit))["ticket"] is not None


@pytest.mark.requirement("E1.8")
async def test_a_decision_that_was_made_after_the_sheet_came_back_is_not_undone_with_it(world: World) -> None:
    visit, front = await world.checked_in("GENERAL", "INTERNAL", "SURGERY", "GLU"), await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    later = _decide(visit, "SURGERY", "deferred", due_on="2098-01-05")
    await _return(world, visit, _decide(visit, "GENERAL"), _decide(visit, "INTERNAL"), later)
    refused = {"line_ids": [str(visit.lines["SURGERY"])], "reason": "不做了", "signature": "张三"}
    assert (await front.post(f"{visit.place}/lines:refuse", json=refused)).status_code == 200
    alone = {"line_ids": [str(visit.lines["GENERAL"])], "reason": "同意检查"}
    await front.post(f"{visit.place}/lines:reinstate", json=alone)
    await front.post(f"{visit.place}/lines:refuse", json=alone | {"reason": "还是不做", "signature": "张三"})
    out = (await front.post(f"{visit.place}:give-back-guide-sheet", json={"reason": "同意检查"})).json()
    assert [line["name"] for line in out["open_lines"]] == ["内科检查"]
    states = {line["code"]: line["state"] for line in (await front.get(visit.place)).json()["lines"]}
    assert (states["GENERAL"], states["INTERNAL"], states["SURGERY"]) == ("refused", "released", "refused")


@pytest.mark.requirement("E1.8")
async def test_a_line_decided_upon_twice_and_a_deferral_to_the_past_are_named_where_they_stand(world: World) -> None:
    visit = await world.checked_in("GENERAL", "INTERNAL")
    twice = await _return(world, visit, _decide(visit, "GENERAL"), _decide(visit, "INTERNAL"), _decide(visit, "GENERAL", "waived"))  # fmt: skip
    assert (twice.status_code, [(e["pointer"], e["code"]) for e in twice.json()["errors"]]) == (
        409, [("/decisions/2/line_id", "twice")],
    )  # fmt: skip
    late = await _return(world, visit, _decide(visit, "GENERAL"), _decide(visit, "INTERNAL", "deferred", due_on="2020-01-05"))  # fmt: skip
    assert (late.status_code, [(e["pointer"], e["code"]) for e in late.json()["errors"]]) == (
        422, [("/decisions/1/due_on", "not-ahead")],
    )  # fmt: skip
