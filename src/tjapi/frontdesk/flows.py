"""The file of a print: read what was logged (transaction) → fetch pictures, render in a process of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tjapi.frontdesk import service
from tjapi.frontdesk.layout import Press
from tjapi.frontdesk.rules import PrintContent
from tjapi.kernel.documents import Sheet
from tjapi.kernel.documents.merging import merged
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.storage import FileDamagedError, Storage

_SECONDS, _SECONDS_A_SHEET = 20.0, 0.2
_MEDIA_TYPES = {"pdf": "application/pdf", "zpl": "application/x-zpl", "tspl": "application/x-tspl"}


@dataclass(frozen=True, slots=True)
class PrintFile:
    """What is sent to a printer."""

    content: bytes
    media_type: str
    name: str


async def file(held: Runtime, caller: Principal, print_id: UUID) -> PrintFile:
    """Return the file of a print: the same data and moment give the same bytes. Raises PrintNotFound, PrintNotReady."""
    async with held.units.read(caller) as uow:
        opened = await service.open_print(uow, print_id)
    if opened.content is None:
        content = await held.storage.get(opened.file or "")
    else:
        content, _ = await _made(held.services, opened, opened.content)
    return PrintFile(content, _MEDIA_TYPES[opened.format], f"print-{print_id}.{opened.format}")


async def make_file(run: JobRun) -> Mapping[str, Any]:
    """Make the file of a large print, part by part. Killed and taken up again it is made anew, of what was taken down when it was logged."""
    print_id = UUID(run.payload["print_id"])
    async with run.unit() as uow:
        opened = await service.to_make(uow, print_id)
    if opened is None:
        return {"print_id": str(print_id), "pages": None}
    pieces, pages = [], 0
    for n in range(opened.parts):
        async with run.unit() as uow:
            content = await service.part_of(uow, print_id, n)
        piece, more = await _made(run.services, opened, content)
        pieces.append(piece)
        pages += more
        await run.progress(n + 1, opened.parts, "printing")
    whole = await asyncio.to_thread(merged, pieces) if opened.format == "pdf" else b"".join(pieces)
    address = await run.services.storage.put(whole)
    async with run.unit() as uow:
        await service.keep_file(uow, print_id, address, size=len(whole), pages=pages)
    return {"print_id": str(print_id), "pages": pages}


async def _made(services: Any, opened: service.OpenedPrint, content: PrintContent) -> tuple[bytes, int]:
    """Render papers; return the file and how many pages or labels it has."""
    press = Press(
        service.read_paper(),
        hospital_name=services.printing.hospital_name,
        watermark=services.watermark,
        printed_at=opened.printed_at,
    )
    sheets = []
    for template, data, exam in press.sheets(content):
        picture = await _photo(services.storage, exam.photo) if data.get("photo") else None
        if data.get("photo"):
            data["photo"] = picture is not None
        sheets.append(Sheet(template, data, {"photo": picture} if picture else {}))
    seconds = _SECONDS + _SECONDS_A_SHEET * len(sheets)
    if opened.format == "pdf":
        document = await services.printing.render_set(sheets, now=opened.printed_at, timeout=seconds)
        return document.pdf, document.pages
    labels = await services.printing.render_labels(sheets, opened.format, timeout=seconds)
    return labels.content, labels.labels


async def handover_file(held: Runtime, caller: Principal, handover_id: UUID) -> PrintFile:
    """Make the paper of a hand-over list as it stands now. Raises HandoverNotFound."""
    async with held.units.read(caller) as uow:
        found, tubes, campus = await service.handover_paper(uow, handover_id)
        moment = uow.now
    services = held.services
    press = Press(
        service.read_paper(), hospital_name=services.printing.hospital_name, watermark=services.watermark, printed_at=moment
    )  # fmt: skip
    sheet = Sheet("handover_list", press.handover_list(found, tubes, campus), {})
    content = (await services.printing.render_set([sheet], now=moment, timeout=_SECONDS)).pdf
    return PrintFile(content, "application/pdf", f"{found.list_no}.pdf")


async def _photo(storage: Storage, address: str | None) -> bytes | None:
    """Return a photograph; a sheet without one is better than none."""
    if address is None:
        return None
    try:
        return await storage.get(address)
    except (FileNotFoundError, FileDamagedError):
        return None
