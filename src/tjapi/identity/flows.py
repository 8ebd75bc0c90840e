"""Signing in, and whatever else is hashed: each step holds a connection as long as it asks the database, and none while it hashes or counts.

A guess is counted before it is looked at, per account and address, so that nobody holds an account up for its owner elsewhere. A name that
nobody has is counted, hashed, refused and written down like one that somebody has.
"""

from tjapi.identity import service
from tjapi.identity.errors import AccountLocked, CredentialsWrong, OldPasswordWrong, SecondFactorWrong
from tjapi.identity.rules import UNFAMILIAR, pauses
from tjapi.identity.schemas import AccessTokenOut, ClientTokenIn, LoginIn, PasswordIn, StepUpIn, TokensOut
from tjapi.kernel.limits import Rate
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.fields import url_token
from tjapi.kernel.security.principal import ANONYMOUS, Principal
from tjapi.kernel.uow import Asked

_UNFAMILIAR = Rate("unfamiliar", *UNFAMILIAR)
_WRONG = (CredentialsWrong, SecondFactorWrong, OldPasswordWrong)


async def login(held: Runtime, asked: Asked, given: LoginIn) -> TokensOut:
    """Open a session. Raises CredentialsWrong, AccountLocked, TooManyRequests; a wrong guess is remembered."""
    steps = pauses(held.settings.lockout_after)
    with held.hasher.place():
        async with held.units.open(ANONYMOUS, asked=asked) as uow:
            known = await service.credentials(uow, given.username)
        who = f"staff|{given.username}|{known.epoch}"
        async with held.limits.guess(f"{who}|{asked.source}", steps, wrong=_WRONG, paused=AccountLocked):
            if not known.familiar:
                await held.limits.take(_UNFAMILIAR, who)
            right = await held.hasher.verify(given.password, known.secret_hash)
            async with held.units.open(ANONYMOUS, asked=asked) as uow:
                if not right:
                    await service.refuse_login(uow, known)
                return await service.enter(uow, held.mint, held.settings, known, given.code)


async def client_token(held: Runtime, asked: Asked, given: ClientTokenIn) -> AccessTokenOut:
    """Issue a token to an API client. Raises CredentialsWrong, AccountLocked, TooManyRequests; a wrong guess is remembered."""
    steps, who = pauses(held.settings.lockout_after), f"client|{given.client_id}|{asked.source}"
    with held.hasher.place():
        async with held.limits.guess(who, steps, wrong=CredentialsWrong, paused=AccountLocked):
            async with held.units.open(ANONYMOUS, asked=asked) as uow:
                known = await service.client_credentials(uow, given.client_id)
            right = await held.hasher.verify(given.client_secret, known.secret_hash)
            async with held.units.open(ANONYMOUS, asked=asked) as uow:
                if not right:
                    await service.refuse_client(uow, known)
                return await service.issue_client_token(uow, held.mint, held.settings, known)


async def change_password(held: Runtime, asked: Asked, caller: Principal, given: PasswordIn) -> None:
    """Change the caller's own password; every token of the account ends.

    Raises PermissionMissing for who has no password, AccountLocked, OldPasswordWrong (which counts like a failed login), PasswordTooWeak.
    """
    steps = pauses(held.settings.lockout_after)
    async with held.units.open(caller, asked=asked) as uow:
        known, username, earlier = await service.own_credentials(uow)
    with held.hasher.place():
        who = f"staff|{username}|{known.epoch}|{asked.source}"
        async with held.limits.guess(who, steps, wrong=OldPasswordWrong, paused=AccountLocked):
            right = await held.hasher.verify(given.old_password, known.secret_hash)
            if not right:
                async with held.units.open(caller, asked=asked) as uow:
                    await service.refuse_old_password(uow)
        service.check_password(given.new_password, username, held.settings, "/new_password")
        for used in (str(known.secret_hash), *earlier):
            if await held.hasher.verify(given.new_password, used):
                service.refuse_used_password()
        hashed = await held.hasher.hash(given.new_password)
    async with held.units.open(caller, asked=asked) as uow:
        await service.change_password(uow, known, hashed)


async def step_up(held: Runtime, asked: Asked, caller: Principal, given: StepUpIn) -> None:
    """Prove anew who the caller is. Raises PermissionMissing for who has no password, AccountLocked, SecondFactorRequired, SecondFactorWrong, OldPasswordWrong."""
    steps = pauses(held.settings.lockout_after)
    async with held.units.open(caller, asked=asked) as uow:
        known, username, _ = await service.own_credentials(uow)
    who = f"staff|{username}|{known.epoch}|{asked.source}"
    with held.hasher.place():
        async with held.limits.guess(who, steps, wrong=_WRONG, paused=AccountLocked):
            right = given.password is not None and await held.hasher.verify(given.password, known.secret_hash)
            async with held.units.open(caller, asked=asked) as uow:
                await service.step_up(uow, given.code, password_was_right=right)


async def hashed_password(held: Runtime, username: str, password: str, pointer: str) -> str:
    """Return the hash of a password that the policy takes, before any transaction. Raises PasswordTooWeak, TooManyRequests."""
    service.check_password(password, username, held.settings, pointer)
    with held.hasher.place():
        return await held.hasher.hash(password)


async def new_password(held: Runtime) -> tuple[str, str]:
    """Return a password that nobody can guess, and its hash, before any transaction. Raises TooManyRequests."""
    password = f"Tj-{url_token(12)}"
    return password, await hashed_secret(held, password)


async def new_secret(held: Runtime) -> tuple[str, str]:
    """Return a secret that nobody can guess, and its hash, before any transaction. Raises TooManyRequests."""
    secret = url_token()
    return secret, await hashed_secret(held, secret)


async def hashed_secret(held: Runtime, secret: str) -> str:
    """Return the hash of a client's secret. Raises TooManyRequests."""
    with held.hasher.place():
        return await held.hasher.hash(secret)
