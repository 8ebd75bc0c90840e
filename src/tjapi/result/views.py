"""What is read of results together with the lines they belong to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, String, and_, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from tjapi.catalog.models import Item
from tjapi.exam.models import Exam, ExamLine
from tjapi.kernel.db import Look, fetch_rows, moment, utf8
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.models import Result, ResultRevision
from tjapi.result.rules import ResultsView
from tjapi.result.rules.flags import ABNORMAL, LAB_ABNORMAL
from tjapi.result.rules.values import Comparator

_ABNORMAL = f"'{{{','.join(sorted(ABNORMAL))}}}'::text[]"
_FLAGGED_BY_LAB = f"""
(regexp_split_to_array(lower(coalesce(v.lis_flags, '')), '[[:space:]~^,;/|]+') && '{{{",".join(f'"{one}"' for one in sorted(LAB_ABNORMAL))}}}'::text[])
"""
"""Whether the laboratory itself flags a value, whatever we make of it: an H beside our normal range is told as the laboratory's, and not left out."""
_OPEN = text("select tj.open_words(:exam_id, :department_id, :said)")
_CURRENT = f"""
select v.id revision_id, v.seq, v.status, case when v.numeric is null then v.raw_value else v.text end "value", v.raw_value, v.comparator, v.numeric::text "numeric", v.unit, v.conversion, coalesce(v.flag, r.judged_flag) flag,
  v.range_snapshot "range", v.lis_range_text, v.lis_flags, v.remarks, v.coded - 'mentions' coded, v.reason, {moment("v.observed_at")} observed_at, v.source,
  {moment("v.recorded_at")} recorded_at
"""
DEPARTMENTS = f"""
(with said as (
  select r.department_id, case when $2 <> 'summaries' then string_agg(row_to_json(x)::text, ',' order by l.sort, l.code, r.id) end content
  from result r
  join exam_line l on l.id = r.line_id
  left join result_revision v on v.id = r.current_revision_id
  cross join lateral (
    select r.id, r.line_id, l.name line_name, r.item_id, r.item_code, r.item_name,
      case when v.id is not null then (select row_to_json(c) from ({_CURRENT}) c) end "current") x
  where r.exam_id = $1 and ($2 <> 'abnormal' or coalesce(v.flag, r.judged_flag) = any({_ABNORMAL}) or {_FLAGGED_BY_LAB}
    or (v.id is not null and v."numeric" is null and exists (select from department_sheet_line one where one.exam_id = $1 and r.id = any(one.result_ids))))
  group by r.department_id),
missed as (
  select q.department_id, string_agg(row_to_json(x)::text, ',' order by l.sort, l.code, q.item_code, q.id) content
  from result_question q join exam_line l on l.id = q.line_id
  cross join lateral (
    select q.line_id, l.name line_name, q.item_id, q.item_code, q.item_name, q.reason,
      case when q.kind = 'missing' and q.how = 'value' then q.remarks[1] end reason_en) x
  where q.exam_id = $1 and q.gives_up and l.state in ('resulted', 'verified') and $2 <> 'summaries'
  group by q.department_id),
lined as (
  select l.department_id, string_agg(row_to_json(x)::text, ',' order by l.sort, l.id) content from department_sheet_line l
  cross join lateral (select l.id, l.text, l.origin, l.finding_code, l.rule_codes, l.result_ids, l.edited, l.stale, l.asked) x
  where exam_id = $1 and not removed group by department_id)
select '[' || coalesce(string_agg(
    left(row_to_json(x)::text, -1) || ',"lines":[' || coalesce(lined.content, '') || '],"results":[' || coalesce(said.content, '') ||
    '],"missing":[' || coalesce(missed.content, '') || ']}}',
    ',' order by d.sort, d.id), '') || ']'
from department d
left join department_sheet s on s.exam_id = $1 and s.department_id = d.id
left join said on said.department_id = d.id
left join lined on lined.department_id = d.id
left join missed on missed.department_id = d.id
cross join lateral (
  select d.id department_id, d.name department_name, coalesce(s.state, 'draft') state, coalesce(tj.open_words(s.exam_id, s.department_id, s.summary), '') summary, s.signer_name,
    {moment("s.signed_at")} signed_at, coalesce(s.stale, false) stale) x
where (s.department_id is not null or said.department_id is not null or missed.department_id is not null) and ($3::int is null or d.id = $3))
"""
"""JSON of what the departments found in the exam $1, as a list of `DepartmentResultsOut`: the view $2, the department $3 or all.

What is abnormal has a flag that says so, or is said in words of which a line of the summary was made: a description has no flag.
"""
DESCRIPTIONS = """
(select array_agg(array[r.id::text, r.item_code, r.item_name, said.words, said.what] order by l.sort, l.code, i.sort, r.id, said.n)
from result r join result_revision v on v.id = r.current_revision_id join exam_line l on l.id = r.line_id join item i on i.id = r.item_id
cross join lateral (
  select v.text words, 'text' what, 0 n where i.kind = 'text' and v.coded is null
  union all select one.words, 'text', 0 from unnest(regexp_split_to_array(v.text, '[;；]')) one(words)
    where i.kind in ('enumerated', 'multi_select') and v."numeric" is null and not coalesce(i.choices ? trim(one.words), false)
  union all select one.words, 'remark', one.n::int from unnest(v.remarks) with ordinality one(words, n)) said
where r.exam_id = $1 and ($3::int is null or r.department_id = $3)
  and l.state not in ('withdrawn', 'substituted', 'refused', 'waived', 'deferred'))
"""
"""What a person wrote in the exam $1, of the department $3 or all: each as result, item's code, its name, the words, and whether they are the value or
a remark beside it. Of what was clicked nothing is left to be read, and a choice is known."""
_OVERVIEW = f"select e.id, {utf8(DEPARTMENTS)} from exam e where e.id = $1"


