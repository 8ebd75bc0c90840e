"""What a person's words state of an exam's person that nothing of the exam supports: whoever signs is asked about it. Pure.

Stated is what is said as present, today, of this person: a finding of the dictionary, a condition, a disease, a size, a reaction, or that
something is normal. It is looked for in what stands: current values and what their texts are read as, findings that hold, what was chosen,
what people told. What values deny is refused elsewhere; what is here is neither denied nor supported.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from tjapi.knowledge.calm import called_normal
from tjapi.knowledge.choosing import unchosen
from tjapi.knowledge.conditions import (
    conditions,
    diseases,
    is_none_of,
    of_condition,
    supported,
    ways_of_looking,
    words,
    words_of_sites,
)
from tjapi.knowledge.denials import is_denied
from tjapi.knowledge.descriptions import Mention, read
from tjapi.knowledge.grades import SCHEMED, reaction_of, schemed
from tjapi.knowledge.lexicon import dictionary, plain_writing
from tjapi.knowledge.names import Spoken, of_side, spoken_of
from tjapi.knowledge.retelling import side_of, standing_in
from tjapi.knowledge.rules import Known
from tjapi.knowledge.stated import is_stated, places, plain


@dataclass(frozen=True)
class Standing:
    """What stands of an exam: its current values, the names of findings that hold, and what nobody examined, each by name and code."""

    values: tuple[Known, ...]
    names: frozenset[str] = frozenset()
    unexamined: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def told(self) -> str:
        """Whatever is said in words, in plain writing."""
        said = [known.text for known in self.values if known.numeric is None and not known.unexamined]
        return plain("\n".join([*said, *sorted(self.names)]))

    @cached_property
    def seen_words(self) -> str:
        """What descriptions of somebody who looked say, in plain writing."""
        return plain("\n".join(k.text for k in self.values if k.numeric is None and not k.unexamined and not k.choices))

    @cached_property
    def mentions(self) -> list[Mention]:
        """What descriptions and the names of findings say that there is."""
        found = [one for one, _ in standing_in(self.values)]
        return found + [one for name in sorted(self.names) for one in read(name).mentions if one.stands]

    @cached_property
    def concepts(self) -> frozenset[str]:
        """The concepts of what there is."""
        return frozenset(one.concept for one in self.mentions)

    @cached_property
    def spoken(self) -> Spoken:
        """The names under which what was examined, or was not, is spoken of."""
        return spoken_of(frozenset((known.item_name, known.item_code) for known in self.values) | self.unexamined)

    @cached_property
    def by_name(self) -> dict[str, list[Known]]:
        """What was examined, by the name of its item."""
        found: dict[str, list[Known]] = {}
        for known in self.values:
            if not known.unexamined:
                found.setdefault(known.item_name, []).append(known)
        return found

    @cached_property
    def by_code(self) -> dict[str, list[Known]]:
        """Every value, by the code of its item."""
        found: dict[str, list[Known]] = {}
        for known in self.values:
            found.setdefault(known.item_code, []).append(known)
        return found

    @cached_property
    def seen(self) -> frozenset[str]:
        """The sites that somebody looked at: those of examined items, and those of which descriptions speak."""
        book = dictionary()
        found = set()
        for known in self.values:
            if known.unexamined or known.numeric is not None:
                continue
            found.add(book.of_item.get(known.item_code, ""))
            found |= set(sites_of(plain(known.text)))
        return frozenset(found - {""})

    @cached_property
    def regions(self) -> frozenset[str]:
        """The organs that somebody looked at."""
        book = dictionary()
        return frozenset(book.region_of.get(site, site) for site in self.seen)

    @cached_property
    def sizes(self) -> frozenset[Decimal]:
        """Every length that a description gives, in millimetres."""
        return frozenset(size for _, _, size in _lengths(self.told))


_USUAL = re.compile(r"参考(?:值|范围|区间|上限|下限)[^,，。;；\n]*")


def groundless(text: str, standing: Standing, free: Collection[str] = ()) -> list[str]:
    """Return the words of a text that state what nothing supports, as they stand there, in their order.

    `free` are texts of the knowledge base: what it advises is nobody's statement.
    """
    said = _USUAL.sub(lambda usual: " " * len(usual[0]), plain(text, free))
    if not said.strip():
        return []
    spans = sorted(set(_spans(said, standing)))
    same = len(said) == len(text)
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1])) if kept[-1][0] == start else kept[-1]
            continue
        kept.append((start, end))
    words = [(text if same else said)[start:end].strip() for start, end in kept]
    return list(dict.fromkeys(word for word in words if word))


def _spans(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    covered: list[tuple[int, int]] = []
    yield from _known_diseases(said, standing, covered)
    yield from _conditions(said, standing, covered)
    yield from _mentions(said, standing, covered)
    yield from _diseases(said, standing, covered)
    yield from _denials(said, standing)
    yield from _choices(said, standing)
    yield from _sizes(said, standing)
    yield from _figures(said, standing)
    yield from _numbers(said, standing)
    yield from _quantities(said, standing)
    yield from _claims(said, standing)
    yield from _normals(said, standing)


# --- conditions, findings, diseases ---

_GONE = re.compile(r"\s?(?:已经?|现已?|目前)?(?:消失|纠正|痊愈|治愈|恢复正常|消退)(?!后|者|时|前)")


def _conditions(said: str, standing: Standing, covered: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where a condition is stated that values neither state nor deny, and cover every place of one."""
    rows = [(name, condition) for condition in conditions() for name in map(plain, condition.names) if name in said]
    for name, condition in sorted(rows, key=lambda row: -len(row[0])):
        for at in places(said, name):
            end = at + len(name)
            if _overlaps(covered, at, end) or not of_condition(said, at, name, condition):
                continue
            covered.append((at, end))
            holds = supported(condition, standing.by_code)
            if (
                is_stated(said, at, end) and name not in standing.told and not holds and not _long_ago(said, at, end)
            ) or (holds and (is_none_of(said[:at]) or _GONE.match(said, end))):
                yield at, end


