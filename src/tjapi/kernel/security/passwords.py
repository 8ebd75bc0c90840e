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


_WORDS = [
    "admin",
    "administrator",
    "root",
    "user",
    "guest",
    "test",
    "demo",
    "password",
    "passwd",
    "pass",
    "welcome",
    "hello",
    "login",
    "secret",
    "letmein",
    "changeme",
    "default",
    "master",
    "system",
    "server",
    "super",
    "doctor",
    "nurse",
    "hospital",
    "clinic",
    "health",
    "medical",
    "patient",
    "lab",
    "report",
    "exam",
    "china",
    "beijing",
    "shanghai",
    "guangzhou",
    "guangxi",
    "nanning",
    "zhongguo",
    "yiyuan",
    "yisheng",
    "hushi",
    "tijian",
    "tijianke",
    "zhongyi",
    "zhongyiyuan",
    "jiankang",
    "huanying",
    "mima",
    "denglu",
    "guanli",
    "guanliyuan",
    "woaini",
    "woaizhongguo",
    "iloveyou",
    "sunshine",
    "dragon",
    "monkey",
    "football",
    "qwerty",
    "qwertyuiop",
    "asdfgh",
    "asdfghjkl",
    "zxcvbn",
    "zxcvbnm",
    "qazwsx",
    "qazwsxedc",
    "abc",
    "abcd",
    "abcdef",
    "abcdefg",
    "aaa",
    "aaaa",
    "xxx",
    "p",
    "ab",
    "aa",
    "a",
]
_TAILS = [
    "",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "0",
    "00",
    "000",
    "01",
    "11",
    "111",
    "1111",
    "111111",
    "123123",
    "321",
    "654321",
    "520",
    "521",
    "1314",
    "5201314",
    "666",
    "6666",
    "666666",
    "88",
    "888",
    "8888",
    "888888",
    "999",
    "99",
    "9999",
    "2020",
    "2021",
    "2022",
    "2023",
    "2024",
    "2025",
    "2026",
    "2027",
    "2028",
    "2029",
    "2030",
]
_COMMON = frozenset(word + tail for word in _WORDS for tail in _TAILS) | frozenset(_TAILS)
_PLAIN = str.maketrans("@$!3|", "asiel")


def is_common(password: str) -> bool:
    """Say whether a password is one of the patterns that people take: a common word or walk over the keys, and a common number, whatever stands between them."""
    letters = "".join(c for c in password.lower() if c.isalnum())
    plain = "".join(c for c in password.lower().translate(_PLAIN) if c.isalnum())
    word = plain.rstrip("0123456789")
    led = word.replace("0", "o").replace("1", "l") + plain[len(word) :]
    return bool({letters, plain, led} & _COMMON) or len(set(letters)) <= 2  # noqa: PLR2004 - one character, or two in turn


def weakness(password: str, username: str, minimum: int) -> str | None:
    """Return why a password is refused, as a code, or None. Policy: 等保 2.0 (GB/T 22239-2019) 8.1.4.1."""
    if len(password) < minimum:
        return "too_short"
    if username.lower() in password.lower():
        return "contains_username"
    if is_common(password):
        return "too_common"
    kinds = [str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()]
    if sum(any(kind(c) for c in password) for kind in kinds) < _CLASSES:
        return "too_few_kinds_of_characters"
    return None
