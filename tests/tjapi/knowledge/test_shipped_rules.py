"""What a physician expects of the shipped rules, written by hand beside them: raw values through the shipped ranges, no flag that is injected.

Each line names everything that is found and everything that alarms: a finding too many fails as one too few does.
"""

import re
from typing import Any

import pytest

from tests.tjapi.shipped import CONTENT, HELD, Person, alerts_of, case_of, findings_of, person_of
from tjapi.knowledge.criticality import clocks_of
from tjapi.knowledge.rules import Case, Condition, evaluate

pytestmark = pytest.mark.requirement("X15", "E3.4", "E4.4", "E5.1")


def read(who: str, said: str) -> Case:
    """Return a case of a line: `f30p` is a pregnant woman of 30, `m3d` a boy of three days, `<GLU=7.2` what it was before, `+SBP=186` measured again."""
    found = re.fullmatch(r"([mf])(\d+)([dmy]?)(p?)", who)
    assert found is not None
    person = Person("male" if found[1] == "m" else "female", f"{found[2]}{found[3] or 'y'}", bool(found[4]))
    values: dict[str, str] = {}
    before: dict[str, list[str]] = {}
    repeats: dict[str, list[str]] = {}
    for part in said.split():
        code, raw = part.replace("_", " ").split("=", 1)
        if code[0] in "<+":
            (before if code[0] == "<" else repeats).setdefault(code[1:], []).append(raw)
        else:
            values[code] = raw
    return case_of(person, values, before, repeats)


def found_in(case: Case) -> set[str]:
    return {advice.code for advice, _ in findings_of(case)}


