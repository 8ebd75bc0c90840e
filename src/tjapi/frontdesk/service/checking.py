"""替检核验: whether who stands here is whose exam this is. Who finds somebody else stops the exam; a second person decides."""

from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.errors import ExamStateConflict
from tjapi.frontdesk import repository
from tjapi.frontdesk.errors import (
    IdentityCheckDecided,
    IdentityCheckInvalid,
    IdentityCheckNotFound,
    IdentityDecidedBySame,
    IdentityNotConfirmed,
)
from tjapi.frontdesk.models import IdentityCheck
from tjapi.frontdesk.rules import NEVER_CHECKED, STOPPED, found_another, score_fault
from tjapi.frontdesk.schemas import IdentityCheckIn, IdentityCheckOut, IdentityChecksOut, IdentityDecisionIn
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.errors import DepartmentNotOwn, SignerNotStaff

_OPEN = "identity_open"
_OTHER = "identity_other"
_HELD = "身份核验不符"
_FAULTS = {
    "missing": ("人脸比对须给出相似度和设备", "a comparison of faces gives a score and names its device"),
    "not_expected": ("只有人脸比对才有相似度和设备", "only a comparison of faces has a score and a device"),
}


async def check_identity(uow: UnitOfWork, exam_id: UUID, seen: IdentityCheckIn) -> IdentityCheckOut:
    """Write down an identity check; one that finds somebody else puts the exam on hold until a second person decides.

    Where the person has gone already it keeps the exam from being finalized, or its report from being given out. One that finds the
    right person lets go on what waits for them.

    Raises ExamNotFound, ExamStateConflict, IdentityCheckInvalid, DepartmentNotOwn.
    """
    exam = await exams.lock(uow, exam_id)
    if exam.state in NEVER_CHECKED:
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    await _refuse_invalid(uow, exam_id, seen)
    row = IdentityCheck(
        id=uuid7(), campus_id=exam.campus_id, exam_id=exam_id, department_id=seen.department_id, method=seen.method, score=seen.score,
        device=seen.device, outcome=seen.outcome, note=seen.note, checked_by=uow.principal.id, checked_by_name=uow.principal.name,
        checked_at=uow.now,
    )  # fmt: skip
    uow.session.add(row)
    detail = {
        "check_id": str(row.id), "method": row.method, "outcome": row.outcome, "score": row.score, "department_id": row.department_id,
    }  # fmt: skip
    await uow.audit("identity.checked", "exam", exam_id, campus_id=exam.campus_id, detail=detail)
    if row.outcome == "different":
        await exams.block(uow, exam_id, _OPEN, str(row.id))
        if exam.state in STOPPED:
            await exams.hold(uow, exam_id, _HELD)
        await exams.person_compared(uow, exam)
    elif row.outcome == "same":
        for earlier in await repository.identity_checks(uow, exam_id):
            if earlier.decision == "different":
                await exams.unblock(uow, exam_id, _OTHER, str(earlier.id))
    return _out(row)


async def decide_identity(uow: UnitOfWork, check_id: UUID, decided: IdentityDecisionIn) -> IdentityCheckOut:
    """Somebody else than who looked decides. The same person: the exam goes on from where it stood, unless another check waits yet.

    Somebody else: the exam stays on hold until a further check finds the right person; what was collected or examined until now is in doubt,
    line by line, and what was signed is opened again. Raises IdentityCheckNotFound, IdentityCheckDecided, IdentityDecidedBySame, SignerNotStaff.
    """
    if uow.principal.kind == "client":  # a device may look; it does not decide
        raise SignerNotStaff
    seen = await repository.identity_check(uow, check_id)
    if seen is None:
        raise IdentityCheckNotFound
    exam = await exams.lock(uow, seen.exam_id)
    row = await repository.identity_check(uow, check_id)
    if row is None or row.outcome != "different" or row.decision is not None:
        raise IdentityCheckDecided
    if row.checked_by == uow.principal.id:
        raise IdentityDecidedBySame
    row.decision, row.decision_reason = decided.decision, decided.reason
    row.decided_by, row.decided_by_name, row.decided_at = uow.principal.id, uow.principal.name, uow.now
    detail = {"check_id": str(row.id), "decision": row.decision}
    await uow.audit("identity.decided", "exam", row.exam_id, campus_id=row.campus_id, detail=detail)
    if row.decision == "different":
        rows = await repository.identity_checks(uow, exam.id)
        if found_another((one.outcome, one.decision) for one in rows):
            await exams.block(uow, row.exam_id, _OTHER, str(row.id))
        await exams.doubt(uow, row.exam_id, row.id)
    await exams.unblock(uow, row.exam_id, _OPEN, str(row.id))
    await exams.person_compared(uow, exam)
    waiting = any(
        o.outcome == "different" and o.decision is None for o in await repository.identity_checks(uow, exam.id)
    )
    if row.decision == "same" and not waiting and exam.state == "on_hold" and exam.hold_reason == _HELD:
        await exams.resume(uow, exam.id)
    return _out(row)


async def identity_checks(uow: UnitOfWork, exam_id: UUID) -> IdentityChecksOut:
    """Return the identity checks of an exam, newest first. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    return IdentityChecksOut(items=[_out(row) for row in await repository.identity_checks(uow, exam_id)])


async def refuse_somebody_else(uow: UnitOfWork, exam_id: UUID) -> None:
    """Refuse to check in whom an identity check found to be somebody else, until one finds the right person. Raises IdentityNotConfirmed."""
    rows = await repository.identity_checks(uow, exam_id)
    if found_another((row.outcome, row.decision) for row in rows):
        raise IdentityNotConfirmed


async def came_under_doubt(uow: UnitOfWork, exam_id: UUID) -> None:
    """Results came while somebody else was found in the person's place, and nobody has found the right one: they are in doubt as well."""
    check_id = await exams.blocked_by(uow, exam_id, _OTHER)
    if check_id is not None:
        await exams.doubt(uow, exam_id, UUID(check_id))


async def _refuse_invalid(uow: UnitOfWork, exam_id: UUID, seen: IdentityCheckIn) -> None:
    errors = []
    fault = score_fault(seen.method, seen.score, seen.device)
    if fault is not None:
        errors.append(FieldError("/score", fault, *_FAULTS[fault]))
    if seen.department_id is not None:
        if seen.department_id not in {line.department_id for line in await exams.lines(uow, exam_id)}:
            errors.append(
                FieldError(
                    "/department_id",
                    "not-of-exam",
                    "本次体检没有该科室的项目",
                    "nothing is examined there in this exam",
                )
            )
        elif uow.principal.departments is not None and seen.department_id not in uow.principal.departments:
            raise DepartmentNotOwn
    if errors:
        raise IdentityCheckInvalid(errors=errors)


def _out(row: IdentityCheck) -> IdentityCheckOut:
    return IdentityCheckOut.model_validate(row)
