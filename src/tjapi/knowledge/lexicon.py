"""The dictionary by which descriptions are read: concepts, words of harm, sites, cues and what is usual. Data of `dictionary/*.toml`, loaded once. Pure."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from tjapi.knowledge.characters import simplified

_FILES = ("sites", "lesions", "concepts", "phrases", "figures")
_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    ord(written): ord(plain)
    for written, plain in zip("\u3000|。×＊－–—~“”【】〔〕≥≤", ' ;\x01xx----""()()><', strict=True)
}
"""One writing of marks; a full stop is \\x01, which no text holds otherwise."""


def plain_writing(text: str) -> str:
    """Return a text in the writing in which words are sought, every character in its place."""
    plain = simplified(text).translate(_WIDTHS)
    small = plain.lower()
    return small if len(small) == len(plain) else plain


@dataclass(frozen=True, slots=True)
class Concept:
    """What may be found.

    `grave`: a person looks at once; `from_mm`: only from that size; `from_percent`: in any case from that share; `calm`: not beside these words;
    `by_grade`: as its grade is. `usual`: it is no finding; `unless`: nor is it beside these words, 卵泡; `worse`: beside these it is grave, 质硬; `eases`: not grave while it gets better; `usual_in`: nor in a sentence that says one of these, 哺乳期; `settled`: beside these it is nothing whatever else is said, 肝岛; `misses`:
    it is there where one of these is not, 未探及血流. `soft`: grave only as long as nothing calls it physiological, 分叶状; `known`: it is a concept of its site; a mere word of harm is not, and is listed for the
    reviewer where it stands; `weak`: it only describes, and is listed where nothing named what it describes. `small`: named so and smaller than `small_mm` it is not grave;
    `few`: counted so often at most where the text says one of `few_in` it is none, 24小时 ... 室早3次.
    `here`: words that are of it at its own sites alone; of another organ they are a mere word of harm, 重度狭窄, 白斑.
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
    unless: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    eases: bool = False
    misses: tuple[str, ...] = ()
    usual_in: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    soft: bool = False
    small: tuple[str, ...] = ()
    small_mm: Decimal | None = None
    few: int = 0
    few_in: tuple[str, ...] = ()
    here: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure beside a word says: the `of`-th one of 150/95, what is usual, and what asks for a person at once.

    `elsewhere` are units by which it is a figure of something else: 频率≤20dB is hearing, no heart rate. `unit`: in which unit its bounds are; what
    is in another one of its kind is converted, and what is of another kind is no such figure. `sites`: only where one of these is spoken of;
    `beside`: only where the text says a word of each group; `unless`: not where its sentence says one of these. `concept` is what is there beyond
    what is usual; of a figure without one the sentence is listed. `told`: it is told whatever it is, for rules that know the person.
    """

    name: str
    of: int
    low: Decimal | None
    high: Decimal | None
    grave_low: Decimal | None
    grave_high: Decimal | None
    elsewhere: tuple[str, ...] = ()
    unit: str = ""
    sites: frozenset[str] = frozenset()
    beside: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()
    concept: str = ""
    told: bool = False

    def is_grave(self, number: Decimal) -> bool:
        """Say whether a number asks for a person at once."""
        return (self.grave_high is not None and number >= self.grave_high) or (
            self.grave_low is not None and number <= self.grave_low
        )

    def is_usual(self, number: Decimal) -> bool:
        """Say whether a number is as it should be."""
        return (self.high is None or number <= self.high) and (self.low is None or number >= self.low)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of categories: its concept, the site that it is of, and which of its numbers are grave."""

    concept: Concept
    site: str
    grave: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a word may do: its roles, the concept or the lesion that it names, the site that it is."""

    roles: frozenset[str]
    concept: str = ""
    lesion: str = ""
    site: str = ""

    @property
    def tells(self) -> bool:
        """Whether a pattern of it tells more than a word of the same length: what it names, or for what something is looked at."""
        return bool(self.concept or self.lesion) or "aspects" in self.roles


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way of saying that no list of words ends, 改变体位后消失, and what it may do as a word."""

    like: re.Pattern[str]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The words, ready to be sought by their first characters, and what they mean."""

    concepts: Mapping[str, Concept]
    lesions: Mapping[str, Concept]
    at_site: Mapping[tuple[str, str], str]
    not_grave_at: Mapping[str, frozenset[str]]
    sites: Mapping[str, str]
    vague: frozenset[str]
    of_item: Mapping[str, str]
    past_items: frozenset[str]
    missing_at: Mapping[str, str]
    region_of: Mapping[str, str]
    whole_of: Mapping[str, str]
    words: Mapping[str, Sequence[tuple[str, Entry]]]
    part_of: Mapping[str, str]
    hazards: frozenset[str]
    strong: frozenset[str]
    doubt: re.Pattern[str]
    patterns: tuple[Pattern, ...]
    unable: tuple[str, ...]
    figures: Mapping[str, Sequence[Figure]]
    schemes: Mapping[str, Scheme]
    lacking: Mapping[str, Concept]
    regions_of: Mapping[str, frozenset[str]]
    scheme_at: Mapping[str, str]
    sex_of: Mapping[str, str]

    @property
    def codes(self) -> frozenset[str]:
        """Every code that a condition may ask for."""
        return frozenset(self.concepts) | frozenset(self.lesions)

    def named(self, code: str) -> Concept:
        """Return the concept of a code."""
        return self.concepts.get(code) or self.lesions[code]

    def meant(self, word: str, concept: str, site: str) -> Concept:
        """Return what a word that names a concept means at a site: that concept, or the harm that it is of an organ that the concept is not of."""
        own = self.concepts[concept]
        region = self.region_of.get(site, site)
        if word not in own.here or not site or site in self.vague or region in self.regions_of[concept]:
            return own
        harm = self.concept_of(self.harm_in(word), site)
        return replace(harm, grave=harm.grave or own.grave, usual=False, weak=False)

    def harm_in(self, word: str) -> str:
        """Return the word of harm that a longer word holds, the longest; an unnamed abnormality where it holds none."""
        for size in range(len(word), 1, -1):
            for at in range(len(word) - size, -1, -1):
                hit = self._word(word[at : at + size], 0)
                if hit is not None and hit[0] == word[at : at + size] and hit[1].lesion:
                    return hit[1].lesion
        return "ABNORMAL"

    def concept_of(self, lesion: str, site: str) -> Concept:
        """Return what a word of harm is at a site: its concept, or the mere harm."""
        code = self.at_site.get((lesion, site))
        if code is not None:
            return self.concepts[code]
        harm = self.lesions[lesion]
        return replace(harm, grave=False) if site in self.not_grave_at[lesion] else harm

    def match(self, text: str, at: int) -> tuple[str, Entry] | None:
        """Return the longest word that begins at a place, or what is said there in one of the ways that no list ends."""
        hit = self._word(text, at)
        for pattern in self.patterns:
            found = pattern.like.match(text, at)
            if found is not None and (hit is None or len(found[0]) + pattern.entry.tells > len(hit[0])):
                hit = found[0], pattern.entry
        return hit

    def _word(self, text: str, at: int) -> tuple[str, Entry] | None:
        for key in (text[at : at + 2], text[at]):
            for word, entry in self.words.get(key, ()):
                behind = text[at + len(word) : at + len(word) + 1]
                if behind and behind in self.part_of.get(word, ""):
                    continue
                if word[-1] == "大" and behind == "小" and text[at + len(word) + 1 : at + len(word) + 2] != "于":
                    continue  # 脾大小正常 is of no large spleen.
                if word[-1] == "骨" and behind == "折":
                    continue  # 颅底骨折 is a fracture of the base.
                if text.startswith(word, at) and _stands(text, at, word, entry):
                    return word, entry
        return None


_SIZED = re.compile(r"[ :=约]{0,3}\d{1,3}(?:\.\d)?\s?(?:mm|cm|ml|次|bpm|/min)(?![a-z])")
"""A size or a rate behind an abbreviation is of what it names: GGO 6mm, VT 190次/分."""
_SHORT = 3
"""Of so few letters an abbreviation before a number is a quantity."""


def _stands(text: str, at: int, word: str, entry: Entry) -> bool:
    """Say whether a Latin word at a place is no part of a longer one: CA is not in CA125."""
    first, last = word[0], word[-1]
    before, behind = text[at - 1 : at] if at else "", text[at + len(word) : at + len(word) + 1]
    if first.isascii() and first.isalnum() and before.isascii() and before.isalpha():
        return False
    if not (last.isascii() and last.isalnum() and behind.isascii()):
        return True
    named = bool(entry.concept or entry.lesion)
    rest = text[at + len(word) :]
    if named and word.isalpha() and len(word) <= _SHORT and rest.lstrip(" :=")[:1].isdigit() and not _SIZED.match(rest):
        return False  # Ca 2.3 is calcium
    if last.isdigit():
        return not behind.isdigit()
    return not (behind.isalnum() if named else behind.isalpha())


@cache
def dictionary() -> Dictionary:
    """Return the dictionary that ships with this context."""
    at = resources.files("tjapi.knowledge") / "dictionary"
    sites, lesions, concepts, phrases, figures = (
        tomllib.loads((at / f"{name}.toml").read_text("utf-8")) for name in _FILES
    )
    return compiled(sites["sites"], sites["regions"], lesions["lesions"], concepts["concepts"], phrases | figures)


Rows = Sequence[Mapping[str, Any]]


def compiled(
    sites: Rows, regions: Sequence[str], lesions: Rows, concepts: Rows, phrases: Mapping[str, Any]
) -> Dictionary:
    """Return a dictionary of its rows. Of what stands twice the first row holds."""
    return Dictionary(
        concepts={one["code"]: _concept(one, phrases["worse"], known=True) for one in concepts},
        lesions={one["code"]: _concept(one, phrases["worse"], known=False) for one in lesions},
        at_site=_at_sites(sites, concepts),
        not_grave_at={one["code"]: frozenset(one.get("not_at", "").split()) for one in lesions},
        sites={site["code"]: site["name"] for site in sites},
        vague=frozenset(site["code"] for site in sites if site.get("vague")),
        of_item={item: site["code"] for site in reversed(sites) for item in site.get("items", "").split()},
        past_items=frozenset(phrases["items"]["past"].split()),
        missing_at={site: one["code"] for one in concepts if "misses" in one for site in one["sites"].split()},
        region_of={site: region.split()[0] for region in regions for site in region.split()},
        whole_of={site["code"]: site["part_of"] for site in sites if "part_of" in site},
        words=_index(_entries(sites, lesions, concepts, phrases)),
        part_of=phrases["part_of"],
        hazards=frozenset(phrases["normal"]["hazards"]),
        strong=frozenset(phrases["normal"]["strong"]),
        doubt=_doubt(phrases["doubt"]),
        patterns=tuple(map(_pattern, phrases["patterns"])),
        unable=tuple(phrases["doubt"]["unable"].split()),
        figures=_figures(phrases["figures"]),
        schemes={
            one["scheme"]: Scheme(_concept(one, {}, known=True), one["site"], frozenset(one["grave_grades"].split()))
            for one in concepts
            if "scheme" in one
        },
        lacking={one["lacking"]: _concept(one, {}, known=True) for one in concepts if "lacking" in one},
        sex_of=_sexes(sites, concepts),
        regions_of=_regions(sites, regions, concepts),
        scheme_at={one["site"]: one["scheme"] for one in concepts if one.get("plain")},
    )


def _doubt(words: Mapping[str, str]) -> re.Pattern[str]:
    """Return what says that something is not excluded: a denial, any adverbs and a word of exclusion; or a denial of a denial."""
    before, denial, adverb, excluded, whole = (
        "|".join(map(re.escape, sorted(map(plain_writing, words[name].split()), key=len, reverse=True)))
        for name in ("before", "denials", "adverbs", "excluded", "whole")
    )
    return re.compile(rf"(?:{before})*(?:(?:{denial})(?:{adverb})*(?:{excluded})|(?:{whole}))(?:了|的)?")


def _pattern(row: Mapping[str, str]) -> Pattern:
    """Return a pattern of its row; its repeats are bounded, so that a text is read in time proportional to its length."""
    lesion, concept = row.get("lesion", ""), row.get("concept", "")
    role = "lesion" if lesion else "concept" if concept else row["role"]
    return Pattern(re.compile(row["like"]), Entry(frozenset([role]), concept, lesion))


def _concept(one: Mapping[str, Any], worse: Mapping[str, str], *, known: bool) -> Concept:
    """Return a concept of its row; `worse` are the lists that rows name with an @."""
    from_mm, from_percent = (Decimal(one[k]) if k in one else None for k in ("grave_from_mm", "grave_from_percent"))
    grave, by_grade, weak, usual = (bool(one.get(name)) for name in ("grave", "by_grade", "weak", "usual"))
    calm, unless = (tuple(map(plain_writing, one.get(name, "").split())) for name in ("calm", "unless"))
    listed = (worse[word[1:]].split() if word.startswith("@") else [word] for word in one.get("worse", "").split())
    bad = tuple(plain_writing(word) for words in listed for word in words)
    return Concept(
        one["code"], one["name"], grave, from_mm, from_percent, by_grade, calm, known, weak, usual, unless, bad,
        eases=bool(one.get("eases")), misses=_words_of(one, "misses"), usual_in=_words_of(one, "usual_in"),
        settled=_words_of(one, "settled"), soft=bool(one.get("soft")), small=_words_of(one, "small"),
        small_mm=Decimal(one["small_mm"]) if "small_mm" in one else None, few=one.get("few", 0), few_in=_words_of(one, "few_in"),
        here=frozenset(map(plain_writing, _words_of(one, "here"))),
    )  # fmt: skip


def _words_of(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(row.get(name, "").split())


def _at_sites(sites: Rows, concepts: Rows) -> dict[tuple[str, str], str]:
    """Return which concept a word of harm is at a site; what holds for an organ holds for its parts."""
    found: dict[tuple[str, str], str] = {}
    for one in concepts:
        for lesion in one.get("of", "").split():
            for site in one.get("sites", "").split():
                found.setdefault((lesion, site), one["code"])
    whole = {site["code"]: site["part_of"] for site in sites if "part_of" in site}
    for (lesion, site), code in list(found.items()):
        for part in (part for part, of in whole.items() if of == site):
            found.setdefault((lesion, part), code)
    return found


def _regions(sites: Rows, regions: Sequence[str], concepts: Rows) -> dict[str, frozenset[str]]:
    """Return the regions of which a concept is: those of its sites, of their parts and of what they are part of."""
    region_of = {site: region.split()[0] for region in regions for site in region.split()}
    found = {}
    for one in concepts:
        own = set(one.get("sites", "").split())
        parts = {site["code"] for site in sites if site.get("part_of") in own}
        whole = {site["part_of"] for site in sites if site["code"] in own and "part_of" in site}
        found[one["code"]] = frozenset(region_of.get(site, site) for site in own | parts | whole)
    return found


def _sexes(sites: Rows, concepts: Rows) -> dict[str, str]:
    """Return of which sex alone a concept can be: as its row says, or as all of its sites are."""
    of_site = {site["code"]: site["sex"] for site in sites if "sex" in site}
    found = {}
    for one in concepts:
        sexes = {of_site.get(site, "") for site in one.get("sites", "").split()}
        sex = one.get("sex") or (sexes.pop() if len(sexes) == 1 else "")
        if sex:
            found[one["code"]] = sex
    return found


def _entries(sites: Rows, lesions: Rows, concepts: Rows, phrases: Mapping[str, Any]) -> dict[str, Entry]:
    roles: dict[str, set[str]] = {}
    means: dict[tuple[str, str], str] = {}

    def put(words: str, role: str, code: str = "") -> None:
        # A blank within a word is written as a stroke: r_on_t.
        for word in (
            plain_writing(way).replace("_", " ") for one in words.split() for way in _ways(one) + _romans(one)
        ):
            roles.setdefault(word, set()).add(role)
            means.setdefault((word, role), code)

    for one in concepts:
        put(one.get("words", ""), "concept", one["code"])
    for one in lesions:
        put(one["words"], "lesion", one["code"])
    for site in sites:
        put(site["words"], "site", site["code"])
    for role, words in phrases["cues"].items():
        put(words, role)
    for role in ("predicates", "aspects", "neutral"):
        put(phrases["normal"][role], role)
    for figure in phrases["figures"]:
        put(figure["words"], "aspects")
    # A word that names a finding whole is no mere word of harm; what is both a word of harm and a cue is both.
    return {
        word: Entry(
            frozenset(own),
            means.get((word, "concept"), ""),
            "" if "concept" in own else means.get((word, "lesion"), ""),
            means.get((word, "site"), ""),
        )
        for word, own in roles.items()
    }


_GROUP = re.compile(r"\[([^\[\]]*)\]")


def _ways(word: str) -> list[str]:
    """Return the ways to write a word: 低回声[区|灶|] is three of them."""
    found = [""]
    for i, part in enumerate(_GROUP.split(word)):
        found = [one + way for one in found for way in (part.split("|") if i % 2 else (part,))]
    return found


_ROMANS = {"Ⅰ": "i", "Ⅱ": "ii", "Ⅲ": "iii", "Ⅳ": "iv", "Ⅴ": "v"}
_LONG = 3


def _romans(word: str) -> list[str]:
    """Return a word with a Roman numeral in the letters by which most write it: 莫氏Ⅱ型 is 莫氏II型."""
    latin = "".join(_ROMANS.get(char, char) for char in word)
    return [latin] if latin != word and len(word) >= _LONG and "[" not in word else []


def _index(entries: Mapping[str, Entry]) -> dict[str, list[tuple[str, Entry]]]:
    index: dict[str, list[tuple[str, Entry]]] = {}
    for word, entry in sorted(entries.items(), key=lambda pair: -len(pair[0])):
        index.setdefault(word[:2], []).append((word, entry))
    return index


def _figures(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for row in rows:
        low, high, grave_low, grave_high = (
            Decimal(row[name]) if name in row else None for name in ("from", "to", "grave_to", "grave_from")
        )
        elsewhere, unless = (tuple(row.get(name, "").split()) for name in ("elsewhere", "unless"))
        beside = tuple(tuple(group.split()) for group in row.get("beside", ()))
        one = Figure(
            row["name"], row.get("of", 1), low, high, grave_low, grave_high, elsewhere, row.get("unit", ""),
            frozenset(row.get("sites", "").split()), beside, unless, row.get("concept", ""), row.get("told", False),
        )  # fmt: skip
        for word in row["words"].split():
            found.setdefault(plain_writing(word), []).append(one)
    return found
