"""What must not be passed over in silence: of each line how urgently somebody is asked, and what the report tells, by raw values of real people.

A line: who, what was measured, the gravest class that alarms (A at once, B within the day, empty nobody), and what is found; `!CODE` is not found.
"""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.tjapi import starter
from tests.tjapi.knowledge.test_shipped_rules import found_in, read
from tests.tjapi.shipped import CONTENT, HELD, STARTER, Person, alerts_of, case_of, findings_of, person_of
from tjapi.conclusion.service import following
from tjapi.kernel.ids import uuid7
from tjapi.knowledge.rules import Case, Clause
from tjapi.knowledge.yielding import SEE_ALERT
from tjapi.result.service.alarming import every_alarm

pytestmark = pytest.mark.requirement("X15", "E3.4", "E5.1")

LINES = [
    # Anaemia of the young by their own limits, critical haemoglobin by age.
    ("m8m", "HGB=109", "", "ANEMIA"),
    ("m8m", "HGB=110", "", "!ANEMIA"),
    ("f15m", "HGB=109", "", "ANEMIA"),
    ("m4", "HGB=109", "", "ANEMIA"),
    ("m5", "HGB=114", "", "ANEMIA"),
    ("m11", "HGB=115", "", "!ANEMIA"),
    ("m12", "HGB=119", "", "ANEMIA"),
    ("f14", "HGB=120", "", "!ANEMIA"),
    ("m2m", "HGB=89", "", "ANEMIA"),
    ("m2m", "HGB=98", "", "!ANEMIA"),
    ("m5m", "HGB=96", "", "ANEMIA"),
    ("m8m", "HGB=69", "B", "ANEMIA"),
    ("m3", "HGB=65", "B", "ANEMIA"),
    ("m7", "HGB=79", "B", "ANEMIA"),
    ("m7", "HGB=80", "", "ANEMIA"),
    ("m8m", "HGB=60", "A", "ANEMIA"),
    ("m2d", "HGB=95", "A", ""),
    ("m2d", "HGB=223", "A", ""),
    ("m2d", "HGB=170", "", ""),
    ("m20d", "HGB=140", "", ""),
    # The newborn's bilirubin by the day.
    ("m0d", "TBIL=103", "A", ""),
    ("m1d", "TBIL=120", "", ""),
    ("m1d", "TBIL=154", "A", ""),
    ("m2d", "TBIL=205", "A", ""),
    ("m5d", "TBIL=260", "A", ""),
    ("m5d", "TBIL=350", "A", ""),
    ("m5d", "TBIL=200", "", ""),
    ("m5d", "TBIL=221", "B", ""),
    ("m40d", "TBIL=171", "A", ""),
    ("m40d", "TBIL=90", "B", ""),
    ("m40d", "DBIL=40", "B", ""),
    # Muscle, acids, pancreas, adrenals.
    ("m30", "CK=4999", "B", "CK-HIGH"),
    ("m30", "CK=5000", "A", "CK-VERY-HIGH"),
    ("m30", "CK=900", "", "CK-HIGH"),
    ("m12", "CK=6000", "A", ""),
    ("m45", "TCO2=10.0", "A", "TCO2-LOW"),
    ("m45", "TCO2=15.0", "B", "TCO2-LOW"),
    ("m45", "TCO2=20.0", "", "TCO2-LOW"),
    ("m45", "TCO2=40.0", "A", "TCO2-HIGH"),
    ("m45", "GLU=14.0 UKET=阳性(2+)", "A", "KETOACIDOSIS-SUSPECT"),
    ("m45", "GLU=12.0 TCO2=16.0", "A", "KETOACIDOSIS-SUSPECT"),
    ("m9", "GLU-R=12.0 UKET=阳性(3+)", "A", ""),
    ("m45", "GLU=5.0 UKET=阳性(2+)", "", "!KETOACIDOSIS-SUSPECT KETONURIA"),
    ("m9", "GLU=11.2", "A", ""),
    ("m9", "GLU=7.1", "B", "GLU-HIGH"),
    ("m45", "LPS=180", "B", "LIPASE-HIGH"),
    ("m45", "LPS=61", "", "LIPASE-HIGH"),
    ("m45", "LPS=180 SYMPTOM=腹痛", "A", ""),
    ("m45", "AMY=405 SYMPTOM=腹痛", "A", ""),
    ("m45", "TG=11.3 SYMPTOM=腹痛", "A", ""),
    ("f30p", "TG=11.3", "A", ""),
    ("m45", "CORT=82.0", "B", "CORTISOL-LOW"),
    ("m45", "CORT=82.0 NA=128", "A", "CORTISOL-LOW"),
    # Bands before the critical ones.
    ("m45", "UREA=36.0", "A", "UREA-HIGH"),
    ("m45", "UREA=22.0", "B", "UREA-HIGH"),
    ("m45", "CA=3.00", "B", "HYPERCALCEMIA"),
    ("m45", "CA=1.75", "B", "HYPOCALCEMIA"),
    ("m45", "MG=0.40", "A", "MAGNESIUM-ABNORMAL"),
    ("m45", "MG=0.50", "B", "MAGNESIUM-ABNORMAL"),
    ("m45", "MG=2.00", "A", "MAGNESIUM-ABNORMAL"),
    ("m45", "NA=124", "B", "HYPONATREMIA"),
    ("m45", "NA=156", "B", "HYPERNATREMIA"),
    ("m45", "K=3.00", "B", "HYPOKALEMIA"),
    ("m45", "K=6.00", "B", "HYPERKALEMIA"),
    ("m45", "P=0.32", "A", "PHOSPHATE-ABNORMAL"),
    ("m45", "P=0.48", "B", "PHOSPHATE-ABNORMAL"),
    ("m45", "CL=75", "A", "CHLORIDE-ABNORMAL"),
    ("m45", "CL=125", "A", "CHLORIDE-ABNORMAL"),
    ("m45", "PB=400", "B", "LEAD-HIGH"),
    ("m45", "PB=700", "A", "LEAD-HIGH"),
    ("m5", "PB=200", "B", "LEAD-HIGH"),
    ("m5", "PB=450", "A", "LEAD-HIGH"),
    ("f30p", "PB=100", "B", "LEAD-HIGH"),
    # The liver.
    ("m45", "AST=250", "B", "LIVER-ENZYME"),
    ("m45", "AST=600", "A", "LIVER-ENZYME"),
    ("m45", "TBIL=85 INR=1.50", "A", "LIVER-FAILURE-SUSPECT"),
    ("m45", "TBIL=84 INR=1.50", "", "!LIVER-FAILURE-SUSPECT"),
    ("m45", "TBIL=85", "B", "BILIRUBIN-HIGH"),
    ("m45", "ALT=160 TBIL=40", "B", "LIVER-ENZYME"),
    # Pregnancy.
    ("f30p", "SBP=138 DBP=84 SBP-2=144 DBP-2=86 UPRO=阳性(2+)", "A", "PREECLAMPSIA-SUSPECT"),
    ("f30p", "DBP-2=92 AST=80", "A", "PREECLAMPSIA-SUSPECT"),
    ("f30p", "SBP=150 CREA=98", "A", "PREECLAMPSIA-SUSPECT"),
    ("f30p", "SBP=150 UACR=300.0", "A", "PREECLAMPSIA-SUSPECT"),
    ("f30p", "SBP=144 SYMPTOM=头痛", "A", "PREECLAMPSIA-SUSPECT"),
    ("f30p", "SBP=118 DBP=74 PLT=90 AST=90", "A", "HELLP-SUSPECT"),
    ("f30p", "SBP=144 DBP=80 AST=30 CREA=60 PLT=200", "B", "BP-PREGNANCY !PREECLAMPSIA-SUSPECT"),
    ("f30p", "TBA=9.9", "", ""),
    ("f30p", "TBA=12.0", "B", "TBA-PREGNANCY"),
    ("f30p", "TBA=40.0", "A", "TBA-PREGNANCY"),
    ("f30p", "TSH=10.000", "B", "TSH-HIGH"),
    ("f30p", "TEMP=38.1", "B", "FEVER"),
    ("f30p", "LDL=5.5", "", "!LDL-SEVERE"),
    # Children: pressure, pulse, breath, fever, thyroid, weight.
    ("m7", "SBP=78 DBP=45", "B", "BP-LOW-CHILD"),
    ("m7", "SBP=82 DBP=50", "", "BP-LOW-CHILD"),
    ("m7", "SBP=64 DBP=40", "A", "BP-LOW-CHILD"),
    ("m7", "SBP=95 DBP=60", "", ""),
    ("m15", "SBP=74 DBP=45", "A", "BP-LOW-CHILD"),
    ("m10", "SBP=160 DBP=70", "A", "BP-HIGH-CHILD"),
    ("m10", "SBP=120 DBP=100", "A", "BP-HIGH-CHILD"),
    ("m10", "SBP=142 DBP=70", "B", "BP-HIGH-CHILD"),
    ("m16", "SBP=162 DBP=80", "B", "BP-HIGH-CHILD"),
    ("m2", "SBP=125 DBP=70", "B", ""),
    ("m8m", "HEART-RATE=225", "A", ""),
    ("m8m", "HEART-RATE=75", "A", ""),
    ("m9", "PULSE=130", "", "HEART-RATE-CHILD"),
    ("m9", "PULSE=60", "", "HEART-RATE-CHILD"),
    ("m9", "PULSE=90", "", "!HEART-RATE-CHILD"),
    ("m20d", "RESP=70", "A", ""),
    ("m3", "RESP=50", "A", "RESPIRATION-CHILD"),
    ("m3", "RESP=42", "B", "RESPIRATION-CHILD"),
    ("m9", "RESP=40", "A", "RESPIRATION-CHILD"),
    ("m16", "RESP=30", "A", "RESPIRATION-CHILD"),
    ("m40d", "TEMP=38.0", "A", "FEVER"),
    ("m5m", "TEMP=38.0", "", "FEVER"),
    ("m5", "TSH=12.000", "B", "TSH-HIGH"),
    ("m5", "TSH=3.000", "", "!TSH-HIGH"),
    ("m9", "FT4=8.00", "B", ""),
    ("m20d", "TSH=25.000", "B", ""),
    ("m7", "BMI=13.2", "", "THIN-CHILD"),
    ("f12", "BMI=14.8", "", "!THIN-CHILD"),
    ("f12", "BMI=13.9", "", "THIN-CHILD"),
    ("m10", "LDL=3.60", "", "LIPID-CHILD"),
    ("m10", "LDL=4.95", "B", "LIPID-CHILD"),
    ("m3", "PLT=420", "", "!THROMBOCYTOSIS"),
    ("m2m", "PLT=610", "", ""),
    ("m4m", "FONTANEL=隆起", "A", "FONTANEL-ABNORMAL"),
    # Heart and lungs: two findings together that nobody lets go home.
    ("m30", "ECG=心房颤动;预激综合征", "A", "ATRIAL-FIBRILLATION"),
    ("m60", "ECG=心房颤动 ECG-HR=135", "A", "ATRIAL-FIBRILLATION"),
    ("m60", "ECG=心房颤动 SYMPTOM=胸痛", "A", "ATRIAL-FIBRILLATION"),
    ("m60", "ECG=室性心动过速", "A", "ECG-LETHAL"),
    ("m60", "ECG=心室颤动", "A", "ECG-LETHAL"),
    ("m60", "SYMPTOM=胸痛 ECG=ST-T改变", "A", "CHEST-PAIN-URGENT"),
    ("m60", "SYMPTOM=气促 ECG=异常Q波", "A", "CHEST-PAIN-URGENT"),
    ("m60", "SYMPTOM=胸痛 DDIMER=2.00", "A", "CHEST-PAIN-URGENT"),
    ("m60", "SYMPTOM=气促 NTPROBNP=900", "A", "CHEST-PAIN-URGENT"),
    ("m60", "SYMPTOM=胸痛 CKMB=40", "A", "CHEST-PAIN-URGENT"),
    ("m60", "SYMPTOM=胸闷 ECG=ST-T改变", "B", "!CHEST-PAIN-URGENT"),
    ("m60", "SYMPTOM=胸痛 ECG=正常心电图", "", "!CHEST-PAIN-URGENT"),
    ("m60", "ECG=ST-T改变", "", "ST-T-CHANGE !CHEST-PAIN-URGENT"),
    ("m60", "NTPROBNP=1800", "B", "NTPROBNP-HIGH"),
    ("m60", "CKMB=60", "B", "CKMB-HIGH"),
    ("m60", "DDIMER=5.00", "B", "DDIMER-HIGH"),
    # Blood counts.
    ("m45", "WBC=20.0", "B", "LEUKOCYTOSIS"),
    ("m45", "WBC=2.0", "B", "LEUKOPENIA"),
    ("m6m", "WBC=32.0", "A", "LEUKOCYTOSIS"),
    ("m70", "LYMPH=12.00", "B", "LYMPHOCYTOSIS"),
    ("m45", "LYMPH=0.50", "B", "LYMPHOPENIA"),
    ("m45", "EOS=1.60", "", "EOSINOPHILIA"),
    ("m45", "EOS=5.00", "B", "EOSINOPHILIA"),
    ("m45", "HGB=95 PLT=80 WBC=2.5", "B", "PANCYTOPENIA"),
    ("m45", "HGB=95 PLT=80 WBC=5.0", "", "!PANCYTOPENIA"),
    ("m45", "HGB=88 RBC=5.05", "B", "BLOOD-COUNT-CONTRADICTORY !ANEMIA"),
    ("m45", "HGB=88 RBC=4.60 MCV=88", "B", "BLOOD-COUNT-CONTRADICTORY !ANEMIA"),
    ("m45", "HGB=88 HCT=0.420", "B", "BLOOD-COUNT-CONTRADICTORY !ANEMIA"),
    ("m45", "HGB=88 RBC=4.60 MCV=64", "", "ANEMIA !BLOOD-COUNT-CONTRADICTORY"),
    ("m45", "HGB=150 RBC=5.00 HCT=0.450", "", "!BLOOD-COUNT-CONTRADICTORY"),
    ("m60", "CREA=120 <CREA=75", "B", "CREATININE-RISE"),
    ("m60", "CREA=240 <CREA=75", "A", "CREATININE-RISE"),
    ("m60", "CREA=90 <CREA=55", "", "!CREATININE-RISE"),
    ("m45", "INR=3.00", "B", "COAG-LONG"),
    ("m45", "APTT=60.0", "B", "COAG-LONG"),
    ("m45", "PT=30.0", "A", "COAG-LONG"),
    # What no rule found.
    ("m45", "STOOL-C=黑色", "B", "STOOL-BLACK-RED"),
    ("m45", "STOOL-C=红色 HGB=85", "A", "STOOL-BLACK-RED"),
    ("m45", "STOOL-C=陶土色", "", "STOOL-CLAY"),
    ("m45", "STOOL-F=脓血", "", "STOOL-FORM"),
    ("m45", "UCOLOR=红色", "", "URINE-COLOR"),
    ("m45", "FT4=30.00", "", "THYROID-HORMONE-HIGH"),
    ("m45", "FT3=12.00", "", "THYROID-HORMONE-HIGH"),
    ("m45", "TSH=0.010 FT4=30.00", "", "HYPERTHYROIDISM !THYROID-HORMONE-HIGH"),
    ("m45", "FT4=8.00", "", "THYROID-HORMONE-LOW"),
    ("m45", "FT4=45.00 PULSE=132", "A", ""),
    ("m45", "GLU-2H=3.0", "", "HYPOGLYCEMIA"),
    ("m45", "GLU-2H=2.5", "A", "HYPOGLYCEMIA"),
    ("m45", "GLU-R=2.5", "A", "HYPOGLYCEMIA"),
    # Inflammation, tumour markers, proteins, what fell since the last exam.
    ("m45", "PCT=2.0", "B", "PROCALCITONIN-HIGH"),
    ("m45", "PCT=10.0", "A", "PROCALCITONIN-HIGH"),
    ("m45", "CRP=100.0", "B", "CRP-HIGH"),
    ("m45", "CRP=60.0", "", "CRP-HIGH"),
    ("m60", "CEA=20.00", "B", "CEA-HIGH"),
    ("m60", "CEA=8.00", "", "CEA-HIGH"),
    ("m60", "CA199=370.0", "B", "CA199-HIGH"),
    ("f60", "CA125=200.0", "B", "CA125-HIGH"),
    ("f30p", "CA125=210.0", "", ""),
    ("f60", "CA153=100.0", "B", "CA153-HIGH"),
    ("m60", "CYFRA211=10.00", "B", "CYFRA-HIGH"),
    ("m60", "PIVKA2=400.0", "B", "PIVKA-HIGH"),
    ("m60", "PIVKA2=60.0", "", "PIVKA-HIGH"),
    ("m60", "PROGRP=200.0", "B", "PROGRP-HIGH"),
    ("m45", "ALB=20.0", "B", "ALBUMIN-LOW"),
    ("m60", "HGB=105 <HGB=140", "B", "ANEMIA"),
    ("m60", "HGB=132 <HGB=165", "", ""),
    ("m2m", "HGB=205", "A", ""),
    # Far outside, and nobody was told.
    ("m6", "CTNI=0.100", "A", ""),
    ("m6m", "HSCTNT=120", "A", ""),
    ("m6", "HBA1C=7.0", "B", ""),
    ("m6", "LYMPH=16.00", "B", "LYMPHOCYTOSIS"),
    ("m45", "LDH=1000", "B", "LDH-HIGH"),
    ("m45", "UPRO-24H=3.50", "B", "PROTEINURIA-24H"),
    ("m6", "UPRO-24H=1.00", "B", ""),
    ("m45", "UA=800", "B", "URIC-ACID-HIGH"),
    ("m45", "HBA1C=11.0", "B", "GLU-HIGH"),
    ("m45", "ALP=450", "B", "ALP-HIGH"),
    ("m45", "GGT=600", "B", "GGT-HIGH"),
    ("m45", "TBA=100", "B", "TBA-HIGH"),
    ("m45", "TSH=50.000", "B", "TSH-HIGH"),
    ("m45", "CORT=1400", "B", "CORTISOL-HIGH"),
    ("m45", "ECG-PR=400", "B", ""),
    ("m45", "ECG-QTC=300", "B", "QTC-SHORT"),
    ("m45", "IOP-R=5", "B", ""),
    ("m45", "MCHC=230", "B", "BLOOD-COUNT-CONTRADICTORY"),
    ("m60", "GLOB=55.0", "B", "GLOBULIN-HIGH"),
    ("m60", "IGG=35.00", "B", ""),
    ("m45", "FERR=2000.0", "B", ""),
    ("f30p", "DDIMER=10.00", "B", ""),
    ("f30p", "CREA=97", "B", "RENAL-FUNCTION"),
    ("f30p", "PLT=95 LDH=700", "A", "HELLP-SUSPECT"),
    ("m2d", "WBC=50.0", "A", ""),
    ("f25", "BMI=13.9", "B", "UNDERWEIGHT"),
    ("m70", "PVR=400", "B", ""),
    ("m45", "HCY=100.0", "B", "HCY-HIGH"),
    # What is measured often, and no rule spoke of.
    ("m45", "CYSC=1.50", "", "CYSTATIN-HIGH"),
    ("m45", "PTH=80.0", "", "PTH-ABNORMAL"),
    ("m45", "PTH=80.0 CA=2.80", "", "PTH-ABNORMAL"),
    ("m45", "B12=150", "", "B12-LOW"),
    ("m45", "FOL=3.0", "", "FOLATE-LOW"),
    ("m45", "DBIL=12.0", "", "DBIL-HIGH"),
    ("m45", "DBIL=12.0 TBIL=40.0", "", "BILIRUBIN-HIGH !DBIL-HIGH"),
    ("f30", "PRL=40.00", "", "PROLACTIN-HIGH"),
    ("f30", "PRL=200.00", "B", "PROLACTIN-HIGH"),
    ("m30", "TESTO=1.50", "", "TESTOSTERONE-LOW"),
    ("f30", "TPOAB=100.0", "", "THYROID-ANTIBODY"),
    ("m45", "MYO=90.0", "", "MYOGLOBIN-HIGH"),
    ("m45", "GA=18.0", "", "GLYCATED-ALBUMIN"),
    ("f60", "HE4=200.0", "", "HE4-HIGH"),
    ("m45", "EBV-DNA=1000", "", "EBV-DNA"),
    ("m45", "C3=0.50", "", "COMPLEMENT-LOW"),
    ("m45", "IGE=300.0", "", "IGE-HIGH"),
    ("m45", "UALB=30.0", "", "URINE-ALBUMIN"),
    ("m45", "URBC-N=40.0", "", "URINE-CELLS"),
    ("m45", "FEV1=60", "", "LUNG-VOLUME-LOW"),
    # Bounds that a stranger tried.
    ("m45", "GLU=2.8", "A", "HYPOGLYCEMIA"),
    ("m45", "GLU=2.81", "", "HYPOGLYCEMIA"),
    ("m45", "HCT=0.150", "A", ""),
    ("m45", "HCT=0.180", "B", ""),
    ("m45", "HCT=0.620", "A", ""),
    ("m10d", "HCT=0.620", "", ""),
    ("m10d", "HCT=0.660", "A", ""),
    ("m45", "CHE=1199", "B", ""),
    ("m45", "CHE=1200", "", ""),
    ("m5", "CHE=800", "B", ""),
    ("f30p", "CHE=800", "B", ""),
    ("m45", "HSCRP=120.00", "B", "HSCRP-HIGH"),
    ("m10d", "PCT=12.0", "B", ""),
    # Lipids by risk.
    ("m60", "LDL=1.90 HISTORY=冠心病", "", "LDL-ABOVE-TARGET"),
    ("m60", "LDL=1.70 HISTORY=冠心病", "", "!LDL-ABOVE-TARGET"),
    ("m60", "LDL=2.70 HISTORY=糖尿病", "", "LDL-ABOVE-TARGET"),
    ("m60", "LDL=2.70", "", "!LDL-ABOVE-TARGET"),
    ("m60", "LDL=4.20 HISTORY=冠心病", "", "LDL-HIGH !LDL-ABOVE-TARGET"),
]


