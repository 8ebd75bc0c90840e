"""What happened to a critical value."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalDismissed(Event):
    """Somebody said that it is none: what speaks of it follows."""

    name: ClassVar[str] = "critical_value.dismissed"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalUnplaced(Event):
    """Something critical was said that stands at no result, or is no reason any more: unread, or of what is not examined."""

    name: ClassVar[str] = "critical_value.unplaced"
    exam_id: UUID
