"""Questions that appointment asks of its own tables, and the guarded counters."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import and_, delete, exists, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from tjapi.appointment.models import (
    Appointment,
    AppointmentDay,
    AppointmentDayCapacity,
    AppointmentPlace,
    AppointmentPolicy,
    AppointmentResource,
    AppointmentSession,
    AppointmentSlot,
    AppointmentWait,
)
from tjapi.appointment.rules import EXPIRED, SlotKey
from tjapi.appointment.views import OFFER
from tjapi.kernel.db import fetch_rows, insert_rows, repoint_rows, rows_since
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork

_MAKE = text(f"""
with {OFFER}, wanted as (
  select * from unnest(cast(:ids as uuid[]), cast(:days as date[]), cast(:sessions as uuid[]), cast(:resources as uuid[]))
    as w(id, day, session_id, resource_id)
)
insert into appointment_slot (id, campus_id, day, session_id, resource_id, capacity, taken)
select w.id, :campus, w.day, w.session_id, w.resource_id, o.capacity, 0
from wanted w
join offer o on o.day = w.day and o.session_id is not distinct from w.session_id and o.resource_id is not distinct from w.resource_id
order by w.day, w.session_id nulls first, w.resource_id nulls first
on conflict do nothing
""")
_MAKE_DAY = text(f"""
with {OFFER}
insert into appointment_slot (id, campus_id, day, session_id, resource_id, capacity, taken)
select i.id, :campus, o.day, o.session_id, o.resource_id, o.capacity, 0
from (select *, row_number() over (order by day, session_id nulls first, resource_id nulls first) as n from offer
  where not exists (
    select from appointment_slot t where t.campus_id = :campus and t.day = offer.day
      and t.session_id is not distinct from offer.session_id and t.resource_id is not distinct from offer.resource_id)) o
join unnest(cast(:ids as uuid[])) with ordinality as i(id, n) on i.n = o.n
order by o.n
on conflict do nothing
""")
_NONE_OFFERED = text(f"""
with {OFFER}
select 1 from offer o where o.session_id is not distinct from cast(:session as uuid)
  and o.resource_id is not distinct from cast(:resource as uuid) and o.capacity < 1
""")
_WAITED = text("""
select distinct d::date from appointment_wait w
cross join generate_series(greatest(w.day_from, cast(:first as date)), least(w.day_to, cast(:last as date)), interval '1 day') d
where w.campus_id = :campus and w.state = 'waiting' order by 1
""")
# As `offer_next` would serve them: whom the session suits, who has nothing else that day, who needs nothing that is used up.
_AHEAD = text("""
select count(*) from appointment_wait w join examinee e on e.id = w.examinee_id
where w.campus_id = :campus and w.state = 'waiting' and cast(:day as date) between w.day_from and w.day_to
  and (w.starts_at is null or w.starts_at = cast(:starts_at as time)) and cast(:sex as text) in ('any', e.sex)
  and w.examinee_id is distinct from cast(:examinee as uuid)
  and w.joined_at < coalesce((
    select min(me.joined_at) from appointment_wait me where me.campus_id = :campus and me.state = 'waiting'
      and me.examinee_id = cast(:examinee as uuid) and cast(:day as date) between me.day_from and me.day_to
      and (me.starts_at is null or me.starts_at = cast(:starts_at as time))), 'infinity')
  and not exists (
    select from appointment a where a.campus_id = :campus and a.examinee_id = w.examinee_id and a.day = cast(:day as date)
      and a.state in ('booked', 'arrived'))
  and not exists (
    select from appointment_resource r join appointment_slot t on t.campus_id = :campus and t.resource_id = r.id and t.day = cast(:day as date)
      and (t.session_id is null or t.session_id = cast(:session as uuid))
    where r.campus_id = :campus and r.active and r.code = any(w.resources) and t.taken >= t.capacity)
