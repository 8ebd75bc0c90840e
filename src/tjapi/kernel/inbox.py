"""What is pushed at us is stored raw before it is believed.

Unique per (API client, source, message id): who pushes answers for its own numbers. Same id, same bytes → the stored answer; same id, other bytes → refused, and kept beside under a
message id of its own, quarantined. Every message ends in exactly one state:

    received → filed | duplicate | revision | quarantined | unmatched
    unmatched | quarantined → received   (replay, with audit)
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, SmallInteger, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.kernel.events import Event
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import Conflict, FieldError, NotFound
from tjapi.kernel.uow import UnitOfWork

ENDED = ("filed", "duplicate", "revision", "quarantined", "unmatched")
STATES = ("received", *ENDED)
_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:key, 12))")
_REPLAYABLE = ("quarantined", "unmatched")


class MessageContentDiffers(Conflict):
    """The same source sent other bytes under a message id it had used: kept beside, quarantined, not believed."""

    zh, en = "消息编号已用于内容不同的消息", "This message id was used for a message with other content"


class InboundMessageNotFound(NotFound):
    """No such message, or not of a campus one may see."""

    zh, en = "没有这条入站消息", "No such inbound message"


class MessageNotReplayable(Conflict):
    """Only a quarantined or unmatched message is replayed."""

    zh, en = "只有隔离或未匹配的消息可以重放", "Only a quarantined or unmatched message can be replayed"


class InboxMessage(Base):
    """A message as it came."""

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("client_id", "source", "message_id"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index("ix_inbox_message_state", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    source: Mapped[str]
    message_id: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    media_type: Mapped[str]
    campuses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    state: Mapped[str] = mapped_column(server_default="received")
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    exam_id: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    received_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    gateway_received_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Event):
    """A message lies in the inbox and waits to be filed."""

    name: ClassVar[str] = "inbox.message_received"
    message_id: UUID
    source: str
    attempt: int = 0


def _aad(client_id: UUID, source: str, message_id: str) -> str:
    return f"inbox_message|body|{client_id}|{source}|{message_id}"


async def receive(
    uow: UnitOfWork, *, source: str, message_id: str, body: bytes, media_type: str, gateway_received_at: datetime | None
) -> tuple[InboxMessage, bool]:
    """Store a message and start its filing; returns it and whether it was here before.

    Raises MessageContentDiffers after committing nothing: the caller stores the stranger with `quarantine` in a unit of its own.
    """
    # One at a time per message id: of two equal ones that come together, the second finds the first.
    await uow.session.execute(_LOCK, {"key": f"{uow.principal.id}|{source}|{message_id}"})
    digest = hashlib.sha256(body).digest()
    found = await find(uow, source, message_id)
    if found is not None:
        if bytes(found.sha256) != digest:
            raise MessageContentDiffers(
                errors=[
                    FieldError("header:X-Message-Id", "content-differs", "同一编号,内容不同", "same id, other content")
                ]
            )
        return found, True
    message = InboxMessage(
        id=uuid7(), client_id=uow.principal.id, source=source, message_id=message_id, sha256=digest, body=uow.cipher.seal_bytes(body, _aad(uow.principal.id, source, message_id)),
        media_type=media_type, campuses=list(uow.principal.campuses), state="received", attempts=0, detail={},
        received_at=uow.now, gateway_received_at=gateway_received_at,
    )  # fmt: skip
    uow.session.add(message)
    await uow.publish(MessageReceived(campus_id=None, message_id=message.id, source=source))
    return message, False


async def quarantine(
    uow: UnitOfWork, *, source: str, message_id: str, body: bytes, media_type: str, reason: str
) -> InboxMessage:
    """Keep a message that is not believed, under an id of its own; the same bytes are kept once."""
    digest = hashlib.sha256(body).digest()
    kept_as = f"{message_id}#{digest.hex()[:16]}"
    await uow.session.execute(_LOCK, {"key": f"{uow.principal.id}|{source}|{kept_as}"})
    found = await find(uow, source, kept_as)
    if found is not None:
        return found
    message = InboxMessage(
        id=uuid7(), client_id=uow.principal.id, source=source, message_id=kept_as, sha256=digest, body=uow.cipher.seal_bytes(body, _aad(uow.principal.id, source, kept_as)),
        media_type=media_type, campuses=list(uow.principal.campuses), state="quarantined", reason=reason, attempts=0,
        detail={"original_message_id": message_id}, received_at=uow.now, ended_at=uow.now,
    )  # fmt: skip
    uow.session.add(message)
    return message


async def find(uow: UnitOfWork, source: str, message_id: str) -> InboxMessage | None:
    """Return a message of the caller's by its source and id."""
    query = select(InboxMessage).where(
        InboxMessage.client_id == uow.principal.id, InboxMessage.source == source, InboxMessage.message_id == message_id
    )
    return (await uow.session.execute(query)).scalar_one_or_none()


async def get(uow: UnitOfWork, message: UUID) -> InboxMessage:
    """Return a message. Raises InboundMessageNotFound."""
    found = await uow.session.get(InboxMessage, message)
    if found is None:
        raise InboundMessageNotFound
    return found


def open_body(uow: UnitOfWork, message: InboxMessage) -> bytes:
    """Return the bytes as they came."""
    return uow.cipher.open_bytes(bytes(message.body), _aad(message.client_id, message.source, message.message_id))


async def end(
    uow: UnitOfWork, message: UUID, state: str, *, reason: str | None = None, exam_id: UUID | None = None,
    campus_id: int | None = None, detail: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Say what became of a received message; once matched it belongs to its exam's campus alone."""
    values: dict[str, Any] = {
        "state": state,
        "reason": reason,
        "exam_id": exam_id,
        "ended_at": uow.now,
        "detail": detail or {},
    }
    if campus_id is not None:
        values["campuses"] = [campus_id]
    await uow.session.execute(
        update(InboxMessage).where(InboxMessage.id == message, InboxMessage.state == "received").values(**values)
    )


async def waiting_for_code(uow: UnitOfWork, source: str, code: str) -> Sequence[UUID]:
    """Return the unmatched messages of a source that named this code as unknown, oldest first."""
    query = select(InboxMessage.id).where(
        InboxMessage.source == source, InboxMessage.state == "unmatched", InboxMessage.detail["codes"].contains([code])
    )
    return (await uow.session.execute(query.order_by(InboxMessage.id))).scalars().all()


async def locked(uow: UnitOfWork, message: UUID) -> InboxMessage:
    """Return a message that nobody else ends or replays meanwhile. Raises InboundMessageNotFound."""
    query = select(InboxMessage).where(InboxMessage.id == message).with_for_update()
    found = (await uow.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if found is None:
        raise InboundMessageNotFound
    return found


async def replay(uow: UnitOfWork, message: UUID) -> InboxMessage:
    """Put an unmatched or quarantined message back to be filed again, with audit."""
    found = await locked(uow, message)
    if found.state not in _REPLAYABLE or found.reason == "content-differs":
        raise MessageNotReplayable
    found.state, found.reason, found.ended_at, found.attempts = "received", None, None, found.attempts + 1
    await uow.audit("inbound_message.replayed", "inbound_message", message)
    await uow.publish(MessageReceived(campus_id=None, message_id=message, source=found.source, attempt=found.attempts))
    return found
