"""Content is signed by three persons, holds from a day on, and keeps the hospital's own rows; what nobody signed alarms, and finds nothing."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tjapi.world import API, House, house, until, working
from tjapi import demo
from tjapi.kernel.clock import business_day
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.schemas import ContentIn
from tjapi.result import flows

pytestmark = pytest.mark.requirement("E4.4", "X6", "E5.1")
DANGER = Case("male", 45, {"K": Known("K", "钾", "7.2", Decimal("7.2"), unit="mmol/L", flag="HH")})


async def _unsign(own: House) -> None:
    """Make what ships what it is in a hospital where nobody has signed it yet."""
    await own.admin.execute(
        "update knowledge_version set approved_by = null, approved_at = null, signed_by = null, signed_at = null"
    )
    knowledge.forget()


async def _active(own: House) -> knowledge.Knowledge:
    async with own.runtime.units.open(demo.LOADER) as uow:
        found = await knowledge.active(uow)
    assert found is not None
    return found


async def test_unsigned_content_alarms_marked_and_finds_nothing_until_it_is_signed_where_it_stands() -> None:
    async with house("knowledge_unsigned") as own:
        head, chief = await own.sign_in("laboratory"), await own.sign_in("chief")
        signed = await _active(own)
        found = [fired.rule.code for fired in signed.fired("finding", DANGER)]
        assert found
        await _unsign(own)
        unsigned = await _active(own)
        assert unsigned.fired("finding", DANGER) == []
        alarms = unsigned.fired("critical", DANGER)
        assert {fired.rule.code for fired in alarms} == {f.rule.code for f in signed.fired("critical", DANGER)}
        assert all(fired.rule.name.endswith("（未签批）") for fired in alarms)
        version = (await chief.get(f"{API}/knowledge-versions")).json()["items"][0]
        assert (version["state"], version["signed_at"]) == ("active", None)
        place = f"{API}/knowledge-versions/{version['id']}"
        assert (await chief.post(f"{place}:activate", json={})).json()["code"] == "knowledge-not-approved"
        assert (await head.post(f"{place}:approve")).status_code == 200
        tomorrow = (business_day(own.runtime.clock.now()) + timedelta(days=1)).isoformat()
        later = await chief.post(f"{place}:activate", json={"effective_on": tomorrow})
        assert later.json()["code"] == "knowledge-not-draft", "what is in use cannot come into force later"
        assert (await chief.post(f"{place}:activate", json={})).json()["signed_at"] is not None
        again = await _active(own)
        assert [fired.rule.code for fired in again.fired("finding", DANGER)] == found
        assert not any("未签批" in fired.rule.name for fired in again.fired("critical", DANGER))


async def _draft(own: House, change: Callable[[dict[str, Any]], None]) -> str:
    content = knowledge.read_starter().model_dump(mode="json")
    change(content)
    admin, head = await own.sign_in("admin"), await own.sign_in("laboratory")
    made = await admin.post(f"{API}/knowledge-versions", json={**content, "note": "试"})
    assert made.status_code == 201, made.text
    version: str = made.json()["id"]
    assert (await head.post(f"{API}/knowledge-versions/{version}:approve")).status_code == 200
    return version


async def test_a_version_signed_for_a_later_day_waits_for_it() -> None:
    async with house("knowledge_scheduled") as own:
        chief = await own.sign_in("chief")
        version = await _draft(own, lambda content: content["findings"][0].update(advice="另一条建议。"))
        day = business_day(own.runtime.clock.now()) + timedelta(days=3)
        past = (day - timedelta(days=4)).isoformat()
        refused = await chief.post(f"{API}/knowledge-versions/{version}:activate", json={"effective_on": past})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/effective_on")
        signed = await chief.post(
            f"{API}/knowledge-versions/{version}:activate", json={"effective_on": day.isoformat()}
        )
        assert (signed.json()["state"], signed.json()["effective_on"]) == ("scheduled", day.isoformat())
        async with own.runtime.units.open(demo.LOADER) as uow:
            assert await knowledge.take_effect(uow, UUID(version)) is False
        due = await own.admin.fetchval(
            "select run_at - clock_timestamp() from job where name = 'knowledge.take_effect'"
        )
        assert timedelta(days=2) < due < timedelta(days=3, hours=1)
        await own.admin.execute(
            "update knowledge_version set effective_on = effective_on - 3 where id = $1", UUID(version)
        )
        async with own.runtime.units.open(demo.LOADER) as uow:
            assert await knowledge.take_effect(uow, UUID(version)) is True
            assert await knowledge.take_effect(uow, UUID(version)) is False
        states = {v["id"]: v["state"] for v in (await chief.get(f"{API}/knowledge-versions")).json()["items"]}
        assert states[version] == "active"
        assert sorted(states.values()) == ["active", "retired"]


async def test_the_hospitals_own_rows_stay_when_a_newer_content_ships() -> None:
    async with house("knowledge_upgrade") as own:
        chief = await own.sign_in("chief")
        shipped = knowledge.read_starter().model_dump(mode="json")
        ours, theirs = shipped["findings"][0]["code"], shipped["findings"][1]["code"]
        version = await _draft(own, lambda content: content["findings"][0].update(advice="本院的建议。"))
        assert (await chief.post(f"{API}/knowledge-versions/{version}:activate", json={})).json()["state"] == "active"
        newer = knowledge.read_starter().model_dump(mode="json")
        for finding in newer["findings"][:2]:
            finding["advice"] = "新版的建议。"
        async with own.runtime.units.open(demo.LOADER) as uow:
            await knowledge.bring_in(uow, ContentIn.model_validate(newer))
            await knowledge.bring_in(uow, ContentIn.model_validate(newer))
        listed = (await chief.get(f"{API}/knowledge-versions")).json()["items"]
        assert [v["state"] for v in listed] == ["draft", "draft", "active", "retired"]
        assert ours in listed[0]["note"]
        changes = (await chief.get(f"{API}/knowledge-versions/{listed[0]['id']}/changes")).json()["changes"]
        assert [(c["code"], c["fields"]) for c in changes] == [(theirs, ["advice"])]


async def test_what_was_left_unfound_is_found_once_it_is_signed_and_what_is_finished_stays() -> None:
    async with house("knowledge_found_late") as own, working(own.runtime.settings):
        head, chief, reviewer = [await own.sign_in(name) for name in ("laboratory", "chief", "reviewer")]
        await _unsign(own)
        done = await own.world.finalized("GLU")
        open_ = await own.world.checked_in("GLU")
        await own.world.file(open_, GLU="9.8")
        seen = await reviewer.get(f"{open_.place}/review")
        assert seen.json()["unsigned"] is True
        tag = {"If-Match": seen.headers["etag"]}
        draft = await reviewer.post(f"{open_.place}/conclusion:generate", headers=tag)
        assert draft.json()["entries"] == [], "what nobody signed finds nothing"
        before = (await chief.get(f"{done.place}/conclusion")).json()
        version = (await chief.get(f"{API}/knowledge-versions")).json()["items"][0]["id"]
        await head.post(f"{API}/knowledge-versions/{version}:approve")
        assert (await chief.post(f"{API}/knowledge-versions/{version}:activate", json={})).status_code == 200

        async def found() -> bool:
            return bool((await reviewer.get(f"{open_.place}/conclusion")).json()["entries"])

        await until(found)
        now = (await reviewer.get(f"{open_.place}/review")).json()
        assert now["unsigned"] is False
        assert any("血糖" in entry["title"] for entry in now["conclusion"]["entries"])
        assert (await chief.get(f"{done.place}/conclusion")).json() == before
        told = "select count(*) from audit_event where action = 'exam.found_signed' and object_id = $1"
        assert [await own.admin.fetchval(told, str(v.exam_id)) for v in (open_, done)] == [1, 0]


REFUSES = """
create function refuse_one() returns trigger language plpgsql as $$ begin raise data_exception using message = 'refused'; end $$;
create trigger refuse_one before insert on audit_event for each row
  when (new.action = 'exam.found_signed' and new.object_id = '{exam_id}') execute function refuse_one();
