"""A served application of its own, in a thread, and a world that was played through every operation of the contract.

The fuzzer breaks what it touches: staff, roles, clients. So it gets a database clone nobody else looks at. The server runs in a
thread because schemathesis speaks blocking HTTP.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import threading
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import requests
import schemathesis
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation

from tests.conftest import MASTER_KEY, clone, serving, settings_for
from tests.tjapi.world import UNREMARKABLE, portrait
from tjapi import app as application
from tjapi import demo, wiring
from tjapi.catalog import service as catalog
from tjapi.conclusion import service as conclusions
from tjapi.critical_value.models import CriticalValue
from tjapi.exam import service as exams
from tjapi.identity import flows
from tjapi.identity import service as identity
from tjapi.identity.rules import NOT_FOR_STAFF, PERMISSIONS
from tjapi.identity.schemas import StaffIn
from tjapi.installation import GATEWAY, client_secret
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect
from tjapi.kernel.seal import make_demo_seal
from tjapi.kernel.security import totp
from tjapi.kernel.settings import Settings, project_file
from tjapi.report import service as reports
from tjapi.result.events import ResultArrivedLate
from tjapi.visit import invented_person

Answer = TypeVar("Answer")
PASSWORD = "Vertrag-4711-xyz"
EVERYTHING = "contract_everything"
SSE = "followLiveEvents"
PDF_BYTES = b"%PDF-1.4 contract"
_FIRST_BYTES = 64
_SECONDS = 180


def _as_is(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


for _media_type in ("application/hl7-v2", "image/jpeg", "image/png"):
    schemathesis.serializer(_media_type)(_as_is)


def offline_document() -> dict[str, Any]:
    """The contract as the code makes it, without any server."""
    settings = Settings(
        state=Path("unused"), database_url="postgresql+asyncpg://localhost/none", master_key=MASTER_KEY, redis_url="redis://127.0.0.1:1"
    )  # fmt: skip
    document: dict[str, Any] = json.loads(json.dumps(application.create(wiring.build(settings)).openapi()))
    return document


def find(document: dict[str, Any], operation_id: str) -> tuple[str, str, dict[str, Any]]:
    """Path, method and definition of an operation."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["operationId"] == operation_id:
                return path, method, operation
    raise LookupError(operation_id)


@dataclass
class Stage:
    """The served application, who is signed in, and the ids of what there is."""

    url: str
    runtime: Runtime
    settings: Settings
    loop: asyncio.AbstractEventLoop
    schema: Any
    http: requests.Session = field(default_factory=requests.Session)
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do something on the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def who(self, operation_id: str) -> str:
        """Who is right for an operation."""
        audience = self.operation(operation_id).definition.raw["x-audience"]
        special = {
            "logout": "leaver",
            "changePassword": "changer",
            "issueExamineeToken": "program",
            "issueMemberToken": "program",
            "receiveMessage": "gateway",
        }
        own = "member" if "MyCampaign" in operation_id or operation_id == "putMySelection" else "owner"
        return special.get(operation_id, own if audience == "me" else "all")

    def operation(self, operation_id: str) -> APIOperation[Any, Any, Any, Any]:
        """An operation of the contract."""
        found: APIOperation[Any, Any, Any, Any] = self.schema.find_operation_by_id(operation_id)
        return found

    def bearer(self, who: str) -> dict[str, str]:
        """Headers of somebody signed in."""
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def headers(self, operation: Any) -> dict[str, str]:
        """The headers under which an operation may succeed."""
        definition = operation.definition.raw
        return self.bearer(self.who(definition["operationId"])) if definition.get("security") else {}

    def send(self, case: Any, headers: dict[str, str]) -> Response:
        """Send a case; of a stream read the beginning only."""
        if case.operation.definition.raw["operationId"] != SSE:
            answer: Response = case.call(base_url=self.url, headers=headers, session=self.http, timeout=_SECONDS)
            return answer
        options = case.as_transport_kwargs(base_url=self.url, headers=headers)
        with requests.request(**options, stream=True, timeout=_SECONDS) as raw:
            streaming = raw.headers.get("content-type", "").startswith("text/event-stream")
            raw._content = next(raw.iter_content(_FIRST_BYTES)) if streaming else raw.content
            raw._content_consumed = True
            return Response.from_requests(raw, verify=True)

    def do(
        self, operation_id: str, *, who: str | None = None, path: dict[str, Any] | None = None, expect: int = 0, headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None, body: Any = None, media_type: str = "application/json",
    ) -> Response:  # fmt: skip
        """Call an operation well, hold its answer against the contract, and remember the status."""
        operation = self.operation(operation_id)
        given: dict[str, Any] = {"path_parameters": path or {}, "query": query or {}}
        if body is not None:
            given |= {"body": body, "media_type": media_type}
        case = operation.Case(**given)
        everything = {**(headers or {}), **({} if who == "nobody" else self.bearer(who or self.who(operation_id)))}
        answer = self.send(case, everything)
        expected = expect or int(next(s for s in operation.definition.raw["responses"] if s.startswith("2")))
        assert answer.status_code == expected, (
            f"{operation_id}: {answer.status_code} {answer.content[:600].decode(errors='replace')}"
        )
        case.validate_response(answer, headers=everything)
        self.seen[operation_id].add(answer.status_code)
        return answer


def once() -> dict[str, str]:
    """Headers of a creation."""
    return {"Idempotency-Key": secrets.token_hex(16)}


@contextlib.contextmanager
def serve(name: str, schema: Any) -> Iterator[Stage]:
    """Serve the application on a clone of its own, in a thread."""
    ready: threading.Event = threading.Event()
    held: dict[str, Any] = {}

    async def main() -> None:
        end = asyncio.Event()
        state = Path(os.environ["TJ_TEST_STATE"]) / name
        state.mkdir(exist_ok=True)
        settings = settings_for(await clone(name), state)
        make_demo_seal(settings.seal_folder, settings.hospital_name)
        runtime = wiring.build(settings)
        async with serving(runtime) as url:
            held.update(url=url, runtime=runtime, settings=settings, loop=asyncio.get_running_loop(), end=end)
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="contract-server", daemon=True)
    thread.start()
    try:
        assert ready.wait(60), "the server did not start"
        end = held.pop("end")
        stage = Stage(schema=schema, **held)
        stage.http.trust_env = False
        try:
            yield stage
        finally:
            stage.http.close()
            stage.loop.call_soon_threadsafe(end.set)
    finally:
        thread.join(30)


async def _people(runtime: Runtime) -> None:
    rights = sorted(set(PERMISSIONS) - NOT_FOR_STAFF)
    names = ("all.rights", "second.pair", "leaver.x", "changer.x")
    hashes = {name: await flows.hashed_password(runtime, name, PASSWORD, "/password") for name in names}
    async with runtime.units.open(demo.LOADER) as uow:
        for username in names:
            new = StaffIn(
                username=username, name="合同", password=PASSWORD, roles=[], campuses=[1, 2], all_departments=True
            )  # fmt: skip
            await identity.create_staff(uow, new, hashes[username])
    # No administrator can make such a role: who holds every right is written past them all.
    await _sql(
        runtime.settings,
        "insert into role (code, name_zh, name_en, permissions) values ($1, '全部', 'Everything', $2)",
        EVERYTHING,
        rights,
    )
    await _sql(
        runtime.settings,
        "insert into staff_role select id, $1 from staff where username = any($2)",
        EVERYTHING,
        list(names),
    )


