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


@pytest.mark.parametrize(("policy", "flag"), [(False, ""), (True, "H")], ids=["ours-first", "theirs-first"])
async def test_a_flag_of_the_laboratorys_is_never_silent_with_a_range_or_without(
    unit: OpenUnit, sign_in: SignIn, first: None, policy: bool, flag: str
) -> None:
    """Where theirs goes first it counts without a range; where ours does, the value stands in the abnormal view with what they say of it."""
    head, chief = await sign_in("laboratory"), await sign_in("chief")
    await head.put(f"{API}/range-policies/1", json={"laboratory_first": policy})
    scene = await visit(unit, "LIVER")
    await _filed(unit, scene, "LIVER", "OBX|1|NM|ALT||30|U/L||H|||F\rOBX|2|NM|AST||20|U/L||N|||F")
    assert await _flag(unit, scene, "ALT") == flag
    said = await chief.get(f"{API}/exams/{scene.exam_id}/results", params={"abnormal": "true"})
    assert said.status_code == 200, said.text
    shown = {r["item_code"]: r["current"] for d in said.json()["departments"] for r in d["results"]}
    assert shown.keys() == {"ALT"}
    assert (shown["ALT"]["flag"], shown["ALT"]["lis_flags"]) == (flag, "H")


async def test_a_number_that_nobody_here_judges_blocks_nothing_and_says_why(unit: OpenUnit, sign_in: SignIn) -> None:
    scene = await visit(unit, "OGTT-1H")
    await _filed(unit, scene, "OGTT-1H", "OBX|1|NM|OGTT-1H||9.50|mmol/L|||||F")
    chief = await sign_in("chief")
    assert await _flag(unit, scene, "OGTT-1H") is None
    held = (await chief.get(f"{API}/exams/{scene.exam_id}/results")).json()["departments"]
    current = next(r["current"] for d in held for r in d["results"] if r["item_code"] == "OGTT-1H")
    assert current["range"]["text"] == "非孕期1小时值不单独判断"
    async with unit() as uow:
        asked = await results.questions_page(
            uow, exam_id=scene.exam_id, kind=None, department_id=None, still_open=None, after=None, size=9
        )
    assert [one.kind for one in asked] == []


async def test_what_alarms_at_once_is_flagged_critical_whatever_its_range_says(unit: OpenUnit) -> None:
    """Troponin above its limit is class A, of no bound of a range; and stays so when it is judged anew."""
    scene = await visit(unit, "HSCTNI")
    await _filed(unit, scene, "HSCTNI", "OBX|1|NM|HSCTNI||800|ng/L|||||F")
    assert await _flag(unit, scene, "HSCTNI") == "HH"
    async with unit() as uow:
        await results.judge_anew(uow, scene.exam_id)
    assert await _flag(unit, scene, "HSCTNI") == "HH"


async def test_an_item_that_says_nothing_follows_its_campus_and_a_catalog_file_may_say_it(sign_in: SignIn) -> None:
    shipped = {i.item: i.laboratory_first for i in catalog.read_starter().limits}
    chief = await sign_in("chief")
    items = (await chief.get(f"{API}/items", params={"q": "ALT", "page_size": 50})).json()["items"]
    alt = next(i for i in items if i["code"] == "ALT")
    assert (shipped.get("ALT"), alt["laboratory_first"]) == (None, None)
    assert any(value is True for value in shipped.values())
