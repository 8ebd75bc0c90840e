"""`python -m bench.unit_papers [people]`: the guide sheets and tube labels of a whole unit as one file.

Printed: seconds and CPU of logging the print and of making its file, memory of this process and of the renderer by part, size and pages,
and of labels whether each one is grammatical, is as large as it says, and scans as its tube, in the unit's order. The files are left in the
folder named at the end.
"""

import asyncio
import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

import asyncpg
import psutil

from bench.house import installed
from bench.member_booking import _FIRST, _campaign
from tests.tjapi.labels import read_tspl, read_zpl
from tjapi import demo
from tjapi.frontdesk import flows as desk
from tjapi.frontdesk import service as printing
from tjapi.frontdesk.schemas import PrintIn
from tjapi.groupdesk import flows, service
from tjapi.groupdesk.schemas import BookMembersIn
from tjapi.kernel import logs
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime

_DAYS, _SUNDAY = 10, 7
_PRINTERS = {"zpl": read_zpl, "tspl": read_tspl}
_TUBES = "select t.barcode from member m join tube t on t.exam_id = m.exam_id where m.campaign_id = $1 order by m.list_no, t.barcode"


async def _run(runtime: Runtime, admin: asyncpg.Connection, job_id: object, memory: list[int]) -> JobRun:
    claim = "update job set state = 'running', fence = fence + 1 where id = $1 returning id, name, fence, payload::text as payload"
    row = await admin.fetchrow(claim, job_id)

    async def report(_done: int, _total: int | None, _message: str | None) -> None:
        children = psutil.Process().children(recursive=True)
        renderers = [c.memory_info().rss for c in children if "tjapi.kernel.documents.worker" in " ".join(c.cmdline())]
        memory.append((psutil.Process().memory_info().rss + sum(renderers)) // 2**20)

    return JobRun(
        row["id"], row["name"], json.loads(row["payload"]), 1, 0, row["fence"], runtime.units, runtime.services, report, row["id"]
    )  # fmt: skip


async def _measure(runtime: Runtime, admin: asyncpg.Connection, people: int, state: Path) -> None:
    campaign = await _campaign(runtime, people)
    offered = [day for n in range(2 * _DAYS) if (day := _FIRST + timedelta(days=n)).isoweekday() != _SUNDAY]
    days = [{"day": str(day), "quota": -(-people // _DAYS)} for day in offered[:_DAYS]]
    async with runtime.units.open(demo.LOADER) as uow:
        asked = await service.plan_booking(uow, campaign, BookMembersIn.model_validate({"days": days}))
    print(await flows.book_members(await _run(runtime, admin, asked.job_id, [])))
    for form, kinds in (("pdf", ["guide_sheet", "tube_label"]), ("zpl", ["tube_label"]), ("tspl", ["tube_label"])):
        order = PrintIn.model_validate({"format": form, "unit": {"campaign_id": campaign, "kinds": kinds}})
        began, cpu = time.perf_counter(), time.process_time()
        async with runtime.units.open(demo.LOADER) as uow:
            made = await printing.print_documents(uow, order)
        print(
            f"{form}: {made.copies} copies logged in {time.perf_counter() - began:.2f} s, {time.process_time() - cpu:.2f} s of CPU"
        )
        memory: list[int] = []
        began = time.perf_counter()
        told = await desk.make_file(await _run(runtime, admin, made.job_id, memory))
        seconds = time.perf_counter() - began
        file = await desk.file(runtime, demo.LOADER, made.id)
        (state / f"unit.{form}").write_bytes(file.content)
        print(
            f"  {told['pages']} pages in {seconds:.1f} s, {seconds / told['pages'] * 1e3:.1f} ms a page, {len(file.content) / 2**20:.1f} MB"
        )
        print(
            f"  memory of this process and the renderer after each part: {memory} MB; peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
        )
    tubes = [row["barcode"] for row in await admin.fetch(_TUBES, campaign)]
    for form in _PRINTERS:  # last: papers take memory
        _check(form, (state / f"unit.{form}").read_bytes(), tubes)
    print(state)


def _check(form: str, content: bytes, tubes: list[str]) -> None:
    """Print labels as their printer would, and scan what came out."""
    papers = _PRINTERS[form](content)
    named = sum(paper.values == [tube] for paper, tube in zip(papers, tubes, strict=True))
    scanned = sum(paper.scanned() == [tube] for paper, tube in zip(papers, tubes, strict=True))
    print(
        f"{form}: {len(papers)} labels, all grammatical; of {len(tubes)} tubes in order {named} named and {scanned} scanned"
    )


async def main() -> None:
    """Start what is needed, measure."""
    logs.configure("ERROR")
    async with installed(keep=True) as (runtime, admin):
        await _measure(runtime, admin, int(sys.argv[1]) if len(sys.argv) > 1 else 500, runtime.settings.state)


if __name__ == "__main__":
    asyncio.run(main())
