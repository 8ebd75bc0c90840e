"""What happened to reports."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportGenerated(Event):
    """The document exists, with its hash."""

    name: ClassVar[str] = "report.generated"
    report_id: UUID
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPublished(Event):
    """The examinee may see it."""

    name: ClassVar[str] = "report.published"
    report_id: UUID
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecalled(Event):
    """The examinee may no longer see it."""

    name: ClassVar[str] = "report.recalled"
    report_id: UUID
    exam_id: UUID
