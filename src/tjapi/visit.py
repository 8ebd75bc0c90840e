"""`make visit`: one whole visit, played against a running server as its users would: over HTTP, with the LIS answering over MLLP.

It knows nothing of the server but `STATE/demo.json` and the contract.
"""

import asyncio
import hashlib
import io
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

_PATIENCE_SECONDS = 40
_FAMILY = ("覃", "韦", "黄", "农", "蒙", "陆", "区", "单", "曾", "仇", "莫", "梁")
_GIVEN = ("桂兰", "志远", "小燕", "建国", "美玲", "子轩", "雨桐", "文昊", "秀英", "一诺", "䶮", "壮")
_GLUCOSE = "血糖"
_REGION = "690101"  # no such administrative division: GB/T 2260 has none that begins with 69
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class VisitFailedError(Exception):
    """A step did not give what the contract promises."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What `STATE/demo.json` tells."""

    base_url: str
    state: Path
    ports: dict[str, int]
    logins: dict[str, Any]
    clients: dict[str, Any]

    @classmethod
    def read(cls, state: Path, port: int | None = None) -> "Demo":
        """Read the file; a port given by hand wins."""
        told = json.loads((state / "demo.json").read_text(encoding="utf-8"))
        base = f"http://127.0.0.1:{port}" if port else told["base_url"]
        return cls(base, state, told["ports"], told["logins"], told["clients"])


@dataclass(slots=True)
class Actor:
    """Somebody signed in."""

    http: httpx.AsyncClient
    token: str
    calls: int = field(default=0)

    async def __call__(self, method: str, path: str, *, expect: int = 200, **options: Any) -> httpx.Response:
        """Call an operation and insist on its answer."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **options)
        if answer.status_code != expect:
            raise VisitFailedError(f"{method} {path}: {answer.status_code}, not {expect}: {answer.text[:600]}")
        return answer


def id_number(born: date, sex: str) -> str:
    """Return a number that would be somebody's of this birth and sex, were there such a place (GB 11643)."""
    order = secrets.randbelow(499) * 2 + (1 if sex == "male" else 2)
    body = f"{_REGION}{born:%Y%m%d}{order % 1000:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def invented_person(sex: str = "") -> dict[str, Any]:
    """Return an ID-card reader's payload of a person who does not exist, of either sex if none is said."""
    sex = sex or secrets.choice(("male", "female"))
    born = date(1950, 1, 1) + timedelta(days=secrets.randbelow(50 * 365))
    return {
        "name": secrets.choice(_FAMILY) + secrets.choice(_GIVEN), "sex": sex, "nation": "壮族", "birth_date": born.isoformat(),
        "address": "示例市示例路 1 号", "id_kind": "resident", "id_number": id_number(born, sex), "phone": f"199{secrets.randbelow(10**8):08d}",
    }  # fmt: skip


async def seal_holds(pdf: bytes, authority_pem: bytes) -> tuple[bool, str]:
    """Ask pyHanko, and nothing of ours, whether one signature covers the whole file, is intact, and is of the authority."""
    reader = PdfFileReader(io.BytesIO(pdf))
    signatures = reader.embedded_signatures
    if len(signatures) != 1:
        return False, f"{len(signatures)} signatures"
    _, _, der = pem.unarmor(authority_pem)
    trust = ValidationContext(trust_roots=[x509.Certificate.load(der)], allow_fetching=False)
    status = await async_validate_pdf_signature(signatures[0], signer_validation_context=trust)
    whole = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    return bool(status.bottom_line and whole), status.summary()


def _key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(16)}


async def play(demo: Demo, *, quiet: bool = False) -> dict[str, Any]:
    """Play one visit and return what came of it. Raises VisitFailedError."""
    began = time.monotonic()

    def say(step: str) -> None:
        if not quiet:
            print(f"[{time.monotonic() - began:5.2f}s] {step}", file=sys.stderr, flush=True)

    async with httpx.AsyncClient(base_url=demo.base_url, timeout=30, trust_env=False) as http:
        return await _play(demo, http, say, began)


