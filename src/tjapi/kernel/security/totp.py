"""One-time codes by time (RFC 6238: HMAC-SHA-1, six digits, 30 seconds), and what may stand in for a lost one."""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
_DIGITS = 6
_AROUND = 1
RECOVERY_CODES = 10


def new_secret() -> str:
    """Return a secret of 160 bits in base32, as authenticators take it (RFC 4226, 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """Return the address that authenticators read from a QR code."""
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?secret={secret}&issuer={quote(issuer)}&digits={_DIGITS}&period={STEP_SECONDS}"


def code_at(secret: str, step: int) -> str:
    """Return the code of a step (RFC 4226, 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    at = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFF_FFFF) % 10**_DIGITS:0{_DIGITS}d}"


def step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """Return the step that a code is of, a clock half a minute off allowed; None: of none, or of one that was used already (`after`)."""
    present = int(now.timestamp()) // STEP_SECONDS
    steps = range(present - _AROUND, present + _AROUND + 1)
    found = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code.encode())]
    return next((step for step in found if step > after), None)


def recovery_codes() -> list[str]:
    """Return codes that stand in for a lost authenticator, one use each: fifty bits, in letters that are not taken for others."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return [
        "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> str:
    """Return what is kept of a recovery code."""
    return hashlib.sha256(code.strip().lower().encode()).hexdigest()
