"""What is derived never outlives its source: summaries, findings, conclusions, critical values, reports."""

from typing import Any

import httpx
import pytest

from tests.tjapi.world import SignIn, Visit, World
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E3.4", "E4.3")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


class Desk:
    """A department's sheet of one visit, asked with its newest version."""

    def __init__(self, client: httpx.AsyncClient, visit: Visit, group: str) -> None:
        self.client, self.place = client, f"{visit.place}/departments/{visit.departments[group]}"

    async def sheet(self) -> dict[str, Any]:
        answer = await self.client.get(f"{self.place}/sheet")
        assert answer.status_code == 200, answer.text
        self.tag = answer.headers["etag"]
        shown: dict[str, Any] = answer.json()
        return shown

    async def call(self, method: str, verb: str, body: dict[str, Any]) -> httpx.Response:
        await self.sheet()
        return await self.client.request(method, f"{self.place}/{verb}", json=body, headers={"If-Match": self.tag})

    async def enter(self, **values: str | None) -> None:
        items = {i["item_code"]: i["item_id"] for i in (await self.sheet())["items"]}
        results = [{"item_id": items[code], "value": value} for code, value in values.items()]
        answer = await self.call("PUT", "results", {"results": results})
        assert answer.status_code == 200, answer.text

    async def sign(self, **body: Any) -> httpx.Response:
        return await self.call("POST", "sheet:sign", body)

    async def reopen(self) -> None:
        assert (await self.call("POST", "sheet:reopen", {"reason": "更正"})).status_code == 200


class Review:
    """The conclusion of one visit, commanded with its newest version."""

    def __init__(self, world: World, visit: Visit) -> None:
        self.world, self.visit, self.place = world, visit, f"{visit.place}/conclusion"

    async def shown(self, who: str = "reviewer") -> dict[str, Any]:
        said: dict[str, Any] = (await (await self.world.sign_in(who)).get(self.place)).json()
        return said

    async def call(
        self, verb: str, body: dict[str, Any] | None = None, *, who: str = "reviewer", method: str = "POST"
    ) -> httpx.Response:
        client = await self.world.sign_in(who)
        tag = (await client.get(self.place)).headers["etag"]
        where = f"{self.place}:{verb}" if verb else self.place
        return await client.request(method, where, json=body, headers={"If-Match": tag})

    async def put(self, overview: str, entries: list[dict[str, Any]]) -> httpx.Response:
        fields = ("kind", "title", "detail", "advice", "lifestyle", "result_ids", "key", "keys", "confirmed")
        body = {"overview": overview, "entries": [{f: e[f] for f in fields if f in e} for e in entries]}
        return await self.call("", body, method="PUT")

    async def reasons(self) -> set[str]:
        client = await self.world.sign_in("reviewer")
        said = (await client.get(f"{self.visit.place}/completeness")).json()
        return {o["code"] for o in said["outstanding"]}


NORMAL = {"SBP": "118", "DBP": "76", "HEIGHT": "170", "WEIGHT": "65", "PULSE": "70"}


async def _measured(world: World, *further: str, **values: str) -> tuple[Visit, Desk]:
    visit = await world.checked_in("GENERAL", *further)
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | values)
    assert (await desk.sign()).status_code == 200
    return visit, desk


async def test_a_sheet_that_is_corrected_and_signed_anew_prints_what_is_found_now(world: World) -> None:
    visit, desk = await _measured(world, SBP="150")
    review = Review(world, visit)
    assert (await review.call("generate")).status_code == 200
    assert "收缩压 150" in (await review.shown())["entries"][0]["detail"]
    await desk.reopen()
    await desk.enter(SBP="118")
    assert (await desk.sign()).json()["summary"] == "所检项目未见明显异常"
    shown = await review.shown()
    assert shown["entries"] == []
    assert "血压" not in shown["overview"]


async def test_a_laboratorys_correction_after_the_draft_is_in_the_draft_or_blocks_both_signatures(world: World) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="8.74")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    sugar = made["entries"][0] | {"detail": "空腹血糖 8.74,嘱复查"}
    assert (await review.put("血糖 8.74,偏高。", [sugar])).status_code == 200
    await world.file(visit, status="C", GLU="5.00")
    shown = await review.shown()
    assert [(e["stale"], e["detail"]) for e in shown["entries"]] == [(True, "空腹血糖 8.74,嘱复查")]
    assert shown["overview_stale"]
    assert "conclusion_stale" in await review.reasons()
    refused = await review.call("sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "conclusion-stale")
