"""What words state is refused, asked or supported: hardly a false sentence passes in silence, and hardly a true one is asked. What a machine made never is."""

from collections import Counter
from uuid import UUID

import pytest

from tests.tjapi.knowledge.grounded import (
    HERS,
    HERS_FALSE,
    HERS_TRUE,
    HERS_UNEXAMINED,
    HIS,
    HIS_FALSE,
    HIS_TRUE,
    HIS_UNEXAMINED,
    MAN,
    WOMAN,
    exam,
    lines,
    verdict_of,
)
from tests.tjapi.knowledge.test_own_words import CONTENT, case_of, truth_of
from tjapi.knowledge.rules import evaluate
from tjapi.knowledge.schemas import RuleIn
from tjapi.knowledge.words import finding_line, told
from tjapi.result.service import Truth

pytestmark = pytest.mark.requirement("E3.4", "E4.3")

Exam = tuple[Truth, list[str], set[UUID]]


@pytest.fixture(scope="module")
def exams() -> dict[str, Exam]:
    return {"his": exam(MAN, HIS, HIS_UNEXAMINED), "hers": exam(WOMAN, HERS, HERS_UNEXAMINED)}


def _verdicts(of: Exam, text: str) -> tuple[Counter[str], dict[str, str]]:
    said = {one: verdict_of(*of, one) for one in lines(text)}
    return Counter(said.values()), said


@pytest.mark.parametrize(("who", "text"), [("his", HIS_FALSE), ("hers", HERS_FALSE)])
def test_hardly_a_false_sentence_passes_unasked(exams: dict[str, Exam], who: str, text: str) -> None:
    tally, said = _verdicts(exams[who], text)
    assert tally["passed"] <= len(said) * 0.03, [one for one, verdict in said.items() if verdict == "passed"]


@pytest.mark.parametrize(("who", "text"), [("his", HIS_TRUE), ("hers", HERS_TRUE)])
def test_hardly_a_true_sentence_is_asked_and_none_refused(exams: dict[str, Exam], who: str, text: str) -> None:
    tally, said = _verdicts(exams[who], text)
    assert tally["refused"] == 0, [one for one, verdict in said.items() if verdict == "refused"]
    assert tally["asked"] <= len(said) * 0.1, [one for one, verdict in said.items() if verdict == "asked"]


@pytest.mark.parametrize(
    ("who", "text", "words"),
    [
        ("his", "肝硬化，请肝病科就诊", ["肝硬化"]),
        ("his", "考虑右肾结石；痛风", ["痛风"]),
        ("his", "重度脂肪肝", ["重度脂肪肝"]),
        ("his", "前列腺61×50×48mm", ["61×50×48mm"]),
        ("his", "左耳听力正常", []),
        ("hers", "T值-3.2", ["T值-3.2"]),
        ("hers", "消瘦", []),
        ("hers", "HBV-DNA<20IU/mL", ["HBV-DNA<20"]),
    ],
)
def test_the_words_are_named_as_they_stand_there(exams: dict[str, Exam], who: str, text: str, words: list[str]) -> None:
    truth, advice, _ = exams[who]
    if words:
        assert truth.asked(text, advice) == words


def test_what_the_knowledge_base_advises_is_asked_of_nobody(exams: dict[str, Exam]) -> None:
    for truth, advice, _ in exams.values():
        assert [one for one in advice if truth.asked(one, advice)] == []


_ELSEWHERE = {
    "SEX-CONTRADICTORY": "it names what was examined of the other sex, which this person has not",
    "SAID-GI-MASS": "its example is a stomach under an item of the skin",
}
"""Machine text that would be asked, were it a person's: what is made anew word for word is not looked at."""


@pytest.mark.parametrize(
    "rule", [rule for rule in CONTENT.rules if rule.fires and rule.code not in _ELSEWHERE], ids=lambda rule: rule.code
)
def test_what_a_machine_says_of_a_finding_is_asked_of_nobody(rule: RuleIn) -> None:
    finding = next(one for one in CONTENT.findings if one.code == rule.finding)
    for example in rule.fires:
        case = case_of(example)
        verdict = evaluate(rule.condition, case)
        truth = truth_of(case, {finding.name}, set())
        said = [finding.name, finding_line(finding.name, verdict.clauses), told(verdict.clauses)]
        assert [(one, truth.asked(one)) for one in said if truth.asked(one)] == []


@pytest.fixture(scope="module")
def counted() -> Exam:
    """Return hers with a urine sediment, and a rhythm that is chosen though it is usual."""
    return exam(WOMAN, HERS | {"URBC-N": "3", "ECG": "窦性心律不齐", "GLU": "5.6"}, HERS_UNEXAMINED)


@pytest.mark.parametrize(
    "text",
    [
        "尿RBC 7个/ul",
        "尿红细胞7个/μL",
        "尿红细胞计数12个/HP",
        "心电图正常",
        "心电图未见异常",
        "窦性心律，心电图正常",
        "血糖5.6mg/dL",
        "葡萄糖5.6g/L",
        "血红蛋白98mg/L",
    ],
)
def test_a_count_a_unit_and_a_rhythm_that_are_others_are_asked(counted: Exam, text: str) -> None:
    assert verdict_of(*counted, text) != "passed"


@pytest.mark.parametrize(
    "text",
    [
        "尿RBC 3个/ul",
        "尿红细胞计数3个/μL",
        "心电图：窦性心律不齐",
        "血糖5.6mmol/L",
        "血红蛋白98g/L，贫血",
        "TSH 0.05mIU/L",
    ],
)
def test_the_same_count_unit_and_rhythm_pass(counted: Exam, text: str) -> None:
    assert verdict_of(*counted, text) == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "右叶结节9×6mm",
        "甲状腺结节TI-RADS 3类，右叶结节9×6mm",
        "TI-RADS 3类，右叶结节",
        "甲状腺右叶结节9×6mm，TI-RADS 3类",
        "左叶结节14×11mm，TI-RADS 3类",
    ],
)
def test_a_lesion_is_of_the_side_and_of_the_size_described_though_no_organ_is_named(
    exams: dict[str, Exam], text: str
) -> None:
    assert verdict_of(*exams["his"], text) != "passed"


@pytest.mark.parametrize(
    "text",
    [
        "左叶结节9×6mm，TI-RADS 3类",
        "TI-RADS 3类，甲状腺左叶结节9×6mm",
        "血脂：总胆固醇6.1mmol/L升高，HDL-C 1.30mmol/L正常，甘油三酯1.2mmol/L正常",
        "总胆固醇6.1mmol/L升高",
        "低密度脂蛋白4.2mmol/L偏高，高密度脂蛋白1.3mmol/L正常",
    ],
)
def test_a_quantity_is_no_size(exams: dict[str, Exam], text: str) -> None:
    assert verdict_of(*exams["his"], text) == "passed"
