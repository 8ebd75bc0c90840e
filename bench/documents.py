"""`python -m bench.documents`: what a report costs: milliseconds and kilobytes a page, its seal, and whether memory stays flat.

Each figure is measured in a fresh render worker, as in production, with the goals of speed.md beside it. Times are CPU time of the
worker (user and system), so that neighbours on the machine do not count; wall time is printed beside it. Documents differ from each
other (names, numbers), as people do.
"""

import asyncio
import copy
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tjapi.kernel.documents import DocumentRenderer
from tjapi.kernel.seal import Anchor, Seal, authority_of, check, make_demo_seal
from tjapi.kernel.settings import project_file

_TEMPLATES = project_file("report_templates")
_NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
_WARM, _TIMED, _FLAT = 10, 60, 400
_GOAL_MS, _GOAL_KB, _GOAL_GROWTH = 15.0, 20.0, 0.05
_HOSPITAL = "桂澄中医医院(演示)"
_FAMILY, _GIVEN = "覃韦黄农蒙陆区单曾仇莫梁", "兰远燕国玲轩桐昊英诺壮琳"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what, its figure, its goal, and whether it is met; no goal: for information."""

    what: str
    found: str
    goal: str
    met: bool | None


def person(number: int) -> dict[str, Any]:
    """Return the report of somebody else each time: another name, other numbers; 62 items, eight conclusions, three trends."""
    data: dict[str, Any] = copy.deepcopy(_SAMPLE)
    data["person"]["name"] = _FAMILY[number % 12] + _GIVEN[number // 12 % 12] + _GIVEN[number % 11]
    data["exam"]["exam_no"] = f"T20261120{number:05d}"
    for department in data["departments"]:
        for group in department["groups"]:
            for item in group["items"]:
                if item["value"].replace(".", "", 1).isdigit():
                    item["value"] = f"{float(item['value']) * (1 + number % 9 / 100):.2f}"
    return data


_SAMPLE = json.loads((_TEMPLATES / "exam_report" / "sample.json").read_text(encoding="utf-8"))


async def _speed() -> list[Row]:
    async with DocumentRenderer(_TEMPLATES, recycle_after=10_000) as press:
        worker = psutil.Process(press.worker_pids[0])
        for number in range(_WARM):
            await press.render("exam_report", person(number), now=_NOW)
        cpu, wall, sizes, pages = [], [], [], []
        for number in range(_WARM, _WARM + _TIMED):
            before, began = sum(worker.cpu_times()[:2]), time.perf_counter()
            made = await press.render("exam_report", person(number), now=_NOW)
            wall.append((time.perf_counter() - began) * 1000 / made.pages)
            cpu.append((sum(worker.cpu_times()[:2]) - before) * 1000 / made.pages)
            sizes.append(len(made.pdf) / 1024 / made.pages)
            pages.append(made.pages)
    # cpu_times counts in hundredths of a second: only the mean over all of them is fine enough
    mean, kilobytes = statistics.fmean(cpu), statistics.fmean(sizes)
    return [
        Row(f"CPU a page, warm, one core ({statistics.fmean(pages):.0f} pages, {_TIMED} documents)", f"{mean:.1f} ms", f"≤ {_GOAL_MS:.0f} ms", mean <= _GOAL_MS),
        Row("wall time a page, median (pipes and neighbours included)", f"{statistics.median(wall):.1f} ms", "", None),
        Row("size a page, unsealed", f"{kilobytes:.1f} KB", f"≤ {_GOAL_KB:.0f} KB", kilobytes <= _GOAL_KB),
    ]  # fmt: skip


async def _memory() -> list[Row]:
    async with DocumentRenderer(_TEMPLATES, recycle_after=10_000) as press:
        worker = psutil.Process(press.worker_pids[0])
        seen = []
        for number in range(_FLAT):
            await press.render("exam_report", person(number), now=_NOW)
            seen.append(worker.memory_info().rss / 2**20)
    early, late = statistics.fmean(seen[40:80]), statistics.fmean(seen[-40:])
    growth = late / early - 1
    return [
        Row(f"memory of the worker, documents 41–80 → {_FLAT - 39}–{_FLAT}", f"{early:.0f} → {late:.0f} MB ({growth:+.1%})", f"≤ {_GOAL_GROWTH:+.0%}", growth <= _GOAL_GROWTH)
    ]  # fmt: skip


async def _seal() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_demo_seal(folder, _HOSPITAL)
        seal = Seal(
            folder, rim=_HOSPITAL, foot="体检专用章", font=_TEMPLATES / "_shared" / "fonts" / "NotoSansSC-Bold.ttf"
        )
        async with DocumentRenderer(_TEMPLATES) as press:
            made = await press.render("exam_report", person(1), now=_NOW)
        assert made.seal_place is not None
        sealing, checking, sealed = [], [], b""
        for _ in range(20):
            began = time.process_time()
            sealed = await seal.seal(made.pdf, Anchor(*made.seal_place), reason="健康体检报告", location=_HOSPITAL)
            sealing.append((time.process_time() - began) * 1000)
            began = time.process_time()
            assert (await check(sealed, authority_of(folder))).valid
            checking.append((time.process_time() - began) * 1000)
    return [
        Row("sealing a report, its check included, CPU, median", f"{statistics.median(sealing):.0f} ms", "", None),
        Row("checking a sealed report, CPU, median", f"{statistics.median(checking):.0f} ms", "", None),
        Row("what the seal adds to the file", f"{(len(sealed) - len(made.pdf)) / 1024:.1f} KB", "", None),
    ]  # fmt: skip


async def main() -> None:
    """Measure and print; that a goal is missed is said in the table."""
    rows = [*await _speed(), *await _memory(), *await _seal()]
    print("| a report as a document | measured | goal | |\n|---|---|---|---|")
    for row in rows:
        verdict = "" if row.met is None else "met" if row.met else "not met"
        print(f"| {row.what} | {row.found} | {row.goal} | {verdict} |")


if __name__ == "__main__":
    asyncio.run(main())
