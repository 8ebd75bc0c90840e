"""The OpenAPI document as it is published: problems, examples, headers, security, and what belongs to which audience.

Problems are written once, under `components`: an operation refers to them. Examples are drawn from the fields' own examples, so that
every request and every success shows one that is valid against its schema.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from tjapi.kernel import problem
from tjapi.kernel.contract_names import bound_days, rename_schemas, share_codes
from tjapi.kernel.etag import set_etag
from tjapi.kernel.routing import ForbiddenCharacter

AUDIENCES: dict[str, str] = {
    "staff": "体检科工作人员 · staff of the department",
    "me": "受检者本人 · the examinee",
    "integration": "院内外系统与设备 · other systems and devices",
    "admin": "管理员与接口工程师 · administrators and interface engineers",
    "public": "未登录 · whoever has not signed in",
}
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 问题详情 · Problem details. `type` resolves to an explanation; `errors` name the fields.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/exam-not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"$ref": "#/components/schemas/ProblemCode"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer, 或 query:/header:/path: 加名称"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
TAGS: dict[str, str] = {
    "auth": "登录与令牌 · Signing in and tokens",
    "identity": "人员、角色、院区、接口客户端 · Staff, roles, campuses, API clients",
    "catalog": "科室、项目、套餐、代码对照 · Departments, items, packages, external codes",
    "knowledge": "知识库:体征词、建议、规则、版本 · Knowledge base: findings, advice, rules, versions",
    "critical-values": "危急值与重要异常 · Critical values and important abnormal results",
    "examinees": "受检者 · Examinees",
    "employers": "单位、联系人、合同 · Employers, contacts, contracts",
    "campaigns": "团检任务、分组、名单 · Campaigns, groups, members",
    "pricing": "试算 · Quotes",
    "appointments": "预约 · Appointments",
    "exams": "体检 · Exams",
    "frontdesk": "前台报到 · The front desk",
    "guidance": "导检、叫号与回收指引单 · Rooms, queues and the guide sheet on its way back",
    "requisitions": "检验申请 · Orders to the laboratory",
    "specimens": "标本、交接与外送 · Specimens, their hand-over and sending out",
    "inbound-messages": "入站消息 · Messages from outside",
    "results": "科室结果 · Results by department",
    "conclusions": "主检结论 · Conclusions",
    "reports": "体检报告 · Reports",
    "me": "受检者本人 · The examinee's own",
    "jobs": "后台任务 · Background jobs",
    "live": "实时事件 · Live events",
    "audit": "审计与字典 · Audit trail and dictionaries",
}
_TEXT = """体检科后端接口。The back end of a hospital's health-examination department.

