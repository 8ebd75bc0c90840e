"""What an order says beside its values: taken back, not there yet, of another specimen, of nobody's; and a value that is deleted or marked."""

import pytest

from adapters.lis import registry
from adapters.lis.contract import UnparsableReport
from tests.tjapi.result.scene import OpenUnit, Scene, file, line_state, state_of, visit
from tests.tjapi.result.test_withdrawn_beside import GROUP, REST, SAME_AGAIN, k
from tests.tjapi.result.wire import LATER, asked, filed, message
from tjapi.result.rules.flags import marked
from tjapi.result.rules.orders import (
    NOT_YET,
    TAKEN_BACK,
    another_specimen,
    disowned,
    specimen_unknown,
    statuses_unknown,
)
from tjapi.result.service import Filing

pytestmark = pytest.mark.requirement("E1.3", "E3.3", "E3.5")

ALL = ["CA", "CL", "K", "MG", "NA", "P"]


@pytest.mark.parametrize(
    ("status", "control", "order", "why"),
    [
        *[(status, "", "", TAKEN_BACK) for status in ("X", "W", "D", "Y", "Z", "作废", "CANCELLED")],
        *[(status, "", "", NOT_YET) for status in ("O", "I", "S")],
        *[(status, "", "", None) for status in ("", "F", "C", "P", "R", "A")],
        *[("F", control, "", TAKEN_BACK) for control in ("CA", "OC", "CR", "DC", "OD", "DR", "HD", "RU")],
        *[("F", control, "", None) for control in ("RE", "NW", "SC", "")],
        *[("F", "RE", order, TAKEN_BACK) for order in ("CA", "DC", "ER", "HD", "RP", "已取消")],
        *[("F", "RE", order, None) for order in ("CM", "A", "IP", "SC")],
    ],
)
def test_every_field_of_an_order_that_takes_it_back_says_so(status: str, control: str, order: str, why: object) -> None:
    assert disowned(status, control, order) == why


def test_withdrawn_values_alone_are_no_order_that_is_taken_back() -> None:
    assert disowned("W", "", "", withdraws=True) is None
    assert disowned("W", "", "CA", withdraws=True) == TAKEN_BACK


def test_a_status_that_nobody_understands_is_named() -> None:
    assert statuses_unknown("F", "CM") == statuses_unknown("", "") == []
    assert statuses_unknown("QQ", "99") == ["OBR-25", "ORC-5"]


@pytest.mark.parametrize(
    ("status", "orc"), [("W", ""), ("D", ""), ("I", ""), ("", "RE||||CA"), ("F", "RE||||ER")], ids=str
)
async def test_an_order_that_is_taken_back_beside_final_values_is_asked_on_every_item(
    unit: OpenUnit, status: str, orc: str
) -> None:
    """As a first message, after the same values, and without any."""
    for before in (False, True):
        for segments in ((k("4.1", "F"), *REST), ()):
            if not before and not segments:
                continue
            scene = await visit(unit, GROUP)
            if before:
                await filed(unit, scene, GROUP, k("4.1", "F"), *REST)
            for _ in range(2):
                told = await _filed(unit, scene, *segments, status=status, orc=orc)
                assert told.outcome == "unmatched"
                assert [item for item, _ in await asked(unit, scene)] == ALL
                assert await line_state(unit, scene, GROUP) != "verified"
            assert (await state_of(unit, scene))["K"] is not None


async def _filed(unit: OpenUnit, scene: Scene, *segments: str, status: str, orc: str) -> Filing:
    control, _, rest = orc.partition("|")
    raw = message(scene, GROUP, *segments, status=status, orc=control, at=LATER).decode()
    # ORC-2 is the placer number already.
    raw = raw.replace(f"ORC|{control}|{scene.placers[GROUP]}", f"ORC|{control}|{scene.placers[GROUP]}|{rest[1:]}")
    return await file(unit, registry.parser("hl7_mllp")(raw.encode()))


