"""The knowledge base: versions, findings, rules."""

revision = "0004_knowledge"
down_revision = "0003_guards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
