"""What speaks for two entries being one person: the points, and the pairs that look alike and are two."""

from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from tjapi.examinee.rules import (
    LIKELY,
    POINTS,
    Evidence,
    Traits,
    contradictions,
    likeness,
    may_reach,
    readings,
    spellings_of,
)

pytestmark = pytest.mark.requirement("E1.2")
NUMBER, OTHER, PHONE = b"number", b"another", b"phone"
ZHANG = Traits("张三", "male", date(1990, 3, 7), "none", frozenset(), None)


def with_(**changes: Any) -> Traits:
    return replace(ZHANG, **changes)


def score(one: Traits, two: Traits) -> int:
    return likeness(one, two).score


@pytest.mark.parametrize(
    ("two", "points"),
    [
        (with_(), 70),
        (with_(sex="unknown"), 60),
        (with_(name="张 三"), 70),
        (with_(name="章叁"), 60),  # reads the same
        (with_(name="ZHANG San"), 60),  # as a passport writes it
        (with_(name="章叁", sex="unknown"), 50),
    ],
)
def test_name_or_reading_with_the_birth_date_is_suggested(two: Traits, points: int) -> None:
    assert (score(ZHANG, two), score(two, ZHANG)) == (points, points)
    assert points >= LIKELY


def test_a_shared_phone_with_the_name_is_suggested_although_the_birth_date_was_mistyped() -> None:
    one = with_(phone=PHONE)
    assert score(one, with_(phone=PHONE, birth_date=date(1990, 7, 3))) == 70, "month and day exchanged"
    assert score(one, with_(phone=PHONE, birth_date=date(1998, 3, 7))) == 70, "one digit"
    assert score(one, with_(phone=PHONE, birth_date=date(1987, 11, 22))) == 55


@pytest.mark.parametrize(
    ("two", "why"),
    [
        (with_(name="张四", phone=PHONE), "twins share birth date, phone and family name"),
        (with_(name="李梅", sex="female", birth_date=date(1991, 5, 2), phone=PHONE), "a couple shares a phone"),
        (with_(name="张小三", birth_date=date(2015, 3, 7), phone=PHONE), "a father's phone at his son's"),
        (with_(sex="female"), "the same name and birth date, the other sex"),
        (with_(birth_date=date(1990, 3, 8)), "a common name and nearly the same birth date"),
        (with_(name="李四"), "born on one day"),
        (with_(name="张珊", sex="female"), "reads the same, the other sex"),
    ],
)
def test_near_misses_are_not_suggested(two: Traits, why: str) -> None:
    assert score(with_(phone=PHONE), two) < LIKELY, why


def test_two_numbers_of_one_kind_are_two_people_whatever_else_is_the_same() -> None:
    one = with_(id_kind="resident", numbers=frozenset({NUMBER}))
    two = with_(id_kind="resident", numbers=frozenset({OTHER}))
    assert score(one, two) == 10
    assert "different_id_number" in likeness(one, two).evidence
    assert score(one, replace(two, id_kind="passport")) == 70, "a passport beside an ID card"
    passports = replace(one, id_kind="passport"), replace(two, id_kind="passport")
    assert score(*passports) == 70, "a passport gets another number with every issue"


def test_one_number_under_two_kinds_or_in_two_spellings_says_more_than_a_mistyped_name() -> None:
    one = with_(id_kind="resident", numbers=frozenset({NUMBER, b"fifteen"}))
    two = with_(
        name="李四", sex="female", id_kind="passport", numbers=frozenset({b"fifteen"}), birth_date=date(1980, 1, 1)
    )
    assert score(one, two) == 80
    assert score(one, with_(id_kind="passport", numbers=frozenset({b"fifteen"}))) == 100
    assert set(contradictions(one, two)) == {"sex", "birth_date"}


@pytest.mark.parametrize("score_wanted", [1, 50, 70, 100])
def test_what_is_left_out_before_names_are_read_could_not_have_been_as_like(score_wanted: int) -> None:
    names, births = ("张三", "章叁", "李四"), (date(1990, 3, 7), date(1990, 7, 3), date(1970, 1, 1))
    numbers = (frozenset[bytes](), frozenset({NUMBER}), frozenset({OTHER}))
    many = [
        with_(name=n, birth_date=b, sex=s, phone=p, numbers=d, id_kind="resident" if d else "none")
        for n, b, s, p, d in product(names, births, ("male", "female", "unknown"), (PHONE, None), numbers)
    ]
    wrongly = [
        (one, two)
        for one, two in product(many[::5], many)
        if score(one, two) >= score_wanted and not may_reach(one, two, score_wanted)
    ]
    assert wrongly == []
    assert not may_reach(with_(phone=PHONE), with_(phone=PHONE, name="李四", birth_date=date(1970, 1, 1)), LIKELY)


def test_every_point_names_itself_and_the_sum_is_the_score() -> None:
    like = likeness(with_(phone=PHONE), with_(phone=PHONE, name="章叁"))
    assert like.evidence == ("same_reading", "same_birth_date", "same_sex", "same_phone")
    assert like.score == sum(POINTS[code] for code in like.evidence) == 85
    against: set[Evidence] = {"different_id_number", "different_name", "different_birth_date", "different_sex"}
    assert {code for code, points in POINTS.items() if points < 0} == against


def test_contradictions_are_what_one_person_cannot_differ_in() -> None:
    one = with_(id_kind="resident", numbers=frozenset({NUMBER}))
    assert contradictions(one, with_(name="李四", phone=PHONE)) == ()
    assert contradictions(one, with_(sex="unknown")) == ()
    differing = with_(id_kind="resident", numbers=frozenset({OTHER}), sex="female", birth_date=date(1990, 3, 8))
    assert contradictions(one, differing) == ("id_number", "sex", "birth_date")


def test_the_spellings_of_a_number_are_its_15_and_18_digits_where_there_are_both() -> None:
    assert spellings_of("690101199003077937") == ("690101199003077937", "690101900307793")
    assert set(spellings_of("690101900307793")) == {"690101199003077937", "690101900307793"}
    assert spellings_of("690101200503077931") == ("690101200503077931",), "born when there were 18 already"
    assert spellings_of("E12345678") == ("E12345678",)


def test_initials_are_no_reading() -> None:
    assert "zs" not in readings("张三")
    assert readings("张三") & readings("Zhang San")
    assert {"qinwei", "tanwei"} <= readings("覃伟")
