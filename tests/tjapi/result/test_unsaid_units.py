"""A number of which no unit was said: the laboratory's own range tells its unit, or a person is asked; and how such ranges are read."""

from decimal import Decimal

import pytest

from tests.tjapi.result.scene import OpenUnit, line_state, state_of, visit
from tests.tjapi.result.wire import alarms, asked, filed
from tjapi.result import repository
from tjapi.result.rules.flags import lab_critical, lab_flag, lab_unknown, with_lab
from tjapi.result.rules.ranges import Range, apart, lab_range, told_range, written
from tjapi.result.rules.values import parse, same_unit, unit_said

pytestmark = pytest.mark.requirement("E3.3", "E3.5")
# --- which unit is meant ---

# Calcium, phosphate and magnesium in mEq/L or mg/dL with the range of that unit beside them; and units of which we know no factor.
OF_ANOTHER_UNIT = [
    ("ELECTROLYTE", "CA", "2.4", "4.3-5.3", ""), ("ELECTROLYTE", "CA", "3.0", "4.3-5.3", ""), ("ELECTROLYTE", "P", "1.0", "2.5-4.5", ""),
    ("ELECTROLYTE", "P", "1.0", "2.5-4.5", "L"), ("ELECTROLYTE", "MG", "1.0", "1.6-2.6", "L"), ("ELECTROLYTE", "MG", "1.0", "1.6-2.6 mg/dL", "L"),
    ("ELECTROLYTE", "CA", "2.4", "参考范围：4.3～5.3", ""), ("UACR", "UACR", "5.0", "0-3.0", "H"), ("UACR", "UACR", "5.0", "0-3.0", ""),
    ("UACR", "UACR", "5.0", "0-3.0 mg/mmol", ""), ("NTPROBNP", "NTPROBNP", "100", "&lt;14.8", "H"), ("VITD", "VITD", "45", "75-250", "L"),
    ("VITD", "VITD", "45", "75-250", ""),
]  # fmt: skip


@pytest.mark.parametrize(("group", "code", "value", "said", "flag"), OF_ANOTHER_UNIT)
async def test_a_number_whose_range_is_of_another_unit_is_asked_about(
    unit: OpenUnit, group: str, code: str, value: str, said: str, flag: str
) -> None:
    scene = await visit(unit, group)
    filing = await filed(unit, scene, group, f"OBX|1|NM|{code}||{value}||{said}|{flag}|||F")
    assert (filing.outcome, filing.reason) == ("unmatched", "value-implausible")
    assert (code, "implausible") in await asked(unit, scene)
    assert await line_state(unit, scene, group) != "verified"


@pytest.mark.parametrize(
    ("group", "code", "value", "said", "flag"),
    [
        ("ELECTROLYTE", "CA", "2.4", "2.1-2.6", ""), ("ELECTROLYTE", "CA", "2.4", "2.11-2.52 mmol/L", ""), ("ELECTROLYTE", "P", "1.0", "0.8-1.6", ""),
        ("UACR", "UACR", "5.0", "&lt;30", ""), ("UACR", "UACR", "45", "0-25", "H"), ("VITD", "VITD", "45", "30-100", ""),
    ],
)  # fmt: skip
async def test_a_number_whose_range_is_of_our_unit_is_filed_unasked(
    unit: OpenUnit, group: str, code: str, value: str, said: str, flag: str
) -> None:
    scene = await visit(unit, group)
    filing = await filed(unit, scene, group, f"OBX|1|NM|{code}||{value}||{said}|{flag}|||F")
    assert (filing.outcome, await asked(unit, scene)) == ("filed", [])


def test_ranges_differ_by_the_largest_ratio_of_bounds_that_can_be_compared() -> None:
    ours = Range(Decimal(2), Decimal(4))
    assert apart(Range(Decimal(1), Decimal(5)), ours) == 2
    assert apart(Range(high=Decimal(5)), ours) == Decimal("1.25")
    assert apart(Range(low=Decimal(0)), ours) is None
    assert apart(Range(high=Decimal(5)), Range(low=Decimal(5))) is None


