"""Reference ranges: which one fits, and which must not stand beside each other; what the starter files hold."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.catalog.models import ItemRange
from tjapi.catalog.rules import Subject, choose, first_day_of_age, last_day_of_age, overlaps, starter_id
from tjapi.catalog.service.content import _range_row, read_starter

ITEM = UUID(int=1)
DAY = date(2026, 11, 23)
LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True)
class Range:
    sex: str = "any"
    age_from_days: int | None = None
    age_to_days: int | None = None
    method: str = ""
    valid_from: date = LONG_AGO
    valid_to: date | None = None
    item_id: UUID = ITEM


def subject(sex: str = "male", age_days: int = 40 * 365, method: str = "", on: date = DAY) -> Subject:
    return Subject(sex, age_days, method, on)


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


def test_both_ends_of_an_age_belong_to_the_range() -> None:
    band = Range(age_from_days=10, age_to_days=20)
    assert [choose([band], subject(age_days=day)) is band for day in (9, 10, 20, 21)] == [False, True, True, False]


def test_both_ends_of_the_validity_belong_to_the_range() -> None:
    year = Range(valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [choose([year], subject(on=day)) is year for day in days] == [False, True, True, False]


def test_no_fitting_range_is_no_range() -> None:
    assert choose([], subject()) is None
    assert choose([Range(age_from_days=20_000)], subject(age_days=40)) is None


def test_ranges_that_share_one_day_of_age_overlap() -> None:
    young, old = Range(age_to_days=100), Range(age_from_days=100)
    assert overlaps([young, old]) == [(young, old)]
    assert overlaps([young, Range(age_from_days=101)]) == []


def test_ranges_of_different_sex_method_item_or_time_do_not_overlap() -> None:
    ended = Range(valid_to=date(2020, 12, 31))
    assert overlaps([Range("male"), Range("female"), Range(), Range(method="P5P"), Range(item_id=uuid4())]) == []
    assert overlaps([ended, Range(valid_from=date(2021, 1, 1))]) == []
    assert len(overlaps([ended, Range(valid_from=date(2020, 12, 31))])) == 1


ages = st.none() | st.integers(0, 60)
ranges = st.builds(
    lambda sex, method, a, b, start, length: Range(
        sex, a if b is None or a is None else min(a, b), b if a is None or b is None else max(a, b), method,
        LONG_AGO + timedelta(days=start), None if length is None else LONG_AGO + timedelta(days=start + length),
    ),
    st.sampled_from(["any", "male", "female"]), st.sampled_from(["", "X"]), ages, ages, st.integers(0, 20), st.none() | st.integers(0, 20),
)  # fmt: skip


@given(
    st.lists(ranges, max_size=6), st.sampled_from(["male", "female", "unknown"]), st.sampled_from(["", "X"]),
    st.integers(0, 60), st.integers(0, 40),
)  # fmt: skip
def test_without_overlaps_the_order_of_ranges_never_decides(
    found: list[Range], sex: str, method: str, age: int, day: int
) -> None:
    asked = Subject(sex, age, method, LONG_AGO + timedelta(days=day))
    if not overlaps(found):
        assert choose(found, asked) is choose(list(reversed(found)), asked)


def test_nobody_falls_between_two_age_bands_or_out_on_a_birthday() -> None:
    assert last_day_of_age("59y") + 1 == first_day_of_age("60y")
    for born in (date(2000, 2, 29), date(1999, 3, 1), date(2003, 12, 31), date(1960, 1, 1)):
        for years in (18, 20, 60, 80):
            birthday = (
                (born + timedelta(days=1)).replace(year=born.year + years)
                if born.day == 29
                else born.replace(year=born.year + years)
            )
            assert (birthday - born).days >= first_day_of_age(f"{years}y")


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


def test_no_starter_range_claims_to_be_verified_and_each_names_its_source() -> None:
    ranges = [r for item in STARTER.items for r in item.ranges]
    assert len(ranges) > 30
    assert all(r.source and not r.verified for r in ranges)
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
    chosen = choose(starter_ranges(code), subject(sex, first_day_of_age(f"{years}y"), method))
    assert chosen is not None
    assert (chosen.low, chosen.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("code", "sex", "years"), [("CREA", "male", 85), ("HGB", "unknown", 40), ("TBIL", "unknown", 30)]
)
def test_whom_no_reference_range_fits_is_still_found_when_in_danger(code: str, sex: str, years: int) -> None:
    chosen = choose(starter_ranges(code), subject(sex, first_day_of_age(f"{years}y")))
    assert chosen is not None
    assert (chosen.low, chosen.high) == (None, None)
    assert chosen.critical_high is not None


def test_a_child_has_no_adult_range() -> None:
    assert choose(starter_ranges("HGB"), subject("male", 10 * 365)) is None
