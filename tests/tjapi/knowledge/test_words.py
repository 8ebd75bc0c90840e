"""What a patient reads of a finding: the value and how it lies to its range; no notation of rules, nothing twice, Chinese punctuation."""

import re
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest

from tjapi.catalog.service.content import read_starter as read_catalog
from tjapi.conclusion.rules import made_by_machine, overview_of
from tjapi.knowledge.calm import is_unjudged_text, says_all_normal
from tjapi.knowledge.figures import Earlier, outdated_figures, stray_figures, unsaid_figures
from tjapi.knowledge.rules import Case, Known, evaluate
from tjapi.knowledge.service import read_starter
from tjapi.knowledge.words import all_judged_normal, chinese, finding_line, judgement_of, nothing_found, told, valued

pytestmark = pytest.mark.requirement("E3.4", "E3.3")
SYSTOLIC = ("收缩压", "SBP")
NOTATION = re.compile(r"[≥≤<>(),;:]|[（）]|finding:|[A-Z]{3,}-")


def number(name: str, value: str, flag: str | None, bounds: tuple[str | None, str | None] = (None, None), **more: Any) -> Known:  # fmt: skip
    return Known(name, name, value, Decimal(value), flag=flag, bounds=bounds, result_id=UUID(int=hash(name) % 2**64), **more)  # fmt: skip


def case(*known: Known, **more: Any) -> Case:
    return Case("male", 45, {k.item_code: k for k in known}, **more)


def said(condition: dict[str, Any], *known: Known, **more: Any) -> str:
    found = evaluate(condition, case(*known, **more))
    assert found.holds
    return told(found.clauses)


GLUCOSE = number("空腹血糖", "7.3", "H", ("3.9", "6.1"), unit="mmol/L")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (GLUCOSE, "空腹血糖 7.3 mmol/L，高于参考范围 3.9–6.1"),
        (number("血红蛋白", "105", "L", ("115", "150"), unit="g/L"), "血红蛋白 105 g/L，低于参考范围 115–150"),
        (number("尿酸", "455", "H", (None, "420"), unit="umol/L"), "尿酸 455 μmol/L，高于参考上限 420"),
        (number("血小板", "95", "L", ("125", None), unit="10*9/L"), "血小板 95 ×10⁹/L，低于参考下限 125"),
        (
            number("血钾", "6.5", "HH", ("3.5", "5.3"), unit="mmol/L"),
            "血钾 6.5 mmol/L，高于参考范围 3.5–5.3，属危急值",
        ),
        # What the laboratory's flag says and its range denies is no side of the range.
        (number("血钾", "5.1", "HH", ("3.5", "5.3"), unit="mmol/L"), "血钾 5.1 mmol/L，检验科提示偏高，属危急值"),
        (number("血钾", "3.0", "H", ("3.5", "5.3"), unit="mmol/L"), "血钾 3.0 mmol/L，检验科提示偏高"),
        (number("甘油三酯", "3", "H"), "甘油三酯 3，偏高"),
        (number("抗体", "3", "H", usual="0-2(IU)"), "抗体 3，高于参考范围 0-2(IU)"),
        (number("收缩压", "132", "", ("90", "139"), unit="mmHg"), "收缩压 132 mmHg"),
        (Known("UPRO", "尿蛋白", "2+", flag="A", usual="阴性"), "尿蛋白 2+，参考值为阴性"),
        (Known("ANUS", "肛门", "混合痔", flag="A"), "肛门 混合痔"),
    ],
)
def test_a_value_is_said_with_its_unit_and_its_side_of_the_range(known: Known, words: str) -> None:
    assert valued(known) == words


def test_each_value_is_said_once_whatever_number_of_rules_it_made_hold() -> None:
    twice = {"all": [{"value": {"item": "空腹血糖", "ge": "7.0"}}, {"flag": {"item": "空腹血糖", "in": ["H"]}}]}
    assert said(twice, GLUCOSE) == "空腹血糖 7.3 mmol/L，高于参考范围 3.9–6.1"
    assert evaluate(twice, case(GLUCOSE)).words == "空腹血糖 7.3 mmol/L,≥ 7.0;空腹血糖 7.3 mmol/L,偏高"


def test_what_was_before_and_how_often_it_was_measured_is_told() -> None:
    before = {"空腹血糖": [number("空腹血糖", "5.1", "", unit="mmol/L")]}
    change = said({"change": {"item": "空腹血糖", "by_ge": "2"}}, GLUCOSE, before=before)
    assert change == "空腹血糖 7.3 mmol/L，高于参考范围 3.9–6.1，上次为 5.1 mmol/L"
    again = said({"repeated": {"item": "空腹血糖", "ge": "7", "times": 2}}, GLUCOSE, repeats={"空腹血糖": [GLUCOSE]})
    assert again.endswith("，本次共 2 次如此")
    assert said({"first": {"item": "空腹血糖", "ge": "7"}}, GLUCOSE).endswith("，首次出现")


LIVER = Known(
    "US-LIVER", "肝脏超声", "肝脏大小形态正常,实质回声细密增强,后方衰减,提示脂肪肝;右叶见一无回声区,大小约 12×9 mm,考虑囊肿。门静脉不宽。",
    result_id=UUID(int=7),
)  # fmt: skip


