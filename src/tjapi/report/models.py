"""Tables of reports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.kernel.storage import FILE
from tjapi.report.rules import FAILURES, MOVES

Moment = TIMESTAMP(timezone=True)


class Report(Base):
    """A version of an exam's report. A recalled version keeps its bytes.

    `conclusion_version` is what it was ordered of; `outdated_at`: something came after that, and nobody has dealt with it. `file` holds the rendered document, and from its sealing on the sealed one; `sha256` is of `file`, `rendered_sha256` of what was
    rendered. `snapshot` is the data it was made of. `verify_code` is what its QR code leads to: 128 bits that tell nothing.
    `kind`: `private` is the report of what is private alone (私密项目报告), with versions of its own.
    `proof` is what that page shows to be compared with the paper: masked name, exam number, date, and the digest that is printed.
    """

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("exam_id", "kind", "version"),
        CheckConstraint("kind in ('main', 'private')", name="kind"),
        CheckConstraint(f"state in {tuple(MOVES)}", name="state"),
        CheckConstraint(f"failure in {FAILURES}", name="failure"),
        Index("ix_report_examinee", "examinee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    examinee_id: Mapped[UUID]
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default="main")
    state: Mapped[str]
    job_id: Mapped[UUID]
    failure: Mapped[str | None]
    file: Mapped[str | None] = mapped_column(info=FILE)
    sha256: Mapped[str | None]
    rendered_sha256: Mapped[str | None]
    snapshot: Mapped[str | None] = mapped_column(info=FILE)
    verify_code: Mapped[str] = mapped_column(unique=True)
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sealed_at: Mapped[datetime | None] = mapped_column(Moment)
    pages: Mapped[int | None]
    size: Mapped[int | None]
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime] = mapped_column(Moment)
    generated_at: Mapped[datetime | None] = mapped_column(Moment)
    published_at: Mapped[datetime | None] = mapped_column(Moment)
    recalled_at: Mapped[datetime | None] = mapped_column(Moment)
    recall_reason: Mapped[str | None]
    conclusion_version: Mapped[int | None]
    outdated_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def outdated(self) -> bool:
        """Whether something came after it that nobody has dealt with."""
        return self.outdated_at is not None and self.state == "published"
