"""The order's way to the LIS: read it (transaction) → send it → say what became of it (transaction)."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from adapters.errors import OutcomeUnknown, Rejected, Unavailable
from adapters.lis.contract import LabGroup, LabOrder, LabPatient, LabTube
from tjapi.kernel.jobs.spec import GiveUp, JobRun, TryLater
from tjapi.requisition import service


async def send_order(run: JobRun) -> Mapping[str, Any]:
    """Send a planned order. The same message number every time: the LIS recognises an order it has."""
    requisition_id = UUID(run.payload["requisition_id"])
    async with run.unit() as uow:
        order = await service.order_of(uow, requisition_id)
    if order is None:
        return {"sent": False}
    try:
        await run.services.lis.client.send_order(_lab_order(order), message_id=order.message_id)
    except (Unavailable, OutcomeUnknown) as error:
        raise TryLater("lis-unavailable") from error
    except Rejected as error:
        async with run.unit() as uow:
            await service.mark_failed(uow, requisition_id, error.code)
        raise GiveUp("lis-rejected") from error
    async with run.unit() as uow:
        await service.mark_sent(uow, requisition_id, {group.placer_no for tube in order.tubes for group in tube.groups})
    return {"sent": True}


async def cancel_order(run: JobRun) -> Mapping[str, Any]:
    """Take an order back at the LIS."""
    async with run.unit() as uow:
        cancellation = await service.cancellation_of(uow, UUID(run.payload["requisition_id"]))
    return await _take_back(run, cancellation)


async def cancel_lines(run: JobRun) -> Mapping[str, Any]:
    """Take some lines of an order back at the LIS."""
    requisition_id, placer_nos = UUID(run.payload["requisition_id"]), run.payload["placer_nos"]
    async with run.unit() as uow:
        cancellation = await service.lines_cancellation_of(uow, requisition_id, placer_nos)
    return await _take_back(run, cancellation)


async def _take_back(run: JobRun, cancellation: service.Cancellation | None) -> Mapping[str, Any]:
    """Tell the LIS. What it never had is nothing to take back: it may say so, and that is the end of it.

    A LIS that acknowledged the order and now refuses has worked on it: a person must look.
    """
    if cancellation is None:
        return {"cancelled": False}
    order = cancellation.order
    try:
        await run.services.lis.client.cancel_order(_lab_order(order), message_id=order.message_id)
    except (Unavailable, OutcomeUnknown) as error:
        raise TryLater("lis-unavailable") from error
    except Rejected as error:
        if cancellation.acknowledged:
            raise GiveUp("lis-rejected") from error
        return {"cancelled": True, "known": False}
    return {"cancelled": True, "known": True}


def _lab_order(order: service.Order) -> LabOrder:
    return LabOrder(
        placer_no=order.placer_no,
        exam_no=order.exam_no,
        campus_code=order.campus_code,
        patient=LabPatient(
            examinee_no=order.exam_no, name=order.name, sex=cast("Any", order.sex), birth_date=order.birth_date
        ),
        tubes=tuple(
            LabTube(
                t.barcode,
                t.container,
                t.specimen,
                t.collected_at,
                tuple(LabGroup(g.placer_no, g.code, g.name) for g in t.groups),
            )
            for t in order.tubes
        ),
        ordered_at=order.ordered_at,
    )
