"""Whether words call something critical, doubt it, or deny it: the one table of it for laboratories' notes and for what is written of results. Pure."""

import re
from typing import Literal

CALLED = re.compile(r"危急值?|危机值|(?:panic|critical)(?: values?)?")
_NOT_EXCLUDED = re.compile(r"(?:不能|不|未能?|无法|尚未|难以)(?:完全)?(?:排除|除外)$")
_BETWEEN = r"(?:为|有|属|属于|是|出现|达到?|到|见)*\W*$"
_DENIED_BEFORE = re.compile(
    r"(?:非|无|未达到?|未到|未至|未及|[未不]构成|不达到?|不属于?|不是|不为|不算|没有|未见|未出现|未发现|否认|排除|除外|\b(?:no|not|non)\b-?)"
    + _BETWEEN
)
_SUPPOSED_BEFORE = re.compile(
    r"(?:若|如|如遇|如果|当|凡|遇到?|出现|是否)"
    + _BETWEEN
    + r"|^\W*[为=]$|(?:表示|代表|说明|指|标[注示])为?\W*$|\b(?:if|when)\b"
)
_DENIED_BEHIND = re.compile(
    r"(?:标[记识志注])?\s*[:：]?\s*(?:否|无|n|no|阴性|-|0)\s*$|\s*(?:已?(?:解除|撤销|撤回|排除|除外|更正)|不成立|复[核查测检]后?(?:为|已)?正常)"
)
_EXPLAINED_BEHIND = re.compile(
    r".{0,4}(?:制度|管理|流程|参考|范围|标准|界值|阈值|[上下]限|表示|代表|说明|标[注示])|.{0,20}\b(?:range|limits?|thresholds?|denotes?|marked)\b"
)
_REACHED = re.compile(r"[达属符超合]")
_ASKED_YES = re.compile(r"(?:标[记识志注])?\s*[:：]\s*(?:是|有|y|yes|1|阳性)\s*$")

Said = Literal["called", "doubted", "denied", "explained"]


def said_critical(before: str, behind: str) -> Said:
    """Return what a clause says of being critical, by what stands before 危急值 in it, and behind; in small letters of the simplified writing.

    That it cannot be excluded is a doubt, and as grave as a call; 非危急值 and 危急值已排除 deny it; a supposition and a sign that is explained say nothing.
    """
    before = before.rstrip()
    if _NOT_EXCLUDED.search(before):
        return "doubted"
    reached = _REACHED.search(before) is not None and ":" not in behind
    says: tuple[tuple[Said, bool], ...] = (
        ("called", _ASKED_YES.match(behind) is not None),
        ("explained", _SUPPOSED_BEFORE.search(before) is not None),
        ("denied", _DENIED_BEFORE.search(before) is not None),
        ("called", reached),
        ("denied", _DENIED_BEHIND.match(behind) is not None),
        ("explained", _EXPLAINED_BEHIND.match(behind) is not None),
    )
    return next((said for said, holds in says if holds), "called")
