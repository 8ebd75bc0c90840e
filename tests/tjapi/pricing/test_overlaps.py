"""No item is examined, or paid for, twice in one exam: by every path by which something is ordered, with the way out said."""

import itertools
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tjapi.employer.scene import listed, plan
from tests.tjapi.world import API, SignIn, Visit, World, key
from tjapi import demo
from tjapi.employer import service as employers
from tjapi.exam.rules import GONE, LINE_MOVES, way_out
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime
from tjapi.pricing.rules import contained, instead, overlaps

pytestmark = pytest.mark.requirement("E8.2", "E1.6")
GROUPS = st.dictionaries(st.integers(0, 7), st.frozensets(st.integers(0, 6), max_size=4), min_size=1, max_size=8)


@pytest.fixture
async def world(runtime: Runtime, sign_in: SignIn, admin: asyncpg.Connection) -> AsyncIterator[World]:
    """What the tests add to the catalog is out of use afterwards."""
    yield World(runtime, sign_in)
    await admin.execute("update item_group set active = false where code like 'SHARE-%'")


async def _group(world: World, *items: str, name: str) -> str:
    """A group of items that other groups have too."""
    front, known = await world.sign_in("front"), {}
    for item in items:
        page = (await front.get(f"{API}/items", params={"q": item})).json()["items"]
        known[item] = next(one["id"] for one in page if one["code"] == item)
    body = {
        "code": f"SHARE-{secrets.token_hex(4).upper()}", "name": name, "department_id": 4, "price_fen": 5_000, "performed_by": "lis", "specimen": "serum", "container": "SST-5",
        "sort": 990, "item_ids": [known[item] for item in items],
    }  # fmt: skip
    made = await (await world.sign_in("admin")).post(f"{API}/item-groups", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _mixed(world: World) -> str:
    """Shares an item each with LIVER, RENAL and LIPID, and holds none of them wholly."""
    return await _group(world, "ALT", "CREA", "TC", name="生化三项")


async def _add(world: World, visit: Visit, *groups: str, **headers: str) -> httpx.Response:
    ids, front = await world.groups(), await world.sign_in("front")
    body = {"item_group_ids": [str(ids.get(code, code)) for code in groups]}
    return await front.post(f"{visit.place}/lines", json=body, headers={**key(), **headers})


def _refused(answer: httpx.Response, code: str = "item-group-overlaps") -> list[tuple[str, str, str]]:
    said = answer.json()
    assert (answer.status_code, said["code"]) == (422, code), answer.text
    return [(e["pointer"], e["code"], e["message"]) for e in said["errors"]]


async def test_what_contains_a_line_is_refused_and_takes_its_place_by_substituting(world: World) -> None:
    visit, ids, front = await world.registered("LIVER", "CBC"), await world.groups(), await world.sign_in("front")
    [(pointer, code, message)] = _refused(await _add(world, visit, "LIVER-FULL"))
    assert (pointer, code) == ("/item_group_ids/0", "contains")
    assert message.startswith("肝功能全套 包含已开的 肝功能,请用换项以 肝功能全套 代替 肝功能")
    [(_, _, english)] = _refused(await _add(world, visit, "LIVER-FULL", **{"Accept-Language": "en"}))
    assert ": substitute 肝功能全套 for that line" in english
    body = {"line_id": str(visit.lines["LIVER"]), "item_group_ids": [str(ids["LIVER-FULL"])], "reason": "加查"}
    answer = await front.post(f"{visit.place}/lines:substitute", json=body, headers=key())
    assert answer.status_code == 200, answer.text
    live = {line["code"]: line["price_fen"] for line in answer.json()["lines"] if line["state"] not in GONE}
    assert answer.json()["total_fen"] == live["LIVER-FULL"] + live["CBC"]


async def test_one_of_several_that_is_contained_is_refused_and_not_dropped_in_silence(world: World) -> None:
    visit = await world.registered("LIVER-FULL")
    [(pointer, code, message)] = _refused(await _add(world, visit, "GLU", "LIVER"), "item-group-contained")
    assert (pointer, code) == ("/item_group_ids/1", "contained")
    assert message == "肝功能 的内容已全部包含在已开的 肝功能全套 中,无需再开"
    answer = await _add(world, visit, "GLU")
    assert [line["code"] for line in answer.json()["lines"]] == ["LIVER-FULL", "GLU"]


async def test_groups_that_share_an_item_are_refused_with_what_may_be_ordered_instead(world: World) -> None:
    mixed = await _mixed(world)
    visit = await world.registered("LIVER", "GLU")
    [(_, code, message)] = _refused(await _add(world, visit, mixed))
    assert code == "shares"
    assert "生化三项 与 肝功能 都有 丙氨酸氨基转移酶" in message, message
    assert "请用换项" in message
    only = await _group(world, "CREA", name="肌酐单项")
    [(_, _, message)] = _refused(await _add(world, visit, mixed))
    assert message.endswith(";可改开:肌酐单项"), message
    assert (await _add(world, visit, only)).status_code == 200


async def test_what_is_under_way_is_not_substituted_and_what_was_refused_is_reinstated(world: World) -> None:
    visit, front = await world.checked_in("GLU", "LIVER", "RENAL"), await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tube('肝功能')['id']}:collect")
    [(_, _, message)] = _refused(await _add(world, visit, "LIVER-FULL"))
    assert "该项已开始,不能换项" in message
    other = await world.registered("LIVER", "RENAL-FULL")
    for code in ("LIVER", "RENAL-FULL"):
        body = {"line_ids": [str(other.lines[code])], "reason": "受检者要求"}
        assert (await front.post(f"{other.place}/lines:refuse", json=body)).status_code == 200
    assert _refused(await _add(world, other, "LIVER-FULL"))[0][2].startswith(
        "肝功能全套 包含已开的 肝功能,可恢复该项后再换项"
    )
    assert _refused(await _add(world, other, "RENAL"), "item-group-contained")[0][2].endswith("中,可恢复该项")
    again = (await _add(world, other, "LIVER")).json()
    assert (again["code"], again["errors"][0]["message"]) == ("item-group-ordered", "肝功能:已在本次体检中,可恢复该项")


