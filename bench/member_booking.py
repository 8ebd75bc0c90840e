"""`python -m bench.member_booking [members]`: one batch over ten days by a worker process that is killed with SIGKILL in the middle.

A second worker takes the batch up. Printed: members per second of each, and whether each member was booked once and no day exceeded its quota.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from tjapi import demo, installation, visit, wiring
from tjapi.catalog.rules import starter_id
from tjapi.employer import service as employers
from tjapi.employer.schemas import CampaignIn, EmployerIn, GroupIn, MemberIn
from tjapi.groupdesk import service
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel import logs
from tjapi.kernel.embedded import EmbeddedPostgres, EmbeddedValkey
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect, migrate
from tjapi.kernel.security.keys import KeyRing, load_master_key, make_master_key
from tjapi.kernel.settings import Settings

DAYS = 10
_FIRST = date(2027, 3, 1)
_PATIENCE = 3_600


async def _campaign(runtime: Runtime, members: int) -> UUID:
    """A unit whose men and women are examined for a package each."""
    async with runtime.units.open(demo.LOADER) as uow:
        unit = await employers.create_employer(uow, EmployerIn(code="B1", name="某单位"))
        plan = CampaignIn(
            campus_id=1, employer_id=unit.id, name="年度", year=2027, starts_on=_FIRST, ends_on=date(2027, 4, 1)
        )
        made = await employers.create_campaign(uow, plan)
        for sex, code in (("male", "BASIC-M"), ("female", "BASIC-F")):
            group = {"name": sex, "criteria": [{"sex": sex}], "package_ids": [starter_id("exam_package", code)]}
            await employers.put_group(uow, made.id, code, GroupIn.model_validate(group))
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


async def main() -> None:
    """Start what is needed, book, kill, book on, count."""
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    logs.configure("ERROR")
    state = Path(tempfile.mkdtemp(prefix="tj-bench-"))
    state.chmod(0o711)
    postgres, valkey = EmbeddedPostgres(state), EmbeddedValkey(state)
    postgres.start()
    valkey.start()
    worker = None
    try:
        make_master_key(state)
        url = postgres.url(postgres.superuser, postgres.superuser_password, "postgres")
        settings = Settings(state=state, database_url=url, redis_url=valkey.url, environment="demo")
        await migrate(settings, KeyRing(load_master_key(None, state)))
        runtime = wiring.build(settings)
        await installation.load(runtime)
        campaign = await _campaign(runtime, members)
        admin = await connect(settings)
        quota = -(-members // DAYS)
        days = [{"day": str(_FIRST + timedelta(days=n)), "quota": quota} for n in range(DAYS)]
        async with runtime.units.open(demo.LOADER) as uow:
            await service.plan_booking(uow, campaign, BookMembersIn.model_validate({"days": days}))
        environment = os.environ | {
            "TJ_STATE": str(state), "TJ_DATABASE_URL": url, "TJ_REDIS_URL": valkey.url, "TJ_LOG_LEVEL": "ERROR", "TJ_LIS_PORT": "1",
        }  # fmt: skip
        for share in (0.4, 1.0):
            worker = subprocess.Popen([sys.executable, "-m", "tjapi.cli", "worker"], env=environment)  # noqa: ASYNC220 - it runs beside us
            before = await admin.fetchval(
                "select count(*) from member where campaign_id = $1 and state = 'booked'", campaign
            )
            seconds = await _until(admin, campaign, before, int(members * share))
            after = await admin.fetchval(
                "select count(*) from member where campaign_id = $1 and state = 'booked'", campaign
            )
            print(f"{after - before} members in {seconds:.1f} s, {(after - before) / seconds:.1f}/s; then SIGKILL")
            worker.kill()
            worker.wait()
        twice = await admin.fetchval(
            "select count(*) from (select 1 from exam where campaign_id = $1 group by member_id having count(*) > 1) x",
            campaign,
        )
        most = await admin.fetchval(
            "select max(n) from (select count(*) as n from exam where campaign_id = $1 group by exam_date) x", campaign
        )
        exams = await admin.fetchval("select count(*) from exam where campaign_id = $1", campaign)
        lines = await admin.fetchval("select count(*) from exam_line")
        print(
            f"{exams} exams with {lines} lines of {members} members, {twice} booked twice, most on a day {most} of {quota}"
        )
        await admin.close()
        await wiring.close(runtime)
    finally:
        if worker is not None and worker.poll() is None:
            worker.kill()
        valkey.stop()
        postgres.stop()


if __name__ == "__main__":
    asyncio.run(main())
