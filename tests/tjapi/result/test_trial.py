"""A version of the knowledge base is tried on exams that were before it is put into use; trying changes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import MASTER_KEY
from tests.tjapi.world import API, World, house
from tjapi import cli
from tjapi.catalog import service as catalog
from tjapi.knowledge import service as knowledge

pytestmark = pytest.mark.requirement("E5.1", "E4.4")


async def test_what_a_version_would_say_of_past_exams_beside_the_one_in_use() -> None:
    async with house("knowledge_trial") as own:
        world = World(own.runtime, own.sign_in)
        steady, grave = await world.checked_in("ELECTROLYTE"), await world.checked_in("ELECTROLYTE")
        await world.file(steady, K="4.0")
        await world.file(grave, K="6.4")
        admin, chief = await own.sign_in("admin"), await own.sign_in("chief")
        content = knowledge.read_starter().model_dump(mode="json")
        content["critical"] = [rule for rule in content["critical"] if rule["code"] != "CRIT-K-HIGH"]
        content["critical"].append(_tighter())
        made = await admin.post(f"{API}/knowledge-versions", json={**content, "note": "试算"})
        assert made.status_code == 201, made.text
        before = await own.admin.fetch("select id, knowledge_version_id from exam order by id")
        tried = await chief.get(f"{API}/knowledge-versions/{made.json()['id']}/trial", params={"exams": 50})
        assert tried.status_code == 200, tried.text
        said = {row["code"]: row for row in tried.json()["changes"]}
        assert said.keys() == {"CRIT-K-HIGH", "CRIT-K-TIGHTER"}
        assert (said["CRIT-K-HIGH"]["fewer"], said["CRIT-K-HIGH"]["exam_nos"]) == (1, [grave.exam_no])
        tighter = said["CRIT-K-TIGHTER"]
        assert (tighter["more"], tighter["fewer"], set(tighter["exam_nos"])) == (2, 0, {steady.exam_no, grave.exam_no})
        assert tried.json()["exams"] == 2
        assert await own.admin.fetch("select id, knowledge_version_id from exam order by id") == before


async def test_a_trial_tries_ranges_as_well() -> None:
    async with house("knowledge_trial_ranges") as own:
        world = World(own.runtime, own.sign_in)
        other, usual = await world.checked_in("ELECTROLYTE"), await world.checked_in("ELECTROLYTE")
        await world.file(other, K="5.2")
        await world.file(usual, K="4.0")
        admin, chief = await own.sign_in("admin"), await own.sign_in("chief")
        shipped = next(r for r in catalog.shipped_ranges() if r.item == "K" and r.age_from == "18y")
        content = knowledge.read_starter().model_dump(mode="json")
        content["ranges"] = [shipped.model_dump(mode="json") | {"high": "5.0", "source": "试"}]
        made = await admin.post(f"{API}/knowledge-versions", json={**content, "note": "试算区间"})
        assert made.status_code == 201, made.text
        tried = await chief.get(f"{API}/knowledge-versions/{made.json()['id']}/trial", params={"exams": 50})
        assert [(r["what"], r["code"], r["more"], r["fewer"], r["exam_nos"]) for r in tried.json()["changes"]] == [
            ("range", "K", 1, 0, [other.exam_no])
        ]


async def test_a_rule_in_another_unit_than_its_items_is_refused() -> None:
    content = knowledge.read_starter()
    mine = content.critical[0].model_copy(update={"condition": {"value": {"item": "K", "ge": "4", "unit": "mg/dL"}}})
    held = content.model_copy(update={"critical": [mine], "rules": []})
    found = knowledge.unit_faults(held, {"K": "mmol/L"})
    assert [(one.pointer, one.zh) for one in found] == [("/critical/0/condition", "K 的单位是 mmol/L,条件写的是 mg/dL")]
    assert knowledge.unit_faults(content, {item.code: item.unit for item in catalog.read_starter().items}) == []


async def test_the_command_line_tries_the_same_and_changes_nothing(tmp_path: Path) -> None:
    async with house("knowledge_trial_cli") as own:
        world = World(own.runtime, own.sign_in)
        visit = await world.checked_in("ELECTROLYTE")
        await world.file(visit, K="4.0")
        content = knowledge.read_starter().model_dump(mode="json")
        content["critical"].append(_tighter())
        admin = await own.sign_in("admin")
        made = (await admin.post(f"{API}/knowledge-versions", json={**content, "note": "试算"})).json()
        file = tmp_path / "content.json"
        file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        settings = own.runtime.settings
        environment = {
            "TJ_DATABASE_URL": settings.database_url, "TJ_REDIS_URL": settings.redis_url, "TJ_MASTER_KEY": MASTER_KEY,
            "TJ_STATE": str(settings.state), "TJ_ENVIRONMENT": "demo",
        }  # fmt: skip
        before = await own.admin.fetch("select * from exam order by id")
        for given in (["--version", str(made["number"])], ["--file", str(file)]):
            ended = await asyncio.to_thread(
                CliRunner().invoke, cli.app, ["content", "try", "--json", *given], env=environment
            )
            assert ended.exit_code == 0, ended.output
            said = json.loads(ended.output[ended.output.index("{") :])
            assert [(r["code"], r["more"], r["exam_nos"]) for r in said["changes"]] == [
                ("CRIT-K-TIGHTER", 1, [visit.exam_no])
            ]
        none = await asyncio.to_thread(
            CliRunner().invoke, cli.app, ["content", "try", "--version", "999"], env=environment
        )
        assert none.exit_code == 1
        assert await own.admin.fetch("select * from exam order by id") == before


def _tighter() -> dict[str, Any]:
    return {
        "code": "CRIT-K-TIGHTER", "name": "血钾偏高", "important_class": "B", "action": "复核", "source": "试",
        "condition": {"value": {"item": "K", "ge": "3.9", "unit": "mmol/L"}},
        "fires": [{"values": {"K": "3.9"}}], "misses": [{"values": {"K": "3.8"}}],
    }  # fmt: skip
