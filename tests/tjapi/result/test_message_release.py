"""What no machine may place is placed by two people; what waited for a code is filed when the code is known."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, Unfenced, cbc, exam_state, observation, report, state_of, visit
from tests.tjapi.result.test_result_filing import Parser
from tests.tjapi.world import API, SignIn
from tjapi.catalog import service as catalog
from tjapi.kernel import inbox
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.result import flows

pytestmark = pytest.mark.requirement("E3.5", "X13")


async def _receive(unit: OpenUnit) -> UUID:
    async with unit() as uow:
        told: dict[str, Any] = {
            "source": "lis",
            "message_id": uuid7().hex,
            "body": b"MSH|",
            "media_type": "x",
            "gateway_received_at": None,
        }
        message, _ = await inbox.receive(uow, **told)
    return message.id


def _run(runtime: Runtime, payload: dict[str, str], said: Any = None) -> JobRun:
    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    return JobRun(
        id=uuid7(), name="test", payload=payload, campus_id=None, attempts=0, fence=1, units=Unfenced(runtime), services=Parser(said),
        report=silent, created_by=uuid7(),
    )  # fmt: skip


async def _file(runtime: Runtime, message: UUID, said: Any) -> dict[str, Any]:
    return dict(await flows.file_message(_run(runtime, {"message_id": str(message)}, said)))


async def _propose(client: httpx.AsyncClient, message: UUID, scene: Scene) -> httpx.Response:
    given = {"exam_id": str(scene.exam_id), "reason": "已与检验科核对标本"}
    return await client.post(f"{API}/inbound-messages/{message}:propose-release", json=given)


async def test_a_mismatched_message_is_filed_after_two_people_said_whose_it_is(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    engineer, chief = await sign_in("interface"), await sign_in("chief")
    scene, message = await visit(unit, "CBC"), await _receive(unit)
    said = report(scene, "CBC", *cbc(), exam_no=None, patient_name="另一人", patient_birth_date=None)
    assert (await _file(runtime, message, said))["reason"] == "identity-mismatch"
    proposed = await _propose(engineer, message, scene)
    assert (proposed.status_code, proposed.json()["state"]) == (200, "proposed")
    place = f"{API}/message-releases/{proposed.json()['id']}"
    alone = await engineer.post(f"{place}:agree")
    assert (alone.status_code, alone.json()["code"]) == (409, "same-person")
    assert await state_of(unit, scene) == {}
    again = await _propose(chief, message, scene)
    assert (again.status_code, again.json()["code"]) == (409, "release-proposed")
    agreed = await asyncio.gather(*(chief.post(f"{place}:agree") for _ in range(3)))
    assert sorted(a.status_code for a in agreed) == [200, 409, 409]
    assert await _file(runtime, message, said) == {"outcome": "filed", "reason": None}
    assert len(await state_of(unit, scene)) == len(cbc())
    trail = await admin.fetch(
        "select action, detail from audit_event where object_id = $1 order by at", proposed.json()["id"]
    )
    assert [row["action"] for row in trail] == ["message_release.proposed", "message_release.released"]


async def test_a_lost_number_is_led_home_and_a_refusal_leaves_it_where_it_was(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit
) -> None:
    engineer, chief = await sign_in("interface"), await sign_in("chief")
    scene, message = await visit(unit, "GLU"), await _receive(unit)
    said = report(scene, "GLU", observation("GLU", "5.0"), barcode="NOWHERE", placer_no=None)
    assert (await _file(runtime, message, said))["reason"] == "unknown-barcode"
    first = (await _propose(engineer, message, scene)).json()["id"]
    assert (await chief.post(f"{API}/message-releases/{first}:refuse")).json()["state"] == "rejected"
    late = await chief.post(f"{API}/message-releases/{first}:agree")
    assert (late.status_code, late.json()["code"]) == (409, "release-decided")
    assert (await _file(runtime, message, said)) == {"outcome": "unmatched"}
    second = (await _propose(chief, message, scene)).json()["id"]
    assert (await engineer.post(f"{API}/message-releases/{second}:agree")).status_code == 200
    assert (await _file(runtime, message, said))["outcome"] == "filed"
    assert (await state_of(unit, scene))["GLU"] == ("5.0", "", "final")
    assert await exam_state(unit, scene) == "ready_for_review"


async def test_two_people_cannot_file_a_message_on_another_exam_than_its_own_numbers_name(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit
) -> None:
    engineer, chief = await sign_in("interface"), await sign_in("chief")
    one, other, message = await visit(unit, "GLU"), await visit(unit, "GLU"), await _receive(unit)
    said = report(one, "GLU", observation("GLU", "5.0"), exam_no=None, patient_name="另一人", patient_birth_date=None)
    await _file(runtime, message, said)
    made = (await _propose(engineer, message, other)).json()["id"]
    await chief.post(f"{API}/message-releases/{made}:agree")
    assert (await _file(runtime, message, said))["outcome"] == "quarantined"
    assert (await state_of(unit, one), await state_of(unit, other)) == ({}, {})


async def test_what_needs_no_release_gets_none(sign_in: SignIn, runtime: Runtime, unit: OpenUnit) -> None:
    engineer = await sign_in("interface")
    scene, message = await visit(unit, "GLU"), await _receive(unit)
    for expected in ("received", "filed"):
        refused = await _propose(engineer, message, scene)
        assert (refused.status_code, refused.json()["code"]) == (409, "message-not-releasable"), expected
        await _file(runtime, message, report(scene, "GLU", observation("GLU", "5.0")))


async def test_mapping_a_code_files_what_waited_for_it(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    engineer = await sign_in("interface")
    scene, message = await visit(unit, "GLU"), await _receive(unit)
    code = f"Z{uuid7().hex[-6:]}"
    said = report(scene, "GLU", observation(code, "5.0"))
    assert (await _file(runtime, message, said))["reason"] == "unknown-code"
    async with unit() as uow:
        assert await inbox.waiting_for_code(uow, "lis", code) == [message]
        assert await inbox.waiting_for_code(uow, "pacs", code) == []
    await engineer.put(f"{API}/external-codes/lis/{code}", json={"item_id": str(scene.items["GLU"])})
    assert (
        await admin.fetchval(
            "select count(*) from job where name = 'result.replay_mapped' and payload ->> 'code' = $1", code
        )
        == 1
    )
    replay = _run(runtime, {"system": "lis", "code": code})
    assert await flows.replay_mapped(replay) == {"replayed": 1}
    assert await flows.replay_mapped(replay) == {"replayed": 0}
    assert (await _file(runtime, message, said))["outcome"] == "filed"
    async with unit() as uow:
        assert (await catalog.items_of_external_codes(uow, "lis", [code]))[code].code == "GLU"


@pytest.mark.parametrize("whose", ["another", "nobody"])
async def test_what_is_called_critical_of_nobody_known_is_said_at_once_and_found_on_the_list(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection, whose: str
) -> None:
    scene, message = await visit(unit, "CBC"), await _receive(unit)
    # The source of one campus: what may belong to any of several is seen by who holds all of them.
    await admin.execute("update inbox_message set campuses = '{1}' where id = $1", message)
    grave = replace(observation("K", "7.9"), abnormal_flags=("HH",))
    stray: dict[str, Any] = {"patient_name": "另一人", "exam_no": None}
    said = report(scene, "CBC", grave, **stray)
    if whose == "nobody":
        said = replace(said, results=tuple(replace(one, barcode="T0", placer_no=None) for one in said.results))
    assert (await _file(runtime, message, said))["outcome"] in ("quarantined", "unmatched")
    told = await admin.fetch("select permission, data from live_event where topic = 'alarming_message' and data->>'message_id' = $1", str(message))  # fmt: skip
    assert {row["permission"] for row in told} == {"message.read"}
    for name in ("doctor", "reviewer", "chief", "interface"):
        client = await sign_in(name)
        page = (await client.get(f"{API}/inbound-messages", params={"alarming": True})).json()["items"]
        assert [m["alarming"] for m in page if m["id"] == str(message)] == [True], name
        calm = (await client.get(f"{API}/inbound-messages", params={"alarming": False})).json()["items"]
        assert str(message) not in {m["id"] for m in calm}
