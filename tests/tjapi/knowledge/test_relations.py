"""Numbers that cannot stand beside each other are asked of a person: a sum, a product, and what the shipped rules make of them."""

from decimal import Decimal

import pytest

from tests.tjapi.knowledge.test_shipped_rules import read
from tests.tjapi.shipped import alerts_of, findings_of
from tjapi.knowledge.phrasing import in_words
from tjapi.knowledge.rules import Case, Condition, ConditionInvalidError, Known, check, evaluate, items_of

pytestmark = pytest.mark.requirement("E5.1", "E3.4", "X15")

PRESSURE: Condition = {"sum": {"of": {"DBP": "1", "SBP": "-1"}, "ge": "0"}}
BODY: Condition = {"product": {"of": {"BMI": "1", "HEIGHT": "2", "WEIGHT": "-1"}, "gt": "10600"}}


def _case(**values: str) -> Case:
    known = {
        code: Known(code, code, raw, Decimal(raw.lstrip("<")), "<" if raw[0] == "<" else "")
        for code, raw in values.items()
    }
    return Case("male", 45, known)


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        (PRESSURE, {"SBP": "80", "DBP": "120"}, True),
        (PRESSURE, {"SBP": "80", "DBP": "80"}, True),
        (PRESSURE, {"SBP": "120", "DBP": "80"}, False),
        (PRESSURE, {"SBP": "120"}, None),
        (PRESSURE, {"SBP": "120", "DBP": "<80"}, None),
        (BODY, {"BMI": "22.9", "HEIGHT": "170", "WEIGHT": "66"}, False),
        (BODY, {"BMI": "31.0", "HEIGHT": "170", "WEIGHT": "66"}, True),
        (BODY, {"BMI": "31.0", "HEIGHT": "170", "WEIGHT": "0"}, None),
    ],
)
def test_several_numbers_are_compared_together(
    condition: Condition, values: dict[str, str], holds: bool | None
) -> None:
    check(condition)
    assert evaluate(condition, _case(**values)).holds is holds


def test_each_number_is_a_reason_and_each_item_is_looked_at() -> None:
    verdict = evaluate(PRESSURE, _case(SBP="80", DBP="120"))
    assert (
        {one.known.item_code for one in verdict.clauses if one.known is not None}
        == {"SBP", "DBP"}
        == items_of(PRESSURE)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"sum": {"of": {"SBP": "1"}, "ge": "0"}},
        {"sum": {"of": {"SBP": "1", "DBP": "-1"}}},
        {"sum": {"of": {"SBP": "1", "DBP": "0"}, "ge": "0"}},
        {"product": {"of": {"SBP": "1", "DBP": "0.5"}, "ge": "0"}},
        {"product": {"of": ["SBP", "DBP"], "ge": "0"}},
    ],
)
def test_what_could_not_be_computed_is_refused(wrong: Condition) -> None:
    with pytest.raises(ConditionInvalidError):
        check(wrong)


def test_they_are_said_in_words() -> None:
    names = {"SBP": "收缩压", "DBP": "舒张压", "BMI": "体重指数", "HEIGHT": "身高", "WEIGHT": "体重"}
    assert in_words(PRESSURE, names) == "舒张压 − 收缩压 ≥ 0"
    assert in_words(BODY, names) == "体重指数 × 身高 的 2 次方 ÷ 体重 > 10600"


