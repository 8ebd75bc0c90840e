"""The starter content: it hangs together, and every range that ships tells the normal from what lies just beyond."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tjapi.catalog import service as catalog
from tjapi.catalog.rules import Subject, choose
from tjapi.catalog.schemas import Starter, StarterItem, StarterRange
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import finding, parse

pytestmark = pytest.mark.requirement("X15", "E3.3")
STARTER = catalog.read_starter()
ITEMS = {item.code: item for item in STARTER.items}
TODAY = date(2026, 11, 23)
ADULT = date(1986, 11, 23)


def flagged(
    code: str, raw: str, sex: str = "male", birth: date = ADULT, method: str = "", *, pregnant: bool = False
) -> str | None:
    """What the system says of a value: the way from the starter file through the choice of the range to the flag."""
    item = ITEMS[code]
    found = choose(item.ranges, Subject(sex, birth, method, TODAY, pregnant))
    if found is None:
        return None
    return flag_of(
        item.kind,
        parse(raw),
        Range(found.low, found.high, found.critical_low, found.critical_high, tuple(found.normal_texts or ())),
        item.choices or (),
    )


def _born(age: str, *, more: int = 0, on: date = TODAY) -> date:
    """Return the birth date of whoever completes that age, or the one after it, today."""
    count = int(age[:-1]) + more
    if age[-1] in "dw":
        return on - timedelta(days=count * (7 if age[-1] == "w" else 1))
    months = on.year * 12 + on.month - 1 - count * (12 if age[-1] == "y" else 1)
    return on.replace(year=months // 12, month=months % 12 + 1)


@dataclass(frozen=True)
class Limit:
    item: StarterItem
    of: StarterRange

    def subject(self) -> tuple[str, date]:
        sex = (
            "female"
            if self.of.pregnant
            else self.of.sex
            if self.of.sex != "any"
            else "unknown"
            if any(r.sex != "any" for r in self.item.ranges)
            else "male"
        )
        if self.of.age_from is not None:
            return sex, _born(self.of.age_from)
        return sex, ADULT if self.of.age_to is None else _born(self.of.age_to)

    def step(self) -> Decimal:
        return Decimal(1).scaleb(-(self.item.decimals or 0))


LIMITS = [Limit(item, r) for item in STARTER.items for r in item.ranges]


def _judges(r: StarterRange) -> bool:
    """Say whether a row can call anything normal or critical; one that cannot says in its text for whom nothing is known."""
    bounds = (r.low, r.high, r.critical_low, r.critical_high)
    return any(bound is not None for bound in bounds) or bool(r.normal_texts)


def _id(limit: Limit) -> str:
    r = limit.of
    return f"{limit.item.code}-{r.sex}-{r.age_from}-{r.method}{'-pregnant' if r.pregnant else ''}"


def _meant(r: StarterRange, number: Decimal) -> str | None:
    """What the file's own words say of a number: bounds are normal, critical bounds are critical, none of them says nothing."""
    if r.critical_low is not None and number <= r.critical_low:
        return "LL"
    if r.critical_high is not None and number >= r.critical_high:
        return "HH"
    if r.low is not None and number < r.low:
        return "L"
    if r.high is not None and number > r.high:
        return "H"
    return None if r.low is None and r.high is None else ""


def _cases(limit: Limit) -> list[tuple[str, str | None]]:
    """Each bound of a range: on it, and one last digit to either side; each normal text, and one that is none."""
    r, step = limit.of, limit.step()
    bounds = [b for b in (r.critical_low, r.low, r.high, r.critical_high) if b is not None]
    around = sorted({b + n * step for b in bounds for n in (-1, 0, 1)})
    said: list[tuple[str, str | None]] = [(f"{number:f}", _meant(r, number)) for number in around]
    if r.normal_texts:
        usual = {finding(text) for text in r.normal_texts}
        other = next((c for c in limit.item.choices or () if finding(c) not in usual), "阳性")
        # A word that means nothing to the item is neither normal nor abnormal.
        said += [(text, "") for text in r.normal_texts] + [(other, "A"), ("不在其中的结果", None)]
    return said


