"""The door under attack: hashing holds up nobody, nobody holds an account up for its owner, and names are not told apart."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.conftest import clone, serving, settings_for
from tjapi import demo, wiring
from tjapi.installation import GATEWAY
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.schema import connect
from tjapi.kernel.security.passwords import Hasher

pytestmark = pytest.mark.requirement("P2")
API = "/api/v1"


@dataclass
class HandClock:
    """Goes when it is told to."""

    at: datetime

    def now(self) -> datetime:
        return self.at


class HeldHasher(Hasher):
    """Hashes when it is let."""

    def __init__(self, slots: int, queue: int) -> None:
        super().__init__(slots, queue)
        self.let = asyncio.Event()
        self.let.set()

    async def verify(self, password: str, stored: str | None) -> bool:
        await self.let.wait()
        return await super().verify(password, stored)


@dataclass
class Door:
    """A server behind a proxy of its own, with one connection a role and four places to be hashed in."""

    http: httpx.AsyncClient
    runtime: Runtime
    clock: HandClock
    hasher: HeldHasher
    admin: asyncpg.Connection

    async def login(self, username: str, password: str, source: str) -> httpx.Response:
        body, headers = {"username": username, "password": password}, {"X-Forwarded-For": source}
        return await self.http.post(f"{API}/auth/token", json=body, headers=headers)

    def right(self, username: str) -> str:
        return demo.password(self.runtime.keys, username)

    async def audited(self, action: str) -> list[Any]:
        return list(await self.admin.fetch("select * from audit_event where action = $1 order by id desc", action))


@pytest.fixture(scope="module")
async def door(worker_name: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    state: Path = tmp_path_factory.mktemp("door")
    settings = settings_for(await clone(f"tj_door_{worker_name}"), state).model_copy(
        update={"trusted_proxies": "127.0.0.1", "rate_factor": 1.0, "database_pool": 1}
    )
    clock, hasher = HandClock(datetime.now(UTC)), HeldHasher(1, 3)
    runtime = dataclasses.replace(wiring.build(settings, clock=clock), hasher=hasher)
    admin = await connect(settings)
    async with serving(runtime) as url, httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        yield Door(http, runtime, clock, hasher, admin)
    await admin.close()


async def test_whoever_is_hashed_for_holds_no_connection_and_the_queue_has_an_end(door: Door) -> None:
    door.hasher.let.clear()
    waiting = [asyncio.create_task(door.login("front", "wrong", f"10.1.0.{i}")) for i in range(4)]
    while door.hasher._taken < 4:  # noqa: ASYNC110 - what is waited for happens in the server's tasks
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)  # all of them have read the account by now
    # One connection a role, four logins under way: somebody else's write gets it at once.
    async with asyncio.timeout(10), door.runtime.units.open(demo.LOADER) as uow:
        await uow.audit("test.wrote", "test", "1")
    beyond = await door.login("front", "wrong", "10.1.0.9")
    assert (beyond.status_code, beyond.json()["code"]) == (429, "too-many-requests")
    assert int(beyond.headers["retry-after"]) >= 1
    door.hasher.let.set()
    assert [(await one).status_code for one in waiting] == [401] * 4


async def test_what_a_stranger_guesses_elsewhere_holds_nobody_up_and_an_account_is_not_guessed_from_many_places(
    door: Door,
) -> None:
    own, right = "10.2.0.1", door.right("doctor")
    assert (await door.login("doctor", right, own)).status_code == 200
    stranger = [(await door.login("doctor", "wrong", "10.2.9.9")).status_code for _ in range(7)]
    assert stranger == [401] * 5 + [429] * 2
    many = [(await door.login("doctor", "wrong", f"10.3.0.{i}")).status_code for i in range(25)]
    assert many.count(401) <= 20
    assert set(many) == {401, 429}
    # From elsewhere even the right one waits now; from where the account signs in nothing is in the way.
    braked = await door.login("doctor", right, "10.4.0.1")
    assert (braked.status_code, braked.json()["code"]) == (429, "too-many-requests")
    assert (await door.login("doctor", right, own)).status_code == 200
    door.clock.at += timedelta(minutes=10)
    assert (await door.login("doctor", right, "10.4.0.1")).status_code == 200


async def test_a_name_that_nobody_has_costs_the_same_looks_the_same_and_is_written_down_the_same(door: Door) -> None:
    found = {}
    for name, source in (("chief", "10.5.0.1"), ("nobody-here", "10.5.0.2")):
        before = await door.audited("staff.login_failed")
        answers = [await door.login(name, "wrong", source) for _ in range(6)]
        after = (await door.audited("staff.login_failed"))[: -len(before) or None]
        said = [
            (a.status_code, a.headers.get("retry-after"), {k: v for k, v in a.json().items() if k != "request_id"})
            for a in answers
        ]
        rows = [(r["object_type"], r["principal_kind"], json.loads(r["detail"])) for r in after]
        found[name] = said, rows
        assert [r["source"] for r in after] == [source] * 5
        assert not any(name in str(dict(r)) for r in after)
    assert found["chief"] == found["nobody-here"]


async def test_a_wrong_secret_of_a_client_is_written_down_with_the_address_it_came_from(door: Door) -> None:
    for client_id in (GATEWAY, "no-such-client"):
        body = {"client_id": client_id, "client_secret": "wrong"}
        refused = await door.http.post(f"{API}/auth/client-token", json=body, headers={"X-Forwarded-For": "10.6.0.7"})
        assert (refused.status_code, refused.json()["code"]) == (401, "credentials-wrong")
    rows = (await door.audited("api_client.token_refused"))[:2]
    known = await door.admin.fetchval("select id from api_client where client_id = $1", GATEWAY)
    assert rows[1]["object_id"] == str(known)
    assert rows[0]["object_id"].startswith("unknown:")
    assert [r["source"] for r in rows] == ["10.6.0.7"] * 2


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("10.7.0.1", "10.7.0.1"),
        ("1.2.3.4, 10.7.0.2", "10.7.0.2"),  # what a caller says of itself stands further left
        ("10.7.0.3, 127.0.0.1", "10.7.0.3"),
        ("unknown", "127.0.0.1"),
        ("::ffff:10.7.0.4", "10.7.0.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "127.0.0.1"),
    ],
)
async def test_of_what_proxies_say_the_last_address_counts_that_is_none_of_ours(
    door: Door, forwarded: str, expected: str
) -> None:
    await door.login("no-such-name", "wrong", forwarded)
    assert (await door.audited("staff.login_failed"))[0]["source"] == expected
    door.clock.at += timedelta(hours=1)


async def test_nobody_is_believed_who_is_no_proxy_of_ours(
    anonymous: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    body, headers = {"username": "no-such-name", "password": "wrong"}, {"X-Forwarded-For": "10.8.0.1"}
    refused = await anonymous.post(f"{API}/auth/token", json=body, headers=headers)
    row = await admin.fetchrow("select source from audit_event where request_id = $1", refused.headers["x-request-id"])
    assert row is not None
    assert row["source"] == "127.0.0.1"


async def test_an_address_signs_in_so_often_a_minute_and_a_caller_unmasks_so_often(door: Door) -> None:
    door.clock.at += timedelta(hours=1)
    found = [(await door.login(f"nobody-{i}", "wrong", "10.9.0.1")).status_code for i in range(62)]
    assert found == [401] * 60 + [429] * 2
    pages = [
        (await door.http.get("/r/no-such-link", headers={"X-Forwarded-For": "10.9.0.3"})).status_code
        for _ in range(122)
    ]
    assert pages == [404] * 120 + [429] * 2
    front = (await door.login("front", door.right("front"), "10.9.0.2")).json()["access_token"]
    path, headers = f"{API}/examinees/{'0' * 8}-0000-7000-8000-{'0' * 12}:unmask", {"Authorization": f"Bearer {front}"}
    answers = [await door.http.post(path, json={"purpose": "核对"}, headers=headers) for _ in range(14)]
    assert [a.status_code for a in answers] == [404] * 12 + [429] * 2
    assert answers[-1].headers["retry-after"] == "5"
