"""What a description says: of which finding, at which site, and whether it is there. One reading of descriptive texts, driven by the dictionary. Pure.

A text is read sentence by sentence and clause by clause into mentions: concept, site, assertion, size, grade and the words that made them. What is
neither understood nor known as normal is kept as `unread`: a person reads it. The words are data (`dictionary`); how they act on each other is
here. A cue of denial holds for the list that follows it, up to a word that states or the end of its clause; 待排 and 可能 for their clause; 术后 and
病史 for what stands before them, 既往 and 陈旧 for what stands behind. Rather one sentence too many that a person reads than one that nobody does.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from itertools import zip_longest
from typing import Literal

from tjapi.knowledge.grades import PLAIN, SCHEMED, scheme_of, schemed
from tjapi.knowledge.lexicon import Concept, Dictionary, Figure, dictionary, plain_writing

Assertion = Literal["present", "possible", "absent", "historical", "family", "postoperative"]
ASSERTIONS: tuple[Assertion, ...] = ("present", "possible", "absent", "historical", "family", "postoperative")
STANDING: tuple[Assertion, ...] = ("present", "possible")
"""What is, or may be, there now."""
MOST_READ = 6000
"""So many characters of a text are read; what is longer is listed for a person."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a description speaks of. `words` are those that made it, as they stand there; `said` its sentence."""

    concept: str
    name: str
    site: str
    assertion: Assertion
    words: str
    said: str
    grave: bool = False
    known: bool = True
    compared: bool = False
    size_mm: Decimal | None = None
    grades: frozenset[str] = frozenset()

    @property
    def stands(self) -> bool:
        """Whether it is, or may be, there now."""
        return self.assertion in STANDING


