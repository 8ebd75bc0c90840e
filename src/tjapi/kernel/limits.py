"""How often something may be done, counted over all processes in Valkey by scripts that decide and count in one step.

Two ways to count. A `Rate` lets so many pass at once and as many again in its time (GCRA: one number a key, no window to begin anew at).
Of guesses at a secret no more are looked at together than may be wrong without a pause, so that a hundred at once are a hundred, and as many
right ones all come in; each wrong one may be followed by a pause. Keys are keyed digests: Valkey never holds a name. It may vanish at any moment: then each process counts for itself, half as much
is let through, and health says so.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from tjapi.kernel.broker import Broker
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import Problem, TooManyRequests

_REMEMBERED_MS = 24 * 3600 * 1000
_MOST_LOCAL = 20_000
_OPEN_MS = 30_000
_PATIENCE_SECONDS = 0.05
_TRIES = 200
_BUSY_MS = 1_000

# What is due later than this rate can make it was written by a clock that is ahead: one passes, and counts by ours.
_LET = """
local now, interval, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = tonumber(redis.call('GET', KEYS[1]) or '0')
if due > now + interval * most + 1 then due = now + interval * (most - 1) end
due = math.max(due, now) + interval
local wait = due - now - interval * most
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.ceil(due - now) + 1)
return 0
"""
# A guess is let in while those that are looked at could all be wrong without a pause being due: -1, wait for them.
_GUESS = """
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'n', 'until')
local pause = tonumber(held[2] or '0') - now
if pause > 0 then return math.ceil(pause) end
local open = tonumber(redis.call('GET', KEYS[2]) or '0')
if open > 0 and tonumber(held[1] or '0') + open >= most then return -1 end
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 0
"""
_SETTLE = """
if tonumber(redis.call('GET', KEYS[2]) or '0') > 0 then redis.call('DECR', KEYS[2]) end
if ARGV[1] == 'right' then redis.call('DEL', KEYS[1]) end
if ARGV[1] == 'wrong' then
  local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[3 + math.min(n, #ARGV - 3)])))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 0
"""


_ENTER = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 1 end
redis.call('ZADD', KEYS[1], string.format('%.0f', ARGV[1] + ARGV[3]), ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0
"""
_STAY = """
if ARGV[4] == '0' then redis.call('ZREM', KEYS[1], ARGV[3]) return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', ARGV[1] + ARGV[2]), ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0
"""


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
        self,
        who: str,
        pauses: Sequence[float],
        *,
        wrong: type[Problem] | tuple[type[Problem], ...],
        paused: type[Problem],
    ) -> AsyncIterator[None]:
        """Look at a guess within, once it may be. `wrong` says that it was; what ends well forgets every guess; any other failure is no guess.

        `pauses[n]` is for how many seconds nobody may guess after the (n+1)-th guess in a row, the last one for all that follow.
        Raises `paused` with Retry-After while nobody may.
        """
        name = self._name(f"guess|{who}")
        millis = [round(pause * 1000) for pause in pauses]
        wait = await self._admitted(name, millis)
        if wait:
            raise slow_down(wait / 1000, paused)
        outcome = "none"
        try:
            yield
            outcome = "right"
        except wrong:
            outcome = "wrong"
            raise
        finally:
            now = self._millis()
            if await self._ask(_SETTLE, [name, f"{name}:open"], outcome, now, _REMEMBERED_MS, *millis) is None:
                self._local.settle(name, now, outcome, millis)

    async def enter(self, who: str, most: int, seconds: float) -> Callable[[bool], Awaitable[None]]:
        """Take one of `most` places that a caller has at a time, for so many seconds. Raises TooManyRequests.

        Returns what renews the place (True), or gives it back (False).
        """
        name, ticket = self._name(f"place|{who}"), uuid7().hex
        most, millis = max(1, int(most * self._factor)), round(seconds * 1000)
        told = await self._ask(_ENTER, [name], self._millis(), most, millis, ticket)
        if (self._local.enter(name, ticket, self._millis(), max(1, most // 2), millis) if told is None else told) != 0:
            raise slow_down(seconds)

        async def go_on(stays: bool) -> None:
            if await self._ask(_STAY, [name], self._millis(), millis, ticket, int(stays)) is None:
                self._local.stay(name, ticket, self._millis(), millis if stays else 0)

        return go_on

    async def _admitted(self, name: str, millis: Sequence[int]) -> int:
        """Return 0 once a guess may be looked at, or for how many milliseconds nobody may."""
        most = 1 + sum(pause == 0 for pause in millis)
        for _ in range(_TRIES):
            wait = await self._ask(_GUESS, [name, f"{name}:open"], self._millis(), most, _OPEN_MS)
            if wait is None:
                wait = self._local.guess(name, self._millis(), most)
            if wait >= 0:
                return wait
            await asyncio.sleep(_PATIENCE_SECONDS)
        return _BUSY_MS

    async def _ask(self, script: str, names: Sequence[str], *values: float | str) -> int | None:
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
        self._open: dict[str, int] = {}
        self._places: dict[str, dict[str, float]] = {}

    def let(self, name: str, now: float, interval: float, most: int) -> int:
        """Let one pass and return 0, or return for how many milliseconds none may."""
        held = self._due.get(name, 0.0)
        held = now + interval * (most - 1) if held > now + interval * most + 1 else held
        due = max(held, now) + interval
        wait = due - now - interval * most
        if wait > 0:
            return ceil(wait)
        self._due[name] = due
        if len(self._due) > self._most:
            self._due = {name: at for name, at in self._due.items() if at > now}
            for first in sorted(self._due, key=self._due.__getitem__)[: max(0, len(self._due) - self._most)]:
                del self._due[first]
        return 0

    def guess(self, name: str, now: float, most: int) -> int:
        """Let a guess in and return 0; -1: wait for those that are looked at; else for how many milliseconds nobody may guess."""
        n, until = self._guesses.get(name, (0, 0.0))
        if until > now:
            return ceil(until - now)
        looked_at = self._open.get(name, 0)
        if looked_at and n + looked_at >= most:
            return -1
        self._open[name] = looked_at + 1
        return 0

    def enter(self, name: str, ticket: str, now: float, most: int, millis: float) -> int:
        """Take a place and return 0; 1: there is none."""
        held = {one: until for one, until in self._places.get(name, {}).items() if until > now}
        if len(held) >= most:
            return 1
        self._places[name] = held | {ticket: now + millis}
        return 0

    def stay(self, name: str, ticket: str, now: float, millis: float) -> None:
        """Renew a place, or give it back."""
        held = self._places.setdefault(name, {})
        held[ticket] = now + millis
        if not millis:
            del held[ticket]
            if not held:
                del self._places[name]

    def settle(self, name: str, now: float, outcome: str, pauses: Sequence[int]) -> None:
        """Remember what a guess was: `right`, `wrong`, or none at all."""
        self._open[name] = self._open.get(name, 1) - 1
        if self._open[name] <= 0:
            del self._open[name]
        if outcome == "right":
            self._guesses.pop(name, None)
        elif outcome == "wrong":
            n = self._guesses.pop(name, (0, 0.0))[0] + 1
            self._guesses[name] = n, now + pauses[min(n, len(pauses)) - 1]
            if len(self._guesses) > self._most:
                del self._guesses[next(iter(self._guesses))]
