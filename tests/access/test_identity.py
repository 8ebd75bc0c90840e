"""Signing in and staying in: lockout, rotation, the password policy, unmasking, refusals on record, and who may grant what."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import jwt
import pytest

from tests.access.conftest import GENERAL, PASSWORD, A, B, World, do, fresh, once
from tests.conftest import serving
from tjapi import wiring
from tjapi.identity.rules import NOT_FOR_STAFF, lockout
from tjapi.kernel.settings import Settings

pytestmark = [pytest.mark.xdist_group("access"), pytest.mark.requirement("P2")]


@dataclass
class HandClock:
    """A clock that goes when it is told to."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class Door:
    """A server with a clock of its own, on the same database."""

    http: httpx.AsyncClient
    clock: HandClock

    async def login(self, username: str, password: str) -> httpx.Response:
        return await self.http.post("/api/v1/auth/token", json={"username": username, "password": password})

    async def refresh(self, token: str) -> httpx.Response:
        return await self.http.post("/api/v1/auth/refresh", json={"refresh_token": token})


@pytest.fixture(scope="session")
async def door(settings: Settings) -> AsyncIterator[Door]:
    clock = HandClock(datetime.now(UTC))
    few = settings.model_copy(update={"lockout_after": 2})
    async with (
        serving(wiring.build(few, clock=clock)) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
    ):
        yield Door(http, clock)


async def _audited(admin: asyncpg.Connection, action: str, object_id: str) -> list[Any]:
    query = "select * from audit_event where action = $1 and object_id = $2 order by id"
    return [{**row, "detail": json.loads(row["detail"])} for row in await admin.fetch(query, action, object_id)]


async def test_an_account_pauses_after_failed_logins_twice_as_long_each_time_and_opens_again(
    world: World, door: Door, admin: asyncpg.Connection
) -> None:
    colleague = await world.hire()
    name = colleague["username"]
    assert [(await door.login(name, "wrong")).status_code for _ in range(2)] == [401, 401]
    refused = await door.login(name, PASSWORD)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
        429,
        "account-locked",
        "30",
    )
    door.clock.at += timedelta(seconds=29)
    assert (await door.login(name, PASSWORD)).headers["retry-after"] == "1"
    door.clock.at += timedelta(seconds=1)
    assert (await door.login(name, "wrong")).status_code == 401
    assert (await door.login(name, PASSWORD)).headers["retry-after"] == "60"
    door.clock.at += timedelta(seconds=60)
    assert (await door.login(name, PASSWORD)).status_code == 200
    # A login that went well forgets the failures.
    assert [(await door.login(name, word)).status_code for word in ("wrong", PASSWORD)] == [401, 200]
    assert len(await _audited(admin, "staff.login_failed", colleague["id"])) == 4


