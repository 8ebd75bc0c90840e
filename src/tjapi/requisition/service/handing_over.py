"""交接单与外送: tubes from hand to hand, counted and scanned by two people; what is missing or too many is named.

Exams are locked first, in the order of their ids, then the list: a scan, a rejection and a receipt of one tube come one after the other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, called
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import repository
from tjapi.requisition.errors import (
    HandoverChanged,
    HandoverCountDiffers,
    HandoverNotFound,
    HandoverStateConflict,
    HandoverTubesRefused,
    ReceiverHandedOver,
    ReceiverNotNamed,
)
from tjapi.requisition.models import Handover, HandoverTube, Tube
from tjapi.requisition.rules import BackHow, ExtraKind, HandoverOutcome, HandoverState, TubeAction, extra, handover_no
from tjapi.requisition.schemas import (
    DepartureIn,
    HandoverCounts,
    HandoverDetail,
    HandoverExtraOut,
    HandoverIn,
    HandoverOut,
    HandoverTubeOut,
    SignReceiptIn,
)
from tjapi.requisition.service.custody import note


@dataclass(frozen=True, slots=True)
class _Held:
    """A list under its lock, its rows by tube, and the tubes as they are now."""

    handover: Handover
    rows: Mapping[UUID, HandoverTube]
    tubes: Mapping[UUID, Tube]

    @property
    def waiting(self) -> list[HandoverTube]:
        return [row for row in self.rows.values() if row.outcome is None]


async def open_handover(uow: UnitOfWork, new: HandoverIn) -> HandoverDetail:
    """Begin a list; with an outside laboratory, of what is sent there. Raises CampusNotHeld, OutsideLabNotFound."""
    identity.refuse_foreign_campus(uow, new.campus_id)
    lab = await catalog.outside_lab_in_use(uow, new.outside_lab_id) if new.outside_lab_id else None
    day = business_day(uow.now)
    number = await repository.next_handover_number(uow, new.campus_id, day)
    handover = Handover(
        id=uuid7(), campus_id=new.campus_id, list_no=handover_no(new.campus_id, day, number), state="open", from_place=new.from_place,
        to_place=new.to_place or (lab.name if lab else "检验科"), outside_lab_id=lab.id if lab else None, opened_by=uow.principal.id,
        opened_by_name=uow.principal.name, opened_at=uow.now,
    )  # fmt: skip
    uow.session.add(handover)
    await uow.audit("handover.opened", "handover", handover.id, campus_id=handover.campus_id)
    return await handover_detail(uow, handover.id)


async def add_tubes(uow: UnitOfWork, handover_id: UUID, barcodes: Sequence[str]) -> HandoverDetail:
    """Scan tubes onto a list, all or none; one that stands there already stays. Raises HandoverNotFound, HandoverStateConflict, HandoverTubesRefused."""
    found = await _found(uow, barcodes)
    held = await _hold(uow, handover_id, also=found.values())
    _require(held.handover, "open")
    fitting = ("collected", "received") if held.handover.outside_lab_id else ("collected",)
    wrong: list[FieldError] = []
    taken: list[Tube] = []
    for i, code in enumerate(barcodes):
        tube = held.tubes.get(found[code].id) if code in found else None
        if tube is None or tube.campus_id != held.handover.campus_id:
            wrong.append(FieldError(f"/barcodes/{i}", "not-found", "没有这支试管", "no such tube"))
            continue
        row = held.rows.get(tube.id)
        if row is not None and row.outcome is None:
            continue
        if await repository.waiting_on(uow, tube.id) is not None:
            wrong.append(FieldError(f"/barcodes/{i}", "listed", "已在另一张交接单上", "stands on another list"))
        elif tube.state not in fitting:
            zh, en = called("tube_state", tube.state)
            wrong.append(FieldError(f"/barcodes/{i}", f"tube-{tube.state}", f"试管当前为「{zh}」", f"the tube is {en}"))
        elif tube.id not in {one.id for one in taken}:
            taken.append(tube)
    if wrong:
        raise HandoverTubesRefused(errors=wrong)
    for tube in taken:
        row = held.rows.get(tube.id)
        if row is None:
            row = HandoverTube(handover_id=handover_id, tube_id=tube.id, campus_id=tube.campus_id, exam_id=tube.exam_id)
            uow.session.add(row)
        row.added_by, row.added_at, row.outcome, row.outcome_by, row.outcome_at = (
            uow.principal.id,
            uow.now,
            None,
            None,
            None,
        )
        _note(uow, held.handover, tube, "listed", held.handover.from_place)
    return await handover_detail(uow, handover_id)


async def remove_tubes(uow: UnitOfWork, handover_id: UUID, barcodes: Sequence[str]) -> HandoverDetail:
    """Take tubes off a list that was not handed over. Raises HandoverNotFound, HandoverStateConflict, HandoverTubesRefused."""
    found = await _found(uow, barcodes)
    held = await _hold(uow, handover_id, also=found.values())
    _require(held.handover, "open")
    _refuse_strange(barcodes, found, held)
    for tube in found.values():
        row = held.rows[tube.id]
        if row.outcome is None:
            _settle(uow, row, "removed")
            _note(uow, held.handover, held.tubes[tube.id], "unlisted", held.handover.from_place)
    return await handover_detail(uow, handover_id)


async def hand_over(uow: UnitOfWork, handover_id: UUID, given: DepartureIn) -> HandoverDetail:
    """The tubes leave: as many as were counted must have been scanned.

    Raises HandoverNotFound, HandoverStateConflict, HandoverCountDiffers, HandoverChanged.
    """
    held = await _hold(uow, handover_id)
    _require(held.handover, "open")
    _count(given.counted, len(held.waiting))
    handover, leaves = held.handover, "sent_out" if held.handover.outside_lab_id else "handed_over"
    handover.state, handover.counted, handover.carrier = "handed_over", given.counted, given.carrier
    handover.handed_over_by, handover.handed_over_by_name = uow.principal.id, uow.principal.name
    handover.handed_over_at = uow.now
    for row in held.waiting:
        tube = held.tubes[row.tube_id]
        tube.state = leaves
        _note(uow, handover, tube, cast("TubeAction", leaves), handover.from_place)
    detail = {"list_no": handover.list_no, "tubes": given.counted}
    await uow.audit("handover.handed_over", "handover", handover.id, campus_id=handover.campus_id, detail=detail)
    await _announce(uow, handover)
    return await handover_detail(uow, handover_id)


async def receive(uow: UnitOfWork, handover_id: UUID, barcodes: Sequence[str]) -> HandoverDetail:
    """Tubes arrive, one by one; a second scan changes nothing. What stands on no list is named, and taken in if it was collected.

    Raises HandoverNotFound, HandoverStateConflict, HandoverTubesRefused, ReceiverHandedOver.
    """
    found = await _found(uow, barcodes)
    held = await _hold(uow, handover_id, also=found.values())
    _require(held.handover, "handed_over")
    _require_another(uow, held.handover)
    if held.handover.outside_lab_id is not None:
        _refuse_strange(barcodes, found, held)
    for code in dict.fromkeys(barcodes):
        seen = found.get(code)
        tube = held.tubes.get(seen.id) if seen else None
        row = held.rows.get(tube.id) if tube else None
        if tube is not None and row is not None and row.outcome != "removed":
            if row.outcome is None:
                _arrive(uow, held.handover, row, tube)
        else:
            await _too_many(uow, held.handover, code, tube)
    return await handover_detail(uow, handover_id)


async def sign_receipt(uow: UnitOfWork, handover_id: UUID, given: SignReceiptIn) -> HandoverDetail:
    """Another person signs for what arrived: the whole of the list, or what was scanned; then the rest is missing, by name.

    A missing tube is again where it came from. Raises HandoverNotFound, HandoverStateConflict, HandoverCountDiffers, HandoverChanged,
    ReceiverHandedOver, ReceiverNotNamed.
    """
    held = await _hold(uow, handover_id)
    handover = held.handover
    _require(handover, "handed_over")
    _require_another(uow, handover)
    if (handover.outside_lab_id is None) != (given.receiver_name is None):
        raise ReceiverNotNamed(
            errors=[FieldError("/receiver_name", "receiver", ReceiverNotNamed.zh, ReceiverNotNamed.en)]
        )
    extras = await repository.extras(uow, handover_id)
    arrived = sum(row.outcome == "received" for row in held.rows.values())
    arrived += sum(one.kind == "received" for one in extras) + (len(held.waiting) if given.whole else 0)
    _count(given.counted, arrived)
    missing = 0
    for row in held.waiting:
        tube = held.tubes[row.tube_id]
        if given.whole:
            _arrive(uow, handover, row, tube)
            continue
        missing += 1
        _settle(uow, row, "missing")
        tube.state = "received" if handover.outside_lab_id else "collected"
        _note(uow, handover, tube, "missing", handover.to_place)
    handover.state, handover.received_at, handover.note = "received", uow.now, given.note
    handover.received_by, handover.received_by_name = uow.principal.id, given.receiver_name or uow.principal.name
    detail = {"list_no": handover.list_no, "tubes": arrived, "missing": missing, "extra": len(extras)}
    await uow.audit("handover.received", "handover", handover.id, campus_id=handover.campus_id, detail=detail)
    await _announce(uow, handover)
    return await handover_detail(uow, handover_id)


async def cancel_handover(uow: UnitOfWork, handover_id: UUID, reason: str) -> HandoverDetail:
    """Drop a list that was not handed over; its tubes stay where they are. Raises HandoverNotFound, HandoverStateConflict, HandoverChanged."""
    held = await _hold(uow, handover_id)
    _require(held.handover, "open")
    for row in held.waiting:
        _settle(uow, row, "removed")
        _note(uow, held.handover, held.tubes[row.tube_id], "unlisted", held.handover.from_place)
    held.handover.state, held.handover.cancelled_at, held.handover.cancel_reason = "cancelled", uow.now, reason
    await uow.audit("handover.cancelled", "handover", handover_id, campus_id=held.handover.campus_id)
    return await handover_detail(uow, handover_id)


async def handover_page(
    uow: UnitOfWork, *, campus_id: int | None, state: str | None, outside_lab_id: UUID | None, awaiting: bool | None,
    after: Sequence[str] | None, size: int,
) -> list[HandoverOut]:  # fmt: skip
    """Return a page of lists, newest first, one too many. `awaiting`: something that was sent out on it is not back."""
    rows = await repository.handover_page(
        uow, campus_id=campus_id, state=state, outside_lab_id=outside_lab_id, awaiting=awaiting, after=after, size=size
    )
    return await _out(uow, rows)


async def handover_detail(uow: UnitOfWork, handover_id: UUID) -> HandoverDetail:
    """Return a list with its tubes and what was too many. Raises HandoverNotFound."""
    await uow.session.flush()
    handover = await repository.handover(uow, handover_id)
    if handover is None:
        raise HandoverNotFound
    (shown,) = await _out(uow, [handover])
    return HandoverDetail(
        **shown.model_dump(),
        tubes=[
            HandoverTubeOut(
                tube_id=tube.id, exam_id=tube.exam_id, barcode=tube.barcode, container=tube.container, specimen=tube.specimen, state=tube.state,
                outcome=cast("HandoverOutcome | None", row.outcome), outcome_at=row.outcome_at, back_at=row.back_at,
                back_how=cast("BackHow | None", row.back_how),
            )
            for row, tube in await repository.handover_tubes(uow, handover_id)
        ],
        extras=[
            HandoverExtraOut(barcode=one.barcode, tube_id=one.tube_id, kind=cast("ExtraKind", one.kind), at=one.at)
            for one in await repository.extras(uow, handover_id)
        ],
    )  # fmt: skip


async def _out(uow: UnitOfWork, rows: Sequence[Handover]) -> list[HandoverOut]:
    counts = await repository.handover_counts(uow, [row.id for row in rows])
    labs = {lab.id: lab.name for lab in await catalog.outside_labs(uow)}
    return [
        HandoverOut(
            id=row.id, campus_id=row.campus_id, list_no=row.list_no, state=cast("HandoverState", row.state), from_place=row.from_place,
            to_place=row.to_place, outside_lab_id=row.outside_lab_id,
            outside_lab_name=labs.get(row.outside_lab_id) if row.outside_lab_id else None, opened_by_name=row.opened_by_name,
            opened_at=row.opened_at, handed_over_by_name=row.handed_over_by_name, handed_over_at=row.handed_over_at, counted=row.counted,
            carrier=row.carrier, received_by_name=row.received_by_name, received_at=row.received_at, note=row.note,
            cancelled_at=row.cancelled_at, cancel_reason=row.cancel_reason, counts=HandoverCounts(**counts[row.id]),
        )
        for row in rows
    ]  # fmt: skip


async def _found(uow: UnitOfWork, barcodes: Collection[str]) -> dict[str, Tube]:
    return {tube.barcode: tube for tube in await repository.tubes_of_barcodes(uow, set(barcodes))}


async def _hold(uow: UnitOfWork, handover_id: UUID, *, also: Iterable[Tube] = ()) -> _Held:
    """Lock the exams of a list's tubes and of others, then the list. Raises HandoverNotFound, HandoverChanged."""
    others = list(also)
    seen = await repository.handover_rows(uow, handover_id)
    wanted = {tube.exam_id for tube in others} | {row.exam_id for row in seen}
    for exam_id in sorted(wanted):
        await exams.lock(uow, exam_id)
    handover = await repository.handover(uow, handover_id, lock=True)
    if handover is None:
        raise HandoverNotFound
    rows = await repository.handover_rows(uow, handover_id)
    if any(row.exam_id not in wanted for row in rows):
        raise HandoverChanged
    ids = {row.tube_id for row in rows} | {tube.id for tube in others}
    tubes = {tube.id: tube for tube in await repository.tubes_of(uow, ids)}
    return _Held(handover, {row.tube_id: row for row in rows}, tubes)


