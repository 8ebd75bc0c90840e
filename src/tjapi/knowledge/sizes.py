"""How large what a sentence speaks of is: which size is whose. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from tjapi.knowledge.tokens import Made

_SIZE = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s?(?:mm|cm)?\s?[x*]\s?(\d+(?:\.\d+)?))?(?:\s?(?:mm|cm)?\s?[x*]\s?(\d+(?:\.\d+)?))?\s?(mm|cm)(?!/|h)"
)
_NOT_THE_SIZE = re.compile(
    r"(?:距|距离|内径|内膜厚|管径|宽|深|肋下|肋缘下|剑下|间距|向[上下]|进镜|插入|间隔|层厚)[^,]{0,8}$"
)


def sizes_in(plain: str) -> list[tuple[int, Decimal]]:
    """Return the sizes in a sentence in millimetres, each with where it stands; what is a distance or a width is none."""
    found = []
    for one in _SIZE.finditer(plain):
        if _NOT_THE_SIZE.search(plain[max(one.start() - 12, 0) : one.start()]):
            continue
        largest = max(Decimal(number) for number in one.groups()[:3] if number)
        found.append((one.start(), largest * (10 if one[4] == "cm" else 1)))
    return found


def give_sizes(found: Sequence[Made], sizes: Iterable[tuple[int, Decimal]]) -> None:
    """Give mentions their sizes: a size is of what stands last before it, or first behind it; the largest counts."""
    standing = [one for one in found if one.mention.stands]
    for at, size in sizes:
        before = [one for one in standing if one.at < at]
        of = before[-1] if before else next((one for one in standing if one.at > at), None)
        if of is not None:
            of.mention = replace(of.mention, size_mm=max(size, of.mention.size_mm or size))
