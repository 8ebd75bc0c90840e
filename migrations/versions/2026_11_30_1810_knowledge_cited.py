"""Rows of the content cite as fields, not in their source's words alone; and three persons sign in the database too.

What is there already was signed as it was signed then: only who signs from now on is asked.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import statements

revision = "0053_knowledge_cited"
down_revision = "0052_private_items"
branch_labels = None
depends_on = None

SQL = """
create function tj.three_sign() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.approved_by = new.created_by or new.signed_by = new.created_by or new.signed_by = new.approved_by
    or (new.signed_by is not null and new.approved_by is null) then
    raise exception 'author, laboratory head and chief physician are three persons' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger three_sign before insert or update of created_by, approved_by, signed_by on knowledge_version
  for each row execute function tj.three_sign();
"""


def upgrade() -> None:
    for table in ("finding", "knowledge_rule", "item_range"):
        op.add_column(table, sa.Column("cite", postgresql.JSONB(), nullable=True))
    for statement in statements(SQL):
        op.get_bind().exec_driver_sql(statement)
