"""Who examined and who verified is kept with a laboratory's value, as the laboratory says it, and printed beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0058_result_signers"
down_revision = "0057_private_words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("examined_by", "verified_by"):
        op.add_column("result_revision", sa.Column(column, sa.String(), server_default="", nullable=False))
