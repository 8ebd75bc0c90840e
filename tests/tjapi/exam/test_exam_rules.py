"""Exam numbers, ages, states: what is decided from values alone."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.exam.rules import EXAM_MOVES, LIVE_FOR_RESULTS, UNDONE, age_on, check_digit, exam_no, may_move
from tjapi.exam.rules import LINE_MOVES as LINES

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(DAYS, st.integers(1, 9999))
def test_an_exam_number_says_campus_day_and_number(day: date, number: int) -> None:
    made = exam_no("A", day, number)
    assert re.fullmatch(r"A\d{10}[0-9X]", made)
    assert (made[1:7], made[7:11]) == (f"{day:%y%m%d}", f"{number:04d}")


@given(DAYS, st.integers(1, 9999), st.integers(0, 9), st.integers(1, 9))
def test_a_mistyped_digit_is_another_check_digit(day: date, number: int, at: int, by: int) -> None:
    digits = f"{day:%y%m%d}{number:04d}"
    wrong = digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :]
    assert check_digit(wrong) != check_digit(digits)


@given(DAYS, st.integers(1, 9999), st.integers(0, 8))
def test_two_digits_changing_places_are_another_check_digit(day: date, number: int, at: int) -> None:
    digits = f"{day:%y%m%d}{number:04d}"
    wrong = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    assert wrong == digits or check_digit(wrong) != check_digit(digits)


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 40_000))
def test_years_are_completed_years_and_days_are_days(birth: date, days: int) -> None:
    years, counted = age_on(birth, birth + timedelta(days=days))
    assert counted == days
    assert years * 365.2425 <= days + 2
    assert days < (years + 1) * 365.2425 + 2


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        (date(2000, 2, 29), date(2026, 2, 28), 25), (date(2000, 2, 29), date(2026, 3, 1), 26), (date(1990, 11, 23), date(2026, 11, 22), 35),
        (date(1990, 11, 23), date(2026, 11, 23), 36), (date(2026, 11, 23), date(2026, 11, 23), 0),
    ],
)  # fmt: skip
def test_a_birthday_counts_from_its_day_on(birth: date, day: date, years: int) -> None:
    assert age_on(birth, day)[0] == years


def test_nothing_leads_out_of_an_end_and_every_state_can_be_reached() -> None:
    for moves, start in ((EXAM_MOVES, "prepared"), (LINES, "ordered")):
        reached, frontier = {start}, [start]
        while frontier:
            new = moves[frontier.pop()] - reached
            reached |= new
            frontier += new
        assert reached == set(moves)
    assert (EXAM_MOVES["cancelled"], LINES["withdrawn"], LINES["substituted"]) == (frozenset(),) * 3


def test_no_exam_is_final_without_a_review_and_none_is_cancelled_once_something_was_done() -> None:
    assert [state for state in EXAM_MOVES if may_move(EXAM_MOVES, state, "finalized")] == ["in_review"]
    assert {state for state in EXAM_MOVES if may_move(EXAM_MOVES, state, "cancelled")} == {"prepared", "checked_in"}


def test_a_line_is_either_outstanding_or_settled_and_takes_results_only_while_it_lives() -> None:
    assert set(LINES) - UNDONE == {"verified", "withdrawn", "refused", "waived", "substituted"}
    assert set(LINES) >= LIVE_FOR_RESULTS
    assert not LIVE_FOR_RESULTS & {"withdrawn", "refused", "waived", "substituted", "deferred", "ordered"}
