"""What was found of a private item (私密项目) is seen by whom the right allows, and by nobody else through any door.

One person has a positive HIV test and a pregnancy; somebody who holds every right but those to private items asks every read of the contract
about them, and commands what answers with results. Neither the item nor the value is anywhere: in no body, no document, no log, no audit row.
"""

import hashlib
import hmac
import itertools
import json
import re
import runpy
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pypdfium2 as pdfium
import pytest

from tests.access.conftest import API, A, Visit, World, do, fresh, once
from tjapi.catalog.rules import names_any
from tjapi.conclusion.rules import overview_of
from tjapi.exam.rules import logged_item
from tjapi.identity.rules import APART, NOT_FOR_STAFF, PERMISSIONS
from tjapi.kernel.schema import connect, statements
from tjapi.kernel.security.principal import NOBODY, Principal
from tjapi.visit import invented_person

pytestmark = [pytest.mark.xdist_group("access"), pytest.mark.requirement("X7", "E3.1")]
VALUE = "48713"
SECRET = re.compile(rf"HIV|HCG|{VALUE}|妊娠试验|艾滋|X9Q7")
RIGHTS = {
    "private.read",
    "private.consent",
    "private.report",
    "conclusion.review",
    "conclusion.finalize",
    "result.write",
}
# What the hospital offers and knows is nobody's secret: these tell of no person.
OF_NOBODY = {
    "listItems", "getItem", "listItemGroups", "getItemGroup", "listExamPackages", "getExamPackage", "listExternalCodes", "exportCatalog", "listFindings",
    "listKnowledgeRules", "listKnowledgeVersions", "getKnowledgeChanges", "listDictionaries", "listRoles", "getRole", "getSealAuthority",
}  # fmt: skip
ENDLESS = {"followLiveEvents"}
GROUPS = {"CBC": "血常规", "HIV": "HIV抗原抗体", "BHCG": "血清β-HCG"}
ROWS = {
    "CBC": [
        ("NM", "WBC", "6.2"),
        ("NM", "RBC", "4.4"),
        ("NM", "HGB", "130"),
        ("NM", "HCT", "0.40"),
        ("NM", "PLT", "220"),
    ],
    "HIV": [("ST", "HIVAB", "阳性")],
    "BHCG": [("NM", "BHCG", VALUE)],
}
UNREAD = "浊度X9Q7"
_seconds = itertools.count(1)


async def _report(
    world: World,
    visit: Visit,
    tubes: list[dict[str, Any]],
    code: str,
    critical: str = "BHCG",
    barcode: str | None = None,
) -> str:
    at, number, card = f"202611300800{next(_seconds):02d}+0000", fresh("P"), visit.card
    tube = next(t for t in tubes if any(name.startswith(GROUPS[code]) for name in t["groups"]))
    segments = [
        f"MSH|^~\\&|LIS|LAB|TJAPI||{at}||ORU^R01^ORU_R01|{number}|P|2.5.1|||||CHN|UNICODE UTF-8",
        f"PID|1||{visit.exam_no}^^^TJ^VN||{card['name']}||{card['birth_date'].replace('-', '')}|{card['sex'][0].upper()}",
        "ORC|RE", f"OBR|1||F{number}|{code}^{GROUPS[code]}^L|||{at}|||||||||||||||{at}|||F",
        *(f"OBX|{i}|{kind}|{item}^{item}^L||{value}|||{'HH' if item == critical else ''}|||F" for i, (kind, item, value) in enumerate(ROWS[code], 1)),
        f"SPM|1|{barcode or tube['barcode']}",
    ]  # fmt: skip
    headers = {"X-Source": "lis", "X-Message-Id": number, "Content-Type": "application/hl7-v2"}
    body = ("\r".join(segments) + "\r").encode()
    made = await do(world.clients["client_gateway"], "POST", "/inbound-messages", 202, content=body, headers=headers)
    world.wake()
    return str(made.json()["id"])


