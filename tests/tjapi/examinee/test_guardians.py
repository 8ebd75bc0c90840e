"""Who answers for a minor: kept masked, found by their phone, and below 14 their consent comes before the examination."""

import secrets
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.conftest import SignIn
from tests.tjapi.examinee.people import enter, found, merge, undo
from tests.tjapi.world import API, World, key
from tjapi.examinee.rules import born_after, is_minor, needs_consent
from tjapi.kernel.clock import SystemClock, business_day
from tjapi.kernel.runtime import Runtime
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.3")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


def today() -> date:
    return business_day(SystemClock().now())


def child(years: int, **more: Any) -> dict[str, Any]:
    """A child of so many completed years, without a document."""
    card = {k: v for k, v in invented_person().items() if k != "id_number"}
    born = today().replace(day=1, year=today().year - years) - timedelta(days=40)
    return (
        card | {"id_kind": "none", "birth_date": born.isoformat(), "name": "覃" + secrets.choice("小大") + "童"} | more
    )


def guardian(**more: Any) -> dict[str, Any]:
    return {"name": "覃父", "relation": "father", "phone": f"177{secrets.randbelow(10**8):08d}", **more}


async def add(front: httpx.AsyncClient, person: str, body: dict[str, Any]) -> httpx.Response:
    return await front.post(f"{API}/examinees/{person}/guardians", json=body)


@pytest.mark.parametrize(
    ("birth", "day", "minor", "asked"),
    [
        (date(2012, 11, 27), date(2026, 11, 26), True, True),
        (date(2012, 11, 27), date(2026, 11, 27), True, False),
        (date(2008, 11, 28), date(2026, 11, 27), True, False),
        (date(2008, 11, 27), date(2026, 11, 27), False, False),
        (date(2012, 2, 29), date(2026, 2, 28), True, True),
        (date(2012, 2, 29), date(2026, 3, 1), True, False),
    ],
)
def test_of_age_and_of_consent_on_the_very_day(birth: date, day: date, minor: bool, asked: bool) -> None:
    assert (is_minor(birth, day), needs_consent(birth, day)) == (minor, asked)
    assert (birth > born_after(day)) == minor, "the search draws the same line"


