"""Sealed reports, their links and their verification."""

revision = "0011_report"
down_revision = "0010_conclusion"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