def _require(handover: Handover, state: HandoverState) -> None:
    if handover.state != state:
        raise HandoverStateConflict("交接单当前为「{current}」", "The list is {current}", current=handover.state)


def _require_another(uow: UnitOfWork, handover: Handover) -> None:
    if handover.outside_lab_id is None and handover.handed_over_by == uow.principal.id:
        raise ReceiverHandedOver


def _count(counted: int, scanned: int) -> None:
    if counted != scanned:
        raise HandoverCountDiffers(
            "清点 {counted} 支,扫描 {scanned} 支", "{counted} were counted, {scanned} scanned", counted=counted, scanned=scanned
        )  # fmt: skip


def _refuse_strange(barcodes: Sequence[str], found: Mapping[str, Tube], held: _Held) -> None:
    wrong = [
        FieldError(f"/barcodes/{i}", "not-listed", "不在交接单上", "does not stand on the list")
        for i, code in enumerate(barcodes)
        if code not in found or found[code].id not in held.rows
    ]
    if wrong:
        raise HandoverTubesRefused(errors=wrong)


def _settle(uow: UnitOfWork, row: HandoverTube, outcome: HandoverOutcome) -> None:
    row.outcome, row.outcome_by, row.outcome_at = outcome, uow.principal.id, uow.now


def _arrive(uow: UnitOfWork, handover: Handover, row: HandoverTube, tube: Tube) -> None:
    """What arrives outside stays sent out until it, or its result, comes back."""
    _settle(uow, row, "received")
    if handover.outside_lab_id is None:
        tube.state = "received"
    _note(uow, handover, tube, "received", handover.to_place)


async def _too_many(uow: UnitOfWork, handover: Handover, code: str, tube: Tube | None) -> None:
    if tube is not None and tube.campus_id != handover.campus_id:
        tube = None
    kind = extra(tube.state if tube else None)
    if await repository.add_extra(uow, handover, code, tube.id if tube else None, kind) and tube and kind == "received":
        waiting = await repository.waiting_on(uow, tube.id)
        if waiting is not None:
            _settle(uow, waiting[0], "elsewhere")
        if tube.state != "received":
            tube.state = "received"
            _note(uow, handover, tube, "received", handover.to_place)


def _note(uow: UnitOfWork, handover: Handover, tube: Tube, action: TubeAction, place: str) -> None:
    note(uow, tube, action, place=place, handover_id=handover.id)


async def _announce(uow: UnitOfWork, handover: Handover) -> None:
    told = {"handover_id": str(handover.id), "state": handover.state}
    await uow.announce("handover", told, campus_id=handover.campus_id, permission="requisition.read")
