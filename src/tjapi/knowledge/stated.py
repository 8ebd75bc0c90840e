"""What states nothing of this person today: what is denied, supposed, past, or somebody else's. Pure."""

import re
from collections.abc import Iterable

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.denials import OTHERS, is_denied

ELSEWHEN = re.compile(
    rf"(?:{OTHERS}|如|若|当|凡|遇|既往|曾|(?<!抗)原(?![发因])|上次|上年|去年|往年|前次|平时|由|从|较|比|避免|防止|预防|警惕|谨防|注意|以防|以免|见于|未达到?|尚未|不足以|[<>≤≥]\s?-?\d+(?:\.\d+)?[^,，。;；]{{0,8}}(?:为|属|称)|可(?!见)|转为|防|治|诊断|除外|排除|待排|可能|疑|考虑|否有|是否|无论|导致|引起|诱发|易|会)"
    r"[^,，。;；!！\n]*$"
)
_OF_OTHERS = re.compile(
    r"[^,，。;；\n]{0,3}(?:已?(?:恢复|好转|治愈)|不成立|病?史|家族|待排|不支持)"
    r"|\s?[?？]|\s?(?:时|者|患者|人群|的?人|筛查|风险|危险|倾向|术后|治疗后|服药|用药|原因|症状|饮食|可能|相关|即刻|立即|须|应|需|评估|多为|多见|表示|(?:及|或|和|至|到|[-~～])\s?(?:以[上下]|\d)|以[上下])"
)
"""What stands behind a word that states nothing: 贫血者, 甲亢病史."""
MOST_BEFORE = 30


def is_stated(said: str, start: int, end: int) -> bool:
    """Say whether the words at a place of a text in plain writing are said of this person, today."""
    before = said[max(start - MOST_BEFORE, 0) : start]
    return not (is_denied(said, start, end) or ELSEWHEN.search(before) or _OF_OTHERS.match(said, end))


def plain(text: str, free: Iterable[str] = ()) -> str:
    """Return a text in the simplified writing and small letters, without what the knowledge base says itself."""
    said = simplified(text).lower()
    for one in sorted({simplified(word).lower() for word in free if word}, key=len, reverse=True):
        said = said.replace(one, " " * len(one))
    return said


def places(said: str, name: str) -> Iterable[int]:
    """Return where a word stands in a text."""
    return (found.start() for found in re.finditer(re.escape(name), said))
