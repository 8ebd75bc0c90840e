"""What numbers stand in words that nobody could read as one value: what of it is critical is not excluded by not being read. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import DASHES, ENTITIES, SAYINGS, Comparator, Value, plain

MOST_NUMBERS, LONGEST_TEXT = 40, 2_000
# Numbers in words: with a point anywhere, without one only where they stand alone (七, 约七十), since 一般 and 统一 are none.
_DIGITS_SPOKEN: Mapping[str, int] = {sign: n for n, signs in enumerate(
    ("〇零○", "一壹弌", "二贰貳两兩〢", "三叁參叄〣", "四肆〤", "五伍〥", "六陆陸〦", "七柒〧", "八捌〨", "九玖〩")
) for sign in signs} | {"〡": 1}  # fmt: skip
_TENS: Mapping[str, int] = {
    "十": 10,
    "拾": 10,
    "百": 100,
    "佰": 100,
    "千": 1_000,
    "仟": 1_000,
    "万": 10_000,
    "萬": 10_000,
}
_WORDS = "".join((*_DIGITS_SPOKEN, *_TENS))
_SPOKEN = re.compile(rf"([{_WORDS}]{{1,12}})\s?[点點.·・。、٫]\s?([{_WORDS}]{{1,12}})")
_ALONE = re.compile(
    rf"(?:(?<![\u3400-\u9fff〇-〩])|(?<=[约为是值达至到于过]))([{_WORDS}]{{1,12}})(?![\u3400-\u9fff〇-〩])"
)
_POWERS = re.compile("(?<=10)[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_ROMAN = re.compile(r"(?=[IVX]{2}|[VX])X{0,3}(?:IX|IV|V?I{0,3})")
_ROMAN_DIGITS: Mapping[str, int] = {"I": 1, "V": 5, "X": 10}
_SEPARATORS = str.maketrans(dict.fromkeys("'’‘‚ʼ˙•∙⋅․‧⸱٬﹒", "·"))
_POINT = re.compile(r"(?<=\d)点(?=\d)(?!\d{1,2}分)", re.ASCII)
_SAYINGS = (
    ("不超过", "<="), ("不大于", "<="), ("不高于", "<="), ("不低于", ">="), ("不小于", ">="), *SAYINGS, ("高于", ">"), ("超过", ">"), ("低于", "<"),
)  # fmt: skip
# Moments, counts, volumes, grades of a specimen, the figures of a unit, numbers of a phone or a tube: none of them is a measurement.
_NO_MEASUREMENT = re.compile(
    r"(?<!\d)\d{4} ?[-/.年] ?\d{1,2} ?[-/.月] ?\d{1,2}(?!\d)日?|(?<!\d)\d{1,2}月\d{1,2}[日号]|(?<![\d.])\d{1,2}:\d{2}(?::\d{2})?(?!\d)"
    r"|(?<!\d)\d{1,2}[点时]\d{1,2}分|[x×*]? ?(?<![\d.])10(?:\^|\*{1,2}|e)-?\d{1,2} ?(?=/)|/ ?\d(?:\.\d{1,2})? ?m[2²^]|(?:溶血|脂血|黄疸|乳糜):? ?\+?\d\+?"
    r"|第? ?(?<![\d.])\d{1,3} ?(?:次|倍|遍|管|号|天|日|岁|小时|分钟|秒|级|min|hours?|times?|ml|[uµμ]l\b)|(?<!\d)\d{8,}+(?!\.\d)",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(
    r"(?P<sign>[<>]=?|[≤≥])?\s?(?P<minus>-)?(?P<whole>\d{1,12}|(?=\.\d))(?:(?P<point>[.,·・。、٫])(?P<part>\d{1,12}))?(?:e(?P<power>[+-]?\d{1,2})(?!\d))?(?P<behind>-(?=\s*$))?",
    re.IGNORECASE | re.ASCII,
)
_COMPARATORS: dict[str, Comparator] = {"": "", "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
_THOUSANDS = 3
_MOST_POWER = 12
_OPENING = "<>=≤≥ ([:"


def numbers_in(raw: str) -> list[Value]:
    """Return every number that a text may mean, each once, at most so many: both ends of a range, and each possible reading of one.

    A decimal comma and a middle dot are points, and what may be a separator of thousands is read as that too. A minus between two numbers
    joins them; at the beginning it may be one, or a dash.
    """
    text = plain(raw[:LONGEST_TEXT]).translate(DASHES)
    for entity, sign in ENTITIES.items():
        text = text.replace(entity, sign)
    text = _NO_MEASUREMENT.sub(" _ ", _POINT.sub(".", _in_figures(text)))
    for saying, sign in _SAYINGS:
        text = text.replace(saying, sign)
    found: dict[str, Value] = {}
    for said in _NUMBER.finditer(text):
        for number in _readings(said, before=text[: said.start("whole")].rstrip(" -")):
            sign = _COMPARATORS[said["sign"] or ""]
            spelled = f"{sign}{number:f}"
            found.setdefault(spelled, Value(spelled, spelled, sign, number))
        if len(found) >= MOST_NUMBERS:
            break
    return list(found.values())


def _in_figures(text: str) -> str:
    """Return a text whose numbers stand in plain figures, whatever script they were written in: ٧٫٢, ७.२, 七点二, ⑦, Ⅶ, 7½."""
    text = _POWERS.sub(lambda power: "^" + "".join(map(_figure, power[0])), text)
    text = "".join(map(_figure, text)).translate(_SEPARATORS)
    text = _SPOKEN.sub(lambda said: f"{_spoken(said[1])}.{_spoken(said[2])}", text)
    text = _ALONE.sub(lambda said: _spoken(said[1]), text)
    if _ROMAN.fullmatch(roman := text.strip().upper()):
        digits = [_ROMAN_DIGITS[sign] for sign in roman]
        return str(sum(-n if n < max(digits[i:]) else n for i, n in enumerate(digits)))
    return text


def _figure(sign: str) -> str:
    # Chinese words are read as words: 什 is a ten by its name, and none in 什么.
    if sign.isascii() or "〡" <= sign <= "〩" or "\u3400" <= sign <= "\u9fff" or not sign.isnumeric():
        return "-" if sign == "⁻" else sign
    digit, number = unicodedata.digit(sign, None), unicodedata.numeric(sign)
    if digit is not None or number == int(number):
        return f" {int(number)} " if digit is None else str(digit)
    return f"{number:.3f}".lstrip("0").rstrip("0")


def _spoken(words: str) -> str:
    """Return a number in words: 七 7, 七十二 72, 一百零五 105, 二〇 20."""
    if not any(sign in _TENS for sign in words):
        return "".join(str(_DIGITS_SPOKEN[sign]) for sign in words)
    whole, part, digit = 0, 0, -1
    for sign in words:
        if sign in _DIGITS_SPOKEN:
            digit = _DIGITS_SPOKEN[sign]
            continue
        unit = _TENS[sign]
        if unit == _TENS["万"]:
            whole, part = ((whole + part + max(digit, 0)) or 1) * unit, 0
        else:
            part += (1 if digit <= 0 else digit) * unit
        digit = -1
    return str(whole + part + max(digit, 0))


def _readings(said: re.Match[str], *, before: str) -> list[Decimal]:
    whole, point, part = said["whole"] or "0", said["point"], said["part"] or ""
    numbers = [Decimal(f"{whole}.{part}") if part else Decimal(whole)]
    if point not in (None, ".") and len(part) == _THOUSANDS:
        numbers.append(Decimal(whole + part))
    if point == "、":
        numbers += [Decimal(whole), Decimal(part)]
    power = int(said["power"] or 0)
    if 0 < abs(power) <= _MOST_POWER:
        numbers += [number.scaleb(power) for number in numbers]
    # A sign before it, or behind it as some systems write it (4.1-): it may be one.
    if (said["minus"] and not before.strip(_OPENING)) or said["behind"]:
        numbers += [-number for number in numbers]
    return numbers


def may_be_critical(value: Value, normal: Range | None) -> bool:
    """Say whether anything that a number with a comparator allows is critical by a range: of ">5" it is what lies above."""
    if normal is None or value.numeric is None or not value.comparator:
        return False
    low, high = normal.critical_low, normal.critical_high
    if value.comparator in (">", ">="):
        return high is not None or (low is not None and value.numeric <= low)
    return low is not None or (high is not None and value.numeric >= high)
