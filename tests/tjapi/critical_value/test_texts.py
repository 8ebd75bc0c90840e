"""What is grave in a description asks for a person, with its sentence, never as class A; what nobody understood stands beside the review."""

from typing import Any

import httpx
import pytest

from tests.tjapi.result.scene import OpenUnit, alerts_of
from tests.tjapi.world import SignIn, Visit, World
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E4.2", "E5.1", "E5.2")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _enter(world: World, visit: Visit, group: str, **values: str) -> None:
    doctor = await world.sign_in("doctor")
    place = f"{visit.place}/departments/{visit.departments[group]}"
    sheet = (await doctor.get(f"{place}/sheet")).json()
    items = {one["item_code"]: one["item_id"] for one in sheet["items"]}
    body = {"results": [{"item_id": items[code.replace("_", "-")], "value": value} for code, value in values.items()]}
    stored: httpx.Response = await doctor.put(
        f"{place}/results", json=body, headers={"If-Match": f'"{sheet["version"]}"'}
    )
    assert stored.status_code == 200, stored.text


async def _alarms(unit: OpenUnit, visit: Visit) -> list[tuple[str, str, str, str]]:
    found = await alerts_of(unit, visit.exam_id)
    return sorted((one.rule_code, one.important_class, one.state, one.explanation) for one in found)


async def test_a_grave_word_is_an_alert_of_class_b_with_its_sentence_until_it_is_taken_back(
    world: World, unit: OpenUnit
) -> None:
    visit = await world.checked_in("CXR", "US-ABD")
    await _enter(world, visit, "CXR", CXR="双肺纹理清晰。右侧气胸,肺压缩约30%。")
    (alert,) = await _alarms(unit, visit)
    assert alert[:3] == ("TEXT-GRAVE", "B", "detected")
    assert "气胸" in alert[3]
    # Another description is another event, and neither replaces the other.
    await _enter(world, visit, "US-ABD", US_LIVER="肝右叶低回声占位,肝癌不除外")
    assert [alert[:3] for alert in await _alarms(unit, visit)] == [("TEXT-GRAVE", "B", "detected")] * 2
    await _enter(world, visit, "CXR", CXR="双肺纹理清晰,未见气胸。")
    assert sorted(alert[2] for alert in await _alarms(unit, visit)) == ["detected", "superseded"]


async def test_a_usual_description_alarms_nobody(world: World, unit: OpenUnit) -> None:
    visit = await world.checked_in("CXR")
    await _enter(world, visit, "CXR", CXR="心肺膈未见明显异常,未见气胸及占位")
    assert await _alarms(unit, visit) == []


async def test_what_nobody_understood_stands_beside_the_review(world: World) -> None:
    visit = await world.checked_in("CXR", "US-ABD")
    await _enter(world, visit, "CXR", CXR="双肺纹理清晰。右肺见紊乱带。")
    reviewer = await world.sign_in("reviewer")
    review: dict[str, Any] = (await reviewer.get(f"{visit.place}/review")).json()
    assert [(one["item_code"], one["text"]) for one in review["unread"]] == [("CXR", "右肺见紊乱带")]
    of_other = await reviewer.get(f"{visit.place}/review", params={"department_id": visit.departments["US-ABD"]})
    assert of_other.json()["unread"] == []
