"""Sessions are listed and end; a second factor; proof anew; passwords that must be changed; streams that end with their right."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.access.conftest import PASSWORD, World, do
from tests.conftest import serving
from tjapi import wiring
from tjapi.kernel.limits import Limits
from tjapi.kernel.security import totp
from tjapi.kernel.settings import Settings

pytestmark = [pytest.mark.xdist_group("access"), pytest.mark.requirement("P2")]
NOBODY = "00000000-0000-7000-8000-000000000000"


@dataclass
class HandClock:
    """Goes when it is told to."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def code(self, secret: str) -> str:
        return totp.code_at(secret, int(self.at.timestamp()) // totp.STEP_SECONDS)


@dataclass
class Door:
    """A server with a clock of its own, strict, on the same database."""

    url: str
    clock: HandClock
    http: httpx.AsyncClient

    async def login(self, username: str, **more: str) -> httpx.Response:
        body = {"username": username, "password": PASSWORD, **more}
        return await self.http.post("/api/v1/auth/token", json=body)

    async def entered(self, username: str, **more: str) -> httpx.AsyncClient:
        answer = await self.login(username, **more)
        assert answer.status_code == 200, answer.text
        return httpx.AsyncClient(
            base_url=self.url,
            timeout=30,
            trust_env=False,
            headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
        )


@pytest.fixture(scope="module")
async def door(settings: Settings) -> AsyncIterator[Door]:
    clock = HandClock(datetime.now(UTC))
    strict = settings.model_copy(
        update={"step_up_minutes": 10, "stream_seconds": 0.2, "second_factor_roles": "auditor", "rate_factor": 1.0}
    )
    # Counts of its own: its clock goes where no other does.
    built = wiring.build(strict, clock=clock)
    apart = dataclasses.replace(built, limits=Limits(built.broker, b"k" * 32, f"door {strict.database_url}", clock.now))
    async with (
        serving(apart) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
    ):
        yield Door(url, clock, http)


async def status(client: httpx.AsyncClient, path: str = "/auth/principal") -> int:
    return (await client.get(f"/api/v1{path}")).status_code


async def code(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


async def test_sessions_are_listed_and_end_one_all_others_or_by_the_administrator(world: World, door: Door) -> None:
    colleague = await world.hire()
    here, there, third = [await door.entered(colleague["username"]) for _ in range(3)]
    listed = (await do(here, "GET", "/auth/sessions")).json()["items"]
    assert (len(listed), [one["current"] for one in listed].count(True)) == (3, True)
    assert {one["source"] for one in listed} == {"127.0.0.1"}
    theirs = (await do(there, "GET", "/auth/sessions")).json()["items"]
    own_of_there = next(one["id"] for one in theirs if one["current"])
    stranger = await door.entered((await world.hire())["username"])
    await do(stranger, "POST", f"/auth/sessions/{own_of_there}:end", 404)
    await do(here, "POST", f"/auth/sessions/{own_of_there}:end", 204)
    assert [await status(c) for c in (here, there, third)] == [200, 401, 200]
    await do(here, "POST", "/auth/sessions:end-others", 204)
    assert [await status(c) for c in (here, third)] == [200, 401]
    await do(world.clients["admin"], "POST", f"/staff/{colleague['id']}:end-sessions")
    assert await status(here) == 401


async def test_a_session_ends_when_it_is_idle_and_after_its_longest_life(world: World, door: Door) -> None:
    colleague = await world.hire()
    pair = (await door.login(colleague["username"])).json()

    async def renew() -> httpx.Response:
        return await door.http.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})

    for _ in range(12):  # twelve times nearly two hours: a day but a minute
        door.clock.at += timedelta(minutes=119)
        answer = await renew()
        assert answer.status_code == 200
        pair = answer.json()
    assert pair["expires_in"] <= 15 * 60
    door.clock.at += timedelta(minutes=13)
    assert (await renew()).status_code == 401
    pair = (await door.login(colleague["username"])).json()
    door.clock.at += timedelta(minutes=121)
    assert (await renew()).status_code == 401


async def test_whoever_has_a_second_factor_signs_in_with_it_and_each_code_is_good_once(
    world: World, door: Door
) -> None:
    colleague = await world.hire()
    name, client = colleague["username"], await door.entered(colleague["username"])
    made = (await do(client, "POST", "/auth/second-factor")).json()
    assert made["secret"] in made["uri"]
    wrong = await client.post("/api/v1/auth/second-factor:confirm", json={"code": "abcdef"})
    assert (wrong.status_code, await code(wrong)) == (401, "second-factor-wrong")
    assert (await door.login(name)).status_code == 200, "what is not confirmed asks for nothing"
    recovery = (
        await do(client, "POST", "/auth/second-factor:confirm", json={"code": door.clock.code(made["secret"])})
    ).json()["recovery_codes"]
    assert await code(await client.post("/api/v1/auth/second-factor")) == "second-factor-there"
    missing = await door.login(name)
    assert (missing.status_code, await code(missing)) == (401, "second-factor-required")
    assert await code(await door.login(name, code=door.clock.code(made["secret"]))) == "second-factor-wrong"
    door.clock.at += timedelta(seconds=31)
    assert (await door.login(name, code=door.clock.code(made["secret"]))).status_code == 200
    assert [(await door.login(name, code=recovery[0])).status_code for _ in range(2)] == [200, 401]
    found = [await code(await door.login(name, code="000000")) for _ in range(6)]
    assert found[-1] == "account-locked"
    await do(world.clients["admin"], "POST", f"/staff/{colleague['id']}:unlock")
    await do(world.clients["security"], "POST", f"/staff/{colleague['id']}:end-second-factor")
    assert (await door.login(name)).status_code == 200