async def _group_coded(runtime: Runtime, code: str) -> str:
    async with runtime.units.open(demo.LOADER) as uow:
        groups = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=200)
        return next(str(g.id) for g in groups if g.code == code)


async def _department_groups(runtime: Runtime) -> list[str]:
    async with runtime.units.read(demo.LOADER) as uow:
        groups = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=200)
        return [str(g.id) for g in groups if g.code in ("GENERAL", "INTERNAL")]  # none that this play makes


async def _keep_report(runtime: Runtime, report_id: str) -> None:
    """What the worker does when it has rendered a report."""
    file = await runtime.storage.put(PDF_BYTES)
    sample = project_file("report_templates") / "exam_report" / "sample.json"
    snapshot = await runtime.storage.put(sample.read_bytes())
    async with runtime.units.open(demo.LOADER) as uow:
        digest = hashlib.sha256(PDF_BYTES).hexdigest()
        await reports.keep(
            uow, UUID(report_id), file=file, sha256=digest, pages=1, size=len(PDF_BYTES), snapshot=snapshot
        )
        await reports.seal(uow, UUID(report_id), file=file, sha256=digest, size=len(PDF_BYTES))


async def _sql(settings: Settings, statement: str, *values: Any) -> Any:
    connection = await connect(settings)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


def play(stage: Stage) -> None:
    """Play every operation of the contract to its success; what came of it is in `ids`."""
    stage.run(_people(stage.runtime))
    _sign_in(stage)
    _identity(stage)
    _read_catalog(stage)
    _plan(stage)
    _book(stage)
    examined, person, tube = _examine(stage)
    _conclude(stage, examined)
    _report(stage, examined, person)
    _operate(stage, tube)