async def _registered(world: World) -> tuple[Visit, dict[str, dict[str, Any]]]:
    front, card = world.clients["front_desk"], invented_person("female")
    person = (await do(front, "POST", "/examinees", 201, json={"campus_id": A, **card}, headers=once())).json()
    ids: dict[str, dict[str, Any]] = {}
    for code in GROUPS:
        found = (await do(front, "GET", "/item-groups", params={"q": code, "page_size": 200})).json()["items"]
        ids |= {g["code"]: g["id"] for g in found}
    order = {"campus_id": A, "examinee_id": person["id"], "item_group_ids": [ids[c] for c in GROUPS]}
    exam = (await do(front, "POST", "/exams", 201, json=order, headers=once())).json()
    lines = {line["code"]: line for line in exam["lines"]}
    return Visit(card, person["id"], exam["id"], exam["exam_no"], exam["lines"]), lines


async def _outsider(world: World) -> httpx.AsyncClient:
    """Somebody who may do everything but see what is private, and works in another department."""
    permissions = sorted(PERMISSIONS.keys() - NOT_FOR_STAFF - RIGHTS - (APART - {"audit.read"}))
    body = {"name_zh": "除私密外全部权限", "name_en": "All but what is private", "permissions": permissions}
    await do(world.clients["security"], "PUT", "/roles/all_but_private", json=body)
    return await world.newcomer(roles=["all_but_private"], all_departments=True)


async def _written_before(world: World, exam_id: str, titles: list[str]) -> None:
    """Words of a release that knew nothing of private items: a machine's go and are made anew, a person's are looked at again."""
    upgrade = runpy.run_path("migrations/versions/2026_11_30_1900_private_words.py")
    machine = overview_of(titles)
    admin = await connect(world.runtime.settings)
    for words, left in ((f"{machine}\n请复查", (f"{machine}\n请复查", True)), (machine, ("", False))):
        await admin.execute(
            "update conclusion set overview = $1, overview_stale = false where exam_id = $2", words, UUID(exam_id)
        )
        for statement in statements(upgrade["FOLLOW"]):
            await admin.execute(statement)
        row = await admin.fetchrow("select overview, overview_stale from conclusion where exam_id = $1", UUID(exam_id))
        assert tuple(row) == left
        assert await admin.fetchval(
            "select count(*) from exam_block where exam_id = $1 and code = 'conclusion_stale'", UUID(exam_id)
        )
    # One that was not gone over is nobody's words all the same.
    await admin.execute("update conclusion set overview = $1 where exam_id = $2", machine, UUID(exam_id))
    await admin.close()
    reviewer = world.clients["reviewer"]
    now = await do(reviewer, "GET", f"/exams/{exam_id}/conclusion")
    anew = await do(
        reviewer, "POST", f"/exams/{exam_id}/conclusion:generate", headers={"If-Match": now.headers["etag"]}
    )
    assert anew.json()["overview"] != machine


async def _signed_before(world: World, visit: Visit, titles: list[str]) -> None:
    """A report that is rendered anew leaves out what was signed of it; one that was printed before is seen by the person."""
    admin = await connect(world.runtime.settings)
    for table in ("conclusion", "department_sheet"):
        await admin.execute(f"alter table {table} disable trigger user")
    said = "本次体检主要发现：\n" + "\n".join(f"{i}. {title}" for i, title in enumerate([*titles, "轻度脂肪肝"], 1))
    await admin.execute("update conclusion set overview = $1 where exam_id = $2", said, UUID(visit.exam_id))
    for table in ("conclusion", "department_sheet"):
        await admin.execute(f"alter table {table} enable trigger user")
    first, visit.report_id = visit.report_id, await world.render(visit)
    anew = _text(await do(world.clients["chief"], "GET", f"/reports/{visit.report_id}/pdf"))
    assert "轻度脂肪肝" in anew
    assert not [title for title in titles if title in anew]
    await do(world.clients["chief"], "POST", f"/reports/{visit.report_id}:publish")
    outsider, examinee = await _outsider(world), await world.examinee(visit)
    place = f"/exams/{visit.exam_id}"
    await admin.execute("alter table department_sheet disable trigger user")
    await admin.execute(
        "insert into department_sheet (exam_id, department_id, campus_id, version, state, summary) values ($1, 4, 1, 1, 'draft', $2)"
        " on conflict (exam_id, department_id) do update set summary = $2", UUID(visit.exam_id), said,
    )  # fmt: skip
    for read in ("/conclusion", "/review", "/results", "/departments/4/sheet"):
        told = [await do(who, "GET", f"{place}{read}") for who in (outsider, world.clients["chief"])]
        hidden, whole = (json.dumps(answer.json(), ensure_ascii=False) for answer in told)
        assert "1. 轻度脂肪肝" in hidden, (read, "the rest of what was signed is read")
        assert not [title for title in titles if title in hidden], read
        assert all(title in whole for title in titles), read
    await admin.execute("delete from department_sheet where exam_id = $1 and department_id = 4", UUID(visit.exam_id))
    await admin.execute("alter table department_sheet enable trigger user")
    assert (await outsider.get(f"{API}/reports/{first}")).status_code == 200
    await admin.execute(
        "update report set requested_at = '2026-01-01' where id = any($1)", [UUID(first), UUID(visit.report_id)]
    )
    assert (await outsider.get(f"{API}/reports/{first}")).status_code == 404, "it was printed with what is private"
    assert [r["id"] for r in (await do(examinee, "GET", "/me/reports")).json()["items"]] == [visit.report_id]
    await admin.execute(
        "update report set requested_at = now() where id = any($1)", [UUID(first), UUID(visit.report_id)]
    )
    await admin.close()


