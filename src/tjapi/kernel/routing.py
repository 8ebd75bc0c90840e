"""How an endpoint says what it is: operation id, summary in two languages, permission, requirement rows, problems, idempotency.

`operation(...)` returns the keyword arguments of a route decorator. An operation without a permission, or not marked public, does not
start: `assert_every_operation_is_guarded` is called when the application is built.
"""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tjapi.kernel import idempotency
from tjapi.kernel.db import Look
from tjapi.kernel.etag import etag
from tjapi.kernel.problem import (
    MEDIA_TYPE,
    BodyTooLarge,
    FieldError,
    Forbidden,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PermissionMissing,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from tjapi.kernel.runtime import runtime
from tjapi.kernel.security.principal import ANONYMOUS, Principal
from tjapi.kernel.security.tokens import TokenInvalidError
from tjapi.kernel.uow import UnitOfWork
from tjapi.kernel.validation import unknown_names

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="POST /api/v1/auth/token")
PUBLIC = "public"
AUTHENTICATED = "authenticated"
Audience = Literal["staff", "me", "integration", "admin", "public"]


# The control characters that XML 1.0 (2.2) forbids, as JSON escapes or, for the last two, as UTF-8: PostgreSQL takes no NUL, a
# vertical tab or file separator in a name would end the HL7 frame that carries it, and no document could print the others.
_CONTROL = re.compile(
    rb"(?<!\\)(?:\\\\)*\\(?:[bf]|u00(?:0[0-8bBcCeEfF]|1[0-9a-fA-F])|u[fF]{3}[eEfF])|\xef\xbf[\xbe\xbf]"
)
_CONTROLS = frozenset([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)])


class ForbiddenCharacter(Invalid):
    """A control character, or bytes that are not UTF-8: no text of ours may hold them."""

    zh, en = "内容含有不允许的字符", "The content holds a character that is not allowed"