"""


async def test_one_exam_that_fails_stops_no_other_and_the_next_run_looks_at_it_alone() -> None:
    async with house("knowledge_one_fails") as own:
        exams = sorted([(await own.world.checked_in("GLU")).exam_id for _ in range(3)])
        version = await own.admin.fetchval("select id from knowledge_version where state = 'active'")
        await own.admin.execute("update exam set knowledge_version_id = $1 where id = any($2)", version, exams)
        looked: list[tuple[int, int]] = []

        class Run:
            payload: ClassVar[dict[str, str]] = {"version_id": str(version)}

            def unit(self) -> Any:
                return own.runtime.units.open(demo.LOADER)

            async def progress(self, done: int, total: int) -> None:
                looked.append((done, total))

        await own.admin.execute(REFUSES.format(exam_id=exams[0]))
        with pytest.raises(flows.NotAllFound):
            await flows.find_signed(Run())  # type: ignore[arg-type]
        assert looked == [(0, 3), (1, 3), (2, 3)]
        await own.admin.execute("drop trigger refuse_one on audit_event; drop function refuse_one()")
        looked.clear()
        assert await flows.find_signed(Run()) == {"found_anew": 1}  # type: ignore[arg-type]
        assert looked == [(1, 1)], "what was looked at is not looked at again"


@pytest.mark.parametrize("roles", ["author heads", "author signs", "head signs", "nobody heads"])
async def test_the_database_too_lets_three_persons_sign(roles: str, admin: asyncpg.Connection) -> None:
    author, head, chief = uuid4(), uuid4(), uuid4()
    approved, signed = {
        "author heads": (author, chief), "author signs": (head, author), "head signs": (head, head), "nobody heads": (None, chief),
    }[roles]  # fmt: skip
    add = (
        "insert into knowledge_version (id, number, state, sha256, created_by, created_at, approved_by, signed_by)"
        " values ($1, $2, 'draft', $3, $4, now(), $5, $6)"
    )
    async with admin.transaction():
        with pytest.raises(asyncpg.CheckViolationError, match="three persons"):
            async with admin.transaction():
                await admin.execute(add, uuid4(), 9_001, roles, author, approved, signed)
        await admin.execute(add, uuid4(), 9_002, "fine", author, head, chief)
        await admin.execute("delete from knowledge_version where number = 9002")
