"""A line is asked for under a tube: when it comes back it may have another one, and the laboratory is told of the right one."""

import sqlalchemy as sa
from alembic import op

revision = "0018_requisition_tube"
down_revision = "0017_idempotency_rows"
branch_labels = None
depends_on = None

# The tube that a line was put into last: ids sort by their moment.
EARLIER = """
update requisition_line r set tube_id = (
  select t.id from tube_line s join tube t on t.id = s.tube_id
  where s.exam_line_id = r.exam_line_id and t.planned_at <= q.planned_at order by t.id desc limit 1)
from requisition q where q.id = r.requisition_id
"""


def upgrade() -> None:
    op.add_column("requisition_line", sa.Column("tube_id", sa.Uuid(), nullable=True))
    op.execute(EARLIER)
    op.create_index(op.f("ix_requisition_line_tube_id"), "requisition_line", ["tube_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_requisition_line_tube_id"), "requisition_line")
    op.drop_column("requisition_line", "tube_id")