@pytest.mark.parametrize(
    ("who", "said", "urgent", "found"), LINES, ids=[f"{n:03d}-{x[0]}-{x[1].split('=')[0]}" for n, x in enumerate(LINES)]
)
def test_whoever_is_in_danger_is_asked_after(who: str, said: str, urgent: str, found: str) -> None:
    case = read(who, said)
    classes = {str(important) for important in alerts_of(case).values()}
    have = found_in(case)
    assert min(classes, default="") == urgent, alerts_of(case)
    wanted, unwanted = {x for x in found.split() if x[0] != "!"}, {x[1:] for x in found.split() if x[0] == "!"}
    assert (wanted - have, unwanted & have) == (set(), set()), have


@pytest.mark.parametrize("item", ["PULSE", "HEART-RATE", "ECG-HR"])
def test_a_slow_pulse_is_one_alarm_however_it_was_counted(item: str) -> None:
    for value in ("45", "150"):
        assert len(alerts_of(read("m45", f"{item}={value} PULSE={value} HEART-RATE={value}"))) == 1


OTHERS = {
    "infant": Person("male", "2m"),
    "toddler": Person("female", "3y"),
    "child": Person("male", "10y"),
    "youth": Person("male", "16y"),
    "pregnant": Person("female", "30y", pregnant=True),
}
UNLIKE = {
    ("BMI", "infant"): "below six years growth is judged by curves, which are not in the content",
    ("BMI", "toddler"): "below six years growth is judged by curves, which are not in the content",
    ("IOP-R", "infant"): "nobody measures it in passing",
    ("IOP-L", "infant"): "nobody measures it in passing",
    ("IOP-R", "toddler"): "nobody measures it in passing",
    ("IOP-L", "toddler"): "nobody measures it in passing",
    ("AFP", "infant"): "newborns have tens of thousands, and it falls for a year",
    ("EGFR", "infant"): "the formula is of grown people: creatinine alarms",
    ("EGFR", "toddler"): "the formula is of grown people: creatinine alarms",
    ("EGFR", "child"): "the formula is of grown people: creatinine alarms",
    ("EGFR", "youth"): "the formula is of grown people: creatinine alarms",
    ("PRL", "pregnant"): "it rises tenfold and more by itself until the birth",
}
"""What alarms of a grown man and not of somebody else, at the very end of what is plausible, and why."""


