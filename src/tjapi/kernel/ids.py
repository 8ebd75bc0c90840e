"""Identifiers: time-ordered UUIDs (RFC 9562, version 7), made here because PostgreSQL 17 cannot."""

import secrets
import time
from datetime import datetime
from uuid import UUID


def uuid7(moment: datetime | None = None) -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then randomness. Of what happened before it is entered, by its own moment."""
    milliseconds = time.time_ns() // 1_000_000 if moment is None else int(moment.timestamp() * 1_000)
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