def _sign_in(stage: Stage) -> None:
    def login(name: str) -> Any:
        return stage.do("login", who="nobody", body={"username": name, "password": PASSWORD}).json()

    first = login("all.rights")
    stage.tokens["all"] = first["access_token"]
    stage.do("refreshToken", who="nobody", body={"refresh_token": first["refresh_token"]})
    for who, name in (("second", "second.pair"), ("leaver", "leaver.x"), ("changer", "changer.x")):
        stage.tokens[who] = login(name)["access_token"]
    stage.do("logout")
    stage.do("changePassword", body={"old_password": PASSWORD, "new_password": PASSWORD + "!"})
    again = {"username": "changer.x", "password": PASSWORD + "!"}
    stage.tokens["changer"] = stage.do("login", who="nobody", body=again).json()["access_token"]
    stage.tokens["leaver"] = login("leaver.x")["access_token"]
    for who, client in (("program", "mini-program"), ("gateway", GATEWAY)):
        given = {"client_id": client, "client_secret": client_secret(stage.runtime.keys, client)}
        stage.tokens[who] = stage.do("issueClientToken", who="nobody", body=given).json()["access_token"]
    stage.do("stepUp", body={"password": PASSWORD})
    secret = stage.do("enrolSecondFactor", who="changer").json()["secret"]
    code = totp.code_at(secret, int(stage.runtime.clock.now().timestamp()) // totp.STEP_SECONDS)
    stage.do("confirmSecondFactor", who="changer", body={"code": code})
    login("all.rights")
    open_now = stage.do("listSessions").json()["items"]
    other = next(one["id"] for one in open_now if not one["current"])
    stage.do("endSession", path={"session_id": other})
    stage.ids["session_id"].append(other)
    stage.do("endOtherSessions")
    for operation in ("getPrincipal", "listCampuses", "listDictionaries"):
        stage.do(operation)


def _identity(stage: Stage) -> None:
    new = {"username": "contract.new", "name": "新人", "password": PASSWORD, "roles": ["doctor"], "campuses": [1]}
    staff = stage.do("createStaff", headers=once(), body=new).json()
    stage.ids["staff_id"].append(staff["id"])
    shown = stage.do("getStaff", path={"staff_id": staff["id"]})
    stage.do(
        "updateStaff",
        path={"staff_id": staff["id"]},
        headers={"If-Match": shown.headers["etag"][0]},
        body={"title": "医师"},
    )

    def version() -> dict[str, str]:
        return {"If-Match": stage.do("getStaff", path={"staff_id": staff["id"]}).headers["etag"][0]}

    stage.do("approveStaff", path={"staff_id": staff["id"]}, headers=version(), who="second")
    rights = {"roles": ["doctor"], "campuses": [1], "departments": [1]}
    stage.do("putStaffRights", path={"staff_id": staff["id"]}, headers=version(), body=rights)
    stage.do("unlockStaff", path={"staff_id": staff["id"]})
    stage.do("endStaffSessions", path={"staff_id": staff["id"]})
    stage.do("endSecondFactor", path={"staff_id": staff["id"]})
    stage.do("resetStaffPassword", path={"staff_id": staff["id"]}, headers=version())
    role = {"name_zh": "见习", "name_en": "Intern", "permissions": ["catalog.read"]}
    stage.do("putRole", path={"code": "intern"}, body=role)
    stage.do("getRole", path={"code": "intern"})
    client = {"client_id": "contract.kiosk", "name": "自助机", "scopes": ["portal.grant"], "campuses": [1]}
    created = stage.do("createApiClient", headers=once(), body=client).json()
    stage.ids["client_id"].append(created["id"])
    stage.do("approveApiClient", path={"client_id": created["id"]}, who="second")
    stage.do("revokeApiClient", path={"client_id": created["id"]})
    stage.ids["code"].append("intern")
    for operation in ("listStaff", "listRoles", "listApiClients"):
        stage.do(operation)


def _read_catalog(stage: Stage) -> None:
    stage.do("listDepartments")
    for many, one, parameter in (
        ("listItems", "getItem", "item_id"), ("listItemGroups", "getItemGroup", "item_group_id"), ("listExamPackages", "getExamPackage", "package_id"),
    ):  # fmt: skip
        found = stage.do(many, query={"page_size": 3}).json()["items"]
        stage.ids[parameter] += [row["id"] for row in found]
        stage.do(one, path={parameter: found[0]["id"]})
    _keep_catalog(stage)
    _exchange_catalog(stage)
    stage.do("putExternalCode", path={"system": "lis", "code": "A/G"}, body={"item_id": stage.ids["item_id"][0]})
    stage.ids["system"].append("lis")
    stage.do("listExternalCodes", query={"system": "lis"})
    stage.do("listFindings", query={"q": "zfg"})
    stage.do("listKnowledgeRules", query={"purpose": "critical", "page_size": 3})
    stage.do("listKnowledgeVersions")
    described = stage.do("listItems", query={"q": "肝脏超声"}).json()["items"][0]["id"]
    stage.ids["item_id"].append(described)
    stage.do("listClickableFindings", path={"item_id": described})
    clicked = {"concept": "LIVER-CYST", "sizes_mm": ["12", "8.5"], "number": "multiple"}
    stage.do("composeFindings", path={"item_id": described}, body={"findings": [clicked], "normal": "rest"})
    finding = {
        "code": "VERTRAG",
        "name": "血糖高",
        "pinyin": "xtg",
        "kind": "finding",
        "importance": 1,
        "advice": "复查",
        "source": "试",
    }
    rule = {
        "code": "VERTRAG",
        "finding": "VERTRAG",
        "condition": {"value": {"item": "GLU", "ge": "7.0"}},
        "source": "试",
    }
    cases = {"fires": [{"values": {"GLU": "7.0"}}], "misses": [{"values": {"GLU": "6.9"}}]}
    version = stage.do(
        "createKnowledgeVersion", body={"note": "试", "findings": [finding], "rules": [rule | cases], "critical": []}
    ).json()["id"]
    stage.ids["version_id"].append(version)
    stage.do("getKnowledgeChanges", path={"version_id": version})
    stage.run(
        _sql(stage.settings, "update knowledge_version set created_by = $1 where id = $2", uuid7(), UUID(version))
    )
    stage.do("tryKnowledgeVersion", path={"version_id": version}, query={"exams": 5})
    stage.do("approveKnowledgeVersion", path={"version_id": version})
    stage.run(
        _sql(stage.settings, "update knowledge_version set approved_by = $1 where id = $2", uuid7(), UUID(version))
    )
    stage.do("activateKnowledgeVersion", path={"version_id": version}, body={"effective_on": None})
    stage.do("putRangePolicy", path={"campus_id": 1}, body={"laboratory_first": False})
    assert stage.do("listRangePolicies").json()["items"]
    stage.do("quote", body={"package_id": stage.ids["package_id"][0]})


def _plan(stage: Stage) -> None:
    """A unit, its campaign from draft to completion, and the next year's."""
    unit = stage.do("createEmployer", headers=once(), body={"code": "GL001", "name": "桂澄机械有限公司"})
    employer = {"employer_id": unit.json()["id"]}
    stage.ids["employer_id"].append(employer["employer_id"])
    stage.do("updateEmployer", path=employer, headers=_tag(unit), body={"industry": "制造业"})
    for last in (False, True):
        calls = stage.do(
            "addEmployerContact", path=employer, headers=once(), body={"name": "韦经理", "phone": "13800001234"}
        ).json()
        contact = employer | {"contact_id": calls["id"]}
        stage.do("unmaskEmployerContact", path=contact, body={"purpose": "合同测试"})
        if not last:
            stage.do("removeEmployerContact", path=contact)
    stage.ids["contact_id"].append(calls["id"])
    stage.do("listEmployers", query={"q": "机械"})
    stage.do("getEmployer", path=employer)
    period = {"campus_id": 1, "name": "年度体检", **employer}
    valid = {"contract_no": "HT-1", "valid_from": "2026-01-01", "valid_to": "2099-12-31"}
    contract = stage.do("createContract", headers=once(), body=period | valid).json()["id"]
    stage.do("listContracts", query=employer)
    days = {"year": 2026, "starts_on": "2026-03-01", "ends_on": "2099-03-31"}
    made = stage.do("createCampaign", headers=once(), body=period | days | {"contract_id": contract})
    campaign = {"campaign_id": made.json()["id"]}
    stage.do("updateCampaign", path=campaign, headers=_tag(made), body={"daily_quota": 100})
    stage.ids["campaign_id"].append(campaign["campaign_id"])
    group = {"name": "全员", "criteria": [{}], "item_group_ids": stage.ids["item_group_id"][:1]}
    stage.do("putCampaignGroup", path=campaign | {"group_code": "ALL"}, body=group)
    stage.ids["group_code"].append("ALL")
    person = {"name": "张三", "employee_no": "0017"}
    member = stage.do("addMember", path=campaign, headers=once(), body=person).json()["id"]
    stage.ids["member_id"].append(member)
    seen = stage.do("getMember", path={"member_id": member})
    stage.do("amendMember", path={"member_id": member}, headers=_tag(seen), body={"post": "焊工"})
    stage.do("listMembers", path=campaign)
    stage.do("quoteMember", path={"member_id": member})
    _import_members(stage, campaign)
    stage.do("openCampaign", path=campaign)
    _book_members(stage, campaign, member)
    following = {"name": "明年", "year": 2027, "starts_on": "2027-03-01", "ends_on": "2027-03-31"}
    stage.do("startNextCampaign", path=campaign, headers=once(), body=following)
    stage.do("reopenCampaign", path=campaign, body={"reason": "补检三人"})
    stage.do("getCampaign", path=campaign)
    stage.do("listCampaigns", query=employer)


def _exchange_catalog(stage: Stage) -> None:
    """A package copied; the catalog as a file, looked at and taken over, which changes nothing."""
    copy = {"code": "KOPIE", "name": "副本", "valid_from": "2026-01-01"}
    made = stage.do("copyExamPackage", path={"package_id": stage.ids["package_id"][0]}, headers=once(), body=copy)
    stage.ids["package_id"].append(made.json()["id"])
    file = stage.do("exportCatalog").json()
    for commit in (False, True):
        assert stage.do("importCatalog", body={"file": file, "commit": commit}).json()["changes"] == []


def _keep_catalog(stage: Stage) -> None:
    new = {
        "code": "CONTRACT", "name": "合同", "department_id": 1, "price_fen": 100, "performed_by": "department", "sort": 9,
        "item_ids": stage.ids["item_id"][:1],
    }  # fmt: skip
    made = stage.do("createItemGroup", headers=once(), body=new)
    one = {"item_group_id": made.json()["id"]}
    body = {"price_fen": 200, "suitability": {"not_when_pregnant": True}}
    stage.do("updateItemGroup", path=one, headers=_tag(made), body=body)
    other = stage.ids["item_group_id"][0]
    stage.do("putItemGroupExclusions", path=one, body={"exclusions": [{"item_group_id": other, "reason": "试"}]})
    stage.do("putItemGroupExclusions", path=one, body={"exclusions": []})
    option = {"name": "二选一", "choose": 1, "item_group_ids": stage.ids["item_group_id"][1:3]}
    package = {
        "code": "CONTRACT",
        "name": "合同",
        "sex": "any",
        "price_fen": 100,
        "valid_from": "2026-01-01",
        "item_group_ids": [other],
    }
    stage.do("createExamPackage", headers=once(), body=package | {"options": [option]})


def _day(stage: Stage, ahead: int) -> dict[str, Any]:
    """A day of campus A with what is free."""
    day = business_day(stage.runtime.clock.now()) + timedelta(days=ahead)
    asked = {"campus_id": 1, "day_from": str(day), "day_to": str(day + timedelta(days=1))}
    days: list[dict[str, Any]] = stage.do("getAppointmentAvailability", query=asked).json()["days"]
    return next(d for d in days if d["sessions"])


def _place(stage: Stage, ahead: int) -> dict[str, Any]:
    found = _day(stage, ahead)
    return {"day": found["day"], "session_id": found["sessions"][0]["session_id"]}


def _book(stage: Stage) -> None:
    """A calendar changed; a hold used and one let go; bookings moved, missed, reinstated, cancelled; somebody who waits."""
    campus = {"campus_id": 1}
    calendar = stage.do("getAppointmentCalendar", path=campus)
    shown = calendar.json()
    body = {
        "policy": shown["policy"], "sessions": [{k: v for k, v in s.items() if k != "id"} for s in shown["sessions"]],
        "resources": [{"code": "CT", "name": "CT", "per": "day", "capacity": 20}],
    }  # fmt: skip
    stage.do("putAppointmentCalendar", path=campus, headers=_tag(calendar), body=body)
    stage.do("putAppointmentDay", path=campus | {"day": "2027-10-01"}, body={"closed": True, "note": "国庆"})
    assert stage.do(
        "listAppointmentDays", path=campus, query={"day_from": "2027-10-01", "day_to": "2027-10-01"}
    ).json()["items"]
    person = stage.do("meetExaminee", headers=once(), body={**campus, **invented_person()}).json()["id"]
    group = stage.do("listItemGroups", query={"q": "CBC"}).json()["items"][0]["id"]
    place = _place(stage, 7)
    stage.ids["session_id"].append(place["session_id"])
    held, let_go = (stage.do("holdAppointment", headers=once(), body=campus | place).json()["id"] for _ in range(2))
    stage.do("releaseAppointmentHold", path={"appointment_id": let_go})
    order = campus | place | {"examinee_id": person, "item_group_ids": [group], "hold_id": held}
    made = stage.do("createAppointment", headers=once(), body=order).json()["appointment"]["id"]
    stage.ids["appointment_id"].append(made)
    one = {"appointment_id": made}
    stage.do("getAppointment", path=one)
    stage.do("listAppointments", query=campus)
    stage.do("rescheduleAppointment", path=one, body=_place(stage, 14))
    today = business_day(stage.runtime.clock.now())
    stage.run(_sql(stage.settings, "update appointment set day = $1 where id = $2", today, UUID(made)))
    stage.do("missAppointment", path=one)
    stage.do("reinstateAppointment", path=one)
    stage.do("cancelAppointment", path=one, body={"reason": "有事"})
    wish = campus | {"examinee_id": person, "day_from": place["day"], "day_to": place["day"], "starts_at": "23:00"}
    waits = stage.do("joinWaitingList", headers=once(), body=wish).json()["id"]
    stage.ids["wait_id"].append(waits)
    stage.do("listWaitingList")
    stage.do("leaveWaitingList", path={"wait_id": waits})


def _book_for_oneself(stage: Stage) -> None:
    place = _place(stage, 7)
    asked = {"campus_id": 1, "day_from": place["day"], "day_to": place["day"]}
    stage.do("getMyAppointmentAvailability", query=asked)
    group = stage.do("listItemGroups", query={"q": "CBC"}).json()["items"][0]["id"]
    order = {"campus_id": 1, "item_group_ids": [group], **place}
    made = stage.do("createMyAppointment", headers=once(), body=order).json()["appointment"]["id"]
    stage.ids["appointment_id"].append(made)
    stage.do("rescheduleMyAppointment", path={"appointment_id": made}, body=_place(stage, 14))
    assert [a["id"] for a in stage.do("listMyAppointments").json()["items"]] == [made]
    stage.do("cancelMyAppointment", path={"appointment_id": made}, body={"reason": "有事"})


def _choose_for_oneself(stage: Stage) -> None:
    """A member comes by a link, chooses, books, moves, cancels; the fuzzer finds the session and the link alive."""
    group = stage.do("listItemGroups", query={"q": "CBC"}).json()["items"][0]["id"]
    today = business_day(stage.runtime.clock.now())
    period = {"year": today.year, "starts_on": str(today), "ends_on": str(today + timedelta(days=300))}
    unit = {"employer_id": stage.ids["employer_id"][0], "campus_id": 1, "name": "自助团检"}
    campaign = {"campaign_id": stage.do("createCampaign", headers=once(), body=unit | period).json()["id"]}
    rules = {"name": "全员", "criteria": [{}], "item_group_ids": [group]}
    stage.do("putCampaignGroup", path=campaign | {"group_code": "ALL"}, body=rules)
    card = invented_person()
    person = {name: card[name] for name in ("name", "sex", "birth_date", "id_kind", "id_number", "phone")}
    member = stage.do("addMember", path=campaign, headers=once(), body=person).json()["id"]
    stage.do("openCampaign", path=campaign)
    asked = {"member_ids": [member]}
    stage.do("makeMemberLinks", path=campaign, body=asked)
    stage.do("endMemberLink", path={"member_id": member})
    (link,) = stage.do("makeMemberLinks", path=campaign, body=asked).json()["items"]
    assert stage.do("listMemberLinks", path=campaign).json()["items"][0]["live"]
    given = {"link_token": link["link_token"], "last4": card["id_number"][-4:]}
    stage.tokens["member"] = stage.do("issueMemberToken", body=given).json()["access_token"]
    stage.do("quoteMyCampaign", body={})
    stage.do("putMySelection", body={})
    place = _place(stage, 21)
    stage.do("getMyCampaignAvailability", query={"day_from": place["day"], "day_to": place["day"]})
    stage.do("bookMyCampaign", headers=once(), body=place)
    stage.do("rescheduleMyCampaign", body=_place(stage, 28))
    stage.do("cancelMyCampaign", body={"reason": "有事"})
    assert stage.do("getMyCampaign").json()["state"] == "listed"


def _book_members(stage: Stage, campaign: dict[str, Any], member: str) -> None:
    """A batch asked for; then everybody brought to an end, and the campaign with them."""
    group = stage.do("getCampaign", path=campaign).json()["groups"][0]["id"]
    stage.do("transferMembers", path=campaign, body={"group_id": group, "member_ids": [member]})
    asked = stage.do("repriceMembers", path=campaign, headers=once(), body={"group_id": group}).json()["job_id"]
    stage.do("listRepricings", path=campaign | {"job_id": asked})
    days = [{"day": "2027-03-01", "quota": 5}]
    stage.do("bookMembers", path=campaign, headers=once(), body={"days": days})
    stage.do("listCampaignProgress")
    everybody = [row["member_id"] for row in stage.do("listStandings", path=campaign).json()["items"]]
    decisions = [{"member_id": one, "decision": "no_show"} for one in everybody]
    stage.do("decideMembers", path=campaign, body={"decisions": decisions})
    stage.do("completeCampaign", path=campaign)


def _import_members(stage: Stage, campaign: dict[str, Any]) -> None:
    """Three lists: one mapped and taken over, one given up, one left. What the worker does is done here."""
    stage.do("getMemberTemplate")
    for end in ("map", "discard", "leave"):
        content = f"姓名,工号\n张三,{end}\n李四,{end}\n".encode()
        kind = "application/octet-stream"
        made = stage.do("uploadMembers", path=campaign, body=content, media_type=kind).json()["id"]
        place = {"import_id": made}
        stage.ids["import_id"].append(made)
        if end == "map":
            stage.run(_run_job(stage.runtime, "employer.read_members", made))
            stage.do("listMemberImportEntries", path=place)
            stage.do("mapMemberImport", path=place, body={"mapping": {"员工": "name"}})
            stage.run(_run_job(stage.runtime, "employer.read_members", made))
            assert stage.do("getMemberImport", path=place).json()["bad"] == 1
            stage.do("commitMemberImport", path=place, body={"mode": "valid_rows"})
            stage.run(_run_job(stage.runtime, "employer.commit_members", made))
        elif end == "discard":
            stage.do("discardMemberImport", path=place)


async def _run_job(runtime: Runtime, name: str, import_id: str) -> None:
    """What the worker does with a list."""

    async def report(_done: int, _total: int | None, _message: str | None) -> None:
        """Nobody watches."""

    connection = await connect(runtime.settings)
    taken = "update job set state = 'running', fence = 1 where name = $1 and payload ->> 'import_id' = $2 and state = 'queued' returning id"
    job = await connection.fetchval(taken, name, import_id)
    run = JobRun(job, name, {"import_id": import_id}, 1, 0, 1, runtime.units, runtime.services, report, job)
    await runtime.jobs[name].handler(run)
    await connection.execute("update job set state = 'succeeded' where id = $1", job)
    await connection.close()


def _examine(stage: Stage) -> tuple[dict[str, Any], dict[str, Any], str]:
    """One exam of departments only, examined; one with tubes; one cancelled."""
    person = invented_person()
    met = stage.do("meetExaminee", headers=once(), body={"campus_id": 1, **person}).json()
    place = {"examinee_id": met["id"]}
    stage.ids["examinee_id"].append(met["id"])
    shown = stage.do("getExaminee", path=place)
    tag = {"If-Match": shown.headers["etag"][0]}
    stage.do("amendExaminee", path=place, headers=tag, body={"nation": "壮族"})
    stage.do("unmaskExaminee", path=place, body={"purpose": "合同测试"})
    stage.do("searchExaminees", body={"q": person["name"][:1]})
    stage.do("putExamineePhoto", path=place, body=portrait(), media_type="image/jpeg")
    stage.do("getExamineePhoto", path=place)
    stage.do("listExamineePhotos", path=place)
    stage.do("getExamineePhotoVersion", path={**place, "photo_version": 1})
    given = stage.do("addExamineeIdentifier", path=place, body={"kind": "exam_card", "number": "K6901"}).json()
    stage.do("listExamineeIdentifiers", path=place)
    stage.do("removeExamineeIdentifier", path={**place, "identifier_id": given["id"]})
    kept = stage.do("addExamineeIdentifier", path=place, body={"kind": "visit_card", "number": "K6902"}).json()
    stage.ids["identifier_id"].append(kept["id"])
    _merge(stage, person, met["id"])
    _guard(stage, person)
    groups = stage.run(_department_groups(stage.runtime))

    def register(**what: Any) -> dict[str, Any]:
        order = {"campus_id": 1, "examinee_id": met["id"], "despite": ["second_exam"], **what}
        exam: dict[str, Any] = stage.do("createExam", headers=once(), body=order).json()
        stage.ids["exam_id"].append(exam["id"])
        return exam

    cancelled = register(item_group_ids=groups[:1])
    stage.do("listExamineeExams", path=place)
    stage.do("searchExams", body={"key": person["id_number"]})
    stage.do("cancelExam", path={"exam_id": cancelled["id"]}, body={"reason": "改期"})
    _change_lines(stage, register(item_group_ids=groups[:1])["id"], groups[1])
    suiting = next(p for p in stage.do("listExamPackages").json()["items"] if p["sex"] in ("any", person["sex"]))
    with_tubes = register(package_id=suiting["id"])
    _check_identity(stage, with_tubes["id"])
    desk = stage.do("checkIn", path={"exam_id": with_tubes["id"]}).json()
    _print(stage, with_tubes["id"])
    tube = str(desk["tubes"][0]["id"])
    stage.ids["tube_id"] += [t["id"] for t in desk["tubes"]]
    stage.do("collectTube", path={"tube_id": tube})
    place = {"exam_id": with_tubes["id"]}
    stage.do("listTubes", path=place)
    _hand_over(stage, desk["tubes"])
    stage.do("getBoard", query={"campus_id": 1})
    stage.do("listBoardExams", path={"column": "checked_in"}, query={"campus_id": 1})
    order = stage.do("listRequisitions", path=place).json()["items"][0]["id"]
    stage.ids["requisition_id"].append(order)
    stage.run(_sql(stage.settings, "update requisition set state = 'failed' where id = $1", UUID(order)))
    stage.do("resendRequisition", path={"requisition_id": order})
    examined = register(item_group_ids=groups)
    stage.do("getExam", path={"exam_id": examined["id"]})
    stage.do("listExams", query={"campus_id": 1})
    stage.do("checkIn", path={"exam_id": examined["id"]})
    walking = register(item_group_ids=groups)
    stage.do("checkIn", path={"exam_id": walking["id"]})
    _guide(stage, walking["id"])
    return examined, person, tube


def _hand_over(stage: Stage, tubes: list[dict[str, Any]]) -> None:
    """Tubes from hand to hand: one within the house, the others out of it; one is refused and drawn again."""
    lab = stage.do("putOutsideLab", path={"lab_code": "VERTRAG"}, body={"name": "外送检验所"}).json()["id"]
    stage.ids["outside_lab_id"].append(lab)
    stage.ids["lab_code"].append("VERTRAG")
    stage.do("listOutsideLabs")

    def handover(codes: list[str], **more: Any) -> dict[str, str]:
        made = stage.do("openHandover", body={"campus_id": 1, "from_place": "采血处", **more}).json()["id"]
        stage.ids["handover_id"].append(made)
        place = {"handover_id": made}
        stage.do("addHandoverTubes", path=place, body={"barcodes": codes})
        return place

    first, second = tubes[:2]
    stage.do("collectTube", path={"tube_id": second["id"]}, query={"place": "采血处"})
    stage.do("scanTube", query={"barcode": first["barcode"]})
    inside = handover([first["barcode"]])
    stage.do("removeHandoverTubes", path=inside, body={"barcodes": [first["barcode"]]})
    stage.do("cancelHandover", path=inside, body={"reason": "改日"})
    inside = handover([first["barcode"]])
    stage.do("handOverTubes", path=inside, body={"counted": 1})
    stage.do("receiveHandoverTubes", who="second", path=inside, body={"barcodes": [first["barcode"], "UNBEKANNT"]})
    stage.do("signHandoverReceipt", who="second", path=inside, body={"counted": 1})
    outside = handover([second["barcode"]], outside_lab_id=lab)
    stage.do("handOverTubes", path=outside, body={"counted": 1, "carrier": "王五"})
    stage.do("signHandoverReceipt", path=outside, body={"counted": 1, "whole": True, "receiver_name": "赵六"})
    assert [row["id"] for row in stage.do("listHandovers", query={"awaiting": True}).json()["items"]] == [
        outside["handover_id"]
    ]
    stage.do("returnTube", path={"tube_id": second["id"]}, body={"note": "退回"})
    stage.do("getHandover", path=outside)
    assert stage.do("downloadHandover", path=outside).content.startswith(b"%PDF-")
    again = stage.do("rejectTube", path={"tube_id": second["id"]}, body={"reason": "haemolysed"}).json()["replacement"]
    stage.ids["tube_id"].append(again["id"])
    assert stage.do("getTubeCustody", path={"tube_id": second["id"]}).json()["replaced_by_id"] == again["id"]


def _guide(stage: Stage, exam_id: str) -> None:
    """Rooms, a queue walked through, and a guide sheet that comes back and goes out again."""
    place = {"exam_id": exam_id}
    lines = stage.do("getExam", path=place).json()["lines"]
    room = {"campus_id": 1, "code": "V", "name": "合同诊室", "department_id": lines[0]["department_id"]}
    made = stage.do("createRoom", body=room).json()["id"]
    stage.ids["room_id"].append(made)
    stage.do("updateRoom", path={"room_id": made}, body=room | {"minutes": 3})
    stage.do("putRoomOrder", body={"campus_id": 1, "pairs": [{"before_id": 1, "after_id": 2}]})
    stage.do("getRoomOrder", query={"campus_id": 1})
    stage.do("listRooms", query={"campus_id": 1})
    ticket = stage.do("guideExaminee", path=place).json()["ticket"]["id"]
    stage.ids["ticket_id"].append(ticket)
    stage.do("listTickets", path={"room_id": made})
    one = {"ticket_id": ticket}
    stage.do("callNextTicket", path={"room_id": made})
    for step in ("recallTicket", "passTicket", "requeueTicket"):
        stage.do(step, path=one)
    stage.do("callNextTicket", path={"room_id": made})
    stage.do("enterTicket", path=one)
    stage.do("finishTicket", path=one)
    stage.do("putGuideSheetPolicy", body={"campus_id": 1, "mode": "refuse"})
    stage.do("listGuideSheetPolicies", query={"campus_id": 1})
    stage.do("getGuideSheetReturn", path=place)
    stage.do("returnGuideSheet", path=place, body={"decisions": []})
    stage.do("giveBackGuideSheet", path=place, body={"reason": "同意检查"})


def _merge(stage: Stage, person: dict[str, Any], survivor: str) -> None:
    """Somebody is entered a second and a third time; one of the two is they themselves."""
    entries = []
    for number in ("E69010001", "E69010002"):
        again = {"campus_id": 1, **person, "id_kind": "passport", "id_number": number}
        entries.append(stage.do("meetExaminee", headers=once(), body=again).json()["id"])
    stage.do("listExamineeDuplicates", query={"campus_id": 1, "page_size": 3})
    decided = stage.do("distinguishExaminees", body={"examinee_ids": [entries[0], survivor]}).json()
    stage.ids["distinction_id"].append(decided["id"])
    stage.do("listExamineeDistinctions", path={"examinee_id": survivor})
    stage.do("withdrawExamineeDistinction", path={"distinction_id": decided["id"]})
    order = {"survivor_id": survivor, "reason": "换证后重复建档"}
    for entry in entries:
        made = stage.do("mergeExaminee", path={"examinee_id": entry}, body=order).json()
    stage.ids["merge_id"].append(made["id"])
    stage.do("undoExamineeMerge", path={"merge_id": made["id"]}, body={"reason": "系双胞胎"})
    stage.do("listExamineeMerges", path={"examinee_id": survivor})


def _guard(stage: Stage, person: dict[str, Any]) -> None:
    """A child, and who answers for it."""
    card = {k: v for k, v in person.items() if k != "id_number"} | {"name": "小童", "birth_date": "2020-01-01"}
    child = {"campus_id": 1, **card, "id_kind": "none"}
    place = {"examinee_id": stage.do("meetExaminee", headers=once(), body=child).json()["id"]}
    father = {"name": "张建国", "relation": "father", "phone": "13800001234"}
    for _ in range(2):
        added = stage.do("addExamineeGuardian", path=place, body=father).json()
        one = {**place, "guardian_id": added["id"]}
        stage.do("recordGuardianConsent", path=one, body={"form": "signed_paper"})
        stage.do("unmaskExamineeGuardian", path=one, body={"purpose": "合同测试"})
        stage.do("listExamineeGuardians", path=place)
        if not stage.ids["guardian_id"]:
            stage.ids["guardian_id"].append(added["id"])
        else:
            stage.do("removeExamineeGuardian", path=one)


def _check_identity(stage: Stage, exam_id: str) -> None:
    """Somebody else seems to stand there; a second person decides that it is the examinee."""
    seen = {"method": "face_match", "outcome": "different", "score": 41, "device": "入口 1 号机"}
    found = stage.do("checkIdentity", path={"exam_id": exam_id}, body=seen).json()
    stage.ids["check_id"].append(found["id"])
    stage.do("listIdentityChecks", path={"exam_id": exam_id})
    decided = {"decision": "same", "reason": "核对户口簿"}
    stage.do("decideIdentity", who="second", path={"check_id": found["id"]}, body=decided)


def _change_lines(stage: Stage, exam_id: str, group: str) -> None:
    """Everything that can be commanded on the lines of an exam."""
    place = {"exam_id": exam_id}
    first = stage.do("getExam", path=place).json()["lines"][0]
    added = {"item_group_ids": [group], "reason": "医生建议"}
    line = stage.do("addExamLines", path=place, headers=once(), body=added).json()["lines"][1]
    stage.do("coverExamLines", path=place, body={"line_ids": [line["id"]], "how": "remitted", "reason": "本院职工"})
    command = {"line_ids": [line["id"]], "reason": "受检者拒绝", "signature": "张三"}
    stage.do("refuseExamLines", path=place, body=command)
    again = {"line_ids": [line["id"]], "reason": "同意检查"}
    stage.do("reinstateExamLines", path=place, body=again)
    stage.do("waiveExamLines", path=place, body=command)
    stage.do("reinstateExamLines", path=place, body=again)
    stage.do("deferExamLines", path=place, body=command | {"due_on": "2099-01-01"})
    stage.do("reinstateExamLines", path=place, body=again)
    stage.do("withdrawExamLines", path=place, body=command)
    other = {"line_id": first["id"], "item_group_ids": [group], "reason": "换项"}
    stage.do("substituteExamLine", path=place, headers=once(), body=other)
    assert stage.do("listExamLineSteps", path=place).json()["items"]
    stage.do("holdExam", path=place, body={"reason": "发热"})
    stage.do("resumeExam", path=place)
    stage.do("correctExamFacts", path=place, body={"reason": "已与证件核对"})
    film = stage.run(_group_coded(stage.runtime, "CXR"))
    lines = stage.do("addExamLines", path=place, headers=once(), body={"item_group_ids": [film]}).json()["lines"]
    pregnant = {"sex": "female", "pregnant": True, "reason": "受检者告知"}
    stage.do("correctExamFacts", path=place, body=pregnant)
    kept = {"line_ids": [one["id"] for one in lines if one["item_group_id"] == film], "reason": "医生评估后同意"}
    stage.do("keepExamLines", path=place, body=kept)
    private = stage.run(_group_coded(stage.runtime, "HIV"))
    made = stage.do("addExamLines", path=place, headers=once(), body={"item_group_ids": [private]}).json()
    agreed = {"line_ids": [one["id"] for one in made["lines"] if one["private"]], "signature": made["name"]}
    stage.do("consentExamLines", path=place, body=agreed)
    stage.do("withdrawExamConsent", path=place, body=agreed)


def _print(stage: Stage, exam_id: str) -> None:
    place = {"exam_id": exam_id}
    papers = stage.do("listExamDocuments", path=place).json()["items"]
    label = next(paper for paper in papers if paper["kind"] == "tube_label")
    for link in label["links"]:
        made = stage.do("createDocumentPrint", body=link["body"]).json()
        stage.ids["print_id"].append(made["id"])
        assert stage.do("downloadDocumentPrint", path={"print_id": made["id"]}).content
    assert len(stage.do("listDocumentPrints", path=place).json()["items"]) == len(label["links"])


async def _late_result(runtime: Runtime, exam_id: str) -> None:
    async with runtime.units.open(demo.LOADER) as uow:
        event = ResultArrivedLate(campus_id=1, exam_id=UUID(exam_id), result_id=uuid7(), revision_id=uuid7())
        await conclusions.raise_task(uow, event)


def _alert(stage: Stage, exam_id: str) -> None:
    """Critical values: one told and closed, one dismissed, one left for the fuzzer."""
    for end in ("close", "dismiss", "leave"):
        alert = stage.run(_critical_value(stage.runtime, exam_id, end))
        stage.ids["critical_value_id"].append(alert)
        place = {"critical_value_id": alert}
        tag = _tag(stage.do("getCriticalValue", path=place))
        if end == "dismiss":
            stage.do("revealCriticalPhone", path=place)
            stage.do("dismissCriticalValue", path=place, headers=tag, body={"reason": "溶血"})
        elif end == "close":
            tag = _tag(stage.do("confirmCriticalValue", path=place, headers=tag))
            told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "去急诊"}
            tag = _tag(stage.do("notifyCriticalValue", path=place, headers=tag, body=told))
            tag = _tag(stage.do("followUpCriticalValue", path=place, headers=tag, body={"note": "已就诊"}))
            stage.do("closeCriticalValue", path=place, headers=tag, body={"outcome": "好转"})
    stage.do("listCriticalValues", query={"open": True})


