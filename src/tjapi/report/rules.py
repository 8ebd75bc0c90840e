"""States of a report."""

from typing import Literal

ReportState = Literal["rendering", "generated", "published", "superseded", "recalled"]
MOVES: dict[str, frozenset[str]] = {
    "rendering": frozenset({"generated"}),
    "generated": frozenset({"published"}),
    "published": frozenset({"superseded", "recalled"}),
    "superseded": frozenset(),
    "recalled": frozenset(),
}
