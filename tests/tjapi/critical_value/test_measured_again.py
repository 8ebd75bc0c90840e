"""Another measurement of the same critical number is news to whoever dismissed the first, or told of it; the same one said again is not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import NOON, OpenUnit, Scene, alerts_of, file, observation, report, visit
from tests.tjapi.world import API, SignIn, World
from tjapi import demo
from tjapi.critical_value.models import CriticalValue
from tjapi.critical_value.rules import unheard
from tjapi.kernel.runtime import Runtime
from tjapi.report import views
from tjapi.report.layout import report_data
from tjapi.result.rules.revisions import Stated, statement

pytestmark = pytest.mark.requirement("E5.2", "E5.3")
REDRAWN = {"reason": "疑标本放置过久,已重新采血"}
TOLD = {"channel": "phone", "told": "本人", "reached": True, "read_back": "血糖 1.9,马上去急诊"}


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _said(
    unit: OpenUnit, scene: Scene, *observations: LabObservation, group: str = "GLU", **changes: Any
) -> None:
    await file(unit, report(scene, group, *observations, **changes))


async def _do(client: httpx.AsyncClient, value: Any, verb: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return await client.post(
        f"{API}/critical-values/{value.id}:{verb}", json=body, headers={"If-Match": f'"{value.version}"'}
    )


async def _through(unit: OpenUnit, client: httpx.AsyncClient, exam_id: UUID, *steps: Any) -> CriticalValue:
    for verb, body in steps:
        answer = await _do(client, (await alerts_of(unit, exam_id))[-1], verb, body)
        assert answer.status_code == 200, answer.text
    return (await alerts_of(unit, exam_id))[-1]


async def _blocks(admin: asyncpg.Connection, exam_id: UUID) -> int:
    found: int = await admin.fetchval("select count(*) from exam_block where exam_id = $1", exam_id)
    return found


async def _printed(runtime: Runtime, exam_id: UUID) -> dict[str, Any]:
    async with runtime.units.open(demo.LOADER) as uow:
        rows = await views.source(uow, exam_id)
        return report_data(rows, [], hospital_name="", version=1, watermark=None, printed_at=uow.now)


AGAIN: dict[str, tuple[LabObservation, dict[str, Any]]] = {
    "a correction from a new specimen": (observation("GLU", "1.9", status="C", minute=70), {}),
    "a second final value from a new specimen": (observation("GLU", "1.9", minute=70), {}),
    "the same specimen, confirmed by a correction": (observation("GLU", "1.90", status="C"), {}),
}


@pytest.mark.parametrize("how", AGAIN)
async def test_what_was_dismissed_is_raised_anew_when_it_is_measured_again(
    unit: OpenUnit, sign_in: SignIn, admin: asyncpg.Connection, runtime: Runtime, how: str
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, observation("GLU", "1.9"))
    reviewer = await sign_in("reviewer")
    await _through(unit, reviewer, scene.exam_id, ("dismiss", REDRAWN))
    assert await _blocks(admin, scene.exam_id) == 0
    assert (await _printed(runtime, scene.exam_id))["abnormal"][0]["flag"] == "low"
    again, changes = AGAIN[how]
    await _said(unit, scene, again, **changes)
    first, second = await alerts_of(unit, scene.exam_id)
    assert (first.state, second.state, first.rule_code == second.rule_code) == ("dismissed", "detected", True)
    assert await _blocks(admin, scene.exam_id) == 1
    assert (await _printed(runtime, scene.exam_id))["abnormal"][0]["flag"] == "critical_low"
    # Sent once more, it is the same measurement; dismissed as well, both are no critical values.
    await _said(unit, scene, again, **changes)
    assert len(await alerts_of(unit, scene.exam_id)) == 2
    await _through(unit, reviewer, scene.exam_id, ("dismiss", REDRAWN))
    assert (await _printed(runtime, scene.exam_id))["abnormal"][0]["flag"] == "low"


async def test_a_dismissal_holds_for_the_revision_that_it_was_given_of(
    unit: OpenUnit, sign_in: SignIn, admin: asyncpg.Connection, runtime: Runtime
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, observation("GLU", "1.9"))
    alert = await _through(unit, await sign_in("reviewer"), scene.exam_id, ("dismiss", REDRAWN))
    assert (await _printed(runtime, scene.exam_id))["abnormal"][0]["flag"] == "low"
    await admin.execute("update critical_value set revision_ids = array[gen_random_uuid()] where id = $1", alert.id)
    assert (await _printed(runtime, scene.exam_id))["abnormal"][0]["flag"] == "critical_low"


@pytest.mark.parametrize(
    "steps",
    [
        [("confirm", None), ("notify", TOLD)],
        [("confirm", None), ("notify", TOLD), ("close", {"outcome": "补糖后好转"})],
    ],
)
async def test_what_was_told_is_raised_anew_when_it_is_measured_again(
    unit: OpenUnit, sign_in: SignIn, steps: list[Any]
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, observation("GLU", "1.9"))
    told = await _through(unit, await sign_in("reviewer"), scene.exam_id, *steps)
    await _said(unit, scene, observation("GLU", "1.9", status="C", minute=70))
    first, second = await alerts_of(unit, scene.exam_id)
    assert (first.state, second.state) == (told.state, "detected")


@pytest.mark.parametrize("verb", ["dismiss", "notify"])
async def test_the_same_measurement_said_again_is_the_event_that_was_seen_to(
    unit: OpenUnit, sign_in: SignIn, runtime: Runtime, verb: str
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, observation("GLU", "1.9", status="P"))
    steps = [("dismiss", REDRAWN)] if verb == "dismiss" else [("confirm", None), ("notify", TOLD)]
    seen = await _through(unit, await sign_in("reviewer"), scene.exam_id, *steps)
    await _said(unit, scene, observation("GLU", "1.90"))
    await _said(unit, scene, observation("GLU", "1.9"), message_id="M2")
    (kept,) = await alerts_of(unit, scene.exam_id)
    assert (kept.id, kept.state, kept.corrected_at) == (seen.id, seen.state, None)
    shown = "low" if verb == "dismiss" else "critical_low"
    assert (await _printed(runtime, scene.exam_id))["abnormal"][0]["flag"] == shown


async def test_an_alert_of_which_nobody_was_told_takes_up_another_measurement_and_whoever_dismisses_it_looks_again(
    unit: OpenUnit, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    scene = await visit(unit, "GLU")
    reviewer = await sign_in("reviewer")
    await _said(unit, scene, observation("GLU", "1.9"))
    (before,) = await alerts_of(unit, scene.exam_id)
    await _said(unit, scene, observation("GLU", "1.9", status="C", minute=70))
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert (alert.id, alert.state, alert.due_at) == (before.id, "detected", before.due_at), "its clock goes on"
    assert (len(alert.revision_ids), alert.version) == (2, before.version + 1)
    assert (await _do(reviewer, before, "dismiss", REDRAWN)).status_code == 412
    assert (await _do(reviewer, alert, "dismiss", REDRAWN)).status_code == 200
    await _said(unit, scene, observation("GLU", "1.9", status="C", minute=70), message_id="M3")
    assert [a.state for a in await alerts_of(unit, scene.exam_id)] == ["dismissed"], (
        "both were before whoever dismissed"
    )
    steps = await admin.fetch(
        "select action from critical_step where critical_value_id = $1 order by version", alert.id
    )
    assert [s["action"] for s in steps] == ["detected", "measured_again", "dismissed"]


async def test_a_measurement_that_comes_while_somebody_dismisses_is_never_dismissed_unseen(
    unit: OpenUnit, sign_in: SignIn
) -> None:
    reviewer, ends = await sign_in("reviewer"), []
    for _ in range(4):
        scene = await visit(unit, "GLU")
        await _said(unit, scene, observation("GLU", "1.9"))
        (alert,) = await alerts_of(unit, scene.exam_id)
        answer, _ = await asyncio.gather(
            _do(reviewer, alert, "dismiss", REDRAWN),
            _said(unit, scene, observation("GLU", "1.9", status="C", minute=70)),
        )
        ends.append((answer.status_code, *(a.state for a in await alerts_of(unit, scene.exam_id))))
    assert set(ends) <= {(200, "dismissed", "detected"), (412, "detected")}, ends


async def test_what_the_laboratory_calls_critical_is_raised_anew_when_it_is_measured_again(
    unit: OpenUnit, sign_in: SignIn
) -> None:
    def said(minute: int, status: str = "F") -> LabObservation:
        one = observation("UA", "300", minute=minute, status=status)
        return replace(one, abnormal_flags=("LL",))

    scene = await visit(unit, "RENAL")
    await _said(unit, scene, said(0), group="RENAL")
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert alert.rule_code == "LAB-CRITICAL"
    await _through(unit, await sign_in("reviewer"), scene.exam_id, ("dismiss", REDRAWN))
    await _said(unit, scene, said(0), group="RENAL", message_id="M2")
    assert [a.state for a in await alerts_of(unit, scene.exam_id)] == ["dismissed"]
    await _said(unit, scene, said(50, "C"), group="RENAL")
    assert [(a.rule_code, a.state) for a in await alerts_of(unit, scene.exam_id)] == [
        ("LAB-CRITICAL", "dismissed"), ("LAB-CRITICAL", "detected"),
    ]  # fmt: skip


async def test_signing_what_a_department_entered_is_no_new_measurement(world: World, unit: OpenUnit) -> None:
    seen = await world.checked_in("GENERAL")
    doctor, place = await world.sign_in("doctor"), f"{seen.place}/departments/{seen.departments['GENERAL']}"
    sheet = (await doctor.get(f"{place}/sheet")).json()
    said = {"SBP": "120", "DBP": "80", "PULSE": "180", "HEIGHT": "170", "WEIGHT": "65", "TEMP": "36.5"}
    values = [
        {"item_id": i["item_id"], "value": said[i["item_code"]]} for i in sheet["items"] if i["item_code"] in said
    ]
    entered = await doctor.put(f"{place}/results", json={"results": values}, headers={"If-Match": '"0"'})
    assert entered.status_code == 200, entered.text
    reviewer = await world.sign_in("reviewer")
    await _through(unit, reviewer, seen.exam_id, ("dismiss", {"reason": "运动后即刻所测"}))
    signed = await doctor.post(
        f"{place}/sheet:sign", json={"fill_defaults": True}, headers={"If-Match": entered.headers["etag"]}
    )
    assert signed.status_code == 200, signed.text
    assert [a.state for a in await alerts_of(unit, seen.exam_id)] == ["dismissed"]


def test_what_was_measured_at_another_moment_corrected_or_called_critical_since_is_news() -> None:
    result_id = uuid4()

    def one(status: str, minute: int = 0, *, alarm: bool = False) -> Stated:
        word = statement(status, NOON + timedelta(minutes=minute), alarm=alarm)
        return Stated(uuid4(), result_id, "1.9", word, True)

    heard = [one("preliminary")]
    same = [one("preliminary"), one("final")]
    news = [one("corrected"), one("final", 1), one("final", alarm=True)]
    assert unheard([*same, *news], heard) == news
    assert unheard(news, [*heard, *news]) == []
    assert unheard(same, []) == same
