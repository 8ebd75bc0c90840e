"""What card readers send for sex, nation and dates, brought to one form. Lenient in form, strict in meaning: no guess. Pure."""

import re
import unicodedata
from datetime import date

from tjapi.examinee.rules.documents import Sex

# GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 not stated.
_SEX: dict[str, Sex] = {
    "1": "male", "2": "female", "0": "unknown", "9": "unknown", "男": "male", "女": "female", "男性": "male", "女性": "female",
    "未知": "unknown", "未说明": "unknown", "m": "male", "f": "female", "male": "male", "female": "female", "unknown": "unknown",
}  # fmt: skip
# GB/T 3304: the place in the list is the code.
NATIONS = (
    "汉族", "蒙古族", "回族", "藏族", "维吾尔族", "苗族", "彝族", "壮族", "布依族", "朝鲜族", "满族", "侗族", "瑶族", "白族", "土家族",
    "哈尼族", "哈萨克族", "傣族", "黎族", "傈僳族", "佤族", "畲族", "高山族", "拉祜族", "水族", "东乡族", "纳西族", "景颇族",
    "柯尔克孜族", "土族", "达斡尔族", "仫佬族", "羌族", "布朗族", "撒拉族", "毛南族", "仡佬族", "锡伯族", "阿昌族", "普米族",
    "塔吉克族", "怒族", "乌孜别克族", "俄罗斯族", "鄂温克族", "德昂族", "保安族", "裕固族", "京族", "塔塔尔族", "独龙族", "鄂伦春族",
    "赫哲族", "门巴族", "珞巴族", "基诺族",
)  # fmt: skip
_FURTHER = {97: "其他", 98: "外国血统中国籍人士"}
_BY_NAME = {spelling: name for name in NATIONS for spelling in (name, name.removesuffix("族"))}
_CODE = re.compile(r"[0-9]{1,2}")
_DATE = re.compile(
    r"([0-9]{4})(?:([0-9]{2})([0-9]{2})|[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)"
)
_FOR_EVER = frozenset({"长期", "長期", "永久", "长期有效"})


def read_sex(raw: str) -> Sex | None:
    """Return the sex that a code or a word says; None when it says none."""
    return _SEX.get(_plain(raw).casefold())


def read_nation(raw: str) -> str | None:
    """Return a nation by its standard name; a name that is not in the standard (穿青人, USA) as it was read; None for a code of none."""
    text = _plain(raw)
    if _CODE.fullmatch(text):
        code = int(text)
        return NATIONS[code - 1] if 1 <= code <= len(NATIONS) else _FURTHER.get(code)
    return _BY_NAME.get(text, text) or None


def read_date(raw: str) -> date | None:
    """Return the date that 19900307, 1990-03-07, 1990.3.7, 1990/3/7 or 1990年3月7日 says; None when it says none that exists."""
    found = _DATE.fullmatch(_plain(raw))
    if found is None:
        return None
    year, *rest = [int(part) for part in found.groups() if part]
    try:
        return date(year, *rest)
    except ValueError:
        return None


def is_for_ever(raw: str) -> bool:
    """Say whether an expiry says that there is none: 长期."""
    return _plain(raw) in _FOR_EVER


def _plain(raw: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", raw))
