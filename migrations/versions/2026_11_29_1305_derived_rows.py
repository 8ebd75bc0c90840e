"""What is derived names what it was made of, becomes stale with it, and is signed, finalized, sealed or published by nobody while it is.

A finalized exam is opened again by a named command; a report that something came after says so.
"""

import json

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table, statements

revision = "0027_derived_rows"
down_revision = "0026_result_question"
branch_labels = None
depends_on = None

CONCLUSION_MOVES = {"draft": ["initial_signed"], "initial_signed": ["finalized", "draft"], "finalized": ["draft"]}
REPORT_MOVES = {
    "rendering": ["generated", "failed"], "failed": [], "generated": ["sealed", "failed"], "sealed": ["published", "failed"],
    "published": ["superseded", "recalled"], "superseded": [], "recalled": [],
}  # fmt: skip
ACTIONS = "('written', 'generated', 'remade', 'signed', 'returned', 'finalized', 'reopened')"
FAILURES = "('results_changed', 'no_seal', 'seal_invalid', 'not_rendered', 'reviewed_again')"
SHEET_ACTIONS = "('signed', 'reopened', 'revoked')"
FUNCTIONS = """
-- the summaries of departments and what two people conclude are signed on what is there now
create function tj.refuse_stale_sheet() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.state = 'signed' and old.state is distinct from new.state and (new.stale or exists (
      select from public.department_sheet_line l
      where l.exam_id = new.exam_id and l.department_id = new.department_id and l.stale and not l.removed)) then
    raise exception 'what is signed is stale' using errcode = 'check_violation';
  end if;
  return new;
end $$;

create function tj.refuse_stale_conclusion() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.state in ('initial_signed', 'finalized') and old.state is distinct from new.state and (new.overview_stale
      or exists (select from public.conclusion_entry e where e.exam_id = new.exam_id and e.stale)
      or exists (select from public.department_sheet s where s.exam_id = new.exam_id and s.stale)) then
    raise exception 'what is signed is stale' using errcode = 'check_violation';
  end if;
  return new;
end $$;

create function tj.refuse_unsigned_report() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.state in ('sealed', 'published') and old.state is distinct from new.state
      and not exists (select from public.conclusion c where c.exam_id = new.exam_id and c.state = 'finalized'
        and c.version = coalesce(new.conclusion_version, c.version)) then
    raise exception 'what the report says is signed by nobody' using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- a flag and its range follow the sex, the birth date and the day that are corrected; the value of a revision never changes
create function tj.judge_anew(p_revision_id uuid, p_flag text, p_range jsonb) returns void language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare held public.result_revision;
begin
  select * into held from public.result_revision where id = p_revision_id;
  if held.id is null or not held.campus_id = any(tj.campuses()) then
    raise exception 'no such revision' using errcode = 'insufficient_privilege';
  end if;
  insert into public.result_flag_step (revision_id, seq, campus_id, exam_id, department_id, flag, range_snapshot, at)
  values (held.id, (select count(*) + 1 from public.result_flag_step f where f.revision_id = held.id), held.campus_id, held.exam_id,
    held.department_id, held.flag, held.range_snapshot, clock_timestamp());
  update public.result_revision set flag = p_flag, range_snapshot = p_range where id = p_revision_id;
end $$;

-- nobody may change a revision; its flag follows through `tj.judge_anew` alone, which keeps what it was
create function tj.refuse_other_change() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'DELETE' or to_jsonb(old) - 'flag' - 'range_snapshot' is distinct from to_jsonb(new) - 'flag' - 'range_snapshot'
      or not exists (select from public.result_flag_step f where f.revision_id = old.id and f.flag is not distinct from old.flag
        and f.range_snapshot is not distinct from old.range_snapshot) then
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;

-- asked by whoever holds a printed report: nothing but what became of it
create function tj.report_state(p_code text)
returns table (state text, version int, published_at timestamptz, recalled_at timestamptz, outdated_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select case when r.state = 'recalled' and exists (
      select from public.report l where l.exam_id = r.exam_id and l.version > r.version and l.state = 'published'
    ) then 'superseded' else r.state end, r.version, r.published_at, r.recalled_at, r.outdated_at
  from public.report r where r.verify_code = p_code and r.published_at is not null
$$;
"""


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    texts, ids = postgresql.ARRAY(sa.String()), postgresql.ARRAY(sa.Uuid())
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql

    op.add_column("exam", sa.Column("knowledge_version_id", sa.Uuid(), nullable=True))
    op.add_column("exam", sa.Column("facts_version", sa.Integer(), server_default="0", nullable=False))
    run("update exam e set knowledge_version_id = c.knowledge_version_id from conclusion c where c.exam_id = e.id")
    op.create_table(
        "exam_facts_step",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("pregnant", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_exam_facts_step_exam_id")),
        sa.PrimaryKeyConstraint("exam_id", "version", name=op.f("pk_exam_facts_step")),
    )
    guard_table(run, "exam_facts_step", prefix, append_only=True)

    op.create_table(
        "result_flag_step",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.SmallInteger(), nullable=False),
        sa.Column("flag", sa.String(), nullable=True),
        sa.Column("range_snapshot", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["result_revision.id"], name=op.f("fk_result_flag_step_revision_id")),
        sa.PrimaryKeyConstraint("revision_id", "seq", name=op.f("pk_result_flag_step")),
    )
    guard_table(run, "result_flag_step", prefix, append_only=True)
    run(f"revoke insert on result_flag_step from {prefix}_app, {prefix}_worker")

    op.add_column("department_sheet", sa.Column("by_hand", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("department_sheet", sa.Column("made_of", sa.String(), nullable=True))
    op.add_column("department_sheet", sa.Column("stale", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("department_sheet_line", sa.Column("made_of", sa.String(), nullable=True))
    op.add_column(
        "department_sheet_line", sa.Column("revision_ids", ids, server_default=sa.text("'{}'"), nullable=False)
    )
    op.drop_constraint(op.f("ck_department_sheet_step_action"), "department_sheet_step")
    op.create_check_constraint(
        op.f("ck_department_sheet_step_action"), "department_sheet_step", f"action in {SHEET_ACTIONS}"
    )

    op.add_column("conclusion", sa.Column("overview_made_of", sa.String(), nullable=True))
    op.add_column("conclusion", sa.Column("overview_stale", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "conclusion", sa.Column("removed_made_of", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column("conclusion", sa.Column("reopened_at", moment, nullable=True))
    op.add_column("conclusion_entry", sa.Column("keys", texts, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("conclusion_entry", sa.Column("made_of", sa.String(), nullable=True))
    op.add_column("conclusion_entry", sa.Column("found_ids", ids, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("conclusion_entry", sa.Column("revision_ids", ids, server_default=sa.text("'{}'"), nullable=False))
    run("alter table conclusion_entry disable trigger refuse_finalized")
    run("update conclusion_entry set keys = array[key], found_ids = result_ids where key is not null")
    run("alter table conclusion_entry enable trigger refuse_finalized")
    op.drop_constraint(op.f("ck_conclusion_step_action"), "conclusion_step")
    op.create_check_constraint(op.f("ck_conclusion_step_action"), "conclusion_step", f"action in {ACTIONS}")

    op.add_column("report", sa.Column("outdated_at", moment, nullable=True))
    op.add_column("report", sa.Column("conclusion_version", sa.Integer(), nullable=True))
    run(
        "update report r set outdated_at = now() where state = 'published'"
        " and exists (select from amendment_task t where t.exam_id = r.exam_id and t.state = 'open')"
    )
    op.drop_constraint(op.f("ck_report_failure"), "report")
    op.create_check_constraint(op.f("ck_report_failure"), "report", f"failure in {FAILURES}")
    run("drop function tj.report_state(text)")
    for statement in statements(FUNCTIONS):
        run(statement)
    run("revoke execute on all functions in schema tj from public")
    run(f"grant execute on function tj.report_state(text) to {prefix}_app, {prefix}_reader")
    run(f"grant execute on function tj.judge_anew(uuid, text, jsonb) to {prefix}_app, {prefix}_worker")
    run("drop trigger refuse_change on result_revision")
    run(
        "create trigger refuse_change before update or delete on result_revision for each row execute function tj.refuse_other_change()"
    )
    for table, moves in (("conclusion", CONCLUSION_MOVES), ("report", REPORT_MOVES)):
        run(f"drop trigger guard_state on {table}")
        run(
            f"create trigger guard_state before update of state on {table} for each row"
            f" execute function tj.guard_state('{json.dumps(moves)}')"
        )
    for table, guard in (
        ("department_sheet", "refuse_stale_sheet"), ("conclusion", "refuse_stale_conclusion"), ("report", "refuse_unsigned_report"),
    ):  # fmt: skip
        run(f"create trigger {guard} before update of state on {table} for each row execute function tj.{guard}()")
