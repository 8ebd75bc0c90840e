"""`GET /health` for the supervisor: whether the journal works and what waits in it. Small enough to need no framework."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
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
    kind = "application/json"
    if request.startswith((b"GET /metrics ", b"GET /metrics?")):
        kind, body, status = "text/plain; version=0.0.4", _exposition(content), "200 OK"
    elif request.startswith((b"GET /health ", b"GET /health?")):
        body = json.dumps(content).encode()
    else:
        status, body = "404 Not Found", json.dumps({"status": "there are GET /health and GET /metrics"}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


METRICS = {
    "pending": ("tjapi_gateway_pending_messages", "Messages in the journal that the API has not taken yet"),
    "oldest_seconds": ("tjapi_gateway_oldest_pending_seconds", "Age of the oldest of them"),
    "refused": ("tjapi_gateway_refused_messages", "Messages that the API refused for good; they stay in the journal"),
}
JOURNAL_OK = ("tjapi_gateway_journal_ok", "1: the journal can be read")


def _exposition(content: Mapping[str, object]) -> bytes:
    """Return what is reported in the Prometheus text format; without a journal its own gauge alone, so that nothing reads as zero."""
    told = [(*METRICS[name], content[name]) for name in METRICS if name in content]
    told.append((*JOURNAL_OK, int(content["status"] == "ok")))
    return "".join(
        f"# HELP {name} {text}\n# TYPE {name} gauge\n{name} {value}\n" for name, text, value in told
    ).encode()