def test_of_a_description_only_the_sentence_is_told_in_which_it_was_found() -> None:
    fat = said({"text": {"item": "US-LIVER", "contains": ["脂肪肝"]}}, LIVER)
    cyst = said({"text": {"item": "US-LIVER", "contains": ["囊肿"], "unless": ["未见囊肿"]}}, LIVER)
    assert fat == "肝脏超声：肝脏大小形态正常，实质回声细密增强，后方衰减，提示脂肪肝"
    assert cyst == "肝脏超声：右叶见一无回声区，大小约 12×9 mm，考虑囊肿"
    assert finding_line("脂肪肝", evaluate({"text": {"item": "US-LIVER", "contains": ["脂肪肝"]}}, case(LIVER)).clauses) == f"脂肪肝——{fat}", "no second colon"  # fmt: skip


def test_no_rule_that_ships_shows_a_patient_its_notation() -> None:
    content = read_starter()
    tried = 0
    for rule in content.rules:
        for example in rule.fires:
            values = {
                code: Known(code, "某项", value, Decimal(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else None)
                for code, value in example.values.items()
            }
            found = evaluate(rule.condition, Case(example.sex, example.age_years, values))
            words = told(found.clauses)
            assert not NOTATION.search(re.sub(r"某项[ ：][^；]*", "", words)), (rule.code, words)
            tried += bool(words)
    assert tried > 150


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("有便血者就诊;便血不要一概归于痔.", "有便血者就诊；便血不要一概归于痔。"), ("本次体检主要发现:\n1. 痔", "本次体检主要发现：\n1. 痔"),
        ("比值 1:320,阳性", "比值 1:320，阳性"), ("结节(TI-RADS 3 类)", "结节（TI-RADS 3 类）"), ("TCT(LBP) 1,234", "TCT(LBP) 1,234"),
        ("先改善,半年复查 (必要时就诊)", "先改善，半年复查（必要时就诊）"), ("2026-11-29 20:45", "2026-11-29 20:45"), ("", ""),
        ("血压 152/95 mmHg,偏高", "血压 152/95 mmHg，偏高"), ("18.5–23.9", "18.5–23.9"),
    ],
)  # fmt: skip
def test_punctuation_beside_chinese_characters_is_chinese(given: str, made: str) -> None:
    assert chinese(given) == made
    assert chinese(made) == made


CALM = (
    "未见异常", "未见明显异常。", "1. 所检项目未见异常", "本次体检所检项目未见明显异常。", "各项检查结果均正常", "体检未见异常,请保持", "内科:未见异常", "无异常",
    "全部正常", "一切正常", "基本正常", "大致正常", "未发现问题", "未见明显阳性体征", "暂未发现明显异常", "身体健康", "体检合格", "未見異常", "未見明顯異常", "檢查結果正常",
    "本次体检一切正常，请放心。", "各项指标均在正常范围内", "身体状况良好", "所检 5 项均正常", "查体未查见明显器质性病变", "一般检查：正常", "All normal", "Normal.",
    "No abnormalities detected", "Everything is normal", "All results within normal limits", "Nothing out of the ordinary was found.", "余未见异常", "其余项目正常",
)  # fmt: skip


@pytest.mark.parametrize("text", CALM)
def test_a_sentence_that_calls_everything_normal_is_recognized(text: str) -> None:
    assert says_all_normal(text, department=True)


@pytest.mark.parametrize(
    "text",
    [
        "心肺未见异常", "血压正常", "甲状腺未见明显异常", "空腹血糖在参考范围内。", "", "有异常结果，见各项结果", "1. 血压升高\n2. 余未见异常", "血压升高，其余项目正常",
        "血压正常高值", "已判定的项目未见明显异常，另有项目未判定", "请保持健康", "血压 165 mmHg，高于参考范围 90–139", "blood pressure normal",
    ],
)  # fmt: skip
def test_a_sentence_about_one_thing_or_about_the_rest_beside_what_is_named_is_none(text: str) -> None:
    assert not says_all_normal(text, department=True)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("血压正常", True), ("血压、心率正常", True), ("收缩压正常", True), ("血压：正常", True), ("血压均在正常范围", True), ("血压未见异常", True), ("血壓正常", True),
        ("血压偏高、心率正常", False), ("血压、血糖升高、心率正常", False), ("舒张压正常", False), ("血压正常高值", False), ("肝功能正常", False),
    ],
)  # fmt: skip
def test_nothing_calls_a_flagged_item_normal_by_its_own_name_or_by_its_common_one(text: str, calls: bool) -> None:
    assert says_all_normal(text, flagged=[SYSTOLIC]) == calls


def test_reading_a_sentence_is_quick_whatever_is_written() -> None:
    for text in ("各项" * 30, "检查结果" * 15, "无异常发现" * 12, "血压、" * 20 + "x", "和" * 60, "normal " * 9, "no any of " * 6, "各" * 60, "未见" * 30_000):  # fmt: skip
        says_all_normal(text, department=True, flagged=[SYSTOLIC, ("和", "AND")])


