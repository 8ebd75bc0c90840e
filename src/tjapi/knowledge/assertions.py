"""Whether what a clause names is there: which cues deny it, and which say that it may be, was, was operated on, or is a relative's. Pure."""

import re
from collections.abc import Iterable, Sequence

from tjapi.knowledge.lexicon import Dictionary
from tjapi.knowledge.mentions import Assertion
from tjapi.knowledge.tokens import DOUBT, PAST, Clause, Token

_LIST = 2
"""Fewer are no list."""
_SIZE = re.compile(r"约?\d[\d.]*(?:[x*]\d[\d.]*)*(?:mm|cm)")
_EXCLUDES = ("排除", "除外")
_AS_IT_SHOULD = frozenset(("正常", "如常", "无殊", "正常范围", "存在"))  # fmt: skip
"""What takes a word of harm back that stands right before it: 软组织影正常."""
_REFLEX = frozenset(("(+)", "(++)"))
"""What is usual of a reflex: 膝腱反射(++)."""
_DENIES_BEHIND = frozenset(("无", "未及"))  # fmt: skip
_OF_TESTS = frozenset(("SIGN", "POSITIVE"))
"""What a test seeks: its name may stand between, HP尿素酶试验阴性."""
_MOST_OF_TEST = 6
_OF_ALL = ("均", "皆", "俱", "都")
"""With what a denial begins that is of all that its clause named: 红肿热痛均无."""
_SCREENS = ("筛查", "普查", "早筛", "防治", "风险评估", "宣教", "科普")
"""Behind the name of a disease these make the name of an examination: 肺癌筛查."""
_TESTS = ("检测", "检查", "测定", "评估", "评价", "分析", "专项")
"""Between the name of a disease and a colon at the beginning these make the title of an examination: 动脉硬化检测:."""
_BETWEEN_SOUGHT = ("、", "等", "及", "和", "与", "早期", "早", "风险", "专项", "高危", "人群", "/")
SOUGHT = frozenset(("neutral",))
_LISTS = frozenset(("、", "及", "和", "或", "与"))
UNCHANGED = ("无", "未", "没")
_CHANGE = ("改变", "变化", "好转", "吸收", "缩小", "减少", "减轻")
"""What is denied of something that is there, where it stands before its name: 无改变之右侧气胸."""
FORWARD = frozenset(("既往", "曾", "曾有", "曾患", "曾行", "曾经", "陈旧", "陈旧性", "旧", "既往史", "过去", "幼时", "儿时", "原有", "遗留", "遗有"))  # fmt: skip
"""Cues of history that speak of what follows them; any other speaks of what stands before it."""


def deny(clauses: Sequence[Clause], book: Dictionary) -> None:
    """Mark what is denied: what follows a cue in its list, what a cue follows, and bare words that go on with a list over a comma."""
    carried = False
    for k, clause in enumerate(clauses):
        if carried and clause.bare:
            asserts = _asserts(clause)
            if asserts or _is_apart(clauses, k):
                carried = False
                for one in clause.tokens:
                    one.undecided = one.names and not asserts
        _name_screenings(clause.tokens)
        _find_doubt(clause, book)
        # A grave word that stands alone behind a comma is rather there than denied.
        carried = _deny_behind(clause.tokens, book, carried=carried and clause.bare) and not _is_missed(clause)
        _stand_measured(clause.tokens)
        _deny_before(clause.tokens)
        _stand_unbettered(clause.tokens)
    _take_doubt(clauses)
    _deny_title(clauses)
    for k in range(1, len(clauses)):
        if _takes_back(clauses[k]):
            for one in next((near.tokens for near in reversed(clauses[:k]) if _names_undenied(near)), ()):
                one.denied = one.denied or one.names


def _name_screenings(tokens: Sequence[Token]) -> None:
    """Take the names of diseases for those of examinations where they are sought: of 肺癌、乳腺癌筛查 none is a finding."""
    sought = False
    for one in reversed(tokens):
        if one.names:
            if sought:
                one.concept, one.lesion, one.roles = "", "", SOUGHT
        elif one.word.startswith(_SCREENS) or not one.word.startswith(_BETWEEN_SOUGHT):
            sought = one.word.startswith(_SCREENS)
    if [one.word for one in tokens[1:3]] in ([way, ":"] for way in _TESTS) and tokens[0].names:
        tokens[0].concept, tokens[0].lesion, tokens[0].roles = "", "", SOUGHT


