"""Rooms, and what comes before what."""

from collections.abc import Collection
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.guidance import repository
from tjapi.guidance.errors import DepartmentUnknown, RoomCodeTaken, RoomNotFound
from tjapi.guidance.models import Room, RoomOrder
from tjapi.guidance.schemas import OrderPair, RoomIn, RoomOrderIn, RoomOrderOut, RoomOut
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork


async def rooms(uow: UnitOfWork, campus_id: int | None) -> list[RoomOut]:
    """Return rooms with their queues."""
    found = await repository.rooms(uow, campus_id)
    counts: dict[UUID, int] = {}
    for campus in {room.campus_id for room in found}:
        counts |= await repository.queues(uow, campus)
    return [out(room, counts.get(room.id, 0)) for room in found]


async def create_room(uow: UnitOfWork, new: RoomIn) -> RoomOut:
    """Add a room. Raises CampusNotHeld, DepartmentUnknown, RoomCodeTaken."""
    await _check(uow, new)
    if await repository.room_of_code(uow, new.campus_id, new.code) is not None:
        raise RoomCodeTaken(errors=[FieldError("/code", "taken", "代码已被使用", "is taken")])
    room = Room(id=uuid7(), **new.model_dump())
    uow.session.add(room)
    await uow.audit("room.created", "room", room.id, campus_id=room.campus_id)
    return out(room, 0)


async def update_room(uow: UnitOfWork, room_id: UUID, new: RoomIn) -> RoomOut:
    """Change a room; a closed one is recommended to nobody, its queue stays. Raises RoomNotFound, DepartmentUnknown, RoomCodeTaken."""
    room = await repository.room(uow, room_id)
    if room is None or room.campus_id != new.campus_id:
        raise RoomNotFound
    await _check(uow, new)
    other = await repository.room_of_code(uow, new.campus_id, new.code)
    if other is not None and other.id != room.id:
        raise RoomCodeTaken(errors=[FieldError("/code", "taken", "代码已被使用", "is taken")])
    for field, value in new.model_dump(exclude={"campus_id"}).items():
        setattr(room, field, value)
    await uow.audit("room.updated", "room", room.id, campus_id=room.campus_id)
    return out(room, (await repository.queues(uow, room.campus_id)).get(room.id, 0))


async def show_order(uow: UnitOfWork, campus_id: int) -> RoomOrderOut:
    """Return what comes before what. Raises CampusNotHeld."""
    identity.refuse_foreign_campus(uow, campus_id)
    pairs = [
        OrderPair(before_id=row.before_id, after_id=row.after_id) for row in await repository.order(uow, campus_id)
    ]
    return RoomOrderOut(campus_id=campus_id, pairs=pairs)


async def put_order(uow: UnitOfWork, given: RoomOrderIn) -> RoomOrderOut:
    """Say what comes before what, the whole of it. Raises CampusNotHeld, DepartmentUnknown."""
    identity.refuse_foreign_campus(uow, given.campus_id)
    wanted = {(pair.before_id, pair.after_id) for pair in given.pairs}
    known = await _departments(uow)
    errors = [
        FieldError(f"/pairs/{i}/{field}", "not-found", "没有这个科室", "no such department")
        for i, pair in enumerate(given.pairs)
        for field in ("before_id", "after_id")
        if getattr(pair, field) not in known
    ] + [
        FieldError(f"/pairs/{i}", "same", "同一科室不能先于自己", "a department does not come before itself")
        for i, pair in enumerate(given.pairs)
        if pair.before_id == pair.after_id
    ]
    if errors:
        raise DepartmentUnknown(errors=errors)
    there = {(row.before_id, row.after_id): row for row in await repository.order(uow, given.campus_id)}
    for key, row in there.items():
        if key not in wanted:
            await uow.session.delete(row)
    uow.session.add_all(
        RoomOrder(campus_id=given.campus_id, before_id=before, after_id=after)
        for before, after in sorted(wanted - there.keys())
    )
    await uow.session.flush()
    await uow.audit("room_order.changed", "campus", str(given.campus_id), campus_id=given.campus_id)
    return await show_order(uow, given.campus_id)


def out(room: Room, queue: int) -> RoomOut:
    """Return the public shape of a room."""
    return RoomOut(
        id=room.id, campus_id=room.campus_id, code=room.code, name=room.name, department_id=room.department_id, place=room.place,
        minutes=room.minutes, sort=room.sort, open=room.open, queue=queue, wait_minutes=queue * room.minutes,
    )  # fmt: skip


async def _check(uow: UnitOfWork, new: RoomIn) -> None:
    identity.refuse_foreign_campus(uow, new.campus_id)
    if new.department_id not in await _departments(uow):
        raise DepartmentUnknown(
            errors=[FieldError("/department_id", "not-found", "没有这个科室", "no such department")]
        )


async def _departments(uow: UnitOfWork) -> Collection[int]:
    return {department.id for department in await catalog.departments(uow)}
