"""What is critical because it is the first of its kind follows what the exams before it say, whenever they say something else."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.examinee.people import merge, pair, undo
from tests.tjapi.result.scene import Unfenced
from tests.tjapi.world import API, SignIn, Visit, World
from tjapi.critical_value import jobs
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E5.2")
FIRST = "CRIT-HGB-FIRST"


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _states(client: httpx.AsyncClient, visit: Visit) -> list[str]:
    found = (await client.get(f"{API}/critical-values", params={"exam_id": str(visit.exam_id)})).json()["items"]
    return sorted(c["state"] for c in found if c["rule_code"] == FIRST)


async def _run_jobs(runtime: Runtime, admin: asyncpg.Connection, *people: UUID) -> int:
    """Do what was written with the commands for these people, each once; return how many exams were looked at."""

    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    looked = 0
    waiting = "update job set state = 'cancelled', finished_at = now() where name = $1 and state = 'queued' and payload ->> 'examinee_id' = any($2) returning payload::text"
    for row in await admin.fetch(waiting, "critical_value.look_again", [str(p) for p in people]):
        run: Any = JobRun(
            id=uuid7(), name="test", payload=json.loads(row[0]), campus_id=None, attempts=0, fence=1, units=Unfenced(runtime),
            services=None, report=silent, created_by=uuid7(),
        )  # fmt: skip
        for _ in range(2):  # twice is once
            looked = int((await jobs.look_again(run))["looked_at"])
    return looked


async def test_a_first_value_follows_the_exam_before_it_when_that_is_corrected(
    world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    reviewer = await world.sign_in("reviewer")
    one = await world.checked_in("CBC")
    await world.file(one, HGB="55")
    two = await world.checked_in("CBC", examinee_id=one.examinee_id)
    await world.file(two, HGB="54")
    assert (await _states(reviewer, one), await _states(reviewer, two)) == (["detected"], [])
    await world.file(one, status="C", HGB="140")
    assert await _run_jobs(runtime, admin, one.examinee_id) == 1
    assert (await _states(reviewer, one), await _states(reviewer, two)) == (["superseded"], ["detected"])
    # And back: it was low before, so that it is no longer the first.
    await world.file(one, status="C", HGB="56")
    await _run_jobs(runtime, admin, one.examinee_id)
    assert (await _states(reviewer, one), await _states(reviewer, two)) == (["detected", "superseded"], ["superseded"])


async def test_a_first_value_follows_when_people_are_merged_and_parted(
    world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    reviewer, front = await world.sign_in("reviewer"), await world.sign_in("front")
    merged, survivor = [UUID(person) for person in await pair(front)]
    one, two = await world.checked_in("CBC", examinee_id=merged), await world.checked_in("CBC", examinee_id=survivor)
    await world.file(one, HGB="55")
    await world.file(two, HGB="54")
    await admin.execute("update exam set exam_date = exam_date - 200 where id = $1", one.exam_id)
    assert (await _states(reviewer, one), await _states(reviewer, two)) == (["detected"], ["detected"])
    made = await merge(front, str(merged), str(survivor))
    assert made.status_code == 200, made.text
    await _run_jobs(runtime, admin, survivor)
    assert (await _states(reviewer, one), await _states(reviewer, two)) == (["detected"], ["superseded"])
    undone = await undo(front, made.json()["id"])
    assert undone.status_code == 200, undone.text
    await _run_jobs(runtime, admin, survivor, merged)
    assert (await _states(reviewer, one), await _states(reviewer, two)) == (["detected"], ["detected", "superseded"])


async def test_looking_back_writes_nothing_where_nobody_looks_back(
    world: World, runtime: Runtime, admin: asyncpg.Connection
) -> None:
    one = await world.checked_in("CBC")
    await world.file(one, HGB="55")
    await world.file(one, status="C", HGB="140")
    assert (
        await admin.fetchval(
            "select count(*) from job where name = 'critical_value.look_again' and payload ->> 'examinee_id' = $1",
            str(one.examinee_id),
        )
        == 0
    )
