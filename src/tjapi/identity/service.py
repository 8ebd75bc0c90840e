"""The verbs of identity."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tjapi.identity import repository
from tjapi.identity.errors import (
    ApiClientNotFound,
    CampusNotGranted,
    CampusNotHeld,
    ClientIdTaken,
    CredentialsWrong,
    OldPasswordWrong,
    PasswordTooWeak,
    PermissionUnknown,
    RefreshTokenInvalid,
    RoleNotFound,
    StaffNotFound,
    UsernameTaken,
)
from tjapi.identity.models import ApiClient, Campus, RefreshToken, Role, Staff, StaffSession
from tjapi.identity.rules import FAMILIAR, NOT_FOR_STAFF, PERMISSIONS, ROLES, private_scope
from tjapi.identity.schemas import (
    AccessTokenOut,
    ApiClientCreated,
    ApiClientIn,
    ApiClientOut,
    RoleIn,
    StaffIn,
    StaffOut,
    StaffPatch,
    TokensOut,
)
from tjapi.kernel.db import Look
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PermissionMissing, PreconditionFailed
from tjapi.kernel.security.fields import url_token
from tjapi.kernel.security.passwords import weakness
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.security.tokens import TokenClaims, TokenMint
from tjapi.kernel.settings import Settings
from tjapi.kernel.uow import UnitOfWork

_WEAK = {
    "too_short": ("密码太短", "too short"),
    "contains_username": ("密码不能包含用户名", "must not contain the user name"),
    "too_few_kinds_of_characters": (
        "至少包含大写、小写、数字、符号中的三种",
        "needs three of: upper case, lower case, digits, symbols",
    ),
}


async def authenticate(look: Look, claims: TokenClaims) -> Principal | None:
    """Return the principal of a token, with the rights of this moment; None when it was revoked."""
    if claims.kind == "staff":
        row = await repository.staff_principal(look, claims.subject, claims.version, UUID(claims.session))
        if row is None:
            return None
        departments = None if row["all_departments"] else tuple(row["departments"])
        rights = frozenset(row["permissions"]) - NOT_FOR_STAFF
        return Principal(
            "staff", claims.subject, rights, tuple(row["campuses"]), departments, None, claims.session, row["name"],
            private=private_scope(rights, departments),
        )  # fmt: skip
    row = await repository.client_principal(look, claims.subject, claims.version)
    if row is None:
        return None
    return Principal(
        "client",
        claims.subject,
        frozenset(row["scopes"]),
        tuple(row["campuses"]),
        None,
        None,
        claims.session,
        row["name"],
        private=private_scope(frozenset(row["scopes"]), None),
    )


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a guess is held against; of a name that nobody has: `subject` None, and a digest of it, since people type passwords there."""

    subject: UUID | None
    told: str
    secret_hash: str | None
    familiar: bool = False


def _unknown(uow: UnitOfWork, name: str) -> str:
    return f"unknown:{uow.cipher.blind_index(name, 'login-name').hex()[:16]}"


async def credentials(uow: UnitOfWork, username: str) -> Credentials:
    """Return what a login is held against, to be hashed once this unit is closed. A known and an unknown name cost the same."""
    row = await repository.credentials_of_staff(uow, username, uow.source, uow.now - FAMILIAR)
    unknown = _unknown(uow, username)
    if row is None:
        return Credentials(None, unknown, None)
    return Credentials(row.id, str(row.id), row.password_hash if row.status == "active" else None, row.familiar)


async def client_credentials(uow: UnitOfWork, client_id: str) -> Credentials:
    """Return what a client's secret is held against, to be hashed once this unit is closed."""
    row = await repository.credentials_of_client(uow, client_id)
    unknown = _unknown(uow, client_id)
    if row is None:
        return Credentials(None, unknown, None)
    return Credentials(row.id, str(row.id), row.secret_hash if row.status == "active" else None)


async def refuse_login(uow: UnitOfWork, held: Credentials) -> None:
    """Remember a wrong login, from where it came, whether there is such an account or not. Raises CredentialsWrong."""
    await uow.audit("staff.login_failed", "staff", held.told)
    raise CredentialsWrong().kept()


