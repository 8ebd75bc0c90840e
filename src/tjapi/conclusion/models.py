"""Tables of conclusions. Each row belongs to a campus and is shown by row security."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.conclusion.rules import KINDS, STATES
from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class Conclusion(Base):
    """主检结论. `results_digest` says what the first reviewer saw when signing; no row yet is version 0."""

    __tablename__ = "conclusion"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("(state = 'draft') = (initial_by is null)", name="initial"),
        CheckConstraint("(state = 'finalized') = (final_by is not null)", name="final"),
        CheckConstraint("final_by <> initial_by", name="two_people"),
    )

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int]
    state: Mapped[str]
    overview: Mapped[str] = mapped_column(server_default="")
    initial_by: Mapped[UUID | None]
    initial_name: Mapped[str | None]
    initial_at: Mapped[datetime | None] = mapped_column(Moment)
    final_by: Mapped[UUID | None]
    final_name: Mapped[str | None]
    final_at: Mapped[datetime | None] = mapped_column(Moment)
    results_digest: Mapped[str | None]
    returned_reason: Mapped[str | None]


class ConclusionEntry(Base):
    """One thing concluded: a disease, a positive finding, a risk factor."""

    __tablename__ = "conclusion_entry"
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        Index("ix_conclusion_entry_exam", "exam_id", "sort"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("conclusion.exam_id"))
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    sort: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    detail: Mapped[str] = mapped_column(server_default="")
    advice: Mapped[str] = mapped_column(server_default="")
    result_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))


class ConclusionStep(Base):
    """Every version as it was, and who made it. Append-only."""

    __tablename__ = "conclusion_step"
    __table_args__ = (CheckConstraint("action in ('written', 'signed', 'returned', 'finalized')", name="action"),)

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    action: Mapped[str]
    overview: Mapped[str]
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    reason: Mapped[str | None]
    by: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(Moment)