@pytest.mark.parametrize("kind", ["NM", "CE"])
async def test_a_value_that_is_deleted_explicitly_is_asked_about(unit: OpenUnit, kind: str) -> None:
    scene = await visit(unit, GROUP)
    await filed(unit, scene, GROUP, k("4.1", "F"), *REST)
    deleted = k('""', "F").replace("NM", kind)
    for _ in range(2):
        told = await filed(unit, scene, GROUP, deleted, at=LATER)
        assert told.reason == "value-unread"
        assert await asked(unit, scene) == [("K", "unread")]
        assert await line_state(unit, scene, GROUP) != "verified"
    await filed(unit, scene, GROUP, k("4.2", "C"), at=SAME_AGAIN)
    assert (await asked(unit, scene), await line_state(unit, scene, GROUP)) == ([], "verified")
    other = await visit(unit, GROUP)
    told = await filed(unit, other, GROUP, deleted)
    assert (told.reason, await asked(unit, other)) == ("no-value", [])


def _of(scene: Scene, specimen: str = "", source: str = "", role: str = "") -> bytes:
    raw = message(scene, GROUP, k("4.5", "F"), *REST).decode()
    barcode = scene.barcodes[GROUP]
    raw = raw.replace(f"SPM|1|{barcode}", f"SPM|1|{barcode}||{specimen}|||||||{role}")
    lines = raw.split("\r")
    order = lines[2].split("|")
    order[15] = source
    return "\r".join([*lines[:2], "|".join(order), *lines[3:]]).encode()


@pytest.mark.parametrize(
    ("specimen", "source"),
    [("UR^Urine^HL70487", ""), ("", "UR&Urine&HL70070"), ("99^尿液^L", ""), ("STL^Stool^HL70487", "")],
    ids=str,
)
async def test_values_of_another_specimen_than_the_tubes_are_held_and_asked_about(
    unit: OpenUnit, specimen: str, source: str
) -> None:
    scene = await visit(unit, GROUP)
    for _ in range(2):
        told = await file(unit, registry.parser("hl7_mllp")(_of(scene, specimen, source)))
        assert (told.outcome, told.reason) == ("unmatched", "specimen-differs")
        assert await asked(unit, scene) == [(code, "unread") for code in ALL]
        assert await state_of(unit, scene) == {}
    await filed(unit, scene, GROUP, k("4.1", "F"), *REST, at=LATER)
    assert (await asked(unit, scene), await line_state(unit, scene, GROUP)) == ([], "verified")


IN_OTHER_FIELDS = {
    "the range": ("OBX|1|NM|K||4.1|mmol/L|标本凝固||||F", ""),
    "the probability": ("OBX|1|NM|K||4.1|mmol/L|3.5-5.3||标本采错||F", ""),
    "the nature of the test": ("OBX|1|NM|K||4.1|mmol/L|3.5-5.3|||更正：7.2|F", ""),
    "the access checks": ("OBX|1|NM|K||4.1|mmol/L|3.5-5.3||||F||wrong patient", ""),
    "the collector's comment": ("OBX|1|NM|K||4.1|mmol/L|3.5-5.3||||F", "OBR-39"),
    "the order's reason": ("OBX|1|NM|K||4.1|mmol/L|3.5-5.3||||F", "ORC-16"),
}
"""Where laboratories write what their form has no place for."""


@pytest.mark.parametrize(("segment", "also"), IN_OTHER_FIELDS.values(), ids=IN_OTHER_FIELDS)
async def test_words_that_take_a_value_back_are_heard_wherever_they_stand(
    unit: OpenUnit, segment: str, also: str
) -> None:
    scene = await visit(unit, GROUP)
    raw = message(scene, GROUP, segment, *REST, at=LATER, orc="RE").decode()
    name, _, number = also.partition("-")
    lines = raw.split("\r")
    for i, line in enumerate(lines):
        if name and line.startswith(name):
            fields = line.split("|")
            fields += [""] * (int(number) + 1 - len(fields))
            fields[int(number)] = "^非本人标本"
            lines[i] = "|".join(fields)
    assert not name or "非本人标本" in "\r".join(lines)
    told = await file(unit, registry.parser("hl7_mllp")("\r".join(lines).encode()))
    assert told.outcome == "unmatched"
    assert "K" in [item for item, _ in await asked(unit, scene)]
    assert await line_state(unit, scene, GROUP) != "verified"


