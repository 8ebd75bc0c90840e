"""Which room is next, and what becomes of lines when the guide sheet comes back. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

TicketState = Literal["waiting", "called", "in_room", "passed", "done", "dropped"]
TICKET_MOVES: dict[str, frozenset[str]] = {
    "waiting": frozenset({"called", "dropped"}),
    "called": frozenset({"called", "in_room", "passed", "dropped"}),
    "in_room": frozenset({"done", "waiting"}),
    "passed": frozenset({"waiting", "dropped"}),
    "done": frozenset(),
    "dropped": frozenset(),
}
OPEN: frozenset[str] = frozenset({"waiting", "called", "in_room", "passed"})
SheetPolicyMode = Literal["refuse", "ask"]
SHEET_POLICY_MODES: tuple[SheetPolicyMode, ...] = ("refuse", "ask")
Decision = Literal["refused", "waived", "deferred"]


@dataclass(frozen=True, slots=True)
class Room:
    """An open room as the choice sees it: how many wait or are inside, and how long one takes."""

    id: UUID
    department_id: int
    queue: int
    minutes: int
    sort: int

    @property
    def wait(self) -> int:
        """Minutes until somebody who comes now is called."""
        return self.queue * self.minutes


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done in one department; `fasting`: some of it on an empty stomach."""

    department_id: int
    fasting: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Where to go. `again`: nothing else is left to do anywhere than where one has been already."""

    room: Room
    again: bool


def next_room(
    errands: Sequence[Errand], rooms: Iterable[Room], after: Mapping[int, Collection[int]], been: Sequence[int] = ()
) -> Choice | None:
    """Return the room to go to: fasting errands first, none before what must precede it, then the shortest wait.

    `after` names, for a department, those that come before it. Where everything waits for something that has no open room, order
    gives way: better examined out of order than not at all. `been` are the departments whose rooms one has come out of, the last one at
    the end: what was done there may not be entered yet. Nobody is sent back to one while anything is left to do elsewhere, and to the
    last one only where nothing is left but that.
    """
    places = list(rooms)
    open_departments = {room.department_id for room in places}
    every = {errand.department_id: errand for errand in errands if errand.department_id in open_departments}
    tiers = (
        {d: errand for d, errand in every.items() if d not in been},
        {d: errand for d, errand in every.items() if d != been[-1]} if been else {},
        every,
    )
    due = next((tier for tier in tiers if tier), None)
    if due is None:
        return None
    free = [d for d in due if not any(before in due for before in after.get(d, ()))] or list(due)
    fasting = [d for d in free if due[d].fasting]
    chosen = set(fasting or free)
    reachable = [room for room in places if room.department_id in chosen]
    room = min(reachable, key=lambda room: (room.wait, room.sort, str(room.id)))
    return Choice(room, again=room.department_id in been)


def ticket_no(letter: str, number: int) -> str:
    """Return what a screen calls, such as `C007`."""
    return f"{letter}{number:03d}"


def called_name(name: str) -> str:
    """Return what a screen may show of a name: the first character, and as many stars as it takes to tell 张三 from 张三丰."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 3)
