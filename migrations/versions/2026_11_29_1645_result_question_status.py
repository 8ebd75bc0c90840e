"""Under which status something was said that nobody could read: a correction is answered by a correction only."""

import sqlalchemy as sa
from alembic import op

revision = "0037_result_question_status"
down_revision = "0036_conclusion_task_of_question"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("result_question", sa.Column("status", sa.String(), nullable=True))
