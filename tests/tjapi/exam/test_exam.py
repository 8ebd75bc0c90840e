"""One visit: registered, released, checked in, cancelled, complete or not, and what the database itself refuses."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.tjapi.world import API, UNREMARKABLE, SignIn, Visit, World, key
from tjapi import demo
from tjapi.conclusion import service as conclusions
from tjapi.conclusion.errors import SameReviewer
from tjapi.conclusion.schemas import ConclusionIn
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamNotComplete, ExamStateConflict, LineStateConflict
from tjapi.exam.rules import EXAM_MOVES, LINE_MOVES, check_digit
from tjapi.exam.schemas import ExamIn
from tjapi.kernel.runtime import Runtime


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _lines(world: World, visit: Visit) -> dict[str, str]:
    async with world.runtime.units.read(demo.LOADER) as uow:
        return {line.code: line.state for line in await exams.lines(uow, visit.exam_id)}


async def _state(world: World, visit: Visit) -> str:
    async with world.runtime.units.read(demo.LOADER) as uow:
        return (await exams.get(uow, visit.exam_id)).state


@pytest.mark.requirement("E1.3")
async def test_registering_copies_the_person_and_the_prices_and_releases_what_needs_no_payment(world: World) -> None:
    visit, front = await world.registered("GENERAL", "GLU", "CBC"), await world.sign_in("front")
    exam = (await front.get(visit.place)).json()
    assert (exam["state"], exam["name"], exam["sex"]) == ("prepared", visit.card["name"], visit.card["sex"])
    assert {line["state"] for line in exam["lines"]} == {"released"}
    assert exam["total_fen"] == sum(line["price_fen"] for line in exam["lines"]) > 0
    assert all(line["person_share_fen"] + line["employer_share_fen"] == line["price_fen"] for line in exam["lines"])


@pytest.mark.requirement("E1.3")
async def test_twenty_registrations_at_once_get_twenty_numbers_with_their_check_digits(world: World) -> None:
    day = date(2031, 5, 17)  # a day of its own: its numbers begin at 1
    front, ids = await world.sign_in("front"), await world.groups()
    people = [await world.person() for _ in range(20)]

    async def register(person: UUID) -> str:
        body = {
            "campus_id": 1,
            "examinee_id": str(person),
            "item_group_ids": [str(ids["GLU"])],
            "exam_date": f"{day}",
            "despite": ["far_date"],
        }
        answer = await front.post(f"{API}/exams", json=body, headers=key())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["exam_no"])

    numbers = sorted(await asyncio.gather(*(register(person) for person, _ in people)))
    assert [n[:-1] for n in numbers] == [f"A310517{i:04d}" for i in range(1, 21)]
    assert all(n[-1] == check_digit(n[1:-1]) for n in numbers)


@pytest.mark.parametrize(
    ("change", "status", "code", "pointer"),
    [
        ({"campus_id": 2}, 404, "campus-not-held", "/campus_id"),
        ({"campus_id": 77}, 404, "campus-not-held", "/campus_id"),
        ({"examinee_id": str(uuid4())}, 404, "examinee-not-found", None),
        ({"item_group_ids": []}, 422, "exam-empty", "/item_group_ids"),
        ({"state": "finalized"}, 422, "invalid", "/state"),
    ],
)
async def test_what_cannot_be_registered_is_named_and_leaves_nothing(
    world: World, admin: asyncpg.Connection, change: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    body = await world.order(person, "GLU") | change
    answer = await front.post(f"{API}/exams", json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer
    assert await admin.fetchval("select count(*) from exam where examinee_id = $1", person) == 0


async def test_a_package_for_the_other_sex_is_refused(world: World) -> None:
    front, (person, card) = await world.sign_in("front"), await world.person()
    packages = (await front.get(f"{API}/exam-packages", params={"page_size": 200})).json()["items"]
    other = next(p["id"] for p in packages if p["sex"] not in ("any", card["sex"]))
    body = {"campus_id": 1, "examinee_id": str(person), "package_id": other}
    answer = await front.post(f"{API}/exams", json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "package-not-for-sex")


async def test_where_payment_is_required_priced_lines_wait_and_no_tube_is_planned(
    world: World, admin: asyncpg.Connection
) -> None:
    person, _ = await world.person()
    ids = await world.groups()
    async with world.runtime.units.open(demo.LOADER) as uow:
        new = ExamIn(campus_id=1, examinee_id=person, item_group_ids=[ids["GLU"], ids["GENERAL"]])
        exam = await exams.register(uow, new, payment_required=True)
    async with world.runtime.units.read(demo.LOADER) as uow:
        lines = await exams.lines(uow, exam.id)
    assert {line.state for line in lines} == {"ordered"}
    counting = "select count(*) from tube where exam_id = $1"
    assert await admin.fetchval(counting, exam.id) == 0
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.release(uow, exam.id, [line.id for line in lines])
        await exams.release(uow, exam.id, [line.id for line in lines])  # covered twice is covered
    assert await admin.fetchval(counting, exam.id) == 1


@pytest.mark.requirement("E1.5", "E1.6")
async def test_who_is_here_is_not_checked_in_again_and_who_is_cancelled_does_not_come(world: World) -> None:
    front = await world.sign_in("front")
    here, gone = await world.checked_in(), await world.registered()
    again = await front.post(f"{here.place}:check-in")
    assert (again.status_code, again.json()["code"]) == (409, "exam-state-conflict")
    cancelled = await front.post(f"{gone.place}:cancel", json={"reason": "改期"})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert {line["state"] for line in cancelled.json()["lines"]} == {"withdrawn"}
    for verb, body in (("check-in", None), ("cancel", {"reason": "again"})):
        answer = await front.post(f"{gone.place}:{verb}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "exam-state-conflict"), verb


async def test_of_six_check_ins_at_once_one_succeeds(world: World) -> None:
    visit, front = await world.registered(), await world.sign_in("front")
    answers = await asyncio.gather(*(front.post(f"{visit.place}:check-in") for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409, 409]


@pytest.mark.requirement("E1.6")
async def test_an_exam_of_which_something_was_collected_is_not_cancelled(world: World) -> None:
    visit, front = await world.checked_in("GLU"), await world.sign_in("front")
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    answer = await front.post(f"{visit.place}:cancel", json={"reason": "不想做了"})
    assert (answer.status_code, await _state(world, visit)) == (409, "in_progress")
    assert await _lines(world, visit) == {"GLU": "collected"}


@pytest.mark.requirement("X1")
async def test_completeness_names_every_reason_and_each_goes_when_it_is_settled(world: World) -> None:
    visit, front, doctor = (
        await world.checked_in("GENERAL", "GLU"), await world.sign_in("front"), await world.sign_in("doctor"),
    )  # fmt: skip

    async def outstanding() -> dict[str, tuple[str, int | None]]:
        told = (await front.get(f"{visit.place}/completeness")).json()
        assert told["complete"] is (not told["outstanding"])
        assert all(reason["zh"] and reason["en"] for reason in told["outstanding"])
        return {reason["source"]: (reason["code"], reason["department_id"]) for reason in told["outstanding"]}

    general, glucose = f"line:{visit.lines['GENERAL']}", f"line:{visit.lines['GLU']}"
    department = visit.departments["GENERAL"]
    summary = f"department:{department}"
    assert await outstanding() == {
        general: ("line_released", department), glucose: ("line_released", visit.departments["GLU"]),
        summary: ("summary_unsigned", department),
    }  # fmt: skip
    await front.post(f"{API}/tubes/{visit.tubes[0]['id']}:collect")
    assert (await outstanding())[glucose][0] == "line_collected"
    await world.file(visit)
    assert set(await outstanding()) == {general, summary}
    sheet = await doctor.get(f"{visit.place}/departments/{department}/sheet")
    values = [
        {"item_id": i["item_id"], "value": UNREMARKABLE.get(i["item_code"], "70")}
        for i in sheet.json()["items"]
        if i["entered_here"]
    ]
    place = f"{visit.place}/departments/{department}"
    entered = await doctor.put(
        f"{place}/results", json={"results": values}, headers={"If-Match": sheet.headers["etag"]}
    )
    assert (await outstanding())[general][0] == "line_resulted"
    signed = await doctor.post(
        f"{place}/sheet:sign", json={"summary": "见各项结果"}, headers={"If-Match": entered.headers["etag"]}
    )
    assert (await outstanding(), await _state(world, visit)) == ({}, "ready_for_review")
    await doctor.post(
        f"{place}/sheet:reopen", json={"reason": "身高录错"}, headers={"If-Match": signed.headers["etag"]}
    )
    assert (set(await outstanding()), await _state(world, visit)) == ({general, summary}, "in_progress")


@pytest.mark.requirement("X1")
async def test_an_exam_with_anything_outstanding_is_neither_reviewed_nor_finalized(world: World) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    await world.file(visit)
    for verb in (exams.begin_review, exams.finalize):
        with pytest.raises(ExamNotComplete) as refused:
            async with world.runtime.units.open(demo.LOADER) as uow:
                await verb(uow, visit.exam_id)
        assert {e.code for e in refused.value.errors} == {"line_released", "summary_unsigned"}
    assert await _state(world, visit) == "in_progress"


async def test_a_block_that_comes_under_the_review_takes_the_exam_out_of_it(world: World) -> None:
    visit = await world.ready("GLU")
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.begin_review(uow, visit.exam_id)
        await exams.block(uow, visit.exam_id, "result_under_review", "result:1")
        await exams.block(uow, visit.exam_id, "result_under_review", "result:1")  # twice is once
    assert await _state(world, visit) == "in_progress"
    with pytest.raises(ExamNotComplete):
        async with world.runtime.units.open(demo.LOADER) as uow:
            await exams.finalize(uow, visit.exam_id)
    async with world.runtime.units.open(demo.LOADER) as uow:
        await exams.unblock(uow, visit.exam_id, "result_under_review", "result:1")
        await exams.unblock(uow, visit.exam_id, "result_under_review", "result:1")
    assert await _state(world, visit) == "ready_for_review"


async def test_a_reason_without_a_sentence_is_a_bug(world: World) -> None:
    visit = await world.registered()
    async with world.runtime.units.open(demo.LOADER) as uow:
        with pytest.raises(ValueError, match="unknown block code"):
            await exams.block(uow, visit.exam_id, "no_such_reason", "x")


async def test_every_step_of_a_line_that_the_table_lacks_is_refused_by_the_service(world: World) -> None:
    visit = await world.checked_in("GENERAL")
    line = visit.lines["GENERAL"]
    for to in sorted(set(LINE_MOVES) - LINE_MOVES["released"] - {"released"}):
        with pytest.raises(LineStateConflict):
            async with world.runtime.units.open(demo.LOADER) as uow:
                await exams.advance(uow, visit.exam_id, {line: [to]})
    async with world.runtime.units.open(demo.LOADER) as uow:
        with pytest.raises(LineStateConflict):
            await exams.advance(uow, visit.exam_id, {uuid4(): ["started"]})
        with pytest.raises(ExamStateConflict):
            await exams.check_in(uow, visit.exam_id)


@pytest.mark.parametrize(("table", "moves"), [("exam", EXAM_MOVES), ("exam_line", LINE_MOVES)])
async def test_the_database_refuses_the_illegal_steps_and_allows_the_others(
    world: World, admin: asyncpg.Connection, table: str, moves: dict[str, frozenset[str]]
) -> None:
    """Every pair of states, as the application's own role, past every service."""
    visit = await world.registered("GENERAL")
    which = visit.exam_id if table == "exam" else visit.lines["GENERAL"]
    wrong = []
    async with world.runtime.units.open(demo.LOADER) as uow:
        for start, legal in moves.items():
            # Only a superuser may put it anywhere.
            await admin.execute("set session_replication_role = replica")
            await admin.execute(f"update {table} set state = $1 where id = $2", start, which)
            await admin.execute("set session_replication_role = origin")
            for to in moves:
                nested = await uow.session.begin_nested()
                try:
                    await uow.session.execute(
                        text(f"update {table} set state = :to where id = :id"), {"to": to, "id": which}
                    )
                    allowed = True
                except DBAPIError as error:
                    allowed = "may not go" not in str(error)
                await nested.rollback()
                if allowed != (to == start or to in legal):
                    wrong.append((start, to, allowed))
            await uow.session.rollback()
    assert not wrong


