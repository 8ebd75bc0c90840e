"""What of an answer is asked back before it counts: what is typed against a number that was said, and calm words of what may be critical. Pure."""

from collections.abc import Collection
from decimal import Decimal
from typing import Literal

Against = Literal["differs-from-original", "may-be-critical"]
_ENDS_UNKNOWN = frozenset({("unread", "no_value"), ("unread", "keep"), ("contested", "wrong")})


def against(
    kind: str, answer: str, said: Collection[Decimal], typed: Collection[Decimal | None], *, critical: bool
) -> Against | None:
    """Return why an answer is asked back; None: nothing stands against it.

    `said` are the numbers that stand in what was said, in every unit that they may be in; `typed` is the one that was typed, as it was and in
    our unit; `critical`: what was said may be critical.
    """
    if answer == "value":
        return None if not said or any(number in said for number in typed) else "differs-from-original"
    return "may-be-critical" if critical and (kind, answer) in _ENDS_UNKNOWN else None
