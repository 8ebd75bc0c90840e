"""Questions that identity asks of its own tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select, text, update

from tjapi.identity.models import ApiClient, Campus, RefreshToken, Role, SecondFactor, Staff, StaffRole, StaffSession
from tjapi.kernel.db import Look, fetch_value
from tjapi.kernel.uow import UnitOfWork

_STAFF_PRINCIPAL = """
select s.name, s.campuses, s.departments, s.all_departments, s.must_change_password, e.must, e.stepped_up_at,
  coalesce((select array_agg(distinct p) from staff_role r join role o on o.code = r.role_code, unnest(o.permissions) p
            where r.staff_id = s.id), '{}') permissions
from staff s join staff_session e on e.staff_id = s.id
where s.id = $1 and s.token_version = $2 and s.status = 'active' and s.approved_at is not null and e.id = $3 and e.revoked_at is null
"""
_CLIENT_PRINCIPAL = """
select name, campuses, scopes from api_client where id = $1 and token_version = $2 and status = 'active' and approved_at is not null
"""


async def staff_principal(look: Look, staff: UUID, version: int, session: UUID) -> Any | None:
    """Return the rights of a member of staff whose session is open: the one hot question of identity."""
    return await look.row(_STAFF_PRINCIPAL, staff, version, session)


async def client_principal(look: Look, client: UUID, version: int) -> Any | None:
    """Return the rights of an active API client."""
    return await look.row(_CLIENT_PRINCIPAL, client, version)


async def credentials_of_staff(uow: UnitOfWork, username: str, source: str, since: datetime) -> Any | None:
    """Return what a login is held against, and whether the account signed in from this address lately."""
    familiar = exists().where(
        StaffSession.staff_id == Staff.id, StaffSession.source == source, StaffSession.created_at > since
    )
    query = select(
        Staff.id, Staff.password_hash, Staff.status, Staff.approved_at, Staff.guess_epoch, familiar.label("familiar")
    ).where(Staff.username == username)
    return (await uow.session.execute(query)).one_or_none()


async def credentials_of_client(uow: UnitOfWork, client_id: str) -> Any | None:
    """Return what a client's secret is held against."""
    query = select(ApiClient.id, ApiClient.secret_hash, ApiClient.status, ApiClient.approved_at).where(
        ApiClient.client_id == client_id
    )
    return (await uow.session.execute(query)).one_or_none()


async def staff_by_username(uow: UnitOfWork, username: str) -> Staff | None:
    """Return an account."""
    return (await uow.session.execute(select(Staff).where(Staff.username == username))).scalar_one_or_none()


async def staff_by_id(uow: UnitOfWork, staff: UUID) -> Staff | None:
    """Return a member of staff, as it is now."""
    query = select(Staff).where(Staff.id == staff).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def secrets_of_staff(uow: UnitOfWork, staff: UUID) -> Any | None:
    """Return the hash of a password and those of the ones before: only the writing role may read them."""
    query = select(Staff.username, Staff.password_hash, Staff.password_history, Staff.guess_epoch).where(
        Staff.id == staff
    )
    return (await uow.session.execute(query)).one_or_none()


async def secret_of_client(uow: UnitOfWork, client: UUID) -> str | None:
    """Return the hash of a client's secret."""
    return (await uow.session.execute(select(ApiClient.secret_hash).where(ApiClient.id == client))).scalar_one_or_none()


async def verdict(uow: UnitOfWork, function: str, *values: Any) -> str | None:
    """Ask one of the database's functions for a change of accounts; return why it refuses, or None: it was done."""
    await uow.session.flush()
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    said: str | None = await fetch_value(uow.session, f"select tj.{function}({places})", *values)
    return said


async def staff_page(uow: UnitOfWork, after: list[Any] | None, size: int) -> Sequence[Staff]:
    """Return a page of staff by user name, one row too many."""
    query = select(Staff).order_by(Staff.username).limit(size + 1)
    if after:
        query = query.where(Staff.username > after[0])
    return (await uow.session.execute(query)).scalars().all()


