"""Visits played up to a point, for whoever tests what comes after; and whole houses of their own: database, server, worker.

What a person does at a desk goes over HTTP; what a laboratory or two reviewers would say goes through the services.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI
from PIL import Image

from adapters.lis.contract import LabObservation, LabReport, LabResult
from tests.conftest import clone, settings_for
from tjapi import app as application
from tjapi import demo, wiring
from tjapi.catalog import service as catalog
from tjapi.conclusion import service as conclusions
from tjapi.conclusion.schemas import ConclusionIn
from tjapi.exam import service as exams
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.identity.rules import ROLES, private_scope
from tjapi.kernel import logs
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect
from tjapi.kernel.seal import make_demo_seal
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.settings import Settings
from tjapi.report import service as reports
from tjapi.requisition import service as requisitions
from tjapi.result import service as results
from tjapi.visit import id_number, invented_person

API = "/api/v1"
SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
UNREMARKABLE = {
    "HEIGHT": "170", "BMI": "22", "SBP": "120", "DBP": "80", "PULSE": "70", "HEART-RATE": "70", "HGB": "140", "HCT": "0.45", "PLT": "200",
    "CREA": "60", "UA": "300", "K": "4.2", "NA": "140", "CA": "2.30", "CL": "100", "INR": "1.0", "MCV": "90", "MCH": "30", "MCHC": "330",
    "WAIST": "80", "HIP": "90", "TEMP": "36.5", "SPO2": "98", "SBP-2": "120", "DBP-2": "80", "WHR": "0.8", "ECG-HR": "70", "ECG-PR": "150",
    "ECG-QRS": "90", "ECG-QTC": "410", "FEV1FVC": "85", "BAPWV-R": "1300", "BAPWV-L": "1300", "ABI-R": "1.1", "ABI-L": "1.1",
    "FIBRO-CAP": "220", "PCT-PLT": "0.2", "TP": "70", "ALB": "45", "CHE": "8000", "PA": "280", "LDH": "180", "HBDH": "140", "APTT": "30",
    "C4": "0.2", "B12": "500", "USG": "1.015", "PT": "12", "MG": "0.9", "P": "1.1", "RESP": "16", "LVEF": "62", "LDL": "2.5", "EOS": "0.1",
    "TCO2": "25", "CTNI": "0.01", "DDIMER": "0.2", "CORT": "300",
}  # fmt: skip
"""Where 5 would be a critical value, or none that anybody has."""
PDF = b"%PDF-1.4 not a real one, but bytes all the same"


def key() -> dict[str, str]:
    """A fresh Idempotency-Key header."""
    return {"Idempotency-Key": secrets.token_hex(16)}


def portrait(kind: str = "JPEG", size: tuple[int, int] = (300, 400), *, seed: int = 0, **options: Any) -> bytes:
    """A picture that nobody is on: one colour that differs by the seed, its upper left corner white."""
    image = Image.new("RGB", size, ((37 * seed) % 256, (91 * seed) % 200, 120))
    image.paste((255, 255, 255), (0, 0, size[0] // 4, size[1] // 4))
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


@dataclass
class Visit:
    """One exam of one invented person; `lines` and `departments` by the code of the group."""

    examinee_id: UUID
    card: dict[str, Any]
    exam_id: UUID
    exam_no: str
    lines: dict[str, UUID]
    departments: dict[str, int]
    tubes: list[dict[str, Any]] = field(default_factory=list)
    access_code: str = ""

    @property
    def place(self) -> str:
        return f"{API}/exams/{self.exam_id}"

    def tube(self, group: str) -> dict[str, Any]:
        """The tube that serves a group, by the group's printed name."""
        return next(tube for tube in self.tubes if group in tube["groups"])


