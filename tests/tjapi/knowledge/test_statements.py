"""What a person's words state that results deny: conditions, findings of an earlier value, sizes and categories; and what states nothing."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.tjapi.knowledge.test_claims import known
from tjapi.catalog.service.content import read_starter
from tjapi.knowledge.calm import calls_unexamined_normal, says_all_normal
from tjapi.knowledge.choosing import false_choices
from tjapi.knowledge.claims import false_claims, outdated_words
from tjapi.knowledge.conditions import conditions, false_conditions, false_denials
from tjapi.knowledge.figures import Earlier, unsaid_figures
from tjapi.knowledge.retelling import false_readings
from tjapi.knowledge.rules import Known

pytestmark = pytest.mark.requirement("E3.4", "E4.3")


def of(code: str, name: str, text: str, flag: str | None = "", **more: Any) -> Known:
    return replace(known(name, text, flag, **more), item_code=code)


def now(*values: Known) -> dict[Any, Known]:
    return {one.result_id: one for one in values}


# --- conditions beside values ---

VALUES = [
    of("HGB", "血红蛋白", "140"), of("GLU", "葡萄糖", "5.0"), of("TSH", "促甲状腺激素", "2.0"), of("UA", "尿酸", "300"), of("TC", "总胆固醇", "4.5"),
    of("UPRO", "尿蛋白", "阴性"), of("UBLD", "尿隐血", "阴性"), of("HBSAG", "乙肝表面抗原", "阳性", "A"), of("HBEAG", "乙肝e抗原", "阴性"),
    of("HBEAB", "乙肝e抗体", "阳性"), of("ALB", "白蛋白", "45"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["贫血，请到血液科就诊", "轻度贫血", "低血糖，请立即进食", "甲亢", "甲状腺功能减退症", "高尿酸血症", "血脂异常", "大三阳", "乙肝大三阳", "蛋白尿", "镜下血尿", "低蛋白血症"],
)  # fmt: skip
def test_a_condition_that_the_values_deny_is_found(text: str) -> None:
    assert false_conditions(text, VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "小三阳", "乙肝病毒携带", "既往贫血", "贫血病史", "地中海贫血", "未见贫血", "预防低血糖", "甲亢已排除", "贫血者宜多食瘦肉", "母亲有甲亢", "是否有蛋白尿",
        "避免低血糖发生", "高尿酸血症（已更正）", "无蛋白尿及血尿", "若出现低血糖请进食", "高甘油三酯血症",
    ],
)  # fmt: skip
def test_what_holds_is_denied_past_or_was_not_measured_is_none(text: str) -> None:
    assert false_conditions(text, VALUES) == set()


def test_a_condition_may_stand_beside_the_value_that_says_so_a_history_that_names_it_or_one_that_nobody_judged() -> (
    None
):
    low = [of("HGB", "血红蛋白", "88", "L")]
    assert not false_conditions("贫血", low)
    assert not false_conditions("贫血", [of("HGB", "血红蛋白", "88", None)])
    assert not false_conditions("甲亢", [*VALUES, of("HISTORY", "既往史", "甲亢", "A")])
    assert not false_conditions("贫血", [*VALUES, of("RBC", "红细胞计数", "3.0", "L")])
    assert not false_conditions("大三阳", [of("HBSAG", "乙肝表面抗原", "阳性", "A")]), "nobody asked for the e antigen"
    assert false_conditions("小三阳", [of("HBSAG", "乙肝表面抗原", "阴性")])
    assert not false_conditions("贫血：血红蛋白偏低", VALUES, ["贫血：血红蛋白偏低"]), "a finding's own words"


def test_every_condition_names_items_that_ship() -> None:
    codes = {item.code for item in read_starter().items}
    for condition in conditions():
        assert {code for code, _ in (*condition.one_of, *condition.every)} <= codes
        assert condition.one_of or condition.every
        assert all(
            re.fullmatch(r"[HL+*-]|(?:>=|<)\d+(?:\.\d+)?", wanted)
            for _, wanted in (*condition.one_of, *condition.every)
        )


# --- what descriptions say ---

AF, SINUS = (of("ECG", "心电图诊断", text, "A", chosen=(text,)) for text in ("心房颤动", "窦性心律不齐"))
CT = of("CT-CHEST", "胸部低剂量CT", "右肺上叶见直径约5mm实性结节。")
TR = of("US-THYROID-TR", "甲状腺结节TI-RADS分类", "无")
THYROID = of("US-THYROID", "甲状腺超声", "甲状腺左叶见结节，大小8×5mm，TI-RADS 3类。")


@pytest.mark.parametrize("text", ["心电图示房颤", "房颤，请到心内科就诊", "心房纤颤"])
def test_a_finding_of_an_earlier_value_is_found_by_whatever_it_is_called(text: str) -> None:
    assert false_readings(text, [AF], now(SINUS))
    assert not false_readings(text, [AF], now(AF))


@pytest.mark.parametrize("text", ["房颤已更正", "未见房颤", "既往房颤", "房颤患者请抗凝", "警惕房颤", "父亲房颤"])
def test_a_finding_that_is_denied_past_or_anothers_is_not(text: str) -> None:
    assert not false_readings(text, [AF], now(SINUS))


@pytest.mark.parametrize("text", ["右肺上叶结节8mm", "右肺上叶0.8cm结节", "肺结节（8mm），请复查"])
def test_another_size_than_the_description_gives_is_found(text: str) -> None:
    assert false_readings(text, [], now(CT, THYROID))


@pytest.mark.parametrize(
    "text",
    ["右肺上叶结节5mm", "右肺结节0.5cm", "甲状腺左叶结节8×5mm", "甲状腺结节5mm", "结节增大至8mm以上请就诊", "肺结节8mm以上者请复查", "右肺结节，随访", "肝囊肿12mm"],
)  # fmt: skip
def test_the_size_that_it_gives_a_bound_or_something_else_is_not(text: str) -> None:
    assert not false_readings(text, [], now(CT, THYROID))


@pytest.mark.parametrize("text", ["左叶结节4a类", "甲状腺结节TI-RADS 4a类", "TI-RADS 5类"])
def test_a_category_that_nothing_has_is_found(text: str) -> None:
    assert false_readings(text, [], now(TR, CT))
    assert false_readings(text, [], now(TR, CT, THYROID))


@pytest.mark.parametrize(
    "text", ["甲状腺结节3类", "TI-RADS 3类", "结节4a类及以上请穿刺", "4 类或 5 类者请就诊", "原为4a类"]
)
def test_the_category_that_it_has_or_one_in_general_is_not(text: str) -> None:
    assert not false_readings(text, [], now(TR, CT, THYROID))


# --- parts of other words, others' findings, denials, sides ---

URIC = [
    of("UA", "尿酸", "486", "H"),
    of("UBLD", "尿隐血", "阴性"),
    of("UREA", "尿素", "5.5"),
    of("GLU", "葡萄糖", "7.8", "H"),
    of("CREA", "肌酐", "82"),
]


@pytest.mark.parametrize(
    "text",
    ["血尿酸486μmol/L，多饮水", "血尿酸偏高", "血尿素5.5mmol/L", "血尿常规", "运动有助于降低血糖", "少吃高血糖生成指数的食物", "夜间最低血糖不详", "高尿酸血症", "父亲肾功能不全"],
)  # fmt: skip
def test_a_part_of_another_word_is_no_condition(text: str) -> None:
    assert not false_conditions(text, URIC)


@pytest.mark.parametrize("text", ["肾功能不全", "肾功能异常", "镜下血尿", "低血糖"])
def test_what_several_values_deny_is_found(text: str) -> None:
    assert false_conditions(text, URIC)


@pytest.mark.parametrize("text", ["爷爷有房颤", "舅舅有心房颤动病史", "丈夫房颤", "可转为心房颤动"])
def test_what_somebody_else_has_or_what_may_come_is_none(text: str) -> None:
    assert not false_readings(text, [AF], now(SINUS))


@pytest.mark.parametrize("text", ["爷爷有心房颤动", "丈夫乙肝表面抗原阳性", "儿子乙肝表面抗原阳性"])
def test_what_somebody_else_has_is_no_old_word(text: str) -> None:
    assert not outdated_words(text, OLD, NOW)


def test_a_coded_electrocardiogram_says_what_it_shows() -> None:
    assert false_readings("心电图：心房颤动", [], now(SINUS))
    assert false_readings("心电图示急性心肌梗死", [], now(SINUS))
    assert not false_readings("心电图：心房颤动", [], now(AF))
    assert not false_readings("心房颤动病史", [], now(SINUS))


LOW = [of("HGB", "血红蛋白", "88", "L"), of("UPRO", "尿蛋白", "2+", "A")]


def test_what_values_state_is_not_denied() -> None:
    assert false_denials("无贫血", LOW)
    assert false_denials("未见明显贫血", LOW)
    assert false_denials("未见蛋白尿", LOW)
    assert not false_denials("贫血，请就诊", LOW)
    assert not false_denials("无血尿", LOW)
    assert not false_denials("不能排除贫血", LOW)
    assert false_denials("已排除贫血", LOW)
    assert not false_denials("去年无贫血", LOW)


PLAQUE = of("US-CAROTID", "颈动脉超声", "右侧颈动脉见斑块，大小8×2mm。")


def test_what_a_description_states_is_not_denied_nor_told_of_the_other_side() -> None:
    assert false_readings("颈动脉未见斑块", [], now(PLAQUE))
    assert false_readings("左侧颈动脉斑块", [], now(PLAQUE))
    assert not false_readings("右侧颈动脉斑块", [], now(PLAQUE))
    assert not false_readings("颈动脉斑块，余血管未见斑块", [], now(PLAQUE))


@pytest.mark.parametrize("text", ["肺结节‹6mm，恶性概率低", "肺结节小于6mm，每年随访", "结节>10mm者请就诊"])
def test_a_bound_before_a_size_is_no_size(text: str) -> None:
    assert not false_readings(text, [], now(CT))


def test_a_size_that_the_description_gives_elsewhere_in_it_counts() -> None:
    polyp = of("US-GB", "胆囊超声", "胆囊壁见一4mm高回声突起，不随体位移动，提示胆囊息肉。")
    assert false_readings("胆囊息肉14mm，建议手术", [], now(polyp))
    assert not false_readings("胆囊息肉4mm", [], now(polyp))


def test_a_category_is_held_against_the_item_that_has_them_whatever_it_is_called() -> None:
    none = of("US-THYROID-TR", "甲状腺结节分类", "无")
    assert false_readings("甲状腺结节，TI-RADS 4a类", [], now(none))


BREATH = of("C14", "碳14呼气试验", "35", "", bounds=(None, "100"))


def test_a_number_with_an_upper_limit_alone_is_a_reaction() -> None:
    assert false_claims("碳14呼气试验阳性", [BREATH], set())
    assert false_claims("幽门螺杆菌阳性", [BREATH], set())
    assert not false_claims("碳14呼气试验阴性", [BREATH], set())
    high = replace(BREATH, flag="H")
    assert false_claims("碳14呼气试验阴性", [high], set())
    assert not false_claims("碳14呼气试验阳性", [high], set())


# --- what is taken back in the same breath ---

NOW = now(
    of("K", "钾", "4.5"),
    of("UPRO", "尿蛋白", "阴性"),
    of("HBSAG", "乙肝表面抗原", "阴性"),
    of("SBP", "收缩压", "118"),
    SINUS,
)
OLD = [of("UPRO", "尿蛋白", "2+", "A"), of("HBSAG", "乙肝表面抗原", "阳性", "A"), AF]


@pytest.mark.parametrize(
    "text",
    ["血钾升高（已更正）", "尿蛋白转阴（原2+）", "尿蛋白2+已转阴", "排除乙肝表面抗原阳性", "乙肝表面抗原阳性已排除", "本次心电图未见早搏及心房颤动", "血压偏高时请复测", "心房颤动（已更正）"],
)  # fmt: skip
def test_what_is_taken_back_in_the_same_breath_may_be_written(text: str) -> None:
    assert not outdated_words(text, OLD, NOW)
    assert not false_claims(text, list(NOW.values()), set())
    assert not false_readings(text, OLD, NOW)


@pytest.mark.parametrize(
    "text", ["乙肝表面抗原阳性", "无明显诱因出现心房颤动", "心电图不除外心房颤动", "未能排除心房颤动", "尿蛋白2+"]
)
def test_what_is_not_denied_is_found_all_the_same(text: str) -> None:
    assert outdated_words(text, OLD, NOW)


# --- what nobody examined ---

REFUSED = [
    ("听力右(耳语或音叉)", "HEARING-R"),
    ("听力左(耳语或音叉)", "HEARING-L"),
    ("腹部触诊", "ABDOMEN"),
    ("外耳道及鼓膜", "EAR"),
    ("总胆固醇", "TC"),
]
DONE = [("鼻腔", "NOSE"), ("咽喉", "THROAT"), ("收缩压", "SBP")]


@pytest.mark.parametrize(
    "text", ["双耳听力正常", "双耳听力未见异常", "鼻腔正常，听力正常", "腹部未触及包块", "腹部平软", "外耳道未见异常", "鼓膜正常", "胆固醇不高", "血脂正常"]
)  # fmt: skip
def test_nobody_calls_an_organ_normal_that_nobody_examined(text: str) -> None:
    assert calls_unexamined_normal(text, REFUSED, DONE)
    assert not calls_unexamined_normal(text, [], [*REFUSED, *DONE])


@pytest.mark.parametrize(
    "text",
    [
        "鼻腔、咽喉正常",
        "血压正常",
        "听力未查",
        "建议复查听力",
        "去年听力正常",
        "请将血脂控制在正常范围",
        "听力检查因故未做",
    ],
)
def test_what_was_examined_or_is_asked_for_may_be_called_so(text: str) -> None:
    assert not calls_unexamined_normal(text, REFUSED, DONE)


def test_a_name_that_an_examined_item_has_is_that_ones() -> None:
    assert calls_unexamined_normal("肝脏未见异常", [("肝脏", "LIVER-PALP")], DONE)
    assert not calls_unexamined_normal("肝脏未见异常", [("肝脏", "LIVER-PALP")], [("肝脏超声", "US-LIVER")])


# --- the rest of what several are called ---

LIVER = [("丙氨酸氨基转移酶", "ALT"), ("γ-谷氨酰转移酶", "GGT")]


@pytest.mark.parametrize(
    "text", ["ALT 78U/L↑，GGT 66U/L↑，余肝功能指标正常", "丙氨酸氨基转移酶、γ-谷氨酰转移酶升高，其余肝功能正常"]
)
def test_the_rest_may_be_called_normal_where_what_is_not_was_named(text: str) -> None:
    assert not says_all_normal(text, flagged=LIVER)


@pytest.mark.parametrize("text", ["余肝功能正常", "ALT 78U/L↑，余肝功能指标正常", "ALT升高，GGT正常"])
def test_and_only_there(text: str) -> None:
    assert says_all_normal(text, flagged=LIVER)


def test_a_number_with_a_power_of_ten_is_the_value_in_full() -> None:
    load = of("HBVDNA", "乙肝病毒DNA", "2500", "H")
    white = of("WBC", "白细胞计数", "6.5")
    values = now(load, white)
    for text in ("HBV-DNA 2.5×10^3IU/mL", "白细胞6.5×10^9/L", "乙肝病毒DNA 2500IU/mL"):
        assert not unsaid_figures(text, Earlier([load, white], []), values)
    assert unsaid_figures("HBV-DNA 2.5×10^6IU/mL", Earlier([load, white], []), values)


def test_a_name_with_figures_is_found_beside_its_value() -> None:
    assert not says_all_normal("CA125 45U/mL轻度升高，余肿瘤标志物正常", flagged=[("糖类抗原125", "CA125")])


# --- what may be chosen ---

CHOSEN = [
    of("ABO", "ABO血型", "A型", choices=("A型", "B型", "O型", "AB型")), of("TCT", "宫颈液基细胞学", "未见上皮内病变或恶性细胞", choices=("未见上皮内病变或恶性细胞", "ASC-US", "LSIL", "HSIL")),
    of("COLOR-V", "色觉", "正常", choices=("正常", "色弱", "色盲")), of("BMD", "骨密度诊断", "骨量减少", choices=("骨量正常", "骨量减少", "骨质疏松")),
    of("HISTORY", "既往史", "无", choices=("无", "高血压", "痛风")),
]  # fmt: skip


@pytest.mark.parametrize("text", ["血型B型", "TCT：HSIL", "宫颈TCT提示HSIL", "红绿色盲", "骨质疏松", "骨量正常"])
def test_another_choice_than_was_made_is_not_stated(text: str) -> None:
    assert false_choices(text, CHOSEN)


@pytest.mark.parametrize(
    "text",
    ["血型A型", "骨量减少，预防骨质疏松", "未见HSIL", "骨质疏松风险", "高血压", "痛风", "母亲骨质疏松", "LSIL已排除"],
)
def test_the_choice_that_was_made_a_risk_or_what_was_told_may_be(text: str) -> None:
    assert not false_choices(text, CHOSEN)
