"""Access tokens: short-lived signed JWTs that name a principal and its version; the rights are read on each request."""

import base64
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from tjapi.kernel.security.keys import KeyRing

_ALGORITHM = "HS256"
_ISSUER = "tjapi"
_REMEMBERED = 4_096
_LINK = struct.Struct(">16s16sIQ16s")


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
        self._read: dict[str, TokenClaims] = {}

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
        """Return what a token says. Raises TokenInvalidError; time is the injected clock's.

        A signature that was checked once is remembered, not what it entitles to: expiry is looked at here each time, and whether the
        account, the session and the rights still stand is asked of the database on each request.
        """
        read = self._read.get(token)
        if read is None:
            read = self._decoded(token)
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[token] = read
        if read.expires_at <= now.timestamp():
            self._read.pop(token, None)
            raise TokenInvalidError
        return read

    def _decoded(self, token: str) -> TokenClaims:
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
            return TokenClaims(
                claims["aud"], UUID(claims["sub"]), int(claims["ver"]), str(claims["sid"]), int(claims["exp"])
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise TokenInvalidError from error


@dataclass(frozen=True, slots=True)
class LinkClaims:
    """What a link leads to, and for whom it was made."""

    subject: UUID
    object_id: UUID
    version: int


class LinkMint:
    """Makes and reads short-lived links: 128 random bits, bound to subject, object, version and expiry (reliability.md 23).

    A link says who may look, not that there is something to be seen: that is asked when it is used.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._key = keys.of("link/1")

    def issue(self, claims: LinkClaims, *, expires_at: datetime) -> str:
        """Return the token of a link."""
        body = _LINK.pack(
            claims.subject.bytes, claims.object_id.bytes, claims.version, int(expires_at.timestamp()), secrets.token_bytes(16)
        )  # fmt: skip
        return base64.urlsafe_b64encode(body + self._sign(body)).rstrip(b"=").decode()

    def read(self, token: str, now: datetime) -> LinkClaims:
        """Return what a link says. Raises TokenInvalidError."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError as error:
            raise TokenInvalidError from error
        body, signature = raw[: _LINK.size], raw[_LINK.size :]
        if len(body) != _LINK.size or not hmac.compare_digest(signature, self._sign(body)):
            raise TokenInvalidError
        subject, object_id, version, expires, _ = _LINK.unpack(body)
        if expires <= now.timestamp():
            raise TokenInvalidError
        return LinkClaims(UUID(bytes=subject), UUID(bytes=object_id), version)

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)
