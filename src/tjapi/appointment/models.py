"""Tables of appointments. Each row belongs to a campus and is shown by row security."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text, Time, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.appointment.rules import MOVES, SCOPES, SEXES, SOURCES, WAIT_MOVES
from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class AppointmentPolicy(Base):
    """How a campus books. Its row is also the lock between those who change the calendar and those who make slots of it."""

    __tablename__ = "appointment_policy"
    __table_args__ = (CheckConstraint("hold_minutes > 0 and offer_minutes > 0 and horizon_days >= 0", name="times"),)

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(server_default="1")
    hold_minutes: Mapped[int] = mapped_column(server_default="10")
    offer_minutes: Mapped[int] = mapped_column(server_default="120")
    horizon_days: Mapped[int] = mapped_column(server_default="90")
    walk_ins: Mapped[bool] = mapped_column(server_default="true")
    online: Mapped[bool] = mapped_column(server_default="true")


class AppointmentSession(Base):
    """时段: a session of a weekday (ISO, Monday is 1), for how many, and for whom."""

    __tablename__ = "appointment_session"
    __table_args__ = (
        UniqueConstraint("campus_id", "weekday", "starts_at", "sex"),
        CheckConstraint("weekday between 1 and 7", name="weekday"),
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint(f"sex in {SEXES}", name="sex"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    weekday: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    starts_at: Mapped[time] = mapped_column(Time)
    ends_at: Mapped[time] = mapped_column(Time)
    sex: Mapped[str] = mapped_column(server_default="any")
    capacity: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")


class AppointmentResource(Base):
    """资源: what is scarce besides people's time: gastroscopies of a day, ultrasound places of a session. `weekdays` null: every day."""

    __tablename__ = "appointment_resource"
    __table_args__ = (
        UniqueConstraint("campus_id", "code"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint(f"per in {SCOPES}", name="per"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[str]
    name: Mapped[str]
    per: Mapped[str]
    capacity: Mapped[int]
    weekdays: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    active: Mapped[bool] = mapped_column(server_default="true")


class AppointmentDay(Base):
    """A day unlike its weekday: closed, or worked like another weekday (调休)."""

    __tablename__ = "appointment_day"
    __table_args__ = (CheckConstraint("as_weekday between 1 and 7", name="as_weekday"),)

    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    closed: Mapped[bool]
    as_weekday: Mapped[int | None] = mapped_column(SmallInteger)
    note: Mapped[str]


class AppointmentDayCapacity(Base):
    """Another capacity of one session or one resource, on one day."""

    __tablename__ = "appointment_day_capacity"
    __table_args__ = (
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("(session_id is null) <> (resource_id is null)", name="of_one"),
        UniqueConstraint(
            "campus_id",
            "day",
            "session_id",
            "resource_id",
            name="uq_appointment_day_capacity",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[date] = mapped_column(Date)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment_session.id"))
    resource_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment_resource.id"))
    capacity: Mapped[int]


class AppointmentSlot(Base):
    """The counter of a session of a day, of a resource of a day, or of a resource of a session.

    Made when the first place of it is taken. A trigger refuses to take what is not there; a capacity that sinks below what is taken
    only takes nobody more.
    """

    __tablename__ = "appointment_slot"
    __table_args__ = (
        CheckConstraint("taken >= 0 and capacity >= 0", name="counts"),
        UniqueConstraint(
            "campus_id",
            "day",
            "session_id",
            "resource_id",
            name="uq_appointment_slot",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[date] = mapped_column(Date)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment_session.id"))
    resource_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment_resource.id"))
    capacity: Mapped[int]
    taken: Mapped[int] = mapped_column(server_default="0")


class Appointment(Base):
    """预约. The session's name and times are those of the booking: a changed calendar changes no slip of paper."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(MOVES)}", name="state"),
        CheckConstraint(f"source in {SOURCES}", name="source"),
        CheckConstraint("state = 'held' or state = 'cancelled' or examinee_id is not null", name="booked_for_somebody"),
        CheckConstraint("(state = 'held') <= (expires_at is not null)", name="holds_expire"),
        Index("ix_appointment_campus_day", "campus_id", "day", "id"),
        Index("ix_appointment_examinee", "examinee_id", "day"),
        Index("ix_appointment_held", "campus_id", "day", postgresql_where=text("state = 'held'")),
        Index("ix_appointment_due", "day", postgresql_where=text("state = 'booked'")),
        Index("uq_appointment_exam", "exam_id", unique=True, postgresql_where=text("state in ('booked', 'arrived', 'no_show')")),
        Index(
            "uq_appointment_person_day", "campus_id", "examinee_id", "day", unique=True,
            postgresql_where=text("state in ('booked', 'arrived')"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str]
    source: Mapped[str]
    examinee_id: Mapped[UUID | None]
    exam_id: Mapped[UUID | None]
    day: Mapped[date] = mapped_column(Date)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("appointment_session.id"))
    session_name: Mapped[str]
    starts_at: Mapped[time] = mapped_column(Time)
    ends_at: Mapped[time] = mapped_column(Time)
    resources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_by: Mapped[UUID]
    made_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    arrived_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    end_reason: Mapped[str | None]


class AppointmentPlace(Base):
    """One place of a slot that an appointment has; given back, it is gone."""

    __tablename__ = "appointment_place"

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), primary_key=True)
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("appointment_slot.id"), primary_key=True, index=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)


class AppointmentWait(Base):
    """候补: who wants a place in some days, and since when."""

    __tablename__ = "appointment_wait"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(WAIT_MOVES)}", name="state"),
        CheckConstraint("day_from <= day_to", name="days"),
        Index("ix_appointment_wait_line", "campus_id", "joined_at", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_appointment_wait_examinee", "examinee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    examinee_id: Mapped[UUID]
    day_from: Mapped[date] = mapped_column(Date)
    day_to: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[time | None] = mapped_column(Time)
    resources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(Moment)
    offered_at: Mapped[datetime | None] = mapped_column(Moment)
    appointment_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
