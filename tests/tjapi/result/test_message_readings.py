"""What was answered AE, reads two ways or comes as a batch: people say how it is taken, and then it is filed as any other."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, Unfenced, alerts_of, state_of, visit
from tests.tjapi.world import API, SignIn
from tjapi.exam import service as exams
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.result import flows

pytestmark = pytest.mark.requirement("E3.5", "X13")


def _oru(scene: Scene, value: str, *, charset: str = "UNICODE UTF-8", sent: str = "20261123120000+0800", extra: str = "") -> bytes:  # fmt: skip
    """A report on glucose. The name is in it, so that its bytes are no ASCII."""
    return (
        f"MSH|^~\\&|LIS|LAB|TJ||{sent}||ORU^R01|{uuid7().hex[:12]}|P|2.5.1||||||{charset}\r"
        f"PID|1||{scene.exam_no}^^^TJ^VN||{scene.name}||19860301|M\rOBR|1|{scene.placers['GLU']}||GLU\r"
        f"OBX|1|NM|GLU^葡萄糖||{value}|mmol/L|||||F\r{extra}SPM|1|{scene.barcodes['GLU']}\r"
    ).encode()


async def _push(client: httpx.AsyncClient, body: bytes, name: str = "", **more: str) -> UUID:
    headers = {"X-Source": "lis", "X-Message-Id": name or uuid7().hex, "Content-Type": "application/hl7-v2", **more}
    answer = await client.post(f"{API}/inbound-messages", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["id"])


async def _file(runtime: Runtime, message: UUID) -> dict[str, Any]:
    """As the worker does, with the parser of the house."""

    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    run = JobRun(
        id=uuid7(), name="test", payload={"message_id": str(message)}, campus_id=None, attempts=0, fence=1, units=Unfenced(runtime),
        services=runtime.services, report=silent, created_by=uuid7(),
    )  # fmt: skip
    return dict(await flows.file_message(run))


async def _release(proposer: httpx.AsyncClient, other: httpx.AsyncClient, message: UUID, **said: str) -> None:
    given = {"reason": "已与检验科核对", **said}
    made = await proposer.post(f"{API}/inbound-messages/{message}:propose-release", json=given)
    assert made.status_code == 200, made.text
    place = f"{API}/message-releases/{made.json()['id']}:agree"
    alone = await proposer.post(place)
    assert (alone.status_code, alone.json()["code"]) == (409, "same-person")
    assert (await other.post(place)).status_code == 200


@pytest.mark.parametrize("refused_at_the_door", [True, False])
async def test_a_doubtful_charset_is_shown_in_each_reading_and_filed_in_the_one_that_two_people_choose(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection, refused_at_the_door: bool
) -> None:
    gateway, engineer, chief = await sign_in("device-gateway"), await sign_in("interface"), await sign_in("chief")
    scene = await visit(unit, "GLU")
    message = await _push(gateway, _oru(scene, "28.1", charset="GB18030"), **({"X-Quarantine": "charset-doubtful"} if refused_at_the_door else {}))  # fmt: skip
    outcome = {"outcome": "quarantined"} if refused_at_the_door else {"outcome": "quarantined", "reason": "charset-doubtful"}  # fmt: skip
    assert await _file(runtime, message) == outcome
    assert await state_of(unit, scene) == {}
    seen = await engineer.get(f"{API}/inbound-messages/{message}/readings")
    assert (seen.status_code, seen.headers["cache-control"]) == (200, "no-store")
    by = {reading["charset"]: reading for reading in seen.json()["items"]}
    assert (by["utf-8"]["name"], by["utf-8"]["values"][0]["value"], by["utf-8"]["unreadable"]) == (
        scene.name,
        "28.1",
        0,
    )
    assert by["gb18030"]["name"] != scene.name
    audit = "select count(*) from audit_event where action = 'inbound_message.readings_read' and object_id = $1"
    assert await admin.fetchval(audit, str(message)) == 1
    lacking = await engineer.post(f"{API}/inbound-messages/{message}:propose-release", json={"reason": "看过"})
    assert (lacking.status_code, lacking.json()["code"]) == (422, "release-incomplete")
    await _release(engineer, chief, message, charset="utf-8")
    assert await _file(runtime, message) == {"outcome": "filed", "reason": None}
    assert (await state_of(unit, scene))["GLU"][0] == "28.1"  # type: ignore[index]


async def test_a_chosen_charset_places_nothing_and_a_wrong_one_can_be_chosen_again(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit
) -> None:
    gateway, engineer, chief = await sign_in("device-gateway"), await sign_in("interface"), await sign_in("chief")
    scene = await visit(unit, "GLU")
    unnumbered = _oru(scene, "5.0", charset="GB18030").replace(f"{scene.exam_no}^^^TJ^VN".encode(), b"")
    message = await _push(gateway, unnumbered)
    await _file(runtime, message)
    await _release(engineer, chief, message, charset="iso-8859-1")
    ended = await _file(runtime, message)
    assert ended == {"outcome": "quarantined", "reason": "identity-mismatch"}
    assert await state_of(unit, scene) == {}
    await _release(chief, engineer, message, charset="utf-8")
    assert (await _file(runtime, message))["outcome"] == "filed"


async def test_a_reused_number_with_other_content_is_no_dead_end(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    gateway, engineer, chief = await sign_in("device-gateway"), await sign_in("interface"), await sign_in("chief")
    one, other, name = await visit(unit, "GLU"), await visit(unit, "GLU"), uuid7().hex
    first = await _push(gateway, _oru(one, "5.0"), name)
    headers = {"X-Source": "lis", "X-Message-Id": name, "Content-Type": "application/hl7-v2"}
    refused = await gateway.post(f"{API}/inbound-messages", content=_oru(other, "6.0"), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "message-content-differs")
    assert (await _file(runtime, first))["outcome"] == "filed"
    beside = await admin.fetchval("select id from inbox_message where message_id like $1 || '#%'", name)
    assert (await engineer.post(f"{API}/inbound-messages/{beside}:replay")).status_code == 409
    await _release(engineer, chief, beside)
    assert (await _file(runtime, beside))["outcome"] == "filed"
    assert (await state_of(unit, one))["GLU"][0] == "5.0"  # type: ignore[index]
    assert (await state_of(unit, other))["GLU"][0] == "6.0"  # type: ignore[index]


async def test_a_batch_that_is_pushed_as_one_is_taken_up_message_by_message(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    gateway = await sign_in("device-gateway")
    one, other, name = await visit(unit, "GLU"), await visit(unit, "GLU"), uuid7().hex
    body = b"FHS|^~\\&\rBHS|^~\\&\r" + _oru(one, "5.0") + _oru(other, "6.0") + b"BTS|3\rFTS|1\r"
    batch = await _push(gateway, body, name)
    assert (await _file(runtime, batch))["outcome"] == "quarantined"
    row = await admin.fetchrow("select state, reason, detail from inbox_message where id = $1", batch)
    assert (row["state"], row["reason"]) == ("quarantined", "batch-differs")
    assert "BTS-1 says 3 messages, 2 are here" in row["detail"]
    parts = await admin.fetch("select id from inbox_message where message_id like $1 || '/%' order by message_id", name)
    assert [(await _file(runtime, part["id"]))["outcome"] for part in parts] == ["filed", "filed"]
    assert (await state_of(unit, other))["GLU"][0] == "6.0"  # type: ignore[index]


async def test_a_message_without_its_own_time_takes_that_of_arrival_and_what_was_left_out_is_said(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    gateway, scene = await sign_in("device-gateway"), await visit(unit, "GLU")
    body = _oru(scene, "5.0", sent="", extra="OBX|2|||||||||||\r")
    message = await _push(gateway, body, **{"X-Received-At": "2026-11-23T09:00:00+08:00"})
    assert await _file(runtime, message) == {"outcome": "unmatched", "reason": "left-out"}
    assert (await state_of(unit, scene))["GLU"][0] == "5.0"  # type: ignore[index]
    moment = await admin.fetchval("select to_char(observed_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') from result_revision where message_id = $1", message)  # fmt: skip
    assert moment == "2026-11-23 09:00"
    detail = await admin.fetchval("select detail -> 'left_out' ->> 0 from inbox_message where id = $1", message)
    assert detail == "OBX[2]: no code, no value"


def _mislabelled(owner: Scene, label: Scene, *, placer: bool = False, name: str | None = None) -> bytes:
    """A report on potassium: of one person by all that identifies them, under the label of another one's tube."""
    order = owner.placers["ELECTROLYTE"] if placer else ""
    return (
        f"MSH|^~\\&|LIS|LAB|TJ||20261123120000+0800||ORU^R01|{uuid7().hex[:12]}|P|2.5.1||||||UNICODE UTF-8\r"
        f"PID|1||{owner.exam_no if name is None else ''}^^^TJ^VN||{name or owner.name}||19860301|M\rOBR|1|{order}||ELECTROLYTE\r"
        f"OBX|1|NM|K^钾||7.9|mmol/L||HH|||F\rSPM|1|{label.barcodes['ELECTROLYTE']}\r"
    ).encode()


