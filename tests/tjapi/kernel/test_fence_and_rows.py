"""A job whose claim was taken over commits nothing; the database shows a campus its own rows, whatever SQL is sent."""

from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from tests.tjapi.world import SignIn, World
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamNotFound
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import ANONYMOUS, Principal, job_principal
from tjapi.kernel.uow import Fence, LeaseLostError


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _claimed(runtime: Runtime, admin: asyncpg.Connection) -> UUID:
    async with runtime.units.open(demo.LOADER) as uow:
        job = await uow.enqueue("test.nothing", {}, campus_id=1)
    await admin.execute("update job set state = 'running', fence = 7 where id = $1", job)
    return job


async def test_a_unit_under_the_current_claim_commits(runtime: Runtime, admin: asyncpg.Connection) -> None:
    job = await _claimed(runtime, admin)
    async with runtime.units.open(job_principal(job, 1), "worker", fence=Fence(job, 7)) as uow:
        await uow.audit("test.fenced", "job", job)
    assert await admin.fetchval("select count(*) from audit_event where object_id = $1", str(job)) == 1


@pytest.mark.parametrize("taken_by", ["fence = 8", "state = 'queued'", "state = 'cancelled'", "state = 'succeeded'"])
async def test_a_unit_whose_claim_was_taken_over_commits_nothing(
    runtime: Runtime, admin: asyncpg.Connection, taken_by: str
) -> None:
    job = await _claimed(runtime, admin)
    with pytest.raises(LeaseLostError):  # noqa: PT012 - the commit at the end of the block is what is refused
        async with runtime.units.open(job_principal(job, 1), "worker", fence=Fence(job, 7)) as uow:
            await uow.audit("test.fenced", "job", job)
            await admin.execute(f"update job set {taken_by} where id = $1", job)
    assert await admin.fetchval("select count(*) from audit_event where object_id = $1", str(job)) == 0


async def test_raw_sql_shows_a_campus_its_own_rows_alone(world: World, runtime: Runtime) -> None:
    visit = await world.checked_in("GLU", "CBC")
    tables = {
        "exam": "id", "exam_line": "exam_id", "tube": "exam_id", "requisition": "exam_id", "access_code": "exam_id", "exam_block": "exam_id",
    }  # fmt: skip
    await world.file(visit)
    tables |= {"result": "exam_id", "result_revision": "exam_id"}
    tables.pop("exam_block")
    for principal, sees in (
        (Principal("staff", uuid4(), campuses=(1,), departments=None), True),
        (Principal("staff", uuid4(), campuses=(2,), departments=None), False),
        (Principal("staff", uuid4(), campuses=(), departments=None), False),
        (ANONYMOUS, False),
        (Principal("examinee", uuid4(), departments=(), examinee_id=uuid4()), False),
    ):
        async with runtime.units.open(principal) as uow:
            for table, column in tables.items():
                seen = await uow.session.execute(
                    text(f"select count(*) from {table} where {column} = :id"), {"id": visit.exam_id}
                )
                assert (seen.scalar_one() > 0) is sees, (table, principal.kind, principal.campuses)


async def test_a_forged_setting_shows_nothing(world: World, runtime: Runtime) -> None:
    visit = await world.registered()
    stranger = Principal("staff", uuid4(), campuses=(2,), departments=None)
    async with runtime.units.read(stranger) as uow:
        held = (await uow.session.execute(text("select current_setting('tj.context')"))).scalar_one()
        kind, who, campuses, rest = held.split("|", 3)
        assert campuses == "2"
        for forged in (f"{kind}|{who}|1,2|{rest}", f"{kind}|{who}|1|{rest}", "staff|1", "", held.replace("|*|", "|1|")):
            query = text(
                "with told as materialized (select set_config('tj.context', :forged, false))"
                " select (select count(*) from exam where id = :id) from told"
            )
            assert (await uow.session.execute(query, {"forged": forged, "id": visit.exam_id})).scalar_one() == 0, forged
        await uow.session.execute(text("select set_config('tj.context', :held, false)"), {"held": held})


async def test_a_row_cannot_be_written_into_another_campus(world: World, runtime: Runtime) -> None:
    visit = await world.registered()
    stranger = Principal("staff", uuid4(), campuses=(2,), departments=None)
    async with runtime.units.open(stranger) as uow:
        with pytest.raises(ExamNotFound):
            await exams.lock(uow, visit.exam_id)
        moved = await uow.session.execute(
            text("update exam set campus_id = 2 where id = :id returning id"), {"id": visit.exam_id}
        )
        assert moved.first() is None


async def test_the_reading_role_writes_nothing(world: World, runtime: Runtime) -> None:
    visit = await world.registered()
    for statement in (
        "update exam set name = 'x' where id = :id",
        "delete from exam_line where exam_id = :id",
        "insert into exam_number (campus_id, day, last) values (1, '2030-01-01', 1)",
        "update audit_event set action = 'x'",
        "delete from audit_link",
        "select tj.meet_examinee('resident', '\\x00'::bytea, 1::smallint)",
        "select tj.audit_sealed(array[1::bigint])",
    ):
        async with runtime.units.read(demo.LOADER) as uow:
            with pytest.raises(Exception, match="permission denied"):
                await uow.session.execute(text(statement), {"id": visit.exam_id} if ":id" in statement else {})
