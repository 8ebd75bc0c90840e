"""Versions of the knowledge base: a draft is looked at as a difference, activated by another person, and never changes afterwards."""

import asyncpg
import pytest

from tests.tjapi.world import API, house
from tjapi import demo
from tjapi.knowledge import service as knowledge

pytestmark = pytest.mark.requirement("E4.4", "E5.1", "E8.3")


async def test_a_version_is_written_compared_activated_by_another_and_used_from_then_on() -> None:
    async with house("knowledge") as own:
        admin, chief, head = [await own.sign_in(name) for name in ("admin", "chief", "laboratory")]
        listed = (await chief.get(f"{API}/knowledge-versions")).json()["items"]
        assert [(v["number"], v["state"], v["findings"]) for v in listed] == [
            (1, "active", len(knowledge.read_starter().findings))
        ]
        content = knowledge.read_starter().model_dump(mode="json")
        content["findings"][0]["advice"] = "另一条建议。"
        gone = content["critical"].pop()["code"]
        made = await admin.post(f"{API}/knowledge-versions", json={**content, "note": "改一条建议"})
        assert made.status_code == 201, made.text
        version = made.json()["id"]
        again = await admin.post(f"{API}/knowledge-versions", json={**content, "note": "再来"})
        assert again.json()["code"] == "knowledge-known"
        changes = (await chief.get(f"{API}/knowledge-versions/{version}/changes")).json()["changes"]
        assert {(c["what"], c["code"], c["change"], *c["fields"]) for c in changes} == {
            ("finding", content["findings"][0]["code"], "changed", "advice"), ("critical", gone, "removed"),
        }  # fmt: skip
        by_chief = await chief.post(
            f"{API}/knowledge-versions", json={"note": "空", "findings": [], "rules": [], "critical": []}
        )
        await head.post(f"{API}/knowledge-versions/{by_chief.json()['id']}:approve")
        own_draft = await chief.post(f"{API}/knowledge-versions/{by_chief.json()['id']}:activate", json={})
        assert own_draft.json()["code"] == "knowledge-own-draft"
        early = await chief.post(f"{API}/knowledge-versions/{version}:activate", json={})
        assert early.json()["code"] == "knowledge-not-approved"
        assert (await head.post(f"{API}/knowledge-versions/{version}:approve")).json()["approved_at"] is not None
        approved_twice = await head.post(f"{API}/knowledge-versions/{version}:approve")
        assert approved_twice.json()["code"] == "knowledge-approved"
        activated = await chief.post(f"{API}/knowledge-versions/{version}:activate", json={})
        assert activated.json()["state"] == "active"
        twice = await chief.post(f"{API}/knowledge-versions/{version}:activate", json={})
        assert twice.json()["code"] == "knowledge-not-draft"
        async with own.runtime.units.open(demo.LOADER) as uow:
            active = await knowledge.active(uow)
            assert active is not None
            assert active.findings[content["findings"][0]["code"]].advice == "另一条建议。"
            await knowledge.load_starter(uow)
        listed = (await chief.get(f"{API}/knowledge-versions")).json()["items"]
        assert [(v["number"], v["state"]) for v in listed] == [(3, "draft"), (2, "active"), (1, "retired")]
        with pytest.raises(asyncpg.CheckViolationError):
            await own.admin.execute("update knowledge_version set state = 'draft' where number = 2")


async def test_content_that_lies_about_itself_is_refused_field_by_field() -> None:
    async with house("knowledge_bad") as own:
        admin = await own.sign_in("admin")
        rule = {"code": "X", "finding": "X", "condition": {"value": {"item": "GLU", "ge": "7.0"}}, "source": "试"}
        finding = {
            "code": "X",
            "name": "血糖高",
            "pinyin": "xtg",
            "kind": "finding",
            "importance": 1,
            "advice": "复查",
            "source": "试",
        }
        never = {**rule, "fires": [{"values": {"GLU": "6.9"}}], "misses": [{"values": {"GLU": "6.8"}}]}
        good = {"fires": [{"values": {"GLU": "7.0"}}], "misses": [{"values": {"GLU": "6.9"}}]}
        for rules, pointer in (
            ([never], "/rules/0/fires/0"),
            ([{**rule, **good, "finding": "Y"}], "/rules/0/finding"),
            ([{**rule, **good, "condition": {"value": {"item": "NOTHING", "ge": "7.0"}}}], "/rules/0/condition"),
            ([{**rule, **good, "condition": {"value": {"item": "GLU", "ge": "seven"}}}], "/rules/0/condition/value/ge"),
            ([{**rule, **good}, {**rule, **good}], "/rules/0/code"),
        ):
            body = {"note": "试", "findings": [finding], "rules": rules, "critical": []}
            refused = await admin.post(f"{API}/knowledge-versions", json=body)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["pointer"] == pointer
        assert len((await admin.get(f"{API}/knowledge-versions")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("q", "first"),
    [("zfg", "FATTY-LIVER"), ("脂肪", "FATTY-LIVER"), ("K76.0", "FATTY-LIVER"), ("fatty", "FATTY-LIVER")],
)
async def test_a_finding_is_found_by_name_initials_and_code(q: str, first: str, sign_in: object) -> None:
    client = await sign_in("doctor")  # type: ignore[operator]
    found = (await client.get(f"{API}/findings", params={"q": q})).json()["items"]
    assert found[0]["code"] == first
