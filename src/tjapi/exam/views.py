"""The hot reads of exams, and the past exams of people: single statements whose JSON the database builds and an endpoint passes through.

Row security leaves the exams of the campuses one holds. `schemas` documents the JSON; a test validates what is passed through and compares it with what the tables say.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from tjapi.exam.rules import DOUBTED, GONE, UNDONE
from tjapi.kernel.db import Built, Look, moment, utf8
from tjapi.kernel.uow import UnitOfWork

_COLUMNS = """e.id, e.campus_id, e.exam_no, e.examinee_id, e.name, e.sex, e.age_years, e.package_name, e.state, e.exam_date, e.total_fen,
  e.owed_fen, e.refund_fen, e.registered_at, e.sheet_returned_at, e.checked_in_at, e.finalized_at, e.report_version"""
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


async def people_of_unit(uow: UnitOfWork, employer_id: UUID | None, campaign_id: UUID | None) -> set[UUID]:
    """Return who has an exam of a unit, of one of its campaigns if that is said."""
    values = {"employer": employer_id, "campaign": campaign_id}
    return set((await uow.session.scalars(_OF_UNIT, values)).all())


_SUMMARY = f"""
e.id, e.campus_id, e.exam_no, e.examinee_id, e.name, e.sex, e.age_years, e.package_name, e.state, e.exam_date, e.total_fen,
e.owed_fen, e.refund_fen, {moment("e.registered_at")} registered_at, {moment("e.sheet_returned_at")} sheet_returned_at, {moment("e.checked_in_at")} checked_in_at, {moment("e.finalized_at")} finalized_at,
e.report_version
"""
EXAM = f"""
select left(row_to_json(x)::text, -1) || ',"lines":[' || coalesce((
  select string_agg(row_to_json(l)::text, ',') from (
    select id, item_group_id, code, name, department_id, performed_by, specimen, container, fasting, state, list_price_fen, price_fen,
      person_share_fen, employer_share_fen, paid_fen, remitted_fen, reason, due_on, replaces_id, private, {moment("consented_at")} consented_at, {moment("consent_withdrawn_at")} consent_withdrawn_at, price_reasons
    from exam_line where exam_id = e.id order by sort, code) l), '') || ']}}'
from (select {_SUMMARY}, e.version, e.hold_reason, e.birth_date, e.pregnant) x
"""
"""JSON of the exam `e` with its lines, as `ExamOut`."""
_UNDONE = f"'{{{','.join(sorted(UNDONE))}}}'::text[]"
_GONE = f"'{{{','.join(sorted(GONE))}}}'::text[]"
OUTSTANDING = f"""
(select coalesce(json_agg(json_build_array(id, name, state, department_id) order by sort, code), '[]')::text from exam_line
  where exam_id = e.id and (state = any({_UNDONE})
    or doubted_by is not null or exists (select from exam_block b where b.exam_id = e.id and b.source = 'line:' || exam_line.id))),
(select coalesce(json_agg(json_build_array(code, source) order by code, source), '[]')::text from (
  select code, source from exam_block where exam_id = e.id
  union all select '{DOUBTED}', 'line:' || id from exam_line where exam_id = e.id and doubted_by is not null) b),
json_build_array(e.state, e.hold_reason, exists (select from exam_line where exam_id = e.id and state <> all({_GONE})))::text
"""
"""JSON of what keeps the exam `e` from being finalized: id, name, state and department of its lines that are undone or named by a block; code and source of its blocks; its
state, why it is on hold, whether it has lines."""
_ONE = f"select e.version, {utf8(f'({EXAM})')} from exam e where e.id = $1"
# Under whose id the exams of somebody are who was merged into somebody else.
_STANDS_FOR = "select coalesce(merged_into_id, id) from examinee where id = $1"
_OF_UNIT = text("""
select distinct examinee_id from exam
where (cast(:employer as uuid) is null or employer_id = :employer) and (cast(:campaign as uuid) is null or campaign_id = :campaign)
""")
_UNIT_CODED = "select id from employer where code = $1"
_PAGE = f"""
select e.id, {utf8("row_to_json(x)::text")} from exam e cross join lateral (
  select count(*) filter (where l.state <> all({_GONE})) line_count,
    count(*) filter (where l.state <> all({_GONE}) and l.state <> all({_UNDONE})) done_count
  from exam_line l where l.exam_id = e.id) c cross join lateral (select {_SUMMARY}, c.line_count, c.done_count) x
"""


async def one(look: Look, exam_id: UUID) -> Built | None:
    """Return an exam with its lines, as `ExamOut`."""
    row = await look.row(_ONE, exam_id)
    return None if row is None else Built(row[0], row[1])


async def page(
    look: Look, *, campus_id: int | None, day: date | None, state: str | None, exam_no: str | None,
    examinee_id: UUID | None, after: Sequence[str] | None, size: int, employer_id: UUID | None = None, employer_code: str | None = None,
    campaign_id: UUID | None = None, package_id: UUID | None = None, day_from: date | None = None, day_to: date | None = None,
    registered_by: UUID | None = None,
) -> Sequence[Any]:  # fmt: skip
    """Return a page of exams, newest first, one row too many: id, and JSON as `ExamListItem`."""
    if examinee_id is not None and (stands_for := await look.row(_STANDS_FOR, examinee_id)) is not None:
        examinee_id = stands_for[0]
    coded = None
    if employer_code is not None:
        unit = await look.row(_UNIT_CODED, employer_code)
        if unit is None:
            return []
        coded = unit[0]
    filters = (
        ("e.campus_id = ", campus_id), ("e.exam_date = ", day), ("e.state = ", state), ("e.exam_no = ", exam_no),
        ("e.examinee_id = ", examinee_id), ("e.employer_id = ", employer_id), ("e.employer_id = ", coded), ("e.campaign_id = ", campaign_id),
        ("e.package_id = ", package_id), ("e.exam_date >= ", day_from), ("e.exam_date <= ", day_to), ("e.registered_by = ", registered_by),
        ("e.id < ", UUID(after[0]) if after else None),
    )  # fmt: skip
    given = [(text, value) for text, value in filters if value is not None]
    sql = page_statement([text for text, _ in given])
    return await look.rows(sql, *(value for _, value in given), size + 1)


def page_statement(filters: Sequence[str]) -> str:
    """Return the statement of a page under filters such as `e.campus_id = `: their values, then one more than the size."""
    where = " and ".join(f"{text}${i}" for i, text in enumerate(filters, 1)) or "true"
    return f"{_PAGE} where {where} order by e.id desc limit ${len(filters) + 1}"
