"""The trail cannot be changed without `tjapi audit verify` saying where: not by an edit, an insertion, a deletion or a cut, by whomever."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from typer.testing import CliRunner

from tests.conftest import MASTER_KEY
from tests.tjapi.world import House, house, until
from tjapi import cli, demo
from tjapi.kernel import logs
from tjapi.kernel.audit import AuditChain, Fault
from tjapi.kernel.problem import Conflict
from tjapi.kernel.security.principal import SYSTEM

MORE, TAIL = 6, 6
ROUNDS = 300
SEALER = SYSTEM
_COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "principal_kind": "principal_kind || 'x'",
    "principal_id": "gen_random_uuid()",
    "action": "action || ' '",
    "object_type": "'other'",
    "object_id": "gen_random_uuid()::text",
    "campus_id": "coalesce(campus_id, 0) + 1",
    "campuses": "campuses || 77::smallint",
    "detail": "detail || '{\"more\": 1}'",
    "request_id": "request_id || 'x'",
    "source": "source || '9'",
    "sealed": "false",
}


class Refused(Conflict):
    """For the test."""

    abstract, zh, en = True, "不", "No"


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"audit_{worker_name}") as built:
        yield built


@pytest.fixture(scope="module")
async def engine(place: House) -> AsyncIterator[AsyncEngine]:
    """A superuser's engine: nothing that the database refuses to others stops it."""
    url = make_url(str(place.runtime.settings.database_url)).set(drivername="postgresql+asyncpg")
    made = create_async_engine(url, poolclass=pool.StaticPool)
    yield made
    await made.dispose()


def _chain(place: House) -> AuditChain:
    return AuditChain(place.runtime.keys, place.runtime.settings.state / "audit-anchor.jsonl")


async def _write(place: House, count: int) -> None:
    for i in range(count):
        async with place.runtime.units.open(demo.LOADER) as uow:
            detail = {"步骤": i, "share": 0.1 * i, "who": None, "list": ["a", {"b": True}]}
            await uow.audit("test.step", "thing", uuid4(), campus_id=1 + i % 2, detail=detail)


async def _seal(place: House) -> int:
    async with place.runtime.units.open(SEALER, "worker") as uow:
        return await _chain(place).seal(uow.session)


async def _anchor(place: House) -> None:
    async with place.runtime.units.read(SEALER) as uow:
        await _chain(place).anchor(uow.session, uow.now)


async def _faults(chain: AuditChain, session: AsyncSession) -> list[Fault]:
    return [fault async for fault in chain.verify(session)]


@pytest.fixture(scope="module")
async def trail(place: House) -> list[tuple[int, int]]:
    """A sealed trail: (place in the chain, event id) of each row; the last `TAIL` came after the last anchor."""
    await _write(place, MORE)
    while await _seal(place):
        pass
    await _anchor(place)
    await _write(place, TAIL)
    assert await _seal(place) == TAIL
    rows = await place.admin.fetch("select n, event_id from audit_link order by n")
    assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["n"], row["event_id"]) for row in rows]


def _anchored(trail: list[tuple[int, int]]) -> int:
    return len(trail) - TAIL


Tampering = Callable[[AsyncConnection, random.Random, list[tuple[int, int]]], Awaitable[set[tuple[int, str]]]]


