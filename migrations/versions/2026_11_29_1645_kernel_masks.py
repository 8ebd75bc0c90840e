"""Numbers of documents are shown by a third at most, unless they have eighteen digits: what was kept shows no more than that either."""

from alembic import op

revision = "0038_kernel_masks"
down_revision = "0037_exam_line_kept"
branch_labels = None
depends_on = None

TABLES = ("examinee", "examinee_guardian", "member", "member_staging")
SHOWN = "least(length(id_number_masked) / 3, 8)"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    for table in TABLES:
        run(
            f"update {table} set id_number_masked = left(id_number_masked, {SHOWN} / 2)"
            f" || repeat('*', length(id_number_masked) - {SHOWN}) || right(id_number_masked, {SHOWN} - {SHOWN} / 2)"
            " where length(id_number_masked) <> 18"
        )
