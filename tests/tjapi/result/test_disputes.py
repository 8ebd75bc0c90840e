"""What speaks against a value beside it, against what it is of, or against what stands: nothing is filed as if it was not there."""

import pytest

from adapters.lis import registry
from tests.tjapi.result.scene import OpenUnit, file, line_state, state_of, visit
from tests.tjapi.result.wire import alarms, asked, filed, message
from tjapi.result.rules.naming import names_another
from tjapi.result.rules.reading import Said, put_together, understood
from tjapi.result.rules.values import disputes, measured_behind

pytestmark = pytest.mark.requirement("E3.3", "E3.5")
LATER = "20261123130000+0800"
HBV = [f"OBX|{i}|ST|{code}||阴性||||||F" for i, code in enumerate(("HBSAB", "HBEAG", "HBEAB", "HBCAB"), 5)]


# --- beside a word ---


@pytest.mark.parametrize(
    "segments",
    [
        ("OBX|1|ST|HBSAG||阴性||||||F", "OBX|2|NM|HBSAG||12.5|IU/mL|0-0.05||||F"), ("OBX|1|ST|HBSAG||阴性 12.5||0-0.05||||F",),
        ("OBX|1|ST|HBSAG||阴性(12.5)||&lt;0.05 IU/mL||||F",), ("OBX|1|ST|HBSAG||阴性||||||F", "NTE|1|L|弱阳性,请重新采血复查"),
        ("OBX|1|ST|HBSAG||阴性||||||F", "NTE|1|L|可疑"), ("OBX|1|ST|HBSAG||阴性||||||F", "NTE|1|L|结果在灰区,建议随访"),
        ("OBX|1|ST|HBSAG||阳性||||||F", "NTE|1|L|Indeterminate, repeat in 2 weeks"), ("OBX|1|ST|HBSAG||阴性||||||F", "NTE|1|L|标本错误"),
    ],
)  # fmt: skip
async def test_a_word_that_a_number_or_a_note_beside_it_disputes_is_undetermined(
    unit: OpenUnit, segments: tuple[str, ...]
) -> None:
    scene = await visit(unit, "HBV")
    await filed(unit, scene, "HBV", *segments)
    kept = (await state_of(unit, scene))["HBSAG"]
    assert kept is not None
    assert kept[1] is None
    assert ("HBSAG", "undetermined") in await asked(unit, scene)


@pytest.mark.parametrize(
    "segments",
    [
        ("OBX|1|ST|HBSAG||阴性||||||F", "OBX|2|NM|HBSAG||0.01|IU/mL|0-0.05||||F"), ("OBX|1|ST|HBSAG||阴性 0.01||0-0.05||||F",),
        ("OBX|1|ST|HBSAG||阴性(<0.05)||0-0.05||||F",), ("OBX|1|ST|HBSAG||阴性||||||F", "NTE|1|L|参考值：阴性；阳性提示感染；灰区:0.9-1.1"),
        ("OBX|1|ST|HBSAG||阴性||||||F", "NTE|1|L|判读标准:阴性,阳性,弱阳性"),
    ],
)  # fmt: skip
async def test_a_word_whose_number_and_note_agree_with_it_is_filed(unit: OpenUnit, segments: tuple[str, ...]) -> None:
    scene = await visit(unit, "HBV")
    await filed(unit, scene, "HBV", *segments)
    kept = (await state_of(unit, scene))["HBSAG"]
    assert kept is not None
    assert (kept[1], await asked(unit, scene)) == ("", [])


@pytest.mark.parametrize(
    ("word", "note", "against"),
    [
        ("阴性", "弱阳性,请重新采血复查", ["弱阳性", "请重新采血复查"]), ("阴性", "阳性。", ["阳性"]), ("阳性", "弱阳性", []), ("阳性", "阴性", ["阴性"]),
        ("阴性", "疑似弱阳性,建议复查", ["疑似弱阳性"]), ("阴性", "Equivocal", ["equivocal"]), ("阴性", "Gray zone result", ["grayzoneresult"]),
        ("阴性", "参考值：阴性", []), ("阴性", "阳性提示感染", []), ("阴性", "灰区:0.9-1.1", []), ("阴性", "参考:阴性,阳性", []), ("阴性", "说明:可疑者请复查", []),
        ("阴性", "如有疑问,请重新采血", ["请重新采血"]), ("阴性", "S/CO≥1.0为阳性", []), ("阴性", "阳性≥1.0", []), ("阴性", "请结合临床", []), ("阴性", "", []),
        ("阴性", "标本轻度溶血", []), ("阴性", "本结果仅对该标本负责", []), ("未见", "可疑", ["可疑"]),
    ],
)  # fmt: skip
def test_of_a_note_what_speaks_against_its_word(word: str, note: str, against: list[str]) -> None:
    assert disputes([word], note) == against


@pytest.mark.parametrize(
    ("raw", "number"),
    [("阴性 12.5", "12.5"), ("阴性(<0.05)", "<0.05"), ("12.5", "12.5"), ("阴性", None), ("1:320", None), ("阴性 1.2 3.4", None), ("2026-11-23", None)],
)  # fmt: skip
def test_the_one_number_that_was_measured_behind_a_word(raw: str, number: str | None) -> None:
    found = measured_behind(raw)
    assert (found and found.text) == number


