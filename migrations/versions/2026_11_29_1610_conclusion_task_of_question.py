"""A task is raised by a value that came late, or by one that came late and nobody could read."""

import sqlalchemy as sa
from alembic import op

revision = "0036_conclusion_task_of_question"
down_revision = "0035_inbox_sender"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("amendment_task", "result_id", existing_type=sa.Uuid(), nullable=True)
    op.alter_column("amendment_task", "revision_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("amendment_task", sa.Column("question_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(
        op.f("ck_amendment_task_reason"), "amendment_task", "(revision_id is null) <> (question_id is null)"
    )
    op.create_unique_constraint(
        op.f("uq_amendment_task_exam_id_question_id"), "amendment_task", ["exam_id", "question_id"]
    )
