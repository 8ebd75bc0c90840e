"""What is pushed at us is kept once, as it came; what says two things under one name is kept beside and not believed."""

import asyncio
import hashlib
import secrets
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, SignIn
from tjapi import demo
from tjapi.kernel import inbox
from tjapi.kernel.inbox import InboundMessageNotFound, MessageNotReplayable
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal

BODY = "MSH|^~\\&|LIS|LAB|TJ|TJ|20261122||ORU^R01|1|P|2.4\rPID|||1||陈珅\r".encode()


def _id() -> str:
    return f"T{secrets.token_hex(8)}"


async def _push(
    client: httpx.AsyncClient, message_id: str, body: bytes = BODY, source: str = "lis", **more: Any
) -> httpx.Response:
    headers = {"X-Source": source, "X-Message-Id": message_id, "Content-Type": "application/hl7-v2", **more}
    return await client.post(f"{API}/inbound-messages", content=body, headers=headers)


async def _rows(admin: asyncpg.Connection, message_id: str) -> list[asyncpg.Record]:
    return list(
        await admin.fetch(
            "select * from inbox_message where message_id = $1 or message_id like $1 || '#%' order by received_at",
            message_id,
        )
    )


async def _jobs(admin: asyncpg.Connection, message: object) -> int:
    return int(await admin.fetchval("select count(*) from job where payload ->> 'message_id' = $1", str(message)))


async def test_the_same_bytes_again_get_the_same_answer_and_are_kept_once(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    first, again = await _push(gateway, name), await _push(gateway, name)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.json()["duplicate"], again.json()["duplicate"]) == (False, True)
    assert {**first.json(), "duplicate": True} == again.json()
    (row,) = await _rows(admin, name)
    assert row["sha256"] == hashlib.sha256(BODY).digest()
    assert await _jobs(admin, row["id"]) == 1


