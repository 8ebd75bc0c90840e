"""A condition in words, as whoever signs it reads it: 空腹血糖 ≥ 7.0 mmol/L，且 糖化血红蛋白 ≥ 6.5 %. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tjapi.knowledge.lexicon import dictionary
from tjapi.knowledge.rules import EVERY_ITEM, Condition
from tjapi.knowledge.words import printed_unit

Names = Mapping[str, str]
"""The names of items by their codes; an item without a name is called by its code."""

_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_FLAGS = {"H": "偏高", "L": "偏低", "HH": "危急偏高", "LL": "危急偏低", "A": "异常", "N": "正常"}
_CHANGES = {
    "ratio_ge": "达上次的 {} 倍及以上",
    "ratio_le": "为上次的 {} 倍及以下",
    "by_ge": "较上次增加 {} 及以上",
    "by_le": "较上次减少 {} 及以上",
}
_ASSERTED = {
    "present": "有", "possible": "可能", "absent": "无", "historical": "既往", "family": "家族史", "postoperative": "术后",
}  # fmt: skip
_SEXES = {"male": "男性", "female": "女性"}


def in_words(condition: Condition, names: Names) -> str:
    """Return what a condition asks, in Chinese. Raises KeyError for a condition that `rules.check` refuses."""
    ((name, given),) = condition.items()
    return _PHRASES[name](given, names)


def _all(given: Sequence[Condition], names: Names) -> str:
    return "，且 ".join(_inner(one, names) for one in given)


def _any(given: Sequence[Condition], names: Names) -> str:
    return "，或 ".join(_inner(one, names) for one in given)


def _inner(condition: Condition, names: Names) -> str:
    """Return a condition within another: in brackets where it has several parts, so that 且 and 或 cannot be misread."""
    ((name, given),) = condition.items()
    said = in_words(condition, names)
    return f"（{said}）" if name in ("all", "any") and len(given) > 1 else said


def _at_least(given: Mapping[str, Any], names: Names) -> str:
    return f"以下至少 {given['times']} 项：" + "；".join(_inner(one, names) for one in given["of"])


def _not(given: Condition, names: Names) -> str:
    return f"并非（{in_words(given, names)}）"


def _flag(given: Mapping[str, Any], names: Names) -> str:
    return f"{_item(given, names)} {'或'.join(_FLAGS.get(flag, flag) for flag in given['in'])}"


def _value(given: Mapping[str, Any], names: Names) -> str:
    return f"{_item(given, names)} {_bounds(given)}"


def _is(given: Mapping[str, Any], names: Names) -> str:
    return f"{_item(given, names)} 为“{'”或“'.join(given['in'])}”"


def _text(given: Mapping[str, Any], names: Names) -> str:
    unless = f"（“{'”“'.join(given['unless'])}”除外）" if given.get("unless") else ""
    return f"{_item(given, names)} 的描述中有“{'”或“'.join(given['contains'])}”{unless}"


def _concept(given: Mapping[str, Any], names: Names) -> str:
    every = "任何项目的描述" if given.get("described") else "任何项目的文字"
    where = every if given["item"] == EVERY_ITEM else _item(given, names)
    known = dictionary()
    held = {**known.lesions, **known.concepts}
    what = (
        "任何须立即由人看的所见"
        if given.get("grave")
        else "“" + "”或“".join(held[code].name for code in given["in"]) + "”"
    )
    stands = "、".join(_ASSERTED[one] for one in given.get("assertion", ("present", "possible")))
    sizes = [f"{sign} {given[name]} mm" for name, sign in (("size_ge", "≥"), ("size_lt", "<")) if name in given]
    grades = [f"分级为 {'或 '.join(given['grade'])}"] if given.get("grade") else []
    return "，".join([f"{where} 述及{what}（{stands}）", *sizes, *grades])


def _alarm(given: Mapping[str, Any], names: Names) -> str:
    del given, names
    return "任何项目，检验科自己标为危急"


def _change(given: Mapping[str, Any], names: Names) -> str:
    return f"{_item(given, names)} " + "，".join(
        said.format(given[change]) for change, said in _CHANGES.items() if change in given
    )


def _repeated(given: Mapping[str, Any], names: Names) -> str:
    return f"{_item(given, names)} {_bounds(given)}，本次至少 {given['times']} 次"


def _first(given: Mapping[str, Any], names: Names) -> str:
    return f"{_item(given, names)} {_bounds(given)}，且历次未曾如此"


def _person(given: Mapping[str, Any], names: Names) -> str:
    del names
    low, high = given.get("age_from"), given.get("age_to")
    ages = (
        f"{low}–{high} 岁"
        if low is not None and high is not None
        else f"{low} 岁及以上"
        if low is not None
        else f"{high} 岁及以下"
        if high is not None
        else ""
    )
    first, last = given.get("days_from"), given.get("days_to")
    days = (
        f"出生 {first}–{last} 天"
        if first is not None and last is not None
        else f"出生 {first} 天及以上"
        if first is not None
        else f"出生 {last} 天及以内"
        if last is not None
        else ""
    )
    state = "" if "pregnant" not in given else "孕期" if given["pregnant"] else "非孕期"
    return "、".join(part for part in (_SEXES.get(given.get("sex", "")), ages, days, state) if part)


def _sum(given: Mapping[str, Any], names: Names) -> str:
    parts = [(names.get(code, code), int(factor)) for code, factor in given["of"].items()]
    said = "".join(f"{' − ' if n < 0 else ' + '}{'' if abs(n) == 1 else f'{abs(n)} × '}{name}" for name, n in parts)
    return f"{said.removeprefix(' + ').strip()} {_bounds(given)}"


def _product(given: Mapping[str, Any], names: Names) -> str:
    parts = [(names.get(code, code), int(power)) for code, power in given["of"].items()]
    said = "".join(
        f"{' ÷ ' if n < 0 else ' × '}{name}{'' if abs(n) == 1 else f' 的 {abs(n)} 次方'}" for name, n in parts
    )
    return f"{said.removeprefix(' × ').strip()} {_bounds(given)}"


def _item(given: Mapping[str, Any], names: Names) -> str:
    return names.get(given["item"], given["item"])


def _bounds(given: Mapping[str, Any]) -> str:
    unit = printed_unit(given.get("unit") or "")
    said = "，".join(f"{sign} {given[name]}" for name, sign in _BOUNDS.items() if name in given)
    return f"{said} {unit}".strip()


_PHRASES: Mapping[str, Callable[[Any, Names], str]] = {
    "all": _all,
    "any": _any,
    "at_least": _at_least,
    "not": _not,
    "flag": _flag,
    "value": _value,
    "is": _is,
    "text": _text,
    "concept": _concept,
    "alarm": _alarm,
    "change": _change,
    "repeated": _repeated,
    "first": _first,
    "person": _person,
    "sum": _sum,
    "product": _product,
}