@pytest.mark.parametrize("who", OTHERS)
def test_what_alarms_of_a_grown_up_alarms_of_everybody(who: str) -> None:
    """At the ends of what is plausible: no age and no pregnancy makes such a value harmless."""
    silent = set()
    for item in STARTER.items:
        if item.kind not in ("numeric", "computed"):
            continue
        limit = starter.LIMITS.get(item.code, {})
        for end in ("plausible_low", "plausible_high"):
            if limit.get(end) is None:
                continue
            raw = f"{limit[end]}"
            grown = any(alerts_of(case_of(Person(sex, "40y"), {item.code: raw})) for sex in ("male", "female"))
            if grown and not alerts_of(case_of(OTHERS[who], {item.code: raw})):
                silent.add((item.code, who))
    assert silent == {pair for pair in UNLIKE if pair[1] == who}


URGENT = re.compile(r"立即|马上|急诊|当日|当天|今天|今日|120|就地|当场|当即|不要离开")
"""Whoever reads it goes today."""


def _alarming(case: Case) -> list[Clause]:
    grave = (one for one in every_alarm(HELD, case) if one.rule.important_class == "A" and not one.rule.of_every)
    return [clause for one in grave for clause in one.verdict.clauses]


@pytest.mark.parametrize("rule", [r.code for r in CONTENT.critical if r.important_class == "A"])
def test_nobody_is_told_of_one_value_to_come_at_once_and_to_wait(rule: str) -> None:
    late = []
    for example in next(r for r in CONTENT.critical if r.code == rule).fires:
        case = case_of(person_of(example), example.values, example.before, example.repeats, example.called)
        numbers = {c.known.item_code for c in _alarming(case) if c.known is not None and c.known.numeric is not None}
        late += [
            (advice.code, advice.recheck_days, advice.advice)
            for advice, fired in findings_of(case)
            if any(c.known and c.known.item_code in numbers for one in fired for c in one.verdict.clauses)
            and ((advice.recheck_days or 0) > 1 or not URGENT.search(advice.advice))
        ]
    assert late == []


