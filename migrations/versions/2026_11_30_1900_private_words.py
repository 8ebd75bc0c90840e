"""What was written before items became private names them: it is made anew, or looked at again; what was printed is seen by who may see it.

An overview that a machine made goes, and is made anew; other words are stale until a person has looked at them, as is a summary that was
signed. What is finalized stands as it was signed; a report that is rendered anew leaves its lines out (`report.views`). A main report that
tells of what is private, because it was ordered before that was apart, is seen by the person and by whom the right allows. Processes of
the release before go on while this one starts: their context says nothing of private items, and sees none.
"""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0057_private_words"
down_revision = "0056_ranges_dated"
branch_labels = None
depends_on = None

WORDS = """
with said as (
  select r.exam_id, w.word from result r, lateral (values (r.item_code), (r.item_name)) w(word) where r.private
  union select exam_id, title from conclusion_entry where private
  union select exam_id, text from department_sheet_line where private
)
"""
FOLLOW = f"""
{WORDS}, named as (
  select c.exam_id, not exists (
    select from regexp_split_to_table(c.overview, '\\n') l where l <> '本次体检主要发现：' and not exists (
      select from conclusion_entry n where n.exam_id = c.exam_id and n.title = regexp_replace(l, '^[0-9]+\\. ', ''))) machine
  from conclusion c join exam e on e.id = c.exam_id where e.state not in ('finalized', 'cancelled') and exists (
    select from said s where s.exam_id = c.exam_id and s.word <> '' and position(s.word in c.overview) > 0)
)
update conclusion c set overview = case when n.machine then '' else c.overview end, overview_stale = not n.machine, overview_made_of = null
from named n where n.exam_id = c.exam_id;

insert into exam_block (exam_id, campus_id, code, source, added_at)
select c.exam_id, c.campus_id, 'conclusion_stale', 'conclusion', now() from conclusion c
where c.overview_stale and c.overview_made_of is null
  and exists (select from exam e where e.id = c.exam_id and e.state not in ('finalized', 'cancelled'))
  and exists (select from result r where r.exam_id = c.exam_id and r.private)
on conflict do nothing;

{WORDS}
update department_sheet d set summary = case when d.state = 'draft' and not d.by_hand then '' else d.summary end,
  stale = d.state = 'signed' or d.by_hand, made_of = null
from exam e where e.id = d.exam_id and e.state not in ('finalized', 'cancelled') and exists (
  select from said s where s.exam_id = d.exam_id and s.word <> '' and position(s.word in d.summary) > 0);

insert into exam_block (exam_id, campus_id, code, source, added_at)
select d.exam_id, d.campus_id, 'summary_stale', 'department:' || d.department_id, now()
from department_sheet d join exam e on e.id = d.exam_id
where d.stale and d.made_of is null and e.state not in ('finalized', 'cancelled') and exists (select from result r where r.exam_id = d.exam_id and r.private)
on conflict do nothing;
"""

SQL = """
-- what was said, without the lines that name one of these words; numbered lines are numbered anew, a heading of nothing goes
create function tj.left_of(said text, words text[]) returns text language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select case when said is null or not exists (select from unnest(words) w where w <> '' and position(w in said) > 0) then said else coalesce((
    select case when count(*) = 1 and min(line) = '本次体检主要发现：' then '' else string_agg(
      case when numbered then regexp_replace(line, '^[0-9]+\\. ', place || '. ') else line end, E'\n' order by n) end
    from (
      select line, n, line ~ '^[0-9]+\\. ' numbered, count(*) filter (where line ~ '^[0-9]+\\. ') over (order by n) place
      from unnest(string_to_array(said, E'\n')) with ordinality told(line, n)
      where not exists (select from unnest(words) w where w <> '' and position(w in line) > 0)) kept), '') end
$$;

-- by what an exam's private findings are called
create function tj.private_words(exam uuid) returns text[] language sql stable parallel restricted security definer
set search_path = pg_catalog, public, pg_temp as $$
  select array(
    select unnest(array[item_code, item_name]) from public.result where exam_id = exam and private
    union select title from public.conclusion_entry where exam_id = exam and private
    union select text from public.department_sheet_line where exam_id = exam and private)
$$;

-- what a main report says of words that were signed on an exam
create function tj.main_words(exam uuid, said text) returns text language sql stable parallel restricted security definer
set search_path = pg_catalog, public, pg_temp as $$
  select case when coalesce(said, '') = '' then said else tj.left_of(said, tj.private_words(exam)) end
$$;

-- what a principal may read of words that were signed on an exam, by a department or (null) of all of it
create function tj.open_words(exam uuid, department int, said text) returns text language sql stable parallel restricted security definer
set search_path = pg_catalog, public, pg_temp as $$
  select case when coalesce(said, '') = '' or tj.private_of() is null or coalesce(department = any(tj.private_of()), false) then said
    else tj.main_words(exam, said) end
$$;

-- whether a main report, which was ordered before what is private was apart, is kept from whoever is not its person
create function tj.printed_private(exam uuid, at timestamptz) returns boolean language sql stable parallel restricted security definer
set search_path = pg_catalog, public, pg_temp as $$
  select at < '{now}'::timestamptz and (tj.context())[1] is distinct from 'examinee'
    and exists (select from public.result r where r.exam_id = exam and r.private)
$$;
revoke all on function tj.printed_private(uuid, timestamptz), tj.left_of(text, text[]), tj.private_words(uuid), tj.main_words(uuid, text), tj.open_words(uuid, int, text)
  from public;
grant execute on function tj.printed_private(uuid, timestamptz), tj.main_words(uuid, text), tj.open_words(uuid, int, text) to {p}_app, {p}_reader, {p}_worker;
drop policy private_read on report;
create policy private_read on report as restrictive for select to {p}_reader using (
  (select tj.private_of()) is null or kind = 'main' and not tj.printed_private(exam_id, requested_at));
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    now = run("select now()::text").scalar()
    for statement in statements(SQL.replace("{p}", prefix).replace("{now}", str(now)) + FOLLOW):
        run(statement)
