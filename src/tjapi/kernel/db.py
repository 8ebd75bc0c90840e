"""PostgreSQL: an engine per database role, a fair gate before each pool, and the signed context of row-level security.

What the database shows is decided by `tj.context`, a setting that only we can sign: kind, principal, campuses, departments,
examinee, expiry and backend pid under an HMAC whose key no role of ours can read. Injected SQL may rewrite the setting;
it cannot forge it, so it sees nothing. It is set once per connection and again only when it changes or is about to expire.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, JSON, MetaData, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from tjapi.kernel.security.keys import KeyRing
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings

Role = Literal["app", "reader", "worker"]
CONTEXT_SECONDS = 300
_RENEW_BEFORE = 60
_BLOCK = 64
_ROWS_AT_ONCE = 4_000

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


# Whatever a database in trouble raises, through SQLAlchemy or past it.
DATABASE_TROUBLE: tuple[type[Exception], ...] = (
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
# cannot_connect_now, admin_shutdown, crash_shutdown, query_canceled, serialization_failure, deadlock_detected, too_many_connections
_PASSING = frozenset({"57P03", "57P01", "57P02", "57014", "40001", "40P01", "53300"})


def is_passing(error: BaseException) -> bool:
    """Say whether trouble with the database is likely to pass, so that trying again helps: a lost connection, a restart, a deadlock."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        error = error.orig or error
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    return (
        isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)
        or state in _PASSING
        or state.startswith("08")
    )


def is_interruption(error: BaseException) -> bool:
    """Say whether the database went away under some work, as under everybody: trouble that passes, also if each task of a group met it."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_interruption(one) for one in error.exceptions)
    return isinstance(error, DATABASE_TROUBLE) and is_passing(error)


# Classes of SQLSTATE: data exceptions (NUL in a text, a number out of range), limits of the program (a row too long for its index).
_REFUSED = ("22", "54")


def is_refused(error: BaseException) -> bool:
    """Say whether the database, or the driver before it, refuses the data itself: a verdict, since the same data is refused each time."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_refused(one) for one in error.exceptions)
    if isinstance(error, UnicodeEncodeError):
        return True
    if isinstance(error, DBAPIError):
        error = error.orig or error
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    return state.startswith(_REFUSED)


class Base(DeclarativeBase):
    """The base of every table. A context writes its own tables and no other's."""

    metadata = MetaData(naming_convention=NAMING)


def context_pads(keys: KeyRing) -> tuple[bytes, bytes]:
    """Return the inner and outer pad of the context key: SQL builds HMAC-SHA256 (RFC 2104) from `sha256()` and these."""
    block = keys.of("database-context/1").ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def role_url(settings: Settings, keys: KeyRing, role: Role) -> URL:
    """Return the address under which a process logs in as one of our roles; its password derives from the master key."""
    if not settings.database_url:
        raise ValueError("TJ_DATABASE_URL is not set")
    name = f"{settings.database_role_prefix}_{role}"
    url = make_url(settings.database_url).set(drivername="postgresql+asyncpg")
    return url.set(username=name, password=keys.text(f"database-role/{role}"))


