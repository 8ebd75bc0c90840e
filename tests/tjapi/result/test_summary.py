"""Summaries of departments: made by rules that name themselves, edited by the doctor, and never made over the doctor's words."""

from typing import Any

import httpx
import pytest

from tests.tjapi.world import SignIn, World
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E3.4")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


class Desk:
    """A department's desk, with the version of its sheet."""

    def __init__(self, client: httpx.AsyncClient, place: str) -> None:
        self.client, self.place, self.tag = client, place, '"0"'

    async def call(self, method: str, verb: str, body: dict[str, Any]) -> httpx.Response:
        answer = await self.client.request(method, f"{self.place}/{verb}", json=body, headers={"If-Match": self.tag})
        self.tag = answer.headers.get("etag", self.tag)
        return answer

    async def enter(self, **values: str | None) -> dict[str, Any]:
        sheet = (await self.client.get(f"{self.place}/sheet")).json()
        items = {i["item_code"]: i["item_id"] for i in sheet["items"]}
        results = [{"item_id": items[code.replace("_", "-")], "value": value} for code, value in values.items()]
        answer = await self.call("PUT", "results", {"results": results})
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown


async def _desk(world: World, *groups: str) -> Desk:
    visit = await world.checked_in(*groups)
    doctor = await world.sign_in("doctor")
    return Desk(doctor, f"{visit.place}/departments/{visit.departments[groups[0]]}")


async def test_a_line_names_its_rule_its_results_and_its_reasons_and_follows_the_values(world: World) -> None:
    desk = await _desk(world, "GENERAL")
    sheet = await desk.enter(SBP="152", DBP="95", HEIGHT="170", WEIGHT="85")
    assert [(line["finding_code"], line["rule_codes"]) for line in sheet["lines"]] == [
        ("OBESITY", ["OBESITY"]), ("HYPERTENSION", ["HYPERTENSION-1"]),
    ]  # fmt: skip
    line = sheet["lines"][1]
    assert line["text"] == "血压升高：收缩压 152 mmHg，高于参考范围 90–139；舒张压 95 mmHg，高于参考范围 60–89"
    by_id = {i["result_id"]: i["item_code"] for i in sheet["items"]}
    assert [by_id[r] for r in line["result_ids"]] == ["SBP", "DBP"]
    assert "\n2. 血压升高" in sheet["proposed_summary"]
    sheet = await desk.enter(SBP="118", DBP="76")
    assert [line["finding_code"] for line in sheet["lines"]] == ["OBESITY"]
    sheet = await desk.enter(WEIGHT="65", PULSE="70")
    assert sheet["lines"] == []
    assert sheet["proposed_summary"] == "所检项目未见明显异常"


async def test_a_doctors_words_survive_a_regeneration_and_what_was_taken_out_stays_out(world: World) -> None:
    desk = await _desk(world, "GENERAL")
    sheet = await desk.enter(SBP="152", DBP="95", HEIGHT="170", WEIGHT="85")
    pressure = sheet["lines"][1]
    edited = [{"text": "步入诊室后即测,嘱复测"}, {"id": pressure["id"], "text": "血压 152/95,紧张所致可能"}]
    sheet = (await desk.call("PUT", "summary", {"lines": edited})).json()
    assert [(line["text"], line["origin"]) for line in sheet["lines"]] == [
        ("步入诊室后即测,嘱复测", "manual"), ("血压 152/95,紧张所致可能", "rule"),
    ]  # fmt: skip
    sheet = await desk.enter(SBP="152.0", PULSE="71")
    assert [line["text"] for line in sheet["lines"]] == ["步入诊室后即测,嘱复测", "血压 152/95,紧张所致可能"]
    assert not sheet["lines"][1]["stale"]
    sheet = await desk.enter(SBP="150")
    assert sheet["lines"][1]["stale"], "the words name a pressure that nobody has measured"
    sheet = await desk.enter(SBP="118", DBP="76")
    assert [(line["text"], line["stale"]) for line in sheet["lines"]][1] == ("血压 152/95,紧张所致可能", True)
    foreign = await desk.call(
        "PUT", "summary", {"lines": [{"id": "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d", "text": "x"}]}
    )
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "/lines/0/id")


@pytest.mark.parametrize("summary", ["未见异常", "所检项目未见明显异常"])
async def test_nothing_found_is_not_said_beside_findings(world: World, summary: str) -> None:
    desk = await _desk(world, "GENERAL")
    await desk.enter(SBP="152", DBP="95", HEIGHT="170", WEIGHT="65", PULSE="70")
    refused = await desk.call("POST", "sheet:sign", {"summary": summary})
    assert refused.json()["code"] == "summary-contradicts-findings"
    signed = (await desk.call("POST", "sheet:sign", {})).json()
    assert signed["state"] == "signed"
    assert signed["summary"] == "1. 血压升高：收缩压 152 mmHg，高于参考范围 90–139；舒张压 95 mmHg，高于参考范围 60–89"


@pytest.mark.parametrize("summary", ["未见异常。", "各项检查均正常"])
async def test_a_flag_without_a_line_is_told_in_the_summary_and_nothing_calls_it_normal(
    world: World, summary: str
) -> None:
    desk = await _desk(world, "GENERAL")
    await desk.enter(SBP="152", DBP="76", HEIGHT="170", WEIGHT="65", PULSE="70")
    sheet = (await desk.call("PUT", "summary", {"lines": []})).json()
    assert sheet["proposed_summary"] == "1. 其他异常：收缩压 152 mmHg，高于参考范围 90–139"
    refused = await desk.call("POST", "sheet:sign", {"summary": summary})
    assert refused.json()["code"] == "summary-contradicts-findings"
    signed = (await desk.call("POST", "sheet:sign", {})).json()
    assert signed["summary"] == "1. 其他异常：收缩压 152 mmHg，高于参考范围 90–139"


async def test_the_laboratorys_values_make_lines_too_and_a_department_sees_its_own(world: World) -> None:
    visit = await world.checked_in("CBC", "GLU")
    await world.file(visit, HGB="101", GLU="7.3", WBC="6", PLT="200", RBC="4.5", HCT="0.45")
    reviewer = await world.sign_in("reviewer")
    found = (await reviewer.get(f"{visit.place}/results")).json()["departments"]
    lines = {line["finding_code"] for d in found for line in d["lines"]}
    assert {"ANEMIA", "GLU-HIGH"} <= lines