def _mentions(said: str, standing: Standing, covered: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where a finding of the dictionary is stated that no description has and no finding is, on its side, and in its degree."""
    book = dictionary()
    found = []
    for one in read(said).mentions:
        word = plain(one.words)
        lesion = book.lesions.get(one.concept)
        for start in places(said, word) if word else ():
            end = start + len(word)
            if _overlaps(covered, start, end):
                continue
            found.append((start, end))
            if one.concept in standing.concepts and _GONE.match(said, end):
                yield start, end
            if not one.stands or not is_stated(said, start, end) or _AT_RISK.search(said[:start]):
                continue
            if (
                one.concept == "FIGURE"
                or word in _CHANGES
                or _AT_RISK_BEHIND.match(said, end)
                or _long_ago(said, start, end)
            ):
                continue
            if _is_of_item(said, start, end, word, standing):
                continue
            if lesion is not None and (lesion.weak or one.concept in _GENERAL):
                continue
            if not _is_held(one, word, standing) or _is_another(one, word, said, start, standing):
                yield _sided(said, start), end
            elif (degree := _degree_at(said, start, end)) is not None and _is_other_degree(one, degree[2], standing):
                yield min(degree[0], start), max(degree[1], end)
    covered += found


_CHANGES = frozenset(("升高", "增高", "增加", "降低", "减低", "减少", "增多", "下降"))
_AT_RISK_BEHIND = re.compile(r"的?(?:可能|概率|几率|风险|倾向)|(?<=可能)")
_LONG_AGO = re.compile(r"(?:\d{1,2}年前|(?:19|20)\d\d年|儿时|幼时|幼年|小时候|孕期)[^,，。;；\n]*$")
_OPERATED = re.compile(r"[^,，。;；\n]{0,4}(?:手术|术|切除|已愈|治愈)")


def _long_ago(said: str, start: int, end: int) -> bool:
    return bool(_LONG_AGO.search(said[:start]) or _OPERATED.match(said, end))


def _is_of_item(said: str, start: int, end: int, word: str, standing: Standing) -> bool:
    """Say whether a word is part of an item's name, or of one whose value stands beside it: 类风湿因子, 狭窄<50%."""
    if any(at <= start and end <= to and (at, to) != (start, end) for at, to in standing.spoken.places(said)):
        return True
    clause = said[_clause_start(said, start) :].split("\n", maxsplit=1)[0]
    if _side_at(said, start) or any(_lengths(clause)):
        return False  # what has a side or a size is a finding itself
    return any(
        (word in name or word in plain(known.text)) and plain(known.text) in clause
        for name, values in standing.by_name.items()
        for known in values
        if known.choices
    )


_AT_RISK = re.compile(r"(?:风险|几率|概率|负担|可能性)[^,，。;；\n]{0,4}$")


def _is_held(one: Mention, word: str, standing: Standing) -> bool:
    """Say whether what stands has a finding: the same concept, or the same words where these name it by themselves. What is malignant is named as such."""
    if _MALIGNANT.search(word) and not _MALIGNANT.search(standing.told):
        return False
    if word in standing.told and (one.concept in dictionary().lesions or len(word) >= _WHOLE):
        return True
    return one.concept in standing.concepts and (not word.endswith("瘤") or word in standing.told)


_WHOLE = 4
"""From so many characters on a word names its finding whole: 胆囊结石; 结节 is of any organ."""


_GENERAL = frozenset(("ABNORMAL", "MINOR", "SIGN", "POSITIVE", "PAIN", "DYSFUNCTION", "ENLARGED", "EMERGENCY", "ACUTE", "CHANGE-OF-FLOW", "ECG-CHANGE", "BENIGN", "RECURRENCE", "IMPRESSION", "SHIFT"))  # fmt: skip
"""Words of harm that say nothing by themselves."""
_MALIGNANT = re.compile("癌|恶性|肉瘤|白血病|淋巴瘤|转移|骨髓瘤|黑色素瘤")
_SIDED_BEFORE = re.compile(r"[左右双两][^,，。;；\n]{0,8}$")


def _sided(said: str, start: int) -> int:
    found = _SIDED_BEFORE.search(said[:start])
    return found.start() if found is not None else start


def _like(one: Mention, word: str, said: str, start: int, standing: Standing) -> list[Mention]:
    """Return what is described of a finding; of one without an organ (右叶结节) what is called so, in the organ whose category is told beside it."""
    if one.site or one.known:
        return [other for other in standing.mentions if other.concept == one.concept]
    called = [other for other in standing.mentions if plain(other.words).endswith(word)]
    sites = {site for found in SCHEMED.finditer(_sentence(said, start)) for site in _sites_of_scheme(schemed(found)[0])}
    return [other for other in called if other.site in sites] or called


def _sites_of_scheme(scheme: str) -> Iterator[str]:
    book = dictionary()
    return (book.of_item[code] for code, own in words().scheme_of.items() if own == scheme and code in book.of_item)


def _sentence(said: str, at: int) -> str:
    start = max(said.rfind(mark, 0, at) for mark in "。;；\n") + 1
    return re.split(r"[。;；\n]", said[start:], maxsplit=1)[0]


def _is_another(one: Mention, word: str, said: str, start: int, standing: Standing) -> bool:
    """Say whether something is told of a side, or of both, of which it is described on another alone, or without its organ in another size."""
    like = _like(one, word, said, start, standing)
    nameless = not (one.site or one.known)
    side = _side_at(said, start) if nameless else side_of(one)
    sides = {side_of(other) for other in like} - {""}
    if side and sides and not ({"左", "右"} <= sides or "双" in sides or side in sides):
        return True
    sizes = {size for other in like for _, _, size in _lengths(plain(other.said))}
    return nameless and bool(sizes) and one.size_mm is not None and one.size_mm.normalize() not in sizes


def _side_at(said: str, start: int) -> str:
    found = _SIDE_BEFORE.search(said[_clause_start(said, start) : start])
    if found is None:
        return ""
    return "双" if found[0] == "两" else found[0]


_SIDE_BEFORE = re.compile(r"[左右双两](?=[^左右双两]*$)")


_DEGREES = ("极轻", "轻微", "轻", "中", "重", "严重", "极重")
_DEGREE = re.compile(r"(?P<degree>极轻|轻微|轻|中|极重|重|严重)(?:度|型)?(?:[-~～至到](?P<to>中|重)度?)?")
_BESIDE_DEGREE = re.compile(r"[(（,，:：]?\s?")


def _degree_at(said: str, start: int, end: int) -> tuple[int, int, frozenset[str]] | None:
    """Return where a degree stands right before a place or right behind it, and which ones it names."""
    for found in _DEGREE.finditer(said, max(start - 6, 0), start):
        if found.end() == start:
            return found.start(), found.end(), _degrees(found)
    inner = _DEGREE.match(said, start)
    if inner is not None and inner.end() < end:
        return inner.start(), inner.end(), _degrees(inner)
    link = _BESIDE_DEGREE.match(said, end)
    behind = _DEGREE.match(said, link.end()) if link is not None and link.end() > end else None
    if behind is not None and re.match(r"\s?(?:[)）,，。;；]|$)", said[behind.end() :]):
        return behind.start(), behind.end(), _degrees(behind)
    return None


_SAME_DEGREE = {"极轻": "轻", "轻微": "轻", "严重": "重", "极重": "重"}


def _degrees(found: re.Match[str]) -> frozenset[str]:
    return frozenset(_SAME_DEGREE.get(one, one) for one in found.groups() if one)


def _is_other_degree(one: Mention, degrees: Collection[str], standing: Standing) -> bool:
    """Say whether no description of a finding gives it one of these degrees."""
    held = {
        _SAME_DEGREE.get(found["degree"], found["degree"])
        for other in standing.mentions
        if other.concept == one.concept
        for found in _DEGREE.finditer(plain(other.said))
    }
    held |= {
        _SAME_DEGREE.get(to, to)
        for other in standing.mentions
        if other.concept == one.concept
        for found in _DEGREE.finditer(plain(other.said))
        if (to := found["to"])
    }
    return not set(degrees) & held


_DISEASE = re.compile(
    r"[\u4e00-\u9fff]{1,5}?(?:病(?!史|科|人|房|区|变|因|理|状|情|程|毒|床|灶|者|患|例|家|友|从|急|菌|原|休|假|历|案|危|重|痛|态|征|学|种|根)|(?<![炎重轻])症(?!状|候)|(?<![消发])炎(?!症|性)|综合征|[癌瘤疹疣癣瘘疝痔疮瘢痫](?!症|病|史))"
)
_NO_DISEASE = re.compile(
    r".*(?:疾病|慢性病|传染病|得病|患病|生病|看病|治病|防病|发病|有病|无病|此病|该病|本病|并发症|后遗症|适应症|禁忌症|重症|急症|对症|炎症|消炎|抗炎|此症|防癌|抗癌|致癌|恐癌|肿瘤|皮疹|[其他各种常见多发老年职业]{2}病)"
    r"|(?:心|肝|肾|肺|胃|脑|眼|牙|血液|肝脏|肾脏|心脏|皮肤|妇科|口腔|血管|心血管|脑血管|心脑血管|内分泌|消化系统|呼吸道|遗传|基础|原发)病"
)
_LEADS = re.compile(
    r"^.*(?:考虑|提示|诊断为?|合并|伴有?|患有?|确诊|符合|为|是|及|和|与|或|并|有|示|见|的|了|型|期|级|度|慢性|急性|轻|中|重|双侧|左侧|右侧|双眼|左眼|右眼)(?=..)"
)


def _diseases(said: str, standing: Standing, covered: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where a disease is stated that no dictionary knows and nothing says."""
    for found in _DISEASE.finditer(said):
        lead = _LEADS.match(found[0])
        start, end = found.start() + (lead.end() if lead is not None else 0), found.end()
        word = said[start:end]
        if _overlaps(covered, start, end) or _NO_DISEASE.fullmatch(word) or _NO_DISEASE.fullmatch(found[0]):
            continue
        if word not in standing.told and is_stated(said, start, end) and is_stated(said, end - 1, end):
            yield start, end


def _known_diseases(said: str, standing: Standing, covered: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where a disease is stated that no value shows, and nobody told of."""
    for name in sorted(diseases(), key=len, reverse=True):
        for start in places(said, name):
            end = start + len(name)
            if _overlaps(covered, start, end):
                continue
            covered.append((start, end))
            if (
                _long_ago(said, start, end)
                or standing.spoken.said_in(name)
                or _is_of_item(said, start, end, name, standing)
            ):
                continue
            if name not in standing.told and is_stated(said, start, end) and not said.startswith(_RUN_OF, end):
                yield start, end


_RUN_OF = ("患者", "人群", "风险", "病史", "者", "家族")


def _denials(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where something is denied of an organ that nobody looked at: 双肾未见结石."""
    book = dictionary()
    for one in read(said).mentions:
        word = plain(one.words)
        if one.assertion == "absent" and not one.known and not list(sites_of(plain(one.said))):
            # Of no organ: it is somebody's.
            held = any(word in plain(other.words) for other in standing.mentions if other.assertion == "present")
            for start in places(said, word) if held and not _REST.search(plain(one.said)) else ():
                if _NOT_SEEN.search(said[:start]):
                    yield _clause_start(said, start), start + len(word)
        if one.assertion != "absent" or not one.known or not one.site or one.site in book.vague:
            continue
        if book.region_of.get(one.site, one.site) in standing.regions:
            continue
        for start in places(said, word):
            cue = _NOT_SEEN.search(said[:start])
            if cue is not None and is_stated(said, cue.start(), cue.start() + 1):
                yield _clause_start(said, start), start + len(word)


_REST = re.compile("余|其他|其它|另|新")
_NOT_SEEN = re.compile(r"(?:未见|未发现|未提示|未显示)[^,，。;；\n]{0,12}$")


def _clause_start(said: str, at: int) -> int:
    return max((said.rfind(mark, 0, at) for mark in ",，。;；\n:："), default=-1) + 1


def _overlaps(covered: Collection[tuple[int, int]], start: int, end: int) -> bool:
    return any(a < end and start < b for a, b in covered)


def _choices(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where something is stated that could have been chosen, and was not."""
    for word in unchosen(standing.values, standing.told):
        for at in places(said, word):
            if is_stated(said, at, at + len(word)):
                yield at, at + len(word)


# --- figures ---

_LENGTH = re.compile(
    r"(?<![\d.])(?P<figures>\d+(?:\.\d+)?(?:\s?(?:mm|cm|毫米|厘米)?\s?[×x*✕X]\s?\d+(?:\.\d+)?){0,2})\s?(?P<unit>mm(?!\s?(?:hg|/)|ol)|cm(?!\s?/)|毫米|厘米)"
)
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_BOUND_BEFORE = re.compile(
    r"(?:[<>≤≥＜＞]|小于|大于|超过|不足|低于|高于|达到?|至少|至|到|过|若|如|未|[-~～])\s?$"
    r"|(?:若|如|每|目标|控制|腰围|身高|直径小|增长|增大|距|长约?)[^,，。;；\n]*$"
)
_BOUND_BEHIND = re.compile(r"\s?(?:及|或)?(?:以[上下内]|时|者|内|的?可能|应|需|[-~～至到])")


def _lengths(said: str) -> Iterator[tuple[int, int, Decimal]]:
    for found in _LENGTH.finditer(said):
        factor = 1 if found["unit"] in ("mm", "毫米") else 10
        for one in _FIGURE.findall(found["figures"]):
            yield found.start(), found.end(), (Decimal(one) * factor).normalize()


def _sizes(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where a length is told that no description gives."""
    told = {known.numeric.normalize() for known in standing.values if known.numeric is not None}
    for start, end, size in _lengths(said):
        if size in standing.sizes or not told.isdisjoint((size, (size / 10).normalize())):
            continue
        if not (_BOUND_BEFORE.search(said[:start]) or _BOUND_BEHIND.match(said, end)) and is_stated(said, start, end):
            yield start, end


_SCORE = re.compile(r"[tz]\s?值?\s?(?:评分|-score)?\s?[:：=为是约]?\s?(?P<figure>[-－—–−]\s?\d+(?:\.\d+)?)")
_NARROW = re.compile(r"狭窄(?:程度|率|约|为|[:：])*\s?(?P<figure>\d{1,2}(?:\.\d)?)\s?%")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d./])")
_LIMIT = re.compile(r"(?P<sign>[<>≤≥＜＞]|小于|低于|大于|高于)\s?(?P<figure>\d+(?:\.\d+)?)")
_RULE = re.compile(r"[^,，。;；\n]{0,14}?(?:应|者|时|需|可|建议|属|为|提示|请|才|则|宜|即|须|$(?<!.))")
_BELOW_DETECTION = re.compile(r"(?:低于|小于|在)?检[测出]下?限(?:以下|之下)?|未检[出测]到?")


def _figures(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where a score, a share or a limit is told that no value is."""
    numbers = {known.numeric for known in standing.values if known.numeric is not None}
    for found in _SCORE.finditer(said):
        figure = Decimal(re.sub(r"[－—–−]", "-", found["figure"]).replace(" ", ""))
        if figure not in numbers and is_stated(said, *found.span()):
            yield found.span()
    for found in _NARROW.finditer(said):
        if f"{found['figure']}%" not in standing.told and is_stated(said, *found.span()):
            yield found.span()
    for start, end, at, owners in standing.spoken.of_name(said, _LIMIT):
        limit = _LIMIT.match(said, start)
        if limit is None or "/" in said[at:start] or _RULE.match(said, end) or not is_stated(said, at, end):
            continue
        values = [known for name in owners for known in standing.by_name.get(name, ()) if known.numeric is not None]
        if values and not any(_is_within_limit(known, limit) for known in values):
            yield at, end
    for _, end, at, owners in standing.spoken.of_name(said, _BELOW_DETECTION):
        values = [known for name in owners for known in standing.by_name.get(name, ())]
        if values and all(known.numeric is not None and not known.comparator for known in values):
            yield at, end


def _numbers(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where a number is told of one side that is the other's, or with another unit than it was measured in."""
    for start, end, at, owners in standing.spoken.of_name(said, _NUMBER):
        own = of_side(owners, said[max(at - 3, 0) : start])
        values = [known for name in own for known in standing.by_name.get(name, ()) if known.numeric is not None]
        figure = Decimal(said[start:end])
        other = own != set(owners) and values and all(known.numeric != figure for known in values)
        unit = _UNIT_TOLD.match(said, end)
        if unit is not None and values and _is_other_quantity(figure, unit["unit"], values):
            other, end = True, unit.end()  # noqa: PLW2901 - with its unit
        if other and is_stated(said, at, end):
            yield at, end


_UNIT_TOLD = re.compile(
    r"\s?(?P<unit>个/?(?:[μu]l|hp|lp)?|(?:[mμunp]?mol|[mμunp]?g|[mμ]?i?u)/(?:[dm]?l)|mmhg|kpa)(?![a-z])"
)
_SAME_UNIT = {"ng/ml": "ug/l", "pg/ml": "ng/l", "ug/ml": "mg/l", "iu/l": "u/l", "mu/l": "miu/l", "uiu/ml": "miu/l", "uu/ml": "miu/l", "iu/ml": "u/ml"}  # fmt: skip
_KNOWN_UNIT = re.compile(r"(?:[munp]?mol|[munp]?g|[mu]?i?u)/(?:[dm]?l)|mmhg|kpa|个/.*")


def _unit(told: str) -> str:
    unit = plain(told).replace("μ", "u").replace("µ", "u").replace(" ", "")
    return _SAME_UNIT.get(unit, unit)


def _is_other_quantity(figure: Decimal, told: str, values: Collection[Known]) -> bool:
    """Say whether a figure with its unit is none of these values: another unit, or another number of what is counted (7个/μL)."""
    unit = _unit(told)
    held = [known for known in values if _KNOWN_UNIT.fullmatch(_unit(known.unit or ""))]
    if not held or len(held) < len(values):
        return False
    if unit.startswith("个"):
        return not any(known.numeric == figure and _unit(known.unit or "").startswith(unit) for known in held)
    same = any(_unit(known.unit or "") == unit for known in held)
    return not same and any(known.numeric == figure for known in held)


_QUANTITY = re.compile(
    r"(?P<item>[\u4e00-\u9fffa-z][\u4e00-\u9fffa-z0-9-]{1,14}?)\s?[:：=为是约]{0,2}\s?(?P<sign>[<>≤≥＜＞])?\s?\d+(?:\.\d+)?(?:[×x*]10\^?\d{1,2})?\s?"
    r"(?:[mμunp]?mol/l|[mμunp]?g/m?l|[mμ]?i?u/m?l|copies/ml|mmhg|/l(?![a-z])|dpm|个/[μu]l)"
)
_NO_ITEM = re.compile(
    r"^.?$|(?:今年|今日|今|现|本次|重抽|重测|复测|较|比|[左右]|餐后|空腹|晨|平均|最高|最低|随机|目标|控制|降至|升至|降到|以下|以上|每日|每次|剂量|补充|摄入|应|宜|需|不超过|超过|低于|高于|大于|小于|达|到|至|若|如|当|更正为|更正|复查|去年|上次|原)"
)


def _quantities(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where a quantity is told of something that nobody measured: HBV-DNA<20IU/mL."""
    for clause in re.finditer(r"[^,，。;；、\n(（]+", said):
        found = _QUANTITY.match(clause[0].lstrip())
        if found is None:
            continue
        start = clause.start() + len(clause[0]) - len(clause[0].lstrip())
        item, end = found["item"], start + found.end()
        if standing.spoken.said_in(item) or _NO_ITEM.search(item) or item in standing.told:
            continue
        if is_stated(said, start, end) and not _RULE.match(said, end):
            yield start, end


def _is_within_limit(known: Known, limit: re.Match[str]) -> bool:
    number, bound = known.numeric, Decimal(limit["figure"])
    assert number is not None
    below = limit["sign"] in ("<", "≤", "＜", "小于", "低于")
    return number <= bound if below else number >= bound


# --- what is claimed of items ---

_CLAIM = re.compile(
    r"\s?(?:[:：为呈]|结果|检[测查])?\s?(?P<claim>[(（]?(?:弱?阳性|阴性|[1-4]\+|\+{1,4}|[+±]|-(?=[)）]))[)）]?|[升增]高|偏高|降低|减低|偏低|异常|不正常)(?!率|者|时|可|会|与|的?风险|原因|家族|及以上)"
)
_ITEM = re.compile(r"(?:[\u4e00-\u9fff]|(?<![a-z0-9])[a-z])[\u4e00-\u9fffa-z0-9-]{1,11}$")
_RISEN = frozenset(("升高", "增高", "偏高"))
_SUNK = frozenset(("降低", "减低", "偏低"))
_VAGUE_SUBJECT = re.compile(
    r"(?:风险|几率|概率|危险|明显|显著|轻度|中度|重度|较前|进行性|持续|稍|略|仍|均|结果|指标|项目|其他|其余|检查|有|未见|若|如|出现|回声|密度|信号|形态|水平|部分|多项|功能|代谢|血流|复查|复检|初检|复测|更正为|转|家族史|病史|疫苗|^抗体|每|达|定期|浓度|指数)$|较|去年|上次|家族"
)


def _claims(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where something is claimed of an item of which no value says so, or of one that nobody measured."""
    for clause in re.finditer(r"[^,，。;；、\n]+", said):
        yield from _denied_items(clause, standing)
        found = _CLAIM.search(clause[0])
        if found is None:
            continue
        start, end = clause.start() + found.start(), clause.start() + found.end()
        head = _FIGURED.sub("", _ADVERBS.sub("", clause[0][: found.start()]))
        item = _ITEM.search(head)
        if item is None or not is_stated(said, start, end) or is_denied(said, clause.start(), end):
            continue
        subject, claim = item[0], found["claim"].strip()
        if _NOT_OF_NOW.search(clause[0]):
            continue
        owners = of_side(_owners(subject, standing) or standing.spoken.said_in(head), head)
        values = [known for name in owners for known in standing.by_name.get(name, ())]
        if owners:
            if not values or not _may_be(values, claim):
                yield clause.start() + item.start(), end
        elif claim != "阴性" and not (
            _VAGUE_SUBJECT.search(subject)
            or subject in standing.told
            or any(one.stands for one in read(clause[0]).mentions if one.known)
            or any(plain(name).startswith(subject[-3:]) for name in standing.names)
        ):
            yield clause.start() + item.start(), end


_ADVERBS = re.compile(r"(?:明显|显著|轻度|中度|重度|轻微|稍|略|仍|均|都|皆|全部|呈|为|示|结果|[:：])+$")
_FIGURED = re.compile(
    r"(?:\s?[(（:：=为是约]|\s|(?<=[\u4e00-\u9fff]))\s?[<>≤≥]?\d+(?:\.\d+)?(?:/\d+)?\s?[a-zμ/%^*×·.0-9]{0,14}[)）]?\s?$"
)
_MOST_OF_PART = 4
_NOT_OF_NOW = re.compile(r"初检|初测|初次|复测|原报告|复检|更正|家族|每(?=[升降])|^\s*(?:余|其余|其他|其它)")


def _owners(subject: str, standing: Standing) -> set[str]:
    """Return the items that words name: by any of their names, or by a part of one that says itself (表面抗体, Rh)."""
    named = standing.spoken.said_in(subject, glued=True)
    if named:
        return named
    return {
        name
        for name in standing.by_name
        if (len(subject) >= _MOST_OF_PART and subject in plain(name))
        or (subject.isascii() and len(subject) > 1 and plain(name).startswith(subject))
    }


_NONE_AT_ALL = re.compile(r"(?:无|未见|未检出)(?P<item>[\u4e00-\u9fffa-z0-9-]{2,10})")


def _denied_items(clause: re.Match[str], standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where an item is said not to be there whose value is: 无尿蛋白."""
    found = _NONE_AT_ALL.fullmatch(clause[0].strip())
    item = found["item"] if found is not None else ""
    owners = standing.spoken.said_in(item) if (0, len(item)) in standing.spoken.places(item) else set()
    if any(known.flag for name in owners for known in standing.by_name.get(name, ())):
        yield clause.start(), clause.end()


def _may_be(values: Iterable[Known], claim: str) -> bool:
    """Say whether any of these values may be what is claimed of them; that all are negative, whether none of them is positive."""
    held = list(values)
    flags = {known.flag for known in held}
    if claim in _RISEN:
        return bool(flags - {"", "L", "LL"})
    if claim in _SUNK:
        return bool(flags - {"", "H", "HH"})
    if claim in ("异常", "不正常"):
        return bool(flags - {""})
    claimed, reactions = reaction_of(claim), [reaction_of(known.text) for known in held if known.numeric is None]
    if claimed is None or None in reactions or not reactions:
        return True
    if claim == "阴性":
        return not any(one.positive for one in reactions if one is not None)
    return not all(claimed.denies(one) for one in reactions if one is not None)


# --- what is called normal ---

_WELL = re.compile(
    r"(?:大小便|二便|睡眠|饮食|食欲|精神|神志|一般情况|发育|营养|生活|工作|学习|月经|劳动|作息|心态|情绪|体力|步态|言语|活动|运动|妊娠|胎动|服药|[本此次上]+|体检)$|^(?:可以|能|恢复|保持|维持|如|若)"
)


def _normals(said: str, standing: Standing) -> Iterator[tuple[int, int]]:
    """Yield where something is called normal that nobody looked at, or of which something is described."""
    for subject, clause in called_normal(said):
        if _is_supported_normal(subject, standing):
            continue
        at, length = said.find(clause), len(clause)
        if at < 0:
            at, length = max(said.find(subject), 0), len(subject)
        if is_stated(said, at, at + length):
            yield at, at + length


_OF_A_DEPARTMENT = re.compile(r"[\u4e00-\u9fff]{1,8}(?:科|科室|门诊|检查)[:：]?")
"""What calls everything normal that a department found: held against all of that elsewhere."""
_ASPECT = re.compile(r"(?:形态|大小|轮廓|包膜|位置|体积|走行|光滑|及|、)+$")


def _is_supported_normal(subject: str, standing: Standing) -> bool:
    named = of_side(standing.spoken.said_in(subject, glued=True), subject)
    # What a description of another item tells of is that one's: 附件 of an ultrasound, beside a palpation that was refused.
    items = {name for name in named if name in standing.by_name or plain(name) not in standing.seen_words}
    if _ASPECT.search(subject):
        return all(dictionary().region_of.get(site, site) in standing.regions for site in sites_of(subject))
    measured = {name for name in items if name in standing.by_name}
    if measured and not any(name in subject for name in items - measured):
        return all(_is_well(standing.by_name[name], subject, standing) for name in measured)
    if items and not measured:
        return False
    if subject.endswith("功能"):
        return subject in standing.told
    sites = list(sites_of(subject)) or words_of_sites(subject)
    if sites:
        return all(_is_well_at(site, subject, standing) for site in sites)
    return bool(_WELL.search(subject)) or subject in standing.told or _OF_A_DEPARTMENT.fullmatch(subject) is not None


def _is_well(values: Iterable[Known], subject: str, standing: Standing) -> bool:
    book = dictionary()
    for known in values:
        if known.flag or _is_chosen_beside_normal(known):
            return False
        site = book.of_item.get(known.item_code, "")
        if known.numeric is None and site and not _is_well_at(site, subject, standing):
            return False
    return True


def _is_chosen_beside_normal(known: Known) -> bool:
    """Say whether 正常 could have been chosen of an item, and something else was, though that is usual as well: 窦性心律不齐."""
    return (
        bool(known.chosen)
        and any("正常" in one for one in known.choices)
        and not any("正常" in one for one in known.chosen)
    )


def _is_well_at(site: str, subject: str, standing: Standing) -> bool:
    """Say whether somebody looked at a site, by the means that is named, and nothing is described there, on the side that is named."""
    book = dictionary()
    if book.region_of.get(site, site) not in standing.regions or not _is_seen_by(site, subject, standing):
        return False
    side = next((one for one in "左右" if one in subject), "")
    there = [one for one in standing.mentions if one.site == site and one.known and one.assertion == "present"]
    sides = {side_of(one) for one in there}
    return not there if not side else not ({side, "双"} & sides or sides == {""})


def _is_seen_by(site: str, subject: str, standing: Standing) -> bool:
    """Say whether an item looked at a site by the means that words name, if they name one."""
    book = dictionary()
    for means in ways_of_looking():
        if not any(word in subject for word in means):
            continue
        return any(
            any(word in plain(known.item_name) for word in means)
            and (book.of_item.get(known.item_code) == site or site in set(sites_of(plain(known.text))))
            for known in standing.values
            if not known.unexamined
        )
    return True


def sites_of(said: str) -> Iterator[str]:
    """Yield the sites that a text in plain writing names."""
    book, plain_said, at = dictionary(), plain_writing(said), 0
    while at < len(plain_said):
        hit = book.match(plain_said, at)
        if hit is None:
            at += 1
            continue
        word, entry = hit
        if entry.site:
            yield entry.site
        at += len(word)
