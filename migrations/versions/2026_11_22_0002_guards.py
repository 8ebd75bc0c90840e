"""Row-level security, append-only rows, guarded states, and the functions that look where a role may not."""

from collections.abc import Callable

from alembic import context, op

from tjapi.kernel.schema import statements

revision = "0003_guards"
down_revision = "0002_tables"
branch_labels = None
depends_on = None

# Rows of a campus. `owner` lets the definer functions see everything; nobody logs in as the owner.
CAMPUS_TABLES = (
    "exam", "exam_line", "exam_block", "exam_number", "access_code", "requisition", "requisition_line", "tube", "tube_line", "tube_number",
    "department_sheet", "department_sheet_step", "result", "result_revision", "conclusion", "conclusion_entry", "conclusion_step", "report", "portal_session",
)  # fmt: skip
# Rows that may belong to no campus in particular.
LOOSE_TABLES = ("audit_event", "job", "live_event")
OWN_ROWS = {"exam": "examinee_id", "report": "examinee_id"}
DEPARTMENT_TABLES = ("department_sheet", "department_sheet_step", "result", "result_revision")
APPEND_ONLY = ("audit_link", "result_revision", "department_sheet_step", "conclusion_step")
EXAM_MOVES = """{"prepared":["cancelled","checked_in"],"checked_in":["cancelled","in_progress"],"in_progress":["ready_for_review"],"ready_for_review":["in_progress","in_review"],"in_review":["finalized","in_progress","ready_for_review"],"finalized":["in_review"],"cancelled":[]}"""
LINE_MOVES = """{"ordered":["deferred","refused","released","substituted","waived","withdrawn"],"released":["collected","deferred","refused","resulted","sent","started","substituted","waived","withdrawn"],"sent":["collected","deferred","refused","resulted","started","substituted","waived","withdrawn"],"collected":["resulted","specimen_rejected"],"started":["deferred","refused","resulted","waived"],"resulted":["collected","started","verified"],"verified":["resulted"],"specimen_rejected":["deferred","refused","released","waived","withdrawn"],"deferred":["refused","released","waived"],"refused":["released"],"waived":["released"],"withdrawn":[],"substituted":[]}"""
REPORT_MOVES = """{"failed":[],"rendering":["failed","generated"],"generated":["published"],"published":["recalled","superseded"],"superseded":[],"recalled":[]}"""

SHEET_MOVES = '{"draft":["signed"],"signed":["draft"]}'
CONCLUSION_MOVES = '{"draft":["initial_signed"],"initial_signed":["finalized","draft"]}'

TUBE_MOVES = '{"planned":["collected"],"collected":["received","rejected"],"received":["rejected"]}'
REQUISITION_MOVES = '{"planned":["sent","failed","cancelled"],"failed":["planned","cancelled"],"sent":["cancelled"]}'

