"""Private items (私密项目): who may see what was found of them is decided here, once, for every read.

An item is private, and with it every group that holds it, every line of such a group, and whatever is made of the line's results. The signed
context says what its principal may see of that: nothing, that of own departments, or all; and whether it may see that it was ordered.
Restrictive policies of the reading role hold every row of it against that, so that no read of any door has a rule of its own. What writes sees
everything, or could not derive; what it answers with is asked in Python, of the same right. A line is released only with recorded consent.

Here are columns, triggers and policies, none of which reads a table: locks are held for moments. What is there already is marked by 0054, row
by row, and constraints are checked there. Processes of the release before go on while this one starts: their context says nothing of private
items, and sees none.
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import statements

revision = "0052_private_items"
down_revision = "0051_finding_variants"
branch_labels = None
depends_on = None

MARKED = (
    "item", "item_group", "exam_line", "result", "result_revision", "result_question", "department_sheet_line", "conclusion_entry",
    "critical_value",
)  # fmt: skip
# HIV, pregnancy, the amount of hepatitis B virus: 随软件附带的私密项目. A hospital marks others in its catalog file.
SHIPPED = ("HIVAB", "UHCG", "BHCG", "HBVDNA")

ACTIONS = (
    "added", "withdrawn", "substituted", "refused", "waived", "deferred", "reinstated", "made_up", "kept", "consented", "consent_withdrawn",
)  # fmt: skip

SQL = """
-- kind|principal|campuses|departments|examinee|private|expiry|pid|hmac; a process of the release before says nothing of `private`: it sees nothing of it
create or replace function tj.context() returns text[] language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
declare
  raw text := nullif(current_setting('tj.context', true), '');
  parts text[];
  k record;
begin
  if raw is null or raw !~ '^[a-z]+\\|[0-9a-f-]{36}\\|([0-9,]*|\\*)\\|([0-9,]*|\\*)\\|([0-9a-f-]{36}|-)\\|(([-*]|=[0-9,]*)o?\\|)?[0-9]{10}\\|[0-9]{1,9}\\|[0-9a-f]{64}$' then
    return null;
  end if;
  parts := string_to_array(raw, '|');
  if cardinality(parts) = 8 then
    parts := parts[1:5] || '-'::text || parts[6:8];
  end if;
  if parts[8]::int <> pg_backend_pid() or parts[7]::bigint < extract(epoch from clock_timestamp()) then
    return null;
  end if;
  select inner_pad, outer_pad into k from tj.context_key;
  if encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(left(raw, -65), 'UTF8'))), 'hex') <> parts[9] then
    return null;
  end if;
  return parts;
end $$;

-- of which departments private results may be seen; null: of every one (only with a valid context)
create function tj.private_of() returns smallint[] language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
  select case when c is null then '{}'::smallint[] when c[6] like '*%' then null
    else coalesce(string_to_array(nullif(translate(c[6], '-=o', ''), ''), ',')::smallint[], '{}'::smallint[]) end
  from (select tj.context() c) x
$$;

create function tj.private_ordered() returns boolean language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
  select coalesce((tj.context())[6] like '%o', false)
$$;

create function tj.mark_group() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.item_group g set private = x.private from (
    select m.item_group_id, bool_or(i.private) private from public.item_group_item m join public.item i on i.id = m.item_id
    group by m.item_group_id) x
  where x.item_group_id = g.id and g.private <> x.private;
  return null;
end $$;
create trigger mark_group after insert or update or delete on item_group_item for each statement execute function tj.mark_group();
create trigger mark_group after insert or update of private on item for each statement execute function tj.mark_group();

-- what was ordered as private stays private, whatever the catalog says later; no way leads to its release but consent
create function tj.mark_line() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.private := new.private or coalesce((select private from public.item_group where id = new.item_group_id), false);
  end if;
  if new.private and new.consented_at is null and new.state = 'released' and (tg_op = 'INSERT' or old.state <> 'released') then
    raise exception 'private line % without consent', new.id using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger mark_line before insert or update of state on exam_line for each row execute function tj.mark_line();

