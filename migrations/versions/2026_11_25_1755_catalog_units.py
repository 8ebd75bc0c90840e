"""Units in which a laboratory may report an item, and what was converted, beside the value."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_item_unit"
down_revision = "0014_guidance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_unit",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("factor", sa.Numeric(), nullable=False),
        sa.Column("addend", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("verified", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("factor > 0", name=op.f("ck_item_unit_factor")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_unit_item_id")),
        sa.PrimaryKeyConstraint("item_id", "unit", name=op.f("pk_item_unit")),
    )
    op.add_column("result_revision", sa.Column("conversion", postgresql.JSONB(), nullable=True))
