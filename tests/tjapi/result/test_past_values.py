"""What a later exam tells of an earlier one, or judges by it: what is decided, and nothing else."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.tjapi.result.scene import OpenUnit, Scene, file, line_state, observation, report, visit
from tests.tjapi.world import SignIn
from tjapi.exam import service as exams
from tjapi.result import views
from tjapi.result.service import case

pytestmark = pytest.mark.requirement("E3.5", "E4.5", "X4")


@pytest.fixture
async def doctor(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("doctor")


Say = Callable[[OpenUnit, Scene], Awaitable[None]]


async def _contested(unit: OpenUnit, scene: Scene) -> None:
    await file(unit, report(scene, "GLU", observation("GLU", "18.0"), observation("GLU", "5.00")))


async def _preliminary(unit: OpenUnit, scene: Scene) -> None:
    await file(unit, report(scene, "GLU", observation("GLU", "18.0", status="P")))


async def _implausible(unit: OpenUnit, scene: Scene) -> None:
    await file(unit, report(scene, "GLU", observation("GLU", "180")))


async def _withdrawn(unit: OpenUnit, scene: Scene) -> None:
    await file(unit, report(scene, "GLU", observation("GLU", "18.0")))
    await file(unit, report(scene, "GLU", observation("GLU", "18.0", status="W")))


async def _told(unit: OpenUnit, doctor: httpx.AsyncClient, old: Scene, new: Scene) -> dict[str, Any]:
    """What every place that reads an earlier exam says of its glucose."""
    trends = (await doctor.get(f"/api/v1/exams/{new.exam_id}/trends")).json()["items"]
    place = f"/api/v1/exams/{new.exam_id}/departments/{new.departments['GLU']}/history"
    rows = (await doctor.get(place)).json()["items"]
    shown = [v for row in rows for v in row["values"] if UUID(v["exam_id"]) == old.exam_id]
    async with unit() as uow:
        exam = await exams.get(uow, new.exam_id)
        last = await views.last_numbers(uow, exam, ["GLU"])
        words = await case.past_of(uow, new.exam_id, {"GLU"})
    return {
        "trends": [p["value"] for t in trends for p in t["points"]],
        "history": [(v["value"], v.get("undecided"), v.get("beside")) for v in shown],
        "delta": [str(n) for n in last.values()],
        "words": [known.text for known in words],
    }


async def _two(unit: OpenUnit, admin: asyncpg.Connection) -> tuple[Scene, Scene]:
    old = await visit(unit, "GLU")
    new = await visit(unit, "GLU", of=old.exam_id)
    await admin.execute("update exam set exam_date = exam_date - 300 where id = $1", old.exam_id)
    return old, new


@pytest.mark.parametrize(
    ("say", "shown"),
    [
        (_contested, [("18.0", True, ["5.00"])]), (_preliminary, [("18.0", True, [])]), (_implausible, [("180", True, [])]), (_withdrawn, []),
    ],
)  # fmt: skip
async def test_what_is_not_decided_of_an_earlier_exam_is_nowhere_told_or_compared_with(
    doctor: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection, say: Say, shown: list[tuple[str, bool, list[str]]]
) -> None:  # fmt: skip
    old, new = await _two(unit, admin)
    await say(unit, old)
    await file(unit, report(new, "GLU", observation("GLU", "5.20")))
    assert await _told(unit, doctor, old, new) == {"trends": [], "history": shown, "delta": [], "words": []}


async def test_what_is_verified_of_an_earlier_exam_is_told_and_compared_with(
    doctor: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    old, new = await _two(unit, admin)
    await file(unit, report(old, "GLU", observation("GLU", "7.50")))
    await file(unit, report(new, "GLU", observation("GLU", "5.20")))
    found = await _told(unit, doctor, old, new)
    assert found == {"trends": ["5.20", "7.50"], "history": [("7.50", False, [])], "delta": ["7.50"], "words": ["7.50"]}


async def test_what_a_finished_exam_is_asked_about_afterwards_is_told_no_more(
    doctor: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    old, new = await _two(unit, admin)
    await file(unit, report(old, "GLU", observation("GLU", "7.50")))
    await admin.execute("update exam set state = 'in_review' where id = $1", old.exam_id)
    await admin.execute("update exam set state = 'finalized', finalized_at = now() where id = $1", old.exam_id)
    await file(unit, report(new, "GLU", observation("GLU", "5.20")))
    assert (await _told(unit, doctor, old, new))["delta"] == ["7.50"]
    await file(unit, report(old, "GLU", observation("GLU", "9.90")))
    found = await _told(unit, doctor, old, new)
    assert (found["trends"], found["delta"], found["words"]) == ([], [], [])
    assert [undecided for _, undecided, _ in found["history"]] == [True]


async def test_an_exams_own_value_that_is_asked_about_is_compared_with_nothing(
    doctor: httpx.AsyncClient, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    old, new = await _two(unit, admin)
    await file(unit, report(old, "GLU", observation("GLU", "7.50")))
    await _contested(unit, new)
    assert (await _told(unit, doctor, old, new))["trends"] == []


async def test_a_value_of_a_line_that_nobody_has_verified_is_compared_with_nothing(
    unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    old = await visit(unit, "CBC")
    new = await visit(unit, "CBC", of=old.exam_id)
    await admin.execute("update exam set exam_date = exam_date - 300 where id = $1", old.exam_id)
    await file(unit, report(old, "CBC", observation("HGB", "140")))
    assert await line_state(unit, old, "CBC") == "resulted"
    async with unit() as uow:
        assert await views.last_numbers(uow, await exams.get(uow, new.exam_id), ["HGB"]) == {}
        assert await case.past_of(uow, new.exam_id, {"HGB"}) == []
