"""How tubes are planned and numbered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

RequisitionState = Literal["planned", "sent", "failed", "cancelled"]
TubeState = Literal["planned", "collected", "received", "rejected"]
TUBE_MOVES: dict[str, frozenset[str]] = {
    "planned": frozenset({"collected"}),
    "collected": frozenset({"received", "rejected"}),
    "received": frozenset({"rejected"}),
    "rejected": frozenset(),
}


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line that needs a specimen."""

    line_id: UUID
    container: str
    specimen: str
    fasting: bool


def plan_tubes(lines: Iterable[PlannedLine]) -> list[Sequence[PlannedLine]]:
    """Group lines into tubes: one tube for each container, specimen and fasting condition."""
    tubes: dict[tuple[str, str, bool], list[PlannedLine]] = {}
    for line in lines:
        tubes.setdefault((line.container, line.specimen, line.fasting), []).append(line)
    return [tubes[key] for key in sorted(tubes)]


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
