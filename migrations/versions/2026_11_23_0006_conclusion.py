"""The review: claims, generated conclusions, levels."""

revision = "0010_conclusion"
down_revision = "0009_critical_value"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
