"""三权分立: who makes accounts, who says what they may do, and who reads what both did are three people, and none of them for themselves."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.access.conftest import PASSWORD, A, B, World, do, fresh, once
from tjapi.kernel.db import fetch_value
from tjapi.kernel.security.principal import ANONYMOUS, Principal

pytestmark = [pytest.mark.xdist_group("access"), pytest.mark.requirement("P2", "E8.1")]


def tag(staff: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{staff["version"]}"'}


async def me(world: World, client: httpx.AsyncClient) -> dict[str, Any]:
    who = (await do(client, "GET", "/auth/principal")).json()["id"]
    return dict((await do(world.clients["auditor"], "GET", f"/staff/{who}")).json())


async def code(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> str:
    answer = await client.request(method, f"/api/v1{path}", **options)
    return str(answer.json()["code"]) if answer.status_code >= 400 else str(answer.status_code)


async def signs_in(world: World, username: str, password: str = PASSWORD) -> int:
    body = {"username": username, "password": password}
    return (await world.clients["anonymous"].post("/api/v1/auth/token", json=body)).status_code


async def test_nobody_changes_the_own_rights(world: World) -> None:
    for column in ("admin", "security", "foreign_campus"):
        client = world.clients[column]
        own = await me(world, client)
        rights = {k: own[k] for k in ("roles", "campuses", "departments", "all_departments")}
        place, found = f"/staff/{own['id']}", []
        found.append(await code(client, "PATCH", place, json={"active": False}, headers=tag(own)))
        found.append(await code(client, "PUT", f"{place}/rights", json=rights, headers=tag(own)))
        found.append(await code(client, "POST", f"{place}:approve", headers=tag(own)))
        found.append(await code(client, "POST", f"{place}:reset-password", headers=tag(own)))
        assert set(found) <= {"own-rights", "permission-missing"}
        assert "own-rights" in found
    role = {
        "name_zh": "安全管理员",
        "name_en": "Security",
        "permissions": ["identity.grant", "identity.read", "exam.read"],
    }
    assert await code(world.clients["security"], "PUT", "/roles/security_admin", json=role) == "own-rights"


async def test_an_account_lives_once_another_administrator_has_let_it_in(world: World) -> None:
    made = await world.proposed(roles=["doctor"])
    assert made["status"] == "pending"
    assert await signs_in(world, made["username"]) == 401
    assert (
        await code(world.clients["admin"], "POST", f"/staff/{made['id']}:approve", headers=tag(made))
        == "permission-missing"
    )
    approved = await do(world.clients["security"], "POST", f"/staff/{made['id']}:approve", headers=tag(made))
    assert approved.json()["status"] == "active"
    assert await signs_in(world, made["username"]) == 200


async def test_whoever_holds_every_right_makes_no_second_self(world: World) -> None:
    mighty = world.clients["foreign_campus"]
    body = {"username": fresh("u"), "name": "另一个我", "password": PASSWORD, "roles": ["chief"], "campuses": [B]}
    made = (await do(mighty, "POST", "/staff", 201, json=body, headers=once())).json()
    assert await code(mighty, "POST", f"/staff/{made['id']}:approve", headers=tag(made)) == "own-rights"
    assert await signs_in(world, made["username"]) == 401
    client = {"client_id": fresh("c"), "name": "试", "scopes": ["portal.grant"], "campuses": [B]}
    added = (await do(mighty, "POST", "/api-clients", 201, json=client, headers=once())).json()
    assert added["status"] == "pending"
    assert await code(mighty, "POST", f"/api-clients/{added['id']}:approve") == "own-rights"
    secret = {k: added[k] for k in ("client_id", "client_secret")}
    assert await code(world.clients["anonymous"], "POST", "/auth/client-token", json=secret) == "credentials-wrong"


async def test_a_reset_password_opens_nothing_but_its_own_change_and_that_once_another_has_let_it_in(
    world: World,
) -> None:
    colleague = await world.hire(roles=["doctor"])
    before = await world.entered(colleague["username"], PASSWORD)
    place = f"/staff/{colleague['id']}"
    given = (await do(world.clients["admin"], "POST", f"{place}:reset-password", headers=tag(colleague))).json()[
        "password"
    ]
    assert (await before.get("/api/v1/auth/principal")).status_code == 401
    assert [await signs_in(world, colleague["username"], word) for word in (PASSWORD, given)] == [401, 401]
    now = (await do(world.clients["security"], "GET", place)).json()
    assert (now["status"], now["must_change_password"]) == ("pending", True)
    await do(world.clients["security"], "POST", f"{place}:approve", headers=tag(now))
    client = await world.entered(colleague["username"], given)
    assert await code(client, "GET", f"/exams/{world.main.exam_id}") == "password-change-required"
    assert (await do(client, "GET", "/auth/principal")).json()["permissions"] == []
    new = {"old_password": given, "new_password": "Anders-4712-xyz"}
    await do(client, "PUT", "/auth/password", 204, json=new)
    client = await world.entered(colleague["username"], "Anders-4712-xyz")
    await do(client, "GET", f"/exams/{world.main.exam_id}")


async def test_of_three_administrations_one_person_holds_one_and_no_client_any(world: World) -> None:
    security = world.clients["security"]
    colleague = await world.hire(roles=["auditor"])
    rights = {"roles": ["auditor", "admin"], "campuses": [A]}
    place = f"/staff/{colleague['id']}/rights"
    assert await code(security, "PUT", place, json=rights, headers=tag(colleague)) == "administrations-apart"
    assert (await do(security, "GET", f"/staff/{colleague['id']}")).json()["roles"] == ["auditor"]
    mixed = {"name_zh": "混", "name_en": "Mixed", "permissions": ["identity.write", "identity.grant"]}
    assert await code(security, "PUT", "/roles/mixed", json=mixed) == "administrations-apart"
    assert await code(security, "GET", "/roles/mixed") == "role-not-found"
    wider = {"name_zh": "审计员", "name_en": "Auditor", "permissions": ["audit.read", "identity.write"]}
    assert await code(security, "PUT", "/roles/auditor", json=wider) == "administrations-apart"
    body = {
        "username": fresh("u"),
        "name": "混",
        "password": PASSWORD,
        "roles": ["auditor", "security_admin"],
        "campuses": [A],
    }
    assert await code(world.clients["admin"], "POST", "/staff", json=body, headers=once()) == "administrations-apart"
    client = {"client_id": fresh("c"), "name": "试", "scopes": ["audit.read"], "campuses": [A]}
    assert (
        await code(world.clients["admin"], "POST", "/api-clients", json=client, headers=once())
        == "administrations-apart"
    )


async def test_the_last_administrator_of_a_kind_stays_also_when_two_go_at_once(
    world: World, admin: asyncpg.Connection
) -> None:
    """The all-powerful one of these tests is out of the way meanwhile: here two security administrators are all there are."""
    mighty = UUID((await me(world, world.clients["foreign_campus"]))["id"])
    await admin.execute("update staff set status = 'disabled' where id = $1", mighty)
    try:
        one, two = (
            await me(world, world.clients["security"]),
            await world.hire(roles=["security_admin"], all_departments=True),
        )
        found = await asyncio.gather(
            *(
                code(world.clients["admin"], "PATCH", f"/staff/{who['id']}", json={"active": False}, headers=tag(who))
                for who in (one, two)
            )
        )
        assert sorted(found) == ["200", "last-administrator"]
    finally:
        await admin.execute("update staff set status = 'active' where username = 'security' or id = $1", mighty)
        await admin.execute("update staff set token_version = 1 where username = 'security'")
        await admin.execute(
            "update staff_session set revoked_at = null where staff_id = (select id from staff where username = 'security')"
        )
    left = await me(world, world.clients["security"])
    assert left["status"] == "active"


async def test_nobody_grants_a_department_that_they_do_not_hold(world: World) -> None:
    keeper = await world.hire(roles=["security_admin"], departments=[1])
    client, colleague = await world.entered(keeper["username"], PASSWORD), await world.hire(roles=["doctor"])
    place = f"/staff/{colleague['id']}/rights"
    for wish in ({"departments": [2]}, {"all_departments": True}):
        rights = {"roles": ["doctor"], "campuses": [A], **wish}
        assert await code(client, "PUT", place, json=rights, headers=tag(colleague)) == "department-not-granted"
    rights = {"roles": ["doctor"], "campuses": [A], "departments": [1]}
    assert await code(client, "PUT", place, json=rights, headers=tag(colleague)) == "200"
    wide = await world.proposed(all_departments=True)
    assert await code(client, "POST", f"/staff/{wide['id']}:approve", headers=tag(wide)) == "department-not-granted"


async def test_unlocking_forgets_wrong_guesses(world: World) -> None:
    colleague = await world.hire()
    assert [await signs_in(world, colleague["username"], "wrong") for _ in range(6)] == [401] * 5 + [429]
    await do(world.clients["admin"], "POST", f"/staff/{colleague['id']}:unlock")
    assert await signs_in(world, colleague["username"]) == 200


# --- the database by itself -------------------------------------------------------------------------------------------

GUARDED = ("staff", "role", "staff_role", "api_client")


@pytest.mark.parametrize("table", GUARDED)
async def test_no_login_role_writes_to_accounts_past_their_functions(admin: asyncpg.Connection, table: str) -> None:
    for role in ("tj_app", "tj_reader", "tj_worker"):
        for verb in ("insert", "update", "delete", "truncate"):
            assert not await admin.fetchval("select has_table_privilege($1, $2, $3)", role, table, verb)
            if verb in ("insert", "update"):
                assert not await admin.fetchval("select has_any_column_privilege($1, $2, $3)", role, table, verb)


@pytest.mark.parametrize(
    ("table", "column"),
    [("staff", "password_hash"), ("staff", "password_history"), ("api_client", "secret_hash")],
)
async def test_the_reading_role_and_the_worker_read_no_hash(admin: asyncpg.Connection, table: str, column: str) -> None:
    for role in ("tj_reader", "tj_worker"):
        assert not await admin.fetchval("select has_column_privilege($1, $2, $3, 'select')", role, table, column)


async def test_injected_sql_gives_nobody_what_its_own_session_may_not_give(world: World) -> None:
    """The functions ask the signed context, not whoever calls them."""
    doctor = await me(world, world.clients["doctor"])
    acting = Principal("staff", UUID(doctor["id"]), campuses=(A, B), departments=None)
    colleague, units = await world.hire(), world.runtime.units
    for principal in (acting, ANONYMOUS, Principal("client", uuid4(), campuses=(A, B)), Principal("examinee", uuid4())):
        async with units.open(principal) as uow:
            for statement in (
                f"select tj.grant_staff('{colleague['id']}', {colleague['version']}, '{{chief}}', '{{1}}', true, '{{}}')",
                "select tj.put_role('doctor', '医', 'D', '{conclusion.finalize}')",
                f"select tj.approve_staff('{colleague['id']}', {colleague['version']}, now())",
                f"select tj.reset_password('{colleague['id']}', {colleague['version']}, 'x', now())",
                f"select tj.add_staff('{uuid4()}', 'x', 'x', '', 'x', '{{chief}}', '{{1}}', true, '{{}}', now(), false)",
                f"select tj.add_client('{uuid4()}', 'x', 'x', 'x', '{{conclusion.finalize}}', '{{1}}', now())",
                f"select tj.widen_client('{uuid4()}', '{{1}}')",
            ):
                assert await fetch_value(uow.session, statement) == "forbidden", (principal.kind, statement)
