"""What a report is made of: read-only over the exam, its results and its conclusion, in one moment of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tjapi.conclusion.views import OUTDATED_ENTRY, outdated
from tjapi.kernel.uow import UnitOfWork

_HEAD = text("""
select e.exam_no, e.exam_date, e.package_name, e.name, e.sex, e.age_years, e.age_days, e.birth_date, e.pregnant, e.campus_id, e.examinee_id, c.name campus_name,
  p.id_number_masked, p.phone_masked, case when e.age_years < 18 then (
    select string_agg(g.name || case g.relation when 'father' then '（父亲）' when 'mother' then '（母亲）' when 'grandparent' then '（祖父母）' else '' end, '、' order by g.added_at, g.id)
    from examinee_guardian g where g.examinee_id = e.examinee_id and g.ended_at is null) end guardians
from exam e join campus c on c.id = e.campus_id join examinee p on p.id = e.examinee_id where e.id = :exam_id
""")
# What a standing alert of class A names is critical on the report, whatever its flag; what a person dismissed is not: the
# revision that they dismissed, not the number whenever it is measured again. An entry is critical of itself by the rules that still hold (`rule_codes`), never by the finding that it was once made of.
_RESULTS = text("""
select d.id department_id, d.name department, d.sort department_sort, l.name group_name, l.sort line_sort, r.id result_id, r.item_name, r.item_code,
  case when v.numeric is null then v.raw_value else v.text end raw_value, coalesce(v.flag, r.judged_flag) flag, v.remarks, coalesce(nullif(v.unit, ''), r.unit, '') unit, v.range_snapshot, v.lis_range_text, i.kind, i.judged,
  i.choices, a.alert, a.lab_alarm, v.flag is null and r.judged_flag is not null by_person, v.lis_flags, coalesce(a.alert_ids, '{}') alert_ids,
  a.dismissed_for, v.examined_by, v.verified_by, case when v.message_id is not null then v.issued_at end reported_at
from result r
join result_revision v on v.id = r.current_revision_id
join exam_line l on l.id = r.line_id
join department d on d.id = r.department_id
left join item i on i.id = r.item_id
left join lateral (
  select case when bool_or(k.state <> 'dismissed') then 'standing' when bool_or(v.id = any(k.revision_ids)) then 'dismissed' end alert,
    bool_or(k.state <> 'dismissed' and k.rule_code = 'LAB-CRITICAL') lab_alarm,
    string_agg(distinct (select s.note from critical_step s where s.critical_value_id = k.id and s.action = 'dismissed' order by s.version desc limit 1), '；')
      filter (where k.state = 'dismissed' and v.id = any(k.revision_ids)) dismissed_for,
    array_agg(k.id order by k.id) filter (where k.state <> 'dismissed' and k.detected_at > coalesce(
      (select e.initial_at from conclusion e where e.exam_id = r.exam_id), '-infinity')) alert_ids
  from critical_value k
  where k.exam_id = r.exam_id and r.id = any(k.result_ids) and k.important_class = 'A' and k.corrected_at is null and k.state <> 'superseded'
) a on true
where r.exam_id = :exam_id and l.state in ('resulted', 'verified') and l.private = :private
  and l.consent_withdrawn_at is null
order by d.sort, d.id, l.sort, i.sort, r.item_code
""")
# Words that were signed before items were private name them: the main report is made without these lines.
# Whoever signed where all was refused is printed with what was said there; a department of which every line was withdrawn is not.
_SHEETS = text("""
select s.department_id, d.name department, d.sort department_sort, tj.main_words(s.exam_id, s.summary) summary, s.signer_name, s.signed_at, s.stale
from department_sheet s join department d on d.id = s.department_id
where s.exam_id = :exam_id and s.state = 'signed' and not :private and exists (
  select from exam_line l where l.exam_id = s.exam_id and l.department_id = s.department_id and l.state not in ('withdrawn', 'substituted')
    and not l.private)
""")
_CONCLUSION = text(f"""
select case when :private then '' else tj.main_words(e.exam_id, e.overview) end overview, e.overview_stale or {outdated("e.exam_id")} overview_stale, e.initial_name, e.initial_at, e.final_name, e.final_at
from conclusion e where e.exam_id = :exam_id
""")
_ENTRIES = text(f"""
select n.title, n.detail, n.advice, n.lifestyle, n.kind, n.result_ids, n.stale or {OUTDATED_ENTRY} stale, exists (
  select 1 from knowledge_rule k join finding f on f.version_id = k.version_id and f.code = k.finding_code
  where k.version_id = c.knowledge_version_id and k.code = any(n.rule_codes) and f.important_class = 'A')
  or exists (select from critical_value k where k.exam_id = n.exam_id and k.rule_code = any(n.rule_codes)) own_critical,
  coalesce(array['TEXT-GRAVE'::varchar] @> n.rule_codes::varchar[] and cardinality(n.rule_codes) > 0, false) only_words, (
    select min(f.recheck_days) from knowledge_rule k join finding f on f.version_id = k.version_id and f.code = k.finding_code
    where k.version_id = c.knowledge_version_id and k.code = any(n.rule_codes) and (f.important_class = 'B' or f.recheck_days <= 7)) soon
