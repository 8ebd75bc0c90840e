"""Many members booked together: the same rows in every table as one by one, each once whenever it is killed, never one too many."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.employer.scene import BASIC_M, CBC, GENERAL, Plan, Unit, listed, person, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.world import API, SignIn, house
from tjapi import demo
from tjapi.appointment import service as appointments
from tjapi.catalog.rules import starter_id
from tjapi.employer import service as employers
from tjapi.employer.schemas import MemberPatch
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.groupdesk import flows, service
from tjapi.groupdesk.errors import BookingDaysInvalid
from tjapi.groupdesk.schemas import BookMembersIn, DayIn
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import job_principal
from tjapi.tables import METADATA
from tjapi.visit import invented_person

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:\+\d\d:\d\d|Z)?"), "moment"), (re.compile(r"\\x[0-9a-f]*"), "bytes"),
    (re.compile(r"\b[A-Z]\d{10}[\dX]\b"), "exam number"), (re.compile(r"\b\d{12}\b"), "barcode"), (re.compile(r"\d{6}\*+\w{4}"), "masked"),
]  # fmt: skip
_KEYS = {
    table.name: [column.name for column in table.primary_key.columns]
    for table in METADATA.sorted_tables
    if table.name not in ("job", "audit_link")
}
DAY = date(2027, 3, 1)
_SUNDAY = 6


def _plan(days: Sequence[dict[str, Any]], **changes: Any) -> BookMembersIn:
    return BookMembersIn.model_validate({"days": [{**day, "day": str(day["day"])} for day in days], **changes})


async def _booked(admin: asyncpg.Connection, campaign_id: UUID) -> Counter[date]:
    rows = await admin.fetch("select exam_date from exam where campaign_id = $1 and state <> 'cancelled'", campaign_id)
    return Counter(row["exam_date"] for row in rows)


class Books:
    """Every row of every table, and what was written between two looks, told so that two people of one kind read the same."""

    def __init__(self, admin: asyncpg.Connection) -> None:
        self.admin = admin

    async def look(self) -> dict[str, dict[str, dict[str, Any]]]:
        found = {}
        for table, keys in _KEYS.items():
            rows = [json.loads(r[0]) for r in await self.admin.fetch(f"select to_jsonb(t)::text from {table} t")]
            found[table] = {json.dumps([row[k] for k in keys]): row for row in rows}
        return found

    @staticmethod
    def written(before: dict[str, Any], after: dict[str, Any], who: dict[str, str]) -> Counter[str]:
        """What came and what changed, table by table: ids by what they are of, numbers that grew by how much they grew."""
        names = dict(who)
        for table, rows in after.items():
            for key, row in rows.items():
                if key not in before[table] and "id" in row:
                    names[str(row["id"])] = f"{table} {row.get('code') or row.get('container') or ''}"
        said: Counter[str] = Counter()
        for table, rows in after.items():
            for key, row in rows.items():
                was = before[table].get(key)
                if was == row:
                    continue
                told = {
                    name: value - was[name] if was is not None and isinstance(value, int) and not isinstance(value, bool) else value
                    for name, value in row.items()
                    if name != "id" and (was is None or was[name] != value)
                }  # fmt: skip
                text = _UUID.sub(lambda found: names.get(found[0], found[0]), json.dumps(told, ensure_ascii=False, sort_keys=True).replace("\\\\", "\\"))  # fmt: skip
                for pattern, word in _PLAIN:
                    text = pattern.sub(word, text)
                said[f"{table}: {text}"] += 1
        return said


def _a_man() -> dict[str, Any]:
    return next(card for card in iter(invented_person, None) if card["sex"] == "male")


def _twin(card: dict[str, Any]) -> dict[str, Any]:
    """Somebody of the same name, sex, birthday and phone with another number."""
    number = card["id_number"]
    body = f"{number[:14]}{(int(number[14:17]) + 2) % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return card | {"id_number": body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]}


@pytest.mark.requirement("E2.4")
async def test_members_booked_together_leave_the_rows_in_every_table_that_they_leave_one_by_one() -> None:
    async with house("together") as held:
        runtime, books = held.runtime, Books(held.admin)

        def unit() -> Any:
            return runtime.units.open(demo.LOADER)

        ultrasound = starter_id("item_group", "US-ABD")
        group = {
            "name": "全员", "criteria": [{"sex": "male"}], "package_ids": [BASIC_M], "item_group_ids": [GENERAL, ultrasound], "cap_fen": 40_000,
            "beyond_cap": "self_paid", "discounts": [{"target": "everything", "rate_bp": 9_000}],
        }  # fmt: skip
        made = await plan(unit, ALL=group)
        day, session = await _a_session(runtime)
        cards = [_a_man() for _ in range(3)]
        cards = [*cards, *map(_twin, cards), _a_man()]
        wanted = ("name", "sex", "birth_date", "id_kind", "id_number", "phone")
        members, who = [], {}
        async with unit() as uow:
            for n, card in enumerate(cards):
                known = IdCardPayload.model_validate(card | {"phone": "19900000000"})
                if n % 3:  # the first was never here, the third has had another phone
                    await examinees.meet(uow, known if n % 3 == 2 else IdCardPayload.model_validate(card), 1)
                one = await employers.add_member(uow, made.campaign_id, person(**{k: card[k] for k in wanted}))
                members.append(one.id)
                who[str(one.id)] = f"member {n % 3}"
            await uow.session.flush()
            for member in members:
                await employers.amend_member(
                    uow, member, MemberPatch(self_paid_ids=[starter_id("item_group", "CT-CHEST")]), 1
                )
        for row in await held.admin.fetch("select id, name, birth_date from examinee"):
            who[str(row["id"])] = f"person {row['name']} {row['birth_date']}"
        days = [DayIn(day=day, session_id=session, quota=100)]
        acting = job_principal(uuid7(), 1)
        async with runtime.units.open(acting, "worker") as uow:
            await service.prepare(uow, made.campaign_id, days)
        async with runtime.units.open(acting, "worker") as uow:  # so that the day's counters are there
            assert await service.book_member(uow, members.pop(), days)
        nobody = await books.look()
        for member in members[:3]:
            async with runtime.units.open(acting, "worker") as uow:
                assert await service.book_member(uow, member, days, payment_required=True)
        alone = await books.look()
        async with runtime.units.open(acting, "worker") as uow:
            assert await service.book_together(uow, made.campaign_id, members[3:], days, payment_required=True) == 3
        together = await books.look()
    one_by_one = books.written(nobody, alone, _of(alone, who))
    at_once = books.written(alone, together, _of(together, who))
    assert at_once == one_by_one
    tables = {line.partition(":")[0] for line in at_once}
    assert tables >= {
        "appointment", "appointment_place", "appointment_slot", "audit_event", "exam", "exam_block", "exam_line", "exam_number", "examinee",
        "examinee_campus", "examinee_name_key", "live_event", "member", "requisition", "requisition_line", "tube", "tube_line", "tube_number",
    }  # fmt: skip
    assert any('awaits_payment": true' in line for line in at_once if line.startswith("live_event"))


def _of(rows: dict[str, Any], who: dict[str, str]) -> dict[str, str]:
    """Names for the ids of people and their exams."""
    names = dict(who)
    for row in rows["examinee"].values():
        names[row["id"]] = f"person {row['name']} {row['birth_date']}"
    return names


async def _a_session(runtime: Runtime) -> tuple[date, UUID]:
    async with runtime.units.open(demo.LOADER) as uow:
        today = uow.now.date()
        for ahead in range(30, 60):
            day = today + timedelta(days=ahead)
            found = await appointments.availability(uow, 1, day, day)
            sessions = [s for s in found.days[0].sessions if s.free > 0 and s.sex == "any"]
            if sessions:
                return day, sessions[0].session_id
    raise AssertionError("no session is offered")


@pytest.mark.requirement("E2.4")
async def test_hundreds_over_ten_days_killed_twice_are_each_booked_once_in_the_order_of_the_list(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    async with unit() as uow:
        members = [(await employers.add_member(uow, made.campaign_id, person())).id for _ in range(240)]
    # No booking on a day off.
    days = [day for day in (DAY + timedelta(days=n) for n in range(12)) if day.weekday() < _SUNDAY][:10]
    job = await batch.ask(made.campaign_id, _plan([{"day": day, "quota": 24} for day in days]))
    assert await batch.run(job, stop_after=50, at_once=50) is None
    assert await batch.run(job, stop_after=100, at_once=50) is None
    assert await batch.run(job) == {"booked": 90, "full": 0, "refused": 0, "skipped": 0}
    assert await _booked(admin, made.campaign_id) == dict.fromkeys(days, 24)
    rows = await admin.fetch(
        "select m.id, e.exam_date, e.exam_no from member m join exam e on e.id = m.exam_id and e.member_id = m.id"
        " where m.campaign_id = $1 and m.state = 'booked' order by m.list_no", made.campaign_id,
    )  # fmt: skip
    assert [row["id"] for row in rows] == members
    assert [row["exam_date"] for row in rows] == sorted(row["exam_date"] for row in rows)
    assert len({row["exam_no"] for row in rows}) == 240


@pytest.mark.requirement("E2.4")
async def test_whoever_cannot_be_booked_is_told_why_and_leaves_no_trace_and_holds_nobody_up(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit, WOMEN={"name": "女", "criteria": [{"sex": "female"}], "item_group_ids": [CBC]})
    card = invented_person() | {"name": "张三"}
    async with unit() as uow:
        known, _ = await examinees.meet(uow, IdCardPayload.model_validate(card | {"name": "李四"}), 2)
    wanted = ("name", "birth_date", "id_kind", "id_number", "sex")
    async with unit() as uow:
        other = await employers.add_member(uow, made.campaign_id, person(phone=None, **{k: card[k] for k in wanted}))
        nobody_s = await employers.add_member(uow, made.campaign_id, person(**_no_number("male")))
        for one in (other,):
            await employers.assign(uow, one, made.groups["WOMEN"])
    others = [(await listed(unit, made.campaign_id, 1, **_no_number("female")))[0] for _ in range(3)]
    asked = _plan([{"day": DAY, "quota": 2}])
    assert await batch.run(await batch.ask(made.campaign_id, asked)) == {
        "booked": 2, "full": 1, "refused": 2, "skipped": 0,
    }  # fmt: skip
    rows = await admin.fetch("select id, state, refusal ->> 'code' as why from member where campaign_id = $1", made.campaign_id)  # fmt: skip
    assert {row["id"]: (row["state"], row["why"]) for row in rows} == {
        other.id: ("listed", "examinee-name-differs"), nobody_s.id: ("listed", "member-not-placed"),
        others[0]: ("booked", None), others[1]: ("booked", None), others[2]: ("listed", "days-full"),
    }  # fmt: skip
    met = await admin.fetch("select campus_id from examinee_campus where examinee_id = $1", known.id)
    assert [row["campus_id"] for row in met] == [2]


def _no_number(sex: str) -> dict[str, Any]:
    return {
        "id_kind": "none", "id_number": None, "sex": sex, "birth_date": "1990-03-07", "employee_no": f"W{uuid7().hex[-10:]}",
    }  # fmt: skip


@pytest.mark.requirement("E2.4")
async def test_two_units_booked_together_at_once_share_a_session_and_none_is_booked_where_there_is_no_place(
    unit: Unit, batch: Batch, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    plans: list[Plan] = [await plan(unit), await plan(unit)]
    for one in plans:
        await listed(unit, one.campaign_id, 4)
    day, session = await _a_free_session(runtime)
    asked = _plan([{"day": day, "session_id": str(session), "quota": 100}])
    async with runtime.units.open(demo.LOADER) as uow:
        await service.prepare(uow, plans[0].campaign_id, asked.days)
    await admin.execute("update appointment_slot set capacity = 5 where session_id = $1 and day = $2 and resource_id is null", session, day)  # fmt: skip
    claims = [await batch.claim(await batch.ask(one.campaign_id, asked)) for one in plans]
    found = await asyncio.gather(*(flows.book_members(claim) for claim in claims))
    assert (sum(one["booked"] for one in found), sum(one["full"] for one in found)) == (5, 3)
    taken = "select taken from appointment_slot where session_id = $1 and day = $2 and resource_id is null"
    assert await admin.fetchval(taken, session, day) == 5
    places = "select count(*) from appointment where session_id = $1 and day = $2 and state = 'booked'"
    assert await admin.fetchval(places, session, day) == 5


async def _a_free_session(runtime: Runtime) -> tuple[date, UUID]:
    """A session that no other test books."""
    async with runtime.units.open(demo.LOADER) as uow:
        today = uow.now.date()
        for ahead in range(50, 60):
            day = today + timedelta(days=ahead)
            found = await appointments.availability(uow, 1, day, day)
            sessions = [s for s in found.days[0].sessions if s.taken == 0 and s.sex == "any" and s.free > 0]
            if sessions:
                return day, sessions[-1].session_id
    raise AssertionError("no session is offered")


@pytest.mark.requirement("E1.7", "E9.2")
async def test_exams_are_found_by_the_unit_its_code_and_its_campaign(
    unit: Unit, batch: Batch, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    plans = [await plan(unit), await plan(unit)]
    for one in plans:
        await listed(unit, one.campaign_id, 2)
        await batch.run(await batch.ask(one.campaign_id, _plan([{"day": DAY, "quota": 9}])))
    code = await admin.fetchval("select code from employer where id = $1", plans[0].employer_id)
    wanted = await admin.fetch("select id from exam where campaign_id = $1 order by id desc", plans[0].campaign_id)
    front = await sign_in("front")
    asked: list[dict[str, Any]] = [
        {"employer_id": str(plans[0].employer_id)}, {"employer_code": code}, {"campaign_id": str(plans[0].campaign_id)},
        {"employer_code": code, "exam_date": str(DAY), "state": "prepared"},
    ]  # fmt: skip
    for filters in asked:
        found = (await front.get(f"{API}/exams", params=filters)).json()["items"]
        assert [UUID(one["id"]) for one in found] == [row["id"] for row in wanted], filters
    page = (await front.get(f"{API}/exams", params={"employer_code": code, "page_size": 1})).json()
    second = {"employer_code": code, "page_size": 1, "page_token": page["next_page_token"]}
    assert (await front.get(f"{API}/exams", params=second)).json()["items"][0]["id"] == str(wanted[1]["id"])
    for nobody in ({"employer_code": "没有"}, {"employer_code": code, "campaign_id": str(plans[1].campaign_id)}):
        assert (await front.get(f"{API}/exams", params=nobody)).json()["items"] == []
    name = await admin.fetchval("select name from exam where id = $1", wanted[0]["id"])
    theirs = {row["examinee_id"] for row in await admin.fetch("select examinee_id from exam where campaign_id = $1 and name = $2", plans[0].campaign_id, name)}  # fmt: skip
    for unit_ in ({"employer_id": str(plans[0].employer_id)}, {"campaign_id": str(plans[0].campaign_id)}):
        people = (await front.post(f"{API}/exams:search", json={"key": name, "by": "name", **unit_})).json()["items"]
        assert {UUID(one["examinee"]["id"]) for one in people} == theirs
    strangers = {"key": name, "by": "name", "campaign_id": str(uuid7())}
    assert (await front.post(f"{API}/exams:search", json=strangers)).json()["items"] == []


@pytest.mark.requirement("E2.4")
async def test_a_session_that_there_is_not_is_refused_by_name_before_anybody_is_booked(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit)
    await listed(unit, made.campaign_id, 2)
    day = date.today() + timedelta(days=3)
    day += timedelta(day.weekday() == _SUNDAY)
    asked = _plan([{"day": day, "session_id": str(uuid7()), "quota": 9}])
    with pytest.raises(BookingDaysInvalid) as refused:
        await batch.ask(made.campaign_id, asked)
    assert [(e.pointer, e.code) for e in refused.value.errors] == [("/days/0/day", "not-offered")]
    assert (
        await admin.fetchval(
            "select count(*) from exam e join member m on m.id = e.member_id where m.campaign_id = $1", made.campaign_id
        )
        == 0
    )
