"""What a text claims of results in words: a coded value that was, a finding that is none any more, a side of a range, that something is critical. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.criticals import CALLED, said_critical
from tjapi.knowledge.denials import OTHERS, TAKEN_BACK, is_denied
from tjapi.knowledge.grades import (
    PLAIN,
    REACTION,
    SCHEMED,
    Reaction,
    categories,
    corrected,
    is_of,
    reaction_of,
    scheme_of,
    schemed,
    spoken_categories,
)
from tjapi.knowledge.names import Spoken, spoken_of
from tjapi.knowledge.rules import Known

_PUNCTUATION = re.compile(r"[\W_]+")


def rewritten(was: str, text: str) -> bool:
    """Say whether words were written anew: a full stop that was added rewrites nothing."""
    return _PUNCTUATION.sub("", was) != _PUNCTUATION.sub("", text)


# --- words that a result said once ---

_USUAL = re.compile(r"(?:参考|正常)(?:值|范围|区间)?[为是:：]?\s*(?:阴性|阳性|未检出|[-–—±+]+|\(-\)|（-）)")
_APART = re.compile(r"[,，.。;；:：、\n]")
_LONG = 4
"""From so many characters on a phrase is a result's own, whatever stands before it."""
_CODED = 8
_COMMON = re.compile(
    r"(?:未|无|不|正常|阴性|[^,，]{0,6}(?:未见|未触及|未闻及|未及|正常|清晰|光滑|居中|规则|均匀)[^,，]{0,8}$)"
)
"""What a description says of many things when all is well: it is an item's own only beside its name."""
_MOST_PHRASES = 200


_GENERIC = re.compile(
    r"[有无是否好差佳阴阳性弱强轻中重极度微大小多少高低左右双侧单常偶经不一二三四五六ⅰ-ⅵⅠ-Ⅵivx级型期类分\d+±()\-]+|可疑|异常|正常|良好|不良|尚可|一般|欠佳|增大|减弱|增强|粗糙|从不|偶尔|有时|每天|现在吸|已戒|其他|黄色|红色|褐色|清晰|浑浊|软便|对称|不对称|居中|规则|不规则|存在|消失|清|浊|齐|不齐"
)
"""Options that many items have: they are told of the item beside whose name they stand. Any other (胸痛, 色盲) says by itself what it is."""
_SUPPOSED = re.compile(
    r"(?:出现|发生|诱发|引起|导致|引发|加重|缓解|减轻|伴有?|可有|可见|有无|是否|容易|家属|子女|[可易会])[^,，。;；!！\n]{0,8}$"
)
_SUPPOSED_AFTER = re.compile(
    r"\s?(?:时|者|患者|人群|的?人|病?史|等|加重|或|家族|筛查|检查|已?(?:消失|缓解|好转|治愈|更正|排除))"
)


def outdated_words(text: str, earlier: Iterable[Known], now: Mapping[UUID | None, Known]) -> set[str]:
    """Return the words of a text that results said once and that nothing says any more: 阳性 beside an item that is 阴性 now, TI-RADS 5类.

    `earlier` is whatever was said of the exam's results, `now` the current values by result. A short word is told of the item whose name
    stands last before it; a phrase of a description is its own. What stands beside the new words of the same item tells of a change.
    """
    olds = {
        (old.result_id, old.text): old
        for old in earlier
        if old.numeric is None and ((one := now.get(old.result_id)) is None or one.same != old.same)
    }
    if not olds:
        return set()
    said = _plain(_USUAL.sub(lambda found: " " * len(found[0]), text))
    held = {key: [phrase for phrase in _phrases(old) if phrase in said] for key, old in olds.items()}
    if not any(held.values()):
        return set()
    spoken = spoken_of(frozenset((known.item_name, known.item_code) for known in (*olds.values(), *now.values())))
    by_name: dict[str, list[str]] = {}
    for known in now.values():
        by_name.setdefault(known.item_name, []).append(_plain(known.text))
    new = {
        key: _phrases(one) if (one := now.get(old.result_id)) is not None and one.numeric is None else []
        for key, old in olds.items()
    }
    places = _places(said, {phrase for some in (*held.values(), *new.values()) for phrase in some}, spoken)
    found = set()
    for key, old in olds.items():
        told = [phrase for phrase in held[key] if _told_of(places.get(phrase, ()), phrase, old.item_name, by_name)]
        if told and not any(_told_of(places.get(phrase, ()), phrase, old.item_name, {}) for phrase in new[key]):
            found |= set(told)
    return found


