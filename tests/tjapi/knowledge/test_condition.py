"""A rule fires where the values say so, and only there; what cannot be read needs a person and never passes for normal."""

from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.rules import Case, ConditionInvalidError, Known, check, evaluate, items_of

pytestmark = pytest.mark.requirement("E3.4", "E5.1")


def known(code: str, text: str, **more: Any) -> Known:
    comparator = text[0] if text[0] in "<>" else ""
    if text[:2] in ("<=", ">="):
        comparator = text[:2]
    digits = text.removeprefix(comparator)
    number = Decimal(digits) if digits.replace(".", "").isdigit() else None
    return Known(code, code, text, number, comparator if number is not None else "", **more)


def case(*values: Known, sex: str = "female", age: int = 50, **more: Any) -> Case:
    return Case(sex, age, {v.item_code: v for v in values}, **more)


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ({"value": {"item": "GLU", "ge": "7.0"}}, [known("GLU", "7.0")], True),
        ({"value": {"item": "GLU", "ge": "7.0"}}, [known("GLU", "6.99")], False),
        ({"value": {"item": "GLU", "ge": "6.1", "lt": "7.0"}}, [known("GLU", "7.0")], False),
        ({"value": {"item": "GLU", "ge": "7.0"}}, [], None),
        ({"value": {"item": "GLU", "ge": "7.0"}}, [known("GLU", "溶血")], None),
        ({"value": {"item": "GLU", "ge": "7.0", "unit": "mmol/L"}}, [known("GLU", "126", unit="mg/dL")], None),
        ({"flag": {"item": "HGB", "in": ["L", "LL"]}}, [known("HGB", "100", flag="L")], True),
        ({"flag": {"item": "HGB", "in": ["L", "LL"]}}, [known("HGB", "100", flag="")], False),
        ({"flag": {"item": "HGB", "in": ["L", "LL"]}}, [known("HGB", "100")], None),
        ({"is": {"item": "HBSAG", "in": ["阳性"]}}, [known("HBSAG", "阳性")], True),
        ({"is": {"item": "HBSAG", "in": ["阳性"]}}, [known("HBSAG", "弱阳性")], False),
        ({"is": {"item": "SYM", "in": ["胸痛"]}}, [known("SYM", "头晕;胸痛", chosen=("头晕", "胸痛"))], True),
        ({"concept": {"item": "US-LIVER", "in": ["FATTY-LIVER"]}}, [known("US-LIVER", "轻度脂肪肝")], True),
        ({"concept": {"item": "US-LIVER", "in": ["FATTY-LIVER"]}}, [known("US-LIVER", "未见明显脂肪肝")], False),
        ({"concept": {"item": "US-LIVER", "in": ["FATTY-LIVER"], "assertion": ["absent"]}}, [known("US-LIVER", "未见脂肪肝")], True),
        ({"concept": {"item": "US-LIVER", "in": ["FATTY-LIVER"]}}, [], None),
        ({"concept": {"item": "US-LIVER", "in": ["FATTY-LIVER"]}}, [known("US-LIVER", "12")], None),
        ({"concept": {"item": "US-THYROID", "in": ["THYROID-NODULE"]}}, [known("US-THYROID", "左叶无结节,右叶结节")], True),
        ({"concept": {"item": "US-GB", "in": ["GB-POLYP"], "size_ge": "10"}}, [known("US-GB", "胆囊息肉,大小约1.0cm")], True),
        ({"concept": {"item": "US-GB", "in": ["GB-POLYP"], "size_ge": "10"}}, [known("US-GB", "胆囊息肉,大小约9×8mm")], False),
        ({"concept": {"item": "US-GB", "in": ["GB-POLYP"], "size_lt": "10"}}, [known("US-GB", "胆囊息肉,大小约9×8mm")], True),
        ({"concept": {"item": "US-GB", "in": ["GB-POLYP"], "size_lt": "10"}}, [known("US-GB", "胆囊息肉")], False),
        ({"concept": {"item": "US-THYROID", "in": ["THYROID-NODULE"], "grade": ["ti:3"]}}, [known("US-THYROID", "左叶结节,TI-RADS 3类")], True),
        ({"concept": {"item": "US-THYROID", "in": ["THYROID-NODULE"], "grade": ["ti:2"]}}, [known("US-THYROID", "左叶结节,TI-RADS 3类")], False),
        ({"concept": {"item": "CXR", "grave": True}}, [known("CXR", "左侧气胸")], True),
        ({"concept": {"item": "CXR", "grave": True}}, [known("CXR", "未见气胸")], False),
        ({"person": {"sex": "female", "age_from": 50, "age_to": 50}}, [], True),
        ({"person": {"sex": "male"}}, [], False),
        ({"person": {"age_from": 51}}, [], False),
        ({"not": {"value": {"item": "GLU", "ge": "7.0"}}}, [known("GLU", "5")], True),
        ({"not": {"value": {"item": "GLU", "ge": "7.0"}}}, [], None),
    ],
)  # fmt: skip
def test_a_condition_holds_where_the_values_say_so(condition: Any, values: list[Known], holds: bool | None) -> None:
    check(condition)
    assert evaluate(condition, case(*values)).holds is holds


