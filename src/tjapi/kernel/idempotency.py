"""Idempotency-Key: the answer is stored with the effect, in one transaction (reliability.md 4).

Same key, same request → the stored answer with `Idempotency-Replayed: true`; same key, other request → 422; still running → 409;
missing where people or money are created → 400. Rows are kept 72 hours.
"""

import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request
from sqlalchemy import Index, LargeBinary
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column
from starlette.responses import Response

from tjapi.kernel.db import Base, fetch_rows, fetch_value
from tjapi.kernel.problem import BadRequest, Conflict, FieldError, Invalid
from tjapi.kernel.uow import UnitOfWork

_LOCK = "select pg_try_advisory_xact_lock(hashtextextended($1, 4))"
_FIND = """
select fingerprint, status, media_type, body, etag from idempotency_key where principal_id = $1 and operation = $2 and key = $3
"""
_STORE = """
insert into idempotency_key (principal_id, operation, key, fingerprint, status, media_type, body, etag, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


class IdempotencyKeyMissing(BadRequest):
    """This operation creates people, exams or money: it needs an Idempotency-Key."""

    zh, en = "缺少 Idempotency-Key 请求头", "The Idempotency-Key header is required"


class IdempotencyKeyReused(Invalid):
    """The key was used for another request."""

    zh, en = "Idempotency-Key 已用于另一个请求", "The Idempotency-Key was used for another request"


class RequestStillRunning(Conflict):
    """The first request with this key has not ended."""

    zh, en = "相同 Idempotency-Key 的请求仍在处理", "A request with this Idempotency-Key is still running"


class IdempotencyKey(Base):
    """A request that was answered."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)

    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    media_type: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    etag: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class Replay(Exception):  # noqa: N818 - control flow: the stored answer travels to the exception handler
    """The stored answer of an earlier request."""

    def __init__(self, response: Response) -> None:
        super().__init__("replay")
        self.response = response


class PendingAnswer:
    """An answer that will be stored with the effect, once the endpoint has made it."""

    def __init__(self, uow: UnitOfWork, operation: str, key: str, fingerprint: bytes) -> None:
        self._uow, self._operation, self._key, self._fingerprint = uow, operation, key, fingerprint

    def _place(self) -> str:
        return f"idempotency_key|body|{self._uow.principal.id}|{self._operation}|{self._key}"

    async def begin(self) -> None:
        """Take the key. Raises Replay, IdempotencyKeyReused, RequestStillRunning."""
        session, principal = self._uow.session, self._uow.principal.id
        lock = f"{principal}|{self._operation}|{self._key}"
        if not await fetch_value(session, _LOCK, lock):
            raise RequestStillRunning
        rows = await fetch_rows(session, _FIND, principal, self._operation, self._key)
        if not rows:
            return
        found = rows[0]
        if bytes(found["fingerprint"]) != self._fingerprint:
            raise IdempotencyKeyReused(
                errors=[
                    FieldError(
                        "header:Idempotency-Key",
                        "reused",
                        "此键已用于内容不同的请求",
                        "used for a request with other content",
                    )
                ]
            )
        body = self._uow.cipher.open(bytes(found["body"]), self._place())
        headers = {"Idempotency-Replayed": "true"} | ({"ETag": found["etag"]} if found["etag"] else {})
        raise Replay(Response(body, status_code=found["status"], media_type=found["media_type"], headers=headers))

    async def store(self, response: Response) -> None:
        """Store the answer in the unit's transaction."""
        sealed = self._uow.cipher.seal(bytes(response.body).decode(), self._place())
        await self._uow.session.flush()
        await fetch_value(
            self._uow.session, _STORE, self._uow.principal.id, self._operation, self._key, self._fingerprint, response.status_code,
            "application/json", sealed, response.headers.get("etag"), self._uow.now,
        )  # fmt: skip


IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=8, max_length=120, pattern=r"^[\x21-\x7e]+$",
        description="同一请求重试时不变 · The same when the same request is tried again", examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"],
    ),
]  # fmt: skip


async def begin(request: Request, uow: UnitOfWork, operation: str, key: str | None, *, required: bool) -> None:
    """Take the request's key for an operation, and remember that its answer is to be stored."""
    if key is None:
        if required:
            raise IdempotencyKeyMissing(
                errors=[
                    FieldError(
                        "header:Idempotency-Key",
                        "missing",
                        "请为每次新建生成一个唯一的键",
                        "make a unique key for each creation",
                    )
                ]
            )
        return
    fingerprint = hashlib.sha256(
        f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    ).digest()
    pending = PendingAnswer(uow, operation, key, fingerprint)
    await pending.begin()
    request.state.pending_answer = pending
