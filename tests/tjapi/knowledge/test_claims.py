"""What a text claims of results in words: coded values that were, findings that are none any more, sides of a range, and what is critical."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest

from tjapi.knowledge.claims import false_claims, gone_names, outdated_words, rewritten
from tjapi.knowledge.rules import Known

pytestmark = pytest.mark.requirement("E3.4", "E4.3")


def known(name: str, text: str, flag: str | None = "", **more: Any) -> Known:
    number = Decimal(text) if text.replace(".", "").isdigit() else None
    return Known(name, name, text, number, flag=flag, result_id=uuid5(UUID(int=0), name), **more)


def outdated(text: str, was: Known, now: Known | None, *others: Known) -> bool:
    current = {one.result_id: one for one in ((now,) if now is not None else ()) + others}
    return bool(outdated_words(text, [was, *current.values()], current))


HBV = known("乙肝表面抗原", "阳性", "A"), known("乙肝表面抗原", "阴性")
THYROID = known("甲状腺超声", "TI-RADS 5类", "A"), known("甲状腺超声", "TI-RADS 2类")
CT = (
    known("头颅CT", "左侧基底节区脑出血,量约20ml", "A"),
    known("头颅CT", "颅内未见明显异常"),
)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("乙肝表面抗原阳性", HBV), ("乙肝表面抗原 阳性，参考值为阴性", HBV), ("综述：乙肝表面抗原阳性。", HBV), ("乙肝表面抗原(阳性),请复查", HBV), ("甲状腺可疑结节：TI-RADS 5类（已告知）", THYROID),
        ("TI-RADS 5类", THYROID), ("头颅CT：左侧基底节区脑出血", CT), ("左侧基底节区脑出血,请就医", CT),
    ],
)  # fmt: skip
def test_words_that_a_result_said_once_are_found(text: str, pair: tuple[Known, Known]) -> None:
    assert outdated(text, *pair)
    assert outdated(text, pair[0], None)
    assert not outdated(text, pair[0], pair[0])


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("乙肝表面抗原由阳性更正为阴性", HBV), ("乙肝表面抗原阴性", HBV), ("乙肝表面抗体阳性", HBV), ("阳性结果请复查", HBV), ("甲状腺超声由 TI-RADS 5类 更正为 TI-RADS 2类", THYROID),
        ("甲状腺结节,请随访", THYROID), ("请神经内科随访", CT), ("", CT),
    ],
)  # fmt: skip
def test_words_that_tell_of_a_change_or_of_something_else_are_not(text: str, pair: tuple[Known, Known]) -> None:
    assert not outdated(text, *pair)


SYMPTOM = known("近期自觉症状", "胸痛", "A", chosen=("胸痛",)), known("近期自觉症状", "无", chosen=("无",))
RHYTHM = known("心律", "心律绝对不齐", "A"), known("心律", "齐")
GUMS = known("牙周", "牙周炎", "A"), known("牙周", "未见异常")
COLOUR = known("色觉", "色盲", "A"), known("色觉", "正常")
OEDEMA = known("下肢水肿", "中度", "A"), known("下肢水肿", "无")
STOOL = known("便颜色", "黑便", "A"), known("便颜色", "黄色")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("自述胸痛，嘱其就诊", SYMPTOM), ("胸痛", SYMPTOM), ("心律绝对不齐，建议动态心电图", RHYTHM), ("心律：心律绝对不齐", RHYTHM), ("牙周：牙周炎", GUMS), ("牙周炎", GUMS),
        ("色盲，驾驶请注意", COLOUR), ("下肢水肿中度", OEDEMA), ("见黑便", STOOL),
    ],
)  # fmt: skip
def test_a_choice_that_says_by_itself_what_it_is_is_found_without_its_items_name(
    text: str, pair: tuple[Known, Known]
) -> None:
    assert outdated(text, *pair)
    assert not outdated(text, pair[0], pair[0])


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("无胸痛", SYMPTOM), ("如出现胸痛请立即就医", SYMPTOM), ("未诉胸痛", SYMPTOM), ("胸痛时请就医", SYMPTOM), ("避免诱发胸痛", SYMPTOM), ("警惕胸痛", SYMPTOM), ("心律齐", RHYTHM), ("心律由心律绝对不齐更正为齐", RHYTHM),
        ("牙周未见异常，建议预防牙周炎", GUMS), ("否认色盲", COLOUR), ("有色盲家族史者请筛查", COLOUR), ("中度饮酒", OEDEMA), ("黑便者请就诊", STOOL),
    ],
)  # fmt: skip
def test_a_choice_that_is_denied_or_supposed_is_not_told(text: str, pair: tuple[Known, Known]) -> None:
    assert not outdated(text, *pair)


def test_a_choice_that_another_item_has_now_may_be_said() -> None:
    left, right = known("左耳", "中耳炎", "A"), known("右耳", "中耳炎", "A")
    assert not outdated("中耳炎", left, known("左耳", "正常"), right)
    assert outdated("中耳炎", left, known("左耳", "正常"), known("右耳", "正常"))


def test_what_another_value_says_now_may_be_said() -> None:
    assert not outdated("乙肝表面抗原阴性,丙肝抗体阳性", *HBV, known("丙肝抗体", "阳性", "A"))
    assert outdated("丙肝抗体阴性,乙肝表面抗原阳性", *HBV, known("丙肝抗体", "阳性", "A"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("乙肝表面抗原阳性", True), ("既往血脂升高，乙肝表面抗原阳性", True), ("血压升高（2级）", False), ("已排除乙肝表面抗原阳性", False), ("乙肝表面抗原阳性已更正", False), ("未见乙肝表面抗原阳性", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_finding_that_is_none_any_more_is_not_stated(text: str, found: bool) -> None:
    assert bool(gone_names(text, ["乙肝表面抗原阳性", "血压升高"], ["血压升高（2级）"])) == found


VALUES = (known("钾", "4.4"), known("收缩压", "152", "H"), known("血红蛋白", "100", "L"), known("D-二聚体", "3", None))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("钾 4.4 mmol/L，高于参考范围 3.5–5.3", True), ("钾偏低", True), ("收缩压 152，高于参考上限 140", False), ("收缩压低于参考范围", True), ("血红蛋白偏低", False),
        ("血红蛋白高于参考范围", True), ("D-二聚体偏高", False), ("盐摄入偏高", False), ("钾危急值", True), ("收缩压危急值", False), ("钾未达危急值", False), ("非危急值", False),
        ("危急值已解除", False), ("钾不偏高", False), ("钾未见偏高", False), ("既往血钾偏高，本次正常", False), ("如钾偏高请到肾内科复查", False), ("若钾高于参考范围应及时就诊", False),
        ("母亲血钾偏高", False), ("钾由7.1（偏高）降至4.4", False), ("钾未发现危急值", False), ("危急值未通知", False),
    ],
)  # fmt: skip
def test_no_side_and_no_critical_value_is_claimed_of_what_has_none(text: str, wrong: bool) -> None:
    assert bool(false_claims(text, VALUES, ["收缩压"])) == wrong


RISEN = (
    *VALUES, known("舒张压", "86"), known("白细胞计数", "6.5"), known("淋巴细胞计数", "2.0"), known("淋巴细胞百分比", "55", "H"), known("肌酐", "120", "H"), known("促甲状腺激素", "9", "H"),
    known("游离甲状腺素", "16"), known("体质指数", "22"), known("尿白细胞", "2+", "A"), known("葡萄糖", "5.2"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("血钾升高", True), ("血钾增高", True), ("血钾明显升高", True), ("血钾降低", True), ("血钾减低", True), ("血钾↑", True), ("血钾4.4↑", True), ("血钾4.4mmol/L（↓）", True), ("高钾血症", True),
        ("低钾血症，请复查", True), ("白细胞增多", True), ("白细胞减少", True), ("血钾升高，建议复查", True), ("血钾升高（4.4mmol/L）", True), ("收缩压降低", True), ("血红蛋白增高", True), ("血糖升高", True),
        ("收缩压升高", False), ("血压升高", False), ("血红蛋白降低", False), ("淋巴细胞增多", False), ("血糖较上次升高", False), ("血钾升高0.3mmol/L", False), ("血钾由4.1升高到4.4", False),
        ("避免血钾升高", False), ("预防血糖升高", False), ("血糖升高家族史", False), ("若血钾升高请就诊", False), ("如血钾升高", False), ("血钾升高时请就诊", False), ("无血钾升高", False), ("脱水可致血钾升高", False),
        ("与去年相比，血糖升高", False), ("肾功能减低", False), ("甲状腺功能减低", False), ("近期体重减少", False), ("尿常规：白细胞增多", False), ("血钾升高可引起心律失常", False), ("血钾升高为溶血所致", False),
        ("既往高钾血症", False), ("高钾血症病史", False), ("预防低钾血症", False), ("运动后血糖升高", False), ("D-二聚体升高", False), ("尿白细胞增多", False), ("骨钙减少", False), ("白细胞减少已排除，复查6.5", False), ("假性血钾升高", False), ("使血压降低", False),
    ],
)  # fmt: skip
def test_no_rise_is_told_of_what_did_not_rise(text: str, wrong: bool) -> None:
    assert bool(false_claims(text, RISEN, [])) == wrong


def test_what_a_finding_that_holds_says_in_its_own_words_is_no_claim() -> None:
    assert false_claims("血钾升高", RISEN, [])
    assert not false_claims("血钾升高，请复查", RISEN, [], stated=["血钾升高"])
    assert false_claims("血钾升高，血糖升高", RISEN, [], stated=["血糖升高"])


ALARMS = (known("钾", "6.8", "HH"), known("收缩压", "152", "H"), known("舒张压", "96", "H"))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("血钾非危急值", True), ("血钾6.8，未达危急值", True), ("血钾不属于危急值", True), ("血钾危急值已排除", True), ("血钾危急值已解除", True), ("血钾未达到危急值标准", True), ("未见危急值", True),
        ("本次检查未见危急值", True), ("血钾危急值不成立", True), ("血压未达危急值", True), ("收缩压非危急值", True), ("血钾未构成危急值", True), ("not critical", False), ("血钾 not critical", True), ("血钾危机值", False),
        ("舒张压未达危急值", False), ("血钾危急值", False), ("血钾不能排除危急值", False), ("既往血钾未达危急值", False), ("若血钾未达危急值则无需急诊", False), ("血钾危急值参考范围为<2.8或>6.2", False),
        ("血钾达危急值，请急诊", False), ("父亲血钾非危急值", False), ("舒张压危急值", True), ("舒张压达危急值范围", True), ("舒张压不能排除危急值", False), ("舒张压panic value", True),
    ],
)  # fmt: skip
def test_nobody_denies_that_what_is_critical_is_so(text: str, wrong: bool) -> None:
    assert bool(false_claims(text, ALARMS, ["收缩压"])) == wrong
    assert not false_claims(text, (), [])


def test_a_denial_that_names_no_item_speaks_of_what_its_entry_rests_on() -> None:
    for denial in ("非危急值。", "该结果未达危急值。", "危急值已排除。"):
        assert false_claims(denial, ALARMS, [], ["钾"])
        assert not false_claims(denial, ALARMS, [], ["舒张压"])
        assert not false_claims(denial, ALARMS, [], ["钾"], dismissed=["钾"]), "a person said so"


def test_what_names_no_item_speaks_of_what_its_entry_rests_on() -> None:
    advice = "该结果达到危急值。请立即到急诊。"
    assert false_claims(advice, VALUES, ["收缩压"], ["钾"])
    assert not false_claims(advice, VALUES, ["收缩压"], ["收缩压", "钾"])
    assert not false_claims(advice, VALUES, ["收缩压"])
    assert false_claims(advice, VALUES, [], all_known=True)
    assert not false_claims(advice, VALUES, [])


@pytest.mark.parametrize(("text", "anew"), [("血压高。", False), ("血压高 ", False), ("血压,高", False), ("血压较高", True), ("", True)])  # fmt: skip
def test_a_mark_that_is_added_rewrites_nothing(text: str, anew: bool) -> None:
    assert rewritten("血压高", text) == anew


HEPATITIS = (known("乙肝表面抗原", "阴性"), known("乙肝表面抗体", "阳性", "A"), known("尿蛋白", "2+", "A"))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("乙肝表面抗原阳性", True), ("乙肝表面抗原：弱阳性", True), ("乙肝表面抗原阴性", False), ("乙肝表面抗体阳性", False), ("乙肝表面抗体阴性", True), ("尿蛋白阴性", True), ("尿蛋白阳性", False),
        ("既往乙肝表面抗原阳性", False), ("若乙肝表面抗原阳性请复查", False), ("乙肝表面抗原由阳性更正为阴性", False), ("乙肝表面抗原、乙肝表面抗体阳性", False), ("阳性结果请复查", False),
    ],
)  # fmt: skip
def test_no_coded_word_is_claimed_of_an_item_that_says_the_opposite(text: str, wrong: bool) -> None:
    assert bool(false_claims(text, HEPATITIS, [])) == wrong


DEGREES = (
    known("尿隐血", "1+", "A"), known("尿蛋白", "阴性"), known("尿葡萄糖", "±", "A"), known("乙肝表面抗原", "阴性"), known("乙肝表面抗体", "阳性", None), known("甲状腺结节分类", "TI-RADS 3类", "A"),
    known("甲状腺超声", "右叶见低回声结节，TI-RADS 3类", None), known("乳腺超声分类", "BI-RADS 4a类", "A"), known("肺结节Lung-RADS分类", "2类", "A"), known("钾", "4.1"), known("肌酐", "82"), known("总胆固醇", "5.86", "H"),
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "尿隐血阴性", "尿隐血(-)", "尿隐血－", "尿隐血2+", "尿隐血++", "尿隐血（++）", "尿隐血 3+", "尿隐血：3+", "尿隐血±", "尿隐血微量", "尿隐血+2", "隐血阴性", "尿蛋白1+", "尿蛋白+", "尿蛋白++", "尿蛋白（++）", "尿蛋白±",
        "尿蛋白微量", "尿蛋白(+)", "尿蛋白弱阳性", "尿糖2+", "尿糖++，建议复查", "尿糖阴性", "乙肝表面抗原（+）", "表面抗原阳性", "乙肝表面抗原阴性已更正为阳性", "尿隐血1+已更正为阴性",
        "TI-RADS 4a类", "TI-RADS4a类", "TIRADS 4a类", "TI-RADS 4类", "TI-RADS Ⅳ类", "TI-RADS II类", "TI-RADS分类：4a类", "C-TIRADS 4A类", "甲状腺结节4a类", "甲状腺结节（4a类）", "甲状腺右叶结节，TI-RADS 2类", "BI-RADS 3类", "BI-RADS 4b类",
        "BIRADS4C类", "Lung-RADS 3类", "Lung-RADS3类", "LU-RADS 4类", "Lung-RADS 4A类",
        "血钾4.1↑", "血钾4.1（H）", "血钾4.1mmol/L（H）", "血钾↑4.1", "肌酐82(H)", "肌酐82（L）", "总胆固醇5.86↓",
    ],
)  # fmt: skip
def test_no_degree_and_no_sign_is_told_of_an_item_that_its_value_has_not(text: str) -> None:
    assert false_claims(text, DEGREES, [])


@pytest.mark.parametrize(
    "text",
    [
        "尿隐血1+", "尿隐血+", "尿隐血（+）", "尿隐血(1+)", "尿隐血阳性", "尿隐血+1", "尿隐血弱阳性", "隐血（+），尿蛋白（-）", "尿蛋白(-)", "尿蛋白（－）", "尿蛋白-，尿糖±", "尿糖阳性", "尿糖微量", "尿蛋白±者需复查", "若尿蛋白1+请复查", "去年尿蛋白1+",
        "尿蛋白由1+转为阴性", "尿蛋白1+已更正为阴性", "乙肝表面抗原阳性已更正为阴性", "乙肝表面抗原阳性（已更正为阴性）", "乙肝表面抗原阳性者禁献血", "乙肝表面抗体(+)，乙肝表面抗原(-)", "大便隐血阴性", "钾 4.1",
        "TI-RADS 3类", "TI-RADS3类", "TIRADS 3", "TI-RADS Ⅲ类", "TI-RADS III类", "TI-RADS分类3类", "C-TIRADS 3类", "ACR TI-RADS 3类", "甲状腺结节3类", "TI-RADS 4a类及以上建议穿刺", "若进展至TI-RADS 4a类建议穿刺", "去年TI-RADS 2类，今年3类",
        "TI-RADS 2类变为3类", "TI-RADS 4类以上建议FNA", "TI-RADS 4a类者建议穿刺", "TI-RADS 3类（原4a类已更正）", "BI-RADS 4类", "BI-RADS 4A类", "BI-RADS Ⅳa类", "Lung-RADS 2类", "LU-RADS 2类", "Lung-RADS 3类及以上需短期复查", "2型糖尿病",
        "总胆固醇5.86↑", "总胆固醇↑5.86", "总胆固醇5.86（H）", "血钾升高系溶血所致", "血钾升高为溶血所致",
    ],
)  # fmt: skip
def test_a_degree_that_the_value_has_or_that_is_told_of_another_may_be_said(text: str) -> None:
    assert not false_claims(text, DEGREES, [])
