"""What an identity document says about its holder. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import Literal

from tjapi.catalog.rules import Age

Sex = Literal["male", "female", "unknown"]
IdKind = Literal[
    "resident", "hk_mo_tw_resident", "hk_mo_travel_permit", "tw_travel_permit", "foreign_permanent", "passport", "none"
]
Fault = Literal[
    "format",
    "kind",
    "check_digit",
    "birth_date_invalid",
    "birth_date_in_future",
    "age_over_130",
    "number_missing",
    "number_not_expected",
]
SEXES = ("male", "female", "unknown")
ID_KINDS = (
    "resident", "hk_mo_tw_resident", "hk_mo_travel_permit", "tw_travel_permit", "foreign_permanent", "passport", "none",
)  # fmt: skip
OLDEST = 130

FAULTS: dict[Fault, tuple[str, str]] = {
    "format": (
        "证件号码的长度或字符不符合该证件类型",
        "the number has not the length or characters of this kind of document",
    ),
    "kind": ("证件号码属于另一种证件", "the number belongs to another kind of document"),
    "check_digit": ("证件号码校验位不正确", "the check digit of the number is wrong"),
    "birth_date_invalid": ("证件号码中的出生日期不存在", "the birth date in the number does not exist"),
    "birth_date_in_future": ("出生日期在今天之后", "the birth date is after today"),
    "age_over_130": ("年龄超过 130 岁", "the age is over 130"),
    "number_missing": ("该证件类型必须有证件号码", "this kind of document has a number"),
    "number_not_expected": ("无证件时不应有证件号码", "without a document there is no number"),
}

# ISO 7064 MOD 11-2 as GB 11643-1999 uses it: weight 2^(17-i) mod 11, check character by the remainder.
_WEIGHTS = tuple(2 ** (17 - i) % 11 for i in range(17))
_CHECK = "10X98765432"
_ZEROS = ord("0") * sum(_WEIGHTS)
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")
_OLD_PERMANENT = re.compile(r"[A-Z]{3}[0-9]{12}")
# 港澳居民来往内地通行证: H or M and eight digits for life; two more count the renewals. 台湾居民来往大陆通行证: eight digits for life since
# 2015; the booklets before had ten, and a letter for where they were issued.
_HK_MO_PERMIT = re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?")
_TW_PERMIT = re.compile(r"[0-9]{8}|[0-9]{10}[A-Z]?")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_COUNTRY = re.compile(r"[A-Z]{3}")
_HK_MO_TW = ("810000", "820000", "830000")


class IdNumberFault(ValueError):  # noqa: N818 - named for the finding
    """Why a number is not one of its kind. It never holds the number."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A number in its one spelling, and what it says; None where its kind says nothing."""

    kind: IdKind
    number: str
    sex: Sex | None
    birth_date: date | None


def parse_id_number(kind: IdKind, raw: str, today: date) -> IdNumber:
    """Read an identity number. Raises IdNumberFault, naming what is wrong.

    Resident cards (GB 11643), also with the old 15 digits; residence permits of 港澳台居民 (same make, areas 810000, 820000, 830000);
    foreigners' permanent residence cards of 2023 (18 digits, the first a 9, same check) and before (3 letters of the country, 12 digits, of
    which the fifth to the tenth are the birth date as YYMMDD: the century is the one that makes a person of at most a hundred years); the travel permits of 港澳居民 and 台湾居民, and
    passports, whose numbers say nothing.
    """
    number = normalise_id_number(raw)
    if kind == "passport":
        return _plain(kind, number, _PASSPORT)
    if kind == "tw_travel_permit":
        return _plain(kind, number, _TW_PERMIT)
    if kind == "hk_mo_travel_permit":
        permit = _HK_MO_PERMIT.fullmatch(number)
        return _plain(kind, permit[1] if permit else "", _HK_MO_PERMIT)
    if kind == "foreign_permanent" and _OLD_PERMANENT.fullmatch(number):
        return IdNumber(kind, number, None, _old_permanent_birth(number, today))
    if kind == "resident" and _FIFTEEN.fullmatch(number):
        number = eighteen_of_fifteen(number)
    if not _EIGHTEEN.fullmatch(number):
        raise IdNumberFault("format")
    if _kind_of_eighteen(number) != kind:
        raise IdNumberFault("kind")
    if check_digit(number[:17]) != number[17]:
        raise IdNumberFault("check_digit")
    try:
        birth = date.fromisoformat(number[6:14])
    except ValueError as error:
        raise IdNumberFault("birth_date_invalid") from error
    fault = birth_date_fault(birth, today)
    if fault:
        raise IdNumberFault(fault)
    return IdNumber(kind, number, "male" if int(number[16]) % 2 else "female", birth)


