"""One prepared world for every test of access: a visit played to its published report, and somebody of every kind signed in."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.conftest import SignIn
from tests.tjapi.world import UNREMARKABLE, House, house
from tjapi import demo
from tjapi.identity.rules import NOT_FOR_STAFF, PERMISSIONS
from tjapi.installation import GATEWAY
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect
from tjapi.kernel.settings import Settings
from tjapi.visit import invented_person

API = "/api/v1"
A, B = 1, 2
GENERAL, INTERNAL = 1, 2
COLUMNS = {
    "admin": "admin", "security": "security", "front_desk": "front", "group_manager": "group", "doctor": "doctor", "reviewer": "reviewer", "chief": "chief", "interface": "interface",
    "auditor": "auditor", "client_gateway": GATEWAY, "client_portal": "mini-program",
}  # fmt: skip
PASSWORD = "Zugang-4711-xyz"
_numbers = itertools.count(1)


def fresh(prefix: str) -> str:
    """A name that nobody has."""
    return f"{prefix}-{next(_numbers)}-{secrets.token_hex(3)}"


def once() -> dict[str, str]:
    """Headers of a creation."""
    return {"Idempotency-Key": secrets.token_hex(16)}


async def do(client: httpx.AsyncClient, method: str, path: str, expect: int = 200, **options: Any) -> Any:
    """Call an operation and insist on its answer."""
    answer = await client.request(method, API + path, **options)
    assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
    return answer


@dataclass
class Visit:
    """An exam of campus A and what belongs to it."""

    card: dict[str, Any]
    person_id: str
    exam_id: str
    exam_no: str
    lines: list[dict[str, Any]]
    tubes: list[dict[str, Any]] = field(default_factory=list)
    access_code: str = ""
    message_id: str = ""
    result_id: str = ""
    report_id: str = ""
    job_id: str = ""


@dataclass
class World:
    """Who may ask, and what they ask about. `main` is finalized and published, `reviewing` waits for a reviewer."""

    runtime: Runtime
    sign_in: SignIn
    base_url: str
    clients: dict[str, httpx.AsyncClient]
    groups: dict[str, str]
    wake: Callable[[], None]
    main: Visit = field(init=False)
    reviewing: Visit = field(init=False)
    arrived: Visit = field(init=False)
    booked: Visit = field(init=False)
    unmatched_id: str = ""
    unit: dict[str, str] = field(default_factory=dict)
    colleague_id: str = ""
    packages: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    memo: dict[str, Any] = field(default_factory=dict)

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client of its own, under a token or under none."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        made = httpx.AsyncClient(base_url=self.base_url, timeout=30, trust_env=False, headers=headers)
        self.clients[fresh("extra")] = made
        return made

    async def login(self, username: str, password: str | None = None) -> dict[str, Any]:
        """Open a further session of an account."""
        body = {"username": username, "password": password or demo.password(self.runtime.keys, username)}
        answer = await do(self.clients["anonymous"], "POST", "/auth/token", json=body)
        return dict(answer.json())

    async def entered(self, username: str, password: str | None = None) -> httpx.AsyncClient:
        """A client under a further session of an account."""
        return self.client((await self.login(username, password))["access_token"])

    async def hire(self, **changes: Any) -> dict[str, Any]:
        """Add a member of staff: one administrator makes the account, another lets it in, and its first password is changed already."""
        made = await self.proposed(**changes)
        tag = {"If-Match": f'"{made["version"]}"'}
        staff = await do(self.clients["security"], "POST", f"/staff/{made['id']}:approve", headers=tag)
        admin = await connect(self.runtime.settings)
        await admin.execute("update staff set must_change_password = false where id = $1", UUID(made["id"]))
        await admin.close()
        return dict(staff.json())

    async def proposed(self, **changes: Any) -> dict[str, Any]:
        """Make an account that nobody has let in yet."""
        body = {"username": fresh("u"), "name": "新人", "password": PASSWORD, "roles": [], "campuses": [A], **changes}
        return dict((await do(self.clients["admin"], "POST", "/staff", 201, json=body, headers=once())).json())

    async def trusted(self, **changes: Any) -> dict[str, Any]:
        """Make an API client, and let it in."""
        body = {"client_id": fresh("c"), "name": "试", "scopes": ["portal.grant"], "campuses": [A], **changes}
        made = dict((await do(self.clients["admin"], "POST", "/api-clients", 201, json=body, headers=once())).json())
        await do(self.clients["security"], "POST", f"/api-clients/{made['id']}:approve")
        return made

    async def grant(self, staff_id: str, **changes: Any) -> dict[str, Any]:
        """Change what an account may do, as the security administrator does; what is not named stays."""
        now = await do(self.clients["security"], "GET", f"/staff/{staff_id}")
        rights = {k: now.json()[k] for k in ("roles", "campuses", "departments", "all_departments")} | changes
        tag = {"If-Match": now.headers["etag"]}
        return dict(
            (await do(self.clients["security"], "PUT", f"/staff/{staff_id}/rights", json=rights, headers=tag)).json()
        )

    async def newcomer(self, **changes: Any) -> httpx.AsyncClient:
        """A new member of staff, signed in."""
        return await self.entered((await self.hire(**changes))["username"], PASSWORD)

    async def examinee(self, visit: Visit) -> httpx.AsyncClient:
        """An examinee, entered with a new code of the guide sheet."""
        front, program = self.clients["front_desk"], self.clients["client_portal"]
        code = (await do(front, "POST", f"/exams/{visit.exam_id}:issue-access-code")).json()["access_code"]
        body = {"exam_no": visit.exam_no, "access_code": code, "id_number_last4": visit.card["id_number"][-4:]}
        return self.client((await do(program, "POST", "/auth/examinee-token", json=body)).json()["access_token"])

    async def register(
        self, campus: int = A, column: str = "front_desk", groups: tuple[str, ...] = ("GENERAL", "CBC")
    ) -> Visit:
        """Enter a person and register an exam."""
        front, card = self.clients[column], invented_person()
        person = await do(front, "POST", "/examinees", 201, json={"campus_id": campus, **card}, headers=once())
        order = {
            "campus_id": campus,
            "examinee_id": person.json()["id"],
            "item_group_ids": [self.groups[g] for g in groups],
        }
        exam = (await do(front, "POST", "/exams", 201, json=order, headers=once())).json()
        return Visit(card, person.json()["id"], exam["id"], exam["exam_no"], exam["lines"])

    async def plan(self) -> dict[str, str]:
        """Plan a campaign of a unit of campus A, with a group and a member; ids by what they are."""
        manager = self.clients["group_manager"]

        async def make(path: str, **body: Any) -> str:
            return str((await do(manager, "POST", path, 201, json=body, headers=once())).json()["id"])

        employer = await make("/employers", code=fresh("E"), name="某单位")
        contact = await make(f"/employers/{employer}/contacts", name="韦经理", phone="13800001234")
        period = {"employer_id": employer, "campus_id": A, "name": "年度体检"}
        contract = await make(
            "/contracts", contract_no=fresh("HT"), valid_from="2026-01-01", valid_to="2027-12-31", **period
        )
        campaign = await make("/campaigns", year=2026, starts_on="2026-03-01", ends_on="2027-12-31", **period)
        group = {"name": "全员", "criteria": [{}], "item_group_ids": [self.groups["CBC"]]}
        made = (await do(manager, "PUT", f"/campaigns/{campaign}/groups/ALL", json=group)).json()
        card = invented_person()
        person = {k: card[k] for k in ("name", "sex", "birth_date", "id_kind", "id_number", "phone")}
        member = await make(f"/campaigns/{campaign}/members", **person)
        return {
            "employer": employer, "contact": contact, "contract": contract, "campaign": campaign, "campaign_group": made["id"], "member": member,
            "last4": card["id_number"][-4:],
        }  # fmt: skip

    async def check_in(self, visit: Visit) -> Visit:
        """Check somebody in."""
        desk = (await do(self.clients["front_desk"], "POST", f"/exams/{visit.exam_id}:check-in")).json()
        visit.tubes, visit.access_code = desk["tubes"], desk["access"]["access_code"]
        return visit

    async def examine(self, visit: Visit) -> Visit:
        """Collect, enter, sign, let the laboratory report; until nothing is outstanding."""
        for tube in visit.tubes:
            await do(self.clients["front_desk"], "POST", f"/tubes/{tube['id']}:collect")
        doctor, place = self.clients["doctor"], f"/exams/{visit.exam_id}/departments/{GENERAL}"
        sheet = await do(doctor, "GET", f"{place}/sheet")
        values = [
            {"item_id": i["item_id"], "value": UNREMARKABLE.get(i["item_code"], "70")}
            for i in sheet.json()["items"]
            if i["entered_here"]
        ]
        sheet = await do(
            doctor, "PUT", f"{place}/results", json={"results": values}, headers={"If-Match": sheet.headers["etag"]}
        )
        await do(
            doctor,
            "POST",
            f"{place}/sheet:sign",
            json={"summary": "见各项描述"},
            headers={"If-Match": sheet.headers["etag"]},
        )
        visit.message_id = await self.report_laboratory(visit, visit.tubes[0]["barcode"])
        await self.until(lambda: self.complete(visit))
        results = (await do(doctor, "GET", f"/exams/{visit.exam_id}/results")).json()["departments"]
        visit.result_id = results[0]["results"][0]["id"]
        return visit

    async def complete(self, visit: Visit) -> bool:
        """Whether nothing is outstanding."""
        answer = await do(self.clients["doctor"], "GET", f"/exams/{visit.exam_id}/completeness")
        return bool(answer.json()["complete"])

    async def report_laboratory(self, visit: Visit, barcode: str) -> str:
        """Post a blood count as the gateway does; return our id of the message."""
        number, body = oru(visit, barcode)
        headers = {"X-Source": "lis", "X-Message-Id": number, "Content-Type": "application/hl7-v2"}
        answer = await do(
            self.clients["client_gateway"], "POST", "/inbound-messages", 202, content=body, headers=headers
        )
        self.wake()
        return str(answer.json()["id"])

    async def conclude(self, visit: Visit, state: str) -> None:
        """Bring a conclusion to `draft`, `initial_signed` or `finalized`."""
        reviewer, chief, place = self.clients["reviewer"], self.clients["chief"], f"/exams/{visit.exam_id}/conclusion"
        steps = {"draft": 0, "initial_signed": 1, "finalized": 2}
        while True:
            now = await do(reviewer, "GET", place)
            seen, tag = now.json(), {"If-Match": now.headers["etag"]}
            if seen["version"] == 0:
                await do(reviewer, "PUT", place, json={"overview": "各项如下。", "entries": []}, headers=tag)
            elif steps[seen["state"]] < steps[state]:
                who, verb = (reviewer, "sign") if seen["state"] == "draft" else (chief, "finalize")
                await do(who, "POST", f"{place}:{verb}", headers=tag)
            elif steps[seen["state"]] > steps[state]:
                await do(chief, "POST", f"{place}:return", json={"reason": "再看"}, headers=tag)
            else:
                return

    async def render(self, visit: Visit) -> str:
        """Have a new version of a report made."""
        chief = self.clients["chief"]
        report = (await do(chief, "POST", f"/exams/{visit.exam_id}/reports", 202)).json()
        visit.job_id = report["job_id"]
        self.wake()

        async def generated() -> bool:
            return bool(
                (await do(chief, "GET", f"/reports/{report['id']}")).json()["state"] not in ("rendering", "generated")
            )

        await self.until(generated)
        return str(report["id"])

    async def until(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what the worker does."""
        for _ in range(400):
            if await check():
                return
            self.wake()
            await asyncio.sleep(0.06)
        raise AssertionError("it did not happen in time")

    @property
    def markers(self) -> tuple[str, ...]:
        """What betrays campus A and its people wherever it is read."""
        seen = (self.main, self.reviewing, self.arrived, self.booked)
        texts = [t for v in seen for t in (v.exam_id, v.exam_no, v.person_id, v.report_id, v.message_id, v.job_id)]
        return tuple(t for t in texts if t)


