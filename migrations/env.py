"""Alembic's environment: migrations run as the owner role, in one transaction each, with short lock waits."""

import asyncio
import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from tjapi import tables

config = context.config


def _target() -> Any:
    return tables.METADATA


def _run(connection: Connection) -> None:
    prefix = config.attributes.get("role_prefix", "tj")
    connection.execute(text(f"set role {prefix}_owner"))
    connection.execute(text("set lock_timeout = '2s'"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=_target(), compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def _online() -> None:
    url = make_url(config.attributes.get("database_url") or os.environ["TJ_DATABASE_URL"]).set(
        drivername="postgresql+asyncpg"
    )
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_online())
