"""What a value tells choice by choice, and which words say that nothing was examined at all. Pure."""

import re
from collections.abc import Collection, Sequence
from typing import Literal

from tjapi.knowledge.characters import simplified
from tjapi.result.rules.values import finding, plain


def folded(text: str) -> str:
    """Return a text as texts are compared: one width, one writing, small letters, no blanks. 脂蛋白（a） and 脂蛋白 (a) are one name."""
    return simplified(plain(text)).replace(" ", "").lower()


_BECAUSE = r"(?:(?:受检者|受检人|患者|本人|客人|自愿|主动|要求|暂|因|由于|月经期|经期|孕期|妊娠期?|怀孕|哺乳期|未婚未育|未婚|无性生活史?|无性经历|个人原因|身体原因|行动不便)[,、]?)*"
_NOT_EXAMINED = re.compile(
    rf"{_BECAUSE}(?:拒检|拒绝(?:受检|(?:做|行|接受|该项|此项|本项)*检查)?|弃检|放弃(?:(?:该项|此项|本项)*检查)?|未检查?|未[做查行测验]|未(?:做|行|予|作)检查|不[查检做]"
    r"|(?:不|未|未能|不能|无法|难以|拒绝)配合(?:检查|完成)?|(?:无法|不能|未能|难以|不宜|暂缓|暂不|未能?完成)(?:完成)?检查)"
    r"(?:\([^()]{1,30}\))?"
)
_BY_HAND: frozenset[str] = frozenset({"enumerated", "multi_select", "text"})


def not_examined(word: str) -> bool:
    """Say whether a word, or a choice, says nothing but that nobody examined: 拒检, 未查, 不能配合检查. 未检出 is a finding."""
    return _NOT_EXAMINED.fullmatch(folded(word).rstrip("。.;")) is not None


def unexamined(kind: str, parts: Sequence[str]) -> bool:
    """Say whether a value that somebody chose or wrote says that nothing was examined: all of it, whatever a catalog calls normal."""
    return kind in _BY_HAND and bool(parts) and all(not_examined(part) for part in parts)


def half_examined(kind: str, parts: Sequence[str]) -> bool:
    """Say whether a value says both that nothing was examined, and what was found: one of the two is wrong."""
    return kind in _BY_HAND and len(parts) > 1 and any(not_examined(part) for part in parts)


def untold(chosen: Sequence[str], usual: Collection[str], told: Collection[str]) -> tuple[str, ...]:
    """Return the choices of a value that are not usual, and of which none of the texts that rest on it tells.

    Of a value of one choice whatever rests on it tells. Of several each is told by its name alone; a name that is part of another chosen one is
    that one's (完全性右束支传导阻滞 in 不完全性右束支传导阻滞).
    """
    if len(chosen) < 2:  # noqa: PLR2004 - the only choice
        return () if told else tuple(chosen)
    said = [folded(text) for text in told]
    left: set[str] = set()
    for choice in sorted(chosen, key=lambda one: -len(folded(one))):
        word = folded(choice)
        if not any(word in text for text in said):
            left.add(choice)
        said = [text.replace(word, "\n") for text in said]
    normal = {finding(one) for one in usual}
    return tuple(one for one in chosen if one in left and finding(one) not in normal and not not_examined(one))


def called_by(flag: str | None, *, ranged: bool, by_person: bool, marked: bool) -> Literal["", "person", "laboratory"]:
    """Return who calls a value abnormal beside which no range is printed; "" where one is, or where nobody says more than that it is abnormal."""
    if flag != "A" or (ranged and not by_person):
        return ""
    return "person" if by_person else "laboratory" if marked else ""
