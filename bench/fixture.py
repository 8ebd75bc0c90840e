"""A hospital's past and its day: exams of 30 lines and 60 results, as many as are asked for.

A few exams of each kind go through the product's own verbs, with values drawn around the reference ranges of the catalog, so that flags,
ranges, summaries and tubes are what they are; they are then copied in bulk, straight into the tables, with ids that sort by their number.
All persons are invented.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg

from adapters.lis.contract import LabObservation, LabReport, LabResult
from bench.house import House
from tjapi import demo, visit
from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemRange
from tjapi.conclusion import service as conclusions
from tjapi.conclusion.schemas import ConclusionIn
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.frontdesk import service as frontdesk
from tjapi.identity.rules import ROLES
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.security.principal import Principal
from tjapi.requisition import service as requisitions
from tjapi.result import service as results
from tjapi.result.schemas import ResultIn, ResultsIn, SignIn

# 30 groups that hold 60 items, for everybody: 23 of departments, 38 of the laboratory, less one.
GROUPS = (
    "GENERAL", "SURGERY", "ECG", "CT-HEAD", "US-CAROTID", "CXR", "CBC", "LIVER", "RENAL", "GLU", "LIPID", "URINE", "ESR", "RETIC", "HCY",
    "HBA1C", "GLU-2H", "GA", "TCO2", "NTPROBNP", "CA199", "CRP", "HSCRP", "ANA", "HLAB27", "VITD", "CORTISOL", "LEAD", "C13", "UACR",
)  # fmt: skip
# 40 observations in two tubes: what one HL7 message brings.
LABORATORY = ("CBC5", "LIVER-FULL", "RENAL")
SURGERY = 3
A_DAY = 200
_TEMPLATES = 6
_SPAN = 0x0100_0000
KINDS = ("past", "open", "prepared", "awaiting")
"""Finalized with a conclusion; with everything but the surgeon's entry; registered; with tubes at the laboratory."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of one kind: numbers from `first` on, template by template."""

    kind: str
    first: int
    count: int
    templates: tuple[UUID, ...]

    def exam(self, n: int) -> UUID:
        """Return the id of the n-th copy, beginning anew after the last."""
        n %= self.count
        return copied(self.first + n, self.templates[n % len(self.templates)])


def copied(number: int, original: UUID) -> UUID:
    """Return the id of a copy: its number for the first eight digits."""
    return UUID(f"{_SPAN + number:08x}{original.hex[8:]}")


_COPY_ID = """
create or replace function pg_temp.c(n int, id uuid) returns uuid language sql immutable as
$$ select overlay(id::text placing lpad(to_hex(16777216 + n), 8, '0') from 1 for 8)::uuid $$
"""
# Columns that are ids of the copied exam; every other column is copied as it is, but for what `_CHANGED` says.
_IDS = {
    "examinee": ("id",), "examinee_campus": ("examinee_id",), "exam": ("id", "examinee_id"), "exam_line": ("id", "exam_id"),
    "exam_block": ("exam_id",), "requisition": ("id", "exam_id"), "requisition_line": ("exam_line_id", "requisition_id", "tube_id"),
    "tube": ("id", "exam_id", "requisition_id", "replaces_id"), "tube_line": ("tube_id", "exam_line_id"), "department_sheet": ("exam_id",),
    "department_sheet_line": ("id", "exam_id"), "result": ("id", "exam_id", "line_id", "current_revision_id"),
    "result_revision": ("id", "result_id", "exam_id"), "conclusion": ("exam_id",), "conclusion_entry": ("id", "exam_id"),
}  # fmt: skip
_WHERE = {
    "examinee": "t.id = (select examinee_id from exam where id = $1)",
    "examinee_campus": "t.examinee_id = (select examinee_id from exam where id = $1)",
    "exam": "t.id = $1",
    "requisition_line": "t.requisition_id in (select id from requisition where exam_id = $1)",
    "tube_line": "t.tube_id in (select id from tube where exam_id = $1)",
}
_CHANGED = {
    ("examinee", "id_number_index"): "sha256(int4send(n))",
    ("exam", "exam_no"): "'Z' || lpad(n::text, 10, '0')",
    ("exam", "exam_date"): f"case when t.state = 'finalized' then $4::date - (n / {A_DAY}) else $4::date end",
    ("tube", "barcode"): "left(t.barcode, 2) || lpad(n::text, 8, '0') || right(t.barcode, 4)",
    ("requisition", "placer_no"): "'Z' || lpad(n::text, 10, '0') || right(t.placer_no, 2)",
    ("requisition_line", "placer_no"): "'Z' || lpad(n::text, 10, '0') || right(t.placer_no, 5)",
}


