"""What a description speaks of: a mention is a concept at a site, and whether it is there. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Assertion = Literal["present", "possible", "absent", "historical", "family", "postoperative"]
ASSERTIONS: tuple[Assertion, ...] = ("present", "possible", "absent", "historical", "family", "postoperative")
STANDING: tuple[Assertion, ...] = ("present", "possible")
"""What is, or may be, there now."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a description speaks of. `words` are those that made it, as they stand there; `said` its sentence."""

    concept: str
    name: str
    site: str
    assertion: Assertion
    words: str
    said: str
    grave: bool = False
    known: bool = True
    compared: bool = False
    size_mm: Decimal | None = None
    grades: frozenset[str] = frozenset()

    @property
    def stands(self) -> bool:
        """Whether it is, or may be, there now."""
        return self.assertion in STANDING


@dataclass(frozen=True, slots=True)
class Description:
    """What a text says: its mentions in their order, and the sentences that hold what is neither understood nor known as normal."""

    mentions: tuple[Mention, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def grave(self) -> tuple[Mention, ...]:
        """What asks for a person at once."""
        return tuple(one for one in self.mentions if one.grave and one.stands)
