"""States of a report."""

from typing import Literal

ReportState = Literal["rendering", "failed", "generated", "sealed", "published", "superseded", "recalled"]
Verdict = Literal["genuine", "superseded", "recalled", "unknown"]
VERDICTS: dict[str, Verdict] = {"published": "genuine", "superseded": "superseded", "recalled": "recalled"}
MOVES: dict[str, frozenset[str]] = {
    "rendering": frozenset({"generated", "failed"}),
    "failed": frozenset(),
    "generated": frozenset({"sealed", "failed"}),
    "sealed": frozenset({"published"}),
    "published": frozenset({"superseded", "recalled"}),
    "superseded": frozenset(),
    "recalled": frozenset(),
}
