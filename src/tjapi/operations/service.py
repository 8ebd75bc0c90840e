"""The verbs of operations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.kernel import inbox
from tjapi.kernel.inbox import InboxMessage, MessageContentDiffers
from tjapi.kernel.jobs.models import Job
from tjapi.kernel.jobs.spec import JobCancelled
from tjapi.kernel.uow import UnitOfWork
from tjapi.operations import repository, views
from tjapi.operations.errors import JobEnded, JobNotDead, JobNotFound
from tjapi.operations.schemas import JobOut, MessageAccepted, MessageOut, QuarantineReason
from tjapi.result import service as results

_READ_ALL = "job.read_all"


async def receive_message(
    uow: UnitOfWork, *, source: str, sender: str, message_id: str, body: bytes, media_type: str, gateway_received_at: datetime | None,
    held: QuarantineReason | None,
) -> MessageAccepted:  # fmt: skip
    """Store what was pushed at us. Raises MessageContentDiffers; the stranger is kept, quarantined.

    `held` says that its sender was refused, and why: such a message is kept for people. A number used before is among the reasons; then it
    does not matter whether the first one is here already.
    """
    # A second message under a used number may be the one that matters.
    beside: dict[str, Any] = {
        "source": source, "sender": sender, "message_id": message_id, "body": body, "media_type": media_type,
        "gateway_received_at": gateway_received_at, "reason": "content-differs",
    }  # fmt: skip
    alarming = await results.alarming(uow, held, source, body) if held is not None else []
    if held == "content-differs":
        kept = await inbox.quarantine(uow, **beside, alarming=alarming)
        return MessageAccepted(
            id=kept.id, source=kept.source, message_id=kept.message_id, state=kept.state, duplicate=False
        )
    try:
        message, before = await inbox.receive(
            uow,
            source=source,
            message_id=message_id,
            body=body,
            media_type=media_type,
            gateway_received_at=gateway_received_at,
            sender=sender,
            held=held,
            alarming=alarming,
        )
    except MessageContentDiffers as refusal:
        alarming = await results.alarming(uow, "content-differs", source, body)
        await inbox.quarantine(uow, **beside, alarming=alarming)
        raise refusal.kept() from None
    return MessageAccepted(
        id=message.id, source=message.source, message_id=message.message_id, state=message.state, duplicate=before
    )


async def message(uow: UnitOfWork, message_id: UUID) -> MessageOut:
    """Return an inbound message. Raises InboundMessageNotFound."""
    return message_out(await inbox.get(uow, message_id))


async def raw_message(uow: UnitOfWork, message_id: UUID) -> bytes:
    """Return the bytes of a message as they came, with an audit row. Raises InboundMessageNotFound, PrivateContent."""
    raw = inbox.open_body(uow, await inbox.get(uow, message_id))
    await catalog.refuse_private(uow, raw)
    await uow.audit("inbound_message.raw_read", "inbound_message", message_id)
    return raw


async def replay_message(uow: UnitOfWork, message_id: UUID) -> MessageOut:
    """File a quarantined or unmatched message again. Raises InboundMessageNotFound, MessageNotReplayable."""
    return message_out(await inbox.replay(uow, message_id))


async def job(uow: UnitOfWork, job_id: UUID) -> Job:
    """Return a job to its creator, or to who may see all. Raises JobNotFound."""
    found = await views.job(uow, job_id)
    if found is None or (found.created_by != uow.principal.id and not uow.principal.may(_READ_ALL)):
        raise JobNotFound
    return found


async def cancel_job(uow: UnitOfWork, job_id: UUID) -> JobOut:
    """Stop a job. Raises JobNotFound, JobEnded."""
    found = await job(uow, job_id)
    state = await repository.cancel(uow, job_id)
    if state is None:
        raise JobEnded
    await uow.audit("job.cancelled", "job", job_id)
    if state == "cancelled":
        await uow.publish(JobCancelled(campus_id=found.campus_id, job_id=job_id, job=found.name, given=found.payload))
    uow.session.expire_all()
    return job_out(await job(uow, job_id))


async def retry_job(uow: UnitOfWork, job_id: UUID) -> JobOut:
    """Queue a dead job again. Raises JobNotFound, JobNotDead."""
    await job(uow, job_id)
    if not await repository.retry(uow, job_id):
        raise JobNotDead
    await uow.audit("job.retried", "job", job_id)
    uow.pokes.append(job_id)
    uow.session.expire_all()
    return job_out(await job(uow, job_id))


def message_out(message: InboxMessage) -> MessageOut:
    """Return the public shape of an inbound message, without its content."""
    return MessageOut(
        id=message.id, source=message.source, sender=message.sender, message_id=message.message_id, state=message.state, reason=message.reason,
        detail=message.detail, exam_id=message.exam_id, alarming=bool(message.detail.get(inbox.ALARMING)), media_type=message.media_type, sha256=bytes(message.sha256).hex(),
        attempts=message.attempts, received_at=message.received_at, ended_at=message.ended_at,
    )  # fmt: skip


def job_out(job: Job) -> JobOut:
    """Return the public shape of a job."""
    return JobOut.model_validate(job, from_attributes=True)
