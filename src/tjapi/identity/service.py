"""The verbs of identity."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tjapi.identity import repository
from tjapi.identity.errors import (
    AdministrationsApart,
    ApiClientNotFound,
    CampusNotGranted,
    CampusNotHeld,
    ClientIdTaken,
    CredentialsWrong,
    DepartmentNotGranted,
    LastAdministrator,
    OldPasswordWrong,
    OwnRights,
    PasswordTooWeak,
    PermissionUnknown,
    RefreshTokenInvalid,
    RoleNotFound,
    SecondFactorRequired,
    SecondFactorThere,
    SecondFactorWrong,
    SessionNotFound,
    StaffNotFound,
    UsernameTaken,
)
from tjapi.identity.models import ApiClient, Campus, RefreshToken, Role, SecondFactor, Staff, StaffSession
from tjapi.identity.rules import ADMINISTRATORS, FAMILIAR, NOT_FOR_STAFF, PERMISSIONS, ROLES, private_scope, staff_state
from tjapi.identity.schemas import (
    AccessTokenOut,
    ApiClientCreated,
    ApiClientIn,
    ApiClientOut,
    FactorSecretOut,
    PasswordOut,
    RecoveryCodesOut,
    RightsIn,
    RoleIn,
    SessionOut,
    StaffIn,
    StaffOut,
    StaffPatch,
    TokensOut,
)
from tjapi.kernel.db import Look
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PermissionMissing, PreconditionFailed, Problem
from tjapi.kernel.security import totp
from tjapi.kernel.security.fields import url_token
from tjapi.kernel.security.passwords import weakness
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.security.tokens import TokenClaims, TokenMint
from tjapi.kernel.settings import Settings
from tjapi.kernel.uow import UnitOfWork

_WEAK = {
    "too_short": ("密码太短", "too short"),
    "contains_username": ("密码不能包含用户名", "must not contain the user name"),
    "too_common": ("密码过于常见", "is one that many people use"),
    "used_before": ("不能使用最近用过的密码", "was used before"),
    "too_few_kinds_of_characters": (
        "至少包含大写、小写、数字、符号中的三种",
        "needs three of: upper case, lower case, digits, symbols",
    ),
}


_KEPT = 5
"""How many passwords of before may not be used again."""


async def authenticate(look: Look, claims: TokenClaims) -> Principal | None:
    """Return the principal of a token, with the rights of this moment; None when it was revoked."""
    if claims.kind == "staff":
        row = await repository.staff_principal(look, claims.subject, claims.version, UUID(claims.session))
        if row is None:
            return None
        departments = None if row["all_departments"] else tuple(row["departments"])
        must = "password" if row["must_change_password"] else row["must"]
        rights = frozenset() if must else frozenset(row["permissions"]) - NOT_FOR_STAFF
        return Principal(
            "staff", claims.subject, rights, tuple(row["campuses"]), departments, None, claims.session, row["name"],
            private=private_scope(rights, departments), must=must, stepped_up_at=row["stepped_up_at"],
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
    epoch: int = 0


def _unknown(uow: UnitOfWork, name: str) -> str:
    return f"unknown:{uow.cipher.blind_index(name, 'login-name').hex()[:16]}"


async def credentials(uow: UnitOfWork, username: str) -> Credentials:
    """Return what a login is held against, to be hashed once this unit is closed. A known and an unknown name cost the same."""
    row = await repository.credentials_of_staff(uow, username, uow.source, uow.now - FAMILIAR)
    unknown = _unknown(uow, username)
    if row is None:
        return Credentials(None, unknown, None)
    may = row.status == "active" and row.approved_at is not None
    return Credentials(row.id, str(row.id), row.password_hash if may else None, row.familiar, row.guess_epoch)


async def client_credentials(uow: UnitOfWork, client_id: str) -> Credentials:
    """Return what a client's secret is held against, to be hashed once this unit is closed."""
    row = await repository.credentials_of_client(uow, client_id)
    unknown = _unknown(uow, client_id)
    if row is None:
        return Credentials(None, unknown, None)
    may = row.status == "active" and row.approved_at is not None
    return Credentials(row.id, str(row.id), row.secret_hash if may else None)


async def refuse_login(uow: UnitOfWork, held: Credentials) -> None:
    """Remember a wrong login, from where it came, whether there is such an account or not. Raises CredentialsWrong."""
    await uow.audit("staff.login_failed", "staff", held.told)
    raise CredentialsWrong().kept()


