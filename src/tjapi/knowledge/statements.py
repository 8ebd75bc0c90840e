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
from tjapi.knowledge.denials import OTHERS, is_denied
from tjapi.knowledge.descriptions import Mention, read
from tjapi.knowledge.grades import PLAIN, SCHEMED, categories, is_of, reaction_of, scheme_of, schemed, spoken_categories
from tjapi.knowledge.names import spoken_of
from tjapi.knowledge.rules import Known

_ELSEWHEN = re.compile(
    rf"(?:{OTHERS}|如|若|当|凡|遇|既往|曾|(?<!抗)原(?![发因])|上次|上年|去年|往年|前次|平时|由|从|较|比|避免|防止|预防|警惕|谨防|注意|以防|以免|可(?!见)|转为|防|治|诊断|除外|排除|待排|可能|疑|考虑|否有|是否|无论|导致|引起|诱发|易|会)"
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
    """A word of values, and what it says of them: `one_of` it, or `every` one. Each is an item's code and H, L, +, - or *.

    `behind` and `ahead` are words beside a name that make it part of another.
    """

    names: tuple[str, ...]
    one_of: tuple[tuple[str, str], ...]
    every: tuple[tuple[str, str], ...]
    behind: tuple[str, ...]
    ahead: tuple[str, ...]


@cache
def conditions() -> tuple[Condition, ...]:
    """Return the words that say something of values by themselves."""
    text = (resources.files("tjapi.knowledge") / "conditions.toml").read_text("utf-8")
    return tuple(
        Condition(
            tuple(one["names"].split()), _wanted(one.get("any", ())), _wanted(one.get("all", ())), tuple(one.get("behind", "").split()),
            tuple(one.get("ahead", "").split()),
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


_NONE_OF = re.compile(r"(?:未见|未发现|未提示|无|没有|(?<![不未])(?<![不未]能)(?:排除|除外))(?:明显|明确)?$")


def false_denials(text: str, values: Collection[Known], free: Collection[str] = ()) -> set[str]:
    """Return the conditions that a text denies and that values state: 无贫血 beside a haemoglobin of 88."""
    said = _plain(text, free)
    by_code: dict[str, list[Known]] = {}
    for known in values:
        by_code.setdefault(known.item_code, []).append(known)
    return {
        name
        for condition in conditions()
        for name in condition.names
        if name in said
        and _holds(condition, by_code)
        and any(_is_it(said, at, name, condition) and _is_none_of(said[:at]) for at in _places(said, name))
    }


def _is_none_of(before: str) -> bool:
    """Say whether words deny what follows them, today and of this person."""
    cue = _NONE_OF.search(before)
    return cue is not None and _ELSEWHEN.search(before[max(cue.start() - _MOST_BEFORE, 0) : cue.start()]) is None


def _holds(condition: Condition, by_code: Mapping[str, Collection[Known]]) -> bool:
    if condition.every:
        return all(_answer(by_code.get(code, ()), wanted) is True for code, wanted in condition.every)
    first = condition.one_of[0]
    return _answer(by_code.get(first[0], ()), first[1]) is True


def _places(said: str, name: str) -> Iterable[int]:
    return (found.start() for found in re.finditer(re.escape(name), said))


def _states(said: str, at: int, name: str, condition: Condition) -> bool:
    return _is_it(said, at, name, condition) and _stated(said, at, at + len(name))


def _is_it(said: str, at: int, name: str, condition: Condition) -> bool:
    """Say whether a name at a place is the condition's, and no part of another word: 血尿 of 血尿酸."""
    behind, ahead = condition.behind or ("\0",), condition.ahead or ("\0",)
    return not said[:at].endswith(behind) and not said.startswith(ahead, at + len(name))


def _denied_by(condition: Condition, by_code: Mapping[str, Collection[Known]]) -> bool:
    if condition.every:
        return any(_answer(by_code.get(code, ()), wanted) is False for code, wanted in condition.every)
    answers = [_answer(by_code[code], wanted) for code, wanted in condition.one_of if code in by_code]
    return bool(answers) and all(answer is False for answer in answers)


def _answer(values: Collection[Known], wanted: str) -> bool | None:
    """Say whether values are so; None where nobody measured, or nobody can say."""
    answers = {_is(known, wanted) for known in values if not known.unexamined}
    return True if True in answers else None if None in answers or not answers else False


_SIDES = {
    "H": ({"H", "HH"}, {"", "L", "LL"}),
    "L": ({"L", "LL"}, {"", "H", "HH"}),
    "*": ({"H", "HH", "L", "LL", "A"}, {""}),
}


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


# --- what may be chosen ---

_ONLY_TOLD = re.compile(r"SYMPTOM|HISTORY|HABIT.*|TCM-.*|MENOPAUSE|SEXUAL-HIST")
"""Items of which a person may know more than was chosen: a history, a complaint, a constitution."""
_ORDINARY = re.compile(
    r"[有无是否好差佳\d一二三四五六ⅰ-ⅵⅠ-Ⅵ+±（）()%–-]+|其他|正常|异常|良好|不良|中等|阳性|阴性|弱阳性|未见|查见|可疑|通过|减弱|亢进|增大|肥大|减退|压痛|增厚|息肉|"
    r"轻度|中度|重度|.*(?:未见|未触及|未及).*|[ⅠⅡⅢⅣ]度.*|.{1,3}色|硬|软|成形|稀|水样|光滑|居中|对称|溃疡|白斑|通畅|清晰|微混|混浊"
)
"""What is chosen of many items, or said of many things."""


def false_choices(text: str, values: Collection[Known], free: Collection[str] = ()) -> set[str]:
    """Return what a text states that could have been chosen of an item and was not: HSIL beside NILM, B型 beside A型, 色盲 beside 正常."""
    said = _USUAL.sub(lambda usual: " " * len(usual[0]), _plain(text, free))
    told = " ".join(_plain(known.text) for known in values if known.numeric is None)
    found = set()
    for known in values:
        if not known.choices or known.unexamined or _ONLY_TOLD.fullmatch(known.item_code):
            continue
        for choice in known.choices:
            word = _plain(choice)
            own = len(word) > 1 and word not in told and _ORDINARY.fullmatch(choice) is None
            if own and any(_stands(said, at, word) and _stated(said, at, at + len(word)) for at in _places(said, word)):
                found.add(choice)
    return found


_USUAL = re.compile(r"(?:参考|正常)(?:值|范围|区间)[为是:：]?[^,，。;；\n]*")
_ENDS = re.compile(r"\s*(?:$|[,，。;；:：)）(（!！\n])")
_OPEN = re.compile(r"(?:或|到|达|至|要|须|需|成|为|多|防|变)$")


def _stands(said: str, at: int, word: str) -> bool:
    """Say whether a word at a place is said by itself: no part of another (SIL of HSIL), the end of its clause, one of no alternatives."""
    if _OPEN.search(said[:at]) or not _ENDS.match(said, at + len(word)):
        return False
    before, behind = said[at - 1 : at] if at else "", said[at + len(word) : at + len(word) + 1]
    return not (
        (word[0].isascii() and word[0].isalnum() and before.isascii() and before.isalnum())
        or (word[-1].isascii() and word[-1].isalnum() and behind.isascii() and behind.isalnum())
    )


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
        elif _is_other_side(one, standing):
            found.add(one.words)
    return found | _denied(said, standing) | _other_rhythm(stated, said, now.values())


_SIDE_BEFORE = re.compile(r"[左右双两](?=[^左右双两,，。;；]*$)")


def _side_of(one: Mention) -> str:
    """Return the side that stands last before what is named, in its clause; empty where none does."""
    said = _plain(one.said)
    at = said.find(_plain(one.words))
    clause = re.split(r"[,，。;；]", said[: max(at, 0) + len(one.words)])[-1]
    found = _SIDE_BEFORE.search(clause)
    return {"两": "双"}.get(found[0], found[0]) if found is not None else ""


def _is_other_side(one: Mention, standing: Collection[tuple[Mention, Known]]) -> bool:
    """Say whether what is stated of one side is described on the other alone."""
    side = _side_of(one)
    sides = {_side_of(other) for other, _ in standing if other.concept == one.concept}
    return side in ("左", "右") and bool(sides) and sides == {"左" if side == "右" else "右"}


_NOT_SEEN = re.compile(r"(?:未见|未发现|未提示|未显示|无|没有)[^,，。;；]*$")
_REMAINDER = re.compile(r"余|其他|其它|新发|新增|活动性|明显增")


def _denied(said: str, standing: Collection[tuple[Mention, Known]]) -> set[str]:
    """Return what a text denies and a description states: 颈动脉未见斑块 beside a plaque."""
    there = {one.concept for one, _ in standing if one.assertion == "present" and one.known}
    return {
        one.words
        for one in read(said).mentions
        if one.assertion == "absent"
        and one.known
        and one.concept in there
        and not _REMAINDER.search(one.said)
        and _NOT_SEEN.search(_plain(one.said).split(_plain(one.words))[0])
    }


_NEAR = 12
"""So many characters before a finding at most say that it is the electrocardiogram's."""


def _other_rhythm(stated: Collection[Mention], said: str, values: Iterable[Known]) -> set[str]:
    """Return what a text states of the electrocardiogram that its coded diagnosis does not say."""
    coded = [known for known in values if known.item_code == "ECG" and known.chosen and not known.unexamined]
    if not coded:
        return set()
    held = {one.concept for known in coded for one in _read(known)}
    words = "".join(_plain(known.text) for known in coded)
    return {
        one.words
        for one in stated
        if "心电" in _plain(one.said).split(_plain(one.words))[0][-_NEAR:]
        and one.concept not in held
        and _plain(one.words) not in words
        and (at := said.find(one.words.lower())) >= 0
        and _stated(said, at, at + len(one.words))
    }


def _is_other_size(one: Mention, standing: Collection[tuple[Mention, Known]]) -> bool:
    """Say whether descriptions give a size to what is stated, each time, and never this one."""
    same = [(other, known) for other, known in standing if other.concept == one.concept]
    sizes = {other.size_mm for other, _ in same} or {None}
    told = one.size_mm
    if not same or told is None or told in sizes:
        return False
    if None in sizes and not all(_MEASURED.search(_plain(known.text)) for _, known in same):
        return False
    figures = {_normal(str(told)), _normal(str(told / 10))}
    figure = f"(?:{'|'.join(map(re.escape, figures))})"
    if re.search(rf"{figure}\s?(?:mm|cm|毫米|厘米)\s?(?:及|或)?以[上下内]", one.said) or re.search(
        rf"(?:[<>≤≥＜＞‹›]|小于|大于|超过|不足|低于|达到|至少)\s?{figure}", one.said
    ):
        return False
    said = {_normal(one) for _, known in same for one in re.findall(r"\d+(?:\.\d+)?", _plain(known.text))}
    return not figures & said


_MEASURED = re.compile(r"\d\s?(?:mm|cm|毫米|厘米)")


def _normal(figure: str) -> str:
    return f"{Decimal(figure).normalize():f}"


_SCHEME_OF = {"US-THYROID-TR": "ti", "US-BREAST-BR": "bi", "MMG-BR": "bi", "CT-CHEST-LR": "lung", "US-ORADS": "o"}


def _other_grades(said: str, values: Collection[Known]) -> set[str]:
    """Return the categories of imaging of a text that no value has: of a scheme whose item says 无, or beside no item's name (左叶结节4a类)."""
    by_scheme: dict[str, set[str]] = {}
    for known in values:
        own = scheme_of(known.item_name) or _SCHEME_OF.get(known.item_code, "")
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
        and not any(is_of(one, every) for one in spoken_categories(plain))
        and _stated(said, start, end)
        and _OF_A_LESION.search(said[:start])
        and not _OR_ANOTHER.search(said[:start])
    }
    for match in SCHEMED.finditer(said):
        scheme = schemed(match)[0]
        if (
            scheme in by_scheme
            and not any(is_of(one, by_scheme[scheme] | by_scheme.get("", set())) for one in spoken_categories(match))
            and _stated(said, *match.span())
        ):
            found.add(match[0])
    return found


_OF_A_LESION = re.compile(r"(?:结节|肿块|占位|病灶|包块|团块|囊肿|乳腺|甲状腺|肺|附件)[^。;；\n]*$")
_OR_ANOTHER = re.compile(r"\d\s?[a-cx]?\s?类?\s?(?:或|和|及|至|到|、|[-~～])\s?$")
"""What makes a category one of several that are spoken of in general: 4 类或 5 类."""
