"""What people have to say of a message that no machine may file. Pure."""

from collections.abc import Collection, Sequence
from typing import Literal
from uuid import UUID

Need = Literal["exam", "charset", "nothing", "impossible"]

# Whose result it is, or where its number leads, only people know; a better reading of the bytes may settle it as well.
_NEED_EXAM = {("quarantined", "identity-mismatch"), ("unmatched", "unknown-barcode")}
# Its numbers lead to what is carried out no longer: where that is an exam that was cancelled, people may know another one of the same person.
_MAY_MOVE = {("unmatched", "line-not-live")}
# Refused at the door, and whole: two people say that it is good as it is.
_AS_IT_IS = {"content-differs", "unparsable", "no-usable-id", "batch-differs", "frame-not-ended", "outside-a-frame"}
# A test, a training or an analyser's own control: nobody's result, whoever says so.
_NEVER = {"not-production"}


def still_needed(state: str, reason: str | None, *, exam: bool, charset: bool) -> Need:
    """Return what a release of a message lacks: nothing where it may be given, `impossible` where the message waits for no people."""
    if state not in ("quarantined", "unmatched") or reason in _NEVER:
        return "impossible"
    if (state, reason) in _NEED_EXAM:
        return "nothing" if exam or charset else "exam"
    if (state, reason) in _MAY_MOVE and exam:
        return "nothing"
    if reason == "charset-doubtful":
        return "nothing" if charset else "charset"
    if charset or (state == "quarantined" and reason in _AS_IT_IS):
        return "nothing"
    return "impossible"


def may_move_only(reason: str | None) -> bool:
    """Say whether a message is released only to another exam than the one that its numbers name: there it was not filed."""
    return ("unmatched", reason) in _MAY_MOVE


def word_decides(named: Collection[UUID], placed: UUID, against: Sequence[str] | None) -> bool:
    """Say whether two people's word decides whose a group is though its numbers name another exam: where the identity agrees with theirs.

    The label was stuck on the wrong tube then. Where the identity is not theirs either, nothing but that word speaks for it.
    """
    return bool(set(named) - {placed}) and against is None


def is_alarmed_of(reason: str) -> bool:
    """Say whether what a message calls critical is told though nobody could file it: not of a test or of an analyser's own control."""
    return reason not in _NEVER