async def refuse_client(uow: UnitOfWork, held: Credentials) -> None:
    """Remember a wrong secret, from where it came, whether there is such a client or not. Raises CredentialsWrong."""
    await uow.audit("api_client.token_refused", "api_client", held.told)
    raise CredentialsWrong().kept()


async def enter(uow: UnitOfWork, mint: TokenMint, settings: Settings, held: Credentials, code: str | None) -> TokensOut:
    """Open a session for whoever proved to be who they say.

    Raises CredentialsWrong where the account changed meanwhile, SecondFactorRequired, SecondFactorWrong (which counts like a wrong password).
    """
    staff = None if held.subject is None else await repository.staff_by_id(uow, held.subject)
    secrets = None if staff is None else await repository.secrets_of_staff(uow, staff.id)
    if staff is None or secrets is None or secrets.password_hash != held.secret_hash:
        raise CredentialsWrong
    factor = await repository.second_factor(uow, staff.id)
    if factor is not None and factor.confirmed_at is not None:
        if code is None:
            raise SecondFactorRequired
        await _check_code(uow, factor, code)
        must = ""
    else:
        held_roles = set((await repository.roles_of(uow, [staff.id])).get(staff.id, ()))
        must = "second_factor" if held_roles & _with_second_factor(settings) else ""
    if settings.password_days and (staff.password_changed_at or staff.created_at) < uow.now - timedelta(
        days=settings.password_days
    ):
        must = "password"
    # A session of an older password cannot be renewed: it remembers of which version of the account it is.
    session = StaffSession(
        id=uuid7(), staff_id=staff.id, created_at=uow.now, source=uow.source, token_version=staff.token_version, must=must,
        last_used_at=uow.now, stepped_up_at=uow.now,
    )  # fmt: skip
    uow.session.add(session)
    await uow.session.flush()
    await uow.audit("staff.signed_in", "staff", staff.id)
    return await _tokens(uow, mint, settings, staff, session)


def _with_second_factor(settings: Settings) -> set[str]:
    named = settings.second_factor_roles
    if named is None:
        named = "" if settings.environment == "demo" else ",".join(ADMINISTRATORS)
    return set(filter(None, named.split(",")))


def _place(staff_id: UUID) -> str:
    return f"staff_second_factor|secret|{staff_id}"


async def _check_code(uow: UnitOfWork, factor: SecondFactor, code: str) -> None:
    """Use a code up, or a recovery code. Raises SecondFactorWrong, remembered like a failed login."""
    digest = totp.recovery_digest(code)
    if digest in factor.recovery:
        factor.recovery = [one for one in factor.recovery if one != digest]
        await uow.audit("staff.recovery_code_used", "staff", factor.staff_id, detail={"left": len(factor.recovery)})
        return
    secret = uow.cipher.open(bytes(factor.secret), _place(factor.staff_id))
    step = totp.step_of(secret, code, uow.now, factor.last_step)
    if step is None:
        await uow.audit("staff.login_failed", "staff", factor.staff_id)
        raise SecondFactorWrong().kept()
    factor.last_step = step


async def enrol_second_factor(uow: UnitOfWork, settings: Settings) -> FactorSecretOut:
    """Make a second factor for the caller, to be confirmed by a code. Raises PermissionMissing, SecondFactorThere."""
    staff = await repository.staff_by_id(uow, uow.principal.id) if uow.principal.kind == "staff" else None
    if staff is None:
        raise PermissionMissing
    factor = await repository.second_factor(uow, staff.id)
    if factor is not None and factor.confirmed_at is not None:
        raise SecondFactorThere
    await repository.drop_second_factor(uow, staff.id)
    secret = totp.new_secret()
    sealed = uow.cipher.seal(secret, _place(staff.id))
    uow.session.add(SecondFactor(staff_id=staff.id, secret=sealed, created_at=uow.now, last_step=0, recovery=[]))
    await uow.audit("staff.second_factor_begun", "staff", staff.id)
    uri = totp.provisioning_uri(secret, staff.username, settings.hospital_name)
    return FactorSecretOut(secret=secret, uri=uri)