""")
_LEFT = text("""
select capacity - taken from appointment_slot
where campus_id = :campus and day = :day and session_id = :session and resource_id is null
""")
_MOST_OF_A_DAY = 200
_TAKE = text("update appointment_slot set taken = taken + :n where id = :id and taken + :n <= capacity returning id")
_GIVE = text("update appointment_slot set taken = taken - :n where id = :id")
_RECOUNT = text(f"""
with locked as (
  select id, day, session_id, resource_id from appointment_slot
  where campus_id = :campus and day between cast(:first as date) and cast(:last as date)
  order by day, session_id nulls first, resource_id nulls first for update
), {OFFER}
update appointment_slot t set capacity = coalesce(o.capacity, 0)
from locked l
left join offer o on o.day = l.day and o.session_id is not distinct from l.session_id and o.resource_id is not distinct from l.resource_id
where t.id = l.id and t.capacity <> coalesce(o.capacity, 0)
""")
_EXPIRE = text("""
with gone as (
  select id from appointment where state = 'held' and expires_at <= :now and campus_id = any(cast(:campuses as smallint[]))
    and (cast(:days as date[]) is null or day = any(cast(:days as date[])))
  order by id limit :most for update skip locked
), ended as (
  update appointment set state = 'cancelled', ended_at = :now, end_reason = :reason from gone where appointment.id = gone.id
  returning appointment.id, appointment.campus_id, appointment.day
)
delete from appointment_place p using ended e where p.appointment_id = e.id
returning e.id, e.campus_id, e.day, p.slot_id
""")
_MISSED = text("""
with due as (
  select id from appointment where state = 'booked' and day < cast(:today as date) order by id limit :most for update skip locked
)
update appointment a set state = 'no_show', ended_at = :now from due where a.id = due.id returning a.id, a.campus_id
""")


async def policy(uow: UnitOfWork, campus_id: int) -> AppointmentPolicy | None:
    """Return how a campus books."""
    return await uow.session.get(AppointmentPolicy, campus_id, populate_existing=True)


async def share_policy(uow: UnitOfWork, campus_id: int) -> AppointmentPolicy | None:
    """Return a campus's policy, kept from changing until this transaction ends: who makes slots of a calendar holds this."""
    query = select(AppointmentPolicy).where(AppointmentPolicy.campus_id == campus_id).with_for_update(read=True)
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()


async def lock_policy(uow: UnitOfWork, campus_id: int) -> AppointmentPolicy | None:
    """Return a campus's policy under its row lock: who changes a calendar holds this."""
    query = select(AppointmentPolicy).where(AppointmentPolicy.campus_id == campus_id).with_for_update()
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()


async def session(uow: UnitOfWork, session_id: UUID) -> AppointmentSession | None:
    """Return a session of a calendar."""
    return await uow.session.get(AppointmentSession, session_id)


async def sessions(uow: UnitOfWork, campus_id: int) -> Sequence[AppointmentSession]:
    """Return every session of a campus, those out of use too."""
    query = select(AppointmentSession).where(AppointmentSession.campus_id == campus_id)
    return (
        await uow.session.scalars(
            query.order_by(AppointmentSession.weekday, AppointmentSession.starts_at, AppointmentSession.sex)
        )
    ).all()


async def resources(uow: UnitOfWork, campus_id: int) -> Sequence[AppointmentResource]:
    """Return every resource of a campus, those out of use too."""
    query = select(AppointmentResource).where(AppointmentResource.campus_id == campus_id)
    return (await uow.session.scalars(query.order_by(AppointmentResource.code))).all()


async def days(uow: UnitOfWork, campus_id: int, first: date, last: date) -> Sequence[AppointmentDay]:
    """Return the days unlike their weekday."""
    query = select(AppointmentDay).where(
        AppointmentDay.campus_id == campus_id, AppointmentDay.day >= first, AppointmentDay.day <= last
    )
    return (await uow.session.scalars(query.order_by(AppointmentDay.day))).all()


