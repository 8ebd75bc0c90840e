"""The course of an exam. Every path that moves a line or an exam goes through `step` and `move`: one guard for all."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.employer import service as employers
from tjapi.employer.service import Member
from tjapi.exam import repository, views
from tjapi.exam.errors import (
    CampusNotHeld,
    ExamHeldUntilDecided,
    ExamNotComplete,
    ExamNotFound,
    ExamStateConflict,
    LineStateConflict,
    PackageNotForSex,
)
from tjapi.exam.events import (
    ExamCancelled,
    ExamCheckedIn,
    ExamFinalized,
    ExamHeld,
    ExamReadyForReview,
    ExamRegistered,
    LinesReleased,
)
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import (
    EXAM_MOVES,
    GONE,
    LINE_MOVES,
    ON_REPORT,
    OPEN_FOR_LINES,
    UNDONE,
    Marks,
    age_on,
    exam_no,
    marks,
    may_move,
)
from tjapi.exam.schemas import CompletenessOut, ExamIn, ExamOut, ExamSummary, LineOut, Outstanding
from tjapi.exam.service.finding import whom
from tjapi.exam.service.registering import age_at, exam_values, is_free, line_values, refuse_empty, told
from tjapi.examinee import service as examinees
from tjapi.examinee.rules import PhotoFile
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.db import Built, Look
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing

_WAITS = {
    "ordered": ("等待放行(交费)", "waiting for release (payment)"),
    "released": ("等待采集或检查", "waiting for the specimen or the examination"),
    "sent": ("已申请,等待采集或检查", "requested, waiting for the specimen or the examination"),
    "collected": ("已采集,等待结果", "specimen collected, waiting for results"),
    "started": ("检查中", "under examination"),
    "resulted": ("已有结果,等待审核", "results are in, waiting to be verified"),
    "specimen_rejected": ("标本被拒,需重新采集", "specimen rejected, to be collected again"),
    "deferred": ("延期", "deferred"),
}
_BLOCKS = {
    "critical_open": ("危急值未确认", "a critical value that nobody has seen to"),
    "summary_unsigned": ("科室小结未签名", "the department's summary is not signed"),
    "identity_open": ("身份核验不符,待第二人裁定", "an identity check failed, and a second person has not decided yet"),
    "result_under_review": ("复核期间结果有变化", "a result changed under the review"),
}


_HOLDING = frozenset({"identity_open"})
"""Blocks until whose end nobody goes on with an exam on hold."""


async def register(
    uow: UnitOfWork,
    new: ExamIn,
    *,
    payment_required: bool = False,
    photo: PhotoFile | None = None,
    member: Member | None = None,
) -> Exam:
    """Prepare an exam: find or enter whom it is for, price its lines, number it, release what needs no payment.

    `photo` is that of the document, whose bytes are stored already. Of a `member` of a campaign the lines, prices and shares are those of the
    member's group, and `new` says whom and when only; what the employer pays in full waits for no payment; the caller binds the member to
    the exam. Raises CampusNotHeld, ExamineeNotFound, ExamEmpty, PackageNotForSex, ExamBeforeBirth, ExamineeNotNamed, what a quote raises,
    and with a document whatever meeting its holder raises.
    """
    campus = next(
        (c for c in await identity.campuses(uow) if c.id == new.campus_id and c.id in uow.principal.campuses), None
    )
    if campus is None:
        raise CampusNotHeld(errors=[FieldError("/campus_id", "not-found", "没有这个院区", "no such campus")])
    person = await whom(uow, new, photo)
    package = await catalog.package(uow, new.package_id) if new.package_id else None
    if package is not None and package.sex not in ("any", person.sex):
        raise PackageNotForSex(
            errors=[FieldError("/package_id", "wrong-sex", "套餐不适用于受检者性别", "not for the examinee's sex")]
        )
    day = new.exam_date or business_day(uow.now)
    years, _ = age_at(person, day)
    fits = pricing.Person(person.sex, years, new.pregnant)
    belongs = await employers.campaign(uow, member.campaign_id) if member is not None else None
    if member is not None:
        quote = await pricing.quote_member(uow, member, person=fits, on=day)
        package = quote.package
    else:
        quote = await pricing.quote(uow, new.package_id, new.item_group_ids, choices=new.choices, person=fits, on=day)
    refuse_empty(quote)
    exam = Exam(
        **exam_values(uow, person, day, quote, package), campus_id=campus.id, pregnant=new.pregnant,
        exam_no=exam_no(campus.code, day, await repository.next_number(uow, campus.id, day)),
        employer_id=belongs.employer_id if belongs else None, campaign_id=belongs.id if belongs else None, member_id=member.id if member else None,
    )  # fmt: skip
    uow.session.add(exam)
    await uow.session.flush()
    # Nobody else sees a row that was not there before: it needs no lock to be ours.
    _held(uow)[exam.id] = _Held(exam, [], set())
    drafted = draft_lines(uow, exam, quote)
    await add(uow, exam, drafted)
    await uow.audit("exam.registered", "exam", exam.id, campus_id=campus.id)
    await uow.publish(ExamRegistered(campus_id=campus.id, exam_id=exam.id))
    free = [line.id for line in drafted if is_free(line.person_share_fen, payment_required=payment_required)]
    if free:
        await release(uow, exam.id, free)
    else:
        await mark(uow, exam)
    return exam


def draft_lines(uow: UnitOfWork, exam: Exam, quote: pricing.Quote, first: int = 0) -> list[ExamLine]:
    """Return the lines of a quote, to be added to an exam; what they are called, cost and why is copied."""
    return [
        ExamLine(id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, state="ordered", state_at=uow.now, **values)
        for values in line_values(quote, first)
    ]


async def release(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """Let lines be carried out: called where no payment is required, or by billing once they are covered."""
    exam = await lock(uow, exam_id)
    released = []
    for line_id in line_ids:
        line = await line_of(uow, exam, line_id)
        if line.state == "ordered":
            step(uow, line, "released")
            released.append(line.id)
    if released:
        await uow.publish(LinesReleased(campus_id=exam.campus_id, exam_id=exam.id, line_ids=tuple(released)))
    await mark(uow, exam)


async def check_in(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The examinee is here. Raises ExamNotFound, ExamStateConflict, GuardianConsentMissing."""
    exam = await lock(uow, exam_id)
    if exam.state == "on_hold":  # which may go back to where it stood, by `resume` alone
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    await examinees.refuse_unconsented(uow, exam.examinee_id, exam.birth_date, "path:exam_id")
    move(exam, "checked_in")
    exam.checked_in_at = uow.now
    await uow.audit("exam.checked_in", "exam", exam.id, campus_id=exam.campus_id)
    await _announce(uow, exam)
    await uow.publish(ExamCheckedIn(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def reschedule(uow: UnitOfWork, exam_id: UUID, day: date) -> Exam:
    """Move an exam that has not begun to another day; the age is that of the new day. Raises ExamNotFound, ExamStateConflict."""
    exam = await lock(uow, exam_id)
    if exam.state != "prepared":
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    if exam.exam_date != day:
        was, exam.exam_date = exam.exam_date, day
        exam.age_years, exam.age_days = age_on(exam.birth_date, day)
        exam.version += 1
        detail = {"from": was.isoformat(), "to": day.isoformat()}
        await uow.audit("exam.rescheduled", "exam", exam.id, campus_id=exam.campus_id, detail=detail)
    return exam


async def cancel(uow: UnitOfWork, exam_id: UUID, reason: str) -> Exam:
    """Cancel an exam of which nothing was collected. Raises ExamNotFound, ExamStateConflict, LineStateConflict."""
    exam = await lock(uow, exam_id)
    move(exam, "cancelled")
    for line in await lines(uow, exam_id):
        if line.state in UNDONE:
            step(uow, line, "withdrawn")
    exam.cancelled_at, exam.cancel_reason = uow.now, reason
    await uow.audit("exam.cancelled", "exam", exam.id, campus_id=exam.campus_id)
    await uow.publish(ExamCancelled(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def hold(uow: UnitOfWork, exam_id: UUID, reason: str) -> Exam:
    """Stop an exam for the time being (禁检): results that are under way still come in. Raises ExamNotFound, ExamStateConflict."""
    exam = await lock(uow, exam_id)
    before = exam.state
    move(exam, "on_hold")
    exam.held_from, exam.hold_reason = before, reason
    await uow.audit("exam.held", "exam", exam.id, campus_id=exam.campus_id)
    await _announce(uow, exam)
    await uow.publish(ExamHeld(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def resume(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """Go on with an exam on hold, from where it stood. Raises ExamNotFound, ExamStateConflict, ExamHeldUntilDecided."""
    exam = await lock(uow, exam_id)
    if exam.state != "on_hold" or exam.held_from is None:
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    if any(block.code in _HOLDING for block in await repository.blocks(uow, exam_id)):
        raise ExamHeldUntilDecided
    move(exam, exam.held_from)
    exam.held_from = exam.hold_reason = None
    await uow.audit("exam.resumed", "exam", exam.id, campus_id=exam.campus_id)
    await _announce(uow, exam)
    await settle(uow, exam)
    return exam


async def sheet_returned(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The guide sheet is back: nobody will walk to a room any more. Twice is once. Raises ExamNotFound, ExamStateConflict."""
    exam = await lock(uow, exam_id)
    if exam.sheet_returned_at is not None:
        return exam
    if exam.state == "checked_in":
        move(exam, "in_progress")
        await uow.session.flush()  # the database sees each step
    if exam.state == "in_progress":
        move(exam, "sheet_returned")
    elif exam.state not in ("ready_for_review", "in_review"):
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    exam.sheet_returned_at = uow.now
    await uow.audit("exam.sheet_returned", "exam", exam.id, campus_id=exam.campus_id)
    await _announce(uow, exam)
    await settle(uow, exam)
    return exam


async def sheet_given_back(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The guide sheet goes out again, until the final sign-off. Raises ExamNotFound, ExamStateConflict."""
    exam = await lock(uow, exam_id)
    if exam.sheet_returned_at is None or exam.state not in OPEN_FOR_LINES:
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    exam.sheet_returned_at = None
    if exam.state == "sheet_returned":
        move(exam, "in_progress")
    await uow.audit("exam.sheet_given_back", "exam", exam.id, campus_id=exam.campus_id)
    await settle(uow, exam)
    return exam


async def advance(uow: UnitOfWork, exam_id: UUID, ways: Mapping[UUID, Sequence[str]]) -> None:
    """Move lines, each its own way step by step, then say what is outstanding. Being there already is no error: messages come twice.

    Raises LineStateConflict.
    """
    exam = await lock(uow, exam_id)
    moved = False
    for round_ in range(max(map(len, ways.values()), default=0)):
        for line_id, way in ways.items():
            if round_ < len(way) and (line := await line_of(uow, exam, line_id)).state != way[round_]:
                step(uow, line, way[round_])
                moved = True
        # The database has the same guard: it must see each step, not the sum of two.
        await uow.session.flush()
    if moved:
        await settle(uow, exam)


async def block(uow: UnitOfWork, exam_id: UUID, code: str, source: str) -> None:
    """Say why an exam cannot be finalized. Codes have their sentences in this module; an unknown code is a bug."""
    if code not in _BLOCKS:
        raise ValueError(f"unknown block code {code}")
    exam = await lock(uow, exam_id)
    held = await _held_blocks(uow, exam)
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
    held = await _held_blocks(uow, exam)
    if (code, source) in held:
        await repository.remove_block(uow, exam_id=exam_id, code=code, source=source)
        held.remove((code, source))
        await settle(uow, exam)


async def begin_review(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """A reviewer took it. Raises ExamStateConflict, ExamNotComplete."""
    exam = await lock(uow, exam_id)
    if exam.state != "in_review":
        await _refuse_incomplete(uow, exam)
        move(exam, "in_review")
        await _announce(uow, exam)
    return exam


async def finalize(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The final sign-off was given. Raises ExamStateConflict, ExamNotComplete with every reason."""
    exam = await lock(uow, exam_id)
    await _refuse_incomplete(uow, exam)
    move(exam, "finalized")
    exam.finalized_at = uow.now
    await uow.audit("exam.finalized", "exam", exam.id, campus_id=exam.campus_id)
    await _announce(uow, exam)
    await uow.publish(ExamFinalized(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def completeness(uow: UnitOfWork, exam_id: UUID) -> CompletenessOut:
    """Say what is outstanding, where, and why. Raises ExamNotFound."""
    exam = await get(uow, exam_id)
    outstanding = await _outstanding(uow, exam)
    return CompletenessOut(exam_id=exam.id, state=exam.state, complete=not outstanding, outstanding=outstanding)


async def lock(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """Return an exam under its row lock: the first lock of every transaction that changes it. Raises ExamNotFound.

    Whoever holds the lock need not ask again: nobody else can have changed it, and what this unit changed is in the row it holds.
    """
    held = _held(uow)
    if exam_id not in held:
        exam = await repository.exam(uow, exam_id, lock=True)
        if exam is None:
            raise ExamNotFound
        held[exam_id] = _Held(exam)
    return held[exam_id].exam


async def lock_many(uow: UnitOfWork, exam_ids: Collection[UUID]) -> Sequence[Exam]:
    """Return exams under their row locks, taken in one order. Raises ExamNotFound when one may not be seen."""
    found = await repository.exams(uow, exam_ids, lock=True)
    if len(found) != len(exam_ids):
        raise ExamNotFound
    held = _held(uow)
    for exam in found:
        held.setdefault(exam.id, _Held(exam))
    return found


@dataclass(slots=True)
class _Held:
    """What a unit knows of an exam that it holds the lock of: read once, for nobody else can change it before the unit ends."""

    exam: Exam
    lines: list[ExamLine] | None = None
    blocks: set[tuple[str, str]] | None = None


def _held(uow: UnitOfWork) -> dict[UUID, _Held]:
    held: dict[UUID, _Held] = uow.session.info.setdefault("locked exams", {})
    return held


async def _held_blocks(uow: UnitOfWork, exam: Exam) -> set[tuple[str, str]]:
    """Return why a locked exam cannot be finalized; whoever changes the rows changes this set."""
    held = _held(uow)[exam.id]
    if held.blocks is None:
        held.blocks = {(b.code, b.source) for b in await repository.blocks(uow, exam.id)}
    return held.blocks


async def get(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """Return an exam. Raises ExamNotFound."""
    held = _held(uow).get(exam_id)
    exam = held.exam if held is not None else await repository.exam(uow, exam_id)
    if exam is None:
        raise ExamNotFound
    return exam


async def find_by_no(uow: UnitOfWork, number: str) -> Exam | None:
    """Return the exam of a number, if it may be seen."""
    return await repository.exam_by_no(uow, number)


async def lines(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamLine]:
    """Return the lines of an exam in printing order: of a locked one as this unit leaves them."""
    held = _held(uow).get(exam_id)
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
    _held(uow)[exam.id].lines = sorted([*held, *further], key=lambda line: (line.sort, line.code))


async def live_lines(uow: UnitOfWork, exam_id: UUID) -> Sequence[ExamLine]:
    """Return the lines that are part of an exam, as they are now."""
    return [line for line in await repository.lines(uow, exam_id, fresh=True) if line.state not in GONE]


async def page(
    uow: UnitOfWork, *, campus_id: int | None, day: date | None, state: str | None, exam_no: str | None,
    examinee_id: UUID | None, after: list[str] | None, size: int,
) -> Sequence[Exam]:  # fmt: skip
    """Return a page of exams, newest first, one too many."""
    return await repository.page(
        uow, campus_id=campus_id, day=day, state=state, exam_no=exam_no, examinee_id=examinee_id, after=after, size=size
    )


async def show_report(uow: UnitOfWork, exam_id: UUID, version: int | None) -> None:
    """Note which version of the report its owner may see now: for lists that show it. Raises ExamNotFound."""
    exam = await lock(uow, exam_id)
    exam.report_version = version


async def describe(uow: UnitOfWork, exam_id: UUID) -> ExamOut:
    """Return an exam with its lines. Raises ExamNotFound."""
    exam = await get(uow, exam_id)
    rows = await lines(uow, exam_id)
    return ExamOut(
        **summary(exam).model_dump(), version=exam.version, hold_reason=exam.hold_reason, birth_date=exam.birth_date,
        lines=[LineOut.model_validate(row, from_attributes=True) for row in rows],
    )  # fmt: skip


async def passed(look: Look, exam_id: UUID) -> Built:
    """Return the JSON of an exam with its lines, in one statement. Raises ExamNotFound."""
    found = await views.one(look, exam_id)
    if found is None:
        raise ExamNotFound
    return found


def summary(exam: Exam) -> ExamSummary:
    """Return the public shape of an exam in a list."""
    return ExamSummary.model_validate(exam, from_attributes=True)


async def line_of(uow: UnitOfWork, exam: Exam, line_id: UUID) -> ExamLine:
    """Return a line of a locked exam. Raises LineStateConflict."""
    line = next((line for line in await lines(uow, exam.id) if line.id == line_id), None)
    if line is None:
        raise LineStateConflict("项目不属于这次体检", "The line does not belong to this exam")
    return line


def step(uow: UnitOfWork, line: ExamLine, to: str) -> None:
    """Move a line: the one guard of every path. Raises LineStateConflict."""
    if not may_move(LINE_MOVES, line.state, to):
        raise LineStateConflict(
            "{name}:不能从 {current} 到 {to}",
            "{name}: not from {current} to {to}",
            name=line.name,
            current=line.state,
            to=to,
        )
    line.state, line.state_at = to, uow.now


async def _announce(uow: UnitOfWork, exam: Exam) -> None:
    now = Marks(exam.awaits_payment, exam.blood_drawn, exam.examined)
    news = told(exam.id, exam.state, exam.exam_date, now)
    await uow.announce("exam", news, campus_id=exam.campus_id, permission="exam.read")


def move(exam: Exam, to: str) -> None:
    """Move an exam: the one guard of every path. Raises ExamStateConflict."""
    if not may_move(EXAM_MOVES, exam.state, to):
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    exam.state = to
    exam.version += 1


async def _outstanding(uow: UnitOfWork, exam: Exam) -> list[Outstanding]:
    undone = [
        (line.id, line.name, line.state, line.department_id)
        for line in await lines(uow, exam.id)
        if line.state in UNDONE
    ]
    if exam.id in _held(uow):
        return _said(undone, sorted(await _held_blocks(uow, exam)))
    return _said(undone, [(b.code, b.source) for b in await repository.blocks(uow, exam.id)])


def outstanding(undone: str, blocks: str) -> list[Outstanding]:
    """Say what keeps an exam from being finalized, of the two columns of `views.OUTSTANDING`."""
    lines = [(UUID(line_id), name, state, department) for line_id, name, state, department in json.loads(undone)]
    return _said(lines, json.loads(blocks))


def _said(undone: Iterable[tuple[UUID, str, str, int]], blocks: Iterable[Sequence[str]]) -> list[Outstanding]:
    found = [
        Outstanding(
            code=f"line_{state}", source=f"line:{line_id}", department_id=department_id,
            zh=f"{name}:{_WAITS[state][0]}", en=f"{name}: {_WAITS[state][1]}",
        )
        for line_id, name, state, department_id in undone
    ]  # fmt: skip
    for code, source in blocks:
        kind, _, number = source.partition(":")
        department = int(number) if kind == "department" else None
        zh, en = _BLOCKS[code]
        found.append(Outstanding(code=code, source=source, department_id=department, zh=zh, en=en))
    return found


async def _refuse_incomplete(uow: UnitOfWork, exam: Exam) -> None:
    outstanding = await _outstanding(uow, exam)
    if outstanding:
        raise ExamNotComplete(errors=[FieldError(o.source, o.code, o.zh, o.en) for o in outstanding])


async def mark(uow: UnitOfWork, exam: Exam) -> None:
    """Bring the marks that the day's board counts in line with the lines, and tell the screens when one changed."""
    now = marks((line.state, line.price_fen, line.specimen) for line in await lines(uow, exam.id))
    if now != Marks(exam.awaits_payment, exam.blood_drawn, exam.examined):
        exam.awaits_payment, exam.blood_drawn, exam.examined = now.awaits_payment, now.blood_drawn, now.examined
        await _announce(uow, exam)


async def settle(uow: UnitOfWork, exam: Exam) -> None:
    """Bring the exam's state in line with what is outstanding now."""
    await mark(uow, exam)
    if exam.state == "checked_in":
        states = {line.state for line in await lines(uow, exam.id)}
        if states & {"collected", "started", "resulted", "verified"} or (states & ON_REPORT and not states & UNDONE):
            move(exam, "in_progress")
            await uow.session.flush()  # the database sees each step
    if exam.state not in ("in_progress", "sheet_returned", "ready_for_review", "in_review"):
        return
    outstanding = await _outstanding(uow, exam)
    if exam.state in ("in_progress", "sheet_returned") and not outstanding:
        move(exam, "ready_for_review")
        exam.ready_at = uow.now
        await _announce(uow, exam)
        await uow.publish(ExamReadyForReview(campus_id=exam.campus_id, exam_id=exam.id))
    elif exam.state in ("ready_for_review", "in_review") and outstanding:
        move(exam, "in_progress" if exam.sheet_returned_at is None else "sheet_returned")