async def test_what_came_is_kept_encrypted_and_comes_back_byte_for_byte(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, engineer, name = await sign_in("device-gateway"), await sign_in("interface"), _id()
    body = bytes(range(1, 256)) * 40
    kept = (await _push(gateway, name, body)).json()
    (row,) = await _rows(admin, name)
    assert body[:16] not in bytes(row["body"])
    raw = await engineer.get(f"{API}/inbound-messages/{kept['id']}/raw")
    assert (raw.content, raw.headers["cache-control"]) == (body, "no-store")
    read = await admin.fetchval(
        "select count(*) from audit_event where action = 'inbound_message.raw_read' and object_id = $1", kept["id"]
    )
    assert read == 1


async def test_other_bytes_under_a_used_id_are_refused_and_kept_beside_in_quarantine(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    await _push(gateway, name)
    for _ in range(2):
        refused = await _push(gateway, name, BODY + b"\rOBX|1")
        assert (refused.status_code, refused.json()["code"]) == (409, "message-content-differs")
    first, stranger = await _rows(admin, name)
    assert (first["state"], first["reason"], first["sha256"]) == ("received", None, hashlib.sha256(BODY).digest())
    assert (stranger["state"], stranger["reason"]) == ("quarantined", "content-differs")
    assert (await _jobs(admin, first["id"]), await _jobs(admin, stranger["id"])) == (1, 0)


async def test_two_sources_may_use_the_same_id(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    one, two = await _push(gateway, name), await _push(gateway, name, b"other", source="pacs")
    assert (one.status_code, two.status_code, len(await _rows(admin, name))) == (202, 202, 2)


async def test_a_client_answers_for_its_own_numbers_and_not_for_anothers(
    sign_in: SignIn, base_url: str, admin: asyncpg.Connection
) -> None:
    ours, administrator, name = await sign_in("device-gateway"), await sign_in("admin"), _id()
    theirs = {"client_id": f"lab-{name.lower()}", "name": "城东检验", "scopes": ["message.push"], "campuses": [2]}
    made = await administrator.post(f"{API}/api-clients", json=theirs, headers={"Idempotency-Key": name})
    await (await sign_in("security")).post(f"{API}/api-clients/{made.json()['id']}:approve")
    login = {"client_id": theirs["client_id"], "client_secret": made.json()["client_secret"]}
    async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as client:
        token = (await client.post(f"{API}/auth/client-token", json=login)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        answers = [
            await _push(client, name, BODY + b"theirs"),
            await _push(ours, name),
            await _push(client, name, BODY + b"theirs"),
        ]
    assert [(a.status_code, a.json()["duplicate"]) for a in answers] == [(202, False), (202, False), (202, True)]
    assert [row["state"] for row in await _rows(admin, name)] == ["received", "received"]


async def test_twenty_copies_at_once_are_one_message_with_one_job(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    answers = await asyncio.gather(*(_push(gateway, name) for _ in range(20)))
    assert {a.status_code for a in answers} == {202}
    assert sorted(a.json()["duplicate"] for a in answers) == [False] + [True] * 19
    (row,) = await _rows(admin, name)
    assert await _jobs(admin, row["id"]) == 1


async def test_a_copy_that_comes_before_the_first_is_committed_waits_and_finds_it(runtime: Runtime) -> None:
    told = {"source": "lis", "message_id": _id(), "body": BODY, "media_type": "x", "gateway_received_at": None}

    async def again() -> tuple[UUID, bool]:
        async with runtime.units.open(demo.LOADER) as uow:
            message, before = await inbox.receive(uow, **told)  # type: ignore[arg-type]
            return message.id, before

    async with runtime.units.open(demo.LOADER) as uow:
        first, before = await inbox.receive(uow, **told)  # type: ignore[arg-type]
        second = asyncio.create_task(again())
        await asyncio.sleep(0.15)
        assert (before, second.done()) == (False, False)
    assert await second == (first.id, True)


async def test_ten_of_each_of_two_contents_at_once_end_with_one_believed_and_one_beside(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    answers = await asyncio.gather(*(_push(gateway, name, BODY + bytes([65 + i % 2])) for i in range(20)))
    assert sorted(a.status_code for a in answers) == [202] * 10 + [409] * 10
    assert sorted(row["state"] for row in await _rows(admin, name)) == ["quarantined", "received"]


@pytest.mark.parametrize("ended", ["unmatched", "quarantined", "filed", "duplicate", "revision", "received"])
async def test_only_what_was_unmatched_or_quarantined_is_filed_again(
    sign_in: SignIn, runtime: Runtime, admin: asyncpg.Connection, ended: str
) -> None:
    gateway, engineer, name = await sign_in("device-gateway"), await sign_in("interface"), _id()
    kept = (await _push(gateway, name)).json()
    async with runtime.units.open(demo.LOADER) as uow:
        if ended != "received":
            await inbox.end(uow, kept["id"], ended, reason="for-the-test")
    again = await engineer.post(f"{API}/inbound-messages/{kept['id']}:replay")
    if ended in ("unmatched", "quarantined"):
        assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (200, "received", 1)
        assert await _jobs(admin, kept["id"]) == 2
    else:
        assert (again.status_code, again.json()["code"]) == (409, "message-not-replayable")
        assert await _jobs(admin, kept["id"]) == 1


@pytest.mark.requirement("E3.5")
async def test_two_senders_behind_one_channel_may_use_the_same_number(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    answers = [
        await _push(gateway, name, body, **{"X-Sender": sender})
        for sender, body in (("LIS/LAB", BODY), ("POCT/", BODY + b"other"), ("LIS/LAB", BODY), ("POCT/", BODY + b"third"))
    ]  # fmt: skip
    assert [a.status_code for a in answers] == [202, 202, 202, 409]
    assert [a.json()["duplicate"] for a in answers[:3]] == [False, False, True]
    kept = {(row["sender"], row["state"], row["reason"]) for row in await _rows(admin, name)}
    assert kept == {
        ("LIS/LAB", "received", None),
        ("POCT/", "received", None),
        ("POCT/", "quarantined", "content-differs"),
    }


async def test_a_number_that_was_kept_before_senders_were_told_apart_may_be_anybodys(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    await _push(gateway, name)
    again = await _push(gateway, name, BODY, **{"X-Sender": "LIS/LAB"})
    other = await _push(gateway, name, BODY + b"x", **{"X-Sender": "LIS/LAB"})
    assert (again.json()["duplicate"], other.status_code) == (True, 409)


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(
    "reason", ["charset-doubtful", "unparsable", "no-usable-id", "batch-differs", "frame-not-ended", "not-production"]
)
async def test_whatever_was_answered_ae_is_kept_and_filed_by_no_machine_and_no_single_person(
    sign_in: SignIn, admin: asyncpg.Connection, reason: str
) -> None:
    gateway, engineer, name = await sign_in("device-gateway"), await sign_in("interface"), _id()
    kept, again = [await _push(gateway, name, BODY, "lis", **{"X-Quarantine": reason}) for _ in range(2)]
    assert (kept.status_code, kept.json()["state"], again.json()["duplicate"]) == (202, "quarantined", True)
    (row,) = await _rows(admin, name)
    assert (row["state"], row["reason"], await _jobs(admin, row["id"])) == ("quarantined", reason, 0)
    replayed = await engineer.post(f"{API}/inbound-messages/{row['id']}:replay")
    assert (replayed.status_code, replayed.json()["code"]) == (409, "message-not-replayable")
    assert await _jobs(admin, row["id"]) == 0


async def test_a_reused_number_that_comes_before_the_first_is_kept_beside_all_the_same(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    refused = await _push(gateway, name, BODY + b"second", **{"X-Quarantine": "content-differs"})
    first = await _push(gateway, name)
    assert (refused.status_code, refused.json()["state"], first.json()["state"]) == (202, "quarantined", "received")
    assert {row["reason"] for row in await _rows(admin, name)} == {None, "content-differs"}


async def test_a_stranger_under_a_used_id_is_never_filed(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    gateway, engineer, name = await sign_in("device-gateway"), await sign_in("interface"), _id()
    await _push(gateway, name)
    await _push(gateway, name, b"something else")
    stranger = (await _rows(admin, name))[1]["id"]
    assert (await engineer.post(f"{API}/inbound-messages/{stranger}:replay")).status_code == 409


async def test_what_has_ended_does_not_end_again(sign_in: SignIn, runtime: Runtime, admin: asyncpg.Connection) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    kept = (await _push(gateway, name)).json()
    async with runtime.units.open(demo.LOADER) as uow:
        await inbox.end(uow, kept["id"], "filed")
        await inbox.end(uow, kept["id"], "quarantined", reason="too late")
    (row,) = await _rows(admin, name)
    assert (row["state"], row["reason"]) == ("filed", None)


async def test_once_matched_a_message_belongs_to_its_campus_alone(sign_in: SignIn, runtime: Runtime) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    kept = (await _push(gateway, name)).json()
    async with runtime.units.open(demo.LOADER) as uow:
        await inbox.end(uow, kept["id"], "filed", campus_id=1)
    elsewhere = Principal("staff", demo.LOADER.id, campuses=(2,), departments=None)
    async with runtime.units.read(elsewhere) as uow:
        with pytest.raises(InboundMessageNotFound):
            await inbox.get(uow, kept["id"])


async def test_replaying_and_its_trace_are_one(sign_in: SignIn, runtime: Runtime, admin: asyncpg.Connection) -> None:
    gateway, name = await sign_in("device-gateway"), _id()
    kept = (await _push(gateway, name)).json()
    asked = "select count(*) from audit_event where action = 'inbound_message.replayed' and object_id = $1"
    with pytest.raises(MessageNotReplayable):
        async with runtime.units.open(demo.LOADER) as uow:
            await inbox.replay(uow, kept["id"])
    assert await admin.fetchval(asked, kept["id"]) == 0