def _deny_title(clauses: Sequence[Clause]) -> None:
    """Deny what an examination was for where it says that it is no more: 肺结节随访:原结节消失."""
    tokens = [one for clause in clauses for one in clause.tokens]
    if not (tokens[2:] and tokens[0].names and tokens[1].word in ("随访", "复查") and tokens[2].word == ":"):
        return
    same = [one for one in tokens[3:] if one.names and one.word in tokens[0].word]
    tokens[0].denied = tokens[0].denied or (bool(same) and all(one.denied for one in same))


def _names_undenied(clause: Clause) -> bool:
    return any(one.names and not one.denied for one in clause.tokens)


def rules_out(clauses: Sequence[Clause]) -> bool:
    """Say whether a sentence begins with saying that what was doubted in the one before it is not there: 胰腺癌待排?增强CT已排除."""
    return _takes_back(clauses[0]) and any(
        "denied_after" in one.roles and one.word.endswith(_RULED_OUT) for one in clauses[0].tokens
    )


_LEFT_BEHIND = ("后遗", "遗留", "残遗")
"""What is old, whatever it is of: 脑梗后遗左侧肌力Ⅳ级."""
_ENDED = (
    "消失",
    "吸收",
    "消散",
    "消退",
    "痊愈",
    "愈合",
    "治愈",
    "排出",
    "探及",
    "显示",
    "未见",
    "未见到",
    "检出",
    "触及",
    "扪及",
)
_SETTLED = ("已", "可", "均", "被", "予以", "经", "证实", "基本", "完全")
_RULED_OUT = ("排除", "除外", "否定", "不支持", "不考虑", "依据不足")


def _takes_back(clause: Clause) -> bool:
    """Say whether a clause says of what was named before it that it is not there, and nothing else: 原疑赘生物,经食道超声已否定."""
    if clause.names or any(clause.has(role) for role in ("advises", "possible", "supposed", "doubts")):
        return False
    cue = next((one.word for one in clause.tokens if "denied_after" in one.roles), "")
    others = [one for one in clause.tokens if "denied_after" not in one.roles]
    if any(one.site or "denies_next" in one.roles for one in others):
        return False
    if cue.endswith(_RULED_OUT):
        return any(word in clause.words for word in _SETTLED)
    return cue.endswith(_ENDED) and all(
        one.filler or one.roles is PAST or one.roles & {"compared", "formerly", "historical"} for one in others
    )


_SHOULD_BE = ("血流", "充盈", "搏动", "显影", "胎心", "反射")


def _is_missed(clause: Clause) -> bool:
    """Say whether what a clause denies should be there: what stands behind it is no item of its list, 未见血流充盈,脾大."""
    denial = clause.first("denies")
    behind = clause.tokens[denial + 1 :] if denial is not None else []
    return bool(behind) and behind[0].word.startswith(_SHOULD_BE) and not any(one.names for one in behind)


def _is_apart(clauses: Sequence[Clause], at: int) -> bool:
    """Say whether a bare clause behind a denial is no item of its list: it names a finding whole, alone, and ends what is said: 未见占位,脂肪肝."""
    named = [one for one in clauses[at].tokens if one.names]
    others = {one.concept for one in clauses[at - 1].tokens if one.names}
    alone = at + 1 == len(clauses) or not clauses[at + 1].bare
    return (
        len(named) == 1
        and bool(named[0].concept)
        and alone
        and not (at > 1 and clauses[at - 1].bare and not clauses[at - 1].has("denies"))
        and named[0].concept not in others
    )


_DEGREES = (
    "轻度",
    "中度",
    "重度",
    "轻微",
    "轻中度",
    "中重度",
    "轻-中度",
    "中-重度",
    "少量",
    "少许",
    "局限性",
    "散在",
    "多发",
    "单发",
)
"""What nobody says of something that is not there: behind a comma, 轻度脂肪肝 is no item of a denied list."""


def _asserts(clause: Clause) -> bool:
    """Say whether a bare clause says that what it names is there: 见脂肪肝, 轻度脂肪肝, 脂肪肝(轻度)."""
    first = next(i for i, one in enumerate(clause.tokens) if one.names)
    return any("states" in one.roles for one in clause.tokens[:first]) or any(
        one.word.startswith(_DEGREES) for one in clause.tokens
    )