FUNCTIONS = """
create function tj.audit(p_action text, p_object_type text, p_object_id text, p_campus_id int, p_detail jsonb, p_request_id text)
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare c text[] := tj.context();
begin
  if c is null then
    raise exception 'no context' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_event (at, principal_kind, principal_id, action, object_type, object_id, campus_id, campuses, detail, request_id)
  values (clock_timestamp(), c[1], c[2]::uuid, p_action, p_object_type, p_object_id, p_campus_id,
    coalesce((select array_agg(id) from public.campus where id = any(tj.campuses())),
      (select array_agg(m.campus_id) from public.examinee_campus m where m.examinee_id = tj.subject()), '{}'), p_detail, p_request_id);
end $$;

-- marks rows as sealed that have a link; nothing else of a row can be changed by anybody
create function tj.audit_sealed(p_ids bigint[]) returns void language sql security definer
set search_path = pg_catalog, public, pg_temp as $$
  update public.audit_event e set sealed = true
  where e.id = any(p_ids) and exists (select from public.audit_link l where l.event_id = e.id)
$$;

-- an exact identifier finds a person whom row security hides; the campus has met them from now on, and the audit trail says so
create function tj.meet_examinee(p_id_kind text, p_id_index bytea, p_campus_id smallint) returns uuid language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare found uuid;
begin
  if not p_campus_id = any(tj.campuses()) then
    return null;
  end if;
  select id into found from public.examinee where id_kind = p_id_kind and id_number_index = p_id_index;
  if found is not null then
    insert into public.examinee_campus (examinee_id, campus_id, first_met_at) values (found, p_campus_id, clock_timestamp())
    on conflict do nothing;
    perform tj.audit('examinee.met', 'examinee', found::text, p_campus_id, '{}', '');
  end if;
  return found;
end $$;

-- asked before there is a context: does this session live, and is its client trusted still
create function tj.examinee_session(p_session uuid, p_examinee uuid) returns boolean language sql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
  select exists (
    select from public.portal_session s join public.api_client c on c.id = s.client_id
    where s.id = p_session and s.examinee_id = p_examinee and s.expires_at > clock_timestamp() and c.status = 'active')
$$;

-- an examinee signs out: the own session ends now
create function tj.end_examinee_session(p_session uuid) returns void language sql security definer
set search_path = pg_catalog, public, pg_temp as $$
  update public.portal_session set expires_at = clock_timestamp() where id = p_session and examinee_id = tj.subject()
$$;

-- has no campus met this person yet: asked past row security, so that nobody meets by id whom another campus knows
create function tj.is_unmet(p_examinee uuid) returns boolean language sql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
  select not exists (select from public.examinee_campus where examinee_id = p_examinee)
$$;

-- injected SQL may write to accounts; it cannot give a campus that its own session does not hold
create function tj.guard_grant() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select unnest(new.campuses) except select unnest(tj.campuses())
             except select unnest(case when tg_op = 'UPDATE' then old.campuses else '{}'::smallint[] end)) then
    raise exception 'a campus that is not held cannot be granted' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;

create function tj.guard_state() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.state is distinct from old.state and not coalesce(tg_argv[0]::jsonb -> old.state ? new.state, false) then
    raise exception 'state of % may not go from % to %', tg_table_name, old.state, new.state using errcode = 'check_violation';
  end if;
  return new;
end $$;

create function tj.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;

create function tj.refuse_finalized() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare which uuid := case when tg_op = 'DELETE' then old.exam_id else new.exam_id end;
begin
  if exists (select from public.exam where id = which and state = 'finalized') then
    raise exception 'the exam of this % is finalized', tg_table_name using errcode = 'check_violation';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;

create function tj.notify_live() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('tj_live', new.id::text);
  return null;
end $$;
"""

GRANTS = """
revoke insert, update, delete on audit_event from {p}_app, {p}_worker;
revoke insert, update, delete on audit_link from {p}_app;
revoke update, delete on audit_link from {p}_worker;
revoke update, delete on result_revision, department_sheet_step, conclusion_step from {p}_app, {p}_worker;
revoke delete on exam, exam_line, requisition, requisition_line, tube, tube_line, report, result, inbox_message, examinee from {p}_app, {p}_worker;
revoke update, delete on examinee_campus from {p}_app, {p}_worker;
revoke delete on department_sheet from {p}_app, {p}_worker;
revoke select on refresh_token, access_code, idempotency_key, portal_session from {p}_reader;
create trigger guard_grant before insert or update of campuses on staff for each row execute function tj.guard_grant();
create trigger guard_grant before insert or update of campuses on api_client for each row execute function tj.guard_grant();
revoke all on audit_event, audit_link from public;
revoke execute on all functions in schema tj from public;
grant execute on function tj.audit(text, text, text, int, jsonb, text) to {p}_app, {p}_reader, {p}_worker;
grant execute on function tj.end_examinee_session(uuid) to {p}_app;
grant execute on function tj.is_unmet(uuid) to {p}_app, {p}_worker;
grant execute on function tj.audit_sealed(bigint[]) to {p}_worker;
grant execute on function tj.meet_examinee(text, bytea, smallint) to {p}_app, {p}_worker;
grant execute on function tj.examinee_session(uuid, uuid) to {p}_app, {p}_reader;
create trigger guard_state before update of state on exam for each row execute function tj.guard_state('{exam}');
create trigger guard_state before update of state on exam_line for each row execute function tj.guard_state('{line}');
create trigger guard_state before update of state on report for each row execute function tj.guard_state('{report}');
create trigger guard_state before update of state on department_sheet for each row execute function tj.guard_state('{sheet}');
create trigger guard_state before update of state on conclusion for each row execute function tj.guard_state('{conclusion}');
create trigger guard_state before update of state on tube for each row execute function tj.guard_state('{tube}');
create trigger guard_state before update of state on requisition for each row execute function tj.guard_state('{requisition}');
create trigger refuse_finalized before insert or update or delete on conclusion_entry for each row execute function tj.refuse_finalized();
create trigger refuse_finalized before insert or update or delete on conclusion for each row execute function tj.refuse_finalized();
create trigger refuse_finalized before insert or update or delete on department_sheet for each row execute function tj.refuse_finalized();
create trigger refuse_finalized before insert or update or delete on exam_line for each row execute function tj.refuse_finalized();
create trigger notify_live after insert on live_event for each row execute function tj.notify_live();
"""


