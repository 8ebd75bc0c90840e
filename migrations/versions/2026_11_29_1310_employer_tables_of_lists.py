"""A list's file says which of its tables was read, which others there are, and which a person asked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029_employer_tables_of_lists"
down_revision = "0028_catalog_range_ages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "member_import",
        sa.Column("tables", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("member_import", sa.Column("table_wanted", sa.String(), nullable=True))
    op.add_column("member_import", sa.Column("table_read", sa.String(), nullable=True))