NORMAL, HIGH = number("钠", "140", "", ("137", "147")), number("钾", "5.9", "H", ("3.5", "5.3"))
OPEN = Known("X", "某项", "0.01", undetermined=True)
DESCRIBED = Known("CXR", "胸片", "右肺下叶见团块影，考虑恶性可能", described=True)
HEIGHT = number("身高", "170", None)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([NORMAL], "本次体检所检项目未见明显异常。"), ([NORMAL, HEIGHT], "本次体检所检项目未见明显异常。"), ([NORMAL, DESCRIBED], "本次体检所见详见各项描述。"),
        ([NORMAL, HIGH], "本次体检有异常结果，见各项结果。"), ([OPEN], "本次体检各项结果未判定。"), ([NORMAL, HIGH, DESCRIBED], "本次体检有异常结果，见各项结果。"),
        ([NORMAL, OPEN], "本次体检已判定的项目未见明显异常，另有项目未判定。"), ([DESCRIBED], "本次体检所见详见各项描述。"),
        ([NORMAL, OPEN, DESCRIBED], "本次体检有项目未判定，所见详见各项描述。"), ([HEIGHT], "本次体检所见详见各项描述。"), ([], "本次体检未检查任何项目。"),
    ],
)  # fmt: skip
def test_normal_is_said_only_where_everything_is_judged_and_normal(values: list[Known], words: str) -> None:
    assert overview_of([], values) == words
    assert made_by_machine(words, [])
    assert says_all_normal(words) == all_judged_normal([judgement_of(k) for k in values])
    assert nothing_found(values) in words


@pytest.mark.parametrize(
    ("text", "unjudged"),
    [
        ("右肺下叶见团块影，考虑恶性可能", True), ("双肺呼吸音粗，可闻及湿啰音", True), ("双肺野清晰，心影不大", True), ("未见异常。右肺结节", True), ("未见明显异常", False),
        ("正常。未见异常", False), ("", False), ("长" * 300, True),
    ],
)  # fmt: skip
def test_a_description_is_unjudged_unless_it_says_nothing_but_normal(text: str, unjudged: bool) -> None:
    assert is_unjudged_text("text", None, text) == unjudged
    assert not is_unjudged_text("text", "", text)
    assert not is_unjudged_text("numeric", None, text)


def test_of_several_chosen_only_those_are_told_that_make_the_finding() -> None:
    nose = Known("NOSE", "鼻腔", "鼻炎;鼻中隔偏曲", flag="A", chosen=("鼻炎", "鼻中隔偏曲"), usual="未见异常")
    assert said({"is": {"item": "NOSE", "in": ["鼻炎"]}}, nose) == "鼻腔：鼻炎"
    assert said({"is": {"item": "NOSE", "in": ["鼻中隔偏曲", "息肉"]}}, nose) == "鼻腔：鼻中隔偏曲"


@pytest.mark.parametrize(
    ("usual", "words"), [("无", "疝 有"), ("正常", "疝 有"), ("从不", "疝 有"), ("阴性", "疝 有，参考值为阴性"), ("0-3/HP", "疝 有，参考值为0-3/HP")]
)  # fmt: skip
def test_what_everybody_knows_to_be_usual_is_not_told(usual: str, words: str) -> None:
    assert valued(Known("HERNIA", "疝", "有", flag="A", usual=usual)) == words


@pytest.mark.parametrize(
    ("text", "outdated"),
    [
        ("空腹血糖 7.3，嘱复查", {"7.3"}), ("空腹血糖 7.30", {"7.3"}), ("血糖由 7.3 降至 4.1", set()), ("空腹血糖 4.1", set()), ("3 个月后复查", set()), ("17.35", set()),
    ],
)  # fmt: skip
def test_a_figure_that_its_result_says_no_more_is_known_unless_it_tells_of_a_change(
    text: str, outdated: set[str]
) -> None:
    now = number("空腹血糖", "4.1", "", ("3.9", "6.1"))
    assert outdated_figures(text, [number("空腹血糖", "7.3", "H", ("3.9", "6.1"))], {now.result_id: now}) == outdated
    assert outdated_figures("空腹血糖 7.3", [GLUCOSE], {}) == {"7.3"}, "also of a result that is gone"
    assert not outdated_figures("空腹血糖 7.3", [GLUCOSE], {GLUCOSE.result_id: GLUCOSE})


@pytest.mark.parametrize(
    "text",
    [
        "总胆固醇７．８ mmol/L", "总胆固醇7。8", "总胆固醇 7·8", "总胆固醇7点8", "总胆固醇七点八", "总胆固醇 7 . 8", "总胆固醇7. 8 mmol/L", "總膽固醇七點八", "总胆固醇七点8", "总胆固醇7点八", "TC 7.80",
        "1. 总胆固醇7。8，嘱复查", "总胆固醇７.８",
    ],
)  # fmt: skip
def test_an_old_figure_is_read_in_whatever_digits_and_with_whatever_point_it_is_written(text: str) -> None:
    was = replace(number("总胆固醇", "7.8", "H", (None, "5.2")), item_code="TC")
    now = replace(was, text="4.1", numeric=Decimal("4.1"), flag="")
    assert outdated_figures(text, [was], {now.result_id: now}) == {"7.8"}
    assert stray_figures(text, [was], {now.result_id: now}) == {"7.8"}
    assert not outdated_figures(text, [was], {was.result_id: was})


