"""Members booked one after the other: a transaction each, so that a batch that is killed goes on where it was."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tjapi.appointment.errors import AppointmentFull
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import CampaignNotOpen, DaysFull
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.problem import Problem

_TRIES = 3


async def book_members(run: JobRun) -> Mapping[str, Any]:
    """Book whoever is listed still; whom it cannot book keeps the reason. A killed batch books the rest when it is taken up again."""
    plan = BookMembersIn.model_validate(run.payload["plan"])
    async with run.unit() as uow:
        waiting = await service.to_book(uow, UUID(run.payload["campaign_id"]), plan)
    counts: Counter[str] = Counter()
    for n, member_id in enumerate(waiting, 1):
        outcome = await _book(run, member_id, plan)
        counts[outcome] += 1
        if outcome == "closed":
            break
        await run.progress(n, len(waiting), "booking")
    return {name: counts[name] for name in ("booked", "full", "refused", "skipped")}


async def _book(run: JobRun, member_id: UUID, plan: BookMembersIn) -> str:
    for attempt in range(1, _TRIES + 1):
        try:
            async with run.unit() as uow:
                done = await service.book_member(
                    uow, member_id, plan.days, payment_required=run.services.payment_required
                )
        except CampaignNotOpen:
            return "closed"
        except Problem as refusal:
            if isinstance(refusal, AppointmentFull) and attempt < _TRIES:
                continue  # the last place went to another between the look and the booking
            await _keep(run, member_id, refusal)
            return "full" if isinstance(refusal, DaysFull | AppointmentFull) else "refused"
        return "booked" if done else "skipped"
    raise AssertionError("unreachable: every attempt returns")


async def _keep(run: JobRun, member_id: UUID, refusal: Problem) -> None:
    """Keep why somebody could not be booked: the problem's sentence, or that of its first field, which says more."""
    first = refusal.errors[0] if refusal.errors else None
    zh = first.zh if first else refusal.zh
    en = first.en if first else refusal.en
    async with run.unit() as uow:
        await service.refuse(uow, member_id, refusal.slug(), zh, en)
