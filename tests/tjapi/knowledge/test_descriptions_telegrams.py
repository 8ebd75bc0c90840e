"""Telegrams and what they need: abbreviations, lists whose last item is there, words held to their organ, what pathology and EEG say."""

import pytest

from tjapi.knowledge import service
from tjapi.knowledge.descriptions import Description, read
from tjapi.knowledge.rules import Case, Clause, Known

pytestmark = pytest.mark.requirement("E3.4", "E5.1")


def standing(found: Description) -> set[str]:
    return {one.concept for one in found.mentions if one.stands}


@pytest.mark.parametrize(
    "text",
    [
        "未见占位、结节、脂肪肝",
        "未见占位,结节,脂肪肝",
        "未见占位/结节/脂肪肝",
        "未见占位 结节 脂肪肝",
        "未见占位,结节及脂肪肝",
    ],
)
def test_the_last_item_of_a_denied_list_is_denied_though_it_is_a_finding(text: str) -> None:
    found = read(text, "US-LIVER")
    assert (standing(found), found.unread) == (set(), ())


@pytest.mark.parametrize("text", ["未见占位,结节,轻度脂肪肝", "未见占位,结节,脂肪肝(轻度)", "未见占位,结节,见脂肪肝"])
def test_what_has_a_degree_of_its_own_behind_a_denied_list_is_there(text: str) -> None:
    found = read(text, "US-LIVER")
    assert (standing(found), found.unread) == ({"FATTY-LIVER"}, ())


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("未见占位,脂肪肝", "FATTY-LIVER"), ("未见占位、结节,脂肪肝", "FATTY-LIVER"), ("未见占位、结节、脂肪肝(轻度)", "FATTY-LIVER"),
        ("未见占位、结节8mm", "LIVER-NODULE"),
    ],
)  # fmt: skip
def test_what_may_or_may_not_go_on_with_a_denied_list_stands_and_is_listed(text: str, concept: str) -> None:
    found = read(text, "US-LIVER")
    assert concept in standing(found)
    assert found.unread == (text,)


@pytest.mark.parametrize(
    ("text", "item", "concept"),
    [
        ("PE?", "CT-CHEST", "PULMONARY-EMBOLISM"), ("AD待排", "US-HEART", "AORTA-EMERGENCY"), ("VSR?", "US-HEART", "HEART-EMERGENCY"),
        ("EP?盆腔积血", "US-UTERUS", "ECTOPIC-PREGNANCY"), ("窦停4.2s", "ECG", "ECG-LETHAL"), ("torsades", "ECG", "ECG-LETHAL"),
        ("RD", "FUNDUS", "RETINAL-DETACHMENT"), ("急闭?", "SLIT", "ACUTE-GLAUCOMA"), ("HGIN", "GASTROSCOPY", "GI-MASS"), ("SBO?", "CT-ABDOMEN", "ACUTE-ABDOMEN"),
    ],
)  # fmt: skip
def test_an_abbreviation_that_stands_alone_is_what_it_means(text: str, item: str, concept: str) -> None:
    assert concept in {one.concept for one in read(text, item).grave}


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("双耳平均听阈15dB HL", "EAR"),
        ("肝静脉频谱呈三相波", "US-LIVER"),
        ("IUD在位", "US-UTERUS"),
        ("窦停1.2s", "ECG"),
        ("PEP正常", "US-HEART"),
    ],
)
def test_letters_within_other_words_mean_nothing_grave(text: str, item: str) -> None:
    assert not read(text, item).grave


def test_a_sessile_polyp_is_there() -> None:
    assert standing(read("升结肠见一0.6cm无蒂息肉", "COLONOSCOPY")) == {"COLON-POLYP"}