class Database:
    """The doors to one database, a pool per role."""

    def __init__(self, settings: Settings, keys: KeyRing, *, pool: int | None = None) -> None:
        self._settings = settings
        self._keys = keys
        self._context_key = keys.of("database-context/1")
        self._pool = pool or settings.database_pool
        self._engines: dict[Role, AsyncEngine] = {}
        self._makers: dict[Role, async_sessionmaker[AsyncSession]] = {}
        self._gates: dict[Role, asyncio.Semaphore] = {}
        self._bare = BareReaders(self, settings, keys, self._pool)

    def apart(self) -> "Database":
        """Return doors with one connection of their own: connections belong to the event loop that opened them."""
        return Database(self._settings, self._keys, pool=1)

    def _engine(self, role: Role) -> AsyncEngine:
        if role not in self._engines:
            url = role_url(self._settings, self._keys, role)
            server = {
                "application_name": f"tjapi {role}",
                "statement_timeout": str(self._settings.statement_timeout_ms),
            }
            # Readers work in autocommit: each statement its own snapshot, no BEGIN and COMMIT around it (speed.md).
            self._engines[role] = create_async_engine(
                url,
                pool_size=self._pool,
                max_overflow=0,
                pool_timeout=30,
                pool_pre_ping=False,
                isolation_level="AUTOCOMMIT" if role == "reader" else "READ COMMITTED",
                connect_args={"server_settings": server, "timeout": 10},
                json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            )
            self._gates[role] = asyncio.Semaphore(self._pool)
            self._makers[role] = async_sessionmaker(self._engines[role], expire_on_commit=False, autoflush=False)
        return self._engines[role]

    def context(self, principal: Principal, pid: int, expires: int) -> str:
        """Return the signed context of a principal for one backend, good until `expires` (Unix seconds)."""
        body = f"{principal.scope_text}|{expires}|{pid}"
        return f"{body}|{hmac.digest(self._context_key, body.encode(), hashlib.sha256).hex()}"

    @asynccontextmanager
    async def session(self, role: Role, principal: Principal) -> AsyncIterator[AsyncSession]:
        """Lend a session that sees what the principal may see. Nothing is committed here."""
        self._engine(role)
        async with self._gates[role], self._makers[role]() as session:
            await self._show(session, principal)
            yield session

    @asynccontextmanager
    async def bare(self, principal: Principal | None) -> AsyncIterator[asyncpg.Connection]:
        """Lend a reader's connection for single statements, past SQLAlchemy, whose session costs more than they do.

        Without a principal the connection keeps whatever context it has: only for asking who somebody is, of tables without row
        security, so that a connection does not change its context twice per request.
        """
        async with self._bare.lend(principal) as connection:
            yield connection

    async def _show(self, session: AsyncSession, principal: Principal) -> None:
        fairy = await (await session.connection()).get_raw_connection()
        raw = fairy.driver_connection
        assert raw is not None
        # On the driver's own connection, before SQLAlchemy opens the transaction: a rollback must not take it back.
        fairy.info["tj"] = await self.shown(raw, principal, fairy.info.get("tj", ("", 0.0)))

    async def shown(self, raw: Any, principal: Principal, held: tuple[str, float]) -> tuple[str, float]:
        """Give a connection the context of a principal, unless it holds that for a while yet; return what it holds, and until when."""
        now = time.time()
        if held[0] == principal.scope_text and held[1] > now + _RENEW_BEFORE:
            return held
        expires = int(now) + CONTEXT_SECONDS
        token = self.context(principal, raw.get_server_pid(), expires)
        await raw.fetchval("select set_config('tj.context', $1, false)", token)
        return principal.scope_text, float(expires)

    async def show_for_now(self, session: AsyncSession, principal: Principal) -> None:
        """Let a session see what another principal may see, until its transaction ends: then it sees what it saw before."""
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        assert raw is not None
        token = self.context(principal, raw.get_server_pid(), int(time.time()) + CONTEXT_SECONDS)
        await fetch_value(session, "select set_config('tj.context', $1, true)", token)

    def usage(self) -> dict[str, dict[str, int]]:
        """Return how many connections each role of this process may have, has in use, and how many callers wait for one."""
        gates = [*self._gates.items(), ("bare", self._bare.gate)]
        return {
            role: {"size": self._pool, "used": self._pool - gate._value, "waiting": len(gate._waiters or ())}  # noqa: SLF001 - asyncio tells it nowhere else
            for role, gate in gates
        }

    async def keeps_context(self) -> bool:
        """Say whether a session stays on one backend from statement to statement, as the signed context needs.

        Behind a pooler of transactions or statements it does not; behind one of sessions the backend is another than the driver was
        told, and the context names the one it was told. A pooler that refuses our session settings is one as well.
        """
        try:
            return await self._keeps_context()
        except (
            asyncpg.InvalidSQLStatementNameError,
            asyncpg.DuplicatePreparedStatementError,
            asyncpg.ProtocolViolationError,
        ):
            return False

    async def _keeps_context(self) -> bool:
        first = await _connect(self._settings, self._keys, None)
        try:
            if await first.fetchval("select pg_backend_pid()") != first.get_server_pid():
                return False
            other = await _connect(self._settings, self._keys, None)
            try:
                await first.fetchval("select set_config('tj.context', 'held', false)")
                async with other.transaction():  # takes the backend that a pooler has just been given back
                    await other.fetchval("select 1")
                    held = await first.fetchval("select current_setting('tj.context', true)")
                return bool(held == "held")
            finally:
                other.terminate()
        finally:
            first.terminate()

    async def listener(self) -> asyncpg.Connection:
        """Open a connection of its own for LISTEN, outside the pools."""
        return await _connect(self._settings, self._keys, None)

    async def close(self) -> None:
        """Close every pool."""
        await self._bare.close()
        for engine in self._engines.values():
            await engine.dispose()
        self._engines.clear()


