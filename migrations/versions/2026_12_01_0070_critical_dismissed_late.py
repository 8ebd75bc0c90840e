"""A critical value is dismissed as well after somebody has confirmed it, or has told of it: what was wrong is often found a minute later."""

from alembic import op

revision = "0070_critical_dismissed_late"
down_revision = "0069_exam_hints"
branch_labels = None
depends_on = None

MOVES = (
    '{"detected":["confirmed","dismissed","superseded"],"confirmed":["notifying","notified","dismissed"],"notifying":["notified","closed","dismissed"],'
    '"notified":["in_follow_up","closed","dismissed"],"in_follow_up":["closed","dismissed"],"dismissed":[],"closed":[],"superseded":[]}'
)


def upgrade() -> None:
    op.execute("drop trigger guard_state on critical_value")
    op.get_bind().exec_driver_sql(
        f"create trigger guard_state before update of state on critical_value for each row execute function tj.guard_state('{MOVES}')"
    )