def test_a_pause_doubles_from_half_a_minute_to_a_quarter_of_an_hour() -> None:
    pauses = [lockout(n, 5) for n in range(4, 14)]
    assert pauses[:4] == [None, timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert pauses[-1] == lockout(10_000, 5) == timedelta(minutes=15)


async def test_a_wrong_password_and_an_unknown_user_are_refused_in_the_same_words(world: World) -> None:
    anonymous, answers = world.clients["anonymous"], []
    colleague = await world.hire()
    for name in (colleague["username"], "nobody-here"):
        refused = await anonymous.post("/api/v1/auth/token", json={"username": name, "password": "wrong"})
        answers.append((refused.status_code, {k: v for k, v in refused.json().items() if k != "request_id"}))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "credentials-wrong"


async def test_tokens_rotate_and_end_with_the_clock(world: World, door: Door) -> None:
    colleague = await world.hire()
    first = (await door.login(colleague["username"], PASSWORD)).json()
    door.clock.at += timedelta(seconds=1)
    second = (await door.refresh(first["refresh_token"])).json()
    assert {first["access_token"], first["refresh_token"]}.isdisjoint({second["access_token"], second["refresh_token"]})

    async def status(token: str) -> int:
        return (await door.http.get("/api/v1/auth/principal", headers={"Authorization": f"Bearer {token}"})).status_code

    assert await status(second["access_token"]) == 200
    door.clock.at += timedelta(seconds=second["expires_in"] + 1)
    assert await status(second["access_token"]) == 401
    third = (await door.refresh(second["refresh_token"])).json()
    assert await status(third["access_token"]) == 200
    door.clock.at += timedelta(days=15)
    assert (await door.refresh(third["refresh_token"])).status_code == 401


async def test_no_token_but_ours_and_none_for_another_use_is_taken(world: World) -> None:
    tokens = await world.login("auditor")
    header, body, signature = tokens["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))

    def encoded(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    forged = {
        "a refresh token": tokens["refresh_token"],
        "another key": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        "no signature": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "another subject": f"{header}.{encoded({**claims, 'sub': world.colleague_id})}.{signature}",
        "another kind": f"{header}.{encoded({**claims, 'aud': 'client'})}.{signature}",
        "a longer life": f"{header}.{encoded({**claims, 'exp': claims['exp'] + 9999})}.{signature}",
        "no token at all": "x",
    }  # fmt: skip
    found = {}
    for name, token in forged.items():
        answer = await world.clients["anonymous"].get(
            "/api/v1/auth/principal", headers={"Authorization": f"Bearer {token}"}
        )
        found[name] = (answer.status_code, answer.headers.get("www-authenticate"))
    assert set(found.values()) == {(401, "Bearer")}, found
    access = await world.clients["anonymous"].post(
        "/api/v1/auth/refresh", json={"refresh_token": tokens["access_token"][:200]}
    )
    assert access.status_code == 401


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Ab3-efghi", "too_short"),
        ("abcdefghijklm", "too_few_kinds_of_characters"),
        ("abcdefgh12345", "too_few_kinds_of_characters"),
        ("Xx-{username}-1", "contains_username"),
    ],
)
async def test_the_password_policy_names_the_field_and_never_the_password(
    world: World, password: str, reason: str
) -> None:
    name = fresh("p")
    body = {
        "username": name,
        "name": "新人",
        "password": password.format(username=name.upper()),
        "roles": [],
        "campuses": [A],
    }
    refused = await do(world.clients["admin"], "POST", "/staff", 422, json=body, headers=once())
    told = refused.json()
    assert told["code"] == "password-too-weak"
    assert [(e["pointer"], e["code"]) for e in told["errors"]] == [("/password", reason)]
    assert body["password"] not in refused.text


async def test_a_change_of_password_names_the_field_that_is_wrong(world: World) -> None:
    client = await world.newcomer()
    weak = await do(client, "PUT", "/auth/password", 422, json={"old_password": PASSWORD, "new_password": "short"})
    assert [e["pointer"] for e in weak.json()["errors"]] == ["/new_password"]
    wrong = await client.put("/api/v1/auth/password", json={"old_password": "wrong", "new_password": f"{PASSWORD}+1"})
    assert [e["pointer"] for e in wrong.json()["errors"]] == ["/old_password"]
    assert (await client.get("/api/v1/auth/principal")).status_code == 200


async def test_a_wrong_old_password_does_not_say_that_the_caller_is_signed_out(world: World) -> None:
    client = await world.newcomer()
    wrong = await client.put("/api/v1/auth/password", json={"old_password": "wrong", "new_password": f"{PASSWORD}+1"})
    assert wrong.status_code in (403, 422)


async def test_guessing_the_old_password_pauses_the_account_too(world: World) -> None:
    client = await world.newcomer()
    guess = {"old_password": "wrong", "new_password": f"{PASSWORD}+1"}
    assert 429 in [(await client.put("/api/v1/auth/password", json=guess)).status_code for _ in range(6)]


@pytest.mark.requirement("E9.1")
async def test_unmasking_is_on_record_with_its_purpose_and_everything_else_is_masked(
    world: World, admin: asyncpg.Connection
) -> None:
    front, visit = world.clients["front_desk"], world.main
    number, phone = visit.card["id_number"], visit.card["phone"]
    person, search = f"/examinees/{visit.person_id}", {"id_number": number}
    shown = (await do(front, "GET", person)).text + (await do(front, "POST", "/examinees:search", json=search)).text
    assert number not in shown
    assert phone not in shown
    assert f"{number[:6]}********{number[-4:]}" in shown
    before = len(await _audited(admin, "examinee.unmasked", visit.person_id))
    await do(front, "POST", f"{person}:unmask", 422, json={})
    answer = await do(front, "POST", f"{person}:unmask", json={"purpose": "通知复查"})
    assert (answer.json()["id_number"], answer.json()["phone"]) == (number, phone)
    rows = (await _audited(admin, "examinee.unmasked", visit.person_id))[before:]
    who = (await do(front, "GET", "/auth/principal")).json()["id"]
    assert [(str(r["principal_id"]), r["detail"]["purpose"]) for r in rows] == [(who, "通知复查")]
    assert rows[0]["request_id"] == answer.headers["x-request-id"]
    me = (await do(world.clients["examinee"], "GET", "/me")).text
    assert number not in me


@pytest.mark.requirement("E8.1")
async def test_a_refused_operation_is_on_record_with_who_and_what(world: World, admin: asyncpg.Connection) -> None:
    client = await world.newcomer(roles=["auditor"])
    who = UUID((await do(client, "GET", "/auth/principal")).json()["id"])
    refused = await do(client, "GET", f"/exams/{world.main.exam_id}", 403)
    await do(client, "PUT", "/roles/doctor", 403, json={"name_zh": "x", "name_en": "x", "permissions": []})
    rows = await admin.fetch(
        "select object_type, object_id, request_id from audit_event where action = 'access.refused' and principal_id = $1 order by id",
        who,
    )
    assert [(r["object_type"], r["object_id"]) for r in rows] == [
        ("permission", "exam.read"),
        ("permission", "identity.grant"),
    ]
    assert rows[0]["request_id"] == refused.json()["request_id"]


@pytest.mark.requirement("E3.1")
async def test_every_attempt_on_another_department_is_refused_and_on_record(
    world: World, admin: asyncpg.Connection
) -> None:
    place, doctor = f"/exams/{world.main.exam_id}/departments/{GENERAL}", world.clients["other_department"]
    sheet = f"{world.main.exam_id}/{GENERAL}"
    before = len(await _audited(admin, "access.refused", sheet))
    tag = {"If-Match": '"1"'}
    attempts: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", f"{place}/sheet", {}),
        ("PUT", f"{place}/results", {"json": {"results": []}, "headers": tag}),
        ("POST", f"{place}/sheet:sign", {"json": {"summary": "x"}, "headers": tag}),
        ("POST", f"{place}/sheet:reopen", {"json": {"reason": "x"}, "headers": tag}),
    )
    for method, path, options in attempts:
        assert (await do(doctor, method, path, 403, **options)).json()["code"] == "department-not-own"
    rows = (await _audited(admin, "access.refused", sheet))[before:]
    who = (await do(doctor, "GET", "/auth/principal")).json()["id"]
    assert [(r["object_type"], str(r["principal_id"]), r["campus_id"]) for r in rows] == [
        ("department_sheet", who, A)
    ] * 4


