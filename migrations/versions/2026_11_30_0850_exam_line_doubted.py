"""A line may be in doubt: somebody else was found in the person's place after it was collected or had results."""

import sqlalchemy as sa
from alembic import op

revision = "0047_exam_line_doubted"
down_revision = "0046_conclusion_task_of_person"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exam_line", sa.Column("doubted_by", sa.Uuid(), nullable=True))
