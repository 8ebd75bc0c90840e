"""Specimens from hand to hand: hand-over lists, rejection and recollection, send-out, and every step of a tube."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0022_requisition_custody"
down_revision = "0021_frontdesk_print_job"
branch_labels = None
depends_on = None

TUBE_STATES = "('planned', 'collected', 'handed_over', 'received', 'sent_out', 'rejected', 'cancelled')"
TUBE_MOVES = (
    '{"planned":["collected","cancelled"],"collected":["handed_over","received","sent_out","rejected"],'
    '"handed_over":["collected","received","rejected"],"received":["sent_out","rejected"],"sent_out":["received","rejected"],'
    '"rejected":[],"cancelled":[]}'
)
LINE_MOVES = (
    '{"ordered":["deferred","refused","released","substituted","waived","withdrawn"],'
    '"released":["collected","deferred","refused","resulted","sent","started","substituted","waived","withdrawn"],'
    '"sent":["collected","deferred","refused","resulted","started","substituted","waived","withdrawn"],'
    '"collected":["resulted","specimen_rejected"],"started":["deferred","refused","resulted","waived"],'
    '"resulted":["collected","started","verified"],"verified":["resulted"],'
    '"specimen_rejected":["collected","deferred","refused","released","resulted","waived","withdrawn"],'
    '"deferred":["ordered","refused","waived","withdrawn"],"refused":["ordered"],"waived":["ordered"],"withdrawn":[],"substituted":[]}'
)
HANDOVER_MOVES = '{"open":["handed_over","cancelled"],"handed_over":["received"],"received":[],"cancelled":[]}'
REASONS = (
    "('haemolysed', 'clotted', 'lipaemic', 'insufficient', 'wrong_container', 'unlabeled', 'mislabeled', 'contaminated', 'broken', "
    "'wrong_time', 'expired', 'lost', 'other')"
)
ACTIONS = (
    "('label_printed', 'collected', 'listed', 'unlisted', 'handed_over', 'sent_out', 'received', 'missing', 'rejected', 'replaced', "
    "'reported', 'returned', 'cancelled')"
)
EXTRAS = "('received', 'unknown', 'not_collected', 'rejected', 'cancelled', 'sent_out')"
# What each line was asked for with: the tube that its order made, else the newest that was there before it.
FILL = """
update requisition_line l set tube_id = (
  select t.id from tube_line s join tube t on t.id = s.tube_id join requisition r on r.id = l.requisition_id
  where s.exam_line_id = l.exam_line_id and (t.requisition_id = r.id or t.planned_at <= r.planned_at)
  order by t.requisition_id = r.id desc, t.planned_at desc, t.id desc limit 1)
"""


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    op.drop_constraint(op.f("ck_tube_state"), "tube")
    op.create_check_constraint(op.f("ck_tube_state"), "tube", f"state in {TUBE_STATES}")
    op.add_column("tube", sa.Column("reject_reason", sa.String(), nullable=True))
    op.add_column("tube", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(op.f("ck_tube_reject_reason"), "tube", f"reject_reason in {REASONS}")
    op.create_index(op.f("uq_tube_replaces"), "tube", ["replaces_id"], unique=True)
    op.add_column("tube_line", sa.Column("rejected_at", moment, nullable=True))
    op.add_column("requisition_line", sa.Column("tube_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_requisition_line_tube_id"), "requisition_line", ["tube_id"])
    run(FILL)
    op.create_table(
        "tube_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("tube_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("handover_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.CheckConstraint(f"action in {ACTIONS}", name=op.f("ck_tube_step_action")),
        sa.ForeignKeyConstraint(["tube_id"], ["tube.id"], name=op.f("fk_tube_step_tube_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tube_step")),
    )
    op.create_index(op.f("ix_tube_step_tube"), "tube_step", ["tube_id", "id"])
    op.create_table(
        "handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("list_no", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("from_place", sa.String(), nullable=False),
        sa.Column("to_place", sa.String(), nullable=False),
        sa.Column("outside_lab_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_by_name", sa.String(), nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("handed_over_by", sa.Uuid(), nullable=True),
        sa.Column("handed_over_by_name", sa.String(), nullable=True),
        sa.Column("handed_over_at", moment, nullable=True),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("received_by_name", sa.String(), nullable=True),
        sa.Column("received_at", moment, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("cancelled_at", moment, nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('open', 'handed_over', 'received', 'cancelled')", name=op.f("ck_handover_state")),
        sa.CheckConstraint(
            "received_by is null or outside_lab_id is not null or received_by <> handed_over_by",
            name=op.f("ck_handover_two_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("campus_id", "list_no", name=op.f("uq_handover_campus_id_list_no")),
    )
    op.create_index(op.f("ix_handover_campus_state"), "handover", ["campus_id", "state", "id"])
    op.create_table(
        "handover_tube",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("tube_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("outcome_by", sa.Uuid(), nullable=True),
        sa.Column("outcome_at", moment, nullable=True),
        sa.Column("back_at", moment, nullable=True),
        sa.Column("back_how", sa.String(), nullable=True),
        sa.CheckConstraint(
            "outcome in ('received', 'rejected', 'missing', 'removed', 'elsewhere')",
            name=op.f("ck_handover_tube_outcome"),
        ),
        sa.CheckConstraint("back_how in ('reported', 'returned')", name=op.f("ck_handover_tube_back_how")),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_handover_tube_handover_id")),
        sa.ForeignKeyConstraint(["tube_id"], ["tube.id"], name=op.f("fk_handover_tube_tube_id")),
        sa.PrimaryKeyConstraint("handover_id", "tube_id", name=op.f("pk_handover_tube")),
    )
    op.create_index(
        op.f("uq_handover_tube_waiting"), "handover_tube", ["tube_id"], unique=True, postgresql_where=sa.text("outcome is null")
    )  # fmt: skip
    op.create_index(op.f("ix_handover_tube_tube"), "handover_tube", ["tube_id"])
    op.create_table(
        "handover_extra",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("barcode", sa.String(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("tube_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.CheckConstraint(f"kind in {EXTRAS}", name=op.f("ck_handover_extra_kind")),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name=op.f("fk_handover_extra_handover_id")),
        sa.PrimaryKeyConstraint("handover_id", "barcode", name=op.f("pk_handover_extra")),
    )
    op.create_table(
        "handover_number",
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campus_id", "day", name=op.f("pk_handover_number")),
    )
    guard_table(run, "tube_step", prefix, append_only=True)
    for table in ("handover", "handover_tube", "handover_extra", "handover_number"):
        guard_table(run, table, prefix)
        run(f"revoke delete on {table} from {prefix}_app, {prefix}_worker")
    for table, moves in (("exam_line", LINE_MOVES), ("tube", TUBE_MOVES)):
        run(f"drop trigger guard_state on {table}")
        run(
            f"create trigger guard_state before update of state on {table} for each row execute function tj.guard_state('{moves}')"
        )
    run(
        f"create trigger guard_state before update of state on handover for each row execute function tj.guard_state('{HANDOVER_MOVES}')"
    )