def test_a_number_above_its_own_range_stands_in_the_way_of_a_negative_word_only() -> None:
    def is_read(*said: Said) -> bool:
        measured, _ = put_together("qualitative", said, (), ("阴性",))
        return all(understood("qualitative", one.reading.value, ("阴性",)) for one in measured)

    assert not is_read(Said("阴性 12.5", "", 0, (), "0-0.05"))
    assert not is_read(Said("阴性", "", 0), Said("12.5", "", 1, (), "<0.05"))
    assert is_read(Said("阳性 12.5", "", 0, (), "0-0.05"))
    assert is_read(Said("阴性 2.0", "", 0, (), ">10"))
    assert is_read(Said("阴性 0.05", "", 0, (), "0-0.05"))


# --- of what it is ---


@pytest.mark.parametrize("code", ["HDL^高密度^L^LDL^低密度^LN", "HDL~LDL", "LDL^^L^HDL^^LN"])
async def test_a_value_whose_codes_lead_to_two_items_is_filed_under_neither_and_asked_of_both(
    unit: OpenUnit, code: str
) -> None:
    scene = await visit(unit, "LIPID")
    for _ in range(2):
        filing = await filed(
            unit, scene, "LIPID", f"OBX|1|NM|{code}||1.9|mmol/L|||||F", "OBX|2|NM|TC||4.8|mmol/L|||||F"
        )
        assert (filing.outcome, filing.reason) == ("unmatched", "codes-disagree")
        assert filing.detail["disputed_codes"] == [code[:3]]
    assert set(await state_of(unit, scene)) == {"TC"}
    assert await asked(unit, scene) == [("HDL", "unread"), ("LDL", "unread")]


