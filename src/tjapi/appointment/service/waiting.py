"""The waiting list: who waits longest is offered first what fits them, as a hold that lasts a while."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from tjapi.appointment import repository, views
from tjapi.appointment.errors import (
    AppointmentDayOutOfReach,
    AppointmentStateConflict,
    AppointmentWaitNotFound,
    WaitStateConflict,
)
from tjapi.appointment.events import PlaceOffered
from tjapi.appointment.models import AppointmentPolicy, AppointmentWait
from tjapi.appointment.schemas import SessionFree, WaitIn, WaitOut
from tjapi.appointment.service import places
from tjapi.appointment.service.booking import let_go, place_of
from tjapi.appointment.service.calendar import availability, policy, refuse_foreign_campus
from tjapi.examinee import service as examinees
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, naming
from tjapi.kernel.uow import UnitOfWork


async def join(uow: UnitOfWork, new: WaitIn) -> AppointmentWait:
    """Put somebody on the waiting list; where there is room already, it is offered at once.

    Raises CampusNotHeld, ExamineeNotFound, AppointmentDayOutOfReach.
    """
    refuse_foreign_campus(uow, new.campus_id)
    rules = await policy(uow, new.campus_id)
    with naming("/examinee_id"):
        person = await examinees.kept(uow, new.examinee_id)
    today = business_day(uow.now)
    if new.day_to < max(today, new.day_from) or new.day_from > today + timedelta(days=rules.horizon_days):
        raise AppointmentDayOutOfReach(
            errors=[FieldError("/day_to", "out-of-reach", "日期不在可预约范围内", "past, or too far ahead")]
        )
    wait = AppointmentWait(
        id=uuid7(), campus_id=new.campus_id, examinee_id=person.id, day_from=new.day_from, day_to=new.day_to, starts_at=new.starts_at,
        resources=sorted(set(new.resources)), state="waiting", joined_at=uow.now,
    )  # fmt: skip
    uow.session.add(wait)
    await uow.session.flush()
    await uow.audit("appointment_wait.joined", "appointment_wait", wait.id, campus_id=wait.campus_id)
    await places.tell_of_room(uow, wait, person.sex)
    return wait


async def leave(uow: UnitOfWork, wait_id: UUID) -> AppointmentWait:
    """Take somebody off the waiting list; what was offered to them goes to the next. Raises AppointmentWaitNotFound, WaitStateConflict."""
    seen = await repository.wait(uow, wait_id)
    if seen is None:
        raise AppointmentWaitNotFound
    if seen.state == "offered" and seen.appointment_id is not None:
        # The hold first: whoever ends a hold ends the offer with it, in that order.
        try:
            await let_go(uow, seen.appointment_id, offer_ends="left")
        except AppointmentStateConflict as ended:
            raise WaitStateConflict from ended
        await uow.session.refresh(seen)
        return seen
    wait = await repository.wait(uow, wait_id, lock=True)
    if wait is None or wait.state != "waiting":
        raise WaitStateConflict
    wait.state, wait.ended_at = "left", uow.now
    await uow.session.flush()
    await uow.audit("appointment_wait.left", "appointment_wait", wait.id, campus_id=wait.campus_id)
    return wait


async def offer_next(uow: UnitOfWork, campus_id: int, day: date) -> AppointmentWait | None:
    """Hold a place of a day for the one who waits longest and whom it fits; None: there is nobody, or nothing.

    One offer a transaction: counters are taken in order within each. Raises AppointmentFull when somebody was faster; try again.
    """
    rules = await policy(uow, campus_id)
    today = business_day(uow.now)
    if not today <= day <= today + timedelta(days=rules.horizon_days):
        return None
    waiting = await repository.waiting(uow, campus_id, day)
    if not waiting:
        return None
    free = (await availability(uow, campus_id, day, day)).days[0]
    people = await examinees.many(uow, [w.examinee_id for w in waiting])
    of_day = {r.code: r.free for r in free.resources}
    for wait in waiting:
        person = people.get(wait.examinee_id)
        if person is None or await repository.has_day(uow, campus_id, wait.examinee_id, day, None):
            continue
        for session in free.sessions:
            if _fits(wait, session, of_day, person.sex):
                return await _offer(uow, rules, wait, day, session.session_id, person.sex)
    return None


def _fits(wait: AppointmentWait, session: SessionFree, of_day: dict[str, int], sex: str) -> bool:
    left = of_day | {r.code: r.free for r in session.resources}
    return (
        session.free > 0
        and session.sex in ("any", sex)
        and (wait.starts_at is None or f"{wait.starts_at:%H:%M}" == session.starts_at)
        and all(left.get(code, 1) > 0 for code in wait.resources)
    )


async def _offer(
    uow: UnitOfWork, rules: AppointmentPolicy, wait: AppointmentWait, day: date, session_id: UUID, sex: str
) -> AppointmentWait | None:
    try:
        wish = await places.wish(uow, rules, day, session_id, wait.resources, sex)
    except AppointmentDayOutOfReach:  # over for today
        return None
    held = place_of(uow, wish, "waiting_list", minutes=rules.offer_minutes)
    held.examinee_id = wait.examinee_id
    uow.session.add(held)
    await uow.session.flush()
    await places.move(uow, wait.campus_id, held.id, wish, sex=sex)
    wait.state, wait.offered_at, wait.appointment_id = "offered", uow.now, held.id
    await uow.session.flush()
    await uow.audit("appointment_wait.offered", "appointment_wait", wait.id, campus_id=wait.campus_id)
    told = {"wait_id": str(wait.id), "appointment_id": str(held.id), "day": day.isoformat()}
    await uow.announce("waiting_list", told, campus_id=wait.campus_id, permission="appointment.read")
    await uow.publish(PlaceOffered(campus_id=wait.campus_id, wait_id=wait.id, appointment_id=held.id))
    return wait


async def waits(
    uow: UnitOfWork,
    *,
    campus_id: int | None,
    state: str | None,
    examinee_id: UUID | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[WaitOut]:
    """Return a page of the waiting list, who waits longest first, one too many."""
    examinee_id = None if examinee_id is None else await examinees.survivor_id(uow, examinee_id)
    rows = await views.waits(uow, campus_id=campus_id, state=state, examinee_id=examinee_id, after=after, size=size)
    return [wait_out(row, name) for row, name in rows]


def wait_out(row: AppointmentWait, name: str | None = None) -> WaitOut:
    """Return the public shape of an entry of the waiting list."""
    return WaitOut.model_validate(row).model_copy(update={"name": name})
