"""What live events say, topic by topic: a screen's programmer gets a type for each.

An event holds identifiers and states, never personal data but the masked name that a room's display may show. What it points at is read
through its own operation.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from tjapi.appointment.rules import AppointmentState
from tjapi.conclusion.rules import ConclusionState
from tjapi.critical_value.rules import CriticalState, StepAction
from tjapi.exam.rules import ExamState
from tjapi.guidance.rules import TicketState
from tjapi.knowledge.rules import ImportantClass
from tjapi.operations.schemas import JobState
from tjapi.report.rules import ReportState
from tjapi.requisition.rules import HandoverState, RejectReason, RequisitionState
from tjapi.result.rules.questions import QuestionKind


class ExamTold(BaseModel):
    """An exam was registered or went on."""

    exam_id: UUID
    state: ExamState
    exam_date: date
    awaits_payment: bool
    blood_drawn: bool
    examined: bool


class ExamPointed(BaseModel):
    """Results of an exam changed: read them anew."""

    exam_id: UUID


class ResultQuestionTold(BaseModel):
    """A person is asked about a result, or was."""

    exam_id: UUID
    question_id: UUID
    kind: QuestionKind


class CriticalValueTold(BaseModel):
    """A critical value was found, or a step was taken."""

    critical_value_id: UUID
    exam_id: UUID
    important_class: ImportantClass
    state: CriticalState
    action: StepAction
    escalation_level: int


class AlarmingMessageTold(BaseModel):
    """A message that belongs to nobody says something critical."""

    message_id: UUID


class ConclusionTold(BaseModel):
    """A conclusion was written, signed or reopened."""

    exam_id: UUID
    state: ConclusionState
    version: int


class AmendmentTaskTold(BaseModel):
    """A result changed after the final sign-off: somebody has to look."""

    exam_id: UUID
    task_id: UUID


class ReportTold(BaseModel):
    """A report came to another state."""

    report_id: UUID
    state: ReportState


class RequisitionTold(BaseModel):
    """An order could not be sent to the laboratory."""

    requisition_id: UUID
    state: RequisitionState


class SpecimenTold(BaseModel):
    """A tube was rejected; another one is planned in its place."""

    exam_id: UUID
    tube_id: UUID
    replacement_id: UUID
    reason: RejectReason


class HandoverTold(BaseModel):
    """A list of tubes was handed over or signed for."""

    handover_id: UUID
    state: HandoverState


class AppointmentTold(BaseModel):
    """An appointment was made, moved or ended."""

    appointment_id: UUID
    state: AppointmentState
    day: date


class WaitingListTold(BaseModel):
    """A place came free for somebody who waits."""

    wait_id: UUID
    appointment_id: UUID
    day: date


class GuidanceTold(BaseModel):
    """A number was called, passed over or done; `called_name` is masked as the campus wants it."""

    room_id: UUID
    number: str
    called_name: str | None
    state: TicketState


class JobTold(BaseModel):
    """A job of the caller's own went on."""

    job_id: UUID
    name: str
    state: JobState
    done: int | None
    total: int | None


class _Event(BaseModel):
    at: datetime
    campus_id: int | None = Field(
        description="院区;与院区无关时为空 · The campus; null where none is meant", examples=[1]
    )


class ExamEvent(_Event):
    """An exam was registered or went on."""

    topic: Literal["exam"]
    data: ExamTold


class ResultEvent(_Event):
    """Results of an exam changed."""

    topic: Literal["result"]
    data: ExamPointed


class ResultQuestionEvent(_Event):
    """A result is asked about, or was answered."""

    topic: Literal["result_question"]
    data: ResultQuestionTold


class CriticalValueEvent(_Event):
    """A critical value was found, or a step was taken."""

    topic: Literal["critical_value"]
    data: CriticalValueTold


class AlarmingMessageEvent(_Event):
    """A message of nobody says something critical."""

    topic: Literal["alarming_message"]
    data: AlarmingMessageTold


class ConclusionEvent(_Event):
    """A conclusion changed."""

    topic: Literal["conclusion"]
    data: ConclusionTold


class AmendmentTaskEvent(_Event):
    """Somebody has to look at a finalized exam."""

    topic: Literal["amendment_task"]
    data: AmendmentTaskTold


class ReportEvent(_Event):
    """A report came to another state."""

    topic: Literal["report"]
    data: ReportTold


class RequisitionEvent(_Event):
    """An order could not be sent."""

    topic: Literal["requisition"]
    data: RequisitionTold


class SpecimenEvent(_Event):
    """A tube was rejected."""

    topic: Literal["specimen"]
    data: SpecimenTold


class HandoverEvent(_Event):
    """A list of tubes changed hands."""

    topic: Literal["handover"]
    data: HandoverTold


class AppointmentEvent(_Event):
    """An appointment changed."""

    topic: Literal["appointment"]
    data: AppointmentTold


class WaitingListEvent(_Event):
    """A place came free."""

    topic: Literal["waiting_list"]
    data: WaitingListTold


class GuidanceEvent(_Event):
    """A queue moved."""

    topic: Literal["guidance"]
    data: GuidanceTold


class JobEvent(_Event):
    """A job of the caller went on."""

    topic: Literal["job"]
    data: JobTold


LiveEventOut = Annotated[
    ExamEvent
    | ResultEvent
    | ResultQuestionEvent
    | CriticalValueEvent
    | AlarmingMessageEvent
    | ConclusionEvent
    | AmendmentTaskEvent
    | ReportEvent
    | RequisitionEvent
    | SpecimenEvent
    | HandoverEvent
    | AppointmentEvent
    | WaitingListEvent
    | GuidanceEvent
    | JobEvent,
    Field(discriminator="topic"),
]
LIVE_EVENT: TypeAdapter[LiveEventOut] = TypeAdapter(LiveEventOut)


def live_event_schemas() -> dict[str, Any]:
    """Return the schemas of the contract that say what follows `data:` in the stream: `LiveEvent`, and one for each topic."""
    schema = LIVE_EVENT.json_schema(ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = schema.pop("$defs")
    said = "实时事件:`data:` 之后的内容,按 `topic` 区分 · What follows `data:` in the stream, told apart by `topic`."
    return {**inner, "LiveEvent": {**schema, "description": said}}
