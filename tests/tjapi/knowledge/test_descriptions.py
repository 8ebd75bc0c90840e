"""What a description says is there, and only that; what nobody understood is listed, what is grave is never lost."""

import pytest

from tjapi.catalog import service as catalog
from tjapi.knowledge import service
from tjapi.knowledge.descriptions import MOST_READ, Description, read
from tjapi.knowledge.lexicon import dictionary
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.schemas import CriticalRuleIn, RuleIn
from tjapi.result.service.alarming import alarms_of

pytestmark = pytest.mark.requirement("E3.4", "E5.1")

STARTER = service.read_starter()
EDITION = service.in_memory(STARTER)


def said(text: str, item: str = "") -> dict[str, str]:
    return {one.concept: one.assertion for one in read(text, item).mentions}


def standing(found: Description) -> set[str]:
    return {one.concept for one in found.mentions if one.stands}


def fired(item: str, text: str) -> set[str]:
    case = Case("female", 45, {item: Known(item, item, text)})
    return {one.rule.code for one in [*EDITION.fired("finding", case), *alarms_of(EDITION, case)]}


@pytest.mark.parametrize(
    ("text", "item", "concept", "assertion"),
    [
        ("肝内未见明显结石、囊肿及占位", "US-LIVER", "LIVER-MASS", "absent"),
        ("肝内未见明显占位,但可见一囊肿", "US-LIVER", "LIVER-CYST", "present"),
        ("肝内无明显占位伴囊肿", "US-LIVER", "LIVER-CYST", "present"),
        ("胆囊结石:无", "US-GB", "GALLSTONE", "absent"),
        ("胆囊结石(-)", "US-GB", "GALLSTONE", "absent"),
        ("双肺未见异常,气胸除外", "CXR", "PNEUMOTHORAX", "absent"),
        ("气胸不除外", "CXR", "PNEUMOTHORAX", "possible"),
        ("不能排除气胸", "CXR", "PNEUMOTHORAX", "possible"),
        ("建议CT排除肺癌", "CXR", "LUNG-MASS", "possible"),
        ("已排除肺癌", "CXR", "LUNG-MASS", "absent"),
        ("肺癌?", "CXR", "LUNG-MASS", "possible"),
        ("结核待排", "CXR", "TUBERCULOSIS-SIGN", "possible"),
        ("陈旧性肺结核", "CXR", "LUNG-OLD", "present"),
        ("肺结核病史", "CXR", "TUBERCULOSIS-SIGN", "historical"),
        ("既往肺癌", "CXR", "LUNG-MASS", "historical"),
        ("肺癌术后", "CXR", "LUNG-MASS", "postoperative"),
        ("肺癌术后复发", "CXR", "LUNG-MASS", "present"),
        ("肺癌术后,未见复发", "CXR", "LUNG-MASS", "postoperative"),
        ("父亲肺癌", "CXR", "LUNG-MASS", "family"),
        ("肝内见无回声区", "US-LIVER", "LIVER-CYST", "present"),
        ("无痛性肿块", "US-BREAST", "BREAST-MASS", "present"),
        ("脾不大,未见肿大", "US-SPLEEN", "SPLENOMEGALY", "absent"),
    ],
    ids=range(22),
)  # fmt: skip
def test_cues_say_whether_it_is_there(text: str, item: str, concept: str, assertion: str) -> None:
    assert said(text, item).get(concept) == assertion, read(text, item)


