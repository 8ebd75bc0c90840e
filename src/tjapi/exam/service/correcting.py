"""What an exam says of its person, corrected; and an exam that was finalized, opened again. Both by name, with right and reason."""

from datetime import date
from uuid import UUID

from tjapi.exam import repository
from tjapi.exam.errors import ExamBeforeBirth, ExamStateConflict
from tjapi.exam.events import ExamFactsCorrected, ExamPersonCompared, ExamReopened
from tjapi.exam.models import Exam, ExamFactsStep
from tjapi.exam.rules import ENDED, ORDERED_OUT, PREGNANT, TAKEN, age_on, hinted
from tjapi.exam.schemas import FactsIn
from tjapi.exam.service.holding import get, held_blocks, lines, lock
from tjapi.exam.service.standing import WHOSE, announce, block, move, refuse_incomplete, settle, unblock
from tjapi.exam.service.suiting import ask_pregnant, judge
from tjapi.examinee import service as examinees
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing.errors import PregnancyContradictsSex

_DIFFER = "facts_differ"
_OTHER = "身份核验认定为非本人"


async def correct_facts(uow: UnitOfWork, exam_id: UUID, given: FactsIn) -> Exam:
    """Correct sex, birth date or pregnancy as an exam has them: ranges, flags, what suits the person and all that is made of them follow in this transaction.

    What is finalized is opened again first. Raises ExamNotFound, ExamStateConflict, ExamBeforeBirth, PregnancyContradictsSex.
    """
    exam = await lock(uow, exam_id)
    if exam.state in ENDED:
        if exam.state == "finalized":
            raise ExamStateConflict(
                "体检当前为「{current}」:请先由主检医生撤销终审(重新打开),再更正",
                "The exam is {current}: a reviewer reopens it first, then it is corrected", current=exam.state,
            )  # fmt: skip
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    sex = given.sex or exam.sex
    birth = given.birth_date or exam.birth_date
    pregnant = given.pregnant if "pregnant" in given.model_fields_set else exam.pregnant
    spoken = given.pregnant is not None and exam.sex != "male"
    _check(exam, sex, birth, pregnant=pregnant)
    if (sex, birth, pregnant) != (exam.sex, exam.birth_date, exam.pregnant):
        exam.facts_version += 1
        uow.session.add(
            ExamFactsStep(
                exam_id=exam.id, version=exam.facts_version, campus_id=exam.campus_id, sex=exam.sex, birth_date=exam.birth_date,
                pregnant=exam.pregnant, reason=given.reason, by=uow.principal.id, by_name=uow.principal.name, at=uow.now,
            )
        )  # fmt: skip
        exam.sex, exam.birth_date, exam.pregnant = sex, birth, pregnant
        exam.age_years, exam.age_days = age_on(birth, exam.exam_date)
        exam.version += 1
        await uow.audit("exam.facts_corrected", "exam", exam.id, campus_id=exam.campus_id)
        if spoken:
            _settle_hints(exam)
        await judge(uow, exam)
        await uow.publish(ExamFactsCorrected(campus_id=exam.campus_id, exam_id=exam.id))
    elif spoken and hinted(PREGNANT, exam.hints, exam.hints_settled):
        _settle_hints(exam)
        exam.version += 1
        await uow.audit("exam.facts_confirmed", "exam", exam.id, campus_id=exam.campus_id)
        await judge(uow, exam)
    await ask_pregnant(uow, exam)
    # Whoever corrects or confirms has looked: what the file says may be what is wrong.
    await unblock(uow, exam.id, _DIFFER, "examinee")
    await announce(uow, exam)
    return exam


def _settle_hints(exam: Exam) -> None:
    """A person has said whether she is pregnant: what hinted at it until now is answered."""
    exam.hints_settled = sorted({*exam.hints_settled, *hinted(PREGNANT, exam.hints)})


def _check(exam: Exam, sex: str, birth: date, *, pregnant: bool | None) -> None:
    if birth > exam.exam_date:
        raise ExamBeforeBirth(
            errors=[FieldError("/birth_date", "before-birth", "晚于体检日期", "after the day of the exam")]
        )
    if pregnant and sex == "male":
        raise PregnancyContradictsSex(
            errors=[FieldError("/pregnant", "wrong-sex", "与性别矛盾", "contradicts the sex")]
        )


async def compare_facts(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Ask a person where exams say something else of their person than the file they belong to now.

    Those that are open, and of those that are finalized whichever changed hands: whoever reads what was signed of these is told.
    """
    moved = set(await examinees.followed(uow, event, "exam"))
    theirs = {one for who in (event.survivor_id, event.merged_id) for one in await repository.open_of(uow, who)}
    for exam_id in sorted(theirs | moved):
        exam = await lock(uow, exam_id)
        if exam.state == "cancelled":
            continue
        person = await examinees.get(uow, exam.examinee_id)
        differ = (person.sex, person.birth_date) != (exam.sex, exam.birth_date)
        await (block if differ else unblock)(uow, exam.id, _DIFFER, "examinee")
        await person_compared(uow, exam)


async def person_compared(uow: UnitOfWork, exam: Exam) -> None:
    """Tell of a finalized exam whether it is in doubt whose it is: whoever holds its report hears of it."""
    if exam.state == "finalized":
        codes = sorted(code for code, _ in await held_blocks(uow, exam) if code in WHOSE)
        why = WHOSE[codes[0]] if codes else None
        await uow.publish(ExamPersonCompared(campus_id=exam.campus_id, exam_id=exam.id, why=why))


async def doubt(uow: UnitOfWork, exam_id: UUID, check_id: UUID) -> None:
    """An identity check found somebody else: whatever was collected or examined until now may be that one's. What is signed is opened again.

    So may a tube that was printed and never scanned: its values come without a word of when it was drawn.

    Twice is once; of what comes later it is said again. Raises ExamNotFound.
    """
    exam = await lock(uow, exam_id)
    if exam.state == "finalized":
        await reopen(uow, exam_id, _OTHER)
    for line in await lines(uow, exam_id):
        unseen = line.performed_by == "lis" and line.state in ORDERED_OUT and exam.checked_in_at
        if line.state in TAKEN or unseen:
            line.doubted_by = check_id
    await settle(uow, exam)
    await announce(uow, exam)


async def refuse_unfit(uow: UnitOfWork, exam_id: UUID) -> None:
    """Raise ExamNotComplete with every reason for which a finalized exam would not be finalized today: nothing is given out of it."""
    await refuse_incomplete(uow, await lock(uow, exam_id))


async def reopen(uow: UnitOfWork, exam_id: UUID, reason: str) -> Exam:
    """Take the final sign-off back: the conclusion is a draft again, a published report is recalled by the same act.

    Raises ExamNotFound, ExamStateConflict.
    """
    exam = await lock(uow, exam_id)
    if exam.state != "finalized":
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    move(exam, "in_review")
    exam.finalized_at = None
    exam.ready_at = exam.ready_at or uow.now
    await uow.audit("exam.reopened", "exam", exam.id, campus_id=exam.campus_id)
    await uow.publish(ExamReopened(campus_id=exam.campus_id, exam_id=exam.id, reason=reason))
    await settle(uow, exam)
    await announce(uow, exam)
    return await get(uow, exam_id)