async def _withdrawn(world: World, place: str, lines: dict[str, dict[str, Any]], delivered: str) -> None:
    """Consent that is taken back: what is not handed over will not be, what was is said, and nobody makes it anew."""
    front, chief = world.clients["front_desk"], world.clients["chief"]

    async def withdraw(code: str) -> dict[str, Any]:
        body = {"line_ids": [lines[code]["id"]], "signature": "本人"}
        told: dict[str, Any] = (await do(front, "POST", f"{place}/lines:withdraw-consent", json=body)).json()
        return told

    first = await withdraw("HIV")
    assert (first["refused"], first["kept_apart"], first["stopped"]) == ([], [lines["HIV"]["id"]], [])
    assert [one["report_id"] for one in first["delivered"]] == [delivered], "it cannot be taken back, and is said"
    again = (await do(chief, "POST", f"{place}/private-reports", 202)).json()
    world.wake()

    async def sealed() -> bool:
        return bool((await do(chief, "GET", f"/reports/{again['id']}")).json()["state"] == "sealed")

    await world.until(sealed)
    printed = _text(await do(chief, "GET", f"/reports/{again['id']}/pdf"))
    assert VALUE in printed
    assert "HIV" not in printed
    assert (await withdraw("BHCG"))["stopped"] == [again["id"]]
    stopped = (await do(chief, "GET", f"/reports/{again['id']}")).json()
    assert (stopped["state"], stopped["failure"]) == ("failed", "consent_withdrawn")
    assert (await chief.post(f"{API}{place}/private-reports")).json()["code"] == "nothing-private"
    assert (await withdraw("BHCG"))["stopped"] == [], "twice is once"


async def _confirmed_words_of_it(world: World, visit: Visit, private: set[str], outsider: httpx.AsyncClient) -> None:
    """Sign and finalize a conclusion, a private entry of which states what nothing supports: who may not see it reads of that nowhere."""
    reviewer, chief = world.clients["reviewer"], world.clients["chief"]
    place = f"/exams/{visit.exam_id}/conclusion"
    now = await do(reviewer, "GET", place)
    fields = ("kind", "title", "detail", "advice", "lifestyle", "result_ids", "key", "keys")
    entries = [{field: e[field] for field in fields} for e in now.json()["entries"]]
    own = next(e for e in entries if set(e["result_ids"]) & private)
    own["detail"] += "，考虑合并肝硬化，已有肝硬化"
    body = {"overview": now.json()["overview"], "entries": entries}
    put = await do(reviewer, "PUT", place, json=body, headers={"If-Match": now.headers["etag"]})
    asked = [word for e in put.json()["entries"] for word in e["asked"]]
    assert asked, "nothing supports it"
    hidden = await do(outsider, "GET", place)
    assert not [word for e in hidden.json()["entries"] for word in e["asked"]]
    tag = {"If-Match": put.headers["etag"]}
    signed = await do(reviewer, "POST", f"{place}:sign", json={"confirmed": asked}, headers=tag)
    assert [one["words"] for one in signed.json()["confirmed"]] == [asked]
    seen = (await do(chief, "GET", place)).json()
    assert [one["words"] for one in seen["confirmed"]] == [asked]
    for path in (place, f"/exams/{visit.exam_id}/review"):
        told = await do(outsider, "GET", path)
        assert "肝硬化" not in told.text
    admin = await connect(world.runtime.settings)
    rows = await admin.fetch("select detail::text from audit_event where action = 'conclusion.confirmed'")
    await admin.close()
    assert rows, "that words were confirmed is audited"
    assert not any("肝硬化" in row[0] for row in rows)
    tag = {"If-Match": signed.headers["etag"]}
    await do(chief, "POST", f"{place}:finalize", headers=tag)


