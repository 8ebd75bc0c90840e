"""Errors a client sees: RFC 9457 problem details, in Chinese or English by Accept-Language, never echoing what was sent.

A problem is a class, a sentence in each language and a status by its base; slug and code derive from its name.
`catalogue()` lists them all, and openapi/problems.json is made of it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from tjapi.kernel.events import kebab

MEDIA_TYPE = "application/problem+json"
_REGISTRY: dict[str, type["Problem"]] = {}
_LABELS: dict[str, Mapping[str, tuple[str, str]]] = {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `pointer` is a JSON Pointer (RFC 6901) into the body, or `query:`/`path:`/`header:` and a name."""

    pointer: str
    code: str
    zh: str
    en: str


class Problem(Exception):  # noqa: N818 - the standard's word (RFC 9457)
    """Something a client must be told. `detail_*` may hold `{names}` filled from `params`, which are never personal."""

    status: ClassVar[int] = 500
    zh: ClassVar[str] = "系统内部错误"
    en: ClassVar[str] = "Internal error"
    headers: ClassVar[Mapping[str, str]] = {}
    states: ClassVar[str] = ""
    """The dictionary whose codes the sentence names: it says their labels, each language its own."""

    def __init__(
        self, zh: str | None = None, en: str | None = None, *, errors: Iterable[FieldError] = (), **params: Any
    ) -> None:
        super().__init__(type(self).__name__)
        self.detail_zh = zh
        self.detail_en = en or zh
        self.errors = tuple(errors)
        self.params = params
        self.extra_headers: dict[str, str] = {}
        self.keep = False

    def kept(self) -> "Problem":
        """Return this problem so that what the unit has written is committed all the same: a refusal that must be remembered."""
        self.keep = True
        return self

    def within(self, pointer: str) -> "Problem":
        """Return this problem with the fields of the body named from further outside: what was the body lies under `pointer`."""
        self.errors = tuple(
            replace(error, pointer=pointer + error.pointer) if error.pointer.startswith("/") else error
            for error in self.errors
        )
        return self

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "abstract" not in cls.__dict__:
            _REGISTRY[cls.slug()] = cls

    @classmethod
    def slug(cls) -> str:
        """Return the problem's name in URLs and in `code`."""
        return kebab(cls.__name__)


class BadRequest(Problem):
    """The request cannot be understood as HTTP for this operation."""

    abstract, status, zh, en = True, 400, "请求无效", "Bad request"


class Unauthenticated(Problem):
    """No valid credentials."""

    status, zh, en = 401, "未登录或凭证已失效", "Not signed in, or the credentials are no longer valid"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """The caller is known and may not."""

    abstract, status, zh, en = True, 403, "无权操作", "Not allowed"


class PermissionMissing(Forbidden):
    """The operation's permission is not held."""

    zh, en = "没有此操作的权限", "The permission for this operation is missing"

    def __init__(self, permission: str | None = None) -> None:
        """Name the permission that would be needed, in words and by its code."""
        if permission is None:
            super().__init__()
        else:
            zh, en = called("permission", permission)
            super().__init__(
                f"没有此操作的权限:需要「{zh}」({permission})", f"This needs the permission {permission}: {en}"
            )


class NotFound(Problem):
    """It does not exist, or the caller may not know that it does."""

    abstract, status, zh, en = True, 404, "未找到", "Not found"


class NoSuchPath(NotFound):
    """No operation has this path."""

    zh, en = "没有这个地址", "There is nothing at this address"


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status, zh, en = 405, "此地址不支持该方法", "This address does not take that method"


class Conflict(Problem):
    """The state of things forbids it."""

    abstract, status, zh, en = True, 409, "与当前状态冲突", "In conflict with the present state"


class Gone(Problem):
    """It was there."""

    abstract, status, zh, en = True, 410, "已撤回", "No longer available"


class PreconditionFailed(Problem):
    """Somebody changed it since it was read."""

    status, zh, en = 412, "数据已被他人修改,请刷新后重试", "It was changed since you read it; read it again"


class BodyTooLarge(Problem):
    """The body is over the limit."""

    status, zh, en = 413, "请求内容过大", "The body is too large"