async def test_no_path_of_ordering_takes_two_groups_that_share_an_item(world: World) -> None:
    """Quote, registering, booking, substituting and a member's wish: one rule."""
    mixed, ids, front = await _mixed(world), await world.groups(), await world.sign_in("front")
    liver, glu = str(ids["LIVER"]), str(ids["GLU"])
    person, _ = await world.person()
    today = business_day(world.runtime.clock.now())
    asked: dict[str, Any] = {"campus_id": 1, "day_from": str(today + timedelta(1)), "day_to": str(today + timedelta(8))}
    days = (await front.get(f"{API}/appointment-availability", params=asked)).json()["days"]
    day, session = next((d["day"], d["sessions"][0]["session_id"]) for d in days if d["sessions"])
    order: dict[str, Any] = {"campus_id": 1, "examinee_id": str(person), "item_group_ids": [liver, mixed]}
    booking = order | {"day": day, "session_id": session}
    for path, body in (("/quotes", {"item_group_ids": [liver, mixed]}), ("/exams", order), ("/appointments", booking)):
        answer = await front.post(f"{API}{path}", json=body, headers=key())
        [(pointer, code, message)] = _refused(answer)
        assert (pointer, code) == ("/item_group_ids/1", "shares")
        assert "只能选其一" in message
    visit = await world.registered("GLU", "LIVER")
    swap = {"line_id": str(visit.lines["GLU"]), "item_group_ids": [mixed], "reason": "换"}
    _refused(await front.post(f"{visit.place}/lines:substitute", json=swap, headers=key()))
    packages = (await front.get(f"{API}/exam-packages")).json()["items"]
    package = next(p["id"] for p in packages if p["code"] == "BASIC-M")
    _refused(await front.post(f"{API}/quotes", json={"package_id": package, "item_group_ids": [mixed]}))
    unit = partial(world.runtime.units.open, demo.LOADER)
    group = {"name": "全员", "criteria": [{}], "item_group_ids": [liver, glu]}
    [member] = await listed(unit, (await plan(unit, ALL=group)).campaign_id)
    assert (await front.get(f"{API}/members/{member}/quote")).status_code == 200
    async with unit() as uow:
        (await employers.member(uow, member)).self_paid_ids = [UUID(mixed)]
    _refused(await front.get(f"{API}/members/{member}/quote"))
    # What the package holds is its maker's to say; what an added group examines wholly is charged once.
    whole = await front.post(f"{API}/quotes", json={"package_id": package, "item_group_ids": [str(ids["LIVER-FULL"])]})
    assert [c["name"] for c in whole.json()["contained"]] == ["肝功能"]
    assert glu in {line["item_group_id"] for line in whole.json()["lines"]}


