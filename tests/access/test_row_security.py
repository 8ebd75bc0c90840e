"""Campus isolation in the database itself: what the roles may, what injected SQL sees, and when a right ends (reliability.md 18 and 19)."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from tests.access.conftest import PASSWORD, A, B, World, do, fresh
from tjapi import demo, wiring
from tjapi.kernel.db import Role
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import ANONYMOUS, Principal
from tjapi.kernel.settings import Settings

pytestmark = [pytest.mark.xdist_group("access"), pytest.mark.requirement("D3")]
LOGINS = ("tj_app", "tj_reader", "tj_worker")
# Tables without rows of a campus; a new table is added here by decision, not by forgetting.
HOSPITAL_WIDE = {
    "alembic_version", "api_client", "campus", "department", "exam_package", "exam_package_group", "external_code", "finding", "idempotency_key",
    "knowledge_rule", "knowledge_version",
    "item", "item_group", "item_group_item", "item_range", "refresh_token", "role", "staff", "staff_role", "staff_second_factor", "staff_session", "audit_link",
    "employer", "employer_contact", "outside_lab", "item_unit", "item_group_exclusion", "exam_package_option", "exam_package_option_group",
    "worker_beat",  # when which worker was last seen: nobody's data
    "member_staging",  # COPY is refused where rows have security: nobody but the worker's role may touch it
}  # fmt: skip
STRANGER = Principal("staff", UUID(int=7), campuses=(B,), departments=None)
KEEPER = Principal("staff", UUID(int=8), campuses=(A,), departments=None)


async def test_every_table_with_rows_of_a_campus_is_under_forced_row_security(admin: asyncpg.Connection) -> None:
    tables = await admin.fetch("""
        select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
          exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'campus_id' and not a.attisdropped) as of_campus,
          (select array_agg(distinct r::text) from pg_policies p, unnest(p.roles) r
           where p.tablename = c.relname and p.permissive = 'PERMISSIVE') as roles
        from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    """)
    secured = {t["name"] for t in tables if t["enabled"] and t["forced"] and set(LOGINS) <= set(t["roles"] or ())}
    of_campus = {t["name"] for t in tables if t["of_campus"]}
    assert (
        of_campus
        | {
            "inbox_message",
            "examinee",
            "examinee_campus",
            "examinee_name_key",
            "examinee_guardian",
            "examinee_merge",
            "examinee_merge_row",
            "examinee_distinction",
        }
        <= secured
    )
    assert {t["name"] for t in tables} - secured == HOSPITAL_WIDE


async def test_no_policy_of_a_login_role_is_open_to_all(admin: asyncpg.Connection) -> None:
    open_ones = await admin.fetch(
        "select tablename, policyname from pg_policies where qual = 'true' and roles::text[] <> array['tj_owner'] and permissive = 'PERMISSIVE'"
    )
    assert list(open_ones) == []


async def test_the_login_roles_own_nothing_and_stand_above_nothing(admin: asyncpg.Connection) -> None:
    roles = await admin.fetch(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = any($1)",
        list(LOGINS),
    )
    assert len(roles) == 3
    assert [r["rolname"] for r in roles if any(list(r.values())[1:])] == []
    owned = "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = any($1)"
    assert await admin.fetchval(owned, list(LOGINS)) == 0
    member = "select count(*) from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = any($1)"
    assert await admin.fetchval(member, list(LOGINS)) == 0
    for role in LOGINS:
        assert not await admin.fetchval(
            "select has_table_privilege($1, 'tj.context_key', 'select, insert, update, delete')", role
        )
        assert not await admin.fetchval(
            "select has_schema_privilege($1, 'public', 'create') or has_schema_privilege($1, 'tj', 'create')", role
        )


@pytest.mark.parametrize(
    "table", ["audit_event", "audit_link", "result_revision", "department_sheet_step", "conclusion_step"]
)
async def test_no_login_role_changes_or_deletes_what_is_append_only(admin: asyncpg.Connection, table: str) -> None:
    for role in LOGINS:
        assert not await admin.fetchval("select has_table_privilege($1, $2, 'update, delete, truncate')", role, table)
    assert not await admin.fetchval("select has_table_privilege('tj_app', 'audit_event', 'insert')")


async def test_the_reading_role_writes_nothing(admin: asyncpg.Connection) -> None:
    writable = await admin.fetch("""
        select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and has_table_privilege('tj_reader', c.oid, 'insert, update, delete, truncate')
    """)
    assert list(writable) == []


async def test_the_login_roles_create_no_temporary_objects(admin: asyncpg.Connection) -> None:
    for role in LOGINS:
        assert not await admin.fetchval("select has_database_privilege($1, current_database(), 'temporary')", role)


async def test_the_reading_role_reads_no_credentials(admin: asyncpg.Connection) -> None:
    for table in ("refresh_token", "access_code", "idempotency_key", "portal_session"):
        assert not await admin.fetchval("select has_table_privilege('tj_reader', $1, 'select')", table), table


# --- injected SQL ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def attacked(world: World, settings: Settings) -> AsyncIterator[Runtime]:
    """A process of one connection per role, so that an attack meets the connection that the next request is given."""
    held = wiring.build(settings, pool=1)
    yield held
    await wiring.close(held)


def vulnerable(payload: str) -> str:
    """The mistake that row security must survive."""
    return f"select name from exam where name = '{payload}'"


async def attack(runtime: Runtime, role: Role, payload: str, principal: Principal = STRANGER) -> str:
    """Run the vulnerable query in a real unit of a stranger and return everything that came of it, errors and notices too.

    Twice: as products do, by one prepared statement; and by the simple protocol, which takes stacked statements. Then every table
    is read once more in the same session, for what the attack may have opened.
    """
    told: list[str] = []
    async with runtime.database.session(role, principal) as session:
        connection = await session.connection()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        raw.add_log_listener(lambda _c, message: told.append(str(message)))
        try:
            told += [str(row) for row in (await connection.exec_driver_sql(vulnerable(payload))).all()]
        except DBAPIError as error:
            told.append(str(error.orig))
        await session.rollback()
        try:
            await raw.execute(vulnerable(payload))
        except asyncpg.PostgresError as error:
            told.append(f"{error} {error.detail}")
        told += await _everything(raw)
    return "\n".join(told)


_SWEEP = (
    "select exam_no from exam", "select exam_id::text from exam_line", "select exam_id::text from tube", "select exam_id::text from result",
    "select exam_id::text from result_revision", "select exam_id::text from conclusion", "select exam_id::text from department_sheet",
    "select id::text from report", "select exam_id::text from inbox_message", "select examinee_id::text from portal_session",
    "select name || '|' || birth_date from examinee", "select exam_id::text from access_code", "select exam_id::text from requisition",
    "select examinee_id::text from examinee_name_key", "select examinee_id::text from examinee_campus where campus_id = 1",
)  # fmt: skip


async def _everything(raw: Any) -> list[str]:
    try:
        return [str(row[0]) for row in await raw.fetch(" union all ".join(_SWEEP))]
    except asyncpg.PostgresError as failure:  # one of the tables is not what it was: each for itself
        seen = [str(failure)]
    for query in _SWEEP:
        try:
            seen += [str(row[0]) for row in await raw.fetch(query)]
        except asyncpg.PostgresError as error:
            seen.append(str(error))
    return seen


def secrets_of(world: World) -> set[str]:
    """What only campus A knows."""
    visits = (world.main, world.reviewing, world.arrived)
    known = {
        text for v in visits for text in (v.exam_id, v.exam_no, v.person_id, f"{v.card['name']}|{v.card['birth_date']}")
    }
    return known | {world.main.report_id}


async def test_the_sweep_finds_what_an_attack_looks_for(world: World, attacked: Runtime) -> None:
    seen = await attack(attacked, "app", "nobody", KEEPER)
    assert {s for s in secrets_of(world) if s not in seen} == set()
    assert "exam_no" not in seen


# {token…}: contexts that are not the attacker's; {person}: an id of campus A that became known somehow.
PAYLOADS: dict[str, str] = {
    "a tautology": "' or campus_id = 1 or '1' = '1",
    "a union over exams": "' union select exam_no from exam --",
    "a union over people": "' union select name || '|' || birth_date from examinee --",
    "a union over the audit trail": "' union select object_id || detail::text from audit_event --",
    "a union over jobs": "' union select payload::text || coalesce(result::text, '') from job where campus_id is not null --",
    "a union over live events": "' union select data::text from live_event where campus_id is not null --",
    "a lateral join over every row": "' union select x.exam_no from campus c cross join lateral (select * from exam e where e.campus_id = c.id) x --",
    "stacked statements": "'; select set_config('tj.context', '', false); select exam_no from exam; --",
    "a forged context": "' union select set_config('tj.context', '{forged}', false) union all select exam_no from exam --",
    "a context of another backend": "'; select set_config('tj.context', '{other_pid}', false); --",
    "an expired context": "'; select set_config('tj.context', '{expired}', false); --",
    "a prolonged context": "'; select set_config('tj.context', '{prolonged}', false); --",
    "a widened campus list": "'; select set_config('tj.context', regexp_replace(current_setting('tj.context'), '\\|2\\|', '|1,2|'), false); --",
    "a widened campus list in a union": "' union select set_config('tj.context', replace(current_setting('tj.context'), '|2|', '|1,2|'), false) --",
    "a context with a stray line": "'; select set_config('tj.context', current_setting('tj.context') || chr(10) || '{forged}', false); --",
    "another role": "'; set role tj_owner; --",
    "another role in a transaction": "'; set local role tj_worker; --",
    "the role it came with": "'; reset role; reset session authorization; reset all; --",
    "another session's authority": "'; set session authorization postgres; --",
    "row security off": "'; set row_security = off; --",
    "the context function": "' union select array_to_string(tj.context(), '|') --",
    "the key of contexts": "' union select encode(inner_pad, 'hex') || encode(outer_pad, 'hex') from tj.context_key --",
    "meeting everybody": "' union select tj.meet_examinee(id_kind, id_number_index, 2::smallint)::text from examinee --",
    "meeting in a foreign campus": "' union select tj.meet_examinee('resident', '\\x00', 1::smallint)::text --",
    "the session function": "' union select tj.examinee_session(id, examinee_id)::text from portal_session --",
    "an audit row of a foreign campus": "' union select tj.audit('x', 'exam', 'y', 1, '{{}}', '')::text --",
    "marking rows as sealed": "'; select tj.audit_sealed(array(select id from audit_event)); --",
    "a file of the server": "' union select pg_read_file('/etc/passwd') --",
    "a folder of the server": "' union select pg_ls_dir('base') --",
    "a large object from a file": "'; select lo_import('/etc/passwd'); --",
    "copying to a program": "'; copy exam to program 'cat'; --",
    "copying to a file": "'; copy exam to '/tmp/exam'; --",
    "other sessions' queries": "' union select query from pg_stat_activity --",
    "statement statistics": "' union select query from pg_stat_statements --",
    "column statistics": "' union select coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '') from pg_stats where schemaname = 'public' --",
    "raw column statistics": "' union select stavalues1::text from pg_statistic --",
    "extended statistics": "' union select most_common_vals::text from pg_stats_ext --",
    "a value in an error": "' or exam_no::int = 1 --",
    "a value in a division": "' or 1 / (campus_id - 1) = 1 or exam_no::xml is null --",
    "a cheap function that tells": (
        "'; create function pg_temp.tell(text) returns boolean language plpgsql cost 0.0000001 as"
        " $$ begin raise notice '%', $1; return true; end $$; select count(*) from exam where pg_temp.tell(exam_no); --"
    ),
    "a cheap operator that tells": (
        "'; create function pg_temp.tell2(text, text) returns boolean language plpgsql cost 0.0000001 as"
        " $$ begin raise notice '%', $1; return true; end $$;"
        " create operator pg_temp.<<< (procedure = pg_temp.tell2, leftarg = text, rightarg = text);"
        " select count(*) from exam where exam_no operator(pg_temp.<<<) 'x'; --"
    ),
    "a function in public": "'; create function public.tell(text) returns boolean language sql as 'select true'; --",
    "a table in public": "'; create table public.loot as select * from exam; --",
    "a view of the owner's": "'; create view tj.loot as select * from public.exam; --",
    "a prepared statement": "'; prepare loot as select exam_no from exam; execute loot; --",
    "a cursor": "'; begin; declare loot cursor with hold for select exam_no from exam; fetch all from loot; commit; --",
    "a block": "'; do $$ declare r record; begin for r in select * from exam loop raise notice '%', r; end loop; end $$; --",
    "a block that switches roles": "'; do $$ begin execute 'set role tj_owner'; end $$; --",
    "functions that stand in for the definer's": (
        "'; create function pg_temp.sha256(bytea) returns bytea language sql as 'select ''''::bytea';"
        " create function pg_temp.campuses() returns smallint[] language sql as 'select array[1,2]::smallint[]';"
        " set search_path = pg_temp, tj, public, pg_catalog; --"
    ),
    "a temporary meeting table": (
        "'; create temp table examinee_campus as select id as examinee_id, 2::smallint as campus_id from examinee;"
        " insert into examinee_campus values ('{person}', 2); --"
    ),
    "a trigger on somebody's table": "'; create trigger loot before insert on exam execute function tj.notify_live(); --",
    "a policy of its own": "'; create policy loot on exam using (true); alter table exam disable row level security; --",
    "a grant to itself": "'; grant tj_owner to current_user; grant select on tj.context_key to current_user; --",
    "an exam moved to its campus": "'; update exam set campus_id = 2 where campus_id = 1; --",
    "a message given to its campus": "'; update inbox_message set campuses = array[2]; --",
    "a person met by id": "'; insert into examinee_campus values ('{person}', 2, now()); --",
    "a meeting turned to another person": (
        "'; insert into examinee (id, name, sex, birth_date, id_kind, version, created_at, updated_at) values"
        " ('{new}', 'x', 'male', '2000-01-01', 'none', 1, now(), now());"
        " insert into examinee_campus values ('{new}', 2, now());"
        " update examinee_campus set examinee_id = '{person}' where examinee_id = '{new}'; --"
    ),
}


@pytest.mark.parametrize(
    ("name", "role"), [pytest.param(n, r, id=f"{n}-{r}") for n in PAYLOADS for r in ("app", "reader")]
)
async def test_injected_sql_shows_no_row_of_another_campus(
    world: World, attacked: Runtime, admin: asyncpg.Connection, name: str, role: Role
) -> None:
    if "statistics" in name:
        await admin.execute("analyze")
    now = int(time.time())
    signed = attacked.database.context
    async with attacked.database.session(role, STRANGER) as session:
        pid = await _pid(session)
    own = signed(KEEPER, pid, now - 5)
    tokens = {
        "forged": f"{KEEPER.scope_text}|{now + 300}|{pid}|{'0' * 64}",
        "other_pid": signed(KEEPER, pid + 1, now + 300),
        "expired": own,
        "prolonged": own.replace(str(now - 5), str(now + 300)),
        "person": world.booked.person_id,
        "new": uuid7(),
    }
    try:
        seen = await attack(attacked, role, PAYLOADS[name].format(**tokens))
    finally:
        await admin.execute(
            "delete from examinee_campus where campus_id = $1 and examinee_id = $2", B, UUID(world.booked.person_id)
        )
    booked = f"{world.booked.card['name']}|{world.booked.card['birth_date']}"
    assert {s for s in {*secrets_of(world), booked} if s in seen} == set()
    if name == "stacked statements":
        assert "cannot insert multiple commands" in seen


async def _pid(session: Any) -> int:
    raw = (await (await session.connection()).get_raw_connection()).driver_connection
    return int(raw.get_server_pid())


async def test_nothing_that_one_request_leaves_behind_catches_the_next_ones_rows(attacked: Runtime) -> None:
    await attack(attacked, "app", "'; create temp table exam_number (like public.exam_number); --")
    async with attacked.database.session("app", KEEPER) as session:
        place = await (await session.connection()).exec_driver_sql(
            "select relnamespace::regnamespace::text from pg_class where oid = 'exam_number'::regclass"
        )
        assert place.scalar() == "public"


@pytest.mark.requirement("E8.1")
async def test_no_session_gives_an_account_a_campus_that_it_does_not_hold_itself(
    world: World, attacked: Runtime
) -> None:
    colleague = await world.hire(campuses=[B])
    await attack(attacked, "app", f"'; update staff set campuses = array[1,2] where id = '{colleague['id']}'; --")
    now = (await do(world.clients["admin"], "GET", f"/staff/{colleague['id']}")).json()
    assert now["campuses"] == [B]


# --- the context ----------------------------------------------------------------------------------------------------


async def _visible(raw: Any) -> int:
    tables = (
        "exam",
        "exam_line",
        "tube",
        "result",
        "result_revision",
        "report",
        "examinee",
        "inbox_message",
        "conclusion",
    )
    return sum([int(await raw.fetchval(f"select count(*) from {table}")) for table in tables])


@pytest.mark.parametrize("role", ["app", "reader", "worker"])
async def test_a_context_holds_for_its_own_backend_until_it_expires(
    world: World, attacked: Runtime, role: Role
) -> None:
    async with attacked.database.session(role, KEEPER) as session:
        raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        pid, now = raw.get_server_pid(), int(time.time())
        contexts = {
            "in force": (pid, now + 60), "expired": (pid, now - 1), "of another backend": (pid + 1, now + 60),
        }  # fmt: skip
        seen = {}
        for name, (at, until) in contexts.items():
            await raw.execute(
                "select set_config('tj.context', $1, false)".replace(
                    "$1", f"'{attacked.database.context(KEEPER, at, until)}'"
                )
            )
            seen[name] = await _visible(raw)
        await raw.execute("reset tj.context")
        seen["absent"] = await _visible(raw)
    assert seen.pop("in force") > 0
    assert seen == {"expired": 0, "of another backend": 0, "absent": 0}


@pytest.mark.parametrize("table", ["audit_event", "job", "live_event"])
async def test_without_a_context_not_even_rows_without_a_campus_are_seen(
    world: World, attacked: Runtime, table: str
) -> None:
    async with attacked.database.session("worker", demo.LOADER) as session:
        raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        assert await raw.fetchval(f"select count(*) from {table} where campus_id is null") > 0
        await raw.execute("reset tj.context")
        assert await raw.fetchval(f"select count(*) from {table}") == 0


async def test_a_message_of_no_campus_is_nobodys(attacked: Runtime, admin: asyncpg.Connection) -> None:
    kept = """insert into inbox_message (id, client_id, source, message_id, sha256, body, media_type, campuses, received_at)
        values ($1, gen_random_uuid(), 'lis', $2, '\\x00', '\\x00', 'x', '{}', now())"""
    ours = uuid7()
    await admin.execute(kept, ours, fresh("M"))
    try:
        async with attacked.database.session("reader", ANONYMOUS) as session:
            raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
            assert await raw.fetchval("select count(*) from inbox_message where id = $1", ours) == 0
    finally:
        await admin.execute("delete from inbox_message where id = $1", ours)


async def test_each_of_two_campuses_sees_its_own_and_both_see_what_both_hold(world: World, attacked: Runtime) -> None:
    seen = {}
    for name, campuses in {"a": (A,), "b": (B,), "both": (A, B), "none": ()}.items():
        async with attacked.database.session("reader", replace(KEEPER, campuses=campuses)) as session:
            raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
            seen[name] = {r["campus_id"] for r in await raw.fetch("select distinct campus_id from exam")}
    assert seen["a"] == {A}
    assert A not in seen["b"]
    assert A in seen["both"]
    assert seen["none"] == set()


@pytest.mark.parametrize("role", ["app", "reader"])
async def test_an_examinee_sees_exactly_the_own_exams_and_reports(
    world: World, attacked: Runtime, admin: asyncpg.Connection, role: Role
) -> None:
    person = UUID(world.main.person_id)
    subject = Principal("examinee", person, frozenset({"me.read"}), examinee_id=person)
    async with attacked.database.session(role, subject) as session:
        raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        for table in ("exam", "report"):
            own = {r["id"] for r in await admin.fetch(f"select id from {table} where examinee_id = $1", person)}
            assert own
            assert {r["id"] for r in await raw.fetch(f"select id from {table}")} == own
        assert [r["id"] for r in await raw.fetch("select id from examinee")] == [person]
        for table in (
            "exam_line",
            "result",
            "result_revision",
            "tube",
            "conclusion",
            "inbox_message",
        ):
            assert await raw.fetchval(f"select count(*) from {table}") == 0, table
        if role == "app":
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await raw.execute("update report set pages = pages")


@pytest.mark.requirement("E3.1")
async def test_a_doctor_of_one_department_writes_no_result_of_another_even_past_the_code(
    world: World, attacked: Runtime
) -> None:
    doctor = replace(KEEPER, departments=(2,))
    async with attacked.database.session("app", doctor) as session:
        raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        changed = await raw.execute(f"update department_sheet set summary = 'x' where exam_id = '{world.main.exam_id}'")
        assert changed == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.execute(
                f"insert into department_sheet (exam_id, department_id, campus_id) values ('{world.booked.exam_id}', 1, 1)"
            )


@pytest.mark.requirement("E3.1")
async def test_a_department_sheet_is_deleted_by_nobody(admin: asyncpg.Connection) -> None:
    for role in LOGINS:
        assert not await admin.fetchval("select has_table_privilege($1, 'department_sheet', 'delete')", role)


# --- revocation: on the next request --------------------------------------------------------------------------------


async def _status(client: httpx.AsyncClient, path: str = "/auth/principal") -> int:
    return (await client.get(f"/api/v1{path}")).status_code


async def _patch(world: World, staff_id: str, **change: Any) -> None:
    tag = {"If-Match": (await do(world.clients["admin"], "GET", f"/staff/{staff_id}")).headers["etag"]}
    await do(world.clients["admin"], "PATCH", f"/staff/{staff_id}", json=change, headers=tag)


@pytest.mark.requirement("P2", "E8.1")
async def test_a_disabled_account_is_refused_on_its_next_request(world: World) -> None:
    colleague = await world.hire(roles=["doctor"])
    tokens = await world.login(colleague["username"], PASSWORD)
    client = world.client(tokens["access_token"])
    assert await _status(client) == 200
    await _patch(world, colleague["id"], active=False)
    assert await _status(client) == 401
    again = await world.clients["anonymous"].post(
        "/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}
    )
    assert again.status_code == 401
    await _patch(world, colleague["id"], active=True)
    assert await _status(client) == 401, "a token of before the ban came back to life"


@pytest.mark.requirement("E8.1")
async def test_a_right_taken_from_a_role_a_role_taken_from_a_person_or_a_campus_is_gone_on_the_next_request(
    world: World,
) -> None:
    code = f"role_{uuid7().hex[-8:]}"
    role: dict[str, Any] = {"name_zh": "试", "name_en": "Trial", "permissions": ["exam.read", "catalog.read"]}
    await do(world.clients["security"], "PUT", f"/roles/{code}", json=role)
    colleague = await world.hire(roles=[code], campuses=[A])
    client = await world.entered(colleague["username"], PASSWORD)
    exam = f"/exams/{world.main.exam_id}"
    assert await _status(client, exam) == 200
    await do(world.clients["security"], "PUT", f"/roles/{code}", json={**role, "permissions": ["catalog.read"]})
    assert (await _status(client, exam), await _status(client, "/items")) == (403, 200)
    await do(world.clients["security"], "PUT", f"/roles/{code}", json=role)
    assert await _status(client, exam) == 200
    await world.grant(colleague["id"], campuses=[B])
    assert await _status(client, exam) == 404
    await world.grant(colleague["id"], campuses=[A], roles=[])
    assert await _status(client, exam) == 403


@pytest.mark.requirement("E3.1", "E8.1")
async def test_a_department_taken_away_is_closed_on_the_next_request(world: World) -> None:
    colleague = await world.hire(roles=["doctor"], departments=[1])
    client = await world.entered(colleague["username"], PASSWORD)
    sheet = f"/exams/{world.main.exam_id}/departments/1/sheet"
    assert await _status(client, sheet) == 200
    await world.grant(colleague["id"], departments=[2])
    assert await _status(client, sheet) == 403


@pytest.mark.requirement("P2")
async def test_a_revoked_client_is_refused_on_its_next_request_and_so_are_the_examinees_it_let_in(world: World) -> None:
    made = await world.trusted()
    secret = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    token = (await do(world.clients["anonymous"], "POST", "/auth/client-token", json=secret)).json()["access_token"]
    kiosk, program = world.client(token), world.clients["client_portal"]
    world.clients["client_portal"] = kiosk
    try:
        person = await world.examinee(world.main)
    finally:
        world.clients["client_portal"] = program
    assert (await _status(kiosk), await _status(person, "/me")) == (200, 200)
    await do(world.clients["admin"], "POST", f"/api-clients/{made['id']}:revoke")
    assert (await _status(kiosk), await _status(person, "/me")) == (401, 401)
    assert (await world.clients["anonymous"].post("/api/v1/auth/client-token", json=secret)).status_code == 401


@pytest.mark.requirement("P2")
async def test_signing_out_ends_the_session_and_no_other(world: World) -> None:
    colleague = await world.hire(roles=["doctor"])
    here, there = [await world.login(colleague["username"], PASSWORD) for _ in range(2)]
    client, other = world.client(here["access_token"]), world.client(there["access_token"])
    await do(client, "POST", "/auth/logout", 204)
    assert (await _status(client), await _status(other)) == (401, 200)
    again = await world.clients["anonymous"].post("/api/v1/auth/refresh", json={"refresh_token": here["refresh_token"]})
    assert again.status_code == 401


@pytest.mark.requirement("P2")
async def test_an_examinee_who_signs_out_is_out(world: World) -> None:
    person = await world.examinee(world.main)
    await do(person, "POST", "/auth/logout", 204)
    assert await _status(person, "/me") == 401


@pytest.mark.requirement("P2")
async def test_a_changed_password_ends_every_session_of_the_account(world: World) -> None:
    colleague = await world.hire(roles=["doctor"])
    here, there = [await world.login(colleague["username"], PASSWORD) for _ in range(2)]
    client, other = world.client(here["access_token"]), world.client(there["access_token"])
    await do(client, "PUT", "/auth/password", 204, json={"old_password": PASSWORD, "new_password": f"{PASSWORD}+1"})
    assert (await _status(client), await _status(other)) == (401, 401)
    old = await world.clients["anonymous"].post(
        "/api/v1/auth/token", json={"username": colleague["username"], "password": PASSWORD}
    )
    assert old.status_code == 401


@pytest.mark.parametrize("how", ["password", "ban"])
@pytest.mark.requirement("P2")
async def test_a_refresh_token_of_before_a_new_password_or_a_ban_opens_nothing(world: World, how: str) -> None:
    colleague = await world.hire(roles=["doctor"])
    thief = await world.login(colleague["username"], PASSWORD)
    if how == "password":
        change = {"old_password": PASSWORD, "new_password": f"{PASSWORD}+1"}
        await do(world.client(thief["access_token"]), "PUT", "/auth/password", 204, json=change)
    else:
        await _patch(world, colleague["id"], active=False)
        await _patch(world, colleague["id"], active=True)
    again = await world.clients["anonymous"].post(
        "/api/v1/auth/refresh", json={"refresh_token": thief["refresh_token"]}
    )
    assert again.status_code == 401


@pytest.mark.requirement("P2")
async def test_a_refresh_token_used_twice_ends_its_session(world: World) -> None:
    colleague = await world.hire(roles=["doctor"])
    first = await world.login(colleague["username"], PASSWORD)
    second = (
        await do(world.clients["anonymous"], "POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]})
    ).json()
    client = world.client(second["access_token"])
    assert await _status(client) == 200
    thief = await world.clients["anonymous"].post(
        "/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]}
    )
    assert (thief.status_code, thief.json()["code"]) == (401, "refresh-token-invalid")
    assert await _status(client) == 401
    rightful = await world.clients["anonymous"].post(
        "/api/v1/auth/refresh", json={"refresh_token": second["refresh_token"]}
    )
    assert rightful.status_code == 401
