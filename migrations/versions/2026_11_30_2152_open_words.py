"""Words that were signed before items became private are told without what is private, to whoever may not see it; consent is taken back as a step."""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0061_open_words"
down_revision = "0060_words_asked"
branch_labels = None
depends_on = None

ACTIONS = (
    "added", "withdrawn", "substituted", "refused", "waived", "deferred", "reinstated", "made_up", "kept", "consented", "consent_withdrawn",
)  # fmt: skip

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

revoke all on function tj.left_of(text, text[]), tj.private_words(uuid), tj.main_words(uuid, text), tj.open_words(uuid, int, text) from public;
grant execute on function tj.main_words(uuid, text), tj.open_words(uuid, int, text) to {p}_app, {p}_reader, {p}_worker;
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    for statement in statements(SQL.replace("{p}", context.config.attributes.get("role_prefix", "tj"))):
        run(statement)
    op.drop_constraint(op.f("ck_exam_line_step_action"), "exam_line_step", type_="check")
    op.create_check_constraint(
        op.f("ck_exam_line_step_action"), "exam_line_step", f"action in {ACTIONS}", postgresql_not_valid=True
    )
    op.execute("alter table exam_line_step validate constraint ck_exam_line_step_action")
