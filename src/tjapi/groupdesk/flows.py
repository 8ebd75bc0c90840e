"""Members booked a slice at a time: a transaction each, so that a batch that is killed goes on where it was.

Whom the others do not wait for, because the list says something else of them than what is known, or because they need what is full, are
booked one by one, and keep the reason if they are not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tjapi.appointment.errors import AppointmentFull, AppointmentTwice
from tjapi.employer.errors import CampaignStateConflict
from tjapi.employer.rules.campaigns import REPRICINGS
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import CampaignNotOpen, DaysFull
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.problem import Problem

_TRIES = 3
_AT_ONCE, _PRICED_AT_ONCE = 100, 20
_OUTCOMES = ("booked", "full", "refused", "skipped")


async def book_members(run: JobRun, *, at_once: int = _AT_ONCE) -> Mapping[str, Any]:
    """Book whoever is listed still; whom it cannot book keeps the reason. A killed batch books the rest when it is taken up again."""
    plan, campaign_id = BookMembersIn.model_validate(run.payload["plan"]), UUID(run.payload["campaign_id"])
    async with run.unit() as uow:
        waiting = await service.to_book(uow, campaign_id, plan)
    counts: Counter[str] = Counter()
    for begin in range(0, len(waiting), at_once):
        try:
            counts += await _slice(run, campaign_id, waiting[begin : begin + at_once], plan)
        except CampaignNotOpen:
            break
        await run.progress(min(begin + at_once, len(waiting)), len(waiting), "booking")
    return {name: counts[name] for name in _OUTCOMES}


async def reprice_members(run: JobRun, *, at_once: int = _PRICED_AT_ONCE) -> Mapping[str, Any]:
    """Price prepared exams anew, a slice of a transaction each; what became of whom is kept with it, so that a killed one goes on where it was."""
    campaign_id = UUID(run.payload["campaign_id"])
    group_id = UUID(run.payload["group_id"]) if run.payload["group_id"] else None
    async with run.unit() as uow:
        waiting = await service.to_reprice(uow, run.id, campaign_id, group_id)
    counts: Counter[str] = Counter()
    for begin in range(0, len(waiting), at_once):
        try:
            async with run.unit() as uow:
                counts += await service.reprice(
                    uow, run.id, campaign_id, waiting[begin : begin + at_once], payment_required=run.services.payment_required
                )  # fmt: skip
        except CampaignStateConflict:  # completed meanwhile
            break
        await run.progress(min(begin + at_once, len(waiting)), len(waiting), "repricing")
    return {name: counts[name] for name in REPRICINGS}


async def _slice(run: JobRun, campaign_id: UUID, members: Sequence[UUID], plan: BookMembersIn) -> Counter[str]:
    """Book a slice together, and alone whom that leaves. Raises CampaignNotOpen."""
    counts: Counter[str] = Counter()
    together, alone, full = list(members), list[UUID](), list[UUID]()
    tries = 0
    while together:
        try:
            async with run.unit() as uow:
                await service.prepare(uow, campaign_id, plan.days)
            async with run.unit() as uow:
                counts["booked"] = await service.book_together(
                    uow, campaign_id, together, plan.days, payment_required=run.services.payment_required
                )
            counts["skipped"] = len(together) - counts["booked"]
            break
        except service.Apart as some:
            full += some.full
            alone += some.alone
            together = [one for one in together if one not in {*some.full, *some.alone}]
        except Problem as refusal:
            if isinstance(refusal, CampaignNotOpen):
                raise
            tries += 1
            faster = isinstance(refusal, AppointmentFull | AppointmentTwice)  # somebody was, since the look
            if not faster or tries == _TRIES:
                alone += together
                together = []
    if full:
        async with run.unit() as uow:
            await service.refuse_full(uow, campaign_id, full)
        counts["full"] = len(full)
    for member_id in alone:
        counts[await _book(run, member_id, plan)] += 1
    return counts


async def _book(run: JobRun, member_id: UUID, plan: BookMembersIn) -> str:
    for attempt in range(1, _TRIES + 1):
        try:
            async with run.unit() as uow:
                done = await service.book_member(
                    uow, member_id, plan.days, payment_required=run.services.payment_required
                )
        except Problem as refusal:
            if isinstance(refusal, CampaignNotOpen):
                raise
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
