"""Tables of requisitions and tubes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.requisition.rules import TUBE_MOVES

Moment = TIMESTAMP(timezone=True)


class Requisition(Base):
    """申请单: one order to the LIS for some lines of an exam."""

    __tablename__ = "requisition"
    __table_args__ = (
        CheckConstraint("state in ('planned', 'sent', 'failed', 'cancelled')", name="state"),
        Index("ix_requisition_exam", "exam_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    placer_no: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(server_default="0")
    planned_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str | None]


class RequisitionLine(Base):
    """A line asked for, under a placer number of its own. One that is taken back and asked for again has a new number.

    `tube_id` is the tube under which it was asked for: the second time it may be another one. Null: asked for before that was kept.
    """

    __tablename__ = "requisition_line"
    __table_args__ = (
        # Whatever happens at two desks at once: nobody asks twice.
        Index("uq_requisition_line_asked", "exam_line_id", unique=True, postgresql_where=sql("cancelled_at is null")),
    )

    placer_no: Mapped[str] = mapped_column(primary_key=True)
    exam_line_id: Mapped[UUID] = mapped_column(index=True)
    requisition_id: Mapped[UUID] = mapped_column(index=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    tube_id: Mapped[UUID | None] = mapped_column(index=True)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    cancelled_at: Mapped[datetime | None] = mapped_column(Moment)


class Tube(Base):
    """试管. Its barcode never changes and is never used again."""

    __tablename__ = "tube"
    __table_args__ = (CheckConstraint(f"state in {tuple(TUBE_MOVES)}", name="state"), Index("ix_tube_exam", "exam_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    requisition_id: Mapped[UUID]
    barcode: Mapped[str] = mapped_column(unique=True)
    container: Mapped[str]
    specimen: Mapped[str]
    fasting: Mapped[bool]
    section: Mapped[str | None]
    minutes_after: Mapped[int | None] = mapped_column(SmallInteger)
    send_out: Mapped[bool] = mapped_column(server_default="false")
    state: Mapped[str]
    planned_at: Mapped[datetime] = mapped_column(Moment)
    collected_at: Mapped[datetime | None] = mapped_column(Moment)
    collected_by: Mapped[UUID | None]


class TubeLine(Base):
    """Which lines a tube was ever for; whether it still is, says the line that is asked for under it."""

    __tablename__ = "tube_line"

    tube_id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_line_id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)


class TubeNumber(Base):
    """The running number of a campus's tubes."""

    __tablename__ = "tube_number"

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
