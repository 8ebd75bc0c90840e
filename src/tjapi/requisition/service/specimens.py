"""Specimens: taken, refused and taken again. Barcodes and placer numbers lead to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.errors import ExamStateConflict
from tjapi.exam.models import Exam, ExamLine
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import repository
from tjapi.requisition.errors import (
    NotCheckedIn,
    RejectionNotExplained,
    TubeHasResults,
    TubeNotFound,
    TubeNotSentOut,
    TubeStateConflict,
)
from tjapi.requisition.events import TubeCollected, TubeRejected
from tjapi.requisition.models import Tube
from tjapi.requisition.rules import DRAWN, RejectReason
from tjapi.requisition.schemas import TubeOut, TubeRejectedOut
from tjapi.requisition.service.custody import note
from tjapi.requisition.service.planning import asked_under, draw_again, take_back

_UNCOLLECTED = ("released", "sent", "specimen_rejected")
_LIS = "LIS"


@dataclass(frozen=True, slots=True)
class TubeRef:
    """Where a barcode leads. `rejected_line_ids` were its lines until it was rejected; they have another tube now."""

    tube_id: UUID
    exam_id: UUID
    campus_id: int
    line_ids: tuple[UUID, ...]
    state: str
    rejected_line_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LineRef:
    """Where a placer number leads; `rejected`: the specimen that it asked for was rejected, and the line is asked for anew."""

    exam_id: UUID
    campus_id: int
    line_id: UUID
    tube_id: UUID | None
    rejected: bool


async def collect(uow: UnitOfWork, tube_id: UUID, place: str | None = None) -> TubeOut:
    """A specimen was taken; a second scan changes nothing. Raises TubeNotFound, TubeStateConflict, NotCheckedIn, ExamStateConflict."""
    exam, tube = await _held(uow, tube_id)
    if exam.state == "prepared":
        raise NotCheckedIn
    if tube.state == "planned" and exam.state == "on_hold":
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    if tube.state == "planned" and exam.state != "cancelled":
        await _collect(uow, exam, tube, place, by_name=None)
    elif tube.state not in DRAWN:
        raise TubeStateConflict("试管当前为「{current}」", "The tube is {current}", current=tube.state)
    return (await describe(uow, exam.id, [tube]))[0]


async def reject(uow: UnitOfWork, tube_id: UUID, reason: RejectReason, text: str | None = None) -> TubeRejectedOut:
    """A specimen is refused: what waits for its result is taken again in another tube, under another barcode, and asked for again.

    A tube that nobody scanned is there where the laboratory reported of it and took everything back. What has results keeps them; where they are struck afterwards, it is refused once more, and drawn with the rest. Twice for one
    reason is once. Raises TubeNotFound, TubeStateConflict, TubeHasResults, RejectionNotExplained.
    """
    if reason == "other" and not text:
        raise RejectionNotExplained(errors=[FieldError("/note", "required", "须填写说明", "a note is needed")])
    exam, tube = await _held(uow, tube_id)
    if tube.state == "planned" and await _reported_and_taken_back(uow, exam, tube):
        await _collect(uow, exam, tube, None, by_name=_LIS)
    if not await _reject(uow, exam, tube, reason, text, by_lis=False) and tube.reject_reason != reason:
        raise TubeStateConflict("试管已拒收", "The tube is rejected already")
    replacement = await repository.drawn_instead(uow, tube.id)
    assert replacement is not None
    shown = await describe(uow, exam.id, [tube, replacement])
    return TubeRejectedOut(tube=shown[0], replacement=shown[1])


async def reject_reported(uow: UnitOfWork, tube_id: UUID, reason: RejectReason, text: str | None) -> bool:
    """The laboratory refuses a specimen: it has it, whatever was scanned here. False: it was rejected before.

    Raises TubeNotFound, TubeStateConflict, TubeHasResults.
    """
    exam, tube = await _held(uow, tube_id)
    if tube.state == "planned" and exam.state not in ("prepared", "cancelled"):
        await _collect(uow, exam, tube, None, by_name=_LIS)
    return await _reject(uow, exam, tube, reason, text, by_lis=True)


async def give_back(uow: UnitOfWork, tube_id: UUID, text: str | None = None) -> TubeOut:
    """A tube that was sent out is back in the house, whether it was measured or not. Twice is once. Raises TubeNotFound, TubeNotSentOut."""
    exam, tube = await _held(uow, tube_id)
    sent = await repository.last_out_of(uow, tube.id)
    if sent is None or not (tube.state == "sent_out" or sent.back_how == "returned"):
        raise TubeNotSentOut
    if tube.state == "sent_out":
        tube.state = "received"
        sent.back_at, sent.back_how = uow.now, "returned"
        note(uow, tube, "returned", text=text, handover_id=sent.handover_id)
        await uow.audit("tube.returned", "tube", tube.id, campus_id=tube.campus_id)
    return (await describe(uow, exam.id, [tube]))[0]


async def tubes(uow: UnitOfWork, exam_id: UUID) -> list[TubeOut]:
    """Return the tubes of an exam. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    return await describe(uow, exam_id, await repository.tubes(uow, exam_id))