# InternalClientError: the server hung up between two messages, and the driver does not know what to make of it.
_BROKEN = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    OSError,
)


class BareReaders:
    """Connections of the reading role without SQLAlchemy: as many as the pool, lent first come, first served, the warmest first."""

    def __init__(self, database: Database, settings: Settings, keys: KeyRing, size: int) -> None:
        self._database = database
        self._settings = settings
        self._keys = keys
        self.gate = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []
        self._held: dict[asyncpg.Connection, tuple[str, float]] = {}

    @asynccontextmanager
    async def lend(self, principal: Principal | None) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection that shows what a principal may see; a broken one is dropped, and the idle ones with it."""
        async with self.gate:
            connection = await self._take()
            try:
                if principal is not None:
                    self._held[connection] = await self._database.shown(
                        connection, principal, self._held.get(connection, ("", 0.0))
                    )
                yield connection
            except _BROKEN:
                connection.terminate()
                await self.close()  # what broke this one broke them all
                raise
            except asyncio.CancelledError:
                connection.terminate()  # its statement may run on
                raise
            finally:
                if connection.is_closed():
                    self._held.pop(connection, None)
                else:
                    self._idle.append(connection)

    async def _take(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._held.pop(connection, None)
        return await _connect(self._settings, self._keys, self._settings.statement_timeout_ms)

    async def close(self) -> None:
        """Let go of the idle connections."""
        while self._idle:
            connection = self._idle.pop()
            self._held.pop(connection, None)
            connection.terminate()


async def _connect(settings: Settings, keys: KeyRing, statement_timeout_ms: int | None) -> asyncpg.Connection:
    url = role_url(settings, keys, "reader")
    query = {key: str(value) for key, value in url.query.items()}
    host, port = query.get("host", url.host), query.get("port", url.port)
    server = {"application_name": "tjapi reader"}
    if statement_timeout_ms is not None:
        server["statement_timeout"] = str(statement_timeout_ms)
    return await asyncpg.connect(
        host=host, port=int(port or 5432), user=url.username, password=url.password, database=url.database, timeout=10,
        server_settings=server,
    )  # fmt: skip


async def fetch_value(session: AsyncSession, sql: str, *values: Any) -> Any:
    """Run one hot statement on the session's own asyncpg connection, in its transaction, and return its first value."""
    raw = await driver(session)
    return await raw.fetchval(sql, *values)


async def fetch_rows(session: AsyncSession, sql: str, *values: Any) -> Sequence[Any]:
    """Run one hot statement on the session's own asyncpg connection, in its transaction, and return its rows."""
    raw = await driver(session)
    return list(await raw.fetch(sql, *values))


