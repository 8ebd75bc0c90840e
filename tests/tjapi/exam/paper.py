"""One exam as a clerk would keep it on paper, written from what the hospital asks for: which command is taken when, and what it leaves.

Nothing of the product is imported here: who changes a rule of the product changes it here as well, or sees the difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

OPEN = {"prepared", "checked_in", "in_progress", "sheet_returned", "ready_for_review", "in_review"}
"""Lines come and go until the final sign-off, but not while the exam is on hold."""
HERE = {"checked_in", "in_progress"}
UNDER_WAY = OPEN - {"prepared"}
GONE = {"withdrawn", "substituted"}
ASIDE = {"refused", "waived", "deferred"}
WAITS_FOR_THE_PERSON = {"ordered", "released", "sent", "specimen_rejected"}
OWED = WAITS_FOR_THE_PERSON | {"collected", "resulted", "deferred"}
UNDRAWN = {"released", "sent", "specimen_rejected"}
LIVE = UNDRAWN | {"collected", "resulted", "verified"}
BLOOD = {"whole_blood", "serum", "plasma"}
MAY_BECOME = {
    "withdrawn": WAITS_FOR_THE_PERSON | {"deferred"}, "substituted": {"ordered", "released", "sent"}, "deferred": WAITS_FOR_THE_PERSON,
    "refused": WAITS_FOR_THE_PERSON | {"deferred"}, "waived": WAITS_FOR_THE_PERSON | {"deferred"}, "ordered": ASIDE,
}  # fmt: skip
"""What was collected or has results is not set aside on any path."""


@dataclass(eq=False)
class Line:
    """An item group ordered. `paid`: it waits for no payment; `cash`: what was paid of it; `at_return`: set aside when the guide sheet came back."""

    id: UUID
    code: str
    laboratory: bool
    department: int
    kind: tuple[object, ...]
    specimen: str | None
    price: int
    person: int
    employer: int
    paid: bool = False
    cash: int = 0
    state: str = "ordered"
    at_return: bool = False
    tube: UUID | None = None


@dataclass(eq=False)
class Tube:
    """A tube. Which lines it is for, the lines say."""

    id: UUID
    barcode: str
    kind: tuple[object, ...]
    state: str = "planned"


@dataclass
class Paper:
    """The exam. `standing`: a return of the guide sheet that may be undone; `room`: the department whose queue the `ticket` is of."""

    lines: list[Line] = field(default_factory=list)
    tubes: dict[UUID, Tube] = field(default_factory=dict)
    state: str = "prepared"
    held_from: str | None = None
    arrived: bool = False
    returned: bool = False
    standing: bool = False
    signed: set[int] = field(default_factory=set)
    ticket: bool = False
    room: int = 0
    steps: int = 0

    # What may be asked.

    def here(self) -> list[Line]:
        """The lines that are part of the exam."""
        return [line for line in self.lines if line.state not in GONE]

    def open_lines(self) -> list[Line]:
        return [line for line in self.lines if line.state in WAITS_FOR_THE_PERSON]

    def of_department(self, department: int, states: Iterable[str]) -> list[Line]:
        wanted = set(states)
        return [x for x in self.lines if not x.laboratory and x.department == department and x.state in wanted]

    def total(self) -> int:
        return sum(line.price for line in self.here())

    def owed(self) -> int:
        """What the person has to pay and has not: of what is carried out, or put off."""
        return sum(x.person - x.cash for x in self.here() if x.state not in ("refused", "waived"))

    def refund(self) -> int:
        """What was paid and nobody is owed any more: never more than was paid."""
        return sum(x.cash for x in self.lines if x.state in {"refused", "waived"} | GONE)

    def outstanding(self) -> set[tuple[str, str]]:
        """What keeps the exam from being finalized, and where."""
        owed = {(f"line_{line.state}", f"line:{line.id}") for line in self.lines if line.state in OWED}
        unsigned = {x.department for x in self.lines if not x.laboratory and x.state in ("released", "resulted")}
        return owed | {("summary_unsigned", f"department:{d}") for d in unsigned}

    def keeps(self) -> set[tuple[str, str]]:
        """What the exam itself is waiting for, whatever is owed."""
        if self.state in ("on_hold", "cancelled"):
            return {(self.state, "exam")}
        if self.state == "prepared":
            return {("not_checked_in", "exam")}
        return set() if self.here() else {("no_lines", "exam")}

    def perhaps(self) -> set[tuple[str, str]]:
        """What may be said besides: a department whose other line waits for payment is not let go, and would have to sign for that one."""
        unpaid = {line.department for line in self.lines if not line.laboratory and line.state == "ordered"}
        return {("summary_unsigned", f"department:{d}") for d in unpaid}

    def columns(self) -> dict[str, bool]:
        """Under which counts of the board it stands, on its day."""
        there = self.state != "cancelled"
        drawn = any(x.specimen in BLOOD and x.state in ("collected", "resulted", "verified") for x in self.lines)
        return {
            "booked": there,
            "awaiting_payment": there and self.owed() > 0,
            "checked_in": there and self.arrived,
            "blood_drawn": there and drawn,
            "examined": there and self.arrived and bool(self.here()) and not self.open_lines(),
        }

    def asked(self) -> set[str]:
        """What the laboratory is to know of, once everything has been told."""
        if not self.arrived or self.state == "cancelled":
            return set()
        return {line.code for line in self.lines if line.laboratory and line.state in LIVE}

    def tube_of(self, line: Line) -> Tube | None:
        return self.tubes.get(line.tube) if line.tube is not None else None

    def takes_add_on(self, tube: Tube) -> bool:
        """Whether the laboratory cannot have it yet, for all one knows: nothing was reported of it."""
        reported = any(line.state in ("resulted", "verified") for line in self._of(tube))
        return tube.state in ("planned", "collected") and not reported

    def may_set_aside(self, lines: Iterable[Line], to: str) -> bool:
        return self.state in OPEN and all(line.state in MAY_BECOME[to] for line in lines)

    # What a command leaves.

    def check_in(self) -> None:
        self.state, self.arrived = "checked_in", True

    def add(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.lines.append(line)
            self.steps += 1
            if line.paid:
                line.state = "released"

    def pay(self, lines: Iterable[Line]) -> None:
        for line in lines:
            line.paid, line.cash = True, line.person
            if line.state == "ordered":
                line.state = "released"

    def set_aside(self, lines: Iterable[Line], to: str, *, at_return: bool = False) -> None:
        for line in lines:
            line.state, line.at_return = to, at_return
            self.steps += 1
        self._drop_tubes()
        self.follow()

    def follow(self) -> None:
        """Nobody waits where nothing of theirs is left to do."""
        self.ticket = self.ticket and any(
            line.department == self.room and line.state != "ordered" for line in self.open_lines()
        )

    def reinstate(self, lines: Iterable[Line]) -> None:
        for line in lines:
            line.state, line.at_return = "released" if line.paid else "ordered", False
            self.steps += 1

    def place(self, line: Line, tube: Tube) -> None:
        """A released line has its tube; where that was collected, so is the line."""
        line.tube = tube.id
        if tube.state == "collected":
            line.state = "collected"

    def collect(self, tube: Tube) -> None:
        tube.state = "collected"
        for line in self._of(tube):
            if line.state in UNDRAWN:
                line.state = "collected"

    def waiting_in(self, tube: Tube) -> list[Line]:
        """The lines of a tube whose results are awaited."""
        return [line for line in self._of(tube) if line.state == "collected"]

    def reject(self, tube: Tube) -> None:
        """The specimen is refused: what waits for its result is drawn again; what has results keeps them."""
        for line in self.waiting_in(tube):
            line.state = "specimen_rejected"
        tube.state = "rejected"

    def result(self, line: Line, *, final: bool) -> None:
        if line.state != "verified":
            line.state = "verified" if final else "resulted"

    def examine(self, department: int, *, sign: bool) -> None:
        for line in self.of_department(department, LIVE):
            line.state = "verified" if sign else "resulted"
        if sign:
            self.signed.add(department)

    def reopen(self, department: int) -> None:
        for line in self.of_department(department, {"verified"}):
            line.state = "resulted"
        self.signed.discard(department)

    def sheet_back(self) -> None:
        if not self.returned:
            self.returned = self.standing = True
            if self.state in HERE:
                self.state = "sheet_returned"
        self.ticket = False

    def sheet_out(self) -> None:
        self.returned = self.standing = False
        if self.state == "sheet_returned":
            self.state = "in_progress"
        self.reinstate([line for line in self.lines if line.at_return and line.state in ASIDE])
        for line in self.lines:
            line.at_return = False

    def hold(self) -> None:
        self.held_from, self.state, self.ticket = self.state, "on_hold", False

    def resume(self) -> None:
        assert self.held_from is not None
        self.state, self.held_from = self.held_from, None

    def cancel(self) -> None:
        self.state, self.ticket = "cancelled", False
        for line in self.lines:
            if line.state in OWED:
                line.state = "withdrawn"
        self._drop_tubes()

    def settle(self) -> None:
        """The state follows what is outstanding; whoever is waited for again needs the guide sheet again."""
        if self.returned and self.state in OPEN and self.open_lines():
            self.returned = False
            if self.state == "sheet_returned":
                self.state = "in_progress"
        said = any(line.state in ("verified", "refused", "waived") for line in self.lines)
        begun = any(line.state in ("collected", "resulted", "verified") for line in self.lines)
        owed = any(line.state in OWED for line in self.lines)
        if self.state == "checked_in" and (begun or (said and not owed)):
            self.state = "in_progress"
        if self.state in ("in_progress", "sheet_returned") and said and not self.outstanding():
            self.state = "ready_for_review"
        elif self.state in ("ready_for_review", "in_review") and self.outstanding():
            self.state = "sheet_returned" if self.returned else "in_progress"

    def _of(self, tube: Tube) -> Iterator[Line]:
        return (line for line in self.lines if line.tube == tube.id)

    def _drop_tubes(self) -> None:
        """A tube that is for nothing any more is not drawn."""
        for tube in self.tubes.values():
            if tube.state == "planned" and not any(line.state in LIVE for line in self._of(tube)):
                tube.state = "cancelled"