* 所有错误为 `application/problem+json` (RFC 9457), 按 `Accept-Language` 返回中文或英文。
* 新建人员、体检等操作必须带 `Idempotency-Key`; 临床写入必须带 `If-Match`。
* 金额以分为单位的整数; 检验值为字符串, 带比较符与单位; 时间为 RFC 3339。
* 文本先去掉首尾空白再检查长度。Text is trimmed before it is measured.
* 不认识的查询参数一律拒绝 (422, `query:名称`)。A query parameter that an operation does not know is refused and named.
* 列表用带签名的 `page_token` 翻页。
* 长任务返回 202 与 `/jobs/{id}`, 进度见 `/live-events` (SSE)。
* 每个回答都带 `X-Request-Id`。Every answer carries `X-Request-Id`.
"""
# What a value of a form looks like where its field shows none; a plain string or number has no such form and shows its own.
_BY_FORMAT: dict[str, Any] = {
    "uuid": "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d", "date-time": "2026-11-23T08:30:00+08:00", "date": "2026-11-23",
}  # fmt: skip
_BY_NAME: dict[str, Any] = {"page_token": "q1Zt3xv0…", "next_page_token": None}
_BY_MEDIA_TYPE: dict[str, tuple[dict[str, Any], str]] = {
    "application/pdf": ({"type": "string", "format": "binary"}, "%PDF-1.4 …"),
    "image/jpeg": ({"type": "string", "format": "binary"}, "\u00ff\u00d8\u00ff…"),
    "application/x-zpl": ({"type": "string"}, "^XA\n^CI28\n^PW400\n^LL240\n…\n^XZ\n"),
    "application/x-tspl": ({"type": "string", "format": "binary"}, "SIZE 50 mm,30 mm\r\nGAP 2 mm,0 mm\r\n…\r\nPRINT 1,1\r\n"),
    "application/octet-stream": ({"type": "string", "format": "binary"}, "MSH|^~\\&|LIS|LAB|TJ|TJ|20261122||ORU^R01|1|P|2.4\r"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ({"type": "string", "format": "binary"}, "PK\u0003\u0004…"),
    "text/event-stream": ({"type": "string", "x-event": {"$ref": "#/components/schemas/LiveEvent"}}, ': open\nretry: 2000\n\nid: 120\nevent: exam\ndata: {"topic": "exam", "data": {}}\n\n'),
}  # fmt: skip
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "版本,用于 If-Match · The version, for If-Match",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
        "example": '"3"',
    },
    "Idempotency-Replayed": {
        "description": "`true`:此前已答复,原样重放 · The stored answer of an earlier request",
        "schema": {"type": "string", "const": "true"},
        "example": "true",
    },
    "WWW-Authenticate": {"required": True, "schema": {"type": "string", "const": "Bearer"}, "example": "Bearer"},
    "Retry-After": {
        "description": "几秒后重试 · Try again after so many seconds",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "2",
    },
}


_REFERENCE = re.compile(r'\{\s+("\$ref": "[^"]+")\s+\}')


class NoExampleError(Exception):
    """A field of the contract shows no example of itself."""


def build_contract(
    app: FastAPI,
    on_writes: Iterable[type[problem.Problem]] = (),
    of: Mapping[str, Iterable[type[problem.Problem]]] | None = None,
    dictionaries: Mapping[str, Mapping[str, tuple[str, str]]] | None = None,
    events: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document of version 1, the same for the same code.

    Every write may meet the problems `on_writes`, an operation those `of` its id. Codes are named after the `dictionaries` that hold them.
    `events`: the schemas of what a stream says.
    """
    document = get_openapi(
        title="tjapi 体检系统 API", version="1.0.0", description=_TEXT, routes=app.routes,
        contact={"name": "tjapi"}, license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"}, servers=[{"url": "/"}],
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )  # fmt: skip
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    titles = {entry["code"]: entry["title"] for entry in problem.catalogue()}
    schemas |= events or {}
    schemas["Problem"] = _PROBLEM_SCHEMA
    schemas["ProblemCode"] = {
        "type": "string", "enum": sorted(titles),
        "description": "稳定的代码,说明见 problems.json · Stable codes, explained in problems.json. More may come.",
    }  # fmt: skip
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components |= {"examples": {}, "responses": {}, "headers": _HEADERS}
    tagged = _tagged(app)
    for method, operation in _methods(document):
        _tidy(operation)
        for kind in () if method == "get" else on_writes:
            _add_problem(operation["responses"], kind)
        for kind in (of or {}).get(operation["operationId"], ()):
            _add_problem(operation["responses"], kind)
        _show_headers(operation, etag=operation["operationId"] in tagged)
        _show_examples(operation, schemas, components["examples"])
        _share_problems(operation, components, titles)
    _share_parameters(document)
    _without_titles(document["paths"])
    _without_titles({name: schema for name, schema in schemas.items() if name != "Problem"})
    rename_schemas(document)
    share_codes(document, dictionaries or {})
    bound_days(document)
    return document