def oru(visit: Visit, barcode: str) -> tuple[str, bytes]:
    """A blood count as the laboratory sends it."""
    at, number, card = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000"), fresh("M"), visit.card
    values = (("WBC", "6.2"), ("RBC", "4.8"), ("HGB", "150"), ("HCT", "0.45"), ("PLT", "220"))
    segments = [
        f"MSH|^~\\&|LIS|LAB|TJAPI||{at}||ORU^R01^ORU_R01|{number}|P|2.5.1|||||CHN|UNICODE UTF-8",
        f"PID|1||{visit.exam_no}^^^TJ^VN||{card['name']}||{card['birth_date'].replace('-', '')}|{card['sex'][0].upper()}",
        "ORC|RE",
        f"OBR|1||F{number}|CBC^血常规^L|||{at}|||||||||||||||{at}|||F",
        *(f"OBX|{i}|NM|{code}^{code}^L||{value}|||||||F" for i, (code, value) in enumerate(values, 1)),
        f"SPM|1|{barcode}",
    ]
    return number, ("\r".join(segments) + "\r").encode()


@pytest.fixture(scope="session")
async def own(worker_name: str) -> AsyncIterator[House]:
    """A clone of these tests' own: a worker runs on it to the end of the session, and would take nobody else's jobs."""
    async with house(f"access_{worker_name}") as held:
        yield held


