"""What is pushed at us is stored raw before it is believed.

Unique per (API client, source, sender, message id): who pushes answers for its own numbers, and two senders behind one channel may use the same
ones. Same id, same bytes → the stored answer; same id, other bytes → refused, and kept beside under a message id of its own, quarantined.
Whatever its sender was not told AA for comes as quarantined, and stays so until people release it. Every message ends in exactly one state:

    received → filed | duplicate | revision | quarantined | unmatched
    unmatched | quarantined → received   (replay, with audit; what was refused at the door by a release only)
"""

import hashlib
from collections.abc import Mapping, Sequence
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
ALARMING = "alarming"
"""In `detail`: codes that the laboratory calls critical, of a message that belongs to nobody yet."""
_REPLAYABLE = ("quarantined", "unmatched")
# Its sender was told AE (or nothing): it takes people to have it filed all the same.
_REFUSED = {"refused": True}


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
        UniqueConstraint("client_id", "source", "sender", "message_id"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index("ix_inbox_message_state", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID]
    source: Mapped[str]
    sender: Mapped[str] = mapped_column(server_default="")
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


def _aad(client_id: UUID, source: str, sender: str, message_id: str) -> str:
    # What came before senders were told apart has none, and was sealed without.
    of = f"{source}|{sender}" if sender else source
    return f"inbox_message|body|{client_id}|{of}|{message_id}"


async def receive(
    uow: UnitOfWork, *, source: str, message_id: str, body: bytes, media_type: str, gateway_received_at: datetime | None, sender: str = "",
    held: str | None = None, alarming: Sequence[str] = (),
) -> tuple[InboxMessage, bool]:  # fmt: skip
    """Store a message and start its filing; returns it and whether it was here before. `held`: why its sender was refused; it waits for people.

    `alarming`: what it says is critical, where it is held; that is announced at once.

    Raises MessageContentDiffers after committing nothing: the caller stores the stranger with `quarantine` in a unit of its own.
    """
    # One at a time per message id: of two equal ones that come together, the second finds the first.
    await uow.session.execute(_LOCK, {"key": f"{uow.principal.id}|{source}|{message_id}"})
    digest = hashlib.sha256(body).digest()
    found = await find(uow, source, message_id, sender)
    if found is not None:
        if bytes(found.sha256) != digest:
            raise MessageContentDiffers(
                errors=[
                    FieldError("header:X-Message-Id", "content-differs", "同一编号,内容不同", "same id, other content")
                ]
            )
        return found, True
    message = InboxMessage(
        id=uuid7(), client_id=uow.principal.id, source=source, sender=sender, message_id=message_id, sha256=digest,
        body=uow.cipher.seal_bytes(body, _aad(uow.principal.id, source, sender, message_id)), media_type=media_type,
        campuses=list(uow.principal.campuses), state="received", attempts=0, detail={}, received_at=uow.now,
        gateway_received_at=gateway_received_at,
    )  # fmt: skip
    uow.session.add(message)
    if held is not None:
        message.state, message.reason, message.ended_at, message.detail = (
            "quarantined",
            held,
            uow.now,
            _refused(alarming),
        )
        await _announce(uow, message.id, message.campuses, message.detail)
        return message, False
    await uow.publish(MessageReceived(campus_id=None, message_id=message.id, source=source))
    return message, False


async def quarantine(
    uow: UnitOfWork, *, source: str, message_id: str, body: bytes, media_type: str, reason: str, gateway_received_at: datetime | None = None,
    sender: str = "", alarming: Sequence[str] = (),
) -> InboxMessage:  # fmt: skip
    """Keep a message that is not believed, under an id of its own; the same bytes are kept once, and what they say is critical is told."""
    digest = hashlib.sha256(body).digest()
    kept_as = f"{message_id}#{digest.hex()[:16]}"
    await uow.session.execute(_LOCK, {"key": f"{uow.principal.id}|{source}|{kept_as}"})
    found = await find(uow, source, kept_as, sender)
    if found is not None:
        return found
    message = InboxMessage(
        id=uuid7(), client_id=uow.principal.id, source=source, sender=sender, message_id=kept_as, sha256=digest,
        body=uow.cipher.seal_bytes(body, _aad(uow.principal.id, source, sender, kept_as)), media_type=media_type,
        campuses=list(uow.principal.campuses), state="quarantined", reason=reason, attempts=0,
        detail={"original_message_id": message_id, **_refused(alarming)}, received_at=uow.now, gateway_received_at=gateway_received_at, ended_at=uow.now,
    )  # fmt: skip
    uow.session.add(message)
    await _announce(uow, message.id, message.campuses, message.detail)
    return message


def _refused(alarming: Sequence[str]) -> dict[str, Any]:
    return {**_REFUSED, ALARMING: list(alarming)} if alarming else dict(_REFUSED)


async def _announce(uow: UnitOfWork, message: UUID, campuses: Sequence[int], detail: Mapping[str, Any]) -> None:
    """Say at once, to those who see messages, that one belongs to nobody though it says something critical."""
    if detail.get(ALARMING):
        for campus in campuses:
            told = {"message_id": str(message)}
            await uow.announce("alarming_message", told, campus_id=campus, permission="message.read")


async def take_part(uow: UnitOfWork, batch: InboxMessage, number: int, body: bytes) -> None:
    """Take up one message of a batch that was pushed as one: it belongs to whoever pushed the batch."""
    name = f"{batch.message_id}/{number}"
    query = select(InboxMessage.id).where(
        InboxMessage.client_id == batch.client_id, InboxMessage.source == batch.source, InboxMessage.sender == batch.sender,
        InboxMessage.message_id == name,
    )  # fmt: skip
    if (await uow.session.execute(query)).first() is not None:
        return  # the batch is read again: its parts are here
    part = InboxMessage(
        id=uuid7(), client_id=batch.client_id, source=batch.source, sender=batch.sender, message_id=name, sha256=hashlib.sha256(body).digest(),
        body=uow.cipher.seal_bytes(body, _aad(batch.client_id, batch.source, batch.sender, name)), media_type=batch.media_type,
        campuses=list(batch.campuses), state="received", attempts=0, detail={}, received_at=batch.received_at,
        gateway_received_at=batch.gateway_received_at,
    )  # fmt: skip
    uow.session.add(part)
    await uow.publish(MessageReceived(campus_id=None, message_id=part.id, source=part.source))


async def find(uow: UnitOfWork, source: str, message_id: str, sender: str = "") -> InboxMessage | None:
    """Return a message of the caller's by its source, sender and id; one that bears no sender may be anybody's."""
    query = select(InboxMessage).where(
        InboxMessage.client_id == uow.principal.id, InboxMessage.source == source, InboxMessage.message_id == message_id,
        InboxMessage.sender.in_({sender, ""}),
    )  # fmt: skip
    return (await uow.session.execute(query.order_by(InboxMessage.sender.desc()).limit(1))).scalar_one_or_none()


async def get(uow: UnitOfWork, message: UUID) -> InboxMessage:
    """Return a message. Raises InboundMessageNotFound."""
    found = await uow.session.get(InboxMessage, message)
    if found is None:
        raise InboundMessageNotFound
    return found


def open_body(uow: UnitOfWork, message: InboxMessage) -> bytes:
    """Return the bytes as they came."""
    return uow.cipher.open_bytes(
        bytes(message.body), _aad(message.client_id, message.source, message.sender, message.message_id)
    )


async def end(
    uow: UnitOfWork, message: UUID, state: str, *, reason: str | None = None, exam_id: UUID | None = None,
    campus_id: int | None = None, detail: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Say what became of a received message; once matched it belongs to its exam's campus alone.

    One that ends with nobody though it says something critical is announced at once to those who see messages.
    """
    values: dict[str, Any] = {
        "state": state,
        "reason": reason,
        "exam_id": exam_id,
        "ended_at": uow.now,
        "detail": detail or {},
    }
    if campus_id is not None:
        values["campuses"] = [campus_id]
    ended = update(InboxMessage).where(InboxMessage.id == message, InboxMessage.state == "received").values(**values)
    campuses = (await uow.session.execute(ended.returning(InboxMessage.campuses))).scalar_one_or_none()
    await _announce(uow, message, campuses or (), detail or {})


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


async def replay(uow: UnitOfWork, message: UUID, *, released: bool = False) -> InboxMessage:
    """Put an unmatched or quarantined message back to be filed again, with audit; `released`: two people have said so.

    Raises InboundMessageNotFound, MessageNotReplayable: it has ended well, or was refused at the door and nobody has released it.
    """
    found = await locked(uow, message)
    refused = found.reason == "content-differs" or found.detail.get("refused")
    if found.state not in _REPLAYABLE or (refused and not released):
        raise MessageNotReplayable
    found.state, found.reason, found.ended_at, found.attempts = "received", None, None, found.attempts + 1
    await uow.audit("inbound_message.replayed", "inbound_message", message)
    await uow.publish(MessageReceived(campus_id=None, message_id=message, source=found.source, attempt=found.attempts))
    return found
