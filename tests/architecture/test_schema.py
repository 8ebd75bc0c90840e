"""What the models say, what the migrations make, and what the rules allow are one."""

import json
import os
import re
from pathlib import Path
from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, pool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.conftest import settings_for
from tjapi import tables
from tjapi.appointment.rules import MOVES as APPOINTMENT_MOVES
from tjapi.appointment.rules import WAIT_MOVES
from tjapi.conclusion.rules import MOVES as CONCLUSION_MOVES
from tjapi.employer.rules.campaigns import CAMPAIGN_MOVES, IMPORT_MOVES, MEMBER_MOVES
from tjapi.exam.rules import EXAM_MOVES, LINE_MOVES
from tjapi.kernel.schema import config, connect
from tjapi.kernel.settings import Settings
from tjapi.report.rules import MOVES as REPORT_MOVES
from tjapi.requisition.rules import TUBE_MOVES

_SHAPE = """
select 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, a.attidentity::text,
  coalesce(pg_get_expr(d.adbin, d.adrelid), '')
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
from pg_constraint where connamespace = 'public'::regnamespace and conrelid <> 0 and contype <> 'n'
union all
select 'index', tablename, indexname, indexdef, '', '', '' from pg_indexes where schemaname = 'public'
"""


def _engine(settings: Settings) -> AsyncEngine:
    url = make_url(str(settings.database_url)).set(drivername="postgresql+asyncpg")
    return create_async_engine(url, poolclass=pool.NullPool)


def test_there_is_one_newest_migration(settings: Settings) -> None:
    script = ScriptDirectory.from_config(config(settings))
    assert len(script.get_heads()) == 1
    assert len(list(script.walk_revisions())) == len(list((Path(script.dir) / "versions").glob("*.py")))


async def test_alembic_finds_no_difference_between_models_and_migrations(settings: Settings) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), tables.METADATA))

    engine = _engine(settings)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    # Alembic keeps its own table, of which no model knows.
    assert [d for d in found if not (d[0] == "remove_table" and d[1].name == "alembic_version")] == []


async def test_every_column_constraint_and_index_is_as_the_models_would_make_it(
    admin: asyncpg.Connection, worker_name: str
) -> None:
    """Alembic does not compare CHECK constraints: so make the models' schema beside the migrated one, and compare the catalogs."""
    state = Path(os.environ["TJ_TEST_STATE"])
    name = f"tj_models_{worker_name}"
    postgres = await connect(settings_for("postgres", state))
    await postgres.execute(f"drop database if exists {name} with (force)")
    await postgres.execute(f"create database {name}")
    models = await connect(settings_for(name, state))
    await models.execute("create extension btree_gist")
    engine = _engine(settings_for(name, state))
    async with engine.begin() as connection:
        await connection.run_sync(tables.METADATA.create_all)
    await engine.dispose()
    ours = {tuple(row) for row in await models.fetch(_SHAPE)}
    await models.close()
    await postgres.execute(f"drop database {name} with (force)")
    await postgres.close()
    theirs = {tuple(row) for row in await admin.fetch(_SHAPE) if row[1] != "alembic_version"}
    assert sorted(map(str, ours ^ theirs)) == []


async def test_the_database_allows_the_state_changes_of_the_rules_and_no_other(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        "select tgrelid::regclass::text as name, pg_get_triggerdef(oid) as made from pg_trigger where tgname = 'guard_state'"
    )
    rules = {
        "exam": EXAM_MOVES,
        "exam_line": LINE_MOVES,
        "report": REPORT_MOVES,
        "conclusion": CONCLUSION_MOVES,
        "tube": TUBE_MOVES,
        "campaign": CAMPAIGN_MOVES,
        "member": MEMBER_MOVES,
        "member_import": IMPORT_MOVES,
        "appointment": APPOINTMENT_MOVES,
        "appointment_wait": WAIT_MOVES,
    }
    guarded: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        found = re.search(r"guard_state\('(.*)'\)$", row["made"])
        assert found is not None, row["made"]
        guarded[row["name"]] = {state: set(to) for state, to in json.loads(found[1]).items() if to}
    for table, moves in rules.items():
        assert guarded[table] == {state: set(to) for state, to in moves.items() if to}, table


async def test_every_row_of_a_campus_is_shown_by_row_security_that_binds_its_owner_too(
    admin: asyncpg.Connection,
) -> None:
    bare = await admin.fetch("""
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname in ('campus_id', 'campuses')
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)
    """)
    # A member of staff, an API client: `campuses` there says what they may see, and identity is hospital-wide.
    assert {row["relname"] for row in bare} == {"staff", "api_client"}


async def test_no_role_that_serves_requests_may_bypass_anything(admin: asyncpg.Connection) -> None:
    roles = await admin.fetch("""
        select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as mighty,
          exists (select from pg_class c where c.relowner = r.oid) as owns
        from pg_roles r where rolname in ('tj_app', 'tj_reader', 'tj_worker')
    """)
    assert [(r["mighty"], r["owns"]) for r in roles] == [(False, False)] * 3
