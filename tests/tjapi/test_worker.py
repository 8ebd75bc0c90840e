"""What the worker tidies: files that no row names, when they are old enough to be sure of it."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from tests.tjapi.world import World
from tjapi import wiring, worker
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.settings import Settings


async def _kept(runtime: Runtime, content: bytes, *, days: float) -> str:
    address = await runtime.storage.put(content)
    path = runtime.settings.state / "files" / address[:2] / address[2:]
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return address


async def _here(runtime: Runtime, address: str) -> bool:
    try:
        await runtime.storage.get(address)
    except FileNotFoundError:
        return False
    return True


async def test_a_file_that_no_row_names_is_removed_after_a_day_and_no_other(
    settings: Settings, tmp_path: Path, admin: asyncpg.Connection, sign_in: object
) -> None:
    runtime = wiring.build(settings.model_copy(update={"state": tmp_path}))
    visit = await World(runtime, sign_in).registered("GLU")  # type: ignore[arg-type]
    orphan, young = await _kept(runtime, b"orphan", days=1.1), await _kept(runtime, b"young", days=0.9)
    named, again = await _kept(runtime, b"named", days=30), await _kept(runtime, b"stored again", days=30)
    await admin.execute(
        "insert into report (id, campus_id, exam_id, examinee_id, version, state, job_id, file, requested_by, requested_at, verify_code)"
        " values (gen_random_uuid(), 1, $1, (select examinee_id from exam where id = $1), 1, 'generated', gen_random_uuid(), $2,"
        " gen_random_uuid(), now(), '0')",
        visit.exam_id,
        named,
    )
    await runtime.storage.put(b"stored again")
    assert await worker.sweep_files(runtime) == [orphan]
    assert [await _here(runtime, a) for a in (orphan, young, named, again)] == [False, True, True, True]
    await wiring.close(runtime)


async def test_a_file_that_is_stored_again_while_the_sweeper_looks_stays(settings: Settings, tmp_path: Path) -> None:
    runtime = wiring.build(settings.model_copy(update={"state": tmp_path}))
    address = await _kept(runtime, b"once", days=2)
    moment = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    assert await runtime.storage.older_than(moment) == [address]
    await runtime.storage.put(b"once")
    await runtime.storage.delete(address, older_than=moment)
    assert await _here(runtime, address)
    await wiring.close(runtime)
