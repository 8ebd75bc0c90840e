"""What happened to results."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsRecorded(Event):
    """The current values of these results are others now, or are none any more. Once per transaction and exam."""

    name: ClassVar[str] = "result.recorded"
    exam_id: UUID
    result_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionsAdded(Event):
    """Something was said of these results, whether it became their current value or not. Once per transaction and exam.

    `item_codes`: of which items they are. `beside`: every revision of the exam that contradicts a final value and that no correction has decided; a person must ask, and until
    then both count. `passed_over`: what was added and is no value any more: it was corrected, or struck, before it came. `alarming`: the
    laboratory itself calls something of it critical, or words of it are grave. `of_past`: nothing was said of this exam; an earlier one of the person says something else.
    """

    name: ClassVar[str] = "result.revisions_added"
    exam_id: UUID
    result_ids: tuple[UUID, ...]
    item_codes: tuple[str, ...]
    beside: tuple[UUID, ...] = ()
    passed_over: tuple[UUID, ...] = ()
    alarming: bool = False
    of_past: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFollowed(Event):
    """What departments say is in line with what is known again, or visibly stale: whoever makes something of it follows now."""

    name: ClassVar[str] = "result.derived_followed"
    exam_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultArrivedLate(Event):
    """A result came, or changed, after the final sign-off: the report is outdated and a person must look.

    `question_id` stands in the place of a revision where nobody could read what came.
    """

    name: ClassVar[str] = "result.arrived_late"
    exam_id: UUID
    result_id: UUID | None
    revision_id: UUID | None = None
    question_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSigned(Event):
    """A department signed its sheet."""

    name: ClassVar[str] = "result.sheet_signed"
    exam_id: UUID
    department_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalUnread(Event):
    """The laboratory calls a value critical that could not be read, or not be placed on any line (`placed`): a person looks at once.

    `ours`: it is critical by our own range or rule, whatever the laboratory calls it. `key` tells what one message said from another. `private`: it
    answers an order of which something is private, under whatever code. `words`: it is a grave sentence, and no value. `belongs`: False where its message
    was not filed, and only names this exam.
    """

    name: ClassVar[str] = "result.critical_unread"
    exam_id: UUID
    department_id: int
    item_code: str
    item_name: str
    key: str
    placed: bool = True
    ours: bool = False
    private: bool = False
    words: str = ""
    belongs: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalNotExcluded(Event):
    """A value that could not be read, or whose unit nobody knows, may be critical by our own limits: a person looks at once. Once per question.

    `words`: what was said, as it came.
    """

    name: ClassVar[str] = "result.critical_not_excluded"
    exam_id: UUID
    department_id: int
    item_code: str
    item_name: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalExcluded(Event):
    """Nothing is asked any more of what an item may be: a value stands that is known. Whether that is critical is judged as of any value.

    `keys` are those of what nobody could read of it.
    """

    name: ClassVar[str] = "result.critical_excluded"
    exam_id: UUID
    item_code: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalPlaced(Event):
    """What may have alarmed because no line took it is on a line now: whatever it says there alarms by itself.

    `key` and `said_code` are those under which it was unplaced; the item and `result_id` are where it is now, `revision_ids` the values that
    it is there, `question_keys` what is asked of it. `critical`: what stands there, or is asked, is or may be critical: then the alert ends only where another speaks of that.
    """

    name: ClassVar[str] = "result.critical_placed"
    exam_id: UUID
    said_code: str
    key: str
    item_code: str
    item_name: str
    result_id: UUID | None
    revision_ids: tuple[UUID, ...]
    question_keys: tuple[str, ...]
    critical: bool
