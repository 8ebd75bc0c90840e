"""What numbers stand in words that nobody could read as one value: what of it is critical is not excluded by not being read. Pure."""

import re
from decimal import Decimal

from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import DASHES, ENTITIES, SAYINGS, Comparator, Value, plain

MOST_NUMBERS, LONGEST_TEXT = 40, 2_000
_SPOKEN_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_SPOKEN = re.compile(r"[〇零一二三四五六七八九]{1,6}点[〇零一二三四五六七八九]{1,6}")
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
    r"(?P<sign>[<>]=?|[≤≥])?\s?(?P<minus>-)?(?P<whole>\d{1,12}|(?=\.\d))(?:(?P<point>[.,·・。、٫])(?P<part>\d{1,12}))?(?:e(?P<power>[+-]?\d{1,2})(?!\d))?",
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
    text = _SPOKEN.sub(lambda said: said[0].replace("点", ".").translate(_SPOKEN_DIGITS), text)
    text = _NO_MEASUREMENT.sub(" _ ", _POINT.sub(".", text))
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
    if said["minus"] and not before.strip(_OPENING):
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
