"""Reference ranges are part of a dated edition: three persons sign a change, it holds from its day on, and an exam keeps what held on its own."""

from datetime import timedelta
from typing import Any

import pytest

from tests.tjapi.world import API, House, house
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.catalog.schemas import RangeIn
from tjapi.kernel.clock import business_day
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.schemas import ContentIn

pytestmark = pytest.mark.requirement("X6", "E4.4", "E8.4")


def _glu() -> dict[str, Any]:
    """The shipped range of fasting glucose for adults who are not pregnant."""
    return next(r for r in catalog.shipped_ranges() if r.item == "GLU" and r.age_from == "18y").model_dump(mode="json")


async def _signed(own: House, ranges: list[dict[str, Any]], effective_on: str | None = None) -> str:
    admin, head, chief = [await own.sign_in(name) for name in ("admin", "laboratory", "chief")]
    content = knowledge.read_starter().model_dump(mode="json") | {"ranges": ranges, "note": "空腹血糖上限"}
    made = await admin.post(f"{API}/knowledge-versions", json=content)
    assert made.status_code == 201, made.text
    place = f"{API}/knowledge-versions/{made.json()['id']}"
    assert made.json()["ranges"] == len(ranges)
    told = (await chief.get(f"{place}/changes")).json()["changes"]
    assert {(c["what"], c["change"]) for c in told} == {("range", "changed")}
    assert (await head.post(f"{place}:approve")).status_code == 200
    answer = await chief.post(f"{place}:activate", json={"effective_on": effective_on} if effective_on else {})
    assert answer.status_code == 200, answer.text
    version: str = made.json()["id"]
    return version


async def _flag(own: House, place: str) -> str | None:
    doctor = await own.sign_in("chief")
    found = (await doctor.get(f"{place}/results")).json()["departments"]
    values = {r["item_code"]: r["current"] for d in found for r in d["results"]}
    flag: str | None = values["GLU"]["flag"]
    return flag


async def test_a_range_that_is_signed_holds_from_its_day_on_and_what_was_judged_keeps_its_own() -> None:
    async with house("ranges_dated") as own:
        before = await own.world.checked_in("GLU")
        await own.world.file(before, GLU="5.5")
        assert await _flag(own, before.place) == ""
        tomorrow = business_day(own.runtime.clock.now()) + timedelta(days=1)
        version = await _signed(own, [_glu() | {"high": "5.0", "text": "3.9–5.0"}], tomorrow.isoformat())
        held = "select high, valid_from, valid_to from item_range r join item i on i.id = r.item_id where i.code = 'GLU' and r.text like '3.9–5.0%'"
        assert await own.admin.fetch(held) == [], "nothing holds before its day"
        await own.admin.execute("update knowledge_version set effective_on = effective_on - 1 where id = $1", version)
        async with own.runtime.units.open(demo.LOADER) as uow:
            assert await knowledge.take_effect(uow, version)  # type: ignore[arg-type]
        after = await own.world.checked_in("GLU")
        await own.world.file(after, GLU="5.5")
        assert [await _flag(own, visit.place) for visit in (before, after)] == ["", "H"]
        rows = await own.admin.fetch(held)
        assert [(r["valid_from"], r["valid_to"]) for r in rows] == [(tomorrow - timedelta(days=1), None)]
        ended = await own.admin.fetchval(
            "select count(*) from item_range r join item i on i.id = r.item_id where i.code = 'GLU' and r.valid_to = $1",
            tomorrow - timedelta(days=2),
        )
        assert ended == 1, "the one before ends the day before"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"item": "NOSUCH"}, "/ranges/0/item", "item"),
        ({"low": "9", "high": "5"}, "/ranges/0/low", "bounds"),
        ({"age_from": "30y"}, "/ranges/0", "overlap"),
    ],
    ids=["no-item", "crossing", "two-for-one"],
)
async def test_ranges_that_cannot_hold_are_refused_by_name(
    sign_in: Any, change: dict[str, Any], pointer: str, code: str
) -> None:
    admin = await sign_in("admin")
    content = knowledge.read_starter().model_dump(mode="json") | {"ranges": [_glu() | change], "note": "试"}
    refused = await admin.post(f"{API}/knowledge-versions", json=content)
    assert refused.status_code == 422
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in refused.json()["errors"]]


