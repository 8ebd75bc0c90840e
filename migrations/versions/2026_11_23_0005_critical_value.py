"""Critical values and what was done about them."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0009_critical_value"
down_revision = "0008_result"
branch_labels = None
depends_on = None

MOVES = (
    '{"detected":["confirmed","dismissed","superseded"],"confirmed":["notifying","notified"],"notifying":["notified","closed"],'
    '"notified":["in_follow_up","closed"],"in_follow_up":["closed"],"dismissed":[],"closed":[],"superseded":[]}'
)
STATES = "('detected', 'confirmed', 'dismissed', 'notifying', 'notified', 'in_follow_up', 'closed', 'superseded')"


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "critical_value",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("examinee_id", sa.Uuid(), nullable=False),
        sa.Column("exam_no", sa.String(), nullable=False),
        sa.Column("department_id", sa.SmallInteger(), nullable=False),
        sa.Column("rule_code", sa.String(), nullable=False),
        sa.Column("rule_name", sa.String(), nullable=False),
        sa.Column("important_class", sa.String(), nullable=False),
        sa.Column("knowledge_version_id", sa.Uuid(), nullable=False),
        sa.Column("event_key", sa.String(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("action", sa.String(), server_default="", nullable=False),
        sa.Column("result_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("revision_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("supersedes", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("detected_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("corrected_at", moment, nullable=True),
        sa.Column("escalation_level", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("escalated_at", moment, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint(f"state in {STATES}", name=op.f("ck_critical_value_state")),
        sa.CheckConstraint("important_class in ('A', 'B')", name=op.f("ck_critical_value_important_class")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_critical_value")),
        sa.UniqueConstraint(
            "exam_id", "rule_code", "event_key", name=op.f("uq_critical_value_exam_id_rule_code_event_key")
        ),
    )
    op.create_index(
        op.f("ix_critical_value_open"), "critical_value", ["due_at", "id"],
        postgresql_where=sa.text("state not in ('closed', 'dismissed', 'superseded')"),
    )  # fmt: skip
    op.create_index(op.f("ix_critical_value_exam"), "critical_value", ["exam_id"])
    op.create_table(
        "critical_step",
        sa.Column("critical_value_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("told", sa.String(), nullable=True),
        sa.Column("read_back", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "channel in ('phone', 'in_person', 'sms', 'wechat', 'other')", name=op.f("ck_critical_step_channel")
        ),
        sa.ForeignKeyConstraint(
            ["critical_value_id"], ["critical_value.id"], name=op.f("fk_critical_step_critical_value_id")
        ),
        sa.PrimaryKeyConstraint("critical_value_id", "version", name=op.f("pk_critical_step")),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "critical_value", prefix)
    guard_table(run, "critical_step", prefix, append_only=True)
    run(f"revoke delete on critical_value from {prefix}_app, {prefix}_worker")
    run(
        "create trigger guard_state before update of state on critical_value for each row"
        f" execute function tj.guard_state('{MOVES}')"
    )
