"""Every number of the starter catalog has bounds beyond which it is asked back: wide enough for the gravely ill, narrow enough for another unit."""

from decimal import Decimal

import pytest

from tests.tjapi.starter import ITEMS, LIMITS, OTHER_UNITS
from tjapi.result.rules.flags import Flag, flag
from tjapi.result.rules.questions import Limits, Turned, implausible, unit_in_doubt
from tjapi.result.rules.ranges import Range, Told
from tjapi.result.rules.values import Value, converted, parse

pytestmark = pytest.mark.requirement("E3.4")

NUMBERS = {code: item for code, item in ITEMS.items() if item["kind"] in ("numeric", "computed")}


def _d(number: object) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _limits(code: str) -> Limits:
    found = LIMITS[code]
    return Limits(True, _d(found["plausible_low"]), _d(found["plausible_high"]))


def _ranges(code: str) -> list[Range]:
    return [
        Range(_d(row.get("low")), _d(row.get("high")), _d(row.get("critical_low")), _d(row.get("critical_high")))
        for row in ITEMS[code].get("ranges", [])
    ]


def _asked(code: str, value: Value, normal: Range | None, said: Range | None = None) -> bool:
    """Say whether a number without a unit is asked back: by its limits, or because it may be one in another unit."""
    limits, decimals = _limits(code), ITEMS[code].get("decimals") or 0
    told = Told(said.low, said.high) if said is not None else None
    others = []
    for unit in (u for u in OTHER_UNITS if u["item"] == code):
        how = (Decimal(unit["factor"]), Decimal(unit.get("addend", "0")), decimals)
        one = converted(value, *how)
        others.append(Turned(one, flag(one, normal), told.turned(*how).normal if told is not None else None))
    return implausible(value, limits) is not None or unit_in_doubt((flag(value, normal), normal), others, said, limits)


@pytest.mark.parametrize("code", NUMBERS)
def test_every_number_has_limits_and_its_ranges_and_critical_bounds_lie_within(code: str) -> None:
    limits = _limits(code)
    assert limits.plausible_low is not None
    assert limits.plausible_high is not None
    for normal in _ranges(code):
        for bound in (normal.low, normal.high, normal.critical_low, normal.critical_high):
            assert bound is None or limits.plausible_low <= bound <= limits.plausible_high


def test_a_percentage_is_none_beyond_a_hundred_and_limits_say_that_they_are_a_convention_of_the_house() -> None:
    shares = ("NEUT-P", "LYMPH-P", "MONO-P", "EOS-P", "BASO-P", "SPO2", "LVEF", "FEV1FVC")
    assert all(LIMITS[code]["plausible_high"] <= 100 for code in shares)
    assert {limit["source"].split(":")[0] for limit in LIMITS.values() if "plausible_low" in limit} == {"内部约定"}


SLIPS = [
    ("HBA1C", "0.065"), ("CREA", "0.9"), ("CREA", "8.0"), ("GLU", "95"), ("GLU-2H", "180"), ("GLU-2H", "95"), ("INR", "98.6"), ("SPO2", "124"), ("SPO2", "0.98"),
    ("ECG-QTC", "3"), ("ECG-QTC", "0.41"), ("LYMPH-P", "134"), ("UA", "5.5"), ("TC", "190"), ("HDL", "45"), ("LDL", "120"), ("TG", "150"),
    ("HGB", "14"), ("HGB", "7.0"), ("MCHC", "33"), ("TP", "7.1"), ("ALB", "4.4"), ("HCT", "45"), ("TEMP", "98.6"), ("TEMP", "27"), ("CA", "9.4"), ("FIB", "300"),
    ("APOA1", "140"), ("WBC", "6500"), ("SBP-2", "12"), ("DBP-2", "8"), ("HEART-RATE", "7"), ("USG", "1015"), ("FVC", "0.9"), ("LVEF", "0.6"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "raw"), SLIPS)
def test_what_is_usual_in_another_unit_or_nobodys_is_asked_back(code: str, raw: str) -> None:
    assert implausible(parse(raw), _limits(code)) is not None


GRAVE = [
    ("CREA", "1800"), ("GLU", "1.2"), ("GLU", "45"), ("HGB", "35"), ("K", "8.9"), ("INR", "12"), ("HBA1C", "17.5"), ("WBC", "400"), ("TBIL", "600"),
    ("SPO2", "62"), ("ECG-QTC", "640"), ("TSH", "150"), ("ALB", "14"), ("TG", "65"), ("PLT", "2"), ("TEMP", "41.2"), ("UA", "1100"), ("CA", "4.2"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "raw"), GRAVE)
def test_grave_illness_is_possible(code: str, raw: str) -> None:
    assert implausible(parse(raw), _limits(code)) is None


def _usual(normal: Range) -> Decimal | None:
    """Return a number that is normal."""
    if normal.low is not None and normal.high is not None:
        return (normal.low + normal.high) / 2
    return normal.high * Decimal("0.7") if normal.high is not None else None


@pytest.mark.parametrize(("code", "unit"), [(u["item"], u["unit"]) for u in OTHER_UNITS])
def test_what_is_usual_in_another_unit_and_said_without_one_is_asked_or_harmless(code: str, unit: str) -> None:
    row = next(u for u in OTHER_UNITS if (u["item"], u["unit"]) == (code, unit))
    factor, addend = Decimal(row["factor"]), Decimal(row.get("addend", "0"))
    for normal in _ranges(code):
        for ours in (_usual(normal), normal.high and normal.high * 3, normal.low and normal.low / 2):
            if not ours or implausible(Value("", "", "", ours), _limits(code)) is not None:
                continue
            theirs = parse(f"{((ours - addend) / factor).quantize(Decimal('0.001')):f}")
            as_taken: Flag | None = flag(theirs, normal)
            as_meant = flag(converted(theirs, factor, addend, 3), normal)
            assert as_taken == as_meant or _asked(code, theirs, normal), (normal, theirs)


def test_a_range_of_our_order_beside_the_number_says_the_unit() -> None:
    normal = Range(Decimal("3.4"), Decimal("20.5"))
    assert _asked("TBIL", parse("5.0"), normal)
    assert not _asked("TBIL", parse("5.0"), normal, said=Range(Decimal("5.1"), Decimal("22.2")))
    assert _asked("TBIL", parse("5.0"), normal, said=Range(Decimal("0.2"), Decimal("1.2")))
    # Of an item that is said in one unit only, or is the same in each, nothing is asked.
    assert not _asked("TP", parse("70"), Range(Decimal(65), Decimal(85)))
    assert not _asked("K", parse("4.2"), Range(Decimal("3.5"), Decimal("5.3")))
