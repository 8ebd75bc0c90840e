"""Tables of guidance. Each row belongs to a campus and is shown by row security."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.guidance.rules import OPEN, SHEET_POLICY_MODES, TICKET_MOVES
from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class Room(Base):
    """诊室: where a department examines. `minutes` is how long one person takes, for the expected wait."""

    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("campus_id", "code"), CheckConstraint("minutes > 0", name="minutes"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[str]
    name: Mapped[str]
    department_id: Mapped[int] = mapped_column(SmallInteger)
    place: Mapped[str]
    minutes: Mapped[int] = mapped_column(SmallInteger)
    sort: Mapped[int]
    open: Mapped[bool]


class RoomOrder(Base):
    """先后: one department's examinations come before another's, such as blood before the meal test."""

    __tablename__ = "room_order"
    __table_args__ = (CheckConstraint("before_id <> after_id", name="two"),)

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    before_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    after_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)


class RoomNumber(Base):
    """The running number of a room's day."""

    __tablename__ = "room_number"

    room_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    last: Mapped[int]


class Ticket(Base):
    """排队号: a place in the queue of a room. `turn` orders the queue: who was passed over goes to its end."""

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(TICKET_MOVES)}", name="state"),
        Index("ix_ticket_exam", "exam_id"),
        # An examinee stands in one queue at a time.
        Index("uq_ticket_open", "exam_id", unique=True, postgresql_where=sql(f"state in {tuple(sorted(OPEN))}")),
        Index("ix_ticket_queue", "room_id", "turn", postgresql_where=sql(f"state in {tuple(sorted(OPEN))}")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    room_id: Mapped[UUID] = mapped_column(ForeignKey("room.id"))
    exam_id: Mapped[UUID]
    number: Mapped[str]
    called_name: Mapped[str]
    state: Mapped[str]
    turn: Mapped[datetime] = mapped_column(Moment)
    issued_at: Mapped[datetime] = mapped_column(Moment)
    called_at: Mapped[datetime | None] = mapped_column(Moment)
    calls: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class SheetPolicy(Base):
    """回收策略: what becomes of open lines when the guide sheet comes back, in a campus, or for one package of it."""

    __tablename__ = "sheet_policy"
    __table_args__ = (
        UniqueConstraint("campus_id", "package_id", postgresql_nulls_not_distinct=True),
        CheckConstraint(f"mode in {SHEET_POLICY_MODES}", name="mode"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    package_id: Mapped[UUID | None]
    mode: Mapped[str]
    reason: Mapped[str]


class SheetReturn(Base):
    """回收: a guide sheet that came back, with the lines that were decided on then."""

    __tablename__ = "sheet_return"
    __table_args__ = (
        Index("uq_sheet_return_standing", "exam_id", unique=True, postgresql_where=sql("undone_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    exam_id: Mapped[UUID]
    line_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    returned_by: Mapped[UUID]
    returned_at: Mapped[datetime] = mapped_column(Moment)
    undone_by: Mapped[UUID | None]
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_reason: Mapped[str | None]
