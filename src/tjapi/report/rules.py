"""States of a report."""

from typing import Literal

ReportState = Literal["rendering", "failed", "generated", "published", "superseded", "recalled"]
MOVES: dict[str, frozenset[str]] = {
    "rendering": frozenset({"generated", "failed"}),
    "failed": frozenset(),
    "generated": frozenset({"published"}),
    "published": frozenset({"superseded", "recalled"}),
    "superseded": frozenset(),
    "recalled": frozenset(),
}
