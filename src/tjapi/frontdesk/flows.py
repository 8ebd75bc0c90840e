"""The file of a print: read what was logged (transaction) → fetch pictures, render in a process of its own."""

from dataclasses import dataclass
from uuid import UUID

from tjapi.frontdesk import service
from tjapi.frontdesk.layout import Press
from tjapi.kernel.documents import Sheet
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.storage import FileDamagedError

_SECONDS, _SECONDS_A_SHEET = 20.0, 0.2
_MEDIA_TYPES = {"pdf": "application/pdf", "zpl": "application/x-zpl", "tspl": "application/x-tspl"}


@dataclass(frozen=True, slots=True)
class PrintFile:
    """What is sent to a printer."""

    content: bytes
    media_type: str
    name: str


async def file(held: Runtime, caller: Principal, print_id: UUID) -> PrintFile:
    """Make the file of a print: the same data and moment give the same bytes. Raises PrintNotFound."""
    async with held.units.read(caller) as uow:
        opened = await service.open_print(uow, print_id)
    services, moment = held.services, opened.printed_at
    press = Press(
        service.read_paper(),
        hospital_name=services.printing.hospital_name,
        watermark=services.watermark,
        printed_at=moment,
    )
    sheets = []
    for template, data, exam in press.sheets(opened.content):
        picture = await _photo(held, exam.photo) if data.get("photo") else None
        if data.get("photo"):
            data["photo"] = picture is not None
        sheets.append(Sheet(template, data, {"photo": picture} if picture else {}))
    seconds = _SECONDS + _SECONDS_A_SHEET * len(sheets)
    if opened.format == "pdf":
        content = (await services.printing.render_set(sheets, now=moment, timeout=seconds)).pdf
    else:
        content = (await services.printing.render_labels(sheets, opened.format, timeout=seconds)).content
    return PrintFile(content, _MEDIA_TYPES[opened.format], f"print-{print_id}.{opened.format}")


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


async def _photo(held: Runtime, address: str | None) -> bytes | None:
    """Return a photograph; a sheet without one is better than none."""
    if address is None:
        return None
    try:
        return await held.storage.get(address)
    except (FileNotFoundError, FileDamagedError):
        return None
