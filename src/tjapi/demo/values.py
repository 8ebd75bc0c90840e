"""What an invented body shows: values that belong together and move slowly from year to year.

A person has a constitution, drawn once: build, what runs high, what was found by ultrasound. Each year adds a little drift and the noise
of a day. Values that are read off others are read off them (肥胖 → 血压, 血脂, 脂肪肝). It is a plausible crowd for a demonstration and no
epidemiology; nobody may conclude anything from it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from random import Random

from tjapi.catalog.models import Item, ItemRange
from tjapi.demo.people import Person
from tjapi.result.formulas import FORMULAS

_YEAR = 365.25
# Items without a model and without a range: what a laboratory sees, mean and standard deviation.
_USUAL: dict[str, tuple[float, float]] = {
    "RDW-CV": (12.9, 0.7), "MPV": (10.2, 0.9), "PDW": (12.6, 1.7), "PCT-PLT": (0.23, 0.04), "CHE": (8400, 1400), "PA": (285, 40),
    "AFU": (22, 5), "CYSC": (0.86, 0.11), "B2MG": (1.8, 0.3), "APOA1": (1.45, 0.2), "APOB": (0.92, 0.2), "CKMB": (14, 3),
    "HBDH": (142, 20), "PT": (11.8, 0.6), "INR": (1.0, 0.05), "APTT": (30, 3), "TT": (17, 1), "FT3": (4.9, 0.5), "FT4": (15.8, 1.9),
    "HE4": (46, 8), "URBC-N": (4, 3), "UWBC-N": (5, 4), "UEC-N": (4, 3), "UCAST-N": (0.2, 0.2), "ECG-QTC": (412, 14), "PVR": (8, 5),
    "TEMP": (36.5, 0.2), "RESP": (17, 1.4), "ECG-PR": (155, 16), "ECG-QRS": (92, 9), "IOP-R": (15, 2.2), "IOP-L": (15, 2.2),
}  # fmt: skip
_BALANCED = ("TCM-QX", "TCM-YX", "TCM-YIX", "TCM-TS", "TCM-SR", "TCM-XY", "TCM-QY", "TCM-TB")
_TYPES = dict(
    zip(_BALANCED, ("气虚质", "阳虚质", "阴虚质", "痰湿质", "湿热质", "血瘀质", "气郁质", "特禀质"), strict=True)
)
_CAVITIES, _NODULES = ("龋齿", "缺失牙", "阻生齿"), ("TI-RADS 2类", "TI-RADS 3类", "TI-RADS 4a类")


@dataclass(frozen=True, slots=True)
class Constitution:
    """What a person brings along, at the age at which they are first seen."""

    height: float
    bmi: float
    bmi_drift: float
    pressure: float
    sugar: float
    sugar_drift: float
    uric: float
    fats: float
    liver: float
    kidney: float
    blood: float
    thalassaemia: bool
    smokes: bool
    drinks: str
    findings: frozenset[str]


def constitution(person: Person) -> Constitution:
    """Return a person's constitution."""
    chance = person.random("constitution")
    man = person.sex == "male"
    bmi = max(17.2, chance.gauss(24.3 if man else 23.0, 3.1))
    odds = {
        "gallstone": 0.05, "polyp": 0.06, "kidney_stone": 0.07, "kidney_cyst": 0.08, "liver_cyst": 0.07, "nodule": 0.28, "lung_nodule": 0.16,
        "haemorrhoid": 0.16, "pharyngitis": 0.15, "calculus": 0.42, "caries": 0.25, "septum": 0.12, "varix": 0.04, "myopia": 0.4,
        "breast": 0.38, "cervix": 0.18, "myoma": 0.14, "hp": 0.3, "premature": 0.03, "bundle": 0.03, "spine": 0.04, "rhinitis": 0.08,
    }  # fmt: skip
    found = {name for name, odd in odds.items() if chance.random() < odd}
    if chance.random() < max(0.05, (bmi - 22) * 0.13):
        found.add("fatty_liver")
    diabetic = chance.random() < 0.05 + max(0, bmi - 24) * 0.012
    return Constitution(
        height=chance.gauss(169 if man else 158, 5.8), bmi=bmi, bmi_drift=chance.gauss(0.16, 0.35), pressure=chance.gauss(0, 9.5),
        sugar=chance.gauss(1.6 if diabetic else 0, 0.7 if diabetic else 0.28), sugar_drift=abs(chance.gauss(0.35 if diabetic else 0.05, 0.12)),
        uric=chance.gauss(368 if man else 282, 62), fats=chance.gauss(0, 1), liver=chance.gauss(0, 0.38), kidney=chance.gauss(0, 1),
        blood=chance.gauss(0, 1) - (1.9 if not man and chance.random() < 0.09 else 0), thalassaemia=chance.random() < 0.07,
        smokes=man and chance.random() < 0.38, drinks=chance.choices(("从不", "偶尔", "经常"), (4, 4, 2) if man else (8, 2, 0))[0],
        findings=frozenset(found),
    )  # fmt: skip


