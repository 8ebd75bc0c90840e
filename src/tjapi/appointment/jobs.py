"""What the worker does for appointments: a place came free, so the next who waits is offered it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from tjapi.appointment import service
from tjapi.appointment.errors import AppointmentFull
from tjapi.appointment.events import PlaceFreed
from tjapi.kernel.jobs.spec import JobRun, JobSpec

_MOST = 200


async def offer_places(run: JobRun) -> Mapping[str, Any]:
    """Offer what is free of a day to those who wait for it, one transaction an offer."""
    assert run.campus_id is not None
    day = date.fromisoformat(str(run.payload["day"]))
    offered = 0
    for _ in range(_MOST):
        try:
            async with run.unit() as uow:
                if await service.offer_next(uow, run.campus_id, day) is None:
                    break
            offered += 1
        except AppointmentFull:  # somebody at a desk was faster
            continue
    return {"offered": offered}


JOBS = (JobSpec("appointment.offer_places", offer_places, on=(PlaceFreed,)),)
