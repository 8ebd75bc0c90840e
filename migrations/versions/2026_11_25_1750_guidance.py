"""Rooms, queues, and the guide sheet's way back."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0014_guidance"
down_revision = "0014_employer"
branch_labels = None
depends_on = None

STATES = "('waiting', 'called', 'in_room', 'passed', 'done', 'dropped')"
OPEN = "state in ('called', 'in_room', 'passed', 'waiting')"
MOVES = (
    '{"waiting":["called","dropped"],"called":["called","in_room","passed","dropped"],"in_room":["done","waiting"],'
    '"passed":["waiting","dropped"],"done":[],"dropped":[]}'
)
TABLES = ("room", "room_order", "room_number", "ticket", "sheet_policy", "sheet_return")


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "room",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("department_id", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_room_minutes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("campus_id", "code", name=op.f("uq_room_campus_id_code")),
    )
    op.create_table(
        "room_order",
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("before_id", sa.SmallInteger(), nullable=False),
        sa.Column("after_id", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("before_id <> after_id", name=op.f("ck_room_order_two")),
        sa.PrimaryKeyConstraint("campus_id", "before_id", "after_id", name=op.f("pk_room_order")),
    )
    op.create_table(
        "room_number",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("room_id", "day", name=op.f("pk_room_number")),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("called_name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("turn", moment, nullable=False),
        sa.Column("issued_at", moment, nullable=False),
        sa.Column("called_at", moment, nullable=True),
        sa.Column("calls", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(f"state in {STATES}", name=op.f("ck_ticket_state")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_ticket_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )
    op.create_index(op.f("uq_ticket_open"), "ticket", ["exam_id"], unique=True, postgresql_where=sa.text(OPEN))
    op.create_index(op.f("ix_ticket_queue"), "ticket", ["room_id", "turn"], postgresql_where=sa.text(OPEN))
    op.create_table(
        "sheet_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("mode in ('refuse', 'ask')", name=op.f("ck_sheet_policy_mode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_policy")),
        sa.UniqueConstraint(
            "campus_id", "package_id", name=op.f("uq_sheet_policy_campus_id_package_id"), postgresql_nulls_not_distinct=True
        ),
    )  # fmt: skip
    op.create_table(
        "sheet_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("line_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("returned_by", sa.Uuid(), nullable=False),
        sa.Column("returned_at", moment, nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", moment, nullable=True),
        sa.Column("undone_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_return")),
    )
    op.create_index(
        op.f("uq_sheet_return_standing"), "sheet_return", ["exam_id"], unique=True, postgresql_where=sa.text("undone_at is null")
    )  # fmt: skip
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    for table in TABLES:
        guard_table(run, table, prefix)
    run(f"revoke delete on room, ticket, sheet_policy, sheet_return from {prefix}_app, {prefix}_worker")
    run(
        f"create trigger guard_state before update of state on ticket for each row execute function tj.guard_state('{MOVES}')"
    )