def for_audience(document: Mapping[str, Any], audience: str) -> dict[str, Any]:
    """Return the part of the document that concerns one audience: its operations, those of anybody, and what they refer to."""
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        kept = {method: o for method, o in operations.items() if o["x-audience"] in (audience, "public")}
        if kept:
            paths[path] = kept
    used = {tag for operations in paths.values() for o in operations.values() for tag in o["tags"]}
    view = {
        **document,
        "tags": [tag for tag in document["tags"] if tag["name"] in used],
        "info": {**document["info"], "title": f"{document['info']['title']} ({audience})"},
        "paths": paths,
    }
    wanted = {("securitySchemes", name) for name in document["components"].get("securitySchemes", {})}
    _reach(paths, document["components"], wanted)
    view["components"] = {
        kind: {name: value for name, value in named.items() if (kind, name) in wanted}
        for kind, named in document["components"].items()
    }
    return view


def _reach(node: Any, components: Mapping[str, Any], wanted: set[tuple[str, str]]) -> None:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            _, _, kind, name = reference.split("/", 3)
            if (kind, name) not in wanted:
                wanted.add((kind, name))
                _reach(components[kind][name], components, wanted)
        for value in node.values():
            _reach(value, components, wanted)
    elif isinstance(node, list):
        for value in node:
            _reach(value, components, wanted)


def _methods(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for operations in document["paths"].values():
        yield from operations.items()


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for _, operation in _methods(document))


def _tagged(app: FastAPI) -> set[str]:
    """Return the operations whose endpoint sets an entity tag."""
    endpoints = (
        (context.operation_id, context.endpoint)
        for context in iter_route_contexts(app.routes)
        if hasattr(context, "operation_id")
    )
    return {
        name for name, endpoint in endpoints if name and endpoint and set_etag.__name__ in endpoint.__code__.co_names
    }