async def confirm_second_factor(uow: UnitOfWork, code: str) -> RecoveryCodesOut:
    """Put the caller's second factor into use; from now on they sign in with it. Raises PermissionMissing, SecondFactorThere, SecondFactorWrong."""
    factor = await repository.second_factor(uow, uow.principal.id) if uow.principal.kind == "staff" else None
    if factor is None:
        raise PermissionMissing
    if factor.confirmed_at is not None:
        raise SecondFactorThere
    await _check_code(uow, factor, code)
    codes = totp.recovery_codes()
    factor.confirmed_at, factor.recovery = uow.now, [totp.recovery_digest(one) for one in codes]
    session = await repository.session_of(uow, UUID(uow.principal.session), uow.principal.id)
    if session is not None and session.must == "second_factor":
        session.must = ""
    await uow.audit("staff.second_factor_confirmed", "staff", uow.principal.id)
    return RecoveryCodesOut(recovery_codes=codes)


async def end_second_factor(uow: UnitOfWork, staff_id: UUID) -> StaffOut:
    """Take a lost second factor away, and end the account's sessions. Raises StaffNotFound, OwnRights, CampusNotGranted."""
    staff = await get_staff(uow, staff_id)
    if staff_id == uow.principal.id:
        raise OwnRights
    _refuse_elsewhere(uow, staff)
    await repository.drop_second_factor(uow, staff_id)
    await repository.revoke_sessions(uow, staff_id)
    await uow.audit("staff.second_factor_ended", "staff", staff_id)
    return staff


def _refuse_elsewhere(uow: UnitOfWork, staff: StaffOut) -> None:
    if staff.campuses and not set(staff.campuses) & set(uow.principal.campuses):
        raise CampusNotGranted


async def step_up(uow: UnitOfWork, code: str | None, *, password_was_right: bool) -> None:
    """Remember that the caller proved anew who they are: by a code where they have a second factor, else by the password.

    Raises SecondFactorRequired, SecondFactorWrong, OldPasswordWrong; a wrong one is remembered.
    """
    factor = await repository.second_factor(uow, uow.principal.id)
    if factor is not None and factor.confirmed_at is not None:
        if code is None:
            raise SecondFactorRequired
        await _check_code(uow, factor, code)
    elif not password_was_right:
        await uow.audit("staff.login_failed", "staff", uow.principal.id)
        raise OldPasswordWrong(errors=[FieldError("/password", "wrong", "密码错误", "the password is wrong")]).kept()
    session = await repository.session_of(uow, UUID(uow.principal.session), uow.principal.id)
    if session is None:
        raise PermissionMissing
    session.stepped_up_at = uow.now
    await uow.audit("staff.stepped_up", "staff", uow.principal.id)


async def own_sessions(uow: UnitOfWork, settings: Settings) -> list[SessionOut]:
    """Return the caller's open sessions. Raises PermissionMissing for who has none."""
    if uow.principal.kind != "staff":
        raise PermissionMissing
    since = uow.now - timedelta(hours=settings.session_hours)
    idle = uow.now - timedelta(minutes=settings.session_idle_minutes)
    rows = await repository.sessions(uow, uow.principal.id, since)
    return [
        SessionOut(
            id=row.id, created_at=row.created_at, last_used_at=row.last_used_at or row.created_at, source=row.source,
            current=str(row.id) == uow.principal.session,
        )
        for row in rows if (row.last_used_at or row.created_at) > idle
    ]  # fmt: skip


async def end_session(uow: UnitOfWork, session_id: UUID) -> None:
    """End a session of the caller's own. Raises PermissionMissing, SessionNotFound."""
    if uow.principal.kind != "staff":
        raise PermissionMissing
    if await repository.session_of(uow, session_id, uow.principal.id) is None:
        raise SessionNotFound
    await repository.revoke_session(uow, session_id)
    await uow.audit("staff.session_ended", "staff", uow.principal.id)


async def end_other_sessions(uow: UnitOfWork) -> None:
    """End every session of the caller but this one. Raises PermissionMissing."""
    if uow.principal.kind != "staff":
        raise PermissionMissing
    await repository.revoke_sessions(uow, uow.principal.id, but=UUID(uow.principal.session))
    await uow.audit("staff.sessions_ended", "staff", uow.principal.id)


async def end_staff_sessions(uow: UnitOfWork, staff_id: UUID) -> StaffOut:
    """End every session of an account. Raises StaffNotFound, CampusNotGranted."""
    staff = await get_staff(uow, staff_id)
    _refuse_elsewhere(uow, staff)
    await repository.revoke_sessions(uow, staff_id)
    await uow.audit("staff.sessions_ended", "staff", staff_id)
    return staff