async def scanned(uow: UnitOfWork, code: str) -> TubeOut:
    """Return the tube of a barcode. Raises TubeNotFound."""
    tube = await repository.tube_by_barcode(uow, code)
    if tube is None:
        raise TubeNotFound
    return (await describe(uow, tube.exam_id, [tube]))[0]


async def tube_by_barcode(uow: UnitOfWork, code: str) -> TubeRef | None:
    """Return where a barcode leads, if anywhere one may see."""
    tube = await repository.tube_by_barcode(uow, code)
    if tube is None:
        return None
    serves = await repository.served(uow, [tube.id])
    live = tuple(row.exam_line_id for row in serves if row.rejected_at is None)
    rejected = tuple(row.exam_line_id for row in serves if row.rejected_at is not None)
    return TubeRef(tube.id, tube.exam_id, tube.campus_id, live, tube.state, rejected)


async def drawn_again(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether any specimen of an exam was rejected; asked under the exam's lock, so that the answer holds."""
    return await repository.any_replacement(uow, exam_id)


async def lines_by_placer(uow: UnitOfWork, placer_no: str) -> LineRef | None:
    """Return where a placer number leads, if anywhere one may see."""
    found = await repository.line_by_placer(uow, placer_no)
    if found is None:
        return None
    line, requisition, rejected = found
    return LineRef(requisition.exam_id, requisition.campus_id, line.exam_line_id, line.tube_id, rejected)


async def describe(uow: UnitOfWork, exam_id: UUID, rows: Sequence[Tube]) -> list[TubeOut]:
    """Return the public shape of tubes of one exam."""
    names = {line.id: exams.shown_name(uow, line) for line in await exams.lines(uow, exam_id)}
    of_tube: dict[UUID, list[UUID]] = {}
    for row in await repository.served(uow, [tube.id for tube in rows]):
        of_tube.setdefault(row.tube_id, []).append(row.exam_line_id)
    serves = await asked_under(uow, exam_id)
    return [
        TubeOut(
            id=tube.id, exam_id=tube.exam_id, barcode=tube.barcode, container=tube.container, specimen=tube.specimen,
            fasting=tube.fasting, section=tube.section, minutes_after=tube.minutes_after, send_out=tube.send_out, state=tube.state,
            groups=[names[i] for i in (of_tube if tube.state in ("cancelled", "rejected") else serves).get(tube.id, [])],
            collected_at=tube.collected_at, reject_reason=cast("RejectReason | None", tube.reject_reason), replaces_id=tube.replaces_id,
        )
        for tube in rows
    ]  # fmt: skip


async def _held(uow: UnitOfWork, tube_id: UUID) -> tuple[Exam, Tube]:
    """Return a tube as it is now, under its exam's lock. Raises TubeNotFound."""
    seen = await repository.tube(uow, tube_id)
    if seen is None:
        raise TubeNotFound
    exam = await exams.lock(uow, seen.exam_id)
    tube = await repository.tube(uow, tube_id)
    assert tube is not None
    return exam, tube


async def _reported_and_taken_back(uow: UnitOfWork, exam: Exam, tube: Tube) -> bool:
    """Say whether a line waits for a result of a tube as one that was drawn does, though nobody scanned the tube: the laboratory has it."""
    mine = (await asked_under(uow, exam.id)).get(tube.id, ())
    return any(line.id in mine and line.state == "collected" for line in await exams.lines(uow, exam.id))


async def _collect(uow: UnitOfWork, exam: Exam, tube: Tube, place: str | None, *, by_name: str | None) -> None:
    tube.state, tube.collected_at, tube.collected_by = "collected", uow.now, uow.principal.id
    note(uow, tube, "collected", place=place, by_name=by_name)
    lines = {line.id: line for line in await exams.lines(uow, exam.id)}
    served = (await asked_under(uow, exam.id)).get(tube.id, [])
    drawn = [line_id for line_id in served if lines[line_id].state in _UNCOLLECTED]
    await uow.session.flush()  # its states follow one another
    await exams.advance(uow, exam.id, dict.fromkeys(drawn, ("collected",)))
    await uow.audit("tube.collected", "tube", tube.id, campus_id=tube.campus_id)
    await uow.publish(TubeCollected(campus_id=tube.campus_id, exam_id=exam.id, tube_id=tube.id))


async def _reject(
    uow: UnitOfWork, exam: Exam, tube: Tube, reason: RejectReason, text: str | None, *, by_lis: bool
) -> bool:
    """Reject a specimen for whatever waits for its result; False: it was rejected before, and nothing waits."""
    if tube.state not in DRAWN and tube.state != "rejected":
        raise TubeStateConflict("试管当前为「{current}」", "The tube is {current}", current=tube.state)
    lines = {line.id: line for line in await exams.lines(uow, exam.id)}
    # A line that was taken back and came again may be asked for under another tube by now.
    mine = (await asked_under(uow, exam.id)).get(tube.id, ())
    rows = [
        row for row in await repository.served(uow, [tube.id]) if row.exam_line_id in mine and row.rejected_at is None
    ]
    serves = [row for row in rows if lines[row.exam_line_id].state == "collected"]
    if not serves:
        if tube.state == "rejected":
            return False
        names = "、".join(exams.shown_name(uow, lines[row.exam_line_id]) for row in rows)
        if not names:
            raise TubeHasResults
        raise TubeHasResults(
            "已有结果的项目:{names};全部结果撤回后方可拒收,只缺个别明细的可由检验科室注明无结果",
            "There are results of {names}; all of them are withdrawn first, and a single item that is missing is given up by the laboratory",
            names=names,
        )
    tube.state, tube.reject_reason = "rejected", reason
    for row in serves:
        row.rejected_at = uow.now
    note(uow, tube, "rejected", reason=reason, text=text, by_name=_LIS if by_lis else None)
    await _off_its_list(uow, tube)
    again: list[ExamLine] = [lines[row.exam_line_id] for row in serves]
    await exams.advance(uow, exam.id, {line.id: ("specimen_rejected",) for line in again})
    asked = await repository.asked(uow, [line.id for line in again])
    for ordered in asked:
        ordered.cancelled_at = uow.now
    await uow.session.flush()
    await take_back(uow, exam, asked, tell=not by_lis)
    replacement = await draw_again(uow, exam, tube, again)
    note(uow, replacement, "replaced", reason=reason, text=tube.barcode, by_name=_LIS if by_lis else None)
    await uow.audit("tube.rejected", "tube", tube.id, campus_id=tube.campus_id, detail={"reason": reason})
    told = {"exam_id": str(exam.id), "tube_id": str(tube.id), "replacement_id": str(replacement.id), "reason": reason}
    await uow.announce("specimen", told, campus_id=tube.campus_id, permission="requisition.read")
    await uow.publish(
        TubeRejected(campus_id=tube.campus_id, exam_id=exam.id, tube_id=tube.id, replacement_id=replacement.id)
    )
    return True


async def _off_its_list(uow: UnitOfWork, tube: Tube) -> None:
    """A rejected tube waits on no list: one that was handed over has arrived, in this way."""
    waiting = await repository.waiting_on(uow, tube.id)
    if waiting is not None:
        row, handover = waiting
        row.outcome = "removed" if handover.state == "open" else "rejected"
        row.outcome_by, row.outcome_at = uow.principal.id, uow.now