BESIDE = [
    ("m45", "ECG=心房颤动 ECG-HR=170 PULSE=170"),
    ("m45", "ECG=预激综合征;心房颤动 ECG-HR=170 HEART-RATE=170"),
    ("m45", "PULSE=38"),
    ("m45", "HEART-RATE=150"),
    ("m45", "IOP-R=40"),
    ("m45", "FIB=1.0"),
    ("m45", "RESP=8"),
    ("m45", "RESP=30"),
    ("m45", "TG=11.3 SYMPTOM=腹痛"),
    ("m45", "FT4=40.00 PULSE=130"),
    ("m9", "GLU=12.0 UKET=阳性(3+)"),
    ("m7", "SBP=78 DBP=45 SYMPTOM=头晕"),
    ("m5", "PB=450"),
    ("m45", "HGB=200"),
    ("m45", "PLT=1000"),
    ("m5", "HEART-RATE=200"),
]


@pytest.mark.parametrize(("who", "said"), BESIDE)
def test_what_stands_beside_a_critical_value_does_not_wait(who: str, said: str) -> None:
    case = read(who, said)
    assert "A" in alerts_of(case).values()
    late = {
        a.code: (a.recheck_days, a.advice)
        for a, _ in findings_of(case)
        if (a.recheck_days or 0) > 1 or not URGENT.search(a.advice)
    }
    assert late == {}


