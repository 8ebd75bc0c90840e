"""Tubes and barcodes: what is decided from values alone."""

import random
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.requisition.rules import TUBE_MOVES, OpenTube, PlannedLine, TubeKind, barcode, luhn, plan_tubes

KINDS = st.builds(
    TubeKind,
    st.sampled_from(["EDTA-2", "SST", "URINE", ""]),
    st.sampled_from(["serum", "whole_blood"]),
    st.sampled_from(["chemistry", "immunoassay", ""]),
    st.booleans(),
    st.sampled_from([0, 120]),
    st.booleans(),
)
MOST = st.none() | st.integers(1, 4)
LINES = st.lists(
    st.builds(PlannedLine, st.uuids(), KINDS, MOST), max_size=12, unique_by=lambda line: line.line_id
)  # fmt: skip
OPEN_TUBES = st.lists(
    st.builds(OpenTube, st.uuids(), KINDS, st.integers(1, 4), MOST), max_size=4, unique_by=lambda tube: tube.tube_id
)  # fmt: skip
SERUM = TubeKind("SST", "serum", "chemistry", fasting=True)


@given(LINES, OPEN_TUBES)
def test_each_line_is_in_one_tube_and_no_tube_mixes(lines: list[PlannedLine], there: list[OpenTube]) -> None:
    tubes = plan_tubes(lines, there)
    assert sorted(line.line_id for tube in tubes for line in tube.lines) == sorted(line.line_id for line in lines)
    assert all({line.kind for line in tube.lines} == {tube.kind} for tube in tubes)
    known = {tube.tube_id: tube.kind for tube in there}
    assert all(known[tube.tube_id] == tube.kind for tube in tubes if tube.tube_id)


@given(LINES, OPEN_TUBES)
def test_no_tube_serves_more_groups_than_the_strictest_of_them_allows(
    lines: list[PlannedLine], there: list[OpenTube]
) -> None:
    before = {tube.tube_id: tube for tube in there}
    for tube in plan_tubes(lines, there):
        held = before.get(tube.tube_id) if tube.tube_id else None
        limits = [n for n in (*(line.most for line in tube.lines), held.most if held else None) if n is not None]
        assert not limits or len(tube.lines) + (held.lines if held else 0) <= min(limits)


@given(LINES, OPEN_TUBES, st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_in_which_things_are_named(
    lines: list[PlannedLine], there: list[OpenTube], luck: random.Random
) -> None:
    planned = plan_tubes(lines, there)
    luck.shuffle(lines)
    luck.shuffle(there)
    assert plan_tubes(lines, there) == planned


@given(LINES)
def test_without_limits_there_is_one_tube_of_a_kind(lines: list[PlannedLine]) -> None:
    tubes = plan_tubes(replace(line, most=None) for line in lines)
    assert len(tubes) == len({tube.kind for tube in tubes})


@pytest.mark.parametrize(
    "other",
    [
        replace(SERUM, container="EDTA-2"), replace(SERUM, specimen="plasma"), replace(SERUM, section="immunoassay"),
        replace(SERUM, fasting=False), replace(SERUM, minutes_after=120), replace(SERUM, send_out=True),
    ],
)  # fmt: skip
def test_blood_is_drawn_again_where_container_specimen_section_fasting_time_or_place_differ(other: TubeKind) -> None:
    lines = [PlannedLine(UUID(int=i), kind) for i, kind in enumerate((SERUM, SERUM, other))]
    assert sorted(len(tube.lines) for tube in plan_tubes(lines)) == [1, 2]


def test_an_add_on_goes_into_the_tube_that_is_there_while_it_has_room() -> None:
    there = OpenTube(UUID(int=9), SERUM, lines=1, most=2)
    one, two = (PlannedLine(UUID(int=i), SERUM) for i in (1, 2))
    assert [(tube.tube_id, tube.lines) for tube in plan_tubes([one, two], [there])] == [
        (UUID(int=9), (one,)), (None, (two,)),
    ]  # fmt: skip


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
