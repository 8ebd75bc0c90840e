"""A unit's members booked, moved, brought to an end; and how far the unit has come, beside a recount."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.employer.scene import CBC, GENERAL, GLU, Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.world import API, SignIn, key
from tjapi import demo
from tjapi.appointment import service as appointments
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignNotComplete
from tjapi.employer.schemas import MemberPatch
from tjapi.exam import service as exams
from tjapi.groupdesk import flows, service
from tjapi.groupdesk.errors import DaysFull, MemberBeingExamined
from tjapi.groupdesk.schemas import BookMembersIn, DecisionIn
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.uow import LeaseLostError

CHEAP: dict[str, Any] = {"name": "基础", "criteria": [{}], "item_group_ids": [CBC]}
DEAR: dict[str, Any] = {"name": "加强", "criteria": [], "item_group_ids": [CBC, GLU, GENERAL], "cap_fen": 2_000}
MARCH = [date(2027, 3, day) for day in range(1, 11)]


def _plan(quota: int, days: Sequence[date] = MARCH[:3], **changes: Any) -> BookMembersIn:
    return BookMembersIn.model_validate({"days": [{"day": str(d), "quota": quota} for d in days], **changes})


async def _booked(admin: asyncpg.Connection, campaign_id: UUID) -> Counter[date]:
    rows = await admin.fetch("select exam_date from exam where campaign_id = $1 and state <> 'cancelled'", campaign_id)
    return Counter(row["exam_date"] for row in rows)


@pytest.mark.requirement("E2.4")
async def test_members_are_spread_over_days_by_quota_and_whom_no_day_takes_hears_so(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    members = await listed(unit, made.campaign_id, 8)
    assert await batch.run(await batch.ask(made.campaign_id, _plan(2))) == {
        "booked": 6,
        "full": 2,
        "refused": 0,
        "skipped": 0,
    }
    assert await _booked(admin, made.campaign_id) == dict.fromkeys(MARCH[:3], 2)
    async with unit() as uow:
        left = [m for m in await employers.members(uow, made.campaign_id) if m.state == "listed"]
    assert [m.id for m in left] == members[6:]
    assert {m.refusal["code"] for m in left if m.refusal} == {"days-full"}
    again = await batch.run(await batch.ask(made.campaign_id, _plan(2, MARCH[:4])))
    assert again == {"booked": 2, "full": 0, "refused": 0, "skipped": 0}


@pytest.mark.requirement("E2.4")
async def test_who_is_booked_alone_is_not_booked_beyond_a_day_s_quota(unit: Unit, admin: asyncpg.Connection) -> None:
    made = await plan(unit)
    members = await listed(unit, made.campaign_id, 3)
    for member in members[:2]:
        async with unit() as uow:
            assert await service.book_member(uow, member, _plan(1, MARCH[:2]).days)
    with pytest.raises(DaysFull):
        async with unit() as uow:
            await service.book_member(uow, members[2], _plan(1, MARCH[:2]).days)
    assert await _booked(admin, made.campaign_id) == dict.fromkeys(MARCH[:2], 1)


@pytest.mark.requirement("E2.4")
async def test_a_batch_killed_in_the_middle_and_repeated_books_each_once(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id, 7)
    job = await batch.ask(made.campaign_id, _plan(3))
    assert await batch.run(job, stop_after=3, at_once=3) is None
    assert (await _booked(admin, made.campaign_id)).total() == 3
    assert await batch.run(job) == {"booked": 4, "full": 0, "refused": 0, "skipped": 0}
    assert await batch.run(job) == {"booked": 0, "full": 0, "refused": 0, "skipped": 0}
    assert (await _booked(admin, made.campaign_id)).total() == 7
    exams_of = await admin.fetch(
        "select count(*) as n from exam where campaign_id = $1 group by member_id", made.campaign_id
    )
    assert {row["n"] for row in exams_of} == {1}


@pytest.mark.requirement("E2.4")
async def test_a_worker_whose_batch_was_taken_over_books_nobody(
    unit: Unit, batch: Batch, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id)
    job = await batch.ask(made.campaign_id, _plan(3))
    await admin.execute("update job set state = 'running', fence = 7 where id = $1", job)

    async def nobody(_done: int, _total: int | None, _message: str | None) -> None:
        """Nobody watches."""

    payload = {"campaign_id": str(made.campaign_id), "plan": _plan(3).model_dump(mode="json")}
    stale = JobRun(job, service.BOOK, payload, 1, 0, 6, runtime.units, runtime.services, nobody, job)
    with pytest.raises(LeaseLostError):
        await flows.book_members(stale)
    assert await _booked(admin, made.campaign_id) == {}


@pytest.mark.requirement("E2.4")
async def test_two_batches_at_once_exceed_no_quota(unit: Unit, batch: Batch, admin: asyncpg.Connection) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id, 6)
    jobs = [await batch.ask(made.campaign_id, _plan(2, MARCH[:2])) for _ in range(2)]
    claims = [await batch.claim(job) for job in jobs]
    found = await asyncio.gather(*(flows.book_members(claim) for claim in claims))
    assert await _booked(admin, made.campaign_id) == dict.fromkeys(MARCH[:2], 2)
    assert sum(f["booked"] for f in found) == 4


@pytest.mark.requirement("E2.4")
async def test_a_session_with_capacity_is_never_overbooked_and_a_cancelled_exam_gives_its_place_back(
    unit: Unit, batch: Batch, runtime: Runtime
) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id, 3)
    day, session = await _a_session(runtime)
    asked = BookMembersIn.model_validate({"days": [{"day": str(day), "session_id": str(session), "quota": 2}]})
    assert await batch.run(await batch.ask(made.campaign_id, asked)) == {
        "booked": 2,
        "full": 1,
        "refused": 0,
        "skipped": 0,
    }
    async with unit() as uow:
        first = (await employers.members(uow, made.campaign_id))[0]
        assert first.exam_id is not None
        place = await appointments.of_exam(uow, first.exam_id)
        assert place is not None
        assert (place.day, place.session_id, place.source) == (day, session, "batch")
        await exams.cancel(uow, first.exam_id, "改期")
    async with unit() as uow:
        again = await employers.member(uow, first.id)
        assert (again.state, again.exam_id) == ("listed", None)
    assert await batch.run(await batch.ask(made.campaign_id, asked)) == {
        "booked": 1,
        "full": 1,
        "refused": 0,
        "skipped": 0,
    }


async def _a_session(runtime: Runtime) -> tuple[date, UUID]:
    """A session of campus A that is offered."""
    async with runtime.units.open(demo.LOADER) as uow:
        today = uow.now.date()
        for ahead in range(60, 88):
            day = date.fromordinal(today.toordinal() + ahead)
            found = await appointments.availability(uow, 1, day, day)
            sessions = [s for d in found.days for s in d.sessions if s.taken == 0]  # that no other test books
            if sessions:
                return day, sessions[0].session_id
    raise AssertionError("no session is offered")


@pytest.mark.requirement("E2.2", "E7.2")
async def test_moving_to_another_group_prices_anew_whoever_has_not_arrived_and_says_who_was_left_alone(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit, CHEAP=CHEAP, DEAR=DEAR)
    waiting, booked, arrived, ended = await listed(unit, made.campaign_id, 4)
    await batch.run(await batch.ask(made.campaign_id, _plan(9, member_ids=[str(m) for m in (booked, arrived)])))
    async with unit() as uow:
        came = await employers.member(uow, arrived)
        assert came.exam_id is not None
        await exams.check_in(uow, came.exam_id)
        await service.decide(uow, made.campaign_id, [DecisionIn(member_id=ended, decision="cancelled")])
    async with unit() as uow:
        told = await service.transfer(uow, made.campaign_id, made.groups["DEAR"], [waiting, booked, arrived, ended])
    assert {(m.member_id, m.before_fen is None) for m in told.moved} == {(waiting, True), (booked, False)}
    assert {(m.member_id, m.code) for m in told.left_alone} == {(arrived, "arrived"), (ended, "ended")}
    assert all(m.zh and m.en for m in told.left_alone)
    async with unit() as uow:
        moved = await employers.member(uow, booked)
        assert moved.exam_id is not None
        lines = {line.code: line for line in await exams.lines(uow, moved.exam_id)}
        assert set(lines) == {"CBC", "GLU", "GENERAL"}
        assert (lines["CBC"].employer_share_fen, lines["GLU"].employer_share_fen, lines["GLU"].person_share_fen) == (
            2_000,
            0,
            600,
        )
        exam = await exams.get(uow, moved.exam_id)
        assert exam.total_fen == sum(line.price_fen for line in lines.values())
        back = await service.transfer(uow, made.campaign_id, made.groups["CHEAP"], [booked])
        assert back.moved[0].after_fen == back.moved[0].before_fen - sum(lines[c].price_fen for c in ("GLU", "GENERAL"))  # type: ignore[operator]
    states = await admin.fetch("select code, state from exam_line where exam_id = $1", moved.exam_id)
    assert {(r["code"], r["state"]) for r in states} == {
        ("CBC", "released"),
        ("GLU", "withdrawn"),
        ("GENERAL", "withdrawn"),
    }


@pytest.mark.requirement("E2.5")
async def test_a_member_s_add_ons_are_the_member_s_and_the_unit_s_lines_the_unit_s(unit: Unit, batch: Batch) -> None:
    made = await plan(unit, CHEAP=CHEAP)
    [member] = await listed(unit, made.campaign_id)
    async with unit() as uow:
        await employers.amend_member(uow, member, MemberPatch(self_paid_ids=[GLU]), 1)
    await batch.run(await batch.ask(made.campaign_id, _plan(1)))
    async with unit() as uow:
        found = await employers.member(uow, member)
        assert found.exam_id is not None
        exam = await exams.get(uow, found.exam_id)
        assert (exam.employer_id, exam.campaign_id, exam.member_id) == (made.employer_id, made.campaign_id, member)
        shares = {
            line.code: (line.employer_share_fen, line.person_share_fen) for line in await exams.lines(uow, exam.id)
        }
        assert shares == {"CBC": (2_000, 0), "GLU": (0, 600)}
        await exams.add_lines(uow, exam.id, [GENERAL])
        [added] = [line for line in await exams.lines(uow, exam.id) if line.code == "GENERAL"]
        assert added.employer_share_fen == 0


@pytest.mark.requirement("E2.6")
async def test_completing_names_who_is_open_and_lets_those_examined_be_done(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    examined, absent, here = await listed(unit, made.campaign_id, 3)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    async with unit() as uow:
        for member in (examined, here):
            found = await employers.member(uow, member)
            assert found.exam_id is not None
            await exams.check_in(uow, found.exam_id)
    await _examined_by_hand(admin, examined)
    async with unit() as uow:
        with pytest.raises(MemberBeingExamined):
            await service.decide(uow, made.campaign_id, [DecisionIn(member_id=here, decision="no_show")])
    async with unit() as uow:
        with pytest.raises(CampaignNotComplete) as told:
            await service.complete(uow, made.campaign_id)
        assert {(e.pointer, e.code) for e in told.value.errors} == {
            (f"member:{absent}", "booked"),
            (f"member:{here}", "unfinished"),
        }
        assert "2027-03-01" in told.value.errors[0].zh
    await _examined_by_hand(admin, here)
    async with unit() as uow:
        await service.decide(uow, made.campaign_id, [DecisionIn(member_id=absent, decision="cancelled", reason="出差")])
        await service.complete(uow, made.campaign_id)
    async with unit() as uow:
        states = {m.id: m.state for m in await employers.members(uow, made.campaign_id)}
    assert states == {examined: "done", absent: "cancelled", here: "done"}
    assert await admin.fetchval("select state from exam where member_id = $1", absent) == "cancelled"


async def _examined_by_hand(admin: asyncpg.Connection, member: UUID) -> None:
    """Bring an exam to where nothing is outstanding, past the doctors: what is asked here is what the unit's list makes of it."""
    await admin.execute("update exam set state = 'in_progress' where member_id = $1", member)
    await admin.execute("update exam set state = 'ready_for_review' where member_id = $1", member)


