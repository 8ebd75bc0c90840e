"""A description that was clicked keeps its codes beside its text: what rules find of it is never guessed anew."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0055_result_coded"
down_revision = "0054_private_marks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("result_revision", sa.Column("coded", postgresql.JSONB(), nullable=True))
