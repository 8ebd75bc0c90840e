"""One reading of a value for every door: safe spellings are numbers, the rest is put to a person; nothing of it is guessed."""

from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.result.rules.flags import flag_of, lab_critical, lab_flag, lab_snapshot, undetermined, with_lab
from tjapi.result.rules.questions import Limits, implausible, jumped
from tjapi.result.rules.ranges import Range, lab_range
from tjapi.result.rules.reading import Said, put_together, read, understood, without_dust
from tjapi.result.rules.values import finding, finding_words, parse

D = Decimal
CASES = Path(__file__).parents[2] / "cases"
NEGATIVE = Range(normal_texts=("阴性", "-", "(-)", "阴性(-)"))
# Calcium's range: 2.90 is high.
CALCIUM = Range(D("2.11"), D("2.52"), D("1.5"), D("3.25"))


def _rows(name: str) -> list[list[str]]:
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()[1:]
    return [line.replace("\\u200b", "").split("\t") for line in lines if line]


@pytest.mark.requirement("E3.3", "E3.5")
@pytest.mark.parametrize(("raw", "expected"), [(r[0], r[1]) for r in _rows("04-numeric-item-spellings.tsv")])
def test_a_numeric_item_takes_safe_spellings_and_asks_about_the_rest(raw: str, expected: str) -> None:
    reading = read("numeric", raw, ["mmol/L"])
    if reading is None:
        assert "a person looks" in expected
        return
    assert "2.90" in expected
    assert reading.value.numeric in (D("2.90"), D("2.9"))
    assert reading.value.comparator == (">" if ">" in expected else "")
    assert flag_of("numeric", reading.value, CALCIUM) == "H"


NUMBERS = ["7.2", "0.01", ".5", "135", "2.90", "12345.678", "-3.5", "0"]
AROUND = ["{}", " {} ", "{}↑", "{} ↑", "↓{}", "{}*", "* {}", "{} H", "{}H", "L {}", "{}(H)", "[L] {}", "={}", "{} mmol/L", "{}mmol/l", "{} mmol/L ↑",
          "{}↑ mmol/L", "{} 偏高", "{} HH", "LL {}"]  # fmt: skip
SIGNS = ["<{}", "≥{}", "> {}", "＞{}", "﹤{}", "大于{}", "小于等于{}", "&lt;{}", "<={}↓"]
UNSURE = [
    "{},5",
    "{}.",
    ">>{}",
    "{}以上",
    "{}~9",
    "{}-9",
    "约{}",
    "{} mg/dL",
    "{}↑↓",
    "1:{}",
    "{}/2",
    "{}?",
    "<>{}",
    "=={}",
    "{}e99",
    "{}x",
    "见{}",
    "++{}",
]


@pytest.mark.parametrize("raw", [a.format(n) for a, n in product(AROUND, NUMBERS)])
def test_what_stands_safely_beside_a_number_leaves_the_number(raw: str) -> None:
    reading = read("numeric", raw, ["mmol/L"])
    number = next(n for n in sorted(NUMBERS, key=len, reverse=True) if n in raw)
    assert reading is not None
    assert (reading.value.raw, reading.value.numeric, reading.value.comparator) == (raw, D(number), "")


@pytest.mark.parametrize("raw", [a.format(n) for a, n in product(SIGNS, NUMBERS)])
def test_a_comparator_is_read_in_every_spelling(raw: str) -> None:
    reading = read("numeric", raw)
    assert reading is not None
    assert reading.value.comparator in ("<", "<=", ">", ">=")


@pytest.mark.parametrize(
    "raw", [a.format(n) for a, n in product(UNSURE, NUMBERS) if n != ".5" and (a, n) != ("{}e99", "0")]
)
def test_what_leaves_a_doubt_is_no_number(raw: str) -> None:
    assert read("numeric", raw, ["mmol/L"]) is None


@given(st.text(max_size=60))
def test_a_numeric_item_never_holds_a_text(raw: str) -> None:
    reading = read("numeric", raw, ["mmol/L", "%", "L"])
    assert reading is None or (reading.value.numeric is not None and reading.value.numeric.is_finite())


def test_a_unit_comes_before_a_mark_that_is_spelt_the_same() -> None:
    litres, other = read("numeric", "4.2 L", ["L"]), read("numeric", "4.2 L", ["mmol/L"])
    assert litres is not None
    assert (litres.unit, litres.mark) == ("L", "")
    assert other is not None
    assert (other.unit, other.mark) == ("", "L")


