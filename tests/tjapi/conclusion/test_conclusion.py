"""Two people conclude, one after the other, on exactly what both saw."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, exam_state, file, observation, report, state_of, visit
from tjapi import demo, wiring
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.uow import UnitOfWork, Units
from tjapi.result.events import ResultArrivedLate

SignIn = Callable[..., Awaitable[httpx.AsyncClient]]
DRAFT: dict[str, Any] = {
    "overview": "血糖偏高。",
    "entries": [
        {"kind": "risk", "title": "吸烟", "advice": "戒烟"},
        {"kind": "finding", "title": "血糖偏高", "detail": "9.9 mmol/L", "advice": "复查空腹血糖"},
    ],
}


@pytest.fixture
async def reviewer(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("reviewer")


@pytest.fixture
async def chief(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("chief")


async def _ready(unit: OpenUnit) -> Scene:
    scene = await visit(unit, "GLU")
    await file(unit, report(scene, "GLU", observation("GLU", "9.9")))
    return scene


def _place(scene: Scene) -> str:
    return f"/api/v1/exams/{scene.exam_id}/conclusion"


async def _put(client: httpx.AsyncClient, scene: Scene, version: int, draft: dict[str, Any] = DRAFT) -> httpx.Response:
    return await client.put(_place(scene), json=draft, headers={"If-Match": f'"{version}"'})


async def _do(client: httpx.AsyncClient, scene: Scene, verb: str, version: int, **body: Any) -> httpx.Response:
    return await client.post(f"{_place(scene)}:{verb}", json=body or None, headers={"If-Match": f'"{version}"'})


@pytest.mark.requirement("E4.3", "E4.8", "X5")
async def test_one_writes_and_signs_and_another_finalizes(
    reviewer: httpx.AsyncClient, chief: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene = await _ready(unit)
    nothing = await reviewer.get(_place(scene))
    assert (nothing.status_code, nothing.headers["etag"], nothing.json()["state"]) == (200, '"0"', "draft")
    written = await _put(reviewer, scene, 0)
    assert (written.status_code, written.headers["etag"], await exam_state(unit, scene)) == (200, '"1"', "in_review")
    assert [(e["title"], e["sort"], e["manual"]) for e in written.json()["entries"]] == [
        ("血糖偏高", 0, True),
        ("吸烟", 1, True),
    ]
    signed = await _do(reviewer, scene, "sign", 1)
    assert (signed.json()["state"], signed.json()["initial_name"]) == ("initial_signed", "蒙初审")
    final = await _do(chief, scene, "finalize", 2)
    assert (final.status_code, final.json()["state"], final.json()["final_name"]) == (200, "finalized", "单终审")
    assert await exam_state(unit, scene) == "finalized"
    assert (await _put(chief, scene, 3)).status_code == 409
    steps = await admin.fetch(
        "select action, jsonb_array_length(entries) from conclusion_step where exam_id = $1 order by version",
        scene.exam_id,
    )
    assert [tuple(s) for s in steps] == [("written", 2), ("signed", 2), ("finalized", 2)]
    audited = await admin.fetch(
        "select action from audit_event where object_type = 'conclusion' and object_id = $1 order by id",
        str(scene.exam_id),
    )
    assert [a["action"] for a in audited] == ["conclusion.written", "conclusion.signed", "conclusion.finalized"]


@pytest.mark.requirement("E4.8")
async def test_nobody_finalizes_what_they_signed_themselves(chief: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await _ready(unit)
    await _put(chief, scene, 0)
    await _do(chief, scene, "sign", 1)
    refused = await _do(chief, scene, "finalize", 2)
    assert (refused.status_code, refused.json()["code"]) == (409, "same-reviewer")
    assert await exam_state(unit, scene) == "in_review"


async def test_a_reviewer_may_not_finalize(reviewer: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await _ready(unit)
    assert (await _do(reviewer, scene, "finalize", 0)).status_code == 403


@pytest.mark.requirement("X1")
async def test_an_incomplete_exam_is_not_reviewed_and_every_reason_is_said(
    reviewer: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await visit(unit, "GLU", "GENERAL")
    await file(unit, report(scene, "GLU", observation("GLU", "5.0")))
    answer = await _put(reviewer, scene, 0)
    assert (answer.status_code, answer.json()["code"]) == (409, "exam-not-complete")
    assert {e["code"] for e in answer.json()["errors"]} == {"line_released", "summary_unsigned"}


async def test_a_result_that_changes_under_the_review_takes_the_signature_back(
    reviewer: httpx.AsyncClient, chief: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await _ready(unit)
    await _put(reviewer, scene, 0)
    await _do(reviewer, scene, "sign", 1)
    await file(unit, report(scene, "GLU", observation("GLU", "5.0", status="C", minute=3)))
    assert (await _do(chief, scene, "finalize", 2)).status_code == 412
    now = (await reviewer.get(_place(scene))).json()
    assert (now["state"], now["version"], now["initial_by"]) == ("draft", 4, None)
    assert now["returned_reason"]
    assert (await _do(chief, scene, "finalize", 4)).json()["code"] == "conclusion-state-conflict"
    assert (await _do(reviewer, scene, "sign", 4)).json()["code"] == "conclusion-stale"
    old = await _put(reviewer, scene, 4, DRAFT | {"overview_confirmed": True})
    assert (old.json()["code"], [e["pointer"] for e in old.json()["errors"]]) == (
        "entry-figure-outdated", ["/overview"]
    )  # fmt: skip
    assert [entry["stale"] for entry in now["entries"]] == [True, False], "its words are not true any more"
    told = {"overview": "血糖复查为 5.0。", "entries": [DRAFT["entries"][0]]}
    said = await _put(reviewer, scene, 4, told)
    assert said.status_code == 200, said.text
    said = await _do(reviewer, scene, "sign", 5)
    assert said.status_code == 200, said.text
    assert (await _do(chief, scene, "finalize", 6)).status_code == 200


async def test_a_repeated_message_leaves_the_signature_alone(reviewer: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await _ready(unit)
    await _put(reviewer, scene, 0)
    await _do(reviewer, scene, "sign", 1)
    await file(unit, report(scene, "GLU", observation("GLU", "9.9")))
    assert (await reviewer.get(_place(scene))).json()["state"] == "initial_signed"


async def test_a_department_that_signs_anew_takes_the_signature_back(
    reviewer: httpx.AsyncClient, chief: httpx.AsyncClient, sign_in: SignIn, unit: OpenUnit
) -> None:
    doctor, scene = await sign_in("doctor"), await visit(unit, "INTERNAL")
    desk = f"/api/v1/exams/{scene.exam_id}/departments/{scene.departments['INTERNAL']}"
    sheet = (await doctor.get(f"{desk}/sheet")).json()
    values = [
        {"item_id": i["item_id"], "value": "72" if i["kind"] == "numeric" else (i["choices"] or ["未见异常"])[0]}
        for i in sheet["items"]
    ]
    await doctor.put(f"{desk}/results", json={"results": values}, headers={"If-Match": '"0"'})
    await doctor.post(f"{desk}/sheet:sign", json={"summary": "未见异常"}, headers={"If-Match": '"1"'})
    await _put(reviewer, scene, 0)
    # Nobody measured glucose here.
    assert (await _do(reviewer, scene, "sign", 1, confirmed=["血糖偏高"])).status_code == 200
    await doctor.post(f"{desk}/sheet:reopen", json={"reason": "补充"}, headers={"If-Match": '"2"'})
    assert (await _do(chief, scene, "finalize", 2)).json()["code"] == "exam-not-complete"
    own = {"summary": "心律不齐", "confirmed": ["心律不齐"]}
    assert (await doctor.post(f"{desk}/sheet:sign", json=own, headers={"If-Match": '"3"'})).status_code == 200
    assert (await reviewer.get(_place(scene))).json()["state"] == "draft"


async def test_the_second_of_two_reviewers_is_told(
    reviewer: httpx.AsyncClient, chief: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await _ready(unit)
    answers = await asyncio.gather(_put(reviewer, scene, 0), _put(chief, scene, 0))
    assert sorted(a.status_code for a in answers) == [200, 412]


async def test_a_returned_conclusion_is_a_draft_again_with_its_reason(
    reviewer: httpx.AsyncClient, chief: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await _ready(unit)
    await _put(reviewer, scene, 0)
    assert (await _do(chief, scene, "return", 1, reason="早了")).json()["code"] == "conclusion-state-conflict"
    await _do(reviewer, scene, "sign", 1)
    assert (await _put(reviewer, scene, 2)).json()["code"] == "conclusion-state-conflict"
    returned = (await _do(chief, scene, "return", 2, reason="补充建议")).json()
    assert (returned["state"], returned["returned_reason"]) == ("draft", "补充建议")
    assert (await _put(reviewer, scene, 3)).status_code == 200


async def test_entries_rest_on_results_of_this_exam_only(reviewer: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene, other = await _ready(unit), await _ready(unit)
    found = (await reviewer.get(f"/api/v1/exams/{scene.exam_id}/results")).json()["departments"][0]["results"][0]["id"]
    strange = (await reviewer.get(f"/api/v1/exams/{other.exam_id}/results")).json()["departments"][0]["results"][0][
        "id"
    ]
    entry = {"kind": "disease", "title": "糖尿病", "result_ids": [found, strange]}
    refused = await _put(reviewer, scene, 0, {"overview": "综述", "entries": [entry]})
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/entries/0/result_ids/1"]
    written = await _put(reviewer, scene, 0, {"overview": "综述", "entries": [{**entry, "result_ids": [found]}]})
    assert written.json()["entries"][0]["manual"] is False


async def test_an_empty_overview_is_not_signed(reviewer: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await _ready(unit)
    assert (await _do(reviewer, scene, "sign", 0)).json()["code"] == "conclusion-empty"
    await _put(reviewer, scene, 0, {"overview": "", "entries": []})
    assert (await _do(reviewer, scene, "sign", 1)).json()["code"] == "conclusion-empty"


async def test_a_correction_after_the_final_sign_off_is_kept_and_told_and_the_conclusion_stays(
    reviewer: httpx.AsyncClient, chief: httpx.AsyncClient, unit: OpenUnit, runtime: Runtime
) -> None:
    scene = await _ready(unit)
    await _put(reviewer, scene, 0)
    await _do(reviewer, scene, "sign", 1)
    await _do(chief, scene, "finalize", 2)
    heard: list[ResultArrivedLate] = []

    async def hear(_uow: UnitOfWork, event: ResultArrivedLate) -> None:
        heard.append(event)

    told = wiring.announcements([*wiring.REACTIONS, (ResultArrivedLate, hear)])
    listening = Units(runtime.database, runtime.clock, runtime.cipher, told, runtime.broker.poke)
    correction = report(scene, "GLU", observation("GLU", "5.0", status="C", minute=3))
    late = await file(lambda: listening.open(demo.LOADER), correction)
    assert (late.outcome, [event.exam_id for event in heard]) == ("revision", [scene.exam_id])
    assert (await state_of(unit, scene))["GLU"] == ("5.0", "", "corrected")
    now = (await reviewer.get(_place(scene))).json()
    assert (now["state"], now["version"], await exam_state(unit, scene)) == ("finalized", 3, "finalized")


@pytest.mark.requirement("E4.1")
async def test_the_queue_is_first_ready_first_and_pages(reviewer: httpx.AsyncClient, unit: OpenUnit) -> None:
    mine = [await _ready(unit) for _ in range(3)]
    await _put(reviewer, mine[1], 0)
    seen: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        params: dict[str, Any] = {"page_size": 2, **({"page_token": token} if token else {})}
        page = (await reviewer.get("/api/v1/review-queue", params=params)).json()
        seen += page["items"]
        token = page["next_page_token"]
        if token is None:
            break
    places = [(s["reopened_at"] is None, s["ready_at"]) for s in seen]
    assert places == sorted(places)
    ids = [s["exam_id"] for s in seen]
    assert len(ids) == len(set(ids))
    assert [i for i in ids if i in {str(s.exam_id) for s in mine}] == [str(s.exam_id) for s in mine]
    assert {s["exam_id"]: s["exam_state"] for s in seen}[str(mine[1].exam_id)] == "in_review"
