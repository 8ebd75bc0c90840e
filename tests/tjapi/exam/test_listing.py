"""The list of exams, by any combination of what is asked."""

from datetime import timedelta
from typing import Any

import pytest

from tests.tjapi.world import API, SignIn, World, key
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.requirement("E1.7")
async def test_exams_are_listed_by_package_span_of_days_and_who_registered_them(world: World) -> None:
    front, today = await world.sign_in("front"), business_day(world.runtime.clock.now())
    package = (await front.get(f"{API}/exam-packages", params={"q": "BASIC-M"})).json()["items"][0]["id"]
    person, _ = await world.person(sex="male")
    body = {"campus_id": 1, "examinee_id": str(person), "package_id": package}
    made = await front.post(f"{API}/exams", json=body, headers=key())
    assert made.status_code == 201, made.text
    clerk, reviewer = await world.staff("front"), await world.staff("reviewer")
    mine: dict[str, Any] = {"examinee_id": str(person)}
    for filters, there in (
        ({"package_id": package}, True), ({"package_id": str(person)}, False),
        ({"day_from": f"{today}", "day_to": f"{today}"}, True), ({"day_from": f"{today + timedelta(1)}"}, False),
        ({"day_to": f"{today - timedelta(1)}"}, False), ({"registered_by": str(clerk.id)}, True), ({"registered_by": str(reviewer.id)}, False),
        ({"package_id": package, "day_from": f"{today}", "registered_by": str(clerk.id), "state": "prepared"}, True),
    ):  # fmt: skip
        listed = await front.get(f"{API}/exams", params=mine | filters)
        assert [one["id"] for one in listed.json()["items"]] == ([made.json()["id"]] if there else []), filters
