"""A reference range may be for who is pregnant alone. Two of one item overlap only where both are, or neither is.

And an item says whether a range that its laboratory sends goes before ours: what no row says today, so that none is judged otherwise.
"""

import sqlalchemy as sa
from alembic import op

revision = "0050_catalog_range_pregnant"
down_revision = "0049_knowledge_signed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("item_range", sa.Column("pregnant", sa.Boolean(), server_default="false", nullable=False))
    op.create_check_constraint(op.f("ck_item_range_pregnant"), "item_range", "not pregnant or sex <> 'male'")
    op.add_column("item", sa.Column("laboratory_first", sa.Boolean(), server_default="false", nullable=False))
    op.drop_constraint("ex_item_range_overlap", "item_range")
    op.execute("""
        alter table item_range add constraint ex_item_range_overlap exclude using gist (
          item_id with =, sex with =, method with =, pregnant with =,
          int4range(age_from_days, age_to_days, '[]') with &&, daterange(valid_from, valid_to, '[]') with &&
        )
    """)