async def _tokens(
    uow: UnitOfWork, mint: TokenMint, settings: Settings, staff: Staff, session: StaffSession
) -> TokensOut:
    """Issue a pair that ends with the session: after its longest life, or unless it is renewed in time."""
    refresh, ends = url_token(), session.created_at + timedelta(hours=settings.session_hours)
    expires = min(uow.now + timedelta(minutes=settings.session_idle_minutes), ends)
    uow.session.add(RefreshToken(digest=_digest(refresh), session_id=session.id, expires_at=expires))
    seconds = max(1, min(settings.access_token_seconds, int((ends - uow.now).total_seconds())))
    access = mint.issue(
        kind="staff",
        subject=staff.id,
        version=staff.token_version,
        session=str(session.id),
        now=uow.now,
        seconds=seconds,
    )
    return TokensOut(access_token=access, refresh_token=refresh, expires_in=seconds)


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
    if row.expires_at <= uow.now or session.revoked_at is not None or not _is_in(staff, session):
        raise RefreshTokenInvalid
    row.used_at = session.last_used_at = uow.now
    return await _tokens(uow, mint, settings, staff, session)


def _is_in(staff: Staff, session: StaffSession) -> bool:
    return staff.status == "active" and staff.approved_at is not None and session.token_version == staff.token_version


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


async def own_credentials(uow: UnitOfWork) -> tuple[Credentials, str, list[str]]:
    """Return what the caller's old password is held against, the user name, and the hashes of earlier ones. Raises PermissionMissing for who has no password."""
    row = await repository.secrets_of_staff(uow, uow.principal.id) if uow.principal.kind == "staff" else None
    if row is None:
        raise PermissionMissing
    return (
        Credentials(uow.principal.id, str(uow.principal.id), row.password_hash, epoch=row.guess_epoch),
        row.username,
        row.password_history,
    )


async def refuse_old_password(uow: UnitOfWork) -> None:
    """Remember a wrong old password like a failed login. Raises OldPasswordWrong."""
    await uow.audit("staff.login_failed", "staff", uow.principal.id)
    raise OldPasswordWrong(
        errors=[FieldError("/old_password", "wrong", "原密码错误", "the old password is wrong")]
    ).kept()


async def change_password(uow: UnitOfWork, held: Credentials, password_hash: str) -> None:
    """Change the caller's own password, whose old one was right; every token of the account ends. Raises CredentialsWrong where it changed meanwhile."""
    said = await repository.verdict(uow, "change_password", held.secret_hash, password_hash, _KEPT, uow.now)
    if said is not None:
        raise CredentialsWrong
    await repository.revoke_sessions(uow, uow.principal.id)
    await uow.audit("staff.password_changed", "staff", uow.principal.id)


def refuse_used_password() -> None:
    """Refuse a password that was used before. Raises PasswordTooWeak."""
    raise PasswordTooWeak(errors=[FieldError("/new_password", "used_before", *_WEAK["used_before"])])


def check_password(password: str, username: str, settings: Settings, pointer: str) -> None:
    """Hold a password against the policy. Raises PasswordTooWeak."""
    reason = weakness(password, username, settings.password_min_length)
    if reason:
        raise PasswordTooWeak(errors=[FieldError(pointer, reason, *_WEAK[reason])])


async def issue_client_token(uow: UnitOfWork, mint: TokenMint, settings: Settings, held: Credentials) -> AccessTokenOut:
    """Issue a token to an API client that proved to be who it says. Raises CredentialsWrong where it changed meanwhile."""
    client = None if held.subject is None else await repository.client_by_id(uow, held.subject)
    if client is None or await repository.secret_of_client(uow, client.id) != held.secret_hash:
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


async def create_staff(uow: UnitOfWork, new: StaffIn, password_hash: str, *, must_change: bool = False) -> StaffOut:
    """Add a member of staff under the hash of a password that the policy takes; another administrator lets the account in.

    What the house itself sets up is in at once. Raises UsernameTaken, PermissionUnknown, CampusNotGranted, AdministrationsApart.
    """
    await repository.lock_name(uow, f"staff|{new.username}")
    if await repository.staff_by_username(uow, new.username) is not None:
        raise UsernameTaken(errors=[FieldError("/username", "taken", "用户名已被使用", "the user name is taken")])
    await _check_grant(uow, new.roles, new.campuses)
    staff_id, roles_ = uuid7(), sorted(set(new.roles))
    _heed(
        await repository.verdict(
            uow, "add_staff", staff_id, new.username, new.name, new.title, password_hash, roles_, sorted(set(new.campuses)),
            new.all_departments, sorted(set(new.departments)), uow.now, must_change,
        )
    )  # fmt: skip
    await uow.audit("staff.created", "staff", staff_id, detail={"roles": new.roles, "campuses": new.campuses})
    return await get_staff(uow, staff_id)


