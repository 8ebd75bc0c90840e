"""Reading values, flagging them, choosing among revisions: pure, and the same for every order of arrival."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.exam.rules import LINE_MOVES
from tjapi.examinee.rules import is_one_name
from tjapi.result.rules.flags import flag, flag_of
from tjapi.result.rules.identity import Identity, disagreement, shows_another
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.reading import chosen
from tjapi.result.rules.revisions import LIS_STATUS, Fact, contested, current, line_target, standing
from tjapi.result.rules.values import finding, parse, same_unit

D = Decimal
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "comparator", "numeric"),
    [
        ("5.6", "", "5.6"),
        (" 5.60 ", "", "5.60"),
        ("-3", "", "-3"),
        (".5", "", "0.5"),
        ("<0.01", "<", "0.01"),
        ("< 0.01", "<", "0.01"),
        (">1000", ">", "1000"),
        ("≤5", "<=", "5"),
        (">=5", ">=", "5"),
        ("＞１０００", ">", "1000"),
        ("５．６", "", "5.6"),
        ("−2.5", "", "-2.5"),
    ],
)
def test_a_number_is_read_with_its_comparator(raw: str, comparator: str, numeric: str) -> None:
    value = parse(raw)
    assert (value.raw, value.comparator, value.numeric) == (raw, comparator, D(numeric))


@pytest.mark.parametrize(
    "raw",
    ["1:320", "弱阳性", "±", "阴性", "+", "＋＋", "+1", "1+", "Rh(+)", "非阳性", "3.5~9.5", "1,234", "10⁹", "5³", "1e5", "5.", "",
     "5 mmol/L", "<", "--5", "<>5", "٥", "12345678901234567890", "NaN", "inf"],
)  # fmt: skip
def test_what_is_no_plain_number_stays_text(raw: str) -> None:
    value = parse(raw)
    assert (value.raw, value.numeric, value.comparator) == (raw, None, "")


@given(st.text(max_size=40))
def test_reading_never_fails_and_keeps_the_raw_text(raw: str) -> None:
    value = parse(raw)
    assert value.raw == raw
    assert value.numeric is None or value.numeric.is_finite()
    assert value.same == parse(value.text).same


def test_full_width_spellings_are_one_finding_and_different_findings_stay_apart() -> None:
    assert finding("＋＋") == finding("2+") == finding("阳性(++)") == "2+"
    assert finding("(－)") == finding("Negative") == "阴性"
    assert len({finding(t) for t in ("阴性", "±", "弱阳性", "阳性", "+", "++", "Rh(+)", "非阳性")}) == 8


NORMAL = Range(D("3.5"), D("5.3"), D("2.8"), D("6.2"))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("3.5", ""), ("5.3", ""), ("3.49", "L"), ("5.31", "H"), ("2.8", "LL"), ("2.81", "L"), ("6.2", "HH"), ("6.19", "H"),
        ("<2", "LL"), ("<2.8", "LL"), ("<3", "L"), ("<3.5", "L"), ("<=3.5", None), ("<5", None), ("<9", None),
        (">7", "HH"), (">5.3", "H"), (">=5.3", None), (">6", "H"), (">=6.2", "HH"), (">4", None), ("±", None), ("溶血", None),
    ],
)  # fmt: skip
def test_a_flag_is_given_only_where_it_is_certain(raw: str, expected: str | None) -> None:
    assert flag(parse(raw), NORMAL) == expected


def test_without_a_range_there_is_no_flag_and_never_a_false_normal() -> None:
    assert flag(parse("5"), None) is None
    assert flag(parse("5"), Range()) is None
    assert flag(parse("阴性"), Range()) is None
    only_critical = Range(critical_low=D("2.2"), critical_high=D("22.2"))
    assert [flag(parse(v), only_critical) for v in ("2", "5", "23", "<30")] == ["LL", None, "HH", None]


def test_a_one_sided_range_says_what_it_can() -> None:
    upper = Range(high=D(26))
    assert [flag(parse(v), upper) for v in ("0", "26", "26.1", "<5", "<30", ">30")] == ["", "", "H", "", None, "H"]


def test_a_finding_outside_the_normal_texts_is_abnormal_and_what_is_not_understood_is_neither() -> None:
    negative = Range(normal_texts=("阴性",))
    said = ["阴性", "(-)", "－", "±", "弱阳性", "+", "＋＋", "非阳性", "Rh(+)", "0.01", ">1000", "见备注"]
    flags = [flag_of("qualitative", parse(v), negative) for v in said]
    assert flags == ["", "", "", "A", "A", "A", "A", None, None, None, None, None]
    assert flag_of("qualitative", parse(""), negative) is None


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-50, max_value=50),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-80, max_value=80),
)
def test_a_flag_with_a_comparator_holds_for_every_value_it_allows(
    bound: Decimal, comparator: str, value: Decimal
) -> None:
    allowed = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[comparator]
    said = flag(parse(f"{comparator}{bound}"), NORMAL)
    if not allowed or said is None:
        return
    exact = flag(parse(str(value)), NORMAL)
    assert exact in {"": {""}, "L": {"L", "LL"}, "LL": {"LL"}, "H": {"H", "HH"}, "HH": {"HH"}}[said]


def test_spellings_of_a_unit_are_one_and_other_units_are_not() -> None:
    assert same_unit("10*9/L", "10^9/L")
    assert same_unit("×10⁹/L", "10^9/L")
    assert same_unit("umol/L", "μmol/L")
    assert same_unit("µmol/l", "μmol/L")
    assert same_unit("", "g/L")
    assert same_unit("g/L", None)
    assert not same_unit("mg/dL", "mmol/L")
    assert not same_unit("g/dL", "g/L")
    assert not same_unit("10^9/L", "10^12/L")


def _fact(i: int, status: str, value: str, minute: int, issued: int | None = None, order: int = 0) -> Fact:
    at = NOON + timedelta(minutes=minute)
    said = NOON + timedelta(minutes=minute if issued is None else issued)
    return Fact(UUID(int=i + 1), status, value, at, said, order, f"{status}|{minute}|{issued}|{value}|{order}")


def _value(*facts: Fact) -> str | None:
    chosen = {f.value if (f := current(order)) else None for order in permutations(facts)}
    assert len(chosen) == 1
    return chosen.pop()


def test_corrected_before_final_before_preliminary_whatever_the_times() -> None:
    p, f, c = _fact(0, "preliminary", "1", 30), _fact(1, "final", "2", 20), _fact(2, "corrected", "3", 10)
    assert (_value(p), _value(p, f), _value(p, f, c)) == ("1", "2", "3")


def test_the_later_preliminary_and_the_later_correction_win() -> None:
    assert _value(_fact(0, "preliminary", "1", 0), _fact(1, "preliminary", "2", 1)) == "2"
    assert _value(_fact(0, "corrected", "1", 0, issued=5), _fact(1, "corrected", "2", 0, issued=6)) == "2"


def test_a_final_value_is_replaced_by_a_correction_only() -> None:
    first, second = _fact(0, "final", "5", 0), _fact(1, "final", "6", 9)
    assert _value(first, second) == "5"
    assert contested([first, second])
    assert not contested([first, _fact(1, "final", "5", 9)])
    correction = _fact(2, "corrected", "6", 10)
    assert _value(first, second, correction) == "6"
    assert not contested([first, second, correction])


def test_entered_in_error_strikes_the_value_it_repeats_and_what_comes_after_stands() -> None:
    wrong, error, right = _fact(0, "final", "5", 0), _fact(1, "entered_in_error", "5", 3), _fact(2, "final", "6", 0)
    assert _value(wrong, error) is None
    assert _value(wrong, error, right) == "6"
    assert _value(error) is None


def test_entered_in_error_without_a_known_value_strikes_all_before_it() -> None:
    old, newer, error = _fact(0, "preliminary", "5", 0), _fact(1, "final", "6", 1), _fact(2, "entered_in_error", "", 2)
    after = _fact(3, "final", "7", 4)
    assert _value(old, newer, error) is None
    assert _value(old, newer, error, after) == "7"


def test_striking_a_correction_does_not_bring_back_what_it_had_replaced() -> None:
    assert (
        _value(_fact(0, "final", "5", 0), _fact(1, "corrected", "6", 1), _fact(2, "entered_in_error", "6", 2)) is None
    )


def test_striking_a_final_value_does_not_bring_back_a_preliminary_one() -> None:
    assert (
        _value(_fact(0, "preliminary", "4", 0), _fact(1, "final", "6", 1), _fact(2, "entered_in_error", "6", 2)) is None
    )


def test_entries_by_hand_are_ordered_even_within_one_instant() -> None:
    first, cleared, again = (
        _fact(0, "preliminary", "170", 0, order=1),
        _fact(1, "entered_in_error", "", 0, order=2),
        _fact(2, "preliminary", "171", 0, order=3),
    )
    assert (_value(first, cleared), _value(first, cleared, again)) == (None, "171")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(set(LIS_STATUS.values()))), st.sampled_from(["5", "6", "7", ""]), st.integers(0, 4)
        ),
        max_size=7,
    ),
    st.randoms(use_true_random=False),
)
def test_every_permutation_of_messages_yields_the_same_state(said: list[tuple[str, str, int]], random: object) -> None:
    def play(messages: list[tuple[str, str, int]]) -> tuple[object, object, set[str]]:
        known: dict[str, Fact] = {}
        for status, value, minute in messages:
            fact = _fact(len(known), status, value, minute)
            # The same meaning is a duplicate, as in the service; ids are given in order of arrival and must not matter.
            known.setdefault(fact.meaning, fact)
        chosen = current(known.values())
        stands = {f.meaning for f in standing(known.values())}
        return chosen and chosen.meaning, contested(known.values()), stands

    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert play(said) == play(shuffled) == play(said + shuffled)


@given(
    st.sampled_from(["released", "sent", "collected", "started", "resulted", "verified"]),
    st.lists(st.sampled_from([None, "preliminary", "final", "corrected"]), max_size=4),
    st.booleans(),
)
def test_a_line_moves_only_as_its_state_machine_allows(state: str, statuses: list[str | None], verify: bool) -> None:
    complete = bool(statuses) and all(s in ("final", "corrected") for s in statuses)
    now = state
    for step in line_target(state, statuses, verify=verify):
        assert step in LINE_MOVES[now]
        now = step
    assert line_target(now, statuses, verify=verify) == ()
    if verify:
        assert (now == "verified") == complete
    else:
        assert now != "verified" or state == "verified"


OURS = Identity("A26112300017", ("韦 小明",), "male", date(1986, 3, 1))
BORN = date(1986, 3, 1)


def _said(
    exam_no: str | None = None,
    *names: str,
    sex: str | None = None,
    born: date | None = None,
    theirs: bool | None = None,
) -> Identity:
    return Identity(exam_no, names, sex, born, theirs)


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(
    ("theirs", "against"),
    [
        (_said("A26112300017"), None),
        (_said(" a26112300017 "), None),
        (_said(None, "韦小明", sex="unknown"), None),
        (_said(None, "韦小明", sex="U"), None),
        (_said(None, "WEI^XIAOMING", "韦小明"), None),
        (_said(None, "WEI XIAOMING"), None),
        (_said(None, "xiaoming, wei"), None),
        (_said(None, "别名", "韦小明", sex="male", born=BORN), None),
        (_said(theirs=True), None),
        (_said(None, "韦小明之夫人", theirs=True), None),
        # Nobody is named: sex and birth date are shared by many.
        (_said(sex="male", born=BORN), ["name_missing"]),
        (_said(), ["name_missing"]),
        (_said(None, "", " ", sex="male"), ["name_missing"]),
        (_said(None, "", sex="female"), ["name_missing", "sex"]),
        # Each on its own, and nothing outweighs another.
        (_said("X99999999", "韦小明", sex="male", born=BORN), ["exam_no"]),
        (_said("A26112300017", "韦小", sex="male", born=BORN), ["name"]),
        (_said(None, "张冠", sex="male", born=BORN), ["name"]),
        (_said(None, "张冠", "李戴"), ["name"]),
        (_said(None, "韦小明", sex="female"), ["sex"]),
        (_said("A26112300017", "韦小明", sex="female", born=BORN), ["sex"]),
        (_said("A26112300017", "韦小明", sex="male", born=date(1986, 3, 2)), ["birth_date"]),
        (_said(None, "韦小明", born=date(1986, 1, 3)), ["birth_date"]),
        (_said("A26112300017", "张冠", sex="female", born=date(1901, 1, 1)), ["name", "sex", "birth_date"]),
        # A number for life that is somebody else's.
        (_said("A26112300017", "韦小明", sex="male", born=BORN, theirs=False), ["id_number"]),
        (_said(None, "韦小明", sex="female", theirs=True), ["sex"]),
        (_said(None, "张冠", born=date(1901, 1, 1), theirs=True), ["birth_date"]),
    ],
)  # fmt: skip
def test_whatever_is_said_of_the_person_must_agree(theirs: Identity, against: list[str] | None) -> None:
    assert disagreement(OURS, theirs, is_one_name) == against


def test_a_sex_that_we_do_not_know_contradicts_nobody() -> None:
    unknown = Identity("A26112300017", ("韦小明",), "unknown", BORN)
    assert disagreement(unknown, _said(None, "韦小明", sex="female"), is_one_name) is None


@given(
    st.sampled_from([None, "A26112300017", "A26112300018"]), st.sampled_from([None, "韦小明", "张冠"]),
    st.sampled_from([None, "male", "female", "unknown"]), st.sampled_from([None, BORN, date(1986, 3, 2)]), st.sampled_from([None, True, False]),
)  # fmt: skip
def test_nothing_that_contradicts_is_ever_filed(
    exam_no: str | None, name: str | None, sex: str | None, born: date | None, theirs: bool | None
) -> None:
    said = _said(exam_no, *([name] if name else []), sex=sex, born=born, theirs=theirs)
    contradicts = (
        exam_no == "A26112300018" or sex == "female" or born == date(1986, 3, 2) or theirs is False or (name == "张冠" and theirs is not True)
    )  # fmt: skip
    names_somebody = bool(exam_no or name or theirs is not None)
    assert (disagreement(OURS, said, is_one_name) is None) == (not contradicts and names_somebody)


@pytest.mark.requirement("E3.2", "E3.3")
def test_a_multi_select_is_normal_only_where_every_part_is() -> None:
    usual, choices = Range(normal_texts=("无", "正常")), ("无", "正常", "头晕")
    said = ("无", "正常;无", "无;头晕", "头晕", "", "不知道的词")
    flags = [flag_of("multi_select", parse(v), usual, choices) for v in said]
    # 无 and 头晕: one of the two is wrong, and nobody knows which.
    assert flags == ["", "", None, "A", None, None]
    assert flag_of("multi_select", parse("头晕"), None, choices) is None
    assert chosen("头晕; 胸痛;头晕;") == ("头晕", "胸痛")
    mild = Range(normal_texts=("扁桃体Ⅰ度肿大",))
    assert flag_of("multi_select", parse("扁桃体Ⅰ度肿大;咽部充血"), mild, ("扁桃体Ⅰ度肿大", "咽部充血")) == "A"


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(
    ("masked", "another"),
    [
        ("690101********1237", False), ("690101199001011***", False), ("690101****1237", False), ("690101*1237", False),
        ("*****************7", False), ("690101********1234", True), ("690102********1237", True), ("690101****1234", True),
        ("690101900101123", True), ("690101******123", False), ("E12****789", False), ("**************123X", True),
    ],
)  # fmt: skip
def test_what_a_masked_number_shows_contradicts_or_says_nothing(masked: str, another: bool) -> None:
    ours = ["690101199001011237", "690101900101123"[:-3] + "123"]
    if "*" in masked:
        assert shows_another(masked, ours) is another
    assert not shows_another(masked, [])
    assert not shows_another(masked, ["E12345678"])


@pytest.mark.requirement("E3.5")
def test_a_number_of_another_contradicts_whatever_else_agrees() -> None:
    theirs = replace(OURS, is_theirs=True, names_another=True)
    assert disagreement(OURS, theirs, lambda one, two: one == two) == ["number_of_another"]
