"""Identifiers: time-ordered UUIDs (RFC 9562, version 7), made here because PostgreSQL 17 cannot."""

import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID


def uuid7(moment: datetime | None = None) -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then randomness. Of what happened before it is entered, by its own moment."""
    milliseconds = time.time_ns() // 1_000_000 if moment is None else int(moment.timestamp() * 1_000)
    return _made(milliseconds, secrets.randbits(80))


def uuid7s(most: int) -> Iterator[UUID]:
    """Yield so many new UUIDv7 of this moment: the system is asked for randomness once."""
    drawn, milliseconds = secrets.token_bytes(10 * most), time.time_ns() // 1_000_000
    for n in range(0, 10 * most, 10):
        yield _made(milliseconds, int.from_bytes(drawn[n : n + 10]))


def _made(milliseconds: int, random: int) -> UUID:
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
