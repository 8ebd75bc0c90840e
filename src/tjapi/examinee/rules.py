"""What an identity document says about its holder; how a name is written, compared and found. Pure."""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice, product
from math import prod
from typing import Literal

os.environ.setdefault(
    "PYPINYIN_NO_PHRASES", "true"
)  # 40 MB and half a second of phrases; a name is read character by character
from pypinyin import Style, lazy_pinyin, pinyin

Sex = Literal["male", "female", "unknown"]
IdKind = Literal["resident", "hk_mo_tw_resident", "foreign_permanent", "passport", "none"]
Fault = Literal[
    "format",
    "kind",
    "check_digit",
    "birth_date_invalid",
    "birth_date_in_future",
    "age_over_130",
    "number_missing",
    "number_not_expected",
]
PhotoSource = Literal["id_card", "camera"]
SEXES = ("male", "female", "unknown")
ID_KINDS = ("resident", "hk_mo_tw_resident", "foreign_permanent", "passport", "none")
PHOTO_SOURCES = ("id_card", "camera")
OLDEST = 130

FAULTS: dict[Fault, tuple[str, str]] = {
    "format": (
        "证件号码的长度或字符不符合该证件类型",
        "the number has not the length or characters of this kind of document",
    ),
    "kind": ("证件号码属于另一种证件", "the number belongs to another kind of document"),
    "check_digit": ("证件号码校验位不正确", "the check digit of the number is wrong"),
    "birth_date_invalid": ("证件号码中的出生日期不存在", "the birth date in the number does not exist"),
    "birth_date_in_future": ("出生日期在今天之后", "the birth date is after today"),
    "age_over_130": ("年龄超过 130 岁", "the age is over 130"),
    "number_missing": ("该证件类型必须有证件号码", "this kind of document has a number"),
    "number_not_expected": ("无证件时不应有证件号码", "without a document there is no number"),
}

# ISO 7064 MOD 11-2 as GB 11643-1999 uses it: weight 2^(17-i) mod 11, check character by the remainder.
_WEIGHTS = tuple(2 ** (17 - i) % 11 for i in range(17))
_CHECK = "10X98765432"
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")
_OLD_PERMANENT = re.compile(r"[A-Z]{3}[0-9]{12}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_HK_MO_TW = ("810000", "820000", "830000")
_PHONE = re.compile(r"\+?[0-9]{5,20}")
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
_READINGS_KEPT = 64


class IdNumberFault(ValueError):  # noqa: N818 - named for the finding
    """Why a number is not one of its kind. It never holds the number."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A number in its one spelling, and what it says; None where its kind says nothing."""

    kind: IdKind
    number: str
    sex: Sex | None
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A photo whose bytes are stored, and of which a version can be made. `size` in bytes."""

    file: str
    media_type: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """Where a version of a photo is stored: `file` is an address of kernel/storage."""

    file: str
    media_type: str
    version: int


def parse_id_number(kind: IdKind, raw: str, today: date) -> IdNumber:
    """Read an identity number. Raises IdNumberFault, naming what is wrong.

    Resident cards (GB 11643), also with the old 15 digits; residence permits of 港澳台居民 (same make, areas 810000, 820000, 830000);
    foreigners' permanent residence cards of 2023 (18 digits, the first a 9, same check) and before (3 letters, 12 digits: no source for
    the meaning of its digits was at hand, so nothing is derived from them); passports, whose numbers say nothing.
    """
    number = normalise_id_number(raw)
    if kind == "passport":
        return _plain(kind, number, _PASSPORT)
    if kind == "foreign_permanent" and _OLD_PERMANENT.fullmatch(number):
        return IdNumber(kind, number, None, None)
    if kind == "resident" and _FIFTEEN.fullmatch(number):
        number = eighteen_of_fifteen(number)
    if not _EIGHTEEN.fullmatch(number):
        raise IdNumberFault("format")
    if _kind_of_eighteen(number) != kind:
        raise IdNumberFault("kind")
    if check_digit(number[:17]) != number[17]:
        raise IdNumberFault("check_digit")
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise IdNumberFault("birth_date_invalid") from error
    fault = birth_date_fault(birth, today)
    if fault:
        raise IdNumberFault(fault)
    return IdNumber(kind, number, "male" if int(number[16]) % 2 else "female", birth)


def _plain(kind: IdKind, number: str, form: re.Pattern[str]) -> IdNumber:
    if not form.fullmatch(number):
        raise IdNumberFault("format")
    return IdNumber(kind, number, None, None)


def _kind_of_eighteen(number: str) -> IdKind:
    if number[0] == "9":
        return "foreign_permanent"
    return "hk_mo_tw_resident" if number[:6] in _HK_MO_TW else "resident"


def normalise_id_number(raw: str) -> str:
    """Return a number without spaces and hyphens, in half-width capitals."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", raw)).upper()


def check_digit(body: str) -> str:
    """Return the check character of 17 digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def eighteen_of_fifteen(number: str) -> str:
    """Return the 18-digit form of an old number: those were given to people born from 1900 to 1999."""
    body = f"{number[:6]}19{number[6:]}"
    return body + check_digit(body)


def spellings_sought(raw: str) -> tuple[str, ...]:
    """Return the stored spellings that a typed number may stand for, whatever its kind."""
    number = normalise_id_number(raw)
    return (number, eighteen_of_fifteen(number)) if _FIFTEEN.fullmatch(number) else (number,)


def birth_date_fault(birth: date, today: date) -> Fault | None:
    """Say what is wrong with a birth date: in the future, or more than 130 years ago."""
    if birth > today:
        return "birth_date_in_future"
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return "age_over_130" if years > OLDEST else None


def normalise_phone(raw: str) -> str | None:
    """Return a phone number as digits, without the country code of China; None when it is none."""
    number = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", raw))
    number = re.sub(r"^(\+86|0086)(?=1[0-9]{10}$)", "", number)
    return number if _PHONE.fullmatch(number) else None


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


def _combined(name: str) -> list[tuple[str, ...]]:
    surname = 2 if name[:2] in _COMPOUND else 1
    characters = [c for c in name if not _UNSEEN.fullmatch(c)]
    usual = [*_usual("".join(characters[:surname])), *_usual("".join(characters[surname:]))]
    readings = [
        list(dict.fromkeys([*_spelled([first]), *_readings(c)])) for c, first in zip(characters, usual, strict=True)
    ]
    if prod(map(len, readings)) > _READINGS_KEPT:
        readings[surname:] = [_spelled([first]) for first in usual[surname:]]
    return list(islice(product(*readings), _READINGS_KEPT))


def _usual(text: str) -> list[str]:
    """Return the usual reading of each character, by the words they make where that can be told."""
    together = lazy_pinyin(text)
    return together if len(together) == len(text) else [lazy_pinyin(c)[0] for c in text]


def _readings(character: str) -> list[str]:
    return _spelled(chain.from_iterable(pinyin(character, style=Style.NORMAL, heteronym=True)))


def _spelled(syllables: Iterable[str]) -> list[str]:
    found: list[str] = []
    for syllable in map(str.casefold, syllables):
        found += (
            [syllable.replace("v", u) for u in ("v", "yu", "u")] if re.fullmatch(r"[nl]ve?", syllable) else [syllable]
        )
    return list(dict.fromkeys(found))
