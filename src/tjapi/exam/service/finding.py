"""Finding people and their past exams by what the desk scans or types; and whom a new exam is for."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.exam import repository, views
from tjapi.exam.errors import ExamineeNotNamed, ExamsOnOneDay
from tjapi.exam.rules import exam_no_read
from tjapi.exam.schemas import ExamIn, ExamLookup, ExamSummary, FoundPerson
from tjapi.examinee import service as examinees
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.examinee.rules import PhotoFile
from tjapi.examinee.schemas import ExamineeOut
from tjapi.kernel.problem import FieldError, PermissionMissing, Problem, naming
from tjapi.kernel.uow import UnitOfWork

_MEET, _SEE_PEOPLE = "examinee.write", "examinee.read"


async def whom(uow: UnitOfWork, new: ExamIn, photo: PhotoFile | None) -> examinees.Examinee:
    """Return whom an exam is for: somebody known, or the holder of a document. Raises ExamineeNotNamed, PermissionMissing, and what meeting raises."""
    if new.examinee_id is not None and new.id_card is None:
        with naming("/examinee_id"):
            return await examinees.kept(uow, new.examinee_id)
    if new.id_card is None or new.examinee_id is not None:
        raise ExamineeNotNamed(
            errors=[
                FieldError(pointer, "one_of", "受检者编号与证件信息只给一项", "give one of examinee_id and id_card")
                for pointer in ("/examinee_id", "/id_card")
            ]
        )
    # The house's own jobs hold no permissions; whoever signs in needs the right that meeting somebody needs elsewhere.
    if uow.principal.kind != "job" and not uow.principal.may(_MEET):
        raise PermissionMissing(_MEET)
    try:
        person, _ = await examinees.meet(uow, new.id_card, new.campus_id, photo=photo)
    except Problem as refusal:
        raise refusal.within("/id_card") from None
    return person


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Let exams follow a merge, and go back when it is undone. Raises ExamsOnOneDay: which of the two people came to is for the desk to say."""
    if isinstance(event, ExamineesMerged):
        clashes = await repository.open_on_one_day(uow, event.merged_id, event.survivor_id)
        if clashes:
            raise ExamsOnOneDay(
                errors=[
                    FieldError(
                        "/survivor_id", "exams-on-one-day", f"体检 {mine} 与 {theirs} 在同一天",
                        f"exams {mine} and {theirs} are on the same day",
                    )
                    for mine, theirs in clashes
                ]
            )  # fmt: skip
    await examinees.follow(uow, event, "exam", repository.repoint, repository.given_since)


async def past(uow: UnitOfWork, examinee_id: UUID, after: tuple[date, UUID] | None, size: int) -> Sequence[ExamSummary]:
    """Return a page of a person's exams, newest first, one too many, and leave a trace. Raises ExamineeNotFound."""
    examinee_id = (await examinees.get(uow, examinee_id)).id
    rows = await views.past_exams(uow, examinee_id, after, size)
    await uow.audit("exam.history_read", "examinee", examinee_id)
    return [ExamSummary.model_validate(row, from_attributes=True) for row in rows]


async def look_up(
    uow: UnitOfWork, sought: ExamLookup, after: UUID | None, *, of_barcode: UUID | None = None
) -> list[FoundPerson]:
    """Return whom a key may mean, with their newest exams; one person too many. Raises PermissionMissing, LookupKeyInvalid.

    `of_barcode` is the exam of the tube that has the key as its barcode. An exam that may not be seen finds nobody, as if there were none.
    """
    if uow.principal.kind != "job" and not uow.principal.may(_SEE_PEOPLE):
        raise PermissionMissing(_SEE_PEOPLE)
    number = exam_no_read(sought.key) if sought.by in ("any", "exam_no") else None
    exam = await repository.exam_by_no(uow, number) if number else None
    whose = None if number is None else [exam.examinee_id] if exam else []
    among = None
    if sought.employer_id is not None or sought.campaign_id is not None:
        among = await views.people_of_unit(uow, sought.employer_id, sought.campaign_id)
    tube = await repository.exam(uow, of_barcode) if of_barcode is not None else None
    people = await examinees.look_up(
        uow, sought.key, sought.by, after, sought.page_size, of_exam_no=whose,
        of_barcode=[] if tube is None else [tube.examinee_id], among=among,
    )  # fmt: skip
    exams = await views.past_exams_of(uow, [person.id for person in people], sought.exams_each)
    named = {one.examinee_id: one.id for one in (exam, tube) if one is not None}
    return [
        _found(examinees.shape(person), exams[person.id], sought.exams_each, named.get(person.id)) for person in people
    ]


def _found(person: ExamineeOut, rows: Sequence[Any], size: int, named: UUID | None) -> FoundPerson:
    exams = [ExamSummary.model_validate(row, from_attributes=True) for row in rows[:size]]
    return FoundPerson(examinee=person, exams=exams, more_exams=len(rows) > size, named_exam_id=named)
