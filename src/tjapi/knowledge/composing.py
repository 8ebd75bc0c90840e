"""A description that a doctor clicks: coded findings become the sentences that a reporter would write. Pure, driven by the dictionary.

What is clicked, what is written and what is read back are one thing: of several ways to write a finding the first is taken that
`descriptions` reads as exactly that finding, with nothing unread and nothing else; where none is, it is refused, never guessed. What is not
clicked is not told: that the rest is normal is said only where that was clicked as well.
"""

import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from tjapi.knowledge.descriptions import ASSERTIONS, STANDING, Assertion, Mention, read
from tjapi.knowledge.grades import LACKING
from tjapi.knowledge.lexicon import dictionary, plain_writing

Side = Literal["left", "right", "both"]
Number = Literal["single", "multiple"]
Normal = Literal["all", "rest"]
"""What the doctor calls normal: everything of the item, or what is left beside the findings."""
SIDES: tuple[Side, ...] = ("left", "right", "both")
MOST_MM = Decimal(999)
"""No finding in a person is larger."""
MOST_SIZES = 3
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Click:
    """A finding as it was clicked. `term`: by which word of its concept it is called; `grade`: a category of the scheme of its site, such as 4a."""

    concept: str
    site: str = ""
    side: Side | None = None
    term: str = ""
    assertion: Assertion = "present"
    sizes_mm: tuple[Decimal, ...] = ()
    number: Number | None = None
    grade: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is, or may be, there now."""
        return self.assertion in STANDING


@dataclass(frozen=True, slots=True)
class Place:
    """A site at which a concept may be clicked, and by which words, the usual one first; `code` is empty for what is of no site.

    `sided`: whether it has a left and a right; `grades` are the categories of its scheme, none where it has none.
    """

    code: str
    name: str
    terms: tuple[str, ...]
    sided: bool = False
    scheme: str = ""
    grades: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """A concept that may be clicked for an item: where it may be, whether its size is asked for, whether a person looks at once where it is."""

    concept: str
    name: str
    places: tuple[Place, ...]
    asks_size: bool
    grave: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a click: its field (`1/site`), a code, and a sentence in Chinese and in English."""

    field: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Composed:
    """The text that clicks make, and what it speaks of."""

    text: str
    mentions: tuple[Mention, ...]


class NotComposableError(ValueError):
    """No way to write a finding reads as it: `index` is its place."""

    def __init__(self, index: int) -> None:
        super().__init__(f"finding {index} cannot be written so that it is read as it was clicked")
        self.index = index


# --- what may be clicked ---

_SIZED = frozenset(("NODULE", "CYST", "MASS", "STONE", "POLYP", "TUMOUR", "HEMANGIOMA", "FIBROID", "CALCIFICATION", "BENIGN", "GGO", "PLAQUE", "MALIGNANCY", "METASTASIS"))  # fmt: skip
"""Words of harm of which a reporter says how large they are."""
_SIDED = frozenset((
    "THYROID", "BREAST", "NIPPLE", "NODE", "NECK", "SUPRACLAVICULAR", "SALIVARY", "AXILLA", "LUNG", "PLEURA", "RIB", "KIDNEY", "ADRENAL", "URETER", "TESTIS", "SEMINAL",
    "ADNEXA", "GROIN", "CAROTID", "EYELID", "CONJUNCTIVA", "CORNEA", "ANTERIOR-CHAMBER", "LENS", "VITREOUS", "RETINA", "EYE", "EAR", "NOSE", "SINUS", "TONSIL",
))  # fmt: skip
"""Sites that have a left and a right."""
_GRADES: Mapping[str, str] = {
    "ti": "1 2 3 4a 4b 4c 5 6", "bi": "0 1 2 3 4a 4b 4c 5 6", "lung": "1 2 3 4a 4b 4x", "o": "1 2 3 4 5", "li": "1 2 3 4 5",
    "pi": "1 2 3 4 5", "cad": "0 1 2 3 4a 4b 5",
}  # fmt: skip
"""Categories of the schemes: C-TIRADS 2020, BI-RADS 5th edition, Lung-RADS 2022, O-RADS, LI-RADS 2018, PI-RADS 2.1, CAD-RADS 2.0; from memory."""
_MOST_TERMS = 40