LINES = [
    # Blood pressure by grades; a single extreme value and a low one at once; rest asked for.
    ("m45", "SBP=118 DBP=76", "", ""),
    ("m45", "SBP=120 DBP=76", "BP-HIGH-NORMAL", ""),
    ("m45", "SBP=139 DBP=89", "BP-HIGH-NORMAL", ""),
    ("m45", "SBP=140 DBP=70", "HYPERTENSION", ""),
    ("m45", "SBP=118 DBP=90", "HYPERTENSION", ""),
    ("f18", "SBP=159 DBP=99", "HYPERTENSION", ""),
    ("m45", "SBP=160 DBP=70", "BP-GRADE-2", ""),
    ("m45", "SBP=179 DBP=109", "BP-GRADE-2", ""),
    ("m45", "SBP=180 DBP=100", "BP-GRADE-3", "IMP-BP-GRADE-3"),
    ("m45", "SBP=199 DBP=119", "BP-GRADE-3", "IMP-BP-GRADE-3"),
    ("m45", "SBP=240 DBP=140", "BP-EXTREME", "CRIT-BP-EXTREME"),
    ("m45", "SBP=182 DBP=100 SBP-2=181 DBP-2=98", "BP-EXTREME", "IMP-BP-GRADE-3 CRIT-BP-REST"),
    ("m45", "SBP=182 DBP=100 SBP-2=135 DBP-2=85", "BP-RESTED-NORMAL", "IMP-BP-GRADE-3"),
    ("m45", "SBP=182 DBP=100 SYMPTOM=胸痛", "BP-EXTREME", "IMP-BP-GRADE-3 CRIT-BP-SYMPTOM"),
    ("m45", "SBP=182 DBP=100 +SBP=186", "BP-EXTREME", "IMP-BP-GRADE-3 CRIT-BP-REST"),
    ("f25", "SBP=88 DBP=58", "HYPOTENSION", ""),
    ("f25", "SBP=90 DBP=60", "", ""),
    ("f25", "SBP=88 DBP=58 SYMPTOM=头晕", "BP-VERY-LOW", "CRIT-BP-LOW-SYMPTOM"),
    ("f25", "SBP=80 DBP=50", "BP-VERY-LOW", "CRIT-BP-LOW"),
    ("f25", "SBP=165 DBP=55", "BP-GRADE-2", ""),
    ("f25", "SBP=125 DBP=55", "BP-HIGH-NORMAL", ""),
    ("m10", "SBP=112 DBP=70", "", ""),
    ("m10", "SBP=150 DBP=70", "BP-HIGH-CHILD", "IMP-BP-CHILD"),
    ("m10", "SBP=205 DBP=70", "BP-EXTREME", "CRIT-BP-EXTREME"),
    ("f30p", "SBP=130 DBP=84", "", ""),
    ("f30p", "SBP=140 DBP=84", "BP-PREGNANCY", "IMP-BP-PREGNANCY"),
    ("f30p", "SBP=160 DBP=84", "BP-PREGNANCY-SEVERE", "CRIT-BP-PREGNANCY"),
    ("f30p", "SBP=120 DBP=112", "BP-PREGNANCY-SEVERE", "IMP-BP-GRADE-3 CRIT-BP-PREGNANCY"),
    ("f30p", "SBP=144 DBP=84 UPRO=阳性(2+)", "PREECLAMPSIA-SUSPECT", "IMP-BP-PREGNANCY CRIT-PREECLAMPSIA"),
    ("f30p", "SBP=118 DBP=74 UPRO=阳性(2+)", "PROTEINURIA", ""),
    # Glucose: one value waits for a second one.
    ("m45", "GLU=6.09", "", ""),
    ("m45", "GLU=6.1", "PREDIABETES", ""),
    ("m45", "GLU=7.0", "GLU-HIGH", ""),
    ("m45", "GLU=7.0 HBA1C=6.5", "DIABETES-GLU", ""),
    ("m45", "GLU=7.0 <GLU=7.3", "DIABETES-GLU", ""),
    ("m45", "GLU=7.0 <GLU=6.3", "GLU-HIGH", ""),
    ("m45", "GLU=7.0 GLU-2H=12.0", "GLU-HIGH", ""),
    ("m45", "OGTT-0=7.0 OGTT-2H=11.1", "DIABETES-GLU", ""),
    ("m45", "OGTT-0=5.5 OGTT-2H=7.8", "PREDIABETES", ""),
    ("m45", "GLU-2H=7.8", "POSTMEAL-GLUCOSE", ""),
    ("m45", "GLU-2H=11.1", "GLU-HIGH", ""),
    ("m45", "HBA1C=5.6", "", ""),
    ("m45", "HBA1C=5.7", "PREDIABETES", ""),
    ("m45", "HBA1C=6.5", "GLU-HIGH", ""),
    ("m60", "HISTORY=糖尿病 GLU=8.2", "DIABETES-GLU", ""),
    ("m45", "GLU=16.7", "GLU-VERY-HIGH", "CRIT-GLU-A"),
    ("m45", "GLU=22.2", "GLU-VERY-HIGH", "CRIT-GLU-HIGH"),
    ("m45", "OGTT-2H=22.2", "GLU-VERY-HIGH", "CRIT-OGTT-2H-HIGH"),
    ("m45", "GLU=3.8", "HYPOGLYCEMIA", ""),
    ("m45", "GLU=2.7", "HYPOGLYCEMIA", "IMP-GLU-LOW"),
    ("m45", "GLU=2.2", "HYPOGLYCEMIA", "CRIT-GLU-LOW"),
    ("m5", "GLU=3.5", "", ""),
    ("f30p", "GLU=5.0", "", ""),
    ("f30p", "GLU=5.1", "GLU-PREGNANCY", ""),
    ("f30p", "OGTT-0=5.0 OGTT-1H=9.9 OGTT-2H=8.4", "", ""),
    ("f30p", "OGTT-0=5.0 OGTT-1H=10.0 OGTT-2H=8.4", "GDM", ""),
    ("f30p", "OGTT-0=5.0 OGTT-1H=9.0 OGTT-2H=8.5", "GDM", ""),
    # Kidney: one exam is no disease, also where no range knows the age.
    ("m82", "CREA=400", "RENAL-FUNCTION", "IMP-CREA"),
    ("m82", "CREA=400 EGFR=12", "EGFR-FAILURE", "IMP-CREA IMP-EGFR"),
    ("m45", "CREA=654", "RENAL-FUNCTION", "CRIT-CREA"),
    ("m10", "CREA=265", "RENAL-FUNCTION", "CRIT-CREA-CHILD"),
    ("m45", "EGFR=90", "", ""),
    ("m45", "EGFR=75", "EGFR-MILD", ""),
    ("m70", "EGFR=75", "", ""),
    ("m45", "EGFR=59", "EGFR-LOW", ""),
    ("m45", "EGFR=45 CREA=150", "EGFR-LOW", ""),
    ("m70", "EGFR=59 <EGFR=52", "CKD", ""),
    ("m45", "EGFR=29", "EGFR-SEVERE", "IMP-EGFR"),
    ("m45", "UACR=29.9", "", ""),
    ("m45", "UACR=30.0", "ALBUMINURIA", ""),
    ("m45", "UACR=300.0", "ALBUMINURIA-SEVERE", "IMP-UACR"),
    # Anaemia by sex, age and pregnancy; first or known.
    ("m45", "HGB=130", "", ""),
    ("m45", "HGB=129", "HGB-LOW", ""),
    ("m45", "HGB=119", "ANEMIA", ""),
    ("f45", "HGB=115", "", ""),
    ("f45", "HGB=114", "HGB-LOW", ""),
    ("f45", "HGB=109", "ANEMIA", ""),
    ("f30p", "HGB=110", "", ""),
    ("f30p", "HGB=109", "ANEMIA", ""),
    ("m8", "HGB=118", "", ""),
    ("m8", "HGB=114", "ANEMIA", ""),
    ("f2", "HGB=109", "ANEMIA", ""),
    ("m45", "HGB=69", "ANEMIA", "IMP-HGB-SEVERE"),
    ("m45", "HGB=60", "ANEMIA", "CRIT-HGB-FIRST IMP-HGB-SEVERE"),
    ("m45", "HGB=60 <HGB=58", "ANEMIA", "IMP-HGB-SEVERE"),
    ("m45", "HGB=50 <HGB=48", "ANEMIA", "CRIT-HGB-LOW"),
    ("m45", "PLT=30", "THROMBOCYTOPENIA", "CRIT-PLT-LOW"),
    ("m45", "PLT=49", "THROMBOCYTOPENIA", "IMP-PLT-LOW"),
    ("m45", "PLT=1000", "THROMBOCYTOSIS", "CRIT-PLT-HIGH"),
    ("m45", "NEUT=0.50", "NEUTROPENIA", "CRIT-NEUT"),
    ("m1", "NEUT=0.85", "", ""),
    # Weight, lipids, uric acid: grown-ups who are not pregnant.
    ("m45", "BMI=28.0", "OBESITY", ""),
    ("m17", "BMI=28.0", "WEIGHT-CHILD", ""),
    ("f30p", "BMI=29.0", "", ""),
    ("m45", "TC=5.2", "TC-BORDERLINE", ""),
    ("m45", "TC=6.2", "TC-HIGH", ""),
    ("m45", "TG=1.7", "TG-BORDERLINE", ""),
    ("m45", "TG=2.3", "TG-HIGH", ""),
    ("m45", "TG=5.6", "TG-SEVERE", "IMP-TG"),
    ("m45", "LDL=3.4", "LDL-BORDERLINE", ""),
    ("m45", "LDL=4.1", "LDL-HIGH", ""),
    ("m45", "LDL=4.9", "LDL-SEVERE", "IMP-LDL"),
    ("f30p", "TC=6.5", "", ""),  # no range for the pregnant: a person says first what it is
    ("f30p", "TG=6.0", "", "IMP-TG"),  # and is called all the same
    ("m45", "UA=421", "URIC-ACID-HIGH", ""),
    ("m45", "UA=421 <UA=430", "HYPERURICEMIA", ""),
    ("m45", "WAIST=92 SBP=132 DBP=80 TG=1.8", "BP-HIGH-NORMAL CENTRAL-OBESITY METABOLIC-SYNDROME TG-BORDERLINE", ""),
    # Vital signs and criticals that any hospital has.
    ("m45", "SPO2=94", "HYPOXEMIA", ""),
    ("m45", "SPO2=92", "HYPOXEMIA", "IMP-SPO2"),
    ("m45", "SPO2=89", "HYPOXEMIA", "CRIT-SPO2"),
    ("m45", "TEMP=37.3", "FEVER", ""),
    ("m45", "TEMP=40.0", "FEVER", "CRIT-TEMP-HIGH"),
    ("m45", "TEMP=35.0", "HYPOTHERMIA", "CRIT-TEMP-LOW"),
    ("m45", "HEART-RATE=45", "BRADYCARDIA", "CRIT-HEART-RATE-LOW"),
    ("m45", "HEART-RATE=150", "TACHYCARDIA", "CRIT-HEART-RATE-HIGH"),
    ("f30p", "HEART-RATE=108", "", ""),
    ("m1", "HEART-RATE=130", "", ""),
    ("m45", "ECG-QTC=451", "QTC-LONG", ""),
    ("f45", "ECG-QTC=460", "", ""),
    ("m45", "ECG-QTC=500", "QTC-VERY-LONG", "CRIT-QTC"),
    ("m60", "CTNI=0.041", "TROPONIN-HIGH", "CRIT-CTNI"),
    ("m60", "HSCTNT=15", "TROPONIN-HIGH", "CRIT-HSCTNT"),
    ("m45", "APTT=70.0", "COAG-LONG", "CRIT-APTT"),
    ("m45", "FIB=1.00", "FIB-LOW", "CRIT-FIB"),
    ("m45", "K=6.2", "HYPERKALEMIA", "CRIT-K-HIGH"),
    ("m45", "K=2.8", "HYPOKALEMIA", "CRIT-K-LOW"),
    # Coded findings: types of block apart, cytology, the two tests of stool.
    ("m45", "ECG=一度房室传导阻滞", "AV-BLOCK-1", ""),
    ("m45", "ECG=二度Ⅰ型房室传导阻滞", "AV-BLOCK-2-I", ""),
    ("m45", "ECG=二度Ⅱ型房室传导阻滞", "AV-BLOCK-2-3", "CRIT-ECG-LETHAL"),
    ("m70", "RHYTHM=心律绝对不齐", "IRREGULAR-PULSE", "IMP-IRREGULAR-PULSE"),
    ("m70", "RHYTHM=心律绝对不齐 ECG=心房颤动", "ATRIAL-FIBRILLATION", "IMP-AF IMP-IRREGULAR-PULSE"),
    ("f45", "TCT=ASC-US", "TCT-ASCUS", ""),
    ("f45", "TCT=ASC-H", "TCT-ASCH", "IMP-TCT"),
    ("f45", "TCT=LSIL", "TCT-LSIL", "IMP-TCT-LSIL"),
    ("f45", "TCT=HSIL", "TCT-HSIL", "IMP-TCT"),
    ("f45", "GYN-UTERUS=触及包块", "PELVIC-MASS", "TEXT-GRAVE"),
    ("m44", "STOOL-OB=阳性", "STOOL-BLOOD", ""),
    ("m45", "STOOL-OB=阳性", "STOOL-BLOOD", "IMP-STOOL-OB"),
    ("m40", "STOOL-FIT=阳性", "FIT-POSITIVE", "IMP-STOOL-FIT"),
    ("m45", "TPAB=阳性 TRUST=阴性", "SYPHILIS-ANTIBODY", ""),
    ("m45", "TPAB=阳性 TRUST=阳性", "SYPHILIS-POSITIVE", ""),
    ("m45", "HIVAB=待确定", "HIV-TO-CONFIRM", ""),
    ("m60", "TPSA=6 PSA-R=0.25", "PSA-HIGH", ""),
    ("m60", "TPSA=6 PSA-R=0.15", "PSA-SUSPICIOUS", "IMP-PSA"),
    ("m55", "PG1=65 PGR=5.0", "", ""),
    ("m55", "PG1=65 PGR=2.5", "PG-LOW", ""),
    # Vision by either scale, bone by age.
    ("m45", "VAC-R=4.9 VAC-L=0.8", "", ""),
    ("m45", "VAC-R=4.8", "VISUAL-ACUITY", ""),
    ("m45", "VAC-L=0.7", "VISUAL-ACUITY", ""),
    ("m12", "VA-R=4.9", "VISUAL-ACUITY-NAKED", ""),
    ("m45", "VA-R=4.9", "", ""),
    ("f60", "BMD-T=-1.0", "", ""),
    ("f60", "BMD-T=-1.1", "OSTEOPENIA", ""),
    ("f60", "BMD-T=-2.5", "OSTEOPOROSIS", ""),
    ("f40", "BMD-T=-2.6", "BMD-LOW-YOUNG", ""),
    ("f17", "BMD-T=-2.6", "", ""),
    # Thyroid by two values.
    ("f45", "TSH=12 FT4=15", "TSH-HIGH", ""),
    ("f45", "TSH=12 FT4=9", "HYPOTHYROIDISM", ""),
    ("f45", "TSH=0.01 FT4=40", "HYPERTHYROIDISM", ""),
]


