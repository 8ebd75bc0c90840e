"""Check-in hands out what is printed; the one-time code is kept as a digest, used once, and replaced by a new one."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from tests.tjapi.world import API, SignIn, World, key
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.requirement("E1.5")
async def test_check_in_gives_the_exam_its_tubes_and_a_code_and_orders_the_tests(
    world: World, admin: asyncpg.Connection
) -> None:
    visit, front = await world.registered("CBC", "GLU", "GENERAL"), await world.sign_in("front")
    orders = "select count(*) from job where name = 'requisition.send_order' and payload ->> 'requisition_id' = any(select id::text from requisition where exam_id = $1)"
    assert await admin.fetchval(orders, visit.exam_id) == 0
    answer = (await front.post(f"{visit.place}:check-in", headers=key())).json()
    assert (answer["exam"]["state"], len(answer["tubes"])) == ("checked_in", 2)
    assert len(answer["access"]["access_code"]) == 8
    assert answer["access"]["access_code"].isdigit()
    assert await admin.fetchval(orders, visit.exam_id) == 1
    seen = await admin.fetch(
        "select action from audit_event where object_id = $1 order by id", str(visit.exam_id)
    )  # fmt: skip
    assert [row["action"] for row in seen] == ["exam.registered", "exam.checked_in", "access_code.issued"]


@pytest.mark.requirement("E1.1", "E1.5")
async def test_an_exam_is_of_the_day_on_which_somebody_comes_whatever_day_was_meant(world: World) -> None:
    front, today = await world.sign_in("front"), business_day(world.runtime.clock.now())
    for days in (-3, 3):
        person, _ = await world.person()
        meant = {"exam_date": f"{today + timedelta(days=days)}", "despite": ["past_date"]}
        exam = (await front.post(f"{API}/exams", json=await world.order(person, "GLU") | meant, headers=key())).json()
        arrived = (await front.post(f"{API}/exams/{exam['id']}:check-in")).json()["exam"]
        assert arrived["exam_date"] == f"{today}"


@pytest.mark.requirement("E1.1", "E1.5")
async def test_an_exam_of_another_day_does_not_come_beside_todays_unasked(world: World) -> None:
    front, today = await world.sign_in("front"), business_day(world.runtime.clock.now())
    visit = await world.checked_in("GLU")
    body = await world.order(visit.examinee_id, "CBC") | {"exam_date": f"{today + timedelta(days=1)}"}
    exam = (await front.post(f"{API}/exams", json=body, headers=key())).json()
    place = f"{API}/exams/{exam['id']}:check-in"
    asked = await front.post(place)
    assert (asked.status_code, asked.json()["code"]) == (409, "exam-doubtful")
    assert [(e["pointer"], e["code"]) for e in asked.json()["errors"]] == [("/despite", "second_exam")]
    kept = (await front.get(f"{API}/exams/{exam['id']}")).json()
    assert (kept["exam_date"], kept["state"]) == (body["exam_date"], "prepared")
    arrived = await front.post(place, json={"despite": ["second_exam"]})
    assert arrived.status_code == 200, arrived.text
    assert arrived.json()["exam"]["exam_date"] == f"{today}"


@pytest.mark.requirement("E1.5", "E1.6")
async def test_an_exam_on_hold_is_not_checked_in_but_resumed_first(world: World) -> None:
    visit, front = await world.registered("GLU"), await world.sign_in("front")
    await front.post(f"{visit.place}:hold", json={"reason": "等待单位确认"})
    refused = await front.post(f"{visit.place}:check-in")
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-state-conflict")
    held = (await front.get(visit.place)).json()
    assert (held["state"], held["hold_reason"]) == ("on_hold", "等待单位确认")
    await front.post(f"{visit.place}:resume")
    assert (await front.post(f"{visit.place}:check-in")).json()["exam"]["state"] == "checked_in"


@pytest.mark.requirement("E1.5", "X1")
async def test_who_refused_everything_before_coming_is_ready_for_review_on_coming(world: World) -> None:
    visit, front = await world.registered("GLU"), await world.sign_in("front")
    body = {"line_ids": [str(visit.lines["GLU"])], "reason": "受检者要求", "signature": "张三"}
    assert (await front.post(f"{visit.place}/lines:refuse", json=body)).json()["state"] == "prepared"
    assert (await front.post(f"{visit.place}:check-in")).json()["exam"]["state"] == "ready_for_review"


@pytest.mark.requirement("E1.1")
async def test_the_board_of_nobodys_campus_is_not_found_and_a_column_that_there_is_not_is_said_in_chinese(
    world: World,
) -> None:
    front = await world.sign_in("front")
    for path in ("board", "board/booked/exams"):
        answer = await front.get(f"{API}/{path}", params={"campus_id": 9})
        assert (answer.status_code, answer.json()["code"]) == (404, "campus-not-held")
        assert [e["pointer"] for e in answer.json()["errors"]] == ["query:campus_id"]
    wrong = await front.get(f"{API}/board/nonsense/exams", params={"campus_id": 1})
    (said,) = wrong.json()["errors"]
    assert said["message"] == "只能是:'booked'、'awaiting_payment'、'checked_in'、'blood_drawn'、'examined'"


@pytest.mark.requirement("E1.6")
async def test_a_group_that_there_is_not_is_named_where_it_was_asked_for(world: World) -> None:
    visit, front, ids = await world.registered("GLU"), await world.sign_in("front"), await world.groups()
    body = {"item_group_ids": [str(ids["CBC"]), str(visit.exam_id)]}
    answers = [
        await front.post(f"{visit.place}/lines", json=body, headers=key()),
        await front.post(f"{API}/exams", json={"campus_id": 1, "examinee_id": str(visit.examinee_id), **body}, headers=key()),
        await front.post(f"{API}/quotes", json=body),
    ]  # fmt: skip
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "item-group-not-found")
        assert [e["pointer"] for e in answer.json()["errors"]] == ["/item_group_ids/1"]


async def test_checking_in_again_with_the_same_key_prints_the_same_sheet(world: World) -> None:
    visit, front, header = await world.registered("GLU"), await world.sign_in("front"), key()
    first = await front.post(f"{visit.place}:check-in", headers=header)
    again = await front.post(f"{visit.place}:check-in", headers=header)
    assert (first.status_code, again.status_code, again.headers["idempotency-replayed"]) == (200, 200, "true")
    assert first.json() == again.json()


@pytest.mark.requirement("I5")
async def test_a_code_is_not_readable_where_it_is_kept(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.checked_in("GLU")
    row = await admin.fetchrow("select * from access_code where exam_id = $1", visit.exam_id)
    assert visit.access_code not in str(dict(row))
    assert len(row["digest"]) == 32
    assert (row["failures"], row["used_at"]) == (0, None)


@pytest.mark.requirement("I5")
async def test_a_new_code_ends_the_old_one_and_starts_counting_anew(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    for _ in range(4):
        assert (await world.exchange(visit, id_number_last4="0000")).status_code == 401
    old = visit.access_code
    fresh = await front.post(f"{visit.place}:issue-access-code")
    visit.access_code = fresh.json()["access_code"]
    assert visit.access_code != old
    assert (await world.exchange(visit, access_code=old)).status_code == 401
    assert (await world.exchange(visit)).status_code == 200


async def test_two_desks_asking_for_a_code_at_once_leave_one_that_works(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    answers = await asyncio.gather(*(front.post(f"{visit.place}:issue-access-code") for _ in range(4)))
    assert [a.status_code for a in answers] == [200] * 4
    tried = [await world.exchange(visit, access_code=a.json()["access_code"]) for a in answers]
    assert sorted(a.status_code for a in tried) == [200, 401, 401, 401]


async def test_only_who_may_check_in_does(world: World) -> None:
    visit = await world.registered("GLU")
    for name in ("doctor", "reviewer", "chief", "auditor"):
        client = await world.sign_in(name)
        answer = await client.post(f"{visit.place}:check-in")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), name
