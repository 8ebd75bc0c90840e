"""`python -m bench.member_booking [members]`: one batch over ten days by a worker process that is killed with SIGKILL in the middle.

A second worker takes the batch up. Printed: members per second of each, and whether each member was booked once and no day exceeded its quota;
the same once more into the sessions of ten days, whose counters have exactly as many places as there are members.
"""

import asyncio
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from bench.house import installed
from tjapi import demo, visit
from tjapi.catalog.rules import starter_id
from tjapi.employer import service as employers
from tjapi.employer.schemas import CampaignIn, EmployerIn, GroupIn, MemberIn
from tjapi.groupdesk import service
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel import logs
from tjapi.kernel.runtime import Runtime

DAYS = 10
_FIRST = date(2027, 3, 1)
_SUNDAY = 7
_PATIENCE = 3_600


async def _campaign(runtime: Runtime, members: int, code: str = "B1") -> UUID:
    """A unit whose men and women are examined for a package each."""
    async with runtime.units.open(demo.LOADER) as uow:
        unit = await employers.create_employer(uow, EmployerIn(code=code, name="某单位"))
        plan = CampaignIn(
            campus_id=1, employer_id=unit.id, name="年度", year=2027, starts_on=_FIRST, ends_on=date(2027, 4, 1)
        )
        made = await employers.create_campaign(uow, plan)
        for sex, package in (("male", "BASIC-M"), ("female", "BASIC-F")):
            group = {"name": sex, "criteria": [{"sex": sex}], "package_ids": [starter_id("exam_package", package)]}
            await employers.put_group(uow, made.id, package, GroupIn.model_validate(group))
        await employers.open_campaign(uow, made.id)
    wanted = ("name", "sex", "birth_date", "id_kind", "id_number", "phone")
    for begin in range(0, members, 100):
        async with runtime.units.open(demo.LOADER) as uow:
            for _ in range(min(100, members - begin)):
                card = visit.invented_person()
                await employers.add_member(uow, made.id, MemberIn.model_validate({name: card[name] for name in wanted}))
    return made.id


async def _until(admin: asyncpg.Connection, campaign: UUID, before: int, booked: int) -> float:
    """Wait until so many are booked; return the seconds since the first of them was, for a process takes its time to start."""
    query = "select count(*) from member where campaign_id = $1 and state = 'booked'"
    began = first = time.perf_counter()
    while (found := await admin.fetchval(query, campaign)) < booked:
        if found == before:
            first = time.perf_counter()
        if time.perf_counter() - began > _PATIENCE:
            raise TimeoutError
        await asyncio.sleep(0.05)
    return time.perf_counter() - first


def _days(members: int) -> list[dict[str, Any]]:
    quota = -(-members // DAYS)
    offered = [day for n in range(2 * DAYS) if (day := _FIRST + timedelta(days=n)).isoweekday() != _SUNDAY]
    return [{"day": str(day), "quota": quota} for day in offered[:DAYS]]


async def _sessions(admin: asyncpg.Connection, members: int) -> list[dict[str, Any]]:
    """Give the sessions of ten days to come as many places as there are members, and return them."""
    found = await admin.fetch(
        "select d::date as day, s.id from generate_series(current_date + 2, current_date + 40, interval '1 day') d"
        " join appointment_session s on s.campus_id = 1 and s.weekday = extract(isodow from d) and s.active order by d, s.starts_at"
    )
    days = sorted({row["day"] for row in found})[:DAYS]
    chosen = [row for row in found if row["day"] in days]
    quota = -(-members // len(chosen))
    await admin.execute("update appointment_session set capacity = $1 where campus_id = 1", quota)
    return [{"day": str(row["day"]), "session_id": str(row["id"]), "quota": quota} for row in chosen]


async def _measure(
    runtime: Runtime, admin: asyncpg.Connection, environment: dict[str, str], members: int, code: str, places: list[dict[str, Any]]
) -> None:  # fmt: skip
    campaign = await _campaign(runtime, members, code)
    async with runtime.units.open(demo.LOADER) as uow:
        await service.plan_booking(uow, campaign, BookMembersIn.model_validate({"days": places}))
    booked = "select count(*) from member where campaign_id = $1 and state = 'booked'"
    for share in (0.4, 1.0):
        worker = subprocess.Popen([sys.executable, "-m", "tjapi.cli", "worker"], env=environment)  # noqa: ASYNC220 - it runs beside us
        try:
            before = await admin.fetchval(booked, campaign)
            seconds = await _until(admin, campaign, before, int(members * share))
            after = await admin.fetchval(booked, campaign)
        finally:
            worker.kill()
            worker.wait()
        print(f"{after - before} members in {seconds:.1f} s, {(after - before) / seconds:.1f}/s; then SIGKILL")
    once = "select count(*) from (select 1 from exam where campaign_id = $1 group by member_id having count(*) > 1) x"
    fullest = "select max(n) from (select count(*) as n from exam where campaign_id = $1 group by exam_date) x"
    exams = await admin.fetchval("select count(*) from exam where campaign_id = $1", campaign)
    lines = await admin.fetchval("select count(*) from exam_line l join exam e on e.id = l.exam_id where e.campaign_id = $1", campaign)  # fmt: skip
    appointed = await admin.fetchval("select count(*) from appointment a join exam e on e.id = a.exam_id where e.campaign_id = $1", campaign)  # fmt: skip
    over = await admin.fetchval("select count(*) from appointment_slot where taken > capacity")
    print(
        f"{exams} exams with {lines} lines and {appointed} appointments of {members} members, {await admin.fetchval(once, campaign)} booked twice,"
        f" most on a day {await admin.fetchval(fullest, campaign)}, {over} sessions overbooked"
    )


async def main() -> None:
    """Start what is needed, book, kill, book on, count."""
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    logs.configure("ERROR")
    async with installed() as (runtime, admin):
        held = runtime.settings
        environment = os.environ | {
            "TJ_STATE": str(held.state), "TJ_DATABASE_URL": str(held.database_url), "TJ_REDIS_URL": str(held.redis_url), "TJ_LOG_LEVEL": "ERROR",
            "TJ_LIS_PORT": "1",
        }  # fmt: skip
        for code, places in (("B1", _days(members)), ("B2", await _sessions(admin, members))):
            await _measure(runtime, admin, environment, members, code, places)


if __name__ == "__main__":
    asyncio.run(main())
