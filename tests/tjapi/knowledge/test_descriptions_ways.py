"""Ways of saying that no list of words ends: what explains a finding, what was said before, what ended, what was not to be seen."""

import pytest

from tjapi.knowledge.descriptions import Description, read

pytestmark = pytest.mark.requirement("E3.4", "E5.1")


def standing(found: Description) -> set[str]:
    return {one.concept for one in found.mentions if one.stands}


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("双肾表面呈分叶状,为胎儿分叶肾残留,实质回声均匀", "US-KIDNEY"), ("双肺底密度增高影,俯卧位加扫消失", "CT-CHEST"),
        ("左乳类圆形低回声,与脂肪相连,非真性结节", "US-BREAST"), ("双侧乳头影重叠,请勿误认为结节", "CXR"), ("心尖杂音,无临床意义", "HEART-SOUND"),
        ("肾盂分离12mm,为妊娠期生理性改变", "US-KIDNEY"), ("脾大小正常", "US-SPLEEN"), ("未见TI-RADS 4类及以上结节", "US-THYROID"),
    ],
    ids=range(8),
)  # fmt: skip
def test_what_is_explained_as_usual_is_no_finding(text: str, item: str) -> None:
    found = read(text, item)
    assert (standing(found), found.unread) == (set(), ())


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("胰腺正常结构消失,见肿块", "US-PANC"), ("左肾肿块,正常变异?", "US-KIDNEY"), ("肝癌,属正常变异", "US-LIVER"), ("双肺占位,部分为血管瘤", "CT-CHEST"),
        ("腹痛,绝经后5年出血", "US-UTERUS"), ("加压后搏动消失", "US-CAROTID"),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_is_grave_is_not_explained_away(text: str, item: str) -> None:
    found = read(text, item)
    assert found.grave or found.unread


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("上次提示肝内占位,本次多切面扫查未探及", "US-LIVER"), ("胰腺癌待排?增强CT已排除,胰头形态正常", "US-PANC"), ("肺栓塞治疗6个月后,肺动脉内未见充盈缺损", "CT-CHEST"),
        ("原疑瓣叶赘生物,经食道超声已否定", "US-HEART"), ("心梗后3年,室壁运动正常", "US-HEART"), ("扭转无依据,囊肿4cm", "US-UTERUS"),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_was_or_ended_alarms_nobody(text: str, item: str) -> None:
    assert not read(text, item).grave


def test_what_was_only_said_another_time_is_listed() -> None:
    assert read("去年提示肺癌", "CT-CHEST").unread == ("去年提示肺癌",)


@pytest.mark.parametrize("text", ["胰腺显示不清,气体干扰", "肝脏未能显示"])
def test_an_organ_that_was_not_seen_is_listed(text: str) -> None:
    assert read(text, "US-LIVER").unread == (text,)
    assert read("胰尾部因气体干扰显示不清,余胰腺回声均匀", "US-PANC").unread == ()


@pytest.mark.parametrize(
    ("text", "item", "concept"),
    [
        ("右乳结节,BI-RADS 0", "US-BREAST", "BREAST-INCOMPLETE"), ("GGO 6mm", "CT-CHEST", "LUNG-NODULE"), ("宫腔内见节育器,下移", "US-UTERUS", "IUD-MISPLACED"),
        ("脾肋下2cm质硬", "ABDOMEN", "SPLENOMEGALY"), ("子宫内膜厚约16mm,回声不均", "US-UTERUS", "ENDOMETRIUM-UNEVEN"), ("脑室扩大", "CT-HEAD", "VENTRICLES-WIDE"),
    ],
    ids=range(6),
)  # fmt: skip
def test_a_finding_has_its_own_name(text: str, item: str, concept: str) -> None:
    assert concept in standing(read(text, item))


@pytest.mark.parametrize("text", ["莫氏II型AVB", "左叶结节1.1cm,中国超声分类4c", "宫腔空虚,左宫角外侧见环状回声2.1cm"])
def test_what_is_tersely_said_asks_for_a_person(text: str) -> None:
    found = read(text, "US-THYROID" if "4c" in text else "US-UTERUS")
    assert found.grave or found.unread


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("低剂量肺癌筛查:未检出肺结节", "CT-CHEST"), ("肝癌、胃癌等肿瘤风险评估:低风险", "CT-CHEST"), ("受控衰减 CAP 215dB/m,正常", "US-LIVER"),
        ("肱二头肌长头腱位于结节间沟", "XR-LSPINE"), ("增强强化一致", "CT-HEAD"), ("各关节红肿热痛均无", "LIMBS"), ("24小时动态心电图:室早3次,房早7次", "ECG"),
        ("检出0枚结节", "CT-CHEST"), ("肺结节随访:原5mm结节现已消失", "CT-CHEST"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_sought_measured_or_wholly_denied_is_no_finding(text: str, item: str) -> None:
    assert standing(read(text, item)) == set()


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("肺癌筛查发现右上肺癌", "CT-CHEST"), ("电轴正常,无病理性Q波,心房颤动,心室率152次/分", "ECG"), ("窦缓 32次/分", "ECG"), ("窄QRS心动过速 214次/分", "ECG"),
        ("VT 190次/分", "ECG"), ("V1-V5 ST弓背上抬0.3mV", "ECG"), ("ST压低0.4mV V2-V6", "ECG"), ("2:1 AVB", "ECG"), ("WPW+AF", "ECG"), ("颅底骨折", "CT-HEAD"),
        ("溃疡8mm,待病理排除恶性", "US-LIVER"), ("主动脉瓣口0.7cm2", "US-HEART"), ("输卵管增粗,内见胎芽胎心", "US-UTERUS"), ("膈下新月影", "CXR"),
        ("气胸较前吸收,仍压缩20%", "CXR"), ("胃间质瘤可能,大小3cm", "US-LIVER"), ("外阴溃疡,VSCC待排", "GYN-VULVA"),
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_tersely_told_alarms(text: str, item: str) -> None:
    assert read(text, item).grave


def test_many_extra_beats_are_told_even_in_a_day() -> None:
    assert "ECG-BEAT" in standing(read("24小时动态心电图:室早2365次", "ECG"))
    assert "ECG-BEAT" in standing(read("室早3次", "ECG"))
