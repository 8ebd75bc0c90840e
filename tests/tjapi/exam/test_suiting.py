"""What was ordered for somebody follows what is known of them: sex, age, pregnancy, however late it becomes known."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World
from tjapi.exam import service as exams
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E1.3", "E1.6")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _woman(world: World, *groups: str) -> Visit:
    person, _ = await world.person(sex="female")
    return await world.checked_in(*groups, examinee_id=person)


async def _correct(world: World, visit: Visit, **facts: Any) -> None:
    front = await world.sign_in("front")
    answer = await front.post(f"{visit.place}:correct-facts", json={**facts, "reason": "受检者告知"})
    assert answer.status_code == 200, answer.text


async def _command(world: World, visit: Visit, verb: str, code: str, **more: Any) -> httpx.Response:
    # That a line stands is a physician's word.
    client = await world.sign_in("doctor" if verb == "keep" else "front")
    body = {"line_ids": [str(visit.lines[code])], "reason": "医生评估", **more}
    return await client.post(f"{visit.place}/lines:{verb}", json=body)


async def _reasons(world: World, visit: Visit) -> dict[str, str]:
    """Which lines stand as unsuitable: source and sentence."""
    front = await world.sign_in("front")
    found = (await front.get(f"{visit.place}/completeness")).json()["outstanding"]
    return {one["source"]: one["zh"] for one in found if one["code"] == "line_unsuitable"}


async def _sheet(world: World, visit: Visit, code: str) -> tuple[str, dict[str, Any]]:
    doctor = await world.sign_in("doctor")
    place = f"{visit.place}/departments/{visit.departments[code]}"
    return place, (await doctor.get(f"{place}/sheet")).json()


async def _enter(world: World, visit: Visit, code: str, value: str) -> httpx.Response:
    doctor = await world.sign_in("doctor")
    place, sheet = await _sheet(world, visit, code)
    item = next(one for one in sheet["items"] if one["line_id"] == str(visit.lines[code]) and one["entered_here"])
    body = {"results": [{"item_id": item["item_id"], "value": value}]}
    return await doctor.put(f"{place}/results", json=body, headers={"If-Match": f'"{sheet["version"]}"'})


async def _sign(world: World, visit: Visit, code: str) -> httpx.Response:
    doctor = await world.sign_in("doctor")
    place, sheet = await _sheet(world, visit, code)
    return await doctor.post(
        f"{place}/sheet:sign", json={"fill_defaults": True}, headers={"If-Match": f'"{sheet["version"]}"'}
    )


async def test_a_film_of_a_woman_who_says_that_she_is_pregnant_is_taken_of_nobody_until_a_person_decides(
    world: World,
) -> None:
    visit = await _woman(world, "CXR", "GENERAL")
    assert await _reasons(world, visit) == {}
    await _correct(world, visit, pregnant=True)
    reasons = await _reasons(world, visit)
    assert list(reasons) == [f"line:{visit.lines['CXR']}"]
    assert reasons[f"line:{visit.lines['CXR']}"].startswith("胸部正位片:")
    refused = await _enter(world, visit, "CXR", "未见异常")
    assert (refused.status_code, refused.json()["code"]) == (409, "line-unsuitable")
    assert refused.json()["errors"][0]["pointer"] == "/results/0"
    refused = await _sign(world, visit, "CXR")
    assert (refused.status_code, refused.json()["code"]) == (409, "line-unsuitable")
    assert (await _command(world, visit, "withdraw", "CXR")).status_code == 200
    assert await _reasons(world, visit) == {}


async def test_whoever_says_that_a_line_stands_is_kept_with_the_reason_and_is_asked_again_when_it_changes_again(
    world: World,
) -> None:
    visit = await _woman(world, "CXR")
    early = await _command(world, visit, "keep", "CXR")
    assert (early.status_code, early.json()["errors"][0]["code"]) == (409, "suits")
    await _correct(world, visit, pregnant=True)
    kept = await _command(world, visit, "keep", "CXR")
    assert kept.status_code == 200, kept.text
    assert await _reasons(world, visit) == {}
    front = await world.sign_in("front")
    step = (await front.get(f"{visit.place}/line-steps")).json()["items"][-1]
    assert (step["action"], step["reason"], step["by_name"]) == ("kept", "医生评估", "陆医生")
    assert (await _enter(world, visit, "CXR", "未见异常")).status_code == 200
    await _correct(world, visit, sex="female")  # says nothing new
    assert await _reasons(world, visit) == {}
    await _correct(world, visit, pregnant=False)
    await _correct(world, visit, pregnant=True)
    assert await _reasons(world, visit) != {}
    await _correct(world, visit, pregnant=False)
    assert await _reasons(world, visit) == {}


async def test_what_is_for_women_stands_as_a_reason_once_the_person_is_a_man_whatever_became_of_it(
    world: World,
) -> None:
    visit = await _woman(world, "GYN")
    assert (await _sign(world, visit, "GYN")).status_code == 200
    front = await world.sign_in("front")
    assert (await front.get(visit.place)).json()["state"] == "ready_for_review"
    await _correct(world, visit, sex="male")
    reasons = await _reasons(world, visit)
    assert reasons[f"line:{visit.lines['GYN']}"].startswith("妇科检查:")
    assert (await front.get(visit.place)).json()["state"] == "in_progress"
    assert (await _command(world, visit, "keep", "GYN")).status_code == 200
    assert await _reasons(world, visit) == {}


async def test_the_reason_says_what_is_possible_of_a_line_that_has_results_and_whose_it_is(world: World) -> None:
    visit = await _woman(world, "CXR", "GYN")
    assert (await _sign(world, visit, "GYN")).status_code == 200
    await _correct(world, visit, sex="male")
    told = (await _reasons(world, visit))[f"line:{visit.lines['GYN']}"]
    assert "不能退项" in told
    assert "科室医生" in told
    assert (await _command(world, visit, "withdraw", "GYN")).status_code == 409
    await _correct(world, visit, sex="female", pregnant=True)
    told = (await _reasons(world, visit))[f"line:{visit.lines['CXR']}"]
    assert "请退项" in told
    assert (await _command(world, visit, "withdraw", "CXR")).status_code == 200


async def test_what_was_deferred_and_does_not_suit_any_more_does_not_come_back_unless_somebody_says_that_it_stands(
    world: World,
) -> None:
    visit = await _woman(world, "CXR")
    later = business_day(world.runtime.clock.now()) + timedelta(days=7)
    assert (await _command(world, visit, "defer", "CXR", due_on=f"{later}")).status_code == 200
    await _correct(world, visit, pregnant=True)
    assert await _reasons(world, visit) == {}, "nobody carries it out now"
    refused = await _command(world, visit, "reinstate", "CXR")
    assert (refused.status_code, refused.json()["code"]) == (422, "item-group-unsuitable")
    assert refused.json()["errors"][0] | {"message": ""} == {
        "pointer": "/line_ids/0", "code": "pregnant", "message": "",
    }  # fmt: skip
    await _correct(world, visit, sex="male", pregnant=False)
    assert (await _command(world, visit, "reinstate", "CXR")).status_code == 200
    await _command(world, visit, "defer", "CXR", due_on=f"{later}")
    await _correct(world, visit, sex="female", pregnant=True)
    assert (await _command(world, visit, "keep", "CXR")).status_code == 200
    assert (await _command(world, visit, "reinstate", "CXR")).status_code == 200
    assert await _reasons(world, visit) == {}


async def test_an_age_limit_is_asked_again_when_the_birth_date_is_corrected(world: World) -> None:
    keeper, ids = await world.sign_in("admin"), await world.groups()
    one = await keeper.get(f"{API}/item-groups/{ids['BMD']}")
    place = f"{API}/item-groups/{ids['BMD']}"
    names = ("sex", "age_from_years", "age_to_years", "not_when_pregnant", "resource")
    before = {name: one.json()[name] for name in names if name in one.json()}
    tag = {"If-Match": one.headers["etag"]}
    grown = await keeper.patch(place, json={"suitability": before | {"age_from_years": 18}}, headers=tag)
    assert grown.status_code == 200, grown.text
    try:
        visit = await world.checked_in("BMD")
        born = business_day(world.runtime.clock.now()) - timedelta(days=17 * 365)
        await _correct(world, visit, birth_date=f"{born}")
        assert list(await _reasons(world, visit)) == [f"line:{visit.lines['BMD']}"]
    finally:
        await keeper.patch(place, json={"suitability": before}, headers={"If-Match": grown.headers["etag"]})


async def test_a_payment_releases_nothing_that_does_not_suit_and_what_stands_is_released_then(world: World) -> None:
    visit = await _woman(world, "GENERAL")
    ids, front = await world.groups(), await world.sign_in("front")
    async with world.runtime.units.open(await world.staff("front")) as uow:
        await exams.add_lines(uow, visit.exam_id, [ids["CXR"]], payment_required=True)
    lines = (await front.get(visit.place)).json()["lines"]
    visit.lines["CXR"] = next(line["id"] for line in lines if line["code"] == "CXR")
    await _correct(world, visit, pregnant=True)
    front = await world.sign_in("front")
    paid = {"line_ids": [visit.lines["CXR"]], "how": "paid"}
    answer = await front.post(f"{visit.place}/lines:cover", json=paid)
    assert answer.status_code == 200, answer.text
    assert {line["code"]: line["state"] for line in answer.json()["lines"]}["CXR"] == "ordered"
    kept = (await _command(world, visit, "keep", "CXR")).json()
    assert {line["code"]: line["state"] for line in kept["lines"]}["CXR"] == "released"