async def test_a_role_that_signs_in_with_a_second_factor_does_nothing_before_it_is_bound(
    world: World, door: Door
) -> None:
    colleague = await world.hire(roles=["auditor"])
    client = await door.entered(colleague["username"])
    refused = await client.get("/api/v1/audit-events")
    assert (refused.status_code, await code(refused)) == (403, "second-factor-missing")
    secret = (await do(client, "POST", "/auth/second-factor")).json()["secret"]
    await do(client, "POST", "/auth/second-factor:confirm", json={"code": door.clock.code(secret)})
    assert await status(client, "/audit-events") == 200


async def test_what_weighs_heavily_asks_anew_who_one_is(world: World, door: Door) -> None:
    colleague = await world.hire(roles=["chief"])
    client = await door.entered(colleague["username"])
    path, body = f"/api/v1/reports/{NOBODY}:recall", {"reason": "更正"}
    assert (await client.post(path, json=body)).status_code == 404
    door.clock.at += timedelta(minutes=11)
    refused = await client.post(path, json=body)
    assert (refused.status_code, await code(refused)) == (403, "step-up-required")
    wrong = await client.post("/api/v1/auth/step-up", json={"password": "wrong"})
    assert (wrong.status_code, await code(wrong)) == (422, "old-password-wrong")
    assert (await client.post(path, json=body)).status_code == 403
    await do(client, "POST", "/auth/step-up", 204, json={"password": PASSWORD})
    assert (await client.post(path, json=body)).status_code == 404


async def test_unmasking_in_bulk_asks_anew_who_one_is_and_has_an_end_too(world: World, door: Door) -> None:
    colleague = await world.hire(roles=["front_desk"])
    client = await door.entered(colleague["username"])
    door.clock.at += timedelta(minutes=11)
    path = f"/api/v1/examinees/{NOBODY}:unmask"

    async def unmask(times: int) -> list[int]:
        return [(await client.post(path, json={"purpose": "核对"})).status_code for _ in range(times)]

    assert await unmask(14) == [404] * 12 + [403] * 2
    await do(client, "POST", "/auth/step-up", 204, json={"password": PASSWORD})
    found = await unmask(125)
    assert (found.count(404), found[-1]) == (120, 429)


async def test_a_stream_ends_with_its_session_and_a_caller_has_so_many(world: World, door: Door) -> None:
    colleague = await world.hire(roles=["doctor"])
    client = await door.entered(colleague["username"])
    seen: dict[str, Any] = {}

    async def follow() -> None:
        async with client.stream("GET", "/api/v1/live-events") as answer:
            seen["status"] = answer.status_code
            async for _ in answer.aiter_text():
                seen.setdefault("open", asyncio.Event()).set()
        seen["ended"] = True

    task = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        while "open" not in seen:  # noqa: ASYNC110 - what is waited for happens in the server's tasks
            await asyncio.sleep(0.02)
        others = [
            asyncio.create_task(client.send(client.build_request("GET", "/api/v1/live-events"), stream=True))
            for _ in range(6)
        ]
        answers = [await one for one in others]
        assert sorted(a.status_code for a in answers) == [200] * 5 + [429]
        for answer in answers:
            await answer.aclose()
        await do(world.clients["admin"], "POST", f"/staff/{colleague['id']}:end-sessions")
        await task
    assert seen["ended"]


async def test_a_right_taken_away_ends_a_stream(world: World, door: Door) -> None:
    colleague = await world.hire(roles=["doctor"])
    client = await door.entered(colleague["username"])
    async with asyncio.timeout(20), client.stream("GET", "/api/v1/live-events") as answer:
        assert answer.status_code == 200
        await world.grant(colleague["id"], roles=[])
        async for _ in answer.aiter_text():
            pass


# The last one: its clock goes three months on.
async def test_a_password_that_is_too_old_or_was_used_before_or_is_common(world: World, door: Door) -> None:
    colleague = await world.hire(roles=["doctor"])
    client = await door.entered(colleague["username"])
    for word, reason in (("P@ssw0rd2026", "too_common"), (PASSWORD, "used_before")):
        refused = await client.put("/api/v1/auth/password", json={"old_password": PASSWORD, "new_password": word})
        assert [e["code"] for e in refused.json()["errors"]] == [reason]
    door.clock.at += timedelta(days=91)
    client = await door.entered(colleague["username"])
    refused = await client.get(f"/api/v1/exams/{world.main.exam_id}")
    assert (refused.status_code, await code(refused)) == (403, "password-change-required")