@pytest.mark.parametrize(
    ("who", "said", "found", "alarming"), LINES, ids=[f"{n:03d}-{x[0]}" for n, x in enumerate(LINES)]
)
def test_what_is_found_and_what_alarms(who: str, said: str, found: str, alarming: str) -> None:
    case = read(who, said)
    assert (found_in(case), set(alerts_of(case))) == (set(found.split()), set(alarming.split()))


ADVICE = [
    ("f30p", "HGB=100", "ANEMIA", "产科"),
    ("f30", "HGB=100", "ANEMIA", "月经"),
    ("m8", "HGB=100", "ANEMIA", "儿科"),
    ("m60", "HGB=100", "ANEMIA", "胃肠镜"),
    ("m60", "HGB=65 <HGB=64", "ANEMIA", "三日内"),
    ("m45", "SBP=146 DBP=92", "HYPERTENSION", "四周内"),
    ("m45", "SBP=146 DBP=92 HISTORY=高血压", "HYPERTENSION", "已确诊高血压"),
    ("m45", "SBP=146 DBP=92 GLU=7.5", "HYPERTENSION", "血糖"),
    ("m85", "SBP=146 DBP=92 HISTORY=高血压;糖尿病", "HYPERTENSION", "高龄"),
    ("f30p", "PLT=95", "THROMBOCYTOPENIA", "当日联系产科"),
    ("m45", "UA=430 HISTORY=痛风", "URIC-ACID-HIGH", "痛风史"),
    ("m45", "UA=430", "URIC-ACID-HIGH", "三个月内复查"),
    ("m45", "LDL=4.2 HISTORY=冠心病", "LDL-HIGH", "冠心病"),
    ("f30p", "UPRO=阳性(2+)", "PROTEINURIA", "子痫"),
    ("f30", "UBLD=阳性(1+)", "HEMATURIA", "月经"),
    ("m45", "UBLD=阳性(1+)", "HEMATURIA", "泌尿"),
    ("f30p", "HBSAG=阳性", "HBV-CARRIER", "产检"),
    ("m80", "GLU=7.4 HBA1C=6.8", "DIABETES-GLU", "低血糖"),
]