@pytest.mark.requirement("X5")
async def test_a_finalized_exam_is_closed_in_the_database_itself(world: World) -> None:
    visit = await world.finalized("GLU")
    for statement in (
        "update conclusion_entry set title = 'other' where exam_id = :id",
        "delete from conclusion_entry where exam_id = :id",
        "insert into conclusion_entry (id, exam_id, campus_id, sort, kind, title) values (gen_random_uuid(), :id, 1, 9, 'risk', 'new')",
        (
            "insert into exam_line select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid()))).* from exam_line l"
            " where exam_id = :id"
        ),
    ):
        with pytest.raises(DBAPIError, match="is finalized"):
            async with world.runtime.units.open(demo.LOADER) as uow:
                await uow.session.execute(text(statement), {"id": visit.exam_id})


async def test_revisions_of_a_result_are_only_added(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.ready("GLU")
    statements = (
        "update result_revision set raw_value = '9' where exam_id = '{}'",
        "delete from result_revision where exam_id = '{}'",
    )
    for statement in statements:
        with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
            async with world.runtime.units.open(demo.LOADER) as uow:
                await uow.session.execute(text(statement.format(visit.exam_id)))
        # Not even who owns the table: the trigger asks nobody's name.
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await admin.execute(statement.format(visit.exam_id))


async def test_an_exam_of_another_campus_does_not_exist(world: World) -> None:
    visit, stranger = await world.checked_in(), await world.sign_in("front.b")
    for method, path in (
        ("GET", ""), ("GET", "/completeness"), ("GET", "/tubes"), ("POST", ":check-in"), ("POST", ":issue-access-code"),
    ):  # fmt: skip
        answer = await stranger.request(method, visit.place + path)
        assert (answer.status_code, answer.json()["code"]) == (404, "exam-not-found"), path
    listed = await stranger.get(f"{API}/exams", params={"exam_no": visit.exam_no})
    assert listed.json()["items"] == []


@pytest.mark.requirement("E4.8")
async def test_who_signed_first_does_not_give_the_final_signature(world: World) -> None:
    visit, chief = await world.ready("GLU"), await world.staff("chief")
    draft = ConclusionIn.model_validate({"overview": "正常", "entries": []})
    async with world.runtime.units.open(chief) as uow:
        await conclusions.write(uow, visit.exam_id, draft, 0)
        await conclusions.sign(uow, visit.exam_id, 1)
    with pytest.raises(SameReviewer):
        async with world.runtime.units.open(chief) as uow:
            await conclusions.finalize(uow, visit.exam_id, 2)
    # The row itself knows: two columns, two people.
    with pytest.raises(DBAPIError, match="two_people"):
        async with world.runtime.units.open(demo.LOADER) as uow:
            await uow.session.execute(
                text("update conclusion set state = 'finalized', final_by = initial_by where exam_id = :id"),
                {"id": visit.exam_id},
            )
    assert await _state(world, visit) == "in_review"


async def test_nobody_is_examined_before_being_born(world: World) -> None:
    front = await world.sign_in("front")
    card = {
        "name": "新生",
        "sex": "female",
        "birth_date": "2020-05-02",
        "id_kind": "passport",
        "id_number": f"E{uuid4().hex[:8].upper()}",
    }
    child = (await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=key())).json()["id"]
    body = await world.order(child, "GLU") | {"exam_date": "2020-05-01", "despite": ["past_date"]}
    refused = await front.post(f"{API}/exams", json=body, headers=key())
    assert (refused.status_code, refused.json()["code"]) == (422, "exam-before-birth")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/exam_date"]
    born = await front.post(f"{API}/exams", json=body | {"exam_date": "2020-05-02"}, headers=key())
    assert (born.status_code, born.json()["age_years"]) == (201, 0)
