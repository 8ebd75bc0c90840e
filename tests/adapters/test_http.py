"""The HTTP client against a server that drips, floods and redirects."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters import http


@contextlib.asynccontextmanager
async def server(head: bytes, body: bytes, *, drip: float = 0) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            for start in range(0, len(body), 1000):
                writer.write(body[start : start + 1000])
                await writer.drain()
                await asyncio.sleep(drip)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def test_an_answer_is_read_within_its_limits_and_not_beyond() -> None:
    async with server(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 5000) as url:
        async with http.client(url, max_response_bytes=5000) as client:
            assert len((await client.get("/")).content) == 5000
        async with http.client(url, max_response_bytes=4999) as client:
            with pytest.raises(http.ResponseTooLarge):
                await client.get("/")


async def test_a_dripping_answer_meets_the_deadline_of_the_whole_call() -> None:
    async with (
        server(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 9000, drip=0.05) as url,
        http.client(url, deadline=0.15) as client,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/")


async def test_redirects_are_not_followed_and_other_hosts_not_asked() -> None:
    async with (
        server(b"HTTP/1.1 302 Found\r\nLocation: http://example.invalid/\r\nConnection: close\r\n\r\n", b"") as url,
        http.client(url) as client,
    ):
        assert (await client.get("/")).status_code == 302
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("http://localhost:1/")