_REFUSALS: dict[str, type[Problem]] = {
    "forbidden": PermissionMissing, "own": OwnRights, "changed": PreconditionFailed, "campus": CampusNotGranted,
    "department": DepartmentNotGranted, "apart": AdministrationsApart, "last": LastAdministrator,
}  # fmt: skip


def _heed(verdict: str | None) -> None:
    """Raise what the database refuses a change of accounts for."""
    if verdict is not None:
        raise _REFUSALS[verdict]


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
    """Change what an account is called, or end it. Raises StaffNotFound, PreconditionFailed, OwnRights, LastAdministrator, CampusNotGranted."""
    await get_staff(uow, staff_id)
    _heed(await repository.verdict(uow, "change_staff", staff_id, expected, change.name, change.title, change.active))
    if change.active is False:
        await repository.revoke_sessions(uow, staff_id)
    await uow.audit("staff.changed", "staff", staff_id, detail=change.model_dump(exclude_none=True, exclude={"name"}))
    return await get_staff(uow, staff_id)


async def grant(uow: UnitOfWork, staff_id: UUID, rights: RightsIn, expected: int) -> StaffOut:
    """Say what an account may do, and where; it changes on the next request.

    Raises StaffNotFound, PreconditionFailed, PermissionUnknown, OwnRights, CampusNotGranted, DepartmentNotGranted, AdministrationsApart,
    LastAdministrator.
    """
    before = await get_staff(uow, staff_id)
    # Only campuses that are added must be the caller's own; those of colleagues elsewhere stay as they are.
    await _check_grant(uow, rights.roles, rights.campuses, kept=before.campuses)
    _heed(
        await repository.verdict(
            uow, "grant_staff", staff_id, expected, sorted(set(rights.roles)), sorted(set(rights.campuses)), rights.all_departments,
            sorted(set(rights.departments)),
        )
    )  # fmt: skip
    await uow.audit("staff.rights_changed", "staff", staff_id, detail=rights.model_dump())
    return await get_staff(uow, staff_id)


async def approve_staff(uow: UnitOfWork, staff_id: UUID, expected: int) -> StaffOut:
    """Let an account in that another administrator made or reset. Raises StaffNotFound, PreconditionFailed, OwnRights, CampusNotGranted, DepartmentNotGranted."""
    await get_staff(uow, staff_id)
    _heed(await repository.verdict(uow, "approve_staff", staff_id, expected, uow.now))
    await uow.audit("staff.approved", "staff", staff_id)
    return await get_staff(uow, staff_id)


async def reset_password(
    uow: UnitOfWork, staff_id: UUID, password: str, password_hash: str, expected: int
) -> PasswordOut:
    """Give an account a new password, to be changed at once, and end its sessions; another administrator lets it in again.

    Raises StaffNotFound, PreconditionFailed, OwnRights, CampusNotGranted, LastAdministrator.
    """
    await get_staff(uow, staff_id)
    _heed(await repository.verdict(uow, "reset_password", staff_id, expected, password_hash, uow.now))
    await repository.revoke_sessions(uow, staff_id)
    await uow.audit("staff.password_reset", "staff", staff_id)
    return PasswordOut(password=password)


async def unlock(uow: UnitOfWork, staff_id: UUID) -> StaffOut:
    """Forget every wrong guess at an account, wherever it was made. Raises StaffNotFound, CampusNotGranted."""
    found = await get_staff(uow, staff_id)
    _heed(await repository.verdict(uow, "unlock_staff", staff_id))
    await uow.audit("staff.unlocked", "staff", staff_id)
    return found


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
        id=staff.id, username=staff.username, name=staff.name, title=staff.title, roles=list(roles), campuses=staff.campuses,
        status=staff_state(staff.status, approved=staff.approved_at is not None), departments=staff.departments,
        all_departments=staff.all_departments, must_change_password=staff.must_change_password, version=staff.version,
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
    """Make a role, or make it as it shall be; rights change on the next request.

    Raises PermissionUnknown, OwnRights, AdministrationsApart, LastAdministrator.
    """
    unknown = [i for i, p in enumerate(change.permissions) if p not in PERMISSIONS or p in NOT_FOR_STAFF]
    if unknown:
        errors = [FieldError(f"/permissions/{i}", "unknown", "没有这个权限", "no such permission") for i in unknown]
        raise PermissionUnknown(errors=errors)
    permissions = sorted(set(change.permissions))
    _heed(await repository.verdict(uow, "put_role", code, change.name_zh, change.name_en, permissions))
    await uow.audit("role.changed", "role", code, detail={"permissions": permissions})
    return await get_role(uow, code)


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
    made = uuid7()
    _heed(
        await repository.verdict(
            uow, "add_client", made, new.client_id, new.name, secret_hash, sorted(set(new.scopes)), sorted(set(new.campuses)), uow.now
        )
    )  # fmt: skip
    await uow.audit("api_client.created", "api_client", made, detail={"scopes": sorted(set(new.scopes))})
    return ApiClientCreated(**client_out(await _client(uow, made)).model_dump(), client_secret=secret)


