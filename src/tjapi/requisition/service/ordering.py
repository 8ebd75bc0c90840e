"""What is sent to the LIS of a requisition, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.identity import service as identity
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import repository
from tjapi.requisition.errors import RequisitionNotFailed, RequisitionNotFound
from tjapi.requisition.events import RequisitionPlanned
from tjapi.requisition.models import Requisition
from tjapi.requisition.schemas import RequisitionLineOut, RequisitionOut


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
    serves = await repository.tube_lines(uow, [tube.id for tube in tubes])
    # A tube that takes an add-on belongs to two orders; each asks for its own lines, with the tube that it was asked for with.
    mine = {
        tube.id: [
            row
            for row in rows
            if (row.tube_id == tube.id if row.tube_id else row.exam_line_id in serves.get(tube.id, ()))
        ]
        for tube in tubes
    }
    return Order(
        placer_no=requisition.placer_no, message_id=message_id[-20:], exam_no=exam.exam_no,
        campus_code=campus.code, examinee_id=exam.examinee_id, name=exam.name, sex=exam.sex, birth_date=exam.birth_date,
        ordered_at=requisition.planned_at,
        tubes=tuple(
            OrderTube(
                tube.barcode, tube.container, tube.specimen, tube.collected_at,
                tuple(OrderGroup(r.placer_no, names[r.exam_line_id].code, names[r.exam_line_id].name) for r in mine[tube.id]),
            )
            for tube in tubes
            if mine[tube.id]
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
    asked = {row.exam_line_id for row in rows if row.cancelled_at is None}
    lines = await exams.lines(uow, requisition.exam_id)
    sent = [line.id for line in lines if line.id in asked and line.state == "released"]
    await exams.advance(uow, requisition.exam_id, dict.fromkeys(sent, ("sent",)))


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
    return await _out(uow, requisition)


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


async def requisitions(uow: UnitOfWork, exam_id: UUID) -> list[RequisitionOut]:
    """Return the orders of an exam. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    return [await _out(uow, row) for row in await repository.requisitions(uow, exam_id)]


async def _out(uow: UnitOfWork, requisition: Requisition) -> RequisitionOut:
    """Return the public shape of an order, with each of its lines: its number at the LIS, and whether it was taken back."""
    every = await exams.lines(uow, requisition.exam_id)
    # Of what is private nobody is told that it was ordered but who may see it.
    lines = {one.id: one for one in every if not one.private or uow.principal.sees_private_line(one.department_id)}
    asked = [
        RequisitionLineOut(
            placer_no=row.placer_no, line_id=row.exam_line_id, name=exams.shown_name(uow, lines[row.exam_line_id]), sent_at=row.sent_at,
            cancelled_at=row.cancelled_at,
        )
        for row in await repository.requisition_lines(uow, requisition.id)
        if row.exam_line_id in lines
    ]  # fmt: skip
    plain = RequisitionOut.model_validate({c.key: getattr(requisition, c.key) for c in requisition.__table__.columns})
    return plain.model_copy(update={"lines": sorted(asked, key=lambda one: one.placer_no)})


async def _locked(uow: UnitOfWork, requisition_id: UUID) -> Requisition:
    seen = await repository.requisition(uow, requisition_id)
    if seen is None:
        raise RequisitionNotFound
    await exams.lock(uow, seen.exam_id)
    requisition = await repository.requisition(uow, requisition_id, lock=True)
    assert requisition is not None
    return requisition