@dataclass(frozen=True, slots=True)
class Description:
    """What a text says: its mentions in their order, and the sentences that hold what is neither understood nor known as normal."""

    mentions: tuple[Mention, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def grave(self) -> tuple[Mention, ...]:
        """What asks for a person at once."""
        return tuple(one for one in self.mentions if one.grave and one.stands)


@lru_cache(maxsize=4096)
def read(text: str, item_code: str = "", item_name: str = "") -> Description:
    """Read a description; `item_code` says of what it speaks where a sentence names no site, `item_name` which scheme its categories are of."""
    book = dictionary()
    site = book.of_item.get(item_code, "")
    reader = _Reader(book, site, scheme_of(item_name) or scheme_of(item_code))
    found, unread = [], []
    for sentence in _sentences(book, text[:MOST_READ]):
        mentions, understood = reader.sentence(sentence)
        found += mentions
        if not understood:
            unread.append(sentence.said)
    if len(text) > MOST_READ:
        unread.append(f"{text[MOST_READ : MOST_READ + 60]}…")
    if item_code in book.past_items:
        return Description(tuple(replace(one, assertion="historical") if one.stands else one for one in found))
    return Description(tuple(found), tuple(dict.fromkeys(unread)))


# --- sentences ---

_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence as it stands (`said`), and in plain writing without its blanks; `,` parts its clauses."""

    said: str
    plain: str


_STOP = re.compile(r"[\x01;!\n]+|(?<=\?)(?=.)|(?<![\d.])\.(?!\d)|(?<=\d)\.(?=[\s\u3400-\u9fff]|$)")
_BLANK = re.compile(r"[^\S\n]+|\n")
_NUMBER = re.compile(r"^\s*(?:\(?\d{1,2}[.、)](?!\d)|[①-⑳]|[一二三四五六七八九十]{1,3}[、.])\s*")


def _sentences(book: Dictionary, text: str) -> Iterable[_Sentence]:
    joined = _unwrapped(book, text)
    for piece in _pieces(joined):
        said = _NUMBER.sub("", piece).strip(" ,，、:：\t")
        plain = plain_writing(said).strip()
        if plain:
            yield _Sentence(said, _unblanked(plain))


def _pieces(text: str) -> Iterable[str]:
    plain, start = plain_writing(text), 0
    for found in _STOP.finditer(plain):
        yield from _cut(text[start : found.start()])
        start = found.end()
    yield from _cut(text[start:])


_MOST_OF_SENTENCE = 240


def _cut(piece: str) -> Iterable[str]:
    """Yield a sentence, or the parts of one that does not end, cut behind a comma where there is one: how long reading takes grows with its length."""
    while len(piece) > _MOST_OF_SENTENCE:
        at = max(piece.rfind(mark, 0, _MOST_OF_SENTENCE) for mark in ",，") + 1 or _MOST_OF_SENTENCE
        yield piece[:at]
        piece = piece[at:]
    yield piece


def _unwrapped(book: Dictionary, text: str) -> str:
    """Return a text in which a blank or line end within a word is none, and any other between Chinese words parts clauses or sentences."""
    plain, made, start = plain_writing(text), [], 0
    for found in _BLANK.finditer(plain):
        if found.start() < start:
            continue
        end = found.end()
        while end < len(plain) and plain[end].isspace():
            end += 1
        before, behind = plain[max(found.start() - 8, 0) : found.start()], plain[end : end + 8]
        made.append(text[start : found.start()])
        made.append(_joint(book, before, behind, "\n" if "\n" in plain[found.start() : end] else "，"))
        start = end
    return "".join(made) + text[start:]


def _joint(book: Dictionary, before: str, behind: str, apart: str) -> str:
    """Return what stands in the place of blanks between two pieces: nothing where a word goes over them, or a denial waits for what follows."""
    if not before or not behind:
        return ""
    if not (_HAN.match(before[-1]) and _HAN.match(behind[0])):
        return "\n" if apart == "\n" else " "
    both, edge = before + behind, len(before)
    for at in range(len(before)):
        hit = book.match(both, at)
        if hit is not None and at + len(hit[0]) > edge and len(hit[0]) > 1:
            return ""
    for size in (5, 4, 3, 2, 1):
        word = before[-size:]
        hit = book.match(word, 0) if len(word) == size else None
        if hit is not None and hit[0] == word and hit[1].roles & {"denies", "denies_next"}:
            return apart if before[:-size].endswith(":") else ""
    return apart


_INNER = re.compile(r"\s+")


def _unblanked(plain: str) -> str:
    return _INNER.sub(lambda found: " " if _latin(plain, found) else "", plain)


def _latin(plain: str, found: re.Match[str]) -> bool:
    return found.start() > 0 and found.end() < len(plain) and plain[found.start() - 1].isascii() and plain[found.end()].isascii()  # fmt: skip


# --- tokens ---


@dataclass(slots=True)
class _Token:
    word: str
    at: int
    roles: frozenset[str]
    concept: str = ""
    lesion: str = ""
    site: str = ""
    denied: bool = False

    @property
    def names(self) -> bool:
        """Whether it names something that may be there."""
        return bool(self.concept or self.lesion)

    @property
    def filler(self) -> bool:
        """Whether it says nothing by itself."""
        return bool(self.roles & {"neutral", "punctuation"}) and not self.names


_UNIT = (
    "mmhg|mm/s|cm/s|m/s|mm|cm|ml|kpa|bpm|次/分钟?|次/min|ms|mv|ng/ml|ug/l|pg/ml|u/ml|iu/l|u/l|miu/ml|db/m|db|hz|g/l|hu|%|°|'|mg|kg|g|s|"
    "岁|余?年|个?月|天|周|枚|个|度|点钟?|级|类|分|孔|支|颗|处|条|段|期|位"
)
_MEASURE = re.compile(rf"[<>±+\-约]?\d[\d.]*(?:\s?[x*/:\-]\s?\d[\d.]*)*\s?(?:{_UNIT})?")
_AGO = re.compile(r"\d+余?(?:年|个?月|周|天)(?:余)?前")
_PUNCTUATION = frozenset("、()[]{}\"'《》<>「」『』·:-/+*=%°.^~# _\\&|@‘’′″→↑↓±…")
_NOTHING, _MEASURED, _PAST, _UNKNOWN = map(frozenset, (["punctuation"], ["measure"], ["historical"], ["unknown"]))


@dataclass(slots=True)
class _Clause:
    """The tokens of a clause, and the mentions that its reader made of them."""

    tokens: list[_Token] = field(default_factory=list)
    mentions: list["_Made"] = field(default_factory=list)

    def first(self, role: str) -> int | None:
        """Return where the first token of a role stands."""
        return next((i for i, one in enumerate(self.tokens) if role in one.roles), None)

    def has(self, role: str) -> bool:
        """Say whether a token plays a role."""
        return any(role in one.roles for one in self.tokens)

    @property
    def names(self) -> bool:
        """Whether anything in it names something that may be there."""
        return any(one.names for one in self.tokens)

    @property
    def bare(self) -> bool:
        """Whether it is nothing but words of harm: it goes on with the list before it, 无压痛,反跳痛."""
        return self.names and all(one.names or one.filler for one in self.tokens)

    @property
    def calls_well(self) -> bool:
        """Whether it says of something that it is as it should be, or how large it is."""
        return any("predicates" in one.roles or one.roles is _MEASURED for one in self.tokens)

    @property
    def standing(self) -> list["Mention"]:
        """The mentions of what is, or may be, there."""
        return [one.mention for one in self.mentions if one.mention.stands]


@dataclass(slots=True)
class _Made:
    """A mention, and where its words stand."""

    at: int
    mention: "Mention"


def _clauses(book: Dictionary, plain: str) -> list[_Clause]:
    made, at = [_Clause()], 0
    while at < len(plain):
        if plain[at] == ",":
            made.append(_Clause())
            at += 1
            continue
        token = _token(book, plain, at)
        own = made[-1].tokens
        if token.roles is _UNKNOWN and own and own[-1].roles is _UNKNOWN and own[-1].at + len(own[-1].word) == at:
            own[-1].word += token.word
        else:
            own.append(token)
        at += len(token.word)
    return [one for one in made if one.tokens]


def _token(book: Dictionary, plain: str, at: int) -> _Token:
    hit = book.match(plain, at)
    if hit is None or plain[at].isdigit():
        if (ago := _AGO.match(plain, at)) is not None:
            return _Token(ago[0], at, _PAST)
        measured = _MEASURE.match(plain, at)
        if measured is not None and (hit is None or len(measured[0]) > len(hit[0])):
            return _Token(measured[0], at, _MEASURED)
    if hit is not None:
        return _Token(hit[0], at, hit[1].roles, hit[1].concept, hit[1].lesion, hit[1].site)
    return _Token(plain[at], at, _NOTHING if plain[at] in _PUNCTUATION else _UNKNOWN)


# --- whether it is there ---

_EXCLUDES = ("排除", "除外")
_AS_IT_SHOULD = frozenset(("正常", "如常", "无殊", "正常范围", "存在"))  # fmt: skip
"""What takes a word of harm back that stands right before it: 软组织影正常."""
_DENIES_BEHIND = frozenset(("无", "未及"))  # fmt: skip
_LISTS = frozenset(("、", "及", "和", "或", "与"))
_FORWARD = frozenset(("既往", "曾", "曾有", "曾患", "曾行", "曾经", "陈旧", "陈旧性", "旧", "既往史", "过去", "幼时", "儿时", "原有", "遗留", "遗有"))  # fmt: skip
"""Cues of history that speak of what follows them; any other speaks of what stands before it."""


def _deny(clauses: Sequence[_Clause], book: Dictionary) -> None:
    """Mark what is denied: what follows a cue in its list, what a cue follows, and bare words that go on with a list over a comma."""
    carried = False
    for clause in clauses:
        # A grave word that stands alone behind a comma is rather there than denied.
        carried = _deny_behind(clause.tokens, book, carried=carried and clause.bare)
        _deny_before(clause.tokens)


def _deny_behind(tokens: Sequence[_Token], book: Dictionary, *, carried: bool) -> bool:
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


def _deny_before(tokens: Sequence[_Token]) -> None:
    for i, token in enumerate(tokens):
        if token.word in _AS_IT_SHOULD and i and tokens[i - 1].names:
            tokens[i - 1].denied = True
        if "denied_after" not in token.roles:
            continue
        behind = (one for one in tokens[i + 1 :] if not (one.filler or "between" in one.roles))
        if ("denies" in token.roles or token.word in _DENIES_BEHIND) and any(behind):
            continue
        for one in _before_brackets(tokens[:i]):
            if one.names:
                one.denied = True
            elif not (one.filler or one.roles & {"between", "compared"}):
                break


def _before_brackets(tokens: Sequence[_Token]) -> Iterable[_Token]:
    """Yield tokens backwards, without what stands in brackets: 骨折(右桡骨)愈合."""
    depth = 0
    for one in reversed(tokens):
        depth += (one.word == ")") - (one.word == "(" and depth > 0)
        if not depth:
            yield one


def _is_grave(book: Dictionary, token: _Token) -> bool:
    return book.named(token.concept or token.lesion).grave


def _is_exception(tokens: Sequence[_Token], at: int) -> bool:
    return tokens[at].word == "除外" and any(one.word == "除" for one in tokens[:at])


def _assertions(clause: _Clause) -> dict[int, Assertion]:
    """Return what a clause asserts of each token that names something, by its place: one pass forward, one backward."""
    tokens = clause.tokens
    possible = clause.has("possible")
    family = any(one.word.startswith("家族") for one in tokens)
    again = [i for i, one in enumerate(tokens) if "returned" in one.roles and not one.denied]
    behind = _said_behind(tokens)
    found: dict[int, Assertion] = {}
    was = ago = supposed = advised = False
    for i, token in enumerate(tokens):
        roles = token.roles
        if token.names:
            returned = any(j != i for j in again)
            found[i] = _assertion(
                token, family=family, supposed=supposed, possible=possible or advised,
                past="" if returned else behind[i] or ("historical" if was or ago else ""),
            )  # fmt: skip
        elif "states" in roles:
            was = False
        family = family or "family" in roles
        was = was or token.word in _FORWARD
        ago = ago or roles is _PAST
        supposed = supposed or "supposed" in roles
        advised = advised or "advises" in roles
    return found


def _assertion(token: _Token, *, family: bool, supposed: bool, possible: bool, past: str) -> Assertion:
    says: tuple[tuple[Assertion, bool], ...] = (
        ("absent", token.denied),
        ("family", family),
        ("postoperative", past == "postoperative"),
        ("historical", past == "historical"),
        ("absent", supposed),
        ("possible", possible),
    )
    return next((assertion for assertion, holds in says if holds), "present")


def _said_behind(tokens: Sequence[_Token]) -> list[str]:
    """Return of each place whether 术后 or 病史 stands behind it, before anything is stated anew."""
    found, said = [""] * len(tokens), ""
    for i in range(len(tokens) - 1, -1, -1):
        token = tokens[i]
        found[i] = said
        if "operated" in token.roles:
            said = "postoperative"
        elif "historical" in token.roles and token.word not in _FORWARD and token.roles is not _PAST:
            said = said or "historical"
        elif "states" in token.roles and not token.names:
            said = ""
    return found


# --- reading a sentence ---

_AGED = frozenset(("绝经后", "老年性", "老年性改变", "绝经期", "绝经", "老年", "年龄相关", "绝经后改变"))  # fmt: skip
_OF_AGE = frozenset(("ATROPHY", "DEGENERATION"))
"""What is as it should be at an age, where a sentence says that it is of that age."""
_NEEDED = re.compile(
    "肺纹理|血流|搏动|蠕动|反射|呼吸音|肠鸣音|胎心|显影|显示|正常|孕囊|充盈|流空|动度|意识|应答|自主呼吸"
)
"""What is missed where it is denied: 未探及血流信号, 无自主呼吸, 未见正常结构."""
_MOST_UNKNOWN = 24
_PAIR = 2
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_HALF = 50
"""Under so many of a hundred a vessel's narrowing is not grave."""
_SHARE = re.compile(r"(\d{2,3}(?:\.\d)?)\s?%")
_FELT = re.compile("[触扪及闻]")
_MAY_BE_MISSING = frozenset(("NODE", "SUPRACLAVICULAR", "AXILLA", "APPENDIX", "SALIVARY"))


_LOWERED = "降为"
"""What takes a category back in the same breath: BI-RADS 4A类…降为3类."""


class _Reader:
    """Reads the sentences of one text one after the other; of which site a sentence speaks that names none, the one before it said."""

    def __init__(self, book: Dictionary, site: str, scheme: str) -> None:
        self._book, self._site, self._scheme = book, site, scheme

    def sentence(self, sentence: _Sentence) -> tuple[list[Mention], bool]:
        """Return what a sentence speaks of, and whether all of it is understood or known as normal."""
        clauses = _clauses(self._book, sentence.plain)
        _deny(clauses, self._book)
        aged = any(one.word in _AGED for clause in clauses for one in clause.tokens)
        for clause in clauses:
            self._read(clause, sentence, aged=aged)
        _take_back_usual(clauses)
        understood = self._is_understood(clauses)
        grades = self._grades(sentence.plain)
        _size([made for clause in clauses for made in clause.mentions], _sizes(sentence.plain))
        stated = ",".join(map(_stated, clauses))
        found = [
            self._weighed(replace(made.mention, grades=grades), sentence.plain, stated)
            for clause in clauses
            for made in clause.mentions
        ]
        found += self._graded(grades, sentence) if _LOWERED not in stated else []
        figured = [one for clause in clauses for one in self._figured(clause, sentence)]
        found += [one for one in figured if one.grave]
        if not any(one.grave and one.stands for one in found):
            understood = understood and not figured and not any(map(_is_urgent, clauses))
        return found, understood

    def _read(self, clause: _Clause, sentence: _Sentence, *, aged: bool) -> None:
        """Make the mentions of a clause."""
        compared = clause.has("compared")
        for i, assertion in _assertions(clause).items():
            token = clause.tokens[i]
            site = self._site_of(clause.tokens, i)
            concept = self._book.concepts[token.concept] if token.concept else self._book.concept_of(token.lesion, site)
            if concept.weak or concept.usual:
                continue
            grave = concept.grave and not self._is_calmed(concept, token, clause.tokens, i, sentence.plain)
            mention = Mention(
                concept.code, self._name(concept, site), site, "absent" if aged and token.lesion in _OF_AGE else assertion,
                _words(sentence, token), sentence.said, grave, concept.known, compared,
            )  # fmt: skip
            clause.mentions.append(_Made(token.at, mention))

    def _is_calmed(self, concept: Concept, token: _Token, tokens: Sequence[_Token], at: int, plain: str) -> bool:
        """Say whether what would be grave is getting better, or stands beside words by which its mere word of harm is not."""
        of_lesion = self._book.lesions[token.lesion].calm if token.lesion else ()
        return (concept.eases and _eases(tokens, at)) or any(word in plain for word in of_lesion)

    def _name(self, concept: Concept, site: str) -> str:
        return concept.name if concept.known or not site else f"{self._book.sites[site]}{concept.name}"

    def _site_of(self, tokens: Sequence[_Token], at: int) -> str:
        """Return the site of what a token names: the last before it in its clause, the next behind it, or that of which was spoken last."""
        near = [*(one.site for one in reversed(tokens[: at + 1]) if one.site), *(one.site for one in tokens[at + 1 :] if one.site)]  # fmt: skip
        own = next((site for site in near if site not in self._book.vague), "")
        self._site = own or self._site
        return self._site or next(iter(near), "")

    # --- grades, sizes and figures ---

    def _grades(self, plain: str) -> frozenset[str]:
        found = {schemed(one) for one in SCHEMED.finditer(plain)}
        if not found and self._scheme:
            found = {(self._scheme, schemed(one)[1]) for one in PLAIN.finditer(plain)}
        return frozenset(f"{scheme}:{grade}" for scheme, grade in found)

    def _graded(self, grades: Iterable[str], sentence: _Sentence) -> list[Mention]:
        """Return what the grave categories of a sentence are by themselves."""
        made = []
        for said in sorted(filter(self._is_grave_grade, grades)):
            name, _, grade = said.partition(":")
            of = self._book.schemes[name]
            words = f"{name.upper()}-RADS {grade}类"
            made.append(Mention(of.concept.code, of.concept.name, of.site, "present", words, sentence.said, True, grades=frozenset({said})))  # fmt: skip
        return made

    def _is_grave_grade(self, said: str) -> bool:
        scheme, _, grade = said.partition(":")
        return scheme in self._book.schemes and grade[:1] in self._book.schemes[scheme].grave

    def _figured(self, clause: _Clause, sentence: _Sentence) -> list[Mention]:
        """Return what the figures of a clause say that is not usual, grave or not."""
        made = []
        for i, token in enumerate(clause.tokens):
            figures: Sequence[Figure] = self._book.figures.get(token.word, ())
            measured = next((one for one in clause.tokens[i + 1 : i + 4] if one.roles is _MEASURED), None)
            if not figures or measured is None:
                continue
            numbers = [Decimal(one) for one in _NUMBERS.findall(measured.word)]
            if len(numbers) < max(one.of for one in figures):
                continue
            beside = "".join(one.word for one in clause.tokens[i + 1 : i + 6])
            for figure in figures:
                if any(unit in beside for unit in figure.elsewhere):
                    continue
                number = numbers[figure.of - 1]
                if not figure.is_usual(number):
                    words = f"{token.word}{measured.word}"
                    made.append(Mention("FIGURE", figure.name, "", "present", words, sentence.said, figure.is_grave(number)))  # fmt: skip
        return made

    def _weighed(self, one: Mention, plain: str, stated: str) -> Mention:
        """Return a mention, grave or not by its size, its grade and the words beside it; `stated` is what its sentence does not deny."""
        concept = self._book.named(one.concept)
        large = concept.from_mm is not None and one.size_mm is not None and one.size_mm >= concept.from_mm
        grave = (one.grave or large) and not any(word in plain for word in concept.calm)
        grave = grave or any(word in stated for word in concept.worse)
        if concept.from_percent is not None and (shares := [Decimal(share) for share in _SHARE.findall(plain)]):
            grave = max(shares) >= concept.from_percent or (grave and max(shares) >= _HALF)
        if concept.by_grade and one.grades:
            grave = any(map(self._is_grave_grade, one.grades))
        if not grave and one.stands and any(word in plain for word in concept.unless):
            return replace(one, assertion="absent")
        return replace(one, grave=grave)

    # --- whether it is understood ---

    def _is_understood(self, clauses: Sequence[_Clause]) -> bool:
        """Say whether no clause of a sentence needs a reader."""
        among_well = any(clause.calls_well or clause.has("denies") for clause in clauses)
        named = False
        for clause, following in zip_longest(clauses, clauses[1:]):
            usual = clause.has("physiological") or (following is not None and following.has("physiological"))
            if not usual and not self._needs_none(clause, named=named, among_well=among_well):
                return False
            named = named or any(one.known for one in clause.standing)
        return True

    def _needs_none(self, clause: _Clause, *, named: bool, among_well: bool) -> bool:
        """Say whether a clause needs no reader: what stands in it is a concept, or nothing does and its words are known. `named`: a concept stands before it."""
        standing = clause.standing
        if standing:
            return any(one.known for one in standing)
        denial = clause.first("denies")
        wrong = self._is_weak(clause) or (denial is not None and _is_missed(clause, denial))
        if wrong:
            return named and not (denial is not None and _misses_needed(clause, denial))
        unknown = [
            one
            for i, one in enumerate(clause.tokens[:denial])
            if "unknown" in one.roles and not (i and "denies_next" in clause.tokens[i - 1].roles)
        ]
        if not unknown or "advises" in clause.tokens[0].roles:
            return True
        if clause.has("possible") and not clause.names:
            return False
        well = denial is not None or clause.calls_well
        return not any(self._is_strange(one.word, well=well, among_well=among_well) for one in unknown)

    def _is_weak(self, clause: _Clause) -> bool:
        """Say whether a clause only describes something that is not as it should be: 边界不清, 不清晰."""
        return any(
            (one.lesion and self._book.lesions[one.lesion].weak and not one.denied)
            or (
                "denies_next" in one.roles and i + 1 < len(clause.tokens) and "predicates" in clause.tokens[i + 1].roles
            )
            for i, one in enumerate(clause.tokens)
        )

    def _is_strange(self, word: str, *, well: bool, among_well: bool) -> bool:
        """Say whether a word that nobody knows might be harm; where its clause calls things well, only one that surely is."""
        if len(word) > _MOST_UNKNOWN:
            return True
        if well:
            return any(char in self._book.strong for char in word)
        return (len(word) > 1 and not among_well) or any(char in self._book.hazards for char in word)


def _eases(tokens: Sequence[_Token], at: int) -> bool:
    """Say whether what stands at a place is said to be less than before."""
    for one in tokens[at + 1 :]:
        if "easing" in one.roles:
            return True
        if not (one.names or one.filler or one.roles & {"compared", "between", "site", "aspects"}):
            return False
    return False


def _take_back_usual(clauses: Sequence[_Clause]) -> None:
    """Take back what a clause calls physiological: what it names itself, else what was named last, 导管增宽,为生理性. What is grave stays."""
    for i, clause in enumerate(clauses):
        if any("physiological" in one.roles and not one.names for one in clause.tokens):
            named = next((near for near in reversed(clauses[: i + 1]) if near.standing), clause)
            for made in named.mentions:
                if made.mention.stands and not made.mention.grave:
                    made.mention = replace(made.mention, assertion="absent")


def _misses_needed(clause: _Clause, denial: int) -> bool:
    """Say whether what is denied is nothing of harm, and is missed: 未探及血流信号."""
    behind = clause.tokens[denial + 1 :]
    return not any(one.names for one in behind) and _NEEDED.search("".join(one.word for one in behind)) is not None


def _is_missed(clause: _Clause, denial: int) -> bool:
    """Say whether something is denied that should be there; an organ that is not felt, or a node that is not seen, need not be."""
    tokens = clause.tokens
    if _misses_needed(clause, denial):
        return True
    if clause.names or any(not one.filler or len(one.word) > 1 for one in tokens[denial + 1 :]):
        return False
    listed = denial > 0 and tokens[denial - 1].word == ":" and not any(one.site for one in tokens[:denial])
    felt = _FELT.search(tokens[denial].word) is not None
    return not (listed or felt or any(one.site in _MAY_BE_MISSING for one in tokens[:denial]))


def _stated(clause: _Clause) -> str:
    """Return the words of a clause before whatever it denies; none where it denies at its end, 眩晕无."""
    if "denied_after" in clause.tokens[-1].roles:
        return ""
    return "".join(one.word for one in clause.tokens[: clause.first("denies")])


def _is_urgent(clause: _Clause) -> bool:
    """Say whether something makes of what is there more than it is, or asks somebody to see to it: 大量, 固定, 立即."""
    return any("urges" in one.roles for one in clause.tokens[: clause.first("denies")])


def _words(sentence: _Sentence, token: _Token) -> str:
    """Return the words of a token as they stand in its sentence, as far as blanks did not part them."""
    if len(sentence.plain) != len(sentence.said):
        return token.word
    return sentence.said[token.at : token.at + len(token.word)]


_SIZE = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s?(?:mm|cm)?\s?[x*]\s?(\d+(?:\.\d+)?))?(?:\s?(?:mm|cm)?\s?[x*]\s?(\d+(?:\.\d+)?))?\s?(mm|cm)(?!/|h)"
)
_NOT_THE_SIZE = re.compile(
    r"(?:距|距离|内径|内膜厚|管径|宽|深|肋下|肋缘下|剑下|间距|向[上下]|进镜|插入|间隔|层厚)[^,]{0,8}$"
)


def _sizes(plain: str) -> list[tuple[int, Decimal]]:
    found = []
    for one in _SIZE.finditer(plain):
        if _NOT_THE_SIZE.search(plain[max(one.start() - 12, 0) : one.start()]):
            continue
        largest = max(Decimal(number) for number in one.groups()[:3] if number)
        found.append((one.start(), largest * (10 if one[4] == "cm" else 1)))
    return found


def _size(found: Sequence[_Made], sizes: Iterable[tuple[int, Decimal]]) -> None:
    """Give mentions their sizes: a size is of what stands last before it, or first behind it; the largest counts."""
    standing = [one for one in found if one.mention.stands]
    for at, size in sizes:
        before = [one for one in standing if one.at < at]
        of = before[-1] if before else next((one for one in standing if one.at > at), None)
        if of is not None:
            of.mention = replace(of.mention, size_mm=max(size, of.mention.size_mm or size))
