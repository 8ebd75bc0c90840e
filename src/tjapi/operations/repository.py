"""The two statements by which a person steers a job."""

from uuid import UUID

from sqlalchemy import text

from tjapi.kernel.uow import UnitOfWork

_CANCEL = text("""
update job set cancel_requested = true, state = case when state = 'queued' then 'cancelled' else state end,
  finished_at = case when state = 'queued' then clock_timestamp() else finished_at end
where id = :id and state in ('queued', 'running') returning state
""")
_RETRY = text("""
update job set state = 'queued', attempts = 0, claims = 0, lost = 0, overran = 0, error = null, finished_at = null, cancel_requested = false,
  run_at = clock_timestamp() where id = :id and state = 'dead' returning id
""")


async def cancel(uow: UnitOfWork, job_id: UUID) -> str | None:
    """Cancel a queued job at once, ask a running one to stop; return the state that it is in, None when it had ended."""
    state: str | None = (await uow.session.execute(_CANCEL, {"id": job_id})).scalar()
    return state


async def retry(uow: UnitOfWork, job_id: UUID) -> bool:
    """Queue a dead job again; false when it is not dead."""
    return (await uow.session.execute(_RETRY, {"id": job_id})).scalar() is not None