def test_a_float_that_was_written_out_is_the_number_that_was_meant_and_a_long_number_stays() -> None:
    dust, long = read("numeric", "2.9000000000000004"), read("numeric", "0.1234567891234")
    assert dust is not None
    assert (dust.value.raw, dust.value.text) == ("2.9000000000000004", "2.9")
    assert long is not None
    assert long.value.text == "0.1234567891234"


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(("item", "raw", "expected"), [(r[0], r[1], r[2]) for r in _rows("17-negative-spellings.tsv")])
def test_a_qualitative_item_is_negative_in_every_spelling_and_undetermined_by_a_number(
    item: str, raw: str, expected: str
) -> None:
    reading = read("qualitative", raw)
    assert reading is not None
    flag = flag_of("qualitative", reading.value, NEGATIVE)
    allowed: dict[str, set[str | None]] = {"none": {""}, "none, or undetermined": {"", None}}
    assert flag in allowed.get(expected, {None}), item


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("阳性", "阳性"), ("阳性(2+)", "2+"), ("(++)", "2+"), ("4+", "4+"), ("+1", "1+"), ("弱阳性(±)", "弱阳性"), ("+/-", "±"), ("POS.", "阳性"),
        ("Non-Reactive", "阴性"), ("阴性(+)", None), ("阳性(-)", None), ("非阳性", None), ("疑似阳性", None), ("+++.+", None), ("----", None), ("+1.5", None),
        ("1.5", None), ("-5", None), ("见备注", None), ("溶血", None), ("1+2+", None), ("", None), ("阴" * 50, None), ("阳性 12.5", "阳性"),
    ],
)  # fmt: skip
def test_a_finding_is_read_part_by_part_and_parts_that_disagree_are_none(raw: str, expected: str | None) -> None:
    assert finding_words(raw) == expected


STATUSES = ["preliminary", "final", "corrected"]
WORDS = ["见备注", "ERROR", "溶血", "0.05", "1:320", "非阳性", "淡黄色", "未做", "----", "++?", "正常", "N/A"]


@pytest.mark.requirement("E3.3", "E3.4")
@pytest.mark.parametrize(("raw", "kind"), list(product(WORDS, ["qualitative", "enumerated", "multi_select"])))
def test_words_that_mean_nothing_to_an_item_are_neither_abnormal_nor_normal(raw: str, kind: str) -> None:
    value, choices = parse(raw), ("阴性", "阳性", "未见", "少许")
    assert not understood(kind, value, choices)
    assert flag_of(kind, value, Range(normal_texts=("阴性", "未见")), choices) is None
    assert undetermined(kind, None, judged=True)


def test_a_text_is_never_abnormal_by_being_another_one_than_the_normal_text() -> None:
    usual = Range(normal_texts=("未见异常",))
    assert flag_of("text", parse("未见异常"), usual) == ""
    assert flag_of("text", parse("肝脏大小形态正常"), usual) is None
    assert not undetermined("text", None, judged=True)


def _said(*raws: str) -> list[Said]:
    return [Said(raw, "", i) for i, raw in enumerate(raws)]


@pytest.mark.parametrize(
    ("raws", "values", "remarks"),
    [
        (("7.1", "7.1"), ["7.1"], ()), (("7.1", "7.10↑"), ["7.1"], ()), (("165", "140"), ["165", "140"], ()),
        (("7.2", "已复查并电话报告"), ["7.2"], ("已复查并电话报告",)), (("见备注", "7.2", "7.2"), ["7.2"], ("见备注",)),
        (("1", "2", "3"), ["1", "2", "3"], ()), (("", "5"), ["5"], ()),
    ],
)  # fmt: skip
def test_several_observations_of_one_number_are_one_or_measurements_of_their_own(
    raws: tuple[str, ...], values: list[str], remarks: tuple[str, ...]
) -> None:
    measured, unread = put_together("numeric", _said(*raws), [], [])
    assert unread is None
    assert [m.reading.value.same for m in measured] == [parse(v).same for v in values]
    assert measured[0].remarks == remarks


def test_several_observations_of_which_none_is_a_number_are_one_question() -> None:
    measured, unread = put_together("numeric", _said("见备注", "溶血"), [], [])
    assert measured == []
    assert unread is not None
    assert (unread.raw, unread.orders) == ("见备注\n溶血", (0, 1))


def test_a_number_beside_a_finding_is_its_remark_and_two_findings_are_two_measurements() -> None:
    beside, _ = put_together("qualitative", _said("0.03", "阴性"), [], [])
    assert [(m.reading.value.text, m.remarks) for m in beside] == [("阴性", ("0.03",))]
    two, _ = put_together("qualitative", _said("阴性", "2+"), [], [])
    assert [m.reading.value.text for m in two] == ["阴性", "2+"]


@pytest.mark.parametrize(
    ("flags", "flag", "critical"),
    [
        (("H",), "H", False), (("l",), "L", False), (("HH",), "HH", True), (("LL",), "LL", True), (("AA",), "A", True), (("panic",), "A", True),
        (("危急",), "A", True), (("N",), "", False), (("H", "HH"), "HH", True), (("↑↑",), "HH", True), (("偏高",), "H", False), (("?",), None, False),
        ((), None, False),
    ],
)  # fmt: skip
def test_a_laboratorys_own_flag_is_understood(flags: tuple[str, ...], flag: str | None, critical: bool) -> None:
    assert (lab_flag(flags), lab_critical(flags)) == (flag, critical)


