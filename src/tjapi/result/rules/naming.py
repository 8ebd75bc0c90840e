"""Whether the name that a laboratory puts beside a code is that of another item of the exam. Pure."""

from collections.abc import Collection

from tjapi.knowledge.characters import simplified
from tjapi.result.rules.values import plain


def plain_name(name: str) -> str:
    """Return a name as names are compared."""
    return simplified(plain(name)).replace(" ", "").casefold()


def names_another(own: str, told: str, other: str, elsewhere: Collection[str]) -> bool:
    """Say whether what is told beside the code of an item (`own`: its name) names another one that the exam has (`other`).

    A laboratory's own name for an item may be ours for a kindred one (葡萄糖 beside 餐后2小时血糖): it names the other one only where the two
    have no character in common (钠 beside the code of 钾), or where the same message puts our name beside another code (`elsewhere`: the
    names beside all its other codes): then the two are exchanged.
    """
    own, told, other = plain_name(own), plain_name(told), plain_name(other)
    if not told or told == own or told != other:
        return False
    return set(own).isdisjoint(told) or own in {plain_name(name) for name in elsewhere}
