"""监管链: every step of a tube, who did it, when and where; and that its label was printed, or its result came back from outside."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import repository
from tjapi.requisition.errors import TubeNotFound
from tjapi.requisition.models import Tube, TubeStep
from tjapi.requisition.rules import RejectReason, TubeAction, TubeState
from tjapi.requisition.schemas import CustodyOut, CustodyStepOut

_LIS = "LIS"


def note(
    uow: UnitOfWork, tube: Tube, action: TubeAction, *, reason: str | None = None, text: str | None = None, place: str | None = None,
    handover_id: UUID | None = None, by_name: str | None = None,
) -> None:  # fmt: skip
    """Keep a step of a tube; the tube's state is what it is after the step."""
    uow.session.add(
        TubeStep(
            id=uuid7(), campus_id=tube.campus_id, tube_id=tube.id, action=action, state=tube.state, reason=reason, note=text, place=place,
            handover_id=handover_id, by=uow.principal.id, by_name=by_name if by_name is not None else uow.principal.name, at=uow.now,
        )
    )  # fmt: skip


async def labels_printed(uow: UnitOfWork, tube_ids: Iterable[UUID]) -> None:
    """Keep that labels of tubes were printed."""
    printed = set(tube_ids)
    for tube in await repository.tubes_of(uow, printed) if printed else ():
        note(uow, tube, "label_printed")


async def reported(uow: UnitOfWork, tube_id: UUID) -> None:
    """A result came in of a tube that was sent out: once is enough."""
    tube = await repository.tube(uow, tube_id)
    sent = await repository.last_out_of(uow, tube_id)
    if tube is None or sent is None or tube.state != "sent_out" or sent.back_at is not None:
        return
    sent.back_at, sent.back_how = uow.now, "reported"
    note(uow, tube, "reported", handover_id=sent.handover_id, by_name=_LIS)


async def custody(uow: UnitOfWork, tube_id: UUID) -> CustodyOut:
    """Return every step of a tube, in order, from its planning on. Raises TubeNotFound."""
    tube = await repository.tube(uow, tube_id)
    if tube is None:
        raise TubeNotFound
    steps = await repository.steps(uow, tube_id)
    lists = {
        row.id: row.list_no for row in await repository.handovers(uow, {s.handover_id for s in steps if s.handover_id})
    }
    replacement = await repository.replacement(uow, tube_id)
    return CustodyOut(
        tube_id=tube.id, barcode=tube.barcode, state=cast("TubeState", tube.state), planned_at=tube.planned_at,
        replaces_id=tube.replaces_id, replaced_by_id=replacement.id if replacement else None,
        steps=[
            CustodyStepOut(
                id=step.id, action=cast("TubeAction", step.action), state=cast("TubeState", step.state),
                reason=cast("RejectReason | None", step.reason), note=step.note, place=step.place, handover_id=step.handover_id,
                list_no=lists.get(step.handover_id) if step.handover_id else None, by=step.by, by_name=step.by_name, at=step.at,
            )
            for step in steps
        ],
    )  # fmt: skip
