"""Appointments: calendars, the counters that nobody overdraws, who has a place and who waits for one."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table, statements

revision = "0015_appointment"
down_revision = "0014_guidance"
branch_labels = None
depends_on = None

MOVES = '{"held":["booked","cancelled"],"booked":["arrived","cancelled","no_show"],"no_show":["arrived","booked"],"arrived":[],"cancelled":[]}'
WAIT_MOVES = (
    '{"waiting":["lapsed","left","offered"],"offered":["booked","lapsed","left"],"booked":[],"lapsed":[],"left":[]}'
)
# What there is and how much of it is free is nobody's secret from an examinee who wants a place; who has one is.
SHOWN = (
    "appointment_policy",
    "appointment_session",
    "appointment_resource",
    "appointment_day",
    "appointment_day_capacity",
    "appointment_slot",
)
OWN = ("appointment", "appointment_wait")
GUARD = """
-- whatever path a place is taken on: there must be one. A capacity that sinks below what is taken only takes nobody more.
create function tj.guard_capacity() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.taken > new.capacity and (tg_op = 'INSERT' or new.taken > old.taken) then
    raise exception 'no place left in this %', tg_table_name using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger guard_capacity before insert or update on appointment_slot for each row execute function tj.guard_capacity();
create trigger guard_state before update of state on appointment for each row execute function tj.guard_state('{moves}');
create trigger guard_state before update of state on appointment_wait for each row execute function tj.guard_state('{wait_moves}');
revoke delete on appointment, appointment_slot, appointment_wait, appointment_session, appointment_resource from {p}_app, {p}_worker;
"""


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.add_column("item_group", sa.Column("resource", sa.String(), nullable=True))
    op.create_table(
        "appointment_day",
        sa.Column("campus_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("as_weekday", sa.SmallInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.CheckConstraint("as_weekday between 1 and 7", name=op.f("ck_appointment_day_as_weekday")),
        sa.PrimaryKeyConstraint("campus_id", "day", name=op.f("pk_appointment_day")),
    )
    op.create_table(
        "appointment_policy",
        sa.Column("campus_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("hold_minutes", sa.Integer(), server_default="10", nullable=False),
        sa.Column("offer_minutes", sa.Integer(), server_default="120", nullable=False),
        sa.Column("horizon_days", sa.Integer(), server_default="90", nullable=False),
        sa.Column("walk_ins", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("online", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint(
            "hold_minutes > 0 and offer_minutes > 0 and horizon_days >= 0", name=op.f("ck_appointment_policy_times")
        ),
        sa.PrimaryKeyConstraint("campus_id", name=op.f("pk_appointment_policy")),
    )
    op.create_table(
        "appointment_resource",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("per", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("per in ('day', 'session')", name=op.f("ck_appointment_resource_per")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_appointment_resource_capacity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_resource")),
        sa.UniqueConstraint("campus_id", "code", name=op.f("uq_appointment_resource_campus_id_code")),
    )
    op.create_table(
        "appointment_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("ends_at", sa.Time(), nullable=False),
        sa.Column("sex", sa.String(), server_default="any", nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("sex in ('any', 'male', 'female')", name=op.f("ck_appointment_session_sex")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_appointment_session_capacity")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_appointment_session_times")),
        sa.CheckConstraint("weekday between 1 and 7", name=op.f("ck_appointment_session_weekday")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_session")),
        sa.UniqueConstraint(
            "campus_id",
            "weekday",
            "starts_at",
            "sex",
            name=op.f("uq_appointment_session_campus_id_weekday_starts_at_sex"),
        ),
    )
    op.create_table(
        "appointment_wait",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("examinee_id", sa.Uuid(), nullable=False),
        sa.Column("day_from", sa.Date(), nullable=False),
        sa.Column("day_to", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=True),
        sa.Column("resources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("joined_at", moment, nullable=False),
        sa.Column("offered_at", moment, nullable=True),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'offered', 'booked', 'lapsed', 'left')", name=op.f("ck_appointment_wait_state")
        ),
        sa.CheckConstraint("day_from <= day_to", name=op.f("ck_appointment_wait_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_wait")),
    )
    op.create_index("ix_appointment_wait_examinee", "appointment_wait", ["examinee_id"], unique=False)
    op.create_index(
        "ix_appointment_wait_line",
        "appointment_wait",
        ["campus_id", "joined_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("examinee_id", sa.Uuid(), nullable=True),
        sa.Column("exam_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("session_name", sa.String(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("ends_at", sa.Time(), nullable=False),
        sa.Column("resources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("arrived_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(state = 'held') <= (expires_at is not null)", name=op.f("ck_appointment_holds_expire")),
        sa.CheckConstraint("source in ('desk', 'portal', 'batch', 'waiting_list')", name=op.f("ck_appointment_source")),
        sa.CheckConstraint(
            "state = 'held' or state = 'cancelled' or examinee_id is not null",
            name=op.f("ck_appointment_booked_for_somebody"),
        ),
        sa.CheckConstraint(
            "state in ('held', 'booked', 'no_show', 'arrived', 'cancelled')", name=op.f("ck_appointment_state")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["appointment_session.id"], name=op.f("fk_appointment_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index("ix_appointment_campus_day", "appointment", ["campus_id", "day", "id"], unique=False)
    op.create_index(
        "ix_appointment_due", "appointment", ["day"], unique=False, postgresql_where=sa.text("state = 'booked'")
    )
    op.create_index("ix_appointment_examinee", "appointment", ["examinee_id", "day"], unique=False)
    op.create_index(
        "ix_appointment_held",
        "appointment",
        ["campus_id", "day"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index(
        "uq_appointment_exam",
        "appointment",
        ["exam_id"],
        unique=True,
        postgresql_where=sa.text("state in ('booked', 'arrived', 'no_show')"),
    )
    op.create_index(
        "uq_appointment_person_day",
        "appointment",
        ["campus_id", "examinee_id", "day"],
        unique=True,
        postgresql_where=sa.text("state in ('booked', 'arrived')"),
    )
    op.create_table(
        "appointment_day_capacity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(session_id is null) <> (resource_id is null)", name=op.f("ck_appointment_day_capacity_of_one")
        ),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_appointment_day_capacity_capacity")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["appointment_resource.id"], name=op.f("fk_appointment_day_capacity_resource_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["appointment_session.id"], name=op.f("fk_appointment_day_capacity_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_day_capacity")),
        sa.UniqueConstraint(
            "campus_id",
            "day",
            "session_id",
            "resource_id",
            name="uq_appointment_day_capacity",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "appointment_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("taken >= 0 and capacity >= 0", name=op.f("ck_appointment_slot_counts")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["appointment_resource.id"], name=op.f("fk_appointment_slot_resource_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["appointment_session.id"], name=op.f("fk_appointment_slot_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_slot")),
        sa.UniqueConstraint(
            "campus_id",
            "day",
            "session_id",
            "resource_id",
            name="uq_appointment_slot",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "appointment_place",
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_appointment_place_appointment_id")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["appointment_slot.id"], name=op.f("fk_appointment_place_slot_id")),
        sa.PrimaryKeyConstraint("appointment_id", "slot_id", name=op.f("pk_appointment_place")),
    )
    op.create_index(op.f("ix_appointment_place_slot_id"), "appointment_place", ["slot_id"], unique=False)
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    for table in (*SHOWN, "appointment_place"):
        guard_table(run, table, prefix)
    for table in OWN:
        guard_table(run, table, prefix, own="examinee_id")
    logins = ", ".join(f"{prefix}_{role}" for role in ("app", "reader", "worker"))
    for table in SHOWN:
        run(f"create policy shown on {table} for select to {logins} using ((select tj.subject()) is not null)")
    script = GUARD.replace("{moves}", MOVES).replace("{wait_moves}", WAIT_MOVES).replace("{p}", prefix)
    for statement in statements(script):
        run(statement)
