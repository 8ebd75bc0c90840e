"""What the worker does for the knowledge base: a signed version takes effect on its day."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tjapi.kernel.jobs.spec import JobRun, JobSpec
from tjapi.knowledge import service


async def take_effect(run: JobRun) -> Mapping[str, Any]:
    """Put the version into use; twice is once."""
    async with run.unit() as uow:
        return {"taken_effect": await service.take_effect(uow, UUID(str(run.payload["version_id"])))}


JOBS = (JobSpec(service.TAKE_EFFECT, take_effect),)
