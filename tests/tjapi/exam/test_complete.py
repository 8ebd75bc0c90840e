"""*Complete* is a promise: the exam is signed by whoever is entitled to; and whatever keeps it from being signed is named beforehand."""

import os
import random
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.tjapi.world import UNREMARKABLE, SignIn, Visit, World, key
from tjapi.exam.rules import EXAM_MOVES, OPEN_FOR_LINES, standing
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("X1")
SEED = int(os.environ.get("TJ_FAULT_SEED") or 20261129)
WALKS = int(os.environ.get("TJ_COMPLETE_WALKS", "16"))
GROUPS = ("GENERAL", "ECG", "GLU", "RENAL")
CRITICAL = {"K": "9.0", "GLU": "30.0"}


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _completeness(world: World, visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = (await (await world.sign_in("front")).get(f"{visit.place}/completeness")).json()
    return found


async def _sign_off(world: World, visit: Visit) -> httpx.Response:
    """What two doctors do who are entitled to it; the first refusal, or the last answer."""
    reviewer, chief = await world.sign_in("reviewer"), await world.sign_in("chief")
    place = f"{visit.place}/conclusion"
    held = await reviewer.get(place)
    if held.json()["state"] == "draft":
        body = {"overview": "未见明显异常。", "entries": []}
        held = await reviewer.put(place, json=body, headers={"If-Match": held.headers["etag"]})
        if held.is_error:
            return held
        held = await reviewer.post(f"{place}:sign", headers={"If-Match": held.headers["etag"]})
        if held.is_error:
            return held
    return await chief.post(f"{place}:finalize", headers={"If-Match": held.headers["etag"]})


async def _walk(world: World, chance: random.Random) -> tuple[Visit, list[str]]:
    """Some of what happens to an exam, in an order in which it may."""
    groups = chance.sample(GROUPS, chance.randint(1, 3))
    visit, front = await world.registered(*groups), await world.sign_in("front")
    done: list[str] = []

    async def lines(verb: str, codes: list[str]) -> None:
        body = {"line_ids": [str(visit.lines[code]) for code in codes], "reason": "受检者要求"}
        more = {"due_on": "2098-12-31"} if verb == "defer" else {}
        await front.post(f"{visit.place}/lines:{verb}", json=body | more)

    async def examine() -> None:
        doctor = await world.sign_in("doctor")
        for code in set(groups) & {"GENERAL", "ECG"}:
            place = f"{visit.place}/departments/{visit.departments[code]}/sheet"
            held = await doctor.get(place)
            if held.is_success:
                tag = {"If-Match": held.headers["etag"]}
                await doctor.post(f"{place}:sign", json={"fill_defaults": True}, headers=tag)

    async def step(name: str) -> None:
        if name in ("withdraw", "refuse", "waive", "defer", "reinstate"):
            await lines(name, chance.sample(groups, chance.randint(1, len(groups))))
        elif name == "check-in":
            await front.post(f"{visit.place}:check-in", headers=key())
        elif name in ("hold", "resume", "cancel"):
            await front.post(f"{visit.place}:{name}", json=None if name == "resume" else {"reason": "发热"})
        elif name == "return":
            await front.post(f"{visit.place}:return-guide-sheet", json={"decisions": []})
        elif name == "examine":
            await examine()
        elif name in ("file", "file critical"):
            await world.file(visit, **(CRITICAL if name == "file critical" else UNREMARKABLE))

    early = ["withdraw", "refuse", "waive", "defer", "hold", "resume", "cancel"]
    late = ["refuse", "waive", "reinstate", "hold", "resume", "return", "examine", "file critical"]
    steps = chance.sample(early, chance.choice((0, 0, 1, 1, 2)))
    if chance.random() < 0.85:
        steps += ["check-in", *chance.sample(late, chance.randint(0, 3))]
    if chance.random() < 0.7:
        steps += ["resume", "examine", "file", "refuse"]
    if chance.random() < 0.3:
        steps += ["hold"]
    for name in steps:
        try:
            await step(name)
        except AssertionError:
            continue  # the laboratory was asked for nothing, or an exam on hold takes nothing
        done.append(name)
    return visit, done


async def test_an_exam_is_complete_exactly_when_those_entitled_can_sign_it_off(world: World) -> None:
    tally: Counter[bool] = Counter()
    for n in range(WALKS):
        chance = random.Random(SEED + n)
        visit, done = await _walk(world, chance)
        said = await _completeness(world, visit)
        answer = await _sign_off(world, visit)
        assert answer.is_success == said["complete"], (n, done, said, answer.text)
        if not said["complete"]:
            refused = answer.json()
            assert refused["code"] == "exam-not-complete", (n, done, refused)
            named = {(e["pointer"], e["code"]) for e in refused["errors"]}
            assert named == {(o["source"], o["code"]) for o in said["outstanding"]}, (n, done)
        tally[said["complete"]] += 1
    assert min(tally[True], tally[False]) >= WALKS // 8, tally


async def test_an_exam_on_hold_says_so_and_is_refused_by_that_name(world: World) -> None:
    visit, front = await world.ready("GLU"), await world.sign_in("front")
    assert (await _completeness(world, visit))["complete"]
    await front.post(f"{visit.place}:hold", json={"reason": "发热"})
    said = await _completeness(world, visit)
    [only] = said["outstanding"]
    assert (said["complete"], only["code"], only["source"]) == (False, "on_hold", "exam")
    assert (only["zh"], only["en"]) == ("体检已暂停:发热", "the exam is on hold: 发热")
    reviewer = await world.sign_in("reviewer")
    seen = (await reviewer.get(f"{visit.place}/review")).json()
    assert (seen["complete"], [o["code"] for o in seen["outstanding"]]) == (False, ["on_hold"])
    refused = await _sign_off(world, visit)
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-not-complete")
    assert [e["code"] for e in refused.json()["errors"]] == ["on_hold"]
    await front.post(f"{visit.place}:resume")
    assert (await _sign_off(world, visit)).status_code == 200


async def test_who_refused_everything_before_coming_is_ready_once_they_are_here(world: World) -> None:
    visit, front = await world.registered("GLU"), await world.sign_in("front")
    body = {"line_ids": [str(visit.lines["GLU"])], "reason": "受检者要求"}
    await front.post(f"{visit.place}/lines:refuse", json=body)
    assert [o["code"] for o in (await _completeness(world, visit))["outstanding"]] == ["not_checked_in"]
    await front.post(f"{visit.place}:check-in", headers=key())
    assert (await _completeness(world, visit))["complete"]
    assert (await _sign_off(world, visit)).status_code == 200


def test_whatever_state_an_exam_is_in_either_it_may_be_reviewed_or_it_says_why_not() -> None:
    for state in EXAM_MOVES:
        why = standing(state, has_lines=True)
        assert (why is None) == (state in OPEN_FOR_LINES - {"prepared"} or state == "finalized"), state
        assert standing(state, has_lines=False) is not None
