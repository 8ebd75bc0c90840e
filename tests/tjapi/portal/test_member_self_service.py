"""A member of a campaign comes by a link, chooses, sees who pays what, books and cancels until the day; of the others nothing is told."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.appointment.desk import Desk
from tests.tjapi.world import API, SignIn, key
from tjapi import demo
from tjapi.groupdesk import service as groupdesk
from tjapi.groupdesk.schemas import DayIn
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime
from tjapi.portal import service as portal
from tjapi.portal.schemas import SelectionIn
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E2.2", "E2.4", "E2.5", "I5")
OWN = f"{API}/me/campaign"


@dataclass
class Plan:
    """An open campaign whose group has a package with an option, a choice of its own, and a cap."""

    campaign_id: str
    package_id: str
    members: list[dict[str, Any]]
    cards: list[dict[str, Any]]


@pytest.fixture
def desk(runtime: Runtime, sign_in: SignIn, admin: asyncpg.Connection) -> Desk:
    return Desk(runtime, sign_in, admin)


async def _made(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}{path}", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _plan(desk: Desk, people: int = 2, **campaign: Any) -> Plan:
    manager, admin, groups = await desk.sign_in("group"), await desk.sign_in("admin"), await desk.groups()
    today = business_day(desk.runtime.clock.now())
    either = [str(groups[code]) for code in ("GLU", "LIPID")]
    package = await _made(
        admin, "/exam-packages", code=f"SELF-{secrets.token_hex(4).upper()}", name="自选套餐", sex="any", price_fen=9_000,
        valid_from="2026-01-01", item_group_ids=[str(groups["CBC"])],
        options=[{"name": "二选一", "choose": 1, "item_group_ids": either}],
    )  # fmt: skip
    employer = await _made(manager, "/employers", code=f"S{secrets.token_hex(4).upper()}", name="桂澄机械有限公司")
    period = {"starts_on": str(today), "ends_on": str(today + timedelta(days=300)), "year": today.year}
    made = await _made(
        manager, "/campaigns", employer_id=employer["id"], campus_id=1, name="自助团检", **period, **campaign
    )
    group = {
        "name": "全员", "criteria": [{}], "package_ids": [package["id"]], "cap_fen": 10_000,
        "choices": [{"name": "加做", "choose": 1, "item_group_ids": [str(groups["RENAL"]), str(groups["URINE"])]}],
    }  # fmt: skip
    put = await manager.put(f"{API}/campaigns/{made['id']}/groups/ALL", json=group)
    assert put.status_code in (200, 201), put.text
    cards = [invented_person() for _ in range(people)]
    names = ("name", "sex", "birth_date", "id_kind", "id_number", "phone")
    members = [
        await _made(manager, f"/campaigns/{made['id']}/members", **{name: card[name] for name in names})
        for card in cards
    ]
    assert (await manager.post(f"{API}/campaigns/{made['id']}:open")).status_code == 200
    return Plan(made["id"], package["id"], members, cards)


async def _links(desk: Desk, plan: Plan, *which: int) -> list[str]:
    manager = await desk.sign_in("group")
    body = {"member_ids": [plan.members[i]["id"] for i in which]}
    answer = await manager.post(f"{API}/campaigns/{plan.campaign_id}/member-links", json=body)
    assert answer.status_code == 200, answer.text
    return [link["link_token"] for link in answer.json()["items"]]


async def _enter(desk: Desk, link: str, last4: str) -> httpx.Response:
    program = await desk.sign_in("mini-program")
    return await program.post(f"{API}/auth/member-token", json={"link_token": link, "last4": last4})


@contextlib.asynccontextmanager
async def _member(desk: Desk, plan: Plan, which: int = 0) -> AsyncIterator[httpx.AsyncClient]:
    (link,) = await _links(desk, plan, which)
    answer = await _enter(desk, link, plan.cards[which]["id_number"][-4:])
    assert answer.status_code == 200, answer.text
    program = await desk.sign_in("mini-program")
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    async with httpx.AsyncClient(base_url=program.base_url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


async def test_a_member_sees_the_offer_chooses_sees_who_pays_books_moves_and_cancels(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan, groups = await _plan(desk), await desk.groups()
    day, other = desk.day(), desk.day()
    session, target = (await desk.places(day, 1))[0], (await desk.places(other, 1))[0]
    async with _member(desk, plan) as member:
        seen = (await member.get(OWN)).json()
        (package,) = seen["packages"]
        assert (seen["employer_name"], seen["group_name"], seen["name"]) == (
            "桂澄机械有限公司",
            "全员",
            plan.cards[0]["name"],
        )
        assert [(c["name"], c["choose"], c["exactly"], len(c["groups"])) for c in (*package["choices"], *seen["choices"])] == [
            ("二选一", 1, True, 2), ("加做", 1, False, 2),
        ]  # fmt: skip
        assert (seen["quote"], seen["quote_refused"]["code"], seen["changeable"]) == (
            None,
            "package-choice-invalid",
            True,
        )
        early = await member.post(f"{OWN}:book", json={"day": str(day), "session_id": str(session)}, headers=key())
        assert (early.status_code, early.json()["code"]) == (422, "package-choice-invalid")
        wish = {"package_id": plan.package_id, "choice_ids": [str(groups["GLU"]), str(groups["RENAL"])]}
        quote = (await member.post(f"{OWN}:quote", json=wish)).json()
        assert quote["employer_fen"] == 10_000  # the cap; what lies beyond is the member's own
        assert quote["person_fen"] == quote["total_fen"] - 10_000 > 0
        assert (await member.get(OWN)).json()["selection"] == {
            "package_id": None,
            "choice_ids": [],
            "self_paid_ids": [],
        }
        assert (await member.put(f"{OWN}/selection", json=wish)).json()["quote"] == quote
        days = {"day_from": str(day), "day_to": str(day)}
        free = (await member.get(f"{OWN}/availability", params=days)).json()["days"][0]["sessions"][0]
        assert (free["session_id"], free["free"]) == (str(session), 1)
        booked = await member.post(f"{OWN}:book", json={"day": str(day), "session_id": str(session)}, headers=key())
        assert booked.status_code == 200, booked.text
        assert (booked.json()["state"], booked.json()["booking"]["exam_date"]) == ("booked", str(day))
        twice = await member.post(f"{OWN}:book", json={"day": str(other), "session_id": str(target)}, headers=key())
        assert (twice.status_code, twice.json()["code"]) == (409, "booked-already")
        cheaper = wish | {"choice_ids": [str(groups["GLU"])]}
        assert (await member.put(f"{OWN}/selection", json=cheaper)).json()["quote"]["total_fen"] == 9_000
        exam = await admin.fetchrow("select id, total_fen from exam where member_id::text = $1", plan.members[0]["id"])
        assert exam["total_fen"] == 9_000
        moved = await member.post(f"{OWN}:reschedule", json={"day": str(other), "session_id": str(target)})
        assert moved.json()["booking"]["exam_date"] == str(other)
        assert moved.json()["booking"]["appointment"]["source"] == "portal"
        gone = (await member.post(f"{OWN}:cancel", json={"reason": "有事"})).json()
        assert (gone["state"], gone["booking"], gone["selection"]["choice_ids"]) == (
            "listed",
            None,
            cheaper["choice_ids"],
        )
        nothing = await member.post(f"{OWN}:cancel", json={"reason": "有事"})
        assert (nothing.status_code, nothing.json()["code"]) == (409, "not-booked-yet")
    assert [(await desk.free(d))["sessions"][0]["taken"] for d in (day, other)] == [0, 0]
    said = await admin.fetch("select principal_kind, principal_id::text from audit_event where action = 'member.chose'")
    assert ("examinee", plan.members[0]["id"]) in {tuple(row) for row in said}


@pytest.mark.requirement("E2.5")
async def test_a_member_adds_on_what_the_unit_does_not_pay_and_takes_it_back(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan, groups = await _plan(desk), await desk.groups()
    day = desk.day()
    session = (await desk.places(day, 1))[0]
    chosen = {"package_id": plan.package_id, "choice_ids": [str(groups["GLU"])]}
    extra, within = str(groups["GENERAL"]), str(groups["RENAL"])
    async with _member(desk, plan) as member:
        seen = (await member.get(OWN)).json()
        offered = {row["item_group_id"]: row for row in seen["add_ons"]}
        assert extra in offered
        assert offered[extra]["price_fen"] > 0
        assert not {str(groups[code]) for code in ("CBC", "GLU", "LIPID", "RENAL", "URINE")} & offered.keys()
        assert seen["add_ons_paid"] == "self_paid"
        without = (await member.post(f"{OWN}:quote", json=chosen)).json()
        quote = (await member.post(f"{OWN}:quote", json=chosen | {"self_paid_ids": [extra]})).json()
        (line,) = [row for row in quote["lines"] if row["item_group_id"] == extra]
        assert (line["employer_share_fen"], line["person_share_fen"]) == (0, line["price_fen"])
        assert quote["employer_fen"] == without["employer_fen"]  # the unit pays what it paid, though its cap has room
        assert quote["person_fen"] == without["person_fen"] + line["price_fen"]
        refused = await member.put(f"{OWN}/selection", json=chosen | {"self_paid_ids": [extra, within]})
        assert (refused.status_code, refused.json()["code"]) == (422, "choice-invalid")
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/self_paid_ids/1"]
        assert (await member.get(OWN)).json()["selection"]["self_paid_ids"] == []
        for _twice in range(2):
            kept = (await member.put(f"{OWN}/selection", json=chosen | {"self_paid_ids": [extra, extra]})).json()
            assert (kept["selection"]["self_paid_ids"], kept["quote"]) == ([extra], quote)
        # A client that knows nothing of add-ons leaves them as they are.
        assert (await member.put(f"{OWN}/selection", json=chosen)).json()["quote"] == quote
        booked = await member.post(f"{OWN}:book", json={"day": str(day), "session_id": str(session)}, headers=key())
        assert booked.status_code == 200, booked.text
        shares = "select sum(employer_share_fen), sum(person_share_fen) from exam_line l join exam e on e.id = l.exam_id where e.member_id = $1 and l.state <> 'withdrawn'"
        of = UUID(plan.members[0]["id"])
        assert tuple(await admin.fetchrow(shares, of)) == (quote["employer_fen"], quote["person_fen"])
        back = await member.put(f"{OWN}/selection", json=chosen | {"self_paid_ids": []})
        assert back.json()["quote"] == without
        assert tuple(await admin.fetchrow(shares, of)) == (without["employer_fen"], without["person_fen"])


@pytest.mark.requirement("E2.5")
async def test_what_a_member_adds_on_after_booking_waits_for_payment_where_that_is_required(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan, groups = await _plan(desk, 1), await desk.groups()
    day = desk.day()
    session = (await desk.places(day, 1))[0]
    chosen, extra = {"package_id": plan.package_id, "choice_ids": [str(groups["GLU"])]}, str(groups["GENERAL"])
    held = desk.runtime
    async with _member(desk, plan) as member:
        assert (await member.put(f"{OWN}/selection", json=chosen)).status_code == 200
        booked = await member.post(f"{OWN}:book", json={"day": str(day), "session_id": str(session)}, headers=key())
        assert booked.status_code == 200, booked.text
        claims = held.mint.read(member.headers["Authorization"].removeprefix("Bearer "), held.clock.now())
        caller = await held.authenticate(held.units.identify(), claims)
        assert caller is not None
        async with held.units.open(caller) as uow:
            await portal.choose(uow, SelectionIn(**chosen, self_paid_ids=[extra]), payment_required=True)
    lines = await admin.fetch(
        "select l.state, l.person_share_fen, l.item_group_id::text = $2 as extra from exam_line l join exam e on e.id = l.exam_id where e.member_id = $1",
        UUID(plan.members[0]["id"]), extra,
    )  # fmt: skip
    assert [(row["state"], row["person_share_fen"] > 0) for row in lines if row["extra"]] == [("ordered", True)]
    assert {row["state"] for row in lines if row["person_share_fen"] == 0} == {"released"}


async def test_what_the_group_does_not_offer_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    plan, groups = await _plan(desk, 1), await desk.groups()
    async with _member(desk, plan) as member:
        for ids in (
            [groups["GLU"], groups["THYROID"]],
            [groups["GLU"], groups["RENAL"], groups["URINE"]],
            [groups["GLU"], groups["LIPID"]],
        ):
            wish = {"package_id": plan.package_id, "choice_ids": [str(i) for i in ids]}
            refused = await member.put(f"{OWN}/selection", json=wish)
            assert refused.status_code == 422, refused.text
        strange = await member.put(f"{OWN}/selection", json={"package_id": plan.campaign_id, "choice_ids": []})
        assert (strange.status_code, strange.json()["code"]) == (422, "choice-invalid")
        assert (await member.get(OWN)).json()["selection"] == {
            "package_id": None,
            "choice_ids": [],
            "self_paid_ids": [],
        }


@pytest.mark.requirement("P2")
async def test_five_wrong_tries_end_a_link_even_at_once_and_a_new_one_ends_the_one_before(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan = await _plan(desk, 1)
    right = plan.cards[0]["id_number"][-4:]
    (first,) = await _links(desk, plan, 0)
    (second,) = await _links(desk, plan, 0)
    assert (await _enter(desk, first, right)).json()["code"] == "member-link-refused"  # a newer one ended it
    wrong = await asyncio.gather(*(_enter(desk, second, "zzzz") for _ in range(4)))
    assert {answer.status_code for answer in wrong} == {401}
    assert (
        await _enter(desk, second, plan.cards[0]["phone"][-4:])
    ).status_code == 200  # counted from the beginning again
    wrong = await asyncio.gather(*(_enter(desk, second, "zzzz") for _ in range(7)))
    assert {answer.status_code for answer in wrong} == {401}
    assert (await _enter(desk, second, right)).json()["code"] == "member-link-refused"
    rows = await admin.fetch(
        "select failures, ended_at from member_link where member_id::text = $1 order by id", plan.members[0]["id"]
    )
    assert [row["failures"] for row in rows] == [0, 5]
    manager = await desk.sign_in("group")
    shown = (await manager.get(f"{API}/campaigns/{plan.campaign_id}/member-links")).json()["items"]
    assert [(link["failures"], link["live"], link["used_at"] is None) for link in shown] == [
        (5, False, False),
        (0, False, True),
    ]
    assert all(row["ended_at"] is not None for row in rows)
    (third,) = await _links(desk, plan, 0)
    await admin.execute(
        "update member_link set expires_at = now() - interval '1 second' where member_id::text = $1",
        plan.members[0]["id"],
    )
    assert (await _enter(desk, third, right)).status_code == 401
    forged = third[:-2] + ("AA" if third[-2:] != "AA" else "BB")
    assert (await _enter(desk, forged, right)).status_code == 401


@pytest.mark.requirement("P2", "E6.1")
async def test_a_members_session_opens_nothing_but_the_own_choice_and_ends_with_the_link(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan = await _plan(desk, 2)
    async with _member(desk, plan) as member, _member(desk, plan, 1) as other:
        for path in (
            "/me",
            "/me/reports",
            "/me/appointments",
            "/exams",
            "/examinees",
            f"/campaigns/{plan.campaign_id}/members",
        ):
            assert (await member.get(f"{API}{path}")).status_code in (403, 405, 422), path
        text = (await member.get(OWN)).text
        others = (plan.members[1]["id"], plan.cards[1]["name"], plan.cards[1]["id_number"], plan.cards[1]["phone"])
        assert not any(said in text for said in others)
        assert plan.cards[0]["id_number"] not in text
        manager = await desk.sign_in("group")
        ended = await manager.post(f"{API}/members/{plan.members[0]['id']}:end-link")
        assert ended.status_code == 204
        assert (await member.get(OWN)).status_code == 401
        assert (await other.get(OWN)).status_code == 200
        foreign = await desk.sign_in("front.b")
        hidden = await foreign.get(f"{API}/campaigns/{plan.campaign_id}/members")
        assert hidden.status_code == 404


async def test_on_the_day_nothing_is_changed_any_more_and_days_outside_or_full_are_refused(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan, groups = await _plan(desk, 2, daily_quota=1), await desk.groups()
    day, other = desk.day(), desk.day()
    sessions = [(await desk.places(d, 5))[0] for d in (day, other)]
    wish = {"package_id": plan.package_id, "choice_ids": [str(groups["LIPID"])]}
    place = {"day": str(day), "session_id": str(sessions[0])}
    async with _member(desk, plan) as one, _member(desk, plan, 1) as two:
        for who in (one, two):
            assert (await who.put(f"{OWN}/selection", json=wish)).status_code == 200
        answers = await asyncio.gather(*(who.post(f"{OWN}:book", json=place, headers=key()) for who in (one, two)))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert next(a for a in answers if a.status_code == 409).json()["code"] == "days-full"
        first = one if answers[0].status_code == 200 else two
        await admin.execute("update campaign set ends_on = $2 where id::text = $1", plan.campaign_id, day)
        late = await first.post(f"{OWN}:reschedule", json={"day": str(other), "session_id": str(sessions[1])})
        assert (late.status_code, late.json()["code"]) == (409, "day-outside-campaign")
        today = business_day(desk.runtime.clock.now())
        await admin.execute(
            "update exam set exam_date = $2 where campaign_id::text = $1 and state = 'prepared'",
            plan.campaign_id,
            today,
        )
        assert (await first.get(OWN)).json()["changeable"] is False
        for call in (first.put(f"{OWN}/selection", json=wish), first.post(f"{OWN}:cancel", json={"reason": "有事"})):
            refused = await call
            assert (refused.status_code, refused.json()["code"]) == (409, "choice-too-late")


async def test_whom_the_unit_gave_a_day_takes_a_place_there_and_a_choice_that_needs_more_than_the_place_is_refused(
    desk: Desk, admin: asyncpg.Connection
) -> None:
    plan, groups = await _plan(desk, 1), await desk.groups()
    day = desk.day()
    session = (await desk.places(day, 1))[0]
    async with _member(desk, plan) as member:
        wish = {"package_id": plan.package_id, "choice_ids": [str(groups["GLU"])]}
        assert (await member.put(f"{OWN}/selection", json=wish)).status_code == 200
        async with desk.runtime.units.open(demo.LOADER) as uow:
            place = DayIn(day=day, quota=5)
            assert await groupdesk.book_member(uow, UUID(plan.members[0]["id"]), [place])
        # whom the unit gave a day has a place there, and may choose another
        assert (await member.get(OWN)).json()["booking"]["appointment"]["day"] == str(day)
        taken = await member.post(f"{OWN}:reschedule", json={"day": str(day), "session_id": str(session)})
        assert taken.status_code == 200, taken.text
        assert taken.json()["booking"]["appointment"]["session_id"] == str(session)
        assert (await desk.free(day))["sessions"][0]["free"] == 0
        scarce = wish | {"choice_ids": [str(groups["GLU"]), str(groups["RENAL"])]}
        await admin.execute("update item_group set resource = 'RENAL-DAY' where code = 'RENAL'")
        try:
            refused = await member.put(f"{OWN}/selection", json=scarce)
            assert (refused.status_code, refused.json()["code"]) == (409, "choice-needs-other-place")
        finally:
            await admin.execute("update item_group set resource = null where code = 'RENAL'")
        assert (await member.get(OWN)).json()["selection"]["choice_ids"] == wish["choice_ids"]
