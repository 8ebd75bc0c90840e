"""Tubes and barcodes: what is decided from values alone."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tjapi.requisition.rules import TUBE_MOVES, PlannedLine, barcode, luhn, plan_tubes

LINES = st.lists(
    st.builds(
        PlannedLine,
        st.uuids(),
        st.sampled_from(["EDTA-2", "SST", "URINE", ""]),
        st.sampled_from(["serum", "whole_blood", ""]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda line: line.line_id,
)


@given(LINES)
def test_each_line_is_in_one_tube_and_a_tube_holds_one_kind_of_thing(lines: list[PlannedLine]) -> None:
    tubes = plan_tubes(lines)
    assert sorted(line.line_id for tube in tubes for line in tube) == sorted(line.line_id for line in lines)
    kinds = [{(line.container, line.specimen, line.fasting) for line in tube} for tube in tubes]
    assert all(len(kind) == 1 for kind in kinds)
    assert len({kind.pop() for kind in kinds}) == len(tubes)


def test_blood_for_two_groups_is_drawn_once_unless_one_of_them_needs_fasting() -> None:
    one, two, three = (
        PlannedLine(UUID(int=i), "SST", "serum", fasting) for i, fasting in enumerate((True, True, False))
    )
    assert sorted(len(tube) for tube in plan_tubes([one, two, three])) == [1, 2]


@given(st.integers(1, 99), st.integers(1, 999_999_999))
def test_a_barcode_is_twelve_digits_of_which_the_last_is_luhns(campus: int, number: int) -> None:
    made = barcode(campus, number)
    assert (len(made), made.isascii() and made.isdigit()) == (12, True)
    assert luhn(made[:-1]) == made[-1]


@given(st.integers(1, 99), st.integers(1, 999_999_999), st.integers(0, 10), st.integers(1, 9))
def test_a_mistyped_digit_is_no_barcode(campus: int, number: int, at: int, by: int) -> None:
    made = barcode(campus, number)
    wrong = made[:at] + str((int(made[at]) + by) % 10) + made[at + 1 :]
    assert luhn(wrong[:-1]) != wrong[-1]


def test_luhn_is_that_of_the_standard() -> None:
    assert (luhn("7992739871"), luhn("411111111111111"), luhn("")) == ("3", "1", "0")


def test_a_rejected_tube_stays_rejected() -> None:
    assert TUBE_MOVES["rejected"] == frozenset()
