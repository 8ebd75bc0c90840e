"""How often something may be done, counted over all processes in Valkey by scripts that decide and count in one step.

Two ways to count. A `Rate` lets so many pass at once and as many again in its time (GCRA: one number a key, no window to begin anew at).
A guess at a secret is counted before it is looked at, so that a hundred at once are a hundred, and each wrong one may be followed by a
pause. Keys are keyed digests: Valkey never holds a name. It may vanish at any moment: then each process counts for itself, half as much
is let through, and health says so.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from tjapi.kernel.broker import Broker
from tjapi.kernel.problem import Problem, TooManyRequests

_REMEMBERED_MS = 24 * 3600 * 1000
_MOST_LOCAL = 20_000

_LET = """
local now, interval, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + interval
local wait = due - now - interval * most
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.ceil(due - now) + 1)
return 0
"""
_GUESS = """
local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'n', 'until')
local n, pause = tonumber(held[1] or '0'), tonumber(held[2] or '0') - now
if pause > 0 then return math.ceil(pause) end
n = n + 1
redis.call('HSET', KEYS[1], 'n', n, 'until', string.format('%.0f', now + tonumber(ARGV[2 + math.min(n, #ARGV - 2)])))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0
"""
_FORGIVE = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'n', -1)
  redis.call('HSET', KEYS[1], 'until', '0')
end
return 0
"""
_FORGET = "redis.call('DEL', unpack(KEYS)) return 0"


@dataclass(frozen=True, slots=True)
class Rate:
    """`most` at once, and as many again every `seconds`."""

    name: str
    most: int
    seconds: float


def slow_down(seconds: float, kind: type[Problem] = TooManyRequests) -> Problem:
    """Return the refusal that says after how many seconds to come back, in `Retry-After` (RFC 9110, 10.2.3)."""
    refusal = kind()
    refusal.extra_headers["Retry-After"] = str(max(1, ceil(seconds)))
    return refusal


class Limits:
    """Counts. `factor` widens every rate; `scope` keeps installations apart that share a Valkey."""

    def __init__(
        self, broker: Broker, key: bytes, scope: str, now: Callable[[], datetime], *, factor: float = 1.0
    ) -> None:
        self._broker = broker
        self._key = key
        self._scope = scope
        self._now = now
        self._factor = factor
        self._local = LocalCounts()

    async def shared(self) -> bool:
        """Say whether all processes count together at the moment."""
        return await self._ask("return 0", []) is not None

    async def take(self, rate: Rate, who: str) -> None:
        """Let one pass. Raises TooManyRequests, which says when the next one may come."""
        wait = await self.wait(rate, who)
        if wait:
            raise slow_down(wait)

    async def wait(self, rate: Rate, who: str) -> float:
        """Let one pass and return 0, or return for how many seconds none may."""
        most = max(1, int(rate.most * self._factor))
        interval, now = rate.seconds * 1000 / most, self._millis()
        name = self._name(f"rate|{rate.name}|{who}")
        told = await self._ask(_LET, [name], now, interval, most)
        return (self._local.let(name, now, interval, max(1, most // 2)) if told is None else told) / 1000

    @asynccontextmanager
    async def guess(
        self, who: str, pauses: Sequence[float], *, wrong: type[Problem], paused: type[Problem]
    ) -> AsyncIterator[None]:
        """Count a guess, and look at it within. `wrong` says that it was; what ends well forgets every guess; any other failure is no guess.

        `pauses[n]` is for how many seconds nobody may guess after the (n+1)-th guess in a row, the last one for all that follow.
        Raises `paused` with Retry-After while nobody may.
        """
        name, now = self._name(f"guess|{who}"), self._millis()
        millis = [round(pause * 1000) for pause in pauses]
        wait = await self._ask(_GUESS, [name], now, _REMEMBERED_MS, *millis)
        if wait is None:
            wait = self._local.guess(name, now, millis)
        if wait:
            raise slow_down(wait / 1000, paused)
        try:
            yield
        except wrong:
            raise
        except Exception:
            await self._ask(_FORGIVE, [name])
            self._local.forgive(name)
            raise
        await self.forget([f"guess|{who}"])

    async def forget(self, counts: Sequence[str]) -> None:
        """Forget counts: `guess|who`, `rate|name|who`."""
        names = [self._name(count) for count in counts]
        await self._ask(_FORGET, names)
        for name in names:
            self._local.forget(name)

    async def _ask(self, script: str, names: Sequence[str], *values: float) -> int | None:
        return await self._broker.run(script, names, values)

    def _millis(self) -> int:
        return int(self._now().timestamp() * 1000)

    def _name(self, what: str) -> str:
        return "tj:limit:" + hmac.digest(self._key, f"{self._scope}|{what}".encode(), hashlib.sha256).hex()[:40]


class LocalCounts:
    """The same two counts in one process, for when Valkey is away. What is due first is forgotten first where there are too many."""

    def __init__(self, most: int = _MOST_LOCAL) -> None:
        self._most = most
        self._due: dict[str, float] = {}
        self._guesses: dict[str, tuple[int, float]] = {}

    def let(self, name: str, now: float, interval: float, most: int) -> int:
        """Let one pass and return 0, or return for how many milliseconds none may."""
        due = max(self._due.get(name, 0.0), now) + interval
        wait = due - now - interval * most
        if wait > 0:
            return ceil(wait)
        self._due[name] = due
        if len(self._due) > self._most:
            self._due = {name: at for name, at in self._due.items() if at > now}
            for first in sorted(self._due, key=self._due.__getitem__)[: max(0, len(self._due) - self._most)]:
                del self._due[first]
        return 0

    def guess(self, name: str, now: float, pauses: Sequence[int]) -> int:
        """Count a guess and return 0, or return for how many milliseconds nobody may guess."""
        n, until = self._guesses.get(name, (0, 0.0))
        if until > now:
            return ceil(until - now)
        self._guesses[name] = n + 1, now + pauses[min(n, len(pauses) - 1)]
        if len(self._guesses) > self._most:
            del self._guesses[next(iter(self._guesses))]
        return 0

    def forgive(self, name: str) -> None:
        """Take the last guess back."""
        if name in self._guesses:
            self._guesses[name] = self._guesses[name][0] - 1, 0.0

    def forget(self, name: str) -> None:
        """Forget a count."""
        self._due.pop(name, None)
        self._guesses.pop(name, None)
