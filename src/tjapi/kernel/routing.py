"""How an endpoint says what it is: operation id, summary in two languages, permission, requirement rows, problems, idempotency.

`operation(...)` returns the keyword arguments of a route decorator. An operation without a permission, or not marked public, does not
start: `assert_every_operation_is_guarded` is called when the application is built.
"""

import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote_plus, unquote_to_bytes

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.wire.unseen import has_bidi_control, holds_unseen, without_zero_width
from tjapi.kernel import idempotency
from tjapi.kernel.db import Look
from tjapi.kernel.etag import etag
from tjapi.kernel.limits import slow_down
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
from tjapi.kernel.runtime import Runtime, asked, runtime
from tjapi.kernel.security.principal import ANONYMOUS, Principal
from tjapi.kernel.security.tokens import TokenInvalidError
from tjapi.kernel.uow import UnitOfWork
from tjapi.kernel.validation import repeated_names, unknown_names

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="POST /api/v1/auth/token")
PUBLIC = "public"
AUTHENTICATED = "authenticated"
Audience = Literal["staff", "me", "integration", "admin", "public"]


# An escape of JSON: of one character, of a pair of surrogates, or anything else that follows a backslash.
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|.)", re.DOTALL
)
# What no text of ours may hold: control characters but tab, line feed and carriage return, and the two that XML 1.0 (2.2) forbids besides.
# PostgreSQL takes no NUL, a vertical tab or file separator in a name would end the HL7 frame that carries it, no document prints the others.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


class ForbiddenCharacter(Invalid):
    """A control character, one that turns the direction of writing, or bytes that are not UTF-8: no text of ours may hold them.

    `errors` name the field. Characters of no width are no fault of whoever sends them: they are left out, everywhere.
    """

    zh, en = "内容含有不允许的字符", "The content holds a character that is not allowed"


class PasswordChangeRequired(Forbidden):
    """The password was set by somebody else, or is too old: change it first."""

    zh, en = "请先修改密码", "Change the password first"


class SecondFactorMissing(Forbidden):
    """The account signs in with a second factor and has none yet: bind one first."""

    zh, en = "请先绑定动态验证码", "Bind a second factor first"


class StepUpRequired(Forbidden):
    """This asks anew who one is: call `/auth/step-up`, then try again."""

    zh, en = "请重新验证身份后再试", "Prove anew who you are, then try again"


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
    request.state.claims = claims
    operation_id = getattr(request.scope.get("route"), "operation_id", None) or ""
    who = f"{principal.kind}|{principal.id}"
    rate = held.rates.get(operation_id)
    if rate is not None and (wait := await held.limits.wait(rate, who)):
        wider = held.in_bulk.get(operation_id)
        if wider is None or principal.kind != "staff" or not held.settings.step_up_minutes:
            raise slow_down(wait)
        _prove(principal, held)
        await held.limits.take(wider, who)
    if operation_id in held.step_up:
        _prove(principal, held)
    return principal


def _prove(principal: Principal, held: Runtime) -> None:
    """Ask anew who somebody is who proved it too long ago. Raises StepUpRequired."""
    minutes = held.settings.step_up_minutes
    if principal.kind != "staff" or not minutes:
        return
    proved = principal.stepped_up_at
    if proved is None or proved < held.clock.now() - timedelta(minutes=minutes):
        raise StepUpRequired


Caller = Annotated[Principal, Depends(current_principal)]


async def _write_unit(request: Request, principal: Caller) -> AsyncIterator[UnitOfWork]:
    async with runtime(request).units.open(principal, asked=asked(request)) as uow:
        request.state.uow = uow
        yield uow


async def _read_unit(request: Request, principal: Caller) -> AsyncIterator[UnitOfWork]:
    async with runtime(request).units.read(principal, asked=asked(request)) as uow:
        yield uow


async def _look(request: Request, principal: Caller) -> Look:
    return runtime(request).units.look(principal)


async def _public_unit(request: Request) -> AsyncIterator[UnitOfWork]:
    async with runtime(request).units.open(ANONYMOUS, asked=asked(request)) as uow:
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
        if principal.must:
            raise PasswordChangeRequired if principal.must == "password" else SecondFactorMissing
        # In a transaction of its own: the refusal is remembered although nothing else is.
        held = runtime(request)
        async with held.units.open(principal, asked=asked(request)) as uow:
            await uow.audit("access.refused", "permission", permission)
        raise PermissionMissing(permission)

    return permit


async def _let_pass(request: Request) -> None:
    """Count what anybody may do by the address it comes from."""
    held = runtime(request)
    rate = held.rates.get(getattr(request.scope.get("route"), "operation_id", None) or "")
    if rate is not None:
        await held.limits.take(rate, asked(request).source)


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
    before: Iterable[Callable[..., Any]] = (),
) -> dict[str, Any]:
    """Return the keyword arguments of a route decorator for one operation of the contract.

    `media_types` are those an answer may have beside that of the route's `response_class`. `before`: what is done once the caller may, and
    before a transaction is opened.
    """
    kinds: list[type[Problem]] = [*problems, Invalid, InternalError, Unavailable, TooManyRequests]
    dependencies = []
    if permission != PUBLIC:
        kinds += [Unauthenticated, PermissionMissing, PasswordChangeRequired, SecondFactorMissing]
        dependencies.append(Depends(_permit(permission)))
    else:
        dependencies.append(Depends(_let_pass))
    dependencies += [Depends(step) for step in before]
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


