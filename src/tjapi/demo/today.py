"""The work of the day: visits at every step, queues with something in them, messages that no machine may place.

Each step goes through the same verbs that the desks and the wires use, as the person who would do it, on a clock that is turned back to
the morning; the laboratory's values come as HL7 messages through the inbox. Only the sending of orders is left out: the laboratory of
this morning was another one than the sandbox, which would answer with values of its own.

A step looks at what is there before it does anything, so a load that was killed is completed by the next one.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tjapi import wiring
from tjapi.conclusion import service as conclusions
from tjapi.demo.archive import Catalog, Offer, programme, read_catalog
from tjapi.demo.base import LOADER
from tjapi.demo.people import Person
from tjapi.exam import service as exams
from tjapi.exam.models import ExamLine
from tjapi.exam.schemas import ExamIn
from tjapi.frontdesk import service as frontdesk
from tjapi.guidance import service as guidance
from tjapi.identity import service as identity
from tjapi.identity.rules import ROLES
from tjapi.identity.schemas import StaffOut
from tjapi.installation import GATEWAY
from tjapi.kernel import inbox
from tjapi.kernel.clock import HOSPITAL_ZONE, business_day
from tjapi.kernel.jobs.spec import Progress
from tjapi.kernel.problem import PreconditionFailed
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import UnitOfWork, Units
from tjapi.requisition import service as requisitions
from tjapi.requisition.schemas import TubeOut
from tjapi.result import service as results
from tjapi.result.schemas import ResultIn, ResultsIn, SignIn

_LIS = "lis"
_YEARS_ON = 3.0
_LANES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How far a visit is to get, minutes since the examinee came, on which package (None: the one they take), what is added and found."""

    step: str
    ago: int
    package: str | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()


_NODULE = {
    "US-THYROID-TR": "TI-RADS 4c类",
    "US-THYROID": "甲状腺右叶见一低回声结节,大小约 11×9 mm,边界不清,见点状强回声,TI-RADS 4c类",
}
# One of each kind comes first, so that a small demo has them too.
PLANS = (
    Plan("ready", 214, "BASIC"),
    Plan("waiting", 31),
    Plan("booked", 0),
    Plan("entering", 96, "ENTRY"),
    Plan("ready", 188, "BASIC", {"GLU": "25.3", "UGLU": "阳性(3+)"}),
    Plan("finalized", 236, "BASIC", {"UA": "402"}),
    Plan("collected", 64, "BASIC"),
    Plan("signed", 228, "BASIC"),
    Plan("ready", 65, "BASIC", {"PULSE": "44", "HEART-RATE": "47"}),
    Plan("ready", 171, "BASIC", _NODULE, ("US-THYROID",)),
    *(Plan("ready", 206 - 9 * i, "BASIC") for i in range(11)),
    Plan("ready", 118, "ENTRY"),
    *(Plan("entering", 110 - 9 * i, package) for i, package in enumerate(("NATIONAL-2025", "ENTRY", "TCM-CARE"))),
    *(Plan("collected", 74 - 6 * i) for i in range(5)),
    *(Plan("waiting", 40 - 4 * i) for i in range(7)),
    *(Plan("booked", 0) for _ in range(13)),
)
_QUEUEING = ("waiting", "collected", "entering")
_STEPS = {"booked": 0, "waiting": 1, "collected": 1, "entering": 2, "ready": 3, "signed": 4, "finalized": 5}


class _Watch:
    """A clock that shows what it is set to."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment that is shown."""
        return self.moment


