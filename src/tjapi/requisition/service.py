"""The verbs of requisitions and tubes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import ItemGroup
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamStateConflict
from tjapi.exam.models import ExamLine
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import repository
from tjapi.requisition.errors import (
    NotCheckedIn,
    RequisitionNotFailed,
    RequisitionNotFound,
    TubeNotFound,
    TubeStateConflict,
)
from tjapi.requisition.events import RequisitionCancelled, RequisitionLinesCancelled, RequisitionPlanned, TubeCollected
from tjapi.requisition.models import Requisition, RequisitionLine, Tube, TubeLine
from tjapi.requisition.rules import OPEN, REPORTED, OpenTube, PlannedLine, TubeKind, barcode, plan_tubes
from tjapi.requisition.schemas import RequisitionOut, TubeOut


@dataclass(frozen=True, slots=True)
class TubeRef:
    """Where a barcode leads."""

    tube_id: UUID
    exam_id: UUID
    campus_id: int
    line_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LineRef:
    """Where a placer number leads."""

    exam_id: UUID
    campus_id: int
    line_id: UUID


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """An item group as it is ordered."""

    placer_no: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class OrderTube:
    """A tube as it is ordered."""

    barcode: str
    container: str
    specimen: str
    collected_at: datetime | None
    groups: tuple[OrderGroup, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that is sent of a requisition; read in one unit, sent outside of it."""

    placer_no: str
    message_id: str
    exam_no: str
    campus_code: str
    examinee_id: UUID
    name: str
    sex: str
    birth_date: date
    ordered_at: datetime
    tubes: tuple[OrderTube, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """An order to be taken back; `acknowledged`: the LIS has said that it has it."""

    order: Order
    acknowledged: bool


async def plan(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """Plan tubes and the order for released lines that the LIS carries out; lines already asked for are left alone.

    A tube that the laboratory has not received yet takes an add-on of its kind; where it was collected, so is the add-on.
    """
    exam = await exams.lock(uow, exam_id)
    wanted = set(line_ids)
    earlier = await repository.requisitions(uow, exam_id)
    asked = {row.exam_line_id for row in await repository.asked(uow, wanted)}
    lines = {
        line.id: line
        for line in await exams.lines(uow, exam_id)
        if line.id in wanted and line.performed_by == "lis" and line.id not in asked
    }
    if not lines:
        return
    groups = {group.id: group for group in await catalog.item_groups(uow, [x.item_group_id for x in lines.values()])}
    number = len(earlier) + 1
    requisition = Requisition(
        id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, placer_no=f"{exam.exam_no}-{number}", state="planned", attempt=0,
        planned_at=uow.now,
    )  # fmt: skip
    uow.session.add(requisition)
    asking = {
        line.id: RequisitionLine(
            exam_line_id=line.id, requisition_id=requisition.id, campus_id=exam.campus_id, placer_no=f"{requisition.placer_no}-{i:02d}",
        )
        for i, line in enumerate(lines.values(), 1)
    }  # fmt: skip
    uow.session.add_all(asking.values())
    planned = [_planned(line, groups[line.item_group_id]) for line in lines.values()]
    served = await repository.tube_lines(uow, [tube.id for tube in await repository.tubes(uow, exam_id)])
    collected = []
    for one in plan_tubes(planned, await _open_tubes(uow, exam_id)):
        tube = await repository.tube(uow, one.tube_id) if one.tube_id else None
        if tube is None:
            kind = one.kind
            tube = Tube(
                id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, requisition_id=requisition.id,
                barcode=barcode(exam.campus_id, await repository.next_tube_number(uow, exam.campus_id)), container=kind.container,
                specimen=kind.specimen, fasting=kind.fasting, section=kind.section or None, minutes_after=kind.minutes_after or None,
                send_out=kind.send_out, state="planned", planned_at=uow.now,
            )  # fmt: skip
            uow.session.add(tube)
        if tube.state == "collected":
            collected += [line.line_id for line in one.lines]
        for line in one.lines:
            asking[line.line_id].tube_id = tube.id
        uow.session.add_all(
            TubeLine(tube_id=tube.id, exam_line_id=line.line_id, campus_id=exam.campus_id)
            for line in one.lines
            if line.line_id not in served.get(tube.id, ())  # a line that comes back finds its old tube
        )
    await uow.session.flush()
    for line_id in collected:
        await exams.advance(uow, exam_id, line_id, "collected")
    if exam.checked_in_at is not None and exam.state != "cancelled":
        await order(uow, exam_id)


def _planned(line: ExamLine, group: ItemGroup) -> PlannedLine:
    kind = TubeKind(
        line.container or "", line.specimen or "", group.section or "", line.fasting, group.minutes_after or 0, group.send_out
    )  # fmt: skip
    return PlannedLine(line.id, kind, group.groups_per_tube)


async def _open_tubes(uow: UnitOfWork, exam_id: UUID) -> list[OpenTube]:
    tubes = [tube for tube in await repository.tubes(uow, exam_id) if tube.state in OPEN]
    if not tubes:
        return []
    lines = {line.id: line for line in await exams.lines(uow, exam_id)}
    groups = {g.id: g for g in await catalog.item_groups(uow, list({line.item_group_id for line in lines.values()}))}
    serves = await _served(uow, exam_id)
    found = []
    for tube in tubes:
        served = [lines[i] for i in serves.get(tube.id, ())]
        if any(line.state in REPORTED for line in served):
            continue  # nobody has scanned it at the laboratory's door, but that is where it is
        limits = [n for line in served if (n := groups[line.item_group_id].groups_per_tube) is not None]
        kind = TubeKind(
            tube.container, tube.specimen, tube.section or "", tube.fasting, tube.minutes_after or 0, tube.send_out
        )
        found.append(OpenTube(tube.id, kind, len(served), min(limits, default=None)))
    return found


async def _served(uow: UnitOfWork, exam_id: UUID) -> dict[UUID, list[UUID]]:
    """Return the lines that are asked for under each tube of an exam."""
    line_ids = [line.id for line in await exams.lines(uow, exam_id)]
    found: dict[UUID, list[UUID]] = {}
    for row in await repository.asked(uow, line_ids):
        if row.tube_id is not None:
            found.setdefault(row.tube_id, []).append(row.exam_line_id)
    return found


async def order(uow: UnitOfWork, exam_id: UUID) -> None:
    """Send what is planned of an exam: called at check-in, for nobody's tubes are made before they come."""
    exam = await exams.lock(uow, exam_id)
    for requisition in await repository.requisitions(uow, exam_id):
        if requisition.state == "planned":
            await uow.publish(
                RequisitionPlanned(campus_id=exam.campus_id, requisition_id=requisition.id, attempt=requisition.attempt)
            )


async def order_of(uow: UnitOfWork, requisition_id: UUID) -> Order | None:
    """Return what is to be sent of a planned requisition; None when there is nothing to send any more."""
    requisition = await repository.requisition(uow, requisition_id)
    if requisition is None or requisition.state != "planned":
        return None
    return await _order(uow, requisition, f"{requisition.placer_no}-{requisition.attempt}")


async def cancellation_of(uow: UnitOfWork, requisition_id: UUID) -> Cancellation | None:
    """Return what is to be taken back at the LIS of a cancelled requisition; None when it is not cancelled."""
    requisition = await repository.requisition(uow, requisition_id)
    if requisition is None or requisition.state != "cancelled":
        return None
    order = await _order(uow, requisition, f"{requisition.placer_no}-{requisition.attempt}C")
    return Cancellation(order, acknowledged=requisition.sent_at is not None)


async def _order(
    uow: UnitOfWork, requisition: Requisition, message_id: str, only: Collection[str] | None = None
) -> Order:
    requisition_id = requisition.id
    exam = await exams.get(uow, requisition.exam_id)
    campus = next(c for c in await identity.campuses(uow) if c.id == exam.campus_id)
    names = {line.id: line for line in await exams.lines(uow, exam.id)}
    rows = [
        row
        for row in await repository.requisition_lines(uow, requisition_id)
        if (row.cancelled_at is None if only is None else row.placer_no in only)
    ]
    tubes = await repository.tubes(uow, exam.id)
    of_tube = await repository.tube_lines(uow, [tube.id for tube in tubes])
    # A tube that takes an add-on belongs to two orders; each asks for its own lines.
    mine: dict[UUID, list[RequisitionLine]] = {}
    for row in rows:
        under = row.tube_id or max(tube.id for tube in tubes if row.exam_line_id in of_tube.get(tube.id, ()))
        mine.setdefault(under, []).append(row)
    return Order(
        placer_no=requisition.placer_no, message_id=message_id[-20:], exam_no=exam.exam_no,
        campus_code=campus.code, examinee_id=exam.examinee_id, name=exam.name, sex=exam.sex, birth_date=exam.birth_date,
        ordered_at=requisition.planned_at,
        tubes=tuple(
            OrderTube(
                tube.barcode, tube.container, tube.specimen, tube.collected_at,
                tuple(
                    OrderGroup(row.placer_no, names[row.exam_line_id].code, names[row.exam_line_id].name) for row in mine[tube.id]
                ),
            )
            for tube in tubes
            if tube.id in mine
        ),
    )  # fmt: skip


async def mark_sent(uow: UnitOfWork, requisition_id: UUID, placer_nos: Collection[str]) -> None:
    """The LIS has acknowledged the order of some lines; saying so twice changes nothing."""
    requisition = await _locked(uow, requisition_id)
    rows = await repository.requisition_lines(uow, requisition_id)
    for row in rows:
        if row.placer_no in placer_nos and row.sent_at is None:
            row.sent_at = uow.now
    if requisition.state == "cancelled" and requisition.sent_at is None:
        # It was on its way when the exam was cancelled; the cancellation that follows it must know that the LIS has it.
        requisition.sent_at = uow.now
    if requisition.state != "planned":
        return
    requisition.state, requisition.sent_at, requisition.error = "sent", uow.now, None
    await uow.session.flush()
    for row in rows:
        if row.cancelled_at is not None:
            continue
        line = next(line for line in await exams.lines(uow, requisition.exam_id) if line.id == row.exam_line_id)
        if line.state == "released":
            await exams.advance(uow, requisition.exam_id, line.id, "sent")


async def mark_failed(uow: UnitOfWork, requisition_id: UUID, error: str) -> None:
    """The LIS refused the order: a person must look."""
    requisition = await _locked(uow, requisition_id)
    if requisition.state == "planned":
        requisition.state, requisition.error = "failed", error[:200]
        await uow.announce(
            "requisition", {"requisition_id": str(requisition.id), "state": "failed"}, campus_id=requisition.campus_id,
            permission="requisition.read",
        )  # fmt: skip


async def resend(uow: UnitOfWork, requisition_id: UUID) -> RequisitionOut:
    """Send a failed order again. Raises RequisitionNotFound, RequisitionNotFailed."""
    requisition = await _locked(uow, requisition_id)
    if requisition.state != "failed":
        raise RequisitionNotFailed
    requisition.state, requisition.attempt = "planned", requisition.attempt + 1
    await uow.audit("requisition.resent", "requisition", requisition.id, campus_id=requisition.campus_id)
    await uow.publish(
        RequisitionPlanned(campus_id=requisition.campus_id, requisition_id=requisition.id, attempt=requisition.attempt)
    )
    return RequisitionOut.model_validate(requisition, from_attributes=True)


async def collect(uow: UnitOfWork, tube_id: UUID) -> TubeOut:
    """A specimen was taken; a second scan changes nothing. Raises TubeNotFound, TubeStateConflict, NotCheckedIn, ExamStateConflict."""
    seen = await repository.tube(uow, tube_id)
    if seen is None:
        raise TubeNotFound
    exam = await exams.lock(uow, seen.exam_id)
    if exam.state == "prepared":
        raise NotCheckedIn
    tube = await repository.tube(uow, tube_id)
    assert tube is not None
    if tube.state == "planned" and exam.state == "on_hold":
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    if tube.state == "planned" and exam.state != "cancelled":
        tube.state, tube.collected_at, tube.collected_by = "collected", uow.now, uow.principal.id
        lines = {line.id: line for line in await exams.lines(uow, exam.id)}
        for line_id in (await _served(uow, exam.id)).get(tube.id, []):
            if lines[line_id].state in ("released", "sent"):
                await exams.advance(uow, exam.id, line_id, "collected")
        await uow.audit("tube.collected", "tube", tube.id, campus_id=tube.campus_id)
        await uow.publish(TubeCollected(campus_id=tube.campus_id, exam_id=exam.id, tube_id=tube.id))
    elif tube.state not in ("collected", "received"):
        raise TubeStateConflict("试管当前为 {current}", "The tube is {current}", current=tube.state)
    return (await _describe(uow, exam.id, [tube]))[0]


async def withdraw(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """Some lines are not asked for any more: tubes that serve nothing else are not drawn, and the LIS hears of it if it may have heard of them."""
    exam = await exams.lock(uow, exam_id)
    rows = await repository.asked(uow, set(line_ids))
    for row in rows:
        row.cancelled_at = uow.now
    await uow.session.flush()
    serves = await _served(uow, exam_id)
    for tube in await repository.tubes(uow, exam_id):
        if tube.state == "planned" and tube.id not in serves:
            tube.state = "cancelled"
    for requisition_id in dict.fromkeys(row.requisition_id for row in rows):
        requisition = await repository.requisition(uow, requisition_id, lock=True)
        assert requisition is not None
        taken = tuple(row.placer_no for row in rows if row.requisition_id == requisition_id)
        if all(row.cancelled_at is not None for row in await repository.requisition_lines(uow, requisition_id)):
            requisition.state = "cancelled"
        if exam.checked_in_at is not None:  # before, nothing is sent
            await uow.publish(
                RequisitionLinesCancelled(campus_id=exam.campus_id, requisition_id=requisition_id, placer_nos=taken)
            )


async def lines_cancellation_of(
    uow: UnitOfWork, requisition_id: UUID, placer_nos: Collection[str]
) -> Cancellation | None:
    """Return which lines are to be taken back at the LIS."""
    requisition = await repository.requisition(uow, requisition_id)
    if requisition is None:
        return None
    rows = await repository.requisition_lines(uow, requisition_id)
    taken = [row for row in rows if row.placer_no in placer_nos and row.cancelled_at is not None]
    if not taken:
        return None
    # One message per set of lines, the same at every try; its number fits in the 20 characters of MSH-10.
    message_id = f"{taken[0].placer_no}X{len(taken)}"
    order = await _order(uow, requisition, message_id, {row.placer_no for row in taken})
    return Cancellation(order, acknowledged=any(row.sent_at is not None for row in taken))


async def cancel_all(uow: UnitOfWork, exam_id: UUID) -> None:
    """Nothing more is asked for a cancelled exam: what may have reached the LIS is taken back there, the rest is dropped; no tube is drawn."""
    exam = await exams.get(uow, exam_id)
    for tube in await repository.tubes(uow, exam_id):
        if tube.state == "planned":
            tube.state = "cancelled"
    for requisition in await repository.requisitions(uow, exam_id):
        if requisition.state != "cancelled":
            requisition.state = "cancelled"
            if exam.checked_in_at is not None:  # before, nothing is sent
                await uow.publish(RequisitionCancelled(campus_id=exam.campus_id, requisition_id=requisition.id))


async def tubes(uow: UnitOfWork, exam_id: UUID) -> list[TubeOut]:
    """Return the tubes of an exam. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    return await _describe(uow, exam_id, await repository.tubes(uow, exam_id))


async def requisitions(uow: UnitOfWork, exam_id: UUID) -> list[RequisitionOut]:
    """Return the orders of an exam. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    return [
        RequisitionOut.model_validate(row, from_attributes=True) for row in await repository.requisitions(uow, exam_id)
    ]


async def tube_by_barcode(uow: UnitOfWork, code: str) -> TubeRef | None:
    """Return where a barcode leads, if anywhere one may see."""
    tube = await repository.tube_by_barcode(uow, code)
    if tube is None:
        return None
    lines = (await repository.tube_lines(uow, [tube.id])).get(tube.id, [])
    return TubeRef(tube.id, tube.exam_id, tube.campus_id, tuple(lines))


async def lines_by_placer(uow: UnitOfWork, placer_no: str) -> LineRef | None:
    """Return where a placer number leads, if anywhere one may see."""
    found = await repository.line_by_placer(uow, placer_no)
    return LineRef(found[1].exam_id, found[1].campus_id, found[0].exam_line_id) if found else None


async def _locked(uow: UnitOfWork, requisition_id: UUID) -> Requisition:
    seen = await repository.requisition(uow, requisition_id)
    if seen is None:
        raise RequisitionNotFound
    await exams.lock(uow, seen.exam_id)
    requisition = await repository.requisition(uow, requisition_id, lock=True)
    assert requisition is not None
    return requisition


async def _describe(uow: UnitOfWork, exam_id: UUID, rows: Sequence[Tube]) -> list[TubeOut]:
    names = {line.id: line.name for line in await exams.lines(uow, exam_id)}
    of_tube = await repository.tube_lines(uow, [tube.id for tube in rows])
    serves = await _served(uow, exam_id)
    return [
        TubeOut(
            id=tube.id, exam_id=tube.exam_id, barcode=tube.barcode, container=tube.container, specimen=tube.specimen,
            fasting=tube.fasting, section=tube.section, minutes_after=tube.minutes_after, send_out=tube.send_out, state=tube.state,
            groups=[names[i] for i in (of_tube if tube.state == "cancelled" else serves).get(tube.id, [])], collected_at=tube.collected_at,
        )
        for tube in rows
    ]  # fmt: skip
