"""How large what a sentence speaks of is: which size is whose. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tjapi.knowledge.lexicon import Dictionary, Figure
from tjapi.knowledge.tokens import MEASURED, Made, Token

_PER_UNIT: Mapping[str, Mapping[str, Decimal]] = {
    "mm": {"mm": Decimal(1), "毫米": Decimal(1), "cm": Decimal(10), "厘米": Decimal(10), "公分": Decimal(10)},
    "cm²": {
        "cm²": Decimal(1),
        "cm2": Decimal(1),
        "平方厘米": Decimal(1),
        "mm²": Decimal("0.01"),
        "mm2": Decimal("0.01"),
    },
    "m/s": {"m/s": Decimal(1), "cm/s": Decimal("0.01")},
    "ml": {"ml": Decimal(1), "毫升": Decimal(1)},
    "mmhg": {"mmhg": Decimal(1), "毫米汞柱": Decimal(1), "kpa": Decimal("7.5")},
    "%": {"%": Decimal(1)},
}
"""What a unit is in the one of its kind in which bounds are written."""
_LENGTH = "mm|cm|毫米|厘米|公分"
_SIZE = re.compile(
    rf"(\d+(?:\.\d+)?)(?:\s?(?:{_LENGTH})?\s?[x*]\s?(\d+(?:\.\d+)?))?(?:\s?(?:{_LENGTH})?\s?[x*]\s?(\d+(?:\.\d+)?))?\s?({_LENGTH})(?![/h²2])"
)
_NOT_THE_SIZE = re.compile(
    r"(?:距|距离|内径|内膜厚|管径|宽|深|肋下|肋缘下|剑下|间距|向[上下]|进镜|插入|间隔|层厚)[^,]{0,8}$"
)


_OF_BEFORE = re.compile(
    r"(?:(?<!经)(?<!自)由|从|原(?:来|先|有)?|较?(?:前次|上次|前片|旧片|老片|去年|前年|往年|既往|此前|之前|以前|前|上回)(?:检查|片|超声|ct|\([^)]*)?|较?\d+(?:年|月|个月)前?|\d{4}年[^,]{0,6})"
    r"(?:的|时|测|测得|大小|约|为|是|:|\(|\[|最大|直径|径)*$"
)
_OF_THEN = re.compile(
    r"^\s?\)?(?:[^,]{0,3}(?:增大|长大|增长|增加|生长|缩小|减小|变为|变成|增至|缩至|减至|长至)(?:至|到|为|成)?\s?(?:约|到|至)?\s?\d|[→>])"
)
"""Around a size that was, and is no more: 由5mm增大至16mm, 较前(12mm)缩小."""


def _now(plain: str, found: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """Return the sizes that are now; all of them where each seems to be one that was: rather an old size than none."""
    now = [
        one
        for one in found
        if not (_OF_BEFORE.search(plain[max(one.start() - 20, 0) : one.start()]) or _OF_THEN.search(plain[one.end() :]))
    ]
    return now or list(found)


def sizes_in(plain: str) -> list[tuple[int, Decimal]]:
    """Return the sizes in a sentence in millimetres, each with where it stands; what is a distance or a width is none."""
    found = []
    for one in _now(plain, list(_SIZE.finditer(plain))):
        if _NOT_THE_SIZE.search(plain[max(one.start() - 12, 0) : one.start()]):
            continue
        largest = max(Decimal(number) for number in one.groups()[:3] if number)
        found.append((one.start(), largest * _PER_UNIT["mm"][one[4]]))
    return found


_OF_CHANGE = frozenset(("ENLARGED", "ATROPHY", "DYSFUNCTION"))
"""Mere words of change have no size where something is named that changes: 结节由5mm增大至16mm."""


def give_sizes(found: Sequence[Made], sizes: Iterable[tuple[int, Decimal]]) -> None:
    """Give mentions their sizes: a size is of what stands last before it, or first behind it; the largest counts."""
    standing = [one for one in found if one.mention.stands]
    for at, size in sizes:
        before = [one for one in standing if one.at < at]
        before = [one for one in before if one.mention.concept not in _OF_CHANGE] or before
        of = before[-1] if before else next((one for one in standing if one.at > at), None)
        if of is not None:
            of.mention = replace(of.mention, size_mm=max(size, of.mention.size_mm or size))


# --- figures beside words ---

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNIT = re.compile(r"[^\d.\s<>±+\-约x*/:][^\s]*$")
_FAR = 8
"""So many tokens behind a word at most stands its figure: 最宽处内径约5.8cm."""
_OF_TIME = ("年", "月", "周", "天", "岁", "级", "度", "期", "位")
_FROM = frozenset(("由", "从"))
_ANOTHER = frozenset(
    ("长", "长度", "长约", "长径", "距", "距离", "斜径", "流速", "血流速度", "面积", "容积", "体积", "压差")
)
"""What is measured of something is not its width: 胆总管显示长度4cm."""
_BETWEEN = frozenset(("DILATED", "ENLARGED", "THICKENED", "ANEURYSM", "EFFUSION", "DYSFUNCTION", "HYDROPS"))
"""Words of harm that a figure tells the degree of: 扩张达55mm."""


@dataclass(frozen=True, slots=True)
class Figured:
    """A figure of a sentence that says something: which, how much in its unit, its words, and whether it asks for a person at once."""

    figure: Figure
    number: Decimal
    words: str
    site: str
    grave: bool
    at: int = 0


def figured(book: Dictionary, tokens: Sequence[Token], site: str, plain: str, text: str) -> Iterator[Figured]:
    """Yield what the figures of a sentence say that is not usual, or is told whatever it is; `site`: of what was spoken before, `text`: all that is said."""
    for i, token in enumerate(tokens):
        site = token.site if token.site and token.site not in book.vague else site
        figures = [one for one in book.figures.get(token.word, ()) if _is_spoken_of(one, site, plain, text)]
        measured = _figure_of(book, tokens, i) if figures else None
        if measured is None:
            continue
        words = f"{token.word}{measured.word}"
        beside = measured.word + "".join(one.word for one in tokens[i + 1 : i + 6])
        for one in figures:
            number = None if any(unit in beside for unit in one.elsewhere) else _number(one, measured.word)
            if number is None:
                continue
            grave = one.is_grave(number)
            if grave or one.told or not one.is_usual(number):
                yield Figured(one, number, words, token.site or site, grave, token.at)


def _is_spoken_of(one: Figure, site: str, plain: str, text: str) -> bool:
    if one.sites and site not in one.sites:
        return False
    return not any(word in plain for word in one.unless) and all(_any_said(group, text) for group in one.beside)


def _any_said(words: Sequence[str], text: str) -> bool:
    return any(re.search(rf"(?<![未无非])(?<!没有)(?<!否认){re.escape(word)}(?!前)", text) for word in words)


def _figure_of(book: Dictionary, tokens: Sequence[Token], at: int) -> Token | None:
    """Return the figure of the word at a place: the next one, unless something else is named before it; of 由30%升至50% the second."""
    was = False
    for i, one in enumerate(tokens[at + 1 : at + 1 + _FAR], at + 1):
        if one.roles is MEASURED:
            if not was and not (tokens[i - 1].word in _FROM and i > at + 1):
                return one
            was = False
        elif (
            one.word in _ANOTHER
            or one.site
            or one.concept
            or (one.lesion and one.lesion not in _BETWEEN)
            or (one.word != tokens[at].word and any(not figure.sites for figure in book.figures.get(one.word, ())))
        ):
            return None
    return None


def _number(one: Figure, measured: str) -> Decimal | None:
    """Return the number of a figure in the unit of its bounds; None where it is of something else, or there are not as many numbers."""
    numbers = [Decimal(number) for number in _NUMBER.findall(measured)]
    if len(numbers) < one.of:
        return None
    number = max(numbers) if one.unit == "mm" else numbers[one.of - 1]
    unit = found[0] if (found := _UNIT.search(measured)) is not None else ""
    if unit.endswith(_OF_TIME):
        return None
    if not one.unit or not unit:
        return number * 100 if one.unit == "%" and number <= 1 else number
    per = _PER_UNIT[one.unit].get(unit)
    return number * per if per is not None else None