class World:
    """Plays visits on a runtime whose application is served somewhere."""

    def __init__(self, runtime: Runtime, sign_in: SignIn) -> None:
        self.runtime = runtime
        self.sign_in = sign_in
        self._groups: dict[str, UUID] = {}
        self._staff: dict[str, Principal] = {}

    async def staff(self, username: str) -> Principal:
        """The principal of a demo login, to act without HTTP."""
        if username in self._staff:
            return self._staff[username]
        admin = await connect(self.runtime.settings)
        found = await admin.fetchrow(
            "select s.id, s.name, s.campuses, s.departments, s.all_departments, r.role_code from staff s"
            " join staff_role r on r.staff_id = s.id where username = $1",
            username,
        )
        await admin.close()
        assert found is not None
        departments = None if found["all_departments"] else tuple(found["departments"])
        permissions = ROLES[found["role_code"]][2]
        self._staff[username] = Principal(
            "staff", found["id"], permissions, tuple(found["campuses"]), departments, None, "", found["name"],
            private=private_scope(permissions, departments),
        )  # fmt: skip
        return self._staff[username]

    async def groups(self) -> dict[str, UUID]:
        """Item groups by code."""
        if not self._groups:
            async with self.runtime.units.open(demo.LOADER) as uow:
                page = await catalog.item_groups_page(
                    uow, q=None, department_id=None, active=True, after=None, size=200
                )
                self._groups = {group.code: group.id for group in page}
        return self._groups

    async def person(self, campus_id: int = 1, sex: str = "", years: int = 0) -> tuple[UUID, dict[str, Any]]:
        """Enter somebody invented; `years`: of that age, where no adult is wanted."""
        card = invented_person(sex)
        if years:
            # Any day of that year of age: on one day there are few numbers, and two people would meet.
            back = 366 * years + secrets.randbelow(300)
            born = business_day(datetime.now(UTC)).replace(day=1) - timedelta(days=back)
            card |= {"birth_date": born.isoformat(), "id_number": id_number(born, card["sex"])}
        async with self.runtime.units.open(demo.LOADER) as uow:
            known, _ = await examinees.meet(uow, IdCardPayload.model_validate(card), campus_id)
        return known.id, card

    async def order(self, examinee_id: UUID, *groups: str, campus_id: int = 1) -> dict[str, Any]:
        """The body of a registration."""
        ids = await self.groups()
        return {
            "campus_id": campus_id,
            "examinee_id": str(examinee_id),
            "item_group_ids": [str(ids[code]) for code in groups],
        }

    async def young(self) -> UUID:
        """Enter somebody of 16: of many items no range is known at that age."""
        return (await self.person(years=16))[0]

    async def registered(self, *groups: str, campus_id: int = 1, examinee_id: UUID | None = None) -> Visit:
        """Register somebody at the front desk."""
        person, card = (examinee_id, {}) if examinee_id else await self.person(campus_id)
        front = await self.sign_in("front" if campus_id == 1 else "front.b")
        body = await self.order(person, *(groups or ("GLU",)), campus_id=campus_id)
        meant = {"despite": ["second_exam"]} if examinee_id else {}
        answer = await front.post(f"{API}/exams", json=body | meant, headers=key())
        assert answer.status_code == 201, answer.text
        exam = answer.json()
        return Visit(
            person, card, UUID(exam["id"]), exam["exam_no"], {line["code"]: UUID(line["id"]) for line in exam["lines"]},
            {line["code"]: line["department_id"] for line in exam["lines"]},
        )  # fmt: skip

    async def checked_in(self, *groups: str, campus_id: int = 1, examinee_id: UUID | None = None) -> Visit:
        """Register somebody and check them in."""
        visit = await self.registered(*groups, campus_id=campus_id, examinee_id=examinee_id)
        front = await self.sign_in("front" if campus_id == 1 else "front.b")
        answer = await front.post(f"{visit.place}:check-in", headers=key())
        assert answer.status_code == 200, answer.text
        visit.tubes = answer.json()["tubes"]
        visit.access_code = answer.json()["access"]["access_code"]
        return visit

    async def file(
        self, visit: Visit, *, status: str = "F", ends: str = "filed revision", flags: Any = None,
        groups: Collection[str] = (), **values: str,
    ) -> None:  # fmt: skip
        """The laboratory reports on every tube; `values` by item code, otherwise nothing critical; `status` as in OBX-11.

        `flags`: what it flags of its own, by item code; `ends`: how the message may end; `groups`: of which it reports, where not of all.
        """
        async with self.runtime.units.open(demo.LOADER) as uow:
            exam = await exams.get(uow, visit.exam_id)
            lines = {line.id: line for line in await exams.lines(uow, visit.exam_id) if line.performed_by == "lis"}
            reported = {line_id for line_id, line in lines.items() if not groups or line.code in groups}
            items = await catalog.group_items(uow, [line.item_group_id for line in lines.values()])
            now = datetime.now(UTC)
            found = []
            for tube in await requisitions.tubes(uow, visit.exam_id):
                ref = await requisitions.tube_by_barcode(uow, tube.barcode)
                assert ref is not None
                for line in (lines[i] for i in ref.line_ids if i in reported):
                    said = tuple(
                        LabObservation(
                            item.code,
                            item.name,
                            "",
                            "NM",
                            values.get(item.code, UNREMARKABLE.get(item.code, "5")),
                            item.unit or "",
                            "",
                            (flags[item.code],) if flags and item.code in flags else (),
                            status,
                            now,
                        )
                        for item in items[line.item_group_id]
                    )
                    found.append(
                        LabResult(
                            tube.barcode, None, None, line.code, line.name, now, now, status, said,
                            examined_by="蒙检验", verified_by="覃审核",
                        )
                    )  # fmt: skip
            report = LabReport(
                uuid7().hex[:20],
                now,
                "LIS",
                exam.exam_no,
                exam.name,
                cast("Any", exam.sex),
                exam.birth_date,
                None,
                tuple(found),
            )
            filed = await results.file_report(uow, uuid7(), "lis", report)
        assert filed.outcome in ends.split(), filed

    async def ready(self, *groups: str, examinee_id: UUID | None = None) -> Visit:
        """A visit of which nothing is outstanding: laboratory groups alone."""
        visit = await self.checked_in(*groups, examinee_id=examinee_id)
        await self.file(visit)
        return visit

    async def finalized(self, *groups: str, examinee_id: UUID | None = None) -> Visit:
        """A visit that two people signed."""
        visit = await self.ready(*groups, examinee_id=examinee_id)
        draft = ConclusionIn.model_validate(
            {"overview": "见各项结果。", "entries": [{"kind": "finding", "title": "血糖"}]}
        )
        reviewer, chief = await self.staff("reviewer"), await self.staff("chief")
        async with self.runtime.units.open(reviewer) as uow:
            await conclusions.write(uow, visit.exam_id, draft, 0)
            await conclusions.sign(uow, visit.exam_id, 1)
        async with self.runtime.units.open(chief) as uow:
            await conclusions.finalize(uow, visit.exam_id, 2)
        return visit

    async def generated(self, visit: Visit) -> UUID:
        """A version of the visit's report whose bytes are kept, as if it had been rendered."""
        async with self.runtime.units.open(await self.staff("chief")) as uow:
            report = await reports.request(uow, visit.exam_id)
        address = await self.runtime.storage.put(PDF)
        async with self.runtime.units.open(demo.LOADER, "worker") as uow:
            digest = hashlib.sha256(PDF).hexdigest()
            await reports.keep(uow, report.id, file=address, sha256=digest, pages=1, size=len(PDF))
            await reports.seal(uow, report.id, file=address, sha256=digest, size=len(PDF))
        return report.id

    async def published(self, visit: Visit) -> UUID:
        """A version that its owner may see."""
        report_id = await self.generated(visit)
        async with self.runtime.units.open(await self.staff("chief")) as uow:
            await reports.publish(uow, report_id)
        return report_id

    async def exchange(self, visit: Visit, **changes: str) -> httpx.Response:
        """The mini-program asks for the examinee's token."""
        program = await self.sign_in("mini-program")
        given = {
            "exam_no": visit.exam_no,
            "access_code": visit.access_code,
            "id_number_last4": visit.card["id_number"][-4:],
        }
        return await program.post(f"{API}/auth/examinee-token", json=given | changes)

    @contextlib.asynccontextmanager
    async def owner(self, visit: Visit) -> AsyncIterator[httpx.AsyncClient]:
        """The examinee, signed in."""
        answer = await self.exchange(visit)
        assert answer.status_code == 200, answer.text
        program = await self.sign_in("mini-program")
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        async with httpx.AsyncClient(base_url=program.base_url, headers=headers, timeout=30, trust_env=False) as client:
            yield client


