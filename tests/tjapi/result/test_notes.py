"""Notes on a whole report, orders that are taken back alone, and several specimens under one order: none of it is harmless by default."""

import pytest

from adapters.lis import registry
from tests.tjapi.result.scene import OpenUnit, alerts_of, file, line_state, state_of, visit
from tests.tjapi.result.wire import LATER, asked, filed, message
from tjapi.result.rules.notes import meant, weighs

pytestmark = pytest.mark.requirement("E1.3", "E5.2")

WORDS = tuple(f"OBX|{i}|ST|{code}||阴性||||||F" for i, code in enumerate(("HBSAG", "HBSAB", "HBEAG"), 1))
K = "OBX|1|NM|K^钾^L||6.0|mmol/L|3.5-5.3|H|||F"
NA = "OBX|2|NM|NA^钠^L||140|mmol/L|135-145||||F"


@pytest.mark.parametrize("note", ["标本采错，非本人血样，本报告作废，请重新采血", "弱阳性"], ids=["void", "finding"])
async def test_a_note_on_the_whole_report_that_takes_words_back_is_asked_of_each(unit: OpenUnit, note: str) -> None:
    scene = await visit(unit, "HBV")
    await filed(unit, scene, "HBV", f"NTE|1|L|{note}", *WORDS)
    assert [item for item, _ in await asked(unit, scene)] == ["HBEAG", "HBSAB", "HBSAG"]
    assert await line_state(unit, scene, "HBV") != "verified"


@pytest.mark.parametrize("place", ["order", "person", "specimen"])
async def test_a_note_that_calls_a_value_critical_alarms_wherever_it_stands(unit: OpenUnit, place: str) -> None:
    scene, note = await visit(unit, "ELECTROLYTE"), "NTE|1|L|危急值：血钾6.0，已电话通知临床"
    raw = message(scene, "ELECTROLYTE", *([note] if place == "order" else []), K, NA).decode()
    if place == "person":
        raw = raw.replace("|M\r", f"|M\r{note}\r", 1)
    if place == "specimen":
        raw += f"{note}\r"
    await file(unit, registry.parser("hl7_mllp")(raw.encode()))
    # What our own limits say of 6.0 is another alert, of class B.
    raised = [c for c in await alerts_of(unit, scene.exam_id) if c.important_class == "A"]
    assert [(c.rule_code, c.explanation[:1]) for c in raised] == [("LAB-CRITICAL", "钾")]


@pytest.mark.parametrize(
    ("segments", "orc", "status"),
    [((), "CA", "X"), (("OBX|1|NM|||||||||",), "OC", ""), (("NTE|1|L|结果作废，标本错误",), "", "C")],
    ids=["cancelled", "blank", "void"],
)
async def test_an_order_that_is_taken_back_without_values_asks_of_what_stands(
    unit: OpenUnit, segments: tuple[str, ...], orc: str, status: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", K.replace("6.0", "4.0").replace("|H|", "||"), NA)
    assert await line_state(unit, scene, "ELECTROLYTE") != "planned"
    for _ in range(2):
        told = await filed(unit, scene, "ELECTROLYTE", *segments, orc=orc, status=status, at=LATER)
        assert told.outcome == "unmatched"
        assert [item for item, _ in await asked(unit, scene)] == ["K", "NA"]
    assert (await state_of(unit, scene))["K"] is not None


async def test_an_order_of_which_nothing_was_reported_is_cancelled_unasked(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", orc="CA", status="X")
    assert await asked(unit, scene) == []


async def test_a_refusal_of_the_first_of_two_specimens_is_not_lost(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    refused = f"SPM|1|{scene.barcodes['ELECTROLYTE']}|||||||||||||||||||RH"
    await filed(unit, scene, "ELECTROLYTE", K.replace("6.0", "4.0"), NA, refused)
    assert [item for item, _ in await asked(unit, scene)] == ["K", "NA"]


async def test_a_report_on_the_tubes_of_two_people_is_filed_for_neither(unit: OpenUnit) -> None:
    one, other = await visit(unit, "ELECTROLYTE"), await visit(unit, "ELECTROLYTE")
    told = await filed(unit, one, "ELECTROLYTE", K, NA, f"SPM|1|{other.barcodes['ELECTROLYTE']}")
    assert told.outcome == "quarantined"
    assert (await state_of(unit, one), await state_of(unit, other)) == ({}, {})


def test_a_note_means_what_it_names_else_what_is_flagged_else_all() -> None:
    said = [("钾", "K", False), ("钠", "NA", True), ("氯", "CL", False)]
    assert meant("危急值：血钾6.0", said) == [0]
    assert meant("危急值，已电话通知", said) == [1]
    assert meant("标本错误", said) == [0, 1, 2]
    assert [weighs(note) for note in ("标本轻度溶血", "请结合临床", "已复查", "标本错误")] == [
        False,
        False,
        False,
        True,
    ]