async def _critical_value(runtime: Runtime, exam_id: str, key: str) -> str:
    """An alert of class B: it does not stand in the way of the exam."""
    async with runtime.units.open(demo.LOADER) as uow:
        exam = await exams.get(uow, UUID(exam_id))
        value = CriticalValue(
            id=uuid7(), campus_id=1, exam_id=exam.id, examinee_id=exam.examinee_id, exam_no=exam.exam_no, department_id=1,
            rule_code="VERTRAG", rule_name="危急", important_class="B", knowledge_version_id=uuid7(), event_key=key, explanation="试",
            result_ids=[], revision_ids=[], state="detected", version=1, detected_at=uow.now, due_at=uow.now,
        )  # fmt: skip
        uow.session.add(value)
        return str(value.id)


def _conclude(stage: Stage, exam: dict[str, Any]) -> None:
    departments = sorted({line["department_id"] for line in exam["lines"]})
    for department in departments:
        place = {"exam_id": exam["id"], "department_id": department}
        sheet = stage.do("getDepartmentSheet", path=place)
        if department == departments[0]:
            _give_up(stage, exam["id"], sheet.json()["items"][0])
        values = [
            {"item_id": i["item_id"], "value": UNREMARKABLE.get(i["item_code"], "70") if i["kind"] == "numeric" else (i["choices"] or ["未见异常"])[0]}
            for i in sheet.json()["items"] if i["entered_here"]
        ]  # fmt: skip
        stored = stage.do("putDepartmentResults", path=place, headers=_tag(sheet), body={"results": values})
        stored = stage.do("putDepartmentSummary", path=place, headers=_tag(stored), body={"lines": [{"text": "同前"}]})
        stored = stage.do("putDepartmentSummary", path=place, headers=_tag(stored), body={"lines": []})
        signed = stage.do("signDepartmentSheet", path=place, headers=_tag(stored), body={"summary": "见各项结果"})
        reopened = stage.do("reopenDepartmentSheet", path=place, headers=_tag(signed), body={"reason": "补录"})
        if values:
            struck = stage.do(
                "revokeDepartmentResults", path=place, headers=_tag(reopened), body={"reason": "他人结果"}
            )
            reopened = stage.do("putDepartmentResults", path=place, headers=_tag(struck), body={"results": values})
        stage.do("signDepartmentSheet", path=place, headers=_tag(reopened), body={"summary": "见各项结果"})
    stage.ids["department_id"] += [str(d) for d in departments]
    place = {"exam_id": exam["id"]}
    found = stage.do("listExamResults", path=place).json()["departments"]
    stage.ids["result_id"] += [r["id"] for d in found for r in d["results"]]
    stage.do("getDepartmentHistory", path={"exam_id": exam["id"], "department_id": departments[0]})
    stage.do("listResultRevisions", path={"result_id": stage.ids["result_id"][0]})
    _ask_about(stage, stage.ids["result_id"][0])
    assert stage.do("getExamCompleteness", path=place).json()["complete"]
    _alert(stage, exam["id"])
    stage.do("listReviewQueue")
    draft = {"overview": "综述", "entries": [{"kind": "finding", "title": "请到内科复查"}]}
    stage.do("claimReview", path=place)
    stage.do("releaseReview", path=place)
    answer = stage.do("generateConclusion", path=place, headers=_tag(stage.do("getConclusion", path=place)))
    stage.do("getReview", path=place)
    answer = stage.do("putConclusion", path=place, headers=_tag(answer), body=draft)
    answer = stage.do("signConclusion", path=place, headers=_tag(answer))
    answer = stage.do("returnConclusion", who="second", path=place, headers=_tag(answer), body={"reason": "遗漏"})
    answer = stage.do("signConclusion", path=place, headers=_tag(answer))
    answer = stage.do("finalizeConclusion", who="second", path=place, headers=_tag(answer))
    answer = stage.do("reopenConclusion", who="second", path=place, headers=_tag(answer), body={"reason": "补充建议"})
    answer = stage.do("signConclusion", path=place, headers=_tag(answer))
    stage.do("finalizeConclusion", who="second", path=place, headers=_tag(answer))
    stage.run(_late_result(stage.runtime, exam["id"]))
    task = stage.do("listAmendmentTasks").json()["items"][0]["id"]
    stage.ids["task_id"].append(task)
    stage.do("closeAmendmentTask", path={"task_id": task}, body={"outcome": "已告知"})


