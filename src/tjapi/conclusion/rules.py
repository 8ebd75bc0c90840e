"""States of a conclusion, and the order of what it says."""

from collections.abc import Iterable
from typing import Literal, Protocol, TypeVar

ConclusionState = Literal["draft", "initial_signed", "finalized"]
EntryKind = Literal["disease", "finding", "risk"]
STATES: tuple[ConclusionState, ...] = ("draft", "initial_signed", "finalized")
KINDS: tuple[EntryKind, ...] = ("disease", "finding", "risk")
MOVES: dict[str, frozenset[str]] = {
    "draft": frozenset({"initial_signed"}),
    "initial_signed": frozenset({"draft", "finalized"}),
    "finalized": frozenset(),
}


class Kinded(Protocol):
    """Anything of a kind."""

    @property
    def kind(self) -> EntryKind: ...  # noqa: D102 - plain data


E = TypeVar("E", bound=Kinded)


def in_order(entries: Iterable[E]) -> list[E]:
    """Return entries as a report lists them: diseases, positive findings, risk factors; within a kind as the reviewer put them.

    主检报告撰写共识: disease → positive finding → risk factor.
    """
    return sorted(entries, key=lambda entry: KINDS.index(entry.kind))