PNEUMOTHORAX = {"text": {"item": "CXR", "contains": ["气胸"], "unless": ["未见气胸", "无气胸"]}}


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        # In either writing, with blanks in the word, and broken by the end of a line or of a repetition.
        ("右侧气胸", True), ("右側氣胸", True), ("右侧氣胸", True), ("右侧气 胸", True), ("右侧气\u3000胸", True), ("右侧气\n胸", True), ("右側氣\r\n  胸", True), ("右侧⽓胸", True),
        # What speaks of no pneumothorax takes only its own words away, in the form in which it is read.
        ("未見氣胸", False), ("未见气胸", False), ("未见气胸。右肺氣胸", True), ("积液：无\n气胸：右侧", True), ("积液：无 气胸：右侧", True), ("积液：無\n氣胸：右側", True),
        ("无未见气胸气胸", True), ("气未见气胸胸", False), ("双肺清晰", False), ("氣管居中，胸廓對稱", False), ("", False),
    ],
)  # fmt: skip
def test_a_word_is_found_in_a_description_however_it_is_written(said: str, holds: bool) -> None:
    value = Known("CXR", "胸片", said, result_id=UUID(int=1))
    found = evaluate(PNEUMOTHORAX, case(value))
    assert found.holds is holds
    if holds:
        assert found.clauses[0].found == ("气胸",)
        assert found.result_ids == (UUID(int=1),)


def test_the_words_of_a_rule_may_be_written_in_either_writing_and_in_either_case() -> None:
    rule = {"text": {"item": "US", "contains": ["甲狀腺結節", "ti-rads 4"]}}
    for text in ("甲状腺结节", "甲狀腺 結節", "TI-RADS 4", "TI-RADS4", "Ti-rads\n4"):
        assert evaluate(rule, case(Known("US", "超声", text))).holds, text
    # Of an old edition it is evaluated; nobody writes it anew.
    with pytest.raises(ConditionInvalidError, match="bare words"):
        check(rule)


def test_every_traditional_character_has_one_simplified_one_in_its_place() -> None:
    assert (
        simplified("右側氣胸、腦幹出血、腸梗阻、動脈夾層、體檢報告，瘤體 CT")
        == "右侧气胸、脑干出血、肠梗阻、动脉夹层、体检报告，瘤体 CT"
    )
    every = "".join(chr(code) for code in range(0x2E80, 0xFB00))
    assert len(simplified(every)) == len(every)


def test_a_value_with_a_comparator_decides_only_what_all_it_allows_decides() -> None:
    """Against a brute force over a grid: "<5" is every grid point below 5."""
    grid = [Decimal(n) / 2 for n in range(-10, 41)]
    compare = {
        "<": lambda x, n: x < n,
        "<=": lambda x, n: x <= n,
        ">": lambda x, n: x > n,
        ">=": lambda x, n: x >= n,
        "": lambda x, n: x == n,
    }
    tests = {"ge": lambda x, b: x >= b, "gt": lambda x, b: x > b, "le": lambda x, b: x <= b, "lt": lambda x, b: x < b}
    for comparator, number, name, bound in product(compare, range(3, 8), tests, range(3, 8)):
        # Halves of halves near the bounds stand for the reals between them.
        points = [
            x
            for x in grid + [x + Decimal("0.01") for x in grid] + [x - Decimal("0.01") for x in grid]
            if compare[comparator](x, number)
        ]
        answers = {tests[name](x, bound) for x in points}
        expected = answers.pop() if len(answers) == 1 else None
        got = evaluate({"value": {"item": "X", name: str(bound)}}, case(known("X", f"{comparator}{number}")))
        assert got.holds is expected, (comparator, number, name, bound)


def test_three_values_join_as_kleene_says() -> None:
    sides: dict[bool | None, Any] = {
        True: {"person": {"sex": "female"}}, False: {"person": {"sex": "male"}}, None: {"value": {"item": "GLU", "ge": "7"}},
    }  # fmt: skip
    for a, b in product(sides, repeat=2):
        both = evaluate({"all": [sides[a], sides[b]]}, case()).holds
        either = evaluate({"any": [sides[a], sides[b]]}, case()).holds
        assert both is (False if False in (a, b) else None if None in (a, b) else True), (a, b)
        assert either is (True if True in (a, b) else None if None in (a, b) else False), (a, b)
    two = {"at_least": {"times": 2, "of": [sides[True], sides[None], sides[False]]}}
    assert evaluate(two, case()).holds is None
    assert evaluate(two, case(known("GLU", "8"))).holds is True
    assert evaluate(two, case(known("GLU", "5"))).holds is False


