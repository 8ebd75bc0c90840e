"""The review: one doctor at a time, a draft made of everything that was found, and what comes too late."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.tjapi.world import API, SignIn, Visit, World, until
from tjapi import demo
from tjapi.conclusion.rules import overview_of
from tjapi.critical_value.models import CriticalValue
from tjapi.exam import service as exams
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.knowledge import service as knowledge

OpenUnit = Callable[..., Any]


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _generate(client: httpx.AsyncClient, visit: Visit, version: int) -> dict[str, Any]:
    answer = await client.post(f"{visit.place}/conclusion:generate", headers={"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _put(
    client: httpx.AsyncClient, visit: Visit, shown: dict[str, Any], entries: list[dict[str, Any]]
) -> httpx.Response:
    fields = ("kind", "title", "detail", "advice", "lifestyle", "result_ids", "key")
    body = {"overview": shown["overview"], "entries": [{f: e[f] for f in fields if f in e} for e in entries]}
    return await client.put(f"{visit.place}/conclusion", json=body, headers={"If-Match": f'"{shown["version"]}"'})


async def _examined(world: World) -> Visit:
    """Somebody with high blood pressure, too heavy, and with too much uric acid and glucose."""
    visit = await world.checked_in("GENERAL", "GLU", "RENAL")
    doctor = await world.sign_in("doctor")
    desk = f"{visit.place}/departments/{visit.departments['GENERAL']}"
    sheet = (await doctor.get(f"{desk}/sheet")).json()
    given = {"SBP": "152", "DBP": "95", "HEIGHT": "170", "WEIGHT": "85", "PULSE": "72"}
    results = [
        {"item_id": i["item_id"], "value": given[i["item_code"]]} for i in sheet["items"] if i["item_code"] in given
    ]
    stored = await doctor.put(f"{desk}/results", json={"results": results}, headers={"If-Match": '"0"'})
    lines = [{"id": line["id"], "text": line["text"]} for line in stored.json()["lines"]]
    edited = await doctor.put(
        f"{desk}/summary",
        json={"lines": [*lines, {"text": "左手静脉细,采血困难"}]},
        headers={"If-Match": stored.headers["etag"]},
    )
    signed = await doctor.post(f"{desk}/sheet:sign", json={}, headers={"If-Match": edited.headers["etag"]})
    assert signed.status_code == 200, signed.text
    await world.file(visit, GLU="7.4", UA="455", CREA="60", UREA="5")
    return visit


@pytest.mark.requirement("E4.3", "E4.4")
async def test_what_was_found_becomes_a_draft_in_the_order_of_a_report_with_its_reasons_and_advice(
    world: World,
) -> None:
    visit = await _examined(world)
    reviewer = await world.sign_in("reviewer")
    made = await _generate(reviewer, visit, 0)
    assert [(e["key"], e["kind"]) for e in made["entries"]] == [
        ("finding:OBESITY", "disease"), ("finding:GLU-HIGH", "finding"), ("finding:HYPERTENSION", "finding"),
        ("finding:URIC-ACID-HIGH", "finding"), (made["entries"][4]["key"], "finding"),
    ]  # fmt: skip
    pressure = made["entries"][2]
    assert pressure["detail"] == "收缩压 152 mmHg，高于参考范围 90–139；舒张压 95 mmHg，高于参考范围 60–89"
    assert (pressure["icd10"], pressure["rule_codes"], len(pressure["result_ids"])) == ("R03.0", ["HYPERTENSION-1"], 2)
    assert pressure["advice"]
    assert pressure["lifestyle"]
    assert made["entries"][4]["title"] == "左手静脉细,采血困难"
    assert made["overview"] == overview_of([e["title"] for e in made["entries"]])
    assert made["knowledge_version_id"]
    again = await _generate(reviewer, visit, 1)
    same = ("key", "title", "detail", "advice", "result_ids")
    assert [[e[f] for f in same] for e in again["entries"]] == [[e[f] for f in same] for e in made["entries"]]


@pytest.mark.requirement("E4.3")
async def test_a_reviewers_words_order_and_removals_survive_being_made_anew(world: World) -> None:
    visit = await _examined(world)
    reviewer = await world.sign_in("reviewer")
    made = await _generate(reviewer, visit, 0)
    heavy, sugar, pressure, acid, vein = made["entries"]
    merged = pressure | {"title": "高血压合并肥胖", "result_ids": pressure["result_ids"] + heavy["result_ids"]}
    own = {"kind": "risk", "title": "睡眠不足", "detail": "", "advice": "早睡", "lifestyle": "", "result_ids": []}
    written = (await _put(reviewer, visit, made, [merged, sugar, acid, own])).json()
    assert [e["title"] for e in written["entries"]] == ["高血压合并肥胖", sugar["title"], acid["title"], "睡眠不足"]
    assert [e["edited"] for e in written["entries"]] == [True, False, False, True]
    again = await _generate(reviewer, visit, 2)
    assert [e["title"] for e in again["entries"]] == ["高血压合并肥胖", sugar["title"], acid["title"], "睡眠不足"]
    # One that was removed may come back by hand, under its own key; one that never was there may not.
    back = (await _put(reviewer, visit, again, [*again["entries"], heavy])).json()
    assert heavy["key"] in [e["key"] for e in back["entries"]]
    strange = await _put(reviewer, visit, back, [own | {"key": "finding:NOTHING"}])
    assert (strange.status_code, strange.json()["errors"][0]["pointer"]) == (422, "/entries/0/key")
    twice = await _put(reviewer, visit, back, [sugar, sugar])
    assert twice.json()["errors"][0]["code"] == "duplicate"
    assert vein["key"].startswith("line:")


@pytest.mark.requirement("E4.1")
async def test_of_two_doctors_one_reviews_until_the_claim_is_given_back_or_runs_out(
    world: World, unit: OpenUnit, admin: Any
) -> None:
    visit = await world.ready("GLU")
    reviewer, chief = await world.sign_in("reviewer"), await world.sign_in("chief")
    claims = await asyncio.gather(*(c.post(f"{visit.place}/conclusion:claim") for c in (reviewer, chief)))
    assert sorted(c.status_code for c in claims) == [200, 409]
    winner, loser = (reviewer, chief) if claims[0].status_code == 200 else (chief, reviewer)
    refused = await loser.post(f"{visit.place}/conclusion:generate", headers={"If-Match": '"0"'})
    assert refused.json()["code"] == "review-claimed"
    queue = (await loser.get(f"{API}/review-queue", params={"page_size": 200})).json()["items"]
    assert next(q for q in queue if q["exam_id"] == str(visit.exam_id))["claimed_name"]
    free = (await loser.get(f"{API}/review-queue", params={"page_size": 200, "unclaimed": True})).json()["items"]
    assert str(visit.exam_id) not in [q["exam_id"] for q in free]
    assert (await loser.post(f"{visit.place}/conclusion:release")).json()["code"] == "review-not-claimed"
    assert (await winner.post(f"{visit.place}/conclusion:release")).status_code == 204
    assert (await loser.post(f"{visit.place}/conclusion:claim")).status_code == 200
    await admin.execute(
        "update review_claim set until = until - $1::interval where exam_id = $2", timedelta(hours=1), visit.exam_id
    )
    assert (await _generate(winner, visit, 0))["version"] == 1


@pytest.mark.requirement("E4.2")
async def test_one_answer_shows_everything_in_three_views_of_the_same_rows(world: World) -> None:
    visit = await _examined(world)
    reviewer = await world.sign_in("reviewer")
    made = await _generate(reviewer, visit, 0)

    async def view(**query: Any) -> dict[str, Any]:
        shown: dict[str, Any] = (await reviewer.get(f"{visit.place}/review", params=query)).json()
        return shown

    everything, abnormal, summaries = await view(), await view(view="abnormal"), await view(view="summaries")
    assert everything["exam"]["exam_no"] == visit.exam_no
    assert (everything["complete"], everything["outstanding"]) == (True, [])
    assert everything["conclusion"] == made
    assert everything["claim"]["by_name"]
    items = [
        [r["item_code"] for d in v["departments"] for r in d["results"]] for v in (everything, abnormal, summaries)
    ]
    assert {"SBP", "GLU", "UA", "CREA", "PULSE"} <= set(items[0])
    assert {"SBP", "DBP", "BMI", "GLU", "UA"} == set(items[1])
    assert items[2] == []
    assert all(d["lines"] for d in summaries["departments"])
    one = await view(department_id=visit.departments["GLU"])
    assert [d["department_id"] for d in one["departments"]] == [visit.departments["GLU"]]


@pytest.mark.requirement("E3.4", "E4.3")
async def test_an_overview_that_calls_everything_normal_beside_a_flag_is_not_signed(world: World) -> None:
    visit = await world.checked_in("CBC")
    await world.file(visit, HCT="0.52")
    reviewer = await world.sign_in("reviewer")
    shown = {"overview": "本次体检所检项目未见明显异常。", "version": 0}
    written = (await _put(reviewer, visit, shown, [])).json()
    refused = await reviewer.post(f"{visit.place}/conclusion:sign", headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["code"]) == (409, "overview-contradicts-results")
    made = await _generate(reviewer, visit, written["version"])
    assert made["overview"] == "本次体检有异常结果，见各项结果。"
    assert (await reviewer.post(f"{visit.place}/conclusion:sign", headers={"If-Match": '"2"'})).status_code == 200


@pytest.mark.requirement("E3.5", "E4.3")
async def test_a_correction_after_the_final_sign_off_raises_one_task_and_changes_nothing_that_was_signed(
    world: World,
) -> None:
    visit = await world.finalized("GLU")
    chief = await world.sign_in("chief")

    async def tasks(**query: Any) -> list[dict[str, Any]]:
        found = (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200, **query})).json()["items"]
        return [t for t in found if t["exam_id"] == str(visit.exam_id)]

    before = (await chief.get(f"{visit.place}/conclusion")).json()
    assert await tasks() == []
    await world.file(visit, status="C", GLU="9.9")
    task = (await until(tasks))[0]
    assert (task["state"], UUID(task["result_id"]).version) == ("open", 7)
    # Not a word of it is another; it says which of them rests on other results than are known now.
    after = (await chief.get(f"{visit.place}/conclusion")).json()
    assert after["overview_stale"]
    assert after | {"overview_stale": False} == before
    refused = await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "已电话告知"})
    assert (refused.status_code, refused.json()["code"]) == (409, "amendment-needed")


@pytest.mark.requirement("E3.5", "E4.3")
async def test_a_late_value_that_nobody_can_read_raises_a_task_and_outdates_the_report(world: World) -> None:
    visit = await world.finalized("GLU")
    await world.published(visit)
    chief = await world.sign_in("chief")
    await world.file(visit, status="C", ends="unmatched", GLU="见备注")
    found = (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200, "state": "open"})).json()["items"]
    [task] = [t for t in found if t["exam_id"] == str(visit.exam_id)]
    assert task["revision_id"] is None
    question = (await chief.get(f"{API}/result-questions/{task['question_id']}")).json()
    assert (question["kind"], question["raw_value"]) == ("unread", "见备注")
    reports = (await chief.get(f"{visit.place}/reports")).json()["items"]
    assert [(r["state"], r["outdated"]) for r in reports] == [("published", True)]


@pytest.mark.requirement("E3.5", "E4.3", "E5.2")
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([("dismiss", {"reason": "标本溶血,已核实"})], id="dismissed"),
        pytest.param(
            [
                ("confirm", None),
                ("notify", {"channel": "phone", "told": "本人", "reached": True, "read_back": "去急诊"}),
            ],
            id="told",
        ),
    ],
)
async def test_no_word_closes_what_came_late_while_a_question_or_a_critical_value_is_open(
    world: World, steps: list[tuple[str, dict[str, Any] | None]]
) -> None:
    visit = await world.finalized("GLU")
    await world.published(visit)
    chief, doctor = await world.sign_in("chief"), await world.sign_in("doctor")
    await world.file(visit, status="C", ends="unmatched", GLU="见备注")
    found = (await chief.get(f"{API}/amendment-tasks", params={"page_size": 200, "state": "open"})).json()["items"]
    [task] = [t for t in found if t["exam_id"] == str(visit.exam_id)]

    async def close() -> tuple[int, str | None, str | None]:
        said = await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "已电话告知"})
        return said.status_code, said.json().get("code"), said.json().get("detail")

    async def outdated() -> list[bool]:
        return [r["outdated"] for r in (await chief.get(f"{visit.place}/reports")).json()["items"]]

    status, code, detail = await close()
    assert (status, code, await outdated()) == (409, "amendment-open", [True])
    assert detail is not None
    assert "葡萄糖" in detail
    async with world.runtime.units.open(demo.LOADER) as uow:
        exam, edition = await exams.get(uow, visit.exam_id), await knowledge.active(uow)
        assert edition is not None
        alert = CriticalValue(
            id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, examinee_id=exam.examinee_id, exam_no=exam.exam_no, department_id=1,
            rule_code="LAB-CRITICAL", rule_name="检验科报危急值", important_class="A", knowledge_version_id=edition.version_id, event_key="late",
            explanation="见备注", result_ids=[], revision_ids=[], state="detected", version=1, detected_at=uow.now, due_at=uow.now,
        )  # fmt: skip
        uow.session.add(alert)
    answer = {"answer": "keep", "reason": "与检验科核实,原结果不变"}
    said = await doctor.post(f"{API}/result-questions/{task['question_id']}:answer", json=answer)
    assert said.status_code == 200, said.text
    status, code, detail = await close()
    assert (status, code, await outdated()) == (409, "amendment-open", [True])
    assert "检验科报危急值" in str(detail)
    place = f"{API}/critical-values/{alert.id}"
    for verb, body in steps:
        # Seen is not told: until somebody was told, or it is none, the task stays.
        assert (await close())[0] == 409
        etag = (await doctor.get(place)).headers["etag"]
        seen = await doctor.post(f"{place}:{verb}", json=body, headers={"If-Match": etag})
        assert seen.status_code == 200, seen.text
    assert ((await close())[0], await outdated()) == (200, [False])
