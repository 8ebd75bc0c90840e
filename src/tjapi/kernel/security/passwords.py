"""Passwords and client secrets: Argon2id in a thread (it takes 0.3 s of CPU), a policy, and equal time for unknown users."""

import asyncio

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_HASHER = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=32_768, parallelism=1),))
_NOBODY = _HASHER.hash("equal time for a user who does not exist")
_CLASSES = 3


async def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Say whether the password is right; takes as long when there is no such user."""
    right: bool = await asyncio.to_thread(_HASHER.verify, password, stored or _NOBODY)
    return right and stored is not None


def weakness(password: str, username: str, minimum: int) -> str | None:
    """Return why a password is refused, as a code, or None. Policy: 等保 2.0 (GB/T 22239-2019) 8.1.4.1."""
    if len(password) < minimum:
        return "too_short"
    if username.lower() in password.lower():
        return "contains_username"
    kinds = [str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()]
    if sum(any(kind(c) for c in password) for kind in kinds) < _CLASSES:
        return "too_few_kinds_of_characters"
    return None
