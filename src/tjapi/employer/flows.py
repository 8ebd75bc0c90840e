"""Lists on their way in: judge the bytes and keep them (no transaction) → say so (transaction); then read, hold against the campaign, stage."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from tjapi.employer import sheets
from tjapi.employer.errors import UploadRefused
from tjapi.employer.rules.cells import FIELDS, SENTENCES, Row, read_row
from tjapi.employer.rules.headers import Header, line_kind
from tjapi.employer.schemas import ImportOut
from tjapi.employer.service import importing
from tjapi.employer.service.campaigns import campaign
from tjapi.employer.service.importing import Desk
from tjapi.employer.sheets import Note, Sheet, SheetRefusedError, TableSeen, TablesRefusedError
from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.child.pool import Children, Work
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.problem import FieldError
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import Asked

_AT_A_TIME = 2000
_READ = "tjapi.employer.sheets:pieces"
READ_LIST = Work(
    _READ, seconds=60, memory=1024 * 2**20, classes=(Sheet, Header, Note, TableSeen), verdicts=(SheetRefusedError,), patience=240
)  # fmt: skip
READ_OLD_LIST = replace(READ_LIST, memory=400 * 2**20)


async def upload(held: Runtime, caller: Principal, asked: Asked, campaign_id: UUID, content: bytes) -> ImportOut:
    """Take in a file; what it is, is judged by its content at once, what it says by a job. Raises CampaignNotFound, CampaignStateConflict, UploadRefused."""
    async with held.units.read(caller, asked=asked) as uow:
        await campaign(uow, campaign_id)
    try:
        kind = sheets.sniff(content)
    except SheetRefusedError as refusal:
        raise UploadRefused(errors=[FieldError("", refusal.code, *SENTENCES[refusal.code])]) from None
    file = await held.storage.put(content)
    async with held.units.open(caller, asked=asked) as uow:
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
        sheet = await _read(run.services.children, await run.services.storage.get(desk.file), desk)
    except SheetRefusedError as refusal:
        tables = refusal.tables if isinstance(refusal, TablesRefusedError) else []
        async with run.unit() as uow:
            await importing.refuse(uow, import_id, refusal.code, tables)
        return {"import_id": str(import_id), "refused": refusal.code}
    counts = await _stage(run, import_id, desk, sheet)
    return {"import_id": str(import_id), **counts}


async def _read(children: Children, content: bytes, desk: Desk) -> Sheet:
    """Read a file in a child. Raises SheetRefusedError."""
    is_old = sheets.sniff(content) == "xls"
    try:
        first, *pieces = await children.ask(
            READ_OLD_LIST if is_old else READ_LIST, content, dict(desk.remembered), desk.table
        )
    except Overrun as excess:
        # Of an XLS it is known only when it is read where its far cells are: they make a table of everything between.
        raise SheetRefusedError("too_wide" if is_old and excess.what != "too-long" else "unreadable") from None
    except Broken:
        raise SheetRefusedError("unreadable") from None
    if not isinstance(first, Sheet):
        code, tables = first
        raise TablesRefusedError(code, tables)
    first.rows = [row for piece in pieces for row in piece]
    return first


async def _stage(run: JobRun, import_id: UUID, desk: Desk, sheet: Sheet) -> Mapping[str, int]:
    judge, rows, header = desk.judge, sheet.rows, sheet.header
    first = header.last + 1
    for name, holds in zip(header.names, header.fields, strict=True):
        judge.headers.setdefault(holds, name)
    judge.note(sheet.notes)
    total = len(rows) - first

    def parse(begin: int) -> list[tuple[Row, bytes | None]]:
        found = []
        for at in range(begin, min(begin + _AT_A_TIME, len(rows))):
            kind = line_kind(rows[at], header)
            if kind != "person":
                judge.left_out(at + 1, kind)
                continue
            row = read_row(at + 1, rows[at], header.fields, judge.today)
            made = sheet.formulas.get(at + 1, ())
            spoilt = {holds for c, holds in enumerate(header.fields) if c in made and holds != "ignore"}
            row.faults += [(holds, "formula") for holds in FIELDS if holds in spoilt]
            found.append(row)
        return judge.indexed(found)

    async with run.unit() as uow:
        if not await importing.begin_staging(uow, import_id):
            return {}
        parsed = await asyncio.to_thread(parse, first)
        for begin in range(first, len(rows), _AT_A_TIME):
            judge.known_names = await importing.known_names(uow, [index for _, index in parsed if index is not None])
            staged = await asyncio.to_thread(judge.judge, parsed)
            # The next rows are read while the database takes these; beyond the last there are none.
            parsed, _ = await asyncio.gather(asyncio.to_thread(parse, begin + _AT_A_TIME), importing.stage(uow, staged))
            await run.progress(min(begin + _AT_A_TIME - first, total), total, "reading")
        judge.end()
        mapping = {name: holds for name, holds in zip(header.names, header.fields, strict=True) if name}
        return await importing.end_staging(uow, import_id, judge, sheet, mapping, desk.campaign_version)


async def commit_members(run: JobRun) -> Mapping[str, Any]:
    """Make members of a staged list, or forget it when it was given up."""
    async with run.unit() as uow:
        found = await importing.take_over(uow, UUID(run.payload["import_id"]))
        return {"import_id": str(found.id), "state": found.state, "added": found.added, "changed": found.changed}