def _old_permanent_birth(number: str, today: date) -> date:
    """Return the birth date in a permanent residence card of before 2023. Raises IdNumberFault."""
    year, month, day = (int(number[at : at + 2]) for at in (7, 9, 11))
    century = today.year // 100 * 100
    try:
        born = date(century + year, month, day)
        return born if born <= today else date(century - 100 + year, month, day)
    except ValueError as error:
        raise IdNumberFault("birth_date_invalid") from error


def _plain(kind: IdKind, number: str, form: re.Pattern[str]) -> IdNumber:
    if not form.fullmatch(number):
        raise IdNumberFault("format")
    return IdNumber(kind, number, None, None)


def _kind_of_eighteen(number: str) -> IdKind:
    if number[0] == "9":
        return "foreign_permanent"
    return "hk_mo_tw_resident" if number[:6] in _HK_MO_TW else "resident"


def country_of(kind: IdKind, issuer: str | None) -> str:
    """Return the three letters of the country that issued a passport (ICAO 9303); empty where it is not said that way.

    An authority (U.S. Department of State) is no country: the same passport may be read with the one or the other.
    """
    letters = normalise_id_number(issuer or "")
    return letters if kind == "passport" and _COUNTRY.fullmatch(letters) else ""


def normalise_id_number(raw: str) -> str:
    """Return a number without spaces and hyphens, in half-width capitals."""
    if raw.isascii() and raw.isalnum():  # as nearly every list has it
        return raw.upper()
    return re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", raw)).upper()


def check_digit(body: str) -> str:
    """Return the check character of 17 digits, 0 to 9 of ASCII. Raises ValueError."""
    digits = body.encode("ascii")
    if len(digits) != len(_WEIGHTS) or not digits.isdigit():
        raise ValueError("17 digits have a check digit")
    return _CHECK[(sum(map(mul, digits, _WEIGHTS)) - _ZEROS) % 11]


def eighteen_of_fifteen(number: str) -> str:
    """Return the 18-digit form of an old number: those were given to people born from 1900 to 1999."""
    body = f"{number[:6]}19{number[6:]}"
    return body + check_digit(body)


def spellings_sought(raw: str) -> tuple[str, ...]:
    """Return the stored spellings that a typed number may stand for, whatever its kind."""
    number = normalise_id_number(raw)
    if permit := _HK_MO_PERMIT.fullmatch(number):  # as it is kept, without the count of its renewals
        return tuple(dict.fromkeys((number, permit[1])))
    return (number, eighteen_of_fifteen(number)) if _FIFTEEN.fullmatch(number) else (number,)


def spellings_of(number: str) -> tuple[str, ...]:
    """Return the spellings in which one number may be kept: as it is, and with 15 digits for 18 or 18 for 15."""
    if _EIGHTEEN.fullmatch(number) and number[6:8] == "19":
        return (number, number[:6] + number[8:17])
    return spellings_sought(number)


FOR_LIFE: tuple[IdKind, ...] = ("resident", "hk_mo_tw_resident")
"""Documents whose number stays with their holder: another number is another person."""


def kind_for_life(raw: str, today: date) -> IdKind | None:
    """Return of which of the documents that are for life a number is, its check digit being right; None: of none."""
    for kind in FOR_LIFE:
        try:
            return parse_id_number(kind, raw, today).kind
        except IdNumberFault:
            continue
    return None


def birth_date_fault(birth: date, today: date) -> Fault | None:
    """Say what is wrong with a birth date: in the future, or more than 130 years ago."""
    if birth > today:
        return "birth_date_in_future"
    return "age_over_130" if full_years(birth, today) > OLDEST else None


def full_years(birth: date, day: date) -> int:
    """Return the age in completed years on a day."""
    return Age.on(birth, day).years
