"""How tubes are planned and numbered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

RequisitionState = Literal["planned", "sent", "failed", "cancelled"]
TubeState = Literal["planned", "collected", "received", "rejected", "cancelled"]
TUBE_MOVES: dict[str, frozenset[str]] = {
    "planned": frozenset({"collected", "cancelled"}),
    "collected": frozenset({"received", "rejected"}),
    "received": frozenset({"rejected"}),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}
OPEN: frozenset[str] = frozenset({"planned", "collected"})
"""Not received by the laboratory: an add-on may still be measured from it."""
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


def luhn(digits: str) -> str:
    """Return the Luhn check digit of a string of digits."""
    total = 0
    for i, d in enumerate(reversed(digits)):
        value = int(d) * (2 if i % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004
    return str(-total % 10)
