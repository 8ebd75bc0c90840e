"""What alarmed because no line took it is alarmed of once: when it is on a line, the value's own alert stands, and the other one ends."""

from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from adapters.lis.contract import LabObservation, LabReport
from tests.tjapi.result.scene import OpenUnit, Scene, alerts_of, file, observation, report, state_of, visit
from tests.tjapi.world import API, SignIn
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.critical_value import repository
from tjapi.exam import service as exams

pytestmark = pytest.mark.requirement("E5.2", "E5.3")
DOCTOR = replace(demo.LOADER, kind="staff", name="加项医生")
TOLD = {"channel": "phone", "told": "本人", "reached": True, "read_back": "血钾 7.9,马上去急诊"}


async def _unordered(unit: OpenUnit, *flags: str, value: str = "7.9") -> tuple[Scene, LabReport]:
    """The laboratory measures potassium in a tube that was drawn for something else."""
    scene = await visit(unit, "CARDIAC")
    said: LabObservation = replace(observation("K", value), abnormal_flags=flags, range_text="3.5-5.3")
    told = report(scene, "CARDIAC", said, placer_no=None)
    assert (await file(unit, told)).reason == "item-not-ordered"
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    return scene, told


async def _order(unit: OpenUnit, scene: Scene) -> None:
    """Order what was measured without an order: the same tube serves it."""
    async with unit(DOCTOR) as uow:
        offered = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=200)
        wanted = [group.id for group in offered if group.code == "ELECTROLYTE"]
        await exams.add_lines(uow, scene.exam_id, wanted, reason="加做")


async def _alarms(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    return [(alert.rule_code, alert.state) for alert in await alerts_of(unit, scene.exam_id)]


async def _do(client: httpx.AsyncClient, alert: Any, verb: str, body: dict[str, Any] | None = None) -> None:
    at = {"If-Match": f'"{alert.version}"'}
    answer = await client.post(f"{API}/critical-values/{alert.id}:{verb}", json=body, headers=at)
    assert answer.status_code == 200, answer.text


async def _steps(unit: OpenUnit, alert: Any) -> list[Any]:
    async with unit() as uow:
        return list(await repository.steps(uow, alert.id))


async def _blocks(admin: asyncpg.Connection, scene: Scene) -> list[str]:
    rows = await admin.fetch(
        "select source from exam_block where exam_id = $1 and source like 'critical:%'", scene.exam_id
    )
    return [row["source"].removeprefix("critical:") for row in rows]


@pytest.mark.parametrize("flags", [("HH",), ()], ids=["theirs", "ours"])
async def test_a_value_that_a_line_takes_later_has_one_alert_and_the_unplaced_one_says_why_it_ended(
    unit: OpenUnit, admin: asyncpg.Connection, flags: tuple[str, ...]
) -> None:
    scene, told = await _unordered(unit, *flags)
    await _order(unit, scene)
    for outcome in ("filed", "duplicate"):
        assert (await file(unit, told)).outcome == outcome
        before, own = await alerts_of(unit, scene.exam_id)
        assert (before.state, before.corrected_at is not None) == ("superseded", True)
        assert (own.rule_code, own.state, own.supersedes) == ("CRIT-K-HIGH", "detected", before.id)
        assert own.due_at == before.due_at
        assert await _blocks(admin, scene) == [str(own.id)]
        steps = await _steps(unit, before)
        assert [s.action for s in steps] == ["detected", "superseded"]
        assert "已归入项目「钾」" in str(steps[-1].note)
    assert (await state_of(unit, scene))["K"] == ("7.9", "HH", "final")


async def test_who_was_told_of_it_before_a_line_took_it_is_not_told_again(
    unit: OpenUnit, admin: asyncpg.Connection, sign_in: SignIn
) -> None:
    scene, told = await _unordered(unit, "HH")
    reviewer = await sign_in("reviewer")
    await _do(reviewer, (await alerts_of(unit, scene.exam_id))[0], "confirm")
    await _do(reviewer, (await alerts_of(unit, scene.exam_id))[0], "notify", TOLD)
    await _order(unit, scene)
    await file(unit, told)
    before, own = await alerts_of(unit, scene.exam_id)
    assert (before.state, before.corrected_at is not None) == ("notified", True)
    assert (own.state, own.supersedes, own.corrected_at) == ("notified", before.id, None)
    last = (await _steps(unit, own))[-1]
    assert (last.action, last.told, last.read_back) == ("notified", "本人", TOLD["read_back"])
    assert await _blocks(admin, scene) == []
    # Another measurement of it is news all the same.
    again = replace(observation("K", "7.9", minute=70), abnormal_flags=("HH",), range_text="3.5-5.3")
    await file(unit, report(scene, "CARDIAC", again, placer_no=None))
    assert [state for _, state in await _alarms(unit, scene)] == ["notified", "notified", "detected"]


async def test_what_a_person_called_none_before_a_line_took_it_is_asked_anew(
    unit: OpenUnit, admin: asyncpg.Connection, sign_in: SignIn
) -> None:
    scene, told = await _unordered(unit, "HH")
    await _do(
        await sign_in("reviewer"), (await alerts_of(unit, scene.exam_id))[0], "dismiss", {"reason": "非本项目申请"}
    )
    await _order(unit, scene)
    await file(unit, told)
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "dismissed"), ("CRIT-K-HIGH", "detected")]
    assert len(await _blocks(admin, scene)) == 1


async def test_what_nobody_can_read_on_the_line_that_takes_it_has_one_alert(
    unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene, told = await _unordered(unit, "HH", value="见备注")
    await _order(unit, scene)
    for _ in range(2):
        assert (await file(unit, told)).reason == "value-unread"
        assert await _alarms(unit, scene) == [("LAB-CRITICAL", "superseded"), ("LAB-CRITICAL", "detected")]
    assert await _blocks(admin, scene) == [str((await alerts_of(unit, scene.exam_id))[1].id)]


async def test_what_was_corrected_before_a_line_took_it_alarms_nobody(
    unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene, told = await _unordered(unit, "HH")
    await _order(unit, scene)
    right = replace(observation("K", "4.1", status="C"), range_text="3.5-5.3")
    await file(unit, report(scene, "CARDIAC", right, placer_no=None))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    await file(unit, told)
    assert {state for _, state in await _alarms(unit, scene)} == {"superseded"}
    assert await _blocks(admin, scene) == []


async def test_what_no_line_takes_still_alarms_beside_another_value_that_one_does(
    unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene, _ = await _unordered(unit, "HH")
    await _order(unit, scene)
    other = replace(observation("K", "4.0", minute=30), range_text="3.5-5.3")
    await file(unit, report(scene, "CARDIAC", other, placer_no=None))
    assert await _alarms(unit, scene) == [("LAB-CRITICAL", "detected")]
    assert len(await _blocks(admin, scene)) == 1


@pytest.mark.requirement("X7")
@pytest.mark.parametrize(("group", "private"), [("HIV", True), ("CARDIAC", False)])
async def test_what_answers_a_private_order_under_an_unknown_code_is_as_private_as_the_order(
    unit: OpenUnit, group: str, private: bool
) -> None:
    scene = await visit(unit, group)
    said = replace(observation("HIVX", "阳性"), value_type="ST", abnormal_flags=("AA",))
    await file(unit, report(scene, group, said))
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert (alert.rule_code, alert.private) == ("LAB-CRITICAL", private)
