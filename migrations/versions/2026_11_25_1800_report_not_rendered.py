"""A report whose job was given up has failed, too."""

from alembic import op

revision = "0014_report_not_rendered"
down_revision = "0014_examinee_identifier"
branch_labels = None
depends_on = None

FAILURES = "('results_changed', 'no_seal', 'seal_invalid', 'not_rendered')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_report_failure"), "report")
    op.create_check_constraint(op.f("ck_report_failure"), "report", f"failure in {FAILURES}")