# --- no unit at all ---


@pytest.mark.parametrize("filler", ['""', "-", "/", "null", "无", "－", "--"])
@pytest.mark.requirement("E5.2")
async def test_what_only_fills_the_column_of_the_unit_is_no_unit(unit: OpenUnit, filler: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", f"OBX|1|NM|K||7.2|{filler}|||||F")
    assert (await state_of(unit, scene))["K"] == ("7.2", "HH", "final")
    assert "CRIT-K-HIGH" in await alarms(unit, scene)


@pytest.mark.parametrize("said", ["/uL", "%", "g/L", "-/HP", "No", "空腹"])
def test_what_is_a_unit_is_said(said: str) -> None:
    assert unit_said(said) == said
    assert not same_unit(said, "mmol/L")


# --- reading a range ---


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        *[(text, ("0.27", "4.2")) for text in (
            "0.27-4.2", "0.27-4.2 mIU/L", "0.27-4.2mIU/L", "(0.27-4.2)", "[0.27-4.2]", "【0.27～4.2】", "（0.27－4.2）", "参考:0.27-4.2", "参考范围：0.27–4.2",
            "参考值 0.27~4.2 mIU/L", "(0.27-4.2) mIU/L", "(参考:0.27-4.2)", "0.27‐4.2", "0.27‑4.2", "0.27—4.2", "0.27——4.2", "0.27−4.2", "0.27〜4.2",
            "0.27至4.2", "0.27 到 4.2", "0.27--4.2", "0.27 to 4.2 mIU/L", "0.27mIU/L-4.2mIU/L", "Ref: 0.27-4.2", "Reference Range: 0.27-4.2", ".27-4.2",
            "0.27-4.2 (mIU/L)",
        )],
        *[(text, (None, "4.2")) for text in ("≤4.2", "<=4.2 mIU/L", "4.2以下", "4.2 mIU/L以下", "4.2及以下", "4.2以内", "不超过4.2", "小于等于4.2", "&le;4.2")],
        *[(text, (None, "<4.2")) for text in ("<4.2", "<4.2 mIU/L", "＜4.2", "小于4.2", "(<4.2)", "参考：<4.2", "&lt;4.2", "低于4.2")],
        *[(text, ("4.2", None)) for text in ("≥4.2", "4.2以上", ">=4.2mIU/L", "大于等于4.2", "不低于4.2")],
        ("-3--1", ("-3", "-1")), ("-3~-1", ("-3", "-1")), ("-3-3", ("-3", "3")), ("-3~3", ("-3", "3")), ("－3－－1", ("-3", "-1")), ("-3 - -1", ("-3", "-1")),
        (">0", (">0", None)),
    ],
)  # fmt: skip
def test_a_range_is_read_however_it_is_written(text: str, bounds: tuple[str | None, str | None]) -> None:
    found = lab_range(text, "mIU/L")
    low, high = bounds
    expected = Range(
        None if low is None else Decimal(low[1:]).next_plus() if low.startswith(">") else Decimal(low),
        None if high is None else Decimal(high[1:]).next_minus() if high.startswith("<") else Decimal(high),
    )
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "0.27-4.2 ng/mL", "0.27-4.2 %", "<4.2 mg/dL", "阴性", "男3-5 女2-4", "4.2-0.27", "<5 - 9", "3-5-9", "成人0.27-4.2", "0.27-4.2 成人", "4.2", "3-5 6",
        "参考", "-", "()", "2026-11-23", "0.27-4.2;1-3",
    ],
)  # fmt: skip
def test_a_range_in_another_unit_or_that_is_not_plain_says_nothing(text: str) -> None:
    assert lab_range(text, "mIU/L") is None


def test_a_range_with_a_unit_beside_a_value_without_one_says_nothing_by_itself() -> None:
    assert lab_range("0.27-4.2 mIU/L") is None
    assert lab_range("4-10×10^9/L", "10^9/L") == Range(Decimal(4), Decimal(10))


