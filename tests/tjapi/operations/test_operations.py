"""Jobs are steered by who may, the trail is read by who may, every code has its labels, and a refusal is remembered."""

from typing import get_args
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tjapi.world import API, SignIn, World
from tjapi import demo
from tjapi.exam.rules import EXAM_MOVES, LINE_MOVES
from tjapi.kernel import inbox
from tjapi.kernel.inbox import STATES
from tjapi.kernel.jobs.models import STATES as JOB_STATES
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.operations.rules import DICTIONARIES
from tjapi.report.rules import MOVES as REPORT_MOVES
from tjapi.requisition.rules import TUBE_MOVES, RequisitionState


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _job(world: World, principal: Principal = demo.LOADER) -> UUID:
    async with world.runtime.units.open(principal) as uow:
        return await uow.enqueue("test.nothing", {}, campus_id=1)


@pytest.mark.requirement("P3")
async def test_a_job_is_seen_by_who_started_it_and_by_who_may_see_all(world: World) -> None:
    chief = await world.staff("chief")
    job = await _job(world, chief)
    for name, status in (("chief", 200), ("interface", 200), ("admin", 200), ("reviewer", 404), ("front", 404)):
        client = await world.sign_in(name)
        assert (await client.get(f"{API}/jobs/{job}")).status_code == status, name


@pytest.mark.requirement("P3")
async def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(
    world: World, admin: asyncpg.Connection
) -> None:
    engineer = await world.sign_in("interface")
    waiting, running = await _job(world), await _job(world)
    await admin.execute(
        "update job set state = 'running', lease_until = now() + interval '1 hour' where id = $1", running
    )
    answers = [await engineer.post(f"{API}/jobs/{job}:cancel") for job in (waiting, running)]
    assert [a.json()["state"] for a in answers] == ["cancelled", "running"]
    assert await admin.fetchval("select cancel_requested from job where id = $1", running) is True
    ended = await engineer.post(f"{API}/jobs/{waiting}:cancel")
    assert (ended.status_code, ended.json()["code"]) == (409, "job-ended")
    await admin.execute("delete from job where id = $1", running)


@pytest.mark.requirement("P3", "E3.5")
async def test_a_message_whose_filing_is_cancelled_before_it_began_waits_for_a_person(
    world: World, admin: asyncpg.Connection
) -> None:
    async with world.runtime.units.open(demo.LOADER) as uow:
        message, _ = await inbox.receive(
            uow, source="lis", message_id=f"C{uuid4().hex[:12]}", body=b"MSH|", media_type="application/hl7-v2", gateway_received_at=None
        )  # fmt: skip
    job = await admin.fetchval("select id from job where payload ->> 'message_id' = $1", str(message.id))
    engineer = await world.sign_in("interface")
    assert (await engineer.post(f"{API}/jobs/{job}:cancel")).json()["state"] == "cancelled"
    left = (await engineer.get(f"{API}/inbound-messages/{message.id}")).json()
    assert (left["state"], left["reason"]) == ("quarantined", "not-filed")
    again = await engineer.post(f"{API}/inbound-messages/{message.id}:replay")
    assert again.json()["state"] == "received", again.text


@pytest.mark.requirement("P3")
async def test_only_a_dead_job_is_tried_again(world: World, admin: asyncpg.Connection) -> None:
    engineer, job = await world.sign_in("interface"), await _job(world)
    early = await engineer.post(f"{API}/jobs/{job}:retry")
    assert (early.status_code, early.json()["code"]) == (409, "job-not-dead")
    await admin.execute("update job set state = 'dead', attempts = 20, claims = 30, error = 'x' where id = $1", job)
    again = await engineer.post(f"{API}/jobs/{job}:retry")
    assert (again.json()["state"], again.json()["attempts"], again.json()["error"]) == ("queued", 0, None)
    traced = "select array_agg(action) from audit_event where object_id = $1"
    assert await admin.fetchval(traced, str(job)) == ["job.retried"]
    nowhere = await engineer.post(f"{API}/jobs/{uuid4()}:retry")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "job-not-found")


@pytest.mark.requirement("D4")
async def test_a_refusal_is_remembered_although_nothing_else_is(world: World, admin: asyncpg.Connection) -> None:
    visit, doctor = await world.registered("GLU"), await world.sign_in("doctor")
    counting = "select count(*) from audit_event where action = 'access.refused' and object_id = 'exam.write'"
    before = await admin.fetchval(counting)
    answer = await doctor.post(f"{visit.place}:cancel", json={"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing")
    assert await admin.fetchval(counting) == before + 1
    assert await admin.fetchval("select state from exam where id = $1", visit.exam_id) == "prepared"


@pytest.mark.requirement("D4")
async def test_the_trail_is_read_by_auditors_and_shows_who_did_what(world: World) -> None:
    visit = await world.checked_in("GLU")
    auditor, front = await world.sign_in("auditor"), await world.staff("front")
    query = {"object_type": "exam", "object_id": str(visit.exam_id)}
    found = (await auditor.get(f"{API}/audit-events", params=query)).json()["items"]
    assert [event["action"] for event in found] == ["access_code.issued", "exam.checked_in", "exam.registered"]
    assert {(event["principal_kind"], event["principal_id"]) for event in found} == {("staff", str(front.id))}
    assert all(event["request_id"] for event in found)
    for name in ("front", "doctor", "chief"):
        client = await world.sign_in(name)
        assert (await client.get(f"{API}/audit-events")).status_code == 403, name


@pytest.mark.requirement("P4")
async def test_every_state_has_a_label_in_both_languages(world: World) -> None:
    named = {
        "exam_state": set(EXAM_MOVES), "line_state": set(LINE_MOVES), "report_state": set(REPORT_MOVES), "tube_state": set(TUBE_MOVES),
        "requisition_state": set(get_args(RequisitionState)), "job_state": set(JOB_STATES), "message_state": set(STATES),
    }  # fmt: skip
    assert {name: set(DICTIONARIES[name]) for name in named} == named
    client = await world.sign_in("doctor")
    told = (await client.get(f"{API}/dictionaries")).json()["items"]
    assert {d["name"] for d in told} >= set(named)
    assert all(e["zh"] and e["en"] for d in told for e in d["entries"])
