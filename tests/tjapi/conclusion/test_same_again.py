"""What changed and changed back is what it was: one rule says whether what a reader sees is what was signed."""

from typing import Any

import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World
from tjapi import demo
from tjapi.kernel.runtime import Runtime
from tjapi.result import repository
from tjapi.result.rules.revisions import SEEN, Seen, digest, older_digest
from tjapi.result.service import reads_as

pytestmark = pytest.mark.requirement("E12.1", "E5.2")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _close_all(chief: httpx.AsyncClient, visit: Visit) -> list[tuple[int, str | None]]:
    found = (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200, "state": "open"})).json()["items"]
    said = []
    for task in (t for t in found if t["exam_id"] == str(visit.exam_id)):
        answer = await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "检验科确认原值"})
        said.append((answer.status_code, answer.json().get("code")))
    return said


@pytest.mark.parametrize("between", [("C", "9.0"), ("W", "5")])
async def test_a_value_that_came_back_is_what_was_signed_and_its_tasks_are_closed(
    world: World, between: tuple[str, str]
) -> None:
    visit = await world.finalized("GLU")
    await world.published(visit)
    chief = await world.sign_in("chief")
    await world.file(visit, status=between[0], GLU=between[1])
    assert (409, "amendment-needed") in await _close_all(chief, visit)
    await world.file(visit, status="C", GLU="5.0")
    assert set(await _close_all(chief, visit)) == {(409, "amendment-needed")}, "5.0 is not how it read"
    await world.file(visit, status="C", GLU="5")
    assert {status for status, _ in await _close_all(chief, visit)} == {200}
    reports = (await chief.get(f"{visit.place}/reports")).json()["items"]
    assert [(r["state"], r["outdated"]) for r in reports] == [("published", False)]


def _seen(**other: Any) -> list[Seen]:
    said = {"value": "5.0", "unit": "mmol/L", "flag": "", "range": "3.9-6.1", "remarks": "[]"} | other
    return [Seen(demo.LOADER.id, demo.LOADER.id, tuple(said.values()))]


@pytest.mark.parametrize(
    "other",
    [{"value": "5.1"}, {"unit": "mg/dL"}, {"flag": "H"}, {"flag": "?"}, {"range": "3-6"}, {"remarks": '["溶血"]'}],
)
def test_whatever_differs_for_a_reader_is_another(other: dict[str, str]) -> None:
    assert digest(_seen(), [], []) == digest(_seen(), [], [])
    assert digest(_seen(), [], []) != digest(_seen(**other), [], [])
    assert digest(_seen(), [("line", "item", "溶血")], []) != digest(_seen(), [], [])
    assert digest(_seen(), [], [], 1) != digest(_seen(), [], [])


async def test_what_was_signed_before_values_were_compared_as_they_read_stands(world: World) -> None:
    visit = await world.ready("GLU")
    async with world.runtime.units.open(demo.LOADER) as uow:
        seen = (await repository.seen_of(uow, [visit.exam_id]))[visit.exam_id]
        older = older_digest(seen, [])
        assert not older.startswith(SEEN)
        assert await reads_as(uow, visit.exam_id, older)
    await world.file(visit, status="C", GLU="9.0")
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert not await reads_as(uow, visit.exam_id, older)