async def templates(house: House) -> dict[str, tuple[UUID, ...]]:
    """Play the exams that are copied."""
    made: dict[str, list[UUID]] = {kind: [] for kind in KINDS}
    staff = {name: await _staff(house, name) for name in ("doctor", "reviewer", "chief")}
    async with house.runtime.units.read(demo.LOADER) as uow:
        page = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=500)
        groups = {group.code: group.id for group in page}
    for i in range(_TEMPLATES):
        luck = random.Random(i)
        for kind in KINDS:
            codes = LABORATORY if kind == "awaiting" else GROUPS
            exam_id = await registered(house, [groups[code] for code in codes])
            made[kind].append(exam_id)
            if kind == "prepared":
                continue
            async with house.runtime.units.open(demo.LOADER) as uow:
                await frontdesk.check_in(uow, exam_id)
                for tube in await requisitions.tubes(uow, exam_id):
                    await requisitions.collect(uow, tube.id)
            if kind != "awaiting":
                await _enter(house, exam_id, staff["doctor"], luck, without=SURGERY if kind == "open" else None)
            if kind == "past":
                await _conclude(house, exam_id, staff["reviewer"], staff["chief"])
    return {kind: tuple(ids) for kind, ids in made.items()}


async def _staff(house: House, username: str) -> Principal:
    row = await house.admin.fetchrow(
        "select s.id, s.name, s.campuses, r.role_code from staff s join staff_role r on r.staff_id = s.id where username = $1",
        username,
    )
    return Principal(
        "staff", row["id"], ROLES[row["role_code"]][2], tuple(row["campuses"]), None, None, "", row["name"]
    )


async def registered(house: House, groups: list[UUID]) -> UUID:
    card = visit.invented_person()
    async with house.runtime.units.open(demo.LOADER) as uow:
        person, _ = await examinees.meet(uow, IdCardPayload.model_validate(card), 1)
        return (await exams.register(uow, ExamIn(campus_id=1, examinee_id=person.id, item_group_ids=groups))).id


async def _enter(house: House, exam_id: UUID, doctor: Principal, luck: random.Random, *, without: int | None) -> None:
    """Enter and sign every department, and let the laboratory report."""
    async with house.runtime.units.open(doctor) as uow:
        lines = await exams.lines(uow, exam_id)
        items = await catalog.group_items(uow, [line.item_group_id for line in lines])
        exam = await exams.get(uow, exam_id)
        wanted = {i.id for group in items.values() for i in group}
        normal = await catalog.choose_ranges(uow, wanted, exam.sex, exam.birth_date, exam.exam_date)
        for department_id in sorted(
            {line.department_id for line in lines if line.performed_by == "department"} - {without}
        ):
            of = [i for line in lines if line.department_id == department_id for i in items[line.item_group_id]]
            given = [
                ResultIn(item_id=i.id, value=value_of(i, normal.get(i.id), luck)) for i in of if i.kind != "computed"
            ]
            sheet = await results.put_results(uow, exam_id, department_id, ResultsIn(results=given), 0)
            await results.sign_sheet(uow, exam_id, department_id, SignIn(), sheet.version)
    async with house.runtime.units.open(demo.LOADER) as uow:
        now = house.runtime.clock.now()
        found = []
        for tube in await requisitions.tubes(uow, exam_id):
            ref = await requisitions.tube_by_barcode(uow, tube.barcode)
            assert ref is not None
            for line in (line for line in lines if line.id in ref.line_ids):
                said = tuple(
                    LabObservation(
                        i.code, i.name, "", "NM", value_of(i, normal.get(i.id), luck), i.unit or "", "", (), "F", now
                    )
                    for i in items[line.item_group_id]
                )
                found.append(LabResult(tube.barcode, None, None, line.code, line.name, now, now, "F", said))
        report = LabReport(
            uuid7().hex[:20],
            now,
            "LIS",
            exam.exam_no,
            exam.name,
            cast("Any", exam.sex),
            exam.birth_date,
            None,
            tuple(found),
        )
        filing = await results.file_report(uow, uuid7(), "lis", report)
        assert filing.outcome == "filed", filing