_Place = tuple[frozenset[str], bool]
"""Of which items a phrase is told, and whether it is stated there: not supposed, nor of another time."""


def _places(said: str, phrases: Iterable[str], spoken: Spoken) -> dict[str, list[_Place]]:
    """Return of which items each phrase is told, wherever it stands; of phrases that begin at one place the longest counts."""
    wanted = sorted((phrase for phrase in phrases if phrase in said), key=len, reverse=True)
    places: dict[str, list[_Place]] = {}
    if wanted:
        # What is Latin begins no word in its middle.
        parts = [rf"(?<![a-z]){re.escape(one)}" if one.isascii() else re.escape(one) for one in wanted]
        for start, end, owners in spoken.beside(said, re.compile("|".join(parts))):
            if is_denied(said, start, end):
                continue
            before = said[max(start - _MOST_BEFORE, 0) : start]
            supposed = _SAID_OTHERWISE.search(before) or _SUPPOSED.search(before) or _SUPPOSED_AFTER.match(said, end)
            places.setdefault(said[start:end], []).append((owners, supposed is None))
    return places


def _told_of(places: Iterable[_Place], phrase: str, item: str, now: Mapping[str, Iterable[str]]) -> bool:
    """Say whether a phrase is told of an item, and none of the items of which it is told says so now."""
    says_itself = len(phrase) > 1 and _GENERIC.fullmatch(phrase) is None and not _COMMON.match(phrase)
    for owners, stated in places:
        long = len(phrase) >= _LONG and not _COMMON.match(phrase)
        if item not in owners and not long and not (says_itself and stated):
            continue
        among = owners | {item} if item in owners or long else now.keys()
        if not any(phrase in text for owner in among for text in now.get(owner, ())):
            return True
    return False


def _phrases(known: Known) -> list[str]:
    """Return what a value says in words: each of several choices, a coded word, the clauses of a description."""
    if known.chosen:
        return [_plain(part) for part in known.chosen]
    text = _plain(known.text).strip()
    if len(text) <= _CODED:
        return [text] if text else []
    parts = [part.strip() for part in _APART.split(text)[:_MOST_PHRASES]]
    return [part for part in parts if len(part) >= _LONG]


def _plain(text: str) -> str:
    return simplified(text).lower()


# --- findings that are none any more ---

_DENIED_BEFORE = re.compile(
    r"(?:无|未见|未发现|未提示|未显示|否认|排除|除外|不支持|不是|非|没有|假性|既往有?|曾有?)[^,，。;；\n]{0,6}$"
)
_DENIED_AFTER = re.compile(
    r"[^,，。;；\n]{0,3}(?:已?(?:更正|排除|撤销|除外|解除|恢复)|不成立|作废|病?史|[系为因][^,，。;；\n]*所致|[(（]\s?已?(?:更正|排除|撤销))"
)


def gone_names(text: str, once: Iterable[str], now: Iterable[str]) -> set[str]:
    """Return the names of findings that results gave rise to once, that do not hold now, and that a text states all the same.

    A name that is part of one which holds now (血压升高 in 血压升高（2级）) is that one's. 已排除, 已更正 beside a name deny it.
    """
    said = _plain(text)
    for name in sorted(map(_plain, now), key=len, reverse=True):
        said = said.replace(name, " " * len(name))
    return {name for name in once if name and _states(said, _plain(name))}


def _states(said: str, name: str) -> bool:
    return any(
        not is_denied(said, *found.span())
        and not _DENIED_BEFORE.search(said[max(found.start() - 8, 0) : found.start()])
        and not _DENIED_AFTER.match(said, found.end())
        for found in re.finditer(re.escape(name), said)
    )


# --- sides of a range, and what is critical ---

