"""One message that withdraws one value of an item and gives another: what is withdrawn is that value, and the other one stands."""

import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, alerts_of, line_state, state_of, visit
from tests.tjapi.result.wire import LATER, WHEN, asked, filed

pytestmark = pytest.mark.requirement("E3.3", "E3.5")

GROUP = "ELECTROLYTE"
REST = tuple(
    f"OBX|{i}|NM|{code}||{value}|mmol/L|||||F"
    for i, (code, value) in enumerate((("NA", "140"), ("CL", "103"), ("CA", "2.3"), ("P", "1.1"), ("MG", "0.9")), 3)
)
SAME_AGAIN = "20261123140000+0800"


def k(value: str, status: str, moment: str = "") -> str:
    return f"OBX|1|NM|K||{value}|mmol/L|||||{status}" + (f"|||{moment}" if moment else "")


async def now(unit: OpenUnit, scene: Scene, code: str = "K") -> str | None:
    found = (await state_of(unit, scene)).get(code)
    return None if found is None else found[0]


ORDERS = {
    "taken back first": lambda back, gives: (back, gives),
    "taken back last": lambda back, gives: (gives, back),
}


@pytest.mark.parametrize("withdrawn", ["7.2", "", "see note"], ids=["number", "blank", "words"])
@pytest.mark.parametrize("before", [None, "4.1", "7.2"], ids=["nothing", "the same", "what is withdrawn"])
async def test_a_withdrawal_concerns_its_own_number_and_not_the_one_beside_it(
    unit: OpenUnit, withdrawn: str, before: str | None
) -> None:
    """In whatever order they stand, under W and D, and as often as it is said."""
    for order, status in (("taken back first", "W"), ("taken back last", "D")):
        scene = await visit(unit, GROUP)
        if before is not None:
            await filed(unit, scene, GROUP, k(before, "F"), *REST)
        said = ORDERS[order](k(withdrawn, status), k("4.1", "F"))
        for at in (LATER, LATER, SAME_AGAIN):
            told = await filed(unit, scene, GROUP, *said, *REST, at=at)
            assert told.reason is None
            assert await now(unit, scene) == "4.1"
            assert await asked(unit, scene) == []
            assert await line_state(unit, scene, GROUP) == "verified"


@pytest.mark.parametrize(("order", "moment"), [("taken back first", WHEN), ("taken back last", LATER)])
async def test_a_withdrawal_that_names_its_moment_does_not_take_what_stands_beside_it(
    unit: OpenUnit, order: str, moment: str
) -> None:
    scene = await visit(unit, GROUP)
    await filed(unit, scene, GROUP, *ORDERS[order](k("7.2", "W", moment), k("4.1", "F", moment)), *REST, at=LATER)
    assert (await now(unit, scene), await asked(unit, scene)) == ("4.1", [])


@pytest.mark.parametrize("status", ["P", "C"])
async def test_what_stands_beside_a_withdrawal_stands_under_its_own_status(unit: OpenUnit, status: str) -> None:
    scene = await visit(unit, GROUP)
    await filed(unit, scene, GROUP, k("7.2", "F"), *REST)
    await filed(unit, scene, GROUP, k("7.2", "W"), k("4.1", status), at=LATER)
    assert (await now(unit, scene), await asked(unit, scene)) == ("4.1", [])
    assert (await line_state(unit, scene, GROUP) == "verified") == (status == "C")


async def test_a_withdrawal_of_a_third_number_leaves_two_that_contradict_each_other_to_a_person(unit: OpenUnit) -> None:
    scene = await visit(unit, GROUP)
    await filed(unit, scene, GROUP, k("5.0", "F"), *REST)
    told = await filed(unit, scene, GROUP, k("7.2", "W"), k("4.1", "F"), at=LATER)
    assert told.reason == "final-changed-without-correction"
    assert ("K", "contested") in await asked(unit, scene)
    assert await line_state(unit, scene, GROUP) != "verified"


@pytest.mark.parametrize(("order", "before"), [("taken back first", True), ("taken back last", False)])
async def test_one_number_that_is_withdrawn_and_given_in_one_message_is_asked_about(
    unit: OpenUnit, order: str, *, before: bool
) -> None:
    scene = await visit(unit, GROUP)
    if before:
        await filed(unit, scene, GROUP, k("4.1", "F"), *REST)
    for at in (LATER, LATER):
        told = await filed(unit, scene, GROUP, *ORDERS[order](k("4.1", "W"), k("4.1", "F")), *REST, at=at)
        assert told.outcome == "unmatched"
        assert await asked(unit, scene) == [("K", "unread")]
        assert await line_state(unit, scene, GROUP) != "verified"
    await filed(unit, scene, GROUP, k("4.1", "F"), at=SAME_AGAIN)
    assert (await now(unit, scene), await asked(unit, scene)) == ("4.1", [])


async def test_a_word_that_is_withdrawn_leaves_the_word_beside_it(unit: OpenUnit) -> None:
    scene = await visit(unit, "HBV")
    rest = (f"OBX|{i}|ST|{code}||阴性||||||F" for i, code in enumerate(("HBSAB", "HBEAG", "HBEAB", "HBCAB"), 3))
    await filed(unit, scene, "HBV", "OBX|1|ST|HBSAG||阳性||||||W", "OBX|2|ST|HBSAG||阴性||||||F", *rest)
    assert (await now(unit, scene, "HBSAG"), await asked(unit, scene)) == ("阴性", [])


@pytest.mark.parametrize(("order", "before"), [("taken back first", True), ("taken back last", False)])
async def test_an_alert_of_a_value_that_stands_beside_a_withdrawal_keeps_it(
    unit: OpenUnit, order: str, *, before: bool
) -> None:
    scene = await visit(unit, GROUP)
    if before:
        await filed(unit, scene, GROUP, k("7.2", "F"), *REST)
    for at in (LATER, LATER, SAME_AGAIN):
        await filed(unit, scene, GROUP, *ORDERS[order](k("4.1", "W"), k("7.2", "F")), *REST, at=at)
        (alert,) = await alerts_of(unit, scene.exam_id)
        assert (alert.rule_code, alert.state) == ("CRIT-K-HIGH", "detected")
        assert "7.2" in alert.explanation


async def test_what_was_critical_and_is_withdrawn_beside_another_value_is_critical_no_more(unit: OpenUnit) -> None:
    scene = await visit(unit, GROUP)
    await filed(unit, scene, GROUP, k("7.2", "F"), *REST)
    await filed(unit, scene, GROUP, k("7.2", "W"), k("4.1", "F"), *REST, at=LATER)
    assert (await now(unit, scene), await asked(unit, scene)) == ("4.1", [])
    assert [alert.state for alert in await alerts_of(unit, scene.exam_id)] == ["superseded"]


async def test_two_orders_of_one_message_speak_of_one_item_together(unit: OpenUnit) -> None:
    scene = await visit(unit, GROUP)
    second = f"OBR|2|{scene.placers[GROUP]}||{GROUP}|||{WHEN}|||||||||||||||{WHEN}"
    await filed(unit, scene, GROUP, k("7.2", "W"), second, k("4.1", "F"), *REST)
    assert (await now(unit, scene), await asked(unit, scene)) == ("4.1", [])
