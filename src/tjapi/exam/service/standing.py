"""Where an exam stands: the one guard of every step, what is outstanding and why, and the marks of the day's board."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from tjapi.exam import repository
from tjapi.exam.errors import (
    ExamNotComplete,
    ExamStateConflict,
    LineStateConflict,
)
from tjapi.exam.events import (
    ExamReadyForReview,
)
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import (
    DOUBTED,
    EXAM_MOVES,
    FOR_THE_PERSON,
    GONE,
    LINE_MOVES,
    ON_REPORT,
    OPEN_FOR_LINES,
    ORDERED_OUT,
    TAKEN,
    UNDONE,
    Marks,
    Standing,
    marks,
    may_move,
    standing,
)
from tjapi.exam.schemas import CompletenessOut, Outstanding
from tjapi.exam.service.holding import (
    get,
    held_blocks,
    held_here,
    lines,
    lock,
)
from tjapi.exam.service.registering import told
from tjapi.kernel.problem import FieldError, called
from tjapi.kernel.uow import UnitOfWork

_WAITS = {
    "ordered": ("等待放行(交费,或私密项目的本人同意)", "waiting for release (payment, or consent to a private item)"),
    "released": ("等待采集或检查", "waiting for the specimen or the examination"),
    "sent": ("已申请,等待采集或检查", "requested, waiting for the specimen or the examination"),
    "collected": ("已采集,等待结果", "specimen collected, waiting for results"),
    "started": ("检查中", "under examination"),
    "resulted": ("已有结果,等待审核", "results are in, waiting to be verified"),
    "specimen_rejected": ("标本被拒,需重新采集", "specimen rejected, to be collected again"),
    "deferred": ("延期", "deferred"),
}


_STANDING: dict[Standing, tuple[str, str]] = {
    "on_hold": ("体检已暂停", "the exam is on hold"),
    "cancelled": ("体检已取消", "the exam is cancelled"),
    "not_checked_in": ("尚未报到", "the examinee is not checked in"),
    "no_lines": ("没有任何项目", "no item group is left"),
}
_BLOCKS = {
    "line_unsuitable": (
        "项目已不适用于受检者(性别、年龄、孕情或性生活史),请退项,或由科室医生注明原因照做",
        "does not suit the person as is known now (sex, age, pregnancy, sexual history): withdraw it, or a doctor of the department says why it stands",
    ),
    "critical_open": ("危急值未通知", "a critical value of which nobody was told"),
    "summary_unsigned": ("科室小结未签名", "the department's summary is not signed"),
    "summary_stale": ("科室小结所依据的结果已变化", "what the department's summary rests on has changed"),
    "conclusion_stale": ("主检结论所依据的结果已变化", "what the conclusion rests on has changed"),
    "facts_differ": (
        "体检登记的性别或出生日期与受检者档案不一致",
        "sex or birth date of the exam differ from the examinee's file",
    ),
    "identity_open": ("身份核验不符,待第二人裁定", "an identity check failed, and a second person has not decided yet"),
    "identity_other": (
        "身份核验认定为非本人,须重新核验本人",
        "an identity check found somebody else, and none has found the right person since",
    ),
    DOUBTED: (
        "认定为非本人之前已采集或已有结果:请重新采集、检查,或由科室医生注明原因确认系本人所做",
        "was collected or has results from before somebody else was found: it is done anew, or a doctor of the department says why it is the person's",
    ),
    # That a result hints at it is not said here: it may be private.
    "pregnant_asked": (
        "须与本人核实「是否怀孕」,并在体检登记中更正(是或否);放射等孕期不宜的项目先不做",
        "ask her whether she is pregnant, and correct what the exam says of it (yes or no); until then nothing is done that is not for who is pregnant",
    ),
    "result_under_review": ("复核期间结果有变化", "a result changed under the review"),
    "result_unread": ("有结果未能读取,待人工核实", "a value could not be read, and nobody has looked at it yet"),
    "result_contested": ("有结果相互矛盾,待人工核实", "values contradict each other, and nobody has decided yet"),
    "result_undetermined": (
        "有结果未判定正常或异常,待人工判定",
        "a value is neither normal nor abnormal, and nobody has judged it yet",
    ),
    "result_implausible": (
        "有结果超出合理范围,待人工核实",
        "a value is hardly possible, and nobody has confirmed it yet",
    ),
}


WHOSE = {code: _BLOCKS[code][0] for code in ("facts_differ", "identity_open", "identity_other")}
"""Why it is in doubt whose an exam is, by the code of the block."""
UNSUITABLE = "line_unsuitable"
PREGNANT_ASKED = "pregnant_asked"
_UNSUITABLE_AND_THERE = (
    "项目已不适用于受检者(性别、年龄或孕情),标本已采集或已有结果,不能退项:请科室医生注明原因照做;性别等登记有误的,先更正登记",
    (
        "does not suit the person as the exam has them now (sex, age, pregnancy), and cannot be withdrawn, as it was collected or has results: a doctor of"
        " the department says why it stands; where the exam has the person wrong, that is corrected first"
    ),
)
_REVIEWERS = frozenset({"conclusion_stale"})
"""Reasons that the review itself clears: they keep nobody from reviewing, and everybody from finalizing."""


async def completeness(uow: UnitOfWork, exam_id: UUID) -> CompletenessOut:
    """Say what is outstanding, where, and why. Raises ExamNotFound."""
    exam = await get(uow, exam_id)
    outstanding = await _outstanding(uow, exam)
    return CompletenessOut(exam_id=exam.id, state=exam.state, complete=not outstanding, outstanding=outstanding)


async def block(uow: UnitOfWork, exam_id: UUID, code: str, source: str) -> None:
    """Say why an exam cannot be finalized. Codes have their sentences in this module; an unknown code is a bug."""
    if code not in _BLOCKS:
        raise ValueError(f"unknown block code {code}")
    exam = await lock(uow, exam_id)
    held = await held_blocks(uow, exam)
    if (code, source) not in held:
        await repository.add_block(uow, exam_id=exam_id, campus_id=exam.campus_id, code=code, source=source)
        held.add((code, source))
        await settle(uow, exam)


async def block_many(uow: UnitOfWork, blocks: Sequence[tuple[UUID, int, str, str]]) -> None:
    """Say why exams cannot be finalized, each its id, campus, code and source: of exams that have not begun, which nothing outstanding moves."""
    if any(code not in _BLOCKS for _, _, code, _ in blocks):
        raise ValueError("unknown block code")
    await repository.add_blocks(uow, blocks)


async def unblock(uow: UnitOfWork, exam_id: UUID, code: str, source: str) -> None:
    """Clear a reason; clearing what is not there is no error."""
    exam = await lock(uow, exam_id)
    held = await held_blocks(uow, exam)
    if (code, source) in held:
        await repository.remove_block(uow, exam_id=exam_id, code=code, source=source)
        held.remove((code, source))
        await settle(uow, exam)


async def blocked_by(uow: UnitOfWork, exam_id: UUID, code: str) -> str | None:
    """Return the source of a reason for which an exam cannot be finalized; None: there is no such reason. Raises ExamNotFound."""
    exam = await lock(uow, exam_id)
    return next((source for held, source in sorted(await held_blocks(uow, exam)) if held == code), None)


def said_state(uow: UnitOfWork, line: ExamLine) -> tuple[str, str]:
    """Return a sentence of how far a line is, to the caller."""
    (zh, en), name = called("line_state", line.state), shown_name(uow, line)
    return f"{name}:当前为「{zh}」", f"{name}: is {en}"


def step(uow: UnitOfWork, line: ExamLine, to: str) -> None:
    """Move a line: the one guard of every path. Raises LineStateConflict."""
    if not may_move(LINE_MOVES, line.state, to):
        raise LineStateConflict(
            "{name}:不能从「{current}」到「{to}」",
            "{name}: not from {current} to {to}",
            name=plain_name(line),
            current=line.state,
            to=to,
        )
    if to not in TAKEN or (line.state in ORDERED_OUT and to == "collected"):
        line.doubted_by = None  # what comes next is done anew, or is drawn before our eyes
    line.state, line.state_at = to, uow.now


def move(exam: Exam, to: str) -> None:
    """Move an exam: the one guard of every path. Raises ExamStateConflict."""
    if not may_move(EXAM_MOVES, exam.state, to):
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    exam.state = to
    exam.version += 1


async def announce(uow: UnitOfWork, exam: Exam) -> None:
    """Tell the screens how an exam stands."""
    now = Marks(exam.owed_fen, exam.refund_fen, exam.blood_drawn, exam.examined)
    news = told(exam.id, exam.state, exam.exam_date, now)
    await uow.announce("exam", news, campus_id=exam.campus_id, permission="exam.read")


async def _outstanding(uow: UnitOfWork, exam: Exam) -> list[Outstanding]:
    every = await lines(uow, exam.id)
    named = [(line.id, shown_name(uow, line), line.state, line.department_id) for line in every]
    stands = (exam.state, exam.hold_reason, any(line.state not in GONE for line in every))
    blocks = {(DOUBTED, f"line:{line.id}") for line in every if line.doubted_by is not None}
    if exam.id in held_here(uow):
        return _said(named, sorted(blocks | await held_blocks(uow, exam)), stands)
    return _said(named, sorted(blocks | {(b.code, b.source) for b in await repository.blocks(uow, exam.id)}), stands)


def shown_name(uow: UnitOfWork, line: ExamLine) -> str:
    """Return what a line is called to the caller: of what is private only whom the right allows sees what it is."""
    return line.name if uow.principal.sees_private_line(line.department_id) else plain_name(line)


def plain_name(line: ExamLine) -> str:
    """Return what a line is called to anybody: of what is private that it is."""
    return "私密项目" if line.private else line.name


def outstanding(named: str, blocks: str, stands: str) -> list[Outstanding]:
    """Say what keeps an exam from being finalized, of the three columns of `views.OUTSTANDING`."""
    lines = [(UUID(line_id), name, state, department) for line_id, name, state, department in json.loads(named)]
    state, reason, has_lines = json.loads(stands)
    return _said(lines, json.loads(blocks), (state, reason, has_lines))


def _said(
    named: Iterable[tuple[UUID, str, str, int]], blocks: Iterable[Sequence[str]], stands: tuple[str, str | None, bool]
) -> list[Outstanding]:
    """Say the reasons; `named` are the lines that are undone, and whichever others a block may name."""
    lines_ = {f"line:{line_id}": (name, state, department_id) for line_id, name, state, department_id in named}
    state, hold_reason, has_lines = stands
    found = []
    if (why := standing(state, has_lines=has_lines)) is not None:
        zh, en = _STANDING[why]
        if why == "on_hold" and hold_reason:
            zh, en = f"{zh}:{hold_reason}", f"{en}: {hold_reason}"
        found = [Outstanding(code=why, source="exam", department_id=None, zh=zh, en=en)]
    if state == "cancelled":
        return found
    found += [
        Outstanding(
            code=f"line_{state}", source=source, department_id=department_id,
            zh=f"{name}:{_WAITS[state][0]}", en=f"{name}: {_WAITS[state][1]}",
        )
        for source, (name, state, department_id) in lines_.items()
        if state in UNDONE
    ]  # fmt: skip
    for code, source in blocks:
        kind, _, number = source.partition(":")
        department = int(number) if kind == "department" else None
        zh, en = _BLOCKS[code]
        if source in lines_:
            name, state, department = lines_[source]
            if code == UNSUITABLE and "withdrawn" not in LINE_MOVES.get(state, ()):
                zh, en = _UNSUITABLE_AND_THERE
            zh, en = f"{name}:{zh}", f"{name}: {en}"
        found.append(Outstanding(code=code, source=source, department_id=department, zh=zh, en=en))
    return found


async def refuse_incomplete(uow: UnitOfWork, exam: Exam, *, for_review: bool = False) -> None:
    """Raise ExamNotComplete with every reason, if there is one; `for_review`: of those that a reviewer does not clear."""
    outstanding = await _outstanding(uow, exam)
    if for_review:
        outstanding = [one for one in outstanding if one.code not in _REVIEWERS]
    if outstanding:
        raise ExamNotComplete(errors=[FieldError(o.source, o.code, o.zh, o.en) for o in outstanding])


async def mark(uow: UnitOfWork, exam: Exam) -> None:
    """Bring the marks that the day's board counts in line with the lines, and tell the screens when one changed."""
    now = marks(await lines(uow, exam.id))
    was = Marks(exam.owed_fen, exam.refund_fen, exam.blood_drawn, exam.examined)
    if now != was:
        exam.owed_fen, exam.refund_fen, exam.awaits_payment = now.owed_fen, now.refund_fen, now.awaits_payment
        exam.blood_drawn, exam.examined = now.blood_drawn, now.examined
        await announce(uow, exam)


