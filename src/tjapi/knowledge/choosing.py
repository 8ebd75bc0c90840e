"""What a text states that could have been chosen of an item and was not: HSIL beside NILM. Pure."""

import re
from collections.abc import Collection, Iterable

from tjapi.knowledge.conditions import words
from tjapi.knowledge.rules import Known
from tjapi.knowledge.stated import is_stated, places, plain

_ORDINARY = re.compile(
    r"[有无是否好差佳\d一二三四五六ⅰ-ⅵⅠ-Ⅵ+±（）()%–-]+|其他|正常|异常|良好|不良|中等|阳性|阴性|弱阳性|未见|查见|可疑|通过|减弱|亢进|增大|肥大|减退|压痛|增厚|息肉|"
    r"轻度|中度|重度|.*(?:未见|未触及|未及).*|[ⅠⅡⅢⅣ]度.*|.{1,3}色|硬|软|成形|稀|水样|光滑|居中|对称|溃疡|白斑|通畅|清晰|微混|混浊"
)
"""What is chosen of many items, or said of many things."""


def _is_only_told(code: str) -> bool:
    return any(code == one or (one.endswith("*") and code.startswith(one[:-1])) for one in words().only_told)


def unchosen(values: Iterable[Known], told: str) -> set[str]:
    """Return, in plain writing, what could have been chosen of items, was not, and is not said anywhere; `told` is what is."""
    return {
        word
        for known in values
        if known.choices and not known.unexamined and not _is_only_told(known.item_code)
        for choice in known.choices
        if len(word := plain(choice)) > 1 and word not in told and _ORDINARY.fullmatch(choice) is None
    }


def false_choices(text: str, values: Collection[Known], free: Collection[str] = ()) -> set[str]:
    """Return what a text states that could have been chosen of an item and was not: HSIL beside NILM, B型 beside A型, 色盲 beside 正常."""
    said = _USUAL.sub(lambda usual: " " * len(usual[0]), plain(text, free))
    told = " ".join(plain(known.text) for known in values if known.numeric is None)
    found = set()
    for known in values:
        if not known.choices or known.unexamined or _is_only_told(known.item_code):
            continue
        for choice in known.choices:
            word = plain(choice)
            own = len(word) > 1 and word not in told and _ORDINARY.fullmatch(choice) is None
            if own and any(
                _stands(said, at, word) and is_stated(said, at, at + len(word)) for at in places(said, word)
            ):
                found.add(choice)
    return found


_USUAL = re.compile(r"(?:参考|正常)(?:值|范围|区间)[为是:：]?[^,，。;；\n]*")
_ENDS = re.compile(r"\s*(?:$|[,，。;；:：)）(（!！\n])")
_OPEN = re.compile(r"(?:或|到|达|至|要|须|需|成|为|多|防|变)$")


def _stands(said: str, at: int, word: str) -> bool:
    """Say whether a word at a place is said by itself: no part of another (SIL of HSIL), the end of its clause, one of no alternatives."""
    if _OPEN.search(said[:at]) or not _ENDS.match(said, at + len(word)):
        return False
    before, behind = said[at - 1 : at] if at else "", said[at + len(word) : at + len(word) + 1]
    return not (
        (word[0].isascii() and word[0].isalnum() and before.isascii() and before.isalnum())
        or (word[-1].isascii() and word[-1].isalnum() and behind.isascii() and behind.isalnum())
    )