def _tag(answer: Response) -> dict[str, str]:
    return {"If-Match": answer.headers["etag"][0]}


async def _make_private(runtime: Runtime, exam_id: str, private: bool) -> None:
    admin = await connect(runtime.settings)
    await admin.execute("set session_replication_role = replica")
    await admin.execute("update exam_line set private = $2 where exam_id = $1", UUID(exam_id), private)
    await admin.close()


def _report(stage: Stage, exam: dict[str, Any], person: dict[str, Any]) -> None:
    place = {"exam_id": exam["id"]}
    for last in (False, True):  # the first is recalled, the second stays
        report = stage.do("createReport", path=place).json()
        stage.ids["report_id"].append(report["id"])
        one = {"report_id": report["id"]}
        stage.run(_keep_report(stage.runtime, report["id"]))
        stage.do("publishReport", path=one)
        if not last:
            stage.do("recallReport", path=one, body={"reason": "更正"})
    stage.do("listReports", path=place)
    stage.do("getReport", path=one)
    for private in (True, False):
        stage.run(_make_private(stage.runtime, exam["id"], private))
        stage.do("createPrivateReport", path=place, expect=202 if private else 409)
    assert stage.do("getReportContent", path=one).json()["conclusions"]
    assert stage.do("getReportChanges", path=one, query={"against": 1}).json()["against_version"] == 1
    stage.do("listTrends", path=place)
    assert stage.do("previewReport", path=place).content.startswith(b"%PDF-")
    stage.do("getSealAuthority", who="nobody")
    known = stage.run(_sql(stage.settings, "select verify_code from report where id = $1", UUID(report["id"])))
    stage.ids["verify_code"].append(known)
    assert stage.do("verifyReport", who="nobody", path={"verify_code": known}).json()["verdict"] == "genuine"
    assert stage.do("downloadReport", path=one).content == PDF_BYTES
    code = stage.do("issueAccessCode", path=place).json()["access_code"]
    given = {"exam_no": exam["exam_no"], "access_code": code, "id_number_last4": person["id_number"][-4:]}
    stage.tokens["owner"] = stage.do("issueExamineeToken", body=given).json()["access_token"]
    stage.do("getMe")
    assert {r["id"] for r in stage.do("listMyReports").json()["items"]} == {report["id"]}
    assert stage.do("downloadMyReport", path=one).content == PDF_BYTES
    assert stage.do("getMyReportContent", path=one).json()["departments"]
    stage.do("linkMyReport", path=one)
    _book_for_oneself(stage)
    _choose_for_oneself(stage)


