"""Tables of the front desk."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.frontdesk.rules import CHECK_DECISIONS, CHECK_METHODS, CHECK_OUTCOMES, DOCUMENT_KINDS, PRINT_FORMATS
from tjapi.kernel.db import Base
from tjapi.kernel.storage import FILE

Moment = TIMESTAMP(timezone=True)


class AccessCode(Base):
    """The one-time code of an exam; only its keyed digest is kept."""

    __tablename__ = "access_code"

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    failures: Mapped[int] = mapped_column(server_default="0")
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class DocumentPrint(Base):
    """打印记录: one file handed to a printer, by whom and when.

    `content` is the data of which the file was made, sealed: it can be made again, byte for byte, and holds the one-time code. A large
    file is made by the job `job_id`, of parts.
    """

    __tablename__ = "document_print"
    __table_args__ = (
        CheckConstraint(f"format in {tuple(PRINT_FORMATS)}", name="format"),
        CheckConstraint("(content is null) = (job_id is not null)", name="whole_or_by_job"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    format: Mapped[str]
    printed_by: Mapped[UUID]
    printed_by_name: Mapped[str]
    printed_at: Mapped[datetime] = mapped_column(Moment)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    job_id: Mapped[UUID | None]


class DocumentPrintPart(Base):
    """Some exams of a large print, as they were; sealed."""

    __tablename__ = "document_print_part"

    print_id: Mapped[UUID] = mapped_column(ForeignKey("document_print.id"), primary_key=True)
    n: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class DocumentPrintFile(Base):
    """The file of a large print, once it is there. `size` in bytes."""

    __tablename__ = "document_print_file"

    print_id: Mapped[UUID] = mapped_column(ForeignKey("document_print.id"), primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    file: Mapped[str] = mapped_column(info=FILE)
    size: Mapped[int]
    pages: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(Moment)


class DocumentPrintItem(Base):
    """What was printed: which paper of which exam, which copies of it. `subject` tells the labels and forms of a kind apart.

    `version` and `digest` are those of the guide sheet's content: what is on paper, and whether it still holds.
    """

    __tablename__ = "document_print_item"
    __table_args__ = (
        CheckConstraint(f"kind in {tuple(DOCUMENT_KINDS)}", name="kind"),
        CheckConstraint("copies > 0 and first_copy > 0", name="copies"),
        CheckConstraint("(kind = 'guide_sheet') = (version is not null)", name="version"),
        UniqueConstraint("exam_id", "kind", "subject", "first_copy"),
    )

    print_id: Mapped[UUID] = mapped_column(ForeignKey("document_print.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str]
    copies: Mapped[int] = mapped_column(SmallInteger)
    first_copy: Mapped[int]
    version: Mapped[int | None]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)


class IdentityCheck(Base):
    """替检核验: whether who stands here is whose exam this is: how it was looked at, what was seen, and what a second person decided.

    `department_id` is where, null at the desk; `score` is that of a device, 0 to 100. Only the decision is added later.
    """

    __tablename__ = "identity_check"
    __table_args__ = (
        CheckConstraint(f"method in {CHECK_METHODS}", name="method"),
        CheckConstraint(f"outcome in {CHECK_OUTCOMES}", name="outcome"),
        CheckConstraint(f"decision in {CHECK_DECISIONS}", name="decision"),
        CheckConstraint("(method = 'face_match') = (score is not null) and (score is null) = (device is null)", name="score"),
        CheckConstraint("score between 0 and 100", name="score_range"),
        CheckConstraint(
            "(decision is null) = (decided_by is null) and (decision is null) = (decided_at is null) and decided_by <> checked_by",
            name="two_people",
        ),
        Index("ix_identity_check_exam", "exam_id", "id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    department_id: Mapped[int | None] = mapped_column(SmallInteger)
    method: Mapped[str]
    score: Mapped[int | None] = mapped_column(SmallInteger)
    device: Mapped[str | None]
    outcome: Mapped[str]
    note: Mapped[str | None]
    checked_by: Mapped[UUID]
    checked_by_name: Mapped[str]
    checked_at: Mapped[datetime] = mapped_column(Moment)
    decision: Mapped[str | None]
    decision_reason: Mapped[str | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