def measured(
    person: Person, day: date, years_on: float, items: Iterable[tuple[Item, ItemRange | None]]
) -> dict[str, str]:  # fmt: skip
    """Return the values of a day by item code, as they are written; items that we compute ourselves are left out.

    `years_on` counts from the person's first exam.
    """
    body = constitution(person)
    chance = person.random(f"day {day.isoformat()}")
    steady = person.random("steady")
    numbers, texts = _models(person, body, (day - person.birth_date).days / _YEAR, years_on, chance)
    said: dict[str, str] = {}
    for item, normal in items:
        own = steady.gauss(0, 1)
        if item.code in FORMULAS or item.code in said:
            continue
        if item.kind in ("numeric", "computed"):
            number = numbers.get(item.code)
            if number is None:
                number = _usual(item, normal, own, chance)
            said[item.code] = f"{number:.{item.decimals or 0}f}"
        else:
            said[item.code] = texts.get(item.code) or item.normal_default or (item.choices or ["未见异常"])[0]
    return said


def _usual(item: Item, normal: ItemRange | None, own: float, chance: Random) -> float:
    """Return a value of an item that has no model of its own: mostly within the range, more often so for the same person."""
    z = 0.75 * own + 0.66 * chance.gauss(0, 1)
    if item.code in _USUAL:
        mean, spread = _USUAL[item.code]
        return max(mean + spread * z, mean * 0.05)
    low = float(normal.low) if normal is not None and normal.low is not None else None
    high = float(normal.high) if normal is not None and normal.high is not None else None
    if low is not None and high is not None:
        return (low + high) / 2 + (high - low) / 4.6 * z
    if high is not None:
        return high * math.exp(-0.85 + 0.36 * z)
    if low is not None:
        return low + abs(low) * max(0.05 + 0.12 * z + 0.2, -0.2)
    return 10 + z


def _models(
    person: Person, body: Constitution, age: float, years_on: float, chance: Random
) -> tuple[dict[str, float], dict[str, str]]:
    numbers, texts = _build(person, body, age, years_on, chance)
    _chemistry(person, body, age, years_on, chance, numbers)
    _cells(person, body, chance, numbers)
    _urine(chance, numbers, texts)
    _examined(person, body, age, chance, texts, numbers)
    _images(person, body, age, years_on, texts, numbers)
    _tongue(person, chance, numbers, texts)
    return numbers, texts


def _build(
    person: Person, body: Constitution, age: float, years_on: float, chance: Random
) -> tuple[dict[str, float], dict[str, str]]:
    man = person.sex == "male"
    bmi = min(max(body.bmi + body.bmi_drift * years_on + chance.gauss(0, 0.25), 16.8), 37)
    weight = bmi * (body.height / 100) ** 2
    waist = 45 + bmi * 1.62 + (4 if man else -1) + max(age - 45, 0) * 0.1 + chance.gauss(0, 1.6)
    systolic = 113 + (age - 30) * 0.42 + (bmi - 23) * 1.1 + body.pressure + chance.gauss(0, 5)
    diastolic = 71 + min(age - 30, 25) * 0.22 + (bmi - 23) * 0.7 + body.pressure * 0.6 + chance.gauss(0, 4)
    pulse = 73 + body.kidney * 6 + chance.gauss(0, 4)
    systolic = min(max(systolic, 88), 178)
    numbers = {
        "HEIGHT": body.height - max(age - 60, 0) * 0.08, "WEIGHT": weight, "WAIST": waist, "HIP": 62 + bmi * 1.38 + chance.gauss(0, 1.5),
        "SBP": systolic, "DBP": min(max(diastolic, 56), systolic - 22, 106), "PULSE": pulse, "HEART-RATE": pulse + chance.randint(-2, 2),
        "ECG-HR": pulse + chance.randint(-3, 3), "SPO2": min(99, 97.6 + chance.gauss(0, 0.7)), "BODYFAT": bmi * 1.2 + (-8 if man else 3) + age * 0.08,
        "GRIP": (44 if man else 27) - max(age - 40, 0) * 0.22 + chance.gauss(0, 2),
    }  # fmt: skip
    texts = {
        "HABIT-SMOKE": "现在吸" if body.smokes else "从不", "HABIT-ALCOHOL": body.drinks,
        "SYMPTOM": chance.choices(("无", "乏力", "头晕"), (92, 5, 3))[0],
    }  # fmt: skip
    return numbers, texts


