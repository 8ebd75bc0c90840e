"""HL7: what parsing and acknowledging a report of 40 observations costs beside python-hl7, and how fast reports are filed end to end."""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import hl7

from adapters.lis.hl7_mllp import parse
from adapters.wire import hl7v2, mllp
from bench.fixture import Copies
from bench.house import House
from bench.load import Counter, for_a_while
from tjapi import installation
from tjapi.kernel.embedded import free_port
from tjapi.kernel.ids import uuid7
from tjapi.kernel.security.principal import SYSTEM

_SOURCE = "lis"
_SENDERS = 4


async def reports(house: House, awaiting: Copies, first: int, count: int) -> list[bytes]:
    """Return ORU^R01 messages, one for each of some exams: two tubes, three groups, 40 observations."""
    return await of_exams(house.admin, [awaiting.exam(first + n) for n in range(count)], first)


async def of_exams(admin: asyncpg.Connection, exams: Sequence[UUID], first: int = 0) -> list[bytes]:
    """Return an ORU^R01 message for each exam: everything that its tubes are for."""
    rows = await admin.fetch(
        "select e.id, e.exam_no, e.name, e.sex, e.birth_date, t.barcode, l.code group_code, l.name group_name, l.sort, i.code, i.name item, i.unit,"
        " i.kind, i.decimals, i.normal_default, i.choices from exam e join tube t on t.exam_id = e.id join tube_line x on x.tube_id = t.id"
        " join exam_line l on l.id = x.exam_line_id join item_group_item g on g.item_group_id = l.item_group_id join item i on i.id = g.item_id"
        " where e.id = any($1) order by e.id, t.barcode, l.sort, g.sort", exams,
    )  # fmt: skip
    by_exam: dict[object, list[asyncpg.Record]] = {}
    for row in rows:
        by_exam.setdefault(row["id"], []).append(row)
    return [_message(f"B{first + n:08d}", by_exam[exam]) for n, exam in enumerate(exams)]


_NORMAL = {
    "PLT": "214",
    "HGB": "142",
    "WBC": "6.1",
    "RBC": "4.7",
    "CREA": "70",
    "UREA": "5.2",
    "UA": "340",
    "ALT": "22",
    "AST": "24",
    "HCT": "0.43",
    "MCV": "91",
    "K": "4.2",
    "NA": "140",
    "CL": "103",
    "CA": "2.31",
}


def _message(control: str, rows: list[asyncpg.Record]) -> bytes:
    head, now = rows[0], "20261125101500"
    sex = {"male": "M", "female": "F"}.get(head["sex"], "U")
    lines = [
        rf"MSH|^~\&|LIS|LAB|TJAPI||{now}||ORU^R01^ORU_R01|{control}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{head['exam_no']}^^^TJ^VN||{head['name']}||{head['birth_date']:%Y%m%d}|{sex}",
    ]
    number, group = 0, ""
    for row in rows:
        if row["group_code"] != group:
            group = row["group_code"]
            number += 1
            lines.append(
                f"OBR|{number}||{row['barcode']}|{group}^{row['group_name']}^L|||{now}|||||||||||||||{now}|||F"
            )
        value = _NORMAL.get(
            row["code"], "5.1" if row["kind"] in ("numeric", "computed") else row["normal_default"] or "阴性"
        )
        kind = "NM" if row["kind"] in ("numeric", "computed") else "ST"
        lines.append(
            f"OBX|{len(lines)}|{kind}|{row['code']}^{row['item']}^L||{value}|{row['unit'] or ''}|||||F|||{now}"
        )
    return "\r".join(lines).encode() + b"\r"


def parse_ratio(message: bytes) -> tuple[float, float, float]:
    """Return parses with acknowledgement per second, python-hl7's parses per second, and full readings per second of ours."""
    text, now = message.decode(), datetime.now(UTC)

    def ours() -> None:
        hl7v2.ack(hl7v2.decode(message), "AA", "", now, "1")

    return _per_second(ours), _per_second(lambda: hl7.parse(text)), _per_second(lambda: parse(message))


def _per_second(work: object, seconds: float = 1.5) -> float:
    assert callable(work)
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        work()
        done += 1
    return done / (time.perf_counter() - began)


async def end_to_end(house: House, awaiting: Copies, count: int) -> float:
    """Return messages filed per second: over MLLP into the gateway's journal, acknowledged, posted to the API, filed by the worker."""
    port = free_port()
    gateway = house.start(
        "device_gateway", TJ_GATEWAY_LISTEN=f"{_SOURCE}=mllp://127.0.0.1:{port}", TJ_GATEWAY_API_URL=house.runtime.settings.base_url,
        TJ_GATEWAY_CLIENT_ID=installation.GATEWAY, TJ_GATEWAY_JOURNAL=str(house.state / "journal.sqlite3"),
        TJ_GATEWAY_CLIENT_SECRET=installation.client_secret(house.runtime.keys, installation.GATEWAY),
    )  # fmt: skip
    worker = house.start("tjapi.worker")
    try:
        warm = await reports(house, awaiting, 0, 8)
        await until_open(port)
        await send(port, warm)
        await _filed(house, len(warm))
        messages = await reports(house, awaiting, 8, count)
        began = time.perf_counter()
        await asyncio.gather(*(send(port, messages[i::_SENDERS]) for i in range(_SENDERS)))
        await _filed(house, len(warm) + count)
        return count / (time.perf_counter() - began)
    finally:
        gateway.stop()
        worker.stop()


