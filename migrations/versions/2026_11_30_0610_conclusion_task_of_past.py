"""A task may be about what a report prints of an earlier exam: one open one of an exam, which says what of it holds no longer."""

import sqlalchemy as sa
from alembic import op

revision = "0045_conclusion_task_of_past"
down_revision = "0044_exam_line_coverings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("amendment_task", sa.Column("past", sa.String(), nullable=True))
    op.drop_constraint(op.f("ck_amendment_task_reason"), "amendment_task")
    op.create_check_constraint(
        op.f("ck_amendment_task_reason"), "amendment_task", "num_nonnulls(revision_id, question_id, past) = 1"
    )
    op.create_index(
        "uq_amendment_task_past",
        "amendment_task",
        ["exam_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open' and past is not null"),
    )
