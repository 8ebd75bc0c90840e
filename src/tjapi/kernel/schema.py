"""The database's roles, and its migration. Run by whoever may create roles; the processes log in under roles that own nothing."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from tjapi.kernel.db import Role, context_pads
from tjapi.kernel.security.keys import KeyRing
from tjapi.kernel.settings import Settings, project_file

LOGINS: tuple[Role, ...] = ("app", "reader", "worker")
_LOCK = 7_307_000


async def connect(settings: Settings) -> asyncpg.Connection:
    """Connect as the administrator of TJ_DATABASE_URL."""
    if not settings.database_url:
        raise ValueError("TJ_DATABASE_URL is not set")
    url = make_url(settings.database_url)
    query = {key: str(value) for key, value in url.query.items()}
    host, port = query.get("host", url.host), query.get("port", url.port)
    return await asyncpg.connect(
        host=host, port=int(port or 5432), user=url.username, password=url.password, database=url.database, timeout=15
    )


async def migrate(settings: Settings, keys: KeyRing) -> None:
    """Make the roles, run the migrations as their owner, install the context key. Safe to run twice, and twice at once."""
    connection = await connect(settings)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await _make_roles(connection, settings.database_role_prefix, keys)
        await asyncio.to_thread(_upgrade, settings)
        inner, outer = context_pads(keys)
        await connection.execute("delete from tj.context_key")
        await connection.execute("insert into tj.context_key (inner_pad, outer_pad) values ($1, $2)", inner, outer)
    finally:
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await connection.close()


async def _make_roles(connection: asyncpg.Connection, prefix: str, keys: KeyRing) -> None:
    existing = {row["rolname"] for row in await connection.fetch("select rolname from pg_roles")}
    owner = f"{prefix}_owner"
    limits = "nosuperuser nocreatedb nocreaterole nobypassrls noreplication"
    if owner not in existing:
        await connection.execute(f"create role {owner} nologin {limits}")
    await connection.execute(f"grant {owner} to current_user")
    for role in LOGINS:
        name = f"{prefix}_{role}"
        if name not in existing:
            await connection.execute(f"create role {name} login {limits}")
        # Hex digits of a derived key: nothing to quote. The server is told not to log statements' parameters or DDL.
        await connection.execute(f"alter role {name} password '{keys.text(f'database-role/{role}')}'")
    database = await connection.fetchval("select quote_ident(current_database())")
    # Temporary objects outlive a request on a pooled connection and shadow tables for the next one.
    await connection.execute(f"revoke temporary on database {database} from public")
    await connection.execute(f"grant create, connect, temporary on database {database} to {owner}")
    await connection.execute(f"grant usage, create on schema public to {owner}")


def statements(script: str) -> list[str]:
    """Split a SQL script at semicolons that end a line, outside of $$ bodies: asyncpg takes one statement at a time."""
    found, current, quoted = [], [], False
    for line in script.splitlines():
        quoted ^= line.count("$$") % 2 == 1
        current.append(line)
        if line.rstrip().endswith(";") and not quoted:
            found.append("\n".join(current))
            current = []
    return found


def guard_table(
    run: Callable[[str], object],
    table: str,
    prefix: str,
    *,
    own: str | None = None,
    department: bool = False,
    append_only: bool = False,
) -> None:
    """Put a table with `campus_id` under row security, for a migration.

    `own` names the column that is an examinee's own id, where they may read their rows; `department` that there is a `department_id`
    whose rows only that department writes; `append_only` that nobody updates or deletes.
    """
    logins = ", ".join(f"{prefix}_{role}" for role in LOGINS)
    mine = "campus_id = any((select tj.campuses())::smallint[])"
    sees = mine if own is None else f"{mine} or {own} = (select tj.subject())"
    run(f"alter table {table} enable row level security")
    run(f"alter table {table} force row level security")
    run(f"create policy owner on {table} to {prefix}_owner using (true) with check (true)")
    run(f"create policy campus on {table} to {logins} using ({sees}) with check ({mine})")
    if department:
        theirs = "(select tj.departments()) is null or department_id = any((select tj.departments())::smallint[])"
        run(f"create policy department_write on {table} as restrictive for insert to {logins} with check ({theirs})")
        run(
            f"create policy department_update on {table} as restrictive for update to {logins} using ({theirs}) with check ({theirs})"
        )
    if append_only:
        run(f"revoke update, delete on {table} from {prefix}_app, {prefix}_worker")
        run(
            f"create trigger refuse_change before update or delete on {table} for each row execute function tj.refuse_change()"
        )


def config(settings: Settings) -> Config:
    """Return Alembic's configuration."""
    made = Config()
    made.set_main_option("script_location", str(project_file("migrations")))
    made.attributes["database_url"] = settings.database_url
    made.attributes["role_prefix"] = settings.database_role_prefix
    return made


def _upgrade(settings: Settings) -> None:
    command.upgrade(config(settings), "head")