@pytest.mark.parametrize(
    ("spelt", "figure"),
    [("一百七十五", "175"), ("一百七", "170"), ("一百零五", "105"), ("两百", "200"), ("二百一十", "210"), ("一百一十点五", "110.5"), ("十二点三", "12.3"), ("二十点零五", "20.05"), ("零点七", "0.7")],
)  # fmt: skip
def test_a_figure_in_words_is_one(spelt: str, figure: str) -> None:
    was = number("收缩压", figure, "H")
    now = replace(was, text="118", numeric=Decimal(118))
    assert outdated_figures(f"收缩压{spelt}", [was], {now.result_id: now}) == {figure}


def test_a_full_stop_before_a_count_or_the_number_of_a_line_is_no_point() -> None:
    was = number("收缩压", "150.2", "H")
    now = replace(was, text="150", numeric=Decimal(150))
    for text in (
        "收缩压 150。2 项异常",
        "收缩压 150。2. 血糖",
        "收缩压 150。2、血糖",
        "收缩压 150。3 个月后复查",
        "收缩压150\n2项",
    ):
        assert not outdated_figures(text, [was], {now.result_id: now}), text


PRESSURE, OF_HEIGHT = number("收缩压", "170", "H", ("90", "139")), number("身高", "170", None)
SUGAR = number("葡萄糖", "7.3", "H", ("3.9", "6.1"))
BEFORE = (
    PRESSURE, SUGAR, number("舒张压", "95", "H", ("60", "89")), number("血红蛋白", "105", "L", ("115", "150")), number("体重", "140", None),
)  # fmt: skip
NOW = (
    number("收缩压", "118", "", ("90", "139")), number("舒张压", "76", "", ("60", "89")), OF_HEIGHT, number("葡萄糖", "4.1", "", ("3.9", "6.1")),
    number("白细胞计数", "7.3", "", ("3.5", "9.5")), number("血红蛋白", "140", "", ("115", "150")), number("脉搏", "118", "H", ("60", "100")),
    number("蛋白", "105", ""), number("糖类抗原125", "7", "", (None, "35")), number("体重", "65", None), number("尿酸碱度", "7.3", ""), number("尿酸", "300", "", ("140", "420")),
    Known("US", "甲状腺超声", "右叶见结节，大小约 7.3×4 mm", described=True),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "outdated"),
    [
        # Of its own item, whatever another one says.
        ("收缩压 170 mmHg，血压升高", {"170"}), ("血压 170 mmHg", {"170"}), ("BP 170/80", {"170"}), ("身高 170 cm", set()), ("身高 170，收缩压 118", set()),
        ("身高 170 cm，收缩压 170 mmHg", {"170"}), ("收缩压偏高。身高 170", set()), ("空腹血糖 7.3", {"7.3"}), ("葡萄糖：7.30 mmol/L", {"7.3"}), ("白细胞 7.3", set()),
        ("白细胞 7.3，葡萄糖 7.3", {"7.3"}), ("血红蛋白 105", {"105"}), ("蛋白 105", set()), ("尿酸 7.3", {"7.3"}), ("尿酸碱度 7.3", set()), ("体重 140 kg", {"140"}), ("血紅蛋白 105", {"105"}),
        # Where no name stands before it, whoever says it.
        ("170 mmHg", set()), ("收缩压偏高；170", set()), ("收缩压\n170", set()), ("7.3 的葡萄糖", set()), ("95 mmHg", {"95"}),
        # A description says its figures as well.
        ("甲状腺超声：结节 7.3×4 mm", set()), ("甲状腺右叶结节 7.3 mm", set()),
        # A bound is one of its own item, and written as one.
        ("尿酸 300，参考范围 140–420", set()), ("尿酸低于参考下限 140", set()), ("尿酸 ≥ 140", set()), ("尿酸 140-420", set()), ("尿酸 140", {"140"}), ("葡萄糖 140–420", {"140"}),
        # Of a change tells the new one of the same result beside the old one.
        ("收缩压由 170 降至 118", set()), ("收缩压/舒张压由 170/95 降至 118/76", set()), ("血压 170/95，复测 118/76", set()), ("收缩压 170，脉搏 118 次/分", {"170"}),
        # What is part of a name, or the number of a line, is no figure.
        ("1. 糖类抗原125 7\n2. 身高 170", set()),
    ],
)  # fmt: skip
def test_a_figure_is_told_of_the_item_whose_name_stands_last_before_it(text: str, outdated: set[str]) -> None:
    assert outdated_figures(text, BEFORE, {known.result_id: known for known in NOW}) == outdated


def test_a_figure_that_counts_time_is_nobodys_value() -> None:
    was, now = number("促甲状腺激素", "3", "H"), number("促甲状腺激素", "5.1", "H")
    for said in ("促甲状腺激素偏高，3 个月后复查", "促甲状腺激素偏高，3周后复查", "促甲状腺激素偏高已 3 年"):
        assert not outdated_figures(said, [was], {now.result_id: now}), said
    assert outdated_figures("促甲状腺激素 3，3 个月后复查", [was], {now.result_id: now}) == {"3"}


def test_a_figure_is_compared_with_every_result_of_its_name() -> None:
    again = replace(PRESSURE, result_id=UUID(int=99))
    now = {known.result_id: known for known in (*NOW, again)}
    assert not outdated_figures("收缩压 170", BEFORE, now)
    rested = replace(again, item_name="收缩压(休息后复测)")
    assert not outdated_figures("收缩压 170", BEFORE, {**now, again.result_id: rested})
    assert not outdated_figures("收缩压（休息后复测）170", BEFORE, {**now, again.result_id: rested})


