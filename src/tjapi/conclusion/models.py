"""Tables of conclusions. Each row belongs to a campus and is shown by row security."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.conclusion.rules import KINDS, STATES
from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class Conclusion(Base):
    """主检结论. `results_digest` says what stood beside this version, and what the first reviewer saw when signing; no row is version 0.

    `overview_made_of` is the digest of what an overview that a reviewer wrote was written on, `removed_made_of` that of each finding which
    was taken out. `reopened_at`: it was finalized before, and is reviewed again. `overview_asked` are words of it that nothing of the exam
    supports; `confirmed` says who confirmed which such words of the conclusion, and of what they hold (`Confirmed`).
    """

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
    knowledge_version_id: Mapped[UUID | None]
    removed_keys: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    removed_made_of: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=sql("'{}'"))
    overview_made_of: Mapped[str | None]
    overview_stale: Mapped[bool] = mapped_column(server_default="false")
    reopened_at: Mapped[datetime | None] = mapped_column(Moment)
    overview_asked: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    confirmed: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))


class ConclusionEntry(Base):
    """One thing concluded: a disease, a positive finding, a risk factor.

    `key` says where it came from (`finding:…` the knowledge base, `line:…` a department's own words, `critical:…` a critical value); none: a reviewer's own. What a
    reviewer changed is `edited` and keeps its words; `stale`: edited, and what it was made of is no longer what is known. `keys` are all
    that a reviewer merged into it; an entry that was split has its key there alone, beside its sibling's. `found_ids` are the results that
    its findings name, as against those that a reviewer added; `made_of` is the digest of what all of them said, `revision_ids` name it. `asked`
    are words of a reviewer in it that nothing of the exam supports, and nobody confirmed yet.
    """

    __tablename__ = "conclusion_entry"
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        Index("ix_conclusion_entry_exam", "exam_id", "sort"),
        UniqueConstraint("exam_id", "key"),
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
    lifestyle: Mapped[str] = mapped_column(server_default="")
    key: Mapped[str | None]
    icd10: Mapped[str | None]
    rule_codes: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    edited: Mapped[bool] = mapped_column(server_default="true")
    stale: Mapped[bool] = mapped_column(server_default="false")
    keys: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    made_of: Mapped[str | None]
    found_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    revision_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    private: Mapped[bool] = mapped_column(server_default="false")
    asked: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))


class ReviewClaim(Base):
    """认领: who reviews an exam, until when. A claim that has run out is nobody's."""

    __tablename__ = "review_claim"

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    by: Mapped[UUID]
    by_name: Mapped[str]
    claimed_at: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)


TaskKind = Literal["past", "person"]
"""Tasks that words name, one of a kind while it is open."""


class AmendmentTask(Base):
    """补充修订任务: a result came, or changed, after the final sign-off. The report is outdated until somebody says what became of it.

    `question_id` is of a value that nobody could read; there is no revision of it then. `past`: nothing came of this exam, but an earlier one
    of the person says something else than was printed or written of it here, which these words name. `person`: the exam changed hands, and its
    person is called otherwise than was printed, or has another sex or birth date than was judged by, as these words say.
    """

    __tablename__ = "amendment_task"
    __table_args__ = (
        CheckConstraint("state in ('open', 'closed')", name="state"),
        CheckConstraint("(state = 'closed') = (closed_by is not null)", name="closing"),
        CheckConstraint("num_nonnulls(revision_id, question_id, past, person) = 1", name="reason"),
        UniqueConstraint("exam_id", "revision_id"),
        UniqueConstraint("exam_id", "question_id"),
        Index(
            "uq_amendment_task_past",
            "exam_id",
            unique=True,
            postgresql_where=sql("state = 'open' and past is not null"),
        ),
        Index(
            "uq_amendment_task_person",
            "exam_id",
            unique=True,
            postgresql_where=sql("state = 'open' and person is not null"),
        ),
        Index("ix_amendment_task_open", "raised_at", "id", postgresql_where=sql("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    result_id: Mapped[UUID | None]
    revision_id: Mapped[UUID | None]
    question_id: Mapped[UUID | None]
    past: Mapped[str | None]
    person: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="open")
    raised_at: Mapped[datetime] = mapped_column(Moment)
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str | None]


class ConclusionStep(Base):
    """Every version as it was, and who made it. Append-only."""

    __tablename__ = "conclusion_step"
    __table_args__ = (
        CheckConstraint(
            "action in ('written', 'generated', 'remade', 'signed', 'returned', 'finalized', 'reopened')", name="action"
        ),
    )

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    action: Mapped[str]
    overview: Mapped[str]
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    reason: Mapped[str | None]
    by: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(Moment)