_MOST_BEFORE = 30
_SIDE = re.compile(r"(?P<H>[高超]于(?:正常|参考|上限)|超过(?:正常|参考|上限)|偏高)|(?P<L>低于(?:正常|参考|下限)|偏低)")
_RISE = re.compile(r"[升增]高|增多|降低|减低|减少|[↑↓]|血症|[(（\[](?:hh?|ll?)[)）\]]")
_TOLD_FIGURE = r"(?:[:：=为是]?\s?\d+(?:\.\d+)?(?:/\d+)?\s?[a-zμ/%^*×·.0-9]{0,16}\s?)?"
_RISEN = re.compile(
    rf"(?:值|水平|测值|检测值|结果)?[:：]?\s?{_TOLD_FIGURE}[,，]?(?:明显|显著|轻度|中度|重度|轻微|稍|略|仍|均|呈|为|示|提示)*\s?[(（\[]?(?:(?P<H>[升增]高|增多|↑|(?<=[(（\[])hh?(?=[)）\]]))|(?P<L>降低|减低|减少|↓|(?<=[(（\[])ll?(?=[)）\]])))"
)
"""A side in the words of whoever reports: they tell of a change as well, and are a claim only immediately beside a name."""
_A_CHANGE = re.compile(
    r"[ ]?(?:[了约]?\d|[+]\d|[至到了时者的可会易常与后则等]|多见|见于|为[^,，。;；\n]*所致|系[^,，。;；\n]*所致|[(（]?(?:较|比|由|从)|[,，](?:由|从|较|比)|目标|幅度|速度|过快|趋势|风险|原因|不明显|家族|病?史|引起|导致|所致|[(（]?\s?(?:已经?|现已?)?(?:排除|除外|更正|撤销|撤回|作废)|不成立)"
)
_CHANGED_BEFORE = re.compile(
    r"(?:可(?!见)|会|易|使|令|让|将|把|致|引起|造成|加重|促进|帮助|有助|利于|目标|尿常规|尿沉渣|尿检|小便|便常规|粪便|分泌物|积液|饮食|摄入|运动|餐后|饮酒|进食|熬夜|溶血|脱水)[^,，。;；!！\n]*$"
    r"|(?:相比|比较|同比|对比|较[去上前往]|比[去上前往])[^。;；!！\n]*$|(?:骨|补|限|含|摄|假性)$"
)
"""What makes a rise a change, a supposition or another material's: 与去年相比, 脱水可致, 尿常规."""
_NO_NUMBER_RISES = re.compile(r"(?:功能?|听力|体重|体质指数)$")
"""What rises and falls in another sense than the numbers of its items: 肾功能减低 beside a high creatinine, 体重减少."""
_SALT = re.compile(r"(?:(?P<H>高)|(?P<L>低))(?P<item>[钾钠氯钙镁磷])血症")
_OF_OTHERS = re.compile(
    r"\s?[类级]?\s?[)）]?\s?(?:[(（]?\s?(?:已经?|现已?|后)?(?:排除|除外|更正|撤销|撤回|否定|作废|转阴)|多为|多见|表示|者|时|患者|人群|的?人|(?:及|或|和|并)?以[上下]|病?史|家族|[-–~～至到或]\s?[1-6ⅰ-ⅵ]|(?:更正|修正|变|升|降|改|进展))"
)
"""What stands behind a degree that is nobody's value of today: 4a类及以上, 阳性者."""
_DENIES = "不|未|无|非|没有|否认|排除|除外"
_ANOTHER = f"{OTHERS}|如|若|当|凡|遇|既往|曾|(?<!抗)原(?![发因])|上次|上年|去年|往年|前次|平时|由|从|建议|避免|防止|预防|警惕|谨防|注意|以防|以免"
_SAID_OTHERWISE = re.compile(rf"(?:{_DENIES}|{_ANOTHER})[^,，。;；!！\n]*$")
"""What stands before a side, or 危急, in its clause where it is denied, supposed, past, or somebody else's."""
_OF_ANOTHER = re.compile(rf"(?:{_ANOTHER})[^,，。;；!！\n]*$")
_OF_ALL = re.compile(
    r"(?:^|本次|体检|检查|结果|目前|各项|所检|项目|均|暂|亦|也)*(?:未见|未发现|未出现|没有|无)[^,，。;；!！\n]*$"
)
"""That there is no critical value at all: 本次检查未见危急值."""
_CLAUSE = re.compile(r"[,，。;；!！?？\n]")