async def roles_of(uow: UnitOfWork, staff: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the role codes of several members of staff."""
    query = (
        select(StaffRole.staff_id, StaffRole.role_code)
        .where(StaffRole.staff_id.in_(staff))
        .order_by(StaffRole.role_code)
    )
    found: dict[UUID, list[str]] = {}
    for staff_id, code in (await uow.session.execute(query)).all():
        found.setdefault(staff_id, []).append(code)
    return found


async def roles(uow: UnitOfWork) -> Sequence[Role]:
    """Return every role."""
    return (await uow.session.execute(select(Role).order_by(Role.code))).scalars().all()


async def role(uow: UnitOfWork, code: str) -> Role | None:
    """Return a role."""
    return (await uow.session.execute(select(Role).where(Role.code == code))).scalar_one_or_none()


async def refresh_token(uow: UnitOfWork, digest: bytes) -> tuple[RefreshToken, StaffSession, Staff] | None:
    """Return a refresh token, locked, with its session and account."""
    query = (
        select(RefreshToken, StaffSession, Staff)
        .join(StaffSession, StaffSession.id == RefreshToken.session_id)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(RefreshToken.digest == digest)
        .with_for_update(of=RefreshToken)
    )
    row = (await uow.session.execute(query)).first()
    return (row[0], row[1], row[2]) if row else None


async def revoke_session(uow: UnitOfWork, session: UUID) -> None:
    """End a session."""
    query = (
        update(StaffSession)
        .where(StaffSession.id == session, StaffSession.revoked_at.is_(None))
        .values(revoked_at=uow.now)
    )
    await uow.session.execute(query)


async def end_examinee_session(uow: UnitOfWork, session: UUID) -> None:
    """End the caller's own portal session: the row belongs to a campus, and an examinee has none, so by a definer function."""
    await uow.session.execute(text("select tj.end_examinee_session(:session)"), {"session": session})


async def revoke_sessions(uow: UnitOfWork, staff: UUID, *, but: UUID | None = None) -> None:
    """End every session of an account, but one."""
    query = (
        update(StaffSession)
        .where(StaffSession.staff_id == staff, StaffSession.revoked_at.is_(None), StaffSession.id.is_distinct_from(but))
        .values(revoked_at=uow.now)
    )
    await uow.session.execute(query)


async def client_by_client_id(uow: UnitOfWork, client_id: str) -> ApiClient | None:
    """Return an API client by its public id."""
    return (await uow.session.execute(select(ApiClient).where(ApiClient.client_id == client_id))).scalar_one_or_none()


async def client_by_id(uow: UnitOfWork, client: UUID) -> ApiClient | None:
    """Return an API client, as it is now."""
    query = select(ApiClient).where(ApiClient.id == client).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def clients(uow: UnitOfWork) -> Sequence[ApiClient]:
    """Return every API client."""
    return (await uow.session.execute(select(ApiClient).order_by(ApiClient.client_id))).scalars().all()


async def campuses(uow: UnitOfWork) -> Sequence[Campus]:
    """Return every campus."""
    return (await uow.session.execute(select(Campus).order_by(Campus.id))).scalars().all()


async def is_held(uow: UnitOfWork, role: str) -> bool:
    """Say whether anybody holds a role."""
    return bool((await uow.session.execute(select(exists().where(StaffRole.role_code == role)))).scalar())


async def sessions(uow: UnitOfWork, staff: UUID, since: datetime) -> Sequence[StaffSession]:
    """Return the open sessions of an account that were opened since, newest first."""
    query = (
        select(StaffSession)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.staff_id == staff, StaffSession.revoked_at.is_(None), StaffSession.created_at > since,
            StaffSession.token_version == Staff.token_version,
        )
        .order_by(StaffSession.created_at.desc())
        .limit(100)
    )  # fmt: skip
    return (await uow.session.execute(query)).scalars().all()


async def session_of(uow: UnitOfWork, session: UUID, staff: UUID) -> StaffSession | None:
    """Return a session of an account, locked."""
    query = select(StaffSession).where(StaffSession.id == session, StaffSession.staff_id == staff).with_for_update()
    return (await uow.session.execute(query)).scalar_one_or_none()


async def second_factor(uow: UnitOfWork, staff: UUID) -> SecondFactor | None:
    """Return an account's second factor, locked: two logins do not use one code."""
    query = select(SecondFactor).where(SecondFactor.staff_id == staff).with_for_update()
    return (await uow.session.execute(query)).scalar_one_or_none()


async def drop_second_factor(uow: UnitOfWork, staff: UUID) -> None:
    """Forget an account's second factor."""
    await uow.session.execute(delete(SecondFactor).where(SecondFactor.staff_id == staff))


async def lock_name(uow: UnitOfWork, name: str) -> None:
    """Make two creations of the same name wait for each other."""
    await uow.session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 1))"), {"name": name})
