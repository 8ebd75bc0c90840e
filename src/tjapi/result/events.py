"""What happened to results."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecorded(Event):
    """The current value of a result is another one now; `revision_id` None: it has none any more."""

    name: ClassVar[str] = "result.recorded"
    exam_id: UUID
    line_id: UUID
    result_id: UUID
    revision_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultArrivedLate(Event):
    """A result came, or changed, after the final sign-off: the report is outdated and a person must look."""

    name: ClassVar[str] = "result.arrived_late"
    exam_id: UUID
    result_id: UUID
    revision_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSigned(Event):
    """A department signed its sheet."""

    name: ClassVar[str] = "result.sheet_signed"
    exam_id: UUID
    department_id: int
