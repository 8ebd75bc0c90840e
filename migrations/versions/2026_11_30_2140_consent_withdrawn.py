"""Consent to private items can be taken back: what was examined by then is told of by no further report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import statements

revision = "0059_consent_withdrawn"
down_revision = "0058_result_signers"
branch_labels = None
depends_on = None

FAILURES = (
    "results_changed", "no_seal", "seal_invalid", "not_rendered", "reviewed_again", "person_changed", "consent_withdrawn",
)  # fmt: skip


# A finalized exam's lines stand as they were signed; that somebody pays, or takes consent back, changes nothing of what was.
FREE = "'{paid_fen,remitted_fen,coverings,consent_withdrawn_at}'::text[]"
GUARD = f"""
drop trigger refuse_finalized_change on exam_line;
create trigger refuse_finalized_change before update on exam_line for each row
  when (to_jsonb(old) - {FREE} is distinct from to_jsonb(new) - {FREE}) execute function tj.refuse_finalized();
"""


def upgrade() -> None:
    op.add_column("exam_line", sa.Column("consent_withdrawn_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    for statement in statements(GUARD):
        op.get_bind().exec_driver_sql(statement)
    op.drop_constraint(op.f("ck_report_failure"), "report")
    op.create_check_constraint(op.f("ck_report_failure"), "report", f"failure in {FAILURES}", postgresql_not_valid=True)
    op.execute("alter table report validate constraint ck_report_failure")
