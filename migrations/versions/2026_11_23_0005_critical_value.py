"""Critical values and what is done about them."""

revision = "0009_critical_value"
down_revision = "0008_result"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