@dataclass
class House:
    """A database, an application and its users that nobody else touches."""

    world: World
    runtime: Runtime
    base_url: str
    admin: asyncpg.Connection

    async def sign_in(self, name: str) -> httpx.AsyncClient:
        return await self.world.sign_in(name)


@contextlib.asynccontextmanager
async def house(name: str, **changes: Any) -> AsyncIterator[House]:
    """Clone the template under a name, serve it, sign people in; `changes` go to the settings."""
    logs.configure("ERROR")
    state = Path(os.environ["TJ_TEST_STATE"]) / name
    state.mkdir(exist_ok=True)
    settings = settings_for(await clone(f"tj_{name}"), state).model_copy(update=changes)
    make_demo_seal(settings.seal_folder, settings.hospital_name)
    runtime = wiring.build(settings)
    async with contextlib.AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(serving_app(application.create(runtime)))
        sign_in = await stack.enter_async_context(signing_in(base_url, runtime))
        admin = await connect(settings)
        stack.push_async_callback(admin.close)
        yield House(World(runtime, sign_in), runtime, base_url, admin)


@contextlib.asynccontextmanager
async def signing_in(base_url: str, runtime: Runtime) -> AsyncIterator[SignIn]:
    """Sign in under demo logins at an address; each once."""
    held: dict[str, httpx.AsyncClient] = {}

    async def enter(name: str) -> httpx.AsyncClient:
        if name not in held:
            client = httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False)
            if secret := demo.client_secrets(runtime.keys).get(name):
                answer = await client.post(
                    f"{API}/auth/client-token", json={"client_id": name, "client_secret": secret}
                )
            else:
                body = {"username": name, "password": demo.password(runtime.keys, name)}
                answer = await client.post(f"{API}/auth/token", json=body)
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            held[name] = client
        return held[name]

    yield enter
    for client in held.values():
        await client.aclose()