async def insert_rows(session: AsyncSession, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of the same columns, some thousands by one statement, which is given a list of values per column.

    For bulk alone: COPY refuses tables under row security, and an ORM object costs ten times its row (speed.md, 6).
    """
    if not rows:
        return
    statement, columns = _inserting(table, tuple(rows[0]))
    raw = await driver(session)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        await raw.execute(statement, *(_column([row[name] for row in some], kind) for name, kind in columns.items()))


@lru_cache(maxsize=256)
def _inserting(table: type[Base], names: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
    """Return the statement that inserts these columns, and their types: a table has few sets of columns, and each costs a millisecond."""
    columns = {name: table.__table__.c[name].type for name in names}
    sent = {name: _sent_as(kind) for name, kind in columns.items()}
    listed = ", ".join(f'"{name}"' for name in columns)
    shown = ", ".join(f'"{name}"::{_named(kind)}' for name, kind in columns.items())
    given = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(sent.values(), 1))
    statement = f"insert into {table.__tablename__} ({listed}) select {shown} from unnest({given}) as given ({listed})"
    return statement, columns


async def repoint_rows(
    session: AsyncSession, table: type[Base], column: str, was: UUID, now: UUID, ids: Collection[UUID] | None = None
) -> list[UUID]:
    """Let a column hold another id where it holds `was`, in all rows or in those of these ids; return the ids of the rows that changed."""
    holds: Any = getattr(table, column)
    key: Any = getattr(table, "id")  # noqa: B009 - every table that is asked about has one, which `Base` does not know
    statement = update(table).where(holds == was).values({column: now}).returning(key)
    if ids is not None:
        statement = statement.where(key.in_(ids))
    await session.flush()
    changed = await session.scalars(statement.execution_options(synchronize_session=False))
    return list(changed.all())


async def rows_since(session: AsyncSession, table: type[Base], column: str, held: UUID, since: UUID) -> list[UUID]:
    """Return the ids of the rows whose column holds an id and which were made after another row: ids tell the time."""
    holds: Any = getattr(table, column)
    key: Any = getattr(table, "id")  # noqa: B009 - as above
    return list((await session.scalars(select(key).where(holds == held, key > since))).all())


_DRIVER = "driver"
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def _named(kind: Any) -> str:
    return str(kind.compile(_DIALECT)).partition(" COLLATE ")[0]


def _sent_as(kind: Any) -> str:
    """Return the type in which a column's values travel: an array of arrays does not unnest, so those go as text."""
    return "text" if isinstance(kind, ARRAY | JSON) else _named(kind)


def _column(values: Sequence[Any], kind: Any) -> Sequence[Any]:
    if isinstance(kind, ARRAY):
        return [None if value is None else _array(value) for value in values]
    if isinstance(kind, JSON):
        # The same object stands in many rows (a range beside each of its values): each is written out once.
        known: dict[int, str] = {}
        return [
            None if v is None else known.get(id(v)) or known.setdefault(id(v), json.dumps(v, ensure_ascii=False))
            for v in values
        ]
    return values


def _array(items: Collection[Any]) -> str:
    quoted = (str(item).replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


class Look:
    """A reader's single statements, past SQLAlchemy: each lends a connection for as long as it runs, and stands alone.

    What a principal may see is what the database shows, as everywhere; nothing can be written.
    """

    def __init__(self, database: Database, principal: Principal | None, now: Callable[[], datetime]) -> None:
        self._database = database
        self._principal = principal
        self._now = now

    @property
    def now(self) -> datetime:
        """The moment, by the injected clock."""
        return self._now()

    async def row(self, sql: str, *values: Any) -> Any | None:
        """Return a statement's first row; None: no row."""
        async with self._database.bare(self._principal) as connection:
            return await connection.fetchrow(sql, *values)

    async def rows(self, sql: str, *values: Any) -> Sequence[Any]:
        """Return a statement's rows."""
        async with self._database.bare(self._principal) as connection:
            found: Sequence[Any] = await connection.fetch(sql, *values)
            return found


@dataclass(frozen=True, slots=True)
class Built:
    """JSON that the database built, and the version of what it tells."""

    version: int
    content: bytes


def utf8(text: str) -> str:
    """Return the SQL of a text as bytes: what is only passed on is neither decoded nor encoded again."""
    return f"convert_to({text}, 'UTF8')"


def moment(column: str) -> str:
    """Return the SQL of a moment as the contract writes it: RFC 3339 in UTC, whatever the session's time zone is."""
    return f"""to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


async def driver(session: AsyncSession) -> Any:
    """Return the asyncpg connection of a session, inside its transaction; it stays the same until that ends."""
    of, raw = session.info.get(_DRIVER, (None, None))
    if of is not None and of is session.sync_session.get_transaction():
        return raw
    fairy = await (await session.connection()).get_raw_connection()
    adapter: Any = fairy.dbapi_connection
    if adapter._transaction is None:  # noqa: SLF001 - SQLAlchemy opens its transaction lazily, at its own first statement
        await adapter._start_transaction()  # noqa: SLF001 - does nothing in autocommit
    session.info[_DRIVER] = session.sync_session.get_transaction(), fairy.driver_connection
    return fairy.driver_connection


async def copy_rows(session: AsyncSession, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """COPY rows into a table without row security, on the session's own connection, in its transaction; JSON goes as text."""
    raw = await driver(session)
    await raw.copy_records_to_table(table, columns=list(columns), records=rows)