def _chemistry(
    person: Person, body: Constitution, age: float, years_on: float, chance: Random, numbers: dict[str, float]
) -> None:  # fmt: skip
    man, bmi = person.sex == "male", numbers["WEIGHT"] / (body.height / 100) ** 2
    fat = "fatty_liver" in body.findings
    sugar = min(
        max(
            4.95
            + (age - 40) * 0.011
            + (bmi - 24) * 0.05
            + body.sugar
            + body.sugar_drift * years_on
            + chance.gauss(0, 0.2),
            3.7,
        ),
        14.5,
    )
    triglycerides = min(
        math.exp(0.1 + (bmi - 23) * 0.055 + body.fats * 0.36 + (0.22 if fat else 0) + chance.gauss(0, 0.16)), 9
    )
    hdl = min(max((1.22 if man else 1.42) - (bmi - 23) * 0.02 - body.fats * 0.1 + chance.gauss(0, 0.08), 0.7), 2.4)
    total = min(max(4.55 + (age - 40) * 0.012 + body.fats * 0.62 + chance.gauss(0, 0.22), 2.9), 8.6)
    alt = math.exp(math.log(23 if man else 17) + body.liver + (0.42 if fat else 0) + chance.gauss(0, 0.2))
    bilirubin = max(12.5 + body.kidney * 2.8 + chance.gauss(0, 2), 4)
    creatinine = max((78 if man else 58) + max(age - 50, 0) * 0.3 + body.kidney * 8 + chance.gauss(0, 3), 36)
    numbers |= {
        "GLU": sugar, "HBA1C": 4.1 + sugar * 0.27 + chance.gauss(0, 0.12), "TG": triglycerides, "HDL": hdl, "TC": total,
        "LDL": max(total - hdl - triglycerides / 2.6, 0.9), "UA": max(body.uric + (bmi - 23) * 7 + chance.gauss(0, 22), 130), "ALT": alt,
        "AST": max(alt * 0.55 + 10 + chance.gauss(0, 2), 9), "GGT": math.exp(math.log(alt) + (0.35 if body.drinks == "经常" else 0.05) + chance.gauss(0, 0.2)),
        "TBIL": bilirubin, "DBIL": bilirubin * 0.28, "TP": 74 + body.blood + chance.gauss(0, 2), "ALB": 46.4 + body.blood * 0.5 + chance.gauss(0, 1.2),
        "CREA": creatinine, "UREA": max(4.9 + max(age - 50, 0) * 0.02 + body.kidney * 0.6 + chance.gauss(0, 0.5), 2.2),
        "HCY": math.exp(math.log(13.2 if man else 10.6) + body.kidney * 0.16 + chance.gauss(0, 0.09)),
        "TSH": math.exp(0.68 + body.liver * 0.9 + chance.gauss(0, 0.15)), "TPSA": math.exp(-0.25 + max(age - 45, 0) * 0.028 + body.uric * 0 + body.fats * 0.3),
        "FPSA": math.exp(-1.6 + max(age - 45, 0) * 0.025 + body.fats * 0.2), "C13": chance.uniform(6, 28) if "hp" in body.findings else chance.uniform(0.3, 2.6),
        "VITD": max(24 + body.blood * 5 + chance.gauss(0, 3), 6), "HSCRP": math.exp(-0.3 + (bmi - 24) * 0.06 + chance.gauss(0, 0.6)),
        "ALP": max(76 + body.liver * 12 + chance.gauss(0, 6), 30), "UACR": math.exp(2.0 + max(sugar - 6, 0) * 0.25 + chance.gauss(0, 0.3)),
    }  # fmt: skip


