"""Pure ASGI layers around every request: id, size, time, log line, metrics, and an answer when something of ours breaks."""

import asyncio
import re
import time
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tjapi.kernel import problem
from tjapi.kernel.ids import uuid7
from tjapi.kernel.limits import Limits, Rate, slow_down
from tjapi.kernel.metrics import REQUESTS, SECONDS

log = structlog.get_logger("http")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]

_PUBLIC = ("/static/",)
"""Scripts and styles of the reference pages, the same for everybody."""
_NO_STORE = (b"cache-control", b"no-store")


class _TooLargeError(HTTPException):
    """An HTTPException, because FastAPI turns any other exception while a body is read into a 400."""

    def __init__(self) -> None:
        super().__init__(413)


class Perimeter:
    """The outermost layer. `stream_suffixes` are paths that may last longer than a request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        json_limit: int,
        raw_limit: int,
        seconds: float,
        stream_suffixes: tuple[str, ...],
        trusted_proxies: str = "",
        hsts_seconds: int = 0,
    ) -> None:
        strict = [(b"strict-transport-security", f"max-age={hsts_seconds}".encode())] if hsts_seconds else []
        self._safe = [*_SAFE, *strict]
        self._proxies = tuple(ip_network(network) for network in trusted_proxies.split(",") if network)
        self._app = app
        self._json_limit = json_limit
        self._raw_limit = raw_limit
        self._seconds = seconds
        self._streams = stream_suffixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else uuid7().hex
        scope["tj.request_id"] = request_id
        scope["tj.source"] = self._source(scope, headers)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = {name.lower() for name, _ in message["headers"]}
                # What nobody said may be kept is kept by nobody: answers hold names, numbers and results.
                kept = [] if b"cache-control" in said or scope["path"].startswith(_PUBLIC) else [_NO_STORE]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *self._safe, *kept]
            await send(message)

        try:
            await self._serve(scope, self._measured(headers, receive), answer, lambda: status)
        finally:
            structlog.contextvars.clear_contextvars()
            route = _template(scope)
            seconds = time.perf_counter() - began
            REQUESTS.labels(scope["method"], route, status).inc()
            SECONDS.labels(route).observe(seconds)
            principal = scope.get("state", {}).get("principal")
            log.info(
                "request", request_id=request_id, method=scope["method"], route=route, status=status, seconds=round(seconds, 4),
                principal_kind=principal.kind if principal else None, principal_id=str(principal.id) if principal else None,
            )  # fmt: skip

    def _source(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Return from which address a request comes: the last one that no proxy of ours has; of anybody else's headers nothing is believed."""
        peer = _address((scope.get("client") or ("",))[0])
        if peer is None or not self._is_ours(peer):
            return str(peer or "")
        for hop in reversed(headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")):
            told = _address(hop.strip())
            if told is None:
                break
            peer = told
            if not self._is_ours(told):
                break
        return str(peer)

    def _is_ours(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._proxies)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, status: Any) -> None:
        request = Request(scope)
        try:
            if scope["path"].endswith(self._streams):
                await self._app(scope, receive, send)
            else:
                async with asyncio.timeout(self._seconds):
                    await self._app(scope, receive, send)
        except _TooLargeError:
            await self._say(request, problem.BodyTooLarge(), receive, send, status)
        except TimeoutError:
            log.warning("request.timeout")
            await self._say(request, problem.Unavailable(), receive, send, status)
        except Exception as error:
            log.exception("request.failed", exc_info=error)
            await self._say(request, problem.InternalError(), receive, send, status)

    async def _say(self, request: Request, what: problem.Problem, receive: Receive, send: Send, status: Any) -> None:
        if not status():
            await problem.response(request, what)(request.scope, receive, send)

    def _measured(self, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        is_json = headers.get(b"content-type", b"application/json").split(b";")[0].strip().endswith(b"json")
        limit = self._json_limit if is_json else self._raw_limit
        declared = headers.get(b"content-length", b"0")
        taken = int(declared) if declared.isdigit() else 0
        refuse_at_once = taken > limit
        total = 0

        async def measured() -> Message:
            nonlocal total
            if refuse_at_once:
                raise _TooLargeError
            message = await receive()
            if message["type"] == "http.request":
                total += len(message.get("body", b""))
                if total > limit:
                    raise _TooLargeError
            return message

        return measured


class Metered:
    """Before the pages that links open: counts by the address they are asked from. `rates` by how a path begins."""

    def __init__(self, app: ASGIApp, limits: Limits, rates: Mapping[str, Rate]) -> None:
        self._app = app
        self._limits = limits
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or say when to come back."""
        for begins, rate in self._rates.items():
            if scope["type"] == "http" and scope["path"].startswith(begins):
                wait = await self._limits.wait(rate, scope.get("tj.source", ""))
                if wait:
                    await problem.response(Request(scope), slow_down(wait))(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _template(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path_format", None) or getattr(route, "path", None) or "unmatched"