@pytest.fixture(scope="session")
def settings(own: House) -> Settings:
    """Settings on that clone."""
    return own.runtime.settings


@pytest.fixture(scope="session")
def runtime(own: House) -> Runtime:
    """What a process holds, on that clone."""
    return own.runtime


@pytest.fixture(scope="session")
def base_url(own: House) -> str:
    """The address of the application that is served on that clone."""
    return own.base_url


@pytest.fixture(scope="session")
async def anonymous(own: House) -> AsyncIterator[httpx.AsyncClient]:
    """A client that has not signed in, on that clone."""
    async with httpx.AsyncClient(base_url=own.base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def sign_in(own: House) -> SignIn:
    """Sign in on that clone."""
    return own.sign_in


@pytest.fixture(scope="session")
async def world(runtime: Runtime, base_url: str, sign_in: SignIn) -> AsyncIterator[World]:
    """The prepared world, once per session."""
    # Orders stay queued: there is no laboratory to send them to, and a test cancels one.
    jobs = {name: spec for name, spec in runtime.jobs.items() if name != "requisition.send_order"}
    runner = Runner(runtime.units, jobs, runtime.services, slots=2, lease=30, sweep=30)
    stop = asyncio.Event()
    working = asyncio.create_task(runner.run(stop))
    clients = dict(zip(COLUMNS, await asyncio.gather(*(sign_in(name) for name in COLUMNS.values())), strict=True))
    held = World(runtime, sign_in, base_url, clients, {}, runner.wake)
    clients["anonymous"] = httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False)
    await _prepare(held)
    yield held
    stop.set()
    await working
    for name, client in held.clients.items():
        if name not in COLUMNS:
            await client.aclose()


