"""Grave words of a message that nobody could file alarm as its numbers do; whose it seems to be is proposed, and nothing is filed by it."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import OpenUnit, alerts_of, file, observation, report, state_of, visit
from tests.tjapi.result.test_door_alarms import _door, _raw
from tjapi.kernel import inbox
from tjapi.result.rules.notes import grave_sentence

pytestmark = pytest.mark.requirement("E3.5", "E5.2")

MASS, INFARCT = "右肺上叶见分叶状肿块38mm,考虑周围型肺癌", "急性前壁心肌梗死"
CALM = "双肺未见明显肿块及结节,心膈未见异常。"


def _text(words: str, code: str = "RIS-9", **changes: Any) -> LabObservation:
    return replace(observation(code, words), unit="", range_text="", value_type="TX", **changes)


@pytest.mark.parametrize("whose", ["another", "two", "nobody", "unnamed"])
@pytest.mark.parametrize("code", ["RIS-9", "CT-CHEST"])
@pytest.mark.parametrize(("words", "grave"), [(MASS, True), (INFARCT, True), (CALM, False), ("未见肺癌征象", False)])
async def test_grave_words_of_nobody_known_make_their_message_alarming(
    unit: OpenUnit, whose: str, code: str, words: str, grave: bool
) -> None:
    scene = await visit(unit, "GLU")
    said = report(scene, "GLU", _text(words, code))
    if whose == "another":
        said = replace(said, patient_name="另一人", exam_no=None)
    elif whose == "two":
        other = await visit(unit, "GLU")
        said = report(scene, "GLU", _text(words, code), barcode=other.barcodes["GLU"])
    else:
        said = report(scene, "GLU", _text(words, code), barcode="", placer_no=None)
        said = replace(said, exam_no=None) if whose == "unnamed" else said
    filing = await file(unit, said)
    assert filing.outcome in ("quarantined", "unmatched")
    assert filing.detail.get(inbox.ALARMING) == ([code] if grave else None)
    assert filing.detail.get("TEXT-GRAVE") == ([code] if grave else None)


@pytest.mark.parametrize("held", ["content-differs", "charset-doubtful", "unparsable"])
@pytest.mark.parametrize(
    "obx",
    [
        f"OBX|1|TX|CT^胸部CT^L||{MASS}||||||F",
        f"OBX|1|TX|ECG||{INFARCT}||||||F",
        f"OBX|1|FT|CT||{'双肺纹理清晰。' * 90}{MASS}||||||F",
        f"OBX|1|TX|CT||{CALM}~{MASS}||||||F",
    ],
)
async def test_grave_words_of_a_message_refused_at_the_door_are_named(unit: OpenUnit, held: Any, obx: str) -> None:
    charset = "gb18030" if held == "charset-doubtful" else "utf-8"
    code = obx.split("|")[3].split("^", maxsplit=1)[0]
    assert (await _door(unit, held, _raw(obx, charset=charset)))["alarming"] == [code]
    assert "alarming" not in await _door(unit, held, _raw(f"OBX|1|TX|CT||{CALM}||||||F", charset=charset))
    assert "alarming" not in await _door(unit, held, _raw(f"OBX|1|TX|CT||{MASS}||||||D", charset=charset))


@pytest.mark.parametrize(("words", "grave"), [(MASS, True), (CALM, False)])
@pytest.mark.parametrize("beside", ["value", "note", "report"])
async def test_grave_words_under_an_unknown_code_alert_at_the_exam_and_end_when_a_line_takes_them(
    unit: OpenUnit, words: str, grave: bool, beside: str
) -> None:
    scene = await visit(unit, "GLU")
    one = _text(words) if beside == "value" else _text("见备注", remarks=(words,) if beside == "note" else ())
    said = report(scene, "GLU", one)
    if beside == "report":
        said = replace(said, results=(replace(said.results[0], remarks=(words,)),))
    assert (await file(unit, said)).reason == "unknown-code"
    (*found,) = await alerts_of(unit, scene.exam_id)
    assert [(c.rule_code, c.important_class, c.state) for c in found] == [("TEXT-GRAVE", "B", "detected")] * grave
    assert all("周围型肺癌" in c.explanation for c in found)
    assert (await file(unit, said)).reason == "unknown-code"
    assert len(await alerts_of(unit, scene.exam_id)) == len(found)


@pytest.mark.parametrize("number", ["pid", "orc"])
async def test_who_is_named_in_full_is_proposed_and_the_alert_stands_at_the_exam(unit: OpenUnit, number: str) -> None:
    scene = await visit(unit, "CT-CHEST", "GLU")
    said = report(
        scene, "CT-CHEST", _text(MASS, "CT-CHEST"), barcode="", placer_no=scene.exam_no if number == "orc" else None
    )
    said = replace(said, exam_no=None) if number == "orc" else said
    filing = await file(unit, said)
    assert (filing.outcome, filing.reason, filing.exam_id) == ("unmatched", "unknown-barcode", None)
    assert filing.detail["proposed"] == {"exam_id": str(scene.exam_id), "exam_no": scene.exam_no, "lines": ["CT-CHEST"]}
    assert (await state_of(unit, scene)).get("CT-CHEST") is None
    for _ in range(2):
        found = await alerts_of(unit, scene.exam_id)
        assert [(c.rule_code, c.state, c.department_id) for c in found] == [
            ("TEXT-GRAVE", "detected", scene.departments["CT-CHEST"])
        ]
        assert "报文尚未归入" in found[0].explanation
        await file(unit, said)


@pytest.mark.parametrize("value", ["29.0", "7.5"])
async def test_a_critical_number_of_who_is_named_in_full_alerts_at_the_exam(unit: OpenUnit, value: str) -> None:
    scene = await visit(unit, "GLU")
    filing = await file(unit, report(scene, "GLU", observation("GLU", value), barcode="T0", placer_no=None))
    assert filing.detail["proposed"]["lines"] == ["GLU"]
    codes = [c.rule_code for c in await alerts_of(unit, scene.exam_id)]
    assert codes == (["LAB-CRITICAL"] if value == "29.0" else [])


@pytest.mark.parametrize("lacks", ["name", "other name", "sex", "birth", "number", "line"])
async def test_nobody_is_proposed_who_is_not_named_in_full(unit: OpenUnit, lacks: str) -> None:
    scene = await visit(unit, "GLU" if lacks == "line" else "CT-CHEST")
    said = report(scene, "CT-CHEST", _text(MASS, "CT-CHEST"), barcode="", placer_no=None)
    ways: dict[str, dict[str, Any]] = {
        "name": {"patient_name": ""}, "other name": {"patient_name": "另一人"}, "sex": {"patient_sex": "unknown"}, "birth": {"patient_birth_date": None},
        "number": {"exam_no": None}, "line": {},
    }  # fmt: skip
    changes = ways[lacks]
    filing = await file(unit, replace(said, **changes))
    assert "proposed" not in filing.detail
    assert filing.detail[inbox.ALARMING] == ["CT-CHEST"]
    assert list(await alerts_of(unit, scene.exam_id)) == []


@pytest.mark.parametrize(
    ("texts", "notes", "found"),
    [
        ((MASS,), (), MASS), (("4.1", "阴性"), (), ""), (("未见", "肺癌"), (), "肺癌"), ((), ("升高见于肝癌等疾病",), ""), ((), ("考虑急性白血病",), "考虑急性白血病"),
    ],
)  # fmt: skip
def test_the_first_grave_sentence_is_told(texts: tuple[str, ...], notes: tuple[str, ...], found: str) -> None:
    assert grave_sentence(texts, notes) == found
