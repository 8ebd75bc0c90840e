"""回收指引单: the guide sheet comes back, and whatever is open is decided on; until the final sign-off it may go out again."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.exam.errors import DueDateNotAhead, LineNotThere, LineStateConflict
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import FOR_THE_PERSON, refundable
from tjapi.guidance import repository
from tjapi.guidance.errors import DueDateMissing, GuideSheetNotReturned, GuideSheetUndecided
from tjapi.guidance.models import SheetPolicy, SheetReturn
from tjapi.guidance.rules import Decision, SheetPolicyMode
from tjapi.guidance.schemas import (
    DecisionIn,
    OpenLineOut,
    ReturnIn,
    SheetPolicyIn,
    SheetPolicyOut,
    SheetReturnOut,
)
from tjapi.guidance.service.queueing import leave
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, naming
from tjapi.kernel.uow import UnitOfWork

_REASON = "交回指引单时未检"
_ALONE = ("refused", "waived")
_How = tuple[Decision, str, str | None, date | None]


async def policies(uow: UnitOfWork, campus_id: int | None) -> list[SheetPolicyOut]:
    """Return the policies that may be seen."""
    return [
        SheetPolicyOut.model_validate(row, from_attributes=True) for row in await repository.policies(uow, campus_id)
    ]


async def put_policy(uow: UnitOfWork, given: SheetPolicyIn) -> SheetPolicyOut:
    """Say what becomes of open lines in a campus, or for one package of it. Raises CampusNotHeld, ExamPackageNotFound."""
    identity.refuse_foreign_campus(uow, given.campus_id)
    if given.package_id is not None:
        with naming("/package_id"):
            await catalog.package(uow, given.package_id)
    there = await repository.policies(uow, given.campus_id)
    policy = next((row for row in there if row.package_id == given.package_id), None)
    if policy is None:
        policy = SheetPolicy(id=uuid7(), campus_id=given.campus_id, package_id=given.package_id)
        uow.session.add(policy)
    policy.mode, policy.reason = given.mode, given.reason
    await uow.session.flush()
    await uow.audit(
        "sheet_policy.changed", "sheet_policy", policy.id, campus_id=policy.campus_id, detail={"mode": given.mode}
    )
    return SheetPolicyOut.model_validate(policy, from_attributes=True)


async def look(uow: UnitOfWork, exam_id: UUID) -> SheetReturnOut:
    """Say what is open, and what returning the guide sheet now would do. Raises ExamNotFound."""
    return await _out(uow, await exams.get(uow, exam_id))


async def return_sheet(uow: UnitOfWork, exam_id: UUID, given: ReturnIn) -> SheetReturnOut:
    """Take a guide sheet back. Lines without a decision are refused where the policy says so; else each must be decided on.

    Coming back twice is coming back once. Raises ExamNotFound, ExamStateConflict, LineNotThere, LineStateConflict, DueDateMissing,
    DueDateNotAhead, GuideSheetUndecided.
    """
    exam = await exams.lock(uow, exam_id)
    open_lines = await _open_lines(uow, exam)
    decided = await _decide(uow, exam, open_lines, given.decisions)
    for (decision, reason, signature, due_on), line_ids in decided.items():
        await exams.set_aside(uow, exam_id, line_ids, decision, reason=reason, signature=signature, due_on=due_on)
    exam = await exams.sheet_returned(uow, exam_id)
    touched = [line_id for line_ids in decided.values() for line_id in line_ids]
    standing = await repository.standing_return(uow, exam_id)
    if standing is None:
        standing = SheetReturn(
            id=uuid7(),
            campus_id=exam.campus_id,
            exam_id=exam_id,
            line_ids=touched,
            returned_by=uow.principal.id,
            returned_at=uow.now,
        )
        uow.session.add(standing)
    elif touched:
        standing.line_ids = [*standing.line_ids, *touched]
    await leave(uow, exam_id)
    await uow.session.flush()
    return await _out(uow, exam)


async def give_back(uow: UnitOfWork, exam_id: UUID, reason: str) -> SheetReturnOut:
    """Undo the return: what was decided on then is open again. Raises ExamNotFound, ExamStateConflict, GuideSheetNotReturned."""
    exam = await exams.lock(uow, exam_id)
    standing = await repository.standing_return(uow, exam_id)
    if standing is None:
        raise GuideSheetNotReturned
    standing.undone_by, standing.undone_at, standing.undone_reason = uow.principal.id, uow.now, reason
    await uow.session.flush()
    if exam.sheet_returned_at is not None:
        exam = await exams.sheet_given_back(uow, exam_id)
    still = {
        line.id: line
        for line in await exams.lines(uow, exam_id)
        if line.id in standing.line_ids and line.state in ("refused", "waived", "deferred")
    }
    # What does not suit the person any more stays aside: it comes back by a command of its own, if somebody says that it stands.
    wrong = await exams.misfits_of(uow, exam, still.values())
    again = [line_id for line_id in standing.line_ids if line_id in still and line_id not in wrong]
    if again:
        exam = await exams.reinstate(uow, exam_id, again, reason=reason)
    await uow.session.flush()
    return await _out(uow, exam)


async def forget(uow: UnitOfWork, exam_id: UUID, line_ids: Collection[UUID]) -> None:
    """Something else was decided on lines: that was not when the sheet came back."""
    standing = await repository.standing_return(uow, exam_id)
    if standing is not None:
        standing.line_ids = [line_id for line_id in standing.line_ids if line_id not in line_ids]


async def _decide(
    uow: UnitOfWork, exam: Exam, open_lines: Sequence[ExamLine], given: Sequence[DecisionIn]
) -> dict[_How, list[UUID]]:
    """Return what becomes of each open line, or name every one on which nobody has decided."""
    known = {line.id: line for line in await exams.lines(uow, exam.id)}
    called = {line.id: exams.shown_name(uow, line) for line in known.values()}
    missing = [
        FieldError(f"/decisions/{i}/line_id", "not-found", "这次体检没有这个项目", "the exam has no such line")
        for i, one in enumerate(given)
        if one.line_id not in known
    ]
    if missing:
        raise LineNotThere(errors=missing)
    stuck = [
        FieldError(
            f"/decisions/{i}/line_id", f"line-{known[one.line_id].state}", *exams.said_state(uow, known[one.line_id])
        )
        for i, one in enumerate(given)
        if one.line_id not in {line.id for line in open_lines} and known[one.line_id].state != one.decision
    ]  # fmt: skip
    named = [one.line_id for one in given]
    stuck += [
        FieldError(f"/decisions/{i}/line_id", "twice", f"{called[line_id]}:重复", f"{called[line_id]}: named twice")
        for i, line_id in enumerate(named)
        if line_id in named[:i]
    ]
    if stuck:
        raise LineStateConflict(errors=stuck)
    undated = [
        FieldError(f"/decisions/{i}/due_on", "missing", "延期须注明日期", "is required where deferred")
        for i, one in enumerate(given)
        if one.decision == "deferred" and one.due_on is None
    ]
    if undated:
        raise DueDateMissing(errors=undated)
    early = [
        FieldError(f"/decisions/{i}/due_on", "not-ahead", "延期日期须晚于今天", "must lie after today")
        for i, one in enumerate(given)
        if one.decision == "deferred" and one.due_on is not None and one.due_on <= business_day(uow.now)
    ]
    if early:
        raise DueDateNotAhead(errors=early)
    policy = await _policy(uow, exam)
    told = {one.line_id: one for one in given}
    decided: dict[_How, list[UUID]] = defaultdict(list)
    undecided = []
    for one in given:
        if known[one.line_id].state != one.decision:  # said before, when the sheet came back the first time
            due_on = one.due_on if one.decision == "deferred" else None
            decided[one.decision, one.reason, one.signature, due_on].append(one.line_id)
    for line in open_lines:
        if line.id in told:
            continue
        if policy.mode == "refuse":
            decided["refused", policy.reason, None, None].append(line.id)
        else:
            undecided.append(
                FieldError(f"line:{line.id}", "undecided", f"{called[line.id]}:请决定", f"{called[line.id]}: decide")
            )
    if undecided:
        raise GuideSheetUndecided(errors=undecided)
    return decided


async def _policy(uow: UnitOfWork, exam: Exam) -> SheetPolicyIn:
    """Return the package's policy, else the campus's, else: ask."""
    rows = {row.package_id: row for row in await repository.policies(uow, exam.campus_id)}
    row = (rows.get(exam.package_id) if exam.package_id else None) or rows.get(None)
    mode: SheetPolicyMode = "refuse" if row is not None and row.mode == "refuse" else "ask"
    return SheetPolicyIn(
        campus_id=exam.campus_id,
        package_id=exam.package_id,
        mode=mode,
        reason=row.reason if row is not None else _REASON,
    )


async def _open_lines(uow: UnitOfWork, exam: Exam) -> list[ExamLine]:
    return [line for line in await exams.lines(uow, exam.id) if line.state in FOR_THE_PERSON]


async def _out(uow: UnitOfWork, exam: Exam) -> SheetReturnOut:
    policy = await _policy(uow, exam)
    standing = await repository.standing_return(uow, exam.id)
    touched = set(standing.line_ids) if standing is not None else set()
    lines = await exams.lines(uow, exam.id)
    open_lines = [
        OpenLineOut(
            line_id=line.id, name=exams.shown_name(uow, line), department_id=line.department_id, state=line.state,
            proposed="refused" if policy.mode == "refuse" else None, refund_fen=line.paid_fen,
        )
        for line in lines
        if line.state in FOR_THE_PERSON
    ]  # fmt: skip
    refund = sum(refundable(line) for line in lines if line.id in touched and line.state in _ALONE)
    now = await exams.completeness(uow, exam.id)
    return SheetReturnOut(
        exam_id=exam.id, state=now.state, mode=policy.mode, returned_at=exam.sheet_returned_at, open_lines=open_lines,
        decided_line_ids=sorted(touched, key=str), refund_fen=refund, outstanding=now.outstanding,
    )  # fmt: skip
