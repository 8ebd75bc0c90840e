"""What a command that prices a campaign's prepared exams anew made of each member."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0033_employer_repricing"
down_revision = "0032_report_proof"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    op.create_table(
        "member_repricing",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("list_no", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("before_fen", sa.Integer(), nullable=False),
        sa.Column("after_fen", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("zh", sa.String(), nullable=True),
        sa.Column("en", sa.String(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("outcome in ('repriced', 'same', 'left_alone')", name=op.f("ck_member_repricing_outcome")),
        sa.CheckConstraint("(outcome = 'left_alone') = (code is not null)", name=op.f("ck_member_repricing_code")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_member_repricing_member_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_member_repricing_campaign_id")),
        sa.PrimaryKeyConstraint("job_id", "member_id", name=op.f("pk_member_repricing")),
    )
    op.create_index(op.f("ix_member_repricing_list"), "member_repricing", ["job_id", "list_no", "member_id"])
    guard_table(run, "member_repricing", prefix, append_only=True)