@pytest.mark.parametrize(
    ("who", "said", "finding", "words"), ADVICE, ids=[f"{n:02d}-{x[2]}" for n, x in enumerate(ADVICE)]
)
def test_advice_knows_the_person(who: str, said: str, finding: str, words: str) -> None:
    told = {advice.code: advice.advice for advice, _ in findings_of(read(who, said))}
    assert words in told[finding]


def test_what_a_variant_leaves_out_is_the_findings_own() -> None:
    base = HELD.findings["HYPERTENSION"]
    ((told, _),) = findings_of(read("m45", "SBP=146 DBP=92 HISTORY=高血压"))
    assert (told.name, told.see, told.lifestyle) == (base.name, base.see, base.lifestyle)
    assert told.advice != base.advice
    assert (told.recheck_days, base.recheck_days) == (14, 28)


def test_every_variant_is_told_to_somebody_and_never_to_everybody() -> None:
    """The first that holds wins: one that another always comes before would be an advice that nobody reads."""
    never = []
    for finding in CONTENT.findings:
        for n, variant in enumerate(finding.variants):
            earlier = [one["when"] for one in finding.variants[:n]]
            cases = [read(who, said) for who, said in _people_of(variant["when"])]
            chosen = [
                case for case in cases
                if evaluate(variant["when"], case).holds and not any(evaluate(one, case).holds for one in earlier)
            ]  # fmt: skip
            if not chosen or all(evaluate(variant["when"], case).holds for case in cases):
                never.append((finding.code, n))
    assert never == []