async def refuse_client(uow: UnitOfWork, held: Credentials) -> None:
    """Remember a wrong secret, from where it came, whether there is such a client or not. Raises CredentialsWrong."""
    await uow.audit("api_client.token_refused", "api_client", held.told)
    raise CredentialsWrong().kept()


async def enter(uow: UnitOfWork, mint: TokenMint, settings: Settings, held: Credentials) -> TokensOut:
    """Open a session for whoever proved to be who they say. Raises CredentialsWrong where the account changed meanwhile."""
    staff = None if held.subject is None else await repository.staff_by_id(uow, held.subject, lock=True)
    if staff is None or staff.status != "active" or staff.password_hash != held.secret_hash:
        raise CredentialsWrong
    session = StaffSession(id=uuid7(), staff_id=staff.id, created_at=uow.now, source=uow.source)
    uow.session.add(session)
    await uow.session.flush()
    await uow.audit("staff.signed_in", "staff", staff.id)
    return await _tokens(uow, mint, settings, staff, session.id)


async def _tokens(uow: UnitOfWork, mint: TokenMint, settings: Settings, staff: Staff, session: UUID) -> TokensOut:
    refresh = url_token()
    expires = uow.now + timedelta(days=settings.refresh_token_days)
    uow.session.add(RefreshToken(digest=_digest(refresh), session_id=session, expires_at=expires))
    access = mint.issue(
        kind="staff",
        subject=staff.id,
        version=staff.token_version,
        session=str(session),
        now=uow.now,
        seconds=settings.access_token_seconds,
    )
    return TokensOut(access_token=access, refresh_token=refresh, expires_in=settings.access_token_seconds)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def refresh(uow: UnitOfWork, mint: TokenMint, settings: Settings, token: str) -> TokensOut:
    """Use up a refresh token. One that was used before revokes its session: somebody has a copy."""
    found = await repository.refresh_token(uow, _digest(token))
    if found is None:
        raise RefreshTokenInvalid
    row, session, staff = found
    if row.used_at is not None:
        await repository.revoke_session(uow, session.id)
        await uow.audit("staff.refresh_token_reused", "staff", staff.id)
        raise RefreshTokenInvalid().kept()
    if row.expires_at <= uow.now or session.revoked_at is not None or staff.status != "active":
        raise RefreshTokenInvalid
    row.used_at = uow.now
    return await _tokens(uow, mint, settings, staff, session.id)


async def logout(uow: UnitOfWork) -> None:
    """End the caller's session: its tokens are refused from the next request on. Raises PermissionMissing for clients, who have none."""
    if uow.principal.kind == "staff":
        await repository.revoke_session(uow, UUID(uow.principal.session))
        await uow.audit("staff.signed_out", "staff", uow.principal.id)
    elif uow.principal.kind == "examinee":
        await repository.end_examinee_session(uow, UUID(uow.principal.session))
        await uow.audit("examinee.signed_out", "examinee", uow.principal.id)
    else:
        raise PermissionMissing


async def own_credentials(uow: UnitOfWork) -> tuple[Credentials, str]:
    """Return what the caller's old password is held against, and the user name. Raises PermissionMissing for who has no password."""
    staff = await repository.staff_by_id(uow, uow.principal.id) if uow.principal.kind == "staff" else None
    if staff is None:
        raise PermissionMissing
    return Credentials(staff.id, str(staff.id), staff.password_hash), staff.username


async def refuse_old_password(uow: UnitOfWork) -> None:
    """Remember a wrong old password like a failed login. Raises OldPasswordWrong."""
    await uow.audit("staff.login_failed", "staff", uow.principal.id)
    raise OldPasswordWrong(
        errors=[FieldError("/old_password", "wrong", "原密码错误", "the old password is wrong")]
    ).kept()


async def change_password(uow: UnitOfWork, held: Credentials, password_hash: str) -> None:
    """Change the caller's own password, whose old one was right; every token of the account ends. Raises CredentialsWrong where it changed meanwhile."""
    staff = await repository.staff_by_id(uow, uow.principal.id, lock=True)
    if staff is None or staff.password_hash != held.secret_hash:
        raise CredentialsWrong
    staff.password_hash = password_hash
    staff.token_version += 1
    await repository.revoke_sessions(uow, staff.id)
    await uow.audit("staff.password_changed", "staff", staff.id)


