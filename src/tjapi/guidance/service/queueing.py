"""Queues: where to go next, who is called, who did not come."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.exam.rules import FOR_THE_PERSON
from tjapi.guidance import repository
from tjapi.guidance.errors import NobodyWaits, NotHere, RoomNotFound, TicketNotFound, TicketStateConflict
from tjapi.guidance.models import Room, Ticket
from tjapi.guidance.rules import OPEN, TICKET_MOVES, Errand, TicketState, called_name, next_room, ticket_no
from tjapi.guidance.rules import Room as OpenRoom
from tjapi.guidance.schemas import GuidanceOut, TicketOut
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork

_HERE = ("checked_in", "in_progress")
_MOST_CALLS = 3
_AGAIN = (
    "其他诊室已无可做的项目,请回「{room}」完成余下项目",
    "Nothing is left to do elsewhere: go back to {room} for what is still open there",
)

_UNDECIDED = (
    "{names}:已不适用于受检者,请先到前台确认",
    "{names}: does not suit the examinee any more; to be decided at the desk first",
)


async def guide(uow: UnitOfWork, exam_id: UUID) -> GuidanceOut:
    """Say where an examinee goes next, and take the place in that queue; whoever stands in one stays there.

    Raises ExamNotFound, NotHere.
    """
    exam = await exams.lock(uow, exam_id)
    if exam.state not in _HERE:
        raise NotHere
    await follow_lines(uow, exam_id)
    held = await repository.open_ticket(uow, exam_id)
    zh, en = await _undecided(uow, exam_id)
    if held is not None:
        return GuidanceOut(exam_id=exam_id, ticket=await _shown(uow, held), done=False, zh=zh, en=en)
    errands = await _errands(uow, exam_id)
    chosen = await _choose(uow, exam, errands)
    if chosen is None:
        return GuidanceOut(exam_id=exam_id, ticket=None, done=not errands and not zh, zh=zh, en=en)
    room, again = chosen
    number = await repository.next_number(uow, room, business_day(uow.now))
    ticket = Ticket(
        id=uuid7(), campus_id=exam.campus_id, room_id=room.id, exam_id=exam_id, number=ticket_no(room.code, number),
        called_name=called_name(exam.name), state="waiting", turn=uow.now, issued_at=uow.now, calls=0,
    )  # fmt: skip
    uow.session.add(ticket)
    await uow.session.flush()
    await _tell(uow, ticket)
    if again:
        zh = ";".join(filter(None, (_AGAIN[0].format(room=room.name), zh)))
        en = "; ".join(filter(None, (_AGAIN[1].format(room=room.name), en)))
    return GuidanceOut(exam_id=exam_id, ticket=await _shown(uow, ticket), done=False, again=again, zh=zh, en=en)


async def call_next(uow: UnitOfWork, room_id: UUID) -> TicketOut:
    """Call whose turn it is; two callers at once call two people. Raises RoomNotFound, NobodyWaits."""
    room = await _room(uow, room_id)
    while (ticket := await repository.first_waiting(uow, room_id)) is not None:
        if room.department_id in await _errands(uow, ticket.exam_id):
            return await _move(uow, ticket, "called")
        # Whatever was to be done here is done or set aside: whoever waits for nothing is not called.
        await _give_up(uow, ticket)
    raise NobodyWaits


async def step_ticket(uow: UnitOfWork, ticket_id: UUID, to: TicketState) -> TicketOut:
    """Move a ticket. Who is passed over stands at the end of the queue; after three calls without an answer the place is given up.

    Raises TicketNotFound, TicketStateConflict.
    """
    ticket = await repository.ticket(uow, ticket_id, lock=True)
    if ticket is None:
        raise TicketNotFound
    if to == "waiting" and ticket.state == "passed" and ticket.calls >= _MOST_CALLS:
        to = "dropped"
    return await _move(uow, ticket, to)


async def leave(uow: UnitOfWork, exam_id: UUID) -> None:
    """Give up the place of somebody who has nothing left to do, or goes home."""
    held = await repository.open_ticket(uow, exam_id)
    ticket = await repository.ticket(uow, held.id, lock=True) if held is not None else None
    if ticket is not None and ticket.state in OPEN:  # a room may have ended it meanwhile
        ticket.state, ticket.ended_at = ("done" if ticket.state == "in_room" else "dropped"), uow.now
        await _tell(uow, ticket)


async def follow_lines(uow: UnitOfWork, exam_id: UUID) -> None:
    """Give up the place of somebody for whom nothing is left to do where they wait; whoever is in the room comes out of it as always."""
    held = await repository.open_ticket(uow, exam_id)
    if held is None or held.state == "in_room":
        return
    room = await _room(uow, held.room_id)
    if room.department_id in await _errands(uow, exam_id):
        return
    ticket = await repository.ticket(uow, held.id, lock=True)
    if ticket is not None and "dropped" in TICKET_MOVES[ticket.state]:  # a room may have let them in meanwhile
        await _give_up(uow, ticket)


async def _give_up(uow: UnitOfWork, ticket: Ticket) -> None:
    ticket.state, ticket.ended_at = "dropped", uow.now
    await uow.session.flush()
    await _tell(uow, ticket)


async def queue(uow: UnitOfWork, room_id: UUID) -> list[TicketOut]:
    """Return the queue of a room. Raises RoomNotFound."""
    room = await _room(uow, room_id)
    found, ahead = [], 0
    for ticket in await repository.queue(uow, room_id):
        found.append(_out(ticket, room, ahead if ticket.state == "waiting" else None))
        ahead += ticket.state != "passed"
    return found


async def _errands(uow: UnitOfWork, exam_id: UUID) -> dict[int, tuple[Errand, datetime]]:
    """Return what is still to be done, by department, and since when the last of it is; what waits for payment is not, nor what does not suit."""
    found: dict[int, tuple[Errand, datetime]] = {}
    doubted = await exams.unsuitable(uow, exam_id)
    for line in await exams.lines(uow, exam_id):
        if line.state in FOR_THE_PERSON and line.state != "ordered" and line.id not in doubted:
            other, since = found.get(line.department_id, (None, line.state_at))
            fasting = line.fasting or (other is not None and other.fasting)
            found[line.department_id] = Errand(line.department_id, fasting), max(since, line.state_at)
    return found


async def _undecided(uow: UnitOfWork, exam_id: UUID) -> tuple[str, str]:
    """Say which lines that are still to be done wait for a decision, because they do not suit the person any more."""
    doubted = await exams.unsuitable(uow, exam_id)
    names = [
        exams.shown_name(uow, line)
        for line in await exams.lines(uow, exam_id)
        if line.id in doubted and line.state in FOR_THE_PERSON
    ]
    if not names:
        return "", ""
    listed = "、".join(names)
    return _UNDECIDED[0].format(names=listed), _UNDECIDED[1].format(names=listed)


async def _choose(
    uow: UnitOfWork, exam: Exam, errands: Mapping[int, tuple[Errand, datetime]]
) -> tuple[Room, bool] | None:
    rooms = {room.id: room for room in await repository.rooms(uow, exam.campus_id) if room.open}
    counts = await repository.queues(uow, exam.campus_id)
    after: dict[int, set[int]] = {}
    for pair in await repository.order(uow, exam.campus_id):
        after.setdefault(pair.after_id, set()).add(pair.before_id)
    # Whatever came up in a department after one had been there (a further line, a specimen to be taken again) is a new errand. The room
    # that one has just come out of is that in any case.
    out_of = await repository.come_out_of(uow, exam.id)
    been = [d for d, ended in out_of if d not in errands or errands[d][1] <= ended or d == out_of[-1][0]]
    choice = next_room(
        [errand for errand, _ in errands.values()],
        (OpenRoom(r.id, r.department_id, counts.get(r.id, 0), r.minutes, r.sort) for r in rooms.values()),
        after,
        been,
    )
    return (rooms[choice.room.id], choice.again) if choice is not None else None


async def _move(uow: UnitOfWork, ticket: Ticket, to: TicketState) -> TicketOut:
    if to not in TICKET_MOVES[ticket.state]:
        raise TicketStateConflict("排队号当前为「{current}」", "The ticket is {current}", current=ticket.state)
    if to == "called":
        ticket.called_at, ticket.calls = uow.now, ticket.calls + 1
    elif to == "waiting":
        ticket.turn = uow.now
    elif to in ("done", "dropped"):
        ticket.ended_at = uow.now
    ticket.state = to
    await uow.audit(f"ticket.{to}", "ticket", ticket.id, campus_id=ticket.campus_id)
    await _tell(uow, ticket)
    return await _shown(uow, ticket)


async def _shown(uow: UnitOfWork, ticket: Ticket) -> TicketOut:
    await uow.session.flush()
    room = await _room(uow, ticket.room_id)
    ahead = None
    if ticket.state == "waiting":
        before = [t for t in await repository.queue(uow, ticket.room_id) if (t.turn, t.id) < (ticket.turn, ticket.id)]
        ahead = sum(t.state != "passed" for t in before)
    return _out(ticket, room, ahead)


def _out(ticket: Ticket, room: Room, ahead: int | None) -> TicketOut:
    return TicketOut(
        id=ticket.id, campus_id=ticket.campus_id, room_id=room.id, room_name=room.name, place=room.place, exam_id=ticket.exam_id,
        number=ticket.number, called_name=ticket.called_name, state=ticket.state, ahead=ahead, issued_at=ticket.issued_at,
        called_at=ticket.called_at, calls=ticket.calls,
    )  # fmt: skip


async def _room(uow: UnitOfWork, room_id: UUID) -> Room:
    room = await repository.room(uow, room_id)
    if room is None:
        raise RoomNotFound
    return room


async def _tell(uow: UnitOfWork, ticket: Ticket) -> None:
    """A screen hears the number and what it may show of the name."""
    told = {
        "room_id": str(ticket.room_id),
        "number": ticket.number,
        "called_name": ticket.called_name,
        "state": ticket.state,
    }
    await uow.announce("guidance", told, campus_id=ticket.campus_id, permission="guidance.read")
