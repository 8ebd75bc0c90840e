"""A preview remembers against which version of the campaign it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0015_employer_import"
down_revision = "0016_catalog_suitability"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("member_import", sa.Column("campaign_version", sa.Integer(), nullable=True))
