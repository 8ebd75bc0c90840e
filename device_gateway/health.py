"""`GET /health` for the supervisor: whether the journal works and what waits in it. Small enough to need no framework."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from device_gateway.journal import Journal

_REQUEST_SECONDS = 5.0
_MAX_REQUEST = 8192


async def serve_health(
    journal: Journal, host: str, port: int, channels: Callable[[], dict[str, int]]
) -> asyncio.Server:
    """Listen for probes. 200 with the backlog; 503 when the journal cannot be read. Raises `OSError`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(await _response(request, _report(journal, channels)))
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, host, port, limit=_MAX_REQUEST)


async def _report(journal: Journal, channels: Callable[[], dict[str, int]]) -> tuple[str, dict[str, object]]:
    try:
        backlog = await journal.backlog()
    except (sqlite3.Error, OSError) as error:
        return "503 Service Unavailable", {"status": "journal_failed", "error": type(error).__name__}
    return "200 OK", {"status": "ok", "channels": channels(), **asdict(backlog)}


async def _response(request: bytes, report: Awaitable[tuple[str, dict[str, object]]]) -> bytes:
    status, content = await report
    if not request.startswith((b"GET /health ", b"GET /health?")):
        status, content = "404 Not Found", {"status": "there is only GET /health"}
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
