"""Outside laboratories, to which specimens are sent."""

import sqlalchemy as sa
from alembic import op

revision = "0023_catalog_outside_lab"
down_revision = "0022_requisition_custody"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outside_lab",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_lab")),
        sa.UniqueConstraint("code", name=op.f("uq_outside_lab_code")),
    )
