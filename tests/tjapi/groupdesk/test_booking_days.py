"""A unit is booked on days that the campus offers: one that is past, closed or without sessions is refused by name; a full one stays full."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tjapi.employer.scene import Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tjapi.appointment import service as appointments
from tjapi.appointment.rules import DayOffer
from tjapi.appointment.schemas import DayIn as CalendarDay
from tjapi.employer import service as employers
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import BookingDaysInvalid, DaysNotOffered
from tjapi.groupdesk.rules import DAY_FAULTS, day_fault, say_day
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel.clock import business_day

pytestmark = pytest.mark.requirement("E2.4")
TODAY = date(2026, 11, 29)
SESSION, OTHER = uuid4(), uuid4()
OPEN, SHUT, NONE = (
    DayOffer(False, "", frozenset({SESSION})),
    DayOffer(True, "装修", frozenset()),
    DayOffer(False, "", frozenset()),
)
MONDAY, TUESDAY, SUNDAY = date(2027, 5, 3), date(2027, 5, 4), date(2027, 5, 9)


@pytest.mark.parametrize(
    ("day", "session", "offer", "fault"),
    [
        (TODAY, None, OPEN, None), (TODAY + timedelta(1), SESSION, OPEN, None), (TODAY - timedelta(1), None, OPEN, "past"),
        (TODAY - timedelta(1), SESSION, SHUT, "past"), (TODAY, None, SHUT, "closed"), (TODAY, SESSION, SHUT, "closed"),
        (TODAY, None, NONE, "no-sessions"), (TODAY, SESSION, NONE, "not-offered"), (TODAY, OTHER, OPEN, "not-offered"),
        (TODAY, None, DayOffer(False, "", frozenset(), keeps_calendar=False), None),
    ],
)  # fmt: skip
def test_a_day_is_offered_or_says_why_not(day: date, session: UUID | None, offer: DayOffer, fault: Any) -> None:
    assert day_fault(day, session, offer, TODAY) == fault
    if fault is not None:
        assert all(day.isoformat() in said for said in say_day(fault, day, offer))
        assert fault in DAY_FAULTS
    if fault == "closed":
        assert all("装修" in said for said in say_day(fault, day, offer))


def _asked(*days: date, quota: int = 5, session: UUID | None = None) -> BookMembersIn:
    said = [{"day": str(day), "quota": quota, "session_id": session and str(session)} for day in days]
    return BookMembersIn.model_validate({"days": said})


async def _close(unit: Unit, day: date, *, closed: bool = True) -> None:
    async with unit() as uow:
        await appointments.put_day(uow, 1, day, CalendarDay(closed=closed, note="装修" if closed else ""))


async def test_a_plan_with_a_past_a_closed_and_an_empty_day_is_refused_by_name_and_books_nobody(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id)
    closed = date(2027, 5, 6)
    await _close(unit, closed)
    async with unit() as uow:
        yesterday = business_day(uow.now) - timedelta(days=1)
    with pytest.raises(BookingDaysInvalid) as told:
        await batch.ask(made.campaign_id, _asked(MONDAY, yesterday, closed, SUNDAY))
    assert [(e.pointer, e.code) for e in told.value.errors] == [
        ("/days/1/day", "past"), ("/days/2/day", "closed"), ("/days/3/day", "no-sessions"),
    ]  # fmt: skip
    with pytest.raises(BookingDaysInvalid) as told:
        await batch.ask(made.campaign_id, _asked(MONDAY, session=uuid4()))
    assert [e.code for e in told.value.errors] == ["not-offered"]
    assert await admin.fetchval("select count(*) from exam where campaign_id = $1", made.campaign_id) == 0
    await _close(unit, closed, closed=False)


async def test_a_sunday_that_takes_the_sessions_of_a_monday_is_offered(unit: Unit, batch: Batch) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id)
    worked = date(2027, 5, 16)
    async with unit() as uow:
        await appointments.put_day(uow, 1, worked, CalendarDay(as_weekday=1, note="调休"))
    found = await batch.run(await batch.ask(made.campaign_id, _asked(worked)))
    assert found is not None
    assert found["booked"] == 1


@pytest.mark.parametrize("together", [True, False])
async def test_a_day_that_is_closed_after_the_plan_takes_nobody_and_whom_it_leaves_out_is_told(
    unit: Unit, batch: Batch, admin: asyncpg.Connection, together: bool
) -> None:
    made = await plan(unit)
    members = await listed(unit, made.campaign_id, 3)
    closed = date(2027, 5, 11) if together else date(2027, 5, 13)
    if together:
        job = await batch.ask(made.campaign_id, _asked(closed, TUESDAY, quota=2))
        await _close(unit, closed)
        assert await batch.run(job) == {"booked": 2, "full": 0, "refused": 1, "skipped": 0}
    else:
        await _close(unit, closed)
        days = _asked(closed, TUESDAY, quota=2).days
        for member in members[:2]:
            async with unit() as uow:
                assert await service.book_member(uow, member, days)
        with pytest.raises(DaysNotOffered) as told:
            async with unit() as uow:
                await service.book_member(uow, members[2], days)
        assert [e.code for e in told.value.errors] == ["closed"]
    rows = await admin.fetch("select exam_date from exam where campaign_id = $1", made.campaign_id)
    assert [row["exam_date"] for row in rows] == [TUESDAY, TUESDAY]
    if together:
        async with unit() as uow:
            left = await employers.member(uow, members[2])
        assert left.refusal is not None
        assert (left.refusal["code"], left.refusal["zh"]) == ("days-not-offered", f"{closed} 闭诊(装修)")
    await _close(unit, closed, closed=False)


async def test_a_day_that_is_full_stays_a_day_that_is_full(unit: Unit, batch: Batch) -> None:
    made = await plan(unit)
    members = await listed(unit, made.campaign_id, 2)
    assert await batch.run(await batch.ask(made.campaign_id, _asked(MONDAY, quota=1))) == {"booked": 1, "full": 1, "refused": 0, "skipped": 0}  # fmt: skip
    async with unit() as uow:
        left = await employers.member(uow, members[1])
    assert left.refusal is not None
    assert left.refusal["code"] == "days-full"