def _stand_measured(tokens: Sequence[Token]) -> None:
    """Leave undecided the last item of a denied list that has a degree or a size of its own: 未见占位、结节、脂肪肝(轻度)."""
    named = [i for i, one in enumerate(tokens) if one.names]
    if len(named) < _LIST or not all(tokens[i].denied for i in named):
        return
    last = named[-1]
    own = next((i for i in range(last - 1, -1, -1) if tokens[i].word in _LISTS), None)
    if own is None or own < named[-2] or tokens[own].word != "、":
        return
    said = [one for one in tokens[own + 1 :] if one is not tokens[last]]
    graded = tokens[last].word.startswith(_DEGREES) or any(one.word.startswith(_DEGREES) for one in said)
    if graded or any(_SIZE.fullmatch(one.word) for one in tokens[last + 1 :]):
        tokens[last].denied, tokens[last].doubted, tokens[last].undecided = False, True, True


def _find_doubt(clause: Clause, book: Dictionary) -> None:
    """Make a doubt of a word of exclusion that stands behind its negation, with what is excluded between: 不能将恶性排除."""
    said = ""
    for token in clause.tokens:
        if token.word.endswith(_EXCLUDES) and "denies" in token.roles and any(word in said for word in book.unable):
            token.roles = DOUBT
        said = "" if "states" in token.roles and not token.names else said + token.word


_MAY_PART = frozenset(("明显", "显著", "明确", "进一步", "完全", "继续", "再", "的", "之"))
_BETTER_BUT = frozenset(("ABNORMAL", "MINOR", "DYSFUNCTION"))
"""Words so wide that 未见异常减少 speaks of no finding."""


def _stand_unbettered(tokens: Sequence[Token]) -> None:
    """Let stand what is said not to get better: of 未见气胸吸收 and 无改变之气胸 the change is denied, and not what it is of."""
    for i, cue in enumerate(tokens):
        if "denies" not in cue.roles and not (cue.word.startswith(UNCHANGED) and "compared" in cue.roles):
            continue
        named: list[Token] = []
        changed = cue.word.endswith(_CHANGE)
        for j, token in enumerate(tokens[i + 1 :], i + 1):
            if token.word in _CHANGE and not named:
                changed = True
            elif (
                changed
                and not named
                and (token.word in _LISTS or not (token.word in _MAY_PART or token.names or token.site or token.filler))
            ):
                break
            elif "improves" in token.roles and named and tokens[j - 1].word not in _LISTS:
                if not any(one.lesion in _BETTER_BUT for one in named):
                    _let_stand(named)
                    token.denied = True
                break
            elif token.names:
                named.append(token)
                if changed:
                    _let_stand(named)
                    break
            elif "states" in token.roles or "predicates" in token.roles:
                break


def _let_stand(named: Iterable[Token]) -> None:
    for one in named:
        one.denied = False


def _take_doubt(clauses: Sequence[Clause]) -> None:
    """Take back the denial of what is doubted: what stands behind the doubt, else what stands before it in its clause, else in the one before."""
    for k, clause in enumerate(clauses):
        at = clause.first("doubts")
        if at is None:
            continue
        behind = [one for one in clause.tokens[at + 1 :] if one.names and not one.denied]
        if behind:
            continue
        before = [
            [one for one in clause.tokens[:at] if one.names],
            *([one for one in near.tokens if one.names] for near in reversed(clauses[:k])),
        ]
        for one in next(filter(None, before), []):
            one.denied, one.doubted = False, True


def _deny_behind(tokens: Sequence[Token], book: Dictionary, *, carried: bool) -> bool:
    """Mark what cues deny that stand before it; say whether a list is still open at the end. `carried`: one was open before."""
    is_open, only_carried = carried, carried
    named_since = advised = next_only = False
    for i, token in enumerate(tokens):
        roles = token.roles
        advised = advised or "advises" in roles
        if token.names:
            token.denied = next_only or (is_open and not (only_carried and _is_grave(book, token)))
            named_since = True
            # 不扩张、增厚: the list goes on with a mark, and with nothing else.
            next_only = next_only and tokens[min(i + 1, len(tokens) - 1)].word in _LISTS
        elif "denies" in roles or (token.word == "未" and i + 1 < len(tokens) and "unknown" in tokens[i + 1].roles):
            # 建议CT排除肺癌 does not exclude it, and 除右肾囊肿外 is an exception.
            is_open = not (token.word.endswith(_EXCLUDES) and (advised or _is_exception(tokens, i)))
            only_carried = named_since = False
        elif "denies_next" in roles:
            next_only = True
        elif "states" in roles and named_since:
            is_open = False
        elif roles & {"unknown", "site", "aspects", "predicates"}:
            named_since = named_since or "predicates" not in roles
            next_only = False
    return is_open


