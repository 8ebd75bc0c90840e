"""Tables of an exam. Each row belongs to a campus and is shown by row security."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.exam.rules import EXAM_MOVES, LINE_ACTIONS, LINE_MOVES
from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class Exam(Base):
    """体检. `report_version` is the version of its report that the examinee may see now. Name, sex, birth date and age are those of the day: an old report does not change with the person's file.

    `facts_version` counts how often sex, birth date or pregnancy were corrected; `knowledge_version_id` is the edition by which the exam is
    judged, from the first time that it was: a later one changes nothing here. `archive` and `archive_no` say from which system's archive a past exam was brought in, and its number there.
    """

    __tablename__ = "exam"
    __table_args__ = (
        UniqueConstraint("campus_id", "exam_no"),
        # Nulls differ: what was done here has no number there. Bringing an archive in twice is bringing it in once.
        UniqueConstraint("campus_id", "archive", "archive_no"),
        CheckConstraint("(archive is null) = (archive_no is null)", name="archive"),
        CheckConstraint(f"state in {tuple(EXAM_MOVES)}", name="state"),
        Index("ix_exam_campus_day", "campus_id", "exam_date", "id"),
        Index("ix_exam_campus_state", "campus_id", "state", "id"),
        Index("ix_exam_examinee", "examinee_id", "exam_date"),
        Index("ix_exam_employer", "employer_id", "id", postgresql_where=sql("employer_id is not null")),
        Index("ix_exam_campaign", "campaign_id", "exam_date", postgresql_where=sql("campaign_id is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_no: Mapped[str]
    examinee_id: Mapped[UUID]
    package_id: Mapped[UUID | None]
    package_name: Mapped[str | None]
    employer_id: Mapped[UUID | None]
    campaign_id: Mapped[UUID | None]
    member_id: Mapped[UUID | None]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    exam_date: Mapped[date] = mapped_column(Date)
    name: Mapped[str]
    sex: Mapped[str]
    birth_date: Mapped[date] = mapped_column(Date)
    age_years: Mapped[int] = mapped_column(SmallInteger)
    age_days: Mapped[int]
    pregnant: Mapped[bool | None]
    facts_version: Mapped[int] = mapped_column(server_default="0")
    knowledge_version_id: Mapped[UUID | None]
    total_fen: Mapped[int]
    registered_by: Mapped[UUID]
    registered_at: Mapped[datetime] = mapped_column(Moment)
    checked_in_at: Mapped[datetime | None] = mapped_column(Moment)
    sheet_returned_at: Mapped[datetime | None] = mapped_column(Moment)
    ready_at: Mapped[datetime | None] = mapped_column(Moment)
    finalized_at: Mapped[datetime | None] = mapped_column(Moment)
    cancelled_at: Mapped[datetime | None] = mapped_column(Moment)
    cancel_reason: Mapped[str | None]
    awaits_payment: Mapped[bool] = mapped_column(server_default="false")
    owed_fen: Mapped[int] = mapped_column(server_default="0")
    refund_fen: Mapped[int] = mapped_column(server_default="0")
    blood_drawn: Mapped[bool] = mapped_column(server_default="false")
    examined: Mapped[bool] = mapped_column(server_default="false")
    held_from: Mapped[str | None]
    hold_reason: Mapped[str | None]
    hints: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    hints_settled: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    report_version: Mapped[int | None]
    archive: Mapped[str | None]
    archive_no: Mapped[str | None]


class ExamLine(Base):
    """An item group ordered in an exam; what it is called, costs and why are copied here.

    Of the person's share `paid_fen` was paid and `remitted_fen` is not asked for (免收). `kept_misfits` are the reasons against it, such as a
    pregnancy, in spite of which a person said that it stands. `coverings` are what was said when it was paid or remitted, each by its number
    or reason. `doubted_by` is the identity check that found somebody else after it was collected or had results, until it is done anew or a
    person says that it stands. `private` (私密): it waits until the person's consent is recorded, `consented_at`;
    where that is withdrawn after it was examined (`consent_withdrawn_at`), no report tells of it.
    """

    __tablename__ = "exam_line"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(LINE_MOVES)}", name="state"),
        CheckConstraint("price_fen >= 0 and person_share_fen + employer_share_fen = price_fen", name="shares"),
        CheckConstraint("paid_fen >= 0 and remitted_fen >= 0", name="paid"),
        CheckConstraint("due_on is null or state = 'deferred'", name="due_on"),
        Index("ix_exam_line_exam", "exam_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    item_group_id: Mapped[UUID]
    code: Mapped[str]
    name: Mapped[str]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    performed_by: Mapped[str]
    specimen: Mapped[str | None]
    container: Mapped[str | None]
    fasting: Mapped[bool]
    sort: Mapped[int]
    state: Mapped[str]
    list_price_fen: Mapped[int]
    price_fen: Mapped[int]
    person_share_fen: Mapped[int]
    employer_share_fen: Mapped[int]
    paid_fen: Mapped[int] = mapped_column(server_default="0")
    remitted_fen: Mapped[int] = mapped_column(server_default="0")
    price_reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state_at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    replaces_id: Mapped[UUID | None]
    kept_misfits: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    coverings: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    doubted_by: Mapped[UUID | None]
    private: Mapped[bool] = mapped_column(server_default="false")
    consented_at: Mapped[datetime | None] = mapped_column(Moment)
    consent_withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)


class ExamLineStep(Base):
    """What somebody commanded on a line, and why. Append-only. `signature` is the name signed on paper."""

    __tablename__ = "exam_line_step"
    __table_args__ = (
        CheckConstraint(f"action in {LINE_ACTIONS}", name="action"),
        Index("ix_exam_line_step_exam", "exam_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("exam_line.id"))
    action: Mapped[str]
    from_state: Mapped[str | None]
    reason: Mapped[str | None]
    signature: Mapped[str | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    by: Mapped[UUID]
    by_name: Mapped[str]
    by_offer: Mapped[bool] = mapped_column(default=False, server_default=sql("false"))
    """Nobody decided it for the examinee: what the group offers, or the member chose, brought it about."""
    at: Mapped[datetime] = mapped_column(Moment)


class ExamFactsStep(Base):
    """What an exam said of its person before a correction, who corrected it, and why. Append-only."""

    __tablename__ = "exam_facts_step"

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    sex: Mapped[str]
    birth_date: Mapped[date] = mapped_column(Date)
    pregnant: Mapped[bool | None]
    reason: Mapped[str]
    by: Mapped[UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment)


class ExamBlock(Base):
    """Why an exam cannot be finalized: added and cleared by whoever knows."""

    __tablename__ = "exam_block"

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    added_at: Mapped[datetime] = mapped_column(Moment)


class ExamNumber(Base):
    """The running number of a campus's day."""

    __tablename__ = "exam_number"

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]
