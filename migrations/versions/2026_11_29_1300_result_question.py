"""Values that no machine may decide are put to a person; remarks beside values; limits of items."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0026_result_question"
down_revision = "0025_examinee_merge_stayed"
branch_labels = None
depends_on = None

# Of which nobody says that they are normal or abnormal, in installations that have them already.
NOT_JUDGED = (
    "HEIGHT", "WEIGHT", "HIP", "BODYFAT", "GRIP", "VA-R", "VA-L", "VAC-R", "VAC-L", "TCM-PH", "TCM-QX", "TCM-YX", "TCM-YIX", "TCM-TS",
    "TCM-SR", "TCM-XY", "TCM-QY", "TCM-TB", "FIBRO-E", "FIBRO-CAP", "PVR", "ECG-QTC", "ABO", "RHD", "HBSAB", "HBEAB", "HBCAB",
    "TCM-TONGUE", "TCM-COAT", "TCM-TYPE", "TCM-PULSE",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("item", sa.Column("judged", sa.Boolean(), server_default="true", nullable=False))
    op.add_column("item", sa.Column("plausible_low", sa.Numeric(), nullable=True))
    op.add_column("item", sa.Column("plausible_high", sa.Numeric(), nullable=True))
    op.add_column("item", sa.Column("delta_percent", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_item_plausible"), "item", "plausible_low <= plausible_high")
    op.create_check_constraint(op.f("ck_item_delta"), "item", "delta_percent > 0")
    op.execute(sa.text("update item set judged = false where code = any(:codes)").bindparams(codes=list(NOT_JUDGED)))
    op.add_column("result", sa.Column("judged_flag", sa.String(), nullable=True))
    op.create_check_constraint(op.f("ck_result_judged_flag"), "result", "judged_flag in ('', 'A')")
    op.add_column(
        "result_revision",
        sa.Column("remarks", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("result_revision", sa.Column("reason", sa.String(), nullable=True))
    op.create_table(
        "result_question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.String(), nullable=False),
        sa.Column("item_name", sa.String(), nullable=False),
        sa.Column("department_id", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("revision_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("raw_value", sa.String(), nullable=False),
        sa.Column("remarks", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("lis_flags", sa.String(), nullable=True),
        sa.Column("said_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_name", sa.String(), nullable=True),
        sa.Column("how", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind in ('unread', 'contested', 'undetermined', 'implausible')", name=op.f("ck_result_question_kind")
        ),
        sa.CheckConstraint("how in ('person', 'value', 'line')", name=op.f("ck_result_question_how")),
        sa.CheckConstraint("(how is null) = (closed_at is null)", name=op.f("ck_result_question_closing")),
        sa.CheckConstraint("(how = 'person') = (answer is not null)", name=op.f("ck_result_question_answer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_question")),
    )
    op.create_index("ix_result_question_exam", "result_question", ["exam_id"])
    still_open = sa.text("closed_at is null")
    op.create_index("ix_result_question_open", "result_question", ["asked_at", "id"], postgresql_where=still_open)
    op.create_index(
        "uq_result_question_open", "result_question", ["exam_id", "line_id", "item_id", "kind", "key"], unique=True,
        postgresql_where=still_open,
    )  # fmt: skip
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "result_question", prefix, department=True)
    run(f"revoke delete on result_question from {prefix}_app, {prefix}_worker")
