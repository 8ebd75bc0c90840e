"""Reference ranges: which one fits, and which must not stand beside each other; what the starter files hold."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.catalog.coverage import gaps, is_loinc, miscoded
from tjapi.catalog.models import ItemRange
from tjapi.catalog.rules import (
    Subject,
    choose,
    first_day_of_age,
    last_day_of_age,
    overlaps,
    range_for,
    starter_id,
)
from tjapi.catalog.service.content import _range_row, read_starter

ITEM = UUID(int=1)
DAY = date(2026, 11, 23)
LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True)
class Range:
    sex: str = "any"
    age_from: str | None = None
    age_to: str | None = None
    method: str = ""
    valid_from: date = LONG_AGO
    valid_to: date | None = None
    item_id: UUID = ITEM
    pregnant: bool = False

    @property
    def age_from_days(self) -> int | None:
        return None if self.age_from is None else first_day_of_age(self.age_from)

    @property
    def age_to_days(self) -> int | None:
        return None if self.age_to is None else last_day_of_age(self.age_to)


def subject(sex: str = "male", age_days: int = 40 * 365, method: str = "", on: date = DAY) -> Subject:
    return Subject(sex, on - timedelta(days=age_days), method, on)


def born(years: int, on: date = DAY) -> date:
    """Return the birth date of whoever completes so many years on a day."""
    return on.replace(year=on.year - years)


@pytest.mark.requirement("E3.3")
def test_a_range_for_the_sex_is_preferred_to_one_for_any_sex() -> None:
    anybody, man, woman = Range(), Range("male"), Range("female")
    assert choose([anybody, man, woman], subject("male")) is man
    assert choose([woman, man, anybody], subject("female")) is woman


def test_an_unknown_sex_takes_only_a_range_for_any_sex() -> None:
    anybody = Range()
    assert choose([Range("male"), anybody, Range("female")], subject("unknown")) is anybody
    assert choose([Range("male"), Range("female")], subject("unknown")) is None


def test_a_range_for_the_method_is_preferred_even_to_one_for_the_sex() -> None:
    method, man = Range(method="P5P"), Range("male")
    assert choose([man, method], subject("male", method="P5P")) is method
    assert choose([man, method], subject("male", method="other")) is man
    assert choose([method], subject("male")) is None


@pytest.mark.requirement("E3.3")
def test_who_is_pregnant_gets_the_range_of_pregnancy_where_there_is_one() -> None:
    woman, pregnant, method = Range("female"), Range("female", pregnant=True), Range("female", method="X")
    asked = subject("female")
    expecting = Subject("female", asked.birth_date, "X", asked.on, pregnant=True)
    assert choose([woman, pregnant, method], expecting) is pregnant
    assert choose([woman, method], expecting) is method
    assert choose([woman, pregnant], asked) is woman
    assert choose([pregnant], asked) is None
    assert overlaps([woman, pregnant]) == []
    assert len(overlaps([pregnant, Range("female", pregnant=True)])) == 1


def test_both_ends_of_an_age_belong_to_the_range() -> None:
    band = Range(age_from="10d", age_to="20d")
    assert [choose([band], subject(age_days=day)) is band for day in (9, 10, 20, 21)] == [False, True, True, False]


def test_both_ends_of_the_validity_belong_to_the_range() -> None:
    year = Range(valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [choose([year], subject(on=day)) is year for day in days] == [False, True, True, False]


def test_no_fitting_range_is_no_range() -> None:
    assert choose([], subject()) is None
    assert choose([Range(age_from="20y")], subject(age_days=40)) is None


def test_ranges_that_share_one_day_of_age_overlap() -> None:
    young, old = Range(age_to="100d"), Range(age_from="100d")
    assert overlaps([young, old]) == [(young, old)]
    assert overlaps([young, Range(age_from="101d")]) == []


def test_ranges_of_different_sex_method_item_or_time_do_not_overlap() -> None:
    ended = Range(valid_to=date(2020, 12, 31))
    assert overlaps([Range("male"), Range("female"), Range(), Range(method="P5P"), Range(item_id=uuid4())]) == []
    assert overlaps([ended, Range(valid_from=date(2021, 1, 1))]) == []
    assert len(overlaps([ended, Range(valid_from=date(2020, 12, 31))])) == 1


def _age(days: int | None) -> str | None:
    return None if days is None else f"{days // 30}m" if days % 30 == 0 and days else f"{days}d"


ages = st.none() | st.integers(0, 60)
ranges = st.builds(
    lambda sex, method, pregnant, a, b, start, length: Range(
        sex, _age(a if b is None or a is None else min(a, b)), _age(b if a is None or b is None else max(a, b)), method,
        LONG_AGO + timedelta(days=start), None if length is None else LONG_AGO + timedelta(days=start + length), pregnant=pregnant,
    ),
    st.sampled_from(["any", "male", "female"]), st.sampled_from(["", "X"]), st.booleans(), ages, ages, st.integers(0, 20), st.none() | st.integers(0, 20),
)  # fmt: skip


@given(
    st.lists(ranges, max_size=6), st.sampled_from(["male", "female", "unknown"]), st.sampled_from(["", "X"]),
    st.integers(0, 60), st.integers(0, 40), st.none() | st.booleans(),
)  # fmt: skip
def test_without_overlaps_the_order_of_ranges_never_decides(
    found: list[Range], sex: str, method: str, age: int, day: int, pregnant: bool | None
) -> None:
    on = LONG_AGO + timedelta(days=day)
    asked = Subject(sex, on - timedelta(days=age), method, on, pregnant)
    if not overlaps(found):
        assert choose(found, asked) is choose(list(reversed(found)), asked)


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(
    ("birth", "day", "holds", "not_yet"),
    [
        (date(2008, 2, 28), date(2026, 2, 27), "17y", "18y"),
        (date(2008, 2, 28), date(2026, 2, 28), "18y", "19y"),
        (date(2002, 2, 1), date(2002, 3, 1), "1m", "2m"),
        (date(2001, 9, 1), date(2002, 3, 1), "6m", "7m"),
        (date(2002, 1, 31), date(2002, 2, 28), "28d", "1m"),
        (date(2002, 1, 31), date(2002, 3, 1), "1m", "2m"),
        (date(2000, 2, 29), date(2018, 2, 28), "17y", "18y"),
        (date(2000, 2, 29), date(2018, 3, 1), "18y", "19y"),
        (date(2000, 2, 29), date(2004, 2, 29), "4y", "5y"),
        (date(2026, 11, 9), date(2026, 11, 23), "2w", "3w"),
        (date(2026, 11, 23), date(2026, 11, 23), "0d", "1d"),
    ],
)
def test_an_age_is_reached_by_the_calendar(birth: date, day: date, holds: str, not_yet: str) -> None:
    asked = Subject("male", birth, "", day)
    reached, later = Range(age_from=holds), Range(age_from=not_yet)
    assert choose([reached, later], asked) is reached
    assert choose([later], asked) is None
    assert choose([Range(age_to=holds)], asked) is not None
    before = f"{int(holds[:-1]) - 1}{holds[-1]}"
    assert before.startswith("-") or choose([Range(age_to=before)], asked) is None


def test_the_cases_of_ages_hold() -> None:
    """33-age-days.tsv: born, on the day, what the range of that age does."""
    path = Path(__file__).parents[2] / "cases" / "33-age-days.tsv"
    for row in path.read_text("utf-8").splitlines()[1:]:
        birth, day, _, expected = row.split("\t")
        age = re.search(r"from (\d+[my])", expected)
        assert age is not None
        asked = Subject("male", date.fromisoformat(birth), "", date.fromisoformat(day))
        holds = choose([Range(age_from=age[1])], asked) is not None
        assert holds == ("does not hold" not in expected), row


@given(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(0, 120 * 366))
def test_somebody_is_in_one_of_adjoining_bands_on_every_day(birth: date, days: int) -> None:
    day = birth + timedelta(days=days)
    bands = [
        Range(age_to="5m"),
        Range(age_from="6m", age_to="5y"),
        Range(age_from="6y", age_to="17y"),
        Range(age_from="18y"),
    ]
    found = [band for band in bands if choose([band], Subject("any", birth, "", day)) is band]
    assert len(found) == 1


def test_where_days_and_months_both_hold_the_later_band_counts() -> None:
    newborn, infant = Range(age_to="29d"), Range(age_from="1m")
    assert overlaps([newborn, infant]) == []
    for found in ([newborn, infant], [infant, newborn]):
        assert choose(found, Subject("any", date(2002, 2, 1), "", date(2002, 3, 1))) is infant


def test_a_starter_id_is_the_same_everywhere_and_different_for_each_row() -> None:
    assert starter_id("item", "HGB") == starter_id("item", "HGB") != starter_id("item_group", "HGB")


STARTER = read_starter()


def starter_ranges(code: str) -> list[ItemRange]:
    item = next(i for i in STARTER.items if i.code == code)
    return [ItemRange(**_range_row(starter_id("item", code), code, r)) for r in item.ranges]


def test_the_starter_files_name_only_what_they_hold() -> None:
    starter = STARTER
    items, groups = {i.code for i in starter.items}, {g.code for g in starter.item_groups}
    assert len(items) == len(starter.items)
    assert {code for g in starter.item_groups for code in g.items} <= items
    assert {code for p in starter.packages for code in p.groups} <= groups
    assert {g.department for g in starter.item_groups} <= {d.code for d in starter.departments}


def test_each_starter_range_names_its_source_and_of_its_critical_bounds() -> None:
    ranges = [r for item in STARTER.items for r in item.ranges]
    assert len(ranges) > 30
    assert all(r.source for r in ranges)
    critical = [r for r in ranges if r.critical_low is not None or r.critical_high is not None]
    assert critical
    assert all(r.critical_source for r in critical)


def test_starter_ranges_do_not_overlap() -> None:
    codes = [item.code for item in STARTER.items]
    assert overlaps([r for code in codes for r in starter_ranges(code)]) == []


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(
    ("code", "sex", "years", "method", "low", "high"),
    [
        ("HGB", "male", 40, "", "130", "175"),
        ("HGB", "female", 40, "", "115", "150"),
        ("RBC", "female", 40, "", "3.8", "5.1"),
        ("ALT", "male", 40, "", "9", "50"),
        ("ALT", "male", 40, "P5P", "9", "60"),
        ("CREA", "male", 59, "", "57", "97"),
        ("CREA", "male", 60, "", "57", "111"),
        ("PLT", "unknown", 40, "", "125", "350"),
    ],
)
def test_a_starter_range_is_that_of_sex_age_and_method(
    code: str, sex: str, years: int, method: str, low: str, high: str
) -> None:
    chosen = choose(starter_ranges(code), Subject(sex, born(years), method, DAY))
    assert chosen is not None
    assert (chosen.low, chosen.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("code", "sex", "years"), [("CREA", "unknown", 85), ("HGB", "unknown", 40), ("ALT", "unknown", 30)]
)
def test_whom_no_reference_range_fits_is_still_found_when_in_danger(code: str, sex: str, years: int) -> None:
    chosen = choose(starter_ranges(code), Subject(sex, born(years), "", DAY))
    assert chosen is not None
    assert (chosen.low, chosen.high) == (None, None)
    assert chosen.critical_high is not None


def test_a_child_has_no_adult_range() -> None:
    child, adult = (choose(starter_ranges("HGB"), subject("male", years * 365)) for years in (10, 40))
    assert child is not None
    assert child is not adult
    assert (child.low, child.high) == (Decimal(118), Decimal(156))


@pytest.mark.requirement("X15", "E3.3")
def test_the_starter_leaves_nobody_without_a_range_or_a_word_why() -> None:
    unjudged = [limit.item for limit in STARTER.limits if not limit.judged]
    assert gaps(STARTER.items, unjudged) == []
    assert miscoded(STARTER.items) == []


@dataclass(frozen=True)
class Bounds(Range):
    low: Decimal | None = None
    high: Decimal | None = None
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None
    normal_texts: list[str] | None = None
    text: str = ""


@dataclass(frozen=True)
class Item:
    code: str
    ranges: list[Bounds]
    kind: str = "numeric"
    loinc: str | None = None


ONE, TWO, THREE = Decimal(1), Decimal(2), Decimal(3)


@pytest.mark.parametrize(
    ("ranges", "code", "said"),
    [
        ([Bounds(age_from="18y", high=TWO)], "range-gap", "男性0天起至18岁前"),
        ([Bounds(age_to="79y", high=TWO)], "range-gap", "女性80岁起"),
        ([Bounds("male", high=TWO)], "range-gap", "女性0天起"),
        ([Bounds(high=TWO), Bounds("female", pregnant=True)], "range-gap", "女性孕期"),
        ([Bounds(critical_high=THREE)], "range-gap", "男性0天起"),
        ([Bounds(high=TWO), Bounds(age_from="80y", high=THREE)], "range-overlap", "80y"),
        ([Bounds(low=TWO, high=THREE, critical_low=TWO)], "range-bounds", "any"),
        ([Bounds(normal_texts=["阴性"])], "range-kind", "any"),
        ([Bounds(high=TWO, critical_high=THREE), Bounds(pregnant=True, high=ONE)], "pregnancy-criticals", "孕期"),
        ([Bounds("male", high=TWO), Bounds("female", high=TWO), Bounds("male", age_from="5y", age_to="4y", high=ONE)], "range-idle", "5y"),
    ],
)  # fmt: skip
def test_each_fault_of_a_range_is_found_and_said_in_both_languages(ranges: list[Bounds], code: str, said: str) -> None:
    found = [fault for fault in gaps([Item("X", ranges)]) if fault.code == code]
    assert found
    assert any(said in fault.zh for fault in found)
    assert all(fault.path == "items/X/ranges" and fault.en for fault in found)


def test_what_is_complete_or_never_judged_has_no_fault() -> None:
    whole = [Bounds(high=TWO, critical_high=THREE), Bounds(pregnant=True, high=ONE, critical_high=THREE)]
    said = [Bounds(age_to="17y", text="未成年人无通用区间"), Bounds(age_from="18y", high=TWO)]
    assert gaps([Item("X", whole), Item("Y", said)]) == []
    assert gaps([Item("HEIGHT", [])], ["HEIGHT"]) == []
    assert gaps([Item("LUNG", [], kind="text")]) == []


def test_a_loinc_code_is_told_by_its_check_digit_and_is_of_one_item() -> None:
    assert is_loinc("718-7")
    assert not any(is_loinc(code) for code in ("718-8", "781-7", "718", "7a8-7", "-7"))
    items = [Item("A", [], loinc="718-7"), Item("B", [], loinc="718-7"), Item("C", [], loinc="718-8")]
    assert [(f.code, f.path) for f in miscoded(items)] == [
        ("loinc-check-digit", "items/C/loinc"), ("loinc-twice", "items/A/loinc"), ("loinc-twice", "items/B/loinc"),
    ]  # fmt: skip
    assert miscoded([Item("SBP", [], loinc="8480-6"), Item("SBP-2", [], loinc="8480-6")]) == []


@pytest.mark.requirement("E3.3")
def test_a_range_is_found_in_the_shipped_files_without_a_database() -> None:
    items = {item.code: item for item in STARTER.items}
    found = range_for(items["HGB"], "female", "30y", pregnant=True)
    assert found is not None
    assert (found.low, found.critical_low) == (Decimal(110), Decimal(50))
    assert range_for(items["ALT"], "male", "40y", method="P5P") is not range_for(items["ALT"], "male", "40y")
    old = range_for(items["CREA"], "male", "95y", on=DAY)
    assert old is not None
    assert old.high == Decimal(111)