def _deny_before(tokens: Sequence[Token]) -> None:
    for i, token in enumerate(tokens):
        if token.word in _AS_IT_SHOULD and i and tokens[i - 1].names:
            tokens[i - 1].denied = True
        if token.word in _REFLEX and _is_reflex(tokens[:i]):
            token.denied = True
        if "denied_after" not in token.roles:
            continue
        behind = (one for one in tokens[i + 1 :] if not (one.filler or "between" in one.roles))
        if ("denies" in token.roles or token.word in _DENIES_BEHIND) and any(behind):
            continue
        over, of_all = False, _is_of_all(tokens, i)
        for one in _before_brackets(tokens[:i]):
            if of_all and "states" in one.roles and not one.names:
                break
            if one.names:
                one.denied = one.denied or not over or of_all or one.lesion in _OF_TESTS or token.word.startswith("已")
                if over and not of_all:
                    break
            elif not (one.filler or one.roles & {"between", "compared"}):
                over = True
                if not of_all and (one.site or len(one.word) > _MOST_OF_TEST):
                    break


def _is_of_all(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].word.startswith(_OF_ALL) or (at > 0 and tokens[at - 1].word in _OF_ALL)


def denies_all(clause: Clause) -> bool:
    """Say whether a clause ends with a denial of all that it lists, whatever that is: 心悸、气短均无."""
    last = len(clause.tokens) - 1
    return last > 0 and "denied_after" in clause.tokens[last].roles and _is_of_all(clause.tokens, last)


def _is_reflex(before: Sequence[Token]) -> bool:
    """Say whether a degree stands behind a reflex, and nothing but praise between: 腱反射对称(++)."""
    for one in reversed(before):
        if one.word.endswith("反射"):
            return not one.names
        if not (one.filler or "predicates" in one.roles):
            return False
    return False


def _before_brackets(tokens: Sequence[Token]) -> Iterable[Token]:
    """Yield tokens backwards, without what stands in brackets: 骨折(右桡骨)愈合."""
    depth = 0
    for one in reversed(tokens):
        depth += (one.word == ")") - (one.word == "(" and depth > 0)
        if not depth:
            yield one


def _is_grave(book: Dictionary, token: Token) -> bool:
    return book.named(token.concept or token.lesion).grave


def _is_exception(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].word == "除外" and any(one.word == "除" for one in tokens[:at])


def assertions_of(clause: Clause) -> dict[int, Assertion]:
    """Return what a clause asserts of each token that names something, by its place: one pass forward, one backward."""
    tokens = clause.tokens
    possible = clause.has("possible")
    family = any(one.word.startswith("家族") for one in tokens)
    again = [i for i, one in enumerate(tokens) if "returned" in one.roles and not one.denied]
    behind = _said_behind(tokens)
    found: dict[int, Assertion] = {}
    was = ago = supposed = advised = within = False
    for i, token in enumerate(tokens):
        roles = token.roles
        if token.names:
            returned = any(j != i for j in again)
            found[i] = _assertion(
                token, family=family, supposed=supposed, possible=possible or advised or token.doubted,
                past="" if returned else "postoperative" if within else behind[i] or ("historical" if was or ago else ""),
            )  # fmt: skip
        elif "states" in roles:
            was = False
        family = family or "family" in roles
        if token.word == "(":
            within = i > 0 and "operated" in tokens[i - 1].roles
        elif token.word == ")":
            within = False
        was = was or token.word in FORWARD or token.word.startswith(_LEFT_BEHIND) or "formerly" in roles
        ago = ago or roles is PAST
        supposed = supposed or "supposed" in roles
        advised = advised or "advises" in roles
    return found


def _assertion(token: Token, *, family: bool, supposed: bool, possible: bool, past: str) -> Assertion:
    says: tuple[tuple[Assertion, bool], ...] = (
        ("absent", token.denied),
        ("family", family),
        ("postoperative", past == "postoperative"),
        ("historical", past == "historical"),
        ("absent", supposed),
        ("possible", possible),
    )
    return next((assertion for assertion, holds in says if holds), "present")


def _said_behind(tokens: Sequence[Token]) -> list[str]:
    """Return of each place whether 术后 or 病史 stands behind it, before anything is stated anew."""
    found, said = [""] * len(tokens), ""
    for i in range(len(tokens) - 1, -1, -1):
        token = tokens[i]
        found[i] = said
        if "operated" in token.roles:
            said = "postoperative"
        elif (
            "historical" in token.roles
            and token.roles is not PAST
            and (token.word not in FORWARD or (i == len(tokens) - 1 and token.word.startswith("陈旧")))
        ):
            said = said or "historical"
        elif token.roles is PAST and i == len(tokens) - 1 and "年" in token.word:
            said = "historical"
        elif "states" in token.roles and not token.names:
            said = ""
    return found
