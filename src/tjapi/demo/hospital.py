"""People, their years, and the work of the day, brought into a hospital that has staff: a job of the worker, with its progress in /jobs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tjapi.demo import archive, reports, today
from tjapi.demo.base import LOADER
from tjapi.demo.people import Person, invent
from tjapi.examinee import service as examinees
from tjapi.identity import service as identity
from tjapi.kernel.jobs.spec import JobRun, JobSpec, Progress
from tjapi.kernel.runtime import Runtime

POPULATE = "demo.populate"
_PEOPLE_AT_ONCE = 100
_STAFF_AT_MOST = 200
_ATTEMPTS = 5
_LONGEST_SECONDS = 900


def job(runtime: Runtime) -> JobSpec:
    """Return the job that brings people in, for a worker on this runtime."""

    async def handler(run: JobRun) -> Mapping[str, Any]:
        return await populate(runtime, int(run.payload["people"]), run.progress)

    return JobSpec(POPULATE, handler, max_attempts=_ATTEMPTS, at_once=1, timeout=_LONGEST_SECONDS)


async def order(runtime: Runtime, size: int) -> UUID | None:
    """Have `size` people brought in by the worker, once; return the job."""
    if size == 0:
        return None
    async with runtime.units.open(LOADER) as uow:
        return await uow.enqueue(
            POPULATE, {"people": size}, campus_id=None, key=f"people-{size}", max_attempts=_ATTEMPTS
        )


async def populate(runtime: Runtime, size: int, progress: Progress, *, with_reports: bool = True) -> dict[str, Any]:
    """Bring `size` people in, with what belongs to them. Twice is once, and what was killed in between is completed.

    With reports it waits for a worker to render them.
    """
    people = invent(size)
    ids = await _enter(runtime, people)
    async with runtime.units.read(LOADER) as uow:
        staff = {one.username: one for one in await identity.staff_page(uow, None, _STAFF_AT_MOST)}
    past = await archive.load(runtime, LOADER, people, ids, staff, progress)
    work = await today.load(runtime, people, ids, staff, progress)
    made = await reports.publish(runtime) if with_reports else 0
    await today.amend(runtime, people, ids, staff)
    return {"people": len(ids), "past_exams": past, "today": work, "reports": made}


async def _enter(runtime: Runtime, people: Sequence[Person]) -> dict[int, UUID]:
    """Enter everybody at their campuses; return their ids by number."""
    ids: dict[int, UUID] = {}
    for campus_id in sorted({campus for person in people for campus in person.campuses}):
        own = [person for person in people if campus_id in person.campuses]
        for first in range(0, len(own), _PEOPLE_AT_ONCE):
            some = own[first : first + _PEOPLE_AT_ONCE]
            async with runtime.units.open(LOADER) as uow:
                found = await examinees.import_people(uow, campus_id, [person.payload for person in some])
            ids |= {person.number: examinee_id for person, examinee_id in zip(some, found, strict=True)}
    return ids
