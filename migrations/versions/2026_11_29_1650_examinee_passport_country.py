"""The number of a passport is one of the country that issued it: two countries give the same number to two people."""

import sqlalchemy as sa
from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0039_examinee_passport_country"
down_revision = "0038_kernel_masks"
branch_labels = None
depends_on = None

MEET = """
drop function tj.meet_examinee(text, bytea, smallint);

-- a document finds the entry that has it, and with it the one that this was merged into; where a country is not known it keeps nobody apart
create function tj.meet_examinee(p_id_kind text, p_id_index bytea, p_campus_id smallint, p_country text default '') returns uuid
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare found uuid; survivor uuid;
begin
  if not p_campus_id = any(tj.campuses()) then
    return null;
  end if;
  select id, merged_into_id into found, survivor from public.examinee
  where id_kind = p_id_kind and id_number_index = p_id_index and (id_country = p_country or id_country = '' or p_country = '')
  order by id_country = p_country desc, id limit 1;
  if found is not null then
    insert into public.examinee_campus as m (examinee_id, campus_id, first_met_at) values (found, p_campus_id, clock_timestamp())
    on conflict (examinee_id, campus_id) do update set by_merge = false where m.by_merge;
    if survivor is not null then
      insert into public.examinee_campus (examinee_id, campus_id, first_met_at, by_merge) values (survivor, p_campus_id, clock_timestamp(), true)
      on conflict do nothing;
    end if;
    perform tj.audit('examinee.met', 'examinee', found::text, p_campus_id, '{}', '');
  end if;
  return found;
end $$;

revoke all on function tj.meet_examinee(text, bytea, smallint, text) from public;
grant execute on function tj.meet_examinee(text, bytea, smallint, text) to PREFIX_app, PREFIX_worker;
"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    prefix = context.config.attributes.get("role_prefix", "tj")
    op.add_column("examinee", sa.Column("id_country", sa.String(), server_default="", nullable=False))
    run(
        "update examinee set id_country = upper(btrim(id_issuer)) where id_kind = 'passport' and btrim(id_issuer) ~ '^[A-Za-z]{3}$'"
    )
    op.drop_constraint(op.f("uq_examinee_id_kind_id_number_index"), "examinee", type_="unique")
    op.create_unique_constraint(
        op.f("uq_examinee_id_kind_id_number_index_id_country"), "examinee", ["id_kind", "id_number_index", "id_country"]
    )
    for statement in statements(MEET.replace("PREFIX", prefix)):
        run(statement)
