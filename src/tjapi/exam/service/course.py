"""The course of an exam. Every path that moves a line or an exam goes through `step` and `move`: one guard for all."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.employer import service as employers
from tjapi.employer.service import Member
from tjapi.exam import repository, views
from tjapi.exam.errors import ExamHeldForPerson, ExamHeldUntilDecided, ExamNotFound, ExamStateConflict, PackageNotForSex
from tjapi.exam.events import (
    ExamCancelled,
    ExamCheckedIn,
    ExamFactsCorrected,
    ExamFinalized,
    ExamHeld,
    ExamRegistered,
    LinesReleased,
)
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import (
    GONE,
    OPEN_FOR_LINES,
    UNDONE,
    age_on,
    exam_no,
)
from tjapi.exam.schemas import ExamIn, ExamOrdered, ExamSummary, LineOut
from tjapi.exam.service.finding import whom
from tjapi.exam.service.holding import Held, add, get, held_here, line_of, lines, lock
from tjapi.exam.service.registering import (
    age_at,
    exam_values,
    is_free,
    line_values,
    refuse_doubtful,
    refuse_empty,
)
from tjapi.exam.service.standing import announce, mark, move, refuse_incomplete, settle, step
from tjapi.exam.service.suiting import judge, unsuitable
from tjapi.examinee import service as examinees
from tjapi.examinee.rules import PhotoFile
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.db import Built, Look
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, naming
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing


async def register(
    uow: UnitOfWork,
    new: ExamIn,
    *,
    payment_required: bool = False,
    photo: PhotoFile | None = None,
    member: Member | None = None,
    day_pointer: str = "/exam_date",
) -> Exam:
    """Prepare an exam: find or enter whom it is for, price its lines, number it, release what needs no payment.

    `photo` is that of the document, whose bytes are stored already. Of a `member` of a campaign the lines, prices and shares are those of the
    member's group, and `new` says whom and when only; what the employer pays in full waits for no payment; the caller binds the member to
    the exam. `day_pointer` is where the caller's request says the day. Raises CampusNotHeld, ExamineeNotFound, ExamEmpty, PackageNotForSex,
    ExamBeforeBirth, ExamDoubtful, ExamineeNotNamed,
    PregnancyContradictsSex, what a quote raises,
    and with a document whatever meeting its holder raises.
    """
    campus = await identity.held_campus(uow, new.campus_id)
    person = await whom(uow, new, photo)
    with naming("/package_id"):
        package = await catalog.package(uow, new.package_id) if new.package_id else None
    if package is not None and package.sex not in ("any", person.sex):
        raise PackageNotForSex(
            errors=[FieldError("/package_id", "wrong-sex", "套餐不适用于受检者性别", "not for the examinee's sex")]
        )
    day = new.exam_date or business_day(uow.now)
    years, _ = age_at(person, day)
    fits = pricing.Person(person.sex, years, new.pregnant)
    pricing.refuse_pregnant_man(fits)
    belongs = await employers.campaign(uow, member.campaign_id) if member is not None else None
    if member is not None:
        quote = await pricing.quote_member(uow, member, person=fits, on=day)
        package = quote.package
    else:
        quote = await pricing.quote(uow, new.package_id, new.item_group_ids, choices=new.choices, person=fits, on=day)
    refuse_empty(quote)
    await refuse_doubtful(uow, person.id, campus.id, day, new.despite, day_pointer)
    exam = Exam(
        **exam_values(uow, person, day, quote, package), campus_id=campus.id, pregnant=new.pregnant,
        exam_no=exam_no(campus.code, day, await repository.next_number(uow, campus.id, day)),
        employer_id=belongs.employer_id if belongs else None, campaign_id=belongs.id if belongs else None, member_id=member.id if member else None,
    )  # fmt: skip
    uow.session.add(exam)
    await uow.session.flush()
    # Nobody else sees a row that was not there before: it needs no lock to be ours.
    held_here(uow)[exam.id] = Held(exam, [], set(), quote.contained)
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
    """Let lines be carried out: called where no payment is required, or by billing once they are covered.

    What does not suit the person any more waits until somebody has decided, and what is private until its consent is recorded.
    """
    exam = await lock(uow, exam_id)
    released = []
    doubted = await unsuitable(uow, exam_id)
    for line_id in line_ids:
        line = await line_of(uow, exam, line_id)
        if line.state == "ordered" and line.id not in doubted and not (line.private and line.consented_at is None):
            step(uow, line, "released")
            released.append(line.id)
    if released:
        await uow.publish(LinesReleased(campus_id=exam.campus_id, exam_id=exam.id, line_ids=tuple(released)))
    await mark(uow, exam)


async def check_in(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The examinee is here. Raises ExamNotFound, ExamStateConflict, GuardianConsentMissing."""
    exam = await lock(uow, exam_id)
    if exam.state == "on_hold":  # which may go back to where it stood, by `resume` alone
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    await examinees.refuse_unconsented(uow, exam.examinee_id, exam.birth_date, "path:exam_id")
    move(exam, "checked_in")
    exam.checked_in_at = uow.now
    await uow.audit("exam.checked_in", "exam", exam.id, campus_id=exam.campus_id)
    await announce(uow, exam)
    await uow.publish(ExamCheckedIn(campus_id=exam.campus_id, exam_id=exam.id))
    await settle(uow, exam)  # whoever refused everything beforehand has nothing left to do
    return exam


