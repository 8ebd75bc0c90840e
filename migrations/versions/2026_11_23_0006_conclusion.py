"""The review: claims with a lease, conclusions that rules made, and tasks for what came after the final sign-off."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0010_conclusion"
down_revision = "0009_critical_value"
branch_labels = None
depends_on = None

TASK_MOVES = '{"open":["closed"],"closed":[]}'


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    texts = postgresql.ARRAY(sa.String())
    op.add_column("conclusion", sa.Column("knowledge_version_id", sa.Uuid(), nullable=True))
    op.add_column("conclusion", sa.Column("removed_keys", texts, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("conclusion_entry", sa.Column("lifestyle", sa.String(), server_default="", nullable=False))
    op.add_column("conclusion_entry", sa.Column("key", sa.String(), nullable=True))
    op.add_column("conclusion_entry", sa.Column("icd10", sa.String(), nullable=True))
    op.add_column("conclusion_entry", sa.Column("rule_codes", texts, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("conclusion_entry", sa.Column("edited", sa.Boolean(), server_default="true", nullable=False))
    op.add_column("conclusion_entry", sa.Column("stale", sa.Boolean(), server_default="false", nullable=False))
    op.create_unique_constraint(op.f("uq_conclusion_entry_exam_id_key"), "conclusion_entry", ["exam_id", "key"])
    op.drop_constraint(op.f("ck_conclusion_step_action"), "conclusion_step")
    op.create_check_constraint(
        op.f("ck_conclusion_step_action"),
        "conclusion_step",
        "action in ('written', 'generated', 'signed', 'returned', 'finalized')",
    )
    op.create_table(
        "review_claim",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("claimed_at", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("exam_id", name=op.f("pk_review_claim")),
    )
    op.create_table(
        "amendment_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("raised_at", moment, nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", moment, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('open', 'closed')", name=op.f("ck_amendment_task_state")),
        sa.CheckConstraint("(state = 'closed') = (closed_by is not null)", name=op.f("ck_amendment_task_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment_task")),
        sa.UniqueConstraint("exam_id", "revision_id", name=op.f("uq_amendment_task_exam_id_revision_id")),
    )
    op.create_index(
        op.f("ix_amendment_task_open"),
        "amendment_task",
        ["raised_at", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "review_claim", prefix)
    guard_table(run, "amendment_task", prefix)
    run(f"revoke delete on amendment_task from {prefix}_app, {prefix}_worker")
    run(
        "create trigger guard_state before update of state on amendment_task for each row"
        f" execute function tj.guard_state('{TASK_MOVES}')"
    )
