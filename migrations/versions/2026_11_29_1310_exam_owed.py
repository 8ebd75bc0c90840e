"""What the person has paid of a line, what is not asked of them, and what an exam is owed: released is not paid."""

import sqlalchemy as sa
from alembic import op

revision = "0030_exam_owed"
down_revision = "0029_employer_tables_of_lists"
branch_labels = None
depends_on = None

CHARGED = "l.state not in ('withdrawn', 'substituted', 'refused', 'waived')"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    op.create_index("ix_ticket_exam", "ticket", ["exam_id"])  # where somebody has been already
    for table, columns in (("exam_line", ("paid_fen", "remitted_fen")), ("exam", ("owed_fen", "refund_fen"))):
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Integer(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_exam_line_paid"), "exam_line", "paid_fen >= 0 and remitted_fen >= 0")
    # Until now whatever was released counted as paid: nobody is asked for it again.
    run("alter table exam_line disable trigger refuse_finalized")
    run("update exam_line l set paid_fen = person_share_fen where state <> 'ordered' and person_share_fen > 0"
        f" and {CHARGED}")  # fmt: skip
    run("alter table exam_line enable trigger refuse_finalized")
    run("update exam e set owed_fen = o.fen, awaits_payment = o.fen > 0 from (select l.exam_id, coalesce(sum(l.person_share_fen - l.paid_fen), 0) fen"
        f" from exam_line l where {CHARGED} group by l.exam_id) o where o.exam_id = e.id and (o.fen > 0 or e.awaits_payment)")  # fmt: skip
    # Whoever owes something may pay it after the final sign-off as well: that alone changes nothing that was signed.
    run("drop trigger refuse_finalized on exam_line")
    run(
        "create trigger refuse_finalized before insert or delete on exam_line for each row execute function tj.refuse_finalized()"
    )
    run(
        "create trigger refuse_finalized_change before update on exam_line for each row"
        " when (to_jsonb(old) - '{paid_fen,remitted_fen}'::text[] is distinct from to_jsonb(new) - '{paid_fen,remitted_fen}'::text[])"
        " execute function tj.refuse_finalized()"
    )
