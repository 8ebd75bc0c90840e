"""A doctor clicks what was found: the text is composed, the codes are kept, and rules, conclusion and report follow them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.tjapi.conclusion.test_derived import Desk, Review, _printed
from tests.tjapi.world import UNREMARKABLE, SignIn, Visit, World
from tjapi import demo
from tjapi.critical_value import repository as critical_values
from tjapi.kernel.runtime import Runtime
from tjapi.knowledge.rules import mentions_of
from tjapi.result import service as results
from tjapi.result.schemas import CodedFinding, CodedText

pytestmark = pytest.mark.requirement("E3.2", "E3.4")

NODULE = {"concept": "THYROID-NODULE", "side": "left", "sizes_mm": ["12", "8.5"], "grade": "4a"}
TEXT = "甲状腺左叶结节，大小约12×8.5mm，TI-RADS 4A类。余未见明显异常。"


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _desk(world: World, group: str = "US-THYROID", *, sex: str = "female") -> tuple[Visit, Desk]:
    examinee_id, _ = await world.person(sex=sex)
    visit = await world.checked_in(group, examinee_id=examinee_id)
    return visit, Desk(await world.sign_in("doctor"), visit, group)


async def _click(desk: Desk, code: str, **coded: Any) -> httpx.Response:
    return await _put(desk, code, coded=coded)


async def _put(desk: Desk, code: str, **said: Any) -> httpx.Response:
    items = {i["item_code"]: i["item_id"] for i in (await desk.sheet())["items"]}
    return await desk.call("PUT", "results", {"results": [{"item_id": items[code], **said}]})


async def _rest(desk: Desk) -> None:
    untouched = [i for i in (await desk.sheet())["items"] if i["current"] is None and i["entered_here"]]
    usual = {
        i["item_code"]: i["normal_default"] or (UNREMARKABLE | {"WEIGHT": "65"}).get(i["item_code"], "5")
        for i in untouched
    }
    await desk.enter(**usual)


async def _now(desk: Desk, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(i["current"] for i in (await desk.sheet())["items"] if i["item_code"] == code)
    return found


async def _alerts(world: World, visit: Visit) -> list[tuple[str, str]]:
    async with world.runtime.units.open(demo.LOADER) as uow:
        return [(c.rule_code, c.explanation) for c in await critical_values.of_exam(uow, visit.exam_id)]


async def test_a_clicked_finding_is_text_and_codes_and_stands_in_conclusion_advice_and_report(world: World) -> None:
    visit, desk = await _desk(world)
    answer = await _click(desk, "US-THYROID", findings=[{**NODULE, "grade": "3"}], normal="rest")
    assert answer.status_code == 200, answer.text
    text = TEXT.replace("4A", "3")
    now = await _now(desk, "US-THYROID")
    assert now["value"] == text
    assert now["coded"]["normal"] == "rest"
    assert now["coded"]["findings"][0]["sizes_mm"] == ["12", "8.5"]
    await _rest(desk)
    assert (await desk.sign()).status_code == 200
    assert (await _now(desk, "US-THYROID"))["coded"] == now["coded"]
    made = (await Review(world, visit).call("generate")).json()
    (entry,) = [e for e in made["entries"] if "甲状腺结节" in e["title"]]
    assert entry["advice"]
    page = await _printed(world, visit)
    assert text in str(page["departments"])
    assert any("甲状腺结节" in c["title"] for c in page["conclusions"])
    review = (await (await world.sign_in("reviewer")).get(f"{visit.place}/review")).json()
    assert review["unread"] == []
    (shown,) = [r for d in review["departments"] for r in d["results"] if r["item_code"] == "US-THYROID"]
    assert shown["current"]["coded"] == now["coded"]


@pytest.mark.requirement("E5.1")
async def test_a_grave_click_asks_for_a_person_at_once_and_a_correction_ends_that(world: World) -> None:
    visit, desk = await _desk(world)
    assert (await _click(desk, "US-THYROID", findings=[NODULE], normal="rest")).status_code == 200
    (alert,) = await _alerts(world, visit)
    assert alert[0] == "TEXT-GRAVE"
    assert (await _click(desk, "US-THYROID", normal="all")).status_code == 200
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert [c.state for c in await critical_values.of_exam(uow, visit.exam_id)] == ["superseded"]


async def test_a_text_edited_by_hand_loses_its_codes_visibly_and_the_same_words_sent_back_keep_them(
    world: World,
) -> None:
    _, desk = await _desk(world)
    await _click(desk, "US-THYROID", findings=[NODULE], normal="rest")
    clicked = await _now(desk, "US-THYROID")
    assert (await _put(desk, "US-THYROID", value=TEXT)).status_code == 200
    assert (await _now(desk, "US-THYROID")) == clicked
    assert (await _put(desk, "US-THYROID", value=TEXT, remark="建议随访")).status_code == 200
    now = await _now(desk, "US-THYROID")
    assert (now["coded"], now["remarks"]) == (clicked["coded"], ["建议随访"]), (
        "the same words are as coded as they were"
    )
    assert (await _put(desk, "US-THYROID", value="甲状腺左叶见结节，边界清。")).status_code == 200
    now = await _now(desk, "US-THYROID")
    assert (now["coded"], now["seq"]) == (None, clicked["seq"] + 2)
    result_id = next(i["result_id"] for i in (await desk.sheet())["items"] if i["item_code"] == "US-THYROID")
    history = (await desk.client.get(f"/api/v1/results/{result_id}/revisions")).json()["revisions"]
    assert [one["coded"] is None for one in history] == [False, False, True]


async def test_a_signed_finding_is_corrected_by_clicks_and_its_history_keeps_both(world: World) -> None:
    visit, desk = await _desk(world)
    await _click(desk, "US-THYROID", findings=[NODULE], normal="rest")
    await _rest(desk)
    assert (await desk.sign()).status_code == 200
    await desk.reopen()
    smaller = {**NODULE, "sizes_mm": ["4"], "grade": "2"}
    assert (await _click(desk, "US-THYROID", findings=[smaller], normal="rest")).status_code == 200
    assert (await desk.sign()).status_code == 200
    result_id = next(i["result_id"] for i in (await desk.sheet())["items"] if i["item_code"] == "US-THYROID")
    history = (await desk.client.get(f"/api/v1/results/{result_id}/revisions")).json()["revisions"]
    said = [(one["status"], one["coded"]["findings"][0]["grade"]) for one in history]
    assert said == [("preliminary", "4a"), ("final", "4a"), ("corrected", "2")]
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert [c.state for c in await critical_values.of_exam(uow, visit.exam_id)] == ["superseded"]


async def test_rules_follow_the_codes_that_were_kept_and_guess_nothing_anew(world: World) -> None:
    visit, desk = await _desk(world)
    await _click(desk, "US-THYROID", findings=[NODULE], normal="rest")
    async with world.runtime.units.open(demo.LOADER) as uow:
        known = (await results.case_of(uow, visit.exam_id)).values["US-THYROID"]
    assert known.coded is not None
    assert [(one.concept, one.size_mm, one.grave) for one in known.coded][:1] == [
        ("THYROID-NODULE", Decimal(12), False)
    ]
    assert mentions_of(replace(known, text="什么也没写")) == known.coded


@pytest.mark.parametrize(
    ("coded", "field", "code"),
    [
        ({"findings": [NODULE, {**NODULE, "assertion": "absent", "sizes_mm": [], "grade": None}]}, "findings/1/assertion", "contradicts"),
        ({"findings": [NODULE], "normal": "all"}, "normal", "normal-and-finding"),
        ({"findings": [{**NODULE, "concept": "GALLSTONE"}]}, "findings/0/concept", "not-offered"),
        ({"findings": [{**NODULE, "grade": "9"}]}, "findings/0/grade", "not-a-grade"),
        ({"findings": []}, "findings", "empty"),
    ],
)  # fmt: skip
async def test_clicks_that_cannot_stand_are_refused_by_their_field(
    world: World, coded: dict[str, Any], field: str, code: str
) -> None:
    _, desk = await _desk(world)
    answer = await _click(desk, "US-THYROID", **coded)
    assert answer.status_code == 422, answer.text
    assert (f"/results/0/coded/{field}", code) in {(e["pointer"], e["code"]) for e in answer.json()["errors"]}
    assert (await desk.sheet())["version"] == 0
    items = {i["item_code"]: i["item_id"] for i in (await desk.sheet())["items"]}
    preview = await desk.client.post(f"/api/v1/items/{items['US-THYROID']}/findings:compose", json=coded)
    assert (f"/{field}", code) in {(e["pointer"], e["code"]) for e in preview.json()["errors"]}


async def test_a_value_and_clicks_exclude_each_other_and_one_of_them_is_needed(world: World) -> None:
    _, desk = await _desk(world)
    for said in ({}, {"value": "未见异常", "coded": {"findings": [NODULE]}}):
        assert (await _put(desk, "US-THYROID", **said)).status_code == 422


async def test_what_may_be_clicked_is_offered_with_words_sites_sides_and_categories(world: World) -> None:
    _, desk = await _desk(world)
    items = {i["item_code"]: i["item_id"] for i in (await desk.sheet())["items"]}
    shown = (await desk.client.get(f"/api/v1/items/{items['US-THYROID']}/findings")).json()
    nodule = next(one for one in shown["findings"] if one["concept"] == "THYROID-NODULE")
    assert (nodule["name"], nodule["asks_size"]) == ("甲状腺结节", True)
    (place,) = nodule["places"]
    assert (place["site"], place["sided"], place["scheme"]) == ("THYROID", True, "ti")
    assert {"3", "4a"} <= set(place["grades"])
    assert place["terms"][0] == "甲状腺结节"
    assert shown["normal_text"] == "甲状腺大小形态正常,未见明显结节"
    composed = await desk.client.post(
        f"/api/v1/items/{items['US-THYROID']}/findings:compose", json={"findings": [NODULE], "normal": "rest"}
    )
    assert composed.json()["text"] == TEXT
    assert any(one["grave"] for one in composed.json()["mentions"])
    assert (await desk.sheet())["version"] == 0


@pytest.mark.requirement("E5.1")
async def test_a_remark_of_staff_beside_a_calm_value_is_printed_and_read(world: World) -> None:
    visit, desk = await _desk(world, "GENERAL")
    said = "左乳触及3cm质硬肿块"
    assert (await _put(desk, "HEIGHT", value="170", remark=said)).status_code == 200
    (alert,) = await _alerts(world, visit)
    assert (alert[0], said in alert[1]) == ("TEXT-GRAVE", True)
    assert (await _now(desk, "HEIGHT"))["remarks"] == [said]
    await _rest(desk)
    assert (await desk.sign()).status_code == 200
    assert said in str((await _printed(world, visit))["departments"])
    assert (await desk.call("POST", "sheet:reopen", {"reason": "更正"})).status_code == 200
    assert (await _put(desk, "HEIGHT", value="170")).status_code == 200
    assert (await _now(desk, "HEIGHT"))["remarks"] == [said], "a form that says nothing of it takes nothing away"
    assert (await _put(desk, "HEIGHT", value="170", remark=None)).status_code == 200
    assert (await _now(desk, "HEIGHT"))["remarks"] == []
    async with world.runtime.units.open(demo.LOADER) as uow:
        assert [c.state for c in await critical_values.of_exam(uow, visit.exam_id)] == ["superseded"]


@pytest.mark.requirement("E4.2")
@pytest.mark.parametrize(("said", "shown"), [("左叶低回声结节8mm", True), ("甲状腺大小形态正常,回声均匀", False)])
async def test_a_description_that_names_a_finding_is_among_what_is_abnormal(
    world: World, said: str, *, shown: bool
) -> None:
    visit, desk = await _desk(world)
    assert (await _put(desk, "US-THYROID", value=said)).status_code == 200
    reader = await world.sign_in("reviewer")
    answer = (await reader.get(f"{visit.place}/results", params={"abnormal": True})).json()
    assert ("US-THYROID" in {r["item_code"] for d in answer["departments"] for r in d["results"]}) == shown


async def test_what_the_contract_shows_to_compose_is_composed(world: World) -> None:
    _, desk = await _desk(world)
    item = next(i["item_id"] for i in (await desk.sheet())["items"] if i["item_code"] == "US-THYROID")
    clicked, of_text = (schema.model_json_schema()["properties"] for schema in (CodedFinding, CodedText))
    shown = {name: field["examples"][0] for name, field in clicked.items() if field.get("examples")}
    body = {"findings": [shown], "normal": of_text["normal"]["examples"][0]}
    doctor = await world.sign_in("doctor")
    answer = await doctor.post(f"/api/v1/items/{item}/findings:compose", json=body)
    assert answer.status_code == 200, answer.text
