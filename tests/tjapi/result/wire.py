"""What a laboratory says on the wire of one visit, and what became of it."""

from adapters.lis import registry
from tests.tjapi.result.scene import OpenUnit, Scene, alerts_of, file
from tjapi.kernel.ids import uuid7
from tjapi.result import repository
from tjapi.result.service import Filing

WHEN, LATER = "20261123120000+0800", "20261123130000+0800"


def message(scene: Scene, group: str, *segments: str, status: str = "", orc: str = "", at: str = WHEN) -> bytes:
    """Return a message; `status` is OBR-25, `orc` ORC-1, `at` when it was written and reported."""
    head = f"MSH|^~\\&|LIS|LAB|TJ||{at}||ORU^R01|{uuid7().hex[:12]}|P|2.5.1||||||UNICODE UTF-8"
    who = f"PID|1||{scene.exam_no}^^^TJ^VN||{scene.name}||19860301|M"
    order = f"OBR|1|{scene.placers[group]}||{group}|||{WHEN}|||||||||||||||{at}|||{status}"
    before = [f"ORC|{orc}|{scene.placers[group]}"] if orc else []
    return ("\r".join((head, who, *before, order, *segments, f"SPM|1|{scene.barcodes[group]}")) + "\r").encode()


async def filed(
    unit: OpenUnit, scene: Scene, group: str, *segments: str, status: str = "", orc: str = "", at: str = WHEN
) -> Filing:
    raw = message(scene, group, *segments, status=status, orc=orc, at=at)
    return await file(unit, registry.parser("hl7_mllp")(raw))


async def asked(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    """Return item and kind of every open question."""
    async with unit() as uow:
        found = await repository.questions_of(uow, scene.exam_id)
        return sorted((q.item_code, q.kind) for q in found if q.closed_at is None)


async def alarms(unit: OpenUnit, scene: Scene) -> list[str]:
    return [c.rule_code for c in await alerts_of(unit, scene.exam_id)]
