"""The figures of a text that results said once and that nothing says any more. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tjapi.knowledge.names import spoken_of
from tjapi.knowledge.rules import Known
from tjapi.knowledge.words import without_list_numbers

_FIGURE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.]*\d)")
_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_POINT = re.compile(
    r"(?<=\d)(?:\s?[·•‧・﹒点點]\s?|(?:\s\.\s?|\s?\.\s|[。｡])(?=\d{1,2}(?!\s*[项个条处次周月天日年岁.、)\d])))(?=\d)"
)
"""What is written for a decimal point: 7·8, 7。8, 7点8. A full stop that a count or the number of a line follows is one."""
_DIGITS = "零〇一二三四五六七八九"
_TWO = {ord("两"): "二"}
_SPELT = re.compile(
    rf"(?<![{_DIGITS}十百两])(?P<whole>[{_DIGITS}十百两]++)[点點](?P<part>[{_DIGITS}]+)|(?P<hundreds>[一二三四五六七八九两]百[{_DIGITS}十]*)"
)
_MIXED = re.compile(rf"(?<=\d)[点點]([{_DIGITS}]+)|(?<![{_DIGITS}十百两])([{_DIGITS}十百两]++)[点點](?=\d)")


def _plain(text: str) -> str:
    """Return a text with every figure in plain digits and with a plain point, as it is compared: ７．８, 7。8, 7·8 and 七点八 are 7.8."""
    plain = text.translate(_WIDTHS)
    if not plain.isascii():
        plain = _SPELT.sub(_spelt, plain)
        plain = _MIXED.sub(lambda found: f".{_digits(found[1])}" if found[1] else f"{_whole(found[2])}.", plain)
    return _POINT.sub(".", plain)


def _spelt(found: re.Match[str]) -> str:
    if found["hundreds"]:
        return str(_whole(found["hundreds"]))
    return f"{_whole(found['whole'])}.{_digits(found['part'])}"


def _digits(spelt: str) -> str:
    return "".join(str(max(_DIGITS.index(one) - 1, 0)) for one in spelt if one in _DIGITS)


def _whole(spelt: str) -> int:
    """Read a whole number in Chinese words: 十二, 一百七十五, 一百七 (170), 一二〇."""
    hundreds, mark, rest = spelt.translate(_TWO).rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    if mark and len(rest) == 1:
        ones += "" if ten else "零"  # 一百七 is 170
    number = int(_digits(hundreds) or 1) * 100 if mark else 0
    number += int(_digits(tens).strip("0") or 1) * 10 if ten else 0
    return number + int(_digits(ones) or 0)


_BOUND_AFTER = re.compile(
    r"(?:[–~～—≥≤<＜＞-]|(?<!-)>|超过|低于|高于|大于|小于|不足|参考(?:值|范围|区间)?|[上下]限)[:：为]?\s?$"
)
_BOUND_BEFORE = re.compile(r"\s?(?:[–~～—-]\s?\d|以[上下内])")
_IN_TIME = re.compile(r"\s?(?:个半?月|月|年|周|天|日|个?小时|分钟|岁)")
"""What a figure that counts time is followed by: 3 个月后复查."""
_MOST_BEFORE = 8
"""So many characters before a figure at most say that it is a bound: 参考范围为 90."""


def outdated_figures(text: str, was: Iterable[Known], now: Mapping[UUID | None, Known]) -> set[str]:
    """Return the figures of a text that results said when it was written and that nothing says now of which the text tells them.

    `was` are the values that it was written on, `now` the current ones by result. A figure is told of the items whose name stands last
    before it in its sentence: one of these must say it now, or have it as a bound and stand there as one. Where no name stands before it, any
    current number or bound will do. An old figure beside the new one of the same result (由 25.0 降至 5.0) tells of a change, and is none.
    """
    return _outdated(text, was, now, lambda *_: True)


def _outdated(
    text: str, was: Iterable[Known], now: Mapping[UUID | None, Known], means: Callable[[Known, AbstractSet[str]], bool]
) -> set[str]:
    """Return outdated figures; `means` says of a value and the items of which a text speaks whether the figure may be that value's."""
    text = _plain(without_list_numbers(text))
    told = {Decimal(one) for one in _FIGURE.findall(text)}
    changed = [old for old in was if old.numeric in told and not _still(old, now.get(old.result_id))]
    if not changed:
        return set()
    spoken = spoken_of(frozenset((known.item_name, known.item_code) for known in (*changed, *now.values())))
    says, bounds = _numbers_of(now.values())
    every, named = set[Decimal]().union(*says.values(), *bounds.values()), spoken.said_in(text)
    told_of: dict[Decimal, list[frozenset[str]]] = {}
    held: set[Decimal] = set()
    for start, end, owners in spoken.beside(text, _FIGURE):
        figure = Decimal(text[start:end])
        told_of.setdefault(figure, []).append(owners)
        if owners:
            stands = any(figure in says[name] for name in owners) or (
                any(figure in bounds[name] for name in owners) and _is_bound(text, start, end)
            )
        else:
            stands = figure in every
        if not stands and not _IN_TIME.match(text, end) and not _is_elsewhere(text, start, end):
            held.add(figure)

    def beside_new(new: Known | None) -> bool:
        """Say whether the new figure is told as well, of its own item or of none that says it itself: 收缩压/舒张压由 170/95 降至 118/76."""
        return (
            new is not None
            and new.numeric is not None
            and any(
                new.item_name in owners or not any(new.numeric in says[name] for name in owners)
                for owners in told_of.get(new.numeric, ())
            )
        )

    return {
        old.text
        for old in changed
        if old.numeric in held and means(old, named) and not beside_new(now.get(old.result_id))
    }