def false_claims(
    text: str,
    values: Collection[Known],
    critical: Collection[str],
    own: Collection[str] = (),
    *,
    all_known: bool = False,
    dismissed: Collection[str] = (),
    stated: Collection[str] = (),
) -> set[str]:
    """Return the words of a text that claim of items what their values do not say: 高于参考范围 of one that is not high, 危急值 of none.

    `critical` are the names of items that are critical now, beside those whose flag says so: of them nobody says that they are not; `own` those of the items that the text rests on: of them it speaks where it names
    none (该结果达到危急值). What was not judged is not contradicted. `all_known`: nothing else is critical, though no value says it;
    `dismissed`: names of items of which a person has said that they are not critical; `stated` what findings that hold
    say in their own words (尿白蛋白/肌酐升高 beside a normal 肌酐): of a side, no claim.
    """
    said, found = _plain(text), set()
    if not any(one.search(said) for one in (_SIDE, _RISE, CALLED, REACTION, SCHEMED, PLAIN)):
        return set()
    spoken = spoken_of(frozenset((known.item_name, known.item_code) for known in values))
    flags: dict[str, set[str | None]] = {}
    for known in values:
        flags.setdefault(known.item_name, set()).add(known.flag)
    for start, end, owners in spoken.beside(said, _SIDE):
        side = next(name for name, group in _SIDE.match(said, start, end).groupdict().items() if group)  # type: ignore[union-attr]
        told = {flag for name in owners for flag in flags.get(name, ())}
        before = said[max(start - _MOST_BEFORE, 0) : start]
        supposed = _SAID_OTHERWISE.search(before) or _SUPPOSED_AFTER.match(said, end) or TAKEN_BACK.match(said, end)
        if told and told <= _NOT[side] and supposed is None:
            found.add(text[start:end])
    numbers = {(known.item_name, known.numeric) for known in values if known.numeric is not None}
    found |= {
        text[start:end]
        for start, end, side, told in _risen(_without(said, stated), spoken, flags, numbers)
        if told <= _NOT[side]
    }
    found |= {text[start:end] for start, end in _other_degrees(_without(said, stated), spoken, values)}
    alarms = {*critical, *(known.item_name for known in values if known.flag in ("HH", "LL") or known.alarm)}
    for start, end, owners in spoken.beside(said, CALLED):
        of = owners or frozenset(own)
        if _is_false_alarm(said, start, end, of, alarms, alarms - set(dismissed), all_known=all_known):
            found.add(text[start:end])
    return found


def _other_degrees(said: str, spoken: Spoken, values: Collection[Known]) -> Iterable[tuple[int, int]]:
    """Yield where a text tells of an item a degree that none of its values has: 阳性 or 3+ of 1+, TI-RADS 4a类 of 3类."""
    reactions: dict[str, set[Reaction | None]] = {}
    graded: dict[str, set[tuple[str, str]]] = {}
    for known in values:
        worded = known.numeric is None
        reactions.setdefault(known.item_name, set()).add(reaction_of(known.text) if worded else _of_number(known))
        graded.setdefault(known.item_name, set()).update(
            categories(known.text, scheme_of(known.item_name)) if worded else ()
        )
    for start, end, at, owners in spoken.of_name(said, REACTION):
        told = {one for name in owners for one in reactions.get(name, ())}
        claimed = reaction_of(corrected(said, end) or said[start:end])
        if claimed is None or not told or None in told:
            continue
        if all(claimed.denies(one) for one in told if one) and not _said_otherwise(said, at, end):
            yield start, end
    schemes: dict[str, set[str]] = {}
    for some in graded.values():
        for scheme, one in some:
            schemes.setdefault(scheme, set()).add(one)
    for found in SCHEMED.finditer(said):
        scheme, one = schemed(found)
        known_here = schemes.get(scheme, {one})
        if not any(is_of(each, known_here) for each in spoken_categories(found)) and not _said_otherwise(
            said, *found.span()
        ):
            yield found.span()
    for start, end, owners in spoken.beside(said, PLAIN):
        found_one = PLAIN.match(said, start)
        known_of = {one for name in owners for _, one in graded.get(name, ())}
        said_of = spoken_categories(found_one) if found_one is not None else set()
        if known_of and not any(is_of(one, known_of) for one in said_of) and not _said_otherwise(said, start, end):
            yield start, end


