"""Sealed reports, their links and their verification."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0011_report"
down_revision = "0010_conclusion"
branch_labels = None
depends_on = None


MOVES = (
    '{"rendering":["generated","failed"],"failed":[],"generated":["sealed","failed"],"sealed":["published"],'
    '"published":["superseded","recalled"],"superseded":[],"recalled":[]}'
)
STATES = "('rendering', 'failed', 'generated', 'sealed', 'published', 'superseded', 'recalled')"

# asked by whoever holds a printed report: nothing but what became of it
VERIFY = """
create function tj.report_state(p_code text) returns table (state text, version int, published_at timestamptz, recalled_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select r.state, r.version, r.published_at, r.recalled_at from public.report r
  where r.verify_code = p_code and r.published_at is not null
$$;
"""


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.add_column("report", sa.Column("rendered_sha256", sa.String(), nullable=True))
    op.add_column("report", sa.Column("snapshot", sa.String(), nullable=True))
    op.add_column("report", sa.Column("verify_code", sa.String(), nullable=True))
    op.add_column("report", sa.Column("sealed_at", moment, nullable=True))
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    run("update report set verify_code = replace(gen_random_uuid()::text, '-', '')")
    op.alter_column("report", "verify_code", nullable=False)
    op.create_unique_constraint(op.f("uq_report_verify_code"), "report", ["verify_code"])
    op.drop_constraint(op.f("ck_report_state"), "report")
    op.create_check_constraint(op.f("ck_report_state"), "report", f"state in {STATES}")
    run("drop trigger guard_state on report")
    run(
        f"create trigger guard_state before update of state on report for each row execute function tj.guard_state('{MOVES}')"
    )
    run(VERIFY)
    run("revoke all on function tj.report_state(text) from public")
    run(f"grant execute on function tj.report_state(text) to {prefix}_app, {prefix}_reader")