@pytest.mark.parametrize(
    ("asked", "years", "days", "holds"),
    [
        ({"days_to": 27}, 0, 27, True),
        ({"days_to": 27}, 0, 28, False),
        ({"days_from": 3, "days_to": 27}, 0, 2, False),
        ({"days_to": 27}, 0, None, None),
        ({"days_to": 27}, 1, None, False),
        ({"days_from": 28}, 45, None, True),
        ({"days_from": 28, "age_to": 4}, 5, None, False),
    ],
    ids=["within", "past", "before", "unknown", "older", "grown", "too-old"],
)
def test_an_infant_is_asked_of_by_days(asked: dict[str, Any], years: int, days: int | None, holds: bool | None) -> None:
    """Where only the years are known, an answer is given only where they leave no other."""
    assert evaluate({"person": asked}, Case("male", years, {}, age_days=days)).holds is holds


def test_what_was_before_counts() -> None:
    earlier = {"CEA": [known("CEA", "3"), known("CEA", "50")]}
    doubled = {"change": {"item": "CEA", "ratio_ge": "2"}}
    assert evaluate(doubled, case(known("CEA", "6"), before=earlier)).holds is True
    assert evaluate(doubled, case(known("CEA", "5.9"), before=earlier)).holds is False
    assert evaluate(doubled, case(known("CEA", "6"))).holds is None
    first = {"first": {"item": "HGB", "le": "60"}}
    assert evaluate(first, case(known("HGB", "60"))).holds is True
    assert (
        evaluate(first, case(known("HGB", "60"), before={"HGB": [known("HGB", "90"), known("HGB", "55")]})).holds
        is False
    )
    twice = {"repeated": {"item": "SBP", "ge": "180", "times": 2}}
    assert evaluate(twice, case(known("SBP", "182"))).holds is False
    assert evaluate(twice, case(known("SBP", "182"), repeats={"SBP": [known("SBP", "185")]})).holds is True
    assert (
        evaluate(twice, case(known("SBP", "140"), repeats={"SBP": [known("SBP", "185"), known("SBP", "190")]})).holds
        is False
    )


def test_a_verdict_names_the_results_and_the_values_that_nobody_could_read() -> None:
    one, two = UUID(int=1), UUID(int=2)
    syndrome = {"all": [{"value": {"item": "SBP", "ge": "140"}}, {"flag": {"item": "TG", "in": ["H"]}}]}
    found = evaluate(
        syndrome, case(known("SBP", "150", unit="mmHg", result_id=one), known("TG", "3", flag="H", result_id=two))
    )
    assert (found.result_ids, found.words) == ((one, two), "SBP 150 mmHg,≥ 140;TG 3,偏高")
    unread = evaluate(syndrome, case(known("SBP", "测不出"), known("TG", "3", flag="H")))
    assert (unread.holds, [k.item_code for k in unread.unreadable]) == (None, ["SBP"])
    assert items_of({"any": [syndrome, {"not": {"is": {"item": "AB", "in": ["x"]}}}]}) == {"SBP", "TG", "AB"}


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ([], ""), ({}, ""), ({"value": {}, "is": {}}, ""), ({"values": {}}, "/values"), ({"all": []}, "/all"),
        ({"value": {"item": "X"}}, "/value"), ({"value": {"ge": "1"}}, "/value/item"), ({"value": {"item": "X", "ge": 1}}, "/value/ge"),
        ({"value": {"item": "X", "ge": "hoch"}}, "/value/ge"), ({"any": [{"is": {"item": "X", "in": []}}]}, "/any/0/is/in"),
        ({"repeated": {"item": "X", "ge": "1", "times": 1}}, "/repeated/times"), ({"person": {}}, "/person"),
        ({"person": {"age_from": 3, "age_to": 2}}, "/person/age_to"), ({"person": {"days_from": 3, "days_to": 2}}, "/person/days_to"), ({"text": {"item": "X", "contains": ["a"]}}, "/text"),
            ({"concept": {"item": "X"}}, "/concept"), ({"concept": {"item": "X", "in": ["NO-SUCH"]}}, "/concept/in"),
            ({"concept": {"item": "X", "in": ["GOITER"], "grave": True}}, "/concept"), ({"concept": {"item": "X", "in": ["GOITER"], "assertion": ["maybe"]}}, "/concept/assertion"),
            ({"concept": {"item": "X", "in": ["GOITER"], "size_ge": 5}}, "/concept/size_ge"), ({"not": {"concept": {"item": "*", "grave": True}}}, "/not/concept/item"),
        ({"at_least": {"times": 2, "of": [{"person": {"sex": "male"}}]}}, "/at_least/times"), ({"flag": {"item": "X", "in": ["H"], "of": 1}}, "/flag/of"),
    ],
)  # fmt: skip
def test_a_condition_that_could_never_be_evaluated_is_refused_by_its_place(condition: Any, path: str) -> None:
    with pytest.raises(ConditionInvalidError) as refused:
        check(condition)
    assert refused.value.path == path


def test_no_depth_of_conditions_exhausts_the_stack() -> None:
    deep: Any = {"person": {"sex": "male"}}
    for _ in range(5000):
        deep = {"not": deep}
    with pytest.raises(ConditionInvalidError, match="deep"):
        check(deep)
