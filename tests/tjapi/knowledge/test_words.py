"""What a patient reads of a finding: the value and how it lies to its range; no notation of rules, nothing twice, Chinese punctuation."""

import re
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tjapi.catalog.service.content import read_starter as read_catalog
from tjapi.conclusion.rules import made_by_machine, overview_of
from tjapi.knowledge.calm import is_unjudged_text, says_all_normal
from tjapi.knowledge.figures import outdated_figures, stray_figures
from tjapi.knowledge.rules import Case, Known, evaluate
from tjapi.knowledge.service import read_starter
from tjapi.knowledge.words import all_judged_normal, chinese, finding_line, judgement_of, nothing_found, told, valued

pytestmark = pytest.mark.requirement("E3.4", "E3.3")
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
    assert finding_line("脂肪肝", evaluate({"text": {"item": "US-LIVER", "contains": ["脂肪肝"]}}, case(LIVER)).clauses) == f"脂肪肝：{fat}"  # fmt: skip


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
    assert says_all_normal(text, flagged=["收缩压"]) == calls


def test_reading_a_sentence_is_quick_whatever_is_written() -> None:
    for text in ("各项" * 30, "检查结果" * 15, "无异常发现" * 12, "血压、" * 20 + "x", "和" * 60, "normal " * 9, "no any of " * 6, "各" * 60, "未见" * 30_000):  # fmt: skip
        says_all_normal(text, department=True, flagged=["收缩压", "和"])


NORMAL, HIGH = number("钠", "140", "", ("137", "147")), number("钾", "5.9", "H", ("3.5", "5.3"))
OPEN = Known("X", "某项", "0.01", undetermined=True)
DESCRIBED = Known("CXR", "胸片", "右肺下叶见团块影，考虑恶性可能", described=True)
HEIGHT = number("身高", "170", None)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([NORMAL], "本次体检所检项目未见明显异常。"), ([NORMAL, HEIGHT], "本次体检所检项目未见明显异常。"), ([NORMAL, DESCRIBED], "本次体检所见见各项描述。"),
        ([NORMAL, HIGH], "本次体检有异常结果，见各项结果。"), ([OPEN], "本次体检各项结果未判定。"), ([NORMAL, HIGH, DESCRIBED], "本次体检有异常结果，见各项结果。"),
        ([NORMAL, OPEN], "本次体检已判定的项目未见明显异常，另有项目未判定。"), ([DESCRIBED], "本次体检所见见各项描述。"),
        ([NORMAL, OPEN, DESCRIBED], "本次体检有项目未判定，所见见各项描述。"), ([HEIGHT], "本次体检所见见各项描述。"), ([], "本次体检未检查任何项目。"),
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


@pytest.mark.requirement("I2")
@pytest.mark.parametrize(
    "unit", ["收缩压 170，", "170 ", "血", "1.", "170", "甲状腺", "收缩压170-", "。", "、", "参考 "], ids=range(10)
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
        return time.process_time() - began

    seconds(100)
    assert seconds(20_000) < 8 * max(seconds(5_000), 0.02)


def test_no_words_that_ship_call_everything_normal_whatever_is_flagged() -> None:
    content = read_starter()
    names = [item.name for item in read_catalog().items]
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
    assert says_all_normal(text, flagged=["收缩压"])
    assert not says_all_normal(text, flagged=["血红蛋白"])
    assert not says_all_normal(text)


@pytest.mark.parametrize(
    "text",
    [
        "血压控制不佳", "血压控制欠佳", "血压未恢复正常", "血压升高，控制可", "高血压病史，现服药", "请控制血压", "血压应控制在正常范围", "血压建议降至正常范围", "保持正常作息", "已恢复", "会阴", "外阴炎",
        "不符合入职要求", "没有复查", "问题不大", "请控制好血压", "阴",
    ],
)  # fmt: skip
def test_what_is_advised_or_denied_calls_nothing_normal(text: str) -> None:
    assert not says_all_normal(text, flagged=["收缩压"])
