"""Reference ranges are part of a dated edition; which range goes first is a campus's policy, unless an item says otherwise; a value knows its method.

An item that did not say that its laboratory goes first follows its campus, which does not either until somebody says so.
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0056_ranges_dated"
down_revision = "0055_result_coded"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("ranges", "shipped_ranges"):
        column = sa.Column(name, postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
        op.add_column("knowledge_version", column)
    op.add_column("result_revision", sa.Column("method", sa.String(), server_default="", nullable=False))
    op.alter_column("item", "laboratory_first", server_default=None, nullable=True)
    run = op.get_bind().exec_driver_sql
    run("update item set laboratory_first = null where not laboratory_first")
    op.create_table(
        "range_policy",
        sa.Column("campus_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("laboratory_first", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("campus_id", name=op.f("pk_range_policy")),
    )
    guard_table(run, "range_policy", context.config.attributes.get("role_prefix", "tj"))