async def test_consent_that_is_taken_back_before_anything_is_drawn_refuses_it(world: World) -> None:
    visit, lines = await _registered(world)
    front, place = world.clients["front_desk"], f"/exams/{visit.exam_id}"
    body = {"line_ids": [lines["HIV"]["id"]], "signature": visit.card["name"]}
    never = await front.post(f"{API}{place}/lines:withdraw-consent", json=body)
    assert (never.status_code, never.json()["errors"][0]["code"]) == (409, "not-consented")
    await do(front, "POST", f"{place}/lines:consent", json=body)
    told = (await do(front, "POST", f"{place}/lines:withdraw-consent", json=body)).json()
    assert (told["refused"], told["kept_apart"], told["delivered"]) == ([lines["HIV"]["id"]], [], [])
    now = {x["code"]: x for x in (await do(front, "GET", place)).json()["lines"]}["HIV"]
    assert (now["state"], now["consented_at"]) == ("refused", None)
    await do(front, "POST", f"{place}/lines:reinstate", json={"line_ids": body["line_ids"], "reason": "本人又同意"})
    now = {x["code"]: x for x in (await do(front, "GET", place)).json()["lines"]}["HIV"]
    assert now["state"] == "ordered", "it waits until the person agrees anew"


def _text(answer: httpx.Response) -> str:
    if answer.headers.get("content-type", "").startswith("application/pdf"):
        document = pdfium.PdfDocument(answer.content)
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    return answer.text


