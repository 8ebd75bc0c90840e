"""A finding's advice may know the person: variants of it, each with its condition. The clocks of alerts are policy of a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0051_finding_variants"
down_revision = "0050_catalog_range_pregnant"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("finding", sa.Column("variants", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column(
        "knowledge_version", sa.Column("clocks", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
