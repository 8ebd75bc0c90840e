"""Past exams of another system's archive, in bulk: a hospital that changes its system brings its years along.

An import is one transaction of three contexts, for some dozens of exams at a time: `import_past` here enters the exams, results and
conclusions bring what belongs to them, and `close_past` finalizes them. Until then nobody else sees them, afterwards nothing tells them
from an exam that took place here but `archive` and `archive_no`. What happened then is dated then, ids included; who entered it is the
importer, and one audit row says so for each batch. Nobody is told of it as of news: no order goes out, no message is sent.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.service import ItemGroup
from tjapi.exam import repository
from tjapi.exam.errors import PastExamNotOpen, PastExamsInvalid
from tjapi.exam.events import PastExamsImported
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import age_on, exam_no
from tjapi.examinee import service as examinees
from tjapi.examinee.service import Examinee
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

# Prepared, checked in, in progress, ready, in review: the steps that an exam of ours has behind it there.
_VERSION_IN_REVIEW = 5
_REASON = {"code": "list_price", "zh": "往年档案所载价格", "en": "As charged then, by the archive"}


@dataclass(frozen=True, slots=True)
class PastLine:
    """An item group that was examined, by our code, and what was charged for it."""

    code: str
    price_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastExam:
    """An exam of an archive: its number there, whose it was, what was done, and when. The examinee is known already."""

    archive_no: str
    examinee_id: UUID
    exam_date: date
    package_code: str | None
    package_name: str | None
    lines: tuple[PastLine, ...]
    checked_in_at: datetime
    ready_at: datetime
    finalized_at: datetime


async def import_past(uow: UnitOfWork, campus_id: int, archive: str, rows: Sequence[PastExam]) -> dict[str, UUID]:
    """Enter past exams and return the new ones by their number in the archive; those that are here already are left alone.

    They are in review until `close_past`. Raises CampusNotHeld, PastExamsInvalid naming every field.
    """
    campus = await identity.held_campus(uow, campus_id)
    known = await repository.of_archive(uow, campus_id, archive, [row.archive_no for row in rows])
    new = [row for row in rows if row.archive_no not in known]
    people = await examinees.many(uow, {row.examinee_id for row in new})
    groups = await catalog.item_groups_of_codes(uow, {line.code for row in new for line in row.lines})
    packages = await catalog.packages_of_codes(uow, {row.package_code for row in new if row.package_code})
    _refuse_invalid(rows, new, people, groups, business_day(uow.now))
    numbers = await repository.next_numbers(uow, campus_id, Counter(row.exam_date for row in new))
    entered: list[dict[str, Any]] = []
    ordered: list[dict[str, Any]] = []
    for row in sorted(new, key=lambda row: row.checked_in_at):
        package = packages.get(row.package_code or "")
        number, numbers[row.exam_date] = numbers[row.exam_date], numbers[row.exam_date] + 1
        person = people[row.examinee_id]
        years, days = age_on(person.birth_date, row.exam_date)
        exam_id = uuid7(row.checked_in_at)
        entered.append({
            "id": exam_id, "campus_id": campus_id, "exam_no": exam_no(campus.code, row.exam_date, number), "examinee_id": person.id,
            "package_id": package.id if package else None, "package_name": row.package_name, "state": "in_review",
            "version": _VERSION_IN_REVIEW, "exam_date": row.exam_date, "name": person.name, "sex": person.sex,
            "birth_date": person.birth_date, "age_years": years, "age_days": days, "total_fen": sum(line.price_fen for line in row.lines),
            "registered_by": uow.principal.id, "registered_at": row.checked_in_at, "checked_in_at": row.checked_in_at,
            "sheet_returned_at": row.ready_at, "ready_at": row.ready_at, "finalized_at": row.finalized_at, "cancelled_at": None, "cancel_reason": None,
            "held_from": None, "hold_reason": None, "report_version": None, "archive": archive, "archive_no": row.archive_no,
        })  # fmt: skip
        ordered += [
            _line(campus_id, exam_id, sort, line, groups[line.code], row) for sort, line in enumerate(row.lines)
        ]
    await repository.add_many(uow, entered, ordered)
    if entered:
        await uow.audit("exam.imported", "archive", archive, campus_id=campus_id, detail={"exams": len(entered)})
    return {exam["archive_no"]: exam["id"] for exam in entered}


async def imported(uow: UnitOfWork, archive: str) -> set[tuple[int, str]]:
    """Return the campus and number of every exam that was brought in from an archive, of the campuses that may be seen."""
    return await repository.archive_numbers(uow, archive)


def _line(
    campus_id: int, exam_id: UUID, sort: int, line: PastLine, group: ItemGroup, row: PastExam
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": uuid7(row.checked_in_at), "campus_id": campus_id, "exam_id": exam_id, "item_group_id": group.id, "code": group.code,
        "name": group.name, "department_id": group.department_id, "performed_by": group.performed_by, "specimen": group.specimen,
        "container": group.container, "fasting": group.fasting, "sort": sort, "state": "verified", "list_price_fen": line.price_fen,
        "price_fen": line.price_fen, "person_share_fen": line.price_fen, "employer_share_fen": 0,
        "paid_fen": line.price_fen, "remitted_fen": 0,  # an archive comes with its bills closed
        "price_reasons": [{**_REASON, "amount_fen": line.price_fen}], "state_at": row.ready_at, "reason": None, "due_on": None,
        "replaces_id": None,
    }  # fmt: skip


def _refuse_invalid(
    rows: Sequence[PastExam], new: Sequence[PastExam], people: Mapping[UUID, Examinee], groups: Mapping[str, ItemGroup],
    today: date,
) -> None:  # fmt: skip
    errors: list[FieldError] = []
    numbers = Counter(row.archive_no for row in rows)
    wanted = {row.archive_no for row in new}
    for i, row in enumerate(rows):
        at = f"/rows/{i}"
        if numbers[row.archive_no] > 1:
            errors.append(FieldError(f"{at}/archive_no", "duplicate", "档案号重复", "the number is there twice"))
        if row.archive_no not in wanted:
            continue
        person = people.get(row.examinee_id)
        if person is None:
            errors.append(FieldError(f"{at}/examinee_id", "not-found", "没有这个受检者", "no such examinee"))
        elif row.exam_date < person.birth_date:
            errors.append(FieldError(f"{at}/exam_date", "before-birth", "早于出生日期", "before the examinee's birth"))
        if row.exam_date >= today:
            errors.append(FieldError(f"{at}/exam_date", "not-past", "不是往年", "not in the past"))
        moments = (row.checked_in_at, row.ready_at, row.finalized_at)
        if business_day(row.checked_in_at) != row.exam_date or sorted(moments) != list(moments):
            errors.append(
                FieldError(f"{at}/checked_in_at", "order", "时间先后矛盾", "the moments contradict each other")
            )
        errors += _wrong_lines(at, row, person, groups)
    if errors:
        raise PastExamsInvalid(errors=errors)


def _wrong_lines(at: str, row: PastExam, person: Examinee | None, groups: Mapping[str, ItemGroup]) -> list[FieldError]:
    if not row.lines:
        return [FieldError(f"{at}/lines", "empty", "没有项目", "no item group")]
    errors: list[FieldError] = []
    for j, line in enumerate(row.lines):
        group = groups.get(line.code)
        if group is None:
            errors.append(FieldError(f"{at}/lines/{j}/code", "not-found", "没有这个项目", "no such item group"))
        elif person is not None and group.sex not in ("any", person.sex):
            errors.append(FieldError(f"{at}/lines/{j}/code", "wrong-sex", "不适用于受检者性别", "not for the sex"))
        if line.price_fen < 0:
            errors.append(
                FieldError(f"{at}/lines/{j}/price_fen", "negative", "价格不能为负", "a price is not negative")
            )
    if len({line.code for line in row.lines}) != len(row.lines):
        errors.append(FieldError(f"{at}/lines", "duplicate", "项目重复", "an item group is there twice"))
    return errors


async def open_past(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, Exam]:
    """Lock exams that are being brought in, and return them. Raises PastExamNotOpen."""
    found = await repository.exams(uow, exam_ids, lock=True)
    if len(found) != len(set(exam_ids)) or any(e.archive is None or e.state != "in_review" for e in found):
        raise PastExamNotOpen
    return {exam.id: exam for exam in found}


async def lines_of(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, list[ExamLine]]:
    """Return the lines of each of many exams in printing order."""
    lines: dict[UUID, list[ExamLine]] = {exam_id: [] for exam_id in exam_ids}
    for line in await repository.lines_of(uow, exam_ids):
        lines[line.exam_id].append(line)
    return lines


async def close_past(uow: UnitOfWork, exam_ids: Collection[UUID]) -> None:
    """Finalize exams whose results and conclusions are there: the end of an import. Raises PastExamNotOpen."""
    found = await open_past(uow, exam_ids)
    await repository.finalize_past(uow, exam_ids)
    by_campus: dict[int, list[UUID]] = {}
    for exam in found.values():
        by_campus.setdefault(exam.campus_id, []).append(exam.id)
    for campus_id, ids in sorted(by_campus.items()):
        await uow.publish(PastExamsImported(campus_id=campus_id, exam_ids=tuple(ids)))