async def until_open(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError(port)


async def send(port: int, messages: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    decoder = mllp.MllpDecoder()
    for message in messages:
        writer.write(mllp.frame(message))
        while not (answers := decoder.feed(await reader.read(65_536))):
            pass
        assert b"MSA|AA" in answers[0], answers[0]
    writer.close()


async def _filed(house: House, count: int) -> None:
    async with asyncio.timeout(300):
        while await house.admin.fetchval("select count(*) from inbox_message where ended_at is not null") < count:  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)
    states = await house.admin.fetch("select state, reason, count(*) n from inbox_message group by 1, 2")
    if {row["state"] for row in states} != {"filed"}:
        raise RuntimeError(f"not every message was filed: {[tuple(row) for row in states]}")


_INBOX = """
insert into inbox_message (id, client_id, source, message_id, sha256, body, media_type, campuses, state, received_at)
values ($1, $1, 'bench', $1::uuid::text, $2, $3, 'application/hl7-v2', '{1}', 'received', now())
"""
_JOB = """
insert into job (id, name, dedupe_key, payload, run_at, created_by, created_at, state) values ($1, 'bench.file', $1::uuid::text, '{}', now(), $1, now(), 'running')
"""
_FILED = """
with held as (select campus_id from exam where id = $1),
said as (
  insert into result (id, campus_id, exam_id, line_id, item_id, item_code, item_name, department_id, current_revision_id)
  select r, campus_id, $1, l, i, c, c, 4, v from held, unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[]) x(r, v, l, i, c)
  on conflict (exam_id, line_id, item_id) do update set current_revision_id = excluded.current_revision_id returning id, item_id),
added as (
  insert into result_revision (id, campus_id, result_id, exam_id, department_id, seq, status, raw_value, comparator, text, observed_at, issued_at,
    source, sub_id, recorded_by, recorded_at)
  select v, campus_id, said.id, $1, 4, $8, 'final', t, '', t, now(), now(), 'lis:bench', '', $1, now()
  from held, unnest($3::uuid[], $5::uuid[], $7::text[]) x(v, i, t) join said on said.item_id = x.i returning 1),
told as (
  insert into live_event (campus_id, topic, permission, data, at)
  select campus_id, 'result', 'result.read', json_build_object('exam_id', $1::uuid), now() from held returning 1)
select tj.audit('result.filed', 'exam', $1::uuid::text, campus_id, '{}', '') from held
"""


async def floor(house: House, awaiting: Copies, message: bytes, seconds: float, turn: int) -> float:
    """Return messages per second of the bare inserts: the message and its job, then the exam's 40 results, in two transactions."""
    bare = await house.bare("worker", SYSTEM)
    half = awaiting.count // 2
    rows = await house.admin.fetch(
        "select l.exam_id, l.id line_id, g.item_id, i.code from exam_line l join item_group_item g on g.item_group_id = l.item_group_id"
        " join item i on i.id = g.item_id where l.exam_id = any($1)", list(awaiting.templates),
    )  # fmt: skip
    placed = {t: [row for row in rows if row["exam_id"] == t] for t in awaiting.templates}
    digest = hashlib.sha256(message).digest()

    async def call(who: int, n: int) -> None:
        at = half + n % half
        exam, of = awaiting.exam(at), placed[awaiting.templates[at % len(awaiting.templates)]]
        connection, name = bare[who], uuid7()
        async with connection.transaction():
            await connection.execute(_INBOX, name, digest, message)
            await connection.execute(_JOB, name)
        async with connection.transaction():
            await connection.fetchrow("select id, state from exam where id = $1 for update", exam)
            lines = [UUID(f"{exam.hex[:8]}{row['line_id'].hex[8:]}") for row in of]
            await connection.execute(
                _FILED, exam, [uuid7() for _ in of], [uuid7() for _ in of], lines, [r["item_id"] for r in of], [r["code"] for r in of],
                ["5.1" for _ in of], turn * 1_000 + n // half,
            )  # fmt: skip
            await connection.execute(
                "update exam_line set state = 'resulted', state_at = now() where exam_id = $1 and state <> 'resulted'",
                exam,
            )
            await connection.execute(
                "update inbox_message set state = 'filed', ended_at = now(), exam_id = $2, detail = $3 where id = $1",
                name,
                exam,
                json.dumps({"filed": 40}),
            )
            await connection.execute("update job set state = 'succeeded', finished_at = now() where id = $1", name)

    await for_a_while(call, len(bare), 0.5, counter := Counter())
    rate = (await for_a_while(call, len(bare), seconds, counter))[0]
    for connection in bare:
        await connection.close()
    await house.admin.execute("delete from inbox_message where source = 'bench'")
    return rate
