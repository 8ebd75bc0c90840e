"""A message's number belongs to its sender; people may release one by saying how it is read, or that it is good as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0035_inbox_sender"
down_revision = "0034_examinee_travel_permits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A default that is a constant: no row is written anew. What is here has no sender; its number may be anybody's, as before.
    op.add_column("inbox_message", sa.Column("sender", sa.String(), server_default="", nullable=False))
    op.drop_constraint("uq_inbox_message_client_id_source_message_id", "inbox_message", type_="unique")
    op.create_unique_constraint(
        op.f("uq_inbox_message_client_id_source_sender_message_id"), "inbox_message", ["client_id", "source", "sender", "message_id"]
    )  # fmt: skip
    op.alter_column("message_release", "exam_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("message_release", sa.Column("charset", sa.String(), nullable=True))
    op.drop_index("uq_message_release_open", table_name="message_release")
    op.create_index(
        "uq_message_release_open", "message_release", ["message_id"], unique=True, postgresql_where=sa.text("state = 'proposed'")
    )  # fmt: skip
    op.create_index(
        "ix_message_release_message", "message_release", ["message_id", "decided_at"], unique=False,
        postgresql_where=sa.text("state = 'released'"),
    )  # fmt: skip
