"""Whether who stands here is whose exam this is: identity checks, and what a second person decided."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0020_identity_check"
down_revision = "0019_examinee_guardian"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "identity_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.SmallInteger(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=False),
        sa.Column("checked_by_name", sa.String(), nullable=False),
        sa.Column("checked_at", moment, nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.CheckConstraint("method in ('id_card', 'photo', 'face_match')", name=op.f("ck_identity_check_method")),
        sa.CheckConstraint("outcome in ('same', 'doubtful', 'different')", name=op.f("ck_identity_check_outcome")),
        sa.CheckConstraint("decision in ('same', 'different')", name=op.f("ck_identity_check_decision")),
        sa.CheckConstraint(
            "(method = 'face_match') = (score is not null) and (score is null) = (device is null)",
            name=op.f("ck_identity_check_score"),
        ),
        sa.CheckConstraint("score between 0 and 100", name=op.f("ck_identity_check_score_range")),
        sa.CheckConstraint(
            "(decision is null) = (decided_by is null) and (decision is null) = (decided_at is null) and decided_by <> checked_by",
            name=op.f("ck_identity_check_two_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_check")),
    )
    op.create_index("ix_identity_check_exam", "identity_check", ["exam_id", "id"])
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "identity_check", prefix)
    run(f"revoke update, delete on identity_check from {prefix}_app, {prefix}_worker")
    run(
        "grant update (decision, decision_reason, decided_by, decided_by_name, decided_at) on identity_check"
        f" to {prefix}_app, {prefix}_worker"
    )
