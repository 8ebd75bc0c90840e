"""Past exams of people: read-only, newest first. Row security leaves those of the campuses one holds."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from tjapi.kernel.uow import UnitOfWork

_COLUMNS = """e.id, e.campus_id, e.exam_no, e.examinee_id, e.name, e.sex, e.age_years, e.package_name, e.state, e.exam_date, e.total_fen,
  e.registered_at, e.sheet_returned_at, e.checked_in_at, e.finalized_at, e.report_version"""
_OF_ONE = text(f"""
select {_COLUMNS} from exam e
where e.examinee_id = :examinee_id and (cast(:day as date) is null or (e.exam_date, e.id) < (:day, :id))
order by e.exam_date desc, e.id desc limit :size
""")
# For each person the index gives the newest few; the others are never read.
_OF_MANY = text(f"""
select x.* from unnest(:people) as p (id) cross join lateral (
  select {_COLUMNS} from exam e where e.examinee_id = p.id order by e.exam_date desc, e.id desc limit :size
) x
""").bindparams(bindparam("people", type_=ARRAY(Uuid())))


async def past_exams(uow: UnitOfWork, examinee_id: UUID, after: tuple[date, UUID] | None, size: int) -> Sequence[Any]:
    """Return a page of a person's exams, one too many."""
    day, exam_id = after or (None, None)
    values = {"examinee_id": examinee_id, "day": day, "id": exam_id, "size": size + 1}
    return (await uow.session.execute(_OF_ONE, values)).all()


async def past_exams_of(uow: UnitOfWork, people: Sequence[UUID], size: int) -> dict[UUID, list[Any]]:
    """Return the newest exams of each of these people, of each one too many."""
    found: dict[UUID, list[Any]] = {person: [] for person in people}
    for row in (await uow.session.execute(_OF_MANY, {"people": list(people), "size": size + 1})).all():
        found[row.examinee_id].append(row)
    return found