STANDS = {
    known.result_id: known
    for known in (
        replace(number("收缩压", "150", "H", ("90", "139"), unit="mmHg"), item_code="SBP"), replace(number("舒张压", "95", "H", ("60", "89")), item_code="DBP"),
        replace(number("总胆固醇", "9.46", "H", (None, "5.2")), item_code="TC"), replace(number("钾", "4.1", ""), item_code="K"),
        number("糖类抗原125", "7", ""), number("白细胞计数", "6.2", ""), replace(Known("UPRO", "尿蛋白", "2+", flag="A"), result_id=UUID(int=71)),
        replace(Known("US", "肝脏超声", "右叶囊肿", described=True), result_id=UUID(int=72)),
    )
}  # fmt: skip
EARLIER = Earlier([*STANDS.values(), number("收缩压", "170", "H")], [number("总胆固醇", "5.9", "H")])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("收缩压 119，舒张压 79", {"119", "79"}), ("血压升高：收缩压 118 mmHg", {"118"}), ("总胆固醇 5.0 mmol/L", {"5.0"}), ("TC 5.0", {"5.0"}), ("总胆固醇：5", {"5"}), ("总胆固醇为5.0", {"5.0"}),
        ("总胆固醇值约5.0", {"5.0"}), ("收缩压119", {"119"}), ("收缩压１１９", {"119"}), ("血压 120/80 mmHg", {"120", "80"}), ("血压 150/80", {"80"}), ("收缩压/舒张压 120/95", {"120"}), ("血钾 5.9", {"5.9"}),
        ("总胆固醇五点零", {"5.0"}), ("總膽固醇 5.0", {"5.0"}), ("白细胞 7.3", {"7.3"}), ("收缩压 139", {"139"}), ("1. 收缩压 119", {"119"}), ("钾 5.9", {"5.9"}), ("收缩压 150，总胆固醇 5.0", {"5.0"}),
        ("糖类抗原125 9", {"9"}), ("总胆固醇 9.4", {"9.4"}),
        # Its value, or a rounding of it.
        ("收缩压 150 mmHg", set()), ("收缩压 150，舒张压 95", set()), ("收缩压/舒张压 150/95", set()), ("血压 150/95", set()), ("总胆固醇 9.46", set()), ("总胆固醇 9.5", set()), ("总胆固醇约 9", set()), ("糖类抗原125 7", set()),
        # What was said once is judged as an old figure; of an earlier exam, or of another day, it may be told.
        ("收缩压 170 降至 150", set()), ("总胆固醇 5.9", set()), ("上次收缩压 128，本次 150", set()), ("自测收缩压 125", set()), ("收缩压由 168 降至 150", set()),
        # Bounds, advice, ranges, times, grades and counts.
        ("收缩压 140 以上", set()), ("收缩压 90–139", set()), ("收缩压 120mmHg以下", set()), ("建议收缩压 130", set()), ("收缩压控制在 130", set()), ("收缩压 < 130", set()), ("收缩压参考上限 139", set()), ("总胆固醇 5.2（上限）", set()),
        ("高血压 3 级", set()), ("高血压2级", set()), ("血压 3 个月后复查", set()), ("总胆固醇 3 项", set()), ("血压 2 次测量", set()), ("血脂 3 个月复查", set()), ("非高密度脂蛋白胆固醇 3.2", set()),
        # Of what is no number, and of what is not beside it, nothing is said.
        ("尿蛋白 3+", set()), ("肝脏 2 个囊肿", set()), ("尿白细胞 7.3", set()), ("收缩压偏高。119", set()), ("血清甘油三酯 3.3", set()), ("补钾 2 g", set()),
    ],
)  # fmt: skip
def test_a_figure_beside_an_items_name_is_its_value(text: str, wrong: set[str]) -> None:
    assert unsaid_figures(text, EARLIER, STANDS) == wrong


def test_nothing_that_the_knowledge_base_advises_is_a_figure_that_nobody_said() -> None:
    items = read_catalog().items
    now: dict[UUID | None, Known] = {
        UUID(int=i): Known(item.code, item.name, "0.0317", Decimal("0.0317"), result_id=UUID(int=i))
        for i, item in enumerate(items)
    }
    said = [
        words
        for finding in read_starter().findings
        for words in (finding.name, finding.advice, finding.lifestyle)
        if words
    ]
    assert [words for words in said if unsaid_figures(words, Earlier(list(now.values())), now)] == []


@pytest.mark.requirement("I2")
@pytest.mark.parametrize(
    "unit",
    [
        "收缩压 170，",
        "170 ",
        "血",
        "1.",
        "170",
        "甲状腺",
        "收缩压170-",
        "。",
        "、",
        "参考 ",
        "一",
        "一点",
        "一百",
        "7 . ",
    ],
    ids=range(14),
)
def test_looking_for_old_figures_costs_in_proportion_to_the_text(unit: str) -> None:
    names = [name for i in range(40) for name in (f"收缩{i}", f"血红蛋白{i}", f"甲状腺{i}", f"{i}项", f"血{i}")]
    was = [number(name, "170", "H", ("90", "139")) for name in [*names, "收缩压"]]
    now = {w.result_id: replace(w, text="118", numeric=Decimal(118)) for w in was}

    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        began = time.process_time()
        outdated_figures(text, was, now)
        stray_figures(text, was, now)
        unsaid_figures(text, Earlier(was), now)
        return time.process_time() - began

    seconds(100)
    assert seconds(20_000) < 8 * max(seconds(5_000), 0.02)


