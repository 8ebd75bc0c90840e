"""Tables of results. Each row belongs to a campus and is shown by row security; revisions and signatures are only added."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, String, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.result.rules.flags import FLAGS
from tjapi.result.rules.questions import QUESTIONS
from tjapi.result.rules.revisions import STATUSES

Moment = TIMESTAMP(timezone=True)


class DepartmentSheet(Base):
    """分科录入单: what a department enters and signs in one exam. Its version is what If-Match guards; no row yet is version 0.

    `by_hand`: the summary is somebody's words, not what the lines make; `made_of` is the digest of what it was signed or written on, and
    `stale` says that this is no longer what is known. `shown` is the digest of what this version shows of the exam: who read another one has
    not seen this. `asked` are words of a summary by hand that nothing of the exam supports, and nobody confirmed yet; `confirmed` says who
    confirmed which words of the sheet (`rules.confirming`).
    """

    __tablename__ = "department_sheet"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'signed')", name="state"),
        CheckConstraint("(state = 'signed') = (signed_by is not null)", name="signature"),
    )

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int]
    state: Mapped[str]
    summary: Mapped[str] = mapped_column(server_default="")
    by_hand: Mapped[bool] = mapped_column(server_default="false")
    made_of: Mapped[str | None]
    stale: Mapped[bool] = mapped_column(server_default="false")
    signed_by: Mapped[UUID | None]
    signed_at: Mapped[datetime | None] = mapped_column(Moment)
    signer_name: Mapped[str | None]
    shown: Mapped[str | None]
    asked: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    confirmed: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))


class DepartmentSheetStep(Base):
    """A signature given or taken back, with the summary of that moment. Append-only."""

    __tablename__ = "department_sheet_step"
    __table_args__ = (CheckConstraint("action in ('signed', 'reopened', 'revoked')", name="action"),)

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    action: Mapped[str]
    summary: Mapped[str]
    reason: Mapped[str | None]
    by: Mapped[UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment)


class DepartmentSheetLine(Base):
    """小结行: one line of a department's summary. Made by rules, which are named, or by hand; what a doctor did to it stays.

    `removed` keeps a line that a doctor took out, so that the rule does not bring it back while its values stay; `stale` says that what a
    line which a doctor edited was made of is no longer what is known. `made_of` is the digest of it, `revision_ids` name it.
    """

    __tablename__ = "department_sheet_line"
    __table_args__ = (
        CheckConstraint("origin in ('rule', 'manual')", name="origin"),
        CheckConstraint("(origin = 'rule') = (finding_code is not null)", name="finding"),
        UniqueConstraint("exam_id", "department_id", "finding_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    sort: Mapped[int]
    origin: Mapped[str]
    finding_code: Mapped[str | None]
    rule_codes: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    knowledge_version_id: Mapped[UUID | None]
    text: Mapped[str]
    edited: Mapped[bool] = mapped_column(server_default="false")
    removed: Mapped[bool] = mapped_column(server_default="false")
    stale: Mapped[bool] = mapped_column(server_default="false")
    result_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    revision_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    made_of: Mapped[str | None]
    private: Mapped[bool] = mapped_column(server_default="false")
    asked: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))


class MessageRelease(Base):
    """放行: two people say of a message that no machine may file to which exam it belongs, in which charset it is read, or that it is good as it is."""

    __tablename__ = "message_release"
    __table_args__ = (
        CheckConstraint("state in ('proposed', 'released', 'rejected')", name="state"),
        CheckConstraint("decided_by is null or decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", name="decision"),
        Index(
            "uq_message_release_open",
            "message_id",
            unique=True,
            postgresql_where=sql("state = 'proposed'"),
        ),
        Index("ix_message_release_message", "message_id", "decided_at", postgresql_where=sql("state = 'released'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    message_id: Mapped[UUID]
    exam_id: Mapped[UUID | None]
    charset: Mapped[str | None]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="proposed")
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None] = mapped_column(Moment)


class Result(Base):
    """结果: an item of a line. What the item is called is copied here: an old report does not change with the catalog.

    `judged_flag` is what a person said of a current value that nothing else could judge: "" normal, A abnormal. It goes with that value.
    """

    __tablename__ = "result"
    __table_args__ = (
        UniqueConstraint("exam_id", "line_id", "item_id"),
        CheckConstraint("judged_flag in ('', 'A')", name="judged_flag"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    item_code: Mapped[str]
    item_name: Mapped[str]
    unit: Mapped[str | None]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    current_revision_id: Mapped[UUID | None]
    judged_flag: Mapped[str | None]
    private: Mapped[bool] = mapped_column(server_default="false")


class ResultQuestion(Base):
    """待核实: what no machine may decide of one item of an exam, put to a person; it blocks the final review until it is answered.

    `unread`: a value that could not be read (`raw_value`), so that there is none. `contested`: values contradict each other.
    `undetermined`: the value is neither normal nor abnormal by any range. `implausible`: the value is hardly possible, or the laboratory
    flags it in a way that contradicts it or that nobody understands. `missing`: nobody was asked, a person said that no value
    will come. `kept_because`: why it was answered against what was said. `gives_up`: by its answer the item is settled without a value, until one comes or its specimen is drawn again. `said_at` is when the laboratory said it, `status` as what. A question that a later value answers is closed by that (`how`).
    """

    __tablename__ = "result_question"
    __table_args__ = (
        CheckConstraint(f"kind in {QUESTIONS}", name="kind"),
        CheckConstraint("how in ('person', 'value', 'line')", name="how"),
        CheckConstraint("(how is null) = (closed_at is null)", name="closing"),
        CheckConstraint("(how = 'person') = (answer is not null)", name="answer"),
        Index("ix_result_question_exam", "exam_id"),
        Index("ix_result_question_open", "asked_at", "id", postgresql_where=sql("closed_at is null")),
        Index(
            "uq_result_question_open", "exam_id", "line_id", "item_id", "kind", "key", unique=True, postgresql_where=sql("closed_at is null"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    line_id: Mapped[UUID]
    item_id: Mapped[UUID]
    item_code: Mapped[str]
    item_name: Mapped[str]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    key: Mapped[str]
    result_id: Mapped[UUID | None]
    revision_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    message_id: Mapped[UUID | None]
    raw_value: Mapped[str]
    remarks: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    lis_flags: Mapped[str | None]
    status: Mapped[str | None]
    said_at: Mapped[datetime] = mapped_column(Moment)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[UUID | None]
    closed_name: Mapped[str | None]
    how: Mapped[str | None]
    answer: Mapped[str | None]
    reason: Mapped[str | None]
    kept_because: Mapped[str | None]
    gives_up: Mapped[bool] = mapped_column(default=False, server_default=sql("false"))
    private: Mapped[bool] = mapped_column(server_default="false")

    @property
    def logged(self) -> str:
        """The code of its item for the audit trail, which is read by who may not know what is private."""
        return "PRIVATE" if self.private else self.item_code


class ResultRevision(Base):
    """One thing that was ever said of a result. Append-only: nobody may update or delete.

    `unit` is that of the value as it stands here; where a laboratory said it in another one, `conversion` keeps its number, its unit,
    the factor and where that comes from. `range_snapshot` is the range that its flag comes from: ours on that day, or the laboratory's
    where there is none of ours; `lis_range_text` and `lis_flags` are theirs. `remarks` are the words beside the value. `reason` says why a
    person let it stand, or struck it. `coded`: what was clicked, of a text that was composed of it (`knowledge.composing`). `doubted`: when it was recorded, it could hardly be; a person is asked as long as it is current.
    `method`: how it was measured, as far as it was said; `examined_by` (检验者) and `verified_by` (审核者): names that the laboratory signed it with.
    """

    __tablename__ = "result_revision"
    __table_args__ = (
        UniqueConstraint("result_id", "seq"),
        UniqueConstraint("result_id", "meaning_key"),
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("comparator in ('', '<', '<=', '>', '>=')", name="comparator"),
        CheckConstraint(f"flag in {FLAGS}", name="flag"),
        CheckConstraint("flag is null or range_snapshot is not null", name="flag_has_range"),
        Index("ix_result_revision_exam", "exam_id"),
        Index("ix_result_revision_filler", "source", "filler_no", postgresql_where=sql("filler_no is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("result.id"))
    exam_id: Mapped[UUID]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    seq: Mapped[int]
    status: Mapped[str]
    raw_value: Mapped[str]
    comparator: Mapped[str] = mapped_column(server_default="")
    numeric: Mapped[Decimal | None] = mapped_column(Numeric)
    text: Mapped[str]
    unit: Mapped[str | None]
    flag: Mapped[str | None]
    range_snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    conversion: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    lis_range_text: Mapped[str | None]
    lis_flags: Mapped[str | None]
    observed_at: Mapped[datetime] = mapped_column(Moment)
    issued_at: Mapped[datetime] = mapped_column(Moment)
    source: Mapped[str]
    sub_id: Mapped[str] = mapped_column(server_default="")
    filler_no: Mapped[str | None]
    message_id: Mapped[UUID | None]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    meaning_key: Mapped[str | None]
    remarks: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    reason: Mapped[str | None]
    doubted: Mapped[bool] = mapped_column(server_default=sql("false"))
    method: Mapped[str] = mapped_column(server_default="")
    examined_by: Mapped[str] = mapped_column(server_default="")
    verified_by: Mapped[str] = mapped_column(server_default="")
    private: Mapped[bool] = mapped_column(server_default="false")
    coded: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ResultFlagStep(Base):
    """What a revision's flag and range were before the exam's facts were corrected. Written by the database alone."""

    __tablename__ = "result_flag_step"

    revision_id: Mapped[UUID] = mapped_column(ForeignKey("result_revision.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    flag: Mapped[str | None]
    range_snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[datetime] = mapped_column(Moment)


@dataclass(slots=True)
class HeldResult:
    """A row of `result` as whoever holds the exam's lock works with it: a session's object costs ten times its row (speed.md, 1)."""

    id: UUID
    campus_id: int
    exam_id: UUID
    line_id: UUID
    item_id: UUID
    item_code: str
    item_name: str
    unit: str | None
    department_id: int
    current_revision_id: UUID | None
    judged_flag: str | None = None


@dataclass(slots=True)
class HeldRevision:
    """A row of `result_revision`, in the same way."""

    id: UUID
    campus_id: int
    result_id: UUID
    exam_id: UUID
    department_id: int
    seq: int
    status: str
    raw_value: str
    comparator: str
    numeric: Decimal | None
    text: str
    unit: str | None
    flag: str | None
    range_snapshot: dict[str, Any] | None
    conversion: dict[str, Any] | None
    lis_range_text: str | None
    lis_flags: str | None
    observed_at: datetime
    issued_at: datetime
    source: str
    sub_id: str
    filler_no: str | None
    message_id: UUID | None
    recorded_by: UUID
    recorded_at: datetime
    meaning_key: str | None
    remarks: list[str] = field(default_factory=list)
    reason: str | None = None
    doubted: bool = False
    method: str = ""
    coded: dict[str, Any] | None = None
    examined_by: str = ""
    verified_by: str = ""
