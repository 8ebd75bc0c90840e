"""Wakes workers through arq, and counts what all processes count together. Valkey may vanish at any moment: a poke that fails is forgotten, the worker's own poll finds the job."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.exceptions import RedisError

WAKE_QUEUE = "tj:wake"
_PAUSE_SECONDS = 1.0
_PATIENCE_SECONDS = 0.25
log = structlog.get_logger("broker")


def redis_settings(url: str) -> RedisSettings:
    """Return arq's settings of an address (`redis://`, `rediss://` or `unix://`)."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 1
    settings.conn_retries = 0
    return settings


class Broker:
    """The poke."""

    def __init__(self, url: str | None) -> None:
        self._redis: ArqRedis | None = None
        self._quiet_until = 0.0
        if url:
            self._redis = ArqRedis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
            self._redis.default_queue_name = WAKE_QUEUE

    async def poke(self, job_id: UUID) -> None:
        """Tell the workers that a job waits. Never raises, never waits long."""
        if self._redis is None or time.monotonic() < self._quiet_until:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._redis.enqueue_job("wake", str(job_id), _queue_name=WAKE_QUEUE, _expires=30)
        except (RedisError, OSError, TimeoutError) as error:
            self._quiet_until = time.monotonic() + _PAUSE_SECONDS
            log.warning("broker.unreachable", error=type(error).__name__)

    async def run(self, script: str, names: Sequence[str], values: Sequence[float | str]) -> int | None:
        """Run a script of whole numbers; None: Valkey does not answer, or cannot. Never raises, never waits long."""
        if self._redis is None or time.monotonic() < self._quiet_until:
            return None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer: Any = self._redis.eval(script, len(names), *names, *map(str, values))
                return int(await answer)
        except (RedisError, OSError, TimeoutError) as error:
            self._quiet_until = time.monotonic() + _PAUSE_SECONDS
            log.warning("broker.unreachable", error=type(error).__name__)
            return None

    async def ping(self) -> bool:
        """Say whether Valkey answers."""
        if self._redis is None:
            return False
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return bool(await self._redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.aclose()
