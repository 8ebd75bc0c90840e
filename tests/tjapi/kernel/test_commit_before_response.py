"""Who hears 2xx has it: the commit comes before the answer, and an answer whose commit failed is no 2xx."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, get_args

import asyncpg
import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import text

from tests.tjapi.world import API, House, house, key, serving_app
from tjapi.kernel.routing import Unit
from tjapi.kernel.uow import UnitOfWork

SLOW = 0.25
# The same unit of work, under the scope that FastAPI gives to a dependency that does not say otherwise.
LateUnit = Annotated[UnitOfWork, Depends(get_args(Unit)[1].dependency)]
_TRAP = f"""
create table note (id int primary key, said text not null);
grant select, insert on note to tj_app;
create function at_commit() returns trigger language plpgsql as $$
begin
  perform pg_sleep({SLOW});
  if new.said = 'refused' then
    raise exception 'a deferred rule says no' using errcode = 'check_violation';
  elsif new.said = 'twice' then
    raise exception 'a deferred unique rule says no' using errcode = 'unique_violation';
  elsif new.said = 'interrupted' then
    raise exception 'going down' using errcode = 'admin_shutdown';
  end if;
  return null;
end $$;
create constraint trigger at_commit after insert on note deferrable initially deferred for each row execute function at_commit();
"""
_NOTE = text("insert into note (id, said) values (:id, :said)")


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"commit_{worker_name}") as built:
        await built.admin.execute(_TRAP)
        yield built


def _app(place: House) -> FastAPI:
    app = FastAPI()
    app.state.runtime = place.runtime

    @app.post("/early")
    async def early(uow: Unit, number: int, said: str = "") -> dict[str, int]:
        await uow.session.execute(_NOTE, {"id": number, "said": said})
        return {"kept": number}

    @app.post("/late")
    async def late(uow: LateUnit, number: int, said: str = "") -> dict[str, int]:
        await uow.session.execute(_NOTE, {"id": number, "said": said})
        return {"kept": number}

    return app


async def _kept(admin: asyncpg.Connection, number: int) -> bool:
    return bool(await admin.fetchval("select exists (select from note where id = $1)", number))


async def test_a_commit_that_takes_long_holds_the_answer_back(place: House) -> None:
    front = await place.sign_in("front")
    async with serving_app(_app(place)) as url, httpx.AsyncClient(headers=front.headers, trust_env=False) as client:
        began = time.monotonic()
        answer = await client.post(f"{url}/early", params={"number": 1})
        assert (answer.status_code, await _kept(place.admin, 1)) == (200, True)
        assert time.monotonic() - began >= SLOW
        # The test can fail: under FastAPI's default scope the client hears 200 of what nobody else can see.
        answer = await client.post(f"{url}/late", params={"number": 2})
        assert (answer.status_code, await _kept(place.admin, 2)) == (200, False)


async def test_nobody_hears_200_of_what_failed_at_commit(place: House) -> None:
    front = await place.sign_in("front")
    async with serving_app(_app(place)) as url, httpx.AsyncClient(headers=front.headers, trust_env=False) as client:
        refused = await client.post(f"{url}/early", params={"number": 3, "said": "refused"})
        assert (refused.status_code, await _kept(place.admin, 3)) == (500, False)
        lied = await client.post(f"{url}/late", params={"number": 4, "said": "refused"})
        assert (lied.status_code, await _kept(place.admin, 4)) == (200, False)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [("refused", 500, "internal-error"), ("twice", 409, "already-there"), ("interrupted", 503, "unavailable")],
)
async def test_a_real_operation_whose_commit_fails_answers_a_problem_and_leaves_nothing(
    place: House, said: str, status: int, code: str
) -> None:
    person, _ = await place.world.person()
    front = await place.sign_in("front")
    body, header = await place.world.order(person, "GLU"), key()
    await place.admin.execute(f"""
        create or replace function note_exam() returns trigger language plpgsql security definer as $$
        begin insert into public.note values (10000 + (select count(*) from public.note), '{said}'); return null; end $$;
        create or replace trigger note_exam after insert on exam for each row execute function note_exam();
    """)
    answer = await front.post(f"{API}/exams", json=body, headers=header)
    assert (answer.status_code, answer.json()["code"], answer.headers["content-type"]) == (
        status, code, "application/problem+json",
    )  # fmt: skip
    assert "deferred" not in answer.text
    exams, keys, jobs, audited = [
        await place.admin.fetchval(query, *values)
        for query, *values in (
            ("select count(*) from exam where examinee_id = $1", person),
            ("select count(*) from idempotency_key where key = $1", header["Idempotency-Key"]),
            ("select count(*) from job where name like 'requisition%'",),
            ("select count(*) from audit_event where action = 'exam.registered'",),
        )
    ]
    assert (exams, keys, jobs, audited) == (0, 0, 0, 0)
    await place.admin.execute("drop trigger note_exam on exam")
    again = await front.post(f"{API}/exams", json=body, headers=header)
    assert (again.status_code, "idempotency-replayed" in again.headers) == (201, False)
    await place.admin.execute("truncate exam cascade")
    await place.admin.execute("delete from audit_event where action = 'exam.registered'")


async def test_on_2xx_another_connection_sees_the_row_at_once(place: House) -> None:
    front = await place.sign_in("front")
    people = [await place.world.person() for _ in range(12)]

    async def register_and_look(person: object) -> bool:
        body = await place.world.order(person, "GLU")  # type: ignore[arg-type]
        answer = await front.post(f"{API}/exams", json=body, headers=key())
        assert answer.status_code == 201, answer.text
        async with lock:
            found = await place.admin.fetchval("select count(*) from exam where id = $1", answer.json()["id"])
        return bool(found)

    lock = asyncio.Lock()
    assert all(await asyncio.gather(*(register_and_look(person) for person, _ in people)))
