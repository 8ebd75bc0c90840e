"""Results: lines of a department's summary, and the release of messages by two people."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0008_result"
down_revision = "0007_frontdesk"
branch_labels = None
depends_on = None

RELEASE_MOVES = '{"proposed":["released","rejected"],"released":["rejected"],"rejected":[]}'


def upgrade() -> None:
    op.create_table(
        "department_sheet_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.SmallInteger(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("finding_code", sa.String(), nullable=True),
        sa.Column("rule_codes", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("knowledge_version_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("edited", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("removed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("stale", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("result_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint("origin in ('rule', 'manual')", name=op.f("ck_department_sheet_line_origin")),
        sa.CheckConstraint(
            "(origin = 'rule') = (finding_code is not null)", name=op.f("ck_department_sheet_line_finding")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department_sheet_line")),
        sa.UniqueConstraint(
            "exam_id",
            "department_id",
            "finding_code",
            name=op.f("uq_department_sheet_line_exam_id_department_id_finding_code"),
        ),
    )
    op.create_table(
        "message_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="proposed", nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('proposed', 'released', 'rejected')", name=op.f("ck_message_release_state")),
        sa.CheckConstraint(
            "decided_by is null or decided_by <> proposed_by", name=op.f("ck_message_release_two_people")
        ),
        sa.CheckConstraint("(state = 'proposed') = (decided_by is null)", name=op.f("ck_message_release_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_release")),
    )
    op.create_index(
        "uq_message_release_open", "message_release", ["message_id"], unique=True,
        postgresql_where=sa.text("state in ('proposed', 'released')"),
    )  # fmt: skip
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "department_sheet_line", prefix, department=True)
    guard_table(run, "message_release", prefix)
    run(f"revoke delete on message_release from {prefix}_app, {prefix}_worker")
    run(
        "create trigger guard_state before update of state on message_release for each row"
        f" execute function tj.guard_state('{RELEASE_MOVES}')"
    )
    run(
        "create trigger refuse_finalized before insert or update or delete on department_sheet_line for each row"
        " execute function tj.refuse_finalized()"
    )
