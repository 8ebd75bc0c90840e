"""No advice harms whom a fellow condition makes another: what is told of drinking, eating and moving, against people whom it would hurt.

Every finding is made by its own example beside each condition, and what is then told is read clause by clause.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from tests.tjapi.shipped import CONTENT, case_of, findings_of, person_of
from tjapi.knowledge.rules import Case
from tjapi.knowledge.schemas import ExampleIn

pytestmark = pytest.mark.requirement("X15", "E5.1", "E4.4")

DRINK = r"多饮水|多喝水|大量饮水|足量饮水|饮水 ?\d{3,}|\d{4} mL|(?<!的)补水(?!的|方式)"
POTASSIUM = r"香蕉|橙|含钾|高钾|低钠盐|坚果|果汁|(?:宜|多吃?|增加|富含).*(?:豆|水果|蔬菜|薯|菜)"
PROTEIN = r"优质蛋白|(?:增加|保证|补充|多吃?).*蛋白|(?:增加|多喝).*奶|奶制品|补足钙|补钙|钙片|动物[血肝]|羊肉|黄豆"
HARD = r"有氧运动|力量训练|运动 ?\d|每周.*运动|多运动"
PURINE = r"内脏(?!脂肪)|动物(?:血|肝)|血[和与、]肝|海鲜|浓汤|羊肉|黄豆|赤小豆|啤酒"
SUGAR = r"大枣|桂圆|红糖|蜂蜜|果汁|增加.*主食"
RAYS = r"[做查补].*(?:(?<!O)CT|钼靶|X ?线|胸片)"
SLIM = r"减重|减去体重|减肥|山楂|桂圆|动物肝"
SAFE = re.compile(
    r"不|避免|勿|少[吃饮喝]|遵|先问|问医生|由.*(?:决定|医生)|听.*安排|医嘱|除外|暂停|停用|慎|产后|核对|吃过|告知医生|受限|控制"
)
"""A clause that says so is no advice to do it."""


@dataclass(frozen=True)
class Beside:
    """A condition that makes advice harmful: by which values it is known, and the words that may not be told then."""

    words: str
    values: Mapping[str, str]
    pregnant: bool = False


CONDITIONS = {
    "kidney-failure": Beside(f"{DRINK}|{POTASSIUM}|{PROTEIN}", {"EGFR": "12", "CREA": "500"}),
    "creatinine-300": Beside(f"{DRINK}|{POTASSIUM}|{PROTEIN}", {"CREA": "300"}),
    "known-kidney-disease": Beside(f"{DRINK}|{POTASSIUM}|{PROTEIN}", {"HISTORY": "慢性肾脏病"}),
    "potassium-high": Beside(POTASSIUM, {"K": "5.90"}),
    "heart-failure": Beside(f"{DRINK}|{HARD}", {"HISTORY": "心力衰竭"}),
    "weak-heart": Beside(f"{DRINK}|{HARD}", {"LVEF": "30"}),
    "pregnant": Beside(f"{SLIM}|{RAYS}|{HARD}", {}, pregnant=True),
    "gout": Beside(PURINE, {"HISTORY": "痛风"}),
    "diabetes": Beside(SUGAR, {"HISTORY": "糖尿病"}),
}
OWED = frozenset(
    {
        "BLADDER-MASS", "BLADDER-STONE", "BLADDER-WALL", "BREAST-INCOMPLETE", "BREAST-MASS", "FATTY-LIVER", "GB-MASS", "HYDRONEPHROSIS",
        "LIVER-MASS", "LUNG-MASS", "MEDIASTINUM-MASS", "PANCREAS-ABNORMAL", "PANCREAS-MASS", "RENAL-CYST", "RENAL-MASS", "RENAL-NODULE",
        "RENAL-STONE", "URETER-STONE",
    }
)  # fmt: skip
"""Findings of images whose texts are still to be mended, by code."""


def _case(example: ExampleIn, beside: Beside) -> Case | None:
    """Return the example's person with a condition besides, if it can be: what the example measured itself stays."""
    person = person_of(example)
    if beside.pregnant:
        if not 12 <= person.years <= 55:
            return None
        person = replace(person, sex="female", pregnant=True)
    elif person.pregnant or (beside.values.keys() & {"EGFR", "LVEF", "HISTORY"} and person.years < 18):
        return None
    if beside.values.keys() & example.values.keys():
        return None
    values = {**example.values, **beside.values}
    return case_of(person, values, example.before, example.repeats, example.called)


def _harmful(text: str, words: str) -> list[str]:
    # What stands in brackets for others does not undo the advice for whom it is known.
    clauses = [clause for clause in re.split(r"[。;:,]", re.sub(r"[((][^))]*[))]", "", text)) if clause]
    return [clause for clause in clauses if re.search(words, clause) and not SAFE.search(clause)]


@pytest.mark.parametrize("name", CONDITIONS)
def test_nothing_is_advised_that_a_fellow_condition_makes_harmful(name: str) -> None:
    beside = CONDITIONS[name]
    wrong: dict[str, list[str]] = {}
    for rule in CONTENT.rules:
        for example in rule.fires:
            case = _case(example, beside)
            if case is None:
                continue
            for advice, _ in findings_of(case):
                said = _harmful(f"{advice.advice};{advice.lifestyle or ''}", beside.words)
                if said and advice.code not in OWED:
                    wrong[advice.code] = said
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "harmful"),
    [
        ("多饮水,不憋尿", True),
        ("不要自行大量饮水", False),
        ("每日饮水 2000 mL 以上(心、肾功能不全者遵医嘱)", True),
        ("饮水量遵医嘱", False),
        ("每日饮水 2000 mL 以上;少吃内脏", True),
    ],
)
def test_a_clause_that_forbids_it_is_no_advice_to_do_it(text: str, harmful: bool) -> None:
    assert bool(_harmful(text, DRINK)) is harmful