AT_ODDS = [
    # who, values, what is found of it, what alarms of it
    ("m45", "SBP=80 DBP=120", "PRESSURE-CONTRADICTORY", "IMP-PRESSURE-CONTRADICTORY"),
    ("m45", "SBP=118 DBP=116", "PRESSURE-CONTRADICTORY", "IMP-PRESSURE-CONTRADICTORY"),
    ("m60", "ECG=心房颤动 ECG-PR=160", "RHYTHM-CONTRADICTORY", "IMP-RHYTHM-CONTRADICTORY"),
    ("m60", "ECG=心房颤动 RHYTHM=齐", "RHYTHM-CONTRADICTORY", "IMP-RHYTHM-CONTRADICTORY"),
    ("m60", "ECG=心房颤动;窦性心动过缓", "RHYTHM-CONTRADICTORY", "IMP-RHYTHM-CONTRADICTORY"),
    ("m60", "ECG=三度房室传导阻滞 ECG-PR=160", "RHYTHM-CONTRADICTORY", "IMP-RHYTHM-CONTRADICTORY"),
    ("m60", "ECG=正常心电图 ECG-HR=140", "RHYTHM-CONTRADICTORY", "IMP-RHYTHM-CONTRADICTORY"),
    ("m60", "ECG-HR=150 PULSE=70", "RHYTHM-CONTRADICTORY", "IMP-RHYTHM-CONTRADICTORY"),
    ("m45", "HGB=88 RBC=5.05", "BLOOD-COUNT-CONTRADICTORY", "IMP-BLOOD-COUNT"),
    ("m45", "HGB=150 RBC=4.8 HCT=0.45 MCV=60", "BLOOD-COUNT-CONTRADICTORY", "IMP-BLOOD-COUNT-2"),
    ("m45", "HGB=150 RBC=4.8 MCH=20", "BLOOD-COUNT-CONTRADICTORY", "IMP-BLOOD-COUNT-2"),
    ("m45", "NEUT-P=60 LYMPH-P=60 MONO-P=5 EOS-P=2 BASO-P=1", "DIFFERENTIAL-CONTRADICTORY", ""),
    ("m45", "WBC=6 NEUT=9", "DIFFERENTIAL-CONTRADICTORY", ""),
    ("m45", "HEIGHT=170 WEIGHT=66 BMI=31", "BODY-CONTRADICTORY", ""),
    ("m45", "TBIL=12 DBIL=30", "CHEMISTRY-CONTRADICTORY", ""),
    ("m45", "TP=70 ALB=45 GLOB=40", "CHEMISTRY-CONTRADICTORY", ""),
    ("m45", "TC=3 HDL=1.5 LDL=3", "CHEMISTRY-CONTRADICTORY", ""),
    ("m60", "TPSA=2 FPSA=3", "CHEMISTRY-CONTRADICTORY", ""),
    ("f30", "UHCG=阴性 BHCG=900", "CHEMISTRY-CONTRADICTORY", ""),
    ("m45", "GLU=5.0 HBA1C=12", "GLUCOSE-CONTRADICTORY", ""),
    ("m45", "FT4=40 TSH=30", "THYROID-CONTRADICTORY", "IMP-THYROID-CONTRADICTORY"),
    ("m45", "GYN-UTERUS=正常大小", "SEX-CONTRADICTORY", "IMP-SEX-CONTRADICTORY"),
    ("m45", "TCT=未见上皮内病变或恶性细胞", "SEX-CONTRADICTORY", "IMP-SEX-CONTRADICTORY"),
    ("m45", "UHCG=阳性", "SEX-CONTRADICTORY", "IMP-SEX-CONTRADICTORY"),
    ("f45", "PROSTATE-PALP=正常", "SEX-CONTRADICTORY", "IMP-SEX-CONTRADICTORY"),
]


@pytest.mark.parametrize(("who", "said", "found", "alarming"), AT_ODDS)
def test_what_cannot_stand_beside_each_other_is_asked(who: str, said: str, found: str, alarming: str) -> None:
    case = read(who, said)
    assert found in {advice.code for advice, _ in findings_of(case)}
    assert set(alarming.split()) <= set(alerts_of(case))


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("m45", "SBP=118 DBP=76"),
        ("m78", "SBP=168 DBP=58"),
        ("m60", "ECG=心房颤动"),
        ("m60", "ECG=心房颤动 RHYTHM=心律绝对不齐 ECG-HR=96 PULSE=84"),
        ("m60", "ECG=正常心电图 ECG-PR=160 RHYTHM=齐 ECG-HR=70 PULSE=74"),
        ("m45", "HGB=150 RBC=5.0 HCT=0.45 MCV=90 MCH=30 MCHC=333"),
        ("m45", "HGB=105 RBC=6.2 HCT=0.36 MCV=58 MCH=17"),
        ("m45", "NEUT-P=60.1 LYMPH-P=30.2 MONO-P=6.1 EOS-P=2.8 BASO-P=0.9"),
        ("m45", "WBC=6.2 NEUT=3.7"),
        ("m45", "HEIGHT=170 WEIGHT=66 BMI=22.8"),
        ("f3", "HEIGHT=95 WEIGHT=14 BMI=15.5"),
        ("m45", "TBIL=12 DBIL=4 TP=72 ALB=45 GLOB=27 TC=5 HDL=1.3 LDL=3"),
        ("m60", "TPSA=2 FPSA=0.5"),
        ("f30", "UHCG=阴性 BHCG=3"),
        ("m45", "GLU=5.0 HBA1C=6.8"),
        ("f30", "GYN-UTERUS=正常大小 TCT=未见上皮内病变或恶性细胞 UHCG=阴性"),
        ("m45", "PROSTATE-PALP=正常"),
    ],
)
def test_what_goes_together_is_not_asked(who: str, said: str) -> None:
    case = read(who, said)
    assert [advice.code for advice, _ in findings_of(case) if advice.code.endswith("-CONTRADICTORY")] == []
    assert [
        code for code in alerts_of(case) if code.endswith("-CONTRADICTORY") or code.startswith("IMP-BLOOD-COUNT")
    ] == []
