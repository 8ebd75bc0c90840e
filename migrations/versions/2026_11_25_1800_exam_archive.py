"""Exams that came from another system's archive: of which, and what they were called there."""

import sqlalchemy as sa
from alembic import op

revision = "0015_exam_archive"
down_revision = "0015_appointment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exam", sa.Column("archive", sa.String(), nullable=True))
    op.add_column("exam", sa.Column("archive_no", sa.String(), nullable=True))
    op.create_check_constraint(op.f("ck_exam_archive"), "exam", "(archive is null) = (archive_no is null)")
    op.create_unique_constraint(
        op.f("uq_exam_campus_id_archive_archive_no"), "exam", ["campus_id", "archive", "archive_no"]
    )
