"""A version of the knowledge base is signed by three: its author, the head of the laboratory, the chief physician; and takes effect on a day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0049_knowledge_signed"
down_revision = "0048_result_sheet_shown"
branch_labels = None
depends_on = None

MOVES = '{"draft":["active","scheduled"],"scheduled":["active","scheduled"],"active":["retired"],"retired":["active","scheduled"]}'


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.add_column("knowledge_version", sa.Column("shipped", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("knowledge_version", sa.Column("approved_by", sa.Uuid(), nullable=True))
    op.add_column("knowledge_version", sa.Column("approved_at", moment, nullable=True))
    op.add_column("knowledge_version", sa.Column("signed_by", sa.Uuid(), nullable=True))
    op.add_column("knowledge_version", sa.Column("signed_at", moment, nullable=True))
    op.add_column("knowledge_version", sa.Column("effective_on", sa.Date(), nullable=True))
    run = op.get_bind().exec_driver_sql
    # What shipped before this is known by its note; what somebody put into use before was signed by that.
    run("update knowledge_version set shipped = true where note = '随软件附带的起始内容'")
    run(
        "update knowledge_version set approved_by = created_by, approved_at = created_at, signed_by = activated_by, signed_at = activated_at"
        " where activated_by is not null and not shipped"
    )
    op.drop_constraint("ck_knowledge_version_state", "knowledge_version")
    op.create_check_constraint(
        op.f("ck_knowledge_version_state"), "knowledge_version", "state in ('draft', 'scheduled', 'active', 'retired')"
    )
    run("drop trigger guard_state on knowledge_version")
    run(
        "create trigger guard_state before update of state on knowledge_version for each row"
        f" execute function tj.guard_state('{MOVES}')"
    )
