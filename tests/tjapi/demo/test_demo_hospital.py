"""A small demo hospital: what it must show, and that it came through the product's own doors."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.tjapi.world import House, house
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.catalog.rules import Subject
from tjapi.conclusion import service as conclusions
from tjapi.demo.people import invent
from tjapi.exam import service as exams
from tjapi.exam.rules import check_digit
from tjapi.examinee.rules import parse_id_number
from tjapi.guidance import service as guidance
from tjapi.kernel.clock import business_day, midnight
from tjapi.kernel.security.principal import Principal
from tjapi.report import service as reports
from tjapi.result import service as results
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import parse
from tjapi.result.service.book import range_snapshot

pytestmark = pytest.mark.xdist_group("demo")  # one small hospital for all of them
TODAY = date(2026, 11, 25)
PEOPLE = 8


async def unheard(_done: int, _total: int | None = None, _message: str | None = None) -> None:
    """Nobody follows the progress."""


def test_invented_people_are_the_same_every_time_and_more_of_them_leave_the_earlier_ones_alone() -> None:
    assert invent(40) == invent(60)[:40]


def test_invented_people_have_documents_that_agree_with_them_and_nobody_is_under_eighteen() -> None:
    people = invent(300)
    numbers = set()
    for person in people:
        said = parse_id_number(person.payload.id_kind, person.payload.id_number or "", TODAY)
        numbers.add(said.number)
        assert said.sex in (None, person.sex)
        assert said.birth_date in (None, person.birth_date)
        assert person.birth_date <= date(2006, 12, 31)
        assert said.number.startswith(("690101", "810000", "990000", "DEMO"))
    assert len(numbers) == 300


def test_invented_people_bring_what_trips_systems_up() -> None:
    people = invent(300)
    names = [person.payload.name for person in people]
    for glyph in "䶮𠮷㛃覃区单仇曾韦农":
        assert any(glyph in name for name in names), glyph
    assert max(map(len, names)) == 20
    assert {"resident", "passport", "hk_mo_tw_resident", "foreign_permanent"} == {p.payload.id_kind for p in people}
    assert sum(times > 1 for times in Counter(p.payload.phone for p in people).values()) >= 20
    assert Counter(p.campuses for p in people).keys() == {(1,), (2,), (1, 2)}


@pytest.fixture(scope="module")
async def small(worker_name: str) -> AsyncIterator[House]:
    async with house(f"demo_hospital_{worker_name}") as held:
        await demo.open_rooms(held.runtime)
        with pytest.raises(ExceptionGroup):
            await demo.populate(held.runtime, PEOPLE, _killed, with_reports=False)
        await demo.populate(held.runtime, PEOPLE, unheard, with_reports=False)
        yield held


async def _killed(_done: int, _total: int | None = None, _message: str | None = None) -> None:
    raise TimeoutError


async def test_a_load_that_was_killed_is_completed_and_twice_is_once(small: House) -> None:
    before = await _counts(small)
    assert before["examinee"] == PEOPLE
    assert before["past"] >= PEOPLE * 2
    await demo.populate(small.runtime, PEOPLE, unheard, with_reports=False)
    assert await _counts(small) == before


async def _counts(small: House) -> dict[str, int]:
    tables = (
        "examinee",
        "exam",
        "result",
        "result_revision",
        "department_sheet",
        "conclusion",
        "tube",
        "inbox_message",
        "room",
        "ticket",
    )
    found = {table: await small.admin.fetchval(f"select count(*) from {table}") for table in tables}
    return found | {"past": await small.admin.fetchval("select count(*) from exam where archive is not null")}


@pytest.mark.requirement("X2")
async def test_the_guide_leads_to_open_rooms_and_people_queue_there(small: House) -> None:
    before = await _counts(small)
    await demo.open_rooms(small.runtime)
    assert await _counts(small) == before  # a second load opens no second rooms
    async with small.runtime.units.read(demo.LOADER) as uow:
        rooms = await guidance.rooms(uow, None)
        departments = {department.id for department in await catalog.departments(uow)}
    assert {(room.campus_id, room.department_id) for room in rooms} == {(c, d) for c in (1, 2) for d in departments}
    assert all(room.open and room.place for room in rooms)
    waiting = await small.admin.fetch(
        "select e.state from ticket t join exam e on e.id = t.exam_id where t.state = 'waiting'"
    )
    assert len(waiting) == sum(room.queue for room in rooms) >= 2
    assert {row["state"] for row in waiting} <= {"checked_in", "in_progress"}


@pytest.mark.requirement("D2")
async def test_flags_of_the_archive_are_those_that_live_entry_would_have_given(small: House) -> None:
    rows = await small.admin.fetch(
        "select v.raw_value, v.flag, v.range_snapshot::text snapshot, v.source, i.kind, i.id item_id, i.choices::text choices, e.sex, e.birth_date, e.exam_date"
        " from result_revision v join result r on r.id = v.result_id join item i on i.id = r.item_id join exam e on e.id = r.exam_id"
        " where e.archive is not null"
    )
    assert len(rows) > 500
    assert {row["source"] for row in rows} == {"import:old-system", "computed"}
    async with small.runtime.units.read(demo.LOADER) as uow:
        held = await catalog.hold_ranges(uow, {row["item_id"] for row in rows})
    for row in rows:
        found = held.of(Subject(row["sex"], row["birth_date"], "", row["exam_date"]), item_ids={row["item_id"]}).get(
            row["item_id"]
        )
        snapshot = None if row["snapshot"] is None else json.loads(row["snapshot"])
        assert snapshot == (range_snapshot(found) if found is not None else None)
        assert row["flag"] == flag_of(
            row["kind"], parse(row["raw_value"]), _range(snapshot), json.loads(row["choices"] or "[]") or []
        ), row
    assert {"", "H"} <= {row["flag"] for row in rows}


def _range(snapshot: dict[str, Any] | None) -> Range | None:
    if snapshot is None:
        return None
    low, high, critical_low, critical_high = (
        None if snapshot[bound] is None else Decimal(snapshot[bound])
        for bound in ("low", "high", "critical_low", "critical_high")
    )
    return Range(low, high, critical_low, critical_high, tuple(snapshot["normal_texts"]))


@pytest.mark.requirement("D2")
async def test_past_exams_carry_numbers_of_their_day_and_stand_as_they_were_signed(small: House) -> None:
    rows = await small.admin.fetch(
        "select id, campus_id, exam_no, exam_date, state from exam where archive is not null"
    )
    assert len({row["exam_no"] for row in rows}) == len(rows)
    for row in rows:
        assert row["state"] == "finalized"
        assert row["exam_no"][1:7] == f"{row['exam_date']:%y%m%d}"
        assert check_digit(row["exam_no"][1:-1]) == row["exam_no"][-1]
    async with small.runtime.units.read(demo.LOADER) as uow:
        assert all([await conclusions.stands(uow, row["id"]) for row in rows])


@pytest.mark.requirement("D2")
async def test_history_and_trends_line_up_over_the_years(small: House) -> None:
    person = await small.admin.fetchval(
        "select examinee_id from exam where campus_id = 1 group by examinee_id having count(*) = 4 limit 1"
    )
    async with small.runtime.units.read(demo.LOADER) as uow:
        own = await exams.page(
            uow, campus_id=None, day=None, state="finalized", exam_no=None, examinee_id=person, after=None, size=9
        )
        newest = max(own, key=lambda exam: exam.exam_date)
        history = await results.department_history(uow, newest.id, 1, exams_shown=5)
        trends = await results.trends(uow, newest.id)
    dates = [exam.exam_date for exam in history.exams]
    assert len(dates) >= 3
    assert dates == sorted(dates, reverse=True)
    weight = next(item for item in history.items if item.item_code == "WEIGHT")
    assert len(weight.values) == len(dates)
    assert {"BMI", "GLU"} <= {trend.item_code for trend in trends.items}


async def test_a_past_exams_report_is_made_on_demand(small: House) -> None:
    exam_id = await small.admin.fetchval("select id from exam where archive is not null and campus_id = 1 limit 1")
    async with small.runtime.units.open(await small.world.staff("chief")) as uow:
        assert (await reports.request(uow, exam_id)).state == "rendering"


async def test_the_work_of_the_day_stands_at_every_step_and_the_queue_is_first_ready_first_served(small: House) -> None:
    states = Counter(row["state"] for row in await small.admin.fetch("select state from exam where archive is null"))
    assert states.keys() == {"prepared", "checked_in", "in_progress", "ready_for_review", "in_review", "finalized"}
    async with small.runtime.units.read(demo.LOADER) as uow:
        queue = await conclusions.queue(uow, campus_id=None, unclaimed=False, after=None, size=50)
    assert len(queue) >= 2
    assert [row.ready_at for row in queue] == sorted(row.ready_at for row in queue)
    overdue = await small.admin.fetch(
        "select rule_code from critical_value where state = 'detected' and due_at < now()"
    )
    now = datetime.now(UTC)
    # In the first hour of the night the demo's morning is squeezed into it, and nothing may be late yet.
    old_enough = now - midnight(business_day(now)) > timedelta(hours=1)
    assert [row["rule_code"] for row in overdue] in ([["CRIT-GLU-HIGH"]] if old_enough else [["CRIT-GLU-HIGH"], []])
    assert await small.admin.fetchval("select count(*) from amendment_task where state = 'open'") == 1


async def test_no_message_is_lost_and_three_wait_for_a_person(small: House) -> None:
    rows = await small.admin.fetch("select state, reason from inbox_message")
    assert "received" not in {row["state"] for row in rows}
    waiting = {(row["state"], row["reason"]) for row in rows if row["state"] in ("unmatched", "quarantined")}
    assert waiting == {
        ("unmatched", "unknown-barcode"),
        ("unmatched", "unknown-code"),
        ("quarantined", "identity-mismatch"),
    }


async def test_each_campus_sees_its_own(small: House) -> None:
    seen: dict[int, set[int]] = {}
    for campus in (1, 2):
        principal = Principal("job", demo.LOADER.id, campuses=(campus,), departments=None)
        async with small.runtime.units.read(principal) as uow:
            page = await exams.page(
                uow, campus_id=None, day=None, state=None, exam_no=None, examinee_id=None, after=None, size=200
            )
        seen[campus] = {exam.campus_id for exam in page}
    assert seen == {1: {1}, 2: {2}}


async def test_the_worker_is_asked_once_for_the_same_hospital(small: House) -> None:
    assert await demo.order(small.runtime, 0) is None
    assert await demo.order(small.runtime, 12) == await demo.order(small.runtime, 12)