async def reschedule(uow: UnitOfWork, exam_id: UUID, day: date) -> Exam:
    """Move an exam that has not begun to another day; the age is that of the new day. Raises ExamNotFound, ExamStateConflict, MemberOutgrown."""
    exam = await lock(uow, exam_id)
    if exam.state != "prepared":
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    if exam.exam_date != day:
        if exam.member_id is not None:
            await employers.refuse_outgrown(uow, exam.member_id, exam.exam_date, day)
        was, exam.exam_date = exam.exam_date, day
        exam.age_years, exam.age_days = age_on(exam.birth_date, day)
        exam.version += 1
        detail = {"from": was.isoformat(), "to": day.isoformat()}
        await uow.audit("exam.rescheduled", "exam", exam.id, campus_id=exam.campus_id, detail=detail)
        await judge(uow, exam)
        await uow.publish(ExamFactsCorrected(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def cancel(uow: UnitOfWork, exam_id: UUID, reason: str) -> Exam:
    """Cancel an exam of which nothing was collected. Raises ExamNotFound, ExamStateConflict, LineStateConflict."""
    exam = await lock(uow, exam_id)
    move(exam, "cancelled")
    rows = await lines(uow, exam_id)
    for line in rows:
        if line.state in UNDONE:
            step(uow, line, "withdrawn")
            line.due_on = None
    exam.total_fen = sum(line.price_fen for line in rows if line.state not in GONE)
    exam.cancelled_at, exam.cancel_reason = uow.now, reason
    await mark(uow, exam)
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
    await announce(uow, exam)
    await uow.publish(ExamHeld(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def resume(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """Go on with an exam on hold, from where it stood. Raises ExamNotFound, ExamStateConflict, ExamHeldUntilDecided, ExamHeldForPerson."""
    exam = await lock(uow, exam_id)
    if exam.state != "on_hold" or exam.held_from is None:
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    held = {block.code for block in await repository.blocks(uow, exam_id)}
    if "identity_open" in held:
        raise ExamHeldUntilDecided
    # Before check-in nobody was examined, and check-in itself asks for the right person.
    if "identity_other" in held and exam.held_from != "prepared":
        raise ExamHeldForPerson
    move(exam, exam.held_from)
    exam.held_from = exam.hold_reason = None
    await uow.audit("exam.resumed", "exam", exam.id, campus_id=exam.campus_id)
    await announce(uow, exam)
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
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    exam.sheet_returned_at = uow.now
    await uow.audit("exam.sheet_returned", "exam", exam.id, campus_id=exam.campus_id)
    await announce(uow, exam)
    await settle(uow, exam)
    return exam


async def sheet_given_back(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The guide sheet goes out again, until the final sign-off. Raises ExamNotFound, ExamStateConflict."""
    exam = await lock(uow, exam_id)
    if exam.sheet_returned_at is None or exam.state not in OPEN_FOR_LINES:
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
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


async def begin_review(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """A reviewer took it. Raises ExamStateConflict, ExamNotComplete."""
    exam = await lock(uow, exam_id)
    if exam.state != "in_review":
        await refuse_incomplete(uow, exam, for_review=True)
        move(exam, "in_review")
        await announce(uow, exam)
    return exam


async def finalize(uow: UnitOfWork, exam_id: UUID) -> Exam:
    """The final sign-off was given. Raises ExamStateConflict, ExamNotComplete with every reason."""
    exam = await lock(uow, exam_id)
    await refuse_incomplete(uow, exam)
    move(exam, "finalized")
    exam.finalized_at = uow.now
    await uow.audit("exam.finalized", "exam", exam.id, campus_id=exam.campus_id)
    await announce(uow, exam)
    await uow.publish(ExamFinalized(campus_id=exam.campus_id, exam_id=exam.id))
    return exam


async def find_by_no(uow: UnitOfWork, number: str) -> Exam | None:
    """Return the exam of a number, if it may be seen."""
    return await repository.exam_by_no(uow, number)


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


async def describe(uow: UnitOfWork, exam_id: UUID) -> ExamOrdered:
    """Return an exam with its lines, and what was asked for in this unit and is no line of its own. Raises ExamNotFound."""
    exam = await get(uow, exam_id)
    rows = await lines(uow, exam_id)
    held = held_here(uow).get(exam_id)
    return ExamOrdered(
        contained=pricing.shape_contained(held.left_out) if held else [],
        **summary(exam).model_dump(), version=exam.version, hold_reason=exam.hold_reason, birth_date=exam.birth_date, pregnant=exam.pregnant,
        lines=[
            LineOut.model_validate(row, from_attributes=True)
            for row in rows
            if not row.private or uow.principal.sees_private_line(row.department_id)
        ],
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
