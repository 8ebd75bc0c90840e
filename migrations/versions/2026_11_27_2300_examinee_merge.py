"""People entered twice: who was merged into whom, what followed, and who was found to be somebody else."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import statements

revision = "0018_examinee_merge"
down_revision = "0017_idempotency_rows"
branch_labels = None
depends_on = None

# Every table with a column `examinee_id` and a campus: who has rows there is known to that campus.
KNOWN = ("exam", "report", "critical_value", "member", "appointment", "appointment_wait", "portal_session")
# What never changes its owner but by a merge; a member and an appointment are given one when they are booked.
OWNED = ("exam", "report", "critical_value", "examinee_identifier", "examinee_photo")

FUNCTIONS = """
-- does the caller hold every campus that knows one of these people? Whoever moves what is theirs must see all of it
create function tj.covers(p_people uuid[]) returns boolean language sql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
  select not exists (
    select from (select campus_id from public.examinee_campus where examinee_id = any(p_people) {known}) k
    where not k.campus_id = any(tj.campuses()))
$$;

-- whoever sees somebody who was merged sees whom they were merged into: the campuses of the one have met the other by that
create function tj.link_merged(p_survivor uuid) returns void language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  if not tj.covers(array(select id from public.examinee where id = p_survivor or merged_into_id = p_survivor)) then
    raise exception 'a campus that is not held knows one of them' using errcode = 'insufficient_privilege';
  end if;
  insert into public.examinee_campus (examinee_id, campus_id, first_met_at, by_merge)
  select distinct p_survivor, m.campus_id, clock_timestamp(), true
  from public.examinee e join public.examinee_campus m on m.examinee_id = e.id where e.merged_into_id = p_survivor
  on conflict do nothing;
end $$;

-- and no longer, once that is undone, unless they have been there themselves since
create function tj.unlink_merged(p_survivor uuid) returns void language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  if not tj.covers(array[p_survivor]) then
    raise exception 'a campus that is not held knows them' using errcode = 'insufficient_privilege';
  end if;
  delete from public.examinee_campus m where m.examinee_id = p_survivor and m.by_merge
    and not exists (
      select from public.examinee e join public.examinee_campus o on o.examinee_id = e.id
      where e.merged_into_id = p_survivor and o.campus_id = m.campus_id)
    {unknown};
end $$;

-- a document finds the entry that has it, and with it the one that this was merged into
create or replace function tj.meet_examinee(p_id_kind text, p_id_index bytea, p_campus_id smallint) returns uuid language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare found uuid; survivor uuid;
begin
  if not p_campus_id = any(tj.campuses()) then
    return null;
  end if;
  select id, merged_into_id into found, survivor from public.examinee where id_kind = p_id_kind and id_number_index = p_id_index;
  if found is not null then
    insert into public.examinee_campus as m (examinee_id, campus_id, first_met_at) values (found, p_campus_id, clock_timestamp())
    on conflict (examinee_id, campus_id) do update set by_merge = false where m.by_merge;
    if survivor is not null then
      insert into public.examinee_campus (examinee_id, campus_id, first_met_at, by_merge) values (survivor, p_campus_id, clock_timestamp(), true)
      on conflict do nothing;
    end if;
    perform tj.audit('examinee.met', 'examinee', found::text, p_campus_id, '{}', '');
  end if;
  return found;
end $$;

-- one step leads from an entry to whom it stands for
create function tj.guard_merged() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select from public.examinee where id = new.merged_into_id and merged_into_id is not null)
    or (new.merged_into_id is not null and exists (select from public.examinee where merged_into_id = new.id)) then
    raise exception 'merged into somebody who is merged' using errcode = 'check_violation';
  end if;
  return null;
end $$;

-- nothing goes from one person to another without a merge of the two
create function tj.guard_owner() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if (tg_nargs > 0 or new.examinee_id <> old.examinee_id) and not exists (
    select from public.examinee_merge m
    where (m.merged_id, m.survivor_id) in ((old.examinee_id, new.examinee_id), (new.examinee_id, old.examinee_id))) then
    raise exception 'a row of % goes to somebody else by a merge alone', tg_table_name using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