def test_sizes_are_in_millimetres_and_belong_to_what_they_stand_beside() -> None:
    found = read("肝右叶见囊肿,大小约1.2×0.8cm;左叶见血管瘤3 mm", "US-LIVER").mentions
    assert [(one.concept, str(one.size_mm)) for one in found] == [("LIVER-CYST", "12.0"), ("LIVER-HEMANGIOMA", "3")]


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("右肾高回声结节,大小约0.5cm,考虑错构瘤", "US-KIDNEY"), ("左叶结节,TI-RADS 3类", "US-THYROID"), ("低回声结节,BI-RADS 3类", "US-BREAST"),
        ("右肺实性小结节,直径4mm,Lung-RADS 2类", "CT-CHEST"), ("既往肺癌术后,术区未见复发", "CT-CHEST"), ("母亲乳腺癌", "BREAST-PALP"),
        ("一度房室传导阻滞", "ECG"), ("二度Ⅰ型房室传导阻滞", "ECG"), ("低级别鳞状上皮内病变", "TCT"), ("右侧少量胸腔积液较前吸收", "CXR"),
        ("血Ca 2.3mmol/L", "SKIN"), ("结节内无血流信号", "US-THYROID"), ("L4/5椎间盘突出,硬膜囊受压", "XR-LSPINE"), ("肠腔积气明显", "US-LIVER"), ("孕3产1,人工流产2次", "GYN-VULVA"),
        ("肝内高回声结节12mm,边界清,考虑血管瘤", "US-LIVER"),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_deserves_no_alarm_raises_none(text: str, item: str) -> None:
    assert read(text, item).grave == ()


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("左叶结节,TI-RADS 4b类", "US-THYROID"), ("低回声结节,BI-RADS 4a类", "US-BREAST"), ("右上肺结节,Lung-RADS 4A类", "CT-CHEST"), ("O-RADS 4类", "US-UTERUS"),
        ("肺癌", "US-LIVER"), ("考虑宫外孕", "US-BLADDER"), ("心包积液", "CXR"), ("胆囊癌不除外", "US-GB"), ("脑内血肿", "CT-HEAD"), ("主动脉夹层", "US-HEART"),
        ("视网膜脱离", "FUNDUS"), ("急性闭角型青光眼", "SLIT"), ("喉头水肿", "THROAT"), ("二度Ⅱ型房室传导阻滞", "ECG"), ("ASC-H", "TCT"), ("右侧氣胸", "CXR"), ("右侧气\n胸", "CXR"),
        ("未见占位。肝门部胆管癌", "US-LIVER"), ("积液：无\n气胸：右侧", "CXR"), ("结石:无 气胸:右侧", "CXR"), ("未见结节,左侧气胸", "CXR"),
        ("某未知部位见恶性占位", ""), ("腹膜后肉瘤可能", ""), ("颈髓内转移瘤", ""),
    ],
    ids=range(24),
)  # fmt: skip
def test_what_is_grave_asks_for_a_person_whatever_its_organ(text: str, item: str) -> None:
    assert read(text, item).grave
    # What an item's own rule tells of is told once.
    assert fired(item or "SKIN", text) & {"TEXT-GRAVE", "CRIT-ECG-LETHAL", "IMP-TCT"}


def test_text_alone_is_never_of_class_a() -> None:
    case = Case("male", 45, {"CXR": Known("CXR", "胸片", "左侧张力性气胸,主动脉夹层")})
    assert {one.rule.important_class for one in alarms_of(EDITION, case)} == {"B"}
    (one,) = [one for one in alarms_of(EDITION, case) if one.rule.code == "TEXT-GRAVE"]
    assert one.verdict.clauses[0].said == ("左侧张力性气胸,主动脉夹层",)


def test_each_text_alarms_by_itself() -> None:
    case = Case("male", 45, {"CXR": Known("CXR", "胸片", "气胸"), "US-LIVER": Known("US-LIVER", "肝", "肝癌")})
    fired = [one for one in alarms_of(EDITION, case) if one.rule.code == "TEXT-GRAVE"]
    assert sorted(tuple(one.rule.items) for one in fired) == [("CXR",), ("US-LIVER",)]
    (one,) = [one for one in alarms_of(EDITION, case, frozenset({"CXR"})) if one.rule.code == "TEXT-GRAVE"]
    assert one.verdict.clauses[0].found == ("气胸",)


