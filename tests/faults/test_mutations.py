"""Damaged reports over the whole wire: each is answered, ends in one state, and none lands on a wrong person or item.

TJ_FAULT_SEED repeats a run. Whether a result is the right person's is asked of the bytes that came, without the product's reading of them.
"""

import asyncio
import contextlib
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapters.wire import mllp
from tests.faults.system import eventually, seeded
from tests.faults.test_harm import GLU, filing, laboratory_report
from tests.tjapi.result.scene import Scene, visit
from tjapi import demo, installation
from tjapi.kernel import inbox
from tjapi.kernel.db import Role
from tjapi.kernel.embedded import free_port
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import Units

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.requirement("E3.5", "I2")]
ENDS = {"filed", "duplicate", "revision", "quarantined", "unmatched"}
PEOPLE, LINES = 6, 4
# Separators, the null of HL7, blanks and control characters, plain or escaped: a name of these alone is none.
NOTHING = re.compile(rb'\\X(?:[01][0-9A-Fa-f])+\\|[\x00-\x20^~&"\\]')
NASTY = (
    "", '""', "\\X00\\", "\\XED A080\\", "\\XFFFE\\", "\\X0d\\", "\\", "~" * 2_000, "^" * 3_000, "&" * 50, "1E999999999", "-1E-999999999", "9" * 6_000, "NaN", "Infinity",
    "<0.01", "↑5.1", "５．１", "5,1", "阳性", "\u200b5.1", "\u202e15", "\x00", "\x07", "99999999999999", "00000000", "20991231", "19000229", "W", "X", "C", "P", "D", "Z",
    "字" * 3_000, "'; drop table result; --", "{{7*7}}", "\U0010ffff", "NM", "TX", "SN", "CWE", "ED",
)  # fmt: skip


def mutated(body: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """Damage a message at one to four places: bytes, fields, segments, or a part of somebody else's."""
    for _ in range(dice.randint(1, 4)):
        lines = body.split(b"\r")
        at = dice.randrange(len(lines))
        fields = lines[at].split(b"|")
        field = dice.randrange(len(fields))
        match dice.randrange(8):
            case 0 if body:
                place = dice.randrange(len(body))
                body = body[:place] + dice.randbytes(dice.randint(0, 3)) + body[place + dice.randint(0, 4) :]
                continue
            case 1 | 2 | 3:
                fields[field] = dice.choice(NASTY).encode()
                lines[at] = b"|".join(fields)
            case 4:
                theirs = dice.choice(others).split(b"\r")
                lines[at] = theirs[min(at, len(theirs) - 1)]
            case 5:
                del lines[at]
            case 6:
                lines.insert(dice.randrange(len(lines)), lines[at])
            case _:
                lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)]
        body = b"\r".join(lines)
    return body


@contextlib.asynccontextmanager
async def gateway(runtime: Runtime, url: str, journal: Path) -> AsyncIterator[int]:
    """A gateway of its own before the served application; yields its port."""
    port = free_port()
    told = {
        "TJ_GATEWAY_LISTEN": f"lis=mllp://127.0.0.1:{port}", "TJ_GATEWAY_API_URL": url, "TJ_GATEWAY_CLIENT_ID": installation.GATEWAY,
        "TJ_GATEWAY_CLIENT_SECRET": installation.client_secret(runtime.keys, installation.GATEWAY), "TJ_GATEWAY_JOURNAL": str(journal),
    }  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    child = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-m", "device_gateway"], env={**kept, **told}, stderr=subprocess.DEVNULL
    )

    async def listens() -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True

    try:
        await eventually(120, listens)
        yield port
    finally:
        child.terminate()
        await asyncio.to_thread(child.wait)


