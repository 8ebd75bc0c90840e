"""The calendar is data: sessions, resources, days unlike their weekday; what it says holds at once, and bookings stay."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.appointment.desk import Desk
from tests.tjapi.world import API, key, until, working
from tjapi.kernel.clock import business_day

pytestmark = pytest.mark.requirement("E1.3", "E8.5")
PLACE = f"{API}/appointment-calendars/2"


async def _calendar(desk: Desk) -> tuple[dict[str, Any], str]:
    answer = await (await desk.sign_in("admin")).get(PLACE)
    calendar = answer.json()
    strip = {"id"}
    body = {
        "policy": calendar["policy"],
        "sessions": [{k: v for k, v in s.items() if k not in strip} for s in calendar["sessions"]],
        "resources": [{k: v for k, v in r.items() if k not in strip} for r in calendar["resources"]],
    }
    return body, answer.headers["etag"]


async def _put(desk: Desk, body: dict[str, Any], tag: str, place: str = PLACE) -> httpx.Response:
    return await (await desk.sign_in("admin")).put(place, json=body, headers={"If-Match": tag})


async def _free(desk: Desk, day: Any) -> dict[str, Any]:
    asked: dict[str, str | int] = {"campus_id": 2, "day_from": str(day), "day_to": str(day)}
    answer = await (await desk.sign_in("front.b")).get(f"{API}/appointment-availability", params=asked)
    shown: dict[str, Any] = answer.json()["days"][0]
    return shown


async def test_a_campus_opens_with_a_usual_calendar_and_changes_it_as_a_whole(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    body, tag = await _calendar(desk)
    assert {s["weekday"] for s in body["sessions"]} == {1, 2, 3, 4, 5, 6}
    kept = [s | {"capacity": 7} for s in body["sessions"] if s["starts_at"] == "07:30"]
    women = {
        "weekday": 3,
        "name": "女性专场",
        "starts_at": "14:00",
        "ends_at": "16:00",
        "sex": "female",
        "capacity": 12,
    }
    lens = {"code": "LENS", "name": "胃镜", "per": "day", "capacity": 20, "weekdays": [1, 3]}
    answer = await _put(desk, body | {"sessions": [*kept, women], "resources": [lens]}, tag)
    assert answer.status_code == 200, answer.text
    today = business_day(desk.runtime.clock.now())
    days = [today + timedelta(days=n) for n in range(7, 14)]
    shown = {day.isoweekday(): await _free(desk, day) for day in days}
    assert [(s["starts_at"], s["capacity"], s["sex"]) for s in shown[3]["sessions"]] == [
        ("07:30", 7, "any"),
        ("14:00", 12, "female"),
    ]
    assert shown[7]["sessions"] == []
    assert {d: s["resources"][0]["capacity"] for d, s in shown.items()} == {1: 20, 2: 0, 3: 20, 4: 0, 5: 0, 6: 0, 7: 0}
    stale = await _put(desk, body, tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert (await _put(desk, body, answer.headers["etag"])).json()["resources"] == []
    seen = "select count(*) from audit_event where action = 'appointment_calendar.changed' and campus_id = 2"
    assert await admin.fetchval(seen) >= 2


async def test_a_calendar_that_contradicts_itself_is_refused_where_it_does(desk: Desk) -> None:
    body, tag = await _calendar(desk)
    first = body["sessions"][0]
    lens = {"code": "LENS", "name": "胃镜", "per": "day", "capacity": 20}
    wrong = body | {
        "sessions": [first, first, first | {"starts_at": "09:00", "ends_at": "08:00"}],
        "resources": [lens, lens],
    }
    answer = await _put(desk, wrong, tag)
    assert (answer.status_code, answer.json()["code"]) == (422, "appointment-calendar-invalid")
    found = {(e["pointer"], e["code"]) for e in answer.json()["errors"]}
    assert found == {("/sessions/1", "twice"), ("/sessions/2/ends_at", "not-after"), ("/resources/1/code", "twice")}
    odd = await _put(desk, body | {"sessions": [first | {"starts_at": "7:30"}]}, tag)
    assert odd.json()["errors"][0]["pointer"] == "/sessions/0/starts_at"


async def test_a_closed_day_a_day_worked_like_another_and_a_day_with_fewer_places(desk: Desk) -> None:
    admin = await desk.sign_in("admin")
    day = desk.day()
    while day.isoweekday() != 6:
        day = desk.day()
    sunday = day + timedelta(days=1)
    assert (await desk.free(sunday))["sessions"] == []
    monday = (await desk.free(day + timedelta(days=2)))["sessions"][0]["session_id"]
    swap = {"as_weekday": 1, "note": "国庆调休"}
    assert (await admin.put(f"{API}/appointment-calendars/1/days/{sunday}", json=swap)).status_code == 200
    worked = await desk.free(sunday)
    assert (worked["sessions"][0]["session_id"], worked["note"]) == (monday, "国庆调休")
    booked = await desk.booked(sunday, UUID(monday))
    closing = {"closed": True, "note": "停电"}
    refused = await admin.put(f"{API}/appointment-calendars/1/days/{sunday}", json=closing)
    assert (refused.status_code, refused.json()["code"]) == (409, "appointment-day-booked")
    assert f"appointment:{booked['appointment']['id']}" in {e["pointer"] for e in refused.json()["errors"]}
    closed = await admin.put(f"{API}/appointment-calendars/1/days/{sunday}", json=closing | {"despite": ["booked"]})
    assert closed.status_code == 200
    shown = await desk.free(sunday)
    assert (shown["closed"], shown["note"]) == (True, "停电")
    asked = {"day_from": str(sunday), "day_to": str(sunday)}
    listed = await admin.get(f"{API}/appointment-calendars/1/days", params=asked)
    assert listed.json()["items"] == [
        {"day": str(sunday), "closed": True, "as_weekday": None, "note": "停电", "sessions": [], "resources": []}
    ]
    kept = await (await desk.sign_in("front")).get(f"{API}/appointments/{booked['appointment']['id']}")
    assert kept.json()["state"] == "booked", "a closed day takes nobody's appointment away by itself"
    await admin.put(f"{API}/appointment-calendars/1/days/{sunday}", json={})
    assert (await desk.free(sunday))["sessions"] == []


async def test_a_day_loses_places_below_what_is_booked_and_then_takes_nobody(desk: Desk) -> None:
    day = desk.day()
    session = (await desk.places(day, 5))[0]
    for _ in range(3):
        await desk.booked(day, session)
    await desk.places(day, 1)
    free = (await desk.free(day))["sessions"][0]
    assert (free["capacity"], free["taken"], free["free"]) == (1, 3, 0)
    assert (await desk.ask(day, session)).json()["code"] == "appointment-full"
    await desk.places(day, 4)
    assert (await desk.ask(day, session)).status_code == 201
    assert (await desk.ask(day, session)).status_code == 409


async def test_counters_made_while_the_calendar_changes_have_the_new_capacity(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    for _ in range(4):
        day = desk.day()
        session = (await desk.places(day, 9))[0]
        await asyncio.gather(desk.places(day, 4), *(desk.ask(day, session) for _ in range(3)))
        found = await admin.fetchval(
            "select capacity from appointment_slot where day = $1 and resource_id is null", day
        )
        assert found == 4


async def test_a_session_for_women_is_for_women(desk: Desk, admin: asyncpg.Connection) -> None:
    day = desk.day()
    session = (await desk.places(day, 9))[0]
    await admin.execute("update appointment_session set sex = 'female' where id = $1", session)
    try:
        people = await desk.people(8)
        sexes = dict(await admin.fetch("select id, sex from examinee where id = any($1)", people))
        for person in people:
            answer = await desk.ask(day, session, "GLU", person=person)
            said = answer.json().get("code", "booked")
            assert said == ("booked" if sexes[person] == "female" else "appointment-session-not-for-sex")
    finally:
        await admin.execute("update appointment_session set sex = 'any' where id = $1", session)


async def test_the_waiting_list_is_served_in_order_as_places_come_free(desk: Desk) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    session = (await desk.places(day, 1, 0, 0, 0))[0]
    booking = await desk.booked(day, session)
    people = await desk.people(3)
    waits = []
    for person in people:
        body = {"campus_id": 1, "examinee_id": str(person), "day_from": str(day), "day_to": str(day)}
        answer = await front.post(f"{API}/waiting-list", json=body, headers={"Idempotency-Key": f"wait-{person}"})
        assert (answer.status_code, answer.json()["state"]) == (201, "waiting")
        waits.append(answer.json()["id"])
    left = await front.post(f"{API}/waiting-list/{waits[0]}:leave")
    assert left.json()["state"] == "left"

    async def states() -> list[str]:
        listed = (await front.get(f"{API}/waiting-list", params={"campus_id": 1, "page_size": 200})).json()["items"]
        by_id = {w["id"]: w for w in listed}
        return [by_id[w]["state"] for w in waits]

    async def offer(index: int) -> dict[str, Any] | None:
        asked = {"examinee_id": str(people[index]), "state": "offered"}
        found: list[dict[str, Any]] = (await front.get(f"{API}/waiting-list", params=asked)).json()["items"]
        return found[0] if found else None

    async with working(desk.runtime.settings):
        await desk.do(booking, "cancel", reason="有事")
        held = await until(lambda: offer(1))
        assert await states() == ["left", "offered", "waiting"]
        foreign = await desk.ask(day, session, person=people[2], hold_id=held["appointment_id"])
        assert (foreign.status_code, foreign.json()["code"]) == (409, "appointment-hold-ended")
        assert (await front.post(f"{API}/waiting-list/{waits[1]}:leave")).json()["state"] == "left"
        held = await until(lambda: offer(2))
        made = await desk.booked(day, session, person=people[2], hold_id=held["appointment_id"])
        assert made["appointment"]["source"] == "waiting_list"
    assert await states() == ["left", "left", "booked"]
    ended = await front.post(f"{API}/waiting-list/{waits[2]}:leave")
    assert (ended.status_code, ended.json()["code"]) == (409, "wait-state-conflict")


async def _waits(desk: Desk, day: date, person: UUID, **more: Any) -> None:
    body = {"campus_id": 1, "examinee_id": str(person), "day_from": str(day), "day_to": str(day), **more}
    answer = await (await desk.sign_in("front")).post(f"{API}/waiting-list", json=body, headers=key())
    assert (answer.status_code, answer.json()["state"]) == (201, "waiting"), answer.text


@pytest.mark.requirement("E1.3")
async def test_a_free_place_is_for_who_waits_unless_the_desk_says_that_it_goes_past_them(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    session, other = (await desk.places(day, 1, 1, 0, 0))[:2]
    booking, elsewhere = await desk.booked(day, session), await desk.booked(day, other)
    first, second, passer = await desk.people(3)
    for person in (first, second):
        await _waits(desk, day, person, starts_at=booking["appointment"]["starts_at"])
    await desk.do(booking, "cancel", reason="有事")  # no worker runs: nobody has been offered the place yet
    refused = await desk.ask(day, session, person=passer)
    assert (refused.status_code, refused.json()["code"]) == (409, "appointment-awaited")
    assert "2 人候补" in refused.json()["errors"][0]["message"]
    held = {"campus_id": 1, "day": str(day), "session_id": str(session)}
    assert (await front.post(f"{API}/appointment-holds", json=held)).json()["code"] == "appointment-awaited"
    moved = await desk.do(elsewhere, "reschedule", day=str(day), session_id=str(session))
    assert (moved.status_code, moved.json()["code"]) == (409, "appointment-awaited")
    assert (await desk.ask(day, session, person=second)).json()["code"] == "appointment-awaited"
    assert (await desk.free(day))["sessions"][0]["free"] == 1, "who was refused took nothing"
    await desk.booked(day, session, person=first)  # whose turn it is may come to the desk as well
    await desk.places(day, 2, 1, 0, 0)
    past = await desk.booked(day, session, person=passer, over_waiting_list=True)
    detail = (
        "select detail ->> 'over_waiting_list' from audit_event where object_id = $1 and action = 'appointment.booked'"
    )
    assert await admin.fetchval(detail, past["appointment"]["id"]) == "true"


@pytest.mark.requirement("E1.3")
async def test_a_day_that_gets_more_places_offers_them_to_who_waits(desk: Desk) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    session = (await desk.places(day, 1, 0, 0, 0))[0]
    await desk.booked(day, session)
    person = (await desk.people(1))[0]
    await _waits(desk, day, person)

    async def offered() -> list[dict[str, Any]]:
        asked = {"examinee_id": str(person), "state": "offered"}
        found: list[dict[str, Any]] = (await front.get(f"{API}/waiting-list", params=asked)).json()["items"]
        return found

    async with working(desk.runtime.settings):
        await desk.places(day, 2, 0, 0, 0)
        assert len(await until(offered)) == 1


@pytest.mark.requirement("E1.3")
async def test_a_closed_day_says_that_it_is_closed_and_why_and_an_exam_on_it_or_far_ahead_is_asked_back(
    desk: Desk,
) -> None:
    front, admin = await desk.sign_in("front"), await desk.sign_in("admin")
    open_day, closed_day = desk.day(), desk.day()
    [session, *_] = await desk.places(open_day, 5)
    [closed_session, *_] = await desk.places(closed_day, 5)
    shut = {"closed": True, "note": "停电检修"}
    assert (await admin.put(f"{API}/appointment-calendars/1/days/{closed_day}", json=shut)).status_code == 200
    person, _ = await desk.person()
    order = await desk.order(person, "GLU")
    place = {"day": closed_day.isoformat(), "session_id": str(closed_session)}
    refused = await front.post(f"{API}/appointments", json=order | place, headers=key())
    made = await front.post(
        f"{API}/appointments", json=order | {"day": open_day.isoformat(), "session_id": str(session)}, headers=key()
    )
    assert made.status_code == 201, made.text
    booking = made.json()["appointment"]["id"]
    moved = await front.post(f"{API}/appointments/{booking}:reschedule", json=place)
    for answer in (refused, moved):
        assert (answer.status_code, answer.json()["code"]) == (409, "appointment-session-not-offered")
        [error] = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("/day", "closed")
        assert "停电检修" in error["message"]
    for day, doubt in ((closed_day.isoformat(), "closed_day"), ("2099-01-05", "far_date")):
        other, _ = await desk.person()
        exam = await desk.order(other, "GLU") | {"exam_date": day}
        asked = await front.post(f"{API}/exams", json=exam, headers=key())
        assert (asked.status_code, [e["code"] for e in asked.json()["errors"]]) == (409, [doubt])
        assert doubt != "closed_day" or "停电检修" in asked.json()["errors"][0]["message"]
        meant = await front.post(f"{API}/exams", json=exam | {"despite": [doubt]}, headers=key())
        assert meant.status_code == 201, meant.text
    past = {"despite": ["past_date"], "day": open_day.isoformat(), "session_id": str(session)}
    refused = await front.post(f"{API}/appointments", json=order | past, headers=key())
    assert refused.status_code == 422, "what cannot succeed is not offered"
