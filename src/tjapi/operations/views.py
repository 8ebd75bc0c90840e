"""What operations reads of the kernel's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from tjapi.critical_value.rules import ENDED, UNTOLD
from tjapi.kernel.audit import AuditEvent
from tjapi.kernel.inbox import ALARMING, InboxMessage
from tjapi.kernel.jobs.models import Job
from tjapi.kernel.uow import UnitOfWork

_JOBS = text("select state, count(*) from job group by state")
_OLDEST = text(
    "select extract(epoch from clock_timestamp() - min(run_at)) from job where state = 'queued' and run_at <= clock_timestamp()"
)
_INBOX = text("select state, count(*) from inbox_message group by state")


async def messages(
    uow: UnitOfWork, *, state: str | None, source: str | None, exam_id: UUID | None, alarming: bool | None, after: list[str] | None,
    size: int,
) -> Sequence[InboxMessage]:  # fmt: skip
    """Return a page of inbound messages, newest first, one too many."""
    query = select(InboxMessage).order_by(InboxMessage.id.desc()).limit(size + 1)
    for column, value in ((InboxMessage.state, state), (InboxMessage.source, source), (InboxMessage.exam_id, exam_id)):
        if value is not None:
            query = query.where(column == value)
    if alarming is not None:
        says = InboxMessage.detail.has_key(ALARMING)
        query = query.where(says if alarming else ~says)
    if after:
        query = query.where(InboxMessage.id < UUID(after[0]))
    return (await uow.session.execute(query)).scalars().all()


async def jobs(
    uow: UnitOfWork, *, state: str | None, name: str | None, owner: UUID | None, after: list[str] | None, size: int
) -> Sequence[Job]:
    """Return a page of jobs, newest first, one too many; `owner` None means everybody's."""
    query = select(Job).order_by(Job.seq.desc()).limit(size + 1)
    for column, value in ((Job.state, state), (Job.name, name), (Job.created_by, owner)):
        if value is not None:
            query = query.where(column == value)
    if after:
        query = query.where(Job.seq < int(after[0]))
    return (await uow.session.execute(query)).scalars().all()


async def job(uow: UnitOfWork, job_id: UUID) -> Job | None:
    """Return a job."""
    return (await uow.session.execute(select(Job).where(Job.id == job_id))).scalar_one_or_none()


async def audit_events(
    uow: UnitOfWork,
    *,
    action: str | None,
    object_type: str | None,
    object_id: str | None,
    after: list[str] | None,
    size: int,
) -> Sequence[AuditEvent]:
    """Return a page of the audit trail, newest first, one too many."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(size + 1)
    filters = ((AuditEvent.action, action), (AuditEvent.object_type, object_type), (AuditEvent.object_id, object_id))
    for column, value in filters:
        if value is not None:
            query = query.where(column == value)
    if after:
        query = query.where(AuditEvent.id < int(after[0]))
    return (await uow.session.execute(query)).scalars().all()


_CRITICALS = text("""
select count(*), count(*) filter (where state = any(:untold)), count(*) filter (where due_at < clock_timestamp())
from critical_value where state <> all(:ended)
""")
_REQUISITIONS = text("select state, count(*) from requisition group by state")
_RETRYING = text("select name, count(*) from job where state = 'queued' and attempts > 0 group by name")
_SILENT = text(
    "select source, extract(epoch from clock_timestamp() - max(received_at)) from inbox_message group by source"
)
_LAGS = text("""
select
  (select extract(epoch from clock_timestamp() - min(received_at)) from inbox_message where state = 'received'),
  (select extract(epoch from clock_timestamp() - min(at)) from audit_event where not sealed)
""")


@dataclass(frozen=True, slots=True)
class Gauges:
    """What an operator watches beside jobs: numbers by kind, ages in seconds (0: nothing waits)."""

    criticals: Mapping[str, int]
    requisitions: Mapping[str, int]
    retrying: Mapping[str, int]
    silent: Mapping[str, float]
    unfiled: float
    unsealed: float


async def gauges(uow: UnitOfWork) -> Gauges:
    """Return what an operator watches, over all campuses."""
    told = {"untold": list(UNTOLD), "ended": list(ENDED)}
    criticals = (await uow.session.execute(_CRITICALS, told)).one()
    requisitions: Any = (await uow.session.execute(_REQUISITIONS)).all()
    retrying: Any = (await uow.session.execute(_RETRYING)).all()
    silent: Any = (await uow.session.execute(_SILENT)).all()
    unfiled, unsealed = (await uow.session.execute(_LAGS)).one()
    return Gauges(
        dict(zip(("open", "untold", "overdue"), criticals, strict=True)), dict(requisitions), dict(retrying),
        {source: float(seconds) for source, seconds in silent}, float(unfiled or 0), float(unsealed or 0),
    )  # fmt: skip


async def counts(uow: UnitOfWork) -> tuple[dict[str, int], float, dict[str, int]]:
    """Return jobs by state, the age of the oldest ready job in seconds, inbound messages by state."""
    jobs_by: Any = (await uow.session.execute(_JOBS)).all()
    oldest = (await uow.session.execute(_OLDEST)).scalar()
    inbox_by: Any = (await uow.session.execute(_INBOX)).all()
    return dict(jobs_by), float(oldest or 0), dict(inbox_by)
