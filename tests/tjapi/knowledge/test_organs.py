"""What a description says beside something else: figures, and the calm advice of a finding on an organ of which something cannot wait."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tjapi.knowledge import service
from tjapi.knowledge.descriptions import read
from tjapi.knowledge.lexicon import dictionary
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.service import Advice
from tjapi.knowledge.yielding import GIVES_WAY
from tjapi.result.service.alarming import alarms_of

pytestmark = pytest.mark.requirement("E3.4", "E5.1")

EDITION = service.in_memory(service.read_starter())


def advice_of(finding: str, said: Mapping[str, str], *, age: int = 50, pregnant: bool = False) -> Advice:
    values = {
        code: Known(code, code, text, chosen=(text,) if code in ("HISTORY", "UHCG", "GYN-ADNEXA") else ())
        for code, text in ((name.replace("_", "-"), text) for name, text in said.items())
    }
    fired = EDITION.fired("finding", Case("female", age, values, pregnant=pregnant))
    return next(one.rule.finding for one in fired if one.rule.finding is not None and one.rule.finding.code == finding)


@pytest.mark.parametrize(
    ("item", "text", "concept", "grave"),
    [
        ("US-LIVER", "腹主动脉内径18mm", None, False), ("US-LIVER", "腹主动脉最宽处约３．１ｃｍ", "AORTA-EMERGENCY", True),
        ("US-HEART", "升主动脉内径33mm", None, False), ("US-HEART", "升主动脉内径43毫米", "AORTA-WIDE", False), ("CT-CHEST", "升主动脉扩张达5.1厘米", "AORTA-WIDE", True),
        ("US-HEART", "PASP约28mmHg", None, False), ("US-HEART", "PASP约42mmHg", "PULMONARY-PRESSURE", False), ("US-HEART", "PASP：62mmHg", "PULMONARY-PRESSURE", True),
        ("US-HEART", "二尖瓣口面积4.2cm²", None, False), ("US-HEART", "二尖瓣口面积1.6cm²", "VALVE-STENOSIS", False), ("US-HEART", "主动脉瓣口面积0.8cm2", "VALVE-STENOSIS", True),
        ("US-HEART", "EF，66%", None, False), ("US-HEART", "EF，31%", "LV-FUNCTION", True), ("US-HEART", "EF由30%升至55%", None, False), ("US-HEART", "LVEF 0.33", "LV-FUNCTION", True),
        ("US-CAROTID", "IMT 0.8mm", None, False), ("US-CAROTID", "IMT约1.3mm", "CAROTID-IMT", False),
        ("US-BLADDER", "残余尿约20ml", None, False), ("US-BLADDER", "残余尿约120ml", "RESIDUAL-URINE", False), ("US-BLADDER", "残余尿约500毫升", "RESIDUAL-URINE", True),
        ("US-KIDNEY", "左肾集合系统分离6mm", "HYDRONEPHROSIS", False), ("US-KIDNEY", "左肾集合系统分离35mm", "HYDRONEPHROSIS", True),
        ("US-GB", "胆总管内径6mm", None, False), ("US-GB", "胆总管显示长度约4cm,内径5mm", None, False), ("US-GB", "胆总管内径1.1cm", "BILE-DILATED", False),
        ("US-GB", "胆总管内径1.8cm", "BILE-DILATED", True), ("US-HEART", "少量心包积液,左室后壁后方深28mm", "PERICARDIAL-EFFUSION", True),
        ("US-SPLEEN", "脾厚38mm,长108mm", None, False), ("US-SPLEEN", "脾厚52mm", "SPLENOMEGALY", False), ("US-SPLEEN", "脾厚85mm", "SPLENOMEGALY", True),
        ("US-HEART", "左室舒张末期内径48mm", None, False), ("US-HEART", "左室舒张末期内径62mm", "HEART-STRUCTURE", False), ("US-HEART", "左室舒张末期内径75mm", "HEART-STRUCTURE", True),
        ("US-UTERUS", "绝经后子宫,内膜厚3mm", None, False), ("US-UTERUS", "绝经后子宫,内膜厚8mm", "ENDOMETRIUM-THICK", False), ("US-UTERUS", "绝经后子宫,内膜厚13mm", "ENDOMETRIUM-THICK", True),
        ("US-UTERUS", "绝经6年,阴道流血。内膜厚6mm", "ENDOMETRIUM-THICK", True), ("US-UTERUS", "未绝经,内膜厚13mm", None, False),
    ],
    ids=range(38),
)  # fmt: skip
def test_a_figure_says_what_it_is_beside_its_word(item: str, text: str, concept: str | None, grave: bool) -> None:
    found = read(text, item)
    assert bool(found.grave) is grave, found
    assert concept is None or concept in {one.concept for one in found.mentions if one.stands and one.known}
    assert concept is not None or (found.unread, [one for one in found.mentions if one.known and one.stands]) == (
        (),
        [],
    )


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        ("THYROID-NODULE", {"US_THYROID": "左叶低回声结节8mm,内见微钙化"}), ("THYROID-NODULE", {"US_THYROID": "左叶结节8mm", "THYROID_PALP": "质硬固定"}),
        ("BREAST-HYPERPLASIA", {"US_BREAST": "双侧乳腺增生,左乳结节毛刺"}), ("LIVER-CYST", {"US_LIVER": "肝囊肿,肝右叶占位"}), ("LUNG-MARKINGS", {"CXR": "肺纹理增多,右侧气胸"}),
        ("UTERINE-FIBROID", {"US_UTERUS": "子宫肌瘤,短期内迅速增大"}), ("CAROTID-PLAQUE", {"US_CAROTID": "颈动脉斑块,左颈内动脉狭窄约80%"}),
        ("RENAL-CYST", {"US_KIDNEY": "左肾囊肿。右肾实性占位"}), ("GALLSTONE", {"US_GB": "胆囊结石,胆囊壁不规则增厚"}), ("OVARIAN-CYST", {"US_UTERUS": "右卵巢囊肿,囊壁见乳头状突起"}),
        ("ADNEXAL-MASS", {"US_UTERUS": "右附件区实性占位"}), ("VALVE-REGURGITATION", {"US_HEART": "二尖瓣轻度反流,心包大量积液"}),
    ],
    ids=range(12),
)  # fmt: skip
def test_calm_advice_gives_way_on_the_organ_of_something_that_cannot_wait(finding: str, said: dict[str, str]) -> None:
    told = advice_of(finding, said)
    assert (told.advice, told.recheck_days) == (GIVES_WAY, 1)


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        ("THYROID-NODULE", {"US_THYROID": "左叶结节8mm"}), ("UTERINE-FIBROID", {"US_UTERUS": "子宫肌瘤,右附件区实性占位"}), ("LIVER-CYST", {"US_LIVER": "肝囊肿", "CXR": "右侧气胸"}),
        ("LIVER-CYST", {"US_LIVER": "肝囊肿,未见占位"}), ("LIVER-MASS", {"US_LIVER": "肝右叶占位"}),
    ],
    ids=range(5),
)  # fmt: skip
def test_advice_stays_where_the_organ_has_nothing_that_cannot_wait_or_it_says_so_itself(
    finding: str, said: dict[str, str]
) -> None:
    assert advice_of(finding, said).advice != GIVES_WAY


@pytest.mark.parametrize(
    "said",
    [{"HISTORY": "肿瘤"}, {"US_BREAST": "右乳腺癌术后"}, {"US_LIVER": "肝脏占位"}, {}],
    ids=["history", "operated", "found", "said-there"],
)
def test_a_lung_nodule_of_somebody_who_has_or_had_a_tumour_is_not_called_mostly_benign(said: dict[str, str]) -> None:
    text = "右肺下叶结节5mm" if said else "乳腺癌术后,右肺下叶结节5mm"
    told = advice_of("LUNG-NODULE", {"CT_CHEST": text, **said})
    assert "绝大多数为良性" not in told.advice
    assert told.recheck_days == 14
    assert "绝大多数为良性" in advice_of("LUNG-NODULE", {"CT_CHEST": "右肺下叶结节5mm"}).advice


@pytest.mark.parametrize(
    ("said", "pregnant"),
    [({"US_UTERUS": "右附件区包块", "UHCG": "阳性"}, False), ({"US_UTERUS": "右附件区包块"}, True), ({"GYN_ADNEXA": "触及包块", "UHCG": "弱阳性"}, False)],
    ids=["test", "pregnant", "palpated"],
)  # fmt: skip
def test_a_mass_beside_a_pregnancy_is_for_today(said: dict[str, str], pregnant: bool) -> None:
    told = advice_of("ADNEXA-WHILE-PREGNANT", said, age=30, pregnant=pregnant)
    assert told.recheck_days == 1
    assert "ADNEXAL-MASS" in told.outranks


def fired(item: str, text: str, flag: str | None = None) -> set[str]:
    known = Known(item, item, text, flag=flag)
    return {
        one.rule.finding.code for one in EDITION.fired("finding", Case("female", 45, {item: known})) if one.rule.finding
    }


def test_whatever_a_description_is_known_to_name_is_found_whatever_was_examined() -> None:
    asked = {
        code
        for rule in EDITION.rules
        if rule.purpose == "finding" and rule.of_every
        for code in rule.condition["concept"]["in"]
    }
    book = dictionary()
    mild = {one.code for one in book.concepts.values() if not (one.grave or one.usual)}
    assert mild - asked - {one.concept.code for one in book.schemes.values()} == set()


@pytest.mark.parametrize(
    ("item", "text", "finding"),
    [
        ("CT-CHEST", "扫及胆囊结石", "GALLSTONE"), ("CT-CHEST", "甲状腺右叶结节", "THYROID-NODULE"), ("US-BREAST", "左乳结节", "BREAST-NODULE"), ("US-LIVER", "右肾囊肿", "RENAL-CYST"),
        ("CXR", "脊柱侧弯", "SPINE-CHANGE"), ("US-UTERUS", "宫颈纳氏囊肿", "NABOTHIAN-CYST"), ("US-THYROID", "颈部淋巴结肿大", "LYMPH-NODE"), ("SKIN", "面部湿疹", "SKIN-CHANGE"),
        ("ABDOMEN", "右侧腹股沟斜疝", "HERNIA"), ("CT-HEAD", "上颌窦炎", "SINUSITIS"), ("XR-LSPINE", "骨质疏松", "BONE-DENSITY-LOW"), ("CT-CHEST", "左肾上腺结节12mm", "ADRENAL-NODULE"),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_finding_that_is_named_beside_what_was_examined_is_not_silent(item: str, text: str, finding: str) -> None:
    assert finding in fired(item, text)


def test_a_choice_is_found_by_its_own_rule_alone() -> None:
    assert "RHINITIS" in fired("NOSE", "下鼻甲肥大")
    assert "RHINITIS" not in fired("NOSE", "下鼻甲肥大", flag="A")


@pytest.mark.parametrize(
    ("sex", "item", "text", "finding"),
    [("female", "US-BLADDER", "前列腺增生", "BPH"), ("male", "US-BLADDER", "子宫肌瘤", "UTERINE-FIBROID"), ("female", "GENITAL", "包皮过长", "PHIMOSIS"), ("male", "CT-CHEST", "扫及宫颈纳氏囊肿", "NABOTHIAN-CYST")],
    ids=["prostate", "uterus", "foreskin", "cervix"],
)  # fmt: skip
def test_an_organ_of_the_other_sex_is_asked_of_a_person_and_not_concluded(
    sex: str, item: str, text: str, finding: str
) -> None:
    case = Case(sex, 45, {item: Known(item, item, text)})
    other = Case({"male": "female", "female": "male"}[sex], 45, case.values)
    assert [one.rule.code for one in EDITION.fired("finding", case)] == []
    assert [one.rule.code for one in alarms_of(EDITION, case)] == ["TEXT-GRAVE"]
    assert finding in {one.rule.finding.code for one in EDITION.fired("finding", other) if one.rule.finding}
    assert alarms_of(EDITION, other) == []


MILD = [
    line.split("\t") for line in (Path(__file__).parents[2] / "corpora" / "mild.tsv").read_text("utf-8").splitlines()
]
"""What is not as it should be and asks nobody to come today: what was examined, and its words."""


@pytest.mark.parametrize(("item", "text"), MILD, ids=range(len(MILD)))
def test_nothing_that_is_not_as_it_should_be_is_silent(item: str, text: str) -> None:
    sex = "male" if item in ("US-PROSTATE", "GENITAL") else "female"
    case = Case(sex, 45, {item: Known(item, item, text)})
    assert [*EDITION.fired("finding", case), *alarms_of(EDITION, case), *read(text, item).unread] != []


@pytest.mark.requirement("E4.4", "E5.3")
def test_calm_advice_is_kept_for_where_a_person_dismisses_the_grave_words_and_nothing_else_is_grave() -> None:
    own = advice_of("THYROID-NODULE", {"US_THYROID": "左叶低回声结节8mm,内见微钙化"}).own
    assert own is not None
    assert own.advice == advice_of("THYROID-NODULE", {"US_THYROID": "左叶结节8mm"}).advice
    elsewhere = {"US_THYROID": "左叶结节8mm", "THYROID_PALP": "质硬固定"}
    assert advice_of("THYROID-NODULE", elsewhere).own is None, "what is grave elsewhere is not dismissed with it"