def test_a_range_turns_into_our_unit_with_its_bounds_as_they_were_meant() -> None:
    told = told_range("<100")
    assert told is not None
    turned = told.turned(Decimal("0.01"), Decimal(0), 2)
    assert (written(turned), turned.normal) == ("<1", Range(high=Decimal(1).next_minus()))
    both = told_range("100-160")
    assert both is not None
    assert written(both.turned(Decimal("0.01"), Decimal(0), 2)) == "1–1.6"


async def test_a_range_with_its_unit_judges_a_value_of_which_we_have_none(unit: OpenUnit) -> None:
    scene = await visit(unit, "THYROID")
    await filed(unit, scene, "THYROID", "OBX|1|NM|TSH||99|mIU/L|0.27-4.2 mIU/L|N|||F")
    assert (await state_of(unit, scene))["TSH"] == ("99", "H", "final")


async def test_a_value_that_was_converted_is_judged_by_the_laboratorys_range_in_our_unit(unit: OpenUnit) -> None:
    scene, group = await visit(unit, "LIPID-FULL"), "LIPID-FULL"
    await filed(unit, scene, group, "OBX|1|NM|APOA1||140|mg/dL|100-160|N|||F")
    assert (await state_of(unit, scene))["APOA1"] == ("1.4", "", "final")
    async with unit() as uow:
        (kept,) = await repository.revisions_of_exam(uow, scene.exam_id)
    assert kept.range_snapshot is not None
    assert (kept.range_snapshot["low"], kept.range_snapshot["high"], kept.range_snapshot["text"]) == (
        "1",
        "1.6",
        "1–1.6",
    )


# --- the side on which a value lies ---


@pytest.mark.parametrize(
    ("value", "said", "flag", "kept"),
    [("0.6", "1.0~1.8", "HH", "LL"), ("0.6", "1.0~1.8", "H", "L"), ("2.4", "1.0~1.8", "LL", "HH"), ("2.4", "1.0~1.8", "HH", "HH"), ("1.2", "1.0~1.8", "HH", "HH")],
)  # fmt: skip
def test_the_side_on_which_a_value_lies_is_that_of_its_range(value: str, said: str, flag: str, kept: str) -> None:
    assert with_lab(None, lab_range(said), parse(value), lab_flag([flag])) == (kept, True)


@pytest.mark.requirement("E5.2")
async def test_a_critical_flag_of_the_other_side_stays_critical_and_is_asked_about(unit: OpenUnit) -> None:
    scene = await visit(unit, "COAG")
    await filed(unit, scene, "COAG", "OBX|1|NM|APTT||0.6|s|1.0~1.8|HH|||F")
    assert (await state_of(unit, scene))["APTT"] == ("0.6", "LL", "final")
    assert await alarms(unit, scene) == ["LAB-CRITICAL"]
    assert ("APTT", "implausible") in await asked(unit, scene)


# --- flags as they are dressed ---


@pytest.mark.parametrize(
    ("flag", "meant"),
    [("↑HH", "HH"), ("<HH>", "HH"), ("C-H", "HH"), ("⬆⬆", "HH"), ("⬇⬇", "LL"), ("C-L", "LL"), ("↓LL", "LL"), ("HH↑", "HH"), ("【LL】", "LL"), ("↑H!", "HH")],
)  # fmt: skip
def test_a_critical_flag_is_critical_however_it_is_dressed(flag: str, meant: str) -> None:
    assert lab_critical([flag])
    assert lab_flag([flag]) == meant
    assert not lab_unknown([flag])


@pytest.mark.parametrize(
    ("flag", "meant"), [("↑H", "H"), ("⬆", "H"), ("<L>", "L"), ("⬇", "L"), ("<", None), (">", None), ("↑L", None)]
)
def test_a_flag_that_is_not_critical_stays_what_it_is(flag: str, meant: str | None) -> None:
    assert not lab_critical([flag])
    assert lab_flag([flag]) == meant
    assert lab_unknown([flag]) == (meant is None)
