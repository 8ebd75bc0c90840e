"""The one way adapters speak HTTP: a whole-call deadline, a size cap, no redirects, no proxies from the environment."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import httpx

DEADLINE_SECONDS = 10.0
MAX_RESPONSE_BYTES = 8 * 1024 * 1024


class ResponseTooLarge(httpx.RequestError):
    """The answer is longer than the cap; it was dropped unread."""


class _CappedStream(httpx.AsyncByteStream):
    """An answer's body that stops at a size and at a moment."""

    def __init__(self, inner: httpx.AsyncByteStream, request: httpx.Request, cap: int, until: float) -> None:
        self._inner = inner
        self._request = request
        self._cap = cap
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        chunks = self._inner.__aiter__()
        while True:
            try:
                async with asyncio.timeout_at(self._until):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise httpx.ReadTimeout("deadline passed while reading the answer", request=self._request) from None
            if chunk is None:
                return
            received += len(chunk)
            if received > self._cap:
                raise ResponseTooLarge(f"answer exceeds {self._cap} bytes", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _GuardedTransport(httpx.AsyncBaseTransport):
    """httpx's timeouts are per read, so a neighbour that drips bytes holds a caller for ever: one deadline covers all."""

    def __init__(self, inner: httpx.AsyncBaseTransport, host: str, deadline: float, cap: int) -> None:
        self._inner = inner
        self._host = host
        self._deadline = deadline
        self._cap = cap

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != self._host:
            raise httpx.UnsupportedProtocol(f"this client speaks to {self._host} only", request=request)
        until = asyncio.get_running_loop().time() + self._deadline
        try:
            async with asyncio.timeout_at(until):
                response = await self._inner.handle_async_request(request)
        except TimeoutError:
            raise httpx.ReadTimeout("deadline passed before the answer began", request=request) from None
        stream = cast("httpx.AsyncByteStream", response.stream)
        response.stream = _CappedStream(stream, request, self._cap, until)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def client(
    base_url: str, *, deadline: float = DEADLINE_SECONDS, max_response_bytes: int = MAX_RESPONSE_BYTES
) -> httpx.AsyncClient:
    """Make a client for one neighbour.

    `deadline` is seconds for a whole call, connecting and reading the body included. Only `base_url`'s host is ever
    contacted. Compression is not offered, so the cap counts what memory will hold. Failures are httpx's own errors;
    the vendor file turns them into `adapters.errors`, because only it knows which calls are safe to repeat.
    """
    host = httpx.URL(base_url).host
    inner = httpx.AsyncHTTPTransport(retries=0, trust_env=False)
    return httpx.AsyncClient(
        base_url=base_url,
        transport=_GuardedTransport(inner, host, deadline, max_response_bytes),
        timeout=deadline,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )
