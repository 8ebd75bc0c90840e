"""`python -m tests.corpora.measure FILE…`: how the reading of descriptions does on sentences that somebody else wrote.

A file has a JSON object a line: `id`, `method` (what was examined), `text`, `kind` (normal, grave, assertion) and `means`, what its author says that it
says: `concept` in words, `assertion`, `grave`. Of a normal sentence it is a fault that anything is found (`false`), and a nuisance that it is listed;
of a grave one, that nothing grave is (`unrecognised`), and a harm that it is not even listed (`lost`). Of an assertion: a grave thing that
is there and was not recognised (`missed`), and one that is not there and alarmed (`alarmed`). `--faults` shows them.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tjapi.knowledge import service
from tjapi.knowledge.descriptions import STANDING, read
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.service import Knowledge
from tjapi.result.service.alarming import alarms_of

ITEMS = {
    "US-GALLBLADDER": "US-GB", "US-PANCREAS": "US-PANC", "US-ADNEXA": "US-UTERUS", "US-LYMPH": "LYMPH-NODE", "XR-SPINE": "XR-LSPINE", "MAMMO": "MMG",
    "MRI-HEAD": "CT-HEAD", "SLIT-LAMP": "SLIT", "DENTAL": "TEETH", "SURGERY-SKIN": "SKIN", "SURGERY-LYMPH": "LYMPH-NODE", "ANORECTAL": "ANUS",
    "SPINE-LIMBS": "LIMBS", "MR-HEAD": "CT-HEAD", "MAMMO-TEXT": "MMG", "FUNDUS-TEXT": "FUNDUS", "NEURO-TEXT": "NERVE", "SKIN-TEXT": "SKIN", "ORAL-TEXT": "TEETH",
    "INTERNAL-HEART": "HEART-SOUND", "INTERNAL-LUNG": "LUNG-SOUND", "NEURO": "NERVE",
}  # fmt: skip
"""Items of ours by what was examined, where they have another name."""


STATES = frozenset(("PREGNANCY",))
"""What a normal sentence may well tell of: that somebody is pregnant is no fault, and must be known."""


def starter() -> Knowledge:
    """Return the shipped edition."""
    return service.in_memory(service.read_starter())


@dataclass
class Figures:
    """What came of a corpus: how many of each, and the sentences at fault with what was read."""

    of: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[str, str, str, str, Any]] = field(default_factory=list)

    def count(self, name: str, row: dict[str, Any] | None = None, found: Any = None) -> None:
        """Count one; with its row it is shown as a fault."""
        self.of[name] = self.of.get(name, 0) + 1
        if row is not None:
            self.faults.append((name, row["id"], row["method"], row["text"], found))

    def share(self, name: str, of: str) -> float:
        """Return how many of a hundred."""
        return 100 * self.of.get(name, 0) / max(self.of.get(of, 0), 1)


def rows_of(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the sentences of files."""
    for path in paths:
        yield from map(json.loads, path.read_text("utf-8").splitlines())


def measure(rows: Iterable[dict[str, Any]], edition: Knowledge) -> Figures:
    """Read sentences by an edition of the knowledge base, and count what came of each."""
    figures = Figures()
    for row in rows:
        item = ITEMS.get(row["method"], row["method"])
        case = Case("female", 45, {item: Known(item, item, row["text"])})
        found = read(row["text"], item)
        standing = [one for one in found.mentions if one.stands]
        figures.count(row["kind"])
        if row["kind"] == "normal":
            fired = [
                one.rule.code
                for one in (*edition.fired("finding", case), *alarms_of(edition, case))
                if one.rule.code.removeprefix("SAID-") not in STATES
            ]
            named = [one.concept for one in standing if one.known and one.concept not in STATES]
            if fired or named:
                figures.count("false", row, (fired, [(one.concept, one.words) for one in standing]))
            if found.unread:
                figures.count("listed", row, found.unread)
        elif row["kind"] == "grave":
            if found.grave:
                figures.count("recognised")
            elif found.unread:
                figures.count("unrecognised", row, [(one.concept, one.words, one.assertion) for one in found.mentions])
            else:
                figures.count("lost", row, [(one.concept, one.words, one.assertion) for one in found.mentions])
        else:
            grave = [one for one in row["means"] if one["grave"] and one["assertion"] in STANDING]
            if grave:
                figures.count("assertion_grave")
            if grave and not found.grave:
                figures.count(
                    "missed" if found.unread else "missed_lost",
                    row,
                    [(one.concept, one.words, one.assertion) for one in found.mentions],
                )
            if not grave and found.grave:
                figures.count("alarmed", row, [(one.concept, one.words, one.assertion) for one in found.grave])
    return figures


def told(figures: Figures) -> str:
    """Return the figures in lines."""
    of = figures.of
    lines = [
        f"normal {of.get('normal', 0)}: false {of.get('false', 0)} ({figures.share('false', 'normal'):.1f} %), listed {of.get('listed', 0)} ({figures.share('listed', 'normal'):.1f} %)",
        f"grave {of.get('grave', 0)}: recognised {of.get('recognised', 0)} ({figures.share('recognised', 'grave'):.1f} %), listed only {of.get('unrecognised', 0)}, lost {of.get('lost', 0)}",
        f"assertion {of.get('assertion', 0)}: grave there {of.get('assertion_grave', 0)}, of these listed only {of.get('missed', 0)}, lost {of.get('missed_lost', 0)}; alarmed though none is there {of.get('alarmed', 0)}",
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Measure the files that are named."""
    figures = measure(rows_of(Path(one) for one in arguments if not one.startswith("--")), starter())
    print(told(figures))
    if "--faults" in arguments:
        for fault in figures.faults:
            print(*fault)


if __name__ == "__main__":
    main(sys.argv[1:])
