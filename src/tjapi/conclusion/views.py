"""What waits for a reviewer: read over exams and conclusions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, text, tuple_

from tjapi.conclusion.models import Conclusion, ReviewClaim
from tjapi.exam import views as exam_views
from tjapi.exam.models import Exam
from tjapi.kernel.db import Look, moment, utf8
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import views as result_views


# What is signed stays as it was signed; what came after it is a task, and says which words rest on other results.
def outdated(exam_id: str) -> str:
    """Return the condition that something came after what was signed of an exam, whose id is this SQL expression."""
    return f"exists (select from amendment_task t where t.exam_id = {exam_id} and t.state = 'open')"


OUTDATED_ENTRY = "exists (select from amendment_task t where t.exam_id = n.exam_id and t.state = 'open' and t.result_id = any(n.result_ids))"
_CONCLUSION = f"""
select left(row_to_json(x)::text, -1) || ',"entries":[' || coalesce((
  select string_agg(row_to_json(y)::text, ',' order by y.sort) from (
    select id, sort, kind, title, detail, advice, lifestyle, result_ids, key, icd10, rule_codes, edited, stale or {OUTDATED_ENTRY} stale, result_ids = '{{}}' manual, asked,
      case when keys = '{{}}' and key is not null then array[key] else keys end keys
    from conclusion_entry n where exam_id = e.id) y), '') || ']}}'
from (
  select e.id exam_id, coalesce(c.version, 0) "version", coalesce(c.state, 'draft') state, coalesce(tj.open_words(e.id, null, c.overview), '') overview, c.initial_by,
    c.initial_name, {moment("c.initial_at")} initial_at, c.final_by, c.final_name, {moment("c.final_at")} final_at, c.returned_reason,
    c.knowledge_version_id, coalesce(c.overview_stale, false) or {outdated("e.id")} overview_stale, {moment("c.reopened_at")} reopened_at,
    coalesce(c.overview_asked, '{{}}') overview_asked, coalesce((
      select json_agg(json_build_object('words', o->'words', 'by', o->'by', 'by_name', o->'by_name', 'at', o->'at') order by p)
      from jsonb_array_elements(c.confirmed) with ordinality o(o, p)
      -- of private entries to whoever sees them
      where not o ? 'private' or exists (select from conclusion_entry n where n.exam_id = e.id and n.private)), '[]') confirmed) x
"""
_CLAIM = f"""
select row_to_json(x)::text from (
  select exam_id, by, by_name, {moment("claimed_at")} claimed_at, {moment("until")} until from review_claim
  where exam_id = e.id and until > $4) x
"""
REVIEW = f"""
select coalesce(c.version, 0), {utf8(f"({exam_views.EXAM})")}, {utf8(result_views.DEPARTMENTS)}, {utf8(f"({_CONCLUSION})")}, {utf8(f"({_CLAIM})")},
  exists (select from knowledge_version v where v.id = e.knowledge_version_id and v.signed_at is null), {result_views.DESCRIPTIONS}, {exam_views.OUTSTANDING}
from exam e left join conclusion c on c.exam_id = e.id where e.id = $1
"""
"""Everything of the exam $1 for who reviews it at the moment $4: version, JSON of its parts, its descriptions. $2 and $3 as in `DEPARTMENTS`."""


_ONE = text(f"select ({_CONCLUSION}) from exam e left join conclusion c on c.exam_id = e.id where e.id = :exam_id")


async def conclusion(uow: UnitOfWork, exam_id: UUID) -> str | None:
    """Return an exam's conclusion as JSON, the same as in its review; None: no such exam."""
    said: str | None = (await uow.session.execute(_ONE, {"exam_id": exam_id})).scalar_one_or_none()
    return said


async def review(look: Look, exam_id: UUID, view: str, department_id: int | None) -> Any | None:
    """Return the parts of a review: version, exam, departments, conclusion, claim, whether nobody signed what judged it, descriptions, what keeps it from being finalized; None: no such exam."""
    return await look.row(REVIEW, exam_id, view, department_id, look.now)


WAITING = ("ready_for_review", "in_review")


async def queue(
    uow: UnitOfWork, *, campus_id: int | None, unclaimed: bool, after: list[str] | None, size: int
) -> Sequence[Any]:
    """Return a page of the exams that wait for a reviewer: those reviewed again, then first ready first; one row too many."""
    query = (
        select(
            Exam.id.label("exam_id"), Exam.exam_no, Exam.name, Exam.sex, Exam.age_years, Exam.exam_date, Exam.state.label("exam_state"),
            Exam.ready_at, Conclusion.reopened_at, Conclusion.state.label("conclusion_state"), Conclusion.initial_by, Conclusion.initial_name,
            ReviewClaim.by_name.label("claimed_name"), ReviewClaim.until.label("claimed_until"),
        )
        .join(Conclusion, Conclusion.exam_id == Exam.id, isouter=True)
        .join(ReviewClaim, and_(ReviewClaim.exam_id == Exam.id, ReviewClaim.until > uow.now), isouter=True)
        .where(Exam.state.in_(WAITING), Exam.ready_at.is_not(None))
        .order_by(Conclusion.reopened_at.is_(None), Exam.ready_at, Exam.id)
        .limit(size + 1)
    )  # fmt: skip
    if unclaimed:
        query = query.where(ReviewClaim.exam_id.is_(None))
    if campus_id is not None:
        query = query.where(Exam.campus_id == campus_id)
    if after:
        place = tuple_(Conclusion.reopened_at.is_(None), Exam.ready_at, Exam.id)
        query = query.where(place > (after[0] == "first", datetime.fromisoformat(after[1]), UUID(after[2])))
    return (await uow.session.execute(query)).all()
