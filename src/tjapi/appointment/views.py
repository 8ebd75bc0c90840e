"""What there is and what is free, in one statement; the day's list with the names of who comes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from tjapi.appointment.models import Appointment, AppointmentWait
from tjapi.examinee.models import Examinee
from tjapi.kernel.uow import UnitOfWork

# What a calendar offers: capacity by day of each session, of each resource of a day, of each resource of a session. A day that is
# closed offers nothing, by name: so that "full" and "closed" differ from "unknown".
OFFER = """
days as (
  select d::date as day, coalesce(e.as_weekday, extract(isodow from d)::int) as weekday, coalesce(e.closed, false) as closed,
    coalesce(e.note, '') as note
  from generate_series(cast(:first as date), cast(:last as date), interval '1 day') d
  left join appointment_day e on e.campus_id = :campus and e.day = d::date
), offer as (
  select d.day, d.closed, d.note, s.id as session_id, s.name, s.starts_at, s.ends_at, s.sex, null::uuid as resource_id, null::text as code,
    case when d.closed then 0 else coalesce(c.capacity, s.capacity) end as capacity
  from days d
  join appointment_session s on s.campus_id = :campus and s.weekday = d.weekday and s.active
  left join appointment_day_capacity c on c.campus_id = :campus and c.day = d.day and c.session_id = s.id
  union all
  select d.day, d.closed, d.note, s.id, r.name, s.starts_at, s.ends_at, 'any', r.id, r.code,
    case when d.closed or d.weekday <> all(r.weekdays) then 0 else coalesce(c.capacity, r.capacity) end
  from days d
  join appointment_resource r on r.campus_id = :campus and r.active
  left join appointment_session s on r.per = 'session' and s.campus_id = :campus and s.weekday = d.weekday and s.active
  left join appointment_day_capacity c on c.campus_id = :campus and c.day = d.day and c.resource_id = r.id
  where r.per = 'day' or s.id is not null
)
"""
# An expired hold takes nothing, whether it was swept yet or not: the clock decides.
_FREE = text(f"""
with {OFFER}
select d.day, d.closed, d.note, o.session_id, o.name, o.starts_at, o.ends_at, o.sex, o.resource_id, o.code, o.capacity,
  coalesce(t.taken, 0) - coalesce(x.expired, 0) as taken
from days d
left join offer o on o.day = d.day
left join appointment_slot t on t.campus_id = :campus and t.day = o.day and t.session_id is not distinct from o.session_id
  and t.resource_id is not distinct from o.resource_id
left join lateral (
  select count(*)::int as expired from appointment a join appointment_place p on p.appointment_id = a.id
  where a.campus_id = :campus and a.day = o.day and a.state = 'held' and a.expires_at <= :now and p.slot_id = t.id
) x on t.taken > 0
order by d.day, o.resource_id is not null, o.starts_at, o.sex, o.code
""")
# The same session on other days: by its time and for whom it is. A resource that the campus does not keep limits nothing.
_NEAREST = text(f"""
with {OFFER}, room as (
  select o.*, o.capacity - coalesce(t.taken, 0) as free from offer o
  left join appointment_slot t on t.campus_id = :campus and t.day = o.day and t.session_id is not distinct from o.session_id
    and t.resource_id is not distinct from o.resource_id
)
select s.day, min(s.starts_at) as starts_at, sum(s.free)::int as free from room s
where s.resource_id is null and s.free > 0 and s.sex = any(cast(:sexes as text[])) and s.day <> cast(:wanted as date)
  and (s.day > cast(:today as date) or s.ends_at > cast(:clock as time))
  and not exists (
    select from room r where r.day = s.day and r.code = any(cast(:codes as text[])) and r.free <= 0
      and (r.session_id is null or r.session_id = s.session_id))
group by s.day order by abs(s.day - cast(:wanted as date)), s.day limit :most
""")


# Booked, and the day does not offer the session any more: closed, or worked like another weekday.
STRANDED = """
a.state = 'booked' and (
  exists (select from appointment_day e where e.campus_id = a.campus_id and e.day = a.day and e.closed)
  or not exists (
    select from appointment_session s left join appointment_day e on e.campus_id = a.campus_id and e.day = a.day
    where s.id = a.session_id and s.active and s.weekday = coalesce(e.as_weekday, extract(isodow from a.day)::int)))
