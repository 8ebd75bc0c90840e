"""What a laboratory says of single tubes, as its HL7 bytes, read by the adapter and filed as the worker does."""

from datetime import UTC, datetime
from uuid import UUID

from adapters.lis import hl7_mllp
from tests.tjapi.world import UNREMARKABLE, Visit, World
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.kernel.ids import uuid7
from tjapi.requisition import service as requisitions
from tjapi.result import service as results
from tjapi.result.service.filing import Filing


async def says(
    world: World, visit: Visit, *groups: str, barcode: str = "", placer: str = "", refused: str = "", status: str = "F", value: str = "",
) -> Filing:  # fmt: skip
    """File a report on item groups of a tube; `refused` stands in SPM-21, and then nothing was measured."""
    at = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    card = visit.card
    segments = [
        f"MSH|^~\\&|LIS|LAB|TJAPI||{at}||ORU^R01^ORU_R01|{uuid7().hex[-20:]}|P|2.5.1|||||CHN|UNICODE UTF-8",
        f"PID|1||{visit.exam_no}^^^TJ^VN||{card['name']}||{card['birth_date'].replace('-', '')}|{card['sex'][0].upper()}",
    ]
    async with world.runtime.units.open(demo.LOADER) as uow:
        lines = {line.code: line for line in await exams.lines(uow, visit.exam_id)}
        items = await catalog.group_items(uow, [lines[code].item_group_id for code in groups])
        for n, code in enumerate(groups, 1):
            segments += [
                "ORC|RE",
                f"OBR|{n}|{placer}||{code}^{lines[code].name}^L|||{at}|||||||||||||||{at}|||{status}",
            ]
            if not refused:
                segments += [
                    f"OBX|{i}|NM|{item.code}^{item.code}^L||{value or UNREMARKABLE.get(item.code, '5')}|{item.unit or ''}||||||{status}|||{at}"
                    for i, item in enumerate(items[lines[code].item_group_id], 1)
                ]
            segments.append(f"SPM|1|{barcode}" + ("|" * 19 + refused if refused else ""))
        report = hl7_mllp.parse(("\r".join(segments) + "\r").encode())
        return await results.file_report(uow, uuid7(), "lis", report)


async def placers(world: World, exam_id: UUID) -> dict[str, list[str]]:
    """Return under which numbers each group was asked for, by its barcode, of orders that stand."""
    found: dict[str, list[str]] = {}
    async with world.runtime.units.open(demo.LOADER) as uow:
        for requisition in await requisitions.requisitions(uow, exam_id):
            order = await requisitions.order_of(uow, requisition.id)
            for tube in order.tubes if order else ():
                found.setdefault(tube.barcode, []).extend(group.placer_no for group in tube.groups)
    return found
