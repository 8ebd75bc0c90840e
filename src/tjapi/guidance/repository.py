"""Questions that guidance asks of its own tables."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from tjapi.guidance.models import Room, RoomNumber, RoomOrder, SheetPolicy, SheetReturn, Ticket
from tjapi.guidance.rules import OPEN
from tjapi.kernel.uow import UnitOfWork


async def rooms(uow: UnitOfWork, campus_id: int | None) -> Sequence[Room]:
    """Return the rooms of a campus, or of all that may be seen, in their order."""
    query = select(Room).order_by(Room.campus_id, Room.sort, Room.code)
    if campus_id is not None:
        query = query.where(Room.campus_id == campus_id)
    return (await uow.session.execute(query)).scalars().all()


async def room(uow: UnitOfWork, room_id: UUID) -> Room | None:
    """Return a room."""
    return (await uow.session.execute(select(Room).where(Room.id == room_id))).scalar_one_or_none()


async def room_of_code(uow: UnitOfWork, campus_id: int, code: str) -> Room | None:
    """Return the room of a code."""
    query = select(Room).where(Room.campus_id == campus_id, Room.code == code)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def order(uow: UnitOfWork, campus_id: int) -> Sequence[RoomOrder]:
    """Return which departments come before which."""
    query = select(RoomOrder).where(RoomOrder.campus_id == campus_id).order_by(RoomOrder.before_id, RoomOrder.after_id)
    return (await uow.session.execute(query)).scalars().all()


async def queues(uow: UnitOfWork, campus_id: int) -> dict[UUID, int]:
    """Return how many wait, are called or are inside, by room."""
    query = (
        select(Ticket.room_id, func.count())
        .where(Ticket.campus_id == campus_id, Ticket.state.in_(("waiting", "called", "in_room")))
        .group_by(Ticket.room_id)
    )
    return {row[0]: row[1] for row in (await uow.session.execute(query)).all()}


async def next_number(uow: UnitOfWork, place: Room, day: date) -> int:
    """Return the next running number of a room's day."""
    statement = (
        insert(RoomNumber)
        .values(room_id=place.id, day=day, campus_id=place.campus_id, last=1)
        .on_conflict_do_update(index_elements=["room_id", "day"], set_={"last": RoomNumber.last + 1})
        .returning(RoomNumber.last)
    )
    return (await uow.session.execute(statement)).scalar_one()


async def open_ticket(uow: UnitOfWork, exam_id: UUID) -> Ticket | None:
    """Return the ticket that an examinee holds."""
    query = (
        select(Ticket)
        .where(Ticket.exam_id == exam_id, Ticket.state.in_(OPEN))
        .execution_options(populate_existing=True)
    )
    return (await uow.session.execute(query)).scalar_one_or_none()


async def come_out_of(uow: UnitOfWork, exam_id: UUID) -> Sequence[tuple[int, datetime]]:
    """Return the departments whose rooms an examinee has come out of, and when, the last one at the end."""
    query = (
        select(Room.department_id, Ticket.ended_at)
        .join(Room, Room.id == Ticket.room_id)
        .where(Ticket.exam_id == exam_id, Ticket.state == "done", Ticket.ended_at.is_not(None))
        .order_by(Ticket.ended_at, Ticket.id)
    )
    return [(department, ended) for department, ended in (await uow.session.execute(query)).all() if ended is not None]


async def ticket(uow: UnitOfWork, ticket_id: UUID, *, lock: bool = False) -> Ticket | None:
    """Return a ticket."""
    query = select(Ticket).where(Ticket.id == ticket_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def queue(uow: UnitOfWork, room_id: UUID) -> Sequence[Ticket]:
    """Return the open tickets of a room, in their turn."""
    query = select(Ticket).where(Ticket.room_id == room_id, Ticket.state.in_(OPEN)).order_by(Ticket.turn, Ticket.id)
    return (await uow.session.execute(query)).scalars().all()


async def first_waiting(uow: UnitOfWork, room_id: UUID) -> Ticket | None:
    """Take the ticket whose turn it is: two callers at once get two people."""
    query = (
        select(Ticket)
        .where(Ticket.room_id == room_id, Ticket.state == "waiting")
        .order_by(Ticket.turn, Ticket.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await uow.session.execute(query)).scalar_one_or_none()


async def policies(uow: UnitOfWork, campus_id: int | None) -> Sequence[SheetPolicy]:
    """Return the policies of a campus, or of all that may be seen."""
    query = select(SheetPolicy).order_by(SheetPolicy.campus_id, SheetPolicy.package_id.nulls_first())
    if campus_id is not None:
        query = query.where(SheetPolicy.campus_id == campus_id)
    return (await uow.session.execute(query)).scalars().all()


async def standing_return(uow: UnitOfWork, exam_id: UUID) -> SheetReturn | None:
    """Return the guide sheet's return that has not been undone."""
    query = select(SheetReturn).where(SheetReturn.exam_id == exam_id, SheetReturn.undone_at.is_(None))
    return (await uow.session.execute(query)).scalar_one_or_none()
