"""The journal: what arrived, durable before it is acknowledged, kept until the API has it.

One thread owns the SQLite connection. Whatever waits is done in one transaction (group commit), so that many senders
share one fsync; nobody is told "stored" before that transaction is on disk. Bodies are sealed (`sealing.py`), the file is its owner's alone.
"""

import asyncio
import contextlib
import os
import queue
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from device_gateway.sealing import BodySeal, read_key

_BATCH = 256
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  message_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  content_type TEXT NOT NULL,
  body BLOB NOT NULL,
  received_at TEXT NOT NULL,
  received_unix REAL NOT NULL,
  conflict INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'refused')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at REAL NOT NULL DEFAULT 0,
  answer TEXT NOT NULL DEFAULT '',
  sender TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  sealed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (source, message_id, sha256)
);
CREATE INDEX IF NOT EXISTS message_pending ON message (id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS message_delivered ON message (received_unix) WHERE state = 'delivered';
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in. `received_at` is RFC 3339. `sender` is whose number the id is; `reason` is why its sender was not told AA, if not."""

    source: str
    message_id: str
    sha256: str
    content_type: str
    body: bytes
    received_at: str
    sender: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the journal made of it: `new` is a first copy; `conflict`, that its id came before with other bytes."""

    new: bool
    conflict: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A journalled message on its way up."""

    id: int
    source: str
    message_id: str
    content_type: str
    body: bytes
    received_at: str
    attempts: int
    sender: str
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, and for how long."""

    pending: int
    oldest_seconds: float
    refused: int


_Work = Callable[[sqlite3.Connection], Any]


class Journal:
    """Durable store of arrivals. Every method raises `sqlite3.Error` or `OSError` when the disk will not have it."""

    def __init__(self, path: Path, key: str = "", key_file: Path | None = None) -> None:
        """Open or create the file; raises at once when that cannot be, or when sealed messages wait in it and the key is not theirs.

        `key`: 64 hex digits; else they stand in `key_file`, which is made at the first start (by default beside the journal).
        """
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._work: queue.SimpleQueue[tuple[_Work, Callable[[object, BaseException | None], None]] | None] = (
            queue.SimpleQueue()
        )
        opened = _open(path)
        file = key_file or path.with_name(f"{path.name}.key")
        self._seal = BodySeal(read_key(key, file, make=not _holds_sealed(opened)))
        _seal_old(opened, self._seal)
        self._thread = threading.Thread(target=self._run, args=(opened,), name="journal", daemon=True)
        self._thread.start()

    async def store(self, arrival: Arrival) -> Stored:
        """Keep an arrival; when this returns it survives a power cut."""
        sealed = self._seal.seal(arrival.body, _place(arrival.source, arrival.message_id, arrival.sha256))
        stored: Stored = await self._do(lambda connection: _store(connection, arrival, sealed))
        return stored

    async def waiting(self, limit: int) -> list[int]:
        """Return ids that are due now, oldest first."""
        now = time.time()
        sql = "SELECT id FROM message WHERE state = 'pending' AND next_attempt_at <= ? ORDER BY id LIMIT ?"
        ids: list[int] = await self._do(lambda connection: [row[0] for row in connection.execute(sql, (now, limit))])
        return ids

    async def read(self, entry_id: int) -> Entry:
        """Read one entry, body included. Raises `KeyMissingError`."""
        sql = (
            "SELECT id, source, message_id, content_type, body, received_at, attempts, sender,"
            " CASE WHEN reason <> '' THEN reason WHEN conflict THEN 'content-differs'"
            " WHEN content_type = 'application/octet-stream' THEN 'unparsable' ELSE '' END, sha256"
            " FROM message WHERE id = ?"
        )
        *said, sha256 = await self._do(lambda connection: connection.execute(sql, (entry_id,)).fetchone())
        entry = Entry(*said)
        return replace(entry, body=self._seal.open(entry.body, _place(entry.source, entry.message_id, sha256)))

    async def settle(self, entry_id: int, state: str, answer: str) -> None:
        """Mark an entry `delivered` or `refused`; `answer` is what the API said."""
        sql = "UPDATE message SET state = ?, answer = ?, attempts = attempts + 1 WHERE id = ?"
        await self._do(lambda connection: connection.execute(sql, (state, answer, entry_id)).rowcount)

    async def postpone(self, entry_id: int, seconds: float, answer: str) -> None:
        """Try an entry again in so many seconds."""
        sql = "UPDATE message SET next_attempt_at = ?, answer = ?, attempts = attempts + 1 WHERE id = ?"
        until = time.time() + seconds
        await self._do(lambda connection: connection.execute(sql, (until, answer, entry_id)).rowcount)

    async def backlog(self) -> Backlog:
        """Count what waits."""
        return await self._do(_backlog)  # type: ignore[no-any-return]

    async def prune(self, older_than_days: float) -> int:
        """Drop delivered entries of some age, a thousand at a time; return how many went."""
        sql = (
            "DELETE FROM message WHERE id IN"
            " (SELECT id FROM message WHERE state = 'delivered' AND received_unix < ? LIMIT 1000)"
        )
        before = time.time() - older_than_days * 86_400
        dropped: int = await self._do(lambda connection: connection.execute(sql, (before,)).rowcount)
        return dropped

    def close(self) -> None:
        """Finish what is queued and close the file."""
        self._work.put(None)
        self._thread.join()

    async def _do(self, work: _Work) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def tell(result: object, error: BaseException | None) -> None:
            if future.done():  # the caller went away; what it asked for is done nevertheless
                return
            if error:
                future.set_exception(error)
            else:
                future.set_result(result)

        def tell_from_thread(result: object, error: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it everybody who asked
                loop.call_soon_threadsafe(tell, result, error)

        self._work.put((work, tell_from_thread))
        return await future

    def _run(self, connection: sqlite3.Connection | None) -> None:
        closing = False
        while not closing:
            batch = [self._work.get()]
            while len(batch) < _BATCH and not self._work.empty():
                batch.append(self._work.get())
            closing = None in batch
            jobs = [job for job in batch if job is not None]
            try:
                connection = connection or _open(self._path)
                outcomes = _transact(connection, [work for work, _ in jobs])
            except (sqlite3.Error, OSError) as error:
                _discard(connection)
                connection = None  # the next batch opens the file anew: the disk may be back
                outcomes = [(None, error)] * len(jobs)
            for (_, tell), (result, error_or_none) in zip(jobs, outcomes, strict=True):
                tell(result, error_or_none)
        _discard(connection)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    _own(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA secure_delete = ON")  # what was pruned, or stood there unsealed, is not left on the disk
    connection.execute("PRAGMA synchronous = FULL")  # an acknowledgement is a promise about the disk
    connection.executescript(_SCHEMA)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(message)")}
    for name in ("sender", "reason"):  # a journal of before
        if name not in columns:
            connection.execute(f"ALTER TABLE message ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    if "sealed" not in columns:
        connection.execute("ALTER TABLE message ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0")
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # a file whose name is not on disk yet is not durable either
    finally:
        os.close(folder)
    return connection


def _own(path: Path) -> None:
    """Leave the journal and what SQLite puts beside it to its owner alone: the files of before may be open to all."""
    for one in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with contextlib.suppress(FileNotFoundError):
            if stat.S_IMODE(one.stat().st_mode) & 0o077:
                one.chmod(0o600)


def _place(source: str, message_id: str, sha256: str) -> str:
    return f"{source}|{message_id}|{sha256}"


def _holds_sealed(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM message WHERE sealed LIMIT 1").fetchone() is not None


def _seal_old(connection: sqlite3.Connection, seal: BodySeal) -> None:
    """Seal what a journal of before holds in clear; see that what it holds sealed opens. Raises `KeyMissingError`."""
    sql = "SELECT id, source, message_id, sha256, body FROM message WHERE sealed = ?"
    for _, source, message_id, sha256, body in connection.execute(f"{sql} ORDER BY id DESC LIMIT 1", (1,)).fetchall():
        seal.open(body, _place(source, message_id, sha256))
    while rows := connection.execute(f"{sql} LIMIT 500", (0,)).fetchall():
        sealed = [
            (seal.seal(body, _place(source, message_id, sha256)), at) for at, source, message_id, sha256, body in rows
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE message SET body = ?, sealed = 1 WHERE id = ?", sealed)
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _discard(connection: sqlite3.Connection | None) -> None:
    if connection:
        connection.close()


def _transact(connection: sqlite3.Connection, jobs: list[_Work]) -> list[tuple[object, BaseException | None]]:
    """Do all jobs in one transaction; one that fails leaves the others standing."""
    outcomes: list[tuple[object, BaseException | None]] = []
    connection.execute("BEGIN IMMEDIATE")
    for job in jobs:
        connection.execute("SAVEPOINT job")
        try:
            outcomes.append((job(connection), None))
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            connection.execute("ROLLBACK TO job")
            outcomes.append((None, error))
        connection.execute("RELEASE job")
    connection.execute("COMMIT")
    return outcomes


def _store(connection: sqlite3.Connection, arrival: Arrival, sealed: bytes) -> Stored:
    # What was kept before senders were told apart has none: its number may be anybody's.
    known = connection.execute(
        "SELECT sha256, conflict FROM message WHERE source = ? AND message_id = ? AND sender IN (?, '') ORDER BY id",
        (arrival.source, arrival.message_id, arrival.sender),
    ).fetchall()
    for sha256, conflict in known:
        if sha256 == arrival.sha256:
            return Stored(new=False, conflict=bool(conflict))
    connection.execute(
        "INSERT INTO message"
        " (source, message_id, sha256, content_type, body, received_at, received_unix, conflict, sender, reason, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            arrival.source, arrival.message_id, arrival.sha256, arrival.content_type, sealed, arrival.received_at, time.time(), bool(known),
            arrival.sender, arrival.reason,
        ),
    )  # fmt: skip
    return Stored(new=True, conflict=bool(known))


def _backlog(connection: sqlite3.Connection) -> Backlog:
    sql = "SELECT count(*), min(received_unix) FROM message WHERE state = 'pending'"
    pending, oldest = connection.execute(sql).fetchone()
    refused = connection.execute("SELECT count(*) FROM message WHERE state = 'refused'").fetchone()[0]
    return Backlog(pending, max(0.0, time.time() - oldest) if oldest else 0.0, refused)
