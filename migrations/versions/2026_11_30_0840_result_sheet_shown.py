"""A department's sheet says what its version shows of the exam: what changes that from outside moves the version."""

import sqlalchemy as sa
from alembic import op

revision = "0046_result_sheet_shown"
down_revision = "0045_conclusion_task_of_past"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("department_sheet", sa.Column("shown", sa.String(), nullable=True))
