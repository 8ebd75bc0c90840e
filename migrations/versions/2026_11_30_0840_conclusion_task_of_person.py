"""A finalized exam that changed hands by a merge or its undoing: a task where its person is called otherwise; a report on its way fails by name."""

import sqlalchemy as sa
from alembic import op

revision = "0046_conclusion_task_of_person"
down_revision = "0045_conclusion_task_of_past"
branch_labels = None
depends_on = None

FAILURES = ("results_changed", "no_seal", "seal_invalid", "not_rendered", "reviewed_again", "person_changed")


def upgrade() -> None:
    op.add_column("amendment_task", sa.Column("person", sa.String(), nullable=True))
    op.drop_constraint(op.f("ck_amendment_task_reason"), "amendment_task")
    op.create_check_constraint(
        op.f("ck_amendment_task_reason"), "amendment_task", "num_nonnulls(revision_id, question_id, past, person) = 1"
    )
    op.create_index(
        "uq_amendment_task_person",
        "amendment_task",
        ["exam_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open' and person is not null"),
    )
    op.drop_constraint(op.f("ck_report_failure"), "report")
    op.create_check_constraint(op.f("ck_report_failure"), "report", f"failure in {FAILURES}")