def test_a_chosen_word_of_its_own_rule_alarms_once() -> None:
    case = Case("male", 45, {"ECG": Known("ECG", "心电图", "三度房室传导阻滞", chosen=("三度房室传导阻滞",))})
    assert [one.rule.code for one in alarms_of(EDITION, case)] == ["CRIT-ECG-LETHAL"]


@pytest.mark.parametrize(
    "text",
    [
        "肝右叶见紊乱带", "左肾未显示", "睾丸内未探及血流信号", "未见正常胆囊结构", "腹部见异常回声", "脾门区积液", "见不规则影", "双侧呼吸音粗,建议立即就诊",
        "肝旁见奇特构造", "XYZQ可能",
    ],
    ids=range(10),
)  # fmt: skip
def test_what_nobody_understands_is_listed(text: str) -> None:
    found = read(text)
    assert found.unread == (text,) or found.grave


def test_what_is_usual_is_neither_listed_nor_found() -> None:
    texts = [
        (item.code, item.normal_default)
        for item in catalog.read_starter().items
        if item.kind == "text" and item.normal_default
    ]
    assert len(texts) > 30
    for code, text in texts:
        found = read(text, code)
        assert (found.unread, standing(found)) == ((), set()), (code, text)
        assert fired(code, text) == set(), (code, text)


def test_what_somebody_had_alarms_nobody_today() -> None:
    assert said("脑卒中;肿瘤", "HISTORY") == {"CEREBRAL-INFARCT": "historical", "TUMOUR": "historical"}
    assert read("肿瘤", "HISTORY").grave == ()


def test_no_usual_choice_of_an_item_alarms() -> None:
    usual = {
        (item.code, text)
        for item in catalog.read_starter().items
        for bounds in item.ranges
        for text in bounds.normal_texts or ()
    }
    assert len(usual) > 50
    assert [(code, text) for code, text in sorted(usual) if read(text, code).grave] == []


def test_what_is_too_long_is_listed_and_nothing_takes_long() -> None:
    for text in (
        "未见" * MOST_READ,
        "1.2x" * MOST_READ,
        "肝 " * MOST_READ,
        "癌" * MOST_READ,
        "未见a" * MOST_READ,
        "(" * (MOST_READ + 1),
    ):
        assert read(text).unread


def test_no_shipped_rule_asks_for_bare_words() -> None:
    rules: list[RuleIn | CriticalRuleIn] = [*STARTER.rules, *STARTER.critical]
    assert not [rule.code for rule in rules if "'text'" in str(rule.condition)]
    items = frozenset(item.code for item in catalog.read_starter().items)
    assert service.faults(STARTER, items) == []


def test_every_concept_is_of_sites_and_words_that_there_are() -> None:
    book = dictionary()
    assert {lesion for lesion, _ in book.at_site} <= set(book.lesions)
    assert {site for _, site in book.at_site} <= set(book.sites)
    described = {item.code for item in catalog.read_starter().items if item.kind == "text"}
    assert described - set(book.of_item) == set()


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("US-LIVER", "肝右叶低回声，未能除外肝癌"), ("CT-CHEST", "右肺结节，尚未除外肺癌"), ("CT-HEAD", "左侧脑沟变浅，未能完全排除脑梗死"),
        ("US-UTERUS", "胎儿心跳消失"), ("US-UTERUS", "胎心:未探及"), ("US-UTERUS", "胎儿未见心管搏动"), ("ECG", "心室率165次/分"),
        ("ECG", "房颤心律，心室率约35次/分"), ("CT-HEAD", "脑出血吸收期"),
    ],
    ids=["liver", "lung", "brain", "heartbeat", "not-found", "no-pulsation", "fast", "slow", "resorption"],
)  # fmt: skip
def test_what_was_read_as_harmless_asks_for_a_person(item: str, text: str) -> None:
    assert read(text, item, "").grave
