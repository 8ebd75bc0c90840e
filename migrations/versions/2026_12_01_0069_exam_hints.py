"""What results of a visit say of its person that decides what may be done: pregnancy, no intercourse; and of which of these a person has spoken.

Columns with a constant default: no row is rewritten, the lock is short.
"""

from alembic import op

revision = "0069_exam_hints"
down_revision = "0065_identity_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table exam add column hints text[] not null default '{}', add column hints_settled text[] not null default '{}'"
    )