def _reads(contract: dict[str, Any], known: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield every read of the contract with its path filled in: its operation and the path, once for each thing it may be asked of."""
    for path, verbs in contract["paths"].items():
        operation = verbs.get("get")
        if operation is None or operation["operationId"] in ENDLESS:
            continue
        names = re.findall(r"{(\w+)}", path)
        if any(name not in known for name in names):
            continue
        filled = [path]
        for name in names:
            filled = [one.replace(f"{{{name}}}", value) for one in filled for value in known[name]]
        for one in filled:
            yield operation["operationId"], one


async def test_what_is_private_waits_for_consent_and_shows_to_those_alone_who_may_see_it(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    visit, lines = await _registered(world)
    front, chief, reviewer, doctor = (world.clients[c] for c in ("front_desk", "chief", "reviewer", "doctor"))
    assert {c: x["state"] for c, x in lines.items()} == {"CBC": "released", "HIV": "ordered", "BHCG": "ordered"}
    await world.check_in(visit)
    assert [len(t["groups"]) for t in visit.tubes] == [1], "nobody agreed to more than the blood count"
    place = f"/exams/{visit.exam_id}"
    body = {"line_ids": [lines["HIV"]["id"], lines["BHCG"]["id"]], "signature": visit.card["name"]}
    plain = await front.post(f"{API}{place}/lines:consent", json=body | {"line_ids": [lines["CBC"]["id"]]})
    assert (plain.status_code, plain.json()["errors"][0]["code"]) == (409, "not-private")
    assert (await chief.post(f"{API}{place}/lines:consent", json=body)).status_code == 403
    for _ in "twice is once":
        agreed = (await do(front, "POST", f"{place}/lines:consent", json=body)).json()
    assert {x["code"] for x in agreed["lines"] if x["private"] and x["consented_at"]} == {"HIV", "BHCG"}
    steps = (await do(front, "GET", f"{place}/line-steps")).json()["items"]
    assert [x["signature"] for x in steps if x["action"] == "consented"] == [visit.card["name"]] * 2

    tubes = (await do(front, "GET", f"{place}/tubes")).json()["items"]
    for tube in tubes:
        await do(front, "POST", f"/tubes/{tube['id']}:collect")
    # What nobody can read comes first: it is asked about, and is as private as what it is asked of.
    ROWS["HIV"] = [("ST", "HIVAB", UNREAD)]
    messages = [await _report(world, visit, tubes, "HIV")]
    ROWS["HIV"] = [("ST", "HIVAB", "阳性")]

    async def asked_about() -> bool:
        asked = await do(chief, "GET", "/result-questions", params={"exam_id": visit.exam_id})
        return UNREAD in asked.text

    await world.until(asked_about)
    messages += [await _report(world, visit, tubes, code) for code in GROUPS]
    # Of nobody known, and critical: whoever looks after messages sees that it is there, and that somebody must act.
    unfilable = await _report(
        world, replace(visit, exam_no="A2611300000X"), tubes, "HIV", critical="HIVAB", barcode="0000000"
    )

    async def filed() -> bool:
        found = (await do(chief, "GET", f"{place}/results")).json()["departments"]
        return sum(len(d["results"]) for d in found) >= len(GROUPS) + 4

    await world.until(filed)
    outsider = await _outsider(world)
    admin = await connect(world.runtime.settings)

    async def quarantined() -> bool:
        state = await admin.fetchval("select state from inbox_message where id = $1", UUID(unfilable))
        return state not in ("received", None)

    await world.until(quarantined)
    # Nobody knows of whom it is: those of one campus see it where somebody gave it to theirs.
    await admin.execute("update inbox_message set campuses = array[1]::smallint[] where id = $1", UUID(unfilable))
    await admin.close()
    held = (await do(outsider, "GET", f"/inbound-messages/{unfilable}")).json()
    assert (held["detail"], held["alarming"]) == ({"private": True}, True), held
    listed = await do(outsider, "GET", "/inbound-messages", params={"alarming": True})
    assert unfilable in listed.text
    assert not SECRET.search(listed.text)
    assert (await outsider.get(f"{API}/inbound-messages/{unfilable}/raw")).status_code == 403
    messages.append(unfilable)
    # Nothing of it is written where the main report would print it.
    sheet = await do(doctor, "GET", f"{place}/departments/4/sheet")
    body = {"lines": [{"text": "hiv抗体阳性"}]}
    named = await doctor.put(
        f"{API}{place}/departments/4/summary", json=body, headers={"If-Match": sheet.headers["etag"]}
    )
    assert (named.status_code, named.json()["code"]) == (409, "summary-names-private"), named.text
    shown = (await do(chief, "GET", f"{place}/results")).json()["departments"][0]["results"]
    private = {r["item_code"]: r["id"] for r in shown if r["item_code"] in ("HIVAB", "BHCG")}
    assert set(private) == {"HIVAB", "BHCG"}, "who reviews sees them"
    own = (await do(doctor, "GET", f"{place}/results")).json()["departments"][0]["results"]
    other = (await do(world.clients["other_department"], "GET", f"{place}/results")).json()["departments"]
    assert {r["item_code"] for r in own} >= set(private), "who performs everything sees them"
    assert not {r["item_code"] for d in other for r in d["results"]} & set(private)

    # Every command on the way that answers with the exam.
    asked = (await do(outsider, "GET", f"{place}/completeness")).json()["outstanding"]
    assert "pregnant_asked" in {one["code"] for one in asked}
    assert not SECRET.search(json.dumps(asked, ensure_ascii=False)), "that a private test hints at it is not told"
    await do(
        world.clients["front_desk"],
        "POST",
        f"{place}:correct-facts",
        json={"pregnant": False, "reason": "已与本人核实"},
    )
    held = await do(outsider, "POST", f"{place}:hold", json={"reason": "休息"})
    resumed = await do(outsider, "POST", f"{place}:resume")
    assert not SECRET.search(held.text + resumed.text)
    assert {x["code"] for x in resumed.json()["lines"]} == {"CBC"}

    query = {"exam_id": visit.exam_id}
    answers = {"undetermined": "abnormal", "unread": "keep", "implausible": "confirmed", "contested": "keep"}
    for _ in range(4):  # what is answered may be asked otherwise
        questions = (await do(chief, "GET", "/result-questions", params=query)).json()["items"]
        for question in (q for q in questions if q["closed_at"] is None):
            answer = {"answer": answers[question["kind"]], "reason": "HIV已核实", "kept_because": "与检验科核对HIV"}
            answer |= {"revision_id": question["values"][-1]["revision_id"]} if question["kind"] == "contested" else {}
            done = await doctor.post(f"{API}/result-questions/{question['id']}:answer", json=answer)
            assert done.status_code == 200, done.text
    # What its laboratory calls critical alarms whoever has to act; what it is they ask who may see it.
    criticals = (await do(chief, "GET", "/critical-values", params=query)).json()["items"]
    alarmed = (await do(outsider, "GET", "/critical-values", params=query)).json()["items"]
    assert [c["id"] for c in criticals] == [c["id"] for c in alarmed]
    assert {c["rule_code"] for c in alarmed} == {"PRIVATE"}
    assert any(VALUE in c["explanation"] for c in criticals)
    for one in criticals:
        at, tag = f"/critical-values/{one['id']}", {"If-Match": '"1"'}
        seen = await do(outsider, "POST", f"{at}:confirm", headers=tag)
        body = {"channel": "phone", "told": "本人", "reached": True, "read_back": f"HCG {VALUE}"}
        told_of = await do(doctor, "POST", f"{at}:notify", json=body, headers={"If-Match": seen.headers["etag"]})
        assert not SECRET.search(seen.text)
        assert VALUE in told_of.text
    completeness = (await do(chief, "GET", f"{place}/completeness")).json()
    assert completeness["outstanding"] == []
    now = await do(reviewer, "GET", f"{place}/conclusion")
    made = await do(reviewer, "POST", f"{place}/conclusion:generate", headers={"If-Match": now.headers["etag"]})
    titles = [e["title"] for e in made.json()["entries"] if set(e["result_ids"]) & set(private.values())]
    assert titles, "what is found of it is concluded"
    assert not any(title in made.json()["overview"] for title in titles), "and the overview tells of nothing private"
    await _written_before(world, visit.exam_id, [e["title"] for e in made.json()["entries"]])
    await _confirmed_words_of_it(world, visit, set(private.values()), outsider)
    visit.report_id = await world.render(visit)
    await do(chief, "POST", f"/reports/{visit.report_id}:publish")
    sealed = (await do(chief, "POST", f"{place}/private-reports", 202)).json()
    assert (sealed["kind"], sealed["version"]) == ("private", 1)
    assert (await outsider.post(f"{API}{place}/private-reports")).status_code == 403
    world.wake()

    async def ready() -> bool:
        return bool((await do(chief, "GET", f"/reports/{sealed['id']}")).json()["state"] == "sealed")

    await world.until(ready)
    apart = _text(await do(chief, "GET", f"/reports/{sealed['id']}/pdf"))
    assert {word in apart for word in ("HIV", VALUE)} == {True}
    assert "血红蛋白" not in apart
    assert "HIV" not in _text(await do(chief, "GET", f"/reports/{visit.report_id}/pdf"))
    await do(chief, "POST", f"/reports/{sealed['id']}:publish")
    await _signed_before(world, visit, titles)

    examinee = await world.examinee(visit)
    mine = (await do(examinee, "GET", "/me/reports")).json()["items"]
    assert [r["id"] for r in mine] == [visit.report_id], "what is private is handed over in person"
    gone = await examinee.get(f"{API}/me/reports/{sealed['id']}/pdf")
    assert gone.status_code == 404

    known = {
        "exam_id": [visit.exam_id], "examinee_id": [visit.person_id], "department_id": ["4"], "report_id": [visit.report_id, sealed["id"]],
        "result_id": list(private.values()), "question_id": [q["id"] for q in questions], "critical_value_id": [c["id"] for c in criticals],
        "message_id": messages, "tube_id": [t["id"] for t in tubes], "job_id": [visit.job_id], "campaign_id": [world.unit["campaign"]],
        "employer_id": [world.unit["employer"]], "member_id": [world.unit["member"]], "campus_id": ["1"],
        "version_id": [(await do(chief, "GET", "/knowledge-versions")).json()["items"][0]["id"]],
    }  # fmt: skip
    contract = (await world.clients["anonymous"].get("/openapi.json")).json()
    told, asked = [], set()
    for operation, path in _reads(contract, known):
        read = await outsider.get(path, params={"day": "2026-11-30"} if operation == "getBoard" else None)
        if read.status_code in (200, 202):
            asked.add(operation)
        assert read.status_code < 500, (operation, read.text)
        if operation not in OF_NOBODY and (found := SECRET.search(_text(read))):
            start = max(found.start() - 80, 0)
            told.append((operation, _text(read)[start : found.end() + 40]))
    assert not told
    assert asked >= {
        "listExamResults", "getExam", "getDepartmentHistory", "listTrends", "getReview", "getConclusion", "listExams", "listRequisitions", "listTubes",
        "getReportContent", "downloadReport", "previewReport", "listCriticalValues", "listResultQuestions", "listExamLineSteps", "listAuditEvents", "listJobs",
    }, sorted(asked)  # fmt: skip
    for result_id in private.values():
        assert (await outsider.get(f"{API}/results/{result_id}/revisions")).status_code == 404
    assert (await outsider.get(f"{API}/reports/{sealed['id']}/pdf")).status_code == 404
    await _withdrawn(world, place, lines, sealed["id"])
    admin = await connect(world.runtime.settings)
    rows = await admin.fetch("select data::text said from live_event union all select detail::text from audit_event")
    await admin.close()
    assert not [r["said"] for r in rows if SECRET.search(r["said"] or "")]
    printed = capfd.readouterr()
    assert not re.search(rf"HIV|{VALUE}", printed.err)


async def test_a_process_of_the_release_before_sees_what_it_saw_and_nothing_private(world: World) -> None:
    database, who = world.runtime.database, Principal("job", NOBODY, departments=None, everywhere=True, private="*o")
    async with database.bare(who) as connection:
        pid, expires = connection.get_server_pid(), int(time.time()) + 60
        old = database.context(replace(who, private=""), pid, expires)
        body = old[:-65].replace("||", "|")
        old = f"{body}|{hmac.digest(database._context_key, body.encode(), hashlib.sha256).hex()}"
        assert old.count("|") == 7
        every = (
            await connection.fetchval("select count(*) from exam"),
            await connection.fetchval("select count(*) from exam_line where private"),
        )
        await connection.fetchval("select set_config('tj.context', $1, false)", old)
        now = (
            await connection.fetchval("select count(*) from exam"),
            await connection.fetchval("select count(*) from exam_line where private"),
        )
        await connection.fetchval("select set_config('tj.context', $1, false)", database.context(who, pid, expires))
    assert every[0] > 0
    assert now == (every[0], 0)


async def test_nothing_private_is_released_without_consent_from_whatever_state(world: World) -> None:
    _, lines = await _registered(world)
    admin = await connect(world.runtime.settings)
    line = UUID(lines["HIV"]["id"])
    await admin.execute("alter table exam_line disable trigger guard_state")
    try:
        for state in ("ordered", "deferred", "specimen_rejected"):
            await admin.execute("update exam_line set state = $2 where id = $1", line, state)
            with pytest.raises(asyncpg.CheckViolationError, match="without consent"):
                await admin.execute("update exam_line set state = 'released' where id = $1", line)
    finally:
        await admin.execute("alter table exam_line enable trigger guard_state")
        await admin.close()


def test_a_word_that_no_charset_holds_hides_no_message() -> None:
    words = {"\ud800", "HIVAB", "艾滋"}
    assert not names_any(b"WBC 6.2", words)
    assert names_any(b"x HIVAB y", words)
    assert names_any("艾滋病".encode("gb18030"), words)


async def test_a_refusal_calls_a_private_line_by_nothing_but_that_it_is_private(world: World) -> None:
    visit, lines = await _registered(world)
    outsider = await _outsider(world)
    body = {"line_ids": [lines["HIV"]["id"]], "reason": "无"}
    refused = await outsider.post(f"{API}/exams/{visit.exam_id}/lines:keep", json=body)
    assert (refused.status_code, "私密项目" in refused.text) == (409, True), refused.text
    again = await outsider.post(f"{API}/exams/{visit.exam_id}/lines:reinstate", json=body)
    assert (again.status_code, "私密项目" in again.text) == (409, True), again.text
    assert not SECRET.search(refused.text + again.text)


def test_the_audit_trail_holds_of_a_private_item_neither_its_code_nor_a_reason() -> None:
    assert logged_item("HIVAB", private=True, reason="HIV标本不足") == {"item": "PRIVATE"}
    assert logged_item("K", private=False, reason="标本不足") == {"item": "K", "reason": "标本不足"}