create function tj.mark_result() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  new.private := new.private or coalesce((select private from public.exam_line where id = new.line_id), false)
    or coalesce((select private from public.item where id = new.item_id), false);
  return new;
end $$;
create trigger mark_private before insert on result for each row execute function tj.mark_result();
create trigger mark_private before insert on result_question for each row execute function tj.mark_result();

create function tj.mark_revision() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  new.private := new.private or coalesce((select private from public.result where id = new.result_id), false);
  return new;
end $$;
create trigger mark_private before insert on result_revision for each row execute function tj.mark_revision();

create function tj.mark_made() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  new.private := exists (select from public.result r where r.id = any(new.result_ids) and r.private);
  return new;
end $$;
create trigger mark_private before insert or update of result_ids on department_sheet_line for each row execute function tj.mark_made();

create function tj.mark_alert() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  -- one of a value that no line took names no result: whoever raises it says so
  new.private := new.private or exists (select from public.result r where r.id = any(new.result_ids) and r.private);
  return new;
end $$;
create trigger mark_private before insert or update of result_ids on critical_value for each row execute function tj.mark_alert();
create trigger mark_private before insert or update of result_ids on conclusion_entry for each row execute function tj.mark_alert();

revoke all on function tj.private_of(), tj.private_ordered(), tj.mark_group(), tj.mark_line(), tj.mark_result(), tj.mark_revision(), tj.mark_made(), tj.mark_alert()
  from public;
grant execute on function tj.private_of(), tj.private_ordered() to {p}_app, {p}_reader, {p}_worker;

update item set private = true where code in ({codes});

create policy private_read on exam_line as restrictive for select to {p}_reader using (not private or (select tj.private_ordered()) or {mine});
create policy private_read on result as restrictive for select to {p}_reader using (not private or {mine});
create policy private_read on result_revision as restrictive for select to {p}_reader using (not private or {mine});
create policy private_read on result_question as restrictive for select to {p}_reader using (not private or {mine});
create policy private_read on department_sheet_line as restrictive for select to {p}_reader using (not private or {mine});
create policy private_read on conclusion_entry as restrictive for select to {p}_reader using (not private or (select tj.private_of()) is null);
create policy private_read on report as restrictive for select to {p}_reader using (kind = 'main' or (select tj.private_of()) is null);
-- what names a line goes with it
create policy private_read on exam_line_step as restrictive for select to {p}_reader
  using (exists (select from exam_line l where l.id = exam_line_step.line_id));
create policy private_read on requisition_line as restrictive for select to {p}_reader
  using (exists (select from exam_line l where l.id = requisition_line.exam_line_id));
create policy private_read on tube_line as restrictive for select to {p}_reader
  using (exists (select from exam_line l where l.id = tube_line.exam_line_id));
create policy private_read on exam_block as restrictive for select to {p}_reader using (
  source not like 'line:%' or exists (select from exam_line l where l.exam_id = exam_block.exam_id and 'line:' || l.id = source));
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    for table in MARKED:
        op.add_column(table, sa.Column("private", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("exam_line", sa.Column("consented_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck_exam_line_step_action"), "exam_line_step", type_="check")
    op.create_check_constraint(
        op.f("ck_exam_line_step_action"), "exam_line_step", f"action in {ACTIONS}", postgresql_not_valid=True
    )
    op.add_column("report", sa.Column("kind", sa.String(), server_default="main", nullable=False))
    op.create_check_constraint(
        op.f("ck_report_kind"), "report", "kind in ('main', 'private')", postgresql_not_valid=True
    )
    mine = "(select tj.private_of()) is null or department_id = any((select tj.private_of())::smallint[])"
    codes = ", ".join(f"'{code}'" for code in SHIPPED)
    run = op.get_bind().exec_driver_sql
    for statement in statements(SQL.replace("{p}", prefix).replace("{mine}", mine).replace("{codes}", codes)):
        run(statement)