async def _play(demo: Demo, http: httpx.AsyncClient, say: Callable[[str], None], began: float) -> dict[str, Any]:
    front, doctor, reviewer, chief = [
        await sign_in(http, demo, name) for name in ("front", "doctor", "reviewer", "chief")
    ]
    say("signed in: front desk, doctor, first reviewer, chief")
    card = invented_person()
    person = (await front("POST", "/examinees", expect=201, json={"campus_id": 1, **card}, headers=_key())).json()
    say(f"ID card read: examinee {person['id']}")
    packages = (await front("GET", "/exam-packages", params={"page_size": 200})).json()["items"]
    package = next(p for p in packages if p["sex"] in ("any", card["sex"]))
    order = {"campus_id": 1, "examinee_id": person["id"], "package_id": package["id"]}
    exam = (await front("POST", "/exams", expect=201, json=order, headers=_key())).json()
    say(
        f"exam {exam['exam_no']} registered: {package['name']}, {len(exam['lines'])} lines, {exam['total_fen'] / 100:.2f} yuan"
    )
    desk = (await front("POST", f"/exams/{exam['id']}:check-in", headers=_key())).json()
    say(f"checked in: {len(desk['tubes'])} tubes")
    for tube in desk["tubes"]:
        await front("POST", f"/tubes/{tube['id']}:collect")
    say("specimens collected")
    await _enter_departments(doctor, exam, say)
    await _wait_until_complete(doctor, exam["id"], say)
    critical_seconds = await _critical_value(demo, http, reviewer, exam["id"], desk["tubes"], say)
    report = await _review_and_report(reviewer, chief, exam["id"], say)
    pdf = await _download_as_owner(demo, http, exam, card, desk, report["id"])
    digest = hashlib.sha256(pdf).hexdigest()
    if digest != report["sha256"] or not pdf.startswith(b"%PDF-"):
        raise VisitFailedError("the downloaded PDF is not the one whose hash the report names")
    folder = demo.state / "visits"
    folder.mkdir(exist_ok=True)
    path = folder / f"{exam['exam_no']}.pdf"
    path.write_bytes(pdf)
    say(f"the examinee downloaded the report: {report['pages']} pages, {len(pdf)} bytes")
    authority = (await front("GET", "/seal-authority")).json()["pem"]
    seal_valid, seal_says = await seal_holds(pdf, authority.encode())
    say(f"pyHanko on the seal, against the hospital's published certificate: {seal_says}")
    if not seal_valid:
        raise VisitFailedError(f"the seal does not hold: {seal_says}")
    return {
        "exam_no": exam["exam_no"], "exam_id": exam["id"], "report_id": report["id"], "pdf": str(path), "sha256": digest,
        "seal_valid": seal_valid,
        "critical_seconds": critical_seconds, "elapsed_seconds": round(time.monotonic() - began, 3),
    }  # fmt: skip


async def sign_in(http: httpx.AsyncClient, demo: Demo, name: str) -> Actor:
    """Sign in under a demo login. Raises VisitFailedError."""
    login = demo.logins[name]
    answer = await http.post("/api/v1/auth/token", json={"username": login["username"], "password": login["password"]})
    if answer.status_code != httpx.codes.OK:
        raise VisitFailedError(f"{name} cannot sign in: {answer.status_code}")
    return Actor(http, answer.json()["access_token"])


async def _enter_departments(doctor: Actor, exam: dict[str, Any], say: Callable[[str], None]) -> None:
    for department in sorted({line["department_id"] for line in exam["lines"] if line["performed_by"] == "department"}):
        place = f"/exams/{exam['id']}/departments/{department}"
        answer = await doctor("GET", f"{place}/sheet")
        results = [
            {"item_id": item["item_id"], "value": _finding(item)}
            for item in answer.json()["items"]
            if item["entered_here"]
        ]
        stored = await doctor(
            "PUT", f"{place}/results", json={"results": results}, headers={"If-Match": answer.headers["etag"]}
        )
        signed = await doctor("POST", f"{place}/sheet:sign", json={}, headers={"If-Match": stored.headers["etag"]})
        found = [line["finding_code"] for line in signed.json()["lines"]]
        say(f"department {department}: {len(results)} results entered, signed; found: {', '.join(found) or 'nothing'}")


def _finding(item: dict[str, Any]) -> str:
    """Return what a doctor might find: a value near the middle of the range, or the normal wording."""
    likely = {"HEIGHT": "168", "WEIGHT": "64.5", "SBP": "142", "DBP": "84", "PULSE": "72", "HR": "72"}
    if item["item_code"] in likely:
        return likely[item["item_code"]]
    if item["kind"] == "numeric":
        return "70"
    if item.get("choices"):
        return str(item["choices"][0])
    return item.get("normal_default") or "未见异常"


async def _wait_until_complete(doctor: Actor, exam_id: str, say: Callable[[str], None]) -> None:
    deadline, told = time.monotonic() + _PATIENCE_SECONDS, ""
    while True:
        answer = (await doctor("GET", f"/exams/{exam_id}/completeness")).json()
        if answer["complete"]:
            say("nothing outstanding: the laboratory's results are filed")
            return
        waiting = "; ".join(o["en"] for o in answer["outstanding"])
        if waiting != told:
            say(f"outstanding: {waiting}")
            told = waiting
        if time.monotonic() > deadline:
            raise VisitFailedError(f"still outstanding after {_PATIENCE_SECONDS} s: {waiting}")
        await asyncio.sleep(0.1)


