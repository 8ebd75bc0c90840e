"""What happened to a conclusion."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionSigned(Event):
    """The first reviewer signed; it waits for the final sign-off."""

    name: ClassVar[str] = "conclusion.signed"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentTaskClosed(Event):
    """Somebody said what became of a result that came after the final sign-off."""

    name: ClassVar[str] = "amendment_task.closed"
    exam_id: UUID
    task_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionReturned(Event):
    """It is a draft again: returned with a reason, or something changed under the review."""

    name: ClassVar[str] = "conclusion.returned"
    exam_id: UUID
