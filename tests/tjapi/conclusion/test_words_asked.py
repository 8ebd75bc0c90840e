"""What a reviewer writes and nothing of the exam supports is asked of whoever signs: shown in the draft, confirmed word by word, kept, and asked anew."""

from typing import Any

import httpx
import pytest

from tests.tjapi.conclusion.test_derived import NORMAL, Desk, Review
from tests.tjapi.world import SignIn, Visit, World
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E4.3", "E4.8")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _drafted(world: World, *further: str, **values: str) -> tuple[Visit, Desk, Review, dict[str, Any]]:
    visit = await world.checked_in("GENERAL", *further)
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | values)
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    return visit, desk, review, made


def _own(title: str, **more: Any) -> dict[str, Any]:
    return {"kind": "disease", "title": title, "detail": "", "advice": "", "lifestyle": "", "result_ids": []} | more


async def _written(review: Review, made: dict[str, Any], *own: dict[str, Any], overview: str = "") -> dict[str, Any]:
    answer = await review.put(overview or made["overview"], [*made["entries"], *own])
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def _asked(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 409, answer.text
    assert answer.json()["type"].endswith("words-unconfirmed"), answer.text
    return [(e["pointer"], e["code"]) for e in answer.json()["errors"]]


async def test_words_that_nothing_supports_are_shown_and_nobody_signs_them_unconfirmed(world: World) -> None:
    _, _, review, made = await _drafted(world, SBP="152")
    said = await _written(review, made, _own("肝硬化", advice="请肝病科就诊"))
    own = next(e for e in said["entries"] if e["title"] == "肝硬化")
    assert own["asked"] == ["肝硬化"]
    assert not own["stale"]
    assert [e["asked"] for e in said["entries"] if e is not own] == [[]]
    answer = await review.call("sign")
    place = said["entries"].index(own)
    assert _asked(answer) == [(f"/entries/{place}/title", "asked")]
    assert "肝硬化" in answer.json()["errors"][0]["message"]
    assert _asked(await review.call("sign", {"confirmed": ["肝癌"]})), "other words confirm nothing"
    signed = await review.call("sign", {"confirmed": ["肝硬化"]})
    assert signed.status_code == 200, signed.text
    assert signed.json()["confirmed"][0]["words"] == ["肝硬化"]
    assert signed.json()["confirmed"][0]["by"] == signed.json()["initial_by"]
    shown = await review.shown()
    assert shown["confirmed"] == signed.json()["confirmed"]
    assert all(e["asked"] == [] for e in shown["entries"])
    done = await review.call("finalize", who="chief")
    assert done.status_code == 200, "what was confirmed is not asked twice"


async def test_an_overview_is_asked_as_entries_are_and_either_signature_may_confirm(world: World) -> None:
    _, _, review, made = await _drafted(world)
    said = await _written(review, made, overview="冠心病，心内科随诊。")
    assert said["overview_asked"] == ["冠心病"]
    assert _asked(await review.call("sign")) == [("/overview", "asked")]
    assert (await review.call("sign", {"confirmed": ["冠心病"]})).status_code == 200


async def test_what_was_confirmed_is_asked_anew_once_the_words_or_the_results_change(world: World) -> None:
    _, desk, review, made = await _drafted(world)
    said = await _written(review, made, _own("痛风", detail="足趾痛风石"))
    asked = said["entries"][0]["asked"]
    assert (await review.call("sign", {"confirmed": asked})).status_code == 200
    assert (await review.call("return", {"reason": "再看"}, who="chief")).status_code == 200
    shown = await review.shown()
    assert shown["confirmed"]
    assert (await review.call("sign")).status_code == 200, "the same words beside the same results"
    assert (await review.call("return", {"reason": "再看"}, who="chief")).status_code == 200
    await desk.reopen()
    await desk.enter(HEIGHT="171")
    assert (await desk.sign()).status_code == 200
    shown = await review.shown()
    assert shown["confirmed"] == []
    assert shown["entries"][0]["asked"] == asked
    told = shown["entries"][0] | {"title": "痛风石", "confirmed": True}
    assert (await review.put(shown["overview"], [told])).status_code == 200
    assert _asked(await review.call("sign"))


async def test_nothing_is_asked_of_what_a_machine_made_or_of_what_values_say(world: World) -> None:
    _, _, review, made = await _drafted(world, SBP="152", DBP="96")
    entry = made["entries"][0]
    said = await _written(
        review,
        made | {"entries": []},
        entry | {"advice": f"{entry['advice']}一周后复测。"},
        overview="血压升高，请心内科就诊。",
    )
    assert [e["asked"] for e in said["entries"]] == [[]]
    assert said["overview_asked"] == []
    assert (await review.call("sign")).status_code == 200


async def test_who_confirmed_which_words_is_audited(world: World) -> None:
    _, _, review, made = await _drafted(world)
    await _written(review, made, _own("痛风"))
    assert (await review.call("sign", {"confirmed": ["痛风"]})).status_code == 200
    auditor = await world.sign_in("auditor")
    found = (await auditor.get("/api/v1/audit-events", params={"action": "conclusion.confirmed"})).json()
    assert any(row["detail"].get("words") == ["痛风"] for row in found["items"]), found


async def test_a_department_is_asked_as_a_reviewer_is_of_its_lines_and_of_its_summary(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    doctor = await world.sign_in("doctor")
    desk = Desk(doctor, visit, "GENERAL")
    await desk.enter(**NORMAL)
    sheet = await desk.sheet()
    place = f"{visit.place}/departments/{sheet['department_id']}"
    tag = {"If-Match": f'"{sheet["version"]}"'}
    put = await doctor.put(f"{place}/summary", json={"lines": [{"text": "慢性胆囊炎"}]}, headers=tag)
    assert put.status_code == 200, put.text
    (line,) = put.json()["lines"]
    assert line["asked"] == ["慢性胆囊炎"]
    tag = {"If-Match": put.headers["etag"]}
    assert _asked(await doctor.post(f"{place}/sheet:sign", json={}, headers=tag)) == [(f"line:{line['id']}", "asked")]
    asked = {"summary": "慢性胆囊炎，冠心病", "confirmed": ["慢性胆囊炎"]}
    assert _asked(await doctor.post(f"{place}/sheet:sign", json=asked, headers=tag)) == [("/summary", "asked")]
    signed = await doctor.post(f"{place}/sheet:sign", json={"confirmed": ["慢性胆囊炎"]}, headers=tag)
    assert signed.status_code == 200, signed.text
    assert [one["words"] for one in signed.json()["confirmed"]] == [["慢性胆囊炎"]]
    assert [one["asked"] for one in signed.json()["lines"]] == [[]]
    await desk.reopen()
    assert (await desk.sign()).status_code == 200, "the same words beside the same values"
    await desk.reopen()
    await desk.enter(HEIGHT="171")
    assert _asked(await desk.sign())
    # What a department answers for, the reviewer is not asked again.
    shown = await desk.sheet()
    tag = {"If-Match": f'"{shown["version"]}"'}
    assert (
        await doctor.post(f"{place}/sheet:sign", json={"confirmed": ["慢性胆囊炎"]}, headers=tag)
    ).status_code == 200
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert [e["title"] for e in made["entries"]] == ["慢性胆囊炎"]
    assert (await review.call("sign")).status_code == 200


async def test_usual_words_of_a_department_are_signed_in_one_call(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL)
    sheet = await desk.sheet()
    place, tag = f"{visit.place}/departments/{sheet['department_id']}", {"If-Match": f'"{sheet["version"]}"'}
    doctor = await world.sign_in("doctor")
    answer = await doctor.post(f"{place}/sheet:sign", json={"summary": "血压、心率正常，体重正常"}, headers=tag)
    assert answer.status_code == 200, answer.text


async def test_what_is_described_is_left_out_of_a_conclusion_by_who_says_so_alone(world: World) -> None:
    visit = await world.checked_in("US-ABD")
    desk = Desk(await world.sign_in("doctor"), visit, "US-ABD")
    seen = {"US-LIVER": "肝实质回声细密增强，提示脂肪肝。", "US-GB": "胆囊内见强回声伴声影，大小约8mm，提示胆囊结石。"}
    await desk.enter(**seen | dict.fromkeys(("US-PANC", "US-SPLEEN", "US-KIDNEY"), "未见明显异常"))
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    titles = {e["title"] for e in made["entries"]}
    assert {"脂肪肝", "胆囊结石"} <= titles
    assert (await review.put("主要问题见各科小结。", [])).status_code == 200
    answer = await review.call("sign")
    assert {e["message"] for e in answer.json()["errors"] if "脂肪肝" in e["message"]}, answer.text
    assert set(_asked(answer)) == {("/entries", "left-out")}
    # The overview tells of one, and who signs means to leave out the other.
    told = "脂肪肝，主要问题见各科小结。"
    assert (await review.put(told, [])).status_code == 200
    left = sorted(titles - {"脂肪肝"})
    answer = await review.call("sign")
    assert [code for _, code in _asked(answer)] == ["left-out"] * len(left)
    assert (await review.call("sign", {"confirmed": left})).status_code == 200
    assert (await review.call("finalize", who="chief")).status_code == 200, "what was confirmed is not asked twice"