def _still(old: Known, current: Known | None) -> bool:
    return current is not None and current.same == old.same


def _numbers_of(values: Iterable[Known]) -> tuple[Mapping[str, set[Decimal]], Mapping[str, set[Decimal]]]:
    """Return what items say now, by their names: their numbers, or those in their descriptions; and their bounds."""
    says: defaultdict[str, set[Decimal]] = defaultdict(set)
    bounds: defaultdict[str, set[Decimal]] = defaultdict(set)
    for known in values:
        figures = _FIGURE.findall(_plain(known.text)) if known.numeric is None else ()
        says[known.item_name] |= {Decimal(one) for one in figures} if known.numeric is None else {known.numeric}
        bounds[known.item_name] |= {Decimal(b) for b in known.bounds if b is not None and _FIGURE.fullmatch(b)}
    return says, bounds


def _is_bound(text: str, start: int, end: int) -> bool:
    return bool(_BOUND_AFTER.search(text[max(start - _MOST_BEFORE, 0) : start]) or _BOUND_BEFORE.match(text, end))


_GOAL_BEFORE = re.compile(
    r"建议|目标|控制(?:在|于|到|至)|应(?:该|当)?(?:控制|低于|小于|维持|保持|在|<|≤)|若|如(?!下)|理想(?:血[压糖脂])?(?:值|水平)?[为是]|标准(?!化)|去年|前年|上次|前次|往年|上年|(?:19|20)\d\d年?[^\d]{0,6}$"
)
_GOAL_AFTER = re.compile(
    r"[A-Za-zμ/%℃²³0-9^*×·.–~～-]{0,24}\s?(?:以[下内]|之内|[^,，。;；\n]{0,4}(?:目标|标准|切点|界值)|(?:时|者)(?:请|应|需|可|建议)?|(?:即?可|者)[^,，。;；\n]{0,2}诊断)"
)


def _is_elsewhere(text: str, start: int, end: int) -> bool:
    """Say whether a figure is a goal, a bound of those who diagnose, or another year's: <140/90, 控制在2.6以下, 去年3.05."""
    before = _CLAUSE.split(text[max(start - _MOST_SAID_BEFORE, 0) : start])[-1]
    return bool(_GOAL_BEFORE.search(before) or _GOAL_AFTER.match(text, end))


_THREE_DIGITS = 100


def stray_figures(
    text: str, earlier: Iterable[Known], now: Mapping[UUID | None, Known], own: Collection[str] = ()
) -> set[str]:
    """Return the figures of a text that any earlier value of the exam said and no current one says, whatever the text is linked to.

    Only those that are unmistakably a result's: with a decimal part, of three digits, or where the item is named. `own` are texts whose
    figures are nobody's results: what the knowledge base advises (血压控制在 140/90 以下).
    """
    free = {Decimal(one) for words in own for one in _FIGURE.findall(_plain(words))}
    meant = [old for old in earlier if old.numeric is not None and old.numeric not in free]
    return _outdated(text, meant, now, lambda old, named: _is_precise(old) or old.item_name in named)


def _is_precise(known: Known) -> bool:
    number = known.numeric or Decimal()
    return abs(number) >= _THREE_DIGITS or number != number.to_integral_value()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was ever said of an exam's results, current values among it, and what the same items were in earlier exams."""

    exam: Sequence[Known]
    past: Sequence[Known] = ()


