"""Sessions that are listed and end, a second factor, and when somebody last proved to be who they are.

What a session is for where something must be done first (`must`) is written when it is opened. The secret of a second factor is encrypted
for its row; of recovery codes digests are kept. The reading role reads neither.
"""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0065_identity_sessions"
down_revision = "0064_identity_apart"
branch_labels = None
depends_on = None

SQL = """
alter table staff_session add column last_used_at timestamptz, add column must varchar not null default '', add column stepped_up_at timestamptz;
create table staff_second_factor (
  staff_id uuid not null constraint fk_staff_second_factor_staff_id references staff (id),
  secret bytea not null,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  last_step bigint not null default '0',
  recovery text[] not null default '{}',
  constraint pk_staff_second_factor primary key (staff_id)
);
revoke select on staff_second_factor from {p}_reader, {p}_worker;
revoke insert, update, delete on staff_second_factor from {p}_worker;
grant select (staff_id, confirmed_at) on staff_second_factor to {p}_reader;
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    for statement in statements(SQL.replace("{p}", prefix)):
        op.get_bind().exec_driver_sql(statement)
