"""Which range judges a value: of the method that the laboratory says, where we have one; and theirs or ours first, as the campus has it or the item."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, state_of, visit
from tests.tjapi.result.test_contradictions import _filed
from tests.tjapi.world import API, SignIn
from tjapi.catalog import service as catalog
from tjapi.result import service as results

pytestmark = pytest.mark.requirement("E3.3", "X6")


async def _flag(unit: OpenUnit, scene: Scene, item: str) -> str | None:
    held = (await state_of(unit, scene))[item]
    assert held is not None
    return held[1]


@pytest.mark.parametrize(
    ("method", "flag"),
    [
        ("", "H"), ("速率法", "H"), ("P5P", ""), (" p5p ", ""), ("RATE^P5P^99LIS", ""), ("1^速率法^L^P5P^含5'-磷酸吡哆醛^99LIS", ""),
        ("RATE^速率法^P5P", "H"), ("速率法~P5P", ""),
    ],
)  # fmt: skip
async def test_a_value_is_judged_by_the_range_of_the_method_that_its_message_says(
    unit: OpenUnit, method: str, flag: str
) -> None:
    scene = await visit(unit, "LIVER")
    await _filed(unit, scene, "LIVER", f"OBX|1|NM|ALT||55|U/L|||||F||||||{method}")
    assert await _flag(unit, scene, "ALT") == flag
    async with unit() as uow:  # and is, when it is judged anew
        await results.judge_anew(uow, scene.exam_id)
    assert await _flag(unit, scene, "ALT") == flag


@pytest.fixture
async def first(admin: asyncpg.Connection) -> AsyncIterator[None]:
    yield
    await admin.execute("delete from range_policy")
    await admin.execute("update item set laboratory_first = null where code = 'ALT'")


@pytest.mark.parametrize(
    ("policy", "item", "flag"),
    [(False, None, ""), (True, None, "H"), (False, True, "H"), (True, False, "")],
    ids=["ours-first", "theirs-first", "this-item-theirs", "this-item-ours"],
)
async def test_which_goes_first_is_the_campuss_policy_unless_the_item_says_otherwise(
    unit: OpenUnit, sign_in: SignIn, admin: asyncpg.Connection, first: None, policy: bool, item: bool | None, flag: str
) -> None:
    head, chief = await sign_in("laboratory"), await sign_in("chief")
    refused = await chief.put(f"{API}/range-policies/1", json={"laboratory_first": policy})
    assert refused.status_code == 403, "the head of the laboratory says so"
    said = await head.put(f"{API}/range-policies/1", json={"laboratory_first": policy})
    assert (said.status_code, said.json()["laboratory_first"]) == (200, policy)
    listed = (await chief.get(f"{API}/range-policies")).json()["items"]
    assert {row["campus_id"]: row["laboratory_first"] for row in listed}[1] is policy
    await admin.execute("update item set laboratory_first = $1 where code = 'ALT'", item)
    scene = await visit(unit, "LIVER")
    await _filed(unit, scene, "LIVER", "OBX|1|NM|ALT||45|U/L|5-40||||F")
    assert await _flag(unit, scene, "ALT") == flag


async def test_an_item_that_says_nothing_follows_its_campus_and_a_catalog_file_may_say_it(sign_in: SignIn) -> None:
    shipped = {i.item: i.laboratory_first for i in catalog.read_starter().limits}
    chief = await sign_in("chief")
    items = (await chief.get(f"{API}/items", params={"q": "ALT", "page_size": 50})).json()["items"]
    alt = next(i for i in items if i["code"] == "ALT")
    assert (shipped.get("ALT"), alt["laboratory_first"]) == (None, None)
    assert any(value is True for value in shipped.values())
