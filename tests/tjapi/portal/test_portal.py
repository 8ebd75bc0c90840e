"""An examinee sees the own things alone, enters with what is in the hand, and a guess costs."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, PDF, SignIn, World
from tjapi import demo
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.clock import SystemClock
from tjapi.kernel.runtime import Runtime
from tjapi.report import service as reports
from tjapi.report.errors import ReportNotFound

pytestmark = pytest.mark.requirement("I5")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


def _refused(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


async def test_exam_number_code_and_last_four_open_the_own_record_masked(world: World) -> None:
    visit = await world.checked_in("GLU")
    async with world.owner(visit) as owner:
        me = (await owner.get(f"{API}/me")).json()
    number = visit.card["id_number"]
    assert (me["name"], me["id_number"]) == (visit.card["name"], f"{number[:6]}********{number[-4:]}")


async def test_a_code_is_used_once(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.checked_in("GLU")
    answers = await asyncio.gather(*(world.exchange(visit) for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [200, 401, 401, 401, 401, 401]
    sessions = "select count(*) from portal_session where examinee_id = $1"
    assert await admin.fetchval(sessions, visit.examinee_id) == 1


async def test_five_failures_end_a_code(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.checked_in("GLU")
    wrong = f"{(int(visit.access_code) + 1) % 10**8:08d}"
    for _ in range(5):
        assert (await world.exchange(visit, access_code=wrong)).status_code == 401
    assert (await world.exchange(visit)).status_code == 401
    assert await admin.fetchval("select failures from access_code where exam_id = $1", visit.exam_id) == 5
    refused = "select count(*) from audit_event where action = 'portal.refused' and object_id = $1"
    assert await admin.fetchval(refused, str(visit.exam_id)) == 6


async def test_four_failures_do_not_end_a_code(world: World) -> None:
    visit = await world.checked_in("GLU")
    for _ in range(4):
        await world.exchange(visit, id_number_last4="9z9z")
    assert (await world.exchange(visit)).status_code == 200


async def test_failures_at_once_are_all_counted(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.checked_in("GLU")
    await asyncio.gather(*(world.exchange(visit, id_number_last4="9z9z") for _ in range(12)))
    assert await admin.fetchval("select failures from access_code where exam_id = $1", visit.exam_id) == 5
    assert (await world.exchange(visit)).status_code == 401


async def test_whatever_is_wrong_the_refusal_is_the_same(world: World) -> None:
    visit, used = await world.checked_in("GLU"), await world.checked_in("GLU")
    await world.exchange(used)
    refusals = {
        _refused(answer)
        for answer in (
            await world.exchange(visit, exam_no="A99010199990"),
            await world.exchange(visit, access_code="00000000"),
            await world.exchange(visit, id_number_last4="9z9z"),
            await world.exchange(used),
        )
    }
    assert len(refusals) == 1
    assert refusals.pop()[:2] == (401, "access-refused")


async def test_an_old_code_is_refused(world: World, admin: asyncpg.Connection) -> None:
    visit = await world.checked_in("GLU")
    past = SystemClock().now() - timedelta(seconds=1)
    await admin.execute("update access_code set expires_at = $1 where exam_id = $2", past, visit.exam_id)
    assert (await world.exchange(visit)).status_code == 401


async def test_an_ending_with_a_small_x_is_the_same(world: World) -> None:
    for _ in range(60):
        person, card = await world.person()
        if card["id_number"].endswith("X"):
            break
    visit = await world.checked_in("GLU", examinee_id=person)
    visit.card = card
    assert (await world.exchange(visit, id_number_last4=card["id_number"][-4:].lower())).status_code == 200


async def test_the_holder_of_a_passport_enters_too(world: World) -> None:
    async with world.runtime.units.open(demo.LOADER) as uow:
        number = f"E{uuid4().int % 10**8:08d}"
        payload = IdCardPayload(
            name="Ivy Testcase", sex="female", birth_date=SystemClock().now().date() - timedelta(days=9999),
            id_kind="passport", id_number=number,
        )  # fmt: skip
        person, _ = await examinees.meet(uow, payload, 1)
    visit = await world.checked_in("GLU", examinee_id=person.id)
    visit.card = {"id_number": number}
    assert (await world.exchange(visit)).status_code == 200


async def test_another_persons_report_is_as_unknown_as_one_that_never_was(world: World) -> None:
    mine, theirs = await world.finalized("GLU"), await world.finalized("GLU")
    own, foreign = await world.published(mine), await world.published(theirs)
    async with world.owner(mine) as owner:
        listed = (await owner.get(f"{API}/me/reports")).json()["items"]
        assert [report["id"] for report in listed] == [str(own)]
        assert (await owner.get(f"{API}/me/reports/{own}/pdf")).content == PDF
        for which in (foreign, uuid4()):
            answer = await owner.get(f"{API}/me/reports/{which}/pdf")
            assert (answer.status_code, answer.json()["code"]) == (404, "report-not-found")


async def test_whose_a_report_is_is_asked_even_where_the_database_would_show_it(world: World) -> None:
    mine, theirs = await world.finalized("GLU"), await world.finalized("GLU")
    foreign = await world.published(theirs)
    async with world.runtime.units.open(demo.LOADER) as uow:  # sees the rows of both campuses
        assert (await reports.file_for_examinee(uow, foreign, theirs.examinee_id)).id == foreign
        with pytest.raises(ReportNotFound):
            await reports.file_for_examinee(uow, foreign, mine.examinee_id)


async def test_an_unpublished_report_is_unknown_to_its_owner(world: World) -> None:
    visit = await world.finalized("GLU")
    report_id = await world.generated(visit)
    async with world.owner(visit) as owner:
        assert (await owner.get(f"{API}/me/reports/{report_id}/pdf")).status_code == 404
        assert (await owner.get(f"{API}/me/reports")).json()["items"] == []


async def test_an_examinee_does_nothing_but_look_at_the_own_things(world: World) -> None:
    visit, other = await world.checked_in("GLU"), await world.checked_in("GLU")
    async with world.owner(visit) as owner:
        for method, path in (
            ("GET", visit.place), ("GET", other.place), ("GET", f"{API}/exams"), ("GET", f"{API}/examinees/{visit.examinee_id}"),
            ("POST", f"{visit.place}:cancel"), ("GET", f"{API}/audit-events"), ("GET", f"{API}/jobs"), ("POST", f"{API}/auth/examinee-token"),
        ):  # fmt: skip
            answer = await owner.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), path


async def test_a_token_ends_with_its_session_and_with_its_clients_trust(
    world: World, admin: asyncpg.Connection
) -> None:
    visit = await world.checked_in("GLU")
    async with world.owner(visit) as owner:
        assert (await owner.get(f"{API}/me")).status_code == 200
        await admin.execute("update api_client set status = 'revoked' where client_id = 'mini-program'")
        try:
            assert (await owner.get(f"{API}/me")).status_code == 401
        finally:
            await admin.execute("update api_client set status = 'active' where client_id = 'mini-program'")
        assert (await owner.get(f"{API}/me")).status_code == 200
        await admin.execute("update portal_session set expires_at = now() where examinee_id = $1", visit.examinee_id)
        assert (await owner.get(f"{API}/me")).status_code == 401


async def test_only_a_trusted_client_asks_for_an_examinees_token(world: World) -> None:
    visit = await world.checked_in("GLU")
    given = {
        "exam_no": visit.exam_no,
        "access_code": visit.access_code,
        "id_number_last4": visit.card["id_number"][-4:],
    }
    for name in ("front", "chief", "admin", "device-gateway"):
        client = await world.sign_in(name)
        answer = await client.post(f"{API}/auth/examinee-token", json=given)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), name
