"""Sharing a package's price among its lines, to the fen."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tjapi.pricing.rules import allocate

prices = st.lists(st.integers(0, 500_000), min_size=1, max_size=40)


@pytest.mark.requirement("E7.2")
@given(st.integers(0, 2_000_000), prices)
@example(total_fen=5, listed=[1] * 10)
@example(total_fen=15, listed=[3] * 10)
@example(total_fen=1, listed=[0, 0, 0])
@example(total_fen=0, listed=[100, 200])
def test_the_shares_are_never_negative_and_sum_to_the_price(total_fen: int, listed: list[int]) -> None:
    shares = allocate(total_fen, listed)
    assert len(shares) == len(listed)
    assert sum(shares) == total_fen
    assert min(shares) >= 0


@pytest.mark.requirement("E7.2")
@given(st.integers(0, 2_000_000), prices)
@example(total_fen=15, listed=[3] * 10)
def test_each_share_is_within_one_fen_of_its_fair_part_but_for_the_dearest(total_fen: int, listed: list[int]) -> None:
    whole = sum(listed)
    if whole == 0:
        return
    dearest = listed.index(max(listed))
    for i, (share, price) in enumerate(zip(allocate(total_fen, listed), listed, strict=True)):
        fair = Fraction(total_fen * price, whole)
        assert abs(share - fair) <= (len(listed) if i == dearest else 1)


@given(prices.filter(any))
def test_a_package_at_its_list_price_changes_no_line(listed: list[int]) -> None:
    assert allocate(sum(listed), listed) == listed


def test_rounding_goes_half_up_and_the_rest_to_the_dearest() -> None:
    assert allocate(100, [30, 30, 40]) == [30, 30, 40]
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [1, 1, 2, 4]) == [1, 1, 3, 5]


def test_a_free_group_in_a_paid_package_stays_free() -> None:
    assert allocate(1000, [0, 500, 500]) == [0, 500, 500]


def test_groups_without_any_list_price_share_equally() -> None:
    assert allocate(100, [0, 0, 0]) == [34, 33, 33]


def test_what_cannot_be_a_price_is_refused() -> None:
    assert allocate(0, []) == []
    for total, listed in ((1, []), (-1, [1]), (1, [-1])):
        with pytest.raises(ValueError):
            allocate(total, listed)
