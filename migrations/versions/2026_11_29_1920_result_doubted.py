"""That a value could hardly be when it was recorded is kept with it, so that it is asked about whenever it is current."""

import sqlalchemy as sa
from alembic import op

revision = "0041_result_doubted"
down_revision = "0040_exam_step_by_offer"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("result_revision", sa.Column("doubted", sa.Boolean(), server_default=sa.false(), nullable=False))