@pytest.mark.requirement("E3.4", "E5.2")
@pytest.mark.parametrize("placer", [True, False])
async def test_a_tube_under_a_wrong_label_is_filed_and_alarms_where_two_people_say_whose_it_is(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, placer: bool
) -> None:
    gateway, engineer, chief = [await sign_in(who) for who in ("device-gateway", "interface", "chief")]
    label, owner = await visit(unit, "ELECTROLYTE"), await visit(unit, "ELECTROLYTE")
    message = await _push(gateway, _mislabelled(owner, label, placer=placer))
    assert (await _file(runtime, message))["reason"] == "identity-mismatch"
    await _release(engineer, chief, message, exam_id=str(owner.exam_id))
    assert (await _file(runtime, message))["outcome"] == "filed"
    assert (await state_of(unit, owner))["K"] == ("7.9", "HH", "final")
    assert [c.rule_code for c in await alerts_of(unit, owner.exam_id)] == ["CRIT-K-HIGH"]
    # Whose label it bears has no result of it, and no alert; their own specimen is still awaited.
    assert (await state_of(unit, label), list(await alerts_of(unit, label.exam_id))) == ({}, [])


@pytest.mark.requirement("E3.4", "E5.2")
async def test_what_two_people_place_on_an_exam_that_has_no_line_for_it_alarms_there(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit
) -> None:
    gateway, engineer, chief = [await sign_in(who) for who in ("device-gateway", "interface", "chief")]
    label, owner = await visit(unit, "ELECTROLYTE"), await visit(unit, "GLU")
    message = await _push(gateway, _mislabelled(owner, label))
    await _file(runtime, message)
    await _release(engineer, chief, message, exam_id=str(owner.exam_id))
    assert (await _file(runtime, message))["reason"] == "item-not-ordered"
    assert [c.state for c in await alerts_of(unit, owner.exam_id)] == ["detected"]