def check_password(password: str, username: str, settings: Settings, pointer: str) -> None:
    """Hold a password against the policy. Raises PasswordTooWeak."""
    reason = weakness(password, username, settings.password_min_length)
    if reason:
        raise PasswordTooWeak(errors=[FieldError(pointer, reason, *_WEAK[reason])])


async def issue_client_token(uow: UnitOfWork, mint: TokenMint, settings: Settings, held: Credentials) -> AccessTokenOut:
    """Issue a token to an API client that proved to be who it says. Raises CredentialsWrong where it changed meanwhile."""
    client = None if held.subject is None else await repository.client_by_id(uow, held.subject)
    if client is None or client.status != "active" or client.secret_hash != held.secret_hash:
        raise CredentialsWrong
    access = mint.issue(
        kind="client",
        subject=client.id,
        version=client.token_version,
        session=uuid7().hex,
        now=uow.now,
        seconds=settings.access_token_seconds,
    )
    return AccessTokenOut(access_token=access, expires_in=settings.access_token_seconds)


async def create_staff(uow: UnitOfWork, new: StaffIn, password_hash: str) -> StaffOut:
    """Add a member of staff under the hash of a password that the policy takes. Raises UsernameTaken, PermissionUnknown, CampusNotGranted."""
    await repository.lock_name(uow, f"staff|{new.username}")
    if await repository.staff_by_username(uow, new.username) is not None:
        raise UsernameTaken(errors=[FieldError("/username", "taken", "用户名已被使用", "the user name is taken")])
    await _check_grant(uow, new.roles, new.campuses)
    staff = Staff(
        id=uuid7(), username=new.username, name=new.name, title=new.title, password_hash=password_hash,
        status="active", token_version=1, version=1, all_departments=new.all_departments, departments=sorted(set(new.departments)),
        campuses=sorted(set(new.campuses)), created_at=uow.now,
    )  # fmt: skip
    uow.session.add(staff)
    await uow.session.flush()
    await repository.set_roles(uow, staff.id, new.roles)
    await uow.audit("staff.created", "staff", staff.id, detail={"roles": new.roles, "campuses": new.campuses})
    return _staff_out(staff, sorted(set(new.roles)))


async def _check_grant(
    uow: UnitOfWork, roles: Sequence[str] | None, campuses: Sequence[int] | None, *, kept: Sequence[int] = ()
) -> None:
    if roles is not None:
        known = {role.code for role in await repository.roles(uow)}
        unknown = [i for i, code in enumerate(roles) if code not in known]
        if unknown:
            raise PermissionUnknown(
                errors=[FieldError(f"/roles/{i}", "unknown", "没有这个角色", "no such role") for i in unknown]
            )
    held = (
        {campus.id for campus in await repository.campuses(uow)}
        if uow.principal.kind == "job"
        else set(uow.principal.campuses)
    )
    strange = [i for i, campus in enumerate(campuses or ()) if campus not in held and campus not in kept]
    if strange:
        errors = [
            FieldError(f"/campuses/{i}", "not-granted", "没有这个院区的权限", "a campus you do not hold")
            for i in strange
        ]
        raise CampusNotGranted(errors=errors)


async def patch_staff(uow: UnitOfWork, staff_id: UUID, change: StaffPatch, expected: int) -> StaffOut:
    """Change a member of staff; rights change on the next request. Raises StaffNotFound, PreconditionFailed."""
    staff = await repository.staff_by_id(uow, staff_id, lock=True)
    if staff is None:
        raise StaffNotFound
    if staff.version != expected:
        raise PreconditionFailed
    # Only campuses that are added must be the caller's own; those of colleagues elsewhere stay as they are.
    if uow.principal.kind != "job" and staff.campuses and not set(staff.campuses) & set(uow.principal.campuses):
        raise CampusNotGranted
    await _check_grant(uow, change.roles, change.campuses, kept=staff.campuses)
    for field in ("name", "title", "all_departments"):
        value = getattr(change, field)
        if value is not None:
            setattr(staff, field, value)
    if change.campuses is not None:
        staff.campuses = sorted(set(change.campuses))
    if change.departments is not None:
        staff.departments = sorted(set(change.departments))
    if change.active is not None:
        staff.status = "active" if change.active else "disabled"
        staff.token_version += not change.active
        if not change.active:
            await repository.revoke_sessions(uow, staff.id)
    if change.roles is not None:
        await repository.set_roles(uow, staff.id, change.roles)
    staff.version += 1
    await uow.audit("staff.changed", "staff", staff.id, detail=change.model_dump(exclude_none=True, exclude={"name"}))
    return _staff_out(staff, (await repository.roles_of(uow, [staff.id])).get(staff.id, []))


