"""What happened to requisitions and tubes."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RequisitionPlanned(Event):
    """An order waits to be sent to the LIS."""

    name: ClassVar[str] = "requisition.planned"
    requisition_id: UUID
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequisitionCancelled(Event):
    """An order that may have reached the LIS is not wanted any more."""

    name: ClassVar[str] = "requisition.cancelled"
    requisition_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RequisitionLinesCancelled(Event):
    """Some lines of an order that may have reached the LIS are not wanted any more."""

    name: ClassVar[str] = "requisition.lines_cancelled"
    requisition_id: UUID
    placer_nos: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TubeCollected(Event):
    """A specimen was taken."""

    name: ClassVar[str] = "requisition.tube_collected"
    exam_id: UUID
    tube_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TubeRejected(Event):
    """A specimen was refused and is to be taken again, in the tube `replacement_id`."""

    name: ClassVar[str] = "requisition.tube_rejected"
    exam_id: UUID
    tube_id: UUID
    replacement_id: UUID