def _forbidden(pointer: str) -> ForbiddenCharacter:
    return ForbiddenCharacter(
        errors=[
            FieldError(
                pointer, "control-character", "不允许控制字符、文字方向控制符或无效编码",
                "control characters, characters that turn the direction of writing, and broken encodings are not allowed",
            )
        ]
    )  # fmt: skip


def _is_forbidden(text: str) -> bool:
    return has_bidi_control(text) or _CONTROL.search(text) is not None


def _read(content: bytes, pointer: str) -> str:
    """Return a text of an address or a header without characters of no width. Raises ForbiddenCharacter."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _forbidden(pointer) from None
    if _is_forbidden(text):
        raise _forbidden(pointer)
    return without_zero_width(text)


def _sieve_query(query: bytes) -> bytes:
    """Return a query without characters of no width. Raises ForbiddenCharacter naming the parameter."""
    if query.isascii() and b"%" not in query:
        return query
    parts = []
    for pair in query.split(b"&"):
        name, equals, value = pair.partition(b"=")
        known = _read(unquote_to_bytes(name.replace(b"+", b" ")), "query:")
        # A name that a client sends may be anything, a person's name too: only what looks like a parameter is repeated.
        pointer = f"query:{known}" if _NAME.fullmatch(known) else "query:"
        said = _read(unquote_to_bytes(value.replace(b"+", b" ")), pointer)
        parts.append(quote_plus(known).encode() + equals + quote_plus(said).encode())
    return b"&".join(parts)


def _sieve_path(scope: Scope) -> None:
    """Take characters of no width out of what the path says. Raises ForbiddenCharacter naming the parameter."""
    raw = scope.get("raw_path", b"")
    if raw.isascii() and b"%" not in raw:
        return
    params = scope.get("path_params", {})
    for name, value in params.items():
        if isinstance(value, str):
            params[name] = _read(value.encode("utf-8", "surrogateescape"), f"path:{name}")
    _read(unquote_to_bytes(raw), "path:")


def _sieve_headers(scope: Scope) -> None:
    """Take characters of no width out of headers; their bytes are ISO 8859-1 unless they are UTF-8. Raises ForbiddenCharacter naming the header."""
    headers = scope["headers"]
    for at, (name, value) in enumerate(headers):
        if value.isascii():
            continue
        try:
            text = value.decode()
        except UnicodeDecodeError:
            continue
        pointer = f"header:{name.decode('latin-1')}"
        if _is_forbidden(text):
            raise _forbidden(pointer)
        headers[at] = (name, without_zero_width(text).encode())


def sieved_json(body: bytes) -> bytes:
    """Return a JSON text without characters of no width, raw or as escapes; nothing else of it changes.

    Raises ForbiddenCharacter naming the field; MalformedBody where it is not UTF-8: UTF-16 and UTF-32 are no JSON (RFC 8259, 8.1).
    """
    if body.isascii() and b"\\" not in body and not _BYTES.search(body):
        return body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise MalformedBody from None
    if "\0" in text:
        raise MalformedBody
    escaped = any(escape in text for escape in ("\\u", "\\b", "\\f"))
    if not escaped and not holds_unseen(text) and "\ufffe" not in text and "\uffff" not in text:
        return body
    if _is_forbidden(text) or any(_is_forbidden(_meant(found)) for found in _ESCAPE.finditer(text)):
        raise _forbidden(_place_of_forbidden(text))
    return _ESCAPE.sub(
        lambda found: found[0] if without_zero_width(_meant(found)) else "", without_zero_width(text)
    ).encode()


_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_SHORT = {"\\b": "\b", "\\f": "\f"}


def _meant(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for, as far as it may be one that is sieved."""
    high, low, single = escape.groups()
    if high is not None:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if single is not None:
        return chr(int(single, 16))
    return _SHORT.get(escape[0], escape[0])


def _place_of_forbidden(text: str) -> str:
    """Return where in a JSON text the first forbidden character stands; the whole body where that cannot be told."""
    try:
        return next(_places(json.loads(text, strict=False), ""), "")
    except (ValueError, RecursionError):
        return ""


def _places(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str):
        if _is_forbidden(value):
            yield at
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _places(one, f"{at}/{number}")
    elif isinstance(value, dict):
        for name, one in value.items():
            if _is_forbidden(name):
                yield at
            yield from _places(one, f"{at}/{name}" if _NAME.fullmatch(name) else at)


def query_names(dependant: Dependant) -> frozenset[str]:
    """Return the query parameters that an operation takes, those of what it depends on included."""
    return frozenset(field.alias for field in dependant.query_params).union(*map(query_names, dependant.dependencies))


class OperationRoute(APIRoute):
    """A route that sieves what comes in, refuses unknown query parameters, and stores an idempotent answer before the commit.

    Pages that people open are no operations: a messenger adds to their links what it likes.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's handler; the unit of work is still open when it returns."""
        handle = super().get_route_handler()
        takes_json = self.body_field is not None
        known = query_names(self.dependant)

        async def guarded(request: Request) -> Response:
            scope = request.scope
            scope["query_string"] = _sieve_query(scope.get("query_string", b""))
            _sieve_path(scope)
            _sieve_headers(scope)
            if request.scope.get("query_string") and (strange := unknown_names(request.query_params, known)):
                raise Invalid(errors=strange)
            if request.scope.get("query_string") and (
                twice := repeated_names(name for name, _ in request.query_params.multi_items())
            ):
                raise Invalid(errors=twice)
            if takes_json:
                body = await request.body()
                plain = sieved_json(body)
                if plain is not body:
                    request._body = plain  # noqa: SLF001 - what the framework reads next, and what an idempotency key is for
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
