"""One master key, every other key derived from it (HKDF-SHA256, RFC 5869), each bound to its purpose."""

import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES = 32
_DISTINCT_BYTES = 20
"""Of 32 random bytes 30 are distinct on average; fewer than 20 come once in 10^11 keys."""


class KeyMissingError(RuntimeError):
    """The master key is neither in the settings nor in the state folder."""


class KeyRing:
    """The keys of one installation. `of("purpose")` is stable as long as the master key is."""

    def __init__(self, master: bytes) -> None:
        if len(master) != MASTER_KEY_BYTES:
            raise ValueError("the master key has 64 hex digits")
        self._derive = lru_cache(maxsize=256)(lambda purpose: self._hkdf(master, purpose))

    @staticmethod
    def _hkdf(master: bytes, purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=b"tjapi/v1", info=purpose.encode()).derive(master)

    def of(self, purpose: str) -> bytes:
        """Return the 32-byte key of a purpose."""
        return self._derive(purpose)

    def text(self, purpose: str) -> str:
        """Return the key of a purpose as 64 hex digits, for places that want a password."""
        return self.of(purpose).hex()


def is_worthless(master: bytes) -> bool:
    """Say whether a key is an example, a pattern or a text rather than drawn: too few distinct bytes, or all of them printable."""
    return len(set(master)) < _DISTINCT_BYTES or all(0x20 <= byte < 0x7F for byte in master)  # noqa: PLR2004 - ASCII


def fingerprint(master: bytes) -> str:
    """Return what tells two copies of a key apart without showing either: 16 hex digits of a derived key."""
    return KeyRing(master).text("fingerprint/1")[:16]


def load_master_key(value: str | None, state: Path) -> bytes:
    """Return the master key from its setting, else from STATE/master.key. Raises KeyMissingError."""
    path = state / "master.key"
    try:
        text = value or path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise KeyMissingError(
            f"no TJ_MASTER_KEY and no {path.name} in the state folder; `tjapi up` makes one"
        ) from error
    return bytes.fromhex(text.strip())


def make_master_key(state: Path) -> None:
    """Make STATE/master.key (0600) unless it is there; safe against two starts at once."""
    state.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(state / "master.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(MASTER_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
