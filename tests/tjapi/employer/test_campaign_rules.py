"""Who belongs to which group: one, none, or several, and why."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.employer.rules.campaigns import Criterion, Facts, GroupRule, place

pytestmark = pytest.mark.requirement("E2.2")
YOUNG, OLD, WELDERS = UUID(int=1), UUID(int=2), UUID(int=3)
GROUPS = (
    GroupRule(YOUNG, "YOUNG", [Criterion(age_to=39)]),
    GroupRule(OLD, "OLD", [Criterion(age_from=40)]),
)


def test_ages_are_inclusive_on_both_ends() -> None:
    assert place(GROUPS, Facts(age=39)).group_id == YOUNG
    assert place(GROUPS, Facts(age=40)).group_id == OLD


def test_whoever_fits_nowhere_hears_what_each_group_missed() -> None:
    women = GroupRule(YOUNG, "W", [Criterion(sex="female", marital_status="married", hazards=frozenset({"噪声"}))])
    found = place([women], Facts("male", 30, "married", None, frozenset({"粉尘"})))
    assert (found.placement, found.group_id, found.reason) == ("none", None, {"W": ["sex", "hazards"]})


def test_what_the_list_does_not_say_is_missing_and_not_wrong() -> None:
    group = GroupRule(
        YOUNG, "W", [Criterion(sex="female", age_from=20, marital_status="married", posts=frozenset({"焊工"}))]
    )
    found = place([group], Facts())
    assert found.reason == {"W": ["missing_sex", "missing_age", "missing_marital_status", "missing_post"]}


def test_two_groups_that_both_fit_are_ambiguous_and_named() -> None:
    welders = GroupRule(WELDERS, "WELD", [Criterion(posts=frozenset({"焊工"}))])
    found = place([*GROUPS, welders], Facts(age=50, post="焊工"))
    assert (found.placement, found.group_id, found.reason) == ("ambiguous", None, {"OLD": [], "WELD": []})


def test_one_row_of_several_is_enough_and_the_nearest_row_tells_what_is_missing() -> None:
    group = GroupRule(YOUNG, "G", [Criterion(sex="female", age_from=50), Criterion(sex="male", age_from=60)])
    assert place([group], Facts("male", 60)).placement == "matched"
    assert place([group], Facts("male", 55)).reason == {"G": ["sex"]}


def test_a_group_without_rules_takes_nobody() -> None:
    assert place([GroupRule(YOUNG, "G", [])], Facts(age=30)).reason == {"G": ["no_rule"]}


_facts = st.builds(
    Facts, st.sampled_from(["male", "female", "unknown"]), st.none() | st.integers(0, 100),
    st.sampled_from(["single", "married", "unknown"]), st.none() | st.sampled_from("ab"), st.frozensets(st.sampled_from("xyz")),
)  # fmt: skip
_criteria = st.builds(
    Criterion, st.sampled_from(["male", "female", "any"]), st.none() | st.integers(0, 60), st.none() | st.integers(40, 100),
    st.none() | st.sampled_from(["single", "married"]), st.frozensets(st.sampled_from("ab")), st.frozensets(st.sampled_from("xyz")),
)  # fmt: skip


@given(st.lists(st.lists(_criteria, max_size=3), max_size=4), _facts)
def test_everybody_has_exactly_one_group_or_a_reason(rows: list[list[Criterion]], facts: Facts) -> None:
    groups = [GroupRule(UUID(int=i), str(i), found) for i, found in enumerate(rows)]
    found = place(groups, facts)
    fitting = [g for g in groups if any(_holds(row, facts) for row in g.criteria)]
    assert (found.placement == "matched") == (len(fitting) == 1)
    assert (found.group_id is not None) == (len(fitting) == 1)
    if found.placement == "none":
        assert set(found.reason) == {g.code for g in groups}
        assert all(found.reason.values())
    if found.placement == "ambiguous":
        assert set(found.reason) == {g.code for g in fitting}


def _holds(row: Criterion, facts: Facts) -> bool:
    """The rule said again, in other words."""
    return (
        row.sex in ("any", facts.sex)
        and (row.age_from is None or (facts.age is not None and facts.age >= row.age_from))
        and (row.age_to is None or (facts.age is not None and facts.age <= row.age_to))
        and row.marital_status in (None, facts.marital_status)
        and (not row.posts or facts.post in row.posts)
        and (not row.hazards or bool(row.hazards & facts.hazards))
    )
