"""Critical values when things happen at once, late, twice, or the wrong way round: none is lost, none is raised twice."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import OpenUnit, Scene, alerts_of, file, observation, report, visit
from tests.tjapi.world import API, SignIn, World
from tjapi.critical_value import service as critical_values
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import SYSTEM

ROUNDS = 6


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _states(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    return [(a.rule_code, a.state) for a in await alerts_of(unit, scene.exam_id)]


async def _said(unit: OpenUnit, scene: Scene, group: str, *observations: LabObservation) -> None:
    await file(unit, report(scene, group, *observations))


async def _do(client: httpx.AsyncClient, value: Any, verb: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return await client.post(
        f"{API}/critical-values/{value.id}:{verb}", json=body, headers={"If-Match": f'"{value.version}"'}
    )


@pytest.mark.requirement("E5.2")
async def test_two_results_that_come_at_once_raise_each_their_own_and_each_once(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU", "ELECTROLYTE")
    glucose = report(scene, "GLU", observation("GLU", "25.0"))
    salts = report(scene, "ELECTROLYTE", observation("K", "6.8"), observation("NA", "118"))
    await asyncio.gather(*(file(unit, said) for said in (glucose, salts, glucose, salts)))
    assert sorted(await _states(unit, scene)) == [
        ("CRIT-GLU-HIGH", "detected"), ("CRIT-K-HIGH", "detected"), ("CRIT-NA-LOW", "detected"),
    ]  # fmt: skip


@pytest.mark.requirement("E5.2")
async def test_a_preliminary_value_that_becomes_final_is_the_event_that_somebody_is_dealing_with(
    unit: OpenUnit, sign_in: SignIn
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, "GLU", observation("GLU", "25.0", status="P"))
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert (await _do(await sign_in("reviewer"), alert, "confirm")).status_code == 200
    await _said(unit, scene, "GLU", observation("GLU", "25.00", minute=20))
    (kept,) = await alerts_of(unit, scene.exam_id)
    assert (kept.id, kept.state, kept.corrected_at) == (alert.id, "confirmed", None)


@pytest.mark.requirement("E5.2")
async def test_a_value_that_comes_back_after_it_was_corrected_away_is_raised_again(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, "GLU", observation("GLU", "25.0"))
    await _said(unit, scene, "GLU", observation("GLU", "5.2", status="C", minute=1))
    await _said(unit, scene, "GLU", observation("GLU", "25.0", status="C", minute=2))
    assert await _states(unit, scene) == [("CRIT-GLU-HIGH", "superseded"), ("CRIT-GLU-HIGH", "detected")]
    await _said(unit, scene, "GLU", observation("GLU", "5.1", status="C", minute=3))
    await _said(unit, scene, "GLU", observation("GLU", "25.0", status="C", minute=4))
    assert [state for _, state in await _states(unit, scene)] == ["superseded", "superseded", "detected"]


@pytest.mark.requirement("E5.2", "E5.3")
async def test_what_was_dealt_with_says_so_when_its_value_is_corrected_and_is_raised_anew_when_it_returns(
    unit: OpenUnit, sign_in: SignIn
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, "GLU", observation("GLU", "25.0"))
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert (await _do(await sign_in("reviewer"), alert, "dismiss", {"reason": "标本溶血"})).status_code == 200
    await _said(unit, scene, "GLU", observation("GLU", "25.00"))
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert (alert.state, alert.corrected_at) == ("dismissed", None)
    await _said(unit, scene, "GLU", observation("GLU", "5.2", status="C", minute=2))
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert (alert.state, alert.corrected_at is not None) == ("dismissed", True)
    await _said(unit, scene, "GLU", observation("GLU", "25.0", status="C", minute=3))
    assert [state for _, state in await _states(unit, scene)] == ["dismissed", "detected"]


@pytest.mark.requirement("E5.2")
async def test_a_critical_value_that_comes_after_its_correction_is_kept_as_superseded_and_alarms_nobody(
    unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, "GLU", observation("GLU", "5.2", status="C", minute=5))
    await _said(unit, scene, "GLU", observation("GLU", "25.0"))
    assert await _states(unit, scene) == [("CRIT-GLU-HIGH", "superseded")]
    (alert,) = await alerts_of(unit, scene.exam_id)
    actions = await admin.fetch("select action from critical_step where critical_value_id = $1", alert.id)
    assert [row["action"] for row in actions] == ["superseded"]
    blocks = await admin.fetchval("select count(*) from exam_block where exam_id = $1", scene.exam_id)
    assert blocks == 0


@pytest.mark.requirement("E5.2", "X4")
async def test_of_two_final_values_that_contradict_each_other_the_critical_one_alarms_in_either_order(
    unit: OpenUnit,
) -> None:
    """Which of them is wrong nobody knows yet; a person asks the laboratory, and its correction decides."""
    first, second = observation("K", "4.2"), observation("K", "6.8", minute=4)
    for order in ((first, second), (second, first)):
        scene = await visit(unit, "ELECTROLYTE")
        for one in order:
            await _said(unit, scene, "ELECTROLYTE", one)
        assert await _states(unit, scene) == [("CRIT-K-HIGH", "detected")]
        await _said(unit, scene, "ELECTROLYTE", observation("K", "4.2", status="C", minute=9))
        assert await _states(unit, scene) == [("CRIT-K-HIGH", "superseded")]


@pytest.mark.requirement("E5.2")
async def test_each_measurement_of_an_item_alarms_not_the_first_alone(unit: OpenUnit) -> None:
    scene = await visit(unit, "RENAL", "RENAL-FULL")
    await _said(unit, scene, "RENAL", observation("CREA", "80"))
    await _said(unit, scene, "RENAL-FULL", observation("CREA", "700"))
    assert [s for s in await _states(unit, scene) if s[0] == "CRIT-CREA"] == [("CRIT-CREA", "detected")]
    await _said(unit, scene, "RENAL", observation("CREA", "81", status="C", minute=3))
    assert [s for s in await _states(unit, scene) if s[0] == "CRIT-CREA"] == [("CRIT-CREA", "detected")]


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    ("value", "alarms"), [(">20", True), (">33.3", True), (">5.5", True), ("<5.5", True), ("<22.2", True)]
)
async def test_a_value_that_may_well_be_critical_alarms_and_says_what_cannot_be_ruled_out(
    unit: OpenUnit, value: str, alarms: bool
) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, "GLU", observation("GLU", value))
    assert bool(await alerts_of(unit, scene.exam_id)) is alarms


@pytest.mark.requirement("E5.2")
async def test_what_a_comparator_does_rule_out_alarms_nobody(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE", "RENAL")
    await _said(unit, scene, "RENAL", observation("CREA", "<18"), observation("UREA", "<3"))
    assert await _states(unit, scene) == []


@pytest.mark.requirement("E5.2", "E5.3")
async def test_a_correction_that_comes_while_somebody_confirms_is_seen_by_one_of_both(
    unit: OpenUnit, sign_in: SignIn
) -> None:
    reviewer, ends = await sign_in("reviewer"), []
    for _ in range(ROUNDS):
        scene = await visit(unit, "GLU")
        await _said(unit, scene, "GLU", observation("GLU", "25.0"))
        (alert,) = await alerts_of(unit, scene.exam_id)
        answer, _ = await asyncio.gather(
            _do(reviewer, alert, "confirm"),
            _said(unit, scene, "GLU", observation("GLU", "5.2", status="C", minute=1)),
        )
        (now,) = await alerts_of(unit, scene.exam_id)
        ends.append((answer.status_code, now.state, now.corrected_at is not None))
    assert set(ends) <= {(200, "confirmed", True), (412, "superseded", True)}, ends


@pytest.mark.requirement("E5.2", "E5.3")
async def test_escalation_while_somebody_acts_or_a_correction_comes_breaks_neither(
    unit: OpenUnit, sign_in: SignIn, admin: asyncpg.Connection, runtime: Runtime
) -> None:
    reviewer = await sign_in("reviewer")

    async def sweep() -> None:
        async with runtime.units.open(SYSTEM, "worker") as uow:
            await critical_values.escalate(uow)

    for turn in range(ROUNDS):
        scene = await visit(unit, "GLU")
        await _said(unit, scene, "GLU", observation("GLU", "25.0"))
        (alert,) = await alerts_of(unit, scene.exam_id)
        await admin.execute(
            "update critical_value set due_at = due_at - $1::interval where id = $2", timedelta(hours=1), alert.id
        )
        corrected = _said(unit, scene, "GLU", observation("GLU", "5.2", status="C", minute=1))
        acts: list[Any] = [_do(reviewer, alert, "confirm"), *([corrected] if turn % 2 else [])]
        if not turn % 2:
            corrected.close()
        answer, *_ = await asyncio.gather(*acts, *(sweep() for _ in range(3)))
        assert answer.status_code in (200, 412), answer.text
        (now,) = await alerts_of(unit, scene.exam_id)
        steps = await admin.fetch(
            "select version, action from critical_step where critical_value_id = $1 order by version", alert.id
        )
        assert [row["version"] for row in steps] == list(range(1, now.version + 1))
        assert [row["action"] for row in steps].count("escalated") <= 1


@pytest.mark.requirement("E5.3")
async def test_two_people_who_close_at_once_close_once(unit: OpenUnit, sign_in: SignIn) -> None:
    scene = await visit(unit, "GLU")
    await _said(unit, scene, "GLU", observation("GLU", "25.0"))
    (alert,) = await alerts_of(unit, scene.exam_id)
    one, other = await sign_in("reviewer"), await sign_in("chief")
    await _do(one, alert, "confirm")
    (alert,) = await alerts_of(unit, scene.exam_id)
    told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "血糖 25,去急诊"}
    await _do(one, alert, "notify", told)
    (alert,) = await alerts_of(unit, scene.exam_id)
    answers = await asyncio.gather(*(_do(who, alert, "close", {"outcome": "收住院"}) for who in (one, other)))
    assert sorted(a.status_code for a in answers) == [200, 412]
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert alert.state == "closed"


@pytest.mark.requirement("E5.2", "E5.3")
async def test_a_critical_value_of_a_finalized_exam_is_raised_and_can_be_seen_to_its_end(world: World) -> None:
    seen = await world.finalized("GLU")
    await world.file(seen, status="C", GLU="25.0")
    reviewer = await world.sign_in("reviewer")
    listed = f"{API}/critical-values?exam_id={seen.exam_id}"
    (value,) = (await reviewer.get(listed)).json()["items"]
    assert value["state"] == "detected"
    told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "血糖 25,去急诊"}
    for verb, body in (("confirm", None), ("notify", told), ("close", {"outcome": "收住院"})):
        tag = {"If-Match": f'"{value["version"]}"'}
        answer = await reviewer.post(f"{API}/critical-values/{value['id']}:{verb}", json=body, headers=tag)
        assert answer.status_code == 200, answer.text
        value = answer.json()
    assert value["state"] == "closed"


@pytest.mark.requirement("E5.2")
async def test_an_exam_that_is_finalized_while_a_critical_value_comes_ends_with_its_alert_either_way(
    world: World, unit: OpenUnit
) -> None:
    chief, ends = await world.sign_in("chief"), set()
    for _ in range(3):
        seen = await world.ready("GLU")
        reviewer = await world.sign_in("reviewer")
        for verb, tag in (("conclusion:generate", '"0"'), ("conclusion:sign", '"1"')):
            answer = await reviewer.post(f"{seen.place}/{verb}", headers={"If-Match": tag})
            assert answer.status_code == 200, answer.text
        finalize = chief.post(f"{seen.place}/conclusion:finalize", headers={"If-Match": '"2"'})
        answer, _ = await asyncio.gather(finalize, world.file(seen, status="C", GLU="25.0"))
        ends.add((answer.status_code, tuple(a.state for a in await alerts_of(unit, seen.exam_id))))
    assert ends <= {(200, ("detected",)), (409, ("detected",)), (412, ("detected",))}, ends


@pytest.mark.requirement("E5.2")
async def test_another_department_that_enters_its_values_supersedes_nothing_of_the_laboratory(world: World) -> None:
    seen = await world.checked_in("GLU", "GENERAL")
    await world.file(seen, GLU="25.0")
    doctor, place = await world.sign_in("doctor"), f"{seen.place}/departments/{seen.departments['GENERAL']}"
    items = {i["item_code"]: i["item_id"] for i in (await doctor.get(f"{place}/sheet")).json()["items"]}
    body = {"results": [{"item_id": items["SBP"], "value": "150"}, {"item_id": items["DBP"], "value": "95"}]}
    entered = await doctor.put(f"{place}/results", json=body, headers={"If-Match": '"0"'})
    assert entered.status_code == 200, entered.text
    reviewer = await world.sign_in("reviewer")
    listed = (await reviewer.get(f"{API}/critical-values?exam_id={seen.exam_id}")).json()["items"]
    assert [value["state"] for value in listed] == ["detected"]
