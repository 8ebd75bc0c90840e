"""Reading a value: what was said, as it compares, and as a number where it is one. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

Comparator = Literal["", "<", "<=", ">", ">="]

# Full-width ASCII and the ideographic blank become plain. Not NFKC: it makes 109 of 10⁹, which is guessing.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: 0x20, 0x00A0: 0x20, 0x2212: ord("-"), 0x2266: ord("≤"), 0x2267: ord("≥"),
}  # fmt: skip
# No plus sign: "+1" is a grade, as is "1+".
_NUMBER = re.compile(r"(<=|>=|<|>|≤|≥)?\s*(-?(?:\d{1,12}(?:\.\d{1,9})?|\.\d{1,9}))", re.ASCII)
_COMPARATORS: Mapping[str, Comparator] = {"": "", "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
# Spellings of one finding. Grades stay apart from "阳性", and 弱阳性 from ±: whether they are the same is the method's business.
_SPELLINGS: Mapping[str, str] = {
    spelling: meaning
    for meaning, spellings in {
        "阴性": ("阴性", "-", "(-)", "阴性(-)", "阴性-", "neg", "negative"),
        "±": ("±", "(±)", "+-", "+/-", "±(±)"),
        "弱阳性": ("弱阳性", "弱阳", "弱阳性(±)"),
        "阳性": ("阳性", "pos", "positive"),
        "1+": ("+", "(+)", "1+", "+1", "(1+)", "(+1)", "阳性(+)", "阳性(1+)", "阳性+", "阳性1+"),
        "2+": ("++", "(++)", "2+", "+2", "(2+)", "(+2)", "阳性(++)", "阳性(2+)", "阳性++", "阳性2+"),
        "3+": ("+++", "(+++)", "3+", "+3", "(3+)", "(+3)", "阳性(+++)", "阳性(3+)", "阳性+++", "阳性3+"),
        "4+": ("++++", "(++++)", "4+", "+4", "(4+)", "(+4)", "阳性(++++)", "阳性(4+)", "阳性++++", "阳性4+"),
    }.items()
    for spelling in spellings
}
_UNIT_SPELLINGS = str.maketrans(
    {"µ": "u", "μ": "u", "*": "^", "×": "x", "·": "."} | {d: f"^{i}" for i, d in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was said (`raw`), as it compares (`text`: plain widths, single blanks), and as a number where it is one."""

    raw: str
    text: str
    comparator: Comparator = ""
    numeric: Decimal | None = None

    @property
    def same(self) -> str:
        """A text that is equal for equal values: "5.0" and "5.00", "(-)" and 阴性."""
        if self.numeric is None:
            return finding(self.text)
        return f"{self.comparator}{self.numeric.normalize():f}"


def parse(raw: str) -> Value:
    """Read a value: "<0.01" and "＞１０００" are numbers with a comparator; "1:320", "±", "+1", "Rh(+)", "3~5" and "1,234" are text."""
    text = plain(raw)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return Value(raw, text)
    return Value(raw, text, _COMPARATORS[found[1] or ""], Decimal(found[2]))


def plain(raw: str) -> str:
    """Return a text in plain widths with single blanks, so that equal texts are equal."""
    return " ".join(raw.translate(_PLAIN).split())


def finding(text: str) -> str:
    """Return the one spelling of a qualitative finding ("(-)" is 阴性); a text that is none comes back as it is, in plain widths."""
    said = plain(text)
    return _SPELLINGS.get(said.replace(" ", "").lower(), said)


def same_unit(theirs: str, ours: str | None) -> bool:
    """Say whether two spellings are one unit: `10^9/L`, `×10⁹/L`, `10*9/L`; `umol/L`, `μmol/L`. An unsaid unit contradicts nothing."""
    return not plain(theirs) or not ours or _unit(theirs) == _unit(ours)


@lru_cache(maxsize=1_024)
def _unit(text: str) -> str:
    said = plain(text).replace(" ", "").translate(_UNIT_SPELLINGS).lower()
    return re.sub(r"^x(?=10)", "", said)


def converted(value: Value, factor: Decimal, addend: Decimal, decimals: int) -> Value:
    """Return a number in our unit: theirs × factor + addend, under the same comparator.

    What comes out exactly stays exact; else it is kept one digit finer than the item is printed, so that no rounding moves it over a
    bound. Raises ValueError for a text.
    """
    if value.numeric is None:
        raise ValueError
    ours = value.numeric * factor + addend
    finest = Decimal(1).scaleb(-(decimals + 1))
    if ours != ours.quantize(finest):
        ours = ours.quantize(finest, ROUND_HALF_UP)
    # No finer than it was said where the factor is a mere shift, and never as 1E+2.
    said = f"{value.comparator}{ours.normalize():f}"
    return Value(said, said, value.comparator, Decimal(f"{ours.normalize():f}"))