"""
GUARDS = """
create trigger guard_merged after update of merged_into_id on examinee for each row execute function tj.guard_merged();
drop trigger refuse_change on examinee_photo;
create trigger refuse_change before delete on examinee_photo for each row execute function tj.refuse_change();
grant update (examinee_id, version) on examinee_photo to {p}_app, {p}_worker;
grant update (examinee_id) on examinee_identifier to {p}_app, {p}_worker;
revoke update, delete on examinee_merge, examinee_merge_row, examinee_distinction from {p}_app, {p}_worker;
grant update (undone_by, undone_by_name, undone_at, undo_reason) on examinee_merge to {p}_app, {p}_worker;
grant update (withdrawn_by, withdrawn_at) on examinee_distinction to {p}_app, {p}_worker;
revoke execute on function tj.covers(uuid[]), tj.link_merged(uuid), tj.unlink_merged(uuid), tj.guard_merged(), tj.guard_owner() from public;
grant execute on function tj.covers(uuid[]), tj.link_merged(uuid), tj.unlink_merged(uuid) to {p}_app, {p}_worker;
"""


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.add_column("examinee", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_examinee_merged_into_id"), "examinee", "examinee", ["merged_into_id"], ["id"])
    op.create_check_constraint(op.f("ck_examinee_merged_into"), "examinee", "merged_into_id <> id")
    op.drop_index("ix_examinee_phone_index", "examinee")
    op.create_index("ix_examinee_phone_index", "examinee", ["phone_index", "id"])
    op.create_index("ix_examinee_birth_date", "examinee", ["birth_date"])
    op.create_index(
        "ix_examinee_merged_into",
        "examinee",
        ["merged_into_id"],
        postgresql_where=sa.text("merged_into_id is not null"),
    )
    op.add_column(
        "examinee_campus", sa.Column("by_merge", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_index(
        "ix_member_examinee", "member", ["examinee_id"], postgresql_where=sa.text("examinee_id is not null")
    )
    op.create_index("ix_critical_value_examinee", "critical_value", ["examinee_id"])
    op.create_table(
        "examinee_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merged_id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("contradictions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=False),
        sa.Column("merged_by_name", sa.String(), nullable=False),
        sa.Column("merged_at", moment, nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_by_name", sa.String(), nullable=True),
        sa.Column("undone_at", moment, nullable=True),
        sa.Column("undo_reason", sa.String(), nullable=True),
        sa.CheckConstraint("merged_id <> survivor_id", name=op.f("ck_examinee_merge_of_two")),
        sa.CheckConstraint(
            "(undone_at is null) = (undone_by is null) and (undone_at is null) = (undo_reason is null)",
            name=op.f("ck_examinee_merge_undone"),
        ),
        sa.ForeignKeyConstraint(["merged_id"], ["examinee.id"], name=op.f("fk_examinee_merge_merged_id")),
        sa.ForeignKeyConstraint(["survivor_id"], ["examinee.id"], name=op.f("fk_examinee_merge_survivor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinee_merge")),
    )
    op.create_index(
        "uq_examinee_merge_merged",
        "examinee_merge",
        ["merged_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_index("ix_examinee_merge_survivor", "examinee_merge", ["survivor_id"])
    op.create_table(
        "examinee_merge_row",
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=False),
        sa.Column("became", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["merge_id"], ["examinee_merge.id"], name=op.f("fk_examinee_merge_row_merge_id")),
        sa.PrimaryKeyConstraint("merge_id", "table_name", "row_key", name=op.f("pk_examinee_merge_row")),
    )
    op.create_table(
        "examinee_distinction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by_name", sa.String(), nullable=False),
        sa.Column("decided_at", moment, nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_examinee_distinction_order")),
        sa.CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_by is null)", name=op.f("ck_examinee_distinction_withdrawn")
        ),
        sa.ForeignKeyConstraint(["first_id"], ["examinee.id"], name=op.f("fk_examinee_distinction_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["examinee.id"], name=op.f("fk_examinee_distinction_second_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinee_distinction")),
    )
    op.create_index(
        "uq_examinee_distinction_pair", "examinee_distinction", ["first_id", "second_id"], unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )  # fmt: skip
    op.create_index("ix_examinee_distinction_second", "examinee_distinction", ["second_id"])
    _guard()


def _guard() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    logins = f"{prefix}_app, {prefix}_reader, {prefix}_worker"
    run = op.get_bind().exec_driver_sql
    known = " ".join(
        f"union all select campus_id from public.{table} where examinee_id = any(p_people)" for table in KNOWN
    )
    unknown = " ".join(
        f"and not exists (select from public.{table} t where t.examinee_id = p_survivor and t.campus_id = m.campus_id)"
        for table in KNOWN
    )
    functions = FUNCTIONS.replace("{known}", known).replace("{unknown}", unknown)
    for statement in statements(functions):
        run(statement)
    for statement in statements(GUARDS.replace("{p}", prefix)):
        run(statement)
    for table in OWNED:
        # Of a photo nothing at all changes otherwise.
        when, more = ("", "'always'") if table == "examinee_photo" else (" of examinee_id", "")
        run(
            f"create trigger guard_owner before update{when} on {table} for each row execute function tj.guard_owner({more})"
        )
    mine = "(select tj.campuses())::smallint[]"

    def met(person: str) -> str:
        return f"exists (select from examinee_campus m where m.examinee_id = {person} and m.campus_id = any({mine}) offset 0)"

    seen = {
        "examinee_merge": f"{met('merged_id')} and {met('survivor_id')}",
        "examinee_merge_row": "exists (select from examinee_merge m where m.id = merge_id)",
        "examinee_distinction": f"{met('first_id')} and {met('second_id')}",
    }
    for table, sees in seen.items():
        run(f"alter table {table} enable row level security")
        run(f"alter table {table} force row level security")
        run(f"create policy owner on {table} to {prefix}_owner using (true) with check (true)")
        run(f"create policy met on {table} to {logins} using ({sees}) with check ({sees})")
