"""The same request twice is done once; the key is kept with the effect, and its answer is nobody's to read."""

import asyncio
from collections import Counter
from uuid import uuid4

import asyncpg
import pytest

from tests.tjapi.world import API, SignIn, World, key
from tjapi.kernel.runtime import Runtime
from tjapi.visit import invented_person


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def test_the_same_request_again_gets_the_same_answer_and_nothing_more(
    world: World, admin: asyncpg.Connection
) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    body, header = await world.order(person, "GLU", "CBC"), key()
    first = await front.post(f"{API}/exams", json=body, headers=header)
    again = await front.post(f"{API}/exams", json=body, headers=header)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert await admin.fetchval("select count(*) from exam where examinee_id = $1", person) == 1
    assert first.headers["etag"] == again.headers["etag"], "whoever repeats a creation may go on editing"


async def test_the_same_key_for_another_request_is_refused(world: World, admin: asyncpg.Connection) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    header = key()
    await front.post(f"{API}/exams", json=await world.order(person, "GLU"), headers=header)
    other = await front.post(f"{API}/exams", json=await world.order(person, "CBC"), headers=header)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert await admin.fetchval("select count(*) from exam where examinee_id = $1", person) == 1


async def test_a_key_belongs_to_one_caller_and_one_operation(world: World) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    header = key()
    one = await front.post(f"{API}/examinees", json={"campus_id": 1, **invented_person()}, headers=header)
    two = await front.post(f"{API}/exams", json=await world.order(person, "GLU"), headers=header)
    elsewhere = await world.sign_in("front.b")
    three = await elsewhere.post(f"{API}/examinees", json={"campus_id": 2, **invented_person()}, headers=header)
    assert [answer.status_code for answer in (one, two, three)] == [201, 201, 201]
    assert not any("idempotency-replayed" in answer.headers for answer in (one, two, three))


async def test_twelve_at_once_have_one_effect(world: World, admin: asyncpg.Connection) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    body, header = await world.order(person, "GLU"), key()
    answers = await asyncio.gather(*(front.post(f"{API}/exams", json=body, headers=header) for _ in range(12)))
    kinds = Counter((a.status_code, a.headers.get("idempotency-replayed", "no")) for a in answers)
    assert kinds[201, "no"] == 1, kinds
    assert set(kinds) <= {(201, "no"), (201, "true"), (409, "no")}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"request-still-running"}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1
    assert await admin.fetchval("select count(*) from exam where examinee_id = $1", person) == 1


async def test_without_a_key_nobody_is_created(world: World, admin: asyncpg.Connection) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    answer = await front.post(f"{API}/exams", json=await world.order(person, "GLU"))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")
    assert answer.json()["errors"][0]["pointer"] == "header:Idempotency-Key"
    assert await admin.fetchval("select count(*) from exam where examinee_id = $1", person) == 0


async def test_a_request_that_failed_leaves_its_key_free(world: World, admin: asyncpg.Connection) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    header = key()
    failed = await front.post(f"{API}/exams", json=await world.order(uuid4(), "GLU"), headers=header)
    assert failed.status_code == 404
    unreadable = await front.post(f"{API}/exams", json={"campus_id": "one"}, headers=header)
    assert unreadable.status_code == 422
    name = header["Idempotency-Key"]
    assert await admin.fetchval("select count(*) from idempotency_key where key = $1", name) == 0
    mended = await front.post(f"{API}/exams", json=await world.order(person, "GLU"), headers=header)
    assert mended.status_code == 201


async def test_a_stored_answer_is_encrypted_and_opens_nowhere_else(world: World, admin: asyncpg.Connection) -> None:
    front, card = await world.sign_in("front"), invented_person()
    mine, other = key(), key()
    created = await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=mine)
    await front.post(f"{API}/examinees", json={"campus_id": 1, **invented_person()}, headers=other)
    names = [mine["Idempotency-Key"], other["Idempotency-Key"]]
    stored = {
        row["key"]: bytes(row["body"])
        for row in await admin.fetch("select key, body from idempotency_key where key = any($1)", names)
    }
    assert card["name"].encode() not in stored[names[0]]
    assert created.json()["id"].encode() not in stored[names[0]]
    # Somebody who can write the table moves one answer under another key: it is not handed out.
    await admin.execute("update idempotency_key set body = $1 where key = $2", stored[names[1]], names[0])
    moved = await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=mine)
    assert (moved.status_code, moved.json()["code"]) == (500, "internal-error")


@pytest.mark.parametrize("bad", ["short", "has a blank in it", "x" * 121])
async def test_a_key_that_is_no_key_is_refused(world: World, bad: str) -> None:
    front = await world.sign_in("front")
    answer = await front.post(
        f"{API}/examinees", json={"campus_id": 1, **invented_person()}, headers={"Idempotency-Key": bad}
    )
    assert answer.status_code == 422
