"""Every command on one exam in random orders, beside a sheet of paper on which it is kept as well: after each step both say the same.

Hypothesis chooses the commands and, when asked to by TJ_SHRINK, finds the fewest that show a difference. What is compared: states, prices, tubes, what is
outstanding, the day's board (its counts, its lists, a recount), what the laboratory was told. A refused command names its problem, one
that the contract knows for it, and changes nothing. TJ_FAULT_SEED repeats a run of the full tier.
"""

import asyncio
import dataclasses
import itertools
import json
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self, TypeVar, cast
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from adapters.lis.contract import LabObservation, LabOrder, LabOrderReceipt, LabReport, LabResult
from tests.tjapi.employer.scene import listed, plan
from tests.tjapi.exam.paper import (
    ASIDE,
    GONE,
    HERE,
    LIVE,
    MAY_BECOME,
    OPEN,
    UNDER_WAY,
    WAITS_FOR_THE_PERSON,
    Line,
    Paper,
    Tube,
)
from tests.tjapi.frontdesk.test_board import COLUMNS, RECOUNT
from tests.tjapi.result.scene import Unfenced
from tests.tjapi.starter import UNITS
from tests.tjapi.world import API, UNREMARKABLE, House, house, key
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.employer import service as employers
from tjapi.groupdesk import service as groupdesk
from tjapi.groupdesk.schemas import DayIn
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.settings import project_file
from tjapi.result import service as results
from tjapi.result.schemas import AnswerIn

SEED = int(os.environ.get("TJ_FAULT_SEED") or random.SystemRandom().randrange(10**6))
DOCTOR = dataclasses.replace(demo.LOADER, kind="staff", name="核实医生")
TORTURE = int(os.environ.get("TJ_EXAM_SEQUENCES", "300"))
PHASES = (Phase.generate, *((Phase.shrink,) if os.environ.get("TJ_SHRINK") else ()))
"""Looking for the fewest commands that still show a fault takes minutes: only when asked."""
ENOUGH = 200
ONLY_AFTER_ANOTHER = {"signConclusion", "signDepartmentSheet"}
DEPARTMENT = ("GENERAL", "INTERNAL", "ECG", "TCD", "FIBRO")
LABORATORY = ("CBC", "LIVER", "RENAL", "GLU", "LIPID", "URINE")
POOL = (*DEPARTMENT, *LABORATORY)
CAP = 4_000
LIKELY = {
    "HEIGHT": "168",
    "WEIGHT": "64.5",
    "SBP": "118",
    "DBP": "76",
    "PULSE": "72",
    "HEART-RATE": "72",
    "ECG-HR": "72",
    "ECG-PR": "150",
    "ECG-QRS": "90",
    "ECG-QTC": "400",
    "FIBRO-CAP": "230",
}
T = TypeVar("T")
_members = itertools.count(1)


class PaperLis:
    """A laboratory that remembers which groups it was asked for, under which number and bar code."""

    def __init__(self) -> None:
        self.asked: dict[str, tuple[str, str]] = {}

    async def send_order(self, order: LabOrder, *, message_id: str) -> LabOrderReceipt:
        said = [(group.line_no, (tube.barcode, group.code)) for tube in order.tubes for group in tube.groups]
        assert len({placer for placer, _ in said}) == len(said), f"one number under two bar codes: {said}"
        self.asked.update(said)
        return LabOrderReceipt(message_id, datetime.now(UTC), "")

    async def cancel_order(self, order: LabOrder, *, message_id: str) -> LabOrderReceipt:
        for tube in order.tubes:
            for group in tube.groups:
                held = self.asked.pop(group.line_no, None)
                assert held in (None, (tube.barcode, group.code)), f"taken back under another bar code: {held}"
        return LabOrderReceipt(message_id, datetime.now(UTC), "")

    async def close(self) -> None: ...


