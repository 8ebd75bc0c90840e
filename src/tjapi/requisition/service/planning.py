"""Which tubes and orders the lines of an exam need: planned with their release, taken back with them, drawn again after a rejection."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import ItemGroup
from tjapi.exam import service as exams
from tjapi.exam.models import Exam, ExamLine
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import repository
from tjapi.requisition.events import RequisitionCancelled, RequisitionLinesCancelled, RequisitionPlanned
from tjapi.requisition.models import Requisition, RequisitionLine, Tube, TubeLine
from tjapi.requisition.rules import DRAWN, OPEN, REPORTED, OpenTube, PlannedLine, TubeKind, barcode, plan_tubes
from tjapi.requisition.service.custody import note


async def plan(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """Plan tubes and the order for released lines that the LIS carries out; lines already asked for are left alone.

    A tube that the laboratory has not received yet takes an add-on of its kind; where it was collected, so is the add-on.
    """
    exam = await exams.lock(uow, exam_id)
    named = set(line_ids)
    earlier = await repository.requisitions(uow, exam_id)
    asked = {row.exam_line_id for row in await repository.asked(uow, named)}
    lines = {
        line.id: line
        for line in await exams.lines(uow, exam_id)
        if line.id in named and line.performed_by == "lis" and line.id not in asked
    }
    if not lines:
        return
    groups = {group.id: group for group in await catalog.item_groups(uow, [x.item_group_id for x in lines.values()])}
    requisition, rows = _ask(uow, exam, len(earlier) + 1, lines.values())
    planned = [_planned(line, groups[line.item_group_id]) for line in lines.values()]
    served = await repository.tube_lines(uow, [tube.id for tube in await repository.tubes(uow, exam_id)])
    collected = []
    wanted = plan_tubes(planned, await _open_tubes(uow, exam_id))
    further = sum(one.tube_id is None for one in wanted)
    number = await repository.next_tube_numbers(uow, exam.campus_id, further) if further else 0
    for one in wanted:
        tube = await repository.tube(uow, one.tube_id) if one.tube_id else None
        if tube is None:
            tube, number = _new_tube(uow, requisition, one.kind, number), number + 1
        if tube.state in DRAWN:
            collected += [line.line_id for line in one.lines]
        for line in one.lines:
            rows[line.line_id].tube_id = tube.id
        uow.session.add_all(
            TubeLine(tube_id=tube.id, exam_line_id=line.line_id, campus_id=exam.campus_id)
            for line in one.lines
            if line.line_id not in served.get(tube.id, ())  # a line that comes back finds its old tube
        )
    await uow.session.flush()
    await exams.advance(uow, exam_id, dict.fromkeys(collected, ("collected",)))
    if exam.checked_in_at is not None and exam.state != "cancelled":
        await order(uow, exam_id)


async def plan_many(uow: UnitOfWork, released: Sequence[tuple[UUID, Iterable[UUID]]]) -> None:
    """Plan as `plan` does for many exams, each its id and lines: those for which nothing was asked yet, in few statements."""
    found = await exams.ordered(uow, [line_id for _, line_ids in released for line_id in line_ids])
    known = await repository.with_requisitions(uow, [exam.id for exam in found])
    new = [exam for exam in found if exam.state == "prepared" and exam.id not in known]
    await _plan_new(uow, new)
    alone = {exam.id for exam in found} - {exam.id for exam in new}
    for exam_id, line_ids in released:
        if exam_id in alone:
            await plan(uow, exam_id, line_ids)


async def _plan_new(uow: UnitOfWork, new: Sequence[exams.OrderedExam]) -> None:
    asked = [(exam, lines) for exam in new if (lines := [x for x in exam.lines if x.performed_by == "lis"])]
    ids = list({line.item_group_id for _, lines in asked for line in lines})
    groups = {group.id: group for group in await catalog.item_groups(uow, ids)}
    planned = [
        (exam, lines, plan_tubes([_planned(line, groups[line.item_group_id]) for line in lines])) for exam, lines in asked
    ]  # fmt: skip
    wanted = Counter[int]()
    for exam, _, tubes_ in planned:
        wanted[exam.campus_id] += len(tubes_)
    next_of = {campus_id: await repository.next_tube_numbers(uow, campus_id, wanted[campus_id]) for campus_id in sorted(wanted)}  # fmt: skip
    requisitions_, lines_, tubes_made, tube_lines = [], [], [], []
    for exam, lines, tubes_ in planned:
        of = {"campus_id": exam.campus_id}
        head = {**of, "id": uuid7(), "exam_id": exam.id, "placer_no": f"{exam.exam_no}-1", "state": "planned", "attempt": 0, "planned_at": uow.now}  # fmt: skip
        requisitions_.append(head)
        tube_of: dict[UUID, UUID] = {}
        for one in tubes_:
            number, next_of[exam.campus_id] = next_of[exam.campus_id], next_of[exam.campus_id] + 1
            tube = {**of, **_tube_values(one.kind), "id": uuid7(), "exam_id": exam.id, "requisition_id": head["id"], "barcode": barcode(exam.campus_id, number), "state": "planned", "planned_at": uow.now}  # fmt: skip
            tubes_made.append(tube)
            tube_lines += [{**of, "tube_id": tube["id"], "exam_line_id": line.line_id} for line in one.lines]
            tube_of |= dict.fromkeys((line.line_id for line in one.lines), tube["id"])
        lines_ += [
            {**of, "exam_line_id": line.id, "requisition_id": head["id"], "placer_no": f"{head['placer_no']}-{i:02d}", "tube_id": tube_of[line.id]}
            for i, line in enumerate(lines, 1)
        ]  # fmt: skip
    await repository.add_many(uow, requisitions_, lines_, tubes_made, tube_lines)


def _tube_values(kind: TubeKind) -> dict[str, Any]:
    return {
        "container": kind.container, "specimen": kind.specimen, "fasting": kind.fasting, "section": kind.section or None,
        "minutes_after": kind.minutes_after or None, "send_out": kind.send_out,
    }  # fmt: skip


async def draw_again(uow: UnitOfWork, exam: Exam, old: Tube, lines: Sequence[ExamLine]) -> Tube:
    """Plan another tube, under another barcode, for lines whose specimen was rejected, and ask for them again. The order goes out at once."""
    requisition, rows = _ask(uow, exam, len(await repository.requisitions(uow, exam.id)) + 1, lines)
    kind = TubeKind(old.container, old.specimen, old.section or "", old.fasting, old.minutes_after or 0, old.send_out)
    tube = _new_tube(uow, requisition, kind, await repository.next_tube_numbers(uow, exam.campus_id, 1))
    tube.replaces_id = old.id
    for line in lines:
        rows[line.id].tube_id = tube.id
        uow.session.add(TubeLine(tube_id=tube.id, exam_line_id=line.id, campus_id=exam.campus_id))
    await uow.session.flush()
    await order(uow, exam.id)
    return tube


def _ask(
    uow: UnitOfWork, exam: Exam, number: int, lines: Iterable[ExamLine]
) -> tuple[Requisition, dict[UUID, RequisitionLine]]:
    """Return a new order of lines, each under a number of its own, and its rows by line."""
    requisition = Requisition(
        id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, placer_no=f"{exam.exam_no}-{number}", state="planned", attempt=0,
        planned_at=uow.now,
    )  # fmt: skip
    rows = {
        line.id: RequisitionLine(
            exam_line_id=line.id, requisition_id=requisition.id, campus_id=exam.campus_id, placer_no=f"{requisition.placer_no}-{i:02d}",
        )
        for i, line in enumerate(lines, 1)
    }  # fmt: skip
    uow.session.add_all([requisition, *rows.values()])
    return requisition, rows


def _new_tube(uow: UnitOfWork, requisition: Requisition, kind: TubeKind, number: int) -> Tube:
    tube = Tube(
        id=uuid7(), campus_id=requisition.campus_id, exam_id=requisition.exam_id, requisition_id=requisition.id,
        barcode=barcode(requisition.campus_id, number), state="planned", planned_at=uow.now, **_tube_values(kind),
    )  # fmt: skip
    uow.session.add(tube)
    return tube


def _planned(line: ExamLine | exams.OrderedLine, group: ItemGroup) -> PlannedLine:
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
    serves = await asked_under(uow, exam_id)
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


async def asked_under(uow: UnitOfWork, exam_id: UUID) -> dict[UUID, list[UUID]]:
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


async def withdraw(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """Some lines are not asked for any more: tubes that serve nothing else are not drawn, and the LIS hears of it if it may have heard of them."""
    exam = await exams.lock(uow, exam_id)
    rows = await repository.asked(uow, set(line_ids))
    for row in rows:
        row.cancelled_at = uow.now
    await uow.session.flush()
    serves = await asked_under(uow, exam_id)
    for tube in await repository.tubes(uow, exam_id):
        if tube.state == "planned" and tube.id not in serves:
            tube.state = "cancelled"
            note(uow, tube, "cancelled")
    await take_back(uow, exam, rows)


async def take_back(uow: UnitOfWork, exam: Exam, rows: Sequence[RequisitionLine], *, tell: bool = True) -> None:
    """Drop orders that ask for nothing any more; the LIS hears of what it may have heard of, unless it said so itself."""
    for requisition_id in dict.fromkeys(row.requisition_id for row in rows):
        requisition = await repository.requisition(uow, requisition_id, lock=True)
        assert requisition is not None
        taken = tuple(row.placer_no for row in rows if row.requisition_id == requisition_id)
        if all(row.cancelled_at is not None for row in await repository.requisition_lines(uow, requisition_id)):
            requisition.state = "cancelled"
        if tell and exam.checked_in_at is not None:  # before, nothing is sent
            await uow.publish(
                RequisitionLinesCancelled(campus_id=exam.campus_id, requisition_id=requisition_id, placer_nos=taken)
            )


async def cancel_all(uow: UnitOfWork, exam_id: UUID) -> None:
    """Nothing more is asked for a cancelled exam: what may have reached the LIS is taken back there, the rest is dropped; no tube is drawn."""
    exam = await exams.get(uow, exam_id)
    for tube in await repository.tubes(uow, exam_id):
        if tube.state == "planned":
            tube.state = "cancelled"
            note(uow, tube, "cancelled")
    for requisition in await repository.requisitions(uow, exam_id):
        if requisition.state != "cancelled":
            requisition.state = "cancelled"
            if exam.checked_in_at is not None:  # before, nothing is sent
                await uow.publish(RequisitionCancelled(campus_id=exam.campus_id, requisition_id=requisition.id))
