"""Tubes by section, time and sending out; what is printed for an exam, and every print of it."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0012_frontdesk_paper"
down_revision = "0011_report"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.add_column("department", sa.Column("place", sa.String(), nullable=True))
    for column in (
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("minutes_after", sa.SmallInteger(), nullable=True),
        sa.Column("send_out", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("groups_per_tube", sa.SmallInteger(), nullable=True),
        sa.Column("precaution", sa.String(), nullable=True),
    ):
        op.add_column("item_group", column)
    op.create_check_constraint(op.f("ck_item_group_minutes_after"), "item_group", "minutes_after > 0")
    op.create_check_constraint(op.f("ck_item_group_groups_per_tube"), "item_group", "groups_per_tube > 0")
    for column in (
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("minutes_after", sa.SmallInteger(), nullable=True),
        sa.Column("send_out", sa.Boolean(), server_default="false", nullable=False),
    ):
        op.add_column("tube", column)
    op.create_table(
        "document_print",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("printed_by", sa.Uuid(), nullable=False),
        sa.Column("printed_by_name", sa.String(), nullable=False),
        sa.Column("printed_at", moment, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("format in ('pdf', 'zpl', 'tspl')", name=op.f("ck_document_print_format")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_print")),
    )
    op.create_table(
        "document_print_item",
        sa.Column("print_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("copies", sa.SmallInteger(), nullable=False),
        sa.Column("first_copy", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "kind in ('guide_sheet', 'request_form', 'tube_label', 'exam_label')",
            name=op.f("ck_document_print_item_kind"),
        ),
        sa.CheckConstraint("copies > 0 and first_copy > 0", name=op.f("ck_document_print_item_copies")),
        sa.CheckConstraint(
            "(kind = 'guide_sheet') = (version is not null)", name=op.f("ck_document_print_item_version")
        ),
        sa.ForeignKeyConstraint(["print_id"], ["document_print.id"], name=op.f("fk_document_print_item_print_id")),
        sa.PrimaryKeyConstraint("print_id", "position", name=op.f("pk_document_print_item")),
        # Two desks cannot both print the second copy of one paper.
        sa.UniqueConstraint(
            "exam_id",
            "kind",
            "subject",
            "first_copy",
            name=op.f("uq_document_print_item_exam_id_kind_subject_first_copy"),
        ),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "document_print", prefix, append_only=True)
    guard_table(run, "document_print_item", prefix, append_only=True)