async def _is_wanted(uow: UnitOfWork, exam: Exam) -> bool:
    return any(line.state in FOR_THE_PERSON for line in await lines(uow, exam.id))


async def settle(uow: UnitOfWork, exam: Exam) -> None:
    """Bring the exam's state in line with what is outstanding now."""
    await mark(uow, exam)
    if exam.sheet_returned_at is not None and exam.state in OPEN_FOR_LINES and await _is_wanted(uow, exam):
        # The paper is needed again, however far the exam had come: for a further line, or for a specimen that is to be taken again.
        exam.sheet_returned_at = None
        if exam.state == "sheet_returned":
            move(exam, "in_progress")
    if exam.state == "checked_in":
        states = {line.state for line in await lines(uow, exam.id)}
        if states & {"collected", "started", "resulted", "verified"} or (states & ON_REPORT and not states & UNDONE):
            move(exam, "in_progress")
            await uow.session.flush()  # the database sees each step
    if exam.state not in ("in_progress", "sheet_returned", "ready_for_review", "in_review"):
        return
    outstanding = [one for one in await _outstanding(uow, exam) if one.code not in _REVIEWERS]
    here = any(line.state not in GONE for line in await lines(uow, exam.id))
    if exam.state in ("in_progress", "sheet_returned") and here and not outstanding:
        move(exam, "ready_for_review")
        exam.ready_at = uow.now
        await announce(uow, exam)
        await uow.publish(ExamReadyForReview(campus_id=exam.campus_id, exam_id=exam.id))
    elif exam.state in ("ready_for_review", "in_review") and outstanding:
        move(exam, "in_progress" if exam.sheet_returned_at is None else "sheet_returned")