def test_no_words_that_ship_call_everything_normal_whatever_is_flagged() -> None:
    content = read_starter()
    names = [(item.name, item.code) for item in read_catalog().items]
    said = [words for finding in content.findings for words in (finding.advice, finding.lifestyle) if words]
    assert len(said) > 200
    assert not [finding.name for finding in content.findings if says_all_normal(finding.name)]
    assert [words for words in said if says_all_normal(words, flagged=names)] == []
    assert not says_all_normal("保持正常作息", flagged=names)


MISSED = (
    "指标都挺好", "各项指标都挺好的", "没啥问题", "没什么大问题", "没有大碍", "无大碍", "并无大碍", "全阴", "各项均阴", "No acute findings", "No acute abnormality seen", "符合入职要求",
    "符合公务员录用体检标准", "各项指标已恢复正常", "均已恢复正常",
)  # fmt: skip


@pytest.mark.parametrize("text", MISSED)
def test_what_people_say_in_their_own_words_of_everything_is_recognized(text: str) -> None:
    assert says_all_normal(text)
    assert says_all_normal(f"血压升高。{text}。")


@pytest.mark.parametrize(
    "text",
    [
        "血压控制可", "血压控制尚可", "血压控制良好", "血压控制得很好", "血压控制平稳", "血压控制达标", "血压已恢复正常", "血压现已恢复至正常水平", "收缩压降至正常", "收缩压已降到正常范围", "BP正常",
        "BP 控制可", "bp：正常", "收缩压：已恢复正常",
    ],
)  # fmt: skip
def test_that_a_flagged_item_is_controlled_or_normal_again_calls_it_normal(text: str) -> None:
    assert says_all_normal(text, flagged=[SYSTOLIC])
    assert not says_all_normal(text, flagged=[("血红蛋白", "HGB")])
    assert not says_all_normal(text)


@pytest.mark.parametrize(
    "text",
    [
        "主检结论：未见异常", "综合评估：良好", "各项指标都在正常值以内", "0 项异常", "0项异常", "异常项目：0", "共0项异常", "无异常项", "未见需要干预的异常", "未见确切异常", "未显示异常",
        "各项均处于正常水平", "总体理想", "各项亦正常", "Congratulations, you are perfectly healthy", "You are in good health", "没有发现任何疾病",
        "本次各项检查结果提示您身体状况良好，未发现需要处理的问题", "一切ok，恭喜", "主檢結論：未見異常", "未见需要处理的异常发现", "异常：无",
    ],
)  # fmt: skip
def test_what_everything_is_called_in_other_words_is_recognized_too(text: str) -> None:
    assert says_all_normal(text)
    assert says_all_normal(f"血压升高。{text}。")


FLAGGED = [
    ("心电图诊断", "ECG"), ("总胆固醇", "TC"), ("甘油三酯", "TG"), ("血小板计数", "PLT"), ("白细胞计数", "WBC"), ("甲状腺超声", "US-THYROID"), ("骨密度诊断", "BMD"),
    ("收缩压", "SBP"), ("乙肝表面抗原", "HBSAG"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "心电图正常", "心电图未见异常", "TC正常", "tc 正常", "TC normal", "TC is within normal limits", "TC、TG在正常范围", "TC/TG正常", "TG，TC均正常", "胆固醇(-)", "胆固醇（－）", "胆固醇(阴)",
        "血小板正常", "白细胞正常", "白细胞计数正常", "WBC(-)", "甲状腺未见异常", "甲狀腺未見異常", "骨密度正常", "血脂在理想水平", "血脂无升高", "血脂未见明显升高", "胆固醇不高",
        "胆固醇均值正常。甘油三酯亦正常", "血脂处于正常水平", "血压理想", "血压无升高", "血压没有问题", "血压(收缩压)正常", "乙肝表面抗原(-)", "ECG正常", "心电图结果：未见异常",
        "尿白细胞正常，白细胞正常", "血脂满意", "本次胆固醇不高",
    ],
)  # fmt: skip
def test_a_flagged_item_is_called_normal_by_any_of_its_names_and_in_other_words(text: str) -> None:
    assert says_all_normal(text, flagged=FLAGGED)
    assert not says_all_normal(text), "of nothing flagged it may be said"


@pytest.mark.parametrize(
    "text",
    [
        "心肺未见异常", "肝胆胰脾未见异常", "尿白细胞正常", "低血压未见", "胆固醇偏高", "血脂未达理想水平", "血脂高于理想水平", "血压、体重不正常", "血小板未恢复正常", "胆固醇并非正常",
        "甲状腺右叶见结节，余未见异常", "甲状腺触诊未见异常", "HBsAb(-)", "hs-TC正常值", "ATC正常", "血压波动，肾功能正常", "胆固醇应控制在理想水平", "乙肝表面抗体阴性", "平均血小板体积正常",
        "心电图示T波改变，请结合临床", "胆固醇 7.8 mmol/L，参考范围 < 5.2", "非高密度脂蛋白胆固醇正常", "3 项异常", "有异常项", "需要处理的异常：血脂", "白细胞酯酶正常", "恭喜", "You should see a doctor",
    ],
)  # fmt: skip
def test_what_is_said_of_another_item_or_denied_calls_no_flag_normal(text: str) -> None:
    assert not says_all_normal(text, flagged=FLAGGED)


