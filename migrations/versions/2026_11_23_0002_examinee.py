"""Identity: more kinds of ID, look-up keys, photos."""

revision = "0006_examinee"
down_revision = "0005_catalog"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