async def test_a_newer_shipped_range_is_a_draft_and_the_hospitals_own_stays_in_a_second_one() -> None:
    async with house("ranges_shipped") as own:
        ours = _glu()
        await _signed(own, [ours | {"high": "5.0", "text": "本院"}])
        newer = knowledge.read_starter()
        rows = [row.model_dump() for row in catalog.shipped_ranges()]
        other = next(r for r in rows if r["item"] == "K" and r["high"] is not None)
        other |= {"high": other["high"] + 1, "text": "新版"}
        mine = next(r for r in rows if RangeIn.model_validate(r).key == RangeIn.model_validate(ours).key)
        mine |= {"high": mine["high"] + 2, "text": "新版"}
        newer.ranges = [RangeIn.model_validate(r) for r in rows]
        for _ in "twice is once":
            async with own.runtime.units.open(demo.LOADER) as uow:
                await catalog.load_starter(uow)
                await knowledge.bring_in(uow, newer)
        assert await own.admin.fetchval("select count(*) from item_range where text = '新版'") == 0, "nobody signed it"
        chief = await own.sign_in("chief")
        listed = (await chief.get(f"{API}/knowledge-versions")).json()["items"]
        assert [v["state"] for v in listed] == ["draft", "draft", "active", "retired"]
        told = []
        for draft in listed[:2]:
            changes = (await chief.get(f"{API}/knowledge-versions/{draft['id']}/changes")).json()["changes"]
            told.append({c["code"].split("|")[0]: c["fields"] for c in changes if c["what"] == "range"})
        assert told == [{"K": ["high", "text"]}, {"GLU": ["high", "text"], "K": ["high", "text"]}]
        assert "GLU" in listed[0]["note"], "both changed it: the hospital's stays, and the draft says so"


async def test_a_release_that_changes_nothing_of_a_hospitals_own_makes_one_draft() -> None:
    async with house("ranges_plain") as own:
        newer = knowledge.read_starter().model_dump(mode="json")
        newer["findings"][0]["advice"] = "新版的建议。"
        async with own.runtime.units.open(demo.LOADER) as uow:
            await knowledge.bring_in(
                uow, ContentIn.model_validate(newer | {"ranges": [r.model_dump() for r in catalog.shipped_ranges()]})
            )
        states = [
            v["state"] for v in (await (await own.sign_in("chief")).get(f"{API}/knowledge-versions")).json()["items"]
        ]
        assert states == ["draft", "active"]


async def test_what_an_own_row_leads_to_stays_with_it_in_the_draft() -> None:
    async with house("own_leads") as own:
        admin, head, chief = [await own.sign_in(name) for name in ("admin", "laboratory", "chief")]
        shipped = knowledge.read_starter().model_dump(mode="json")
        rule = next(r for r in shipped["rules"] if r["finding"] == "FATTY-LIVER")
        mine = {**rule, "code": "OWN-FATTY"}
        made = await admin.post(
            f"{API}/knowledge-versions", json={**shipped, "rules": [*shipped["rules"], mine], "note": "本院"}
        )
        assert made.status_code == 201, made.text
        place = f"{API}/knowledge-versions/{made.json()['id']}"
        assert (await head.post(f"{place}:approve")).status_code == 200
        assert (await chief.post(f"{place}:activate", json={})).status_code == 200
        newer = knowledge.read_starter().model_dump(mode="json")
        newer["findings"] = [f for f in newer["findings"] if f["code"] != "FATTY-LIVER"]
        newer["rules"] = [r for r in newer["rules"] if r["finding"] != "FATTY-LIVER"]
        for finding in newer["findings"]:
            finding["outranks"] = [o for o in finding["outranks"] if o != "FATTY-LIVER"]
        async with own.runtime.units.open(demo.LOADER) as uow:
            await knowledge.bring_in(uow, ContentIn.model_validate(newer))
        draft = (await chief.get(f"{API}/knowledge-versions")).json()["items"][0]
        assert draft["state"] == "draft"
        assert "FATTY-LIVER" in draft["note"]
        held = "select count(*) from knowledge_rule where version_id = $1 and code = 'OWN-FATTY' and finding_code = 'FATTY-LIVER'"
        assert await own.admin.fetchval(held, draft["id"]) == 1
