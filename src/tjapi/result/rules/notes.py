"""Notes of a laboratory beside a value and on a whole report: what they do to it, and of which values they speak. Pure."""

import re
from collections.abc import Sequence

from tjapi.result.rules.flags import Flag, calls_critical
from tjapi.result.rules.reading import NUMBERS
from tjapi.result.rules.values import amended, contradicted, disputes, plain, together, voids

_EITHER_WORD = ("阴性", "阳性")
_READ_WITH_ITS_NOTES: frozenset[str] = frozenset({"qualitative", "enumerated"})
"""Kinds whose words and notes are read together: what a note disputes is no word that anybody understands."""
_OF_ALL = re.compile(
    r"报告|标本|样本|血样|标签|条码|病人|患者|非本人|report|specimen|sample|label|patient", re.IGNORECASE
)


def weighs(note: str) -> bool:
    """Say whether a note changes what a value means: takes it back, puts another in its place, speaks against a word, calls it critical."""
    return (
        voids(note)
        or calls_critical(note)
        or bool(amended((), note))
        or any(disputes((word,), note) for word in _EITHER_WORD)
    )


def denied(kind: str, flag: Flag | None, words: Sequence[str], notes: Sequence[str]) -> bool:
    """Say whether notes beside a value take it back, or put another one in its place (`words`: as it was said, and as it is kept).

    Nor is a number normal that a note calls positive.
    """
    if kind in _READ_WITH_ITS_NOTES:
        return False
    positive = kind in NUMBERS and flag == ""
    return any(
        voids(note) or amended(words, note) or (positive and contradicted(("阴性",), note)) for note in together(notes)
    )


def meant(note: str, said: Sequence[tuple[str, str, bool]]) -> list[int]:
    """Return the places of the values that a note on their whole report speaks of; `said`: name, code and whether it is flagged, of each.

    Those that it names, unless it takes back the report or the specimen. Names it none, a note that calls something critical means those
    that are flagged, and any other note all of them: nobody knows which.
    """
    if voids(note) and _OF_ALL.search(note):
        return list(range(len(said)))
    words = plain(note)
    named = [
        i for i, (name, code, _) in enumerate(said) if _names(words, name) or (len(code) > 1 and _names(words, code))
    ]
    flagged = [i for i, (_, _, flagged) in enumerate(said) if flagged] if calls_critical(note) else []
    return named or flagged or list(range(len(said)))


def _names(note: str, name: str) -> bool:
    """Say whether a note holds a name; one in letters as a word of its own: CL is not in CLOTTED."""
    name = plain(name)
    if not name:
        return False
    if not name.isascii():
        return name in note
    at = note.lower().find(name.lower())
    while at >= 0:
        around = note[max(0, at - 1) : at] + note[at + len(name) : at + len(name) + 1]
        if not any(sign.isascii() and sign.isalnum() for sign in around):
            return True
        at = note.lower().find(name.lower(), at + 1)
    return False