class Ground:
    """A house in a thread of its own, so that Hypothesis can ask it for one thing after the other."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(name,), daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _run(self, name: str) -> None:
        try:
            self._loop.run_until_complete(self._live(name))
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._ready.set()
            self._loop.close()

    async def _live(self, name: str) -> None:
        async with house(name, payment_required=True, access_token_seconds=14_400) as built:
            await self._furnish(built)
            self._ready.set()
            await self._end.wait()
        for client in self.clients.values():
            client.close()

    async def _furnish(self, built: House) -> None:
        self.house, self.admin = built, built.admin
        names = ("front", "admin", "doctor", "reviewer", "chief")
        signed_in = {name: await built.sign_in(name) for name in names}
        self.clients = {
            name: httpx.Client(base_url=built.base_url, headers=client.headers, timeout=30, trust_env=False)
            for name, client in signed_in.items()
        }
        async with built.runtime.units.open(demo.LOADER) as uow:
            page = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=500)
            self.groups = {group.code: group for group in page}
            items = await catalog.group_items(uow, [self.groups[code].id for code in POOL])
            self.items = {code: [i.code for i in items[self.groups[code].id]] for code in POOL}
        front, admin = signed_in["front"], signed_in["admin"]
        for n, department in enumerate(sorted({self.groups[code].department_id for code in POOL})):
            room = {"campus_id": 1, "code": f"M{n}", "name": "诊室", "department_id": department}
            assert (await admin.post(f"{API}/rooms", json=room)).status_code == 201
        today = business_day(built.runtime.clock.now())
        asked: dict[str, Any] = {
            "campus_id": 1,
            "day_from": str(today + timedelta(1)),
            "day_to": str(today + timedelta(8)),
        }
        days = (await front.get(f"{API}/appointment-availability", params=asked)).json()["days"]
        self.day, self.session = next((d["day"], d["sessions"][0]["session_id"]) for d in days if d["sessions"])
        many = {"sessions": [{"session_id": self.session, "capacity": 10_000}], "resources": []}
        assert (await admin.put(f"{API}/appointment-calendars/1/days/{self.day}", json=many)).status_code == 200
        ids = [self.groups[code].id for code in ("GENERAL", "CBC", "GLU", "LIPID")]
        shared = {"name": "全员", "criteria": [{}], "item_group_ids": ids, "cap_fen": CAP, "beyond_cap": "self_paid"}
        self.unit = partial(built.runtime.units.open, demo.LOADER)
        self.campaign = (await plan(self.unit, ALL=shared)).campaign_id


_CONTRACT = json.loads((Path(project_file("openapi")) / "v1.json").read_text(encoding="utf-8"))
_REFUSALS: dict[str, set[str]] = {
    operation["operationId"]: {
        code
        for answer in operation["responses"].values()
        for code in answer.get("$ref", "").rpartition("/")[2].split("_")[1:]
    }
    for path in _CONTRACT["paths"].values()
    for operation in path.values()
    if isinstance(operation, dict)
}
_FACTS = """
select (select json_agg(json_build_object('id', t.id, 'barcode', t.barcode, 'state', t.state, 'kind', json_build_array(t.container, t.specimen,
    coalesce(t.section, ''), t.fasting, coalesce(t.minutes_after, 0), t.send_out)) order by t.barcode) from tube t where t.exam_id = $1) tubes,
  (select json_agg(json_build_object('line', r.exam_line_id, 'tube', r.tube_id)) from requisition_line r
    join requisition q on q.id = r.requisition_id where q.exam_id = $1 and q.state <> 'cancelled' and r.cancelled_at is null) asked,
  (select count(*) from exam_line_step where exam_id = $1) steps,
  (select count(*) from ticket where exam_id = $1 and state in ('waiting', 'called', 'in_room', 'passed')) tickets,
  (select json_agg(a.state) from appointment a where a.exam_id = $1) appointments
"""
_JOBS = """
select id, name, payload from job where state = 'queued' and name like 'requisition.%'
  and payload->>'requisition_id' in (select id::text from requisition where exam_id = $1) order by id
