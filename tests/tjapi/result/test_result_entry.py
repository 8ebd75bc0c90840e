"""Departments enter and sign over HTTP: own departments only, If-Match always, every wrong field named."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, exam_state, file, line_state, observation, report, visit
from tjapi.exam import service as exams
from tjapi.identity import flows
from tjapi.identity import service as identity
from tjapi.identity.schemas import StaffIn
from tjapi.kernel.runtime import Runtime

SignIn = Callable[..., Awaitable[httpx.AsyncClient]]
_PASSWORD = "Entry-Test-2026-x"


def _place(scene: Scene, group: str = "GENERAL") -> str:
    return f"/api/v1/exams/{scene.exam_id}/departments/{scene.departments[group]}"


def _values(scene: Scene, **values: str | None) -> dict[str, Any]:
    return {"results": [{"item_id": str(scene.items[code]), "value": value} for code, value in values.items()]}


WHOLE = {"HEIGHT": "170", "WEIGHT": "65", "SBP": "142", "DBP": "84", "PULSE": "72"}


def _items(answer: httpx.Response) -> dict[str, Any]:
    return {item["item_code"]: item for item in answer.json()["items"]}


@pytest.fixture
async def doctor(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("doctor")


async def _put(client: httpx.AsyncClient, scene: Scene, version: int, **values: str | None) -> httpx.Response:
    body = _values(scene, **values)
    return await client.put(f"{_place(scene)}/results", json=body, headers={"If-Match": f'"{version}"'})


async def _sign(
    client: httpx.AsyncClient, scene: Scene, version: int, summary: str | None = "血压偏高", **more: bool
) -> httpx.Response:
    body = {"summary": summary, **more}
    return await client.post(f"{_place(scene)}/sheet:sign", json=body, headers={"If-Match": f'"{version}"'})


@pytest.mark.requirement("E3.1", "E3.2", "E3.3")
async def test_a_department_enters_signs_and_the_exam_is_ready(doctor: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await visit(unit, "GENERAL")
    sheet = await doctor.get(f"{_place(scene)}/sheet")
    assert (sheet.status_code, sheet.headers["etag"], sheet.json()["version"]) == (200, '"0"', 0)
    assert all(item["current"] is None for item in sheet.json()["items"])
    entered = await _put(doctor, scene, 0, **WHOLE)
    assert (entered.status_code, entered.headers["etag"]) == (200, '"1"')
    items = _items(entered)
    assert (items["BMI"]["current"]["value"], items["BMI"]["current"]["source"]) == ("22.5", "computed")
    assert (items["SBP"]["current"]["flag"], items["SBP"]["current"]["status"]) == ("H", "preliminary")
    assert items["SBP"]["current"]["range"]["high"] is not None
    assert (await line_state(unit, scene, "GENERAL"), await exam_state(unit, scene)) == ("resulted", "in_progress")
    signed = await _sign(doctor, scene, 1)
    assert (signed.status_code, signed.json()["state"], signed.json()["signer_name"]) == (200, "signed", "陆医生")
    assert {item["current"]["status"] for item in signed.json()["items"]} == {"final"}
    assert (await line_state(unit, scene, "GENERAL"), await exam_state(unit, scene)) == ("verified", "ready_for_review")


async def test_the_second_of_two_editors_is_told_and_no_etag_is_refused(
    doctor: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await visit(unit, "GENERAL")
    assert (await _put(doctor, scene, 0, HEIGHT="170")).status_code == 200
    assert (await _put(doctor, scene, 0, HEIGHT="171")).status_code == 412
    missing = await doctor.put(f"{_place(scene)}/results", json=_values(scene, HEIGHT="171"))
    assert missing.status_code == 428


async def test_every_wrong_field_is_named_and_nothing_is_entered(doctor: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await visit(unit, "GENERAL", "CBC")
    body = _values(scene, HEIGHT="很高", BMI="22", WBC="5", WEIGHT="65")
    body["results"] += [
        body["results"][3],
        {"item_id": str(scene.exam_id), "value": "1"},
        {"item_id": str(scene.items["SBP"]), "value": ""},
    ]
    answer = await doctor.put(f"{_place(scene)}/results", json=body, headers={"If-Match": '"0"'})
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        ("/results/0/value", "not-a-number"),
        ("/results/1/value", "computed"),
        ("/results/2/item_id", "unknown"),
        ("/results/4/item_id", "duplicate"),
        ("/results/5/item_id", "unknown"),
        ("/results/6/value", "empty"),
    ]
    assert "很高" not in answer.text
    assert (await doctor.get(f"{_place(scene)}/sheet")).json()["version"] == 0
    laboratory = _place(scene, "CBC")
    lab = await doctor.put(f"{laboratory}/results", json=_values(scene, WBC="5"), headers={"If-Match": '"0"'})
    assert lab.json()["errors"][0]["code"] == "from-lis"


async def test_signing_needs_every_item_and_names_the_missing(doctor: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await visit(unit, "GENERAL")
    await _put(doctor, scene, 0, **{**WHOLE, "WEIGHT": None})
    answer = await _sign(doctor, scene, 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "sheet-not-complete")
    assert {e["pointer"] for e in answer.json()["errors"]} == {
        f"item:{scene.items['WEIGHT']}",
        f"item:{scene.items['BMI']}",
    }


async def test_a_signed_sheet_takes_no_values_until_it_is_reopened_with_a_reason(
    doctor: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene = await visit(unit, "GENERAL")
    await _put(doctor, scene, 0, **WHOLE)
    await _sign(doctor, scene, 1)
    refused = await _put(doctor, scene, 2, HEIGHT="171")
    assert (refused.status_code, refused.json()["code"]) == (409, "sheet-signed")
    reopened = await doctor.post(
        f"{_place(scene)}/sheet:reopen", json={"reason": "身高有误"}, headers={"If-Match": '"2"'}
    )
    assert (reopened.status_code, reopened.json()["state"], reopened.json()["signed_by"]) == (200, "draft", None)
    assert (await line_state(unit, scene, "GENERAL"), await exam_state(unit, scene)) == ("resulted", "in_progress")
    corrected = _items(await _put(doctor, scene, 3, HEIGHT="180"))
    assert (corrected["HEIGHT"]["current"]["status"], corrected["BMI"]["current"]["value"]) == ("corrected", "20.1")
    assert (await _sign(doctor, scene, 4, None)).json()["code"] == "summary-stale"
    assert (await _sign(doctor, scene, 4)).json()["code"] == "summary-stale", "the same words are no confirmation"
    assert (await _sign(doctor, scene, 4, "血压偏高", summary_confirmed=True)).json()["summary"] == "血压偏高"
    assert await exam_state(unit, scene) == "ready_for_review"
    history = await doctor.get(f"/api/v1/results/{corrected['HEIGHT']['result_id']}/revisions")
    assert [(r["value"], r["status"]) for r in history.json()["revisions"]] == [
        ("170", "preliminary"), ("170", "final"), ("180", "corrected")
    ]  # fmt: skip
    steps = await admin.fetch(
        "select action, reason from department_sheet_step where exam_id = $1 order by version", scene.exam_id
    )
    assert [tuple(s) for s in steps] == [("signed", None), ("reopened", "身高有误"), ("signed", None)]


async def test_a_value_that_is_cleared_and_entered_again_stands(doctor: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await visit(unit, "GENERAL")
    await _put(doctor, scene, 0, HEIGHT="170", WEIGHT="65")
    cleared = _items(await _put(doctor, scene, 1, HEIGHT=None))
    assert (cleared["HEIGHT"]["current"], cleared["BMI"]["current"]) == (None, None)
    again = _items(await _put(doctor, scene, 2, HEIGHT="160"))
    assert (again["HEIGHT"]["current"]["value"], again["BMI"]["current"]["value"]) == ("160", "25.4")
    same = _items(await _put(doctor, scene, 3, HEIGHT="160"))
    assert same["HEIGHT"]["current"]["seq"] == again["HEIGHT"]["current"]["seq"]


@pytest.mark.requirement("E3.1")
async def test_another_department_is_refused_and_the_refusal_is_audited(
    anonymous: httpx.AsyncClient, base_url: str, runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene = await visit(unit, "GENERAL")
    username = f"entry.{scene.exam_no[-6:].lower()}"
    hashed = await flows.hashed_password(runtime, username, _PASSWORD, "/password")
    async with unit() as uow:
        new = StaffIn(
            username=username, name="别科", password=_PASSWORD, roles=["doctor"], campuses=[1], departments=[2]
        )
        await identity.create_staff(uow, new, hashed)
    login = await anonymous.post("/api/v1/auth/token", json={"username": username, "password": _PASSWORD})
    headers = {"Authorization": f"Bearer {login.json()['access_token']}", "If-Match": '"0"'}
    seen = await anonymous.get(f"{_place(scene)}/sheet", headers=headers)
    written = await anonymous.put(f"{_place(scene)}/results", json=_values(scene, HEIGHT="170"), headers=headers)
    assert {(a.status_code, a.json()["code"]) for a in (seen, written)} == {(403, "department-not-own")}
    where = f"{scene.exam_id}/{scene.departments['GENERAL']}"
    refusals = "select count(*) from audit_event where action = 'access.refused' and object_id = $1"
    assert await admin.fetchval(refusals, where) == 2
    assert await admin.fetchval("select count(*) from result where exam_id = $1", scene.exam_id) == 0


@pytest.mark.requirement("E3.6", "E4.2")
async def test_all_results_are_read_by_department_and_can_be_filtered_to_abnormal(
    doctor: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await visit(unit, "GENERAL", "GLU")
    await _put(doctor, scene, 0, **WHOLE)
    await file(unit, report(scene, "GLU", observation("GLU", "9.9")))
    whole = (await doctor.get(f"/api/v1/exams/{scene.exam_id}/results")).json()
    assert [d["department_id"] for d in whole["departments"]] == [
        scene.departments["GENERAL"],
        scene.departments["GLU"],
    ]
    assert sum(len(d["results"]) for d in whole["departments"]) == 7
    flagged = (await doctor.get(f"/api/v1/exams/{scene.exam_id}/results", params={"abnormal": True})).json()
    assert {r["item_code"] for d in flagged["departments"] for r in d["results"]} >= {"SBP", "GLU"}
    assert all(r["current"]["flag"] for d in flagged["departments"] for r in d["results"])


async def test_nothing_is_entered_before_check_in_nor_for_an_unknown_exam(
    doctor: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await visit(unit, "GENERAL", checked_in=False)
    assert (await _put(doctor, scene, 0, HEIGHT="170")).json()["code"] == "results-closed"
    unknown = await doctor.get(f"/api/v1/exams/{scene.lines['GENERAL']}/departments/1/sheet")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "exam-not-found")
    nothing_here = await doctor.get(f"/api/v1/exams/{scene.exam_id}/departments/6/sheet")
    assert (nothing_here.status_code, nothing_here.json()["code"]) == (404, "sheet-not-found")


async def test_a_department_that_has_not_signed_is_what_is_outstanding(unit: OpenUnit) -> None:
    scene = await visit(unit, "GENERAL")
    async with unit() as uow:
        outstanding = (await exams.completeness(uow, scene.exam_id)).outstanding
    assert ("summary_unsigned", f"department:{scene.departments['GENERAL']}") in {
        (o.code, o.source) for o in outstanding
    }


@pytest.mark.requirement("E3.2")
async def test_zero_input_fills_what_nobody_touched_and_signs_in_one_call(
    doctor: httpx.AsyncClient, unit: OpenUnit
) -> None:
    scene = await visit(unit, "INTERNAL")
    place = f"/api/v1/exams/{scene.exam_id}/departments/{scene.departments['INTERNAL']}"
    now = await doctor.get(f"{place}/sheet")
    defaults = {i["item_code"]: i["normal_default"] for i in now.json()["items"] if i["normal_default"]}
    assert defaults
    touched = next(iter(defaults))
    entered = {code: "72" for code in scene.items if code not in defaults}
    body = _values(scene, **entered, **{touched: "其他"}) | {"fill_defaults": True}
    if (choices := next(i["choices"] for i in now.json()["items"] if i["item_code"] == touched)) is not None:
        body["results"][-1]["value"] = choices[-1]
    filled = await doctor.put(f"{place}/results", json=body, headers={"If-Match": now.headers["etag"]})
    assert filled.status_code == 200, filled.text
    values = {code: item["current"]["value"] for code, item in _items(filled).items()}
    assert values == {**defaults, **entered, touched: body["results"][-1]["value"]}
    cleared = await doctor.put(
        f"{place}/results",
        json=_values(scene, **{touched: None}) | {"fill_defaults": True},
        headers={"If-Match": filled.headers["etag"]},
    )
    assert _items(cleared)[touched]["current"] is None, (
        "an item that was entered and cleared is not filled: somebody meant that"
    )
    again = await doctor.put(
        f"{place}/results",
        json=_values(scene, **{touched: defaults[touched]}),
        headers={"If-Match": cleared.headers["etag"]},
    )
    signed = await doctor.post(f"{place}/sheet:sign", json={}, headers={"If-Match": again.headers["etag"]})
    assert (signed.status_code, signed.json()["state"]) == (200, "signed")
    fresh = await visit(unit, "INTERNAL")
    place = f"/api/v1/exams/{fresh.exam_id}/departments/{fresh.departments['INTERNAL']}"
    numbers = _values(fresh, **entered)
    first = await doctor.put(f"{place}/results", json=numbers, headers={"If-Match": '"0"'})
    once = await doctor.post(
        f"{place}/sheet:sign", json={"fill_defaults": True}, headers={"If-Match": first.headers["etag"]}
    )
    assert (once.status_code, once.json()["state"]) == (200, "signed")


@pytest.mark.requirement("E3.6")
async def test_a_department_sees_its_results_of_this_exam_and_of_earlier_ones_lined_up(
    doctor: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    old, stranger = await visit(unit, "GLU"), await visit(unit, "GLU")
    new = await visit(unit, "GLU", of=old.exam_id)
    for scene, value in ((old, "7.5"), (new, "5.0"), (stranger, "9.9")):
        await file(unit, report(scene, "GLU", observation("GLU", value)))
    await admin.execute("update exam set exam_date = '2025-11-20' where id = $1", old.exam_id)
    answer = await doctor.get(f"/api/v1/exams/{new.exam_id}/departments/{new.departments['GLU']}/history")
    assert [e["exam_id"] for e in answer.json()["exams"]] == [str(new.exam_id), str(old.exam_id)]
    (row,) = answer.json()["items"]
    assert [(v["value"], v["flag"]) for v in row["values"]] == [("5.0", ""), ("7.5", "H")]
    earlier = await doctor.get(f"/api/v1/exams/{old.exam_id}/departments/{old.departments['GLU']}/history")
    assert [e["exam_id"] for e in earlier.json()["exams"]] == [str(old.exam_id)], "an exam knows nothing of later ones"


@pytest.mark.requirement("E3.2")
async def test_of_figures_that_can_hardly_be_no_number_is_computed(doctor: httpx.AsyncClient, unit: OpenUnit) -> None:
    scene = await visit(unit, "GENERAL")
    body = _values(scene, HEIGHT="0.01", WEIGHT="12345.678")
    for one in body["results"]:
        one["kept_because"] = "按原始记录"
    entered = await doctor.put(f"{_place(scene)}/results", json=body, headers={"If-Match": '"0"'})
    assert entered.status_code == 200, entered.text
    assert _items(entered)["BMI"]["current"] is None
