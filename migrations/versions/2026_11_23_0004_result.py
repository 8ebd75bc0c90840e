"""Results: kinds, generated findings, the work queue."""

revision = "0008_result"
down_revision = "0007_frontdesk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