@dataclass(frozen=True, slots=True)
class _Row:
    """What the dictionary says of a concept, as far as writing needs it."""

    name: str
    words: tuple[str, ...]
    of: tuple[str, ...]
    sites: tuple[str, ...]
    grave: bool


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of sites and concepts in the order in which the dictionary gives them: the first is the usual one."""

    concepts: Mapping[str, _Row]
    sites: Mapping[str, tuple[str, ...]]
    harms: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[str, ...]]
    whole: Mapping[str, str]


@cache
def _words() -> _Words:
    at = resources.files("tjapi.knowledge") / "dictionary"
    sites = tomllib.loads((at / "sites.toml").read_text("utf-8"))["sites"]
    harms = tomllib.loads((at / "lesions.toml").read_text("utf-8"))["lesions"]
    concepts = tomllib.loads((at / "concepts.toml").read_text("utf-8"))["concepts"]
    parts: dict[str, tuple[str, ...]] = {}
    for one in sites:
        if "part_of" in one:
            parts[one["part_of"]] = (*parts.get(one["part_of"], ()), one["code"])
    return _Words(
        {
            one["code"]: _row(one, parts)
            for one in concepts
            if "scheme" not in one and "lacking" not in one and not one.get("usual")
        },
        {one["code"]: tuple(one["words"].split()) for one in sites},
        {one["code"]: tuple(one["words"].split()) for one in harms},
        parts,
        {one["code"]: one["part_of"] for one in sites if "part_of" in one},
    )


def _row(one: Mapping[str, Any], parts: Mapping[str, Sequence[str]]) -> _Row:
    own = [site for site in one.get("sites", "").split() if site not in dictionary().vague]
    wide = [part for site in own for part in parts.get(site, ())]
    words = tuple(word.replace("_", " ") for word in one.get("words", "").split())
    return _Row(one["name"], words, tuple(one.get("of", "").split()), tuple(dict.fromkeys([*own, *wide])), bool(one.get("grave")))  # fmt: skip


def codes() -> frozenset[str]:
    """Return every concept that may be clicked: categories of a scheme are clicked as the grade of something."""
    return frozenset(_words().concepts)


def sites_of(concept: str) -> tuple[str, ...]:
    """Return the sites at which a concept can be written; none where it is of no site."""
    return tuple(site for site in _words().concepts[concept].sites if terms_of(concept, site))


@lru_cache(maxsize=4096)
def terms_of(concept: str, site: str) -> tuple[str, ...]:
    """Return the words by which a concept can be called at a site: its name, if that is read as it, its words, and the harm that it is there.

    None that names another site, 肾癌 at the ureter, and none that makes the same sentence as one before it. What can be asserted in every way
    goes before what cannot: that is offered only where there is nothing else.
    """
    row, words = _words().concepts[concept], _words()
    harms = [word for harm in row.of for word in words.harms[harm][:1]]
    whole, part = dict[str, str](), dict[str, str]()
    name = [] if row.name.endswith("等") or "或" in row.name else [row.name]  # several things, not one that is there
    for term in dict.fromkeys([*name, *row.words, *harms]):
        written = [_written(Click(concept, site, term=term, assertion=one)) for one in ASSERTIONS] if _fits(term, site) else [None]  # fmt: skip
        if written[0] is not None:
            (part if None in written else whole).setdefault(written[0], term)
    return tuple((whole or part).values())[:_MOST_TERMS]


_ANYWHERE = "NODE"
"""A site that is at others: 腋窝 and 淋巴结."""


def _fits(term: str, site: str) -> bool:
    """Say whether a word speaks of no other site than this one, its whole or a part of it."""
    if not site:
        return True
    words = _words()
    here = {site, words.whole.get(site, site), *words.parts.get(site, ())}
    named = {
        code
        for code, own in words.sites.items()
        for word in own
        if word in term and (len(word) > 1 or term.startswith(word))
    } - {_ANYWHERE, *dictionary().vague}
    return not named or bool(named & here)


def _written(click: Click) -> str | None:
    return next((one for one in _sentences(click, _UNSEEN) if _says("", "", one, [click])), None)


def asks_size(concept: str) -> bool:
    """Say whether the size of a concept is asked for."""
    return dictionary().concepts[concept].from_mm is not None or not _SIZED.isdisjoint(_words().concepts[concept].of)


def scheme_at(concept: str, site: str) -> str:
    """Return the scheme by whose categories a concept is graded at a site; empty where it is not."""
    whole = _words().whole.get(site, site)
    scheme = next((name for name, one in dictionary().schemes.items() if one.site == whole and name in _GRADES), "")
    return scheme if not _SIZED.isdisjoint(_words().concepts[concept].of) else ""


def grades_at(concept: str, site: str) -> tuple[str, ...]:
    """Return the categories that may be clicked of a concept at a site."""
    return tuple(_GRADES[scheme].split()) if (scheme := scheme_at(concept, site)) else ()


def options(item_code: str, asked: Collection[str] = (), wanted: Collection[str] | None = None) -> tuple[Option, ...]:
    """Return what may be clicked for an item: the concepts of its site and of the parts of it, and those that rules ask for in it (`asked`).

    `wanted`: only these, where nobody needs all of them.
    """
    words = _words()
    own = dictionary().of_item.get(item_code, "")
    here = {own, *words.parts.get(own, ())} - {""}
    found = []
    for code, row in words.concepts.items():
        if wanted is not None and code not in wanted:
            continue
        sites = row.sites if code in asked else [site for site in row.sites if site in here]
        if code in asked or sites:
            places = tuple(place for site in sites or ("",) if (place := _place(code, site)) is not None)
            if places:
                found.append(Option(code, row.name, places, asks_size(code), row.grave))
    return tuple(found)


def _place(concept: str, site: str) -> Place | None:
    terms = terms_of(concept, site)
    if not terms:
        return None
    name = dictionary().sites.get(site, "")
    return Place(site, name, terms, site in _SIDED, scheme_at(concept, site), grades_at(concept, site))


# --- what is kept ---


def kept_mentions(mentions: Sequence[Mention]) -> list[dict[str, Any]]:
    """Return mentions as they are kept beside their text."""
    return [
        {
            "concept": one.concept, "name": one.name, "site": one.site, "assertion": one.assertion, "words": one.words, "said": one.said,
            "grave": one.grave, "known": one.known, "size_mm": None if one.size_mm is None else f"{one.size_mm:f}", "grades": sorted(one.grades),
        }
        for one in mentions
    ]  # fmt: skip


def mentions_kept(kept: Mapping[str, Any] | None) -> tuple[Mention, ...] | None:
    """Return what a text speaks of by what was kept beside it; None: nothing was, it is read."""
    if kept is None:
        return None
    return tuple(
        Mention(
            **{
                **one,
                "size_mm": None if one["size_mm"] is None else Decimal(one["size_mm"]),
                "grades": frozenset(one["grades"]),
            }
        )
        for one in kept["mentions"]
    )


# --- what contradicts itself ---


def settled(click: Click, option: Option | None, item_code: str) -> Click:
    """Return a click with the site that is meant where none was clicked: the item's own, or the only one."""
    if option is None or click.site:
        return click
    own = dictionary().of_item.get(item_code, "")
    known = [place.code for place in option.places]
    return replace(click, site=own if own in known else known[0] if len(known) == 1 else "")