async def get_staff(uow: UnitOfWork, staff_id: UUID) -> StaffOut:
    """Return a member of staff. Raises StaffNotFound."""
    staff = await repository.staff_by_id(uow, staff_id)
    if staff is None:
        raise StaffNotFound
    return _staff_out(staff, (await repository.roles_of(uow, [staff_id])).get(staff_id, []))


async def staff_page(uow: UnitOfWork, after: list[str] | None, size: int) -> list[StaffOut]:
    """Return a page of staff, one too many."""
    rows = await repository.staff_page(uow, after, size)
    roles = await repository.roles_of(uow, [row.id for row in rows])
    return [_staff_out(row, roles.get(row.id, [])) for row in rows]


async def staff_name(uow: UnitOfWork, staff_id: UUID) -> str:
    """Return the name that is printed beside a signature; empty for what is no member of staff."""
    staff = await repository.staff_by_id(uow, staff_id)
    return staff.name if staff else ""


def _staff_out(staff: Staff, roles: Sequence[str]) -> StaffOut:
    return StaffOut(
        id=staff.id, username=staff.username, name=staff.name, title=staff.title, status=staff.status, roles=list(roles),
        campuses=staff.campuses, departments=staff.departments, all_departments=staff.all_departments, version=staff.version,
        created_at=staff.created_at,
    )  # fmt: skip


async def roles(uow: UnitOfWork) -> Sequence[Role]:
    """Return every role."""
    return await repository.roles(uow)


async def get_role(uow: UnitOfWork, code: str) -> Role:
    """Return a role. Raises RoleNotFound."""
    role = await repository.role(uow, code)
    if role is None:
        raise RoleNotFound
    return role


async def put_role(uow: UnitOfWork, code: str, change: RoleIn) -> Role:
    """Make a role, or make it as it shall be; rights change on the next request. Raises PermissionUnknown."""
    unknown = [i for i, p in enumerate(change.permissions) if p not in PERMISSIONS or p in NOT_FOR_STAFF]
    if unknown:
        errors = [FieldError(f"/permissions/{i}", "unknown", "没有这个权限", "no such permission") for i in unknown]
        raise PermissionUnknown(errors=errors)
    await repository.lock_name(uow, f"role|{code}")
    role = await repository.role(uow, code)
    if role is None:
        role = Role(code=code, name_zh=change.name_zh, name_en=change.name_en, permissions=[], version=0)
        uow.session.add(role)
    role.name_zh, role.name_en, role.permissions = change.name_zh, change.name_en, sorted(set(change.permissions))
    role.version += 1
    await uow.audit("role.changed", "role", code, detail={"permissions": role.permissions})
    return role


async def create_client(uow: UnitOfWork, new: ApiClientIn, secret: str, secret_hash: str) -> ApiClientCreated:
    """Add an API client; its secret, whose hash comes with it, is shown once. Raises ClientIdTaken, PermissionUnknown, CampusNotGranted."""
    await repository.lock_name(uow, f"client|{new.client_id}")
    if await repository.client_by_client_id(uow, new.client_id) is not None:
        raise ClientIdTaken(errors=[FieldError("/client_id", "taken", "client_id 已被使用", "the client_id is taken")])
    unknown = [i for i, p in enumerate(new.scopes) if p not in PERMISSIONS or p == "me.read"]
    if unknown:
        errors = [FieldError(f"/scopes/{i}", "unknown", "没有这个权限", "no such permission") for i in unknown]
        raise PermissionUnknown(errors=errors)
    await _check_grant(uow, None, new.campuses)
    client = ApiClient(
        id=uuid7(), client_id=new.client_id, name=new.name, secret_hash=secret_hash, scopes=sorted(set(new.scopes)),
        campuses=sorted(set(new.campuses)), status="active", token_version=1, created_at=uow.now,
    )  # fmt: skip
    uow.session.add(client)
    await uow.audit("api_client.created", "api_client", client.id, detail={"scopes": client.scopes})
    return ApiClientCreated(**client_out(client).model_dump(), client_secret=secret)


