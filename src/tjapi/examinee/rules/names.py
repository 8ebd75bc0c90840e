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
# Middle dots as keyboards, readers and neighbouring systems send them; a full stop is one only between Chinese characters.
_DOTS = "·•‧∙⋅・･᛫⸱⸳ꞏ\u0387\U00010101●⸰◦"
_STOPS = ".．。｡﹒"
_DASHES = "\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_UNSEEN = re.compile(rf"[\s{_DOTS}{_STOPS}{_DASHES}'’‘`´ʼ,，]+")
_SPACED_DOT = re.compile(rf"\s*[{_DOTS}]\s*")
_STOP_BETWEEN = re.compile(rf"(?<={_HAN.pattern})\s*[{_STOPS}]\s*(?={_HAN.pattern})")
_PADDING = re.compile(rf"(?<={_HAN.pattern}) (?={_HAN.pattern})")
_MARKS = "\ufe00\ufe0f\U000e0100\U000e01ef"
# Where GBK and GB 18030-2000 knew no Unicode character (FE50–FEA0), systems of those years use U+E815–U+E864 in the order of the codes.
# Which character each code is today: the character map GB18030 of the GNU C library, which follows the standard's later editions. A8BC and
# A8BF are letters of pinyin. The dot above (U+02D9) is a middle dot that compatibility composition would take apart.
_GBK_LAST = (
    "\u2e81\U00020087\U00020089\U000200cc\u2e84\u3473\u3447\u2e88\u2e8b\u9fb4\u359e\u361a\u360e\u2e8c\u2e97\u396e\u3918\u9fb5\u39cf\u39df\u3a73\u39d0"
    "\u9fb6\u9fb7\u3b4e\u3c6e\u3ce0\u2ea7\U000215d7\u9fb8\u2eaa\u4056\u415f\u2eae\u4337\u2eb3\u2eb6\u2eb7\U0002298f\u43b1\u43ac\u2ebb\u43dd\u44d6\u4661"
    "\u464c\u9fb9\u4723\u4729\u477c\u478d\u2eca\u4947\u497a\u497d\u4982\u4983\u4985\u4986\u499f\u499b\u49b7\u49b6\u9fba\U000241fe\u4ca3\u4c9f\u4ca0\u4ca1"
    "\u4c77\u4ca2\u4d13\u4d14\u4d15\u4d16\u4d17\u4d18\u4d19\u4dae\u9fbb"
)
_SPELLED_ANEW = {0xE815 + i: character for i, character in enumerate(_GBK_LAST)} | {
    0xE7C7: "\u1e3f",
    0xE7C8: "\u01f9",
    0x02D9: "·",
}
_COMPOUND = frozenset(
    {
        "欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯", "诸葛",
        "尉迟", "公羊", "赫连", "澹台", "皇甫", "宗政", "濮阳", "申屠", "公孙", "慕容", "钟离", "长孙",
        "宇文", "司徒", "鲜于", "司空", "令狐", "呼延", "拓跋", "轩辕", "段干", "百里", "东郭", "南门",
        "西门", "第五", "淳于", "单于", "纳兰", "完颜", "爱新", "乐正", "漆雕", "谷梁",
    }
)  # fmt: skip
# What a surname may be called besides what the dictionary knows of its character.
_AS_SURNAME = {"黑": ("he",), "谌": ("shen",), "貟": ("yun",), "贠": ("yun",), "费": ("bi",)}
_OLD_SPELLING = str.maketrans({"萬": "万", "單": "单", "長": "长", "孫": "孙", "遲": "迟", "歐": "欧", "陽": "阳"})
_READINGS_KEPT = 64


def clean_name(raw: str) -> str:
    """Return a name as it is kept: half-width, single spaces, one kind of middle dot (readers and keyboards send several), nothing unseen.

    A rare character (生僻字) in the private form of an older table becomes the character that it is.
    """
    name = re.sub(r"\s+", " ", _seen(raw)).strip()
    name = _STOP_BETWEEN.sub("·", _SPACED_DOT.sub("·", name))
    # Between Chinese characters a space is a reader's padding (张 三), not part of the name.
    return _PADDING.sub("", name)


def folded(name: str) -> str:
    """Return what is compared and searched: no case, no spaces, dots, commas or hyphens."""
    return _UNSEEN.sub("", _seen(name)).casefold()


def _seen(raw: str) -> str:
    """Return a name in compatibility composition, with rare characters in their own form, without what nobody sees."""
    if raw.isascii() and raw.isprintable():
        return raw
    name = unicodedata.normalize("NFKC", raw.translate(_SPELLED_ANEW))
    return "".join(c for c in name if not _is_unseen(c))


@lru_cache(maxsize=4096)
def _is_unseen(character: str) -> bool:
    """Say whether a character draws nothing: format and control characters but blanks, selectors of variants, fillers."""
    if character.isspace():
        return False
    first, last, first_more, last_more = tuple(_MARKS)
    selector = first <= character <= last or first_more <= character <= last_more
    return (
        selector
        or unicodedata.category(character) in {"Cf", "Cc"}
        or character in "\u034f\u115f\u1160\u3164\u180b\u180c\u180d\u180f"
    )


def is_one_name(one: str, two: str) -> bool:
    """Say whether two spellings are one name. The one rule for names: at the desk, on lists, in messages, among duplicates.

    They are one where they are written alike but for width, case, blanks, dots and hyphens, and forms of a character; and where one is
    written in Chinese characters, the other in Latin letters, and these are any reading of those, the family name first or last (ZHANG
    SAN, San Zhang, Zhang, San). Of two names in Latin letters a comma says which is the family name. Two names in Chinese characters
    that sound alike are two. A name of nothing is nobody's.
    """
    mine, theirs = folded(one), folded(two)
    if not mine or not theirs:
        return False
    if mine == theirs:
        return True
    han = [bool(_HAN.search(text)) for text in (mine, theirs)]
    if all(han):
        return False
    if not any(han):
        return theirs in _turned(one) or mine in _turned(two)
    written, latin = (one, two) if han[0] else (two, one)
    return not readings(written).isdisjoint(_orders(latin))


_MOST_WORDS = 8


def _turned(name: str) -> frozenset[str]:
    """Return a name in Latin letters with a comma the other way round: Smith, John is John Smith."""
    family, comma, given = _seen(name).partition(",")
    return frozenset({folded(f"{given} {family}")}) if comma and given.strip() else frozenset()


def _orders(latin: str) -> frozenset[str]:
    """Return what a name in Latin letters spells, whichever of its words come first; tones and other marks left away."""
    plain = "".join(c for c in unicodedata.normalize("NFD", _seen(latin)) if not unicodedata.combining(c))
    words = [word for word in re.split(r"[\s,，^]+", plain) if word]
    turns = range(len(words)) if len(words) <= _MOST_WORDS else range(1)
    return frozenset(folded("".join([*words[at:], *words[:at]])) for at in turns)


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
