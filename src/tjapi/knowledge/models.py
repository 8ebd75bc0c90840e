"""Tables of the knowledge base. They belong to the whole hospital; the rows of a version never change."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.knowledge.rules import CLASSES, KINDS, PURPOSES

Moment = TIMESTAMP(timezone=True)


class KnowledgeVersion(Base):
    """知识库版本. One is active; a conclusion remembers the one it was made with. `sha256` is of the content: equal content is one version.

    Its author writes it, the head of the laboratory approves it, the chief physician signs it for the day from which it holds; three persons.
    `shipped`: it came with the product. What nobody signed finds nothing, and alarms all the same.
    `clocks` are those of its alerts; what it does not say is as it ships.
    """

    __tablename__ = "knowledge_version"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'scheduled', 'active', 'retired')", name="state"),
        Index("uq_knowledge_version_active", "state", unique=True, postgresql_where=sql("state = 'active'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    state: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    sha256: Mapped[str] = mapped_column(unique=True)
    clocks: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Moment)
    activated_by: Mapped[UUID | None]
    activated_at: Mapped[datetime | None] = mapped_column(Moment)
    shipped: Mapped[bool] = mapped_column(server_default="false")
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None] = mapped_column(Moment)
    signed_by: Mapped[UUID | None]
    signed_at: Mapped[datetime | None] = mapped_column(Moment)
    effective_on: Mapped[date | None]


class Finding(Base):
    """体征词与疾病: what may be found, what it is called, and what is advised. It stands in for those that it outranks.

    Of `variants` the first whose condition holds replaces what it says of advice, lifestyle and recheck.
    """

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        CheckConstraint(f"important_class in {CLASSES}", name="important_class"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("knowledge_version.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pinyin: Mapped[str]
    kind: Mapped[str]
    importance: Mapped[int]
    icd10: Mapped[str | None]
    important_class: Mapped[str | None]
    advice: Mapped[str]
    lifestyle: Mapped[str] = mapped_column(server_default="")
    see: Mapped[str | None]
    recheck_days: Mapped[int | None]
    synonyms: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    outranks: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    variants: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    source: Mapped[str]
    cite: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    verified: Mapped[bool] = mapped_column(server_default="false")


class KnowledgeRule(Base):
    """规则: a condition, and the finding or the critical value that it makes; with cases that fire it, and near misses."""

    __tablename__ = "knowledge_rule"
    __table_args__ = (
        ForeignKeyConstraint(["version_id", "finding_code"], ["finding.version_id", "finding.code"]),
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
    action: Mapped[str] = mapped_column(server_default="")
    fires: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    misses: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    source: Mapped[str]
    cite: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    verified: Mapped[bool] = mapped_column(server_default="false")