"""
_STRANDED = text(f"""
select a.id, a.starts_at, p.name from appointment a left join examinee p on p.id = a.examinee_id
where a.campus_id = :campus and a.day = :day and {STRANDED} order by a.starts_at, a.id
""")


@dataclass(frozen=True, slots=True)
class Stranded:
    """An appointment of a day that does not offer its session any more."""

    id: UUID
    starts_at: time
    name: str | None


async def stranded(uow: UnitOfWork, campus_id: int, day: date) -> Sequence[Stranded]:
    """Return who is booked on a day in what it offers no more, in the order of the day."""
    rows = await uow.session.execute(_STRANDED, {"campus": campus_id, "day": day})
    return [Stranded(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class FreeRow:
    """One counter of a day as it is now; a day with nothing at all has one row without a session."""

    day: date
    closed: bool
    note: str
    session_id: UUID | None
    name: str | None
    starts_at: time | None
    ends_at: time | None
    sex: str | None
    resource_id: UUID | None
    code: str | None
    capacity: int | None
    taken: int


async def free(uow: UnitOfWork, campus_id: int, first: date, last: date) -> Sequence[FreeRow]:
    """Return every counter of a campus between two days: sessions in order, then resources."""
    values = {"campus": campus_id, "first": first, "last": last, "now": uow.now}
    return [FreeRow(*tuple(row)) for row in (await uow.session.execute(_FREE, values)).all()]


async def nearest(
    uow: UnitOfWork, *, campus_id: int, first: date, last: date, wanted: date, today: date, sexes: Collection[str],
    codes: Collection[str], clock: time, most: int,
) -> Sequence[tuple[date, time, int]]:  # fmt: skip
    """Return the days nearest to a wanted one that have room for somebody with these needs, with the first session and what is free."""
    values = {
        "campus": campus_id, "first": first, "last": last, "wanted": wanted, "today": today, "sexes": list(sexes), "codes": list(codes),
        "clock": clock, "most": most,
    }  # fmt: skip
    return [(row.day, row.starts_at, row.free) for row in (await uow.session.execute(_NEAREST, values)).all()]


async def appointments(
    uow: UnitOfWork, *, campus_id: int | None, first: date | None, last: date | None, state: str | None, session_id: UUID | None,
    resource: str | None, examinee_id: UUID | None, now: datetime, after: Sequence[str] | None, size: int, lost_place: bool | None = None,
) -> Sequence[tuple[Appointment, str | None]]:  # fmt: skip
    """Return a page of appointments with the examinee's name, by day, session and age, one too many; holds that expired are gone."""
    query = select(Appointment, Examinee.name).join(Examinee, Examinee.id == Appointment.examinee_id, isouter=True)
    query = query.where((Appointment.state != "held") | (Appointment.expires_at > now))
    filters: tuple[tuple[Any, Any], ...] = (
        (Appointment.campus_id, campus_id), (Appointment.state, state), (Appointment.session_id, session_id),
        (Appointment.examinee_id, examinee_id),
    )  # fmt: skip
    for column, value in filters:
        if value is not None:
            query = query.where(column == value)
    if first is not None:
        query = query.where(Appointment.day >= first)
    if last is not None:
        query = query.where(Appointment.day <= last)
    if resource is not None:
        query = query.where(Appointment.resources.contains([resource]))
    if lost_place is not None:
        among = "in" if lost_place else "not in"
        query = query.where(text(f"appointment.id {among} (select a.id from appointment a where {STRANDED})"))
    order = (Appointment.day, Appointment.starts_at, Appointment.id)
    if after:
        row = (date.fromisoformat(after[0]), time.fromisoformat(after[1]), UUID(after[2]))
        query = query.where(_after(order, row))
    found = await uow.session.execute(query.order_by(*order).limit(size + 1))
    return [(row[0], row[1]) for row in found.all()]


def _after(order: tuple[Any, ...], row: tuple[Any, ...]) -> Any:
    day, starts_at, key = order
    return (day > row[0]) | ((day == row[0]) & ((starts_at > row[1]) | ((starts_at == row[1]) & (key > row[2]))))


async def waits(
    uow: UnitOfWork,
    *,
    campus_id: int | None,
    state: str | None,
    examinee_id: UUID | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[tuple[AppointmentWait, str | None]]:
    """Return a page of the waiting list with names, who waits longest first, one too many."""
    query = select(AppointmentWait, Examinee.name).join(
        Examinee, Examinee.id == AppointmentWait.examinee_id, isouter=True
    )
    filters = (
        (AppointmentWait.campus_id, campus_id),
        (AppointmentWait.state, state),
        (AppointmentWait.examinee_id, examinee_id),
    )
    for column, value in filters:
        if value is not None:
            query = query.where(column == value)
    if after:
        query = query.where(AppointmentWait.id > UUID(after[0]))
    found = await uow.session.execute(query.order_by(AppointmentWait.id).limit(size + 1))
    return [(row[0], row[1]) for row in found.all()]
