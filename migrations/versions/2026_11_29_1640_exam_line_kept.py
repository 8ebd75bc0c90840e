"""Lines that stand although they do not suit the person: in spite of what, and who said so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037_exam_line_kept"
down_revision = "0037_result_question_status"
branch_labels = None
depends_on = None

ACTIONS = "('added', 'withdrawn', 'substituted', 'refused', 'waived', 'deferred', 'reinstated', 'made_up', 'kept')"


def upgrade() -> None:
    op.add_column(
        "exam_line", sa.Column("kept_misfits", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.drop_constraint(op.f("ck_exam_line_step_action"), "exam_line_step", type_="check")
    op.create_check_constraint(op.f("ck_exam_line_step_action"), "exam_line_step", f"action in {ACTIONS}")
