"""What the starter content needs of the catalog."""

revision = "0005_catalog"
down_revision = "0004_knowledge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