async def revoke_client(uow: UnitOfWork, client_id: UUID) -> ApiClientOut:
    """End an API client: its tokens are refused from the next request on. Raises ApiClientNotFound."""
    client = await repository.client_by_id(uow, client_id)
    if client is None:
        raise ApiClientNotFound
    if client.campuses and not set(client.campuses) & set(uow.principal.campuses):
        raise CampusNotGranted
    if client.status != "revoked":
        client.status = "revoked"
        client.token_version += 1
        await uow.audit("api_client.revoked", "api_client", client.id)
    return client_out(client)


async def clients(uow: UnitOfWork) -> Sequence[ApiClient]:
    """Return every API client."""
    return await repository.clients(uow)


def client_out(client: ApiClient) -> ApiClientOut:
    """Return the public shape of a client."""
    return ApiClientOut(
        id=client.id, client_id=client.client_id, name=client.name, scopes=client.scopes, campuses=client.campuses,
        status=client.status, created_at=client.created_at,
    )  # fmt: skip


async def campuses(uow: UnitOfWork) -> Sequence[Campus]:
    """Return every campus."""
    return await repository.campuses(uow)


def refuse_foreign_campus(uow: UnitOfWork, campus_id: int, pointer: str = "/campus_id") -> None:
    """Refuse a campus that the caller does not hold, as if it did not exist. Raises CampusNotHeld, naming the field that named it."""
    if campus_id not in uow.principal.campuses:
        raise CampusNotHeld(errors=[FieldError(pointer, "not-found", "没有这个院区", "no such campus")])


async def held_campus(uow: UnitOfWork, campus_id: int) -> Campus:
    """Return a campus that the caller holds. Raises CampusNotHeld."""
    refuse_foreign_campus(uow, campus_id)
    return next(campus for campus in await campuses(uow) if campus.id == campus_id)


async def trust_client(
    uow: UnitOfWork, client_id: str, name: str, scopes: Sequence[str], secret: str, secret_hash: str
) -> None:
    """Make a client that the installation runs itself, or give it the campuses that came since; its other rights stay as they are."""
    await repository.lock_name(uow, f"client|{client_id}")
    campuses_ = [campus.id for campus in await repository.campuses(uow)]
    client = await repository.client_by_client_id(uow, client_id)
    if client is None:
        await create_client(
            uow,
            ApiClientIn(client_id=client_id, name=name, scopes=list(scopes), campuses=campuses_),
            secret,
            secret_hash,
        )
    elif sorted(client.campuses) != campuses_:
        client.campuses = campuses_
        await uow.audit("api_client.campuses_changed", "api_client", client.id, detail={"campuses": campuses_})


async def is_hired(uow: UnitOfWork, username: str) -> bool:
    """Say whether an account has this name."""
    return await repository.staff_by_username(uow, username) is not None


async def is_trusted(uow: UnitOfWork, client_id: str) -> bool:
    """Say whether an API client has this id."""
    return await repository.client_by_client_id(uow, client_id) is not None


async def first_administrator(uow: UnitOfWork, username: str, password: str, password_hash: str) -> bool:
    """Make the first administrator, of every campus, where nobody works yet; say whether that was so."""
    await repository.lock_name(uow, "first administrator")
    if await repository.staff_page(uow, None, 1):
        return False
    campuses_ = [campus.id for campus in await repository.campuses(uow)]
    new = StaffIn(username=username, name="管理员", password=password, roles=["admin"], campuses=campuses_)
    await create_staff(uow, new, password_hash)
    return True


async def load_defaults(uow: UnitOfWork, campus_rows: Sequence[tuple[int, str, str]]) -> None:
    """Make the campuses and the starting roles that are not there yet; what a hospital changed stays."""
    known = {campus.id for campus in await repository.campuses(uow)}
    uow.session.add_all(Campus(id=i, code=code, name=name) for i, code, name in campus_rows if i not in known)
    codes = {role.code for role in await repository.roles(uow)}
    uow.session.add_all(
        Role(code=code, name_zh=zh, name_en=en, permissions=sorted(permissions), version=1)
        for code, (zh, en, permissions) in ROLES.items()
        if code not in codes
    )
    await uow.session.flush()