@pytest.mark.requirement("E8.1", "D3")
async def test_nobody_grants_a_campus_that_they_do_not_hold(world: World) -> None:
    foreign = world.clients["foreign_campus"]
    person = {"username": fresh("u"), "name": "新人", "password": PASSWORD, "roles": ["doctor"]}
    client = {"client_id": fresh("c"), "name": "试", "scopes": ["portal.grant"]}
    own = await world.hire(campuses=[B])
    tag = {"If-Match": (await do(foreign, "GET", f"/staff/{own['id']}")).headers["etag"]}
    rights: dict[str, Any] = {"roles": []}
    for method, path, body, headers in (
        ("POST", "/staff", person, once()),
        ("POST", "/api-clients", client, once()),
        ("PUT", f"/staff/{own['id']}/rights", rights, tag),
    ):
        refused = await do(foreign, method, path, 403, json={**body, "campuses": [B, A]}, headers=headers)
        assert refused.json()["code"] == "campus-not-granted"
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/campuses/1"]
    kept = await do(foreign, "PUT", f"/staff/{own['id']}/rights", json={**rights, "campuses": [B]}, headers=tag)
    assert kept.json()["campuses"] == [B]


@pytest.mark.requirement("E8.1")
async def test_a_refused_campus_of_a_change_is_named_by_its_own_place(world: World) -> None:
    own = await world.hire(campuses=[B])
    tag = {"If-Match": f'"{own["version"]}"'}
    refused = await do(
        world.clients["foreign_campus"],
        "PUT",
        f"/staff/{own['id']}/rights",
        403,
        json={"roles": [], "campuses": [B, A]},
        headers=tag,
    )
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/campuses/1"]