async def test_a_guardians_phone_finds_the_child_and_is_nowhere_in_clear(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front = await sign_in("front")
    person, body = await enter(front, child(9)), guardian(id_kind="resident", id_number=invented_person()["id_number"])
    added = await add(front, person, body)
    assert added.status_code == 201, added.text
    assert (added.json()["phone_masked"], added.json()["consented_at"]) == (f"177****{body['phone'][-4:]}", None)
    assert await found(front, phone=body["phone"]) == [person]
    assert [
        p["examinee"]["id"]
        for p in (await front.post(f"{API}/exams:search", json={"key": body["phone"]})).json()["items"]
    ] == [person]
    listed = (await front.get(f"{API}/examinees/{person}/guardians")).json()
    assert (listed["consent_required"], listed["items"]) == (True, [added.json()])
    place = f"{API}/examinees/{person}/guardians/{added.json()['id']}"
    shown = (await front.post(f"{place}:unmask", json={"purpose": "电话通知家长"})).json()
    assert (shown["phone"], shown["id_number"]) == (body["phone"], body["id_number"])
    told = await admin.fetchval(
        "select string_agg(action || detail::text, ' ') from audit_event where object_id = $1", person
    )
    assert "examinee.guardian_unmasked" in told
    assert "电话通知家长" in told
    kept = await admin.fetchval("select g::text from examinee_guardian g where id = $1", UUID(added.json()["id"]))
    for secret in (body["phone"], body["id_number"]):
        assert secret not in told + kept
        assert secret.encode().hex() not in kept
    await front.post(f"{place}:remove")
    assert await found(front, phone=body["phone"]) == []
    assert (await front.post(f"{place}:unmask", json={"purpose": "再看"})).json()["code"] == "guardian-not-found"


async def test_a_child_below_14_is_checked_in_once_a_guardian_has_consented(
    world: World, admin: asyncpg.Connection
) -> None:
    front = await world.sign_in("front")
    person = await enter(front, child(13))
    visit = await world.registered("GLU", examinee_id=UUID(person))
    for _ in range(2):
        refused = await front.post(f"{visit.place}:check-in")
        assert (refused.status_code, refused.json()["code"]) == (409, "guardian-consent-missing")
        assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [("path:exam_id", "guardian-missing")]
    assert await admin.fetchval("select state from exam where id = $1", visit.exam_id) == "prepared"
    added = (await add(front, person, guardian())).json()
    refused = await front.post(f"{visit.place}:check-in")
    assert [e["code"] for e in refused.json()["errors"]] == ["consent-missing"]
    place = f"{API}/examinees/{person}/guardians/{added['id']}"
    consented = (await front.post(f"{place}:consent", json={"form": "in_person"})).json()
    again = (await front.post(f"{place}:consent", json={"form": "signed_paper"})).json()
    assert again == consented, "what is kept is the first time"
    assert consented["consent_form"] == "in_person"
    assert consented["consent_by_name"]
    await front.post(f"{place}:remove")
    assert (await front.post(f"{visit.place}:check-in")).json()["code"] == "guardian-consent-missing", (
        "taken back is none"
    )
    await add(front, person, guardian(consent={"form": "signed_paper"}))
    assert (await front.post(f"{visit.place}:check-in")).status_code == 200


async def test_from_14_on_nobody_is_asked_and_from_18_on_nobody_answers(world: World) -> None:
    front = await world.sign_in("front")
    for years in (14, 17):
        person = await enter(front, child(years))
        assert (await front.get(f"{API}/examinees/{person}/guardians")).json() == {
            "consent_required": False,
            "items": [],
        }
        visit = await world.registered("GLU", examinee_id=UUID(person))
        assert (await front.post(f"{visit.place}:check-in")).status_code == 200
        assert (await add(front, person, guardian())).status_code == 201, "kept, though nobody asks"
    grown = await enter(front, child(18))
    refused = await add(front, grown, guardian())
    assert (refused.status_code, refused.json()["code"]) == (409, "examinee-of-age")


async def test_what_is_wrong_with_a_guardian_names_its_field(sign_in: SignIn) -> None:
    front = await sign_in("front")
    person = await enter(front, child(9))
    body = guardian(name="··", phone="12ab5", id_kind="resident", id_number="690101199003077938")
    refused = await add(front, person, body)
    assert (refused.status_code, refused.json()["code"]) == (422, "guardian-invalid")
    assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [
        ("/phone", "invalid"), ("/name", "invalid"), ("/id_number", "check_digit"),
    ]  # fmt: skip
    missing = await add(front, person, guardian(id_kind="passport"))
    assert [e["code"] for e in missing.json()["errors"]] == ["number_missing"]


@pytest.mark.requirement("D3", "E1.2")
async def test_a_guardian_is_of_the_campuses_that_know_the_child_and_follows_a_merge(sign_in: SignIn) -> None:
    front, other = await sign_in("front"), await sign_in("front.b")
    card = child(9)
    one, two, body = await enter(front, card), await enter(front, card), guardian(consent={"form": "signed_paper"})
    added = (await add(front, one, body)).json()
    assert await found(other, phone=body["phone"]) == []
    assert (await other.get(f"{API}/examinees/{one}/guardians")).status_code == 404
    stranger = await enter(other, child(9), 2)
    crossed = await other.post(f"{API}/examinees/{stranger}/guardians/{added['id']}:remove", headers=key())
    assert crossed.json()["code"] == "guardian-not-found"
    done = (await merge(front, one, two)).json()
    assert await found(front, phone=body["phone"]) == [two]
    await undo(front, done["id"])
    assert await found(front, phone=body["phone"]) == [one]