@pytest.mark.parametrize("limit", [limit for limit in LIMITS if _judges(limit.of)], ids=_id)
def test_every_range_that_ships_fires_just_beyond_its_bounds_and_not_on_them(limit: Limit) -> None:
    """A row that no case can tell from nothing fails here: each must call something normal or critical, and its neighbour otherwise."""
    sex, age = limit.subject()
    said = _cases(limit)
    flags = {expected for _, expected in said}
    assert len(flags) > 1, "a range that tells nothing apart"
    for bound, flag_ in (
        (limit.of.low, "L"),
        (limit.of.high, "H"),
        (limit.of.critical_low, "LL"),
        (limit.of.critical_high, "HH"),
    ):
        beyond = {"L": {"L", "LL"}, "H": {"H", "HH"}}.get(flag_, {flag_})
        assert bound is None or flags & beyond, f"{flag_} never fires"
    r = limit.of
    made = [(raw, flagged(limit.item.code, raw, sex, age, r.method, pregnant=r.pregnant)) for raw, _ in said]
    assert made == said


def test_whoever_has_no_range_is_told_why() -> None:
    assert all(limit.of.text.strip() for limit in LIMITS if not _judges(limit.of))


@pytest.mark.parametrize(
    "limit",
    [x for x in LIMITS if x.of.age_from or x.of.age_to or x.of.sex != "any"],
    ids=_id,
)
def test_every_range_holds_for_its_ages_and_sex_and_for_nobody_else(limit: Limit) -> None:
    """From the first day of its age to the last, and not a day longer; what holds for a sex holds not for the other."""
    rows, r = limit.item.ranges, limit.of
    day = timedelta(days=1)
    # Born on the latest and on the earliest day for which the range holds today.
    last = TODAY if r.age_from is None else _born(r.age_from)
    first = date(1880, 1, 1) if r.age_to is None else _born(r.age_to, more=1) + day
    # Where there are ranges by sex, the one for anybody is for those of unknown sex.
    anybody = "unknown" if any(row.sex != "any" for row in rows) else "male"
    sex = "female" if r.pregnant else anybody if r.sex == "any" else r.sex
    for birth, holds in ((first, True), (last, True), (first - day, False), (last + day, False)):
        if not (birth > last and r.age_from is None) and not (birth < first and r.age_to is None):
            assert (choose(rows, Subject(sex, birth, r.method, TODAY, r.pregnant)) is r) is holds, birth
    if r.pregnant:
        assert choose(rows, Subject(sex, last, r.method, TODAY)) is not r
    if r.sex != "any":
        for other in {"male", "female", "unknown"} - {r.sex}:
            assert choose(rows, Subject(other, last, r.method, TODAY)) is not r