async def _critical_value(
    demo: Demo, http: httpx.AsyncClient, reviewer: Actor, exam_id: str, tubes: list[dict[str, Any]], say: Callable[[str], None]
) -> float:  # fmt: skip
    """The laboratory corrects the glucose to a critical value; return the seconds until a reviewer's screen shows it, and see to it."""
    tube = next(t for t in tubes if any(_GLUCOSE in group for group in t["groups"]))
    headers = {"Authorization": f"Bearer {reviewer.token}"}
    async with http.stream("GET", "/api/v1/live-events", headers=headers, timeout=_PATIENCE_SECONDS) as screen:
        lines = screen.aiter_lines()
        await anext(lines)
        began = time.monotonic()
        control = f"http://127.0.0.1:{demo.ports['lis_control']}/correct"
        changed = {"barcode": tube["barcode"], "code": "GLU", "value": "25.0"}
        (await http.post(control, json=changed)).raise_for_status()
        alert = await asyncio.wait_for(_alert(lines, exam_id), _PATIENCE_SECONDS)
        seconds = round(time.monotonic() - began, 3)
    say(f"critical glucose corrected by the laboratory: on the reviewer's screen after {seconds} s")
    place = f"/critical-values/{alert['critical_value_id']}"
    answer = await reviewer("GET", place)
    steps: tuple[tuple[str, dict[str, Any] | None], ...] = (
        ("confirm", None),
        ("notify", {"channel": "in_person", "told": "本人", "reached": True, "read_back": "血糖 25.0,现在去急诊"}),
        ("follow-up", {"note": "已在急诊处理"}),
        ("close", {"outcome": "急诊处理后复查 9.6,转内分泌科"}),
    )
    for verb, body in steps:
        answer = await reviewer("POST", f"{place}:{verb}", json=body, headers={"If-Match": answer.headers["etag"]})
    say(f"seen to: {answer.json()['explanation']}; {answer.json()['state']}")
    return seconds


async def _alert(lines: AsyncIterator[str], exam_id: str) -> dict[str, Any]:
    async for line in lines:
        if line.startswith("data: "):
            event = json.loads(line.removeprefix("data: "))
            if event["topic"] == "critical_value" and event["data"]["exam_id"] == exam_id:
                return dict(event["data"])
    raise VisitFailedError("the live stream ended before the critical value was seen")


async def _review_and_report(reviewer: Actor, chief: Actor, exam_id: str, say: Callable[[str], None]) -> dict[str, Any]:
    place = f"/exams/{exam_id}/conclusion"
    await reviewer("POST", f"{place}:claim")
    answer = await reviewer("GET", place)
    answer = await reviewer("POST", f"{place}:generate", headers={"If-Match": answer.headers["etag"]})
    entries = answer.json()["entries"]
    say(f"claimed, and the conclusion made: {', '.join(e['title'] for e in entries) or 'nothing found'}")
    answer = await reviewer("POST", f"{place}:sign", headers={"If-Match": answer.headers["etag"]})
    say("first review signed")
    await chief("POST", f"{place}:finalize", headers={"If-Match": answer.headers["etag"]})
    say("final sign-off by another person")
    report = (await chief("POST", f"/exams/{exam_id}/reports", expect=202, headers=_key())).json()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (job := (await chief("GET", f"/jobs/{report['job_id']}")).json())["state"] in ("queued", "running"):
        if time.monotonic() > deadline:
            raise VisitFailedError("the report was not rendered in time")
        await asyncio.sleep(0.05)
    if job["state"] != "succeeded":
        raise VisitFailedError(f"the report job is {job['state']}: {job['error']}")
    published: dict[str, Any] = (await chief("POST", f"/reports/{report['id']}:publish")).json()
    say("report rendered and published")
    return published


async def _download_as_owner(
    demo: Demo,
    http: httpx.AsyncClient,
    exam: dict[str, Any],
    card: dict[str, Any],
    desk: dict[str, Any],
    report_id: str,
) -> bytes:
    client = demo.clients["mini-program"]
    answer = await http.post(
        "/api/v1/auth/client-token", json={"client_id": client["client_id"], "client_secret": client["client_secret"]}
    )
    if answer.status_code != httpx.codes.OK:
        raise VisitFailedError(f"the mini-program cannot sign in: {answer.status_code}")
    program = Actor(http, answer.json()["access_token"])
    given = {
        "exam_no": exam["exam_no"],
        "access_code": desk["access"]["access_code"],
        "id_number_last4": card["id_number"][-4:],
    }
    owner = Actor(http, (await program("POST", "/auth/examinee-token", json=given)).json()["access_token"])
    mine = (await owner("GET", "/me/reports")).json()["items"]
    if [r["id"] for r in mine] != [report_id]:
        raise VisitFailedError("the examinee does not see exactly the own report")
    return (await owner("GET", f"/me/reports/{report_id}/pdf")).content


async def run(state: Path, port: int | None) -> int:
    """Play a visit, print what came of it as one JSON object; the exit code says whether it succeeded."""
    try:
        result = await play(Demo.read(state, port))
    except (VisitFailedError, httpx.HTTPError, OSError) as error:
        print(f"visit failed: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result, ensure_ascii=False))
    return 0
