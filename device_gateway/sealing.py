"""Bodies at rest: AES-256-GCM under a key that belongs to the gateway alone, bound to the row that holds them.

The journal is a copy of every result that passed; whoever gets the file, a backup of it, or the disk, must not have the results.
"""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE = 12


class KeyMissingError(ValueError):
    """The journal holds sealed messages and the key that opens them is not there, or is another one."""


class BodySeal:
    """Seals and opens bodies. A body that was copied to another row does not open."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes of the key. Raises `ValueError`."""
        if len(key) != _KEY_BYTES:
            raise ValueError("the key of the journal has 64 hex digits")
        self._aead = AESGCM(key)

    def seal(self, body: bytes, place: str) -> bytes:
        """Encrypt a body for its place, `source|message id|hash`."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, body, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt a body at its place. Raises `KeyMissingError`."""
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except InvalidTag as error:
            raise KeyMissingError("a message of the journal does not open with this key") from error


def read_key(value: str, file: Path, *, make: bool) -> bytes:
    """Return the key as it is given, else from its file, which is made (0600) where `make` says that nothing was sealed yet.

    Raises `KeyMissingError` where sealed messages wait and their key is gone: another one would leave them shut for good.
    """
    if value:
        return bytes.fromhex(value)
    if make and not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
            new.write(secrets.token_hex(_KEY_BYTES) + "\n")
            new.flush()
            os.fsync(new.fileno())
    try:
        return bytes.fromhex(file.read_text(encoding="ascii").strip())
    except FileNotFoundError as error:
        raise KeyMissingError(f"the journal is sealed and {file} is not there: put its key back") from error
