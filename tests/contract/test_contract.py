"""The contract as a document: committed as the code makes it, complete, valid, with honest examples, and a view per audience."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests

from tests.contract.stage import Stage, find
from tjapi.kernel import contract, problem
from tjapi.operations.rules import DICTIONARIES

ROOT = Path(__file__).resolve().parents[2]
ROWS = frozenset((Path(__file__).parent / "rows.txt").read_text(encoding="utf-8").split())
WRITE = (
    "the contract has drifted: run `make openapi` (tjapi contract write) and read the difference before you commit it"
)
# What is asked back, judged and compared has many fields and refusals; a page of the reference still opens at once.
MOST_BYTES_PER_OPERATION = 5_600
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CAMEL = re.compile(r"[a-z]+([A-Z][a-z]+)*")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_METHODS = {"get", "put", "post", "delete", "patch"}
pytestmark = pytest.mark.requirement("P4")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            yield path, method, operation


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def parameters(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of an operation."""
    return [resolve(document, p) for p in operation.get("parameters", [])]


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator of a schema of the document, formats included."""
    whole = {**schema, "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def examples(document: dict[str, Any], holder: dict[str, Any]) -> list[Any]:
    """The examples of a parameter, a body or an answer; those of its schema count."""
    if "example" in holder:
        return [holder["example"]]
    return [resolve(document, e)["value"] for e in holder.get("examples", {}).values()]


@pytest.mark.requirement("P4")
def test_the_committed_contract_is_what_the_code_makes(document: dict[str, Any]) -> None:
    assert (ROOT / "openapi" / "v1.json").read_text(encoding="utf-8") == contract.written(document), WRITE
    assert (ROOT / "openapi" / "problems.json").read_text(encoding="utf-8") == contract.problems_text(), WRITE


def test_the_contract_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert set(document) == {"openapi", "info", "servers", "paths", "components", "tags"}
    for path, by_method in document["paths"].items():
        assert re.fullmatch(r"/api/v1(/[a-z0-9-]+|/\{[a-z_]+\})+(:[a-z-]+)?", path), path
        assert set(by_method) <= _METHODS
        for operation in by_method.values():
            declared = {p["name"] for p in parameters(document, operation) if p["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    references = set(re.findall(r'"\$ref": "#/components/(\w+/[^"]+)"', json.dumps(document)))
    defined = {f"{kind}/{name}" for kind, named in document["components"].items() for name in named}
    assert references <= defined
    assert defined - references == {"securitySchemes/bearer"}, "something is defined that nothing refers to"


def test_every_operation_says_what_it_is(document: dict[str, Any]) -> None:
    seen: set[str] = set()
    tags = {tag["name"] for tag in document["tags"]}
    for _path, _method, o in operations(document):
        name = o["operationId"]
        assert _CAMEL.fullmatch(name), name
        assert name not in seen
        seen.add(name)
        zh, _, en = o["summary"].partition(" · ")
        assert _HAN.search(zh), name
        assert en, name
        assert not _HAN.search(en), name
        assert len(o["tags"]) == 1
        assert o["tags"][0] in tags, f"{name}: a tag without a description in kernel/contract.py"
        assert o["x-permission"]
        assert o["x-audience"] in contract.AUDIENCES
        assert o["x-requirement"], name
        assert set(o["x-requirement"]) <= ROWS, f"{name}: a row that is not in requirements.md"


def test_every_operation_documents_its_refusals(document: dict[str, Any]) -> None:
    known = {p["code"]: p for p in problem.catalogue()}
    for _path, _method, o in operations(document):
        name, statuses = o["operationId"], set(o["responses"])
        assert statuses >= {"422", "429", "500", "503"}, name
        guarded = o["x-permission"] != "public"
        assert guarded == bool(o.get("security")), name
        assert not guarded or statuses >= {"401", "403"}, name
        if "requestBody" in o:
            assert "413" in statuses, name
        if "application/json" in o.get("requestBody", {}).get("content", {}):
            assert statuses >= {"400", "415"}, name
        assert len([s for s in statuses if s.startswith("2")]) == 1, name
        for status, answer in o["responses"].items():
            if status.startswith("2"):
                continue
            content = resolve(document, answer)["content"]
            assert list(content) == [problem.MEDIA_TYPE], name
            for slug, example in content[problem.MEDIA_TYPE]["examples"].items():
                value = resolve(document, example)["value"]
                assert value["code"] == slug
                assert known[slug]["status"] == int(status) == value["status"]
                assert value["type"] == known[slug]["type"]


def test_every_example_is_valid_against_its_schema(document: dict[str, Any]) -> None:
    shown, made = 0, dict[str, jsonschema_rs.Draft202012Validator]()
    for _path, method, o in operations(document):
        holders = [(f"parameter {p['name']}", p) for p in parameters(document, o)]
        holders += [(f"body {t}", c) for t, c in o.get("requestBody", {}).get("content", {}).items()]
        for status, answer in o["responses"].items():
            found = resolve(document, answer)
            holders += [(f"{status} {t}", c) for t, c in found.get("content", {}).items()]
            holders += [(f"{status} {h}", resolve(document, v)) for h, v in found.get("headers", {}).items()]
        for place, holder in holders:
            given = examples(document, holder)
            assert given, f"{o['operationId']} {place}: no example"
            key = json.dumps(holder["schema"], sort_keys=True)
            check = made[key] = made.get(key) or validator(document, holder["schema"])
            for value in given:
                errors = [f"{list(e.instance_path)}: {e.message}" for e in check.iter_errors(value)]
                assert not errors, f"{o['operationId']} {place}: {errors}"
                shown += 1
        if method in ("put", "patch"):
            assert "requestBody" in o
    assert shown > len(list(operations(document))) * 5


def test_names_are_snake_case_and_requests_refuse_what_they_do_not_know(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert all(_SNAKE.fullmatch(field) for field in schema.get("properties", {})), name
    for _path, _method, o in operations(document):
        for parameter in parameters(document, o):
            if parameter["in"] != "header":
                assert _SNAKE.fullmatch(parameter["name"]), parameter["name"]
            assert "null" not in json.dumps(resolve(document, parameter["schema"]).get("type", "")), parameter["name"]
        body = o.get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            assert resolve(document, body["schema"])["additionalProperties"] is False, o["operationId"]


def test_what_a_client_sends_has_bounds(document: dict[str, Any]) -> None:
    """Every text and array of a request ends somewhere (reliability.md 31)."""
    wanted: list[tuple[str, dict[str, Any]]] = []
    for _path, _method, o in operations(document):
        wanted += [(f"{o['operationId']} {p['name']}", p["schema"]) for p in parameters(document, o)]
        body = o.get("requestBody", {}).get("content", {}).get("application/json")
        wanted += [(o["operationId"], body["schema"])] if body else []
    unbounded = sorted({place for name, schema in wanted for place in _unbounded(document, name, schema)})
    assert unbounded == []


def _unbounded(document: dict[str, Any], place: str, schema: dict[str, Any]) -> Iterator[str]:
    schema = {**resolve(document, schema), **{k: v for k, v in schema.items() if k != "$ref"}}
    for option in schema.get("anyOf", ()):
        yield from _unbounded(document, place, option)
    if schema.get("type") == "object":
        for field, inner in schema.get("properties", {}).items():
            yield from _unbounded(document, f"{place}.{field}", inner)
    if schema.get("type") == "array":
        if "maxItems" not in schema:
            yield place
        yield from _unbounded(document, f"{place}[]", schema["items"])
    if schema.get("type") == "string" and not (
        {"maxLength", "enum", "const", "format"} & set(schema) or _fixed(schema.get("pattern"))
    ):
        yield place
    if schema.get("type") == "integer" and not {"maximum", "enum"} & set(schema):
        yield place


def _fixed(pattern: str | None) -> bool:
    """A pattern that bounds the length itself."""
    return pattern is not None and not re.search(r"[*+]|,\}", pattern)


def test_every_code_of_the_contract_has_labels_under_dictionaries(document: dict[str, Any]) -> None:
    """Codes are named once and every set of them is one dictionary, or a part of one."""
    named = {name: set(s["enum"]) for name, s in document["components"]["schemas"].items() if "enum" in s}
    assert {"ExamState", "Sex", "ResultFlag", "ProblemCode"} <= set(named)
    assert len({frozenset(codes) for codes in named.values()}) == len(named), "two names for the same codes"
    tables = [set(table) for table in DICTIONARIES.values()]
    bare = {name for name, codes in named.items() if not any(codes <= table for table in tables)}
    assert bare == {"ProblemCode"}, "codes that no dictionary explains"
    assert _inline(document) == []


def _inline(document: dict[str, Any]) -> list[str]:
    """Return the places that list two codes or more where a name should stand."""
    found: list[str] = []
    places = [
        (f"{name}.{field}", schema)
        for name, model in document["components"]["schemas"].items()
        for field, schema in model.get("properties", {}).items()
    ]
    places += [
        (f"{o['operationId']} {p['name']}", p["schema"])
        for _path, _method, o in operations(document)
        for p in parameters(document, o)
    ]
    for place, schema in places:
        options = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
        found += [place for option in options if len(option.get("enum", ())) > 1 and option.get("type") == "string"]
    return found


def test_names_of_schemas_are_names_of_classes(document: dict[str, Any]) -> None:
    """A generator makes a class of each without renaming it, and no module of ours shows through."""
    odd = [name for name in document["components"]["schemas"] if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)]
    assert odd == []


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    """`security` is said everywhere: an empty list where nobody has to sign in."""
    for _path, _method, o in operations(document):
        assert "security" in o, o["operationId"]
        assert (o["security"] == []) == (o["x-permission"] == "public"), o["operationId"]


def test_the_document_stays_small(document: dict[str, Any]) -> None:
    size = len((ROOT / "openapi" / "v1.json").read_bytes())
    number = len(list(operations(document)))
    print(f"{size} bytes, {number} operations")
    assert size < number * MOST_BYTES_PER_OPERATION


def test_headers_that_matter_are_documented(document: dict[str, Any]) -> None:
    def headers(name: str) -> set[str]:
        answers = find(document, name)[2]["responses"]
        return {h for s, a in answers.items() if s.startswith("2") for h in a.get("headers", {})}

    assert headers("getDepartmentSheet") == {"ETag"}
    assert headers("createExam") == {"ETag", "Idempotency-Replayed"}
    assert headers("checkIn") == {"Idempotency-Replayed"}
    assert headers("listExams") == set()


@pytest.mark.requirement("P4", "I5")
def test_each_audience_has_its_own_document(stage: Stage, document: dict[str, Any]) -> None:
    whole = requests.get(f"{stage.url}/openapi.json", timeout=20).json()
    assert whole == document
    public = {o["operationId"] for _, _, o in operations(document) if o["x-audience"] == "public"}
    found = set()
    for audience in contract.AUDIENCES:
        view = requests.get(f"{stage.url}/openapi/{audience}.json", timeout=20).json()
        shown = {o["operationId"]: o["x-audience"] for _, _, o in operations(view)}
        assert set(shown.values()) <= {audience, "public"}
        assert public <= set(shown)
        assert set(re.findall(r'"#/components/(\w+/[^"]+)"', json.dumps(view))) | {"securitySchemes/bearer"} == {
            f"{kind}/{name}" for kind, named in view["components"].items() for name in named
        }
        found |= set(shown)
    assert found == {o["operationId"] for _, _, o in operations(document)}
    refusal = requests.get(f"{stage.url}/openapi/everybody.json", timeout=20)
    assert (refusal.status_code, refusal.json()["code"]) == (404, "no-such-path")