def upgrade() -> None:
    prefix = context.config.attributes.get("role_prefix", "tj")
    logins = f"{prefix}_app, {prefix}_reader, {prefix}_worker"
    run = op.get_bind().exec_driver_sql
    for statement in statements(FUNCTIONS):
        run(statement)
    mine = "(select tj.campuses())::smallint[]"
    policies = {
        **dict.fromkeys(CAMPUS_TABLES, f"campus_id = any({mine})"),
        **dict.fromkeys(LOOSE_TABLES, f"campus_id = any({mine}) or (campus_id is null and cardinality({mine}) > 0)"),
        "audit_event": f"campus_id = any({mine}) or (campus_id is null and campuses <@ {mine} and cardinality({mine}) > 0)",
        "inbox_message": f"cardinality(campuses) > 0 and campuses <@ {mine}",
    }
    for table, sees in policies.items():
        own = f" or {OWN_ROWS[table]} = (select tj.subject())" if table in OWN_ROWS else ""
        _secure(run, table, prefix)
        run(f"create policy campus on {table} to {logins} using ({sees}{own}) with check ({sees})")
    for table in DEPARTMENT_TABLES:
        own = "(select tj.departments()) is null or department_id = any((select tj.departments())::smallint[])"
        run(f"create policy department_write on {table} as restrictive for insert to {logins} with check ({own})")
        run(
            f"create policy department_update on {table} as restrictive for update to {logins} using ({own}) with check ({own})"
        )
    _secure(run, "examinee", prefix)
    # offset 0 keeps the planner from hashing every meeting of the campus: a name search among 100,000 people takes 5 ms, not 100.
    met = f"exists (select from examinee_campus m where m.examinee_id = examinee.id and m.campus_id = any({mine}) offset 0)"
    run(f"create policy met on examinee for select to {logins} using ({met} or id = (select tj.subject()))")
    run(f"create policy changed on examinee for update to {logins} using ({met})")
    run(f"create policy entered on examinee for insert to {logins} with check (cardinality({mine}) > 0)")
    _secure(run, "examinee_campus", prefix)
    run(
        f"create policy campus on examinee_campus to {logins} using (campus_id = any({mine})) with check (campus_id = any({mine}) and tj.is_unmet(examinee_id))"
    )
    _secure(run, "examinee_name_key", prefix)
    known = f"exists (select from examinee_campus m where m.examinee_id = examinee_name_key.examinee_id and m.campus_id = any({mine}) offset 0)"
    run(f"create policy met on examinee_name_key to {logins} using ({known}) with check ({known})")
    script = GRANTS.replace("{exam}", EXAM_MOVES).replace("{line}", LINE_MOVES).replace("{report}", REPORT_MOVES)
    script = script.replace("{sheet}", SHEET_MOVES).replace("{conclusion}", CONCLUSION_MOVES)
    script = script.replace("{tube}", TUBE_MOVES).replace("{requisition}", REQUISITION_MOVES)
    for statement in statements(script.replace("{p}", prefix)):
        run(statement)
    for table in APPEND_ONLY:
        run(
            f"create trigger refuse_change before update or delete on {table} for each row execute function tj.refuse_change()"
        )


def _secure(run: Callable[[str], object], table: str, prefix: str) -> None:
    run(f"alter table {table} enable row level security")
    run(f"alter table {table} force row level security")
    run(f"create policy owner on {table} to {prefix}_owner using (true) with check (true)")
