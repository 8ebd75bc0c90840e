"""What happened to an exam."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRegistered(Event):
    """An exam was prepared for an examinee."""

    name: ClassVar[str] = "exam.registered"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesReleased(Event):
    """Lines may be carried out: paid, covered, or free."""

    name: ClassVar[str] = "exam.lines_released"
    exam_id: UUID
    line_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamCheckedIn(Event):
    """The examinee is here."""

    name: ClassVar[str] = "exam.checked_in"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamReadyForReview(Event):
    """Nothing is outstanding any more."""

    name: ClassVar[str] = "exam.ready_for_review"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamFinalized(Event):
    """The final sign-off was given."""

    name: ClassVar[str] = "exam.finalized"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamReopened(Event):
    """The final sign-off was taken back, for a reason: what was concluded is a draft again, and its report is not what is known."""

    name: ClassVar[str] = "exam.reopened"
    exam_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamFactsCorrected(Event):
    """Sex, birth date, pregnancy or the day of an exam are others now: all that was judged by them is judged anew."""

    name: ClassVar[str] = "exam.facts_corrected"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamPersonCompared(Event):
    """A finalized exam was held against its person: `why` it is in doubt that it is theirs, as Chinese words; None where it is not."""

    name: ClassVar[str] = "exam.person_compared"
    exam_id: UUID
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamCancelled(Event):
    """The exam will not take place."""

    name: ClassVar[str] = "exam.cancelled"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamHeld(Event):
    """The exam is stopped for the time being: nobody is called or examined until it goes on."""

    name: ClassVar[str] = "exam.held"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesSetAside(Event):
    """Lines will not be carried out, or not now: withdrawn, substituted, refused, waived or deferred, as `action` says."""

    name: ClassVar[str] = "exam.lines_set_aside"
    exam_id: UUID
    line_ids: tuple[UUID, ...]
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesReinstated(Event):
    """Lines that were refused, waived or deferred are to be carried out after all."""

    name: ClassVar[str] = "exam.lines_reinstated"
    exam_id: UUID
    line_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastExamsImported(Event):
    """Past exams were brought in, finalized. Nobody is told of them as of news."""

    name: ClassVar[str] = "exam.past_imported"
    exam_ids: tuple[UUID, ...]
