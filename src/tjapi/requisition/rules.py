"""How tubes are planned, numbered, moved, refused and handed over. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

RequisitionState = Literal["planned", "sent", "failed", "cancelled"]
TubeState = Literal["planned", "collected", "handed_over", "received", "sent_out", "rejected", "cancelled"]
TUBE_MOVES: dict[str, frozenset[str]] = {
    "planned": frozenset({"collected", "cancelled"}),
    "collected": frozenset({"handed_over", "received", "sent_out", "rejected"}),
    # Back where it was: it was on the list, and was not there when the list was received.
    "handed_over": frozenset({"collected", "received", "rejected"}),
    "received": frozenset({"sent_out", "rejected"}),
    "sent_out": frozenset({"received", "rejected"}),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}
OPEN: frozenset[str] = frozenset({"planned", "collected", "handed_over"})
"""Not received by the laboratory: an add-on may still be measured from it."""
DRAWN: frozenset[str] = frozenset({"collected", "handed_over", "received", "sent_out"})
"""The specimen is there: it can be refused, and the line of a further scan is collected already."""

RejectReason = Literal[
    "haemolysed", "clotted", "lipaemic", "insufficient", "wrong_container", "unlabeled", "mislabeled", "contaminated", "broken",
    "wrong_time", "expired", "lost", "other",
]  # fmt: skip
REJECT_REASONS: tuple[RejectReason, ...] = (
    "haemolysed", "clotted", "lipaemic", "insufficient", "wrong_container", "unlabeled", "mislabeled", "contaminated", "broken",
    "wrong_time", "expired", "lost", "other",
)  # fmt: skip

HandoverState = Literal["open", "handed_over", "received", "cancelled"]
HANDOVER_MOVES: dict[str, frozenset[str]] = {
    "open": frozenset({"handed_over", "cancelled"}),
    "handed_over": frozenset({"received"}),
    "received": frozenset(),
    "cancelled": frozenset(),
}
HandoverOutcome = Literal["received", "rejected", "missing", "removed", "elsewhere"]
OUTCOMES: tuple[HandoverOutcome, ...] = ("received", "rejected", "missing", "removed", "elsewhere")
"""What became of a tube of a list; `elsewhere`: it turned up on another one."""
ExtraKind = Literal["received", "unknown", "not_collected", "rejected", "cancelled", "sent_out"]
EXTRAS: tuple[ExtraKind, ...] = ("received", "unknown", "not_collected", "rejected", "cancelled", "sent_out")
"""What a scanned bar code was that stands on no list: taken in all the same, or why it was not."""
BackHow = Literal["reported", "returned"]
BACK: tuple[BackHow, ...] = ("reported", "returned")
"""How a tube that was sent out came back: as a result, or itself."""

TubeAction = Literal[
    "label_printed", "collected", "listed", "unlisted", "handed_over", "sent_out", "received", "missing", "rejected", "replaced",
    "reported", "returned", "cancelled",
]  # fmt: skip
TUBE_ACTIONS: tuple[TubeAction, ...] = (
    "label_printed", "collected", "listed", "unlisted", "handed_over", "sent_out", "received", "missing", "rejected", "replaced",
    "reported", "returned", "cancelled",
)  # fmt: skip
REPORTED: frozenset[str] = frozenset({"resulted", "verified"})
"""Lines of which the laboratory has said something: it has their tube."""


@dataclass(frozen=True, slots=True, order=True)
class TubeKind:
    """What must agree for two lines to share a tube. `section` "" and `minutes_after` 0: said of neither."""

    container: str
    specimen: str
    section: str = ""
    fasting: bool = False
    minutes_after: int = 0
    send_out: bool = False


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line that needs a specimen; `most`: how many groups its tube may serve (None: any number)."""

    line_id: UUID
    kind: TubeKind
    most: int | None = None


@dataclass(frozen=True, slots=True)
class OpenTube:
    """A tube that has not been handed to the laboratory, with the lines that it serves already."""

    tube_id: UUID
    kind: TubeKind
    lines: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedTube:
    """A tube and its lines; `tube_id` is that of an open tube which takes them too, None: a new tube."""

    tube_id: UUID | None
    kind: TubeKind
    lines: tuple[PlannedLine, ...]


def plan_tubes(lines: Iterable[PlannedLine], open_tubes: Iterable[OpenTube] = ()) -> list[PlannedTube]:
    """Put each line into a tube of its kind: an open one that has room, else a new one. The order of the lines does not matter.

    A tube serves no more groups than the strictest of them allows. Tubes come out by kind, new ones after those that were there.
    """
    rows = [_Filling(tube.tube_id, tube.kind, tube.lines, tube.most, []) for tube in open_tubes]
    rows.sort(key=lambda row: (row.kind, str(row.tube_id)))
    for line in sorted(lines, key=lambda line: (line.kind, line.line_id)):
        row = next((row for row in rows if row.takes(line)), None)
        if row is None:
            row = _Filling(None, line.kind, 0, None, [])
            rows.append(row)
        row.put(line)
    filled = [row for row in rows if row.added]
    filled.sort(key=lambda row: (row.kind, row.tube_id is None))
    return [PlannedTube(row.tube_id, row.kind, tuple(row.added)) for row in filled]


@dataclass(slots=True)
class _Filling:
    tube_id: UUID | None
    kind: TubeKind
    held: int
    most: int | None
    added: list[PlannedLine]

    def takes(self, line: PlannedLine) -> bool:
        most = min((limit for limit in (self.most, line.most) if limit is not None), default=None)
        return self.kind == line.kind and (most is None or self.held < most)

    def put(self, line: PlannedLine) -> None:
        self.added.append(line)
        self.held += 1
        self.most = min((limit for limit in (self.most, line.most) if limit is not None), default=None)


def barcode(campus_id: int, number: int) -> str:
    """Return a tube's barcode: campus, running number, check digit (Luhn, ISO/IEC 7812-1); digits only, so any scanner reads it."""
    body = f"{campus_id:02d}{number:09d}"
    return body + luhn(body)


def handover_no(campus_id: int, day: date, number: int) -> str:
    """Return the number of a hand-over list, such as `J01261127003`: campus, day, running number; it is printed as a bar code."""
    return f"J{campus_id:02d}{day:%y%m%d}{number:03d}"


def extra(state: str | None) -> ExtraKind:
    """Return what a tube is that is scanned at a receipt and stands on no list; None: nobody knows the bar code."""
    if state is None:
        return "unknown"
    kinds: dict[str, ExtraKind] = {
        "planned": "not_collected", "rejected": "rejected", "cancelled": "cancelled", "sent_out": "sent_out",
    }  # fmt: skip
    return kinds.get(state, "received")


def luhn(digits: str) -> str:
    """Return the Luhn check digit of a string of digits."""
    total = 0
    for i, d in enumerate(reversed(digits)):
        value = int(d) * (2 if i % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004
    return str(-total % 10)
