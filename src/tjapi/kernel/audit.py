"""The audit trail: rows written in the business transaction by a definer function, chained afterwards by one background sealer.

Each sealed row has a link: its place in the chain and HMAC(previous link, digest of the row) under a key that the database never
sees. The head is anchored in a file outside the database. An edited, deleted or inserted row, and a cut-off tail, are located by
`tjapi audit verify` (reliability.md 25).
"""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.kernel.security.keys import KeyRing

_BATCH = 500
_GENESIS = b"tjapi audit chain"
_LOCK = text("select pg_try_advisory_xact_lock(7307001)")
_COLUMNS = "id, at, principal_kind, principal_id, action, object_type, object_id, campus_id, campuses, detail, request_id, source"
# A row that has a link was sealed; if it says otherwise somebody turned the mark back, and `verify` says so. It must not stop the sealer.
_UNSEALED = text(
    f"select {_COLUMNS} from audit_event e where not sealed and not exists (select from audit_link l where l.event_id = e.id)"
    f" order by id limit {_BATCH}"
)
_HEAD = text("select n, chain from audit_link order by n desc limit 1")
_LINK = text("insert into audit_link (n, event_id, chain) values (:n, :event_id, :chain)")
_SEALED = text("select tj.audit_sealed(:ids)")
_WALK = text(
    f"select l.n, l.event_id, l.chain, e.sealed, {_COLUMNS} from audit_link l left join audit_event e on e.id = l.event_id"
    " where l.n > :after order by l.n limit 2000"
)


class AuditEvent(Base):
    """Who did what to which object, when. Nobody may update or delete; `sealed` is turned by the sealer's definer function."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_object", "object_type", "object_id"),
        Index("ix_audit_event_at", "at"),
        Index("ix_audit_event_unsealed", "id", postgresql_where=text("not sealed")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    principal_kind: Mapped[str]
    principal_id: Mapped[UUID]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    campus_id: Mapped[int | None] = mapped_column(SmallInteger)
    campuses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="")
    sealed: Mapped[bool] = mapped_column(server_default="false")


class AuditLink(Base):
    """A row's place in the chain."""

    __tablename__ = "audit_link"

    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    chain: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the trail is not what was sealed."""

    n: int
    event_id: int | None
    kind: str


class AuditChain:
    """Seals and verifies."""

    def __init__(self, keys: KeyRing, anchor: Path) -> None:
        self._key = keys.of("audit-chain/1")
        self._anchor = anchor

    def _digest(self, row: Any) -> bytes:
        values = [
            row.id,
            row.at.timestamp(),
            row.principal_kind,
            str(row.principal_id),
            row.action,
            row.object_type,
            row.object_id,
        ]
        values += [row.campus_id, list(row.campuses), row.detail, row.request_id]
        # Rows of before there was one, and what nobody asked for, have none: their digest stays what it was.
        values += [row.source] if row.source else []
        return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).digest()

    def _next(self, chain: bytes, n: int, row: Any) -> bytes:
        return hmac.digest(self._key, chain + n.to_bytes(8, "big") + self._digest(row), hashlib.sha256)

    async def seal(self, session: AsyncSession) -> int:
        """Chain what is committed and not yet sealed; one sealer at a time. Returns how many; the caller commits."""
        if not (await session.execute(_LOCK)).scalar():
            return 0
        rows = (await session.execute(_UNSEALED)).all()
        if not rows:
            return 0
        head = (await session.execute(_HEAD)).first()
        n, chain = (head.n, bytes(head.chain)) if head else (0, _GENESIS)
        links = []
        for row in rows:
            n += 1
            chain = self._next(chain, n, row)
            links.append({"n": n, "event_id": row.id, "chain": chain})
        await session.execute(_LINK, links)
        await session.execute(_SEALED, {"ids": [row.id for row in rows]})
        return len(rows)

    async def anchor(self, session: AsyncSession, now: datetime) -> None:
        """Write the head of the chain outside the database, so that a cut tail shows."""
        head = (await session.execute(_HEAD)).first()
        if head is None:
            return
        line = json.dumps({"n": head.n, "chain": bytes(head.chain).hex(), "at": now.isoformat()})
        self._anchor.parent.mkdir(parents=True, exist_ok=True)
        with self._anchor.open("a", encoding="ascii") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _anchors(self) -> dict[int, bytes]:
        if not self._anchor.exists():
            return {}
        lines = (json.loads(line) for line in self._anchor.read_text(encoding="ascii").splitlines() if line)
        return {line["n"]: bytes.fromhex(line["chain"]) for line in lines}

    async def verify(self, session: AsyncSession) -> AsyncIterator[Fault]:
        """Walk the chain and yield every fault: `changed`, `deleted`, `gap`, `broken`, `tail-cut`, `unlinked`."""
        anchors = self._anchors()
        n, chain = 0, _GENESIS
        while rows := (await session.execute(_WALK, {"after": n})).all():
            for row in rows:
                if row.n != n + 1:
                    yield Fault(n + 1, None, "gap")
                stored = bytes(row.chain)
                if row.id is None:
                    yield Fault(row.n, row.event_id, "deleted")
                elif not row.sealed or stored != self._next(chain, row.n, row):
                    yield Fault(row.n, row.event_id, "changed")
                if row.n in anchors and anchors[row.n] != stored:
                    yield Fault(row.n, row.event_id, "broken")
                n, chain = row.n, stored
        if anchors and max(anchors) > n:
            yield Fault(max(anchors), None, "tail-cut")
        unlinked = await session.execute(
            text(
                "select e.id from audit_event e where e.sealed and not exists (select from audit_link l where l.event_id = e.id)"
            )
        )
        for (event_id,) in unlinked.all():
            yield Fault(0, event_id, "unlinked")
