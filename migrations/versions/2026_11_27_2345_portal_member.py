"""Links by which members of a campaign choose and book for themselves, and the sessions behind them."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table, statements

revision = "0024_portal_member"
down_revision = "0023_catalog_outside_lab"
branch_labels = None
depends_on = None

FUNCTIONS = """
-- asked before there is a context: does this session live, and is its client trusted still; 'own': an examinee's, 'member': a list's
create function tj.portal_access(p_session uuid, p_subject uuid) returns text language sql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
  select 'own' where tj.examinee_session(p_session, p_subject)
  union all
  select 'member' from public.member_session s join public.api_client c on c.id = s.client_id join public.member_link l on l.id = s.link_id
  where s.id = p_session and s.member_id = p_subject and s.expires_at > clock_timestamp() and c.status = 'active' and l.ended_at is null
  limit 1
$$;

-- the campus of the caller's own session: nothing of the list is seen before it is known
create function tj.member_campus(p_session uuid) returns smallint language sql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
  select campus_id from public.member_session where id = p_session and member_id = tj.principal()
$$;
"""


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    op.create_table(
        "member_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("used_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_link")),
    )
    op.create_index(
        op.f("uq_member_link_live"), "member_link", ["member_id"], unique=True, postgresql_where=sa.text("ended_at is null")
    )  # fmt: skip
    op.create_index(op.f("ix_member_link_campaign"), "member_link", ["campaign_id", "id"])
    op.create_table(
        "member_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["member_link.id"], name=op.f("fk_member_session_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_session")),
    )
    for table in ("member_link", "member_session"):
        guard_table(run, table, prefix)
        run(f"revoke delete on {table} from {prefix}_app, {prefix}_worker")
    run(f"revoke select on member_session from {prefix}_reader")
    for statement in statements(FUNCTIONS):
        run(statement)
    for function in ("tj.portal_access(uuid, uuid)", "tj.member_campus(uuid)"):
        run(f"revoke execute on function {function} from public")
        run(f"grant execute on function {function} to {prefix}_app, {prefix}_reader")