async def overview(look: Look, exam_id: UUID, view: ResultsView) -> bytes | None:
    """Return the results of an exam by department, as `ExamResultsOut`; None: no such exam."""
    row = await look.row(_OVERVIEW, exam_id, view, None)
    return None if row is None else b'{"exam_id":"%b","departments":%b}' % (str(row[0]).encode(), row[1])


_UNMAPPED = text("""
select m.source as system, c.code, count(*) as messages, min(m.received_at) as first_seen_at, max(m.received_at) as last_seen_at
from inbox_message m cross join lateral jsonb_array_elements_text(m.detail->'codes') c(code)
where m.state = 'unmatched' and m.detail ? 'codes' and (cast(:system as text) is null or m.source = :system)
  and (cast(:after_system as text) is null or (m.source, c.code) > (:after_system, :after_code))
group by m.source, c.code order by m.source, c.code limit :size
""")


async def unmapped_codes(
    uow: UnitOfWork, *, system: str | None, after: Sequence[str] | None, size: int
) -> Sequence[Row[Any]]:
    """Return the codes that messages wait for, by system and code, one too many; how many wait, since when, until when."""
    last = after or (None, None)
    asked = {"system": system, "after_system": last[0], "after_code": last[1], "size": size + 1}
    return (await uow.session.execute(_UNMAPPED, asked)).all()


_UNASKED = """
not exists (select from result_question q where q.exam_id = r.exam_id and q.line_id = r.line_id and q.item_id = r.item_id
  and (q.closed_at is null or q.gives_up))
"""
_DECIDED = f"""
(v.status in ('final', 'corrected') and (l.state = 'verified' or (l.state = 'resulted' and e.state = 'finalized')) and {_UNASKED})
"""
"""Whether a current value (result r, its revision v, line l, exam e) may be told of, or compared with, on another day: it is final, its line is
verified or its exam finished, and nobody is asked anything of it. The one rule of trends, histories, delta checks, rules and words."""


async def past_exams(uow: UnitOfWork, exam: Exam, size: int) -> Sequence[Exam]:
    """Return an exam and the same person's exams before it, newest first."""
    before = or_(Exam.exam_date < exam.exam_date, and_(Exam.exam_date == exam.exam_date, Exam.id <= exam.id))
    query = (
        select(Exam)
        .where(Exam.examinee_id == exam.examinee_id, Exam.state != "cancelled", before)
        .order_by(Exam.exam_date.desc(), Exam.id.desc())
        .limit(size)
    )
    return (await uow.session.execute(query)).scalars().all()