async def _client(uow: UnitOfWork, client_id: UUID) -> ApiClient:
    client = await repository.client_by_id(uow, client_id)
    if client is None:
        raise ApiClientNotFound
    return client


async def approve_client(uow: UnitOfWork, client_id: UUID) -> ApiClientOut:
    """Let an API client in that another administrator made. Raises ApiClientNotFound, OwnRights, CampusNotGranted."""
    await _client(uow, client_id)
    _heed(await repository.verdict(uow, "approve_client", client_id, uow.now))
    await uow.audit("api_client.approved", "api_client", client_id)
    return client_out(await _client(uow, client_id))


async def revoke_client(uow: UnitOfWork, client_id: UUID) -> ApiClientOut:
    """End an API client: its tokens are refused from the next request on. Raises ApiClientNotFound."""
    client = await _client(uow, client_id)
    if client.status != "revoked":
        _heed(await repository.verdict(uow, "revoke_client", client_id))
        await uow.audit("api_client.revoked", "api_client", client_id)
    return client_out(await _client(uow, client_id))


async def clients(uow: UnitOfWork) -> Sequence[ApiClient]:
    """Return every API client."""
    return await repository.clients(uow)


def client_out(client: ApiClient) -> ApiClientOut:
    """Return the public shape of a client."""
    return ApiClientOut(
        id=client.id, client_id=client.client_id, name=client.name, scopes=client.scopes, campuses=client.campuses,
        status=staff_state(client.status, approved=client.approved_at is not None), created_at=client.created_at,
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
        _heed(await repository.verdict(uow, "widen_client", client.id, campuses_))
        await uow.audit("api_client.campuses_changed", "api_client", client.id, detail={"campuses": campuses_})


async def is_hired(uow: UnitOfWork, username: str) -> bool:
    """Say whether an account has this name."""
    return await repository.staff_by_username(uow, username) is not None


async def is_trusted(uow: UnitOfWork, client_id: str) -> bool:
    """Say whether an API client has this id."""
    return await repository.client_by_client_id(uow, client_id) is not None


async def first_administrator(
    uow: UnitOfWork, kind: str, username: str, password: str, password_hash: str, *, another: bool
) -> str | None:
    """Make the first administrator of a kind, of every campus, where there is none yet, or `another`; return the user name, or None.

    `kind`: the role. The password is to be changed at the first login. A name that is taken is followed by a number.
    """
    await repository.lock_name(uow, "first administrator")
    if not another and await repository.is_held(uow, kind):
        return None
    names = (username, *(f"{username}.{number}" for number in range(2, 1_000)))
    username = await _free(uow, names)
    campuses_ = [campus.id for campus in await repository.campuses(uow)]
    new = StaffIn(
        username=username,
        name=ROLES[kind][0],
        password=password,
        roles=[kind],
        campuses=campuses_,
        all_departments=True,
    )
    await create_staff(uow, new, password_hash, must_change=True)
    return username


async def _free(uow: UnitOfWork, names: Iterable[str]) -> str:
    for name in names:
        if not await is_hired(uow, name):
            return name
    raise UsernameTaken


async def load_defaults(uow: UnitOfWork, campus_rows: Sequence[tuple[int, str, str]]) -> None:
    """Make the campuses and the starting roles that are not there yet; what a hospital changed stays."""
    known = {campus.id for campus in await repository.campuses(uow)}
    uow.session.add_all(Campus(id=i, code=code, name=name) for i, code, name in campus_rows if i not in known)
    codes = {role.code for role in await repository.roles(uow)}
    for code, (zh, en, permissions) in ROLES.items():
        if code not in codes:
            _heed(await repository.verdict(uow, "put_role", code, zh, en, sorted(permissions)))
