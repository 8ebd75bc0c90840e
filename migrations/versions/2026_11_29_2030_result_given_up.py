"""A person says of an item of a laboratory's line that no value will come: it is settled without one."""

import sqlalchemy as sa
from alembic import op

revision = "0042_result_given_up"
down_revision = "0041_result_doubted"
branch_labels = None
depends_on = None

KINDS = "('unread', 'contested', 'undetermined', 'implausible', 'missing')"


def upgrade() -> None:
    op.add_column("result_question", sa.Column("gives_up", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_constraint(op.f("ck_result_question_kind"), "result_question", type_="check")
    op.create_check_constraint(op.f("ck_result_question_kind"), "result_question", f"kind in {KINDS}")
