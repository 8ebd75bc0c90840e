"""Every operation × role × scope of tests/access.csv over real HTTP. The table is written by hand, from the hospital's point of view.

- allow: the answer is no refusal. 401, 403, 404 and any 5xx are refusals, and so is the plain 422 of a request that is not valid;
  what the state of things forbids (409, 410, 412, a rule's own 422) is none. Of each operation at least one allowed call succeeds,
  so that a cell is not "allowed" because every request of it was broken.
- forbid: 403. unauth: 401. hidden: 404; or, for a list, an answer that names nothing of campus A.
- foreign_campus holds every permission there is, in campus B, and addresses what belongs to campus A. foreign_examinee is another
  person of campus A. other_department is a doctor of one department who addresses another's.
"""

import asyncio
import csv
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.access.conftest import API, GENERAL, PASSWORD, A, B, World, do, fresh, once, oru
from tests.tjapi.world import UNREMARKABLE, portrait
from tjapi import demo
from tjapi.catalog.rules import starter_id
from tjapi.conclusion import service as conclusions
from tjapi.installation import GATEWAY, client_secret
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.schema import connect
from tjapi.kernel.security import totp
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import service as requisitions
from tjapi.result.events import ResultArrivedLate
from tjapi.visit import invented_person

pytestmark = [pytest.mark.xdist_group("access"), pytest.mark.requirement("P2", "D3", "E8.1", "E3.1")]
ROOT = Path(__file__).resolve().parents[2]
_ahead = itertools.count()
WORDS = {"allow", "forbid", "unauth", "hidden", "-"}
with (ROOT / "tests" / "access.csv").open(encoding="utf-8") as _file:
    TABLE = {row.pop("operation"): row for row in csv.DictReader(_file)}
    _file.seek(0)
    ROWS = [line.split(",")[0] for line in _file.read().splitlines()[1:]]
# What the group manager may and may not do: a role beside the columns, asked of the operations that the file names.
with (ROOT / "tests" / "access_group_manager.csv").open(encoding="utf-8") as _file:
    MANAGED = {row["operation"]: row["group_manager"] for row in csv.DictReader(_file)}


@dataclass(frozen=True)
class Call:
    """A valid request. `client` stands in for the column's own where the call would end its session."""

    method: str
    path: str
    client: httpx.AsyncClient | None = None
    shows: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


Ask = Callable[[World, str], Awaitable[Call]]


def _just(method: str, path: str, *, shows: Callable[[World], tuple[str, ...]] | None = None, **options: Any) -> Ask:
    """A call that is the same each time; `{}` names of the path and of values are filled from the world."""

    async def ask(world: World, column: str) -> Call:
        names = {
            "exam": world.main.exam_id, "person": world.main.person_id, "message": world.main.message_id, "job": world.main.job_id,
            "report": world.main.report_id, "result": world.main.result_id, "colleague": world.colleague_id, "number": world.main.exam_no,
            "tube": world.arrived.tubes[0]["id"], "sheet": f"{world.arrived.exam_id}/departments/{GENERAL}",
            "item": world.items[0]["id"], "group": world.groups["CBC"], "package": world.packages[0]["id"], **world.unit,
        }  # fmt: skip
        filled = json.loads(json.dumps(options)) if options else {}
        for key in ("json", "params"):
            filled |= (
                {key: {k: v.format(**names) if isinstance(v, str) else v for k, v in filled[key].items()}}
                if key in filled
                else {}
            )
        return Call(method, path.format(**names), shows=shows(world) if shows else (), options=filled)

    return ask


def _exam(world: World) -> tuple[str, ...]:
    return (world.main.exam_id,)


async def _tag(client: httpx.AsyncClient, path: str) -> dict[str, str]:
    return {"If-Match": (await do(client, "GET", path)).headers["etag"]}


async def login(world: World, column: str) -> Call:
    return Call(
        "POST",
        "/auth/token",
        options={"json": {"username": "front", "password": demo.password(world.runtime.keys, "front")}},
    )


async def refresh_token(world: World, column: str) -> Call:
    """One session that each caller refreshes in turn: a login takes a tenth of a second."""
    pair = world.memo["refreshed"].json() if "refreshed" in world.memo else await world.login("front")
    return Call("POST", "/auth/refresh", options={"json": {"refresh_token": pair["refresh_token"]}})


async def issue_client_token(world: World, column: str) -> Call:
    body = {"client_id": GATEWAY, "client_secret": client_secret(world.runtime.keys, GATEWAY)}
    return Call("POST", "/auth/client-token", options={"json": body})


async def _second_session(world: World, column: str) -> httpx.AsyncClient | None:
    """A session that may end: a further one of a demo login, or of a newcomer; clients and nobody have none."""
    if column == "examinee":
        return await world.examinee(world.main)
    if column == "other_department":
        return await world.newcomer(roles=["doctor"], departments=[])
    logins = {"admin": "admin", "front_desk": "front", "group_manager": "group"}
    return (
        await world.entered(logins.get(column, column))
        if column not in ("client_gateway", "client_portal", "anonymous")
        else None
    )


async def logout(world: World, column: str) -> Call:
    return Call("POST", "/auth/logout", await _second_session(world, column))


async def change_password(world: World, column: str) -> Call:
    """The old password is right and the new one breaks the policy: one who may hears that. The newcomer's is changed indeed."""
    if column == "other_department":
        username = (await world.hire(roles=["doctor"], departments=[]))["username"]
        client = await world.entered(username, PASSWORD)
        body = {"old_password": PASSWORD, "new_password": "Zugang-4712-xyz"}
        return Call("PUT", "/auth/password", client, options={"json": body})
    username = {"front_desk": "front", "group_manager": "group"}.get(column, column)
    return Call(
        "PUT",
        "/auth/password",
        options={"json": {"old_password": demo.password(world.runtime.keys, username), "new_password": "x"}},
    )


async def step_up(world: World, column: str) -> Call:
    username = {"front_desk": "front", "group_manager": "group"}.get(column, column)
    word = PASSWORD if column == "other_department" else demo.password(world.runtime.keys, username)
    return Call("POST", "/auth/step-up", options={"json": {"password": word}})


_WITHOUT_SESSIONS = ("client_gateway", "client_portal", "examinee", "foreign_examinee", "anonymous")


