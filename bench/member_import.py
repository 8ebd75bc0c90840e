"""`python -m bench.member_import [rows]`: a list of members from file to table, beside a bare COPY of the same rows.

Parse and validate is the time from bytes to judged rows; staging and taking over are the worker's own transactions, under row security,
with audit and job rows. Beside them is COPY of the same rows into a table like `member` without row security: once with the table's indexes, checks and
foreign keys, once without the keys, which COPY cannot do for the table itself. Medians of a few rounds, interleaved.

The criterion: whole jobs (reading, judging, sealing, staging, taking over; commits included) ≤ 3 × COPY + parse and validate.
"""

import asyncio
import gc
import io
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import xlsxwriter

from bench.house import installed
from tjapi import demo, visit
from tjapi.employer import flows, sheets
from tjapi.employer import service as employers
from tjapi.employer.rules.cells import field_of, find_header, read_row
from tjapi.employer.schemas import CampaignIn, EmployerIn, GroupIn
from tjapi.employer.service import importing
from tjapi.kernel import logs
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime

ROUNDS = 3
HEADERS = ("姓名", "性别", "身份证号码", "手机", "工号", "部门", "岗位", "婚否", "危害因素", "备注")


def _file(rows: int) -> bytes:
    """A list of people invented, two in a hundred of them without a name."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        table = book.add_worksheet()
        table.write_row(0, 0, HEADERS)
        for n in range(1, rows + 1):
            card = visit.invented_person()
            table.write_row(
                n, 0,
                [
                    card["name"] if n % 50 else "", "男" if card["sex"] == "male" else "女", card["id_number"], card["phone"], f"W{n:06d}",
                    "一车间", "焊工", "已婚", "噪声、粉尘", "",
                ],
            )  # fmt: skip
    return out.getvalue()


async def _campaign(runtime: Runtime, n: int) -> UUID:
    async with runtime.units.open(demo.LOADER) as uow:
        unit = await employers.create_employer(uow, EmployerIn(code=f"B{n}", name="某单位"))
        plan = CampaignIn(
            campus_id=1,
            employer_id=unit.id,
            name="年度",
            year=2026,
            starts_on=date(2026, 3, 1),
            ends_on=date(2026, 4, 1),
        )
        made = await employers.create_campaign(uow, plan)
        await employers.put_group(uow, made.id, "ALL", GroupIn.model_validate({"name": "全员", "criteria": [{}]}))
        return made.id


async def _nobody(_done: int, _total: int | None, _message: str | None) -> None:
    """Nobody watches."""


async def _run(runtime: Runtime, admin: asyncpg.Connection, name: str, import_id: UUID) -> tuple[float, float]:
    """Do a job as the worker does; return its seconds, and those that this process computed."""
    taken = "update job set state = 'running', fence = 1 where name = $1 and payload ->> 'import_id' = $2 and state = 'queued' returning id"
    job = await admin.fetchval(taken, name, str(import_id))
    run = JobRun(job, name, {"import_id": str(import_id)}, 1, 0, 1, runtime.units, runtime.services, _nobody, job)
    began, computed = time.perf_counter(), time.process_time()
    await runtime.jobs[name].handler(run)
    return time.perf_counter() - began, time.process_time() - computed


async def _bare(admin: asyncpg.Connection, campaign: UUID, *, keys: bool) -> float:
    """COPY the rows that the import made into a table like theirs, without row security; with its foreign keys or without."""
    columns: Sequence[str] = [r["attname"] for r in await admin.fetch(
        "select attname from pg_attribute where attrelid = 'member'::regclass and attnum > 0 and not attisdropped order by attnum")]  # fmt: skip
    rows: list[Any] = [
        tuple(r) for r in await admin.fetch(f"select {', '.join(columns)} from member where campaign_id = $1", campaign)
    ]
    await admin.execute("drop table if exists bare; create table bare (like member including all)")
    if keys:
        await admin.execute(
            "alter table bare add foreign key (campaign_id) references campaign, add foreign key (group_id) references campaign_group"
        )
    began = time.perf_counter()
    await admin.copy_records_to_table("bare", columns=list(columns), records=rows)
    return time.perf_counter() - began


def _parse(content: bytes) -> tuple[float, int]:
    """From bytes to rows that were read and checked; seconds of this process alone, because it is all computing."""
    began, today = time.process_time(), date(2026, 11, 25)
    sheet = sheets.read(content)
    start = find_header(sheet.rows[:10], {})
    assert start is not None
    fields = [field_of(str(cell), {}) for cell in sheet.rows[start]]
    rows = [read_row(i, cells, fields, today) for i, cells in enumerate(sheet.rows[start + 1 :], start + 2)]
    return time.process_time() - began, sum(bool(row.faults) for row in rows)


async def _measure(runtime: Runtime, admin: asyncpg.Connection, rows: int) -> None:
    content = _file(rows)
    took: dict[str, list[float]] = {
        name: []
        for name in (
            "parse",
            "stage",
            "stage: computing here",
            "take over",
            "bare COPY",
            "bare COPY without foreign keys",
            "same file again",
            "same file again: computing here",
        )
    }
    memory = []
    gc.collect()
    gc.freeze()  # as the worker does
    for n in range(ROUNDS):
        took["parse"].append(_parse(content)[0])
        campaign = await _campaign(runtime, n)
        for name in ("stage", "same file again"):
            made = await flows.upload(runtime, demo.LOADER, "", campaign, content)
            seconds, computed = await _run(runtime, admin, importing.READ, made.id)
            took[name].append(seconds)
            took[f"{name}: computing here"].append(computed)
            if name == "stage":
                async with runtime.units.open(demo.LOADER) as uow:
                    await importing.confirm(uow, made.id, "valid_rows")
                took["take over"].append((await _run(runtime, admin, importing.COMMIT, made.id))[0])
                took["bare COPY"].append(await _bare(admin, campaign, keys=True))
                took["bare COPY without foreign keys"].append(await _bare(admin, campaign, keys=False))
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    median = {name: statistics.median(values) for name, values in took.items()}
    print(f"{rows} rows, {len(content)} bytes, peak memory by round {memory} MB")
    print("| step | seconds |\n|---|---|")
    for name, seconds in median.items():
        print(f"| {name} | {seconds:.3f} |")
    for floor in ("bare COPY", "bare COPY without foreign keys"):
        per_round = zip(took["stage"], took["take over"], took["parse"], took[floor], strict=True)
        beyond = statistics.median((a + b - v) / c for a, b, v, c in per_round)
        over = statistics.median(b / c for b, c in zip(took["take over"], took[floor], strict=True))
        print(
            f"whole jobs {median['stage'] + median['take over']:.3f} s = validation {median['parse']:.3f} s"
            f" + {beyond:.2f} × {floor} {median[floor]:.3f} s (goal ≤ 3); taking over alone {over:.2f} ×"
        )


async def main() -> None:
    """Start what is needed, measure."""
    logs.configure("ERROR")
    async with installed(statement_timeout_ms=60_000) as (runtime, admin):
        await _measure(runtime, admin, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)


if __name__ == "__main__":
    asyncio.run(main())
