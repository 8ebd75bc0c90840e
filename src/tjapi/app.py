"""The ASGI application: the contract, its problems, its documentation pages, and health."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from tjapi import handbook, wiring
from tjapi.api import v1
from tjapi.kernel import docs, heap, logs, metrics, problem
from tjapi.kernel.contract import build_contract
from tjapi.kernel.db import DATABASE_TROUBLE, is_passing
from tjapi.kernel.idempotency import Replay
from tjapi.kernel.jobs import health
from tjapi.kernel.limits import Rate
from tjapi.kernel.middleware import Metered, Perimeter
from tjapi.kernel.routing import MalformedBody, StepUpRequired, Switchboard, assert_every_operation_is_guarded
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import seal_expires
from tjapi.kernel.security.principal import ANONYMOUS, SYSTEM
from tjapi.kernel.settings import Settings
from tjapi.kernel.validation import field_errors, not_json
from tjapi.operations import views
from tjapi.operations.live import live_event_schemas
from tjapi.operations.rules import DICTIONARIES
from tjapi.report.endpoints import mount_pages

Network = IPv4Network | IPv6Network
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
STREAMS = ("/live-events",)
PAGE_RATES = {path: Rate(path, 120, 60) for path in ("/r/", "/verify/")}
"""How often an address may open what links lead to."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept. Longer than a reverse proxy keeps its own (nginx: 60): whoever closes last meets no request half way."""
_HTTP_PROBLEMS: dict[int, type[problem.Problem]] = {
    401: problem.Unauthenticated, 404: problem.NoSuchPath, 405: problem.MethodNotAllowed, 413: problem.BodyTooLarge,
    400: MalformedBody, 415: problem.UnsupportedMediaType,
}  # fmt: skip


class AlreadyThere(problem.Conflict):
    """Somebody else created the same thing in the same moment."""

    zh, en = "数据已存在或刚被他人修改", "It exists already, or was changed by somebody else in the same moment"