async def confirm_second_factor(world: World, column: str) -> Call:
    """Of a newcomer: from then on the account signs in with it."""
    path = "/auth/second-factor:confirm"
    if column in _WITHOUT_SESSIONS:
        return Call("POST", path, options={"json": {"code": "123456"}})
    client = await world.newcomer()
    secret = (await do(client, "POST", "/auth/second-factor")).json()["secret"]
    code = totp.code_at(secret, int(world.runtime.clock.now().timestamp()) // totp.STEP_SECONDS)
    return Call("POST", path, client, options={"json": {"code": code}})


async def end_session(world: World, column: str) -> Call:
    if column in _WITHOUT_SESSIONS:
        return Call("POST", f"/auth/sessions/{uuid7()}:end")
    client = await world.newcomer()
    own = (await do(client, "GET", "/auth/sessions")).json()["items"][0]["id"]
    return Call("POST", f"/auth/sessions/{own}:end", client)


async def end_other_sessions(world: World, column: str) -> Call:
    return Call("POST", "/auth/sessions:end-others", None if column in _WITHOUT_SESSIONS else await world.newcomer())


async def create_staff(world: World, column: str) -> Call:
    body = {"username": fresh("u"), "name": "新人", "password": PASSWORD, "roles": ["doctor"], "campuses": [A]}
    return Call("POST", "/staff", options={"json": body, "headers": once()})


async def update_staff(world: World, column: str) -> Call:
    place = f"/staff/{world.colleague_id}"
    return Call(
        "PATCH", place, options={"json": {"title": "主治医师"}, "headers": await _tag(world.clients["admin"], place)}
    )


async def put_staff_rights(world: World, column: str) -> Call:
    place = f"/staff/{world.colleague_id}"
    body = {"roles": ["doctor"], "campuses": [A]}
    tag = await _tag(world.clients["admin"], place)
    return Call("PUT", f"{place}/rights", options={"json": body, "headers": tag})


async def approve_staff(world: World, column: str) -> Call:
    made = await world.proposed()
    return Call("POST", f"/staff/{made['id']}:approve", options={"headers": {"If-Match": f'"{made["version"]}"'}})


async def reset_staff_password(world: World, column: str) -> Call:
    made = await world.proposed()
    return Call(
        "POST", f"/staff/{made['id']}:reset-password", options={"headers": {"If-Match": f'"{made["version"]}"'}}
    )


async def approve_api_client(world: World, column: str) -> Call:
    body = {"client_id": fresh("c"), "name": "试", "scopes": ["portal.grant"], "campuses": [A]}
    made = await do(world.clients["admin"], "POST", "/api-clients", 201, json=body, headers=once())
    return Call("POST", f"/api-clients/{made.json()['id']}:approve")


async def put_role(world: World, column: str) -> Call:
    return Call("PUT", "/roles/nobody", options={"json": {"name_zh": "无", "name_en": "Nobody", "permissions": []}})


async def create_api_client(world: World, column: str) -> Call:
    body = {"client_id": fresh("c"), "name": "试", "scopes": ["portal.grant"], "campuses": [A]}
    return Call("POST", "/api-clients", options={"json": body, "headers": once()})


async def revoke_api_client(world: World, column: str) -> Call:
    body = {"client_id": fresh("c"), "name": "试", "scopes": ["portal.grant"], "campuses": [A]}
    made = await do(world.clients["admin"], "POST", "/api-clients", 201, json=body, headers=once())
    return Call("POST", f"/api-clients/{made.json()['id']}:revoke")


def _knowledge() -> dict[str, Any]:
    """Content of its own each time: the same content is one version."""
    code = fresh("F").upper()
    finding = {
        "code": code,
        "name": "血糖高",
        "pinyin": "xtg",
        "kind": "finding",
        "importance": 1,
        "advice": "复查",
        "source": "试",
    }
    rule = {"code": code, "finding": code, "condition": {"value": {"item": "GLU", "ge": "7.0"}}, "source": "试"}
    cases = {"fires": [{"values": {"GLU": "7.0"}}], "misses": [{"values": {"GLU": "6.9"}}]}
    return {"note": "试", "findings": [finding], "rules": [rule | cases], "critical": []}


async def create_knowledge_version(world: World, column: str) -> Call:
    return Call("POST", "/knowledge-versions", options={"json": _knowledge()})


async def _draft(world: World) -> str:
    made = await do(world.clients["admin"], "POST", "/knowledge-versions", 201, json=_knowledge())
    return str(made.json()["id"])


async def knowledge_changes(world: World, column: str) -> Call:
    return Call("GET", f"/knowledge-versions/{await _draft(world)}/changes")


async def try_knowledge_version(world: World, column: str) -> Call:
    return Call("GET", f"/knowledge-versions/{await _draft(world)}/trial", options={"params": {"exams": 1}})


async def approve_knowledge_version(world: World, column: str) -> Call:
    return Call("POST", f"/knowledge-versions/{await _draft(world)}:approve")


async def activate_knowledge_version(world: World, column: str) -> Call:
    draft = await _draft(world)
    await do(world.clients["foreign_campus"], "POST", f"/knowledge-versions/{draft}:approve", 200)
    return Call("POST", f"/knowledge-versions/{draft}:activate", options={"json": {}})


async def meet_examinee(world: World, column: str) -> Call:
    return Call("POST", "/examinees", options={"json": {"campus_id": A, **invented_person()}, "headers": once()})


async def amend_examinee(world: World, column: str) -> Call:
    place = f"/examinees/{world.main.person_id}"
    return Call(
        "PATCH", place, options={"json": {"nation": "瑶族"}, "headers": await _tag(world.clients["front_desk"], place)}
    )


async def search_examinees(world: World, column: str) -> Call:
    body = {"id_number": world.main.card["id_number"]}
    return Call("POST", "/examinees:search", shows=(world.main.person_id,), options={"json": body})


async def put_photo(world: World, column: str) -> Call:
    return Call("PUT", f"/examinees/{world.main.person_id}/photo", options={"content": portrait()})


def _photo(tail: str) -> Ask:
    """What is asked of the photo of the person, which is there."""

    async def ask(world: World, column: str) -> Call:
        place = f"/examinees/{world.main.person_id}"
        await do(world.clients["front_desk"], "PUT", f"{place}/photo", content=portrait())
        return Call("GET", place + tail)

    return ask


async def remove_identifier(world: World, column: str) -> Call:
    place = f"/examinees/{world.main.person_id}/identifiers"
    body = {"kind": "exam_card", "number": fresh("K")}
    made = await do(world.clients["front_desk"], "POST", place, 201, json=body)
    return Call("POST", f"{place}/{made.json()['id']}:remove")


async def add_identifier(world: World, column: str) -> Call:
    body = {"kind": "visit_card", "number": fresh("K")}
    return Call("POST", f"/examinees/{world.main.person_id}/identifiers", options={"json": body})


async def _twins(world: World) -> tuple[str, str]:
    """Two entries of one person of campus A: a passport and an ID card."""
    front, card = world.clients["front_desk"], invented_person()
    passport = card | {"id_kind": "passport", "id_number": f"E{secrets.randbelow(10**8):08d}"}
    cards = [{"campus_id": A, **one} for one in (passport, card)]
    made = [await do(front, "POST", "/examinees", 201, json=one, headers=once()) for one in cards]
    return str(made[0].json()["id"]), str(made[1].json()["id"])


def _guardian(method: str, verb: str, body: dict[str, Any] | None = None) -> Ask:
    """Something of somebody who answers for a child of campus A."""

    async def ask(world: World, column: str) -> Call:
        front = world.clients["front_desk"]
        born = business_day(world.runtime.clock.now()) - timedelta(days=3_000)
        card = {k: v for k, v in invented_person().items() if k != "id_number"}
        child = {"campus_id": A, **card, "id_kind": "none", "birth_date": str(born)}
        place = f"/examinees/{(await do(front, 'POST', '/examinees', 201, json=child, headers=once())).json()['id']}/guardians"
        father = {"name": "张建国", "relation": "father", "phone": "13800001234"}
        if verb == "":
            return Call(method, place, options={"json": father} if method == "POST" else {})
        made = (await do(front, "POST", place, 201, json=father)).json()
        return Call(method, f"{place}/{made['id']}:{verb}", options={"json": body} if body else {})

    return ask


async def check_identity(world: World, column: str) -> Call:
    """A doctor's own department says where; the desk is none."""
    where = {} if column == "front_desk" else {"department_id": GENERAL}
    visit = await world.check_in(await world.register(groups=("GENERAL",)))
    body = {"method": "photo", "outcome": "same", **where}
    return Call("POST", f"/exams/{visit.exam_id}/identity-checks", options={"json": body})


async def decide_identity(world: World, column: str) -> Call:
    place = (await check_identity(world, "doctor")).path
    body = {"method": "photo", "outcome": "different"}
    found = (await do(world.clients["doctor"], "POST", place, 201, json=body)).json()
    decided = {"decision": "same", "reason": "核对户口簿"}
    return Call("POST", f"/identity-checks/{found['id']}:decide", options={"json": decided})


async def list_duplicates(world: World, column: str) -> Call:
    return Call("GET", "/examinee-duplicates", shows=await _twins(world), options={"params": {"campus_id": A}})


async def distinguish(world: World, column: str) -> Call:
    return Call("POST", "/examinee-distinctions", options={"json": {"examinee_ids": await _twins(world)}})


async def withdraw_distinction(world: World, column: str) -> Call:
    body = {"examinee_ids": await _twins(world)}
    made = await do(world.clients["front_desk"], "POST", "/examinee-distinctions", 201, json=body)
    return Call("POST", f"/examinee-distinctions/{made.json()['id']}:withdraw")


async def merge_examinee(world: World, column: str) -> Call:
    one, two = await _twins(world)
    return Call("POST", f"/examinees/{one}:merge", options={"json": {"survivor_id": two, "reason": "重复建档"}})


async def undo_merge(world: World, column: str) -> Call:
    call = await merge_examinee(world, column)
    made = await do(world.clients["front_desk"], "POST", call.path, **call.options)
    return Call("POST", f"/examinee-merges/{made.json()['id']}:undo", options={"json": {"reason": "系双胞胎"}})


async def search_exams(world: World, column: str) -> Call:
    body = {"key": world.main.card["id_number"]}
    return Call("POST", "/exams:search", shows=(world.main.exam_id,), options={"json": body})


async def quote(world: World, column: str) -> Call:
    return Call("POST", "/quotes", options={"json": {"item_group_ids": [world.groups["CBC"]]}})


def _planned(
    method: str, path: str, body: dict[str, Any] | None = None, *, version: int = 0, state: str = "draft"
) -> Ask:
    """Something done to a campaign of its own, brought to a state by who keeps the database."""

    async def ask(world: World, column: str) -> Call:
        unit = await world.plan()
        if state != "draft":
            admin = await connect(world.runtime.settings)
            await admin.execute("alter table campaign disable trigger guard_state")
            await admin.execute("update campaign set state = $2 where id = $1", UUID(unit["campaign"]), state)
            await admin.execute("alter table campaign enable trigger guard_state")
            await admin.close()
        options: dict[str, Any] = {"headers": once() | ({"If-Match": f'"{version}"'} if version else {})}
        return Call(method, path.format(**unit), options=options | ({"json": body} if body is not None else {}))

    return ask


async def create_employer(world: World, column: str) -> Call:
    return Call("POST", "/employers", options={"json": {"code": fresh("E"), "name": "某单位"}, "headers": once()})


async def create_contract(world: World, column: str) -> Call:
    body = {"campus_id": A, "employer_id": world.unit["employer"], "contract_no": fresh("HT"), "name": "年度", "valid_from": "2026-01-01", "valid_to": "2026-12-31"}  # fmt: skip
    return Call("POST", "/contracts", options={"json": body, "headers": once()})


async def create_campaign(world: World, column: str) -> Call:
    body = {"campus_id": A, "employer_id": world.unit["employer"], "name": "年度", "year": 2026, "starts_on": "2026-03-01", "ends_on": "2026-03-31"}  # fmt: skip
    return Call("POST", "/campaigns", options={"json": body, "headers": once()})


async def add_member(world: World, column: str) -> Call:
    body = {"name": "张三", "employee_no": fresh("W")}
    return Call("POST", f"/campaigns/{world.unit['campaign']}/members", options={"json": body, "headers": once()})


async def transfer_members(world: World, column: str) -> Call:
    unit = await world.plan()
    body = {"group_id": unit["campaign_group"], "member_ids": [unit["member"]]}
    return Call("POST", f"/campaigns/{unit['campaign']}:transfer-members", options={"json": body})


async def decide_members(world: World, column: str) -> Call:
    unit = await world.plan()
    body = {"decisions": [{"member_id": unit["member"], "decision": "no_show"}]}
    return Call("POST", f"/campaigns/{unit['campaign']}:decide-members", options={"json": body})


async def complete_campaign(world: World, column: str) -> Call:
    """One whose only member did not come."""
    unit = await world.plan()
    place = f"/campaigns/{unit['campaign']}"
    body = {"decisions": [{"member_id": unit["member"], "decision": "no_show"}]}
    manager = world.clients["group_manager"]
    await do(manager, "POST", f"{place}:open")
    await do(manager, "POST", f"{place}:decide-members", 204, json=body)
    return Call("POST", f"{place}:complete")


async def upload_members(world: World, column: str) -> Call:
    place = f"/campaigns/{world.unit['campaign']}/member-imports"
    return Call("POST", place, options={"content": "姓名,工号\n张三,0017\n".encode()})


def _imported(method: str, verb: str, body: dict[str, Any] | None = None) -> Ask:
    """Something done to a list that was read and previewed."""

    async def ask(world: World, column: str) -> Call:
        manager, content = world.clients["group_manager"], f"姓名,工号\n张三,{fresh('W')}\n".encode()
        place = f"/campaigns/{world.unit['campaign']}/member-imports"
        made = f"/member-imports/{(await do(manager, 'POST', place, 202, content=content)).json()['id']}"

        async def previewed() -> bool:
            return bool((await do(manager, "GET", made)).json()["state"] == "previewed")

        await world.until(previewed)
        return Call(method, made + verb, options={"json": body} if body is not None else {})

    return ask


async def create_exam(world: World, column: str) -> Call:
    body = {
        "campus_id": A,
        "examinee_id": world.main.person_id,
        "item_group_ids": [world.groups["CBC"]],
        "despite": ["second_exam"],
    }
    return Call("POST", "/exams", options={"json": body, "headers": once()})


async def create_item_group(world: World, column: str) -> Call:
    body = {
        "code": fresh("G").upper(), "name": "试", "department_id": 1, "price_fen": 1, "performed_by": "department", "sort": 9, "item_ids": [world.items[0]["id"]],
    }  # fmt: skip
    return Call("POST", "/item-groups", options={"json": body})


async def update_item_group(world: World, column: str) -> Call:
    place = f"/item-groups/{world.groups['CBC']}"
    return Call(
        "PATCH", place, options={"json": {"active": True}, "headers": await _tag(world.clients["admin"], place)}
    )


async def put_exclusions(world: World, column: str) -> Call:
    return Call("PUT", f"/item-groups/{world.groups['BMD']}/exclusions", options={"json": {"exclusions": []}})


async def create_exam_package(world: World, column: str) -> Call:
    body = {
        "code": fresh("P").upper(), "name": "试", "sex": "any", "price_fen": 1, "valid_from": "2026-01-01", "item_group_ids": [world.groups["CBC"]],
    }  # fmt: skip
    return Call("POST", "/exam-packages", options={"json": body})


async def _person(world: World) -> str:
    """Somebody new, whose day is free."""
    front = world.clients["front_desk"]
    body = {"campus_id": A, **invented_person()}
    return str((await do(front, "POST", "/examinees", 201, json=body, headers=once())).json()["id"])


async def _place(world: World) -> dict[str, str]:
    """A place of campus A that is free: on another day each time."""
    today = business_day(world.runtime.clock.now())
    day = next(d for d in (today + timedelta(days=3 + n % 80) for n in _ahead) if d.isoweekday() < 7)
    asked = {"campus_id": A, "day_from": str(day), "day_to": str(day)}
    shown = (await do(world.clients["front_desk"], "GET", "/appointment-availability", params=asked)).json()["days"][0]
    return {"day": str(day), "session_id": next(s["session_id"] for s in shown["sessions"] if s["free"] > 0)}


async def _booking(world: World, person: str | None = None) -> dict[str, Any]:
    body = {
        "campus_id": A,
        "examinee_id": person or await _person(world),
        "item_group_ids": [world.groups["CBC"]],
        **await _place(world),
    }
    made = await do(world.clients["front_desk"], "POST", "/appointments", 201, json=body, headers=once())
    return dict(made.json()["appointment"])


async def _today(world: World, appointment: str, state: str = "booked") -> None:
    """The day of an appointment has come."""
    admin = await connect(world.runtime.settings)
    today = business_day(world.runtime.clock.now())
    await admin.execute("update appointment set day = $1 where id = $2", today, UUID(appointment))
    await admin.execute("update appointment set state = $1 where id = $2", state, UUID(appointment))
    await admin.close()


async def put_calendar(world: World, column: str) -> Call:
    now = await do(world.clients["admin"], "GET", f"/appointment-calendars/{A}")
    calendar = now.json()
    body = {
        "policy": calendar["policy"], "resources": [],
        "sessions": [{k: v for k, v in s.items() if k != "id"} for s in calendar["sessions"]],
    }  # fmt: skip
    options = {"json": body, "headers": {"If-Match": now.headers["etag"]}}
    return Call("PUT", f"/appointment-calendars/{A}", options=options)


async def hold_appointment(world: World, column: str) -> Call:
    return Call("POST", "/appointment-holds", options={"json": {"campus_id": A, **await _place(world)}})


async def release_hold(world: World, column: str) -> Call:
    held = await do(
        world.clients["front_desk"], "POST", "/appointment-holds", 201, json={"campus_id": A, **await _place(world)}
    )
    return Call("POST", f"/appointment-holds/{held.json()['id']}:release")


async def list_appointments(world: World, column: str) -> Call:
    made = await _booking(world)
    params = {"examinee_id": made["examinee_id"]}
    return Call("GET", "/appointments", shows=(made["id"],), options={"params": params})


async def get_appointment(world: World, column: str) -> Call:
    return Call("GET", f"/appointments/{(await _booking(world))['id']}")


async def create_appointment(world: World, column: str) -> Call:
    body = {
        "campus_id": A,
        "examinee_id": await _person(world),
        "item_group_ids": [world.groups["CBC"]],
        **await _place(world),
    }
    return Call("POST", "/appointments", options={"json": body, "headers": once()})


def _appointment(verb: str, **body: str) -> Ask:
    async def ask(world: World, column: str) -> Call:
        made = await _booking(world)
        if verb in ("no-show", "reinstate"):
            await _today(world, made["id"], "booked" if verb == "no-show" else "no_show")
        sent: dict[str, Any] = await _place(world) if verb == "reschedule" else body
        return Call("POST", f"/appointments/{made['id']}:{verb}", options={"json": sent} if sent else {})

    return ask


def _wait(world: World, person: str) -> dict[str, Any]:
    day = business_day(world.runtime.clock.now()) + timedelta(days=5)
    body = {"campus_id": A, "examinee_id": person, "day_from": str(day), "day_to": str(day), "starts_at": "23:00"}
    return {"json": body, "headers": once()}


async def _waits(world: World) -> str:
    options = _wait(world, await _person(world))
    return str((await do(world.clients["front_desk"], "POST", "/waiting-list", 201, **options)).json()["id"])


async def list_waiting_list(world: World, column: str) -> Call:
    return Call("GET", "/waiting-list", shows=(await _waits(world),), options={"params": {"page_size": 200}})


async def join_waiting_list(world: World, column: str) -> Call:
    return Call("POST", "/waiting-list", options=_wait(world, await _person(world)))


async def leave_waiting_list(world: World, column: str) -> Call:
    return Call("POST", f"/waiting-list/{await _waits(world)}:leave")


async def create_my_appointment(world: World, column: str) -> Call:
    body = {"campus_id": A, "item_group_ids": [world.groups["CBC"]], **await _place(world)}
    return Call("POST", "/me/appointments", options={"json": body, "headers": once()})


async def list_my_appointments(world: World, column: str) -> Call:
    if "mine" not in world.memo:
        world.memo["mine"] = (await _booking(world, world.main.person_id))["id"]
    return Call("GET", "/me/appointments", shows=(world.memo["mine"],))


def _mine(verb: str, **body: str) -> Ask:
    async def ask(world: World, column: str) -> Call:
        made = await _booking(world, world.main.person_id)
        return Call("POST", f"/me/appointments/{made['id']}:{verb}", options={"json": body or await _place(world)})

    return ask


def _booked(verb: str, **options: Any) -> Ask:
    async def ask(world: World, column: str) -> Call:
        return Call("POST", f"/exams/{world.booked.exam_id}:{verb}", options=options)

    return ask


def _lines(verb: str, before: str | None = None, **more: Any) -> Ask:
    """Something commanded on a line of a visit of its own, brought to a state first."""

    async def ask(world: World, column: str) -> Call:
        front = world.clients["front_desk"]
        visit = await world.check_in(await world.register(groups=("GENERAL", "GLU")))
        place = f"/exams/{visit.exam_id}/lines"
        line = next(line["id"] for line in visit.lines if line["code"] == "GENERAL")
        body = {"line_ids": [line], "reason": "受检者要求", **more}
        if before is not None:
            await do(front, "POST", f"{place}:{before}", json=body)
        return Call("POST", f"{place}:{verb}", options={"json": body})

    return ask


async def keep_exam_lines(world: World, column: str) -> Call:
    """That a film stands though its woman is pregnant."""
    visit = await world.register(groups=("GLU", "CXR"))
    film = next(line["id"] for line in visit.lines if line["code"] == "CXR")
    facts = {"sex": "female", "pregnant": True, "reason": "受检者告知"}
    await do(world.clients["front_desk"], "POST", f"/exams/{visit.exam_id}:correct-facts", json=facts)
    body = {"line_ids": [film], "reason": "医生评估"}
    return Call("POST", f"/exams/{visit.exam_id}/lines:keep", options={"json": body})


async def consent_exam_lines(world: World, column: str) -> Call:
    front = world.clients["front_desk"]
    found = (await do(front, "GET", "/item-groups", params={"q": "HIV"})).json()["items"]
    world.groups |= {group["code"]: group["id"] for group in found}
    visit = await world.register(groups=("GLU", "HIV"))
    line = next(line["id"] for line in visit.lines if line["private"])
    body = {"line_ids": [line], "signature": visit.card["name"]}
    return Call("POST", f"/exams/{visit.exam_id}/lines:consent", options={"json": body})


async def withdraw_exam_consent(world: World, column: str) -> Call:
    agreed = await consent_exam_lines(world, column)
    await do(world.clients["front_desk"], "POST", agreed.path, json=agreed.options["json"])
    return Call("POST", agreed.path.replace("lines:consent", "lines:withdraw-consent"), options=agreed.options)


async def create_private_report(world: World, column: str) -> Call:
    """Of an exam whose blood count is private, for whatever reason; it comes once."""
    if "private" not in world.memo:
        visit = await world.examine(await world.check_in(await world.register()))
        admin = await connect(world.runtime.settings)
        await admin.execute("update exam_line set private = true where exam_id = $1 and code = 'CBC'", visit.exam_id)
        await admin.close()
        await world.conclude(visit, "finalized")
        world.memo["private"] = visit
    return Call("POST", f"/exams/{world.memo['private'].exam_id}/private-reports")


async def add_exam_lines(world: World, column: str) -> Call:
    visit = await world.register(groups=("GLU",))
    body = {"item_group_ids": [world.groups["CBC"]]}
    return Call("POST", f"/exams/{visit.exam_id}/lines", options={"json": body, "headers": once()})


async def substitute_exam_line(world: World, column: str) -> Call:
    visit = await world.register(groups=("GLU",))
    body = {"line_id": visit.lines[0]["id"], "item_group_ids": [world.groups["CBC"]], "reason": "受检者要求"}
    return Call("POST", f"/exams/{visit.exam_id}/lines:substitute", options={"json": body, "headers": once()})


def _hold(verb: str) -> Ask:
    async def ask(world: World, column: str) -> Call:
        visit = await world.register(groups=("GLU",))
        if verb == "resume":
            await do(world.clients["front_desk"], "POST", f"/exams/{visit.exam_id}:hold", json={"reason": "发热"})
        options = {"json": {"reason": "发热"}} if verb != "resume" else {}
        return Call("POST", f"/exams/{visit.exam_id}:{verb}", options=options)

    return ask


async def create_document_print(world: World, column: str) -> Call:
    body = {"papers": [{"exam_id": world.main.exam_id, "kind": "exam_label"}]}
    return Call("POST", "/document-prints", options={"json": body})


async def download_document_print(world: World, column: str) -> Call:
    if "print" not in world.memo:
        body = {"format": "zpl", "papers": [{"exam_id": world.main.exam_id, "kind": "exam_label", "copies": 1}]}
        made = await do(world.clients["front_desk"], "POST", "/document-prints", 201, json=body)
        world.memo["print"] = made.json()["id"]
    return Call("GET", f"/document-prints/{world.memo['print']}/file")


async def _requisition(world: World) -> dict[str, Any]:
    path = f"/exams/{world.arrived.exam_id}/requisitions"
    found: dict[str, Any] = (await do(world.clients["front_desk"], "GET", path)).json()["items"][0]
    return found


async def resend_requisition(world: World, column: str) -> Call:
    found = await _requisition(world)
    if found["state"] == "planned":
        async with world.runtime.units.open(demo.LOADER) as uow:
            await requisitions.mark_failed(uow, UUID(found["id"]), "refused")
    return Call("POST", f"/requisitions/{found['id']}:resend")


async def _drawn(world: World) -> dict[str, Any]:
    """A tube of campus A that was collected a moment ago."""
    visit = await world.check_in(await world.register(groups=("CBC",)))
    found: dict[str, Any] = visit.tubes[0]
    await do(world.clients["front_desk"], "POST", f"/tubes/{found['id']}:collect")
    return found


async def _list(world: World, until: str, *, outside: bool = False) -> tuple[str, dict[str, Any]]:
    """A hand-over list of campus A that is `open` with a tube on it, or `handed_over`; and the tube."""
    front, tube, body = world.clients["front_desk"], await _drawn(world), {"campus_id": A, "from_place": "采血处"}
    if outside:
        lab = await do(world.clients["admin"], "PUT", "/outside-labs/ZUGANG", json={"name": "外送检验所"})
        body["outside_lab_id"] = lab.json()["id"]
    made = (await do(front, "POST", "/specimen-handovers", 201, json=body)).json()["id"]
    await do(front, "POST", f"/specimen-handovers/{made}:add", json={"barcodes": [tube["barcode"]]})
    if until == "handed_over":
        await do(front, "POST", f"/specimen-handovers/{made}:hand-over", json={"counted": 1})
    return made, tube


async def copy_package(world: World, column: str) -> Call:
    body = {"code": fresh("COPY").upper(), "name": "副本", "valid_from": "2026-01-01"}
    return Call("POST", f"/exam-packages/{world.packages[0]['id']}:copy", options={"json": body})


async def scan_tube(world: World, column: str) -> Call:
    return Call("GET", "/tubes", options={"params": {"barcode": world.arrived.tubes[0]["barcode"]}})


async def reject_tube(world: World, column: str) -> Call:
    return Call("POST", f"/tubes/{(await _drawn(world))['id']}:reject", options={"json": {"reason": "clotted"}})


async def return_tube(world: World, column: str) -> Call:
    _, tube = await _list(world, "handed_over", outside=True)
    return Call("POST", f"/tubes/{tube['id']}:return", options={"json": {}})


async def list_handovers(world: World, column: str) -> Call:
    return Call("GET", "/specimen-handovers", shows=((await _list(world, "open"))[0],))


def _handover(verb: str, state: str, *, read: bool = False, scans: bool = False, **body: Any) -> Ask:
    async def ask(world: World, column: str) -> Call:
        made, tube = await _list(world, state)
        options = {} if read else {"json": {"barcodes": [tube["barcode"]]} if scans else body}
        return Call("GET" if read else "POST", f"/specimen-handovers/{made}{verb}", options=options)

    return ask


async def receive_message(world: World, column: str) -> Call:
    number, body = oru(world.arrived, "NOSUCHTUBE")
    headers = {"X-Source": "lis", "X-Message-Id": number, "Content-Type": "application/hl7-v2"}
    return Call("POST", "/inbound-messages", options={"content": body, "headers": headers})


async def replay_message(world: World, column: str) -> Call:
    return Call("POST", f"/inbound-messages/{world.unmatched_id}:replay")


async def _proposed(world: World) -> str:
    """A message that nobody can place, and the integration engineer's word on where it belongs."""
    message = await world.report_laboratory(world.arrived, fresh("LOST"))
    path, clients = f"/inbound-messages/{message}", world.clients

    async def unmatched() -> bool:
        return bool((await do(clients["interface"], "GET", path)).json()["state"] == "unmatched")

    await world.until(unmatched)
    return message


def _release(verb: str) -> Ask:
    async def ask(world: World, column: str) -> Call:
        message = await _proposed(world)
        given = {"exam_id": world.arrived.exam_id, "reason": "已与检验科核对"}
        # Another than the one who decides.
        other = world.clients["chief" if column == "interface" else "interface"]
        made = await do(other, "POST", f"/inbound-messages/{message}:propose-release", json=given)
        return Call("POST", f"/message-releases/{made.json()['id']}:{verb}")

    return ask


async def propose_release(world: World, column: str) -> Call:
    message = await _proposed(world)
    body = {"exam_id": world.arrived.exam_id, "reason": "已与检验科核对"}
    return Call("POST", f"/inbound-messages/{message}:propose-release", options={"json": body})


async def list_releases(world: World, column: str) -> Call:
    if "release" not in world.memo:
        message = await _proposed(world)
        body = {"exam_id": world.arrived.exam_id, "reason": "已与检验科核对"}
        path = f"/inbound-messages/{message}:propose-release"
        world.memo["release"] = (await do(world.clients["interface"], "POST", path, json=body)).json()["id"]
    return Call("GET", "/message-releases", shows=(world.memo["release"],), options={"params": {"state": "proposed"}})


async def list_unmapped_codes(world: World, column: str) -> Call:
    if "unmapped" not in world.memo:
        message, code = await _proposed(world), fresh("CODE")
        admin = await connect(world.runtime.settings)
        await admin.execute(
            "update inbox_message set campuses = $3, detail = jsonb_build_object('codes', jsonb_build_array($2::text)) where id = $1",
            UUID(message), code, [A],
        )  # fmt: skip
        await admin.close()
        world.memo["unmapped"] = code
    return Call("GET", "/unmapped-codes", shows=(world.memo["unmapped"],), options={"params": {"page_size": 200}})


def _sheet(method: str, path: str, body: dict[str, Any] | None = None, *, before: str = "draft") -> Ask:
    """Something done to the sheet of the visit that is under way, brought to a state first."""

    async def ask(world: World, column: str) -> Call:
        place = f"/exams/{world.arrived.exam_id}/departments/{GENERAL}"
        doctor = world.clients["doctor"]
        now = await do(doctor, "GET", f"{place}/sheet")
        items = [
            {"item_id": i["item_id"], "value": UNREMARKABLE.get(i["item_code"], "70")}
            for i in now.json()["items"]
            if i["entered_here"]
        ]
        tag = {"If-Match": now.headers["etag"]}
        if now.json()["version"] == 0 and before == "entered":
            tag = {
                "If-Match": (await do(doctor, "PUT", f"{place}/results", json={"results": items}, headers=tag)).headers[
                    "etag"
                ]
            }
        elif now.json()["state"] == "draft" and before == "signed":
            now = await do(doctor, "PUT", f"{place}/results", json={"results": items}, headers=tag)
            tag = {"If-Match": now.headers["etag"]}
            tag = {
                "If-Match": (
                    await do(doctor, "POST", f"{place}/sheet:sign", json={"summary": "见各项描述"}, headers=tag)
                ).headers["etag"]
            }
        elif now.json()["state"] == "signed" and before != "signed":
            again = await do(doctor, "POST", f"{place}/sheet:reopen", json={"reason": "重录"}, headers=tag)
            tag = {"If-Match": again.headers["etag"]}
        sent = {"results": items} if body is None else body
        return Call(method, f"{place}/{path}", options={"json": sent, "headers": tag})

    return ask


def _conclusion(method: str, verb: str, before: str, body: dict[str, Any] | None = None) -> Ask:
    async def ask(world: World, column: str) -> Call:
        await world.conclude(world.reviewing, before)
        place = f"/exams/{world.reviewing.exam_id}/conclusion"
        options: dict[str, Any] = {"headers": await _tag(world.clients["reviewer"], place)}
        return Call(method, place + verb, options=options | ({"json": body} if body is not None else {}))

    return ask


async def _critical_value(world: World, state: str = "detected") -> str:
    """A critical value of campus A, brought to a state by who keeps the database: what is asked here is who may go on."""
    values = {
        "id": uuid7(), "campus_id": A, "exam_id": UUID(world.arrived.exam_id), "examinee_id": UUID(world.arrived.person_id),
        "exam_no": world.arrived.exam_no, "department_id": GENERAL, "rule_code": "CRIT", "rule_name": "危急", "important_class": "B",
        "knowledge_version_id": uuid7(), "event_key": fresh("e"), "explanation": "试", "result_ids": [uuid7()], "revision_ids": [uuid7()],
        "state": state, "version": 1,
    }  # fmt: skip
    names = ", ".join(values)
    places = ", ".join(f"${i}" for i in range(1, len(values) + 1))
    query = f"insert into critical_value ({names}, detected_at, due_at) values ({places}, now(), now())"
    admin = await connect(world.runtime.settings)
    await admin.execute(query, *values.values())
    await admin.close()
    return str(values["id"])


async def list_critical_values(world: World, column: str) -> Call:
    if "critical" not in world.memo:
        world.memo["critical"] = await _critical_value(world)
    return Call("GET", "/critical-values", shows=(world.memo["critical"],), options={"params": {"page_size": 200}})


def _critical(method: str, verb: str, body: dict[str, Any] | None = None, *, state: str = "detected") -> Ask:
    async def ask(world: World, column: str) -> Call:
        options: dict[str, Any] = {"headers": {"If-Match": '"1"'}} if method == "POST" else {}
        place = f"/critical-values/{await _critical_value(world, state)}{verb}"
        return Call(method, place, options=options | ({"json": body} if body is not None else {}))

    return ask


async def _question(world: World) -> str:
    """Something asked about a result of campus A, put there by who keeps the database."""
    question = uuid7()
    query = """
    insert into result_question (id, campus_id, exam_id, line_id, item_id, item_code, item_name, department_id, kind, key, result_id,
      revision_ids, raw_value, said_at, asked_at)
    select $2::uuid, r.campus_id, r.exam_id, r.line_id, r.item_id, r.item_code, r.item_name, r.department_id, 'undetermined', ($2::uuid)::text, r.id,
      array[r.current_revision_id], '0.01', now(), now() from result r join exam e on e.id = r.exam_id where r.exam_id = $1 limit 1
    """
    admin = await connect(world.runtime.settings)
    await admin.execute(query, UUID(world.reviewing.exam_id), question)
    await admin.close()
    return str(question)


async def list_questions(world: World, column: str) -> Call:
    if "question" not in world.memo:
        world.memo["question"] = await _question(world)
    options = {"params": {"page_size": 200, "still_open": True}}
    return Call("GET", "/result-questions", shows=(world.memo["question"],), options=options)


async def get_question(world: World, column: str) -> Call:
    return Call("GET", f"/result-questions/{await _question(world)}")


async def answer_question(world: World, column: str) -> Call:
    answer = {"answer": "not_judged", "reason": "无需判断"}
    return Call("POST", f"/result-questions/{await _question(world)}:answer", options={"json": answer})


async def give_up_item(world: World, column: str) -> Call:
    """An item of the visit that is under way, given up before by who keeps the database: twice is once."""
    exam_id = world.arrived.exam_id
    given = """
    insert into result_question (id, campus_id, exam_id, line_id, item_id, item_code, item_name, department_id, kind, key, raw_value, said_at,
      asked_at, closed_at, how, answer, reason, gives_up)
    select $2::uuid, l.campus_id, l.exam_id, l.id, i.id, i.code, i.name, l.department_id, 'missing', '', '', now(), now(), now(), 'person', 'no_value',
      '标本溶血', true
    from exam_line l join item_group_item g on g.item_group_id = l.item_group_id join item i on i.id = g.item_id
    where l.exam_id = $1 and l.department_id = $3 and not exists (
      select 1 from result r where r.line_id = l.id and r.item_id = i.id and r.current_revision_id is not null)
    limit 1 returning line_id, item_id
    """
    admin = await connect(world.runtime.settings)
    place = await admin.fetchrow(given, UUID(exam_id), uuid7(), GENERAL)
    await admin.close()
    assert place is not None
    path = f"/exams/{exam_id}/lines/{place['line_id']}/items/{place['item_id']}:give-up"
    return Call("POST", path, options={"json": {"reason": "标本溶血"}})


def _new_room() -> dict[str, Any]:
    return {"campus_id": A, "code": f"R{secrets.randbelow(10**6)}", "name": "内科一室", "department_id": GENERAL}


async def create_room(world: World, column: str) -> Call:
    return Call("POST", "/rooms", options={"json": _new_room()})


async def _room(world: World) -> dict[str, Any]:
    """A room of campus A; the one with the shortest queue is chosen by whoever is guided."""
    if "room" not in world.memo:
        world.memo["room"] = (await do(world.clients["admin"], "POST", "/rooms", 201, json=_new_room())).json()
    return dict(world.memo["room"])


async def list_rooms(world: World, column: str) -> Call:
    return Call("GET", "/rooms", shows=((await _room(world))["id"],))


async def update_room(world: World, column: str) -> Call:
    room = await _room(world)
    body = {k: room[k] for k in ("campus_id", "code", "name", "department_id", "minutes")}
    return Call("PUT", f"/rooms/{room['id']}", options={"json": body})


async def list_tickets(world: World, column: str) -> Call:
    return Call("GET", f"/rooms/{(await _room(world))['id']}/tickets")


async def guide_examinee(world: World, column: str) -> Call:
    await _room(world)
    visit = await world.check_in(await world.register(groups=("GENERAL",)))
    return Call("POST", f"/exams/{visit.exam_id}:guide")


async def _ticket(world: World) -> dict[str, Any]:
    call = await guide_examinee(world, "front_desk")
    return dict((await do(world.clients["front_desk"], "POST", call.path)).json()["ticket"])


async def call_next(world: World, column: str) -> Call:
    return Call("POST", f"/rooms/{(await _ticket(world))['room_id']}:call-next")


def _ticket_step(verb: str, *before: str) -> Ask:
    """A step of a ticket whose turn has come."""

    async def ask(world: World, column: str) -> Call:
        front, ticket = world.clients["front_desk"], await _ticket(world)
        while (await do(front, "POST", f"/rooms/{ticket['room_id']}:call-next")).json()["id"] != ticket["id"]:
            pass
        for step in before:
            await do(front, "POST", f"/tickets/{ticket['id']}:{step}")
        return Call("POST", f"/tickets/{ticket['id']}:{verb}")

    return ask


async def list_policies(world: World, column: str) -> Call:
    body = {"campus_id": A, "mode": "ask"}
    made = await do(world.clients["admin"], "PUT", "/guide-sheet-policies", json=body)
    return Call("GET", "/guide-sheet-policies", shows=(made.json()["id"],))


async def put_policy(world: World, column: str) -> Call:
    return Call("PUT", "/guide-sheet-policies", options={"json": {"campus_id": A, "mode": "ask"}})


def _sheet_back(verb: str) -> Ask:
    async def ask(world: World, column: str) -> Call:
        visit = await world.check_in(await world.register(groups=("GENERAL",)))
        place, line = f"/exams/{visit.exam_id}", visit.lines[0]["id"]
        body = {"decisions": [{"line_id": line, "decision": "refused", "reason": "受检者要求"}]}
        if verb == "return-guide-sheet":
            return Call("POST", f"{place}:{verb}", options={"json": body})
        await do(world.clients["front_desk"], "POST", f"{place}:return-guide-sheet", json=body)
        return Call("POST", f"{place}:{verb}", options={"json": {"reason": "同意检查"}})

    return ask


async def compose_findings(world: World, column: str) -> Call:
    found = await do(world.clients["doctor"], "GET", "/items", params={"q": "肝脏超声"})
    return Call(
        "POST", f"/items/{found.json()['items'][0]['id']}/findings:compose", options={"json": {"normal": "all"}}
    )


async def release_review(world: World, column: str) -> Call:
    place = f"/exams/{world.reviewing.exam_id}/conclusion"
    if column in ("reviewer", "chief"):
        await world.clients[column].post(f"{API}{place}:claim")
    return Call("POST", f"{place}:release")


async def _task(world: World) -> str:
    """A result that came after the final sign-off."""
    result = UUID(world.main.result_id)
    event = ResultArrivedLate(campus_id=A, exam_id=UUID(world.main.exam_id), result_id=result, revision_id=uuid7())
    async with world.runtime.units.open(demo.LOADER) as uow:
        await conclusions.raise_task(uow, event)
    found = await do(world.clients["chief"], "GET", "/amendment-tasks", params={"state": "open", "page_size": 200})
    return str(found.json()["items"][-1]["id"])


async def list_amendment_tasks(world: World, column: str) -> Call:
    if "task" not in world.memo:
        world.memo["task"] = await _task(world)
    return Call("GET", "/amendment-tasks", shows=(world.memo["task"],))


async def close_amendment_task(world: World, column: str) -> Call:
    return Call("POST", f"/amendment-tasks/{await _task(world)}:close", options={"json": {"outcome": "已告知"}})


async def finalize_conclusion(world: World, column: str) -> Call:
    """On a visit of its own: what is finalized stays so."""
    if "to_finalize" not in world.memo:
        world.memo["to_finalize"] = await world.examine(await world.check_in(await world.register()))
        await world.conclude(world.memo["to_finalize"], "initial_signed")
    place = f"/exams/{world.memo['to_finalize'].exam_id}/conclusion"
    return Call("POST", f"{place}:finalize", options={"headers": await _tag(world.clients["reviewer"], place)})


async def reopen_conclusion(world: World, column: str) -> Call:
    """On a visit that was finalized for each."""
    visit = await world.examine(await world.check_in(await world.register()))
    await world.conclude(visit, "initial_signed")
    place = f"/exams/{visit.exam_id}/conclusion"
    await do(world.clients["chief"], "POST", f"{place}:finalize", headers=await _tag(world.clients["reviewer"], place))
    tag = {"headers": await _tag(world.clients["reviewer"], place)}
    return Call("POST", f"{place}:reopen", options=tag | {"json": {"reason": "重新主检"}})


async def issue_examinee_token(world: World, column: str) -> Call:
    front, visit = world.clients["front_desk"], world.arrived
    code = (await do(front, "POST", f"/exams/{visit.exam_id}:issue-access-code")).json()["access_code"]
    body = {"exam_no": visit.exam_no, "access_code": code, "id_number_last4": visit.card["id_number"][-4:]}
    return Call("POST", "/auth/examinee-token", options={"json": body})


async def _unit(world: World) -> dict[str, str]:
    """A unit whose campaign of campus A is open and goes on for a while."""
    manager, unit = world.clients["group_manager"], await world.plan()
    today = business_day(world.runtime.clock.now())
    now = await do(manager, "GET", f"/campaigns/{unit['campaign']}")
    later = {"starts_on": str(today), "ends_on": str(today + timedelta(days=300))}
    await do(manager, "PATCH", f"/campaigns/{unit['campaign']}", json=later, headers={"If-Match": now.headers["etag"]})
    await do(manager, "POST", f"/campaigns/{unit['campaign']}:open")
    return unit


async def make_member_links(world: World, column: str) -> Call:
    unit = await _unit(world)
    return Call(
        "POST", f"/campaigns/{unit['campaign']}/member-links", options={"json": {"member_ids": [unit["member"]]}}
    )


async def _link(world: World) -> dict[str, str]:
    unit, manager = await _unit(world), world.clients["group_manager"]
    body = {"member_ids": [unit["member"]]}
    made = (await do(manager, "POST", f"/campaigns/{unit['campaign']}/member-links", json=body)).json()["items"][0]
    return {"link_token": made["link_token"], "last4": unit["last4"]}


async def issue_member_token(world: World, column: str) -> Call:
    return Call("POST", "/auth/member-token", options={"json": await _link(world)})


def _member(method: str, path: str, *, booked: bool = False, place: bool = False, **options: Any) -> Ask:
    """What a member does in an own session, which stands in for an examinee's: that one opens another door."""

    async def ask(world: World, column: str) -> Call:
        client = None
        if column == "examinee":
            given = await do(world.clients["client_portal"], "POST", "/auth/member-token", json=await _link(world))
            client = world.client(given.json()["access_token"])
            if booked:
                await do(client, "POST", "/me/campaign:book", json=await _place(world), headers=once())
        held = {"json": await _place(world), "headers": once()} if place else options
        return Call(method, path, client, options=held)

    return ask


async def get_me(world: World, column: str) -> Call:
    return Call("GET", "/me", shows=(world.main.card["id_number"][-4:],))


async def _job(world: World, name: str, payload: dict[str, str]) -> Any:
    async with world.runtime.units.open(demo.LOADER) as uow:
        held: UnitOfWork = uow
        return await held.enqueue(name, payload, campus_id=A)


async def cancel_job(world: World, column: str) -> Call:
    """An order that no laboratory takes: its job stays queued."""
    job = await _job(world, "requisition.send_order", {"requisition_id": world.main.exam_id})
    return Call("POST", f"/jobs/{job}:cancel")


async def retry_job(world: World, column: str) -> Call:
    """A job that has given up."""
    if "to_retry" not in world.memo:
        world.memo["to_retry"] = await _job(world, "result.file_message", {"message_id": world.main.exam_id})
        world.wake()
    path = f"/jobs/{world.memo['to_retry']}"

    async def dead() -> bool:
        return bool((await do(world.clients["admin"], "GET", path)).json()["state"] == "dead")

    await world.until(dead)
    return Call("POST", f"{path}:retry")


async def follow_live_events(world: World, column: str) -> Call:
    watches = column in ("front_desk", "doctor", "reviewer", "chief", "other_department", "foreign_campus")
    return Call(
        "GET", "/live-events", shows=_exam(world) if watches else (), options={"headers": {"Last-Event-ID": "0"}}
    )


async def publish_report(world: World, column: str) -> Call:
    latest = await _latest(world, "sealed")
    return Call("POST", f"/reports/{latest or await world.render(world.main)}:publish")


async def recall_report(world: World, column: str) -> Call:
    published = await _latest(world, "published")
    if published is None:
        published = await world.render(world.main)
        await do(world.clients["chief"], "POST", f"/reports/{published}:publish")
    return Call("POST", f"/reports/{published}:recall", options={"json": {"reason": "更正"}})


async def _latest(world: World, state: str) -> str | None:
    found = (await do(world.clients["chief"], "GET", f"/exams/{world.main.exam_id}/reports")).json()["items"]
    return next((r["id"] for r in found if r["state"] == state), None)


_PAGE = {"params": {"page_size": 200}}
_TERM = {"day_from": "2027-03-01", "day_to": "2027-03-07"}
OPERATIONS: dict[str, Ask] = {
    "login": login,
    "refreshToken": refresh_token,
    "issueClientToken": issue_client_token,
    "logout": logout,
    "changePassword": change_password,
    "getPrincipal": _just("GET", "/auth/principal"),
    "listCampuses": _just("GET", "/campuses"),
    "listDictionaries": _just("GET", "/dictionaries"),
    "listStaff": _just("GET", "/staff"),
    "getStaff": _just("GET", "/staff/{colleague}"),
    "createStaff": create_staff,
    "updateStaff": update_staff,
    "putStaffRights": put_staff_rights,
    "approveStaff": approve_staff,
    "resetStaffPassword": reset_staff_password,
    "stepUp": step_up,
    "enrolSecondFactor": _just("POST", "/auth/second-factor"),
    "confirmSecondFactor": confirm_second_factor,
    "listSessions": _just("GET", "/auth/sessions"),
    "endSession": end_session,
    "endOtherSessions": end_other_sessions,
    "endStaffSessions": _just("POST", "/staff/{colleague}:end-sessions"),
    "endSecondFactor": _just("POST", "/staff/{colleague}:end-second-factor"),
    "unlockStaff": _just("POST", "/staff/{colleague}:unlock"),
    "approveApiClient": approve_api_client,
    "listRoles": _just("GET", "/roles"),
    "getRole": _just("GET", "/roles/doctor"),
    "putRole": put_role,
    "listApiClients": _just("GET", "/api-clients"),
    "createApiClient": create_api_client,
    "revokeApiClient": revoke_api_client,
    "listAuditEvents": _just("GET", "/audit-events", shows=lambda w: w.markers, **_PAGE),
    "listDepartments": _just("GET", "/departments"),
    "listItems": _just("GET", "/items"),
    "getItem": _just("GET", "/items/{item}"),
    "listItemGroups": _just("GET", "/item-groups"),
    "getItemGroup": _just("GET", "/item-groups/{group}"),
    "createItemGroup": create_item_group,
    "updateItemGroup": update_item_group,
    "putItemGroupExclusions": put_exclusions,
    "createExamPackage": create_exam_package,
    "listExamPackages": _just("GET", "/exam-packages"),
    "getExamPackage": _just("GET", "/exam-packages/{package}"),
    "listExternalCodes": _just("GET", "/external-codes"),
    "putExternalCode": _just("PUT", "/external-codes/lis/ZUGANG", json={"item_id": "{item}"}),
    "copyExamPackage": copy_package,
    "exportCatalog": _just("GET", "/catalog-file"),
    "importCatalog": _just("POST", "/catalog-imports", json={"file": {"format": "tjapi-catalog", "version": 1}}),
    "listOutsideLabs": _just("GET", "/outside-labs"),
    "listRangePolicies": _just("GET", "/range-policies"),
    "putRangePolicy": _just("PUT", f"/range-policies/{B}", json={"laboratory_first": False}),
    "putOutsideLab": _just("PUT", "/outside-labs/ZUGANG", json={"name": "外送检验所"}),
    "listFindings": _just("GET", "/findings"),
    "listKnowledgeRules": _just("GET", "/knowledge-rules"),
    "listKnowledgeVersions": _just("GET", "/knowledge-versions"),
    "createKnowledgeVersion": create_knowledge_version,
    "getKnowledgeChanges": knowledge_changes,
    "tryKnowledgeVersion": try_knowledge_version,
    "approveKnowledgeVersion": approve_knowledge_version,
    "activateKnowledgeVersion": activate_knowledge_version,
    "meetExaminee": meet_examinee,
    "getExaminee": _just("GET", "/examinees/{person}"),
    "amendExaminee": amend_examinee,
    "unmaskExaminee": _just("POST", "/examinees/{person}:unmask", json={"purpose": "电话通知"}),
    "searchExaminees": search_examinees,
    "putExamineePhoto": put_photo,
    "getExamineePhoto": _photo("/photo"),
    "listExamineePhotos": _photo("/photos"),
    "getExamineePhotoVersion": _photo("/photos/1"),
    "addExamineeIdentifier": add_identifier,
    "listExamineeIdentifiers": _just("GET", "/examinees/{person}/identifiers"),
    "removeExamineeIdentifier": remove_identifier,
    "addExamineeGuardian": _guardian("POST", ""),
    "listExamineeGuardians": _guardian("GET", ""),
    "recordGuardianConsent": _guardian("POST", "consent", {"form": "signed_paper"}),
    "removeExamineeGuardian": _guardian("POST", "remove"),
    "unmaskExamineeGuardian": _guardian("POST", "unmask", {"purpose": "通知家长"}),
    "listExamineeDuplicates": list_duplicates,
    "distinguishExaminees": distinguish,
    "listExamineeDistinctions": _just("GET", "/examinees/{person}/distinctions"),
    "withdrawExamineeDistinction": withdraw_distinction,
    "mergeExaminee": merge_examinee,
    "undoExamineeMerge": undo_merge,
    "listExamineeMerges": _just("GET", "/examinees/{person}/merges"),
    "listExamineeExams": _just("GET", "/examinees/{person}/exams", shows=_exam),
    "searchExams": search_exams,
    "createEmployer": create_employer,
    "listEmployers": _just("GET", "/employers"),
    "getEmployer": _just("GET", "/employers/{employer}"),
    "updateEmployer": _planned("PATCH", "/employers/{employer}", {"industry": "制造业"}, version=1),
    "addEmployerContact": _planned("POST", "/employers/{employer}/contacts", {"name": "韦", "phone": "13800001234"}),
    "removeEmployerContact": _planned("POST", "/employers/{employer}/contacts/{contact}:remove"),
    "unmaskEmployerContact": _just("POST", "/employers/{employer}/contacts/{contact}:unmask", json={"purpose": "通知"}),
    "createContract": create_contract,
    "listContracts": _just("GET", "/contracts", shows=lambda w: (w.unit["contract"],), **_PAGE),
    "createCampaign": create_campaign,
    "listCampaigns": _just("GET", "/campaigns", shows=lambda w: (w.unit["campaign"],), **_PAGE),
    "getCampaign": _just("GET", "/campaigns/{campaign}"),
    "updateCampaign": _planned("PATCH", "/campaigns/{campaign}", {"daily_quota": 50}, version=2),
    "openCampaign": _planned("POST", "/campaigns/{campaign}:open"),
    "reopenCampaign": _planned("POST", "/campaigns/{campaign}:reopen", {"reason": "补检"}, state="completed"),
    "startNextCampaign": _planned(
        "POST",
        "/campaigns/{campaign}:start-next",
        {"name": "明年", "year": 2027, "starts_on": "2027-03-01", "ends_on": "2027-03-31"},
        state="completed",
    ),
    "putCampaignGroup": _planned(
        "PUT",
        "/campaigns/{campaign}/groups/F1",
        {"name": "女", "criteria": [{"sex": "female"}], "item_group_ids": [str(starter_id("item_group", "CBC"))]},
    ),
    "addMember": add_member,
    "makeMemberLinks": make_member_links,
    "listMemberLinks": _just("GET", "/campaigns/{campaign}/member-links"),
    "endMemberLink": _just("POST", "/members/{member}:end-link"),
    "listMembers": _just("GET", "/campaigns/{campaign}/members"),
    "getMember": _just("GET", "/members/{member}"),
    "amendMember": _planned("PATCH", "/members/{member}", {"post": "焊工"}, version=1),
    "getAppointmentCalendar": _just("GET", f"/appointment-calendars/{A}"),
    "putAppointmentCalendar": put_calendar,
    "listAppointmentDays": _just("GET", f"/appointment-calendars/{A}/days", params=_TERM),
    "putAppointmentDay": _just("PUT", f"/appointment-calendars/{A}/days/2027-12-31", json={"note": "盘点"}),
    "getAppointmentAvailability": _just("GET", "/appointment-availability", params={"campus_id": A, **_TERM}),
    "holdAppointment": hold_appointment,
    "releaseAppointmentHold": release_hold,
    "listAppointments": list_appointments,
    "getAppointment": get_appointment,
    "listWaitingList": list_waiting_list,
    "joinWaitingList": join_waiting_list,
    "leaveWaitingList": leave_waiting_list,
    "createAppointment": create_appointment,
    "rescheduleAppointment": _appointment("reschedule"),
    "cancelAppointment": _appointment("cancel", reason="有事"),
    "missAppointment": _appointment("no-show"),
    "reinstateAppointment": _appointment("reinstate"),
    "getMemberTemplate": _just("GET", "/member-template"),
    "uploadMembers": upload_members,
    "getMemberImport": _imported("GET", ""),
    "listMemberImportEntries": _imported("GET", "/entries"),
    "mapMemberImport": _imported("POST", ":map", {"mapping": {"员工": "name"}}),
    "commitMemberImport": _imported("POST", ":commit", {"mode": "valid_rows"}),
    "discardMemberImport": _imported("POST", ":discard"),
    "listCampaignProgress": _just("GET", "/campaign-progress", shows=lambda w: (w.unit["campaign"],)),
    "listStandings": _just("GET", "/campaigns/{campaign}/standings"),
    "bookMembers": _planned(
        "POST", "/campaigns/{campaign}:book-members", {"days": [{"day": "2027-03-01", "quota": 5}]}, state="open"
    ),
    "transferMembers": transfer_members,
    "repriceMembers": _planned("POST", "/campaigns/{campaign}:reprice-members", {}),
    "listRepricings": _just("GET", "/campaigns/{campaign}/repricings/{campaign}"),
    "decideMembers": decide_members,
    "completeCampaign": complete_campaign,
    "quoteMember": _just("GET", "/members/{member}/quote"),
    "quote": quote,
    "createExam": create_exam,
    "listExams": _just("GET", "/exams", shows=_exam, params={"exam_no": "{number}"}),
    "getExam": _just("GET", "/exams/{exam}"),
    "getExamCompleteness": _just("GET", "/exams/{exam}/completeness"),
    "checkIn": _booked("check-in"),
    "checkIdentity": check_identity,
    "listIdentityChecks": _just("GET", "/exams/{exam}/identity-checks"),
    "decideIdentity": decide_identity,
    "issueAccessCode": _just("POST", "/exams/{exam}:issue-access-code"),
    "listExamDocuments": _just("GET", "/exams/{exam}/documents"),
    "createDocumentPrint": create_document_print,
    "downloadDocumentPrint": download_document_print,
    "listDocumentPrints": _just("GET", "/exams/{exam}/document-prints"),
    "cancelExam": _booked("cancel", json={"reason": "改期"}),
    "addExamLines": add_exam_lines,
    "substituteExamLine": substitute_exam_line,
    "withdrawExamLines": _lines("withdraw"),
    "coverExamLines": _lines("cover", how="paid"),
    "refuseExamLines": _lines("refuse"),
    "waiveExamLines": _lines("waive"),
    "deferExamLines": _lines("defer", due_on="2099-01-01"),
    "reinstateExamLines": _lines("reinstate", "refuse"),
    "keepExamLines": keep_exam_lines,
    "consentExamLines": consent_exam_lines,
    "withdrawExamConsent": withdraw_exam_consent,
    "listExamLineSteps": _just("GET", "/exams/{exam}/line-steps"),
    "correctExamFacts": _hold("correct-facts"),
    "holdExam": _hold("hold"),
    "resumeExam": _hold("resume"),
    "getBoard": _just("GET", "/board", params={"campus_id": A}),
    "listBoardExams": _just("GET", "/board/booked/exams", shows=_exam, params={"campus_id": A, "page_size": 200}),
    "listTubes": _just("GET", "/exams/{exam}/tubes"),
    "collectTube": _just("POST", "/tubes/{tube}:collect"),
    "scanTube": scan_tube,
    "rejectTube": reject_tube,
    "returnTube": return_tube,
    "getTubeCustody": _just("GET", "/tubes/{tube}/custody"),
    "openHandover": _just("POST", "/specimen-handovers", json={"campus_id": A, "from_place": "采血处"}),
    "listHandovers": list_handovers,
    "getHandover": _handover("", "open", read=True),
    "addHandoverTubes": _handover(":add", "open", scans=True),
    "removeHandoverTubes": _handover(":remove", "open", scans=True),
    "handOverTubes": _handover(":hand-over", "open", counted=1),
    "receiveHandoverTubes": _handover(":receive", "handed_over", scans=True),
    "signHandoverReceipt": _handover(":sign", "handed_over", counted=1, whole=True),
    "cancelHandover": _handover(":cancel", "open", reason="改日"),
    "downloadHandover": _handover("/file", "open", read=True),
    "listRequisitions": _just("GET", "/exams/{exam}/requisitions"),
    "resendRequisition": resend_requisition,
    "receiveMessage": receive_message,
    "listInboundMessages": _just("GET", "/inbound-messages", shows=lambda w: (w.main.message_id,), **_PAGE),
    "getInboundMessage": _just("GET", "/inbound-messages/{message}"),
    "getRawMessage": _just("GET", "/inbound-messages/{message}/raw"),
    "replayMessage": replay_message,
    "listMessageReleases": list_releases,
    "listUnmappedCodes": list_unmapped_codes,
    "getMessageReadings": _just("GET", "/inbound-messages/{message}/readings"),
    "proposeMessageRelease": propose_release,
    "agreeMessageRelease": _release("agree"),
    "refuseMessageRelease": _release("refuse"),
    "getDepartmentHistory": _just("GET", "/exams/{sheet}/history"),
    "getDepartmentSheet": _just("GET", "/exams/{sheet}/sheet"),
    "listClickableFindings": _just("GET", "/items/{item}/findings"),
    "composeFindings": compose_findings,
    "putDepartmentResults": _sheet("PUT", "results"),
    "putDepartmentSummary": _sheet("PUT", "summary", {"lines": [{"text": "建议饮食清淡"}]}),
    "signDepartmentSheet": _sheet("POST", "sheet:sign", {"summary": "见各项描述"}, before="entered"),
    "reopenDepartmentSheet": _sheet("POST", "sheet:reopen", {"reason": "重录"}, before="signed"),
    "revokeDepartmentResults": _sheet("POST", "results:revoke", {"reason": "他人结果"}, before="signed"),
    "listExamResults": _just("GET", "/exams/{exam}/results"),
    "listResultQuestions": list_questions,
    "getResultQuestion": get_question,
    "answerResultQuestion": answer_question,
    "giveUpItem": give_up_item,
    "listResultRevisions": _just("GET", "/results/{result}/revisions"),
    "listRooms": list_rooms,
    "createRoom": create_room,
    "updateRoom": update_room,
    "getRoomOrder": _just("GET", "/room-order", params={"campus_id": A}),
    "putRoomOrder": _just("PUT", "/room-order", json={"campus_id": A, "pairs": []}),
    "guideExaminee": guide_examinee,
    "listTickets": list_tickets,
    "callNextTicket": call_next,
    "recallTicket": _ticket_step("recall"),
    "passTicket": _ticket_step("pass"),
    "requeueTicket": _ticket_step("requeue", "pass"),
    "enterTicket": _ticket_step("enter"),
    "finishTicket": _ticket_step("finish", "enter"),
    "listGuideSheetPolicies": list_policies,
    "putGuideSheetPolicy": put_policy,
    "getGuideSheetReturn": _just("GET", "/exams/{exam}/guide-sheet-return"),
    "returnGuideSheet": _sheet_back("return-guide-sheet"),
    "giveBackGuideSheet": _sheet_back("give-back-guide-sheet"),
    "listCriticalValues": list_critical_values,
    "getCriticalValue": _critical("GET", ""),
    "confirmCriticalValue": _critical("POST", ":confirm"),
    "dismissCriticalValue": _critical("POST", ":dismiss", {"reason": "溶血"}),
    "revealCriticalPhone": _critical("POST", ":phone"),
    "notifyCriticalValue": _critical(
        "POST", ":notify", {"channel": "phone", "told": "本人", "reached": False}, state="confirmed"
    ),
    "followUpCriticalValue": _critical("POST", ":follow-up", {"note": "已就诊"}, state="notified"),
    "closeCriticalValue": _critical("POST", ":close", {"outcome": "好转"}, state="notified"),
    "listReviewQueue": _just("GET", "/review-queue", shows=lambda w: (w.reviewing.exam_id,), **_PAGE),
    "getConclusion": _just("GET", "/exams/{exam}/conclusion"),
    "getReview": _just("GET", "/exams/{exam}/review"),
    "claimReview": _just("POST", "/exams/{exam}/conclusion:claim"),
    "releaseReview": release_review,
    "generateConclusion": _conclusion("POST", ":generate", "draft"),
    "listAmendmentTasks": list_amendment_tasks,
    "closeAmendmentTask": close_amendment_task,
    "putConclusion": _conclusion("PUT", "", "draft", {"overview": "各项如下。", "entries": []}),
    "signConclusion": _conclusion("POST", ":sign", "draft"),
    "returnConclusion": _conclusion("POST", ":return", "initial_signed", {"reason": "再看"}),
    "finalizeConclusion": finalize_conclusion,
    "reopenConclusion": reopen_conclusion,
    "listReports": _just("GET", "/exams/{exam}/reports"),
    "getReport": _just("GET", "/reports/{report}"),
    "getReportContent": _just("GET", "/reports/{report}/content"),
    "getReportChanges": _just("GET", "/reports/{report}/changes"),
    "downloadReport": _just("GET", "/reports/{report}/pdf"),
    "previewReport": _just("GET", "/exams/{exam}/report-preview"),
    "listTrends": _just("GET", "/exams/{exam}/trends"),
    "verifyReport": _just("GET", "/report-verifications/" + "0" * 32),
    "getSealAuthority": _just("GET", "/seal-authority"),
    "issueExamineeToken": issue_examinee_token,
    "issueMemberToken": issue_member_token,
    "getMyCampaign": _member("GET", "/me/campaign"),
    "quoteMyCampaign": _member("POST", "/me/campaign:quote", json={}),
    "putMySelection": _member("PUT", "/me/campaign/selection", json={}),
    "getMyCampaignAvailability": _member("GET", "/me/campaign/availability", params=_TERM),
    "bookMyCampaign": _member("POST", "/me/campaign:book", place=True),
    "rescheduleMyCampaign": _member("POST", "/me/campaign:reschedule", booked=True, place=True),
    "cancelMyCampaign": _member("POST", "/me/campaign:cancel", booked=True, json={"reason": "有事"}),
    "getMe": get_me,
    "listMyReports": _just("GET", "/me/reports", shows=lambda w: (w.main.exam_id,)),
    "getMyReportContent": _just("GET", "/me/reports/{report}/content"),
    "downloadMyReport": _just("GET", "/me/reports/{report}/pdf"),
    "linkMyReport": _just("POST", "/me/reports/{report}:link"),
    "getMyAppointmentAvailability": _just("GET", "/me/appointment-availability", params={"campus_id": A, **_TERM}),
    "listMyAppointments": list_my_appointments,
    "createMyAppointment": create_my_appointment,
    "rescheduleMyAppointment": _mine("reschedule"),
    "cancelMyAppointment": _mine("cancel", reason="有事"),
    "getJob": _just("GET", "/jobs/{job}"),
    "listJobs": _just("GET", "/jobs", shows=lambda w: (w.main.job_id,), **_PAGE),
    "cancelJob": cancel_job,
    "retryJob": retry_job,
    "followLiveEvents": follow_live_events,
    "createPrivateReport": create_private_report,
    "createReport": _just("POST", "/exams/{exam}/reports"),
    "publishReport": publish_report,
    "recallReport": recall_report,
}  # Mostly the hashing of passwords, and none of them changes what another meets.
_SIDE_BY_SIDE = {"login", "issueClientToken", "logout", "changePassword", "followLiveEvents"}


def contract() -> set[str]:
    paths = json.loads((ROOT / "openapi" / "v1.json").read_text(encoding="utf-8"))["paths"]
    return {operation["operationId"] for methods in paths.values() for operation in methods.values()}


def test_every_operation_of_the_contract_has_a_row_and_every_row_an_operation() -> None:
    assert set(ROWS) == contract()
    assert len(ROWS) == len(set(ROWS))


def test_every_row_is_asked_and_every_cell_is_a_legal_word() -> None:
    assert OPERATIONS.keys() == TABLE.keys()
    assert {cell for row in TABLE.values() for cell in row.values()} <= WORDS
    assert {len(row) for row in TABLE.values()} == {15}
    assert MANAGED.keys() <= TABLE.keys()
    assert set(MANAGED.values()) <= WORDS


async def _stream(world: World, client: httpx.AsyncClient, call: Call) -> tuple[int, str, str]:
    """Read a stream up to an event that was sent to this caller alone, after everything that the caller may see or must not."""
    last = fresh("last")
    asks = await client.get(f"{API}/auth/principal")
    if asks.status_code == 200:
        async with world.runtime.units.open(demo.LOADER) as uow:
            await uow.announce(
                "job", {"id": last}, campus_id=None, permission=None, principal_id=UUID(asks.json()["id"])
            )
    text = ""
    async with client.stream(call.method, API + call.path, **call.options) as answer:
        if answer.status_code != 200:
            return answer.status_code, json.loads(await answer.aread())["code"], ""
        async with asyncio.timeout(30):
            async for piece in answer.aiter_text():
                text += piece
                if last in text:
                    break
        return 200, "", text


async def _answer(world: World, operation: str, column: str, call: Call) -> tuple[int, str, str]:
    """Make a call and return its status, its problem's code and its text."""
    client = call.client or world.clients[column]
    if operation == "followLiveEvents":
        return await _stream(world, client, call)
    answer = await client.request(call.method, API + call.path, **call.options)
    if operation == "refreshToken":
        world.memo["refreshed"] = answer
    kind = answer.headers.get("content-type", "")
    code = answer.json()["code"] if kind == "application/problem+json" else ""
    return answer.status_code, code, "" if kind == "application/pdf" else answer.text


def _outcome(status: int, code: str, text: str, shows: tuple[str, ...]) -> str:
    """Put an answer into the table's words; anything else is told as it is."""
    if status == 401 and code == "unauthenticated":
        return "unauth"
    if status == 403:
        return "forbid"
    if status == 404 and code != "no-such-path":
        return "hidden"
    if status == 200 and shows and not any(marker in text for marker in shows):
        return "hidden"
    if status < 300 or (status in (409, 410, 412, 422) and code != "invalid"):
        return "allow"
    return f"{status} {code}"


@pytest.mark.parametrize("operation", list(TABLE))
async def test_an_operation_answers_each_role_as_the_hospital_decided(world: World, operation: str) -> None:
    told = TABLE[operation] | {"group_manager": MANAGED.get(operation, "-")}
    ask, row = OPERATIONS[operation], {column: word for column, word in told.items() if word != "-"}
    found: dict[str, str] = {}
    statuses: dict[str, tuple[int, str]] = {}

    async def call_as(column: str, call: Call) -> None:
        status, code, text = await _answer(world, operation, column, call)
        statuses[column], found[column] = (status, code), _outcome(status, code, text, call.shows)

    # Those who are refused come first, and all with the same request: it changes nothing, and nothing has changed for it.
    refused = [column for column, word in row.items() if word != "allow"]
    if refused:
        same = await ask(world, "foreign_campus" if "foreign_campus" in refused else refused[-1])
        await asyncio.gather(*(call_as(column, same) for column in refused))
    welcome = [column for column, word in row.items() if word == "allow"]
    if operation in _SIDE_BY_SIDE:
        calls = await asyncio.gather(*(ask(world, column) for column in welcome))
        await asyncio.gather(*(call_as(column, call) for column, call in zip(welcome, calls, strict=True)))
    else:
        for column in welcome:
            await call_as(column, await ask(world, column))
    wrong = {column: f"{found[column]}, not {word}" for column, word in row.items() if found[column] != word}
    assert wrong == {}, {column: statuses[column] for column in wrong}
    allowed = [statuses[column][0] for column in welcome]
    assert any(status < 300 for status in allowed), f"no allowed call succeeded: {allowed}"
