"""What a person's words state that results do not: a condition beside values that deny it, what a description said once, a size, a category. Pure.

The words are read as descriptions are (`descriptions.read`), so that every synonym of the dictionary counts: 房颤 of 心房颤动. What is denied,
supposed, past, or somebody else's states nothing.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from uuid import UUID

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.denials import is_denied
from tjapi.knowledge.descriptions import Mention, read
from tjapi.knowledge.grades import PLAIN, SCHEMED, categories, is_of, reaction_of, scheme_of, schemed
from tjapi.knowledge.names import spoken_of
from tjapi.knowledge.rules import Known

_ELSEWHEN = re.compile(
    r"(?:如|若|当|凡|遇|既往|曾|(?<!抗)原(?![发因])|上次|上年|去年|往年|前次|平时|家族|父|母|兄|弟|姐|妹|祖|由|从|较|比|避免|防止|预防|警惕|谨防|注意|以防|以免|防|治|诊断|除外|排除|待排|可能|疑|考虑|否有|是否|无论|导致|引起|诱发|易|会)"
    r"[^,，。;；!！\n]*$"
)
_OF_OTHERS = re.compile(
    r"[^,，。;；\n]{0,3}(?:已?(?:恢复|好转|治愈)|不成立|病?史|家族|待排|不支持)"
    r"|\s?[?？]|\s?(?:时|者|患者|人群|的?人|筛查|风险|危险|倾向|术后|治疗后|服药|用药|原因|症状|饮食|可能|相关|即刻|立即|须|应|需|评估|多为|多见|表示|(?:及|或|和|至|到|[-~～])\s?(?:以[上下]|\d)|以[上下])"
)
"""What stands behind a word that states nothing: 贫血者, 甲亢病史."""
_MOST_BEFORE = 30


def _stated(said: str, start: int, end: int) -> bool:
    before = said[max(start - _MOST_BEFORE, 0) : start]
    return not (is_denied(said, start, end) or _ELSEWHEN.search(before) or _OF_OTHERS.match(said, end))


def _plain(text: str, free: Iterable[str] = ()) -> str:
    """Return a text in the simplified writing and small letters, without what the knowledge base says itself."""
    said = simplified(text).lower()
    for one in sorted({simplified(word).lower() for word in free if word}, key=len, reverse=True):
        said = said.replace(one, " " * len(one))
    return said


# --- conditions ---


@dataclass(frozen=True, slots=True)
class Condition:
    """A word of values, and what it says of them: `one_of` it, or `every` one. Each is an item's code and H, L, + or -."""

    names: tuple[str, ...]
    one_of: tuple[tuple[str, str], ...]
    every: tuple[tuple[str, str], ...]
    behind: tuple[str, ...]


@cache
def conditions() -> tuple[Condition, ...]:
    """Return the words that say something of values by themselves."""
    text = (resources.files("tjapi.knowledge") / "conditions.toml").read_text("utf-8")
    return tuple(
        Condition(
            tuple(one["names"].split()), _wanted(one.get("any", ())), _wanted(one.get("all", ())), tuple(one.get("behind", "").split())
        )
        for one in tomllib.loads(text)["conditions"]
    )  # fmt: skip