async def day_capacities(uow: UnitOfWork, campus_id: int, first: date, last: date) -> Sequence[AppointmentDayCapacity]:
    """Return the capacities that hold on one day only."""
    query = select(AppointmentDayCapacity).where(
        AppointmentDayCapacity.campus_id == campus_id,
        AppointmentDayCapacity.day >= first,
        AppointmentDayCapacity.day <= last,
    )
    return (await uow.session.scalars(query.order_by(AppointmentDayCapacity.day))).all()


async def put_day(
    uow: UnitOfWork, campus_id: int, day: date, row: dict[str, Any] | None, capacities: Sequence[dict[str, Any]]
) -> None:
    """Make a day exactly this; None: like its weekday again."""
    own = (AppointmentDayCapacity.campus_id == campus_id, AppointmentDayCapacity.day == day)
    await uow.session.execute(delete(AppointmentDayCapacity).where(*own))
    await uow.session.execute(
        delete(AppointmentDay).where(AppointmentDay.campus_id == campus_id, AppointmentDay.day == day)
    )
    if row is not None:
        await uow.session.execute(insert(AppointmentDay).values(campus_id=campus_id, day=day, **row))
    if capacities:
        rows = [{"id": uuid7(), "campus_id": campus_id, "day": day, **one} for one in capacities]
        await uow.session.execute(insert(AppointmentDayCapacity), rows)


async def add_policy(uow: UnitOfWork, campus_id: int) -> None:
    """Give a campus the usual policy, unless it has one."""
    await uow.session.execute(upsert(AppointmentPolicy).values(campus_id=campus_id).on_conflict_do_nothing())


async def slots(uow: UnitOfWork, campus_id: int, keys: Collection[SlotKey]) -> dict[SlotKey, UUID]:
    """Return the counters of these keys that exist."""
    query = select(
        AppointmentSlot.id, AppointmentSlot.day, AppointmentSlot.session_id, AppointmentSlot.resource_id
    ).where(AppointmentSlot.campus_id == campus_id, AppointmentSlot.day.in_({key.day for key in keys}))
    found = {SlotKey(row[1], row[2], row[3]): row[0] for row in await uow.session.execute(query)}
    return {key: found[key] for key in keys if key in found}


async def slot_keys(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, SlotKey]:
    """Return what counters count."""
    query = select(
        AppointmentSlot.id, AppointmentSlot.day, AppointmentSlot.session_id, AppointmentSlot.resource_id
    ).where(AppointmentSlot.id.in_(ids))
    return {row[0]: SlotKey(row[1], row[2], row[3]) for row in await uow.session.execute(query)}


async def make_slots(uow: UnitOfWork, campus_id: int, keys: Sequence[SlotKey]) -> None:
    """Make counters, in order, of what the calendar offers; what it does not offer gets none."""
    values = {
        "campus": campus_id, "first": min(k.day for k in keys), "last": max(k.day for k in keys), "ids": [uuid7() for _ in keys],
        "days": [k.day for k in keys], "sessions": [k.session_id for k in keys], "resources": [k.resource_id for k in keys],
    }  # fmt: skip
    await uow.session.execute(_MAKE, values)


async def make_slots_of_day(uow: UnitOfWork, campus_id: int, day: date) -> None:
    """Make the counters of everything that the calendar offers on a day, in order."""
    ids = [uuid7() for _ in range(_MOST_OF_A_DAY)]
    await uow.session.execute(_MAKE_DAY, {"campus": campus_id, "first": day, "last": day, "ids": ids})


async def counters(uow: UnitOfWork, campus_id: int, days: Collection[date]) -> Sequence[Any]:
    """Return the counters of some days with how many places each has left at this moment."""
    query = "select id, day, session_id, resource_id, capacity - taken as free from appointment_slot where campus_id = $1 and day = any($2)"
    return await fetch_rows(uow.session, query, campus_id, list(days))