def test_what_is_not_why_a_choice_is_critical_keeps_its_own_advice() -> None:
    """An atrial premature beat is nobody's emergency for the block that was chosen beside it; nor is a liver for the pulse."""
    told = {a.code: a.advice for a, _ in findings_of(read("m45", "PULSE=38 ALT=60"))}
    assert (told["BRADYCARDIA"], told["LIVER-ENZYME"] != SEE_ALERT) == (SEE_ALERT, True)
    told = {a.code: a.advice for a, _ in findings_of(read("m45", "ECG=三度房室传导阻滞;早搏"))}
    assert [code for code, advice in told.items() if advice == SEE_ALERT] == []


def test_what_asks_to_act_at_once_itself_keeps_its_own_words() -> None:
    told = {a.code: a.advice for a, _ in findings_of(read("m45", "ECG=预激综合征;心房颤动 ECG-HR=170"))}
    assert "不要离开" in told["ATRIAL-FIBRILLATION"]
    assert (told["TACHYCARDIA"], told["PREEXCITATION"]) == (SEE_ALERT, SEE_ALERT)


def test_where_a_person_said_that_it_is_not_critical_the_finding_advises_itself() -> None:
    case, result_id = read("m45", "PULSE=38"), uuid7()
    case = replace(case, values={"PULSE": replace(case.values["PULSE"], result_id=result_id)})
    ((advice, fired),) = findings_of(case)
    exam = SimpleNamespace(id=uuid7(), campus_id=uuid7())
    told = [
        following._of_finding(exam, (advice, fired), alarming, calm).advice  # type: ignore[arg-type]
        for alarming, calm in (({}, {result_id}), ({}, set()), ({result_id: frozenset()}, set()))
    ]
    assert [one == SEE_ALERT for one in told] == [False, True, True]