SEXES_AND_AGES = ("f30p", "f30", "f60", "m40d", "m3", "m10", "m15", "m16", "m30", "m60", "m68", "m75", "m85")


def _people_of(when: Condition) -> list[tuple[str, str]]:
    """Return people with values on either side of what a variant asks for."""
    said = ["HEIGHT=170", *_values(when)]
    return [(who, values) for who in SEXES_AND_AGES for values in said]


def _values(condition: Condition) -> list[str]:
    ((name, given),) = condition.items()
    if name in ("all", "any"):
        parts = [_values(one) for one in given]
        alone = [value for values in parts for value in values]
        return [*alone, " ".join(values[0] for values in parts if values)] if alone else []
    return _value_of(name, given) if name != "person" else []


def _value_of(name: str, given: dict[str, Any]) -> list[str]:  # noqa: PLR0911 - an answer for each kind of condition
    if name == "not":
        ((_, first),) = given.items()
        return [f"{first['item']}={first['ge']} <{first['item']}={first['ge']}"]
    if name == "is":
        return [f"{given['item']}={given['in'][0].replace(' ', '_')}"]
    if name == "change" and "by_le" in given:
        return [
            f"{given['item']}=85 <{given['item']}={85 + float(given['by_le']):g}",
            f"{given['item']}=128 <{given['item']}={128 + float(given['by_le']):g}",
        ]
    if name == "change":
        return [f"{given['item']}={100 * float(given['ratio_ge']):g} <{given['item']}=100"]
    if name == "value":
        bound = next(b for b in ("ge", "le", "lt", "gt") if b in given)
        shift = {"ge": "", "le": "", "lt": "-", "gt": "+"}[bound]
        number = float(given[bound]) + {"": 0, "-": -1, "+": 1}[shift] * 0.1
        return [f"{given['item']}={number:g}"]
    if name == "concept" and given["in"] == ["LIVER-MASS"]:
        return [f"{given['item']}=肝右叶占位"]
    return ["HGB=100"]


