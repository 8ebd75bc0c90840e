"""What the worker does for critical values: an exam's past says something else, so the exams after it are looked at again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tjapi.critical_value import service
from tjapi.kernel.jobs.spec import JobRun, JobSpec


async def look_again(run: JobRun) -> Mapping[str, Any]:
    """Look at each exam in a transaction of its own, under its own lock; looking twice is looking once."""
    examinee_id, after = UUID(str(run.payload["examinee_id"])), run.payload["after_id"]
    async with run.unit() as uow:
        exam_ids = await service.to_look_at(uow, examinee_id, UUID(str(after)) if after is not None else None)
    for exam_id in exam_ids:
        async with run.unit() as uow:
            await service.look_again(uow, exam_id)
    return {"looked_at": len(exam_ids)}


JOBS = (JobSpec(service.LOOK_AGAIN, look_again),)
