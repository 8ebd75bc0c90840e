"""What a description says: of which finding, at which site, and whether it is there. One reading of descriptive texts, driven by the dictionary. Pure.

A text is read sentence by sentence and clause by clause into mentions: concept, site, assertion, size, grade and the words that made them. What is
neither understood nor known as normal is kept as `unread`: a person reads it. The words are data (`dictionary/*.toml`); how they act on each
other is here: a cue of denial holds for the list that follows it, up to a word that states or the end of its clause; 待排 and 可能 for what stands in
their clause; 术后 and 病史 for what stands before them, 既往 and 陈旧 for what stands behind.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.grades import PLAIN, SCHEMED, scheme_of, schemed

Assertion = Literal["present", "possible", "absent", "historical", "family", "postoperative"]
ASSERTIONS: tuple[Assertion, ...] = ("present", "possible", "absent", "historical", "family", "postoperative")
STANDING: tuple[Assertion, ...] = ("present", "possible")
"""What is, or may be, there now."""
MOST_READ = 6000
"""So many characters of a text are read; what is longer is listed for a person."""


# --- the dictionary ---


@dataclass(frozen=True, slots=True)
class Concept:
    """What may be found. `grave`: a person looks at once; `from_mm`: only from that size; `from_percent`: in any case from that share; `calm`: not beside these words; `by_grade`: as its grade is.

    `usual`: it is no finding. `known`: it is a concept of its site; a mere word of harm is not, and is listed for the reviewer where it stands.
    """

    code: str
    name: str
    grave: bool = False
    from_mm: Decimal | None = None
    from_percent: Decimal | None = None
    by_grade: bool = False
    calm: tuple[str, ...] = ()
    known: bool = True
    weak: bool = False
    usual: bool = False


@dataclass(frozen=True, slots=True)
class _Figure:
    """What a figure beside a word says: the `of`-th one of 150/95, what is usual, and what asks for a person at once."""

    name: str
    of: int
    low: Decimal | None
    high: Decimal | None
    grave_low: Decimal | None
    grave_high: Decimal | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a word of the dictionary may do: its roles, the concepts that it names, and the lesion or site that it is."""

    roles: frozenset[str]
    concept: str = ""
    lesion: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The words, ready to be sought: by their first characters, longest first."""

    concepts: Mapping[str, Concept]
    lesions: Mapping[str, Concept]
    at_site: Mapping[tuple[str, str], str]
    not_grave_at: Mapping[str, frozenset[str]]
    site_names: Mapping[str, str]
    vague: frozenset[str]
    of_item: Mapping[str, str]
    words: Mapping[str, Sequence[tuple[str, _Entry]]]
    hazards: frozenset[str]
    strong: frozenset[str]
    figures: Mapping[str, Sequence[_Figure]]
    schemes: Mapping[str, tuple[Concept, str, frozenset[str]]]
    """Of each scheme of categories: its concept, the site that it is of, and which categories are grave by their number."""

    @property
    def codes(self) -> frozenset[str]:
        """Every code that a condition may ask for."""
        return frozenset(self.concepts) | frozenset(self.lesions)

    def concept_of(self, lesion: str, site: str) -> Concept:
        """Return what a word of harm is at a site: its concept, or the mere harm."""
        code = self.at_site.get((lesion, site))
        if code is not None:
            return self.concepts[code]
        harm = self.lesions[lesion]
        return replace(harm, grave=False) if site in self.not_grave_at.get(lesion, ()) else harm

    def match(self, text: str, at: int) -> tuple[str, _Entry] | None:
        """Return the longest word that begins at a place."""
        for key in (text[at : at + 2], text[at]):
            for word, entry in self.words.get(key, ()):
                if text.startswith(word, at) and _stands(text, at, word, entry):
                    return word, entry
        return None


def _stands(text: str, at: int, word: str, entry: _Entry) -> bool:
    """Say whether a Latin word at a place is no part of a longer one: CA is not in CA125."""
    first, last = word[0], word[-1]
    if first.isascii() and first.isalnum() and at and text[at - 1].isascii() and text[at - 1].isalpha():
        return False
    behind = text[at + len(word) : at + len(word) + 1]
    if not (last.isascii() and last.isalnum() and behind.isascii()):
        return True
    if last.isdigit():
        return not behind.isdigit()
    return not (behind.isalnum() if entry.concept or entry.lesion else behind.isalpha())


@cache
def dictionary() -> Dictionary:
    """Return the dictionary that ships with this context; it is read once."""
    at = resources.files("tjapi.knowledge") / "dictionary"
    read = {name: tomllib.loads((at / f"{name}.toml").read_text("utf-8")) for name in ("sites", "lesions", "concepts", "phrases")}  # fmt: skip
    return _compiled(read["sites"]["sites"], read["lesions"]["lesions"], read["concepts"]["concepts"], read["phrases"])


def _compiled(
    sites: Sequence[Mapping[str, Any]],
    lesions: Sequence[Mapping[str, Any]],
    concepts: Sequence[Mapping[str, Any]],
    phrases: Mapping[str, Any],
) -> Dictionary:
    parts: dict[str, list[str]] = {}
    for site in sites:
        parts.setdefault(site.get("part_of", ""), []).append(site["code"])
    held: dict[str, dict[str, Any]] = {}

    def put(words: str, role: str, **more: str) -> None:
        for word in words.split():
            entry = held.setdefault(_plain(word), {"roles": set()})
            entry["roles"].add(role)
            for key, value in more.items():
                entry.setdefault(key, value)

    by_site: dict[tuple[str, str], str] = {}
    for one in concepts:
        put(one.get("words", ""), "concept", concept=one["code"])
        for lesion in one.get("of", "").split():
            for code in one.get("sites", "").split():
                by_site.setdefault((lesion, code), one["code"])
    for (lesion, code), concept in list(by_site.items()):
        for part in parts.get(code, ()):
            by_site.setdefault((lesion, part), concept)
    for one in lesions:
        put(one["words"], "lesion", lesion=one["code"])
    for role, words in phrases["cues"].items():
        put(words, role)
    for role in ("predicates", "aspects", "neutral"):
        put(phrases["normal"][role], role)
    for site in sites:
        put(site["words"], "site", site=site["code"])
    index: dict[str, list[tuple[str, _Entry]]] = {}
    for word, entry in held.items():
        roles = frozenset(entry["roles"])
        # A word that names a finding names nothing else; what is both a word of harm and a cue is both.
        made = _Entry(roles, entry.get("concept", ""), "" if "concept" in roles else entry.get("lesion", ""), entry.get("site", ""))  # fmt: skip
        index.setdefault(word[:2], []).append((word, made))
    for some in index.values():
        some.sort(key=lambda pair: -len(pair[0]))
    return Dictionary(
        {one["code"]: _concept(one, known=True) for one in concepts},
        {one["code"]: _concept(one, known=False) for one in lesions},
        by_site,
        {one["code"]: frozenset(one.get("not_at", "").split()) for one in lesions},
        {site["code"]: site["name"] for site in sites},
        frozenset(site["code"] for site in sites if site.get("vague")),
        {item: site["code"] for site in reversed(sites) for item in site.get("items", "").split()},
        index,
        frozenset(phrases["normal"]["hazards"]),
        frozenset(phrases["normal"]["strong"]),
        _figures(phrases["figures"]),
        {
            one["scheme"]: (_concept(one, known=True), one["site"], frozenset(one["grave_grades"].split()))
            for one in concepts
            if "scheme" in one
        },
    )


def _figures(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[_Figure]]:
    found: dict[str, list[_Figure]] = {}
    for row in rows:
        bounds = [Decimal(row[name]) if name in row else None for name in ("from", "to", "grave_to", "grave_from")]
        for word in row["words"].split():
            found.setdefault(word, []).append(_Figure(row["name"], row.get("of", 1), *bounds))
    return found


def _concept(one: Mapping[str, Any], *, known: bool) -> Concept:
    from_mm = one.get("grave_from_mm")
    return Concept(
        one["code"], one["name"], bool(one.get("grave")), Decimal(from_mm) if from_mm is not None else None,
        Decimal(one["grave_from_percent"]) if "grave_from_percent" in one else None, bool(one.get("by_grade")), tuple(map(_plain, one.get("calm", "").split())), known, bool(one.get("weak")), bool(one.get("usual")),
    )  # fmt: skip


# --- what a text says ---


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
    return Description(tuple(found), tuple(dict.fromkeys(unread)))


# --- sentences ---

_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: 0x20, ord("|"): ord(";"), ord("。"): ord("\x01"), ord("×"): ord("x"), ord("＊"): ord("x"), ord("－"): ord("-"), ord("–"): ord("-"), ord("—"): ord("-"),
    ord("~"): ord("-"), ord("“"): ord('"'), ord("”"): ord('"'), ord("【"): ord("("), ord("】"): ord(")"), ord("〔"): ord("("), ord("〕"): ord(")"), ord("≥"): ord(">"), ord("≤"): ord("<"),
}  # fmt: skip
_HAN = re.compile(r"[\u3400-\u9fff]")


def _plain(text: str) -> str:
    """Return a text in the writing in which words are sought, every character in its place."""
    plain = simplified(text).translate(_WIDTHS)
    small = plain.lower()
    return small if len(small) == len(plain) else plain


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
        plain = _plain(said).strip()
        if plain:
            yield _Sentence(said, _unblanked(plain))


def _pieces(text: str) -> Iterable[str]:
    plain, start = _plain(text), 0
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
    plain, made, start = _plain(text), [], 0
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
    clause: int = 0

    @property
    def names(self) -> bool:
        return bool(self.concept or self.lesion)

    @property
    def filler(self) -> bool:
        return bool(self.roles & {"neutral", "punctuation"}) and not self.names


_MEASURE = re.compile(
    r"[<>±+\-约]?\d[\d.]*(?:\s?[x*/:\-]\s?\d[\d.]*)*\s?(?:mmhg|mm/s|cm/s|m/s|mm|cm|ml|kpa|bpm|次/分钟?|次/min|ms|mv|ng/ml|ug/l|pg/ml|u/ml|iu/l|u/l|miu/ml|db/m|db|hz|g/l|hu|%|°|'|mg|kg|g|s|岁|余?年|个?月|天|周|枚|个|度|点钟?|级|类|分|孔|支|颗|处|条|段|期|位|岁)?"
)
_AGO = re.compile(r"\d+余?(?:年|个?月|周|天)(?:余)?前")
_PUNCTUATION = frozenset("、()[]{}\"'《》<>「」『』·:-/+*=%°.^~# _\\&|@‘’′″→↑↓±…")
_NOTHING = frozenset({"punctuation"})
_MEASURED = frozenset({"measure"})
_PAST = frozenset({"historical"})
_UNKNOWN = frozenset({"unknown"})


def _tokens(book: Dictionary, plain: str) -> list[_Token]:
    found: list[_Token] = []
    at = clause = 0
    while at < len(plain):
        char = plain[at]
        if char == ",":
            clause += 1
            at += 1
            continue
        hit = book.match(plain, at)
        measured = None
        if hit is None or char.isdigit():
            if (ago := _AGO.match(plain, at)) is not None:
                found.append(_Token(ago[0], at, _PAST, clause=clause))
                at = ago.end()
                continue
            measured = _MEASURE.match(plain, at)
        if measured is not None and (hit is None or len(measured[0]) > len(hit[0])):
            found.append(_Token(measured[0], at, _MEASURED, clause=clause))
            at = measured.end()
        elif hit is not None:
            word, entry = hit
            found.append(_Token(word, at, entry.roles, entry.concept, entry.lesion, entry.site, clause=clause))
            at += len(word)
        else:
            if char in _PUNCTUATION:
                found.append(_Token(char, at, _NOTHING, clause=clause))
            elif found and found[-1].roles is _UNKNOWN and found[-1].clause == clause and found[-1].at + len(found[-1].word) == at:  # fmt: skip
                found[-1].word += char
            else:
                found.append(_Token(char, at, _UNKNOWN, clause=clause))
            at += 1
    return found


# --- reading a sentence ---

_AGED = frozenset(("绝经后", "老年性", "老年性改变", "绝经期", "绝经", "老年", "年龄相关", "绝经后改变"))
_OF_AGE = frozenset(("ATROPHY", "DEGENERATION"))
"""What is as it should be at an age, where a sentence says that it is of that age."""
_EXCLUDES = ("排除", "除外")
_SIGNS = frozenset(
    (
        "征象",
        "影",
        "表现",
        "改变",
        "信号",
        "回声",
        "所见",
        "情况",
        "征",
        "试验",
        "检查",
        "程度",
        "证据",
        "范围",
        "各型",
        "图像",
    )
)
"""What may stand between a word of harm and its denial: 受压征象均无."""
_AS_IT_SHOULD = frozenset(("正常", "如常", "无殊", "正常范围", "未见异常", "存在"))
_NEEDED = re.compile(
    r"肺纹理|血流|搏动|蠕动|反射|呼吸音|肠鸣音|胎心|显影|显示|正常|孕囊|充盈|流空|动度|意识|应答|自主呼吸"
)
"""What is missed where it is denied: 未探及血流信号, 无自主呼吸, 未见正常结构."""
_FORWARD = frozenset(("既往", "曾", "曾有", "曾患", "曾行", "曾经", "陈旧", "陈旧性", "旧", "既往史", "过去", "幼时", "儿时", "原有", "后遗"))  # fmt: skip
_MOST_UNKNOWN = 24


class _Reader:
    """Reads the sentences of one text one after the other; what a sentence does not say, the one before it said: the site."""

    def __init__(self, book: Dictionary, site: str, scheme: str) -> None:
        self._book, self._site, self._scheme = book, site, scheme
        self._item_site = site

    def sentence(self, sentence: _Sentence) -> tuple[list[Mention], bool]:
        """Return what a sentence speaks of, and whether all of it is understood or known as normal."""
        tokens = _tokens(self._book, sentence.plain)
        clauses = _grouped(tokens)
        self._deny(clauses)
        grades = self._grades(sentence.plain)
        sizes = _sizes(sentence.plain)
        found: list[tuple[_Token, Mention]] = []
        understood = True
        named = False
        doubted: bool | None = None
        among_well = any(_calls_well(clause) or _first(clause, "denies") is not None for clause in clauses)
        aged = any(one.word in _AGED for one in tokens)
        for clause in clauses:
            made = [(token, self._mention(token, clause, sentence)) for token in clause if token.names]
            own = [
                (token, replace(one, assertion="absent") if aged and token.lesion in _OF_AGE else one)
                for token, one in made
                if one is not None
            ]
            found += own
            if any("physiological" in one.roles and not one.names for one in clause):
                found[:] = [
                    (token, one if one.grave or not one.stands else replace(one, assertion="absent"))
                    for token, one in found
                ]
                own = found[len(found) - len(own) :] if own else own
                if doubted is not None:
                    understood = doubted
            doubted = understood
            standing = [one for _, one in own if one.stands]
            named_here = any(one.known for one in standing)
            if not self._understood(clause, standing, named=named, among_well=among_well):
                understood = False
            named = named or named_here
        mentions = _sized(found, sizes)
        mentions = [replace(one, grades=frozenset(f"{scheme}:{grade}" for scheme, grade in grades)) for one in mentions]
        mentions += self._graded(grades, sentence)
        for clause in clauses:
            said = self._figured(clause, sentence)
            mentions += [one for one in said if one is not None]
            understood = understood and not said
        weighed = [self._weighed(one, sentence.plain) for one in mentions]
        if understood and not any(one.grave and one.stands for one in weighed):
            understood = not _is_urgent(clauses)
        return weighed, understood

    # --- whether it is there ---

    def _deny(self, clauses: Sequence[Sequence[_Token]]) -> None:
        """Mark what is denied: what follows a cue in its list, what a cue follows at the end of its clause, and what bare words go on with a list."""
        carried = False
        for clause in clauses:
            denied = self._deny_clause(clause, carried=carried and _is_bare(clause))
            carried = denied

    def _deny_clause(self, clause: Sequence[_Token], *, carried: bool) -> bool:
        open_since: int | None = -1 if carried else None
        content = False
        advised = False
        next_only = -1
        for i, token in enumerate(clause):
            roles = token.roles
            if "advises" in roles:
                advised = True
            if token.names:
                grave_alone = carried and open_since == -1 and self._is_grave(token)
                token.denied = (open_since is not None and not grave_alone) or next_only >= 0
                content, next_only = True, -1
                continue
            if "denies" in roles:
                excludes = token.word.endswith(_EXCLUDES) and (advised or _excepted(clause, i))
                open_since, content = (None if excludes else i), False
                continue
            if "denies_next" in roles:
                next_only = i
                continue
            if "states" in roles and open_since is not None and content:
                open_since = None
            if "unknown" in roles or "site" in roles or "aspects" in roles:
                content = True
                next_only = -1
            if "predicates" in roles:
                next_only = -1
        self._deny_before(clause)
        return open_since is not None

    def _deny_before(self, clause: Sequence[_Token]) -> None:
        for i, token in enumerate(clause):
            if token.word in _AS_IT_SHOULD and i and clause[i - 1].names:
                clause[i - 1].denied = True
                continue
            if "denied_after" not in token.roles:
                continue
            behind = [one for one in clause[i + 1 :] if not one.filler]
            if behind and ("denies" in token.roles or token.word in ("无", "未及")):
                continue  # it denies what follows it
            for one in reversed(clause[:i]):
                if one.names:
                    one.denied = True
                elif not (one.filler or one.word in _SIGNS):
                    break

    def _is_grave(self, token: _Token) -> bool:
        if token.concept:
            return self._book.concepts[token.concept].grave
        return self._book.lesions[token.lesion].grave

    # --- mentions ---

    def _mention(self, token: _Token, clause: Sequence[_Token], sentence: _Sentence) -> Mention | None:
        site = self._site_of(token, clause)
        concept = self._book.concepts[token.concept] if token.concept else self._book.concept_of(token.lesion, site)
        if concept.weak or concept.usual:
            return None
        words = sentence_words(sentence, token)
        return Mention(
            concept.code, self._named(concept, site), site, self._assertion(token, clause), words, sentence.said, concept.grave, concept.known,
            any("compared" in one.roles for one in clause),
        )  # fmt: skip

    def _named(self, concept: Concept, site: str) -> str:
        return concept.name if concept.known or not site else f"{self._book.site_names[site]}{concept.name}"

    def _site_of(self, token: _Token, clause: Sequence[_Token]) -> str:
        before = [one.site for one in clause if one.site and one.at <= token.at]
        behind = [one.site for one in clause if one.site and one.at > token.at]
        for site in (*reversed(before), *behind):
            if site not in self._book.vague:
                self._site = site
                return site
        if self._site:
            return self._site
        return next(iter((*reversed(before), *behind)), "")

    def _assertion(self, token: _Token, clause: Sequence[_Token]) -> Assertion:
        if token.denied:
            return "absent"
        index = next(i for i, one in enumerate(clause) if one is token)
        roles_before = [one.roles for one in clause[:index]]
        returned = any(
            "returned" in one.roles and not one.denied and one is not token for one in clause[index:]
        ) or any("returned" in one.roles and not one.denied for one in clause[:index])
        if any("family" in roles for roles in roles_before) or any(one.word.startswith("家族") for one in clause):
            return "family"
        if not returned:
            if self._after(clause, index, "operated"):
                return "postoperative"
            if self._after(clause, index, "historical", but=_FORWARD) or self._before(clause, index, _FORWARD):
                return "historical"
            if any(one.roles is _PAST for one in clause[:index]):
                return "historical"
        if any("supposed" in roles for roles in roles_before):
            return "absent"
        if any("possible" in one.roles for one in clause) or self._advised(clause, index):
            return "possible"
        return "present"

    @staticmethod
    def _after(clause: Sequence[_Token], index: int, role: str, but: frozenset[str] = frozenset()) -> bool:
        for one in clause[index + 1 :]:
            if role in one.roles and one.word not in but and one.roles is not _PAST:
                return True
            if "states" in one.roles and not one.names:
                return False
        return False

    @staticmethod
    def _before(clause: Sequence[_Token], index: int, words: frozenset[str]) -> bool:
        for one in reversed(clause[:index]):
            if one.word in words:
                return True
            if "states" in one.roles and not one.names:
                return False
        return False

    @staticmethod
    def _advised(clause: Sequence[_Token], index: int) -> bool:
        return any("advises" in one.roles for one in clause[:index])

    # --- grades and sizes ---

    def _grades(self, plain: str) -> set[tuple[str, str]]:
        found = {schemed(one) for one in SCHEMED.finditer(plain)}
        if not found and self._scheme:
            found = {(self._scheme, schemed(one)[1]) for one in PLAIN.finditer(plain)}
        return found

    def _graded(self, grades: Iterable[tuple[str, str]], sentence: _Sentence) -> list[Mention]:
        made = []
        for scheme, grade in sorted(grades):
            concept, site, _ = self._book.schemes.get(scheme, (None, "", ()))
            if concept is not None and self._is_grave_grade(f"{scheme}:{grade}"):
                words, of = f"{scheme.upper()}-RADS {grade}类", frozenset({f"{scheme}:{grade}"})
                made.append(Mention(concept.code, concept.name, site, "present", words, sentence.said, True, grades=of))
        return made

    def _figured(self, clause: Sequence[_Token], sentence: _Sentence) -> list[Mention | None]:
        """Return what figures of a clause say that is not usual: what is grave, and None for what is only listed."""
        made: list[Mention | None] = []
        for i, token in enumerate(clause):
            figures = self._book.figures.get(token.word, ())
            measured = next((one for one in clause[i + 1 : i + 4] if one.roles is _MEASURED), None) if figures else None
            numbers = [Decimal(one) for one in _NUMBERS.findall(measured.word)] if measured is not None else []
            for figure in figures:
                if len(numbers) < figure.of or (
                    figure.of == 1 and any(one.of > 1 for one in figures) and len(numbers) < 2
                ):  # noqa: PLR2004 - a pair
                    continue
                number = numbers[figure.of - 1]
                if (figure.grave_high is not None and number >= figure.grave_high) or (
                    figure.grave_low is not None and number <= figure.grave_low
                ):
                    words = f"{token.word}{measured.word}" if measured is not None else token.word
                    made.append(Mention("FIGURE", figure.name, "", "present", words, sentence.said, True))
                elif (figure.high is not None and number > figure.high) or (
                    figure.low is not None and number < figure.low
                ):
                    made.append(None)
        return made

    def _is_grave_grade(self, said: str) -> bool:
        scheme, _, grade = said.partition(":")
        return scheme in self._book.schemes and grade[:1] in self._book.schemes[scheme][2]

    def _weighed(self, one: Mention, plain: str) -> Mention:
        """Return a mention, grave or not by its size, its grade and the words beside it."""
        concept = self._book.concepts.get(one.concept) or self._book.lesions.get(one.concept)
        if concept is None:
            return one
        grave = one.grave
        if concept.from_mm is not None and one.size_mm is not None and one.size_mm >= concept.from_mm:
            grave = True
        if grave and any(word in plain for word in concept.calm):
            grave = False
        if concept.from_percent is not None and any(
            Decimal(share) >= concept.from_percent for share in _SHARE.findall(plain)
        ):
            grave = True
        if concept.by_grade and one.grades:
            grave = any(map(self._is_grave_grade, one.grades))
        return one if grave == one.grave else replace(one, grave=grave)

    # --- whether it is understood ---

    def _understood(
        self, clause: Sequence[_Token], standing: Sequence[Mention], *, named: bool, among_well: bool
    ) -> bool:
        """Say whether a clause needs no reader: what stands in it is a concept, or nothing does and its words are known."""
        if any(one.known for one in standing):
            return True
        if standing:
            return False
        denial = _first(clause, "denies")
        for i, token in enumerate(clause):
            if token.lesion and self._book.lesions[token.lesion].weak and not token.denied and not named:
                return False
            if "denies_next" in token.roles and i + 1 < len(clause) and "predicates" in clause[i + 1].roles:
                return named
        if denial is not None:
            behind = clause[denial + 1 :]
            own = [one for one in behind if one.names]
            if not own and _NEEDED.search("".join(one.word for one in behind)):
                return False
            if not [one for one in behind if not one.filler] and not any(one.names for one in clause):
                return named or _is_felt(clause, denial)
        unknown = [
            (i, one) for i, one in enumerate(clause) if "unknown" in one.roles and (denial is None or i < denial)
        ]
        if not unknown or "advises" in clause[0].roles:
            return True
        if any("possible" in one.roles for one in clause) and not any(one.names for one in clause):
            return False
        well = denial is not None or _calls_well(clause)
        return not any(self._is_strange(one.word, well=well, among_well=among_well) for _, one in unknown)

    def _is_strange(self, word: str, *, well: bool, among_well: bool) -> bool:
        """Say whether a word that nobody knows might be harm; where its clause calls things well, only one that surely is."""
        if len(word) > _MOST_UNKNOWN:
            return True
        if well:
            return any(char in self._book.strong for char in word)
        return (len(word) > 1 and not among_well) or any(char in self._book.hazards for char in word)


def _calls_well(clause: Sequence[_Token]) -> bool:
    return any("predicates" in one.roles or one.roles is _MEASURED for one in clause)


_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_SHARE = re.compile(r"(\d{2,3}(?:\.\d)?)\s?%")
_FELT = re.compile("[触扪及闻]")
_MAY_BE_MISSING = frozenset(("NODE", "SUPRACLAVICULAR", "AXILLA", "APPENDIX", "SALIVARY"))


def _is_felt(clause: Sequence[_Token], denial: int) -> bool:
    """Say whether what is denied is an organ that is not felt, or seen, when all is well: 肝脾肋下未触及, 淋巴结未见."""
    listed = denial > 0 and clause[denial - 1].word == ":" and not any(one.site for one in clause[:denial])
    return (
        listed
        or _FELT.search(clause[denial].word) is not None
        or any(one.site in _MAY_BE_MISSING for one in clause[:denial])
    )


def _first(clause: Sequence[_Token], role: str) -> int | None:
    return next((i for i, one in enumerate(clause) if role in one.roles), None)


def _is_urgent(clauses: Iterable[Sequence[_Token]]) -> bool:
    """Say whether something makes of what is there more than it is, or asks somebody to see to it: 大量, 固定, 立即."""
    for clause in clauses:
        denial = _first(clause, "denies")
        if any("urges" in one.roles and (denial is None or i < denial) for i, one in enumerate(clause)):
            return True
    return False


def _excepted(clause: Sequence[_Token], at: int) -> bool:
    """Say whether 除 before, 外 behind makes an exception of it: 除右肾囊肿外."""
    return clause[at].word == "除外" and any(one.word == "除" for one in clause[:at])


def _grouped(tokens: Iterable[_Token]) -> list[list[_Token]]:
    made: dict[int, list[_Token]] = {}
    for token in tokens:
        made.setdefault(token.clause, []).append(token)
    return list(made.values())


def _is_bare(clause: Sequence[_Token]) -> bool:
    """Say whether a clause is nothing but words of harm: it goes on with the list before it, 无压痛,反跳痛."""
    return any(one.names for one in clause) and all(one.names or one.filler for one in clause)


def sentence_words(sentence: _Sentence, token: _Token) -> str:
    """Return the words of a token as they stand in its sentence, as far as blanks did not part them."""
    at = sentence.plain.find(token.word, token.at)
    same = len(sentence.plain) == len(sentence.said)
    return sentence.said[at : at + len(token.word)] if same and at >= 0 else token.word


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


def _sized(found: Sequence[tuple[_Token, Mention]], sizes: Sequence[tuple[int, Decimal]]) -> list[Mention]:
    """Return mentions with their sizes: a size is of what stands last before it, or first behind it."""
    own: dict[int, Decimal] = {}
    standing = [i for i, (_, one) in enumerate(found) if one.stands]
    for at, size in sizes:
        before = [i for i in standing if found[i][0].at < at]
        of = before[-1] if before else next((i for i in standing if found[i][0].at > at), None)
        if of is not None:
            own[of] = max(size, own.get(of, size))
    return [replace(one, size_mm=own[i]) if i in own else one for i, (_, one) in enumerate(found)]