def test_a_disease_is_said_of_no_single_value_that_must_be_repeated() -> None:
    """Kind `disease` only for what meets its criteria: pressure, glucose, kidney function, uric acid and antibodies of one day do not."""
    kinds = {finding.code: (finding.kind, finding.icd10) for finding in CONTENT.findings}
    for code in ("HYPERTENSION", "BP-GRADE-2", "BP-GRADE-3"):
        assert kinds[code] == ("finding", "R03.0")
    for code in ("TCT-ASCUS", "TCT-ASCH", "TCT-LSIL", "TCT-AGC", "TCT-HSIL"):
        assert kinds[code] == ("finding", "R87.6")
    for code in (
        "GLU-HIGH",
        "EGFR-LOW",
        "RENAL-FUNCTION",
        "URIC-ACID-HIGH",
        "HBV-CARRIER",
        "HCV-POSITIVE",
        "PELVIC-MASS",
    ):
        assert kinds[code][0] == "finding", code


ASKED_FIRST = {"LIPID-PREGNANCY", "THYROID-PREGNANCY-UNJUDGED"}
"""Of values that no range judges: a person says first what they are."""


def test_what_fires_is_found_of_decided_values() -> None:
    """A rule over values that nobody judges would wait for a person each time: only those do of which that is meant."""
    waiting = set()
    for rule in CONTENT.rules:
        for example in rule.fires:
            person = person_of(example)
            case = case_of(person, example.values, example.before, example.repeats, example.called)
            if rule.code not in {one.rule.code for one in HELD.fired("finding", case.decided)}:
                waiting.add(rule.finding)
    assert waiting == ASKED_FIRST


def test_no_two_findings_are_the_same_thing() -> None:
    """Neither by name nor by condition: 低血糖 was there twice."""
    names = [finding.name for finding in CONTENT.findings]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    seen: dict[str, str] = {}
    for rule in CONTENT.rules:
        same = seen.setdefault(repr(rule.condition), rule.finding)
        assert same == rule.finding, (same, rule.finding)


def test_the_laboratorys_own_word_is_a_rule_and_alarms_of_each_value() -> None:
    held = HELD.of_any_item()
    assert held is not None
    assert (held.code, held.important_class) == ("LAB-CRITICAL", "A")
    called = case_of(Person(), {"NA": "130", "CL": "90"}, called=["NA", "CL"])
    assert alerts_of(called) == {"LAB-CRITICAL": "A"}
    assert alerts_of(case_of(Person(), {"NA": "130", "CL": "90"})) == {}


def test_the_clocks_are_policy_of_the_edition() -> None:
    assert HELD.clocks.due("A").total_seconds() == 10 * 60
    assert HELD.clocks.due("B").total_seconds() == 24 * 3600
    assert (HELD.clocks.again, HELD.clocks.highest_again, HELD.clocks.levels) == (10, 60, 5)
    slower = clocks_of({"A": 30, "levels": 3})
    assert (slower.due("A").total_seconds(), slower.due("B"), slower.levels) == (1800, HELD.clocks.due("B"), 3)
    for wrong in ({"C": 10}, {"A": 0}, {"levels": 10}):
        with pytest.raises(ValueError, match="clock"):
            clocks_of(wrong)


