"""What the verification page shows to be compared with the paper: a genuine code may stand on a forged one."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0032_report_proof"
down_revision = "0031_kernel_job_limits"
branch_labels = None
depends_on = None

# A recalled version that was published anew is superseded; one whose results changed since is outdated until somebody has dealt with it.
VERIFY = """
create function tj.report_state(p_code text) returns table (
  state text, version int, published_at timestamptz, recalled_at timestamptz, proof jsonb, sha256 text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select case
      when r.state = 'recalled' and exists (
        select from public.report l where l.exam_id = r.exam_id and l.version > r.version and l.state = 'published') then 'superseded'
      when r.state = 'published' and r.outdated_at is not null then 'outdated'
      else r.state end, r.version, r.published_at, r.recalled_at, r.proof, r.sha256
  from public.report r where r.verify_code = p_code and r.published_at is not null
$$;
"""
# Reports of before: what can be compared but for the digest, which their paper does not bear.
BACKFILL = """
update report r set proof = jsonb_build_object(
  'name', left(e.name, 1) || repeat('*', least(length(e.name) - 1, 2)), 'exam_no', e.exam_no, 'exam_date', e.exam_date, 'digest', null)
from exam e where e.id = r.exam_id and r.file is not null
"""


def upgrade() -> None:
    op.add_column("report", sa.Column("proof", postgresql.JSONB(), nullable=True))
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    run(BACKFILL)
    run("drop function tj.report_state(text)")
    run(VERIFY)
    run("revoke all on function tj.report_state(text) from public")
    run(f"grant execute on function tj.report_state(text) to {prefix}_app, {prefix}_reader")
