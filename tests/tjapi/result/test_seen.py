"""Nobody signs what nobody has read: whatever changes what a sheet or a draft shows moves its version."""

from typing import Any

import httpx
import pytest

from tests.tjapi.world import SignIn, Visit, World
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("X1", "E3.4")

NORMAL = {"SBP": "118", "DBP": "76", "HEIGHT": "170", "WEIGHT": "65", "PULSE": "70"}
CHILD = {"birth_date": "2024-05-05", "reason": "核对证件更正"}


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


class Sheet:
    """A department's sheet, read once: it is commanded with the tag of that reading."""

    def __init__(self, client: httpx.AsyncClient, visit: Visit, group: str) -> None:
        self.client, self.place = client, f"{visit.place}/departments/{visit.departments[group]}"
        self.tag = ""

    async def read(self) -> dict[str, Any]:
        answer = await self.client.get(f"{self.place}/sheet")
        assert answer.status_code == 200, answer.text
        self.tag = answer.headers["etag"]
        shown: dict[str, Any] = answer.json()
        return shown

    async def call(self, method: str, verb: str, body: dict[str, Any]) -> httpx.Response:
        return await self.client.request(method, f"{self.place}/{verb}", json=body, headers={"If-Match": self.tag})

    async def enter(self, **values: str) -> None:
        items = {i["item_code"]: i["item_id"] for i in (await self.read())["items"]}
        results = [{"item_id": items[code], "value": value} for code, value in values.items()]
        answer = await self.call("PUT", "results", {"results": results})
        assert answer.status_code == 200, answer.text
        await self.read()

    async def sign(self, **body: Any) -> httpx.Response:
        return await self.call("POST", "sheet:sign", body)


async def _sheet(world: World, *further: str, **values: str) -> tuple[Visit, Sheet]:
    visit = await world.checked_in("GENERAL", *further)
    sheet = Sheet(await world.sign_in("doctor"), visit, "GENERAL")
    if values:
        await sheet.enter(**values)
    await sheet.read()
    return visit, sheet


async def _correct(world: World, visit: Visit, **facts: Any) -> None:
    front = await world.sign_in("front")
    answer = await front.post(f"{visit.place}:correct-facts", json=CHILD | facts)
    assert answer.status_code == 200, answer.text


async def test_a_sheet_that_corrected_facts_changed_is_not_signed_unseen(world: World) -> None:
    visit, sheet = await _sheet(world, **NORMAL | {"SBP": "150", "DBP": "95"})
    await _correct(world, visit)
    unseen = await sheet.sign()
    assert (unseen.status_code, unseen.json()["code"]) == (412, "precondition-failed")
    shown = await sheet.read()
    told = [line["text"] for line in shown["lines"] if "血压" in line["text"]]
    assert told == [], "what is neither normal nor abnormal is no finding"
    assert {i["current"]["flag"] for i in shown["items"] if i["item_code"] in ("SBP", "DBP")} == {None}


async def test_nothing_is_filled_in_for_another_person_than_the_one_who_was_read(world: World) -> None:
    visit, sheet = await _sheet(world)
    await _correct(world, visit)
    assert (await sheet.sign(fill_defaults=True)).status_code == 412
    assert (await sheet.read())["version"] == 1


async def test_another_departments_values_leave_a_sheet_to_its_doctor(world: World) -> None:
    visit, sheet = await _sheet(world, "GLU", **NORMAL)
    await world.file(visit, GLU="5.0")
    await world.file(visit, status="C", GLU="9.0")
    assert (await sheet.sign()).status_code == 200


async def test_a_draft_whose_values_changed_is_not_signed_unseen(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="5.0")
    reviewer = await world.sign_in("reviewer")
    at = f"{visit.place}/conclusion"
    tag = (await reviewer.get(at)).headers["etag"]
    made = await reviewer.post(f"{at}:generate", headers={"If-Match": tag})
    assert made.status_code == 200, made.text
    await world.file(visit, status="C", GLU="5.6")
    unseen = await reviewer.post(f"{at}:sign", headers={"If-Match": made.headers["etag"]})
    assert (unseen.status_code, unseen.json()["code"]) == (412, "precondition-failed")
    again = (await reviewer.get(at)).headers["etag"]
    assert (await reviewer.post(f"{at}:sign", headers={"If-Match": again})).status_code == 200


async def test_who_may_revoke_what_a_department_entered_reads_its_sheet_and_its_version(world: World) -> None:
    _, sheet = await _sheet(world, **NORMAL)
    chief = Sheet(await world.sign_in("chief"), await world.checked_in("GLU"), "GLU")
    chief.place = sheet.place
    shown = await chief.read()
    assert [i["current"]["value"] for i in shown["items"] if i["item_code"] == "SBP"] == ["118"]
    revoked = await chief.call("POST", "results:revoke", {"reason": "录错人"})
    assert revoked.status_code == 200, revoked.text
    reviewer = await world.sign_in("reviewer")
    assert (await reviewer.get(f"{sheet.place}/sheet")).json()["code"] == "department-not-own"


@pytest.mark.requirement("E3.3")
async def test_a_woman_who_turns_out_to_be_pregnant_is_judged_by_the_range_of_pregnancy(world: World) -> None:
    """Haemoglobin of 112 g/L is low for a woman and normal in pregnancy; what is critical stays so."""
    visit = await world.checked_in("CBC")
    await world.file(visit, HGB="112")
    sheet = Sheet(await world.sign_in("chief"), visit, "CBC")
    woman = {"sex": "female", "birth_date": "1992-05-05"}
    said = []
    for facts in (woman, woman | {"pregnant": True}, woman | {"pregnant": False}):
        await _correct(world, visit, **facts)
        now = next(i["current"] for i in (await sheet.read())["items"] if i["item_code"] == "HGB")
        said.append((now["flag"], now["range"]["low"], now["range"]["critical_low"]))
    assert said == [("L", "115", "50"), ("", "110", "50"), ("L", "115", "50")]
