"""A job remembers how often it was lost and how often it overran; workers say that they live and that they turn."""

import sqlalchemy as sa
from alembic import context, op

revision = "0031_kernel_job_limits"
down_revision = "0030_exam_owed"
branch_labels = None
depends_on = None

_MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    for name in ("lost", "overran"):
        op.add_column("job", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "worker_beat",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("beat_at", _MOMENT, nullable=False),
        sa.Column("loop_at", _MOMENT, nullable=False),
        sa.Column("claimed_at", _MOMENT, nullable=True),
        sa.Column("running", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_beat")),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    op.execute(f"revoke insert, update, delete on worker_beat from {prefix}_app")
