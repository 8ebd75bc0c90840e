"""The paths: each a whole request beside its floor.

The floor of a path is what its database work costs at least: the fewest statements that read or leave the same rows, in the same
transaction, under the same signed context and role, with the audit row, the live event and the idempotency row where the path has
them, through bare asyncpg in a loop. For reads it is the product's own single statement.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from bench.fixture import SURGERY, Copies, day_of
from bench.house import House
from bench.load import Call, Connection, expect, request
from tjapi import demo
from tjapi.conclusion.views import REVIEW
from tjapi.exam.views import EXAM, page_statement
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.security.tokens import LinkClaims, LinkMint
from tjapi.kernel.uow import UnitOfWork
from tjapi.report import pages
from tjapi.report import views as report_views
from tjapi.report.layout import report_data
from tjapi.result import service as results

CLIENTS = 16
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Path:
    """A path that is measured: its call, its floor's call, and the least ratio that is wanted."""

    name: str
    whole: Call
    floor: Call
    goal: float
    calm: bool = False
    """Whether p99 is to stay within three times p50."""


async def exam_read(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """Everything of one exam: exam, lines, results, summaries, conclusion, what is outstanding."""
    past, bare = made["past"], await house.bare("reader", await house.principal("reviewer"))
    token = await house.token("reviewer")
    requests = [
        request("GET", f"{API}/exams/{past.exam(_scattered(n))}/review", token) for n in range(min(past.count, 5_000))
    ]

    async def whole(who: int, n: int) -> None:
        await expect(sockets[who], 200, requests[n % len(requests)])

    async def floor(who: int, n: int) -> None:
        await bare[who].fetchrow(REVIEW, past.exam(_scattered(n)), "all", None, datetime.now(UTC))

    return Path("read one exam with everything", whole, floor, 0.7, calm=True), bare


def _scattered(n: int) -> int:
    """Walk the exams out of their order, so that no page of the table is asked twice in a row."""
    return n * 7919


async def day_list(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """The first 50 exams of a day with the counts of their lines."""
    past, bare = made["past"], await house.bare("reader", await house.principal("front"))
    token, today = await house.token("front"), business_day(house.runtime.clock.now())
    days = [day_of(past.first + n, today) for n in range(200, past.count, 200)]
    requests = [request("GET", f"{API}/exams?campus_id=1&exam_date={day}", token) for day in days]
    sql = page_statement(("e.campus_id = ", "e.exam_date = "))

    async def whole(who: int, n: int) -> None:
        await expect(sockets[who], 200, requests[n % len(requests)])

    async def floor(who: int, n: int) -> None:
        await bare[who].fetch(sql, 1, days[n % len(days)], 51)

    return Path("the day's list: 50 exams with counts", whole, floor, 0.75), bare


_STORE = """
with held as (select campus_id from exam where id = $1),
said as (
  insert into result (id, campus_id, exam_id, line_id, item_id, item_code, item_name, unit, department_id, current_revision_id)
  select r, campus_id, $1, l, i, c, n, null, $2, v from held, unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[]) x(r, v, l, i, c, n)
  on conflict (exam_id, line_id, item_id) do update set current_revision_id = excluded.current_revision_id returning id, item_id),
added as (
  insert into result_revision (id, campus_id, result_id, exam_id, department_id, seq, status, raw_value, comparator, text, observed_at, issued_at,
    source, sub_id, recorded_by, recorded_at)
  select v, campus_id, said.id, $1, $2, $9, 'preliminary', t, '', t, now(), now(), 'staff', '', $11, now()
  from held, unnest($4::uuid[], $6::uuid[], $10::text[]) x(v, i, t) join said on said.item_id = x.i returning 1),
moved as (
  update exam_line set state = 'resulted', state_at = now() where exam_id = $1 and department_id = $2 and state <> 'resulted' returning 1),
sheet as (
  insert into department_sheet (exam_id, department_id, campus_id, version, state) select $1, $2, campus_id, 1, 'draft' from held
  on conflict (exam_id, department_id) do update set version = department_sheet.version + 1 returning version),
told as (
  insert into live_event (campus_id, topic, permission, data, at)
  select campus_id, 'result', 'result.read', json_build_object('exam_id', $1::uuid), now() from held returning 1)
select tj.audit('result.entered', 'department_sheet', $1::uuid::text || '/' || $2::smallint::text, campus_id, json_build_object('changed', 8)::jsonb, '') from held
"""
_STORED = """
select string_agg(row_to_json(x)::text, ',') from (
  select r.*, v.seq, v.raw_value, v.text, v.flag, v.range_snapshot, v.recorded_at, i.kind, i.choices, i.normal_default
  from result r join result_revision v on v.id = r.current_revision_id join item i on i.id = r.item_id
  where r.exam_id = $1 and r.department_id = $2 order by i.sort) x
"""


async def store(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """A department's eight results, entered by a doctor: computed items, summary lines, critical values looked at, and the sheet answered."""
    bare = await house.bare("app", await house.principal("doctor"))
    token, opened = await house.token("doctor"), made["open"]
    items = await house.admin.fetch(
        "select l.id line_id, l.exam_id, i.id, i.code, i.name, i.choices, i.normal_default from exam_line l"
        " join item_group_item g on g.item_group_id = l.item_group_id join item i on i.id = g.item_id"
        " where l.exam_id = any($1) and l.department_id = $2 order by l.exam_id, i.sort", list(opened.templates), SURGERY,
    )  # fmt: skip
    said = [
        (row["normal_default"] or (json.loads(row["choices"]) if row["choices"] else ["未见异常"])[0])
        for row in items[:8]
    ]
    ids = [str(row["id"]) for row in items[:8]]
    bodies = [
        json.dumps(
            {
                "results": [
                    {"item_id": i, "value": text if turn == 0 else f"{text}{turn}" if i == ids[0] else text}
                    for i, text in zip(ids, said, strict=True)
                ]
            }
        ).encode()
        for turn in range(2)
    ]
    half = opened.count // 2
    placed = {row["exam_id"]: [r for r in items if r["exam_id"] == row["exam_id"]] for row in items}

    async def whole(who: int, n: int) -> None:
        exam, turn = opened.exam(n % half), n // half
        path = f"{API}/exams/{exam}/departments/{SURGERY}/results"
        await expect(sockets[who], 200, request("PUT", path, token, bodies[turn % 2], If_Match=f'"{turn}"'))

    async def floor(who: int, n: int) -> None:
        at = half + n % half
        exam, turn = opened.exam(at), n // half
        rows = placed[opened.templates[at % len(opened.templates)]]
        lines = [UUID(f"{exam.hex[:8]}{row['line_id'].hex[8:]}") for row in rows]
        connection = bare[who]
        async with connection.transaction():
            await connection.fetchrow("select id, campus_id, state, version from exam where id = $1 for update", exam)
            await connection.fetchval(
                "select version from department_sheet where exam_id = $1 and department_id = $2", exam, SURGERY
            )
            await connection.execute(
                _STORE, exam, SURGERY, [uuid7() for _ in rows], [uuid7() for _ in rows], lines, [r["id"] for r in rows],
                [r["code"] for r in rows], [r["name"] for r in rows], turn + 1, said, exam,
            )  # fmt: skip
            await connection.fetchval(_STORED, exam, SURGERY)

    return Path("store a department's 8 results", whole, floor, 0.7), bare


_CHECK_IN = """
with moved as (update exam set state = 'checked_in', version = version + 1, checked_in_at = now() where id = $1 returning campus_id),
coded as (
  insert into access_code (exam_id, campus_id, digest, issued_at, expires_at) select $1, campus_id, $2, now(), now() + interval '30 days' from moved
  on conflict (exam_id) do update set digest = excluded.digest, issued_at = excluded.issued_at returning 1),
ordered as (
  insert into job (id, name, dedupe_key, payload, campus_id, run_at, created_by, created_at, state)
  select $3::uuid, 'bench.nothing', $3::uuid::text, '{}', campus_id, now(), $1, now(), 'succeeded' from moved returning 1),
told as (
  insert into live_event (campus_id, topic, permission, data, at)
  select campus_id, 'exam', 'exam.read', json_build_object('exam_id', $1::uuid), now() from moved returning 1)
select tj.audit('exam.checked_in', 'exam', $1::uuid::text, campus_id, '{}', ''), tj.audit('access_code.issued', 'exam', $1::uuid::text, campus_id, '{}', '')
from moved
"""
_KEY = """
select pg_try_advisory_xact_lock(hashtextextended($2, 4)), (
  select fingerprint from idempotency_key where principal_id = $1 and operation = 'checkIn' and key = $2)
"""
_KEPT = """
insert into idempotency_key (principal_id, operation, key, fingerprint, status, media_type, body, created_at)
values ($1, 'checkIn', $2, $3, 200, 'application/json', $4, now())
"""
_TUBES = f"""
select ({EXAM}), (select json_agg(row_to_json(t)) from tube t where t.exam_id = e.id)::text,
  (select json_agg(row_to_json(q)) from requisition q where q.exam_id = e.id)::text from exam e where e.id = $1 for update
"""


async def check_in_floor(house: House, exams: Sequence[UUID]) -> tuple[Call, list[asyncpg.Connection]]:
    """The floor of a check-in: some exams again and again, on connections that are the caller's to close."""
    principal = await house.principal("front")
    bare = await house.bare("app", principal)

    async def floor(who: int, n: int) -> None:
        exam, key, connection = exams[n % len(exams)], secrets.token_hex(16), bare[who]
        async with connection.transaction():
            await connection.fetchrow(_KEY, principal.id, key)
            row = await connection.fetchrow(_TUBES, exam)
            await connection.execute(_CHECK_IN, exam, bytes(32), uuid7())
            await connection.execute(_KEPT, principal.id, key, bytes(32), row[0].encode())

    return floor, bare


async def check_in(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """An examinee is here: the orders go out, the tubes' labels and the one-time code are answered, under an Idempotency-Key."""
    token, prepared = await house.token("front"), made["prepared"]
    kept = min(200, prepared.count // 4)
    most = prepared.count - kept
    floor, bare = await check_in_floor(house, [prepared.exam(most + n) for n in range(kept)])

    async def whole(who: int, n: int) -> None:
        if n >= most:
            raise RuntimeError("every prepared exam is checked in: measure with more exams")
        content = request(
            "POST", f"{API}/exams/{prepared.exam(n)}:check-in", token, Idempotency_Key=secrets.token_hex(16)
        )
        await expect(sockets[who], 200, content)

    return Path("check-in", whole, floor, 0.6), bare


_REPORTS = 400


async def published_report(
    house: House, made: dict[str, Copies], sockets: list[Connection]
) -> tuple[Path, list[asyncpg.Connection]]:
    """The owner's published report on a phone, read of its snapshot; beside it the same page of what is assembled from the tables anew."""
    past, held = made["past"], house.runtime
    moment = held.clock.now()
    async with held.units.read(demo.LOADER) as uow:
        data = await _assembled(uow, past.exam(0), moment)
    content = json.dumps(data, ensure_ascii=False).encode()
    snapshot = await held.storage.put(content)
    rows = await house.admin.fetch(
        "select id, examinee_id from exam where id = any($1)", [past.exam(n) for n in range(_REPORTS)]
    )
    reports = [(uuid7(), row["id"], row["examinee_id"]) for row in rows]
    await house.admin.executemany(
        "insert into report (id, campus_id, exam_id, examinee_id, version, state, job_id, file, snapshot, requested_by, requested_at, published_at,"
        " verify_code) values ($1, 1, $2, $3, 1, 'published', $1, $4, $4, $1, now(), now(), $5)",
        [(report, exam, owner, snapshot, report.hex) for report, exam, owner in reports],
    )  # fmt: skip
    mint, expires = LinkMint(held.keys), moment + timedelta(hours=4)
    requests = [
        request("GET", f"/r/{mint.issue(LinkClaims(owner, report, 1), expires_at=expires)}", "")
        for report, _, owner in reports
    ]

    async def whole(who: int, n: int) -> None:
        await expect(sockets[who], 200, requests[n % len(requests)])

    async def assembled(_who: int, n: int) -> None:
        async with held.units.read(demo.LOADER) as uow:
            await uow.audit("report.downloaded", "report", reports[n % len(reports)][0], campus_id=1)
            found = await _assembled(uow, past.exam(n % _REPORTS), moment)
        pages.report(found, "zh", "")

    bare = await house.bare("reader", demo.LOADER)
    return Path(
        "published report on a phone, of its snapshot (beside: assembled anew, no HTTP)", whole, assembled, 2
    ), bare


async def _assembled(uow: UnitOfWork, exam_id: UUID, moment: datetime) -> dict[str, Any]:
    trends = (await results.trends(uow, exam_id)).items
    rows = await report_views.source(uow, exam_id)
    return report_data(rows, trends, hospital_name="桂澄中医医院", version=1, watermark=None, printed_at=moment)


Make = Callable[[House, dict[str, Copies], list[Connection]], Awaitable[tuple[Path, list[asyncpg.Connection]]]]
PATHS: dict[str, Make] = {
    "exam": exam_read, "list": day_list, "store": store, "check-in": check_in, "report": published_report,
}  # fmt: skip