def faults(clicks: Sequence[Click], normal: Normal | None, offered: Mapping[str, Option]) -> list[Wrong]:
    """Return what is wrong with clicks, each with its field: what is not offered, what no such finding has, what contradicts another one."""
    found = [wrong for i, click in enumerate(clicks) for wrong in _faults_of(i, click, offered.get(click.concept))]
    for i, click in enumerate(clicks):
        for other, before in enumerate(clicks[:i], 1):
            if click == before:
                found.append(Wrong(str(i), "duplicate", f"与第 {other} 项重复", f"the same as finding {other}"))
            elif _contradict(click, before):
                zh, en = (
                    f"与第 {other} 项矛盾:同一部位的同一所见",
                    f"contradicts finding {other}: the same at the same site",
                )
                found.append(Wrong(f"{i}/assertion", "contradicts", zh, en))
    if normal == "all" and clicks:
        found.append(Wrong("normal", "normal-and-finding", "已点选所见,不能同时为全部正常", "all normal stands beside no finding"))  # fmt: skip
    if normal == "rest" and not clicks:
        found.append(Wrong("normal", "nothing-beside", "未点选所见,请用「全部正常」", "the rest is normal only beside a finding"))  # fmt: skip
    if normal is None and not clicks:
        found.append(Wrong("", "empty", "未点选任何所见", "nothing was clicked"))
    return found