@contextlib.asynccontextmanager
async def serving_app(app: FastAPI) -> AsyncIterator[str]:
    """Serve any application on a real socket in this loop, from its start to its shutdown."""
    listening = socket.create_server(("127.0.0.1", 0))
    # asyncio does so for sockets it makes; without it every answer waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    options: dict[str, Any] = {
        "log_config": None,
        "access_log": False,
        "loop": "none",
        "lifespan": "on",
        "proxy_headers": False,
        "timeout_keep_alive": application.KEEP_ALIVE_SECONDS,
    }
    server = uvicorn.Server(uvicorn.Config(app, timeout_graceful_shutdown=2, **options))
    server.config.setup_event_loop = lambda: None  # type: ignore[method-assign]
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def working(settings: Settings, *, slots: int = 4, lease: float = 12) -> AsyncIterator[Runtime]:
    """A worker's runner on a runtime of its own, in this loop."""
    runtime = wiring.build(settings)
    runner = Runner(runtime.units, runtime.jobs, runtime.services, slots=slots, lease=lease, sweep=60)
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    try:
        yield runtime
    finally:
        stop.set()
        await task
        await wiring.close(runtime)


async def until(ask: Callable[[], Awaitable[Any]], *, seconds: float = 20) -> Any:
    """Ask until the answer is true, and return it."""
    async with asyncio.timeout(seconds):
        while not (answer := await ask()):  # noqa: ASYNC110 - what is waited for happens in another process, or in a database
            await asyncio.sleep(0.03)
        return answer
