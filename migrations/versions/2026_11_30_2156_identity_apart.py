"""Rights over rights: three administrators apart, nobody for themselves, and accounts that one makes and another lets in.

Accounts, roles and clients are changed through functions that ask the signed context who acts, and by nobody past them; what they refuse
they say as a word, and nothing is changed. `identity.write` makes accounts, `identity.grant` says what they may do and lets them in,
`audit.read` reads what both did: one person holds one of the three, and the last one of each stays. Accounts of before are let in as they
are; whoever holds two of the three keeps them until their rights are next changed. The reading role reads no hash.
"""

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0064_identity_apart"
down_revision = "0063_identity_guesses"
branch_labels = None
depends_on = None

SQL = """
alter table staff add column approved_at timestamptz, add column must_change_password boolean not null default false,
  add column password_set_by uuid, add column password_changed_at timestamptz, add column password_history text[] not null default '{}',
  add column guess_epoch integer not null default 0;
update staff set approved_at = created_at, password_changed_at = now();
alter table api_client add column approved_at timestamptz, add column created_by uuid;
update api_client set approved_at = created_at;
alter table staff_session add column token_version integer not null default 0;
update staff_session e set token_version = s.token_version from staff s where s.id = e.staff_id;

revoke insert, update, delete on staff, role, staff_role, api_client from {p}_app, {p}_worker;
revoke select on staff, api_client from {p}_reader, {p}_worker;
grant select (id, username, name, title, status, token_version, version, all_departments, departments, campuses, created_at, approved_at,
  must_change_password, password_set_by, password_changed_at, guess_epoch) on staff to {p}_reader, {p}_worker;
grant select (id, client_id, name, scopes, campuses, status, token_version, created_at, approved_at, created_by) on api_client to {p}_reader, {p}_worker;

-- may whoever acts do this: staff by their roles of this moment; the house itself where it sets up, which no request does
create function tj.holds(p_permission text) returns boolean language plpgsql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
declare c text[] := tj.context();
begin
  return coalesce(c[1] = 'job' or (c[1] = 'staff' and exists (
    select from public.staff s join public.staff_role h on h.staff_id = s.id join public.role r on r.code = h.role_code
    where s.id = c[2]::uuid and s.status = 'active' and s.approved_at is not null and p_permission = any(r.permissions))), false);
end $$;

create function tj.me() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (tj.context())[2]::uuid
$$;

-- which of the three administrations there is somebody for
create function tj.administered() returns text[] language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select coalesce(array_agg(distinct p), '{}') from public.staff s join public.staff_role h on h.staff_id = s.id
    join public.role r on r.code = h.role_code, unnest(r.permissions) p
  where s.status = 'active' and s.approved_at is not null and p = any('{identity.write,identity.grant,audit.read}')
$$;

create function tj.is_apart(p_staff uuid) returns boolean language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select count(distinct p) < 2 from public.staff_role h join public.role r on r.code = h.role_code, unnest(r.permissions) p
  where h.staff_id = p_staff and p = any('{identity.write,identity.grant,audit.read}')
$$;

-- all changes of rights one after the other: two administrators who take each other out at once find one of them left
create function tj.lock_rights() returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_xact_lock(7307002)
$$;

create function tj.add_staff(p_id uuid, p_username text, p_name text, p_title text, p_hash text, p_roles text[], p_campuses smallint[],
  p_all_departments boolean, p_departments smallint[], p_at timestamptz, p_must_change boolean)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare house boolean := (tj.context())[1] = 'job';
begin
  perform tj.lock_rights();
  if not tj.holds('identity.write') then return 'forbidden'; end if;
  insert into public.staff (id, username, name, title, password_hash, status, token_version, version, all_departments, departments, campuses,
    created_at, approved_at, must_change_password, password_set_by, password_changed_at)
  values (p_id, p_username, p_name, p_title, p_hash, 'active', 1, 1, p_all_departments, p_departments, p_campuses, p_at,
    case when house then p_at end, p_must_change or not house, tj.me(), p_at);
  insert into public.staff_role (staff_id, role_code) select p_id, unnest(p_roles);
  if not tj.is_apart(p_id) then
    raise exception 'apart' using errcode = 'TJ001';
  end if;
  return null;
exception when sqlstate 'TJ001' then return sqlerrm;
end $$;

create function tj.change_staff(p_id uuid, p_version int, p_name text, p_title text, p_active boolean)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare before text[]; was public.staff;
begin
  perform tj.lock_rights();
  if not tj.holds('identity.write') then return 'forbidden'; end if;
  select * into was from public.staff where id = p_id for update;
  if was.version <> p_version then return 'changed'; end if;
  if p_active is not null and p_active <> (was.status = 'active') and p_id = tj.me() then return 'own'; end if;
  if cardinality(was.campuses) > 0 and not was.campuses && tj.campuses() then return 'campus'; end if;
  before := tj.administered();
  update public.staff set name = coalesce(p_name, name), title = coalesce(p_title, title), version = version + 1,
    status = case when p_active then 'active' when not p_active then 'disabled' else status end,
    token_version = token_version + (p_active is false)::int
  where id = p_id;
  if not before <@ tj.administered() then
    raise exception 'last' using errcode = 'TJ001';
  end if;
  return null;
exception when sqlstate 'TJ001' then return sqlerrm;
end $$;

create function tj.grant_staff(p_id uuid, p_version int, p_roles text[], p_campuses smallint[], p_all_departments boolean, p_departments smallint[])
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare before text[]; was public.staff; mine smallint[] := tj.departments();
begin
  perform tj.lock_rights();
  if not tj.holds('identity.grant') then return 'forbidden'; end if;
  if p_id = tj.me() then return 'own'; end if;
  select * into was from public.staff where id = p_id for update;
  if was.version <> p_version then return 'changed'; end if;
  if cardinality(was.campuses) > 0 and not was.campuses && tj.campuses() then return 'campus'; end if;
  if exists (select unnest(p_campuses) except select unnest(tj.campuses()) except select unnest(was.campuses)) then return 'campus'; end if;
  if mine is not null and not was.all_departments and (p_all_departments
      or exists (select unnest(p_departments) except select unnest(mine) except select unnest(was.departments))) then
    return 'department';
  end if;
  before := tj.administered();
  delete from public.staff_role where staff_id = p_id;
  insert into public.staff_role (staff_id, role_code) select p_id, unnest(p_roles);
  update public.staff set campuses = p_campuses, all_departments = p_all_departments, departments = p_departments, version = version + 1
  where id = p_id;
  if not tj.is_apart(p_id) then
    raise exception 'apart' using errcode = 'TJ001';
  end if;
  if not before <@ tj.administered() then
    raise exception 'last' using errcode = 'TJ001';
  end if;
  return null;
exception when sqlstate 'TJ001' then return sqlerrm;
end $$;

-- lets an account in whose password another administrator set: of two, neither makes a second self
create function tj.approve_staff(p_id uuid, p_version int, p_at timestamptz)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare was public.staff; mine smallint[] := tj.departments();
begin
  perform tj.lock_rights();
  if not tj.holds('identity.grant') then return 'forbidden'; end if;
  select * into was from public.staff where id = p_id for update;
  if was.version <> p_version then return 'changed'; end if;
  if p_id = tj.me() or was.password_set_by = tj.me() then return 'own'; end if;
  if not was.campuses <@ tj.campuses() then return 'campus'; end if;
  if mine is not null and (was.all_departments or not was.departments <@ mine) then return 'department'; end if;
  update public.staff set approved_at = coalesce(approved_at, p_at), version = version + 1 where id = p_id;
  return null;
end $$;

-- a new password that its owner must change, and an account that another administrator lets in again
create function tj.reset_password(p_id uuid, p_version int, p_hash text, p_at timestamptz)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare before text[]; was public.staff;
begin
  perform tj.lock_rights();
  if not tj.holds('identity.write') then return 'forbidden'; end if;
  if p_id = tj.me() then return 'own'; end if;
  select * into was from public.staff where id = p_id for update;
  if was.version <> p_version then return 'changed'; end if;
  if cardinality(was.campuses) > 0 and not was.campuses && tj.campuses() then return 'campus'; end if;
  before := tj.administered();
  update public.staff set password_hash = p_hash, must_change_password = true, password_set_by = tj.me(), password_changed_at = p_at,
    token_version = token_version + 1, guess_epoch = guess_epoch + 1, version = version + 1,
    approved_at = case when (tj.context())[1] = 'job' then coalesce(approved_at, p_at) end
  where id = p_id;
  if not before <@ tj.administered() then
    raise exception 'last' using errcode = 'TJ001';
  end if;
  return null;
exception when sqlstate 'TJ001' then return sqlerrm;
end $$;

create function tj.unlock_staff(p_id uuid) returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if not tj.holds('identity.write') then return 'forbidden'; end if;
  update public.staff set guess_epoch = guess_epoch + 1 where id = p_id and (campuses = '{}' or campuses && tj.campuses());
  return case when found then null else 'campus' end;
end $$;

-- the own password, whose old one the caller was asked for; `p_old` is what it was read as
create function tj.change_password(p_old text, p_hash text, p_kept int, p_at timestamptz)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if (tj.context())[1] is distinct from 'staff' then return 'forbidden'; end if;
  update public.staff set password_hash = p_hash, must_change_password = false, password_set_by = id, password_changed_at = p_at,
    token_version = token_version + 1,
    password_history = (select coalesce(array_agg(h order by n), '{}') from unnest(array[p_old] || password_history) with ordinality o(h, n) where n <= p_kept)
  where id = tj.me() and password_hash = p_old;
  return case when found then null else 'changed' end;
end $$;

create function tj.put_role(p_code text, p_zh text, p_en text, p_permissions text[])
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare before text[];
begin
  perform tj.lock_rights();
  if not tj.holds('identity.grant') then return 'forbidden'; end if;
  if exists (select from public.staff_role where role_code = p_code and staff_id = tj.me()) then return 'own'; end if;
  before := tj.administered();
  insert into public.role (code, name_zh, name_en, permissions, version) values (p_code, p_zh, p_en, p_permissions, 1)
  on conflict (code) do update set name_zh = p_zh, name_en = p_en, permissions = p_permissions, version = role.version + 1;
  if (select count(*) from unnest(p_permissions) p where p = any('{identity.write,identity.grant,audit.read}')) > 1
    or exists (select from public.staff_role h where h.role_code = p_code and not tj.is_apart(h.staff_id)) then
    raise exception 'apart' using errcode = 'TJ001';
  end if;
  if not before <@ tj.administered() then
    raise exception 'last' using errcode = 'TJ001';
  end if;
  return null;
exception when sqlstate 'TJ001' then return sqlerrm;
end $$;

create function tj.add_client(p_id uuid, p_client_id text, p_name text, p_hash text, p_scopes text[], p_campuses smallint[], p_at timestamptz)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform tj.lock_rights();
  if not tj.holds('identity.write') then return 'forbidden'; end if;
  if p_scopes && '{identity.write,identity.grant,audit.read}' then return 'apart'; end if;
  insert into public.api_client (id, client_id, name, secret_hash, scopes, campuses, status, token_version, created_at, approved_at, created_by)
  values (p_id, p_client_id, p_name, p_hash, p_scopes, p_campuses, 'active', 1, p_at, case when (tj.context())[1] = 'job' then p_at end, tj.me());
  return null;
end $$;

create function tj.approve_client(p_id uuid, p_at timestamptz)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare was public.api_client;
begin
  perform tj.lock_rights();
  if not tj.holds('identity.grant') then return 'forbidden'; end if;
  select * into was from public.api_client where id = p_id for update;
  if was.created_by = tj.me() then return 'own'; end if;
  if not was.campuses <@ tj.campuses() then return 'campus'; end if;
  update public.api_client set approved_at = coalesce(approved_at, p_at) where id = p_id;
  return null;
end $$;

create function tj.revoke_client(p_id uuid) returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if not tj.holds('identity.write') then return 'forbidden'; end if;
  update public.api_client set status = 'revoked', token_version = token_version + 1
  where id = p_id and (campuses = '{}' or campuses && tj.campuses());
  return case when found then null else 'campus' end;
end $$;

-- a client that the installation runs itself is given the campuses that came since
create function tj.widen_client(p_id uuid, p_campuses smallint[]) returns text language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  if (tj.context())[1] is distinct from 'job' then return 'forbidden'; end if;
  update public.api_client set campuses = p_campuses where id = p_id;
  return null;
end $$;

revoke execute on all functions in schema tj from public;
grant execute on function tj.add_staff(uuid, text, text, text, text, text[], smallint[], boolean, smallint[], timestamptz, boolean),
  tj.change_staff(uuid, int, text, text, boolean), tj.grant_staff(uuid, int, text[], smallint[], boolean, smallint[]),
  tj.approve_staff(uuid, int, timestamptz), tj.reset_password(uuid, int, text, timestamptz), tj.unlock_staff(uuid),
  tj.change_password(text, text, int, timestamptz), tj.put_role(text, text, text, text[]),
  tj.add_client(uuid, text, text, text, text[], smallint[], timestamptz), tj.approve_client(uuid, timestamptz), tj.revoke_client(uuid),
  tj.widen_client(uuid, smallint[]) to {p}_app;
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    for statement in statements(SQL.replace("{p}", prefix)):
        op.get_bind().exec_driver_sql(statement)
