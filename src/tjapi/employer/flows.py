"""Lists on their way in: judge the bytes and keep them (no transaction) → say so (transaction); then read, hold against the campaign, stage."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tjapi.employer import sheets
from tjapi.employer.errors import UploadRefused
from tjapi.employer.rules.cells import SENTENCES, Row, as_text, field_of, find_header, read_row
from tjapi.employer.schemas import ImportOut
from tjapi.employer.service import importing
from tjapi.employer.service.campaigns import campaign
from tjapi.employer.service.importing import Desk
from tjapi.employer.sheets import Sheet, SheetRefusedError
from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.child.pool import Children, Work
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.problem import FieldError
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal

_HEADER_WITHIN = 10
_AT_A_TIME = 2000
_READ = "tjapi.employer.sheets:pieces"
READ_LIST = Work(_READ, seconds=60, memory=1024 * 2**20, classes=(Sheet,), verdicts=(SheetRefusedError,), patience=240)
READ_OLD_LIST = replace(READ_LIST, memory=400 * 2**20)


async def upload(held: Runtime, caller: Principal, request_id: str, campaign_id: UUID, content: bytes) -> ImportOut:
    """Take in a file; what it is, is judged by its content at once, what it says by a job. Raises CampaignNotFound, CampaignStateConflict, UploadRefused."""
    async with held.units.read(caller, request_id=request_id) as uow:
        await campaign(uow, campaign_id)
    try:
        kind = sheets.sniff(content)
    except SheetRefusedError as refusal:
        raise UploadRefused(errors=[FieldError("", refusal.code, *SENTENCES[refusal.code])]) from None
    file = await held.storage.put(content)
    async with held.units.open(caller, request_id=request_id) as uow:
        digest = hashlib.sha256(content).digest()
        made = await importing.accept(uow, campaign_id, file=file, sha256=digest, size=len(content), kind=kind)
        await uow.session.refresh(made)
        return ImportOut.model_validate(made)


async def read_members(run: JobRun) -> Mapping[str, Any]:
    """Read a file and stage what it would change. The table is read in a child; rows are judged, sealed and copied a thousand at a time."""
    import_id = UUID(run.payload["import_id"])
    async with run.unit() as uow:
        desk = await importing.desk(uow, import_id)
    if desk is None:
        return {"import_id": str(import_id), "read": False}
    try:
        sheet = await _read(run.services.children, await run.services.storage.get(desk.file))
        start, headers = _header(sheet, desk.remembered)
    except SheetRefusedError as refusal:
        async with run.unit() as uow:
            await importing.refuse(uow, import_id, refusal.code)
        return {"import_id": str(import_id), "refused": refusal.code}
    counts = await _stage(run, import_id, desk, sheet, start, headers)
    return {"import_id": str(import_id), **counts}


async def _read(children: Children, content: bytes) -> Sheet:
    """Read a file in a child. Raises SheetRefusedError."""
    is_old = sheets.sniff(content) == "xls"
    try:
        sheet, *pieces = await children.ask(READ_OLD_LIST if is_old else READ_LIST, content)
    except Overrun as excess:
        # Of an XLS it is known only when it is read where its far cells are: they make a table of everything between.
        raise SheetRefusedError("too_wide" if is_old and excess.what != "too-long" else "unreadable") from None
    except Broken:
        raise SheetRefusedError("unreadable") from None
    read: Sheet = sheet
    read.rows = [row for piece in pieces for row in piece]
    return read


def _header(sheet: Sheet, remembered: Mapping[str, str]) -> tuple[int, list[str]]:
    start = find_header(sheet.rows[:_HEADER_WITHIN], remembered)
    if start is None:
        raise SheetRefusedError("no_header")
    if not any(any(cell not in ("", None) for cell in row) for row in sheet.rows[start + 1 :]):
        raise SheetRefusedError("no_rows")
    return start, [_header_text(cell) for cell in sheet.rows[start]]


def _header_text(cell: Any) -> str:
    try:
        return as_text(cell)[:100] if cell is not None else ""
    except ValueError:
        return ""


async def _stage(
    run: JobRun, import_id: UUID, desk: Desk, sheet: Sheet, start: int, headers: Sequence[str]
) -> Mapping[str, int]:
    judge, rows = desk.judge, sheet.rows
    fields = [field_of(header, desk.remembered) for header in headers]
    for header, name in zip(headers, fields, strict=True):
        judge.headers.setdefault(name, header)
    total = len(rows) - start - 1

    def parse(begin: int) -> list[tuple[Row, bytes | None]]:
        found = []
        for at in range(begin, min(begin + _AT_A_TIME, len(rows))):
            cells = rows[at]
            if any(cells) or any(cell not in ("", None) for cell in cells):
                row = read_row(at + 1, cells, fields, judge.today)
                made = sheet.formulas.get(at + 1, ())
                row.faults += [(fields[c], "formula") for c in made if c < len(fields) and fields[c] != "ignore"]  # type: ignore[misc]
                found.append(row)
        return judge.indexed(found)

    async with run.unit() as uow:
        if not await importing.begin_staging(uow, import_id):
            return {}
        parsed = await asyncio.to_thread(parse, start + 1)
        for begin in range(start + 1, len(rows), _AT_A_TIME):
            judge.known_names = await importing.known_names(uow, [index for _, index in parsed if index is not None])
            staged = await asyncio.to_thread(judge.judge, parsed)
            # The next rows are read while the database takes these; beyond the last there are none.
            parsed, _ = await asyncio.gather(asyncio.to_thread(parse, begin + _AT_A_TIME), importing.stage(uow, staged))
            await run.progress(min(begin + _AT_A_TIME - start - 1, total), total, "reading")
        mapping = {header: name for header, name in zip(headers, fields, strict=True) if header}
        return await importing.end_staging(uow, import_id, judge, headers, mapping, desk.campaign_version)


async def commit_members(run: JobRun) -> Mapping[str, Any]:
    """Make members of a staged list, or forget it when it was given up."""
    async with run.unit() as uow:
        found = await importing.take_over(uow, UUID(run.payload["import_id"]))
        return {"import_id": str(found.id), "state": found.state, "added": found.added, "changed": found.changed}