def _give_up(stage: Stage, exam_id: str, item: dict[str, Any]) -> None:
    """An item of which no value will come; the laboratory's part is put there, and saying it twice is saying it once."""
    given = """
    insert into result_question (id, campus_id, exam_id, line_id, item_id, item_code, item_name, department_id, kind, key, raw_value, said_at,
      asked_at, closed_at, how, answer, reason, gives_up)
    select $3, l.campus_id, l.exam_id, l.id, i.id, i.code, i.name, l.department_id, 'missing', '', '', now(), now(), now(), 'person', 'no_value',
      '标本溶血', true from exam_line l, item i where l.id = $1 and i.id = $2
    """
    stage.run(_sql(stage.settings, given, UUID(item["line_id"]), UUID(item["item_id"]), uuid7()))
    place = {"exam_id": exam_id, "line_id": item["line_id"], "item_id": item["item_id"]}
    stage.ids["line_id"].append(item["line_id"])
    stage.do("giveUpItem", path=place, body={"reason": "标本溶血"})


def _ask_about(stage: Stage, result_id: str) -> None:
    """Something about a result that no machine may decide: put there as filing puts it, and answered."""
    asked = """
    insert into result_question (id, campus_id, exam_id, line_id, item_id, item_code, item_name, department_id, kind, key, result_id,
      revision_ids, raw_value, said_at, asked_at)
    select $2, campus_id, exam_id, line_id, item_id, item_code, item_name, department_id, 'undetermined', current_revision_id::text, id,
      array[current_revision_id], '0.01', now(), now() from result where id = $1
    """
    question = uuid7()
    stage.run(_sql(stage.settings, asked, UUID(result_id), question))
    stage.ids["question_id"].append(str(question))
    stage.do("listResultQuestions", query={"still_open": True})
    stage.do("getResultQuestion", path={"question_id": str(question)})
    stage.do(
        "answerResultQuestion", path={"question_id": str(question)}, body={"answer": "not_judged", "reason": "无需判断"}
    )