@pytest.mark.requirement("E3.4")
async def test_a_release_in_vain_is_refused_when_it_is_proposed_and_again_when_it_is_agreed_to(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    gateway, engineer, chief = [await sign_in(who) for who in ("device-gateway", "interface", "chief")]
    label, owner = await visit(unit, "ELECTROLYTE"), await visit(unit, "ELECTROLYTE")
    stranger = await _push(gateway, _mislabelled(owner, label, name="另一人"))
    await _file(runtime, stranger)
    given = {"reason": "标签贴错", "exam_id": str(owner.exam_id)}
    refused = await engineer.post(f"{API}/inbound-messages/{stranger}:propose-release", json=given)
    assert (refused.status_code, refused.json()["code"]) == (409, "release-in-vain")
    # Proposed while it could succeed, agreed to when it cannot any more: whose the person is was put right meanwhile.
    message = await _push(gateway, _mislabelled(owner, label))
    await _file(runtime, message)
    made = await engineer.post(f"{API}/inbound-messages/{message}:propose-release", json=given)
    assert made.status_code == 200, made.text
    await admin.execute("update exam set name = '更名者' where id = $1", owner.exam_id)
    agreed = await chief.post(f"{API}/message-releases/{made.json()['id']}:agree")
    assert (agreed.status_code, agreed.json()["code"]) == (409, "release-in-vain")
    assert (await chief.post(f"{API}/message-releases/{made.json()['id']}:refuse")).status_code == 200
    assert await state_of(unit, owner) == {}


@pytest.mark.requirement("E3.4")
async def test_what_was_drawn_for_a_cancelled_exam_is_released_to_the_next_one_of_that_same_person_alone(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit
) -> None:
    gateway, engineer, chief = [await sign_in(who) for who in ("device-gateway", "interface", "chief")]
    over = await visit(unit, "ELECTROLYTE")
    async with unit() as uow:
        await exams.cancel(uow, over.exam_id, "登记有误")
    message = await _push(gateway, _mislabelled(over, over, placer=True))
    assert (await _file(runtime, message))["reason"] == "line-not-live"
    again, another = await visit(unit, "ELECTROLYTE", of=over.exam_id, name=over.name), await visit(unit, "ELECTROLYTE")
    # Of one name, sex and birth date, and not the same person.
    namesake = await visit(unit, "ELECTROLYTE", name=over.name)
    propose = f"{API}/inbound-messages/{message}:propose-release"
    for elsewhere in (another.exam_id, namesake.exam_id, over.exam_id):
        given = {"reason": "登记有误", "exam_id": str(elsewhere)}
        refused = await engineer.post(propose, json=given)
        assert (refused.status_code, refused.json()["code"]) == (409, "release-in-vain")
    # Somebody else's name under these numbers is nobody's to say, whoever says so.
    stranger = await _push(gateway, _mislabelled(over, over, placer=True, name="另一人"))
    await _file(runtime, stranger)
    given = {"reason": "登记有误", "exam_id": str(again.exam_id)}
    refused = await engineer.post(f"{API}/inbound-messages/{stranger}:propose-release", json=given)
    assert (refused.status_code, refused.json()["code"]) == (409, "release-in-vain")
    await _release(engineer, chief, message, exam_id=str(again.exam_id))
    assert (await _file(runtime, message))["outcome"] == "filed"
    assert (await state_of(unit, again))["K"] == ("7.9", "HH", "final")
    assert "CRIT-K-HIGH" in {c.rule_code for c in await alerts_of(unit, again.exam_id)}


@pytest.mark.requirement("E3.4")
async def test_a_number_of_an_exam_that_is_not_cancelled_is_another_exams(
    sign_in: SignIn, runtime: Runtime, unit: OpenUnit
) -> None:
    gateway, engineer = [await sign_in(who) for who in ("device-gateway", "interface")]
    first = await visit(unit, "ELECTROLYTE")
    second = await visit(unit, "ELECTROLYTE", of=first.exam_id, name=first.name)
    async with unit() as uow:
        await exams.set_aside(uow, first.exam_id, [first.lines["ELECTROLYTE"]], "waived", reason="不做")
    message = await _push(gateway, _mislabelled(first, first, placer=True))
    assert (await _file(runtime, message))["reason"] == "line-not-live"
    given = {"reason": "登记有误", "exam_id": str(second.exam_id)}
    refused = await engineer.post(f"{API}/inbound-messages/{message}:propose-release", json=given)
    assert (refused.status_code, refused.json()["code"]) == (409, "release-in-vain")
