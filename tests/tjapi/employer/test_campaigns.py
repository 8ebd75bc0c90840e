"""Units, campaigns, groups and members as a group manager keeps them."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.employer.scene import CBC, GLU, Unit, listed, person, plan
from tests.tjapi.world import API, SignIn, key
from tjapi.employer import service as employers
from tjapi.employer.errors import (
    CampaignFollowed,
    CampaignNotComplete,
    CampaignStateConflict,
    MemberInvalid,
    MemberListedAlready,
)
from tjapi.employer.schemas import GroupIn, MemberPatch, NextCampaignIn

MEN: dict[str, Any] = {"name": "男", "criteria": [{"sex": "male"}], "item_group_ids": [CBC]}
WOMEN: dict[str, Any] = {"name": "女", "criteria": [{"sex": "female"}], "item_group_ids": [CBC]}

NAMELESS: dict[str, Any] = {"id_kind": "none", "id_number": None}


async def _call(client: httpx.AsyncClient, method: str, path: str, expect: int, **options: object) -> httpx.Response:
    answer = await client.request(method, API + path, headers={**key(), **options.pop("headers", {})}, **options)  # type: ignore[arg-type,dict-item]
    assert answer.status_code == expect, answer.text
    return answer


@pytest.mark.requirement("E2.2")
async def test_a_member_belongs_to_the_group_whose_rules_hold(unit: Unit) -> None:
    made = await plan(unit, M=MEN, F=WOMEN)
    [him] = await listed(unit, made.campaign_id, **NAMELESS, sex="male", employee_no="1")
    [her] = await listed(unit, made.campaign_id, **NAMELESS, sex="female", employee_no="2")
    async with unit() as uow:
        found = {m.id: m for m in await employers.members(uow, made.campaign_id)}
    assert (found[him].group_id, found[her].group_id) == (made.groups["M"], made.groups["F"])
    assert {m.placement for m in found.values()} == {"matched"}


@pytest.mark.requirement("E2.2")
async def test_changing_a_rule_places_those_listed_anew_and_leaves_whom_a_person_assigned(unit: Unit) -> None:
    made = await plan(unit, M=MEN, F=WOMEN)
    [moved] = await listed(unit, made.campaign_id, **NAMELESS, sex="male", employee_no="1")
    [kept] = await listed(unit, made.campaign_id, **NAMELESS, sex="male", employee_no="2")
    async with unit() as uow:
        await employers.assign(uow, await employers.lock_member(uow, kept), made.groups["M"])
    async with unit() as uow:
        await employers.put_group(
            uow, made.campaign_id, "M", GroupIn.model_validate(MEN | {"criteria": [{"sex": "male", "posts": ["焊工"]}]})
        )
    async with unit() as uow:
        found = {m.id: m for m in await employers.members(uow, made.campaign_id)}
        assert (found[moved].placement, found[moved].placement_reason) == (
            "none",
            {"M": ["missing_post"], "F": ["sex"]},
        )
        assert (found[kept].placement, found[kept].group_id) == ("assigned", made.groups["M"])
        amended = await employers.amend_member(uow, moved, MemberPatch(post="焊工"), found[moved].version)
        assert (amended.placement, amended.group_id) == ("matched", made.groups["M"])


@pytest.mark.requirement("E2.3")
async def test_nobody_is_on_a_list_twice_and_a_wrong_number_is_named(unit: Unit) -> None:
    made = await plan(unit)
    first = person(employee_no="7")
    async with unit() as uow:
        await employers.add_member(uow, made.campaign_id, first)
    for again in (
        person(employee_no="7"),
        person(id_number=first.id_number, sex=first.sex, birth_date=first.birth_date),
    ):
        async with unit() as uow:
            with pytest.raises(MemberListedAlready):
                await employers.add_member(uow, made.campaign_id, again)
    async with unit() as uow:
        wrong = str(first.id_number)[:-1] + ("0" if str(first.id_number)[-1] != "0" else "1")
        with pytest.raises(MemberInvalid) as refused:
            await employers.add_member(uow, made.campaign_id, person(id_number=wrong, phone="12ab5"))
    assert [(e.pointer, e.code) for e in refused.value.errors] == [("/id_number", "check_digit"), ("/phone", "invalid")]


@pytest.mark.requirement("E2.3")
async def test_numbers_on_a_list_are_sealed_where_they_are_kept(unit: Unit, admin: asyncpg.Connection) -> None:
    made = await plan(unit)
    given = person()
    async with unit() as uow:
        member = await employers.add_member(uow, made.campaign_id, given)
    row = dict(await admin.fetchrow("select * from member where id = $1", member.id))
    assert given.id_number
    assert given.phone
    assert given.id_number not in str(row)
    assert given.phone not in str(row)
    async with unit() as uow:
        card = employers.card(uow, await employers.member(uow, member.id))
    assert (card.id_number, card.phone) == (given.id_number, given.phone)


@pytest.mark.requirement("E2.6")
async def test_a_campaign_completes_when_everybody_has_come_to_an_end_and_the_next_begins_with_the_same_people(
    unit: Unit,
) -> None:
    made = await plan(unit)
    came_not, cancelled = await listed(unit, made.campaign_id, 2)
    async with unit() as uow:
        with pytest.raises(CampaignNotComplete) as told:
            await employers.complete(uow, made.campaign_id)
        assert [e.pointer for e in told.value.errors] == [f"member:{came_not}", f"member:{cancelled}"]
    async with unit() as uow:
        await employers.decide(uow, await employers.lock_member(uow, came_not), "no_show", None)
        await employers.decide(uow, await employers.lock_member(uow, cancelled), "cancelled", "离职")
        await employers.complete(uow, made.campaign_id)
    async with unit() as uow:
        with pytest.raises(CampaignStateConflict):
            await employers.add_member(uow, made.campaign_id, person())
    following = NextCampaignIn.model_validate(
        {"name": "明年", "year": 2027, "starts_on": "2027-03-01", "ends_on": "2027-03-31"}
    )
    async with unit() as uow:
        after = await employers.next_campaign(uow, made.campaign_id, following)
        people, groups = await employers.members(uow, after.id), await employers.groups(uow, after.id)
        before = await employers.member(uow, came_not)
        assert (after.previous_id, after.state, [g.code for g in groups]) == (made.campaign_id, "draft", ["ALL"])
        assert [(p.name, p.id_number_index, p.group_id) for p in people] == [
            (before.name, before.id_number_index, groups[0].id)
        ]
        assert employers.card(uow, people[0]) == employers.card(uow, before)
    async with unit() as uow:
        with pytest.raises(CampaignFollowed):
            await employers.next_campaign(uow, made.campaign_id, following)


@pytest.mark.requirement("E2.6")
async def test_reopening_is_kept_in_the_audit_trail_with_its_reason(unit: Unit, admin: asyncpg.Connection) -> None:
    made = await plan(unit)
    async with unit() as uow:
        await employers.complete(uow, made.campaign_id)
    async with unit() as uow:
        await employers.reopen(uow, made.campaign_id, "补检三人")
    seen = await admin.fetch(
        "select action, detail from audit_event where object_id = $1 order by id", str(made.campaign_id)
    )
    assert [r["action"] for r in seen][-3:] == ["campaign.opened", "campaign.completed", "campaign.reopened"]
    assert "补检三人" in seen[-1]["detail"]


async def test_the_database_itself_lets_no_campaign_jump(unit: Unit, admin: asyncpg.Connection) -> None:
    made = await plan(unit, opened=False)
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("update campaign set state = 'completed' where id = $1", made.campaign_id)


@pytest.mark.requirement("E2.2")
async def test_a_unit_cannot_be_below_its_own_branch(sign_in: SignIn) -> None:
    manager = await sign_in("group")
    top = (
        await _call(manager, "POST", "/employers", 201, json={"code": key()["Idempotency-Key"][:20], "name": "集团"})
    ).json()
    branch = {"code": key()["Idempotency-Key"][:20], "name": "分公司", "parent_id": top["id"]}
    below = (await _call(manager, "POST", "/employers", 201, json=branch)).json()
    answer = await _call(
        manager, "PATCH", f"/employers/{top['id']}", 422, json={"parent_id": below["id"]}, headers={"If-Match": '"1"'}
    )
    assert answer.json()["code"] == "employer-tree-invalid"
    found = (await _call(manager, "GET", f"/employers/{top['id']}", 200)).json()
    assert [b["id"] for b in found["branches"]] == [below["id"]]
    sought = (await _call(manager, "GET", "/employers?q=jt", 200)).json()["items"]
    assert top["id"] in [e["id"] for e in sought]


@pytest.mark.requirement("E2.2")
async def test_a_group_names_every_field_that_does_not_hold_together(sign_in: SignIn, unit: Unit) -> None:
    made, manager = await plan(unit, opened=False), await sign_in("group")
    wrong = {
        "name": "错", "criteria": [{"age_from": 50, "age_to": 40}], "package_ids": [str(UUID(int=7))], "item_group_ids": [str(CBC)],
        "choices": [{"name": "任选", "choose": 2, "item_group_ids": [str(GLU)]}],
        "discounts": [{"target": "everything"}, {"target": "package", "rate_bp": 8500}],
    }  # fmt: skip
    answer = await _call(manager, "PUT", f"/campaigns/{made.campaign_id}/groups/X", 422, json=wrong)
    assert [e["pointer"] for e in answer.json()["errors"]] == [
        "/criteria/0/age_to", "/choices/0/choose", "/discounts/0", "/discounts/1/target_id", "/package_ids/0",
    ]  # fmt: skip