@pytest.mark.requirement("E8.1")
async def test_no_role_holds_what_is_not_for_staff_nor_anybody_a_role_that_is_not(world: World) -> None:
    admin, rights = world.clients["admin"], sorted(NOT_FOR_STAFF)
    body = {"name_zh": "试", "name_en": "Trial", "permissions": [*rights, "no.such_right", "exam.read"]}
    refused = (await do(world.clients["security"], "PUT", "/roles/trial", 422, json=body)).json()
    assert [e["pointer"] for e in refused["errors"]] == [f"/permissions/{i}" for i in range(len(rights) + 1)]
    await do(admin, "GET", "/roles/trial", 404)
    person = {
        "username": fresh("u"),
        "name": "新人",
        "password": PASSWORD,
        "roles": ["doctor", "no_such_role"],
        "campuses": [A],
    }
    refused = (await do(admin, "POST", "/staff", 422, json=person, headers=once())).json()
    assert [e["pointer"] for e in refused["errors"]] == ["/roles/1"]
    client = {"client_id": fresh("c"), "name": "试", "scopes": ["me.read"], "campuses": [A]}
    assert (await do(admin, "POST", "/api-clients", 422, json=client, headers=once())).json()[
        "code"
    ] == "permission-unknown"


@pytest.mark.requirement("D3")
async def test_an_examinee_is_let_in_by_a_client_of_the_campus_once_and_by_the_whole_of_what_they_hold(
    world: World,
) -> None:
    visit, front = world.reviewing, world.clients["front_desk"]
    made = await world.trusted(campuses=[B])
    secret = {k: made[k] for k in ("client_id", "client_secret")}
    foreign = world.client(
        (await do(world.clients["anonymous"], "POST", "/auth/client-token", json=secret)).json()["access_token"]
    )
    program = world.clients["client_portal"]
    code = (await do(front, "POST", f"/exams/{visit.exam_id}:issue-access-code")).json()["access_code"]
    held = {"exam_no": visit.exam_no, "access_code": code, "id_number_last4": visit.card["id_number"][-4:]}
    other = "0000" if held["id_number_last4"] != "0000" else "1111"
    for client, wrong in ((foreign, {}), (program, {"id_number_last4": other}), (program, {"access_code": "00000000"})):
        refused = await do(client, "POST", "/auth/examinee-token", 401, json=held | wrong)
        assert refused.json()["code"] == "access-refused"
    await do(program, "POST", "/auth/examinee-token", json=held)
    await do(program, "POST", "/auth/examinee-token", 401, json=held)


async def test_five_wrong_codes_end_a_code(world: World) -> None:
    visit, program = world.reviewing, world.clients["client_portal"]
    code = (await do(world.clients["front_desk"], "POST", f"/exams/{visit.exam_id}:issue-access-code")).json()[
        "access_code"
    ]
    held = {"exam_no": visit.exam_no, "access_code": code, "id_number_last4": visit.card["id_number"][-4:]}
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(5):
        await do(program, "POST", "/auth/examinee-token", 401, json=held | {"access_code": wrong})
    await do(program, "POST", "/auth/examinee-token", 401, json=held)


@pytest.mark.requirement("E8.1")
async def test_a_caller_hears_what_it_may_do_and_where(world: World) -> None:
    told = (await do(world.clients["other_department"], "GET", "/auth/principal")).json()
    assert (told["kind"], told["campuses"], told["departments"]) == ("staff", [A], [2])
    assert "result.write" in told["permissions"]
    assert "conclusion.finalize" not in told["permissions"]
    examinee = (await do(world.clients["examinee"], "GET", "/auth/principal")).json()
    assert (examinee["kind"], examinee["permissions"], examinee["campuses"]) == (
        "examinee",
        ["me.read", "me.write"],
        [],
    )