def _faults_of(i: int, click: Click, option: Option | None) -> Iterator[Wrong]:
    if option is None:
        yield Wrong(f"{i}/concept", "not-offered", "该项目不能点选此所见", "this finding is not offered for the item")
        return
    place = next((one for one in option.places if one.code == click.site), None)
    if place is None:
        yield Wrong(f"{i}/site", "not-a-site", "请选择该所见的部位", "choose one of the sites of the finding")
        return
    if click.side is not None and not place.sided:
        yield Wrong(f"{i}/side", "no-side", "该部位不分左右", "this site has no left and right")
    if click.term and click.term not in place.terms:
        yield Wrong(f"{i}/term", "not-a-term", "不是该所见在此部位的用词", "no word of the finding at this site")
    if not click.term and option.name not in place.terms:
        yield Wrong(f"{i}/term", "missing", "请选择用词", "choose a word of the finding")
    if click.grade and click.grade not in place.grades:
        yield Wrong(
            f"{i}/grade", "not-a-grade", "该所见在此部位没有这一分类", "no category of the finding at this site"
        )
    if click.sizes_mm and not option.asks_size:
        yield Wrong(f"{i}/sizes_mm", "no-size", "该所见不记大小", "the finding has no size")
    if not all(0 < size <= MOST_MM for size in click.sizes_mm) or len(click.sizes_mm) > MOST_SIZES:
        most = MOST_MM
        yield Wrong(f"{i}/sizes_mm", "out-of-bounds", f"大小应大于零且不超过 {most} 毫米,至多三径", f"up to three sizes, above 0 and up to {most} mm")  # fmt: skip
    for field, given in (("sizes_mm", click.sizes_mm), ("grade", click.grade), ("number", click.number)):
        if given and not click.stands:
            yield Wrong(f"{i}/{field}", "not-there", "当前并不存在的所见不记大小、数目与分类", "only what is, or may be, there has a size, a number or a category")  # fmt: skip


def _contradict(one: Click, other: Click) -> bool:
    """Say whether two clicks say of the same, at the same site, that it is there and is not, or that it is and only may be."""
    if (one.concept, one.site) != (other.concept, other.site) or not _overlap(one.side, other.side):
        return False
    if one.term and other.term and one.term != other.term:
        return False
    said = {one.assertion, other.assertion}
    return len(said) > 1 and said <= {"present", "possible", "absent"}


def _overlap(one: Side | None, other: Side | None) -> bool:
    return one == other or None in (one, other) or "both" in (one, other)


# --- writing ---

_SIDE_WORDS: Mapping[Side, tuple[str, ...]] = {
    "left": ("左侧", "左"),
    "right": ("右侧", "右"),
    "both": ("双侧", "双", "两"),
}
_NUMBER_WORDS: Mapping[Number, str] = {"single": "单发", "multiple": "多发"}
_FELT = "未触及"
_UNSEEN = "未见"
_REST = "余未见明显异常"


def denial_of(item_code: str, item_name: str) -> str:
    """Return the word by which what is not there is denied in an item: what is felt is not felt."""
    return _FELT if "触诊" in item_name or item_code.endswith("-PALP") else _UNSEEN


def compose(
    clicks: Sequence[Click], normal: Normal | None, *, item_code: str = "", item_name: str = "", usual: str = ""
) -> Composed:
    """Return the text of clicks that have no faults, in their order; `usual` is what is written where all is normal.

    Raises NotComposableError where no way to write a finding is read as it.
    """
    if normal == "all":
        text = usual or f"{_UNSEEN}明显异常"
        return Composed(text, told(text, item_code, item_name))
    text, denial = "", denial_of(item_code, item_name)
    for i, click in enumerate(clicks):
        ways = (f"{text}{one}。" for one in _sentences(click, denial))
        written = next((one for one in ways if _says(item_code, item_name, one, clicks[: i + 1])), None)
        if written is None:
            raise NotComposableError(i)
        text = written
    if normal == "rest":
        text += f"{_REST}。"
        if not _says(item_code, item_name, text, clicks):
            raise NotComposableError(len(clicks) - 1)
    return Composed(text, told(text, item_code, item_name))


def told(text: str, item_code: str, item_name: str) -> tuple[Mention, ...]:
    """Return what a composed text speaks of, but for what is said of the rest: that nothing is unusual is no finding that anybody clicked."""
    return tuple(one for one in read(text, item_code, item_name).mentions if one.said != _REST or one.stands)


def _says(item_code: str, item_name: str, text: str, clicks: Sequence[Click]) -> bool:
    """Say whether a text is read as clicks and nothing else."""
    return not read(text, item_code, item_name).unread and expected(clicks) == read_keys(
        told(text, item_code, item_name), clicks
    )


Key = tuple[str, str, Assertion, Decimal | None, frozenset[str]]


