"""Paper: what is printed, and every print."""

revision = "0007_frontdesk"
down_revision = "0006_examinee"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
