"""Words that nothing of an exam supports, and who confirmed them: what is asked still, and for how long a confirmation holds. Pure.

A confirmation is kept beside what it is of, as JSON: `of`, the digest of the text and of its ground; `words`, exactly as they were asked; `by`,
`by_name` and `at`; `private` where the text is of a private item: neither the audit trail nor who may not see it reads these. It holds while neither the text nor the ground changes, whoever signs.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

Kept = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Words of one text, at its place, that whoever signs is asked about; `ground` is the digest of what the text is held against."""

    place: str
    text: str
    words: Sequence[str]
    ground: str
    private: bool = False

    @property
    def of(self) -> str:
        """The digest of the text and its ground."""
        return hashlib.sha256(f"{self.ground}\n{self.text}".encode()).hexdigest()

    def open(self, kept: Iterable[Kept]) -> list[str]:
        """Return which of the words nobody has confirmed."""
        held = {word for one in kept if one["of"] == self.of for word in one["words"]}
        return [word for word in self.words if word not in held]


def holding(asked: Collection[Asked], kept: Iterable[Kept]) -> list[Kept]:
    """Return the confirmations that still hold."""
    of = {one.of for one in asked}
    return [one for one in kept if one["of"] in of]


def unconfirmed(asked: Iterable[Asked], kept: Sequence[Kept], confirmed: Collection[str]) -> list[tuple[str, str]]:
    """Return what is asked and neither confirmed before nor by this signature: each place with each of its words."""
    return [(one.place, word) for one in asked for word in one.open(kept) if word not in confirmed]


def confirmations(asked: Iterable[Asked], kept: Sequence[Kept], by: UUID, by_name: str, at: datetime) -> list[Kept]:
    """Return what a signature confirms that was asked still: one row for each text."""
    rows = [(one, one.open(kept)) for one in asked]
    return [
        {"of": one.of, "words": words, "by": str(by), "by_name": by_name, "at": at.isoformat().replace("+00:00", "Z")}
        | ({"private": True} if one.private else {})
        for one, words in rows
        if words
    ]


def told_of(kept: Iterable[Kept], *, private: bool = False) -> list[Kept]:
    """Return the confirmations that somebody may read: of those of private texts none, unless they see these (`private`)."""
    return [one for one in kept if private or not one.get("private")]


def words_of(kept: Iterable[Kept]) -> list[str]:
    """Return the words that were confirmed, once each, as the audit trail holds them: that private ones were is all it says of these."""
    return list(dict.fromkeys(word for one in told_of(kept) for word in one["words"]))
