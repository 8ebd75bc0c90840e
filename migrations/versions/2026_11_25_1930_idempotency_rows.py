"""Whoever asked sees the own idempotency rows: since examinees book for themselves, the principal of one may be a person."""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0017_idempotency_rows"
down_revision = "0015_employer_import"
branch_labels = None
depends_on = None

PRINCIPAL = """
create function tj.principal() returns uuid language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
  select ((tj.context())[2])::uuid
$$;
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    for statement in statements(PRINCIPAL):
        run(statement)
    run("revoke execute on function tj.principal() from public")
    run(f"grant execute on function tj.principal() to {prefix}_app, {prefix}_worker")
    run("alter table idempotency_key enable row level security")
    run("alter table idempotency_key force row level security")
    run(f"create policy owner on idempotency_key to {prefix}_owner using (true) with check (true)")
    mine = "principal_id = (select tj.principal())"
    run(f"create policy own on idempotency_key to {prefix}_app using ({mine}) with check ({mine})")
    # The worker takes away what is past its time.
    past = "created_at < clock_timestamp() - interval '72 hours'"
    run(f"create policy past on idempotency_key to {prefix}_worker using ({past})")