@pytest.mark.parametrize(
    ("text", "item", "not_of", "organ"),
    [
        ("面部红斑", "SKIN", "ORAL-LEUKOPLAKIA", "SKIN"), ("左额叶片状出血", "CT-HEAD", "RETINAL-HEMORRHAGE", "BRAIN"),
        ("胆囊腺肌症", "US-GB", "ADENOMYOSIS", "GB"), ("甲状腺微小结节", "US-THYROID", "LUNG-NODULE", "THYROID"), ("左颈内动脉重度狭窄", "US-CAROTID", "HEART-EMERGENCY", "CAROTID"),
        ("宫颈质脆", "GYN-CERVIX", "GI-MASS", "CERVIX"), ("肝内陈旧性病灶", "US-LIVER", "LUNG-OLD", "LIVER"), ("下鼻甲黏膜苍白水肿", "NOSE", "RETINAL-ARTERY-OCCLUSION", "NOSE"),
    ],
)  # fmt: skip
def test_words_that_any_organ_may_have_are_of_a_concept_at_its_own_sites_alone(
    text: str, item: str, not_of: str, organ: str
) -> None:
    found = read(text, item)
    assert not_of not in {one.concept for one in found.mentions}
    assert found.mentions or found.unread, organ


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("左颈内动脉重度狭窄", "US-CAROTID"),
        ("左额叶片状出血", "CT-HEAD"),
        ("宫颈质脆", "GYN-CERVIX"),
        ("鼻腔活动性出血", "NOSE"),
    ],
)
def test_what_is_grave_stays_grave_at_another_organ(text: str, item: str) -> None:
    assert read(text, item).grave


@pytest.mark.parametrize(
    ("text", "item", "code"),
    [
        ("宫内早孕约7周,可见胎心", "US-UTERUS", "SAID-PREGNANCY"), ("胎儿头臀径45mm,胎心可见", "US-UTERUS", "SAID-PREGNANCY"),
        ("左额痫样放电", "EEG", "SAID-EEG-EPILEPTIC"), ("中度异常脑电图", "EEG", "SAID-EEG-ABNORMAL"),
        ("(横结肠)管状腺瘤伴低级别上皮内瘤变", "COLONOSCOPY", "SAID-GI-LOW-GRADE"), ("胃窦黏膜红白相间,Hp(+)", "GASTROSCOPY", "SAID-HP-POSITIVE"),
        ("双耳高频听力下降", "EAR", "SAID-HEARING-LOSS"), ("左肺癌术后改变", "CT-CHEST", "SAID-TUMOUR-TREATED"),
    ],
)  # fmt: skip
def test_what_a_text_names_reaches_the_findings(text: str, item: str, code: str) -> None:
    starter = service.in_memory(service.read_starter())
    case = Case("female", 45, {item: Known(item, item, text)})
    assert code in {one.rule.code for one in starter.fired("finding", case)}


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ({"US-THYROID": "甲状腺左叶结节,TI-RADS 4A类", "US-THYROID-TR": "TI-RADS 2类"}, True),
        ({"US-THYROID": "甲状腺左叶结节,TI-RADS 4A类", "US-THYROID-TR": "无"}, True),
        ({"US-THYROID": "甲状腺左叶结节,TI-RADS 4A类", "US-THYROID-TR": "TI-RADS 4a类"}, False),
        ({"US-THYROID": "甲状腺左叶结节,TI-RADS 3类", "US-THYROID-TR": "TI-RADS 4a类"}, True),
        ({"US-BREAST": "左乳结节,BI-RADS 4B类", "US-BREAST-BR": "BI-RADS 3类"}, True),
        ({"US-BREAST": "左乳结节,BI-RADS 4B类", "US-BREAST-BR": "BI-RADS 4a类"}, True),
        ({"CT-CHEST": "右肺结节8mm,Lung-RADS 4A类", "CT-CHEST-LR": "2类"}, True),
        ({"CT-CHEST": "右肺结节4mm,Lung-RADS 2类", "CT-CHEST-LR": "2类"}, False),
    ],
)  # fmt: skip
def test_a_category_in_words_beside_another_that_was_chosen_is_told(values: dict[str, str], holds: bool) -> None:
    starter = service.in_memory(service.read_starter())
    case = Case("female", 45, {code: Known(code, code, text) for code, text in values.items()})
    fired = {one.rule.code for one in starter.fired("finding", case) if one.rule.code.startswith("GRADE-")}
    assert bool(fired) == holds


def test_an_explanation_says_no_word_of_its_description_twice() -> None:
    known = Known("CT-CHEST", "胸部低剂量CT", "胸主动脉瘤,直径58mm")
    assert Clause(known, "瘤", ("瘤",)).words == "胸部低剂量CT 胸主动脉瘤,直径58mm"