OLD_MAN = "CREA=400 EGFR=11 K=5.60 ECG=心房颤动 HGB=88 RBC=5.05"
TOLD = [
    # One old man: one deadline of one danger, and nothing called an error that may be true.
    ("m78", OLD_MAN, "EGFR-FAILURE", "今天 血钾", "次日"),
    ("m78", OLD_MAN, "HYPERKALEMIA", "今天 香蕉、橙子、果汁、土豆、菌菇、浓菜汤 低钠盐", "当日复查"),
    ("m78", OLD_MAN, "BLOOD-COUNT-CONTRADICTORY", "不能当作误差 今天", "不必紧张"),
    ("m45", "HGB=88 RBC=5.05", "BLOOD-COUNT-CONTRADICTORY", "三日内", "不必紧张"),
    ("m78", OLD_MAN, "ATRIAL-FIBRILLATION", "肾功能明显下降 不要自行停药或改量 120", "或有较重的贫血"),
    ("m60", "ECG=心房颤动 HGB=85", "ATRIAL-FIBRILLATION", "贫血 120", "肾功能明显下降"),
    ("m60", "ECG=心房颤动", "ATRIAL-FIBRILLATION", "不要自行停药或改量 120", ""),
    ("m60", "GLU=7.5 EGFR=25", "GLU-HIGH", "不要自行停药或改量", ""),
    ("m45", "K=5.60", "HYPERKALEMIA", "香蕉、橙子、果汁、土豆、菌菇、浓菜汤", ""),
    ("m45", "EGFR=25", "EGFR-SEVERE", "香蕉、橙子、果汁、土豆、菌菇、浓菜汤", ""),
    # Diabetes: what was done is not asked for; what is an emergency is called one.
    ("m45", "GLU=8.0 HBA1C=7.2 UKET=阴性", "DIABETES-GLU", "呼吸深快 立即 120 本次未查", "当日急诊"),
    ("m60", "GLU=8.0 HBA1C=7.2 HISTORY=糖尿病", "DIABETES-GLU", "呼吸深快 120 本次未查", ""),
    ("m80", "GLU=8.0 HBA1C=7.2", "DIABETES-GLU", "呼吸深快 120", ""),
    ("m12", "GLU=8.0 HBA1C=7.2", "DIABETES-GLU", "呼吸深快 120", ""),
    ("m12", "GLU=17.0", "GLU-VERY-HIGH", "当日", "三日内"),
    ("m45", "GLU=8.0 HBA1C=7.2 UGLU=阳性(2+)", "GLYCOSURIA", "一并处理", "请查空腹血糖"),
    ("m45", "UGLU=阳性(2+)", "GLYCOSURIA", "空腹血糖", ""),
    ("m45", "GLU=8.0 WAIST=95 TG=2.50", "METABOLIC-SYNDROME", "高密度脂蛋白 更严", ""),
    ("m80", "HISTORY=高血压 WAIST=95 TG=2.50", "METABOLIC-SYNDROME", "更严", ""),
    # A liver mass and its marker are one matter.
    ("m45", "US-LIVER=肝右叶占位 AFP=300", "LIVER-MASS-MARKER", "三日内", "生殖细胞 一周内"),
    ("m45", "US-LIVER=肝右叶占位 AFP=20", "LIVER-MASS-MARKER", "三日内", "两周内"),
    ("m45", "AFP=300", "AFP-VERY-HIGH", "生殖细胞 一周内", ""),
    # Pressure: what was measured again is said; when to call stands in the advice.
    ("m45", "SBP=205 DBP=100", "BP-EXTREME", "120 剧烈头痛", "休息后复测仍高"),
    ("m45", "SBP=205 DBP=100 SBP-2=190 DBP-2=100", "BP-EXTREME", "休息后复测仍高 120", "当场复测"),
    ("m45", "HBSAG=阳性", "HBV-CARRIER", "本次没做的", "未做的补查"),
    ("m45", "TPAB=阳性 TRUST=阳性", "SYPHILIS-POSITIVE", "隐私", "只告知您本人"),
    ("f30p", "HBSAG=阳性", "HBV-CARRIER", "", "只告知您本人"),
    ("m6m", "GLU=2.5", "HYPOGLYCEMIA", "喂奶", "降糖药"),
    ("m45", "GLU=2.8", "HYPOGLYCEMIA", "马上", "有心慌"),
    ("m45", "HSCRP=120", "HSCRP-HIGH", "当日", "心血管"),
    ("m45", "HSCRP=30", "HSCRP-HIGH", "两周内", ""),
]  # fmt: skip