def create(runtime: Runtime) -> FastAPI:
    """Build the application around a runtime."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        runtime.live.start()
        yield
        await runtime.live.stop()
        await wiring.close(runtime)

    app = FastAPI(
        title="tjapi", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its log records would hold personal data
    )  # fmt: skip
    app.state.runtime = runtime
    assert_every_operation_is_guarded(v1.operations())
    mount_pages(app)  # before the operations: whatever follows them is held against every one of them first
    app.include_router(v1.v1())
    app.router.middleware_stack = Switchboard(
        v1.PREFIX, v1.operations(), Metered(app.router.app, runtime.limits, PAGE_RATES)
    )
    anew = {name: [StepUpRequired] for name in {*runtime.step_up, *runtime.in_bulk}}
    app.openapi = lambda: build_contract(app, [AlreadyThere], anew, DICTIONARIES, live_event_schemas())  # type: ignore[method-assign]
    _health(app, runtime)
    docs.mount(app, reference=runtime.settings.serves_docs)
    if runtime.settings.serves_docs:
        handbook.mount(app)
    _handlers(app)
    settings = runtime.settings
    app.add_middleware(
        Perimeter,
        json_limit=settings.body_limit,
        raw_limit=settings.upload_limit,
        seconds=settings.request_seconds,
        stream_suffixes=STREAMS,
        trusted_proxies=settings.trusted_proxies,
        hsts_seconds=settings.hsts_seconds if settings.base_url.startswith("https://") else 0,
    )
    return app


def _handlers(app: FastAPI) -> None:
    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, problem.Problem)
        return problem.response(request, error)

    async def on_replay(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Replay)
        return error.response

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem.response(request, _refusal(request, error))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        answer = _HTTP_PROBLEMS.get(error.status_code, problem.InternalError)()
        if isinstance(answer, problem.MethodNotAllowed):
            answer.extra_headers["Allow"] = ", ".join(_allowed(app, request))
        return problem.response(request, answer)

    async def on_database(request: Request, error: Exception) -> Response:
        if isinstance(error, IntegrityError) and getattr(error.orig, "sqlstate", "") == "23505":
            return problem.response(request, AlreadyThere())
        if is_passing(error):
            return problem.response(request, problem.Unavailable())
        raise error

    async def on_lost_connection(request: Request, _error: Exception) -> Response:
        return problem.response(request, problem.Unavailable())

    async def on_depth(request: Request, _error: Exception) -> Response:
        return problem.response(request, MalformedBody())

    app.add_exception_handler(problem.Problem, on_problem)
    app.add_exception_handler(Replay, on_replay)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(DBAPIError, on_database)
    for passing in (ConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        app.add_exception_handler(passing, on_lost_connection)
    app.add_exception_handler(asyncpg.PostgresError, on_database)  # a hot statement's, past SQLAlchemy
    app.add_exception_handler(RecursionError, on_depth)


def _refusal(request: Request, error: RequestValidationError) -> problem.Problem:
    if not_json(request, error):
        return problem.UnsupportedMediaType()
    if any(e["type"] == "json_invalid" for e in error.errors()):
        return MalformedBody(errors=field_errors(error))
    return problem.Invalid(errors=field_errors(error))


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """Return the methods of an address: of all its routes, where the framework names those of the first alone."""
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in app.router.routes)
    ]


def may_read_metrics(request: Request, readers: Collection[Network], *, is_proxied_ours: bool) -> bool:
    """Say whether who asks is among the readers: by the address the perimeter found, and never through a proxy that nobody named."""
    if "x-forwarded-for" in request.headers and not is_proxied_ours:
        return False
    source = request.scope.get("tj.source", "")
    return bool(source) and any(ip_address(source) in network for network in readers)


def _health(app: FastAPI, runtime: Runtime) -> None:
    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        checks: dict[str, Any] = {
            "database": False,
            "valkey": await runtime.broker.ping(),
            "worker": "unknown",
            "limits": "shared" if await runtime.limits.shared() else "local",
        }
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with asyncio.timeout(2), runtime.units.read(ANONYMOUS) as uow:
                checks["database"] = (await uow.session.execute(text("select 1"))).scalar() == 1
            async with asyncio.timeout(2), runtime.units.read(SYSTEM) as uow:
                seen = await health.workers(uow)
                checks |= {"worker": seen.state, "oldest_due_seconds": round(seen.oldest_due_seconds, 1)}
        # Only the database makes us unready: registration, entry and cash go on without a worker, and Valkey only wakes
        # and counts: what each process counts by itself is stricter. What is wrong is named.
        ready = bool(checks["database"])
        sound = {
            "database": ready,
            "valkey": checks["valkey"],
            "worker": checks["worker"] == "ok",
            "limits": checks["limits"] == "shared",
        }
        degraded = [name for name, is_sound in sound.items() if not is_sound]
        return JSONResponse({"ready": ready, "degraded": degraded, **checks}, status_code=200 if ready else 503)

    readers = [ip_network(part) for part in runtime.settings.metrics_peers.split(",") if part]

    async def metrics_page(request: Request) -> Response:
        if not may_read_metrics(request, readers, is_proxied_ours=bool(runtime.settings.trusted_proxies)):
            return problem.response(request, problem.NoSuchPath())
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with runtime.units.read(SYSTEM) as uow:
                jobs, oldest, inbox = await views.counts(uow)
                seen = await health.workers(uow)
                watched = await views.gauges(uow)
            _watch(watched)
            for state, number in jobs.items():
                metrics.JOBS.labels(state).set(number)
            for state, number in inbox.items():
                metrics.INBOX.labels(state).set(number)
            metrics.OLDEST_JOB.set(oldest)
            metrics.WORKERS_OK.set(seen.state == "ok")
        for role, kinds in runtime.database.usage().items():
            for kind, number in kinds.items():
                metrics.POOL.labels(role, kind).set(number)
        left = seal_expires(runtime.settings.seal_folder)
        if left is not None:
            metrics.SEAL_LEFT.set((left - runtime.clock.now()).total_seconds())
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")

    app.add_route("/healthz", healthz, include_in_schema=False)
    app.add_route("/readyz", readyz, include_in_schema=False)
    app.add_route("/metrics", metrics_page, include_in_schema=False)


def _watch(seen: views.Gauges) -> None:
    """Hand on what is counted anew each time: a state that is empty now is 0, not what it was."""
    for gauge, rows in (
        (metrics.CRITICALS, seen.criticals), (metrics.REQUISITIONS, seen.requisitions), (metrics.RETRYING, seen.retrying),
        (metrics.INBOX_SILENT, seen.silent),
    ):  # fmt: skip
        gauge.clear()
        for label, number in rows.items():
            gauge.labels(label).set(number)
    metrics.INBOX_LAG.set(seen.unfiled)
    metrics.AUDIT_LAG.set(seen.unsealed)


def from_environment() -> FastAPI:
    """Build the application of this process from `TJ_…`: what uvicorn's factory calls."""
    settings = Settings()
    logs.configure(settings.log_level)
    app = create(wiring.build(settings))
    heap.settle()
    return app