async def test_a_value_whose_codes_lead_to_one_item_is_filed(unit: OpenUnit) -> None:
    scene = await visit(unit, "LIPID")
    filing = await filed(unit, scene, "LIPID", "OBX|1|NM|HDL^高密度^L^2085-9^HDL^LN||1.3|mmol/L|||||F")
    assert (filing.outcome, (await state_of(unit, scene))["HDL"]) == ("filed", ("1.3", "", "final"))


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    "obx",
    [
        "CL^^L^K^^LN||7.9|mmol/L|||||F",
        "NA^^L^K^^LN||7.9|mmol/L|||||F",
        "NA^^L^K^^LN||5.0|mmol/L||HH|||F",
        "K~NA||7.9|mmol/L|||||F",
    ],
)
async def test_a_value_of_disputed_codes_that_is_critical_of_either_alarms(unit: OpenUnit, obx: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", f"OBX|1|NM|{obx}")
    assert await state_of(unit, scene) == {}
    assert await alarms(unit, scene)


# --- a correction to nothing, a cancelled order ---


@pytest.mark.parametrize("value", ["", '""'])
@pytest.mark.parametrize(("obx", "obr"), [("C", ""), ("C", "C"), ("", "C"), ("F", "C")])
async def test_a_correction_to_nothing_is_asked_about_and_what_stands_is_not_verified(
    unit: OpenUnit, value: str, obx: str, obr: str
) -> None:
    scene = await visit(unit, "GLU")
    await filed(unit, scene, "GLU", "OBX|1|NM|GLU||4.1|mmol/L|||||F")
    assert await line_state(unit, scene, "GLU") == "verified"
    for _ in range(2):
        filing = await filed(unit, scene, "GLU", f"OBX|1|NM|GLU||{value}|mmol/L|||||{obx}", status=obr, at=LATER)
        assert (filing.outcome, filing.reason) == ("unmatched", "value-unread")
        assert await asked(unit, scene) == [("GLU", "unread")]
    assert await line_state(unit, scene, "GLU") != "verified"


async def test_a_correction_to_nothing_that_comes_first_keeps_what_it_empties_from_being_verified(
    unit: OpenUnit,
) -> None:
    scene = await visit(unit, "GLU")
    await filed(unit, scene, "GLU", "OBX|1|NM|GLU|||mmol/L|||||C", at=LATER)
    await filed(unit, scene, "GLU", "OBX|1|NM|GLU||4.1|mmol/L|||||F")
    assert await asked(unit, scene) == [("GLU", "unread")]
    assert await line_state(unit, scene, "GLU") != "verified"


async def test_a_correction_that_came_after_the_empty_one_answers_it(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    await filed(unit, scene, "GLU", "OBX|1|NM|GLU||4.1|mmol/L|||||F")
    await filed(unit, scene, "GLU", "OBX|1|NM|GLU|||mmol/L|||||C", at=LATER)
    await filed(unit, scene, "GLU", "OBX|1|NM|GLU||4.4|mmol/L|||||C", at="20261123140000+0800")
    assert (await asked(unit, scene), await line_state(unit, scene, "GLU")) == ([], "verified")


async def test_an_empty_value_that_corrects_nothing_asks_nothing(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    filing = await filed(unit, scene, "GLU", "OBX|1|NM|GLU|||mmol/L|||||F")
    assert (filing.reason, await asked(unit, scene)) == ("no-value", [])


@pytest.mark.parametrize(("obr", "orc"), [("X", ""), ("", "OC"), ("", "CA"), ("X", "OC"), ("F", "CA")])
@pytest.mark.parametrize("obx", ["F", "C"])
async def test_a_value_of_an_order_that_is_called_cancelled_is_asked_about(
    unit: OpenUnit, obx: str, obr: str, orc: str
) -> None:
    scene = await visit(unit, "GLU")
    filing = await filed(unit, scene, "GLU", f"OBX|1|NM|GLU||4.4|mmol/L|||||{obx}", status=obr, orc=orc)
    assert (filing.outcome, filing.reason) == ("unmatched", "status-not-filed")
    assert await asked(unit, scene) == [("GLU", "unread")]
    assert await line_state(unit, scene, "GLU") != "verified"


async def test_a_value_of_an_order_that_runs_is_filed(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    filing = await filed(unit, scene, "GLU", "OBX|1|NM|GLU||4.4|mmol/L|||||F", status="F", orc="RE")
    assert (filing.outcome, await asked(unit, scene)) == ("filed", [])


# --- one value in two units ---


@pytest.mark.parametrize(("theirs", "is_one"), [("99", True), ("98.6", False), ("120", False), (">99", False)])
@pytest.mark.parametrize("first", [True, False])
async def test_a_number_in_our_unit_and_in_another_one_is_one_value_within_the_rounding(
    unit: OpenUnit, theirs: str, is_one: bool, first: bool
) -> None:
    scene = await visit(unit, "GLU")
    both = ["OBX|1|NM|GLU||5.50|mmol/L|||||F", f"OBX|2|NM|GLU||{theirs}|mg/dL|||||F"]
    filing = await filed(unit, scene, "GLU", *(both if first else reversed(both)))
    if is_one:
        assert (filing.outcome, filing.detail["filed"], await asked(unit, scene)) == ("filed", 1, [])
        assert (await state_of(unit, scene))["GLU"] == ("5.50", "", "final")
    else:
        assert ("GLU", "contested") in await asked(unit, scene)


# --- whose it is ---


@pytest.mark.parametrize("sent", ["Smith^John", "SMITH^JOHN", "Smith John", "John Smith"])
async def test_a_name_in_latin_letters_is_one_whichever_part_is_written_first_where_the_message_says_which_it_is(
    unit: OpenUnit, sent: str
) -> None:
    scene = await visit(unit, "GLU", name="John Smith")
    raw = message(scene, "GLU", "OBX|1|NM|GLU||4.4|mmol/L|||||F").replace(b"||John Smith||", f"||{sent}||".encode())
    filing = await file(unit, registry.parser("hl7_mllp")(raw))
    # Of two words in one nobody says which is the family name.
    assert filing.outcome == ("quarantined" if sent == "Smith John" else "filed")


# --- a name that is another item's ---


@pytest.mark.parametrize(
    ("own", "told", "other", "elsewhere", "another"),
    [
        ("钾", "钠", "钠", (), True), ("钾", "鈉", "钠", (), True), ("钾", " 钠 ", "钠", (), True), ("钾", "钾", "钠", (), False),
        ("钾", "血清钠", "钠", (), False), ("钾", "", "钠", (), False), ("餐后2小时血糖", "葡萄糖", "葡萄糖", (), False),
        ("白蛋白", "总蛋白", "总蛋白", (), False), ("白蛋白", "总蛋白", "总蛋白", ("白蛋白",), True),
    ],
)  # fmt: skip
def test_a_name_is_anothers_where_it_cannot_be_a_kindred_one(
    own: str, told: str, other: str, elsewhere: tuple[str, ...], *, another: bool
) -> None:
    assert names_another(own, told, other, elsewhere) is another


async def test_a_code_beside_the_name_of_another_item_is_filed_under_neither(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for _ in range(2):
        filing = await filed(
            unit, scene, "ELECTROLYTE", "OBX|1|NM|K^钠||4.1|mmol/L|||||F", "OBX|2|NM|NA^钾||140|mmol/L|||||F",
            "OBX|3|NM|CL^氯||103|mmol/L|||||F", "OBX|4|NM|CA^血清总钙||2.3|mmol/L|||||F",
        )  # fmt: skip
        assert (filing.outcome, filing.reason) == ("unmatched", "codes-disagree")
        assert sorted(filing.detail["disputed_codes"]) == ["K", "NA"]
        assert set(await state_of(unit, scene)) == {"CL", "CA"}
        assert sorted({item for item, _ in await asked(unit, scene)}) == ["K", "NA"]


@pytest.mark.requirement("E5.2")
async def test_a_critical_value_under_a_name_that_is_anothers_alarms(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", "OBX|1|NM|K^钠||7.2|mmol/L|||||F")
    assert await state_of(unit, scene) == {}
    assert await alarms(unit, scene)