TOGETHER = [
    ("m55", "US-LIVER=肝右叶占位 AFP=20", "LIVER-MASS-MARKER", 3),
    ("m55", "US-LIVER=肝右叶占位 AFP=300", "LIVER-MASS-MARKER", 3),
    ("m55", "US-LIVER=肝右叶占位 PIVKA2=120 CA199=90", "LIVER-MASS-MARKER", 3),
    ("m55", "CT-CHEST=肝右叶占位 CEA=12", "LIVER-MASS-MARKER", 3),
    ("m55", "US-LIVER=肝右叶低回声结节 AFP=60", "LIVER-NODULE-MARKER", 3),
    ("m55", "US-PANC=胰头占位,大小25×20mm CA199=90", "PANCREAS-MASS-MARKER", 7),
    ("m55", "US-GB=胆囊底部见实性占位 CA199=90 CEA=12", "GB-MASS-MARKER", 7),
    ("m55", "CT-CHEST=右肺上叶占位 CEA=12 CYFRA211=6", "LUNG-MASS-MARKER", 7),
    ("m55", "CT-CHEST-LR=4B类 PROGRP=100", "LUNG-MASS-MARKER", 7),
    ("f52", "US-UTERUS=右附件区包块 CA125=80", "OVARY-MASS-MARKER", 14),
    ("f52", "US-ORADS=O-RADS_4类 HE4=260", "OVARY-MASS-MARKER", 14),
    ("f52", "US-UTERUS=宫颈占位 SCC=4", "UTERUS-MASS-MARKER", 7),
    ("m66", "US-PROSTATE=前列腺内见低回声结节 TPSA=6.2", "PROSTATE-NODULE-MARKER", 14),
    ("m66", "PROSTATE-PALP=触及结节 TPSA=23", "PROSTATE-NODULE-MARKER", 14),
    ("f52", "US-BREAST-BR=BI-RADS_4b类 CA153=60", "BREAST-MASS-MARKER", 7),
    ("m55", "ANUS=触及肿物 CEA=12", "RECTAL-MASS-MARKER", 7),
    ("m55", "STOOL-FIT=阳性 CEA=12", "STOOL-BLOOD-MARKER", 14),
    ("m28", "GENITAL=右侧睾丸占位 AFP=60", "TESTIS-MASS-MARKER", 1),
    ("m55", "NASOPH=新生物 EBV-VCA=阳性", "NASOPHARYNX-MASS-MARKER", 7),
    ("f30", "US-UTERUS=右附件区包块 BHCG=300", "ADNEXA-WHILE-PREGNANT", 1),
]


@pytest.mark.parametrize(("who", "said", "code", "days"), TOGETHER)
def test_a_mass_and_the_marker_of_its_organ_are_one_conclusion(who: str, said: str, code: str, days: int) -> None:
    """With one deadline, the graver, and with both as its reasons."""
    case = read(who, said)
    ((advice, fired),) = findings_of(case)
    assert (advice.code, advice.recheck_days) == (code, days)
    assert set(case.values) == {c.known.item_code for one in fired for c in one.verdict.clauses if c.known is not None}


@pytest.mark.parametrize(("who", "said", "code", "words", "never"), TOLD)
def test_the_advice_fits_what_else_is_known(who: str, said: str, code: str, words: str, never: str) -> None:
    told = next(f"{a.advice}/{a.lifestyle}" for a, _ in findings_of(read(who, said)) if a.code == code)
    assert [word for word in words.split() if word not in told] == [], told
    assert [word for word in never.split() if word in told] == [], told
    if "120" in words.split():
        advice = next(a.advice for a, _ in findings_of(read(who, said)) if a.code == code)
        assert "120" in advice, "when to call stands in the advice, not in how to live"
