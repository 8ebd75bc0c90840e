"""Lines set aside and brought back, exams on hold, guide sheets returned."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0013_exam_lines"
down_revision = "0012_report_failure"
branch_labels = None
depends_on = None

EXAM_STATES = "('prepared', 'checked_in', 'in_progress', 'sheet_returned', 'ready_for_review', 'in_review', 'finalized', 'on_hold', 'cancelled')"
EXAM_MOVES = (
    '{"prepared":["checked_in","cancelled","on_hold"],"checked_in":["in_progress","cancelled","on_hold"],'
    '"in_progress":["sheet_returned","ready_for_review","on_hold"],"sheet_returned":["in_progress","ready_for_review","on_hold"],'
    '"ready_for_review":["in_review","in_progress","sheet_returned","on_hold"],'
    '"in_review":["finalized","ready_for_review","in_progress","sheet_returned"],"finalized":["in_review"],'
    '"on_hold":["prepared","checked_in","in_progress","sheet_returned","ready_for_review"],"cancelled":[]}'
)
LINE_MOVES = (
    '{"ordered":["deferred","refused","released","substituted","waived","withdrawn"],'
    '"released":["collected","deferred","refused","resulted","sent","started","substituted","waived","withdrawn"],'
    '"sent":["collected","deferred","refused","resulted","started","substituted","waived","withdrawn"],'
    '"collected":["resulted","specimen_rejected"],"started":["deferred","refused","resulted","waived"],'
    '"resulted":["collected","started","verified"],"verified":["resulted"],'
    '"specimen_rejected":["deferred","refused","released","waived","withdrawn"],"deferred":["ordered","refused","waived","withdrawn"],'
    '"refused":["ordered"],"waived":["ordered"],"withdrawn":[],"substituted":[]}'
)
TUBE_MOVES = '{"planned":["collected","cancelled"],"collected":["received","rejected"],"received":["rejected"],"rejected":[],"cancelled":[]}'
ACTIONS = "('added', 'withdrawn', 'substituted', 'refused', 'waived', 'deferred', 'reinstated', 'made_up')"


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    op.add_column("exam", sa.Column("sheet_returned_at", moment, nullable=True))
    op.add_column("exam", sa.Column("held_from", sa.String(), nullable=True))
    op.add_column("exam", sa.Column("hold_reason", sa.String(), nullable=True))
    for column in ("awaits_payment", "blood_drawn", "examined"):
        op.add_column("exam", sa.Column(column, sa.Boolean(), server_default="false", nullable=False))
    op.drop_constraint(op.f("ck_exam_state"), "exam")
    op.create_check_constraint(op.f("ck_exam_state"), "exam", f"state in {EXAM_STATES}")
    op.add_column("exam_line", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("exam_line", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("exam_line", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(op.f("ck_exam_line_due_on"), "exam_line", "due_on is null or state = 'deferred'")
    op.create_table(
        "exam_line_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.CheckConstraint(f"action in {ACTIONS}", name=op.f("ck_exam_line_step_action")),
        sa.ForeignKeyConstraint(["line_id"], ["exam_line.id"], name=op.f("fk_exam_line_step_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_line_step")),
    )
    op.create_index(op.f("ix_exam_line_step_exam"), "exam_line_step", ["exam_id"])
    guard_table(run, "exam_line_step", prefix, append_only=True)
    op.add_column("requisition_line", sa.Column("sent_at", moment, nullable=True))
    op.add_column("requisition_line", sa.Column("cancelled_at", moment, nullable=True))
    op.drop_constraint(op.f("pk_requisition_line"), "requisition_line")
    op.drop_constraint(op.f("uq_requisition_line_placer_no"), "requisition_line")
    op.create_primary_key(op.f("pk_requisition_line"), "requisition_line", ["placer_no"])
    op.create_index(op.f("ix_requisition_line_exam_line_id"), "requisition_line", ["exam_line_id"])
    op.create_index(
        op.f("uq_requisition_line_asked"), "requisition_line", ["exam_line_id"], unique=True, postgresql_where=sa.text("cancelled_at is null")
    )  # fmt: skip
    op.drop_constraint(op.f("ck_tube_state"), "tube")
    op.create_check_constraint(
        op.f("ck_tube_state"), "tube", "state in ('planned', 'collected', 'received', 'rejected', 'cancelled')"
    )
    for table, moves in (("exam", EXAM_MOVES), ("exam_line", LINE_MOVES), ("tube", TUBE_MOVES)):
        run(f"drop trigger guard_state on {table}")
        run(
            f"create trigger guard_state before update of state on {table} for each row execute function tj.guard_state('{moves}')"
        )