@given(GROUPS, st.data())
def test_whatever_is_taken_examines_no_item_twice_but_within_a_package(
    items: dict[int, frozenset[int]], data: st.DataObject
) -> None:
    keys = list(items)
    there = set(data.draw(st.lists(st.sampled_from(keys), unique=True)))
    asked = [key for key in keys if key not in there]
    bundled = asked[: data.draw(st.integers(0, len(asked)))]
    added = asked[len(bundled) :]
    found = overlaps(items, added, there, asked)
    for one in found:
        assert one.shared == items[one.added] & items[one.other] != frozenset()
    within = contained({key: items[key] for key in asked}, asked)
    kept = [key for key in asked if key not in within]
    twice = {
        frozenset((a, b))
        for a, b in itertools.combinations([*there, *kept], 2)
        if items[a] & items[b] and not {a, b} <= there and not {a, b} <= set(bundled)
    }
    named = {frozenset((one.added, one.other)) for one in found}
    assert {pair for pair in twice if not pair & set(bundled) or not pair & there} <= named


@given(GROUPS, st.frozensets(st.integers(0, 6)))
def test_what_is_offered_instead_holds_nothing_else_and_nothing_twice(
    offered: dict[int, frozenset[int]], wanted: frozenset[int]
) -> None:
    taken = [offered[key] for key in instead(wanted, offered)]
    assert frozenset().union(*taken) <= wanted
    assert sum(map(len, taken)) == len(frozenset().union(*taken))


def test_the_way_out_follows_the_line() -> None:
    assert {state for state in LINE_MOVES if way_out(state) == "substitute"} == {"ordered", "released", "sent"}
    assert {state for state in LINE_MOVES if way_out(state) == "reinstate"} == {"refused", "waived", "deferred"}
    assert way_out("verified") == "stays"


@pytest.mark.requirement("E1.1", "E1.6")
async def test_what_another_group_of_the_same_order_contains_is_said_and_not_left_out_in_silence(world: World) -> None:
    front, ids = await world.sign_in("front"), await world.groups()
    person, _ = await world.person()
    made = await front.post(f"{API}/exams", json=await world.order(person, "CBC", "CBC5"), headers=key())
    assert made.status_code == 201, made.text
    assert [line["code"] for line in made.json()["lines"]] == ["CBC5"]
    [left_out] = made.json()["contained"]
    assert (left_out["item_group_id"], left_out["contained_in"]) == (str(ids["CBC"]), str(ids["CBC5"]))
    assert "不重复计费" in left_out["zh"]
    visit = await world.registered("GLU")
    body = {"item_group_ids": [str(ids["CBC"]), str(ids["CBC5"])]}
    added = (await front.post(f"{visit.place}/lines", json=body, headers=key())).json()
    assert [one["name"] for one in added["contained"]] == [left_out["name"]]
