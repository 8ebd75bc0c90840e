"""Whether anybody does the work: what readiness and the doctor say of the workers."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text

from tjapi.kernel.uow import UnitOfWork

_SILENT_SECONDS = 20
_WAITING_SECONDS = 60
_LOOK = text("""
with beat as (
  select count(*) filter (where loop_at > clock_timestamp() - make_interval(secs => :silent)) as turning, count(*) as there,
    max(claimed_at) as claimed_at
  from worker_beat where beat_at > clock_timestamp() - make_interval(secs => :silent)),
due as (
  select coalesce(extract(epoch from clock_timestamp() - min(run_at)), 0) as seconds from job j
  where state = 'queued' and run_at <= clock_timestamp() and (lane is null or not exists (
    select 1 from job e where e.lane = j.lane and e.seq < j.seq and e.state in ('queued', 'running'))))
select beat.turning, beat.there, due.seconds,
  coalesce(extract(epoch from clock_timestamp() - beat.claimed_at), due.seconds) as unclaimed
from beat, due
""")


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """`stalled`: they live, and no loop turns. `behind`: a job is due for a minute, and none was claimed for as long."""

    state: Literal["ok", "absent", "stalled", "behind"]
    oldest_due_seconds: float


async def workers(uow: UnitOfWork) -> WorkerHealth:
    """Say how the workers are."""
    seen = (await uow.session.execute(_LOOK, {"silent": _SILENT_SECONDS})).one()
    due, unclaimed = float(seen.seconds), float(seen.unclaimed)
    if not seen.there:
        return WorkerHealth("absent", due)
    if not seen.turning:
        return WorkerHealth("stalled", due)
    return WorkerHealth("behind" if min(due, unclaimed) > _WAITING_SECONDS else "ok", due)