def expected(clicks: Sequence[Click]) -> Counter[Key]:
    """Return what clicks are to be read as: each as its concept, and a grave category as that by itself as well."""
    made: list[Key] = []
    for one in clicks:
        scheme = scheme_at(one.concept, one.site) if one.grade else ""
        grades = frozenset({f"{scheme}:{one.grade}"}) if scheme else frozenset[str]()
        made.append((one.concept, one.site, one.assertion, max(one.sizes_mm, default=None), grades))
        if scheme and one.grade[:1] in (of := dictionary().schemes[scheme]).grave:
            made.append((of.concept.code, of.site, "present", None, grades))
        if one.grade == LACKING and scheme in dictionary().lacking:
            made.append((dictionary().lacking[scheme].code, dictionary().schemes[scheme].site, "present", None, grades))
    return Counter(made)


def read_keys(mentions: Sequence[Mention], clicks: Sequence[Click]) -> Counter[Key]:
    """Return mentions as they are compared with clicks: of what was clicked without a site, whatever is read as its site will do."""
    siteless = {one.concept for one in clicks if not one.site}
    return Counter(
        (one.concept, "" if one.concept in siteless else one.site, one.assertion, one.size_mm, one.grades)
        for one in mentions
    )


def _sentences(click: Click, denial: str) -> Iterator[str]:
    """Yield ways to write a click, the most usual first."""
    behind = "".join(f"，{part}" for part in (_size(click), _grade(click)) if part)
    number = _NUMBER_WORDS[click.number] if click.number else ""
    for place, noun in _named(click):
        for said in _asserted(click.assertion, place, f"{number}{noun}", denial):
            yield f"{said}{behind}"


def _named(click: Click) -> Iterator[tuple[str, str]]:
    """Yield a place and a word for what is there: 左肾 and 囊肿 of 肾囊肿; 脂肪肝 names its place itself."""
    term = click.term or _words().concepts[click.concept].name
    own = sorted(_words().sites.get(click.site, ()), key=len, reverse=True)
    places = list(_places(click))
    starts = next((word for word in own if term.startswith(word) and len(term) > len(word)), "")
    rest = term[len(starts) :] if starts else ""
    if starts and click.side is None:
        yield starts, rest
    for place in places:
        if rest:
            yield place, rest
    within = any(word in plain_writing(term) for word in own)
    if not places or (within and click.side is None):
        yield "", term
    for place in places:
        if not within:
            yield place, term
        yield f"{place}：", term


def _places(click: Click) -> Iterator[str]:
    """Yield words for the place of a click: its site, on its side."""
    if not click.site:
        return
    words, name = _words().sites[click.site], dictionary().sites[click.site]
    usual = name if name in words else words[0]
    if click.side is not None:
        for side in _SIDE_WORDS[click.side][1:]:
            yield from (word for word in words if word.startswith(side) and word[len(side) :] in words)
            yield from (word for word in words if word in (f"{usual}{side}叶", f"{usual}{side}侧叶"))
        yield f"{_SIDE_WORDS[click.side][0]}{usual}"
        return
    yield usual
    if words[0] != usual:
        yield words[0]


def _asserted(assertion: Assertion, place: str, noun: str, denial: str) -> tuple[str, ...]:
    bare = place.rstrip("：")
    ways: Mapping[Assertion, tuple[str, ...]] = {
        "present": (f"{place}{noun}", f"{bare}见{noun}", f"{bare}可见{noun}"),
        "possible": (f"{place}{noun}可能", f"{bare}考虑{noun}可能", f"考虑{place}{noun}", f"{bare}可疑{noun}"),
        "absent": (f"{bare}{denial}{noun}", f"{bare}{_UNSEEN}{noun}", f"{_UNSEEN}{bare}{noun}", f"{bare}无{noun}"),
        "historical": (f"既往{place}{noun}", f"既往{place}{noun}病史", f"{place}{noun}病史", f"{bare}既往{noun}"),
        "postoperative": (f"{place}{noun}术后", f"{place}{noun}手术后", f"{place}{noun}切除术后"),
        "family": (f"家族史：{place}{noun}", f"家族史：{noun}"),
    }
    return ways[assertion]


def _size(click: Click) -> str:
    if not click.sizes_mm:
        return ""
    said = "×".join(f"{size.normalize():f}" for size in click.sizes_mm)
    what = "较大者" if click.number == "multiple" else "大小" if len(click.sizes_mm) > 1 else "直径"
    return f"{what}约{said}mm"


def _grade(click: Click) -> str:
    scheme = scheme_at(click.concept, click.site) if click.grade else ""
    name = scheme.title() if len(scheme) > len("CAD") else scheme.upper()
    return f"{name}-RADS {click.grade.upper()}类" if scheme else ""
