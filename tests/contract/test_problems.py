"""What a client is told when something is wrong: RFC 9457, in its language, naming the field, never repeating what it sent."""

import asyncio
import io
import json
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.conftest import SignIn
from tjapi import app as application
from tjapi.kernel import logs
from tjapi.kernel.routing import OperationRoute
from tjapi.kernel.runtime import Runtime

MARKER = "钟馗-3f9c1a77"
SEARCH = "/api/v1/examinees:search"
JSON = {"Content-Type": "application/json"}
NOBODY = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_SHAPE = {"type", "title", "status", "detail", "code", "request_id", "errors"}
pytestmark = pytest.mark.requirement("P4")


def told(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Insist on a problem and return it."""
    assert answer.status_code == status, answer.text[:600]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Accept-Language"
    said: dict[str, Any] = answer.json()
    assert set(said) == _SHAPE
    assert (said["code"], said["status"], said["type"]) == (code, status, f"/problems/{code}")
    assert said["request_id"] == answer.headers["x-request-id"]
    return said


@pytest.fixture
async def front(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("front")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile."""
    written, kept = io.StringIO(), sys.stderr
    sys.stderr = written
    logs.configure("DEBUG")
    yield written
    sys.stderr = kept
    logs.configure("ERROR")


@pytest.mark.requirement("P4")
async def test_problems_are_in_chinese_unless_english_is_asked_for(anonymous: httpx.AsyncClient) -> None:
    for accepted, title in (
        (None, "没有这个地址"), ("zh-CN,zh;q=0.9,en;q=0.8", "没有这个地址"), ("en-GB,en;q=0.9", "There is nothing at this address"),
        ("fr", "没有这个地址"), ("fr;q=0.9,en;q=0.5", "There is nothing at this address"), ("en;q=0.2,zh;q=0.4", "没有这个地址"),
        ("en;q=x", "没有这个地址"),
    ):  # fmt: skip
        headers = {"Accept-Language": accepted} if accepted else {}
        assert told(await anonymous.get("/nowhere", headers=headers), 404, "no-such-path")["title"] == title


async def test_a_problem_resolves_to_its_explanation(anonymous: httpx.AsyncClient) -> None:
    said = told(await anonymous.get("/api/v1/exams"), 401, "unauthenticated")
    assert (await anonymous.get("/api/v1/exams")).headers["www-authenticate"] == "Bearer"
    page = await anonymous.get(said["type"])
    assert page.status_code == 200
    assert "Not signed in" in page.text
    told(await anonymous.get("/problems/no-such-problem"), 404, "no-such-path")
    catalogue = (await anonymous.get("/problems", headers={"Accept": "application/json"})).json()
    assert {"code", "type", "status", "title", "meaning"} == set(catalogue[0])


async def test_an_unknown_method_is_told_the_methods_there_are(front: httpx.AsyncClient) -> None:
    for path, allow in (
        ("/api/v1/exams", "GET, POST"),
        (f"/api/v1/staff/{NOBODY}", "GET, PATCH"),
        ("/docs", "GET, HEAD"),
    ):
        answer = await front.delete(path)
        told(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == allow
    assert (await front.options("/api/v1/exams")).headers["allow"] == "GET, POST"


async def test_a_request_id_is_taken_over_when_it_looks_like_one(anonymous: httpx.AsyncClient) -> None:
    given = "trace.0123-ABC"
    answer = await anonymous.get("/nowhere", headers={"X-Request-Id": given})
    assert told(answer, 404, "no-such-path")["request_id"] == given
    for bad in ("short", "x" * 65, "<script>alert(1)</script>"):
        answer = await anonymous.get("/nowhere", headers={"X-Request-Id": bad})
        assert told(answer, 404, "no-such-path")["request_id"] != bad
    assert len((await anonymous.get("/healthz")).headers["x-request-id"]) == 32


async def test_a_body_over_the_limit_is_refused_declared_or_chunked(front: httpx.AsyncClient) -> None:
    whole = json.dumps({"q": "x" * 3_000_000}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 65_536):
            yield whole[start : start + 65_536]

    told(await front.post(SEARCH, content=whole, headers=JSON), 413, "body-too-large")
    told(await front.post(SEARCH, content=chunks(), headers=JSON), 413, "body-too-large")
    # Lying about the content type buys the limit of uploads, not an endless body.
    octets = {"Content-Type": "application/octet-stream"}
    told(await front.post(SEARCH, content=b"x" * 13_000_000, headers=octets), 413, "body-too-large")


async def test_a_body_that_is_not_json_is_refused_by_its_type_or_its_form(front: httpx.AsyncClient) -> None:
    plain = b'{"q": "zs"}'
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "multipart/form-data; boundary=x",
        "json",
        "\xff",
    ):
        answer = await front.post(SEARCH, content=plain, headers=[(b"content-type", kind.encode("latin-1"))])
        told(answer, 415, "unsupported-media-type")
    missing = httpx.Request("POST", front.base_url.join(SEARCH), content=plain, headers=dict(front.headers))
    told(await front.send(missing), 415, "unsupported-media-type")
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"):
        assert (await front.post(SEARCH, content=plain, headers={"Content-Type": kind})).status_code == 200
    for body in (
        b"{", b'{"q": }', b"{'q': 1}", b'{"q": "\xff\xfe"}', '{"q": "zs"}'.encode("utf-16"), '{"q": "zs"}'.encode("utf-32"),
        b'{"q": "a\nb"}', b"[" * 100_000, b'{"q":' * 100_000, b'{"q": ' + b"9" * 5_000 + b"}",
    ):  # fmt: skip
        told(await front.post(SEARCH, content=body, headers=JSON), 400, "malformed-body")


async def test_a_form_that_is_wrong_names_its_fields_and_repeats_nothing(
    front: httpx.AsyncClient, logged: io.StringIO
) -> None:
    body = {
        "campus_id": MARKER, "name": {"x": MARKER}, "sex": MARKER, "birth_date": MARKER, "id_kind": MARKER, "nation": MARKER * 20,
        "phone": [MARKER], "is_admin": MARKER, MARKER: 1,
    }  # fmt: skip
    headers = {**JSON, "Idempotency-Key": MARKER.encode().hex() + " x"}
    answer = await front.post("/api/v1/examinees", content=json.dumps(body).encode(), headers=headers)
    said = told(answer, 422, "invalid")
    named = {e["pointer"]: e["code"] for e in said["errors"]}
    # A card reader writes dates in many ways: whether one is a date is asked once the form is right.
    assert set(named) >= {"/campus_id", "/name", "/sex", "/id_kind", "/nation", "/phone", "/is_admin"}
    assert named["/is_admin"] == "extra_forbidden"
    assert named["/campus_id"] == "int_type"
    assert all(e["message"] for e in said["errors"])
    assert named["header:Idempotency-Key"] == "string_pattern_mismatch"
    worse = json.dumps({**body, f"{MARKER}\ud800": 2}).encode()
    broken = await front.post("/api/v1/examinees", content=worse, headers=headers)
    assert told(broken, 422, "invalid")["errors"][-1]["code"] == "string_unicode"
    answers = [answer.text, broken.text]
    for path in (
        f"/api/v1/exams?campus_id={MARKER}&state={MARKER}&exam_date={MARKER}&examinee_id={MARKER}", f"/api/v1/items?page_size={MARKER}",
        f"/api/v1/exams?page_token={MARKER}", f"/api/v1/departments/{MARKER}", f"/api/v1/exams/{MARKER}", f"/{MARKER}",
    ):  # fmt: skip
        answer = await front.get(path)
        assert answer.status_code in (404, 422)
        answers.append(answer.text)
    refused = await front.post(SEARCH, json={"q": MARKER, "id_number": MARKER})
    assert refused.status_code == 422
    wrong = await front.post("/api/v1/auth/token", json={"username": "front", "password": MARKER})
    assert wrong.status_code == 401
    for text in [*answers, refused.text, wrong.text, logged.getvalue()]:
        assert MARKER not in text
        assert json.dumps(MARKER)[1:-1] not in text
    assert '"status": 422' in logged.getvalue()


async def test_values_that_python_would_take_and_json_does_not_mean_are_refused(front: httpx.AsyncClient) -> None:
    order = {"campus_id": 1, "examinee_id": NOBODY}
    for field, values in (
        ("campus_id", ["1", True, 1.5, 10**30, -1, 0, None, [1]]),
        ("exam_date", [0, 1764000000, "2026-11-23T00:00:00", "2026-02-30", "20261123", "0001-01-01", "9999-12-31", True, "２０２６-11-23"]),
        ("examinee_id", [1, "x", "0192f0c4", True]),
        ("item_group_ids", ["", {}, [1], [NOBODY] * 101, None]),
    ):  # fmt: skip
        for value in values:
            key = {"Idempotency-Key": secrets.token_hex(8)}
            answer = await front.post("/api/v1/exams", json={**order, field: value}, headers=key)
            assert told(answer, 422, "invalid")["errors"][0]["pointer"].startswith(f"/{field}"), (field, value)
    for query in (
        "exam_date=0",
        "exam_date=1764000000",
        "campus_id=32001",
        "campus_id=99999999999999999999",
        "page_size=201",
        "page_size=0",
    ):
        told(await front.get(f"/api/v1/exams?{query}"), 422, "invalid")
    assert (await front.post(SEARCH, content=b'{"q": "zs", "q": "ls"}', headers=JSON)).status_code == 200


async def test_control_characters_and_broken_encodings_are_refused_wherever_they_come(front: httpx.AsyncClient) -> None:
    for escape in (rb"\u0000", rb"\u001c", rb"\u000b", rb"\b", rb"\f", rb"\uFFFE", rb"\\\u0000"):
        answer = await front.post(SEARCH, content=b'{"q": "a' + escape + b'"}', headers=JSON)
        told(answer, 422, "forbidden-character")
    utf_16 = '{"q": "a\\u0000"}'.encode("utf-16-le")
    told(await front.post(SEARCH, content=utf_16, headers=JSON), 400, "malformed-body")
    for fine in (rb"\\u0000", rb"\\b", rb"\t\r\n", rb"\u4e2d"):
        assert (await front.post(SEARCH, content=b'{"q": "a' + fine + b'"}', headers=JSON)).status_code == 200
    surrogate = told(await front.post(SEARCH, content=rb'{"q": "\ud800"}', headers=JSON), 422, "invalid")
    assert surrogate["errors"][0]["pointer"] == "/q"
    for path in (
        "items?q=%00",
        "items?q=%ff",
        "items?q=%ed%a0%80",
        "items?q=%0b",
        "external-codes?system=%00",
        "exam-packages?q=%C3%28",
    ):
        told(await front.get(f"/api/v1/{path}"), 422, "forbidden-character")
    for path in ("/api/v1/roles/a%00b", "/api/v1/roles/%ff"):
        told(await front.get(path), 422, "forbidden-character")


async def test_a_page_token_is_ours_or_refused(front: httpx.AsyncClient, sign_in: SignIn) -> None:
    page = (await front.get("/api/v1/items?page_size=2")).json()
    token = page["next_page_token"]
    following = (await front.get(f"/api/v1/items?page_size=2&page_token={token}")).json()["items"]
    assert {i["id"] for i in following}.isdisjoint({i["id"] for i in page["items"]})
    forged = ("A" if token[0] != "A" else "B") + token[1:]
    for bad in (forged, token[:-3], "x", "", "====", "%F0%9F%98%80", "a" * 600):
        said = told(await front.get(f"/api/v1/items?page_token={bad}"), 422, "page-token-invalid")
        assert said["errors"][0]["pointer"] == "query:page_token"
    # A token belongs to its list and its filters.
    told(await front.get(f"/api/v1/exam-packages?page_token={token}"), 422, "page-token-invalid")
    told(await front.get(f"/api/v1/items?q=W&page_token={token}"), 422, "page-token-invalid")
    told(await front.get(f"/api/v1/items?page_token={'a' * 601}"), 422, "invalid")


async def test_a_clinical_write_needs_the_version_it_was_read_at(sign_in: SignIn) -> None:
    front = await sign_in("front")
    met = await front.post(
        "/api/v1/examinees", headers={"Idempotency-Key": secrets.token_hex(8)},
        json={"campus_id": 1, "name": "版本", "sex": "male", "birth_date": "1990-01-01", "id_kind": "passport", "id_number": f"E{secrets.randbelow(10**8):08d}"},
    )  # fmt: skip
    assert met.status_code == 201, met.text
    place = f"/api/v1/examinees/{met.json()['id']}"
    missing = told(await front.patch(place, json={"nation": "壮族"}), 428, "precondition-required")
    assert missing["errors"][0]["pointer"] == "header:If-Match"
    for tag in ('"99"', "*", 'W/"1"', '"x"', '"' + "9" * 30 + '"'):
        told(await front.patch(place, json={"nation": "壮族"}, headers={"If-Match": tag}), 412, "precondition-failed")
    good = await front.patch(place, json={"nation": "壮族"}, headers={"If-Match": met.headers["etag"]})
    assert good.status_code == 200
    told(
        await front.patch(place, json={"nation": "汉族"}, headers={"If-Match": met.headers["etag"]}),
        412,
        "precondition-failed",
    )


async def test_an_idempotency_key_is_required_replayed_guarded_and_held(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front = await sign_in("front")
    who = (await front.get("/api/v1/auth/principal")).json()["id"]
    key = secrets.token_hex(8)
    body = {
        "campus_id": 1, "name": "幂等", "sex": "female", "birth_date": "1991-01-01", "id_kind": "passport",
        "id_number": f"G{secrets.randbelow(10**8):08d}",
    }  # fmt: skip
    missing = told(await front.post("/api/v1/examinees", json=body), 400, "idempotency-key-missing")
    assert missing["errors"][0]["pointer"] == "header:Idempotency-Key"
    for bad in ("short", "x" * 121, "has a space"):
        told(await front.post("/api/v1/examinees", json=body, headers={"Idempotency-Key": bad}), 422, "invalid")
    lock = f"{who}|meetExaminee|{key}"
    await admin.execute("select pg_advisory_lock(hashtextextended($1, 4))", lock)
    told(
        await front.post("/api/v1/examinees", json=body, headers={"Idempotency-Key": key}), 409, "request-still-running"
    )
    await admin.execute("select pg_advisory_unlock(hashtextextended($1, 4))", lock)
    first = await front.post("/api/v1/examinees", json=body, headers={"Idempotency-Key": key})
    again = await front.post("/api/v1/examinees", json=body, headers={"Idempotency-Key": key})
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    other = await front.post("/api/v1/examinees", json={**body, "name": "别人"}, headers={"Idempotency-Key": key})
    told(other, 422, "idempotency-key-reused")
    both = await asyncio.gather(
        *(front.post("/api/v1/examinees", json=body, headers={"Idempotency-Key": key + "b"}) for _ in range(6))
    )
    assert {a.status_code for a in both} <= {201, 409}
    assert len({a.text for a in both if a.status_code == 201}) == 1


async def test_an_unknown_exception_says_nothing_internal_and_names_its_request(
    runtime: Runtime, logged: io.StringIO
) -> None:
    app = application.create(runtime)

    async def fail() -> None:
        secret = MARKER
        raise RuntimeError(f"select * from staff where name = '{secret}'")

    app.router.routes.insert(0, OperationRoute("/api/v1/fail", fail, methods=["GET"]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/api/v1/fail", headers={"X-Request-Id": "find-me-0001", "Accept-Language": "en"})
    said = told(answer, 500, "internal-error")
    assert said["request_id"] == "find-me-0001"
    assert said["errors"] == []
    for word in (MARKER, "RuntimeError", "select", "Traceback", ".py"):
        assert word not in answer.text
    lines = [json.loads(line) for line in logged.getvalue().splitlines() if "request.failed" in line]
    assert [line["request_id"] for line in lines] == ["find-me-0001"]
    assert lines[0]["error"].startswith("RuntimeError")
    assert any("fail" in frame for frame in lines[0]["frames"])
    assert MARKER not in logged.getvalue()


async def test_every_answer_carries_the_headers_that_browsers_need(anonymous: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/healthz", "/api/v1/exams", "/nowhere", "/static/swagger-ui.css"):
        headers = (await anonymous.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
