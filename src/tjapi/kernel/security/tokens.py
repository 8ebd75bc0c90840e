"""Access tokens: short-lived signed JWTs that name a principal and its version; the rights are read on each request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from tjapi.kernel.security.keys import KeyRing

_ALGORITHM = "HS256"
_ISSUER = "tjapi"


class TokenInvalidError(Exception):
    """The token is not ours, is damaged, or has expired."""


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Who a token speaks for. `version` must equal the account's: raising it there revokes every token at once."""

    kind: str
    subject: UUID
    version: int
    session: str
    expires_at: int


class TokenMint:
    """Issues and reads access tokens."""

    def __init__(self, keys: KeyRing) -> None:
        self._key = keys.of("access-token/1")

    def issue(
        self,
        *,
        kind: str,
        subject: UUID,
        version: int,
        session: str,
        now: datetime,
        seconds: int,
        extra: dict[str, Any] | None = None,
    ) -> str:
        """Return a signed token that lives `seconds`."""
        claims = {
            "iss": _ISSUER,
            "aud": kind,
            "sub": str(subject),
            "ver": version,
            "sid": session,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=seconds)).timestamp()),
            **(extra or {}),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, now: datetime) -> TokenClaims:
        """Return what a token says. Raises TokenInvalidError; time is the injected clock's."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={
                    "verify_exp": False,
                    "verify_aud": False,
                    "verify_iat": False,
                    "require": ["exp", "sub", "aud", "ver", "sid"],
                },
            )
            read = TokenClaims(
                claims["aud"], UUID(claims["sub"]), int(claims["ver"]), str(claims["sid"]), int(claims["exp"])
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise TokenInvalidError from error
        if read.expires_at <= now.timestamp():
            raise TokenInvalidError
        return read
