"""替检: who finds somebody else stops the exam, a second person decides, and until then nothing goes on."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.conftest import SignIn
from tests.tjapi.world import API, Visit, World
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamStateConflict
from tjapi.frontdesk import service
from tjapi.frontdesk.rules import found_another, score_fault, verdict
from tjapi.frontdesk.schemas import IdentityCheckIn, IdentityDecisionIn
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.result.errors import SignerNotStaff

pytestmark = pytest.mark.requirement("X11")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def check(client: httpx.AsyncClient, visit: Visit, outcome: str, **more: Any) -> httpx.Response:
    body = {"method": "photo", "outcome": outcome, **more}
    return await client.post(f"{visit.place}/identity-checks", json=body)


async def decide(client: httpx.AsyncClient, check_id: str, decision: str) -> httpx.Response:
    body = {"decision": decision, "reason": "核对户口簿"}
    return await client.post(f"{API}/identity-checks/{check_id}:decide", json=body)


async def state(client: httpx.AsyncClient, visit: Visit) -> str:
    return str((await client.get(visit.place)).json()["state"])


def test_a_device_that_compares_faces_gives_a_score_and_nothing_else_does() -> None:
    assert score_fault("face_match", 97, "入口 1 号机") is None
    assert score_fault("face_match", 97, None) == score_fault("face_match", None, "入口 1 号机") == "missing"
    assert score_fault("photo", 97, None) == score_fault("id_card", None, "读卡器") == "not_expected"
    assert score_fault("id_card", None, None) is None
    assert [verdict("different", None), verdict("different", "same"), verdict("same", None)] == [
        "different",
        "same",
        "same",
    ]


async def test_somebody_else_is_not_checked_in_until_a_second_person_decides(
    world: World, admin: asyncpg.Connection
) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.registered("GLU")
    found = await check(
        front, visit, "different", method="face_match", score=31, device="入口 1 号机", note="与证件照不符"
    )
    assert found.status_code == 201, found.text
    held = (await front.get(visit.place)).json()
    assert (held["state"], held["hold_reason"]) == ("on_hold", "身份核验不符")
    refused = await front.post(f"{visit.place}:check-in")
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-state-conflict"), "it is on hold"
    resumed = await front.post(f"{visit.place}:resume")
    assert (resumed.status_code, resumed.json()["code"]) == (409, "exam-held-until-decided")
    own = await decide(front, found.json()["id"], "same")
    assert (own.status_code, own.json()["code"]) == (409, "identity-decided-by-same")
    outstanding = (await front.get(f"{visit.place}/completeness")).json()["outstanding"]
    assert "identity_open" in {o["code"] for o in outstanding}

    decided = (await decide(chief, found.json()["id"], "same")).json()
    assert (decided["decision"], decided["decision_reason"]) == ("same", "核对户口簿")
    assert await state(front, visit) == "prepared", "from where it stood"
    assert (await front.post(f"{visit.place}:check-in")).status_code == 200
    again = await decide(chief, found.json()["id"], "different")
    assert (again.status_code, again.json()["code"]) == (409, "identity-check-decided")
    trail = "select string_agg(action || detail::text, ' ' order by id) from audit_event where object_id = $1 and action like 'identity%'"
    told = await admin.fetchval(trail, str(visit.exam_id))
    assert told.index("identity.checked") < told.index("identity.decided")
    assert not any(personal in told for personal in ("与证件照不符", "户口簿", visit.card["name"]))


async def test_who_is_somebody_else_indeed_leaves_the_exam_for_the_right_person_or_for_nobody(world: World) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visits = [await world.registered("GLU") for _ in range(2)]
    for visit in visits:
        found = (await check(front, visit, "different")).json()
        assert (await decide(chief, found["id"], "different")).status_code == 200
        assert await state(front, visit) == "on_hold", "nobody goes on with it by deciding so"
        assert (await front.post(f"{visit.place}:resume")).status_code == 200
        refused = await front.post(f"{visit.place}:check-in")
        assert refused.json()["code"] == "identity-not-confirmed"
    assert (await front.post(f"{visits[0].place}:cancel", json={"reason": "替检"})).status_code == 200
    await check(front, visits[1], "same", method="id_card")
    assert (await front.post(f"{visits[1].place}:check-in")).status_code == 200, "the right person came"


async def test_at_a_department_what_is_doubtful_is_kept_and_what_is_different_stops_the_walk(world: World) -> None:
    front, doctor, imaging = [await world.sign_in(name) for name in ("front", "doctor", "doctor.imaging")]
    visit = await world.checked_in("GENERAL", "CBC")
    where = visit.departments["GENERAL"]
    assert (await check(imaging, visit, "different", department_id=where)).json()["code"] == "department-not-own"
    wrong = await check(doctor, visit, "same", department_id=6)
    assert [(e["pointer"], e["code"]) for e in wrong.json()["errors"]] == [("/department_id", "not-of-exam")]
    scored = await check(doctor, visit, "same", score=90)
    assert [(e["pointer"], e["code"]) for e in scored.json()["errors"]] == [("/score", "not_expected")]
    assert (await check(doctor, visit, "doubtful", department_id=where)).status_code == 201
    assert await state(front, visit) == "checked_in", "a doubt stops nobody"
    two = [(await check(doctor, visit, "different", department_id=where)).json()["id"] for _ in range(2)]
    assert await state(front, visit) == "on_hold"
    assert (await decide(front, two[0], "same")).status_code == 200
    assert await state(front, visit) == "on_hold", "the other one waits yet"
    assert (await decide(front, two[1], "same")).status_code == 200
    assert await state(front, visit) == "checked_in"
    listed = (await doctor.get(f"{visit.place}/identity-checks")).json()["items"]
    assert [row["outcome"] for row in listed] == ["different", "different", "doubtful"]


async def test_an_exam_held_for_another_reason_is_not_resumed_by_a_decision(world: World) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.registered("GLU")
    await front.post(f"{visit.place}:hold", json={"reason": "发热"})
    refused = await front.post(f"{visit.place}:check-in")
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-state-conflict"), (
        "a hold ends by resuming alone"
    )
    async with world.runtime.units.open(await world.staff("front")) as uow:
        with pytest.raises(ExamStateConflict):  # past the desk, which refuses on its own
            await exams.check_in(uow, visit.exam_id)
    found = (await check(front, visit, "different")).json()
    await decide(chief, found["id"], "same")
    assert (await front.get(visit.place)).json()["hold_reason"] == "发热"
    assert (await front.post(f"{visit.place}:resume")).json()["state"] == "prepared"


async def test_of_many_who_decide_at_once_one_does(world: World) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.registered("GLU")
    found = (await check(front, visit, "different")).json()["id"]
    answers = await asyncio.gather(*(decide(chief, found, decision) for decision in ("same", "different", "same")))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_a_device_looks_and_does_not_decide(world: World, runtime: Runtime) -> None:
    visit = await world.registered("GLU")
    device = Principal("client", uuid4(), campuses=(1,), departments=None, name="入口 1 号机")
    seen = IdentityCheckIn(method="face_match", outcome="different", score=12, device="入口 1 号机")
    async with runtime.units.open(device) as uow:
        found = await service.check_identity(uow, visit.exam_id, seen)
    async with runtime.units.open(replace(device, id=uuid4())) as uow:
        with pytest.raises(SignerNotStaff):
            await service.decide_identity(uow, found.id, IdentityDecisionIn(decision="same", reason="机器"))
    assert (await decide(await world.sign_in("front"), str(found.id), "same")).status_code == 200


@pytest.mark.requirement("D3")
async def test_nobody_is_checked_in_an_exam_that_is_over_or_of_another_campus(world: World) -> None:
    front, other = await world.sign_in("front"), await world.sign_in("front.b")
    visit = await world.registered("GLU")
    assert (await check(other, visit, "different")).json()["code"] == "exam-not-found"
    found = (await check(front, visit, "different")).json()["id"]
    assert (await decide(other, found, "same")).json()["code"] == "identity-check-not-found"
    assert (await decide(await world.sign_in("chief"), found, "different")).status_code == 200
    assert (await front.post(f"{visit.place}:resume")).status_code == 200
    assert (await front.post(f"{visit.place}:cancel", json={"reason": "替检"})).status_code == 200
    assert (await check(front, visit, "same")).json()["code"] == "exam-state-conflict"


async def outstanding(client: httpx.AsyncClient, visit: Visit) -> list[str]:
    return [one["code"] for one in (await client.get(f"{visit.place}/completeness")).json()["outstanding"]]


def test_only_a_check_that_finds_the_person_ends_that_somebody_else_was_found() -> None:
    another = ("different", "different")
    assert found_another([another])
    assert found_another([("doubtful", None), another])
    assert not found_another([("same", None), another])
    assert not found_another([("doubtful", None), ("same", None), another])
    assert not found_another([("different", "same")])
    assert found_another([another, ("same", None)])
    assert not found_another([("doubtful", None)])
    assert not found_another([])


async def test_a_doubt_does_not_check_in_whom_a_check_found_to_be_somebody_else(world: World) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.registered("GLU")
    found = (await check(front, visit, "different")).json()
    assert (await decide(chief, found["id"], "different")).status_code == 200
    assert (await front.post(f"{visit.place}:resume")).status_code == 200
    assert (await check(front, visit, "doubtful")).status_code == 201
    refused = await front.post(f"{visit.place}:check-in")
    assert (refused.status_code, refused.json()["code"]) == (409, "identity-not-confirmed")


async def test_what_somebody_else_gave_or_was_examined_for_is_in_doubt_until_a_person_says_whose_it_is(
    world: World,
) -> None:
    front, chief, doctor = [await world.sign_in(name) for name in ("front", "chief", "doctor")]
    visit = await world.checked_in("GLU", "CBC", "URINE")
    await world.file(visit, groups=["GLU"], GLU="9.00")
    drawn = visit.tube("血常规")
    assert (await front.post(f"{API}/tubes/{drawn['id']}:collect")).status_code == 200
    found = (await check(front, visit, "different")).json()
    assert (await decide(chief, found["id"], "different")).status_code == 200
    refused = await front.post(f"{visit.place}:resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-held-for-person")
    doubted = await outstanding(front, visit)
    # The tube of the third was printed: whether it was drawn nobody has said.
    assert (doubted.count("line_doubted"), doubted.count("identity_other")) == (3, 1)
    # What comes while nobody was found to be the right one may be the other one's as well.
    await world.file(visit, groups=["URINE"])
    assert (await outstanding(front, visit)).count("line_doubted") == 3
    assert (await check(front, visit, "doubtful")).status_code == 201
    assert (await front.post(f"{visit.place}:resume")).status_code == 409
    assert (await check(front, visit, "same", method="id_card")).status_code == 201
    assert (await front.post(f"{visit.place}:resume")).status_code == 200
    assert "identity_other" not in await outstanding(front, visit)
    # Drawn anew, or said by a doctor to be the person's: nothing else ends it.
    rejected = await doctor.post(f"{API}/tubes/{drawn['id']}:reject", json={"reason": "other", "note": "非本人标本"})
    assert rejected.status_code == 200, rejected.text
    assert (await outstanding(front, visit)).count("line_doubted") == 2
    lines = {line["code"]: line["id"] for line in (await front.get(visit.place)).json()["lines"]}
    kept = {"line_ids": [lines["GLU"], lines["URINE"]], "reason": "采集时已核对本人"}
    assert (await front.post(f"{visit.place}/lines:keep", json=kept)).status_code == 403
    answer = await doctor.post(f"{visit.place}/lines:keep", json=kept)
    assert answer.status_code == 200, answer.text
    assert (await outstanding(front, visit)).count("line_doubted") == 0
    again = await doctor.post(f"{visit.place}/lines:keep", json=kept)
    assert (again.status_code, again.json()["code"]) == (409, "line-state-conflict")


@pytest.mark.requirement("E3.5")
async def test_a_tube_that_nobody_scanned_is_in_doubt_when_its_values_come_after_the_right_person(
    world: World,
) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.checked_in("GLU", "CBC", "URINE")
    found = (await check(front, visit, "different")).json()
    assert (await decide(chief, found["id"], "different")).status_code == 200
    # A scan says that it was drawn now of whoever is there only once the right person is.
    scanned = await front.post(f"{API}/tubes/{visit.tube('尿常规')['id']}:collect")
    assert scanned.status_code == 409
    assert (await outstanding(front, visit)).count("line_doubted") == 3
    assert (await check(front, visit, "same", method="id_card")).status_code == 201
    assert (await front.post(f"{visit.place}:resume")).status_code == 200
    # One is drawn before our eyes now; the other's values come, and nobody has seen it drawn.
    assert (await front.post(f"{API}/tubes/{visit.tube('血常规')['id']}:collect")).status_code == 200
    assert (await outstanding(front, visit)).count("line_doubted") == 2
    await world.file(visit, groups=["GLU", "CBC"])
    assert (await outstanding(front, visit)).count("line_doubted") == 2


async def test_the_right_person_may_have_been_found_before_a_second_person_decides(world: World) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.checked_in("GLU")
    found = (await check(front, visit, "different")).json()
    assert (await check(front, visit, "same", method="id_card")).status_code == 201
    assert (await decide(chief, found["id"], "different")).status_code == 200
    assert "identity_other" not in await outstanding(front, visit)
    assert (await front.post(f"{visit.place}:resume")).status_code == 200


@pytest.mark.requirement("E12.1", "E6.1")
async def test_who_is_found_to_be_somebody_else_long_after_has_what_was_signed_opened_again(world: World) -> None:
    front, chief = await world.sign_in("front"), await world.sign_in("chief")
    visit = await world.finalized("GLU")
    published = await world.published(visit)

    async def report() -> tuple[str, bool]:
        one = (await chief.get(f"{API}/reports/{published}")).json()
        return one["state"], one["outdated"]

    found = [(await check(front, visit, "different")).json()["id"] for _ in range(2)]
    assert await report() == ("published", True)
    refused = await chief.post(f"{visit.place}/reports")
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-not-complete")
    assert (await decide(chief, found[0], "same")).status_code == 200
    assert await report() == ("published", True), "the other one waits yet"
    assert (await decide(chief, found[1], "same")).status_code == 200
    assert await report() == ("published", False)
    again = (await check(front, visit, "different")).json()["id"]
    assert (await decide(chief, again, "different")).status_code == 200
    assert await report() == ("recalled", False)
    assert sorted(await outstanding(front, visit)) == ["identity_other", "line_doubted"]
    assert await state(front, visit) == "in_progress"