_NO_VALUE_AFTER = re.compile(
    r"\s?(?:%?\s?[–~～—-]\s?\d|\+|[(（]\s?(?:19|20)\d\d|(?:mg|片|粒|支|丸|袋|滴)(?![/a-z])|[A-Za-z/%0-9²]{0,8}为[^,，。;；\n]{0,6}(?:切点|界值|标准)|[级期类型度倍项个条种点]|次(?!\s?[/每]\s?(?:分|min))|[<>≤≥]|[A-Za-zμ/%℃²³0-9^*×·]{0,12}\s?(?:或|及)?(?:以[上下内]|之内|\(?(?:参考)?[上下]限|[左右]?[/每](?:日|天|次|周)))"
)
_NO_VALUE_BEFORE = re.compile(
    "建议|目标|控制|首次|初次|初测|外院|上月|月前|周前|入院|卧位|立位|理想|标准|年轻|应|宜|参考|标准|如|若|当|上次|去年|前年|既往|往年|前次|上年|曾|原|平时|自测|家庭|家测|运动|活动|发病|确诊|指尖|末梢|最高|最低|由|从|(?:19|20)\\d\\d|补|服|<|>|≤|≥"
)
_CLAUSE = re.compile(r"[,，。;；\n!?！？]")
_RISES_BY = re.compile(r"(?:[升增]高|降低|减低|下降)\s?约?\s?\d+(?:\.\d+)?\s?%")
_PULSE = re.compile("心率|脉搏")
"""What is counted at the wrist, at the heart and by the electrocardiogram: 心率74次/分 is told of any of them."""
_MOST_SAID_BEFORE = 24
"""So many characters before a name at most say that no value of today follows: 建议收缩压 130."""


def unsaid_figures(
    text: str, earlier: Earlier, now: Mapping[UUID | None, Known], own: Collection[str] = ()
) -> set[str]:
    """Return the figures that stand immediately beside an item's name (收缩压 119) and that are no value of it: neither now, nor a rounding, nor once.

    A bound that is written as one, what is advised, counted or told of another day is none. Only of items all of whose values are numbers.
    """
    text = _plain(without_list_numbers(text))
    if not _FIGURE.search(text):
        return set()
    spoken = spoken_of(frozenset((known.item_name, known.item_code) for known in now.values()))
    says, bounds = _numbers_of(now.values())
    worded = {known.item_name for known in now.values() if known.numeric is None}
    once: defaultdict[str, set[Decimal]] = defaultdict(set)
    for known in (*earlier.exam, *earlier.past):
        if known.numeric is not None:
            once[known.item_name].add(known.numeric)
    free = {Decimal(one) for words in own for one in _FIGURE.findall(_plain(words))}
    found: set[str] = set()
    pulses = {name for name in says if _PULSE.search(name)} - worded
    for start, end, at, owners in spoken.of_name(text, _FIGURE):
        figure = Decimal(text[start:end])
        if any(_PULSE.search(name) for name in owners):
            owners |= pulses  # noqa: PLW2901 - whoever counted it
        said = [figure, *_in_full(text, figure, end)]
        if (
            owners & worded
            or figure in free
            or any(_fits(one, says[name] | once[name]) for name in owners for one in said)
        ):
            continue
        before = _CLAUSE.split(text[max(at - _MOST_SAID_BEFORE, 0) : at])[-1]
        bound = any(figure in bounds[name] for name in owners) and _is_bound(text, start, end)
        counts = (
            _RISES_BY.search(text[max(start - _MOST_BEFORE, 0) : end + 2])
            or _NO_VALUE_AFTER.match(text, end)
            or _IN_TIME.match(text, end)
        )
        if not bound and not counts and not _NO_VALUE_BEFORE.search(before):
            found.add(text[start:end])
    return found


_POWER = re.compile(r"\s?(?:[×x*·]\s?10\s?\^?\s?(\d)|e\+?0?(\d))(?!\d)")


def _in_full(text: str, figure: Decimal, end: int) -> Iterable[Decimal]:
    """Yield what a figure with a power of ten behind it is in full: 2.5×10^3; in ×10^9/L it is the figure itself as well."""
    found = _POWER.match(text, end)
    if found is not None:
        yield figure.scaleb(int(found[1] or found[2]))


def _fits(figure: Decimal, values: Iterable[Decimal]) -> bool:
    """Say whether a figure is one of these values, or one of them rounded to as many places as it has."""
    exponent = figure.as_tuple().exponent
    half = Decimal(5).scaleb(exponent - 1) if isinstance(exponent, int) else Decimal(0)
    return any(abs(figure - value) <= half for value in values)