"""
picks = st.lists(st.integers(0, 11), min_size=1, max_size=3)
one = st.integers(0, 11)
codes = st.lists(st.sampled_from(POOL), min_size=1, max_size=3, unique=True)
ways = st.sampled_from(("refused", "waived", "deferred"))


class ExamMachine(RuleBasedStateMachine):
    """The commands, each done to the product and, where it should be taken, to the paper."""

    ground: ClassVar[Ground]
    barcodes: ClassVar[set[str]] = set()
    mode: ClassVar[str] = "ask"
    tally: ClassVar[Counter[tuple[str, bool]]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.paper = Paper()
        self.lis = PaperLis()
        self.booked = False
        self.lucky = True
        self.sound = False
        self.anew = False

    # Beginnings.

    @initialize(
        how=st.sampled_from(("walk-in", "booked", "package", "member")), wanted=codes, prompt=st.sampled_from((True, True, False)),
        arrives=st.integers(0, 3),
    )  # fmt: skip
    def book(self, how: str, wanted: list[str], prompt: bool, arrives: int) -> None:
        """Register: item groups for today, a place of another day, a package, a member of a campaign; paid at once or later."""
        ground, self.prompt, self.booked = self.ground, prompt, how == "booked"
        self.base = self.board()
        if how == "member":
            exam_id = ground.do(self._member())
        else:
            person, card = ground.do(ground.house.world.person())
            body: dict[str, Any] = {"campus_id": 1, "examinee_id": str(person)}
            if how == "package":
                packages = self.get("front", "/exam-packages")["items"]
                package = next(p for p in packages if p["code"] == f"BASIC-{card['sex'][0].upper()}")
                body["package_id"] = package["id"]
            else:
                body["item_group_ids"] = [str(ground.groups[code].id) for code in wanted]
            if how == "booked":
                body |= {"day": ground.day, "session_id": ground.session}
            answer = self.call("front", "POST", "/appointments" if how == "booked" else "/exams", body, headers=key())
            assert answer.status_code == 201, answer.text
            exam_id = UUID((answer.json()["exam"] if how == "booked" else answer.json())["id"])
        self.exam_id, self.place = exam_id, f"/exams/{exam_id}"
        exam = self.get("front", self.place)
        self.exam_no, self.name, self.sex, self.birth = exam["exam_no"], exam["name"], exam["sex"], exam["birth_date"]
        lines = [self.line(said) for said in exam["lines"]]
        if how == "package":
            assert sum(line.price for line in lines) == package["price_fen"]
        elif how == "member":
            assert sum(line.employer for line in lines) == min(CAP, sum(line.price for line in lines))
        self.paper.add(lines)
        self.paper.steps = 0  # what was ordered from the beginning is no change
        self.agree()
        if prompt:
            self.cover(self.paper.lines)
        if arrives:
            self.check_in()
        self.sound = True

    async def _member(self) -> UUID:
        ground = self.ground
        [member] = await listed(ground.unit, ground.campaign)
        async with ground.unit() as uow:
            day = DayIn(day=date(2027, 1, 4), quota=10_000)
            assert await groupdesk.book_member(uow, member, [day], payment_required=True)
        async with ground.unit() as uow:
            exam_id = (await employers.member(uow, member)).exam_id
        assert exam_id is not None
        return exam_id

    # Commands.

    @rule(
        luck=st.integers(0, 4),
        which=st.integers(0, 9_999),
        at=picks,
        wanted=codes,
        sure=st.integers(0, 5),
        flag=st.booleans(),
        how=ways,
    )
    def step(self, luck: int, which: int, at: list[int], wanted: list[str], sure: int, flag: bool, how: str) -> None:
        """Most of the time a command that may be taken, on lines that it may be for; one time in five any, on any."""
        self.lucky = luck > 0
        commands = {
            "check_in": (2, self.paper.state == "prepared", self.check_in),
            "add": (3, self.paper.state in OPEN, lambda: self.add(wanted)),
            "substitute": (2, self.paper.state in OPEN, lambda: self.substitute(at[0], wanted)),
            "withdraw": (2, self.paper.state in OPEN, lambda: self.set_aside(at, "withdrawn")),
            "set aside": (3, self.paper.state in OPEN, lambda: self.set_aside(at, how)),
            "reinstate": (3, self.paper.state in OPEN and self.has(ASIDE), lambda: self.reinstate(at)),
            "pay": (3, self.has({"ordered"}), lambda: self.pay(at)),
            "hold": (2, self.paper.state in OPEN - {"in_review"}, self.hold),
            "resume": (3, self.paper.state == "on_hold", self.resume),
            "collect": (4, any(t.state == "planned" for t in self.paper.tubes.values()), lambda: self.collect(at[0])),
            "reject": (2, any(t.state == "collected" for t in self.paper.tubes.values()), lambda: self.reject(at[0])),
            "results": (4, self.paper.arrived and self.has(LIVE), lambda: self.results_arrive(at, flag)),
            "examine": (4, self.paper.state in UNDER_WAY, lambda: self.examine(at[0], sign=sure > 1)),
            "reopen": (1, bool(self.paper.signed), lambda: self.reopen(at[0])),
            "policy": (1, True, lambda: self.change_policy("ask" if flag else "refuse")),
            "return": (3, self.paper.state in UNDER_WAY, lambda: self.return_sheet(at, every=sure > 1, how=how)),
            "give back": (2, self.paper.standing, self.give_back_sheet),
            "guide": (1, self.paper.state in HERE, self.guide),
            "cancel": (1, self.paper.state in ("prepared", "checked_in"), lambda: self.cancel(sure)),
            "conclude": (4, self.paper.state in ("ready_for_review", "in_review"), self.conclude),
            "finalize": (3, self.paper.state == "in_review", lambda: self.finalize(sure)),
            "worker": (2, True, self.worker),
        }  # fmt: skip
        names = [
            name
            for name, (weight, plausible, _) in commands.items()
            if plausible or not self.lucky
            for _ in range(weight)
        ]
        name = names[which % len(names)]
        note(f"{name}, of {self.paper.state}")
        self.sound = False
        commands[name][2]()
        self.sound = True

    def check_in(self) -> None:
        self.command("checkIn", f"{self.place}:check-in", None, self.paper.state == "prepared", self.paper.check_in)

    def add(self, wanted: list[str]) -> None:
        there = {line.code for line in self.paper.here()}
        wanted = [code for code in wanted if code not in there or not self.lucky] or wanted
        expected = self.paper.state in OPEN and not there & set(wanted)
        body = {"item_group_ids": [str(self.ground.groups[code].id) for code in wanted], "reason": "受检者要求"}
        self.adding("addExamLines", f"{self.place}/lines", body, expected, wanted)

    def substitute(self, at: int, wanted: list[str]) -> None:
        line = self.pick([at], MAY_BECOME["substituted"])[0]
        there = {x.code for x in self.paper.here() if x is not line}
        wanted = [code for code in wanted if code not in there or not self.lucky] or wanted
        expected = self.paper.may_set_aside([line], "substituted") and not there & set(wanted)
        ids = [str(self.ground.groups[code].id) for code in wanted]
        body = {"line_id": str(line.id), "item_group_ids": ids, "reason": "换项"}
        self.adding("substituteExamLine", f"{self.place}/lines:substitute", body, expected, wanted, gone=line)

    def set_aside(self, at: list[int], to: str) -> None:
        lines = self.pick(at, MAY_BECOME[to])
        verb = {"withdrawn": "withdraw", "refused": "refuse", "waived": "waive", "deferred": "defer"}[to]
        body: dict[str, Any] = {
            "line_ids": [str(line.id) for line in lines],
            "reason": "受检者要求",
            "signature": "张三",
        }
        body |= {"due_on": "2098-01-05"} if to == "deferred" else {}
        expected = self.paper.may_set_aside(lines, to)
        operation = f"{verb}ExamLines"
        self.command(operation, f"{self.place}/lines:{verb}", body, expected, lambda: self.paper.set_aside(lines, to))

    def reinstate(self, at: list[int]) -> None:
        lines = self.pick(at, ASIDE)
        body = {"line_ids": [str(line.id) for line in lines], "reason": "同意检查"}
        expected = self.paper.may_set_aside(lines, "ordered")
        self.command(
            "reinstateExamLines", f"{self.place}/lines:reinstate", body, expected, lambda: self.paper.reinstate(lines)
        )

    def pay(self, at: list[int]) -> None:
        self.cover(self.pick(at, {"ordered"}))

    def hold(self) -> None:
        expected = self.paper.state in OPEN - {"in_review"}
        self.command("holdExam", f"{self.place}:hold", {"reason": "发热"}, expected, self.paper.hold)

    def resume(self) -> None:
        expected = self.paper.state == "on_hold"
        self.command("resumeExam", f"{self.place}:resume", None, expected, self.paper.resume)

    def collect(self, at: int) -> None:
        tubes = list(self.paper.tubes.values())
        tubes = [tube for tube in tubes if tube.state == "planned" or not self.lucky] or tubes
        if not tubes:
            return
        tube = tubes[at % len(tubes)]
        again = tube.state == "collected"
        expected = self.paper.state not in ("prepared", "on_hold") and (tube.state == "planned" or again)
        if again and self.paper.state == "on_hold":
            return  # a second scan is no step: it may be answered either way
        self.command("collectTube", f"/tubes/{tube.id}:collect", None, expected, lambda: self.paper.collect(tube))

    def reject(self, at: int) -> None:
        """The laboratory finds a specimen unfit; saying so twice is saying it once."""
        tubes = list(self.paper.tubes.values())
        tubes = [tube for tube in tubes if self.paper.waiting_in(tube) or not self.lucky] or tubes
        if not tubes:
            return
        tube = tubes[at % len(tubes)]
        expected = tube.state == "rejected" or (tube.state == "collected" and bool(self.paper.waiting_in(tube)))
        self.anew = True
        body = {"reason": "haemolysed"}
        self.command("rejectTube", f"/tubes/{tube.id}:reject", body, expected, lambda: self.paper.reject(tube))
        self.anew = False

    def results_arrive(self, at: list[int], final: bool) -> None:
        """The laboratory reports on some lines; one that nothing is asked of any more is filed nowhere."""
        if not self.paper.arrived:
            return  # nothing was ordered yet
        for line in self.pick(at, LIVE):
            tube = self.paper.tube_of(line)
            if not line.laboratory or tube is None:
                continue
            final = final or line.state in ("resulted", "verified")
            live = self.paper.state != "cancelled" and line.state in LIVE
            report = self.report(tube, line, "F" if final else "P")
            outcome = self.ground.do(self._file(report)).outcome
            assert (outcome in ("filed", "revision", "duplicate")) == live, (outcome, line)
            if live and self.paper.state != "finalized":
                self.paper.result(line, final=final)
        self.agree()

    def examine(self, at: int, sign: bool) -> None:
        """A department enters what it finds, and signs for it."""
        department = self.pick([at], {"released", "resulted"})[0].department
        if not self.paper.of_department(department, LIVE):
            return
        sheet, place = self.sheet(department)
        given = [
            {"item_id": item["item_id"], "value": _finding(item)}
            for item in sheet.json()["items"]
            if item["entered_here"] and item["line_state"] in LIVE
        ]
        expected = self.paper.state in UNDER_WAY and department not in self.paper.signed
        tag = {"If-Match": sheet.headers["etag"]}
        self.command(
            "putDepartmentResults", f"{place}/results", {"results": given}, expected,
            lambda: self.paper.examine(department, sign=False), who="doctor", method="PUT", headers=tag,
        )  # fmt: skip
        if sign and expected:
            tag = {"If-Match": self.sheet(department)[0].headers["etag"]}
            self.command(
                "signDepartmentSheet", f"{place}/sheet:sign", {}, expected, lambda: self.paper.examine(department, sign=True),
                who="doctor", headers=tag,
            )  # fmt: skip

    def reopen(self, at: int) -> None:
        signed = sorted(self.paper.signed) if self.lucky else []
        department = signed[at % len(signed)] if signed else self.pick([at])[0].department
        if not self.paper.of_department(department, LIVE):
            return
        sheet, place = self.sheet(department)
        expected = self.paper.state in UNDER_WAY and department in self.paper.signed
        self.command(
            "reopenDepartmentSheet", f"{place}/sheet:reopen", {"reason": "更正"}, expected, lambda: self.paper.reopen(department),
            who="doctor", headers={"If-Match": sheet.headers["etag"]},
        )  # fmt: skip

    def change_policy(self, mode: str) -> None:
        if mode != self.mode:
            answer = self.call(
                "admin", "PUT", "/guide-sheet-policies", {"campus_id": 1, "mode": mode, "reason": "离院未检"}
            )
            assert answer.status_code == 200
            type(self).mode = mode

    def return_sheet(self, at: list[int], every: bool, how: str) -> None:
        paper, chosen = self.paper, self.pick(at, WAITS_FOR_THE_PERSON)
        chosen = list(dict.fromkeys([*chosen, *paper.open_lines()])) if every else chosen
        decisions = [
            {
                "line_id": str(x.id),
                "decision": how,
                "reason": "离院",
                "due_on": "2098-01-05" if how == "deferred" else None,
            }
            for x in chosen
        ]
        rest = [x for x in paper.open_lines() if x not in chosen]
        decided = [x for x in chosen if x.state != how]
        expected = (
            all(x in paper.open_lines() for x in decided)
            and (self.mode == "refuse" or not rest)
            and (not (decided or rest) or paper.state in OPEN)
            and (paper.returned or paper.state in UNDER_WAY)
        )

        def done() -> None:
            paper.set_aside(decided, how, at_return=True)
            paper.set_aside(rest, "refused", at_return=True)
            paper.sheet_back()

        self.command("returnGuideSheet", f"{self.place}:return-guide-sheet", {"decisions": decisions}, expected, done)

    def give_back_sheet(self) -> None:
        again = any(line.at_return and line.state in ASIDE for line in self.paper.lines)
        expected = self.paper.standing and (self.paper.state in OPEN or not (self.paper.returned or again))
        body = {"reason": "同意检查"}
        self.command("giveBackGuideSheet", f"{self.place}:give-back-guide-sheet", body, expected, self.paper.sheet_out)

    def guide(self) -> None:
        expected = self.paper.state in HERE
        waits = [line for line in self.paper.open_lines() if line.state != "ordered"]
        stands = bool(waits)

        def stand() -> None:
            self.paper.ticket = stands

        answer = self.command("guideExaminee", f"{self.place}:guide", None, expected, stand)
        if expected:
            said = answer.json()
            if said["ticket"] is not None:
                rooms = {room["id"]: room["department_id"] for room in self.get("front", "/rooms")["items"]}
                self.paper.room = rooms[said["ticket"]["room_id"]]
            assert (said["ticket"] is not None, said["done"]) == (stands, not stands)

    def cancel(self, sure: int) -> None:
        """Whoever is asked thinks twice where it can be done: else most orders of commands end early."""
        expected = self.paper.state in ("prepared", "checked_in")
        if not expected or sure < 2:
            self.command("cancelExam", f"{self.place}:cancel", {"reason": "改期"}, expected, self.paper.cancel)

    def conclude(self) -> None:
        """A reviewer writes and signs."""
        held = self.call("reviewer", "GET", f"{self.place}/conclusion")
        draft = held.status_code == 404 or held.json()["state"] == "draft"
        if held.status_code == 404 or not draft:
            return
        expected = self.paper.state in ("ready_for_review", "in_review") and not self.paper.outstanding()

        def taken() -> None:
            self.paper.state = "in_review"

        body = {"overview": "见各项结果。", "entries": [], "overview_confirmed": True}
        answer = self.command(
            "putConclusion", f"{self.place}/conclusion", body, expected, taken, who="reviewer", method="PUT",
            headers={"If-Match": held.headers["etag"]},
        )  # fmt: skip
        if expected:
            tag = {"If-Match": answer.headers["etag"]}
            self.command(
                "signConclusion", f"{self.place}/conclusion:sign", None, True, taken, who="reviewer", headers=tag
            )

    def finalize(self, sure: int) -> None:
        held = self.call("chief", "GET", f"{self.place}/conclusion")
        if held.status_code == 404:
            return
        signed = held.json()["state"] == "initial_signed"
        ready = self.paper.state in ("ready_for_review", "in_review") and not self.paper.outstanding()
        expected = signed and ready and not self.stale

        def done() -> None:
            self.paper.state = "finalized"

        if not expected or sure < 3:
            tag = {"If-Match": held.headers["etag"]}
            self.command(
                "finalizeConclusion",
                f"{self.place}/conclusion:finalize",
                None,
                expected,
                done,
                who="chief",
                headers=tag,
            )

    def worker(self) -> None:
        """Every message that waits goes to the laboratory."""
        self.ground.do(self._work())
        for line in self.paper.lines:
            if self.paper.arrived and line.laboratory and line.state == "released":
                line.state = "sent"
        self.agree()
        live = {t.barcode: t for t in self.paper.tubes.values() if t.state != "cancelled"}
        assert sorted(code for _, code in self.lis.asked.values()) == sorted(self.paper.asked()), self.lis.asked
        assert {barcode for barcode, _ in self.lis.asked.values()} <= live.keys(), (
            "asked for under a tube that is not drawn"
        )

    def teardown(self) -> None:
        """At the end the laboratory hears of everything, and the lists are those of the counts."""
        if not self.sound:
            return
        self.worker()
        where = self.columns(self.get("front", self.place)["exam_date"])
        for column in COLUMNS:
            listed_ids = list(self.paged(f"/board/{column}/exams"))
            assert len(listed_ids) == len(set(listed_ids)) == self.board()[column]
            assert (str(self.exam_id) in listed_ids) == where[column], column

    # How a command is done, and what is compared then.

    def command(
        self, operation: str, path: str, body: dict[str, Any] | None, expected: bool, done: Any, *, who: str = "front",
        method: str = "POST", headers: dict[str, str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        before = None if expected else self.get("front", self.place)
        answer = self.call(who, method, path, body, headers=headers)
        self.judge(operation, answer, expected=expected, before=before)
        if expected:
            done()
        self.agree()
        return answer

    def judge(self, operation: str, answer: httpx.Response, *, expected: bool, before: Any) -> None:
        self.tally[operation, expected] += 1
        assert answer.is_success == expected, f"{operation}: {answer.status_code} {answer.text} of {self.paper}"
        if not expected:
            assert answer.headers["content-type"] == "application/problem+json"
            said = answer.json()
            assert said["code"] in _REFUSALS[operation], (operation, said)
            assert 400 < answer.status_code < 500
            assert said["title"]
            assert self.get("front", self.place) == before, f"{operation} was refused and changed something"

    def adding(
        self,
        operation: str,
        path: str,
        body: dict[str, Any],
        expected: bool,
        wanted: Sequence[str],
        gone: Line | None = None,
    ) -> None:
        before = None if expected else self.get("front", self.place)
        answer = self.call("front", "POST", path, body, headers=key())
        self.judge(operation, answer, expected=expected, before=before)
        if expected:
            known = {str(line.id) for line in self.paper.lines}
            new = [self.line(said) for said in answer.json()["lines"] if said["id"] not in known]
            assert [line.code for line in new] == list(wanted)
            assert all(line.price == self.ground.groups[line.code].price_fen == line.person for line in new)
            if gone is not None:
                self.paper.set_aside([gone], "substituted")
            self.paper.add(new)
        self.agree()
        if expected and self.prompt:
            self.cover(new)

    def cover(self, lines: Iterable[Line]) -> None:
        """What the cashier says once somebody has paid, now or after the final sign-off; saying it twice is saying it once."""
        covered = list(lines)
        if not covered:
            return
        expected = self.paper.state != "cancelled" and all(x.state not in ASIDE - {"deferred"} | GONE for x in covered)
        body = {"line_ids": [str(line.id) for line in covered], "how": "paid", "reference": "SF-1"}
        self.command("coverExamLines", f"{self.place}/lines:cover", body, expected, lambda: self.paper.pay(covered))

    def agree(self) -> None:
        """The product says what the paper says."""
        if self.paper.arrived and self.paper.state not in ("finalized", "cancelled"):
            self.ground.do(self._judge())
        paper, facts = self.paper, self.ground.do(self._facts())
        tubes, asked = json.loads(facts["tubes"] or "[]"), json.loads(facts["asked"] or "[]")
        self._place(tubes, {UUID(a["line"]): UUID(a["tube"]) for a in asked if a["tube"]})
        paper.settle()
        exam = self.get("front", self.place)
        assert exam["state"] == paper.state, f"{exam['state']}, and on paper {paper}"
        assert {line["id"]: (line["code"], line["state"]) for line in exam["lines"]} == {
            str(line.id): (line.code, line.state) for line in paper.lines
        }, paper
        assert (exam["sheet_returned_at"] is not None) == paper.returned
        for line, said in zip(paper.lines, exam["lines"], strict=True):
            shares = (said["price_fen"], said["person_share_fen"], said["employer_share_fen"])
            assert shares == (line.price, line.person, line.employer)
            assert line.person + line.employer == line.price
        assert exam["total_fen"] == paper.total()
        assert (exam["owed_fen"], exam["refund_fen"]) == (paper.owed(), paper.refund()), paper
        found = self.get("front", f"{self.place}/completeness")
        reasons = {(o["code"], o["source"]) for o in found["outstanding"]}
        surely = paper.keeps() | paper.outstanding()
        # Words of a reviewer are stale once a result is another: when, is another test's subject.
        self.stale = ("conclusion_stale", "conclusion") in reasons
        assert surely <= reasons <= surely | paper.perhaps() | {("conclusion_stale", "conclusion")}, (reasons, paper)
        assert found["complete"] == (not surely and not self.stale)
        assert {t["id"]: t["state"] for t in tubes} == {str(t.id): t.state for t in paper.tubes.values()}, paper
        assert (facts["steps"], facts["tickets"]) == (paper.steps, int(paper.ticket)), paper
        if self.booked:
            kept = (
                "cancelled"
                if paper.state == "cancelled" and not paper.arrived
                else "arrived"
                if paper.arrived
                else "booked"
            )
            assert json.loads(facts["appointments"]) == [kept]
        told, recount = self.board(), dict(self.ground.do(self._recount()))
        mine = self.columns(exam["exam_date"])
        assert told == recount == {c: self.base[c] + mine[c] for c in COLUMNS}, (told, recount, mine)

    def columns(self, day: str) -> dict[str, bool]:
        """Where the exam stands on today's board: one that is booked for another day comes when its examinee does."""
        today = day == str(business_day(self.ground.house.runtime.clock.now()))
        assert today or not self.paper.arrived
        return {column: today and counted for column, counted in self.paper.columns().items()}

    def _place(self, tubes: list[dict[str, Any]], of_line: dict[UUID, UUID]) -> None:
        """Lines that were released stand in tubes now: in one that is there and may take them, else in a new one."""
        paper = self.paper
        open_kinds = {t.kind for t in paper.tubes.values() if paper.takes_add_on(t)}
        for said in tubes:
            tube_id = UUID(said["id"])
            if tube_id in paper.tubes:
                assert paper.tubes[tube_id].barcode == said["barcode"]
                continue
            kind = tuple(said["kind"])
            assert self.anew or kind not in open_kinds, "a new tube beside one that would have taken it"
            assert said["barcode"] not in self.barcodes, "a bar code is given once"
            self.barcodes.add(said["barcode"])
            paper.tubes[tube_id] = Tube(tube_id, said["barcode"], kind)
            open_kinds.add(kind)
        before = {t.id: paper.takes_add_on(t) for t in paper.tubes.values()}
        for line in paper.lines:
            if line.laboratory and line.state in LIVE:
                tube = paper.tubes[of_line[line.id]]
                assert tube.kind == line.kind
                if line.tube != tube.id:
                    assert before[tube.id], "an add-on in a tube that the laboratory has"
                    paper.place(line, tube)
                elif line.state == "released":
                    paper.place(line, tube)
            elif line.state not in LIVE:
                assert line.id not in of_line, f"{line} is still asked for"

    def line(self, said: dict[str, Any]) -> Line:
        group = self.ground.groups[said["code"]]
        kind = (
            group.container or "",
            group.specimen or "",
            group.section or "",
            group.fasting,
            group.minutes_after or 0,
            group.send_out,
        )
        return Line(
            UUID(said["id"]), said["code"], said["performed_by"] == "lis", said["department_id"], kind, said["specimen"],
            said["price_fen"], said["person_share_fen"], said["employer_share_fen"], paid=said["person_share_fen"] == 0,
        )  # fmt: skip

    def has(self, states: set[str]) -> bool:
        return any(line.state in states for line in self.paper.lines)

    def pick(self, at: Sequence[int], fit: Iterable[str] = ()) -> list[Line]:
        """Some lines, those in fitting states if one is lucky and there are any."""
        wanted = set(fit)
        lines = [line for line in self.paper.lines if self.lucky and line.state in wanted] or self.paper.lines
        return list({id(line): line for line in (lines[i % len(lines)] for i in at)}.values())

    def sheet(self, department: int) -> tuple[httpx.Response, str]:
        place = f"{self.place}/departments/{department}"
        answer = self.call("doctor", "GET", f"{place}/sheet")
        assert answer.status_code == 200, answer.text
        return answer, place

    def board(self) -> dict[str, int]:
        said = self.get("front", "/board?campus_id=1")
        return {column: said[column] for column in COLUMNS}

    def paged(self, path: str) -> Iterator[str]:
        token = ""
        while True:
            page = self.get("front", f"{path}?campus_id=1&page_size=200{token}")
            yield from (item["id"] for item in page["items"])
            if not page["next_page_token"]:
                return
            token = f"&page_token={page['next_page_token']}"

    def call(
        self,
        who: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        answer = self.ground.clients[who].request(method, f"{API}{path}", json=body, headers=headers)
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        return answer

    def get(self, who: str, path: str) -> Any:
        answer = self.call(who, "GET", path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    async def _facts(self) -> asyncpg.Record:
        found = await self.ground.admin.fetchrow(_FACTS, self.exam_id)
        assert found is not None
        return found

    async def _recount(self) -> asyncpg.Record:
        found = await self.ground.admin.fetchrow(RECOUNT)
        assert found is not None
        return found

    async def _file(self, report: LabReport) -> Any:
        async with self.ground.unit() as uow:
            return await results.file_report(uow, uuid7(), "lis", report)

    stale = False

    async def _judge(self) -> None:
        """A doctor answers what no machine may judge: how it is asked, and what it blocks, is another test's subject."""
        async with self.ground.unit() as uow:
            asked = await results.questions_page(
                uow,
                exam_id=self.exam_id,
                kind="undetermined",
                department_id=None,
                still_open=True,
                after=None,
                size=200,
            )
        for question in asked:
            async with self.ground.house.runtime.units.open(DOCTOR) as uow:
                await results.answer(uow, question.id, AnswerIn(answer="abnormal", reason="已核对"))

    def report(self, tube: Tube, line: Line, status: str) -> LabReport:
        now = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
        said = tuple(
            LabObservation(code, code, "", "NM", UNREMARKABLE.get(code, "5"), UNITS.get(code, ""), "", (), status, now)
            for code in self.ground.items[line.code]
        )
        result = LabResult(tube.barcode, None, None, line.code, line.code, now, now, status, said)
        birth = date.fromisoformat(self.birth)
        sex = cast("Any", self.sex)
        return LabReport(uuid7().hex[:20], now, "LIS", self.exam_no, self.name, sex, birth, None, (result,))

    async def _work(self) -> None:
        runtime, admin = self.ground.house.runtime, self.ground.admin
        services: Any = SimpleNamespace(lis=SimpleNamespace(client=self.lis))
        while waiting := await admin.fetch(_JOBS, self.exam_id):
            for row in waiting:
                run = JobRun(
                    id=row["id"], name=row["name"], payload=json.loads(row["payload"]), campus_id=1, attempts=0, fence=0,
                    units=Unfenced(runtime), services=services, report=_unheard, created_by=row["id"],
                )  # fmt: skip
                await runtime.jobs[row["name"]].handler(run)
                await admin.execute("update job set state = 'succeeded', finished_at = now() where id = $1", row["id"])


async def _unheard(_done: int, _total: int | None, _message: str | None) -> None: ...


def _finding(item: dict[str, Any]) -> str:
    if item["item_code"] in LIKELY:
        return LIKELY[item["item_code"]]
    if item["kind"] in ("numeric", "computed"):
        return "5"
    return str(item["normal_default"] or (item["choices"] or ["未见异常"])[0])


def _run(name: str, sequences: int, steps: int, start: int) -> Counter[tuple[str, bool]]:
    """Play; return how often each command was taken, and refused."""
    tally: Counter[tuple[str, bool]] = Counter()
    with Ground(name) as ground:
        # What a run holds belongs to it, not to the machine: each has a class of its own.
        machine = type("Run", (ExamMachine,), {"ground": ground, "barcodes": set(), "mode": "ask", "tally": tally})
        limits = settings(
            max_examples=sequences, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
            phases=PHASES, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        run_state_machine_as_test(seed(start)(machine), settings=limits)
    return tally


@pytest.mark.requirement("E1.1", "E1.6", "E1.8", "X1", "X2")
def test_whatever_is_done_to_an_exam_it_is_what_a_clerk_would_have_on_paper(worker_name: str) -> None:
    _run(f"exam_model_{worker_name}", 3, 20, 20261127)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_an_exam_is_what_is_on_paper_after_hundreds_of_orders_of_commands(worker_name: str) -> None:
    print(f"TJ_FAULT_SEED={SEED}", file=sys.stderr)
    tally = _run(f"exam_model_wide_{worker_name}", TORTURE, 40, SEED)
    print(dict(sorted(tally.items())), file=sys.stderr)
    if TORTURE < ENOUGH:
        return  # of a few orders of commands nothing is claimed about which commands they held
    commands = {operation for operation, _ in tally}
    assert [o for o in sorted(commands) if not tally[o, True]] == [], "never taken"
    assert [o for o in sorted(commands - ONLY_AFTER_ANOTHER) if not tally[o, False]] == [], "never refused"