_UNFOUND = text("""
select e.id from exam e join knowledge_version v on v.id = e.knowledge_version_id
where e.state not in ('finalized', 'cancelled') and (v.id = :version_id or v.signed_at is null)
  and not exists (select from audit_event a where a.object_type = 'exam' and a.object_id = e.id::text and a.action = 'exam.found_signed'
    and a.detail ->> 'version' = cast(:version_id as uuid)::text)
order by e.id
""")


async def unfound(uow: UnitOfWork, version_id: UUID) -> Sequence[UUID]:
    """Return the open exams that a version judges, or one that nobody has signed: of what they hold nothing was found for that reason.

    One that was looked at by it already is not among them.
    """
    return (await uow.session.scalars(_UNFOUND, {"version_id": version_id})).all()


async def newest_exams(uow: UnitOfWork, size: int) -> Sequence[Exam]:
    """Return the newest exams of which there is a result, as far as the caller may see them."""
    has_result = select(Result.id).where(Result.exam_id == Exam.id).exists()
    query = (
        select(Exam)
        .where(Exam.state != "cancelled", has_result)
        .order_by(Exam.exam_date.desc(), Exam.id.desc())
        .limit(size)
    )
    return (await uow.session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class PastRow:
    """A current value of an exam as a history shows it; `undecided`: it is not what the exam says yet; `beside`: what contradicts it."""

    result: Result
    revision: ResultRevision
    undecided: bool
    beside: Sequence[str]


_BESIDE = """
coalesce((select array_agg(case when o.numeric is null then o.raw_value else o.text end order by o.seq)
  from result_question q join result_revision o on o.id = any(q.revision_ids)
  where q.exam_id = r.exam_id and q.line_id = r.line_id and q.item_id = r.item_id and q.closed_at is null and q.kind = 'contested'
    and o.id <> v.id), '{}')
"""


async def past_results(uow: UnitOfWork, exam_ids: Sequence[UUID], department_id: int) -> Sequence[PastRow]:
    """Return a department's current results of several exams, in printing order; none of lines that are set aside."""
    query = (
        _current_of(exam_ids)
        .add_columns(literal_column(f"not {_DECIDED}"), literal_column(_BESIDE, ARRAY(String)))
        .where(text("r.department_id = :department_id").bindparams(department_id=department_id))
        .where(text("l.state not in ('withdrawn', 'substituted', 'refused', 'waived', 'deferred')"))
    )
    return [PastRow(*row) for row in (await uow.session.execute(query)).all()]


async def numbers(uow: UnitOfWork, exam_id: UUID, exam_ids: Sequence[UUID]) -> Sequence[tuple[Result, ResultRevision]]:
    """Return the current plain numbers (none with a comparator) of an exam and of earlier ones, in printing order: of these what is decided.

    Of the exam itself those that its report would print, and of which nobody is asked anything. What is private is in no trend.
    """
    own = f"(r.exam_id = :exam_id and l.state in ('resulted', 'verified') and {_UNASKED})"
    query = _current_of(exam_ids).where(
        text(f"v.numeric is not null and v.comparator = '' and not r.private and ({own} or (r.exam_id <> :exam_id and {_DECIDED}))")
        .bindparams(exam_id=exam_id)
    )  # fmt: skip
    return [(row[0], row[1]) for row in (await uow.session.execute(query)).all()]


def _current_of(exam_ids: Sequence[UUID]) -> Select[Result, ResultRevision]:
    r, v, line, i = (
        aliased(Result, name="r"),
        aliased(ResultRevision, name="v"),
        aliased(ExamLine, name="l"),
        aliased(Item, name="i"),
    )
    exam = aliased(Exam, name="e")
    return (
        select(r, v)
        .join(v, v.id == r.current_revision_id)
        .join(line, line.id == r.line_id)
        .join(exam, exam.id == r.exam_id)
        .join(i, i.id == r.item_id)
        .where(r.exam_id.in_(exam_ids))
        .order_by(line.sort, line.code, i.sort, r.id)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A current value with what its item says of it."""

    exam_id: UUID
    result_id: UUID
    revision_id: UUID
    department_id: int
    item_code: str
    item_name: str
    kind: str
    item_unit: str | None
    raw_value: str
    text: str
    comparator: Comparator
    numeric: Decimal | None
    unit: str | None
    flag: str | None
    lis_flags: str | None
    low: str | None
    high: str | None
    usual: str | None
    judged: bool
    by_person: bool
    usual_texts: Sequence[str] | None
    remarks: Sequence[str] = ()
    coded: dict[str, Any] | None = None
    choices: Sequence[str] | None = None


_CASE = """
select r.exam_id, r.id, v.id, r.department_id, r.item_code, r.item_name, i.kind, i.unit, v.raw_value, v.text, v.comparator, v."numeric", v.unit,
  coalesce(v.flag, case when v.id = r.current_revision_id then r.judged_flag end), v.lis_flags,
  v.range_snapshot->>'low', v.range_snapshot->>'high', coalesce(nullif(v.range_snapshot->>'text', ''), v.lis_range_text),
  i.judged, v.flag is null and r.judged_flag is not null and v.id = r.current_revision_id,
  case when jsonb_typeof(v.range_snapshot->'normal_texts') = 'array' then array(select jsonb_array_elements_text(v.range_snapshot->'normal_texts')) end,
  v.remarks, v.coded, case when i.kind in ('enumerated', 'multi_select') then i.choices end
from result r join result_revision v on {joined} join exam_line l on l.id = r.line_id join exam e on e.id = r.exam_id join item i on i.id = r.item_id
where {wanted} order by l.sort, l.code, i.sort, r.id
"""
_CASE_NOW = _CASE.format(
    joined="v.id = r.current_revision_id",
    wanted="r.exam_id = any($1::uuid[]) and ($2::text[] is null or r.item_code = any($2))"
    " and l.state not in ('withdrawn', 'substituted', 'refused', 'waived', 'deferred')",
)
_CASE_PAST = _CASE.format(
    joined="v.id = r.current_revision_id",
    wanted=f"r.exam_id = any($1::uuid[]) and r.item_code = any($2::text[]) and {_DECIDED}",
)
_CASE_THEN = _CASE.format(joined="v.result_id = r.id", wanted="v.id = any($1::uuid[])")


_LAST_NUMBERS = f"""
select distinct on (r.item_code) r.item_code, v."numeric"
from exam e join result r on r.exam_id = e.id join result_revision v on v.id = r.current_revision_id join exam_line l on l.id = r.line_id
where e.examinee_id = $1 and e.id <> $2 and e.exam_date < $3 and e.state <> 'cancelled' and r.item_code = any($4)
  and v."numeric" is not null and v.comparator = '' and {_DECIDED}
order by r.item_code, e.exam_date desc, e.id desc, r.id
"""


async def last_numbers(uow: UnitOfWork, exam: Exam, codes: Collection[str]) -> dict[str, Decimal]:
    """Return the plain number that each item had in the last exam before this one that has one which is decided, by item code."""
    rows = await fetch_rows(uow.session, _LAST_NUMBERS, exam.examinee_id, exam.id, exam.exam_date, list(codes))
    return {row[0]: row[1] for row in rows}


async def case_values(
    uow: UnitOfWork, exam_ids: Sequence[UUID], codes: Collection[str] | None = None
) -> Sequence[CaseRow]:
    """Return the current values of exams, or those of some items, in printing order."""
    asked = None if codes is None else list(codes)
    return [CaseRow(*row) for row in await fetch_rows(uow.session, _CASE_NOW, list(exam_ids), asked)]


async def past_case_values(uow: UnitOfWork, exam_ids: Sequence[UUID], codes: Collection[str]) -> Sequence[CaseRow]:
    """Return what earlier exams say of some items, as far as it is decided, in printing order."""
    return [CaseRow(*row) for row in await fetch_rows(uow.session, _CASE_PAST, list(exam_ids), list(codes))]


async def case_values_of(uow: UnitOfWork, revision_ids: Collection[UUID]) -> Sequence[CaseRow]:
    """Return revisions as the values that they are or were, in printing order."""
    return [CaseRow(*row) for row in await fetch_rows(uow.session, _CASE_THEN, list(revision_ids))]


async def open_words(uow: UnitOfWork, exam_id: UUID, department_id: int, said: str) -> str:
    """Return what the caller may read of a department's words, signed before items were private: not the lines that name what is."""
    if not said or uow.principal.sees_private(department_id):
        return said
    values = {"exam_id": exam_id, "department_id": department_id, "said": said}
    return str((await uow.session.execute(_OPEN, values)).scalar_one())