@pytest.mark.requirement("E2.1")
async def test_a_journey_of_a_unit_over_http(sign_in: SignIn, batch: Batch) -> None:
    manager = await sign_in("group")

    async def call(method: str, path: str, expect: int, **options: Any) -> Any:
        answer = await manager.request(method, API + path, headers=key(), **options)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    unit_ = await call("POST", "/employers", 201, json={"code": f"J{uuid7().hex[-10:]}", "name": "旅程公司"})
    body = {
        "campus_id": 1,
        "employer_id": unit_["id"],
        "name": "年度",
        "year": 2027,
        "starts_on": "2027-03-01",
        "ends_on": "2027-03-31",
    }
    place = f"/campaigns/{(await call('POST', '/campaigns', 201, json=body))['id']}"
    await call("PUT", f"{place}/groups/ALL", 200, json={"name": "全员", "criteria": [{}], "item_group_ids": [str(CBC)]})
    people = [
        await call(
            "POST",
            f"{place}/members",
            201,
            json={"name": n, "employee_no": n, "sex": "male", "birth_date": "1990-03-07"},
        )
        for n in ("甲", "乙")
    ]
    assert (await call("GET", f"/members/{people[0]['id']}/quote", 200))["employer_fen"] == 2_000
    await call("POST", f"{place}:book-members", 409, json={"days": [{"day": "2027-03-01", "quota": 1}]})
    await call("POST", f"{place}:open", 200)
    strangers = {"days": [{"day": "2027-03-01", "quota": 1}], "member_ids": [people[0]["id"], unit_["id"]]}
    refused = await call("POST", f"{place}:book-members", 404, json=strangers)
    assert (refused["code"], [e["pointer"] for e in refused["errors"]]) == ("member-not-found", ["/member_ids/1"])
    job = (await call("POST", f"{place}:book-members", 202, json={"days": [{"day": "2027-03-01", "quota": 1}]}))[
        "job_id"
    ]
    await batch.run(UUID(job))
    [mine] = [p for p in (await call("GET", "/campaign-progress", 200))["items"] if p["employer_id"] == unit_["id"]]
    assert (mine["total"], mine["listed"], mine["booked"], mine["arrived"]) == (2, 1, 1, 0)
    [booked] = (await call("GET", f"{place}/standings?standing=booked", 200))["items"]
    assert (booked["name"], booked["exam_date"]) == ("甲", "2027-03-01")
    assert [m["refusal"]["code"] for m in (await call("GET", f"{place}/members?refused=true", 200))["items"]] == [
        "days-full"
    ]
    open_ones = (await call("POST", f"{place}:complete", 409))["errors"]
    assert len(open_ones) == 2
    ends = [{"member_id": p["id"], "decision": "no_show"} for p in people]
    untrue = await call("POST", f"{place}:decide-members", 409, json={"decisions": ends})
    assert untrue["code"] == "member-end-untrue"
    assert [(e["pointer"], e["code"]) for e in untrue["errors"]] == [
        ("/decisions/0/decision", "not-due"),
        ("/decisions/1/decision", "not-begun"),
    ]
    ends = [{"member_id": p["id"], "decision": "cancelled"} for p in people]
    await call("POST", f"{place}:decide-members", 204, json={"decisions": ends})
    assert (await call("POST", f"{place}:complete", 200))["state"] == "completed"
    assert unit_["id"] not in [p["employer_id"] for p in (await call("GET", "/campaign-progress", 200))["items"]]
    following = {"name": "明年", "year": 2028, "starts_on": "2028-03-01", "ends_on": "2028-03-31"}
    assert (await call("POST", f"{place}:start-next", 201, json=following))["previous_id"] == place.rpartition("/")[2]
