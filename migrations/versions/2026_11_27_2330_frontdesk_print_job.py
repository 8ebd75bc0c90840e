"""Large prints are made by a job: what they are made of is kept in parts, and the file once it is there. Exams are found by their unit."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0021_frontdesk_print_job"
down_revision = "0020_identity_check"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_exam_employer", "exam", ["employer_id", "id"], postgresql_where=sa.text("employer_id is not null")
    )
    op.add_column("document_print", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.alter_column("document_print", "content", nullable=True)
    op.create_check_constraint(
        op.f("ck_document_print_whole_or_by_job"), "document_print", "(content is null) = (job_id is not null)"
    )
    op.create_table(
        "document_print_part",
        sa.Column("print_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["print_id"], ["document_print.id"], name=op.f("fk_document_print_part_print_id")),
        sa.PrimaryKeyConstraint("print_id", "n", name=op.f("pk_document_print_part")),
    )
    op.create_table(
        "document_print_file",
        sa.Column("print_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["print_id"], ["document_print.id"], name=op.f("fk_document_print_file_print_id")),
        sa.PrimaryKeyConstraint("print_id", name=op.f("pk_document_print_file")),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    guard_table(run, "document_print_part", prefix, append_only=True)
    guard_table(run, "document_print_file", prefix, append_only=True)


def downgrade() -> None:
    op.drop_index("ix_exam_employer", "exam")
    op.drop_table("document_print_file")
    op.drop_table("document_print_part")
    op.drop_constraint(op.f("ck_document_print_whole_or_by_job"), "document_print")
    op.drop_column("document_print", "job_id")
    # What a job made stays in the log; its content was in the parts.
    op.execute("alter table document_print disable trigger user")
    op.execute("update document_print set content = ''::bytea where content is null")
    op.execute("alter table document_print enable trigger user")
    op.alter_column("document_print", "content", nullable=False)