@pytest.mark.parametrize(
    ("code", "raw", "sex", "expected"),
    [
        ("HGB", "129", "male", "L"), ("HGB", "129", "female", ""), ("HGB", "114", "female", "L"), ("HGB", "50", "male", "LL"),
        ("HGB", "200", "male", "HH"), ("K", "2.8", "male", "LL"), ("K", "2.81", "male", "L"), ("K", "6.2", "female", "HH"), ("K", "5.3", "male", ""),
        ("NA", "120", "male", "LL"), ("NA", "160", "male", "HH"), ("CA", "1.50", "male", "LL"), ("CA", "3.25", "male", "HH"),
        ("PLT", "30", "male", "LL"), ("PLT", "1000", "male", "HH"), ("WBC", "1.0", "male", "LL"), ("GLU", "2.2", "male", "LL"),
        ("GLU", "22.2", "male", "HH"), ("CREA", "654", "male", "HH"), ("INR", "3.5", "male", "HH"), ("INR", "3.4", "male", "H"),
        ("ALT", "600", "male", "HH"), ("TBIL", "171", "male", "HH"), ("HEART-RATE", "45", "male", "LL"), ("HEART-RATE", "150", "male", "HH"),
        ("SBP", "140", "male", "H"), ("SBP", "200", "male", "HH"), ("SBP", "80", "male", "LL"), ("DBP", "120", "male", "HH"), ("SPO2", "89", "male", "LL"), ("SBP", "139", "male", ""), ("BMI", "24.0", "male", "H"), ("BMI", "18.4", "male", "L"),
        ("WAIST", "90.0", "male", "H"), ("WAIST", "85.0", "female", "H"), ("WAIST", "84.9", "female", ""), ("HBA1C", "6.5", "male", "H"),
        ("C14", "100", "male", "H"), ("BMD-T", "-1.1", "female", "L"), ("BMD-T", "-1.0", "female", ""), ("CEA", "5.01", "male", "H"), ("HBSAG", "阳性", "male", "A"),
        ("HBSAG", "(-)", "male", ""), ("HBSAB", "阳性", "male", None), ("NEUT", "1.79", "male", "L"), ("MCV", "100.1", "male", "H"),
        ("TPSA", "4.001", "male", "H"), ("TPSA", "9", "female", None), ("TCT", "HSIL", "female", "A"), ("STOOL-OB", "阳性", "male", "A"),
    ],
)  # fmt: skip
def test_classic_limits_are_as_a_physician_expects(code: str, raw: str, sex: str, expected: str | None) -> None:
    """Written by hand, beside the file and not from it; the critical ones are the defaults of the domain (docs, §4)."""
    assert flagged(code, raw, sex) == expected


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(
    ("code", "raw", "sex", "age", "expected"),
    [
        ("CREA", "400", "male", "82y", "H"), ("CREA", "112", "male", "90y", "H"), ("CREA", "111", "male", "82y", ""), ("CREA", "60", "male", "7y", ""),
        ("CREA", "67", "male", "7y", "H"), ("ALT", "41", "female", "40y", "H"), ("ALT", "41", "male", "40y", ""), ("ALT", "31", "female", "8y", "H"),
        ("DBIL", "8.1", "male", "40y", "H"), ("TSH", "4.3", "female", "30y", "H"), ("FT4", "11.9", "female", "30y", "L"), ("CTNI", "0.041", "male", "60y", "H"),
        ("FERR", "14.9", "female", "30y", "L"), ("HGB", "120", "female", "1y", ""), ("HGB", "160", "male", "15y", ""), ("ALP", "300", "male", "5y", ""),
        ("ALP", "300", "male", "40y", "H"), ("PULSE", "140", "male", "6m", ""), ("PULSE", "140", "male", "40y", "H"), ("BMI", "18.0", "male", "8y", "H"),
        ("BMI", "17.7", "male", "8y", ""), ("SBP", "119", "male", "10y", ""), ("SBP", "120", "male", "10y", "H"), ("HBA1C", "5.7", "male", "40y", "H"),
        ("DDIMER", "0.75", "male", "80y", ""), ("DDIMER", "0.75", "male", "40y", "H"), ("EGFR", "75", "male", "80y", ""), ("EGFR", "75", "male", "40y", "L"),
        ("ECG-QTC", "455", "female", "40y", ""), ("ECG-QTC", "455", "male", "40y", "H"), ("ECG-QTC", "500", "female", "40y", "HH"), ("K", "2.8", "male", "1m", "LL"),
        ("B12", "90", "male", "5y", None), ("TBIL", "25", "unknown", "40y", "H"), ("HGB", "90", "unknown", "40y", None),
    ],
)  # fmt: skip
def test_from_infancy_to_old_age_each_has_a_limit_of_their_own(
    code: str, raw: str, sex: str, age: str, expected: str | None
) -> None:
    """Who has none is undetermined, never normal: thyroid hormones of a child, haemoglobin of somebody whose sex is not known."""
    assert flagged(code, raw, sex, _born(age)) == expected


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(
    ("code", "raw", "expected", "otherwise"),
    [
        ("HGB", "112", "", "L"), ("HGB", "109", "L", "L"), ("HGB", "50", "LL", "LL"), ("GLU", "5.2", "H", ""), ("OGTT-0", "5.1", "H", ""),
        ("OGTT-1H", "10.0", "H", None), ("OGTT-1H", "22.2", "HH", "HH"), ("OGTT-2H", "8.5", "H", "H"), ("OGTT-2H", "8.0", "", "H"), ("TSH", "0.15", "", "L"),
        ("CREA", "80", "H", "H"), ("CREA", "75", "", "H"), ("ALP", "200", "", "H"), ("AFP", "60", None, "H"), ("TC", "7.0", None, "H"), ("BMI", "27", None, "H"),
        ("PLT", "110", "", "L"), ("WBC", "13", "", "H"), ("SBP", "140", "H", "H"), ("EGFR", "70", None, "L"),
    ],
)  # fmt: skip
def test_a_pregnant_woman_is_judged_by_what_holds_in_pregnancy(
    code: str, raw: str, expected: str | None, otherwise: str | None
) -> None:
    assert flagged(code, raw, "female", _born("30y"), pregnant=True) == expected
    assert flagged(code, raw, "female", _born("30y")) == otherwise


