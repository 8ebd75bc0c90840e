"""Files: content-addressed, encrypted, written and synced before the row that names them is committed.

The address is a keyed hash of the content (so it betrays nothing about it), and the same bytes are stored once. A file whose
row never came is an orphan; the sweeper removes it after a day.
"""

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tjapi.kernel.security.keys import KeyRing

# The mark of a column that holds an address: `mapped_column(info=FILE)`. What no marked column names is an orphan.
FILE = {"holds": "file"}
_NONCE = 12
_ADDRESS_HEX = 64


class FileDamagedError(Exception):
    """The stored bytes are not those that were written."""


class Storage(Protocol):
    """Where files are kept."""

    async def put(self, content: bytes) -> str:
        """Keep bytes durably and return their address."""
        ...

    async def get(self, address: str) -> bytes:
        """Return the bytes at an address. Raises FileNotFoundError, FileDamagedError."""
        ...

    async def older_than(self, moment: float) -> list[str]:
        """Return the addresses last written before a moment (seconds since 1970)."""
        ...

    async def delete(self, address: str, *, older_than: float) -> None:
        """Remove a file, unless it was written again since that moment; it may be gone already."""
        ...


class LocalStorage:
    """A folder: `files/ab/cd…`, each file AES-256-GCM under its address."""

    def __init__(self, folder: Path, keys: KeyRing) -> None:
        self._folder = folder
        self._aead = AESGCM(keys.of("storage-encryption/1"))
        self._hash_key = keys.of("storage-address/1")

    async def put(self, content: bytes) -> str:
        """Keep bytes durably and return their address."""
        return await asyncio.to_thread(self._put, content)

    async def get(self, address: str) -> bytes:
        """Return the bytes at an address. Raises FileNotFoundError, FileDamagedError."""
        return await asyncio.to_thread(self._get, address)

    async def older_than(self, moment: float) -> list[str]:
        """Return the addresses last written before a moment (seconds since 1970)."""
        return await asyncio.to_thread(lambda: [a for a, written in self._addresses() if written < moment])

    async def delete(self, address: str, *, older_than: float) -> None:
        """Remove a file, unless it was written again since that moment; it may be gone already."""
        await asyncio.to_thread(self._delete, address, older_than)

    def _delete(self, address: str, older_than: float) -> None:
        path = self._path(address)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < older_than:
                path.unlink()

    def _addresses(self) -> Iterator[tuple[str, float]]:
        for path in self._folder.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                if not path.name.startswith("."):
                    yield path.parent.name + path.name, path.stat().st_mtime

    def _path(self, address: str) -> Path:
        if len(address) != _ADDRESS_HEX or not all(c in "0123456789abcdef" for c in address):
            raise FileNotFoundError("not an address")
        return self._folder / address[:2] / address[2:]

    def _put(self, content: bytes) -> str:
        address = hmac.digest(self._hash_key, content, hashlib.sha256).hex()
        path = self._path(address)
        # A damaged file is no copy: it is written again. Whoever has the bytes mends it.
        with contextlib.suppress(FileNotFoundError, FileDamagedError):
            self._get(address)
            os.utime(path)  # young again: the orphan sweeper must not take it before the new row is committed
            return address
        path.parent.mkdir(parents=True, exist_ok=True)
        nonce = os.urandom(_NONCE)
        half = path.parent / f".{secrets.token_hex(8)}"
        with half.open("wb") as file:
            file.write(nonce + self._aead.encrypt(nonce, content, address.encode()))
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        for folder in (path.parent, self._folder):  # the name of the file, and that of a folder that may be new
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        return address

    def _get(self, address: str) -> bytes:
        sealed = self._path(address).read_bytes()
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], address.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: cut so short that no nonce is left
            raise FileDamagedError from error
