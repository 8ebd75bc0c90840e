"""Why a report failed; a recalled report that was published anew is superseded for whoever holds the old paper."""

import sqlalchemy as sa
from alembic import op

revision = "0012_report_failure"
down_revision = "0012_examinee_photo"
branch_labels = None
depends_on = None

FAILURES = "('results_changed', 'no_seal', 'seal_invalid')"
# `recalled_at` still tells that it was taken back; what the holder must know first is that there is another one
VERIFY = """
create or replace function tj.report_state(p_code text) returns table (state text, version int, published_at timestamptz, recalled_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select case when r.state = 'recalled' and exists (
      select from public.report l where l.exam_id = r.exam_id and l.version > r.version and l.state = 'published'
    ) then 'superseded' else r.state end, r.version, r.published_at, r.recalled_at
  from public.report r where r.verify_code = p_code and r.published_at is not null
$$;
"""


def upgrade() -> None:
    op.add_column("report", sa.Column("failure", sa.String(), nullable=True))
    op.create_check_constraint(op.f("ck_report_failure"), "report", f"failure in {FAILURES}")
    op.get_bind().exec_driver_sql(VERIFY)
