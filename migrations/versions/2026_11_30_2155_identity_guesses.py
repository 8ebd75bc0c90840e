"""Every audit row says from which address it was asked; guesses are counted per account and address, outside the database.

A session knows where it was opened: from there its account is never held up by what others guess elsewhere. `tj.audit` takes the address
last and may be called without it, as processes of the release before do.
"""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0063_identity_guesses"
down_revision = "0060_words_asked"
branch_labels = None
depends_on = None

SQL = """
alter table audit_event add column source varchar not null default '';
alter table staff_session add column source varchar not null default '';
alter table staff drop column failed_logins, drop column locked_until;

drop function tj.audit(text, text, text, int, jsonb, text);

create function tj.audit(p_action text, p_object_type text, p_object_id text, p_campus_id int, p_detail jsonb, p_request_id text,
  p_source text default '')
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare c text[] := tj.context();
begin
  if c is null then
    raise exception 'no context' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_event (at, principal_kind, principal_id, action, object_type, object_id, campus_id, campuses, detail, request_id, source)
  values (clock_timestamp(), c[1], c[2]::uuid, p_action, p_object_type, p_object_id, p_campus_id,
    coalesce((select array_agg(id) from public.campus where id = any(tj.campuses())),
      (select array_agg(m.campus_id) from public.examinee_campus m where m.examinee_id = tj.subject()), '{}'), p_detail, p_request_id, p_source);
end $$;

revoke execute on function tj.audit(text, text, text, int, jsonb, text, text) from public;
grant execute on function tj.audit(text, text, text, int, jsonb, text, text) to {p}_app, {p}_reader, {p}_worker;
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    for statement in statements(SQL.replace("{p}", prefix)):
        op.get_bind().exec_driver_sql(statement)
