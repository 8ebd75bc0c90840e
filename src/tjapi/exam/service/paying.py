"""What the person owes for lines, paid or not asked for: the one verb by which a line is covered, whoever took the money."""

from collections.abc import Sequence
from uuid import UUID

from tjapi.exam.errors import ExamStateConflict, LineCovered, LineNotThere, LineStateConflict
from tjapi.exam.models import Exam
from tjapi.exam.rules import UNCHARGED, Covering, covered_otherwise, covering, logged, owed
from tjapi.exam.service.course import release
from tjapi.exam.service.holding import lines, lock
from tjapi.exam.service.standing import mark, said_state, shown_name
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork


async def cover(
    uow: UnitOfWork, exam_id: UUID, line_ids: Sequence[UUID], how: Covering, *, reference: str | None = None, reason: str | None = None
) -> Exam:  # fmt: skip
    """Say that what the person owes for lines was paid, or is not asked for (免收); what waited for it may be carried out.

    Twice is once; what was covered in another way is refused, as no second number or reason would be kept.
    It may be said as long as something is owed, after the final sign-off too. Raises ExamNotFound, ExamStateConflict, LineNotThere,
    LineStateConflict, LineCovered.
    """
    exam = await lock(uow, exam_id)
    if exam.state == "cancelled":
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    known = {line.id: line for line in await lines(uow, exam.id)}
    if missing := [i for i, line_id in enumerate(line_ids) if line_id not in known]:
        raise LineNotThere(
            errors=[FieldError(f"/line_ids/{i}", "not-found", "这次体检没有这个项目", "the exam has no such line") for i in missing]
        )  # fmt: skip
    chosen = [known[line_id] for line_id in dict.fromkeys(line_ids)]
    stuck = [(i, known[line_id]) for i, line_id in enumerate(line_ids) if known[line_id].state in UNCHARGED]
    if stuck:
        raise LineStateConflict(
            errors=[FieldError(f"/line_ids/{i}", f"line-{line.state}", *said_state(uow, line)) for i, line in stuck]
        )
    said = covering(how, reference, reason)
    covered = [(i, known[line_id], covered_otherwise(known[line_id], said)) for i, line_id in enumerate(line_ids)]
    if any(already for _, _, already in covered):
        raise LineCovered(
            errors=[FieldError(f"/line_ids/{i}", f"line-{already}", *_covered(shown_name(uow, line), already)) for i, line, already in covered if already]
        )  # fmt: skip
    due = {line.id: owed(line) for line in chosen if owed(line) > 0}
    for line in chosen:
        if how == "paid":
            line.paid_fen += due.get(line.id, 0)
        else:
            line.remitted_fen += due.get(line.id, 0)
        if line.id in due:
            line.coverings = [*line.coverings, said]
    if due:
        codes = logged(line for line in chosen if line.id in due)
        detail = {"lines": codes, "fen": sum(due.values()), "reference": reference, "reason": reason}
        await uow.audit(f"exam.lines_{how}", "exam", exam.id, campus_id=exam.campus_id, detail=detail)
    waiting = [line.id for line in chosen if line.state == "ordered"]
    await release(uow, exam_id, waiting) if waiting else await mark(uow, exam)
    return exam


def _covered(name: str, how: Covering) -> tuple[str, str]:
    if how == "paid":
        return f"{name}:已登记交费,不再应付", f"{name}: was paid for already, nothing is owed"
    return f"{name}:已登记免收,不再应付", f"{name}: is not asked for, nothing is owed"
