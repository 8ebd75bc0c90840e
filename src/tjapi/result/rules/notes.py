"""Notes of a laboratory beside a value and on a whole report: what they do to it, and of which values they speak. Pure."""

import re
from collections.abc import Sequence

from tjapi.knowledge.descriptions import read
from tjapi.knowledge.lexicon import dictionary, plain_writing
from tjapi.result.rules.flags import Flag, calls_critical
from tjapi.result.rules.reading import NUMBERS
from tjapi.result.rules.values import amended, contradicted, disputes, plain, together, voids

_EITHER_WORD = ("阴性", "阳性")
_READ_WITH_ITS_NOTES: frozenset[str] = frozenset({"qualitative", "enumerated"})
"""Kinds whose words and notes are read together: what a note disputes is no word that anybody understands."""
_OF_ALL = re.compile(
    r"报告|标本|样本|血样|标签|条码|病人|患者|非本人|report|specimen|sample|label|patient", re.IGNORECASE
)


def weighs(note: str) -> bool:
    """Say whether a note changes what a value means: takes it back, puts another in its place, speaks against a word, calls it critical."""
    return (
        voids(note)
        or calls_critical(note)
        or bool(amended((), note))
        or any(disputes((word,), note) for word in _EITHER_WORD)
    )


def denied(kind: str, flag: Flag | None, words: Sequence[str], notes: Sequence[str]) -> bool:
    """Say whether notes beside a value take it back, or put another one in its place (`words`: as it was said, and as it is kept).

    Nor is a number normal that a note calls positive.
    """
    if kind in _READ_WITH_ITS_NOTES:
        return False
    positive = kind in NUMBERS and flag == ""
    return any(
        voids(note) or amended(words, note) or (positive and contradicted(("阴性",), note)) for note in together(notes)
    )


_SENTENCE = re.compile(r"[^。;；!！\n]+")
_ILL = r"(?:病|癌|炎|症|瘤|染|征|患者|人群|等)"
# What a laboratory says of a method, or of whoever has such a value, and of nobody in particular.
_LEGEND = re.compile(
    r"(?:升高|增高|增加|降低|减低|减少|阳性|阴性|异常|可|常|多|主要|也|亦)见于.*" + _ILL
    + r"|^(?:临床意义|参考(?:值|范围|区间)?|检测方法|方法|检测限|检出限|判读标准|结果解释|结果说明|结果判断)[:：]"
    r"|本(?:检测|检查|方法|法|试验|实验|项目|试剂|产品|报告|结果)(?:结果)?(?:仅|只|不能|不可|不作|用于|适用|可用于|阴性|阳性)"
    r"|(?:可|作为|用于|辅助|有助于).{0,20}(?:诊断|筛查|监测|判断|评估|观察).{0,6}(?:指标|参考|依据|手段|标志物|之用|检测)"
    r"|(?:[<>≤≥＜＞]|大于|小于|高于|低于|超过)\s*\d[^,，]*[,，:：]?(?:提示|考虑|表示|意味|为|应|需)"
    r"|^(?:如|若|当|凡|一旦)"
)  # fmt: skip
# That a laboratory calls something critical alarms by itself (`criticals`), whatever words it takes for it.
_CALLED = re.compile(r"危急值?(?:报告|结果|通知)?|critical(?: value)?", re.IGNORECASE)


def told(note: str) -> str:
    """Return what a note says of this person: without its sentences on methods and on what such values may mean, and without 危急值."""
    spoken = (one[0].strip() for one in _SENTENCE.finditer(note))
    return "。".join(_CALLED.sub("", one) for one in spoken if one and not _LEGEND.search(one))


def is_grave(words: str, item_code: str = "", item_name: str = "") -> bool:
    """Say whether words that a laboratory wrote anywhere may ask for a person at once."""
    return bool(read(told(words), item_code, item_name).grave)


# Words of a laboratory's trade that hold a character of harm and mean none.
_TRADE = re.compile(
    "溶血|脂血|乳糜血?|黄疸指数|黄疸|凝血|凝块|采血|静脉血|末梢血|指尖血|血样|血浆|血清|全血|空腹血?|血小板聚集|血小板|血红蛋白|红细胞|白细胞|抗凝|血糖|血脂|血型"
    "|病人|患者|病历|病区|试剂|污染|干扰|标本不足|量不足|危急值?|急诊|急查|急送|异常值|异常结果|无异常|离心|暂停|停止|停用|坏境|丢弃|弃"
)


def listed(note: str, item_code: str = "", item_name: str = "") -> tuple[str, ...]:
    """Return the sentences of a note that a reviewer reads: neither understood, nor words of a laboratory's trade alone, nor without any word of harm."""
    harm = dictionary().hazards
    unread = read(told(note), item_code, item_name).unread
    return tuple(one for one in unread if any(sign in harm for sign in _TRADE.sub("", plain_writing(one))))


def meant(note: str, said: Sequence[tuple[str, str, bool]]) -> list[int]:
    """Return the places of the values that a note on their whole report speaks of; `said`: name, code and whether it is flagged, of each.

    Those that it names, unless it takes back the report or the specimen. Names it none, a note that calls something critical means those
    that are flagged, and any other note all of them: nobody knows which.
    """
    if voids(note) and _OF_ALL.search(note):
        return list(range(len(said)))
    words = plain(note)
    named = [
        i for i, (name, code, _) in enumerate(said) if _names(words, name) or (len(code) > 1 and _names(words, code))
    ]
    flagged = [i for i, (_, _, flagged) in enumerate(said) if flagged] if calls_critical(note) else []
    return named or flagged or list(range(len(said)))


def _names(note: str, name: str) -> bool:
    """Say whether a note holds a name; one in letters as a word of its own: CL is not in CLOTTED."""
    name = plain(name)
    if not name:
        return False
    if not name.isascii():
        return name in note
    at = note.lower().find(name.lower())
    while at >= 0:
        around = note[max(0, at - 1) : at] + note[at + len(name) : at + len(name) + 1]
        if not any(sign.isascii() and sign.isalnum() for sign in around):
            return True
        at = note.lower().find(name.lower(), at + 1)
    return False
