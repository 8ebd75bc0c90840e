"""A unit is booked on days that the campus offers: one that is past, closed or without sessions is refused by name; a full one stays full."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tjapi.employer.scene import CBC, GENERAL, Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tjapi.appointment import service as appointments
from tjapi.appointment.errors import AppointmentDayBooked
from tjapi.appointment.rules import DayOffer
from tjapi.appointment.schemas import DayIn as CalendarDay
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignInvalid, MemberOutgrown
from tjapi.employer.schemas import CampaignIn, CampaignPatch, ContractIn
from tjapi.exam import service as exams
from tjapi.groupdesk import service
from tjapi.groupdesk.errors import BookingDaysInvalid, DaysFull, DaysNotOffered
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
    members = list(await listed(unit, made.campaign_id, 3))
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
    members = list(await listed(unit, made.campaign_id, 2))
    assert await batch.run(await batch.ask(made.campaign_id, _asked(MONDAY, quota=1))) == {"booked": 1, "full": 1, "refused": 0, "skipped": 0}  # fmt: skip
    async with unit() as uow:
        left = await employers.member(uow, members[1])
    assert left.refusal is not None
    assert left.refusal["code"] == "days-full"


@pytest.mark.parametrize("door", ["together", "alone", "at once"])
@pytest.mark.parametrize("with_session", [True, False])
async def test_a_campaign_s_quota_of_a_day_counts_at_every_door(
    unit: Unit, batch: Batch, admin: asyncpg.Connection, door: str, with_session: bool
) -> None:
    made = await plan(unit, quota=2)
    members = list(await listed(unit, made.campaign_id, 4))
    async with unit() as uow:
        session = list((await appointments.offers(uow, 1, {MONDAY}))[MONDAY].sessions)[1] if with_session else None
    asked = _asked(MONDAY, quota=9, session=session)
    if door == "together":
        assert await batch.run(await batch.ask(made.campaign_id, asked)) == {"booked": 2, "full": 2, "refused": 0, "skipped": 0}  # fmt: skip
    else:

        async def one(member: UUID) -> bool:
            try:
                async with unit() as uow:
                    return await service.book_member(uow, member, asked.days)
            except DaysFull:
                return False

        if door == "alone":
            done = [await one(member) for member in members]
        else:
            done = list(await asyncio.gather(*map(one, members)))
        assert sorted(done) == [False, False, True, True]
    assert await admin.fetchval("select count(*) from exam where campaign_id = $1", made.campaign_id) == 2


async def test_a_day_outside_the_campaign_is_refused_by_name(unit: Unit, batch: Batch) -> None:
    made = await plan(unit, days=(TUESDAY, TUESDAY + timedelta(days=1)))
    await listed(unit, made.campaign_id)
    with pytest.raises(BookingDaysInvalid) as told:
        await batch.ask(made.campaign_id, _asked(MONDAY, TUESDAY, TUESDAY + timedelta(days=2)))
    assert [(e.pointer, e.code) for e in told.value.errors] == [("/days/0/day", "outside"), ("/days/2/day", "outside")]


@pytest.mark.parametrize("together", [True, False])
async def test_a_day_without_a_session_takes_no_more_than_the_sessions_have_places(
    unit: Unit, batch: Batch, admin: asyncpg.Connection, together: bool
) -> None:
    day = date(2027, 5, 18) if together else date(2027, 5, 25)
    made = await plan(unit)
    members = list(await listed(unit, made.campaign_id, 7))
    async with unit() as uow:
        sessions = (await appointments.offers(uow, 1, {day}))[day].sessions
        small = [{"session_id": one, "capacity": 2 if i < 2 else 0} for i, one in enumerate(sessions)]
        await appointments.put_day(uow, 1, day, CalendarDay.model_validate({"sessions": small}))
    if together:
        assert await batch.run(await batch.ask(made.campaign_id, _asked(day, quota=7))) == {"booked": 4, "full": 3, "refused": 0, "skipped": 0}  # fmt: skip
    else:
        for member in members[:4]:
            async with unit() as uow:
                assert await service.book_member(uow, member, _asked(day, quota=7).days)
        with pytest.raises(DaysFull):
            async with unit() as uow:
                await service.book_member(uow, members[4], _asked(day, quota=7).days)
    rows = await admin.fetch("select session_id, count(*) as n from appointment where day = $1 and state = 'booked' group by 1", day)  # fmt: skip
    assert {row["session_id"]: row["n"] for row in rows} == dict.fromkeys(list(sessions)[:2], 2)
    async with unit() as uow:
        [free] = (await appointments.availability(uow, 1, day, day)).days
    assert sum(session.free for session in free.sessions) == 0


@pytest.mark.parametrize("together", [True, False])
async def test_who_is_too_old_for_the_group_on_the_booked_day_is_named_and_may_take_an_earlier_one(
    unit: Unit, batch: Batch, together: bool
) -> None:
    young = {"name": "四十以下", "criteria": [{"age_to": 40}], "item_group_ids": [CBC]}
    old = {"name": "四十一以上", "criteria": [{"age_from": 41}], "item_group_ids": [GENERAL]}
    made = await plan(unit, days=(MONDAY, date(2027, 5, 31)), YOUNG=young, OLD=old)
    birth = date(TUESDAY.year - 41, TUESDAY.month, TUESDAY.day)
    [member] = await listed(unit, made.campaign_id, sex="male", birth_date=birth, id_kind="none", id_number=None, employee_no="1")  # fmt: skip
    if together:
        counts = await batch.run(await batch.ask(made.campaign_id, _asked(TUESDAY)))
        assert counts is not None
        assert counts["refused"] == 1
        async with unit() as uow:
            told = (await employers.member(uow, member)).refusal
        assert told is not None
        assert told["code"] == "member-outgrown"
        assert all(said in told["zh"] for said in ("41 岁", "四十以下", "四十一以上"))
    else:
        with pytest.raises(MemberOutgrown):
            async with unit() as uow:
                await service.book_member(uow, member, _asked(TUESDAY).days)
    async with unit() as uow:
        assert await service.book_member(uow, member, _asked(TUESDAY, MONDAY).days)
        exam = (await employers.member(uow, member)).exam_id
        assert exam is not None
        assert (await exams.get(uow, exam)).exam_date == MONDAY
    with pytest.raises(MemberOutgrown):
        async with unit() as uow:
            await exams.reschedule(uow, exam, TUESDAY)
    async with unit() as uow:  # whom a person put there stays there
        await service.transfer(uow, made.campaign_id, made.groups["OLD"], [member])
        assert (await exams.reschedule(uow, exam, TUESDAY)).exam_date == TUESDAY


@pytest.mark.requirement("E2.2")
async def test_a_campaign_lies_within_its_contract(unit: Unit) -> None:
    made = await plan(unit)
    async with unit() as uow:
        agreed = await employers.create_contract(
            uow,
            ContractIn(
                campus_id=1, employer_id=made.employer_id, contract_no=f"C{uuid4().hex[:8]}", name="合同", valid_from=MONDAY, valid_to=TUESDAY
            ),
        )  # fmt: skip
    new = CampaignIn(
        campus_id=1, employer_id=made.employer_id, contract_id=agreed.id, name="体检", year=2027, starts_on=MONDAY - timedelta(1), ends_on=SUNDAY
    )  # fmt: skip
    with pytest.raises(CampaignInvalid) as told:
        async with unit() as uow:
            await employers.create_campaign(uow, new)
    assert [(e.pointer, e.code) for e in told.value.errors] == [("/starts_on", "before-contract"), ("/ends_on", "beyond-contract")]  # fmt: skip
    async with unit() as uow:
        within = await employers.create_campaign(uow, new.model_copy(update={"starts_on": MONDAY, "ends_on": TUESDAY}))
    with pytest.raises(CampaignInvalid):
        async with unit() as uow:
            await employers.update_campaign(uow, within.id, CampaignPatch(ends_on=SUNDAY), within.version)


@pytest.mark.requirement("E1.3")
@pytest.mark.parametrize("change", [{"closed": True, "note": "装修"}, {"as_weekday": 7}])
async def test_a_day_with_bookings_is_closed_only_by_who_says_so_and_they_are_listed_to_be_moved(
    unit: Unit, batch: Batch, change: dict[str, Any]
) -> None:
    day = date(2027, 5, 20) if "closed" in change else date(2027, 5, 27)
    made = await plan(unit)
    await listed(unit, made.campaign_id, 2)
    await batch.run(await batch.ask(made.campaign_id, _asked(day)))
    with pytest.raises(AppointmentDayBooked) as told:
        async with unit() as uow:
            await appointments.put_day(uow, 1, day, CalendarDay.model_validate(change))
    assert ("/despite" in {e.pointer for e in told.value.errors}, len(told.value.errors), "2 个预约" in told.value.errors[0].zh) == (True, 3, True)  # fmt: skip
    asked: dict[str, Any] = {"campus_id": 1, "first": day, "last": day, "state": None, "session_id": None, "resource": None, "examinee_id": None, "after": None, "size": 9}  # fmt: skip
    async with unit() as uow:  # nothing changed
        assert (await appointments.offers(uow, 1, {day}))[day].sessions
        assert await appointments.page(uow, **asked, lost_place=True) == []
        await appointments.put_day(uow, 1, day, CalendarDay.model_validate(change | {"despite": ["booked"]}))
        assert len(await appointments.page(uow, **asked, lost_place=True)) == 2
        assert await appointments.page(uow, **asked, lost_place=False) == []
        assert len(await appointments.page(uow, **asked)) == 2