def value_of(item: Item, normal: ItemRange | None, luck: random.Random) -> str:
    """Return an invented value: within what is normal, or a little beyond it; nothing critical."""
    if item.kind in ("numeric", "computed"):
        low, high = (normal.low, normal.high) if normal is not None else (None, None)
        if low is None or high is None:
            middle = float(high) * 0.6 if high is not None else float(low) * 1.3 if low is not None else 10.0
            number = middle * luck.choice((0.9, 0.95, 1, 1.05, 1.1))
        else:
            number = float(low) + float(high - low) * luck.choice((0.2, 0.4, 0.5, 0.6, 0.8, 1.02))
        return f"{number:.{item.decimals or 0}f}"
    if item.kind == "multi_select":
        return item.normal_default or (item.choices or [""])[0]
    if item.choices:
        return item.normal_default or item.choices[0]
    return item.normal_default or "未见明显异常"


async def _conclude(house: House, exam_id: UUID, reviewer: Principal, chief: Principal) -> None:
    async with house.runtime.units.open(reviewer) as uow:
        draft = await conclusions.generate(uow, exam_id, 0)
        if not draft.entries:
            given = {"overview": "未见明显异常。", "entries": [{"kind": "finding", "title": "未见明显异常"}]}
            draft = await conclusions.write(uow, exam_id, ConclusionIn.model_validate(given), draft.version)
        await conclusions.sign(uow, exam_id, draft.version)
    async with house.runtime.units.open(chief) as uow:
        await conclusions.finalize(uow, exam_id, draft.version + 1)


async def copy(house: House, kind: str, originals: tuple[UUID, ...], first: int, count: int) -> Copies:
    """Copy the templates of a kind in bulk. Triggers and foreign keys were asked when the templates were made."""
    admin = house.admin
    await admin.execute("set session_replication_role = replica")
    await admin.execute("set work_mem = '256MB'")
    await admin.execute(_COPY_ID)
    today = business_day(house.runtime.clock.now())
    for table, ids in _IDS.items():
        columns = await admin.fetch(
            "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
            " and attidentity = '' order by attnum", table,
        )  # fmt: skip
        names = [row["attname"] for row in columns]
        chosen = [_chosen(table, name, ids) for name in names]
        where = _WHERE.get(table, "t.exam_id = $1")
        sql = (
            f"insert into {table} ({', '.join(names)}) select {', '.join(chosen)} from generate_series($2::int, $3::int, {len(originals)}) n,"
            f" {table} t where {where}{'' if '$4' in ''.join(chosen) else ' and $4::date is not null'} order by n"
        )
        for i, original in enumerate(originals):
            await admin.execute(sql, original, first + i, first + count - 1, today)
    await admin.execute("set session_replication_role = origin")
    return Copies(kind, first, count, originals)


def _chosen(table: str, name: str, ids: tuple[str, ...]) -> str:
    if (table, name) in _CHANGED:
        return _CHANGED[(table, name)]
    if name == "result_ids":
        return f"array(select pg_temp.c(n, i) from unnest(t.{name}) i)"
    return f"pg_temp.c(n, t.{name})" if name in ids else f"t.{name}"


async def settle(admin: asyncpg.Connection) -> None:
    """Do what time does in a living database: visibility, statistics, a checkpoint."""
    await admin.execute("vacuum (analyze)")
    await admin.execute("checkpoint")


def day_of(number: int, today: date) -> date:
    """Return the day of a copy."""
    return today - timedelta(days=number // A_DAY)
