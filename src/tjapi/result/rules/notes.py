"""Notes on a whole report: of which of its values they speak, where they change what these mean."""

from collections.abc import Sequence

from tjapi.result.rules.flags import calls_critical
from tjapi.result.rules.values import disputes, voids

_EITHER_WORD = ("阴性", "阳性")


def weighs(note: str) -> bool:
    """Say whether a note changes what a value means: it takes values back, speaks against a word, or calls something critical."""
    return voids(note) or calls_critical(note) or any(disputes((word,), note) for word in _EITHER_WORD)


def meant(note: str, said: Sequence[tuple[str, str, bool]]) -> list[int]:
    """Return the places of the values that a note on their whole report speaks of; `said`: name, code and whether it is flagged, of each.

    Those that it names. Names it none, a note that calls something critical means those that are flagged, and any other note all of them:
    nobody knows which.
    """
    named = [i for i, (name, code, _) in enumerate(said) if (name and name in note) or (len(code) > 1 and code in note)]
    flagged = [i for i, (_, _, flagged) in enumerate(said) if flagged] if calls_critical(note) else []
    return named or flagged or list(range(len(said)))
