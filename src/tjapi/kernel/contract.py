"""The OpenAPI document as it is published: problems, tags, security, and what belongs to which audience."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tjapi.kernel import problem

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
        "code": {"type": "string", "description": "稳定的代码 · Stable code; see problems.json"},
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
_TEXT = """体检科后端接口。The back end of a hospital's health-examination department.

* 所有错误为 `application/problem+json` (RFC 9457), 按 `Accept-Language` 返回中文或英文。
* 新建人员、体检等操作必须带 `Idempotency-Key`; 临床写入必须带 `If-Match`。
* 金额以分为单位的整数; 检验值为字符串, 带比较符与单位; 时间为 RFC 3339。
* 列表用带签名的 `page_token` 翻页。
* 长任务返回 202 与 `/jobs/{id}`, 进度见 `/live-events` (SSE)。
"""


def build_contract(app: FastAPI) -> dict[str, Any]:
    """Return the document of version 1, the same for the same code."""
    document = get_openapi(
        title="tjapi 体检系统 API", version="1.0.0", description=_TEXT, routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"}, servers=[{"url": "/"}],
    )  # fmt: skip
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            _tidy(operation)
    return document


def _tidy(operation: dict[str, Any]) -> None:
    answer = operation["responses"].get("422")
    if answer and "application/json" in answer.get("content", {}):
        del answer["content"]["application/json"]
    public = operation.get("x-permission") == "public"
    if public:
        operation.pop("security", None)
    if "401" in operation["responses"]:
        operation["responses"]["401"].setdefault("headers", {})["WWW-Authenticate"] = {"schema": {"type": "string"}}


def contract_text(app: FastAPI) -> str:
    """Return the document as it is committed."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def problems_text() -> str:
    """Return the problem catalogue as it is committed."""
    return json.dumps(problem.catalogue(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
