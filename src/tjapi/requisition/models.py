"""Tables of requisitions, tubes and their hand-over."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base
from tjapi.requisition.rules import BACK, EXTRAS, HANDOVER_MOVES, OUTCOMES, REJECT_REASONS, TUBE_ACTIONS, TUBE_MOVES

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

    `tube_id` is the tube that it was asked for with; a line that is collected again has another.
    """

    __tablename__ = "requisition_line"
    __table_args__ = (
        # Whatever happens at two desks at once: nobody asks twice.
        Index("uq_requisition_line_asked", "exam_line_id", unique=True, postgresql_where=sql("cancelled_at is null")),
    )

    placer_no: Mapped[str] = mapped_column(primary_key=True)
    exam_line_id: Mapped[UUID] = mapped_column(index=True)
    requisition_id: Mapped[UUID] = mapped_column(index=True)
    tube_id: Mapped[UUID | None] = mapped_column(index=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    cancelled_at: Mapped[datetime | None] = mapped_column(Moment)


class Tube(Base):
    """试管. Its barcode never changes and is never used again. `replaces_id` is the rejected tube in whose place it is drawn."""

    __tablename__ = "tube"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(TUBE_MOVES)}", name="state"),
        CheckConstraint(f"reject_reason in {REJECT_REASONS}", name="reject_reason"),
        Index("ix_tube_exam", "exam_id"),
        # A rejected tube is drawn again once, whoever rejects it at once.
        Index("uq_tube_replaces", "replaces_id", unique=True),
    )

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
    reject_reason: Mapped[str | None]
    replaces_id: Mapped[UUID | None]


class TubeStep(Base):
    """监管链: what was done with a tube, by whom, where. Append-only."""

    __tablename__ = "tube_step"
    __table_args__ = (
        CheckConstraint(f"action in {TUBE_ACTIONS}", name="action"),
        Index("ix_tube_step_tube", "tube_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    tube_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"))
    action: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    place: Mapped[str | None]
    handover_id: Mapped[UUID | None]
    by: Mapped[UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment)


class Handover(Base):
    """交接单: tubes on their way from one place to another, within the house or, with `outside_lab_id`, out of it (外送)."""

    __tablename__ = "handover"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(HANDOVER_MOVES)}", name="state"),
        UniqueConstraint("campus_id", "list_no"),
        Index("ix_handover_campus_state", "campus_id", "state", "id"),
        # Who hands over does not receive.
        CheckConstraint("received_by is null or outside_lab_id is not null or received_by <> handed_over_by", name="two_people"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    list_no: Mapped[str]
    state: Mapped[str]
    from_place: Mapped[str]
    to_place: Mapped[str]
    outside_lab_id: Mapped[UUID | None]
    opened_by: Mapped[UUID]
    opened_by_name: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(Moment)
    handed_over_by: Mapped[UUID | None]
    handed_over_by_name: Mapped[str | None]
    handed_over_at: Mapped[datetime | None] = mapped_column(Moment)
    counted: Mapped[int | None]
    carrier: Mapped[str | None]
    received_by: Mapped[UUID | None]
    received_by_name: Mapped[str | None]
    received_at: Mapped[datetime | None] = mapped_column(Moment)
    note: Mapped[str | None]
    cancelled_at: Mapped[datetime | None] = mapped_column(Moment)
    cancel_reason: Mapped[str | None]


class HandoverTube(Base):
    """A tube on a list. It waits on one list at most; `back_at`: what was sent out came back."""

    __tablename__ = "handover_tube"
    __table_args__ = (
        CheckConstraint(f"outcome in {OUTCOMES}", name="outcome"),
        CheckConstraint(f"back_how in {BACK}", name="back_how"),
        Index("uq_handover_tube_waiting", "tube_id", unique=True, postgresql_where=sql("outcome is null")),
        Index("ix_handover_tube_tube", "tube_id"),
    )

    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id"), primary_key=True)
    tube_id: Mapped[UUID] = mapped_column(ForeignKey("tube.id"), primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    added_by: Mapped[UUID]
    added_at: Mapped[datetime] = mapped_column(Moment)
    outcome: Mapped[str | None]
    outcome_by: Mapped[UUID | None]
    outcome_at: Mapped[datetime | None] = mapped_column(Moment)
    back_at: Mapped[datetime | None] = mapped_column(Moment)
    back_how: Mapped[str | None]


class HandoverExtra(Base):
    """What was scanned at a receipt and stands not on the list."""

    __tablename__ = "handover_extra"
    __table_args__ = (CheckConstraint(f"kind in {EXTRAS}", name="kind"),)

    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id"), primary_key=True)
    barcode: Mapped[str] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    tube_id: Mapped[UUID | None]
    kind: Mapped[str]
    by: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(Moment)


class HandoverNumber(Base):
    """The running number of a campus's lists of a day."""

    __tablename__ = "handover_number"

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]


class TubeLine(Base):
    """Which lines a tube serves; `rejected_at`: not this one any more, its specimen was rejected with the tube."""

    __tablename__ = "tube_line"

    tube_id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_line_id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    rejected_at: Mapped[datetime | None] = mapped_column(Moment)


class TubeNumber(Base):
    """The running number of a campus's tubes."""

    __tablename__ = "tube_number"

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
