"""What becomes of a derived row when what it was made of changes. Pure; the one rule of summaries, conclusions, computed items and reports.

A derived row names its sources: what results said, the exam's facts, the edition of the knowledge base. A value that is said again, final
after preliminary or repeated by a correction, says the same; another value, unit or flag does not.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

Fate = Literal["keep", "remake", "stale"]
_ABSENT = "—"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an exam says of its person, and on which day: ranges, flags, computed items and rules depend on it."""

    sex: str
    birth_date: date
    pregnant: bool | None
    day: date

    @property
    def said(self) -> str:
        """The facts as one text."""
        return f"{self.sex}|{self.birth_date}|{self.pregnant}|{self.day}"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a row is made of: what each of its parts says, the facts, and the edition by which it was judged."""

    said: frozenset[tuple[str, str]]
    facts: Facts
    edition: UUID | None

    @property
    def digest(self) -> str:
        """A text that is equal for equal sources."""
        parts = [
            f"facts={self.facts.said}",
            f"edition={self.edition}",
            *(f"{what}={said}" for what, said in sorted(self.said)),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def said_of(value: str, unit: str | None, flag: str | None) -> str:
    """Return what a result says, as far as anything that is made of it depends on it."""
    return f"{value}|{unit or ''}|{'?' if flag is None else flag}"


def absent(what: Iterable[str]) -> set[tuple[str, str]]:
    """Return parts that are not there: what was made of one that came to be, or ceased to, is not current."""
    return {(one, _ABSENT) for one in what}


def is_current(made_of: str | None, now: Sources) -> bool:
    """Say whether what a row was made of is what is known now. A row that does not say what it was made of is not current."""
    return made_of == now.digest


def fate(made_of: str | None, now: Sources, *, touched: bool) -> Fate:
    """Say what becomes of a row: what is current is kept; what nobody touched is made anew; what a person touched or signed is stale."""
    if is_current(made_of, now):
        return "keep"
    return "stale" if touched else "remake"