from conclusion_entry n
join conclusion c on c.exam_id = n.exam_id
where n.exam_id = :exam_id and n.private = :private and not exists (
  select from result r join exam_line l on l.id = r.line_id where r.exam_id = n.exam_id and r.id = any(n.result_ids) and l.consent_withdrawn_at is not null)
order by n.sort
""")
# 拒检、弃检、延期 stay on the report; what was withdrawn or exchanged does not (domain.md, trap 2)
_UNPERFORMED = text("""
select d.name department, l.name, l.state, array(
  select i.name from item_group_item g join item i on i.id = g.item_id where g.item_group_id = l.item_group_id order by g.sort, i.code) holds
from exam_line l join department d on d.id = l.department_id
where l.exam_id = :exam_id and l.state in ('refused', 'waived', 'deferred') and l.private = :private order by d.sort, d.id, l.sort
""")

# What a line has no value of, because a person said that none will come (`gives_up`), is never missing in silence.
_GIVEN_UP = text("""
select department, name, reason from (
  select distinct on (q.line_id, q.item_id) d.name department, l.name || '：' || q.item_name name, q.reason, d.sort department_sort, d.id department_id,
    l.sort line_sort, i.sort item_sort, q.item_code
  from result_question q join exam_line l on l.id = q.line_id join department d on d.id = l.department_id join item i on i.id = q.item_id
  where q.exam_id = :exam_id and q.gives_up and l.state in ('resulted', 'verified') and l.private = :private and l.consent_withdrawn_at is null
  order by q.line_id, q.item_id, q.closed_at desc, q.id desc) given
order by department_sort, department_id, line_sort, item_sort, item_code
""")


@dataclass(frozen=True, slots=True)
class ReportSource:
    """The rows of which a report is made."""

    head: Any
    results: Sequence[Any]
    sheets: Sequence[Any]
    conclusion: Any | None
    entries: Sequence[Any]
    unperformed: Sequence[Any] = ()
    given_up: Sequence[Any] = ()


async def later_exams(uow: UnitOfWork, examinee_id: UUID, after_id: UUID | None) -> Sequence[Any]:
    """Return a person's exams after one of them, or all, with their campuses, earliest first: those whose past it is."""
    query = text("""
select e.id, e.campus_id from exam e left join exam a on a.id = :after_id
where e.examinee_id = :examinee_id and e.state <> 'cancelled'
  and (cast(:after_id as uuid) is null or (e.exam_date, e.id) > (a.exam_date, a.id))
order by e.exam_date, e.id
""")
    return (await uow.session.execute(query, {"examinee_id": examinee_id, "after_id": after_id})).all()


async def has_private(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether an exam has results of private items that a report tells of: of none to which consent was withdrawn."""
    query = text(
        "select exists (select from exam_line where exam_id = :id and private and consent_withdrawn_at is null and state in ('resulted', 'verified'))"
    )
    return bool((await uow.session.execute(query, {"id": exam_id})).scalar())


async def given_up(uow: UnitOfWork, job_id: UUID) -> bool:
    """Say whether a job will do nothing more: its attempts are used up, or somebody cancelled it."""
    over = text("select state in ('dead', 'cancelled') from job where id = :id")
    return bool((await uow.session.execute(over, {"id": job_id})).scalar())


async def source(uow: UnitOfWork, exam_id: UUID, kind: str = "main") -> ReportSource:
    """Read everything of which an exam's report is made: that of what is private and the main one have nothing in common but whose they are."""
    values = {"exam_id": exam_id, "private": kind == "private"}
    execute = uow.session.execute
    return ReportSource(
        (await execute(_HEAD, {"exam_id": exam_id})).one(),
        (await execute(_RESULTS, values)).all(),
        (await execute(_SHEETS, values)).all(),
        (await execute(_CONCLUSION, values)).first(),
        (await execute(_ENTRIES, values)).all(),
        (await execute(_UNPERFORMED, values)).all(),
        (await execute(_GIVEN_UP, values)).all(),
    )
