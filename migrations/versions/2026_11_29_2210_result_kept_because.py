"""A question is answered against what was said, or though that may be critical: the answer keeps why."""

import sqlalchemy as sa
from alembic import op

revision = "0043_result_kept_because"
down_revision = "0042_result_given_up"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("result_question", sa.Column("kept_because", sa.String(), nullable=True))
