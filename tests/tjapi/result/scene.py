"""A visit ready for results: registered, checked in, its tubes planned; and what a laboratory would say of it."""

import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.lis.contract import LabObservation, LabReport, LabResult
from tests.tjapi.starter import UNITS
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.critical_value import repository as critical_values
from tjapi.critical_value.models import CriticalValue
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service as examinees
from tjapi.examinee.rules import IdKind, check_digit
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.uow import UnitOfWork, Units
from tjapi.requisition import service as requisitions
from tjapi.result import repository, service
from tjapi.result.service import Filing

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
OpenUnit = Callable[..., Any]
_people = itertools.count(1)


@dataclass(frozen=True)
class Scene:
    """One exam; `barcodes` and `placers` by the code of the line."""

    exam_id: UUID
    exam_no: str
    name: str
    lines: dict[str, UUID]
    departments: dict[str, int]
    barcodes: dict[str, str]
    placers: dict[str, str]
    items: dict[str, UUID]
    id_number: str = ""


async def visit(
    unit: OpenUnit, *groups: str, checked_in: bool = True, of: UUID | None = None, name: str | None = None, kind: IdKind = "passport"
) -> Scene:  # fmt: skip
    """Register somebody for these item groups, and check them in; `of`: whoever had that exam."""
    number = next(_people)
    body = f"69{secrets.randbelow(10_000):04d}19860301{secrets.randbelow(499) * 2 + 1:03d}"
    own = uuid7().hex[:18].upper() if kind == "passport" else body + check_digit(body)
    async with unit() as uow:
        payload = IdCardPayload(
            name=name or f"测试{number}", sex="male", birth_date=date(1986, 3, 1), id_kind=kind, id_number=own
        )
        known = (await exams.get(uow, of)).examinee_id if of is not None else None
        person_id = known or (await examinees.meet(uow, payload, 1))[0].id
        offered = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=200)
        codes = {g.code: g.id for g in offered}
        new = ExamIn(
            campus_id=1, examinee_id=person_id, item_group_ids=[codes[g] for g in groups], exam_date=date(2026, 11, 23)
        )
        exam = await exams.register(uow, new)
    async with unit() as uow:
        if private := [line.id for line in await exams.lines(uow, exam.id) if line.private]:
            await exams.consent(uow, exam.id, private, signature=exam.name)
    async with unit() as uow:
        if checked_in:
            await exams.check_in(uow, exam.id)
        lines = await exams.lines(uow, exam.id)
        order = [
            (t, await requisitions.tube_by_barcode(uow, t.barcode)) for t in await requisitions.tubes(uow, exam.id)
        ]
        by_id = {line.id: line.code for line in lines}
        items = await catalog.group_items(uow, [line.item_group_id for line in lines])
        placers = {}
        for n in range(1, len(lines) + 1):
            found = await requisitions.lines_by_placer(uow, f"{exam.exam_no}-1-{n:02d}")
            if found is not None:
                placers[by_id[found.line_id]] = f"{exam.exam_no}-1-{n:02d}"
        return Scene(
            exam.id, exam.exam_no, exam.name, {line.code: line.id for line in lines}, {line.code: line.department_id for line in lines},
            {by_id[i]: tube.barcode for tube, ref in order if ref for i in ref.line_ids}, placers,
            {item.code: item.id for group in items.values() for item in group}, own,
        )  # fmt: skip


def observation(
    code: str, value: str, *, status: str = "F", minute: int = 0, unit: str | None = None, sub_id: str = ""
) -> LabObservation:
    return LabObservation(
        code,
        code,
        sub_id,
        "NM",
        value,
        UNITS.get(code, "") if unit is None else unit,
        "their range",
        (),
        status,
        NOON + timedelta(minutes=minute),
    )


def report(scene: Scene, group: str, *observations: LabObservation, **changes: Any) -> LabReport:
    """Return a report on one group; `changes` go to the report or, by name, to its result."""
    of_result = {k: changes.pop(k) for k in ("barcode", "placer_no", "filler_no", "reported_at") if k in changes}
    result = LabResult(
        barcode=scene.barcodes.get(group), placer_no=scene.placers.get(group), filler_no=None, group_code=group, group_name=group,
        specimen_at=NOON, reported_at=NOON + timedelta(hours=1), status="F", observations=observations,
    )  # fmt: skip
    said = LabReport(
        "M1", NOON, "LIS", scene.exam_no, scene.name, "male", date(1986, 3, 1), None, (replace(result, **of_result),)
    )
    return replace(said, **changes)


async def file(unit: OpenUnit, said: LabReport) -> Filing:
    async with unit() as uow:
        return await service.file_report(uow, uuid7(), "lis", said)


async def alerts_of(unit: OpenUnit, exam_id: UUID) -> Sequence[CriticalValue]:
    """Return every critical value of an exam, oldest first."""
    async with unit() as uow:
        found: Sequence[CriticalValue] = await critical_values.of_exam(uow, exam_id)
        return found


class Unfenced(Units):
    """Units of a job that no worker has claimed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def open(self, *_: Any, **__: Any) -> Any:
        return self._runtime.units.open(demo.LOADER, "worker")


async def state_of(unit: OpenUnit, scene: Scene) -> dict[str, tuple[str, str | None, str] | None]:
    """Return value, flag and status of every item that something was said of, by item code."""
    async with unit() as uow:
        return await read_state(uow, scene)


async def read_state(uow: UnitOfWork, scene: Scene) -> dict[str, tuple[str, str | None, str] | None]:
    revisions = {r.id: r for r in await repository.revisions_of_exam(uow, scene.exam_id)}
    found: dict[str, tuple[str, str | None, str] | None] = {}
    for result in await repository.results(uow, scene.exam_id):
        now = revisions[result.current_revision_id] if result.current_revision_id else None
        found[result.item_code] = (now.raw_value, now.flag, now.status) if now else None
    return found


async def line_state(unit: OpenUnit, scene: Scene, group: str) -> str:
    async with unit() as uow:
        return next(line.state for line in await exams.lines(uow, scene.exam_id) if line.code == group)


async def exam_state(unit: OpenUnit, scene: Scene) -> str:
    async with unit() as uow:
        return (await exams.get(uow, scene.exam_id)).state


CBC = {"WBC": "6.2", "RBC": "4.8", "HGB": "150", "HCT": "0.45", "PLT": "220"}


def cbc(**changes: str) -> tuple[LabObservation, ...]:
    """A whole blood count."""
    return tuple(observation(code, value) for code, value in (CBC | changes).items())
