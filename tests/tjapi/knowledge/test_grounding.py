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
