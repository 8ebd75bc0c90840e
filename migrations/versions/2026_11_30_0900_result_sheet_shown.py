"""A department's sheet says what its version shows of the exam: what changes that from outside moves the version."""

import sqlalchemy as sa
from alembic import op

revision = "0048_result_sheet_shown"
down_revision = "0047_exam_line_doubted"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("department_sheet", sa.Column("shown", sa.String(), nullable=True))