async def _say(port: int, body: bytes) -> bytes:
    """Send one message on a line of its own and return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(mllp.frame(body))
        await writer.drain()
        decoder = mllp.MllpDecoder()
        async with asyncio.timeout(60):
            while data := await reader.read(65_536):
                if frames := decoder.feed(data):
                    return frames[0]
        raise AssertionError("no answer")
    finally:
        writer.close()


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(300, id="reduced", marks=pytest.mark.timeout(600)),
        pytest.param(10_000, id="full", marks=[pytest.mark.torture, pytest.mark.timeout(7200)]),
    ],
)
async def test_damaged_reports_end_each_in_one_state_and_none_on_a_wrong_person_or_item(
    own_runtime: Runtime, own_url: str, behind: asyncpg.Connection, tmp_path: Path, count: int
) -> None:
    dice, seed = seeded()
    print(f"\nTJ_FAULT_SEED={seed}", file=sys.stderr)

    def unit(principal: Principal = demo.LOADER, role: Role = "app") -> Any:
        return own_runtime.units.open(principal, role)

    scenes = [await visit(unit, "GLU", "RENAL") for _ in range(PEOPLE)]
    sent: list[bytes] = []
    before = await behind.fetchval("select coalesce(max(seq), 0) from job")
    began = await behind.fetchval("select clock_timestamp()")
    async with gateway(own_runtime, own_url, tmp_path / "journal.sqlite3") as port, filing(own_runtime):
        whole = [_whole(scene, f"W{seed}-{n}", dice) for n, scene in enumerate(scenes)]
        queue = [*whole]
        for number in range(count):
            body = mutated(_whole(dice.choice(scenes), f"M{seed}-{number}", dice), whole, dice)
            if mllp.START not in body and mllp.END not in body and b"\x1c" not in body:
                queue.append(body)
        answers: Counter[str] = Counter()

        async def line(mine: list[bytes]) -> None:
            for body in mine:
                answer = await _say(port, body)
                answers[answer.split(b"\rMSA|")[1][:2].decode()] += 1
                sent.append(body)

        await asyncio.gather(*(line(queue[n::LINES]) for n in range(LINES)))
        assert set(answers) <= {"AA", "AE", "AR"}

        async def drained() -> bool:
            left = "select count(*) from job where seq > $1 and name = 'result.file_message' and state in ('queued', 'running')"
            waiting = "select count(*) from inbox_message where received_at > $1 and state = 'received'"
            return not await behind.fetchval(left, before) and not await behind.fetchval(waiting, began)

        await eventually(600 + count, drained, every=0.5)
    messages = await behind.fetch("select id, state, reason from inbox_message where received_at > $1", began)
    print(Counter((m["state"], m["reason"]) for m in messages), answers, file=sys.stderr)
    assert {m["state"] for m in messages} <= ENDS
    assert not [m["id"] for m in messages if m["reason"] == "not-filed"], "filing failed in a way that is ours to mend"
    jobs = "select id, attempts, error from job where seq > $1 and name = 'result.file_message' and (attempts > 1 or state <> 'succeeded')"
    assert await behind.fetch(jobs, before) == []
    assert await _misfiled(own_runtime.units, behind, began) == []


def _whole(scene: Scene, name: str, dice: random.Random) -> bytes:
    obx = GLU.replace("|5.1|", f"|{dice.uniform(4, 6):.1f}|")
    return laboratory_report(scene, "GLU", name, obx)


async def _misfiled(units: Units, behind: asyncpg.Connection, since: Any) -> list[str]:
    """Return results whose message bears neither the name nor, where it names nobody, the number of the exam; or not the code of the item."""
    rows = await behind.fetch(
        """select v.id::text, e.name, e.exam_no, r.item_code, m.id as message from result_revision v join result r on r.id = v.result_id
        join exam e on e.id = v.exam_id join inbox_message m on m.id = v.message_id where m.received_at > $1""",
        since,
    )
    assert rows, "whole reports were sent, too"
    wrong = []
    for row in rows:
        raw = await _raw(units, row["message"])
        theirs = row["name"].encode() in raw or (_nameless(raw) and row["exam_no"].encode() in raw)
        if not theirs or row["item_code"].encode() not in raw:
            wrong.append(row["id"])
    return wrong


def _nameless(raw: bytes) -> bool:
    """Whether no PID of a message says a name: the number of the exam is then what says whose it is (reliability.md, 14)."""
    people = [line.split(b"|") for line in raw.split(b"\r") if line.startswith(b"PID|")]
    return not any(NOTHING.sub(b"", person[5]) for person in people if len(person) > 5)


async def _raw(units: Units, message: Any) -> bytes:
    async with units.open(demo.LOADER, "worker") as uow:
        return inbox.open_body(uow, await inbox.get(uow, message))