async def booked_days(
    uow: UnitOfWork, campus_id: int, days: Collection[date], examinees: Collection[UUID]
) -> set[tuple[UUID, date]]:
    """Return who of some people has an appointment at a campus on which of some days."""
    query = """
        select examinee_id, day from appointment
        where campus_id = $1 and day = any($2) and examinee_id = any($3) and state in ('booked', 'arrived')
    """
    rows = await fetch_rows(uow.session, query, campus_id, list(days), list(examinees))
    return {(row["examinee_id"], row["day"]) for row in rows}


async def add_many(uow: UnitOfWork, booked: Sequence[Appointment]) -> bool:
    """Write many appointments; False: somebody else's stands in the way of one, and the unit is lost."""
    columns = [column.key for column in Appointment.__table__.columns]
    try:
        await insert_rows(uow.session, Appointment, [{key: getattr(one, key) for key in columns} for one in booked])
    except UniqueViolationError as error:
        if "uq_appointment" not in str(error):
            raise
        return False
    return True


async def add_places(uow: UnitOfWork, campus_id: int, come: Sequence[tuple[UUID, UUID]]) -> None:
    """Write down which places many appointments have, each its appointment and counter."""
    rows = [{"appointment_id": one, "slot_id": slot, "campus_id": campus_id} for one, slot in come]
    await insert_rows(uow.session, AppointmentPlace, rows)


async def take(uow: UnitOfWork, slot_id: UUID, places_: int = 1) -> bool:
    """Take places of a counter, all of them or none; say whether there were so many."""
    return (await uow.session.execute(_TAKE, {"id": slot_id, "n": places_})).scalar() is not None


async def left(uow: UnitOfWork, campus_id: int, day: date, session_id: UUID) -> int:
    """Return how many places a session of a day has left, as this unit leaves it."""
    values = {"campus": campus_id, "day": day, "session": session_id}
    found: int = (await uow.session.execute(_LEFT, values)).scalar_one()
    return found


async def is_full(uow: UnitOfWork, campus_id: int, key: SlotKey) -> bool:
    """Say whether a counter is full at this moment, and no hold of it has expired: a look, which takes nothing.

    Where nobody has booked yet there is no counter: then it is full if the calendar offers no place.
    """
    held = exists().where(
        Appointment.campus_id == campus_id, Appointment.day == key.day, Appointment.state == "held",
        Appointment.expires_at <= uow.now,
    )  # fmt: skip
    query = select((AppointmentSlot.taken >= AppointmentSlot.capacity) & ~held).where(
        AppointmentSlot.campus_id == campus_id, AppointmentSlot.day == key.day, AppointmentSlot.session_id == key.session_id,
        AppointmentSlot.resource_id == key.resource_id,
    )  # fmt: skip
    found = (await uow.session.execute(query)).first()
    if found is not None:
        return bool(found[0])
    offer = {
        "campus": campus_id, "first": key.day, "last": key.day, "session": key.session_id, "resource": key.resource_id,
    }  # fmt: skip
    return (await uow.session.execute(_NONE_OFFERED, offer)).first() is not None


async def give(uow: UnitOfWork, slot_id: UUID, places: int) -> None:
    """Give places back."""
    await uow.session.execute(_GIVE, {"id": slot_id, "n": places})


async def flushed(uow: UnitOfWork) -> bool:
    """Write what is pending; False: somebody else's appointment stands in its way (one per person and day, one per exam)."""
    try:
        async with uow.session.begin_nested():
            await uow.session.flush()
    except IntegrityError as error:
        if "uq_appointment" not in str(error.orig):
            raise
        return False
    return True


async def recount(uow: UnitOfWork, campus_id: int, first: date, last: date) -> None:
    """Bring the capacity of counters in line with the calendar as it is now."""
    await uow.session.execute(_RECOUNT, {"campus": campus_id, "first": first, "last": last})


