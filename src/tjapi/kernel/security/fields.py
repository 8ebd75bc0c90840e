"""Personal fields: encrypted at rest, found by a keyed blind index, shown masked (reliability.md 21 and 22)."""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tjapi.kernel.security.keys import KeyRing

_VERSION = b"\x01"
_NONCE = 12


class FieldCipher:
    """AES-256-GCM with the place as associated data: a ciphertext copied to another row does not open."""

    def __init__(self, keys: KeyRing) -> None:
        self._aead = AESGCM(keys.of("field-encryption/1"))
        self._index = keys.of("blind-index/1")

    def seal(self, plain: str, place: str) -> bytes:
        """Encrypt a field for its place, `table|column|row`."""
        return self.seal_bytes(plain.encode(), place)

    def sealing(self, most: int) -> Callable[[str, str], bytes]:
        """Return what seals so many fields as `seal` does, for one caller alone: the system is asked for randomness once."""
        drawn, encrypt = os.urandom(_NONCE * most), self._aead.encrypt
        at = 0

        def seal(plain: str, place: str) -> bytes:
            nonlocal at
            nonce = drawn[at : (at := at + _NONCE)]
            if len(nonce) != _NONCE:
                raise ValueError("more fields than were said")
            return _VERSION + nonce + encrypt(nonce, plain.encode(), place.encode())

        return seal

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt a field at its place. Raises cryptography's InvalidTag when it was moved or changed."""
        return self.open_bytes(sealed, place).decode()

    def seal_bytes(self, plain: bytes, place: str) -> bytes:
        """Encrypt bytes for their place."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, place.encode())

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """Decrypt bytes at their place."""
        if sealed[:1] != _VERSION:
            raise ValueError("unknown field encryption version")
        return self._aead.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place.encode())

    def blind_index(self, value: str, purpose: str) -> bytes:
        """Return the keyed digest by which an exact value is found without being stored in clear."""
        return hmac.digest(self._index, f"{purpose}|{value}".encode(), hashlib.sha256)


_RESIDENT = 18


def mask_phone(phone: str) -> str:
    """Return 138****1234."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "*" * max(len(phone) - 2, 0) + phone[-2:]  # noqa: PLR2004


def mask_id_number(number: str) -> str:
    """Return 450122********1234; of a number of any other length a third at most, and never more than four characters at an end.

    Eighteen digits say where and when somebody was born, and the rest of them hides who: of a passport the first six characters are most of it.
    """
    if len(number) == _RESIDENT:
        return number[:6] + "*" * 8 + number[-4:]
    shown = min(len(number) // 3, 8)
    head = shown // 2
    return number[:head] + "*" * (len(number) - shown) + number[len(number) - (shown - head) :]


def random_code(digits: int = 8) -> str:
    """Return a one-time code a person can type: digits only, from the system's randomness."""
    return "".join(secrets.choice("0123456789") for _ in range(digits))


def url_token(size: int = 32) -> str:
    """Return an unguessable URL-safe token of `size` random bytes."""
    return base64.urlsafe_b64encode(os.urandom(size)).rstrip(b"=").decode()
