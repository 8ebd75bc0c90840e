"""The catalog in its tables: starter content, ranges, external codes."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.tjapi.world import house
from tjapi.catalog import service
from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound, ItemNotFound
from tjapi.catalog.rules import Subject, first_day_of_age, starter_id
from tjapi.kernel.security.principal import SYSTEM

Unit = Callable[..., Any]
DAY = date(2026, 11, 23)
ADULT = date(1975, 1, 1)
TABLES = ("department", "item", "item_range", "item_group", "item_group_item", "exam_package", "exam_package_group")


async def counts(admin: asyncpg.Connection) -> list[int]:
    return [await admin.fetchval(f"select count(*) from {table}") for table in TABLES]


async def test_loading_the_starter_content_twice_is_loading_it_once(unit: Unit, admin: asyncpg.Connection) -> None:
    async with unit() as uow:
        await service.load_starter(uow)
    once = await counts(admin)
    async with unit() as uow:
        await service.load_starter(uow)
    assert await counts(admin) == once
    assert min(once) > 0


async def test_loading_again_leaves_a_signed_off_range_and_a_row_of_the_hospitals_alone(
    unit: Unit, admin: asyncpg.Connection
) -> None:
    signed, own = await admin.fetchval("select id from item_range limit 1"), uuid4()
    await admin.execute("update item_range set verified = true where id = $1", signed)
    await admin.execute(
        "insert into item (id, code, name, kind, sort) values ($1, $2, '本院项目', 'text', 1)", own, f"OWN-{own}"
    )
    async with unit() as uow:
        await service.load_starter(uow)
    assert await admin.fetchval("select verified from item_range where id = $1", signed)
    assert await admin.fetchval("select name from item where id = $1", own) == "本院项目"
    await admin.execute("update item_range set verified = false where id = $1", signed)
    await admin.execute("delete from item where id = $1", own)


@pytest.mark.requirement("E8.2", "X15")
async def test_loading_again_leaves_what_the_hospital_decided_on_groups_and_packages_alone() -> None:
    """Every start of the house loads the starter content: a price that somebody set yesterday must not be gone this morning."""
    async with house("starter") as own:
        group = "GLU"
        package = await own.admin.fetchval("select code from exam_package order by code limit 1")
        pair = await own.admin.fetchval("select first_id from item_group_exclusion limit 1")
        for statement, given in (
            ("update item_group set price_fen = 4321, active = false where code = $1", group),
            ("delete from item_group_exclusion where first_id = $1", pair),
            ("update exam_package set active = false where code = $1", package),
            (
                "delete from exam_package_group where package_id = (select id from exam_package where code = $1)",
                package,
            ),
        ):
            await own.admin.execute(statement, given)
        asked = (
            "select (select price_fen from item_group where code = $1), (select active from item_group where code = $1),"
            " (select active from exam_package where code = $2), (select count(*) from item_group_exclusion),"
            " (select count(*) from exam_package_group p join exam_package e on e.id = p.package_id where e.code = $2)"
        )
        decided = tuple(await own.admin.fetchrow(asked, group, package))
        assert (decided[0], decided[1], decided[2], decided[4]) == (4321, False, False, 0)
        async with own.runtime.units.open(SYSTEM) as uow:
            await service.load_starter(uow)
        assert tuple(await own.admin.fetchrow(asked, group, package)) == decided


async def test_an_item_the_hospital_entered_first_keeps_its_id(unit: Unit, admin: asyncpg.Connection) -> None:
    await admin.execute("update item set name = '别名' where code = 'HGB'")
    before = await admin.fetchval("select id from item where code = 'HGB'")
    async with unit() as uow:
        await service.load_starter(uow)
    after = await admin.fetchrow("select id, name from item where code = 'HGB'")
    assert tuple(after) == (before, "血红蛋白")


async def test_loading_again_takes_no_range_away_and_brings_none_to_an_item_that_has_some(
    admin: asyncpg.Connection, unit: Unit
) -> None:
    columns = "item_id, sex, method, low, high, text, source, valid_from, valid_to"
    copy = (
        f"insert into item_range (id, {columns}) select $1, item_id, sex, $2, low, high, text, source, valid_from, valid_to from item_range"
        " where item_id = (select id from item where code = 'HGB') and sex = 'male' and age_from = '18y'"
    )  # fmt: skip
    before, own = starter_id("item_range", "an earlier edition"), uuid4()
    await admin.execute(copy, before, "before")
    await admin.execute(copy, own, "own")
    async with unit() as uow:
        await service.load_starter(uow)
    left = await admin.fetch("select id from item_range where id = any($1::uuid[])", [before, own])
    assert {row["id"] for row in left} == {before, own}, "what changes of ranges is part of an edition, which is signed"
    await admin.execute("delete from item_range where id = any($1::uuid[])", [before, own])


async def test_the_database_itself_refuses_overlapping_ranges(admin: asyncpg.Connection) -> None:
    columns = "item_id, sex, age_from, age_to, age_from_days, age_to_days, method, pregnant, text, source, valid_from, valid_to"
    with pytest.raises(asyncpg.ExclusionViolationError):
        await admin.execute(
            f"insert into item_range (id, {columns}) select gen_random_uuid(), {columns} from item_range"
            " where item_id = (select id from item where code = 'HGB') and sex = 'male'"
        )


@pytest.mark.requirement("E3.3")
async def test_ranges_of_many_items_are_chosen_in_one_query_by_sex_age_and_method(unit: Unit) -> None:
    ids = {code: starter_id("item", code) for code in ("HGB", "ALT", "HEIGHT", "CREA")}
    async with unit() as uow:
        man = await service.choose_ranges(uow, ids.values(), Subject("male", ADULT, "", DAY), {ids["ALT"]: "P5P"})
        woman = await service.choose_range(uow, ids["HGB"], Subject("female", ADULT, "", DAY))
        child = await service.choose_range(uow, ids["HGB"], Subject("male", date(2016, 11, 23), "", DAY))
        expecting = await service.choose_range(uow, ids["HGB"], Subject("female", ADULT, "", DAY, pregnant=True))
        before_it_held = await service.choose_range(uow, ids["HGB"], Subject("male", ADULT, "", date(1999, 12, 31)))
    assert man.keys() == {ids["HGB"], ids["ALT"], ids["CREA"]}
    assert (man[ids["HGB"]].low, man[ids["HGB"]].high) == (Decimal(130), Decimal(175))
    assert man[ids["ALT"]].high == Decimal(60)
    assert woman is not None
    assert woman.low == Decimal(115)
    assert child is not None
    assert (child.low, child.high) == (Decimal(118), Decimal(156))
    assert expecting is not None
    assert (expecting.low, expecting.critical_low) == (Decimal(110), Decimal(50))
    assert before_it_held is None


@pytest.mark.requirement("E3.3")
@pytest.mark.parametrize(
    "age", ["0d", "27d", "28d", "5m", "6m", "11m", "1y", "5y", "13y", "14y", "17y", "18y", "49y", "50y", "79y", "80y"]
)
async def test_what_is_read_for_one_person_holds_what_would_be_chosen_of_all(unit: Unit, age: str) -> None:
    """On the birthday, a day before and a day after: the question to the tables knows ages only about."""
    ids = [starter_id("item", item.code) for item in service.read_starter().items]
    async with unit() as uow:
        held = await service.hold_ranges(uow, ids)
        for day in (first_day_of_age(age) + more for more in (-1, 0, 1)):
            for sex, pregnant in (("male", None), ("female", False), ("female", True), ("unknown", None)):
                subject = Subject(sex, DAY - timedelta(days=max(day, 0)), "", DAY, pregnant)
                found = await service.choose_ranges(uow, ids, subject)
                assert {key: r.id for key, r in found.items()} == {key: r.id for key, r in held.of(subject).items()}


@pytest.mark.requirement("E8.2")
async def test_a_package_is_read_with_its_groups_and_items_in_order(unit: Unit) -> None:
    async with unit() as uow:
        package = await service.describe_package(uow, starter_id("exam_package", "BASIC-M"))
        groups = await service.package_groups(uow, package.id)
        items = await service.group_items(uow, [g.id for g in groups])
    assert [g.code for g in package.groups] == ["GENERAL", "INTERNAL", "CBC", "LIVER", "RENAL", "GLU", "LIPID", "URINE"]
    assert [i.code for i in package.groups[2].items] == ["WBC", "RBC", "HGB", "HCT", "PLT"]
    assert [[i.code for i in items[g.id]] for g in groups] == [[i.code for i in g.items] for g in package.groups]
    tubes = {g.code: g.container for g in package.groups}
    assert {tubes[code] for code in ("LIVER", "RENAL", "GLU", "LIPID")} == {"SST"}
    assert (tubes["CBC"], tubes["URINE"], tubes["GENERAL"]) == ("EDTA-2", "URINE", None)


async def test_what_does_not_exist_is_said_so(unit: Unit) -> None:
    async with unit() as uow:
        for verb, problem in (
            (service.item, ItemNotFound), (service.describe_item, ItemNotFound), (service.describe_item_group, ItemGroupNotFound),
            (service.package, ExamPackageNotFound), (service.describe_package, ExamPackageNotFound),
        ):  # fmt: skip
            with pytest.raises(problem):
                await verb(uow, uuid4())
        with pytest.raises(ItemNotFound):
            await service.map_external_code(uow, "test", "X", uuid4())


async def test_item_groups_come_in_the_order_asked_for(unit: Unit) -> None:
    ids = [starter_id("item_group", code) for code in ("URINE", "CBC", "GLU")]
    async with unit() as uow:
        assert [g.id for g in await service.item_groups(uow, ids)] == ids


@pytest.mark.requirement("E3.5")
async def test_an_external_code_leads_to_the_item_it_was_mapped_to_last_and_the_change_is_audited(
    unit: Unit, admin: asyncpg.Connection
) -> None:
    hgb, wbc = starter_id("item", "HGB"), starter_id("item", "WBC")
    async with unit() as uow:
        assert await service.item_of_external_code(uow, "test", "A/G") is None
        await service.map_external_code(uow, "test", "A/G", hgb)
    async with unit() as uow:
        await service.map_external_code(uow, "test", "A/G", wbc)
        await service.map_external_code(uow, "test", "A/G", wbc)
    async with unit() as uow:
        found = await service.items_of_external_codes(uow, "test", ["A/G", "unknown"])
        assert {code: item.id for code, item in found.items()} == {"A/G": wbc}
        assert await service.item_of_external_code(uow, "other", "A/G") is None
    trail = await admin.fetch(
        "select detail->>'item_id' as now, detail->>'previous_item_id' as was from audit_event"
        " where action = 'external_code.mapped' and object_id = 'test|A/G' order by id"
    )
    assert [tuple(row) for row in trail] == [(str(hgb), None), (str(wbc), str(hgb))]


async def test_items_are_searched_by_part_of_the_name_or_beginning_of_the_code_and_wildcards_are_letters(
    unit: Unit,
) -> None:
    async with unit() as uow:

        async def found(q: str) -> list[str]:
            return [i.code for i in await service.items_page(uow, q=q, active=True, after=None, size=50)]

        assert await found("血红蛋白") == ["HGB", "MCH", "MCHC", "HBA1C"]
        assert await found("hgb") == ["HGB"]
        assert await found("%") == []


SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.mark.requirement("E8.2")
async def test_the_catalog_is_read_over_http_page_by_page(sign_in: SignIn) -> None:
    front = await sign_in("front")
    seen: list[str] = []
    token: str | None = None
    while True:
        page = (
            await front.get("/api/v1/items", params={"page_size": 7, **({"page_token": token} if token else {})})
        ).json()
        seen += [item["code"] for item in page["items"]]
        token = page["next_page_token"]
        if token is None:
            break
    assert len(seen) == len(set(seen))
    assert {"HGB", "BMI", "UPRO"} <= set(seen)
    assert [d["code"] for d in (await front.get("/api/v1/departments")).json()["items"]][:2] == ["GENERAL", "INTERNAL"]
    item = (await front.get(f"/api/v1/items/{starter_id('item', 'HGB')}")).json()
    assert {(r["sex"], r["low"], r["high"]) for r in item["ranges"]} >= {
        ("male", "130", "175"),
        ("female", "115", "150"),
    }
    groups = (await front.get("/api/v1/item-groups", params={"department_id": 4})).json()["items"]
    assert {g["department_id"] for g in groups} == {4}
    group = (await front.get(f"/api/v1/item-groups/{starter_id('item_group', 'GLU')}")).json()
    assert [i["code"] for i in group["items"]] == ["GLU"]


async def test_a_page_token_of_another_list_is_refused(sign_in: SignIn) -> None:
    front = await sign_in("front")
    token = (await front.get("/api/v1/items", params={"page_size": 1})).json()["next_page_token"]
    answer = await front.get("/api/v1/item-groups", params={"page_size": 1, "page_token": token})
    assert (answer.status_code, answer.json()["code"]) == (422, "page-token-invalid")


@pytest.mark.requirement("E3.5")
async def test_only_who_may_write_the_catalog_maps_a_code_and_a_slash_in_it_is_no_obstacle(sign_in: SignIn) -> None:
    item_id = str(starter_id("item", "HGB"))
    refused = await (await sign_in("front")).put("/api/v1/external-codes/http-test/A/G", json={"item_id": item_id})
    assert refused.status_code == 403
    engineer = await sign_in("interface")
    answer = await engineer.put("/api/v1/external-codes/http-test/A/G", json={"item_id": item_id})
    assert answer.status_code == 200, answer.text
    listed = (await engineer.get("/api/v1/external-codes", params={"system": "http-test"})).json()["items"]
    assert listed == [{"system": "http-test", "code": "A/G", "item_id": item_id}]
    missing = await engineer.put("/api/v1/external-codes/http-test/B", json={"item_id": str(uuid4())})
    assert (missing.status_code, missing.json()["code"]) == (404, "item-not-found")
