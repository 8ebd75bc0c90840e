"""By when an alert must be seen is the hospital's policy: a version of the rules says it, two people sign it, and alerts run by it."""

from datetime import datetime, timedelta

import pytest

from tests.tjapi.world import API, World, house
from tjapi.knowledge import service as knowledge

pytestmark = pytest.mark.requirement("E5.4", "E5.1")


async def test_an_alert_runs_by_the_clocks_of_the_version_in_force() -> None:
    async with house("clocks") as own:
        admin, chief, head = [await own.sign_in(name) for name in ("admin", "chief", "laboratory")]
        content = knowledge.read_starter().model_dump(mode="json")
        wrong = {**content, "clocks": {"A": 30, "noon": 12}, "note": "错"}
        refused = await admin.post(f"{API}/knowledge-versions", json=wrong)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/clocks")
        slower = {**content, "clocks": {**content["clocks"], "A": 30}, "note": "本院危急值时限 30 分钟"}
        version = (await admin.post(f"{API}/knowledge-versions", json=slower)).json()["id"]
        (change,) = (await chief.get(f"{API}/knowledge-versions/{version}/changes")).json()["changes"]
        assert (change["code"], change["change"], change["fields"]) == ("CLOCKS", "changed", ["a"])
        assert (await head.post(f"{API}/knowledge-versions/{version}:approve")).status_code == 200
        assert (await chief.post(f"{API}/knowledge-versions/{version}:activate", json={})).status_code == 200
        world = World(own.runtime, own.sign_in)
        visit = await world.checked_in("GLU")
        await world.file(visit, GLU="25.0")
        reviewer = await own.sign_in("reviewer")
        query = {"exam_id": str(visit.exam_id)}
        (alert,) = (await reviewer.get(f"{API}/critical-values", params=query)).json()["items"]
        detected, due = (datetime.fromisoformat(alert[name]) for name in ("detected_at", "due_at"))
        assert round((due - detected) / timedelta(minutes=1)) == 30
