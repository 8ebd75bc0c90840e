"""A batch of bookings as a worker runs it."""

import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg

from tjapi import demo
from tjapi.groupdesk import flows, service
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime


class Batch:
    """A batch as a worker runs it; its claim may be taken over."""

    def __init__(self, runtime: Runtime, admin: asyncpg.Connection) -> None:
        self.runtime, self.admin = runtime, admin

    async def ask(self, campaign_id: UUID, asked: BookMembersIn) -> UUID:
        async with self.runtime.units.open(demo.LOADER) as uow:
            return (await service.plan_booking(uow, campaign_id, asked)).job_id

    async def run(self, job_id: UUID, *, stop_after: int | None = None, at_once: int = 100) -> dict[str, Any] | None:
        """Claim the job and run it, so many at once; killed after so many members, nothing comes back."""
        try:
            return dict(await flows.book_members(await self.claim(job_id, stop_after), at_once=at_once))
        except asyncio.CancelledError:
            return None

    async def reprice(
        self,
        campaign_id: UUID,
        group_id: UUID | None = None,
        *,
        stop_after: int | None = None,
        job_id: UUID | None = None,
    ) -> tuple[UUID, dict[str, Any] | None]:
        """Ask for a repricing and run it, or go on with one; killed after so many members, nothing comes back."""
        if job_id is None:
            async with self.runtime.units.open(demo.LOADER) as uow:
                job_id = (await service.plan_repricing(uow, campaign_id, group_id)).job_id
        try:
            return job_id, dict(await flows.reprice_members(await self.claim(job_id, stop_after), at_once=1))
        except asyncio.CancelledError:
            return job_id, None

    async def claim(self, job_id: UUID, stop_after: int | None = None) -> JobRun:
        """Claim the job as a worker does."""
        claim = "update job set state = 'running', fence = fence + 1 where id = $1 returning fence, payload::text as payload"
        row = await self.admin.fetchrow(claim, job_id)

        async def report(done: int, _total: int | None, _message: str | None) -> None:
            if done == stop_after:
                raise asyncio.CancelledError

        units, services = self.runtime.units, self.runtime.services
        return JobRun(
            job_id, service.BOOK, json.loads(row["payload"]), 1, 0, row["fence"], units, services, report, job_id
        )