def _cells(person: Person, body: Constitution, chance: Random, numbers: dict[str, float]) -> None:
    man = person.sex == "male"
    haemoglobin = max(
        (152 if man else 131) + body.blood * 8 - (9 if body.thalassaemia else 0) + chance.gauss(0, 2.5), 84
    )
    mean_cell = (71.5 if body.thalassaemia else 90.5) + body.liver * 4 + min(body.blood, 0) * 2.4
    mean_haemoglobin = mean_cell / 3.0 + chance.gauss(0, 0.25)
    red = haemoglobin / mean_haemoglobin
    white = min(
        max(math.exp(math.log(6.3) + body.fats * 0.14 + (0.12 if body.smokes else 0) + chance.gauss(0, 0.1)), 3.1), 13.5
    )
    shares = {
        "NEUT": 57 + body.fats * 5 + chance.gauss(0, 3), "LYMPH": 33 - body.fats * 4 + chance.gauss(0, 2.5), "MONO": 6.2 + chance.gauss(0, 0.8),
        "EOS": math.exp(0.75 + body.kidney * 0.45), "BASO": 0.5 + abs(chance.gauss(0, 0.12)),
    }  # fmt: skip
    whole = sum(shares.values())
    numbers |= {
        "HGB": haemoglobin, "MCV": mean_cell, "MCH": mean_haemoglobin, "RBC": red, "HCT": red * mean_cell / 1000, "WBC": white,
        "MCHC": haemoglobin / (red * mean_cell / 1000), "PLT": max(228 + body.uric * 0 + body.liver * 70 + chance.gauss(0, 12), 78),
    }  # fmt: skip
    for name, share in shares.items():
        numbers[f"{name}-P"] = share / whole * 100
        numbers[name] = white * share / whole


def _urine(chance: Random, numbers: dict[str, float], texts: dict[str, str]) -> None:
    if numbers["GLU"] > 9.5:
        texts["UGLU"] = "阳性(2+)" if numbers["GLU"] > 12 else "阳性(1+)"
    for code, odd in (("UPRO", 0.04), ("UBLD", 0.05), ("ULEU", 0.05), ("UKET", 0.02)):
        if chance.random() < odd:
            texts[code] = chance.choice(("弱阳性", "阳性(1+)"))
    if chance.random() < 0.03:
        texts["STOOL-OB"] = "阳性"


def _examined(
    person: Person, body: Constitution, age: float, chance: Random, texts: dict[str, str], numbers: dict[str, float]
) -> None:
    """What doctors see and feel."""
    found = body.findings
    sight = 4.5 + chance.uniform(-0.2, 0.2) if "myopia" in found else 5.0 + chance.choice((-0.1, 0, 0, 0.1))
    old = max(age - 45, 0) * 0.006
    numbers |= {
        "VA-R": sight - old, "VA-L": sight - old + chance.choice((-0.1, 0, 0.1)), "VAC-R": 5.0 - old, "VAC-L": 5.0 - old,
        "PTA-R": 12 + max(age - 45, 0) * 0.5 + abs(chance.gauss(0, 3)), "PTA-L": 12 + max(age - 45, 0) * 0.5 + abs(chance.gauss(0, 3)),
    }  # fmt: skip
    texts |= {
        "ANUS": "混合痔" if "haemorrhoid" in found else "未见异常", "THROAT": "慢性咽炎" if "pharyngitis" in found else "未见异常",
        "NOSE": "鼻中隔偏曲" if "septum" in found else "过敏性鼻炎" if "rhinitis" in found else "未见异常",
        "GUM": "牙结石" if "calculus" in found else "未见异常", "TEETH": _CAVITIES[person.number % 3] if "caries" in found else "未见异常",
        "VARIX": "有" if "varix" in found else "无", "SPINE": "侧弯" if "spine" in found else "正常", "COLOR-V": "色弱" if person.sex == "male" and person.number % 23 == 5 else "正常",
        "THYROID-PALP": "触及结节" if "nodule" in found and person.number % 5 == 0 else "未触及肿大",
        "LENS": "轻度混浊" if age > 66 else "透明", "FUNDUS": "视网膜动脉硬化" if numbers["SBP"] > 150 and age > 50 else "未见明显异常",
        "GYN-CERVIX": "柱状上皮异位" if "cervix" in found else "光滑", "GYN-UTERUS": "增大" if "myoma" in found and person.number % 4 == 0 else "正常大小",
        "ECG": "室性早搏" if "premature" in found else "不完全性右束支传导阻滞" if "bundle" in found else "窦性心动过缓" if numbers["ECG-HR"] < 59.5 else "正常心电图",
        "RHYTHM": "早搏" if "premature" in found else "齐", "PROSTATE-PALP": "增大" if age > 60 else "正常",
        "LEUK-CLEAN": "Ⅲ度" if "cervix" in found and person.number % 3 == 0 else "Ⅱ度",
        "TCT": "ASC-US" if "cervix" in found and person.number % 7 == 0 else "未见上皮内病变或恶性细胞", "HPV": "阳性" if "cervix" in found and person.number % 4 == 1 else "阴性",
    }  # fmt: skip


