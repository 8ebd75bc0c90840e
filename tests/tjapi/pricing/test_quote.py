"""A quote of what the catalog holds."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound
from tjapi.catalog.rules import starter_id
from tjapi.pricing import service
from tjapi.pricing.errors import ItemGroupNotOffered, ItemGroupTwice, PackageNotOffered

Unit = Callable[..., Any]
SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
BASIC = starter_id("exam_package", "BASIC-M")
CBC, GLU = starter_id("item_group", "CBC"), starter_id("item_group", "GLU")


@pytest.mark.requirement("E7.2")
async def test_a_package_costs_its_price_and_each_line_says_how_its_share_came_about(unit: Unit) -> None:
    async with unit() as uow:
        quote = await service.quote(uow, BASIC, [])
    assert quote.total_fen == sum(line.price_fen for line in quote.lines) == 14_800
    assert [line.item_group.code for line in quote.lines][:3] == ["GENERAL", "INTERNAL", "CBC"]
    for line in quote.lines:
        assert [reason["code"] for reason in line.reasons] == ["list_price", "package_share"]
        assert sum(reason["amount_fen"] for reason in line.reasons) == line.price_fen
        assert line.list_price_fen == line.item_group.price_fen


@pytest.mark.requirement("E7.2")
async def test_added_groups_cost_their_list_price_in_the_order_asked_for(unit: Unit) -> None:
    async with unit() as uow:
        quote = await service.quote(uow, None, [GLU, CBC])
    assert [(line.item_group.code, line.price_fen) for line in quote.lines] == [("GLU", 600), ("CBC", 2000)]


async def test_nothing_asked_for_costs_nothing(unit: Unit) -> None:
    async with unit() as uow:
        assert (await service.quote(uow, None, [])).total_fen == 0


async def test_nobody_pays_twice_for_one_group(unit: Unit) -> None:
    async with unit() as uow:
        with pytest.raises(ItemGroupTwice) as in_package:
            await service.quote(uow, BASIC, [CBC])
        with pytest.raises(ItemGroupTwice) as asked_twice:
            await service.quote(uow, None, [GLU, CBC, GLU])
    assert [e.pointer for e in in_package.value.errors] == ["/item_group_ids/0"]
    assert [e.pointer for e in asked_twice.value.errors] == ["/item_group_ids/0", "/item_group_ids/2"]


async def test_what_does_not_exist_or_is_out_of_use_is_not_quoted(unit: Unit, admin: asyncpg.Connection) -> None:
    async with unit() as uow:
        with pytest.raises(ExamPackageNotFound):
            await service.quote(uow, UUID(int=7), [])
        with pytest.raises(ItemGroupNotFound):
            await service.quote(uow, None, [UUID(int=7)])
    await admin.execute("update item_group set active = false where id = $1", CBC)
    try:
        async with unit() as uow:
            with pytest.raises(ItemGroupNotOffered):
                await service.quote(uow, BASIC, [])
    finally:
        await admin.execute("update item_group set active = true where id = $1", CBC)
    await admin.execute("update exam_package set active = false where id = $1", BASIC)
    try:
        async with unit() as uow:
            with pytest.raises(PackageNotOffered):
                await service.quote(uow, BASIC, [])
    finally:
        await admin.execute("update exam_package set active = true where id = $1", BASIC)


@pytest.mark.requirement("E7.2")
async def test_a_quote_over_http_sums_to_its_total_and_needs_the_permission(sign_in: SignIn) -> None:
    front = await sign_in("front")
    answer = await front.post("/api/v1/quotes", json={"package_id": str(BASIC), "item_group_ids": []})
    assert answer.status_code == 200, answer.text
    quote = answer.json()
    assert quote["total_fen"] == sum(line["price_fen"] for line in quote["lines"]) == 14_800
    refused = await (await sign_in("auditor")).post("/api/v1/quotes", json={"package_id": str(BASIC)})
    assert refused.status_code == 403
