"""Whether what stands at a place of a text is denied there, taken back, or told of another time. Pure."""

import re

_MOST_BEFORE = 30
_DENIED = re.compile(
    r"(?:未见|未发现|未提示|未显示|未检出|未出现|否认|没有|无|非|不是|不支持|(?<![不未])(?<![不未]能)(?:排除|除外))"
    r"(?:(?!出现|诱因|发生|伴|示|见|但|除外)[^,，。;；!！\n]){0,16}$"
)
TAKEN_BACK = re.compile(
    r"\s?[(（,，]?\s?(?:已经?|现已?|后)?(?:排除|除外|更正|修正|纠正|撤销|撤回|解除|否定|作废|转阴|消失)(?!标准|诊断|依据)"
)
"""What stands behind words that are said no more: 阳性（已更正）."""
_ONCE = re.compile(r"(?:(?<!抗)原(?:先|来|为|是)?|曾为?|上次为?|前次为?|既往为?|去年为?)\s?$")


OTHERS = "家族|家属|家人|亲属|父|母|兄|弟|姐|妹|祖|爷|奶|外公|外婆|姥|舅|姑|姨|叔|伯|儿子|女儿|子女|丈夫|妻子|妻|配偶|爱人|同事|室友"
"""Whose findings are not the person's own."""
_OF_OTHERS = re.compile(rf"(?:{OTHERS})[^,，。;；!！\n]{{0,10}}$")


def is_denied(said: str, start: int, end: int) -> bool:
    """Say whether the words at a place are denied in the same breath, or told of another time: 未见早搏及心房颤动, 转阴（原2+）. 不能排除 denies nothing."""
    before = said[max(start - _MOST_BEFORE, 0) : start]
    return bool(
        _DENIED.search(before) or _ONCE.search(before) or _OF_OTHERS.search(before) or TAKEN_BACK.match(said, end)
    )
