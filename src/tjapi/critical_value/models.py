"""Tables of critical values. Each row belongs to a campus; steps are only added."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.critical_value.rules import CHANNELS, ENDED, STATES
from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class CriticalValue(Base):
    """危急值. `explanation` says why in words: item, value, and what was asked of it. `corrected_at`: its reason was taken away later."""

    __tablename__ = "critical_value"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("important_class in ('A', 'B')", name="important_class"),
        UniqueConstraint("exam_id", "rule_code", "event_key"),
        Index("ix_critical_value_open", "due_at", "id", postgresql_where=sql(f"state not in {tuple(sorted(ENDED))}")),
        Index("ix_critical_value_exam", "exam_id"),
        Index("ix_critical_value_examinee", "examinee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    examinee_id: Mapped[UUID]
    exam_no: Mapped[str]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    rule_code: Mapped[str]
    rule_name: Mapped[str]
    important_class: Mapped[str]
    knowledge_version_id: Mapped[UUID]
    event_key: Mapped[str]
    explanation: Mapped[str]
    action: Mapped[str] = mapped_column(server_default="")
    result_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    revision_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    supersedes: Mapped[UUID | None]
    state: Mapped[str]
    version: Mapped[int]
    detected_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    corrected_at: Mapped[datetime | None] = mapped_column(Moment)
    escalation_level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    escalated_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str | None]
    private: Mapped[bool] = mapped_column(server_default="false")


class CriticalStep(Base):
    """One thing that was done about a critical value: by whom, when, over which channel, to whom, and what was read back. Append-only."""

    __tablename__ = "critical_step"
    __table_args__ = (CheckConstraint(f"channel in {CHANNELS}", name="channel"),)

    critical_value_id: Mapped[UUID] = mapped_column(ForeignKey("critical_value.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    action: Mapped[str]
    by: Mapped[UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment)
    channel: Mapped[str | None]
    told: Mapped[str | None]
    read_back: Mapped[str | None]
    note: Mapped[str | None]
