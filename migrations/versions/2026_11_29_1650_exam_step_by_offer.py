"""A step on a line says whether somebody decided it for the examinee, or whether the group's offer brought it about."""

import sqlalchemy as sa
from alembic import op

revision = "0040_exam_step_by_offer"
down_revision = "0039_examinee_passport_country"
branch_labels = None
depends_on = None

# What a repricing said of itself until now.
REASONS = "('换组重新计价', '方案变更重新计价', '本人改选')"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    op.add_column("exam_line_step", sa.Column("by_offer", sa.Boolean(), server_default=sa.false(), nullable=False))
    run("alter table exam_line_step disable trigger refuse_change")
    run(f"update exam_line_step set by_offer = true where reason in {REASONS} and action in ('added', 'withdrawn')")
    run("alter table exam_line_step enable trigger refuse_change")