@pytest.mark.parametrize(
    "text",
    [
        "血压控制不佳", "血压控制欠佳", "血压未恢复正常", "血压升高，控制可", "高血压病史，现服药", "请控制血压", "血压应控制在正常范围", "血压建议降至正常范围", "保持正常作息", "已恢复", "会阴", "外阴炎",
        "不符合入职要求", "没有复查", "问题不大", "请控制好血压", "阴",
    ],
)  # fmt: skip
def test_what_is_advised_or_denied_calls_nothing_normal(text: str) -> None:
    assert not says_all_normal(text, flagged=[SYSTOLIC])


FLAGS_OF_FOUR = [("收缩压", "SBP"), ("丙氨酸氨基转移酶", "ALT"), ("尿葡萄糖", "UGLU"), ("糖化血红蛋白", "HBA1C")]


@pytest.mark.parametrize(
    "text",
    [
        "建议将血压控制在正常范围。", "控制血压、血脂在正常范围", "直至血压恢复正常", "若血压正常，每年复查", "平素血压正常，今日偏高", "去年血压正常，今年升高", "肌酐82μmol/L，尿素5.6mmol/L，正常。",
        "肾功能：尿素5.6，肌酐82，均在正常范围内", "PSA 1.12，正常", "双膈面光滑，未见异常", "谷丙转氨酶升高，谷草转氨酶正常", "糖化血红蛋白偏高，空腹血糖正常",
    ],
)  # fmt: skip
def test_what_is_normal_or_is_to_be_beside_a_flag_may_be_said(text: str) -> None:
    assert not says_all_normal(text, flagged=FLAGS_OF_FOUR)


@pytest.mark.parametrize(
    "text",
    ["血压152/96，正常", "血压正常", "体检结果，未见异常", "各项检查，均正常", "本次体检，一切正常", "收缩压152，属正常，血压正常", "尿葡萄糖阴性", "尿检正常"],
)  # fmt: skip
def test_what_calls_a_flag_or_everything_normal_is_still_seen(text: str) -> None:
    assert says_all_normal(text, flagged=FLAGS_OF_FOUR)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("心率130次/分", {"130"}), ("心率72次/分", set()), ("心率74次/分", set()), ("脉搏130次/分", {"130"}), ("运动后心率130次/分", set()), ("ALT30U/L", {"30"}), ("ALT62U/L", set()), ("CA125 62", set())],
)  # fmt: skip
def test_a_pulse_and_a_figure_at_a_code_are_values(text: str, wrong: set[str]) -> None:
    said = [("心率", "HEART-RATE", "72"), ("心电图心率", "ECG-HR", "74"), ("丙氨酸氨基转移酶", "ALT", "62")]
    now: dict[UUID | None, Known] = {
        uuid5(UUID(int=0), code): Known(code, name, n, Decimal(n), result_id=uuid5(UUID(int=0), code))
        for name, code, n in said
    }
    assert unsaid_figures(text, Earlier(list(now.values())), now) == wrong


FOUND_IN_MANY = [
    ("收缩压", "SBP"), ("舒张压", "DBP"), ("丙氨酸氨基转移酶", "ALT"), ("尿酸", "UA"), ("葡萄糖", "GLU"), ("总胆固醇", "TC"), ("甘油三酯", "TG"), ("低密度脂蛋白胆固醇", "LDL"),
    ("非高密度脂蛋白胆固醇", "NONHDL"), ("糖化血红蛋白", "HBA1C"), ("尿隐血", "UBLD"), ("体质指数", "BMI"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "血压152/96（正常）", "血压152/96平稳", "血压平稳", "血压尚可", "血压可", "血压稳定", "血压（正常）", "血压心率均正常", "生命体征平稳", "生命体征正常", "血压152/96mmHg属正常", "血压152/96mmHg，正常",
        "血压152/96mmHg(未见异常)", "血糖6.8mmol/L正常", "血糖6.8mmol/L（正常）", "空腹血糖：6.8mmol/L，在正常范围", "总胆固醇5.86（正常），甘油三酯2.41（正常）", "ALT62（正常）", "ALT 62U/L，正常", "尿酸468μmol/L（正常范围）",
        "尿酸468，肌酐82，均正常", "尿酸468μmol/L、肌酐82μmol/L均正常", "隐血阴性", "隐血(-)", "体重适中", "体型匀称", "肝、肾功能正常", "谷丙正常", "肝酶正常", "低密度脂蛋白3.92（正常）", "血压:152/96 平稳", "BP152/96，正常",
        "血脂四项正常", "血脂全套正常", "尿酸468（正常），血压152/96升高",
    ],
)  # fmt: skip
def test_a_flagged_value_is_called_normal_in_brackets_and_after_its_figure(text: str) -> None:
    assert says_all_normal(text, flagged=FOUND_IN_MANY)