class UnsupportedMediaType(Problem):
    """The content type is not taken here."""

    status, zh, en = 415, "不支持的内容类型", "This content type is not taken here"


class Invalid(Problem):
    """The payload breaks a rule; `errors` name the fields."""

    status, zh, en = 422, "提交的内容有误", "The payload is not valid"


class PreconditionRequired(Problem):
    """If-Match is missing."""

    status, zh, en = 428, "缺少 If-Match 请求头", "The If-Match header is required"


class TooManyRequests(Problem):
    """Slow down."""

    status, zh, en = 429, "请求过于频繁,请稍后再试", "Too many requests; try again later"


class InternalError(Problem):
    """A bug of ours: the request id finds it in the log."""

    status, zh, en = 500, "系统内部错误,请把请求编号告诉管理员", "Internal error; tell the administrator the request id"


class Unavailable(Problem):
    """Something that is needed is down at the moment."""

    status, zh, en = 503, "服务暂不可用,请稍后重试", "Not available at the moment; try again"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2"}


def language(accept: str | None) -> str:
    """Return `zh` or `en` by Accept-Language (RFC 9110, 12.5.4); Chinese when nothing is asked."""
    best, weight = "zh", 0.0
    for part in (accept or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            quality = float(parameters.partition("q=")[2] or 1)
        except ValueError:
            quality = 0.0
        tag = tag.lower()
        if quality > weight and (tag.startswith(("zh", "en")) or tag == "*"):
            best, weight = ("en" if tag.startswith("en") else "zh"), quality
    return best


def speak(dictionaries: Mapping[str, Mapping[str, tuple[str, str]]]) -> None:
    """Say what the codes of states are called, Chinese and English; once, where everything is put together."""
    _LABELS.update(dictionaries)


def called(dictionary: str, code: str) -> tuple[str, str]:
    """Return what a code is called in a Chinese and in an English sentence: no sentence holds a code."""
    zh, en = _LABELS.get(dictionary, {}).get(code, (code, code))
    # Labels stand alone and begin with a capital; an abbreviation or a class keeps it.
    return zh, en if en[1:2].isupper() or not en[1:2].isalpha() else en[:1].lower() + en[1:]


@contextmanager
def naming(pointer: str) -> Iterator[None]:
    """What is not found within was named by this field of the body: the problem says so, unless it names its fields itself."""
    try:
        yield
    except NotFound as missing:
        if not missing.errors:
            missing.errors = (FieldError(pointer, "not-found", type(missing).zh, type(missing).en),)
        raise


def body(problem: Problem, lang: str, request_id: str) -> dict[str, Any]:
    """Return the problem document."""
    kind = type(problem)
    title = kind.en if lang == "en" else kind.zh
    detail = problem.detail_en if lang == "en" else problem.detail_zh
    params = problem.params
    if kind.states in _LABELS:
        at = 1 if lang == "en" else 0
        params = {
            name: called(kind.states, value)[at] if isinstance(value, str) else value for name, value in params.items()
        }
    return {
        "type": f"/problems/{kind.slug()}",
        "title": title,
        "status": kind.status,
        "detail": (detail or title).format(**params) if params else (detail or title),
        "code": kind.slug(),
        "request_id": request_id,
        "errors": [
            {"pointer": e.pointer, "code": e.code, "message": e.en if lang == "en" else e.zh} for e in problem.errors
        ],
    }


def response(request: Request, problem: Problem) -> Response:
    """Return the HTTP answer of a problem."""
    document = body(problem, language(request.headers.get("accept-language")), request.scope.get("tj.request_id", ""))
    headers = {**type(problem).headers, **problem.extra_headers, "Cache-Control": "no-store", "Vary": "Accept-Language"}
    return Response(
        json.dumps(document, ensure_ascii=False),
        status_code=type(problem).status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def catalogue() -> list[dict[str, Any]]:
    """Return every problem there is, by name."""
    return [
        {
            "code": slug,
            "type": f"/problems/{slug}",
            "status": kind.status,
            "title": {"zh": kind.zh, "en": kind.en},
            "meaning": (kind.__doc__ or "").strip(),
        }
        for slug, kind in sorted(_REGISTRY.items())
    ]
