"""Of two who edit the same thing, one is told to read it again."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.tjapi.world import SignIn, Visit, World
from tjapi.kernel.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _sheet(client: httpx.AsyncClient, visit: Visit) -> tuple[str, str, str]:
    place = f"{visit.place}/departments/{visit.departments['GENERAL']}"
    answer = await client.get(f"{place}/sheet")
    assert answer.status_code == 200, answer.text
    height = next(item["item_id"] for item in answer.json()["items"] if item["item_code"] == "HEIGHT")
    return place, height, answer.headers["etag"]


def _values(height: str, value: str) -> dict[str, Any]:
    return {"results": [{"item_id": height, "value": value}]}


async def test_a_clinical_write_without_if_match_is_refused(world: World) -> None:
    visit, doctor = await world.checked_in("GENERAL"), await world.sign_in("doctor")
    place, height, _ = await _sheet(doctor, visit)
    answer = await doctor.put(f"{place}/results", json=_values(height, "170"))
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")


@pytest.mark.parametrize("stale", ['"7"', "*", 'W/"0"', '"x"', '"-1"', '"٣"', '"1000000000000000000000"'])
async def test_what_is_not_the_current_version_is_refused(world: World, stale: str) -> None:
    visit, doctor = await world.checked_in("GENERAL"), await world.sign_in("doctor")
    place, height, _ = await _sheet(doctor, visit)
    headers = {b"If-Match": stale.encode()}
    answer = await doctor.put(f"{place}/results", json=_values(height, "170"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition-failed")


async def test_a_write_gives_the_next_etag_and_the_old_one_is_used_up(world: World) -> None:
    visit, doctor = await world.checked_in("GENERAL"), await world.sign_in("doctor")
    place, height, version = await _sheet(doctor, visit)
    first = await doctor.put(f"{place}/results", json=_values(height, "170"), headers={"If-Match": version})
    assert (first.status_code, first.headers["etag"] != version) == (200, True)
    again = await doctor.put(f"{place}/results", json=_values(height, "171"), headers={"If-Match": version})
    assert again.status_code == 412
    assert (await _sheet(doctor, visit))[2] == first.headers["etag"]


async def test_of_eight_writers_of_a_sheet_exactly_one_wins(world: World) -> None:
    visit, doctor = await world.checked_in("GENERAL"), await world.sign_in("doctor")
    place, height, version = await _sheet(doctor, visit)
    answers = await asyncio.gather(
        *(
            doctor.put(f"{place}/results", json=_values(height, str(160 + i)), headers={"If-Match": version})
            for i in range(8)
        )
    )
    assert Counter(a.status_code for a in answers) == {200: 1, 412: 7}
    won = next(a for a in answers if a.status_code == 200).json()
    kept = (await doctor.get(f"{place}/sheet")).json()
    assert [i["current"] for i in kept["items"]] == [i["current"] for i in won["items"]]


async def test_of_eight_writers_of_a_conclusion_exactly_one_wins(world: World) -> None:
    visit, reviewer = await world.ready("GLU"), await world.sign_in("reviewer")
    answers = await asyncio.gather(
        *(
            reviewer.put(
                f"{visit.place}/conclusion", json={"overview": f"{i}", "entries": []}, headers={"If-Match": '"0"'}
            )
            for i in range(8)
        )
    )
    assert Counter(a.status_code for a in answers) == {200: 1, 412: 7}
    won = next(a for a in answers if a.status_code == 200).json()
    assert (await reviewer.get(f"{visit.place}/conclusion")).json()["overview"] == won["overview"]


async def test_departments_do_not_block_each_other(world: World) -> None:
    visit, doctor = await world.checked_in("GENERAL", "INTERNAL"), await world.sign_in("doctor")
    place, height, version = await _sheet(doctor, visit)
    other = f"{visit.place}/departments/{visit.departments['INTERNAL']}"
    theirs = await doctor.get(f"{other}/sheet")
    await doctor.put(f"{place}/results", json=_values(height, "170"), headers={"If-Match": version})
    item = theirs.json()["items"][0]["item_id"]
    answer = await doctor.put(
        f"{other}/results", json=_values(item, "72"), headers={"If-Match": theirs.headers["etag"]}
    )
    assert answer.status_code == 200, answer.text
