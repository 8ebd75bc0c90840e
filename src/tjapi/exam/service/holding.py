"""Exams under their lock: what a unit reads of one it holds, it reads once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from tjapi.exam import repository
from tjapi.exam.errors import (
    ExamNotFound,
    LineStateConflict,
)
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import (
    ENDED,
    GONE,
)
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing


@dataclass(slots=True)
class Held:
    """What a unit knows of an exam that it holds the lock of: read once, for nobody else can change it before the unit ends."""

    exam: Exam
    lines: list[ExamLine] | None = None
    blocks: set[tuple[str, str]] | None = None
    left_out: tuple[pricing.Contained, ...] = ()
    """What was asked for in this unit, and is examined by another group that is ordered."""


async def lock(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """Return an exam under its row lock: the first lock of every transaction that changes it. Raises ExamNotFound.

    Whoever holds the lock need not ask again: nobody else can have changed it, and what this unit changed is in the row it holds.
    """
    held = held_here(uow)
    if exam_id not in held:
        exam = await repository.exam(uow, exam_id, lock=True)
        if exam is None:
            raise ExamNotFound
        held[exam_id] = Held(exam)
    return held[exam_id].exam


async def lock_many(uow: UnitOfWork, exam_ids: Collection[UUID]) -> Sequence[Exam]:
    """Return exams under their row locks, taken in one order. Raises ExamNotFound when one may not be seen."""
    found = await repository.exams(uow, exam_ids, lock=True)
    if len(found) != len(exam_ids):
        raise ExamNotFound
    held = held_here(uow)
    for exam in found:
        held.setdefault(exam.id, Held(exam))
    return found


def held_here(uow: UnitOfWork) -> dict[UUID, Held]:
    """Return the exams whose locks a unit holds."""
    held: dict[UUID, Held] = uow.session.info.setdefault("locked exams", {})
    return held


async def held_blocks(uow: UnitOfWork, exam: Exam) -> set[tuple[str, str]]:
    """Return why a locked exam cannot be finalized; whoever changes the rows changes this set."""
    held = held_here(uow)[exam.id]
    if held.blocks is None:
        held.blocks = {(b.code, b.source) for b in await repository.blocks(uow, exam.id)}
    return held.blocks


async def get(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """Return an exam. Raises ExamNotFound."""
    held = held_here(uow).get(exam_id)
    exam = held.exam if held is not None else await repository.exam(uow, exam_id)
    if exam is None:
        raise ExamNotFound
    return exam


async def lines(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamLine]:
    """Return the lines of an exam in printing order: of a locked one as this unit leaves them."""
    held = held_here(uow).get(exam_id)
    if held is None:
        return await repository.lines(uow, exam_id)
    if held.lines is None:
        # What was read before the lock was taken may have changed until then.
        held.lines = list(await repository.lines(uow, exam_id, fresh=True))
    return held.lines


async def add(uow: UnitOfWork, exam: Exam, further: Sequence[ExamLine]) -> None:
    """Add lines to an exam whose lock is held."""
    held = await lines(uow, exam.id)
    uow.session.add_all(further)
    await uow.session.flush()
    held_here(uow)[exam.id].lines = sorted([*held, *further], key=lambda line: (line.sort, line.code))


def pin_edition(uow: UnitOfWork, exam_id: UUID, version_id: UUID) -> None:
    """Keep by which edition of the knowledge base an exam is judged: the first that it was, for good. Whoever only looks pins nothing."""
    held = held_here(uow).get(exam_id)
    if held is not None and held.exam.knowledge_version_id is None:
        held.exam.knowledge_version_id = version_id


async def pin_signed(uow: UnitOfWork, exam_id: UUID, version_id: UUID) -> bool:
    """Judge an open exam by a signed edition from now on, which an unsigned one was judging; say whether it is open. Raises ExamNotFound."""
    exam = await lock(uow, exam_id)
    if exam.state in ENDED:
        return False
    if exam.knowledge_version_id != version_id:
        exam.knowledge_version_id = version_id
        exam.version += 1
    return True


async def live_lines(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamLine]:
    """Return the lines that are part of an exam, as they are now."""
    return [line for line in await repository.lines(uow, exam_id, fresh=True) if line.state not in GONE]


async def line_of(uow: UnitOfWork, exam: Exam, line_id: UUID) -> ExamLine:
    """Return a line of a locked exam. Raises LineStateConflict."""
    line = next((line for line in await lines(uow, exam.id) if line.id == line_id), None)
    if line is None:
        raise LineStateConflict("项目不属于这次体检", "The line does not belong to this exam")
    return line
