"""Multi-selects among the kinds of items; item groups that do not fit everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0005_catalog"
down_revision = "0004_knowledge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_item_kind"), "item", type_="check")
    op.create_check_constraint(
        op.f("ck_item_kind"),
        "item",
        "kind in ('numeric', 'qualitative', 'enumerated', 'multi_select', 'text', 'computed')",
    )
    op.add_column("item_group", sa.Column("sex", sa.String(), server_default="any", nullable=False))
    op.create_check_constraint(op.f("ck_item_group_sex"), "item_group", "sex in ('any', 'male', 'female')")
