"""Advice that knows the person follows the values and the facts that it was chosen by, as everything does that is made of results."""

from typing import Any

import pytest

from tests.tjapi.conclusion.test_derived import Desk, Review
from tests.tjapi.world import SignIn, Visit, World
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E4.3", "E4.4")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _entry(review: Review, code: str) -> dict[str, Any]:
    entries: list[dict[str, Any]] = (await review.shown())["entries"]
    (found,) = [one for one in entries if one["key"] == f"finding:{code}"]
    return found


async def _is_pregnant(world: World, visit: Visit, *, pregnant: bool) -> None:
    front = await world.sign_in("front")
    body = {"sex": "female", "pregnant": pregnant, "reason": "本人补述"}
    said = await front.post(f"{visit.place}:correct-facts", json=body)
    assert said.status_code == 200, said.text


async def test_a_value_that_no_rule_of_the_finding_names_changes_its_advice(world: World) -> None:
    """血压升高 beside a high glucose is another advice: the draft follows, and what a reviewer touched says that it is stale."""
    visit = await world.checked_in("GENERAL", "GLU")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(SBP="150", DBP="76", HEIGHT="170", WEIGHT="65", PULSE="70")
    assert (await desk.sign()).status_code == 200
    await world.file(visit, GLU="5.00")
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    assert "四周内" in (await _entry(review, "HYPERTENSION"))["advice"]
    await world.file(visit, status="C", GLU="7.50")
    pressure = await _entry(review, "HYPERTENSION")
    assert "血糖" in pressure["advice"]
    assert not pressure["stale"]
    shown = await review.shown()
    touched = [one | {"title": "血压升高,请复测"} if one["key"] == pressure["key"] else one for one in shown["entries"]]
    assert (await review.put(shown["overview"], touched)).status_code == 200
    await world.file(visit, status="C", GLU="5.00")
    assert (await _entry(review, "HYPERTENSION"))["stale"]


async def test_who_is_pregnant_is_told_what_is_for_her(world: World) -> None:
    visit = await world.checked_in("CBC")
    await world.file(visit, HGB="100", WBC="6", PLT="200", RBC="4.5", HCT="0.38")
    await _is_pregnant(world, visit, pregnant=False)
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    assert "产科" not in (await _entry(review, "ANEMIA"))["advice"]
    await _is_pregnant(world, visit, pregnant=True)
    assert "产科" in (await _entry(review, "ANEMIA"))["advice"]