class _Hospital:
    """Everybody who works this morning, and the clock on the wall."""

    def __init__(self, runtime: Runtime, staff: Mapping[str, StaffOut], gateway: Principal, held: Catalog) -> None:
        self.now = runtime.clock.now()
        self.watch = _Watch(self.now)
        self.held = held
        self.read = runtime.services.lis.read
        self.gateway = gateway
        self._staff = staff
        self._units = Units(
            runtime.database, self.watch, runtime.cipher, wiring.announcements(), runtime.broker.poke
        )  # fmt: skip

    def as_(self, username: str) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of a member of staff."""
        one = self._staff[username]
        rights = frozenset().union(*(ROLES[role][2] for role in one.roles))
        departments = None if one.all_departments else tuple(one.departments)
        return self._units.open(
            Principal("staff", one.id, rights, tuple(one.campuses), departments, None, "", one.name)
        )

    def by(self, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of a machine that files what it hears."""
        return self._units.open(principal, "worker")

    def worker(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of the worker."""
        return self._units.open(LOADER, "worker")

    def at(self, minutes_ago: float) -> None:
        """Turn the clock. Early in the night the morning is shorter: everything stays on its day."""
        local = self.now.astimezone(HOSPITAL_ZONE)
        passed = local.hour * 60 + local.minute
        self.watch.moment = self.now - timedelta(minutes=minutes_ago * min(1.0, max(passed - 5, 0) / 250))


async def load(
    runtime: Runtime, people: Sequence[Person], ids: Mapping[int, UUID], staff: Mapping[str, StaffOut], progress: Progress
) -> dict[str, int]:  # fmt: skip
    """Bring the work of the day to where it stands; say how many visits stand where."""
    planned = list(zip(PLANS, people, strict=False))
    done = 0

    async def lane(own: Sequence[tuple[Plan, Person]]) -> None:
        nonlocal done
        hospital = await _open(runtime, staff)  # each with a clock of its own
        for plan, person in own:
            await _Visit(hospital, plan, person, ids[person.number]).play()
            done += 1
            await progress(done, len(planned), "today")

    # Side by side: while the database works for one, the next goes on.
    async with asyncio.TaskGroup() as lanes:
        for first in range(_LANES):
            lanes.create_task(lane(planned[first::_LANES]))
    await _stray_messages(await _open(runtime, staff))
    return dict(Counter(plan.step for plan, _ in planned))


async def amend(
    runtime: Runtime, people: Sequence[Person], ids: Mapping[int, UUID], staff: Mapping[str, StaffOut]
) -> None:  # fmt: skip
    """The laboratory corrects a value after the final sign-off, and after the report: somebody must amend it."""
    hospital = await _open(runtime, staff)
    for plan, person in zip(PLANS, people, strict=False):
        if plan.step == "finalized":
            await _Visit(hospital, plan, person, ids[person.number]).correct()


async def _open(runtime: Runtime, staff: Mapping[str, StaffOut]) -> _Hospital:
    async with runtime.units.read(LOADER) as uow:
        held = await read_catalog(uow)
        client = next(c for c in await identity.clients(uow) if c.client_id == GATEWAY)
        campuses = tuple(sorted(c.id for c in await identity.campuses(uow)))
    gateway = Principal("client", client.id, frozenset(client.scopes), tuple(client.campuses) or campuses, None)
    return _Hospital(runtime, staff, gateway, held)


class _Visit:
    """One visit of the day."""

    def __init__(self, hospital: _Hospital, plan: Plan, person: Person, examinee_id: UUID) -> None:
        self.hospital, self.plan, self.person, self.examinee_id = hospital, plan, person, examinee_id
        self.campus_id = person.campuses[0]
        self.day = business_day(hospital.now)
        self.offer = self._offer()
        self.added = [hospital.held.group(code) for code in plan.added]
        self.groups = [*self.offer.groups, *(group for group, _ in self.added)]
        self.items = {**self.offer.items, **{group.id: items for group, items in self.added}}
        self.said = hospital.held.values(person, self.day, _YEARS_ON, self.offer.package.code) | dict(plan.found)

    def _offer(self) -> Offer:
        offers = self.hospital.held.offers
        code = self.plan.package or programme(self.person, self.day)
        return offers[code] if code in offers else offers[f"{code}-{'M' if self.person.sex == 'male' else 'F'}"]

    async def play(self) -> None:
        """Do what is missing up to the planned step."""
        through = _STEPS[self.plan.step]
        steps: tuple[Callable[[UUID], Awaitable[None]], ...] = (
            self._arrive, self._enter, self._complete, self._sign, self._finalize,
        )  # fmt: skip
        exam_id = await self._register()
        for step in steps[:through]:
            await step(exam_id)
        if self.plan.step in _QUEUEING:
            await self._queue(exam_id)

    async def _state(self, uow: UnitOfWork, exam_id: UUID) -> str:
        return (await exams.get(uow, exam_id)).state

    async def _register(self) -> UUID:
        hospital = self.hospital
        hospital.at(self.plan.ago + 3)
        async with hospital.as_("front" if self.campus_id == 1 else "front.b") as uow:
            held = await exams.page(
                uow, campus_id=None, day=None, state=None, exam_no=None, examinee_id=self.examinee_id, after=None, size=20
            )  # fmt: skip
            here = next((exam for exam in held if exam.archive is None), None)
            if here is not None:
                return here.id
            order = ExamIn(
                campus_id=self.campus_id, examinee_id=self.examinee_id, package_id=self.offer.package.id,
                item_group_ids=[group.id for group, _ in self.added],
            )  # fmt: skip
            return (await exams.register(uow, order)).id

    async def _arrive(self, exam_id: UUID) -> None:
        hospital = self.hospital
        hospital.at(self.plan.ago)
        async with hospital.as_("front" if self.campus_id == 1 else "front.b") as uow:
            if await self._state(uow, exam_id) == "prepared":
                await frontdesk.check_in(uow, exam_id)
                if self.plan.step != "waiting":
                    hospital.at(self.plan.ago - 8)
                    for tube in await requisitions.tubes(uow, exam_id):
                        await requisitions.collect(uow, tube.id)
                for requisition in await requisitions.requisitions(uow, exam_id):
                    order = await requisitions.order_of(uow, requisition.id)
                    asked = [group.placer_no for tube in order.tubes for group in tube.groups] if order else []
                    await requisitions.mark_sent(uow, requisition.id, asked)

    async def _queue(self, exam_id: UUID) -> None:
        """Whoever is about stands in the queue to which the guide sends them; whoever stands in one stays there."""
        hospital = self.hospital
        hospital.at(self.plan.ago / 4)
        async with hospital.as_("front" if self.campus_id == 1 else "front.b") as uow:
            if await self._state(uow, exam_id) in ("checked_in", "in_progress"):
                await guidance.guide(uow, exam_id)

    async def _enter(self, exam_id: UUID) -> None:
        """Some departments have signed, one is in the middle, the laboratory has reported some tubes."""
        hospital = self.hospital
        async with hospital.worker() as uow:
            waiting, tubes = await self._departments(uow, exam_id), await requisitions.tubes(uow, exam_id)
        if self.plan.step == "entering":
            half = len(waiting) // 2
            for i, department_id in enumerate(waiting[:half]):
                await self._sheet(exam_id, department_id, self.plan.ago - 15 - 6 * i, sign=True)
            for department_id in waiting[half : half + 1]:
                await self._sheet(exam_id, department_id, self.plan.ago - 50, sign=False)
            await self._report(exam_id, tubes[:1], self.plan.ago - 45)

    async def _complete(self, exam_id: UUID) -> None:
        hospital = self.hospital
        async with hospital.worker() as uow:
            waiting, tubes = await self._departments(uow, exam_id), await requisitions.tubes(uow, exam_id)
        await self._report(exam_id, tubes, self.plan.ago - 58)
        for i, department_id in enumerate(waiting):
            await self._sheet(exam_id, department_id, self.plan.ago - 60 - 4 * i, sign=True)

    async def _departments(self, uow: UnitOfWork, exam_id: UUID) -> list[int]:
        """Return the departments that examine."""
        lines = await exams.lines(uow, exam_id)
        return sorted({line.department_id for line in lines if line.performed_by == "department"})

    async def _sheet(self, exam_id: UUID, department_id: int, minutes_ago: float, *, sign: bool) -> None:
        hospital = self.hospital
        hospital.at(minutes_ago)
        async with hospital.as_("doctor" if self.campus_id == 1 else "doctor.b") as uow:
            try:
                sheet = await results.put_results(
                    uow, exam_id, department_id, self._entry(department_id, whole=sign), 0
                )
            except PreconditionFailed:  # entered before
                sheet = await results.get_sheet(uow, exam_id, department_id)
            if sign and sheet.state == "draft":
                await results.sign_sheet(uow, exam_id, department_id, SignIn(fill_defaults=True), sheet.version)

    def _entry(self, department_id: int, *, whole: bool) -> ResultsIn:
        groups = [g for g in self.groups if g.department_id == department_id and g.performed_by == "department"]
        items = [item for group in groups for item in self.items[group.id] if item.code in self.said]
        shown = items if whole else items[: max(len(items) // 2, 1)]
        return ResultsIn(results=[ResultIn(item_id=item.id, value=self.said[item.code]) for item in shown])

    async def _report(self, exam_id: UUID, tubes: Sequence[TubeOut], minutes_ago: float) -> None:
        """The laboratory reports tubes that it has not reported."""
        hospital = self.hospital
        hospital.at(minutes_ago)
        async with hospital.worker() as uow:
            exam = await exams.get(uow, exam_id)
            lines = {line.name: line for line in await exams.lines(uow, exam_id)}
        wanted = [
            (tube.barcode, own)
            for tube in tubes
            if (own := [lines[name] for name in tube.groups if lines[name].state in ("sent", "collected")])
        ]
        if wanted:
            await _receive(hospital, f"M{exam.exam_no}-{wanted[0][0][-4:]}", self._message(exam.exam_no, wanted))

    def _message(
        self, exam_no: str, tubes: Sequence[tuple[str, Sequence[ExamLine]]], values: Mapping[str, str] | None = None
    ) -> str:  # fmt: skip
        """Return the report on tubes; with `values` a correction of these alone."""
        groups = {group.code: self.items[group.id] for group in self.groups}
        sex = "M" if self.person.sex == "male" else "F"
        moment = _stamp(self.hospital.watch.moment)
        said, status = (self.said, "F") if values is None else (values, "C")
        segments = [f"PID|1||{exam_no}^^^TJ^VN||{self.person.payload.name}||{self.person.birth_date:%Y%m%d}|{sex}"]
        for barcode, lines in tubes:
            for line in lines:
                segments.append(f"OBR|1|||{line.code}^{line.name}^L|||{moment}|||||||||||||||{moment}|||{status}")
                told = [item for item in groups[line.code] if item.code in said]
                segments += [
                    f"OBX|{i}|{'NM' if item.kind == 'numeric' else 'ST'}|{item.code}^{item.name}^L||{said[item.code]}|{item.unit or ''}"
                    f"|||||{status}|||{moment}"
                    for i, item in enumerate(told, 1)
                ]
                segments.append(f"SPM|1|{barcode}")
        return "\r".join(segments)

    async def _sign(self, exam_id: UUID) -> None:
        hospital = self.hospital
        hospital.at(self.plan.ago - 100)
        async with hospital.as_("reviewer") as uow:
            if await self._state(uow, exam_id) == "ready_for_review":
                await conclusions.claim(uow, exam_id)
                made = await conclusions.generate(uow, exam_id, 0)
                await conclusions.sign(uow, exam_id, made.version)

    async def _finalize(self, exam_id: UUID) -> None:
        hospital = self.hospital
        hospital.at(self.plan.ago - 140)
        async with hospital.as_("chief") as uow:
            if await self._state(uow, exam_id) == "in_review":
                await conclusions.finalize(uow, exam_id, (await conclusions.get(uow, exam_id)).version)

    async def correct(self) -> None:
        """The laboratory corrects a value of this visit."""
        hospital, exam_id = self.hospital, await self._register()
        hospital.at(self.plan.ago - 200)
        async with hospital.worker() as uow:
            exam = await exams.get(uow, exam_id)
            line = next(line for line in await exams.lines(uow, exam_id) if line.code.startswith("RENAL"))
            tube = next(t for t in await requisitions.tubes(uow, exam_id) if line.name in t.groups)
        await _receive(
            hospital, f"C{exam.exam_no}", self._message(exam.exam_no, [(tube.barcode, [line])], {"UA": "486"})
        )


async def _receive(hospital: _Hospital, message_id: str, body: str) -> None:
    """A message comes in through the gateway and is filed at once: in one transaction, so that the worker finds it done."""
    moment = _stamp(hospital.watch.moment)
    header = f"MSH|^~\\&|LIS|LAB|TJAPI||{moment}||ORU^R01^ORU_R01|{message_id}|P|2.5.1||||||UNICODE UTF-8"
    raw = f"{header}\r{body}\r".encode()
    report = await hospital.read(_LIS, raw)
    async with hospital.by(hospital.gateway) as uow:
        if await inbox.find(uow, _LIS, message_id) is not None:
            return
        message, _ = await inbox.receive(
            uow,
            source=_LIS,
            message_id=message_id,
            body=raw,
            media_type="application/hl7-v2",
            gateway_received_at=uow.now,
        )
        filing = await results.file_report(uow, message.id, _LIS, report)
        await inbox.end(
            uow, message.id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
            detail=filing.detail,
        )  # fmt: skip


async def _stray_messages(hospital: _Hospital) -> None:
    """Three that wait for a person: a tube that nobody knows, a test that nobody has mapped, and another person's name on a known tube."""
    hospital.at(25)
    moment = _stamp(hospital.watch.moment)
    async with hospital.worker() as uow:
        under_way = await exams.page(
            uow, campus_id=1, day=None, state="in_progress", exam_no=None, examinee_id=None, after=None, size=1
        )
        exam = under_way[0]
        tube = (await requisitions.tubes(uow, exam.id))[-1]
        birth, sex = f"{exam.birth_date:%Y%m%d}", "M" if exam.sex == "male" else "F"
        own = f"PID|1||{exam.exam_no}^^^TJ^VN||{exam.name}||{birth}|{sex}"
    value = f"|NM|GLU^葡萄糖^L||5.4|mmol/L|||||F|||{moment}"
    stranger = "PID|1||||闭无名||19880808|F"
    order = f"OBR|1|||GLU^空腹血糖^L|||{moment}|||||||||||||||{moment}|||F"
    await _receive(hospital, "STRAY-TUBE", f"{stranger}\r{order}\rOBX|1{value}\rSPM|1|990000000017")
    await _receive(
        hospital,
        "STRAY-CODE",
        f"{own}\r{order}\rOBX|1|NM|GLU-POC^床旁血糖^L||5.6|mmol/L|||||F|||{moment}\rSPM|1|{tube.barcode}",
    )
    await _receive(hospital, "STRAY-PERSON", f"{stranger}\r{order}\rOBX|1{value}\rSPM|1|{tube.barcode}")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y%m%d%H%M%S%z")