def _wanted(rows: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((code, wanted) for code, wanted in (row.rsplit(" ", 1) for row in rows))


def false_conditions(text: str, values: Collection[Known], free: Collection[str] = ()) -> set[str]:
    """Return the conditions that a text states and that values deny: 贫血 beside a normal haemoglobin, 大三阳 beside a negative e antigen.

    What a value says in its own words (甲亢 in a history) may be repeated. `free` are texts of the knowledge base, and names of findings that hold.
    """
    said = _plain(text, free)
    by_code: dict[str, list[Known]] = {}
    for known in values:
        by_code.setdefault(known.item_code, []).append(known)
    told = " ".join(_plain(known.text) for known in values if known.numeric is None)
    found = set()
    for condition in conditions():
        for name in condition.names:
            if (
                name in said
                and name not in told
                and any(_states(said, at, name, condition) for at in _places(said, name))
            ):
                if _denied_by(condition, by_code):
                    found.add(name)
                break
    return found


def _places(said: str, name: str) -> Iterable[int]:
    return (found.start() for found in re.finditer(re.escape(name), said))


def _states(said: str, at: int, name: str, condition: Condition) -> bool:
    return not said[:at].endswith(condition.behind or ("\0",)) and _stated(said, at, at + len(name))


def _denied_by(condition: Condition, by_code: Mapping[str, Collection[Known]]) -> bool:
    if condition.every:
        return any(_answer(by_code.get(code, ()), wanted) is False for code, wanted in condition.every)
    answers = [_answer(by_code[code], wanted) for code, wanted in condition.one_of if code in by_code]
    return bool(answers) and all(answer is False for answer in answers)


def _answer(values: Collection[Known], wanted: str) -> bool | None:
    """Say whether values are so; None where nobody measured, or nobody can say."""
    answers = {_is(known, wanted) for known in values if not known.unexamined}
    return True if True in answers else None if None in answers or not answers else False


_SIDES = {"H": ({"H", "HH"}, {"", "L", "LL"}), "L": ({"L", "LL"}, {"", "H", "HH"})}


def _is(known: Known, wanted: str) -> bool | None:
    if wanted in _SIDES:
        so, other = _SIDES[wanted]
        return True if known.flag in so else False if known.flag in other and not known.undetermined else None
    reaction = reaction_of(known.text)
    if reaction is None:
        # A quantity with its range: positive is what is above it.
        return (
            None
            if known.numeric is None or known.flag in (None, "A")
            else (known.flag in ("H", "HH")) == (wanted == "+")
        )
    return reaction.positive == (wanted == "+")


# --- what descriptions say ---


def _read(known: Known) -> Iterable[Mention]:
    for part in known.chosen or (known.text,):
        yield from read(part, known.item_code, known.item_name).mentions


def _worded(values: Iterable[Known]) -> list[Known]:
    return [known for known in values if known.numeric is None and not known.unexamined and len(known.text) > 1]


def false_readings(
    text: str, earlier: Iterable[Known], now: Mapping[UUID | None, Known], free: Collection[str] = ()
) -> set[str]:
    """Return what a text states of descriptions that none of them says.

    A finding of an earlier value alone (房颤 of a corrected 心房颤动), another size (8 mm of 5 mm), a category that nothing has (4a类).
    """
    said = _plain(text, free)
    stated = [one for one in read(said).mentions if one.assertion == "present"]
    found = _other_grades(said, [known for known in now.values() if known.numeric is None])
    if not stated:
        return found
    standing = [(one, known) for known in _worded(now.values()) for one in _read(known) if one.stands]
    olds = [old for old in _worded(earlier) if (new := now.get(old.result_id)) is None or new.same != old.same]
    gone = {one.concept for old in olds for one in _read(old) if one.stands} - {one.concept for one, _ in standing}
    for one in stated:
        at = said.find(one.words.lower())
        if at < 0 or not _stated(said, at, at + len(one.words)):
            continue
        if one.concept in gone:
            found.add(one.words)
        elif one.size_mm is not None and not one.compared and _is_other_size(one, standing):
            found.add(f"{one.size_mm:f}mm")
    return found


def _is_other_size(one: Mention, standing: Collection[tuple[Mention, Known]]) -> bool:
    """Say whether descriptions give a size to what is stated, each time, and never this one."""
    same = [(other, known) for other, known in standing if other.concept == one.concept]
    sizes = {other.size_mm for other, _ in same}
    if not sizes or None in sizes or one.size_mm is None or one.size_mm in sizes:
        return False
    if re.search(rf"{_normal(str(one.size_mm))}\s?(?:mm|毫米)\s?(?:及|或)?以[上下内]", one.said):
        return False
    shown = {f"{one.size_mm.normalize():f}", f"{(one.size_mm / 10).normalize():f}"}
    figures = {_normal(figure) for _, known in same for figure in re.findall(r"\d+(?:\.\d+)?", _plain(known.text))}
    return not shown & figures


def _normal(figure: str) -> str:
    return f"{Decimal(figure).normalize():f}"


def _other_grades(said: str, values: Collection[Known]) -> set[str]:
    """Return the categories of imaging of a text that no value has: of a scheme whose item says 无, or beside no item's name (左叶结节4a类)."""
    by_scheme: dict[str, set[str]] = {}
    for known in values:
        own = scheme_of(known.item_name)
        if own and not known.unexamined:
            by_scheme.setdefault(own, set())
        for scheme, one in categories(known.text, own):
            by_scheme.setdefault(scheme, set()).add(one)
    if not by_scheme:
        return set()
    every = {one for some in by_scheme.values() for one in some}
    named = spoken_of(frozenset((known.item_name, known.item_code) for known in values))
    found = {
        said[start:end]
        for start, end, owners in named.beside(said, PLAIN)
        if (plain := PLAIN.match(said, start)) is not None
        and not any(scheme_of(name) for name in owners)
        and not is_of(schemed(plain)[1], every)
        and _stated(said, start, end)
        and _OF_A_LESION.search(said[:start])
        and not _OR_ANOTHER.search(said[:start])
    }
    for match in SCHEMED.finditer(said):
        scheme, category = schemed(match)
        if (
            scheme in by_scheme
            and not is_of(category, by_scheme[scheme] | by_scheme.get("", set()))
            and _stated(said, *match.span())
        ):
            found.add(match[0])
    return found


_OF_A_LESION = re.compile(r"(?:结节|肿块|占位|病灶|包块|团块|囊肿|乳腺|甲状腺|肺|附件)[^。;；\n]*$")
_OR_ANOTHER = re.compile(r"\d\s?[a-cx]?\s?类?\s?(?:或|和|及|至|到|、|[-~～])\s?$")
"""What makes a category one of several that are spoken of in general: 4 类或 5 类."""
