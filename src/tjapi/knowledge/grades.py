"""Degrees that results and texts tell of: 阴性 and 1+ … 4+ of a reaction, the categories of TI-RADS and its like. One reading of either. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# --- reactions ---

_SIGNS = (
    r"[+＋][1-4](?![\d.])|[1-4]\s?[+＋](?![\d.])|[+＋]{1,4}(?!\s?[\d./])|±|[+＋][-－/](?=\s*(?:$|[,，。;；、)）\n]))"
)
_MINUS = r"[-－—–−](?=\s*(?:$|[,，。;；、)）\n]))"
REACTION = re.compile(
    rf"[(（\[]?\s?(?:弱阳性|阳性|阴性|微量|未检出|(?:{_SIGNS})|(?:{_MINUS})|neg(?:ative)?(?![a-z])|pos(?:itive)?(?![a-z]))"
)
"""What says of a reaction whether it is, and how strong, immediately beside its item's name."""
_CORRECTED = re.compile(
    r"\s?[(（,，]?\s?(?:已经?|现已?|后|经复查|复查|复检|复测)*(?:更正|修正|改正|更改|修改|转|变|改|复查|复检|复测)(?:为|成|后?为)?\s?(?P<now>弱阳性|阳性|阴性|[1-4][+＋])"
)
"""What takes a reaction back in the same breath: 阳性已更正为阴性."""
_TRACE, _WEAK = 0.5, 0.75
_DEGREES = {"阴性": 0.0, "未检出": 0.0, "neg": 0.0, "negative": 0.0, "微量": _TRACE, "±": _TRACE, "弱阳性": _WEAK}


@dataclass(frozen=True, slots=True)
class Reaction:
    """Whether there is one, and how strong it is as far as that is said: 阴性 is 0, ± and 弱阳性 are between 0 and 1."""

    positive: bool
    degree: float | None = None

    def denies(self, other: "Reaction") -> bool:
        """Say whether both cannot be said of one value: 阴性 and 1+, 1+ and 3+. 弱阳性 may be 1+ to whoever speaks of it."""
        if self.positive != other.positive:
            return True
        if self.degree is None or other.degree is None or self.degree == other.degree:
            return False
        return {self.degree, other.degree} not in ({_WEAK, 1.0}, {_WEAK, _TRACE})


def reaction_of(text: str) -> Reaction | None:
    """Return what a word or a sign says of a reaction; None where it says nothing of one."""
    said = unicodedata.normalize("NFKC", text).lower().strip("()[] ")
    said = re.sub("[－—–−]", "-", said).replace(" ", "")
    if said in ("-", ""):
        return Reaction(False, 0.0) if said else None
    if said in ("阳性", "pos", "positive"):
        return Reaction(True)
    if (degree := _DEGREES.get(said, _TRACE if said in ("+-", "+/-") else None)) is not None:
        return Reaction(degree > 0, degree)
    signs = re.fullmatch(r"(?P<number>[1-4]?)(?P<plus>\+{1,4})(?P<behind>[1-4]?)", said)
    if signs is None:
        return None
    return Reaction(True, float(signs["number"] or signs["behind"] or len(signs["plus"])))


def corrected(said: str, end: int) -> str | None:
    """Return the reaction that took the place of the one that ends here, if a text says so at once."""
    found = _CORRECTED.match(said, end)
    return found["now"] if found is not None else None


# --- categories of imaging ---

_SCHEME = r"(?P<scheme>(?<![a-z])(?:ti|bi|lung|lu|pi|o|li|c-?ti|cad|fleischner|lr|tr|us)-?\s?rads)"
_BETWEEN = r"(?:(?:分类|分级|评分|评估|类别|级别)[:：为]?|[:：为-])?\s?(?:tr\s?-?\s?)?"
_CATEGORY = r"(?:[0-6]|viii|vii|iv|v?i{1,3}|vi?|[ⅰⅱⅲⅳⅴⅵ])(?:\s?[abcxs](?![a-z]))?"
_TO = r"\s?(?:[-~～—–−－/、]|或者?|至|到)\s?"
"""What stands between two categories of which the higher counts: 3～4A类."""
SCHEMED = re.compile(
    rf"{_SCHEME}\s?{_BETWEEN}(?P<category>{_CATEGORY})(?:\s?[类級级]?{_TO}(?P<to>{_CATEGORY})(?![\d.a-z枚个处厘毫%]))?(?![\d.a-z])\s?[类級级]?"
)
_OF_PLAIN = r"(?:[0-6]|[ⅰⅱⅲⅳⅴⅵ])[abcx]?"
PLAIN = re.compile(rf"(?<![\d.a-zⅰ-ⅵ-])(?P<category>{_OF_PLAIN})(?:\s?类?{_TO}(?P<to>{_OF_PLAIN}))?\s?类(?!型|似|别)")
BARE = re.compile(r"(?<![\d.a-z-])4[abc](?![\d.a-z区组段])")
"""A category of those schemes that have such letters, where nothing says of which: 中国超声分类4c."""
_SCHEMES = {"lu": "lung", "c-ti": "ti", "cti": "ti"}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}


def scheme_of(text: str) -> str:
    """Return the scheme that a name or a text names: 肺结节Lung-RADS分类 → lung; empty where there is none."""
    found = re.search(_SCHEME, text.lower())
    return _scheme(found["scheme"]) if found is not None else ""


def _scheme(said: str) -> str:
    kind = re.sub(r"-?\s?rads$", "", said)
    return _SCHEMES.get(kind, kind)


def category(said: str) -> str:
    """Return a category in its one spelling: Ⅳa, IVA and 4 a are 4a."""
    plain = unicodedata.normalize("NFKC", said).lower().replace(" ", "")
    letter = plain[-1] if plain[-1] in "abcxs" else ""
    number = plain.removesuffix(letter)
    return _ROMAN.get(number, number) + letter


def categories(text: str, scheme: str = "") -> set[tuple[str, str]]:
    """Return the categories that a value says, each with its scheme; `scheme` is that of its item, for what names none itself (2类)."""
    said = text.lower()
    found = {schemed(one) for one in SCHEMED.finditer(said)}
    if not found:
        found = {(scheme, schemed(one)[1]) for one in PLAIN.finditer(said)}
    return found


def schemed(found: re.Match[str]) -> tuple[str, str]:
    """Return what a text says: its scheme, empty where it names none, and its category, of two the higher."""
    groups = found.groupdict()
    said = max(category(found["category"]), category(groups["to"]) if groups.get("to") else "")
    return _scheme(groups["scheme"]) if groups.get("scheme") else "", said


def spoken_categories(found: re.Match[str]) -> set[str]:
    """Return every category that a text speaks of in one breath: 4 and 5 of 4 类或 5 类."""
    groups = found.groupdict()
    return {category(groups[name]) for name in ("category", "to") if groups.get(name)}


def is_of(said: str, known: Iterable[str]) -> bool:
    """Say whether a category is one of those known, or says less of one of them: 4 of 4a."""
    return any(said == one or one.startswith(said) for one in known)
