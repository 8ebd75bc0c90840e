"""A version of the knowledge base is tried on exams that were before it is put into use; trying changes nothing."""

from typing import Any

import pytest

from tests.tjapi.world import API, World, house
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


def _tighter() -> dict[str, Any]:
    return {
        "code": "CRIT-K-TIGHTER", "name": "血钾偏高", "important_class": "B", "action": "复核", "source": "试",
        "condition": {"value": {"item": "K", "ge": "3.9", "unit": "mmol/L"}},
        "fires": [{"values": {"K": "3.9"}}], "misses": [{"values": {"K": "3.8"}}],
    }  # fmt: skip