async def _edit(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    column = rng.choice(sorted(_COLUMNS))
    n, event = rng.choice(trail)
    await db.execute(text(f"update audit_event set {column} = {_COLUMNS[column]} where id = {event}"))
    return {(n, "changed")}


async def _exchange(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    (one, first), (two, second) = rng.sample(trail, 2)
    await db.execute(text(f"update audit_link set event_id = -1 where n = {one}"))
    await db.execute(text(f"update audit_link set event_id = {first} where n = {two}"))
    await db.execute(text(f"update audit_link set event_id = {second} where n = {one}"))
    return {(one, "changed"), (two, "changed")}


async def _rechain(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    n, _ = rng.choice(trail)
    await db.execute(text("update audit_link set chain = :chain where n = :n"), {"chain": rng.randbytes(32), "n": n})
    return {(n, "changed")}


async def _delete_event(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    n, event = rng.choice(trail)
    await db.execute(text(f"delete from audit_event where id = {event}"))
    return {(n, "deleted")}


async def _delete_both(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    n, event = rng.choice(trail[:-1])
    await db.execute(text(f"delete from audit_event where id = {event}"))
    await db.execute(text(f"delete from audit_link where n = {n}"))
    return {(n, "gap")}


async def _close_the_gap(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    """Delete a row, and number what follows anew so that no place is missing."""
    n, event = rng.choice(trail[:-1])
    await db.execute(text(f"delete from audit_event where id = {event}"))
    await db.execute(text(f"delete from audit_link where n = {n}"))
    await db.execute(text(f"update audit_link set n = -n where n > {n}"))
    await db.execute(text("update audit_link set n = -n - 1 where n < 0"))
    return {(n, "changed")}


async def _insert(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    """Put in a row that looks sealed: without a link, or with one that is made up."""
    made = await db.execute(
        text(
            "insert into audit_event (at, principal_kind, principal_id, action, object_type, object_id, detail, request_id, sealed)"
            " select at, principal_kind, principal_id, action, object_type, object_id, detail, request_id, true from audit_event"
            " where id = :event returning id"
        ),
        {"event": rng.choice(trail)[1]},
    )
    if rng.random() < 0.5:
        return {(0, "unlinked")}
    link = {"n": len(trail) + 1, "event": made.scalar_one(), "chain": rng.randbytes(32)}
    await db.execute(text("insert into audit_link (n, event_id, chain) values (:n, :event, :chain)"), link)
    return {(len(trail) + 1, "changed")}


async def _cut_links(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    last = rng.randrange(1, len(trail))
    await db.execute(text(f"delete from audit_link where n > {last}"))
    return {(0, "unlinked")} | ({(_anchored(trail), "tail-cut")} if last < _anchored(trail) else set())


async def _cut_tail(db: AsyncConnection, rng: random.Random, trail: list[tuple[int, int]]) -> set[tuple[int, str]]:
    """Cut off the tail, rows and links: whatever the last anchor had seen is missed."""
    last = rng.randrange(_anchored(trail))
    await db.execute(
        text("delete from audit_event where id in (select event_id from audit_link where n > :n)"), {"n": last}
    )
    await db.execute(text(f"delete from audit_link where n > {last}"))
    return {(_anchored(trail), "tail-cut")}


TAMPERINGS: tuple[Tampering, ...] = (
    _edit, _edit, _exchange, _rechain, _delete_event, _delete_both, _close_the_gap, _insert, _cut_links, _cut_tail,
)  # fmt: skip


async def test_whatever_a_superuser_changes_is_located(
    place: House, engine: AsyncEngine, trail: list[tuple[int, int]]
) -> None:
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    chain = _chain(place)
    async with engine.connect() as db:
        await db.execute(text("set session_replication_role = replica"))  # triggers do not stop a superuser
        await db.commit()
        session = AsyncSession(db, join_transaction_mode="create_savepoint")
        assert await _faults(chain, session) == []
        for i in range(ROUNDS):
            tamper = TAMPERINGS[i % len(TAMPERINGS)]
            await db.begin_nested()
            expected = await tamper(db, rng, trail)
            found = {(fault.n, fault.kind) for fault in await _faults(chain, session)}
            assert expected <= found, f"seed {seed}, round {i}: {tamper.__name__}: {expected} not in {found}"
            await session.rollback()
            await db.rollback()
        assert await _faults(chain, session) == []
        await db.rollback()


async def test_a_tail_that_is_edited_and_sealed_anew_contradicts_the_anchor(
    place: House, engine: AsyncEngine, trail: list[tuple[int, int]]
) -> None:
    """The sealer itself would chain a falsified tail: only what lies outside the database knows better."""
    chain = _chain(place)
    async with engine.connect() as db:
        await db.execute(text("set session_replication_role = replica"))
        await db.execute(text(f"delete from audit_link where n > {_anchored(trail) - 5}"))
        fallen = [event for n, event in trail if n > _anchored(trail) - 5]
        await db.execute(text("update audit_event set sealed = false where id = any(:ids)"), {"ids": fallen})
        await db.execute(text(f"update audit_event set object_id = 'another' where id = {fallen[1]}"))
        session = AsyncSession(db, join_transaction_mode="create_savepoint")
        assert await chain.seal(session) == len(fallen)
        assert (_anchored(trail), "broken") in {(f.n, f.kind) for f in await _faults(chain, session)}
        await session.rollback()
        await db.rollback()


async def test_a_row_whose_seal_mark_was_turned_back_does_not_stop_the_sealer(
    place: House, trail: list[tuple[int, int]]
) -> None:
    while await _seal(place):
        pass
    await place.admin.execute("update audit_event set sealed = false where id = $1", trail[3][1])
    try:
        await _write(place, 1)
        assert await _seal(place) == 1
        async with place.runtime.units.read(SEALER) as uow:
            assert [(f.n, f.kind) for f in await _faults(_chain(place), uow.session)] == [(4, "changed")]
    finally:
        await place.admin.execute("update audit_event set sealed = true where id = $1", trail[3][1])


async def test_no_role_of_ours_changes_the_trail(place: House, trail: list[tuple[int, int]]) -> None:
    for role in ("app", "worker"):
        for statement in (
            "update audit_event set action = 'x'", "delete from audit_event", "update audit_link set n = n", "delete from audit_link",
            ("insert into audit_event (at, principal_kind, principal_id, action, object_type, object_id, detail, request_id)"
            " values (now(), 'staff', gen_random_uuid(), 'x', 'x', 'x', '{}', '')"),
            "truncate audit_event",
        ):  # fmt: skip
            with pytest.raises(Exception, match=r"permission denied|append-only"):
                async with place.runtime.units.open(SEALER, role) as uow:
                    await uow.session.execute(text(statement))


async def test_the_sealer_skips_nothing_that_writers_commit_meanwhile(
    place: House, trail: list[tuple[int, int]]
) -> None:
    before = await place.admin.fetchval("select count(*) from audit_event")
    kept = 0

    async def write(number: int) -> None:
        nonlocal kept
        rng = random.Random(number)
        for i in range(12):
            try:
                async with place.runtime.units.open(demo.LOADER) as uow:
                    await uow.audit("test.raced", "thing", f"{number}/{i}")
                    await asyncio.sleep(rng.random() / 200)  # ids are taken in one order, and committed in another
                    if rng.random() < 0.2:
                        raise Refused  # noqa: TRY301 - a refusal of the business, as services raise it
                    kept += 1
            except Refused:
                pass

    async def seal() -> None:
        while True:
            await asyncio.gather(_seal(place), _seal(place))  # two sealers at once: one of them waits for nobody

    sealer = asyncio.create_task(seal())
    await asyncio.gather(*(write(number) for number in range(8)))
    sealer.cancel()
    await asyncio.gather(sealer, return_exceptions=True)

    async def sealed() -> bool:
        # A sealer that was cancelled holds its lock until the server has heard of it.
        await _seal(place)
        return bool(await place.admin.fetchval("select not exists (select from audit_event where not sealed)"))

    await until(sealed)
    counted = await place.admin.fetchrow(
        "select count(*), count(*) filter (where sealed), (select count(*) from audit_link), (select max(n) from audit_link)"
        " from audit_event"
    )
    assert tuple(counted) == (before + kept,) * 4
    async with place.runtime.units.read(SEALER) as uow:
        assert await _faults(_chain(place), uow.session) == []


async def test_a_change_and_its_trace_are_kept_or_lost_together(place: House) -> None:
    async def kept(job: UUID) -> tuple[int, int]:
        traces = await place.admin.fetchval("select count(*) from audit_event where object_id = $1", str(job))
        return traces, await place.admin.fetchval("select count(*) from job where id = $1", job)

    jobs: list[UUID] = []
    with pytest.raises(Refused):  # noqa: PT012 - the commit at the end of the block is what is refused
        async with place.runtime.units.open(demo.LOADER) as uow:
            jobs.append(await uow.enqueue("test.nothing", {}, campus_id=1))
            await uow.audit("test.enqueued", "job", jobs[0])
            raise Refused
    async with place.runtime.units.open(demo.LOADER) as uow:
        jobs.append(await uow.enqueue("test.nothing", {}, campus_id=1))
        await uow.audit("test.enqueued", "job", jobs[1])
    with pytest.raises(Refused):  # noqa: PT012 - the commit at the end of the block is what is refused
        async with place.runtime.units.open(demo.LOADER) as uow:
            jobs.append(await uow.enqueue("test.nothing", {}, campus_id=1))
            await uow.audit("test.refused", "job", jobs[2])
            raise Refused().kept()
    assert [await kept(job) for job in jobs] == [(0, 0), (1, 1), (1, 1)]


async def test_nobody_acts_under_anothers_name(place: House) -> None:
    """The actor is what the signed context says, not what the statement says."""
    async with place.runtime.units.open(demo.LOADER) as uow:
        await uow.audit("test.signed", "thing", "signed")
    row = await place.admin.fetchrow("select * from audit_event where action = 'test.signed'")
    assert (row["principal_kind"], row["principal_id"], row["request_id"]) == ("job", demo.LOADER.id, "")
    async with place.runtime.units.open(demo.LOADER) as uow:
        await uow.session.execute(text("select set_config('tj.context', 'staff|1', false)"))
        with pytest.raises(Exception, match="no context"):
            await uow.session.execute(text("select tj.audit('x', 'x', 'x', 1, '{}', '')"))
        await uow.session.rollback()
        raw = await (await uow.session.connection()).get_raw_connection()
        raw.info.pop("tj")  # what the connection shows is no longer what we think: have it shown anew


def _verify(place: House, state: Path) -> tuple[int, list[dict[str, object]]]:
    environment = {
        "TJ_DATABASE_URL": str(place.runtime.settings.database_url), "TJ_STATE": str(state), "TJ_MASTER_KEY": MASTER_KEY,
    }  # fmt: skip
    ended = CliRunner().invoke(cli.app, ["audit", "verify"], env=environment)
    return ended.exit_code, [json.loads(line) for line in ended.stdout.splitlines()]


async def test_audit_verify_exits_with_0_on_a_sound_trail_and_with_1_on_a_cut_one(
    place: House, trail: list[tuple[int, int]]
) -> None:
    state = place.runtime.settings.state
    later = state / "later"
    later.mkdir()
    # The second run knows an anchor of a row that the database does not have.
    anchors = (state / "audit-anchor.jsonl").read_text()
    beyond = {"n": 10_000, "chain": "00" * 32, "at": "2026-11-23T00:00:00+00:00"}
    (later / "audit-anchor.jsonl").write_text(anchors + json.dumps(beyond) + "\n")
    try:
        assert await asyncio.to_thread(_verify, place, state) == (0, [{"faults": 0}])
        cut = {"n": 10_000, "event_id": None, "fault": "tail-cut"}
        assert await asyncio.to_thread(_verify, place, later) == (1, [cut, {"faults": 1}])
    finally:
        logs.configure("ERROR")
