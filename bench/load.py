"""Load: HTTP/1.1 over sockets kept open, without a client library; calls in rounds beside their floor; medians of the rounds.

The load generator shares the machine's cores with what it measures, so it must cost little: it sends bytes that are made before, reads
to the length that the answer names, and checks the status. A library's client would take as long as the server.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from bench.house import Process

Call = Callable[[int, int], Awaitable[None]]
"""A call of client number `who`, its `n`-th of the whole path: never the same twice."""


class Connection(asyncio.Protocol):
    """One connection, one request in flight."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self._held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, error: Exception | None) -> None:
        """Fail what waits."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        """Collect an answer up to the length that it names."""
        self._held += data
        head = self._held.find(b"\r\n\r\n")
        if head < 0:
            return
        headers = bytes(self._held[:head]).lower()
        at = headers.find(b"content-length:")
        length = int(headers[at + 15 :].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self._held) >= head + 4 + length and self._answer is not None:
            answer, self._answer = self._answer, None
            answer.set_result(
                (int(self._held[9:12]), bytes(self._held[:head]), bytes(self._held[head + 4 : head + 4 + length]))
            )
            self._held.clear()

    async def send(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Send a request; return status, head and body. A connection that was idle for too long is opened anew."""
        if self._transport is None or self._transport.is_closing():
            self._held.clear()
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        answer = self._answer
        self._transport.write(request)
        return await answer

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


@contextlib.asynccontextmanager
async def connections(port: int, size: int) -> AsyncIterator[list[Connection]]:
    """Open connections to the API."""
    opened = [Connection(port) for _ in range(size)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


def request(method: str, path: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a request; `If_Match` becomes If-Match."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: bench",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
    ]
    lines += ["Content-Type: application/json"] if body and "Content_Type" not in headers else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class UnexpectedAnswerError(Exception):
    """A measured request was not answered as it should be: what was measured is not what is claimed."""


async def expect(connection: Connection, wanted: int, content: bytes) -> bytes:
    """Send a request and return the answer's body; anything but the wanted status ends the run."""
    status, _, body = await connection.send(content)
    if status != wanted:
        raise UnexpectedAnswerError(f"{status} instead of {wanted}: {content[:80]!r} → {body[:400]!r}")
    return body


@dataclass
class Measured:
    """What a path did in its rounds."""

    reached: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Median of the rounds' requests per second."""
        return statistics.median(self.reached)

    @property
    def floor(self) -> float:
        """Median of the rounds' floors per second."""
        return statistics.median(self.floors)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios."""
        return statistics.median(a / b for a, b in zip(self.reached, self.floors, strict=True))

    @property
    def cpu_us(self) -> float:
        """Median of the rounds' CPU time of the API process per request, µs."""
        return statistics.median(self.cpu)

    def latency_ms(self, share: float) -> float:
        """Return a percentile of all requests, ms."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3


class Counter:
    """Numbers that come once."""

    def __init__(self) -> None:
        self.last = -1

    def next(self) -> int:
        """Return the next number."""
        self.last += 1
        return self.last


async def for_a_while(call: Call, clients: int, seconds: float, counter: Counter) -> list[float]:
    """Run a call from several clients; return each one's seconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def client(who: int) -> None:
        while (began := time.perf_counter()) < until:
            await call(who, counter.next())
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for who in range(clients):
            group.create_task(client(who))
    spent = time.perf_counter() - began
    return [len(took) / spent, *took]


async def measure(
    whole: Call, floor: Call, *, clients: int, floor_clients: int, rounds: int, seconds: float, api: Process, warm: float = 0.5
) -> Measured:  # fmt: skip
    """Measure a path and its floor by turns, after a little of each that does not count."""
    found, ours, theirs = Measured(), Counter(), Counter()
    await for_a_while(whole, clients, warm, ours)
    await for_a_while(floor, floor_clients, warm, theirs)
    for _ in range(rounds):
        before = api.cpu_seconds
        rate, *took = await for_a_while(whole, clients, seconds, ours)
        found.cpu.append((api.cpu_seconds - before) / len(took) * 1e6)
        found.reached.append(rate)
        found.took += took
        found.floors.append((await for_a_while(floor, floor_clients, seconds, theirs))[0])
    return found
