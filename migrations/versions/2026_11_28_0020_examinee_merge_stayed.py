"""What came to a survivor after a merge, and stayed there when it was undone, is written down as well."""

import sqlalchemy as sa
from alembic import op

revision = "0025_examinee_merge_stayed"
down_revision = "0024_portal_member"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "examinee_merge_row", sa.Column("stayed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.drop_constraint(op.f("pk_examinee_merge_row"), "examinee_merge_row")
    op.create_primary_key(
        op.f("pk_examinee_merge_row"), "examinee_merge_row", ["merge_id", "table_name", "row_key", "stayed"]
    )
