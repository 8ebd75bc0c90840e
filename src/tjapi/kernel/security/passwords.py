"""Passwords and client secrets: Argon2id in threads of its own (it takes 0.1 s of CPU), a policy, and equal time for unknown users.

Whoever is hashed for holds no connection and no transaction: what a stranger can ask for may cost nobody else a place.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from tjapi.kernel.limits import slow_down

_HASHER = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=32_768, parallelism=1),))
_NOBODY = _HASHER.hash("equal time for a user who does not exist")
_CLASSES = 3
_SECONDS_EACH = 0.15
_NICE = 5


class Hasher:
    """Hashes, `slots` at a time; `queue` more may wait, and whoever comes beyond is told when to come back."""

    def __init__(self, slots: int, queue: int) -> None:
        self._slots = slots
        self._places = slots + queue
        self._taken = 0
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="hash", initializer=_give_way)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the queue, so that what is counted or read before hashing is not in vain. Raises TooManyRequests."""
        if self._taken >= self._places:
            raise slow_down(self._taken * _SECONDS_EACH / self._slots)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def hash(self, password: str) -> str:
        """Return the Argon2id hash of a password; within a place."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _HASHER.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Say whether the password is right; takes as long when there is no such user; within a place."""
        right: bool = await asyncio.get_running_loop().run_in_executor(
            self._pool, _HASHER.verify, password, stored or _NOBODY
        )
        return right and stored is not None

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _give_way() -> None:
    """Let this thread yield to those that serve requests; only Linux knows priorities of threads."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


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