def test_the_packages_are_those_that_a_department_is_asked_for() -> None:
    names = {p.code: p.name for p in STARTER.packages}
    assert len(names) >= 12
    for wanted in ("入职", "1+X", "老年", "两癌", "体质", "基础", "健康证", "驾驶员", "公务员", "教师", "学生"):
        assert any(wanted in name for name in names.values()), wanted
    held = {code for p in STARTER.packages for code in p.groups}
    assert held <= {g.code for g in STARTER.item_groups}
    assert {p.sex for p in STARTER.packages} >= {"male", "female"}


GROUPS = {g.code: g for g in STARTER.item_groups}
ON_DEMAND = {"BP-REPEAT"}
"""Ordered when a first reading asks for it, and therefore in no package."""


def test_every_item_can_be_ordered_and_every_group_stands_in_a_package() -> None:
    assert {i.code for i in STARTER.items} == {code for g in STARTER.item_groups for code in g.items}
    assert set(GROUPS) - {code for p in STARTER.packages for code in p.groups} == ON_DEMAND


def test_a_package_examines_nothing_twice_and_costs_no_more_than_its_parts() -> None:
    apart = [set(e.groups) for e in STARTER.exclusions]
    for package in STARTER.packages:
        held = [code for group in package.groups for code in GROUPS[group].items]
        assert len(held) == len(set(held)), package.code
        assert package.price_fen <= sum(GROUPS[code].price_fen for code in package.groups), package.code
        assert not any(pair <= set(package.groups) for pair in apart), package.code


@pytest.mark.requirement("E8.2")
def test_what_harms_an_unborn_child_is_not_for_who_is_pregnant() -> None:
    """Everything of radiology, bone density by X-rays, the radioactive breath test, and what enters the vagina."""
    radiation = {g.code for g in STARTER.item_groups if g.department == "RADIOLOGY"} | {"BMD", "C14"}
    vaginal = {"GYN", "LEUKORRHEA", "HPV", "HPV-TYPE", "TCT"}
    assert len(radiation) >= 8
    assert {code for code, g in GROUPS.items() if g.not_when_pregnant} >= radiation | vaginal
    assert {code for code, g in GROUPS.items() if "无性生活史者勿做" in (g.precaution or "")} == vaginal
    assert all(GROUPS[code].sex == "female" for code in vaginal)


def test_packages_of_trades_and_of_ages_hold_what_is_asked_for() -> None:
    packages = {p.code: set(p.groups) for p in STARTER.packages}
    assert packages["ELDERLY"] >= {"CXR", "HBA1C", "ELDER", "HEARING"}
    assert packages["HEALTH-CERT"] >= {"CXR", "HAV-HEV", "STOOL-CULT", "SKIN-CERT"}
    assert packages["DRIVER"] >= {"EYE", "HEARING", "LIMB-FUNC"}
    assert "HBV" not in packages["CIVIL"] | packages["TEACHER"] | packages["ENTRY"] | packages["STUDENT"]


def test_there_is_enough_to_open_a_department_with() -> None:
    assert len(STARTER.items) >= 200
    assert len(STARTER.item_groups) >= 60
    assert len(STARTER.packages) >= 12
    assert len(STARTER.departments) >= 12
    assert {i.kind for i in STARTER.items} == {
        "numeric",
        "qualitative",
        "enumerated",
        "multi_select",
        "text",
        "computed",
    }
    assert all(r.source for limit in LIMITS for r in [limit.of])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"items": [{"code": "X", "name": "x", "kind": "enumerated", "sort": 1}]}, "items/X/choices"),
        ({"items": [{"code": "X", "name": "x", "kind": "text", "sort": 1}] * 2}, "items/X: twice"),
        ({"item_groups": [{"code": "G", "name": "g", "department": "D", "price_fen": 1, "performed_by": "lis", "sort": 1, "items": ["NO"]}]}, "item_groups/G/items: no item NO"),
        ({"packages": [{"code": "P", "name": "p", "sex": "male", "price_fen": 1, "groups": ["NO"]}]}, "packages/P/groups: no item group NO"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_hang_together_is_refused_by_row_and_field(what: dict[str, Any], said: str) -> None:
    nothing: dict[str, Any] = {"departments": [], "items": [], "item_groups": [], "packages": []}
    with pytest.raises(ValidationError, match=said):
        Starter.model_validate(nothing | what)