def _images(
    person: Person, body: Constitution, age: float, years_on: float, texts: dict[str, str], numbers: dict[str, float]
) -> None:
    """What is seen by ultrasound and X-ray; sizes grow a little with the years."""
    found, grown = body.findings, person.number % 7 * 0.3 + years_on * 0.25
    if "fatty_liver" in found:
        texts["US-LIVER"] = "肝脏大小正常,实质回声细密增强,后方回声衰减,提示脂肪肝"
    elif "liver_cyst" in found:
        texts["US-LIVER"] = f"肝右叶见一无回声区,大小约 {9 + grown:.0f}×{8 + grown:.0f} mm,边界清,提示肝囊肿"
    if "gallstone" in found:
        texts["US-GB"] = f"胆囊内见强回声团,大小约 {8 + grown:.0f} mm,后伴声影,可随体位移动,提示胆囊结石"
    elif "polyp" in found:
        texts["US-GB"] = f"胆囊壁见高回声隆起,大小约 {3.4 + grown:.1f} mm,不随体位移动,提示胆囊息肉"
    if "kidney_stone" in found:
        texts["US-KIDNEY"] = f"右肾集合系统内见强回声,大小约 {4 + grown:.0f} mm,后伴声影,提示右肾结石"
    elif "kidney_cyst" in found and age > 40:
        texts["US-KIDNEY"] = f"左肾见一无回声区,大小约 {11 + grown:.0f} mm,边界清,提示左肾囊肿"
    if "nodule" in found:
        grade = 0 if person.number % 3 else 1
        grade += 1 if person.number % 11 == 4 and years_on > 1.4 else 0
        texts["US-THYROID-TR"] = _NODULES[grade]
        texts["US-THYROID"] = (
            f"甲状腺左叶见一低回声结节,大小约 {4 + grown:.1f}×{3 + grown:.1f} mm,边界清,{_NODULES[grade]}"
        )
    if "breast" in found:
        grade_of = "BI-RADS 3类" if person.number % 6 == 1 else "BI-RADS 2类"
        texts["US-BREAST-BR"] = grade_of
        texts["US-BREAST"] = (
            f"双侧乳腺腺体结构稍紊乱,右乳外上象限见低回声结节,大小约 {6 + grown:.0f} mm,{grade_of},提示乳腺增生"
        )
    if "myoma" in found:
        texts["US-UTERUS"] = f"子宫前壁见低回声团,大小约 {18 + grown * 2:.0f} mm,边界清,提示子宫肌瘤"
    if "lung_nodule" in found:
        texts["CT-CHEST-LR"] = "2类"
        texts["CT-CHEST"] = f"右肺上叶见一实性小结节,直径约 {3.5 + grown:.1f} mm,边界清,建议年度随访"
    if age > 62:
        texts["CXR"] = "双肺纹理增粗,主动脉迂曲"
        texts["US-CAROTID"] = "双侧颈动脉内中膜增厚,左侧分叉处见斑块,大小约 8×2 mm"
        texts["US-PROSTATE"] = "前列腺增大,大小约 45×36×33 mm,提示前列腺增生"
    loss = max(age - 50, 0) * (0.075 if person.sex == "female" else 0.04)
    score = 0.4 - loss + body.blood * 0.4
    numbers |= {"BMD-T": score, "LVEF": 65 + body.blood * 3}
    texts["BMD"] = "骨质疏松" if score <= -2.5 else "骨量减少" if score < -1 else "骨量正常"
    stiff = 1120 + (age - 35) * 11 + (numbers["SBP"] - 120) * 5
    numbers |= {
        "BAPWV-R": stiff + 15,
        "BAPWV-L": stiff - 10,
        "ABI-R": 1.08 + body.blood * 0.03,
        "ABI-L": 1.09 + body.blood * 0.03,
    }


def _tongue(person: Person, chance: Random, numbers: dict[str, float], texts: dict[str, str]) -> None:
    """中医体质: a score for each of nine, and the highest of the biased ones where it is high."""
    for code in _BALANCED:
        numbers[code] = min(max(person.random(code).gauss(24, 9) + chance.gauss(0, 3), 0), 80)
    highest = max(_BALANCED, key=lambda code: numbers[code])
    balanced = numbers[highest] < 40
    numbers["TCM-PH"] = 72 if balanced else 52
    texts["TCM-TYPE"] = "平和质" if balanced else _TYPES[highest]
    texts |= {
        "TCM-TONGUE": "淡红" if balanced else "红", "TCM-COAT": "薄白" if balanced else "白腻", "TCM-PULSE": "平" if balanced else "弦",
    }  # fmt: skip