def _operate(stage: Stage, _tube: str) -> None:
    sent = stage.do(
        "receiveMessage", headers={"X-Source": "lis", "X-Message-Id": "CONTRACT-1", "X-Received-At": "2026-11-23T08:30:00+08:00"},
        body=b"MSH|^~\\&|LIS", media_type="application/hl7-v2",
    ).json()  # fmt: skip
    one = {"message_id": sent["id"]}
    stage.ids["message_id"].append(sent["id"])
    stage.do("listInboundMessages")
    stage.do("getInboundMessage", path=one)
    assert stage.do("getRawMessage", path=one).content == b"MSH|^~\\&|LIS"
    unknown = "update inbox_message set state = 'unmatched', detail = '{\"codes\": [\"GLUC3\"]}' where id = $1"
    stage.run(_sql(stage.settings, unknown, UUID(sent["id"])))
    (waiting,) = stage.do("listUnmappedCodes", query={"system": "lis"}).json()["items"]
    assert (waiting["code"], waiting["messages"]) == ("GLUC3", 1)
    stage.do("replayMessage", path=one)
    _release(stage, sent["id"])
    jobs = stage.do("listJobs", query={"state": "queued"}).json()["items"]
    first, second = jobs[0]["id"], jobs[1]["id"]
    stage.ids["job_id"] += [first, second]
    stage.do("getJob", path={"job_id": first})
    stage.run(_sql(stage.settings, "update job set state = 'dead' where id = $1", UUID(first)))
    stage.do("retryJob", path={"job_id": first})
    stage.do("cancelJob", path={"job_id": second})
    stage.do("listAuditEvents", query={"page_size": 5})
    stage.do(SSE, headers={"Last-Event-ID": "0"})


def _release(stage: Stage, message: str) -> None:
    """A message that nobody could place, proposed twice: refused once, agreed to once."""
    lost = "update inbox_message set state = 'unmatched', reason = 'unknown-barcode' where id = $1"
    stage.run(_sql(stage.settings, lost, UUID(message)))
    stage.do("getMessageReadings", path={"message_id": message})
    given = {"exam_id": stage.ids["exam_id"][0], "reason": "已与检验科核对"}
    for verb in ("refuseMessageRelease", "agreeMessageRelease"):
        made = stage.do("proposeMessageRelease", path={"message_id": message}, body=given).json()["id"]
        stage.ids["release_id"].append(made)
        stage.do(verb, who="second", path={"release_id": made})
    stage.do("listMessageReleases")


def load_schema(document: dict[str, Any], config: Any = None) -> Any:
    """The contract as schemathesis reads it."""
    return schemathesis.openapi.from_dict(document, config=config)
