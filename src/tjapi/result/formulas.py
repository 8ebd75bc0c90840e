"""Computed items: each from others, by item code, within the domain of its formula; outside of it there is no value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_ADULT = 18
_ONE, _TENTH, _HUNDREDTH = Decimal(1), Decimal("0.1"), Decimal("0.01")
_UMOL_PER_MG_DL = Decimal("88.4")
_FIB4_FROM = 35
_HOMA = Decimal("22.5")


@dataclass(frozen=True, slots=True)
class Person:
    """For whom something is computed."""

    sex: str
    age_years: int


@dataclass(frozen=True, slots=True)
class Formula:
    """How a computed item comes from others, by item code; `source` is where the formula stands."""

    inputs: tuple[str, ...]
    compute: Callable[[Sequence[Decimal], Person], Decimal | None]
    source: str
    outside: Callable[[Person], tuple[str, str] | None] = lambda _person: None
    """What of a person lies outside of its domain, in both languages; None: nothing."""


def bmi(values: Sequence[Decimal], _person: Person) -> Decimal | None:
    """Return the body mass index, kg/m², of height in cm and weight in kg, to one decimal; None for what is no body's measure."""
    height, weight = values
    if height <= 0 or weight <= 0:
        return None
    metres = height / 100
    return (weight / (metres * metres)).quantize(_TENTH, ROUND_HALF_UP)


def egfr(values: Sequence[Decimal], person: Person) -> Decimal | None:
    """Return the CKD-EPI 2021 estimate, mL/min/1.73 m², of serum creatinine in μmol/L; for adults of known sex.

    142 × min(Scr/κ, 1)^α × max(Scr/κ, 1)^−1.200 × 0.9938^age (× 1.012 for women); κ 0.7 or 0.9 mg/dL, α −0.241 or −0.302.
    """
    (creatinine,) = values
    if creatinine <= 0 or _no_adult_of_known_sex(person) is not None:
        return None
    woman = person.sex == "female"
    ratio = float(creatinine / _UMOL_PER_MG_DL) / (0.7 if woman else 0.9)
    rate = 142 * min(ratio, 1) ** (-0.241 if woman else -0.302) * max(ratio, 1) ** -1.2 * 0.9938**person.age_years
    return Decimal(rate * (1.012 if woman else 1)).quantize(_ONE, ROUND_HALF_UP)


def _no_adult_of_known_sex(person: Person) -> tuple[str, str] | None:
    if person.sex not in ("male", "female"):
        return "公式需要性别,而性别不详", "the formula asks for the sex, which is not known"
    if person.age_years < _ADULT:
        return f"公式仅适用于满{_ADULT}岁者", f"the formula holds from {_ADULT} years of age on"
    return None


def _quotient(places: Decimal) -> Callable[[Sequence[Decimal], Person], Decimal | None]:
    def divided(values: Sequence[Decimal], _person: Person) -> Decimal | None:
        above, below = values
        return (above / below).quantize(places, ROUND_HALF_UP) if above > 0 and below > 0 else None

    return divided


def _difference(places: Decimal) -> Callable[[Sequence[Decimal], Person], Decimal | None]:
    def less(values: Sequence[Decimal], _person: Person) -> Decimal | None:
        whole, part = values
        return (whole - part).quantize(places, ROUND_HALF_UP) if whole >= part >= 0 else None

    return less


def _albumin_ratio(values: Sequence[Decimal], _person: Person) -> Decimal | None:
    protein, albumin = values
    globulin = protein - albumin
    return (albumin / globulin).quantize(_TENTH, ROUND_HALF_UP) if albumin > 0 and globulin > 0 else None


def fib4(values: Sequence[Decimal], person: Person) -> Decimal | None:
    """Return FIB-4 of AST and ALT in U/L and platelets in 10⁹/L: age × AST / (platelets × √ALT), to two decimals; from 35 years of age."""
    ast, alt, platelets = values
    if min(values) <= 0 or _too_young_for_fib4(person) is not None:
        return None
    return (person.age_years * ast / (platelets * alt.sqrt())).quantize(_HUNDREDTH, ROUND_HALF_UP)


def _too_young_for_fib4(person: Person) -> tuple[str, str] | None:
    if person.age_years < _FIB4_FROM:
        return f"公式仅适用于满{_FIB4_FROM}岁者", f"the formula holds from {_FIB4_FROM} years of age on"
    return None


def homa_ir(values: Sequence[Decimal], _person: Person) -> Decimal | None:
    """Return HOMA-IR of fasting glucose in mmol/L and fasting insulin in mIU/L: their product by 22.5, to two decimals."""
    glucose, insulin = values
    if glucose <= 0 or insulin <= 0:
        return None
    return (glucose * insulin / _HOMA).quantize(_HUNDREDTH, ROUND_HALF_UP)


FORMULAS: Mapping[str, Formula] = {
    "BMI": Formula(("HEIGHT", "WEIGHT"), bmi, "WS/T 428-2013"),
    "WHR": Formula(("WAIST", "HIP"), _quotient(_HUNDREDTH), "腰围/臀围"),
    "EGFR": Formula(("CREA",), egfr, "CKD-EPI 2021 creatinine equation", _no_adult_of_known_sex),
    "NONHDL": Formula(("TC", "HDL"), _difference(_HUNDREDTH), "总胆固醇 − 高密度脂蛋白胆固醇"),
    "GLOB": Formula(("TP", "ALB"), _difference(_TENTH), "总蛋白 − 白蛋白"),
    "AG-R": Formula(("TP", "ALB"), _albumin_ratio, "白蛋白/(总蛋白 − 白蛋白)"),
    "IBIL": Formula(("TBIL", "DBIL"), _difference(_TENTH), "总胆红素 − 直接胆红素"),
    "PSA-R": Formula(("FPSA", "TPSA"), _quotient(_HUNDREDTH), "游离 PSA/总 PSA"),
    "PGR": Formula(("PG1", "PG2"), _quotient(_TENTH), "胃蛋白酶原Ⅰ/胃蛋白酶原Ⅱ"),
    "FIB4": Formula(("AST", "ALT", "PLT"), fib4, "Sterling 2006:年龄 × AST/(PLT × √ALT);未核原文", _too_young_for_fib4),
    "HOMA-IR": Formula(("GLU", "INS"), homa_ir, "Matthews 1985:空腹血糖 × 空腹胰岛素/22.5;未核原文"),
}
