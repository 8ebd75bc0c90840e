"""The signed context of row-level security, and what each role may touch.

`tj.context` is campuses, departments, examinee, expiry and backend pid under an HMAC. These functions belong to the owner and read a
key that no login role can read. They answer nothing for a setting that is absent, forged, expired, or of another backend.
"""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0001_kernel_context"
down_revision = None
branch_labels = None
depends_on = None

SQL = """
create extension if not exists btree_gist;
create schema tj;
create table tj.context_key (inner_pad bytea not null, outer_pad bytea not null);

-- kind|principal|campuses|departments|examinee|expiry|pid|hmac
create function tj.context() returns text[] language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
declare
  raw text := nullif(current_setting('tj.context', true), '');
  parts text[];
  k record;
begin
  if raw is null or raw !~ '^[a-z]+\\|[0-9a-f-]{36}\\|([0-9,]*|\\*)\\|([0-9,]*|\\*)\\|([0-9a-f-]{36}|-)\\|[0-9]{10}\\|[0-9]{1,9}\\|[0-9a-f]{64}$' then
    return null;
  end if;
  parts := string_to_array(raw, '|');
  if parts[7]::int <> pg_backend_pid() or parts[6]::bigint < extract(epoch from clock_timestamp()) then
    return null;
  end if;
  select inner_pad, outer_pad into k from tj.context_key;
  if encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(left(raw, -65), 'UTF8'))), 'hex') <> parts[8] then
    return null;
  end if;
  return parts;
end $$;

-- plpgsql, because the table of campuses comes with the next migration; the house itself (*) sees all there are
create function tj.campuses() returns smallint[] language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
declare mine text := (tj.context())[3];
begin
  if mine = '*' then
    return (select coalesce(array_agg(id), '{}') from public.campus);
  end if;
  return coalesce(string_to_array(nullif(mine, ''), ',')::smallint[], '{}'::smallint[]);
end $$;

-- null: every department (only with a valid context); an invalid context gives none
create function tj.departments() returns smallint[] language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
  select case when c is null then '{}'::smallint[] when c[4] = '*' then null
    else coalesce(string_to_array(nullif(c[4], ''), ',')::smallint[], '{}'::smallint[]) end
  from (select tj.context() c) x
$$;

create function tj.subject() returns uuid language sql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp as $$
  select nullif((tj.context())[5], '-')::uuid
$$;

revoke all on schema tj from public;
revoke all on all tables in schema tj from public;
revoke all on all functions in schema tj from public;
grant usage on schema tj to {p}_app, {p}_reader, {p}_worker;
grant execute on function tj.campuses(), tj.departments(), tj.subject() to {p}_app, {p}_reader, {p}_worker;

grant usage on schema public to {p}_app, {p}_reader, {p}_worker;
alter default privileges in schema public grant select on tables to {p}_reader;
alter default privileges in schema public grant select, insert, update, delete on tables to {p}_app, {p}_worker;
alter default privileges in schema tj revoke execute on functions from public;
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    connection = op.get_bind()
    for statement in statements(SQL.replace("{p}", prefix)):
        connection.exec_driver_sql(statement)