def _of_number(known: Known) -> Reaction | None:
    """Return what a number says of a reaction: of one that has an upper limit alone, whether it is above it (呼气试验, 抗体, 甲胎蛋白)."""
    low, high = known.bounds
    if high is None or (low is not None and Decimal(low) != 0) or known.flag not in ("", "H", "HH"):
        return None
    return Reaction(known.flag != "")


def _said_otherwise(said: str, at: int, end: int) -> bool:
    """Say whether what stands at a place is denied, supposed, past or another's."""
    before = said[max(at - _MOST_BEFORE, 0) : at]
    if corrected(said, end) is None and _OF_OTHERS.match(said, end):
        return True
    return _SAID_OTHERWISE.search(before) is not None


def _without(said: str, words: Iterable[str]) -> str:
    for one in sorted(filter(None, map(_plain, words)), key=len, reverse=True):
        said = said.replace(one, " " * len(one))
    return said


_FIGURE_AT = re.compile(r"\s?(\d+(?:\.\d+)?)")
_MEASURED_AS = re.compile(r"(?:计数|浓度|含量|测定|绝对值|百分[比数率]|比[例率])$")


def _risen(
    said: str,
    spoken: Spoken,
    flags: Mapping[str, set[str | None]],
    numbers: Collection[tuple[str, Decimal]],
) -> Iterable[tuple[int, int, str, set[str | None]]]:
    """Yield where a text says that a value is high or low immediately beside a name (血钾升高, 高钾血症), and the flags of which it tells."""
    for start, end, at, owners in spoken.of_name(said, _RISEN) if _RISE.search(said) else ():
        before = said[max(at - _MOST_BEFORE, 0) : at]
        if _NO_NUMBER_RISES.search(said[at:start]) or _SAID_OTHERWISE.search(before) or _CHANGED_BEFORE.search(before):
            continue
        figure = _FIGURE_AT.match(said, end) if said[end - 1] in "↑↓" else None
        valued = figure is not None and any((name, Decimal(figure[1])) in numbers for name in owners)
        if (valued or _A_CHANGE.match(said, end) is None) and (side := _side(_RISEN, said, start)):
            # 淋巴细胞 is said of its number and of its share.
            stems = tuple(_MEASURED_AS.sub("", name) for name in owners)
            told = {flag for name, some in flags.items() if name.startswith(stems) for flag in some}
            yield start, end, side, told
    for salt in _SALT.finditer(said):
        before = said[max(salt.start() - _MOST_BEFORE, 0) : salt.start()]
        item = salt["item"]
        told = {flag for before_it in ("", "血", "血清", "总", "无机") for flag in flags.get(f"{before_it}{item}", ())}
        known = told and not (_SAID_OTHERWISE.search(before) or _CHANGED_BEFORE.search(before))
        if known and _A_CHANGE.match(said, salt.end()) is None:
            yield salt.start(), salt.end(), "H" if salt["H"] else "L", told


def _side(pattern: re.Pattern[str], said: str, start: int) -> str:
    found = pattern.match(said, start)
    return next((name for name in ("H", "L") if found is not None and found[name]), "")


def _is_false_alarm(
    said: str,
    start: int,
    end: int,
    of: Collection[str],
    alarms: Collection[str],
    standing: Collection[str],
    *,
    all_known: bool,
) -> bool:
    """Say whether a text calls critical what is not, or denies it of what stands; `of` are the items of which it speaks there."""
    before = _CLAUSE.split(said[max(start - _MOST_BEFORE, 0) : start])[-1]
    behind = _CLAUSE.split(said[end : end + _MOST_BEFORE])[0]
    match said_critical(before, behind):
        case "called":
            none = not set(of) & set(alarms) if of else all_known and not alarms
            return none and not _SAID_OTHERWISE.search(before)
        case "denied":
            some = bool(set(of) & set(standing)) if of else bool(standing) and _OF_ALL.match(before) is not None
            return some and not _OF_ANOTHER.search(before)
        case _:
            return False


_NOT: Mapping[str, frozenset[str]] = {"H": frozenset({"", "L", "LL"}), "L": frozenset({"", "H", "HH"})}
"""Flags that contradict a side; of what is only abnormal, or was not judged, nobody knows the side."""