async def current_principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Return who asks. The account is read on every request, so that a right taken away is gone on the next one."""
    if credentials is None:
        raise Unauthenticated
    held = runtime(request)
    try:
        claims = held.mint.read(credentials.credentials, held.clock.now())
    except TokenInvalidError as error:
        raise Unauthenticated from error
    principal = await held.authenticate(held.units.identify(), claims)
    if principal is None:
        raise Unauthenticated
    request.state.principal = principal
    return principal


Caller = Annotated[Principal, Depends(current_principal)]


async def _write_unit(request: Request, principal: Caller) -> AsyncIterator[UnitOfWork]:
    async with runtime(request).units.open(principal, request_id=request.scope.get("tj.request_id", "")) as uow:
        request.state.uow = uow
        yield uow


async def _read_unit(request: Request, principal: Caller) -> AsyncIterator[UnitOfWork]:
    async with runtime(request).units.read(principal, request_id=request.scope.get("tj.request_id", "")) as uow:
        yield uow


async def _look(request: Request, principal: Caller) -> Look:
    return runtime(request).units.look(principal)


async def _public_unit(request: Request) -> AsyncIterator[UnitOfWork]:
    async with runtime(request).units.open(ANONYMOUS, request_id=request.scope.get("tj.request_id", "")) as uow:
        request.state.uow = uow
        yield uow


# scope="function": the commit comes before the response; with FastAPI's default scope the client hears 200 first.
Unit = Annotated[UnitOfWork, Depends(_write_unit, scope="function")]
ReadUnit = Annotated[UnitOfWork, Depends(_read_unit, scope="function")]
ReadLook = Annotated[Look, Depends(_look)]
PublicUnit = Annotated[UnitOfWork, Depends(_public_unit, scope="function")]


def _permit(permission: str) -> Callable[..., Awaitable[None]]:
    async def permit(request: Request, principal: Caller) -> None:
        if permission == AUTHENTICATED or principal.may(permission):
            return
        # In a transaction of its own: the refusal is remembered although nothing else is.
        held = runtime(request)
        async with held.units.open(principal, request_id=request.scope.get("tj.request_id", "")) as uow:
            await uow.audit("access.refused", "permission", permission)
        raise PermissionMissing

    return permit


def _take_key(operation_id: str, *, required: bool) -> Callable[..., Awaitable[None]]:
    async def take_key(request: Request, uow: Unit, key: idempotency.IdempotencyHeader = None) -> None:
        await idempotency.begin(request, uow, operation_id, key, required=required)

    return take_key


def operation(
    operation_id: str,
    zh: str,
    en: str,
    *,
    permission: str,
    requirement: Iterable[str],
    audience: Audience = "staff",
    problems: Iterable[type[Problem]] = (),
    idempotent: Literal["required", "optional"] | None = None,
    if_match: bool = False,
    body: bool = False,
    description: str | None = None,
    answer: str | None = None,
    status: int = 200,
    example: Any = None,
    media_types: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the keyword arguments of a route decorator for one operation of the contract.

    `media_types` are those an answer may have beside that of the route's `response_class`.
    """
    kinds: list[type[Problem]] = [*problems, Invalid, InternalError, Unavailable, TooManyRequests]
    dependencies = []
    if permission != PUBLIC:
        kinds += [Unauthenticated, PermissionMissing]
        dependencies.append(Depends(_permit(permission)))
    if idempotent:
        kinds += [idempotency.IdempotencyKeyReused, idempotency.RequestStillRunning]
        kinds += [idempotency.IdempotencyKeyMissing] if idempotent == "required" else []
        dependencies.append(Depends(_take_key(operation_id, required=idempotent == "required")))
    if if_match:
        kinds += [PreconditionFailed, PreconditionRequired]
    if body:
        kinds += [BodyTooLarge, UnsupportedMediaType, MalformedBody, ForbiddenCharacter]
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = responses.setdefault(
            kind.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        examples = entry["content"][MEDIA_TYPE]["examples"]
        if kind.slug() not in examples:
            examples[kind.slug()] = {"value": _example(kind)}
            entry["description"] += ("" if not entry["description"] else " / ") + f"{kind.zh} · {kind.en}"
    if example is not None:
        responses[status] = {"content": {"application/json": {"example": example}}}
    for media_type in media_types:
        responses.setdefault(status, {"content": {}})["content"][media_type] = {"schema": {}}
    extra = {"x-permission": permission, "x-requirement": list(requirement), "x-audience": audience}
    return {
        "operation_id": operation_id,
        "summary": f"{zh} · {en}",
        "description": description,
        "status_code": status,
        "responses": responses,
        "response_description": answer or "成功 · Success",
        "dependencies": dependencies,
        "openapi_extra": extra,
    }


class MalformedBody(Problem):
    """The body is not JSON, or is nested too deeply."""

    status, zh, en = 400, "请求体不是有效的 JSON", "The body is not valid JSON"


def _example(kind: type[Problem]) -> dict[str, Any]:
    return {
        "type": f"/problems/{kind.slug()}", "title": kind.zh, "status": kind.status, "detail": kind.zh, "code": kind.slug(),
        "request_id": "0192f0c47b1a7c3e9d551f2e3a4b5c6d", "errors": [],
    }  # fmt: skip


def _is_strange(address: bytes) -> bool:
    content = unquote_to_bytes(address)
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return not _CONTROLS.isdisjoint(content)


def _forbidden(pointer: str) -> ForbiddenCharacter:
    return ForbiddenCharacter(
        errors=[FieldError(pointer, "control-character", "不允许控制字符或无效编码", "control characters and broken encodings are not allowed")]
    )  # fmt: skip


def query_names(dependant: Dependant) -> frozenset[str]:
    """Return the query parameters that an operation takes, those of what it depends on included."""
    return frozenset(field.alias for field in dependant.query_params).union(*map(query_names, dependant.dependencies))


class OperationRoute(APIRoute):
    """A route that refuses forbidden characters and unknown query parameters, and stores an idempotent answer before the commit.

    Pages that people open are no operations: a messenger adds to their links what it likes.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's handler; the unit of work is still open when it returns."""
        handle = super().get_route_handler()
        takes_json = self.body_field is not None
        known = query_names(self.dependant)

        async def guarded(request: Request) -> Response:
            for part in (request.scope.get("raw_path", b""), request.scope.get("query_string", b"")):
                if b"%" in part and _is_strange(part):
                    raise _forbidden("query:")
            if request.scope.get("query_string") and (strange := unknown_names(request.query_params, known)):
                raise Invalid(errors=strange)
            if takes_json:
                body = await request.body()
                if (
                    b"\0" in body
                ):  # UTF-16 or UTF-32, which RFC 8259 (8.1) does not allow: its escapes would slip through below
                    raise MalformedBody
                if _CONTROL.search(body):
                    raise _forbidden("")
            response: Response = await handle(request)
            pending: idempotency.PendingAnswer | None = getattr(request.state, "pending_answer", None)
            if pending is not None:
                await pending.store(response)
            return response

        return guarded


class Switchboard:
    """Finds the operation of a request by its method, noun and shape, where the framework asks every route of every router in turn.

    What it does not find goes the framework's way, which knows 404, 405 and everything that is no operation. It matches with the
    routes' own expressions, in the order in which they are registered, so that both ways find the same.
    """

    def __init__(self, prefix: str, routes: Sequence[APIRoute], otherwise: ASGIApp) -> None:
        self._prefix = prefix
        self._otherwise = otherwise
        self._of: dict[tuple[str, str, int, str], list[APIRoute]] = {}
        endings = {_ending(route.path) for route in routes}
        # A path of any length is not told by its shape: its noun goes the framework's way as a whole.
        shapeless = {
            route.path.split("/")[1]
            for route in routes
            if any(c.regex == ".*" for c in route.param_convertors.values())
        }
        for route in routes:
            _, noun, *rest = route.path.split("/")
            if noun in shapeless:
                continue
            ending = _ending(route.path)
            for method in route.methods or ():
                for told in endings if ending == _ANY else (ending,):
                    self._of.setdefault((method, noun, len(rest), told), []).append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its operation."""
        if scope["type"] == "http" and not scope.get("root_path"):
            route, params = self.find(scope["method"], scope["path"])
            if route is not None:
                scope["path_params"], scope["endpoint"], scope["route"] = params, route.endpoint, route
                await route.app(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)

    def find(self, method: str, path: str) -> tuple[APIRoute | None, dict[str, Any]]:
        """Return the operation of a method at a path, and what the path says; None: not found here."""
        if path.startswith(self._prefix + "/"):
            path = path[len(self._prefix) :]
            _, noun, *rest = path.split("/")
            shape = (method, noun, len(rest))
            told = self._of.get((*shape, rest[-1] if rest else noun)) or self._of.get((*shape, _ANY)) or ()
            for route in told:
                found = route.path_regex.match(path)
                if found is not None:
                    convertors = route.param_convertors
                    return route, {name: convertors[name].convert(text) for name, text in found.groupdict().items()}
        return None, {}


_ANY = "{}"


def _ending(path: str) -> str:
    last = path.rpartition("/")[2]
    return _ANY if "{" in last else last


class PDF(Response):
    """A PDF that no cache keeps."""

    media_type = "application/pdf"


def pdf(content: bytes, filename: str) -> Response:
    """Answer with a PDF; personal, so never stored on the way."""
    return file(content, "application/pdf", filename)


def file(content: bytes, media_type: str, filename: str) -> Response:
    """Answer with a file; personal, so never stored on the way."""
    headers = {"Content-Disposition": f'inline; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def passed(content: bytes, *, version: int | None = None) -> Response:
    """Answer with JSON that the database built; with a version, under its entity tag."""
    headers = None if version is None else {"ETag": etag(version)}
    return Response(content, media_type="application/json", headers=headers)


def router(tag: str) -> APIRouter:
    """Return a router of one noun."""
    return APIRouter(route_class=OperationRoute, tags=[tag])


def assert_every_operation_is_guarded(routes: Iterable[APIRoute]) -> None:
    """Deny by default: refuse to start with an operation that names neither a permission nor `public`."""
    for route in routes:
        extra = route.openapi_extra or {}
        if not extra.get("x-permission") or not extra.get("x-requirement") or not route.operation_id:
            raise RuntimeError(f"operation without permission, requirement or id: {route.path}")
        if not inspect.iscoroutinefunction(route.endpoint):
            raise RuntimeError(f"endpoints are async: {route.path}")


__all__ = [
    "AUTHENTICATED",
    "PDF",
    "PUBLIC",
    "Caller",
    "Forbidden",
    "MethodNotAllowed",
    "NotFound",
    "OperationRoute",
    "PublicUnit",
    "ReadLook",
    "ReadUnit",
    "Switchboard",
    "Unit",
    "file",
    "operation",
    "passed",
    "pdf",
    "router",
]  # fmt: skip
