"""A booking is a place and its exam: both or neither, moved and cancelled together, and no place is had twice."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tjapi.appointment.desk import Desk
from tests.tjapi.world import API, house, key
from tjapi.appointment import service as appointments
from tjapi.kernel.clock import business_day
from tjapi.kernel.security.principal import SYSTEM, Principal
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.3")


@pytest.mark.requirement("E2.4")
async def test_of_200_clients_at_once_50_have_the_last_50_places_and_150_hear_what_is_full(worker_name: str) -> None:
    # Whoever stands last in this line waits for all the others, on a machine that is busy with other tests.
    async with house(f"rush_{worker_name}", request_seconds=110.0) as held:
        desk, admin = Desk(held.runtime, held.sign_in, held.admin), held.admin
        day = desk.day()
        session = (await desk.places(day, 50))[0]
        people = await desk.people(200)
        answers = await asyncio.gather(*(desk.ask(day, session, person=person, patience=110) for person in people))
        assert Counter(a.status_code for a in answers) == {201: 50, 409: 150}
        refusals = [a.json() for a in answers if a.status_code == 409]
        assert {r["code"] for r in refusals} == {"appointment-full"}
        for refusal in refusals:
            assert (refusal["errors"][0]["pointer"], refusal["errors"][0]["code"]) == ("/session_id", "full")
            assert {e["code"] for e in refusal["errors"][1:]} == {"room"}, "no day is named that has room"
        shown = (await desk.free(day))["sessions"][0]
        assert (shown["capacity"], shown["taken"], shown["free"]) == (50, 50, 0)
        counted = "select count(*), count(distinct examinee_id), count(distinct exam_id) from appointment where day = $1 and state = 'booked'"
        assert tuple(await admin.fetchrow(counted, day)) == (50, 50, 50)
        assert await admin.fetchval("select count(*) from exam where exam_date = $1", day) == 50
        assert await admin.fetchval("select max(exam_no) ~ '0050.$' from exam where exam_date = $1", day), (
            "a number is missing"
        )


async def test_a_resource_that_is_full_leaves_no_trace_of_the_booking_and_is_named(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day = desk.day()
    await desk.resources(ULTRASOUND=(30, "session"), CT=(3, "day"))
    first, second, *_ = await desk.places(day, 10, 10, CT=2)
    await desk.booked(day, first, "CT-HEAD")
    await desk.booked(day, second, "CT-CHEST", "US-ABD")
    answer = await desk.ask(day, first, "CT-HEAD", "CBC")
    assert (answer.status_code, answer.json()["code"]) == (409, "appointment-full")
    assert [e["pointer"] for e in answer.json()["errors"] if e["code"] == "full"] == ["/resources/CT"]
    free = await desk.free(day)
    assert [r["taken"] for r in free["resources"] if r["code"] == "CT"] == [2]
    assert [s["taken"] for s in free["sessions"]][:2] == [1, 1]
    assert [s["resources"][0]["taken"] for s in free["sessions"]][:2] == [0, 1]
    assert await admin.fetchval("select count(*) from exam where exam_date = $1", day) == 2
    await desk.booked(day, first, "CBC")


async def test_the_same_request_sent_twice_is_one_booking(desk: Desk, admin: asyncpg.Connection) -> None:
    day, header = desk.day(), key()
    session, person = (await desk.places(day, 10))[0], (await desk.person())[0]
    answers = [await desk.ask(day, session, person=person, header=header) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await admin.fetchval("select count(*) from appointment where examinee_id = $1", person) == 1
    bare = await desk.ask(day, session, person=person, header={"X": "x"})
    assert (bare.status_code, bare.json()["code"]) == (400, "idempotency-key-missing")


async def test_nobody_has_two_appointments_on_one_day_even_when_both_are_asked_for_at_once(desk: Desk) -> None:
    day = desk.day()
    first, second, *_ = await desk.places(day, 10, 10)
    person = (await desk.person())[0]
    answers = await asyncio.gather(*(desk.ask(day, s, person=person) for s in (first, second, first, second)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"appointment-twice"}
    assert sum(s["taken"] for s in (await desk.free(day))["sessions"]) == 1


async def test_rescheduling_moves_the_exam_too_and_keeps_the_old_place_when_the_new_day_is_full(desk: Desk) -> None:
    day, other, full = desk.day(), desk.day(), desk.day()
    session = (await desk.places(day, 1))[0]
    target, closed = (await desk.places(other, 1))[0], (await desk.places(full, 0))[0]
    booking = await desk.booked(day, session)
    refused = await desk.do(booking, "reschedule", day=full.isoformat(), session_id=str(closed))
    assert (refused.status_code, refused.json()["code"]) == (409, "appointment-full")
    assert (await desk.free(day))["sessions"][0]["free"] == 0
    moved = (await desk.do(booking, "reschedule", day=other.isoformat(), session_id=str(target))).json()
    assert (moved["appointment"]["day"], moved["exam"]["exam_date"]) == (other.isoformat(),) * 2
    assert moved["exam"]["exam_no"] == booking["exam"]["exam_no"]
    assert (await desk.free(day))["sessions"][0]["free"] == 1
    assert (await desk.free(other))["sessions"][0]["free"] == 0


async def test_two_who_swap_places_at_once_never_wait_for_each_other(desk: Desk) -> None:
    """Counters are taken in one order: without it this ends in deadlocks."""
    one, two = sorted((desk.day(), desk.day()))
    first, second = (await desk.places(one, 40))[0], (await desk.places(two, 40))[0]
    people = await desk.people(16)
    bookings = await asyncio.gather(
        *(desk.booked(*((one, first) if i % 2 else (two, second)), person=p) for i, p in enumerate(people))
    )
    answers = await asyncio.gather(
        *(
            desk.do(b, "reschedule", day=str(two if i % 2 else one), session_id=str(second if i % 2 else first))
            for i, b in enumerate(bookings)
        )
    )
    assert {a.status_code for a in answers} == {200}
    assert [(await desk.free(d))["sessions"][0]["taken"] for d in (one, two)] == [8, 8]


async def test_cancelling_either_the_appointment_or_the_exam_cancels_both_and_frees_the_place(desk: Desk) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    session = (await desk.places(day, 2))[0]
    by_place, by_exam = await desk.booked(day, session), await desk.booked(day, session)
    gone = (await desk.do(by_place, "cancel", reason="有事")).json()
    assert (gone["appointment"]["state"], gone["exam"]["state"]) == ("cancelled", "cancelled")
    answer = await front.post(f"{API}/exams/{by_exam['exam']['id']}:cancel", json={"reason": "有事"})
    assert answer.status_code == 200
    shown = await front.get(f"{API}/appointments/{by_exam['appointment']['id']}")
    assert (shown.json()["state"], shown.json()["end_reason"]) == ("cancelled", "有事")
    assert (await desk.free(day))["sessions"][0]["taken"] == 0
    again = await desk.do(by_place, "cancel", reason="有事")
    assert (again.status_code, again.json()["code"]) == (409, "appointment-state-conflict")


async def test_a_hold_keeps_its_place_until_its_time_and_not_a_moment_longer(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    session = (await desk.places(day, 1))[0]
    body = {"campus_id": 1, "day": day.isoformat(), "session_id": str(session)}
    held = (await front.post(f"{API}/appointment-holds", json=body)).json()
    assert held["state"] == "held"
    assert (await desk.ask(day, session)).status_code == 409
    assert (await desk.free(day))["sessions"][0]["free"] == 0
    await admin.execute("update appointment set expires_at = now() - interval '1 s' where id = $1", UUID(held["id"]))
    assert (await desk.free(day))["sessions"][0]["free"] == 1, "the clock counts, swept or not"
    late = await desk.ask(day, session, hold_id=held["id"])
    assert (late.status_code, late.json()["code"]) == (409, "appointment-hold-ended")
    await desk.booked(day, session)
    assert (await desk.free(day))["sessions"][0]["taken"] == 1
    ended = (await front.get(f"{API}/appointments/{held['id']}")).json()
    assert (ended["state"], ended["end_reason"]) == ("cancelled", "hold_expired")


async def test_a_hold_becomes_the_booking_and_the_sweeper_ends_what_nobody_used(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    session = (await desk.places(day, 3))[0]
    body = {"campus_id": 1, "day": day.isoformat(), "session_id": str(session)}
    used, unused, released = [(await front.post(f"{API}/appointment-holds", json=body)).json()["id"] for _ in range(3)]
    assert (await desk.ask(day, session)).status_code == 409
    booking = await desk.booked(day, session, hold_id=used)
    assert booking["appointment"]["id"] == used
    assert (await desk.ask(day, session, hold_id=used)).json()["code"] == "appointment-hold-ended"
    assert (await front.post(f"{API}/appointment-holds/{released}:release")).json()["end_reason"] == "let_go"
    assert (await desk.free(day))["sessions"][0]["taken"] == 2
    await admin.execute("update appointment set expires_at = now() where id = $1", UUID(unused))
    async with desk.runtime.units.open(SYSTEM, "worker") as uow:
        assert (await appointments.sweep(uow))[0] == 1
    assert await admin.fetchval("select taken from appointment_slot where day = $1", day) == 1


async def test_check_in_keeps_the_appointment(desk: Desk) -> None:
    today, front = business_day(desk.runtime.clock.now()), await desk.sign_in("front")
    day = desk.day()
    booking = await desk.booked(day, (await desk.places(day, 5))[0])
    await _becomes_today(desk, booking)
    arrived = await front.post(f"{API}/exams/{booking['exam']['id']}:check-in", headers=key())
    assert (arrived.status_code, arrived.json()["exam"]["state"]) == (200, "checked_in")
    listed = await front.get(
        f"{API}/appointments", params={"day_from": str(today), "day_to": str(today), "state": "arrived"}
    )
    mine = [a for a in listed.json()["items"] if a["id"] == booking["appointment"]["id"]]
    assert [a["name"] for a in mine] == [booking["exam"]["name"]]
    for verb, body in (("cancel", {"reason": "有事"}), ("no-show", {})):
        answer = await desk.do(booking, verb, **body)
        assert (answer.status_code, answer.json()["code"]) == (409, "appointment-state-conflict"), verb


async def test_who_comes_on_another_day_is_examined_today_where_walk_ins_are_and_the_place_is_given_back(
    desk: Desk,
) -> None:
    day, front = desk.day(), await desk.sign_in("front")
    booking = await desk.booked(day, (await desk.places(day, 1))[0])
    place = f"{API}/exams/{booking['exam']['id']}"
    await desk.policy(walk_ins=False)
    refused = await front.post(f"{place}:check-in", headers=key())
    unknown = await front.post(f"{(await desk.registered('CBC')).place}:check-in", headers=key())
    await desk.policy(walk_ins=True)
    assert {(a.status_code, a.json()["code"]) for a in (refused, unknown)} == {(409, "walk-in-not-taken")}
    arrived = (await front.post(f"{place}:check-in", headers=key())).json()
    assert arrived["exam"]["exam_date"] == business_day(desk.runtime.clock.now()).isoformat()
    assert (await desk.free(day))["sessions"][0]["free"] == 1


async def test_who_did_not_come_is_marked_when_the_day_is_over_and_may_be_given_another_day(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day, other = desk.day(), desk.day()
    session, target = (await desk.places(day, 5))[0], (await desk.places(other, 5))[0]
    missed, today = await desk.booked(day, session), await desk.booked(day, session)
    early = await desk.do(today, "no-show")
    assert (early.status_code, early.json()["code"]) == (409, "appointment-state-conflict"), "their day has not come"
    await _becomes_today(desk, today)
    await admin.execute(
        "update appointment set day = $1 where id = $2",
        business_day(desk.runtime.clock.now()) - timedelta(days=1),
        UUID(missed["appointment"]["id"]),
    )
    async with desk.runtime.units.open(SYSTEM, "worker") as uow:
        await appointments.sweep(uow)
    front = await desk.sign_in("front")
    states = [
        (await front.get(f"{API}/appointments/{b['appointment']['id']}")).json()["state"] for b in (missed, today)
    ]
    assert states == ["no_show", "booked"]
    assert (await desk.do(missed, "reinstate")).status_code == 409, "that day is over"
    moved = (await desk.do(missed, "reschedule", day=str(other), session_id=str(target))).json()
    assert (moved["appointment"]["state"], moved["exam"]["exam_date"]) == ("booked", str(other))
    assert (await desk.do(today, "no-show")).json()["appointment"]["state"] == "no_show"
    assert (await desk.do(today, "reinstate")).json()["appointment"]["state"] == "booked"


async def test_a_day_that_is_past_too_far_or_without_that_session_is_refused_by_name(desk: Desk) -> None:
    day = desk.day()
    session = (await desk.places(day, 5))[0]
    for wrong, status, code in (
        (business_day(desk.runtime.clock.now()) - timedelta(days=1), 422, "appointment-day-out-of-reach"),
        (day + timedelta(days=364), 422, "appointment-day-out-of-reach"),
        (day + timedelta(days=1), 409, "appointment-session-not-offered"),
    ):
        answer = await desk.ask(wrong, session)
        assert (answer.status_code, answer.json()["code"]) == (status, code), wrong
    assert (await desk.ask(day, uuid4())).json()["code"] == "appointment-session-not-offered"


async def test_the_database_refuses_a_place_that_is_not_there_and_a_step_that_is_none(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day = desk.day()
    booking = await desk.booked(day, (await desk.places(day, 1))[0])
    with pytest.raises(asyncpg.CheckViolationError, match="no place left"):
        await admin.execute("update appointment_slot set taken = taken + 1 where day = $1", day)
    with pytest.raises(asyncpg.CheckViolationError, match="may not go from booked to held"):
        await admin.execute("update appointment set state = 'held' where id = $1", UUID(booking["appointment"]["id"]))
    await admin.execute("update appointment_slot set capacity = 0 where day = $1", day)
    assert (await desk.free(day))["sessions"][0]["taken"] == 1


async def test_an_examinee_sees_what_is_free_but_no_appointment_of_another(desk: Desk) -> None:
    day = desk.day()
    theirs = await desk.booked(day, (await desk.places(day, 5))[0])
    visit = await desk.checked_in("GLU")
    async with desk.runtime.units.open(Principal("examinee", visit.examinee_id, examinee_id=visit.examinee_id)) as uow:
        shown = await appointments.availability(uow, 1, day, day, online=True)
        assert [s.free for s in shown.days[0].sessions][:1] == [4]
        assert await appointments.of_exam(uow, UUID(theirs["exam"]["id"])) is None
        own = await appointments.of_examinee(uow, visit.examinee_id, 10)
        assert list(own) == []


async def _becomes_today(desk: Desk, booking: dict[str, dict[str, str]]) -> None:
    """The calendar turns until the day of a booking has come."""
    today = business_day(desk.runtime.clock.now())
    await desk.database.execute(
        "update appointment set day = $1 where id = $2", today, UUID(booking["appointment"]["id"])
    )
    await desk.database.execute("update exam set exam_date = $1 where id = $2", today, UUID(booking["exam"]["id"]))


@pytest.mark.requirement("E1.3")
async def test_a_place_is_booked_from_a_card_in_one_call_and_its_holder_is_entered_once(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day, other, card = desk.day(), desk.day(), invented_person()
    first, second = (await desk.places(day, 5))[0], (await desk.places(other, 5))[0]
    groups, front = await desk.groups(), await desk.sign_in("front")

    async def book(on: date, session: UUID, **more: Any) -> Any:
        body = {
            "campus_id": 1,
            "day": f"{on}",
            "session_id": str(session),
            "item_group_ids": [str(groups["CBC"])],
            **more,
        }
        return await front.post(f"{API}/appointments", json=body, headers=key())

    made = await book(day, first, id_card=card)
    assert made.status_code == 201, made.text
    assert (made.json()["appointment"]["state"], made.json()["unprintable"]) == ("booked", [])
    again = await book(other, second, id_card=card)
    assert again.status_code == 201, again.text
    assert again.json()["exam"]["examinee_id"] == made.json()["exam"]["examinee_id"]
    person = made.json()["exam"]["examinee_id"]
    for wrong in ({}, {"id_card": card, "examinee_id": person}):
        refused = await book(desk.day(), first, **wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "examinee-not-named")
    bad = await book(day, first, id_card=card | {"id_number": card["id_number"][:-1] + "?"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/id_card/id_number")
    # A place that cannot be had leaves nobody behind.
    full, stranger = desk.day(), invented_person()
    closed = (await desk.places(full, 0))[0]
    refused = await book(full, closed, id_card=stranger)
    assert (refused.status_code, refused.json()["code"]) == (409, "appointment-full")
    found = await front.post(f"{API}/examinees:search", json={"id_number": stranger["id_number"]})
    assert found.json()["items"] == []
    assert await admin.fetchval("select count(*) from exam where examinee_id = $1", UUID(person)) == 2


@pytest.mark.requirement("E1.3")
async def test_a_past_day_and_a_second_exam_of_the_day_are_asked_back_and_taken_when_they_are_meant(desk: Desk) -> None:
    front, (person, _) = await desk.sign_in("front"), await desk.person()
    today = business_day(desk.runtime.clock.now())
    order = await desk.order(person, "GLU")

    async def register(**more: Any) -> Any:
        return await front.post(f"{API}/exams", json=order | more, headers=key())

    past = {"exam_date": f"{today - timedelta(days=1)}"}
    asked = await register(**past)
    assert (asked.status_code, asked.json()["code"]) == (409, "exam-doubtful")
    assert [(e["pointer"], e["code"]) for e in asked.json()["errors"]] == [("/exam_date", "past_date")]
    assert (await register(**past, despite=["past_date"])).status_code == 201
    both = await register(**past)
    assert [e["code"] for e in both.json()["errors"]] == ["past_date", "second_exam"]
    assert (await register(**past, despite=["past_date"])).status_code == 409
    assert (await register(**past, despite=["second_exam", "past_date"])).status_code == 201
    assert (await register()).status_code == 201
    twice = await register()
    assert [(e["pointer"], e["code"]) for e in twice.json()["errors"]] == [("/exam_date", "second_exam")]
    assert (await register(despite=["second_exam"])).status_code == 201


@pytest.mark.requirement("E1.3")
async def test_of_two_registrations_of_one_person_and_day_at_once_one_is_asked_back(desk: Desk) -> None:
    front, (person, _) = await desk.sign_in("front"), await desk.person()
    order = await desk.order(person, "GLU")
    answers = await asyncio.gather(*(front.post(f"{API}/exams", json=order, headers=key()) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"exam-doubtful"}


@pytest.mark.requirement("E1.3")
async def test_a_booking_beside_a_walk_in_of_that_day_is_asked_back(desk: Desk) -> None:
    day, (person, _) = desk.day(), await desk.person()
    session, front = (await desk.places(day, 5))[0], await desk.sign_in("front")
    walk_in = await desk.order(person, "GLU") | {"exam_date": f"{day}"}
    assert (await front.post(f"{API}/exams", json=walk_in, headers=key())).status_code == 201
    asked = await desk.ask(day, session, person=person)
    assert (asked.status_code, asked.json()["code"]) == (409, "exam-doubtful")
    assert [(e["pointer"], e["code"]) for e in asked.json()["errors"]] == [("/day", "second_exam")]
    assert (await desk.ask(day, session, person=person, despite=["second_exam"])).status_code == 201
