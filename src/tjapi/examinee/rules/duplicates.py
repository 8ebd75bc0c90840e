"""How much speaks for two entries being one person, and what speaks against it. Pure.

A score is a sum of points that name themselves, so that whoever decides sees why. It decides nothing: a person does.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from tjapi.examinee.rules.documents import FOR_LIFE, IdKind, Sex
from tjapi.examinee.rules.names import folded, is_one_name, readings

Evidence = Literal[
    "same_id_number", "different_id_number", "same_name", "same_reading", "different_name", "same_birth_date", "similar_birth_date",
    "different_birth_date", "same_sex", "different_sex", "same_phone",
]  # fmt: skip
Contradiction = Literal["id_number", "sex", "birth_date"]
CONTRADICTIONS: tuple[Contradiction, ...] = ("id_number", "sex", "birth_date")
POINTS: dict[Evidence, int] = {
    "same_id_number": 60,
    "different_id_number": -60,
    "same_name": 30,
    "same_reading": 20,
    "different_name": -30,
    "same_birth_date": 30,
    "similar_birth_date": 5,
    "different_birth_date": -10,
    "same_sex": 10,
    "different_sex": -30,
    "same_phone": 25,
}
"""Name, birth date and sex together are 70. A phone alone says little: families share one, and twins their birth date as well."""
LIKELY = 50
"""From here on a pair is suggested unless somebody asks for less or more."""
_CERTAIN = 80
_MOST = 100


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of one entry. `numbers` are digests of every spelling of its ID number (15 and 18 digits), `phone` that of its phone."""

    name: str
    sex: Sex
    birth_date: date
    id_kind: IdKind
    numbers: frozenset[bytes]
    phone: bytes | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like two entries are, from 0 to 100, and why."""

    score: int
    evidence: tuple[Evidence, ...]


def likeness(one: Traits, two: Traits) -> Likeness:
    """Hold two entries against each other. Whatever a name, a date or a phone says, the same ID number says more."""
    found = tuple(
        evidence
        for evidence in (_number(one, two), _name(one, two), _birth_date(one, two), _sex(one, two), _phone(one, two))
        if evidence is not None
    )
    score = min(max(sum(POINTS[evidence] for evidence in found), 0), _MOST)
    return Likeness(max(score, _CERTAIN) if "same_id_number" in found else score, found)


def may_reach(one: Traits, two: Traits, score: int) -> bool:
    """Say whether two entries may be as like as that, before their names are read aloud, which takes longer than all the rest."""
    found = (_number(one, two), _birth_date(one, two), _sex(one, two), _phone(one, two))
    name: Evidence = "same_name" if folded(one.name) == folded(two.name) else "same_reading"
    points = sum(POINTS[evidence] for evidence in (*found, name) if evidence is not None)
    return "same_id_number" in found or points >= score


def contradictions(one: Traits, two: Traits) -> tuple[Contradiction, ...]:
    """Return what two entries of one person could not differ in: numbers of one kind of document, sex, birth date."""
    differs = {
        "id_number": _number(one, two) == "different_id_number",
        "sex": _sex(one, two) == "different_sex",
        "birth_date": one.birth_date != two.birth_date,
    }
    return tuple(what for what in CONTRADICTIONS if differs[what])


def _number(one: Traits, two: Traits) -> Evidence | None:
    if one.numbers & two.numbers:
        return "same_id_number"
    # A passport beside an ID card is no contradiction; passports and foreigners' cards get another number with a new issue.
    same_kind = one.id_kind == two.id_kind and one.id_kind in FOR_LIFE
    return "different_id_number" if same_kind and one.numbers and two.numbers else None


def _name(one: Traits, two: Traits) -> Evidence:
    if folded(one.name) == folded(two.name):
        return "same_name"
    same = is_one_name(one.name, two.name) or not readings(one.name).isdisjoint(readings(two.name))
    return "same_reading" if same else "different_name"


def _birth_date(one: Traits, two: Traits) -> Evidence:
    if one.birth_date == two.birth_date:
        return "same_birth_date"
    return "similar_birth_date" if _slip(one.birth_date, two.birth_date) else "different_birth_date"


def _slip(one: date, two: date) -> bool:
    """Say whether one date is the other with a digit mistyped, or with month and day exchanged."""
    if (one.year, one.month, one.day) == (two.year, two.day, two.month):
        return True
    return sum(a != b for a, b in zip(one.isoformat(), two.isoformat(), strict=True)) == 1


def _sex(one: Traits, two: Traits) -> Evidence | None:
    if "unknown" in (one.sex, two.sex):
        return None
    return "same_sex" if one.sex == two.sex else "different_sex"


def _phone(one: Traits, two: Traits) -> Evidence | None:
    return "same_phone" if one.phone is not None and one.phone == two.phone else None
