"""Tables of the knowledge base. They belong to the whole hospital; the rows of a version never change once it was active."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.knowledge.rules import CLASSES, KINDS, PURPOSES

Moment = TIMESTAMP(timezone=True)


class KnowledgeVersion(Base):
    """知识库版本. One is active; a report and a conclusion remember the one they used."""

    __tablename__ = "knowledge_version"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'active', 'retired')", name="state"),
        Index("uq_knowledge_version_active", "state", unique=True, postgresql_where="state = 'active'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    state: Mapped[str]
    source: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    sha256: Mapped[str]
    signed_by: Mapped[str | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Moment)
    activated_by: Mapped[UUID | None]
    activated_at: Mapped[datetime | None] = mapped_column(Moment)


class Finding(Base):
    """体征词与疾病: what may be found, what it is called, and what is advised."""

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        CheckConstraint(f"important_class in {CLASSES}", name="important_class"),
        Index("ix_finding_pinyin", "version_id", "pinyin"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("knowledge_version.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pinyin: Mapped[str]
    kind: Mapped[str]
    importance: Mapped[int]
    icd10: Mapped[str | None]
    important_class: Mapped[str | None]
    department: Mapped[str | None]
    advice: Mapped[str]
    lifestyle: Mapped[str] = mapped_column(server_default="")
    see: Mapped[str | None]
    recheck_days: Mapped[int | None]
    synonyms: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    merges_into: Mapped[str | None]
    source: Mapped[str]
    verified: Mapped[bool] = mapped_column(server_default="false")


class Rule(Base):
    """规则: a condition, and the finding or the critical value that it makes."""

    __tablename__ = "knowledge_rule"
    __table_args__ = (
        CheckConstraint(f"purpose in {PURPOSES}", name="purpose"),
        CheckConstraint(f"important_class in {CLASSES}", name="important_class"),
        CheckConstraint("(purpose = 'finding') = (finding_code is not null)", name="finding"),
        CheckConstraint("(purpose = 'critical') = (important_class is not null)", name="critical"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("knowledge_version.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    name: Mapped[str]
    condition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    finding_code: Mapped[str | None]
    important_class: Mapped[str | None]
    department: Mapped[str | None]
    summary: Mapped[str] = mapped_column(server_default="")
    excludes: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    examples: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    source: Mapped[str]
    verified: Mapped[bool] = mapped_column(server_default="false")