@pytest.mark.parametrize("specimen", ["", "SER", "BLD^Blood^HL70487", "^血清", "静脉血", "serum", "PLAS"])
async def test_values_of_the_tubes_specimen_are_filed(unit: OpenUnit, specimen: str) -> None:
    scene = await visit(unit, GROUP)
    told = await file(unit, registry.parser("hl7_mllp")(_of(scene, specimen)))
    assert (told.outcome, await asked(unit, scene)) == ("filed", [])


async def test_a_specimen_that_nobody_understands_is_named_and_its_values_are_filed(unit: OpenUnit) -> None:
    scene = await visit(unit, GROUP)
    told = await file(unit, registry.parser("hl7_mllp")(_of(scene, "Z7")))
    assert (told.reason, told.detail["left_out"]) == ("left-out", ["SPM-4/OBR-15: not understood"])
    assert (await asked(unit, scene), await line_state(unit, scene, GROUP)) == ([], "verified")


@pytest.mark.parametrize(
    ("said", "ours", "differs"),
    [
        ("尿标本", "serum", True), ("脐带血", "whole_blood", True), ("EDTA全血", "whole_blood", False), ("全血", "plasma", False),
        ("血浆", "serum", False), ("SER", "whole_blood", True), ("中段尿", "urine", False), ("大便", "stool", False), ("BRTH", "breath", False),
        ("宫颈分泌物", "secretion", False), ("UR", "stool", True), ("痰", "serum", True), ("UR", None, False), ("UR", "hair", False),
    ],
)  # fmt: skip
def test_a_specimen_is_held_against_the_lines_own(said: str, ours: str | None, *, differs: bool) -> None:
    assert (another_specimen([(said,)], ours) is not None) == differs
    assert not specimen_unknown([(said,), ("7", said)])


@pytest.mark.parametrize(
    ("specimen", "role"),
    [("SER", role) for role in ("Q^Control^HL70369", "C", "E", "B", "V", "^质控")] + [("质控血清", "")],
)
async def test_a_control_is_refused_by_name(unit: OpenUnit, specimen: str, role: str) -> None:
    scene = await visit(unit, GROUP)
    with pytest.raises(UnparsableReport, match="a control or a calibrator") as refused:
        registry.parser("hl7_mllp")(_of(scene, specimen, role=role))
    assert refused.value.kind == "not-production"


async def test_a_control_beside_a_patients_specimen_refuses_both_for_a_person_to_look(unit: OpenUnit) -> None:
    scene = await visit(unit, GROUP)
    mixed = _of(scene, "SER", role="P") + f"SPM|2|{scene.barcodes[GROUP]}||SER|||||||Q\r".encode()
    with pytest.raises(UnparsableReport) as refused:
        registry.parser("hl7_mllp")(mixed)
    assert refused.value.kind == "unparsable"


@pytest.mark.parametrize("flag", ["*", "+", "±", "POS", "U", "N~*"])
async def test_a_mark_on_a_number_that_only_the_laboratory_judges_is_asked_about(unit: OpenUnit, flag: str) -> None:
    scene = await visit(unit, "RENAL-FULL")
    await filed(unit, scene, "RENAL-FULL", f"OBX|1|NM|CYSC||0.80|mg/L|0.5-1.1|{flag}|||F")
    assert ("CYSC", "implausible") in await asked(unit, scene)


async def test_no_mark_on_a_number_that_only_the_laboratory_judges_is_not(unit: OpenUnit) -> None:
    scene = await visit(unit, "RENAL-FULL")
    await filed(
        unit, scene, "RENAL-FULL", "OBX|1|NM|CYSC||0.80|mg/L|0.5-1.1|N|||F", "OBX|2|NM|B2MG||1.5|mg/L|1-3|-|||F"
    )
    assert await asked(unit, scene) == []


def test_a_mark_is_whatever_is_no_side_and_no_all_clear() -> None:
    assert [flag for flag in ("*", "+", "U", "D", "W", "±", "S") if not marked([flag])] == []
    assert [flag for flag in ("", "N", "-", "NEG", "ND", "阴性", "H") if marked([flag])] == []