async def _prepare(world: World) -> None:
    admin, clients = world.clients["admin"], world.clients
    found = (await do(admin, "GET", "/item-groups", params={"page_size": 200})).json()["items"]
    world.groups = {g["code"]: g["id"] for g in found}
    world.packages = (await do(admin, "GET", "/exam-packages")).json()["items"]
    world.items = (await do(admin, "GET", "/items")).json()["items"]
    # No administrator can make such a role: who holds every right is written past them all.
    owner = await connect(world.runtime.settings)
    await owner.execute(
        "insert into role (code, name_zh, name_en, permissions) values ('every_right', '全部权限', 'Every right', $1)",
        sorted(PERMISSIONS.keys() - NOT_FOR_STAFF),
    )
    await owner.close()
    world.main, world.reviewing, world.arrived = [await world.check_in(await world.register()) for _ in range(3)]
    world.booked = await world.register()
    world.unit = await world.plan()
    await world.examine(world.main)
    await world.conclude(world.main, "finalized")
    # The rendering is another process's work; the rest goes on meanwhile.
    world.main.report_id, *_ = await asyncio.gather(world.render(world.main), _hire(world), _review(world))
    await do(clients["chief"], "POST", f"/reports/{world.main.report_id}:publish")
    clients["examinee"], clients["foreign_examinee"] = (
        await world.examinee(world.main),
        await world.examinee(world.arrived),
    )
    await do(clients["front_desk"], "GET", f"/examinees/{world.main.person_id}")
    world.unmatched_id = await world.report_laboratory(world.main, "NOSUCHTUBE")


async def _hire(world: World) -> None:
    foreign, other, colleague = await asyncio.gather(
        _all_powerful(world),
        world.newcomer(roles=["doctor"], departments=[INTERNAL]),
        world.hire(roles=["doctor"]),
    )
    world.clients |= {"foreign_campus": foreign, "other_department": other}
    world.colleague_id = colleague["id"]


async def _all_powerful(world: World) -> httpx.AsyncClient:
    """Somebody of campus B who holds every right there is."""
    staff = await world.hire(campuses=[B], all_departments=True)
    owner = await connect(world.runtime.settings)
    await owner.execute("insert into staff_role (staff_id, role_code) values ($1, 'every_right')", UUID(staff["id"]))
    await owner.close()
    return await world.entered(staff["username"], PASSWORD)


async def _review(world: World) -> None:
    await world.examine(world.reviewing)
    await world.conclude(world.reviewing, "draft")
