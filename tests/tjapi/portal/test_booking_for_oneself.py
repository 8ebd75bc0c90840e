"""An examinee books, moves and cancels for themselves, and nothing of anybody else's."""

from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.appointment.desk import Desk
from tests.tjapi.world import API, SignIn, key
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E1.3", "I5")


@pytest.fixture
def desk(runtime: Runtime, sign_in: SignIn, admin: asyncpg.Connection) -> Desk:
    return Desk(runtime, sign_in, admin)


async def _order(desk: Desk, day: object, session: UUID, campus: int = 1) -> dict[str, object]:
    groups = await desk.groups()
    return {"campus_id": campus, "day": str(day), "session_id": str(session), "item_group_ids": [str(groups["CBC"])]}


async def test_an_examinee_books_moves_and_cancels_and_the_audit_trail_names_them(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    day, other = desk.day(), desk.day()
    session, target = (await desk.places(day, 1))[0], (await desk.places(other, 1))[0]
    visit = await desk.checked_in("GLU")
    async with desk.owner(visit) as owner:
        asked: dict[str, str | int] = {"campus_id": 1, "day_from": str(day), "day_to": str(day)}
        shown = (await owner.get(f"{API}/me/appointment-availability", params=asked)).json()["days"][0]["sessions"][0]
        assert (shown["session_id"], shown["free"]) == (str(session), 1)
        answer = await owner.post(f"{API}/me/appointments", json=await _order(desk, day, session), headers=key())
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["appointment"]["source"], made["exam"]["exam_date"]) == ("portal", str(day))
        full = await owner.post(f"{API}/me/appointments", json=await _order(desk, day, session), headers=key())
        assert (full.status_code, full.json()["code"]) == (409, "appointment-full")
        place = f"{API}/me/appointments/{made['appointment']['id']}"
        moved = await owner.post(f"{place}:reschedule", json={"day": str(other), "session_id": str(target)})
        assert moved.json()["exam"]["exam_date"] == str(other)
        gone = (await owner.post(f"{place}:cancel", json={"reason": "有事"})).json()
        assert (gone["appointment"]["state"], gone["exam"]["state"]) == ("cancelled", "cancelled")
    assert [(await desk.free(d))["sessions"][0]["taken"] for d in (day, other)] == [0, 0]
    who = await admin.fetch(
        "select action, principal_kind, principal_id, campuses from audit_event where object_id = $1 order by id",
        made["appointment"]["id"],
    )
    assert {(r["principal_kind"], r["principal_id"], tuple(r["campuses"])) for r in who} == {
        ("examinee", visit.examinee_id, (1,))
    }
    assert [r["action"] for r in who] == ["appointment.booked", "appointment.rescheduled", "appointment.cancelled"]


async def test_what_others_have_stays_theirs_and_a_booking_opens_no_campus(desk: Desk) -> None:
    day = desk.day()
    session = (await desk.places(day, 9))[0]
    visit, other = await desk.checked_in("GLU"), await desk.booked(day, session)
    async with desk.owner(visit) as owner:
        for verb, body in (
            ("cancel", {"reason": "有事"}),
            ("reschedule", {"day": str(day), "session_id": str(session)}),
        ):
            answer = await owner.post(f"{API}/me/appointments/{other['appointment']['id']}:{verb}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "appointment-not-found")
        assert (
            await owner.post(f"{API}/me/appointments", json=await _order(desk, day, session), headers=key())
        ).status_code == 201
        listed = (await owner.get(f"{API}/me/appointments")).json()["items"]
        assert [a["examinee_id"] for a in listed] == [str(visit.examinee_id)], (
            "connections show the own rows alone afterwards"
        )
        assert (await owner.get(f"{API}/appointments")).status_code == 403


async def test_another_campus_comes_to_know_who_books_there(desk: Desk, admin: asyncpg.Connection) -> None:
    visit, second = await desk.checked_in("GLU"), await desk.sign_in("front.b")
    assert (await second.get(f"{API}/examinees/{visit.examinee_id}")).status_code == 404
    day = desk.day()
    asked: dict[str, str | int] = {"campus_id": 2, "day_from": str(day), "day_to": str(day)}
    async with desk.owner(visit) as owner:
        shown = (await owner.get(f"{API}/me/appointment-availability", params=asked)).json()["days"][0]["sessions"][0]
        order = await _order(desk, day, UUID(shown["session_id"]), campus=2)
        made = await owner.post(f"{API}/me/appointments", json=order, headers=key())
        assert made.status_code == 201, made.text
    assert (await second.get(f"{API}/examinees/{visit.examinee_id}")).status_code == 200
    assert (await second.get(f"{API}/exams/{made.json()['exam']['id']}")).status_code == 200
    met = "select count(*) from audit_event where action = 'examinee.met' and object_id = $1 and campus_id = 2"
    assert await admin.fetchval(met, str(visit.examinee_id)) == 1


async def test_a_campus_may_close_online_booking(desk: Desk) -> None:
    day = desk.day()
    session = (await desk.places(day, 9))[0]
    visit = await desk.checked_in("GLU")
    async with desk.owner(visit) as owner:
        await desk.policy(online=False)
        try:
            answer = await owner.post(f"{API}/me/appointments", json=await _order(desk, day, session), headers=key())
        finally:
            await desk.policy(online=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "online-booking-closed")
