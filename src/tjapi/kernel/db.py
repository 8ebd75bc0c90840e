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
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg
from sqlalchemy import MetaData
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
        self._gates: dict[Role, asyncio.Semaphore] = {}

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
        return self._engines[role]

    def context(self, principal: Principal, pid: int, expires: int) -> str:
        """Return the signed context of a principal for one backend, good until `expires` (Unix seconds)."""
        body = f"{principal.scope_text}|{expires}|{pid}"
        return f"{body}|{hmac.digest(self._context_key, body.encode(), hashlib.sha256).hex()}"

    @asynccontextmanager
    async def session(self, role: Role, principal: Principal | None) -> AsyncIterator[AsyncSession]:
        """Lend a session that sees what the principal may see. Nothing is committed here.

        Without a principal the connection keeps whatever context it has: only for asking who somebody is, of tables without row
        security, so that a connection does not change its context twice per request.
        """
        engine = self._engine(role)
        maker = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)
        async with self._gates[role], maker() as session:
            if principal is not None:
                await self._show(session, principal)
            yield session

    async def _show(self, session: AsyncSession, principal: Principal) -> None:
        connection = await session.connection()
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        held: tuple[str, float] = (await connection.get_raw_connection()).info.get("tj", ("", 0.0))
        now = time.time()
        if held[0] == principal.scope_text and held[1] > now + _RENEW_BEFORE:
            return
        expires = int(now) + CONTEXT_SECONDS
        token = self.context(principal, raw.get_server_pid(), expires)
        # On the driver's own connection, before SQLAlchemy opens the transaction: a rollback must not take it back.
        await raw.fetchval("select set_config('tj.context', $1, false)", token)
        (await connection.get_raw_connection()).info["tj"] = (principal.scope_text, float(expires))

    async def show_for_now(self, session: AsyncSession, principal: Principal) -> None:
        """Let a session see what another principal may see, until its transaction ends: then it sees what it saw before."""
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        assert raw is not None
        token = self.context(principal, raw.get_server_pid(), int(time.time()) + CONTEXT_SECONDS)
        await fetch_value(session, "select set_config('tj.context', $1, true)", token)

    async def listener(self) -> asyncpg.Connection:
        """Open a connection of its own for LISTEN, outside the pools."""
        url = role_url(self._settings, self._keys, "reader")
        query = {key: str(value) for key, value in url.query.items()}
        host, port = query.get("host", url.host), query.get("port", url.port)
        return await asyncpg.connect(
            host=host,
            port=int(port or 5432),
            user=url.username,
            password=url.password,
            database=url.database,
            timeout=10,
        )

    async def close(self) -> None:
        """Close every pool."""
        for engine in self._engines.values():
            await engine.dispose()
        self._engines.clear()


async def fetch_value(session: AsyncSession, sql: str, *values: Any) -> Any:
    """Run one hot statement on the session's own asyncpg connection, in its transaction, and return its first value."""
    raw = await _driver(session)
    return await raw.fetchval(sql, *values)


async def fetch_rows(session: AsyncSession, sql: str, *values: Any) -> Sequence[Any]:
    """Run one hot statement on the session's own asyncpg connection, in its transaction, and return its rows."""
    raw = await _driver(session)
    return list(await raw.fetch(sql, *values))


async def _driver(session: AsyncSession) -> Any:
    fairy = await (await session.connection()).get_raw_connection()
    adapter: Any = fairy.dbapi_connection
    if adapter._transaction is None:  # noqa: SLF001 - SQLAlchemy opens its transaction lazily, at its own first statement
        await adapter._start_transaction()  # noqa: SLF001 - does nothing in autocommit
    return fairy.driver_connection


async def copy_rows(session: AsyncSession, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """COPY rows into a table without row security, on the session's own connection, in its transaction; JSON goes as text."""
    raw = await _driver(session)
    await raw.copy_records_to_table(table, columns=list(columns), records=rows)