def _tidy(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    answers.get("422", {}).get("content", {}).pop("application/json", None)
    _add_problem(answers, ForbiddenCharacter)  # in any address
    if operation.get("x-permission") == "public":
        operation["security"] = []  # said, not left out: nobody has to sign in
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        _without_null(parameter)
    if any(p["in"] == "path" for p in parameters):  # a value that has not the form of a path is no path of ours
        _add_problem(answers, problem.NoSuchPath)
    if _takes_key(operation):  # the body is read for the key's fingerprint
        _add_problem(answers, problem.BodyTooLarge)


def _without_null(parameter: dict[str, Any]) -> None:
    """Say what may be sent: an address or a header cannot hold null, it can only leave the parameter out."""
    schema = parameter["schema"]
    present = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
    if len(present) == 1:
        del schema["anyOf"]
        parameter["schema"] = {**present[0], **schema}


def _takes_key(operation: Mapping[str, Any]) -> bool:
    return any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", []))


def _add_problem(answers: dict[str, Any], kind: type[problem.Problem]) -> None:
    fresh = {
        "description": "",
        "content": {problem.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
    }
    examples = answers.setdefault(str(kind.status), fresh)["content"][problem.MEDIA_TYPE]["examples"]
    examples.setdefault(kind.slug(), {"value": problem.body(kind(), "zh", "0192f0c47b1a7c3e9d551f2e3a4b5c6d")})


def _show_headers(operation: dict[str, Any], *, etag: bool) -> None:
    for status, answer in operation["responses"].items():
        names = {"401": ["WWW-Authenticate"], "429": ["Retry-After"], "503": ["Retry-After"]}.get(status, [])
        if status.startswith("2"):
            names = ["ETag"] * etag + ["Idempotency-Replayed"] * _takes_key(operation)
        if names:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _share_problems(operation: dict[str, Any], components: dict[str, Any], titles: Mapping[str, Any]) -> None:
    """Move the problems of an operation to the components: hundreds of operations share a few dozen."""
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get(problem.MEDIA_TYPE)
        if content is None:
            continue
        slugs = sorted(content["examples"])
        for slug in slugs:
            value = content["examples"][slug]["value"]
            summary = f"{titles[slug]['zh']} · {titles[slug]['en']}"
            components["examples"][slug] = {"summary": summary, "value": value}
        content["examples"] = {slug: {"$ref": f"#/components/examples/{slug}"} for slug in slugs}
        # Every 422 has these two: only the others make its name.
        own = [slug for slug in slugs if slug not in (problem.Invalid.slug(), ForbiddenCharacter.slug())]
        name = "_".join([status, *(own or [problem.Invalid.slug()])])
        answer["description"] = " / ".join(components["examples"][slug]["summary"] for slug in slugs)
        components["responses"][name] = answer
        operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}


def _share_parameters(document: dict[str, Any]) -> None:
    """Move the parameters that several operations take to the components."""
    shared: dict[str, Any] = {}
    uses = Counter(_parameter_key(p) for o in _operations(document) for p in o.get("parameters", []))
    named: dict[str, str] = {}
    for operation in _operations(document):
        for place, parameter in enumerate(operation.get("parameters", [])):
            key = _parameter_key(parameter)
            if uses[key] > 1:
                name = parameter["name"]
                name = named.setdefault(key, name if name not in shared else f"{name}_{operation['operationId']}")
                shared[name] = parameter
                operation["parameters"][place] = {"$ref": f"#/components/parameters/{name}"}
    document["components"]["parameters"] = shared


def _parameter_key(parameter: Mapping[str, Any]) -> str:
    return json.dumps(parameter, sort_keys=True)


def _without_titles(node: Any) -> None:
    """Drop the titles that pydantic makes of names: they say nothing."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for key, value in node.items():
            if key not in {"example", "examples"}:
                _without_titles(value)
    elif isinstance(node, list):
        for value in node:
            _without_titles(value)


def _show_examples(operation: dict[str, Any], schemas: Mapping[str, Any], shared: dict[str, Any]) -> None:
    name = operation["operationId"]
    try:
        for parameter in operation.get("parameters", []):
            if "example" not in parameter and "examples" not in parameter:
                parameter["example"] = _example(parameter["schema"], schemas, parameter["name"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if "example" not in content and "examples" not in content:
                content["example"] = _example(content["schema"], schemas, "body", asked=True)
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                _show_answer(answer, schemas, shared)
    except NoExampleError as error:
        raise NoExampleError(f"{name}: no example of {error}") from error


def _show_answer(answer: dict[str, Any], schemas: Mapping[str, Any], shared: dict[str, Any]) -> None:
    for media_type, content in answer.get("content", {}).items():
        model = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if media_type in _BY_MEDIA_TYPE:
            content["schema"], content["example"] = _BY_MEDIA_TYPE[media_type]
        elif "example" not in content:
            shared[model] = {"value": _example(content["schema"], schemas, media_type)}
            content["examples"] = {model: {"$ref": f"#/components/examples/{model}"}}


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Any], place: str, *, asked: bool = False) -> Any:
    """Return an example of a schema; `asked`: of a request, which leaves out what is optional and shows nothing."""
    if "$ref" in schema and "examples" not in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas, place, asked=asked)
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("const", "default"):
        if schema.get(keyword) is not None:
            return schema[keyword]
    if "anyOf" in schema:
        return _example(next(s for s in schema["anyOf"] if s.get("type") != "null"), schemas, place, asked=asked)
    return _example_of_type(schema, schemas, place, asked=asked)


def _example_of_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], place: str, *, asked: bool) -> Any:
    match schema.get("type"):
        case "object":
            fields = {
                name: _example(field, schemas, f"{place}.{name}", asked=asked)
                for name, field in schema.get("properties", {}).items()
            }
            required = schema.get("required", ())
            return {name: value for name, value in fields.items() if not asked or value is not None or name in required}
        case "array":
            return [_example(schema["items"], schemas, f"{place}[]", asked=asked)]
        case "boolean":
            return True
        case "string" if schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        case _:
            name = place.rpartition(".")[2]
            if name not in _BY_NAME:
                raise NoExampleError(place)
            return _BY_NAME[name]


def contract_text(app: FastAPI) -> str:
    """Return the document as it is committed."""
    return written(app.openapi())


def written(document: Mapping[str, Any]) -> str:
    """Return a document as it is committed: a line for a field, a line for a reference."""
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return _REFERENCE.sub(r"{\1}", text)


def problems_text() -> str:
    """Return the problem catalogue as it is committed."""
    return json.dumps(problem.catalogue(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
