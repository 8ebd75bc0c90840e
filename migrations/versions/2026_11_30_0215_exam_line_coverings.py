"""A line keeps under which number it was paid and why it is not asked for, so that a second payment is told from a repetition."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044_exam_line_coverings"
down_revision = "0043_result_kept_because"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exam_line", sa.Column("coverings", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    # Whoever owes something may pay it after the final sign-off as well: that alone changes nothing that was signed.
    op.execute("drop trigger refuse_finalized_change on exam_line")
    op.execute(
        "create trigger refuse_finalized_change before update on exam_line for each row"
        " when (to_jsonb(old) - '{paid_fen,remitted_fen,coverings}'::text[] is distinct from to_jsonb(new) - '{paid_fen,remitted_fen,coverings}'::text[])"
        " execute function tj.refuse_finalized()"
    )