@pytest.mark.parametrize(
    "text",
    [
        "血压152/96偏高，心率78（正常）", "血脂：总胆固醇5.86升高，高密度脂蛋白正常", "总胆固醇升高，高密度脂蛋白1.12，正常", "谷丙转氨酶62升高，谷草转氨酶38，正常", "尿常规：蛋白正常，隐血1+", "高密度脂蛋白1.12mmol/L，在正常范围。",
        "无不适", "无明显不适", "无特殊不适，规律服药", "目前无不适", "身体无不适", "非高密度脂蛋白胆固醇4.74升高，高密度脂蛋白胆固醇1.12正常", "高密度脂蛋白胆固醇正常", "HDL-C正常", "血钾4.1mmol/L（正常）", "心率78次/分（正常）",
        "尿蛋白（-），尿隐血1+", "肌酐82μmol/L（正常），尿酸468μmol/L升高", "血压152/96mmHg（偏高），心率平稳", "血红蛋白正常", "尿糖阴性，血糖6.8偏高", "肌酐正常", "保持血压平稳", "甲状腺功能正常", "建议血压平稳后复查", "睡眠可，二便正常",
        "病情平稳", "心律齐，心率78次/分，正常", "体温36.5℃，血压升高，呼吸平稳",
    ],
)  # fmt: skip
def test_what_is_normal_beside_many_flags_may_be_said(text: str) -> None:
    assert not says_all_normal(text, flagged=FOUND_IN_MANY)


def _now(*said: tuple[str, str, str]) -> dict[UUID | None, Known]:
    return {
        uuid5(UUID(int=0), code): Known(code, name, n, Decimal(n), result_id=uuid5(UUID(int=0), code))
        for name, code, n in said
    }


SIGNED = _now(
    ("肌酐", "CREA", "82"), ("血红蛋白", "HGB", "148"), ("糖化血红蛋白", "HBA1C", "6.3"), ("钾", "K", "4.1"), ("葡萄糖", "GLU", "6.8"), ("总胆固醇", "TC", "5.86"), ("低密度脂蛋白胆固醇", "LDL", "3.92"),
    ("收缩压", "SBP", "152"), ("舒张压", "DBP", "96"), ("高密度脂蛋白胆固醇", "HDL", "1.12"), ("非高密度脂蛋白胆固醇", "NONHDL", "4.74"), ("呼吸频率", "RESP", "16"), ("体温", "TEMP", "36.5"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("总胆固醇4.2mmol/L↑", {"4.2"}), ("血糖↑5.2", {"5.2"}), ("空腹血糖↑5.2mmol/L", {"5.2"}), ("血糖5.2(H)", {"5.2"}), ("Cr 120", {"120"}), ("Cr120", {"120"}), ("Hb98", {"98"}), ("HGB98g/L", {"98"}), ("K 6.8", {"6.8"}),
        ("K6.8", {"6.8"}), ("K+6.8", {"6.8"}), ("K：6.8mmol/L", {"6.8"}), ("TC4.2", {"4.2"}), ("LDL-C 2.1", {"2.1"}), ("LDL2.1", {"2.1"}), ("高压118，低压76", {"118", "76"}), ("BP118/76", {"118", "76"}),
        ("总胆固醇↑5.86", set()), ("总胆固醇 ↑ 5.86 mmol/L", set()), ("总胆固醇5.86(H)", set()), ("Cr 82", set()), ("Hb148", set()), ("K4.1", set()), ("K+ 4.1mmol/L", set()), ("高压152，低压96", set()),
        ("血红蛋白148g/L，糖化血红蛋白6.3%", set()), ("尿肌酐120", set()), ("尿糖2", set()), ("非高密度脂蛋白4.74，高密度脂蛋白1.12", set()), ("维生素K 5mg", set()), ("K1 44.0", set()), ("HDL胆固醇1.12", set()),
        ("呼吸16次/分，体温36.5℃", set()), ("首次血压160/98，复测152/96", set()), ("首次血压160/98复测152/96", set()), ("血压目标<140/90", set()), ("建议将LDL-C控制在2.6以下", set()), ("指尖血糖7.2mmol/L", set()),
        ("糖化血红蛋白6.5为诊断切点", set()), ("糖化血红蛋白5.7%~6.4%为糖尿病前期", set()), ("肌酐升高10%", set()), ("血糖7.2（2022）、6.8（2026）", set()), ("血压152/96（↑）", set()),
    ],
)  # fmt: skip
def test_a_figure_beside_a_laboratorys_sign_or_a_short_code_is_that_items(text: str, wrong: set[str]) -> None:
    assert unsaid_figures(text, Earlier(list(SIGNED.values())), SIGNED) == wrong


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("血压目标<140/90", False), ("建议将LDL-C控制在2.6以下", False), ("血压<140/90mmHg为目标", False), ("若均≥140/90mmHg可诊断高血压", False), ("去年收缩压140", False), ("理想血压为140/90mmHg以下", False),
        ("收缩压140", True), ("血压140/90mmHg", True), ("LDL-C 2.6", True), ("诊断：高血压，收缩压140", True), ("血压控制欠佳，140/90mmHg", True),
    ],
)  # fmt: skip
def test_a_goal_and_another_years_figure_are_no_old_value(text: str, old: bool) -> None:
    was = _now(("收缩压", "SBP", "140"), ("舒张压", "DBP", "90"), ("低密度脂蛋白胆固醇", "LDL", "2.6"))
    assert bool(outdated_figures(text, was.values(), SIGNED)) == old
