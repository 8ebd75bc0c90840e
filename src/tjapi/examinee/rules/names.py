"""How a name is written, compared and found. Pure."""

import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, islice, product
from math import prod

os.environ.setdefault(
    "PYPINYIN_NO_PHRASES", "true"
)  # 40 MB and half a second of phrases; a name is read character by character
from pypinyin import Style, lazy_pinyin, pinyin

_HAN = re.compile(r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNSEEN = re.compile(r"[\s·•‧∙⋅・･.\-'’]+")
_COMPOUND = frozenset(
    {
        "欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯", "诸葛",
        "尉迟", "公羊", "赫连", "澹台", "皇甫", "宗政", "濮阳", "申屠", "公孙", "慕容", "钟离", "长孙",
        "宇文", "司徒", "鲜于", "司空", "令狐", "呼延", "拓跋", "轩辕", "段干", "百里", "东郭", "南门",
        "西门", "第五", "淳于", "单于", "纳兰", "完颜", "爱新", "乐正", "漆雕", "谷梁",
    }
)  # fmt: skip
# What a surname may be called besides what the dictionary knows of its character.
_AS_SURNAME = {"黑": ("he",), "谌": ("shen",), "貟": ("yun",)}
_OLD_SPELLING = str.maketrans({"萬": "万", "單": "单", "長": "长", "孫": "孙", "遲": "迟", "歐": "欧", "陽": "阳"})
_READINGS_KEPT = 64


def clean_name(raw: str) -> str:
    """Return a name as it is kept: half-width, single spaces, one kind of middle dot (readers and keyboards send several)."""
    name = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", raw)).strip()
    name = re.sub(r"\s*[·•‧∙⋅・･]\s*", "·", name)
    # Between Chinese characters a space is a reader's padding (张 三), not part of the name.
    return re.sub(rf"(?<={_HAN.pattern}) (?={_HAN.pattern})", "", name)


def folded(name: str) -> str:
    """Return what is compared and searched: no case, no spaces, dots or hyphens."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", name)).casefold()


def name_keys(name: str) -> list[str]:
    """Return every key by whose beginning a name is found: itself, each reading in pinyin, each row of initials.

    Every reading of every character counts (覃 qin and tan, 单 shan and dan, 区 ou and qu): dictionaries order readings by their use in
    text, where the surname's is rare. A long name with too many combinations keeps all readings of its surname. ü is typed v, yu or u.
    """
    keys = [folded(name)]
    if _HAN.search(name):
        for reading in _combined(clean_name(name)):
            keys += ["".join(reading), "".join(syllable[:1] for syllable in reading)]
    else:
        keys.append("".join(word[:1] for word in clean_name(name).casefold().split(" ")))
    return list(dict.fromkeys(key for key in keys if key))


def readings(name: str) -> frozenset[str]:
    """Return every way in which a whole name is read aloud, without its initials; a name in Latin letters is read as it is written.

    So a passport's Zhang San and an ID card's 张三 have one reading.
    """
    if not _HAN.search(name):
        return frozenset({folded(name)})
    return frozenset("".join(reading) for reading in _combined(clean_name(name)))


def _combined(name: str) -> list[tuple[str, ...]]:
    # 萬俟 is read as 万俟 is: the dictionary knows 万 as mò, and 萬 not.
    surname = 2 if name[:2].translate(_OLD_SPELLING) in _COMPOUND else 1
    name = name[:surname].translate(_OLD_SPELLING) + name[surname:]
    characters = [c for c in name if not _UNSEEN.fullmatch(c)]
    usual = [*_usual("".join(characters[:surname])), *_usual("".join(characters[surname:]))]
    readings = [
        list(dict.fromkeys([*_spelled([first]), *_readings(c)])) for c, first in zip(characters, usual, strict=True)
    ]
    readings[0] += _AS_SURNAME.get(characters[0], ())
    if prod(map(len, readings)) > _READINGS_KEPT:
        readings[surname:] = [_spelled([first]) for first in usual[surname:]]
    return list(islice(product(*readings), _READINGS_KEPT))


def _usual(text: str) -> list[str]:
    """Return the usual reading of each character, by the words they make where that can be told."""
    together = lazy_pinyin(text)
    return together if len(together) == len(text) else [lazy_pinyin(c)[0] for c in text]


@lru_cache(maxsize=4096)
def _readings(character: str) -> tuple[str, ...]:
    return tuple(_spelled(chain.from_iterable(pinyin(character, style=Style.NORMAL, heteronym=True))))


def _spelled(syllables: Iterable[str]) -> list[str]:
    found: list[str] = []
    for syllable in map(str.casefold, syllables):
        found += (
            [syllable.replace("v", u) for u in ("v", "yu", "u")] if re.fullmatch(r"[nl]ve?", syllable) else [syllable]
        )
    return list(dict.fromkeys(found))