async def appointment(uow: UnitOfWork, appointment_id: UUID, *, lock: bool = False) -> Appointment | None:
    """Return an appointment, under its row lock if asked."""
    query = select(Appointment).where(Appointment.id == appointment_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def of_exam(uow: UnitOfWork, exam_id: UUID) -> Appointment | None:
    """Return the appointment of an exam that is not cancelled."""
    query = select(Appointment).where(
        Appointment.exam_id == exam_id, Appointment.state.in_(("booked", "arrived", "no_show"))
    )
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()


async def of_examinee(uow: UnitOfWork, examinee_id: UUID, size: int) -> Sequence[Appointment]:
    """Return the appointments of somebody, latest day first; holds are not shown."""
    query = select(Appointment).where(Appointment.examinee_id == examinee_id, Appointment.state != "held")
    return (await uow.session.scalars(query.order_by(Appointment.day.desc(), Appointment.id.desc()).limit(size))).all()


async def has_day(uow: UnitOfWork, campus_id: int, examinee_id: UUID, day: date, but: UUID | None) -> bool:
    """Say whether somebody has another appointment at a campus on a day."""
    query = select(Appointment.id).where(
        Appointment.campus_id == campus_id, Appointment.examinee_id == examinee_id, Appointment.day == day,
        Appointment.state.in_(("booked", "arrived")), Appointment.id != (but or uuid7()),
    )  # fmt: skip
    return (await uow.session.execute(query.limit(1))).first() is not None


async def places(uow: UnitOfWork, appointment_id: UUID) -> set[UUID]:
    """Return the counters of which an appointment has a place."""
    query = select(AppointmentPlace.slot_id).where(AppointmentPlace.appointment_id == appointment_id)
    return set((await uow.session.scalars(query)).all())


async def put_places(
    uow: UnitOfWork, appointment_id: UUID, campus_id: int, *, gone: Iterable[UUID], come: Iterable[UUID]
) -> None:
    """Write down which places an appointment has."""
    mine = AppointmentPlace.appointment_id == appointment_id
    await uow.session.execute(delete(AppointmentPlace).where(mine, AppointmentPlace.slot_id.in_(list(gone))))
    rows = [{"appointment_id": appointment_id, "slot_id": slot, "campus_id": campus_id} for slot in come]
    if rows:
        await uow.session.execute(insert(AppointmentPlace), rows)


async def expire(
    uow: UnitOfWork, campus_ids: Collection[int], days: Collection[date] | None, most: int
) -> Sequence[tuple[UUID, int, date, UUID]]:
    """End holds past their time; return (appointment, campus, day, counter) of each place to give back."""
    values = {
        "now": uow.now, "campuses": list(campus_ids), "days": None if days is None else list(days), "most": most, "reason": EXPIRED,
    }  # fmt: skip
    return [(row[0], row[1], row[2], row[3]) for row in (await uow.session.execute(_EXPIRE, values)).all()]


async def campuses_with_expired(uow: UnitOfWork) -> Sequence[int]:
    """Return the campuses that have holds past their time."""
    query = select(Appointment.campus_id).where(Appointment.state == "held", Appointment.expires_at <= uow.now)
    return (await uow.session.scalars(query.distinct())).all()


async def miss(uow: UnitOfWork, today: date, most: int) -> Sequence[tuple[UUID, int]]:
    """Mark who was booked on a day gone by and did not come."""
    values = {"today": today, "most": most, "now": uow.now}
    return [(row[0], row[1]) for row in (await uow.session.execute(_MISSED, values)).all()]


async def someone_waits(uow: UnitOfWork, campus_id: int, day: date) -> bool:
    """Say whether somebody waits for a place on a day."""
    query = select(AppointmentWait.id).where(
        AppointmentWait.campus_id == campus_id, AppointmentWait.state == "waiting",
        AppointmentWait.day_from <= day, AppointmentWait.day_to >= day,
    )  # fmt: skip
    return (await uow.session.execute(query.limit(1))).first() is not None


async def waited_days(uow: UnitOfWork, campus_id: int, first: date, last: date) -> Sequence[date]:
    """Return the days for which somebody waits."""
    return (await uow.session.scalars(_WAITED, {"campus": campus_id, "first": first, "last": last})).all()


async def ahead(
    uow: UnitOfWork, campus_id: int, day: date, session_id: UUID, starts_at: time, sex: str, examinee_id: UUID | None
) -> int:
    """Count who waits for a place in a session of a day, could have it, and came before somebody (None: somebody who does not wait)."""
    values = {
        "campus": campus_id, "day": day, "session": session_id, "starts_at": starts_at, "sex": sex, "examinee": examinee_id,
    }  # fmt: skip
    found: int = (await uow.session.execute(_AHEAD, values)).scalar_one()
    return found


async def waiting(uow: UnitOfWork, campus_id: int, day: date) -> Sequence[AppointmentWait]:
    """Return who waits for a place on a day, who waits longest first, under their row locks; who is being served is left out."""
    query = (
        select(AppointmentWait)
        .where(
            AppointmentWait.campus_id == campus_id, AppointmentWait.state == "waiting",
            AppointmentWait.day_from <= day, AppointmentWait.day_to >= day,
        )
        .order_by(AppointmentWait.joined_at, AppointmentWait.id)
        .limit(50)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).all()


async def wait(uow: UnitOfWork, wait_id: UUID, *, lock: bool = False) -> AppointmentWait | None:
    """Return an entry of the waiting list."""
    query = select(AppointmentWait).where(AppointmentWait.id == wait_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def end_offers(uow: UnitOfWork, appointment_ids: Collection[UUID], state: str) -> None:
    """End the entries of the waiting list to whom these holds were offered."""
    await uow.session.execute(
        update(AppointmentWait)
        .where(AppointmentWait.appointment_id.in_(appointment_ids), AppointmentWait.state == "offered")
        .values(state=state, ended_at=uow.now)
    )


async def lapse_waits(uow: UnitOfWork, today: date) -> int:
    """End the entries whose days are gone by; say how many."""
    done = await uow.session.execute(
        update(AppointmentWait)
        .where(AppointmentWait.state == "waiting", AppointmentWait.day_to < today)
        .values(state="lapsed", ended_at=uow.now)
        .returning(AppointmentWait.id)
    )
    return len(done.all())


async def has_calendar(uow: UnitOfWork, campus_id: int) -> bool:
    """Say whether a campus has a session at all."""
    query = select(func.count()).select_from(AppointmentSession).where(AppointmentSession.campus_id == campus_id)
    return (await uow.session.execute(query)).scalar_one() > 0


async def repoint(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID] | None:
    """Give the appointments of one person to another, all or these; return which. None: both have one on the same day."""
    try:
        async with uow.session.begin_nested():
            return await repoint_rows(uow.session, Appointment, "examinee_id", was, now, ids)
    except IntegrityError as error:
        if "uq_appointment_person_day" not in str(error.orig):
            raise
        return None


async def days_of_both(uow: UnitOfWork, one: UUID, two: UUID) -> Sequence[date]:
    """Return the days on which two people are expected, or have come, at one campus."""
    other = aliased(Appointment)
    here = ("booked", "arrived")
    query = (
        select(Appointment.day)
        .join(other, and_(other.day == Appointment.day, other.campus_id == Appointment.campus_id))
        .where(
            Appointment.examinee_id == one, other.examinee_id == two, Appointment.state.in_(here), other.state.in_(here)
        )
        .order_by(Appointment.day)
    )
    return (await uow.session.scalars(query.distinct())).all()


async def repoint_waits(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID]:
    """Give the places of one person on the waiting list to another, all or these; return which."""
    return await repoint_rows(uow.session, AppointmentWait, "examinee_id", was, now, ids)


async def given_since(uow: UnitOfWork, examinee_id: UUID, since: UUID) -> list[UUID]:
    """Return somebody's appointments that were made after a merge."""
    return await rows_since(uow.session, Appointment, "examinee_id", examinee_id, since)


async def waits_since(uow: UnitOfWork, examinee_id: UUID, since: UUID) -> list[UUID]:
    """Return somebody's places on the waiting list that were taken after a merge."""
    return await rows_since(uow.session, AppointmentWait, "examinee_id", examinee_id, since)
