"""Packages are copied; the catalog leaves as a file and comes back: all of it or nothing, and what is known keeps its meaning."""

import asyncio
import copy
import secrets
from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, SignIn, World, key
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E8.2")


@pytest.fixture
async def admin_client(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("admin")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _file(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(f"{API}/catalog-file")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    found: dict[str, Any] = answer.json()
    return found


def _part(**rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format": "tjapi-catalog", "version": 1, **rows}


async def _import(client: httpx.AsyncClient, file: dict[str, Any], *, commit: bool = True) -> httpx.Response:
    return await client.post(f"{API}/catalog-imports", json={"file": file, "commit": commit})


def _new(mark: str) -> dict[str, Any]:
    """An item, two groups and a package that nobody knows."""
    item = {"code": f"I{mark}", "name": "新指标", "kind": "numeric", "unit": "U/L", "sort": 9_000}
    group = {
        "name": "新组合", "department": "LAB", "price_fen": 3_000, "specimen": "serum", "container": "SST", "performed_by": "lis", "sort": 9_000,
        "items": [item["code"]], "send_out": True, "minutes_after": 120,
    }  # fmt: skip
    groups = [{"code": f"G{mark}{n}", **group, "excludes": []} for n in (1, 2, 3)]
    groups[0]["excludes"] = [{"code": f"G{mark}3", "reason": "重复"}]
    package = {
        "code": f"P{mark}", "name": "新套餐", "sex": "any", "price_fen": 5_000, "valid_from": "2026-01-01", "groups": ["CBC"],
        "options": [{"name": "二选一", "choose": 1, "groups": [f"G{mark}1", f"G{mark}2"]}],
    }  # fmt: skip
    return _part(items=[item], item_groups=groups, packages=[package])


async def test_the_whole_catalog_goes_out_and_comes_back_and_nothing_changes(admin_client: httpx.AsyncClient) -> None:
    file = await _file(admin_client)
    assert (file["format"], file["version"]) == ("tjapi-catalog", 1)
    assert len(file["items"]) > 100
    for commit in (False, True):
        answer = await _import(admin_client, file, commit=commit)
        assert answer.status_code == 200, answer.text
        rows = sum(len(file[name]) for name in ("items", "item_groups", "packages"))
        assert answer.json() == {"committed": commit, "same": rows, "changes": []}


async def test_a_preview_says_what_an_import_does_and_leaves_nothing_and_twice_is_once(
    admin_client: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    new = _new(secrets.token_hex(4).upper())
    seen = (await _import(admin_client, new, commit=False)).json()
    assert await admin.fetchval("select count(*) from item where code = $1", new["items"][0]["code"]) == 0
    done = (await _import(admin_client, new)).json()
    assert (seen["changes"], done["committed"]) == (done["changes"], True)
    assert [(c["kind"], c["change"]) for c in done["changes"]] == [
        ("item", "added"), ("item_group", "added"), ("item_group", "added"), ("item_group", "added"), ("package", "added"),
    ]  # fmt: skip
    assert (await _import(admin_client, new)).json()["changes"] == []
    out = await _file(admin_client)
    group = next(g for g in out["item_groups"] if g["code"] == new["item_groups"][0]["code"])
    assert (group["send_out"], group["minutes_after"], group["excludes"]) == (
        True,
        120,
        new["item_groups"][0]["excludes"],
    )
    dearer = copy.deepcopy(new)
    dearer["item_groups"][0]["price_fen"] = 4_000
    dearer["packages"][0] |= {"price_fen": 6_000, "valid_from": "2027-01-01"}
    changed = (await _import(admin_client, dearer)).json()["changes"]
    assert [(c["kind"], c["change"], c["fields"]) for c in changed] == [
        ("item_group", "changed", ["price_fen"]), ("package", "new_edition", ["price_fen", "valid_from"]),
    ]  # fmt: skip
    editions = await admin.fetch(
        "select edition, price_fen, valid_to::text from exam_package where code = $1 order by edition",
        new["packages"][0]["code"],
    )
    assert [tuple(row) for row in editions] == [(1, 5_000, "2026-12-31"), (2, 6_000, None)]
    version = await admin.fetchval("select version from item_group where code = $1", new["item_groups"][0]["code"])
    assert version == 2


async def test_what_would_change_a_meaning_or_leads_nowhere_is_named_and_nothing_of_the_file_stays(
    admin_client: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    mark = secrets.token_hex(4).upper()
    file = await _file(admin_client)
    wbc = next(item for item in file["items"] if item["code"] == "WBC") | {"unit": "10^6/L"}
    cbc = next(group for group in file["item_groups"] if group["code"] == "CBC")
    cbc = cbc | {"items": cbc["items"][:-1], "department": "NIRGENDS"}
    new = _new(mark)
    new["items"] += [wbc, wbc]
    new["item_groups"] += [cbc]
    new["item_groups"][0] |= {"items": ["NICHTDA"], "container": None}
    answer = await _import(admin_client, new)
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog-file-invalid")
    assert {(e["pointer"], e["code"]) for e in answer.json()["errors"]} >= {
        ("/file/items/1/unit", "meaning-differs"), ("/file/items/2/code", "twice"), ("/file/item_groups/0/items/0", "not-found"),
        ("/file/item_groups/0/container", "contradiction"), ("/file/item_groups/3/items", "items-differ"),
        ("/file/item_groups/3/department", "not-found"),
    }  # fmt: skip
    late = _new(mark)
    late["packages"][0]["groups"] = ["CBC", "CBC"]
    refused = await _import(admin_client, late)
    assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [("/file/packages/0/groups/1", "twice")]
    assert await admin.fetchval("select count(*) from item where code = $1", f"I{mark}") == 0
    other = await _import(admin_client, _part() | {"version": 2})
    assert other.status_code == 422


async def test_two_who_import_one_file_at_once_enter_it_once(
    admin_client: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    mark = secrets.token_hex(4).upper()
    answers = await asyncio.gather(*(_import(admin_client, _new(mark)) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sorted(len(answer.json()["changes"]) for answer in answers) == [0, 0, 5]
    assert await admin.fetchval("select count(*) from exam_package where code = $1", f"P{mark}") == 1


async def test_a_copy_has_a_code_of_its_own_and_goes_its_own_way(admin_client: httpx.AsyncClient) -> None:
    mark = secrets.token_hex(4).upper()
    assert (await _import(admin_client, _new(mark))).status_code == 200
    packages = (await admin_client.get(f"{API}/exam-packages", params={"q": f"P{mark}"})).json()["items"]
    place = f"{API}/exam-packages/{packages[0]['id']}"
    body = {"code": f"Q{mark}", "name": "副本", "valid_from": "2027-01-01"}
    made = await admin_client.post(f"{place}:copy", json=body, headers=key())
    assert made.status_code == 201, made.text
    source, copied = (await admin_client.get(place)).json(), made.json()
    assert (copied["edition"], copied["price_fen"], copied["valid_from"]) == (1, 5_000, "2027-01-01")
    for part in ("groups", "options"):
        strip = [[g["code"] for g in (row.get("groups") or [row])] for row in source[part]]
        assert strip == [[g["code"] for g in (row.get("groups") or [row])] for row in copied[part]]
    assert {o["id"] for o in source["options"]}.isdisjoint(o["id"] for o in copied["options"])
    again = await admin_client.post(f"{place}:copy", json=body | {"name": "另一份"}, headers=key())
    assert (again.status_code, again.json()["code"]) == (409, "exam-package-code-taken")


async def test_a_file_that_says_nothing_of_private_lifts_no_mark(
    admin_client: httpx.AsyncClient, admin: asyncpg.Connection
) -> None:
    new = _new(secrets.token_hex(4).upper())
    item = new["items"][0]
    item["private"] = True
    private = "select i.private, g.private from item i, item_group g where i.code = $1 and g.code = $2"
    codes = (item["code"], new["item_groups"][0]["code"])
    for said, left in ((True, True), (None, True), ("absent", True), (False, False), ("absent", False)):
        item["private"] = said
        told = new | {"items": [{k: v for k, v in item.items() if v != "absent"}]}
        assert (await _import(admin_client, told)).status_code == 200
        assert tuple(await admin.fetchrow(private, *codes)) == (left, left), said