@pytest.mark.requirement("E3.3")
def test_the_laboratorys_range_and_flag_speak_where_there_is_none_of_ours_alone() -> None:
    assert with_lab("H", None, parse("6"), "HH") == ("H", False)
    assert with_lab("", None, parse("5"), "A") == ("", False)
    assert with_lab("H", None, parse("6"), "") == ("H", False)
    assert with_lab(None, lab_range("0.27-4.2"), parse("5.1"), None) == ("H", True)
    assert with_lab(None, lab_range("0.27-4.2"), parse("2.1"), "") == ("", True)
    assert with_lab(None, None, parse("5.1"), "H") == ("H", True)
    assert with_lab(None, None, parse("0.01"), None) == (None, False)
    # That it calls a text normal does not make us understand it.
    assert with_lab(None, None, parse("见备注"), "") == (None, False)


def test_where_the_laboratory_goes_first_its_range_decides_and_ours_what_is_critical() -> None:
    theirs = lab_range("0.55-4.78")
    assert with_lab("H", theirs, parse("4.5"), None, laboratory_first=True) == ("", True)
    assert with_lab("", theirs, parse("0.4"), "L", laboratory_first=True) == ("L", True)
    assert with_lab("HH", theirs, parse("4.5"), "", laboratory_first=True) == ("HH", False)
    # A flag without a range says by no limit of its own where the value lies.
    assert with_lab("H", None, parse("4.5"), "", laboratory_first=True) == ("H", False)
    assert with_lab("H", theirs, parse("4.5"), None) == ("H", False)
    assert with_lab(None, theirs, parse("4.5"), None, laboratory_first=True) == ("", True)
    assert lab_snapshot("0.55-4.78", None, "0.270–4.200")["ours"] == "0.270–4.200"
    assert lab_snapshot("0.55-4.78", None)["ours"] is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("3.5-5.3", "3.5", "5.3"), ("3.5～5.3", "3.5", "5.3"), ("3.5--5.3", "3.5", "5.3"), ("≤5", None, "5"), (">=1.04", "1.04", None), ("-3-3", "-3", "3")],
)  # fmt: skip
def test_a_laboratorys_range_is_read(text: str, low: str | None, high: str | None) -> None:
    found = lab_range(text)
    assert found is not None
    assert (found.low, found.high) == (low and D(low), high and D(high))


@pytest.mark.parametrize("text", ["", "阴性", "5.3-3.5", "3.5", "男3-5 女2-4", "<5 - 9"])
def test_a_range_that_is_not_plain_is_none(text: str) -> None:
    assert lab_range(text) is None


def test_an_exclusive_bound_is_not_normal_itself() -> None:
    assert [flag_of("numeric", parse(v), lab_range("<5.0")) for v in ("4.99", "5.0", "5.01")] == ["", "H", "H"]


@pytest.mark.requirement("E3.2", "X4")
def test_what_is_hardly_possible_or_far_from_the_last_exam_is_asked_about() -> None:
    limits = Limits(plausible_low=D(1), plausible_high=D(15), delta_percent=40)
    assert [implausible(parse(v), limits) for v in ("0.9", "1", "15", "60", ">20", "<0.5", "<20", "溶血")] == [
        "plausible_low", None, None, "plausible_high", "plausible_high", "plausible_low", None, None,
    ]  # fmt: skip
    assert jumped(parse("100"), D(70), limits, 40)
    assert not jumped(parse("98"), D(70), limits, 40)
    assert not jumped(parse("100"), D(70), limits, 9), "children grow"
    assert not jumped(parse("100"), None, limits, 40)


def test_the_bounds_of_a_laboratorys_range_are_what_was_meant_by_its_floats() -> None:
    said = ("2.8000000000000003–7.0", "2.5600000000000005-6.4", "<5.0", "3.50~5.30", "阴性", "0.1234567891234")
    assert [without_dust(text) for text in said] == [
        "2.8–7.0",
        "2.56-6.4",
        "<5.0",
        "3.50~5.30",
        "阴性",
        "0.1234567891234",
    ]


@pytest.mark.requirement("E3.3", "X7")
@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        ("阳性(+)", "阳性"), ("+", "阳性"), ("1+", "阳性"), ("弱阳性", "阳性"), ("POS", "阳性"), ("反应性", "阳性"), ("阴性(-)", "阴性"), ("(-)", "阴性"),
        ("待确定", "待确定"), ("±", "±"), ("可疑", "可疑"), ("1.2", "1.2"),
    ],
)  # fmt: skip
def test_a_reaction_is_the_choice_of_an_item_that_is_chosen_of_two(raw: str, choice: str) -> None:
    measured, unread = put_together("enumerated", [Said(raw, "", 0)], [], ["阴性", "待确定", "阳性"])
    assert unread is None
    assert [(finding(m.reading.value.text), m.reading.value.raw) for m in measured] == [(choice, raw)]
    graded, _ = put_together("enumerated", [Said(raw, "", 0)], [], ["阴性", "一般阳性", "强阳性"])
    assert graded[0].reading.value.text != "阳性"
